//! Settings: what was typed, validated once, before any work is done.

mod api;
pub mod chat;
mod checks;
mod command;
mod compared;
mod file;
pub mod mail;
mod network;
mod pdf;
mod privacy;
mod report;
mod show;
mod sync;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, Utc};

pub use checks::{base_url, checked_key, ping, users, zone};
pub use command::password_command;
pub use file::{SettingsFile, parse as parse_file, refused};
pub use network::{CA_FILE_HINT, Network};
pub use pdf::{HAS_PDF, check_pdf};
pub use privacy::{Privacy, privacy};
use privacy::{check_covered_comparison, check_covered_period};
pub use report::ReportTable;
pub use show::{EXAMPLE, show};
pub use sync::Sync;

use secrecy::{ExposeSecret, SecretString};

use crate::alert::AlertRule;
use crate::cli::{Format, Paper, ReportArgs};
use crate::cycle::{self, BudgetCycle, CycleRule};
use crate::exit::{Exit, Explain};
use crate::money::Prices;
use crate::people::{PeopleFile, TagRule};
use crate::period::{self, Period};
use crate::text::{clean, shown};
use api::{api_config, check_unused, stated_api};
use checks::{quoted, word};
use devin_api::{Api, ApiConfig, SessionQuery};

/// Something that was typed cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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

impl Explain for SettingsError {
    fn hint(&self) -> String {
        self.hint.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// A secret as it was found, unchecked.
#[derive(Clone)]
pub struct FoundKey {
    /// Its text, white space and all.
    text: SecretString,
    /// Where it was found, for messages; harmless to a terminal.
    pub source: String,
}

impl FoundKey {
    /// A secret from a place.
    pub fn new(text: &str, source: impl Into<String>) -> Self {
        Self { text: text.into(), source: source.into() }
    }

    /// The secret itself: the byte order mark and the line ends belong to the file.
    pub fn secret(&self) -> &str {
        self.text.expose_secret().trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n'])
    }
}

/// What was found for a report around its options, unchecked.
#[derive(Clone, Default)]
pub struct Found {
    /// The key.
    pub key: Option<FoundKey>,
    /// The settings file.
    pub file: SettingsFile,
    /// How servers are reached.
    pub network: Network,
    /// The people file: its place and text.
    pub people: Option<(PathBuf, String)>,
}

/// The rights of files that are newly made, unless an option says otherwise:
/// their owner alone reads them.
pub const PRIVATE: u32 = 0o600;

/// What may be spent, and what it is worth.
#[derive(Clone, Debug)]
pub struct Money {
    /// What an ACU costs.
    pub prices: Prices,
    /// What may be spent in a cycle.
    pub budget: Option<f64>,
    /// When a cycle begins.
    pub rhythm: CycleRule,
}

/// Where the sessions of a report come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The API.
    Api {
        /// How it is reached.
        config: Box<ApiConfig>,
        /// What decided on its generation, for messages.
        chosen_by: &'static str,
        /// The folder in which answers are kept.
        save_pages: Option<PathBuf>,
    },
    /// Pages that were saved.
    SavedPages {
        /// A file, a folder, or `-` for standard input.
        path: PathBuf,
        /// Their API version, if stated; else it is detected from the records.
        api: Option<Api>,
    },
    /// An archive that `acumen sync` keeps.
    Archive {
        /// Its folder.
        root: PathBuf,
    },
}

impl Source {
    /// How the API is reached, where it is asked.
    pub fn api(&self) -> Option<&ApiConfig> {
        match self {
            Self::Api { config, .. } => Some(config),
            Self::SavedPages { .. } | Self::Archive { .. } => None,
        }
    }

