//! Input as it is met in the field: saved pages that other tools have rewritten,
//! and spellings that no document shows.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::attacker::runs::unzipped;
use crate::oracle::{Asked, Kind, differences, expect_saved};
use crate::support::{Facts, Outcome, SERVICE_CANARY, acumen, files, run, serve};

/// A session of version 2 in week 41, with other fields.
fn session(id: u32, fields: Value) -> Value {
    let mut record = json!({
        "session_id": format!("devin-{id:032x}"), "org_id": "org_1", "user_id": "email|ada", "status": "exit",
        "created_at": format!("2026-10-06T10:{id:02}:00Z"), "updated_at": "2026-10-06T12:00:00Z",
        "acus_consumed": 2.0, "tags": [], "pull_requests": [], "session_analysis": null,
    });
    if let (Some(record), Value::Object(fields)) = (record.as_object_mut(), fields) {
        record.extend(fields);
    }
    record
}

/// A report of week 41 from saved text.
fn report(folder: &Path, saved: &str) -> Outcome {
    std::fs::write(folder.join("saved.json"), saved).expect("a file");
    let mut command = acumen(folder);
    command.env_remove("DEVIN_API_KEY").args(["report", "--pages", "saved.json", "--out", "out"]);
    run(command.args(["--week", "2026-W41", "--trend", "1", "--export", "csv,xlsx"]))
}

/// The text of `facts.json`, and what such a report says on stderr.
fn written(saved: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = report(folder.path(), saved);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let out = folder.path().join("out");
    let name = files(&out).into_iter().find(|name| name.ends_with(".json")).expect("facts");
    (std::fs::read_to_string(out.join(name)).expect("facts in UTF-8"), outcome.stderr)
}

/// The facts of a report of week 41 from these records, and what it says on stderr.
/// All of them are what the oracle works out.
fn facts(records: &[Value], v3: bool) -> (Facts, String) {
    let (text, stderr) = written(&Value::from(records.to_vec()).to_string());
    let now: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().expect("a moment");
    let week = Kind::Week { year: 2026, week: 41 };
    let expected = expect_saved(
        records,
        &Asked { tz: chrono_tz::UTC, kind: week, trend: 1, now, v3, members: None, compare: None },
    );
    assert_eq!(differences(&text, &expected), Vec::<String>::new());
    (Facts(serde_json::from_str(&text).expect("JSON")), stderr)
}

fn with_pull_requests(addresses: &[(&str, &str)]) -> Vec<Value> {
    let entry = |(id, (address, state)): (u32, &(&str, &str))| {
        session(id, json!({"pull_requests": [{"pr_url": address, "pr_state": state}]}))
    };
    (1..).zip(addresses).map(entry).collect()
}

#[test]
fn a_pull_request_in_many_spellings_counts_once() {
    let (facts, _) = facts(
        &with_pull_requests(&[
            ("https://github.com/Example/Shop/pull/12", "open"),
            ("https://github.com/example/shop/pull/12/commits/1a2b3c", "open"),
            ("HTTP://www.GitHub.com:80/example/shop/Pull/12/files?diff=split#r9", "merged"),
            ("github.com/EXAMPLE/SHOP/pull/12", "closed"),
            ("https://github.com/example/shop/pull/13/checks", "open"),
        ]),
        false,
    );
    assert_eq!(facts.value("prs", json!({})), 2);
    assert_eq!(facts.value("prs_merged", json!({})), 1);
    assert_eq!(facts.value("sessions_with_merged_pr", json!({})), 4);
    assert_eq!(facts.keys("prs", "repo"), ["github.com/Example/Shop"]);
}

#[test]
fn the_earliest_session_decides_the_spelling_whatever_the_order_of_the_file() {
    let mut records = with_pull_requests(&[
        ("https://dev.azure.com/Team/Shop/_git/Web/pullRequest/3", "open"),
        ("https://dev.azure.com/team/shop/_git/web/pullrequest/3", "merged"),
    ]);
    records.reverse();
    let (facts, _) = facts(&records, false);
    assert_eq!(facts.value("prs", json!({})), 1);
    assert_eq!(facts.keys("prs", "repo"), ["dev.azure.com/Team/Shop/_git/Web"]);
}

