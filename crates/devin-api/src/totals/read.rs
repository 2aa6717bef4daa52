//! The vendor's counts as either generation writes them: what is missing, null or of
//! another kind is left out.

use std::collections::BTreeMap;
use std::mem::take;

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Consumption, Counts, HOUR};
use crate::envelope::PageError;
use crate::{json, time};

/// More buckets than there are origins, sizes or products.
const MOST_BUCKETS: usize = 40;
/// A longer name is no name of an origin, a size or a product.
const LONGEST_NAME: usize = 40;

type Raw<'a> = Option<&'a RawValue>;
type Buckets<'a> = Option<BTreeMap<String, &'a RawValue>>;

/// The counts of one answer.
///
/// # Errors
/// It holds none of them.
pub(super) fn counts(body: &str) -> Result<Counts, PageError> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(body)?;
    // The generations, and their documents, have different names for the same.
    let count = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)?.get().parse().ok());
    let bucket = |names: &[&str]| buckets(names.iter().find_map(|name| fields.get(*name).copied()));
    let reported = Counts {
        sessions: count(&["sessions_created_count", "sessions_count"]),
        by_origin: bucket(&["sessions_created_by_origin", "sessions_created_count_by_origin"]),
        by_size: bucket(&["sessions_created_by_size", "sessions_created_count_by_size"]),
        with_merged_pr: count(&["sessions_with_merged_prs_count"]),
        acus_per_session: amount(fields.get("avg_acus_per_session").copied()),
        // Those that were opened in the span, as v2 calls what v3 calls created.
        pull_requests: count(&["prs_created_count", "prs_opened"]),
        open: count(&["prs_opened_count"]),
        merged: count(&["prs_merged_count", "prs_merged"]),
        closed: count(&["prs_closed_count", "prs_closed"]),
        taken_over: count(&["prs_taken_over_count"]),
    };
    match reported == Counts::default() {
        true => Err(PageError::Contract("it contains none of the counts".to_owned())),
        false => Ok(reported),
    }
}

fn buckets(raw: Raw<'_>) -> BTreeMap<String, u64> {
    let buckets: Buckets<'_> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).flatten();
    let counts = buckets.into_iter().flatten().filter(|(name, _)| is_name(name));
    counts.filter_map(|(name, raw)| Some((name, raw.get().parse().ok()?))).take(MOST_BUCKETS).collect()
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte))
}

/// ACUs: a number, or text that is one; never negative.
fn amount(raw: Raw<'_>) -> Option<f64> {
    let number: f64 = json::scalar(raw?.get()).trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[derive(Deserialize)]
struct Daily<'a> {
    #[serde(borrow, default)]
    total_acus: Raw<'a>,
    #[serde(borrow)]
    consumption_by_date: &'a RawValue,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    date: &'a RawValue,
    #[serde(borrow)]
    acus: &'a RawValue,
    #[serde(borrow, default)]
    acus_by_product: Buckets<'a>,
}

/// ACUs by the vendor's days.
///
/// # Errors
/// A day that cannot be read, or a total without days that it is of: what is left would
/// be too little.
pub(super) fn consumption(body: &str) -> Result<BTreeMap<NaiveDate, Consumption>, PageError> {
    let body: Daily<'_> = serde_json::from_str(body)?;
    let text = body.consumption_by_date.get();
    let mut days: BTreeMap<NaiveDate, Consumption> = BTreeMap::new();
    let mut add = |day: Option<NaiveDate>, acus: Raw<'_>, products: Buckets<'_>| {
        let unreadable = || PageError::Contract("a day of `consumption_by_date` cannot be read".to_owned());
        let (day, acus) = day.zip(amount(acus)).ok_or_else(unreadable)?;
        let products = products.into_iter().flatten().filter(|(name, _)| is_name(name));
        let by_product = products
            .take(MOST_BUCKETS)
            .map(|(name, raw)| Ok((name, amount(Some(raw)).ok_or_else(unreadable)?)))
            .collect::<Result<_, PageError>>()?;
        let known = days.entry(day).or_default();
        *known = Consumption::sum([&take(known), &Consumption { acus, by_product }]);
        Ok::<_, PageError>(())
    };
    if text.starts_with('{') {
        let by_date: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
        for (day, acus) in by_date {
            add(day.get(..10).and_then(|day| day.parse().ok()), Some(acus), None)?;
        }
    } else {
        for Row { date, acus, acus_by_product } in serde_json::from_str::<Vec<Row<'_>>>(text)? {
            add(day(date), Some(acus), acus_by_product)?;
        }
    }
    let is_used = |acus: Option<f64>| acus.is_some_and(|acus| acus > 0.0);
    if is_used(amount(body.total_acus)) && !days.values().any(|day| is_used(Some(day.acus))) {
        return Err(PageError::Contract("`total_acus` matches no day of `consumption_by_date`".to_owned()));
    }
    Ok(days)
}

