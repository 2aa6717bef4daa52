//! What could not be read as documented, over the report's period.

use polars::prelude::*;

use super::analysis::ISSUES;
use super::dimension::Dim;
use super::facts::Quality;
use super::metric::Metric;
use super::period_frames::PeriodFrames;
use super::pull_requests::PRS;
use super::sessions::SESSIONS;
use super::suppress::{Suppression, none_or_enough, people};
use crate::people::ENOUGH;
use crate::tables::schema as c;

/// The documented statuses of a session.
const STATUSES: [&str; 8] =
    ["new", "creating", "claimed", "running", "exit", "error", "suspended", "resuming"];

/// Counts of sessions, issues and pull requests with a value that is missing or
/// not among the documented ones. In a covered report a count is null where it
/// rests on too few people, or where it would give away a group that is hidden.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn quality(frames: &PeriodFrames, suppression: Option<&Suppression>) -> PolarsResult<Quality> {
    let sessions = || frames.sessions(&[]);
    let count = |rows: LazyFrame, hides: Option<(&Metric, Dim)>| -> PolarsResult<Option<u64>> {
        let count = sum(rows.clone().select([len()]))?;
        let Some(suppression) = suppression else { return Ok(Some(count)) };
        let is_whole = hides.is_none_or(|(metric, dim)| suppression.is_whole(metric, &[dim]));
        let is_shown = count == 0 || (is_whole && people(rows)? >= ENOUGH as usize);
        Ok(is_shown.then_some(count))
    };
    let status = col(c::STATUS).cast(DataType::String);
    let statuses = lit(Series::new(PlSmallStr::EMPTY, STATUSES)).implode(true);
    let is_documented = status.is_in(statuses, false).fill_null(lit(false));
    // Entries have the person of their session in a covered report alone.
    let entries = frames.entries().filter(col(c::ADDRESS).is_null());
    let entries = entries.inner_join(sessions(), col(c::ROW), col(c::ROW));
    let states = frames.pull_requests(&[]).filter(col(c::STATE).eq(lit("unknown")));
    let impacts = frames.issues(&[]).filter(col(c::IMPACT).eq(lit("other")));
    // It counts parts of what the others count: a covered report says only whether there are any.
    let unreadable = sum(sessions().select([col(c::UNREADABLE).sum()]))?;
    // The others are those whose ACUs are known.
    let known = || sessions().filter(col(c::ACUS).is_not_null());
    let is_rest_known = suppression.is_some() && !none_or_enough(people(known())?);
    let unknown = count(sessions().filter(col(c::ACUS).is_null()), None)?;
    let has_rules = sum(sessions().select([col(c::SEVERAL_TEAMS).is_not_null().sum()]))? > 0;
    let several = sum(sessions().filter(col(c::SEVERAL_TEAMS)).select([len()]))?;
    Ok(Quality {
        acus_unknown: unknown.filter(|_| !is_rest_known),
        unknown_status: count(sessions().filter(is_documented.not()), Some((&SESSIONS, Dim::Status)))?,
        unknown_impact: count(impacts, Some((&ISSUES, Dim::Impact)))?,
        unknown_pr_state: count(states, Some((&PRS, Dim::State)))?,
        prs_without_url: count(entries, None)?,
        unreadable_fields: Some(unreadable).filter(|sum| suppression.is_none() || *sum == 0),
        // In a covered report it could be subtracted from all sessions.
        several_teams: Some(several).filter(|several| has_rules && (suppression.is_none() || *several == 0)),
    })
}

/// The one count that a plan gives.
fn sum(plan: LazyFrame) -> PolarsResult<u64> {
    plan.collect()?.columns().first().expect("it selects one column").get(0)?.try_extract()
}
