#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! A request passes `address` (URL), `api_client` (retries, pauses), `attempt` (one HTTP
//! exchange) and `redact` (the key is removed). `walk` reads all pages: `offsets` for
//! version 2, `slices` for version 3. What saved pages share with a walk is public:
//! [`page`] reads and judges records, [`envelope`] reads what a page says of its walk,
//! [`completeness`] counts ids, [`json`] and [`wire`] are the types.

mod address;
mod api;
mod api_client;
mod archived;
mod attempt;
pub mod completeness;
mod cycles;
mod dense;
mod endpoint;
pub mod envelope;
mod error;
pub mod exported;
mod gate;
mod heartbeat;
pub mod json;
mod literals;
mod names;
mod offsets;
pub mod page;
pub mod pattern;
mod people;
mod probe;
pub mod proxy;
mod redact;
mod replay;
pub mod retry;
mod roster;
mod sanitize;
mod shapes;
mod slices;
pub mod text;
pub mod time;
pub mod tls;
mod totals;
mod tunnel;
mod walk;
mod webhook;
pub mod wire;

pub use api::{Api, Records};
pub use api_client::ServerTime;
pub use cycles::cycles;
pub use error::{FetchError, until};
pub use gate::Gate;
pub use heartbeat::{Heartbeat, HeartbeatEvent, Monitor};
pub use names::display_names;
pub use people::{Member, People, organisations, people};
pub use probe::{Archived, LONGEST as PROBE_LONGEST, Principal, Probes, Sample, Week, probe};
pub use replay::{Unreadable, replay};
pub use totals::{Consumption, Counts, Vendor, consumption, vendor};
pub use webhook::{Webhook, WebhookError, WebhookLimits};

use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::proxy::Proxy;
use crate::tls::Trust;

/// The API key: readable by this crate alone, shown by nothing, and zeroed when it is dropped.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the key; the caller has trimmed and checked it.
    pub fn new(key: String) -> Self {
        Self(key.into())
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// How the API is reached, and with which key.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// The generation of the API.
    pub api: Api,
    /// `https`, or `http` to loopback.
    pub base_url: Url,
    /// Which certificates are trusted.
    pub trust: Trust,
    /// The proxy that leads to the server.
    pub proxy: Option<Proxy>,
    /// The key.
    pub key: Secret,
    /// Where the key came from, for messages: "DEVIN_API_KEY", "--api-key-file PATH".
    pub key_source: String,
    /// Sessions a page.
    pub page_size: u32,
    /// Bounds the requests in flight, whatever they are about.
    pub gate: Gate,
    /// How long the whole fetch may take.
    pub deadline: Duration,
}

impl ApiConfig {
    /// The API at an address, asked with a key: the largest pages, four requests at once
    /// and 20 minutes at most, without a proxy.
    pub fn new(api: Api, base_url: Url, key: Secret) -> Self {
        Self {
            api,
            base_url,
            trust: Trust::default(),
            proxy: None,
            key,
            key_source: "the configuration".to_owned(),
            page_size: api.largest_page(),
            gate: Gate::new(4),
            deadline: LIMITS.policy.deadline,
        }
    }
}

/// Which sessions are wanted, wherever they come from.
#[derive(Clone, Debug)]
pub struct SessionQuery {
    /// One organisation, or the whole enterprise.
    pub org: Option<String>,
    /// Sessions created at or after this moment …
    pub from: DateTime<Utc>,
    /// … and before this one.
    pub to: DateTime<Utc>,
    /// Only sessions that changed at or after this moment; a server may give
    /// others as well.
    pub updated_from: Option<DateTime<Utc>>,
    /// Only these sessions, by their ids without prefix; empty is all.
    pub ids: Vec<String>,
    /// Only sessions with any of these tags, in which `*` stands for any text; empty is all.
    pub tags: Vec<String>,
    /// Only sessions of any of these users; empty is all.
    pub users: Vec<String>,
    /// Deliver what came even when completeness cannot be proved.
    pub allow_partial: bool,
}

