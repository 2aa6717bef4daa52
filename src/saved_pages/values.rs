//! What a chunk of saved pages holds: pages with their end signals, and
//! sessions without any. They are recognised by their content, never by file names.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use serde_json::{Deserializer, error::Category};

use devin_api::Api;
use devin_api::envelope::{Enveloped, Signs};
use devin_api::exported;
use devin_api::json::{Object, first};
use devin_api::page::{Rejection, Scratch, SessionPage, Verdict, may_be_exported, outside, plain, verdict};
use devin_api::wire::{Session, is_session};
use devin_api::{Row, SessionQuery};

/// Sessions that came together, each judged.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// What their page says of its walk; none for sessions without a page.
    pub signs: Option<Signs>,
    /// What becomes of each; places count from the first of this part.
    pub verdicts: Vec<Verdict<'a>>,
    /// What they have in common.
    pub summary: RecordSummary,
}

/// Counts, names and times of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordSummary {
    /// Records as v2 writes them.
    pub v2: u64,
    /// … and as v3 does.
    pub v3: u64,
    /// … and as the web app's export does, whole exports included.
    pub exported: u64,
    /// The times that exports are about.
    pub ranges: Vec<Range<DateTime<Utc>>>,
    /// What exports call users, by id …
    pub users: Names,
    /// … and organisations.
    pub organisations: Names,
    /// Tags, pull requests, issues and action items of all of them.
    pub entries: u64,
    /// The bytes of their texts.
    pub texts: u64,
    /// When the first of all was created, wanted or not …
    pub first: Option<DateTime<Utc>>,
    /// … and the last.
    pub last: Option<DateTime<Utc>>,
}

/// Names by id, each with the creation of the session that has it: the latest name
/// counts, and nothing is less than any name.
pub(super) type Names = BTreeMap<String, (DateTime<Utc>, String)>;

fn rename(names: &mut Names, id: &str, name: (DateTime<Utc>, String)) {
    let rank = |(at, name): &(DateTime<Utc>, String)| (!name.is_empty(), *at, name.clone());
    match names.get_mut(id) {
        Some(known) if rank(known) >= rank(&name) => {}
        Some(known) => *known = name,
        None => drop(names.insert(id.to_owned(), name)),
    }
}

impl RecordSummary {
    /// Adds the summary of other records.
    pub(super) fn join(&mut self, other: Self) {
        self.v2 += other.v2;
        self.v3 += other.v3;
        self.exported += other.exported;
        self.ranges.extend(other.ranges);
        other.users.into_iter().for_each(|(id, name)| rename(&mut self.users, &id, name));
        other.organisations.into_iter().for_each(|(id, name)| rename(&mut self.organisations, &id, name));
        self.entries += other.entries;
        self.texts += other.texts;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }

    fn note(&mut self, session: &Session<'_>) {
        let size = session.size();
        self.entries += size.entries as u64;
        self.texts += size.texts as u64;
        match (session.exported, generation(session)) {
            (Some(_), _) => self.exported += 1,
            (None, Api::V2) => self.v2 += 1,
            (None, Api::V3) => self.v3 += 1,
        }
    }

    fn note_names(&mut self, session: &Session<'_>, created: DateTime<Utc>) {
        let Some(names) = session.exported else { return };
        for (all, id, name) in [
            (&mut self.users, &session.user_id, &names.user),
            (&mut self.organisations, &session.org_id, &names.organisation),
        ] {
            // A person without a name is known by the email.
            if let Some(id) = id.trimmed() {
                rename(all, id, (created, name.clone().unwrap_or_default()));
            }
        }
    }

    fn note_time(&mut self, created: DateTime<Utc>) {
        self.first = Some(self.first.map_or(created, |first| first.min(created)));
        self.last = self.last.max(Some(created));
    }
}

