//! Lays the answers of plans out as facts: their groups, and what each is compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::dimension::{Dim, GroupKey, Key};
use super::evaluation::{COMPARED, Evaluation};
use super::fact::Fact;
use super::metric::{Metric, MetricKind};
use super::period_frames::PeriodFrames;
use super::suppress::{Suppression, is_combined};
use crate::tables::normal::IMPACTS;
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
            Unit::Count | Unit::PerHundred => self,
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
        if metric.kind != MetricKind::Ratio {
            return Self { value: self.value.map(round), ..self };
        }
        // Counts are whole already.
        let (numerator, denominator) = (self.numerator.round(), self.denominator.round());
        let scale = metric.unit.scale();
        let value =
            (denominator > 0.0 && numerator.is_finite()).then(|| round(scale * numerator / denominator));
        Self { value, numerator, denominator, ..self }
    }
}

/// The answer to one grouping of one metric in one period.
pub(super) type Answer = BTreeMap<GroupKey, Measure>;

/// The answers to one grouping of one metric, ready to be laid out as facts.
pub(super) struct Layout<'a> {
    pub metric: &'static Metric,
    pub by: &'a [Dim],
    /// By period, in their order.
    pub answers: &'a [&'a Answer],
    pub frames: &'a [PeriodFrames],
    pub evaluation: &'a Evaluation<'a>,
    /// What a covered report shows; `None` if the report is not covered.
    pub suppression: Option<&'a Suppression>,
}

impl Layout<'_> {
    /// The report's period, compared with the one chosen for it.
    pub(super) fn of_report(&self) -> Vec<Fact> {
        let keys = self.keys_of(0);
        let shows_any = keys.iter().any(|key| self.shows(0, key));
        let fact = |key: &GroupKey| match (self.shows(0, key), self.by) {
            (true, _) => Some(self.fact(0, Some(COMPARED), key)),
            // Every day is listed; one with too few people has no value.
            (false, [Dim::Day]) if shows_any => Some(self.hidden(key)),
            (false, _) => None,
        };
        keys.iter().filter_map(fact).collect()
    }

    /// Every point of the trend, compared with the period before it if that was fetched.
    pub(super) fn of_trend(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for index in self.evaluation.points.iter().copied() {
            let period = self.evaluation.periods.get(index).expect("a point is one of the periods");
            let before = self.evaluation.before(index);
            // The combined group has no trend.
            let is_shown =
                |key: &GroupKey| self.shows(index, key) && !(self.suppression.is_some() && is_combined(key));
            for key in self.keys_of(index).iter().filter(|key| is_shown(key)) {
                let mut fact = self.fact(index, before, key);
                fact.group.insert(0, (Dim::Period, Some(period.label())));
                facts.push(fact);
            }
        }
        facts
    }

    /// The fact of a group in a period, compared with another period if that is known and shown.
    fn fact(&self, index: usize, other: Option<usize>, key: &GroupKey) -> Fact {
        let measure = self.measure(index, key);
        let part = |part: f64| (self.metric.kind == MetricKind::Ratio).then_some(part);
        let other = other.filter(|other| self.evaluation.compares(index, *other) && self.shows(*other, key));
        let before = other.map(|other| self.measure(other, key));
        Fact {
            metric: self.metric,
            unit: self.metric.unit_in(self.evaluation.capabilities, self.evaluation.covered),
            group: self.group(key),
            value: measure.value,
            numerator: part(measure.numerator),
            denominator: part(measure.denominator),
            n: measure.n,
            previous: before.and_then(|before| before.value),
            previous_n: before.map_or(0.0, |before| before.n),
            maturing: false,
            notable: false,
        }
    }

    /// A fact of which only the group is shown.
    fn hidden(&self, key: &GroupKey) -> Fact {
        let nothing = f64::NAN;
        let fact = self.fact(0, None, key);
        let hidden = |part: Option<f64>| part.map(|_| nothing);
        let (numerator, denominator) = (hidden(fact.numerator), hidden(fact.denominator));
        Fact { value: None, numerator, denominator, n: nothing, ..fact }
    }

    /// Whether the numbers of a group may be shown.
    fn shows(&self, index: usize, key: &GroupKey) -> bool {
        let n = || self.found(index, key).map_or(0.0, |measure| measure.n);
        self.suppression.is_none_or(|all| all.allows(self.metric, self.by, index, key, n()))
    }

    /// The dimensions with the texts of a key.
    fn group(&self, key: &GroupKey) -> Vec<(Dim, Option<String>)> {
        let text = |key: &Option<Key>| key.as_ref().map(|key| key.text().to_owned());
        self.by.iter().copied().zip(key.iter().map(text)).collect()
    }

    /// A group that the plan does not mention is empty.
    fn measure(&self, index: usize, key: &GroupKey) -> Measure {
        let value = if self.metric.kind == MetricKind::Total { Some(0.0) } else { None };
        let nothing = Measure { value, numerator: 0.0, denominator: 0.0, n: 0.0 };
        let measure = self.found(index, key).copied().unwrap_or(nothing);
        let is_metered = self.evaluation.capabilities.metered;
        let measure = if is_metered { measure } else { measure.unmetered(self.metric) };
        if self.evaluation.covered { measure.rounded(self.metric) } else { measure }
    }

    fn found(&self, index: usize, key: &GroupKey) -> Option<&Measure> {
        self.answers.get(index)?.get(key)
    }

    /// The groups of a period: those with something in them, and of dimensions
    /// whose groups are known beforehand every one.
    fn keys_of(&self, index: usize) -> BTreeSet<GroupKey> {
        let mut keys: BTreeSet<GroupKey> =
            self.answers.get(index).into_iter().flat_map(|answer| answer.keys().cloned()).collect();
        let key = |dim, text: &str| vec![Some(Key::new(dim, text))];
        match self.by {
            [] => keys.extend([GroupKey::new()]),
            [Dim::Impact] => keys.extend(IMPACTS.map(|impact| key(Dim::Impact, impact))),
            [Dim::Day] => {
                let dates = self.frames.get(index).into_iter().flat_map(PeriodFrames::dates);
                keys.extend(dates.map(|date| key(Dim::Day, date)));
            }
            _ => {}
        }
        keys
    }
}
