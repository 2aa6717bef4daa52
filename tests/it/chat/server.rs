//! A chat on loopback: it takes messages as the services document them, refuses all others, and
//! answers as a test says.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::limits;
use crate::support::holds_no_key;

/// What only the chat may know.
pub const TOKEN: &str = "t0ken-8c41";
/// The parameter of its address that signs it.
pub const SIGNATURE: &str = "s1gnature";

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer to a message that keeps the limits.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// This status, with these header lines and this body. With 2xx the message is posted.
    Status(u16, &'static str, &'static str),
    /// It posts the message, and closes the connection without an answer.
    Hangs,
    /// It posts the message, and answers 200 once it is told to.
    Holds,
}

pub const TAKEN: Answer = Answer::Status(200, "", "ok");

/// A message that the chat posted: its service and its body.
pub type Posted = (String, Value);

#[derive(Default)]
struct Seen {
    answers: VecDeque<Answer>,
    /// The answer once the others are used up.
    last: Option<Answer>,
    requests: usize,
    posted: Vec<Posted>,
    flaws: Vec<String>,
}

/// A running chat; its threads end with the tests.
pub struct Chat {
    base: String,
    seen: Arc<Mutex<Seen>>,
    arrivals: Mutex<Receiver<()>>,
    release: Sender<()>,
}

impl Chat {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let ((arrived, arrivals), (release, released)) = (channel(), channel());
        let (log, released) = (Arc::clone(&seen), Arc::new(Mutex::new(released)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, arrived, released) = (Arc::clone(&log), arrived.clone(), Arc::clone(&released));
                std::thread::spawn(move || answer(stream, &log, &arrived, &released));
            }
        });
        Self { base, seen, arrivals: Mutex::new(arrivals), release }
    }

    /// Answers with these, in order, and then with 200.
    pub fn answering(answers: &[Answer]) -> Self {
        let chat = Self::start();
        chat.then(answers);
        chat
    }

    /// Answers always in this way.
    pub fn always(answer: Answer) -> Self {
        let chat = Self::start();
        chat.seen.lock().unwrap().last = Some(answer);
        chat
    }

    pub fn then(&self, answers: &[Answer]) {
        self.seen.lock().unwrap().answers.extend(answers);
    }

    /// The address of the webhook of a service: `slack` or `teams`.
    pub fn url(&self, service: &str) -> String {
        format!("{}/{service}/{TOKEN}?sig={SIGNATURE}", self.base)
    }

    /// The messages that it posted.
    pub fn posted(&self) -> Vec<Posted> {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.flaws, [""; 0], "a message breaks the limits");
        seen.posted.clone()
    }

    /// How many whole requests it read.
    pub fn requests(&self) -> usize {
        self.seen.lock().unwrap().requests
    }

    /// Waits until it has read a whole request.
    pub fn arrived(&self) {
        self.arrivals.lock().unwrap().recv_timeout(PATIENCE).expect("a message arrives");
    }

    /// Has it answer a message that it holds.
    pub fn release(&self) {
        let _ = self.release.send(());
    }
}

fn answer(
    mut stream: TcpStream,
    log: &Mutex<Seen>,
    arrived: &Sender<()>,
    released: &Mutex<Receiver<()>>,
) -> Option<()> {
    let (target, body) = read(&mut stream)?;
    let service = target.split('/').nth(1).unwrap_or_default().to_owned();
    let flaws = match service.as_str() {
        "slack" => limits::slack(&body),
        "teams" => limits::teams(&body),
        other => vec![format!("no service {other}")],
    };
    let answer = {
        let mut seen = log.lock().unwrap();
        seen.requests += 1;
        let answer = match flaws.is_empty() {
            true => seen.answers.pop_front().or(seen.last).unwrap_or(TAKEN),
            false => Answer::Status(400, "", "invalid_blocks"),
        };
        seen.flaws.extend(flaws);
        if !matches!(answer, Answer::Status(300.., ..)) {
            seen.posted.push((service, serde_json::from_slice(&body).unwrap_or_default()));
        }
        answer
    };
    let _ = arrived.send(());
    let (status, lines, said) = match answer {
        Answer::Status(status, lines, said) => (status, lines, said),
        Answer::Hangs => return None,
        Answer::Holds => {
            let _ = released.lock().unwrap().recv_timeout(PATIENCE);
            (200, "", "ok")
        }
    };
    let length = said.len();
    let head =
        format!("HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\n{lines}Connection: close\r\n\r\n");
    stream.write_all(format!("{head}{said}").as_bytes()).ok()
}

/// The target and the body of a whole request; nothing if the client went away.
fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).ok()?;
    let length =
        head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    holds_no_key(&format!("{head}{}", String::from_utf8_lossy(&body)));
    let mut words = head.split(' ');
    assert_eq!(words.next(), Some("POST"));
    let target = words.next()?.to_owned();
    assert!(target.ends_with(&format!("/{TOKEN}?sig={SIGNATURE}")), "{target}");
    assert!(head.to_lowercase().contains("content-type: application/json\r\n"), "{head}");
    Some((target, body))
}