    fn resolve(args: &ReportArgs, key: Option<FoundKey>, network: &Network) -> Result<Self, SettingsError> {
        let source = match (&args.pages, args.archive()) {
            (None, None) => {
                let (config, chosen_by) = api_config(&args.access, key.as_ref(), network)?;
                return Ok(Self::Api {
                    config: Box::new(config),
                    chosen_by,
                    save_pages: args.save_pages.clone(),
                });
            }
            (Some(path), _) => Self::SavedPages { path: path.clone(), api: stated_api(&args.access) },
            (None, Some(root)) => Self::Archive { root: root.clone() },
        };
        check_unused(&args.access)?;
        Ok(source)
    }
}

/// Everything a report needs to know, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the sessions come from.
    pub source: Source,
    /// Which sessions are wanted.
    pub query: SessionQuery,
    /// The report's period, the one it is compared with, and the others of the trend, newest first.
    pub periods: Vec<Period>,
    /// The points of the trend, newest first, as places among the periods. The period that is compared
    /// is one of them, or not.
    pub points: Vec<usize>,
    /// The report's period.
    pub period: Period,
    /// The one it is compared with: the one before, or another that was chosen.
    pub previous: Period,
    /// Whether the report's period is over.
    pub complete: bool,
    /// When the run began.
    pub now: DateTime<Utc>,
    /// Where the report goes.
    pub out: PathBuf,
    /// The rights of the files that are written.
    pub mode: u32,
    /// What is exported besides, each format once.
    pub exports: Vec<Format>,
    /// The paper size of the PDF.
    pub paper: Paper,
    /// The file that a summary is appended to.
    pub summary: Option<PathBuf>,
    /// Whether the vendor's own counts are asked for.
    pub reconcile: bool,
    /// Whether a report is written where no session matches the filters.
    pub allow_empty: bool,
    /// What is shown of people and sessions.
    pub privacy: Privacy,
    /// What ACUs cost; none without a price.
    pub money: Option<Money>,
    /// The months or billing cycles that have a day of the period, the oldest first;
    /// empty without a budget, or if the report is about a part of what it is spent
    /// on. Those that only the vendor knows are months until it tells.
    pub cycles: Vec<BudgetCycle>,
    /// The people file.
    pub people: PeopleFile,
    /// The rules that map tags to teams.
    pub rules: Vec<TagRule>,
    /// The team that the report is about; `None` for all sessions.
    pub team: Option<String>,
    /// The rules for alerts that are about this report.
    pub alerts: Vec<AlertRule>,
    /// The data is invented: the page says so.
    pub demo: bool,
}

impl Settings {
    /// Organisation id, or `enterprise`.
    pub fn scope(&self) -> &str {
        self.query.org.as_deref().unwrap_or("enterprise")
    }

    /// Whether sessions have teams.
    pub fn tells_teams(&self) -> bool {
        !self.rules.is_empty() || self.people.tells_teams()
    }

    /// Whether sessions have cost centres; a covered report does not use them.
    pub fn tells_cost_centres(&self) -> bool {
        !self.privacy.covered && self.people.tells_cost_centres()
    }

    /// Whether the budget follows billing cycles that only the vendor knows.
    pub fn asks_for_cycles(&self) -> bool {
        let by_vendor = self.money.as_ref().is_some_and(|money| money.rhythm == CycleRule::Vendor);
        by_vendor && !self.cycles.is_empty()
    }

    /// Has the budget follow these billing cycles of the vendor's, and the question reach
    /// back to them. False where they leave a part of the period open: then months stay.
    pub fn follow(&mut self, cycles: &[Range<DateTime<Utc>>]) -> bool {
        let [first, last] = so_far(&self.period, self.now);
        let days = Period::days(first, last, self.period.tz());
        let span = days.map(|days| days.from().to_utc()..days.to().to_utc().min(self.query.to));
        let Some((span, earliest)) = span.zip(earliest(&self.periods)) else { return false };
        let Some(cycles) = cycle::from_vendor(cycles, &span, self.period.tz()) else { return false };
        self.query.from = reaching(earliest, &cycles);
        self.cycles = cycles;
        true
    }

