//! `acumen doctor`: a line for each thing, the first failure's exit code, and
//! nothing left behind.

use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, Utc};
use devin_simulator::{Fault, Options, Organisation, Recipe};
use serde_json::json;

use crate::support::{Outcome, Served, acumen, files, run, serve};

const NAMES: [&str; 15] = [
    "settings",
    "key",
    "API",
    "certificates",
    "proxy",
    "address",
    "access",
    "organisation",
    "sessions",
    "clock",
    "time window",
    "page size",
    "last week",
    "archived",
    "output",
];
const V2: &str = "apk_user_canary_7f3c91";
const V3: &str = "cog_canary_7f3c91";

/// The program decides by the real clock which week is over.
#[allow(clippy::disallowed_methods)]
fn served(options: Options) -> Served {
    let now: DateTime<Utc> = Utc::now();
    let first_day = now.date_naive() - chrono::Days::new(56);
    let recipe = Recipe { sessions: 900, first_day, days: 57, ..Recipe::demo() };
    Served::new(Organisation::invent(&recipe), options)
}

fn faulty(fault: &str) -> Served {
    served(Options { faults: vec![fault.parse::<Fault>().unwrap()], ..Options::default() })
}

/// What the doctor says, in a folder in which nothing may be left.
fn doctor(url: &str, key: &str, flags: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let mut command = acumen(folder.path());
    command.env("DEVIN_API_KEY", key).args(["doctor", "--base-url", url]).args(flags);
    let begun = Instant::now();
    let outcome = run(&mut command);
    assert!(begun.elapsed() < Duration::from_secs(60), "too patient");
    assert_eq!(files(folder.path()), [""; 0], "nothing is left behind");
    assert!(!outcome.stdout.contains("canary"), "{}", outcome.stdout);
    let names = outcome.stdout.lines().filter(|line| !line.starts_with(' ')).map(|line| {
        let rest = line.split_once(' ').unwrap().1.trim_start();
        rest.split_once(": ").unwrap().0
    });
    assert_eq!(names.collect::<Vec<_>>(), NAMES, "{}", outcome.stdout);
    outcome
}

/// The words that begin the lines, from `address` on, without `output`.
fn words(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.stdout.lines().filter(|line| !line.starts_with(' '));
    lines.skip(5).take(8).map(|line| line.split(' ').next().unwrap()).collect()
}

/// A line by its name, with what it says.
fn line<'o>(outcome: &'o Outcome, name: &str) -> &'o str {
    let named = format!(" {name}: ");
    let mut lines = outcome.stdout.lines();
    lines.find(|line| line.contains(&named) && !line.starts_with(' ')).unwrap()
}

/// The hint under a line.
fn hint<'o>(outcome: &'o Outcome, name: &str) -> &'o str {
    let mut lines = outcome.stdout.lines().skip_while(|other| *other != line(outcome, name));
    lines.nth(1).and_then(|line| line.trim_start().strip_prefix("hint: ")).expect("a hint")
}

#[test]
#[allow(clippy::disallowed_methods)]
fn a_healthy_server_is_ok_throughout_in_either_generation() {
    let served = served(Options::default());
    for (key, api, kind) in [
        (V2, "v2", "a personal key (apk_…)"),
        (V3, "v3", "a service user's key or a personal access token (cog_…)"),
    ] {
        for org in [&["--org", "org_demo"][..], &[]] {
            let outcome = doctor(&served.url(), key, org);
            assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{}", outcome.stdout);
            assert!(outcome.stdout.lines().all(|line| line.starts_with("ok ")), "{}", outcome.stdout);
            assert!(line(&outcome, "key").contains(&format!("{kind}, from DEVIN_API_KEY")));
            assert!(line(&outcome, "API").contains(&format!("{api}, by the key's prefix")));
            assert!(line(&outcome, "output").contains("reports does not exist and can be created"));
            let is_whose = line(&outcome, "access")
                .contains("a service user's key, “Weekly report”, for the whole enterprise");
            assert_eq!(is_whose, api == "v3", "{}", outcome.stdout);
        }
    }
    let outcome = doctor(&served.url(), "cog_pat_x", &[]);
    let token = "a personal access token (has the permissions of its owner)";
    assert!(line(&outcome, "access").contains(token), "{}", outcome.stdout);
    // What it counts is what a report counts.
    let report = served.report(&["--org", "org_demo"]);
    let count = |metric: &str| report.facts().value(metric, json!({})).as_u64().unwrap();
    let (sessions, analysed) = (count("sessions"), count("analysed_sessions"));
    let outcome = doctor(&served.url(), V3, &["--org", "org_demo"]);
    let week = (Utc::now() - chrono::Days::new(7)).iso_week().week();
    let printed = format!("{sessions} sessions, {analysed} with an analysis");
    assert!(line(&outcome, "last week").contains(&printed), "{printed}: {}", outcome.stdout);
    assert!(line(&outcome, "last week").contains(&format!("week {week} (")), "{}", outcome.stdout);
}

