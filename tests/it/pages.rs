//! Saved pages in the API's place: whatever their shape, the facts are those of
//! a run that asked, and nobody is asked again.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use devin_simulator::{Fault, Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::support::{
    CANARY, Outcome, SERVICE_CANARY, Served, acumen, files, holds_no_key, run, shows_no_key, slow_tests,
    without_members,
};

const WEEK: [&str; 4] = ["--week", "2026-W41", "--trend", "3"];

fn organisation() -> Organisation {
    Organisation::invent(&Recipe { sessions: 400, ..Recipe::demo() })
}

/// The facts that a run wrote: what the source tells of the way is apart.
#[derive(Debug, PartialEq)]
struct Written {
    /// The lines of the facts, byte for byte.
    facts: String,
    head: Value,
    source: Value,
}

fn written(folder: &Path) -> Written {
    let name = files(folder)
        .into_iter()
        .find(|name| name.contains("2026-W41") && name.ends_with(".json"))
        .expect("facts");
    let text = fs::read_to_string(folder.join(name)).expect("facts in UTF-8");
    let facts = without_members(text.split_once("\"facts\": [").expect("facts").1);
    let mut head: Value = serde_json::from_str(&text).expect("JSON");
    let mut source = head["source"].take();
    for name in ["requests", "retries", "saved"] {
        source[name].take();
    }
    for name in ["facts", "generated_at", "labels", "notices", "tool", "source"] {
        head[name].take();
    }
    Written { facts, head, source }
}

/// A run over the network that keeps its answers.
fn asked(served: &Served, key: &str, folder: &Path, flags: &[&str]) -> Outcome {
    let command = &mut acumen(folder);
    command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--out", "."]);
    run(command.args(["--save-pages", "pages", "--no-reconcile"]).args(WEEK).args(flags))
}

/// A run that has no key and no server to ask.
fn read(folder: &Path, path: &Path, flags: &[&str]) -> Outcome {
    let mut command = acumen(folder);
    command.env_remove("DEVIN_API_KEY");
    command.args(["report", "--base-url", "http://127.0.0.1:1", "--out", "."]).args(WEEK).args(flags);
    let is_stdin = flags.contains(&"--pages");
    if !is_stdin {
        command.arg("--pages").arg(path);
        return run(&mut command);
    }
    let output = command.stdin(File::open(path).expect("a file")).stdout(Stdio::piped()).output();
    let output = output.expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn bodies(folder: &Path) -> Vec<String> {
    let mut names = files(folder);
    names.sort();
    names.iter().map(|name| fs::read_to_string(folder.join(name)).expect("a page")).collect()
}

fn records(bodies: &[String]) -> Vec<Value> {
    let page = |body: &String| serde_json::from_str::<Value>(body).expect("a page")["items"].take();
    bodies.iter().flat_map(|body| page(body).as_array().cloned().expect("a list")).collect()
}

fn lines<T: ToString>(values: &[T]) -> String {
    values.iter().map(|value| format!("{}\n", value.to_string())).collect()
}

/// The same sessions as one text, in every shape that is read.
fn shapes(bodies: &[String]) -> Vec<(&'static str, String)> {
    let records = records(bodies);
    let arrays: Vec<Value> = records.chunks(30).map(|chunk| Value::from(chunk.to_vec())).collect();
    let pretty = |record: &Value| serde_json::to_string_pretty(record).expect("JSON");
    vec![
        ("pages", bodies.concat()),
        ("lines of pages", lines(bodies)),
        ("array", Value::from(records.clone()).to_string()),
        ("pretty array", pretty(&Value::from(records.clone()))),
        ("lines of arrays", lines(&arrays)),
        ("records", lines(&records)),
        ("pretty records", records.iter().map(pretty).collect()),
        ("with a mark", format!("\u{feff}{}", lines(&records))),
        ("records and a page", format!("{}{}", lines(&records[..40]), last(&bodies[0], &records[40..]))),
    ]
}

/// A page of its own with these sessions, in the generation of another.
fn last(like: &str, sessions: &[Value]) -> Value {
    let end = if like.contains("has_next_page") { "has_next_page" } else { "has_more" };
    json!({"items": sessions, end: false, "total": sessions.len()})
}

fn packed(text: &str, how: usize) -> (&'static str, Vec<u8>) {
    match how {
        0 => (".json", text.as_bytes().to_vec()),
        1 => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(text.as_bytes()).expect("memory");
            (".gz", gzip.finish().expect("memory"))
        }
        _ => (".zst", zstd::encode_all(text.as_bytes(), 1).expect("memory")),
    }
}

