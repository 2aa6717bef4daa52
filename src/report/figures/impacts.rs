//! Issues by impact: stacked by label, and as a distribution over sessions.

use std::collections::BTreeMap;

use super::{FigureInputs, FigureParts, caption, firm, in_words, table};
use crate::charts::{self, ChartError, Column, Panel, Segment, Stack, Tone};
use crate::metrics::{Dim, Fact, Facts};
use crate::report::layout::Figure;
use crate::report::names::name;
use crate::tables::normal::IMPACTS;
use crate::unit::Unit;

/// The maximum number of stacks.
const MOST_STACKS: usize = 12;
/// The bins of the histogram of issues per session.
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

/// The issues of a label by impact, in the order of [`IMPACTS`]. In reports without people a count
/// is null if there are none, or if fewer than five people have them.
pub struct LabelCounts<'a> {
    /// The label, or null.
    pub label: Option<&'a str>,
    /// Its issues.
    pub counts: [Option<f64>; IMPACTS.len()],
}

impl LabelCounts<'_> {
    /// The sum; null if one of them is null.
    pub fn total(&self) -> Option<f64> {
        self.counts.iter().copied().sum()
    }
}

/// The labels, ordered by high-impact issues, then by issues.
pub fn by_label<'a>(figure: &Figure, facts: &'a Facts) -> Vec<LabelCounts<'a>> {
    let mut labels: BTreeMap<Option<&str>, [Option<f64>; IMPACTS.len()]> = BTreeMap::new();
    for fact in facts.by(figure.metric, figure.by) {
        let counts = labels.entry(fact.key(Dim::Label).flatten()).or_default();
        let impact = fact.key(Dim::Impact).flatten();
        for (count, _) in counts.iter_mut().zip(IMPACTS).filter(|(_, name)| impact == Some(*name)) {
            *count = fact.value;
        }
    }
    let mut labels: Vec<_> =
        labels.into_iter().map(|(label, counts)| LabelCounts { label, counts }).collect();
    let high = |label: &LabelCounts<'_>| label.counts[0].unwrap_or(0.0);
    let all = |label: &LabelCounts<'_>| label.counts.iter().flatten().sum::<f64>();
    labels.sort_by(|a, b| high(b).total_cmp(&high(a)).then(all(b).total_cmp(&all(a))));
    labels
}

/// One bar a label, split by impact.
pub fn stacks(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<FigureParts, ChartError> {
    let labels = by_label(figure, inputs.facts);
    let count = |value: Option<f64>| Unit::Count.text(value);
    let stack = |label: &LabelCounts<'_>| Stack {
        name: name(Dim::Label, label.label),
        segments: (label.counts.iter().zip(IMPACTS))
            .map(|(value, impact)| Segment {
                value: value.unwrap_or(0.0),
                text: count(*value),
                tone: tone(impact),
            })
            .collect(),
        total: label.total().map(|total| count(Some(total))).unwrap_or_default(),
    };
    let shown: Vec<Stack> = labels.iter().take(MOST_STACKS).map(stack).collect();
    let words: Vec<_> = (shown.iter().zip(&labels))
        .map(|(stack, label)| {
            (stack.name.clone(), format!("{}, {} of them high", count(label.total()), count(label.counts[0])))
        })
        .collect();
    let description = in_words("Issues by label", &words);
    let legend = IMPACTS.map(|impact| (tone(impact), impact));
    let svg = charts::stacks(&caption(figure, &description), &legend, &shown)?;
    let rows = labels.iter().map(|label| {
        let numbers = label.counts.into_iter().chain([label.total()]).map(count);
        firm(std::iter::once(name(Dim::Label, label.label)).chain(numbers).collect())
    });
    let note = if inputs.facts.is_covered() { HIDDEN_PARTS } else { "" };
    let table = table(&["Label", "High", "Medium", "Low", "Other", "All"], rows);
    Ok(FigureParts { note, ..FigureParts::new(svg, table) })
}

/// A note of reports without people.
pub const HIDDEN_PARTS: &str = "Parts with fewer than five people are not shown.";

/// How many analysed sessions have this many issues of an impact; null if hidden.
pub fn of_bin(figure: &Figure, facts: &Facts, impact: &str, bin: &str) -> Option<f64> {
    let own = |fact: &&Fact| {
        fact.key(Dim::Impact).flatten() == Some(impact) && fact.key(Dim::Issues).flatten() == Some(bin)
    };
    let found = facts.by(figure.metric, figure.by).iter().find(own).and_then(|fact| fact.value);
    found.or((!facts.is_covered()).then_some(0.0))
}

/// Columns for each impact: sessions with 0, 1, 2 … such issues.
pub fn multiples(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<FigureParts, ChartError> {
    let facts = inputs.of(figure);
    let value = |impact: &str, bin: &str| of_bin(figure, inputs.facts, impact, bin);
    let column = |impact: &str, bin: &str| Column {
        label: bin.to_owned(),
        value: value(impact, bin),
        text: Unit::Count.text(value(impact, bin)),
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
    let none = |impact: &str| (format!("no issue of {impact} impact"), Unit::Count.text(value(impact, "0")));
    let description = in_words("Sessions with", &IMPACTS.map(none));
    let svg = charts::small_multiples(&caption(figure, &description), &panels)?;
    let row = |impact: &str| {
        let numbers = COUNTS.iter().map(|bin| Unit::Count.text(value(impact, bin)));
        firm(std::iter::once(impact.to_owned()).chain(numbers).collect())
    };
    let heads = ["Issues of impact", "0", "1", "2", "3", "4", "5+"];
    let note = if inputs.facts.is_covered() { HIDDEN_PARTS } else { "" };
    Ok(FigureParts { note, ..FigureParts::new(svg, table(&heads, IMPACTS.into_iter().map(row))) })
}
