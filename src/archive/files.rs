//! The folder of an archive: the one place in this stage that touches the disk.
//!
//! A step is staged whole beside the archive, and one rename of its folder makes
//! it hold. Then its files go to their places, the state last. The next sync
//! finishes what a killed one left; reports read such a step where it is.
//!
//! An archive may be somebody else's. Below its root no link is followed, nothing
//! is written through a folder that is a link, and a step that was left is moved
//! only if each of its files is one that its own state describes.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{ArchiveError, State, state};
use crate::regular_file::{self, Links};
use crate::tables::schema::NAMES;
use crate::text::shown;

/// The state's name in an archive.
pub(super) const STATE: &str = "state.json";
/// A step that is being written: it counts for nothing.
const STAGED: &str = ".staged";
/// A step that holds.
const COMMITTED: &str = ".committed";
/// The table whose months are those of the archive.
const SESSIONS: &str = "sessions";
/// The longest state; that of a hundred years has a megabyte.
pub(super) const LONGEST_STATE: u64 = 64 << 20;
/// Held by a sync as long as it runs.
const SYNC_LOCK: &str = ".sync-lock";
/// Shared by readers, exclusive while files are moved into place.
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
    make(root).map_err(ArchiveError::disk("create the folder", root))?;
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

/// Reads the files of an archive, and changes nothing.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) root: PathBuf,
    /// Whether a step holds whose files are not all in their places.
    has_step: bool,
    _lock: Option<Lock>,
}

impl Reader {
    /// Keeps files in their places as long as it is there. Where a killed sync left
    /// a step that holds, its files are read before those of the archive. An
    /// archive that was copied without its locks is read without one: nobody syncs
    /// it there.
    ///
    /// # Errors
    /// The disk refuses, or something else is in the place of a lock or a folder.
    pub(super) fn locked(root: &Path) -> Result<Self, ArchiveError> {
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
        let has_step = has_step(root)? && root.join(COMMITTED).join(STATE).symlink_metadata().is_ok();
        Ok(Self { root: root.to_owned(), has_step, _lock: lock })
    }

    /// For the sync that has the archive for itself and has settled it.
    pub(super) fn unlocked(root: &Path) -> Self {
        Self { root: root.to_owned(), has_step: false, _lock: None }
    }

    /// A file with at most this many bytes; `None` if it does not exist.
    ///
    /// # Errors
    /// The disk refuses, or there is a link or something else than a file.
    pub(super) fn read(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
        let step = match self.has_step {
            true => read(&self.root, &format!("{COMMITTED}/{path}"), most)?,
            false => None,
        };
        match step {
            Some(bytes) => Ok(Some(bytes)),
            None => read(&self.root, path, most),
        }
    }

    /// Refuses an archive with months of sessions that the state does not list: a
    /// report without them would look complete.
    ///
    /// # Errors
    /// There is such a month, or a link in the place of the folder.
    pub(super) fn check_months(&self, state: &State) -> Result<(), ArchiveError> {
        let folder = self.root.join(SESSIONS);
        let names = match regular_file::check_folder(&folder).and_then(|()| names(&folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            names => names.map_err(ArchiveError::disk("read the folder", &folder))?,
        };
        let is_unknown = |name: &&String| {
            name.strip_prefix("month=")
                .is_some_and(|month| !state.files.contains_key(&state::path(SESSIONS, month)))
        };
        match names.iter().find(is_unknown) {
            Some(name) => Err(ArchiveError::damaged(&folder.join(name), "the state does not list it")),
            None => Ok(()),
        }
    }

    /// The paths of links and files that are not part of the archive. Folders that
    /// are not part of it are not looked into.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub(super) fn unknown(&self, state: &State) -> Result<Vec<String>, ArchiveError> {
        let list = || {
            let mut found = Vec::new();
            for name in names(&self.root)? {
                let path = self.root.join(&name);
                let kind = fs::symlink_metadata(&path)?.file_type();
                match name.as_str() {
                    STATE | SYNC_LOCK | FILES_LOCK if kind.is_file() => {}
                    STAGED if kind.is_dir() => {}
                    table if kind.is_dir() && (table == COMMITTED || NAMES.contains(&table)) => {
                        found.extend(
                            below(&path)?.iter().map(|deeper| format!("{name}/{}", deeper.display())),
                        );
                    }
                    _ => found.push(name),
                }
            }
            io::Result::Ok(found)
        };
        let mut found = list().map_err(ArchiveError::disk("read the folder", &self.root))?;
        found.retain(|path| match path.strip_prefix(".committed/") {
            Some(own) => !self.has_step || own != STATE && !state.files.contains_key(own),
            None => !state.files.contains_key(path),
        });
        Ok(found)
    }
}