impl SessionQuery {
    /// All sessions created in a window, of one organisation or of the whole enterprise.
    pub fn all(org: Option<String>, window: Range<DateTime<Utc>>) -> Self {
        Self {
            org,
            from: window.start,
            to: window.end,
            updated_from: None,
            ids: Vec::new(),
            tags: Vec::new(),
            users: Vec::new(),
            allow_partial: false,
        }
    }

    /// When the wanted sessions were created.
    pub fn window(&self) -> Range<DateTime<Utc>> {
        self.from..self.to
    }

    /// The tags that the API is asked for: it knows no patterns, so that with one of
    /// them it is asked for all sessions, and the rows are filtered here.
    pub(crate) fn asked_tags(&self) -> &[String] {
        if self.tags.iter().any(|tag| tag.contains('*')) { &[] } else { &self.tags }
    }
}

/// A session within the window, and its place in the server's order.
#[derive(Debug)]
pub struct Row<'a> {
    /// Place in the server's order: of two equally fresh duplicates the later wins.
    pub position: u64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed; `None` if unreadable.
    pub updated: Option<DateTime<Utc>>,
    /// Whether a row of the same session was delivered before.
    pub again: bool,
    /// The record, whose id was checked.
    pub session: &'a wire::Session<'a>,
}

impl<'a> Row<'a> {
    /// The id of its session, to compare by.
    pub fn id(&self) -> &'a str {
        self.session.id().expect("a record without an id is rejected and no row")
    }
}

/// What a fetch delivers.
#[derive(Debug)]
pub enum PageEvent<'a> {
    /// Forget everything: the walk begins anew.
    Restart,
    /// The answer that a page was read from, before its rows: for keeping. The key is
    /// removed.
    Answer {
        /// Sorts the answers of a walk.
        place: (u64, u64),
        /// The JSON as it came.
        body: &'a str,
    },
    /// The accepted rows of one page, in no particular order of pages.
    Page(&'a [Row<'a>]),
}

/// Progress of a fetch, for a progress bar and log lines; it never holds the key or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The fetch begins.
    Asked {
        /// The path asked, without the query.
        path: String,
        /// Start of the window …
        from: DateTime<Utc>,
        /// … and its end, itself outside.
        to: DateTime<Utc>,
        /// Only what changed since this moment.
        updated_from: Option<DateTime<Utc>>,
    },
    /// Sessions are about to be asked for by their ids.
    Singly {
        /// How many.
        sessions: u64,
    },
    /// Saved pages are about to be read.
    Reading {
        /// Their path.
        path: String,
        /// How many files there are.
        files: u64,
        /// Files beside them that hold no pages by their names.
        left_out: u64,
    },
    /// The server's count of sessions, if it gives one; once a walk.
    Total(Option<u64>),
    /// A page was read.
    Page {
        /// Pages so far in this walk.
        pages: u64,
        /// Distinct sessions so far in this walk.
        sessions: u64,
        /// The server's latest count, if it gives one.
        total: Option<u64>,
    },
    /// A request failed and is sent again.
    Retry {
        /// The attempt that failed, from 1.
        attempt: u32,
        /// How it failed, in words.
        class: String,
        /// The wait before the next attempt.
        wait: Duration,
        /// What was asked, without the query.
        path: String,
    },
    /// Completeness could not be proved, so the walk begins anew.
    Again {
        /// The number of the walk that begins, from 2.
        walk: u32,
        /// Why.
        reason: String,
    },
    /// The listing leaves archived sessions out, so they are asked for by themselves.
    Archived,
    /// The fetch is over, well or not.
    Done {
        /// Requests sent, retries included.
        requests: u64,
        /// Requests that repeated a failed one.
        retries: u64,
        /// Time spent waiting before retries, added up over all workers.
        waited: Duration,
    },
}

