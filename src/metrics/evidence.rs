//! Rows that are no facts: single sessions worth a look, and labels with the
//! sessions they touched.

use polars::prelude::*;

use super::calendar::{DAY, PERIOD, SPEND};
use super::cube::{BEST_STATE, Cube};
use super::metric::Dim;
use super::plan::acus;
use crate::frame::columns as c;

/// How many rows a list holds at most.
const LONGEST: IdxSize = 8;
/// A session is costly from this percentile of ACUs on.
const COSTLY_QUANTILE: f64 = 0.9;

/// The place of `high` among the impacts.
const HIGH_IMPACT: u32 = 0;

const HIGH: &str = "high";
const TOUCHED: &str = "touched";

/// A session that the page names. Titles and addresses are untrusted text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionRow {
    /// Normalised id.
    pub id: String,
    /// Title, or null.
    pub title: Option<String>,
    /// Address, or null.
    pub url: Option<String>,
    /// What it was asked to do, where that is to be printed.
    pub prompt: Option<String>,
    /// Local date of its creation.
    pub day: String,
    /// User, or null.
    pub user: Option<String>,
    /// ACUs; null is unknown.
    pub acus: Option<f64>,
    /// What they cost; null without a price.
    pub spend: Option<f64>,
    /// Pull requests it lists.
    pub prs: f64,
    /// Whether one of them is merged.
    pub merged: bool,
    /// Issues of high impact.
    pub high_issues: f64,
}

/// A label of issues and what it touched.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelRow {
    /// The label, or null.
    pub label: Option<String>,
    /// Issues with it.
    pub issues: f64,
    /// Those of high impact.
    pub high: f64,
    /// Distinct sessions with it.
    pub sessions: f64,
    /// ACUs of those sessions.
    pub acus: f64,
}

/// The rows of the report's period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The costliest sessions.
    pub costliest: Vec<SessionRow>,
    /// The costly ones, the heaviest tenth, without a merged pull request.
    pub costly_without_merge: Vec<SessionRow>,
    /// Those with the most issues of high impact.
    pub high_impact: Vec<SessionRow>,
    /// Labels, most issues of high impact first, then most issues.
    pub labels: Vec<LabelRow>,
}

/// Picks the rows of the report's period out of the cube.
///
/// # Errors
/// Polars refused a step: a defect, not a state of the data.
pub(super) fn gather(cube: &Cube) -> PolarsResult<Evidence> {
    let here = || col(PERIOD).eq(lit(0));
    let high = cube
        .issues(&[])
        .filter(here().and(col(c::IMPACT).eq(lit(HIGH_IMPACT))))
        .group_by([col(c::ROW)])
        .agg([len().alias(HIGH)]);
    let sessions = cube
        .sessions(&[])
        .filter(here())
        .left_join(high, col(c::ROW), col(c::ROW))
        .left_join(cube.names(), col(c::ROW), col(c::ROW))
        .with_column(col(HIGH).fill_null(lit(0)))
        .collect()?
        .lazy();
    let spent = || col(c::ACUS).gt(lit(0.0));
    let costly = col(c::ACUS).gt_eq(col(c::ACUS).quantile(lit(COSTLY_QUANTILE), QuantileMethod::Linear));
    let unmerged = col(BEST_STATE).is_null().or(col(BEST_STATE).neq(lit(0)));
    Ok(Evidence {
        costliest: rows(cube, sessions.clone().filter(spent()), c::ACUS)?,
        costly_without_merge: rows(
            cube,
            sessions.clone().filter(spent()).filter(costly).filter(unmerged),
            c::ACUS,
        )?,
        high_impact: rows(cube, sessions.filter(col(HIGH).gt(lit(0))), HIGH)?,
        labels: labels(cube)?,
    })
}

