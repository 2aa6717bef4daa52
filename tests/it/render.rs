//! `acumen render`: every output of a run, made again from its facts alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::NaiveDate;
use devin_simulator::{Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::export::readers;
use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, files, repository, run};

const MAIL: [&str; 4] = ["--mail-from", "Acumen <acumen@example.com>", "--mail-to", "lead@example.com"];

/// Whether a file of a run is made again by `acumen render`.
fn is_rendered(name: &str) -> bool {
    !name.ends_with(".json")
}

/// The message without what belongs to its sending.
fn undated(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).expect("plain ASCII");
    let is_of_sending = |line: &&str| line.starts_with("Date: ") || line.starts_with("Message-ID: ");
    text.lines().filter(|line| !is_of_sending(line)).collect::<Vec<_>>().join("\n")
}

/// Makes a report with all outputs, makes them again from its facts in a process without
/// settings, and compares.
fn renders_again(mut report: Command, is_mailed: bool) -> Value {
    let out = tempfile::tempdir().expect("a folder");
    let at = |name: &str| out.path().join(name).to_str().expect("a path in UTF-8").to_owned();
    report.args(["--out", &at("run"), "--export", "csv,xlsx", "--summary", &at("summary.md")]);
    if is_mailed {
        report.args(["--eml", &at("run.eml"), "--mail-attach", "html"]).args(MAIL);
    }
    let outcome = run(&mut report);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);

    let made = files(&out.path().join("run"));
    let facts = made.iter().find(|name| name.ends_with(".json")).expect("facts");
    let name = facts.trim_end_matches(".json");
    fs::create_dir(out.path().join("alone")).expect("a folder");
    fs::copy(out.path().join("run").join(facts), out.path().join("alone").join(facts)).expect("a copy");
    let mut render = acumen(&out.path().join("alone"));
    render.env_clear().args(["render", facts, "--format", "html,xlsx,csv,md", "--out", "../again"]);
    let outcome = run(&mut render);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{}", outcome.stdout);
    let again = |file: &str| fs::read(out.path().join("again").join(file)).expect("it was rendered");
    let rendered = made.iter().filter(|name| is_rendered(name));
    let mut count = 0;
    for file in rendered {
        let own = fs::read(out.path().join("run").join(file)).expect("a file of the run");
        assert!(own == again(file), "{file} differs");
        count += 1;
    }
    assert_eq!(files(&out.path().join("again")).len(), count + 1, "and the summary");
    let summary = fs::read(out.path().join("summary.md")).expect("the summary of the run");
    assert!(summary == again(&format!("{name}.md")), "the summary differs");
    if is_mailed {
        let mut render = acumen(&out.path().join("alone"));
        render
            .env_clear()
            .args(["render", facts, "--format", "eml", "--mail-attach", "html", "--out", "../again"])
            .args(MAIL);
        let outcome = run(&mut render);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let own = fs::read(out.path().join("run.eml")).expect("the message of the run");
        assert!(undated(&own) == undated(&again(&format!("{name}.eml"))), "the message differs");
    }
    let path = out.path().join("run").join(facts);
    is_valid(&path);
    serde_json::from_str(&fs::read_to_string(path).expect("facts in UTF-8")).expect("JSON")
}

