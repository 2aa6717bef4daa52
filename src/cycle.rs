//! The periods that a budget applies to: calendar months, or billing cycles.

use std::ops::Range;

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::period::{Period, PeriodKind};

/// When a budget starts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CycleRule {
    /// On the first day of each month.
    #[default]
    Months,
    /// On this day of each month, from 2 to 31; on the last day of shorter months.
    Day(u32),
    /// When the vendor's billing cycles begin.
    Vendor,
}

/// A half-open period with a budget of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetCycle {
    /// Its month, `2026-10`, or its local days, `2026-09-23_2026-10-22`.
    pub label: String,
    /// Its start …
    pub from: DateTime<Utc>,
    /// … and its end.
    pub to: DateTime<Utc>,
}

/// The cycles that contain at least one of these local days, oldest first; empty for
/// [`CycleRule::Vendor`], which only the API knows.
pub fn overlapping(rhythm: CycleRule, first: NaiveDate, last: NaiveDate, tz: Tz) -> Vec<BudgetCycle> {
    let spans: Box<dyn Iterator<Item = Option<Period>>> = match rhythm {
        CycleRule::Vendor => return Vec::new(),
        CycleRule::Months => Box::new(months(first).map(move |day| Period::month_of(day, tz))),
        CycleRule::Day(number) => {
            Box::new(months(first.checked_sub_months(Months::new(1)).unwrap_or(first)).map(move |month| {
                let begin = nth_day(month, number)?;
                Period::days(
                    begin,
                    nth_day(month.checked_add_months(Months::new(1))?, number)?.pred_opt()?,
                    tz,
                )
            }))
        }
    };
    let spans = spans.map_while(|span| span).skip_while(|span| span.last() < first);
    spans
        .take_while(|span| span.first() <= last)
        .map(|span| BudgetCycle { label: span.label(), from: span.from().to_utc(), to: span.to().to_utc() })
        .collect()
}

/// The first day of this and of each following month.
fn months(day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    std::iter::successors(day.with_day(1), |first| first.checked_add_months(Months::new(1)))
}

/// This day of the month that begins on `first`, or the month's last day.
fn nth_day(first: NaiveDate, number: u32) -> Option<NaiveDate> {
    let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
    first.with_day(number.min(last.day()))
}

/// The vendor's cycles that overlap a span, oldest first; `None` if they do not cover all of it.
/// The input is sorted. No two results overlap: of a cycle that is listed twice, the first counts.
pub fn from_vendor(
    cycles: &[Range<DateTime<Utc>>],
    span: &Range<DateTime<Utc>>,
    tz: Tz,
) -> Option<Vec<BudgetCycle>> {
    let mut known_until = span.start;
    let mut found: Vec<BudgetCycle> = Vec::new();
    for Range { start, end } in cycles.iter().filter(|cycle| cycle.start < span.end && span.start < cycle.end)
    {
        if *start > known_until {
            return None;
        }
        if found.last().is_some_and(|known| *start < known.to) {
            continue;
        }
        known_until = *end;
        let day = |moment: &DateTime<Utc>| moment.with_timezone(&tz).date_naive();
        let (first, last) = (day(start), day(&(*end - TimeDelta::days(1))));
        let label = Period::days(first, last.max(first), tz)?.label();
        found.push(BudgetCycle { label, from: *start, to: *end });
    }
    (known_until >= span.end && !found.is_empty()).then_some(found)
}

/// The name of the cycle with a label: `October 2026`, `the billing cycle of 23 September to 22
/// October 2026`.
pub fn name(label: &str) -> String {
    match Period::parse_label(label, Tz::UTC) {
        Some(month) if month.kind() == PeriodKind::Month => month.name(),
        Some(days) => format!("the billing cycle of {}", days.dates_in_words()),
        None => String::new(),
    }
}

/// The last day of the cycle with a label.
pub fn last_day(label: &str) -> Option<NaiveDate> {
    Period::parse_label(label, Tz::UTC).map(|days| days.last())
}

