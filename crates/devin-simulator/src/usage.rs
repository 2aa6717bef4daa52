//! The vendor's own counts of a span, which a report can be held against.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};

use super::Organisation;
use super::filter::{Filter, find};
use super::parameters::{Complaint, each, iso, unix};

/// What version 2 asks about by `start_date`, `end_date` and `org_ids`. A date
/// alone is a whole day in UTC, at the end too; a moment ends the span before it.
/// Either may be left out.
///
/// # Errors
///
/// Every parameter that cannot be read.
pub fn read_v2(text: &str) -> Result<Filter, Vec<Complaint>> {
    let mut filter = Filter::default();
    each(text, |name, value| {
        match name {
            "start_date" => filter.created.from = Some(midnight(&value, 0).map_or_else(|| iso(&value), Ok)?),
            "end_date" => filter.created.to = Some(midnight(&value, 1).map_or_else(|| iso(&value), Ok)?),
            "org_ids" => drop(filter.orgs.insert(value)),
            _ => {}
        }
        Ok(())
    })?;
    Ok(filter)
}

/// What version 3 asks about by `time_after`, `time_before` and `org_ids`; the
/// times are required.
///
/// # Errors
///
/// Every parameter that is missing or cannot be read.
pub fn read_v3(text: &str) -> Result<Filter, Vec<Complaint>> {
    let mut filter = Filter::default();
    each(text, |name, value| {
        match name {
            "time_after" => filter.created.from = Some(unix(&value)?),
            "time_before" => filter.created.to = Some(unix(&value)?),
            "org_ids" => drop(filter.orgs.insert(value)),
            _ => {}
        }
        Ok(())
    })?;
    let ends = [("time_after", filter.created.from), ("time_before", filter.created.to)];
    let missing: Vec<Complaint> = ends
        .into_iter()
        .filter(|(_, moment)| moment.is_none())
        .map(|(name, _)| Complaint::missing(name))
        .collect();
    if missing.is_empty() { Ok(filter) } else { Err(missing) }
}

fn midnight(text: &str, later: u64) -> Option<DateTime<Utc>> {
    let day = text.parse::<NaiveDate>().ok()?.checked_add_days(Days::new(later))?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// What happened in a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions that were created in it.
    pub sessions: usize,
    /// Invented: there are no searches here.
    pub searches: usize,
    /// Distinct pull requests of those sessions.
    pub pulls: usize,
    /// Those of them that are closed, not merged.
    pub closed: usize,
    /// Those of them that are merged.
    pub merged: usize,
}

/// How far a pull request has come; sessions may tell different states of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Open,
    Closed,
    Merged,
}

/// Counts what passes. A session without a creation time is in no span.
pub fn count(organisation: &Organisation, filter: &Filter) -> Counts {
    let found = find(organisation, filter);
    let mut sessions = 0;
    let mut nameless = Vec::new();
    let mut pulls: BTreeMap<String, State> = BTreeMap::new();
    let records = (0..found.len()).filter_map(|place| organisation.records.get(found.get(place)?));
    for record in records.filter(|record| record.created_at > DateTime::UNIX_EPOCH) {
        sessions += 1;
        let body: Value = serde_json::from_str(&record.body).unwrap_or_default();
        for pull in body.get("pull_requests").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str, other: &str| {
                pull.get(name).and_then(Value::as_str).or_else(|| pull.get(other).and_then(Value::as_str))
            };
            let state = state(text("pr_state", "state").unwrap_or_default());
            match text("pr_url", "url") {
                // Nothing tells two without an address apart.
                None => nameless.push(state),
                Some(address) => {
                    let known = pulls.entry(same(address)).or_insert(state);
                    *known = state.max(*known);
                }
            }
        }
    }
    let in_state = |wanted: State| pulls.values().chain(&nameless).filter(|state| **state == wanted).count();
    Counts {
        sessions,
        searches: sessions * 7 / 10,
        pulls: pulls.len() + nameless.len(),
        closed: in_state(State::Closed),
        merged: in_state(State::Merged),
    }
}

