//! Whether an archive is what it says: every file, every row.

use std::collections::HashMap;
use std::path::Path;

use super::{Archive, ArchiveError};
use crate::catch_panic::catch_panic;
use crate::tables::parquet::{self, Projection, StoredTable};
use crate::tables::{self, schema};
use crate::text::clean;

/// The longest line about a fault.
const LONGEST_FAULT: usize = 1000;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soundness {
    /// What is wrong, in words; empty where all is well.
    pub faults: Vec<String>,
    /// Months with sessions.
    pub months: u64,
    /// Sessions in them.
    pub sessions: u64,
    /// The length of all files.
    pub bytes: u64,
}

/// Checks that every file is what was written, that its rows are as many as the
/// state says, in order and of its month, that each session is there once, that
/// child rows name sessions that are there by their places, that pull requests are in
/// the repositories of their addresses, and that the folder has no link and no other
/// file.
///
/// # Errors
/// There is no archive, it is of a newer schema, or the disk refuses.
pub fn verify(root: &Path) -> Result<Soundness, ArchiveError> {
    let archive = match Archive::open_unchecked(root) {
        Ok(archive) => archive,
        // Nothing more can be checked.
        Err(ArchiveError::Damaged { path, what }) => {
            let faults = vec![clean(&format!("{path}: {what}"), LONGEST_FAULT)];
            return Ok(Soundness { faults, months: 0, sessions: 0, bytes: 0 });
        }
        Err(error) => return Err(error),
    };
    let state = archive.state();
    let mut faults: Vec<String> = archive
        .files
        .unknown(state)?
        .into_iter()
        .map(|path| format!("{path}: not part of the archive"))
        .collect();
    let mut homes: HashMap<String, &str> = HashMap::new();
    for month in state.months() {
        let Some(files) = sound_files(&archive, month, &mut faults)? else { continue };
        let checked = catch_panic(|| tables::verify(&files, month));
        let checked = checked.and_then(|checked| checked.map_err(|error| error.to_string()));
        match checked {
            Ok(found) => {
                // What a report would refuse.
                if found.faults.is_empty()
                    && let Err(what) = parquet::in_memory(files)
                {
                    faults.push(format!("{month}: {what}"));
                }
                faults.extend(found.faults.into_iter().map(|fault| format!("{month}, {fault}")));
                for id in found.ids {
                    if let Some(other) = homes.insert(id.clone(), month) {
                        faults.push(format!("session {id} occurs twice: in {other} and in {month}"));
                    }
                }
            }
            Err(what) => faults.push(format!("{month}: {what}")),
        }
    }
    for checked in [archive.people().err(), archive.vendor().err()] {
        if let Some(ArchiveError::Damaged { path, what }) = checked {
            faults.push(format!("{path}: {what}"));
        }
    }
    // Names and ids in an archive may be anybody's.
    let faults = faults.iter().map(|fault| clean(fault, LONGEST_FAULT)).collect();
    Ok(Soundness {
        faults,
        months: state.months().count() as u64,
        sessions: state.sessions(),
        bytes: state.files.values().map(|entry| entry.bytes).sum(),
    })
}

/// The tables of a month as they are on disk, if all of them are what was written.
fn sound_files(
    archive: &Archive,
    month: &str,
    faults: &mut Vec<String>,
) -> Result<Option<[StoredTable; schema::COUNT]>, ArchiveError> {
    let mut tables = Vec::new();
    for table in &schema::TABLES {
        match archive.table(table, month, Projection::All) {
            Ok(table) => tables.push(table),
            Err(ArchiveError::Damaged { path, what }) => faults.push(format!("{path}: {what}")),
            Err(error) => return Err(error),
        }
    }
    Ok(<[_; schema::COUNT]>::try_from(tables).ok())
}
