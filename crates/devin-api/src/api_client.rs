//! The one retry layer: asks for a page until it is there or will not be.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, Url};
use tokio::sync::{SemaphorePermit, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::debug;

use super::attempt::{self, Failure};
use super::envelope::PageError;
use super::retry::{Class, Decision, RetryPolicy, Spent, decide};
use super::{ApiConfig, FetchError, Limits, Progress, SessionQuery, address, retry, sanitize, tunnel};
use crate::proxy::{Refusal, Tunnel};

/// Asks for pages; shared by all that are in flight.
pub(super) struct ApiClient<'q> {
    pub config: &'q ApiConfig,
    pub query: &'q SessionQuery,
    limits: &'q Limits,
    policy: RetryPolicy,
    progress: &'q (dyn Fn(Progress) + Send + Sync),
    client: Client,
    sessions: Url,
    started: Instant,
    /// No request is sent before this moment: the server asked to wait.
    paused_until: watch::Sender<Instant>,
    requests: AtomicU64,
    retries: AtomicU64,
    waited_ms: AtomicU64,
    server_time: Mutex<Option<ServerTime>>,
}

/// What time it was at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// By its clock …
    pub time: DateTime<Utc>,
    /// … so long after the asking began.
    pub after: Duration,
}

impl<'q> ApiClient<'q> {
    /// Sets up the client.
    ///
    /// # Errors
    ///
    /// Settings with which no request can be sent.
    pub(super) fn new(
        config: &'q ApiConfig,
        query: &'q SessionQuery,
        limits: &'q Limits,
        progress: &'q (dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, FetchError> {
        let sessions = address::sessions(config, query)?;
        let started = Instant::now();
        Ok(Self {
            config,
            query,
            limits,
            policy: RetryPolicy { deadline: config.deadline, ..limits.policy },
            progress,
            client: attempt::build(config, &limits.bounds)?,
            sessions,
            started,
            paused_until: watch::Sender::new(started),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            waited_ms: AtomicU64::new(0),
            server_time: Mutex::new(None),
        })
    }

