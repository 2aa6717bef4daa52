//! Report to files and mail to its server: the only writer to disk.

mod append;
mod link;
mod name;
mod pages;
mod post;
mod refusal;
mod sent;
mod smtp;
mod state;
mod stored;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

pub use append::{append, check_append};
pub use name::file_name;
pub use pages::Pages;
pub use post::{Doubt, Offer, PARTLY, PostError, Posted, offer};
pub use refusal::{SmtpError, Turned};
pub use sent::{LedgerError, look_ledger};
pub use smtp::{LIMITS, Limits, Rehearsal, rehearse};
pub use state::look_state;
pub use stored::{Stored, read, write_message};

use crate::exit::{Exit, Explain};
use crate::export::{File, is_export};
use crate::settings::PRIVATE;
use crate::text::shown;

/// What files that are not whole yet begin with.
const STAGED: &str = ".acumen-";

/// What is on the disk where a report stands and something after it failed.
pub const WHOLE: &str = "the report was written and is whole";
/// … and where it lacks sessions and was not mailed.
pub const UNMAILED: &str = "the report was written; nothing was mailed";
/// What is on the disk after most failures.
pub const UNTOUCHED: &str = "nothing was written; an earlier report of this period is as it was";
/// … where the facts had taken their place already …
const FACTS: &str =
    "the new facts were written whole; the page beside them is an earlier one, or is not there";
/// … and where the page had too.
const BOTH: &str =
    "the new page and facts were written whole; a crash of the machine now could still undo it";

/// A report could not be written; whatever stands there is whole.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempt} {path}: {source}")]
pub struct DeliverError {
    attempt: &'static str,
    path: String,
    /// What to choose instead: `folder … with --out`.
    instead: (&'static str, &'static str),
    source: io::Error,
    kept: &'static str,
    /// What to do about it, where it is not about the folder of reports.
    own_hint: Option<&'static str>,
    exit: Exit,
}

impl DeliverError {
    fn of(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = shown(path);
        move |source| Self {
            attempt,
            path,
            source,
            instead: ("folder", "--out"),
            kept: UNTOUCHED,
            own_hint: None,
            exit: Exit::Output,
        }
    }

    /// An error about a report that stands, or about what is made from it.
    fn about_whole(self, hint: &'static str) -> Self {
        Self { own_hint: Some(hint), kept: WHOLE, ..self }
    }

    /// What is on the disk all the same.
    pub fn kept(&self) -> &'static str {
        self.kept
    }
}

impl Explain for DeliverError {
    fn exit(&self) -> Exit {
        self.exit
    }

    fn hint(&self) -> String {
        if let Some(hint) = self.own_hint {
            return hint.to_owned();
        }
        let (what, option) = self.instead;
        match self.source.kind() {
            io::ErrorKind::AlreadyExists if self.attempt == CREATE => {
                "edit the file that is there, or name another".to_owned()
            }
            io::ErrorKind::StorageFull => format!("free some space, or choose another {what} with {option}"),
            _ => format!("choose a {what} you may write to with {option}"),
        }
    }
}

/// Where the report lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The page.
    pub html: PathBuf,
    /// Its facts.
    pub json: PathBuf,
    /// Its exports, in the order in which they were given.
    pub exports: Vec<PathBuf>,
    /// Exports of an earlier run of this report, which are gone.
    pub removed: Vec<PathBuf>,
}

/// The rights of a folder whose files have these: those who may read may enter.
fn of_folder(mode: u32) -> u32 {
    mode | (mode & 0o444) >> 2
}

/// Makes the folder, with rights that fit those of its files, and proves that it
/// can be written to, before the long work. A folder that exists keeps its rights.
///
/// # Errors
/// The folder cannot be made or written to.
pub fn check(folder: &Path, mode: u32) -> Result<(), DeliverError> {
    let is_new = !folder.exists();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(of_folder(mode));
    builder.create(folder).map_err(DeliverError::of("make the folder", folder))?;
    if is_new {
        // The umask took its part of what was asked for.
        fs::set_permissions(folder, fs::Permissions::from_mode(of_folder(mode)))
            .map_err(DeliverError::of("set the rights of the folder", folder))?;
    }
    tempfile::Builder::new()
        .prefix(STAGED)
        .tempfile_in(folder)
        .map(drop)
        .map_err(DeliverError::of("write to the folder", folder))
}

/// Where a folder for reports would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is there.
    There,
    /// It would be made in this one, the nearest that is there.
    Missing(PathBuf),
}