/// The first rows by one column, greatest first; ties by ACUs, then by id.
fn rows(cube: &Cube, sessions: LazyFrame, by: &str) -> PolarsResult<Vec<SessionRow>> {
    let order =
        SortMultipleOptions::default().with_order_descending_multi([true, true, false]).with_nulls_last(true);
    let frame = sessions.sort([by, c::ACUS, c::ID], order).limit(LONGEST).collect()?;
    let text = |name: &str| PolarsResult::Ok(frame.column(name)?.str()?.clone());
    let number = |name: &str| PolarsResult::Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.clone());
    let (ids, titles, urls) = (text(c::ID)?, text(c::TITLE)?, text(c::URL)?);
    let prompts = text(c::PROMPT)?;
    let days = frame.column(DAY)?.u32()?.clone();
    let users = frame.column(c::USER)?.u32()?.clone();
    let (acus, prs, best, high) =
        (number(c::ACUS)?, number(c::PR_COUNT)?, number(BEST_STATE)?, number(HIGH)?);
    // There is no such column without a price.
    let spend = number(SPEND).ok();
    let row = |at| SessionRow {
        id: ids.get(at).unwrap_or_default().to_owned(),
        title: titles.get(at).map(str::to_owned),
        url: urls.get(at).map(str::to_owned),
        prompt: prompts.get(at).map(str::to_owned),
        day: days.get(at).map(|day| cube.word(Dim::Day, day)).unwrap_or_default(),
        user: users.get(at).map(|user| cube.word(Dim::User, user)),
        acus: acus.get(at),
        spend: spend.as_ref().and_then(|spend| spend.get(at)),
        prs: prs.get(at).unwrap_or(0.0),
        merged: best.get(at) == Some(0.0),
        high_issues: high.get(at).unwrap_or(0.0),
    };
    Ok((0..frame.height()).map(row).collect())
}

fn labels(cube: &Cube) -> PolarsResult<Vec<LabelRow>> {
    let issues = cube.issues(&[]).filter(col(PERIOD).eq(lit(0)));
    let counts = issues.clone().group_by([col(c::LABEL)]).agg([
        len().cast(DataType::Float64).alias(c::ID),
        col(c::IMPACT).eq(lit(HIGH_IMPACT)).sum().cast(DataType::Float64).alias(HIGH),
    ]);
    let touched = issues
        .select([col(c::LABEL), col(c::ROW)])
        .unique(None, UniqueKeepStrategy::Any)
        .join(
            cube.sessions(&[]).select([col(c::ROW), col(c::ACUS), col(c::CREATED), col(c::ID)]),
            [col(c::ROW)],
            [col(c::ROW)],
            JoinArgs::new(JoinType::Inner),
        )
        .sort([c::CREATED, c::ID], SortMultipleOptions::default())
        .group_by_stable([col(c::LABEL)])
        .agg([len().cast(DataType::Float64).alias(TOUCHED), acus()]);
    let order =
        SortMultipleOptions::default().with_order_descending_multi([true, true, false]).with_nulls_last(true);
    let on = [col(c::LABEL)];
    let frame = counts
        .join(touched, on.clone(), on, JoinArgs { nulls_equal: true, ..JoinArgs::new(JoinType::Inner) })
        .sort([HIGH, c::ID, c::LABEL], order)
        // As for facts: the order of adding up is kept, for the sake of the last digit.
        .with_check_order(false)
        .collect()?;
    let names = frame.column(c::LABEL)?.u32()?.clone();
    let number = |name: &str| PolarsResult::Ok(frame.column(name)?.f64()?.clone());
    let (issues, high, touched, acus) = (number(c::ID)?, number(HIGH)?, number(TOUCHED)?, number(c::ACUS)?);
    let row = |at| LabelRow {
        label: names.get(at).map(|label| cube.word(Dim::Label, label)),
        issues: issues.get(at).unwrap_or(0.0),
        high: high.get(at).unwrap_or(0.0),
        sessions: touched.get(at).unwrap_or(0.0),
        acus: acus.get(at).unwrap_or(0.0),
    };
    Ok((0..frame.height()).map(row).collect())
}
