//! One message to one server: each step of it known, so that a failure is told
//! apart from a doubt.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as Failure;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::refusal::SmtpError;
use crate::fetch;
use crate::settings::mail::{Security, Server};
use crate::text::clean;

/// How long one step of a mail may take …
const PATIENCE: Duration = Duration::from_secs(60);
/// … and one of a greeting, which nobody waits for longer.
pub const GREETING: Duration = Duration::from_secs(10);
/// No message needs more of a server's words.
const LONGEST: usize = 200;

/// A server that has agreed to sender and recipients and waits for the message.
pub struct Ready {
    connection: SmtpConnection,
    speech: Speech,
}

/// What a server's words are shown with.
struct Speech {
    server: String,
    secrets: Vec<String>,
    /// How long one step may take.
    patience: Duration,
}

/// Connects, makes the way safe, logs in and names sender and recipients.
/// Nothing of the message has left when this returns.
///
/// # Errors
/// The step that failed. One refused recipient is enough: a mail reaches all or nobody.
pub fn ready(server: &Server, from: &Address, to: &[Address]) -> Result<Ready, SmtpError> {
    let speech = Speech::new(server, PATIENCE);
    let mut connection = connect(server, &speech)?;
    if let Some(login) = &server.login {
        let credentials = Credentials::new(login.user.clone(), login.password.reveal().to_owned());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).map_err(|failure| {
            match (failure.is_permanent() || failure.is_client(), failure.is_transient()) {
                (true, _) => SmtpError::Login {
                    server: speech.server.clone(),
                    user: clean(&login.user, 60),
                    source_of: login.source.clone(),
                    cause: speech.cause(&failure),
                },
                (_, true) => speech.answered("the login".to_owned(), &failure),
                _ => speech.unreachable(&failure),
            }
        })?;
    }
    let step = |what: String| move |failure: Failure| (what, failure);
    let agreed = (|| {
        connection
            .command(From::new(Some(from.clone()), Vec::new()))
            .map_err(step(format!("the sender {from}")))?;
        for address in to {
            let what = format!("the recipient {address}");
            connection.command(Rcpt::new(address.clone(), Vec::new())).map_err(step(what))?;
        }
        connection.command(Data).map_err(step("the message".to_owned()))
    })();
    match agreed {
        Ok(_) => Ok(Ready { connection, speech }),
        Err((what, failure)) => {
            connection.abort();
            Err(speech.answered(what, &failure))
        }
    }
}

impl Ready {
    /// Hands the message over.
    ///
    /// # Errors
    /// [`SmtpError::Unanswered`] where nobody can tell what became of it, else the server's refusal.
    pub fn send(mut self, message: &[u8]) -> Result<(), SmtpError> {
        match self.connection.message(message) {
            Ok(_) => {
                // It has the message; how it takes its leave is of no concern.
                let _ = self.connection.quit();
                Ok(())
            }
            Err(failure) if failure.status().is_some() => {
                self.connection.abort();
                Err(self.speech.answered("the message".to_owned(), &failure))
            }
            Err(failure) => {
                Err(SmtpError::Unanswered { cause: self.speech.cause(&failure), server: self.speech.server })
            }
        }
    }
}

/// Greets a server over the way that its address names, and takes its leave:
/// nobody logs in, and it gets no mail.
///
/// # Errors
/// It cannot be reached, the way is not safe, or it does not want to talk.
pub fn greet(server: &Server) -> Result<(), SmtpError> {
    let mut connection = connect(server, &Speech::new(server, GREETING))?;
    // It has answered; how it takes its leave is of no concern.
    let _ = connection.quit();
    Ok(())
}

fn connect(server: &Server, speech: &Speech) -> Result<SmtpConnection, SmtpError> {
    // What can be wrong here is that this machine trusts nobody at all.
    let tls = || {
        TlsParameters::new_rustls(server.host.clone()).map_err(|failure| SmtpError::Unsafe {
            server: speech.server.clone(),
            cause: speech.cause(&failure),
            hint: CERTIFICATE,
        })
    };
    let hello = ClientId::default();
    let wrapper = if server.security == Security::Tls { Some(tls()?) } else { None };
    let address = (server.host.as_str(), server.port);
    let mut connection =
        SmtpConnection::connect(address, Some(speech.patience), &hello, wrapper.as_ref(), None)
            .map_err(|failure| speech.greeted(&failure))?;
    if server.security == Security::StartTls {
        connection.starttls(&tls()?, &hello).map_err(|failure| speech.unsafe_way(&failure))?;
    }
    Ok(connection)
}