/// A date, or the moment at which the vendor's day begins.
fn day(raw: &RawValue) -> Option<NaiveDate> {
    let text = json::scalar(raw.get());
    text.trim().parse().ok().or_else(|| {
        let moment = time::read(raw.get())?.utc;
        Some((moment - TimeDelta::hours(i64::from(HOUR))).date_naive())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_are_read() {
        let usage =
            Counts { sessions: Some(127), pull_requests: Some(45), merged: Some(38), ..Counts::default() };
        let v2 = r#"{"sessions_count": 127, "searches_count": 89, "prs_opened": 45, "prs_closed": 42, "prs_merged": 38}"#;
        let v3 = r#"{"sessions_count": 127, "prs_created_count": 45, "prs_merged_count": 38}"#;
        assert_eq!(counts(v2), Ok(Counts { closed: Some(42), ..usage.clone() }));
        assert_eq!(counts(v3), Ok(usage));
        let pulls = r#"{"prs_created_count": 45, "prs_opened_count": 3, "prs_merged_count": 38, "prs_closed_count": 4,
            "prs_taken_over_count": 2, "prs_taken_over_opened_count": 1}"#;
        let reported = counts(pulls).unwrap();
        assert_eq!(
            (reported.pull_requests, reported.open, reported.merged, reported.closed, reported.taken_over),
            (Some(45), Some(3), Some(38), Some(4), Some(2))
        );
        for by in ["sessions_created_by", "sessions_created_count_by"] {
            let sessions = format!(
                r#"{{"avg_acus_per_session": "3.5", "{by}_origin": {{"webapp": 7, "slack": null, "a\n": 1}},
                "{by}_size": null, "sessions_created_count": 9, "sessions_with_merged_prs_count": 4}}"#
            );
            let reported = counts(&sessions).unwrap();
            assert_eq!(reported.by_origin, BTreeMap::from([("webapp".to_owned(), 7)]), "{by}");
            assert_eq!(
                (reported.sessions, reported.with_merged_pr, reported.acus_per_session),
                (Some(9), Some(4), Some(3.5))
            );
        }
        for (bad, error) in [("{\"sess", PageError::CutShort), ("<html>", PageError::NotJson)] {
            assert_eq!(counts(bad), Err(error));
        }
        for bad in ["{}", "[]", "null", r#"{"sessions_count": -1}"#, r#"{"items": [], "total": 0}"#] {
            assert!(matches!(counts(bad), Err(PageError::Contract(_))), "{bad}");
        }
    }

    #[test]
    fn consumption_is_read_by_day_and_product() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let v2 = r#"{"total_acus": 325.5, "consumption_by_date": {"2024-01-01": 125.0, "2024-01-02": 200.5},
            "consumption_by_org_id": {"o": 325.5}}"#;
        let days = consumption(v2).unwrap();
        assert_eq!((days[&day("2024-01-01")].acus, days[&day("2024-01-02")].acus), (125.0, 200.5));
        let v3 = r#"{"consumption_by_date": [
            {"date": 1704096000, "acus": 10, "acus_by_product": {"devin": 8, "cascade": 2.0}},
            {"date": "2024-01-02", "acus": "1.5"}], "total_acus": 11.5}"#;
        let days = consumption(v3).unwrap();
        let first = &days[&day("2024-01-01")];
        assert_eq!((first.acus, first.by_product["devin"], first.by_product["cascade"]), (10.0, 8.0, 2.0));
        let sum = Consumption::sum(days.values());
        assert_eq!((sum.acus, sum.by_product.len()), (11.5, 0), "not every day tells its products");
        for none in [r#"{"consumption_by_date": []}"#, r#"{"total_acus": 0, "consumption_by_date": {}}"#] {
            assert_eq!(consumption(none), Ok(BTreeMap::new()));
        }
        for bad in [
            "{}",
            r#"{"consumption_by_date": null}"#,
            r#"{"consumption_by_date": {"soon": 1}}"#,
            r#"{"total_acus": 5, "consumption_by_date": []}"#,
            r#"{"total_acus": 5, "consumption_by_date": {"2024-01-01": 0}}"#,
            r#"{"consumption_by_date": [{"date": 1704096000, "acus": -1}]}"#,
            r#"{"consumption_by_date": [{"date": 1704096000, "acus": 1, "acus_by_product": {"devin": null}}]}"#,
        ] {
            assert!(matches!(consumption(bad), Err(PageError::Contract(_))), "{bad}");
        }
    }
}
