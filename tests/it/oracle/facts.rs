//! A table of expected numbers, and how it is filled.

use std::collections::BTreeMap;

/// Which part of the sessions a number is about: dimension to value, null included.
pub type Group = BTreeMap<String, Option<String>>;

/// Numbers by metric and group.
pub type Facts = BTreeMap<(String, Group), ExpectedFact>;

/// One number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedFact {
    pub unit: &'static str,
    /// Null where there is nothing to divide by or to choose from.
    pub value: Option<f64>,
    /// What the value rests on.
    pub n: u64,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    /// The same number of the period before.
    pub previous: Option<f64>,
    /// More pull requests are undecided than in what it is compared with.
    pub maturing: bool,
    /// The change exceeds chance.
    pub notable: bool,
}

/// A group from its dimensions.
pub fn group(pairs: &[(&str, Option<&str>)]) -> Group {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
}

/// Enters a number of things.
pub fn count(facts: &mut Facts, metric: &str, of: Group, value: usize, n: usize) {
    enter(facts, metric, of, "count", Some(value as f64), n, None);
}

/// Enters a number of ACUs.
pub fn acus(facts: &mut Facts, metric: &str, of: Group, value: Option<f64>, n: usize) {
    enter(facts, metric, of, "acu", value, n, None);
}

/// Enters a quotient; null where there is nothing to divide by.
pub fn ratio(facts: &mut Facts, metric: &str, of: Group, unit: &'static str, parts: (f64, f64), n: usize) {
    let scale = if unit == "per_100" { 100.0 } else { 1.0 };
    let value = if parts.1 == 0.0 { None } else { Some(scale * parts.0 / parts.1) };
    enter(facts, metric, of, unit, value, n, Some(parts));
}

/// Enters a number of any unit.
pub fn enter(
    facts: &mut Facts,
    metric: &str,
    of: Group,
    unit: &'static str,
    value: Option<f64>,
    n: usize,
    parts: Option<(f64, f64)>,
) {
    let fact = ExpectedFact {
        unit,
        value,
        n: n as u64,
        numerator: parts.map(|parts| parts.0),
        denominator: parts.map(|parts| parts.1),
        ..ExpectedFact::default()
    };
    let twice = facts.insert((metric.to_owned(), of), fact);
    assert_eq!(twice, None, "{metric} entered twice for one group");
}

/// Sums by name.
#[derive(Default)]
pub struct Sums(BTreeMap<String, f64>);

impl Sums {
    pub fn add(&mut self, name: &str, value: f64) {
        *self.0.entry(name.to_owned()).or_default() += value;
    }

    /// The sum, 0 where nothing was added.
    pub fn of(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}
