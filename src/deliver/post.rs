//! A message to its recipients, once.

use std::path::Path;

use super::sent::{Entry, Known, Ledger, LedgerError, State};
use super::smtp::{self, SmtpError};
use crate::mail::Mail;
use crate::settings::mail::Server;

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
    #[error("an earlier run, of {at}, was ended while it sent this report: it may have been sent")]
    Perhaps {
        /// When that run began.
        at: String,
    },
}

impl PostError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Smtp(error) => error.hint(),
            Self::Ledger(error) => error.hint(),
            Self::Perhaps { .. } => {
                "ask a recipient; send it again with --force if it did not arrive".to_owned()
            }
        }
    }

    /// The exit code that `--help` documents.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Smtp(error) => error.exit_code(),
            Self::Ledger(_) | Self::Perhaps { .. } => 74,
        }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The server took it.
    Now,
    /// It was sent before, at this time, and not again.
    Before(String),
}

/// Sends a message through a server, unless the ledger in the state folder
/// knows that it was, or may have been, sent before. `force` sends it anyhow.
///
/// The ledger is locked from the first look to the last line, so that of two
/// runs at once one sends and the other learns of it.
///
/// # Errors
/// The ledger cannot be kept, an earlier run left a doubt, or the server did not
/// take the message.
pub fn post(mail: &Mail, server: &Server, state: &Path, force: bool, at: &str) -> Result<Posted, PostError> {
    let mut ledger = Ledger::open(state)?;
    match ledger.known(&mail.report) {
        _ if force => {}
        Known::Nothing => {}
        Known::Sent(at) => return Ok(Posted::Before(at)),
        Known::Perhaps(at) => return Err(PostError::Perhaps { at }),
    }
    let entry = |state| Entry {
        at: at.to_owned(),
        state,
        report: mail.report.clone(),
        message_id: mail.id.clone(),
        subject: mail.subject.clone(),
        recipients: mail.recipients.len(),
    };
    let ready = smtp::ready(server, &mail.from, &mail.recipients)?;
    ledger.add(entry(State::Sending))?;
    match ready.send(&mail.bytes) {
        Ok(()) => {
            ledger.add(entry(State::Sent))?;
            Ok(Posted::Now)
        }
        Err(doubt @ SmtpError::Unanswered { .. }) => Err(doubt.into()),
        Err(refusal) => {
            ledger.add(entry(State::Refused))?;
            Err(refusal.into())
        }
    }
}
