//! The envelope of a page: what steers the walk.
//!
//! The end signal, the cursor and the total are never guessed.

use serde::Deserialize;
use serde_json::error::Category;

use super::api::Api;
use super::json::{self, raw};

/// What a page says about the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Records on this page.
    pub count: u64,
    /// More pages follow: `has_more` or `has_next_page`, the one end signal.
    pub more: bool,
    /// All sessions of the query, by the server's count; `None` where v3 gives none.
    pub total: Option<u64>,
    /// Where the next page begins, in v3.
    pub cursor: Option<String>,
}

/// Cursors that were met have about a hundred bytes.
const LONGEST_CURSOR: usize = 4096;

/// Why a body has no envelope.
#[derive(Debug, PartialEq, Eq)]
pub enum PageError {
    /// It ends in the middle.
    CutShort,
    /// It is no JSON.
    NotJson,
    /// It is JSON, but not what the API promises; the text says what is amiss.
    Contract(String),
}

impl From<serde_json::Error> for PageError {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            Category::Eof => Self::CutShort,
            Category::Data => Self::Contract(format!("it cannot be read: {error}")),
            Category::Syntax | Category::Io => Self::NotJson,
        }
    }
}

/// A page with its records as `T` reads them, and the rest of its envelope unread.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de> + Default"))]
pub struct Enveloped<'a, T> {
    /// The records.
    pub items: T,
    #[serde(borrow, deserialize_with = "raw")]
    has_more: Option<&'a str>,
    #[serde(borrow, deserialize_with = "raw")]
    has_next_page: Option<&'a str>,
    #[serde(borrow, deserialize_with = "raw")]
    total: Option<&'a str>,
    #[serde(borrow, deserialize_with = "raw")]
    end_cursor: Option<&'a str>,
}

impl<T> Enveloped<'_, T> {
    /// The envelope of a page with so many records.
    ///
    /// # Errors
    ///
    /// [`PageError::Contract`]: a signal that is missing or of another type.
    pub fn envelope(&self, api: Api, count: u64) -> Result<Envelope, PageError> {
        let (name, more, total_may_lack) = match api {
            Api::V2 => ("has_more", self.has_more, false),
            Api::V3 => ("has_next_page", self.has_next_page, true),
        };
        let more = match more {
            Some("true") => true,
            Some("false") => false,
            _ => return contract(format!("`{name}` is missing or not a boolean")),
        };
        let total = match self.total {
            None | Some("null") if total_may_lack => None,
            Some(number) if number.parse::<u64>().is_ok() => number.parse().ok(),
            _ => return contract("`total` is missing or not a whole number".to_owned()),
        };
        let cursor = self.end_cursor.filter(|raw| raw.len() > 2 && raw.starts_with('"'));
        let cursor = cursor.map(|raw| json::scalar(raw).into_owned()).filter(|_| api == Api::V3);
        if api == Api::V3 && more && cursor.is_none() {
            return contract(
                "`end_cursor` is missing or not a string, although more pages are announced".to_owned(),
            );
        }
        // It goes into the next address, which is short.
        if cursor.as_ref().is_some_and(|cursor| cursor.len() > LONGEST_CURSOR) {
            return contract(format!("`end_cursor` is longer than {LONGEST_CURSOR} bytes"));
        }
        Ok(Envelope { count, more, total, cursor })
    }
}

/// What a page that was saved says about its walk, as far as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    /// The generation whose end signal it has.
    pub api: Api,
    /// More pages follow.
    pub more: bool,
    /// All sessions of the query, if the page has a count.
    pub total: Option<u64>,
}

impl<T> Enveloped<'_, T> {
    /// The signs of a page whose API version is not known before; `None` if it
    /// has no end signal, and so proves nothing.
    pub fn signs(&self) -> Option<Signs> {
        let sign = |raw: Option<&str>| match raw? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        let v2 = sign(self.has_more).map(|more| (Api::V2, more));
        let (api, more) = v2.or_else(|| sign(self.has_next_page).map(|more| (Api::V3, more)))?;
        Some(Signs { api, more, total: self.total.and_then(|raw| raw.parse().ok()) })
    }
}