/// The generation that writes a record so: v3 counts seconds, and has fields of
/// its own, which are left where somebody has rewritten the times.
fn generation(session: &Session<'_>) -> Api {
    let is_text = session.created_at.is_some_and(|raw| raw.starts_with('"'));
    let has_own = || {
        let words = [&session.origin, &session.session_size, &session.category, &session.status_detail];
        session.analysis.is_some() || words.iter().any(|word| word.get().is_some())
    };
    if !is_text || has_own() { Api::V3 } else { Api::V2 }
}

/// What cannot be read, and on which line of the chunk, from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentError {
    pub line: u64,
    pub what: &'static str,
}

const NEITHER: &str = "neither a page of sessions nor a session";

/// Reads a chunk; `scratch` is where a mended copy lives, should one be needed.
/// [`judged`] says what becomes of its sessions.
///
/// # Errors
/// The body is no JSON, or neither a page nor a session.
pub(super) fn read<'a>(body: &'a str, scratch: &'a Scratch) -> Result<Vec<Group<'a>>, ContentError> {
    match fitting(body) {
        Some(groups) => Ok(groups),
        None => one_by_one(scratch.mended(body), scratch),
    }
}

/// Sessions that came together, unjudged.
#[derive(Default)]
pub(super) struct Group<'a> {
    signs: Option<Signs>,
    /// It is an export, or a piece of one, about this time.
    range: Option<Range<DateTime<Utc>>>,
    sessions: Vec<Session<'a>>,
    unreadable: Vec<Rejection>,
}

/// Where sessions without a page belong: those that follow each other are one group.
fn loose<'g, 'a>(groups: &'g mut Vec<Group<'a>>) -> &'g mut Group<'a> {
    if groups.last().is_none_or(|group| group.signs.is_some() || group.range.is_some()) {
        groups.push(Group::default());
    }
    groups.last_mut().expect("a group was pushed where there was none")
}

/// All groups where every record has the shapes of the API, in one pass.
fn fitting(body: &str) -> Option<Vec<Group<'_>>> {
    if may_be_exported(body) {
        return None;
    }
    let mut groups = Vec::new();
    let mut rest = body.trim_ascii_start();
    // Most files hold values of one kind: what came last is tried first.
    let mut is_page = true;
    while !rest.is_empty() {
        let mut object = |is_page| if is_page { page(rest, &mut groups) } else { record(rest, &mut groups) };
        let length = if rest.starts_with('[') {
            array(rest, &mut groups)?
        } else if let Some(length) = object(is_page) {
            length
        } else {
            is_page = !is_page;
            object(is_page)?
        };
        rest = rest.split_at(length).1.trim_ascii_start();
    }
    Some(groups)
}

/// Reads the page at the beginning of a text; its length.
fn page<'a>(text: &'a str, groups: &mut Vec<Group<'a>>) -> Option<usize> {
    let (Object(mut page), length) = first::<Object<SessionPage<'_>>>(text).ok()?;
    let sessions = plain(page.items.take()?)?;
    match page.signs() {
        signs @ Some(_) => groups.push(Group { signs, sessions, ..Group::default() }),
        None => loose(groups).sessions.extend(sessions),
    }
    Some(length)
}

/// The same of an array of sessions.
fn array<'a>(text: &'a str, groups: &mut Vec<Group<'a>>) -> Option<usize> {
    let (sessions, length) = first(text).ok()?;
    loose(groups).sessions.extend(plain(sessions)?);
    Some(length)
}

/// The same of a session.
fn record<'a>(text: &'a str, groups: &mut Vec<Group<'a>>) -> Option<usize> {
    let (Object(session), length) = first::<Object<Session<'_>>>(text).ok()?;
    session.is_named().then(|| loose(groups).sessions.push(session))?;
    Some(length)
}

