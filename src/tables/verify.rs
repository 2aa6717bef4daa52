//! Whether the files of a month are what a sync writes.

use polars::prelude::*;

use super::merge::{ids, runs};
use super::schema as c;
use super::{TableError, normal};

/// What [`verify`] finds in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthCheck {
    /// The ids of its sessions, in order.
    pub ids: Vec<String>,
    /// What is wrong, in words; empty where all is well.
    pub faults: Vec<String>,
}

/// Checks the files of a month, as they are on disk: every row is of that month and in
/// order, every child row is of a session that is there and at the place that it
/// names, each tag is there once a session, and each pull request is in the
/// repository of its address.
///
/// # Errors
/// A column is missing.
pub fn verify(files: &[DataFrame; c::COUNT], month: &str) -> Result<MonthCheck, TableError> {
    let [sessions, pull_requests, tags, ..] = files;
    let mut faults = Vec::new();
    for (name, table) in c::NAMES.into_iter().zip(files) {
        let failed = TableError::of;
        let months = table.column(c::CREATED).and_then(runs).map_err(failed(name))?;
        if let Some((other, _)) = months.iter().find(|(own, _)| own != month) {
            faults.push(format!("{name}: it has a row of {other}"));
        }
        let in_order = sorted(table).map_err(failed(name))?;
        if !in_order.equals_missing(table) {
            faults.push(format!("{name}: its rows are out of order"));
        }
        let strays = strays(table, sessions).map_err(failed(name))?;
        if strays > 0 {
            faults.push(format!("{name}: {strays} rows refer to missing sessions"));
        }
        let misplaced = misplaced(table, sessions).map_err(failed(name))?;
        if misplaced > 0 {
            faults.push(format!("{name}: {misplaced} rows point to another session's row"));
        }
    }
    let distinct = tags
        .select([c::SESSION, c::TAG])
        .and_then(|tags| tags.unique_stable(None, UniqueKeepStrategy::Any, None));
    let repeated = tags.height() - distinct.map_err(TableError::of(c::TAGS.name))?.height();
    if repeated > 0 {
        faults.push(format!("tags: {repeated} rows repeat a tag of their session"));
    }
    let unfit = unfit_repos(pull_requests).map_err(TableError::of(c::PULL_REQUESTS.name))?;
    if unfit > 0 {
        faults.push(format!("pull_requests: in {unfit} rows the repo does not match the address"));
    }
    Ok(MonthCheck { ids: ids(sessions)?, faults })
}

/// In the order of creation, then of ids; else as it was.
fn sorted(table: &DataFrame) -> PolarsResult<DataFrame> {
    table.sort([c::CREATED, c::SESSION], SortMultipleOptions::default().with_maintain_order(true))
}

/// Rows of sessions that are not there.
fn strays(table: &DataFrame, sessions: &DataFrame) -> PolarsResult<usize> {
    let sessions = sessions.select([c::SESSION])?.lazy();
    let strays = table.clone().lazy().anti_join(sessions, col(c::SESSION), col(c::SESSION));
    Ok(strays.collect()?.height())
}

/// Child rows whose place is that of another session, or of none; archives before
/// schema 4 name no places.
fn misplaced(table: &DataFrame, sessions: &DataFrame) -> PolarsResult<usize> {
    if table.column(c::ROW).is_err() {
        return Ok(0);
    }
    let places = sessions.select([c::SESSION])?.lazy().with_row_index(c::ROW, None);
    let key = [col(c::ROW), col(c::SESSION)];
    let misplaced = table.clone().lazy().join(places, key.clone(), key, JoinArgs::new(JoinType::Anti));
    Ok(misplaced.collect()?.height())
}

/// Pull requests whose repository is not the one of their address. Older archives
/// have `unknown` for forges that were not known then.
fn unfit_repos(pull_requests: &DataFrame) -> PolarsResult<usize> {
    let (addresses, repos) =
        (pull_requests.column(c::ADDRESS)?.str()?, pull_requests.column(c::REPO)?.str()?);
    let is_unfit = |(address, repo): (Option<&str>, Option<&str>)| {
        address.map(normal::repo) != repo && repo != Some("unknown")
    };
    Ok(addresses.iter().zip(repos.iter()).filter(|pair| is_unfit(*pair)).count())
}
