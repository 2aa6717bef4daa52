//! The archive: reports from it have the facts of the API, and nothing that
//! happens to a sync damages it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use devin_simulator::{Fault, Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::support::{
    CANARY, Outcome, SERVICE_CANARY, Served, acumen, begin, files, outcome, run, shows_no_key, signal,
};

fn organisation() -> Organisation {
    Organisation::invent(&Recipe { sessions: 600, ..Recipe::demo() })
}

/// The records of an organisation as the API returns them, to be changed.
fn values(organisation: &Organisation) -> Vec<Value> {
    let bodies = organisation.records.iter().map(|record| record.body.as_str());
    bodies.map(|body| serde_json::from_str(body).expect("JSON")).collect()
}

fn sync(served: &Served, folder: &Path, flags: &[&str]) -> Outcome {
    run(&mut syncing(served, folder, CANARY, flags))
}

fn syncing(served: &Served, folder: &Path, key: &str, flags: &[&str]) -> std::process::Command {
    let mut command = acumen(folder);
    command.env("DEVIN_API_KEY", key).args(["sync", "--base-url", &served.url()]);
    command.args(["--since", "2026-08-01"]).args(flags);
    command
}

/// Asserts that an archive is what it says.
fn is_sound(folder: &Path) {
    let outcome = run(acumen(folder).args(["archive", "verify"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// The facts of a report, byte for byte, and what else it says but for its source.
fn facts_of(command: &mut std::process::Command) -> (String, Value) {
    let out = tempfile::tempdir().expect("a folder");
    let outcome = run(command.arg("--out").arg(out.path()));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let name = files(out.path()).into_iter().find(|name| name.ends_with(".json")).expect("facts");
    let text = fs::read_to_string(out.path().join(name)).expect("facts");
    let facts = text.split_once("\"facts\": [").expect("facts").1;
    // An archive alone knows when pull requests were decided.
    let is_of_both = |line: &&str| !line.contains("\"merged_within_7d_rate\"");
    let facts = facts.lines().filter(is_of_both).collect::<Vec<_>>().join("\n");
    let mut head: Value = serde_json::from_str(&text).expect("JSON");
    // An archive has the totals of some periods only, and no lists that a run could not read.
    for name in ["facts", "generated_at", "vendor", "notes"] {
        head[name].take();
    }
    let withheld = head.get_mut("withheld").and_then(Value::as_array_mut);
    withheld.into_iter().for_each(|all| all.retain(|one| one["metric"] != "merged_within_7d_rate"));
    for name in [
        "requests",
        "retries",
        "pages",
        "received",
        "unique",
        "archive",
        "outside",
        "duplicates",
        "naive_times",
    ] {
        head["source"].as_object_mut().expect("a source").remove(name);
    }
    (facts, head)
}

/// Asserts that the archive of a folder gives the facts of the API.
fn agrees(served: &Served, folder: &Path, key: &str, flags: &[&str]) {
    let mut asked = acumen(folder);
    asked.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url()]).args(flags);
    let mut read = acumen(folder);
    read.env_remove("DEVIN_API_KEY").args(["report", "--archive", "archive"]).args(flags);
    let (asked, read) = (facts_of(&mut asked), facts_of(&mut read));
    assert!(asked.0.len() > 500, "{flags:?}: {}", asked.0);
    assert_eq!(asked, read, "{flags:?}");
}

const QUESTIONS: [&[&str]; 6] = [
    &["--week", "2026-W41", "--trend", "5"],
    &["--month", "2026-09", "--trend", "1"],
    &["--week", "2026-W40", "--tz", "Asia/Kathmandu"],
    &["--from", "2026-09-28", "--to", "2026-10-03", "--trend", "0", "--tz", "America/New_York"],
    &["--week", "2026-W41", "--tag", "team:payments", "--tag", "nightly"],
    &["--week", "2026-W41", "--profile", "leadership"],
];

#[test]
fn a_report_from_the_archive_has_the_facts_of_the_api() {
    let org = &["--org", "org_demo"][..];
    for (key, scope, questions) in [
        (CANARY, org, &QUESTIONS[..]),
        (SERVICE_CANARY, &[], &QUESTIONS[..3]),
        (CANARY, &[], &QUESTIONS[..1]),
    ] {
        let served = Served::new(organisation(), Options::default());
        let folder = tempfile::tempdir().expect("a folder");
        let outcome = run(&mut syncing(&served, folder.path(), key, scope));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "archive\n"), "{}", outcome.stderr);
        is_sound(folder.path());
        shows_no_key(&folder.path().join("archive"));
        for question in questions {
            agrees(&served, folder.path(), key, &[question, scope].concat());
        }
    }
}

