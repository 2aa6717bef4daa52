//! A conversation with a mail server: one command, one answer. Answers are bounded in size while
//! they are read, and every step in time, whatever the server sends.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// The longest line of an answer, in bytes. RFC 5321 allows 512.
const MAX_LINE: usize = 4096;
/// The maximum number of lines of an answer.
const MAX_LINES: usize = 100;

/// An answer of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpReply {
    /// From 200 to 599. The first digit means success (2), continue (3), try later (4) or refused
    /// (5).
    pub code: u16,
    /// The text of each line.
    pub lines: Vec<String>,
}

impl SmtpReply {
    /// The answer, if its code begins with this digit.
    pub fn require(self, digit: u16) -> Result<Self, StepError> {
        match self.code / 100 {
            first if first == digit => Ok(self),
            4 | 5 => Err(StepError::Refused(self)),
            _ => Err(StepError::Unexpected(self)),
        }
    }
}

/// Why a step failed.
#[derive(Debug)]
pub enum StepError {
    /// The connection failed.
    Io(io::Error),
    /// The connection cannot be secured.
    Tls(rustls::Error),
    /// No answer within this time.
    Timeout(Duration),
    /// The answer is not SMTP.
    Malformed(String),
    /// This many bytes arrived in plain text after the answer to STARTTLS.
    InjectedBeforeTls(usize),
    /// The server answered 4xx or 5xx.
    Refused(SmtpReply),
    /// The server answered with a code that does not fit the command.
    Unexpected(SmtpReply),
    /// The server offers no mechanism that may be used; the ones it offers, possibly none.
    NoCommonMechanism(Vec<String>),
}

impl From<io::Error> for StepError {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::Tls(error.clone()),
            None => Self::Io(error),
        }
    }
}

impl From<rustls::Error> for StepError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

/// Runs a step with a timeout.
pub async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    timeout(limit, step).await.unwrap_or(Err(StepError::Timeout(limit)))
}

/// An open conversation.
pub struct Conversation<S> {
    stream: BufReader<S>,
    /// The timeout of one step.
    step: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// A conversation over a stream.
    pub fn new(stream: S, step: Duration) -> Self {
        Self { stream: BufReader::new(stream), step }
    }

    /// The server's first answer.
    pub async fn greeting(&mut self) -> Result<SmtpReply, StepError> {
        within(self.step, self.read()).await?.require(2)
    }

    /// Whether the server sends anything, or closes the connection, within a time.
    pub async fn hears_within(&mut self, limit: Duration) -> bool {
        timeout(limit, self.stream.fill_buf()).await.is_ok()
    }

    /// Sends a line and reads the answer, whatever its code.
    pub async fn command(&mut self, line: &str) -> Result<SmtpReply, StepError> {
        within(self.step, async {
            self.write(format!("{line}\r\n").as_bytes()).await?;
            self.read().await
        })
        .await
    }

    /// Sends EHLO. Returns the capabilities, each split into words.
    pub async fn hello(&mut self, name: &str) -> Result<Vec<Vec<String>>, StepError> {
        let reply = self.command(&format!("EHLO {name}")).await?.require(2)?;
        let words = |line: &String| {
            let words = line.split([' ', '=']).filter(|word| !word.is_empty());
            words.map(str::to_ascii_uppercase).collect()
        };
        Ok(reply.lines.iter().skip(1).map(words).collect())
    }

    /// Sends a message and reads the answer, with a timeout of its own.
    pub async fn message(&mut self, message: &[u8], limit: Duration) -> Result<SmtpReply, StepError> {
        within(limit, async {
            self.write(&dot_stuffed(message)).await?;
            self.read().await
        })
        .await
    }

    /// The underlying stream, if nothing more has been read from it.
    ///
    /// # Errors
    /// The server has sent more than its last answer.
    pub fn into_inner(self) -> Result<S, StepError> {
        match self.stream.buffer().len() {
            0 => Ok(self.stream.into_inner()),
            bytes => Err(StepError::InjectedBeforeTls(bytes)),
        }
    }

