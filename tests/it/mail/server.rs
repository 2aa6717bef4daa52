//! A mail server on loopback that keeps what it receives and misbehaves on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
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

/// What stands for an odd greeting among the commands.
pub const GREETING: &str = "(greeting)";

/// An answer that no client should wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// A line without end.
    EndlessLine,
    /// Lines of text that announce another line.
    EndlessAnswer,
    /// The shortest such lines.
    EndlessEmptyLines,
    /// A line of an unfinished answer after each pause.
    Drip(Duration),
    /// These bytes.
    Bytes(&'static str),
    /// Nothing, and the connection stays open.
    Silence,
}

/// What it does.
#[derive(Clone, Debug)]
pub struct Manner {
    pub kind: Kind,
    /// Who must log in, with which password or access token.
    pub login: Option<(&'static str, &'static str)>,
    /// The mechanisms for a login that it offers.
    pub mechanisms: &'static str,
    /// What it answers to a refused login; `{}` is what the client sent.
    pub login_refusal: &'static str,
    /// Bytes in plain text right behind the answer to STARTTLS, as somebody on the network adds them.
    pub injected: &'static str,
    /// The same instead of the server's handshake.
    pub injected_late: &'static str,
    /// The odd answer to the connection (an empty word), to a command that begins
    /// with this word, or to the message (a dot).
    pub odd: Option<(&'static str, Odd)>,
    /// The answer to a command that begins with this word, from a client that calls itself `vm`.
    pub vm: Option<(&'static str, &'static str)>,
    /// How long it waits before it greets.
    pub greets_after: Duration,
    /// The answers to recipients whose addresses hold these.
    pub recipients: &'static [(&'static str, &'static str)],
    /// How many recipients it takes at a time, and what it says to one more.
    pub most: (usize, &'static str),
    /// How many messages it takes in a conversation.
    pub messages: usize,
    /// What else it offers, as a line of its answer.
    pub offers: &'static str,
    /// The answer to a message; nothing is no answer, and a closed connection.
    pub message: Option<&'static str>,
    /// It hangs up after a message for a recipient whose address holds this.
    pub drops: Option<&'static str>,
    /// After a message it waits for ever.
    pub stalls: bool,
    /// After a message it waits for [`MailServer::release`].
    pub holds: bool,
    /// What it shows, among the fixtures.
    pub certificate: &'static str,
}

impl Manner {
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            login: None,
            mechanisms: "PLAIN LOGIN",
            login_refusal: "535 no entry with {}",
            injected: "",
            injected_late: "",
            odd: None,
            vm: None,
            greets_after: Duration::ZERO,
            recipients: &[],
            most: (usize::MAX, ""),
            messages: usize::MAX,
            offers: "",
            message: Some("250 taken"),
            drops: None,
            stalls: false,
            holds: false,
            certificate: "certificate.pem",
        }
    }
}

/// A message that came through.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub user: Option<String>,
    pub helo: String,
    pub is_safe: bool,
    pub bytes: Vec<u8>,
}

/// A running server; its threads end with the tests.
pub struct MailServer {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    said: Arc<Mutex<Vec<String>>>,
    arrivals: Mutex<Receiver<()>>,
    release: Sender<()>,
}

