//! The network of a company: certificates of its own, and proxies.

mod certificates;
mod proxies;
mod proxy;
pub mod server;

use std::path::Path;
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};

use crate::support::{Served, acumen};

/// A small organisation.
fn served() -> Served {
    Served::new(Organisation::invent(&Recipe { sessions: 30, ..Recipe::demo() }), Options::default())
}

/// The flags of a quick report.
const WEEK: [&str; 7] = ["--org", "org_demo", "--week", "2026-W41", "--trend", "0", "--no-reconcile"];

/// `acumen report` of one week, from an address.
fn report(folder: &Path, url: &str) -> Command {
    let mut command = acumen(folder);
    command.args(["report", "--base-url", url, "--out", "."]).args(WEEK);
    command
}
