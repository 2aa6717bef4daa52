//! What surrounds the options: secrets, files and folders. Together with
//! `main`, the only place that reads the environment.

mod command;

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use crate::cli::{self, ApiArgs, ChatArgs, LogFormat, MailArgs, NetworkArgs, PingArgs, ReportArgs};
use crate::metrics::{self, AlertFlaw};
use crate::regular_file::{self, Links};
use crate::settings::chat::ChatService;
use crate::settings::{self, CA_FILE_HINT, Found, FoundKey, Network, SettingsError, SettingsFile};
use crate::text::shown;
use devin_api::proxy;

/// Whether a variable is set to the empty string.
pub fn is_blank(name: &OsStr) -> bool {
    environment(name).is_some_and(|text| text.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: impl AsRef<OsStr>) -> Option<OsString> {
    std::env::var_os(name)
}

/// How standard error is written, known before the command line is read: its errors are
/// written so as well. A value that cannot be read is one of them.
pub fn log_format(argv: &[OsString]) -> LogFormat {
    let said = cli::log_format_flag(argv).or_else(|| environment("ACUMEN_LOG_FORMAT"));
    match said {
        Some(said) if said.eq_ignore_ascii_case("json") => LogFormat::Json,
        _ => LogFormat::Text,
    }
}

/// How servers are reached: the certificates of `--ca-file`, and the proxies of the environment.
pub fn network(args: &NetworkArgs) -> Result<Network, SettingsError> {
    let read = |path: &PathBuf| match regular_file::read(path, Links::Follow, regular_file::CERTIFICATES) {
        Ok(bytes) => Network::with_ca_file(path, &bytes),
        Err(error) => Err(SettingsError::new(
            format!("--ca-file {}: {error}", shown(path)),
            unless_refused(&error, CA_FILE_HINT),
        )),
    };
    // The library that knows the system's store reads them too.
    let store = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(|name| {
        let value = environment(name).filter(|value| !value.is_empty())?;
        Some((name, PathBuf::from(value)))
    });
    let network = args.ca_file.as_ref().map(read).transpose()?.unwrap_or_default();
    let first = |names: &[&'static str]| {
        names.iter().find_map(|name| {
            let text = environment(name)?.to_string_lossy().trim().to_owned();
            (!text.is_empty()).then_some((*name, text))
        })
    };
    let proxies = proxy::Variables {
        proxy: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
        no_proxy: first(&["NO_PROXY", "no_proxy"]).map(|(_, text)| text).unwrap_or_default(),
    };
    Ok(Network { store: store.collect(), proxies, ..network })
}

/// The password of the mail server, or the access token; no command runs for a message that
/// goes into a file.
pub fn password(args: &MailArgs) -> Result<Option<FoundKey>, SettingsError> {
    if let Some(words) = settings::password_command(&args.smtp_password_command)? {
        let is_needed = args.eml.is_none();
        // Other work must not stop for it, least of all the signals that end a run.
        let printed = || tokio::task::block_in_place(|| command::printed(&words));
        return is_needed.then(printed).transpose();
    }
    find_secret(
        args.smtp_password_file.as_deref(),
        "--smtp-password-file",
        "smtp-password",
        "ACUMEN_SMTP_PASSWORD",
    )
}

/// Where what must outlive a run belongs: where an option says, else the user's state folder.
pub fn state(named: Option<PathBuf>) -> Option<PathBuf> {
    named.or_else(state_folder)
}

/// The API key.
pub fn find_key(args: &ApiArgs) -> Result<Option<FoundKey>, SettingsError> {
    find_secret(args.api_key_file.as_deref(), "--api-key-file", "devin-api-key", "DEVIN_API_KEY")
}

/// The address of the monitor: the one of an option or its environment name, else
/// that of the systemd credential.
pub fn find_ping(args: &PingArgs) -> Result<Option<FoundKey>, SettingsError> {
    if let Some(url) = &args.ping {
        return Ok(Some(FoundKey::new(url.expose_secret(), "--ping")));
    }
    let file = secret_file(args.ping_file.as_deref(), "--ping-file", "ping");
    file.map(|(path, source)| key_file(&path, source)).transpose()
}

/// The URLs of the webhooks that are configured: each from its file, else from the systemd
/// credential, else from the environment.
pub fn find_webhooks(args: &ChatArgs) -> Result<Vec<(ChatService, FoundKey)>, SettingsError> {
    let find = |service: ChatService| {
        let file = match service {
            ChatService::Slack => args.slack_webhook_file.as_deref(),
            ChatService::Teams => args.teams_webhook_file.as_deref(),
        };
        // The message about a missing file would show it.
        if file.is_some_and(|path| path.to_string_lossy().contains("://")) {
            return Err(SettingsError::new(
                format!("{}: it is a URL, not a file", service.flag()),
                "put the URL into a file that only this user may read, and name the file",
            ));
        }
        let found = find_secret(file, service.flag(), service.credential(), service.variable())?;
        let is_blank =
            |found: &FoundKey| found.source == service.variable() && found.secret().trim().is_empty();
        Ok(found.filter(|found| !is_blank(found)).map(|found| (service, found)))
    };
    ChatService::ALL.into_iter().filter_map(|service| find(service).transpose()).collect()
}

/// A secret from the named file, else the systemd credential, else the environment.
fn find_secret(
    file: Option<&Path>,
    flag: &str,
    credential: &str,
    variable: &str,
) -> Result<Option<FoundKey>, SettingsError> {
    if let Some((path, source)) = secret_file(file, flag, credential) {
        return key_file(&path, source).map(Some);
    }
    Ok(environment(variable).map(|text| FoundKey::new(&text.to_string_lossy(), variable)))
}

/// The file of a secret and what messages call it: the named file, else the systemd
/// credential.
fn secret_file(file: Option<&Path>, flag: &str, credential: &str) -> Option<(PathBuf, String)> {
    if let Some(path) = file {
        return Some((path.to_owned(), format!("{flag} {}", shown(path))));
    }
    let folder = environment("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty());
    let path = folder.map(|folder| PathBuf::from(folder).join(credential));
    // Only a credential that is not there is passed over, never one that cannot be read.
    let path = path.filter(|path| path.try_exists().unwrap_or(true))?;
    Some((path, format!("the systemd credential {credential}")))
}

/// Where what must outlive a run belongs, unless an option says.
fn state_folder() -> Option<PathBuf> {
    // systemd names several with colons between them; the first is the service's own.
    let of_service = environment("STATE_DIRECTORY").and_then(|folders| {
        folders.to_str()?.split(':').next().filter(|folder| !folder.is_empty()).map(PathBuf::from)
    });
    of_service.or_else(|| user_folder("XDG_STATE_HOME", ".local/state"))
}

/// The folder `acumen` within one of the user's folders: the one that a variable names,
/// else one below the home. As the XDG specification demands, only absolute paths count.
fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| environment(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))?;
    Some(folder.join("acumen"))
}

