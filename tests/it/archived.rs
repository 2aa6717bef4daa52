//! Archived sessions of v3, over HTTP: a report has them whether the server lists
//! them or not; and how many requests are in flight at once, whatever they are about.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use devin_simulator::{Fault, Options, Organisation, Recipe};
use serde_json::Value;

use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, run, slow_tests, without_members};

fn organisation() -> Organisation {
    Organisation::invent(&Recipe { sessions: 700, ..Recipe::demo() })
}

fn served(fault: Option<&str>) -> Served {
    let faults = fault.into_iter().map(|name| name.parse::<Fault>().expect("a fault")).collect();
    Served::new(organisation(), Options { faults, max_page: 60, ..Options::default() })
}

const WEEK: [&str; 4] = ["--week", "2026-W41", "--trend", "5"];

/// The facts that a command writes, without what tells of the way there.
fn facts(command: &mut Command) -> Value {
    let out = tempfile::tempdir().expect("a folder");
    let outcome = run(command.env("DEVIN_API_KEY", SERVICE_CANARY).args(WEEK).arg("--out").arg(out.path()));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let path = outcome.stdout.lines().find(|line| line.ends_with(".json")).expect("facts");
    let text = std::fs::read_to_string(Path::new(path)).expect("facts");
    let mut facts: Value = serde_json::from_str(&without_members(&text)).expect("JSON");
    facts["generated_at"].take();
    // An archive alone knows when pull requests were decided.
    facts["facts"].as_array_mut().expect("facts").retain(|fact| fact["metric"] != "merged_within_7d_rate");
    for name in ["requests", "pages", "kind", "archive", "received", "unique"] {
        facts["source"].as_object_mut().expect("a source").remove(name);
    }
    facts
}

fn report(served: &Served, folder: &Path, flags: &[&str]) -> Value {
    facts(acumen(folder).args(["report", "--no-reconcile", "--base-url", &served.url()]).args(flags))
}

#[test]
fn a_report_has_archived_sessions_whether_they_are_listed_or_not() {
    let (lists, hides) = (served(None), served(Some("hidearchived")));
    let folder = tempfile::tempdir().expect("a folder");
    let expected = report(&lists, folder.path(), &[]);
    assert_eq!(expected["source"]["completeness"], "proven");
    for concurrency in ["1", "4"] {
        let pages = folder.path().join(concurrency);
        let pages = pages.to_str().expect("a path");
        let flags = ["--concurrency", concurrency, "--save-pages", pages];
        assert_eq!(report(&hides, folder.path(), &flags), expected, "{concurrency}");
        // Both walks were kept, and each proves itself.
        let mut again = facts(acumen(folder.path()).args(["report", "--pages", pages]));
        let mut plain = expected.clone();
        for facts in [&mut again, &mut plain] {
            facts["names"].take();
            facts["source"].take();
            facts["organisations"].take();
        }
        assert_eq!(again["facts"], plain["facts"], "{concurrency}");
        assert_eq!(again["quality"], plain["quality"], "{concurrency}");
    }
}

#[test]
fn an_archive_has_archived_sessions_too() {
    let hides = served(Some("hidearchived"));
    let lists = served(None);
    let folder = tempfile::tempdir().expect("a folder");
    let expected = report(&lists, folder.path(), &[]);
    // A second sync asks for news, and for some sessions by their ids.
    for _ in 0..2 {
        let mut sync = acumen(folder.path());
        sync.env("DEVIN_API_KEY", SERVICE_CANARY).args(["sync", "--base-url", &hides.url()]);
        let outcome = run(sync.args(["--since", "2026-08-01"]));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("no longer"), "{}", outcome.stderr);
        let read = facts(acumen(folder.path()).args(["report", "--archive", "archive"]));
        assert_eq!(read["facts"], expected["facts"]);
    }
}

#[test]
fn no_more_requests_are_in_flight_than_the_user_allows() {
    for key in [CANARY, SERVICE_CANARY] {
        // Where archived sessions are not listed, v3 is walked through twice.
        for fault in if key == CANARY { &[None][..] } else { &[None, Some("hidearchived")] } {
            let all = ["1", "4", "2"];
            for concurrency in &all[..if slow_tests() { 3 } else { 2 }] {
                let faults =
                    fault.iter().map(|name: &&str| name.parse::<Fault>().expect("a fault")).collect();
                let latency = Duration::from_millis(15);
                let options = Options { faults, latency, max_page: 40, ..Options::default() };
                let served = Served::new(organisation(), options);
                let most = concurrency.parse::<usize>().expect("a number");
                let folder = tempfile::tempdir().expect("a folder");
                let ask = |words: &[&str]| {
                    let mut command = acumen(folder.path());
                    command.env("DEVIN_API_KEY", key).args(words);
                    command.args(["--base-url", &served.url(), "--concurrency", concurrency]);
                    let outcome = run(&mut command);
                    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
                };
                ask(&["report", "--week", "2026-W41", "--trend", "5"]);
                ask(&["sync", "--since", "2026-08-01"]);
                ask(&["doctor"]);
                assert_eq!(served.simulator.most_in_flight(), most, "{key} {fault:?}");
            }
        }
    }
}