#[test]
fn repositories_of_all_common_forges_are_known() {
    let (facts, _) = facts(
        &with_pull_requests(&[
            ("https://git.example.org/team/site/pulls/4", "merged"),
            ("https://code.example.org/group/sub/tool/merge_requests/5/diffs", "open"),
            ("https://code.example.org/group/sub/tool/-/merge_requests/5", "open"),
            ("https://stash.example.org/projects/TE/repos/site/pull-requests/6/overview", "open"),
            ("https://tfs.example.org/c/p/_git/site/PullRequest/8?_a=overview", "open"),
            ("https://tfs.example.org/c/p/_git/site/pullrequest/8", "open"),
            ("https://Example.org/Team/Site/pull/9", "open"),
            ("https://example.org/team/site/pull/9", "open"),
            ("https://example.org/changes/10", "open"),
        ]),
        false,
    );
    let repos = facts.keys("prs", "repo");
    let expected = [
        "code.example.org/group/sub/tool",
        "example.org/Team/Site",
        "example.org/team/site",
        "git.example.org/team/site",
        "stash.example.org/projects/TE/repos/site",
        "tfs.example.org/c/p/_git/site",
        "unknown",
    ];
    assert_eq!(repos, expected);
    assert_eq!(facts.value("prs", json!({})), 7);
}

/// A warning about fields, which a report without any does not print.
const LEFT_OUT: &str = "fields that could not be read";

#[test]
fn lists_and_analyses_as_text_count_as_lists_and_objects_do() {
    let issues = json!([{"impact": "High", "label": "Set-up", "issue": "no network"}]);
    let analysis =
        json!({"issues": issues, "action_items": [{"type": "knowledge"}], "suggested_prompt": null});
    let pull = json!({"pr_url": "https://github.com/example/shop/pull/5", "pr_state": "merged"});
    let plain =
        session(1, json!({"tags": ["x", "y"], "pull_requests": [pull], "session_analysis": analysis}));
    let others = [
        json!({"tags": "[\"x\", \"y\"]", "pull_requests": json!([pull]).to_string(),
               "session_analysis": analysis.to_string()}),
        json!({"tags": "x, y", "pull_requests": pull, "session_analysis": [analysis]}),
        json!({"tags": [{"name": "x"}, {"name": "y"}], "pull_requests": [pull.to_string()],
               "session_analysis": {"issues": issues.to_string(), "action_items": {"type": "knowledge"}}}),
    ];
    let (expected, _) = facts(std::slice::from_ref(&plain), false);
    for other in others {
        let (facts, stderr) = facts(&[session(1, other.clone())], false);
        assert_eq!(facts.0["facts"], expected.0["facts"], "{other}");
        assert_eq!(facts.0["quality"]["unreadable_fields"], 0, "{other}");
        assert!(!stderr.contains(LEFT_OUT), "{stderr}");
    }
    let addresses = json!({"pull_requests": ["https://github.com/example/shop/pull/5"]});
    let (facts, _) = facts(&[plain, session(2, addresses)], false);
    assert_eq!(
        (facts.value("prs", json!({})), facts.value("sessions_with_merged_pr", json!({}))),
        (&json!(1), &json!(2))
    );
}

