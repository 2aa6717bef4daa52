//! Sends one message to one server. Each step is known, so that a refusal can be told from an
//! unconfirmed delivery. Nothing that a server sends can fill memory or exceed the timeouts.

mod connect;
mod conversation;
mod envelope;
mod error;
mod explain;
mod login;

use std::time::Duration;

use lettre::Address;

use crate::mail::Recipient;
use crate::settings::mail::Server;
use connect::{Greeted, Stream, connect};
use conversation::{Conversation, StepError};
use envelope::MailEnvelope;
pub use error::{RefusedRecipient, SmtpError};
use explain::{ErrorContext, is_about_helo};

/// The timeout of QUIT, whose answer is irrelevant.
const GOODBYE: Duration = Duration::from_secs(5);

/// Timeouts of the parts of a delivery.
#[derive(Clone, Copy, Debug)]
pub struct SmtpTimeouts {
    /// One step: a command and its answer, or the TLS handshake.
    pub step: Duration,
    /// All steps before the message.
    pub total: Duration,
    /// The message and the answer to it. Servers scan a message before they answer.
    pub message: Duration,
}

/// The timeouts of every delivery.
pub const SMTP_TIMEOUTS: SmtpTimeouts = SmtpTimeouts {
    step: Duration::from_secs(60),
    total: Duration::from_secs(180),
    message: Duration::from_secs(300),
};

/// The timeout of [`dry_run`].
const DRY_RUN_TIMEOUT: Duration = Duration::from_secs(15);

/// A server that accepted sender and recipients and waits for the message, or refused all
/// recipients.
pub struct ReadyServer {
    session: SmtpSession,
    /// Accepted recipients.
    pub accepted: Vec<Recipient>,
    /// Refused recipients.
    pub refused: Vec<RefusedRecipient>,
    /// Recipients for another envelope.
    pub left: Vec<Recipient>,
}

/// A connection after the login.
struct SmtpSession {
    conversation: Conversation<Box<dyn Stream>>,
    context: ErrorContext,
    /// How many recipients the server takes at a time.
    max_recipients: usize,
    limits: SmtpTimeouts,
}

/// Connects, logs in, and names the sender and as many recipients as the server takes at a time. No
/// part of the message has been sent when this returns, and none is if the result is dropped.
///
/// # Errors
/// The step that failed; refused recipients are no error.
pub async fn ready(
    server: &Server,
    from: &Address,
    to: Vec<Recipient>,
    limits: SmtpTimeouts,
) -> Result<ReadyServer, SmtpError> {
    let steps = async { open(server, limits).await?.begin(from, to).await };
    let late = |_| Err(ErrorContext::of(server).late(limits.total));
    tokio::time::timeout(limits.total, steps).await.unwrap_or_else(late)
}

/// Connects and logs in.
async fn open(server: &Server, limits: SmtpTimeouts) -> Result<SmtpSession, SmtpError> {
    let mut context = ErrorContext::of(server);
    let greeted = connect(server, limits.step).await;
    let greeted = greeted.map_err(|refusal| context.not_greeted(refusal, server))?;
    let Greeted { mut conversation, capabilities, helo } = greeted;
    context.helo = helo;
    if let Some(login) = &server.login {
        let done = login::log_in(&mut conversation, login, &capabilities).await;
        done.map_err(|failure| context.not_logged_in(login, failure))?;
    }
    let max_recipients = envelope::max_recipients(&capabilities);
    Ok(SmtpSession { conversation, context, max_recipients, limits })
}

impl SmtpSession {
    /// Sends MAIL FROM, RCPT TO, and DATA if a recipient was accepted.
    async fn begin(mut self, from: &Address, to: Vec<Recipient>) -> Result<ReadyServer, SmtpError> {
        match envelope::sender(&mut self.conversation, from).await {
            Ok(()) => self.agree(to).await,
            Err(failure) => Err(self.refused(format!("the sender {from}"), failure).await),
        }
    }

    /// The same after MAIL FROM.
    async fn agree(mut self, to: Vec<Recipient>) -> Result<ReadyServer, SmtpError> {
        let (envelope, refused) = self.recipients(to).await?;
        let MailEnvelope { accepted, left, .. } = envelope;
        if !accepted.is_empty() {
            let reply = self.conversation.command("DATA").await.and_then(|reply| reply.require(3));
            // The last check before a part of the message is sent.
            if let Err(failure) = reply.and_then(|_| self.conversation.check_no_early_reply()) {
                return Err(self.refused("the message".to_owned(), failure).await);
            }
        }
        Ok(ReadyServer { session: self, accepted, refused, left })
    }

