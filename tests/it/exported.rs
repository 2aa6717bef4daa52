//! The web app's export in the API's place, and accounts that are not metered: every
//! number is what the oracle works out on its own.

use std::path::Path;

use chrono::{DateTime, Utc};
use devin_simulator::{Fault, Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::attacker::runs::unzipped;
use crate::oracle::exported::{expect_exports, written};
use crate::oracle::{Asked, Kind, differences, expect};
use crate::support::{Facts, Outcome, Served, acumen, files, run};

pub(crate) const WEEK_41: Kind = Kind::Week { year: 2026, week: 41 };

pub(crate) fn organisation(seed: u64) -> Organisation {
    let first_day = "2026-08-14".parse().expect("a date");
    Organisation::invent(&Recipe {
        seed,
        sessions: 400,
        first_day,
        days: 62,
        users: 13,
        orgs: 2,
        oddity: 3.0,
        ..Recipe::demo()
    })
}

pub(crate) fn records(organisation: &Organisation) -> Vec<Value> {
    organisation.records.iter().map(|record| serde_json::from_str(&record.body).expect("JSON")).collect()
}

pub(crate) fn asked(kind: Kind, tz: chrono_tz::Tz, trend: u32) -> Asked {
    let now: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().expect("a moment");
    Asked { tz, kind, trend, now, v3: false, members: None, compare: None }
}

pub(crate) fn flags(asked: &Asked) -> Vec<String> {
    let period = match asked.kind {
        Kind::Week { year, week } => vec!["--week".to_owned(), format!("{year}-W{week:02}")],
        Kind::Month { year, month } => vec!["--month".to_owned(), format!("{year}-{month:02}")],
        Kind::Days { from, to } => {
            vec!["--from".to_owned(), from.to_string(), "--to".to_owned(), to.to_string()]
        }
    };
    let rest = ["--tz", asked.tz.name(), "--trend", &asked.trend.to_string()].map(str::to_owned);
    [period, rest.to_vec()].concat()
}

/// A report from the files in `saved`.
pub(crate) fn report(folder: &Path, flags: &[String]) -> Outcome {
    let mut command = acumen(folder);
    command.env_remove("DEVIN_API_KEY").args(["report", "--pages", "saved", "--out", "out"]).args(flags);
    run(&mut command)
}

pub(crate) fn save(folder: &Path, name: &str, text: &str) {
    let saved = folder.join("saved");
    std::fs::create_dir_all(&saved).expect("a folder");
    std::fs::write(saved.join(name), text).expect("a file");
}

/// The file of a report with this ending.
fn file(folder: &Path, ending: &str) -> Vec<u8> {
    let out = folder.join("out");
    let name = files(&out).into_iter().find(|name| name.ends_with(ending)).expect("a file");
    std::fs::read(out.join(name)).expect("its bytes")
}

pub(crate) fn text(folder: &Path, ending: &str) -> String {
    String::from_utf8(file(folder, ending)).expect("UTF-8")
}

/// Asserts that a report from these exports and the oracle agree; gives its facts.
fn agree(exports: &[Value], asked: &Asked) -> Facts {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, export) in exports.iter().enumerate() {
        let pretty = serde_json::to_string_pretty(export).expect("JSON");
        // The order of names says nothing of the order of their making.
        let (name, body) = match number {
            0 => ("z.json", pretty),
            1 => ("y.json", format!("\u{feff}{export}")),
            _ => ("x.jsonl", format!("{export}\n")),
        };
        save(folder.path(), name, &body);
    }
    let outcome = report(folder.path(), &flags(asked));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let json = text(folder.path(), ".json");
    let found = differences(&json, &expect_exports(exports, asked));
    assert!(
        found.is_empty(),
        "{} differences, {asked:?}\n{}",
        found.len(),
        found[..found.len().min(30)].join("\n")
    );
    Facts(serde_json::from_str(&json).expect("JSON"))
}

