//! Archives that somebody has tampered with, hashes and all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};
use polars_parquet_format::thrift::protocol::{TCompactInputProtocol, TCompactOutputProtocol};
use polars_parquet_format::{FileMetaData, PageHeader};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{MOST_MEMORY, measured, refused, steers_nothing};
use crate::support::{Outcome, Served, acumen, run};

/// An archive that a sync made, to be copied and tampered with.
struct Original {
    folder: tempfile::TempDir,
    /// Its Parquet files, by their path in it.
    files: Vec<String>,
    served: Served,
}

fn original() -> Original {
    let folder = tempfile::tempdir().expect("a folder");
    let first_day = "2026-06-01".parse().expect("a day");
    let recipe = Recipe { sessions: 700, first_day, days: 130, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let outcome = run(&mut syncing(&served, folder.path()));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let state = state(folder.path());
    let files = state["files"].as_object().expect("files").keys();
    let files: Vec<String> = files.filter(|path| path.ends_with(".parquet")).cloned().collect();
    assert!(files.len() >= 25, "{files:?}");
    Original { folder, files, served }
}

fn syncing(served: &Served, folder: &Path) -> Command {
    let mut command = acumen(folder);
    let flags = ["--org", "org_demo", "--archive", "archive", "--since", "2026-06-01"];
    command.args(["sync", "--base-url", &served.url()]).args(flags);
    command
}

fn state(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("archive/state.json")).expect("a state");
    serde_json::from_str(&text).expect("JSON")
}

fn keep(folder: &Path, state: &Value) {
    fs::write(folder.join("archive/state.json"), state.to_string()).expect("a state");
}

impl Original {
    /// A copy whose files are what `change` makes of them, with a state that
    /// says the same.
    fn tampered(&self, mut change: impl FnMut(usize, &str, Vec<u8>) -> Vec<u8>) -> tempfile::TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        let mut state = state(self.folder.path());
        for path in state["files"].as_object().expect("files").keys() {
            let (from, to) = (self.path(path), copy.path().join("archive").join(path));
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(from, to).expect("a copy");
        }
        for (number, path) in self.files.iter().enumerate() {
            let bytes = change(number, path, self.bytes(path));
            state["files"][path]["bytes"] = json!(bytes.len());
            let digest = Sha256::digest(&bytes);
            state["files"][path]["sha256"] =
                json!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            fs::write(copy.path().join("archive").join(path), bytes).expect("a file");
        }
        keep(copy.path(), &state);
        copy
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("archive").join(path)
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.path(path)).expect("a file")
    }
}

/// The commands that read an archive; reports begin in different months.
fn readers(folder: &Path) -> [Command; 2] {
    let [mut verify, mut report] = [acumen(folder), acumen(folder)];
    verify.args(["archive", "verify", "--archive", "archive"]);
    report.args(["report", "--archive", "archive", "--month", "2026-09", "--trend", "2", "--out", "out"]);
    [verify, report]
}

/// Runs a command, which must end with an error about damaged data or well.
fn survives(command: &mut Command, what: &str) -> Outcome {
    let (outcome, memory) = measured(command);
    assert!(matches!(outcome.code, Some(0 | 65)), "{what}: {:?}\n{}", outcome.code, outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{what}: {}", outcome.stderr);
    assert!(memory < MOST_MEMORY, "{what}: {memory} KiB");
    if outcome.code == Some(65) {
        assert!(
            outcome.stderr.contains("\nhint: ") && outcome.stderr.contains("damaged"),
            "{}",
            outcome.stderr
        );
    }
    steers_nothing(&outcome);
    outcome
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }
}

fn footer(bytes: &[u8]) -> usize {
    let tail = bytes.len() - 8;
    tail - u32::from_le_bytes(bytes[tail..tail + 4].try_into().expect("a length")) as usize
}

