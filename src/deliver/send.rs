//! Sends a message to its recipients, once to each.

use std::time::Duration;

use super::send_log::{PastDelivery, SendLog, SendLogEntry, SendLogError, SendState};
use super::smtp::{self, ReadyServer, SmtpTimeouts};
use super::smtp::{RefusedRecipient, SmtpError};
use crate::exit::{Exit, Explain};
use crate::mail::{OutgoingMail, Recipient};
use crate::settings::mail::Delivery;
use crate::text::clean;

/// How long to wait for another run that sends: longer than sending a mail takes.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_secs(600);

/// What happened when a run ends between two parts of a recipient list.
pub const PARTLY_SENT: &str = "the mail was sent to some of the recipients; the next run sends it to the \
    others";

/// A message was not sent, or its delivery is not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server failed or refused.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The same, after the server had accepted the message for some recipients.
    #[error(transparent)]
    AfterPartialSend(Box<SmtpError>),
    /// The server received the message for these people and never answered.
    #[error("{error} (for {})", clean(&.people.join(", "), 300))]
    Unconfirmed {
        /// The error instead of an answer.
        error: Box<SmtpError>,
        /// Their addresses.
        people: Vec<String>,
        /// Whether others received it, or were not tried.
        others: bool,
    },
    /// The send log failed.
    #[error(transparent)]
    SendLog(#[from] SendLogError),
    /// An earlier run ended between sending the message and the answer.
    #[error(
        "an earlier run, of {}, ended while it sent this report: {} of the recipients may have got it",
        clean(&.0.at, 40),
        .0.people.len()
    )]
    PossiblySent(PossibleDelivery),
}

impl Explain for SendError {
    fn hint(&self) -> String {
        match self {
            Self::Smtp(error) => error.hint(),
            Self::Unconfirmed { error, others: false, .. } => error.hint(),
            Self::Unconfirmed { people, .. } => format!(
                "ask {}; if it did not arrive, send it to them only, with --mail-to and --force. The \
                 next run sends it to the others",
                clean(&people.join(", "), 300)
            ),
            Self::AfterPartialSend(_) => {
                "some recipients got the mail; acumen send sends it to the others".to_owned()
            }
            Self::SendLog(error) => error.hint(),
            Self::PossiblySent(PossibleDelivery { people, .. }) => format!(
                "ask {}; if it did not arrive, resend with --force, to all recipients in --mail-to and \
                 --mail-cc",
                clean(&people.join(", "), 300)
            ),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Smtp(error) => error.exit(),
            Self::AfterPartialSend(error) | Self::Unconfirmed { error, .. } => error.exit(),
            Self::SendLog(error) => error.exit(),
            Self::PossiblySent(_) => Exit::Output,
        }
    }
}

/// People who may have received a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossibleDelivery {
    /// When the last run that ended while sending to them had started.
    pub at: String,
    /// Their addresses.
    pub people: Vec<String>,
}

/// What happened to a message. Without an error every recipient is in one of the four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOutcome {
    /// How many recipients the server accepted the message for.
    pub sent: usize,
    /// For each recipient of an earlier run, when that run started; they are skipped.
    pub sent_earlier: Vec<String>,
    /// Recipients that the server refused.
    pub refused: Vec<RefusedRecipient>,
    /// Recipients that may have it from an earlier run; they are skipped.
    pub possible: Option<PossibleDelivery>,
}

/// A mail being sent. A server may accept some recipients at a time. Each round has two steps:
/// first the server accepts recipients, without any effect if the run ends there; then it receives
/// the message.
pub struct Submission {
    mail: OutgoingMail,
    delivery: Delivery,
    at: String,
    log: SendLog,
    outcome: SendOutcome,
    failure: Option<SendError>,
    /// The open connection; `None` once the server accepts no more recipients.
    ready: Option<ReadyServer>,
}

/// Connects, and names the recipients that have not, and cannot have, received this report by the
/// send log; with `force`, all of them.
///
/// The log stays locked until the submission ends, so that of two concurrent runs one sends and the
/// other finds its entries.
///
/// # Errors
/// The log cannot be kept, or the server does not accept the message. [`Submission::end`] reports a
/// server that refused all recipients.
pub async fn submit(
    mail: OutgoingMail,
    delivery: &Delivery,
    at: &str,
    limits: SmtpTimeouts,
) -> Result<Submission, SendError> {
    let log = SendLog::open(&delivery.state, LOCK_PATIENCE).await?;
    let (due, outcome) = match delivery.force {
        true => (mail.recipients.clone(), SendOutcome::default()),
        false => split_recipients(&log, &mail.recipients),
    };
    let (delivery, at) = (delivery.clone(), at.to_owned());
    let mut submission = Submission { mail, delivery, at, log, outcome, failure: None, ready: None };
    if !due.is_empty() {
        let ready = smtp::ready(&submission.delivery.server, &submission.mail.from, due, limits).await?;
        submission.keep_server(ready).await;
    }
    Ok(submission)
}

