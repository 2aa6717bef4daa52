//! Sessions as five tables that outlive a run: texts and moments, no numbers
//! that one run alone understands. Any program can read them, and
//! [`FramesBuilder::push_tables`](super::FramesBuilder::push_tables) makes frames of them.
//!
//! All five are sorted by creation, then by session id; what hangs on a session
//! stands in the order in which it was told.

mod build;
mod footer;
mod read;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;

use chrono::DateTime;
use polars::prelude::*;
use polars_io::prelude::{ParallelStrategy, ParquetReader, SerReader};

pub use build::TablesBuilder;
pub use read::{Wanted, is_read};

use super::FrameError;
use super::columns as c;
use super::normal;
use crate::catch_panic::catch_panic;
use crate::text::clean;

/// The names of the tables.
pub use super::parquet::NAMES;

/// Rows under named columns.
pub type Table = DataFrame;

/// The five tables, in the order of [`NAMES`]; each session is there once.
#[derive(Clone, Debug)]
pub struct Tables(pub [Table; 5]);

impl Tables {
    /// One row a session.
    pub fn sessions(&self) -> &DataFrame {
        let [sessions, ..] = &self.0;
        sessions
    }

    /// Each table with its name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &DataFrame)> {
        NAMES.into_iter().zip(&self.0)
    }

    /// The tables cut by the month of creation, in UTC, oldest first.
    ///
    /// # Errors
    /// A table is not as it should be.
    pub fn by_month(&self) -> Result<Vec<(String, Self)>, FrameError> {
        let mut months: BTreeMap<String, [Range<usize>; 5]> = BTreeMap::new();
        for (place, (name, table)) in self.named().enumerate() {
            for (month, rows) in runs(table).map_err(failed(name))? {
                let of_month = months.entry(month).or_default();
                of_month.iter_mut().skip(place).take(1).for_each(|own| *own = rows.clone());
            }
        }
        let cut = |rows: [Range<usize>; 5]| {
            let mut tables = self.0.clone();
            for (table, rows) in tables.iter_mut().zip(rows) {
                *table = table.slice(i64::try_from(rows.start).unwrap_or(i64::MAX), rows.len());
            }
            Self(tables)
        };
        Ok(months.into_iter().map(|(month, rows)| (month, cut(rows))).collect())
    }

    /// What is left of the tables without the sessions of others.
    ///
    /// # Errors
    /// A table is not as it should be.
    pub fn without(&self, others: &Self) -> Result<Self, FrameError> {
        self.without_ids(&others.sessions().clone().lazy().select([col(c::SESSION)]))
    }

    fn without_ids(&self, ids: &LazyFrame) -> Result<Self, FrameError> {
        let rest = |table: &DataFrame| {
            let rest = table.clone().lazy().anti_join(ids.clone(), col(c::SESSION), col(c::SESSION));
            rest.collect().and_then(sorted)
        };
        self.each(rest)
    }

    fn each(&self, change: impl Fn(&DataFrame) -> PolarsResult<DataFrame>) -> Result<Self, FrameError> {
        let mut tables = self.0.clone();
        for (name, table) in NAMES.into_iter().zip(&mut tables) {
            *table = change(table).map_err(failed(name))?;
        }
        Ok(Self(tables))
    }
}

/// Both tables as one. Of a session in both the one that changed last stays,
/// with all that hangs on it; where that is not known, or the same, the new one.
///
/// # Errors
/// A table is not as it should be.
pub fn merge(old: &Tables, new: &Tables) -> Result<Tables, FrameError> {
    let of = |tables: &Tables, updated: &str| {
        tables.sessions().clone().lazy().select([col(c::SESSION), col(c::UPDATED).alias(updated)])
    };
    let stale = of(new, "new")
        .inner_join(of(old, "old"), col(c::SESSION), col(c::SESSION))
        .filter(col("new").lt(col("old")))
        .select([col(c::SESSION)]);
    let new = new.without_ids(&stale)?;
    let mut tables = old.without(&new)?;
    for (name, (table, more)) in NAMES.into_iter().zip(tables.0.iter_mut().zip(&new.0)) {
        let both = table.vstack(more).and_then(sorted);
        *table = both.map_err(failed(name))?;
    }
    Ok(tables)
}

/// A table as a Parquet file. The same table gives the same bytes.
///
/// # Errors
/// A defect, not a state of the data.
pub fn to_parquet(table: &DataFrame) -> Result<Vec<u8>, FrameError> {
    super::parquet::bytes(table.clone()).map_err(failed("stored rows"))
}

