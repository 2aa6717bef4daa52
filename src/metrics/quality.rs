//! What could not be read as documented, over the report's period.

use polars::prelude::*;

use super::calendar::PERIOD;
use super::cube::Cube;
use super::facts::Quality;
use super::metric::{Basis, Dim};
use super::suppress::{Suppression, people};
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
    let known = numbered
        .filter(|(status, _)| STATUSES.contains(&status.as_ref()))
        .fold(lit(false), |known, (_, status)| known.or(col(c::STATUS).eq(lit(status))))
        .fill_null(lit(false));
    let sessions = cube.sessions(&[]).filter(here());
    let entries = frames.pull_requests.clone().lazy().inner_join(sessions.clone(), col(c::ROW), col(c::ROW));
    let count = |rows: LazyFrame, hides: Option<(Basis, Dim)>| -> PolarsResult<Option<u64>> {
        let count = count(rows.clone())?;
        let Some(suppression) = suppression else { return Ok(Some(count)) };
        let is_whole = hides.is_none_or(|(basis, dim)| suppression.of(basis, &[dim]).is_whole());
        let people = people(rows, 1)?.first().copied().unwrap_or(0);
        Ok(Some(count).filter(|_| count == 0 || (is_whole && people >= ENOUGH as usize)))
    };
    // Rows are shown where enough people have them; then so is what they add up to.
    let sum = |rows: LazyFrame| -> PolarsResult<Option<u64>> {
        let shown = count(rows.clone(), None)?;
        let sum = rows.select([col(c::UNREADABLE).cast(DataType::UInt64).sum()]).collect()?;
        Ok(shown.and(sum.column(c::UNREADABLE)?.u64()?.get(0)))
    };
    let with_state = cube.pull_requests(&[]).filter(here().and(col(c::STATE).eq(lit(UNKNOWN))));
    let with_impact = cube.issues(&[]).filter(here().and(col(c::IMPACT).eq(lit(OTHER))));
    Ok(Quality {
        acus_unknown: count(sessions.clone().filter(col(c::ACUS).is_null()), None)?,
        unknown_status: count(sessions.clone().filter(known.not()), Some((Basis::Sessions, Dim::Status)))?,
        unknown_impact: count(with_impact, Some((Basis::AnalysedSessions, Dim::Impact)))?,
        unknown_pr_state: count(with_state, Some((Basis::PullRequests, Dim::State)))?,
        prs_without_url: count(entries.filter(col(c::ADDRESS).is_null()), None)?,
        unreadable_fields: sum(sessions.filter(col(c::UNREADABLE).gt(lit(0))))?,
    })
}

fn count(frame: LazyFrame) -> PolarsResult<u64> {
    frame.select([len()]).collect()?.column("len")?.get(0)?.try_extract()
}
