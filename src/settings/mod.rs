//! Settings: what was typed, validated once, before any work is done.

mod file;
pub mod mail;
mod show;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use chrono_tz::Tz;
use url::{Host, Url};

pub use file::{SettingsFile, parse as parse_file};
pub use show::{EXAMPLE, show};

use crate::cli::{Format, ReportArgs};
use crate::fetch::{Api, Question, Secret};
use crate::money::Prices;
use crate::people::{People, TagRule};
use crate::period::{self, Period};
use crate::text::clean;

/// How long a whole fetch may take.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// Something that was typed cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    message: String,
    /// What to do about it.
    pub hint: String,
}

impl SettingsError {
    /// What is wrong, and what to do about it.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// The key as it was found, unchecked.
pub struct FoundKey {
    /// Its text, white space and all.
    pub text: String,
    /// Where it was found, for messages.
    pub source: String,
}

/// What was found for a report around its options, unchecked.
#[derive(Default)]
pub struct Found {
    /// The key.
    pub key: Option<FoundKey>,
    /// The settings file.
    pub file: SettingsFile,
    /// The people file: its place and text.
    pub people: Option<(PathBuf, String)>,
    /// Where what must outlive a run belongs, unless an option says.
    pub state: Option<PathBuf>,
}

/// How people are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// By name, where it is known.
    #[default]
    Names,
    /// Under names that mean nothing outside this installation.
    Pseudonyms,
    /// Not at all: everybody is one group.
    Hidden,
}

/// What a report tells of single people and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// How people are shown.
    pub people: Shown,
    /// Whether groups of fewer than five people are folded into one, and single
    /// sessions go without title and link.
    pub leadership: bool,
    /// Whether the beginnings of prompts are printed.
    pub prompts: bool,
}

impl Privacy {
    /// How people are shown, where that is not by name.
    pub fn people_word(&self) -> Option<&'static str> {
        match self.people {
            Shown::Names => None,
            Shown::Pseudonyms => Some("pseudonyms"),
            Shown::Hidden => Some("hidden"),
        }
    }
}

/// What may be spent, and what it is worth.
#[derive(Clone, Debug)]
pub struct Money {
    /// What an ACU costs.
    pub prices: Prices,
    /// What may be spent in a calendar month.
    pub budget: Option<f64>,
}

/// Everything a report needs to know, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the API is asked.
    pub question: Question,
    /// What decided on the generation of the API.
    pub api_from: &'static str,
    /// The report's period, the previous one and the trend's, newest first.
    pub periods: Vec<Period>,
    /// How many of the periods, from the first, are points of the trend.
    pub points: usize,
    /// The report's period.
    pub period: Period,
    /// The one before it.
    pub previous: Period,
    /// Whether the report's period is over.
    pub complete: bool,
    /// When the run began.
    pub now: DateTime<Utc>,
    /// Where the report goes.
    pub out: PathBuf,
    /// What is exported besides, each format once.
    pub exports: Vec<Format>,
    /// The file that a summary is appended to.
    pub summary: Option<PathBuf>,
    /// Whether the vendor's own counts are asked for.
    pub reconcile: bool,
    /// What is told of people and sessions.
    pub privacy: Privacy,
    /// What ACUs cost; none without a price.
    pub money: Option<Money>,
    /// The calendar month in which the period ends, or stands, where there is a
    /// budget and the report is about all that it is spent on.
    pub month: Option<Period>,
    /// The people file.
    pub people: People,
    /// What tells a team from a tag.
    pub rules: Vec<TagRule>,
    /// Where what must outlive a run belongs.
    pub state: Option<PathBuf>,
    /// The data is invented: the page says so.
    pub demo: bool,
}

impl Settings {
    /// Organisation id, or `enterprise`.
    pub fn scope(&self) -> &str {
        self.question.org.as_deref().unwrap_or("enterprise")
    }

    /// Whether sessions are told of teams.
    pub fn tells_teams(&self) -> bool {
        !self.rules.is_empty() || self.people.tells_teams()
    }

