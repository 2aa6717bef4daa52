//! The figures of the page as complete tables.

use super::table::{CHANGES, Cell, NumberFormat, SheetRow, SheetTable, changes, count, text, value};
use crate::metrics::*;
use crate::report::change::faint;
use crate::report::figures::funnel::STEPS;
use crate::report::figures::impacts::{LabelCounts, by_label, of_bin};
use crate::report::figures::ranking::{dimension, rank};
use crate::report::figures::teams;
use crate::report::figures::{FigureInputs, table_note};
use crate::report::layout::{Figure, FigureKind};
use crate::report::{money, names};
use crate::tables::normal::IMPACTS;
use crate::unit::Unit;

/// The bins of the histogram of issues per session.
const COUNTS: [&str; 6] = ["0", "1", "2", "3", "4", "5+"];

/// A group's name.
pub fn name_cell(facts: &Facts, dim: Dim, key: Option<&str>) -> Cell {
    text(&names::of(facts, dim, key))
}

/// A figure's table.
pub fn table(figure: &Figure, inputs: &FigureInputs<'_>) -> SheetTable {
    let (heads, rows) = match figure.kind {
        FigureKind::Funnel => funnel(inputs.facts),
        FigureKind::Stacks => stacks(figure, inputs.facts),
        FigureKind::Multiples => multiples(figure, inputs.facts),
        FigureKind::Labels if !inputs.facts.is_covered() => labels(inputs),
        FigureKind::Teams => teams(inputs.facts),
        FigureKind::Columns
        | FigureKind::Ranking
        | FigureKind::Rates
        | FigureKind::Trend
        | FigureKind::Labels => groups(figure, inputs),
    };
    let note = table_note(figure, inputs.facts);
    SheetTable {
        name: figure.id.replace('-', "_"),
        title: figure.title,
        // Notes about the look of bars do not apply to tables.
        note: if note.starts_with("Pale") { String::new() } else { note.to_owned() },
        heads: heads.into_iter().map(str::to_owned).collect(),
        rows,
    }
}

