//! Turns an organisation's Devin sessions into one clear, self-contained HTML report.

pub mod charts;
pub mod cli;
pub mod deliver;
pub mod fetch;
pub mod frame;
pub mod metrics;
pub mod period;
pub mod report;
pub mod settings;
pub mod simulator;
pub mod unit;
