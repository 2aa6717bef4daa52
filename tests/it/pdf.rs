//! The PDF, read by programs of other makers: two pages, tagged, with the numbers of the facts, whatever is in
//! the report. `ACUMEN_LOOK=FOLDER` keeps the PDFs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use acumen::metrics::{Completeness, Dim};
use chrono::NaiveDate;
use devin_simulator::{Options, Organisation, Recipe};

use crate::support::{Facts, SERVICE_CANARY, Served, acumen, files, repository, run};

/// The most bytes of a PDF.
const MOST_BYTES: u64 = 300_000;

/// What a program prints about a file; `None` where it is not installed.
fn output_of(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
    let mut command = Command::new(program);
    match command.args(arguments).arg(file).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            static SAID: Once = Once::new();
            SAID.call_once(|| eprintln!("no {program}: PDFs are not read with it"));
            None
        }
    }
}

/// The text of a PDF in the order of its content, one space between words; `None` without pdftotext.
pub fn text_of(pdf: &Path) -> Option<String> {
    let output = Command::new("pdftotext").arg("-raw").arg(pdf).arg("-").output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Asserts what holds for every PDF, and gives its text.
fn judged(name: &str, pdf: &Path) -> Option<String> {
    if let Some(folder) = look() {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(pdf, folder.join(format!("{name}.pdf"))).expect("a copy");
    }
    let size = std::fs::metadata(pdf).expect("a PDF").len();
    assert!(size < MOST_BYTES, "{name}: {size} bytes");
    if let Some(info) = output_of("pdfinfo", &[], pdf) {
        let has = |line: &str, value: &str| {
            let found = info.lines().find_map(|text| text.strip_prefix(line)).unwrap_or_default();
            assert!(found.contains(value), "{name}: {line}{found}");
        };
        has("Pages:", " 2");
        has("Tagged:", "yes");
        has("Title:", "· Devin report");
        has("JavaScript:", "no");
        has("Encrypted:", "no");
        assert!(!info.contains("Author:"), "{info}");
    }
    // The catalogue is not compressed.
    let bytes = std::fs::read(pdf).expect("a PDF");
    let raw = String::from_utf8_lossy(&bytes);
    assert!(raw.contains("/Lang (en)") || raw.contains("/Lang(en)"), "{name} has a language");
    assert!(raw.contains("<pdfuaid:part>1</pdfuaid:part>"), "{name} follows PDF/UA-1");
    if let Some(check) = output_of("qpdf", &["--check"], pdf) {
        assert!(check.contains("No syntax or stream encoding errors"), "{name}: {check}");
        assert!(!check.to_lowercase().contains("warning"), "{name}: {check}");
    }
    let text = text_of(pdf)?;
    assert!(text.contains("Page 1 of 2") && text.ends_with("Page 2 of 2"), "{name}: {text}");
    Some(text)
}

#[expect(clippy::disallowed_methods, reason = "asked by who runs the tests, not by the program")]
fn look() -> Option<PathBuf> {
    std::env::var_os("ACUMEN_LOOK").map(PathBuf::from)
}

/// The report of week 41 with a PDF, and its text.
fn report(name: &str, recipe: &Recipe, key: Option<&str>, flags: &[&str]) -> (Facts, Option<String>) {
    let served = Served::new(Organisation::invent(recipe), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let mut command = acumen(folder.path());
    command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--out", "out"]);
    command.args(["--export", "pdf"]).args(flags);
    if !flags.contains(&"--month") {
        command.args(["--week", "2026-W41"]);
    }
    if let Some(key) = key {
        command.env("DEVIN_API_KEY", key);
    }
    let outcome = run(&mut command);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let out = folder.path().join("out");
    let named = |ending: &str| {
        let name = files(&out).into_iter().find(|name| name.ends_with(ending));
        out.join(name.unwrap_or_else(|| panic!("no {ending}")))
    };
    let json = std::fs::read_to_string(named(".json")).unwrap();
    (Facts(serde_json::from_str(&json).unwrap()), judged(name, &named(".pdf")))
}

/// Facts rendered as PDF, and its text.
fn rendered(name: &str, facts: &acumen::metrics::Facts, flags: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("facts.json"), facts.to_json()).unwrap();
    let mut command = acumen(folder.path());
    let outcome = run(command.args(["render", "facts.json", "--format", "pdf"]).args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    judged(name, &folder.path().join("facts.pdf"))
}

fn demo() -> acumen::metrics::Facts {
    let json = std::fs::read_to_string(repository("reports/org_demo_2026-W41.json")).unwrap();
    acumen::metrics::Facts::from_json(&json).unwrap()
}

/// Two weeks, of which the second is week 41.
fn october() -> Recipe {
    let first_day = NaiveDate::from_ymd_opt(2026, 9, 28).unwrap();
    Recipe { first_day, days: 14, seed: 41, ..Recipe::default() }
}

#[test]
fn the_demo_has_its_sections_and_the_same_bytes_again() {
    let folder = tempfile::tempdir().unwrap();
    let facts = repository("reports/org_demo_2026-W41.json");
    let made = |out: &str| {
        let mut command = acumen(folder.path());
        let command = command.arg("render").arg(&facts).args(["--format", "pdf", "--out", out]);
        assert_eq!(run(command).code, Some(0));
        folder.path().join(out).join("org_demo_2026-W41.pdf")
    };
    let (one, other) = (made("one"), made("other"));
    assert!(std::fs::read(&one).unwrap() == std::fs::read(&other).unwrap(), "the same facts, other bytes");
    let Some(text) = judged("demo", &one) else { return };
    for words in [
        "Halden demo",
        "Week 41, 5 to 11 October 2026, UTC",
        "This organisation is invented",
        "What stands out",
        "What to fix",
        "ACUs by day",
        "From session to merge",
        "Merge rate over time",
        "ACUs by user",
        "Merge rate by repository",
        "Definitions",
        "Dmitri Dvořák",
        "Complete: no session is missing.",
    ] {
        assert!(text.contains(words), "no {words:?}\n{text}");
    }
}

#[test]
fn a_week_without_sessions_has_two_pages() {
    let (_, text) = report("empty", &Recipe { sessions: 0, ..october() }, None, &[]);
    let Some(text) = text else { return };
    assert!(text.contains("Sessions 0") && text.contains("There is no data for charts."), "{text}");
}

#[test]
fn a_crowded_week_has_two_pages() {
    let crowd = Recipe { sessions: 3000, users: 1000, tags: 400, name_length: Some(200), ..october() };
    let (_, text) = report("crowd", &crowd, None, &[]);
    assert!(text.is_none_or(|text| text.contains("more are in the full report.")));
}

#[test]
fn v3_leadership_and_a_month_have_two_pages() {
    let (_, text) = report("v3", &Recipe::demo(), Some(SERVICE_CANARY), &["--paper", "letter"]);
    assert!(text.is_none_or(|text| text.contains("v3")));
    let (facts, text) = report("leadership", &Recipe::demo(), None, &["--profile", "leadership"]);
    assert_eq!(facts.0["source"]["people"], "hidden");
    if let Some(text) = text {
        assert!(text.contains("People are hidden") && !text.contains("ACUs by user"), "{text}");
        assert!(!text.contains("Priya Unger"), "{text}");
        // Where nothing is to be fixed, the first page has all charts.
        let (first, _) = text.split_once("Page 1 of 2").expect("two pages");
        assert!(first.contains("Merge rate over time") && !text.contains("More charts"), "{text}");
    }
    report("month", &Recipe::demo(), None, &["--month", "2026-09"]);
}

/// Names that would be markup, that are read from right to left, long ones, and letters that few fonts have.
fn odd_names() -> [String; 8] {
    [
        "#import \"x\": *".to_owned(),
        "$x^2$ *bold* _it_ `raw` <label> @ref \\ // /* = [ ]".to_owned(),
        "محمد بن عبد الله الخوارزمي".to_owned(),
        "שלום עולם".to_owned(),
        "W".repeat(200),
        "山田太郎".repeat(20),
        "👩‍👩‍👧 \u{10ffff}\u{e000} 🇩🇪".to_owned(),
        "a\u{301}\u{323} \u{1d518} ข้าว हिन्दी".to_owned(),
    ]
}

/// Gives labels, repositories, tags, users and proposed improvements these names, round and round.
fn rename(facts: &mut acumen::metrics::Facts, names: &[String]) {
    let mut next = names.iter().cycle();
    let mut renamed = BTreeMap::new();
    let mut new_name = |name: &mut String| {
        let new = || next.next().expect("a cycle has no end").clone();
        *name = renamed.entry(name.clone()).or_insert_with(new).clone();
    };
    for (dimension, key) in facts.facts.iter_mut().flat_map(|fact| &mut fact.group) {
        if matches!(dimension, Dim::Label | Dim::Repo | Dim::Tag) {
            key.iter_mut().for_each(&mut new_name);
        }
    }
    facts.labels.user.values_mut().for_each(&mut new_name);
    facts.highlights.labels.iter_mut().filter_map(|row| row.label.as_mut()).for_each(&mut new_name);
    for row in &mut facts.highlights.improvements {
        new_name(&mut row.text);
        row.kind.iter_mut().for_each(&mut new_name);
        row.repos.iter_mut().for_each(&mut new_name);
        row.examples.iter_mut().filter_map(|example| example.title.as_mut()).for_each(&mut new_name);
    }
}

#[test]
fn names_are_data_and_fit_whatever_they_are() {
    let mut facts = demo();
    rename(&mut facts, &odd_names());
    facts.source.scope = "=#set page(width: 1cm) ".repeat(20);
    facts.labels.org.clear();
    facts.source.tags = odd_names().to_vec();
    for paper in ["a4", "letter"] {
        let Some(text) = rendered(&format!("names-{paper}"), &facts, &["--paper", paper]) else { return };
        for words in ["#import \"x\": *", "$x^2$ *bold* _it_", "=#set page(width: 1cm)"] {
            assert!(text.contains(words), "no {words:?}\n{text}");
        }
    }
}

#[test]
fn names_that_are_cut_alike_are_told_apart_and_no_address_is_broken() {
    let mut facts = demo();
    let names = ["one", "two"].map(|number| format!("Priya Tavares (priya.tavares.{number}@halden.example)"));
    let mut next = names.iter().cycle();
    facts.labels.user.values_mut().for_each(|name| name.clone_from(next.next().expect("it has no end")));
    let Some(text) = rendered("alike", &facts, &[]) else { return };
    for words in ["priya.tavares.one@", "priya.tavares.two@", "dev.azure.com/halden/finance/_git/billing"] {
        assert!(text.replace(' ', "").contains(words), "no {words:?}\n{text}");
    }
    // The list says how many rows it leaves out.
    let (first, _) = text.split_once("Page 1 of 2").expect("two pages");
    assert!(first.contains(" more are in the full report."), "{text}");
}

#[test]
fn alerts_and_notices_without_end_have_two_pages() {
    let mut facts = demo();
    facts.notices = vec!["W".repeat(590); 40];
    facts.source.tags = vec!["a tag with a long name ".repeat(9); 40];
    let rules =
        [("sessions", "user"), ("sessions", "tag"), ("acus", "user"), ("acus", "tag")].map(|(id, by)| {
            format!("[[alert]]\nmetric = \"{id}\"\ngroup = {{ {by} = \"*\" }}\nmin_n = 0\nabove = 0\n")
        });
    let rules = acumen::settings::parse_file(Path::new("a.toml"), &rules.concat()).unwrap().alerts;
    facts.alerts = acumen::metrics::alerts(&facts, &rules);
    let more = format!("The facts file has {} more alerts.", facts.alerts.len() - 20);
    for paper in ["a4", "letter"] {
        let Some(text) = rendered(&format!("notes-{paper}"), &facts, &["--paper", paper]) else { return };
        for words in ["more notices are in the full report", "Alert: ", &more] {
            assert!(text.contains(words), "no {words:?}\n{text}");
        }
    }
    facts.alerts.clear();
    facts.source.completeness = Completeness::Incomplete;
    let text = rendered("incomplete", &facts, &[]);
    assert!(text.is_none_or(|text| text.contains("This report may be incomplete")));
}
