//! Both API versions return the same for every session, as far as both have it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::*;

/// All records of an organisation by their number, as both versions return them.
fn pairs(organisation: &Organisation) -> Vec<(Value, Value)> {
    let old = records(&walk(organisation, V2, "", 200, 99));
    let mut new = records(&walk(organisation, V3, "", 200, 99));
    new.reverse();
    assert_eq!(ids(&old), ids(&new));
    old.into_iter().zip(new).collect()
}

/// A pull request's address and state, under whatever names.
fn pull(pull: &Value) -> (Value, Value) {
    let read =
        |name: &str, other: &str| if pull[name].is_null() { &pull[other] } else { &pull[name] }.clone();
    (read("pr_url", "url"), read("pr_state", "state"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn what_both_tell_is_the_same() {
    let organisation =
        Organisation::invent(&Recipe { oddity: 8.0, orgs: 2, sessions: 1_500, ..Recipe::demo() });
    let mut odd = 0;
    for (old, new) in pairs(&organisation) {
        for name in ["url", "status", "title", "tags", "user_id", "org_id", "acus_consumed"] {
            assert_eq!(old.get(name), new.get(name), "{name} of {old}");
        }
        odd += usize::from(!old["acus_consumed"].is_f64());
        assert_eq!(old["service_user_id"], new["service_user_id"]);
        assert!(new["session_id"].as_str().unwrap().starts_with("devin-"));
        for name in ["created_at", "updated_at"] {
            let moment: DateTime<Utc> = old[name].as_str().unwrap().parse().unwrap();
            assert_eq!(new[name], json!(moment.timestamp()), "{name}");
        }
        let pulls = |session: &Value| list(&session["pull_requests"]).iter().map(pull).collect::<Vec<_>>();
        assert_eq!(pulls(&old), pulls(&new));
        for pull in list(&new["pull_requests"]) {
            assert_eq!(pull.as_object().unwrap().keys().collect::<Vec<_>>(), ["pr_state", "pr_url"]);
        }
        assert_eq!(old["pull_requests"].is_null(), new["pull_requests"].is_null());
        same_analysis(&old["session_analysis"], &new["analysis"]);
        assert!(new.get("session_analysis").is_none() && new.get("initial_user_message").is_none());
    }
    assert!(odd > 10, "{odd}");
}

fn same_analysis(old: &Value, new: &Value) {
    assert_eq!(old.is_object(), new.is_object());
    if old.is_null() {
        return assert!(new.is_null());
    }
    for (part, names) in [
        ("issues", &["issue", "impact", "label"][..]),
        ("timeline", &["title", "description"]),
        ("action_items", &["type", "action_item"]),
    ] {
        let output = |analysis: &Value| -> Vec<Vec<Value>> {
            let output = |item: &Value| names.iter().map(|name| item[name].clone()).collect();
            list(&analysis[part]).iter().map(output).collect()
        };
        assert_eq!(output(old), output(new), "{part}");
    }
    assert_eq!(old["suggested_prompt"]["original_prompt"], new["suggested_prompt"]["original_prompt"]);
    let known: Vec<&str> = list(&new["issues"]).iter().filter_map(|issue| issue["id"].as_str()).collect();
    assert_eq!(known.len(), list(&new["issues"]).len());
    let feedback = list(&new["suggested_prompt"]["feedback_items"]);
    for item in list(&new["timeline"]).iter().chain(list(&new["action_items"])).chain(feedback) {
        assert!(item["issue_id"].as_str().is_none_or(|id| known.contains(&id)), "{item}");
    }
    assert!(new.get("note_usage").is_some() && new["classification"]["confidence"].is_f64());
}

#[test]
fn what_only_the_third_tells_is_shaped_like_real_data() {
    let organisation = Organisation::invent(&Recipe::demo());
    let sessions: Vec<Value> = pairs(&organisation).into_iter().map(|(_, new)| new).collect();
    let share = |test: &dyn Fn(&Value) -> bool| {
        sessions.iter().filter(|session| test(session)).count() as f64 / sessions.len() as f64
    };
    let limits = ["usage_limit_exceeded", "out_of_credits", "out_of_quota", "payment_declined"];
    for limit in limits {
        assert!(share(&|session| session["status_detail"] == limit) > 0.0, "{limit}");
    }
    let stopped = |session: &Value| limits.iter().any(|limit| session["status_detail"] == *limit);
    let ranges = [
        ("stopped by a limit", share(&stopped), 0.04..0.15),
        ("a limit without a rest", share(&|s| stopped(s) && s["status"] != "suspended"), 0.0..1e-9),
        ("by hand", share(&|s| s["origin"] == "webapp"), 0.4..0.55),
        ("by a schedule", share(&|s| s["origin"] == "scheduled"), 0.02..0.06),
        ("without a category", share(&|s| s["category"].is_null()), 0.1..0.25),
        ("large", share(&|s| s["session_size"] == "l" || s["session_size"] == "xl"), 0.02..0.15),
        ("archived", share(&|s| s["is_archived"] == true), 0.03..0.07),
        ("with a playbook", share(&|s| s["playbook_id"].is_string()), 0.25..0.40),
        ("in the usual mode", share(&|s| s["devin_mode"] == "normal"), 0.6..0.75),
        ("in another mode", share(&|s| s["devin_mode"] == "fast" || s["devin_mode"] == "ultra"), 0.1..0.25),
        ("without a mode", share(&|s| s["devin_mode"].is_null()), 0.05..0.15),
        (
            "running without a detail",
            share(&|s| s["status"] == "running" && s["status_detail"].is_null()),
            0.0..1e-9,
        ),
        ("with a parent", share(&|s| s["parent_session_id"].is_string()), 0.03..0.08),
        ("one message", share(&|s| s["num_user_messages"] == 1), 0.07..0.4),
    ];
    for (name, value, range) in ranges {
        assert!(range.contains(&value), "{name}: {value}");
    }
    let by_id: BTreeMap<&str, &Value> =
        sessions.iter().map(|session| (session["session_id"].as_str().unwrap(), session)).collect();
    for session in &sessions {
        if let Some(parent) = session["parent_session_id"].as_str() {
            assert!(list(&by_id[parent]["child_session_ids"]).contains(&session["session_id"]));
        }
        for child in list(&session["child_session_ids"]) {
            assert_eq!(by_id[child.as_str().unwrap()]["parent_session_id"], session["session_id"]);
        }
    }
    // The same recipe gives the same bytes here too.
    let again = Organisation::invent(&Recipe::demo());
    assert_eq!(walk(&again, V3, "", 200, 99), walk(&organisation, V3, "", 200, 99));
}

#[test]
fn what_a_value_tells_of_the_third_version_is_kept() {
    let output = json!({
        "session_id": "devin-1", "created_at": 1_791_158_400_000_u64, "updated_at": "soon", "origin": "slack",
        "session_size": "xl", "category": null, "status_detail": "out_of_credits", "num_user_messages": 42,
        "parent_session_id": "0", "playbook_id": null, "service_user_id": 7, "beyond_the_documents": [1],
        "pull_requests": [7, {"pr_url": 8, "url": "https://x/1", "state": "open"}],
        "analysis": {"issues": [{"id": "9", "issue": "It failed", "impact": "low"}, null], "note_usage": 3},
        "session_analysis": {"issues": []}
    });
    let organisation = Organisation::from_values(vec![output.clone(), json!("no object"), json!([])]);
    let new = records(&walk(&organisation, V3, "", 9, 2));
    let session = &new[0];
    for name in output.as_object().unwrap().keys() {
        match name.as_str() {
            "pull_requests" => {
                assert_eq!(session[name], json!([7, {"pr_url": 8, "pr_state": "open"}]));
            }
            "analysis" => {
                assert_eq!(session[name]["issues"][0]["id"], "9");
                assert_eq!(session[name]["issues"][0]["title"], "It failed");
                assert_eq!(
                    (&session[name]["issues"][1], &session[name]["note_usage"]),
                    (&Value::Null, &json!(3))
                );
            }
            "session_analysis" => assert!(session.get(name).is_none()),
            _ => assert_eq!(session[name], output[name], "{name}"),
        }
    }
    assert!(new.contains(&json!("no object")) && new.contains(&json!([])));
    for (query, total) in [("origins=slack", 1), ("origins=slack&origins=api&user_ids=x", 0)] {
        assert_eq!(page(&organisation, V3, query, &Shape::default())["total"], total, "{query}");
    }
}