impl MailServer {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (received, said) = (Arc::default(), Arc::default());
        let (sender, arrivals) = channel();
        let (release, released) = channel();
        let released = Arc::new(Mutex::new(released));
        let (own_received, own_said) = (Arc::clone(&received), Arc::clone(&said));
        let visit = Visit { manner, received: own_received, said: own_said, sender, released };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let visit = visit.clone();
                // A client that has gone is its own business.
                std::thread::spawn(move || visit.serve(stream));
            }
        });
        Self { port, received, said, arrivals: Mutex::new(arrivals), release }
    }

    /// The messages that it took.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic in the server").clone()
    }

    /// The commands that it heard.
    pub fn heard(&self) -> Vec<String> {
        self.said.lock().expect("no panic in the server").clone()
    }

    /// Lets the server answer to one message that it holds.
    pub fn release(&self) {
        self.release.send(()).expect("the server runs");
    }

    /// Waits until the server has heard a command that begins with this word.
    pub fn hears(&self, word: &str) {
        let begun = std::time::Instant::now();
        while !self.heard().iter().any(|line| line.starts_with(word)) {
            assert!(begun.elapsed() < PATIENCE, "{word} never came");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a whole message has arrived, taken or not.
    pub fn arrived(&self) {
        self.arrivals.lock().expect("one waits").recv_timeout(PATIENCE).expect("a message");
    }
}

/// The longest that anybody waits for the other side.
const PATIENCE: Duration = Duration::from_secs(60);

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
    released: Arc<Mutex<Receiver<()>>>,
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
        std::thread::sleep(self.manner.greets_after);
        if self.manner.kind == Kind::Tls {
            return self.talk(Box::new(self.tls(stream)), true, true).map(drop);
        }
        let twin = stream.try_clone()?;
        match self.talk(Box::new(stream), false, true)? {
            Next::StartTls if !self.manner.injected_late.is_empty() => {
                // The client has begun its handshake.
                twin.peek(&mut [0])?;
                (&twin).write_all(self.manner.injected_late.as_bytes())
            }
            Next::StartTls => self.talk(Box::new(self.tls(twin)), true, false).map(drop),
            Next::Done => Ok(()),
        }
    }

    /// A login from the words after AUTH: what the client sent, decoded and as it
    /// came, and whether that is right.
    fn login(&self, words: &str, stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<(String, bool)> {
        let (user, password) = self.manner.login.unwrap_or_default();
        let mut ask = |challenge: &str| -> std::io::Result<String> {
            say(stream, &format!("334 {}", encoded(challenge)))?;
            let line = read_line(stream)?.unwrap_or_default();
            self.said.lock().expect("no panic").push(line.clone());
            Ok(line)
        };
        Ok(match words.split_once(' ').unwrap_or((words, "")) {
            ("PLAIN", word) => {
                let sent = decoded(word);
                (format!("{sent} or {word}"), sent == format!("\0{user}\0{password}"))
            }
            ("LOGIN", "") => {
                let (name, word) = (ask("Username:")?, ask("Password:")?);
                let sent = decoded(&word);
                (format!("{sent} or {word}"), (decoded(&name).as_str(), sent.as_str()) == (user, password))
            }
            ("XOAUTH2", word) => {
                let sent = decoded(word);
                let is_right = sent == format!("user={user}\u{1}auth=Bearer {password}\u{1}\u{1}");
                if !is_right {
                    let line = ask("{\"status\":\"400\\u001b[31m\",\"schemes\":\"Bearer\"}")?;
                    assert_eq!(line, "", "a challenge is answered with an empty line");
                }
                (format!("{sent} or {word}"), is_right)
            }
            _ => ("another mechanism".to_owned(), false),
        })
    }

    fn talk(&self, stream: Box<dyn Stream>, is_safe: bool, greet: bool) -> std::io::Result<Next> {
        let mut stream = BufReader::new(stream);
        if greet {
            match self.manner.odd {
                Some(("", odd)) => {
                    self.said.lock().expect("no panic").push(GREETING.to_owned());
                    return misbehave(&mut stream, odd);
                }
                _ => say(&mut stream, "220 test")?,
            }
        }
        let mut mail = Received {
            from: String::new(),
            to: Vec::new(),
            user: None,
            helo: String::new(),
            is_safe,
            bytes: Vec::new(),
        };
        let mut messages = 0;
        loop {
            let Some(line) = read_line(&mut stream)? else { return Ok(Next::Done) };
            self.said.lock().expect("no panic").push(line.clone());
            let upper = line.to_ascii_uppercase();
            match self.manner.odd {
                // Before TLS a server with STARTTLS behaves.
                Some((word, odd))
                    if !word.is_empty()
                        && upper.starts_with(word)
                        && (is_safe || self.manner.kind != Kind::StartTls || word == "STARTTLS") =>
                {
                    return misbehave(&mut stream, odd);
                }
                _ => {}
            }
            if let Some(name) = line.strip_prefix("EHLO ") {
                name.clone_into(&mut mail.helo);
            }
            match self.manner.vm {
                Some((word, answer)) if upper.starts_with(word) && mail.helo == "vm" => {
                    say(&mut stream, answer)?;
                    if answer.starts_with("421") {
                        return Ok(Next::Done);
                    }
                    continue;
                }
                _ => {}
            }
            if upper.starts_with("EHLO") {
                // What is offered before TLS counts for nothing after it.
                let (tls, mechanisms) = match self.manner.kind == Kind::StartTls && !is_safe {
                    true => ("250-STARTTLS\r\n", "X-BEFORE-TLS"),
                    false => ("", self.manner.mechanisms),
                };
                let more = self.manner.offers;
                say(&mut stream, &format!("250-test\r\n{tls}250-AUTH {mechanisms}\r\n{more}250 8BITMIME"))?;
            } else if upper == "STARTTLS" && self.manner.kind == Kind::StartTls && !is_safe {
                say(&mut stream, format!("220 go ahead\r\n{}", self.manner.injected).trim_end())?;
                return Ok(Next::StartTls);
            } else if let Some(words) = line.strip_prefix("AUTH ") {
                let (sent, is_right) = self.login(words, &mut stream)?;
                if is_right {
                    mail.user = self.manner.login.map(|(user, _)| user.to_owned());
                    say(&mut stream, "235 welcome")?;
                } else {
                    // Some servers repeat what they got.
                    say(&mut stream, &self.manner.login_refusal.replace("{}", &sent))?;
                }
            } else if upper.starts_with("MAIL FROM:") {
                if self.manner.login.is_some() && mail.user.is_none() {
                    say(&mut stream, "530 log in first")?;
                    continue;
                }
                if messages >= self.manner.messages {
                    say(&mut stream, "421 enough")?;
                    return Ok(Next::Done);
                }
                mail.to.clear();
                mail.from = address(&line);
                say(&mut stream, "250 ok")?;
            } else if upper.starts_with("RCPT TO:") {
                let to = address(&line);
                let (most, enough) = self.manner.most;
                match self.manner.recipients.iter().find(|(word, _)| to.contains(word)) {
                    _ if mail.to.len() >= most => say(&mut stream, enough)?,
                    Some((_, answer)) => say(&mut stream, answer)?,
                    None => {
                        mail.to.push(to);
                        say(&mut stream, "250 ok")?;
                    }
                }
            } else if upper == "DATA" {
                say(&mut stream, "354 go on")?;
                mail.bytes = read_message(&mut stream)?;
                let _ = self.sender.send(());
                if let Some((".", odd)) = self.manner.odd {
                    return misbehave(&mut stream, odd);
                }
                if self.manner.holds {
                    let _ = self.released.lock().expect("no panic").recv_timeout(PATIENCE);
                }
                if self.manner.stalls {
                    // Until the client is gone.
                    let _ = read_line(&mut stream);
                    return Ok(Next::Done);
                }
                if self.manner.drops.is_some_and(|word| mail.to.iter().any(|to| to.contains(word))) {
                    return Ok(Next::Done);
                }
                let Some(answer) = self.manner.message else { return Ok(Next::Done) };
                messages += 1;
                if answer.starts_with('2') {
                    self.received.lock().expect("no panic").push(mail.clone());
                }
                say(&mut stream, answer)?;
            } else if upper == "RSET" {
                mail.to.clear();
                say(&mut stream, "250 ok")?;
            } else if upper == "QUIT" {
                say(&mut stream, "221 bye")?;
                return Ok(Next::Done);
            } else {
                say(&mut stream, "502 what?")?;
            }
        }
    }
}

