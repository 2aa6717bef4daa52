//! The vocabulary of plans: small expressions, and the two shapes of an answer.

use polars::prelude::*;

use super::cube::{Cube, PERIOD};
use super::metric::Dim;
use crate::frame::columns as c;
use crate::frame::normal::STATES;

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
        .group_by(keys(by))
        .agg([value.cast(DataType::Float64).alias(VALUE), n.cast(DataType::Float64).alias(N)])
        .with_columns([no_number(NUMERATOR), no_number(DENOMINATOR)])
}

/// Groups by period and dimensions and divides: null where the denominator is 0.
pub fn ratio(frame: LazyFrame, by: &[Dim], numerator: Expr, denominator: Expr, n: Expr) -> LazyFrame {
    divided(frame.group_by(keys(by)).agg([
        numerator.cast(DataType::Float64).alias(NUMERATOR),
        denominator.cast(DataType::Float64).alias(DENOMINATOR),
        n.cast(DataType::Float64).alias(N),
    ]))
}

/// Adds the value to a frame that has numerator and denominator.
pub fn divided(frame: LazyFrame) -> LazyFrame {
    let value = when(col(DENOMINATOR).gt(lit(0.0)))
        .then(col(NUMERATOR) / col(DENOMINATOR))
        .otherwise(lit(NULL).cast(DataType::Float64));
    frame.with_column(value.alias(VALUE))
}

/// The grouping keys: the period, then the dimensions.
pub fn keys(by: &[Dim]) -> Vec<Expr> {
    std::iter::once(PERIOD).chain(by.iter().map(|dim| dim.name())).map(col).collect()
}

/// Joins two grouped frames on their keys; a null key equals a null key.
pub fn beside(left: LazyFrame, right: LazyFrame, by: &[Dim], how: JoinType) -> LazyFrame {
    left.join(right, keys(by), keys(by), JoinArgs { nulls_equal: true, ..JoinArgs::new(how) })
}

/// A column that holds no number.
fn no_number(name: &str) -> Expr {
    lit(NULL).cast(DataType::Float64).alias(name)
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

/// The word for a state's rank.
pub fn state_word() -> Expr {
    let word = |rank: usize| lit(STATES.get(rank).copied().unwrap_or("unknown"));
    when(col(c::STATE).eq(lit(0)))
        .then(word(0))
        .when(col(c::STATE).eq(lit(1)))
        .then(word(1))
        .when(col(c::STATE).eq(lit(2)))
        .then(word(2))
        .when(col(c::STATE).eq(lit(3)))
        .then(word(3))
        .otherwise(word(4))
}

/// Analysed sessions of each group, as `n`; groups without one have 0.
pub fn analysed_by(cube: &Cube, by: &[Dim]) -> LazyFrame {
    cube.sessions(by).group_by(keys(by)).agg([analysed().cast(DataType::Float64).alias(N)])
}
