//! Exports of the web app that do not reach the period, and odd ones.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use chrono_tz::UTC;
use serde_json::{Value, json};

use crate::exported::{WEEK_41, asked, flags, organisation, records, report, save, text};
use crate::oracle::Kind;
use crate::oracle::exported::written;
use crate::support::{Facts, Served, acumen, files, run};

fn row(id: usize, email: Value, day: &str) -> Value {
    json!({"user_email": email, "user_name": null, "acu_used": 2, "created_at": format!("{day}T09:00:00Z"),
           "url": format!("https://app.devin.ai/sessions/{id}"), "org_id": "org_1", "org_name": "One"})
}

fn export(rows: &[Value], start: &str, end: &str) -> Value {
    json!({"date_range": {"start": start, "end": end}, "sessions": rows})
}

fn facts(folder: &Path) -> Facts {
    Facts(serde_json::from_str(&text(folder, ".json")).expect("JSON"))
}

fn week_41() -> Vec<String> {
    flags(&asked(WEEK_41, UTC, 2))
}

#[test]
fn a_period_that_an_export_does_not_cover_is_incomplete_and_never_mailed() {
    let all = written(&records(&organisation(3)), "2026-09-01T00:00:00Z", "2026-10-09T00:00:00Z");
    let of = |week: u32| {
        let folder = tempfile::tempdir().expect("a folder");
        save(folder.path(), "export.json", &all.to_string());
        let outcome = report(folder.path(), &flags(&asked(Kind::Week { year: 2026, week }, UTC, 2)));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let facts = facts(folder.path());
        (folder, outcome.stderr, facts)
    };
    for week in [41, 43] {
        let (folder, stderr, facts) = of(week);
        assert_eq!(facts.0["source"]["completeness"], "incomplete");
        assert_eq!(facts.fact("sessions", json!({}))["previous"], Value::Null);
        assert!(
            stderr.contains("incomplete: the web app's export does not cover all of its time"),
            "{stderr}"
        );
        assert!(
            stderr.contains("1 September 2026 to 8 October 2026; --week 2026-W40 is the last"),
            "{stderr}"
        );
        let page = text(folder.path(), ".html");
        assert!(page.contains(">incomplete</span>") && !page.contains("No session was created"));
        let name = files(&folder.path().join("out")).into_iter().find(|name| name.ends_with(".html"));
        let mut send = acumen(folder.path());
        send.args(["send", &format!("out/{}", name.expect("a page")), "--eml", "m.eml"]);
        let outcome = run(send.args(["--mail-from", "a@example.com", "--mail-to", "b@example.com"]));
        assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    }
    let (_folder, stderr, facts) = of(40);
    assert!(facts.0["source"]["completeness"] == "unproven" && !stderr.contains("incomplete"), "{stderr}");
}

#[test]
fn a_covered_report_needs_a_whole_period_and_five_people_who_are_known() {
    let of = |rows: &[Value], end: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        save(folder.path(), "export.json", &export(rows, "2026-09-28", end).to_string());
        let outcome = report(folder.path(), &[week_41(), vec!["--people=hidden".to_owned()]].concat());
        (outcome.code, outcome.stderr)
    };
    let people = |count: usize| -> Vec<Value> {
        (0..count).map(|id| row(id, json!(format!("p{id}@example.com")), "2026-10-06")).collect()
    };
    assert_eq!(of(&people(6), "2026-10-11").0, Some(0));
    let (code, stderr) = of(&people(6), "2026-10-10");
    assert!(code == Some(2) && stderr.contains("does not cover all of week 41"), "{stderr}");
    // What has no email may be automation.
    let mut unknown = people(1);
    unknown.extend((1..6).map(|id| row(id, Value::Null, "2026-10-06")));
    let (code, stderr) = of(&unknown, "2026-10-11");
    assert!(code == Some(2) && stderr.contains("fewer than five people"), "{stderr}");
}

