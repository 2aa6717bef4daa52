//! What the vendor counts and bills, kept beside the sessions: its ACUs of every day,
//! its counts of weeks and months that were over at a sync, and its billing cycles.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use devin_api::{Consumption, Counts};

/// What the syncs received so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vendor {
    /// The requested days, both included; `None` before the first answer.
    pub asked: Option<[NaiveDate; 2]>,
    /// What was used on each of them; a day without a row used nothing.
    pub consumption: BTreeMap<NaiveDate, Consumption>,
    /// Counts of whole weeks and months.
    pub counts: Vec<Counted>,
    /// Billing cycles, the oldest first.
    pub cycles: Vec<Range<DateTime<Utc>>>,
}

/// What the vendor counts in a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// It begins at this moment …
    pub from: DateTime<Utc>,
    /// … and ends before this one.
    pub to: DateTime<Utc>,
    /// The counts.
    pub counts: Counts,
}

/// A day is asked about again for so long: numbers of the last days still rise.
const SETTLES: Days = Days::new(7);

impl Vendor {
    /// Its place in an archive.
    pub(super) const PATH: &str = "vendor.json";

    /// What it holds, in pieces.
    pub(super) fn rows(&self) -> usize {
        self.consumption.len() + self.counts.len() + self.cycles.len()
    }

    /// The days to request: those since `since` without an answer yet, and the
    /// last of the others, up to the day before `today`.
    pub fn open_days(&self, since: NaiveDate, today: NaiveDate) -> Option<RangeInclusive<NaiveDate>> {
        let first = match self.asked {
            Some([first, last]) if first <= since => last.checked_sub_days(SETTLES)?.max(first),
            _ => since,
        };
        let last = today.pred_opt()?;
        (first <= last).then_some(first..=last)
    }

    /// Takes over what was used on these days.
    pub fn add_days(&mut self, days: &RangeInclusive<NaiveDate>, read: BTreeMap<NaiveDate, Consumption>) {
        self.consumption.retain(|day, _| !days.contains(day));
        self.consumption.extend(read);
        let [first, last] = self.asked.unwrap_or([*days.start(), *days.end()]);
        self.asked = Some([first.min(*days.start()), last.max(*days.end())]);
    }

    /// Takes over the counts of a span, in place of earlier ones.
    pub fn add_counts(&mut self, span: &Range<DateTime<Utc>>, counts: Counts) {
        self.counts.retain(|known| (known.from, known.to) != (span.start, span.end));
        self.counts.push(Counted { from: span.start, to: span.end, counts });
        self.counts.sort_by_key(|known| (known.from, known.to));
    }

    /// What is kept of exactly this span and these days, as the vendor would report it.
    pub fn of_period(
        &self,
        span: &Range<DateTime<Utc>>,
        days: &RangeInclusive<NaiveDate>,
    ) -> devin_api::Vendor {
        let of_span = self.counts.iter().find(|known| (known.from, known.to) == (span.start, span.end));
        let covers = |[first, last]: [NaiveDate; 2]| first <= *days.start() && *days.end() <= last;
        let of_days = || {
            let within = self.consumption.range(days.clone());
            within.map(|(day, used)| (*day, used.clone())).collect()
        };
        devin_api::Vendor {
            counts: of_span.map(|known| known.counts.clone()).unwrap_or_default(),
            days: self.asked.is_some_and(covers).then(of_days),
            missing: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn used(acus: f64) -> Consumption {
        Consumption { acus, by_product: BTreeMap::new() }
    }

    #[test]
    fn days_are_asked_once_and_the_last_of_them_again() {
        let mut vendor = Vendor::default();
        let (since, today) = (day("2026-09-01"), day("2026-10-12"));
        let all = vendor.open_days(since, today).unwrap();
        assert_eq!(all, since..=day("2026-10-11"));
        vendor
            .add_days(&all, BTreeMap::from([(day("2026-10-05"), used(4.0)), (day("2026-10-11"), used(1.0))]));
        let next = vendor.open_days(since, day("2026-10-19")).unwrap();
        assert_eq!(next, day("2026-10-04")..=day("2026-10-18"));
        vendor.add_days(&next, BTreeMap::from([(day("2026-10-11"), used(2.0))]));
        assert_eq!(vendor.asked, Some([since, day("2026-10-18")]));
        assert_eq!(vendor.consumption.values().map(|used| used.acus).collect::<Vec<_>>(), [2.0]);
        assert_eq!(vendor.open_days(day("2026-08-01"), today), Some(day("2026-08-01")..=day("2026-10-11")));
        assert_eq!(Vendor::default().open_days(today, today), None);
    }

    #[test]
    fn a_period_is_reported_only_if_known_exactly() {
        let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let week = moment("2026-10-05T00:00:00Z")..moment("2026-10-12T00:00:00Z");
        let days = day("2026-10-05")..=day("2026-10-11");
        let mut vendor = Vendor::default();
        assert_eq!(vendor.of_period(&week, &days), devin_api::Vendor::default());
        for sessions in [7, 9] {
            vendor.add_counts(&week, Counts { sessions: Some(sessions), ..Counts::default() });
        }
        vendor.add_days(
            &(day("2026-10-01")..=day("2026-10-11")),
            BTreeMap::from([(day("2026-10-02"), used(3.0))]),
        );
        let found = vendor.of_period(&week, &days);
        assert_eq!((found.counts.sessions, found.days), (Some(9), Some(BTreeMap::new())));
        let shifted = week.start..moment("2026-10-12T01:00:00Z");
        let found = vendor.of_period(&shifted, &(day("2026-10-05")..=day("2026-10-12")));
        assert_eq!(found, devin_api::Vendor::default());
        let text = serde_json::to_string(&vendor).unwrap();
        assert_eq!(serde_json::from_str::<Vendor>(&text).unwrap(), vendor);
        assert_eq!(serde_json::from_str::<Vendor>("{}").unwrap(), Vendor::default());
    }
}
