//! Turns an organisation's Devin sessions into one clear, self-contained HTML report.

pub mod charts;
pub mod fetch;
pub mod frame;
pub mod metrics;
pub mod period;
pub mod report;
pub mod simulator;
pub mod unit;
