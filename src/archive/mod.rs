//! A local store of sessions that outlives a run.
//!
//! ```text
//! sessions/month=2026-10/sessions.parquet     six tables by month of creation, in UTC
//! pull_requests/month=2026-10/…
//! people.json                                 who the ids belong to
//! vendor.json                                 what the vendor counts and bills
//! state.json                                  what all of this is, written last
//! ```
//!
//! [`Archive`] reads one, [`Store`] adds to one. Whatever kills a sync, the
//! archive is what it was before its last step or after it: see `files`.

mod error;
mod files;
mod people;
mod state;
mod store;
mod vendor;
mod verify;

use std::ops::Range;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;

pub use error::ArchiveError;
pub use people::People;
pub use state::{Entry, SINCE, State, Subject};
pub use store::Store;
pub use vendor::Vendor;
pub use verify::{Soundness, verify};

use crate::tables::parquet::{self, Projection, StoredTable};
use crate::tables::schema::{self, TABLES, VERSION};
use crate::tables::{self, Tables};
use crate::text::{clean, shown};
use state::StateError;

/// What is on the disk where a sync did not come to its end.
pub const KEPT: &str =
    "the archive is intact; completed steps are kept, and the next sync continues from there";

/// An archive that is read; its files stay as they are meanwhile.
#[derive(Debug)]
pub struct Archive {
    files: files::Reader,
    state: State,
}

impl Archive {
    /// Opens an archive to read it.
    ///
    /// # Errors
    /// There is none, it is of a newer schema, or the disk refuses.
    pub fn open(root: &Path) -> Result<Self, ArchiveError> {
        let archive = Self::open_unchecked(root)?;
        archive.files.check_months(&archive.state)?;
        Ok(archive)
    }

    /// The same, whatever else is in its folders.
    fn open_unchecked(root: &Path) -> Result<Self, ArchiveError> {
        let files = files::Reader::locked(root)?;
        let missing = || ArchiveError::Missing { path: shown(root) };
        let text = files.read(files::STATE, files::LONGEST_STATE)?.ok_or_else(missing)?;
        Ok(Self { files, state: parse(root, &text)? })
    }

    /// What it knows of itself.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The months that a window touches, oldest first; some of their sessions may be
    /// before or after it.
    pub fn months_of(&self, window: &Range<DateTime<Utc>>) -> Vec<String> {
        let end = (window.end - TimeDelta::microseconds(1)).max(window.start);
        let (first, last) = (month(window.start), month(end));
        let months = self.state.months().filter(|own| (first.as_str()..=last.as_str()).contains(own));
        months.map(str::to_owned).collect()
    }

    /// The sessions of a month for a report; without titles, addresses and texts of
    /// analyses where it ends before `named_from`.
    ///
    /// # Errors
    /// A file is not what the state says.
    pub fn for_report(&self, own: &str, named_from: DateTime<Utc>) -> Result<Tables, ArchiveError> {
        self.tables(own, Projection::Memory { named: own >= month(named_from).as_str() })
    }

    /// The tables of a month without titles, addresses and texts of analyses.
    fn unnamed(&self, month: &str) -> Result<Tables, ArchiveError> {
        self.tables(month, Projection::Memory { named: false })
    }

    /// The whole tables of a month.
    fn whole(&self, month: &str) -> Result<Tables, ArchiveError> {
        self.tables(month, Projection::Memory { named: true })
    }

    fn tables(&self, month: &str, columns: Projection) -> Result<Tables, ArchiveError> {
        let file = |table: schema::TableSpec| match (table.name, columns) {
            // It has texts alone.
            (name, Projection::Memory { named: false }) if name == schema::REMARKS.name => {
                Ok(parquet::empty(&table))
            }
            _ => self.table(&table, month, columns),
        };
        let [a, b, d, e, f, g] = TABLES.map(file);
        let tables = parquet::in_memory([a?, b?, d?, e?, f?, g?]);
        tables.map_err(|what| ArchiveError::unfit(&self.files.root, &what))
    }

    /// The ids of the sessions of a month.
    fn ids(&self, month: &str) -> Result<Vec<String>, ArchiveError> {
        Ok(tables::ids(&self.table(&schema::SESSIONS, month, Projection::Ids)?)?)
    }

    /// The table of a month as it is on disk, with those columns that are asked for.
    fn table(
        &self,
        table: &schema::TableSpec,
        month: &str,
        columns: Projection,
    ) -> Result<StoredTable, ArchiveError> {
        // A month comes from the state, which may hold any text.
        let path = state::path(table.name, month);
        if table.is_added() && !self.state.files.contains_key(&path) {
            return Ok(parquet::empty(table));
        }
        let bytes = self.checked(&path)?;
        let damaged = |what| ArchiveError::damaged(&self.files.root.join(&path), what);
        let table = parquet::read(bytes, table, columns).map_err(damaged)?;
        let said = self.state.files.get(&path).expect("its bytes are what the entry says").rows;
        match table.height() as u64 {
            rows if rows == said => Ok(table),
            rows => Err(damaged(format!("it has {rows} rows, but the state lists {said}"))),
        }
    }

    /// Who people are, by the last sync that received it.
    ///
    /// # Errors
    /// A file is not what the state says.
    pub fn people(&self) -> Result<People, ArchiveError> {
        self.json(People::PATH)
    }

    /// What the vendor counted and billed, by the syncs so far.
    ///
    /// # Errors
    /// A file is not what the state says.
    pub fn vendor(&self) -> Result<Vendor, ArchiveError> {
        self.json(Vendor::PATH)
    }

    /// What a file of JSON holds; nothing where an archive has none.
    fn json<T: Default + DeserializeOwned>(&self, path: &str) -> Result<T, ArchiveError> {
        if !self.state.files.contains_key(path) {
            return Ok(T::default());
        }
        serde_json::from_slice(&self.checked(path)?).map_err(|error| {
            ArchiveError::damaged(&self.files.root.join(path), clean(&error.to_string(), 200))
        })
    }

    /// A file's bytes, if they are what the state says.
    fn checked(&self, path: &str) -> Result<Vec<u8>, ArchiveError> {
        let damaged = |what| ArchiveError::damaged(&self.files.root.join(path), what);
        let entry = self.state.files.get(path).ok_or_else(|| damaged("the state does not list it"))?;
        let bytes = self.files.read(path, state::MOST_BYTES)?;
        let bytes = bytes.ok_or_else(|| damaged("it is missing"))?;
        match entry.matches(&bytes) {
            true => Ok(bytes),
            false => Err(damaged("its content has changed since it was written")),
        }
    }
}

/// The month of a moment, as files are named by it.
fn month(moment: DateTime<Utc>) -> String {
    tables::month(moment.timestamp_micros())
}

fn parse(root: &Path, text: &[u8]) -> Result<State, ArchiveError> {
    State::parse(text).map_err(|flaw| match flaw {
        StateError::Newer(schema) => ArchiveError::Newer { path: shown(root), schema, known: VERSION },
        StateError::Unreadable(why) => ArchiveError::damaged(&root.join(files::STATE), why),
    })
}