#[test]
fn one_user_is_found_by_either_id() {
    let session = |id: &str, user: &str| json!({"session_id": id, "created_at": "2026-10-07T10:00:00Z", "user_id": user, "acus_consumed": 1.5});
    let mut both = session("b", "email|1");
    both["service_user_id"] = json!("service-user-2");
    let served = Served::values(vec![session("a", "email|1"), both, session("c", "email|3")]);
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(run(&mut syncing(&served, folder.path(), SERVICE_CANARY, &[])).code, Some(0));
    for user in ["email|1", "service-user-2", "email|3", "nobody"] {
        let flags = ["--week", "2026-W41", "--trend", "0", "--user", user, "--allow-empty"];
        agrees(&served, folder.path(), SERVICE_CANARY, &flags);
    }
}

#[test]
fn a_later_sync_takes_over_what_changed() {
    let first = organisation();
    let before = values(&first);
    let served = Served::new(first, Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(sync(&served, folder.path(), &["--org", "org_demo"]).code, Some(0));
    drop(served);

    let mut after = before.clone();
    let now = watermark(folder.path());
    for (place, session) in after.iter_mut().enumerate() {
        if place % 7 == 0 {
            // It changed, and says so.
            session["updated_at"] = json!(now);
            session["acus_consumed"] = json!(1000.25 + place as f64);
            session["tags"] = json!(["payments", "new"]);
            session["pull_requests"] = json!([]);
        }
        // Decided without a word of the session's.
        for pull in session["pull_requests"].as_array_mut().into_iter().flatten() {
            for state in ["pr_state", "state"] {
                if pull.get(state).is_some_and(|state| state == "open") {
                    pull[state] = json!("merged");
                }
            }
        }
        if session["status"] == "running" {
            session["status"] = json!("exit");
        }
    }
    // Created long ago, reported late.
    let mut late = after[0].clone();
    late["session_id"] = json!("late");
    late["created_at"] = json!("2026-10-08T12:00:00Z");
    late["updated_at"] = json!(now);
    after.push(late);
    let served = Served::values(after);
    let outcome = sync(&served, folder.path(), &["--org", "org_demo"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("refreshing sessions that run"), "{}", outcome.stderr);
    is_sound(folder.path());
    for question in QUESTIONS {
        agrees(&served, folder.path(), CANARY, &[question, &["--org", "org_demo"]].concat());
    }
    // Nothing changed: hardly anything is asked for, and nothing written anew.
    let requests = served.simulator.requests();
    let old = fs::metadata(folder.path().join("archive/sessions/month=2026-09/sessions.parquet"));
    assert_eq!(sync(&served, folder.path(), &["--org", "org_demo"]).code, Some(0));
    assert!(served.simulator.requests() - requests < 12, "{}", served.simulator.requests() - requests);
    let new = fs::metadata(folder.path().join("archive/sessions/month=2026-09/sessions.parquet"));
    assert_eq!(old.expect("a file").modified().ok(), new.expect("a file").modified().ok());
}

#[test]
fn what_moved_to_another_month_is_there_once() {
    let session = |created: &str, updated: &str| json!({"session_id": "a", "created_at": created, "updated_at": updated, "user_id": "u"});
    let served = Served::values(vec![session("2026-09-30T23:00:00Z", "2026-10-01T00:00:00Z")]);
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(sync(&served, folder.path(), &[]).code, Some(0));
    let now = watermark(folder.path());
    let served = Served::values(vec![session("2026-10-01T01:00:00Z", &now)]);
    assert_eq!(sync(&served, folder.path(), &[]).code, Some(0));
    is_sound(folder.path());
    agrees(&served, folder.path(), CANARY, &["--week", "2026-W40"]);
}

#[test]
fn a_killed_sync_damages_nothing_and_the_next_one_goes_on() {
    let options = Options { latency: Duration::from_millis(5), ..Options::default() };
    let served = Served::new(organisation(), options);
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["--org", "org_demo", "--page-size", "20", "--concurrency", "2"];
    let mut ended = false;
    for round in 0..14_u64 {
        let before = served.simulator.requests();
        let mut child = begin(&mut syncing(&served, folder.path(), CANARY, &flags));
        let begun = Instant::now();
        // Somewhere in the first requests, or in what is done after them.
        while served.simulator.requests() < before + 3 + round * 2 && begun.elapsed().as_secs() < 60 {
            if child.try_wait().expect("a child").is_some() {
                ended = true;
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round % 5 * 7));
        if child.try_wait().expect("a child").is_none() {
            signal(child.id(), "KILL");
        }
        outcome(child);
        if folder.path().join("archive/state.json").exists() {
            is_sound(folder.path());
        }
    }
    assert!(!ended || served.simulator.requests() > 30);
    assert_eq!(sync(&served, folder.path(), &flags).code, Some(0));
    is_sound(folder.path());
    agrees(&served, folder.path(), CANARY, &["--week", "2026-W41", "--org", "org_demo"]);
}

#[test]
fn a_step_that_was_left_is_read_where_it_is() {
    let (served, folder) = small();
    let archive = folder.path().join("archive");
    let facts = || {
        let mut read = acumen(folder.path());
        read.env_remove("DEVIN_API_KEY").args(["report", "--archive", "archive", "--week", "2026-W41"]);
        facts_of(&mut read)
    };
    let before = facts();
    // As after a kill: a part of the step is in its place.
    let committed = archive.join(".committed");
    for file in ["state.json", "people.json", "vendor.json", "tags/month=2026-10/tags.parquet"] {
        let to = committed.join(file);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::rename(archive.join(file), to).expect("moved");
    }
    assert_eq!(facts(), before);
    is_sound(folder.path());
    assert!(committed.join("tags/month=2026-10/tags.parquet").exists(), "reports move nothing");
    assert_eq!(sync(&served, folder.path(), &[]).code, Some(0));
    assert!(!committed.exists() && archive.join("state.json").exists());
    assert_eq!(facts().0, before.0);
    is_sound(folder.path());
}

#[test]
fn an_interrupt_reports_what_was_written() {
    let options = Options { latency: Duration::from_millis(200), ..Options::default() };
    let served = Served::new(organisation(), options);
    let folder = tempfile::tempdir().expect("a folder");
    let child = begin(&mut syncing(&served, folder.path(), CANARY, &[]));
    while served.simulator.requests() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(child.id(), "INT");
    let ended = outcome(child);
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("interrupted: the archive is intact"), "{}", ended.stderr);
}

#[test]
fn two_syncs_at_once_are_one() {
    let options = Options { latency: Duration::from_millis(150), ..Options::default() };
    let served = Served::new(organisation(), options);
    let folder = tempfile::tempdir().expect("a folder");
    let first = begin(&mut syncing(&served, folder.path(), CANARY, &[]));
    while served.simulator.requests() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = sync(&served, folder.path(), &[]);
    assert_eq!(second.code, Some(75), "{}", second.stderr);
    assert!(second.stderr.contains("another sync is active"), "{}", second.stderr);
    assert_eq!(outcome(first).code, Some(0));
    is_sound(folder.path());
    agrees(&served, folder.path(), CANARY, &["--week", "2026-W41"]);
}

#[test]
fn bad_days_cost_no_session() {
    let faults = ["503=5", "drift=6", "truncate=9", "dup=11", "nomembers"];
    let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
    for key in [CANARY, SERVICE_CANARY] {
        let served = Served::new(organisation(), Options { faults: faults.clone(), ..Options::default() });
        let folder = tempfile::tempdir().expect("a folder");
        let outcome = run(&mut syncing(&served, folder.path(), key, &["--page-size", "50"]));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("note: "),
            "lists that may not be read are named: {}",
            outcome.stderr
        );
        is_sound(folder.path());
        agrees(&served, folder.path(), key, &["--week", "2026-W41"]);
    }
}

