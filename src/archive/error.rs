//! Why an archive cannot be used.

use std::io;
use std::path::Path;

use crate::exit::{Exit, Explain, REPORT_IT};
use crate::regular_file;
use crate::tables::TableError;
use crate::text::{clean, shown};

/// An archive could not be read or written. The archive stays as it was after the last completed step.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no archive.
    #[error("no archive in {path}")]
    Missing {
        /// Where one was looked for.
        path: String,
    },
    /// The folder holds something else.
    #[error("{path} is neither empty nor an archive")]
    Stranger {
        /// The folder.
        path: String,
    },
    /// A newer program wrote it.
    #[error("the archive in {path} has schema {schema}; this acumen supports schemas up to {known}")]
    Newer {
        /// Its path.
        path: String,
        /// What it says.
        schema: u32,
        /// What this program writes.
        known: u32,
    },
    /// It has another scope, API version or start.
    #[error("the archive in {path} covers {what} {own}, but {asked} was requested")]
    Other {
        /// Its path.
        path: String,
        /// `the scope`, `sessions of`, `sessions from`, `the organisation`.
        what: &'static str,
        /// What it keeps.
        own: String,
        /// What was asked for.
        asked: String,
    },
    /// It was synced at a time in the future.
    #[error("the archive in {path} ends at {until}, which is in the future by this machine's clock")]
    Ahead {
        /// Its path.
        path: String,
        /// Until when it says it reaches.
        until: String,
    },
    /// Another sync is active.
    #[error("another sync is active on the archive in {path}")]
    Busy {
        /// Its path.
        path: String,
    },
    /// It begins after the requested time.
    #[error(
        "the archive begins on {since}, too late for the periods that the report needs, including the \
         one that it is compared with"
    )]
    Late {
        /// Its first moment.
        since: String,
    },
    /// It ends before the requested time.
    #[error("the archive ends on {until}, before the end of the period")]
    Short {
        /// Its last moment.
        until: String,
    },
    /// A file is not what the state says.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// Verification found faults.
    #[error("the archive in {path} is damaged: {} found", faults(*count))]
    Faulty {
        /// Its path.
        path: String,
        /// How many faults.
        count: usize,
    },
    /// The disk refuses.
    #[error("could not {attempt} {path}: {source}")]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// With what.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The rows could not be made into tables.
    #[error(transparent)]
    Table(#[from] TableError),
}

fn faults(count: usize) -> String {
    if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") }
}

impl ArchiveError {
    /// For a failed disk operation, or an unexpected link or kind of file.
    pub(super) fn disk(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = shown(path);
        move |source| match regular_file::is_refusal(&source) {
            true => Self::Damaged { path, what: source.to_string() },
            false => Self::Disk { attempt, path, source },
        }
    }

    /// For a file whose content has changed.
    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: shown(path), what: what.into() }
    }

    /// For tables that cannot be read together, although each file is what was written.
    pub fn unfit(root: &Path, what: &str) -> Self {
        Self::damaged(root, clean(what, 200))
    }

    /// What is on the disk after a sync that ended so.
    pub fn kept(&self) -> &'static str {
        match self {
            Self::Disk { .. } | Self::Table(_) => super::KEPT,
            _ => "nothing written",
        }
    }
}

impl Explain for ArchiveError {
    fn hint(&self) -> String {
        match self {
            Self::Missing { .. } => {
                "create one with acumen sync, or name its folder with --archive".to_owned()
            }
            Self::Stranger { .. } => "name an empty or new folder with --archive".to_owned(),
            Self::Newer { .. } => "use the version of acumen that wrote it, or a newer one".to_owned(),
            Self::Other { .. } => "name another folder with --archive: an archive has one scope, API \
                version and start"
                .to_owned(),
            Self::Busy { .. } => "wait until it ends; reports can be made during a sync".to_owned(),
            Self::Late { .. } => {
                "choose a later period, a later --compare-with or a shorter --trend; sync into another folder \
                 with an earlier --since; or accept a partial report with --allow-partial"
                    .to_owned()
            }
            Self::Short { .. } => {
                "run acumen sync, or accept a partial report with --allow-partial".to_owned()
            }
            Self::Ahead { .. } => {
                "correct the clock; if it was wrong during the sync, sessions may be missing: run acumen \
                 sync --full after that time, or sync into another folder"
                    .to_owned()
            }
            Self::Damaged { .. } => {
                "acumen archive verify lists all faults; acumen sync into another folder fetches \
                 everything again"
                    .to_owned()
            }
            Self::Faulty { .. } => {
                "files that are not part of the archive can be removed; otherwise sync into another folder"
                    .to_owned()
            }
            Self::Disk { .. } => {
                "check that the --archive folder exists, belongs to you and is not full".to_owned()
            }
            Self::Table(_) => REPORT_IT.to_owned(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. }
            | Self::Stranger { .. }
            | Self::Newer { .. }
            | Self::Other { .. }
            | Self::Ahead { .. } => Exit::Usage,
            Self::Late { .. } | Self::Short { .. } => Exit::Incomplete,
            Self::Damaged { .. } | Self::Faulty { .. } => Exit::Data,
            Self::Disk { .. } => Exit::Output,
            Self::Busy { .. } => Exit::Later,
            Self::Table(_) => Exit::Bug,
        }
    }
}
