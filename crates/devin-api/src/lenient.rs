//! Values as live answers hold them: null, absent or mistyped is "not there".
//!
//! One odd field must not cost a session, so these types never refuse a value;
//! what they cannot use they drop. Text is borrowed from the page wherever it
//! has no escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{
    BoolDeserializer, BorrowedStrDeserializer, F64Deserializer, I64Deserializer, MapAccessDeserializer,
    StrDeserializer, U64Deserializer,
};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON scalar as text: a string's contents, anything else as it stands.
pub fn scalar(json: &str) -> Cow<'_, str> {
    let json = json.trim();
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        None => Cow::Borrowed(json),
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => Cow::Owned(serde_json::from_str(json).unwrap_or_default()),
    }
}

/// Text, or nothing. Numbers are kept as their digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// The text as it came.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text without surrounding white space; blank text is no text.
    pub fn trimmed(&self) -> Option<&str> {
        let text = self.get()?;
        // Nearly every text begins and ends with a mark that is no white space.
        match text.as_bytes() {
            [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => Some(text),
            _ => Some(text.trim()).filter(|text| !text.is_empty()),
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Some(Cow::Borrowed(text)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

struct TextVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or null")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

/// A list; null, absent or mistyped is empty, elements of the wrong type are dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or null")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Lenient(item)) = list.next_element::<Lenient<T>>()? {
            items.extend(item);
        }
        Ok(List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(List::default())
    }
}

/// An object or text that is there and of the right type, or nothing: for a
/// field that may hold anything, with `#[serde(deserialize_with = "optional")]`.
pub fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Lenient::deserialize(deserializer).map(|Lenient(value)| value)
}

/// A value as it stands, unread, or nothing for null: for a field that may hold
/// anything, with `#[serde(default, borrow, deserialize_with = "raw")]`.
pub(super) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    Option::<&RawValue>::deserialize(deserializer).map(|raw| raw.map(RawValue::get))
}

/// A value if it has the right type; null, lists and misfits are `None`.
pub(super) struct Lenient<T>(pub Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor(PhantomData))
    }
}

struct LenientVisitor<T>(PhantomData<T>);

// A scalar has been read from the page before it is offered to `T`, and so may
// be refused; an object is read by `T` itself, whose fields are lenient in turn.
impl<'de, T: Deserialize<'de>> Visitor<'de> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Lenient(T::deserialize(BorrowedStrDeserializer::<E>::new(text)).ok()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Lenient(T::deserialize(StrDeserializer::<E>::new(text)).ok()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Lenient(T::deserialize(U64Deserializer::<E>::new(number)).ok()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Lenient(T::deserialize(I64Deserializer::<E>::new(number)).ok()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Lenient(T::deserialize(F64Deserializer::<E>::new(number)).ok()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Lenient(T::deserialize(BoolDeserializer::<E>::new(value)).ok()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Lenient(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| Lenient(Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::Session;

    #[test]
    fn an_odd_field_costs_that_field_alone() {
        let json = r#"{"session_id": 7, "title": {"a": [1]}, "tags": [null, "x", ["y"], {"z": 1}, true, 4],
            "pull_requests": ["none", null, 3, [1], {"pr_url": "p", "state": {"odd": 1}}],
            "session_analysis": {"issues": {"no": "list"}, "action_items": "none",
                "suggested_prompt": {"feedback_items": [{}, 1, {"issue_id": []}]}}}"#;
        let session: Session<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(session.id(), Some("7"));
        assert_eq!(session.title.get(), None);
        let tags: Vec<_> = session.tags.0.iter().filter_map(|tag| tag.get()).collect();
        assert_eq!(tags, ["x", "4"]);
        let pulls: Vec<_> = session.pull_requests.0.iter().map(|pr| (pr.address(), pr.state())).collect();
        assert_eq!(pulls, [(None, None), (None, None), (Some("p"), None)]);
        let analysis = session.analysis().unwrap();
        assert!(analysis.issues.0.is_empty() && analysis.action_items.0.is_empty());
        assert_eq!(analysis.prompt_feedback(), 2);
    }

    #[test]
    fn a_field_of_the_wrong_kind_is_not_there() {
        for odd in ["null", "7", "-1.5", "true", "\"text\"", "[1, {}]"] {
            let json = format!(
                r#"{{"session_analysis": {odd}, "pull_requests": {odd}, "tags": {odd}, "url": "u"}}"#
            );
            let session: Session<'_> = serde_json::from_str(&json).unwrap();
            assert!(session.analysis().is_none(), "{odd}");
            assert_eq!(session.url.get(), Some("u"), "{odd}");
        }
        let nested = r#"{"session_analysis": {"suggested_prompt": "text", "issues": [{"impact": "High"}]}}"#;
        let session: Session<'_> = serde_json::from_str(nested).unwrap();
        let analysis = session.analysis().unwrap();
        assert_eq!((analysis.prompt_feedback(), analysis.issues.0.len()), (0, 1));
    }
}
