//! The oracle against odd input whose meaning was worked out by hand.

use serde_json::{Value, json};

use super::by_hand::{two_weeks, week_41};
use super::{Asked, Expected, Kind, differences, expect};

/// Duplicates of a session, oldest created first. The freshest one differs from
/// the others in everything that is counted.
pub fn duplicates() -> Vec<Value> {
    let row = |id: &str, created: &str, updated: Value, acus: f64| json!({"session_id": id, "created_at": created, "updated_at": updated, "acus_consumed": acus, "user_id": "u"});
    vec![
        // The freshest wins wherever it is in the list.
        row("devin-a", "2026-10-05T10:00:00Z", json!("2026-10-05T20:00:00Z"), 1.0),
        row("a", "2026-10-05T11:00:00Z", json!("2026-10-05T19:00:00Z"), 2.0),
        // Of equally fresh ones the later in the order of the API.
        row("b", "2026-10-06T10:00:00Z", json!("2026-10-06T20:00:00Z"), 4.0),
        row("devin-b", "2026-10-06T10:00:00Z", json!("2026-10-06T22:00:00+02:00"), 8.0),
        // An unreadable time of change is the oldest.
        row("c", "2026-10-07T10:00:00Z", json!("2026-10-07T09:00:00Z"), 16.0),
        row("c", "2026-10-07T11:00:00Z", json!("soon"), 32.0),
        // What lies outside the window takes no part, however fresh.
        row("d", "2026-10-08T10:00:00Z", json!("2026-10-08T20:00:00Z"), 64.0),
        row("d", "2026-10-12T00:00:00Z", json!("2026-10-13T20:00:00Z"), 128.0),
        // The winner decides in which period the session lies.
        row("e", "2026-10-04T10:00:00Z", json!("2026-10-13T20:00:00Z"), 256.0),
        row("e", "2026-10-09T10:00:00Z", json!("2026-10-12T20:00:00Z"), 512.0),
        // The list is ordered by the id as it is written: "b" stands before
        // "devin-b" above, and "devin-x" before "x" here.
        row("x", "2026-10-06T10:00:00Z", json!("2026-10-06T20:00:00Z"), 1024.0),
        row("devin-x", "2026-10-06T10:00:00Z", json!("2026-10-06T20:00:00Z"), 2048.0),
    ]
}

#[test]
fn of_duplicates_the_freshest_counts() {
    let expected = expect(&duplicates(), &week_41("2026-11-01T00:00:00Z"));
    assert_eq!(value(&expected, "acus", &[]), Some(1.0 + 8.0 + 16.0 + 64.0 + 1024.0));
    assert_eq!(value(&expected, "sessions", &[]), Some(5.0));
    assert_eq!(value(&expected, "sessions", &[("period", Some("2026-W40"))]), Some(1.0));
    assert_eq!(value(&expected, "acus", &[("day", Some("2026-10-05"))]), Some(1.0));
}

/// Records without an id or a creation: no session.
pub fn rejected() -> Vec<Value> {
    vec![
        json!({"session_id": " devin- ", "created_at": "2026-10-09T10:00:00Z", "acus_consumed": 1}),
        json!({"session_id": "f", "created_at": "yesterday", "acus_consumed": 1}),
        json!({"session_id": null, "created_at": "2026-10-09T10:00:00Z", "acus_consumed": 1}),
        json!({"session_id": "g", "acus_consumed": 1}),
    ]
}

#[test]
fn what_has_no_id_or_no_creation_takes_no_part() {
    let expected = expect(&rejected(), &week_41("2026-11-01T00:00:00Z"));
    assert_eq!(value(&expected, "sessions", &[]), Some(0.0));
}