#[test]
fn exports_agree_over_seeds_zones_and_periods() {
    let month = Kind::Month { year: 2026, month: 9 };
    let days =
        Kind::Days { from: "2026-09-28".parse().expect("a date"), to: "2026-10-01".parse().expect("a date") };
    for (seed, tz, kind, trend) in [
        (1, chrono_tz::UTC, WEEK_41, 4),
        (2, chrono_tz::Europe::Berlin, WEEK_41, 7),
        (3, chrono_tz::America::New_York, month, 1),
        (4, chrono_tz::Pacific::Auckland, days, 3),
    ] {
        let all = written(&records(&organisation(seed)), "2026-08-14T00:00:00Z", "2026-10-15T00:00:00Z");
        let facts = agree(&[all], &asked(kind, tz, trend));
        assert_eq!(facts.0["source"]["api"], "export");
        assert!(facts.0["source"]["unique"].as_u64() > Some(60), "{}", facts.0["source"]);
    }
}

#[test]
fn of_exports_that_overlap_the_later_one_counts() {
    let all = records(&organisation(5));
    let newer = written(&all, "2026-09-07T00:00:00Z", "2026-10-12T00:00:00Z");
    let mut older = written(&all, "2026-08-14T00:00:00Z", "2026-09-30T00:00:00Z");
    for row in older["sessions"].as_array_mut().expect("a list") {
        row["acu_used"] = json!(0.25);
        row["pull_requests"] = json!([]);
    }
    let facts = agree(&[newer.clone(), older.clone()], &asked(WEEK_41, chrono_tz::UTC, 5));
    assert!(facts.0["source"]["duplicates"].as_u64() > Some(50), "{}", facts.0["source"]);
    // Whatever the names are.
    let other = agree(&[older, newer], &asked(WEEK_41, chrono_tz::UTC, 5));
    assert_eq!(facts.0["facts"], other.0["facts"]);
}

#[test]
fn time_beyond_an_export_is_neither_compared_nor_a_trend() {
    let all = records(&organisation(6));
    // It begins inside week 39 and ends inside week 41.
    let export = written(&all, "2026-09-23T00:00:00Z", "2026-10-09T00:00:00Z");
    let agreed = |week| {
        agree(std::slice::from_ref(&export), &asked(Kind::Week { year: 2026, week }, chrono_tz::UTC, 6))
    };
    let of_week = |facts: &Facts, week: &str| facts.fact("sessions", json!({"period": week})).clone();
    let facts = agreed(40);
    assert_eq!(facts.fact("sessions", json!({}))["previous"], Value::Null);
    assert_eq!(facts.keys("sessions", "period"), ["2026-W40"]);
    let facts = agreed(41);
    assert_eq!(facts.fact("acus", json!({}))["previous"], Value::Null);
    assert_eq!(of_week(&facts, "2026-W40")["previous"], Value::Null);
}

#[test]
fn an_export_names_people_and_says_once_what_it_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = written(&records(&organisation(7)), "2026-09-28T00:00:00Z", "2026-10-12T00:00:00Z");
    save(folder.path(), "export.json", &all.to_string());
    let mut options = flags(&asked(WEEK_41, chrono_tz::UTC, 1));
    options.extend(["--export", "csv,xlsx", "--summary", "summary.md"].map(str::to_owned));
    let outcome = report(folder.path(), &options);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    const LACKS: &str = "has no status, tags, analyses or automation";
    let page = text(folder.path(), ".html");
    assert_eq!(page.matches(LACKS).count(), 1);
    assert_eq!(outcome.stderr.matches(LACKS).count(), 1, "{}", outcome.stderr);
    let facts = Facts(serde_json::from_str(&text(folder.path(), ".json")).expect("JSON"));
    let labels = &facts.0["labels"];
    let (id, name) = labels["user"].as_object().expect("users").iter().next().expect("a user");
    assert!(id.ends_with("@example.com") && page.contains(name.as_str().expect("a name")), "{labels}");
    assert_eq!(labels["org"]["org_demo"], "The org_demo");
    for word in
        ["by tag", "Friction", "Analysis coverage", "automation</a>", "impact", "No data in this period"]
    {
        assert!(!page.contains(word), "{word}");
    }
    let book = unzipped(&file(folder.path(), ".xlsx"));
    assert!(book.iter().any(|(_, text)| text.contains(LACKS)));
    assert!(!book.iter().any(|(_, text)| text.contains("Friction") || text.contains("High-impact")));
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(summary.contains(LACKS) && !summary.contains("issues"), "{summary}");
    assert!(
        !files(&folder.path().join("out")).iter().any(|name| name.contains("tag") || name.contains("status"))
    );
}

