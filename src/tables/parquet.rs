//! Tables of one month to and from the Parquet files of an archive.
//!
//! Files hold plain columns that any program can read: texts, moments, numbers.
//! Child tables have the id and the creation of their session beside its row.

use std::io::Cursor;

use polars::prelude::*;
use polars_io::prelude::{
    KeyValueMetadata, ParallelStrategy, ParquetCompression, ParquetReader, ParquetWriter, SerReader,
};
use polars_parquet::write::schema_to_metadata_key;

use super::schema::{self as c, ColumnType, Place};
use super::{TableError, Tables, footer, is_sorted, normal};
use crate::catch_panic::catch_panic;
use crate::text::clean;

/// Rows of a file under named columns, as they are on disk.
pub type StoredTable = DataFrame;

/// The columns of a table that are read, and whether the texts of sessions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// Every column of the file.
    All,
    /// Those of the table in memory …
    Memory {
        /// … without the titles, addresses and texts of analyses unless this is set.
        named: bool,
    },
    /// The ids of sessions only.
    Ids,
}

impl Projection {
    fn take(self, column: &c::ColumnSpec) -> bool {
        match self {
            Self::All => true,
            Self::Memory { named } => {
                column.place == Place::Everywhere && (named || !c::OF_NAMED.contains(&column.name))
            }
            Self::Ids => column.name == c::SESSION,
        }
    }
}

/// A table as a Parquet file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// The name of the table.
    pub name: &'static str,
    /// Its rows.
    pub rows: usize,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// The six tables as Parquet files. The same tables give the same bytes.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn write(tables: &Tables) -> Result<Vec<StoredFile>, TableError> {
    let write = |(table, (name, frame)): (c::TableSpec, (&'static str, &DataFrame))| {
        let bytes = on_disk(&table, frame, &tables.sessions).and_then(bytes);
        Ok(StoredFile { name, rows: frame.height(), bytes: bytes.map_err(TableError::of(name))? })
    };
    c::TABLES.into_iter().zip(tables.named()).map(write).collect()
}

/// A table as it is on disk: categories as texts, and what each child row needs of its session.
pub(super) fn on_disk(
    table: &c::TableSpec,
    frame: &DataFrame,
    sessions: &DataFrame,
) -> PolarsResult<DataFrame> {
    let columns = table.on_disk().map(|column| match column.place {
        Place::Disk => {
            let rows = frame.column(c::ROW)?.u32()?;
            sessions.column(column.name)?.take(rows)
        }
        _ => cast(frame.column(column.name)?, &column.column_type.on_disk()),
    });
    DataFrame::new_infer_height(columns.collect::<PolarsResult<_>>()?)
}

/// A column as another type. Polars without its data of time zones would take the zone
/// of moments away that have the type already.
fn cast(column: &Column, dtype: &DataType) -> PolarsResult<Column> {
    if column.dtype() == dtype { Ok(column.clone()) } else { column.cast(dtype) }
}

/// A frame as a file: compressed, in one row group for up to a quarter of a million rows.
/// Its Arrow schema names text columns `large_string`. `ParquetWriter` alone names
/// them `string_view`, which many readers cannot open, filter, sort or join; the
/// pages are the same either way.
pub(super) fn bytes(mut frame: DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    // How many pieces a frame is in depends on the number of threads.
    frame.rechunk_mut();
    let arrow_schema = schema_to_metadata_key(&frame.schema().to_arrow(CompatLevel::oldest()));
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_key_value_metadata(Some(KeyValueMetadata::Static(vec![arrow_schema])))
        .finish(&mut frame)?;
    Ok(bytes)
}

/// A table of a Parquet file, as it is on disk, with those columns that are asked
/// for and that it has. The file may be anybody's: its claims are checked first,
/// then its columns, types and values, and a panic over it is an error.
///
/// # Errors
/// What is wrong with the file, in words.
pub fn read(bytes: Vec<u8>, table: &c::TableSpec, asked: Projection) -> Result<DataFrame, String> {
    let length = bytes.len();
    let (bytes, rows) = footer::checked(bytes, table.name == c::SESSIONS.name)?;
    let read = || {
        let mut reader = ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None);
        let found = reader.schema()?;
        let known = table.on_disk().filter(|column| !column.is_added() || found.contains(column.name));
        let known: Vec<&c::ColumnSpec> = known.collect();
        let names = known.iter().map(|column| column.name);
        polars_ensure!(found.iter_names().eq(names), ComputeError: "it has other columns");
        // Without its row a child is joined by the id of its session.
        let is_asked = |column: &&&c::ColumnSpec| {
            asked.take(column) || (column.name == c::SESSION && !found.contains(c::ROW))
        };
        let names = known.iter().filter(is_asked).map(|column| column.name.to_owned()).collect();
        let mut table = reader.with_columns(Some(names)).finish()?;
        in_utc(&mut table)?;
        table.rechunk_mut();
        PolarsResult::Ok(table)
    };
    let found = catch_panic(read).and_then(|read| read.map_err(|error| error.to_string()));
    let found = found.map_err(|words| format!("its pages cannot be read: {}", clean(&words, 200)))?;
    if found.height() != rows && found.width() > 0 {
        return Err("its columns have fewer rows than the file".to_owned());
    }
    for column in table.on_disk() {
        if let Ok(values) = found.column(column.name) {
            check(column, values, footer::most_unpacked(length))
                .map_err(|what| format!("its column {} {what}", column.name))?;
        }
    }
    Ok(found)
}

