//! Saves the answers of a run as they came, so that the report can be made again from them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{DeliverError, STAGED_PREFIX, StagingLock, or_current};
use crate::saved_pages::UNFINISHED;

/// What is on disk when the pages could not be saved.
const KEPT: &str = "no report written; any existing report is unchanged";

const OWN_FOLDER: &str = "with --save-pages name a new folder, or one of your own that others cannot \
    enter (chmod 700)";

const HINT: &str = "with --save-pages name a writable folder with free space";

/// Pages that are staged in their folder until the run has read all of them.
pub struct PagesWriter {
    folder: PathBuf,
    staging: TempDir,
    lock: StagingLock,
    names: Vec<String>,
    failed: Option<DeliverError>,
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DeliverError {
    let of = DeliverError::of(attempt, path);
    move |source| DeliverError { hint_override: Some(HINT), kept: KEPT, ..of(source) }
}

impl PagesWriter {
    /// Creates the folder for this user alone and checks that it is writable. An existing folder
    /// that others can enter is closed to them if it contains nothing but pages.
    ///
    /// # Errors
    /// The folder cannot be created or written to, belongs to another user, or is open to others
    /// and contains other files.
    pub fn begin(folder: &Path) -> Result<Self, DeliverError> {
        let folder = or_current(folder).to_owned();
        let make = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        make.map_err(failed("create the folder", &folder))?;
        let lock = StagingLock::take(&folder).map_err(failed("open the folder", &folder))?;
        close_to_others(&folder, &lock.folder).map_err(|source| DeliverError {
            hint_override: Some(OWN_FOLDER),
            ..failed("save pages in", &folder)(source)
        })?;
        let staging = tempfile::Builder::new().prefix(STAGED_PREFIX).tempdir_in(&folder);
        let staging = staging.map_err(failed("write to the folder", &folder))?;
        Ok(Self { folder, staging, lock, names: Vec::new(), failed: None })
    }

    /// Saves the answer at this place of the walk. [`PagesWriter::finish`] returns the first error.
    pub fn add(&mut self, (major, minor): (u64, u64), body: &str) {
        if self.failed.is_some() {
            return;
        }
        let name = format!("page_{major:012}_{minor:06}.json");
        let path = self.staging.path().join(&name);
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all(body.as_bytes())
        };
        match write() {
            Ok(()) => self.names.push(name),
            Err(error) => self.failed = Some(failed("write", &path)(error)),
        }
    }

    /// Deletes all pages: the walk starts again.
    pub fn restart(&mut self) {
        for name in self.names.drain(..) {
            if let Err(error) = fs::remove_file(self.staging.path().join(name)) {
                self.failed.get_or_insert(failed("write to the folder", &self.folder)(error));
            }
        }
    }

    /// Replaces the pages of an earlier run. A page that a crash cuts short is invalid JSON and
    /// cannot pass for complete; as long as pages are not in place, a folder marks them as
    /// unfinished.
    ///
    /// # Errors
    /// A page could not be saved.
    pub fn finish(self) -> Result<(), DeliverError> {
        let Self { folder, staging, lock, names, failed: before } = self;
        if let Some(error) = before {
            return Err(error);
        }
        let unfinished = folder.join(UNFINISHED);
        let put = || {
            if unfinished.is_dir() {
                // Left by a killed run.
                fs::remove_dir_all(&unfinished)?;
            }
            fs::rename(staging.path(), &unfinished)?;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_name().to_str().is_some_and(is_page) && entry.file_type()?.is_file() {
                    fs::remove_file(entry.path())?;
                }
            }
            for name in &names {
                // The same request can have been sent twice.
                match fs::rename(unfinished.join(name), folder.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            lock.folder.sync_all()?;
            fs::remove_dir_all(&unfinished)
        };
        put().map_err(failed("move the pages into", &folder))?;
        // The staging folder was renamed and deleted.
        let _ = staging.keep();
        lock.release(fs::FileType::is_dir);
        Ok(())
    }
}

/// Closes a folder to other users, unless it contains files that others may be meant to read.
fn close_to_others(path: &Path, folder: &File) -> io::Result<()> {
    let found = folder.metadata()?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("the folder belongs to another user"));
    }
    if found.mode() & 0o077 == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let is_ours = |name: &str| is_page(name) || name == UNFINISHED || name.starts_with(STAGED_PREFIX);
        if !name.to_str().is_some_and(is_ours) {
            return Err(io::Error::other(
                "other users may enter the folder, and it contains other files than pages",
            ));
        }
    }
    folder.set_permissions(fs::Permissions::from_mode(0o700))
}

