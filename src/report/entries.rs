//! Labelled values: quality and source of the data.

use serde::Serialize;

use super::table::Value;

/// A label and a value.
#[derive(Clone, Serialize)]
pub struct Entry {
    /// The label.
    pub name: &'static str,
    /// The value.
    pub value: Value,
}

impl Entry {
    /// A count.
    pub fn count(name: &'static str, number: u64) -> Self {
        Self { name, value: Value::count(number as f64) }
    }

    /// A word.
    pub fn word(name: &'static str, text: String) -> Self {
        Self { name, value: Value::Text(text) }
    }
}
