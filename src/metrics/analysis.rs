//! What the vendor's analyses found: issues, action items, remarks on prompts.
//!
//! These numbers describe analysed sessions only, so coverage is shown with each of them.

use polars::prelude::*;

use super::calendar::categories;
use super::capabilities::Needs;
use super::dimension::Dim;
use super::metric::{Basis, Direction, Grain, Metric, MetricKind, Plan};
use super::period_frames::{PERIOD, PeriodFrames};
use super::plan::{
    DENOMINATOR, N, NUMERATOR, VALUE, analysed, analysed_by, divided, join_groups, keys, number, total,
};
use crate::tables::schema as c;
use crate::unit::Unit;

/// Sessions with an analysis.
pub const ANALYSED_SESSIONS: Metric = Metric {
    id: "analysed_sessions",
    title: "Analysed sessions",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Sessions that have an analysis, even an empty one.",
    needs: Needs::Api,
    groups: &[&[], &[Dim::Period]],
    plan: Plan::Total(Grain::Session, || [analysed(), len()]),
};

/// How many sessions the issue numbers speak for.
pub const ANALYSIS_COVERAGE: Metric = Metric {
    id: "analysis_coverage",
    title: "Analysis coverage",
    unit: Unit::Share,
    direction: Direction::More,
    kind: MetricKind::Ratio,
    basis: Basis::Sessions,
    definition: "Analysed sessions divided by all sessions. Analyses are made on request, so coverage is \
        rarely 100%.",
    needs: Needs::Api,
    groups: &[&[], &[Dim::Period]],
    plan: Plan::Ratio(Grain::Session, || [analysed(), len(), len()]),
};

/// Issues.
pub const ISSUES: Metric = Metric {
    id: "issues",
    title: "Issues",
    unit: Unit::Count,
    direction: Direction::Less,
    kind: MetricKind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Issues in the analyses. By tag an issue counts fully under each tag of its session.",
    needs: Needs::Api,
    groups: &[
        &[],
        &[Dim::Impact],
        &[Dim::Label, Dim::Impact],
        &[Dim::Tag, Dim::Impact],
        &[Dim::User, Dim::Impact],
        &[Dim::Period, Dim::Impact],
    ],
    plan: Plan::Own(issues),
};

fn issues(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    counted(frames, by, len())
}

/// Issues to each hundred analysed sessions.
pub const ISSUE_RATE: Metric = Metric {
    id: "issue_rate",
    title: "Issues per 100 analysed sessions",
    unit: Unit::PerHundred,
    direction: Direction::Less,
    kind: MetricKind::Ratio,
    basis: Basis::AnalysedSessions,
    definition: "100 times the issues of the impact, divided by the analysed sessions. Comparable between \
        periods of different coverage.",
    needs: Needs::Api,
    groups: &[&[Dim::Impact], &[Dim::Period, Dim::Impact]],
    plan: Plan::Own(issue_rate),
};

fn issue_rate(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    let parts = [col(VALUE).alias(NUMERATOR), col(N).alias(DENOMINATOR)];
    let scale = lit(ISSUE_RATE.unit.scale());
    divided(counted(frames, by, len()).with_columns(parts)).with_column(col(VALUE) * scale)
}

/// Sessions that an issue touched.
pub const SESSIONS_WITH_ISSUE: Metric = Metric {
    id: "sessions_with_issue",
    title: "Sessions with an issue",
    unit: Unit::Count,
    direction: Direction::Less,
    kind: MetricKind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Analysed sessions with at least one issue of the impact or label.",
    needs: Needs::Api,
    groups: &[&[Dim::Impact], &[Dim::Label]],
    plan: Plan::Own(|frames, by| counted(frames, by, col(c::ROW).n_unique())),
};

