//! Writes facts and rows as files for spreadsheets and analysts, in memory. The only user of `csv`
//! and `rust_xlsxwriter`.

mod csv;
mod xlsx;

use std::error::Error;

use crate::metrics::{Facts, METRICS};
use crate::tables::schema::NAMES;

/// An export could not be made: an internal error, never a property of the data.
#[derive(Debug, thiserror::Error)]
#[error("could not make {what}: {source}")]
pub struct ExportError {
    what: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl ExportError {
    fn of<E: Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self { what, source: Box::new(source) }
    }
}

/// A file beside the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    /// The end of its name, after the report's name: `.xlsx`, `_by-user.csv`.
    pub ending: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// The workbook of facts. The same facts give the same bytes.
///
/// # Errors
/// It could not be made: an internal error, never a property of the data.
pub fn workbook(facts: &Facts) -> Result<ExportFile, ExportError> {
    Ok(ExportFile { ending: ".xlsx".to_owned(), bytes: xlsx::workbook(facts)? })
}

/// The CSV files of facts, one for each grouping. The same facts give the same bytes.
///
/// # Errors
/// As [`workbook`].
pub fn csv_files(facts: &Facts) -> Result<Vec<ExportFile>, ExportError> {
    self::csv::files(facts)
}

/// Parquet files by table: `_pull-requests.parquet`.
pub fn parquet_files(frames: Vec<(&'static str, Vec<u8>)>) -> impl Iterator<Item = ExportFile> {
    frames.into_iter().map(|(name, bytes)| ExportFile { ending: parquet_ending(name), bytes })
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
    ending == ".xlsx"
        || groupings.any(|by| ending == self::csv::ending(by))
        || NAMES.into_iter().any(is_frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACUS, Dim, Fact, ISSUES, Labels, MERGE_RATE, Metric};

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
        Facts { facts, trend, labels: Labels::default(), ..demo }
    }

    #[test]
    fn only_own_exports_are_recognized_by_name() {
        for file in parquet_files(vec![("sessions", Vec::new()), ("pull_requests", Vec::new())]) {
            assert!(is_export(&file.ending), "{}", file.ending);
        }
        for file in self::csv::files(&facts()).unwrap() {
            assert!(is_export(&file.ending), "{}", file.ending);
        }
        assert!(is_export(".xlsx") && is_export("_by-category.csv"));
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