/// A table of a Parquet file of this name, with those of its columns that `choose`
/// leaves. The file may be anybody's: its claims are checked first, then its
/// columns and types, and a panic over it is an error.
///
/// # Errors
/// What is wrong with the file, in words.
pub fn from_parquet(
    bytes: Vec<u8>,
    name: &str,
    choose: impl Fn(&mut Vec<String>),
) -> Result<DataFrame, String> {
    let length = bytes.len();
    let (bytes, rows) = footer::checked(bytes, name == "sessions")?;
    let schema = schema(name)?;
    let mut columns: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    choose(&mut columns);
    let read = || {
        let mut reader = ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None);
        let found = reader.schema()?;
        let is_later = |name: &str| name == c::UNREADABLE && !found.contains(name);
        let known = schema.iter_names().filter(|name| !is_later(name));
        polars_ensure!(found.iter_names().eq(known), ComputeError: "its columns are others");
        let lacks = columns.iter().position(|name| is_later(name));
        let read = columns.iter().filter(|name| !is_later(name)).cloned().collect();
        let mut table = reader.with_columns(Some(read)).finish()?;
        if let Some(place) = lacks {
            // Archives of schema 1 do not tell.
            let nothing = Column::new_scalar(c::UNREADABLE.into(), Scalar::from(0_i64), table.height());
            table.insert_column(place, nothing)?;
        }
        in_utc(&mut table)?;
        table.rechunk_mut();
        PolarsResult::Ok(table)
    };
    let table = catch_panic(read).and_then(|read| read.map_err(|error| error.to_string()));
    let table = table.map_err(|words| format!("its pages cannot be read: {}", clean(&words, 200)))?;
    if table.height() != rows && !columns.is_empty() {
        return Err("its columns have fewer rows than the file".to_owned());
    }
    fits(&table, &schema, footer::most_unpacked(length))?;
    Ok(table)
}

/// Names the zone of moments as we do: without the words of the footer that were
/// left out Parquet calls it `+00:00`.
fn in_utc(table: &mut DataFrame) -> PolarsResult<()> {
    for name in [c::CREATED, c::UPDATED] {
        let Ok(column) = table.column(name) else { continue };
        if let DataType::Datetime(TimeUnit::Microseconds, Some(_)) = column.dtype() {
            let micros = column.datetime()?.physical().clone();
            let moments = micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
            table.with_column(moments.into_column())?;
        }
    }
    Ok(())
}

/// The columns of a table and their types.
fn schema(name: &str) -> Result<Schema, String> {
    let tables = TablesBuilder::default().finish().map_err(|error| error.to_string())?;
    let own = tables.named().find(|(own, _)| *own == name);
    own.map(|(_, table)| table.schema().as_ref().clone()).ok_or_else(|| "there is no such table".to_owned())
}

/// Whether columns have their types, rows their session and moment, and texts no
/// more bytes than this.
fn fits(table: &DataFrame, schema: &Schema, most: usize) -> Result<(), String> {
    for column in table.columns() {
        let name = column.name().as_str();
        if schema.get(name) != Some(column.dtype()) {
            return Err(format!("its column {name} is of another type"));
        }
        if [c::SESSION, c::CREATED].contains(&name) && column.null_count() > 0 {
            return Err(format!("its column {name} has gaps"));
        }
        // One long text of a dictionary can be in every row.
        let bytes =
            column.str().map_or(0, |texts| texts.downcast_iter().map(|part| part.total_bytes_len()).sum());
        if bytes > most {
            return Err(format!("its column {name} has more text than the file can hold"));
        }
    }
    Ok(())
}

/// The ids of sessions, in their order.
///
/// # Errors
/// The column is not there, or not all of it.
pub fn ids(sessions: &DataFrame) -> Result<Vec<String>, FrameError> {
    let ids = || {
        let ids = sessions.column(c::SESSION)?.str()?;
        polars_ensure!(ids.null_count() == 0, ComputeError: "a row without an id");
        Ok(ids.iter().flatten().map(str::to_owned).collect())
    };
    ids().map_err(failed("sessions"))
}

/// The statuses of sessions that have come to an end, as far as that can be told.
const SETTLED: [&str; 5] = ["exit", "error", "suspended", "finished", "expired"];

/// The states of pull requests that are decided.
const DECIDED: [&str; 2] = ["merged", "closed"];

