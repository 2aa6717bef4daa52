//! The headline numbers.

use minijinja::Value;

use super::change::{change, faint};
use super::layout::TILES;
use super::view::Tile;
use crate::charts::{self, ChartError};
use crate::metrics::{Dim, Fact, Facts, Kind, Metric};
use crate::period::Period;
use crate::unit::Unit;

/// Draws the tiles of the layout table.
///
/// # Errors
/// A sparkline could not be drawn: a defect.
pub fn tiles(facts: &Facts, periods: &[Period], points: usize) -> Result<Vec<Tile>, ChartError> {
    let trend: Vec<String> = periods.iter().take(points).rev().map(Period::label).collect();
    TILES.iter().map(|(metric, keys)| tile(facts, metric, keys, &trend)).collect()
}

fn tile(
    facts: &Facts,
    metric: &'static Metric,
    keys: &[(Dim, &str)],
    trend: &[String],
) -> Result<Tile, ChartError> {
    let fact = find(facts, metric, keys);
    let values: Vec<Option<f64>> = trend
        .iter()
        .map(|label| {
            let mut keys: Vec<(Dim, &str)> = keys.to_vec();
            keys.insert(0, (Dim::Period, label));
            find(facts, metric, &keys)?.value
        })
        .collect();
    let words: Vec<String> = values.iter().map(|value| metric.unit.text(*value)).collect();
    let prefix = keys.iter().map(|(_, key)| format!("{}-impact ", capital(key))).collect::<String>();
    let title =
        if prefix.is_empty() { metric.title.to_owned() } else { prefix + &metric.title.to_lowercase() };
    Ok(Tile {
        id: metric.id,
        title,
        value: metric.unit.text(fact.and_then(|fact| fact.value)),
        note: fact.map(note).unwrap_or_default(),
        faint: fact.is_some_and(faint),
        change: fact.and_then(change),
        sparkline: Value::from_safe_string(charts::sparkline(&values)?.as_str().to_owned()),
        trend: format!("Trend, oldest first: {}", words.join(", ")),
    })
}

fn find<'a>(facts: &'a Facts, metric: &Metric, keys: &[(Dim, &str)]) -> Option<&'a Fact> {
    facts.facts.iter().find(|fact| {
        fact.metric.id == metric.id
            && fact.group.len() == keys.len()
            && keys.iter().all(|(dim, key)| fact.key(*dim).flatten() == Some(key))
    })
}

/// What a ratio rests on: `31 of 39 decided pull requests`.
fn note(fact: &Fact) -> String {
    let count = |number: f64| Unit::Count.text(Some(number));
    match (fact.metric.kind, fact.metric.unit) {
        (Kind::Ratio, Unit::Share) => {
            let (part, whole) = (count(fact.numerator), count(fact.denominator));
            format!("{part} of {whole} {}", fact.metric.basis.name())
        }
        (Kind::Ratio, _) => format!("{} {}", count(fact.n), fact.metric.basis.name()),
        (Kind::Total, _) if fact.metric.id == crate::metrics::ISSUES.id => {
            format!("in {} {}", count(fact.n), fact.metric.basis.name())
        }
        _ => String::new(),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
