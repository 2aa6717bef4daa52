//! How many pull requests are merged within seven days, by the times of syncs in an archive,
//! worked out a second time from the rows of the archive by plain loops.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use chrono::{DateTime, Utc};
use devin_simulator::{Options, Organisation, Recipe};
use polars::prelude::*;
use polars_io::prelude::{ParquetReader, ParquetWriter, SerReader};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Served, acumen, files, run};

const HOUR: i64 = 60 * 60 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// A row of pull requests of an archive.
#[derive(Clone)]
struct Entry {
    created: i64,
    session: String,
    state: String,
    address: Option<String>,
    until: Option<i64>,
    by: Option<i64>,
}

fn micros(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>().unwrap().timestamp_micros()
}

fn moments(frame: &DataFrame, name: &str) -> Vec<Option<i64>> {
    frame.column(name).unwrap().datetime().unwrap().physical().iter().collect()
}

fn texts(frame: &DataFrame, name: &str) -> Vec<Option<String>> {
    frame.column(name).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

/// Gives the pull requests of an archive times of syncs, and tells all its rows.
fn timed(archive: &Path, synced: i64) -> Vec<Entry> {
    let mut state: Value = serde_json::from_slice(&fs::read(archive.join("state.json")).unwrap()).unwrap();
    let mut all = Vec::new();
    let mut dice = 88_172_645_463_325_252_u64;
    let mut roll = move |end: i64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice % end as u64) as i64
    };
    for (path, entry) in state["files"].as_object_mut().unwrap().iter_mut() {
        if !path.starts_with("pull_requests/") {
            continue;
        }
        let bytes = fs::read(archive.join(path)).unwrap();
        let mut frame = ParquetReader::new(Cursor::new(bytes)).finish().unwrap();
        let created: Vec<i64> = moments(&frame, "created").into_iter().flatten().collect();
        let rows = created.into_iter().zip(texts(&frame, "session")).zip(texts(&frame, "state"));
        let rows = rows.zip(texts(&frame, "address"));
        let entries = rows.map(|(((created, session), state), address)| {
            let (session, state) = (session.unwrap(), state.unwrap());
            // Syncs are an hour apart, but in some weeks two days.
            let gap = if (created - 4 * DAY) / (7 * DAY) % 2 == 0 { HOUR } else { 2 * DAY };
            let by = created + roll(14 * DAY);
            let (until, by) = match (state.as_str(), roll(30)) {
                ("merged" | "closed", 0) => (None, Some(by)),
                ("merged" | "closed", _) => (Some((by - gap).max(created)), Some(by)),
                _ => (Some(synced), None),
            };
            Entry { created, session, state, address, until, by }
        });
        let entries: Vec<Entry> = entries.collect();
        for (name, values) in [
            ("undecided_until", entries.iter().map(|entry| entry.until).collect::<Int64Chunked>()),
            ("decided_by", entries.iter().map(|entry| entry.by).collect()),
        ] {
            let values =
                values.with_name(name.into()).into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
            frame.with_column(values.into_column()).unwrap();
        }
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        (entry["bytes"], entry["sha256"]) = (json!(bytes.len()), json!(hash));
        fs::write(archive.join(path), bytes).unwrap();
        all.extend(entries);
    }
    let synced = DateTime::from_timestamp_micros(synced).unwrap().to_rfc3339();
    (state["watermark"], state["until"]) = (json!(synced), json!(synced));
    fs::write(archive.join("state.json"), state.to_string()).unwrap();
    all
}

