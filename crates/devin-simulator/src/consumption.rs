//! What the vendor bills: ACUs by its own day, which begins at 08:00 UTC, and its
//! billing cycles.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Organisation;
use super::faults::Shape;
use super::filter::{Filter, Window, find};

/// The hour at which a day begins.
const HOUR: i64 = 8;
/// The day of the month on which a cycle begins.
const CYCLE_DAY: u32 = 23;
/// Days on which a session works at most.
const LONGEST: i64 = 7;
/// What other products use for an ACU of Devin's, where no organisation is asked about.
const OTHERS: [(&str, f64); 3] = [("cascade", 0.1), ("terminal", 0.05), ("review", 0.02)];

/// ACUs of each day in version 2: a sum over all products, of an organisation over Devin alone.
pub fn daily_v2(organisation: &Organisation, filter: &Filter, shape: &Shape) -> String {
    let days = devin(organisation, filter, shape);
    let whole = if filter.orgs.is_empty() { 1.0 + others() } else { 1.0 };
    let by_date: BTreeMap<String, f64> =
        days.iter().map(|(day, acus)| (day.to_string(), acus * whole)).collect();
    let total: f64 = by_date.values().sum();
    json!({"total_acus": total, "consumption_by_date": by_date, "consumption_by_org_id": {}}).to_string()
}

/// The same in version 3, with the products of each day; only Devin is an organisation's.
pub fn daily_v3(organisation: &Organisation, filter: &Filter, is_of_org: bool, shape: &Shape) -> String {
    let day = |(day, devin): (NaiveDate, f64)| {
        let mut products: BTreeMap<&str, f64> =
            OTHERS.iter().map(|(name, share)| (*name, if is_of_org { 0.0 } else { devin * share })).collect();
        products.insert("devin", devin);
        json!({"date": begin(day).timestamp(), "acus": products.values().sum::<f64>(), "acus_by_product": products})
    };
    let rows: Vec<Value> = devin(organisation, filter, shape).into_iter().map(day).collect();
    let total: f64 = rows.iter().filter_map(|row| row.get("acus")?.as_f64()).sum();
    json!({"consumption_by_date": rows, "total_acus": total}).to_string()
}

fn others() -> f64 {
    OTHERS.iter().map(|(_, share)| share).sum()
}

/// ACUs of Devin's sessions on each day of the span: half of them on the day on
/// which a session began, half on the one on which it ended; `None` if nothing is metered.
fn devin(organisation: &Organisation, filter: &Filter, shape: &Shape) -> BTreeMap<NaiveDate, f64> {
    if shape.unmetered {
        return BTreeMap::new();
    }
    let earlier = |moment: DateTime<Utc>| moment - TimeDelta::days(LONGEST);
    let created = Window { from: filter.created.from.map(earlier), to: filter.created.to };
    let found = find(organisation, &Filter { created, ..filter.clone() });
    let records = (0..found.len()).filter_map(|place| organisation.records.get(found.get(place)?));
    let mut days = BTreeMap::new();
    for record in records.filter(|record| record.created_at > DateTime::UNIX_EPOCH) {
        let body: Value = serde_json::from_str(&record.body).unwrap_or_default();
        let Some(acus) = body.get("acus_consumed").and_then(Value::as_f64).filter(|acus| *acus > 0.0) else {
            continue;
        };
        let last = record.updated_at.clamp(record.created_at, record.created_at + TimeDelta::days(LONGEST));
        for moment in [record.created_at, last] {
            let day = (moment - TimeDelta::hours(HOUR)).date_naive();
            if filter.created.holds(begin(day)) {
                *days.entry(day).or_insert(0.0) += acus / 2.0;
            }
        }
    }
    days
}

/// The moment at which a day begins.
fn begin(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::hours(HOUR)
}

/// The cycles of version 2, each up to its last second.
pub fn cycles_v2(organisation: &Organisation) -> String {
    let text = |moment: DateTime<Utc>| moment.to_rfc3339_opts(SecondsFormat::Secs, true);
    let cycle = |(from, to): (DateTime<Utc>, DateTime<Utc>)| json!({"start": text(from), "end": text(to - TimeDelta::seconds(1))});
    Value::Array(cycles(organisation).into_iter().map(cycle).collect()).to_string()
}