/// Statistics of a fetch. `received` is the sum of `unique`, `duplicates`, `outside` and
/// `rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FetchStats {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Pages read in the walk that counts.
    pub pages: u64,
    /// Rows received in that walk.
    pub received: u64,
    /// Distinct sessions in the window.
    pub unique: u64,
    /// Rows of a session that had a row before.
    pub duplicates: u64,
    /// Rows outside the window or the filter, dropped.
    pub outside: u64,
    /// Rows without an id or a readable creation time, dropped.
    pub rejected: u64,
    /// Creation times that named no zone and were taken as UTC.
    #[serde(skip)]
    pub naive_times: u64,
    /// Every session that the server counts has been received.
    pub complete: bool,
}

/// What bounds a fetch beyond the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    bounds: attempt::Bounds,
    policy: retry::RetryPolicy,
    /// Walks before the data counts as incomplete.
    walks: u32,
    /// Pages in a walk: more than any organisation has.
    pages: u64,
}

const LIMITS: Limits = Limits {
    bounds: attempt::Bounds {
        connect: Duration::from_secs(10),
        read: Duration::from_secs(30),
        attempt: Duration::from_secs(120),
        page_bytes: 64 * 1024 * 1024,
    },
    policy: retry::RetryPolicy {
        attempts: 6,
        attempts_not_json: 3,
        base: Duration::from_millis(500),
        cap: Duration::from_secs(30),
        budget: 200,
        deadline: Duration::from_secs(20 * 60),
    },
    walks: 3,
    pages: 100_000,
};

impl Default for Limits {
    /// Those of a real run.
    fn default() -> Self {
        LIMITS
    }
}

impl Limits {
    /// The same with every wait and timeout divided by this, so that a proof of
    /// what a bad day does need not last a day.
    pub fn hurried(self, by: u32) -> Self {
        let by = by.max(1);
        let attempt::Bounds { connect, read, attempt, page_bytes } = self.bounds;
        let retry::RetryPolicy { base, cap, .. } = self.policy;
        Self {
            bounds: attempt::Bounds {
                connect: connect / by,
                read: read / by,
                attempt: attempt / by,
                page_bytes,
            },
            policy: retry::RetryPolicy { base: base / by, cap: cap / by, ..self.policy },
            ..self
        }
    }
}

/// The statistics of a fetch whose accepted rows were delivered on the way.
///
/// Pages are delivered as they come, in no particular order; a
/// [`PageEvent::Restart`] takes back all that was delivered before it.
///
/// # Errors
///
/// Every way in which the data may be missing or not to be trusted; what was delivered before an error is void.
pub async fn fetch(
    config: &ApiConfig,
    query: &SessionQuery,
    deliver: &mut (dyn FnMut(PageEvent<'_>) + Send),
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<FetchStats, FetchError> {
    fetch_within(config, query, &LIMITS, deliver, progress).await
}

/// [`fetch`] within other limits than those of a real run.
///
/// # Errors
///
/// As [`fetch`].
pub async fn fetch_within(
    config: &ApiConfig,
    query: &SessionQuery,
    limits: &Limits,
    deliver: &mut (dyn FnMut(PageEvent<'_>) + Send),
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<FetchStats, FetchError> {
    let client = api_client::ApiClient::new(config, query, limits, progress)?;
    let SessionQuery { from, to, updated_from, .. } = *query;
    progress(Progress::Asked { path: client.path(), from, to, updated_from });
    let walks = walk::proved(&client, limits, deliver, progress);
    let outcome = tokio::time::timeout(config.deadline, walks)
        .await
        .unwrap_or_else(|_| Err(FetchError::Deadline { host: client.host(), deadline: config.deadline }));
    // Whatever came of it: what was tried is worth more where it was in vain.
    let (requests, retries) = client.requests();
    progress(Progress::Done { requests, retries, waited: client.waited() });
    outcome
}

#[cfg(test)]
mod tests;
