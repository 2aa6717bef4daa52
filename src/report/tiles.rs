//! The headline numbers.

use serde::Serialize;

use super::comparable::{Standard, undecided};
use super::layout::{TileSpec, headlines};
use super::money;
use super::number::Number;
use crate::metrics::{
    ACUS_PER_MERGED_PR, ACUS_PER_MERGED_PR_EXPECTED, Dim, Fact, Facts, Judgement, Metric, MetricKind,
};
use crate::unit::{Unit, count};

/// A headline number.
#[derive(Clone, Serialize)]
pub struct Tile {
    /// The number.
    pub number: Number,
    /// Whether it is hidden, because it would rest on too few people.
    pub is_hidden: bool,
    /// What it costs; `None` without prices.
    pub spend: Option<Number>,
    /// Its basis, short enough for a tile on a phone: `31 of 39 decided`. Empty where it has none.
    pub basis: String,
    /// Why it cannot be compared yet, and what to expect; empty if it can.
    pub maturing: String,
    /// The points of the trend, oldest first.
    pub trend: Vec<TrendPoint>,
}

/// A point of a trend.
#[derive(Clone, Serialize)]
pub struct TrendPoint {
    /// Label of its period.
    pub period: String,
    /// Its value; null where there is none.
    pub value: Option<f64>,
    /// Whether its period is not over: it would look like a decrease.
    pub is_running: bool,
    /// Whether it may still change more than the oldest point.
    pub is_maturing: bool,
}

/// The tiles of the layout.
pub fn tiles(facts: &Facts) -> Vec<Tile> {
    headlines(facts.capabilities()).map(|spec| tile(facts, spec)).collect()
}

fn tile(facts: &Facts, spec: &TileSpec) -> Tile {
    let (metric, standard) = (spec.metric, Standard::of(facts));
    let fact = fact_of_group(facts, metric, spec.keys);
    let number = match fact {
        Some(fact) => Number::of(spec.title, fact, standard),
        None => Number {
            metric,
            title: spec.title,
            unit: facts.unit(metric),
            value: None,
            previous: None,
            scale: 1.0,
            n: 0.0,
            judgement: Judgement::Neutral,
            is_maturing: false,
            is_notable: false,
            is_faint: false,
        },
    };
    let point = |label: &String| {
        let keys: Vec<(Dim, &str)> =
            std::iter::once((Dim::Period, label.as_str())).chain(spec.keys.iter().copied()).collect();
        let fact = fact_of_group(facts, metric, &keys);
        TrendPoint {
            period: label.clone(),
            value: fact.and_then(|fact| fact.value),
            is_maturing: fact.is_some_and(|fact| fact.maturing),
            is_running: !facts.is_over() && *label == facts.period.label,
        }
    };
    let spend = fact.and_then(|fact| money::spend_fact(facts, fact));
    Tile {
        maturing: if number.is_maturing { maturing(facts, metric) } else { String::new() },
        number,
        is_hidden: fact.is_none(),
        spend: spend.map(|spend| Number::of(spend.metric.title, spend, standard)),
        basis: match fact {
            Some(fact) => basis(fact, spec.basis),
            None if facts.is_covered() => "hidden: too few people".to_owned(),
            None => String::new(),
        },
        trend: facts.trend.iter().rev().map(point).collect(),
    }
}

/// The fact of a metric in one group.
fn fact_of_group<'a>(facts: &'a Facts, metric: &Metric, keys: &[(Dim, &str)]) -> Option<&'a Fact> {
    let by: Vec<Dim> = keys.iter().map(|(dim, _)| *dim).collect();
    let is_asked = |fact: &&Fact| keys.iter().all(|(dim, key)| fact.key(*dim).flatten() == Some(key));
    facts.by(metric, &by).iter().find(is_asked)
}

/// The basis of a number in words.
fn basis(fact: &Fact, name: &str) -> String {
    let is_share = fact.metric.kind == MetricKind::Ratio && fact.unit == Unit::Share;
    let name = if name == "sessions" && fact.denominator() == 1.0 { "session" } else { name };
    match (name, is_share) {
        ("", _) => String::new(),
        ("sessions", _) if fact.n == 0.0 => "no sessions".to_owned(),
        _ if fact.n == 0.0 => format!("none {name}"),
        (_, true) => format!("{} of {} {name}", count(fact.numerator()), count(fact.denominator())),
        (_, false) if fact.unit == Unit::PerHundred => {
            format!("{} in {} {name}", count(fact.numerator()), count(fact.n))
        }
        (_, false) => format!("{} {name}", count(fact.n)),
    }
}

/// Why a number cannot be compared yet, and what is to be expected.
fn maturing(facts: &Facts, metric: &Metric) -> String {
    let expected = facts.whole(&ACUS_PER_MERGED_PR_EXPECTED).filter(|_| metric.id == ACUS_PER_MERGED_PR.id);
    match expected.filter(|expected| expected.value.is_some()) {
        Some(expected) => {
            format!("still maturing: about {} once open PRs are decided", expected.unit.text(expected.value))
        }
        None => format!("still maturing: {}", undecided(facts, "PRs")),
    }
}
