//! `--compare-with`: the numbers of a chosen period are those of a report of its own, from every source,
//! and what the report says of the comparison.

use std::fs;
use std::path::Path;

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::support::{CANARY, Facts, Served, acumen, files, run};

/// A year and some days up to 11 October 2026.
fn organisation() -> Organisation {
    let first_day = "2025-10-01".parse().expect("a date");
    Organisation::invent(&Recipe { sessions: 1500, first_day, days: 376, ..Recipe::demo() })
}

fn served() -> Served {
    Served::new(organisation(), Options::default())
}

/// Periods, what they are compared with, and the flags of a report of that.
const PAIRS: [(&[&str], &str, &[&str]); 5] = [
    // In the trend and far from it.
    (&["--week", "2026-W41"], "2026-W37", &["--week", "2026-W37"]),
    (&["--week", "2026-W41"], "same-week-last-year", &["--week", "2025-W41"]),
    // Of another length.
    (&["--month", "2026-05", "--trend", "1"], "2026-02", &["--month", "2026-02"]),
    (&["--quarter", "2026-Q3", "--trend", "1"], "2026-Q1", &["--quarter", "2026-Q1"]),
    (
        &["--week", "2026-W41", "--trend", "2"],
        "2026-09-01_2026-09-10",
        &["--from", "2026-09-01", "--to", "2026-09-10"],
    ),
];

/// The facts of whole periods and groups, those of the trend left out.
fn of_period(facts: &Facts) -> Vec<&Value> {
    let all = facts.0["facts"].as_array().expect("a list of facts");
    all.iter().filter(|fact| fact["group"].get("period").is_none()).collect()
}

#[test]
fn the_numbers_are_those_of_two_separate_reports() {
    let served = served();
    for (own, compared, other) in PAIRS {
        let with = served.report(&[own, &["--compare-with", compared]].concat());
        let [both, now, before] = [with.facts(), served.report(own).facts(), served.report(other).facts()];
        assert_eq!(both.0["trend"], now.0["trend"], "{compared}");
        for name in ["label", "from", "to"] {
            assert_eq!(both.0["previous"][name], before.0["period"][name], "{compared}");
        }
        let mut shared = 0;
        for fact in of_period(&both) {
            let of = |facts: &Facts| {
                let same = |one: &&&Value| one["metric"] == fact["metric"] && one["group"] == fact["group"];
                of_period(facts).iter().find(same).map(|one| (*one).clone())
            };
            let metric = fact["metric"].as_str().expect("a metric");
            if metric == "acus_per_merged_pr_expected" {
                continue;
            }
            let same = of(&now).unwrap_or_else(|| panic!("{compared}: {fact}"));
            assert_eq!((&fact["value"], &fact["n"]), (&same["value"], &same["n"]), "{compared}: {metric}");
            let is_of_people =
                ["new_users", "returning_users", "lapsed_users", "members", "activation"].contains(&metric);
            match of(&before) {
                // Who comes and goes is counted for periods that follow one another.
                _ if is_of_people => assert!(fact["previous"].is_null(), "{metric}"),
                Some(old) => {
                    shared += 1;
                    assert_eq!(fact["previous"], old["value"], "{compared}: {fact}");
                    let basis = fact.get("previous_n").cloned().unwrap_or(json!(0));
                    assert_eq!(basis, old["n"], "{compared}: {fact}");
                }
                None => assert!(
                    fact["previous"].is_null() || fact["previous"] == 0,
                    "{compared}: {fact} had nothing before"
                ),
            }
        }
        assert!(shared > 100, "{compared}: {shared}");
        // The points of the trend are compared with those before them as always; the oldest may have no
        // such point, or just that which was chosen.
        let oldest = both.0["trend"].as_array().expect("a list").last().expect("a point").clone();
        let trend = |facts: &Facts| -> Vec<Value> {
            let all = facts.0["facts"].as_array().expect("a list of facts").iter();
            all.filter(|fact| fact["group"].get("period").is_some_and(|label| *label != oldest))
                .cloned()
                .collect()
        };
        assert!(trend(&both).len() > 10 && trend(&both) == trend(&now), "{compared}");
    }
}

#[test]
fn the_report_of_the_period_before_stays_as_it_is() {
    let served = served();
    let folder = tempfile::tempdir().expect("a folder");
    let report = |flags: &[&str]| {
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--out", "."]).args(flags);
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout.lines().next().expect("the page").to_owned()
    };
    let week = ["--week", "2026-W41", "--export", "csv"];
    let plain = report(&week);
    let exports = files(folder.path());
    let before = fs::read(folder.path().join(&plain)).expect("the page");
    let far = report(&[&week[..], &["--compare-with", "2026-W30"]].concat());
    let last_year = report(&["--week", "2026-W41", "--compare-with", "same-week-last-year"]);
    let names = [&plain, &far, &last_year].map(|name| name.trim_start_matches("./").to_owned());
    let expected = ["", "_vs-2026-W30", "_vs-2025-W41"].map(|part| format!("org_demo_2026-W41{part}.html"));
    assert_eq!(names, expected);
    assert_eq!(fs::read(folder.path().join(&plain)).expect("the page"), before);
    let all = files(folder.path());
    assert!(exports.iter().all(|name| all.contains(name)));
    assert!(all.iter().any(|name| name == "org_demo_2026-W41_vs-2026-W30_whole.csv"), "{all:?}");
    // The period before by its name, or by nothing, is the report as always.
    assert_eq!(report(&["--week", "2026-W41", "--compare-with", "2026-W40"]), plain);
    assert_eq!(report(&["--week", "2026-W41", "--compare-with", ""]), plain);
    let facts = fs::read_to_string(folder.path().join("org_demo_2026-W41.json")).expect("facts");
    let facts: Value = serde_json::from_str(&facts).expect("JSON");
    assert_eq!(facts["previous"]["label"], "2026-W40");
}