    /// Checks what was typed against the clock and what was found around it.
    ///
    /// # Errors
    /// The first thing that cannot be used, with a hint.
    pub fn resolve(args: &ReportArgs, found: Found, now: DateTime<Utc>) -> Result<Self, SettingsError> {
        let Found { key, file, people, state } = found;
        // Before any work, whoever tells the monitor in the end.
        ping(args)?;
        let now = now.trunc_subsecs(0);
        let tz = zone(&args.tz)?;
        let period = period(args, now, tz)?;
        let points = args.trend as usize + 1;
        let periods = period.trend(args.trend.max(1));
        let (Some(previous), Some(earliest)) = (periods.get(1).cloned(), periods.last()) else {
            return Err(SettingsError::new(
                "the period is too early to have one before it",
                "ask for a later period",
            ));
        };
        if earliest.first().year() < 1 || period.last().year() >= 9999 {
            return Err(SettingsError::new(
                "the period and its trend leave the years 1 to 9998",
                "ask for a period within them, or a shorter --trend",
            ));
        }
        // A window that is still open is frozen at the start of the run, so that
        // sessions created while pages are read cannot shift them.
        let open = earliest.from() < now && now < period.to();
        let money = money(args.budget.as_deref(), file.prices)?;
        let is_whole = args.tags.is_empty() && args.users.is_empty();
        let month = match money.as_ref().and_then(|money| money.budget) {
            Some(_) if is_whole => Period::month_of(period.last().min(period::today(now, tz)), tz),
            _ => None,
        };
        let from = earliest.from().min(month.as_ref().map_or(earliest.from(), Period::from));
        let key_source = key.as_ref().map(|key| key.source.clone()).unwrap_or_default();
        let key = checked_key(key.as_ref())?;
        let (api, api_from) = generation(args.api.as_deref(), &key);
        let question = Question {
            api,
            base_url: base_url(&args.base_url)?,
            org: args.org.as_deref().map(|org| word("--org", org)).transpose()?,
            from: from.to_utc(),
            to: if open { now } else { period.to().to_utc() },
            tags: args.tags.iter().map(|tag| word("--tag", tag)).collect::<Result<_, _>>()?,
            users: users(&args.users, api)?,
            page_size: page_size(args.page_size, api)?,
            concurrency: args.concurrency as usize,
            allow_partial: args.allow_partial,
            deadline: DEADLINE,
            key_source,
            key: Secret::new(key),
        };
        let complete = period.complete(now);
        let privacy = privacy(args)?;
        if privacy.people != Shown::Names && !question.users.is_empty() {
            return Err(SettingsError::new(
                "--user names people, who are not to be shown by name",
                "leave --user out, or use --people names with --profile lead",
            ));
        }
        let state = args.state.clone().or(state);
        if privacy.people == Shown::Pseudonyms && state.is_none() {
            return Err(SettingsError::new(
                "pseudonyms need a folder for their salt, and there is no home to keep it in",
                "name a folder that outlives the run with --state",
            ));
        }
        let people = people.map(|(path, text)| read_people(&path, &text)).transpose()?.unwrap_or_default();
        let out = args.out.clone();
        let exports = args.export.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let reconcile = !args.no_reconcile;
        Ok(Self {
            question,
            api_from,
            points,
            previous,
            complete,
            now,
            out,
            exports,
            summary: args.summary.clone(),
            reconcile,
            privacy,
            money,
            month,
            people,
            rules: file.rules,
            state,
            demo: false,
            periods,
            period,
        })
    }
}

