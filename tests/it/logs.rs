//! What `-v` and `--log-format json` write to standard error.

use devin_simulator::{Fault, Options, Organisation, Recipe};
use serde_json::Value;

use crate::support::{Outcome, Served, acumen, run};

const WEEK: [&str; 4] = ["--week", "2026-W41", "--trend", "1"];

/// A small organisation whose server is busy for every third request.
fn served() -> Served {
    let organisation = Organisation::invent(&Recipe { sessions: 60, ..Recipe::demo() });
    let faults = vec!["503=3".parse::<Fault>().unwrap()];
    Served::new(organisation, Options { faults, ..Options::default() })
}

fn report(served: &Served, flags: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let own = [
        "report",
        "--base-url",
        &served.url(),
        "--org",
        "org_demo",
        "--page-size",
        "5",
        "--concurrency",
        "1",
        "--out",
        ".",
    ];
    run(acumen(folder.path()).args(own).args(WEEK).args(flags))
}

/// The lines of standard error, each a JSON object with a time, a level and a message.
fn objects(stderr: &str) -> Vec<Value> {
    let read = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for field in ["timestamp", "level", "message"] {
            assert!(object[field].is_string(), "no {field}: {line}");
        }
        object
    };
    stderr.lines().map(read).collect()
}

fn with_message<'o>(objects: &'o [Value], message: &str) -> Vec<&'o Value> {
    objects.iter().filter(|object| object["message"].as_str().unwrap().starts_with(message)).collect()
}

#[test]
fn each_v_adds_events_and_none_has_a_query() {
    let served = served();
    let [plain, stages, all] = [&[][..], &["-v"], &["-vv"]].map(|flags| report(&served, flags).stderr);
    assert!(!plain.contains("INFO") && !plain.contains("DEBUG"), "{plain}");
    for event in ["stage done stage=\"metrics\" seconds=", "sessions loaded requests="] {
        assert!(stages.contains(event), "{stages}");
    }
    assert!(stages.contains(" unique=17 ") && !stages.contains("DEBUG"), "{stages}");
    for event in [
        "request path=\"/v2/enterprise/organizations/org_demo/sessions/insights\" status=200 attempt=1 seconds=",
        "status=503 attempt=1 ",
        "status=200 attempt=2 ",
        "page pages=1 sessions=5 total=",
    ] {
        assert!(all.contains(event), "{event}: {all}");
    }
    assert!(!all.contains("skip=") && !all.contains("created_date_from"), "{all}");
}

#[test]
fn in_json_every_line_is_an_object_with_the_message_of_the_text() {
    // Each of a server of its own, so that both meet the same faults.
    let text = report(&served(), &[]);
    let served = served();
    let json = report(&served, &["--log-format", "json"]);
    assert_eq!((json.code, json.stdout), (text.code, text.stdout));
    let objects = objects(&json.stderr);
    assert_eq!(objects.len(), text.stderr.lines().count(), "{}", json.stderr);
    assert!(objects.iter().all(|object| object["level"] == "INFO"), "{}", json.stderr);
    assert_eq!(with_message(&objects, "asking 127.0.0.1").len(), 1, "{}", json.stderr);
    assert!(!with_message(&objects, "attempt 1 failed (HTTP 503").is_empty(), "{}", json.stderr);
    let quiet = report(&served, &["--log-format", "json", "--quiet"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    let more = self::objects(&report(&served, &["--log-format=JSON", "-vv"]).stderr);
    let requests = with_message(&more, "request");
    assert!(requests.len() > 3 && requests.iter().all(|request| request["attempt"].is_u64()), "{more:?}");
    assert!(requests.iter().any(|request| request["status"] == 503), "{more:?}");
}

#[test]
fn in_json_an_error_is_one_object_with_its_hint() {
    let served = served();
    let error = |flags: &[&str]| {
        let outcome = report(&served, &[&["--log-format", "json"], flags].concat());
        let mut objects = objects(&outcome.stderr);
        let error = objects.pop().expect("an error");
        assert_eq!(error["level"], "ERROR", "{error}");
        assert!(!error["hint"].as_str().expect("a hint").is_empty(), "{error}");
        (outcome.code, error)
    };
    let (code, zone) = error(&["--tz", "Nowhere"]);
    assert_eq!(code, Some(2));
    assert!(zone["message"].as_str().unwrap().starts_with("--tz: unknown time zone"), "{zone}");
    assert!(zone["kept"].as_str().unwrap().starts_with("nothing written"), "{zone}");
    // One that the command line has, before its settings are read.
    let (code, usage) = error(&["--weak", "2026-W41"]);
    assert_eq!(code, Some(2));
    assert!(usage["message"].as_str().unwrap().contains("--weak"), "{usage}");
    let folder = tempfile::tempdir().unwrap();
    let command = &mut acumen(folder.path());
    let none = run(command.env("ACUMEN_LOG_FORMAT", "json"));
    assert_eq!((none.code, objects(&none.stderr).len()), (Some(2), 1), "{}", none.stderr);
}

#[test]
fn the_environment_says_it_as_well_and_a_blank_name_says_nothing() {
    let logged = |verbose: &str, format: &str| {
        let folder = tempfile::tempdir().unwrap();
        let command = &mut acumen(folder.path());
        let outcome =
            run(command.env("ACUMEN_VERBOSE", verbose).env("ACUMEN_LOG_FORMAT", format).arg("demo"));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stderr
    };
    assert!(!logged("", "").contains("INFO"));
    assert!(logged("1", "").contains("INFO") && logged("2", "text").contains("DEBUG"));
    assert!(objects(&logged("0", "json")).iter().all(|object| object["target"] == "message"));
}

#[test]
fn the_steps_of_an_archive_are_logged() {
    let served = served();
    let folder = tempfile::tempdir().unwrap();
    let sync = ["sync", "--base-url", &served.url(), "--org", "org_demo", "--since", "2026-08-01", "-v"];
    let outcome = run(acumen(folder.path()).args(sync).args(["--log-format", "json"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let objects = objects(&outcome.stderr);
    let steps = with_message(&objects, "archive step written");
    let sessions: u64 = steps.iter().map(|step| step["sessions"].as_u64().unwrap()).sum();
    assert!(steps.len() > 1 && sessions >= 60, "{}", outcome.stderr);
}
