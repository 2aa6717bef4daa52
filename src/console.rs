//! What a person sees while a report is made: a bar on a terminal, plain lines
//! elsewhere, warnings alone when asked to be quiet. All of it goes to standard error,
//! as lines of text or as JSON objects.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::{debug, error, info, warn};

use crate::logging::{MESSAGES, is_json};
use crate::text::harmless;
use devin_api::Progress;

/// Pages between two lines if the total is unknown.
const PAGES_A_LINE: u64 = 10;

/// Standard error, as a run uses it; clones share it.
#[derive(Clone)]
pub enum Console {
    /// Nothing but errors, and warnings about the data.
    Quiet,
    /// A bar, with lines above it for what goes wrong.
    Bar(ProgressBar),
    /// Lines, with at most one for each tenth of the way.
    Lines(Arc<AtomicU64>),
}

impl Console {
    /// Quiet if asked, a bar on a terminal, lines elsewhere and beside other lines of a log.
    pub fn new(quiet: bool, logs: bool) -> Self {
        match (quiet, stderr().is_terminal() && !logs && !is_json()) {
            (true, _) => Self::Quiet,
            (false, false) => Self::Lines(Arc::default()),
            (false, true) => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                Self::Bar(bar.with_message("fetching"))
            }
        }
    }

    /// Prints a line unless quiet.
    pub fn say(&self, line: &str) {
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => bar.suspend(|| write_line(line)),
            Self::Lines(_) => write_line(line),
        }
    }

    /// Prints a warning, with `--quiet` too: the page of a scheduled run may go unread.
    pub fn warn(&self, line: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| write_warning(line)),
            Self::Quiet | Self::Lines(_) => write_warning(line),
        }
    }

    /// Reports one step of the fetch.
    pub fn tell(&self, progress: Progress) {
        match progress {
            Progress::Asked { path, from, to, updated_from } => {
                let changed = updated_from
                    .map_or_else(String::new, |moment| format!(", changed since {}", moment.to_rfc3339()));
                self.say(&format!(
                    "fetching {path}, sessions created {} to {}{}",
                    from.to_rfc3339(),
                    to.to_rfc3339(),
                    changed
                ));
            }
            Progress::Singly { sessions } => {
                self.say(&format!("refreshing sessions that run or have open pull requests: {sessions}"));
            }
            Progress::Reading { path, files, left_out } => {
                let of = if files == 1 { String::new() } else { format!(", {files} files") };
                self.say(&format!("reading saved pages from {path}{of}"));
                match left_out {
                    0 => {}
                    1 => self.say("skipped 1 file because of its name"),
                    _ => self.say(&format!("skipped {left_out} files because of their names")),
                }
                self.measure(None);
            }
            Progress::Total(total) => self.begin(total),
            Progress::Page { pages, sessions, total } => {
                debug!(pages, sessions, total, "page");
                self.page(pages, sessions, total);
            }
            Progress::Retry { attempt, class, wait, path } => {
                let wait = wait.as_secs_f64();
                self.say(&format!("attempt {attempt} failed ({class}), retrying in {wait:.1} s: {path}"));
            }
            Progress::Again { walk, reason } => {
                self.say(&format!("reading everything again, walk {walk}: {reason}"));
            }
            Progress::Archived => {
                self.say("the listing omits archived sessions: fetching them as well");
            }
            Progress::Done { requests, retries, waited } => {
                let waited = waited.as_secs_f64();
                self.say(&format!("{requests} requests, {retries} retries, {waited:.1} s spent waiting"));
            }
        }
    }

    /// Clears the bar.
    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    /// Sets the total of a bar.
    fn measure(&self, total: Option<u64>) {
        let Self::Bar(bar) = self else { return };
        // Without a count the progress is unknown.
        let template = match total {
            Some(_) => "{bar:28} {pos} of {len} sessions, {msg}, {eta} left",
            None => "{spinner} {pos} sessions, {msg}",
        };
        if let Some(total) = total {
            bar.set_length(total);
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
    }

    fn begin(&self, total: Option<u64>) {
        self.measure(total);
        match self {
            Self::Lines(_) => match total {
                Some(total) => self.say(&format!("{total} sessions to read")),
                None => self.say("the server does not report how many sessions there are"),
            },
            Self::Quiet | Self::Bar(_) => {}
        }
    }

    fn page(&self, pages: u64, sessions: u64, total: Option<u64>) {
        match self {
            Self::Bar(bar) => {
                bar.set_position(sessions);
                bar.set_message(format!("{pages} pages"));
            }
            Self::Lines(reported) => {
                // Of an unknown number, a line every few pages.
                let tenth = match total {
                    Some(total) => sessions * 10 / total.max(1),
                    None => pages / PAGES_A_LINE,
                };
                if reported.swap(tenth, Ordering::Relaxed) != tenth {
                    let of = total.map_or_else(String::new, |total| format!(" of {total}"));
                    write_line(&format!("{sessions}{of} sessions in {pages} pages"));
                }
            }
            Self::Quiet => {}
        }
    }
}

/// Writes a line to standard error.
pub fn write_line(line: &str) {
    match is_json() {
        true => info!(target: MESSAGES, "{}", harmless(line)),
        false => write(line),
    }
}

/// Writes a warning to standard error.
fn write_warning(line: &str) {
    match is_json() {
        true => warn!(target: MESSAGES, "{}", harmless(line)),
        false => write(&format!("warning: {line}")),
    }
}

/// Writes to standard error what went wrong, what is on the disk all the same, and what to do.
pub fn write_error(what: &str, kept: Option<&str>, hint: &str) {
    let (what, hint) = (harmless(what), harmless(hint));
    match is_json() {
        true => error!(target: MESSAGES, kept, hint = &*hint, "{what}"),
        false => {
            let kept = kept.map_or_else(String::new, |kept| format!("note: {kept}\n"));
            write(&format!("error: {what}\n{kept}hint: {hint}"));
        }
    }
}

/// A closed standard error is not an error.
fn write(text: &str) {
    let _ = writeln!(stderr(), "{}", harmless(text));
}
