//! Runs every metric's plan.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::*;

use super::answers::{Answer, Layout, Measure};
use super::cube::Cube;
use super::facts::Fact;
use super::metric::{self, Dim, Grain, Known, Metric, Plan};
use super::plan::{DENOMINATOR, GROUP, N, NUMERATOR, VALUE, of, together};
use super::suppress::{Rests, Suppression, is_ever_shown};
use super::{Allowance, MetricsError, known_to};
use crate::money::Prices;
use crate::period::{Period, PeriodKind};

/// What the facts are about.
pub struct Span<'a> {
    /// Newest first: the report's period, the previous one, and the trend's others.
    pub periods: &'a [Period],
    /// How many of them, from the first, are points of the trend.
    pub points: usize,
    /// Whether the report's period was over: only then it is compared.
    pub complete: bool,
    /// Which of the periods the source covers wholly: no other is compared.
    pub reached: &'a [bool],
    /// What there is to know.
    pub known: Known,
    /// What an ACU costs.
    pub prices: Option<&'a Prices>,
    /// What may be spent in months or billing cycles; none without a budget.
    pub allowance: Option<Allowance>,
    /// Whether the report is covered: no number in it is about fewer than five people.
    pub covered: bool,
}

impl Span<'_> {
    /// Whether a period may be compared with the one before it, if that was fetched.
    pub fn compares(&self, index: usize) -> bool {
        let reached = |index: usize| self.reached.get(index).is_some_and(|reached| *reached);
        self.complete && reached(index) && reached(index + 1)
    }
}

/// Every fact of the registry, in canonical order: those that have a trend from
/// all periods, the others from the recent ones of the same cube. A suppression
/// decides what of them is shown.
///
/// # Errors
/// Polars refused a plan: an internal error.
pub fn evaluate(
    cube: &Cube,
    recent: &Cube,
    span: &Span<'_>,
    suppression: Option<&Suppression>,
) -> Result<Vec<Fact>, MetricsError> {
    let questions = questions(span);
    // A plan is short and much of it is planning, which one thread does alone:
    // several are worked on side by side.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut facts = Vec::new();
        while let Some(question) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cube = if question.trended { cube } else { recent };
            facts.extend(question.facts(cube, span, suppression)?);
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

/// Every metric with each of its groupings, the trend aside, as far as there is the
/// data; in a covered report those that it may show.
pub fn shown_groupings(span: &Span<'_>) -> impl Iterator<Item = (&'static Metric, Vec<Dim>)> {
    let covered = span.covered;
    let is_week = span.periods.first().is_some_and(|period| period.kind() == PeriodKind::Week);
    all_groupings(span).filter(move |(metric, by)| !covered || is_ever_shown(metric, by, is_week))
}

/// Every metric with each of its groupings, the trend aside, as far as there is the data.
pub fn all_groupings(span: &Span<'_>) -> impl Iterator<Item = (&'static Metric, Vec<Dim>)> {
    let known = span.known;
    known_to(known).flat_map(move |metric| groupings(metric, known).into_iter().map(move |by| (metric, by)))
}

/// Metrics that one plan works out, by the same dimensions.
struct Question {
    /// One with a plan of its own, or all of one grain.
    metrics: Vec<&'static Metric>,
    by: Vec<Dim>,
    /// Whether they have a trend, and so are about all periods.
    trended: bool,
}

/// All that there is to ask. What is suppressed depends on what a metric rests on.
fn questions(span: &Span<'_>) -> Vec<Question> {
    type Key = (Grain, Option<Rests>, bool, Vec<Dim>);
    let mut shared: BTreeMap<Key, Vec<&'static Metric>> = BTreeMap::new();
    let mut own = Vec::new();
    for (metric, by) in shown_groupings(span) {
        let trended = metric.groups.iter().any(|group| is_trend_of(group, &by));
        match metric.plan {
            Plan::Total(grain, _) | Plan::Ratio(grain, _) => {
                let rests = span.covered.then(|| Rests::of(metric));
                shared.entry((grain, rests, trended, by)).or_default().push(metric);
            }
            Plan::Own(_) => own.push(Question { metrics: vec![metric], by, trended }),
        }
    }
    let shared = shared.into_iter().map(|((_, _, trended, by), metrics)| Question { metrics, by, trended });
    shared.chain(own).collect()
}

impl Question {
    /// The facts of the metrics, and of their trends.
    fn facts(
        &self,
        cube: &Cube,
        span: &Span<'_>,
        suppression: Option<&Suppression>,
    ) -> Result<Vec<Fact>, MetricsError> {
        let mut facts = Vec::new();
        let Some(first) = self.metrics.first() else { return Ok(facts) };
        let shown = suppression.map(|suppression| suppression.of(first, &self.by));
        let suppressed = shown.map(|shown| cube.suppressed(shown)).transpose();
        let suppressed = suppressed.map_err(MetricsError::of(first.id))?;
        let cube = suppressed.as_ref().unwrap_or(cube);
        for (metric, answer) in self.ask(cube).map_err(MetricsError::of(first.id))? {
            let layout = Layout { metric, by: &self.by, answer: &answer, cube, span, suppression };
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
        .filter(|group| known.tells(metric, group))
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
        metric::Kind::Ratio => (Some(number(NUMERATOR)?), Some(number(DENOMINATOR)?)),
        metric::Kind::Total | metric::Kind::Quantile => (None, None),
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
