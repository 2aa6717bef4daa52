//! What came of it: distinct pull requests and how they ended.
//!
//! A pull request belongs to its owner, the earliest session of the period
//! that lists it: its user and tags are the owner's.

use polars::prelude::*;

use super::capabilities::Needs;
use super::dimension::Dim;
use super::metric::{Basis, Direction, Grain, Metric, MetricKind, Plan};
use super::period_frames::{MERGED, PeriodFrames};
use super::plan::{
    DENOMINATOR, N, NUMERATOR, acus, decided, divided, is_decided, join_groups, keys, lists_pr, merged,
    number,
};
use crate::unit::Unit;

/// The groupings of pull requests by what became of them.
const DELIVERY: &[&[Dim]] = &[
    &[],
    &[Dim::User],
    &[Dim::Tag],
    &[Dim::Team],
    &[Dim::Repo],
    &[Dim::Period],
    &[Dim::Origin],
    &[Dim::Size],
    &[Dim::Category],
    &[Dim::Playbook],
    &[Dim::Mode],
];

/// Pull requests.
pub const PRS: Metric = Metric {
    id: "prs",
    title: "Pull requests",
    unit: Unit::Count,
    direction: Direction::More,
    kind: MetricKind::Total,
    basis: Basis::PullRequests,
    definition: "Distinct pull requests of the period's sessions. One listed by several sessions counts \
        once, for the earliest of them.",
    needs: Needs::Nothing,
    groups: &[
        &[],
        &[Dim::State],
        &[Dim::User],
        &[Dim::Tag],
        &[Dim::Team],
        &[Dim::Repo],
        &[Dim::Period],
        &[Dim::Origin],
        &[Dim::Size],
        &[Dim::Category],
        &[Dim::Playbook],
        &[Dim::Mode],
    ],
    plan: Plan::Total(Grain::PullRequest, || [len(), len()]),
};

/// Merged pull requests.
pub const PRS_MERGED: Metric = Metric {
    id: "prs_merged",
    title: "Merged pull requests",
    unit: Unit::Count,
    direction: Direction::More,
    kind: MetricKind::Total,
    basis: Basis::PullRequests,
    definition: "Pull requests whose state is merged at the time of the fetch.",
    needs: Needs::Nothing,
    groups: DELIVERY,
    plan: Plan::Total(Grain::PullRequest, || [merged(), len()]),
};

/// How decided pull requests ended.
pub const MERGE_RATE: Metric = Metric {
    id: "merge_rate",
    title: "Merge rate",
    unit: Unit::Share,
    direction: Direction::More,
    kind: MetricKind::Ratio,
    basis: Basis::DecidedPullRequests,
    definition: "Merged pull requests divided by decided ones, which are merged or closed. Open ones do \
        not count yet.",
    needs: Needs::Nothing,
    groups: DELIVERY,
    plan: Plan::Ratio(Grain::PullRequest, || [merged(), decided(), decided()]),
};

/// How many of all pull requests are merged by now.
pub const MERGE_RATE_ALL: Metric = Metric {
    id: "merge_rate_all",
    title: "Merged share of all pull requests",
    unit: Unit::Share,
    direction: Direction::More,
    kind: MetricKind::Ratio,
    basis: Basis::PullRequests,
    definition: "Merged pull requests divided by all pull requests, including open ones.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Ratio(Grain::PullRequest, || [merged(), len(), len()]),
};

/// Pull requests that may still be merged.
pub const UNDECIDED_PRS: Metric = Metric {
    id: "undecided_prs",
    title: "Undecided pull requests",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::PullRequests,
    definition: "Pull requests that are neither merged nor closed at the time of the fetch: open, in draft, \
        or of an unknown state.",
    needs: Needs::Nothing,
    groups: &[&[], &[Dim::Period]],
    plan: Plan::Total(Grain::PullRequest, || [undecided(), len()]),
};

/// How many of all pull requests may still be merged.
pub const UNDECIDED_SHARE: Metric = Metric {
    id: "undecided_share",
    title: "Undecided share of pull requests",
    unit: Unit::Share,
    direction: Direction::Neutral,
    kind: MetricKind::Ratio,
    basis: Basis::PullRequests,
    definition: "Undecided pull requests divided by all pull requests. It falls as a period gets older; \
        periods that differ in it by more than 5 points cannot be compared by what was merged.",
    needs: Needs::Nothing,
    groups: &[&[], &[Dim::Period]],
    plan: Plan::Ratio(Grain::PullRequest, || [undecided(), len(), len()]),
};

fn undecided() -> Expr {
    is_decided().not().sum()
}

/// Sessions that list a pull request.
pub const SESSIONS_WITH_PR: Metric = Metric {
    id: "sessions_with_pr",
    title: "Sessions with a pull request",
    unit: Unit::Count,
    direction: Direction::More,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Sessions with at least one pull request.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [lists_pr().sum(), len()]),
};

/// Sessions that list a merged pull request.
pub const SESSIONS_WITH_MERGED_PR: Metric = Metric {
    id: "sessions_with_merged_pr",
    title: "Sessions with a merged pull request",
    unit: Unit::Count,
    direction: Direction::More,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Sessions with at least one merged pull request.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [col(MERGED).sum(), len()]),
};

/// What a merged pull request costs, everything included.
pub const ACUS_PER_MERGED_PR: Metric = Metric {
    id: "acus_per_merged_pr",
    title: "ACUs per merged pull request",
    unit: Unit::Acu,
    direction: Direction::Less,
    kind: MetricKind::Ratio,
    basis: Basis::MergedPullRequests,
    definition: "All ACUs of the group divided by its merged pull requests, including ACUs of sessions \
        without a pull request.",
    needs: Needs::Nothing,
    groups: COST,
    plan: Plan::Own(|frames, by| per_merged_pr(frames, by, acus())),
};

/// What a merged pull request of a young period will have cost.
pub const ACUS_PER_MERGED_PR_EXPECTED: Metric = Metric {
    id: "acus_per_merged_pr_expected",
    title: "ACUs per merged pull request, expected",
    unit: Unit::Acu,
    direction: Direction::Neutral,
    kind: MetricKind::Ratio,
    basis: Basis::MergedPullRequests,
    definition: "ACUs divided by merged pull requests and those of the undecided ones that will be merged, at \
        the merge rate of the earlier periods of the trend whose pull requests are decided (at least 20 \
        pull requests). Only where more pull requests are undecided than in the period it is compared with; \
        an estimate, never compared.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Derived,
};

/// The groupings of what a merged pull request costs.
pub(super) const COST: &[&[Dim]] = &[
    &[],
    &[Dim::User],
    &[Dim::Tag],
    &[Dim::Team],
    &[Dim::Period],
    &[Dim::Origin],
    &[Dim::Size],
    &[Dim::Category],
    &[Dim::Playbook],
    &[Dim::Mode],
];

/// What the sessions of a group used, divided by its merged pull requests.
pub(super) fn per_merged_pr(frames: &PeriodFrames, by: &[Dim], used: Expr) -> LazyFrame {
    let spent = frames.sessions(by).group_by(keys(by)).agg([number(used, NUMERATOR)]);
    let got = frames.pull_requests(by).group_by(keys(by)).agg([number(merged(), DENOMINATOR)]);
    // The whole period is a group even without a pull request; a user or tag is not.
    let how = if by.is_empty() { JoinType::Left } else { JoinType::Inner };
    let both = join_groups(spent, got, by, how).with_column(col(DENOMINATOR).fill_null(lit(0.0)));
    divided(both.with_column(col(DENOMINATOR).alias(N)))
}