/// What other languages print in the place of lists and objects counts as these do.
#[test]
fn lists_and_objects_that_python_or_a_database_wrote_are_read() {
    let pull = json!({"pr_url": "https://github.com/example/shop/pull/5", "pr_state": "merged"});
    let analysis =
        json!({"issues": [{"impact": "High", "label": "It's slow", "issue": null}], "action_items": []});
    let plain = json!({"tags": ["x", "team:y"], "pull_requests": [pull], "session_analysis": analysis});
    let others = [
        json!({"tags": "['x', \"team:y\"]",
               "pull_requests": "[{'pr_url': 'https://github.com/example/shop/pull/5', 'pr_state': 'merged'}]",
               "session_analysis": "{'issues': [{'impact': 'High', 'label': \"It's slow\", 'issue': None}], \
                                     'action_items': []}"}),
        json!({"tags": "{x,\"team:y\"}", "pull_requests": json!(json!([pull]).to_string()).to_string(),
               "session_analysis": json!(analysis.to_string()).to_string()}),
        json!({"tags": "x; team:y", "pull_requests": [pull], "session_analysis": [analysis]}),
    ];
    let of = |fields: Value| {
        let (text, stderr) = written(&json!([session(1, fields)]).to_string());
        assert!(!stderr.contains(LEFT_OUT), "{stderr}");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let expected = of(plain);
    for other in others {
        let found = of(other.clone());
        assert_eq!(
            (&found["facts"], &found["quality"]),
            (&expected["facts"], &expected["quality"]),
            "{other}"
        );
    }
    for nothing in ["None", "NULL", "nan", "\\N", "null", "[]", ""] {
        let fields = json!({"tags": nothing, "pull_requests": nothing, "session_analysis": nothing});
        let found = of(fields);
        let empty = of(json!({}));
        assert_eq!((&found["facts"], &found["quality"]), (&empty["facts"], &empty["quality"]), "{nothing}");
    }
}

#[test]
fn pull_requests_without_an_address_are_reported() {
    let nameless = json!({"pull_requests": [{"number": 5, "pr_state": "merged"}]});
    let (facts, stderr) = facts(&[session(1, nameless)], false);
    assert_eq!(facts.value("prs", json!({})), 0);
    assert!(stderr.contains("warning: 1 of 1 pull requests have no address"), "{stderr}");
    let named = json!({"pull_requests": [{"pr_url": "https://github.com/example/shop/pull/5"}]});
    assert!(!self::facts(&[session(1, named)], false).1.contains("no address"));
}

#[test]
fn what_has_no_clear_meaning_is_counted_and_reported() {
    let odd = json!({
        "tags": "{x=1}", "pull_requests": {"number": 5}, "session_analysis": "done", "title": ["a"],
        "updated_at": "soon", "num_user_messages": "many", "status": {"name": "exit"}, "user_id": true,
    });
    let (facts, stderr) = facts(&[session(1, json!({})), session(2, odd)], false);
    assert_eq!(facts.0["quality"]["unreadable_fields"], 8);
    assert!(stderr.contains(&format!("warning: 1 of 2 sessions have {LEFT_OUT}")), "{stderr}");
    assert_eq!(facts.value("sessions", json!({})), 2);
}

#[test]
fn one_odd_session_in_a_hundred_is_counted_and_not_reported() {
    let mut records: Vec<Value> = (0..50).map(|id| session(id, json!({}))).collect();
    records.extend((50..100).map(|id| session(id, json!({"created_at": "2026-10-06T10:00:00Z"}))));
    records[7]["tags"] = json!(7);
    let (facts, stderr) = facts(&records, false);
    assert_eq!(facts.0["quality"]["unreadable_fields"], 1);
    assert!(!stderr.contains(LEFT_OUT), "{stderr}");
}

#[test]
fn the_page_and_the_workbook_count_unreadable_fields() {
    let folder = tempfile::tempdir().expect("a folder");
    let saved = session(1, json!({"tags": 7})).to_string();
    assert_eq!(report(folder.path(), &saved).code, Some(0));
    let out = folder.path().join("out");
    let file = |ending: &str| files(&out).into_iter().find(|name| name.ends_with(ending)).expect("a file");
    let page = std::fs::read_to_string(out.join(file(".html"))).expect("a page");
    assert!(page.contains("<dt>Fields that could not be read</dt><dd>1</dd>"));
    let book = unzipped(&std::fs::read(out.join(file(".xlsx"))).expect("a workbook"));
    assert!(book.iter().any(|(_, text)| text.contains("Fields that could not be read")));
}

#[test]
fn a_name_twice_costs_that_field_alone() {
    let twice = session(1, json!({"title": "one"})).to_string().replacen('{', "{\"title\": \"two\", ", 1);
    let nested =
        session(2, json!({"pull_requests": [{"pr_url": "https://h.example/a/b/pull/1"}]})).to_string();
    let nested = nested.replace("\"pr_url\"", "\"pr_state\": \"open\", \"pr_state\": \"merged\", \"pr_url\"");
    let (text, stderr) = written(&format!("[{twice}, {nested}]"));
    let facts = Facts(serde_json::from_str(&text).expect("JSON"));
    assert_eq!(facts.value("sessions", json!({})), 2);
    assert_eq!(facts.value("prs", json!({"state": "unknown"})), 1);
    assert_eq!(
        (&facts.0["source"]["rejected"], &facts.0["quality"]["unreadable_fields"]),
        (&json!(0), &json!(2))
    );
    assert!(stderr.contains(&format!("2 of 2 sessions have {LEFT_OUT}")), "{stderr}");
}

/// A covered report of week 41 from these records.
fn covered(folder: &Path, records: &[Value]) -> Outcome {
    std::fs::write(folder.join("saved.json"), Value::from(records.to_vec()).to_string()).expect("a file");
    let mut command = acumen(folder);
    command.env_remove("DEVIN_API_KEY").args(["report", "--pages", "saved.json", "--out", "out"]);
    run(command.args(["--week", "2026-W41", "--profile", "leadership"]))
}

/// Sessions whose users cannot be read may all be of one person.
#[test]
fn sessions_with_unreadable_users_count_for_no_person_in_covered_reports() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |user: Value| -> Vec<Value> {
        (1..=6).map(|id| session(id, json!({"user_id": user, "service_user_id": null}))).collect()
    };
    let alone = covered(folder.path(), &of(json!({"id": "email|ada"})));
    assert_eq!(alone.code, Some(2), "{}", alone.stderr);
    assert!(alone.stderr.contains("fewer than five people"), "{}", alone.stderr);
    let several = covered(folder.path(), &of(Value::Null));
    assert_eq!(several.code, Some(0), "{}", several.stderr);
}

