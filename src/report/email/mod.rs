//! The summary of a report for a mail. It is made from the facts only, so that `report --mail` and
//! `send` give the same mail.

mod charts;
mod html;
mod rankings;
mod subject;
mod text;

use serde::Serialize;

pub use charts::EmailChart;
pub use html::{ReportLocation, html};
pub use rankings::Ranking;
pub use text::text;

use super::view::{Header, Piece, Tile};
use super::{ReportError, comparison, head, insights, tiles};
use crate::metrics::Facts;

/// The contents of a mail as finished strings.
#[derive(Serialize)]
pub struct EmailSummary {
    /// The headline: the period, the ACUs, what was merged.
    pub subject: String,
    /// Scope, period and completeness.
    pub header: Header,
    /// Notices before any number.
    pub notices: Vec<String>,
    /// What the numbers are compared with, or why not.
    pub comparison: String,
    /// Whether they are compared.
    pub compared: bool,
    /// The headline numbers, without their trends.
    pub tiles: Vec<Tile>,
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
pub fn summarize(facts: &Facts) -> Result<EmailSummary, ReportError> {
    let priced = match facts.prices {
        Some(_) if facts.source.metered => " Money uses the prices in the sender's settings.",
        _ => "",
    };
    Ok(EmailSummary {
        subject: subject::subject(facts),
        header: head::header(facts),
        notices: head::notices(facts),
        comparison: comparison(facts) + priced,
        compared: super::is_compared(facts),
        // Without points no trend is drawn.
        tiles: tiles::tiles(facts, &[])?,
        insights: insights::insights(facts),
        charts: charts::charts(facts)?,
        rankings: rankings::rankings(facts),
        tool: super::tool(facts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Dim, PRS, SMALL_GROUP};

    pub fn demo() -> Facts {
        Facts::from_json(include_str!("../../../reports/org_demo_2026-W41.json")).unwrap()
    }

    #[test]
    fn the_page_counts_undecided_pull_requests() {
        let of = |open: f64, draft: f64, unknown: &str| {
            let mut facts = demo();
            for fact in
                facts.facts.iter_mut().filter(|fact| fact.metric.id == PRS.id && fact.group.len() == 1)
            {
                let Some((Dim::State, Some(state))) = fact.group.first_mut() else { continue };
                match state.as_str() {
                    "open" => fact.value = Some(open),
                    "draft" => fact.value = Some(draft),
                    "unknown" => *state = unknown.to_owned(),
                    _ => {}
                }
            }
            let states = super::super::delivery(&facts);
            states.strip_prefix("States are as of the fetch").unwrap().split_once('.').unwrap().0.to_owned()
        };
        assert_eq!(
            of(52.0, 10.0, "unknown"),
            ": 62 of 213 pull requests are open or in draft and may still be merged"
        );
        assert_eq!(
            of(0.0, 1.0, "unknown"),
            ": 1 of 213 pull requests is open or in draft and may still be merged"
        );
        assert_eq!(of(0.0, 0.0, "unknown"), ", and no pull request is open");
        // Some of those may be open.
        assert_eq!(of(52.0, 10.0, SMALL_GROUP), "");
    }

    #[test]
    fn the_summary_of_the_demo_agrees_with_its_page() {
        let summary = summarize(&demo()).unwrap();
        let page = include_str!("../../../reports/org_demo_2026-W41.html");
        assert_eq!((summary.tiles.len(), summary.charts.len()), (8, 3));
        for tile in &summary.tiles {
            let value = format!("<p class=\"value\">{}</p>", tile.value.replace('<', "&lt;"));
            assert!(page.contains(&value) && tile.trend.is_empty(), "{} {}", tile.title, tile.value);
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
