//! Writes reports to files and sends mails. Nothing else but the archive writes to disk.

mod append;
mod chat;
mod link;
mod pages;
mod send;
mod send_log;
mod smtp;
mod stored;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

pub use append::{append, check_append};
pub use chat::{ChatError, ChatLog, ChatMessage, Posting, key as chat_key};
pub use pages::PagesWriter;

pub use send::{PARTLY_SENT, PossibleDelivery, SendError, SendOutcome, Submission, submit};
pub use send_log::{PastDelivery, SendLogError, check_send_log, past_deliveries};
pub use smtp::{DryRun, RefusedRecipient, SMTP_TIMEOUTS, SmtpError, SmtpTimeouts, dry_run};
pub use stored::{read_facts, write_file};

use crate::exit::{Exit, Explain};
use crate::render::{RenderedFile, is_export};
use crate::settings::PRIVATE;
use crate::text::shown;

/// Prefix of the names of files that are not complete yet.
const STAGED_PREFIX: &str = ".acumen-";

/// What is on disk when a step after the report failed …
pub const WHOLE: &str = "the report was written completely";
/// … when the report lacks sessions and was not mailed …
pub const UNMAILED: &str = "the report was written but not mailed";
/// … or not posted …
pub const UNPOSTED: &str = "the report was written but not posted to every chat";
/// … after most failures …
pub const UNCHANGED: &str = "nothing written; any existing report is unchanged";
/// … when the facts were replaced, but not the page …
const FACTS: &str = "the new facts were written completely; the page is an earlier one or missing";
/// … and when the page was replaced too.
const BOTH: &str =
    "the new page and facts were written completely; a crash of the machine could still undo this";

/// A report could not be written. Every file on disk is complete all the same.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempt} {path}: {source}")]
pub struct DeliverError {
    attempt: &'static str,
    path: String,
    /// What the user can choose instead: `folder … with --out`.
    alternative: (&'static str, &'static str),
    source: io::Error,
    kept: &'static str,
    /// Replaces the default hint, for errors that are not about the output folder.
    hint_override: Option<&'static str>,
    exit: Exit,
}

impl DeliverError {
    fn of(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = shown(path);
        move |source| Self {
            attempt,
            path,
            source,
            alternative: ("folder", "--out"),
            kept: UNCHANGED,
            hint_override: None,
            exit: Exit::Output,
        }
    }

    /// The same error about a report that is complete on disk.
    fn about_written_report(self, hint: &'static str) -> Self {
        Self { hint_override: Some(hint), kept: WHOLE, ..self }
    }

    /// What is on disk despite the error.
    pub fn kept(&self) -> &'static str {
        self.kept
    }
}

impl Explain for DeliverError {
    fn exit(&self) -> Exit {
        self.exit
    }

    fn hint(&self) -> String {
        if let Some(hint) = self.hint_override {
            return hint.to_owned();
        }
        let (what, option) = self.alternative;
        match self.source.kind() {
            io::ErrorKind::AlreadyExists if self.attempt == CREATE => {
                "edit the existing file, or name another".to_owned()
            }
            io::ErrorKind::StorageFull => format!("free some space, or choose another {what} with {option}"),
            _ => format!("choose a writable {what} with {option}"),
        }
    }
}

/// The paths of a written report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenReport {
    /// The page.
    pub html: PathBuf,
    /// Its facts.
    pub json: PathBuf,
    /// Its exports, in the given order.
    pub exports: Vec<PathBuf>,
    /// Deleted exports of an earlier run of this report.
    pub removed: Vec<PathBuf>,
}

/// The mode of a folder for files of this mode: who may read the files may enter the folder.
fn folder_mode(mode: u32) -> u32 {
    mode | (mode & 0o444) >> 2
}

/// Creates the folder with a mode that fits its files, and checks that it is writable, before the
/// long work starts. An existing folder keeps its mode.
///
/// # Errors
/// The folder cannot be created or written to.
pub fn check(folder: &Path, mode: u32) -> Result<(), DeliverError> {
    let is_new = !folder.exists();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(folder_mode(mode));
    builder.create(folder).map_err(DeliverError::of("create the folder", folder))?;
    if is_new {
        // The umask was applied to the requested mode.
        fs::set_permissions(folder, fs::Permissions::from_mode(folder_mode(mode)))
            .map_err(DeliverError::of("set the permissions of the folder", folder))?;
    }
    tempfile::Builder::new()
        .prefix(STAGED_PREFIX)
        .tempfile_in(folder)
        .map(drop)
        .map_err(DeliverError::of("write to the folder", folder))
}

