//! What a mail needs, checked before any work is done.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::{FoundKey, HAS_PDF, SettingsError, check_pdf, quoted};
use crate::cli::{Attach, MailArgs, Paper};
use devin_api::tls::Trust;

/// How the way to a mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after a plain greeting, or no mail at all.
    StartTls,
    /// None: loopback alone.
    Plain,
}

/// How a login is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// PLAIN, else LOGIN, as the server offers.
    Auto,
    /// PLAIN alone.
    Plain,
    /// LOGIN alone.
    Login,
    /// XOAUTH2: the password is an access token.
    XOAuth2,
}

/// Who logs in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// How.
    pub auth: Auth,
    /// The password, or the access token of XOAUTH2.
    pub password: SecretString,
    /// Where the password came from, for messages.
    pub source: String,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Server {
    /// How it is spoken to.
    pub security: Security,
    /// Name or address; the name is what its certificate must be for.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What this machine calls itself; left out, its full name or its address.
    pub helo: Option<String>,
    /// The login; `None` without one.
    pub login: Option<Login>,
    /// Which certificates are trusted.
    pub trust: Trust,
}

impl Server {
    /// Host and port, as messages name it.
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// What is attached, each once and in a fixed order; without a word the PDF, or the page where PDFs are not
/// built in.
///
/// # Errors
/// `none` is not alone, or the PDF is asked for and not built in.
pub fn attached(words: &[Attach]) -> Result<Vec<Attach>, SettingsError> {
    if words.contains(&Attach::Pdf) {
        check_pdf("--mail-attach pdf")?;
    }
    match words {
        [] => Ok(vec![if HAS_PDF { Attach::Pdf } else { Attach::Html }]),
        [Attach::None] => Ok(Vec::new()),
        _ if words.contains(&Attach::None) => Err(SettingsError::new(
            "--mail-attach: none is combined with an attachment",
            "use --mail-attach none alone, or omit none",
        )),
        _ => Ok(words.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()),
    }
}

/// Where the message goes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// Into a file.
    File(PathBuf),
    /// To its recipients.
    Server(Delivery),
}

/// How a message is sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The server that takes it.
    pub server: Server,
    /// The folder of the send log.
    pub state: PathBuf,
    /// Whether it is sent again to those who have it.
    pub force: bool,
}

/// Everything that a mail needs besides its report. Addresses are as they were
/// typed: the stage that writes the message reads them.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The sender.
    pub from: String,
    /// The recipients, at least one.
    pub to: Vec<String>,
    /// Who gets a copy.
    pub cc: Vec<String>,
    /// What is attached.
    pub attach: Vec<Attach>,
    /// The paper size of the PDF.
    pub paper: Paper,
    /// Where it goes.
    pub destination: Destination,
}

impl Mail {
    /// Checks what was typed, with the password and the state folder that were found.
    ///
    /// # Errors
    /// The first thing that is missing or cannot be used, with a hint.
    pub fn resolve(
        args: &MailArgs,
        password: Option<FoundKey>,
        state: Option<PathBuf>,
        trust: &Trust,
    ) -> Result<Self, SettingsError> {
        let missing = |what: &str, hint: &str| SettingsError::new(format!("no {what}"), hint);
        let from = args.mail_from.clone().ok_or_else(|| {
            missing("sender for the mail", "set it with --mail-from, such as acumen@example.com")
        })?;
        if args.mail_to.is_empty() {
            return Err(missing("recipient for the mail", "set it with --mail-to, such as lead@example.com"));
        }
        let destination = match &args.eml {
            // Another ending is that of a report, or of what was never ours.
            Some(file) if file.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("eml")) => {
                return Err(SettingsError::new(
                    format!("--eml: {} does not end in .eml", quoted(&file.to_string_lossy())),
                    "use a file name such as week-41.eml; an existing file is replaced",
                ));
            }
            Some(file) => Destination::File(file.clone()),
            None => {
                let url = args.smtp.as_deref().ok_or_else(|| {
                    missing(
                        "mail server",
                        "set it with --smtp, such as smtps://mail.example.com, or write the message to a \
                         file with --eml",
                    )
                })?;
                let login = login(args, password)?;
                let state = state
                    .ok_or_else(|| missing("folder for the log of sent mails", "set it with --state"))?;
                Destination::Server(Delivery {
                    server: Server { trust: trust.clone(), helo: helo(args)?, ..server(url, login)? },
                    state,
                    force: args.force,
                })
            }
        };
        let attach = attached(&args.mail_attach)?;
        let (to, cc) = (args.mail_to.clone(), args.mail_cc.clone());
        Ok(Self { from, to, cc, attach, paper: args.paper, destination })
    }
}

