//! Turns a failed step into an error with a hint, and with the server's text made safe to show.

use std::io;
use std::time::Duration;

use super::connect::ConnectError;
use super::conversation::{SmtpReply, StepError};
use super::error::SmtpError;
use super::login;
use crate::settings::mail::{Auth, Login, Security, Server};
use crate::text::clean;
use devin_api::tls;

/// The most of a server's text that an error shows, in characters.
const LONGEST: usize = 200;
/// The option that names the server.
const OPTION: &str = "--smtp";

/// What all errors of a connection are made with.
pub struct ErrorContext {
    /// Host and port.
    pub server: String,
    /// The name this machine gave in EHLO; empty before that.
    pub helo: String,
    /// Whether the settings have a login.
    has_login: bool,
    secrets: Vec<String>,
}

impl ErrorContext {
    /// The context before the server is contacted.
    pub fn of(server: &Server) -> Self {
        let secrets = server.login.as_ref().map(login::secrets).unwrap_or_default();
        let has_login = server.login.is_some();
        Self { server: server.place(), helo: String::new(), has_login, secrets }
    }

    /// What happened, on one line and without passwords.
    pub fn cause(&self, failure: &StepError) -> String {
        match failure {
            // The library's text is about TLS and contains a URL.
            StepError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                "it closed the connection".to_owned()
            }
            StepError::Io(error) => self.shown(&error.to_string()),
            StepError::Tls(error) => match (tls::problem(error, OPTION), error) {
                (Some(problem), _) => self.shown(&problem.cause),
                (None, rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => {
                    "it sent plain text instead of TLS".to_owned()
                }
                (None, error) => self.shown(&error.to_string()),
            },
            StepError::Timeout(limit) => format!("no answer within {} s", limit.as_secs()),
            StepError::InjectedBeforeTls(bytes) => format!(
                "{bytes} bytes arrived in plain text after its reply to STARTTLS, from the server or \
                 injected on the way"
            ),
            StepError::Malformed(words) => self.shown(words),
            StepError::NoCommonMechanism(offered) if offered.is_empty() => {
                "it offers no login mechanism".to_owned()
            }
            StepError::NoCommonMechanism(offered) => format!("it offers {}", self.shown(&offered.join(", "))),
            StepError::Refused(reply) => self.said(reply),
            StepError::Unexpected(reply) => format!("an unexpected reply: {}", self.said(reply)),
        }
    }

    /// The answer, on one line and without passwords.
    pub fn said(&self, reply: &SmtpReply) -> String {
        match self.shown(&reply.lines.join(" ")) {
            text if text.is_empty() => reply.code.to_string(),
            text => format!("{} “{text}”", reply.code),
        }
    }

    /// Text of the server. It is cut last, because half a password would not be found.
    fn shown(&self, text: &str) -> String {
        let hide =
            |text: &str| self.secrets.iter().fold(text.to_owned(), |text, secret| redacted(&text, secret));
        // Characters that `clean` removes can have separated the halves of a password.
        clean(&hide(&clean(&hide(text), usize::MAX)), LONGEST)
    }

    /// The error of a refused or broken step.
    pub fn failed(&self, what: &str, failure: StepError) -> SmtpError {
        let (server, what, cause) = (self.server.clone(), clean(what, LONGEST), self.cause(&failure));
        match failure {
            StepError::Refused(reply) if is_about_helo(&reply) => {
                SmtpError::Helo { server, name: self.helo.clone(), cause, is_temporary: false }
            }
            StepError::Refused(reply) if reply.code == 530 && !self.has_login => {
                SmtpError::NoLogin { server, cause, hint: LOG_IN.to_owned() }
            }
            StepError::Refused(reply) if reply.code < 500 => SmtpError::Later { server, what, cause },
            StepError::Refused(reply) if is_about_size(&reply) => SmtpError::TooLarge { server, what, cause },
            StepError::Refused(_) => SmtpError::Refused { server, what, cause },
            _ => SmtpError::Broken { server, what, cause },
        }
    }

    /// The error of a server that was not ready in time.
    pub fn late(&self, limit: Duration) -> SmtpError {
        let cause = format!("it was not ready for a message within {} s", limit.as_secs());
        SmtpError::Unreachable { server: self.server.clone(), cause }
    }

