//! Budgets of months or billing cycles: how much is used, and where it is heading.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, SPEND, UNPRICED};
use super::evaluation::{Allowance, Evaluation};
use super::period_frames::created_between;
use super::suppress::{PriceChange, none_or_enough, people};
use crate::cycle::BudgetCycle;
use crate::money::{Currency, Prices};
use crate::period::Period;
use crate::tables::schema as c;

/// A forecast on fewer days than this would be a guess.
const ENOUGH_DAYS: f64 = 5.0;

/// How much of a month's or billing cycle's budget is used.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The month, `2026-10`, or the days of the cycle, `2026-09-23_2026-10-22`.
    pub period: String,
    /// RFC 3339, in the zone: what was created before this is in it.
    pub until: String,
    /// What may be spent.
    pub amount: f64,
    /// The currency of all three.
    pub currency: Currency,
    /// What was spent; null where a part of it has no price.
    pub used: Option<f64>,
    /// What the cycle will have cost at the pace so far: `used` by the share of it
    /// that is over. Null in its first five days, and where it was over when the report
    /// was made.
    pub forecast: Option<f64>,
}

/// The budget of each cycle of an evaluation, from all sessions.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn budgets(sessions: &DataFrame, evaluation: &Evaluation<'_>) -> PolarsResult<Vec<Budget>> {
    let (Some(allowance), Some(prices), Some(period)) =
        (&evaluation.allowance, evaluation.prices, evaluation.periods.first())
    else {
        return Ok(Vec::new());
    };
    allowance.cycles.iter().map(|cycle| budget(sessions, cycle, allowance, prices, period.tz())).collect()
}

fn budget(
    sessions: &DataFrame,
    cycle: &BudgetCycle,
    allowance: &Allowance,
    prices: &Prices,
    tz: Tz,
) -> PolarsResult<Budget> {
    let local = |moment: DateTime<Utc>| moment.with_timezone(&tz);
    let (begin, end) = (local(cycle.from), local(cycle.to));
    // Prices are those of local days, at which a billing cycle need not begin.
    let days = Period::days(begin.date_naive(), local(cycle.to - TimeDelta::seconds(1)).date_naive(), tz);
    let calendar = Calendar::new(&days.expect("a cycle does not end before it begins"));
    // In one piece, because a sum over several has other last digits.
    let mut within = created_between(sessions, cycle.from, cycle.to)?.select([c::CREATED, c::ACUS])?;
    within.rechunk_mut();
    let spent = within.lazy().select(calendar.spend(prices)).collect()?;
    let unpriced = spent.column(UNPRICED)?.bool()?.any();
    let used = spent.column(SPEND)?.f64()?.sum().expect("a sum of nothing is 0");
    let used = (!unpriced).then_some(used);
    let until = local(allowance.until).clamp(begin, end);
    Ok(Budget {
        period: cycle.label.clone(),
        until: until.to_rfc3339_opts(SecondsFormat::Secs, false),
        amount: allowance.amount,
        currency: prices.currency(),
        used,
        forecast: used.and_then(|used| forecast(used, cycle, allowance.until, allowance.now)),
    })
}

/// What a cycle will have used at its end at the pace so far: what was used until a moment, by the
/// share of the cycle that is over then. `None` in its first five days, at its end, and where it was
/// over `now`, when the report was made.
pub fn forecast(used: f64, cycle: &BudgetCycle, until: DateTime<Utc>, now: DateTime<Utc>) -> Option<f64> {
    let until = until.clamp(cycle.from, cycle.to);
    let seconds = |to: DateTime<Utc>| (to - cycle.from).num_seconds() as f64;
    let (over, whole) = (seconds(until), seconds(cycle.to));
    let is_telling = over >= ENOUGH_DAYS * 86_400.0 && until < cycle.to && now < cycle.to;
    is_telling.then(|| used / over * whole)
}

/// The same for a covered report, in whole units: `None` if the cycles and the
/// periods of the report, one subtracted from the other, would reveal what fewer
/// than five people spent.
///
/// # Errors
/// As [`budgets`].
pub fn covered(sessions: &DataFrame, evaluation: &Evaluation<'_>) -> PolarsResult<Vec<Budget>> {
    let budgets = budgets(sessions, evaluation)?;
    let Some(allowance) = evaluation.allowance.as_ref().filter(|_| !budgets.is_empty()) else {
        return Ok(Vec::new());
    };
    let known = |cycle: &BudgetCycle| [cycle.from, cycle.to.min(allowance.until).max(cycle.from)];
    let cycles: Vec<[DateTime<Utc>; 2]> = allowance.cycles.iter().map(known).collect();
    let moments = |period: &Period| [period.from().to_utc(), period.to().to_utc()];
    let overlaps =
        |[from, to]: &[DateTime<Utc>; 2]| cycles.iter().any(|[begin, end]| from < end && begin < to);
    let mut cuts: Vec<DateTime<Utc>> =
        evaluation.periods.iter().flat_map(moments).chain(cycles.iter().copied().flatten()).collect();
    cuts.sort_unstable();
    cuts.dedup();
    // What is between two neighbouring cuts can be computed by subtraction where
    // a cycle, or a period that one overlaps, includes it.
    let mut spans = cycles.clone();
    spans.extend(evaluation.periods.iter().map(moments).filter(overlaps));
    for pair in cuts.windows(2) {
        let is_within = |[from, to]: &[DateTime<Utc>; 2]| pair.iter().all(|cut| (from..=to).contains(&cut));
        if let [from, to] = pair
            && spans.iter().any(is_within)
            && !none_or_enough(people_between(sessions, *from, *to)?)
        {
            return Ok(Vec::new());
        }
    }
    let whole = |value: Option<f64>| value.map(f64::round);
    let rounded =
        |budget: Budget| Budget { used: whole(budget.used), forecast: whole(budget.forecast), ..budget };
    Ok(budgets.into_iter().map(rounded).collect())
}

/// What became of the price within each period.
///
/// # Errors
/// As [`budgets`].
pub fn price_changes(sessions: &DataFrame, evaluation: &Evaluation<'_>) -> PolarsResult<Vec<PriceChange>> {
    let steps = evaluation.prices.map_or(&[][..], Prices::steps);
    let change = |period: &Period| {
        let midnight = |day| {
            let day = Period::days(day, day, period.tz()).expect("a day does not end before it begins");
            day.from().to_utc()
        };
        let within = steps.iter().filter(|step| period.first() < step.from && step.from <= period.last());
        let mut cuts: Vec<DateTime<Utc>> = within.map(|step| midnight(step.from)).collect();
        if cuts.is_empty() {
            return Ok(PriceChange::None);
        }
        cuts.extend([period.from().to_utc(), period.to().to_utc()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            if let [from, to] = pair
                && !none_or_enough(people_between(sessions, *from, *to)?)
            {
                return Ok(PriceChange::Few);
            }
        }
        Ok(PriceChange::Apart)
    };
    evaluation.periods.iter().map(change).collect()
}

/// How many people created sessions in a span of time.
fn people_between(sessions: &DataFrame, from: DateTime<Utc>, to: DateTime<Utc>) -> PolarsResult<usize> {
    people(created_between(sessions, from, to)?.lazy())
}