/// What the profile and the flags beside it say of people and sessions.
fn privacy(args: &ReportArgs) -> Result<Privacy, SettingsError> {
    let leadership = args.profile == "leadership";
    let people = match args.people.as_deref() {
        Some("names") if leadership => {
            return Err(SettingsError::new(
                "--people names: the profile leadership names nobody",
                "use --profile lead for a report with names",
            ));
        }
        Some("hidden") => Shown::Hidden,
        Some("pseudonyms") => Shown::Pseudonyms,
        None if leadership => Shown::Pseudonyms,
        _ => Shown::Names,
    };
    if args.include_prompts && (leadership || people != Shown::Names) {
        return Err(SettingsError::new(
            "--include-prompts: prompts tell who wrote them",
            "print them with --profile lead and --people names only",
        ));
    }
    Ok(Privacy { people, leadership, prompts: args.include_prompts })
}

fn money(budget: Option<&str>, prices: Option<Prices>) -> Result<Option<Money>, SettingsError> {
    let budget = match budget.map(|text| (text, file::amount(text))) {
        Some((text, None)) => {
            return Err(SettingsError::new(
                format!("--budget: cannot read {}", quoted(text)),
                "write it as 5000 or 5000.00",
            ));
        }
        Some((_, Some(0.0))) => {
            return Err(SettingsError::new("--budget: it is 0", "leave it out where there is none"));
        }
        budget => budget.and_then(|(_, amount)| amount),
    };
    match prices {
        Some(prices) => Ok(Some(Money { prices, budget })),
        None if budget.is_some() => Err(SettingsError::new(
            "--budget: there is no price to hold it against",
            "give the price of an ACU in the settings file, under [[price]]",
        )),
        None => Ok(None),
    }
}

fn read_people(path: &Path, text: &str) -> Result<People, SettingsError> {
    People::parse(text).map_err(|flaw| {
        SettingsError::new(
            format!("{}, line {}: {}", path.display(), flaw.line, clean(&flaw.what, 200)),
            "begin it with the line user,name,team,from; user is an id or an email",
        )
    })
}

fn zone(text: &str) -> Result<Tz, SettingsError> {
    let trimmed = text.trim();
    let found = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(trimmed));
    found.copied().ok_or_else(|| {
        let city = trimmed.rsplit('/').next().unwrap_or_default().to_lowercase().replace(' ', "_");
        let near = chrono_tz::TZ_VARIANTS
            .iter()
            .find(|zone| zone.name().contains('/') && zone.name().to_lowercase().ends_with(&city))
            .filter(|_| !city.is_empty())
            .map_or("Europe/Berlin or UTC", |zone| zone.name());
        SettingsError::new(
            format!("--tz: there is no time zone {}", quoted(text)),
            format!("use an IANA name such as {near}"),
        )
    })
}

fn period(args: &ReportArgs, now: DateTime<Utc>, tz: Tz) -> Result<Period, SettingsError> {
    let unreadable = |flag: &str, text: &str, example: &str| {
        SettingsError::new(format!("{flag}: cannot read {}", quoted(text)), format!("write it as {example}"))
    };
    if let (Some(from), Some(to)) = (&args.from, &args.to) {
        let first = period::parse_date(from).ok_or_else(|| unreadable("--from", from, "2026-10-05"))?;
        let last = period::parse_date(to).ok_or_else(|| unreadable("--to", to, "2026-10-11"))?;
        return Period::days(first, last, tz).ok_or_else(|| {
            SettingsError::new(
                format!("--to {last} lies before --from {first}"),
                "both days are included: --to is the same day or a later one",
            )
        });
    }
    if let Some(week) = &args.week {
        return Period::parse_week(week.trim(), tz)
            .ok_or_else(|| unreadable("--week", week, "2026-W41 (ISO weeks run from W01 to W52 or W53)"));
    }
    if let Some(month) = &args.month {
        return Period::parse_month(month.trim(), tz).ok_or_else(|| unreadable("--month", month, "2026-10"));
    }
    if let Some(last) = &args.last {
        return period::parse_span(last.trim())
            .and_then(|days| Period::last_days(days, now, tz))
            .ok_or_else(|| unreadable("--last", last, "14d or 2w, at most 3660 days"));
    }
    Period::last_complete_week(now, tz)
        .ok_or_else(|| SettingsError::new("the clock is out of range", "check the machine's date"))
}

