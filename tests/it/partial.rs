//! A report is complete or says so: sessions that are missing, rows that cannot
//! be read, a period that is not over.

use serde_json::{Value, json};

use crate::support::{Facts, Report, Served, acumen, files, run, serve};

const WEEK: [&str; 4] = ["--week", "2026-W41", "--trend", "0"];

/// Sessions in week 41 of 2026, every second one with a merged pull request,
/// and as many in the week before.
fn sessions(count: usize) -> Vec<Value> {
    let session = |number: usize| {
        let day = if number < count { 5 + number % 7 } else { 1 + number % 4 };
        let prs = match number % 2 {
            0 => {
                json!([{"pr_url": format!("https://github.com/acme/a/pull/{number}"), "pr_state": "merged"}])
            }
            _ => json!([]),
        };
        json!({
            "session_id": format!("s{number}"), "org_id": "org_a", "user_id": format!("u{}", number % 3),
            "status": "exit", "acus_consumed": 1.5, "pull_requests": prs,
            "created_at": format!("2026-10-{day:02}T08:00:00Z"),
            "updated_at": format!("2026-10-{day:02}T09:00:00Z")
        })
    };
    (0..2 * count).map(session).collect()
}

/// All sessions on one page, by a server that counts another number.
fn miscounts(sessions: &[Value], total: usize) -> String {
    let page = json!({
        "items": sessions, "total": total, "skip": 0, "limit": 200, "has_more": false, "next_cursor": null
    });
    let body = page.to_string();
    serve(move |_| (200, "", body.clone()))
}

/// The part of the page that stands above the headline numbers.
fn first_screen(html: &str) -> &str {
    let (before, _) = html.split_once("<ul class=\"tiles\">").expect("tiles");
    before.split_once("<body>").expect("a body").1
}

#[test]
fn missing_sessions_leave_the_older_report_as_it_was() {
    let sessions = sessions(20);
    let older = Served::values(sessions.clone()).report(&WEEK);
    let url = miscounts(&sessions, 41);
    let report = ["report", "--base-url", &url, "--out", "."];
    let outcome = run(acumen(older.folder.path()).args(report).args(WEEK).arg("--quiet"));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(4), ""));
    assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("41") && outcome.stderr.contains("40"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--allow-partial"), "{}", outcome.stderr);
    assert_eq!(files(older.folder.path()), ["enterprise_2026-W41.html", "enterprise_2026-W41.json"]);
    let read = |end| std::fs::read_to_string(older.folder.path().join(format!("enterprise_2026-W41.{end}")));
    assert!(read("html").unwrap() == older.html && read("json").unwrap() == older.json);

    // Nothing stood there before: nothing stands there now.
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(acumen(folder.path()).args(report).args(WEEK));
    assert_eq!(outcome.code, Some(4));
    assert!(outcome.stderr.contains("walk 2") && outcome.stderr.contains("walk 3"), "{}", outcome.stderr);
    assert_eq!(files(folder.path()), [""; 0]);
}

#[test]
fn a_report_with_missing_sessions_says_so_first() {
    let sessions = sessions(20);
    for total in [39, 41] {
        let url = miscounts(&sessions, total);
        // A scheduled run that is told to be quiet says so all the same.
        let report = Report::new(&url, &[&WEEK[..], &["--allow-partial", "--quiet"]].concat());
        assert_eq!(report.stderr.lines().count(), 1, "{}", report.stderr);
        let warned: Vec<&str> = report.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        assert_eq!(warned.len(), 1, "{}", report.stderr);
        assert!(warned[0].starts_with("warning: this report is incomplete: 40 sessions"), "{warned:?}");
        let screen = first_screen(&report.html);
        assert!(screen.contains("<span class=\"badge bad\">incomplete</span>"), "{screen}");
        assert!(screen.contains("This report may be incomplete"), "{screen}");
        let source = &report.facts().0["source"];
        assert_eq!((&source["completeness"], &source["unique"]), (&json!("incomplete"), &json!(40)));
        assert_eq!(source["received"], 40, "of the last walk, not of all three");
    }
    let whole = Served::values(sessions).report(&[&WEEK[..], &["--allow-partial"]].concat());
    assert!(first_screen(&whole.html).contains("<span class=\"badge good\">complete</span>"));
    assert!(!whole.html.contains("This report may be incomplete"), "what is allowed need not be");
    assert_eq!(whole.facts().0["source"]["completeness"], "proven");
}

/// Asserts that nothing is compared with the period before.
fn compares_nothing(facts: &Facts) {
    let facts = facts.0["facts"].as_array().expect("facts");
    assert!(facts.len() > 100 && facts.iter().all(|fact| fact["previous"].is_null()));
}

