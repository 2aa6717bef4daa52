//! How a mail server fails, what to do about it, and the exit code it deserves.

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
            Self::Tls { hint, .. } => hint.clone(),
            Self::Unsafe { hint, .. } => (*hint).to_owned(),
            Self::Broken { .. } => {
                "nothing was sent; check --smtp and its port, and that a mail server answers there".to_owned()
            }
            Self::Login { secret, .. } => format!("check --smtp-user, --smtp-auth and the {secret}"),
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
            Self::Tls { .. } => 2,
            Self::Unreachable { .. } | Self::Unsafe { .. } | Self::Broken { .. } => 5,
            Self::Login { .. } => 3,
            Self::Later { .. } => 75,
            Self::Refused { .. } | Self::Unanswered { .. } => 74,
        }
    }
}
