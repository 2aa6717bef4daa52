//! The files of saved pages, and their bytes without compression.

use std::cmp::Ordering;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::PagesError;
use super::limits::{Meter, Packed, Unpacked};
use crate::regular_file::{self, Links};
use crate::text::shown;

/// How files in a folder end that hold saved pages.
const ENDINGS: [&str; 6] = ["json", "jsonl", "ndjson", "gz", "zst", "zstd"];

/// The name of a file that marks a folder whose pages are not all written.
pub const UNFINISHED: &str = ".acumen-unfinished";

/// What is to be read, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files {
    /// The files; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// Files of a folder that hold no pages by their names.
    pub left_out: u64,
}

/// The files that a path stands for: itself, or those in the folder that it is,
/// by name. Numbers in names count as numbers: page 10 follows page 9.
///
/// # Errors
/// There is nothing, or it may not be read.
pub(super) fn find(path: &Path) -> Result<Files, PagesError> {
    if is_stdin(path) {
        return Ok(Files { paths: vec![path.to_owned()], left_out: 0 });
    }
    let unreadable = |source| PagesError::Unreadable { path: shown(path), source };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        // Refused before the work, whatever else it is.
        regular_file::open(path, Links::Follow).map_err(unreadable)?;
        return Ok(Files { paths: vec![path.to_owned()], left_out: 0 });
    }
    if path.join(UNFINISHED).symlink_metadata().is_ok() {
        return Err(PagesError::Unfinished { path: shown(path) });
    }
    let mut files = Files { paths: Vec::new(), left_out: 0 };
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        let name = entry.file_name().expect("an entry of a folder has a name").to_string_lossy().into_owned();
        // A link is what it leads to; one that leads nowhere is reported when it is opened.
        if name.starts_with('.') || entry.metadata().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            true => files.paths.push(entry),
            false => files.left_out += 1,
        }
    }
    files.paths.sort_by(|one, other| by_name(&one.to_string_lossy(), &other.to_string_lossy()));
    match files.paths.is_empty() {
        true => Err(PagesError::NoFiles { path: shown(path), left_out: files.left_out }),
        false => Ok(files),
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// What messages call a file.
pub(super) fn called(path: &Path) -> String {
    match is_stdin(path) {
        true => "standard input".to_owned(),
        false => shown(path),
    }
}

/// The largest window of zstd, as a power of two: 128 MiB, that of its `--long`.
const WINDOW: u32 = 27;

/// The bytes of a file, decompressed as its first bytes say, and bounded by what
/// the meter counts.
///
/// # Errors
/// It cannot be opened or read, or is not a regular file.
pub(super) fn open(path: &Path, meter: &Meter) -> io::Result<Box<dyn Read + Send>> {
    let raw: Box<dyn Read + Send> = match is_stdin(path) {
        true => Box::new(io::stdin()),
        false => Box::new(regular_file::open(path, Links::Follow)?),
    };
    let mut raw = Packed::new(raw, meter);
    let size = raw.own();
    let mut magic = Vec::with_capacity(4);
    (&mut raw).take(4).read_to_end(&mut magic)?;
    let kind = magic.clone();
    let whole = Cursor::new(magic).chain(raw);
    match kind.as_slice() {
        [0x1f, 0x8b, ..] => Ok(Box::new(Unpacked::new(MultiGzDecoder::new(whole), size))),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut decoder = zstd::stream::read::Decoder::new(whole)?;
            decoder.window_log_max(WINDOW)?;
            Ok(Box::new(Unpacked::new(decoder, size)))
        }
        _ => Ok(Box::new(whole)),
    }
}

/// The order of names in which runs of digits count as numbers.
fn by_name(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one, other);
    loop {
        let ((number_a, after_a), (number_b, after_b)) = (digits(a), digits(b));
        if !number_a.is_empty() && !number_b.is_empty() {
            let (plain_a, plain_b) = (number_a.trim_start_matches('0'), number_b.trim_start_matches('0'));
            let order = plain_a.len().cmp(&plain_b.len()).then_with(|| plain_a.cmp(plain_b));
            if order.is_ne() {
                return order;
            }
            (a, b) = (after_a, after_b);
            continue;
        }
        let (mut rest_a, mut rest_b) = (a.chars(), b.chars());
        match (rest_a.next(), rest_b.next()) {
            // `1` and `01` are still two names.
            (None, None) => return one.cmp(other),
            (next_a, next_b) if next_a != next_b => return next_a.cmp(&next_b),
            _ => (a, b) = (rest_a.as_str(), rest_b.as_str()),
        }
    }
}

/// The digits at the beginning of a text, and what follows.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::exit::{Exit, Explain};

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["p10.json", "p9.json", "p009.json", "p1.json", "q", "p", "p9a", "p1.json.gz"];
        names.sort_by(|one, other| by_name(one, other));
        assert_eq!(names, ["p", "p1.json", "p1.json.gz", "p009.json", "p9.json", "p9a", "p10.json", "q"]);
    }

    #[test]
    fn a_folder_is_its_pages_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.JSON", "a.jsonl", "10.zst", "9.gz", "notes.txt", "json", ".hidden.json"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("deeper.json")).unwrap();
        let files = find(folder.path()).unwrap();
        let names: Vec<_> = files.paths.iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(
            (names, files.left_out),
            (["9.gz", "10.zst", "a.jsonl", "b.JSON"].map(Into::into).into(), 2)
        );
        fs::create_dir(folder.path().join(UNFINISHED)).unwrap();
        assert!(matches!(find(folder.path()), Err(PagesError::Unfinished { .. })));
    }

    #[test]
    fn a_folder_of_other_things_has_no_pages() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "").unwrap();
        let error = find(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("; 1 file skipped because of its name"), "{error}");
        assert_eq!(find(&folder.path().join("none")).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn compression_is_detected_by_the_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let read = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let mut text = String::new();
            open(&path, &Meter::default()).unwrap().read_to_string(&mut text).map(|_| text)
        };
        let gzip = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let packed = zstd::encode_all(&b"xyz"[..], 1).unwrap();
        assert_eq!(read(b"xy").unwrap(), "xy");
        assert_eq!(read(&gzip("xyz")).unwrap(), "xyz");
        assert_eq!(read(&[gzip("xy"), gzip("z")].concat()).unwrap(), "xyz");
        assert_eq!(read(&packed).unwrap(), "xyz");
        assert!(read(&gzip("xyz")[..12]).is_err() && read(&packed[..6]).is_err());
    }
}