#[test]
fn pages_say_what_is_compared_and_that_it_is_per_day() {
    let served = served();
    let page = |flags: &[&str]| served.report(flags).html;
    let last_year = page(&["--week", "2026-W41", "--compare-with", "same-week-last-year"]);
    assert!(last_year.contains("Compared with week 41 of 2025 (6 to 12 October 2025)."));
    assert!(last_year.contains("Change from week 41 of 2025") && !last_year.contains(" per day"));
    let february = page(&["--month", "2026-03", "--trend", "0", "--compare-with", "2026-02"]);
    let sentence = "Compared with February 2026 (1 to 28 February 2026), per day because the lengths differ.";
    assert!(february.contains(sentence));
    assert!(["more per day", "fewer per day", "less per day"].iter().any(|words| february.contains(words)));
    // This quarter against the last: nothing needs to be chosen.
    let quarter = page(&["--quarter", "2026-Q3", "--trend", "1"]);
    let sentence =
        "Compared with quarter 2 of 2026 (1 April to 30 June 2026), per day because the lengths differ.";
    assert!(quarter.contains(sentence));
    let days = ["--week", "2026-W41", "--trend", "1", "--compare-with", "2026-09-01_2026-09-03"];
    let report = served.report(&days);
    assert!(report.html.contains("Compared with 1 to 3 September 2026, per day because the lengths differ."));
    assert!(report.html.contains("Change from 1 to 3 September 2026"));
    assert!(!report.html.contains("the 3 days before"));
    // Every output is made of the facts alone.
    let name = files(report.folder.path()).into_iter().find(|name| name.ends_with(".json")).expect("facts");
    let mut command = acumen(report.folder.path());
    let outcome = run(command.args(["render", &name, "--format", "html,md", "--out", "again"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let again = report.folder.path().join("again");
    let read = |name: &str| fs::read_to_string(again.join(name)).expect("an output");
    let [html, markdown] = ["html", "md"].map(|ending| read(&name.replace("json", ending)));
    assert!(html == report.html, "the page of {name} differs");
    assert!(markdown.contains("per day because the lengths differ"), "{markdown}");
}

fn archive(served: &Served, folder: &Path, since: &str) {
    let mut command = acumen(folder);
    command.env("DEVIN_API_KEY", CANARY).args(["sync", "--base-url", &served.url(), "--since", since]);
    let outcome = run(&mut command);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// The lines of the facts, but for what only an archive knows.
fn facts_of(folder: &Path) -> Vec<String> {
    let name = files(folder).into_iter().find(|name| name.ends_with(".json")).expect("facts");
    let text = fs::read_to_string(folder.join(name)).expect("facts");
    let facts = text.split_once("\"facts\": [").expect("facts").1;
    let of_archive = ["\"merged_within_7d_rate\"", "\"members\"", "\"activation\""];
    let is_of_both = |line: &&str| !of_archive.iter().any(|metric| line.contains(metric));
    facts.lines().filter(is_of_both).map(str::to_owned).collect()
}

#[test]
fn an_archive_gives_the_same_numbers_or_says_that_it_begins_too_late() {
    let served = served();
    let folder = tempfile::tempdir().expect("a folder");
    archive(&served, folder.path(), "2025-10-01");
    let read = |folder: &Path, flags: &[&str]| {
        let mut command = acumen(folder);
        command.env_remove("DEVIN_API_KEY").args(["report", "--archive", "archive", "--out", "read"]);
        run(command.args(flags))
    };
    for (own, compared, _) in &PAIRS[1..4] {
        let flags = [own, &["--compare-with", compared][..]].concat();
        let asked = served.report(&flags);
        let outcome = read(folder.path(), &flags);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let place = folder.path().join("read");
        let (ours, theirs) = (facts_of(&place), facts_of(asked.folder.path()));
        assert!(ours.len() > 500 && ours == theirs, "{compared}: {} and {} lines", ours.len(), theirs.len());
        fs::remove_dir_all(place).expect("its folder");
    }
    let late = tempfile::tempdir().expect("a folder");
    archive(&served, late.path(), "2026-08-01");
    let week = ["--week", "2026-W41", "--trend", "3"];
    assert_eq!(read(late.path(), &week).code, Some(0));
    let outcome = read(late.path(), &[&week[..], &["--compare-with", "same-week-last-year"]].concat());
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the archive begins on 1 August 2026"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--compare-with"), "{}", outcome.stderr);
}

#[test]
fn saved_sessions_that_do_not_reach_the_chosen_period_are_not_compared_with_it() {
    let records: Vec<Value> = organisation()
        .records
        .iter()
        .filter(|record| record.created_at.date_naive() >= "2026-09-14".parse().expect("a date"))
        .map(|record| serde_json::from_str(&record.body).expect("JSON"))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("saved.json"), Value::from(records).to_string()).expect("a file");
    let report = |flags: &[&str]| {
        let mut command = acumen(folder.path());
        command.env_remove("DEVIN_API_KEY").args(["report", "--pages", "saved.json", "--out", "out"]);
        let outcome = run(command.args(["--week", "2026-W41", "--trend", "2"]).args(flags));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let read = |ending: &str| {
            let out = folder.path().join("out");
            let name = files(&out).into_iter().find(|name| name.ends_with(ending)).expect("a file");
            fs::read_to_string(out.join(name)).expect("a file in UTF-8")
        };
        let texts = (read(".html"), Facts(serde_json::from_str(&read(".json")).expect("JSON")));
        fs::remove_dir_all(folder.path().join("out")).expect("its folder");
        texts
    };
    let (page, facts) = report(&["--compare-with", "2026-W30"]);
    assert!(page.contains("Not compared with week 30: the saved data does not cover both."));
    assert!(page.contains("no period with such days is compared or in the trend"));
    assert!(of_period(&facts).iter().all(|fact| fact["previous"].is_null()));
    // The trend and who came back are known all the same.
    assert_eq!(facts.0["trend"], json!(["2026-W41", "2026-W40", "2026-W39"]));
    assert!(facts.value("returning_users", json!({})).as_f64().is_some_and(|users| users > 0.0));
    assert!(!facts.fact("sessions", json!({"period": "2026-W41"}))["previous"].is_null());
    let (page, facts) = report(&["--compare-with", "2026-W38"]);
    assert!(page.contains("Compared with week 38 (14 to 20 September 2026)."), "it is covered");
    assert!(!facts.fact("sessions", json!({}))["previous"].is_null());
    // A month of which a part is missing is none to compare with.
    let (page, _) = report(&["--compare-with", "2026-09"]);
    assert!(page.contains("Not compared with September 2026: the saved data does not cover both."));
}

#[test]
fn a_covered_report_is_compared_with_a_period_of_its_kind() {
    let served = served();
    let covered = ["--week", "2026-W41", "--profile", "leadership", "--trend", "1"];
    let with = |chosen| [&covered[..], &["--compare-with", chosen]].concat();
    let report = served.report(&with("2026-W35"));
    let facts = report.facts();
    let alone = served.report(&["--week", "2026-W35", "--profile", "leadership", "--trend", "1"]).facts();
    for metric in ["sessions", "acus", "prs", "merge_rate"] {
        let before = alone.value(metric, json!({}));
        assert_eq!(facts.fact(metric, json!({}))["previous"], *before, "{metric}");
        assert!(before.as_f64().is_some_and(|before| before > 0.0), "{metric}");
    }
    let names = files(report.folder.path());
    assert!(names.iter().any(|name| name.ends_with("2026-W41_vs-2026-W35_leadership.html")), "{names:?}");
    for chosen in ["2026-09-07_2026-09-13", "2026-09"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = acumen(folder.path());
        let outcome = run(command.args(["report", "--base-url", &served.url()]).args(with(chosen)));
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("is compared with a whole week"), "{}", outcome.stderr);
    }
    // Nobody was at work before the organisation existed.
    let report = served.report(&with("2025-W30"));
    assert!(
        report.html.contains("Not compared with week 30 of 2025: fewer than five people were active in it.")
    );
    assert!(of_period(&report.facts()).iter().all(|fact| fact["previous"].is_null()));
}

