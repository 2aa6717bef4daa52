//! The largest teams, users and tags, as short tables.

use serde::Serialize;

use crate::metrics::{ACUS, Dim, Fact, Facts, SESSIONS};
use crate::report::view::TableRow;
use crate::report::{change, is_compared, money, names};
use crate::text::clean;
use crate::unit::count;

/// The most rows that a mail lists.
const MOST: usize = 5;
/// The longest name in a narrow table.
const LONGEST_NAME: usize = 48;
/// The rankings, in order.
const BY: [Dim; 3] = [Dim::Team, Dim::User, Dim::Tag];

/// A short table: name, ACUs, spend or else sessions, change; without ACUs: name, sessions, change.
#[derive(Serialize)]
pub struct Ranking {
    /// Heading.
    pub title: String,
    /// Heads of its columns.
    pub heads: Vec<String>,
    /// Rows, most first.
    pub rows: Vec<TableRow>,
    /// What is not in the rows; empty for nothing.
    pub more: String,
    /// The column, from 1, that narrow screens omit.
    pub spare: usize,
}

/// The rankings with at least one named group.
pub fn rankings(facts: &Facts) -> Vec<Ranking> {
    BY.into_iter().filter_map(|dim| ranking(facts, dim)).collect()
}

fn ranking(facts: &Facts, dim: Dim) -> Option<Ranking> {
    let compared = is_compared(facts);
    let metric = if facts.capabilities.metered { &ACUS } else { &SESSIONS };
    let mut all: Vec<&Fact> = facts.by(metric, &[dim]).iter().collect();
    if all.iter().all(|fact| fact.key(dim).flatten().is_none()) {
        return None;
    }
    let value = |fact: &Fact| fact.value.unwrap_or(0.0);
    all.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let spend = money::spend_head(facts, metric);
    // The basis of a number of sessions is itself.
    let basis = Some(metric.basis.head()).filter(|head| *head != metric.title);
    let row = |fact: &&Fact| {
        let name = names::of(facts, dim, fact.key(dim).flatten());
        let second =
            spend.and_then(|_| money::spend_text(facts, fact)).or_else(|| basis.map(|_| count(fact.n)));
        let mut cells = vec![clean(&name, LONGEST_NAME), fact.unit.text(fact.value)];
        cells.extend(second);
        cells.extend(compared.then(|| change::signed(fact)));
        TableRow { cells, faint: false }
    };
    let heads = [dim.head(), metric.title].into_iter().chain(spend.or(basis));
    Some(Ranking {
        title: format!("{} by {}", metric.title, dim.head().to_lowercase()),
        heads: heads.chain(compared.then_some("Change")).map(str::to_owned).collect(),
        rows: all.iter().take(MOST).map(row).collect(),
        more: note_below(dim, all.len()),
        spare: if spend.is_none() && basis.is_some() { 3 } else { 4 },
    })
}

fn note_below(dim: Dim, all: usize) -> String {
    let rest = match all.saturating_sub(MOST) {
        0 => return if dim == Dim::Tag { OVERLAP.to_owned() } else { String::new() },
        1 => "One more is in the whole report.".to_owned(),
        rest => format!("{} more are in the whole report.", count(rest as f64)),
    };
    if dim == Dim::Tag { format!("{OVERLAP} {rest}") } else { rest }
}

/// Why rows of tags do not add up.
const OVERLAP: &str = "A session counts fully under each of its tags.";

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> Facts {
        Facts::from_json(include_str!("../../../reports/org_demo_2026-W41.json")).unwrap()
    }

    #[test]
    fn the_top_five_are_named_and_the_rest_counted() {
        let mut facts = demo();
        let all = facts.by(&ACUS, &[Dim::User]).len();
        let most =
            facts.by(&ACUS, &[Dim::User]).iter().max_by(|a, b| a.value.unwrap().total_cmp(&b.value.unwrap()));
        let id = most.unwrap().key(Dim::User).flatten().unwrap().to_owned();
        facts.names.clear();
        assert_eq!(rankings(&facts)[0].rows[0].cells[0], id);
        facts.names.insert(id, "Ada\u{202e} Lovelace".to_owned());
        let users = &rankings(&facts)[0];
        assert_eq!((users.title.as_str(), users.rows.len()), ("ACUs by user", 5));
        assert_eq!(users.rows[0].cells[0], "Ada Lovelace");
        assert_eq!(users.more, format!("{} more are in the whole report.", all - 5));
        assert!(rankings(&facts)[1].more.starts_with(OVERLAP));
    }

    #[test]
    fn running_periods_have_no_changes_and_empty_rankings_no_table() {
        let mut facts = demo();
        facts.period.complete = Some(false);
        assert!(
            rankings(&facts)
                .iter()
                .all(|ranking| ranking.heads.len() == 3 && ranking.rows[0].cells.len() == 3)
        );
        facts.facts.retain(|fact| fact.key(Dim::User).flatten().is_none());
        assert_eq!(rankings(&facts).len(), 1);
    }
}