/// Names the zone of moments as we do: without the words of the footer that were
/// left out Parquet calls it `+00:00`.
fn in_utc(table: &mut DataFrame) -> PolarsResult<()> {
    for name in [c::CREATED, c::UPDATED, c::UNDECIDED_UNTIL, c::DECIDED_BY] {
        let Ok(column) = table.column(name) else { continue };
        if let DataType::Datetime(TimeUnit::Microseconds, Some(_)) = column.dtype() {
            let micros = column.datetime()?.physical().clone();
            let moments = micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
            table.with_column(moments.into_column())?;
        }
    }
    Ok(())
}

/// Whether a column has its type and the values that [`schema`](super::schema) allows, and no more
/// bytes of text than this.
fn check(column: &c::ColumnSpec, values: &Column, most: usize) -> Result<(), &'static str> {
    if *values.dtype() != column.column_type.on_disk() {
        return Err("is of another type");
    }
    if !column.is_nullable() && values.has_nulls() {
        return Err("has missing values");
    }
    // One long text of a dictionary can be in every row.
    let text = values.str().map_or(0, |texts| texts.downcast_iter().map(|part| part.total_bytes_len()).sum());
    if text > most {
        return Err("has more text than the file can hold");
    }
    let is_sound = match column.column_type {
        ColumnType::Number => {
            let is_sound = |number: f64| number.is_finite() && number >= 0.0;
            values.f64().is_ok_and(|numbers| numbers.iter().flatten().all(is_sound))
        }
        ColumnType::Count => {
            let is_sound = |count: i64| u32::try_from(count).is_ok();
            values.i64().is_ok_and(|counts| counts.iter().flatten().all(is_sound))
        }
        ColumnType::Row => values.u32().is_ok_and(is_sorted),
        _ => true,
    };
    if is_sound { Ok(()) } else { Err("has a value that sync does not write") }
}

/// A table without a row, as it is on disk.
pub fn empty(table: &c::TableSpec) -> StoredTable {
    let columns =
        table.on_disk().map(|column| Column::new_empty(column.name.into(), &column.column_type.on_disk()));
    DataFrame::new_infer_height(columns.collect()).expect("the columns are all empty")
}

/// The tables of a month in memory, from all its files in the order of [`c::TABLES`].
/// Columns that were not read are null.
///
/// # Errors
/// The files cannot be read together; what is wrong, in words.
pub fn in_memory(files: [DataFrame; c::COUNT]) -> Result<Tables, String> {
    let tables = || {
        let [sessions, children @ ..] = files;
        let rows = sessions.height();
        let ids = sessions.column(c::SESSION)?.clone();
        let [_, specs @ ..] = c::TABLES;
        let mut tables = specs.iter().zip(children).map(|(table, mut child)| {
            if child.column(c::ROW).is_err() {
                child = with_rows(child, &ids)?;
            }
            let last = child.column(c::ROW)?.u32()?.max();
            let is_there = last.is_none_or(|row| (row as usize) < rows);
            polars_ensure!(is_there, ComputeError: "{}: a row refers to a missing session", table.name);
            of_kinds(table, child)
        });
        let mut next = || tables.next().expect("there are five child tables");
        let (pull_requests, tags, issues, action_items, feedback) =
            (next()?, next()?, next()?, next()?, next()?);
        let sessions = of_kinds(&c::SESSIONS, sessions)?;
        PolarsResult::Ok(Tables { sessions, pull_requests, tags, issues, action_items, feedback })
    };
    catch_panic(tables).and_then(|tables| tables.map_err(|error| error.to_string()))
}

/// Child rows of an older archive, which have the id of their session only.
fn with_rows(child: DataFrame, ids: &Column) -> PolarsResult<DataFrame> {
    let ids = DataFrame::new_infer_height(vec![ids.clone()])?.lazy().with_row_index(c::ROW, None);
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
    let mut child = child.lazy().join(ids, [col(c::SESSION)], [col(c::SESSION)], args).collect()?;
    let rows = child.column(c::ROW)?.u32()?;
    let in_order = !rows.has_nulls() && is_sorted(rows);
    polars_ensure!(in_order, ComputeError: "a row is of no session in its place");
    // Nor are its addresses in the form that they have now.
    if let Ok(addresses) = child.column(c::ADDRESS) {
        let addresses: StringChunked = addresses.str()?.iter().map(|text| normal::address(text?)).collect();
        let repos: StringChunked = addresses.iter().map(|address| address.map(normal::repo)).collect();
        child.with_column(addresses.with_name(c::ADDRESS.into()).into_column())?;
        child.with_column(repos.with_name(c::REPO.into()).into_column())?;
    }
    Ok(child)
}

/// The columns of a table in memory, made from those on disk.
fn of_kinds(table: &c::TableSpec, frame: DataFrame) -> PolarsResult<DataFrame> {
    let rows = frame.height();
    let of_kind = |column: &c::ColumnSpec| {
        let (name, dtype) = (PlSmallStr::from_static(column.name), column.column_type.in_memory());
        let Ok(values) = frame.column(column.name) else {
            return match (column.is_nullable(), column.column_type) {
                (true, _) => Ok(Column::full_null(name, rows, &dtype)),
                // Archives of schema 1 do not count the fields that could not be read.
                (_, ColumnType::Count) if column.is_added() => {
                    Ok(Column::new_scalar(name, Scalar::from(0_i64), rows))
                }
                _ => Err(polars_err!(ColumnNotFound: "{name}")),
            };
        };
        let cast = cast(values, &dtype)?;
        let is_known = cast.null_count() == values.null_count();
        polars_ensure!(is_known, ComputeError: "{name} has a value that sync does not write");
        Ok(cast)
    };
    DataFrame::new_infer_height(table.in_memory().map(of_kind).collect::<PolarsResult<_>>()?)
}
