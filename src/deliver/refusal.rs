//! How a mail server fails, what to do about it, and the exit code it deserves.

use crate::exit::{Exit, Explain};
use crate::mail::Recipient;

/// The most recipients that a message names.
const MOST_NAMED: usize = 10;

/// Somebody whom a mail server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Who.
    pub recipient: Recipient,
    /// What it said.
    pub cause: String,
    /// Whether it may take the mail later.
    pub is_for_now: bool,
}

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
    /// There can be no TLS with the server as it is.
    #[error("no secure connection to the mail server {server}: {cause}")]
    Tls {
        /// Host and port.
        server: String,
        /// What is wrong.
        cause: String,
        /// What to do about it.
        hint: String,
    },
    /// The way there could not be made safe.
    #[error("no safe way to the mail server {server}: {cause}")]
    Unsafe {
        /// Host and port.
        server: String,
        /// Why.
        cause: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A step failed without a refusal.
    #[error("the mail server {server} gave no usable answer to {what}: {cause}")]
    Broken {
        /// Host and port.
        server: String,
        /// The connection, the login, the sender, a recipient or the message.
        what: String,
        /// What happened instead.
        cause: String,
    },
    /// It does not let the user in.
    #[error(
        "the mail server {server} refused the login of {user} with the {secret} from {source_of}: {cause}"
    )]
    Login {
        /// Host and port.
        server: String,
        /// Who.
        user: String,
        /// Password or access token.
        secret: &'static str,
        /// Where the password came from.
        source_of: String,
        /// What it said.
        cause: String,
    },
    /// It does not take the name that this machine calls itself.
    #[error(
        "the mail server {server} does not take the name {name} that this machine calls itself (EHLO): {cause}"
    )]
    Helo {
        /// Host and port.
        server: String,
        /// The name.
        name: String,
        /// What it said.
        cause: String,
        /// Whether it may only be busy.
        is_for_now: bool,
    },
    /// There is no way to log in that it and the settings have in common.
    #[error("no login to the mail server {server}: {cause}")]
    NoLogin {
        /// Host and port.
        server: String,
        /// What it offers, or asks for.
        cause: String,
        /// What to do about it.
        hint: String,
    },
    /// It refused recipients.
    #[error("the mail server {server} {}", turned_away(.refused))]
    Recipients {
        /// Host and port.
        server: String,
        /// Whom it refused; not empty.
        refused: Vec<Turned>,
        /// Whether others have the mail.
        others: bool,
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
    /// The message is too large for it.
    #[error("the mail server {server} refused {what} as too large: {cause}")]
    TooLarge {
        /// Host and port.
        server: String,
        /// The sender or the message.
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

/// Who was refused, and with which words.
fn turned_away(refused: &[Turned]) -> String {
    let does = if refused.iter().all(|turned| turned.is_for_now) { "does not now take" } else { "refused" };
    let whom = if refused.len() == 1 {
        "the recipient".to_owned()
    } else {
        format!("{} recipients:", refused.len())
    };
    let said = |turned: &Turned| format!("{}: {}", turned.recipient.address, turned.cause);
    let named: Vec<String> = refused.iter().take(MOST_NAMED).map(said).collect();
    let more = match refused.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{does} {whom} {}{more}", named.join("; "))
}

impl Explain for SmtpError {
    fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => "check --smtp, its port, and the way there".to_owned(),
            Self::Tls { hint, .. } => hint.clone(),
            Self::Unsafe { hint, .. } => (*hint).to_owned(),
            Self::Broken { .. } => {
                "nothing was sent; check --smtp and its port, and that a mail server answers there".to_owned()
            }
            Self::Login { secret, .. } => format!("check --smtp-user, --smtp-auth and the {secret}"),
            Self::Helo { is_for_now: false, .. } => {
                "give the full name of this host, as DNS knows it, with --smtp-helo".to_owned()
            }
            Self::Helo { is_for_now: true, .. } => {
                "try again later; if it always says this, give the full name of this host with --smtp-helo"
                    .to_owned()
            }
            Self::NoLogin { hint, .. } => hint.clone(),
            Self::Recipients { refused, others, .. } => {
                let who = if *others { "the others have the mail" } else { "nobody got the mail" };
                let then = match refused.iter().any(|turned| turned.is_for_now) {
                    true => "acumen send sends it later, to whoever has not got it",
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
            Self::Later { .. } => "nobody got the mail; acumen send sends the report again later".to_owned(),
            Self::Unanswered { .. } => {
                "the mail may have been sent: ask a recipient, then send it again with --force if it was not"
                    .to_owned()
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Tls { .. } | Self::Helo { is_for_now: false, .. } => Exit::Usage,
            Self::Unreachable { .. } | Self::Unsafe { .. } | Self::Broken { .. } => Exit::Unreachable,
            Self::Login { .. } | Self::NoLogin { .. } => Exit::Denied,
            Self::Later { .. } | Self::Helo { .. } => Exit::Later,
            // Another run can help somebody.
            Self::Recipients { refused, .. } if refused.iter().any(|turned| turned.is_for_now) => Exit::Later,
            Self::Recipients { .. } | Self::Refused { .. } | Self::TooLarge { .. } => Exit::Output,
            Self::Unanswered { .. } => Exit::Output,
        }
    }
}
