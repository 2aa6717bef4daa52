//! The most frequent labels of issues, with what they touched.

use super::{Drawn, Source, firm};
use crate::metrics::{ACUS, Dim, ISSUES, LabelRow};
use crate::report::names::name;
use crate::report::view::Table;
use crate::text::clean;
use crate::unit::Unit;

/// The most rows that a reader takes in.
const MOST_ROWS: usize = 10;
/// The longest label that leaves a phone room for the numbers.
const LONGEST_NAME: usize = 40;

pub fn draw(source: &Source<'_>) -> Drawn {
    let mut labels: Vec<&LabelRow> = source.evidence.labels.iter().collect();
    // They come with most issues of high impact first; the order of equals stays.
    labels.sort_by(|a, b| b.issues.total_cmp(&a.issues));
    let rest = labels.split_off(labels.len().min(MOST_ROWS));
    let count = |number: f64| Unit::Count.text(Some(number));
    let row = |row: &&LabelRow| {
        firm(vec![
            clean(&name(Dim::Label, row.label.as_deref()), LONGEST_NAME),
            count(row.issues),
            count(row.high),
            count(row.sessions),
            Unit::Acu.text(Some(row.acus)),
        ])
    };
    let issues = count(rest.iter().map(|row| row.issues).sum());
    let more = match rest.len() {
        0 => String::new(),
        1 => format!("One more label has {issues} issues."),
        labels => format!("{} more labels have {issues} issues together.", count(labels as f64)),
    };
    let heads = ["Label", "Issues", "High", "Sessions", "ACUs"].map(str::to_owned).to_vec();
    let table = Table { heads, rows: labels.iter().map(row).collect(), more };
    Drawn { svg: None, table, also: &[&ISSUES, &ACUS] }
}
