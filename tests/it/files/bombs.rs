//! Small files of saved pages that unpack, or are decoded, to more than a machine has.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{MOST_MEMORY, measured, refused};
use crate::support::{acumen, run};

/// The beginning of a session, to which fields can be added.
const SESSION: &str = r#"{"session_id":"a","created_at":1791300000"#;

/// Reports from a file with what the function writes; it must end with these words.
fn explodes(name: &str, words: &str, write: impl FnOnce(&mut dyn Write)) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = BufWriter::new(File::create(folder.path().join(name)).expect("a file"));
    write(&mut file);
    file.flush().expect("a whole file");
    let mut command = acumen(folder.path());
    let (outcome, memory) = measured(command.args(["report", "--week", "2026-W41", "--pages", name]));
    refused(&outcome, 65, words);
    assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
    assert!(memory < MOST_MEMORY, "{name}: {memory} KiB");
    assert!(!folder.path().join("reports").join("enterprise_2026-W41.html").exists());
}

fn gzip(out: &mut dyn Write, write: impl FnOnce(&mut dyn Write)) {
    let mut packed = GzEncoder::new(out, Compression::fast());
    write(&mut packed);
    packed.finish().expect("a whole stream");
}

fn put(out: &mut dyn Write, text: &str) {
    out.write_all(text.as_bytes()).expect("room on the disk");
}

#[test]
fn three_million_sessions_in_twenty_megabytes_are_too_many() {
    // Each id has a few letters of its own, so that the file has 20 MB.
    let record = |number: u64| {
        let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        format!("{{\"session_id\":\"{noise:08x}\",\"created_at\":1791300000}}\n")
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.gz");
    gzip(&mut File::create(&path).expect("a file"), |out| {
        let block: String = (0..30_000).map(record).collect();
        (0..100).for_each(|_| put(out, &block));
    });
    let length = fs::metadata(&path).expect("a file").len();
    assert!((15_000_000..30_000_000).contains(&length), "{length} bytes");
    let mut command = acumen(folder.path());
    let (outcome, memory) = measured(command.args(["report", "--week", "2026-W41", "--pages", "rows.gz"]));
    refused(&outcome, 65, "rows.gz: more than");
    assert!(outcome.stderr.contains("too many for real sessions"), "{}", outcome.stderr);
    assert!(memory < MOST_MEMORY, "{memory} KiB");
}

#[test]
fn one_value_cannot_fill_the_memory() {
    explodes("huge.json", "larger than the limit for a page, 64 MiB", |out| {
        put(out, &format!("{SESSION},\"title\":\""));
        (0..100).for_each(|_| put(out, &"x".repeat(1 << 20)));
        put(out, "\"}");
    });
    explodes("title.json", "a text of more than 64 KiB", |out| {
        put(out, &format!("{SESSION},\"title\":\"{}\"}}", "x".repeat(40 << 20)));
    });
    explodes("tags.json", "more than", |out| {
        put(out, &format!("{SESSION},\"tags\":[\"0\""));
        (1..1_000_000).for_each(|tag| put(out, &format!(",\"{tag:x}\"")));
        put(out, "]}");
    });
    explodes("pulls.json", "objects", |out| {
        put(out, &format!("{SESSION},\"pull_requests\":[{}{{}}]}}", "{},".repeat(999_999)));
    });
    explodes("few-tags.json", "more than 2000 tags", |out| {
        put(out, &format!("{SESSION},\"tags\":[\"0\""));
        (1..3_000).for_each(|tag| put(out, &format!(",\"{tag:x}\"")));
        put(out, "]}");
    });
    explodes("items.json", "objects", |out| {
        put(out, &format!("{{\"items\":[{}{{}}]}}", "{},".repeat(3_000_000)));
    });
    explodes("nested.json", "the JSON ends in the middle", |out| put(out, &"[".repeat(5_000_000)));
    explodes("deep.json", "objects", |out| {
        put(out, &format!("{SESSION},\"title\":{}", "{\"a\":".repeat(1_000_000)));
    });
}

#[test]
fn what_unpacks_out_of_all_proportion_is_refused() {
    let blanks = format!("{}{SESSION}}}\n", " ".repeat(1 << 20));
    explodes("blanks.zst", "unpacks to more than 100 times its size", |out| {
        let mut packed = zstd::Encoder::new(out, 1).expect("zstd");
        (0..200).for_each(|_| put(&mut packed, &blanks));
        packed.finish().expect("a whole stream");
    });
    explodes("titles.gz", "bytes of titles", |out| {
        let title = "x".repeat(60_000);
        gzip(out, |out| {
            let session = |number| format!("{{\"session_id\":\"{number}\",\"created_at\":1791300000,");
            (0..2_000).for_each(|number| put(out, &format!("{}\"title\":\"{title}\"}}\n", session(number))));
        });
    });
    explodes("window.zst", "requires too much memory", |out| {
        // A frame whose header asks for a window of a terabyte.
        out.write_all(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf0, 0x01, 0x00, 0x00]).expect("room on the disk");
    });
}

#[test]
fn pages_that_are_packed_well_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = run(acumen(folder.path()).args(["demo", "--out", "demo"]));
    assert_eq!(demo.code, Some(0));
    // As a backup packs a hundred copies of the same answers.
    let session = |number: u32| {
        format!(
            "{{\"session_id\":\"devin-{:032x}\",\"created_at\":\"2026-10-07T10:00:00Z\",\"title\":\"Fix the build\",\
             \"user_id\":\"email|1\",\"acus_consumed\":1.5,\"tags\":[\"payments\"]}}\n",
            u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        )
    };
    let path = folder.path().join("sessions.zst");
    let sessions: String = (0..150_000).map(session).collect();
    fs::write(&path, zstd::encode_all(sessions.as_bytes(), 9).expect("zstd")).expect("a file");
    let outcome = reported(folder.path(), "sessions.zst");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

fn reported(folder: &Path, pages: &str) -> crate::support::Outcome {
    run(acumen(folder).args(["report", "--week", "2026-W41", "--pages", pages]))
}