/// Whether a folder exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderState {
    /// It exists.
    Exists,
    /// It can be created; this is its nearest existing ancestor.
    Missing(PathBuf),
}

/// Whether [`check`] would succeed. Creates nothing that has a name: an unnamed file is tried in
/// the nearest existing folder.
///
/// # Errors
/// The folder could not be created or written to.
pub fn probe_folder(folder: &Path) -> Result<FolderState, DeliverError> {
    let there = |path: &&Path| path.symlink_metadata().is_ok();
    let nearest = folder.ancestors().map(or_current).find(there).unwrap_or(Path::new("."));
    let is_there = nearest == or_current(folder);
    let attempt = if is_there { "write to the folder" } else { "create the folder" };
    tempfile::tempfile_in(nearest).map(drop).map_err(DeliverError::of(attempt, folder))?;
    Ok(if is_there { FolderState::Exists } else { FolderState::Missing(nearest.to_owned()) })
}

/// The same for the state folder.
///
/// # Errors
/// As [`probe_folder`].
pub fn probe_state_folder(folder: &Path) -> Result<FolderState, DeliverError> {
    probe_folder(folder).map_err(|error| DeliverError { alternative: ("folder", "--state"), ..error })
}

/// The parent of a bare name such as `reports` is the current folder.
fn or_current(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Writes the page and its facts as `NAME.html` and `NAME.json`, and the exports beside them.
///
/// All files get exactly this mode, whatever the umask; see `link.rs` for symbolic links in their
/// places. Each file is written next to its place, synced and renamed, so that concurrent readers,
/// or a crash, find either the old file or the new one. Leftovers of killed runs are deleted, and
/// so are exports of an earlier run of this report that this run does not write: no old numbers
/// stay beside a new page.
///
/// # Errors
/// A file cannot be written; [`DeliverError::kept`] says what is on disk.
pub fn write(
    folder: &Path,
    name: &str,
    html: &str,
    json: &str,
    exports: &[RenderedFile],
    mode: u32,
) -> Result<WrittenReport, DeliverError> {
    let path_of = |ending: &str| folder.join(format!("{name}{ending}"));
    let mut receipt = WrittenReport {
        html: path_of(".html"),
        json: path_of(".json"),
        exports: exports.iter().map(|file| path_of(&file.ending)).collect(),
        removed: Vec::new(),
    };
    // A rename cannot replace a folder, and must not fail after the first one succeeded.
    let (html_to, json_to) = (destination(&receipt.html)?, destination(&receipt.json)?);
    let exports_to = receipt.exports.iter().map(|path| destination(path)).collect::<Result<Vec<_>, _>>()?;
    let all = || [&html_to, &json_to].into_iter().chain(&exports_to);
    let mut met = BTreeSet::new();
    if let Some(twice) = all().find(|path| !met.insert(canonical(path))) {
        let refused =
            DeliverError::of("write", twice)(io::Error::other("two files of the report lead to it"));
        return Err(DeliverError { hint_override: Some("point each link to a different file"), ..refused });
    }
    let folders: BTreeSet<&Path> = all().map(|path| parent_folder(path)).chain([folder]).collect();
    let lock = |folder: &Path| StagingLock::take(folder).map_err(DeliverError::of("open the folder", folder));
    let locks = folders.into_iter().map(lock).collect::<Result<Vec<_>, _>>()?;
    let page = stage(&html_to, html.as_bytes(), mode)?;
    let mut others = vec![(stage(&json_to, json.as_bytes(), mode)?, &json_to)];
    for (file, target) in exports.iter().zip(&exports_to) {
        others.push((stage(target, &file.bytes, mode)?, target));
    }
    let stale = stale_exports(folder, name, &receipt.exports);
    move_into_place(page, &html_to, others, &stale)?;
    receipt.removed = stale;
    for lock in &locks {
        // Without this, a crash of the machine could undo the renames.
        let unsynced = |error| DeliverError { kept: BOTH, ..DeliverError::of("sync", &lock.path)(error) };
        lock.folder.sync_all().map_err(unsynced)?;
    }
    locks.into_iter().for_each(|lock| lock.release(fs::FileType::is_file));
    Ok(receipt)
}

/// Renames all files into place, and deletes stale exports.
fn move_into_place(
    page: tempfile::NamedTempFile,
    html: &Path,
    others: Vec<(tempfile::NamedTempFile, &PathBuf)>,
    stale: &[PathBuf],
) -> Result<(), DeliverError> {
    let mut kept = UNCHANGED;
    // The page comes last, so that it is never newer than the numbers beside it.
    for (file, target) in others {
        rename_into_place(file, target).map_err(|error| DeliverError { kept, ..error })?;
        kept = FACTS;
    }
    let partly = |error| DeliverError { kept, ..error };
    for path in stale {
        fs::remove_file(path).map_err(DeliverError::of("remove the old export", path)).map_err(partly)?;
    }
    rename_into_place(page, html).map_err(partly)
}

/// The exports of a report in a folder, sorted, without those written by this run.
fn stale_exports(folder: &Path, name: &str, written: &[PathBuf]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_stale = |entry: &fs::DirEntry| {
        let own = entry.file_name().to_str().and_then(|file| file.strip_prefix(name)).is_some_and(is_export);
        // For a symbolic link, the link is deleted, not its target.
        let is_kind = |kind: fs::FileType| kind.is_file() || kind.is_symlink();
        own && entry.file_type().is_ok_and(is_kind) && !written.contains(&entry.path())
    };
    let mut paths: Vec<PathBuf> = entries.filter(is_stale).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

const CREATE: &str = "create the file";

/// Creates a file that only its owner can read. An existing file is not changed.
///
/// # Errors
/// It exists, or cannot be created.
pub fn create_file(path: &Path, text: &str) -> Result<(), DeliverError> {
    let failed = || settings_error(CREATE, path);
    let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = created.map_err(failed())?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed())
}

/// Creates a folder that only its owner can enter, and its missing parents. An existing folder
/// keeps its mode.
///
/// # Errors
/// It cannot be created.
pub fn make_private(folder: &Path) -> Result<(), DeliverError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(settings_error("create the folder", folder))
}

