//! Teams side by side: what each used, and what came of it.

use super::{Drawn, Source};
use crate::metrics::*;
use crate::report::view::{Row, Table};
use crate::report::{change, names};
use crate::unit::MISSING;

/// What stands in a row besides the team, in this order.
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

/// The columns besides the team's own: those of money only where there is a price.
pub fn columns(facts: &Facts) -> Vec<(&'static str, &'static Metric)> {
    let is_known = |metric: &Metric| metric.is_shown(&[Dim::Team], facts.capabilities);
    // A covered report may leave out a whole column.
    let is_shown = |metric: &Metric| !facts.is_covered() || !facts.by(metric, &[Dim::Team]).is_empty();
    COLUMNS.into_iter().filter(|(_, metric)| is_known(metric) && is_shown(metric)).collect()
}

/// The teams by their numbers of sessions, most ACUs first, or most sessions where no
/// ACUs are billed.
pub fn in_order(facts: &Facts) -> Vec<&Fact> {
    let mut teams: Vec<&Fact> = facts.by(&SESSIONS, &[Dim::Team]).iter().collect();
    let most = if facts.capabilities.metered { &ACUS } else { &SESSIONS };
    let most = |fact: &Fact| facts.sibling(fact, most).and_then(|fact| fact.value).unwrap_or(0.0);
    // Sessions of no team come last, however many they are.
    let unmapped = |fact: &Fact| fact.key(Dim::Team).flatten().is_none();
    teams.sort_by(|a, b| unmapped(a).cmp(&unmapped(b)).then(most(b).total_cmp(&most(a))));
    teams
}

/// The fact of a team in another metric. Which small teams are combined depends on
/// what a metric counts, so that sessions and pull requests of the combined row are
/// not of the same teams.
pub fn beside<'f>(facts: &'f Facts, team: &Fact, metric: &Metric) -> Option<&'f Fact> {
    let is_combined = team.key(Dim::Team).flatten() == Some(SMALL_GROUP);
    facts.sibling(team, metric).filter(|_| !is_combined || metric.basis == Basis::Sessions)
}

pub fn draw(source: &Source<'_>) -> Drawn {
    let facts = source.facts;
    let columns = columns(facts);
    let teams = in_order(facts);
    // A team without a pull request is in no fact of theirs.
    let text = |metric: &Metric, fact: Option<&Fact>| match fact {
        Some(fact) => fact.unit.text(fact.value),
        None if metric.kind == Kind::Total && !facts.is_covered() => metric.unit.text(Some(0.0)),
        None => MISSING.to_owned(),
    };
    let row = |team: &&Fact| {
        let name = names::name(Dim::Team, team.key(Dim::Team).flatten());
        let own = |metric| beside(facts, team, metric);
        let cells = columns.iter().map(|(_, metric)| text(metric, own(metric)));
        let faint = facts.sibling(team, &MERGE_RATE).is_some_and(change::faint);
        Row { cells: std::iter::once(name).chain(cells).collect(), faint }
    };
    let whole = columns.iter().map(|(_, metric)| text(metric, facts.whole(metric)));
    let whole = Row { cells: std::iter::once("All".to_owned()).chain(whole).collect(), faint: false };
    let heads = std::iter::once("Team").chain(columns.iter().map(|(head, _)| *head));
    let table = Table {
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
    Drawn { svg: None, table, also, note: "Pale: fewer than ten decided pull requests." }
}
