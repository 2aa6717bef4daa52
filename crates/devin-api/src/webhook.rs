//! Posts one JSON message to the webhook of a chat.
//!
//! A request is sent once. The result says whether the message was posted, certainly not posted,
//! or possibly posted: only then may a caller repeat it. The URL holds a token, so no message,
//! log or `Debug` shows more of it than the host.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use tracing::debug;

use super::attempt::{self, ERROR_BYTES};
use super::endpoint::{Endpoint, NoCertificates};
use super::retry::{Class, retry_after};
use super::{Secret, sanitize};
use crate::proxy::Proxy;
use crate::tls::Trust;

/// Shorter parts of a URL could be words of an answer.
const SHORTEST_SECRET: usize = 8;

/// The webhook of a chat: `https`, or `http` to loopback, which the caller has checked.
#[derive(Clone, Debug)]
pub struct Webhook(Endpoint);

/// The bounds of one request.
#[derive(Clone, Copy, Debug)]
pub struct WebhookLimits {
    /// Until a connection is established; shorter than `answer`, so that a connection that is never
    /// established is known to have carried nothing.
    pub connect: Duration,
    /// From the beginning to the answer.
    pub answer: Duration,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(30) }
    }
}

/// A message was not posted, or it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookError {
    /// No connection, so nothing was sent.
    Unsent {
        /// Why.
        cause: String,
        /// What to do about it, where the cause implies it; else empty.
        hint: String,
        /// Whether no other attempt will do better, because TLS cannot be set up.
        is_final: bool,
    },
    /// The server wants no more messages for now (HTTP 429).
    Busy {
        /// How long it asks to wait; `None` if it does not say.
        wait: Option<Duration>,
    },
    /// The server refused the message.
    Refused {
        /// The HTTP status, below 500.
        status: u16,
        /// Its words, without control characters and secrets; may be empty.
        said: String,
    },
    /// The message was sent, or a part of it, and the server did not say that it took it.
    Unconfirmed {
        /// What happened instead.
        cause: String,
    },
}

impl Webhook {
    /// A webhook at this URL.
    pub fn new(url: Url, trust: Trust, proxy: Option<Proxy>) -> Self {
        Self(Endpoint::new(url, trust, proxy))
    }

    /// The host, which may be shown.
    pub fn host(&self) -> String {
        self.0.host()
    }

    /// The URL, to make a hash of it; never to be shown.
    pub fn expose(&self) -> &str {
        self.0.url.as_str()
    }

