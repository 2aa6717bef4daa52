//! Tables as typed values: the rows of a figure exist once, and every output formats them itself.

use chrono::NaiveDate;
use serde::Serialize;

use super::number::is_one;
use crate::metrics::Fact;
use crate::unit::Unit;

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// Its columns; the first names the row.
    pub columns: Vec<TableColumn>,
    /// Its rows, all of them.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableColumn {
    /// Its head.
    pub head: String,
    /// Its role.
    pub role: Role,
}

/// The role of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The name of the row.
    Name,
    /// The figure's own number.
    Value,
    /// What it cost.
    Spend,
    /// Another number.
    Other,
    /// What the number rests on.
    Basis,
    /// The change against the previous period.
    Change {
        /// Whether it is in percentage points.
        is_share: bool,
    },
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// As many cells as there are columns.
    pub cells: Vec<Value>,
    /// Whether its ratio has too few cases to be trusted.
    pub faint: bool,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A text.
    Text(String),
    /// A local date.
    Day(NaiveDate),
    /// A number; null where it is unknown.
    Number {
        /// Its unit.
        unit: Unit,
        /// Its value.
        value: Option<f64>,
    },
    /// A number against that of the previous period.
    Change {
        /// Their unit.
        unit: Unit,
        /// The number.
        now: Option<f64>,
        /// The previous one.
        before: Option<f64>,
        /// What the previous one is multiplied by to be compared; 1 unless they are compared per day.
        #[serde(skip_serializing_if = "is_one")]
        scale: f64,
    },
}

impl Value {
    /// A number.
    pub fn number(unit: Unit, value: Option<f64>) -> Self {
        Self::Number { unit, value }
    }

    /// A count.
    pub fn count(value: f64) -> Self {
        Self::number(Unit::Count, Some(value))
    }

    /// The value of a fact.
    pub fn of(fact: &Fact) -> Self {
        Self::number(fact.unit, fact.value)
    }

    /// Whether it is no unknown number.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Number { value: None, .. })
    }

    /// The change of a fact; the scale is that of [`Facts::per_day_scale`](crate::metrics::Facts::per_day_scale).
    pub fn change(fact: &Fact, per_day_scale: f64) -> Self {
        let scale = fact.scale(per_day_scale);
        Self::Change { unit: fact.unit, now: fact.value, before: fact.previous, scale }
    }
}

impl Row {
    /// A row whose numbers can be trusted.
    pub fn firm(cells: Vec<Value>) -> Self {
        Self { cells, faint: false }
    }
}

/// A column of this role.
pub fn column(head: &str, role: Role) -> TableColumn {
    TableColumn { head: head.to_owned(), role }
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: impl IntoIterator<Item = TableColumn>, rows: impl IntoIterator<Item = Row>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: rows.into_iter().collect() }
    }
}