    /// The same for reports about teams: without a budget, which is for all sessions, and without Devin's
    /// totals, which count nothing by team.
    #[must_use]
    pub fn about_teams(mut self) -> Self {
        self.cycles = Vec::new();
        self.reconcile = false;
        self.query.from = reaching(earliest(&self.periods).expect("the period is one of them"), &[]);
        self
    }

    /// Checks what was typed against the clock and what was found around it.
    ///
    /// # Errors
    /// The first thing that cannot be used, with a hint.
    pub fn resolve(args: &ReportArgs, found: Found, now: DateTime<Utc>) -> Result<Self, SettingsError> {
        let Found { key, file, network, people } = found;
        let now = now.trunc_subsecs(0);
        let tz = zone(&args.tz)?;
        let period = checks::period(args, now, tz)?;
        let chosen = compared::chosen(args.compare_with.as_deref(), &period)?;
        let Some(previous) = chosen.or_else(|| period.previous()) else {
            return Err(SettingsError::new(
                "the period is too early: there is no previous one",
                "choose a later period",
            ));
        };
        let (periods, points) = with_trend(&period, &previous, args.trend);
        let earliest = earliest(&periods).expect("the period is one of them");
        if earliest.first().year() < 1 || period.last().year() >= 9999 {
            return Err(SettingsError::new(
                "the period and its trend exceed the years 1 to 9998",
                "choose a period within them, or a shorter --trend",
            ));
        }
        // A window that is still open is frozen at the start of the run, so that
        // sessions created while pages are read cannot shift them.
        let open = earliest.from() < now && now < period.to();
        let money = money(args, file.prices)?;
        let is_whole = args.tags.is_empty() && args.users.is_empty() && args.team.is_none();
        let budgeted = money.as_ref().filter(|money| money.budget.is_some() && is_whole);
        let cycles = budgeted.map_or_else(Vec::new, |money| {
            let rhythm = if money.rhythm == CycleRule::Vendor { CycleRule::Months } else { money.rhythm };
            let [first, last] = so_far(&period, now);
            cycle::overlapping(rhythm, first, last, tz)
        });
        let from = reaching(earliest, &cycles);
        let source = Source::resolve(args, key, &network)?;
        let org = args.org.as_deref().map(|org| word("--org", org)).transpose()?;
        let to = if open { now } else { period.to().to_utc() };
        let query = SessionQuery {
            tags: args.tags.iter().map(|tag| word("--tag", tag)).collect::<Result<_, _>>()?,
            // What v3 cannot be asked for can still be found on the disk.
            users: users(&args.users, source.api().map_or(Api::V2, |config| config.api))?,
            allow_partial: args.allow_partial,
            ..SessionQuery::all(org, from..to)
        };
        let complete = period.complete(now);
        let privacy = privacy(args)?;
        if args.archive().is_some() && privacy.prompts {
            return Err(SettingsError::new(
                "--include-prompts: an archive has no prompts",
                "omit it, or report without --archive",
            ));
        }
        if privacy.covered {
            check_covered_period(&period, complete)?;
            check_covered_comparison(&period, &previous)?;
        }
        let people = people.map(|(path, text)| read_people(&path, &text)).transpose()?.unwrap_or_default();
        let out = args.out.clone();
        if args.export.contains(&Format::Pdf) {
            check_pdf("--export pdf")?;
        }
        let exports = args
            .export
            .iter()
            .copied()
            .filter(|format| *format != Format::Nothing)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let team = args.team.as_deref().map(|team| word("--team", team)).transpose()?;
        if team.is_some() && file.rules.is_empty() && !people.tells_teams() {
            return Err(SettingsError::new(
                "--team: no team is defined",
                "map tags to teams with [[team]] in the settings file, or people with --people-file",
            ));
        }
        // Devin counts nothing by team.
        let reconcile = !args.no_reconcile && args.pages.is_none() && team.is_none();
        Ok(Self {
            source,
            query,
            points,
            previous,
            complete,
            now,
            out,
            mode: args.mode.unwrap_or(PRIVATE),
            exports,
            paper: args.post.paper,
            summary: args.summary.clone(),
            reconcile,
            allow_empty: args.allow_empty,
            privacy,
            money,
            cycles,
            people,
            alerts: alerts_about(file.alerts, None, is_whole),
            rules: file.rules,
            team,
            demo: false,
            periods,
            period,
        })
    }
}

