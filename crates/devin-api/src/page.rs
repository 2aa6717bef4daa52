//! A page's records, each judged on its own: accepted, outside the question, or rejected.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::api::Api;
pub use super::dense::too_dense;
use super::envelope::{Envelope, Enveloped, PageError, contract};
use super::json::{Object, Text};
pub use super::shapes::may_be_exported;
use super::shapes::{Rewritten, rewritten};
use super::time::Instant;
use super::wire::{Session, id_of_any};
use super::{Row, SessionQuery};
use crate::pattern::fits;
use crate::text::clean;

/// What becomes of one record.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// It is part of the answer; `naive` if its creation time named no zone.
    Accepted {
        /// The record in its place.
        row: Row<'a>,
        /// Its creation time named no zone.
        naive: bool,
    },
    /// It is outside the window, the tags or the users; its id still counts.
    Outside {
        /// Its id.
        id: String,
        /// When it last changed.
        updated: Option<DateTime<Utc>>,
        /// The API was asked for it, because it cannot filter by patterns of tags.
        expected: bool,
    },
    /// It has no id, no readable creation time, or does not fit at all.
    Rejected(Rejection),
}

/// Why a record is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its id, as far as it can be read.
    pub id: Option<String>,
    /// The field and its value, for messages.
    pub why: String,
}

impl Rejection {
    fn new(id: Option<&str>, field: &str, json: Option<&str>) -> Self {
        let value = json.map_or_else(|| "missing".to_owned(), |json| clean(json, LONGEST_VALUE));
        Self { id: id.map(str::to_owned), why: format!("{field} is {value}") }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "id {}: {}", clean(id, LONGEST_VALUE), self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Characters of a value in a message.
const LONGEST_VALUE: usize = 60;

/// A page as it came, borrowed from its body.
#[derive(Debug)]
pub struct Page<'a> {
    /// The body itself.
    pub body: &'a str,
    /// What it says about the walk.
    pub envelope: Envelope,
    /// The records that fit, in the server's order.
    pub sessions: Vec<Session<'a>>,
    /// Those that do not.
    pub unreadable: Vec<Rejection>,
}

/// Space for the text of records that are not read as they came.
#[derive(Debug, Default)]
pub struct Scratch {
    mended: OnceLock<String>,
    rewritten: OnceLock<Vec<Option<Rewritten>>>,
}

impl Scratch {
    /// The body without halves of surrogate pairs.
    pub fn mended<'a>(&'a self, body: &str) -> &'a str {
        self.mended.get_or_init(|| mended(body))
    }

    /// The records of a body, each read on its own: as it is, or rewritten in the shapes
    /// of the API.
    pub fn records<'a>(
        &'a self,
        records: Vec<&'a RawValue>,
    ) -> impl Iterator<Item = Result<Session<'a>, Rejection>> {
        let rewrite = || records.iter().map(|record| rewritten(record.get())).collect();
        let rewritten = self.rewritten.get_or_init(rewrite);
        records.into_iter().zip(rewritten).map(|(record, rewritten)| {
            let text = rewritten.as_ref().map_or(record.get(), |rewritten| &rewritten.text);
            let Object(mut session) = serde_json::from_str::<Object<Session<'a>>>(text).map_err(|_| {
                Rejection::new(id_of_any(record.get()).as_deref(), "the record", Some(record.get()))
            })?;
            session.unreadable = rewritten.as_ref().map_or(0, |rewritten| rewritten.unreadable);
            session.exported = rewritten.as_ref().and_then(|rewritten| rewritten.exported.as_ref());
            Ok(session)
        })
    }
}

/// A page whose records are all in the shapes of the API.
pub type SessionPage<'a> = Enveloped<'a, Option<Vec<Object<Session<'a>>>>>;

