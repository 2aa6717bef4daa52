//! The first line of a run: which server it asks, through which proxy, which settings file it read, and
//! where its secret comes from. It holds no part of a secret. There is no line if no server will be contacted
//! because it, the secret or the settings file cannot be used.

use crate::cli::{ApiArgs, MailArgs, ReportArgs, SyncArgs};
use crate::settings::mail::server;
use crate::settings::{FoundKey, Network, SettingsError, SettingsFile, base_url, checked_key};
use crate::text::{clean, shown};

/// The longest name of a host or an organisation on the line.
const LONGEST_NAME: usize = 100;

type Found<T> = Result<T, SettingsError>;

/// The line of `acumen report`.
pub fn report(
    args: &ReportArgs,
    file: &Found<SettingsFile>,
    key: &Found<Option<FoundKey>>,
    network: &Found<Network>,
) -> Option<String> {
    let what = match (&args.pages, args.archive()) {
        (Some(path), _) => format!("reading saved pages from {}", shown(path)),
        (None, Some(root)) => format!("reading the archive {}", shown(root)),
        (None, None) => {
            let subject = args.org.as_deref().map_or_else(|| "the enterprise".to_owned(), name);
            return asking(&args.access, &subject, file, key, network);
        }
    };
    let (file, _, _) = (file.as_ref().ok()?, key.as_ref().ok()?, network.as_ref().ok()?);
    Some(line(&what, file, "key", "not used"))
}

/// The line of `acumen sync`.
pub fn sync(
    args: &SyncArgs,
    file: &Found<SettingsFile>,
    key: &Found<Option<FoundKey>>,
    network: &Found<Network>,
) -> Option<String> {
    let archive = || format!("the archive {}", shown(&args.archive));
    let subject = args.org.as_deref().map_or_else(archive, name);
    asking(&args.access, &subject, file, key, network)
}

/// The line of `acumen send`.
pub fn send(
    args: &MailArgs,
    file: &Found<SettingsFile>,
    password: &Found<Option<FoundKey>>,
    network: &Found<Network>,
) -> Option<String> {
    let (file, password) = (file.as_ref().ok()?, password.as_ref().ok()?);
    network.as_ref().ok()?;
    match (&args.eml, &args.smtp) {
        (Some(path), _) => {
            Some(line(&format!("writing a message to {}", shown(path)), file, "password", "not used"))
        }
        (None, Some(url)) => {
            let what = format!("sending through {}", server(url, None).ok()?.place());
            Some(line(&what, file, "password", source(password.as_ref())))
        }
        (None, None) => None,
    }
}

/// The line of a command that asks the API about something.
fn asking(
    access: &ApiArgs,
    subject: &str,
    file: &Found<SettingsFile>,
    key: &Found<Option<FoundKey>>,
    network: &Found<Network>,
) -> Option<String> {
    let (file, key, network) = (file.as_ref().ok()?, key.as_ref().ok()?, network.as_ref().ok()?);
    checked_key(key.as_ref()).ok()?;
    let url = base_url(&access.base_url).ok()?;
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let proxy = network.proxy(&url).ok()?;
    let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {}", proxy.place()));
    let what = format!("asking {}{through} for {subject}", name(&host));
    Some(line(&what, file, "key", source(key.as_ref())))
}

fn line(what: &str, file: &SettingsFile, kind: &str, source: &str) -> String {
    let settings = file.path.as_deref().map_or_else(|| "none".to_owned(), shown);
    format!("{what}; settings: {settings}; {kind}: {source}")
}

/// Where a secret comes from.
fn source(found: Option<&FoundKey>) -> &str {
    let found = found.filter(|found| !found.secret().trim().is_empty());
    found.map_or("none", |found| found.source.as_str())
}

fn name(text: &str) -> String {
    clean(text, LONGEST_NAME)
}