/// Whether [`check`] would succeed, found out without making anything that has
/// a name: a file without one is tried in the nearest folder that is there.
///
/// # Errors
/// The folder could not be made or written to.
pub fn look(folder: &Path) -> Result<Place, DeliverError> {
    let there = |path: &&Path| path.symlink_metadata().is_ok();
    let nearest = folder.ancestors().map(named).find(there).unwrap_or(Path::new("."));
    let is_there = nearest == named(folder);
    let attempt = if is_there { "write to the folder" } else { "make the folder" };
    tempfile::tempfile_in(nearest).map(drop).map_err(DeliverError::of(attempt, folder))?;
    Ok(if is_there { Place::There } else { Place::Missing(nearest.to_owned()) })
}

/// The folder above `reports` is the one that the program runs in.
fn named(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Writes the page and its facts as `NAME.html` and `NAME.json`, and the
/// exports beside them.
///
/// All of them get exactly these rights, whatever the umask; what becomes of a link
/// in the place of one tells `link.rs`. Each is written beside its place, synced and
/// renamed, so that whoever reads meanwhile, or a crash, meets a whole file: the old
/// one or the new one. What killed runs have left beside them is cleared away. Exports of this report
/// that an earlier run has left and this one does not write are removed, so
/// that no old numbers stand beside a new page.
///
/// # Errors
/// A file cannot be written; what stands there is told by [`DeliverError::kept`].
pub fn write(
    folder: &Path,
    name: &str,
    html: &str,
    json: &str,
    exports: &[File],
    mode: u32,
) -> Result<Receipt, DeliverError> {
    let place = |ending: &str| folder.join(format!("{name}{ending}"));
    let mut receipt = Receipt {
        html: place(".html"),
        json: place(".json"),
        exports: exports.iter().map(|file| place(&file.ending)).collect(),
        removed: Vec::new(),
    };
    // A rename cannot replace a folder, and the second must not fail after the first.
    let (html_to, json_to) = (destination(&receipt.html)?, destination(&receipt.json)?);
    let exports_to = receipt.exports.iter().map(|path| destination(path)).collect::<Result<Vec<_>, _>>()?;
    let all = || [&html_to, &json_to].into_iter().chain(&exports_to);
    let mut met = BTreeSet::new();
    if let Some(twice) = all().find(|path| !met.insert(real(path))) {
        let refused =
            DeliverError::of("write", twice)(io::Error::other("two files of the report lead there"));
        return Err(DeliverError { own_hint: Some("let each link lead to a file of its own"), ..refused });
    }
    let folders: BTreeSet<&Path> = all().map(|path| above(path)).chain([folder]).collect();
    let mut places = Vec::new();
    for folder in folders {
        let place = fs::File::open(folder).map_err(DeliverError::of("open the folder", folder))?;
        // For as long as this run has files here that are not whole. A file system
        // without locks only loses the clearing away.
        let _ = flock(&place, FlockOperation::LockShared);
        places.push((folder, place));
    }
    let page = staged(&html_to, html.as_bytes(), mode)?;
    let mut others = vec![(staged(&json_to, json.as_bytes(), mode)?, &json_to)];
    for (file, target) in exports.iter().zip(&exports_to) {
        others.push((staged(target, &file.bytes, mode)?, target));
    }
    let stale = stale(folder, name, &receipt.exports);
    put(page, &html_to, others, &stale)?;
    receipt.removed = stale;
    for (folder, place) in &places {
        // Without this a crash of the machine could forget the renames.
        let unsynced = |error| DeliverError { kept: BOTH, ..DeliverError::of("sync", folder)(error) };
        place.sync_all().map_err(unsynced)?;
    }
    for (folder, place) in &places {
        // Given back first: of two runs that end together one gets it alone.
        let _ = flock(place, FlockOperation::Unlock);
        if flock(place, FlockOperation::NonBlockingLockExclusive).is_ok() {
            sweep(folder);
        }
    }
    Ok(receipt)
}

/// Puts all files in their places, and takes away exports that are no more.
fn put(
    page: tempfile::NamedTempFile,
    html: &Path,
    others: Vec<(tempfile::NamedTempFile, &PathBuf)>,
    stale: &[PathBuf],
) -> Result<(), DeliverError> {
    let mut kept = UNTOUCHED;
    // The page last: it never stands beside numbers that are older than itself.
    for (file, target) in others {
        persist(file, target).map_err(|error| DeliverError { kept, ..error })?;
        kept = FACTS;
    }
    let partly = |error| DeliverError { kept, ..error };
    for path in stale {
        fs::remove_file(path).map_err(DeliverError::of("remove the old export", path)).map_err(partly)?;
    }
    persist(page, html).map_err(partly)
}

/// The exports of a report in a folder, in order, without those that are written now.
fn stale(folder: &Path, name: &str, written: &[PathBuf]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_stale = |entry: &fs::DirEntry| {
        let own = entry.file_name().to_str().and_then(|file| file.strip_prefix(name)).is_some_and(is_export);
        // Of a link the link goes, and not what it leads to.
        let is_kind = |kind: fs::FileType| kind.is_file() || kind.is_symlink();
        own && entry.file_type().is_ok_and(is_kind) && !written.contains(&entry.path())
    };
    let mut paths: Vec<PathBuf> = entries.filter(is_stale).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

const CREATE: &str = "create the file";

/// Creates a file that only its owner may read; an existing file stays as it is.
///
/// # Errors
/// There is one, or none can be written there.
pub fn begin(path: &Path, text: &str) -> Result<(), DeliverError> {
    let failed = || of_settings(CREATE, path);
    let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = created.map_err(failed())?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed())
}

/// Makes a folder that only its owner may enter, and those above it that are
/// missing; an existing folder keeps its mode.
///
/// # Errors
/// It cannot be made.
pub fn make_private(folder: &Path) -> Result<(), DeliverError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(of_settings("make the folder", folder))
}

