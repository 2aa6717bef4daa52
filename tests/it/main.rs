//! Integration tests: one binary, because each test binary links Polars again.

// The attribute tells clippy that helpers here are test code too.
#[cfg(test)]
mod oracle;
