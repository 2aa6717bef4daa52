//! Sessions as six Polars frames with one schema: built from records of the API,
//! kept in an archive, read by metrics and exports.

mod builder;
pub mod exports;
mod footer;
mod frames;
mod merge;
pub mod normal;
pub mod parquet;
pub mod schema;
mod select;
mod verify;

use std::hash::BuildHasher;

use polars::prelude::*;
use rayon::prelude::*;

pub use builder::{KeptTexts, TablesBuilder};
pub use frames::{Frames, texts};
pub use merge::{Look, ids, merge, month, unsettled};
pub use select::SessionFilter;
pub use verify::{MonthCheck, verify};

use schema as c;

/// A step on a table failed: an internal error, unless the table was read from a file.
#[derive(Debug, thiserror::Error)]
#[error("could not build the table of {table}: {source}")]
pub struct TableError {
    table: &'static str,
    source: PolarsError,
}

impl TableError {
    pub(crate) fn of(table: &'static str) -> impl FnOnce(PolarsError) -> Self {
        move |source| Self { table, source }
    }
}

/// The six tables with the columns of [`schema`].
///
/// Sessions are in the order of creation, then of ids, and each is there once. Child
/// rows are in the order of their sessions, and name them by their place there
/// ([`schema::ROW`]); the child rows of one session are in the order of its record.
#[derive(Clone, Debug)]
pub struct Tables {
    /// One row a session.
    pub sessions: DataFrame,
    /// One row a pull request entry.
    pub pull_requests: DataFrame,
    /// One row a session and tag.
    pub tags: DataFrame,
    /// One row an issue.
    pub issues: DataFrame,
    /// One row an action item.
    pub action_items: DataFrame,
    /// One row a remark on the prompt of a session that may be named.
    pub feedback: DataFrame,
}

impl Tables {
    /// Tables without a row.
    pub fn empty() -> Self {
        let [sessions, pull_requests, tags, issues, action_items, feedback] = c::TABLES.map(|table| {
            let columns = table.in_memory();
            let columns =
                columns.map(|column| Column::new_empty(column.name.into(), &column.column_type.in_memory()));
            DataFrame::new_infer_height(columns.collect()).expect("the columns are all empty")
        });
        Self { sessions, pull_requests, tags, issues, action_items, feedback }
    }

