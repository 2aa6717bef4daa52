//! Integration tests: one binary, because each test binary links Polars again.

// The attributes tell clippy that helpers here are test code too.
#[cfg(test)]
mod agreement;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod archive;
#[cfg(test)]
mod archived;
#[cfg(test)]
mod attacker;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod chat;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod compared;
#[cfg(test)]
mod cycle_limits;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod documented;
#[cfg(test)]
mod editions;
#[cfg(test)]
mod export;
#[cfg(test)]
mod exported;
mod exported_odd;
#[cfg(test)]
mod field;
#[cfg(test)]
mod files;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod finance;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod leadership;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod merged_in_time;
#[cfg(test)]
mod minimum;
#[cfg(test)]
mod network;
#[cfg(test)]
mod options;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod outputs;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod partial;
#[cfg(feature = "pdf")]
#[cfg(test)]
mod pdf;
#[cfg(not(feature = "pdf"))]
#[cfg(test)]
mod pdf_absent;
#[cfg(test)]
mod people;
#[cfg(test)]
mod ping;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod recipes;
#[cfg(test)]
mod render;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod sql;
#[cfg(test)]
mod summary;
#[cfg(test)]
mod support;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod vendor;