/// The same value by value and record by record, so that one odd record costs
/// itself alone.
fn one_by_one<'a>(body: &'a str, scratch: &'a Scratch) -> Result<Vec<Group<'a>>, ContentError> {
    // The group of each record, because all are read together in the end.
    let (mut groups, mut all, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    let mut values = Deserializer::from_str(body).into_iter::<&RawValue>();
    let lines = |end: usize| {
        let before = body.split_at(end).0.trim_ascii_end();
        memchr::memchr_iter(b'\n', before.as_bytes()).count() as u64
    };
    let mut end = 0;
    while let Some(value) = values.next() {
        let value = value.map_err(|error| {
            let what = match error.classify() {
                Category::Eof => "the JSON ends in the middle",
                _ => "not valid JSON",
            };
            ContentError { line: (error.line() as u64).saturating_sub(1).max(lines(end)), what }
        })?;
        let raw = value.get();
        end = values.byte_offset();
        let neither = || ContentError { line: lines(end - raw.len().min(end) + 1), what: NEITHER };
        let (signs, range, records): (_, _, Vec<&RawValue>) = if raw.starts_with('[') {
            (None, None, serde_json::from_str(raw).map_err(|_| neither())?)
        } else {
            let page = serde_json::from_str::<Object<Enveloped<'_, Option<Vec<&RawValue>>>>>(raw);
            if let Ok(Object(mut page)) = page
                && let Some(records) = page.items.take()
            {
                (page.signs(), None, records)
            } else if is_session(raw) {
                (None, None, vec![value])
            } else {
                let export = exported::read(raw).ok_or_else(neither)?;
                (None, export.range, export.sessions)
            }
        };
        if signs.is_some() || range.is_some() {
            groups.push(Group { signs, range, ..Group::default() });
        } else {
            loose(&mut groups);
        }
        owners.extend(records.iter().map(|_| groups.len() - 1));
        all.extend(records);
    }
    for (owner, record) in owners.into_iter().zip(scratch.records(all)) {
        let group: &mut Group<'_> = groups.get_mut(owner).expect("the group was pushed with its records");
        match record {
            Ok(session) => group.sessions.push(session),
            Err(rejection) => group.unreadable.push(rejection),
        }
    }
    Ok(groups)
}

/// Judges a group as the API would have chosen from it.
pub(super) fn judged<'a>(group: &'a Group<'a>, query: &SessionQuery) -> Part<'a> {
    let window = query.window();
    let mut summary = RecordSummary {
        exported: u64::from(group.range.is_some()),
        ranges: group.range.iter().cloned().collect(),
        ..RecordSummary::default()
    };
    let mut verdicts = Vec::with_capacity(group.sessions.len() + group.unreadable.len());
    for (position, session) in (0..).zip(&group.sessions) {
        summary.note(session);
        let (is_elsewhere, created) = (is_elsewhere(session, query), session.created());
        created.iter().for_each(|created| summary.note_time(created.utc));
        created.iter().for_each(|created| summary.note_names(session, created.utc));
        let mut verdict = match verdict(session, created, query, &window, |_| position) {
            Verdict::Accepted { row, .. } if is_elsewhere => outside(row.id(), row.session),
            verdict => verdict,
        };
        // Of two exports the one that reaches further was made later.
        if let (
            Some(range),
            Verdict::Accepted { row: Row { updated, .. }, .. } | Verdict::Outside { updated, .. },
        ) = (&group.range, &mut verdict)
        {
            *updated = Some(range.end);
        }
        verdicts.push(verdict);
    }
    verdicts.extend(group.unreadable.iter().cloned().map(Verdict::Rejected));
    Part { signs: group.signs, verdicts, summary }
}

/// Whether a session names another organisation than the one in query. One
/// that names none came from an address that did.
fn is_elsewhere(session: &Session<'_>, query: &SessionQuery) -> bool {
    match (&query.org, session.org_id.trimmed()) {
        (Some(wanted), Some(org)) => wanted != org,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> SessionQuery {
        let moment = |text: &str| text.parse().unwrap();
        SessionQuery::all(
            Some("org_789".to_owned()),
            moment("2026-10-05T00:00:00Z")..moment("2026-10-12T00:00:00Z"),
        )
    }

    fn parts(body: &str) -> Result<Vec<(Option<Signs>, String)>, ContentError> {
        let scratch = Scratch::default();
        let word = |verdict: &Verdict<'_>| match verdict {
            Verdict::Accepted { row, .. } => format!("{}@{}", row.session.id().unwrap(), row.position),
            Verdict::Outside { id, .. } => format!("out {id}"),
            Verdict::Rejected(rejection) => format!("no {}", rejection.id.clone().unwrap_or_default()),
        };
        let (groups, query) = (read(body, &scratch)?, query());
        let parts = groups.iter().map(|group| judged(group, &query));
        let words = |part: &Part<'_>| part.verdicts.iter().map(word).collect::<Vec<_>>().join(" ");
        Ok(parts.map(|part| (part.signs, words(&part))).collect())
    }

    fn session(id: &str) -> String {
        format!(r#"{{"session_id": "{id}", "created_at": "2026-10-07T00:00:00Z"}}"#)
    }

    #[test]
    fn pages_arrays_and_records_are_distinguished() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(session);
        let body = format!(
            "{a}\n[{b},\n{c}] {{\"items\": [{d}], \"has_next_page\": false}}\n{{\"items\": [{a}]}}{b}\n\
             {{\"items\": [], \"total\": 7, \"has_more\": true}}"
        );
        let v3 = Signs { api: Api::V3, more: false, total: None };
        let v2 = Signs { api: Api::V2, more: true, total: Some(7) };
        let expected = [
            (None, "a@0 b@1 c@2".to_owned()),
            (Some(v3), "d@0".to_owned()),
            (None, "a@0 b@1".to_owned()),
            (Some(v2), String::new()),
        ];
        assert_eq!(parts(&body).unwrap(), expected);
        // Record by record it is the same, and what does not fit is rejected.
        let odd = format!("{body} {{\"session_id\": \"devin-x\", \"url\": 1, \"url\": 2}}");
        let read = parts(&odd).unwrap();
        assert_eq!((&read[..4], read[4].1.as_str()), (&expected[..], "no x"));
    }

    #[test]
    fn sessions_of_another_organisation_are_outside() {
        let elsewhere = session("a").replacen('{', r#"{"org_id": "org_1", "#, 1);
        let here = session("b").replacen('{', r#"{"org_id": " org_789 ", "#, 1);
        let read = parts(&[elsewhere, here, session("c")].concat()).unwrap();
        assert_eq!(read, [(None, "out a b@1 c@2".to_owned())]);
    }

    #[test]
    fn invalid_content_is_reported_with_its_line() {
        let good = session("a");
        for (body, line, what) in [
            ("{}", 0, NEITHER),
            ("\n\n{\"items\": {}}", 2, NEITHER),
            ("7", 0, NEITHER),
            ("\"items\"", 0, NEITHER),
            (&format!("{good}\n{{\"items\": [], \"items\": []}}"), 1, NEITHER),
            (&format!("{good}\n{good}\nnot"), 2, "not valid JSON"),
            (&format!("{good}\n\n{{\"session_id\":\n\n"), 2, "the JSON ends in the middle"),
        ] {
            let error = parts(body).unwrap_err();
            assert_eq!(error.what, what, "{body}");
            assert!(error.line >= line && error.line <= line + 2, "{body}: {}", error.line);
        }
    }

    #[test]
    fn the_api_version_is_detected_by_times_and_fields() {
        let of = |json: &str| generation(&serde_json::from_str::<Session<'_>>(json).unwrap());
        assert_eq!(of(&session("a")), Api::V2);
        assert_eq!(of(r#"{"created_at": 1791300000}"#), Api::V3);
        assert_eq!(of(r#"{"created_at": "2026-10-07T00:00:00Z", "category": "bug_fixing"}"#), Api::V3);
        assert_eq!(of(r#"{"created_at": "2026-10-07T00:00:00Z", "session_analysis": {}}"#), Api::V2);
    }
}
