//! The PDF: two pages, laid out by typst from `templates/report.typ`.
//!
//! The only user of typst. The template sees the report as data and nothing else: no files, no packages,
//! no clock. Other people's text is never markup.

mod fonts;
mod view;
mod world;

use chrono::{DateTime, Datelike, Timelike, Utc};
use tracing::warn;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use super::RenderError;
use crate::cli::Paper;
use crate::report::Report;
use world::ReportWorld;

/// The PDF of a report: two pages, tagged for screen readers (PDF/UA-1). The same report gives the same bytes
/// on every machine, unless it has letters that only fonts of the system have.
///
/// # Errors
/// A chart or the template failed: an internal error, never a property of the data.
pub fn pdf(report: &Report, paper: Paper) -> Result<Vec<u8>, RenderError> {
    let document = layout(report, paper)?;
    let made = write(&document, report, &[PdfStandard::Ua_1])
        // A font of the system can break a rule of the standard; its letters matter more.
        .or_else(|error| {
            warn!(error, "the PDF does not follow PDF/UA-1");
            write(&document, report, &[])
        });
    // What was laid out is kept in memory for a next compilation, which has other data.
    typst::comemo::evict(0);
    made.map_err(RenderError::Pdf)
}

/// The pages.
fn layout(report: &Report, paper: Paper) -> Result<PagedDocument, RenderError> {
    let mut view = serde_json::to_value(view::view(report, paper)?).expect("the keys of a view are names");
    let fonts = fonts::fonts(&mut view);
    let world = ReportWorld::new(&view, fonts);
    typst::compile(&world).output.map_err(|errors| RenderError::Pdf(in_words(&errors)))
}

/// The pages as a PDF that follows these standards.
fn write(document: &PagedDocument, report: &Report, standards: &[PdfStandard]) -> Result<Vec<u8>, String> {
    let options = PdfOptions {
        ident: Smart::Custom(format!("{} {}", report.name, report.generated_at)),
        creator: Smart::Custom(Some(report.tool.clone())),
        timestamp: timestamp(&report.generated_at),
        standards: PdfStandards::new(standards).map_err(|error| error.message().to_string())?,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(document, &options).map_err(|errors| in_words(&errors))
}

/// When the report was made; `None` for a moment that no PDF can have.
fn timestamp(moment: &str) -> Option<Timestamp> {
    let moment = moment.parse::<DateTime<Utc>>().ok()?;
    let part = |number: u32| u8::try_from(number).ok();
    let datetime = Datetime::from_ymd_hms(
        moment.year(),
        part(moment.month())?,
        part(moment.day())?,
        part(moment.hour())?,
        part(moment.minute())?,
        part(moment.second())?,
    )?;
    Some(Timestamp::new_utc(datetime))
}

/// The messages of errors of typst.
fn in_words(errors: &[SourceDiagnostic]) -> String {
    errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ")
}
