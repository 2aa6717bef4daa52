//! Checks what a report needs before it is made: one line for each
//! thing that was looked at. Nothing is written.
//!
//! The network is asked in `devin_api::probe`; what its answers mean is said here,
//! by pure functions.

mod access;
mod clock;
mod data;
mod line;
mod mail;
mod network;
#[cfg(test)]
mod tests;

use crate::saved_pages;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::archive::Archive;
use crate::cli::ReportArgs;
use crate::deliver;
use crate::error::Error;
use crate::exit::Exit;
use crate::period::Period;
use crate::regular_file;
use crate::settings::mail::{Destination, Mail};
use crate::settings::{Found, FoundKey, Network, Settings, SettingsError, Source, checked_key};
use crate::text::{clean, shown};
use devin_api::{Api, ApiConfig, Probes, Progress, SessionQuery};
use line::{Line, failure, note, ok, skipped};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The lines.
    pub text: String,
    /// How a run ends with it: as the first thing that failed.
    pub exit: Exit,
}

/// Looks at everything that a report with these settings needs, and at its mail
/// where one is wanted; the network is asked for a minute at most.
pub async fn examine(
    args: &ReportArgs,
    key: Result<Option<FoundKey>, SettingsError>,
    found: Result<Found, SettingsError>,
    network: Result<Network, SettingsError>,
    now: DateTime<Utc>,
    wanted: Result<Option<Mail>, Error>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Diagnosis {
    let mut lines = Vec::new();
    let settings_file = found.as_ref().ok().and_then(|found| found.file.path.clone());
    let exposed = exposed(args, settings_file.as_deref());
    if args.is_offline() {
        lines.extend(offline(args, found, network::certificates(&network), now));
        lines.extend(exposed);
        lines.push(output(args));
        return Diagnosis { text: line::print(&lines), exit: line::exit(&lines) };
    }
    let reach = [network::certificates(&network), network::proxy(&network, &args.access.base_url)];
    let is_reachable = line::exit(&reach) == Exit::Done;
    // What is wrong with the network is said once, in its own line.
    let network = network.ok().filter(|_| is_reachable).unwrap_or_default();
    let found = found.map(|found| Found { network, ..found });
    let prepared = prepare(args, key, found, now, &mut lines).filter(|_| is_reachable);
    lines.extend(reach);
    lines.extend(exposed);
    let week = |settings: &Settings| Period::last_complete_week(now, settings.period.tz());
    let asked = async {
        match prepared.and_then(|settings| Some((week(&settings)?, settings))) {
            Some((week, Settings { source: Source::Api { config, .. }, query, .. })) => {
                let span = week.from().to_utc()..week.to().to_utc();
                let probes = devin_api::probe(&config, &query, span, progress).await;
                answers(&probes, &config, &query, &week, now)
            }
            _ => UNASKED
                .map(|name| skipped(name, "the settings, the key or the network settings cannot be used"))
                .into(),
        }
    };
    // At once, so that both together take no longer than the slower one.
    let (asked, mail) = tokio::join!(asked, mail::mail(&wanted));
    lines.extend(asked);
    lines.push(output(args));
    if let Ok(Some(Mail { destination: Destination::Server(delivery), .. })) = &wanted {
        lines.push(mail::state(&delivery.state));
    }
    lines.extend(mail);
    Diagnosis { text: line::print(&lines), exit: line::exit(&lines) }
}

/// Files that other users of this machine can read or change, and must not.
fn exposed(args: &ReportArgs, settings: Option<&Path>) -> Vec<Line> {
    let files = [
        ("key file", args.access.api_key_file.as_deref(), true),
        ("password file", args.post.smtp_password_file.as_deref(), true),
        ("webhook file", args.chat.slack_webhook_file.as_deref(), true),
        ("webhook file", args.chat.teams_webhook_file.as_deref(), true),
        ("settings file", settings, false),
        ("CA file", args.network.ca_file.as_deref(), false),
    ];
    let exposed = |(name, path, is_secret): (&'static str, Option<&Path>, bool)| {
        let path = path?;
        let words = regular_file::exposure(path)?.words(is_secret)?;
        let path = shown(path);
        let hint = match is_secret {
            true => format!("chmod 600 {path}, in a folder that only you can change"),
            false => format!("chmod go-w {path}, in a folder that only you can change"),
        };
        Some(Line { hint, ..note(name, format!("{path}: {words}")) })
    };
    files.into_iter().filter_map(exposed).collect()
}

/// Checks the files that replace the API: no server is contacted, and no key is needed.
fn offline(
    args: &ReportArgs,
    found: Result<Found, SettingsError>,
    certificates: Line,
    now: DateTime<Utc>,
) -> Vec<Line> {
    let file = settings_file(&found);
    let settings = found.and_then(|found| Settings::resolve(args, Found { key: None, ..found }, now));
    let (what, sessions) = match (args.archive(), &args.pages) {
        (Some(path), _) => ("an archive", archived(path)),
        (None, pages) => {
            let pages = pages.as_deref().expect("without API and archive there are saved pages");
            ("saved pages", saved(pages))
        }
    };
    let mut lines =
        vec![settings_line(&settings, file.as_deref()), ok("key", format!("not needed for {what}"))];
    lines.push(match args.archive() {
        Some(_) => skipped("API", "set by the archive"),
        None => skipped("API", "detected from the saved sessions, unless --api is given"),
    });
    lines.push(certificates);
    lines.push(skipped(network::PROXY, format!("no server is contacted; the sessions come from {what}")));
    let mut sessions = Some(sessions);
    lines.extend(UNASKED.map(|name| match name {
        SESSIONS => sessions.take().expect("one of the lines is about sessions"),
        _ => skipped(name, format!("no server is contacted; the sessions come from {what}")),
    }));
    lines
}

fn saved(path: &Path) -> Line {
    match saved_pages::saved_files(path) {
        Ok(1) => ok(SESSIONS, format!("1 file of saved pages at {}", shown(path))),
        Ok(files) => ok(SESSIONS, format!("{files} files of saved pages in {}", shown(path))),
        Err(error) => failure(SESSIONS, &error),
    }
}

fn archived(path: &Path) -> Line {
    match Archive::open(path) {
        Ok(archive) => {
            let state = archive.state();
            let day = |moment: DateTime<Utc>| moment.format("%-d %B %Y, %H:%M UTC").to_string();
            let (sessions, since, until) = (state.sessions(), day(state.since), day(state.until));
            let scope =
                state.org.as_deref().map_or_else(|| "the enterprise".to_owned(), |org| clean(org, 80));
            let api = state.api;
            ok(
                SESSIONS,
                format!("{sessions} of {scope} ({api}) in the archive, created from {since} to {until}"),
            )
        }
        Err(error) => failure(SESSIONS, &error),
    }
}

/// The settings file that was read.
fn settings_file(found: &Result<Found, SettingsError>) -> Option<PathBuf> {
    found.as_ref().ok().and_then(|found| found.file.path.clone())
}

fn settings_line(settings: &Result<Settings, SettingsError>, file: Option<&Path>) -> Line {
    match settings {
        Ok(settings) => {
            let file = file.map_or_else(|| "none".to_owned(), shown);
            ok("settings", format!("{}; file: {file}", wanted(settings)))
        }
        Err(error) => failure("settings", error),
    }
}

const SESSIONS: &str = "sessions";

/// What cannot be looked at without settings and a key.
const UNASKED: [&str; 9] = [
    "address",
    "access",
    "organisation",
    SESSIONS,
    "clock",
    "time window",
    "page size",
    "last week",
    "archived",
];

/// Looks at settings, key and generation; gives the settings if nothing is amiss.
fn prepare(
    args: &ReportArgs,
    key: Result<Option<FoundKey>, SettingsError>,
    found: Result<Found, SettingsError>,
    now: DateTime<Utc>,
    lines: &mut Vec<Line>,
) -> Option<Settings> {
    let key = key.and_then(|found| checked_key(found.as_ref()).map(|text| (text, found)));
    let (kind, source) = match &key {
        Ok((text, found)) => (KeyKind::of(text), found.as_ref().map(|found| found.source.clone())),
        Err(_) => (KeyKind::Unknown, None),
    };
    // The other settings can be checked without a key; this placeholder is never sent.
    let stand_in = || Some(FoundKey::new("none", ""));
    let key = key.map(|(_, found)| found);
    let is_usable = key.is_ok();
    let (key, error) = match key {
        Ok(found) => (found, None),
        Err(error) => (stand_in(), Some(error)),
    };
    let file = settings_file(&found);
    let settings = found.and_then(|found| Settings::resolve(args, Found { key, ..found }, now));
    lines.push(settings_line(&settings, file.as_deref()));
    lines.push(match (error, source) {
        (Some(error), _) => failure("key", &error),
        (None, source) => {
            let source = source.expect("a key that was checked was found");
            ok("key", format!("{}, from {}", kind.words(), clean(&source, 200)))
        }
    });
    let settings = settings.ok();
    lines.push(match &settings {
        Some(Settings { source: Source::Api { config, chosen_by, .. }, .. }) if is_usable => {
            generation(config.api, chosen_by, kind)
        }
        _ => skipped("API", "the settings or the key cannot be used"),
    });
    settings.filter(|_| is_usable)
}

/// What a report would be about.
fn wanted(settings: &Settings) -> String {
    let period = &settings.period;
    format!(
        "{}, {}, {}, of {}",
        period.name().to_lowercase(),
        period.dates_in_words(),
        period.tz().name(),
        settings.query.org.as_deref().map_or_else(|| "the enterprise".to_owned(), |org| clean(org, 80)),
    )
}

/// What a key is by its first letters, which is all of it that is ever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Personal,
    Service,
    Unknown,
}

