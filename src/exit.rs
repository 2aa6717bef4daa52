//! How a run ends, and what an error has to say to the person who reads it.

use std::process::ExitCode;

/// The exit codes, as `acumen --help` and docs/troubleshooting.md document them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// An internal error of this program.
    Bug = 1,
    /// Usage or settings; a certificate, TLS version or proxy that does not let the run through.
    Usage = 2,
    /// The key, or the login to the mail server, was refused.
    Denied = 3,
    /// Incomplete data: no report written, or none sent.
    Incomplete = 4,
    /// The API, the mail server or a chat could not be reached, or kept failing (retries included).
    Unreachable = 5,
    /// The run is done, and the report has an alert.
    Alert = 6,
    /// The API returned unexpected data, or an archive is damaged.
    Data = 65,
    /// A file or standard output could not be written, or the mail or the message to a chat not
    /// delivered for certain.
    Output = 74,
    /// The API, the mail server or a chat asks to come back later, or another run is at work.
    Later = 75,
    /// Ended by SIGINT: 128 and the signal's number.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Its number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What to do about a broken invariant.
pub const REPORT_IT: &str = "this is a bug in acumen: please report it with the line above";

/// What every error says besides what happened.
pub trait Explain {
    /// What to do about it: the last line that a person sees.
    fn hint(&self) -> String;

    /// How a run ends that ends with it.
    fn exit(&self) -> Exit;
}