fn key_file(path: &Path, source: String) -> Result<FoundKey, SettingsError> {
    match regular_file::read_text(path, Links::Follow, regular_file::SECRET) {
        Ok(text) => Ok(FoundKey::new(&text, source)),
        Err(error) => Err(SettingsError::new(
            format!("{source}: {error}"),
            unless_refused(&error, "name a file that this user may read and that contains only the key"),
        )),
    }
}

/// What to do about a file that could not be read: for one that is too large the
/// same as for one with something else in it. A pipe of the shell, as /dev/fd/N or
/// /dev/stdin, is refused like any other.
fn unless_refused(error: &io::Error, hint: &str) -> String {
    match regular_file::is_refusal(error) && !regular_file::is_too_large(error) {
        true => "name a regular file; pipes such as /dev/stdin and /dev/fd/N are not read".to_owned(),
        false => hint.to_owned(),
    }
}

/// What a settings file is called.
const SETTINGS_FILE: &str = "acumen.toml";

/// The settings file that a flag or the environment names.
fn named_settings_file(argv: &[OsString]) -> Option<PathBuf> {
    let of_environment = || environment("ACUMEN_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    cli::config_flag(argv).or_else(of_environment)
}

/// Where the user's own settings file is, or would be.
pub fn user_settings_file() -> Option<PathBuf> {
    Some(user_folder("XDG_CONFIG_HOME", ".config")?.join(SETTINGS_FILE))
}

/// The settings file: the one that is named, else the user's own if there is one.
/// A file in the working directory may be anybody's, and is read only if it is named.
pub fn settings_file(argv: &[OsString]) -> Result<SettingsFile, SettingsError> {
    if !cli::takes_options(argv) {
        return Ok(SettingsFile::default());
    }
    // As for the key: only a file that is not there is passed over.
    let there = |path: &PathBuf| path.try_exists().unwrap_or(true);
    let Some(path) = named_settings_file(argv).or_else(|| user_settings_file().filter(there)) else {
        return Ok(SettingsFile::default());
    };
    let text = regular_file::read_text(&path, Links::Follow, regular_file::SETTINGS).map_err(|error| {
        let hint = unless_refused(
            &error,
            "name a file that this user may read; `acumen config init` writes an example",
        );
        SettingsError::new(format!("the settings file {}: {error}", shown(&path)), hint)
    })?;
    let file = settings::parse_file(&path, &text)?;
    for rule in &file.alerts {
        let flawed = |flaw: AlertFlaw| settings::refused(&path, rule.line, &flaw.what, flaw.hint);
        metrics::check_alert(rule).map_err(flawed)?;
    }
    let has_command = file.options.iter().any(|option| option.flag == "smtp-password-command");
    if has_command && regular_file::exposure(&path).is_some_and(|exposure| exposure.write) {
        let path = shown(&path);
        return Err(SettingsError::new(
            format!("{path} names a command, and every user of this machine can change it"),
            format!(
                "chmod go-w {path} and its folder: a user who changes it could run any command as this user"
            ),
        ));
    }
    Ok(file)
}

/// Whether the working directory has a settings file that the run does not read
/// because nobody named it.
pub fn ignores_local_file(argv: &[OsString]) -> bool {
    let local = Path::new(SETTINGS_FILE);
    let is_read = || {
        let own = user_settings_file().and_then(|path| path.canonicalize().ok());
        own.is_some() && own == local.canonicalize().ok()
    };
    cli::takes_options(argv) && local.is_file() && named_settings_file(argv).is_none() && !is_read()
}

/// What lies around the options of a report, but for the key.
pub fn around(args: &ReportArgs, file: SettingsFile) -> Result<Found, SettingsError> {
    let read = |path: &Path| regular_file::read_text(path, Links::Follow, regular_file::PEOPLE);
    let people = args.people_file.as_ref().map(|path| match read(path) {
        Ok(text) => Ok((path.clone(), text)),
        Err(error) => {
            let hint = match error.kind() {
                ErrorKind::InvalidData => "save it as “CSV UTF-8” or “Unicode Text” in Excel",
                _ => "name a CSV file in UTF-8 that this user may read",
            };
            let message = format!("--people-file {}: {error}", shown(path));
            Err(SettingsError::new(message, unless_refused(&error, hint)))
        }
    });
    Ok(Found { file, people: people.transpose()?, ..Found::default() })
}
