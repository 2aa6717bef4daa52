//! Facts to one message: pure, and the same bytes on every run.
//!
//! The home of lettre's builder and of resvg. The date of a message is that of
//! its facts, its id and its boundaries come from the report and the
//! recipients, so that the same report to the same people is the same message.

mod identity;
mod message;
mod picture;
mod text;

use lettre::Address;
use lettre::message::Mailbox;

pub use message::compose;

use crate::report::ReportError;
use crate::text::clean;

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
    },
    /// Sessions are missing, and recipients should not have to judge that.
    #[error("the report is incomplete, so it is not mailed; its files stay")]
    Incomplete,
    /// A report about nothing says nothing to its recipients but that a filter is wrong.
    #[error("no session matches the filters of the report, so it is not mailed; its files stay")]
    NoMatch,
    /// The facts' date is none.
    #[error("the facts are of a moment that cannot be read: {0:?}")]
    Moment(String),
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

impl MailError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Address { .. } => {
                "write it as lead@example.com or Ada <ada@example.com>, in ASCII before and after the @".to_owned()
            }
            Self::Incomplete => {
                "run the report again without --allow-partial; a report that lacks sessions is for whoever mends it"
                    .to_owned()
            }
            Self::NoMatch => "check --org, --tag and --user, or leave --mail out".to_owned(),
            Self::Moment(_) | Self::Report(ReportError::Period(_)) => {
                "write the report again with acumen report".to_owned()
            }
            _ => "this is a defect of acumen: please report it with the line above".to_owned(),
        }
    }

    /// The exit code that `--help` documents.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Address { .. } | Self::NoMatch => 2,
            Self::Incomplete => 4,
            Self::Moment(_) | Self::Report(ReportError::Period(_)) => 65,
            _ => 1,
        }
    }
}

/// From whom and to whom, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Addresses {
    from: Mailbox,
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
}

/// Reads the addresses of a mail.
///
/// # Errors
/// One of them is no address.
pub fn addresses(from: &str, to: &[String], cc: &[String]) -> Result<Addresses, MailError> {
    let all =
        |flag, texts: &[String]| texts.iter().map(|text| mailbox(flag, text)).collect::<Result<Vec<_>, _>>();
    Ok(Addresses {
        from: mailbox("--mail-from", from)?,
        to: all("--mail-to", to)?,
        cc: all("--mail-cc", cc)?,
    })
}

fn mailbox(flag: &'static str, text: &str) -> Result<Mailbox, MailError> {
    let read = text.trim().parse::<Mailbox>().ok();
    // Servers that take other addresses are few, and a header is no place for a second line.
    let is_plain = |mailbox: &Mailbox| {
        let address: &str = mailbox.email.as_ref();
        address.is_ascii() && !text.chars().any(char::is_control)
    };
    read.filter(is_plain).ok_or_else(|| MailError::Address { flag, text: clean(text, 80) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused_with_their_flag() {
        let to = ["Ada Lovelace <ada@example.com>".to_owned(), " b@example.com ".to_owned()];
        let read = addresses("a@example.com", &to, &[]).unwrap();
        assert_eq!(read.to.len(), 2);
        for wrong in
            ["", "ada", "ada@", "a@b@c", "ada@exämple.com", "a@x.com\nBcc: b@x.com", "a@x.com, b@x.com"]
        {
            let error = addresses("a@example.com", &[wrong.to_owned()], &[]).unwrap_err();
            assert!(
                error.to_string().starts_with("--mail-to") && error.exit_code() == 2,
                "{wrong:?} {error}"
            );
        }
    }
}
