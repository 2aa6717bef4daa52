//! The use of the organisations' limits of a billing cycle, over both generations of the API and from an
//! archive. Every sum is computed a second time from the simulator's records.

use acumen::cli::{ApiArgs, ReportArgs};
use acumen::commands::report::prepare;
use acumen::settings::{Found, FoundKey, Settings, parse_file};
use chrono::{DateTime, Utc};
use devin_simulator::{List, Options, Organisation, Recipe, start};
use serde_json::Value;

use crate::oracle::records::{self, Session};
use crate::support::{CANARY, Facts, Report, SERVICE_CANARY, Served, acumen, run};

/// The vendor bills at eight in the morning, in UTC.
const CYCLE: [&str; 2] = ["2026-09-23T08:00:00Z", "2026-10-23T08:00:00Z"];
/// The end of week 41 in Berlin.
const UNTIL: &str = "2026-10-11T22:00:00Z";
const WEEK: [&str; 4] = ["--week", "2026-W41", "--tz", "Europe/Berlin"];
const HEADING: &str = "Cycle limits: ACUs by organisation";

fn unlimited() -> Organisation {
    Organisation::invent(&Recipe { orgs: 3, sessions: 900, ..Recipe::demo() })
}

/// Two of three organisations have a limit, and one without a session.
fn organisation() -> Organisation {
    let mut organisation = unlimited();
    organisation.orgs.insert("org_idle".to_owned());
    for (org, limit) in [("org_demo", 100.0), ("org_demo_2", 1e6), ("org_idle", 50.0)] {
        organisation.cycle_limits.insert(org.to_owned(), limit);
    }
    organisation
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

/// ACUs of an organisation's sessions created in a span.
fn acus(organisation: &Organisation, org: &str, from: &str, until: &str) -> f64 {
    let bodies = organisation.records.iter();
    let values: Vec<Value> = bodies.map(|record| serde_json::from_str(&record.body).expect("JSON")).collect();
    let sessions = records::sessions(&values, moment(from), moment(until));
    sessions.iter().filter(|session| session.org.as_deref() == Some(org)).map(Session::spent).sum()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

/// Asserts that the facts have the limits of these organisations, and no forecast.
fn assert_limits(facts: &Value, organisation: &Organisation, orgs: &[&str]) {
    let rows = facts["cycle_limits"].as_array().expect("limits");
    assert_eq!(rows.iter().map(|row| row["org"].as_str().expect("an id")).collect::<Vec<_>>(), orgs);
    for row in rows {
        let org = row["org"].as_str().expect("an id");
        let used = acus(organisation, org, CYCLE[0], UNTIL);
        assert!(close(row["used"].as_f64().expect("a number"), used), "{row} {used}");
        assert_eq!(used > 0.0, org != "org_idle");
        assert_eq!(row["limit"].as_f64(), organisation.cycle_limits.get(org).copied());
        assert_eq!(row["period"], "2026-09-23_2026-10-22");
        assert_eq!(row["until"], "2026-10-12T00:00:00+02:00");
        assert!(row["forecast"].is_null(), "the cycle was over when the report was made: {row}");
    }
}

fn report(served: &Served, key: &str, flags: &[&str]) -> Report {
    let version = if key == CANARY { "v2" } else { "v3" };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("key"), key).expect("a key");
    let path = folder.path().join("key");
    let path = path.to_str().expect("a path in UTF-8");
    served.report(&[&WEEK[..], &["--api", version, "--api-key-file", path], flags].concat())
}

#[test]
fn every_limited_organisation_has_a_row_over_both_generations() {
    let organisation = organisation();
    let served = Served::new(organisation.clone(), Options::default());
    let all = ["org_demo", "org_demo_2", "org_idle"];
    for key in [CANARY, SERVICE_CANARY] {
        let report = report(&served, key, &["--trend", "3"]);
        assert_limits(&report.facts().0, &organisation, &all);
        assert!(report.html.contains(HEADING), "{key}");
        assert!(report.html.contains("“<bdi>Halden demo</bdi>” used"), "{key}");
        assert!(!report.html.contains("“<bdi>Halden demo 2</bdi>” used"), "it used a small part");
        let own = self::report(&served, key, &["--trend", "3", "--org", "org_demo_2"]);
        assert_limits(&own.facts().0, &organisation, &["org_demo_2"]);
    }
}

#[test]
fn an_archive_keeps_limits_and_cycles() {
    let organisation = organisation();
    let served = Served::new(organisation.clone(), Options::default());
    for key in [CANARY, SERVICE_CANARY] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sync = acumen(folder.path());
        sync.env("DEVIN_API_KEY", key).args(["sync", "--since", "2026-08-01", "--archive", "archive"]);
        let outcome = run(sync.args(["--base-url", &served.url()]));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let facts = |flags: &[&str]| -> Value {
            let out = tempfile::tempdir().expect("a folder");
            let mut report = acumen(folder.path());
            report.env_remove("DEVIN_API_KEY").args(["report", "--archive", "archive", "--trend", "3"]);
            report.args(WEEK).args(flags).arg("--out").arg(out.path());
            let outcome = run(&mut report);
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            let path = outcome.stdout.lines().find(|line| line.ends_with(".json")).expect("facts");
            serde_json::from_str(&std::fs::read_to_string(path).expect("facts")).expect("JSON")
        };
        let read = facts(&[]);
        assert_limits(&read, &organisation, &["org_demo", "org_demo_2", "org_idle"]);
        let asked = report(&served, key, &["--trend", "3"]).facts();
        assert_eq!(read["cycle_limits"], asked.0["cycle_limits"]);
        assert_limits(&facts(&["--org", "org_demo"]), &organisation, &["org_demo"]);
        assert!(facts(&["--profile", "leadership"])["cycle_limits"].is_null());
    }
}

