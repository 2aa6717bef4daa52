//! What became of the reports of a run, as a table.

use crate::text::clean;

/// The longest name in the table.
const LONGEST_NAME: usize = 60;

/// A report of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SummaryRow {
    /// The edition, and the team where there is one for each.
    pub name: String,
    /// The label of its period.
    pub period: String,
    /// The place of its page, or why there is none.
    pub report: String,
    /// What became of its mail.
    pub mail: String,
}

/// The table, a line a report under a line of heads. Names are other people's words.
pub fn table(rows: &[SummaryRow]) -> String {
    let heads = ["REPORT", "PERIOD", "PAGE", "MAIL"].map(str::to_owned);
    let cells = |row: &SummaryRow| {
        [clean(&row.name, LONGEST_NAME), row.period.clone(), row.report.clone(), row.mail.clone()]
    };
    let lines: Vec<[String; 4]> = std::iter::once(heads).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2].map(width);
    let line = |cells: &[String; 4]| {
        let [name, period, report, mail] = cells;
        let [a, b, c] = widths;
        format!("{name:a$}  {period:b$}  {report:c$}  {mail}").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_names_are_harmless() {
        let row = |name: &str, mail: &str| SummaryRow {
            name: name.to_owned(),
            period: "2026-W41".to_owned(),
            report: "reports/x.html".to_owned(),
            mail: mail.to_owned(),
        };
        assert_eq!(
            table(&[row("leadership", "sent to 3"), row("teams: Zahlungs\u{1b}ströme", "")]),
            "REPORT                  PERIOD    PAGE            MAIL\n\
             leadership              2026-W41  reports/x.html  sent to 3\n\
             teams: Zahlungs ströme  2026-W41  reports/x.html\n"
        );
    }
}
