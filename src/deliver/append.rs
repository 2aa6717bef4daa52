//! A text at the end of a file that others write to as well.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::{DeliverError, named};

/// What is on the disk when a summary fails: it is the last to be written.
const STANDS: &str = "the new page and facts were written whole; the summary is missing, or in part";

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DeliverError {
    let error = DeliverError::of(attempt, path);
    move |source| DeliverError { instead: ("file", "--summary"), ..error(source) }
}

/// Proves that [`append`] is likely to succeed, before the long work and
/// without making the file.
///
/// # Errors
/// The file cannot be appended to, or there is no folder to make it in.
pub fn check_append(path: &Path) -> Result<(), DeliverError> {
    let found = match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A name without a folder lies in the one that the program runs in.
            let folder = path.parent().map_or(Path::new("/"), named);
            fs::metadata(folder).and_then(|folder| match folder.is_dir() {
                true => Ok(()),
                false => Err(io::ErrorKind::NotADirectory.into()),
            })
        }
        opened => opened.map(drop),
    };
    found.map_err(failed("append to", path))
}

/// Appends a text to a file, which is made if missing: at its very end, in one
/// write, and synced. A blank line stands between it and what is there already.
///
/// # Errors
/// The file cannot be opened or written to.
pub fn append(path: &Path, text: &str) -> Result<(), DeliverError> {
    let write = || {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let before = if file.metadata()?.len() > 0 { "\n" } else { "" };
        file.write_all(format!("{before}{text}").as_bytes())?;
        sync(&file)
    };
    write().map_err(|source| DeliverError { kept: STANDS, ..failed("append to", path)(source) })
}

/// A pipe or a terminal has nothing to sync.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_to_the_end_and_what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        check_append(&path).unwrap();
        assert!(!path.exists(), "a check makes nothing");
        append(&path, "one\n").unwrap();
        append(&path, "two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n\ntwo\n");
        fs::write(&path, "no end of line").unwrap();
        check_append(&path).unwrap();
        append(&path, "three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "no end of line\nthree\n");
    }

    #[test]
    fn a_place_that_cannot_be_is_refused_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [folder.path().to_owned(), folder.path().join("no/summary.md"), file.join("summary.md")] {
            let error = check_append(&path).unwrap_err();
            assert!(error.to_string().starts_with("could not append to "), "{error}");
            assert!(error.hint().contains("--summary"), "{}", error.hint());
            assert!(append(&path, "x").is_err());
        }
        check_append(Path::new("no such file.md")).unwrap();
        // Neither has anything to sync.
        append(Path::new("/dev/null"), "x").unwrap();
    }
}
