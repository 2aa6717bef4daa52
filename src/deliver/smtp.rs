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

use crate::settings::mail::{Security, Server};
use crate::text::clean;

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// No message needs more of a server's words.
const LONGEST: usize = 200;

/// A mail server did not take a message.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// It could not be reached.
    #[error("could not reach the mail server {server}: {cause}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// Why.
        cause: String,
    },
    /// The way there could not be made safe.
    #[error("no safe way to the mail server {server}: {cause}")]
    Unsafe {
        /// Host and port.
        server: String,
        /// Why.
        cause: String,
        /// Whether it is about the server's certificate.
        certificate: bool,
    },
    /// It does not let the user in.
    #[error(
        "the mail server {server} refused the login of {user} with the password from {source_of}: {cause}"
    )]
    Login {
        /// Host and port.
        server: String,
        /// Who.
        user: String,
        /// Where the password came from.
        source_of: String,
        /// What it said.
        cause: String,
    },
    /// It refused an address or the message, for good.
    #[error("the mail server {server} refused {what}: {cause}")]
    Refused {
        /// Host and port.
        server: String,
        /// The sender, a recipient or the message.
        what: String,
        /// What it said.
        cause: String,
    },
    /// It asks to come back later.
    #[error("the mail server {server} does not take {what} now: {cause}")]
    Later {
        /// Host and port.
        server: String,
        /// The sender, a recipient or the message.
        what: String,
        /// What it said.
        cause: String,
    },
    /// It had the message and never answered.
    #[error("the mail server {server} got the message but did not say whether it took it: {cause}")]
    Unanswered {
        /// Host and port.
        server: String,
        /// What happened instead.
        cause: String,
    },
}

impl SmtpError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => "check --smtp, its port, and the way there".to_owned(),
            Self::Unsafe { certificate: true, .. } => {
                "check the host's name in --smtp; a private authority is trusted with SSL_CERT_FILE=FILE"
                    .to_owned()
            }
            Self::Unsafe { .. } => {
                "use smtps:// for a server that speaks TLS from the start, smtp:// for one with STARTTLS"
                    .to_owned()
            }
            Self::Login { .. } => "check --smtp-user and the password".to_owned(),
            Self::Refused { .. } => {
                "nobody got the mail; check the addresses, and what the server lets this user send".to_owned()
            }
            Self::Later { .. } => "nobody got the mail; acumen send sends the report again later".to_owned(),
            Self::Unanswered { .. } => {
                "the mail may have been sent: ask a recipient, then send it again with --force if it was not"
                    .to_owned()
            }
        }
    }

    /// The exit code that `--help` documents.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::Unsafe { .. } => 5,
            Self::Login { .. } => 3,
            Self::Later { .. } => 75,
            Self::Refused { .. } | Self::Unanswered { .. } => 74,
        }
    }
}

/// A server that has agreed to sender and recipients and waits for the message.
pub struct Ready {
    connection: SmtpConnection,
    speech: Speech,
}

/// What a server's words are shown with.
struct Speech {
    server: String,
    secrets: Vec<String>,
}

/// Connects, makes the way safe, logs in and names sender and recipients.
/// Nothing of the message has left when this returns.
///
/// # Errors
/// The step that failed. One refused recipient is enough: a mail reaches all or nobody.
pub fn ready(server: &Server, from: &Address, to: &[Address]) -> Result<Ready, SmtpError> {
    let speech = Speech::new(server);
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

fn connect(server: &Server, speech: &Speech) -> Result<SmtpConnection, SmtpError> {
    // What can be wrong here is that this machine trusts nobody at all.
    let tls = || {
        TlsParameters::new_rustls(server.host.clone()).map_err(|failure| SmtpError::Unsafe {
            server: speech.server.clone(),
            cause: speech.cause(&failure),
            certificate: true,
        })
    };
    let hello = ClientId::default();
    let wrapper = if server.security == Security::Tls { Some(tls()?) } else { None };
    let address = (server.host.as_str(), server.port);
    let mut connection = SmtpConnection::connect(address, Some(PATIENCE), &hello, wrapper.as_ref(), None)
        .map_err(|failure| speech.greeted(&failure))?;
    if server.security == Security::StartTls {
        connection.starttls(&tls()?, &hello).map_err(|failure| speech.unsafe_way(&failure))?;
    }
    Ok(connection)
}

impl Speech {
    fn new(server: &Server) -> Self {
        use base64::Engine;
        let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        let secrets = server.login.as_ref().map_or_else(Vec::new, |login| {
            let (user, password) = (&login.user, login.password.reveal());
            // As it may be echoed: plain, and in the forms of both kinds of login.
            vec![password.to_owned(), base64(password.to_owned()), base64(format!("\0{user}\0{password}"))]
        });
        Self { server: format!("{}:{}", server.host, server.port), secrets }
    }

    /// The server's words, or the system's, without a password in them.
    fn cause(&self, failure: &Failure) -> String {
        let chain = causes(failure);
        let timed_out = chain
            .iter()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock));
        if timed_out {
            return format!("no answer within {} s", PATIENCE.as_secs());
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
        let certificate = causes(failure)
            .iter()
            .any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))));
        SmtpError::Unsafe { server: self.server.clone(), cause: self.cause(failure), certificate }
    }
}

/// The error and what caused it, with what an I/O error carries.
fn causes<'a>(failure: &'a Failure) -> Vec<&'a (dyn StdError + 'static)> {
    let mut found: Vec<&(dyn StdError + 'static)> = vec![failure];
    let mut next = failure.source();
    while let Some(cause) = next {
        found.push(cause);
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => cause.source(),
        };
    }
    found
}
