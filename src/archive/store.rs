//! An archive that is added to: step by step, each of them whole or not at all.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

use super::state::{self, Entry};
use super::{Archive, ArchiveError, People, State, Subject, Vendor, files};
use crate::catch_panic::catch_panic;
use crate::tables::parquet::{self, StoredFile};
use crate::tables::schema::VERSION;
use crate::tables::{self, Look, Tables};
use crate::text::{clean, shown};

/// An archive locked against other writers.
#[derive(Debug)]
pub struct Store {
    archive: Archive,
    look: Look,
    _lock: files::Lock,
}

impl Store {
    /// Opens an archive to add to it, or begins one.
    ///
    /// # Errors
    /// It is about something else or of a newer schema, another sync is at work,
    /// or the disk refuses.
    pub fn open(root: &Path, subject: &Subject, now: DateTime<Utc>) -> Result<Self, ArchiveError> {
        let lock = files::enter(root)?;
        files::settle(root)?;
        let files = files::Reader::unlocked(root);
        let state = match files.read(files::STATE, files::LONGEST_STATE)? {
            Some(text) => super::parse(root, &text)?,
            None => State::begin(subject, now),
        };
        files.check_months(&state)?;
        if let Some((what, own, asked)) = state.differs(subject) {
            let own = clean(&own, 80);
            return Err(ArchiveError::Other { path: shown(root), what, own, asked });
        }
        if now < state.until {
            let until = state.until.to_rfc3339_opts(SecondsFormat::Secs, true);
            return Err(ArchiveError::Ahead { path: shown(root), until });
        }
        let look = Look { at: now, before: state.complete.then_some(state.watermark) };
        let archive = Archive { files, state };
        Ok(Self { archive, look, _lock: lock })
    }

    /// What it knows of itself.
    pub fn state(&self) -> &State {
        &self.archive.state
    }

    /// The ids of sessions that may still come to another end, oldest first: those
    /// that have not ended, and those with a pull request that is not decided.
    ///
    /// # Errors
    /// A file is not what the state says.
    pub fn unsettled(&self) -> Result<Vec<String>, ArchiveError> {
        let mut ids = Vec::new();
        for month in self.months() {
            let tables = self.archive.unnamed(&month)?;
            ids.extend(self.sound(|| Ok(tables::unsettled(&tables)?))?);
        }
        Ok(ids)
    }

    /// Adds sessions, and what is known by now: both hold once this returns, and
    /// neither does before.
    ///
    /// # Errors
    /// A file is not what the state says, or the disk refuses.
    pub fn add(&mut self, new: &Tables, know: impl FnOnce(&mut State)) -> Result<(), ArchiveError> {
        let root = self.archive.files.root.clone();
        let step = files::Step::begin(&root)?;
        let mut state = self.archive.state.clone();
        for (month, tables) in self.sound(|| self.changed(new))? {
            for StoredFile { name, rows, bytes } in parquet::write(&tables)? {
                let path = state::path(name, &month);
                let entry = Entry::of(rows as u64, &bytes);
                if state.files.get(&path) != Some(&entry) {
                    step.write(&path, &bytes)?;
                    state.files.insert(path, entry);
                }
            }
        }
        know(&mut state);
        self.commit(step, state)
    }

    /// Takes over who people are and what the vendor counts, and ends a sync: all
    /// changes before `began` are in, and where it was `full`, all columns of all sessions.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(
        &mut self,
        people: &People,
        vendor: &Vendor,
        began: DateTime<Utc>,
        full: bool,
    ) -> Result<(), ArchiveError> {
        let root = self.archive.files.root.clone();
        let step = files::Step::begin(&root)?;
        let mut state = State { watermark: began, complete: true, ..self.archive.state.clone() };
        if full {
            state.whole_from = Some(state.since);
        }
        let failed = |path: &'static str| {
            move |error| ArchiveError::disk("write", Path::new(path))(std::io::Error::other(error))
        };
        for (path, rows, bytes) in [
            (
                People::PATH,
                people.users.len(),
                serde_json::to_vec_pretty(people).map_err(failed(People::PATH))?,
            ),
            (Vendor::PATH, vendor.rows(), serde_json::to_vec_pretty(vendor).map_err(failed(Vendor::PATH))?),
        ] {
            let entry = Entry::of(rows as u64, &bytes);
            if state.files.get(path) != Some(&entry) || self.archive.checked(path).is_err() {
                step.write(path, &bytes)?;
                state.files.insert(path.to_owned(), entry);
            }
        }
        self.commit(step, state)
    }

    /// Who people are, by the last sync that received it.
    ///
    /// # Errors
    /// A file is not what the state says.
    pub fn people(&self) -> Result<People, ArchiveError> {
        self.archive.people()
    }

    /// What the vendor counted and billed, by the syncs so far.
    ///
    /// # Errors
    /// A file is not what the state says.
    pub fn vendor(&self) -> Result<Vendor, ArchiveError> {
        self.archive.vendor()
    }

    fn commit(&mut self, step: files::Step<'_>, state: State) -> Result<(), ArchiveError> {
        let state = State { schema: VERSION, tool: state::tool(), ..state };
        let path: PathBuf = self.archive.files.root.join(files::STATE);
        let text = serde_json::to_vec_pretty(&state)
            .map_err(|error| ArchiveError::disk("write", &path)(std::io::Error::other(error)))?;
        step.commit(&text)?;
        self.archive.state = state;
        Ok(())
    }

    /// Work with stored tables, which somebody may have made up: a panic over them
    /// says that they are damaged.
    fn sound<T>(&self, work: impl FnOnce() -> Result<T, ArchiveError>) -> Result<T, ArchiveError> {
        catch_panic(work).unwrap_or_else(|what| Err(ArchiveError::unfit(&self.archive.files.root, &what)))
    }

    /// The months that new sessions change, as they will be.
    fn changed(&self, new: &Tables) -> Result<Vec<(String, Tables)>, ArchiveError> {
        let mut parts: HashMap<String, Tables> = new.by_month()?.into_iter().collect();
        let mut homes: HashMap<String, String> = HashMap::new();
        for (month, tables) in &parts {
            homes.extend(tables::ids(&tables.sessions)?.into_iter().map(|id| (id, month.clone())));
        }
        // A session with a new creation time must not stay in two months.
        let mut left = HashSet::new();
        for month in self.months().into_iter().filter(|_| !homes.is_empty()) {
            if self.archive.ids(&month)?.iter().any(|id| homes.get(id).is_some_and(|home| *home != month)) {
                left.insert(month);
            }
        }
        let mut changed = Vec::new();
        for month in self.months() {
            let part = parts.remove(&month);
            if part.is_none() && !left.contains(&month) {
                continue;
            }
            let mut tables = self.archive.whole(&month)?;
            if left.contains(&month) {
                let elsewhere = part.as_ref().map_or_else(|| Ok(new.clone()), |part| new.without(part))?;
                tables = tables.without(&elsewhere)?;
            }
            if let Some(part) = part {
                tables = tables::merge(&tables, &part.looked_at(Some(&tables), &self.look)?)?;
            }
            changed.push((month, tables));
        }
        for (month, part) in parts {
            changed.push((month, part.looked_at(None, &self.look)?));
        }
        Ok(changed)
    }

    fn months(&self) -> Vec<String> {
        self.archive.state.months().map(str::to_owned).collect()
    }
}
