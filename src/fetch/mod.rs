//! Network to wire records: the only async stage and the only home of reqwest.

pub mod lenient;
pub mod time;
pub mod wire;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Url;
use serde::Serialize;

/// The API key: readable by the fetch alone, and shown by nothing.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the key; the caller has trimmed and checked it.
    pub fn new(key: String) -> Self {
        Self(key)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What is asked of the API.
#[derive(Clone, Debug)]
pub struct Question {
    /// `https`, or `http` to loopback.
    pub base_url: Url,
    /// The key.
    pub key: Secret,
    /// Where the key came from, for messages: "DEVIN_API_KEY", "--api-key-file PATH".
    pub key_source: String,
    /// One organisation, or the whole enterprise.
    pub org: Option<String>,
    /// Sessions created at or after this moment …
    pub from: DateTime<Utc>,
    /// … and before this one.
    pub to: DateTime<Utc>,
    /// Only sessions with any of these tags; empty is all.
    pub tags: Vec<String>,
    /// Only sessions of any of these users; empty is all.
    pub users: Vec<String>,
    /// Sessions a page.
    pub page_size: u32,
    /// Requests in flight at once, at least 1.
    pub concurrency: usize,
    /// Deliver what came even when completeness cannot be proved.
    pub allow_partial: bool,
    /// How long the whole fetch may take.
    pub deadline: Duration,
}

/// A session that lies in the window, and its place in the server's order.
#[derive(Debug)]
pub struct Row<'a> {
    /// Place in the server's order: of two equally fresh duplicates the later wins.
    pub position: u64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// The record.
    pub session: wire::Session<'a>,
}

/// What the fetch hands on.
#[derive(Debug)]
pub enum Delivery<'a> {
    /// Forget everything: the walk begins anew.
    Restart,
    /// The accepted rows of one page, in no particular order of pages.
    Page(&'a [Row<'a>]),
}

/// What happened on the way: shown in the footer, kept in `facts.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
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
    /// Rows that told of a session again.
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
