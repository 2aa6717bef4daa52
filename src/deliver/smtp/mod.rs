//! One message to one server. Each step is known, so that a refusal is told
//! apart from a doubt, and nothing that a server or the network sends can
//! fill memory or hold the run for longer than its limits.

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

/// The time for the goodbye, whose answer does not matter.
const GOODBYE: Duration = Duration::from_secs(5);

/// How long the parts of a mail may take.
#[derive(Clone, Copy, Debug)]
pub struct SmtpTimeouts {
    /// One step: a command and its answer, or the TLS handshake.
    pub step: Duration,
    /// All steps until the server waits for the message.
    pub total: Duration,
    /// The message and the server's answer to it. Servers scan a message before they answer.
    pub message: Duration,
}

/// The limits of every mail.
pub const SMTP_TIMEOUTS: SmtpTimeouts = SmtpTimeouts {
    step: Duration::from_secs(60),
    total: Duration::from_secs(180),
    message: Duration::from_secs(300),
};

/// How long [`dry_run`] may take.
const DRY_RUN_TIMEOUT: Duration = Duration::from_secs(15);

/// A server that has agreed to sender and recipients and waits for the message, or
/// refused all of the recipients.
pub struct ReadyServer {
    session: SmtpSession,
    /// Whom it takes the message for.
    pub accepted: Vec<Recipient>,
    /// Whom it refused.
    pub refused: Vec<RefusedRecipient>,
    /// Who is left for another envelope.
    pub left: Vec<Recipient>,
}

/// A conversation with a server that has let this machine in.
struct SmtpSession {
    conversation: Conversation<Box<dyn Stream>>,
    context: ErrorContext,
    /// How many recipients it takes at a time.
    max_recipients: usize,
    limits: SmtpTimeouts,
}

/// Connects, logs in and names sender and recipients, as many of them as the server
/// takes at a time. Nothing of the message has left when this returns, and nothing is
/// sent if the result is dropped.
///
/// # Errors
/// The step that failed; refused recipients are none.
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
    /// Names sender and recipients and asks to send the message, if it is taken for anybody.
    async fn begin(mut self, from: &Address, to: Vec<Recipient>) -> Result<ReadyServer, SmtpError> {
        match envelope::sender(&mut self.conversation, from).await {
            Ok(()) => self.agree(to).await,
            Err(failure) => Err(self.refused(format!("the sender {from}"), failure).await),
        }
    }

    /// The same after the sender.
    async fn agree(mut self, to: Vec<Recipient>) -> Result<ReadyServer, SmtpError> {
        let (envelope, refused) = self.recipients(to).await?;
        let MailEnvelope { accepted, left, .. } = envelope;
        if !accepted.is_empty() {
            let reply = self.conversation.command("DATA").await.and_then(|reply| reply.require(3));
            // The last time this is checked, nothing of the message has left.
            if let Err(failure) = reply.and_then(|_| self.conversation.check_no_early_reply()) {
                return Err(self.refused("the message".to_owned(), failure).await);
            }
        }
        Ok(ReadyServer { session: self, accepted, refused, left })
    }

    /// Names the recipients after the sender; those that were refused with the server's words.
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

    /// The error of a step, after a goodbye where the server still listens.
    async fn refused(&mut self, what: String, failure: StepError) -> SmtpError {
        if matches!(failure, StepError::Refused(_)) {
            self.leave().await;
        }
        self.context.failed(&what, failure)
    }

    /// The server has answered all that matters; how it says goodbye does not.
    async fn leave(&mut self) {
        let _ = tokio::time::timeout(GOODBYE, self.conversation.command("QUIT")).await;
    }
}

impl ReadyServer {
    /// Sends the message.
    ///
    /// # Errors
    /// [`SmtpError::Unanswered`] if the server may have taken it, else the server's refusal.
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

    /// Names the sender again, and those who are left, after the message was sent: in the
    /// same conversation, or in a new one if the server takes no more in this one.
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

    /// Says goodbye.
    pub async fn leave(mut self) {
        self.session.leave().await;
    }
}

/// What a server said to a mail that was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// What this machine called itself.
    pub helo: String,
    /// Whom it refused.
    pub refused: Vec<RefusedRecipient>,
    /// In how many envelopes it takes the message.
    pub envelopes: usize,
}

/// Goes through all that comes before a message, takes it back and says goodbye: the
/// server gets no mail.
///
/// # Errors
/// The step that failed; refused recipients are none.
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
