//! Frames to facts: named pure functions over lazy frames. Polars ends here.
//!
//! A metric is one constant and one function in the file of its family; the
//! registry below gives the catalogue, the definitions on the page and the
//! facts. The numbers follow the definitions in METRICS.md.

mod acus;
mod alerts;
mod analysis;
mod budget;
mod calendar;
mod capabilities;
mod catalogue;
mod clusters;
mod cycle_limit;
mod dimension;
mod error;
mod evaluate;
mod evaluation;
mod fact;
mod facts;
mod finance;
mod highlights;
mod json;
mod layout;
mod marks;
mod merged_in_time;
mod metric;
mod period_frames;
mod plan;
mod pull_requests;
mod quality;
mod registry;
mod sessions;
mod spend;
mod suppress;
mod text_groups;
mod user_facts;
mod users;

use polars::prelude::PolarsResult;

pub use acus::*;
pub use alerts::{Alert, AlertFlaw, AlertMetric, alerts, check_alert, idle_alerts};
pub use analysis::*;
pub use budget::Budget;
pub use capabilities::{Capabilities, Needs};
pub use catalogue::{closest, markdown, text};
pub use clusters::{Cluster, clusters};
pub use cycle_limit::{CycleLimit, LimitedCycle};
pub use dimension::{Dim, SMALL_GROUP};
pub use error::MetricsError;
pub use evaluation::{Allowance, Evaluation};
pub use fact::{Fact, Judgement};
pub use facts::{
    Bounds, Completeness, Facts, Labels, MissingTotal, PeopleMode, Quality, ReportProfile, SCHEMA,
    SavedFiles, Source, Tool, VendorTotals, Withheld,
};
pub use finance::FinanceRow;
pub use highlights::{Highlights, LabelRow, SessionHighlight};
pub use json::{ReadError, number};
pub use marks::ENOUGH_POINTS;
pub use merged_in_time::MERGED_WITHIN_7D_RATE;
pub use metric::{Basis, Direction, Grain, Metric, MetricKind, Plan};
pub use pull_requests::*;
pub use registry::{METRICS, known_to};
pub use sessions::*;
pub use spend::*;
pub use text_groups::{Improvement, PromptFeedback, RecurringIssue, SessionExample};
pub use users::*;

use period_frames::{PeriodFrames, created_between, of_team, period_frames, with_person};
use suppress::Suppression;

use crate::people::ENOUGH;
use crate::period::Period;
use crate::tables::{Frames, schema as columns};
use devin_api::Records;

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

/// Whether any session of a period, or of a team in it, has a mode.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn has_modes(frames: &Frames, period: &Period, team: Option<&str>) -> Result<bool, MetricsError> {
    let (from, to) = (period.from().to_utc(), period.to().to_utc());
    let has_modes = || {
        let sessions = of_team(&created_between(&frames.sessions, from, to)?, team)?;
        PolarsResult::Ok(sessions.column(columns::MODE)?.null_count() < sessions.height())
    };
    has_modes().map_err(MetricsError::of("whether sessions have modes"))
}

/// How much of each organisation's limit of a billing cycle is used, by organisation.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn cycle_limits(frames: &Frames, limited: &LimitedCycle<'_>) -> Result<Vec<CycleLimit>, MetricsError> {
    cycle_limit::cycle_limits(&frames.sessions, limited).map_err(MetricsError::of("the cycle limits"))
}

/// What the stage gives: the facts, what could not be read, and the single sessions and
/// labels that the page names.
pub struct Findings {
    /// Every fact of the registry, in canonical order.
    pub facts: Vec<Fact>,
    /// What could not be read as documented.
    pub quality: Quality,
    /// Rows that are no facts: sessions worth a look, labels and what they touched.
    pub highlights: Highlights,
    /// How much of each month's or billing cycle's budget is used, the oldest first.
    pub budgets: Vec<Budget>,
    /// What teams and cost centres spent at each price.
    pub finance: Vec<FinanceRow>,
    /// What a covered report leaves out because it rests on too few people.
    pub withheld: Vec<Withheld>,
}

/// Everything that a report shows; `None` where it is to be covered and fewer than five people were
/// active in its period.
///
/// # Errors
/// Polars refused a plan: an internal error.
pub fn evaluate(frames: &Frames, evaluation: &Evaluation<'_>) -> Result<Option<Findings>, MetricsError> {
    if evaluation.covered {
        return covered(frames, evaluation);
    }
    let periods = period_frames(frames, evaluation).map_err(MetricsError::of("the periods"))?;
    let own = of_report(&periods);
    let (facts, highlights) = rayon::join(
        || evaluate::evaluate(&periods, evaluation, None),
        || {
            highlights::highlights(own, frames, evaluation.capabilities)
                .map_err(MetricsError::of("the sessions worth a look"))
        },
    );
    let (users, _) = user_facts::facts(&periods, evaluation).map_err(MetricsError::of("the users"))?;
    Ok(Some(Findings {
        facts: marked([facts?, users].concat(), evaluation),
        budgets: budget::budgets(&frames.sessions, evaluation).map_err(MetricsError::of("the budgets"))?,
        finance: finance::finance(&periods, evaluation).map_err(MetricsError::of("the finance rows"))?,
        quality: known_counts(quality::quality(own, None), evaluation)?,
        highlights: highlights?,
        withheld: Vec::new(),
    }))
}

