//! What teams and cost centres spent at each price, rounded so that the rows add up to the total.

use std::collections::BTreeSet;

use serde::Serialize;

use super::is_compared;
use crate::metrics::{Facts, FinanceRow};
use crate::money::{Currency, apportion, rounded};
use crate::unit::counted;

/// The finance table.
#[derive(Serialize)]
pub struct Finance {
    /// The currency of prices and amounts.
    pub currency: Currency,
    /// How to read the table.
    pub note: String,
    /// The rows, with their amounts in whole minor units of the currency.
    pub rows: Vec<FinanceRow>,
    /// ACUs of all rows.
    pub acus: f64,
    /// The amounts of all rows; null where one is null.
    pub amount: Option<f64>,
    /// The previous amounts of all teams and cost centres; null where one is null.
    pub previous_amount: Option<f64>,
}

/// The finance table; `None` where the facts have no rows for it.
pub fn finance(facts: &Facts) -> Option<Finance> {
    let currency = facts.prices.as_ref().filter(|_| !facts.finance.is_empty())?.currency();
    let mut rows = facts.finance.clone();
    let mut booked = BTreeSet::new();
    let is_first: Vec<bool> = rows.iter().map(|row| booked.insert([&row.team, &row.cost_centre])).collect();
    let previous = rows.iter().zip(is_first).filter(|(_, is_first)| *is_first);
    let previous_amount = total(previous.map(|(row, _)| row.previous_amount), currency);
    let amount = total(rows.iter().map(|row| row.amount), currency);
    share_out(rows.iter_mut().map(|row| &mut row.amount), currency);
    share_out(rows.iter_mut().map(|row| &mut row.previous_amount), currency);
    Some(Finance {
        currency,
        note: note(facts, currency),
        acus: rows.iter().map(|row| row.acus).sum(),
        rows,
        amount,
        previous_amount,
    })
}

/// The rounded sum of amounts; null where one is null.
fn total(amounts: impl Iterator<Item = Option<f64>>, currency: Currency) -> Option<f64> {
    let amounts: Option<Vec<f64>> = amounts.collect();
    amounts.map(|amounts| rounded(amounts.iter().sum(), currency.places()))
}

/// Rounds the known amounts of a column so that they add up to their rounded total.
fn share_out<'a>(amounts: impl Iterator<Item = &'a mut Option<f64>>, currency: Currency) {
    let known: Vec<&mut f64> = amounts.filter_map(Option::as_mut).collect();
    let exact: Vec<f64> = known.iter().map(|amount| **amount).collect();
    for (amount, rounded) in known.into_iter().zip(apportion(&exact, currency.places())) {
        *amount = rounded;
    }
}

fn note(facts: &Facts, currency: Currency) -> String {
    let mut note = format!("Amounts are in {}, rounded so that they add up to the total.", currency.code());
    if is_compared(facts) {
        let (own, other) = (facts.report_period(), facts.previous_period());
        note += &format!(
            " “Previous period” is {}: the whole amount of a team and cost centre, in its first row.",
            other.dates_in_words()
        );
        if own.day_count() != other.day_count() {
            let days = |days: u64| counted(days as f64, "day", "days");
            let (own, other) = (days(own.day_count()), days(other.day_count()));
            note += &format!(" It has {other}, this period {own}; no amount is per day.");
        }
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Price, Prices};

    fn row(team: &str, day: &str, amount: Option<f64>, previous_amount: Option<f64>) -> FinanceRow {
        let day: chrono::NaiveDate = day.parse().unwrap();
        FinanceRow {
            team: Some(team.to_owned()),
            cost_centre: None,
            from: day,
            to: day,
            acus: 1.5,
            per_acu: Some(1.0),
            amount,
            previous_amount,
        }
    }

    fn facts(currency: &str, rows: Vec<FinanceRow>) -> Facts {
        let demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let price = Price { from: "2026-01-01".parse().unwrap(), per_acu: 1.0 };
        let prices = Prices::new(Currency::parse(currency).unwrap(), vec![price]);
        Facts { finance: rows, prices, ..demo }
    }

    fn amounts(finance: &Finance) -> Vec<Option<f64>> {
        finance.rows.iter().map(|row| row.amount).collect()
    }

    #[test]
    fn rounded_rows_add_up_to_the_rounded_total() {
        let third = |team, previous| row(team, "2026-10-05", Some(10.0 / 3.0), Some(previous));
        let rows = || vec![third("a", 0.5), third("b", 0.5), third("c", 0.5)];
        for (currency, expected, total, previous) in [
            ("EUR", [3.34, 3.33, 3.33], 10.0, 1.5),
            ("JPY", [4.0, 3.0, 3.0], 10.0, 2.0),
            ("KWD", [3.334, 3.333, 3.333], 10.0, 1.5),
        ] {
            let finance = finance(&facts(currency, rows())).unwrap();
            assert_eq!(amounts(&finance), expected.map(Some), "{currency}");
            assert_eq!((finance.amount, finance.previous_amount), (Some(total), Some(previous)));
            assert_eq!(finance.acus, 4.5);
            assert!(finance.note.starts_with(&format!("Amounts are in {currency}, ")), "{}", finance.note);
        }
        assert!(finance(&facts("EUR", Vec::new())).is_none());
    }

    #[test]
    fn what_is_unknown_makes_its_total_unknown() {
        let rows = vec![
            row("a", "2026-10-05", None, Some(0.5)),
            // The second row of a team has no previous amount, and its total has one.
            row("a", "2026-10-07", Some(1.005), None),
            row("b", "2026-10-07", Some(1.0), Some(0.25)),
        ];
        let finance = finance(&facts("EUR", rows.clone())).unwrap();
        assert_eq!(amounts(&finance), [None, Some(1.01), Some(1.0)]);
        assert_eq!((finance.amount, finance.previous_amount), (None, Some(0.75)));
        let unknown = [&rows[..2], &[row("b", "2026-10-07", Some(1.0), None)]].concat();
        assert_eq!(super::finance(&facts("EUR", unknown)).unwrap().previous_amount, None);
    }

    #[test]
    fn the_note_says_that_periods_of_other_lengths_are_not_scaled() {
        let note = |previous: &str| {
            let mut facts = facts("EUR", vec![row("a", "2026-10-05", Some(1.0), Some(1.0))]);
            facts.previous.label = previous.to_owned();
            finance(&facts).unwrap().note
        };
        let week = note("2026-W40");
        assert!(week.contains("is 28 September to 4 October 2026: ") && !week.contains("per day"), "{week}");
        let month = note("2026-09");
        assert!(month.ends_with(" It has 30 days, this period 7 days; no amount is per day."), "{month}");
    }
}