/// How much could not be read rests on any number of people.
#[test]
fn covered_reports_do_not_count_what_could_not_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let user = |id: u32| json!({"user_id": format!("email|{id}")});
    let mut records: Vec<Value> = (1..=6).map(|id| session(id, user(id))).collect();
    records[0]["tags"] = json!({"a": 1});
    records.push(session(7, json!({"created_at": "2026-10-06T10:00:00"})));
    records.extend((8..=9).map(|id| session(id, json!({"created_at": "yesterday"}))));
    records.extend((1..=200).map(|id| {
        let mut old = session(id % 60, user(id % 6));
        old["session_id"] = json!(format!("devin-{:032x}", 1000 + id));
        old["created_at"] = json!("2026-09-01T10:00:00Z");
        old
    }));
    let outcome = covered(folder.path(), &records);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let out = folder.path().join("out");
    let text = |end: &str| {
        let name = files(&out).into_iter().find(|name| name.ends_with(end)).expect("a file");
        std::fs::read_to_string(out.join(name)).expect("UTF-8")
    };
    let facts: Value = serde_json::from_str(&text(".json")).expect("JSON");
    assert_eq!([&facts["quality"]["unreadable_fields"], &facts["source"]["rejected"]], [&Value::Null; 2]);
    let page = text(".html");
    for name in ["Fields that could not be read", "Records that could not be read", "Times without a zone"] {
        let (_, rest) = page.split_once(name).expect("a line of the page");
        assert!(rest.chars().take(150).collect::<String>().contains("not shown"), "{name}");
    }
}

#[test]
fn moments_in_other_spellings_are_read() {
    let moments = [
        json!("2026-10-07 08:30:00 UTC"),
        json!("2026-10-07 08:30:00.25 UTC"),
        json!("2026-10-07T10:30:00 +02:00"),
        json!("2026-10-07 08:30:00,5"),
        json!(1.791361800e9),
        json!("1.7913618e9"),
        json!("1791361800000"),
        json!(1_791_361_800.5),
    ];
    let sessions = (1..).zip(moments).map(|(id, moment)| {
        session(id, json!({"created_at": moment, "updated_at": "2026-10-07 09:00:00 UTC"}))
    });
    let (facts, stderr) = facts(&sessions.collect::<Vec<_>>(), false);
    assert_eq!(facts.value("sessions", json!({"day": "2026-10-07"})), 8);
    assert_eq!(facts.0["quality"]["unreadable_fields"], 0);
    assert!(!stderr.contains("could not be read"), "{stderr}");
}

