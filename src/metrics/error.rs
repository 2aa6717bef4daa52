//! The error of this stage.

use polars::prelude::PolarsError;

/// A number could not be computed: an internal error.
#[derive(Debug, thiserror::Error)]
#[error("could not compute {what}: {source}")]
pub struct MetricsError {
    what: &'static str,
    source: PolarsError,
}

impl MetricsError {
    /// Wraps an error of Polars with what was being computed.
    pub(super) fn of(what: &'static str) -> impl Fn(PolarsError) -> Self {
        move |source| Self { what, source }
    }
}
