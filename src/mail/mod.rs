//! Facts to one message: pure, and the same bytes for the same moment.
//!
//! The home of lettre's builder and of resvg. The date of a message is the moment of
//! its sending, and its id belongs to that moment, so that no two sendings are taken for
//! one; all else comes from the report and the recipients.

mod addresses;
mod identity;
mod message;
mod picture;
mod text;

use lettre::Address;

pub use addresses::{Addresses, addresses};
pub use message::compose;

use crate::exit::{Exit, Explain, REPORT_IT};
use crate::report::ReportError;

/// A mail could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address is none.
    #[error("{flag}: {text:?} is no mail address")]
    Address {
        /// Where it was typed.
        flag: &'static str,
        /// What was typed.
        text: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// Sessions are missing, and recipients should not have to judge that.
    #[error("the report is incomplete, so it is not mailed; its files stay")]
    Incomplete,
    /// A report about nothing says nothing to its recipients but that a filter is wrong.
    #[error("no session matches the filters of the report, so it is not mailed; its files stay")]
    NoMatch,
    /// This machine's clock tells a moment that no mail can have.
    #[error("the clock of this machine is at {0}, a date that no mail can have")]
    Clock(String),
    /// The body could not be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A chart could not be drawn as a picture.
    #[error("could not draw the picture {id}: {cause}")]
    Picture {
        /// Which one.
        id: &'static str,
        /// What the library said.
        cause: String,
    },
    /// The facts could not be written as text.
    #[error("could not write the facts as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The message could not be put together.
    #[error("could not put the message together: {0}")]
    Message(String),
}

impl Explain for MailError {
    fn hint(&self) -> String {
        match self {
            Self::Address { hint, .. } => (*hint).to_owned(),
            Self::Clock(_) => "set the clock of this machine".to_owned(),
            Self::Incomplete => {
                "run the report again without --allow-partial; a report that lacks sessions is for whoever mends it"
                    .to_owned()
            }
            Self::NoMatch => "check --org, --tag and --user, or leave --mail out".to_owned(),
            Self::Report(ReportError::Period(_)) => {
                "write the report again with acumen report".to_owned()
            }
            _ => REPORT_IT.to_owned(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address { .. } | Self::Clock(_) | Self::NoMatch => Exit::Usage,
            Self::Incomplete => Exit::Incomplete,
            Self::Report(ReportError::Period(_)) => Exit::Data,
            _ => Exit::Bug,
        }
    }
}

/// A file that goes with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, of plain letters.
    pub name: String,
    /// Its MIME type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A finished message and its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What it is about: the same for every message about the same report.
    pub report: String,
    /// Its Message-ID, angle brackets included.
    pub id: String,
    /// Its subject.
    pub subject: String,
    /// Who sends it.
    pub from: Address,
    /// Who gets it, copies included, each once.
    pub recipients: Vec<Recipient>,
    /// The message as it is sent.
    pub bytes: Vec<u8>,
}

/// Somebody who gets a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Where it goes.
    pub address: Address,
    /// This report to this person, as a hash.
    pub copy: String,
}
