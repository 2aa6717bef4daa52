//! Appends text to a file that other programs also write to, such as a job summary.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_setfl};

use super::{DeliverError, or_current};
use crate::regular_file::{Links, open_flags};

/// What is on disk when the summary, which is written last, fails.
const KEPT: &str = "the new page and facts were written completely; the summary is missing or partial";

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DeliverError {
    let error = DeliverError::of(attempt, path);
    move |source| DeliverError { alternative: ("file", "--summary"), ..error(source) }
}

/// Symbolic links of the system to this process's own streams, which may be followed.
const OWN_STREAMS: [&str; 2] = ["/dev/stdout", "/dev/stderr"];

/// What the path of a summary refers to.
enum SummaryTarget {
    /// Nothing.
    Missing,
    /// A regular file or a character device.
    File,
    /// A named pipe. Its reader sees the end of file as soon as one writer closes it.
    Pipe,
}

/// Classifies the path. Symbolic links are refused, since they can lead anywhere.
fn inspect(path: &Path) -> io::Result<SummaryTarget> {
    let is_own_stream = OWN_STREAMS.iter().any(|own| path == Path::new(own));
    let found = if is_own_stream { fs::metadata(path) } else { fs::symlink_metadata(path) };
    let kind = match found {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SummaryTarget::Missing),
        Err(error) => return Err(error),
    };
    match () {
        () if kind.is_file() || kind.is_char_device() => Ok(SummaryTarget::File),
        () if kind.is_fifo() => Ok(SummaryTarget::Pipe),
        () if kind.is_symlink() => Err(io::Error::other("it is a symbolic link, which is not followed here")),
        () => Err(io::Error::other("it is neither a file nor a pipe")),
    }
}

/// Opens the path without waiting for a reader of a pipe.
fn open(path: &Path, create: bool) -> io::Result<File> {
    let is_own_stream = OWN_STREAMS.iter().any(|own| path == Path::new(own));
    let flags = open_flags(if is_own_stream { Links::Follow } else { Links::Refuse });
    let file = OpenOptions::new().append(true).create(create).mode(0o600).custom_flags(flags).open(path)?;
    // Writes block while the pipe has a reader.
    fcntl_setfl(&file, OFlags::APPEND)?;
    Ok(file)
}

/// Checks that [`append`] is likely to succeed, before the long work starts. Creates nothing.
///
/// # Errors
/// The file cannot be appended to, or its folder does not exist.
pub fn check_append(path: &Path) -> Result<(), DeliverError> {
    let check = || match inspect(path)? {
        SummaryTarget::Missing => {
            // A bare file name is relative to the current folder.
            let folder = path.parent().map_or(Path::new("/"), or_current);
            match fs::metadata(folder)?.is_dir() {
                true => Ok(()),
                false => Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        SummaryTarget::File => open(path, false).map(drop),
        SummaryTarget::Pipe => Ok(()),
    };
    check().map_err(failed("append to", path))
}

/// Appends text to the end of a file, in one write, and syncs it. A blank line separates it from
/// existing content. A missing file is created with this mode; an existing one keeps its mode.
/// Symbolic links are refused; /dev/null, /dev/stdout and a named pipe with a reader are written
/// to.
///
/// # Errors
/// The file cannot be opened or written.
pub fn append(path: &Path, text: &str, mode: u32) -> Result<(), DeliverError> {
    let write = || {
        let is_new = matches!(inspect(path)?, SummaryTarget::Missing);
        let mut file = open(path, true)?;
        if is_new {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
        }
        let before = if file.metadata()?.len() > 0 { "\n" } else { "" };
        file.write_all(format!("{before}{text}").as_bytes())?;
        sync(&file)
    };
    write().map_err(|source| DeliverError { kept: KEPT, ..failed("append to", path)(source) })
}

/// Syncs the file; pipes and terminals cannot be synced.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Explain;

    #[test]
    fn text_is_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        check_append(&path).unwrap();
        assert!(!path.exists(), "a check makes nothing");
        append(&path, "one\n", 0o600).unwrap();
        append(&path, "two\n", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n\ntwo\n");
        fs::write(&path, "no end of line").unwrap();
        check_append(&path).unwrap();
        append(&path, "three\n", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "no end of line\nthree\n");
    }

    #[test]
    fn unwritable_paths_are_rejected_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [folder.path().to_owned(), folder.path().join("no/summary.md"), file.join("summary.md")] {
            let error = check_append(&path).unwrap_err();
            assert!(error.to_string().starts_with("could not append to "), "{error}");
            assert!(error.hint().contains("--summary"), "{}", error.hint());
            assert!(append(&path, "x", 0o600).is_err());
        }
        check_append(Path::new("no such file.md")).unwrap();
        // Neither has anything to sync.
        append(Path::new("/dev/null"), "x", 0o600).unwrap();
    }

    #[test]
    fn links_are_refused_and_new_files_have_the_requested_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "x").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let error = check_append(&link).unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert!(append(&link, "y", 0o600).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "x");
        let new = folder.path().join("new");
        append(&new, "y", 0o640).unwrap();
        append(&new, "y", 0o600).unwrap();
        assert_eq!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_pipe_without_a_reader_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        check_append(&pipe).unwrap();
        assert!(append(&pipe, "x", 0o600).is_err());
        let mut reader = reader(&pipe);
        append(&pipe, "one", 0o600).unwrap();
        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "one");
    }

    fn reader(pipe: &Path) -> File {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        OpenOptions::new().read(true).custom_flags(flags).open(pipe).unwrap()
    }
}
