//! A line over the trend's periods.

use super::{Drawn, Source, frame, table};
use crate::charts::{self, ChartError, Point};
use crate::metrics::{Dim, Metric, SPEND, SPEND_PER_MERGED_PR};
use crate::report::layout::Figure;
use crate::report::view::Row;
use crate::report::{change, money, names};
use crate::unit::{MISSING, Unit};

pub fn draw(figure: &Figure, source: &Source<'_>) -> Result<Drawn, ChartError> {
    let facts = source.of(figure);
    let unit = source.facts.unit(figure.metric);
    let worth = money::companion(figure.metric).filter(|_| source.facts.capabilities.currency.is_some());
    let heads: Vec<&str> = [names::head(Dim::Period), figure.metric.title]
        .into_iter()
        .chain(worth.map(|metric| metric.title))
        .chain([figure.metric.basis.head()])
        .collect();
    let is_running = source.facts.period.complete == Some(false);
    let mut points = Vec::new();
    let mut rows = Vec::new();
    let newest = source.periods.first();
    for period in source.periods.iter().rev() {
        let label = period.label();
        let Some(fact) = facts.iter().find(|fact| fact.key(Dim::Period).flatten() == Some(&label)) else {
            // A covered report leaves out points with too few people.
            let text = MISSING.to_owned();
            points.push(Point { label: period.short_name(), value: None, text: text.clone(), muted: true });
            let cells = std::iter::once(label).chain(std::iter::repeat_n(text, heads.len() - 1));
            rows.push(Row { cells: cells.collect(), faint: true });
            continue;
        };
        let text = unit.text(fact.value);
        // A period that is still running is no fall.
        let running = is_running && newest == Some(period);
        let faint = running || change::faint(fact);
        let label = if running { format!("{label} so far") } else { label };
        let money = money::text(source.facts, fact);
        let cells = [label, text.clone()].into_iter().chain(money).chain([Unit::Count.text(Some(fact.n))]);
        rows.push(Row { cells: cells.collect(), faint });
        points.push(Point { label: period.short_name(), value: fact.value, text, muted: faint });
    }
    let description = description(figure.title, &points);
    let max = (unit == Unit::Share).then_some(1.0);
    let svg = charts::line(&frame(figure, &description), &points, &|value| unit.tick(value), max)?;
    let also: &[&Metric] = match worth.map(|metric| metric.id) {
        Some(id) if id == SPEND.id => &[&SPEND],
        Some(_) => &[&SPEND_PER_MERGED_PR],
        None => &[],
    };
    let note = if is_running { "The last point is so far: its period is not over." } else { "" };
    Ok(Drawn { note, also, ..Drawn::new(svg, table(&heads, rows.into_iter())) })
}

/// In words: where the line ends, where it began, and how far it went.
fn description(title: &str, points: &[Point]) -> String {
    let known = || points.iter().filter(|point| point.value.is_some());
    let value = |point: &&Point| point.value.unwrap_or(0.0);
    let told = |word: &str, point: Option<&Point>| {
        point.map(|point| format!("{word} {} {}", point.label, point.text)).unwrap_or_default()
    };
    if known().count() == 0 {
        return format!("{title}: none.");
    }
    format!(
        "{title}, {} periods: {}, {}, {}, {}.",
        points.len(),
        told("newest", known().next_back()),
        told("oldest", known().next()),
        told("highest", known().max_by(|a, b| value(a).total_cmp(&value(b)))),
        told("lowest", known().min_by(|a, b| value(a).total_cmp(&value(b)))),
    )
}