#[test]
fn of_two_long_exports_the_later_counts_whatever_its_order() {
    let rows = |acus: f64| {
        let one = |id: usize| {
            json!({"user_email": "a@example.com", "acu_used": acus, "session_name": "x".repeat(100),
                   "created_at": "2026-10-06T09:00:00Z", "url": format!("https://app.devin.ai/sessions/{id}")})
        };
        let rows: Vec<Value> = (0..12_000).map(one).collect();
        json!(rows).to_string()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let range = |end: &str| format!("\"date_range\":{{\"start\":\"2026-09-01\",\"end\":\"{end}\"}}");
    save(folder.path(), "b.json", &format!("{{{},\"sessions\":{}}}", range("2026-10-12"), rows(1.0)));
    save(folder.path(), "a.json", &format!("{{\"sessions\":{},{}}}", rows(2.0), range("2026-10-20")));
    let outcome = report(folder.path(), &week_41());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(facts(folder.path()).value("acus", json!({})), 24_000.0);
}

#[test]
fn names_are_kept_ids_are_taken_and_one_organisation_is_not_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rows =
        vec![row(1, json!("ada@example.com"), "2026-10-06"), row(2, json!("ada@example.com"), "2026-10-07")];
    rows[0]["user_name"] = json!("Ada Lang");
    rows[1]["org_name"] = Value::Null;
    rows[1]["session_id"] = json!("own");
    save(folder.path(), "export.json", &export(&rows, "2026-09-01", "2026-10-20").to_string());
    let outcome = report(folder.path(), &week_41());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let found = facts(folder.path());
    assert_eq!(found.value("acus", json!({"user": "ada@example.com"})), 4.0);
    assert_eq!(found.0["labels"], json!({"org": {"org_1": "One"}, "user": {"ada@example.com": "Ada Lang"}}));
    assert!(text(folder.path(), ".html").contains("<h1>One</h1>"));
    // The name of the other organisation is unknown.
    rows[1]["org_id"] = json!("org_2");
    save(folder.path(), "export.json", &export(&rows, "2026-09-01", "2026-10-20").to_string());
    assert_eq!(report(folder.path(), &week_41()).code, Some(0));
    assert!(text(folder.path(), ".html").contains("<h1>Whole enterprise</h1>"));
}

#[test]
fn an_email_is_found_on_standard_input_in_any_case() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows =
        [row(1, json!("Ada@Example.com"), "2026-10-06"), row(2, json!("bo@example.com"), "2026-10-06")];
    let mut command = acumen(folder.path());
    command.env_remove("DEVIN_API_KEY").args([
        "report",
        "--pages",
        "-",
        "--out",
        "out",
        "--user",
        "ADA@example.com",
    ]);
    command.args(week_41()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the program");
    let body = export(&rows, "2026-09-01", "2026-10-20").to_string();
    child.stdin.take().expect("a pipe").write_all(body.as_bytes()).expect("it is read");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert_eq!(facts(folder.path()).value("sessions", json!({})), 1);
}

/// Somebody whose first session is inside the trend was at rest before, which the
/// pages of a run prove.
#[test]
fn saved_pages_of_a_quiet_person_give_the_facts_of_the_run() {
    let organisation = organisation(5);
    let mut people: Vec<(String, String)> = Vec::new();
    for record in records(&organisation) {
        let (Some(user), Some(created)) = (record["user_id"].as_str(), record["created_at"].as_str()) else {
            continue;
        };
        match people.iter_mut().find(|(known, _)| known == user) {
            Some((_, first)) => *first = created.to_owned().min(first.clone()),
            None => people.push((user.to_owned(), created.to_owned())),
        }
    }
    let (latest, first) = people.into_iter().max_by_key(|(_, first)| first.clone()).expect("people");
    assert!(first.as_str() > "2026-08-24", "{first}");
    let served = Served::new(organisation, devin_simulator::Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    let options = [flags(&asked(WEEK_41, UTC, 7)), vec!["--user".to_owned(), latest]].concat();
    let mut command = acumen(folder.path());
    command.env("DEVIN_API_KEY", "apk_user_x").args([
        "report",
        "--base-url",
        &served.url(),
        "--out",
        "asked",
    ]);
    let outcome = run(command.args(["--save-pages", "saved"]).args(&options));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(report(folder.path(), &options).code, Some(0));
    let name = files(&folder.path().join("asked")).into_iter().find(|name| name.ends_with(".json"));
    let asked =
        std::fs::read_to_string(folder.path().join("asked").join(name.expect("facts"))).expect("a file");
    let asked: Value = serde_json::from_str(&asked).expect("JSON");
    assert_eq!(facts(folder.path()).0["facts"], asked["facts"]);
}

/// What the page says of arrays and lines, the mail says as well.
#[test]
fn a_mail_about_unproven_sessions_does_not_call_them_complete() {
    let folder = tempfile::tempdir().expect("a folder");
    save(folder.path(), "rows.json", &json!(records(&organisation(4))).to_string());
    let outcome = report(folder.path(), &week_41());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(facts(folder.path()).0["source"]["completeness"], "unproven");
    let name = files(&folder.path().join("out")).into_iter().find(|name| name.ends_with(".html"));
    let mut send = acumen(folder.path());
    send.args(["send", &format!("out/{}", name.expect("a page")), "--eml", "m.eml", "--mail-attach", "none"]);
    let outcome = run(send.args(["--mail-from", "a@example.com", "--mail-to", "b@example.com"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mail = std::fs::read_to_string(folder.path().join("m.eml")).expect("a message");
    assert!(mail.contains("as saved") && !mail.contains(", complete"), "{mail}");
}
