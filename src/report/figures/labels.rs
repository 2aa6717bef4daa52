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
    fn the_page_shows_the_ten_most_frequent_labels() {
        let label = |number: u8| LabelRow {
            label: Some(number.to_string()),
            issues: f64::from(number),
            high: 0.0,
            sessions: 1.0,
            acus: 2.5,
        };
        let parts = draw(&(1..=12).map(label).collect::<Vec<_>>(), true);
        let view = parts.table.view(parts.most);
        let names: Vec<&str> = view.rows.iter().map(|row| row.cells[0].as_str()).collect();
        assert_eq!(names, ["12", "11", "10", "9", "8", "7", "6", "5", "4", "3"]);
        assert_eq!(view.rows[0].cells, ["12", "12", "0", "1", "2.50"]);
        assert_eq!(view.more, "2 more rows are in the facts file.");
    }
}
