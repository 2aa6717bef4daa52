//! Teams side by side, as a table.

use super::{FigureInputs, FigureParts};
use crate::metrics::*;
use crate::report::names;
use crate::report::number::is_faint;
use crate::report::table::{Role, Row, Table, TableColumn, Value, column};
use crate::text::clean;
use crate::unit::Unit;

/// The longest name of a team.
const LONGEST_NAME: usize = 60;

/// The columns besides the team, in order.
const COLUMNS: [(&str, &Metric); 8] = [
    ("Sessions", &SESSIONS),
    ("ACUs", &ACUS),
    ("Spend", &SPEND),
    ("PRs", &PRS),
    ("Merged", &PRS_MERGED),
    ("Merge rate", &MERGE_RATE),
    ("ACUs per merged PR", &ACUS_PER_MERGED_PR),
    ("Spend per merged PR", &SPEND_PER_MERGED_PR),
];

/// The columns with data.
fn columns(facts: &Facts) -> Vec<(&'static str, &'static Metric)> {
    let is_known = |metric: &Metric| metric.is_shown(&[Dim::Team], facts.capabilities());
    // A report without people may hide a whole column.
    let is_shown = |metric: &Metric| !facts.is_covered() || !facts.by(metric, &[Dim::Team]).is_empty();
    COLUMNS.into_iter().filter(|(_, metric)| is_known(metric) && is_shown(metric)).collect()
}

/// The teams' numbers of sessions, ordered by ACUs, or by sessions without ACUs.
fn in_order(facts: &Facts) -> Vec<&Fact> {
    let mut teams: Vec<&Fact> = facts.by(&SESSIONS, &[Dim::Team]).iter().collect();
    let most = if facts.source.metered { &ACUS } else { &SESSIONS };
    let most = |fact: &Fact| facts.sibling(fact, most).and_then(|fact| fact.value).unwrap_or(0.0);
    // Sessions without a team come last.
    let unmapped = |fact: &Fact| fact.key(Dim::Team).flatten().is_none();
    teams.sort_by(|a, b| unmapped(a).cmp(&unmapped(b)).then(most(b).total_cmp(&most(a))));
    teams
}

/// The fact of a team in another metric. Which small teams are combined depends on the metric, so
/// the combined rows of sessions and of pull requests are not the same teams.
fn team_fact<'f>(facts: &'f Facts, team: &Fact, metric: &Metric) -> Option<&'f Fact> {
    let is_combined = team.key(Dim::Team).flatten() == Some(SMALL_GROUP);
    facts.sibling(team, metric).filter(|_| !is_combined || metric.basis == Basis::Sessions)
}

pub fn draw(inputs: &FigureInputs<'_>) -> FigureParts {
    let facts = inputs.facts;
    if let Some(team) = &facts.source.team {
        return team_and_all(facts, team);
    }
    let columns = columns(facts);
    let teams = in_order(facts);
    // A team without pull requests has no facts about them.
    let number = |metric: &Metric, fact: Option<&Fact>| match fact {
        Some(fact) => Value::of(fact),
        None => {
            let nothing = metric.kind == MetricKind::Total && !facts.is_covered();
            Value::number(metric.unit, nothing.then_some(0.0))
        }
    };
    let row = |team: &&Fact| {
        let name = Value::Text(names::name(Dim::Team, team.key(Dim::Team).flatten()));
        let own = |metric| team_fact(facts, team, metric);
        let cells = columns.iter().map(|(_, metric)| number(metric, own(metric)));
        let faint = facts.sibling(team, &MERGE_RATE).is_some_and(is_faint);
        Row { cells: std::iter::once(name).chain(cells).collect(), faint }
    };
    let whole = columns.iter().map(|(_, metric)| number(metric, facts.whole(metric)));
    let whole = Row::firm(std::iter::once(Value::Text("All".to_owned())).chain(whole).collect());
    let table = Table::new(heads(&columns), teams.iter().map(row).chain([whole]));
    let also: &[&Metric] = match facts.capabilities().currency {
        _ if !facts.source.metered => &[&PRS, &PRS_MERGED, &MERGE_RATE],
        Some(_) => {
            &[&ACUS, &SPEND, &PRS, &PRS_MERGED, &MERGE_RATE, &ACUS_PER_MERGED_PR, &SPEND_PER_MERGED_PR]
        }
        None => &[&ACUS, &PRS, &PRS_MERGED, &MERGE_RATE, &ACUS_PER_MERGED_PR],
    };
    FigureParts { also, most: usize::MAX, ..FigureParts::table(table) }
}

fn heads(columns: &[(&'static str, &'static Metric)]) -> impl Iterator<Item = TableColumn> {
    let heads = columns.iter().map(|(head, _)| column(head, Role::Other));
    std::iter::once(column("Team", Role::Name)).chain(heads)
}

/// The team that the report is about, all sessions, and the team's share of what adds up.
fn team_and_all(facts: &Facts, team: &str) -> FigureParts {
    let of_all = |metric: &Metric| facts.whole.iter().find(|fact| fact.metric.id == metric.id);
    let columns: Vec<_> = COLUMNS.into_iter().filter(|(_, metric)| of_all(metric).is_some()).collect();
    let share = |metric: &'static Metric| {
        let parts = facts.whole(metric).and_then(|fact| fact.value).zip(of_all(metric)?.value);
        let is_part = metric.kind == MetricKind::Total;
        parts.filter(|(_, all)| is_part && *all > 0.0).map(|(own, all)| own / all)
    };
    let row = |name: &str, faint: bool, cell: &dyn Fn(&'static Metric) -> Value| {
        let cells = columns.iter().map(|(_, metric)| cell(metric));
        Row { cells: std::iter::once(Value::Text(name.to_owned())).chain(cells).collect(), faint }
    };
    let number = |fact: Option<&Fact>| fact.map_or(Value::number(Unit::Count, None), Value::of);
    let rows = [
        row(&clean(team, LONGEST_NAME), facts.whole(&MERGE_RATE).is_some_and(is_faint), &|metric| {
            number(facts.whole(metric))
        }),
        row("All sessions", false, &|metric| number(of_all(metric))),
        row("Share of all", false, &|metric| Value::number(Unit::Share, share(metric))),
    ];
    FigureParts { most: usize::MAX, ..FigureParts::table(Table::new(heads(&columns), rows)) }
}
