//! The envelope of a v2 page: what steers the walk, read without the records.
//!
//! Reading it also proves that the whole body is JSON, so that a body cut short
//! is asked for again before anybody builds on it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::lenient::Lenient;

/// What a page says about the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Records on this page.
    pub count: u64,
    /// More pages follow: `has_more`, the one end signal.
    pub more: bool,
    /// Sessions that the whole question has, by the server's count.
    pub total: u64,
}

/// Why a body has no envelope.
#[derive(Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It ends in the middle.
    CutShort,
    /// It is no JSON.
    NotJson,
    /// It is JSON, but not what the API promises; the text says what is amiss.
    Contract(String),
}

/// Reads the envelope of a page.
///
/// # Errors
///
/// A [`Flaw`]: the end signal and the total are never guessed.
pub fn read(body: &str) -> Result<Envelope, Flaw> {
    let Lenient(head) =
        serde_json::from_str::<Lenient<Head<'_>>>(body).map_err(|error| match error.classify() {
            Category::Eof => Flaw::CutShort,
            Category::Data => Flaw::Contract(format!("its envelope cannot be read: {error}")),
            Category::Syntax | Category::Io => Flaw::NotJson,
        })?;
    let head = head.ok_or_else(|| Flaw::Contract("the answer is no JSON object".to_owned()))?;
    let Items::Counted(count) = head.items else {
        return Err(Flaw::Contract("`items` is missing or no list".to_owned()));
    };
    let more = match head.has_more.map(RawValue::get) {
        Some("true") => true,
        Some("false") => false,
        _ => return Err(Flaw::Contract("`has_more` is missing or neither true nor false".to_owned())),
    };
    let total = head
        .total
        .and_then(|raw| raw.get().parse().ok())
        .ok_or_else(|| Flaw::Contract("`total` is missing or no whole number".to_owned()))?;
    Ok(Envelope { count, more, total })
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(default)]
    items: Items,
    #[serde(borrow, default)]
    has_more: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total: Option<&'a RawValue>,
}

#[derive(Default)]
enum Items {
    Counted(u64),
    #[default]
    NoList,
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items, A::Error> {
        let mut count = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Items::Counted(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Items, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Items::NoList)
    }

    fn visit_str<E>(self, _: &str) -> Result<Items, E> {
        Ok(Items::NoList)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Items, E> {
        Ok(Items::NoList)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Items, E> {
        Ok(Items::NoList)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Items, E> {
        Ok(Items::NoList)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Items, E> {
        Ok(Items::NoList)
    }

    fn visit_unit<E>(self) -> Result<Items, E> {
        Ok(Items::NoList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_read_past_unknown_fields() {
        let body =
            r#"{"next": {"a": [1e999]}, "items": [{"a": "\ud800"}, null, 3], "has_more": true, "total": 9}"#;
        assert_eq!(read(body), Ok(Envelope { count: 3, more: true, total: 9 }));
        assert_eq!(
            read(r#"{"total":0,"has_more":false,"items":[]}"#),
            Ok(Envelope { count: 0, more: false, total: 0 })
        );
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
            assert!(matches!(read(body), Err(Flaw::Contract(_))), "{body}");
        }
    }

    #[test]
    fn a_cut_is_told_from_rubbish() {
        let whole = r#"{"items": [{"title": "a"}], "has_more": false, "total": 1}"#;
        for length in 1..whole.len() {
            assert_eq!(read(&whole[..length]), Err(Flaw::CutShort), "{length}");
        }
        for body in ["<html></html>", "{\"items\": [}", "no", "{} {}"] {
            assert!(matches!(read(body), Err(Flaw::NotJson)), "{body}");
        }
    }
}