#[test]
fn users_of_an_export_are_asked_for_by_name_or_email_and_tags_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |id: u32, email: &str, name: Value| {
        json!({"user_email": email, "user_name": name, "acu_used": 1.5, "created_at": "2026-10-07T09:00:00Z",
               "url": format!("https://app.devin.ai/sessions/{id}"), "org_id": "org_1"})
    };
    let sessions = [
        row(1, "Cleo@Example.com", json!("Cleo Lang")),
        row(2, "cleo@example.com", Value::Null),
        row(3, "dan@example.com", json!("Dan Roe")),
        json!({"user_email": "x@example.com", "acu_used": 1, "created_at": "2026-10-07T09:00:00Z", "url": "https://app.devin.ai/"}),
    ];
    let range = json!({"start": "2026-09-28T00:00:00Z", "end": "2026-10-12T00:00:00Z"});
    let padding: Vec<Value> = (10..210).map(|id| row(id, "dan@example.com", json!("Dan Roe"))).collect();
    let rows = [sessions.as_slice(), &padding].concat();
    let all = json!({"date_range": range, "sessions": rows});
    save(folder.path(), "export.json", &all.to_string());
    let week = flags(&asked(WEEK_41, chrono_tz::UTC, 1));
    let with = |flag: &str, value: &str| {
        let _ = std::fs::remove_dir_all(folder.path().join("out"));
        report(folder.path(), &[week.as_slice(), &[flag.to_owned(), value.to_owned()]].concat())
    };
    for user in ["cleo lang", "CLEO@example.com", "cleo@example.com"] {
        let outcome = with("--user", user);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let facts = Facts(serde_json::from_str(&text(folder.path(), ".json")).expect("JSON"));
        assert_eq!(facts.value("sessions", json!({"user": "cleo@example.com"})), 2);
        assert_eq!(facts.0["labels"]["user"], json!({"cleo@example.com": "Cleo Lang"}));
        // What has no id is counted as anywhere else.
        assert_eq!(facts.0["source"]["rejected"], 1);
    }
    let outcome = with("--user", "Cleo Long");
    assert!(outcome.code == Some(2) && outcome.stderr.contains("Cleo Lang"), "{}", outcome.stderr);
    let outcome = with("--tag", "auth");
    assert!(outcome.code == Some(2) && outcome.stderr.contains("has no tags"), "{}", outcome.stderr);
    let outcome = with("--org", "nowhere");
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
}

#[test]
fn too_many_records_without_an_address_are_refused_by_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let row =
        |url: &str| json!({"user_email": "a@example.com", "url": url, "created_at": "2026-10-07T09:00:00Z"});
    let sessions = [row("https://app.devin.ai/sessions/1"), row("https://app.devin.ai/sessions/")];
    save(folder.path(), "export.json", &json!({"sessions": sessions}).to_string());
    let outcome = report(folder.path(), &flags(&asked(WEEK_41, chrono_tz::UTC, 1)));
    assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
    let first = "the first: saved/export.json, record 2, url is https://app.devin.ai/sessions/";
    assert!(outcome.stderr.contains(first), "{}", outcome.stderr);
}

#[test]
fn an_export_beside_pages_counts_what_both_tell() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = records(&organisation(8));
    save(
        folder.path(),
        "export.json",
        &written(&all, "2026-09-07T00:00:00Z", "2026-10-12T00:00:00Z").to_string(),
    );
    let rows: Vec<&Value> =
        all.iter().filter(|record| record["created_at"].as_str() < Some("2026-09-07")).collect();
    save(folder.path(), "pages.json", &json!(rows).to_string());
    let outcome = report(folder.path(), &flags(&asked(WEEK_41, chrono_tz::UTC, 6)));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let facts = Facts(serde_json::from_str(&text(folder.path(), ".json")).expect("JSON"));
    assert_eq!(facts.0["source"]["api"], "export");
    assert!(facts.keys("sessions", "tag").is_empty());
    assert!(text(folder.path(), ".html").contains("counts as two people"));
}