fn of_settings(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DeliverError {
    let error = DeliverError::of(attempt, path);
    move |source| DeliverError { instead: ("file", "--config"), ..error(source) }
}

/// Clears away what killed runs have left, once nobody is writing here. The
/// report stands by now, so that nothing that fails here matters.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_staged = entry.file_name().to_str().is_some_and(|name| name.starts_with(STAGED));
        if is_staged && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The path that a rename takes for a file: that of the file itself, or where a
/// link of ours leads. Never a folder or a device.
fn destination(path: &Path) -> Result<PathBuf, DeliverError> {
    let target = link::followed(path).map_err(|error| DeliverError {
        own_hint: Some(
            "remove the link, or let it lead to a file with the same ending in a folder that is there",
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

/// The path of a file without links in its folders, to compare with others.
fn real(path: &Path) -> PathBuf {
    let folder = fs::canonicalize(above(path)).unwrap_or_else(|_| above(path).to_owned());
    path.file_name().map_or(folder.clone(), |name| folder.join(name))
}

/// The folder that a file lies in.
fn above(path: &Path) -> &Path {
    named(path.parent().unwrap_or(Path::new("")))
}

fn staged(target: &Path, bytes: &[u8], mode: u32) -> Result<tempfile::NamedTempFile, DeliverError> {
    let failed = || DeliverError::of("write", target);
    // A temporary file is made for its owner alone.
    let mut file = tempfile::Builder::new().prefix(STAGED).tempfile_in(above(target)).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    if mode != PRIVATE {
        file.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(failed())?;
    }
    file.as_file().sync_all().map_err(failed())?;
    Ok(file)
}

fn persist(file: tempfile::NamedTempFile, target: &Path) -> Result<(), DeliverError> {
    file.persist(target).map(drop).map_err(|error| DeliverError::of("replace", target)(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "org_2026-W41", "old", "{}", &[], PRIVATE).unwrap();
        let receipt = write(folder.path(), "org_2026-W41", "new", "{\"a\":1}", &[], PRIVATE).unwrap();
        assert_eq!(fs::read_to_string(receipt.html).unwrap(), "new");
        assert_eq!(fs::read_to_string(receipt.json).unwrap(), "{\"a\":1}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn exports_of_an_earlier_run_go_and_those_of_other_reports_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = |ending: &str, text: &str| File { ending: ending.to_owned(), bytes: text.into() };
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
    fn two_links_never_lead_to_one_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("to")).unwrap();
        for (target, name) in
            [("to/both.csv", "a_whole.csv".to_owned()), ("to/../to/both.csv", "a_by-org.csv".to_owned())]
        {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        }
        let exports = ["_whole.csv", "_by-org.csv"]
            .map(|ending| File { ending: ending.to_owned(), bytes: ending.into() });
        let error = write(folder.path(), "a", "new", "new", &exports, PRIVATE).unwrap_err();
        assert!(error.to_string().contains("two files of the report lead there"), "{error}");
        assert_eq!((error.exit(), fs::read_dir(folder.path()).unwrap().count()), (Exit::Output, 3));
        write(folder.path(), "a", "new", "new", &exports[..1], PRIVATE).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("to/both.csv")).unwrap(), "_whole.csv");
    }

    #[test]
    fn a_folder_in_the_place_of_an_export_leaves_the_report_alone() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", "old", "old", &[], PRIVATE).unwrap();
        fs::create_dir(folder.path().join("a.xlsx")).unwrap();
        let exports = [File { ending: ".xlsx".to_owned(), bytes: Vec::new() }];
        let error = write(folder.path(), "a", "new", "new", &exports, PRIVATE).unwrap_err();
        assert!(error.to_string().contains("a.xlsx"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("a.html")).unwrap(), "old");
        assert_eq!(fs::read_to_string(folder.path().join("a.json")).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_killed_runs_left_goes_unless_somebody_is_writing() {
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
    fn a_folder_in_the_place_of_the_page_leaves_the_facts_alone() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", "old", "old", &[], PRIVATE).unwrap();
        fs::remove_file(folder.path().join("a.html")).unwrap();
        fs::create_dir(folder.path().join("a.html")).unwrap();
        assert!(write(folder.path(), "a", "new", "new", &[], PRIVATE).is_err());
        assert_eq!(fs::read_to_string(folder.path().join("a.json")).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_was_kept_is_told_by_how_far_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let old = write(folder.path(), "a", "old", "old", &[], PRIVATE).unwrap();
        let read = || [&old.html, &old.json].map(|path| fs::read_to_string(path).unwrap());
        let staged = |text: &str| staged(&old.html, text.as_bytes(), PRIVATE).unwrap();
        // A staged file that has vanished cannot be moved to its place.
        let (page, facts) = (staged("new"), staged("new"));
        fs::remove_file(facts.path()).unwrap();
        assert_eq!(put(page, &old.html, vec![(facts, &old.json)], &[]).unwrap_err().kept(), UNTOUCHED);
        assert_eq!(read(), ["old", "old"]);
        let (page, facts) = (staged("new"), staged("new"));
        fs::remove_file(page.path()).unwrap();
        assert_eq!(put(page, &old.html, vec![(facts, &old.json)], &[]).unwrap_err().kept(), FACTS);
        assert_eq!(read(), ["old", "new"]);
    }

    #[test]
    fn a_folder_that_cannot_be_is_refused_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = check(&file.join("below"), PRIVATE).unwrap_err();
        assert!(error.to_string().contains("below"), "{error}");
        assert!(error.hint().contains("--out"));
        check(&folder.path().join("a/b"), PRIVATE).unwrap();
    }

    #[test]
    fn a_look_makes_nothing_and_tells_what_a_check_would() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let missing = folder.path().join("a/b");
        assert_eq!(look(folder.path()).unwrap(), Place::There);
        assert_eq!(look(&missing).unwrap(), Place::Missing(folder.path().to_owned()));
        let error = look(&file).unwrap_err();
        assert!(error.to_string().starts_with("could not write to the folder"), "{error}");
        let error = look(&file.join("below")).unwrap_err();
        assert!(error.to_string().starts_with("could not make the folder"), "{error}");
        // A link to nowhere is no folder, and none can be made in its place.
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        assert!(look(&folder.path().join("link")).is_err());
        assert!(check(&folder.path().join("link"), PRIVATE).is_err());
        if Path::new("/proc/self").exists() {
            assert!(look(Path::new("/proc")).is_err() && look(Path::new("/proc/reports")).is_err());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(look(Path::new("no such folder")).unwrap(), Place::Missing(PathBuf::from(".")));
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        assert_eq!(file_name(&["../../etc/passwd"]), "-.-..-etc-passwd-6fadc99a");
        assert_eq!(file_name(&["org_789", "2026-W41"]), "org_789_2026-W41");
        assert!(file_name(&["a b\u{202e}ü"]).starts_with("a-b---"));
        assert!(file_name(&[&"x".repeat(999)]).len() < 80);
    }

    #[test]
    fn two_questions_never_share_a_name() {
        assert_ne!(file_name(&["o/p"]), file_name(&["o-p"]));
        assert_ne!(file_name(&["修"]), file_name(&["😀"]));
        assert_ne!(file_name(&[&"x".repeat(61)]), file_name(&[&"x".repeat(62)]));
    }
}
