//! Frames to facts: named pure functions over lazy frames. Polars ends here.
//!
//! A metric is one constant and one function in the file of its family; the
//! registry below gives the catalogue, the definitions on the page and the
//! facts. The numbers follow the definitions in METRICS.md.

mod acus;
mod analysis;
mod answers;
mod budget;
mod calendar;
mod catalogue;
mod cube;
mod evaluate;
mod evidence;
mod facts;
mod metric;
mod plan;
mod pull_requests;
mod quality;
mod read;
mod sessions;
mod spend;
mod suppress;

use polars::prelude::{PolarsError, PolarsResult};

pub use acus::*;
pub use analysis::*;
pub use budget::{Allowance, Budget};
pub use catalogue::{closest, markdown, text};
pub use evaluate::Span;
pub use evidence::{Evidence, LabelRow, SessionRow};
pub use facts::{Bounds, Fact, Facts, Quality, Source, Withheld};
pub use metric::{Basis, Dim, Direction, Grain, Kind, Known, Metric, Needs, Plan};
pub use pull_requests::*;
pub use read::ReadError;
pub use sessions::*;
pub use spend::*;
pub use suppress::SMALL_GROUP;

use cube::Cube;
use suppress::Suppression;

use crate::fetch::Records;
use crate::frame::{Frames, columns};
use crate::people::ENOUGH;

/// Every metric there is, in the order of the catalogue.
pub static METRICS: &[Metric] = &[
    SESSIONS,
    ACTIVE_USERS,
    AUTOMATION_SESSIONS,
    ACUS,
    ACUS_SPLIT,
    ACUS_PER_SESSION_MEDIAN,
    ACUS_PER_SESSION_P90,
    ACUS_PER_SESSION_MAX,
    ACUS_HISTOGRAM,
    ACUS_TOP_DECILE_SHARE,
    PRS,
    PRS_MERGED,
    MERGE_RATE,
    MERGE_RATE_ALL,
    SESSIONS_WITH_PR,
    SESSIONS_WITH_MERGED_PR,
    ACUS_PER_MERGED_PR,
    ACUS_WITHOUT_PR_SHARE,
    ANALYSED_SESSIONS,
    ANALYSIS_COVERAGE,
    ISSUES,
    SESSIONS_WITH_ISSUE,
    ISSUE_COUNT_HISTOGRAM,
    ACTION_ITEMS,
    SESSIONS_WITH_PROMPT_FEEDBACK,
    USER_MESSAGES_MEDIAN,
    SESSIONS_STOPPED_BY_LIMIT,
    SPEND,
    SPEND_SPLIT,
    SPEND_PER_MERGED_PR,
];

/// The metrics that there is the data for.
pub fn known_to(known: Known) -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(move |metric| metric.groups.iter().any(|by| known.tells(metric, by)))
}

/// Sessions with known ACUs from which on 0 in all of them says something.
const ENOUGH_ZEROS: usize = 20;

/// Whether work is billed in ACUs: not where at least 20 sessions of all periods have
/// known ACUs and all of them are 0.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn is_metered(frames: &Frames) -> Result<bool, MetricsError> {
    let acus = frames.sessions.column(columns::ACUS).and_then(|acus| acus.f64().cloned());
    let acus = acus.map_err(MetricsError::of("whether the account is metered"))?;
    let known = acus.len() - acus.null_count();
    Ok(known < ENOUGH_ZEROS || acus.iter().flatten().any(|acus| acus != 0.0))
}

/// A number could not be worked out.
#[derive(Debug, thiserror::Error)]
#[error("could not work out {what}: {source}")]
pub struct MetricsError {
    what: &'static str,
    source: PolarsError,
}

impl MetricsError {
    fn of(what: &'static str) -> impl Fn(PolarsError) -> Self {
        move |source| Self { what, source }
    }
}

/// What the stage gives: the numbers, what could not be read, and the single
/// sessions and labels that the page names.
pub struct Findings {
    /// Every fact of the registry, in canonical order.
    pub facts: Vec<Fact>,
    /// What could not be read as documented.
    pub quality: Quality,
    /// Rows that are no facts: sessions worth a look, labels and what they touched.
    pub evidence: Evidence,
    /// How much of each month's or billing cycle's budget is used, the oldest first.
    pub budgets: Vec<Budget>,
    /// What a covered report leaves out because it rests on too few people.
    pub withheld: Vec<Withheld>,
}