/// One of many ways to damage a file; `other` is another file of the archive.
fn damage(way: usize, dice: &mut Dice, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
    let (start, end) = (footer(&bytes), bytes.len());
    let any = [0, 1, 0x7f, 0x80, 0xff][dice.roll(5)];
    match way % 10 {
        0 => bytes[dice.roll(start)] ^= 1 << dice.roll(8),
        1 => bytes[start + dice.roll(end - start)] ^= 1 << dice.roll(8),
        2 => bytes.truncate(dice.roll(end)),
        3 => bytes[start + dice.roll(end - start)] = any,
        4 => bytes[end - 8..end - 4].copy_from_slice(&(dice.roll(1 << 31) as u32).to_le_bytes()),
        // A run of bytes that makes any length in it as large as it can be.
        5 => {
            let at = start + dice.roll(end - start - 14);
            bytes[at..at + 6].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        }
        // The header of the first page is behind the magic.
        6 => {
            let at = 4 + dice.roll(24);
            bytes[at..at + 5].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        }
        7 => {
            let own = footer(other);
            bytes.truncate(start);
            bytes.extend(&other[own..]);
        }
        8 => (0..20).for_each(|_| {
            let at = dice.roll(end);
            bytes[at] = dice.roll(256) as u8;
        }),
        _ => {
            let at = dice.roll(start);
            bytes.splice(at..at, std::iter::repeat_n(any, dice.roll(64)));
        }
    }
    bytes
}

#[test]
fn an_archive_that_was_tampered_with_is_damaged_data_and_no_crash() {
    let original = original();
    let (mut dice, mut damaged) = (Dice(7), 0);
    // Every file of a copy is damaged in a way of its own, and a check looks at all of them.
    for round in 0..16 {
        let copy = original.tampered(|number, _, bytes| {
            damaged += 1;
            if round % 2 == 1 {
                return damage_inside(&mut dice, bytes);
            }
            let other = &original.files[dice.roll(original.files.len())];
            damage(number + 3 * round, &mut dice, bytes, &original.bytes(other))
        });
        let [mut verify, mut report] = readers(copy.path());
        let outcome = survives(&mut verify, "verify");
        assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
        survives(&mut report, "report");
        if round == 0 {
            let outcome = survives(&mut syncing(&original.served, copy.path()), "sync");
            assert_eq!(outcome.code, Some(65), "{}", outcome.stderr);
        }
    }
    assert!(damaged >= 400, "{damaged} files");
    // A report stops at the first file, so that each of these has one.
    for way in 0..20 {
        let victim =
            original.files.iter().filter(|path| path.contains("2026-09")).nth(way % 5).expect("a file");
        let copy = original.tampered(|_, path, bytes| match path == victim {
            true => damage(way, &mut dice, bytes, &original.bytes(&original.files[0])),
            false => bytes,
        });
        let [_, mut report] = readers(copy.path());
        survives(&mut report, &format!("way {way} of {victim}"));
    }
}

/// Changes what the footer of a file claims.
fn claim(mut bytes: Vec<u8>, change: impl FnOnce(&mut FileMetaData)) -> Vec<u8> {
    let (start, end) = (footer(&bytes), bytes.len() - 8);
    let mut protocol = TCompactInputProtocol::new(&bytes[start..end], 1 << 20);
    let mut claims = FileMetaData::read_from_in_protocol(&mut protocol).expect("a footer");
    change(&mut claims);
    bytes.truncate(start);
    let length =
        claims.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut bytes)).expect("a footer");
    bytes.extend((length as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    bytes
}

/// Changes a page of a column, its header and what is behind it, and moves the rest.
fn rewrite(
    bytes: Vec<u8>,
    column: usize,
    page: usize,
    change: impl FnOnce(&mut PageHeader, &mut Vec<u8>),
) -> Vec<u8> {
    let mut own = 0..0;
    let unchanged = claim(bytes, |claims| {
        let column = claims.row_groups[0].columns[column].meta_data.as_ref().expect("a column");
        let start = column.dictionary_page_offset.unwrap_or(column.data_page_offset) as usize;
        own = start..start + column.total_compressed_size as usize;
    });
    let read = |at: usize| {
        let mut rest = &unchanged[at..];
        let mut protocol = TCompactInputProtocol::new(&mut rest, 1 << 20);
        let header = PageHeader::read_from_in_protocol(&mut protocol).expect("a page");
        let behind = unchanged.len() - rest.len();
        (behind + header.compressed_page_size as usize, behind, header)
    };
    let mut start = own.start;
    for _ in 0..page {
        let (end, ..) = read(start);
        start = if end < own.end { end } else { start };
    }
    let (end, behind, mut header) = read(start);
    let mut payload = unchanged[behind..end].to_vec();
    change(&mut header, &mut payload);
    let mut written = Vec::new();
    header.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut written)).expect("a page");
    let moved = (written.len() + payload.len()) as i64 - (end - start) as i64;
    let whole = [&unchanged[..start], &written, &payload, &unchanged[end..]].concat();
    let shifted = |at: i64| if at as usize > start { at + moved } else { at };
    claim(whole, |claims| {
        for column in &mut claims.row_groups[0].columns {
            let column = column.meta_data.as_mut().expect("a column");
            let begins = column.dictionary_page_offset.unwrap_or(column.data_page_offset) as usize;
            if begins == own.start {
                column.total_compressed_size += moved;
            }
            column.data_page_offset = shifted(column.data_page_offset);
            column.dictionary_page_offset = column.dictionary_page_offset.map(shifted);
        }
    })
}