/// Whether the label is that of a month, not of a billing cycle.
pub fn is_month(label: &str) -> bool {
    Period::parse_month(label, Tz::UTC).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn labels(rhythm: CycleRule, first: &str, last: &str) -> Vec<String> {
        overlapping(rhythm, day(first), day(last), Tz::UTC).into_iter().map(|cycle| cycle.label).collect()
    }

    #[test]
    fn every_month_of_a_period_is_included() {
        assert_eq!(labels(CycleRule::Months, "2026-10-05", "2026-10-11"), ["2026-10"]);
        assert_eq!(labels(CycleRule::Months, "2026-09-28", "2026-10-04"), ["2026-09", "2026-10"]);
        assert_eq!(labels(CycleRule::Months, "2026-10-01", "2026-12-31"), ["2026-10", "2026-11", "2026-12"]);
        assert_eq!(labels(CycleRule::Vendor, "2026-10-01", "2026-12-31"), [""; 0]);
    }

    #[test]
    fn a_cycle_begins_on_its_day_or_the_last_of_the_month() {
        let of = |number, first: &str, last: &str| labels(CycleRule::Day(number), first, last);
        assert_eq!(of(23, "2026-10-05", "2026-10-11"), ["2026-09-23_2026-10-22"]);
        assert_eq!(of(23, "2026-10-22", "2026-10-23"), ["2026-09-23_2026-10-22", "2026-10-23_2026-11-22"]);
        assert_eq!(
            of(31, "2027-01-31", "2027-03-31"),
            ["2027-01-31_2027-02-27", "2027-02-28_2027-03-30", "2027-03-31_2027-04-29"]
        );
        assert_eq!(of(29, "2028-02-29", "2028-02-29"), ["2028-02-29_2028-03-28"]);
        assert_eq!(of(30, "2028-02-28", "2028-02-29"), ["2028-01-30_2028-02-28", "2028-02-29_2028-03-29"]);
    }

    #[test]
    fn a_cycle_is_bounded_by_local_midnights() {
        // The clock is put back on 25 October in Berlin.
        let cycles =
            overlapping(CycleRule::Day(23), day("2026-10-25"), day("2026-10-25"), Tz::Europe__Berlin);
        let [cycle] = cycles.as_slice() else { panic!("{cycles:?}") };
        assert_eq!(cycle.from.to_rfc3339(), "2026-10-22T22:00:00+00:00");
        assert_eq!((cycle.to - cycle.from).num_hours(), 31 * 24 + 1);
    }

    #[test]
    fn vendor_cycles_must_cover_the_whole_span() {
        let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let cycle =
            |from: &str, to: &str| moment(&format!("{from}T08:00:00Z"))..moment(&format!("{to}T08:00:00Z"));
        let all = [cycle("2026-08-23", "2026-09-23"), cycle("2026-09-23", "2026-10-23")];
        let span =
            |from: &str, to: &str| moment(&format!("{from}T00:00:00Z"))..moment(&format!("{to}T00:00:00Z"));
        let from_vendor = |from: &str, to: &str| {
            let cycles = from_vendor(&all, &span(from, to), Tz::UTC)?;
            Some(cycles.into_iter().map(|cycle| cycle.label).collect::<Vec<_>>())
        };
        assert_eq!(from_vendor("2026-10-05", "2026-10-12"), Some(vec!["2026-09-23_2026-10-22".to_owned()]));
        // Until eight the day belongs to the cycle before.
        assert_eq!(from_vendor("2026-09-23", "2026-09-24").map(|cycles| cycles.len()), Some(2));
        assert_eq!(
            (from_vendor("2026-10-19", "2026-10-26"), from_vendor("2026-08-20", "2026-08-25")),
            (None, None)
        );
        let twice: Vec<_> = all.iter().flat_map(|cycle| [cycle.clone(), cycle.clone()]).collect();
        let week = span("2026-09-21", "2026-09-28");
        let once = super::from_vendor(&all, &week, Tz::UTC);
        assert_eq!(once.as_ref().map(Vec::len), Some(2));
        assert_eq!(super::from_vendor(&twice, &week, Tz::UTC), once);
        assert_eq!(super::from_vendor(&all[..1], &span("2026-10-05", "2026-10-12"), Tz::UTC), None);
    }

    #[test]
    fn cycles_have_names_for_people() {
        assert_eq!((name("2026-10"), is_month("2026-10")), ("October 2026".to_owned(), true));
        let cycle = "2026-09-23_2026-10-22";
        assert_eq!(name(cycle), "the billing cycle of 23 September to 22 October 2026");
        assert!(!is_month(cycle));
    }
}
