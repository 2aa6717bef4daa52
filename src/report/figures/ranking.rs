//! Horizontal bars: amounts, largest first, and ratios with their basis.

use super::{FigureInputs, FigureParts, caption, firm, in_words, table};
use crate::charts::{self, Bar, ChartError, Tone};
use crate::metrics::{ACUS, ACUS_SPLIT, Dim, Fact, Metric, MetricKind, SMALL_GROUP, SPEND, SPEND_SPLIT};
use crate::report::layout::Figure;
use crate::report::view::TableRow;
use crate::report::{change, money, names};
use crate::tables::normal::{IMPACTS, STATES};
use crate::unit::count;

/// The vendor's sizes of a session, smallest first.
pub const SIZES: [&str; 5] = ["xs", "s", "m", "l", "xl"];
/// The maximum number of bars.
const MOST_BARS: usize = 15;

/// Counts and sums, largest first; impacts, states and sizes in their fixed order.
pub fn amounts(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<FigureParts, ChartError> {
    let mut facts = inputs.of(figure);
    let dim = dimension(figure);
    rank(dim, &mut facts);
    let unit = inputs.facts.unit(figure.metric);
    let (shown, rest) = facts.split_at(facts.len().min(MOST_BARS));
    let spend = |fact: &Fact| money::spend_text(inputs.facts, fact);
    let mut bars: Vec<Bar> = shown.iter().map(|fact| bar(inputs, dim, fact, spend(fact))).collect();
    if !rest.is_empty() && adds_up(dim) {
        let sum = rest.iter().filter_map(|fact| fact.value).sum();
        bars.push(Bar {
            name: format!("{} other {}", rest.len(), dim.plural()),
            value: Some(sum),
            text: unit.text(Some(sum)),
            note: total_spend(inputs, rest),
            tone: Tone::Rest,
            muted: false,
        });
    }
    // The basis of a number of pull requests is itself.
    let basis = Some(figure.metric.basis.head()).filter(|head| *head != figure.metric.title);
    let split = figure.metric.id == ACUS.id && dim == Dim::Tag && !inputs.facts.is_covered();
    let row = |fact: &&Fact| {
        let key = fact.key(dim).flatten();
        let mut cells = vec![names::of(inputs.facts, dim, key), unit.text(fact.value)];
        cells.extend(spend(fact));
        if split {
            let own = inputs.facts.sibling(fact, &ACUS_SPLIT);
            cells.push(unit.text(own.and_then(|share| share.value)));
            cells.extend(own.and_then(spend));
        }
        cells.extend(basis.map(|_| count(fact.n)));
        cells.extend(against(inputs, fact));
        firm(cells)
    };
    let rows = facts.iter().map(row);
    let heads: Vec<&str> = [dim.head(), figure.metric.title]
        .into_iter()
        .chain(money::spend_head(inputs.facts, figure.metric))
        .chain(split.then_some("Split"))
        .chain(money::spend_head(inputs.facts, &ACUS_SPLIT).filter(|_| split).map(|_| "Spend, split"))
        .chain(basis)
        .chain(inputs.against.as_deref())
        .collect();
    let priced = money::spend_head(inputs.facts, figure.metric).is_some();
    let also: &[&Metric] = match (split, priced) {
        (true, true) => &[&SPEND, &ACUS_SPLIT, &SPEND_SPLIT],
        (true, false) => &[&ACUS_SPLIT],
        (false, true) => &[&SPEND],
        (false, false) => &[],
    };
    Ok(FigureParts { also, ..finish(figure, &bars, None, &heads, rows)? })
}

/// Orders amounts.
pub fn rank(dim: Dim, facts: &mut [&Fact]) {
    facts.sort_by(|a, b| {
        let value = |fact: &Fact| fact.value.unwrap_or(0.0);
        (place(dim, a).cmp(&place(dim, b))).then(value(b).total_cmp(&value(a)))
    });
}

/// Ratios, those with the largest basis first.
pub fn rates(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<FigureParts, ChartError> {
    let mut facts = inputs.of(figure);
    let dim = dimension(figure);
    facts.sort_by(|a, b| b.n.total_cmp(&a.n));
    // Null rates have no bar; the table contains them.
    let shown = facts.iter().filter(|fact| fact.value.is_some()).take(MOST_BARS);
    let of = |fact: &Fact| format!("{} of {}", count(fact.numerator), count(fact.denominator));
    let bars: Vec<Bar> = shown.map(|fact| bar(inputs, dim, fact, Some(of(fact)))).collect();
    let row = |fact: &&Fact| {
        let mut cells = vec![
            names::of(inputs.facts, dim, fact.key(dim).flatten()),
            fact.unit.text(fact.value),
            count(fact.numerator),
            count(fact.denominator),
        ];
        cells.extend(against(inputs, fact));
        TableRow { cells, faint: change::faint(fact) }
    };
    let rows = facts.iter().map(row);
    let heads: Vec<&str> = [dim.head(), figure.metric.title, "Merged", "Decided"]
        .into_iter()
        .chain(inputs.against.as_deref())
        .collect();
    finish(figure, &bars, Some(1.0), &heads, rows)
}

/// The change of a row, if the table has such a column.
fn against(inputs: &FigureInputs<'_>, fact: &Fact) -> Option<String> {
    inputs.against.as_ref().map(|_| change::signed(fact))
}

fn finish(
    figure: &Figure,
    bars: &[Bar],
    max: Option<f64>,
    heads: &[&str],
    rows: impl ExactSizeIterator<Item = TableRow>,
) -> Result<FigureParts, ChartError> {
    let text = |bar: &Bar| match &bar.note {
        Some(note) => format!("{} ({note})", bar.text),
        None => bar.text.clone(),
    };
    let words: Vec<_> = bars.iter().map(|bar| (bar.name.clone(), text(bar))).collect();
    let description = in_words(figure.title, &words);
    Ok(FigureParts::new(charts::bars(&caption(figure, &description), bars, max)?, table(heads, rows)))
}

/// The spend of several groups; `None` if one is unknown.
fn total_spend(inputs: &FigureInputs<'_>, facts: &[&Fact]) -> Option<String> {
    let spend = facts.iter().map(|fact| money::spend_fact(inputs.facts, fact));
    let (mut sum, mut unit) = (0.0, None);
    for fact in spend {
        sum += fact?.value?;
        unit = Some(fact?.unit);
    }
    Some(unit?.text(Some(sum)))
}

fn bar(inputs: &FigureInputs<'_>, dim: Dim, fact: &Fact, note: Option<String>) -> Bar {
    let key = fact.key(dim).flatten();
    Bar {
        name: names::of(inputs.facts, dim, key),
        value: fact.value,
        text: fact.unit.text(fact.value),
        note,
        tone: tone(dim, key),
        muted: fact.metric.kind == MetricKind::Ratio && change::faint(fact),
    }
}

/// The dimension of a figure's groups.
pub fn dimension(figure: &Figure) -> Dim {
    *figure.by.last().expect("the layout gives every such figure a dimension")
}

/// Whether groups are disjoint, so that they can be summed.
fn adds_up(dim: Dim) -> bool {
    !matches!(dim, Dim::Tag | Dim::Label)
}

/// The position of a group with a fixed order; equal for all others.
fn place(dim: Dim, fact: &Fact) -> usize {
    let order: &[&str] = match dim {
        Dim::Impact => &IMPACTS,
        Dim::State => &STATES,
        Dim::Size => &SIZES,
        _ => return 0,
    };
    // Anything else, such as a combined group, comes last.
    order.iter().position(|key| fact.key(dim).flatten() == Some(*key)).unwrap_or(order.len())
}

fn tone(dim: Dim, key: Option<&str>) -> Tone {
    match (dim, key) {
        (Dim::Impact, Some(impact)) => super::impacts::tone(impact),
        (Dim::State, Some("merged")) => Tone::Merged,
        (Dim::State, Some("closed")) => Tone::Closed,
        (Dim::State, Some("open")) => Tone::Open,
        (Dim::State, Some("draft")) => Tone::Draft,
        (Dim::State, _) => Tone::Unknown,
        (_, None | Some(SMALL_GROUP)) | (Dim::Repo, Some("unknown")) => Tone::Rest,
        _ => Tone::Accent,
    }
}
