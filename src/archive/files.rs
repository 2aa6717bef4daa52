//! The folder of an archive: the one place in this stage that touches the disk.
//!
//! A step is staged whole beside the archive, and one rename of its folder makes
//! it hold. Then its files go to their places, the state last. Whoever finds a
//! step that holds and is not in its place yet puts it there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::ArchiveError;
use crate::regular_file::{self, Links};
use crate::text::shown;

/// The state's name in an archive.
pub(super) const STATE: &str = "state.json";
/// A step that is being written: it counts for nothing.
const STAGED: &str = ".staged";
/// A step that holds.
const COMMITTED: &str = ".committed";
/// The longest state; that of a hundred years has a megabyte.
pub(super) const LONGEST_STATE: u64 = 64 << 20;
/// Held by a sync as long as it runs.
const SYNC_LOCK: &str = ".sync-lock";
/// Held by whoever reads, and alone by whoever puts files in their places.
const FILES_LOCK: &str = ".files-lock";

/// A lock that ends with this, or with the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Makes the folder of an archive if it is missing, for this user alone, and
/// keeps every other sync out of it.
///
/// # Errors
/// There is something else in it, another sync is at work, or the disk refuses.
pub(super) fn enter(root: &Path) -> Result<Lock, ArchiveError> {
    let place = || shown(root);
    make(root).map_err(ArchiveError::disk("make the folder", root))?;
    let own = [STATE, STAGED, COMMITTED, SYNC_LOCK, FILES_LOCK];
    let names = names(root).map_err(ArchiveError::disk("read the folder", root))?;
    let is_own = names.is_empty() || names.iter().any(|name| own.contains(&name.as_str()));
    if !is_own {
        return Err(ArchiveError::Stranger { path: place() });
    }
    let path = root.join(SYNC_LOCK);
    let file = regular_file::open_own(&path).map_err(ArchiveError::disk("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock { _file: file }),
        Err(error) if error == rustix::io::Errno::WOULDBLOCK => Err(ArchiveError::Busy { path: place() }),
        Err(error) => Err(ArchiveError::disk("lock", &path)(error.into())),
    }
}

/// Keeps files in their places while they are read. An archive that was copied
/// without its locks is read without one: nobody syncs it there.
///
/// # Errors
/// There is no archive, or a step that holds cannot be put in its place.
pub(super) fn hold(root: &Path) -> Result<Option<Lock>, ArchiveError> {
    loop {
        let path = root.join(FILES_LOCK);
        let lock = match regular_file::open(&path, Links::Refuse) {
            Ok(file) => {
                flock(&file, FlockOperation::LockShared)
                    .map_err(|error| ArchiveError::disk("lock", &path)(error.into()))?;
                Some(Lock { _file: file })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(ArchiveError::disk("open", &path)(error)),
        };
        if !root.join(COMMITTED).join(STATE).exists() {
            return Ok(lock);
        }
        drop(lock);
        settle(root).map_err(|source| ArchiveError::Unsettled { path: shown(root), source })?;
    }
}

/// Puts the files of a step that holds in their places, where there is one.
///
/// # Errors
/// The disk refuses; the step still holds, and can be put there later.
pub(super) fn settle(root: &Path) -> io::Result<()> {
    let file = regular_file::open_own(&root.join(FILES_LOCK))?;
    flock(&file, FlockOperation::LockExclusive)?;
    let committed = root.join(COMMITTED);
    if !committed.is_dir() {
        return Ok(());
    }
    for path in below(&committed)? {
        if path != Path::new(STATE) {
            place(&committed, root, &path)?;
        }
    }
    if committed.join(STATE).exists() {
        place(&committed, root, Path::new(STATE))?;
        sync(root)?;
    }
    fs::remove_dir_all(&committed)
}

fn place(from: &Path, root: &Path, path: &Path) -> io::Result<()> {
    let to = root.join(path);
    let folder = to.parent().unwrap_or(root);
    make(folder)?;
    fs::rename(from.join(path), &to)?;
    sync(folder)
}

/// A step that is being written.
#[derive(Debug)]
pub(super) struct Step<'r> {
    root: &'r Path,
    staged: PathBuf,
}

impl<'r> Step<'r> {
    /// An empty one; what a killed sync left of its own is gone.
    pub(super) fn begin(root: &'r Path) -> Result<Self, ArchiveError> {
        let staged = root.join(STAGED);
        let clear = || match fs::remove_dir_all(&staged) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => make(&staged),
        };
        clear().map_err(ArchiveError::disk("clear the folder", &staged))?;
        Ok(Self { root, staged })
    }

    /// Writes a file of it; it is on the disk when this returns.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        let to = self.staged.join(path);
        let write = || {
            to.parent().map_or(Ok(()), make)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(ArchiveError::disk("write", &to))
    }

    /// From here on the step holds; then it is put in its place.
    pub(super) fn commit(self, state: &[u8]) -> Result<(), ArchiveError> {
        self.write(STATE, state)?;
        let hold = || {
            let folders = below(&self.staged)?;
            for folder in folders.iter().filter_map(|path| path.parent()) {
                sync(&self.staged.join(folder))?;
            }
            fs::rename(&self.staged, self.root.join(COMMITTED))?;
            sync(self.root)
        };
        hold().map_err(ArchiveError::disk("write to", self.root))?;
        settle(self.root).map_err(ArchiveError::disk("put files in their places in", self.root))
    }
}

