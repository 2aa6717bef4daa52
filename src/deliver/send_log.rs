//! The send log records what was sent to whom, so that nothing is sent twice.
//!
//! JSON lines in a file under an exclusive lock. `sending` is on disk before the server receives
//! the message, `sent` or `refused` after its answer. If the last entry for a report and a
//! recipient is `sending`, delivery is unknown.

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

/// The file's name in the state folder.
const FILE_NAME: &str = "sent.jsonl";
/// The interval between attempts to take the lock.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// The log cannot be kept, so nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum SendLogError {
    /// An error of the disk.
    #[error("could not {attempt} {path}: {source}")]
    Disk {
        /// What was attempted …
        attempt: &'static str,
        /// … on this path.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// Another run holds the lock.
    #[error("another run has locked {path} for {waited} s")]
    Locked {
        /// The path of the log.
        path: String,
        /// How long this run waited, in seconds.
        waited: u64,
    },
    /// A line cannot be read.
    #[error("{path}: line {line} cannot be read")]
    Line {
        /// The path of the log.
        path: String,
        /// The line's number, from 1.
        line: usize,
    },
}

impl Explain for SendLogError {
    fn hint(&self) -> String {
        match self {
            Self::Disk { .. } => {
                "choose a writable folder with --state; nothing is sent without it".to_owned()
            }
            Self::Locked { .. } => "nothing sent; run again when the other run has ended".to_owned(),
            Self::Line { .. } => {
                "repair or remove that line; it may prevent a report from being sent twice".to_owned()
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

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendState {
    /// The server is about to receive the message.
    Sending,
    /// The server accepted it.
    Sent,
    /// The server refused it.
    Refused,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendLogEntry {
    /// RFC 3339, UTC: when the run started.
    pub at: String,
    /// What happened.
    pub state: SendState,
    /// The key of the report, a hash.
    pub report: String,
    /// The message's id; the service of a message to a chat.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// The keys of the recipients, each a hash of report and address. For a chat: hashes of the
    /// report and of whatever else is shown once, each with the chat.
    #[serde(rename = "copies")]
    pub recipient_keys: Vec<String>,
}

/// What the log knows about a report and a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastDelivery {
    /// Never sent, or always refused.
    None,
    /// Sent, by a run that started at this time.
    Sent(String),
    /// Possibly sent, by a run that started at this time and ended before the answer.
    Possible(String),
}

/// The open log, locked by this run.
#[derive(Debug)]
pub struct SendLog {
    file: File,
    path: PathBuf,
    entries: Vec<SendLogEntry>,
}

impl SendLog {
    /// Opens the log of a state folder as [`SendLog::try_open`] does, and waits at most this long
    /// for another run.
    ///
    /// # Errors
    /// As for [`SendLog::try_open`], or the other run takes longer.
    pub async fn open(folder: &Path, patience: Duration) -> Result<Self, SendLogError> {
        // A blocking lock would outlive the timeout.
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

    /// Opens the log of a state folder. Creates both if missing, readable by their owner alone.
    /// `None` if another run holds the lock.
    ///
    /// # Errors
    /// The disk fails, the file system has no locks, or a line cannot be read.
    pub fn try_open(folder: &Path) -> Result<Option<Self>, SendLogError> {
        let path = folder.join(FILE_NAME);
        let of = |attempt| failed(attempt, &path);
        create_private_folder(folder).map_err(failed("create the folder", folder))?;
        let mut file = regular_file::open_own(&path).map_err(of("open"))?;
        if !lock(&file).map_err(of("lock"))? {
            return Ok(None);
        }
        // A crash must not lose the new file's name.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(of("sync the folder of"))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(of("read"))?;
        // Nothing was sent on the basis of a line that a crash cut short.
        let complete_length = complete_length(&text);
        if complete_length < text.len() {
            text.truncate(complete_length);
            file.set_len(complete_length as u64).map_err(of("mend"))?;
        }
        file.seek(SeekFrom::End(0)).map_err(of("read"))?;
        let entries = entries(&text, &path)?;
        Ok(Some(Self { file, path, entries }))
    }

    /// What is known about a report and a recipient, by the key of both. `sent` holds whatever
    /// comes after it.
    pub fn past_delivery(&self, key: &str) -> PastDelivery {
        past_delivery(&self.entries, key)
    }

    /// Appends an entry and syncs it.
    ///
    /// # Errors
    /// The disk fails.
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

/// Whether a folder has a log that a run could continue. Waits for no other run and changes
/// nothing.
///
/// # Errors
/// The log cannot be read and written, or a line cannot be read.
pub fn check_send_log(folder: &Path) -> Result<bool, SendLogError> {
    let path = folder.join(FILE_NAME);
    if read(&path)?.is_none() {
        return Ok(false);
    }
    OpenOptions::new().append(true).open(&path).map_err(failed("open", &path))?;
    Ok(true)
}

/// What is known about each key; without a log, nothing. Waits for no other run and changes nothing.
///
/// # Errors
/// The log cannot be read.
pub fn past_deliveries(folder: &Path, keys: &[&str]) -> Result<Vec<PastDelivery>, SendLogError> {
    let entries = read(&folder.join(FILE_NAME))?.unwrap_or_default();
    Ok(keys.iter().map(|key| past_delivery(&entries, key)).collect())
}

/// The entries of a log; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<SendLogEntry>>, SendLogError> {
    let mut file = match regular_file::open(path, Links::Refuse) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path)(error)),
    };
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(failed("read", path))?;
    text.truncate(complete_length(&text));
    entries(&text, path).map(Some)
}

fn past_delivery(entries: &[SendLogEntry], key: &str) -> PastDelivery {
    let own = || entries.iter().filter(|entry| entry.recipient_keys.iter().any(|own| own == key));
    if let Some(sent) = own().rev().find(|entry| entry.state == SendState::Sent) {
        return PastDelivery::Sent(sent.at.clone());
    }
    match own().next_back() {
        Some(SendLogEntry { state: SendState::Sending, at, .. }) => PastDelivery::Possible(at.clone()),
        _ => PastDelivery::None,
    }
}

/// The length of all complete lines.
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

/// Takes the lock unless another run holds it.
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

    fn outcome_of(states: &[SendState]) -> PastDelivery {
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
    fn sent_and_possibly_sent_are_distinguished() {
        use SendState::{Refused, Sending, Sent};
        let at = || "2026-10-12T06:00:00Z".to_owned();
        assert_eq!(outcome_of(&[]), PastDelivery::None);
        assert_eq!(outcome_of(&[Sending]), PastDelivery::Possible(at()));
        assert_eq!(outcome_of(&[Sending, Sent]), PastDelivery::Sent(at()));
        assert_eq!(outcome_of(&[Sending, Refused]), PastDelivery::None);
        assert_eq!(outcome_of(&[Sending, Refused, Sending]), PastDelivery::Possible(at()));
        assert_eq!(
            outcome_of(&[Sending, Sent, Sending]),
            PastDelivery::Sent(at()),
            "a forced second mail does not undo the first"
        );
    }

    #[test]
    fn an_incomplete_last_line_is_dropped_and_other_bad_lines_are_errors() {
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
        assert!(error.to_string().ends_with("line 2 cannot be read"), "{error}");
    }

    #[test]
    fn the_log_is_exclusive_and_private() {
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
    async fn waiting_for_another_run_times_out() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        let error = SendLog::open(folder.path(), Duration::from_millis(1)).await.unwrap_err();
        assert!(matches!(error, SendLogError::Locked { .. }), "{error}");
        let (opened, ()) =
            tokio::join!(SendLog::open(folder.path(), Duration::from_secs(60)), async { drop(log) });
        opened.unwrap();
    }
}