/// The period, the one it is compared with and the others of the trend, newest first; and which of
/// them, newest first, are the points of the trend.
fn with_trend(period: &Period, previous: &Period, count: u32) -> (Vec<Period>, Vec<usize>) {
    let mut periods = vec![period.clone(), previous.clone()];
    let mut place = |point: Period| match periods.iter().position(|known| *known == point) {
        Some(place) => place,
        None => {
            periods.push(point);
            periods.len() - 1
        }
    };
    let points = period.trend(count).into_iter().map(&mut place).collect();
    (periods, points)
}

/// The rules for alerts that are about a report of this name, or without one. `is_whole` says whether
/// the report is about all sessions.
pub fn alerts_about(rules: Vec<AlertRule>, report: Option<&str>, is_whole: bool) -> Vec<AlertRule> {
    rules.into_iter().filter(|rule| rule.is_about(report, is_whole)).collect()
}

/// The period that begins first.
fn earliest(periods: &[Period]) -> Option<&Period> {
    periods.iter().min_by_key(|period| period.first())
}

/// The first and last day of a period that have begun; of one that has yet to come, today.
fn so_far(period: &Period, now: DateTime<Utc>) -> [NaiveDate; 2] {
    let last = period.last().min(period::today(now, period.tz()));
    [period.first().min(last), last]
}

/// The first moment of the periods and the cycles.
fn reaching(earliest: &Period, cycles: &[BudgetCycle]) -> DateTime<Utc> {
    let begins = earliest.from().to_utc();
    cycles.first().map_or(begins, |cycle| cycle.from.min(begins))
}

fn rhythm(text: &str) -> Result<CycleRule, SettingsError> {
    match text.trim() {
        "auto" => Ok(CycleRule::Vendor),
        day => match day.parse() {
            Ok(1) => Ok(CycleRule::Months),
            Ok(day @ 2..=31) => Ok(CycleRule::Day(day)),
            _ => Err(SettingsError::new(
                format!("--budget-cycle-day: cannot read {}", quoted(text)),
                "write a day of the month from 1 to 31, or auto for Devin's billing cycles",
            )),
        },
    }
}

fn money(args: &ReportArgs, prices: Option<Prices>) -> Result<Option<Money>, SettingsError> {
    let rhythm = args.budget_cycle_day.as_deref().map(rhythm).transpose()?;
    if rhythm.is_some() && args.budget.is_none() {
        return Err(SettingsError::new(
            "--budget-cycle-day: no budget is set",
            "set --budget as well, or budget in the settings file",
        ));
    }
    let budget = match args.budget.as_deref().map(|text| (text, file::amount(text))) {
        Some((text, None)) => {
            return Err(SettingsError::new(
                format!("--budget: cannot read {}", quoted(text)),
                "write it as 5000 or 5000.00",
            ));
        }
        Some((_, Some(0.0))) => {
            return Err(SettingsError::new("--budget: it is 0", "omit it if there is none"));
        }
        budget => budget.and_then(|(_, amount)| amount),
    };
    match prices {
        Some(prices) => Ok(Some(Money { prices, budget, rhythm: rhythm.unwrap_or_default() })),
        None if budget.is_some() => Err(SettingsError::new(
            "--budget: no price is set",
            "set the price of an ACU in the settings file, under [[price]]",
        )),
        None => Ok(None),
    }
}

