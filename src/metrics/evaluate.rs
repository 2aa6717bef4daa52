//! Runs every metric's plan and lays the answers out as facts.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::*;

use super::cube::Cube;
use super::facts::Fact;
use super::metric::{Dim, Grain, Kind, Known, Metric, Plan};
use super::plan::{DENOMINATOR, GROUP, N, NUMERATOR, VALUE, of, together};
use super::{MetricsError, Month, known_to};
use crate::frame::normal::IMPACTS;
use crate::money::Prices;
use crate::period::Period;
use crate::unit::Unit;

/// One row of a plan's answer.
#[derive(Clone, Copy)]
struct Measure {
    value: Option<f64>,
    numerator: f64,
    denominator: f64,
    n: f64,
}

/// The answer to one grouping of one metric: by the group's number, in ascending order.
type Answer = Vec<(u64, Measure)>;

/// What the facts are about.
pub struct Span<'a> {
    /// Newest first: the report's period, the previous one, and the trend's others.
    pub periods: &'a [Period],
    /// How many of them, from the first, are points of the trend.
    pub points: usize,
    /// Whether the report's period was over: only then it is compared.
    pub complete: bool,
    /// What there is to know.
    pub known: Known,
    /// What an ACU costs.
    pub prices: Option<&'a Prices>,
    /// What may be spent in the month; none without a budget.
    pub month: Option<Month>,
    /// Whether groups of fewer than five people are folded into one.
    pub folded: bool,
}

/// Every fact of the registry, in canonical order: those that have a trend from
/// all periods, the others from the recent ones of the same cube.
///
/// # Errors
/// Polars refused a plan: a defect, not a state of the data.
pub fn evaluate(cube: &Cube, recent: &Cube, span: &Span<'_>) -> Result<Vec<Fact>, MetricsError> {
    let questions = questions(span.known);
    // A plan is short and much of it is planning, which one thread does alone:
    // several are worked on side by side.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut facts = Vec::new();
        while let Some(question) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
            facts.extend(question.facts(if question.trended { cube } else { recent }, span)?);
        }
        Ok(facts)
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get).min(questions.len());
    let mut facts = std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut facts = Vec::new();
        for worker in running {
            match worker.join() {
                Ok(found) => facts.extend(found?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, MetricsError>(facts)
    })?;
    facts.sort_by(Fact::canonical_order);
    Ok(facts)
}

/// Metrics that one plan works out, by the same dimensions.
struct Question {
    /// One with a plan of its own, or all of one grain.
    metrics: Vec<&'static Metric>,
    by: Vec<Dim>,
    /// Whether they have a trend, and so are about all periods.
    trended: bool,
}

/// All that there is to ask, the longest first.
fn questions(known: Known) -> Vec<Question> {
    let mut shared: BTreeMap<(Grain, bool, Vec<Dim>), Vec<&'static Metric>> = BTreeMap::new();
    let mut own = Vec::new();
    for metric in known_to(known) {
        for by in groupings(metric, known) {
            let trended = metric.groups.iter().any(|group| is_trend_of(group, &by));
            match metric.plan {
                Plan::Total(grain, _) | Plan::Ratio(grain, _) => {
                    shared.entry((grain, trended, by)).or_default().push(metric);
                }
                Plan::Own(_) => own.push(Question { metrics: vec![metric], by, trended }),
            }
        }
    }
    let shared = shared.into_iter().map(|((_, trended, by), metrics)| Question { metrics, by, trended });
    shared.chain(own).collect()
}

impl Question {
    /// The facts of the metrics, and of their trends.
    fn facts(&self, cube: &Cube, span: &Span<'_>) -> Result<Vec<Fact>, MetricsError> {
        let mut facts = Vec::new();
        let Some(first) = self.metrics.first() else { return Ok(facts) };
        for (metric, answer) in self.ask(cube).map_err(MetricsError::of(first.id))? {
            let layout = Layout { metric, by: &self.by, answer: &answer, cube, span };
            if metric.groups.contains(&self.by.as_slice()) {
                facts.extend(layout.of_report());
            }
            if self.trended {
                facts.extend(layout.of_trend());
            }
        }
        Ok(facts)
    }

    /// The answers, a metric each.
    fn ask(&self, cube: &Cube) -> PolarsResult<Vec<(&'static Metric, Answer)>> {
        let mut answers = Vec::new();
        for metric in &self.metrics {
            if let Plan::Own(plan) = metric.plan {
                answers.push((*metric, answer(metric, &collected(plan(cube, &self.by))?, str::to_owned)?));
            }
        }
        let shared = self.metrics.first().and_then(|metric| metric.plan.grain());
        if let Some(grain) = shared {
            let frame = collected(together(cube.rows(grain, &self.by), &self.by, &self.metrics))?;
            for metric in &self.metrics {
                answers.push((*metric, answer(metric, &frame, |part| of(metric, part))?));
            }
        }
        Ok(answers)
    }
}

