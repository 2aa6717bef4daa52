//! The most frequent labels of issues, as a table.

use super::FigureParts;
use crate::metrics::{ACUS, Dim, ISSUES, LabelRow, Metric};
use crate::report::names::name;
use crate::report::table::{Role, Row, Table, Value, column};
use crate::text::clean;
use crate::unit::Unit;

/// The maximum number of rows on the page.
const MOST_ROWS: usize = 10;
/// The longest label, so that a phone has room for the numbers.
const LONGEST_NAME: usize = 40;

/// The table, most issues first; `metered` has a column of ACUs.
pub fn draw(labels: &[LabelRow], metered: bool) -> FigureParts {
    let mut labels: Vec<&LabelRow> = labels.iter().collect();
    // They are ordered by high-impact issues; the sort is stable.
    labels.sort_by(|a, b| b.issues.total_cmp(&a.issues));
    let row = |row: &LabelRow| {
        let name = clean(&name(Dim::Label, row.label.as_deref()), LONGEST_NAME);
        let counts = [row.issues, row.high, row.sessions].map(Value::count);
        let acus = metered.then(|| Value::number(Unit::Acu, Some(row.acus)));
        Row::firm([Value::Text(name)].into_iter().chain(counts).chain(acus).collect())
    };
    let columns = [
        column("Label", Role::Name),
        column("Issues", Role::Value),
        column("High", Role::Other),
        column("Sessions", Role::Other),
    ];
    let columns = columns.into_iter().chain(metered.then(|| column("ACUs", Role::Other)));
    let also: &[&Metric] = if metered { &[&ISSUES, &ACUS] } else { &[&ISSUES] };
    let table = Table::new(columns, labels.into_iter().map(row));
    FigureParts { also, most: MOST_ROWS, ..FigureParts::table(table) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_ordered_by_issues_and_the_page_shows_ten() {
        let label = |number: u8| LabelRow {
            label: Some(number.to_string()),
            issues: f64::from(number),
            high: 0.0,
            sessions: 1.0,
            acus: 2.5,
        };
        let parts = draw(&(1..=12).map(label).collect::<Vec<_>>(), true);
        let first = &parts.table.rows[0].cells;
        let counts = [12.0, 0.0, 1.0].map(Value::count);
        assert_eq!(first[0], Value::Text("12".to_owned()));
        assert_eq!((&first[1..4], &first[4]), (&counts[..], &Value::number(Unit::Acu, Some(2.5))));
        assert_eq!((parts.table.rows.len(), parts.most), (12, 10));
    }
}