/// Whether [`PagesWriter::add`] gives such names.
fn is_page(name: &str) -> bool {
    let numbers = name.strip_prefix("page_").and_then(|rest| rest.strip_suffix(".json"));
    numbers.and_then(|numbers| numbers.split_once('_')).is_some_and(|(major, minor)| {
        let is_number = |text: &str, least| text.len() >= least && text.bytes().all(|b| b.is_ascii_digit());
        is_number(major, 12) && is_number(minor, 6)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Explain;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn pages_replace_those_of_an_earlier_run() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a/pages");
        let mut pages = PagesWriter::begin(&folder).unwrap();
        pages.add((0, 0), "{}");
        pages.add((200, 0), "{}");
        // Nothing is in its place before the end.
        assert!(names(&folder).iter().all(|name| name.starts_with(STAGED_PREFIX)));
        pages.finish().unwrap();
        assert_eq!(names(&folder), ["page_000000000000_000000.json", "page_000000000200_000000.json"]);
        fs::write(folder.join("mine.json"), "[]").unwrap();
        fs::create_dir(folder.join(".acumen-killed")).unwrap();
        fs::create_dir(folder.join(UNFINISHED)).unwrap();
        let mut pages = PagesWriter::begin(&folder).unwrap();
        pages.add((100, 0), "{}");
        pages.restart();
        pages.add((0, 1), "[]");
        pages.finish().unwrap();
        assert_eq!(names(&folder), ["mine.json", "page_000000000000_000001.json"]);
        let page = folder.join("page_000000000000_000001.json");
        assert_eq!(fs::read_to_string(&page).unwrap(), "[]");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&page), mode(&folder)), (0o600, 0o700));
    }

    #[test]
    fn an_aborted_run_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut pages = PagesWriter::begin(folder.path()).unwrap();
        pages.add((0, 0), "{}");
        drop(pages);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn an_unwritable_folder_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = PagesWriter::begin(&file).err().unwrap();
        assert!(error.hint().contains("--save-pages"), "{}", error.hint());
    }

    #[test]
    fn an_open_folder_is_closed_if_it_contains_only_pages() {
        let folder = tempfile::tempdir().unwrap();
        let mode = || fs::metadata(folder.path()).unwrap().mode() & 0o777;
        let open = || fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        open();
        drop(PagesWriter::begin(folder.path()).unwrap());
        assert_eq!(mode(), 0o700);
        open();
        fs::write(folder.path().join("page_000000000000_000000.json"), "{}").unwrap();
        drop(PagesWriter::begin(folder.path()).unwrap());
        assert_eq!(mode(), 0o700);
        open();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        let error = PagesWriter::begin(folder.path()).err().unwrap();
        assert!(error.to_string().contains("other users may enter") && error.hint().contains("chmod 700"));
        assert_eq!(mode(), 0o755);
        // Only root can give a folder away.
        let other = tempfile::tempdir().unwrap();
        if std::os::unix::fs::chown(other.path(), Some(65_534), None).is_ok() {
            let error = PagesWriter::begin(other.path()).err().unwrap();
            assert!(error.to_string().contains("belongs to another user"), "{error}");
        }
    }
}
