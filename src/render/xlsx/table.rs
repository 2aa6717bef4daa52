//! The contents of a workbook as plain data: sheets of text and tables.

use chrono::NaiveDate;

use crate::money::Currency;
use crate::report::{Role, Row, Table, TableColumn, Value};
use crate::text::clean;
use crate::unit::Unit;

/// The longest text of a cell.
const LONGEST: usize = 500;

/// A sheet.
pub struct Sheet {
    /// Its name.
    pub name: &'static str,
    /// Its blocks, from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a sheet.
pub enum Block {
    /// Lines of text.
    Words {
        /// Heading; empty for none.
        title: &'static str,
        /// The lines.
        lines: Vec<String>,
    },
    /// Rows and columns.
    Table(SheetTable),
    /// The totals of the table before; apart from it, so that filters and sorting leave it alone.
    Totals(Vec<Cell>),
}

/// A table.
pub struct SheetTable {
    /// Its name in the workbook: lower-case letters, digits and `_`.
    pub name: String,
    /// Heading; empty for none.
    pub title: &'static str,
    /// One line under the heading; empty for none.
    pub note: String,
    /// The heads of its columns, no two the same.
    pub heads: Vec<String>,
    /// Its rows, each with as many cells as there are heads.
    pub rows: Vec<SheetRow>,
}

/// A row of a table.
pub struct SheetRow {
    /// Its cells.
    pub cells: Vec<Cell>,
    /// Whether its ratio has too few cases to be trusted.
    pub faint: bool,
}

impl SheetRow {
    /// A row whose numbers can be trusted.
    pub fn firm(cells: Vec<Cell>) -> Self {
        Self { cells, faint: false }
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text, never a formula.
    Text(String),
    /// A text with an https link.
    Link {
        /// The text.
        text: String,
        /// The address.
        address: String,
    },
    /// A day.
    Day(NaiveDate),
    /// A number, unrounded; empty if null.
    Number {
        /// The number.
        value: Option<f64>,
        /// How it is shown.
        format: NumberFormat,
    },
}

/// How a number is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFormat {
    /// A value.
    Value(Unit),
    /// A difference, with its sign; of a share in percentage points.
    Change(Unit),
    /// A relative change.
    Percent,
    /// The price of an ACU, with all its decimals.
    Price(Currency),
}

impl SheetTable {
    /// The numbers of a figure: all rows, and changes in columns of their own.
    pub fn of_figure(id: &str, title: &'static str, note: &str, table: &Table) -> Self {
        let heads = |column: &TableColumn| match column.role {
            // A share has no change in percent.
            Role::Change { is_share } => {
                CHANGES.iter().take(if is_share { 2 } else { 3 }).map(|head| (*head).to_owned()).collect()
            }
            _ => vec![column.head.clone()],
        };
        Self {
            name: id.replace('-', "_"),
            title,
            note: note.to_owned(),
            heads: table.columns.iter().flat_map(heads).collect(),
            rows: table.rows.iter().map(sheet_row).collect(),
        }
    }
}

fn sheet_row(row: &Row) -> SheetRow {
    let cells = |cell: &Value| match cell {
        Value::Change { unit, now, before, scale } => {
            let changes = changes(*unit, *now, *before, *scale);
            changes.into_iter().take(if *unit == Unit::Share { 2 } else { 3 }).collect()
        }
        other => vec![self::cell(other)],
    };
    SheetRow { cells: row.cells.iter().flat_map(cells).collect(), faint: row.faint }
}

/// The cell of a value; of a change only the difference.
pub fn cell(value: &Value) -> Cell {
    match value {
        Value::Text(name) => text(name),
        Value::Day(day) => text(&day.to_string()),
        Value::Number { unit, value } => self::value(*unit, *value),
        Value::Change { unit, now, before, scale } => {
            let [_, change, _] = changes(*unit, *now, *before, *scale);
            change
        }
    }
}

/// A cell with cleaned text.
pub fn text(text: &str) -> Cell {
    Cell::Text(clean(text, LONGEST))
}

/// A cell with a value.
pub fn value(unit: Unit, value: Option<f64>) -> Cell {
    Cell::Number { value: value.filter(|value| value.is_finite()), format: NumberFormat::Value(unit) }
}

/// A cell with a count.
pub fn count(number: f64) -> Cell {
    value(Unit::Count, Some(number))
}

/// The previous value, the change, and the change in percent; the last is null for shares, and per
/// day where the scale of the previous value is not 1.
pub fn changes(unit: Unit, now: Option<f64>, before: Option<f64>, scale: f64) -> [Cell; 3] {
    let both = now.zip(before);
    let points = if unit == Unit::Share { 100.0 } else { 1.0 };
    let change = both.map(|(now, before)| (now - before) * points);
    let relative = both.filter(|(_, before)| unit != Unit::Share && *before != 0.0);
    let relative = relative.map(|(now, before)| now / (before * scale) - 1.0);
    [
        value(unit, before),
        Cell::Number { value: change, format: NumberFormat::Change(unit) },
        Cell::Number { value: relative, format: NumberFormat::Percent },
    ]
}

/// The heads of [`changes`].
pub const CHANGES: [&str; 3] = ["Before", "Change", "Change in %"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_change_in_points_and_other_units_in_percent() {
        let scaled = |unit, now, before, scale| {
            changes(unit, now, before, scale).map(|cell| match cell {
                Cell::Number { value, .. } => value,
                _ => None,
            })
        };
        let numbers = |unit, now, before| scaled(unit, now, before, 1.0);
        // Twice as many days before: what was and the difference stay as they are.
        assert_eq!(scaled(Unit::Acu, Some(15.0), Some(20.0), 0.5), [Some(20.0), Some(-5.0), Some(0.5)]);
        assert_eq!(numbers(Unit::Acu, Some(15.0), Some(10.0)), [Some(10.0), Some(5.0), Some(0.5)]);
        assert_eq!(numbers(Unit::Share, Some(0.75), Some(0.5)), [Some(0.5), Some(25.0), None]);
        assert_eq!(numbers(Unit::Count, Some(3.0), Some(0.0)), [Some(0.0), Some(3.0), None]);
        assert_eq!(numbers(Unit::Count, Some(3.0), None), [None; 3]);
        assert_eq!(numbers(Unit::Share, None, Some(0.5)), [Some(0.5), None, None]);
    }
}