#[test]
fn what_is_no_earlier_period_is_refused_before_any_request() {
    let folder = tempfile::tempdir().expect("a folder");
    for (chosen, words) in [
        ("2026-W41", "is the report's own period"),
        ("2026-10", "overlaps the report's period"),
        ("2026-W42", "is after the report's period"),
        ("last-week", "cannot be read"),
        ("same-month-last-year", "needs a report of a month, not of 2026-W41"),
    ] {
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", "http://127.0.0.1:1", "--week", "2026-W41"]);
        let outcome = run(command.args(["--compare-with", chosen]));
        assert_eq!(outcome.code, Some(2), "{chosen}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words) && outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    }
}

#[test]
fn a_settings_file_can_choose_the_same_week_last_year() {
    let served = served();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("acumen.toml"), "compare_with = \"same-week-last-year\"\n").expect("a file");
    let compared = |flags: &[&str]| {
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", &served.url(), "--config", "acumen.toml", "--out", "out"]);
        let outcome = run(command.args(["--week", "2026-W41", "--trend", "0"]).args(flags));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout.lines().next().expect("the page").to_owned()
    };
    assert!(compared(&[]).ends_with("2026-W41_vs-2025-W41.html"));
    assert!(compared(&["--compare-with", ""]).ends_with("_2026-W41.html"), "the period before");
}
