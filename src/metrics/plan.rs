//! The vocabulary of plans: small expressions, and the two shapes of an answer.

use polars::prelude::*;

use super::calendar::PERIOD;
use super::cube::{Cube, TAGS};
use super::metric::Dim;
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
        .with_columns([no_number(NUMERATOR), no_number(DENOMINATOR)])
}

/// Groups by period and dimensions and divides: null where the denominator is 0.
pub fn ratio(frame: LazyFrame, by: &[Dim], numerator: Expr, denominator: Expr, n: Expr) -> LazyFrame {
    divided(frame.group_by([group(by)]).agg([
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

/// The group of a row: its period, then its keys, in one number, because
/// grouping and joining by several columns is slow. The order of the numbers
/// is that of period and keys, where null is the first of a dimension.
pub fn group(by: &[Dim]) -> Expr {
    let period = col(PERIOD).cast(DataType::UInt64);
    by.iter().fold(period, |group, dim| deeper(group, *dim)).alias(GROUP)
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

/// A column that holds no number.
fn no_number(name: &str) -> Expr {
    lit(NULL).cast(DataType::Float64).alias(name)
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