/// A pull request under sessions of two weeks and of two people, in several
/// spellings, with states that disagree.
pub fn shared_pull_requests() -> Vec<Value> {
    let row = |id: &str, created: &str, user: &str, tags: Value, prs: Value| json!({"session_id": id, "created_at": created, "user_id": user, "tags": tags, "acus_consumed": 3, "pull_requests": prs});
    let one = "https://github.com/Acme/api/pull/1";
    vec![
        row("w40", "2026-10-02T10:00:00Z", "old", json!(["z"]), json!([{"pr_url": one, "state": "draft"}])),
        // Created at one moment: the smaller id owns it, prefix or not.
        // An entry without an address is no pull request.
        row("none", "2026-10-05T12:00:00Z", "first", json!(["x"]), json!([{"pr_state": "merged"}])),
        row(
            "devin-m2",
            "2026-10-05T10:00:00Z",
            "second",
            json!(["y"]),
            json!([{"pr_url": one, "pr_state": "open"}]),
        ),
        row(
            "m1",
            "2026-10-05T10:00:00Z",
            "first",
            json!(["x", "w"]),
            json!([{"pr_url": "https://GITHUB.com/Acme/api/pull/1/", "pr_state": " CLOSED "}, {"url": " "}]),
        ),
        row(
            "m3",
            "2026-10-06T10:00:00Z",
            "second",
            json!([]),
            json!([
                {"pr_url": "  ", "url": "https://github.com/Acme/api/pull/1#x", "pr_state": "", "state": "draft"},
                {"pr_url": "www.github.COM/acme/API/pull/1/files", "pr_state": "draft"},
                // The case of a path matters on other hosts.
                {"pr_url": "https://forge.example/Acme/api/pull/1", "pr_state": "reverted"},
                {"pr_url": "https://forge.example/acme/api/pull/1", "pr_state": null},
                null
            ]),
        ),
    ]
}

#[test]
fn a_shared_pull_request_has_one_owner_and_one_state_a_period() {
    let expected = expect(&shared_pull_requests(), &week_41("2026-11-01T00:00:00Z"));
    let get = |metric, pairs: &[(&str, Option<&str>)]| value(&expected, metric, pairs);
    assert_eq!(get("prs", &[]), Some(3.0));
    assert_eq!(get("prs", &[("state", Some("closed"))]), Some(1.0));
    assert_eq!(get("prs", &[("state", Some("unknown"))]), Some(2.0));
    assert_eq!(get("prs", &[("state", Some("draft"))]), None);
    assert_eq!(get("prs", &[("user", Some("first"))]), Some(1.0));
    assert_eq!(get("prs", &[("user", Some("second"))]), Some(2.0));
    assert_eq!(get("prs", &[("user", Some("old"))]), None);
    assert_eq!(get("prs", &[("tag", Some("w"))]), Some(1.0));
    assert_eq!(get("prs", &[("tag", Some("y"))]), None);
    assert_eq!(get("prs", &[("tag", None)]), Some(2.0));
    assert_eq!(get("prs", &[("repo", Some("github.com/Acme/api"))]), Some(1.0));
    assert_eq!(get("prs", &[("repo", Some("forge.example/acme/api"))]), Some(1.0));
    assert_eq!(get("prs", &[("period", Some("2026-W40"))]), Some(1.0));
    assert_eq!(get("sessions_with_pr", &[]), Some(3.0));
    assert_eq!(get("sessions_with_merged_pr", &[]), Some(0.0));
    assert_eq!(get("acus_without_pr_share", &[]), Some(0.25));
    assert_eq!(expected.quality["prs_without_url"], 2);
    assert_eq!(expected.quality["unknown_pr_state"], 2);
}

/// Values of a session that are not what the documents say.
pub fn odd_values() -> Vec<Value> {
    let acus = json!([null, "12.5", -1, "1e999", "NaN", "", true, {}, " 2 ", "1e1", "-0", 0]);
    let mut rows: Vec<Value> = acus
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(index, acus)| {
            json!({
                "session_id": format!("acus-{index}"), "created_at": 1_791_194_400 + index,
                "updated_at": 1_791_194_400_000_u64, "acus_consumed": acus, "status": "exit",
                "tags": ["\tteam a ", "Team A", "team a", "\u{a0}"], "user_id": " u ", "org_id": "  "
            })
        })
        .collect();
    rows.push(json!({
        "session_id": 7, "created_at": "2026-10-05T10:00:00.5+02", "status": "Exit", "user_id": "bot_apk",
        "tags": [7], "pull_requests": [{}, null], "session_analysis": {
            "issues": [
                {"impact": " High ", "label": "  "}, {"impact": "severe", "label": "Größe"}, {"label": "größe"},
                {"impact": "", "label": 5}, null, {"impact": "LOW"}, {"impact": "low"}, {"impact": "low"},
                {"impact": "low"}, {"impact": "lOw"}
            ],
            "action_items": [{"type": " "}, {"type": "Other"}, {"type": "other"}, {}],
            "suggested_prompt": {"feedback_items": [null]}
        }
    }));
    rows
}