fn claim_of_page(bytes: Vec<u8>, change: impl FnOnce(&mut PageHeader)) -> Vec<u8> {
    rewrite(bytes, 0, 0, |page, _| change(page))
}

/// Damages what is in a page, and packs it again: levels, lengths, places in a dictionary.
fn damage_inside(dice: &mut Dice, bytes: Vec<u8>) -> Vec<u8> {
    let columns = {
        let mut columns = 0;
        claim(bytes.clone(), |claims| columns = claims.row_groups[0].columns.len());
        columns
    };
    rewrite(bytes, dice.roll(columns), dice.roll(2), |page, payload| {
        let mut plain = zstd::decode_all(&payload[..]).expect("a packed page");
        for _ in 0..1 + dice.roll(4) {
            let (at, length) = (dice.roll(plain.len().min(40)), plain.len());
            // A column of gaps alone has an empty page.
            let Some(byte) = plain.get_mut(at.min(length)) else { break };
            *byte = [0, 1, 0x7f, 0x80, 0xff, dice.roll(256) as u8][dice.roll(6)];
        }
        *payload = zstd::encode_all(&plain[..], 1).expect("a page");
        page.compressed_page_size = payload.len() as i32;
    })
}

#[test]
fn claims_that_no_file_can_keep_are_not_believed() {
    let original = original();
    let billion = 2_000_000_000;
    let all_rows = |claims: &mut FileMetaData, rows: i64| {
        claims.num_rows = rows;
        for group in &mut claims.row_groups {
            group.num_rows = rows;
            group.columns.iter_mut().for_each(|column| {
                column.meta_data.as_mut().expect("a column").num_values = rows;
            });
        }
    };
    type Lie<'l> = (&'l str, Box<dyn Fn(Vec<u8>) -> Vec<u8> + 'l>);
    let lies: [Lie<'_>; 9] = [
        ("rows", Box::new(|bytes| claim(bytes, |claims| all_rows(claims, billion)))),
        ("rows below zero", Box::new(|bytes| claim(bytes, |claims| all_rows(claims, -1)))),
        ("no groups", Box::new(|bytes| claim(bytes, |claims| claims.row_groups.clear()))),
        (
            "a chunk behind the end",
            Box::new(|bytes| {
                claim(bytes, |claims| {
                    let column = claims.row_groups[0].columns[0].meta_data.as_mut().expect("a column");
                    column.total_compressed_size = i64::MAX;
                })
            }),
        ),
        (
            "a dictionary of billions",
            Box::new(|bytes| {
                claim_of_page(bytes, |page| {
                    if let Some(dictionary) = &mut page.dictionary_page_header {
                        dictionary.num_values = i32::MAX;
                    }
                    if let Some(data) = &mut page.data_page_header {
                        data.num_values = i32::MAX;
                    }
                })
            }),
        ),
        (
            "a page of gigabytes",
            Box::new(|bytes| claim_of_page(bytes, |page| page.uncompressed_page_size = i32::MAX)),
        ),
        (
            "another type",
            Box::new(|bytes| {
                claim(bytes, |claims| {
                    claims.schema[1].logical_type = None;
                    claims.schema[1].converted_type = None;
                })
            }),
        ),
        (
            "another name",
            Box::new(|bytes| claim(bytes, |claims| claims.schema[1].name = "x\u{1b}[2J".to_owned())),
        ),
        // A list of two billion row groups, in six bytes.
        (
            "a list of billions",
            Box::new(|mut bytes| {
                let start = footer(&bytes);
                bytes.truncate(start);
                // version 1, then field 2 as a list of structs.
                let footer = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00];
                bytes.extend(footer);
                bytes.extend((footer.len() as u32).to_le_bytes());
                bytes.extend(b"PAR1");
                bytes
            }),
        ),
    ];
    for (what, lie) in &lies {
        let copy = original.tampered(|_, _, bytes| lie(bytes));
        let [mut verify, mut report] = readers(copy.path());
        let outcome = survives(&mut verify, what);
        assert_eq!(outcome.code, Some(65), "{what}: {}", outcome.stderr);
        let faults = outcome.stderr.lines().filter(|line| line.starts_with("fault: ")).count();
        assert!(faults >= original.files.len(), "{what}: {}", outcome.stderr);
        assert_eq!(survives(&mut report, what).code, Some(65), "{what}");
    }
}