pub(super) fn contract<T>(what: String) -> Result<T, PageError> {
    Err(PageError::Contract(what))
}

#[cfg(test)]
mod tests {
    use super::super::page::{self, Scratch};
    use super::*;

    fn read(body: &str, api: Api) -> Result<Envelope, PageError> {
        page::read(body, &Scratch::default(), api).map(|page| page.envelope)
    }

    fn read_v2(body: &str) -> Result<Envelope, PageError> {
        read(body, Api::V2)
    }

    fn v2(count: u64, more: bool, total: u64) -> Result<Envelope, PageError> {
        Ok(Envelope { count, more, total: Some(total), cursor: None })
    }

    #[test]
    fn the_envelope_is_read_past_unknown_fields() {
        let body =
            r#"{"next": {"a": [1e999]}, "items": [{"a": "\ud800"}, null, 3], "has_more": true, "total": 9}"#;
        assert_eq!(read_v2(body), v2(3, true, 9));
        assert_eq!(read_v2(r#"{"total":0,"has_more":false,"items":[]}"#), v2(0, false, 0));
    }

    #[test]
    fn signals_are_never_guessed() {
        for body in [
            r#"{"items": [], "total": 0}"#,
            r#"{"items": [], "total": 0, "has_more": null}"#,
            r#"{"items": [], "total": 0, "has_more": "false"}"#,
            r#"{"items": [], "total": 0, "has_more": 0}"#,
            r#"{"items": [], "has_more": false}"#,
            r#"{"items": [], "has_more": false, "total": null}"#,
            r#"{"items": [], "has_more": false, "total": "3"}"#,
            r#"{"items": [], "has_more": false, "total": -1}"#,
            r#"{"items": [], "has_more": false, "total": 1.5}"#,
            r#"{"items": null, "has_more": false, "total": 0}"#,
            r#"{"items": {}, "has_more": false, "total": 0}"#,
            r#"{"items": "[]", "has_more": false, "total": 0}"#,
            r#"{"has_more": false, "total": 0}"#,
            r#"{"items": [], "items": [], "has_more": false, "total": 0}"#,
            r#"[[], false, 0]"#,
            "null",
            "\"items\"",
        ] {
            assert!(matches!(read_v2(body), Err(PageError::Contract(_))), "{body}");
        }
    }

    #[test]
    fn truncated_json_is_distinguished_from_invalid_json() {
        let whole = r#"{"items": [{"title": "a"}], "has_more": false, "total": 1}"#;
        for length in 1..whole.len() {
            assert_eq!(read_v2(&whole[..length]), Err(PageError::CutShort), "{length}");
        }
        for body in ["<html></html>", "{\"items\": [}", "no", "{} {}"] {
            assert!(matches!(read_v2(body), Err(PageError::NotJson)), "{body}");
        }
    }

    #[test]
    fn v3_may_lack_a_total_but_neither_signal_nor_cursor() {
        let body = |rest: &str| format!(r#"{{"items": [{{}}], {rest}}}"#);
        let more = r#""has_next_page": true, "end_cursor": "a=\u003d""#;
        for (total, reported) in [("null", None), ("12", Some(12))] {
            let envelope = read(&body(&format!(r#"{more}, "total": {total}"#)), Api::V3).unwrap();
            assert_eq!((envelope.count, envelope.more, envelope.total), (1, true, reported));
            assert_eq!(envelope.cursor.as_deref(), Some("a=="));
        }
        let last = read(&body(r#""has_next_page": false, "end_cursor": null"#), Api::V3).unwrap();
        assert_eq!((last.more, last.cursor, last.total), (false, None, None));
        for flawed in [
            r#""end_cursor": "a""#,
            r#""has_more": false"#,
            r#""has_next_page": "true", "end_cursor": "a""#,
            r#""has_next_page": true"#,
            r#""has_next_page": true, "end_cursor": null"#,
            r#""has_next_page": true, "end_cursor": """#,
            r#""has_next_page": true, "end_cursor": 7"#,
            r#""has_next_page": false, "total": "7""#,
            r#""has_next_page": false, "total": -7"#,
        ] {
            assert!(matches!(read(&body(flawed), Api::V3), Err(PageError::Contract(_))), "{flawed}");
        }
    }
}