    /// Each table with its name.
    pub fn named(&self) -> [(&'static str, &DataFrame); c::COUNT] {
        let Self { sessions, pull_requests, tags, issues, action_items, feedback } = self;
        let [a, b, d, e, f, g] = c::NAMES;
        [(a, sessions), (b, pull_requests), (d, tags), (e, issues), (f, action_items), (g, feedback)]
    }

    /// The same without prompts.
    ///
    /// # Errors
    /// There is no such column: an internal error.
    pub fn without_prompts(mut self) -> Result<Self, TableError> {
        let none = Column::full_null(c::PROMPT.into(), self.sessions.height(), &DataType::String);
        self.sessions.replace(c::PROMPT, none).map_err(TableError::of("sessions"))?;
        Ok(self)
    }

    /// Other sessions, and child tables that are made from these.
    fn with_children(
        &self,
        sessions: DataFrame,
        mut change: impl FnMut(&DataFrame) -> PolarsResult<DataFrame>,
    ) -> Result<Self, TableError> {
        let mut child = |name, table| change(table).map_err(TableError::of(name));
        Ok(Self {
            sessions,
            pull_requests: child(c::PULL_REQUESTS.name, &self.pull_requests)?,
            tags: child(c::TAGS.name, &self.tags)?,
            issues: child(c::ISSUES.name, &self.issues)?,
            action_items: child(c::ACTION_ITEMS.name, &self.action_items)?,
            feedback: child(c::REMARKS.name, &self.feedback)?,
        })
    }

    /// Several tables as one. Of a session in several of them the row that changed
    /// last stays, else the later one.
    ///
    /// # Errors
    /// The columns of two of them differ: an internal error.
    pub fn joined(parts: Vec<Self>) -> Result<Self, TableError> {
        let all = Self::concat(parts)?;
        if !all.may_have_repeats()? {
            let rows = all.rows();
            return all.in_order(rows);
        }
        let places: Vec<u64> = (0..).take(all.sessions.height()).collect();
        let rows = builder::latest(&all.sessions, places.clone(), places);
        all.in_order(rows.map_err(TableError::of("sessions"))?)
    }

    /// All rows of several tables, one behind the other: what is in order in each of
    /// them, and once, need not be so in the whole.
    ///
    /// # Errors
    /// The columns of two of them differ: an internal error.
    fn concat(parts: Vec<Self>) -> Result<Self, TableError> {
        let mut parts = parts.into_iter();
        let Some(mut all) = parts.next() else { return Ok(Self::empty()) };
        for part in parts {
            let (before, more) = (all.sessions.height(), part.sessions.height());
            let [before, _] = [count(before)?, count(before + more)?];
            let append = |name, table: &mut DataFrame, more: DataFrame| {
                table.vstack_mut_owned(more).map(drop).map_err(TableError::of(name))
            };
            append(c::SESSIONS.name, &mut all.sessions, part.sessions)?;
            for (name, table, mut more) in [
                (c::PULL_REQUESTS.name, &mut all.pull_requests, part.pull_requests),
                (c::TAGS.name, &mut all.tags, part.tags),
                (c::ISSUES.name, &mut all.issues, part.issues),
                (c::ACTION_ITEMS.name, &mut all.action_items, part.action_items),
                (c::REMARKS.name, &mut all.feedback, part.feedback),
            ] {
                shift(&mut more, before).map_err(TableError::of(name))?;
                append(name, table, more)?;
            }
        }
        Ok(all)
    }

    /// Some sessions by their rows, in the order of the tables.
    fn in_order(self, mut rows: Vec<IdxSize>) -> Result<Self, TableError> {
        sort(&self.sessions, &mut rows).map_err(TableError::of("sessions"))?;
        self.select(&rows)
    }

    /// The sessions of some rows, in their order, and the child rows of those.
    fn select(mut self, rows: &[IdxSize]) -> Result<Self, TableError> {
        if rows.len() == self.sessions.height() && (0..).zip(rows).all(|(place, row)| place == *row) {
            return Ok(self);
        }
        // To pick rows out of one piece is far quicker than out of several.
        self.sessions.rechunk_mut();
        let rows = IdxCa::from_slice(c::ROW.into(), rows);
        let sessions = self.sessions.take(&rows).map_err(TableError::of("sessions"))?;
        // Of each former row its place among the selected ones.
        let mut places = vec![None; self.sessions.height()];
        for (place, row) in (0_u32..).zip(rows.iter().flatten()) {
            *places.get_mut(row as usize).expect("a session was taken from this row") = Some(place);
        }
        let places = UInt32Chunked::from_slice_options(c::ROW.into(), &places);
        self.with_children(sessions, |child| {
            let mut child = child.clone();
            let rows = places.take(child.column(c::ROW)?.u32()?)?;
            child.with_column(rows.clone().into_column())?;
            if rows.has_nulls() {
                child = child.filter(&rows.is_not_null())?;
            }
            match is_sorted(child.column(c::ROW)?.u32()?) {
                true => Ok(child),
                false => child.sort([c::ROW], SortMultipleOptions::default().with_maintain_order(true)),
            }
        })
    }

    /// Whether a session may be there more than once: false positives are possible, and rare.
    fn may_have_repeats(&self) -> Result<bool, TableError> {
        let ids = self.sessions.column(c::SESSION).and_then(|ids| ids.str());
        let ids = ids.map_err(TableError::of("sessions"))?;
        // Eight bytes a session; a set of the ids themselves would double the memory of a report.
        let state = std::hash::RandomState::new();
        let mut hashes: Vec<u64> = ids.iter().map(|id| state.hash_one(id)).collect();
        hashes.par_sort_unstable();
        Ok(hashes.array_windows().any(|[one, next]| one == next))
    }

    /// The rows of all sessions.
    fn rows(&self) -> Vec<IdxSize> {
        (0..).take(self.sessions.height()).collect()
    }
}

/// As many sessions as a table can have.
fn count(sessions: usize) -> Result<u32, TableError> {
    let too_many =
        |_| TableError::of("sessions")(polars_err!(ComputeError: "more rows than a table can have"));
    u32::try_from(sessions).map_err(too_many)
}

/// Whether rows of child tables are in the order of their sessions.
fn is_sorted(rows: &UInt32Chunked) -> bool {
    rows.iter().is_sorted()
}

/// Counts the sessions of a child table from another row on.
fn shift(child: &mut DataFrame, by: u32) -> PolarsResult<()> {
    // Both are places in a table whose height is a `u32`.
    let shifted = child.column(c::ROW)?.u32()? + by;
    child.with_column(shifted.into_column())?;
    Ok(())
}

/// Sorts rows of sessions by creation, then by id.
fn sort(sessions: &DataFrame, rows: &mut [IdxSize]) -> PolarsResult<()> {
    let mut keys = sessions.select([c::CREATED, c::SESSION])?;
    keys.rechunk_mut();
    let created = keys.column(c::CREATED)?.datetime()?.physical().cont_slice()?;
    let ids = keys.column(c::SESSION)?.str()?;
    let key = |row: &IdxSize| (created.get(*row as usize), ids.get(*row as usize));
    // They often come in pieces that are in order, which this sort merges.
    if !rows.is_sorted_by_key(key) {
        rows.sort_by(|one, other| key(one).cmp(&key(other)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
