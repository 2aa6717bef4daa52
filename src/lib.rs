//! Turns an organisation's Devin sessions into one clear, self-contained HTML
//! report.
//!
//! ```text
//!  settings ─► fetch ──pages──► frame ──Frames──► metrics ──Facts──► charts ──Svg──► report ──Html──► export ──files──► mail ──► deliver
//!              (API)            (Polars)          (Polars)          (plotters)      (minijinja)      (csv, xlsx)        (MIME)   (disk, SMTP)
//! ```
//!
//! The modules stand in the order in which they run. Only [`fetch`], [`archive`]
//! and [`deliver`] do I/O; everything from frames to HTML is one pure function,
//! [`document::compose`]. An archive keeps what was fetched, as tables, for
//! later runs.

// The stages, in the order in which they run; the blank lines keep it.
pub mod cli;

pub mod settings;

mod saved;

/// The client of the API, and saved pages, which are read by the same rules.
pub mod fetch {
    pub use crate::saved::{PageHandler, PagesError, Reach, Saved, UNFINISHED, saved, saved_files};
    pub use devin_api::*;
}

pub use devin_api::{proxy, register, tls};
pub use devin_simulator as simulator;

pub mod frame;

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
pub mod console;
pub mod cycle;
pub mod doctor;
pub mod document;
pub mod environment;
pub mod error;
pub mod exit;
pub mod logging;
pub mod money;
pub mod people;
pub mod period;
pub mod regular_file;
pub mod source;
pub mod text;
pub mod unit;
