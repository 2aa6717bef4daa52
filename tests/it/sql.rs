//! The SQL of `deploy/sql`, run by DuckDB over an archive, gives the facts of a
//! report from it. Spark runs the same text, but is too heavy for a test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::export::readers;
use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, files, repository, run};

/// Archives what is served, and gives the facts of a report from there.
pub fn archived(served: &Served, key: &str, folder: &Path, flags: &[&str]) -> PathBuf {
    let command = &mut acumen(folder);
    command.env("DEVIN_API_KEY", key).args(["sync", "--since", "2026-08-01", "--org", "org_demo"]);
    let outcome = run(command.args(["--archive", "archive", "--base-url", &served.url()]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let command = &mut acumen(folder);
    command.args(["report", "--archive", "archive", "--org", "org_demo", "--out", "reports"]);
    let outcome = run(command.args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let reports = folder.join("reports");
    let name = files(&reports).into_iter().find(|name| name.ends_with(".json"));
    reports.join(name.expect("a report has its facts"))
}

/// Runs a script of `deploy/sql` on the archive in a folder: its exit code and output.
fn script(python: &OsStr, folder: &Path, name: &str, flags: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(python);
    // Without -B Python would leave its cache in the repository.
    command.arg("-B").arg(repository("deploy/sql").join(name)).args([
        "--engine",
        "duckdb",
        "--archive",
        "archive",
    ]);
    let output = command.args(flags).current_dir(folder).output().expect("ACUMEN_READERS names a Python");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.code(), said.concat())
}

/// The exit code and output of a comparison with a report's facts.
fn compare(python: &OsStr, folder: &Path, facts: &Path) -> (Option<i32>, String) {
    script(python, folder, "compare.py", &["--facts", facts.to_str().unwrap()])
}

/// Changes facts, and gives where they are then.
fn changed(facts: &Path, change: impl Fn(&mut Vec<Value>)) -> PathBuf {
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(facts).unwrap()).unwrap();
    change(document["facts"].as_array_mut().unwrap());
    let other = facts.with_file_name("changed.json");
    std::fs::write(&other, document.to_string()).unwrap();
    other
}

#[test]
fn duckdb_gives_the_facts_of_a_report_from_the_archive() {
    let Some(python) = readers() else { return };
    let recipe = Recipe { sessions: 1500, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let periods: [(&str, &[&str]); 4] = [
        (CANARY, &["--week", "2026-W41", "--trend", "3"]),
        (CANARY, &["--month", "2026-09", "--trend", "0"]),
        (SERVICE_CANARY, &["--week", "2026-W41", "--tz", "Europe/Berlin", "--trend", "2"]),
        (
            SERVICE_CANARY,
            &["--from", "2026-09-21", "--to", "2026-10-08", "--tz", "Asia/Kolkata", "--trend", "1"],
        ),
    ];
    for (key, flags) in periods {
        let folder = tempfile::tempdir().unwrap();
        let facts = archived(&served, key, folder.path(), flags);
        let (code, said) = compare(&python, folder.path(), &facts);
        assert_eq!(code, Some(0), "{flags:?}: {said}");
        assert!(said.contains(" 0 differences"), "{said}");
    }
}

#[test]
fn facts_from_duckdb_with_prices_and_teams_agree_with_the_report_and_render() {
    let Some(python) = readers() else { return };
    let recipe = Recipe { sessions: 600, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let settings =
        "[[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n[[team]]\ntag = \"team:*\"\n";
    std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
    let week = ["--week", "2026-W41", "--trend", "2", "--tz", "Europe/Berlin"];
    let facts =
        archived(&served, CANARY, folder.path(), &[&week[..], &["--config", "settings.toml"]].concat());
    let teams = ["--facts", facts.to_str().unwrap(), "--team", "team:*"];
    let (code, said) = script(&python, folder.path(), "compare.py", &teams);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("spend_per_merged_pr: ") && said.contains(" 0 differences"), "{said}");

    let flags =
        ["--price", "2026-01-01=2.25", "--currency", "EUR", "--team", "team:*", "--out", "sql/facts.json"];
    let (code, said) = script(&python, folder.path(), "facts.py", &[&week[..], &flags].concat());
    assert_eq!(code, Some(0), "{said}");
    let outcome =
        run(acumen(folder.path()).args(["render", "sql/facts.json", "--format", "html,xlsx,csv,md"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let page = std::fs::read_to_string(folder.path().join("sql/facts.html")).unwrap();
    assert!(page.contains("facts.py with DuckDB") && page.contains("€"));
    let made = files(&folder.path().join("sql"));
    for name in ["facts.xlsx", "facts_by-team.csv", "facts.md"] {
        assert!(made.iter().any(|file| file == name), "{name}: {made:?}");
    }
}

#[test]
fn sessions_that_share_pull_requests_or_lack_everything_are_counted_alike() {
    let Some(python) = readers() else { return };
    let pull = |number: usize, state: &str| json!({"pr_url": format!("https://h/a/b/pull/{number}"), "pr_state": state});
    let spelt = |path: &str| json!({"pr_url": format!("https://github.com/{path}"), "pr_state": "merged"});
    let sessions = vec![
        json!({"session_id": "b", "org_id": "org_demo", "created_at": "2026-10-07T10:00:00Z", "user_id": "one",
               "acus_consumed": 4.5, "tags": ["x", "y", "x"], "pull_requests": [pull(1, "open"), pull(2, "closed")],
               "session_analysis": {"issues": [{"impact": "high"}, {"impact": "dire", "label": "L"}]}}),
        // The same moment and a smaller id: the pull request is this one's.
        json!({"session_id": "a", "org_id": "org_demo", "created_at": "2026-10-07T10:00:00Z", "user_id": "two",
               "acus_consumed": 0, "pull_requests": [pull(1, "merged"), {"pr_state": "open"}]}),
        json!({"session_id": "c", "org_id": "org_demo", "created_at": "2026-10-05T00:00:00Z", "acus_consumed": null,
               "session_analysis": {"action_items": [{"type": null}]}}),
        json!({"session_id": "d", "org_id": "org_demo", "created_at": "2026-10-11T23:59:59.999999Z", "user_id": "bot_apk",
               "acus_consumed": 50, "tags": ["y"], "pull_requests": [pull(2, "draft")]}),
        json!({"session_id": "e", "org_id": "org_demo", "created_at": "2026-09-30T12:00:00Z", "user_id": "two",
               "acus_consumed": 1, "pull_requests": [pull(1, "merged"), spelt("Acme/App/pull/1")]}),
        json!({"session_id": "g", "org_id": "org_demo", "created_at": "2026-10-08T12:00:00Z", "user_id": "two",
               "acus_consumed": 1, "pull_requests": [spelt("acme/app/pull/1/files"), spelt("ACME/app/commit/1")]}),
        json!({"session_id": "h", "org_id": "org_demo", "created_at": "2026-10-09T12:00:00Z", "user_id": "one",
               "acus_consumed": 1, "pull_requests": [spelt("acme/APP/pull/1"), spelt("acme/app/commit/1")]}),
        json!({"session_id": "f", "org_id": "org_demo", "created_at": "2026-10-12T00:00:00Z", "acus_consumed": 7}),
    ];
    let served = Served::values(sessions);
    let folder = tempfile::tempdir().unwrap();
    let facts = archived(&served, CANARY, folder.path(), &["--week", "2026-W41", "--trend", "2"]);
    let (code, said) = compare(&python, folder.path(), &facts);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_number_that_is_wrong_or_missing_or_too_many_fails_the_comparison() {
    let Some(python) = readers() else { return };
    let recipe = Recipe { sessions: 300, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let facts = archived(&served, CANARY, folder.path(), &["--week", "2026-W41", "--trend", "1"]);
    type Change = fn(&mut Vec<Value>);
    let changes: [(&str, Change); 4] = [
        (" is ", |facts| facts[0]["value"] = json!(99_999)),
        ("previous is ", |facts| facts[0]["previous"] = json!(99_999)),
        ("in the SQL alone", |facts| drop(facts.remove(0))),
        ("in facts.json alone", |facts| facts[0]["metric"] = json!("acus_of_nobody")),
    ];
    for (document, change) in changes {
        let (code, said) = compare(&python, folder.path(), &changed(&facts, change));
        assert_eq!(code, Some(1), "{document}: {said}");
        assert!(said.contains(document), "{document}: {said}");
    }
}