#[test]
fn cycles_are_requested_once_and_only_for_limits_that_are_shown() {
    let requests = |organisation: Organisation, flags: &[&str]| {
        let served = Served::new(organisation, Options::default());
        let report = report(&served, SERVICE_CANARY, flags);
        assert!(!report.stderr.contains("cycle limits"), "{}", report.stderr);
        (served.simulator.requests(), report.facts().0.get("cycle_limits").is_some())
    };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "budget = \"1000\"\nbudget_cycle_day = \"auto\"\n\
                    [[price]]\nfrom = 2026-01-01\nper_acu = \"2\"\ncurrency = \"EUR\"\n";
    std::fs::write(folder.path().join("acumen.toml"), settings).expect("settings");
    let path = folder.path().join("acumen.toml");
    let budget = ["--config", path.to_str().expect("a path in UTF-8")];
    for (flags, has_limits, extra) in [
        (&[][..], true, 1),
        // The budget asked for them.
        (&budget[..], true, 0),
        (&["--profile", "leadership"], false, 0),
        (&["--tag", "team:payments"], false, 0),
    ] {
        let (without, none) = requests(unlimited(), flags);
        let (with, has_rows) = requests(organisation(), flags);
        assert_eq!((none, has_rows, with - without), (false, has_limits, extra), "{flags:?}");
    }
}

