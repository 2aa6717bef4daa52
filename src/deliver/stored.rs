//! Reads a report back from disk, and writes the message made from it.

use std::io;
use std::path::{Path, PathBuf};

use super::{DeliverError, destination, or_current, rename_into_place, stage};
use crate::exit::Exit;
use crate::regular_file::{self, Links};

/// Writes a message to a file with this mode, completely or not at all. See `link.rs` for a
/// symbolic link in its place.
///
/// # Errors
/// The file cannot be written; an existing one is unchanged.
pub fn write_message(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DeliverError> {
    let hinting = |error: DeliverError| {
        error.about_written_report("name a file in a folder you may write to with --eml")
    };
    let target = destination(path).map_err(hinting)?;
    let file = stage(&target, bytes, mode).map_err(hinting)?;
    rename_into_place(file, &target).map_err(hinting)
}

/// A report on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReport {
    /// The name of its files, without extension.
    pub name: String,
    /// `facts.json`.
    pub json: String,
    folder: PathBuf,
}

/// Reads a report, given the path of its page or of its facts.
///
/// # Errors
/// The path is neither, or the facts cannot be read.
pub fn read_report(report: &Path) -> Result<StoredReport, DeliverError> {
    const HINT: &str =
        "name a report that acumen wrote: NAME.html or NAME.json, with NAME.json beside the page";
    let typed = |error: DeliverError| DeliverError { exit: Exit::Usage, ..error.about_written_report(HINT) };
    let ending = report.extension().and_then(|ending| ending.to_str());
    let name = report.file_stem().and_then(|name| name.to_str());
    let (Some("html" | "json"), Some(name)) = (ending, name) else {
        let wrong = io::Error::other("its name ends in neither .html nor .json");
        return Err(typed(DeliverError::of("read a report from", report)(wrong)));
    };
    let path = report.with_extension("json");
    let json = regular_file::read_text(&path, Links::Refuse, regular_file::FACTS);
    let json = json.map_err(DeliverError::of("read", &path)).map_err(typed)?;
    let folder = or_current(report.parent().expect("a path with a file name has a parent")).to_owned();
    Ok(StoredReport { name: name.to_owned(), json, folder })
}

impl StoredReport {
    /// The bytes of another file of this report, by its extension.
    ///
    /// # Errors
    /// It does not exist, or cannot be read.
    pub fn companion(&self, ending: &str) -> Result<Vec<u8>, DeliverError> {
        let path = self.folder.join(format!("{}.{ending}", self.name));
        regular_file::read(&path, Links::Refuse, regular_file::ATTACHMENT).map_err(|error| {
            let is_refused = regular_file::is_refusal(&error);
            let error = DeliverError::of("read what is to be attached,", &path)(error);
            let error =
                error.about_written_report("write the report with what --mail-attach names, or attach none");
            if is_refused { DeliverError { exit: Exit::Usage, ..error } } else { error }
        })
    }
}
