//! What sessions cost and what came of them, by group, as one table.

use super::{FigureInputs, FigureParts};
use crate::metrics::*;
use crate::report::names;
use crate::report::number::is_faint;
use crate::report::table::{Role, Row, Table, Value, column};
use crate::unit::Unit;

/// What sessions are grouped by, in order.
const BY: [Dim; 5] = [Dim::Size, Dim::Origin, Dim::Category, Dim::Mode, Dim::Playbook];
/// The most rows on the page.
const MOST_ROWS: usize = 60;

pub fn draw(inputs: &FigureInputs<'_>) -> FigureParts {
    let facts = inputs.facts;
    let metered = facts.source.metered;
    let all = facts.whole(&ACUS).and_then(|fact| fact.value).filter(|acus| *acus > 0.0);
    let row = |dim: Dim, sessions: &Fact| {
        let of = |metric: &Metric| facts.sibling(sessions, metric);
        let or_none = |metric: &Metric| match of(metric) {
            Some(fact) => Value::of(fact),
            // A group without pull requests has no facts about them.
            None => Value::number(
                metric.unit,
                (!facts.is_covered() && metric.kind == MetricKind::Total).then_some(0.0),
            ),
        };
        let group = names::of(facts, dim, sessions.key(dim).flatten());
        let name = Value::Text(format!("{}: {group}", dim.head()));
        let share = of(&ACUS).and_then(|fact| fact.value).zip(all).map(|(acus, all)| acus / all);
        let mut cells = vec![name, Value::of(sessions)];
        cells.extend(metered.then(|| or_none(&ACUS)));
        cells.extend(metered.then(|| Value::number(Unit::Share, share)));
        cells.extend([or_none(&PRS), or_none(&MERGE_RATE)]);
        cells.extend(metered.then(|| or_none(&ACUS_PER_MERGED_PR)));
        let is_thin = |metric| of(metric).is_none_or(is_faint);
        Row { cells, faint: is_thin(&MERGE_RATE) || metered && is_thin(&ACUS_PER_MERGED_PR) }
    };
    let rows = BY.into_iter().flat_map(|dim| in_order(facts, dim).into_iter().map(move |fact| (dim, fact)));
    let heads = [column("Group", Role::Name), column("Sessions", Role::Value)]
        .into_iter()
        .chain(metered.then(|| column("ACUs", Role::Other)))
        .chain(metered.then(|| column("Share of ACUs", Role::Other)))
        .chain([column("PRs", Role::Other), column("Merge rate", Role::Other)])
        .chain(metered.then(|| column("ACUs per merged PR", Role::Other)));
    let table = Table::new(heads, rows.map(|(dim, fact)| row(dim, fact)));
    let also: &[&Metric] = match metered {
        true => &[&ACUS, &PRS, &MERGE_RATE, &ACUS_PER_MERGED_PR],
        false => &[&PRS, &MERGE_RATE],
    };
    FigureParts { also, most: MOST_ROWS, ..FigureParts::table(table) }
}

/// The groups of a dimension by their sessions: sizes in their order, others by ACUs, or by sessions
/// without ACUs. One group alone says nothing.
fn in_order(facts: &Facts, dim: Dim) -> Vec<&Fact> {
    let mut groups: Vec<&Fact> = facts.by(&SESSIONS, &[dim]).iter().collect();
    let most = if facts.source.metered { &ACUS } else { &SESSIONS };
    let amount = |fact: &Fact| facts.sibling(fact, most).and_then(|fact| fact.value).unwrap_or(0.0);
    groups.sort_by(|a, b| {
        super::ranking::place(dim, a)
            .cmp(&super::ranking::place(dim, b))
            .then(amount(b).total_cmp(&amount(a)))
    });
    if groups.len() > 1 { groups } else { Vec::new() }
}