fn has_step(root: &Path) -> Result<bool, ArchiveError> {
    let committed = root.join(COMMITTED);
    match regular_file::check_folder(&committed) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ArchiveError::disk("read the folder", &committed)(error)),
    }
}

/// Waits for readers to finish, and keeps new ones out.
fn lock_files(root: &Path) -> Result<Lock, ArchiveError> {
    let path = root.join(FILES_LOCK);
    let file = regular_file::open_own(&path).map_err(ArchiveError::disk("open", &path))?;
    flock(&file, FlockOperation::LockExclusive)
        .map_err(|error| ArchiveError::disk("lock", &path)(error.into()))?;
    Ok(Lock { _file: file })
}

/// Puts the files of a step that holds in their places, where there is one. It may
/// come with an archive of somebody else, so that all of it is checked first.
///
/// # Errors
/// It is not a step that a sync writes, and nothing was moved; or the disk refuses:
/// the step still holds, and can be put there later.
pub(super) fn settle(root: &Path) -> Result<(), ArchiveError> {
    let _lock = lock_files(root)?;
    if !has_step(root)? {
        return Ok(());
    }
    let committed = root.join(COMMITTED);
    let paths = below(&committed).map_err(ArchiveError::disk("read the folder", &committed))?;
    check_step(root, &paths)?;
    put_in_place(root, &paths).map_err(ArchiveError::disk("move files into place in", root))
}

/// Refuses a step with a file that its own state does not describe.
fn check_step(root: &Path, paths: &[PathBuf]) -> Result<(), ArchiveError> {
    let committed = root.join(COMMITTED);
    let damaged = |path: &Path, what: &str| Err(ArchiveError::damaged(&committed.join(path), what));
    let Some(text) = read(root, &format!("{COMMITTED}/{STATE}"), LONGEST_STATE)? else {
        // The state is moved last: only empty folders can be left.
        return paths.first().map_or(Ok(()), |path| damaged(path, "it is not part of a step"));
    };
    let state = super::parse(&committed, &text)?;
    for path in paths.iter().filter(|path| *path != Path::new(STATE)) {
        let Some((name, entry)) = path.to_str().and_then(|name| state.files.get_key_value(name)) else {
            return damaged(path, "the state of the step does not list it");
        };
        match read(root, &format!("{COMMITTED}/{name}"), state::MOST_BYTES)? {
            Some(bytes) if entry.matches(&bytes) => {}
            _ => return damaged(path, "its content has changed since it was written"),
        }
    }
    check_places(root, paths)
}

