//! Errors of a mail server, with hints and exit codes.

use crate::exit::{Exit, Explain};
use crate::mail::Recipient;

/// How many refused recipients a message names.
const MAX_NAMED: usize = 10;

/// A recipient that a mail server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecipient {
    /// The recipient.
    pub recipient: Recipient,
    /// The answer of the server.
    pub cause: String,
    /// Whether the server may accept it later.
    pub is_temporary: bool,
}

/// A mail server did not accept a message.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// It cannot be reached.
    #[error("could not reach the mail server {server}: {cause}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// Why.
        cause: String,
    },
    /// TLS with this server is not possible.
    #[error("no secure connection to the mail server {server}: {cause}")]
    Tls {
        /// Host and port.
        server: String,
        /// What is wrong.
        cause: String,
        /// Hint for the user.
        hint: String,
    },
    /// The connection cannot be secured.
    #[error("no secure connection to the mail server {server}: {cause}")]
    Unsafe {
        /// Host and port.
        server: String,
        /// Why.
        cause: String,
        /// Hint for the user.
        hint: &'static str,
    },
    /// A step failed without a refusal.
    #[error("no usable reply from the mail server {server} to {what}: {cause}")]
    Broken {
        /// Host and port.
        server: String,
        /// The connection, the login, the sender, a recipient or the message.
        what: String,
        /// What happened instead of an answer.
        cause: String,
    },
    /// It refused the login.
    #[error(
        "the mail server {server} refused the login of {user} with the {secret} from {source_of}: {cause}"
    )]
    Login {
        /// Host and port.
        server: String,
        /// The user.
        user: String,
        /// Password or access token.
        secret: &'static str,
        /// Where the password came from.
        source_of: String,
        /// The answer of the server.
        cause: String,
    },
    /// It rejected the name that this machine gives in EHLO.
    #[error("the mail server {server} does not accept {name} as the name of this machine (EHLO): {cause}")]
    Helo {
        /// Host and port.
        server: String,
        /// The name.
        name: String,
        /// The answer of the server.
        cause: String,
        /// Whether it may accept it later.
        is_temporary: bool,
    },
    /// It and the settings have no login mechanism in common.
    #[error("cannot log in to the mail server {server}: {cause}")]
    NoLogin {
        /// Host and port.
        server: String,
        /// What it offers, or requires.
        cause: String,
        /// Hint for the user.
        hint: String,
    },
    /// It refused recipients.
    #[error("the mail server {server} {}", refused_in_words(.refused))]
    Recipients {
        /// Host and port.
        server: String,
        /// The refused recipients; not empty.
        refused: Vec<RefusedRecipient>,
        /// Whether others have the mail.
        others: bool,
    },
    /// It refused an address or the message permanently.
    #[error("the mail server {server} refused {what}: {cause}")]
    Refused {
        /// Host and port.
        server: String,
        /// The sender, a recipient or the message.
        what: String,
        /// The answer of the server.
        cause: String,
    },
    /// It refused the message as too large.
    #[error("the mail server {server} refused {what} as too large: {cause}")]
    TooLarge {
        /// Host and port.
        server: String,
        /// The sender or the message.
        what: String,
        /// The answer of the server.
        cause: String,
    },
    /// It refused temporarily.
    #[error("the mail server {server} temporarily refused {what}: {cause}")]
    Later {
        /// Host and port.
        server: String,
        /// The sender, a recipient or the message.
        what: String,
        /// The answer of the server.
        cause: String,
    },
    /// It received the message and did not answer.
    #[error("the mail server {server} received the message but did not confirm it: {cause}")]
    Unanswered {
        /// Host and port.
        server: String,
        /// What happened instead of an answer.
        cause: String,
    },
}

/// The refused recipients, with the answers.
fn refused_in_words(refused: &[RefusedRecipient]) -> String {
    let does = if refused.iter().all(|one| one.is_temporary) { "temporarily refused" } else { "refused" };
    let whom = if refused.len() == 1 {
        "the recipient".to_owned()
    } else {
        format!("{} recipients:", refused.len())
    };
    let said = |one: &RefusedRecipient| format!("{}: {}", one.recipient.address, one.cause);
    let named: Vec<String> = refused.iter().take(MAX_NAMED).map(said).collect();
    let more = match refused.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{does} {whom} {}{more}", named.join("; "))
}

impl Explain for SmtpError {
    fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => "check --smtp, its port, and the network".to_owned(),
            Self::Tls { hint, .. } => hint.clone(),
            Self::Unsafe { hint, .. } => (*hint).to_owned(),
            Self::Broken { .. } => {
                "nothing sent; check --smtp and its port, and that a mail server answers there".to_owned()
            }
            Self::Login { secret, .. } => format!("check --smtp-user, --smtp-auth and the {secret}"),
            Self::Helo { is_temporary: false, .. } => {
                "set --smtp-helo to the full DNS name of this host".to_owned()
            }
            Self::Helo { is_temporary: true, .. } => {
                "try again later; if this persists, set --smtp-helo to the full DNS name of this host"
                    .to_owned()
            }
            Self::NoLogin { hint, .. } => hint.clone(),
            Self::Recipients { refused, others, .. } => {
                let who = if *others { "the others got the mail" } else { "nobody got the mail" };
                let then = match refused.iter().any(|one| one.is_temporary) {
                    true => "acumen send sends it later to those without it",
                    false => "check the addresses, and what the server lets this user send",
                };
                format!("{who}; {then}")
            }
            Self::Refused { .. } => {
                "nobody got the mail; check the addresses, and what the server lets this user send".to_owned()
            }
            Self::TooLarge { .. } => {
                "nobody got the mail; send it without the report attached, with --mail-attach none".to_owned()
            }
            Self::Later { .. } => "nobody got the mail; run acumen send later".to_owned(),
            Self::Unanswered { .. } => {
                "the mail may have been delivered: ask a recipient, and resend with --force if it was not"
                    .to_owned()
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Tls { .. } | Self::Helo { is_temporary: false, .. } => Exit::Usage,
            Self::Unreachable { .. } | Self::Unsafe { .. } | Self::Broken { .. } => Exit::Unreachable,
            Self::Login { .. } | Self::NoLogin { .. } => Exit::Denied,
            Self::Later { .. } | Self::Helo { .. } => Exit::Later,
            // Another run can help somebody.
            Self::Recipients { refused, .. } if refused.iter().any(|one| one.is_temporary) => Exit::Later,
            Self::Recipients { .. } | Self::Refused { .. } | Self::TooLarge { .. } => Exit::Output,
            Self::Unanswered { .. } => Exit::Output,
        }
    }
}
