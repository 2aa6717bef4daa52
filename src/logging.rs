//! How standard error is written: as lines for people, or as JSON objects for programs that
//! collect logs, and which events of the run are written beside its messages.

use std::io::stderr;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tracing::level_filters::LevelFilter;
use tracing::{error, info};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::cli::LogFormat;

/// Whether every line is a JSON object: set once, before the first line.
static JSON: AtomicBool = AtomicBool::new(false);

/// The crates whose events are written. Others, such as the HTTP client, could log the key.
const OWN: [&str; 3] = ["acumen", "devin_api", STAGES];

/// The target of the events with the duration of a stage.
const STAGES: &str = "stage";

/// The target of the events that are the messages of the run.
pub const MESSAGES: &str = "message";

/// Begins to log: 1 (`-v`) is stages, walks and steps of an archive, 2 (`-vv`) requests and
/// pages as well. In JSON the messages of the run are events too. To be called once.
pub fn start(format: LogFormat, verbosity: u8) {
    let level = match verbosity {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let own = Targets::new().with_targets(OWN.map(|target| (target, level)));
    // A closed standard error must not end the run.
    let events = fmt::layer().with_writer(stderr).with_ansi(false).log_internal_errors(false);
    match format {
        LogFormat::Text if verbosity == 0 => {}
        LogFormat::Text => tracing_subscriber::registry().with(events.with_filter(own)).init(),
        LogFormat::Json => {
            let filter = own.with_target(MESSAGES, level.max(LevelFilter::INFO));
            let events = events.json().flatten_event(true).with_filter(filter);
            tracing_subscriber::registry().with(events).init();
            JSON.store(true, Ordering::Relaxed);
            panic::set_hook(Box::new(|panic| error!(target: MESSAGES, "{panic}")));
        }
    }
}

/// Whether every line of standard error is a JSON object.
pub fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// What a stage gives; how long it took is logged.
pub fn timed<T>(stage: &'static str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    info!(target: STAGES, stage, seconds = seconds_since(begun), "stage done");
    done
}

/// The seconds since a moment, to the millisecond.
pub fn seconds_since(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 1e3).round() / 1e3
}
