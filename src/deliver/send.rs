//! A message to its recipients, once to each.

use std::time::Duration;

use super::send_log::{PastDelivery, SendLog, SendLogEntry, SendLogError, SendState};
use super::smtp::{self, ReadyServer, SmtpTimeouts};
use super::smtp::{RefusedRecipient, SmtpError};
use crate::exit::{Exit, Explain};
use crate::mail::{OutgoingMail, Recipient};
use crate::settings::mail::Delivery;
use crate::text::clean;

/// How long a run waits for another that sends: longer than a whole mail takes.
const LOCK_PATIENCE: Duration = Duration::from_secs(600);

/// Where a run ended between two parts of a list.
pub const PARTLY_SENT: &str = "the mail went to some of the recipients; the next run sends it to the others";

/// A message was not sent, or not for certain.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The server, after it had taken the message for some.
    #[error(transparent)]
    AfterPartialSend(Box<SmtpError>),
    /// The server had it for these people and never answered.
    #[error("{error} (for {})", clean(&.people.join(", "), 300))]
    Unconfirmed {
        /// What happened instead.
        error: Box<SmtpError>,
        /// Their addresses.
        people: Vec<String>,
        /// Whether others have it, or were not asked about.
        others: bool,
    },
    /// The send log.
    #[error(transparent)]
    SendLog(#[from] SendLogError),
    /// An earlier run was cut off between the message and the answer.
    #[error(
        "an earlier run, of {}, was ended while it sent this report: it may have been sent to {} of the recipients",
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
                "ask {}; if it did not arrive, send it to them alone, with --mail-to and --force. The next run \
                 sends it to whoever is left",
                clean(&people.join(", "), 300)
            ),
            Self::AfterPartialSend(_) => {
                "some of the recipients have the mail; acumen send sends it to the others".to_owned()
            }
            Self::SendLog(error) => error.hint(),
            Self::PossiblySent(PossibleDelivery { people, .. }) => format!(
                "ask {}; what did not arrive is sent with --force, to everybody whom --mail-to and --mail-cc name",
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

/// People who may have a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossibleDelivery {
    /// When the last run began that was ended while it sent it to them.
    pub at: String,
    /// Their addresses.
    pub people: Vec<String>,
}

/// What became of a message; where nothing failed, everybody is in one of the four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOutcome {
    /// To how many people the server took it.
    pub sent: usize,
    /// When each of the others began to be sent it in an earlier run, and not again.
    pub sent_earlier: Vec<String>,
    /// Whom the server refused.
    pub refused: Vec<RefusedRecipient>,
    /// Who may have it from an earlier run, and was not sent it again.
    pub possible: Option<PossibleDelivery>,
}

/// A mail on its way. Servers may take it for some of a list at a time, each time in
/// two steps: first the server agrees to recipients, of which nothing is left if the run
/// ends; then it gets the message.
pub struct Submission {
    mail: OutgoingMail,
    delivery: Delivery,
    at: String,
    log: SendLog,
    outcome: SendOutcome,
    failure: Option<SendError>,
    /// The open server; nothing where it would take the message for nobody any more.
    ready: Option<ReadyServer>,
}

/// Offers a message to a server, for those of its recipients of whom the
/// log in the state folder does not know that they were, or may have been,
/// sent this report before; with force, for all of them.
///
/// The log is locked from the first look to the last line, so that of two
/// runs at once one sends and the other learns of it.
///
/// # Errors
/// The log cannot be kept, or the server does not agree to the message; that it refused
/// all recipients is told by [`Submission::end`].
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
    /// Sends the message to those whom the server has agreed to, and waits for its
    /// answer, for as long as the limits allow. Who drops this before its end leaves a doubt.
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

    /// To how many people the message was sent, where there are others to whom it was not yet.
    pub fn partly_sent(&self) -> Option<usize> {
        self.ready.as_ref().map(|_| self.outcome.sent)
    }

    /// Offers the message to those who are left. Nothing more of it has left when this returns.
    #[must_use]
    pub async fn next(mut self) -> Self {
        let Some(ready) = self.ready.take() else { return self };
        match ready.again(&self.delivery.server, &self.mail.from).await {
            Ok(ready) => self.keep_server(ready).await,
            Err(error) => self.failure = Some(error.into()),
        }
        self
    }

    /// The subject of the message, what became of it, and what went wrong, the worst first.
    pub fn end(mut self) -> (String, SendOutcome, Vec<SendError>) {
        let failure = self.failure.take().map(|failure| match failure {
            SendError::Smtp(error) if self.outcome.sent > 0 => SendError::AfterPartialSend(Box::new(error)),
            other => other,
        });
        let refusal = (!self.outcome.refused.is_empty()).then(|| self.refusal().into());
        let possible = self.outcome.possible.clone().map(SendError::PossiblySent);
        (self.mail.subject, self.outcome, [failure, refusal, possible].into_iter().flatten().collect())
    }

    /// Keeps a server that has agreed to somebody.
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

/// Those who are to get a report, and what is known of the others.
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