#[test]
fn an_exponent_in_the_bytes_of_a_file_is_read() {
    let saved = session(1, json!({"created_at": 0}))
        .to_string()
        .replace("\"created_at\":0", "\"created_at\":1.7913618E+9");
    let facts = Facts(serde_json::from_str(&written(&saved).0).expect("JSON"));
    assert_eq!(facts.value("sessions", json!({"day": "2026-10-07"})), 1);
}

#[test]
fn a_refusal_names_file_record_field_and_value_of_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("saved");
    std::fs::create_dir(&saved).expect("a folder");
    let good = session(1, json!({}));
    let odd = session(2, json!({"created_at": "last \u{1b}[31mTuesday"}));
    std::fs::write(saved.join("a.json"), json!([good]).to_string()).expect("a file");
    std::fs::write(saved.join("b.json"), json!([good, odd, {"session_id": true}]).to_string())
        .expect("a file");
    let command = &mut acumen(folder.path());
    command.env_remove("DEVIN_API_KEY").args(["report", "--pages", "saved", "--week", "2026-W41"]);
    let outcome = run(command);
    assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
    let first = format!("the first: saved/b.json, record 2, id {:032x}: created_at is \"last", 2);
    assert!(outcome.stderr.contains(&first), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Tuesday") && !outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
}

#[test]
fn the_web_apps_export_is_read_without_a_key() {
    let row = |email: &str, name: Value, acus: f64, id: &str, pulls: Value| {
        json!({
            "user_name": name, "user_email": email, "session_name": null, "created_at": "2026-10-08T07:15:00+00:00",
            "acu_used": acus, "url": format!("https://app.devin.ai/sessions/{id}"), "org_id": "team-1",
            "org_name": "Team One", "pull_requests": pulls,
        })
    };
    let pull =
        |state: &str| json!([{"pr_url": "https://github.com/example/shop/pull/9", "pr_status": state}]);
    let saved = json!({
        "date_range": {"start": "2026-09-01T00:00:00+00:00", "end": "2026-10-12T00:00:00+00:00"},
        "sessions": [
            row("cleo@example.com", json!("Cleo Lang"), 2.25, "a1", pull("merged")),
            row("dan@example.com", Value::Null, 4.0, "a2", pull("open")),
            row("cleo@example.com", json!("Cleo Lang"), 0.25, "a3", json!([])),
        ],
    });
    let (text, stderr) = written(&saved.to_string());
    let facts = Facts(serde_json::from_str(&text).expect("JSON"));
    let whole = |metric| facts.value(metric, json!({})).clone();
    assert_eq!([whole("acus"), whole("sessions"), whole("active_users")], [json!(6.5), json!(3), json!(2)]);
    assert_eq!([whole("prs"), whole("prs_merged")], [json!(1), json!(1)]);
    assert_eq!(facts.value("acus", json!({"user": "cleo@example.com"})), 2.5);
    assert_eq!(facts.0["labels"]["user"]["cleo@example.com"], "Cleo Lang");
    assert!(stderr.contains("has no status, tags, analyses or automation"), "{stderr}");
    for absent in ["automation_sessions", "analysed_sessions", "issues", "acus_split"] {
        assert!(!text.contains(&format!("\"{absent}\"")), "{absent}");
    }
}

#[test]
fn an_account_without_acus_is_not_metered() {
    let pull = |id: u32| json!([{"pr_url": format!("https://github.com/example/shop/pull/{id}"), "pr_state": "merged"}]);
    let records: Vec<Value> =
        (1..25).map(|id| session(id, json!({"acus_consumed": 0.0, "pull_requests": pull(id)}))).collect();
    let (facts, _) = facts(&records, false);
    assert_eq!(facts.0["source"]["metered"], false);
    for metric in ["acus", "acus_per_session_median", "acus_per_merged_pr", "acus_without_pr_share"] {
        assert_eq!(facts.value(metric, json!({})), &Value::Null, "{metric}");
    }
    assert_eq!(facts.value("prs_merged", json!({})), 24);
}