    /// Requests sent, and how many of them repeated a failed one.
    pub(super) fn requests(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.retries.load(Ordering::Relaxed))
    }

    /// Time spent on waits between attempts, added up over all workers.
    pub(super) fn waited(&self) -> Duration {
        Duration::from_millis(self.waited_ms.load(Ordering::Relaxed))
    }

    /// What time it was at the server when it answered last.
    pub(super) fn server_time(&self) -> Option<ServerTime> {
        *self.server_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_time(&self, time: DateTime<Utc>) {
        let server_time = ServerTime { time, after: self.started.elapsed() };
        *self.server_time.lock().unwrap_or_else(PoisonError::into_inner) = Some(server_time);
    }

    /// The address of the wanted sessions, without its place in the walk.
    pub(super) fn sessions(&self) -> &Url {
        &self.sessions
    }

    /// What is asked, without the query.
    pub(super) fn path(&self) -> String {
        self.sessions.path().to_owned()
    }

    /// Asks as often as it is worth it, and gives what `read` makes of the
    /// answer; a flaw that it finds is a failure like those of the network.
    ///
    /// # Errors
    ///
    /// The last failure, once it is certain or was met often enough.
    pub(super) async fn ask<T>(
        &self,
        url: Url,
        read: impl Fn(&str) -> Result<T, PageError>,
    ) -> Result<T, FetchError> {
        let path = url.path().to_owned();
        let (mut attempts, mut not_json) = (0_u32, 0_u32);
        loop {
            let permit = self.enter().await;
            attempts += 1;
            self.requests.fetch_add(1, Ordering::Relaxed);
            if attempts > 1 {
                self.retries.fetch_add(1, Ordering::Relaxed);
            }
            let (bounds, key) = (&self.limits.bounds, &self.config.key);
            let (begun, status) = (Instant::now(), AtomicU16::new(0));
            let heard = |answered, time: Option<DateTime<Utc>>| {
                status.store(answered, Ordering::Relaxed);
                time.into_iter().for_each(|time| self.note_time(time));
            };
            let outcome = match self.pass_proxy().await {
                Ok(()) => attempt::send(&self.client, url.clone(), bounds, key, &read, heard).await,
                Err(failure) => Err(failure),
            };
            // A request that waits for its next attempt does not hold up others.
            drop(permit);
            let (status, elapsed) = (status.load(Ordering::Relaxed), begun.elapsed());
            let failure = outcome.as_ref().err().map(describe);
            debug!(
                path,
                status = (status > 0).then_some(status),
                attempt = attempts,
                seconds = (elapsed.as_secs_f64() * 1e3).round() / 1e3,
                failure,
                "request"
            );
            let failure = match outcome {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if failure.class == Class::Connection
                && let Some(proxy) = &self.config.proxy
            {
                *proxy.tunnel().await = Tunnel::Unknown;
            }
            not_json += u32::from(failure.class == Class::NotJson);
            let spent = Spent {
                attempts,
                not_json,
                retries: self.retries.load(Ordering::Relaxed),
                elapsed: self.started.elapsed(),
            };
            let asked = failure.retry_after.map(|asked| asked.wait);
            match decide(&self.policy, failure.class, spent, asked, random()) {
                Decision::Retry(wait) => self.wait(&path, attempts, &failure, wait).await,
                Decision::Stop => return Err(self.failed(path, failure, attempts)),
                Decision::Later(wait) => return Err(self.later(path, &failure, wait)),
            }
        }
    }

    /// Makes sure that the proxy opens a tunnel; all that ask wait for one answer.
    async fn pass_proxy(&self) -> Result<(), Failure> {
        let Some(proxy) = &self.config.proxy else { return Ok(()) };
        let mut tunnel = proxy.tunnel().await;
        if let Tunnel::Unknown = *tunnel {
            *tunnel = tunnel::ask(proxy, &self.config.trust, &self.sessions, &self.limits.bounds).await?;
        }
        match &*tunnel {
            Tunnel::Refused(Refusal { status, cause, hint }) => {
                Err(Failure { hint: hint.clone(), ..Failure::new(Class::Proxy(*status), cause.clone()) })
            }
            Tunnel::Open | Tunnel::Unknown => Ok(()),
        }
    }

    /// Waits before the next attempt; a pause that the server asked for holds for all.
    async fn wait(&self, path: &str, attempt: u32, failure: &Failure, wait: Duration) {
        let path = path.to_owned();
        (self.progress)(Progress::Retry { attempt, class: describe(failure), wait, path });
        let millis = u64::try_from(wait.as_millis()).expect("a wait is shorter than the deadline of a run");
        self.waited_ms.fetch_add(millis, Ordering::Relaxed);
        if failure.retry_after.is_some()
            && let Some(until) = Instant::now().checked_add(wait)
        {
            self.paused_until.send_if_modified(|paused| {
                let longer = until > *paused;
                *paused = until.max(*paused);
                longer
            });
        }
        sleep(wait).await;
    }

    /// Waits for a place among the requests in flight, and for the end of a pause.
    async fn enter(&self) -> SemaphorePermit<'q> {
        loop {
            self.pause().await;
            let permit = self.config.gate.enter().await;
            // The server may have asked for a pause meanwhile.
            if *self.paused_until.borrow() <= Instant::now() {
                return permit;
            }
        }
    }

    /// Returns when no pause holds; one may be prolonged while it lasts.
    async fn pause(&self) {
        loop {
            let until = *self.paused_until.borrow();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn later(&self, path: String, failure: &Failure, wait: Duration) -> FetchError {
        FetchError::Later {
            path,
            host: self.host(),
            status: match failure.class {
                Class::Status(status) => status,
                _ => 0,
            },
            wait,
            at: failure.retry_after.and_then(|asked| asked.at),
        }
    }

    fn failed(&self, path: String, failure: Failure, attempts: u32) -> FetchError {
        let (api, host) = (self.config.api, self.host());
        let detail = failure.cause.clone();
        match failure.class {
            Class::Tls => FetchError::Tls { host, cause: failure.cause, hint: failure.hint },
            Class::Contract => FetchError::Contract { path, what: failure.cause },
            Class::NotJson => FetchError::NotJson { path, host, got: failure.cause },
            Class::Status(status @ (401 | 403)) if failure.is_page => {
                FetchError::Page { path, host, status, title: detail }
            }
            Class::Status(status @ (401 | 403)) => {
                let key_source = self.config.key_source.clone();
                FetchError::Refused { path, api, status, key_source, detail }
            }
            Class::Status(404) => {
                FetchError::NotFound { path, host, api, org: self.query.org.clone(), detail }
            }
            Class::Status(status @ 300..=399) if detail.starts_with('/') => {
                FetchError::Moved { path, host, status, to: detail }
            }
            Class::Status(status @ 300..=399) => FetchError::Redirect { path, host, status, to: detail },
            Class::Status(status @ 400..=499) if !matches!(status, 408 | 425 | 429) => {
                FetchError::BadRequest { path, status, detail }
            }
            Class::Proxy(status) if !retry::is_passing(status) => {
                FetchError::Proxy { cause: failure.cause, hint: failure.hint }
            }
            // The server is there, and busy: that is a time to come back, not an outage.
            Class::Status(429) => {
                let wait = failure.retry_after.map_or(BUSY, |asked| asked.wait.max(BUSY));
                self.later(path, &failure, wait)
            }
            class @ (Class::Status(_)
            | Class::Connection
            | Class::Proxy(_)
            | Class::NoTls
            | Class::Timeout
            | Class::CutShort) => {
                FetchError::Unreachable { path, host, attempts, class, cause: describe(&failure) }
            }
        }
    }

    /// A cursor, shortened to what distinguishes it from others.
    pub(super) fn brief(&self, cursor: &str) -> String {
        sanitize::ends(cursor, &self.config.key)
    }

    /// A contract broken by what several answers say together.
    pub(super) fn contract(&self, what: &str) -> FetchError {
        // The server's words may be among it, which it may have taken from our key.
        FetchError::Contract { path: self.path(), what: sanitize::clean(what, &self.config.key) }
    }

    /// The host of the API.
    pub(super) fn host(&self) -> String {
        address::host(&self.sessions)
    }
}

/// When to come back to a server that stayed busy for a whole run of attempts.
const BUSY: Duration = Duration::from_secs(60);

/// A failure in a few words.
fn describe(failure: &Failure) -> String {
    match failure.class {
        Class::Status(status) => format!("HTTP {status}{}", failure.cause),
        Class::Timeout => format!("timeout: {}", failure.cause),
        Class::CutShort => format!("answer cut short: {}", failure.cause),
        Class::NotJson => format!("expected JSON, got {}", failure.cause),
        Class::Connection | Class::Proxy(_) | Class::NoTls | Class::Tls | Class::Contract => {
            failure.cause.clone()
        }
    }
}

/// A number in [0, 1), good enough to spread waits: each `RandomState` has keys of its own.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).expect("32 of 64 bits are left")) / (f64::from(u32::MAX) + 1.0)
}
