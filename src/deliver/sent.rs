//! The send ledger: what was sent to whom, so that nothing is sent twice.
//!
//! A file of JSON lines under an exclusive lock. `sending` is on the disk before
//! the server gets the message, `sent` or `refused` after its answer. Where the
//! last word about a report and a person is `sending`, nobody can tell.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::exit::{Exit, Explain};
use crate::regular_file::{self, Links};
use crate::text::shown;

/// The ledger's name in the state folder.
const NAME: &str = "sent.jsonl";
/// How often a run that waits for the lock looks again.
const RETRY: Duration = Duration::from_millis(100);

/// The ledger cannot be kept, so nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk refuses.
    #[error("could not {attempt} {path}: {source}")]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// With what.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another run has it.
    #[error("another run has had {path} locked for {waited} s")]
    Locked {
        /// The ledger.
        path: String,
        /// How long this run waited, in seconds.
        waited: u64,
    },
    /// A line in it is none of ours.
    #[error("{path} has a line that cannot be read: line {line}")]
    Line {
        /// The ledger.
        path: String,
        /// The line's number, from 1.
        line: usize,
    },
}

impl Explain for LedgerError {
    fn hint(&self) -> String {
        match self {
            Self::Disk { .. } => {
                "choose a folder you may write to with --state; without it nothing is sent".to_owned()
            }
            Self::Locked { .. } => "nothing was sent; run it again once the other has ended".to_owned(),
            Self::Line { .. } => {
                "mend or remove that line; it may be what keeps a report from being sent twice".to_owned()
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Locked { .. } => Exit::Later,
            Self::Disk { .. } | Self::Line { .. } => Exit::Output,
        }
    }
}

/// A state of a report on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The server is about to get the message.
    Sending,
    /// The server took it.
    Sent,
    /// The server took none of it.
    Refused,
}

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// RFC 3339, UTC: when the run began.
    pub at: String,
    /// What happened.
    pub state: State,
    /// What is sent, as a hash.
    pub report: String,
    /// The message.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// This report to each of the people who get it, as hashes.
    pub copies: Vec<String>,
}

/// What the ledger knows of a report and a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was never sent, or always refused.
    Nothing,
    /// It was sent, at this time.
    Sent(String),
    /// It may have been sent, at this time: the run ended before the answer came.
    Perhaps(String),
}

/// The open ledger; whoever has it has it alone.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Opens the ledger of a state folder as [`Ledger::try_open`] does. While
    /// another run has it, this one waits, at most so long.
    ///
    /// # Errors
    /// As there, or the other run takes longer.
    pub async fn open(folder: &Path, patience: Duration) -> Result<Self, LedgerError> {
        // A lock that is waited for in the system would not end with the wait.
        let opened = timeout(patience, async {
            loop {
                match Self::try_open(folder).transpose() {
                    Some(ledger) => return ledger,
                    None => sleep(RETRY).await,
                }
            }
        });
        opened.await.unwrap_or_else(|_| {
            let path = folder.join(NAME).display().to_string();
            Err(LedgerError::Locked { path, waited: patience.as_secs() })
        })
    }

    /// Opens the ledger of a state folder, both made if missing and readable by
    /// their owner alone; nothing if another run has it.
    ///
    /// # Errors
    /// The disk refuses, the file system has no locks, or a line is none of ours.
    pub fn try_open(folder: &Path) -> Result<Option<Self>, LedgerError> {
        let path = folder.join(NAME);
        let of = |attempt| failed(attempt, &path);
        make(folder).map_err(failed("make the folder", folder))?;
        let mut file = regular_file::open_own(&path).map_err(of("open"))?;
        if !lock(&file).map_err(of("lock"))? {
            return Ok(None);
        }
        // Its name must not be forgotten in a crash.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(of("sync the folder of"))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(of("read"))?;
        // A line that was cut off by a crash was never acted upon.
        let whole = whole(&text);
        if whole < text.len() {
            text.truncate(whole);
            file.set_len(whole as u64).map_err(of("mend"))?;
        }
        file.seek(SeekFrom::End(0)).map_err(of("read"))?;
        let entries = entries(&text, &path)?;
        Ok(Some(Self { file, path, entries }))
    }

    /// What is known of a report to one person, by the hash of both. What was
    /// sent once stays sent, whatever happened to it later.
    pub fn known(&self, copy: &str) -> Known {
        let own = || self.entries.iter().filter(|entry| entry.copies.iter().any(|own| own == copy));
        if let Some(sent) = own().rev().find(|entry| entry.state == State::Sent) {
            return Known::Sent(sent.at.clone());
        }
        match own().next_back() {
            Some(Entry { state: State::Sending, at, .. }) => Known::Perhaps(at.clone()),
            _ => Known::Nothing,
        }
    }

    /// Adds a line; it is on the disk when this returns.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn add(&mut self, entry: Entry) -> Result<(), LedgerError> {
        let mut line = serde_json::to_string(&entry)
            .map_err(|error| failed("write", &self.path)(io::Error::other(error)))?;
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(failed("write", &self.path))?;
        self.file.sync_all().map_err(failed("sync", &self.path))?;
        self.entries.push(entry);
        Ok(())
    }
}