/// Sessions that all have ids; `None` where any may have to be rewritten.
pub fn plain(sessions: Vec<Object<Session<'_>>>) -> Option<Vec<Session<'_>>> {
    let is_plain = sessions.iter().all(|Object(session)| session.is_named());
    is_plain.then(|| sessions.into_iter().map(|Object(session)| session).collect())
}

/// Reads a page: in one pass where every record has the shapes of the API, else record by record.
///
/// # Errors
///
/// A body that is no whole page.
pub fn read<'a>(body: &'a str, scratch: &'a Scratch, api: Api) -> Result<Page<'a>, PageError> {
    if let Some(what) = too_dense(body.as_bytes()) {
        return contract(format!("it is {what}"));
    }
    if !may_be_exported(body)
        && let Ok(Object(mut page)) = serde_json::from_str::<Object<SessionPage<'a>>>(body)
        && let Some(sessions) = page.items.take().and_then(plain)
    {
        let envelope = page.envelope(api, sessions.len() as u64)?;
        return Ok(Page { body, envelope, sessions, unreadable: Vec::new() });
    }
    let Object(page) =
        serde_json::from_str::<Object<Enveloped<'a, Option<&'a RawValue>>>>(scratch.mended(body))?;
    let records = page.items.and_then(|items| serde_json::from_str::<Vec<&RawValue>>(items.get()).ok());
    let Some(records) = records else {
        return contract("`items` is missing or not a list".to_owned());
    };
    let envelope = page.envelope(api, records.len() as u64)?;
    let (mut sessions, mut unreadable) = (Vec::with_capacity(records.len()), Vec::new());
    for record in scratch.records(records) {
        match record {
            Ok(session) => sessions.push(session),
            Err(rejection) => unreadable.push(rejection),
        }
    }
    Ok(Page { body, envelope, sessions, unreadable })
}

/// Judges the records of a page against the query and a window within it;
/// `position` gives the place of the nth record in the server's order.
pub fn judge<'p>(
    sessions: &'p [Session<'p>],
    unreadable: Vec<Rejection>,
    query: &SessionQuery,
    window: &Range<DateTime<Utc>>,
    position: impl Fn(u64, DateTime<Utc>) -> u64,
) -> impl Iterator<Item = Verdict<'p>> {
    let judged = (0..).zip(sessions).map(move |(index, session)| {
        let created = session.created();
        verdict(session, created, query, window, |created| position(index, created))
    });
    judged.chain(unreadable.into_iter().map(Verdict::Rejected))
}

/// The most tags of a session, and pull requests, issues and action items: none has
/// more, and comparing them with each other takes quadratic time.
const MOST_ENTRIES: usize = 2_000;

/// The most bytes of a text that is kept: a title, an address, a tag.
const LONGEST_TEXT: usize = 64 * 1024;

/// Why records are rejected, for messages about too many of them.
pub const REJECTED: &str = "have no id, no readable creation time, a text of more than 64 KiB, or more than \
                            2000 tags, pull requests or issues";

/// Judges one record, created at a moment, against the query and a window within it.
pub fn verdict<'a>(
    session: &'a Session<'a>,
    created: Option<Instant>,
    query: &SessionQuery,
    window: &Range<DateTime<Utc>>,
    position: impl FnOnce(DateTime<Utc>) -> u64,
) -> Verdict<'a> {
    let Some(id) = session.id() else {
        let (field, value) = match session.exported {
            Some(_) => ("url", &session.url),
            None => ("session_id", &session.session_id),
        };
        return Verdict::Rejected(Rejection::new(None, field, value.get()));
    };
    let rejected =
        |field: &str, value: Option<&str>| Verdict::Rejected(Rejection::new(Some(id), field, value));
    let size = session.size();
    if size.longest_list > MOST_ENTRIES {
        return rejected("the length of a list", Some(&size.longest_list.to_string()));
    }
    if size.longest_text > LONGEST_TEXT {
        return rejected("the length of a text", Some(&format!("{} bytes", size.longest_text)));
    }
    let Some(created) = created else {
        return rejected("created_at", session.created_at);
    };
    if !window.contains(&created.utc) || !is_asked(session, query) {
        return outside(id, session);
    }
    if !has_tag(session, &query.tags) {
        return Verdict::Outside { id: id.to_owned(), updated: session.updated(), expected: true };
    }
    let Instant { utc: created, naive } = created;
    let (position, updated) = (position(created), session.updated());
    Verdict::Accepted { row: Row { position, created, updated, again: false, session }, naive }
}

