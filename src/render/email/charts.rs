//! The charts of a mail: few, and without other people's text, because images can be neither
//! searched nor masked.

use crate::charts::{self, Caption, Svg};
use crate::render::RenderError;
use crate::report::{Figure, MailPlace, Report};

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
pub fn charts(report: &Report) -> Result<Vec<EmailChart>, RenderError> {
    let mut shown: Vec<&Figure> = Vec::new();
    for section in &report.sections {
        let mut has_chart = false;
        for figure in &section.figures {
            let is_shown = match figure.mail {
                MailPlace::Chart => true,
                MailPlace::Spare => !has_chart,
                MailPlace::Rows | MailPlace::Nowhere => false,
            };
            has_chart |= is_shown;
            shown.extend(is_shown.then_some(figure));
        }
    }
    let drawn = shown.into_iter().filter_map(|figure| Some((figure, figure.drawing.as_ref()?)));
    let chart = |(figure, drawing): (&Figure, &crate::report::Drawing)| {
        let caption = Caption { id: figure.id, title: figure.title, description: &drawing.description };
        Ok(EmailChart {
            id: figure.id,
            title: figure.title,
            note: [figure.note.as_str(), &figure.chart_note].join(" ").trim().to_owned(),
            svg: charts::draw(&caption, &drawing.chart)?,
        })
    };
    drawn.map(chart).collect()
}