fn state(text: &str) -> State {
    match text.to_lowercase().as_str() {
        "merged" => State::Merged,
        "closed" => State::Closed,
        _ => State::Open,
    }
}

/// One spelling for all addresses of a pull request.
fn same(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    address.trim_end_matches('/').to_lowercase()
}

/// The body of version 2.
pub fn v2(counts: &Counts) -> String {
    json!({
        "sessions_count": counts.sessions,
        "searches_count": counts.searches,
        "prs_opened": counts.pulls,
        "prs_closed": counts.closed,
        "prs_merged": counts.merged
    })
    .to_string()
}

/// The body of version 3.
pub fn v3(counts: &Counts) -> String {
    json!({
        "sessions_count": counts.sessions,
        "searches_count": counts.searches,
        "prs_created_count": counts.pulls,
        "prs_merged_count": counts.merged
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation() -> Organisation {
        let session = |id: &str, org: &str, at: &str, pulls: Value| json!({"session_id": id, "org_id": org, "created_at": at, "pull_requests": pulls});
        let link = |number: u32| format!("https://github.com/acme/portal/pull/{number}");
        Organisation::from_values(vec![
            session("1", "a", "2026-10-04T23:59:59Z", json!([{"pr_url": link(9), "pr_state": "merged"}])),
            session(
                "2",
                "a",
                "2026-10-05T00:00:00Z",
                json!([{"pr_url": link(1), "pr_state": "open"}, {"url": link(2), "state": "closed"}]),
            ),
            // The same pull request, seen later, in another spelling.
            session(
                "3",
                "b",
                "2026-10-11T23:59:59.9Z",
                json!([
                    {"pr_url": format!("{}/?diff=split", link(1)), "pr_state": "MERGED"},
                    {"pr_url": null, "pr_state": "merged"}
                ]),
            ),
            session("4", "b", "2026-10-12T00:00:00Z", Value::Null),
            json!({"session_id": "5", "created_at": null, "pull_requests": [{"pr_url": link(3)}]}),
        ])
    }

    fn counted(filter: Result<Filter, Vec<Complaint>>) -> Counts {
        count(&organisation(), &filter.unwrap())
    }

    #[test]
    fn a_span_is_counted_alike_by_both_versions() {
        let week = Counts { sessions: 2, searches: 1, pulls: 3, closed: 1, merged: 2 };
        assert_eq!(counted(read_v2("start_date=2026-10-05&end_date=2026-10-11")), week);
        let moments = "start_date=2026-10-05T02:00:00%2B02:00&end_date=2026-10-12T00:00:00Z";
        assert_eq!(counted(read_v2(moments)), week);
        let (from, to) = (1_791_158_400, 1_791_158_400 + 7 * 86_400);
        assert_eq!(counted(read_v3(&format!("time_after={from}&time_before={to}"))), week);
        assert_eq!(counted(read_v2("")).sessions, 4);
        let part = Counts { sessions: 1, searches: 0, pulls: 2, closed: 0, merged: 2 };
        assert_eq!(counted(read_v3(&format!("time_after={from}&time_before={to}&org_ids=b"))), part);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for bad in ["start_date=soon", "end_date=2026-13-01"] {
            assert_eq!(read_v2(bad).unwrap_err().len(), 1, "{bad}");
        }
        for (bad, complaints) in
            [("", 2), ("time_after=1", 1), ("time_after=2026-10-05&time_before=2", 1), ("time_after=x", 1)]
        {
            assert_eq!(read_v3(bad).unwrap_err().len(), complaints, "{bad}");
        }
    }

    #[test]
    fn the_bodies_are_those_of_the_documents() {
        let counts = Counts { sessions: 127, searches: 88, pulls: 45, closed: 4, merged: 38 };
        assert_eq!(
            v2(&counts),
            r#"{"prs_closed":4,"prs_merged":38,"prs_opened":45,"searches_count":88,"sessions_count":127}"#
        );
        assert_eq!(
            v3(&counts),
            r#"{"prs_created_count":45,"prs_merged_count":38,"searches_count":88,"sessions_count":127}"#
        );
    }
}