    /// Checks that no answer precedes its command: it would count for the next one.
    pub fn check_no_early_reply(&self) -> Result<(), StepError> {
        match self.stream.buffer().is_empty() {
            true => Ok(()),
            false => Err(StepError::Malformed("it sent more than one reply to a command".to_owned())),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), StepError> {
        self.check_no_early_reply()?;
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    async fn read(&mut self) -> Result<SmtpReply, StepError> {
        let mut reply: Option<SmtpReply> = None;
        for _ in 0..MAX_LINES {
            let mut line = Vec::new();
            (&mut self.stream).take(MAX_LINE as u64).read_until(b'\n', &mut line).await?;
            if !line.ends_with(b"\n") {
                return Err(match line.len() {
                    MAX_LINE => StepError::Malformed(format!("a line longer than {MAX_LINE} bytes")),
                    _ => StepError::Malformed("it closed the connection without a reply".to_owned()),
                });
            }
            let (code, is_last, text) = parse(&line)?;
            let reply = reply.get_or_insert(SmtpReply { code, lines: Vec::new() });
            if reply.code != code {
                return Err(StepError::Malformed(format!(
                    "a reply with the codes {} and {code}",
                    reply.code
                )));
            }
            reply.lines.push(text);
            if is_last {
                return Ok(reply.clone());
            }
        }
        Err(StepError::Malformed(format!("a reply longer than {MAX_LINES} lines")))
    }
}

/// Parses a line of an answer: code, whether it is the last line, text.
fn parse(line: &[u8]) -> Result<(u16, bool, String), StepError> {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    let odd = || StepError::Malformed(format!("not SMTP: {text}"));
    let (digits, rest) = text.split_at_checked(3).ok_or_else(odd)?;
    let code = digits.parse().ok().filter(|code| (200..600).contains(code)).ok_or_else(odd)?;
    match rest.chars().next() {
        None => Ok((code, true, String::new())),
        Some(' ') => Ok((code, true, rest.trim_start().to_owned())),
        Some('-') => Ok((code, false, rest.trim_start_matches('-').trim_start().to_owned())),
        Some(_) => Err(odd()),
    }
}

/// A message as SMTP sends it: a dot at the start of a line is doubled, and a lone dot ends it. A
/// bare CR or LF counts as the end of a line, because some servers treat it as one.
fn dot_stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    let mut last = b'\n';
    for byte in message {
        if *byte == b'.' && matches!(last, b'\r' | b'\n') {
            out.push(b'.');
        }
        out.push(*byte);
        last = *byte;
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client makes of these bytes of a server.
    async fn read(bytes: &[u8]) -> Result<SmtpReply, String> {
        let (client, mut server) = tokio::io::duplex(1 << 20);
        server.write_all(bytes).await.unwrap();
        drop(server);
        let step = Duration::from_secs(60);
        Conversation::new(client, step).read().await.map_err(|failure| match failure {
            StepError::Malformed(words) => words,
            other => format!("{other:?}"),
        })
    }

    #[tokio::test]
    async fn answers_are_read_line_by_line() {
        let reply = |code, lines: &[&str]| {
            Ok(SmtpReply { code, lines: lines.iter().map(|line| (*line).to_owned()).collect() })
        };
        assert_eq!(read(b"250 ok\r\n").await, reply(250, &["ok"]));
        assert_eq!(read(b"250\n").await, reply(250, &[""]));
        assert_eq!(read(b"250-mx\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n").await.unwrap().lines.len(), 3);
        assert_eq!(read(b"550-\r\n550 \xff no\r\nmore").await, reply(550, &["", "\u{fffd} no"]));
        for (bytes, words) in [
            (&b""[..], "closed"),
            (b"250 ok", "closed"),
            (b"250-ok\r\n", "closed"),
            (b"ok\r\n", "not SMTP"),
            (b"25\r\n", "not SMTP"),
            (b"250ok\r\n", "not SMTP"),
            (b"+50 ok\r\n", "not SMTP"),
            (b"150 ok\r\n", "not SMTP"),
            (b"999 ok\r\n", "not SMTP"),
            ("€0 ok\r\n".as_bytes(), "not SMTP"),
            (b"250-ok\r\n550 no\r\n", "codes 250 and 550"),
        ] {
            let error = read(bytes).await.unwrap_err();
            assert!(error.contains(words), "{bytes:?}: {error}");
        }
    }

    #[tokio::test]
    async fn answers_are_bounded() {
        let longest = [b"250 ", "x".repeat(MAX_LINE - 6).as_bytes(), b"\r\n"].concat();
        assert!(read(&longest).await.is_ok());
        let longer = [b"250 ", "x".repeat(MAX_LINE - 5).as_bytes(), b"\r\n"].concat();
        assert!(read(&longer).await.unwrap_err().contains("longer than 4096 bytes"));
        let lines = |count: usize| format!("{}250 end\n", "250-\n".repeat(count - 1)).into_bytes();
        assert_eq!(read(&lines(MAX_LINES)).await.unwrap().lines.len(), MAX_LINES);
        assert!(read(&lines(MAX_LINES + 1)).await.unwrap_err().contains("longer than 100 lines"));
    }

    #[tokio::test]
    async fn early_answers_are_rejected() {
        let (client, mut server) = tokio::io::duplex(1 << 20);
        server.write_all(b"220 mx\r\n250 early\r\n").await.unwrap();
        let mut conversation = Conversation::new(client, Duration::from_secs(60));
        conversation.greeting().await.unwrap();
        let early = conversation.command("EHLO me").await;
        assert!(matches!(&early, Err(StepError::Malformed(words)) if words.contains("more than one")));
        assert!(matches!(conversation.into_inner(), Err(StepError::InjectedBeforeTls(11))));
    }

    #[test]
    fn dots_are_doubled() {
        for (message, sent) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("", "\r\n.\r\n"),
            (".\r\n..\r\nb.c\r\n", "..\r\n...\r\nb.c\r\n.\r\n"),
            ("a\n.\nb\r\n", "a\n..\nb\r\n.\r\n"),
            ("a\r.\rb\r\n", "a\r..\rb\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8(dot_stuffed(message.as_bytes())).unwrap(), sent, "{message:?}");
        }
    }
}
