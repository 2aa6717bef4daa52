//! The bodies of a mail: a summary of the report in HTML and in plain text.

mod charts;
mod html;
mod rankings;
mod text;

use serde::Serialize;

pub use charts::EmailChart;
pub use html::{ReportLocation, html};
pub use rankings::Ranking;
pub(super) use text::isolated;
pub use text::text;

use super::RenderError;
use super::text::{TileText, tile};
use crate::report::{AlertText, Header, Piece, Report};

/// The contents of a mail as finished strings.
#[derive(Serialize)]
pub struct EmailSummary {
    /// The report in one line.
    pub subject: String,
    /// Scope, period and completeness.
    pub header: Header,
    /// Numbers that exceed a threshold.
    pub alerts: Vec<AlertText>,
    /// How many others there are; empty for none.
    pub other_alerts: String,
    /// Notices before any number.
    pub notices: Vec<String>,
    /// What the numbers are compared with, or why not.
    pub comparison: String,
    /// Whether they are compared.
    pub compared: bool,
    /// Whether the period was better or worse; empty for nothing to say.
    pub verdict: String,
    /// The headline numbers.
    pub tiles: Vec<TileText>,
    /// What stands out, most important first.
    pub insights: Vec<Vec<Piece>>,
    /// At most three charts, without other people's text.
    #[serde(skip)]
    pub charts: Vec<EmailChart>,
    /// Short tables of the largest groups; empty if the facts have no names.
    pub rankings: Vec<Ranking>,
    /// Name and version of this program.
    pub tool: String,
}

/// Summarizes a report.
///
/// # Errors
/// A chart could not be drawn: an internal error.
pub fn summarize(report: &Report) -> Result<EmailSummary, RenderError> {
    let priced = if report.is_priced { " Money uses the prices in the sender's settings." } else { "" };
    Ok(EmailSummary {
        subject: report.subject.clone(),
        header: report.header.clone(),
        alerts: report.alerts.clone(),
        other_alerts: report.other_alerts.clone(),
        notices: report.notices.clone(),
        comparison: format!("{}{priced}", report.comparison),
        compared: report.is_compared,
        verdict: report.verdict.clone(),
        tiles: report.tiles.iter().map(tile).collect(),
        insights: report.insights.clone(),
        charts: charts::charts(report)?,
        rankings: rankings::rankings(report),
        tool: report.tool.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Facts;
    use crate::report::report;

    /// The report of the demo.
    pub fn demo() -> Report {
        report(&Facts::from_json(include_str!("../../../reports/org_demo_2026-W41.json")).unwrap())
    }

    #[test]
    fn the_summary_of_the_demo_agrees_with_its_page() {
        let summary = summarize(&demo()).unwrap();
        let page = include_str!("../../../reports/org_demo_2026-W41.html");
        assert_eq!((summary.tiles.len(), summary.charts.len()), (8, 3));
        for tile in &summary.tiles {
            let value = format!("<p class=\"value\">{}</p>", tile.value.replace('<', "&lt;"));
            assert!(page.contains(&value), "{} {}", tile.title, tile.value);
            if let Some(change) = &tile.change {
                let class = format!("change {}\"", change.tone);
                let end = page.split(&value).nth(1).unwrap();
                assert!(end.contains(&change.text) && page.contains(&class), "{}", change.text);
            }
        }
        for sentence in &summary.insights {
            let own = &sentence.last().unwrap().text;
            assert!(page.contains(own), "{own}");
        }
        assert!(summary.charts.iter().all(|picture| !picture.svg.description().is_empty()));
    }
}