/// Whether there is a ledger in a folder that a run could go on with, found out
/// without waiting for another run or changing anything.
///
/// # Errors
/// What is there cannot be read and written, or has a line that is none of ours.
pub fn look_ledger(folder: &Path) -> Result<bool, LedgerError> {
    let path = folder.join(NAME);
    let mut file = match regular_file::open(&path, Links::Refuse) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("open", &path)(error)),
    };
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(failed("read", &path))?;
    OpenOptions::new().append(true).open(&path).map_err(failed("open", &path))?;
    text.truncate(whole(&text));
    entries(&text, &path).map(|_| true)
}

/// How much of a ledger are whole lines.
fn whole(text: &[u8]) -> usize {
    text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn entries(text: &[u8], path: &Path) -> Result<Vec<Entry>, LedgerError> {
    let read = |(index, line): (usize, &[u8])| {
        let path = shown(path);
        serde_json::from_slice(line).map_err(|_| LedgerError::Line { path, line: index + 1 })
    };
    let lines = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(read).collect()
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LedgerError {
    let path = shown(path);
    move |source| LedgerError::Disk { attempt, path, source }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Takes the lock if nobody has it.
fn lock(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(copy: &str, state: State) -> Entry {
        Entry {
            at: "2026-10-12T06:00:00Z".to_owned(),
            state,
            report: "r".to_owned(),
            message_id: "<x@y>".to_owned(),
            subject: "Devin".to_owned(),
            copies: vec!["other".to_owned(), copy.to_owned()],
        }
    }

    fn open(folder: &Path) -> Ledger {
        Ledger::try_open(folder).unwrap().expect("nobody has it")
    }

    fn told(states: &[State]) -> Known {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = open(folder.path());
        states.iter().for_each(|state| ledger.add(entry("a", *state)).unwrap());
        drop(ledger);
        let ledger = open(folder.path());
        assert_eq!((ledger.known("b"), ledger.known("r")), (Known::Nothing, Known::Nothing));
        ledger.known("a")
    }

    #[test]
    fn what_was_sent_is_known_and_what_may_have_been_is_not_taken_for_either() {
        use State::{Refused, Sending, Sent};
        let at = || "2026-10-12T06:00:00Z".to_owned();
        assert_eq!(told(&[]), Known::Nothing);
        assert_eq!(told(&[Sending]), Known::Perhaps(at()));
        assert_eq!(told(&[Sending, Sent]), Known::Sent(at()));
        assert_eq!(told(&[Sending, Refused]), Known::Nothing);
        assert_eq!(told(&[Sending, Refused, Sending]), Known::Perhaps(at()));
        assert_eq!(
            told(&[Sending, Sent, Sending]),
            Known::Sent(at()),
            "a forced second mail does not undo the first"
        );
    }

    #[test]
    fn a_torn_last_line_is_forgotten_and_any_other_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        open(folder.path()).add(entry("a", State::Sent)).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for cut in [1, 10, whole.len() - 1] {
            fs::write(&path, format!("{whole}{}", &whole[..cut])).unwrap();
            let mut ledger = open(folder.path());
            assert!(matches!(ledger.known("a"), Known::Sent(_)));
            ledger.add(entry("b", State::Sent)).unwrap();
            drop(ledger);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&whole) && text.lines().count() == 2, "{text}");
        }
        fs::write(&path, format!("{whole}half\n{whole}")).unwrap();
        let error = Ledger::try_open(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("line 2"), "{error}");
    }

    #[test]
    fn only_one_has_it_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/b");
        let ledger = open(&state);
        assert!(Ledger::try_open(&state).unwrap().is_none());
        drop(ledger);
        assert!(Ledger::try_open(&state).unwrap().is_some());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join(NAME))), (0o700, 0o600));
    }

    #[tokio::test]
    async fn the_wait_for_another_run_ends() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path());
        let error = Ledger::open(folder.path(), Duration::from_millis(1)).await.unwrap_err();
        assert!(matches!(error, LedgerError::Locked { .. }), "{error}");
        let (opened, ()) =
            tokio::join!(Ledger::open(folder.path(), Duration::from_secs(60)), async { drop(ledger) });
        opened.unwrap();
    }
}
