//! A line over the trend's periods.

use super::{FigureInputs, FigureParts};
use crate::charts::{Chart, Point};
use crate::metrics::{Dim, Metric, SPEND, SPEND_PER_MERGED_PR};
use crate::report::layout::FigureSpec;
use crate::report::money;
use crate::report::number::is_faint;
use crate::report::table::{Role, Row, Table, Value, column};
use crate::unit::{MISSING, Unit};

/// How to read points that may still change.
const HOLLOW: &str = "Hollow: more pull requests are undecided than in the oldest period.";

pub fn draw(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
    let facts = inputs.of(figure);
    let unit = inputs.facts.unit(figure.metric);
    let spend = money::spend_metric(figure.metric).filter(|_| inputs.facts.capabilities().currency.is_some());
    let basis = figure.basis_head();
    let heads = [column(Dim::Period.head(), Role::Name), column(figure.metric.title, Role::Value)];
    let heads = heads.into_iter().chain(spend.map(|metric| column(metric.title, Role::Spend)));
    let heads: Vec<_> = heads.chain(basis.map(|head| column(head, Role::Basis))).collect();
    let is_running = !inputs.facts.is_over();
    let mut points = Vec::new();
    let mut rows = Vec::new();
    let newest = inputs.periods.first();
    for period in inputs.periods.iter().rev() {
        let label = period.label();
        let Some(fact) = facts.iter().find(|fact| fact.key(Dim::Period).flatten() == Some(&label)) else {
            // Reports without people hide points with too few people.
            let text = MISSING.to_owned();
            points.push(Point { label: period.short_name(), value: None, text, muted: true, hollow: false });
            let nothing = std::iter::repeat_n(Value::number(unit, None), heads.len() - 1);
            rows.push(Row {
                cells: std::iter::once(Value::Text(label)).chain(nothing).collect(),
                faint: true,
            });
            continue;
        };
        // A running period is not a decrease.
        let running = is_running && newest == Some(period);
        let faint = running || is_faint(fact);
        let label = if running { format!("{label} so far") } else { label };
        let money = spend.map(|_| money::spend_value(inputs.facts, fact));
        let basis = basis.map(|_| Value::count(fact.n));
        let cells = [Value::Text(label), Value::of(fact)].into_iter().chain(money).chain(basis);
        rows.push(Row { cells: cells.collect(), faint });
        let text = unit.text(fact.value);
        points.push(Point {
            label: period.short_name(),
            value: fact.value,
            text,
            muted: faint,
            hollow: fact.maturing,
        });
    }
    let description = description(figure.title, &points);
    let max = (unit == Unit::Share).then_some(1.0);
    let also: &[&Metric] = match spend.map(|metric| metric.id) {
        Some(id) if id == SPEND.id => &[&SPEND],
        Some(_) => &[&SPEND_PER_MERGED_PR],
        None => &[],
    };
    let running = if is_running { "The last point is incomplete: its period is not over." } else { "" };
    let hollow = if points.iter().any(|point| point.hollow) { HOLLOW } else { "" };
    let note = [hollow, running].join(" ").trim().to_owned();
    let table = Table { columns: heads, rows };
    FigureParts { note, also, ..FigureParts::drawn(description, Chart::Line { points, unit, max }, table) }
}

/// Newest, oldest, highest and lowest value in words.
fn description(title: &str, points: &[Point]) -> String {
    let known: Vec<(&Point, f64)> = points.iter().filter_map(|point| Some((point, point.value?))).collect();
    let by_value = |a: &&(&Point, f64), b: &&(&Point, f64)| a.1.total_cmp(&b.1);
    let (Some(oldest), Some(newest), Some(highest), Some(lowest)) =
        (known.first(), known.last(), known.iter().max_by(by_value), known.iter().min_by(by_value))
    else {
        return format!("{title}: none.");
    };
    let text = |word: &str, (point, _): &(&Point, f64)| format!("{word} {} {}", point.label, point.text);
    format!(
        "{title}, {} periods: {}, {}, {}, {}.",
        points.len(),
        text("newest", newest),
        text("oldest", oldest),
        text("highest", highest),
        text("lowest", lowest),
    )
}
