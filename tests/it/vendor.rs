//! The vendor's own totals: beside ours on the page, never corrected, nowhere
//! else, and never a reason to fail.

use acumen::simulator::{Options, Organisation, Recipe};
use serde_json::json;

use crate::support::{Report, Served, acumen, run, serve};

const WEEK: [&str; 2] = ["--week", "2026-W41"];

/// Eight weeks of a small organisation, up to and with week 41 of 2026.
fn served(options: Options) -> Served {
    Served::new(Organisation::invent(&Recipe { sessions: 300, ..Recipe::demo() }), options)
}

/// The quality block of a page.
fn quality(report: &Report) -> &str {
    let after = report.html.split_once("Quality of the data").expect("a quality block").1;
    after.split_once("</section>").expect("its end").0
}

fn entry(name: &str, ours: u64, theirs: u64) -> String {
    format!(
        "<dt>{name} by the vendor&#x27;s count</dt><dd>we\u{a0}count\u{a0}{ours}, the\u{a0}vendor\u{a0}{theirs}</dd>"
    )
}

/// An API with one session and these counts; it answers with a status of its own where they are asked for.
fn counting(status: u16, counts: serde_json::Value) -> String {
    let session = json!({"session_id": "s1", "created_at": "2026-10-07T08:00:00Z"});
    let page = json!({"items": [session], "total": 1, "has_more": false}).to_string();
    serve(move |head| match head.contains("/metrics/usage") {
        true => (status, "", counts.to_string()),
        false => (200, "", page.clone()),
    })
}

#[test]
fn both_counts_stand_side_by_side_in_either_generation_and_scope() {
    let served = served(Options::default());
    // How many lists of people and organisations are asked for besides.
    let cases = [("apk_user_x", true, 2), ("apk_user_x", false, 2), ("cog_x", true, 4), ("cog_x", false, 4)];
    for (key, org, lists) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut command = acumen(folder.path());
        command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--out", "."]);
        let org: &[&str] = if org { &["--org", "org_demo"] } else { &[] };
        let before = served.simulator.requests();
        let outcome = run(command.args(WEEK).args(org));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let asked = served.simulator.requests() - before;
        let read = |line: Option<&str>| std::fs::read_to_string(folder.path().join(line.unwrap())).unwrap();
        let html = read(outcome.stdout.lines().next());
        let json = read(outcome.stdout.lines().nth(1));
        let report = Report { folder, html, json, stderr: outcome.stderr };
        let facts = report.facts();
        let ours = |metric: &str| facts.value(metric, json!({})).as_u64().unwrap();
        for (name, metric) in [("Sessions", "sessions"), ("PRs", "prs"), ("Merged PRs", "prs_merged")] {
            let count = ours(metric);
            assert!(count > 0 && quality(&report).contains(&entry(name, count, count)), "{key}: {name}");
        }
        assert!(quality(&report).contains("seldom match exactly"));
        assert_eq!(
            facts.0["source"]["requests"].as_u64(),
            Some(asked - 1 - lists),
            "the ledger is the walk's"
        );
        assert!(!report.json.contains("vendor"));
    }
}

#[test]
fn another_count_corrects_nothing() {
    let url = counting(200, json!({"sessions_count": 1290, "prs_opened": 4, "prs_merged": 3}));
    let report = Report::new(&url, &WEEK);
    assert!(quality(&report).contains(&entry("Sessions", 1, 1290).replace("1290", "1,290")));
    assert!(quality(&report).contains(&entry("PRs", 0, 4)));
    assert!(quality(&report).contains(&entry("Merged PRs", 0, 3)));
    assert_eq!(*report.facts().value("sessions", json!({})), 1);
    assert!(report.html.contains("<span class=\"badge good\">complete</span>"));
}

#[test]
fn a_refusal_is_a_note() {
    let told = |report: &Report, why: &str| {
        let quality = quality(report);
        let note = format!("totals could not be read: {why}.");
        assert!(quality.contains(&note), "{why}: {quality}");
        assert!(!quality.contains("count</dt>"), "{quality}");
    };
    let refused = served(Options { may_see_usage: false, ..Options::default() });
    told(&refused.report(&WEEK), "the key lacks the right");
    for (status, why) in [
        (401, "the key was refused"),
        (404, "the server does not have them"),
        (500, "no answer came in time"),
        (200, "the server&#x27;s answer cannot be read"),
    ] {
        told(&Report::new(&counting(status, json!({})), &WEEK), why);
    }
}

#[test]
fn nobody_asks_about_a_part_or_against_a_wish() {
    let served = served(Options::default());
    for flags in
        [&["--no-reconcile"][..], &["--tag", "team:payments"], &["--user", "nobody", "--allow-empty"]]
    {
        let before = served.simulator.requests();
        let report = served.report(&[&WEEK[..], flags].concat());
        assert!(!quality(&report).contains("vendor"), "{flags:?}");
        let asked = served.simulator.requests() - before;
        // Members and organisations are asked for all the same.
        assert_eq!(report.facts().0["source"]["requests"].as_u64(), Some(asked - 2), "{flags:?}");
    }
}
