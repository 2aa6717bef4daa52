//! The tables and columns in docs/schema.md are those of the code, and those of real archives and exports.

use std::path::Path;

use acumen::tables::schema::{ColumnSpec, ColumnType, TABLES, TableSpec};
use devin_simulator::{Options, Organisation, Recipe};
use polars::prelude::{DataFrame, ParquetReader, SerReader};

use crate::sql::archived;
use crate::support::{CANARY, SERVICE_CANARY, Served, files, is_blessed, repository};

const PAGE: &str = "docs/schema.md";
const BEGIN: &str = "<!-- tables: begin -->\n";
const END: &str = "<!-- tables: end -->";

/// A section for each table.
fn sections() -> String {
    TABLES.iter().map(section).collect()
}

fn section(table: &TableSpec) -> String {
    let TableSpec { name, row, .. } = table;
    let since = if table.since > 1 {
        format!(" Archives have the table since schema {}.", table.since)
    } else {
        String::new()
    };
    let is_kept =
        |column: &&ColumnSpec| table.on_disk().chain(table.exported()).any(|own| own.name == column.name);
    let rows: String = table.columns.iter().filter(is_kept).map(|column| line(table, column)).collect();
    format!(
        "## {name}\n\nA row is {row}.{since}\n\n\
         | Column | Type | Archive | Exports | Meaning | Null |\n|---|---|---|---|---|---|\n{rows}\n"
    )
}

fn line(table: &TableSpec, column: &ColumnSpec) -> String {
    let ColumnSpec { name, meaning, .. } = column;
    let is_in =
        |mut columns: Box<dyn Iterator<Item = &'static ColumnSpec>>| columns.any(|own| own.name == *name);
    let archive = match is_in(Box::new(table.on_disk())) {
        true if column.since > table.since => format!("since schema {}", column.since),
        true => "yes".to_owned(),
        false => "–".to_owned(),
    };
    let exports = if is_in(Box::new(table.exported())) { "yes" } else { "–" };
    format!(
        "| `{name}` | {} | {archive} | {exports} | {meaning} | {} |\n",
        type_name(column.column_type),
        column.null.unwrap_or("–")
    )
}

fn type_name(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Text | ColumnType::Category(_) | ColumnType::State | ColumnType::Impact => "text",
        ColumnType::Moment => "time",
        ColumnType::Number => "number",
        ColumnType::Count => "whole number",
        ColumnType::Flag => "true or false",
        ColumnType::Row => "row number",
    }
}

#[test]
fn the_tables_of_the_page_are_those_of_the_schema() {
    let path = repository(PAGE);
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the tables begin");
    let (tables, after) = rest.split_once(END).expect("the tables end");
    let expected = format!("\n{}", sections());
    if is_blessed() {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("a writable page");
    } else {
        assert!(tables == expected, "{PAGE} is out of date: run this test with ACUMEN_BLESS=1");
    }
}

/// Asserts that a file has exactly these columns, with their types, and no null where none is documented.
fn has_columns(path: &Path, columns: impl Iterator<Item = &'static ColumnSpec>) -> DataFrame {
    let frame = ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap();
    let columns: Vec<&ColumnSpec> = columns.collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    assert_eq!(frame.get_column_names(), names, "{}", path.display());
    for column in columns {
        let values = frame.column(column.name).unwrap();
        let place = format!("{}: {}", path.display(), column.name);
        assert_eq!(values.dtype(), &column.column_type.on_disk(), "{place}");
        assert!(column.is_nullable() || !values.has_nulls(), "{place} has nulls");
    }
    frame
}

#[test]
fn archives_and_exports_have_the_columns_of_the_schema() {
    let recipe = Recipe { sessions: 500, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    for key in [CANARY, SERVICE_CANARY] {
        let folder = tempfile::tempdir().unwrap();
        let facts = archived(&served, key, folder.path(), &["--week", "2026-W41", "--export", "parquet"]);
        let name = facts.file_stem().unwrap().to_str().unwrap();
        for table in TABLES {
            let file = format!("{name}_{}.parquet", table.name.replace('_', "-"));
            let exported = has_columns(&facts.with_file_name(file), table.exported());
            assert!(exported.height() > 0, "{}", table.name);
            let months = folder.path().join("archive").join(table.name);
            for month in files(&months) {
                let month = months.join(month);
                for file in files(&month) {
                    has_columns(&month.join(file), table.on_disk());
                }
            }
        }
    }
}
