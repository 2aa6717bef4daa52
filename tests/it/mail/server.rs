//! A mail server on loopback that keeps what it gets, and errs as it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use base64::Engine;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::repository;

/// How it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS, and nothing before.
    StartTls,
    /// Plain, and it knows no STARTTLS.
    Plain,
}

/// What it does.
#[derive(Clone, Debug)]
pub struct Manner {
    pub kind: Kind,
    /// Who must log in, with which password.
    pub login: Option<(&'static str, &'static str)>,
    /// The answer to a recipient whose address holds this.
    pub recipient: Option<(&'static str, &'static str)>,
    /// The answer to a message; nothing is no answer, and a closed connection.
    pub message: Option<&'static str>,
    /// After a message it waits for this long: for ever.
    pub stalls: bool,
    /// What it shows, among the fixtures.
    pub certificate: &'static str,
}

impl Manner {
    pub fn of(kind: Kind) -> Self {
        let message = Some("250 taken");
        Self { kind, login: None, recipient: None, message, stalls: false, certificate: "certificate.pem" }
    }
}

/// A message that came through.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub user: Option<String>,
    pub is_safe: bool,
    pub bytes: Vec<u8>,
}

/// A running server; its threads end with the tests.
pub struct MailServer {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    said: Arc<Mutex<Vec<String>>>,
    arrivals: Mutex<Receiver<()>>,
}

impl MailServer {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (received, said) = (Arc::default(), Arc::default());
        let (sender, arrivals) = channel();
        let visit = Visit { manner, received: Arc::clone(&received), said: Arc::clone(&said), sender };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let visit = visit.clone();
                // A client that has gone is its own business.
                std::thread::spawn(move || visit.serve(stream));
            }
        });
        Self { port, received, said, arrivals: Mutex::new(arrivals) }
    }

    /// The messages that it took.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic in the server").clone()
    }

    /// The commands that it heard.
    pub fn heard(&self) -> Vec<String> {
        self.said.lock().expect("no panic in the server").clone()
    }

    /// Waits until a whole message has arrived, taken or not.
    pub fn arrived(&self) {
        let wait = std::time::Duration::from_secs(60);
        self.arrivals.lock().expect("one waits").recv_timeout(wait).expect("a message");
    }
}

/// The file that makes its certificate trusted.
pub fn authority() -> std::path::PathBuf {
    repository("tests/fixtures/smtp/authority.pem")
}

#[derive(Clone)]
struct Visit {
    manner: Manner,
    received: Arc<Mutex<Vec<Received>>>,
    said: Arc<Mutex<Vec<String>>>,
    sender: Sender<()>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

enum Next {
    Done,
    StartTls,
}

impl Visit {
    fn tls(&self, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        tls(stream, self.manner.certificate)
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        if self.manner.kind == Kind::Tls {
            return self.talk(Box::new(self.tls(stream)), true, true).map(drop);
        }
        let twin = stream.try_clone()?;
        match self.talk(Box::new(stream), false, true)? {
            Next::StartTls => self.talk(Box::new(self.tls(twin)), true, false).map(drop),
            Next::Done => Ok(()),
        }
    }

    fn talk(&self, stream: Box<dyn Stream>, is_safe: bool, greet: bool) -> std::io::Result<Next> {
        let mut stream = BufReader::new(stream);
        if greet {
            say(&mut stream, "220 test")?;
        }
        let mut mail =
            Received { from: String::new(), to: Vec::new(), user: None, is_safe, bytes: Vec::new() };
        loop {
            let Some(line) = read_line(&mut stream)? else { return Ok(Next::Done) };
            self.said.lock().expect("no panic").push(line.clone());
            let upper = line.to_ascii_uppercase();
            if upper.starts_with("EHLO") {
                let tls =
                    if self.manner.kind == Kind::StartTls && !is_safe { "250-STARTTLS\r\n" } else { "" };
                say(&mut stream, &format!("250-test\r\n{tls}250-AUTH PLAIN LOGIN\r\n250 8BITMIME"))?;
            } else if upper == "STARTTLS" && self.manner.kind == Kind::StartTls && !is_safe {
                say(&mut stream, "220 go ahead")?;
                return Ok(Next::StartTls);
            } else if let Some(word) = line.strip_prefix("AUTH PLAIN ") {
                let told = base64::engine::general_purpose::STANDARD.decode(word).unwrap_or_default();
                let (user, password) = self.manner.login.unwrap_or_default();
                if told == format!("\0{user}\0{password}").into_bytes() {
                    mail.user = Some(user.to_owned());
                    say(&mut stream, "235 welcome")?;
                } else {
                    // Some servers repeat what they got.
                    say(
                        &mut stream,
                        &format!("535 no entry with {} or {word}", String::from_utf8_lossy(&told)),
                    )?;
                }
            } else if upper.starts_with("MAIL FROM:") {
                if self.manner.login.is_some() && mail.user.is_none() {
                    say(&mut stream, "530 log in first")?;
                    continue;
                }
                mail.from = address(&line);
                say(&mut stream, "250 ok")?;
            } else if upper.starts_with("RCPT TO:") {
                let to = address(&line);
                match self.manner.recipient {
                    Some((word, answer)) if to.contains(word) => say(&mut stream, answer)?,
                    _ => {
                        mail.to.push(to);
                        say(&mut stream, "250 ok")?;
                    }
                }
            } else if upper == "DATA" {
                say(&mut stream, "354 go on")?;
                mail.bytes = read_message(&mut stream)?;
                let _ = self.sender.send(());
                if self.manner.stalls {
                    // Until the client is gone.
                    let _ = read_line(&mut stream);
                    return Ok(Next::Done);
                }
                let Some(answer) = self.manner.message else { return Ok(Next::Done) };
                if answer.starts_with('2') {
                    self.received.lock().expect("no panic").push(mail.clone());
                }
                say(&mut stream, answer)?;
            } else if upper == "QUIT" {
                say(&mut stream, "221 bye")?;
                return Ok(Next::Done);
            } else {
                say(&mut stream, "502 what?")?;
            }
        }
    }
}

fn tls(stream: TcpStream, certificate: &str) -> StreamOwned<ServerConnection, TcpStream> {
    let certificate = repository("tests/fixtures/smtp").join(certificate);
    let certificate = CertificateDer::from_pem_file(certificate);
    let key = PrivateKeyDer::from_pem_file(repository("tests/fixtures/smtp/key.pem"));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key.expect("a key"))
        .expect("a certificate with its key");
    StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("a connection"), stream)
}

fn say(stream: &mut BufReader<Box<dyn Stream>>, words: &str) -> std::io::Result<()> {
    let stream = stream.get_mut();
    stream.write_all(format!("{words}\r\n").as_bytes())?;
    stream.flush()
}

fn read_line(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let length = stream.read_line(&mut line)?;
    Ok((length > 0).then(|| line.trim_end().to_owned()))
}

/// Up to the lone dot, with doubled dots made single again.
fn read_message(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match line.as_slice() {
            b".\r\n" => return Ok(message),
            [b'.', rest @ ..] => message.extend_from_slice(rest),
            line => message.extend_from_slice(line),
        }
    }
}

fn address(line: &str) -> String {
    line.split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or("", |(address, _)| address)
        .to_owned()
}
