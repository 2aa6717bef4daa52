//! One message to one server. Each step is known, so that a refusal is told
//! apart from a doubt, and nothing that a server or the network sends can
//! fill memory or hold the run for longer than its limits.

mod connect;
mod conversation;
mod login;

use std::io;
use std::time::Duration;

use lettre::Address;

use super::refusal::SmtpError;
use crate::settings::mail::{Auth, Login, Server};
use crate::text::clean;
use crate::tls;
use connect::{Greeted, Refusal, Stream, connect};
use conversation::{Conversation, Failure, Reply};

/// The most of a server's text that an error shows, in characters.
const LONGEST: usize = 200;
/// The time for the goodbye, whose answer does not matter.
const GOODBYE: Duration = Duration::from_secs(5);

/// How long the parts of a mail may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One step: a command and its answer, or the TLS handshake.
    pub step: Duration,
    /// All steps until the server waits for the message.
    pub total: Duration,
    /// The message and the server's answer to it. Servers scan a message before they answer.
    pub message: Duration,
}

/// The limits of every mail.
pub const LIMITS: Limits = Limits {
    step: Duration::from_secs(60),
    total: Duration::from_secs(180),
    message: Duration::from_secs(300),
};

/// The option that names the server.
const OPTION: &str = "--smtp";

/// How long [`greet`] may take.
const GREETING: Duration = Duration::from_secs(10);

/// A server that has agreed to sender and recipients and waits for the message.
pub struct Ready {
    conversation: Conversation<Box<dyn Stream>>,
    context: Context,
    limit: Duration,
}

/// What errors are made with.
struct Context {
    server: String,
    secrets: Vec<String>,
}

/// Connects, logs in and names sender and recipients. Nothing of the message
/// has left when this returns, and nothing is sent if the result is dropped.
///
/// # Errors
/// The step that failed. One refused recipient is enough: a mail reaches all or nobody.
pub async fn ready(
    server: &Server,
    from: &Address,
    to: &[Address],
    limits: Limits,
) -> Result<Ready, SmtpError> {
    let context = Context::of(server);
    let steps = async {
        let greeted = connect(server, limits.step).await.map_err(|refusal| context.not_greeted(refusal))?;
        let Greeted { mut conversation, capabilities } = greeted;
        if let Some(login) = &server.login {
            let done = login::log_in(&mut conversation, login, &capabilities).await;
            done.map_err(|failure| context.not_logged_in(login, failure))?;
        }
        match envelope(&mut conversation, from, to).await {
            Ok(()) => Ok(conversation),
            Err((what, failure)) => {
                if matches!(failure, Failure::Refused(_)) {
                    leave(conversation).await;
                }
                Err(context.failed(&what, failure))
            }
        }
    };
    match tokio::time::timeout(limits.total, steps).await {
        Ok(conversation) => {
            let conversation = conversation?;
            Ok(Ready { conversation, context, limit: limits.message })
        }
        Err(_) => Err(context.late(limits.total)),
    }
}

/// Sender, recipients and the request to send the message.
async fn envelope(
    conversation: &mut Conversation<Box<dyn Stream>>,
    from: &Address,
    to: &[Address],
) -> Result<(), (String, Failure)> {
    let mut steps = vec![(format!("the sender {from}"), format!("MAIL FROM:<{from}>"), 2)];
    steps.extend(to.iter().map(|to| (format!("the recipient {to}"), format!("RCPT TO:<{to}>"), 2)));
    steps.push(("the message".to_owned(), "DATA".to_owned(), 3));
    for (what, line, digit) in steps {
        let reply = conversation.command(&line).await.and_then(|reply| reply.require(digit));
        // The last time this is checked, nothing of the message has left.
        let reply = reply.and_then(|_| conversation.is_in_step());
        reply.map_err(|failure| (what, failure))?;
    }
    Ok(())
}

impl Ready {
    /// Sends the message.
    ///
    /// # Errors
    /// [`SmtpError::Unanswered`] if the server may have taken it, else the server's refusal.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), SmtpError> {
        let reply = self.conversation.message(message, self.limit).await;
        match reply.and_then(|reply| reply.require(2)) {
            Ok(_) => Ok(()),
            Err(failure @ Failure::Refused(_)) => Err(self.context.failed("the message", failure)),
            Err(failure) => {
                let (server, cause) = (self.context.server.clone(), self.context.cause(&failure));
                Err(SmtpError::Unanswered { server, cause })
            }
        }
    }

    /// Says goodbye.
    pub async fn leave(self) {
        leave(self.conversation).await;
    }
}

/// The server has answered all that matters; how it says goodbye does not.
async fn leave(mut conversation: Conversation<Box<dyn Stream>>) {
    let _ = tokio::time::timeout(GOODBYE, conversation.command("QUIT")).await;
}