/// Value, numerator and denominator of the sessions of a time.
fn expected(entries: &[Entry], from: i64, to: i64, synced: i64) -> (Option<f64>, f64) {
    let mut own: Vec<&Entry> = entries
        .iter()
        .filter(|entry| (from..to).contains(&entry.created) && entry.address.is_some())
        .collect();
    own.sort_by(|a, b| (a.created, &a.session).cmp(&(b.created, &b.session)));
    let mut pulls: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    for entry in own {
        pulls.entry(entry.address.clone().unwrap().to_lowercase()).or_default().push(entry);
    }
    let (mut all, mut in_time, mut open) = (0.0, 0.0, 0.0);
    for rows in pulls.values() {
        let deadline = rows[0].created + 7 * DAY;
        if deadline > synced {
            continue;
        }
        all += 1.0;
        let is_merged = rows.iter().any(|row| row.state == "merged");
        let by = rows.iter().filter_map(|row| row.by).min();
        let until = rows.iter().filter_map(|row| row.until).max();
        if is_merged && by.is_some_and(|by| by <= deadline) {
            in_time += 1.0;
        } else if until.is_none_or(|until| until < deadline) && (is_merged || by.is_none()) {
            open += 1.0;
        }
    }
    let value = (all > 0.0 && open / all <= 0.05).then_some(in_time / all);
    (value, all)
}

#[test]
fn the_share_is_that_of_plain_loops() {
    let organisation = Organisation::invent(&Recipe { sessions: 3_000, ..Recipe::demo() });
    let served = Served::new(organisation, Options::default());
    let folder = tempfile::tempdir().unwrap();
    let mut sync = acumen(folder.path());
    sync.args(["sync", "--base-url", &served.url(), "--org", "org_demo", "--archive", "archive"]);
    let outcome = run(sync.args(["--since", "2026-08-01"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    // The middle of the week after the report's: some sessions are a week old by then, some not.
    let synced = micros("2026-10-15T12:00:00Z");
    let entries = timed(&folder.path().join("archive"), synced);
    let mut report = acumen(folder.path());
    report.env_remove("DEVIN_API_KEY").args(["report", "--archive", "archive", "--out", "out"]);
    let outcome = run(report.args(["--week", "2026-W41", "--trend", "6"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let out = folder.path().join("out");
    let name = files(&out).into_iter().find(|name| name.ends_with(".json")).unwrap();
    let text = fs::read_to_string(out.join(name)).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    let of = |group: Value| {
        let mut all = facts["facts"].as_array().unwrap().iter();
        all.find(|fact| fact["metric"] == "merged_within_7d_rate" && fact["group"] == group).cloned().unwrap()
    };
    let (mut known, mut unknown) = (0, 0);
    for (number, label) in (35..=41).rev().map(|week| format!("2026-W{week}")).enumerate() {
        let to = micros("2026-10-12T00:00:00Z") - number as i64 * 7 * DAY;
        let (value, all) = expected(&entries, to - 7 * DAY, to, synced);
        let mut found = vec![of(json!({"period": label}))];
        found.extend((number == 0).then(|| of(json!({}))));
        for fact in found {
            assert_eq!(fact["value"].as_f64(), value, "{label}: {fact}");
            assert_eq!(fact["n"].as_f64(), Some(all), "{label}: {fact}");
        }
        if value.is_some() { known += 1 } else { unknown += 1 }
    }
    assert!(known >= 2 && unknown >= 2, "{known} {unknown}");
    assert!(of(json!({}))["n"].as_f64().unwrap() > 10.0);
    // Facts with it are read again, and a covered report has no such number.
    assert!(acumen::metrics::Facts::from_json(&text).is_ok());
    let mut report = acumen(folder.path());
    report.env_remove("DEVIN_API_KEY").args(["report", "--archive", "archive", "--out", "covered"]);
    let outcome = run(report.args(["--week", "2026-W40", "--people", "hidden"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let out = folder.path().join("covered");
    let name = files(&out).into_iter().find(|name| name.ends_with(".json")).unwrap();
    let facts: Value = serde_json::from_str(&fs::read_to_string(out.join(name)).unwrap()).unwrap();
    assert!(facts["facts"].as_array().unwrap().iter().all(|fact| fact["metric"] != "merged_within_7d_rate"));
}
