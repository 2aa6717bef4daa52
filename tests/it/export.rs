//! Exports: files beside the report with the numbers of its facts, opened by
//! the crates that other programs use and, where a Python has them, by readers
//! that share nothing with this program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};
use polars::prelude::{ParquetReader, SerReader};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, files, repository, run};

const NAME: &str = "org_demo_2026-W41";
const FRAMES: [&str; 6] = ["sessions", "pull-requests", "tags", "issues", "action-items", "feedback"];

/// Runs a report of week 41 with some formats; gives the paths that it tells.
fn export(folder: &Path, url: &str, key: &str, flags: &[&str]) -> Vec<String> {
    let command = &mut acumen(folder);
    command.env("DEVIN_API_KEY", key).args(["report", "--base-url", url]);
    let outcome =
        run(command.args(["--week", "2026-W41", "--trend", "2"]).env("ACUMEN_OUT", ".").args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout.lines().map(|line| line.trim_start_matches("./").to_owned()).collect()
}

/// A fact whose numbers are still the text that they were.
type Fact = BTreeMap<String, Box<RawValue>>;

fn facts(folder: &Path) -> Vec<Fact> {
    #[derive(serde::Deserialize)]
    struct Whole {
        facts: Vec<Fact>,
    }
    let name = files(folder).into_iter().find(|name| name.ends_with(".json")).unwrap();
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str::<Whole>(&text).unwrap().facts
}

/// Asserts that the CSV files hold exactly the facts, to the digit.
fn csv_is_the_facts(folder: &Path) -> usize {
    let mut facts = facts(folder);
    let mut lines = 0;
    let is_of_facts = |name: &String| name.ends_with("_whole.csv") || name.contains("_by-");
    for name in files(folder).into_iter().filter(|name| name.ends_with(".csv") && is_of_facts(name)) {
        let mut reader = csv::Reader::from_path(folder.join(&name)).unwrap();
        let heads = reader.headers().unwrap().clone();
        // A name is not a dimension; it is next to the user if names are known.
        let dims = heads.len() - 9 - usize::from(heads.iter().any(|head| head == "user_name"));
        for line in reader.records() {
            let line = line.unwrap();
            let cell = |head: &str| &line[heads.iter().position(|own| own == head).unwrap()];
            // Of groups whose names were made harmless the numbers tell which is which.
            let own = |fact: &Fact| {
                let group: BTreeMap<String, Value> = serde_json::from_str(fact["group"].get()).unwrap();
                let has = |(dim, key): (&String, &Value)| {
                    heads.iter().any(|head| head == dim) && key.is_null() == cell(dim).is_empty()
                };
                let text = |part: &str| match fact.get(part).map_or("null", |raw| raw.get()) {
                    "null" => String::new(),
                    text => text.trim_matches('"').to_owned(),
                };
                ["metric", "unit"].iter().all(|part| text(part) == cell(part))
                    && group.len() == dims
                    && group.iter().all(has)
                    && ["value", "numerator", "denominator", "n", "previous"]
                        .iter()
                        .all(|part| text(part) == cell(part))
            };
            let at = facts.iter().position(own).unwrap_or_else(|| panic!("{name}: no fact is {line:?}"));
            facts.swap_remove(at);
            lines += 1;
        }
    }
    assert!(facts.is_empty(), "in no CSV file: {facts:#?}");
    lines
}

/// The Python whose readers are to be used, if any.
#[expect(clippy::disallowed_methods, reason = "asked by who runs the tests, not by the program")]
pub fn readers() -> Option<std::ffi::OsString> {
    std::env::var_os("ACUMEN_READERS").filter(|python| !python.is_empty())
}

/// Opens everything with readers that are not ours.
pub fn independent_readers_agree(folder: &Path) {
    let Some(python) = readers() else { return };
    let check = repository("tests/readers/check.py");
    let json = files(folder).into_iter().filter(|name| name.ends_with(".json")).map(|name| folder.join(name));
    let output = Command::new(python).arg(check).args(json).output();
    let output = output.expect("ACUMEN_READERS names a Python");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}

#[test]
fn all_formats_hold_the_numbers_of_the_facts() {
    let served =
        Served::new(Organisation::invent(&Recipe { sessions: 700, ..Recipe::demo() }), Options::default());
    for key in [CANARY, SERVICE_CANARY] {
        let folder = tempfile::tempdir().unwrap();
        let printed = export(
            folder.path(),
            &served.url(),
            key,
            &["--org", "org_demo", "--export", "CSV,xlsx", "--export", "parquet"],
        );
        assert_eq!(printed[..3], [".html", ".json", ".xlsx"].map(|end| format!("{NAME}{end}")));
        let parquet = FRAMES.map(|frame| format!("{NAME}_{frame}.parquet"));
        assert_eq!(printed[printed.len() - 6..], parquet);
        let mut sorted = printed.clone();
        sorted.sort();
        assert_eq!(sorted, files(folder.path()), "the files printed are the files written");
        assert!(csv_is_the_facts(folder.path()) > 300);

        let book = std::fs::read(folder.path().join(format!("{NAME}.xlsx"))).unwrap();
        assert!(
            book.starts_with(b"PK") && String::from_utf8_lossy(&book).contains("xl/worksheets/sheet7.xml")
        );

        let sessions = std::fs::read(folder.path().join(&parquet[0])).unwrap();
        let sessions = ParquetReader::new(Cursor::new(sessions)).finish().unwrap();
        let periods = sessions.column("period").unwrap().str().unwrap();
        let own: Vec<usize> =
            (0..sessions.height()).filter(|at| periods.get(*at) == Some("2026-W41")).collect();
        let acus = sessions.column("acus").unwrap().f64().unwrap();
        let sum: f64 = own.iter().filter_map(|at| acus.get(*at)).sum();
        let value = |metric: &str| {
            let facts = facts(folder.path());
            let is_whole =
                |fact: &&Fact| fact["metric"].get() == format!("{metric:?}") && fact["group"].get() == "{}";
            facts.iter().find(is_whole).unwrap()["value"].get().parse::<f64>().unwrap()
        };
        assert_eq!(own.len() as f64, value("sessions"));
        assert!((sum - value("acus")).abs() < 1e-9, "{sum}");
        independent_readers_agree(folder.path());
    }
}

#[test]
fn exports_contain_money_and_teams_and_leadership_exports_no_names() {
    let served =
        Served::new(Organisation::invent(&Recipe { sessions: 700, ..Recipe::demo() }), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let settings = "[[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n\
                    [[price]]\nfrom = 2026-10-07\nper_acu = \"2.50\"\ncurrency = \"EUR\"\n\
                    [[team]]\nname = \"Payments\"\ntag = [\"pay*\", \"billing\"]\n";
    std::fs::write(folder.path().join("acumen.toml"), settings).unwrap();
    let lead = folder.path().join("lead");
    export(
        folder.path(),
        &served.url(),
        CANARY,
        &["--config", "acumen.toml", "--org", "org_demo", "--export", "csv,xlsx,parquet", "--out", "lead"],
    );
    csv_is_the_facts(&lead);
    independent_readers_agree(&lead);
    let read = |path: PathBuf| ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap();
    let texts = |name: &str, column: &str| -> BTreeSet<String> {
        let path = files(&lead).into_iter().find(|file| file.ends_with(name)).unwrap();
        let frame = read(lead.join(path));
        frame.column(column).unwrap().str().unwrap().iter().flatten().map(str::to_owned).collect()
    };
    let names: BTreeSet<String> = ["session", "user", "title", "url"]
        .iter()
        .flat_map(|column| texts("_sessions.parquet", column))
        .chain(texts("_pull-requests.parquet", "address"))
        .collect();
    assert!(names.len() > 500, "{}", names.len());

    let above = folder.path().join("above");
    let flags = ["--org", "org_demo", "--export", "csv,xlsx", "--profile", "leadership", "--out", "above"];
    export(folder.path(), &served.url(), CANARY, &flags);
    csv_is_the_facts(&above);
    assert!(!files(&above).iter().any(|name| name.ends_with(".parquet") || name.contains("user")));
    for name in files(&above).into_iter().filter(|name| name.ends_with(".csv")) {
        let text = std::fs::read_to_string(above.join(&name)).unwrap();
        assert!(!names.iter().any(|hidden| text.contains(hidden.as_str())), "{name}");
    }
}

#[test]
fn hostile_text_is_neither_a_formula_nor_a_loss() {
    let texts = [
        "=HYPERLINK(\"https://evil.example\",\"x\")",
        "+1+1",
        "-2",
        "@SUM(A1)",
        "\t=1",
        "＝1",
        " =1",
        "a;=1",
        "\"=1",
        "a,b",
        "a\"b",
        "a\r\nb",
        "'x",
        "\u{202e}=1",
        "\u{200b}",
        "<b>",
        "_x003D_1",
        "ü統計",
    ];
    let session = |(number, text): (usize, &&str)| {
        json!({
            "session_id": format!("{text}{number}"), "url": text, "status": text, "title": text, "tags": [text],
            "user_id": text, "org_id": text, "created_at": "2026-10-07T10:00:00Z", "acus_consumed": 10 + number,
            "pull_requests": [{"pr_url": format!("https://h/{text}/pull/1"), "pr_state": "merged"}],
            "session_analysis": {
                "issues": [{"impact": "high", "label": text}], "action_items": [{"type": text}]
            }
        })
    };
    let served = Served::values(texts.iter().enumerate().map(session).collect());
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &served.url(), CANARY, &["--export", "csv,xlsx,parquet"]);
    assert!(csv_is_the_facts(folder.path()) > 10 * texts.len());
    for name in files(folder.path()).into_iter().filter(|name| name.ends_with(".csv")) {
        let text = std::fs::read_to_string(folder.path().join(&name)).unwrap();
        assert!(
            text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n', '\t', '\u{202e}']),
            "{name}"
        );
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let numbers_from = reader.headers().unwrap().len() - 5;
        for line in reader.records() {
            for cell in line.unwrap().iter().take(numbers_from) {
                let begins = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
                assert!(!begins.starts_with(['=', '+', '-', '@', '＝']), "{name}: {cell:?}");
                assert!(!cell.contains(";="), "{name}: {cell:?}");
            }
        }
    }
    independent_readers_agree(folder.path());
}

#[test]
fn a_week_without_a_session_can_be_exported() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &served.url(), CANARY, &["--export", "csv,xlsx,parquet"]);
    csv_is_the_facts(folder.path());
    independent_readers_agree(folder.path());
}

