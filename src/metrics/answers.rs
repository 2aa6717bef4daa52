//! Lays the answers of plans out as facts: their groups, and what each is compared with.

use std::collections::BTreeSet;

use super::cube::Cube;
use super::evaluate::Span;
use super::facts::Fact;
use super::metric::{Dim, Kind, Metric};
use super::suppress::{Suppression, is_combined};
use crate::frame::normal::IMPACTS;
use crate::unit::Unit;

/// One row of a plan's answer.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    pub value: Option<f64>,
    pub numerator: f64,
    pub denominator: f64,
    pub n: f64,
}

impl Measure {
    /// The same without ACUs and money, which are 0 where nothing is metered.
    fn unmetered(self, metric: &Metric) -> Self {
        let numerator = f64::NAN;
        match metric.unit {
            _ if !metric.is_of_acus() => self,
            Unit::Count => self,
            Unit::Share => Self { value: None, numerator, denominator: f64::NAN, ..self },
            Unit::Acu | Unit::WholeAcu | Unit::Money(_) | Unit::WholeMoney(_) => {
                Self { value: None, numerator, ..self }
            }
        }
    }

    /// The same with ACUs and money in whole units, so that differences between
    /// covered reports blur. A ratio is that of its rounded parts.
    fn rounded(self, metric: &Metric) -> Self {
        let is_whole = matches!(metric.unit, Unit::Acu | Unit::Money(_));
        let round = |value: f64| if is_whole { value.round() } else { value };
        if metric.kind != Kind::Ratio {
            return Self { value: self.value.map(round), ..self };
        }
        // Counts are whole already.
        let (numerator, denominator) = (self.numerator.round(), self.denominator.round());
        let value = (denominator > 0.0 && numerator.is_finite()).then(|| round(numerator / denominator));
        Self { value, numerator, denominator, ..self }
    }
}

/// The answer to one grouping of one metric: by the group's number, in ascending order.
pub(super) type Answer = Vec<(u64, Measure)>;

/// One answer, ready to be laid out as facts.
pub(super) struct Layout<'a> {
    pub metric: &'static Metric,
    pub by: &'a [Dim],
    pub answer: &'a [(u64, Measure)],
    pub cube: &'a Cube,
    pub span: &'a Span<'a>,
    /// What a covered report shows; none where the report is not covered.
    pub suppression: Option<&'a Suppression>,
}

