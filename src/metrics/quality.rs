//! What could not be read as documented, over the report's period.

use polars::prelude::*;

use super::calendar::PERIOD;
use super::cube::Cube;
use super::facts::Quality;
use crate::frame::Frames;
use crate::frame::columns as c;

/// The documented statuses of a session.
const STATUSES: [&str; 7] = ["new", "claimed", "running", "exit", "error", "suspended", "resuming"];

/// The place of `other` among the impacts.
const OTHER: u32 = 3;
/// The place of `unknown` among the states.
const UNKNOWN: u32 = 4;

/// Counts of sessions, issues and pull requests with a value that is missing
/// or not among the documented ones.
///
/// # Errors
/// Polars refused a step: a defect, not a state of the data.
pub fn quality(frames: &Frames, cube: &Cube) -> PolarsResult<Quality> {
    let here = || col(PERIOD).eq(lit(0));
    let numbered = frames.words.of(c::STATUS).iter().zip(0_u32..);
    let known = numbered
        .filter(|(status, _)| STATUSES.contains(&status.as_ref()))
        .fold(lit(false), |known, (_, status)| known.or(col(c::STATUS).eq(lit(status))))
        .fill_null(lit(false));
    let sessions = cube.sessions(&[]).filter(here());
    let own = sessions.clone().select([col(c::ROW)]);
    let entries = frames.pull_requests.clone().lazy().semi_join(own, col(c::ROW), col(c::ROW));
    Ok(Quality {
        acus_unknown: count(sessions.clone().filter(col(c::ACUS).is_null()))?,
        unknown_status: count(sessions.filter(known.not()))?,
        unknown_impact: count(cube.issues(&[]).filter(here().and(col(c::IMPACT).eq(lit(OTHER)))))?,
        unknown_pr_state: count(cube.pull_requests(&[]).filter(here().and(col(c::STATE).eq(lit(UNKNOWN)))))?,
        prs_without_url: count(entries.filter(col(c::ADDRESS).is_null()))?,
    })
}

fn count(frame: LazyFrame) -> PolarsResult<u64> {
    Ok(frame.select([len()]).collect()?.column("len")?.get(0)?.extract::<u64>().unwrap_or(0))
}