#[test]
fn odd_values_mean_what_the_catalogue_says() {
    let expected = expect(&odd_values(), &week_41("2026-11-01T00:00:00Z"));
    let get = |metric, pairs: &[(&str, Option<&str>)]| value(&expected, metric, pairs);
    assert_eq!(get("sessions", &[]), Some(13.0));
    assert_eq!(get("acus", &[]), Some(12.5 + 2.0 + 10.0));
    assert_eq!(expected.quality["acus_unknown"], 8);
    assert_eq!(expected.fact("acus_per_session_max", &[]).unwrap().n, 5);
    assert_eq!(get("acus_histogram", &[("bin", Some("10"))]), Some(2.0));
    assert_eq!(get("acus_histogram", &[("bin", Some("0"))]), Some(2.0));
    assert_eq!(get("sessions", &[("tag", Some("team a"))]), Some(12.0));
    assert_eq!(get("acus_split", &[("tag", Some("Team A"))]), Some(12.25));
    assert_eq!(get("sessions", &[("tag", Some("7"))]), Some(1.0));
    assert_eq!(get("sessions", &[("user", Some("u"))]), Some(12.0));
    assert_eq!(get("sessions", &[("org", None)]), Some(13.0));
    assert_eq!(get("sessions", &[("status", Some("Exit"))]), Some(1.0));
    assert_eq!(get("active_users", &[]), Some(1.0));
    assert_eq!(get("automation_sessions", &[]), Some(1.0));
    assert_eq!(get("issues", &[]), Some(9.0));
    assert_eq!(get("issues", &[("impact", Some("other"))]), Some(3.0));
    assert_eq!(get("issues", &[("impact", Some("high")), ("label", None)]), Some(1.0));
    assert_eq!(get("issues", &[("impact", Some("low")), ("label", None)]), Some(5.0));
    assert_eq!(get("issues", &[("impact", Some("other")), ("label", Some("größe"))]), Some(1.0));
    assert_eq!(get("issue_count_histogram", &[("impact", Some("low")), ("issues", Some("5+"))]), Some(1.0));
    assert_eq!(get("sessions_with_issue", &[("impact", Some("low"))]), Some(1.0));
    assert_eq!(get("action_items", &[("type", None)]), Some(2.0));
    assert_eq!(get("action_items", &[("type", Some("Other"))]), Some(1.0));
    assert_eq!(get("sessions_with_prompt_feedback", &[]), Some(0.0));
    assert_eq!(expected.quality["unknown_status"], 1);
    assert_eq!(expected.quality["prs_without_url"], 1);
}

#[test]
fn an_empty_week_has_its_days_and_impacts_and_no_ratio() {
    let expected = expect(&[], &week_41("2026-11-01T00:00:00Z"));
    // 24 metrics of the whole and issues of all; 11 trends, 2 days' rows of 7,
    // the four impacts three times over, and twice for both periods.
    assert_eq!(expected.facts.len(), 24 + 1 + 2 * 11 + 2 * 7 + 3 * 4 + 2 * 2 * 4);
    for ((metric, group), fact) in &expected.facts {
        let absent = ["share", "per_100"].contains(&fact.unit) || metric.starts_with("acus_per");
        assert_eq!(fact.value, (!absent).then_some(0.0), "{metric} {group:?}");
        assert_eq!(fact.n, 0);
    }
}

#[test]
fn without_a_trend_the_previous_period_is_still_compared_with() {
    let expected = expect(&two_weeks(), &Asked { trend: 0, ..week_41("2026-11-01T00:00:00Z") });
    assert_eq!(expected.previous.label, "2026-W40");
    assert_eq!(expected.fact("sessions", &[]).unwrap().previous, Some(2.0));
    // The one point of the trend is the period itself, and compared like it.
    let point = expected.fact("sessions", &[("period", Some("2026-W41"))]).unwrap();
    assert_eq!((point.value, point.previous), (Some(5.0), Some(2.0)));
    assert_eq!(value(&expected, "sessions", &[("period", Some("2026-W40"))]), None);
}

#[test]
fn a_session_is_in_the_day_of_the_requested_zone() {
    let row = |id: &str, created: &str| json!({"session_id": id, "created_at": created});
    let records = [
        row("1", "2026-03-28T23:00:00Z"),
        row("2", "2026-03-29T21:59:59Z"),
        row("3", "2026-03-29T22:00:00Z"),
        row("4", "2026-03-22T22:59:59Z"),
    ];
    let asked = Asked {
        tz: chrono_tz::Europe::Berlin,
        kind: Kind::Week { year: 2026, week: 13 },
        ..week_41("2026-11-01T00:00:00Z")
    };
    let expected = expect(&records, &asked);
    assert_eq!(value(&expected, "sessions", &[]), Some(2.0));
    assert_eq!(value(&expected, "sessions", &[("day", Some("2026-03-29"))]), Some(2.0));
    assert_eq!(expected.fact("sessions", &[]).unwrap().previous, Some(1.0));
}

