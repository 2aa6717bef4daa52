//! Horizontal bars: amounts, largest first, and ratios with their basis.

use super::{FigureInputs, FigureParts, in_words};
use crate::charts::{Bar, Chart, Tone};
use crate::metrics::{ACUS, ACUS_SPLIT, Dim, Fact, Metric, MetricKind, SMALL_GROUP, SPEND, SPEND_SPLIT};
use crate::report::layout::FigureSpec;
use crate::report::number::is_faint;
use crate::report::table::{Role, Row, Table, TableColumn, Value, column};
use crate::report::{money, names};
use crate::tables::normal::{IMPACTS, STATES};
use crate::unit::{Unit, count};

/// The vendor's sizes of a session, smallest first.
pub const SIZES: [&str; 5] = ["xs", "s", "m", "l", "xl"];
/// The maximum number of bars.
const MOST_BARS: usize = 15;

/// Counts and sums, largest first; impacts, states and sizes in their fixed order.
pub fn amounts(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
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
            name: rest_name(dim, rest),
            value: Some(sum),
            text: unit.text(Some(sum)),
            note: total_spend(inputs, rest),
            tone: Tone::Rest,
            muted: false,
        });
    }
    let table = amounts_table(figure, inputs);
    let split = is_split(figure, inputs);
    let priced = money::spend_head(inputs.facts, figure.metric).is_some();
    let also: &[&Metric] = match (split, priced) {
        (true, true) => &[&SPEND, &ACUS_SPLIT, &SPEND_SPLIT],
        (true, false) => &[&ACUS_SPLIT],
        (false, true) => &[&SPEND],
        (false, false) => &[],
    };
    FigureParts { also, ..finish(figure, bars, None, table) }
}

/// The name of the bar of all groups that have none.
fn rest_name(dim: Dim, rest: &[&Fact]) -> String {
    let named = rest.iter().filter(|fact| fact.key(dim).flatten().is_some()).count();
    let others = format!("{named} other {}", dim.plural());
    if named == rest.len() { others } else { format!("{others} and {}", dim.none()) }
}

/// The numbers of [`amounts`], in their order.
pub fn amounts_table(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> Table {
    let mut facts = inputs.of(figure);
    let dim = dimension(figure);
    rank(dim, &mut facts);
    let spend = money::spend_head(inputs.facts, figure.metric);
    let split = is_split(figure, inputs);
    let basis = figure.basis_head();
    let nothing = || Value::number(Unit::Count, None);
    let row = |fact: &&Fact| {
        let name = Value::Text(names::of(inputs.facts, dim, fact.key(dim).flatten()));
        let mut cells = vec![name, Value::of(fact)];
        cells.extend(spend.map(|_| money::spend_value(inputs.facts, fact)));
        if split {
            let own = inputs.facts.sibling(fact, &ACUS_SPLIT);
            cells.push(own.map_or_else(nothing, Value::of));
            cells
                .extend(spend.map(|_| own.map_or_else(nothing, |own| money::spend_value(inputs.facts, own))));
        }
        cells.extend(basis.map(|_| Value::count(fact.n)));
        cells.extend(inputs.against.as_ref().map(|_| Value::change(fact, inputs.scale)));
        Row::firm(cells)
    };
    let columns = [column(dim.head(), Role::Name), column(figure.metric.title, Role::Value)]
        .into_iter()
        .chain(spend.map(|head| column(head, Role::Spend)))
        .chain(split.then(|| column("Split", Role::Other)))
        .chain(spend.filter(|_| split).map(|_| column("Spend, split", Role::Other)))
        .chain(basis.map(|head| column(head, Role::Basis)))
        .chain(against(figure, inputs));
    Table::new(columns, facts.iter().map(row))
}

/// Whether a column shows ACUs shared out among tags.
fn is_split(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> bool {
    figure.metric.id == ACUS.id && dimension(figure) == Dim::Tag && !inputs.facts.is_covered()
}

/// Orders amounts.
fn rank(dim: Dim, facts: &mut [&Fact]) {
    facts.sort_by(|a, b| {
        let value = |fact: &Fact| fact.value.unwrap_or(0.0);
        (place(dim, a).cmp(&place(dim, b))).then(value(b).total_cmp(&value(a)))
    });
}

/// Ratios, those with the largest basis first.
pub fn rates(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
    let mut facts = inputs.of(figure);
    let dim = dimension(figure);
    facts.sort_by(|a, b| b.n.total_cmp(&a.n));
    // Null rates have no bar; the table contains them.
    let shown = facts.iter().filter(|fact| fact.value.is_some()).take(MOST_BARS);
    let of = |fact: &Fact| format!("{} of {}", count(fact.numerator()), count(fact.denominator()));
    let bars: Vec<Bar> = shown.map(|fact| bar(inputs, dim, fact, Some(of(fact)))).collect();
    let row = |fact: &&Fact| {
        let name = Value::Text(names::of(inputs.facts, dim, fact.key(dim).flatten()));
        let parts = [fact.numerator(), fact.denominator()].map(Value::count);
        let change = inputs.against.as_ref().map(|_| Value::change(fact, inputs.scale));
        let cells = [name, Value::of(fact)].into_iter().chain(parts).chain(change);
        Row { cells: cells.collect(), faint: is_faint(fact) }
    };
    let columns = [
        column(dim.head(), Role::Name),
        column(figure.metric.title, Role::Value),
        column("Merged", Role::Other),
        column("Decided", Role::Basis),
    ];
    let table = Table::new(columns.into_iter().chain(against(figure, inputs)), facts.iter().map(row));
    finish(figure, bars, Some(1.0), table)
}

/// The column of changes, if the report compares periods.
fn against(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> Option<TableColumn> {
    let role = Role::Change { is_share: figure.metric.unit == Unit::Share };
    inputs.against.as_ref().map(|against| column(against, role))
}

fn finish(figure: &FigureSpec, bars: Vec<Bar>, max: Option<f64>, table: Table) -> FigureParts {
    let text = |bar: &Bar| match &bar.note {
        Some(note) => format!("{} ({note})", bar.text),
        None => bar.text.clone(),
    };
    let words: Vec<_> = bars.iter().map(|bar| (bar.name.clone(), text(bar))).collect();
    let description = in_words(figure.title, &words);
    FigureParts::drawn(description, Chart::Bars { bars, max }, table)
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
        muted: fact.metric.kind == MetricKind::Ratio && is_faint(fact),
    }
}

/// The dimension of a figure's groups.
fn dimension(figure: &FigureSpec) -> Dim {
    *figure.by.last().expect("the layout gives every such figure a dimension")
}

/// Whether groups are disjoint, so that they can be summed.
fn adds_up(dim: Dim) -> bool {
    !matches!(dim, Dim::Tag | Dim::Label)
}

/// The position of a group with a fixed order; equal for all others.
pub(super) fn place(dim: Dim, fact: &Fact) -> usize {
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