fn read_people(path: &Path, text: &str) -> Result<PeopleFile, SettingsError> {
    PeopleFile::parse(text).map_err(|flaw| {
        SettingsError::new(
            format!("{}, line {}: {}", shown(path), flaw.line, clean(&flaw.what, 200)),
            flaw.hint,
        )
    })
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::cli::ApiArgs;

    fn resolve(args: ReportArgs) -> Result<Settings, SettingsError> {
        resolve_with(args, SettingsFile::default())
    }

    fn resolve_with(args: ReportArgs, file: SettingsFile) -> Result<Settings, SettingsError> {
        let args = ReportArgs {
            tz: if args.tz.is_empty() { "UTC".to_owned() } else { args.tz.clone() },
            trend: 2,
            access: ApiArgs {
                base_url: "https://api.devin.ai".to_owned(),
                page_size: 200,
                concurrency: 4,
                ..ApiArgs::default()
            },
            ..args
        };
        let key = FoundKey::new(" apk_user_x\n", "a test");
        let found = Found { key: Some(key), file, ..Found::default() };
        Settings::resolve(&args, found, "2026-10-14T09:30:15.5Z".parse().unwrap())
    }

    fn week(label: &str) -> ReportArgs {
        ReportArgs { week: Some(label.to_owned()), ..ReportArgs::default() }
    }

    #[test]
    fn one_window_holds_the_period_and_its_trend() {
        let settings = resolve(week("2026-W41")).unwrap();
        assert_eq!(settings.query.from.to_rfc3339(), "2026-09-21T00:00:00+00:00");
        assert_eq!(settings.query.to.to_rfc3339(), "2026-10-12T00:00:00+00:00");
        assert_eq!(
            (labels(&settings.periods), settings.points),
            (WEEKS.map(str::to_owned).into(), vec![0, 1, 2])
        );
        assert!(settings.complete);
    }

    const WEEKS: [&str; 3] = ["2026-W41", "2026-W40", "2026-W39"];

    fn labels(periods: &[Period]) -> Vec<String> {
        periods.iter().map(Period::label).collect()
    }

    #[test]
    fn the_window_reaches_back_to_a_chosen_period() {
        let with = |chosen: &str| {
            resolve(ReportArgs { compare_with: Some(chosen.to_owned()), ..week("2026-W41") }).unwrap()
        };
        let own = |settings: &Settings| {
            let day = settings.query.from.date_naive().to_string();
            (labels(&settings.periods).join(" "), settings.points.clone(), settings.previous.label(), day)
        };
        let expected = |periods: &str, points: &[usize], previous: &str, day: &str| {
            (periods.to_owned(), points.to_vec(), previous.to_owned(), day.to_owned())
        };
        // Before the trend, within it, the usual one.
        let far = expected("2026-W41 2026-W30 2026-W40 2026-W39", &[0, 2, 3], "2026-W30", "2026-07-20");
        assert_eq!(own(&with("2026-W30")), far);
        let within = expected("2026-W41 2026-W39 2026-W40", &[0, 2, 1], "2026-W39", "2026-09-21");
        assert_eq!(own(&with("2026-W39")), within);
        assert_eq!(own(&with("2026-W40")), own(&resolve(week("2026-W41")).unwrap()));
        // Of another kind: it overlaps the trend and begins before or after it.
        let month = expected("2026-W41 2026-09 2026-W40 2026-W39", &[0, 2, 3], "2026-09", "2026-09-01");
        assert_eq!(own(&with("2026-09")), month);
        assert_eq!(own(&with("2026-09-24_2026-09-25")).3, "2026-09-21");
        let error = resolve(ReportArgs { compare_with: Some("0001-01".to_owned()), ..week("2026-W41") });
        assert!(error.is_ok());
        let early = resolve(ReportArgs { compare_with: Some("0000-01".to_owned()), ..week("2026-W41") });
        assert!(early.unwrap_err().to_string().contains("the years 1 to 9998"));
    }

    #[test]
    fn a_covered_report_is_compared_with_a_period_of_its_kind() {
        let with = |chosen: &str| {
            let args = ReportArgs { compare_with: Some(chosen.to_owned()), ..week("2026-W41") };
            resolve(ReportArgs { people: Some(crate::cli::People::Hidden), ..args })
        };
        assert_eq!(with("2026-W30").unwrap().previous.label(), "2026-W30");
        assert_eq!(with("same-week-last-year").unwrap().previous.label(), "2025-W41");
        for other in ["2026-09", "2026-Q2", "2026-09-07_2026-09-13", "2026-09-07"] {
            let error = with(other).unwrap_err();
            assert!(error.to_string().contains("a report that hides people is compared with a whole week"));
            assert!(error.hint.contains("same-week-last-year"), "{}", error.hint);
        }
    }

    #[test]
    fn the_window_reaches_back_to_the_first_cycle() {
        let of = |day: Option<&str>, change: fn(&mut ReportArgs)| {
            let mut args = week("2026-W41");
            (args.budget, args.budget_cycle_day) = (Some("9".to_owned()), day.map(str::to_owned));
            change(&mut args);
            let currency = crate::money::Currency::parse("EUR").unwrap();
            let price = crate::money::Price { from: NaiveDate::MIN, per_acu: 1.0 };
            let prices = Prices::new(currency, vec![price]);
            resolve_with(args, SettingsFile { prices, ..SettingsFile::default() }).unwrap()
        };
        let labels = |settings: &Settings| -> Vec<String> {
            settings.cycles.iter().map(|cycle| cycle.label.clone()).collect()
        };
        let month = of(None, |_| ());
        assert_eq!(
            (labels(&month), month.query.from.to_rfc3339()),
            (vec!["2026-10".to_owned()], "2026-09-21T00:00:00+00:00".to_owned())
        );
        let cycle = of(Some("15"), |_| ());
        assert_eq!(labels(&cycle), ["2026-09-15_2026-10-14"]);
        assert_eq!(cycle.query.from.to_rfc3339(), "2026-09-15T00:00:00+00:00");
        // A quarter that has yet to end has no month that has yet to begin.
        let quarter = of(None, |args| (args.week, args.quarter) = (None, Some("2026-Q4".to_owned())));
        assert_eq!(labels(&quarter), ["2026-10"]);
        assert!(labels(&of(None, |args| args.tags = vec!["a".to_owned()])).is_empty());

        let mut settings = of(Some("auto"), |_| ());
        assert!(settings.asks_for_cycles() && labels(&settings) == ["2026-10"]);
        let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert!(!settings.follow(&[moment("2026-08-10T08:00:00Z")..moment("2026-10-10T08:00:00Z")]));
        assert_eq!(labels(&settings), ["2026-10"]);
        assert!(settings.follow(&[moment("2026-09-10T08:00:00Z")..moment("2026-10-20T08:00:00Z")]));
        assert_eq!(settings.query.from.to_rfc3339(), "2026-09-10T08:00:00+00:00");
    }

    #[test]
    fn a_running_period_is_frozen_at_the_start_of_the_run() {
        let settings = resolve(week("2026-W42")).unwrap();
        assert_eq!(settings.query.to.to_rfc3339(), "2026-10-14T09:30:15+00:00");
        assert!(!settings.complete);
        let next = resolve(week("2026-W43")).unwrap();
        assert_eq!(next.query.to.to_rfc3339(), "2026-10-14T09:30:15+00:00");
        let far = resolve(week("2026-W49")).unwrap();
        assert_eq!(far.query.to.to_rfc3339(), "2026-12-07T00:00:00+00:00");
    }

    #[test]
    fn a_zone_is_found_without_case_and_a_wrong_one_gets_a_neighbour() {
        let zoned = ReportArgs { tz: "europe/berlin".to_owned(), ..ReportArgs::default() };
        assert_eq!(resolve(zoned).unwrap().period.tz(), Tz::Europe__Berlin);
        let error = resolve(ReportArgs { tz: "Berlin".to_owned(), ..ReportArgs::default() }).unwrap_err();
        assert!(error.hint.contains("Europe/Berlin"), "{}", error.hint);
    }
}
