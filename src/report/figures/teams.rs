//! Teams side by side, as a table.

use super::{FigureInputs, FigureParts};
use crate::metrics::*;
use crate::report::view::{TableRow, TableView};
use crate::report::{change, names};
use crate::unit::MISSING;

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
pub fn columns(facts: &Facts) -> Vec<(&'static str, &'static Metric)> {
    let is_known = |metric: &Metric| metric.is_shown(&[Dim::Team], facts.capabilities);
    // A report without people may hide a whole column.
    let is_shown = |metric: &Metric| !facts.is_covered() || !facts.by(metric, &[Dim::Team]).is_empty();
    COLUMNS.into_iter().filter(|(_, metric)| is_known(metric) && is_shown(metric)).collect()
}

/// The teams' numbers of sessions, ordered by ACUs, or by sessions without ACUs.
pub fn in_order(facts: &Facts) -> Vec<&Fact> {
    let mut teams: Vec<&Fact> = facts.by(&SESSIONS, &[Dim::Team]).iter().collect();
    let most = if facts.capabilities.metered { &ACUS } else { &SESSIONS };
    let most = |fact: &Fact| facts.sibling(fact, most).and_then(|fact| fact.value).unwrap_or(0.0);
    // Sessions without a team come last.
    let unmapped = |fact: &Fact| fact.key(Dim::Team).flatten().is_none();
    teams.sort_by(|a, b| unmapped(a).cmp(&unmapped(b)).then(most(b).total_cmp(&most(a))));
    teams
}

/// The fact of a team in another metric. Which small teams are combined depends on the metric, so
/// the combined rows of sessions and of pull requests are not the same teams.
pub fn team_fact<'f>(facts: &'f Facts, team: &Fact, metric: &Metric) -> Option<&'f Fact> {
    let is_combined = team.key(Dim::Team).flatten() == Some(SMALL_GROUP);
    facts.sibling(team, metric).filter(|_| !is_combined || metric.basis == Basis::Sessions)
}

pub fn draw(inputs: &FigureInputs<'_>) -> FigureParts {
    let facts = inputs.facts;
    let columns = columns(facts);
    let teams = in_order(facts);
    // A team without pull requests has no facts about them.
    let text = |metric: &Metric, fact: Option<&Fact>| match fact {
        Some(fact) => fact.unit.text(fact.value),
        None if metric.kind == MetricKind::Total && !facts.is_covered() => metric.unit.text(Some(0.0)),
        None => MISSING.to_owned(),
    };
    let row = |team: &&Fact| {
        let name = names::name(Dim::Team, team.key(Dim::Team).flatten());
        let own = |metric| team_fact(facts, team, metric);
        let cells = columns.iter().map(|(_, metric)| text(metric, own(metric)));
        let faint = facts.sibling(team, &MERGE_RATE).is_some_and(change::faint);
        TableRow { cells: std::iter::once(name).chain(cells).collect(), faint }
    };
    let whole = columns.iter().map(|(_, metric)| text(metric, facts.whole(metric)));
    let whole = TableRow { cells: std::iter::once("All".to_owned()).chain(whole).collect(), faint: false };
    let heads = std::iter::once("Team").chain(columns.iter().map(|(head, _)| *head));
    let table = TableView {
        heads: heads.map(str::to_owned).collect(),
        rows: teams.iter().map(row).chain([whole]).collect(),
        more: String::new(),
    };
    let also: &[&Metric] = match facts.capabilities.currency {
        _ if !facts.capabilities.metered => &[&PRS, &PRS_MERGED, &MERGE_RATE],
        Some(_) => {
            &[&ACUS, &SPEND, &PRS, &PRS_MERGED, &MERGE_RATE, &ACUS_PER_MERGED_PR, &SPEND_PER_MERGED_PR]
        }
        None => &[&ACUS, &PRS, &PRS_MERGED, &MERGE_RATE, &ACUS_PER_MERGED_PR],
    };
    FigureParts { svg: None, table, also, note: "Pale: fewer than ten decided pull requests." }
}