fn settings_error(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DeliverError {
    let error = DeliverError::of(attempt, path);
    move |source| DeliverError { alternative: ("file", "--config"), ..error(source) }
}

/// A folder with staged files of this run, locked so that other runs do not delete them as
/// leftovers. On a file system without locks nothing is deleted.
struct StagingLock {
    path: PathBuf,
    folder: fs::File,
}

impl StagingLock {
    fn take(path: &Path) -> io::Result<Self> {
        let folder = fs::File::open(path)?;
        let _ = flock(&folder, FlockOperation::LockShared);
        Ok(Self { path: path.to_owned(), folder })
    }

    /// Releases the lock, and deletes leftovers of killed runs unless another run holds the lock.
    /// The report is complete by now, so errors are ignored.
    fn release(self, is_leftover: fn(&fs::FileType) -> bool) {
        // Released first, so that of two runs that end together one gets the lock.
        let _ = flock(&self.folder, FlockOperation::Unlock);
        if flock(&self.folder, FlockOperation::NonBlockingLockExclusive).is_err() {
            return;
        }
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let is_staged = entry.file_name().to_str().is_some_and(|name| name.starts_with(STAGED_PREFIX));
            if is_staged && entry.file_type().is_ok_and(|kind| is_leftover(&kind)) {
                let path = entry.path();
                let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            }
        }
    }
}

/// The path to rename to: the file's own, or the target of the user's own link.
fn destination(path: &Path) -> Result<PathBuf, DeliverError> {
    let target = link::follow_own_link(path).map_err(|error| DeliverError {
        hint_override: Some(
            "remove the link, or point it to a file with the same extension in an existing folder",
        ),
        ..DeliverError::of("replace", path)(error)
    })?;
    let refuse = |what: &'static str| Err(DeliverError::of("replace", path)(io::Error::other(what)));
    match fs::symlink_metadata(&target).map(|found| found.file_type()) {
        Ok(kind) if kind.is_dir() => refuse("it is a folder"),
        Ok(kind) if !kind.is_file() && !kind.is_symlink() => refuse("it is a device or a pipe"),
        _ => Ok(target),
    }
}

