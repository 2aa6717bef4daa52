//! Runs every metric's plan.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;
use rayon::prelude::*;

use super::capabilities::Capabilities;
use super::dimension::{Dim, GroupKey};
use super::error::MetricsError;
use super::evaluation::Evaluation;
use super::fact::Fact;
use super::layout::{Answer, Layout, Measure};
use super::metric::{self, Grain, Metric, Plan};
use super::period_frames::{PeriodFrames, RECENT};
use super::plan::{DENOMINATOR, N, NUMERATOR, VALUE, group_keys, of, together};
use super::registry::known_to;
use super::suppress::{Rests, Suppression, is_ever_shown};
use crate::period::PeriodKind;

/// Every fact of the registry, in canonical order, from the frames of each period, in their
/// order. A suppression decides what of them is shown.
///
/// # Errors
/// Polars refused a plan: an internal error.
pub fn evaluate(
    frames: &[PeriodFrames],
    evaluation: &Evaluation<'_>,
    suppression: Option<&Suppression>,
) -> Result<Vec<Fact>, MetricsError> {
    // A plan is short and much of it is planning on one thread, so several run at the same time.
    let runs = plan_runs(evaluation);
    let facts = runs.par_iter().map(|run| run.facts(frames, evaluation, suppression));
    let facts = facts.collect::<Result<Vec<_>, MetricsError>>()?;
    let mut facts: Vec<Fact> = facts.into_iter().flatten().collect();
    facts.sort_by(Fact::canonical_order);
    Ok(facts)
}

/// Every metric with each of its groupings, the trend aside, as far as there is the
/// data; in a covered report those that it may show.
pub fn shown_groupings(evaluation: &Evaluation<'_>) -> impl Iterator<Item = (&'static Metric, Vec<Dim>)> {
    let covered = evaluation.covered;
    let is_week = evaluation.periods.first().is_some_and(|period| period.kind() == PeriodKind::Week);
    all_groupings(evaluation).filter(move |(metric, by)| !covered || is_ever_shown(metric, by, is_week))
}

/// Every metric that has a plan with each of its groupings, the trend aside, as far as there is the
/// data.
pub fn all_groupings(evaluation: &Evaluation<'_>) -> impl Iterator<Item = (&'static Metric, Vec<Dim>)> {
    let (known, has_modes) = (evaluation.capabilities, evaluation.has_modes);
    let planned = known_to(known).filter(|metric| !matches!(metric.plan, Plan::Derived));
    let all =
        planned.flat_map(move |metric| groupings(metric, known).into_iter().map(move |by| (metric, by)));
    all.filter(move |(_, by)| has_modes || !by.contains(&Dim::Mode))
}

/// Metrics that one plan works out, by the same dimensions.
struct PlanRun {
    /// One with a plan of its own, or all of one grain.
    metrics: Vec<&'static Metric>,
    by: Vec<Dim>,
    /// Whether they have a trend, and so are about all periods.
    trended: bool,
}

/// All runs. What is suppressed depends on what a metric rests on.
fn plan_runs(evaluation: &Evaluation<'_>) -> Vec<PlanRun> {
    type Key = (Grain, Option<Rests>, bool, Vec<Dim>);
    let mut shared: BTreeMap<Key, Vec<&'static Metric>> = BTreeMap::new();
    let mut own = Vec::new();
    for (metric, by) in shown_groupings(evaluation) {
        let trended = metric.groups.iter().any(|group| is_trend_of(group, &by));
        match metric.plan {
            Plan::Total(grain, _) | Plan::Ratio(grain, _) => {
                let rests = evaluation.covered.then(|| Rests::of(metric));
                shared.entry((grain, rests, trended, by)).or_default().push(metric);
            }
            Plan::Own(_) => own.push(PlanRun { metrics: vec![metric], by, trended }),
            Plan::Derived => {}
        }
    }
    let shared = shared.into_iter().map(|((_, _, trended, by), metrics)| PlanRun { metrics, by, trended });
    shared.chain(own).collect()
}