/// What this machine is to call itself: one word that a server can read.
fn helo(args: &MailArgs) -> Result<Option<String>, SettingsError> {
    let Some(name) = args.smtp_helo.as_deref().map(str::trim) else { return Ok(None) };
    match name.len() {
        1..=255 if name.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(name.to_owned())),
        _ => Err(SettingsError::new(
            format!("--smtp-helo: {} is not a host name", quoted(name)),
            "use the full name of this host, such as mail.example.com, or its address, such as [192.0.2.1]",
        )),
    }
}

fn login(args: &MailArgs, password: Option<FoundKey>) -> Result<Option<Login>, SettingsError> {
    let auth = match args.smtp_auth.as_str() {
        "plain" => Auth::Plain,
        "login" => Auth::Login,
        "xoauth2" => Auth::XOAuth2,
        _ => Auth::Auto,
    };
    if args.smtp_user.is_none() && auth != Auth::Auto {
        let wrong = format!("--smtp-auth {}: no user to log in", args.smtp_auth);
        return Err(SettingsError::new(wrong, "set the user with --smtp-user"));
    }
    let hint = "use --smtp-password-file, --smtp-password-command, or ACUMEN_SMTP_PASSWORD in the \
        environment";
    match (&args.smtp_user, password) {
        (None, None) => Ok(None),
        // A variable with nothing in it counts as none.
        (None, Some(found)) if found.secret().trim().is_empty() => Ok(None),
        (None, Some(found)) => Err(SettingsError::new(
            format!("there is a password from {}, but no user to log in", found.source),
            "set the user of the mail server with --smtp-user, or remove the password",
        )),
        (Some(_), None) => Err(SettingsError::new("no password for the mail server", hint)),
        (Some(user), Some(found)) => {
            // Spaces and quotes belong to the password.
            let text = found.secret();
            if text.is_empty() || text.chars().any(char::is_control) {
                let wrong = format!("the password from {} is empty or more than one line", found.source);
                return Err(SettingsError::new(wrong, hint));
            }
            let password = SecretString::from(text);
            Ok(Some(Login { user: super::word("--smtp-user", user)?, auth, password, source: found.source }))
        }
    }
}