#[test]
fn exports_have_the_same_bytes_on_every_run_and_any_number_of_threads() {
    let demo = |threads: &str| {
        let folder = tempfile::tempdir().unwrap();
        let command = &mut acumen(folder.path());
        let outcome =
            run(command.env("POLARS_MAX_THREADS", threads).args(["demo", "--export", "csv,xlsx,parquet"]));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let out = folder.path().join("reports");
        let read = |name: String| (name.clone(), std::fs::read(out.join(name)).unwrap());
        files(&out).into_iter().map(read).collect::<Vec<_>>()
    };
    let first = demo("1");
    assert!(first.len() > 20);
    for threads in ["1", "4"] {
        for (one, other) in first.iter().zip(demo(threads)) {
            assert!(*one == other, "{} on {threads} threads", one.0);
        }
    }
    // What is exported changes nothing on the page and in the facts.
    for end in ["html", "json"] {
        let name = format!("{NAME}.{end}");
        let committed = std::fs::read(repository("reports").join(&name)).unwrap();
        assert!(first.iter().any(|(own, bytes)| *own == name && *bytes == committed), "{name}");
    }
}

#[test]
fn exports_of_an_earlier_run_are_removed_and_reported() {
    let served =
        Served::new(Organisation::invent(&Recipe { sessions: 200, ..Recipe::demo() }), Options::default());
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &served.url(), CANARY, &["--org", "org_demo", "--export", "csv,xlsx"]);
    std::fs::write(folder.path().join(format!("{NAME}_by-category.csv")), "old").unwrap();
    std::fs::write(folder.path().join(format!("{NAME}_by-hand.csv")), "mine").unwrap();
    let command = &mut acumen(folder.path());
    command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--week", "2026-W41"]);
    let outcome = run(command.args(["--trend", "2", "--out", "."]).env("ACUMEN_EXPORT", "csv"));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let names = files(folder.path());
    for (gone, is_there) in
        [(".xlsx", false), ("_by-category.csv", false), ("_whole.csv", true), ("_by-hand.csv", true)]
    {
        assert_eq!(names.contains(&format!("{NAME}{gone}")), is_there, "{gone}");
    }
    assert!(outcome.stderr.contains(&format!("removed ./{NAME}.xlsx")), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(&format!("removed ./{NAME}_by-category.csv")), "{}", outcome.stderr);
}

#[test]
fn a_format_that_there_is_not_is_refused_before_the_work() {
    for wrong in ["ods", "csv,ods", "csv;xlsx", " "] {
        let folder = tempfile::tempdir().unwrap();
        // Nothing listens there, and no request is sent.
        let flags = ["report", "--base-url", "http://127.0.0.1:9", "--export", wrong];
        let outcome = run(acumen(folder.path()).args(flags));
        assert_eq!(outcome.code, Some(2), "{wrong}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("--export"), "{}", outcome.stderr);
        assert!(outcome.stderr.lines().last().unwrap().starts_with("hint: "), "{}", outcome.stderr);
        assert!(files(folder.path()).is_empty());
    }
}

#[test]
fn an_empty_list_of_formats_overrides_the_settings() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("settings.toml"), "export = [\"csv\", \"xlsx\"]\n").unwrap();
    let paths = |flags: &[&str]| {
        let config = ["--config", "settings.toml"];
        export(folder.path(), &served.url(), CANARY, &[&config, flags].concat()).len()
    };
    assert!(paths(&[]) > 3);
    assert_eq!(paths(&["--export", ""]), 2);
    assert_eq!(paths(&["--export="]), 2);
    assert!(paths(&["--export", "csv"]) > 2);
}
