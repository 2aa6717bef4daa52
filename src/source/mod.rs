//! Where the sessions of a report come from: the API, pages that were saved, or an
//! archive. Each gives the sessions in columns, and what else a report needs.

mod api;
mod archive;
mod filters;
mod saved_pages;
mod shared;
mod users;

use std::ops::{Range, RangeInclusive};
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use tracing::info;

pub use filters::has_team;
pub use shared::Shared;

use crate::cli::Format;
use crate::deliver::PagesWriter;
use crate::error::Error;
use crate::logging::seconds_since;
use crate::people::Teams;
use crate::saved_pages::Saved;
use crate::settings::{Settings, Source};
use crate::tables::{KeptTexts, Tables};
use crate::thread_pool;
use devin_api::{FetchStats, Limits, People, Progress, Records, Vendor};

/// Sessions in columns, and all else that a report needs from outside.
pub struct Loaded {
    /// Those of the run, with what its source knows better.
    pub settings: Settings,
    /// The sessions.
    pub tables: Tables,
    /// What the report keeps of them besides their numbers.
    pub kept: Kept,
    /// What else the report needs.
    pub inputs: ReportInputs,
    /// The answers of the run, where they are to be kept.
    pub pages: Option<PagesWriter>,
}

/// What a report keeps of sessions besides their numbers.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Titles, addresses and prompts.
    pub texts: KeptTexts,
    /// The rules for teams; `None` without teams.
    pub teams: Option<Teams>,
}

/// What a report needs besides the sessions.
#[derive(Clone)]
pub struct ReportInputs {
    /// Where the sessions come from.
    pub provenance: Provenance,
    /// The vendor's own counts.
    pub vendor: Vendor,
    /// Whom the ids in sessions belong to, by the API's lists.
    pub people: People,
    /// No session matches the filters, and an empty report is allowed.
    pub no_match: bool,
    /// What else was noticed on the way.
    pub notes: Vec<String>,
    /// The vendor's billing cycles, or why they are not known; `None` where the report shows no
    /// limits of organisations.
    pub limit_cycles: Option<Cycles>,
}

/// The vendor's billing cycles, the oldest first, or why they are not known, in a few words.
pub type Cycles = Result<Vec<Range<DateTime<Utc>>>, String>;

/// Where sessions come from, and whether they are all of them.
#[derive(Clone)]
pub struct Provenance {
    /// Who wrote their records.
    pub records: Records,
    /// Requests, rows, duplicates and completeness.
    pub stats: FetchStats,
    /// The saved pages that they come from.
    pub saved: Option<Saved>,
    /// When the archive that they come from was brought up to date, RFC 3339.
    pub archived: Option<String>,
}

/// The sessions that the settings ask for, from the source that they name.
///
/// # Errors
/// The sessions cannot be had, or none of them matches the filters.
pub async fn load(
    settings: &Settings,
    limits: &Limits,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Loaded, Error> {
    let begun = Instant::now();
    let loaded = match &settings.source {
        Source::Api { config, save_pages, .. } => {
            api::load(settings, config, save_pages.as_deref(), limits, progress).await
        }
        Source::SavedPages { path, api } => saved_pages::load(settings, path, *api, progress).await,
        Source::Archive { root } => {
            let (settings, root) = (settings.clone(), root.clone());
            thread_pool::run(move || archive::load(&settings, &root)).await?
        }
    }?;
    let FetchStats {
        requests,
        retries,
        pages,
        received,
        unique,
        duplicates,
        outside,
        rejected,
        complete,
        ..
    } = loaded.inputs.provenance.stats;
    info!(
        requests,
        retries,
        pages,
        received,
        unique,
        duplicates,
        outside,
        rejected,
        complete,
        seconds = seconds_since(begun),
        "sessions loaded"
    );
    Ok(loaded)
}

/// The settings with the vendor's billing cycles, where the budget follows them, and
/// what there is to say where they cannot be had.
fn with_cycles(settings: &Settings, cycles: Cycles) -> (Settings, Vec<String>) {
    let mut settings = settings.clone();
    if !settings.asks_for_cycles() {
        return (settings, Vec::new());
    }
    let why = match cycles {
        Ok(reported) if settings.follow(&reported) => return (settings, Vec::new()),
        Ok(_) => "they do not cover the period".to_owned(),
        Err(why) => why,
    };
    let note = format!("Devin's billing cycles are not available ({why}): the budget is for calendar months");
    (settings, vec![note])
}

/// Whether the report shows how much of the organisations' limits is used: only where a list names a
/// limit, and only of all their sessions. A covered report has none, because cycles and periods
/// overlap, and could be subtracted.
fn shows_limits(settings: &Settings, people: &People) -> bool {
    let is_narrowed = filters::are_given(settings, false) || settings.team.is_some();
    !people.cycle_limits.is_empty() && !settings.privacy.covered && !is_narrowed
}

/// The report's period, up to the start of the run where it is not over.
fn in_period(settings: &Settings) -> Range<DateTime<Utc>> {
    settings.period.from().to_utc()..settings.query.to
}

/// Its days.
fn days(settings: &Settings) -> RangeInclusive<NaiveDate> {
    let (first, last) = (settings.period.first(), settings.period.last());
    first..=last.min(settings.now.date_naive()).max(first)
}

/// As many texts as somebody will read: none for a covered report, those of the
/// report's period for a page, all for an analyst.
fn kept(settings: &Settings, people: Option<&People>) -> Kept {
    let emails = people.into_iter().flat_map(|people| &people.members);
    let emails = emails.filter_map(|member| Some((member.id.as_str(), member.email.as_deref()?)));
    let in_full = settings.exports.contains(&Format::Parquet);
    let named_from = match (settings.privacy.covered, in_full) {
        (true, _) => DateTime::<Utc>::MAX_UTC,
        (_, true) => settings.query.from,
        _ => settings.period.from().to_utc(),
    };
    Kept {
        texts: KeptTexts { from: named_from, prompts: settings.privacy.prompts },
        teams: (settings.tells_teams() || settings.tells_cost_centres())
            .then(|| Teams::new(settings.rules.clone(), &settings.people, emails, settings.period.tz())),
    }
}

/// What the lists of people may say in the report: with hidden people the organisations alone, and
/// of them, as from the API, the one that is asked about.
fn shown_people(people: People, settings: &Settings) -> People {
    let mut people = match settings.privacy.covered {
        false => people,
        true => People { organisations: people.organisations, ..People::default() },
    };
    let is_shown = |id: &String| settings.query.org.as_ref().is_none_or(|asked| asked == id);
    people.organisations.retain(|id, _| is_shown(id));
    people.cycle_limits.retain(|id, _| is_shown(id));
    people
}