/// The cycles of version 3.
pub fn cycles_v3(organisation: &Organisation) -> String {
    let cycle = |(from, to): (DateTime<Utc>, DateTime<Utc>)| json!({"after": from.timestamp(), "before": to.timestamp()});
    let items: Vec<Value> = cycles(organisation).into_iter().map(cycle).collect();
    json!({"total": items.len(), "items": items, "end_cursor": null, "has_next_page": false}).to_string()
}

/// From the cycle of the first session to that of the day after the last one, the oldest first.
fn cycles(organisation: &Organisation) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let dated = organisation.records.iter().map(|record| record.created_at);
    let mut dated = dated.filter(|created| *created > DateTime::UNIX_EPOCH);
    let Some(first) = dated.next() else { return Vec::new() };
    let last = dated.next_back().unwrap_or(first) + Days::new(1);
    let start = first.date_naive().with_day(CYCLE_DAY).unwrap_or_default() - Months::new(1);
    let begins = (0..).map(|month| begin(start + Months::new(month)));
    let pairs = begins.clone().zip(begins.skip(1));
    pairs.skip_while(|(_, to)| *to <= first).take_while(|(from, _)| *from <= last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation() -> Organisation {
        let session = |id: &str, created: &str, updated: &str, acus: f64| json!({"session_id": id, "org_id": "a", "created_at": created, "updated_at": updated, "acus_consumed": acus});
        Organisation::from_values(vec![
            session("1", "2026-10-05T07:59:59Z", "2026-10-05T08:00:00Z", 4.0),
            session("2", "2026-10-06T12:00:00Z", "2026-12-01T00:00:00Z", 2.0),
        ])
    }

    fn span(from: &str, to: &str) -> Filter {
        let moment = |text: &str| text.parse().ok();
        Filter { created: Window { from: moment(from), to: moment(to) }, ..Filter::default() }
    }

    #[test]
    fn a_day_begins_at_eight_and_has_what_was_used_on_it() {
        let week = span("2026-10-05T08:00:00Z", "2026-10-12T08:00:00Z");
        let days: Vec<(String, f64)> = devin(&organisation(), &week, &Shape::default())
            .into_iter()
            .map(|(day, acus)| (day.to_string(), acus))
            .collect();
        assert_eq!(days, [("2026-10-05".to_owned(), 2.0), ("2026-10-06".to_owned(), 1.0)]);
        let new: Value =
            serde_json::from_str(&daily_v3(&organisation(), &week, true, &Shape::default())).unwrap();
        assert_eq!(
            (&new["total_acus"], &new["consumption_by_date"][0]["date"]),
            (&json!(3.0), &json!(1_791_187_200))
        );
        let all: Value =
            serde_json::from_str(&daily_v3(&organisation(), &week, false, &Shape::default())).unwrap();
        assert_eq!(
            all["consumption_by_date"][1]["acus_by_product"],
            json!({"devin": 1.0, "cascade": 0.1, "terminal": 0.05, "review": 0.02})
        );
        let old: Value = serde_json::from_str(&daily_v2(&organisation(), &week, &Shape::default())).unwrap();
        assert!((old["consumption_by_date"]["2026-10-05"].as_f64().unwrap() - 2.34).abs() < 1e-9);
    }

    #[test]
    fn cycles_follow_each_other() {
        let new: Value = serde_json::from_str(&cycles_v3(&organisation())).unwrap();
        assert_eq!(new["items"], json!([{"after": 1_790_150_400, "before": 1_792_742_400}]));
        let old: Value = serde_json::from_str(&cycles_v2(&organisation())).unwrap();
        assert_eq!(old, json!([{"start": "2026-09-23T08:00:00Z", "end": "2026-10-23T07:59:59Z"}]));
        assert_eq!(cycles_v2(&Organisation::default()), "[]");
    }
}