impl Submission {
    /// Sends the message to the accepted recipients, and waits for the answer within the timeouts.
    /// If this future is dropped, delivery is unconfirmed.
    pub async fn send(&mut self) {
        let Some(ready) = &mut self.ready else { return };
        let entry = SendLogEntry {
            at: self.at.clone(),
            state: SendState::Sending,
            report: self.mail.report.clone(),
            message_id: self.mail.id.clone(),
            subject: self.mail.subject.clone(),
            recipient_keys: keys_of(&ready.accepted),
        };
        let with = |state| SendLogEntry { state, ..entry.clone() };
        let rejected: Vec<Recipient> =
            ready.refused.iter().map(|rejected| rejected.recipient.clone()).collect();
        let mut send = async || -> Result<(), SendError> {
            self.log.add(with(SendState::Sending))?;
            let sent = ready.send(&self.mail.bytes).await;
            match sent {
                Ok(()) => {
                    self.outcome.sent += entry.recipient_keys.len();
                    self.log.add(with(SendState::Sent))?;
                }
                Err(SmtpError::Unanswered { .. }) => {}
                Err(_) => self.log.add(with(SendState::Refused))?,
            }
            if !rejected.is_empty() {
                self.log
                    .add(SendLogEntry { recipient_keys: keys_of(&rejected), ..with(SendState::Refused) })?;
            }
            Ok(sent?)
        };
        self.failure = send().await.err().map(|failure| match failure {
            SendError::Smtp(error @ SmtpError::Unanswered { .. }) => SendError::Unconfirmed {
                error: Box::new(error),
                people: ready.accepted.iter().map(|recipient| recipient.address.to_string()).collect(),
                others: self.outcome.sent > 0
                    || !self.outcome.sent_earlier.is_empty()
                    || !ready.left.is_empty(),
            },
            other => other,
        });
        let is_over = self.failure.is_some() || ready.left.is_empty();
        if let Some(ready) = self.ready.take_if(|_| is_over) {
            match self.failure {
                Some(SendError::Unconfirmed { .. }) => {}
                _ => ready.leave().await,
            }
        }
    }

    /// How many recipients have the message, if others are still to be tried.
    pub fn partly_sent(&self) -> Option<usize> {
        self.ready.as_ref().map(|_| self.outcome.sent)
    }

    /// Names the remaining recipients. No part of the message has been sent again when this
    /// returns.
    #[must_use]
    pub async fn next(mut self) -> Self {
        let Some(ready) = self.ready.take() else { return self };
        match ready.again(&self.delivery.server, &self.mail.from).await {
            Ok(ready) => self.keep_server(ready).await,
            Err(error) => self.failure = Some(error.into()),
        }
        self
    }

    /// The subject, the outcome, and the errors, worst first.
    pub fn end(mut self) -> (String, SendOutcome, Vec<SendError>) {
        let failure = self.failure.take().map(|failure| match failure {
            SendError::Smtp(error) if self.outcome.sent > 0 => SendError::AfterPartialSend(Box::new(error)),
            other => other,
        });
        let refusal = (!self.outcome.refused.is_empty()).then(|| self.refusal().into());
        let possible = self.outcome.possible.clone().map(SendError::PossiblySent);
        (self.mail.subject, self.outcome, [failure, refusal, possible].into_iter().flatten().collect())
    }

    /// Keeps a connection whose server accepted a recipient.
    async fn keep_server(&mut self, ready: ReadyServer) {
        self.outcome.refused.extend(ready.refused.iter().cloned());
        match ready.accepted.is_empty() {
            true => ready.leave().await,
            false => self.ready = Some(ready),
        }
    }

    fn refusal(&self) -> SmtpError {
        let SendOutcome { sent, sent_earlier, refused, .. } = &self.outcome;
        SmtpError::Recipients {
            server: self.delivery.server.place(),
            refused: refused.clone(),
            others: *sent > 0 || !sent_earlier.is_empty(),
        }
    }
}

fn keys_of(recipients: &[Recipient]) -> Vec<String> {
    recipients.iter().map(|recipient| recipient.key.clone()).collect()
}

/// The recipients to send to, and the outcome for the others.
fn split_recipients(log: &SendLog, recipients: &[Recipient]) -> (Vec<Recipient>, SendOutcome) {
    let (mut due, mut outcome) = (Vec::new(), SendOutcome::default());
    for recipient in recipients {
        match log.past_delivery(&recipient.key) {
            PastDelivery::None => due.push(recipient.clone()),
            PastDelivery::Sent(at) => outcome.sent_earlier.push(at),
            PastDelivery::Possible(at) => {
                let possible =
                    outcome.possible.get_or_insert(PossibleDelivery { at: at.clone(), people: Vec::new() });
                possible.at = at.max(possible.at.clone());
                possible.people.push(recipient.address.to_string());
            }
        }
    }
    (due, outcome)
}
