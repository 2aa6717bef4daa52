//! Reads the facts of a report back from disk, and writes what is made from them.

use std::io;
use std::path::Path;

use super::{DeliverError, destination, rename_into_place, stage};
use crate::exit::Exit;
use crate::regular_file::{self, Links};

/// Writes one file with this mode, completely or not at all. See `link.rs` for a
/// symbolic link in its place.
///
/// # Errors
/// The file cannot be written; an existing one is unchanged.
pub fn write_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DeliverError> {
    let hinting =
        |error: DeliverError| error.about_written_report("name a writable path with --eml or --out");
    let target = destination(path).map_err(hinting)?;
    let file = stage(&target, bytes, mode).map_err(hinting)?;
    rename_into_place(file, &target).map_err(hinting)
}

/// The name of a report's files, without extension, and the text of its facts, given the path of
/// its page or of its facts.
///
/// # Errors
/// The path is neither, or the facts cannot be read.
pub fn read_facts(report: &Path) -> Result<(String, String), DeliverError> {
    const HINT: &str =
        "name a report that acumen wrote: NAME.html or NAME.json, with NAME.json in the same folder";
    let typed = |error: DeliverError| {
        let is_no_text = error.source.kind() == io::ErrorKind::InvalidData;
        let exit = if is_no_text { Exit::Data } else { Exit::Usage };
        DeliverError { exit, ..error.about_written_report(HINT) }
    };
    let ending = report.extension().and_then(|ending| ending.to_str());
    let name = report.file_stem().and_then(|name| name.to_str());
    let (Some("html" | "json"), Some(name)) = (ending, name) else {
        let wrong = io::Error::other("its name ends in neither .html nor .json");
        return Err(typed(DeliverError::of("read a report from", report)(wrong)));
    };
    let path = report.with_extension("json");
    let json = regular_file::read_text(&path, Links::Refuse, regular_file::FACTS);
    let json = json.map_err(DeliverError::of("read", &path)).map_err(typed)?;
    Ok((name.to_owned(), json))
}