/// Finished facts with their marks.
fn marked(mut facts: Vec<Fact>, evaluation: &Evaluation<'_>) -> Vec<Fact> {
    let point = |place: &usize| evaluation.periods.get(*place).cloned();
    let points: Vec<Period> = evaluation.points.iter().filter_map(point).collect();
    facts.sort_by(Fact::canonical_order);
    marks::mark(&mut facts, &points, evaluation.per_day_scale());
    facts
}

/// The frames of the report's period.
fn of_report(periods: &[PeriodFrames]) -> &PeriodFrames {
    periods.first().expect("a report has a period")
}

/// The same for a covered report: nothing of single sessions, and no number that
/// rests on fewer than five people.
fn covered(frames: &Frames, evaluation: &Evaluation<'_>) -> Result<Option<Findings>, MetricsError> {
    let sessions = with_person(&frames.sessions, evaluation.capabilities.records);
    let sessions = sessions.map_err(MetricsError::of("the people"))?;
    let frames = Frames { sessions, ..frames.clone() };
    let periods = period_frames(&frames, evaluation).map_err(MetricsError::of("the periods"))?;
    let groupings: Vec<_> = evaluate::shown_groupings(evaluation).collect();
    let suppression = of_team(&frames.sessions, evaluation.team)
        .and_then(|sessions| budget::price_changes(&sessions, evaluation))
        .and_then(|prices| Suppression::decide(&groupings, &periods, prices))
        .map_err(MetricsError::of("which groups are too small"))?;
    if suppression.people(0) < ENOUGH as usize {
        return Ok(None);
    }
    // What is grouped by impact has no impact that is hidden.
    let without = suppression.without_impacts(&periods).map_err(MetricsError::of("the impacts"))?;
    let facts = evaluate::evaluate(&without, evaluation, Some(&suppression))?;
    let (users, hidden) = user_facts::facts(&periods, evaluation).map_err(MetricsError::of("the users"))?;
    let withheld = withheld(evaluation, &facts, &suppression, hidden);
    let quality = quality::quality(of_report(&periods), Some(&suppression));
    Ok(Some(Findings {
        facts: marked([facts, users].concat(), evaluation),
        quality: known_counts(quality, evaluation)?,
        highlights: Highlights::default(),
        budgets: budget::covered(&frames.sessions, evaluation).map_err(MetricsError::of("the budgets"))?,
        // Teams, cost centres and prices at once leave few people in a row.
        finance: Vec::new(),
        withheld,
    }))
}

/// The counts without those of what the records do not have.
fn known_counts(
    quality: PolarsResult<Quality>,
    evaluation: &Evaluation<'_>,
) -> Result<Quality, MetricsError> {
    let quality = quality.map_err(MetricsError::of("the quality counts"))?;
    Ok(match evaluation.capabilities.records {
        Records::Export => Quality { unknown_status: None, unknown_impact: None, ..quality },
        Records::Api(_) => quality,
    })
}

/// Groupings of which nothing is shown, although there may be something to show.
fn withheld(
    evaluation: &Evaluation<'_>,
    facts: &[Fact],
    suppression: &Suppression,
    others: Vec<Withheld>,
) -> Vec<Withheld> {
    let shown: Vec<_> = evaluate::shown_groupings(evaluation).map(|(metric, by)| (metric.id, by)).collect();
    let has_facts = |metric: &Metric, by: &[Dim]| {
        facts.iter().any(|fact| fact.metric.id == metric.id && fact.dims().eq(by.iter().copied()))
    };
    let is_hidden = |metric: &'static Metric, by: &[Dim]| match shown.contains(&(metric.id, by.to_vec())) {
        // There is nothing about single people at all.
        false => !by.contains(&Dim::User),
        true => (by.is_empty() || suppression.of(metric, by).is_left_out()) && !has_facts(metric, by),
    };
    // What is not shown needs no hiding.
    let all = evaluate::all_groupings(evaluation)
        .filter(|(metric, by)| metric.is_shown(by, evaluation.capabilities));
    let hidden = all.filter(|(metric, by)| is_hidden(metric, by));
    let mut withheld: Vec<Withheld> =
        hidden.map(|(metric, by)| Withheld { metric, by }).chain(others).collect();
    withheld.sort_by(|a, b| a.metric.id.cmp(b.metric.id).then_with(|| a.by.cmp(&b.by)));
    withheld
}