/// The path with its folder canonicalized, to compare it with others.
fn canonical(path: &Path) -> PathBuf {
    let folder = fs::canonicalize(parent_folder(path)).unwrap_or_else(|_| parent_folder(path).to_owned());
    path.file_name().map_or(folder.clone(), |name| folder.join(name))
}

/// The folder of a file.
fn parent_folder(path: &Path) -> &Path {
    or_current(path.parent().unwrap_or(Path::new("")))
}

fn stage(target: &Path, bytes: &[u8], mode: u32) -> Result<tempfile::NamedTempFile, DeliverError> {
    let failed = || DeliverError::of("write", target);
    // Temporary files are created with mode 0600.
    let mut file =
        tempfile::Builder::new().prefix(STAGED_PREFIX).tempfile_in(parent_folder(target)).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    if mode != PRIVATE {
        file.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(failed())?;
    }
    file.as_file().sync_all().map_err(failed())?;
    Ok(file)
}

fn rename_into_place(file: tempfile::NamedTempFile, target: &Path) -> Result<(), DeliverError> {
    file.persist(target).map(drop).map_err(|error| DeliverError::of("replace", target)(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_atomically() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "org_2026-W41", "old", "{}", &[], PRIVATE).unwrap();
        let receipt = write(folder.path(), "org_2026-W41", "new", "{\"a\":1}", &[], PRIVATE).unwrap();
        assert_eq!(fs::read_to_string(receipt.html).unwrap(), "new");
        assert_eq!(fs::read_to_string(receipt.json).unwrap(), "{\"a\":1}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn stale_exports_are_deleted_and_other_files_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = |ending: &str, text: &str| RenderedFile { ending: ending.to_owned(), bytes: text.into() };
        let first = [file(".xlsx", "1"), file("_whole.csv", "1"), file("_by-org.csv", "1")];
        write(folder.path(), "o_2026-W41", "1", "1", &first, PRIVATE).unwrap();
        let others = [
            "o_2026-W40.xlsx",
            "o_2026-W40_whole.csv",
            "o_2026-W41_payments.xlsx",
            "o_2026-W41_payments_whole.csv",
            "o_2026-W41_mine.csv",
        ];
        for name in others {
            fs::write(folder.path().join(name), "other").unwrap();
        }
        // Not a file, so nothing of ours.
        fs::create_dir(folder.path().join("o_2026-W41_by-tag.csv")).unwrap();
        // Of a link the link goes.
        let link = folder.path().join("o_2026-W41_by-user.csv");
        std::os::unix::fs::symlink("o_2026-W41_mine.csv", &link).unwrap();
        let second = [file("_whole.csv", "2"), file("_sessions.parquet", "2")];
        let receipt = write(folder.path(), "o_2026-W41", "2", "2", &second, PRIVATE).unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(
            receipt.exports,
            ["_whole.csv", "_sessions.parquet"].map(|end| path(&format!("o_2026-W41{end}")))
        );
        assert_eq!(receipt.removed, [path("o_2026-W41.xlsx"), path("o_2026-W41_by-org.csv"), link]);
        for written in receipt.exports.iter().chain([&receipt.html, &receipt.json]) {
            assert_eq!(fs::read_to_string(written).unwrap(), "2");
        }
        for name in others {
            assert_eq!(fs::read_to_string(path(name)).unwrap(), "other");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), others.len() + 5);
    }

    #[test]
    fn two_links_to_one_file_are_rejected() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("to")).unwrap();
        for (target, name) in
            [("to/both.csv", "a_whole.csv".to_owned()), ("to/../to/both.csv", "a_by-org.csv".to_owned())]
        {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        }
        let exports = ["_whole.csv", "_by-org.csv"]
            .map(|ending| RenderedFile { ending: ending.to_owned(), bytes: ending.into() });
        let error = write(folder.path(), "a", "new", "new", &exports, PRIVATE).unwrap_err();
        assert!(error.to_string().contains("two files of the report lead to it"), "{error}");
        assert_eq!((error.exit(), fs::read_dir(folder.path()).unwrap().count()), (Exit::Output, 3));
        write(folder.path(), "a", "new", "new", &exports[..1], PRIVATE).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("to/both.csv")).unwrap(), "_whole.csv");
    }

    #[test]
    fn a_folder_in_place_of_an_export_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", "old", "old", &[], PRIVATE).unwrap();
        fs::create_dir(folder.path().join("a.xlsx")).unwrap();
        let exports = [RenderedFile { ending: ".xlsx".to_owned(), bytes: Vec::new() }];
        let error = write(folder.path(), "a", "new", "new", &exports, PRIVATE).unwrap_err();
        assert!(error.to_string().contains("a.xlsx"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("a.html")).unwrap(), "old");
        assert_eq!(fs::read_to_string(folder.path().join("a.json")).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn leftovers_are_deleted_unless_another_run_writes() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        for name in [".acumen-Ab12Cd", ".acumen-", ".other", "acumen-x"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        fs::create_dir(folder.path().join(".acumen-folder")).unwrap();
        // Another run is writing: what is here may be its own.
        let other = fs::File::open(folder.path()).unwrap();
        flock(&other, FlockOperation::LockShared).unwrap();
        write(folder.path(), "a", "new", "{}", &[], PRIVATE).unwrap();
        assert_eq!(names().len(), 7);
        drop(other);
        write(folder.path(), "a", "new", "{}", &[], PRIVATE).unwrap();
        assert_eq!(names(), [".acumen-folder", ".other", "a.html", "a.json", "acumen-x"]);
    }

    #[test]
    fn a_folder_in_place_of_the_page_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", "old", "old", &[], PRIVATE).unwrap();
        fs::remove_file(folder.path().join("a.html")).unwrap();
        fs::create_dir(folder.path().join("a.html")).unwrap();
        assert!(write(folder.path(), "a", "new", "new", &[], PRIVATE).is_err());
        assert_eq!(fs::read_to_string(folder.path().join("a.json")).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn errors_say_what_is_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let old = write(folder.path(), "a", "old", "old", &[], PRIVATE).unwrap();
        let read = || [&old.html, &old.json].map(|path| fs::read_to_string(path).unwrap());
        let new = |text: &str| stage(&old.html, text.as_bytes(), PRIVATE).unwrap();
        // A staged file that has vanished cannot be moved to its place.
        let (page, facts) = (new("new"), new("new"));
        fs::remove_file(facts.path()).unwrap();
        assert_eq!(
            move_into_place(page, &old.html, vec![(facts, &old.json)], &[]).unwrap_err().kept(),
            UNCHANGED
        );
        assert_eq!(read(), ["old", "old"]);
        let (page, facts) = (new("new"), new("new"));
        fs::remove_file(page.path()).unwrap();
        assert_eq!(
            move_into_place(page, &old.html, vec![(facts, &old.json)], &[]).unwrap_err().kept(),
            FACTS
        );
        assert_eq!(read(), ["old", "new"]);
    }

    #[test]
    fn unwritable_folders_are_rejected_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = check(&file.join("below"), PRIVATE).unwrap_err();
        assert!(error.to_string().contains("below"), "{error}");
        assert!(error.hint().contains("--out"));
        check(&folder.path().join("a/b"), PRIVATE).unwrap();
    }

    #[test]
    fn a_probe_creates_nothing_and_agrees_with_the_check() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let missing = folder.path().join("a/b");
        assert_eq!(probe_folder(folder.path()).unwrap(), FolderState::Exists);
        assert_eq!(probe_folder(&missing).unwrap(), FolderState::Missing(folder.path().to_owned()));
        let error = probe_folder(&file).unwrap_err();
        assert!(error.to_string().starts_with("could not write to the folder"), "{error}");
        let error = probe_folder(&file.join("below")).unwrap_err();
        assert!(error.to_string().starts_with("could not create the folder"), "{error}");
        // A link to nowhere is no folder, and none can be made in its place.
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        assert!(probe_folder(&folder.path().join("link")).is_err());
        assert!(check(&folder.path().join("link"), PRIVATE).is_err());
        if Path::new("/proc/self").exists() {
            assert!(
                probe_folder(Path::new("/proc")).is_err()
                    && probe_folder(Path::new("/proc/reports")).is_err()
            );
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(
            probe_folder(Path::new("no such folder")).unwrap(),
            FolderState::Missing(PathBuf::from("."))
        );
    }
}