impl PlanRun {
    /// The facts of the metrics, and of their trends.
    fn facts(
        &self,
        frames: &[PeriodFrames],
        evaluation: &Evaluation<'_>,
        suppression: Option<&Suppression>,
    ) -> Result<Vec<Fact>, MetricsError> {
        let of = MetricsError::of(self.first().id);
        let shown = suppression.map(|suppression| suppression.of(self.first(), &self.by));
        let count = if self.trended { frames.len() } else { RECENT };
        let ask = |frames: &PeriodFrames| match shown {
            Some(shown) => self.ask(&frames.combining(shown.combined())?),
            None => self.ask(frames),
        };
        let answers = frames.iter().take(count).map(ask).collect::<PolarsResult<Vec<_>>>().map_err(of)?;
        let mut facts = Vec::new();
        for (place, metric) in self.metrics.iter().enumerate() {
            let own = answers.iter().map(|of_all| of_all.get(place).expect("every metric has an answer"));
            let answers = &own.collect::<Vec<_>>();
            let layout = Layout { metric, by: &self.by, answers, frames, evaluation, suppression };
            if metric.groups.contains(&self.by.as_slice()) {
                facts.extend(layout.of_report());
            }
            if self.trended {
                facts.extend(layout.of_trend());
            }
        }
        Ok(facts)
    }

    /// The answers in one period, in the order of the metrics.
    fn ask(&self, frames: &PeriodFrames) -> PolarsResult<Vec<Answer>> {
        let plan = match self.first().plan {
            Plan::Own(plan) => plan(frames, &self.by),
            // What is derived has no run.
            Plan::Derived => return Ok(Vec::new()),
            Plan::Total(grain, _) | Plan::Ratio(grain, _) => {
                let rows = match grain {
                    Grain::Session => frames.sessions(&self.by),
                    Grain::PullRequest => frames.pull_requests(&self.by),
                };
                together(rows, &self.by, &self.metrics)
            }
        };
        // The optimiser would drop a sort before a sum; but the order of adding up decides the
        // last digit, and the same data must give the same bytes.
        let frame = plan.with_check_order(false).collect()?;
        let keys = group_keys(&frame, &self.by)?;
        self.metrics.iter().map(|metric| answer(metric, &frame, &keys)).collect()
    }

    fn first(&self) -> &'static Metric {
        self.metrics.first().expect("a run asks for a metric")
    }
}

/// The groupings to ask for, as far as the dimensions are known. A trend is not one of its
/// own, because every answer is that of one period anyway.
fn groupings(metric: &Metric, known: Capabilities) -> BTreeSet<Vec<Dim>> {
    metric
        .groups
        .iter()
        .filter(|group| metric.is_known(group, known))
        .map(|group| group.iter().copied().filter(|dim| *dim != Dim::Period).collect())
        .collect()
}

fn is_trend_of(group: &[Dim], by: &[Dim]) -> bool {
    group.first() == Some(&Dim::Period) && group.get(1..) == Some(by)
}

/// A metric's answer in a frame whose groups have these keys.
fn answer(metric: &Metric, frame: &DataFrame, keys: &[GroupKey]) -> PolarsResult<Answer> {
    let number = |part: &str| frame.column(&of(metric, part))?.f64();
    let (value, n) = (number(VALUE)?, number(N)?);
    let parts = match metric.kind {
        metric::MetricKind::Ratio => Some((number(NUMERATOR)?, number(DENOMINATOR)?)),
        metric::MetricKind::Total | metric::MetricKind::Quantile => None,
    };
    let count = |counts: &Float64Chunked, at| counts.get(at).expect("a count is not null");
    let measure = |at| {
        let (numerator, denominator) = match parts {
            // The spend of a ratio may be unknown: then it is no number.
            Some((upper, lower)) => (upper.get(at).unwrap_or(f64::NAN), count(lower, at)),
            None => (0.0, 0.0),
        };
        Measure { value: value.get(at), numerator, denominator, n: count(n, at) }
    };
    Ok(keys.iter().enumerate().map(|(at, key)| (key.clone(), measure(at))).collect())
}
