//! The charts of a mail: few, and only such as have nobody's words in them,
//! because a picture can neither be searched nor masked.

use crate::charts::Svg;
use crate::metrics::{Capabilities, Facts, Highlights};
use crate::report::figures::{self, Source};
use crate::report::layout::{Figure, sections};
use crate::report::{ReportError, Run};

/// The figures of the page that a mail shows, of each row the first that has something to show.
const SHOWN: [&[&str]; 3] = [
    &["acus-by-day", "sessions-by-day"],
    &["merge-rate-trend", "acus-per-merged-pr-trend"],
    &["issues-by-impact"],
];

/// A chart of a mail.
pub struct Picture {
    /// Its name among the pictures.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// One line under it; empty for none.
    pub note: String,
    /// The chart; its description is the picture's text alternative.
    pub svg: Svg,
}

/// Draws the charts.
///
/// # Errors
/// A chart could not be drawn: a defect.
pub fn pictures(facts: &Facts, highlights: &Highlights, run: &Run<'_>) -> Result<Vec<Picture>, ReportError> {
    let periods = run.periods.get(..run.points).unwrap_or(run.periods);
    let source = Source { facts, highlights, periods, against: None };
    let worth = |figure: &&Figure| figures::state(figure, &source) == figures::State::Full;
    let mut drawn = Vec::new();
    let find = |id: &&str| find(facts.capabilities, id);
    for figure in SHOWN.iter().filter_map(|ids| ids.iter().filter_map(find).find(worth)) {
        let picture = figures::picture(figure, &source)?;
        drawn.extend(picture.map(|(svg, note)| Picture { id: figure.id, title: figure.title, note, svg }));
    }
    Ok(drawn)
}

fn find(known: Capabilities, id: &str) -> Option<&'static Figure> {
    sections(known).flat_map(|section| section.figures).find(|figure| figure.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::{Api, Records};
    use crate::metrics::Dim;

    #[test]
    fn every_picture_is_a_figure_of_the_page_without_free_text() {
        for id in SHOWN.concat() {
            let known = |metered| Capabilities {
                records: Records::Api(Api::V3),
                metered,
                teams: false,
                currency: None,
            };
            let figure = find(known(true), id).or_else(|| find(known(false), id)).unwrap();
            assert!(figure.by.iter().all(|dim| matches!(dim, Dim::Day | Dim::Period | Dim::Impact)), "{id}");
        }
    }
}