fn every_shape(key: &str) {
    let served = Served::new(organisation(), Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = asked(&served, key, folder.path(), &["--page-size", "70", "--org", "org_demo"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let expected = written(folder.path());
    drop(served);
    let bodies = bodies(&folder.path().join("pages"));
    assert!(bodies.len() > 2, "{} pages", bodies.len());
    for (number, (shape, text)) in shapes(&bodies).iter().enumerate() {
        // Otherwise each shape is packed in one way.
        for how in (0..3).filter(|how| slow_tests() || number % 3 == *how) {
            let (ending, bytes) = packed(text, how);
            let out = tempfile::tempdir().expect("a folder");
            let place = out.path().join("saved");
            fs::create_dir(&place).expect("a folder");
            // As a file the name says nothing.
            let way = (number + how) % 3;
            let file = place.join(if way == 1 { format!("a{ending}") } else { "a".to_owned() });
            fs::write(&file, bytes).expect("a file");
            let org = ["--org", "org_demo"];
            let outcome = match way {
                0 => read(out.path(), &file, &org),
                1 => read(out.path(), &place, &org),
                _ => read(out.path(), &file, &[&org[..], &["--pages", "-"]].concat()),
            };
            assert_eq!(outcome.code, Some(0), "{shape} {ending} {way}: {}", outcome.stderr);
            let found = written(out.path());
            let mut source = found.source.clone();
            source["pages"] = expected.source["pages"].clone();
            // Arrays and lines prove nothing.
            let completeness = std::mem::replace(&mut source["completeness"], json!("proven"));
            assert_eq!(completeness == "unproven", !shape.ends_with("pages"), "{shape}");
            let all = Written { source, ..found };
            assert_eq!(all, expected, "{shape} {ending} {way}");
        }
    }
}

#[test]
fn every_shape_of_v2_gives_the_facts_of_the_api() {
    every_shape(CANARY);
}

#[test]
fn every_shape_of_v3_gives_the_facts_of_the_api() {
    every_shape(SERVICE_CANARY);
}

#[test]
fn a_run_can_be_made_again_from_its_pages() {
    for (key, flags) in [
        (CANARY, &["--page-size", "30", "--concurrency", "4"][..]),
        (CANARY, &["--page-size", "1000", "--concurrency", "1"]),
        (SERVICE_CANARY, &["--page-size", "10", "--concurrency", "4"]),
        (SERVICE_CANARY, &["--page-size", "25", "--concurrency", "1"]),
    ] {
        // Walks begin anew, answers are cut short, sessions come twice.
        let faults = ["drift=5", "truncate=9", "dup=11"];
        let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
        let served = Served::new(organisation(), Options { faults, ..Options::default() });
        let folder = tempfile::tempdir().expect("a folder");
        let outcome = asked(&served, key, folder.path(), flags);
        assert_eq!(outcome.code, Some(0), "{flags:?}: {}", outcome.stderr);
        drop(served);
        let pages = folder.path().join("pages");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&pages), 0o700);
        for name in files(&pages) {
            assert_eq!(mode(&pages.join(&name)), 0o600, "{name}");
        }
        shows_no_key(&pages);
        let out = tempfile::tempdir().expect("a folder");
        let outcome = read(out.path(), &pages, &[]);
        assert_eq!(outcome.code, Some(0), "{flags:?}: {}", outcome.stderr);
        assert_eq!(written(out.path()), written(folder.path()), "{flags:?}");
        let source = &facts(out.path())["source"];
        assert_eq!(
            (&source["requests"], &source["completeness"]),
            (&json!(0), &json!("proven")),
            "{flags:?}"
        );
    }
}

fn facts(folder: &Path) -> Value {
    let name = files(folder)
        .into_iter()
        .find(|name| name.contains("2026-W41") && name.ends_with(".json"))
        .expect("facts");
    serde_json::from_str(&fs::read_to_string(folder.join(name)).expect("facts")).expect("JSON")
}

fn page(folder: &Path) -> String {
    let name = files(folder)
        .into_iter()
        .find(|name| name.contains("2026-W41") && name.ends_with(".html"))
        .expect("a page");
    fs::read_to_string(folder.join(name)).expect("a page in UTF-8")
}

/// Files of these names and texts in a folder of their own.
fn saved(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("saved");
    fs::create_dir(&place).expect("a folder");
    for (name, text) in files {
        fs::write(place.join(name), text).expect("a file");
    }
    (folder, place)
}

fn session(id: &str, day: &str) -> String {
    format!(
        r#"{{"session_id": "{id}", "created_at": "2026-10-{day}T10:00:00Z", "org_id": "o", "tags": ["t"]}}"#
    )
}

fn envelope(sessions: &[String], more: bool, total: u64) -> String {
    format!(r#"{{"items": [{}], "has_more": {more}, "total": {total}}}"#, sessions.join(","))
}

#[test]
fn missing_pages_are_reported_and_can_be_allowed() {
    let [a, b, c] = [("a", "05"), ("b", "06"), ("c", "11")].map(|(id, day)| session(id, day));
    let first = envelope(&[a.clone(), b.clone()], true, 3);
    let last = envelope(&[c], false, 3);
    let (folder, place) = saved(&[("9.json", &first), ("10.json", &last)]);
    let outcome = read(folder.path(), &place, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    // The pages of one walk in another order are still all of it.
    let (folder, place) = saved(&[("b.json", &first), ("a.json", &last)]);
    assert_eq!(read(folder.path(), &place, &[]).code, Some(0));
    // And of an incomplete walk the note says how much came, whatever the order.
    let (first_of_4, last_of_4) = (first.replace(": 3", ": 4"), last.replace(": 3", ": 4"));
    let (folder, place) = saved(&[("b.json", &first_of_4), ("a.json", &last_of_4)]);
    let outcome = read(folder.path(), &place, &[]);
    assert!(outcome.stderr.contains("server reports 4 sessions; received 3 distinct"), "{}", outcome.stderr);
    for (files, reason) in [
        ([("1.json", first.as_str())], "the last page announces more"),
        ([("1.json", last.as_str())], "server reports 3 sessions; received 1 distinct"),
    ] {
        let (folder, place) = saved(&files);
        let outcome = read(folder.path(), &place, &[]);
        assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains(reason) && outcome.stderr.contains("nothing written"),
            "{reason}: {}",
            outcome.stderr
        );
        assert!(files_of_report(folder.path()).is_empty());
        let outcome = read(folder.path(), &place, &["--allow-partial"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(facts(folder.path())["source"]["completeness"], "incomplete");
        assert!(page(folder.path()).contains("This report may be incomplete"));
    }
}

fn files_of_report(folder: &Path) -> Vec<String> {
    files(folder).into_iter().filter(|name| name.ends_with(".html") || name.ends_with(".json")).collect()
}

#[test]
fn unknown_data_is_noted_on_the_page() {
    let (folder, place) = saved(&[("a.ndjson", &format!("{}\n{}", session("a", "05"), session("b", "08")))]);
    fs::write(place.join("notes.txt"), "x").expect("a file");
    let outcome = read(folder.path(), &place, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("skipped 1 file"), "{}", outcome.stderr);
    let page = page(folder.path());
    for words in [
        "Read from saved pages ",
        "as saved: completeness is unknown",
        "The saved sessions begin on 5 October 2026: there is no data on earlier days",
        "The saved sessions end on 8 October 2026, before the end of the period",
        ">as saved<",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("may ignore the request"));
    assert_eq!(facts(folder.path())["source"]["api"], "v2");
}

#[test]
fn rows_outside_the_question_are_passed_over() {
    let other = session("d", "07").replace("\"org_id\": \"o\"", "\"org_id\": \"p\"");
    let untagged = session("e", "07").replace("\"t\"", "");
    let old: Vec<String> =
        (0..200).map(|n| format!(r#"{{"session_id": "x{n}", "created_at": "2025-01-01"}}"#)).collect();
    let nowhere = session("f", "08").replace("\"org_id\": \"o\", ", "");
    let all = [vec![session("a", "05"), other, untagged, nowhere], old].concat();
    let (folder, place) = saved(&[("a.json", &format!("[{}]", all.join(",")))]);
    let outcome = read(folder.path(), &place, &["--org", "o", "--tag", "t"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let facts = facts(folder.path());
    let source = &facts["source"];
    assert_eq!(
        (&source["unique"], &source["outside"], &source["pages"]),
        (&json!(2), &json!(202), &json!(1))
    );
    assert!(!page(folder.path()).contains("may ignore the request"));
    assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
}

#[test]
fn the_latest_row_of_a_session_says_whether_it_is_in_question() {
    let row = |id: &str, created: &str, updated: &str, more: &str| {
        format!(
            r#"{{"session_id": "{id}", "created_at": "2026-{created}T10:00:00Z",
                "updated_at": "{updated}", "acus_consumed": 1{more}}}"#
        )
    };
    let in_question = r#", "tags": ["t"], "org_id": "o", "user_id": "u""#;
    let of = |old: &str, new: &str| in_question.replace(old, new);
    let was = row("a", "10-05", "2026-10-05T11:00:00Z", in_question);
    let other = row("b", "10-06", "2026-10-06T11:00:00Z", in_question);
    let late = "2026-10-07T11:00:00Z";
    let elsewhere = [
        row("devin-a", "10-05", late, &of("\"t\"", "\"x\"")),
        row("a", "10-05", late, &of("\"o\"", "\"p\"")),
        row("a", "10-05", late, &of("\"u\"", "\"w\"")),
        row("a", "01-05", late, in_question),
        // Neither says which is fresher: the later one counts.
        row("a", "10-05", "2026-10-05T11:00:00Z", &of("\"t\"", "\"x\"")),
    ];
    let shown_of = |rows: &[&String]| {
        let lines: Vec<&str> = rows.iter().map(|row| row.as_str()).collect();
        let (folder, place) = saved(&[("a.ndjson", &lines.join("\n"))]);
        let outcome =
            read(folder.path(), &place, &["--org", "o", "--tag", "t", "--user", "u", "--allow-empty"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let facts = facts(folder.path());
        let whole = |fact: &&Value| fact["metric"] == "acus" && fact["group"] == json!({});
        let acus = facts["facts"].as_array().unwrap().iter().find(whole).expect("ACUs")["value"].clone();
        let source = &facts["source"];
        (acus, [&source["unique"], &source["duplicates"], &source["outside"]].map(Value::clone))
    };
    for (number, now) in elsewhere.iter().enumerate() {
        let gone = (json!(1), [json!(1), json!(1), json!(1)]);
        assert_eq!(shown_of(&[&was, &other, now]), gone, "{number}");
        if number < 4 {
            assert_eq!(shown_of(&[now, &was, &other]), gone, "{number}");
        } else {
            assert_eq!(shown_of(&[now, &was, &other]), (json!(2), [json!(2), json!(0), json!(1)]));
        }
        // What lies outside now may have been so before as well.
        let again = row("a", "10-05", "2026-10-08T11:00:00Z", in_question);
        assert_eq!(
            shown_of(&[now, &again, &other, &was]),
            (json!(2), [json!(2), json!(1), json!(1)]),
            "{number}"
        );
    }
}

#[test]
fn mixed_api_versions_are_accepted_and_reported() {
    let v3 = r#"{"session_id": "devin-z", "created_at": 1791300000, "origin": "slack"}"#;
    let (folder, place) = saved(&[("a.ndjson", &session("a", "05")), ("b.ndjson", v3)]);
    assert_eq!(read(folder.path(), &place, &[]).code, Some(0));
    assert_eq!(facts(folder.path())["source"]["api"], "v2");
    assert_eq!(facts(folder.path())["source"]["unique"], 2);
    assert!(page(folder.path()).contains("are from both API versions"));
    assert_eq!(read(folder.path(), &place, &["--api", "v3"]).code, Some(0));
    assert_eq!(facts(folder.path())["source"]["api"], "v3");
}

#[test]
fn invalid_pages_are_refused_with_file_and_line() {
    let good = session("a", "05");
    for (name, text, code, words) in [
        ("a.json", "{\"detail\": \"Unauthorized\"}".to_owned(), 65, "a.json, line 1: neither a page"),
        ("a.json", "<html>".to_owned(), 65, "a.json, line 1: not valid JSON"),
        ("a.json", format!("{good}\n{good}\n{{\"a\": }}\n"), 65, "a.json, line 3: not valid JSON"),
        ("a.json", format!("{good}\n\n7\n"), 65, "a.json, line 3: neither"),
        ("a.json", format!("{good}\n{{\"session_id\": \"x"), 65, "line 2: the JSON ends in the middle"),
        ("a.json", format!("[{good}"), 65, "line 1: the JSON ends in the middle"),
        ("a.json", format!("[[{good}]]"), 65, "1 of 1 sessions in "),
        ("a.json", "[null, 1]".to_owned(), 65, "2 of 2 sessions in "),
        ("a.json", " \n".to_owned(), 65, " is empty"),
        ("a.json", "\u{feff}{\0\"\0".to_owned(), 65, "UTF-16 or binary"),
        ("a.gz", "\u{1f}x".to_owned(), 65, "not valid JSON"),
        ("a.txt", good.clone(), 2, "no saved pages in "),
    ] {
        let (folder, place) = saved(&[(name, &text)]);
        let outcome = read(folder.path(), &place, &[]);
        assert_eq!(outcome.code, Some(code), "{text}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{text}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: ") && files_of_report(folder.path()).is_empty());
    }
    let (folder, place) = saved(&[]);
    let outcome = read(folder.path(), &place.join("none.json"), &[]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    let cut = &packed(&good.repeat(50), 1).1[..40];
    fs::write(place.join("cut.json"), cut).expect("a file");
    let outcome = read(folder.path(), &place, &[]);
    assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("cut.json, line 1: it cannot be decompressed"), "{}", outcome.stderr);
}

#[test]
fn odd_records_cost_themselves_alone() {
    let mut rows: Vec<String> = (0..300).map(|n| session(&format!("s{n}"), "07")).collect();
    rows[7] = r#"{"session_id": "t", "url": "u", "url": "v"}"#.to_owned();
    rows[8] = session("half", "07").replace("\"t\"", "\"\\ud83d\"");
    rows.push(session("devin-s1", "07"));
    let (folder, place) = saved(&[("a.ndjson", &rows.join("\n"))]);
    fs::write(place.join("b.ndjson"), b"").expect("a file");
    let outcome = read(folder.path(), &place, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let facts = facts(folder.path());
    let source = &facts["source"];
    let counts = ["unique", "rejected", "duplicates"].map(|name| source[name].clone());
    assert_eq!(counts, [json!(299), json!(1), json!(1)]);
    assert!(outcome.stderr.contains("1 record could not be read"), "{}", outcome.stderr);
}

#[test]
fn a_long_file_of_any_shape_is_read_in_pieces() {
    // Larger than a piece; the texts hold what could be taken for an end.
    let title = "]},{\\\"[".repeat(60);
    let row =
        |n: usize| session(&format!("s{n}"), "07").replacen('{', &format!("{{\"title\": \"{title}\", "), 1);
    let rows: Vec<String> = (0..12_000).map(row).collect();
    for text in [rows.join("\n"), format!("[{}]", rows.join(",\n"))] {
        assert!(text.len() > 6 * 1024 * 1024);
        let (folder, place) = saved(&[("a.ndjson", &text)]);
        let outcome = read(folder.path(), &place, &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(facts(folder.path())["source"]["unique"], 12_000);
        // An error far into the file is reported by its line.
        let broken = format!("{}\n}}", text.trim_end());
        let (folder, place) = saved(&[("a.ndjson", &broken)]);
        let outcome = read(folder.path(), &place, &[]);
        assert!(outcome.stderr.contains("line 12001: not valid JSON"), "{}", outcome.stderr);
    }
}

#[test]
fn pages_are_kept_of_whole_walks_alone() {
    let faults = vec!["drop=3".parse::<Fault>().expect("a fault")];
    let served = Served::new(organisation(), Options { faults, ..Options::default() });
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = asked(&served, CANARY, folder.path(), &["--allow-partial"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(files(&folder.path().join("pages")), [""; 0]);
    holds_no_key(&outcome.stderr);
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("a file");
    let command = &mut acumen(folder.path());
    command.args(["report", "--base-url", &served.url(), "--save-pages", "file"]).args(WEEK);
    let outcome = run(command);
    assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--save-pages"), "{}", outcome.stderr);
}