/// The verdict on a record that is not wanted.
pub fn outside<'a>(id: &str, session: &Session<'_>) -> Verdict<'a> {
    Verdict::Outside { id: id.to_owned(), updated: session.updated(), expected: false }
}

/// Whether a session is one of those that the API was asked for, and has one of the
/// tags and one of the users that it was asked for. When it changed does not matter: fresher news than
/// were asked for do no harm.
fn is_asked(session: &Session<'_>, query: &SessionQuery) -> bool {
    let asked = |wanted: &[String], text: Option<&str>| {
        text.is_some_and(|text| wanted.iter().any(|one| one.trim() == text))
    };
    let users = [&session.user_id, &session.service_user_id];
    let used = || users.into_iter().any(|user| asked(&query.users, user.trimmed()));
    let named = || asked(&query.ids, session.id());
    has_tag(session, query.asked_tags())
        && (query.users.is_empty() || used())
        && (query.ids.is_empty() || named())
}

/// Whether a session has a tag that fits one of these; empty is any session.
fn has_tag(session: &Session<'_>, patterns: &[String]) -> bool {
    let is_one = |tag: &str| patterns.iter().any(|pattern| fits(pattern.trim(), tag));
    patterns.is_empty() || session.tags.iter().filter_map(Text::trimmed).any(is_one)
}

/// The place of a row in the server's order, newest first, however the window
/// was sliced: by creation, then by its place in the slice.
pub fn position(index: u64, created: DateTime<Utc>) -> u64 {
    let seconds = created.timestamp().max(0).unsigned_abs();
    let newest_first = (u64::MAX >> INDEX_BITS).saturating_sub(seconds);
    (newest_first << INDEX_BITS) | index.min((1 << INDEX_BITS) - 1)
}

/// Room for the rows of a slice.
const INDEX_BITS: u32 = 26;

