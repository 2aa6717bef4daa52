//! How a command ends early: by an error, a signal or a panic.

use crate::console::{write_error, write_line};
use crate::error::Error;
use crate::exit::{Exit, Explain};
use devin_api::HeartbeatEvent;

/// What is on disk by default.
const NOTHING: &str = "nothing written";

/// Why a command ended early.
#[derive(Debug)]
pub enum Ended {
    /// A stage failed.
    Failed {
        /// How.
        error: Box<Error>,
        /// What is on the disk all the same, where the command writes files.
        kept: Option<&'static str>,
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
            Self::Signal { exit, .. } => *exit,
        }
    }

    /// Prints what went wrong, what is on the disk all the same, and what to do.
    pub fn print(&self) {
        match self {
            Self::Failed { error, kept } => {
                write_error(&error.to_string(), *kept, &error.hint());
            }
            Self::Signal { word, left, .. } => write_line(&format!("{word}: {}", left.unwrap_or(NOTHING))),
        }
    }

    /// The event for the monitor.
    pub(super) fn event(&self) -> HeartbeatEvent {
        let (cause, hurry) = match self {
            Self::Failed { error, .. } => (error.to_string(), false),
            Self::Signal { word, .. } => ((*word).to_owned(), true),
        };
        HeartbeatEvent::Failed { code: self.exit().code(), cause, hurry }
    }
}
