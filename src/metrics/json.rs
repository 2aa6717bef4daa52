//! Facts to the canonical text of `facts.json`, and back.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::alerts;
use super::fact::Fact;
use super::facts::{Facts, SCHEMA};
use crate::text::clean;

/// A text is no `facts.json` that this version can read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, a field is missing, unknown or of the wrong type, or a value is unknown.
    #[error("this is not a facts file of schema {SCHEMA}: {}", clean(&.0.to_string(), 200))]
    Shape(#[from] serde_json::Error),
    /// It is of another schema.
    #[error("the facts have schema {0}, but this version reads schema {SCHEMA}; make the report again")]
    Schema(u64),
    /// A fact has a grouping or a unit that its metric does not have.
    #[error("the facts contain {metric} by {by:?} in {unit:?}, which this version does not support")]
    Grouping {
        /// The metric.
        metric: &'static str,
        /// The dimensions.
        by: String,
        /// The unit.
        unit: String,
    },
    /// Its parts contradict each other.
    #[error("the facts contradict themselves: {0}")]
    Contradiction(&'static str),
    /// The facts have an unreadable period.
    #[error("the period of the facts cannot be read: {0:?}")]
    Period(String),
}

impl Facts {
    /// The canonical text: keys in a fixed order, a line a fact, numbers unrounded, whole ones
    /// without a fraction. The same facts give the same bytes.
    pub fn to_json(&self) -> String {
        let mut text = text(self);
        text.push('\n');
        text
    }

    /// Reads what [`Facts::to_json`] wrote.
    ///
    /// # Errors
    /// It is of another schema, or has what this version does not know.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u64,
        }
        let Head { schema } = serde_json::from_str(text)?;
        if schema != u64::from(SCHEMA) {
            return Err(ReadError::Schema(schema));
        }
        let mut facts: Self = serde_json::from_str(text)?;
        if let Some(label) = facts.unreadable_label() {
            return Err(ReadError::Period(clean(label, 60)));
        }
        if let Some(what) = facts.contradiction() {
            return Err(ReadError::Contradiction(what));
        }
        if let Some(fact) = facts.facts.iter().chain(&facts.whole).find(|fact| !fact.is_of_its_metric()) {
            let by: Vec<&str> = fact.dims().map(|dim| dim.name()).collect();
            let unit = fact.unit.name().to_owned();
            return Err(ReadError::Grouping { metric: fact.metric.id, by: by.join(", "), unit });
        }
        if facts.is_covered() {
            let all = facts.facts.iter_mut().chain(&mut facts.whole);
            all.for_each(|fact| fact.unit = fact.unit.whole());
            facts.alerts.iter_mut().for_each(|alert| alert.unit = alert.unit.whole());
        }
        // Of a file that somebody has edited; ours is in order already.
        facts.facts.sort_by(Fact::canonical_order);
        facts.whole.sort_by(Fact::canonical_order);
        if let Some(what) = alerts::contradiction(&facts) {
            return Err(ReadError::Contradiction(what));
        }
        Ok(facts)
    }
}

/// A number as `facts.json` has it, to the digit; empty for null.
pub fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map(|value| text(&value)).unwrap_or_default()
}

fn text(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Lines::default());
    value.serialize(&mut serializer).expect("facts have text keys, and a vector takes any bytes");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// Line breaks down to the second level, and whole numbers without a fraction.
#[derive(Default)]
struct Lines {
    depth: usize,
    has_value: bool,
}

/// What is nested deeper stays on one line.
const DEEPEST: usize = 2;

impl Lines {
    fn begin<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        writer.write_all(bracket)
    }

    fn end<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value && self.depth < DEEPEST {
            self.line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        write!(writer, "\n{:indent$}", "", indent = self.depth * 2)
    }

    fn next<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.depth <= DEEPEST { self.line(writer) } else { Ok(()) }
    }
}

impl Formatter for Lines {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        // Whole numbers below 2^53 are exact in both types.
        match value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
            true => write!(writer, "{}", value as i64),
            false => writer.write_all(serde_json::to_string(&value)?.as_bytes()),
        }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.depth <= DEEPEST { b": " } else { b":" })
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Dim, MERGE_RATE};

    fn sample() -> String {
        include_str!("../../reports/org_demo_2026-W41.json").to_owned()
    }

    #[test]
    fn reading_and_writing_gives_the_same_bytes() {
        let text = sample();
        assert_eq!(Facts::from_json(&text).unwrap().to_json(), text);
    }

    #[test]
    fn a_change_keeps_its_basis() {
        let facts = Facts::from_json(&sample()).unwrap();
        let rate = facts.whole(&MERGE_RATE).unwrap();
        let trend = facts.by(&MERGE_RATE, &[Dim::Period]);
        let before = trend.iter().find(|fact| fact.key(Dim::Period).flatten() == Some("2026-W40")).unwrap();
        assert!(rate.previous_n > 10.0 && rate.previous_n == before.n);
    }

    #[test]
    fn fractions_round_trip_and_whole_numbers_have_none() {
        for (value, expected) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (412.0, "412"),
            (-3.0, "-3"),
            (1e300, "1e+300"),
            (0.5, "0.5"),
        ] {
            assert_eq!(number(Some(value)), expected);
            assert_eq!(serde_json::from_str::<f64>(expected).unwrap(), value);
        }
        assert_eq!([number(None), number(Some(f64::NAN))], ["", ""]);
    }

    #[test]
    fn unknown_content_is_rejected_by_name() {
        let reported = |from: &str, to: &str| {
            let text = sample();
            assert!(text.contains(from), "{from}");
            Facts::from_json(&text.replacen(from, to, 1)).err().unwrap().to_string()
        };
        assert!(reported("\"schema\": 2", "\"schema\": 1").contains("schema 1"));
        assert!(reported("\"metric\":\"acus\"", "\"metric\":\"joy\"").contains("the metric \"joy\""));
        assert!(reported("{\"day\":", "{\"moon\":").contains("moon"));
        assert!(reported("{\"day\":", "{\"repo\":").contains("repo"));
        assert!(reported("\"unit\":\"acu\"", "\"unit\":\"share\"").contains("share"));
        assert!(reported("\"api\": \"v2\"", "\"api\": \"v9\"").contains("Records"));
        assert!(reported("\"quality\"", "\"qualities\"").contains("unknown field"));
        assert!(reported("\"n\":", "\"m\":").contains("unknown field"));
        assert!(reported("\"label\": \"2026-W41\"", "\"label\": \"some time\"").contains("\"some time\""));
        assert!(reported("\"tz\": \"UTC\"", "\"tz\": \"Nowhere\"").contains("\"Nowhere\""));
        let hidden = reported("\"metered\"", "\"people\": \"hidden\", \"metered\"");
        assert!(hidden.contains("people are hidden"), "{hidden}");
        assert!(reported("\"generated_at\": \"2026", "\"generated_at\": \"x").contains("generated_at"));
        assert!(reported("    \"2026-W40\",", "    \"2026-W41\",").contains("trend"));
        assert!(Facts::from_json("<html>").is_err() && Facts::from_json("{}").is_err());
    }
}
