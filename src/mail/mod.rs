//! Turns facts into one message: pure, and the same bytes for the same time of sending.
//!
//! The only user of lettre's builder and of resvg. Date and id of a message belong to its sending,
//! so that no two sendings are taken for one; everything else comes from report and recipients.

mod addresses;
mod identity;
mod message;
mod png;

use lettre::Address;

pub use addresses::{Addresses, addresses};
pub use identity::{in_chat as chat_key, report as report_key};
pub use message::{check_mailable, compose};

use crate::exit::{Exit, Explain, REPORT_IT};
use crate::render::RenderError;

/// A mail could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address is invalid.
    #[error("{flag}: {text:?} is not a mail address")]
    Address {
        /// The option.
        flag: &'static str,
        /// Its value.
        text: String,
        /// Hint for the user.
        hint: &'static str,
    },
    /// Sessions are missing, and recipients should not have to judge that.
    #[error("the report is incomplete, so it is not mailed; its files are kept")]
    Incomplete,
    /// The report is empty because its filters match nothing.
    #[error("no session matches the filters of the report, so it is not mailed; its files are kept")]
    NoMatch,
    /// This machine's clock shows a date that no mail can have.
    #[error("the clock of this machine shows {0}, a date that a mail cannot have")]
    Clock(String),
    /// The body could not be made.
    #[error(transparent)]
    Report(#[from] RenderError),
    /// A chart could not be drawn as a picture.
    #[error("could not draw the picture {id}: {cause}")]
    Png {
        /// The chart.
        id: &'static str,
        /// The library's error.
        cause: String,
    },
    /// The message could not be put together.
    #[error("could not compose the message: {0}")]
    Message(String),
}

impl Explain for MailError {
    fn hint(&self) -> String {
        match self {
            Self::Address { hint, .. } => (*hint).to_owned(),
            Self::Clock(_) => "correct the clock of this machine".to_owned(),
            Self::Incomplete => {
                "run the report again without --allow-partial; a report that lacks sessions is never mailed"
                    .to_owned()
            }
            Self::NoMatch => "check --org, --tag and --user, or omit --mail".to_owned(),
            _ => REPORT_IT.to_owned(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address { .. } | Self::Clock(_) | Self::NoMatch => Exit::Usage,
            Self::Incomplete => Exit::Incomplete,
            _ => Exit::Bug,
        }
    }
}

/// An attached file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, in ASCII.
    pub name: String,
    /// Its MIME type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A finished message and its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMail {
    /// The report's key, the same for every message about the report.
    pub report: String,
    /// Its Message-ID, angle brackets included.
    pub id: String,
    /// Its subject.
    pub subject: String,
    /// Who sends it.
    pub from: Address,
    /// All recipients including copies, each once.
    pub recipients: Vec<Recipient>,
    /// The bytes to send.
    pub bytes: Vec<u8>,
}

/// A recipient of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Where it goes.
    pub address: Address,
    /// The key by which the send log knows this report and recipient.
    pub key: String,
}