/// The groupings to ask for, as far as the dimensions are told: the trend
/// is not one of its own, because every answer is by period anyway.
fn groupings(metric: &Metric, known: Known) -> BTreeSet<Vec<Dim>> {
    metric
        .groups
        .iter()
        .filter(|group| group.iter().all(|dim| dim.is_told_by(known)))
        .map(|group| group.iter().copied().filter(|dim| *dim != Dim::Period).collect())
        .collect()
}

fn is_trend_of(group: &[Dim], by: &[Dim]) -> bool {
    group.first() == Some(&Dim::Period) && group.get(1..) == Some(by)
}

/// The optimiser would drop a sort before a sum; but the order of adding up
/// decides the last digit, and the same data must give the same bytes.
fn collected(plan: LazyFrame) -> PolarsResult<DataFrame> {
    plan.with_check_order(false).collect()
}

/// A metric's answer, whose columns have these names.
fn answer(metric: &Metric, frame: &DataFrame, called: impl Fn(&str) -> String) -> PolarsResult<Answer> {
    let groups = frame.column(GROUP)?.u64()?;
    let number = |part: &str| frame.column(&called(part))?.f64();
    let (value, n) = (number(VALUE)?, number(N)?);
    let (numerator, denominator) = match metric.kind {
        Kind::Ratio => (Some(number(NUMERATOR)?), Some(number(DENOMINATOR)?)),
        Kind::Total | Kind::Quantile => (None, None),
    };
    let row = |at| {
        let known = |column: &Float64Chunked| column.get(at).unwrap_or(0.0);
        // The spend of a ratio may be unknown, and no number at all stands for that.
        let numerator = numerator.map_or(0.0, |numerator| numerator.get(at).unwrap_or(f64::NAN));
        let (denominator, n) = (denominator.map_or(0.0, known), known(n));
        Some((groups.get(at)?, Measure { value: value.get(at), numerator, denominator, n }))
    };
    let mut answer: Answer = (0..frame.height()).filter_map(row).collect();
    answer.sort_unstable_by_key(|(group, _)| *group);
    Ok(answer)
}

/// One answer, ready to be laid out as facts.
struct Layout<'a> {
    metric: &'static Metric,
    by: &'a [Dim],
    answer: &'a [(u64, Measure)],
    cube: &'a Cube,
    span: &'a Span<'a>,
}

impl Layout<'_> {
    /// The report's period, compared with the previous one.
    fn of_report(&self) -> Vec<Fact> {
        self.keys_of(0).into_iter().map(|keys| self.fact(0, true, self.group(keys), keys)).collect()
    }

    /// Every point of the trend, compared with the period before it if that was fetched.
    fn of_trend(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (index, period) in self.span.periods.iter().enumerate().take(self.span.points) {
            let compared = index + 1 < self.span.periods.len();
            for keys in self.keys_of(index) {
                let mut group = vec![(Dim::Period, Some(period.label()))];
                group.extend(self.group(keys));
                facts.push(self.fact(index, compared, group, keys));
            }
        }
        facts
    }

    fn fact(&self, index: usize, compared: bool, group: Vec<(Dim, Option<String>)>, keys: u64) -> Fact {
        let measure = self.measure(index, keys);
        let hidden =
            self.cube.hides_before(self.numbers(keys).filter_map(|(dim, number)| Some((dim, number?))));
        let before = (compared && self.span.complete && !hidden).then(|| self.measure(index + 1, keys));
        Fact {
            metric: self.metric,
            unit: unit(self.metric, self.span.known),
            group,
            value: measure.value,
            numerator: measure.numerator,
            denominator: measure.denominator,
            n: measure.n,
            previous: before.and_then(|before| before.value),
            previous_n: before.map_or(0.0, |before| before.n),
        }
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
        let place = self.answer.binary_search_by_key(&self.number(index, keys), |(group, _)| *group);
        let found = place.ok().and_then(|place| self.answer.get(place));
        let value = if self.metric.kind == Kind::Total { Some(0.0) } else { None };
        let nothing = Measure { value, numerator: 0.0, denominator: 0.0, n: 0.0 };
        found.map_or(nothing, |(_, measure)| *measure)
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

/// A metric's unit, of money in the currency of the price.
fn unit(metric: &Metric, known: Known) -> Unit {
    match (metric.unit, known.currency) {
        (Unit::Money(_), Some(currency)) => Unit::Money(currency),
        (unit, _) => unit,
    }
}

/// As many ones.
fn low_bits(bits: u32) -> u64 {
    (1 << bits) - 1
}
