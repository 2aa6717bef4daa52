//! The first line of a run: which server it asks, through which proxy, which settings file it read, and
//! where its secret comes from.

use super::checks::{base_url, checked_key};
use super::mail::server;
use super::{FoundKey, Network, SettingsFile};
use crate::cli::{ApiArgs, Command};
use crate::text::{clean, shown};

/// The longest name of a host or an organisation on the line.
const LONGEST_NAME: usize = 100;

/// The line for a command that asks a server, reads what was fetched before, or sends
/// a mail. It holds no part of a secret. There is none for other commands, nor where
/// nothing will be asked because the server or the secret cannot be used.
pub fn sources(
    command: &Command,
    file: &SettingsFile,
    secret: Option<&FoundKey>,
    network: &Network,
) -> Option<String> {
    let asking = |access: &ApiArgs, subject: String| {
        checked_key(secret).ok()?;
        let url = base_url(&access.base_url).ok()?;
        let host = url.host_str()?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let proxy = network.proxy(&url).ok()?;
        let through = proxy.map(|proxy| format!(" through the proxy {}", proxy.place())).unwrap_or_default();
        Some((format!("asking {}{through} for {subject}", clean(&host, LONGEST_NAME)), "key", None))
    };
    let org = |id: &str| clean(id, LONGEST_NAME);
    let (what, kind, unused) = match command {
        Command::Report(args) => match (&args.pages, args.archive()) {
            (Some(path), _) => (format!("reading saved pages from {}", shown(path)), "key", Some("not used")),
            (_, Some(path)) => (format!("reading the archive {}", shown(path)), "key", Some("not used")),
            _ => asking(&args.access, args.org.as_deref().map_or_else(|| "the enterprise".to_owned(), org))?,
        },
        Command::Sync(args) => {
            let archive = || format!("the archive {}", shown(&args.archive));
            asking(&args.access, args.org.as_deref().map_or_else(archive, org))?
        }
        Command::Send(args) => match (&args.post.eml, &args.post.smtp) {
            (Some(path), _) => {
                (format!("writing a message to {}", shown(path)), "password", Some("not used"))
            }
            (None, Some(url)) => {
                (format!("sending through {}", server(url, None).ok()?.place()), "password", None)
            }
            (None, None) => return None,
        },
        _ => return None,
    };
    let settings = file.path.as_deref().map_or_else(|| "none".to_owned(), shown);
    let found = secret.filter(|found| !found.text.trim().is_empty());
    let source = unused.or(found.map(|found| found.source.as_str())).unwrap_or("none");
    Some(format!("{what}; settings: {settings}; {kind}: {source}"))
}