impl Speech {
    fn new(server: &Server, patience: Duration) -> Self {
        use base64::Engine;
        let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        let secrets = server.login.as_ref().map_or_else(Vec::new, |login| {
            let (user, password) = (&login.user, login.password.reveal());
            // As it may be echoed: plain, and in the forms of both kinds of login.
            vec![password.to_owned(), base64(password.to_owned()), base64(format!("\0{user}\0{password}"))]
        });
        Self { server: server.place(), secrets, patience }
    }

    /// The server's words, or the system's, without a password in them.
    fn cause(&self, failure: &Failure) -> String {
        let chain = causes(failure);
        let timed_out = chain
            .iter()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock));
        if timed_out {
            return format!("no answer within {} s", self.patience.as_secs());
        }
        if let Some(words) = own_authority(&chain) {
            return words.to_owned();
        }
        let own = failure.source().map(ToString::to_string);
        let said = own.unwrap_or_else(|| failure.to_string());
        let said = self.secrets.iter().fold(said, |said, secret| said.replace(secret, "[redacted]"));
        match (failure.status(), clean(&said, LONGEST)) {
            (Some(code), said) if said.is_empty() => code.to_string(),
            (Some(code), said) => format!("{code} “{said}”"),
            (None, said) => said,
        }
    }

    /// A refusal, for now or for good, or a connection that broke.
    fn answered(&self, what: String, failure: &Failure) -> SmtpError {
        let (server, cause) = (self.server.clone(), self.cause(failure));
        match (failure.is_permanent(), failure.is_transient()) {
            (true, _) => SmtpError::Refused { server, what: clean(&what, LONGEST), cause },
            (_, true) => SmtpError::Later { server, what: clean(&what, LONGEST), cause },
            _ => SmtpError::Unreachable { server, cause },
        }
    }

    fn unreachable(&self, failure: &Failure) -> SmtpError {
        SmtpError::Unreachable { server: self.server.clone(), cause: self.cause(failure) }
    }

    /// A first word that did not come, or came through no safe way.
    fn greeted(&self, failure: &Failure) -> SmtpError {
        let tls = failure.is_tls() || causes(failure).iter().any(|cause| cause.is::<rustls::Error>());
        match (failure.status(), tls) {
            (Some(_), _) => self.answered("the connection".to_owned(), failure),
            (None, true) => self.unsafe_way(failure),
            (None, false) => self.unreachable(failure),
        }
    }

    fn unsafe_way(&self, failure: &Failure) -> SmtpError {
        let chain = causes(failure);
        let is_certificate =
            |cause: &&Cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)));
        let hint = match own_authority(&chain) {
            Some(_) => fetch::OWN_AUTHORITY_HINT,
            None if chain.iter().any(is_certificate) => CERTIFICATE,
            None => "use smtps:// for a server that speaks TLS from the start, smtp:// for one with STARTTLS",
        };
        SmtpError::Unsafe { server: self.server.clone(), cause: self.cause(failure), hint }
    }
}

/// What to do about a certificate that is not trusted.
const CERTIFICATE: &str =
    "check the host's name in --smtp; a private authority is trusted with SSL_CERT_FILE=FILE";

fn own_authority(chain: &[&Cause]) -> Option<&'static str> {
    chain.iter().find_map(|cause| cause.downcast_ref().and_then(fetch::certificate_words))
}

type Cause = dyn StdError + 'static;

/// The error and what caused it, with what an I/O error carries.
fn causes(failure: &Failure) -> Vec<&Cause> {
    let mut found: Vec<&Cause> = vec![failure];
    let mut next = failure.source();
    while let Some(cause) = next {
        found.push(cause);
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &Cause),
            None => cause.source(),
        };
    }
    found
}
