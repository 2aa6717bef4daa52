//! A line over the trend's periods.

use super::{Drawn, Source, frame, in_words, table};
use crate::charts::{self, ChartError, Point};
use crate::metrics::Dim;
use crate::report::layout::Figure;
use crate::report::names;
use crate::unit::Unit;

pub fn draw(figure: &Figure, source: &Source<'_>) -> Result<Drawn, ChartError> {
    let facts = source.of(figure);
    let unit = figure.metric.unit;
    let mut points = Vec::new();
    let mut rows = Vec::new();
    for period in source.periods.iter().rev() {
        let label = period.label();
        let Some(fact) = facts.iter().find(|fact| fact.key(Dim::Period).flatten() == Some(&label)) else {
            continue;
        };
        let text = unit.text(fact.value);
        rows.push(vec![label, text.clone(), Unit::Count.text(Some(fact.n))]);
        points.push(Point { label: period.short_name(), value: fact.value, text });
    }
    let words: Vec<_> = points.iter().rev().map(|point| (point.label.clone(), point.text.clone())).collect();
    let description = in_words(figure.title, &words);
    let max = (unit == Unit::Share).then_some(1.0);
    let svg = charts::line(&frame(figure, &description), &points, &|value| unit.text(Some(value)), max)?;
    let heads = [names::head(Dim::Period), figure.metric.title, figure.metric.basis.head()];
    Ok(Drawn { svg, table: table(&heads, rows) })
}