/// The ids of sessions that may still come to another end, in their order: those
/// with a status that is no end, and those with a pull request that is not decided.
///
/// # Errors
/// A column is not there.
pub fn unsettled(tables: &Tables) -> Result<Vec<String>, FrameError> {
    let is_one_of = |column: &str, words: &[&str]| {
        words.iter().fold(lit(false), |any, word| any.or(col(column).eq(lit(*word))))
    };
    let Tables([sessions, pull_requests, ..]) = tables;
    let undecided = pull_requests.clone().lazy().filter(is_one_of(c::STATE, &DECIDED).not());
    let running = col(c::STATUS).is_not_null().and(is_one_of(c::STATUS, &SETTLED).not());
    let open = sessions.clone().lazy().semi_join(undecided, col(c::SESSION), col(c::SESSION));
    let both = concat([sessions.clone().lazy().filter(running), open], UnionArgs::default());
    let both = both.and_then(|both| {
        both.select([col(c::CREATED), col(c::SESSION)])
            .unique_stable(None, UniqueKeepStrategy::First)
            .collect()
    });
    ids(&both.and_then(sorted).map_err(failed("sessions"))?)
}

/// What [`verify`] finds in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The ids of its sessions, in order.
    pub ids: Vec<String>,
    /// What is wrong, in words; empty where all is well.
    pub faults: Vec<String>,
}

/// Whether the tables of a month are what they should be: every row of that
/// month, every row in order, nothing that hangs on a session that is not there, and
/// each pull request in the repository of its address.
///
/// # Errors
/// A column is not there.
pub fn verify(tables: &Tables, month: &str) -> Result<Found, FrameError> {
    let mut found = Found::default();
    for (name, table) in tables.named() {
        let rows = runs(table).map_err(failed(name))?;
        if let Some((other, _)) = rows.iter().find(|(own, _)| own != month) {
            found.faults.push(format!("{name}: a row of {other}"));
        }
        let in_order = sorted(table.clone()).map_err(failed(name))?;
        if !in_order.equals_missing(table) {
            found.faults.push(format!("{name}: its rows are out of order"));
        }
        let sessions = tables.sessions().clone().lazy().select([col(c::SESSION)]);
        let strays = table.clone().lazy().anti_join(sessions, col(c::SESSION), col(c::SESSION)).collect();
        let strays = strays.map_err(failed(name))?.height();
        if strays > 0 {
            found.faults.push(format!("{name}: {strays} rows of sessions that are not there"));
        }
    }
    let unfit = unfit_repos(tables).map_err(failed("pull requests"))?;
    if unfit > 0 {
        found.faults.push(format!("pull_requests: {unfit} rows whose repo is not that of their address"));
    }
    found.ids = ids(tables.sessions())?;
    Ok(found)
}

/// Pull requests whose repository is not the one that their address tells. Older
/// archives have `unknown` for forges that were not known then.
fn unfit_repos(tables: &Tables) -> PolarsResult<usize> {
    let Tables([_, pull_requests, ..]) = tables;
    let (addresses, repos) =
        (pull_requests.column(c::ADDRESS)?.str()?, pull_requests.column(c::REPO)?.str()?);
    Ok(addresses
        .iter()
        .zip(repos.iter())
        .filter(|(address, repo)| address.map(normal::repo) != *repo && *repo != Some("unknown"))
        .count())
}

/// The months of a table in order, with the rows of each.
fn runs(table: &DataFrame) -> PolarsResult<Vec<(String, Range<usize>)>> {
    let mut runs: Vec<(String, Range<usize>)> = Vec::new();
    let mut day_before = None;
    for (row, moment) in table.column(c::CREATED)?.datetime()?.physical().iter().enumerate() {
        let moment = moment.unwrap_or_default();
        // Rows of one day are of one month; most follow their like.
        let day = Some(moment.div_euclid(DAY));
        let own = (day != day_before).then(|| month(moment));
        day_before = day;
        match runs.last_mut().filter(|(last, _)| own.as_ref().is_none_or(|own| own == last)) {
            Some((_, rows)) => rows.end = row + 1,
            None => runs.push((own.unwrap_or_default(), row..row + 1)),
        }
    }
    Ok(runs)
}

/// Microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The month of a moment, in UTC: `2026-10`.
pub fn month(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m").to_string()
}

/// In the order of creation, then of the ids; else as it was.
fn sorted(table: DataFrame) -> PolarsResult<DataFrame> {
    table.sort([c::CREATED, c::SESSION], SortMultipleOptions::default().with_maintain_order(true))
}

fn failed(table: &'static str) -> impl FnOnce(PolarsError) -> FrameError {
    move |source| FrameError { table, source }
}

#[cfg(test)]
mod tests;
