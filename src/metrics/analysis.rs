//! What the vendor's analyses found: issues, action items, remarks on prompts.
//!
//! These numbers describe analysed sessions only, so coverage stands beside
//! each of them.

use polars::prelude::*;

use super::calendar::PERIOD;
use super::cube::Cube;
use super::metric::{Basis, Dim, Direction, Grain, Kind, Metric, Needs, Plan};
use super::plan::{GROUP, N, VALUE, analysed, analysed_by, beside, deeper, group, total};
use crate::frame::columns as c;
use crate::unit::Unit;

/// Sessions with an analysis.
pub const ANALYSED_SESSIONS: Metric = Metric {
    id: "analysed_sessions",
    title: "Analysed sessions",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: Kind::Total,
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
    kind: Kind::Ratio,
    basis: Basis::Sessions,
    definition: "Analysed sessions of all sessions. An analysis is made on request, so this is rarely all of them.",
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
    kind: Kind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Issues that the analyses list. By tag an issue counts fully under each tag of its session.",
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

fn issues(cube: &Cube, by: &[Dim]) -> LazyFrame {
    counted(cube, by, len())
}

/// Sessions that an issue touched.
pub const SESSIONS_WITH_ISSUE: Metric = Metric {
    id: "sessions_with_issue",
    title: "Sessions with an issue",
    unit: Unit::Count,
    direction: Direction::Less,
    kind: Kind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Analysed sessions with at least one issue of the impact or label.",
    needs: Needs::Api,
    groups: &[&[Dim::Impact], &[Dim::Label]],
    plan: Plan::Own(|cube, by| counted(cube, by, col(c::ROW).n_unique())),
};

/// Counts issues in every group that the sessions, labels and impacts make,
/// beside the analysed sessions that could have had one.
fn counted(cube: &Cube, by: &[Dim], count: Expr) -> LazyFrame {
    let of_session: Vec<Dim> =
        by.iter().copied().filter(|dim| !matches!(dim, Dim::Impact | Dim::Label)).collect();
    let mut ground = analysed_by(cube, &of_session);
    if by.contains(&Dim::Label) {
        let labels =
            cube.issues(by)
                .group_by([group(&[Dim::Label]).alias(Dim::Label.name())])
                .agg([col(PERIOD).first().cast(DataType::UInt64).alias(GROUP)]);
        ground = beside(ground, labels, JoinType::Inner).with_column(col(Dim::Label.name()).alias(GROUP));
    }
    if by.contains(&Dim::Impact) {
        ground = cube.with_each_impact(ground).with_column(deeper(col(GROUP), Dim::Impact));
    }
    let counts = cube.issues(by).group_by([group(by)]).agg([count.cast(DataType::Float64).alias(VALUE)]);
    with_zeros(beside(ground, counts, JoinType::Left))
}

/// How many issues a session has.
pub const ISSUE_COUNT_HISTOGRAM: Metric = Metric {
    id: "issue_count_histogram",
    title: "Sessions by number of issues",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: Kind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Analysed sessions by how many issues of an impact they have: 0 to 4, and 5 or more.",
    needs: Needs::Api,
    groups: &[&[Dim::Impact, Dim::Issues]],
    plan: Plan::Own(issue_count_histogram),
};

fn issue_count_histogram(cube: &Cube, by: &[Dim]) -> LazyFrame {
    total(cube.suppress(by, issue_counts(cube), c::ROW), by, len(), col(N).first())
}

/// Analysed sessions once for each impact, with the bin of how many such issues
/// they have, and `n`.
pub(super) fn issue_counts(cube: &Cube) -> LazyFrame {
    // A session and an impact in one number, as groups are.
    let pair = || deeper(col(c::ROW).cast(DataType::UInt64), Dim::Impact).alias(PAIR);
    let counts = cube.issues(&[]).group_by([pair()]).agg([len().alias(VALUE)]);
    let sessions = cube.sessions(&[]).filter(col(c::ANALYSED)).with_column(group(&[]));
    let sessions = beside(sessions, analysed_by(cube, &[]), JoinType::Left);
    let count = col(VALUE).fill_null(lit(0)).cast(DataType::UInt32);
    let bin = when(count.clone().gt(lit(MOST_ISSUES))).then(lit(MOST_ISSUES)).otherwise(count);
    cube.with_each_impact(sessions)
        .with_column(pair())
        .left_join(counts, col(PAIR), col(PAIR))
        .with_column(bin.alias(Dim::Issues.name()))
}

/// A session and an impact.
const PAIR: &str = "pair";
/// A session with this many issues of an impact, or more, falls into the last bin.
pub const MOST_ISSUES: u32 = 5;

/// What the analyses propose.
pub const ACTION_ITEMS: Metric = Metric {
    id: "action_items",
    title: "Action items",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: Kind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Action items that the analyses propose, by type.",
    needs: Needs::Api,
    groups: &[&[Dim::Type]],
    plan: Plan::Own(action_items),
};

fn action_items(cube: &Cube, by: &[Dim]) -> LazyFrame {
    let counts = cube
        .action_items(by)
        .group_by([group(by)])
        .agg([len().cast(DataType::Float64).alias(VALUE), col(PERIOD).first()]);
    // Every type rests on all analysed sessions of its period.
    let analysed =
        cube.sessions(&[]).group_by([col(PERIOD)]).agg([analysed().cast(DataType::Float64).alias(N)]);
    with_zeros(counts.left_join(analysed, col(PERIOD), col(PERIOD)))
}

/// Sessions whose prompt could have been better.
pub const SESSIONS_WITH_PROMPT_FEEDBACK: Metric = Metric {
    id: "sessions_with_prompt_feedback",
    title: "Sessions with remarks on the prompt",
    unit: Unit::Count,
    direction: Direction::Less,
    kind: Kind::Total,
    basis: Basis::AnalysedSessions,
    definition: "Analysed sessions whose analysis has at least one remark on the prompt.",
    needs: Needs::Api,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [col(c::FEEDBACK).gt(lit(0)).sum(), analysed()]),
};

/// A group that nothing fell into counts 0; there is no ratio here.
fn with_zeros(frame: LazyFrame) -> LazyFrame {
    frame.with_columns([col(VALUE).fill_null(lit(0.0)), col(N).fill_null(lit(0.0))])
}
