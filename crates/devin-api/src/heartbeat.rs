//! A monitor hears that a run began and how it ended, in the way of
//! Healthchecks: `/start`, the bare address for success, `/fail` with a few words.
//!
//! Nothing here fails or delays a run: the start is reported during the work,
//! and the end within seconds or not at all. The address holds a token, so it
//! is shown by nothing.

use std::fmt;
use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Api;
use super::endpoint::{Endpoint, NoCertificates};
use crate::proxy::Proxy;
use crate::tls::Trust;

/// The longest that a run waits for its monitor once it is over.
const LONGEST: Duration = Duration::from_secs(5);
/// The same for a run that a signal ended: its sender waits.
const LONGEST_AFTER_A_SIGNAL: Duration = Duration::from_millis(900);
/// Before the one retry.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest text reported with a failure.
const LONGEST_CAUSE: usize = 200;

/// Where runs are reported: `https`, or `http` to loopback, which the caller has checked.
#[derive(Clone, Debug)]
pub struct Monitor(Endpoint);

impl Monitor {
    /// A monitor at this address.
    pub fn new(url: Url, trust: Trust, proxy: Option<Proxy>) -> Self {
        Self(Endpoint::new(url, trust, proxy))
    }

    /// The address of one kind of event; a query is kept.
    fn url(&self, event: &HeartbeatEvent) -> Url {
        let end = match event {
            HeartbeatEvent::Started => "/start",
            HeartbeatEvent::Succeeded => "",
            HeartbeatEvent::Failed { .. } => "/fail",
        };
        let mut url = self.0.url.clone();
        url.set_path(&format!("{}{end}", self.0.url.path().trim_end_matches('/')));
        url
    }
}

/// What is reported to a monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeartbeatEvent {
    /// The run began.
    Started,
    /// It did all that it was asked.
    Succeeded,
    /// It did not.
    Failed {
        /// Its exit code.
        code: u8,
        /// Why, in the words of the error; quoted text is not reported.
        cause: String,
        /// A signal ended it, so that there is no time.
        hurry: bool,
    },
}

impl HeartbeatEvent {
    fn patience(&self) -> Duration {
        match self {
            Self::Failed { hurry: true, .. } => LONGEST_AFTER_A_SIGNAL,
            _ => LONGEST,
        }
    }
}

/// Why a report to the monitor failed. An error of the library could contain the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeartbeatError {
    Late,
    Unconnected,
    Broken,
    Status(StatusCode),
    NoCertificates,
}

impl HeartbeatError {
    /// Whether a second attempt may do better.
    fn may_pass(self) -> bool {
        match self {
            Self::Late | Self::NoCertificates => false,
            Self::Unconnected | Self::Broken => true,
            Self::Status(status) => status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl fmt::Display for HeartbeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("no answer in time"),
            Self::Unconnected => f.write_str("no connection"),
            Self::Broken => f.write_str("the connection was lost"),
            Self::Status(status) => write!(f, "it answered HTTP {}", status.as_u16()),
            Self::NoCertificates => NoCertificates.fmt(f),
        }
    }
}

impl From<reqwest::Error> for HeartbeatError {
    fn from(error: reqwest::Error) -> Self {
        match (error.is_timeout(), error.is_connect()) {
            (true, _) => Self::Late,
            (false, true) => Self::Unconnected,
            (false, false) => Self::Broken,
        }
    }
}

/// A run that is reported to a monitor.
#[derive(Debug)]
pub struct Heartbeat {
    monitor: Monitor,
    start: JoinHandle<Result<(), HeartbeatError>>,
}

impl Heartbeat {
    /// Reports the start of the run, concurrently with the run. Uses the runtime that it is called in.
    pub fn begin(monitor: Monitor) -> Self {
        let target = monitor.clone();
        let start = tokio::spawn(async move { tell(&target, &HeartbeatEvent::Started, LONGEST).await });
        Self { monitor, start }
    }

    /// Reports how the run ended; returns a failure to report as one line, which shows only the
    /// host of the address.
    pub async fn end(self, event: &HeartbeatEvent) -> Option<String> {
        let Self { monitor, mut start } = self;
        // HeartbeatEvent that overtook the start would leave the monitor waiting for an end.
        let started = timeout(event.patience() / 3, &mut start).await;
        start.abort();
        let started =
            started.map_or(Err(HeartbeatError::Late), |joined| joined.unwrap_or(Err(HeartbeatError::Broken)));
        let ended = tell(&monitor, event, event.patience() * 2 / 3).await;
        let (what, why) = match (started, ended) {
            (Ok(()), Ok(())) => return None,
            (Err(why), Ok(())) => ("the start of the run", why),
            (Ok(()), Err(why)) => ("the end of the run", why),
            (Err(_), Err(why)) => ("the run", why),
        };
        Some(format!("warning: could not report {what} to the monitor on {}: {why}", monitor.0.host()))
    }
}

