//! What analyses say in words: merged over sessions in the facts, worked out a second time by
//! comparing every text with every other; and in archives.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::Path;

use chrono::{DateTime, Utc};
use devin_simulator::{Options, Organisation, Recipe};
use polars::prelude::*;
use polars_io::prelude::{ParquetReader, ParquetWriter, SerReader};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::oracle::records::{self, Session};
use crate::support::{CANARY, Outcome, SERVICE_CANARY, Served, acumen, files, run};

const WEEK: [&str; 6] = ["--week", "2026-W41", "--trend", "1", "--org", "org_demo"];

/// An organisation whose analyses say the same in several ways.
fn organisation() -> Organisation {
    let mut organisation = Organisation::invent(&Recipe { sessions: 2_500, ..Recipe::demo() });
    let words =
        ["checkout", "payments, please", "the ledger service", "Search", "billing and invoices", "auth"];
    for (number, record) in organisation.records.iter_mut().enumerate() {
        let mut body: Value = serde_json::from_str(&record.body).unwrap();
        let analysis = &mut body["session_analysis"];
        let lists = [
            ("/issues", "issue"),
            ("/action_items", "action_item"),
            ("/suggested_prompt/feedback_items", "summary"),
        ];
        for (list, name) in lists {
            let items = analysis.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            for (place, item) in items.enumerate() {
                let text = item[name].as_str().unwrap();
                let text = match (number + place) % 7 {
                    0 => text.to_uppercase(),
                    1 => format!("  {text} ."),
                    2 | 3 => format!("{text}: {} {}", words[number % 6], words[number / 6 % 6]),
                    4 => format!("{text}\n{}", words[number % 6]),
                    5 if number % 40 == 5 => "\u{202e} ".to_owned(),
                    _ => text.to_owned(),
                };
                item[name] = json!(text);
            }
        }
        record.body = body.to_string();
    }
    organisation
}

/// A text of a session, with what its row says besides.
#[derive(Clone)]
struct Said {
    session: usize,
    text: String,
    /// The type of an action item, or the impact of an issue.
    kind: Option<String>,
    /// The place of the issue that an action item is about.
    issue: Option<usize>,
}

/// The texts of a list of analyses, as the report reads them.
fn said(bodies: &[Value], list: &str, name: &str, kind: &str) -> Vec<Said> {
    let of = |(session, body): (usize, &Value)| {
        let items =
            body["session_analysis"].pointer(list).and_then(Value::as_array).cloned().unwrap_or_default();
        items.into_iter().filter_map(move |item| {
            let text = item[name].as_str()?.trim().to_owned();
            let issue =
                item["issue_id"].as_str().and_then(|id| id.strip_prefix("issue_")?.parse::<usize>().ok());
            let kind = item[kind].as_str().map(|kind| kind.trim().to_owned()).filter(|kind| !kind.is_empty());
            let is_text = !text.is_empty() && text != "\u{202e}";
            is_text.then_some(Said { session, text, kind, issue: issue.map(|number| number - 1) })
        })
    };
    bodies.iter().enumerate().flat_map(of).collect()
}

fn form(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().trim_end_matches(['.', ' ', ',', ':']).to_owned()
}

fn words(form: &str) -> BTreeSet<&str> {
    form.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 3).collect()
}

