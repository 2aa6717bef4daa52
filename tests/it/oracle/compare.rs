//! `facts.json` against what was expected of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset};
use serde_json::Value;

use super::facts::{ExpectedFact, Facts, Group};
use super::{Expected, Span};

/// Sums in another order differ in their last digits, and in no more.
const TOLERANCE: f64 = 1e-9;

/// Every way in which a `facts.json` differs from what was expected, one a line;
/// empty where they agree.
pub fn differences(facts_json: &str, expected: &Expected) -> Vec<String> {
    let json: Value = match serde_json::from_str(facts_json) {
        Ok(json) => json,
        Err(error) => return vec![format!("not JSON: {error}")],
    };
    let mut found = Vec::new();
    period(&json, expected, &mut found);
    differ("source.metered", &json["source"]["metered"], &Value::from(expected.metered), &mut found);
    quality(&json["quality"], expected, &mut found);
    let Some(rows) = json["facts"].as_array() else {
        found.push("facts: not a list".to_owned());
        return found;
    };
    facts(rows, &expected.facts, &mut found);
    found
}

fn period(json: &Value, expected: &Expected, found: &mut Vec<String>) {
    let period = &json["period"];
    differ("period.label", &period["label"], &Value::from(expected.label.clone()), found);
    differ("period.tz", &period["tz"], &Value::from(expected.tz.clone()), found);
    differ("period.complete", &period["complete"], &Value::from(expected.complete), found);
    instant("period.from", &period["from"], &expected.from, found);
    instant("period.to", &period["to"], &expected.to, found);

    // Nothing is compared with while the period has not ended, so its
    // predecessor may be named or not.
    let previous = &json["previous"];
    if expected.complete || !previous.is_null() {
        let Span { label, from, to, .. } = &expected.previous;
        differ("previous.label", &previous["label"], &Value::from(label.clone()), found);
        instant("previous.from", &previous["from"], &from.to_rfc3339(), found);
        instant("previous.to", &previous["to"], &to.to_rfc3339(), found);
    }
}

/// The same instant with the same offset; `Z` and `+00:00` are equal.
fn instant(name: &str, actual: &Value, expected: &str, found: &mut Vec<String>) {
    let read = |text: &str| DateTime::<FixedOffset>::parse_from_rfc3339(text).ok();
    let same = match (actual.as_str().and_then(read), read(expected)) {
        (Some(a), Some(b)) => a == b && a.offset() == b.offset(),
        _ => false,
    };
    if !same {
        found.push(format!("{name}: {actual}, expected {expected}"));
    }
}

fn differ(name: &str, actual: &Value, expected: &Value, found: &mut Vec<String>) {
    if actual != expected {
        found.push(format!("{name}: {actual}, expected {expected}"));
    }
}

fn quality(actual: &Value, expected: &Expected, found: &mut Vec<String>) {
    let empty = serde_json::Map::new();
    let actual = actual.as_object().unwrap_or(&empty);
    let names: BTreeSet<&str> =
        actual.keys().map(String::as_str).chain(expected.quality.keys().copied()).collect();
    for name in names {
        let expected = expected.quality.get(name).map_or(Value::Null, |number| Value::from(*number));
        differ(&format!("quality.{name}"), actual.get(name).unwrap_or(&Value::Null), &expected, found);
    }
}

fn facts(rows: &[Value], expected: &Facts, found: &mut Vec<String>) {
    let mut actual: BTreeMap<(String, Group), &Value> = BTreeMap::new();
    for row in rows {
        match key(row) {
            Some(key) => {
                if let Some(twin) = actual.insert(key, row) {
                    found.push(format!("twice: {row} and {twin}"));
                }
            }
            None => found.push(format!("no fact: {row}")),
        }
    }
    for (key, fact) in expected {
        match actual.get(key) {
            Some(row) => {
                found.extend(fact_differences(row, fact).map(|what| format!("{}: {what}", name(key))))
            }
            None => found.push(format!("missing: {} = {fact:?}", name(key))),
        }
    }
    for (key, row) in &actual {
        if !expected.contains_key(key) {
            found.push(format!("not expected: {} = {row}", name(key)));
        }
    }
}

/// The metric and the group of a row, if it has both.
fn key(row: &Value) -> Option<(String, Group)> {
    let mut of = Group::new();
    for (dimension, value) in row["group"].as_object()? {
        let value = match value {
            Value::Null => None,
            value => Some(value.as_str()?.to_owned()),
        };
        of.insert(dimension.clone(), value);
    }
    Some((row["metric"].as_str()?.to_owned(), of))
}

fn name((metric, of): &(String, Group)) -> String {
    let pairs: Vec<String> = of
        .iter()
        .map(|(dimension, value)| format!("{dimension}={}", value.as_deref().unwrap_or("null")))
        .collect();
    format!("{metric}{{{}}}", pairs.join(", "))
}

fn fact_differences(row: &Value, fact: &ExpectedFact) -> impl Iterator<Item = String> {
    let unit = (row["unit"] != fact.unit).then(|| format!("unit {}, expected {}", row["unit"], fact.unit));
    let n =
        (row["n"].as_f64() != Some(fact.n as f64)).then(|| format!("n {}, expected {}", row["n"], fact.n));
    let numbers = [
        number(row, "value", fact.value, true),
        number(row, "previous", fact.previous, true),
        number(row, "numerator", fact.numerator, false),
        number(row, "denominator", fact.denominator, false),
    ];
    let mark = |name: &str, expected: bool| {
        let actual = row.get(name).map(Value::as_bool);
        // A mark that is not set is left out.
        (actual != expected.then_some(Some(true))).then(|| format!("{name} {actual:?}, expected {expected}"))
    };
    let marks = [mark("maturing", fact.maturing), mark("notable", fact.notable)];
    [unit, n].into_iter().chain(numbers).chain(marks).flatten()
}

/// A number of a row against the one expected; where none is expected the key
/// holds null or, if it is not one that every fact has, is left out.
fn number(row: &Value, key: &str, expected: Option<f64>, always: bool) -> Option<String> {
    let actual = row.get(key);
    let same = match (actual, expected) {
        (None, None) => !always,
        (Some(Value::Null), None) => always,
        // Part of a ratio that is not known.
        (Some(Value::Null), Some(expected)) => expected.is_nan(),
        (Some(actual), Some(expected)) => actual.as_f64().is_some_and(|actual| close(actual, expected)),
        _ => false,
    };
    let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    (!same).then(|| {
        let (actual, expected) = (actual.map(Value::to_string), expected.map(|number| number.to_string()));
        format!("{key} {}, expected {}", shown(actual), shown(expected))
    })
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}
