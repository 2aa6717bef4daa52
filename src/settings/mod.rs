//! Settings: what was typed, validated once, before any work is done.

mod asked;
mod checks;
mod command;
mod file;
pub mod mail;
mod network;
mod privacy;
mod show;
mod sources;
mod sync;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, SubsecRound, Utc};

pub use checks::{checked_key, ping, users};
pub use command::password_command;
pub use file::{SettingsFile, parse as parse_file};
pub use network::{CA_FILE_HINT, Network};
use privacy::check_covered_period;
pub use privacy::{Privacy, privacy};
pub use show::{EXAMPLE, show};
pub use sources::sources;
pub use sync::Sync;

use crate::cli::{Format, ReportArgs};
use crate::fetch::{Api, Question};
use crate::money::Prices;
use crate::people::{People, TagRule};
use crate::period::{self, Period};
use crate::text::{clean, shown};
use asked::asked;
use checks::{quoted, word, zone};

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

/// A secret as it was found, unchecked.
pub struct FoundKey {
    /// Its text, white space and all.
    pub text: String,
    /// Where it was found, for messages; harmless to a terminal.
    pub source: String,
}

impl FoundKey {
    /// The secret itself: the byte order mark and the line ends belong to the file.
    pub fn secret(&self) -> &str {
        self.text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n'])
    }
}

/// What was found for a report around its options, unchecked.
#[derive(Default)]
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
    /// What may be spent in a calendar month.
    pub budget: Option<f64>,
}

/// Saved pages that are read in the API's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// A file, a folder, or `-` for standard input.
    pub path: PathBuf,
    /// Their generation, where somebody says it; else the records tell.
    pub api: Option<Api>,
}

/// Everything a report needs to know, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the API is asked.
    pub question: Question,
    /// Where the sessions come from if nobody is asked.
    pub pages: Option<Pages>,
    /// The archive that they come from, if nobody is asked and nothing was saved.
    pub archive: Option<PathBuf>,
    /// The folder in which answers are kept.
    pub save_pages: Option<PathBuf>,
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
    /// The rights of the files that are written.
    pub mode: u32,
    /// What is exported besides, each format once.
    pub exports: Vec<Format>,
    /// The file that a summary is appended to.
    pub summary: Option<PathBuf>,
    /// Whether the vendor's own counts are asked for.
    pub reconcile: bool,
    /// Whether a report is written where no session matches the filters.
    pub allow_empty: bool,
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
        let Found { key, file, network, people } = found;
        let now = now.trunc_subsecs(0);
        let tz = zone(&args.tz)?;
        let period = checks::period(args, now, tz)?;
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
        // Nobody is asked for what lies on the disk, and what v3 cannot be asked for
        // can still be found there.
        let (limits, key) = match args.is_offline() {
            true => (Some(Api::V2), None),
            false => (None, Some(checked_key(key.as_ref())?).zip(key)),
        };
        let asked = asked(&args.access, args.org.as_deref(), key, &network, limits)?;
        let api_from = asked.api_from;
        let pages = args.pages.clone();
        let stated = args.access.api.as_ref().map(|_| asked.question.api);
        let pages = pages.map(|path| Pages { path, api: stated });
        let question = Question {
            from: from.to_utc(),
            to: if open { now } else { period.to().to_utc() },
            tags: args.tags.iter().map(|tag| word("--tag", tag)).collect::<Result<_, _>>()?,
            users: users(&args.users, limits.unwrap_or(asked.question.api))?,
            allow_partial: args.allow_partial,
            ..asked.question
        };
        let complete = period.complete(now);
        let privacy = privacy(args)?;
        if args.archive().is_some() && privacy.prompts {
            return Err(SettingsError::new(
                "--include-prompts: an archive keeps no prompts",
                "leave it out, or report without --archive",
            ));
        }
        if privacy.covered {
            check_covered_period(&period, complete)?;
        }
        let people = people.map(|(path, text)| read_people(&path, &text)).transpose()?.unwrap_or_default();
        let out = args.out.clone();
        let exports = args
            .export
            .iter()
            .copied()
            .filter(|format| *format != Format::Nothing)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let reconcile = !args.no_reconcile && !args.is_offline();
        let save_pages = args.save_pages.clone().filter(|_| !args.is_offline());
        Ok(Self {
            question,
            pages,
            archive: args.archive().cloned(),
            save_pages,
            api_from,
            points,
            previous,
            complete,
            now,
            out,
            mode: args.mode.unwrap_or(PRIVATE),
            exports,
            summary: args.summary.clone(),
            reconcile,
            allow_empty: args.allow_empty,
            privacy,
            money,
            month,
            people,
            rules: file.rules,
            demo: false,
            periods,
            period,
        })
    }
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
            format!("{}, line {}: {}", shown(path), flaw.line, clean(&flaw.what, 200)),
            "begin it with the line user,name,team,from, or with semicolons or tabs between them; user is an id \
             or an email",
        )
    })
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::cli::ApiArgs;

    fn resolve(args: ReportArgs) -> Result<Settings, SettingsError> {
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