/// A covered report has no names, whatever the file contains; the days of single sessions
/// are not in it either.
#[test]
fn a_covered_report_of_an_export_contains_no_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = written(&records(&organisation(7)), "2026-09-28T00:00:00Z", "2026-10-12T00:00:00Z");
    let mut options = flags(&asked(WEEK_41, chrono_tz::UTC, 3));
    options.extend(
        ["--profile", "leadership", "--export", "csv,xlsx", "--summary", "out/s.md"].map(str::to_owned),
    );
    for metered in [true, false] {
        if !metered {
            all["sessions"]
                .as_array_mut()
                .expect("a list")
                .iter_mut()
                .for_each(|row| row["acu_used"] = json!(0));
        }
        let _ = std::fs::remove_dir_all(folder.path().join("out"));
        save(folder.path(), "export.json", &all.to_string());
        let outcome = report(folder.path(), &options);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        for name in files(&folder.path().join("out")) {
            let bytes = std::fs::read(folder.path().join("out").join(&name)).expect("a file");
            let texts = match name.ends_with(".xlsx") {
                true => unzipped(&bytes),
                false => vec![(name.clone(), String::from_utf8(bytes).expect("UTF-8"))],
            };
            for (part, text) in texts {
                for word in ["example.com", "Name of", "app.devin.ai", "Oldest saved"] {
                    assert!(!text.contains(word), "{word} in {name}, {part}");
                }
            }
        }
        let json: Value = serde_json::from_str(&text(folder.path(), ".json")).expect("JSON");
        assert_eq!(json["source"]["metered"], metered);
        let page = text(folder.path(), ".html");
        assert_eq!(page.matches("Not metered").count(), usize::from(!metered));
        assert!(page.contains("The export covers 28 September 2026 to 11 October 2026"));
    }
}

/// Cut where they were read in pieces, exports have all of their sessions.
#[test]
fn a_long_export_is_read_in_pieces() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |id: usize| {
        format!(
            "{{\"user_name\": \"Ada\", \"user_email\": \"ada{}@example.com\", \"session_name\": \"{}\", \"acu_used\": 0.5,\n \
             \"created_at\": \"2026-10-0{}T09:00:00Z\", \"url\": \"https://app.devin.ai/sessions/{id:032x}\", \"pull_requests\": []}}",
            id % 9,
            "x, ]}".repeat(20),
            5 + id % 5,
        )
    };
    let rows: Vec<String> = (0..20_000).map(row).collect();
    let body = format!(
        "{{\n \"date_range\": {{\"start\": \"2026-09-28T00:00:00Z\", \"end\": \"2026-10-12T00:00:00Z\"}},\n \"sessions\" : [\n{}\n]}}\n",
        rows.join(",\n")
    );
    assert!(body.len() > 6_000_000);
    for packed in [false, true] {
        let bytes = if packed {
            zstd::encode_all(body.as_bytes(), 1).expect("memory")
        } else {
            body.clone().into_bytes()
        };
        let saved = folder.path().join("saved");
        let _ = std::fs::remove_dir_all(&saved);
        std::fs::create_dir(&saved).expect("a folder");
        std::fs::write(saved.join(if packed { "a.zst" } else { "a.json" }), bytes).expect("a file");
        let outcome = report(folder.path(), &flags(&asked(WEEK_41, chrono_tz::UTC, 1)));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let facts = Facts(serde_json::from_str(&text(folder.path(), ".json")).expect("JSON"));
        assert_eq!(facts.value("sessions", json!({})), 20_000);
        assert_eq!(facts.value("acus", json!({})), 10_000.0);
        assert_eq!(facts.value("sessions", json!({"user": "ada3@example.com"})), 2_222);
        let source = &facts.0["source"];
        assert_eq!((&source["pages"], &source["rejected"]), (&json!(1), &json!(0)));
    }
}

