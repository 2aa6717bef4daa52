//! What it cost in money, at the prices that the user gave.
//!
//! A session costs its ACUs times the price on the local day of its creation.
//! Where a group holds ACUs from before the first price, its spend is unknown:
//! a part of it would look like all of it.

use polars::prelude::*;

use super::calendar::{SPEND as SPENT, UNPRICED};
use super::capabilities::Needs;
use super::dimension::Dim;
use super::metric::{Basis, Direction, Grain, Metric, MetricKind, Plan};
use super::plan::part_of_tag;
use super::pull_requests::{COST, per_merged_pr};
use super::sessions::VOLUME;
use crate::money::Currency;
use crate::unit::Unit;

/// Spend.
pub const SPEND: Metric = Metric {
    id: "spend",
    title: "Spend",
    unit: Unit::Money(Currency::NONE),
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "ACUs of each session times the price of an ACU on the day of its creation, \
                 by the prices in the settings of this report. By tag a session counts fully under each of its tags.",
    needs: Needs::Price,
    groups: VOLUME,
    plan: Plan::Total(Grain::Session, || [unless_unpriced(col(SPENT).sum()), len()]),
};

/// Spend shared out among tags.
pub const SPEND_SPLIT: Metric = Metric {
    id: "spend_split",
    title: "Spend, split among tags",
    unit: Unit::Money(Currency::NONE),
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Spend of a session divided equally among its tags; an untagged session counts fully. \
        Adds up to the total.",
    needs: Needs::Price,
    groups: &[&[Dim::Tag]],
    plan: Plan::Total(Grain::Session, || [unless_unpriced((col(SPENT) * part_of_tag()).sum()), len()]),
};

/// What a merged pull request costs in money, everything included.
pub const SPEND_PER_MERGED_PR: Metric = Metric {
    id: "spend_per_merged_pr",
    title: "Spend per merged pull request",
    unit: Unit::Money(Currency::NONE),
    direction: Direction::Less,
    kind: MetricKind::Ratio,
    basis: Basis::MergedPullRequests,
    definition: "All spend of the group divided by its merged pull requests, including spend of sessions \
        without a pull request.",
    needs: Needs::Price,
    groups: COST,
    plan: Plan::Own(|frames, by| per_merged_pr(frames, by, unless_unpriced(col(SPENT).sum()))),
};

/// Null if any session of the group used ACUs that have no price.
pub(super) fn unless_unpriced(spent: Expr) -> Expr {
    when(col(UNPRICED).any(true)).then(lit(NULL).cast(DataType::Float64)).otherwise(spent)
}
