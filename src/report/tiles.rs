//! The headline numbers.

use minijinja::Value;

use super::change::{change, faint};
use super::layout::{Headline, headlines};
use super::money;
use super::view::{Change, Tile};
use crate::charts::{self, ChartError};
use crate::metrics::{Dim, Fact, Facts, ISSUES, Metric, MetricKind};
use crate::period::Period;
use crate::unit::{Unit, count};

/// Longer values are set smaller, to stay on one line.
const LONG: usize = 8;

/// The tiles of the layout.
///
/// # Errors
/// A sparkline could not be drawn: an internal error.
pub fn tiles(facts: &Facts, trend: &[Period]) -> Result<Vec<Tile>, ChartError> {
    // A running period would look like a decrease.
    let running = usize::from(!facts.is_over());
    let trend: Vec<String> = trend.iter().skip(running).rev().map(Period::label).collect();
    headlines(facts.capabilities()).map(|headline| tile(facts, headline, &trend)).collect()
}

/// A headline number, formatted.
pub struct HeadlineText {
    /// Its value.
    pub value: String,
    /// Its spend and its basis; empty if there is neither.
    pub note: String,
    /// Whether it has too few cases to be trusted.
    pub faint: bool,
    /// Change against the previous period.
    pub change: Option<Change>,
}

/// Formats a headline of the layout.
pub fn headline_text(facts: &Facts, headline: &Headline) -> HeadlineText {
    let metric = headline.metric;
    let fact = fact_of_group(facts, metric, headline.keys);
    // Without analyses the number of issues is unknown, so 0 is not good news.
    let blind = metric.id == ISSUES.id && fact.is_some_and(|fact| fact.n == 0.0);
    HeadlineText {
        value: facts.unit(metric).text(fact.and_then(|fact| fact.value)),
        note: match fact {
            Some(fact) => note_with_spend(facts, fact, headline.basis),
            None if facts.is_covered() => "hidden: too few people".to_owned(),
            None => String::new(),
        },
        faint: blind || fact.is_some_and(faint),
        change: fact.filter(|_| !blind).and_then(change),
    }
}

fn tile(facts: &Facts, headline: &Headline, trend: &[String]) -> Result<Tile, ChartError> {
    let metric = headline.metric;
    let values: Vec<Option<f64>> = trend
        .iter()
        .map(|label| {
            let mut keys: Vec<(Dim, &str)> = headline.keys.to_vec();
            keys.insert(0, (Dim::Period, label));
            fact_of_group(facts, metric, &keys)?.value
        })
        .collect();
    let words: Vec<String> = values.iter().map(|value| facts.unit(metric).text(*value)).collect();
    // A single point is no trend.
    let drawn = if trend.len() > 1 { charts::sparkline(&values)?.as_str().to_owned() } else { String::new() };
    let HeadlineText { value, note, faint, change } = headline_text(facts, headline);
    Ok(Tile {
        id: metric.id,
        title: headline.title,
        long: value.chars().count() > LONG,
        value,
        note,
        faint,
        change,
        sparkline: Value::from_safe_string(drawn),
        trend: if trend.len() > 1 {
            format!("Trend, oldest first: {}", words.join(", "))
        } else {
            String::new()
        },
    })
}

/// The fact of a metric in one group.
pub fn fact_of_group<'a>(facts: &'a Facts, metric: &Metric, keys: &[(Dim, &str)]) -> Option<&'a Fact> {
    let by: Vec<Dim> = keys.iter().map(|(dim, _)| *dim).collect();
    let is_asked = |fact: &&Fact| keys.iter().all(|(dim, key)| fact.key(*dim).flatten() == Some(key));
    facts.by(metric, &by).iter().find(is_asked)
}

/// Spend and basis of a number.
fn note_with_spend(facts: &Facts, fact: &Fact, basis: &str) -> String {
    let spend = money::spend_text(facts, fact);
    let note = Some(note(fact, basis)).filter(|note| !note.is_empty());
    spend.into_iter().chain(note).collect::<Vec<_>>().join(" · ")
}

/// The basis of a number, short enough for a tile on a phone: `31 of 39 decided`.
fn note(fact: &Fact, basis: &str) -> String {
    let share = fact.metric.kind == MetricKind::Ratio && fact.unit == Unit::Share;
    let basis = if basis == "sessions" && fact.denominator() == 1.0 { "session" } else { basis };
    match (basis, share) {
        ("", _) => String::new(),
        ("sessions", _) if fact.n == 0.0 => "no sessions".to_owned(),
        _ if fact.n == 0.0 => format!("none {basis}"),
        (_, true) => format!("{} of {} {basis}", count(fact.numerator()), count(fact.denominator())),
        (_, false) => format!("{} {basis}", count(fact.n)),
    }
}
