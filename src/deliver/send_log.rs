//! The send log: what was sent to whom, so that nothing is sent twice.
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

/// The log's name in the state folder.
const FILE_NAME: &str = "sent.jsonl";
/// How often a run that waits for the lock looks again.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// The log cannot be kept, so nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum SendLogError {
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
        /// The log.
        path: String,
        /// How long this run waited, in seconds.
        waited: u64,
    },
    /// A line in it is none of ours.
    #[error("{path} has a line that cannot be read: line {line}")]
    Line {
        /// The log.
        path: String,
        /// The line's number, from 1.
        line: usize,
    },
}

impl Explain for SendLogError {
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
pub enum SendState {
    /// The server is about to get the message.
    Sending,
    /// The server took it.
    Sent,
    /// The server took none of it.
    Refused,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendLogEntry {
    /// RFC 3339, UTC: when the run began.
    pub at: String,
    /// What happened.
    pub state: SendState,
    /// What is sent, as a hash.
    pub report: String,
    /// The message.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// This report to each of the people who get it, as hashes.
    #[serde(rename = "copies")]
    pub recipient_keys: Vec<String>,
}

/// What the log knows of a report and a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastDelivery {
    /// It was never sent, or always refused.
    None,
    /// It was sent, at this time.
    Sent(String),
    /// It may have been sent, at this time: the run ended before the answer came.
    Possible(String),
}

/// The open log; whoever has it has it alone.
#[derive(Debug)]
pub struct SendLog {
    file: File,
    path: PathBuf,
    entries: Vec<SendLogEntry>,
}

impl SendLog {
    /// Opens the log of a state folder as [`SendLog::try_open`] does. While
    /// another run has it, this one waits, at most so long.
    ///
    /// # Errors
    /// As there, or the other run takes longer.
    pub async fn open(folder: &Path, patience: Duration) -> Result<Self, SendLogError> {
        // A lock that is waited for in the system would not end with the wait.
        let opened = timeout(patience, async {
            loop {
                match Self::try_open(folder).transpose() {
                    Some(log) => return log,
                    None => sleep(LOCK_POLL).await,
                }
            }
        });
        opened.await.unwrap_or_else(|_| {
            let path = folder.join(FILE_NAME).display().to_string();
            Err(SendLogError::Locked { path, waited: patience.as_secs() })
        })
    }

    /// Opens the log of a state folder, both made if missing and readable by
    /// their owner alone; nothing if another run has it.
    ///
    /// # Errors
    /// The disk refuses, the file system has no locks, or a line is none of ours.
    pub fn try_open(folder: &Path) -> Result<Option<Self>, SendLogError> {
        let path = folder.join(FILE_NAME);
        let of = |attempt| failed(attempt, &path);
        create_private_folder(folder).map_err(failed("make the folder", folder))?;
        let mut file = regular_file::open_own(&path).map_err(of("open"))?;
        if !lock(&file).map_err(of("lock"))? {
            return Ok(None);
        }
        // Its name must not be forgotten in a crash.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(of("sync the folder of"))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(of("read"))?;
        // A line that was cut off by a crash was never acted upon.
        let complete_length = complete_length(&text);
        if complete_length < text.len() {
            text.truncate(complete_length);
            file.set_len(complete_length as u64).map_err(of("mend"))?;
        }
        file.seek(SeekFrom::End(0)).map_err(of("read"))?;
        let entries = entries(&text, &path)?;
        Ok(Some(Self { file, path, entries }))
    }

    /// What is known of a report to one person, by the hash of both. What was
    /// sent once stays sent, whatever happened to it later.
    pub fn past_delivery(&self, key: &str) -> PastDelivery {
        let own = || self.entries.iter().filter(|entry| entry.recipient_keys.iter().any(|own| own == key));
        if let Some(sent) = own().rev().find(|entry| entry.state == SendState::Sent) {
            return PastDelivery::Sent(sent.at.clone());
        }
        match own().next_back() {
            Some(SendLogEntry { state: SendState::Sending, at, .. }) => PastDelivery::Possible(at.clone()),
            _ => PastDelivery::None,
        }
    }

    /// Adds a line; it is on the disk when this returns.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn add(&mut self, entry: SendLogEntry) -> Result<(), SendLogError> {
        let mut line = serde_json::to_string(&entry)
            .map_err(|error| failed("write", &self.path)(io::Error::other(error)))?;
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(failed("write", &self.path))?;
        self.file.sync_all().map_err(failed("sync", &self.path))?;
        self.entries.push(entry);
        Ok(())
    }
}

