//! One session as plain values, whether it came over the wire or was stored.

use std::borrow::Cow;

use super::normal;
use crate::fetch::Row;
use crate::fetch::json::Text;
use crate::fetch::wire::{Analysis, Session};

/// The user id that stands for "a service user" in place of a person's.
const BOT: &str = "bot_apk";

/// The origins of sessions that no person starts, whatever user they carry.
const AUTOMATED_ORIGINS: [&str; 3] = ["automation", "scheduled", "code_scan"];

/// The details of a suspension because of a limit.
const LIMITS: [&str; 9] = [
    "usage_limit_exceeded",
    "org_usage_limit_exceeded",
    "user_usage_limit_exceeded",
    "total_session_limit_exceeded",
    "out_of_quota",
    "no_quota_allocation",
    "out_of_credits",
    "payment_declined",
    "contract_expired",
];

/// What is told of a session itself; texts are trimmed and not empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record<'a> {
    /// Without prefix.
    pub id: &'a str,
    /// UTC, microseconds; so is `updated`.
    pub created: i64,
    pub updated: Option<i64>,
    pub org: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub service_user_id: Option<&'a str>,
    pub status: Option<&'a str>,
    pub acus: Option<f64>,
    pub origin: Option<&'a str>,
    pub size: Option<&'a str>,
    pub category: Option<&'a str>,
    /// Suspended because a limit was reached.
    pub limited: bool,
    pub messages: Option<u32>,
    pub title: Option<&'a str>,
    pub url: Option<&'a str>,
    /// It has an analysis …
    pub analysed: bool,
    /// … with so many remarks on the prompt.
    pub feedback: u32,
    /// Fields that could not be read.
    pub unreadable: u32,
}

impl<'a> Record<'a> {
    /// What a row of a page tells.
    pub(super) fn of(row: &'a Row<'_>) -> Self {
        let session = &row.session;
        let feedback = session.analysis().map_or(0, Analysis::prompt_feedback);
        Self {
            id: row.id(),
            created: row.created.timestamp_micros(),
            updated: row.updated.map(|moment| moment.timestamp_micros()),
            org: session.org_id.trimmed(),
            user_id: session.user_id.trimmed(),
            service_user_id: session.service_user_id.trimmed(),
            status: session.status.trimmed(),
            acus: session.acus(),
            origin: session.origin.trimmed(),
            size: session.session_size.trimmed(),
            category: session.category.trimmed(),
            limited: is_limited(session),
            messages: session.user_messages(),
            title: session.title.trimmed(),
            url: session.url.trimmed(),
            analysed: session.analysis().is_some(),
            feedback: u32::try_from(feedback).unwrap_or(u32::MAX),
            unreadable: session.unreadable(),
        }
    }

    /// Who started it: the service user before the person.
    pub(super) fn user(&self) -> Option<&'a str> {
        self.service_user_id.or(self.user_id)
    }

    /// Whether no person started it.
    pub(super) fn is_automation(&self) -> bool {
        self.service_user_id.is_some()
            || self.user_id == Some(BOT)
            || self.origin.is_some_and(|origin| AUTOMATED_ORIGINS.contains(&origin))
    }
}

fn is_limited(session: &Session<'_>) -> bool {
    session.status.trimmed() == Some("suspended")
        && session.status_detail.trimmed().is_some_and(|detail| LIMITS.contains(&detail))
}

/// What hangs on a session, each in the order in which it was told.
pub(super) struct Parts<T, P, I, A> {
    /// As they came: trimmed, not distinct.
    pub tags: T,
    /// Canonical addresses and places in [`normal::STATES`].
    pub pull_requests: P,
    /// Places in [`normal::IMPACTS`] and labels.
    pub issues: I,
    /// Their types.
    pub action_items: A,
}

/// What hangs on the session of a row.
#[expect(clippy::type_complexity, reason = "a name for each iterator would say less")]
pub(super) fn parts<'a>(
    row: &'a Row<'_>,
) -> Parts<
    impl Iterator<Item = &'a str> + Clone,
    impl Iterator<Item = (Option<Cow<'a, str>>, u32)>,
    impl Iterator<Item = (u32, Option<&'a str>)>,
    impl Iterator<Item = Option<&'a str>>,
> {
    let session = &row.session;
    let analysis = session.analysis();
    let entries = session.pull_requests.iter();
    let issues = analysis.into_iter().flat_map(|analysis| &analysis.issues);
    let items = analysis.into_iter().flat_map(|analysis| &analysis.action_items);
    Parts {
        tags: session.tags.iter().filter_map(Text::trimmed),
        pull_requests: entries
            .map(|entry| (entry.address().and_then(normal::address), normal::state(entry.state()))),
        issues: issues.map(|issue| (normal::impact(issue.impact.get()), issue.label.trimmed())),
        action_items: items.map(|item| item.kind.trimmed()),
    }
}