#[test]
fn every_difference_is_reported() {
    let expected = expect(&two_weeks(), &week_41("2026-11-01T00:00:00Z"));
    let json = as_json(&expected);
    assert_eq!(differences(&json.to_string(), &expected), Vec::<String>::new());

    let at = |metric: &str, group: Value| {
        let facts = json["facts"].as_array().unwrap();
        facts.iter().position(|fact| fact["metric"] == metric && fact["group"] == group).unwrap()
    };
    let rate = at("merge_rate", json!({"tag": "auth"}));
    let sessions = at("sessions", json!({"tag": null}));
    let output = |pointer: String, value: Value| {
        let mut changed = json.clone();
        *changed.pointer_mut(&pointer).unwrap() = value;
        differences(&changed.to_string(), &expected)
    };
    assert_eq!(
        output("/period/label".into(), json!("W41")),
        ["period.label: \"W41\", expected \"2026-W41\""]
    );
    assert_eq!(output("/period/to".into(), json!("2026-10-12T02:00:00+02:00")).len(), 1);
    assert_eq!(output("/period/to".into(), json!("2026-10-12T00:00:00Z")).len(), 0);
    assert_eq!(output("/period/complete".into(), json!(false)).len(), 1);
    assert_eq!(output("/previous".into(), json!(null)).len(), 3);
    assert_eq!(output("/quality/unknown_status".into(), json!(3)).len(), 1);
    assert_eq!(output("/quality".into(), json!(null)).len(), 6);
    assert_eq!(output("/source/metered".into(), json!(false)), ["source.metered: false, expected true"]);
    assert_eq!(
        output(format!("/facts/{rate}/value"), json!(0.50001)),
        ["merge_rate{tag=auth}: value 0.50001, expected 0.5"]
    );
    assert_eq!(output(format!("/facts/{rate}/value"), json!(0.500_000_000_01)).len(), 0);
    assert_eq!(output(format!("/facts/{rate}/value"), json!(null)).len(), 1);
    assert_eq!(output(format!("/facts/{rate}/previous"), json!(0)).len(), 1);
    assert_eq!(output(format!("/facts/{rate}/numerator"), json!(null)).len(), 1);
    assert_eq!(output(format!("/facts/{rate}/denominator"), json!(3)).len(), 1);
    assert_eq!(output(format!("/facts/{rate}/unit"), json!("count")).len(), 1);
    assert_eq!(output(format!("/facts/{sessions}/n"), json!(1)).len(), 1);
    for mark in ["maturing", "notable"] {
        let mut marked = json["facts"][sessions].clone();
        marked[mark] = json!(true);
        assert_eq!(output(format!("/facts/{sessions}"), marked).len(), 1);
    }
    // Another group: one is missing, one was not expected.
    assert_eq!(output(format!("/facts/{sessions}/group"), json!({"tag": ""})).len(), 2);
    assert_eq!(output(format!("/facts/{sessions}/group"), json!({"tag": "auth"})).len(), 2);
    assert_eq!(output(format!("/facts/{sessions}"), json!(5)).len(), 2);
}

/// What a program that agrees would write.
fn as_json(expected: &Expected) -> Value {
    let fact = |((metric, group), fact): (&(String, super::Group), &super::ExpectedFact)| {
        let mut row = json!({
            "metric": metric, "group": group, "unit": fact.unit, "value": fact.value, "n": fact.n,
            "previous": fact.previous
        });
        if let (Some(numerator), Some(denominator)) = (fact.numerator, fact.denominator) {
            row["numerator"] = json!(numerator);
            row["denominator"] = json!(denominator);
        }
        for (name, _) in [("maturing", fact.maturing), ("notable", fact.notable)].iter().filter(|mark| mark.1)
        {
            row[*name] = json!(true);
        }
        row
    };
    let previous = json!({
        "label": expected.previous.label, "from": expected.previous.from.to_rfc3339(),
        "to": expected.previous.to.to_rfc3339()
    });
    json!({
        "period": {
            "label": expected.label, "from": expected.from, "to": expected.to, "tz": expected.tz,
            "complete": expected.complete
        },
        "previous": previous,
        "source": {"metered": expected.metered},
        "quality": expected.quality,
        "facts": expected.facts.iter().map(fact).collect::<Vec<_>>()
    })
}

fn value(expected: &Expected, metric: &str, pairs: &[(&str, Option<&str>)]) -> Option<f64> {
    expected.fact(metric, pairs).and_then(|fact| fact.value)
}