/// A mail server by its URL.
///
/// # Errors
/// The URL cannot be read, or would send the mail in the clear.
pub fn server(text: &str, login: Option<Login>) -> Result<Server, SettingsError> {
    let example = "write it as smtps://mail.example.com, or smtp://mail.example.com for STARTTLS";
    let refuse = |why: String, hint: &str| Err(SettingsError::new(format!("--smtp: {why}"), hint));
    let text = text.trim();
    // What stands before an @ may be a password.
    let shown = || quoted(text.rsplit_once('@').map_or(text, |(_, rest)| rest));
    let Ok(url) = Url::parse(text) else { return refuse(format!("cannot read {}", shown()), example) };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "it must not contain a user or password".to_owned(),
            "set the user with --smtp-user; the password comes from a file or ACUMEN_SMTP_PASSWORD",
        );
    }
    let (security, port) = match url.scheme() {
        "smtps" => (Security::Tls, 465),
        "smtp" => (Security::StartTls, 587),
        "smtp+plain" => (Security::Plain, 25),
        _ => return refuse(format!("{} is not a mail server", shown()), example),
    };
    // A URL without a host has an empty one here, which is refused below.
    let host = url.host_str().unwrap_or("").trim_matches(['[', ']']).to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if host.is_empty() || !host.chars().all(is_name) || !bare {
        return refuse(format!("{} is not a host", shown()), example);
    }
    if security == Security::Plain && !is_loopback(&host) {
        return refuse(
            "without TLS the report could be read on the network".to_owned(),
            "use smtps:// or smtp://; smtp+plain:// is allowed on loopback only",
        );
    }
    Ok(Server {
        security,
        host,
        port: url.port().unwrap_or(port),
        helo: None,
        login,
        trust: Trust::default(),
    })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn args(smtp: &str) -> MailArgs {
        MailArgs {
            mail_from: Some("a@example.com".to_owned()),
            mail_to: vec!["b@example.com".to_owned()],
            smtp: Some(smtp.to_owned()),
            ..MailArgs::default()
        }
    }

    fn found(text: &str) -> Option<FoundKey> {
        Some(FoundKey::new(text, "a test"))
    }

    fn parsed(smtp: &str) -> Result<(Security, String, u16), String> {
        let mail = Mail::resolve(&args(smtp), None, Some(PathBuf::from("/s")), &Trust::default());
        match mail.map(|mail| mail.destination) {
            Ok(Destination::Server(Delivery { server, .. })) => {
                Ok((server.security, server.host, server.port))
            }
            Ok(Destination::File(_)) => Err("a file".to_owned()),
            Err(error) => Err(format!("{error}; {}", error.hint)),
        }
    }

    #[test]
    fn the_address_of_a_server_says_how_it_is_spoken_to() {
        assert_eq!(
            parsed("smtps://Mail.example.com"),
            Ok((Security::Tls, "mail.example.com".to_owned(), 465))
        );
        assert_eq!(parsed("smtp://mx:2525/"), Ok((Security::StartTls, "mx".to_owned(), 2525)));
        for loopback in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(parsed(&format!("smtp+plain://{loopback}:25")).is_ok(), "{loopback}");
        }
        for wrong in ["", "mx", "https://mx", "smtp://", "smtps://mx/x", "smtps://mx?tls=no", "smtps://m%41x"]
        {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        for far in ["mx", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1"] {
            assert!(
                parsed(&format!("smtp+plain://{far}")).unwrap_err().contains("on loopback only"),
                "{far}"
            );
        }
    }

    #[test]
    fn no_password_is_shown() {
        for url in ["smtps://me:s3cret@mx", "smtps://me:s3cret@m x", "http://me:s3cret@mx"] {
            assert!(!parsed(url).unwrap_err().contains("s3cret"), "{url}");
        }
        let typed = MailArgs { smtp_user: Some("me".to_owned()), ..args("smtps://mx") };
        let mail = Mail::resolve(&typed, found(" s3cret \r\n"), Some(PathBuf::from("/s")), &Trust::default())
            .unwrap();
        assert!(!format!("{mail:?}").contains("s3cret"));
        let Destination::Server(Delivery { server, .. }) = mail.destination else { panic!("a server") };
        assert_eq!(server.login.unwrap().password.expose_secret(), " s3cret ");
        let quoted = found("\u{feff}\"a=b\"\r\n");
        let mail = Mail::resolve(&typed, quoted, Some(PathBuf::from("/s")), &Trust::default()).unwrap();
        let Destination::Server(Delivery { server, .. }) = mail.destination else { panic!("a server") };
        assert_eq!(server.login.unwrap().password.expose_secret(), "\"a=b\"");
    }

    #[test]
    fn attachments_are_a_list_without_duplicates() {
        use Attach::{Html, None, Pdf, Xlsx};
        assert_eq!(attached(&[]).unwrap(), [if HAS_PDF { Pdf } else { Html }]);
        assert_eq!(attached(&[None]).unwrap(), []);
        assert_eq!(attached(&[Xlsx, Html, Xlsx]).unwrap(), [Html, Xlsx]);
        assert_eq!(attached(&[Pdf]).is_ok(), HAS_PDF);
        assert!(attached(&[Html, None]).unwrap_err().to_string().contains("none"));
    }

    #[test]
    fn a_name_of_this_machine_is_one_word() {
        let helo_of = |name: &str| helo(&MailArgs { smtp_helo: Some(name.to_owned()), ..args("smtps://mx") });
        for name in ["mail.example.com", "[192.0.2.1]", "[IPv6:2001:db8::1]", " vm "] {
            assert_eq!(helo_of(name).unwrap().as_deref(), Some(name.trim()));
        }
        for name in ["", " ", "a b", "a\r\nQUIT", "vm\u{0}", "hôte.example", &"x".repeat(256)] {
            assert!(helo_of(name).unwrap_err().to_string().starts_with("--smtp-helo"), "{name}");
        }
    }

    #[test]
    fn missing_settings_are_reported_with_their_option() {
        let refusal = |args: &MailArgs, password, state: Option<&str>| {
            let error =
                Mail::resolve(args, password, state.map(PathBuf::from), &Trust::default()).unwrap_err();
            format!("{error}; {}", error.hint)
        };
        let whole = || args("smtps://mx");
        let user = || MailArgs { smtp_user: Some("me".to_owned()), ..whole() };
        for (args, password, state, flag) in [
            (MailArgs { mail_from: None, ..whole() }, None, Some("/s"), "--mail-from"),
            (MailArgs { mail_to: Vec::new(), ..whole() }, None, Some("/s"), "--mail-to"),
            (MailArgs { smtp: None, ..whole() }, None, Some("/s"), "--smtp"),
            (whole(), None, None, "--state"),
            (user(), None, Some("/s"), "--smtp-password-file"),
            (user(), found("\n"), Some("/s"), "--smtp-password-file"),
            (user(), found("a\nb"), Some("/s"), "--smtp-password-file"),
            (whole(), found("x"), Some("/s"), "--smtp-user"),
            (MailArgs { smtp_auth: "xoauth2".to_owned(), ..whole() }, None, Some("/s"), "--smtp-user"),
        ] {
            assert!(refusal(&args, password, state).contains(flag), "{flag}");
        }
        let file = MailArgs { smtp: None, eml: Some(PathBuf::from("x.eml")), ..whole() };
        let destination = Mail::resolve(&file, None, None, &Trust::default()).unwrap().destination;
        assert!(matches!(destination, Destination::File(path) if path.as_os_str() == "x.eml"));
    }
}
