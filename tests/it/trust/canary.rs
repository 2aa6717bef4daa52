//! The key is in no byte of what a run says or writes, whatever goes wrong. Every
//! run of these tests is looked through by `support::run`; here the real program
//! meets every fault, in both generations, with logs and backtraces switched on.

use acumen::simulator::{Fault, Options, Organisation, Recipe, fault_names};

use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, run, serve};

#[test]
fn no_fault_brings_the_key_to_light() {
    let names = fault_names();
    // A body that stalls is waited for half a minute: `killed` ends such runs by a signal.
    let names: Vec<&str> = names.split(", ").filter(|name| *name != "stall").collect();
    assert!(names.len() > 14);
    let meet = |name: &str, key: &str| {
        // Every third time, so that most runs come to a report and all to the fault.
        let fault: Fault = format!("{name}=3").parse().or_else(|_| name.parse()).unwrap();
        let organisation = Organisation::invent(&Recipe { sessions: 120, ..Recipe::demo() });
        let served = Served::new(organisation, Options { faults: vec![fault], ..Options::default() });
        let folder = tempfile::tempdir().unwrap();
        let flags = ["--week", "2026-W41", "--trend", "1", "--page-size", "10", "--out", "."];
        let outcome = run(acumen(folder.path())
            .env("DEVIN_API_KEY", key)
            .args(["report", "--base-url", &served.url(), "--org", "org_demo"])
            .args(flags));
        let codes = [0, 2, 4, 5, 65, 75].map(Some);
        assert!(codes.contains(&outcome.code), "{name}: {:?}\n{}", outcome.code, outcome.stderr);
        assert!(served.simulator.requests() > 0);
    };
    std::thread::scope(|scope| {
        for names in names.chunks(names.len().div_ceil(4)) {
            scope.spawn(move || {
                for name in names {
                    meet(name, CANARY);
                    meet(name, SERVICE_CANARY);
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
            let outcome = run(command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &url]));
            assert!([Some(5), Some(65)].contains(&outcome.code), "{}", outcome.stderr);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| meet(CANARY, "has_more"));
        scope.spawn(|| meet(SERVICE_CANARY, "has_next_page"));
    });
}
