//! Rows that are no facts: single sessions worth a look, and labels with the
//! sessions they touched.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::calendar::SPEND;
use super::capabilities::Capabilities;
use super::dimension::Dim;
use super::period_frames::{MERGED, PeriodFrames};
use super::plan::acus;
use super::text_groups::{Improvement, PromptFeedback, RecurringIssue, text_groups};
use crate::tables::Frames;
use crate::tables::schema as c;

/// How many rows a list has at most.
const LONGEST: IdxSize = 20;
/// A session is costly from this percentile of ACUs on.
const COSTLY_QUANTILE: f64 = 0.9;

/// Issues of high impact.
const HIGH: &str = "high";
/// What sessions are ordered by.
const ORDER: &str = "order";
/// Issues with a label.
const COUNT: &str = "count";
/// Sessions with a label.
const TOUCHED: &str = "touched";

/// A session that the page names. Titles and addresses are untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionHighlight {
    /// Normalised id.
    pub id: String,
    /// Title, or null.
    pub title: Option<String>,
    /// Address, or null.
    pub url: Option<String>,
    /// What it was asked to do, where that is to be printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Local date of its creation.
    pub day: String,
    /// User, or null.
    pub user: Option<String>,
    /// ACUs; null is unknown.
    pub acus: Option<f64>,
    /// What they cost; null without a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<f64>,
    /// Pull requests it lists.
    pub prs: f64,
    /// Whether one of them is merged.
    pub merged: bool,
    /// Issues of high impact.
    pub high_issues: f64,
}

/// A label of issues and what it touched.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Highlights {
    /// The costliest sessions.
    pub costliest: Vec<SessionHighlight>,
    /// The costly ones, the heaviest tenth, without a merged pull request.
    pub costly_without_merge: Vec<SessionHighlight>,
    /// Those with the most issues of high impact.
    pub high_impact: Vec<SessionHighlight>,
    /// Labels, most issues of high impact first, then most issues.
    pub labels: Vec<LabelRow>,
    /// What analyses recommend: of most sessions first, then of most ACUs; none in a covered
    /// report, as with the next two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub improvements: Vec<Improvement>,
    /// How many there are in all: a list has at most 100.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub improvements_total: f64,
    /// Issues of at least two sessions; at most five of a label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<RecurringIssue>,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub issues_total: f64,
    /// Remarks on prompts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<PromptFeedback>,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub feedback_total: f64,
}

impl Highlights {
    /// Whether the totals count at least the rows of their lists.
    pub(super) fn have_whole_totals(&self) -> bool {
        let lists = [
            (self.improvements.len(), self.improvements_total),
            (self.issues.len(), self.issues_total),
            (self.feedback.len(), self.feedback_total),
        ];
        lists.into_iter().all(|(rows, total)| total >= rows as f64 && total.fract() == 0.0)
    }

    /// Whether there is a text of an analysis, or a count of such texts.
    pub(super) fn have_texts(&self) -> bool {
        let lists = [self.improvements.is_empty(), self.issues.is_empty(), self.feedback.is_empty()];
        let totals = [self.improvements_total, self.issues_total, self.feedback_total];
        lists.contains(&false) || totals.iter().any(|total| !is_zero(total))
    }
}

fn is_zero(count: &f64) -> bool {
    *count == 0.0
}

/// Picks the rows of the report's period.
///
/// # Errors
/// Polars refused a step: an internal error.
pub(super) fn highlights(
    frames: &PeriodFrames,
    all: &Frames,
    capabilities: Capabilities,
) -> PolarsResult<Highlights> {
    let texts = text_groups(frames, &all.feedback, capabilities)?;
    let high = frames.issues(&[]).filter(is_high()).group_by([col(c::ROW)]).agg([len().alias(HIGH)]);
    let sessions = || frames.sessions(&[]);
    let rows = |first: LazyFrame, by| rows(first, by, &high, frames);
    let spent = || col(c::ACUS).gt(lit(0.0));
    let costly = col(c::ACUS).gt_eq(col(c::ACUS).quantile(lit(COSTLY_QUANTILE), QuantileMethod::Linear));
    Ok(Highlights {
        costliest: rows(sessions().filter(spent()), c::ACUS)?,
        costly_without_merge: rows(
            sessions().filter(spent()).filter(costly).filter(col(MERGED).not()),
            c::ACUS,
        )?,
        high_impact: rows(sessions().inner_join(high.clone(), col(c::ROW), col(c::ROW)), HIGH)?,
        labels: labels(frames)?,
        improvements: texts.improvements.groups,
        improvements_total: texts.improvements.total,
        issues: texts.issues.groups,
        issues_total: texts.issues.total,
        feedback: texts.feedback.groups,
        feedback_total: texts.feedback.total,
    })
}