#[test]
fn a_server_that_ignores_what_it_is_asked_for_is_found_out() {
    let served = Served::new(organisation(), Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(sync(&served, folder.path(), &["--org", "org_demo"]).code, Some(0));
    let before = watermark(folder.path());
    edit(&folder.path().join("archive/state.json"), |state| state["until"] = json!("2026-11-01T00:00:00Z"));
    drop(served);
    let faults = vec!["ignorefilter".parse().expect("a fault")];
    let served = Served::new(organisation(), Options { faults, ..Options::default() });
    let outcome = sync(&served, folder.path(), &["--org", "org_demo"]);
    assert_ne!(outcome.code, Some(0), "{}", outcome.stderr);
    is_sound(folder.path());
    assert_eq!(watermark(folder.path()), before, "the next sync asks for all of it again");
}

/// All changes before this moment are in the archive of a folder.
fn watermark(folder: &Path) -> String {
    let text = fs::read(folder.join("archive/state.json")).expect("a state");
    let state: Value = serde_json::from_slice(&text).expect("JSON");
    state["watermark"].as_str().expect("a moment").to_owned()
}

/// A folder with a small archive, until now.
fn small() -> (Served, tempfile::TempDir) {
    let session = |id: &str, day: &str| {
        json!({"session_id": id, "created_at": format!("2026-{day}T10:00:00Z"), "user_id": "u",
            "tags": ["t"], "pull_requests": [{"pr_url": "https://h/o/r/pull/1", "pr_state": "merged"}]})
    };
    let served = Served::values(vec![session("a", "10-07"), session("b", "09-30"), session("c", "08-15")]);
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(sync(&served, folder.path(), &["--org", "org_demo"]).code, Some(0));
    (served, folder)
}

fn report(folder: &Path, flags: &[&str]) -> Outcome {
    let mut command = acumen(folder);
    run(command
        .env_remove("DEVIN_API_KEY")
        .args(["report", "--archive", "archive", "--out", "."])
        .args(flags))
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
    change(&mut value);
    fs::write(path, value.to_string()).expect("a file");
}

#[test]
fn an_archive_is_for_its_owner_alone() {
    let (_served, folder) = small();
    let archive = folder.path().join("archive");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&archive), 0o700);
    assert_eq!(mode(&archive.join("tags/month=2026-10")), 0o700);
    for file in ["state.json", "people.json", "tags/month=2026-10/tags.parquet"] {
        assert_eq!(mode(&archive.join(file)), 0o600, "{file}");
    }
    let names: Vec<String> = files(&archive).into_iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!(
        names,
        [
            "action_items",
            "feedback",
            "issues",
            "people.json",
            "pull_requests",
            "sessions",
            "state.json",
            "tags",
            "vendor.json"
        ]
    );
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_touched() {
    let (served, folder) = small();
    let state = folder.path().join("archive/state.json");
    let before = fs::read(&state).expect("a state");
    let other = sync(&served, folder.path(), &["--org", "org_other"]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("org_demo, but org_other was requested"), "{}", other.stderr);
    let v3 = run(&mut syncing(&served, folder.path(), SERVICE_CANARY, &["--org", "org_demo"]));
    assert_eq!(v3.code, Some(2), "{}", v3.stderr);
    let earlier = sync(&served, folder.path(), &["--org", "org_demo", "--since", "2026-07-01"]);
    assert_eq!(earlier.code, Some(2), "{}", earlier.stderr);
    assert_eq!(fs::read(&state).expect("a state"), before);
    let other = report(folder.path(), &["--org", "org_other", "--week", "2026-W41"]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    let prompts = report(folder.path(), &["--include-prompts"]);
    assert_eq!(prompts.code, Some(2), "{}", prompts.stderr);

    let stranger = tempfile::tempdir().expect("a folder");
    fs::create_dir(stranger.path().join("archive")).expect("a folder");
    fs::write(stranger.path().join("archive/thesis.txt"), "x").expect("a file");
    let refused = sync(&served, stranger.path(), &[]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert_eq!(files(&stranger.path().join("archive")), ["thesis.txt"]);
    let none = report(stranger.path(), &[]);
    assert_eq!(none.code, Some(2), "{}", none.stderr);
    assert!(none.stderr.contains("no archive in archive"), "{}", none.stderr);
}

#[test]
fn an_archive_tells_what_it_is_about() {
    let (served, folder) = small();
    // Without a word it stays with its organisation.
    assert_eq!(sync(&served, folder.path(), &[]).code, Some(0));
    let state: Value =
        serde_json::from_slice(&fs::read(folder.path().join("archive/state.json")).expect("a state"))
            .expect("JSON");
    assert_eq!(state["org"], "org_demo");
    let enterprise = tempfile::tempdir().expect("a folder");
    assert_eq!(sync(&served, enterprise.path(), &[]).code, Some(0));
    let unknown = report(enterprise.path(), &["--week", "2026-W41", "--org", "org_nosuch"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("matches --org “org_nosuch”"), "{}", unknown.stderr);
    // A report on one organisation names it and no other.
    assert_eq!(report(enterprise.path(), &["--week", "2026-W41", "--org", "org_demo"]).code, Some(0));
    let facts = fs::read_to_string(enterprise.path().join("org_demo_2026-W41.json")).expect("facts");
    assert!(facts.contains(r#""org": {"org_demo":"Halden demo"}"#), "{facts}");
    let page = fs::read_to_string(enterprise.path().join("org_demo_2026-W41.html")).expect("a page");
    assert!(page.contains("<h1>Halden demo") && page.contains("org_demo"), "{page}");
}

#[test]
fn a_clock_that_ran_ahead_is_reported() {
    let (served, folder) = small();
    let state = folder.path().join("archive/state.json");
    edit(&state, |state| {
        state["until"] = json!("2300-01-01T00:00:00Z");
        state["watermark"] = json!("2300-01-01T00:00:00Z");
    });
    let outcome = sync(&served, folder.path(), &[]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("in the future by this machine's clock"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("note: nothing written"), "{}", outcome.stderr);
}

#[test]
fn full_sync_requests_everything_again() {
    let (_served, folder) = small();
    let session = |id: &str, day: &str| {
        // Reported late, and of a time long before the last sync.
        json!({"session_id": id, "created_at": format!("2026-{day}T10:00:00Z"),
            "updated_at": format!("2026-{day}T11:00:00Z"), "user_id": "u"})
    };
    let served = Served::values(vec![session("a", "10-07"), session("b", "09-30"), session("late", "10-06")]);
    assert_eq!(sync(&served, folder.path(), &[]).code, Some(0));
    let ids = |folder: &Path| {
        let text = fs::read_to_string(folder.join("archive/state.json")).expect("a state");
        let state: Value = serde_json::from_str(&text).expect("JSON");
        state["files"]["sessions/month=2026-10/sessions.parquet"]["rows"].clone()
    };
    assert_eq!(ids(folder.path()), 1);
    assert_eq!(sync(&served, folder.path(), &["--full"]).code, Some(0));
    assert_eq!(ids(folder.path()), 2);
    is_sound(folder.path());
    agrees(&served, folder.path(), CANARY, &["--week", "2026-W41", "--trend", "0", "--org", "org_demo"]);
}

#[test]
fn records_that_could_not_be_read_are_not_forgotten() {
    let good = |id: u32| json!({"session_id": id.to_string(), "created_at": "2026-10-07T10:00:00Z"});
    let mut values: Vec<Value> = (0..300).map(good).collect();
    values.push(json!({"created_at": "2026-10-07T10:00:00Z"}));
    let served = Served::values(values);
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = sync(&served, folder.path(), &[]);
    assert!(outcome.stderr.contains("warning: 1 record could not be read"), "{}", outcome.stderr);
    assert_eq!(sync(&served, folder.path(), &[]).code, Some(0));
    let outcome = report(folder.path(), &["--week", "2026-W41", "--trend", "0"]);
    assert_eq!(outcome.stderr.matches("warning: 1 record could not be read and is").count(), 1);
}

#[test]
fn names_that_were_lost_are_had_again() {
    let (served, folder) = small();
    let people = folder.path().join("archive/people.json");
    let before = fs::read(&people).expect("names");
    fs::write(&people, "{").expect("a file");
    assert_eq!(report(folder.path(), &["--week", "2026-W41"]).code, Some(65));
    assert_eq!(sync(&served, folder.path(), &[]).code, Some(0));
    assert_eq!(fs::read(&people).expect("names"), before);
}

#[test]
fn a_newer_schema_is_refused_with_a_clear_line() {
    let (served, folder) = small();
    let state = folder.path().join("archive/state.json");
    edit(&state, |state| {
        state["schema"] = json!(6);
        state["files"] = json!("another form");
    });
    let text = fs::read(&state).expect("a state");
    let verified = run(acumen(folder.path()).args(["archive", "verify"]));
    for outcome in [report(folder.path(), &[]), sync(&served, folder.path(), &[]), verified] {
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        let words = "the archive in archive has schema 6; this acumen supports schemas up to 5";
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    assert_eq!(fs::read(&state).expect("a state"), text);
}

#[test]
fn damage_is_found() {
    type Damage = fn(&Path);
    let damages: [(Damage, &str); 6] = [
        (
            |archive| fs::remove_file(archive.join("tags/month=2026-10/tags.parquet")).expect("gone"),
            "it is missing",
        ),
        (
            |archive| {
                let path = archive.join("sessions/month=2026-10/sessions.parquet");
                let mut bytes = fs::read(&path).expect("a file");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(&path, bytes).expect("a file");
            },
            "changed since it was written",
        ),
        (
            |archive| {
                let to = archive.join("sessions/month=2026-10/more.parquet");
                fs::copy(archive.join("sessions/month=2026-09/sessions.parquet"), to).expect("a copy");
            },
            "not part of the archive",
        ),
        (
            // A whole month under another name, and a state that says so.
            |archive| {
                for table in ["sessions", "pull_requests", "tags", "issues", "action_items", "feedback"] {
                    let month = archive.join(table).join("month=2026-11");
                    fs::create_dir_all(&month).expect("a folder");
                    let name = format!("{table}.parquet");
                    fs::copy(archive.join(table).join("month=2026-10").join(&name), month.join(&name))
                        .expect("a copy");
                    edit(&archive.join("state.json"), |state| {
                        let old = state["files"][format!("{table}/month=2026-10/{name}")].clone();
                        state["files"][format!("{table}/month=2026-11/{name}")] = old;
                    });
                }
            },
            "session a occurs twice",
        ),
        (
            |archive| fs::write(archive.join("state.json"), "{").expect("a file"),
            "fault: archive/state.json: EOF",
        ),
        (
            |archive| fs::write(archive.join(".committed"), "").expect("a file"),
            "fault: archive/.committed: \"archive/.committed\" is not a folder",
        ),
    ];
    for (damage, words) in damages {
        let (_served, folder) = small();
        damage(&folder.path().join("archive"));
        let outcome = run(acumen(folder.path()).args(["archive", "verify"]));
        assert_eq!(outcome.code, Some(65), "{words}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{words}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("archive verify"), "that is what was run: {}", outcome.stderr);
    }
    // A report is not made of such a file.
    let (_served, folder) = small();
    damages[1].0(&folder.path().join("archive"));
    let outcome = report(folder.path(), &["--week", "2026-W41"]);
    assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the program decides by the real clock what has begun")]
fn a_period_that_has_not_begun_is_refused_with_the_one_that_runs() {
    let (_served, folder) = small();
    let now = chrono::Utc::now();
    for (period, runs) in [
        (
            ["--month", "2099-05"],
            format!("a month that has begun: {} is the current one", now.format("%Y-%m")),
        ),
        (
            ["--week", "2099-W10"],
            format!("a week that has begun: {} is the current one", now.format("%G-W%V")),
        ),
        (["--quarter", "2099-Q1"], "a quarter that has begun: ".to_owned()),
    ] {
        for more in [&[][..], &["--allow-partial"]] {
            let outcome = report(folder.path(), &[&period, more].concat());
            assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
            assert!(outcome.stderr.contains(&format!("{} has not begun", period[1])), "{}", outcome.stderr);
            assert!(
                outcome.stderr.contains(&runs) && !outcome.stderr.contains("acumen sync"),
                "{}",
                outcome.stderr
            );
        }
    }
    let days = report(folder.path(), &["--from", "2099-05-01", "--to", "2099-05-02"]);
    assert!(days.stderr.contains("choose days up to 20"), "{}", days.stderr);
}

#[test]
fn a_period_that_is_not_covered_is_refused_or_reported() {
    let (_served, folder) = small();
    // The trend begins before the archive does.
    let early = report(folder.path(), &["--week", "2026-W33", "--trend", "4"]);
    assert_eq!(early.code, Some(4), "{}", early.stderr);
    assert!(early.stderr.contains("the archive begins on 1 August 2026"), "{}", early.stderr);
    let state = folder.path().join("archive/state.json");
    edit(&state, |state| state["until"] = json!("2026-10-09T12:00:00Z"));
    let late = report(folder.path(), &["--week", "2026-W41"]);
    assert_eq!(late.code, Some(4), "{}", late.stderr);
    assert!(late.stderr.contains("the archive ends on 9 October 2026"), "{}", late.stderr);
    assert!(!files(folder.path()).iter().any(|name| name.ends_with(".html")));
    let allowed = report(folder.path(), &["--week", "2026-W41", "--allow-partial"]);
    assert_eq!(allowed.code, Some(0), "{}", allowed.stderr);
    assert!(allowed.stderr.contains("warning: this report is incomplete: the archive"), "{}", allowed.stderr);
    let page = fs::read_to_string(folder.path().join("org_demo_2026-W41.html")).expect("a page");
    assert!(page.contains("This report may be incomplete: the archive") && page.contains(">incomplete<"));
    assert!(page.contains("From an archive as of"));
    assert_eq!(report(folder.path(), &["--week", "2026-W40"]).code, Some(0));
}

#[test]
fn the_doctor_looks_into_the_archive() {
    let (_served, folder) = small();
    let doctor = |archive: &str| {
        let mut command = acumen(folder.path());
        run(command.env_remove("DEVIN_API_KEY").args(["doctor", "--archive", archive]))
    };
    let found = doctor("archive");
    assert_eq!(found.code, Some(0), "{}", found.stdout);
    assert!(
        found.stdout.contains("3 of org_demo (v2) in the archive, created from 1 August 2026"),
        "{}",
        found.stdout
    );
    assert_eq!(doctor("elsewhere").code, Some(2));
}
