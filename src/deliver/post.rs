//! A message to its recipients, once to each.

use std::time::Duration;

use lettre::Address;

use super::refusal::SmtpError;
use super::sent::{Entry, Known, Ledger, LedgerError, State};
use super::smtp::{self, Limits, Ready};
use crate::mail::{Mail, Recipient};
use crate::settings::mail::Delivery;
use crate::text::clean;

/// How long a run waits for another that sends: longer than a whole mail takes.
const LOCKED: Duration = Duration::from_secs(600);

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
            Self::Ledger(LedgerError::Locked { .. }) => 75,
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

/// A mail that its server waits for. Nothing of the message has left: a drop
/// sends nothing and leaves nothing in the send log.
pub struct Offer {
    mail: Mail,
    ledger: Ledger,
    posted: Posted,
    /// The open server and the entry for the log; nothing if everybody has the report.
    due: Option<(Ready, Entry)>,
}

/// Offers a message to a server, for those of its recipients of whom the
/// ledger in the state folder does not know that they were, or may have been,
/// sent this report before; with force, for all of them.
///
/// The ledger is locked from the first look to the last line, so that of two
/// runs at once one sends and the other learns of it.
///
/// # Errors
/// The ledger cannot be kept, or the server does not agree to the message.
pub async fn offer(mail: Mail, delivery: &Delivery, at: &str, limits: Limits) -> Result<Offer, PostError> {
    let ledger = Ledger::open(&delivery.state, LOCKED).await?;
    let (due, posted) = match delivery.force {
        true => (mail.recipients.iter().collect(), Posted::default()),
        false => sort(&ledger, &mail.recipients),
    };
    if due.is_empty() {
        return Ok(Offer { mail, ledger, posted, due: None });
    }
    let entry = Entry {
        at: at.to_owned(),
        state: State::Sending,
        report: mail.report.clone(),
        message_id: mail.id.clone(),
        subject: mail.subject.clone(),
        copies: due.iter().map(|recipient| recipient.copy.clone()).collect(),
    };
    let to: Vec<Address> = due.iter().map(|recipient| recipient.address.clone()).collect();
    let ready = smtp::ready(&delivery.server, &mail.from, &to, limits).await?;
    Ok(Offer { mail, ledger, posted, due: Some((ready, entry)) })
}

impl Offer {
    /// The subject of the message.
    pub fn subject(&self) -> &str {
        &self.mail.subject
    }

    /// Sends the message and waits for the server's answer, for as long as the
    /// limits allow. Who drops this before its end leaves a doubt.
    ///
    /// # Errors
    /// The ledger cannot be kept, or the server did not take the message.
    pub async fn send(mut self) -> Result<Posted, PostError> {
        let Some((mut ready, entry)) = self.due else { return Ok(self.posted) };
        let with = |state| Entry { state, ..entry.clone() };
        self.ledger.add(with(State::Sending))?;
        match ready.send(&self.mail.bytes).await {
            Ok(()) => {
                self.ledger.add(with(State::Sent))?;
                self.posted.now = entry.copies.len();
                ready.leave().await;
                Ok(self.posted)
            }
            Err(doubt @ SmtpError::Unanswered { .. }) => Err(doubt.into()),
            Err(refusal) => {
                self.ledger.add(with(State::Refused))?;
                ready.leave().await;
                Err(refusal.into())
            }
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
