//! Issues by impact: stacked by label, and how many a session has.

use std::collections::BTreeMap;

use super::{Drawn, Source, firm, frame, in_words, table};
use crate::charts::{self, ChartError, Column, Panel, Part, Stack, Tone};
use crate::frame::normal::IMPACTS;
use crate::metrics::Dim;
use crate::report::layout::Figure;
use crate::report::names::name;
use crate::unit::Unit;

/// The most stacks that a reader takes in.
const MOST_STACKS: usize = 12;
/// The bins of the histogram of issues a session.
const COUNTS: [&str; 6] = ["0", "1", "2", "3", "4", "5+"];

/// The tone of an impact.
pub fn tone(impact: &str) -> Tone {
    match impact {
        "high" => Tone::High,
        "medium" => Tone::Medium,
        "low" => Tone::Low,
        _ => Tone::Other,
    }
}

/// One bar a label, cut by impact.
pub fn stacks(figure: &Figure, source: &Source<'_>) -> Result<Drawn, ChartError> {
    let mut labels: BTreeMap<Option<&str>, [f64; 4]> = BTreeMap::new();
    for fact in source.facts.by(figure.metric, figure.by) {
        let counts = labels.entry(fact.key(Dim::Label).flatten()).or_default();
        let impact = fact.key(Dim::Impact).flatten().unwrap_or_default();
        for (count, _) in counts.iter_mut().zip(IMPACTS).filter(|(_, name)| *name == impact) {
            *count = fact.value.unwrap_or(0.0);
        }
    }
    let mut labels: Vec<_> = labels.into_iter().collect();
    labels.sort_by(|(_, a), (_, b)| {
        let total = |counts: &[f64; 4]| counts.iter().sum::<f64>();
        b[0].total_cmp(&a[0]).then(total(b).total_cmp(&total(a)))
    });
    let count = |value: f64| Unit::Count.text(Some(value));
    let stack = |(label, counts): &(Option<&str>, [f64; 4])| Stack {
        name: name(Dim::Label, *label),
        parts: (counts.iter().zip(IMPACTS))
            .map(|(value, impact)| Part { value: *value, text: count(*value), tone: tone(impact) })
            .collect(),
        total: count(counts.iter().sum()),
    };
    let shown: Vec<Stack> = labels.iter().take(MOST_STACKS).map(stack).collect();
    let words: Vec<_> = (shown.iter().zip(&labels))
        .map(|(stack, (_, counts))| {
            (stack.name.clone(), format!("{}, {} of them high", stack.total, count(counts[0])))
        })
        .collect();
    let description = in_words("Issues by label", &words);
    let legend = IMPACTS.map(|impact| (tone(impact), impact));
    let svg = charts::stacks(&frame(figure, &description), &legend, &shown)?;
    let rows = labels.iter().map(|(label, counts)| {
        let numbers = counts.iter().copied().chain([counts.iter().sum()]).map(count);
        firm(std::iter::once(name(Dim::Label, *label)).chain(numbers).collect())
    });
    Ok(Drawn::new(svg, table(&["Label", "High", "Medium", "Low", "Other", "All"], rows)))
}

/// A row of columns for each impact: sessions with 0, 1, 2 … such issues.
pub fn multiples(figure: &Figure, source: &Source<'_>) -> Result<Drawn, ChartError> {
    let facts = source.of(figure);
    let value = |impact: &str, bin: &str| {
        let own = |fact: &&&crate::metrics::Fact| {
            fact.key(Dim::Impact).flatten() == Some(impact) && fact.key(Dim::Issues).flatten() == Some(bin)
        };
        facts.iter().find(own).and_then(|fact| fact.value).unwrap_or(0.0)
    };
    let column = |impact: &str, bin: &str| Column {
        label: bin.to_owned(),
        value: Some(value(impact, bin)),
        text: Unit::Count.text(Some(value(impact, bin))),
        tone: tone(impact),
    };
    let panel = |impact: &str| Panel {
        title: impact.to_owned(),
        tone: tone(impact),
        columns: COUNTS.iter().map(|bin| column(impact, bin)).collect(),
    };
    let panels: Vec<Panel> = match facts.is_empty() {
        true => Vec::new(),
        false => IMPACTS.into_iter().map(panel).collect(),
    };
    let none =
        |impact: &str| (format!("no issue of {impact} impact"), Unit::Count.text(Some(value(impact, "0"))));
    let description = in_words("Sessions with", &IMPACTS.map(none));
    let svg = charts::small_multiples(&frame(figure, &description), &panels)?;
    let row = |impact: &str| {
        let numbers = COUNTS.iter().map(|bin| Unit::Count.text(Some(value(impact, bin))));
        firm(std::iter::once(impact.to_owned()).chain(numbers).collect())
    };
    let heads = ["Issues of impact", "0", "1", "2", "3", "4", "5+"];
    Ok(Drawn::new(svg, table(&heads, IMPACTS.into_iter().map(row))))
}
