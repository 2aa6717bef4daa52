//! What teams and cost centres spent at each price, as finance books it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::calendar::{SPEND, begun};
use super::evaluation::{COMPARED, Evaluation};
use super::period_frames::PeriodFrames;
use super::plan::acus;
use super::spend::unless_unpriced;
use crate::money::Prices;
use crate::period::Period;
use crate::tables::schema as c;

/// The place of a session's price among the prices of its period.
const INTERVAL: &str = "interval";

/// The ACUs and the spend of a team and cost centre at one price.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FinanceRow {
    /// The team; null for sessions without one.
    pub team: Option<String>,
    /// The cost centre of the sessions' users when the sessions were created; null without one.
    pub cost_centre: Option<String>,
    /// The first local day of the price within the period.
    pub from: NaiveDate,
    /// The last local day, inclusive, that is within the period and over or running.
    pub to: NaiveDate,
    /// ACUs of the sessions whose ACUs are known.
    pub acus: f64,
    /// The price of an ACU; null before the first price.
    pub per_acu: Option<f64>,
    /// What the sessions cost, unrounded; null where some of their ACUs have no price.
    pub amount: Option<f64>,
    /// What the team and cost centre spent in the whole compared period, in their first row only,
    /// so that the column adds up; null in the other rows, where some of it has no price, and where
    /// nothing is compared.
    pub previous_amount: Option<f64>,
}

/// A team and a cost centre.
type Group = [Option<String>; 2];

/// ACUs and amount by the place of the price among those of the period.
type Spent = BTreeMap<usize, (f64, Option<f64>)>;

/// A row for each team, cost centre and price of the report's period; groups that only the compared
/// period has get a row with 0 ACUs. By team, then by cost centre, those without one last, then by
/// day. Empty without prices, where nothing is metered, and where neither teams nor cost centres are
/// known. Not for a covered report.
///
/// # Errors
/// Polars refused a plan: an internal error.
pub fn finance(frames: &[PeriodFrames], evaluation: &Evaluation<'_>) -> PolarsResult<Vec<FinanceRow>> {
    let is_grouped = evaluation.capabilities.teams || evaluation.cost_centres || evaluation.team.is_some();
    let is_listed = is_grouped && evaluation.capabilities.metered;
    let (Some(prices), Some(period), Some(own), true) =
        (evaluation.prices, evaluation.periods.first(), frames.first(), is_listed)
    else {
        return Ok(Vec::new());
    };
    let days = first_days(period, prices);
    let mut groups = spent_at_prices(own, period, &days)?;
    let compared = frames.get(COMPARED).filter(|_| evaluation.compares(0, COMPARED));
    let before = compared.map(spent).transpose()?;
    for group in before.iter().flat_map(BTreeMap::keys) {
        groups.entry(group.clone()).or_insert_with(|| Spent::from([(0, (0.0, Some(0.0)))]));
    }
    let last = last_day(period, evaluation.until);
    let mut rows = Vec::new();
    for (group, spent) in &groups {
        // A group that the compared period does not have spent nothing in it.
        let mut previous = before.as_ref().and_then(|before| before.get(group).copied().unwrap_or(Some(0.0)));
        for (at, (acus, amount)) in spent {
            let from = *days.get(*at).expect("a price is one of the period's");
            let next = days.get(at + 1).and_then(NaiveDate::pred_opt);
            let [team, cost_centre] = group.clone();
            rows.push(FinanceRow {
                team,
                cost_centre,
                from,
                to: next.unwrap_or(last).min(last).max(from),
                acus: *acus,
                per_acu: prices.on(from),
                amount: *amount,
                previous_amount: previous.take(),
            });
        }
    }
    // Groups are in order already; those without a team or cost centre come first.
    let is_without = |row: &FinanceRow| (row.team.is_none(), row.team.clone(), row.cost_centre.is_none());
    rows.sort_by_cached_key(is_without);
    Ok(rows)
}

/// The first day of each price within a period, the first of which begins before it.
fn first_days(period: &Period, prices: &Prices) -> Vec<NaiveDate> {
    let steps = prices.steps().iter().map(|price| price.from);
    let within = steps.filter(|day| period.first() < *day && *day <= period.last());
    std::iter::once(period.first()).chain(within).collect()
}

/// The last local day of a period of which anything is known: sessions are known up to an instant.
fn last_day(period: &Period, until: DateTime<Utc>) -> NaiveDate {
    let known = until.checked_sub_signed(TimeDelta::microseconds(1)).unwrap_or(until);
    known.with_timezone(&period.tz()).date_naive().min(period.last())
}

/// ACUs and amount of each group at each price of the period.
fn spent_at_prices(
    frames: &PeriodFrames,
    period: &Period,
    days: &[NaiveDate],
) -> PolarsResult<BTreeMap<Group, Spent>> {
    let begin = |day: &NaiveDate| {
        let day = Period::days(*day, *day, period.tz()).expect("a day does not end before it begins");
        day.from().timestamp_micros()
    };
    let begins: Vec<i64> = days.iter().map(begin).collect();
    let interval = (begun(&begins) - lit(1 as IdxSize)).alias(INTERVAL);
    let answer = frames
        .sessions(&[])
        .with_column(interval)
        .group_by([col(c::TEAM), col(c::COST_CENTRE), col(INTERVAL)])
        .agg([acus(), unless_unpriced(col(SPEND).sum()).alias(SPEND)])
        .with_check_order(false)
        .collect()?;
    let intervals = answer.column(INTERVAL)?.idx()?;
    let (acus, amounts) = (answer.column(c::ACUS)?.f64()?, answer.column(SPEND)?.f64()?);
    let mut spent: BTreeMap<Group, Spent> = BTreeMap::new();
    for (row, group) in groups(&answer)?.into_iter().enumerate() {
        let interval = intervals.get(row).expect("every session of the period is at a price") as usize;
        let acus = acus.get(row).expect("a sum is not null");
        spent.entry(group).or_default().insert(interval, (acus, amounts.get(row)));
    }
    Ok(spent)
}

/// The amount of each group in a whole period.
fn spent(frames: &PeriodFrames) -> PolarsResult<BTreeMap<Group, Option<f64>>> {
    let answer = frames
        .sessions(&[])
        .group_by([col(c::TEAM), col(c::COST_CENTRE)])
        .agg([unless_unpriced(col(SPEND).sum()).alias(SPEND)])
        .with_check_order(false)
        .collect()?;
    Ok(groups(&answer)?.into_iter().zip(answer.column(SPEND)?.f64()?.iter()).collect())
}

/// The group of each row of an answer.
fn groups(answer: &DataFrame) -> PolarsResult<Vec<Group>> {
    let texts = |name: &str| answer.column(name)?.cast(&DataType::String);
    let (teams, centres) = (texts(c::TEAM)?, texts(c::COST_CENTRE)?);
    let pairs = teams.str()?.iter().zip(centres.str()?.iter());
    Ok(pairs.map(|(team, centre)| [team.map(str::to_owned), centre.map(str::to_owned)]).collect())
}