/// A file of an archive, which has no more bytes than this; none where it is not there.
pub(super) fn read(root: &Path, path: &str, most: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
    let path = root.join(path);
    match regular_file::read(&path, Links::Follow, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) if regular_file::is_refusal(&error) => {
            Err(ArchiveError::damaged(&path, error.to_string()))
        }
        Err(error) => Err(ArchiveError::disk("read", &path)(error)),
    }
}

/// The Parquet files below the folder of a table, by their path in the archive:
/// what a plain scan of it reads.
pub(super) fn scanned(root: &Path, table: &str) -> Result<Vec<String>, ArchiveError> {
    let folder = root.join(table);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let found = below(&folder).map_err(ArchiveError::disk("read the folder", &folder))?;
    let names = found.iter().filter(|path| path.extension().is_some_and(|end| end == "parquet"));
    Ok(names.map(|path| format!("{table}/{}", path.display())).collect())
}

/// The files below a folder, by their path in it, in alphabetical order. No link
/// is followed: it may lead in a circle.
fn below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for name in names(folder)? {
        let path = PathBuf::from(&name);
        match fs::symlink_metadata(folder.join(&name))?.is_dir() {
            true => found.extend(below(&folder.join(&name))?.into_iter().map(|deeper| path.join(deeper))),
            false => found.push(path),
        }
    }
    Ok(found)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// What was renamed in a folder stays so in a crash.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(root: &Path, path: &str) -> Option<String> {
        read(root, path, 100).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// An archive of one step, and a second step that is written but does not hold.
    fn begun(root: &Path) -> Step<'_> {
        let _lock = enter(root).unwrap();
        let first = Step::begin(root).unwrap();
        first.write("a/x", b"1").unwrap();
        first.write("b/y", b"1").unwrap();
        first.commit(b"one").unwrap();
        let second = Step::begin(root).unwrap();
        second.write("a/x", b"2").unwrap();
        second.write("b/y", b"2").unwrap();
        second.write(STATE, b"two").unwrap();
        second
    }

    fn seen(root: &Path) -> [Option<String>; 3] {
        [text(root, "a/x"), text(root, "b/y"), text(root, STATE)]
    }

    #[test]
    fn a_step_that_does_not_hold_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        begun(root);
        assert!(hold(root).unwrap().is_some());
        assert_eq!(seen(root), ["1", "1", "one"].map(|text| Some(text.to_owned())));
        // The next step begins with nothing of it.
        Step::begin(root).unwrap().commit(b"three").unwrap();
        assert_eq!(seen(root), ["1", "1", "three"].map(|text| Some(text.to_owned())));
    }

    #[test]
    fn a_step_that_holds_is_put_in_its_place_from_wherever_it_was_left() {
        for done in 0..4 {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path();
            begun(root);
            let committed = root.join(COMMITTED);
            fs::rename(root.join(STAGED), &committed).unwrap();
            for path in ["a/x", "b/y", STATE].into_iter().take(done) {
                place(&committed, root, Path::new(path)).unwrap();
            }
            // Whoever comes first, a reader or a sync, puts it there.
            if done % 2 == 0 {
                hold(root).unwrap();
            } else {
                settle(root).unwrap();
            }
            assert_eq!(seen(root), ["2", "2", "two"].map(|text| Some(text.to_owned())), "{done}");
            Step::begin(root).unwrap().commit(b"three").unwrap();
            assert!(!committed.exists(), "{done}");
        }
    }

    #[test]
    fn one_sync_keeps_out_another_and_no_reader() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        begun(root);
        let lock = enter(root).unwrap();
        assert!(matches!(enter(root), Err(ArchiveError::Busy { .. })));
        assert!(hold(root).unwrap().is_some());
        drop(lock);
        assert!(enter(root).is_ok());
    }

    #[test]
    fn a_copy_without_locks_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        begun(root);
        fs::remove_file(root.join(FILES_LOCK)).unwrap();
        assert!(hold(root).unwrap().is_none());
    }
}