    /// The error of a failed connection.
    pub fn not_greeted(&mut self, refusal: ConnectError, settings: &Server) -> SmtpError {
        let server = self.server.clone();
        match refusal {
            ConnectError::SpeaksTls => {
                let cause = "it waits for TLS from the first byte".to_owned();
                SmtpError::Tls { server, cause, hint: format!("use --smtp smtps://{}", self.server) }
            }
            // The server sent plain text from the first byte.
            ConnectError::Safety(failure @ StepError::Tls(rustls::Error::InvalidMessage(_)))
                if settings.security == Security::Tls =>
            {
                let hint = format!("use --smtp smtp://{}, which starts TLS with STARTTLS", self.server);
                SmtpError::Tls { server, cause: self.cause(&failure), hint }
            }
            ConnectError::Hello(name, StepError::Refused(reply)) => {
                let (name, cause) = (clean(&name, LONGEST), self.said(&reply));
                let is_temporary = reply.code < 500 && !is_about_helo(&reply);
                SmtpError::Helo { server, name, cause, is_temporary }
            }
            ConnectError::Hello(name, failure) => {
                self.failed(&format!("the name {name} of this machine (EHLO)"), failure)
            }
            ConnectError::Connect(failure) => SmtpError::Unreachable { server, cause: self.cause(&failure) },
            ConnectError::Greeting(failure @ StepError::Timeout(_)) => {
                SmtpError::Unreachable { server, cause: self.cause(&failure) }
            }
            ConnectError::Greeting(failure) => self.failed("the connection", failure),
            ConnectError::Safety(failure) => {
                let problem = match &failure {
                    StepError::Tls(error) => tls::problem(error, OPTION),
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

    /// The error of a failed login.
    pub fn not_logged_in(&self, login: &Login, failure: StepError) -> SmtpError {
        match failure {
            StepError::Refused(ref reply) if reply.code < 500 => self.failed("the login", failure),
            StepError::NoCommonMechanism(ref offered) => SmtpError::NoLogin {
                server: self.server.clone(),
                cause: self.cause(&failure),
                hint: login::hint(login.auth, offered),
            },
            StepError::Refused(_) => SmtpError::Login {
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

/// Hint for a server that requires a login.
const LOG_IN: &str = "set the user with --smtp-user, and the password with --smtp-password-file or \
    --smtp-password-command";

/// Whether a refusal is about the name given in EHLO. Servers may report it only later; addresses
/// in their text can contain any word.
pub fn is_about_helo(reply: &SmtpReply) -> bool {
    let text = reply.lines.join(" ").to_ascii_lowercase();
    let words = text.split_whitespace().filter(|word| !word.contains('@'));
    let mut words = words.flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
    words.any(|word| matches!(word, "helo" | "ehlo"))
}

/// Whether a refusal is about the size of the message (RFC 1870, RFC 3463).
fn is_about_size(reply: &SmtpReply) -> bool {
    let text = reply.lines.join(" ");
    reply.code == 552 && !text.starts_with("5.2.2") || text.starts_with("5.3.4") || text.starts_with("5.2.3")
}

/// The text without a secret, whatever its case.
fn redacted(text: &str, secret: &str) -> String {
    let (low, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    // Lower-casing ASCII keeps every byte in its place, so that places in one are places in the other.
    let mut done = 0;
    for (at, found) in low.match_indices(&secret) {
        out.push_str(&text[done..at]);
        out.push_str("[redacted]");
        done = at + found.len();
    }
    out.push_str(&text[done..]);
    out
}

/// Hint for a connection that is not secure.
fn safety_hint(failure: &StepError) -> &'static str {
    match failure {
        StepError::InjectedBeforeTls(_) => {
            "nothing sent; use smtps:// if the server supports it, or another network"
        }
        _ => "use smtps:// for a server that speaks TLS from the start, smtp:// for one with STARTTLS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_the_ehlo_name_are_recognized() {
        let is = |text: &str| is_about_helo(&SmtpReply { code: 550, lines: vec![text.to_owned()] });
        for text in [
            "5.5.2 <vm>: Helo command rejected: need fully-qualified hostname",
            "4.7.0 Try again later, closing connection. (EHLO) gsmtp",
            "Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
        ] {
            assert!(is(text), "{text}");
        }
        for text in ["<helo@x.example>: user unknown", "<michelo@x.example>... no", "no such user", "hello"] {
            assert!(!is(text), "{text}");
        }
    }
}
