//! Everything that can end a run: one variant a stage.

mod api;

pub use api::hint_to;

use crate::archive::ArchiveError;
use crate::deliver::{self, ChatError, DeliverError, SendError};
use crate::exit::{Exit, Explain, REPORT_IT};
use crate::mail::MailError;
use crate::metrics::{MetricsError, ReadError};
use crate::render::RenderError;
use crate::saved_pages::PagesError;
use crate::settings::SettingsError;
use crate::tables::TableError;
use devin_api::FetchError;

/// Why a run ended without its report, or without its mail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The sessions could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The saved pages cannot be used.
    #[error(transparent)]
    Pages(#[from] PagesError),
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The tables could not be built.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A number could not be worked out.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// An output could not be made.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The report could not be written.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
    /// What lies on the disk is no report that can be sent.
    #[error("{path}: {source}")]
    Facts {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: ReadError,
    },
    /// The mail could not be made.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The mail could not be sent.
    #[error(transparent)]
    Post(#[from] SendError),
    /// The report could not be posted to a chat.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// What belongs on standard output could not be written there.
    #[error("could not write to standard output: {0}")]
    Stdout(std::io::Error),
    /// Some reports of a run could not be made or sent; each has a warning of its own.
    #[error("{failed} of {of} reports failed: see the warnings")]
    Reports {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
        /// How the first of them ended.
        exit: Exit,
    },
    /// A part of the program panicked; its message is already on stderr.
    #[error("acumen stopped: internal error (bug)")]
    Panicked,
    /// The simulator could not be started.
    #[error("could not listen on 127.0.0.1:{port}: {source}")]
    Simulator {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// The error of the stage itself, which explains itself; `None` if there is no other.
    fn stage(&self) -> Option<&dyn Explain> {
        match self {
            Self::Settings(error) => Some(error),
            Self::Fetch(error) => Some(error),
            Self::Pages(error) => Some(error),
            Self::Archive(error) => Some(error),
            Self::Deliver(error) => Some(error),
            Self::Mail(error) => Some(error),
            Self::Post(error) => Some(error),
            Self::Chat(error) => Some(error),
            _ => None,
        }
    }

    /// What is on the disk all the same, where a report was to be written.
    pub fn kept(&self) -> &'static str {
        match self {
            Self::Deliver(error) => error.kept(),
            // An address is read before the work, all else of a mail after the report stands.
            Self::Mail(MailError::Address { .. }) => deliver::UNCHANGED,
            // Its files are complete, but their data is not.
            Self::Mail(MailError::Incomplete | MailError::NoMatch) => deliver::UNMAILED,
            Self::Chat(ChatError::Incomplete | ChatError::NoMatch) => deliver::UNPOSTED,
            Self::Stdout(_) | Self::Facts { .. } | Self::Mail(_) | Self::Post(_) | Self::Chat(_) => {
                deliver::WHOLE
            }
            // Nothing of a report is on the disk before all of it is made.
            _ => deliver::UNCHANGED,
        }
    }
}

impl Explain for Error {
    fn hint(&self) -> String {
        if let Some(stage) = self.stage() {
            return stage.hint();
        }
        match self {
            Self::Facts { .. } => "write the report again with acumen report",
            Self::Stdout(_) => "check where standard output goes; written files are complete",
            Self::Simulator { .. } => "choose another port with --port; 0 takes a free one",
            Self::Reports { .. } => "fix them and run again; nothing is sent twice",
            _ => REPORT_IT,
        }
        .to_owned()
    }

    fn exit(&self) -> Exit {
        if let Some(stage) = self.stage() {
            return stage.exit();
        }
        match self {
            Self::Facts { .. } => Exit::Data,
            Self::Stdout(_) => Exit::Output,
            Self::Simulator { .. } => Exit::Usage,
            Self::Reports { exit, .. } => *exit,
            _ => Exit::Bug,
        }
    }
}