fn base_url(text: &str) -> Result<Url, SettingsError> {
    let refuse = |why: &str, hint: &str| Err(SettingsError::new(format!("--base-url: {why}"), hint));
    let Ok(url) = Url::parse(text.trim()) else {
        // What stands before an @ may be a password or the key.
        let shown = text.rsplit('@').next().unwrap_or_default();
        return refuse(&format!("cannot read {}", quoted(shown)), "write it as https://api.devin.ai");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("it must not hold a user or password", "the key comes from a file or DEVIN_API_KEY");
    }
    let last = url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if matches!(last, "v2" | "v3") {
        return refuse(
            &format!("it must end before /{last}"),
            "write it as https://api.devin.ai; --api chooses the version",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("it must not hold a query or fragment", "write it as https://api.devin.ai");
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if is_loopback(&host) => Ok(url),
        ("http", Some(_)) => refuse(
            "plain http would send the key readable over the network",
            "use https; http is for loopback alone",
        ),
        _ => refuse(&format!("{} is no web address", quoted(text)), "write it as https://api.devin.ai"),
    }
}

/// The address of the monitor that is told of the run. It holds a token, so no message repeats it.
///
/// # Errors
/// It is no address, or one over which the token could be read.
pub fn ping(args: &ReportArgs) -> Result<Option<Url>, SettingsError> {
    let refuse = |why: &str| {
        SettingsError::new(
            format!("--ping: {why}"),
            "give the monitor's own address, such as https://hc-ping.com/ and the check's UUID",
        )
    };
    let Some(text) = &args.ping else { return Ok(None) };
    let url = Url::parse(text.0.trim()).map_err(|_| refuse("this is no web address"))?;
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(Some(url)),
        ("http", Some(host)) if is_loopback(&host) => Ok(Some(url)),
        ("http", Some(_)) => Err(refuse("plain http would send the token readable over the network")),
        _ => Err(refuse("this is no web address")),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn word(flag: &str, text: &str) -> Result<String, SettingsError> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(SettingsError::new(
            format!("{flag}: {} is empty or has control characters", quoted(text)),
            format!("leave {flag} out to report on everything"),
        ));
    }
    Ok(text.to_owned())
}

/// The text of the key that was found, trimmed.
///
/// # Errors
/// There is none, or it is no key.
pub fn checked_key(found: Option<&FoundKey>) -> Result<String, SettingsError> {
    let hint = "put the key into a file and name it with --api-key-file, or set DEVIN_API_KEY; \
                to look around without a key: acumen demo";
    let Some(found) = found else { return Err(SettingsError::new("there is no API key", hint)) };
    let text = found.text.trim();
    if text.is_empty() {
        return Err(SettingsError::new(format!("the API key from {} is empty", found.source), hint));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SettingsError::new(
            format!("the API key from {} has spaces or characters that no key has", found.source),
            "give the key alone, on one line",
        ));
    }
    Ok(text.to_owned())
}

/// The generation of the API, and what decided on it.
fn generation(typed: Option<&str>, key: &str) -> (Api, &'static str) {
    match (typed, Api::of_key(key)) {
        (Some("v3"), _) => (Api::V3, "as --api says"),
        (Some(_), _) => (Api::V2, "as --api says"),
        (None, Some(api)) => (api, "as the kind of key says"),
        (None, None) => (Api::V2, "the default, since the key does not tell; --api chooses"),
    }
}

/// The users' ids. v3 asks for people and for service users apart, and no row can be both.
fn users(typed: &[String], api: Api) -> Result<Vec<String>, SettingsError> {
    let users = typed.iter().map(|user| word("--user", user)).collect::<Result<Vec<_>, _>>()?;
    let machines = users.iter().filter(|user| Api::is_service_user(user)).count();
    if api == Api::V3 && machines > 0 && machines < users.len() {
        return Err(SettingsError::new(
            "--user: v3 cannot be asked for people and service users at once",
            "make one report of the people and one of the service users",
        ));
    }
    Ok(users)
}

