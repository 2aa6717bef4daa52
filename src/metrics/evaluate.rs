//! Runs every metric's plan and lays the answers out as facts.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::*;

use super::cube::{Cube, PERIOD};
use super::facts::Fact;
use super::metric::{Dim, Kind, Metric};
use super::plan::{DENOMINATOR, N, NUMERATOR, VALUE};
use super::{METRICS, MetricsError};
use crate::frame::Frames;
use crate::frame::normal::IMPACTS;
use crate::period::Period;

type Keys = Vec<Option<String>>;

/// One row of a plan's answer.
#[derive(Clone, Copy)]
struct Measure {
    value: Option<f64>,
    numerator: f64,
    denominator: f64,
    n: f64,
}

/// The answer to one grouping of one metric: by period, then by keys.
type Answer = BTreeMap<u32, BTreeMap<Keys, Measure>>;

/// What the facts are about.
pub struct Span<'a> {
    /// Newest first: the report's period, the previous one, and the trend's others.
    pub periods: &'a [Period],
    /// How many of them, from the first, are points of the trend.
    pub points: usize,
    /// Whether the report's period was over: only then it is compared.
    pub complete: bool,
}

/// Every fact of the registry, in canonical order.
///
/// # Errors
/// Polars refused a plan: a defect, not a state of the data.
pub fn evaluate(cube: &Cube, span: &Span<'_>) -> Result<Vec<Fact>, MetricsError> {
    let recent = cube.recent().map_err(MetricsError::of("the periods"))?;
    let questions: Vec<(&'static Metric, Vec<Dim>)> =
        METRICS.iter().flat_map(|metric| groupings(metric).into_iter().map(move |by| (metric, by))).collect();
    // A plan is short and much of it is planning, which one thread does alone:
    // several are worked on side by side.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut facts = Vec::new();
        while let Some((metric, by)) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
            facts.extend(of_question(metric, by, cube, &recent, span)?);
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

/// The facts of one metric and one grouping, and of its trend.
fn of_question(
    metric: &'static Metric,
    by: &[Dim],
    cube: &Cube,
    recent: &Cube,
    span: &Span<'_>,
) -> Result<Vec<Fact>, MetricsError> {
    let trended = metric.groups.iter().any(|group| is_trend_of(group, by));
    let source = if trended { cube } else { recent };
    let answer = ask(metric, source, by).map_err(MetricsError::of(metric.id))?;
    let layout = Layout { metric, by, answer: &answer, span };
    let mut facts = Vec::new();
    if metric.groups.contains(&by) {
        facts.extend(layout.of_report());
    }
    if trended {
        facts.extend(layout.of_trend());
    }
    Ok(facts)
}

/// The groupings to ask for: the trend is not one of its own, because every
/// answer is by period anyway.
fn groupings(metric: &Metric) -> BTreeSet<Vec<Dim>> {
    metric
        .groups
        .iter()
        .map(|group| group.iter().copied().filter(|dim| *dim != Dim::Period).collect())
        .collect()
}

fn is_trend_of(group: &[Dim], by: &[Dim]) -> bool {
    group.first() == Some(&Dim::Period) && group.get(1..) == Some(by)
}

fn ask(metric: &Metric, cube: &Cube, by: &[Dim]) -> PolarsResult<Answer> {
    // The optimiser would drop a sort before a sum; but the order of adding up
    // decides the last digit, and the same data must give the same bytes.
    let frame = (metric.plan)(cube, by).with_check_order(false).collect()?;
    let periods = frame.column(PERIOD)?.u32()?.clone();
    let number = |name: &str| PolarsResult::Ok(frame.column(name)?.f64()?.clone());
    let (value, n) = (number(VALUE)?, number(N)?);
    let (numerator, denominator) = (number(NUMERATOR)?, number(DENOMINATOR)?);
    let mut keys = Vec::new();
    for dim in by {
        keys.push(frame.column(dim.name())?.str()?.clone());
    }
    let mut answer = Answer::new();
    for row in 0..frame.height() {
        let Some(period) = periods.get(row) else { continue };
        let key = keys.iter().map(|column| column.get(row).map(str::to_owned)).collect();
        let measure = Measure {
            value: value.get(row),
            numerator: numerator.get(row).unwrap_or(0.0),
            denominator: denominator.get(row).unwrap_or(0.0),
            n: n.get(row).unwrap_or(0.0),
        };
        answer.entry(period).or_default().insert(key, measure);
    }
    Ok(answer)
}

/// One answer, ready to be laid out as facts.
struct Layout<'a> {
    metric: &'static Metric,
    by: &'a [Dim],
    answer: &'a Answer,
    span: &'a Span<'a>,
}

impl Layout<'_> {
    /// The report's period, compared with the previous one.
    fn of_report(&self) -> Vec<Fact> {
        self.keys_of(0).into_iter().map(|keys| self.fact(0, true, self.group(&keys), &keys)).collect()
    }

    /// Every point of the trend, compared with the period before it if that was fetched.
    fn of_trend(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (index, period) in self.span.periods.iter().enumerate().take(self.span.points) {
            let compared = index + 1 < self.span.periods.len();
            for keys in self.keys_of(index) {
                let mut group = vec![(Dim::Period, Some(period.label()))];
                group.extend(self.group(&keys));
                facts.push(self.fact(index, compared, group, &keys));
            }
        }
        facts
    }

    fn fact(&self, index: usize, compared: bool, group: Vec<(Dim, Option<String>)>, keys: &Keys) -> Fact {
        let measure = self.measure(index, keys);
        let compared = compared && self.span.complete;
        Fact {
            metric: self.metric,
            group,
            value: measure.value,
            numerator: measure.numerator,
            denominator: measure.denominator,
            n: measure.n,
            previous: if compared { self.measure(index + 1, keys).value } else { None },
        }
    }

    fn group(&self, keys: &Keys) -> Vec<(Dim, Option<String>)> {
        self.by.iter().copied().zip(keys.iter().cloned()).collect()
    }

    /// A group that the plan does not mention is empty.
    fn measure(&self, index: usize, keys: &Keys) -> Measure {
        let found = u32::try_from(index).ok().and_then(|index| self.answer.get(&index)?.get(keys));
        let value = if self.metric.kind == Kind::Total { Some(0.0) } else { None };
        found.copied().unwrap_or(Measure { value, numerator: 0.0, denominator: 0.0, n: 0.0 })
    }

    /// The groups of a period: those with something in them, and of dimensions
    /// whose groups are known beforehand every one.
    fn keys_of(&self, index: usize) -> BTreeSet<Keys> {
        let found = u32::try_from(index).ok().and_then(|index| self.answer.get(&index));
        let mut keys: BTreeSet<Keys> = found.into_iter().flat_map(|rows| rows.keys().cloned()).collect();
        match self.by {
            [] => keys.extend([Keys::new()]),
            [Dim::Impact] => keys.extend(IMPACTS.map(|impact| vec![Some(impact.to_owned())])),
            [Dim::Day] => {
                let dates = self.span.periods.get(index).into_iter().flat_map(Period::dates);
                keys.extend(dates.map(|date| vec![Some(date.to_string())]));
            }
            _ => {}
        }
        keys
    }
}

/// Cuts frames into the span's periods.
///
/// # Errors
/// Polars refused a step: a defect, not a state of the data.
pub fn cut(frames: &Frames, span: &Span<'_>) -> Result<Cube, MetricsError> {
    Cube::new(frames, span.periods).map_err(MetricsError::of("the periods"))
}
