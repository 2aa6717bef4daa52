//! A message to its recipients, once to each.

use std::time::Duration;

use super::refusal::{SmtpError, Turned};
use super::sent::{Entry, Known, Ledger, LedgerError, State};
use super::smtp::{self, Limits, Ready};
use crate::exit::{Exit, Explain};
use crate::mail::{Mail, Recipient};
use crate::settings::mail::Delivery;
use crate::text::clean;

/// How long a run waits for another that sends: longer than a whole mail takes.
const LOCKED: Duration = Duration::from_secs(600);

/// Where a run ended between two parts of a list.
pub const PARTLY: &str = "the mail went to some of the recipients; the next run sends it to the others";

/// A message was not sent, or not for certain.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The server.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The server, after it had taken the message for some.
    #[error(transparent)]
    Partly(Box<SmtpError>),
    /// The server had it for these people and never answered.
    #[error("{error} (for {})", clean(&.people.join(", "), 300))]
    Doubtful {
        /// What happened instead.
        error: Box<SmtpError>,
        /// Their addresses.
        people: Vec<String>,
        /// Whether others have it, or were not asked about.
        others: bool,
    },
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

impl Explain for PostError {
    fn hint(&self) -> String {
        match self {
            Self::Smtp(error) => error.hint(),
            Self::Doubtful { error, others: false, .. } => error.hint(),
            Self::Doubtful { people, .. } => format!(
                "ask {}; if it did not arrive, send it to them alone, with --mail-to and --force. The next run \
                 sends it to whoever is left",
                clean(&people.join(", "), 300)
            ),
            Self::Partly(_) => {
                "some of the recipients have the mail; acumen send sends it to the others".to_owned()
            }
            Self::Ledger(error) => error.hint(),
            Self::Perhaps(Doubt { people, .. }) => format!(
                "ask {}; what did not arrive is sent with --force, to everybody whom --mail-to and --mail-cc name",
                clean(&people.join(", "), 300)
            ),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Smtp(error) => error.exit(),
            Self::Partly(error) | Self::Doubtful { error, .. } => error.exit(),
            Self::Ledger(error) => error.exit(),
            Self::Perhaps(_) => Exit::Output,
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

/// What became of a message; where nothing failed, everybody is in one of the four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// To how many people the server took it.
    pub now: usize,
    /// When each of the others began to be sent it in an earlier run, and not again.
    pub before: Vec<String>,
    /// Whom the server refused.
    pub refused: Vec<Turned>,
    /// Who may have it from an earlier run, and was not sent it again.
    pub doubt: Option<Doubt>,
}

/// A mail on its way. Servers may take it for some of a list at a time, each time in
/// two steps: first the server agrees to recipients, of which nothing is left if the run
/// ends; then it gets the message.
pub struct Offer {
    mail: Mail,
    delivery: Delivery,
    at: String,
    ledger: Ledger,
    posted: Posted,
    failure: Option<PostError>,
    /// The open server; nothing where it would take the message for nobody any more.
    ready: Option<Ready>,
}

/// Offers a message to a server, for those of its recipients of whom the
/// ledger in the state folder does not know that they were, or may have been,
/// sent this report before; with force, for all of them.
///
/// The ledger is locked from the first look to the last line, so that of two
/// runs at once one sends and the other learns of it.
///
/// # Errors
/// The ledger cannot be kept, or the server does not agree to the message; that it refused
/// all recipients is told by [`Offer::end`].
pub async fn offer(mail: Mail, delivery: &Delivery, at: &str, limits: Limits) -> Result<Offer, PostError> {
    let ledger = Ledger::open(&delivery.state, LOCKED).await?;
    let (due, posted) = match delivery.force {
        true => (mail.recipients.clone(), Posted::default()),
        false => sort(&ledger, &mail.recipients),
    };
    let (delivery, at) = (delivery.clone(), at.to_owned());
    let mut offer = Offer { mail, delivery, at, ledger, posted, failure: None, ready: None };
    if !due.is_empty() {
        let ready = smtp::ready(&offer.delivery.server, &offer.mail.from, due, limits).await?;
        offer.hold(ready).await;
    }
    Ok(offer)
}

impl Offer {
    /// Sends the message to those whom the server has agreed to, and waits for its
    /// answer, for as long as the limits allow. Who drops this before its end leaves a doubt.
    pub async fn send(&mut self) {
        let Some(ready) = &mut self.ready else { return };
        let entry = Entry {
            at: self.at.clone(),
            state: State::Sending,
            report: self.mail.report.clone(),
            message_id: self.mail.id.clone(),
            subject: self.mail.subject.clone(),
            copies: copies(&ready.accepted),
        };
        let with = |state| Entry { state, ..entry.clone() };
        let turned: Vec<Recipient> = ready.refused.iter().map(|turned| turned.recipient.clone()).collect();
        let mut send = async || -> Result<(), PostError> {
            self.ledger.add(with(State::Sending))?;
            let sent = ready.send(&self.mail.bytes).await;
            match sent {
                Ok(()) => {
                    self.posted.now += entry.copies.len();
                    self.ledger.add(with(State::Sent))?;
                }
                Err(SmtpError::Unanswered { .. }) => {}
                Err(_) => self.ledger.add(with(State::Refused))?,
            }
            if !turned.is_empty() {
                self.ledger.add(Entry { copies: copies(&turned), ..with(State::Refused) })?;
            }
            Ok(sent?)
        };
        self.failure = send().await.err().map(|failure| match failure {
            PostError::Smtp(error @ SmtpError::Unanswered { .. }) => PostError::Doubtful {
                error: Box::new(error),
                people: ready.accepted.iter().map(|recipient| recipient.address.to_string()).collect(),
                others: self.posted.now > 0 || !self.posted.before.is_empty() || !ready.left.is_empty(),
            },
            other => other,
        });
        let is_over = self.failure.is_some() || ready.left.is_empty();
        if let Some(ready) = self.ready.take_if(|_| is_over) {
            match self.failure {
                Some(PostError::Doubtful { .. }) => {}
                _ => ready.leave().await,
            }
        }
    }

    /// To how many people the message was sent, where there are others to whom it was not yet.
    pub fn partly_sent(&self) -> Option<usize> {
        self.ready.as_ref().map(|_| self.posted.now)
    }

    /// Offers the message to those who are left. Nothing more of it has left when this returns.
    #[must_use]
    pub async fn next(mut self) -> Self {
        let Some(ready) = self.ready.take() else { return self };
        match ready.again(&self.delivery.server, &self.mail.from).await {
            Ok(ready) => self.hold(ready).await,
            Err(error) => self.failure = Some(error.into()),
        }
        self
    }

    /// The subject of the message, what became of it, and what went wrong, the worst first.
    pub fn end(mut self) -> (String, Posted, Vec<PostError>) {
        let failure = self.failure.take().map(|failure| match failure {
            PostError::Smtp(error) if self.posted.now > 0 => PostError::Partly(Box::new(error)),
            other => other,
        });
        let refusal = (!self.posted.refused.is_empty()).then(|| self.refusal().into());
        let doubt = self.posted.doubt.clone().map(PostError::Perhaps);
        (self.mail.subject, self.posted, [failure, refusal, doubt].into_iter().flatten().collect())
    }

    /// Keeps a server that has agreed to somebody.
    async fn hold(&mut self, ready: Ready) {
        self.posted.refused.extend(ready.refused.iter().cloned());
        match ready.accepted.is_empty() {
            true => ready.leave().await,
            false => self.ready = Some(ready),
        }
    }

    fn refusal(&self) -> SmtpError {
        let Posted { now, before, refused, .. } = &self.posted;
        SmtpError::Recipients {
            server: self.delivery.server.place(),
            refused: refused.clone(),
            others: *now > 0 || !before.is_empty(),
        }
    }
}

fn copies(recipients: &[Recipient]) -> Vec<String> {
    recipients.iter().map(|recipient| recipient.copy.clone()).collect()
}

/// Those who are to get a report, and what is known of the others.
fn sort(ledger: &Ledger, recipients: &[Recipient]) -> (Vec<Recipient>, Posted) {
    let (mut due, mut posted) = (Vec::new(), Posted::default());
    for recipient in recipients {
        match ledger.known(&recipient.copy) {
            Known::Nothing => due.push(recipient.clone()),
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
