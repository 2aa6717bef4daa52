//! A line over the trend's periods.

use super::{FigureInputs, FigureParts, caption, table};
use crate::charts::{self, ChartError, Point};
use crate::metrics::{Dim, Metric, SPEND, SPEND_PER_MERGED_PR};
use crate::report::layout::Figure;
use crate::report::view::TableRow;
use crate::report::{change, is_over, money};
use crate::unit::{MISSING, Unit, count};

pub fn draw(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<FigureParts, ChartError> {
    let facts = inputs.of(figure);
    let unit = inputs.facts.unit(figure.metric);
    let spend = money::spend_metric(figure.metric).filter(|_| inputs.facts.capabilities.currency.is_some());
    let heads: Vec<&str> = [Dim::Period.head(), figure.metric.title]
        .into_iter()
        .chain(spend.map(|metric| metric.title))
        .chain([figure.metric.basis.head()])
        .collect();
    let is_running = !is_over(inputs.facts);
    let mut points = Vec::new();
    let mut rows = Vec::new();
    let newest = inputs.periods.first();
    for period in inputs.periods.iter().rev() {
        let label = period.label();
        let Some(fact) = facts.iter().find(|fact| fact.key(Dim::Period).flatten() == Some(&label)) else {
            // Reports without people hide points with too few people.
            let text = MISSING.to_owned();
            points.push(Point { label: period.short_name(), value: None, text: text.clone(), muted: true });
            let cells = std::iter::once(label).chain(std::iter::repeat_n(text, heads.len() - 1));
            rows.push(TableRow { cells: cells.collect(), faint: true });
            continue;
        };
        let text = unit.text(fact.value);
        // A running period is not a decrease.
        let running = is_running && newest == Some(period);
        let faint = running || change::faint(fact);
        let label = if running { format!("{label} so far") } else { label };
        let money = money::spend_text(inputs.facts, fact);
        let cells = [label, text.clone()].into_iter().chain(money).chain([count(fact.n)]);
        rows.push(TableRow { cells: cells.collect(), faint });
        points.push(Point { label: period.short_name(), value: fact.value, text, muted: faint });
    }
    let description = description(figure.title, &points);
    let max = (unit == Unit::Share).then_some(1.0);
    let svg = charts::line(&caption(figure, &description), &points, &|value| unit.tick(value), max)?;
    let also: &[&Metric] = match spend.map(|metric| metric.id) {
        Some(id) if id == SPEND.id => &[&SPEND],
        Some(_) => &[&SPEND_PER_MERGED_PR],
        None => &[],
    };
    let note = if is_running { "The last point is so far: its period is not over." } else { "" };
    Ok(FigureParts { note, also, ..FigureParts::new(svg, table(&heads, rows.into_iter())) })
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
