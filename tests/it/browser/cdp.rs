//! The DevTools protocol over two named pipes: NUL-separated JSON, no websocket.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FLAGS: [&str; 15] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-pipe",
];

/// A running Chromium and the two ends of its pipe. It is ended on drop.
pub struct Connection {
    child: Child,
    input: File,
    messages: Receiver<Value>,
    events: VecDeque<Value>,
    last_id: u64,
    folder: TempDir,
}

/// The path of a Chromium, or nothing where none is installed.
pub fn find() -> Option<String> {
    // The shell looks through PATH, so that nothing here reads the environment.
    let script = "command -v chromium || command -v chromium-browser || command -v google-chrome";
    let output = Command::new("sh").arg("-c").arg(script).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned).filter(|line| !line.is_empty())
}

impl Connection {
    /// Starts the program with a profile of its own and waits until it answers.
    ///
    /// # Errors
    /// In words; where Chromium died, with the end of what it wrote to stderr.
    pub fn start(program: &str) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("acumen-browser-").tempdir().map_err(text)?;
        let (there, back) = (folder.path().join("in"), folder.path().join("out"));
        let made = Command::new("mkfifo").arg(&there).arg(&back).status().map_err(text)?;
        if !made.success() {
            return Err("mkfifo failed".to_owned());
        }
        // Open for both directions at first: a pipe opened for one waits for its other side, and a
        // Chromium that dies before it opens its side would leave us waiting for ever.
        let both = |path: &Path| OpenOptions::new().read(true).write(true).open(path).map_err(text);
        let (input, held) = (both(&there)?, both(&back)?);
        let output = File::open(&back).map_err(text)?;
        let errors = File::create(folder.path().join("stderr")).map_err(text)?;
        let child = Command::new("sh")
            .arg("-c")
            .arg(r#"program=$1 in=$2 out=$3; shift 3; exec "$program" "$@" 3<"$in" 4>"$out""#)
            .arg("sh")
            .arg(program)
            .args([&there, &back])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(text)?;
        let messages = listen(output);
        let mut connection = Self { child, input, messages, events: VecDeque::new(), last_id: 0, folder };
        let greeting = connection.call(None, "Browser.getVersion", json!({}), Duration::from_secs(60));
        // Chromium holds its side by now; with ours let go, its end becomes the end of the stream.
        drop(held);
        greeting?;
        Ok(connection)
    }

    /// Sends one command and gives its result; events that arrive meanwhile are kept.
    ///
    /// # Errors
    /// The protocol's own error, a lost connection, or silence for `patience`.
    pub fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
        patience: Duration,
    ) -> Result<Value, String> {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let (Some(session), Some(object)) = (session, message.as_object_mut()) {
            object.insert("sessionId".to_owned(), json!(session));
        }
        let mut bytes = serde_json::to_vec(&message).map_err(text)?;
        bytes.push(0);
        self.input.write_all(&bytes).map_err(|error| format!("{method}: {error}"))?;
        let deadline = Instant::now() + patience;
        loop {
            let mut answer = self.receive(deadline).map_err(|error| format!("{method}: {error}"))?;
            if answer.get("id").and_then(Value::as_u64) == Some(id) {
                return match answer.get("error") {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(answer["result"].take()),
                };
            }
            self.keep(answer);
        }
    }

    /// Waits until the session has sent an event of this name; the event stays among the others.
    ///
    /// # Errors
    /// A lost connection, or no such event for `patience`.
    pub fn wait(&mut self, session: &str, method: &str, patience: Duration) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        let wanted = |event: &Value| event["sessionId"] == session && event["method"] == method;
        while !self.events.iter().any(wanted) {
            let event = self.receive(deadline).map_err(|error| format!("{method}: {error}"))?;
            self.keep(event);
        }
        Ok(())
    }

    /// All events of the session so far, oldest first; they are forgotten here.
    pub fn take_events(&mut self, session: &str) -> Vec<Value> {
        let (mine, rest) = self.events.drain(..).partition(|event| event["sessionId"] == session);
        self.events = rest;
        Vec::from(mine)
    }

    fn keep(&mut self, message: Value) {
        // Answers to commands that were given up on carry no method.
        if message.get("method").is_some() {
            self.events.push_back(message);
        }
    }

    fn receive(&mut self, deadline: Instant) -> Result<Value, String> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left.min(Duration::from_millis(200))) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Disconnected) => return Err(self.gone()),
                // While our own hold on the pipe is needed, its end does not tell of a death.
                Err(RecvTimeoutError::Timeout) => match self.child.try_wait() {
                    Ok(Some(_)) => return Err(self.gone()),
                    _ if left.is_zero() => return Err("no answer in time".to_owned()),
                    _ => {}
                },
            }
        }
    }

    fn gone(&self) -> String {
        format!("Chromium is gone\n{}", self.stderr())
    }

    fn stderr(&self) -> String {
        let all = std::fs::read(self.folder.path().join("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&all[all.len().saturating_sub(2000)..]).into_owned()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Asked first, so that its helpers stop writing before the profile is removed; the stream's
        // end is the sign that it has gone.
        if self.input.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0").is_ok() {
            let deadline = Instant::now() + Duration::from_secs(5);
            while self.receive(deadline).is_ok() {}
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(output: File) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for bytes in BufReader::new(output).split(0) {
            let message = bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let Some(message) = message else { return };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The bytes behind a base64 text, as the protocol sends pictures; other characters are skipped.
pub fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}
