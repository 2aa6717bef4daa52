//! The password that a command prints.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::settings::{FoundKey, SettingsError};
use crate::text::clean;

/// What messages call the command; its words may hold a secret.
const SOURCE: &str = "--smtp-password-command";
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes that it may print.
const LARGEST: u64 = 64 << 10;
/// How long its output may stay open after its end: what it has started itself may hold it.
const GRACE: Duration = Duration::from_secs(1);
/// How often its end is looked for.
const GLANCE: Duration = Duration::from_millis(10);

/// What a command prints on its first line, without white space around it. It gets no
/// input, and what it prints to standard error is discarded.
///
/// # Errors
/// It cannot be started, fails, prints nothing that is text, or takes too long. No error
/// has anything in it that the command printed.
pub fn printed(words: &[String]) -> Result<FoundKey, SettingsError> {
    let (program, arguments) = words.split_first().expect("a command has a program");
    let refuse = |why: String| {
        Err(SettingsError::new(
            format!("{SOURCE}: {} {why}", clean(program, 200)),
            "run the command manually as the same user: its first line must be the password or access token",
        ))
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return refuse(format!("could not be started: {error}")),
    };
    let begun = Instant::now();
    let stdout = child.stdout.take().expect("its output is piped");
    let (sender, receiver) = channel();
    // Read while it runs: it would wait for ever in front of a full pipe.
    std::thread::spawn(move || {
        let (mut stdout, mut part) = (stdout.take(LARGEST + 1), [0; 4096]);
        loop {
            let read = stdout.read(&mut part);
            let read = read.map(|size| part.get(..size).expect("a read stays within its buffer").to_vec());
            let is_end = read.as_ref().map_or(true, Vec::is_empty);
            if sender.send(read).is_err() || is_end {
                return;
            }
        }
    });
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(GLANCE),
            _ => {
                let _ = child.kill().and_then(|()| child.wait());
                return refuse(format!("did not end within {} s", PATIENCE.as_secs()));
            }
        }
    };
    let (mut bytes, ended) = (Vec::new(), Instant::now());
    while let Ok(read) = receiver.recv_timeout(GRACE.saturating_sub(ended.elapsed())) {
        match read {
            Ok(part) => bytes.extend(part),
            Err(error) => return refuse(format!("could not be read: {error}")),
        }
    }
    if bytes.len() as u64 > LARGEST {
        return refuse(format!("printed more than {} KiB", LARGEST >> 10));
    }
    if !status.success() {
        return refuse(failed(status));
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return refuse("printed output that is not text".to_owned());
    };
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(FoundKey::new(line, SOURCE)),
        _ => refuse("printed nothing on its first line".to_owned()),
    }
}

fn failed(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("failed with exit status {code}"),
        None => "was killed by a signal".to_owned(),
    }
}