impl Layout<'_> {
    /// The report's period, compared with the previous one.
    pub(super) fn of_report(&self) -> Vec<Fact> {
        let fact = |keys| match (self.shows(0, keys), self.by) {
            (true, _) => Some(self.fact(0, true, self.group(keys), keys)),
            // Every day is listed; one with too few people has no value.
            (false, [Dim::Day]) if self.shows_any_day() => Some(self.hidden(keys)),
            (false, _) => None,
        };
        self.keys_of(0).into_iter().filter_map(fact).collect()
    }

    /// Every point of the trend, compared with the period before it if that was fetched.
    pub(super) fn of_trend(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (index, period) in self.span.periods.iter().enumerate().take(self.span.points) {
            let compared = index + 1 < self.span.periods.len();
            let is_shown = |keys: &u64| self.shows(index, *keys) && !self.is_combined(*keys);
            for keys in self.keys_of(index).into_iter().filter(is_shown) {
                let mut group = vec![(Dim::Period, Some(period.label()))];
                group.extend(self.group(keys));
                facts.push(self.fact(index, compared, group, keys));
            }
        }
        facts
    }

    fn fact(&self, index: usize, compared: bool, group: Vec<(Dim, Option<String>)>, keys: u64) -> Fact {
        let measure = self.measure(index, keys);
        let before = (compared && self.span.compares(index) && self.shows(index + 1, keys))
            .then(|| self.measure(index + 1, keys));
        Fact {
            metric: self.metric,
            unit: self.unit(),
            group,
            value: measure.value,
            numerator: measure.numerator,
            denominator: measure.denominator,
            n: measure.n,
            previous: before.and_then(|before| before.value),
            previous_n: before.map_or(0.0, |before| before.n),
        }
    }

    /// A fact of which only the group is shown.
    fn hidden(&self, keys: u64) -> Fact {
        Fact {
            metric: self.metric,
            unit: self.unit(),
            group: self.group(keys),
            value: None,
            numerator: f64::NAN,
            denominator: f64::NAN,
            n: f64::NAN,
            previous: None,
            previous_n: 0.0,
        }
    }

    fn unit(&self) -> Unit {
        self.metric.unit_in(self.span.known, self.span.covered)
    }

    /// Whether the numbers of a group may be shown.
    fn shows(&self, index: usize, keys: u64) -> bool {
        let n = || self.found(index, keys).map_or(0.0, |measure| measure.n);
        self.suppression.is_none_or(|all| all.allows(self.metric, self.by, index, keys, n()))
    }

    /// The combined group has no trend.
    fn is_combined(&self, keys: u64) -> bool {
        self.suppression.is_some() && is_combined(self.by, keys)
    }

    fn shows_any_day(&self) -> bool {
        self.keys_of(0).into_iter().any(|keys| self.shows(0, keys))
    }

    /// The keys as texts.
    fn group(&self, keys: u64) -> Vec<(Dim, Option<String>)> {
        let word =
            |(dim, number): (Dim, Option<u32>)| (dim, number.map(|number| self.cube.word(dim, number)));
        let mut group: Vec<_> = self.numbers(keys).map(word).collect();
        group.reverse();
        group
    }

    /// The keys as numbers, the last dimension first: it stands in the lowest bits.
    fn numbers(&self, mut keys: u64) -> impl Iterator<Item = (Dim, Option<u32>)> {
        self.by.iter().rev().map(move |dim| {
            let key = u32::try_from(keys & low_bits(dim.bits())).unwrap_or(u32::MAX);
            keys >>= dim.bits();
            (*dim, key.checked_sub(1))
        })
    }

    /// The number of a group.
    fn number(&self, index: usize, keys: u64) -> u64 {
        ((index as u64) << self.bits()) | keys
    }

    /// How many bits the keys take, below the period.
    fn bits(&self) -> u32 {
        self.by.iter().map(|dim| dim.bits()).sum()
    }

    /// A group that the plan does not mention is empty.
    fn measure(&self, index: usize, keys: u64) -> Measure {
        let value = if self.metric.kind == Kind::Total { Some(0.0) } else { None };
        let nothing = Measure { value, numerator: 0.0, denominator: 0.0, n: 0.0 };
        let measure = self.found(index, keys).copied().unwrap_or(nothing);
        let measure = if self.span.known.metered { measure } else { measure.unmetered(self.metric) };
        if self.span.covered { measure.rounded(self.metric) } else { measure }
    }

    fn found(&self, index: usize, keys: u64) -> Option<&Measure> {
        let place = self.answer.binary_search_by_key(&self.number(index, keys), |(group, _)| *group);
        place.ok().and_then(|place| self.answer.get(place)).map(|(_, measure)| measure)
    }

    /// The groups of a period: those with something in them, and of dimensions
    /// whose groups are known beforehand every one.
    fn keys_of(&self, index: usize) -> BTreeSet<u64> {
        let place = |number| self.answer.partition_point(|(group, _)| *group < number);
        let found = self.answer.get(place(self.number(index, 0))..place(self.number(index + 1, 0)));
        let keys = |(group, _): &(u64, Measure)| group & low_bits(self.bits());
        let mut keys: BTreeSet<u64> = found.unwrap_or_default().iter().map(keys).collect();
        // A key of 0 is null, so that numbers begin at 1.
        match self.by {
            [] => keys.extend([0]),
            [Dim::Impact] => keys.extend(1..=IMPACTS.len() as u64),
            [Dim::Day] => {
                let days = u32::try_from(index).into_iter().flat_map(|period| self.cube.days(period));
                keys.extend(days.map(|number| u64::from(number) + 1));
            }
            _ => {}
        }
        keys
    }
}

/// As many ones.
fn low_bits(bits: u32) -> u64 {
    (1 << bits) - 1
}
