//! How many pull requests are merged within a week. The API has no times of pull requests:
//! an archive knows between which two syncs each of them was decided.

use polars::prelude::*;

use super::capabilities::Needs;
use super::dimension::Dim;
use super::metric::{Basis, Direction, Metric, MetricKind, Plan};
use super::period_frames::{PERIOD, PeriodFrames};
use super::plan::{DENOMINATOR, N, NUMERATOR, divided, keys, number};
use crate::tables::schema as c;
use crate::unit::Unit;

/// Seven days in microseconds.
const IN_TIME: i64 = 7 * 24 * 60 * 60 * 1_000_000;
/// One in so many may be open: beyond that there is no value.
const ONE_IN: f64 = 20.0;

const DEADLINE: &str = "deadline";
const IS_MERGED: &str = "is_merged";

/// How many pull requests were merged within a week of their session.
pub const MERGED_WITHIN_7D_RATE: Metric = Metric {
    id: "merged_within_7d_rate",
    title: "Merged within 7 days",
    unit: Unit::Share,
    direction: Direction::More,
    kind: MetricKind::Ratio,
    basis: Basis::PullRequests,
    definition: "Pull requests that a sync saw merged at most 7 days after the creation of their session, \
        divided by all pull requests of sessions that were at least 7 days old at the last sync. No value if \
        for more than 5% of them the 7th day lies between the sync that last saw them undecided and the \
        one that first saw them decided.",
    needs: Needs::Archive,
    groups: &[&[], &[Dim::Period]],
    plan: Plan::Own(merged_in_time),
};

fn merged_in_time(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    let moment = |name: &str| col(name).to_physical();
    // As everywhere, a pull request is that of the earliest session that lists it.
    let pulls =
        frames.entries().filter(col(c::ADDRESS).is_not_null()).group_by_stable([col(c::ADDRESS)]).agg([
            col(c::ROW).first(),
            col(c::STATE).eq(lit("merged")).any(true).alias(IS_MERGED),
            moment(c::UNDECIDED_UNTIL).max(),
            moment(c::DECIDED_BY).min(),
        ]);
    let deadline = (moment(c::CREATED) + lit(IN_TIME)).alias(DEADLINE);
    let sessions = frames.sessions(&[]).select([col(c::ROW), col(PERIOD), deadline]);
    let synced = frames.synced().unwrap_or(i64::MIN);
    let old = pulls.inner_join(sessions, col(c::ROW), col(c::ROW)).filter(col(DEADLINE).lt_eq(lit(synced)));
    let is = |expr: Expr| expr.fill_null(lit(false));
    let in_time = col(IS_MERGED).and(is(col(c::DECIDED_BY).lt_eq(col(DEADLINE))));
    // Undecided after the 7th day, or closed.
    let later = is(col(c::UNDECIDED_UNTIL).gt_eq(col(DEADLINE)));
    let is_closed = col(IS_MERGED).not().and(col(c::DECIDED_BY).is_not_null());
    let open = in_time.clone().or(later).or(is_closed).not().sum();
    let known = when((lit(ONE_IN) * open.cast(DataType::Float64)).lt_eq(len().cast(DataType::Float64)))
        .then(in_time.sum())
        .otherwise(lit(NULL));
    let parts = [number(known, NUMERATOR), number(len(), DENOMINATOR), number(len(), N)];
    divided(old.group_by(keys(by)).agg(parts))
}