#[test]
fn a_state_that_somebody_made_up_neither_steers_the_terminal_nor_crashes() {
    let original = original();
    let copy = original.tampered(|_, _, bytes| bytes);
    let sound = state(copy.path());
    let evil = "x\u{1b}]0;evil\u{7}\nhint: none\u{202e}";
    let mut state = sound.clone();
    state["org"] = json!(evil);
    keep(copy.path(), &state);
    let outcome = run(&mut syncing(&original.served, copy.path()));
    refused(&outcome, 2, "x ]0;evil hint: none");
    let [mut verify, mut report] = readers(copy.path());
    assert_eq!(survives(&mut verify, "verify").code, Some(0));
    refused(&run(report.args(["--org", "org_other"])), 2, "x ]0;evil hint: none");
    steers_nothing(&run(acumen(copy.path()).args(["doctor", "--archive", "archive"])));
    for (pointer, value) in [
        ("/until", json!("+262000-01-01T00:00:00Z")),
        ("/watermark", json!("-262000-01-01T00:00:00Z")),
        ("/schema", json!("\u{1b}[2J")),
        ("/api", json!("v\u{1b}[2J\n")),
        ("/rejected", json!(u64::MAX)),
        ("/files", json!({format!("sessions/month={evil}/x"): {"rows": 1, "bytes": 1, "sha256": evil}})),
        (
            "/files",
            json!({"sessions/month=2026-09/sessions.parquet": {"rows": u64::MAX, "bytes": 1, "sha256": ""}}),
        ),
    ] {
        let mut state = sound.clone();
        *state.pointer_mut(pointer).expect("a field") = value;
        keep(copy.path(), &state);
        let [mut verify, mut report] = readers(copy.path());
        for command in [&mut verify, &mut report] {
            let outcome = survives(command, pointer);
            assert!(outcome.stderr.lines().filter(|line| line.starts_with("hint: ")).count() <= 1);
        }
    }
    // A pipe in the place of a file, and of the state.
    keep(copy.path(), &sound);
    for name in ["sessions/month=2026-09/sessions.parquet", ".files-lock", "state.json"] {
        let path = copy.path().join("archive").join(name);
        let _ = fs::remove_file(&path);
        super::pipe(&path);
        let [_, mut report] = readers(copy.path());
        let outcome = run(&mut report);
        assert!(matches!(outcome.code, Some(65 | 74)), "{name}: {:?} {}", outcome.code, outcome.stderr);
        assert!(outcome.stderr.contains("it is a named pipe"), "{}", outcome.stderr);
        fs::remove_file(&path).expect("a pipe to remove");
        if name.starts_with("sessions") {
            fs::copy(original.path(name), &path).expect("a file");
        }
    }
}
