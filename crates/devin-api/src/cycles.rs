//! When the vendor bills: its cycles, which a budget may follow.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::api_client::ApiClient;
use super::envelope::PageError;
use super::totals::{LIMITS, TOO_LATE, why};
use super::{Api, ApiConfig, SessionQuery, address, time};

/// More cycles than sixteen years have.
const PAGE: &str = "200";

/// The vendor's billing cycles, the oldest first, after a few seconds at most; where
/// they cannot be had, why in a few words. They are those of the enterprise, whatever
/// organisation the query is about.
///
/// # Errors
/// Why they cannot be had.
pub async fn cycles(config: &ApiConfig, query: &SessionQuery) -> Result<Vec<Range<DateTime<Utc>>>, String> {
    let deadline = LIMITS.policy.deadline;
    let config = ApiConfig { deadline, ..config.clone() };
    let enterprise = SessionQuery { org: None, ..query.clone() };
    let asked = async {
        let client = ApiClient::new(&config, &enterprise, &LIMITS, &|_| ())?;
        let mut url = address::api(&config, None, "consumption/cycles")?;
        if config.api == Api::V3 {
            url.query_pairs_mut().append_pair("first", PAGE);
        }
        client.ask(url, read).await
    };
    let reported = timeout(deadline, asked).await.map_err(|_| TOO_LATE.to_owned())?;
    reported.map_err(|error| why(&error))
}

/// A cycle under the names of either generation.
#[derive(Deserialize)]
struct Cycle<'a> {
    #[serde(borrow, alias = "start")]
    after: &'a RawValue,
    #[serde(borrow, alias = "end")]
    before: &'a RawValue,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// The cycles that can be read: one may still be open.
///
/// # Errors
/// There are some, and none of them can be read.
fn read(body: &str) -> Result<Vec<Range<DateTime<Utc>>>, PageError> {
    let cycles: Vec<&RawValue> = match body.trim_start().starts_with('[') {
        true => serde_json::from_str(body)?,
        false => serde_json::from_str::<Page<'_>>(body)?.items,
    };
    let moment = |raw: &RawValue| time::read(raw.get()).map(|reported| reported.utc);
    let range = |raw: &&RawValue| {
        let cycle: Cycle<'_> = serde_json::from_str(raw.get()).ok()?;
        let (from, to) = (moment(cycle.after)?, moment(cycle.before)?);
        // v2 names the last second of a cycle, v3 the first moment after it.
        let to = if to.second() == 59 { to + TimeDelta::seconds(1) } else { to };
        (from < to).then_some(from..to)
    };
    let mut ranges: Vec<Range<DateTime<Utc>>> = cycles.iter().filter_map(range).collect();
    if ranges.is_empty() && !cycles.is_empty() {
        return Err(PageError::Contract("no cycle is readable".to_owned()));
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges.dedup();
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::super::tests::server::{json, serve};
    use super::super::tests::{config, query};
    use super::*;

    const V2: &str = r#"[{"start": "2024-02-01T00:00:00Z", "end": "2024-02-29T23:59:59Z"},
        {"start": "2024-01-01T00:00:00Z", "end": "2024-01-31T23:59:59Z"}]"#;
    const V3: &str = r#"{"items": [{"after": 1704067200, "before": 1706745600}, {"after": 1706745600, "before": 1709251200}],
        "end_cursor": null, "has_next_page": false, "total": 2}"#;

    #[tokio::test]
    async fn both_generations_tell_the_same_cycles() {
        for (api, body, target) in [
            (Api::V2, V2, "/v2/enterprise/consumption/cycles"),
            (Api::V3, V3, "/v3/enterprise/consumption/cycles?first=200"),
        ] {
            let server = serve(move |_| json(200, body));
            let reported = cycles(&ApiConfig { api, ..config(&server.base) }, &query()).await.unwrap();
            let texts: Vec<String> = reported
                .iter()
                .map(|cycle| format!("{} {}", cycle.start.date_naive(), cycle.end.to_rfc3339()))
                .collect();
            assert_eq!(
                texts,
                ["2024-01-01 2024-02-01T00:00:00+00:00", "2024-02-01 2024-03-01T00:00:00+00:00"]
            );
            assert_eq!(server.log()[0].target, target);
        }
    }

    #[test]
    fn what_can_be_read_is_taken_once() {
        let body = r#"{"items": [{"after": 1706745600, "before": null}, {"after": 1704067200, "before": 1706745600},
            {"after": "soon", "before": "later"}, {"after": 7}, null, 3, {"after": 1704067200, "before": 1706745600}]}"#;
        let reported = read(body).unwrap();
        let [cycle] = reported.as_slice() else { panic!("{reported:?}") };
        assert_eq!(cycle.end.to_rfc3339(), "2024-02-01T00:00:00+00:00");
        assert_eq!(read("[]"), Ok(Vec::new()));
    }

    #[tokio::test]
    async fn a_refusal_names_the_right_and_nonsense_is_no_cycle() {
        for (status, body, words) in [
            (
                403,
                "{}",
                "the key lacks the permission ViewAccountConsumption (ManageBilling in older accounts)",
            ),
            (404, "{}", "the server does not have them"),
            (200, r#"{"items": [{"after": 5, "before": 5}]}"#, "the server's answer cannot be read"),
            (200, r#"[{"start": "soon", "end": "later"}]"#, "the server's answer cannot be read"),
        ] {
            let server = serve(move |_| json(status, body));
            let reported = cycles(&ApiConfig { api: Api::V3, ..config(&server.base) }, &query()).await;
            assert_eq!(reported, Err(words.to_owned()), "{status} {body}");
        }
    }
}