type Rows = (Vec<&'static str>, Vec<SheetRow>);

/// One row a group: value, basis and previous value.
fn groups(figure: &Figure, inputs: &FigureInputs<'_>) -> Rows {
    let metric = figure.metric;
    let dim = dimension(figure);
    let facts = in_order(figure, inputs);
    let is_rate = figure.kind == FigureKind::Rates;
    let is_split = metric.id == ACUS.id && dim == Dim::Tag && !inputs.facts.is_covered();
    let is_compared = inputs.against.is_some()
        && matches!(figure.kind, FigureKind::Ranking | FigureKind::Rates | FigureKind::Labels);
    let basis = metric.basis.head();
    let title = if dim == Dim::Bin { SESSIONS.title } else { metric.title };
    // A number that is its own basis is not repeated.
    let is_based = !is_rate && basis != title;
    // Spend is beside ACUs.
    let spend = |fact: &Fact| money::spend_fact(inputs.facts, fact).map(|fact| value(fact.unit, fact.value));
    let nothing = || Cell::Number { value: None, format: NumberFormat::Percent };
    let priced = money::spend_head(inputs.facts, metric);
    let mut heads = vec![dim.head(), title];
    heads.extend(priced);
    heads.extend(is_split.then_some("Split"));
    heads.extend(priced.filter(|_| is_split).map(|_| "Spend, split"));
    heads.extend(is_rate.then_some(["Merged", "Decided"]).into_iter().flatten());
    heads.extend(is_based.then_some(basis));
    // A share has no change in percent.
    let told = if metric.unit == Unit::Share { 2 } else { CHANGES.len() };
    heads.extend(CHANGES.into_iter().take(told).filter(|_| is_compared));
    let row = |fact: &&Fact| {
        let key = fact.key(dim).flatten();
        let mut cells = vec![name_cell(inputs.facts, dim, key), value(fact.unit, fact.value)];
        cells.extend(priced.map(|_| spend(fact).unwrap_or_else(nothing)));
        if is_split {
            let own = inputs.facts.sibling(fact, &ACUS_SPLIT);
            cells.push(value(fact.unit, own.and_then(|share| share.value)));
            cells.extend(priced.map(|_| own.and_then(spend).unwrap_or_else(nothing)));
        }
        if is_rate {
            cells.extend([count(fact.numerator), count(fact.denominator)]);
        }
        cells.extend(is_based.then(|| count(fact.n)));
        if is_compared {
            cells.extend(changes(fact.unit, fact.value, fact.previous).into_iter().take(told));
        }
        SheetRow { cells, faint: faint(fact) }
    };
    (heads, facts.iter().map(row).collect())
}

/// The facts of a figure in the order of the page.
fn in_order<'a>(figure: &Figure, inputs: &'a FigureInputs<'_>) -> Vec<&'a Fact> {
    let mut facts = inputs.of(figure);
    match (figure.kind, figure.by) {
        (FigureKind::Ranking | FigureKind::Labels, _) => rank(dimension(figure), &mut facts),
        (FigureKind::Rates, _) => facts.sort_by(|a, b| b.n.total_cmp(&a.n)),
        (_, [Dim::Bin]) => facts.sort_by_key(|fact| {
            fact.key(Dim::Bin).flatten().and_then(|edge| edge.parse::<u32>().ok()).unwrap_or(u32::MAX)
        }),
        // Days and periods are in order already.
        _ => {}
    }
    facts
}

/// One row a team, and one for all teams.
fn teams(facts: &Facts) -> Rows {
    let columns = teams::columns(facts);
    let number = |metric: &Metric, fact: Option<&Fact>| match fact {
        Some(fact) => value(fact.unit, fact.value),
        // A team without pull requests has no facts about them.
        None => value(metric.unit, (metric.kind == MetricKind::Total && !facts.is_covered()).then_some(0.0)),
    };
    let row = |team: &&Fact| {
        let name = name_cell(facts, Dim::Team, team.key(Dim::Team).flatten());
        let cells = columns.iter().map(|(_, metric)| number(metric, teams::team_fact(facts, team, metric)));
        let faint = facts.sibling(team, &MERGE_RATE).is_some_and(faint);
        SheetRow { cells: std::iter::once(name).chain(cells).collect(), faint }
    };
    let whole = columns.iter().map(|(_, metric)| number(metric, facts.whole(metric)));
    let whole = SheetRow::firm(std::iter::once(text("All")).chain(whole).collect());
    let heads = std::iter::once("Team").chain(columns.iter().map(|(head, _)| *head));
    (heads.collect(), teams::in_order(facts).iter().map(row).chain([whole]).collect())
}

fn funnel(facts: &Facts) -> Rows {
    let number = |metric| facts.whole(metric).and_then(|fact| fact.value);
    let all = number(&SESSIONS).unwrap_or(0.0);
    let row = |(name, metric)| {
        let sessions = number(metric)?;
        let share = (all > 0.0).then(|| sessions / all);
        Some(SheetRow::firm(vec![text(name), count(sessions), value(Unit::Share, share)]))
    };
    (vec!["Step", "Sessions", "Of all sessions"], STEPS.into_iter().filter_map(row).collect())
}

/// One row a label, split by impact; ordered by high-impact issues.
fn stacks(figure: &Figure, facts: &Facts) -> Rows {
    let row = |label: LabelCounts<'_>| {
        let numbers = label.counts.into_iter().chain([label.total()]);
        let numbers = numbers.map(|number| value(Unit::Count, number));
        SheetRow::firm(std::iter::once(name_cell(facts, Dim::Label, label.label)).chain(numbers).collect())
    };
    let heads = vec!["Label", "High", "Medium", "Low", "Other", "All"];
    (heads, by_label(figure, facts).into_iter().map(row).collect())
}

/// One row an impact: sessions with 0, 1, 2 … such issues.
fn multiples(figure: &Figure, facts: &Facts) -> Rows {
    let row = |impact: &str| {
        let numbers = COUNTS.iter().map(|bin| value(Unit::Count, of_bin(figure, facts, impact, bin)));
        SheetRow::firm(std::iter::once(text(impact)).chain(numbers).collect())
    };
    (std::iter::once("Issues of impact").chain(COUNTS).collect(), IMPACTS.into_iter().map(row).collect())
}

/// All labels, ordered by issues.
fn labels(inputs: &FigureInputs<'_>) -> Rows {
    let metered = inputs.facts.capabilities.metered;
    let mut labels: Vec<&LabelRow> = inputs.highlights.labels.iter().collect();
    labels.sort_by(|a, b| b.issues.total_cmp(&a.issues));
    let row = |row: &LabelRow| {
        let mut cells = vec![
            name_cell(inputs.facts, Dim::Label, row.label.as_deref()),
            count(row.issues),
            count(row.high),
            count(row.sessions),
        ];
        cells.extend(metered.then(|| value(Unit::Acu, Some(row.acus))));
        SheetRow::firm(cells)
    };
    let heads = ["Label", "Issues", "High", "Sessions", "ACUs"];
    let heads = heads.into_iter().filter(|head| metered || *head != "ACUs").collect();
    (heads, labels.into_iter().map(row).collect())
}