/// An organisation that is not metered, as version 3 of the API has it or version 2.
#[test]
fn accounts_that_are_not_metered_agree() {
    let served = Served::new(
        organisation(9),
        Options { faults: vec!["unmetered".parse::<Fault>().expect("a fault")], ..Options::default() },
    );
    for (key, is_v3) in [("apk_user_test", false), ("cog_test", true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let asked = Asked { v3: is_v3, members: Some(12), ..asked(WEEK_41, chrono_tz::Europe::Berlin, 4) };
        let mut command = acumen(folder.path());
        command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--out", "out"]);
        command.args(["--save-pages", "saved"]).args(flags(&asked));
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let bodies = files(&folder.path().join("saved"));
        let pages = bodies.iter().map(|name| {
            let body = std::fs::read_to_string(folder.path().join("saved").join(name)).expect("a page");
            serde_json::from_str::<Value>(&body).expect("JSON")["items"].take()
        });
        let records: Vec<Value> = pages.flat_map(|page| page.as_array().cloned().expect("a list")).collect();
        assert!(records.iter().all(|record| record["acus_consumed"] == 0));
        let expected = expect(&records, &asked);
        assert!(!expected.metered);
        let found = differences(&text(folder.path(), ".json"), &expected);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
    let mut export = written(&records(&organisation(9)), "2026-08-14T00:00:00Z", "2026-10-15T00:00:00Z");
    for row in export["sessions"].as_array_mut().expect("a list") {
        row["acu_used"] = json!(0.0);
    }
    let facts = agree(&[export], &asked(WEEK_41, chrono_tz::UTC, 4));
    assert_eq!(facts.0["source"]["metered"], false);
}

#[test]
fn twenty_zeros_are_needed_and_one_amount_is_enough() {
    let row = |id: usize, acus: Value| {
        json!({"session_id": format!("s{id}"), "created_at": format!("2026-10-0{}T10:00:00Z", 1 + id % 9), "user_id": "u",
               "acus_consumed": acus})
    };
    let metered = |amounts: Vec<Value>| {
        let folder = tempfile::tempdir().expect("a folder");
        let records: Vec<Value> = amounts.into_iter().enumerate().map(|(id, acus)| row(id, acus)).collect();
        save(folder.path(), "rows.json", &json!(records).to_string());
        let outcome = report(folder.path(), &flags(&asked(WEEK_41, chrono_tz::UTC, 1)));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let facts = Facts(serde_json::from_str(&text(folder.path(), ".json")).expect("JSON"));
        (facts.0["source"]["metered"].clone(), facts.value("acus", json!({})).clone())
    };
    assert_eq!(metered(vec![json!(0); 19]), (json!(true), json!(0)));
    assert_eq!(metered(vec![json!(0); 20]), (json!(false), Value::Null));
    assert_eq!(
        metered([vec![json!(0.0); 19], vec![json!("0")], vec![Value::Null; 9]].concat()).0,
        json!(false)
    );
    assert_eq!(metered([vec![json!(0); 19], vec![Value::Null; 9]].concat()).0, json!(true));
    assert_eq!(metered([vec![json!(0); 30], vec![json!(0.1)]].concat()).0, json!(true));
}

#[test]
fn a_month_that_is_not_covered_has_no_budget_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = written(&records(&organisation(9)), "2026-09-25T00:00:00Z", "2026-10-15T00:00:00Z");
    save(folder.path(), "export.json", &export.to_string());
    let settings = "budget = \"500\"\n[[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n";
    std::fs::write(folder.path().join("acumen.toml"), settings).expect("a file");
    let options = ["--week", "2026-W40", "--config", "acumen.toml"].map(str::to_owned);
    let outcome = report(folder.path(), &options);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let words = "the budget is left out for September 2026: the saved sessions do not cover all of that time";
    assert!(outcome.stderr.contains(&format!("note: {words}\n")), "{}", outcome.stderr);
    let page = text(folder.path(), ".html");
    assert!(page.contains("Budget of October 2026") && !page.contains("Budget of September 2026"));
}

#[test]
fn of_a_part_it_is_not_said_that_the_account_is_not_metered() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |id: usize, tag: &str, acus: f64| {
        json!({"session_id": format!("s{id}"), "created_at": format!("2026-10-0{}T10:00:00Z", 5 + id % 5),
               "user_id": "u", "tags": [tag], "acus_consumed": acus})
    };
    let rows: Vec<Value> = (0..25).map(|id| row(id, "free", 0.0)).chain([row(25, "paid", 3.0)]).collect();
    save(folder.path(), "rows.json", &json!(rows).to_string());
    let settings = "[[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n";
    std::fs::write(folder.path().join("acumen.toml"), settings).expect("a file");
    let mut options = flags(&asked(WEEK_41, chrono_tz::UTC, 1));
    options.extend(["--config", "acumen.toml", "--tag", "free"].map(str::to_owned));
    let outcome = report(folder.path(), &options);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let note = "note: no session that matches the filters has used ACUs, so prices do not apply";
    assert!(outcome.stderr.contains(note), "{}", outcome.stderr);
    let page = text(folder.path(), ".html");
    assert!(page.contains("Not metered: none of the matching sessions in the report and its trend"));
    assert!(!page.contains("account is not metered"));
}