    /// Sends RCPT TO for the recipients; the refused ones with the server's answers.
    async fn recipients(
        &mut self,
        to: Vec<Recipient>,
    ) -> Result<(MailEnvelope, Vec<RefusedRecipient>), SmtpError> {
        let named = envelope::recipients(&mut self.conversation, to, self.max_recipients).await;
        let mut envelope = match named {
            Ok(envelope) => envelope,
            Err((address, failure)) => {
                return Err(self.refused(format!("the recipient {address}"), failure).await);
            }
        };
        let mut refused = Vec::new();
        for (recipient, reply) in std::mem::take(&mut envelope.refused) {
            if is_about_helo(&reply) && envelope.accepted.is_empty() {
                let what = format!("the recipient {}", recipient.address);
                return Err(self.refused(what, StepError::Refused(reply)).await);
            }
            let (cause, is_temporary) = (self.context.said(&reply), reply.code < 500);
            refused.push(RefusedRecipient { recipient, cause, is_temporary });
        }
        Ok((envelope, refused))
    }

    /// The error of a step, after QUIT if the server still listens.
    async fn refused(&mut self, what: String, failure: StepError) -> SmtpError {
        if matches!(failure, StepError::Refused(_)) {
            self.leave().await;
        }
        self.context.failed(&what, failure)
    }

    /// Sends QUIT; the answer is irrelevant.
    async fn leave(&mut self) {
        let _ = tokio::time::timeout(GOODBYE, self.conversation.command("QUIT")).await;
    }
}

impl ReadyServer {
    /// Sends the message.
    ///
    /// # Errors
    /// [`SmtpError::Unanswered`] if the server may have accepted it, else its refusal.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), SmtpError> {
        let SmtpSession { conversation, context, limits, .. } = &mut self.session;
        let reply = conversation.message(message, limits.message).await;
        match reply.and_then(|reply| reply.require(2)) {
            Ok(_) => Ok(()),
            Err(failure @ StepError::Refused(_)) => Err(context.failed("the message", failure)),
            Err(failure) => {
                let (server, cause) = (context.server.clone(), context.cause(&failure));
                Err(SmtpError::Unanswered { server, cause })
            }
        }
    }

    /// Names the sender and the remaining recipients after the message was sent: on the same
    /// connection, or on a new one if the server takes no more on this one.
    ///
    /// # Errors
    /// As [`ready`].
    pub async fn again(self, server: &Server, from: &Address) -> Result<Self, SmtpError> {
        let Self { mut session, left, .. } = self;
        let limits = session.limits;
        let steps = async {
            match envelope::sender(&mut session.conversation, from).await {
                Ok(()) => session.agree(left).await,
                Err(_) => open(server, limits).await?.begin(from, left).await,
            }
        };
        let late = |_| Err(ErrorContext::of(server).late(limits.total));
        tokio::time::timeout(limits.total, steps).await.unwrap_or_else(late)
    }

    /// Sends QUIT.
    pub async fn leave(mut self) {
        self.session.leave().await;
    }
}

/// The answers of a server to a mail that was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// The name this machine gave in EHLO.
    pub helo: String,
    /// Refused recipients.
    pub refused: Vec<RefusedRecipient>,
    /// How many envelopes the recipients need.
    pub envelopes: usize,
}

/// Performs all steps before the message, resets, and disconnects: the server receives no mail.
///
/// # Errors
/// The step that failed; refused recipients are no error.
pub async fn dry_run(server: &Server, from: &Address, to: Vec<Recipient>) -> Result<DryRun, SmtpError> {
    let limits = SmtpTimeouts { step: DRY_RUN_TIMEOUT, total: DRY_RUN_TIMEOUT, message: DRY_RUN_TIMEOUT };
    let steps = async {
        let mut session = open(server, limits).await?;
        let (mut left, mut refused, mut envelopes) = (to, Vec::new(), 0);
        while !left.is_empty() {
            if let Err(failure) = envelope::sender(&mut session.conversation, from).await {
                return Err(session.refused(format!("the sender {from}"), failure).await);
            }
            let (envelope, own) = session.recipients(left).await?;
            (left, envelopes) = (envelope.left, envelopes + 1);
            refused.extend(own);
            let reset = session.conversation.command("RSET").await.and_then(|reply| reply.require(2));
            if let Err(failure) = reset {
                return Err(session.refused("a reset (RSET)".to_owned(), failure).await);
            }
        }
        session.leave().await;
        Ok(DryRun { helo: session.context.helo, refused, envelopes })
    };
    let late = |_| Err(ErrorContext::of(server).late(DRY_RUN_TIMEOUT));
    tokio::time::timeout(DRY_RUN_TIMEOUT, steps).await.unwrap_or_else(late)
}
