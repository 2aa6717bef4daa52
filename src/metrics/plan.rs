//! The vocabulary of plans: keys, small expressions, and the columns of an answer.

use polars::prelude::*;

use super::dimension::{Dim, GroupKey, Key};
use super::metric::{Metric, Plan};
use super::period_frames::{PERIOD, PeriodFrames, TAGS};
use crate::tables::schema as c;

/// The answer's value.
pub const VALUE: &str = "value";
/// What the value rests on.
pub const N: &str = "n";
/// Upper part of a ratio.
pub const NUMERATOR: &str = "numerator";
/// Lower part of a ratio.
pub const DENOMINATOR: &str = "denominator";

/// What rows are grouped by: the columns of the dimensions, or for the whole period a column
/// that is the same in all of its rows.
pub fn keys(by: &[Dim]) -> Vec<Expr> {
    match by {
        [] => vec![col(PERIOD)],
        _ => by.iter().map(|dim| col(dim.name())).collect(),
    }
}

/// The key of each group of an answer.
///
/// # Errors
/// A column is not there or has no texts: an internal error.
pub fn group_keys(answer: &DataFrame, by: &[Dim]) -> PolarsResult<Vec<GroupKey>> {
    let mut keys = vec![GroupKey::with_capacity(by.len()); answer.height()];
    for dim in by {
        let texts = answer.column(dim.name())?.cast(&DataType::String)?;
        for (key, text) in keys.iter_mut().zip(texts.str()?.iter()) {
            key.push(text.map(|text| Key::new(*dim, text)));
        }
    }
    Ok(keys)
}

/// Joins two frames that are grouped by the same dimensions.
pub fn join_groups(left: LazyFrame, right: LazyFrame, by: &[Dim], how: JoinType) -> LazyFrame {
    left.join(right, keys(by), keys(by), JoinArgs { nulls_equal: true, ..JoinArgs::new(how) })
}

/// Groups by dimensions and takes a value; `n` is what it rests on.
pub fn total(frame: LazyFrame, by: &[Dim], value: Expr, n: Expr) -> LazyFrame {
    frame.group_by(keys(by)).agg([number(value, VALUE), number(n, N)])
}

/// A number of an answer.
pub fn number(value: Expr, name: &str) -> Expr {
    value.cast(DataType::Float64).alias(name)
}

/// Metrics over the same rows in one answer, where each has columns of its own.
pub fn together(frame: LazyFrame, by: &[Dim], metrics: &[&Metric]) -> LazyFrame {
    let (mut aggregates, mut quotients) = (Vec::new(), Vec::new());
    for metric in metrics {
        let mut add = |part, expr| aggregates.push(number(expr, &of(metric, part)));
        match metric.plan {
            Plan::Total(_, parts) => {
                let [value, n] = parts();
                add(VALUE, value);
                add(N, n);
            }
            Plan::Ratio(_, parts) => {
                let [numerator, denominator, n] = parts();
                add(NUMERATOR, numerator);
                add(DENOMINATOR, denominator);
                add(N, n);
                let quotient = quotient(&of(metric, NUMERATOR), &of(metric, DENOMINATOR));
                quotients.push(quotient.alias(of(metric, VALUE)));
            }
            Plan::Own(_) | Plan::Derived => {}
        }
    }
    frame.group_by(keys(by)).agg(aggregates).with_columns(quotients)
}

/// The name of a metric's column in an answer, which it may share with others.
pub fn of(metric: &Metric, part: &str) -> String {
    match metric.plan {
        Plan::Own(_) | Plan::Derived => part.to_owned(),
        Plan::Total(..) | Plan::Ratio(..) => format!("{part} of {}", metric.id),
    }
}

/// Adds the value to a frame that has numerator and denominator.
pub fn divided(frame: LazyFrame) -> LazyFrame {
    frame.with_column(quotient(NUMERATOR, DENOMINATOR).alias(VALUE))
}

/// Null where the denominator is 0.
fn quotient(numerator: &str, denominator: &str) -> Expr {
    when(col(denominator).gt(lit(0.0)))
        .then(col(numerator) / col(denominator))
        .otherwise(lit(NULL).cast(DataType::Float64))
}

/// The part of a session that a row by tag represents: its other rows represent the rest. A
/// row of the combined group represents several tags.
pub fn part_of_tag() -> Expr {
    let known = |name| col(name).cast(DataType::Float64);
    let tags = when(col(c::TAG_COUNT).gt(lit(1))).then(known(c::TAG_COUNT)).otherwise(lit(1.0));
    known(TAGS).fill_null(lit(1.0)) / tags
}

/// Sum of known ACUs.
pub fn acus() -> Expr {
    col(c::ACUS).sum()
}

/// Sessions whose ACUs are known.
pub fn known_sessions() -> Expr {
    col(c::ACUS).count()
}

/// Sessions with an analysis.
pub fn analysed() -> Expr {
    col(c::ANALYSED).sum()
}

/// Sessions that list a pull request.
pub fn lists_pr() -> Expr {
    col(c::PR_COUNT).gt(lit(0))
}

/// Pull requests that are merged.
pub fn merged() -> Expr {
    col(c::STATE).eq(lit("merged")).sum()
}

/// Whether a pull request is merged or closed.
pub fn is_decided() -> Expr {
    col(c::STATE).eq(lit("merged")).or(col(c::STATE).eq(lit("closed")))
}

/// Pull requests that are merged or closed.
pub fn decided() -> Expr {
    is_decided().sum()
}

/// Analysed sessions of each group, as `n`; groups without one have 0.
pub fn analysed_by(frames: &PeriodFrames, by: &[Dim]) -> LazyFrame {
    frames.sessions(by).group_by(keys(by)).agg([number(analysed(), N)])
}