/// Whether there is a log in a folder that a run could go on with, found out
/// without waiting for another run or changing anything.
///
/// # Errors
/// What is there cannot be read and written, or has a line that is none of ours.
pub fn check_send_log(folder: &Path) -> Result<bool, SendLogError> {
    let path = folder.join(FILE_NAME);
    let mut file = match regular_file::open(&path, Links::Refuse) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("open", &path)(error)),
    };
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(failed("read", &path))?;
    OpenOptions::new().append(true).open(&path).map_err(failed("open", &path))?;
    text.truncate(complete_length(&text));
    entries(&text, &path).map(|_| true)
}

/// How much of a log are whole lines.
fn complete_length(text: &[u8]) -> usize {
    text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn entries(text: &[u8], path: &Path) -> Result<Vec<SendLogEntry>, SendLogError> {
    let read = |(index, line): (usize, &[u8])| {
        let path = shown(path);
        serde_json::from_slice(line).map_err(|_| SendLogError::Line { path, line: index + 1 })
    };
    let lines = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(read).collect()
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SendLogError {
    let path = shown(path);
    move |source| SendLogError::Disk { attempt, path, source }
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
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

    fn entry(key: &str, state: SendState) -> SendLogEntry {
        SendLogEntry {
            at: "2026-10-12T06:00:00Z".to_owned(),
            state,
            report: "r".to_owned(),
            message_id: "<x@y>".to_owned(),
            subject: "Devin".to_owned(),
            recipient_keys: vec!["other".to_owned(), key.to_owned()],
        }
    }

    fn open(folder: &Path) -> SendLog {
        SendLog::try_open(folder).unwrap().expect("nobody has it")
    }

    fn told(states: &[SendState]) -> PastDelivery {
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(folder.path());
        states.iter().for_each(|state| log.add(entry("a", *state)).unwrap());
        drop(log);
        let log = open(folder.path());
        assert_eq!(
            (log.past_delivery("b"), log.past_delivery("r")),
            (PastDelivery::None, PastDelivery::None)
        );
        log.past_delivery("a")
    }

    #[test]
    fn what_was_sent_is_known_and_what_may_have_been_is_not_taken_for_either() {
        use SendState::{Refused, Sending, Sent};
        let at = || "2026-10-12T06:00:00Z".to_owned();
        assert_eq!(told(&[]), PastDelivery::None);
        assert_eq!(told(&[Sending]), PastDelivery::Possible(at()));
        assert_eq!(told(&[Sending, Sent]), PastDelivery::Sent(at()));
        assert_eq!(told(&[Sending, Refused]), PastDelivery::None);
        assert_eq!(told(&[Sending, Refused, Sending]), PastDelivery::Possible(at()));
        assert_eq!(
            told(&[Sending, Sent, Sending]),
            PastDelivery::Sent(at()),
            "a forced second mail does not undo the first"
        );
    }

    #[test]
    fn a_torn_last_line_is_forgotten_and_any_other_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        open(folder.path()).add(entry("a", SendState::Sent)).unwrap();
        let complete_length = fs::read_to_string(&path).unwrap();
        for cut in [1, 10, complete_length.len() - 1] {
            fs::write(&path, format!("{complete_length}{}", &complete_length[..cut])).unwrap();
            let mut log = open(folder.path());
            assert!(matches!(log.past_delivery("a"), PastDelivery::Sent(_)));
            log.add(entry("b", SendState::Sent)).unwrap();
            drop(log);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&complete_length) && text.lines().count() == 2, "{text}");
        }
        fs::write(&path, format!("{complete_length}half\n{complete_length}")).unwrap();
        let error = SendLog::try_open(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("line 2"), "{error}");
    }

    #[test]
    fn only_one_has_it_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/b");
        let log = open(&state);
        assert!(SendLog::try_open(&state).unwrap().is_none());
        drop(log);
        assert!(SendLog::try_open(&state).unwrap().is_some());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join(FILE_NAME))), (0o700, 0o600));
    }

    #[tokio::test]
    async fn the_wait_for_another_run_ends() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        let error = SendLog::open(folder.path(), Duration::from_millis(1)).await.unwrap_err();
        assert!(matches!(error, SendLogError::Locked { .. }), "{error}");
        let (opened, ()) =
            tokio::join!(SendLog::open(folder.path(), Duration::from_secs(60)), async { drop(log) });
        opened.unwrap();
    }
}
