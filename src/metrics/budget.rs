//! A month's budget: how much of it is used, and where the month is heading.

use chrono::{DateTime, SecondsFormat, Utc};
use polars::prelude::*;
use serde::Serialize;

use super::calendar::{Calendar, PERIOD, SPEND, UNPRICED, placed_in, price};
use super::cube::person;
use super::evaluate::Span;
use super::suppress::{PriceChange, none_or_enough, people};
use crate::frame::Frames;
use crate::frame::columns as c;
use crate::money::{Currency, Prices};
use crate::period::Period;

/// A forecast on fewer days than this would be a guess.
const ENOUGH_DAYS: f64 = 5.0;

/// A calendar month and what may be spent in it.
#[derive(Clone, Debug)]
pub struct Month {
    /// The month.
    pub period: Period,
    /// How far its sessions are known.
    pub until: DateTime<Utc>,
    /// What may be spent, in the currency of the prices.
    pub amount: f64,
}

/// How much of a month's budget is used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// The month: `2026-10`.
    pub month: String,
    /// RFC 3339, in the zone: what was created before this is in it.
    pub until: String,
    /// What may be spent.
    pub amount: f64,
    /// The currency of all three.
    pub currency: Currency,
    /// What was spent; null where a part of it has no price.
    pub used: Option<f64>,
    /// What the month will have cost at the pace so far: `used` by the share of
    /// the month that is over. Null in its first five days, and once it is over.
    pub forecast: Option<f64>,
}

/// Works out the budget of the span's month.
///
/// # Errors
/// Polars refused a step: a defect, not a state of the data.
pub fn budget(frames: &Frames, span: &Span<'_>) -> PolarsResult<Option<Budget>> {
    let (Some(month), Some(prices)) = (&span.month, span.prices) else { return Ok(None) };
    let calendar = Calendar::new(std::slice::from_ref(&month.period));
    let mut sessions = placed_in(&frames.sessions, &calendar)?;
    price(&mut sessions, &calendar, prices)?;
    let unpriced = sessions.column(UNPRICED)?.bool()?.any();
    let used = (!unpriced)
        .then(|| PolarsResult::Ok(sessions.column(SPEND)?.f64()?.sum().unwrap_or(0.0)))
        .transpose()?;
    let (begin, end) = (month.period.from(), month.period.to());
    let until = month.until.with_timezone(&month.period.tz()).clamp(begin, end);
    let seconds = |from: DateTime<_>, to: DateTime<_>| (to - from).num_seconds() as f64;
    let (over, whole) = (seconds(begin, until), seconds(begin, end));
    let is_telling = over >= ENOUGH_DAYS * 86_400.0 && until < end;
    Ok(Some(Budget {
        month: month.period.label(),
        until: until.to_rfc3339_opts(SecondsFormat::Secs, false),
        amount: month.amount,
        currency: prices.currency(),
        used,
        forecast: used.filter(|_| is_telling).map(|used| used / over * whole),
    }))
}

/// The same for a covered report, in whole units: none where the month and the
/// periods of the report, one subtracted from the other, would tell what fewer
/// than five people spent.
///
/// # Errors
/// As [`budget`].
pub fn covered(frames: &Frames, span: &Span<'_>) -> PolarsResult<Option<Budget>> {
    let (Some(budget), Some(month)) = (budget(frames, span)?, &span.month) else { return Ok(None) };
    let (begin, end) = (month.period.from().to_utc(), month.until);
    let moments = |period: &Period| [period.from().to_utc(), period.to().to_utc()];
    let mut cuts: Vec<DateTime<Utc>> = span.periods.iter().flat_map(moments).chain([begin, end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    // What lies between two neighbouring cuts can be computed by subtraction where
    // the month, or a period that it overlaps, includes it.
    let mut spans = vec![[begin, end]];
    spans.extend(span.periods.iter().map(moments).filter(|[from, to]| *from < end && begin < *to));
    for pair in cuts.windows(2) {
        let is_within = |[from, to]: &[DateTime<Utc>; 2]| pair.iter().all(|cut| (from..=to).contains(&cut));
        if let [from, to] = pair
            && spans.iter().any(is_within)
            && !none_or_enough(people_between(frames, *from, *to)?)
        {
            return Ok(None);
        }
    }
    let whole = |value: Option<f64>| value.map(f64::round);
    Ok(Some(Budget { used: whole(budget.used), forecast: whole(budget.forecast), ..budget }))
}

/// What became of the price within each period.
///
/// # Errors
/// As [`budget`].
pub fn price_changes(frames: &Frames, span: &Span<'_>) -> PolarsResult<Vec<PriceChange>> {
    let steps = span.prices.map_or(&[][..], Prices::steps);
    let change = |period: &Period| {
        let midnight = |day| Period::days(day, day, period.tz()).map(|day| day.from().to_utc());
        let within = steps.iter().filter(|step| period.first() < step.from && step.from <= period.last());
        let mut cuts: Vec<DateTime<Utc>> = within.filter_map(|step| midnight(step.from)).collect();
        if cuts.is_empty() {
            return Ok(PriceChange::None);
        }
        cuts.extend([period.from().to_utc(), period.to().to_utc()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            if let [from, to] = pair
                && !none_or_enough(people_between(frames, *from, *to)?)
            {
                return Ok(PriceChange::Few);
            }
        }
        Ok(PriceChange::Apart)
    };
    span.periods.iter().map(change).collect()
}

/// How many people created sessions in a span of time.
fn people_between(frames: &Frames, from: DateTime<Utc>, to: DateTime<Utc>) -> PolarsResult<usize> {
    let created = || col(c::CREATED);
    let is_within =
        created().gt_eq(lit(from.timestamp_micros())).and(created().lt(lit(to.timestamp_micros())));
    let rows = frames
        .sessions
        .clone()
        .lazy()
        .filter(is_within)
        .with_columns([person(), lit(0).cast(DataType::UInt32).alias(PERIOD)]);
    Ok(people(rows, 1)?.first().copied().unwrap_or(0))
}
