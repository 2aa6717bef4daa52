//! The oracle against a week of version 3 that was worked out by hand.

use serde_json::{Value, json};

use super::by_hand::week_41;
use super::{Asked, Expected, expect};

/// Size, messages, playbook, mode and detail of the status; state of the one pull request.
type Row = (Option<&'static str>, Option<u32>, Option<&'static str>, Option<&'static str>, &'static str);

fn records(rows: &[Row]) -> Vec<Value> {
    let record = |(at, (size, messages, playbook, mode, state)): (usize, &Row)| {
        json!({
            "session_id": format!("s{at}"), "created_at": "2026-10-05T10:00:00Z", "user_id": "u",
            "acus_consumed": 2, "session_size": size, "num_user_messages": messages,
            "playbook_id": playbook, "devin_mode": mode, "status": "suspended",
            "status_detail": if at == 0 { Value::Null } else { json!("inactivity") },
            "pull_requests": [{"pr_url": format!("https://h/a/b/pull/{at}"), "pr_state": state}]
        })
    };
    rows.iter().enumerate().map(record).collect()
}

const ROWS: [Row; 6] = [
    (Some("xl"), Some(1), Some("p"), Some("fast"), "merged"),
    (Some("l"), Some(3), Some("p"), None, "merged"),
    (Some("s"), Some(1), None, None, "closed"),
    (Some("s"), None, None, None, "merged"),
    (None, Some(1), None, Some("fast"), "open"),
    (Some("m"), Some(0), None, None, "merged"),
];

fn asked() -> Asked {
    Asked { v3: true, ..week_41("2026-11-01T00:00:00Z") }
}

fn numbers(expected: &Expected, metric: &str, pairs: &[(&str, Option<&str>)]) -> Option<(f64, u64)> {
    let fact = expected.fact(metric, pairs)?;
    Some((fact.value?, fact.n))
}

#[test]
fn sizes_messages_playbooks_and_modes() {
    let expected = expect(&records(&ROWS), &asked());
    let get = |metric, pairs: &[(&str, Option<&str>)]| numbers(&expected, metric, pairs);
    assert_eq!(get("large_session_share", &[]), Some((2.0 / 5.0, 5)));
    assert_eq!(get("large_session_share", &[("period", Some("2026-W41"))]), Some((2.0 / 5.0, 5)));
    // Of the four with a merged pull request three have a known number, and one of them has 1.
    assert_eq!(get("one_message_share", &[]), Some((1.0 / 3.0, 3)));
    assert_eq!(get("sessions", &[("status_detail", Some("inactivity"))]), Some((5.0, 5)));
    assert_eq!(get("sessions", &[("status_detail", None)]), Some((1.0, 1)));
    assert_eq!(get("acus", &[("status_detail", None)]), None);
    assert_eq!(get("prs", &[("playbook", Some("p"))]), Some((2.0, 2)));
    assert_eq!(get("merge_rate", &[("playbook", None)]), Some((2.0 / 3.0, 3)));
    assert_eq!(get("acus_per_merged_pr", &[("playbook", None)]), Some((4.0, 2)));
    assert_eq!(get("acus_per_merged_pr", &[("mode", Some("fast"))]), Some((4.0, 1)));
    assert_eq!(get("prs_merged", &[("size", Some("s"))]), Some((1.0, 2)));
    assert_eq!(get("prs_merged", &[("origin", None)]), Some((4.0, 6)));
    // Nobody has a mode: there are no groups by it.
    let without: Vec<Row> = ROWS
        .iter()
        .map(|(size, messages, playbook, _, state)| (*size, *messages, *playbook, None, *state))
        .collect();
    let expected = expect(&records(&without), &asked());
    assert!(expected.facts.keys().all(|(_, of)| !of.contains_key("mode")));
    assert_eq!(numbers(&expected, "sessions", &[("playbook", None)]), Some((4.0, 4)));
}

#[test]
fn people_come_back_after_a_break_and_are_not_new() {
    let session = |id: &str, user: &str, day: &str| json!({"session_id": id, "user_id": user, "created_at": format!("2026-{day}T10:00:00Z")});
    let records = vec![
        session("1", "back", "09-22"),
        session("2", "lapsed", "09-29"),
        session("3", "stays", "09-29"),
        session("4", "stays", "10-06"),
        session("5", "back", "10-07"),
        session("6", "new", "10-08"),
        // Machines are nobody.
        json!({"session_id": "7", "user_id": "bot_apk", "service_user_id": "m", "created_at": "2026-10-08T10:00:00Z"}),
    ];
    let of = |asked: &Asked| {
        let expected = expect(&records, asked);
        ["new_users", "returning_users", "lapsed_users"].map(|metric| {
            let fact = expected.fact(metric, &[]).expect("it is expected");
            (fact.value, fact.n, fact.previous)
        })
    };
    let some = |value: f64, n| (Some(value), n, None);
    let week = week_41("2026-11-01T00:00:00Z");
    assert_eq!(of(&Asked { trend: 2, ..week.clone() }), [some(1.0, 3), some(1.0, 3), some(1.0, 2)]);
    // Who looks back a week alone takes the one who is back for new.
    assert_eq!(of(&Asked { trend: 1, ..week.clone() })[0], some(2.0, 3));
    assert_eq!(of(&Asked { trend: 0, ..week })[0], some(2.0, 3));
    let running = Asked { trend: 2, ..week_41("2026-10-09T00:00:00Z") };
    assert_eq!(of(&running), [some(1.0, 3), (None, 3, None), (None, 0, None)]);
}