#[test]
fn a_period_that_is_not_over_is_so_far_and_compared_with_nothing() {
    let served = Served::values(sessions(20));
    let report = served.report(&["--from", "2026-10-05", "--to", "2099-12-31", "--trend", "0"]);
    let facts = report.facts();
    assert_eq!(facts.0["period"]["complete"], false);
    assert_eq!(facts.0["period"]["label"], "2026-10-05_2099-12-31");
    assert_eq!(facts.0["source"]["completeness"], "proven", "all there is so far has come");
    assert_eq!(*facts.value("sessions", json!({})), json!(20));
    compares_nothing(&facts);
    let screen = first_screen(&report.html);
    assert!(screen.contains("<span class=\"badge neutral\">so far</span>"), "{screen}");
    assert!(report.html.contains("not over") && report.html.contains("not compared"));
    assert!(!report.html.contains(", better") && !report.html.contains(", worse"));

    // Once it is over, the same sessions are compared.
    let report = served.report(&WEEK);
    assert_eq!(report.facts().fact("sessions", json!({}))["previous"], 20);
    assert!(
        !first_screen(&report.html).contains("so far") && !report.html.contains("The period is not over")
    );
}

#[test]
fn a_period_that_has_not_begun_is_empty() {
    let report = Served::values(sessions(3)).report(&["--week", "2099-W10", "--trend", "0"]);
    let facts = report.facts();
    assert_eq!(facts.0["period"]["complete"], false);
    assert_eq!(*facts.value("sessions", json!({})), json!(0));
    assert!(first_screen(&report.html).contains("so far"));
}

/// Records that are no sessions: one without an id, one without a time.
fn broken() -> [Value; 2] {
    [
        json!({"org_id": "org_a", "created_at": "2026-10-07T08:00:00Z", "acus_consumed": 1000}),
        json!({"session_id": "x", "org_id": "org_a", "created_at": "soon", "acus_consumed": 1000}),
    ]
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_shown() {
    let mut all = sessions(150);
    all.extend(broken());
    let report = Served::values(all).report(&[&WEEK[..], &["--quiet"]].concat());
    assert_eq!(report.stderr, "warning: 2 records could not be read and are not in any number.\n");
    let facts = report.facts();
    let source = &facts.0["source"];
    assert_eq!((&source["rejected"], &source["completeness"]), (&json!(2), &json!("proven")));
    assert_eq!((&source["received"], &source["unique"]), (&json!(302), &json!(300)), "{source}");
    assert_eq!(*facts.value("acus", json!({})), json!(225), "they are in no number");
    assert!(first_screen(&report.html).contains("2 records could not be read"));
    let quality = report.html.split_once("Quality of the data").expect("a quality block").1;
    assert!(quality.contains("<dt>Records that could not be read</dt><dd>2</dd>"), "{quality}");
}

#[test]
fn too_many_rows_that_cannot_be_read_are_exit_65() {
    let mut all = sessions(40);
    all.extend(broken());
    let served = Served::values(all);
    let folder = tempfile::tempdir().unwrap();
    for flags in [&["--quiet"][..], &["--quiet", "--allow-partial"]] {
        let report = ["report", "--base-url", &served.url(), "--out", "."];
        let outcome = run(acumen(folder.path()).args(report).args(WEEK).args(flags));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(65), ""), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("2 of 82 sessions"), "{}", outcome.stderr);
    }
    assert_eq!(files(folder.path()), [""; 0]);
}

/// Few enough that the server did not ignore the question, too many to pass over.
#[test]
fn rows_outside_the_request_are_reported() {
    for (older, output) in [(4, ""), (6, "6 of 406 received records are outside")] {
        let mut all = sessions(200);
        all.extend((0..older).map(|number| {
            json!({"session_id": format!("old{number}"), "org_id": "org_a", "created_at": "2026-01-01T08:00:00Z"})
        }));
        let url = miscounts(&all, all.len());
        let report = Report::new(&url, &[&WEEK[..], &["--quiet"]].concat());
        let screen = first_screen(&report.html);
        assert_eq!(report.facts().0["source"]["outside"], older);
        assert_eq!(screen.contains("are outside the period"), !output.is_empty(), "{screen}");
        assert!(screen.contains(output), "{screen}");
        assert_eq!(report.stderr.lines().count(), usize::from(!output.is_empty()), "{}", report.stderr);
        assert!(report.stderr.contains(output), "{}", report.stderr);
    }
}

#[test]
fn a_server_that_ignores_the_window_is_exit_65() {
    let sessions = sessions(10);
    let url = miscounts(&sessions, 20);
    let folder = tempfile::tempdir().unwrap();
    let report = ["report", "--base-url", &url, "--quiet", "--week", "2025-W10"];
    let outcome = run(acumen(folder.path()).args(report));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(65), ""));
    assert!(outcome.stderr.contains("ignored the filter"), "{}", outcome.stderr);
    assert_eq!(files(&folder.path().join("reports")), [""; 0]);
}
