//! What lies around the options: secrets, files and folders. Together with
//! `main`, the only place that reads the environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use acumen::cli::{self, ApiArgs, MailArgs, ReportArgs};
use acumen::error::Error;
use acumen::regular_file::{self, Links};
use acumen::settings::mail::Mail;
use acumen::settings::{Found, FoundKey, SettingsError, SettingsFile};
use acumen::text::shown;
use acumen::{commands, settings};

/// Whether a name stands in the environment with nothing in it.
pub fn is_blank(name: &OsStr) -> bool {
    environment(name).is_some_and(|text| text.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: impl AsRef<OsStr>) -> Option<OsString> {
    std::env::var_os(name)
}

/// How a report's mail goes out, checked.
pub fn report_mail_settings(args: &ReportArgs) -> Result<Mail, Error> {
    commands::report_mail_settings(args, password(&args.post)?, state(args.state.clone()))
}

/// The password of the mail server.
pub fn password(args: &MailArgs) -> Result<Option<FoundKey>, SettingsError> {
    find_secret(
        args.smtp_password_file.as_deref(),
        "--smtp-password-file",
        "smtp-password",
        "ACUMEN_SMTP_PASSWORD",
    )
}

/// Where what must outlive a run belongs: where an option says, else as [`state_folder`].
pub fn state(named: Option<PathBuf>) -> Option<PathBuf> {
    named.or_else(state_folder)
}

/// The API key.
pub fn find_key(args: &ApiArgs) -> Result<Option<FoundKey>, SettingsError> {
    find_secret(args.api_key_file.as_deref(), "--api-key-file", "devin-api-key", "DEVIN_API_KEY")
}

/// A secret from the named file, else the systemd credential, else the environment.
fn find_secret(
    file: Option<&Path>,
    flag: &str,
    credential: &str,
    variable: &str,
) -> Result<Option<FoundKey>, SettingsError> {
    if let Some(path) = file {
        return key_file(path.to_owned(), format!("{flag} {}", shown(path))).map(Some);
    }
    let folder = environment("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty());
    let path = folder.map(|folder| PathBuf::from(folder).join(credential));
    // Only a credential that is not there is passed over, never one that cannot be read.
    if let Some(path) = path.filter(|path| path.try_exists().unwrap_or(true)) {
        return key_file(path, format!("the systemd credential {credential}")).map(Some);
    }
    Ok(environment(variable)
        .map(|text| FoundKey { text: text.to_string_lossy().into_owned(), source: variable.to_owned() }))
}

/// Where what must outlive a run belongs, unless an option says.
fn state_folder() -> Option<PathBuf> {
    let folder = |name: &str| environment(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    // systemd names several with colons between them; the first is the service's own.
    let of_service = environment("STATE_DIRECTORY").and_then(|folders| {
        folders.to_str()?.split(':').next().filter(|folder| !folder.is_empty()).map(PathBuf::from)
    });
    let of_user = || folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    of_service.or_else(|| Some(of_user()?.join("acumen")))
}

fn key_file(path: PathBuf, source: String) -> Result<FoundKey, SettingsError> {
    match regular_file::read_text(&path, Links::Follow, regular_file::SECRET) {
        Ok(text) => Ok(FoundKey { text, source }),
        Err(error) => Err(SettingsError::new(
            format!("{source}: {error}"),
            unless_refused(&error, "name a file that this user may read and that holds the key alone"),
        )),
    }
}

/// What to do about a file that could not be read. A pipe of the shell, as
/// /dev/fd/N or /dev/stdin, is refused like any other.
fn unless_refused(error: &io::Error, hint: &str) -> String {
    match regular_file::is_refusal(error) {
        true => "name a file, as it is on the disk; pipes such as /dev/stdin and /dev/fd/N are not read"
            .to_owned(),
        false => hint.to_owned(),
    }
}

/// The settings file: the one that is named, else the nearest that is there.
pub fn settings_file(argv: &[OsString]) -> Result<SettingsFile, SettingsError> {
    if !cli::takes_options(argv) {
        return Ok(SettingsFile::default());
    }
    let folder = |name: &str| environment(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let named = cli::config_flag(argv).or_else(|| folder("ACUMEN_CONFIG"));
    let of_user = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    let usual = [Some(PathBuf::from("acumen.toml")), of_user.map(|folder| folder.join("acumen/acumen.toml"))];
    // As for the key: only a file that is not there is passed over.
    let there = |path: &PathBuf| path.try_exists().unwrap_or(true);
    let Some(path) = named.or_else(|| usual.into_iter().flatten().find(there)) else {
        return Ok(SettingsFile::default());
    };
    let text = regular_file::read_text(&path, Links::Follow, regular_file::SETTINGS).map_err(|error| {
        let hint =
            unless_refused(&error, "name a file that this user may read; `acumen config init` begins one");
        SettingsError::new(format!("the settings file {}: {error}", shown(&path)), hint)
    })?;
    settings::parse_file(&path, &text)
}

/// What lies around the options of a report, but for the key.
pub fn around(args: &ReportArgs, file: SettingsFile) -> Result<Found, SettingsError> {
    let read = |path: &Path| regular_file::read_text(path, Links::Follow, regular_file::PEOPLE);
    let people = args.people_file.as_ref().map(|path| match read(path) {
        Ok(text) => Ok((path.clone(), text)),
        Err(error) => Err(SettingsError::new(
            format!("--people-file {}: {error}", shown(path)),
            unless_refused(&error, "name a CSV file in UTF-8 that this user may read"),
        )),
    });
    Ok(Found { key: None, file, people: people.transpose()?, state: state_folder() })
}
