//! The vendor's own counts of sessions and of pull requests in a span, by what
//! only it tells.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

use super::Organisation;
use super::faults::Shape;
use super::filter::{Filter, find};
use super::usage::{Counts, count};
use super::v3;

/// The origins in the answer; `scheduled` is among `automation`, and others, such as
/// `cli`, are in no bucket.
const ORIGINS: [&str; 9] =
    ["api", "automation", "code_scan", "desktop", "jira", "linear", "slack", "teams", "webapp"];
const SIZES: [&str; 5] = ["xs", "s", "m", "l", "xl"];
/// Of so many pull requests Devin takes over one more, which it did not create.
const TAKEN_OVER: usize = 20;

/// Version 2 counts them and no more.
pub fn sessions_v2(organisation: &Organisation, filter: &Filter) -> String {
    json!({"sessions_count": count(organisation, filter).sessions}).to_string()
}

/// The same of pull requests.
pub fn pulls_v2(organisation: &Organisation, filter: &Filter) -> String {
    let Counts { pulls, closed, merged, .. } = count(organisation, filter);
    json!({"prs_opened": pulls, "prs_closed": closed, "prs_merged": merged}).to_string()
}

/// Sessions by origin and size, those with a merged pull request, and what one used.
pub fn sessions_v3(organisation: &Organisation, filter: &Filter, shape: &Shape) -> String {
    let bodies = bodies(organisation, filter);
    let merged: Vec<&Value> = bodies.iter().filter(|body| has_merged(body)).collect();
    let billed = bodies.iter().filter(|_| !shape.unmetered);
    let acus: Vec<f64> = billed.filter_map(|body| body.get("acus_consumed")?.as_f64()).collect();
    let by = |bodies: &[&Value], name: &str, known: &[&str]| -> BTreeMap<String, usize> {
        let value = |body: &Value| match body.get(name).and_then(Value::as_str).unwrap_or_default() {
            "scheduled" => "automation".to_owned(),
            other => other.to_owned(),
        };
        let count = |known: &&str| bodies.iter().filter(|body| value(body) == *known).count();
        known.iter().map(|known| ((*known).to_owned(), count(known))).collect()
    };
    let all: Vec<&Value> = bodies.iter().collect();
    json!({
        "avg_acus_per_session": acus.iter().sum::<f64>() / acus.len().max(1) as f64,
        "sessions_created_by_origin": by(&all, "origin", &ORIGINS),
        "sessions_created_by_size": by(&all, "session_size", &SIZES),
        "sessions_created_count": bodies.len(),
        "sessions_created_with_playbook_count": bodies.iter().filter(|body| body.get("playbook_id").is_some_and(Value::is_string)).count(),
        "sessions_created_with_search_count": 0,
        "sessions_with_merged_prs_by_size": by(&merged, "session_size", &SIZES),
        "sessions_with_merged_prs_count": merged.len()
    })
    .to_string()
}

/// Pull requests by what became of them, and those that Devin pushed to without
/// having created them.
pub fn pulls_v3(organisation: &Organisation, filter: &Filter) -> String {
    let Counts { pulls, closed, merged, .. } = count(organisation, filter);
    let taken_over = pulls / TAKEN_OVER;
    json!({
        "prs_created_count": pulls,
        "prs_opened_count": pulls - closed - merged,
        "prs_merged_count": merged,
        "prs_closed_count": closed,
        "prs_taken_over_count": taken_over,
        "prs_taken_over_opened_count": 0,
        "prs_taken_over_merged_count": taken_over,
        "prs_taken_over_closed_count": 0
    })
    .to_string()
}

/// The sessions as version 3 gives them.
fn bodies(organisation: &Organisation, filter: &Filter) -> Vec<Value> {
    let found = find(organisation, filter);
    let places = (0..found.len()).filter_map(|place| found.get(place));
    let records = &organisation.records;
    let is_dated =
        |index: &usize| records.get(*index).is_some_and(|record| record.created_at > DateTime::UNIX_EPOCH);
    let body = |index: usize| serde_json::from_str(&v3::body(records, index, false)?).ok();
    places.filter(is_dated).filter_map(body).collect()
}

fn has_merged(body: &Value) -> bool {
    let pulls = body.get("pull_requests").and_then(Value::as_array).into_iter().flatten();
    let mut states = pulls.filter_map(|pull| pull.get("pr_state")?.as_str());
    states.any(|state| state.eq_ignore_ascii_case("merged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_pull_requests_are_counted_as_documented() {
        let session = |id: &str, origin: &str, size: &str, acus: Value, states: &[&str]| {
            let pull = |(number, state): (usize, &&str)| json!({"pr_url": format!("https://github.com/a/b/pull/{id}{number}"), "pr_state": state});
            json!({"session_id": id, "created_at": "2026-10-05T00:00:00Z", "origin": origin, "session_size": size,
                   "acus_consumed": acus, "pull_requests": states.iter().enumerate().map(pull).collect::<Vec<_>>()})
        };
        let organisation = Organisation::from_values(vec![
            session("1", "scheduled", "xs", json!(1.5), &["merged", "open"]),
            session("2", "automation", "xl", json!(4.5), &["closed"]),
            session("3", "cli", "m", Value::Null, &[]),
        ]);
        let sessions: Value =
            serde_json::from_str(&sessions_v3(&organisation, &Filter::default(), &Shape::default())).unwrap();
        assert_eq!(
            (&sessions["sessions_created_count"], &sessions["sessions_with_merged_prs_count"]),
            (&json!(3), &json!(1))
        );
        assert_eq!(sessions["avg_acus_per_session"], 3.0);
        let origins = &sessions["sessions_created_by_origin"];
        assert_eq!((&origins["automation"], &origins["webapp"]), (&json!(2), &json!(0)));
        assert!(origins.get("cli").is_none() && origins.get("scheduled").is_none());
        assert_eq!(sessions["sessions_created_by_size"], json!({"xs": 1, "s": 0, "m": 1, "l": 0, "xl": 1}));
        let pulls: Value = serde_json::from_str(&pulls_v3(&organisation, &Filter::default())).unwrap();
        let of = |name: &str| pulls[name].as_u64().unwrap();
        assert_eq!(
            ["created", "opened", "merged", "closed", "taken_over"]
                .map(|name| of(&format!("prs_{name}_count"))),
            [3, 1, 1, 1, 0]
        );
    }
}
