//! A report on disk, as its facts.

use std::path::Path;

use crate::deliver;
use crate::error::Error;
use crate::metrics::Facts;
use crate::text::shown;

/// A report on disk.
pub struct StoredReport {
    /// The name of its files, without extension.
    pub name: String,
    /// Its facts.
    pub facts: Facts,
}

impl StoredReport {
    /// Reads a report, given the path of its page or of its facts.
    ///
    /// # Errors
    /// There are no facts at the path, or this version cannot read them.
    pub fn read(report: &Path) -> Result<Self, Error> {
        let (name, json) = deliver::read_facts(report)?;
        let unreadable = |source| Error::Facts { path: shown(&report.with_extension("json")), source };
        Ok(Self { name, facts: Facts::from_json(&json).map_err(unreadable)? })
    }
}
