//! Parquet files of exports and archives in the readers that people use: each
//! opens, filters, sorts and joins them by a text column, and all count the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};

use crate::export::readers;
use crate::sql::archived;
use crate::support::{CANARY, Served, acumen, files, repository, run};

/// The Pythons to use: the one with most readers, and a list, as in `PATH`, of
/// those with a single reader: pyarrow 14, pyarrow 15, Spark.
#[expect(clippy::disallowed_methods, reason = "set by the person who runs the tests")]
fn pythons() -> Vec<OsString> {
    let others = std::env::var_os("ACUMEN_PARQUET_READERS").unwrap_or_default();
    let others = std::env::split_paths(&others).filter(|path| !path.as_os_str().is_empty());
    readers().into_iter().chain(others.map(PathBuf::into_os_string)).collect()
}

/// Asserts that all readers agree on some files, sessions first.
fn all_agree(sessions: &Path, others: &[PathBuf]) {
    let mut counts: Vec<(String, String)> = Vec::new();
    for python in pythons() {
        let mut command = Command::new(&python);
        command.arg(repository("tests/readers/parquet.py")).arg(sessions).args(others);
        let output = command.output().expect("the variable names a Python");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{python:?}: {text}{errors}");
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let own: Vec<_> = lines.map(|(name, count)| (name.to_owned(), count.to_owned())).collect();
        assert!(!own.is_empty(), "{python:?} has no reader");
        counts.extend(own);
    }
    for pair in counts.windows(2) {
        assert_eq!(pair[0].1, pair[1].1, "{} and {}", pair[0].0, pair[1].0);
    }
}

#[test]
fn all_readers_filter_sort_and_join_exports() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["demo", "--export", "parquet", "--out", "."];
    let outcome = run(acumen(folder.path()).args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let names = files(folder.path()).into_iter().filter(|name| name.ends_with(".parquet"));
    let (sessions, others): (Vec<PathBuf>, Vec<PathBuf>) = names
        .map(|name| folder.path().join(name))
        .partition(|path| path.to_string_lossy().ends_with("_sessions.parquet"));
    assert_eq!((sessions.len(), others.len()), (1, 5));
    all_agree(&sessions[0], &others);
}

#[test]
fn all_readers_filter_sort_and_join_an_archive() {
    let served =
        Served::new(Organisation::invent(&Recipe { sessions: 300, ..Recipe::demo() }), Options::default());
    let folder = tempfile::tempdir().unwrap();
    archived(&served, CANARY, folder.path(), &["--week", "2026-W41"]);
    // One month of each table.
    let table = |name: &str| {
        let month = folder.path().join("archive").join(name).join("month=2026-10");
        let names = files(&month);
        assert_eq!(names.len(), 1, "{names:?}");
        month.join(&names[0])
    };
    all_agree(
        &table("sessions"),
        &["pull_requests", "tags", "issues", "action_items", "feedback"].map(table),
    );
}
