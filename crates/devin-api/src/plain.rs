//! Pages as the API nearly always writes them, read straight from their bytes.
//!
//! serde reads whatever may come and takes two to three times as long. What is
//! not plain here (a field twice, an escape in a key, a value of another type)
//! gives `None`: the page is then read record by record, and such a record is
//! rewritten first (`shapes.rs`). So nothing has to be tolerated here, only
//! never to be read otherwise than serde would: an error here costs time alone.

use memchr::memchr2;
use serde::Deserialize;

use super::envelope::Enveloped;
use super::lenient::{List, Text};
use super::wire::{
    ActionItem, Analysis, Issue, PullRequest, PullRequestFields, Remark, Session, SuggestedPrompt,
};

/// A page with its records where all of them fit.
pub type Page<'a> = Enveloped<'a, Option<Vec<Session<'a>>>>;

/// How deep unneeded values are followed; what lies deeper is left to serde.
const DEEPEST: u32 = 32;

/// So many words of eight bytes are looked through for the end of a text before
/// a search is called that is faster on long ones.
const NEAR: usize = 4;

/// The most sessions of a page, as the API gives them.
const PAGE: usize = 200;

/// A text that is read. Each function reads the value that begins at a place,
/// and gives the place behind it as well.
pub struct Plain<'a> {
    text: &'a str,
    /// There are line ends, tabs or the like, which must not stand in a text.
    has_controls: bool,
}

/// A value, and the place behind it.
pub type Read<T> = Option<(T, usize)>;

/// The fields of an object that were met: serde refuses one that comes twice.
#[derive(Default)]
struct Met(u32);

impl Met {
    fn note(&mut self, field: u32) -> Option<()> {
        let bit = 1 << field;
        let is_first = self.0 & bit == 0;
        self.0 |= bit;
        is_first.then_some(())
    }
}

/// Puts a value in its place and gives the place behind it.
fn put<T>(place: &mut T, read: Read<T>) -> Option<usize> {
    let (value, at) = read?;
    *place = value;
    Some(at)
}

impl<'a> Plain<'a> {
    /// A reader of this text.
    pub fn new(text: &'a str) -> Self {
        Self { text, has_controls: text.bytes().fold(false, |any, byte| any | (byte < b' ')) }
    }

