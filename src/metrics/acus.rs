//! What was spent: ACUs, the unit that Devin's work is billed in.
//!
//! Unknown ACUs are left out of sums and percentiles and counted in `quality`.

use polars::prelude::*;

use super::calendar::categories;
use super::capabilities::Needs;
use super::dimension::Dim;
use super::metric::{Basis, Direction, Grain, Metric, MetricKind, Plan};
use super::period_frames::{PERIOD, PeriodFrames};
use super::plan::{
    DENOMINATOR, N, NUMERATOR, acus, divided, join_groups, keys, known_sessions, lists_pr, number,
    part_of_tag, total,
};
use super::sessions::VOLUME;
use crate::tables::schema as c;
use crate::unit::Unit;

/// ACUs.
pub const ACUS: Metric = Metric {
    id: "acus",
    title: "ACUs",
    unit: Unit::Acu,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Sum of the ACUs of the sessions created in the period. \
                 By tag a session counts fully under each of its tags, so tags overlap and do not add up.",
    needs: Needs::Nothing,
    groups: VOLUME,
    plan: Plan::Total(Grain::Session, || [acus(), len()]),
};

/// ACUs shared out among tags.
pub const ACUS_SPLIT: Metric = Metric {
    id: "acus_split",
    title: "ACUs, split among tags",
    unit: Unit::Acu,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "ACUs of a session divided equally among its tags; an untagged session counts fully. \
        Adds up to the total.",
    needs: Needs::Nothing,
    groups: &[&[Dim::Tag]],
    plan: Plan::Total(Grain::Session, || [(col(c::ACUS) * part_of_tag()).sum(), len()]),
};

/// The middle session's ACUs.
pub const ACUS_PER_SESSION_MEDIAN: Metric = Metric {
    id: "acus_per_session_median",
    title: "ACUs per session, median",
    unit: Unit::Acu,
    direction: Direction::Neutral,
    kind: MetricKind::Quantile,
    basis: Basis::KnownSessions,
    definition: "Half of the sessions with known ACUs used at most this many (linear interpolation).",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [quantile(0.5), known_sessions()]),
};

/// The ACUs that nine in ten sessions stay under.
pub const ACUS_PER_SESSION_P90: Metric = Metric {
    id: "acus_per_session_p90",
    title: "ACUs per session, 90th percentile",
    unit: Unit::Acu,
    direction: Direction::Neutral,
    kind: MetricKind::Quantile,
    basis: Basis::KnownSessions,
    definition: "Nine in ten sessions with known ACUs used at most this many (linear interpolation).",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [quantile(0.9), known_sessions()]),
};

/// The costliest session's ACUs.
pub const ACUS_PER_SESSION_MAX: Metric = Metric {
    id: "acus_per_session_max",
    title: "ACUs of the costliest session",
    unit: Unit::Acu,
    direction: Direction::Neutral,
    kind: MetricKind::Quantile,
    basis: Basis::KnownSessions,
    definition: "The largest number of ACUs that one session used.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [col(c::ACUS).max(), known_sessions()]),
};

fn quantile(share: f64) -> Expr {
    col(c::ACUS).quantile(lit(share), QuantileMethod::Linear)
}

/// Lower edges of the histogram's bins; the last is open.
pub const BINS: [u32; 7] = [0, 1, 2, 5, 10, 20, 50];

/// How sessions spread over ACUs.
pub const ACUS_HISTOGRAM: Metric = Metric {
    id: "acus_histogram",
    title: "Sessions by ACUs used",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::KnownSessions,
    definition: "Sessions with known ACUs in the bins 0 to 1, 1 to 2, 2 to 5, 5 to 10, 10 to 20, 20 to \
        50 and 50 or more; bins include their lower bound.",
    needs: Needs::Nothing,
    groups: &[&[Dim::Bin]],
    plan: Plan::Own(acus_histogram),
};

fn acus_histogram(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    total(frames.suppress_small_groups(by, binned(frames), c::ROW), by, len(), col(N).first())
}

/// Sessions with known ACUs, each with its bin, and their number as `n`.
pub(super) fn binned(frames: &PeriodFrames) -> LazyFrame {
    let edges = Series::from_iter(BINS.map(f64::from));
    let names = BINS.map(|edge| edge.to_string());
    let names = categories(names.iter().map(String::as_str)).expect("texts are categories");
    let bin = lit(edges).search_sorted(col(c::ACUS), SearchSortedSide::Right, false) - lit(1 as IdxSize);
    frames
        .sessions(&[])
        .filter(col(c::ACUS).is_not_null())
        .with_columns([lit(names).gather(bin, false).alias(Dim::Bin.name()), len().alias(N)])
}

/// How concentrated the spend is.
pub const ACUS_TOP_DECILE_SHARE: Metric = Metric {
    id: "acus_top_decile_share",
    title: "Top 10% of users: share of ACUs",
    unit: Unit::Share,
    direction: Direction::Neutral,
    kind: MetricKind::Ratio,
    basis: Basis::Sessions,
    definition: "ACUs of the top 10% of users (rounded up to whole users), divided by all ACUs that have \
        a user.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Own(acus_top_decile_share),
};

fn acus_top_decile_share(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    // ceil(count / 10) without a product that rounding could push over a whole number.
    let heaviest = ((len() + lit(9)).cast(DataType::Float64) / lit(10.0)).cast(DataType::UInt32);
    let heaviest_first = || col(c::ACUS).sort(SortOptions::default().with_order_descending(true));
    let users = frames
        .sessions(by)
        .filter(col(c::USER).is_not_null())
        .group_by(keys(&[Dim::User]))
        .agg([acus(), col(PERIOD).first()])
        .group_by(keys(by))
        .agg([
            // Users come in any order; sorting first fixes the order of adding up, and so the last digit.
            heaviest_first().slice(lit(0), heaviest).sum().alias(NUMERATOR),
            heaviest_first().sum().alias(DENOMINATOR),
        ]);
    let sessions = frames.sessions(by).group_by(keys(by)).agg([number(len(), N)]);
    let zero = |name| col(name).fill_null(lit(0.0));
    divided(
        join_groups(sessions, users, by, JoinType::Left).with_columns([zero(NUMERATOR), zero(DENOMINATOR)]),
    )
}

/// Spend that led to no pull request.
pub const ACUS_WITHOUT_PR_SHARE: Metric = Metric {
    id: "acus_without_pr_share",
    title: "ACUs without a pull request",
    unit: Unit::Share,
    direction: Direction::Neutral,
    kind: MetricKind::Ratio,
    basis: Basis::Sessions,
    definition: "ACUs of sessions without a pull request, divided by all ACUs. Research, reviews and \
        questions need none.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Ratio(Grain::Session, || [col(c::ACUS).filter(lists_pr().not()).sum(), acus(), len()]),
};