/// Half of an escaped surrogate pair is no character, and serde refuses
/// the whole page for it; U+FFFD takes its place.
pub fn mended(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (surrogate(escape), escape.get(SURROGATE..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => 2 * SURROGATE,
            (Some(_), _) => {
                out.push('\u{fffd}');
                rest = escape.split_at(SURROGATE).1;
                continue;
            }
            // A backslash and what it escapes, which may be another backslash.
            (None, _) => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        let (kept, after) = escape.split_at(length);
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The length of an escaped surrogate, `\ud83d`.
const SURROGATE: usize = 6;

enum Half {
    High,
    Low,
}

fn surrogate(escape: &str) -> Option<Half> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::query;
    use super::*;

    /// Each verdict in a few letters.
    fn judged(body: &str, query: &SessionQuery) -> Vec<String> {
        let scratch = Scratch::default();
        let page = read(body, &scratch, Api::V2).unwrap();
        let (sessions, unreadable, window) = (page.sessions, page.unreadable, query.window());
        let verdicts = judge(&sessions, unreadable, query, &window, |index, _| 100 + index);
        let letters = verdicts.map(|verdict| match verdict {
            Verdict::Accepted { row, naive } => {
                format!("{}@{}{}", row.session.id().unwrap(), row.position, if naive { "n" } else { "" })
            }
            Verdict::Outside { id, expected: true, .. } => format!("expected {id}"),
            Verdict::Outside { id, .. } => format!("out {id}"),
            Verdict::Rejected(rejection) => format!("no {}", rejection.id.unwrap_or_default()),
        });
        letters.collect()
    }

    fn page(records: &[&str]) -> String {
        format!(r#"{{"items": [{}], "has_more": false, "total": 0}}"#, records.join(","))
    }

    const WITHIN: &str = r#""created_at": "2026-10-07T00:00:00Z""#;

    #[test]
    fn the_window_is_half_open() {
        let body = page(&[
            r#"{"session_id": "devin-a", "created_at": "2026-10-05T00:00:00Z"}"#,
            r#"{"session_id": "b", "created_at": "2026-10-04T23:59:59.999Z"}"#,
            r#"{"session_id": "c", "created_at": "2026-10-12T00:00:00Z"}"#,
            r#"{"session_id": "d", "created_at": "2026-10-11T23:59:59.999999"}"#,
            r#"{"session_id": "e", "created_at": "2026-10-12T01:00:00+02:00"}"#,
        ]);
        let query = query();
        assert_eq!(judged(&body, &query), ["a@100", "out b", "out c", "d@103n", "e@104"]);
    }

    #[test]
    fn what_cannot_be_placed_is_rejected_alone() {
        let good = format!(r#"{{"session_id": "good", {WITHIN}}}"#);
        let nameless = format!("{{{WITHIN}}}");
        let body =
            page(&[r#"{"session_id": "a"}"#, &nameless, "null", "7", &good, r#"{"session_id": "devin-"}"#]);
        let query = query();
        assert_eq!(judged(&body, &query), ["no a", "no ", "good@102", "no ", "no ", "no "]);
        let twice = format!(r#"{{"session_id": "t", "url": "u", "url": "v", {WITHIN}}}"#);
        assert_eq!(judged(&page(&[&twice, &good]), &query), ["t@100", "good@101"]);
    }

    #[test]
    fn half_a_surrogate_pair_costs_no_session() {
        let broken =
            format!(r#"{{"session_id": "a", "title": "x\ud83d\\\ude00\ud83d\ude00é\udead", {WITHIN}}}"#);
        let body = page(&[&broken]);
        let scratch = Scratch::default();
        let page = read(&body, &scratch, Api::V2).unwrap();
        assert_eq!(page.sessions[0].title.get(), Some("x\u{fffd}\\\u{fffd}😀é\u{fffd}"));
    }

    #[test]
    fn mending_leaves_everything_else_alone() {
        for text in ["", r#"{"a": "\\ud800 \n \" \u00e9 \ud83d\ude00"}"#, "\\", "\\u", "\\ud8", "é\\é"] {
            assert_eq!(mended(text), text);
        }
    }

    #[test]
    fn filters_are_checked() {
        let body = page(&[
            &format!(r#"{{"session_id": "a", "tags": ["x", " y "], "user_id": "u", {WITHIN}}}"#),
            &format!(r#"{{"session_id": "b", "tags": ["z"], "user_id": "u", {WITHIN}}}"#),
            &format!(
                r#"{{"session_id": "c", "tags": ["y"], "user_id": "bot", "service_user_id": "v", {WITHIN}}}"#
            ),
            &format!(r#"{{"session_id": "d", "tags": null, {WITHIN}}}"#),
        ]);
        let mut query = query();
        query.tags = vec!["y".to_owned(), "w".to_owned()];
        assert_eq!(judged(&body, &query), ["a@100", "out b", "c@102", "out d"]);
        query.users = vec!["v".to_owned()];
        assert_eq!(judged(&body, &query), ["out a", "out b", "c@102", "out d"]);
        query.tags = Vec::new();
        assert_eq!(judged(&body, &query), ["out a", "out b", "c@102", "out d"]);
        query.users = Vec::new();
        query.tags = vec!["w".to_owned(), "*y*".to_owned()];
        assert_eq!(judged(&body, &query), ["a@100", "expected b", "c@102", "expected d"]);
        query.tags = vec!["*".to_owned()];
        assert_eq!(judged(&body, &query), ["a@100", "b@101", "c@102", "expected d"]);
        query.tags = Vec::new();
        query.users = Vec::new();
        query.ids = vec!["d".to_owned(), "a".to_owned()];
        assert_eq!(judged(&body, &query), ["a@100", "out b", "out c", "d@103"]);
    }

    #[test]
    fn positions_do_not_depend_on_slices() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let (newer, older) = (at(1_791_300_001), at(1_791_300_000));
        assert!(position(9, newer) < position(0, older));
        assert!(position(0, older) < position(1, older));
        assert!(position(u64::MAX, newer) < position(0, older));
    }
}
