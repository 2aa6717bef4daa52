//! Facts to the bytes of an output. Every output is made from the facts alone.

use crate::cli::Format;
use crate::error::Error;
use crate::export::{self, ExportFile};
use crate::metrics::Facts;
use crate::report;

/// An output of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The page.
    Html,
    /// The workbook.
    Xlsx,
    /// The CSV files.
    Csv,
    /// The summary.
    Markdown,
}

/// The files of an output. The same facts give the same bytes.
///
/// # Errors
/// A file could not be made: an internal error, never a property of the data.
pub fn render(facts: &Facts, output: Output) -> Result<Vec<ExportFile>, Error> {
    let file =
        |ending: &str, text: String| vec![ExportFile { ending: ending.to_owned(), bytes: text.into_bytes() }];
    Ok(match output {
        Output::Html => file(".html", report::render(facts)?),
        Output::Xlsx => export::files(&[Format::Xlsx], facts)?,
        Output::Csv => export::files(&[Format::Csv], facts)?,
        Output::Markdown => file(".md", report::markdown(facts)),
    })
}