#[test]
fn limits_that_are_left_out_have_one_note() {
    let output = |options: Options, flags: &[&str]| {
        let report = report(&Served::new(organisation(), options), SERVICE_CANARY, flags);
        assert!(report.facts().0.get("cycle_limits").is_none() && !report.html.contains(HEADING));
        assert_eq!(report.stderr.matches("cycle limits").count(), 1, "{}", report.stderr);
        assert_eq!(report.html.matches("cycle limits").count(), 1);
        report.stderr
    };
    let refused = output(Options { may_see_consumption: false, ..Options::default() }, &["--trend", "3"]);
    let note = "the use of the organisations' cycle limits is left out: Devin's billing cycles are not \
                available (the key lacks the permission ViewAccountConsumption";
    assert!(refused.contains(note), "{refused}");
    let short = output(Options::default(), &["--trend", "1"]);
    let note = "the report has no sessions from the first days of the billing cycle of 23 September to 22 \
                October 2026; use a longer --trend";
    assert!(short.contains(note), "{short}");
    // Without the list there is no limit to speak of.
    let hidden = Options { hidden: vec![List::Organisations], ..Options::default() };
    let report = report(&Served::new(organisation(), hidden), SERVICE_CANARY, &["--trend", "3"]);
    assert!(!report.stderr.contains("cycle limits") && report.facts().0.get("cycle_limits").is_none());
}

#[test]
fn a_period_without_its_cycle_has_a_note() {
    let served = Served::new(organisation(), Options::default());
    let flags = ["--week", "2026-W20", "--org", "org_demo"];
    let report = served.report(&flags);
    let note = "Devin reports no billing cycle that contains 17 May 2026";
    assert!(report.stderr.contains(note) && report.html.contains(note), "{}", report.stderr);
}

/// The report about week 41 as it is made at a moment: its facts and its page.
fn report_at(now: &str, organisation: &Organisation) -> (Facts, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let receipt = runtime.block_on(async {
        let simulator = start(organisation.clone(), Options::default()).await.expect("a free port");
        let args = ReportArgs {
            week: Some("2026-W41".to_owned()),
            tz: "Europe/Berlin".to_owned(),
            trend: 3,
            out: folder.path().to_owned(),
            access: ApiArgs {
                base_url: simulator.base_url(),
                page_size: 200,
                concurrency: 4,
                ..ApiArgs::default()
            },
            ..ReportArgs::default()
        };
        let file = parse_file(std::path::Path::new("acumen.toml"), "").expect("settings");
        let found = Found { key: Some(FoundKey::new(CANARY, "a test")), file, ..Found::default() };
        let settings = Settings::resolve(&args, found, moment(now)).expect("settings");
        let prepared = prepare(&settings, &|_| ()).await.expect("a report");
        simulator.stop().await;
        prepared.deliver().expect("files")
    });
    let read = |path| std::fs::read_to_string(path).expect("a file");
    (Facts(serde_json::from_str(&read(receipt.json)).expect("JSON")), read(receipt.html))
}

#[test]
fn a_cycle_that_runs_has_a_forecast() {
    let organisation = organisation();
    for (now, until) in [("2026-10-12T06:00:00Z", UNTIL), ("2026-10-08T20:00:00Z", "2026-10-08T20:00:00Z")] {
        let (facts, page) = report_at(now, &organisation);
        let rows = facts.0["cycle_limits"].as_array().expect("limits");
        for row in rows {
            let used = acus(&organisation, row["org"].as_str().expect("an id"), CYCLE[0], until);
            assert!(close(row["used"].as_f64().expect("a number"), used), "{row} {used}");
            let over = moment(until) - moment(CYCLE[0]);
            let whole = moment(CYCLE[1]) - moment(CYCLE[0]);
            let forecast = used * whole.num_seconds() as f64 / over.num_seconds() as f64;
            assert!(close(row["forecast"].as_f64().expect("a number"), forecast), "{row} {forecast}");
        }
        assert_eq!(rows.len(), 3);
        assert!(page.contains("At this pace") && page.contains("by the end of the cycle."));
    }
}

#[test]
fn an_account_that_is_not_metered_has_no_limits() {
    let options = Options { faults: vec!["unmetered".parse().expect("a fault")], ..Options::default() };
    let report = report(&Served::new(organisation(), options), CANARY, &["--trend", "3"]);
    assert_eq!(report.facts().0["source"]["metered"], false);
    assert!(report.facts().0.get("cycle_limits").is_none() && !report.html.contains("ycle limit"));
}