/// Works out everything that a report shows; `None` where it is to be covered and
/// fewer than five people were at work in its period.
///
/// # Errors
/// Polars refused a plan: an internal error.
pub fn evaluate(frames: &Frames, span: &Span<'_>) -> Result<Option<Findings>, MetricsError> {
    let cube = Cube::new(frames, span).map_err(MetricsError::of("the periods"))?;
    let recent = cube.recent().map_err(MetricsError::of("the periods"))?;
    if span.covered {
        return covered(frames, &cube, &recent, span);
    }
    Ok(Some(Findings {
        facts: evaluate::evaluate(&cube, &recent, span, None)?,
        budgets: budget::budgets(frames, span).map_err(MetricsError::of("the budgets"))?,
        quality: told(quality::quality(frames, &recent, None), span)?,
        evidence: evidence::gather(&recent).map_err(MetricsError::of("the sessions worth a look"))?,
        withheld: Vec::new(),
    }))
}

/// The same for a covered report: nothing of single sessions, and no number that
/// rests on fewer than five people.
fn covered(
    frames: &Frames,
    cube: &Cube,
    recent: &Cube,
    span: &Span<'_>,
) -> Result<Option<Findings>, MetricsError> {
    let groupings: Vec<_> = evaluate::shown_groupings(span).collect();
    let suppression = budget::price_changes(frames, span)
        .and_then(|prices| Suppression::decide(&groupings, cube, recent, prices))
        .map_err(MetricsError::of("which groups are too small"))?;
    if suppression.people(0) < ENOUGH as usize {
        return Ok(None);
    }
    // What is grouped by impact knows no impact that is hidden.
    let impacts = |cube: &Cube| suppression.without_impacts(cube).map_err(MetricsError::of("the impacts"));
    let facts = evaluate::evaluate(&impacts(cube)?, &impacts(recent)?, span, Some(&suppression))?;
    let withheld = withheld(span, &facts, &suppression);
    let quality = quality::quality(frames, recent, Some(&suppression));
    Ok(Some(Findings {
        facts,
        quality: told(quality, span)?,
        evidence: Evidence::default(),
        budgets: budget::covered(frames, span).map_err(MetricsError::of("the budgets"))?,
        withheld,
    }))
}

/// The counts without those of what the records cannot tell.
fn told(quality: PolarsResult<Quality>, span: &Span<'_>) -> Result<Quality, MetricsError> {
    let quality = quality.map_err(MetricsError::of("the quality counts"))?;
    Ok(match span.known.records {
        Records::Export => Quality { unknown_status: None, unknown_impact: None, ..quality },
        Records::Api(_) => quality,
    })
}

/// Groupings of which nothing is shown, although there may be something to show.
fn withheld(span: &Span<'_>, facts: &[Fact], suppression: &Suppression) -> Vec<Withheld> {
    let shown: Vec<_> = evaluate::shown_groupings(span).map(|(metric, by)| (metric.id, by)).collect();
    let has_facts = |metric: &Metric, by: &[Dim]| {
        facts.iter().any(|fact| fact.metric.id == metric.id && fact.dims().eq(by.iter().copied()))
    };
    let is_hidden = |metric: &'static Metric, by: &[Dim]| match shown.contains(&(metric.id, by.to_vec())) {
        // There is nothing about single people at all.
        false => !by.contains(&Dim::User),
        true => (by.is_empty() || suppression.of(metric, by).is_left_out()) && !has_facts(metric, by),
    };
    // Of what nobody would be shown there is nothing to hide.
    let all = evaluate::all_groupings(span).filter(|(metric, by)| span.known.shows(metric, by));
    let hidden = all.filter(|(metric, by)| is_hidden(metric, by));
    let mut withheld: Vec<Withheld> = hidden.map(|(metric, by)| Withheld { metric, by }).collect();
    withheld.sort_by(|a, b| a.metric.id.cmp(b.metric.id).then_with(|| a.by.cmp(&b.by)));
    withheld
}