    /// Posts a JSON body, and waits for the answer.
    ///
    /// # Errors
    ///
    /// The server did not confirm the message; the variant says whether it may have posted it.
    pub async fn post(&self, body: Vec<u8>, limits: WebhookLimits) -> Result<(), WebhookError> {
        let client = self.0.client(|builder| {
            builder
                .connect_timeout(limits.connect)
                .timeout(limits.answer)
                // A connection of its own for each request: a kept one may fail after the request.
                .pool_max_idle_per_host(0)
        });
        let client = client.map_err(|NoCertificates| WebhookError::Unsent {
            cause: NoCertificates.to_string(),
            hint: "install the system's certificates (package ca-certificates)".to_owned(),
            is_final: true,
        })?;
        let request = client.post(self.0.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| self.broken(error))?;
        let status = response.status();
        debug!(host = self.host(), status = status.as_u16(), "webhook answered");
        if status.is_success() {
            return Ok(());
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let header = |name| attempt::text(response.headers(), name);
            let asked = header(&RETRY_AFTER).and_then(|value| retry_after(value, header(&DATE)));
            return Err(WebhookError::Busy { wait: asked.map(|asked| asked.wait) });
        }
        let mut body = Vec::new();
        // Whatever goes wrong here: the status is what counts.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > ERROR_BYTES {
                break;
            }
        }
        let said = sanitize::words(&body, &self.secrets());
        Err(match status.is_server_error() {
            true if said.is_empty() => {
                WebhookError::Unconfirmed { cause: format!("it answered HTTP {}", status.as_u16()) }
            }
            true => WebhookError::Unconfirmed {
                cause: format!("it answered HTTP {}: “{said}”", status.as_u16()),
            },
            false => WebhookError::Refused { status: status.as_u16(), said },
        })
    }

    /// Whether anything was sent before the connection failed.
    fn broken(&self, error: reqwest::Error) -> WebhookError {
        let (is_unsent, is_late) = (error.is_connect(), error.is_timeout());
        let url = Secret::new(self.expose().to_owned());
        let failure = attempt::broken(error.without_url(), &url, "the URL of the webhook");
        match (is_unsent, is_late) {
            (true, true) => WebhookError::Unsent {
                cause: "no connection in time".to_owned(),
                hint: String::new(),
                is_final: false,
            },
            (true, false) => WebhookError::Unsent {
                is_final: failure.class == Class::Tls,
                cause: failure.cause,
                hint: failure.hint,
            },
            (false, true) => WebhookError::Unconfirmed { cause: "no answer in time".to_owned() },
            (false, false) => WebhookError::Unconfirmed { cause: "the connection was lost".to_owned() },
        }
    }

    /// What a server could repeat of the URL: all of it, and its parts, encoded or not.
    fn secrets(&self) -> Vec<Secret> {
        let url = &self.0.url;
        let path = url.path_segments().into_iter().flatten().map(str::to_owned);
        let raw = url.query().unwrap_or_default().split(['&', '=']).map(str::to_owned);
        let plain = url.query_pairs().map(|(_, value)| value.into_owned());
        let whole = [url.as_str().to_owned(), url.path().to_owned()];
        let parts = whole.into_iter().chain(raw).chain(plain).chain(path);
        parts.filter(|part| part.len() >= SHORTEST_SECRET).map(Secret::new).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::tests::server::{Reply, read_head, reply};
    use super::*;

    const TOKEN: &str = "T0/B0/t0kent0ken";
    const BODY: &[u8] = b"{\"text\": \"x\"}";

    const QUICK: WebhookLimits =
        WebhookLimits { connect: Duration::from_millis(400), answer: Duration::from_millis(500) };

    fn at(base: &str) -> Webhook {
        let url = format!("{base}/services/{TOKEN}?sig=s1gn%2Fature");
        Webhook::new(Url::parse(&url).unwrap(), Trust::default(), None)
    }

    /// A server that reads a whole request and gives this answer, and how many requests it read.
    fn answering(answer: Vec<u8>) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(head) = read_head(&mut stream) else { continue };
                assert!(head.contains("content-type: application/json"), "{head}");
                assert!(head.contains(&format!("content-length: {}", BODY.len())), "{head}");
                let mut body = vec![0; BODY.len()];
                stream.read_exact(&mut body).unwrap();
                count.fetch_add(usize::from(body == BODY), Ordering::SeqCst);
                let _ = stream.write_all(&answer);
            }
        });
        (base, asked)
    }

    async fn posted(answer: Reply) -> (Result<(), WebhookError>, usize) {
        let (base, asked) = answering(answer.0);
        let outcome = at(&base).post(BODY.to_vec(), WebhookLimits::default()).await;
        (outcome, asked.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn every_status_is_posted_busy_refused_or_unconfirmed() {
        for status in [200, 201, 202, 204] {
            assert_eq!(posted(reply(status, "", "")).await, (Ok(()), 1), "{status}");
        }
        for status in [300, 301, 302, 307, 308, 400, 401, 403, 404, 408, 410, 413, 425, 499] {
            let (outcome, asked) = posted(reply(status, "Location: https://h.example/\r\n", "no_text")).await;
            let said = "no_text".to_owned();
            assert_eq!((outcome, asked), (Err(WebhookError::Refused { status, said }), 1));
        }
        for status in [500, 502, 503, 504, 529, 599] {
            let (outcome, asked) = posted(reply(status, "", "")).await;
            let cause = format!("it answered HTTP {status}");
            assert_eq!((outcome, asked), (Err(WebhookError::Unconfirmed { cause }), 1));
        }
        for (lines, wait) in [
            ("", None),
            ("Retry-After: 30\r\n", Some(30)),
            ("Retry-After: soon\r\n", None),
            (
                "Date: Mon, 12 Oct 2026 06:00:00 GMT\r\nRetry-After: Mon, 12 Oct 2026 06:00:07 GMT\r\n",
                Some(7),
            ),
        ] {
            let (outcome, asked) = posted(reply(429, lines, "")).await;
            let wait = wait.map(Duration::from_secs);
            assert_eq!((outcome, asked), (Err(WebhookError::Busy { wait }), 1));
        }
    }

    #[tokio::test]
    async fn a_server_that_repeats_the_url_does_not_get_it_shown() {
        for said in [
            format!("no service /services/{TOKEN}"),
            "{\"error\": \"s1gn/ature of\u{1b}[31m t0kent0ken\"}".to_owned(),
            format!("{}T0/B0/t0ken\u{0}t0ken s1gn%2Fature", "x".repeat(150)),
            format!("<html><title>{TOKEN}</title>"),
        ] {
            for status in [404, 500] {
                let (outcome, _) = posted(reply(status, "", &said)).await;
                let shown = format!("{:?}", outcome.unwrap_err());
                for secret in ["t0ken", "s1gn", "\\u{1b}"] {
                    assert!(!shown.contains(secret), "{said}: {shown}");
                }
                assert!(shown.len() < 300, "{shown}");
            }
        }
        let (outcome, _) = posted(reply(400, "", &"a ".repeat(100_000))).await;
        assert!(matches!(outcome, Err(WebhookError::Refused { said, .. }) if said.chars().count() < 210));
        assert_eq!(format!("{:?}", at("https://h.example")), "Webhook([redacted])");
    }

    #[tokio::test]
    async fn nothing_is_sent_without_a_connection() {
        // Bound but not listening, so that nobody else can answer there.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let closed = format!("http://{}", socket.local_addr().unwrap());
        let outcome = at(&closed).post(b"{}".to_vec(), QUICK).await.unwrap_err();
        let WebhookError::Unsent { cause, is_final: false, .. } = &outcome else { panic!("{outcome:?}") };
        assert!(cause.contains("refused") && !cause.contains("t0ken"), "{cause}");
        // A server that does not speak TLS.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let plain = format!("https://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad\r\n\r\n"));
        let outcome = at(&plain).post(b"{}".to_vec(), WebhookLimits::default()).await;
        assert!(matches!(outcome, Err(WebhookError::Unsent { .. })), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_connection_lost_after_the_request_is_unconfirmed() {
        for answer in [b"".to_vec(), b"HTTP/1.1 2".to_vec()] {
            let (outcome, asked) = posted(Reply(answer)).await;
            assert!(matches!(outcome, Err(WebhookError::Unconfirmed { .. })), "{outcome:?}");
            assert_eq!(asked, 1, "it is not sent again");
        }
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_unconfirmed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Until the client is gone.
            while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
            let _ = stream.write_all(b"");
        });
        let outcome = at(&base).post(b"{}".to_vec(), QUICK).await;
        assert_eq!(outcome, Err(WebhookError::Unconfirmed { cause: "no answer in time".to_owned() }));
    }
}
