//! Turns an organisation's Devin sessions into one clear, self-contained HTML
//! report.
//!
//! ```text
//!  settings ─► fetch ──pages──► tables ─Frames──► metrics ──Facts──► charts ──Svg──► report ──Html──► export ──files──► mail ──► deliver
//!              (API)            (Polars)          (Polars)          (plotters)      (minijinja)      (csv, xlsx)        (MIME)   (disk, SMTP)
//! ```
//!
//! The modules stand in the order in which they run. Only [`fetch`], [`archive`]
//! and [`deliver`] do I/O; everything from frames to HTML is one pure function,
//! [`pipeline::compose`]. An archive keeps what was fetched, as tables, for
//! later runs.

// The stages, in the order in which they run; the blank lines keep it.
pub mod cli;

pub mod settings;

pub mod fetch;

pub mod tables;

pub mod archive;

pub mod metrics;

pub mod charts;

pub mod report;

pub mod export;

pub mod mail;

pub mod deliver;

// What the stages share, and what stands around them.
pub mod caught;
pub mod commands;
pub mod cycle;
pub mod doctor;
pub mod error;
pub mod money;
pub mod people;
pub mod period;
pub mod pipeline;
pub mod progress;
pub mod proxy;
pub mod register;
pub mod regular_file;
pub mod simulator;
pub mod text;
pub mod tls;
pub mod unit;