impl KeyKind {
    fn of(key: &str) -> Self {
        match Api::of_key(key) {
            Some(Api::V2) => Self::Personal,
            Some(Api::V3) => Self::Service,
            None => Self::Unknown,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Personal => "a personal key (apk_…)",
            Self::Service => "a service user's key or a personal access token (cog_…)",
            Self::Unknown => "a key of an unknown kind",
        }
    }
}

fn generation(api: Api, from: &str, kind: KeyKind) -> Line {
    const NAME: &str = "API";
    let fits = match (api, kind) {
        (Api::V2, KeyKind::Service) => "v2 accepts personal keys (apk_…)",
        (Api::V3, KeyKind::Personal) => "v3 accepts keys of service users and personal access tokens (cog_…)",
        _ => return ok(NAME, format!("{api}, {from}")),
    };
    note(
        NAME,
        format!("{api}, {from}, but {fits}: it may refuse this key; without --api the key's prefix decides"),
    )
}

/// What the answers of the API mean.
fn answers(
    probes: &Probes,
    config: &ApiConfig,
    query: &SessionQuery,
    week: &Period,
    now: DateTime<Utc>,
) -> Vec<Line> {
    let mut lines = access::lines(probes, config, query);
    lines.push(match (probes.server_time, access::obstacle(probes)) {
        (None, Some(why)) => skipped("clock", why),
        (server_time, _) => clock::clock(now, server_time),
    });
    lines.extend(data::lines(probes, config.api, config.page_size, week));
    lines
}

fn output(args: &ReportArgs) -> Line {
    match deliver::probe_folder(&args.out) {
        Ok(deliver::FolderState::Exists) => ok("output", format!("{} is writable", shown(&args.out))),
        Ok(deliver::FolderState::Missing(above)) => ok(
            "output",
            format!("{} does not exist and can be created in {}", shown(&args.out), shown(&above)),
        ),
        Err(error) => failure("output", &error),
    }
}