    /// A page.
    pub fn page(&self, at: usize) -> Read<Page<'a>> {
        let (mut page, mut met) = (Page::default(), Met::default());
        let at = self.object(at, |key, at| {
            // A field that is added there has to be read here.
            let Enveloped { items, has_more, has_next_page, total, end_cursor } = &mut page;
            let (field, at) = match key {
                b"items" => (0, put(items, self.nullable(at, |at| self.sessions(at)))),
                b"has_more" => (1, put(has_more, self.raw(at))),
                b"has_next_page" => (2, put(has_next_page, self.raw(at))),
                b"total" => (3, put(total, self.raw(at))),
                b"end_cursor" => (4, put(end_cursor, self.raw(at))),
                _ => return self.skip(at, DEEPEST),
            };
            met.note(field).and(at)
        })?;
        Some((page, at))
    }

    /// An array of sessions.
    pub fn sessions(&self, at: usize) -> Read<Vec<Session<'a>>> {
        let mut sessions = Vec::new();
        let at = self.array(at, |at| {
            sessions.push(Session::default());
            let session = sessions.last_mut()?;
            let end = self.fill(at, session)?;
            if sessions.len() == 1 {
                // The others will be about as long; they are large to move.
                sessions.reserve(((self.text.len() - end) / (end - at)).min(PAGE));
            }
            Some(end)
        })?;
        Some((sessions, at))
    }

    /// A session.
    pub fn session(&self, at: usize) -> Read<Session<'a>> {
        let mut session = Session::default();
        let end = self.fill(at, &mut session)?;
        Some((session, end))
    }

    /// Reads into its place a session that is one without any field.
    fn fill(&self, at: usize, session: &mut Session<'a>) -> Option<usize> {
        let mut met = Met::default();
        self.object(at, |key, at| {
            let Session {
                session_id,
                url,
                status,
                title,
                tags,
                user_id,
                service_user_id,
                org_id,
                created_at,
                updated_at,
                acus_consumed,
                pull_requests,
                session_analysis,
                analysis,
                origin,
                session_size,
                category,
                status_detail,
                num_user_messages,
                initial_user_message,
                unreadable: _,
                exported: _,
            } = &mut *session;
            let analysed = |at| self.optional(at, |at| self.analysis(at));
            let (field, at) = match key {
                b"session_id" => (0, put(session_id, self.word(at))),
                b"url" => (1, put(url, self.word(at))),
                b"status" => (2, put(status, self.word(at))),
                b"title" => (3, put(title, self.word(at))),
                b"tags" => (4, put(tags, self.list(at, b'"', |at| self.word(at)))),
                b"user_id" => (5, put(user_id, self.word(at))),
                b"service_user_id" => (6, put(service_user_id, self.word(at))),
                b"org_id" => (7, put(org_id, self.word(at))),
                b"created_at" => (8, put(created_at, self.raw(at))),
                b"updated_at" => (9, put(updated_at, self.raw(at))),
                b"acus_consumed" => (10, put(acus_consumed, self.raw(at))),
                b"pull_requests" => (11, put(pull_requests, self.list(at, b'{', |at| self.pull_request(at)))),
                b"session_analysis" => (12, put(session_analysis, analysed(at))),
                b"analysis" => (13, put(analysis, analysed(at))),
                b"origin" => (14, put(origin, self.word(at))),
                b"session_size" => (15, put(session_size, self.word(at))),
                b"category" => (16, put(category, self.word(at))),
                b"status_detail" => (17, put(status_detail, self.word(at))),
                b"num_user_messages" => (18, put(num_user_messages, self.raw(at))),
                b"initial_user_message" => (19, put(initial_user_message, self.raw(at))),
                _ => return self.skip(at, DEEPEST),
            };
            met.note(field).and(at)
        })
    }

    fn pull_request(&self, at: usize) -> Read<PullRequest<'a>> {
        let (mut fields, mut met) = (PullRequestFields::default(), Met::default());
        let at = self.object(at, |key, at| {
            let PullRequestFields { pr_url, url, pr_state, state } = &mut fields;
            let (field, at) = match key {
                b"pr_url" => (0, put(pr_url, self.word(at))),
                b"url" => (1, put(url, self.word(at))),
                b"pr_state" => (2, put(pr_state, self.word(at))),
                b"state" => (3, put(state, self.word(at))),
                _ => return self.skip(at, DEEPEST),
            };
            met.note(field).and(at)
        })?;
        Some((PullRequest(fields), at))
    }

    fn analysis(&self, at: usize) -> Read<Analysis<'a>> {
        let (mut analysis, mut met) = (Analysis::default(), Met::default());
        let at = self.object(at, |key, at| {
            let Analysis { issues, action_items, suggested_prompt } = &mut analysis;
            let prompt = |at| self.optional(at, |at| self.suggested_prompt(at));
            let (field, at) = match key {
                b"issues" => (0, put(issues, self.list(at, b'{', |at| self.issue(at)))),
                b"action_items" => (1, put(action_items, self.list(at, b'{', |at| self.action_item(at)))),
                b"suggested_prompt" => (2, put(suggested_prompt, prompt(at))),
                _ => return self.skip(at, DEEPEST),
            };
            met.note(field).and(at)
        })?;
        Some((analysis, at))
    }

    fn issue(&self, at: usize) -> Read<Issue<'a>> {
        let (mut issue, mut met) = (Issue::default(), Met::default());
        let at = self.object(at, |key, at| {
            let Issue { impact, label } = &mut issue;
            let (field, at) = match key {
                b"impact" => (0, put(impact, self.word(at))),
                b"label" => (1, put(label, self.word(at))),
                _ => return self.skip(at, DEEPEST),
            };
            met.note(field).and(at)
        })?;
        Some((issue, at))
    }

    fn action_item(&self, at: usize) -> Read<ActionItem<'a>> {
        let (mut item, mut met) = (ActionItem::default(), Met::default());
        let at = self.object(at, |key, at| {
            let ActionItem { kind } = &mut item;
            match key {
                b"type" => met.note(0).and(put(kind, self.word(at))),
                _ => self.skip(at, DEEPEST),
            }
        })?;
        Some((item, at))
    }

    fn suggested_prompt(&self, at: usize) -> Read<SuggestedPrompt<'a>> {
        let (mut prompt, mut met) = (SuggestedPrompt::default(), Met::default());
        let at = self.object(at, |key, at| {
            let SuggestedPrompt { feedback_items, original_prompt } = &mut prompt;
            let (field, at) = match key {
                b"feedback_items" => (0, put(feedback_items, self.list(at, b'{', |at| self.remark(at)))),
                b"original_prompt" => (1, put(original_prompt, self.raw(at))),
                _ => return self.skip(at, DEEPEST),
            };
            met.note(field).and(at)
        })?;
        Some((prompt, at))
    }

    fn remark(&self, at: usize) -> Read<Remark> {
        Some((Remark, self.object(at, |_, at| self.skip(at, DEEPEST))?))
    }

    /// Text, a number, or null.
    fn word(&self, at: usize) -> Read<Text<'a>> {
        let (found, start) = self.token(at)?;
        match found {
            b'"' => {}
            b'n' | b'-' | b'0'..=b'9' => return self.by_serde(at),
            _ => return None,
        }
        let end = self.special(start + 1)?;
        match self.byte(end)? {
            b'"' => Some((self.text.get(start + 1..end)?.into(), end + 1)),
            _ => self.by_serde(start),
        }
    }

    /// A list of elements that begin with the same byte, or null.
    fn list<T: Deserialize<'a>>(
        &self,
        at: usize,
        opens: u8,
        element: impl Fn(usize) -> Read<T>,
    ) -> Read<List<T>> {
        let (found, at) = self.token(at)?;
        if found == b'n' {
            return self.by_serde(at);
        }
        let mut items = Vec::new();
        let at = self.array(at, |at| {
            let (found, at) = self.token(at)?;
            if found == opens {
                let (item, at) = element(at)?;
                items.push(item);
                return Some(at);
            }
            match found {
                b'n' => self.literal(at, b"null"),
                // A tag may be a number.
                b'-' | b'0'..=b'9' if opens == b'"' => {
                    let (item, at) = self.by_serde(at)?;
                    items.push(item);
                    Some(at)
                }
                _ => None,
            }
        })?;
        Some((List(items), at))
    }

    /// An object, or null.
    fn optional<T>(&self, at: usize, object: impl FnOnce(usize) -> Read<T>) -> Read<Option<T>> {
        self.nullable(at, object)
    }

    /// Nothing for null.
    fn nullable<T>(&self, at: usize, value: impl FnOnce(usize) -> Read<T>) -> Read<Option<T>> {
        let (found, at) = self.token(at)?;
        if found == b'n' {
            return Some((None, self.literal(at, b"null")?));
        }
        let (value, at) = value(at)?;
        Some((Some(value), at))
    }

    /// A value as it stands, unread; nothing for null.
    fn raw(&self, at: usize) -> Read<Option<&'a str>> {
        self.nullable(at, |start| {
            let end = self.skip(start, DEEPEST)?;
            Some((self.text.get(start..end)?, end))
        })
    }

    /// A value that is odd, as serde reads it.
    #[cold]
    fn by_serde<T: Deserialize<'a>>(&self, at: usize) -> Read<T> {
        let end = self.skip(at, DEEPEST)?;
        Some((serde_json::from_str(self.text.get(at..end)?).ok()?, end))
    }

    fn object(&self, at: usize, mut field: impl FnMut(&'a [u8], usize) -> Option<usize>) -> Option<usize> {
        let (found, mut at) = self.token(self.mark(at, b'{')?)?;
        if found == b'}' {
            return Some(at + 1);
        }
        loop {
            let start = self.mark(at, b'"')?;
            let end = self.special(start)?;
            // An escape in a key is serde's.
            at = field(self.text.as_bytes().get(start..end)?, self.mark(self.mark(end, b'"')?, b':')?)?;
            let (found, place) = self.token(at)?;
            at = place + 1;
            match found {
                b',' => {}
                b'}' => return Some(at),
                _ => return None,
            }
        }
    }

    fn array(&self, at: usize, mut element: impl FnMut(usize) -> Option<usize>) -> Option<usize> {
        let (found, mut at) = self.token(self.mark(at, b'[')?)?;
        if found == b']' {
            return Some(at + 1);
        }
        loop {
            at = element(at)?;
            let (found, place) = self.token(at)?;
            at = place + 1;
            match found {
                b',' => {}
                b']' => return Some(at),
                _ => return None,
            }
        }
    }

    /// Passes over a value that nobody needs, which has to be JSON all the same.
    fn skip(&self, at: usize, depth: u32) -> Option<usize> {
        let deeper = depth.checked_sub(1)?;
        let (found, at) = self.token(at)?;
        match found {
            b'"' => self.skip_text(at + 1),
            b'{' => self.object(at, |_, at| self.skip(at, deeper)),
            b'[' => self.array(at, |at| self.skip(at, deeper)),
            b'n' => self.literal(at, b"null"),
            b't' => self.literal(at, b"true"),
            b'f' => self.literal(at, b"false"),
            _ => self.number(at),
        }
    }

    /// The same for a text, from behind its first quote.
    fn skip_text(&self, mut at: usize) -> Option<usize> {
        loop {
            at = self.special(at)?;
            match self.text.as_bytes().get(at..)? {
                [b'"', ..] => return Some(at + 1),
                [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
                [_, b'u', digits @ ..] if digits.get(..4)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            }
        }
    }

    fn number(&self, at: usize) -> Option<usize> {
        let mut at = at + usize::from(self.byte(at)? == b'-');
        at = if self.byte(at)? == b'0' { at + 1 } else { self.digits(at)? };
        if self.byte(at) == Some(b'.') {
            at = self.digits(at + 1)?;
        }
        if matches!(self.byte(at), Some(b'e' | b'E')) {
            let is_signed = matches!(self.byte(at + 1), Some(b'+' | b'-'));
            at = self.digits(at + 1 + usize::from(is_signed))?;
        }
        Some(at)
    }

    /// One digit or more.
    fn digits(&self, start: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(start..)?;
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(start + count)
    }

    fn literal(&self, at: usize, word: &[u8]) -> Option<usize> {
        let is_there = self.text.as_bytes().get(at..)?.starts_with(word);
        is_there.then_some(at + word.len())
    }

    /// The place behind a mark that has to come next.
    fn mark(&self, at: usize, mark: u8) -> Option<usize> {
        let (found, at) = self.token(at)?;
        (found == mark).then_some(at + 1)
    }

    /// The byte with which the next value or mark begins, and its place.
    fn token(&self, mut at: usize) -> Read<u8> {
        loop {
            match self.byte(at)? {
                b' ' | b'\n' | b'\r' | b'\t' => at += 1,
                byte => return Some((byte, at)),
            }
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The place in a text where it ends or an escape begins.
    fn special(&self, at: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(at..)?;
        // Most are short: to call for help takes longer than to look.
        let (near, _) = rest.as_chunks::<8>().0.split_at_checked(NEAR).unwrap_or_default();
        let words = near.iter().map(|word| marks(u64::from_le_bytes(*word)));
        let found = words.zip(0..).find(|(marks, _)| *marks != 0);
        let before = match found {
            Some((marks, words)) => words * 8 + marks.trailing_zeros() as usize / 8,
            None => near.len() * 8 + memchr2(b'"', b'\\', rest.get(near.len() * 8..)?)?,
        };
        if self.has_controls && rest.get(..before)?.iter().any(|byte| *byte < b' ') {
            return None;
        }
        Some(at + before)
    }
}

/// Bits in the bytes of a word that are quotes or backslashes, the lowest of
/// them in the first such byte.
fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c))
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    /// Reads a text in both ways: what is read here is what serde reads, and
    /// serde's own is given. `None` where serde refuses.
    fn both<'a, T: Debug + Deserialize<'a>>(text: &'a str, plain: Read<T>) -> Option<(T, bool)> {
        let serde = serde_json::from_str::<T>(text).ok();
        let read = plain.filter(|(_, end)| text[*end..].trim_ascii().is_empty());
        if let Some((value, _)) = &read {
            let expected = serde.as_ref().map(|value| format!("{value:?}"));
            assert_eq!(Some(format!("{value:?}")), expected, "{text}");
        }
        serde.map(|value| (value, read.is_some()))
    }

    fn session(text: &str) -> Option<(Session<'_>, bool)> {
        both(text, Plain::new(text).session(0))
    }

    fn page(text: &str) -> Option<(Page<'_>, bool)> {
        both(text, Plain::new(text).page(0))
    }

    /// Every field that is read, and some that are not.
    const SESSION: &str = r#"{"session_id": "devin-a", "url": "https://h.example/a", "status": "exit",
        "title": "É 😀", "tags": ["x", "a somewhat longer tag than others"], "user_id": "email|1",
        "service_user_id": null, "org_id": "org_1", "created_at": "2026-10-07T00:00:00Z",
        "updated_at": 1791201600.25, "acus_consumed": -1.5e+3, "pull_requests": [{"pr_url": "p", "url": "u",
        "pr_state": "open", "state": "merged", "n": 7}, {}], "session_analysis": {"issues": [{"issue": "i",
        "impact": "High", "label": "Set-up"}], "timeline": [{"title": "t", "deep": [[{}], [], true, false]}],
        "action_items": [{"type": "other", "action_item": "do"}], "suggested_prompt": {"original_prompt": "o",
        "suggested_prompt": "s\n\"\\\/\b\f\r\t\u00e9\ud800", "feedback_items": [{"summary": "s"}, {}]}},
        "analysis": {"issues": []}, "origin": "web", "session_size": "s", "category": "c",
        "status_detail": "d", "num_user_messages": 3, "initial_user_message": "say \"hello\"", "other": 1}"#;

    #[test]
    fn every_field_is_read_here_as_serde_reads_it() {
        let (read, is_plain) = session(SESSION).unwrap();
        assert!(is_plain);
        let shown = format!("{read:?}");
        let nothing = shown.matches("None").count();
        // The service user is null, and it is not of an export; the second pull request has four,
        // the second analysis a prompt.
        assert_eq!(nothing, 7, "{shown}");
        let compact = serde_json::from_str::<serde_json::Value>(&SESSION.replace("\\ud800", "")).unwrap();
        let text = format!("[{compact},\n\t{SESSION} , {{}}]\n");
        let (both, is_plain) = both(&text, Plain::new(&text).sessions(0)).unwrap();
        assert!(is_plain && both.len() == 3);
    }

    #[test]
    fn a_page_and_its_signals_are_read_as_serde_reads_them() {
        for (signals, is_read) in [
            (r#""has_more": true, "total": 7, "next": {"a": []}"#, true),
            (r#""has_next_page": false, "end_cursor": "a=\u003d", "total": null"#, true),
            (r#""has_more": "false", "total": [1, 2e9], "end_cursor": {}"#, true),
            (r#""has_more": true, "has_more": true"#, false),
            (r#""has_more": tru"#, false),
        ] {
            let text = format!(r#" {{"items": [{SESSION}, {SESSION}], {signals}}} "#);
            assert_eq!(page(&text).map(|(_, is_plain)| is_plain), is_read.then_some(true), "{signals}");
        }
        for text in ["{}", r#"{"items": null}"#, r#"{"items": []}"#, r#"{"items": [{}]}"#] {
            assert!(page(text).unwrap().1, "{text}");
        }
        for text in [r#"{"items": {}}"#, r#"{"items": [null]}"#, "7", "", "{", r#"{"items": [{}],}"#] {
            assert!(page(text).is_none(), "{text}");
        }
    }

    #[test]
    fn odd_values_are_left_to_serde() {
        let values = [
            "null",
            "7",
            "-0",
            "01",
            "1.",
            ".5",
            "1e",
            "-",
            "1e999",
            "184467440737095516150",
            "true",
            "nul",
            "\"\"",
            "\" x \"",
            "\"a\\u0041\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"\\u00g0\"",
            "\"\n\"",
            "\"\t a long text with a mark at its end \u{1}\"",
            "\"\u{7f}\"",
            "\"open",
            "[",
            "[]",
            "[1,]",
            "[null, 7, \"x\", [], {}]",
            "[\"x\", \"\\u0041\"]",
            "{}",
            "{\"a\": 1,}",
            "{\"a\" 1}",
            "{\"\\u0061\": 1}",
            "{\"type\": \"a\", \"type\": \"b\"}",
            "{\"issues\": [{\"impact\": 1, \"label\": {\"a\": [null]}}]}",
            "{\"issues\": 5, \"action_items\": [null, \"x\", {\"type\": []}], \"suggested_prompt\": \"x\"}",
            "{\"suggested_prompt\": {\"feedback_items\": [1, {\"\\ud800\": 1}, {}], \"original_prompt\": {}}}",
            "[{\"pr_url\": 1}, \"x\", 5, null, {\"url\": \"a\", \"url\": \"b\"}]",
            "{\"issues\": [], \"issues\": []}",
        ];
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let mut plain = 0;
        for value in values.into_iter().chain([deep.as_str()]) {
            for field in serde_json::from_str::<serde_json::Value>(&SESSION.replace("\\ud800", ""))
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
            {
                let text = format!(r#"{{"session_id": "a", "x": 1, "{field}": {value} }}"#);
                plain += u32::from(
                    session(&text.replace("\"session_id\": \"a\", ", "")).is_some_and(|read| read.1),
                );
                assert!(field != "session_id" || session(&text).is_none());
                // Beside others on a page it costs nothing but itself.
                page(&format!(r#"{{"items": [{SESSION}, {text}, {{}}], "has_more": true}}"#));
            }
        }
        assert!(plain > 200, "{plain}");
    }

    #[test]
    fn whatever_becomes_of_a_text_nothing_is_read_otherwise_than_by_serde() {
        let whole = format!(r#"{{"items": [{SESSION}], "has_more": false, "total": 1}}"#);
        for (at, _) in whole.char_indices().step_by(9) {
            let (before, after) = whole.split_at(at);
            assert!(page(before).is_none());
            let mut next = after.chars();
            next.next();
            for put in ["", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", " ", "\n", "\u{0}", "n", "é"] {
                page(&format!("{before}{put}{after}"));
                page(&format!("{before}{put}{}", next.as_str()));
            }
        }
    }
}