/// Answers in an odd way until the client is gone.
fn misbehave(stream: &mut BufReader<Box<dyn Stream>>, odd: Odd) -> std::io::Result<Next> {
    let piece = |bytes: &[u8]| bytes.repeat(16_384 / bytes.len());
    let stream = stream.get_mut();
    let (piece, pause) = match odd {
        Odd::EndlessLine => (piece(b"250 ".as_slice()), Duration::ZERO),
        Odd::EndlessAnswer => (piece(b"250-and another line\r\n".as_slice()), Duration::ZERO),
        Odd::EndlessEmptyLines => (piece(b"250-\n".as_slice()), Duration::ZERO),
        Odd::Drip(pause) => (b"250-wait\r\n".to_vec(), pause),
        Odd::Bytes(bytes) => {
            stream.write_all(bytes.as_bytes())?;
            stream.flush()?;
            return Ok(Next::Done);
        }
        Odd::Silence => {
            // Until the client is gone.
            let _ = stream.read(&mut [0]);
            return Ok(Next::Done);
        }
    };
    loop {
        stream.write_all(&piece)?;
        stream.flush()?;
        std::thread::sleep(pause);
    }
}

fn decoded(word: &str) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.decode(word).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn tls(stream: TcpStream, certificate: &str) -> StreamOwned<ServerConnection, TcpStream> {
    let config = tls_config(&repository("tests/fixtures/smtp").join(certificate));
    StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("a connection"), stream)
}

/// A server with this certificate, however odd, and the key of the fixtures.
pub fn tls_config(certificate: &std::path::Path) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(repository("tests/fixtures/smtp/key.pem")).expect("a key");
    let key = provider.key_provider.load_private_key(key).expect("a usable key");
    let shown = CertifiedKey::new(vec![certificate], key);
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)))
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