#[test]
fn problem_details_are_shown_with_the_missing_permission() {
    let forbidden = json!({"type": "about:blank", "title": "Not allowed", "status": 403, "detail": null});
    let invalid = json!({
        "type": "about:blank", "title": "Invalid request", "status": 422, "detail": null,
        "errors": [{"loc": ["query", "first"], "msg": "must be smaller", "type": "less_than"}],
    });
    let blocked = Value::from("blocked");
    for (status, body, code, words) in [
        (403, &blocked, 3, "answered with an HTML page (HTTP 403): \"Blocked by the gateway\""),
        (403, &blocked, 3, "not a login page, a proxy or a gateway"),
        (402, &json!({"message": "unpaid"}), 2, "(HTTP 402): \"unpaid\""),
        (402, &json!({}), 2, "hint: the plan or a payment"),
        (410, &json!({}), 2, "--api v3"),
        (404, &json!({"message": "nope"}), 2, "(HTTP 404): \"nope\""),
        (403, &forbidden, 3, "\"Not allowed\""),
        (403, &forbidden, 3, "needs the permission to view sessions of this organisation (ViewOrgSessions)"),
        (422, &invalid, 2, "\"Invalid request: query.first: must be smaller\""),
    ] {
        let page = "<html><head><title>Blocked by the gateway</title></head></html>";
        let body = if *body == blocked { page.to_owned() } else { body.to_string() };
        let url = serve(move |_| (status, "", body.clone()));
        let folder = tempfile::tempdir().expect("a folder");
        let command = &mut acumen(folder.path());
        command.env("DEVIN_API_KEY", SERVICE_CANARY).args(["report", "--base-url", &url, "--org", "org-1"]);
        let outcome = run(command.args(["--week", "2026-W41"]));
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{words}: {}", outcome.stderr);
    }
}

#[test]
fn automation_and_limits_are_counted_as_version_3_tells_them() {
    let details =
        ["user_usage_limit_exceeded", "contract_expired", "inactivity", "waiting_for_user", "error"];
    let origins = ["webapp", "slack", "scheduled", "code_scan", "automation"];
    let session = |id: u32| {
        let place = id as usize - 1;
        let fields = json!({
            "created_at": 1_791_281_472, "updated_at": 1_791_285_072, "user_id": format!("email|{id}"),
            "status": if id == 5 { "creating" } else { "suspended" }, "origin": origins[place],
            "status_detail": details[place],
        });
        session(id, fields)
    };
    let (facts, _) = facts(&(1..=5).map(session).collect::<Vec<_>>(), true);
    let value = |metric: &str| facts.value(metric, json!({})).clone();
    assert_eq!(value("sessions_stopped_by_limit"), 2);
    assert_eq!((value("active_users"), value("automation_sessions")), (json!(2), json!(3)));
    assert_eq!(facts.0["quality"]["unknown_status"], 0);
}

#[test]
fn non_numeric_acus_are_reported_from_ten_percent() {
    let output = |odd: u32, of: u32| {
        let acus = |id| if id <= odd { json!("4,25") } else { json!(4.25) };
        let sessions: Vec<Value> = (1..=of)
            .map(|id| session(id, json!({"created_at": "2026-10-06T10:00:00Z", "acus_consumed": acus(id)})))
            .collect();
        let (facts, stderr) = facts(&sessions, false);
        assert_eq!(facts.0["quality"]["acus_unknown"], odd);
        stderr
    };
    let half = output(3, 6);
    assert!(half.contains("3 of 6 sessions have no ACUs, or no numeric value"), "{half}");
    assert!(!output(1, 11).contains("have no ACUs"), "below ten percent");
    assert!(!output(3, 3).contains("have no ACUs"), "the page says that none does");
}
