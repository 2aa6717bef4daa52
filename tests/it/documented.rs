//! The documented answers of API v2, in their shapes and with values of our
//! own, served over HTTP and read without loss.

use serde_json::{Value, json};

use crate::support::{Facts, Report, Served, fixture};

/// 12 to 18 February 2024.
const WEEK: [&str; 4] = ["--week", "2024-W07", "--trend", "0"];

/// The sessions of an envelope, or the one session of a detail answer.
fn sessions(name: &str) -> Vec<Value> {
    match fixture(name) {
        Value::Object(mut answer) if answer.contains_key("items") => {
            answer.remove("items").and_then(|items| items.as_array().cloned()).expect("a list of sessions")
        }
        session => vec![session],
    }
}

/// Asserts the value of each of these facts.
fn hold(facts: &Facts, expected: Vec<(&str, Value, Value)>) {
    for (metric, group, value) in expected {
        let found = facts.value(metric, group.clone());
        let number = |value: &Value| value.as_f64();
        assert_eq!(number(found), number(&value), "{metric} by {group}");
    }
}

/// Asserts that the page links to a session under its title.
fn names(report: &Report, title: &str, id: &str) {
    let link = format!("href=\"https:&#x2f;&#x2f;app.devin.ai&#x2f;sessions&#x2f;{id}\"");
    let line = report.html.lines().find(|line| line.contains(&link));
    assert!(line.is_some_and(|line| line.contains(title)), "no link {title}, {id}");
}

#[test]
fn the_answer_of_an_organisation_is_read_without_loss() {
    let served = Served::values(sessions("v2_organisation.json"));
    let report = served.report(&[&WEEK[..], &["--org", "org_512"]].concat());
    let facts = report.facts();
    assert_eq!(facts.0["source"]["scope"], "org_512");
    assert_eq!(facts.0["source"]["received"], 1);
    hold(
        &facts,
        vec![
            ("sessions", json!({}), json!(1)),
            ("sessions", json!({"user": "user_318"}), json!(1)),
            ("sessions", json!({"tag": "billing"}), json!(1)),
            ("sessions", json!({"tag": "export"}), json!(1)),
            ("sessions", json!({"org": "org_512"}), json!(1)),
            ("sessions", json!({"status": "exit"}), json!(1)),
            ("sessions", json!({"day": "2024-02-14"}), json!(1)),
            ("sessions", json!({"day": "2024-02-13"}), json!(0)),
            ("active_users", json!({}), json!(1)),
            ("acus", json!({}), json!(18.7)),
            ("acus", json!({"user": "user_318"}), json!(18.7)),
            ("acus", json!({"tag": "export"}), json!(18.7)),
            ("acus_split", json!({"tag": "export"}), json!(9.35)),
            ("acus_histogram", json!({"bin": "10"}), json!(1)),
            ("prs", json!({}), json!(1)),
            ("prs", json!({"state": "merged"}), json!(1)),
            ("prs_merged", json!({"repo": "github.com/acme/ledger"}), json!(1)),
            ("prs_merged", json!({"user": "user_318"}), json!(1)),
            ("acus_per_merged_pr", json!({}), json!(18.7)),
            ("analysed_sessions", json!({}), json!(1)),
            ("issues", json!({"impact": "medium"}), json!(1)),
            ("issues", json!({"impact": "high"}), json!(0)),
            ("issues", json!({"label": "Test data", "impact": "medium"}), json!(1)),
            ("issues", json!({"tag": "billing", "impact": "medium"}), json!(1)),
            ("issues", json!({"user": "user_318", "impact": "medium"}), json!(1)),
            ("action_items", json!({"type": "repo_config"}), json!(1)),
            ("sessions_with_prompt_feedback", json!({}), json!(1)),
        ],
    );
    assert!(facts.0["quality"].as_object().is_some_and(|counts| counts.values().all(|count| count == 0)));
    names(&report, "Export invoices as CSV", "qrs452");
}

#[test]
fn the_answers_of_the_enterprise_and_of_a_session_are_read_without_loss() {
    let all =
        ["v2_enterprise.json", "v2_session.json", "v2_organisation.json"].into_iter().flat_map(sessions);
    let report = Served::values(all.collect()).report(&WEEK);
    let facts = report.facts();
    assert_eq!(facts.0["source"]["scope"], "enterprise");
    assert_eq!(facts.keys("sessions", "tag"), ["billing", "bug", "export", "login", "search"]);
    assert_eq!(facts.keys("sessions", "user"), ["user_318", "user_727"]);
    assert_eq!(facts.keys("prs", "repo"), ["github.com/acme/ledger", "github.com/acme/portal"]);
    hold(
        &facts,
        vec![
            ("sessions", json!({}), json!(3)),
            ("sessions", json!({"tag": "bug"}), json!(2)),
            ("sessions", json!({"user": "user_727"}), json!(2)),
            ("acus", json!({}), json!(6.25 + 11.5 + 18.7)),
            ("acus", json!({"user": "user_727"}), json!(17.75)),
            ("acus", json!({"day": "2024-02-12"}), json!(6.25)),
            ("acus_per_session_max", json!({}), json!(18.7)),
            ("prs", json!({"state": "merged"}), json!(2)),
            ("prs", json!({"state": "closed"}), json!(1)),
            ("merge_rate", json!({"repo": "github.com/acme/portal"}), json!(0.5)),
            ("sessions_with_merged_pr", json!({}), json!(2)),
            ("issues", json!({"impact": "high"}), json!(2)),
            ("issues", json!({"label": "Environment", "impact": "high"}), json!(2)),
            ("sessions_with_issue", json!({"label": "Environment"}), json!(2)),
            ("action_items", json!({"type": "machine_setup"}), json!(2)),
            ("sessions_with_prompt_feedback", json!({}), json!(3)),
        ],
    );
    names(&report, "Repair the password reset", "mno905");
    names(&report, "Speed up the search", "tuv310");
}

