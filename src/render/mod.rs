//! Reports to files: the page, the mail, the PDF, the workbook, CSV and Markdown. Numbers become text here.
//!
//! One module a format; none knows another. The only user of `minijinja`, `csv`, `rust_xlsxwriter` and
//! `typst`.

pub mod chat;
mod checklist;
mod csv;
pub mod email;
mod html;
mod markdown;
#[cfg(feature = "pdf")]
mod pdf;
mod templates;
mod text;
mod xlsx;

use std::error::Error;

use crate::charts::ChartError;
use crate::cli::Paper;
use crate::metrics::{Facts, METRICS};
use crate::report::Report;
use crate::tables::schema::NAMES;

pub use html::html;
pub use markdown::markdown;

/// An output could not be made: an internal error, never a property of the data.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A chart failed.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A template failed.
    #[error("could not fill the page's template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// A line of a CSV file could not be written.
    #[error("could not make the CSV files: {0}")]
    Csv(#[from] ::csv::Error),
    /// The workbook library refused.
    #[error("could not make the workbook: {0}")]
    Workbook(#[source] Box<dyn Error + Send + Sync>),
    /// typst refused, or is not built in.
    #[error("could not make the PDF: {0}")]
    Pdf(String),
}

/// A file beside the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// The end of its name, after the report's name: `.xlsx`, `_by-user.csv`.
    pub ending: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// The workbook of a report. The same report gives the same bytes.
///
/// # Errors
/// It could not be made: an internal error, never a property of the data.
pub fn workbook(report: &Report) -> Result<RenderedFile, RenderError> {
    Ok(RenderedFile { ending: ".xlsx".to_owned(), bytes: xlsx::workbook(report)? })
}

/// The PDF of a report, two pages on paper of this size. It takes most of a second: call it in the thread pool.
///
/// # Errors
/// As [`workbook`], or PDFs are not built in; the settings say so before.
pub fn pdf(report: &Report, paper: Paper) -> Result<RenderedFile, RenderError> {
    #[cfg(feature = "pdf")]
    let made = pdf::pdf(report, paper);
    #[cfg(not(feature = "pdf"))]
    let made = {
        let _ = (report, paper);
        Err(RenderError::Pdf("this program was built without it".to_owned()))
    };
    Ok(RenderedFile { ending: PDF.to_owned(), bytes: made? })
}

/// The end of the name of the PDF.
const PDF: &str = ".pdf";

/// The CSV files of facts, one for each grouping. The same facts give the same bytes.
///
/// # Errors
/// As [`workbook`].
pub fn csv_files(facts: &Facts) -> Result<Vec<RenderedFile>, RenderError> {
    csv::files(facts)
}

/// The end of the name of the checklist of improvements.
const IMPROVEMENTS: &str = "_improvements.md";

/// The checklist of improvements as a file.
pub fn improvements(report: &Report) -> RenderedFile {
    RenderedFile { ending: IMPROVEMENTS.to_owned(), bytes: checklist::checklist(report).into_bytes() }
}

/// Parquet files by table: `_pull-requests.parquet`.
pub fn parquet_files(frames: Vec<(&'static str, Vec<u8>)>) -> impl Iterator<Item = RenderedFile> {
    frames.into_iter().map(|(name, bytes)| RenderedFile { ending: parquet_ending(name), bytes })
}

/// The end of a table's file name, without a second `_`, as in [`csv::ending`].
fn parquet_ending(name: &str) -> String {
    format!("_{}.parquet", name.replace('_', "-"))
}

/// Whether a file whose name begins with a report's name is one of its exports, by the rest of its
/// name.
pub fn is_export(ending: &str) -> bool {
    let mut groupings = METRICS.iter().flat_map(|metric| metric.groups);
    let is_frame = |name: &str| ending == parquet_ending(name);
    let is_single =
        [".xlsx", PDF, IMPROVEMENTS, csv::FINANCE].contains(&ending) || csv::TEXTS.contains(&ending);
    is_single || groupings.any(|by| ending == csv::ending(by)) || NAMES.into_iter().any(is_frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACUS, Dim, Fact, Highlights, ISSUES, Labels, MERGE_RATE, Metric};

    fn fact(metric: &'static Metric, group: &[(Dim, Option<&str>)], value: Option<f64>) -> Fact {
        Fact {
            metric,
            unit: metric.unit,
            group: group.iter().map(|(dim, key)| (*dim, key.map(str::to_owned))).collect(),
            value,
            numerator: (metric.id == MERGE_RATE.id).then_some(0.0),
            denominator: (metric.id == MERGE_RATE.id).then_some(0.0),
            n: 3.0,
            previous: Some(2.0),
            previous_n: 3.0,
            maturing: false,
            notable: false,
        }
    }

    /// A few facts of four groupings.
    pub fn facts() -> Facts {
        let user = |key| (Dim::User, key);
        let high = (Dim::Impact, Some("high"));
        let mut facts = vec![
            fact(&ACUS, &[], Some(0.4)),
            Fact { previous: None, ..fact(&ACUS, &[user(None)], Some(0.1)) },
            fact(&ACUS, &[user(Some("u1"))], Some(0.1 + 0.2)),
            fact(&ISSUES, &[], Some(2.0)),
            fact(&ISSUES, &[high], Some(2.0)),
            fact(&ISSUES, &[user(Some("u1")), high], Some(2.0)),
            Fact { n: 0.0, previous: Some(0.5), ..fact(&MERGE_RATE, &[user(Some("u1"))], None) },
        ];
        facts.sort_by(Fact::canonical_order);
        let demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let trend = vec!["2026-W41".to_owned(), "2026-W40".to_owned()];
        Facts { facts, trend, labels: Labels::default(), highlights: Highlights::default(), ..demo }
    }

    #[test]
    fn only_own_exports_are_recognized_by_name() {
        for file in parquet_files(vec![("sessions", Vec::new()), ("pull_requests", Vec::new())]) {
            assert!(is_export(&file.ending), "{}", file.ending);
        }
        for file in csv::files(&facts()).unwrap() {
            assert!(is_export(&file.ending), "{}", file.ending);
        }
        assert!(is_export(".xlsx") && is_export(".pdf") && is_export("_by-category.csv"));
        assert!(is_export("_improvements.md") && is_export("_improvements.csv") && is_export("_finance.csv"));
        for other in [
            "",
            ".html",
            ".json",
            ".csv",
            ".eml",
            "_whole.txt",
            "_whole_whole.csv",
            "_payments.xlsx",
            "_by-.csv",
            "_by-user_whole.csv",
            "_mine.csv",
            "_by-hand.csv",
            "_mine.parquet",
            "_by-User.csv",
            "_by-a/b.csv",
            "x.xlsx",
        ] {
            assert!(!is_export(other), "{other}");
        }
    }
}
