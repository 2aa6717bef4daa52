//! The largest teams, users and tags, as short tables.

use serde::Serialize;

use crate::render::text::{RowText, value};
use crate::report::{Figure, MailPlace, Report, Role, Row, TableColumn};
use crate::text::clean;
use crate::unit::count;

/// The most rows that a mail lists.
const MOST: usize = 5;
/// The longest name in a narrow table.
const LONGEST_NAME: usize = 48;

/// A short table: name, ACUs, spend or else sessions, change; without ACUs: name, sessions, change.
#[derive(Serialize)]
pub struct Ranking {
    /// Heading.
    pub title: String,
    /// Heads of its columns.
    pub heads: Vec<String>,
    /// Rows, most first.
    pub rows: Vec<RowText>,
    /// What is not in the rows; empty for nothing.
    pub more: String,
    /// The column, from 1, that narrow screens omit.
    pub spare: usize,
}

/// The rankings with at least one named group.
pub fn rankings(report: &Report) -> Vec<Ranking> {
    let figures = report.sections.iter().flat_map(|section| &section.figures);
    figures.filter(|figure| figure.mail == MailPlace::Rows && figure.is_named).map(ranking).collect()
}

fn ranking(figure: &Figure) -> Ranking {
    let table = &figure.table;
    let has_spend = table.columns.iter().any(|column| column.role == Role::Spend);
    // A phone has room for one of them.
    let is_shown = |role| match role {
        Role::Name | Role::Value | Role::Spend | Role::Change { .. } => true,
        Role::Basis => !has_spend,
        Role::Other => false,
    };
    let shown: Vec<(usize, &TableColumn)> =
        table.columns.iter().enumerate().filter(|(_, column)| is_shown(column.role)).collect();
    let row = |row: &Row| {
        let cell = |(at, column): &(usize, &TableColumn)| {
            let text = row.cells.get(*at).map(value).expect("a row has a cell for each column");
            if column.role == Role::Name { clean(&text, LONGEST_NAME) } else { text }
        };
        RowText { cells: shown.iter().map(cell).collect(), faint: false }
    };
    let head = |(_, column): &(usize, &TableColumn)| match column.role {
        Role::Change { .. } => "Change".to_owned(),
        _ => column.head.clone(),
    };
    let has_basis = shown.iter().any(|(_, column)| column.role == Role::Basis);
    Ranking {
        title: figure.title.to_owned(),
        heads: shown.iter().map(head).collect(),
        rows: table.rows.iter().take(MOST).map(row).collect(),
        more: note_below(figure.overlaps, table.rows.len()),
        spare: if has_basis { 3 } else { 4 },
    }
}

fn note_below(overlaps: bool, all: usize) -> String {
    let rest = match all.saturating_sub(MOST) {
        0 => return if overlaps { OVERLAP.to_owned() } else { String::new() },
        1 => "1 more is in the full report.".to_owned(),
        rest => format!("{} more are in the full report.", count(rest as f64)),
    };
    if overlaps { format!("{OVERLAP} {rest}") } else { rest }
}

/// Why rows of tags do not add up.
const OVERLAP: &str = "A session counts fully under each of its tags.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACUS, Dim, Facts};
    use crate::report::report;

    fn demo() -> Facts {
        Facts::from_json(include_str!("../../../reports/org_demo_2026-W41.json")).unwrap()
    }

    fn rankings_of(facts: &Facts) -> Vec<Ranking> {
        rankings(&report(facts))
    }

    #[test]
    fn the_top_five_are_named_and_the_rest_counted() {
        let mut facts = demo();
        let all = facts.by(&ACUS, &[Dim::User]).len();
        let most =
            facts.by(&ACUS, &[Dim::User]).iter().max_by(|a, b| a.value.unwrap().total_cmp(&b.value.unwrap()));
        let id = most.unwrap().key(Dim::User).flatten().unwrap().to_owned();
        facts.labels.user.clear();
        assert_eq!(rankings_of(&facts)[0].rows[0].cells[0], id);
        facts.labels.user.insert(id, "Ada\u{202e} Lovelace".to_owned());
        let users = &rankings_of(&facts)[0];
        assert_eq!((users.title.as_str(), users.rows.len()), ("ACUs by user", 5));
        assert_eq!(users.rows[0].cells[0], "Ada Lovelace");
        assert_eq!(users.more, format!("{} more are in the full report.", all - 5));
        assert!(rankings_of(&facts)[1].more.starts_with(OVERLAP));
    }

    #[test]
    fn running_periods_have_no_changes_and_empty_rankings_no_table() {
        let mut facts = demo();
        facts.period.complete = Some(false);
        assert!(
            rankings_of(&facts)
                .iter()
                .all(|ranking| ranking.heads.len() == 3 && ranking.rows[0].cells.len() == 3)
        );
        facts.facts.retain(|fact| fact.key(Dim::User).flatten().is_none());
        assert_eq!(rankings_of(&facts).len(), 1);
    }
}