#[test]
fn the_skeleton_of_placeholders_is_read_without_loss() {
    let served = Served::values(sessions("v2_skeleton.json"));
    for org in [None, Some("<string>")] {
        let flags = ["--week", "2023-W32", "--trend", "0"];
        let report = served
            .report(&flags.into_iter().chain(org.iter().flat_map(|org| ["--org", org])).collect::<Vec<_>>());
        let facts = report.facts();
        assert_eq!(facts.0["source"]["scope"], org.unwrap_or("enterprise"));
        hold(
            &facts,
            vec![
                ("sessions", json!({}), json!(1)),
                ("sessions", json!({"user": "<string>"}), json!(1)),
                ("sessions", json!({"tag": "<string>"}), json!(1)),
                ("sessions", json!({"org": "<string>"}), json!(1)),
                ("sessions", json!({"status": "new"}), json!(1)),
                ("acus", json!({"day": "2023-08-09"}), json!(321.0)),
                ("prs", json!({"state": "unknown"}), json!(1)),
                ("prs", json!({"repo": "unknown"}), json!(1)),
                ("analysed_sessions", json!({}), json!(1)),
                ("issues", json!({"impact": "high"}), json!(0)),
                ("issue_count_histogram", json!({"impact": "high", "issues": "0"}), json!(1)),
                ("sessions_with_prompt_feedback", json!({}), json!(1)),
            ],
        );
        assert!(report.html.contains("&lt;string&gt;") && !report.html.contains("<string"));
    }
}

#[test]
fn a_pull_request_is_read_under_every_documented_spelling() {
    let mut session = sessions("v2_session.json").remove(0);
    let link = |number: u32| format!("https://github.com/acme/portal/pull/{number}");
    session["pull_requests"] = json!([
        {"pr_url": link(1), "pr_state": "merged", "state": "merged"},
        {"url": link(2), "state": "open"},
        {"pr_url": link(3), "pr_state": null},
        {"pr_url": link(4), "pr_state": null, "state": "draft"},
        {"pr_url": null, "url": link(5), "pr_state": "closed"},
        {"url": link(6), "state": "Merged"},
        {"pr_url": link(7)},
        {"pr_state": "merged"}
    ]);
    let facts = Served::values(vec![session]).report(&WEEK).facts();
    hold(
        &facts,
        vec![
            ("prs", json!({}), json!(7)),
            ("prs", json!({"state": "merged"}), json!(2)),
            ("prs", json!({"state": "open"}), json!(1)),
            ("prs", json!({"state": "draft"}), json!(1)),
            ("prs", json!({"state": "closed"}), json!(1)),
            ("prs", json!({"state": "unknown"}), json!(2)),
        ],
    );
    assert_eq!(facts.0["quality"]["prs_without_url"], 1);
    assert_eq!(facts.0["quality"]["unknown_pr_state"], 2);
}

#[test]
fn what_may_be_null_or_absent_or_unknown_is_accepted() {
    let all = ["title", "tags", "user_id", "acus_consumed", "pull_requests", "session_analysis", "url"];
    let mut null = sessions("v2_session.json").remove(0);
    null["session_id"] = json!("devin-null");
    null["beyond_the_documents"] = json!({"deep": [1, 2, 3]});
    let mut absent = null.clone();
    absent["session_id"] = json!("absent");
    for field in all {
        null[field] = Value::Null;
        absent.as_object_mut().expect("a session").remove(field);
    }
    let facts = Served::values(vec![null, absent]).report(&WEEK).facts();
    hold(
        &facts,
        vec![
            ("sessions", json!({}), json!(2)),
            ("sessions", json!({"user": null}), json!(2)),
            ("sessions", json!({"tag": null}), json!(2)),
            ("prs", json!({}), json!(0)),
            ("analysed_sessions", json!({}), json!(0)),
        ],
    );
    assert_eq!(facts.0["quality"]["acus_unknown"], 2);
    assert_eq!(facts.0["source"]["rejected"], 0);
}