fn page_size(size: u32, api: Api) -> Result<u32, SettingsError> {
    let largest = api.largest_page();
    if size > largest {
        return Err(SettingsError::new(
            format!("--page-size: {api} gives at most {largest} sessions a page"),
            format!("ask for {largest} or fewer"),
        ));
    }
    Ok(size)
}

/// Untrusted text for one line of a terminal: quoted, cut, without controls.
fn quoted(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("“{clean}”")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: ReportArgs) -> Result<Settings, SettingsError> {
        let args = ReportArgs {
            tz: if args.tz.is_empty() { "UTC".to_owned() } else { args.tz.clone() },
            base_url: "https://api.devin.ai".to_owned(),
            trend: 2,
            page_size: 200,
            concurrency: 4,
            ..args
        };
        let key = FoundKey { text: " apk_user_x\n".to_owned(), source: "a test".to_owned() };
        let found = Found { key: Some(key), ..Found::default() };
        Settings::resolve(&args, found, "2026-10-14T09:30:15.5Z".parse().unwrap())
    }

    fn week(label: &str) -> ReportArgs {
        ReportArgs { week: Some(label.to_owned()), ..ReportArgs::default() }
    }

    #[test]
    fn one_window_holds_the_period_and_its_trend() {
        let settings = resolve(week("2026-W41")).unwrap();
        assert_eq!(settings.question.from.to_rfc3339(), "2026-09-21T00:00:00+00:00");
        assert_eq!(settings.question.to.to_rfc3339(), "2026-10-12T00:00:00+00:00");
        assert_eq!((settings.periods.len(), settings.points, settings.complete), (3, 3, true));
    }

    #[test]
    fn the_key_tells_the_generation_unless_a_flag_does() {
        let api = |typed, key| generation(typed, key).0;
        assert_eq!(
            [api(None, "cog_x"), api(None, "apk_user_x"), api(None, "x")],
            [Api::V3, Api::V2, Api::V2]
        );
        assert_eq!([api(Some("v2"), "cog_x"), api(Some("v3"), "apk_user_x")], [Api::V2, Api::V3]);
        assert_eq!((page_size(1000, Api::V2), page_size(200, Api::V3)), (Ok(1000), Ok(200)));
        let both = ["email|1".to_owned(), "service-user-2".to_owned()];
        assert!(users(&both, Api::V2).is_ok() && users(&both[..1], Api::V3).is_ok());
        assert!(users(&both, Api::V3).unwrap_err().to_string().starts_with("--user"));
        assert!(page_size(201, Api::V3).unwrap_err().to_string().contains("v3 gives at most 200"));
    }

    #[test]
    fn a_running_period_is_frozen_at_the_start_of_the_run() {
        let settings = resolve(week("2026-W42")).unwrap();
        assert_eq!(settings.question.to.to_rfc3339(), "2026-10-14T09:30:15+00:00");
        assert!(!settings.complete);
        let next = resolve(week("2026-W43")).unwrap();
        assert_eq!(next.question.to.to_rfc3339(), "2026-10-14T09:30:15+00:00");
        let far = resolve(week("2026-W49")).unwrap();
        assert_eq!(far.question.to.to_rfc3339(), "2026-12-07T00:00:00+00:00");
    }

    #[test]
    fn a_zone_is_found_without_case_and_a_wrong_one_gets_a_neighbour() {
        let zoned = ReportArgs { tz: "europe/berlin".to_owned(), ..ReportArgs::default() };
        assert_eq!(resolve(zoned).unwrap().period.tz(), Tz::Europe__Berlin);
        let error = resolve(ReportArgs { tz: "Berlin".to_owned(), ..ReportArgs::default() }).unwrap_err();
        assert!(error.hint.contains("Europe/Berlin"), "{}", error.hint);
    }
}
