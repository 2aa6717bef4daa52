//! All integration tests in one binary, since each one links Polars again.

mod browser;