#[test]
fn archived_sessions_that_are_not_listed_are_counted_and_reported() {
    let (lists, hides) = (served(Options::default()), faulty("hidearchived"));
    let [listed, hidden] = [&lists, &hides].map(|served| doctor(&served.url(), V3, &["--page-size", "50"]));
    assert_eq!(line(&listed, "last week"), line(&hidden, "last week"));
    assert!(line(&listed, "archived").contains(": listed, "), "{}", listed.stdout);
    assert!(line(&hidden, "archived").contains(": not listed, "), "{}", hidden.stdout);
    let counts = |outcome: &Outcome| line(outcome, "archived").split("listed, ").nth(1).map(str::to_owned);
    assert!(counts(&hidden).is_some_and(|text| text.starts_with(&counts(&listed).unwrap())));
}

#[test]
fn a_wrong_key_is_exit_3() {
    let served = served(Options { key: Some("other".to_owned()), ..Options::default() });
    for key in [V2, V3] {
        let before = served.simulator.requests();
        let outcome = doctor(&served.url(), key, &["--org", "org_demo"]);
        assert_eq!(outcome.code, Some(3), "{}", outcome.stdout);
        let skipped = "skipped";
        assert_eq!(words(&outcome), ["ok", "FAILED", skipped, skipped, "ok", skipped, skipped, skipped]);
        assert!(hint(&outcome, "access").contains("DEVIN_API_KEY"));
        assert_eq!(served.simulator.requests() - before, 1, "a refusal is not asked again");
    }
    // A key of one generation, and the other one asked for.
    let outcome = doctor(&served.url(), V3, &["--api", "v2"]);
    assert!(line(&outcome, "API").starts_with("note") && line(&outcome, "API").contains("personal keys"));
    assert_eq!(outcome.code, Some(3));
}

#[test]
fn a_wrong_organisation_is_exit_2() {
    let served = served(Options::default());
    for key in [V2, V3] {
        let outcome = doctor(&served.url(), key, &["--org", "org_nobody"]);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stdout);
        let skipped = "skipped";
        assert_eq!(words(&outcome), ["ok", "ok", "FAILED", skipped, "ok", skipped, skipped, skipped]);
        assert!(hint(&outcome, "organisation").contains("org_nobody"));
    }
}

#[test]
fn a_key_without_permission_is_exit_3_with_the_missing_permission() {
    for (key, needs) in
        [(V2, "personal key of an enterprise administrator"), (V3, "permission to view sessions")]
    {
        let url = serve(|head| match head.starts_with("GET /v3/self") {
            true => {
                (200, "", json!({"principal_type": "service_user", "service_user_name": "CI"}).to_string())
            }
            false => (403, "", json!({"detail": "Insufficient permissions"}).to_string()),
        });
        let outcome = doctor(&url, key, &["--org", "org_demo"]);
        assert_eq!(outcome.code, Some(3), "{}", outcome.stdout);
        assert_eq!(words(&outcome)[..4], ["ok", "ok", "skipped", "FAILED"]);
        assert!(hint(&outcome, "sessions").contains(needs), "{}", outcome.stdout);
        assert!(line(&outcome, "last week").starts_with("skipped"));
    }
}

#[test]
fn an_unreachable_server_is_exit_5_after_seconds() {
    // Bound but not listening, so that nobody else can answer there.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    for key in [V2, V3] {
        let begun = Instant::now();
        let outcome = doctor(&url, key, &["--quiet"]);
        assert!(begun.elapsed() < Duration::from_secs(15));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(5), ""), "{}", outcome.stdout);
        assert!(line(&outcome, "address").contains("2 attempt"), "{}", outcome.stdout);
        assert!(hint(&outcome, "address").contains("network"));
        let skipped = words(&outcome).iter().filter(|word| **word == "skipped").count();
        assert_eq!(skipped, 6, "{}", outcome.stdout);
        assert!(line(&outcome, "output").starts_with("ok"), "it needs no network");
    }
}

#[test]
fn a_window_that_is_ignored_is_exit_65() {
    let served = faulty("ignorefilter");
    for key in [V2, V3] {
        let outcome = doctor(&served.url(), key, &[]);
        assert_eq!(outcome.code, Some(65), "{}", outcome.stdout);
        assert_eq!(words(&outcome), ["ok", "ok", "ok", "ok", "ok", "FAILED", "ok", "skipped"]);
        assert!(hint(&outcome, "time window").contains("newer version"));
    }
}

