//! A server on loopback that answers as a closure says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its place among all requests, from 1.
    pub number: usize,
    pub target: String,
    pub head: String,
    pub arrived: Instant,
}

impl Asked {
    pub fn value(&self, name: &str) -> Option<u64> {
        let (_, query) = self.target.split_once('?')?;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse().ok())
    }

    pub fn skip(&self) -> u64 {
        self.value("skip").unwrap()
    }

    pub fn limit(&self) -> u64 {
        self.value("limit").unwrap()
    }
}

/// What goes over the wire before the connection is closed.
pub struct Reply(pub Vec<u8>);

pub fn reply(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    Reply(text.into_bytes())
}

pub fn json(status: u16, body: &str) -> Reply {
    reply(status, "Content-Type: application/json\r\n", body)
}

pub struct Server {
    pub base: String,
    log: Arc<Mutex<Vec<Asked>>>,
    peak: Arc<AtomicUsize>,
}

impl Server {
    pub fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// Most requests that were under way at once.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// Skips asked for, in rising order.
    pub fn skips(&self) -> Vec<u64> {
        let mut skips: Vec<u64> = self.log().iter().map(Asked::skip).collect();
        skips.sort_unstable();
        skips
    }
}

pub fn serve(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let log = Arc::new(Mutex::new(Vec::new()));
    let peak = Arc::new(AtomicUsize::new(0));
    let under_way = Arc::new(AtomicUsize::new(0));
    let answer = Arc::new(answer);
    let server = Server { base, log: Arc::clone(&log), peak: Arc::clone(&peak) };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (log, peak, under_way, answer) =
                (Arc::clone(&log), Arc::clone(&peak), Arc::clone(&under_way), Arc::clone(&answer));
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let Some(head) = read_head(&mut stream) else { return };
                let asked = {
                    let mut log = log.lock().unwrap();
                    let target = head.split(' ').nth(1).unwrap().to_owned();
                    let number = log.len() + 1;
                    log.push(Asked { number, target, head, arrived: Instant::now() });
                    log.last().unwrap().clone()
                };
                peak.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let Reply(bytes) = answer(&asked);
                // Before the answer leaves, since the next request may come before this line otherwise.
                under_way.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(&bytes);
            });
        }
    });
    server
}

/// The head of a request, and nothing after it.
pub fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut piece = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece).ok()? {
            0 => return None,
            length => head.extend(&piece[..length]),
        }
    }
    String::from_utf8(head).ok()
}
