//! Small groups in one: a row of a handful of people tells of each of them.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::calendar::PERIOD;
use super::cube::TAGS;
use crate::frame::columns as c;
use crate::people::ENOUGH;

/// The number of the group that small groups are folded into.
pub const FEW: u32 = u32::MAX - 1;
/// What that group is called.
pub const FOLDED: &str = "fewer than five people";

const PEOPLE: &str = "people";

/// Groups, each by its dimension and its number there.
pub type Groups = BTreeSet<(&'static str, u32)>;

/// Folds the teams, organisations, tags and repositories in which one to four
/// people were at work in the report's period, and gives those in which as few
/// were in the one before: what they had is not to be told. A group of service
/// users alone is no group of people and stays.
///
/// `sessions` knows its periods; `tags` gets a count of the tags that a row
/// stands for, so that shares of a session still add up to the whole.
pub fn fold(sessions: &mut DataFrame, tags: &mut DataFrame, entries: &mut DataFrame) -> PolarsResult<Groups> {
    let at_work = sessions
        .clone()
        .lazy()
        .filter(col(c::AUTOMATION).not().and(col(c::USER).is_not_null()))
        .select([col(c::ROW), col(PERIOD), col(c::USER)])
        .collect()?;
    let few = |frame: &DataFrame, dim, period: u32| -> PolarsResult<Vec<u32>> {
        let on = [col(c::ROW)];
        let people = at_work.clone().lazy().filter(col(PERIOD).eq(lit(period)));
        let groups = frame.clone().lazy().select([col(c::ROW), col(dim)]);
        few(groups.join(people, on.clone(), on, JoinArgs::new(JoinType::Inner)), dim)
    };
    for dim in [c::TEAM, c::ORG] {
        recode(sessions, dim, &few(sessions, dim, 0)?)?;
    }
    recode(entries, c::REPO, &few(entries, c::REPO, 0)?)?;
    recode(tags, c::TAG, &few(tags, c::TAG, 0)?)?;
    let mut before = Groups::new();
    for (frame, dim) in [(&*sessions, c::TEAM), (sessions, c::ORG), (entries, c::REPO), (tags, c::TAG)] {
        before.extend(few(frame, dim, 1)?.into_iter().map(|number| (dim, number)));
    }
    *tags = tags
        .clone()
        .lazy()
        .group_by_stable([col(c::ROW), col(c::TAG)])
        .agg([len().cast(DataType::UInt32).alias(TAGS)])
        .collect()?;
    Ok(before)
}

/// The groups with too few people, in ascending order.
fn few(rows: LazyFrame, dim: &str) -> PolarsResult<Vec<u32>> {
    let groups = rows
        .filter(col(dim).is_not_null())
        .group_by([col(dim)])
        .agg([col(c::USER).n_unique().alias(PEOPLE)])
        .filter(col(PEOPLE).lt(lit(ENOUGH)))
        .collect()?;
    let mut few: Vec<u32> = groups.column(dim)?.u32()?.iter().flatten().collect();
    few.sort_unstable();
    Ok(few)
}

fn recode(frame: &mut DataFrame, dim: &str, few: &[u32]) -> PolarsResult<()> {
    let code = |number: u32| if few.binary_search(&number).is_ok() { FEW } else { number };
    let recoded = frame.column(dim)?.u32()?.apply_values(code);
    frame.with_column(recoded.into_column())?;
    Ok(())
}
