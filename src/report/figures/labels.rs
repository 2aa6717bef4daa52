//! The most frequent labels of issues, as a table.

use super::{FigureParts, firm};
use crate::metrics::{ACUS, Dim, Highlights, ISSUES, LabelRow, Metric};
use crate::report::names::name;
use crate::report::view::TableView;
use crate::text::clean;
use crate::unit::{Unit, count, counted};

/// The maximum number of rows.
const MOST_ROWS: usize = 10;
/// The longest label, so that a phone has room for the numbers.
const LONGEST_NAME: usize = 40;

/// The table; `metered` has a column of ACUs.
pub fn draw(highlights: &Highlights, metered: bool) -> FigureParts {
    let mut labels: Vec<&LabelRow> = highlights.labels.iter().collect();
    // They are ordered by high-impact issues; the sort is stable.
    labels.sort_by(|a, b| b.issues.total_cmp(&a.issues));
    let rest = labels.split_off(labels.len().min(MOST_ROWS));
    let row = |row: &&LabelRow| {
        let mut cells = vec![
            clean(&name(Dim::Label, row.label.as_deref()), LONGEST_NAME),
            count(row.issues),
            count(row.high),
            count(row.sessions),
        ];
        cells.extend(metered.then(|| Unit::Acu.text(Some(row.acus))));
        firm(cells)
    };
    let issues = rest.iter().map(|row| row.issues).sum::<f64>();
    let issues = counted(issues, "issue", "issues");
    let more = match rest.len() {
        0 => String::new(),
        1 => format!("One more label has {issues}."),
        labels => format!("{} more labels have {issues} together.", count(labels as f64)),
    };
    let heads = ["Label", "Issues", "High", "Sessions", "ACUs"];
    let heads = heads.into_iter().filter(|head| metered || *head != "ACUs").map(str::to_owned).collect();
    let table = TableView { heads, rows: labels.iter().map(row).collect(), more };
    let also: &[&Metric] = if metered { &[&ISSUES, &ACUS] } else { &[&ISSUES] };
    FigureParts { svg: None, table, also, note: "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(labels: usize) -> TableView {
        let label = |number| LabelRow {
            label: Some(format!("{number}")),
            issues: number as f64,
            high: 0.0,
            sessions: 1.0,
            acus: 2.5,
        };
        draw(&Highlights { labels: (1..=labels).map(label).collect(), ..Highlights::default() }, true).table
    }

    #[test]
    fn the_top_ten_labels_are_shown_and_the_rest_counted() {
        let all = table(12);
        let names: Vec<&str> = all.rows.iter().map(|row| row.cells[0].as_str()).collect();
        assert_eq!(names, ["12", "11", "10", "9", "8", "7", "6", "5", "4", "3"]);
        assert_eq!(all.rows[0].cells, ["12", "12", "0", "1", "2.50"]);
        assert_eq!(all.more, "2 more labels have 3 issues together.");
        assert_eq!((table(11).more.as_str(), table(10).more.as_str()), ("One more label has 1 issue.", ""));
    }
}
