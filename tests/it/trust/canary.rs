//! The key is in no byte of what a run says or writes, whatever goes wrong. Every
//! run of these tests is looked through by `support::run`; here the real program
//! meets every fault, in both generations, with all that it can log as text and as JSON.

use devin_simulator::{Fault, Options, Organisation, Recipe, fault_names};

use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, run, serve, slow_tests};

#[test]
fn no_fault_brings_the_key_to_light() {
    let names = fault_names();
    // A body that stalls is waited for half a minute: `killed` ends such runs by a signal.
    let names: Vec<&str> = names.split(", ").filter(|name| *name != "stall").collect();
    assert!(names.len() > 14);
    let meet = |name: &str, key: &str, format: &str| {
        // Every third time, so that most runs come to a report and all to the fault.
        let fault: Fault = format!("{name}=3").parse().or_else(|_| name.parse()).unwrap();
        let organisation = Organisation::invent(&Recipe { sessions: 120, ..Recipe::demo() });
        let served = Served::new(organisation, Options { faults: vec![fault], ..Options::default() });
        let folder = tempfile::tempdir().unwrap();
        let flags = ["--week", "2026-W41", "--trend", "1", "--page-size", "10", "--out", "."];
        let outcome = run(acumen(folder.path())
            .env("DEVIN_API_KEY", key)
            .args(["report", "--base-url", &served.url(), "--org", "org_demo"])
            .args(["-vv", "--log-format", format])
            .args(flags));
        assert!(outcome.stderr.contains("/sessions/insights"), "no request is logged: {}", outcome.stderr);
        let codes = [0, 2, 4, 5, 65, 75].map(Some);
        assert!(codes.contains(&outcome.code), "{name}: {:?}\n{}", outcome.code, outcome.stderr);
        assert!(served.simulator.requests() > 0);
    };
    std::thread::scope(|scope| {
        for names in names.chunks(names.len().div_ceil(4)) {
            scope.spawn(move || {
                for (number, name) in names.iter().enumerate() {
                    // Otherwise each fault meets one of the keys.
                    if slow_tests() || number % 2 == 0 {
                        meet(name, CANARY, "text");
                    }
                    if slow_tests() || number % 2 == 1 {
                        meet(name, SERVICE_CANARY, "json");
                    }
                }
            });
        }
    });
}

/// A server may take our words and put them anywhere in its own.
#[test]
fn a_server_that_repeats_the_key_in_a_page_does_not_get_it_shown() {
    let meet = |key: &str, signal: &str| {
        for body in [
            format!(r#"{{"items": [{{}}], "{signal}": true, "end_cursor": "KEY", "total": 3}}"#),
            format!(r#"{{"items": "KEY", "{signal}": "KEY", "end_cursor": "KEY", "total": "KEY"}}"#),
            r#"{"KEY": "#.to_owned(),
            "KEY".to_owned(),
        ] {
            let body = body.replace("KEY", key);
            let url = serve(move |_| (200, "", body.clone()));
            let folder = tempfile::tempdir().unwrap();
            let command = &mut acumen(folder.path());
            let outcome = run(command.env("DEVIN_API_KEY", key).args(["report", "-vv", "--base-url", &url]));
            assert!([Some(5), Some(65)].contains(&outcome.code), "{}", outcome.stderr);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| meet(CANARY, "has_more"));
        scope.spawn(|| meet(SERVICE_CANARY, "has_next_page"));
    });
}

/// Whatever a record says is in the page and its facts, but for the key.
#[test]
fn a_server_that_repeats_the_key_in_its_records_does_not_get_it_shown() {
    let meet = |key: &str, rest: &str| {
        let escaped = key.replace("_", "\\u005f").replace('c', "\\u0063");
        for echo in [key, &escaped] {
            let record = |number: u32| {
                format!(
                    r#"{{"session_id": "s{number}KEY", "url": "https://h.example/KEY", "org_id": "KEY",
                    "title": "say KEY twice: KEY", "tags": ["KEY", "a KEY"], "user_id": "KEY",
                    "service_user_id": "KEY", "status": "KEY", "status_detail": "KEY", "origin": "KEY",
                    "category": "KEY", "subcategory": "KEY", "session_size": "KEY", "acus_consumed": 3,
                    "created_at": "2026-10-0{number}T08:00:00Z", "updated_at": "2026-10-0{number}T09:00:00Z",
                    "pull_requests": [{{"pr_url": "https://h.example/KEY/r/pull/1", "pr_state": "KEY"}}],
                    "ANALYSIS": {{
                        "issues": [{{"issue": "KEY", "impact": "KEY", "label": "KEY"}}],
                        "action_items": [{{"action_item": "KEY", "type": "KEY"}}],
                        "timeline": [{{"title": "KEY", "description": "KEY"}}]
                    }}}}"#
                )
            };
            let records = [6, 7, 8].map(record).join(",").replace("ANALYSIS", rest);
            let body =
                format!(r#"{{"items": [{records}], "has_more": false, "has_next_page": false, "total": 3}}"#);
            let body = body.replace("KEY", echo);
            let url = serve(move |_| (200, "", body.clone()));
            let folder = tempfile::tempdir().unwrap();
            let flags =
                ["report", "-vv", "--base-url", &url, "--week", "2026-W41", "--trend", "1", "--out", "."];
            let outcome = run(acumen(folder.path()).env("DEVIN_API_KEY", key).args(flags));
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            let output = |end: &str| {
                std::fs::read_to_string(folder.path().join(format!("enterprise_2026-W41.{end}"))).unwrap()
            };
            assert!(output("html").contains("say [redacted] twice: [redacted]"), "the title is not shown");
            assert!(output("json").contains("a [redacted]"), "the tag is not shown");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| meet(CANARY, "session_analysis"));
        scope.spawn(|| meet(SERVICE_CANARY, "analysis"));
    });
}
