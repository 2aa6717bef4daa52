//! The finance rows: what each team and cost centre spent at each price.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde_json::Value;

use super::calendar::{Span, local_date};
use super::records::{self, Session};

/// Team and cost centre.
pub type Group = [Option<String>; 2];

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub group: Group,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub acus: f64,
    pub per_acu: Option<f64>,
    pub amount: Option<f64>,
    pub previous: Option<f64>,
}

/// What the rows are asked for.
pub struct Asked<'a> {
    pub records: &'a [Value],
    pub period: &'a Span,
    /// None where nothing is compared.
    pub compared: Option<&'a Span>,
    /// First days and prices, oldest first.
    pub prices: &'a [(NaiveDate, f64)],
    /// The last day of the period of which there is anything.
    pub last: NaiveDate,
    /// Who a session is booked on, by its local day.
    pub group: &'a dyn Fn(&Session, NaiveDate) -> Group,
}

impl Asked<'_> {
    /// The price of a day, by its place; none before the first.
    fn price(&self, day: NaiveDate) -> Option<usize> {
        self.prices.iter().rposition(|(from, _)| *from <= day)
    }

    /// ACUs and amount of each group at each price of a span.
    fn spent(&self, span: &Span) -> BTreeMap<(Group, Option<usize>), (f64, Option<f64>)> {
        let mut spent = BTreeMap::new();
        for session in records::sessions(self.records, span.begins(), span.ends()) {
            let day = local_date(session.created, span);
            let price = self.price(day);
            let entry = spent.entry(((self.group)(&session, day), price)).or_insert((0.0, Some(0.0)));
            entry.0 += session.spent();
            let cost = price.map(|place| session.spent() * self.prices[place].1);
            let cost = if session.spent() == 0.0 { Some(0.0) } else { cost };
            entry.1 = entry.1.zip(cost).map(|(sum, cost)| sum + cost);
        }
        spent
    }

    /// The rows, those without a team or cost centre last.
    pub fn rows(&self) -> Vec<Row> {
        let [first, end] = [self.period.days[0].0, self.period.days[self.period.days.len() - 1].0];
        let mut spent = self.spent(self.period);
        let mut before: BTreeMap<Group, Option<f64>> = BTreeMap::new();
        for ((group, _), (_, amount)) in self.compared.map(|span| self.spent(span)).unwrap_or_default() {
            let sum = before.entry(group).or_insert(Some(0.0));
            *sum = sum.zip(amount).map(|(sum, amount)| sum + amount);
        }
        for group in before.keys() {
            if !spent.keys().any(|(own, _)| own == group) {
                spent.insert((group.clone(), self.price(first)), (0.0, Some(0.0)));
            }
        }
        let mut rows: Vec<Row> = Vec::new();
        for ((group, price), (acus, amount)) in spent {
            let next = self.prices.get(price.map_or(0, |place| place + 1));
            let to = next.map_or(end, |(from, _)| *from - Days::new(1)).min(end).min(self.last);
            let is_first = !rows.iter().any(|row| row.group == group);
            rows.push(Row {
                previous: self
                    .compared
                    .filter(|_| is_first)
                    .and_then(|_| before.get(&group).copied().unwrap_or(Some(0.0))),
                from: price.map_or(first, |place| self.prices[place].0.max(first)),
                to,
                acus,
                per_acu: price.map(|place| self.prices[place].1),
                amount,
                group,
            });
        }
        let order = |row: &Row| {
            let of = |text: &Option<String>| (text.is_none(), text.clone());
            (of(&row.group[0]), of(&row.group[1]), row.from)
        };
        rows.sort_by_key(order);
        rows
    }
}
