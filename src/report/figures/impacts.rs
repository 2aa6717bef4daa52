//! Issues by impact: stacked by label, and as a distribution over sessions.

use std::collections::BTreeMap;

use super::{FigureInputs, FigureParts, in_words};
use crate::charts::{Chart, Column, Panel, Segment, Stack, Tone};
use crate::metrics::{Dim, Fact, Facts};
use crate::report::layout::FigureSpec;
use crate::report::names::name;
use crate::report::table::{Role, Row, Table, Value, column};
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
struct LabelCounts<'a> {
    /// The label, or null.
    label: Option<&'a str>,
    /// Its issues.
    counts: [Option<f64>; IMPACTS.len()],
}

impl LabelCounts<'_> {
    /// The sum; null if one of them is null.
    fn total(&self) -> Option<f64> {
        self.counts.iter().copied().sum()
    }
}

/// The labels, ordered by high-impact issues, then by issues.
fn by_label<'a>(figure: &FigureSpec, facts: &'a Facts) -> Vec<LabelCounts<'a>> {
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
pub fn stacks(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
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
    let legend = IMPACTS.map(|impact| (tone(impact), impact)).to_vec();
    let row = |label: &LabelCounts<'_>| {
        let numbers = label.counts.into_iter().chain([label.total()]);
        let numbers = numbers.map(|count| Value::number(Unit::Count, count));
        let name = Value::Text(name(Dim::Label, label.label));
        Row::firm(std::iter::once(name).chain(numbers).collect())
    };
    let note = if inputs.facts.is_covered() { HIDDEN_PARTS } else { "" }.to_owned();
    let heads = ["High", "Medium", "Low", "Other", "All"].map(|head| column(head, Role::Other));
    let heads = std::iter::once(column("Label", Role::Name)).chain(heads);
    let table = Table::new(heads, labels.iter().map(row));
    let chart = Chart::Stacks { legend, stacks: shown };
    FigureParts { note, ..FigureParts::drawn(description, chart, table) }
}

/// A note of reports without people.
const HIDDEN_PARTS: &str = "Parts with fewer than five people are not shown.";

/// How many analysed sessions have this many issues of an impact; null if hidden.
fn of_bin(figure: &FigureSpec, facts: &Facts, impact: &str, bin: &str) -> Option<f64> {
    let own = |fact: &&Fact| {
        fact.key(Dim::Impact).flatten() == Some(impact) && fact.key(Dim::Issues).flatten() == Some(bin)
    };
    let found = facts.by(figure.metric, figure.by).iter().find(own).and_then(|fact| fact.value);
    found.or((!facts.is_covered()).then_some(0.0))
}

/// Columns for each impact: sessions with 0, 1, 2 … such issues.
pub fn multiples(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
    let facts = inputs.of(figure);
    let value = |impact: &str, bin: &str| of_bin(figure, inputs.facts, impact, bin);
    let drawn = |impact: &str, bin: &str| Column {
        label: bin.to_owned(),
        value: value(impact, bin),
        text: Unit::Count.text(value(impact, bin)),
        tone: tone(impact),
    };
    let panel = |impact: &str| Panel {
        title: impact.to_owned(),
        tone: tone(impact),
        columns: COUNTS.iter().map(|bin| drawn(impact, bin)).collect(),
    };
    let panels: Vec<Panel> = match facts.is_empty() {
        true => Vec::new(),
        false => IMPACTS.into_iter().map(panel).collect(),
    };
    let none = |impact: &str| (format!("no issue of {impact} impact"), Unit::Count.text(value(impact, "0")));
    let description = in_words("Sessions with", &IMPACTS.map(none));
    let row = |impact: &str| {
        let numbers = COUNTS.iter().map(|bin| Value::number(Unit::Count, value(impact, bin)));
        Row::firm(std::iter::once(Value::Text(impact.to_owned())).chain(numbers).collect())
    };
    let heads = COUNTS.map(|count| column(count, Role::Other));
    let heads = std::iter::once(column("Issues of impact", Role::Name)).chain(heads);
    let table = Table::new(heads, IMPACTS.into_iter().map(row));
    let note = if inputs.facts.is_covered() { HIDDEN_PARTS } else { "" }.to_owned();
    FigureParts { note, ..FigureParts::drawn(description, Chart::Multiples(panels), table) }
}
