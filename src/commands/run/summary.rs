//! What became of the reports of a run, as a table.

use crate::exit::Exit;
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
    /// How many alerts it has.
    pub alerts: usize,
    /// What became of its mail.
    pub mail: String,
    /// What became of its messages to chats.
    pub chat: String,
    /// How a run ends for it, if it failed.
    pub exit: Option<Exit>,
}

/// The table, a line a report under a line of heads. Names are other people's words.
pub fn table(rows: &[SummaryRow]) -> String {
    let heads = ["REPORT", "PERIOD", "PAGE", "ALERTS", "MAIL", "CHAT"].map(str::to_owned);
    let cells = |row: &SummaryRow| {
        let alerts = if row.alerts > 0 { row.alerts.to_string() } else { String::new() };
        [
            clean(&row.name, LONGEST_NAME),
            row.period.clone(),
            row.report.clone(),
            alerts,
            row.mail.clone(),
            row.chat.clone(),
        ]
    };
    let lines: Vec<[String; 6]> = std::iter::once(heads).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| {
        let widths = lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count());
        widths.max().expect("there are heads")
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    let line = |cells: &[String; 6]| {
        let [name, period, report, alerts, mail, chat] = cells;
        let [a, b, c, d, e] = widths;
        format!("{name:a$}  {period:b$}  {report:c$}  {alerts:d$}  {mail:e$}  {chat}").trim_end().to_owned()
            + "\n"
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_names_are_harmless() {
        let row = |name: &str, alerts, mail: &str| SummaryRow {
            name: name.to_owned(),
            period: "2026-W41".to_owned(),
            report: "reports/x.html".to_owned(),
            alerts,
            mail: mail.to_owned(),
            chat: if alerts > 0 { "posted".to_owned() } else { String::new() },
            exit: None,
        };
        assert_eq!(
            table(&[row("leadership", 2, "sent to 3"), row("teams: Zahlungs\u{1b}ströme", 0, "")]),
            "REPORT                  PERIOD    PAGE            ALERTS  MAIL       CHAT\n\
             leadership              2026-W41  reports/x.html  2       sent to 3  posted\n\
             teams: Zahlungs ströme  2026-W41  reports/x.html\n"
        );
    }
}
