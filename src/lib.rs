//! Turns an organisation's Devin sessions into one self-contained HTML report.
//!
//! ```text
//!  devin-api ─┐
//!  saved_pages├─► source ─Tables─► tables ─Frames─► metrics ─Facts─► report, charts ─Html─► deliver
//!  archive ───┘                                                      render, mail ──files──►
//! ```
//!
//! A command (`commands`) loads the sessions ([`source`]), composes every file of the report in memory
//! ([`document::compose`], a pure function), and delivers the files ([`deliver`]).

// The stages in the order in which they run; blank lines keep it.
pub mod cli;

pub mod settings;

pub mod saved_pages;

pub mod tables;

pub mod archive;

pub mod metrics;

pub mod charts;

pub mod report;

pub mod render;

pub mod mail;

pub mod deliver;

// Modules that all stages share, and modules above the stages.
pub mod alert;
pub mod catch_panic;
pub mod colours;
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
mod thread_pool;
pub mod unit;
