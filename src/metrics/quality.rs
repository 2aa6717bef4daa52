//! What could not be read as documented, over the report's period.

use polars::prelude::*;

use super::calendar::PERIOD;
use super::cube::Cube;
use super::facts::Quality;
use super::metric::{Dim, Metric};
use super::suppress::{Suppression, none_or_enough, people};
use super::{ISSUES, PRS, SESSIONS};
use crate::frame::Frames;
use crate::frame::columns as c;
use crate::people::ENOUGH;

/// The documented statuses of a session.
const STATUSES: [&str; 8] =
    ["new", "creating", "claimed", "running", "exit", "error", "suspended", "resuming"];

/// The place of `other` among the impacts.
const OTHER: u32 = 3;
/// The place of `unknown` among the states.
const UNKNOWN: u32 = 4;

/// Counts of sessions, issues and pull requests with a value that is missing or
/// not among the documented ones. In a covered report a count is null where it
/// rests on too few people, or where it would give away a group that is hidden.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn quality(frames: &Frames, cube: &Cube, suppression: Option<&Suppression>) -> PolarsResult<Quality> {
    let here = || col(PERIOD).eq(lit(0));
    let numbered = frames.words.of(c::STATUS).iter().zip(0_u32..);
    let is_known = numbered
        .filter(|(status, _)| STATUSES.contains(&status.as_ref()))
        .fold(lit(false), |any, (_, status)| any.or(col(c::STATUS).eq(lit(status))))
        .fill_null(lit(false));
    let sessions = cube.sessions(&[]).filter(here());
    let entries = frames.pull_requests.clone().lazy().inner_join(sessions.clone(), col(c::ROW), col(c::ROW));
    let count = |rows: LazyFrame, hides: Option<(&Metric, Dim)>| -> PolarsResult<Option<u64>> {
        let count = count(rows.clone())?;
        let Some(suppression) = suppression else { return Ok(Some(count)) };
        let is_whole = hides.is_none_or(|(metric, dim)| suppression.is_whole(metric, &[dim]));
        let people = people(rows, 1)?.first().copied().unwrap_or(0);
        Ok(Some(count).filter(|_| count == 0 || (is_whole && people >= ENOUGH as usize)))
    };
    // It counts parts of what the others count: a covered report says only whether there are any.
    let unreadable = || -> PolarsResult<Option<u64>> {
        let sum = sessions.clone().select([col(c::UNREADABLE).cast(DataType::UInt64).sum()]).collect()?;
        let sum = sum.column(c::UNREADABLE)?.u64()?.get(0);
        Ok(sum.filter(|sum| suppression.is_none() || *sum == 0))
    };
    let with_state = cube.pull_requests(&[]).filter(here().and(col(c::STATE).eq(lit(UNKNOWN))));
    let with_impact = cube.issues(&[]).filter(here().and(col(c::IMPACT).eq(lit(OTHER))));
    // The others are those whose ACUs are known.
    let known = || sessions.clone().filter(col(c::ACUS).is_not_null());
    let is_rest_told = suppression.is_some() && !none_or_enough(people(known(), 1)?.into_iter().sum());
    let unknown = count(sessions.clone().filter(col(c::ACUS).is_null()), None)?;
    Ok(Quality {
        acus_unknown: unknown.filter(|_| !is_rest_told),
        unknown_status: count(sessions.clone().filter(is_known.not()), Some((&SESSIONS, Dim::Status)))?,
        unknown_impact: count(with_impact, Some((&ISSUES, Dim::Impact)))?,
        unknown_pr_state: count(with_state, Some((&PRS, Dim::State)))?,
        prs_without_url: count(entries.filter(col(c::ADDRESS).is_null()), None)?,
        unreadable_fields: unreadable()?,
    })
}

fn count(frame: LazyFrame) -> PolarsResult<u64> {
    frame.select([len()]).collect()?.column("len")?.get(0)?.try_extract()
}
