//! The charts of a mail: few, and without other people's text, because images can be neither
//! searched nor masked.

use crate::charts::Svg;
use crate::metrics::{Capabilities, Facts};
use crate::report::ReportError;
use crate::report::figures::{self, FigureInputs};
use crate::report::layout::{Figure, sections};

/// The figures that a mail shows; of each row the first one with data.
const SHOWN: [&[&str]; 3] = [
    &["acus-by-day", "sessions-by-day"],
    &["merge-rate-trend", "acus-per-merged-pr-trend"],
    &["issues-by-impact"],
];

/// A chart of a mail.
pub struct EmailChart {
    /// Its id among the charts.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// One line under it; empty for none.
    pub note: String,
    /// The chart; its description is the image's text alternative.
    pub svg: Svg,
}

/// Draws the charts.
///
/// # Errors
/// A chart could not be drawn: an internal error.
pub fn charts(facts: &Facts) -> Result<Vec<EmailChart>, ReportError> {
    let inputs = FigureInputs { facts, periods: facts.trend_periods(), against: None };
    let has_data = |figure: &&Figure| figures::state(figure, &inputs) == figures::FigureState::Drawn;
    let mut drawn = Vec::new();
    let find = |id: &&str| find(facts.capabilities(), id);
    for figure in SHOWN.iter().filter_map(|ids| ids.iter().filter_map(find).find(has_data)) {
        let chart_and_note = figures::chart_and_note(figure, &inputs)?;
        drawn.extend(chart_and_note.map(|(svg, note)| EmailChart {
            id: figure.id,
            title: figure.title,
            note,
            svg,
        }));
    }
    Ok(drawn)
}

fn find(known: Capabilities, id: &str) -> Option<&'static Figure> {
    sections(known).flat_map(|section| section.figures).find(|figure| figure.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Dim;
    use devin_api::{Api, Records};

    #[test]
    fn every_email_chart_is_a_figure_without_free_text() {
        for id in SHOWN.concat() {
            let known = |metered| Capabilities {
                records: Records::Api(Api::V3),
                metered,
                teams: false,
                currency: None,
                synced: None,
            };
            let figure = find(known(true), id).or_else(|| find(known(false), id)).unwrap();
            assert!(figure.by.iter().all(|dim| matches!(dim, Dim::Day | Dim::Period | Dim::Impact)), "{id}");
        }
    }
}
