//! The summary of a report for a mail. It is made from the facts only, so that `report --mail` and
//! `send` give the same mail.

mod charts;
mod html;
mod rankings;
mod subject;
mod text;

use chrono_tz::Tz;
use serde::Serialize;

pub use charts::EmailChart;
pub use html::{ReportLocation, html};
pub use rankings::Ranking;
pub use text::text;

use super::view::{Header, Piece, Tile};
use super::{ReportContext, ReportError, comparison, head, insights, tiles};
use crate::metrics::*;
use crate::period::Period;
use devin_api::Vendor;

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
    /// Short tables of the largest groups; empty if the facts name nobody.
    pub rankings: Vec<Ranking>,
    /// Name and version of this program.
    pub tool: String,
}

/// Summarizes a report.
///
/// # Errors
/// The facts' period cannot be read, or a chart could not be drawn.
pub fn summarize(facts: &Facts) -> Result<EmailSummary, ReportError> {
    let (period, points) = period_and_points(facts)?;
    // The previous one at least.
    let periods = period.trend(u32::try_from(points - 1).expect("one fact of a file a point").max(1));
    let source = &facts.source;
    let run = ReportContext {
        periods: &periods,
        points,
        organisation: Some(source.scope.as_str())
            .filter(|scope| *scope != "enterprise")
            .map(|scope| facts.called(Dim::Org, scope)),
        fetched: super::fetched(facts, period.tz()),
        tags: &source.tags,
        users: &source.users,
        prices: None,
        vendor: &Vendor::default(),
        notes: &[],
        saved: None,
        demo: false,
    };
    let highlights = labels(facts);
    let priced = match facts.capabilities.currency {
        Some(_) if facts.capabilities.metered => " Money is at the prices in the sender's settings.",
        _ => "",
    };
    Ok(EmailSummary {
        subject: subject::subject(facts, &period),
        header: head::header(facts, &run),
        notices: head::notices(facts, &run),
        comparison: comparison(facts, &run) + priced,
        compared: super::is_compared(facts),
        // Without points no trend is drawn.
        tiles: tiles::tiles(facts, &[])?,
        insights: insights::insights(facts, &highlights, &run.previous_name()),
        charts: charts::charts(facts, &highlights, &run)?,
        rankings: rankings::rankings(facts),
        tool: format!("acumen {}", env!("CARGO_PKG_VERSION")),
    })
}

/// The report's period, and the number of points of the trend.
fn period_and_points(facts: &Facts) -> Result<(Period, usize), ReportError> {
    let label = &facts.period.label;
    let zone = facts.period.tz.as_deref().and_then(|zone| zone.parse::<Tz>().ok());
    let period = zone.and_then(|tz| Period::parse_label(label, tz));
    let period = period.ok_or_else(|| ReportError::Period(crate::text::clean(label, 60)))?;
    Ok((period, facts.by(&SESSIONS, &[Dim::Period]).len().max(1)))
}

/// The labels of issues with their sessions, as far as the facts contain them: without ACUs.
pub fn labels(facts: &Facts) -> Highlights {
    let mut labels: Vec<LabelRow> = Vec::new();
    for fact in facts.by(&ISSUES, &[Dim::Label, Dim::Impact]) {
        let label = fact.key(Dim::Label).flatten();
        if label == Some(SMALL_GROUP) {
            continue;
        }
        if labels.last().is_none_or(|row| row.label.as_deref() != label) {
            let touched = facts.by(&SESSIONS_WITH_ISSUE, &[Dim::Label]);
            let touched = touched.iter().find(|touched| touched.key(Dim::Label).flatten() == label);
            labels.push(LabelRow {
                label: label.map(str::to_owned),
                issues: 0.0,
                high: 0.0,
                sessions: touched.and_then(|fact| fact.value).unwrap_or(0.0),
                acus: 0.0,
            });
        }
        if let Some(row) = labels.last_mut() {
            let issues = fact.value.unwrap_or(0.0);
            row.issues += issues;
            if fact.key(Dim::Impact).flatten() == Some("high") {
                row.high += issues;
            }
        }
    }
    labels.sort_by(|a, b| {
        let none = |row: &LabelRow| row.label.is_none();
        (b.high.total_cmp(&a.high))
            .then(b.issues.total_cmp(&a.issues))
            .then(none(a).cmp(&none(b)))
            .then(a.label.cmp(&b.label))
    });
    Highlights { labels, ..Highlights::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(of(0.0, 0.0, "unknown"), ", and no pull request is open any more");
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
            // What a label's sessions used is told by the page alone.
            let own = sentence.last().unwrap().text.split(" that used").next().unwrap().trim_end_matches('.');
            assert!(page.contains(own), "{own}");
        }
        assert!(summary.charts.iter().all(|picture| !picture.svg.description().is_empty()));
    }

    #[test]
    fn an_unreadable_period_is_an_error() {
        let mut facts = demo();
        facts.period.label = "some time\u{202e}".to_owned();
        assert!(summarize(&facts).err().unwrap().to_string().contains("\"some time\""));
    }

    #[test]
    fn labels_are_in_the_order_of_the_page() {
        let labels = labels(&demo()).labels;
        assert!(labels.windows(2).all(|pair| pair[0].high >= pair[1].high));
        let issues: f64 = labels.iter().map(|row| row.issues).sum();
        assert_eq!(demo().whole(&ISSUES).unwrap().value, Some(issues));
        assert!(labels.iter().all(|row| row.sessions <= row.issues && row.sessions > 0.0));
    }
}