/// Greets a server as its address asks and says goodbye: nobody logs in, and
/// it gets no mail.
///
/// # Errors
/// It cannot be reached, the connection is not safe, or it refuses to talk.
pub async fn greet(server: &Server) -> Result<(), SmtpError> {
    let context = Context::of(server);
    match tokio::time::timeout(GREETING, connect(server, GREETING)).await {
        Ok(Ok(greeted)) => {
            leave(greeted.conversation).await;
            Ok(())
        }
        Ok(Err(refusal)) => Err(context.not_greeted(refusal)),
        Err(_) => Err(context.late(GREETING)),
    }
}

impl Context {
    fn of(server: &Server) -> Self {
        let secrets = server.login.as_ref().map(login::secrets).unwrap_or_default();
        Self { server: server.place(), secrets }
    }

    /// What happened, on one line and without a password in it.
    fn cause(&self, failure: &Failure) -> String {
        match failure {
            // The library's text is about TLS and has an address in it.
            Failure::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                "it closed the connection".to_owned()
            }
            Failure::Io(error) => self.shown(&error.to_string()),
            Failure::Tls(error) => match (tls::problem(error, OPTION), error) {
                (Some(problem), _) => self.shown(&problem.cause),
                (None, rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => {
                    "it sent plain text where TLS has to begin".to_owned()
                }
                (None, error) => self.shown(&error.to_string()),
            },
            Failure::Timeout(limit) => format!("no answer within {} s", limit.as_secs()),
            Failure::Injected(bytes) => format!(
                "{bytes} bytes came in plain text after its answer to STARTTLS, from the server or from somebody in between"
            ),
            Failure::Garbled(words) | Failure::NoMechanism(words) => self.shown(words),
            Failure::Refused(reply) => self.said(reply),
            Failure::Unexpected(reply) => format!("an answer that does not fit: {}", self.said(reply)),
        }
    }

    fn said(&self, reply: &Reply) -> String {
        match self.shown(&reply.lines.join(" ")) {
            text if text.is_empty() => reply.code.to_string(),
            text => format!("{} “{text}”", reply.code),
        }
    }

    /// Another's text. It is cut last, because half a password would not be found.
    fn shown(&self, text: &str) -> String {
        let hide =
            |text: &str| self.secrets.iter().fold(text.to_owned(), |text, secret| redacted(&text, secret));
        // What is taken out of a text may have stood between the halves of a password.
        clean(&hide(&clean(&hide(text), usize::MAX)), LONGEST)
    }

    /// A refusal, for now or for good, or a conversation that broke off.
    fn failed(&self, what: &str, failure: Failure) -> SmtpError {
        let (server, what, cause) = (self.server.clone(), clean(what, LONGEST), self.cause(&failure));
        match failure {
            Failure::Refused(reply) if reply.code < 500 => SmtpError::Later { server, what, cause },
            Failure::Refused(_) => SmtpError::Refused { server, what, cause },
            _ => SmtpError::Broken { server, what, cause },
        }
    }

    fn late(&self, limit: Duration) -> SmtpError {
        let cause = format!("it was not ready for a message within {} s", limit.as_secs());
        SmtpError::Unreachable { server: self.server.clone(), cause }
    }

    fn not_greeted(&self, refusal: Refusal) -> SmtpError {
        let server = self.server.clone();
        match refusal {
            Refusal::Connect(failure) => SmtpError::Unreachable { server, cause: self.cause(&failure) },
            Refusal::Greeting(failure @ Failure::Timeout(_)) => {
                SmtpError::Unreachable { server, cause: self.cause(&failure) }
            }
            Refusal::Greeting(failure) => self.failed("the connection", failure),
            Refusal::Safety(failure) => {
                let problem = match &failure {
                    Failure::Tls(error) => tls::problem(error, OPTION),
                    _ => None,
                };
                let cause = self.cause(&failure);
                match problem {
                    Some(problem) => SmtpError::Tls { server, cause, hint: problem.hint },
                    None => SmtpError::Unsafe { server, cause, hint: safety_hint(&failure) },
                }
            }
        }
    }

    fn not_logged_in(&self, login: &Login, failure: Failure) -> SmtpError {
        match failure {
            Failure::Refused(ref reply) if reply.code < 500 => self.failed("the login", failure),
            Failure::Refused(_) | Failure::NoMechanism(_) => SmtpError::Login {
                server: self.server.clone(),
                user: clean(&login.user, 60),
                secret: if login.auth == Auth::XOAuth2 { "access token" } else { "password" },
                source_of: login.source.clone(),
                cause: self.cause(&failure),
            },
            _ => self.failed("the login", failure),
        }
    }
}

/// The text without a secret, in capitals or not.
fn redacted(text: &str, secret: &str) -> String {
    let (low, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, found) in low.match_indices(&secret) {
        out.push_str(text.get(done..at).unwrap_or_default());
        out.push_str("[redacted]");
        done = at + found.len();
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// What to do about a connection that is not safe.
fn safety_hint(failure: &Failure) -> &'static str {
    match failure {
        Failure::Injected(_) => "nothing was sent; use smtps:// if the server has it, or another network",
        _ => "use smtps:// for a server that speaks TLS from the start, smtp:// for one with STARTTLS",
    }
}
