//! How a command ends other than well: by an error, a signal, a panic, or an alert.

use crate::console::{write_error, write_line};
use crate::error::Error;
use crate::exit::{Exit, Explain};
use devin_api::HeartbeatEvent;

/// The most alerts that the line about them names.
const MOST_ALERTS: usize = 3;

/// What to do about an alert.
const ALERT_HINT: &str =
    "read the report, which lists its alerts first; without --fail-on-alert this run exits with 0";

/// What is on disk by default.
const NOTHING: &str = "nothing written";

/// Why a command did not end well.
#[derive(Debug)]
pub enum Ended {
    /// A stage failed.
    Failed {
        /// How.
        error: Box<Error>,
        /// What is on the disk all the same, where the command writes files.
        kept: Option<&'static str>,
    },
    /// Everything is done, and the report has alerts that are to fail the run.
    Alert {
        /// Them, in a line.
        alerts: String,
        /// What is on the disk.
        kept: &'static str,
    },
    /// A signal came.
    Signal {
        /// What it did, in a word: `interrupted`.
        word: &'static str,
        /// How the run ends.
        exit: Exit,
        /// What is on the disk, or was sent, all the same.
        left: Option<&'static str>,
    },
}

impl<E: Into<Error>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed { error: Box::new(error.into()), kept: None }
    }
}

impl Ended {
    /// The end of a run by a signal.
    pub(super) fn signal((word, exit): (&'static str, Exit)) -> Self {
        Self::Signal { word, exit, left: None }
    }

    /// The end of a run whose reports have these alerts, of which there is at least one; `kept` is what is on
    /// the disk.
    pub(super) fn alert(alerts: &[String], kept: &'static str) -> Self {
        let alerts = match alerts {
            [alert] => format!("there is an alert: {alert}"),
            alerts => {
                let more = if alerts.len() > MOST_ALERTS { "; and more" } else { "" };
                let first: Vec<&str> = alerts.iter().take(MOST_ALERTS).map(String::as_str).collect();
                format!("there are alerts: {}{more}", first.join("; "))
            }
        };
        Self::Alert { alerts, kept }
    }

    /// The same with what is on the disk after a failure.
    pub(super) fn keeping(self, kept: impl FnOnce(&Error) -> Option<&'static str>) -> Self {
        match self {
            Self::Failed { error, .. } => {
                let kept = kept(&error);
                Self::Failed { error, kept }
            }
            other => other,
        }
    }

    /// The same with what was done before a signal, unless more is known.
    pub(super) fn leaving(self, left: &'static str) -> Self {
        match self {
            Self::Signal { word, exit, left: None } => Self::Signal { word, exit, left: Some(left) },
            other => other,
        }
    }

    /// How the run ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Failed { error, .. } => error.exit(),
            Self::Alert { .. } => Exit::Alert,
            Self::Signal { exit, .. } => *exit,
        }
    }

    /// Prints what went wrong, what is on the disk all the same, and what to do.
    pub fn print(&self) {
        match self {
            Self::Failed { error, kept } => {
                write_error(&error.to_string(), *kept, &error.hint());
            }
            Self::Alert { alerts, kept } => write_error(alerts, Some(kept), ALERT_HINT),
            Self::Signal { word, left, .. } => write_line(&format!("{word}: {}", left.unwrap_or(NOTHING))),
        }
    }

    /// The event for the monitor.
    pub(super) fn event(&self) -> HeartbeatEvent {
        let (cause, hurry) = match self {
            Self::Failed { error, .. } => (error.to_string(), false),
            // The monitor watches runs, and this one did its work: an alert is about numbers.
            Self::Alert { .. } => return HeartbeatEvent::Succeeded,
            Self::Signal { word, .. } => ((*word).to_owned(), true),
        };
        HeartbeatEvent::Failed { code: self.exit().code(), cause, hurry }
    }
}