/// Refuses links and files in the places of folders, and folders in the places of files.
fn check_places(root: &Path, paths: &[PathBuf]) -> Result<(), ArchiveError> {
    for path in paths {
        let to = root.join(path);
        let check = || {
            check_folders(root, path)?;
            fs::symlink_metadata(&to)
        };
        match check() {
            Ok(found) if found.is_dir() => return Err(ArchiveError::damaged(&to, "it is a folder")),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(ArchiveError::disk("write", &to)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Moves the files of a step that holds, the state last.
fn put_in_place(root: &Path, paths: &[PathBuf]) -> io::Result<()> {
    let (states, others): (Vec<_>, Vec<_>) = paths.iter().partition(|path| *path == Path::new(STATE));
    others.into_iter().try_for_each(|path| place(root, path))?;
    for path in states {
        place(root, path)?;
        sync(root)?;
    }
    fs::remove_dir_all(root.join(COMMITTED))
}

/// Moves a file of a step that holds to its place, for this user alone.
fn place(root: &Path, path: &Path) -> io::Result<()> {
    let from = root.join(COMMITTED).join(path);
    for folder in folders(path) {
        make_private(&root.join(folder))?;
    }
    let file = regular_file::open(&from, Links::Refuse)?;
    if file.metadata()?.mode() & 0o7777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    let to = root.join(path);
    fs::rename(from, &to)?;
    sync(to.parent().unwrap_or(root))
}

/// Makes a folder for this user alone, or makes one that exists so; a link is refused.
fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => regular_file::check_folder(folder)?,
    }
    match fs::symlink_metadata(folder)?.mode() & 0o7777 {
        0o700 => Ok(()),
        _ => fs::set_permissions(folder, Permissions::from_mode(0o700)),
    }
}

/// The folders that a path leads through, the first one first.
fn folders(path: &Path) -> Vec<&Path> {
    let mut folders: Vec<_> = path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
    folders.reverse();
    folders
}

/// Refuses a path that leads through a link, or through anything but folders.
fn check_folders(root: &Path, path: &Path) -> io::Result<()> {
    folders(path).into_iter().try_for_each(|folder| regular_file::check_folder(&root.join(folder)))
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
            _ => DirBuilder::new().mode(0o700).create(&staged),
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
        let disk = || ArchiveError::disk("write to", self.root);
        let paths = below(&self.staged).map_err(disk())?;
        check_places(self.root, &paths)?;
        // Readers wait until every file is in its place, or until this process is killed.
        let _lock = lock_files(self.root)?;
        let hold = || {
            for folder in paths.iter().filter_map(|path| path.parent()) {
                sync(&self.staged.join(folder))?;
            }
            fs::rename(&self.staged, self.root.join(COMMITTED))?;
            sync(self.root)
        };
        hold().map_err(disk())?;
        put_in_place(self.root, &paths).map_err(ArchiveError::disk("move files into place in", self.root))
    }
}

/// A file below the root with at most this many bytes; `None` if it does not exist.
fn read(root: &Path, path: &str, most: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
    let to = root.join(path);
    let bytes =
        check_folders(root, Path::new(path)).and_then(|()| regular_file::read(&to, Links::Refuse, most));
    match bytes {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ArchiveError::disk("read", &to)(error)),
    }
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
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::archive::{Entry, Subject};
    use devin_api::Api;

    /// The files of a step and its state, with the same text in all of them.
    fn written<'r>(root: &'r Path, text: &str) -> (Step<'r>, Vec<u8>) {
        let step = Step::begin(root).unwrap();
        let subject = Subject { api: Api::V3, org: Some(text.to_owned()), since: None };
        let mut state = State::begin(&subject, "2026-10-12T06:00:00Z".parse().unwrap());
        for path in paths().into_iter().filter(|path| path != STATE) {
            step.write(&path, text.as_bytes()).unwrap();
            state.files.insert(path, Entry::of(1, text.as_bytes()));
        }
        (step, serde_json::to_vec(&state).unwrap())
    }

    /// The paths of [`written`], the state last.
    fn paths() -> Vec<String> {
        let tables = NAMES.into_iter().map(|table| state::path(table, "2026-10"));
        tables.chain([STATE.to_owned()]).collect()
    }

    /// An archive of one step, and a second step that is written but does not hold.
    fn begun(root: &Path) {
        let _lock = enter(root).unwrap();
        let (first, state) = written(root, "one");
        first.commit(&state).unwrap();
        let (second, state) = written(root, "two");
        second.write(STATE, &state).unwrap();
    }

    /// The same, and the second step holds.
    fn left(root: &Path) {
        begun(root);
        fs::rename(root.join(STAGED), root.join(COMMITTED)).unwrap();
    }

    /// The text that is in all files, as a report reads them.
    fn seen(root: &Path) -> String {
        let reader = Reader::locked(root).unwrap();
        let text = |path: &str| String::from_utf8(reader.read(path, 9999).unwrap().unwrap()).unwrap();
        let state = State::parse(text(STATE).as_bytes()).unwrap();
        assert!(reader.unknown(&state).unwrap().is_empty());
        let org = state.org.unwrap();
        for path in state.files.keys() {
            assert_eq!(text(path), org, "{path}");
        }
        org
    }

    #[test]
    fn a_step_that_does_not_hold_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        begun(root);
        assert_eq!(seen(root), "one");
        // The next step begins with nothing of it.
        settle(root).unwrap();
        let (third, state) = written(root, "three");
        third.commit(&state).unwrap();
        assert_eq!(seen(root), "three");
    }

    #[test]
    fn a_step_that_holds_is_read_where_it_is_and_the_next_sync_moves_it() {
        for done in 0..=paths().len() {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path();
            left(root);
            for path in paths().iter().take(done) {
                place(root, Path::new(path)).unwrap();
            }
            assert_eq!(seen(root), "two", "{done}");
            assert!(root.join(COMMITTED).exists(), "a reader moves nothing");
            settle(root).unwrap();
            assert!(!root.join(COMMITTED).exists(), "{done}");
            assert_eq!(seen(root), "two", "{done}");
        }
    }

    #[test]
    fn a_step_that_no_sync_writes_is_not_moved() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 9] = [
            ("another file", |step| fs::write(step.join("x"), "two").unwrap()),
            ("another file in a table", |step| fs::write(step.join("tags/x"), "two").unwrap()),
            ("other bytes", |step| fs::write(step.join("tags/month=2026-10/tags.parquet"), "owt").unwrap()),
            ("no state", |step| fs::remove_file(step.join(STATE)).unwrap()),
            ("another text as the state", |step| fs::write(step.join(STATE), "{}").unwrap()),
            ("a link to the state", |step| {
                fs::rename(step.join(STATE), step.join("../kept")).unwrap();
                symlink("../kept", step.join(STATE)).unwrap();
            }),
            ("a link as a table", |step| {
                fs::rename(step.join("tags"), step.join("../kept")).unwrap();
                symlink("../kept", step.join("tags")).unwrap();
            }),
            ("a link as the step", |step| {
                fs::rename(step, step.with_file_name("kept")).unwrap();
                symlink("kept", step).unwrap();
            }),
            ("a folder in the place of a file", |step| {
                let to = step.join("../tags/month=2026-10/tags.parquet");
                fs::remove_file(&to).unwrap();
                fs::create_dir(to).unwrap();
            }),
        ];
        for (what, change) in changes {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path();
            left(root);
            let committed = root.join(COMMITTED);
            change(&committed);
            let before = below(root).unwrap();
            let error = settle(root).unwrap_err();
            assert!(matches!(error, ArchiveError::Damaged { .. }), "{what}: {error}");
            assert_eq!(below(root).unwrap(), before, "{what}");
            assert!(committed.exists(), "{what}");
            let first = fs::read(root.join("sessions/month=2026-10/sessions.parquet")).unwrap();
            assert_eq!(first, b"one", "{what}");
        }
    }

    #[test]
    fn nothing_is_written_through_a_folder_that_is_a_link() {
        for link in ["tags", "tags/month=2026-10"] {
            let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let root = folder.path();
            begun(root);
            fs::remove_dir_all(root.join(link)).unwrap();
            symlink(elsewhere.path(), root.join(link)).unwrap();
            let (step, state) = written(root, "two");
            assert!(matches!(step.commit(&state), Err(ArchiveError::Damaged { .. })), "{link}");
            assert!(!root.join(COMMITTED).exists(), "{link}: the step does not hold");
            // Nor is a step that was left by somebody else.
            fs::rename(root.join(STAGED), root.join(COMMITTED)).unwrap();
            assert!(matches!(settle(root), Err(ArchiveError::Damaged { .. })), "{link}");
            assert!(place(root, Path::new("tags/month=2026-10/tags.parquet")).is_err(), "{link}");
            assert!(names(elsewhere.path()).unwrap().is_empty(), "{link}");
        }
    }

    #[test]
    fn what_is_moved_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        left(root);
        let (table, file) = (root.join("tags"), "tags/month=2026-10/tags.parquet");
        fs::set_permissions(&table, Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(root.join(COMMITTED).join(file), Permissions::from_mode(0o4755)).unwrap();
        settle(root).unwrap();
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
        assert_eq!((mode(&table), mode(&root.join(file))), (0o700, 0o600));
    }

    #[test]
    fn one_sync_keeps_out_another_and_no_reader() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        begun(root);
        let lock = enter(root).unwrap();
        assert!(matches!(enter(root), Err(ArchiveError::Busy { .. })));
        assert_eq!(seen(root), "one");
        drop(lock);
        assert!(enter(root).is_ok());
    }

    #[test]
    fn a_copy_without_locks_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        left(root);
        fs::remove_file(root.join(FILES_LOCK)).unwrap();
        assert_eq!(seen(root), "two");
        assert!(!root.join(FILES_LOCK).exists());
    }
}
