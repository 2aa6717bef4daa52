//! A message to its recipients, once to each.

use std::path::Path;

use lettre::Address;

use super::refusal::SmtpError;
use super::sent::{Entry, Known, Ledger, LedgerError, State};
use super::smtp;
use crate::mail::{Mail, Recipient};
use crate::settings::mail::Server;
use crate::text::clean;

/// A message was not sent, or not for certain.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The server.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The send ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An earlier run was cut off between the message and the answer.
    #[error(
        "an earlier run, of {}, was ended while it sent this report: it may have been sent to {} of the recipients",
        clean(&.0.at, 40),
        .0.people.len()
    )]
    Perhaps(Doubt),
}

impl PostError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Smtp(error) => error.hint(),
            Self::Ledger(error) => error.hint(),
            Self::Perhaps(Doubt { people, .. }) => format!(
                "ask {}; what did not arrive is sent with --force, to everybody whom --mail-to and --mail-cc name",
                clean(&people.join(", "), 300)
            ),
        }
    }

    /// The exit code that `--help` documents.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Smtp(error) => error.exit_code(),
            Self::Ledger(_) | Self::Perhaps(_) => 74,
        }
    }
}

/// People who may have a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// When the last run began that was ended while it sent it to them.
    pub at: String,
    /// Their addresses.
    pub people: Vec<String>,
}

/// What became of a message: everybody is in one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// To how many people the server took it.
    pub now: usize,
    /// When each of the others began to be sent it in an earlier run, and not again.
    pub before: Vec<String>,
    /// Who may have it from an earlier run, and was not sent it again.
    pub doubt: Option<Doubt>,
}

/// Sends a message through a server to those of its recipients of whom the
/// ledger in the state folder does not know that they were, or may have been,
/// sent this report before. `force` sends it to all of them.
///
/// The ledger is locked from the first look to the last line, so that of two
/// runs at once one sends and the other learns of it.
///
/// # Errors
/// The ledger cannot be kept, or the server did not take the message.
pub fn post(mail: &Mail, server: &Server, state: &Path, force: bool, at: &str) -> Result<Posted, PostError> {
    let mut ledger = Ledger::open(state)?;
    let (due, mut posted) = match force {
        true => (mail.recipients.iter().collect(), Posted::default()),
        false => sort(&ledger, &mail.recipients),
    };
    if due.is_empty() {
        return Ok(posted);
    }
    let entry = |state| Entry {
        at: at.to_owned(),
        state,
        report: mail.report.clone(),
        message_id: mail.id.clone(),
        subject: mail.subject.clone(),
        copies: due.iter().map(|recipient| recipient.copy.clone()).collect(),
    };
    let to: Vec<Address> = due.iter().map(|recipient| recipient.address.clone()).collect();
    let ready = smtp::ready(server, &mail.from, &to)?;
    ledger.add(entry(State::Sending))?;
    match ready.send(&mail.bytes) {
        Ok(()) => {
            ledger.add(entry(State::Sent))?;
            posted.now = due.len();
            Ok(posted)
        }
        Err(doubt @ SmtpError::Unanswered { .. }) => Err(doubt.into()),
        Err(refusal) => {
            ledger.add(entry(State::Refused))?;
            Err(refusal.into())
        }
    }
}

/// Those who are to get a report, and what is known of the others.
fn sort<'r>(ledger: &Ledger, recipients: &'r [Recipient]) -> (Vec<&'r Recipient>, Posted) {
    let (mut due, mut posted) = (Vec::new(), Posted::default());
    for recipient in recipients {
        match ledger.known(&recipient.copy) {
            Known::Nothing => due.push(recipient),
            Known::Sent(at) => posted.before.push(at),
            Known::Perhaps(at) => {
                let doubt = posted.doubt.get_or_insert(Doubt { at: at.clone(), people: Vec::new() });
                doubt.at = at.max(doubt.at.clone());
                doubt.people.push(recipient.address.to_string());
            }
        }
    }
    (due, posted)
}
