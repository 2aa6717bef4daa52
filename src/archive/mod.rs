//! A local store of sessions that outlives a run.
//!
//! ```text
//! sessions/month=2026-10/sessions.parquet     five tables by month of creation, in UTC
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
pub use state::{Entry, SCHEMA, SINCE, State, Subject};
pub use store::Store;
pub use vendor::Vendor;
pub use verify::{Soundness, verify};

use crate::frame::columns as c;
use crate::frame::stored::{self, Table, Tables};
use crate::text::{clean, shown};
use state::Flaw;

/// What is on the disk where a sync did not come to its end.
pub const KEPT: &str =
    "the archive is whole; each step that was done stands, and the next sync goes on from there";

/// An archive that is read; its files stay as they are meanwhile.
#[derive(Debug)]
pub struct Archive {
    files: files::Reader,
    state: State,
}

/// Columns of sessions that only matter where they are named.
const NAMING: [&str; 2] = [c::TITLE, c::URL];

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

    /// The months that a window touches, oldest first, and how many sessions are
    /// kept of each: some of them before or after the window.
    pub fn months_of(&self, window: &Range<DateTime<Utc>>) -> Vec<(String, u64)> {
        let end = (window.end - TimeDelta::microseconds(1)).max(window.start);
        let (first, last) = (month(window.start), month(end));
        let months = self.state.months().filter(|own| (first.as_str()..=last.as_str()).contains(own));
        let sessions = |own: &str| self.state.files.get(&state::path("sessions", own));
        months.map(|own| (own.to_owned(), sessions(own).map_or(0, |entry| entry.rows))).collect()
    }

    /// What frames are made of from a month; titles and addresses of its sessions
    /// are left out where it ends before `named_from`.
    ///
    /// # Errors
    /// A file is not what the state says.
    pub fn for_frames(&self, own: &str, named_from: DateTime<Utc>) -> Result<Tables, ArchiveError> {
        let is_named = own >= month(named_from).as_str();
        self.tables(own, |table, column| {
            stored::is_read(table, column) && (is_named || !NAMING.contains(&column))
        })
    }

    /// The tables of a month, with those columns that are wanted.
    fn tables(&self, month: &str, wanted: impl Fn(&str, &str) -> bool) -> Result<Tables, ArchiveError> {
        let table =
            |name: &str| self.table(name, month, |columns| columns.retain(|column| wanted(name, column)));
        let [a, b, d, e, f] = stored::NAMES.map(table);
        Ok(Tables([a?, b?, d?, e?, f?]))
    }

    /// All there is of a month.
    fn whole(&self, month: &str) -> Result<Tables, ArchiveError> {
        self.tables(month, |_, _| true)
    }

    /// The ids of the sessions of a month.
    fn ids(&self, month: &str) -> Result<Vec<String>, ArchiveError> {
        let sessions =
            self.table("sessions", month, |columns| columns.retain(|column| column == c::SESSION))?;
        Ok(stored::ids(&sessions)?)
    }

    /// The table of a month, with those of its columns that are left.
    fn table(
        &self,
        name: &str,
        month: &str,
        choose: impl Fn(&mut Vec<String>),
    ) -> Result<Table, ArchiveError> {
        // A month comes from the state, which may hold any text.
        let path = state::path(name, month);
        let bytes = self.checked(&path)?;
        let damaged = |what| ArchiveError::damaged(&self.files.root.join(&path), what);
        let table = stored::from_parquet(bytes, name, choose).map_err(damaged)?;
        let said = self.state.files.get(&path).map_or(0, |entry| entry.rows);
        match table.height() as u64 {
            rows if rows == said || table.width() == 0 => Ok(table),
            rows => Err(damaged(format!("it has {rows} rows, and the state says {said}"))),
        }
    }

    /// Who people are, by the last sync that was told.
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
        let entry = self.state.files.get(path).ok_or_else(|| damaged("the state does not know it"))?;
        let bytes = self.files.read(path, state::MOST_BYTES)?;
        let bytes = bytes.ok_or_else(|| damaged("it is not there"))?;
        match entry.matches(&bytes) {
            true => Ok(bytes),
            false => Err(damaged("it is not what was written")),
        }
    }
}

/// The month of a moment, as files are named by it.
fn month(moment: DateTime<Utc>) -> String {
    stored::month(moment.timestamp_micros())
}

fn parse(root: &Path, text: &[u8]) -> Result<State, ArchiveError> {
    State::parse(text).map_err(|flaw| match flaw {
        Flaw::Newer(schema) => ArchiveError::Newer { path: shown(root), schema, known: SCHEMA },
        Flaw::Unreadable(why) => ArchiveError::damaged(&root.join(files::STATE), why),
    })
}