#[test]
fn every_output_says_once_that_nothing_is_metered() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = records(&organisation(10));
    all.iter_mut().for_each(|record| record["acus_consumed"] = json!(0));
    save(folder.path(), "rows.json", &json!(all).to_string());
    let settings = "budget = \"500\"\n[[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n";
    std::fs::write(folder.path().join("acumen.toml"), settings).expect("a file");
    let mut options = flags(&asked(WEEK_41, chrono_tz::UTC, 3));
    options.extend(
        ["--config", "acumen.toml", "--export", "csv,xlsx", "--summary", "summary.md"].map(str::to_owned),
    );
    let outcome = report(folder.path(), &options);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("note: the account is not metered"), "{}", outcome.stderr);
    let page = text(folder.path(), ".html");
    assert_eq!(page.matches("Not metered").count(), 1);
    let body = page.split("<main").nth(1).expect("a body").split("<footer").next().expect("a footer");
    for word in ["ACU", "€", "Spend", "Budget"] {
        assert!(!body.contains(word), "{word}");
    }
    assert!(body.contains("Sessions by user") && body.contains("Sessions by tag"));
    let json: Value = serde_json::from_str(&text(folder.path(), ".json")).expect("JSON");
    assert!(json["budget"].is_null() && json["source"]["metered"] == false);
    let facts = json["facts"].as_array().expect("facts");
    let of_money: Vec<&Value> = facts
        .iter()
        .filter(|fact| ["acu", "EUR"].contains(&fact["unit"].as_str().expect("a unit")))
        .collect();
    assert!(of_money.len() > 50);
    assert!(of_money.iter().all(|fact| fact["value"].is_null() && fact["previous"].is_null()));
    let csv = text(folder.path(), "_whole.csv");
    assert!(csv.contains("acus,not metered,,,"), "{csv}");
    let book = unzipped(&file(folder.path(), ".xlsx"));
    let has = |word: &str| book.iter().any(|(_, text)| text.contains(word));
    assert!(has("Not metered") && has("Usage") && !has("Spend") && !has("ACUs by"));
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(summary.matches("Not metered").count() == 1 && !summary.contains("| ACU"), "{summary}");
    let mut command = acumen(folder.path());
    let name =
        files(&folder.path().join("out")).into_iter().find(|name| name.ends_with(".html")).expect("a page");
    command.args([
        "send",
        &format!("out/{name}"),
        "--mail-from",
        "a@example.com",
        "--mail-to",
        "b@example.com",
    ]);
    let outcome = run(command.args(["--eml", "mail.eml"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mail = std::fs::read_to_string(folder.path().join("mail.eml")).expect("a mail");
    let unfolded = mail.replace("\r\n ", " ");
    let subject = unfolded.lines().find(|line| line.starts_with("Subject:")).expect("a subject");
    assert!(
        subject.contains("sessions") && subject.contains("not metered") && !subject.contains("ACU"),
        "{subject}"
    );
    assert!(mail.contains("Not metered") && mail.contains("Sessions by user"));
}
