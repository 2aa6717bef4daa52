//! Values of JSON as the API writes them, borrowed from the text that they are in.
//!
//! The types are strict: a value of another type, or a field twice, is an error, and the
//! record is then rewritten first (`shapes.rs`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The contents of a JSON string; anything else as it is written.
pub(crate) fn scalar(json: &str) -> Cow<'_, str> {
    let json = json.trim();
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        None => Cow::Borrowed(json),
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        // A string with half a surrogate pair has no contents.
        Some(_) => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

/// The first value of a JSON text, and the length of the text up to its end.
///
/// # Errors
///
/// The text does not begin with such a value.
pub fn first<'a, T: Deserialize<'a>>(text: &'a str) -> Result<(T, usize), serde_json::Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next().unwrap_or_else(|| serde_json::from_str(""))?;
    Ok((value, values.byte_offset()))
}

/// A string, or a number as its digits; `None` for null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// What a field holds that may hold anything: nothing where it is neither a string
    /// nor a number.
    pub(crate) fn lenient(value: Option<&'a RawValue>) -> Self {
        value.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// The text as it came.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text without surrounding white space; `None` for blank text.
    pub fn trimmed(&self) -> Option<&str> {
        let text = self.get()?;
        // Nearly every text begins and ends with a character that is no white space.
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
        f.write_str("a string, a number or null")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Some(number.to_string().into())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Text(Some(number.to_string().into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Text(Some(number.to_string().into())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }
}

/// A struct that is read from a JSON object alone: serde reads it from an array as well.
#[derive(Debug, Default)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// For `deserialize_with`: an object; `None` for null.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(|Object(value)| value))
}

/// For `deserialize_with`: a list without its nulls; empty for null.
pub(crate) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list: Option<Vec<Option<T>>> = Option::deserialize(deserializer)?;
    Ok(list.into_iter().flatten().flatten().collect())
}

/// For `deserialize_with`: a list of objects without its nulls; empty for null.
pub(crate) fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(list(deserializer)?.into_iter().map(|Object(value)| value).collect())
}

/// For `deserialize_with`: any value as it is written, unread; `None` for null.
pub(crate) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    Option::<&RawValue>::deserialize(deserializer).map(|raw| raw.map(RawValue::get))
}

#[cfg(test)]
mod tests {
    use super::super::wire::Session;
    use super::*;

    #[test]
    fn records_of_the_api_are_read_as_they_are() {
        let json = r#"{"session_id": 7, "title": "a\u00e9", "tags": [null, "x", 4], "url": null, "other": {"\ud800": 1},
            "pull_requests": [null, {"pr_url": "p", "other": [1e999]}, {}],
            "session_analysis": {"issues": [{"impact": "High"}], "action_items": null,
                "suggested_prompt": {"feedback_items": [{}, {"a": 1}]}}}"#;
        let Object(session) = serde_json::from_str::<Object<Session<'_>>>(json).unwrap();
        assert_eq!((session.id(), session.title.get(), session.url.get()), (Some("7"), Some("aé"), None));
        assert_eq!(session.tags.iter().filter_map(Text::get).collect::<Vec<_>>(), ["x", "4"]);
        let pulls: Vec<_> = session.pull_requests.iter().map(|pr| (pr.address(), pr.state())).collect();
        assert_eq!(pulls, [(Some("p"), None), (None, None)]);
        let analysis = session.analysis().unwrap();
        assert_eq!((analysis.issues.len(), analysis.prompt_feedback()), (1, 2));
    }

    #[test]
    fn a_value_of_another_type_or_a_repeated_field_is_an_error() {
        for field in [
            r#""title": true"#,
            r#""title": ["x"]"#,
            r#""title": 1e999"#,
            r#""title": "\ud800""#,
            r#""title": "x", "title": "x""#,
            r#""tags": "x""#,
            r#""tags": [true]"#,
            r#""tags": {}"#,
            r#""pull_requests": {}"#,
            r#""pull_requests": ["x"]"#,
            r#""pull_requests": [["p"]]"#,
            r#""pull_requests": [{"pr_url": {}}]"#,
            r#""analysis": []"#,
            r#""analysis": "x""#,
            r#""analysis": {"issues": [1]}"#,
            r#""analysis": {"suggested_prompt": {"feedback_items": ["x"]}}"#,
            r#""analysis": {"suggested_prompt": []}"#,
            r#""other": 01"#,
            "\"other\": \"\n\"",
        ] {
            let json = format!(r#"{{"session_id": "a", {field}}}"#);
            assert!(serde_json::from_str::<Object<Session<'_>>>(&json).is_err(), "{json}");
        }
        assert!(serde_json::from_str::<Object<Session<'_>>>(r#"["a"]"#).is_err());
    }
}
