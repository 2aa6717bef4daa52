//! The vocabulary of plans: small expressions, and the two shapes of an answer.

use polars::prelude::*;

use super::calendar::PERIOD;
use super::cube::{Cube, TAGS};
use super::metric::{Dim, Metric, Plan};
use crate::frame::columns as c;

/// The answer's group, as [`group`] writes it.
pub const GROUP: &str = "group";
/// The answer's value.
pub const VALUE: &str = "value";
/// What the value rests on.
pub const N: &str = "n";
/// Upper part of a ratio.
pub const NUMERATOR: &str = "numerator";
/// Lower part of a ratio.
pub const DENOMINATOR: &str = "denominator";

/// Groups by period and dimensions and takes a value; `n` is what it rests on.
pub fn total(frame: LazyFrame, by: &[Dim], value: Expr, n: Expr) -> LazyFrame {
    frame
        .group_by([group(by)])
        .agg([value.cast(DataType::Float64).alias(VALUE), n.cast(DataType::Float64).alias(N)])
}

/// Metrics over the same rows in one answer, where each has columns of its own.
pub fn together(frame: LazyFrame, by: &[Dim], metrics: &[&Metric]) -> LazyFrame {
    let (mut aggregates, mut quotients) = (Vec::new(), Vec::new());
    for metric in metrics {
        let mut add =
            |part, expr: Expr| aggregates.push(expr.cast(DataType::Float64).alias(of(metric, part)));
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
            Plan::Own(_) => {}
        }
    }
    frame.group_by([group(by)]).agg(aggregates).with_columns(quotients)
}

/// The name of a column that a metric has in an answer with others.
pub fn of(metric: &Metric, part: &str) -> String {
    format!("{part} of {}", metric.id)
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

/// The group of a row: its period, then its keys, in one number, because
/// grouping and joining by several columns is slow. The order of the numbers
/// is that of period and keys, where null is the first of a dimension.
pub fn group(by: &[Dim]) -> Expr {
    let period = col(PERIOD).cast(DataType::UInt64);
    by.iter().fold(period, |group, dim| deeper(group, *dim)).alias(GROUP)
}

/// The same without the period.
pub fn keys(by: &[Dim]) -> Expr {
    by.iter().fold(lit(0_u64), |group, dim| deeper(group, *dim))
}

/// A group with one more dimension.
pub fn deeper(group: Expr, dim: Dim) -> Expr {
    let key = (col(dim.name()).cast(DataType::UInt64) + lit(1_u64)).fill_null(lit(0_u64));
    (group * lit(1_u64 << dim.bits()) + key).alias(GROUP)
}

/// Joins two grouped frames.
pub fn beside(left: LazyFrame, right: LazyFrame, how: JoinType) -> LazyFrame {
    left.join(right, [col(GROUP)], [col(GROUP)], JoinArgs::new(how))
}

/// The part of a session that a row by tag stands for: the others stand in its
/// other rows. A row in which tags were folded stands for all of them.
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
    col(c::STATE).eq(lit(0)).sum()
}

/// Pull requests that are merged or closed.
pub fn decided() -> Expr {
    col(c::STATE).lt_eq(lit(1)).sum()
}

/// Analysed sessions of each group, as `n`; groups without one have 0.
pub fn analysed_by(cube: &Cube, by: &[Dim]) -> LazyFrame {
    cube.sessions(by).group_by([group(by)]).agg([analysed().cast(DataType::Float64).alias(N)])
}