/// Counts issues in every group that the sessions, labels and impacts make, with the
/// analysed sessions that could have had one.
fn counted(frames: &PeriodFrames, by: &[Dim], count: Expr) -> LazyFrame {
    let of_session: Vec<Dim> =
        by.iter().copied().filter(|dim| !matches!(dim, Dim::Impact | Dim::Label)).collect();
    let mut groups = analysed_by(frames, &of_session);
    if by.contains(&Dim::Label) {
        let labels = frames.issues(by).select([col(PERIOD), col(Dim::Label.name())]);
        groups = groups.inner_join(labels.unique(None, UniqueKeepStrategy::Any), col(PERIOD), col(PERIOD));
    }
    if by.contains(&Dim::Impact) {
        groups = frames.with_each_impact(groups);
    }
    let counts = frames.issues(by).group_by(keys(by)).agg([number(count, VALUE)]);
    with_zeros(join_groups(groups, counts, by, JoinType::Left))
}

/// Issues per session.
pub const ISSUE_COUNT_HISTOGRAM: Metric = Metric {
    id: "issue_count_histogram",
    title: "Sessions by number of issues",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Analysed sessions by how many issues of an impact they have: 0 to 4, and 5 or more.",
    needs: Needs::Api,
    groups: &[&[Dim::Impact, Dim::Issues]],
    plan: Plan::Own(issue_count_histogram),
};

fn issue_count_histogram(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    let rows = frames.suppress_small_groups(by, issue_counts(frames), c::ROW);
    total(rows, by, len(), col(N).first())
}

/// Analysed sessions once for each impact, with the bin of how many such issues
/// they have, and their number as `n`.
pub(super) fn issue_counts(frames: &PeriodFrames) -> LazyFrame {
    let impacts = frames.impacts();
    let counts = impacts.iter().map(|impact| col(c::IMPACT).eq(lit(impact.as_str())).sum().alias(impact));
    let counts = frames.issues(&[]).group_by([col(c::ROW)]).agg(counts.collect::<Vec<_>>());
    let sessions = frames.sessions(&[]).filter(col(c::ANALYSED)).with_column(len().alias(N));
    let sessions = sessions.left_join(counts, col(c::ROW), col(c::ROW)).cache();
    let names = categories(ISSUE_COUNTS).expect("texts are categories");
    let last = lit(ISSUE_COUNTS.len() as IdxSize - 1);
    let of_impact = |impact: &String| {
        let count = col(impact.as_str()).fill_null(lit(0));
        let bin = when(count.clone().gt(last.clone())).then(last.clone()).otherwise(count);
        let bin = lit(names.clone()).gather(bin, false).alias(Dim::Issues.name());
        let others = cols(impacts.iter().map(String::as_str));
        sessions.clone().with_columns([bin, lit(impact.as_str()).alias(c::IMPACT)]).drop(others)
    };
    let all: Vec<LazyFrame> = impacts.iter().map(of_impact).collect();
    concat(all, UnionArgs::default()).expect("the frames have the same columns")
}

/// How many issues of an impact a session has; the last bin has no upper bound.
const ISSUE_COUNTS: [&str; 6] = ["0", "1", "2", "3", "4", "5+"];

/// What the analyses propose.
pub const ACTION_ITEMS: Metric = Metric {
    id: "action_items",
    title: "Action items",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Action items in the analyses, by type.",
    needs: Needs::Api,
    groups: &[&[Dim::Type]],
    plan: Plan::Own(action_items),
};

fn action_items(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    let counts = frames.action_items(by).group_by(keys(by)).agg([number(len(), VALUE), col(PERIOD).first()]);
    // Every type rests on all analysed sessions of the period.
    with_zeros(counts.left_join(analysed_by(frames, &[]), col(PERIOD), col(PERIOD)))
}

/// Sessions whose prompt could have been better.
pub const SESSIONS_WITH_PROMPT_FEEDBACK: Metric = Metric {
    id: "sessions_with_prompt_feedback",
    title: "Sessions with prompt feedback",
    unit: Unit::Count,
    direction: Direction::Less,
    kind: MetricKind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Analysed sessions with at least one feedback item on the prompt.",
    needs: Needs::Api,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [col(c::FEEDBACK).gt(lit(0)).sum(), analysed()]),
};

/// A group that nothing fell into counts 0; there is no ratio here.
fn with_zeros(frame: LazyFrame) -> LazyFrame {
    frame.with_columns([col(VALUE).fill_null(lit(0.0)), col(N).fill_null(lit(0.0))])
}