/// Asserts that facts follow the documented schema, where there is a Python that can tell.
fn is_valid(facts: &Path) {
    const CHECK: &str = "import json, sys, jsonschema\n\
                         schema, facts = (json.load(open(path)) for path in sys.argv[1:])\n\
                         jsonschema.Draft202012Validator.check_schema(schema)\n\
                         jsonschema.validate(facts, schema, jsonschema.Draft202012Validator)";
    let Some(python) = readers() else { return };
    let mut command = Command::new(python);
    let output = command.args(["-c", CHECK]).arg(repository("docs/facts.schema.json")).arg(facts).output();
    let output = output.expect("ACUMEN_READERS names a Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn asked(served: &Served, key: &str, folder: &Path, flags: &[&str]) -> Command {
    let mut command = acumen(folder);
    command.env("DEVIN_API_KEY", key).args(["report", "--org", "org_demo", "--base-url", &served.url()]);
    command.args(flags);
    command
}

fn invented(sessions: usize) -> Served {
    Served::new(Organisation::invent(&Recipe { sessions, ..Recipe::demo() }), Options::default())
}

#[test]
fn the_outputs_of_a_week_are_made_again() {
    let served = invented(900);
    let folder = tempfile::tempdir().expect("a folder");
    let facts = renders_again(asked(&served, CANARY, folder.path(), &["--week", "2026-W41"]), true);
    assert_eq!(facts["schema"], 2);
    assert!(facts["vendor"]["counts"]["sessions"].is_number());
    let v3 = asked(&served, SERVICE_CANARY, folder.path(), &["--week", "2026-W41", "--include-prompts"]);
    let facts = renders_again(v3, true);
    assert!(facts["highlights"]["costliest"][0]["prompt"].is_string());
}

#[test]
fn the_outputs_of_a_crowded_week_are_made_again() {
    let recipe = Recipe {
        first_day: NaiveDate::from_ymd_opt(2026, 9, 28).expect("a date"),
        days: 14,
        sessions: 3000,
        users: 1000,
        tags: 400,
        name_length: Some(200),
        ..Recipe::demo()
    };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    let facts = renders_again(asked(&served, CANARY, folder.path(), &["--week", "2026-W41"]), true);
    let users = facts["labels"]["user"].as_object().expect("names").len();
    assert!(users > 300, "only {users} users");
}

#[test]
fn the_outputs_of_an_empty_week_are_made_again() {
    let served = invented(50);
    let folder = tempfile::tempdir().expect("a folder");
    let facts = renders_again(asked(&served, CANARY, folder.path(), &["--week", "2025-W10"]), true);
    assert_eq!(
        facts["facts"]
            .as_array()
            .expect("facts")
            .iter()
            .find(|fact| fact["metric"] == "sessions")
            .expect("sessions")["value"],
        0
    );
}

#[test]
fn the_outputs_with_money_teams_and_a_running_period_are_made_again() {
    let organisation = Organisation::invent(&Recipe { sessions: 900, ..Recipe::demo() });
    let users: BTreeSet<String> =
        organisation.records.iter().filter_map(|record| record.user_id.clone()).collect();
    let served = Served::new(organisation, Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "budget = \"5000\"\npeople_file = \"people.csv\"\n\
                    [[price]]\nfrom = 2026-01-01\nper_acu = \"2.2512345\"\ncurrency = \"EUR\"\n\
                    [[price]]\nfrom = 2026-10-07\nper_acu = \"2.3\"\ncurrency = \"EUR\"\n\
                    [[team]]\ntag = \"team:*\"\n";
    fs::write(folder.path().join("a.toml"), settings).expect("settings");
    let rows: Vec<String> = users.iter().map(|user| format!("{user},=1+{}\n", user.len() % 2)).collect();
    let people = format!("user,cost_centre\n{}", rows.concat());
    fs::write(folder.path().join("people.csv"), people).expect("people");
    let flags = ["--month", "2026-10", "--config", "a.toml", "--tz", "America/New_York"];
    let facts = renders_again(asked(&served, CANARY, folder.path(), &flags), true);
    assert_eq!(facts["prices"]["steps"][0]["per_acu"], json!(2.2512345));
    // The workbook and the finance file are among the outputs that were compared.
    let centres = facts["finance"].as_array().expect("finance rows").iter();
    let is_formula = |row: &&Value| row["cost_centre"].as_str().is_some_and(|text| text.starts_with("=1+"));
    assert!(centres.filter(is_formula).count() > 2);
}

#[test]
fn the_outputs_with_cycle_limits_are_made_again() {
    let mut organisation = Organisation::invent(&Recipe { sessions: 900, ..Recipe::demo() });
    organisation.cycle_limits.insert("org_demo".to_owned(), 1000.5);
    let served = Served::new(organisation, Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    for key in [CANARY, SERVICE_CANARY] {
        let facts = renders_again(asked(&served, key, folder.path(), &["--week", "2026-W41"]), true);
        assert_eq!(facts["cycle_limits"][0]["limit"], 1000.5);
    }
}

#[test]
fn outputs_with_alerts_are_made_again() {
    let served = invented(900);
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "budget = \"500\"\n[[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n\
                    [[alert]]\nmetric = \"acus\"\ngroup = { user = \"*\" }\nabove = 1\nmin_n = 1\n\
                    [[alert]]\nmetric = \"spend\"\ngroup = { tag = \"\" }\nabove = 1\nmin_n = 1\n\
                    [[alert]]\nmetric = \"budget\"\nabove = [0.01, \"2%\"]\n";
    fs::write(folder.path().join("a.toml"), settings).expect("settings");
    for flags in [&[][..], &["--profile", "leadership"]] {
        let flags = [&["--week", "2026-W41", "--config", "a.toml"], flags].concat();
        let facts = renders_again(asked(&served, CANARY, folder.path(), &flags), true);
        let alerts = facts["alerts"].as_array().expect("alerts");
        assert!(alerts.iter().any(|alert| alert["metric"] == "budget" && alert["threshold"] == json!(0.02)));
        assert_eq!(alerts.iter().any(|alert| alert["metric"] == "acus"), !flags.contains(&"leadership"));
    }
}

#[test]
fn covered_outputs_are_made_again() {
    let served = invented(2500);
    let folder = tempfile::tempdir().expect("a folder");
    for flags in [["--profile", "leadership"], ["--people", "hidden"]] {
        let flags = [&["--week", "2026-W41"], &flags[..]].concat();
        let facts = renders_again(asked(&served, CANARY, folder.path(), &flags), true);
        let source = &facts["source"];
        assert!(
            source["people"] == "hidden" && source["unique"].is_null() && facts["labels"]["user"].is_null()
        );
        assert_eq!(facts["highlights"]["costliest"], json!([]));
    }
}

#[test]
fn incomplete_and_saved_outputs_are_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::new(
        Organisation::invent(&Recipe { sessions: 300, ..Recipe::demo() }),
        Options { faults: vec!["drop=9".parse().expect("a fault")], ..Options::default() },
    );
    let flags = ["--week", "2026-W41", "--allow-partial"];
    let facts = renders_again(asked(&served, CANARY, folder.path(), &flags), false);
    assert_eq!(facts["source"]["completeness"], "incomplete");

    let row = |id: usize| {
        json!({"session_id": format!("s{id}"), "org_id": "o", "user_id": format!("u{}", id % 7), "status": "exit",
               "acus_consumed": id as f64 / 3.0, "created_at": format!("2026-10-{:02}T08:00:00Z", 5 + id % 7)})
    };
    let lines: Vec<String> = (0..60).map(|id| row(id).to_string()).collect();
    fs::write(folder.path().join("lines.ndjson"), lines.join("\n")).expect("lines");
    let mut saved = acumen(folder.path());
    saved.args(["report", "--pages", "lines.ndjson", "--week", "2026-W41"]);
    let facts = renders_again(saved, true);
    assert_eq!(facts["source"]["completeness"], "unproven");
    assert!(facts["source"]["saved"]["first"].is_string() && !facts["notices"].is_null());
}

#[test]
fn the_outputs_of_an_archive_are_made_again() {
    let served = invented(900);
    let folder = tempfile::tempdir().expect("a folder");
    let mut sync = acumen(folder.path());
    sync.env("DEVIN_API_KEY", CANARY).args(["sync", "--since", "2026-08-01", "--org", "org_demo"]);
    let outcome = run(sync.args(["--archive", "archive", "--base-url", &served.url()]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mut report = acumen(folder.path());
    report.args(["report", "--archive", "archive", "--week", "2026-W41"]);
    let facts = renders_again(report, true);
    assert!(facts["source"]["archive"].is_string());
}

#[test]
fn a_message_needs_its_addresses_and_facts_a_known_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let facts = fs::read_to_string(repository("reports/org_demo_2026-W41.json")).expect("the sample");
    fs::write(folder.path().join("new.json"), &facts).expect("facts");
    fs::write(folder.path().join("old.json"), facts.replacen("\"schema\": 2", "\"schema\": 1", 1))
        .expect("facts");
    let render = |file: &str, format: &str| {
        run(acumen(folder.path()).args(["render", file, "--format", format, "--out", "out"]))
    };
    let outcome = render("new.json", "eml");
    assert!(outcome.code == Some(2) && outcome.stderr.contains("--mail-from"), "{}", outcome.stderr);
    let outcome = render("old.json", "html");
    assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("schema 1") && outcome.stderr.contains("make the report again"));
    fs::write(folder.path().join("packed.json"), [0x1f, 0x8b, 0xff, 0xfe]).expect("facts");
    let outcome = render("packed.json", "html");
    assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
    assert!(!folder.path().join("out").exists(), "nothing is written");
}