#[test]
fn shorter_pages_are_a_note() {
    let served = faulty("clamp=9");
    for key in [V2, V3] {
        let outcome = doctor(&served.url(), key, &["--page-size", "50"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
        assert_eq!(words(&outcome), ["ok", "ok", "ok", "ok", "ok", "ok", "note", "ok"]);
        let page = line(&outcome, "page size");
        assert!(page.contains("requested 50 sessions, received 9 sessions"), "{page}");
    }
}

#[test]
fn an_empty_page_that_announces_more_is_reported() {
    let served = faulty("emptymore=1");
    for key in [V2, V3] {
        let outcome = doctor(&served.url(), key, &["--page-size", "50"]);
        let page = line(&outcome, "page size");
        assert!(page.contains("requested 50 sessions, received none, although"), "{page}");
        assert!(!outcome.stdout.contains("no data is lost"), "{}", outcome.stdout);
        assert!(line(&outcome, "time window").contains("empty pages"), "{}", outcome.stdout);
        assert_eq!(outcome.code, Some(65), "{}", outcome.stdout);
    }
}

/// The server is there and says whose the key is: only its list is out of order.
#[test]
fn a_list_that_fails_alone_is_no_fault_of_the_address() {
    let url = serve(|head| match head.starts_with("GET /v3/self") {
        true => (200, "", json!({"principal_type": "service_user", "service_user_name": "CI"}).to_string()),
        false => (503, "", "{}".to_owned()),
    });
    let outcome = doctor(&url, V3, &["--org", "org_demo"]);
    assert_eq!(outcome.code, Some(5), "{}", outcome.stdout);
    assert_eq!(words(&outcome)[..4], ["ok", "ok", "skipped", "FAILED"]);
    assert!(hint(&outcome, "sessions").contains("answers with HTTP 503"), "{}", outcome.stdout);
}

#[test]
fn another_clock_is_a_note_that_says_what_it_means() {
    for (date, word) in [
        ("Date: Mon, 12 Oct 2020 06:00:00 GMT\r\n", "ahead"),
        ("Date: Mon, 12 Oct 2099 06:00:00 GMT\r\n", "behind"),
    ] {
        let page = json!({"items": [], "total": 0, "has_more": false}).to_string();
        let url = serve(move |_| (200, date, page.clone()));
        let outcome = doctor(&url, V2, &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
        let clock = line(&outcome, "clock");
        assert!(clock.starts_with("note") && clock.contains(word), "{clock}");
        assert!(clock.contains("running period"), "{clock}");
    }
}

#[test]
fn wrong_settings_leave_the_rest_to_be_looked_at() {
    let served = served(Options::default());
    let bad_zone = doctor(&served.url(), V2, &["--tz", "berlin"]);
    assert_eq!(bad_zone.code, Some(2));
    assert!(hint(&bad_zone, "settings").contains("Europe/Berlin"));
    assert!(line(&bad_zone, "key").starts_with("ok"));
    for (key, flags, words) in
        [("", &[][..], "is empty"), (V2, &["--api-key-file", "missing"][..], "missing")]
    {
        let outcome = doctor(&served.url(), key, flags);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stdout);
        assert!(line(&outcome, "settings").starts_with("ok"));
        let found = line(&outcome, "key");
        assert!(found.starts_with("FAILED") && found.contains(words), "{found}");
        assert_eq!(words_of(&outcome, "skipped"), 10, "{}", outcome.stdout);
    }
    assert_eq!(served.simulator.requests(), 0, "nobody is asked");
    let outcome = doctor(&served.url(), V2, &["--out", "/dev/null/reports"]);
    assert_eq!(outcome.code, Some(74), "{}", outcome.stdout);
    assert!(hint(&outcome, "output").contains("--out"));
}

fn words_of(outcome: &Outcome, word: &str) -> usize {
    outcome.stdout.lines().filter(|line| line.starts_with(word)).count()
}

#[test]
fn saved_pages_need_no_key_and_no_server() {
    let page = tempfile::NamedTempFile::new().unwrap();
    let outcome = doctor("http://127.0.0.1:1", "", &["--pages", page.path().to_str().unwrap()]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("ok       key: not needed"), "{}", outcome.stdout);
    let outcome = doctor("http://127.0.0.1:1", "", &["--pages", "none.json"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("FAILED   sessions: could not read none.json"), "{}", outcome.stdout);
}