/// Sends one event to the monitor, with one retry.
async fn tell(monitor: &Monitor, event: &HeartbeatEvent, within: Duration) -> Result<(), HeartbeatError> {
    let twice = async {
        let client = monitor.0.client(|builder| builder).map_err(|_| HeartbeatError::NoCertificates)?;
        match send(&client, monitor, event).await {
            Err(error) if error.may_pass() => {
                sleep(PAUSE).await;
                send(&client, monitor, event).await
            }
            outcome => outcome,
        }
    };
    timeout(within, twice).await.unwrap_or(Err(HeartbeatError::Late))
}

async fn send(client: &Client, monitor: &Monitor, event: &HeartbeatEvent) -> Result<(), HeartbeatError> {
    let url = monitor.url(event);
    let request = match event {
        HeartbeatEvent::Failed { code, cause, .. } => client.post(url).body(body(*code, cause)),
        HeartbeatEvent::Started | HeartbeatEvent::Succeeded => client.get(url),
    };
    match request.send().await?.status() {
        status if status.is_success() => Ok(()),
        status => Err(HeartbeatError::Status(status)),
    }
}

/// The body of a failure: the exit code and the first line of the cause,
/// without quoted text in it, addresses of people, and keys:
/// those are other people's words, and a monitor is another company's machine.
fn body(code: u8, cause: &str) -> String {
    let is_private = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        word.contains('@') || Api::of_key(bare).is_some()
    };
    let line = unquoted(cause.lines().next().unwrap_or_default());
    let words: Vec<&str> =
        line.split_whitespace().map(|word| if is_private(&word) { "…" } else { word }).collect();
    let text: String = words.join(" ").chars().filter(|c| !c.is_control()).take(LONGEST_CAUSE).collect();
    if text.is_empty() { format!("exit code {code}") } else { format!("exit code {code}: {text}") }
}

/// A text whose quotations are cut out.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut closing = None;
    for c in text.chars() {
        match (closing, c) {
            (Some(end), c) if c == end => closing = None,
            (Some(_), _) => {}
            (None, '“' | '"') => {
                closing = Some(if c == '“' { '”' } else { c });
                out.push('…');
            }
            (None, c) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(text: &str) -> Monitor {
        Monitor::new(Url::parse(text).unwrap(), Trust::default(), None)
    }

    fn failed(cause: &str) -> HeartbeatEvent {
        HeartbeatEvent::Failed { code: 4, cause: cause.to_owned(), hurry: false }
    }

    #[test]
    fn events_have_addresses_of_their_own() {
        let to = |base: &str, event: &HeartbeatEvent| monitor(base).url(event).to_string();
        let base = "https://hc-ping.com/t0ken";
        assert_eq!(to(base, &HeartbeatEvent::Started), "https://hc-ping.com/t0ken/start");
        assert_eq!(to(base, &HeartbeatEvent::Succeeded), base);
        assert_eq!(to(base, &failed("")), "https://hc-ping.com/t0ken/fail");
        assert_eq!(
            to("https://a.example/k/slug/?create=1", &failed("")),
            "https://a.example/k/slug/fail?create=1"
        );
        assert_eq!(to("https://a.example/", &HeartbeatEvent::Started), "https://a.example/start");
    }

    #[test]
    fn a_monitor_does_not_show_its_address() {
        let monitor = monitor("https://hc-ping.com/t0ken?t0ken");
        assert_eq!(format!("{monitor:?}"), "Monitor([redacted])");
    }

    #[test]
    fn a_failure_is_reported_without_quoted_text() {
        assert_eq!(body(4, "2 of 5 sessions are missing\nhint"), "exit code 4: 2 of 5 sessions are missing");
        assert_eq!(body(130, ""), "exit code 130");
        assert_eq!(
            body(
                2,
                "GET /v2/x: bad request (HTTP 400): \"no Anna Muster\", says “Anna”. Ask anna@example.com (apk_user_k3y)"
            ),
            "exit code 2: GET /v2/x: bad request (HTTP 400): …, says …. Ask … …"
        );
        assert_eq!(body(2, "cut “off"), "exit code 2: cut …");
        assert!(body(1, &"é".repeat(999)).chars().count() < 220);
    }
}