/// The groups of some texts.
fn groups(texts: &[Said]) -> Vec<Vec<&Said>> {
    let distinct: Vec<String> =
        texts.iter().map(|said| form(&said.text)).collect::<BTreeSet<_>>().into_iter().collect();
    let sets: Vec<BTreeSet<&str>> = distinct.iter().map(|form| words(form)).collect();
    let mut labels: Vec<usize> = (0..distinct.len()).collect();
    for one in 0..distinct.len() {
        for other in 0..one {
            let (common, all) =
                (sets[one].intersection(&sets[other]).count(), sets[one].union(&sets[other]).count());
            if common * 5 >= all * 3 && all > 0 {
                let (from, to) = (labels[one], labels[other]);
                labels.iter_mut().filter(|label| **label == from).for_each(|label| *label = to);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Said>> = BTreeMap::new();
    for said in texts {
        let place = distinct.binary_search(&form(&said.text)).unwrap();
        groups.entry(labels[place]).or_default().push(said);
    }
    groups.into_values().collect()
}

/// What all lists tell of a group, and its shown text as it came.
fn group(sessions: &[Session], group: &[&Said]) -> (Value, String) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    group.iter().for_each(|said| *counts.entry(&said.text).or_default() += 1);
    let (shown, _) = counts
        .into_iter()
        .min_by_key(|(text, count)| (Reverse(*count), text.chars().count(), *text))
        .unwrap();
    let own: BTreeSet<usize> = group.iter().map(|said| said.session).collect();
    let mut repos: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for pull in own.iter().flat_map(|session| &sessions[*session].pulls) {
        if let Some(address) = &pull.address {
            repos.entry(&pull.repo).or_default().insert(address);
        }
    }
    repos.remove("unknown");
    let mut repos: Vec<(Reverse<usize>, &str)> =
        repos.into_iter().map(|(repo, all)| (Reverse(all.len()), repo)).collect();
    repos.sort_unstable();
    let mut costliest: Vec<&Session> = own.iter().map(|session| &sessions[*session]).collect();
    costliest.sort_by(|a, b| {
        let acus = |session: &Session| session.acus.unwrap_or(-1.0);
        acus(b).total_cmp(&acus(a)).then_with(|| a.id.cmp(&b.id))
    });
    let record = json!({
        "text": shown.split_whitespace().collect::<Vec<_>>().join(" "),
        "sessions": own.len(),
        "acus": own.iter().map(|session| sessions[*session].spent()).sum::<f64>(),
        "repos": repos.iter().take(3).map(|(_, repo)| *repo).collect::<Vec<_>>(),
        "examples": costliest.iter().take(3).map(|session| session.id.clone()).collect::<Vec<_>>(),
    });
    (record, shown.to_owned())
}

/// In the order of the lists.
fn sort(groups: &mut [(Value, String)]) {
    groups.sort_by(|(a, one), (b, other)| {
        let number = |value: &Value, name: &str| value[name].as_f64().unwrap();
        let by = |name: &str| number(b, name).total_cmp(&number(a, name));
        by("sessions")
            .then_with(|| by("acus"))
            .then_with(|| one.cmp(other))
            .then_with(|| a["label"].as_str().cmp(&b["label"].as_str()))
    });
}

/// A list of facts as it is compared: examples by their ids, ACUs to the ninth digit.
fn in_order(list: &Value) -> Vec<Value> {
    let round = |number: f64| (number * 1e6).round() / 1e6;
    let of = |group: &Value| {
        let mut group = group.clone();
        let ids: Option<Vec<Value>> = group["examples"].as_array().map(|examples| {
            examples
                .iter()
                .map(|example| if example.is_string() { example.clone() } else { example["id"].clone() })
                .collect()
        });
        group["examples"] = json!(ids);
        for (_, value) in group.as_object_mut().unwrap().iter_mut().filter(|(_, value)| value.is_number()) {
            *value = json!(round(value.as_f64().unwrap()));
        }
        group
    };
    list.as_array().into_iter().flatten().map(of).collect()
}

#[test]
fn lists_are_those_of_comparing_every_text_with_every_other() {
    let organisation = organisation();
    let bodies: Vec<Value> =
        organisation.records.iter().map(|record| serde_json::from_str(&record.body).unwrap()).collect();
    let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let sessions = records::sessions(&bodies, moment("2026-10-05T00:00:00Z"), moment("2026-10-12T00:00:00Z"));
    let of_id: BTreeMap<&str, &Value> = bodies
        .iter()
        .map(|body| (body["session_id"].as_str().unwrap().trim_start_matches("devin-"), body))
        .collect();
    let own: Vec<Value> = sessions.iter().map(|session| of_id[session.id.as_str()].clone()).collect();
    let issues = said(&own, "/issues", "issue", "impact");
    let impact = |word: &str| match word.to_lowercase().as_str() {
        known @ ("high" | "medium" | "low") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let is_high = |session: usize, place: usize| {
        let word = own[session]["session_analysis"]["issues"][place]["impact"].as_str();
        word.is_some_and(|word| impact(word) == "high")
    };

    let items = said(&own, "/action_items", "action_item", "type");
    let improvements = |v3: bool| {
        let mut all: Vec<(Value, String)> = Vec::new();
        for members in groups(&items) {
            let (mut value, shown) = group(&sessions, &members);
            let mut kinds: BTreeMap<Option<&str>, usize> = BTreeMap::new();
            for said in members.iter().filter(|said| said.text == shown) {
                *kinds.entry(said.kind.as_deref()).or_default() += 1;
            }
            let kind = kinds.into_iter().max_by_key(|(kind, count)| (*count, kind.is_some(), Reverse(*kind)));
            let links = members.iter().filter_map(|said| Some((said.session, said.issue?)));
            let high: BTreeSet<_> = links.filter(|(session, place)| is_high(*session, *place)).collect();
            value["type"] = json!(kind.unwrap().0);
            value["items"] = json!(members.len());
            value["high_issues"] = if v3 { json!(high.len()) } else { Value::Null };
            all.push((value, shown));
        }
        sort(&mut all);
        all
    };
    let mut by_label: BTreeMap<Option<String>, Vec<Said>> = BTreeMap::new();
    let labelled = said(&own, "/issues", "issue", "label");
    assert_eq!(labelled.len(), issues.len());
    for (said, label) in issues.iter().zip(labelled) {
        by_label.entry(label.kind).or_default().push(said.clone());
    }
    let (mut recurring, mut recurring_total) = (Vec::new(), 0);
    for (label, texts) in by_label {
        let mut all: Vec<(Value, String)> = Vec::new();
        for members in groups(&texts) {
            let (mut value, shown) = group(&sessions, &members);
            for word in ["high", "medium", "low", "other"] {
                let is_it = |said: &&&Said| impact(said.kind.as_deref().unwrap_or_default()) == word;
                value[word] = json!(members.iter().filter(is_it).count());
            }
            value["label"] = json!(label);
            all.push((value, shown));
        }
        all.retain(|(value, _)| value["sessions"].as_u64().unwrap() >= 2);
        sort(&mut all);
        recurring_total += all.len();
        all.truncate(5);
        recurring.extend(all);
    }
    sort(&mut recurring);
    let mut feedback: Vec<(Value, String)> = Vec::new();
    for members in groups(&said(&own, "/suggested_prompt/feedback_items", "summary", "none")) {
        let (mut value, shown) = group(&sessions, &members);
        value["items"] = json!(members.len());
        feedback.push((value, shown));
    }
    sort(&mut feedback);
    let values = |all: &[(Value, String)]| {
        in_order(&all.iter().take(100).map(|(value, _)| value.clone()).collect::<Value>())
    };

    let served = Served::new(organisation, Options::default());
    for (key, v3) in [(CANARY, false), (SERVICE_CANARY, true)] {
        let out = tempfile::tempdir().unwrap();
        let mut command = acumen(out.path());
        command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--out", "."]);
        let outcome = run(command.args(WEEK));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let lists = facts(out.path())["highlights"].clone();
        let improvements = improvements(v3);
        assert!(
            improvements.len() > 12 && recurring.len() > 10 && feedback.len() > 3,
            "{} {} {}",
            improvements.len(),
            recurring.len(),
            feedback.len()
        );
        assert!(improvements[0].0["items"].as_u64() > improvements[0].0["sessions"].as_u64().map(|n| n - 1));
        assert_eq!(in_order(&lists["improvements"]), values(&improvements), "v3: {v3}");
        assert_eq!(in_order(&lists["issues"]), values(&recurring), "v3: {v3}");
        assert_eq!(in_order(&lists["feedback"]), values(&feedback), "v3: {v3}");
        assert_eq!(lists["improvements_total"], improvements.len());
        assert_eq!(lists["issues_total"], recurring_total);
        assert_eq!(lists["feedback_total"], feedback.len());
        for example in lists["improvements"][0]["examples"].as_array().unwrap() {
            let body = of_id[example["id"].as_str().unwrap()];
            assert_eq!(example["title"].as_str(), body["title"].as_str().map(str::trim));
            assert_eq!(example["url"], body["url"]);
            assert!(example["day"].as_str().unwrap().starts_with("2026-10-"));
        }
    }
}

/// The facts in a folder.
fn facts(folder: &Path) -> Value {
    let name =
        files(folder).into_iter().find(|name| name.starts_with("org_demo_2026") && name.ends_with(".json"));
    serde_json::from_str(&fs::read_to_string(folder.join(name.expect("facts"))).unwrap()).unwrap()
}

#[test]
fn an_account_that_is_not_metered_has_no_acus_of_texts() {
    let session = |number: u32| {
        json!({"session_id": format!("s{number}"), "created_at": "2026-10-07T10:00:00Z", "acus_consumed": 0,
            "org_id": "org_demo", "session_analysis": {"action_items": [
                {"type": "knowledge", "action_item": format!("Describe the ledger {}", "x".repeat(number as usize))},
                {"action_item": "y".repeat(3_000)}, {"action_item": " "}, {}]}})
    };
    let served = Served::values((0..25).map(session).collect());
    let lists = served.report(&WEEK).facts().0["highlights"].clone();
    let found = lists["improvements"].as_array().unwrap();
    assert_eq!((found.len(), &lists["improvements_total"]), (2, &json!(2)));
    assert!(found.iter().all(|group| group["acus"].is_null() && group["sessions"] == 25));
    assert_eq!(found[0]["text"], "Describe the ledger");
    assert_eq!(found[1]["text"], format!("{}…", "y".repeat(500)));
    assert_eq!((&found[1]["type"], &found[0]["type"]), (&Value::Null, &json!("knowledge")));
}

fn sync(served: &Served, folder: &Path, flags: &[&str]) -> Outcome {
    let mut command = acumen(folder);
    command.env("DEVIN_API_KEY", SERVICE_CANARY).args([
        "sync",
        "--base-url",
        &served.url(),
        "--org",
        "org_demo",
    ]);
    let outcome = run(command.args(["--since", "2026-08-01", "--archive", "archive"]).args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome
}

/// A report from the archive of a folder: its facts, and what it says.
fn report(folder: &Path, flags: &[&str]) -> (Value, String) {
    let out = tempfile::tempdir().unwrap();
    let mut command = acumen(folder);
    command.env_remove("DEVIN_API_KEY").args(["report", "--archive", "archive", "--out"]).arg(out.path());
    let outcome = run(command.args(WEEK).args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    (facts(out.path()), outcome.stderr)
}

fn table(folder: &Path, name: &str) -> DataFrame {
    let path = format!("archive/{name}/month=2026-10/{name}.parquet");
    ParquetReader::new(Cursor::new(fs::read(folder.join(path)).unwrap())).finish().unwrap()
}

/// Makes an archive one of schema 4.
fn age(folder: &Path) {
    let archive = folder.join("archive");
    let mut state: Value = serde_json::from_slice(&fs::read(archive.join("state.json")).unwrap()).unwrap();
    state["schema"] = json!(4);
    state.as_object_mut().unwrap().remove("whole_from");
    let files = state["files"].as_object_mut().unwrap();
    files.retain(|path, _| !path.starts_with("feedback/"));
    for (path, entry) in files.iter_mut().filter(|(path, _)| path.ends_with(".parquet")) {
        let old = fs::read(archive.join(path)).unwrap();
        let frame = ParquetReader::new(Cursor::new(old)).finish().unwrap();
        let added = ["status_detail", "playbook", "mode", "undecided_until", "decided_by", "text", "issue"];
        let mut frame = frame.drop_many(added);
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        (entry["bytes"], entry["sha256"]) = (json!(bytes.len()), json!(hash));
        fs::write(archive.join(path), bytes).unwrap();
    }
    fs::remove_dir_all(archive.join("feedback")).unwrap();
    fs::write(archive.join("state.json"), state.to_string()).unwrap();
}

#[test]
fn an_older_archive_is_read_without_texts_until_a_full_sync() {
    let organisation = Organisation::invent(&Recipe { sessions: 400, ..Recipe::demo() });
    let served = Served::new(organisation, Options::default());
    let folder = tempfile::tempdir().unwrap();
    sync(&served, folder.path(), &[]);
    let (whole, said) = report(folder.path(), &[]);
    assert!(!said.contains("acumen sync --full"), "{said}");
    assert!(whole["highlights"]["improvements"].as_array().unwrap().len() > 3);
    age(folder.path());
    let sound = run(acumen(folder.path()).args(["archive", "verify", "--archive", "archive"]));
    assert_eq!(sound.code, Some(0), "{}", sound.stderr);
    let (older, said) = report(folder.path(), &[]);
    assert_eq!(said.matches("acumen sync --full").count(), 1, "{said}");
    assert!(
        said.contains("texts of analyses, details of statuses, playbooks and modes of sessions"),
        "{said}"
    );
    assert!(
        older["notes"].to_string().contains("improvements, recurring issues and prompt feedback are missing")
    );
    for name in ["improvements", "issues", "feedback"] {
        assert!(older["highlights"].get(name).is_none(), "{name}");
    }
    // All but what an older archive does not know.
    let known = |facts: &Value| -> Vec<Value> {
        let is_known = |fact: &&Value| {
            ["mode", "playbook", "status_detail"].iter().all(|dim| fact["group"].get(dim).is_none())
                && fact["metric"] != "merged_within_7d_rate"
        };
        facts["facts"].as_array().unwrap().iter().filter(is_known).cloned().collect()
    };
    assert!(known(&older).len() > 100);
    assert_eq!(known(&older), known(&whole));
    // Covered reports have no texts to miss.
    let (_, said) = report(folder.path(), &["--people", "hidden"]);
    assert!(said.contains("no details of statuses, playbooks and modes of sessions"), "{said}");

    // An ordinary sync takes over what is new, and says that older sessions lack something.
    let said = sync(&served, folder.path(), &[]).stderr;
    assert!(said.contains("in this archive: acumen sync --full adds them"), "{said}");
    let (_, said) = report(folder.path(), &[]);
    assert!(said.contains("acumen sync --full"), "{said}");
    let said = sync(&served, folder.path(), &["--full"]).stderr;
    assert!(said.contains("the archive now has the texts of analyses"), "{said}");
    let (full, said) = report(folder.path(), &[]);
    assert!(!said.contains("acumen sync --full"), "{said}");
    assert_eq!(full["highlights"], whole["highlights"]);
    assert!(!sync(&served, folder.path(), &[]).stderr.contains("--full"));
    let sound = run(acumen(folder.path()).args(["archive", "verify", "--archive", "archive"]));
    assert_eq!(sound.code, Some(0), "{}", sound.stderr);
}

/// The beginning of the last sync, in microseconds.
fn watermark(folder: &Path) -> i64 {
    let state: Value = serde_json::from_slice(&fs::read(folder.join("archive/state.json")).unwrap()).unwrap();
    let moment: DateTime<Utc> = state["watermark"].as_str().unwrap().parse().unwrap();
    moment.timestamp_micros()
}

/// Syncs have their times in whole seconds.
fn next_second() {
    std::thread::sleep(std::time::Duration::from_millis(1_001));
}

#[test]
fn an_archive_knows_between_which_syncs_a_pull_request_was_decided() {
    let session = |id: &str, states: &[&str]| {
        let pulls = states.iter().enumerate().map(|(number, state)| {
            json!({"pr_url": format!("https://github.com/o/r/pull/{id}{number}"), "pr_state": state})
        });
        json!({"session_id": id, "org_id": "org_demo", "created_at": 1_791_367_200, "updated_at": 1_791_370_800,
            "status": "exit", "pull_requests": pulls.collect::<Vec<_>>()})
    };
    let times = |folder: &Path| -> Vec<(Option<i64>, Option<i64>)> {
        let pulls = table(folder, "pull_requests");
        let [until, by] = ["undecided_until", "decided_by"]
            .map(|name| pulls.column(name).unwrap().datetime().unwrap().physical().clone());
        until.iter().zip(by.iter()).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    sync(
        &Served::values(vec![session("1", &["open", "merged", "draft"]), session("2", &["closed"])]),
        folder,
        &[],
    );
    let first = watermark(folder);
    assert_eq!(
        times(folder),
        [(Some(first), None), (None, Some(first)), (Some(first), None), (None, Some(first))]
    );
    let sessions_file = folder.join("archive/sessions/month=2026-10/sessions.parquet");
    let written = fs::metadata(&sessions_file).unwrap().modified().unwrap();
    next_second();
    // Nobody says that the session changed: it is asked for because of its open pull requests.
    sync(
        &Served::values(vec![session("1", &["merged", "merged", "open"]), session("2", &["closed"])]),
        folder,
        &[],
    );
    let second = watermark(folder);
    assert!(second > first);
    let expected =
        [(Some(first), Some(second)), (None, Some(first)), (Some(second), None), (None, Some(first))];
    assert_eq!(times(folder), expected);
    assert_eq!(fs::metadata(&sessions_file).unwrap().modified().unwrap(), written, "no session changed");
    // A full sync changes nothing of what is known.
    next_second();
    sync(
        &Served::values(vec![session("1", &["merged", "merged", "closed"]), session("2", &["closed"])]),
        folder,
        &["--full"],
    );
    let third = watermark(folder);
    let expected =
        [(Some(first), Some(second)), (None, Some(first)), (Some(second), Some(third)), (None, Some(first))];
    assert_eq!(times(folder), expected);
}