fn is_high() -> Expr {
    col(c::IMPACT).eq(lit("high"))
}

/// The first sessions by one column, greatest first; ties by ACUs, then by id.
fn rows(
    sessions: LazyFrame,
    by: &str,
    high: &LazyFrame,
    frames: &PeriodFrames,
) -> PolarsResult<Vec<SessionHighlight>> {
    let order =
        SortMultipleOptions::default().with_order_descending_multi([true, true, false]).with_nulls_last(true);
    let of_row = |left: LazyFrame, right: LazyFrame| {
        let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
        left.join(right, [col(c::ROW)], [col(c::ROW)], args)
    };
    // Of all sessions only what they are ordered by is copied.
    let first = sessions
        .select([col(c::ROW), col(by).alias(ORDER), col(c::ACUS), col(c::SESSION)])
        .sort([ORDER, c::ACUS, c::SESSION], order)
        .limit(LONGEST)
        .select([col(c::ROW)]);
    let first = of_row(first, frames.sessions(&[]));
    let first = of_row(of_row(first, high.clone()), frames.names());
    let frame = first.with_column(col(HIGH).fill_null(lit(0))).collect()?;
    let text = |name: &str| PolarsResult::Ok(frame.column(name)?.cast(&DataType::String)?.str()?.clone());
    let number = |name: &str| PolarsResult::Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.clone());
    let (ids, titles, urls, prompts) = (text(c::SESSION)?, text(c::TITLE)?, text(c::URL)?, text(c::PROMPT)?);
    let (days, users) = (text(Dim::Day.name())?, text(c::USER)?);
    let (acus, prs, high) = (number(c::ACUS)?, number(c::PR_COUNT)?, number(HIGH)?);
    let merged = frame.column(MERGED)?.bool()?;
    // There is no such column without a price.
    let spend = frame.column(SPEND).ok().map(|spend| spend.f64()).transpose()?;
    let own = |texts: &StringChunked, at| texts.get(at).map(str::to_owned);
    let row = |at| SessionHighlight {
        id: own(&ids, at).expect("every session has an id"),
        title: own(&titles, at),
        url: own(&urls, at),
        prompt: own(&prompts, at),
        day: own(&days, at).expect("every session of a period has a local date"),
        user: own(&users, at),
        acus: acus.get(at),
        spend: spend.and_then(|spend| spend.get(at)),
        prs: prs.get(at).expect("pull requests are counted"),
        merged: merged.get(at).expect("it is filled for every session"),
        high_issues: high.get(at).expect("issues are counted"),
    };
    Ok((0..frame.height()).map(row).collect())
}

fn labels(frames: &PeriodFrames) -> PolarsResult<Vec<LabelRow>> {
    let issues = frames.issues(&[]);
    let count = |expr: Expr, name| expr.cast(DataType::Float64).alias(name);
    let counts =
        issues.clone().group_by([col(c::LABEL)]).agg([count(len(), COUNT), count(is_high().sum(), HIGH)]);
    let touched = issues
        .select([col(c::LABEL), col(c::ROW)])
        .unique(None, UniqueKeepStrategy::Any)
        .inner_join(frames.sessions(&[]).select([col(c::ROW), col(c::ACUS)]), col(c::ROW), col(c::ROW))
        .sort([c::ROW], SortMultipleOptions::default())
        .group_by_stable([col(c::LABEL)])
        .agg([count(len(), TOUCHED), acus()]);
    let order =
        SortMultipleOptions::default().with_order_descending_multi([true, true, false]).with_nulls_last(true);
    let on = [col(c::LABEL)];
    let frame = counts
        .join(touched, &on, &on, JoinArgs { nulls_equal: true, ..JoinArgs::new(JoinType::Inner) })
        .sort([HIGH, COUNT, c::LABEL], order)
        // As for facts: the order of adding up decides the last digit.
        .with_check_order(false)
        .collect()?;
    let names = frame.column(c::LABEL)?.cast(&DataType::String)?;
    let names = names.str()?;
    let number = |name: &str| frame.column(name)?.f64();
    let (issues, high, touched, acus) = (number(COUNT)?, number(HIGH)?, number(TOUCHED)?, number(c::ACUS)?);
    let own = |numbers: &Float64Chunked, at| numbers.get(at).expect("counts and sums are not null");
    let row = |at| LabelRow {
        label: names.get(at).map(str::to_owned),
        issues: own(issues, at),
        high: own(high, at),
        sessions: own(touched, at),
        acus: own(acus, at),
    };
    Ok((0..frame.height()).map(row).collect())
}
