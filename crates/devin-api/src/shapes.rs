//! Records whose fields have other shapes than the API's, rewritten as the API
//! writes them.
//!
//! Warehouses and exporters store lists and objects as JSON text, single objects
//! instead of lists, or tags as text with commas. What has one meaning is read so.
//! A field without a clear meaning, or twice in an object with different values,
//! is left out and counted; it costs nothing but itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::dense::too_dense;
use super::exported::{self, Exported, renamed};
use super::json::{Object, Text};
use super::literals;
use super::wire::{Entry, Fields, Session, Shape, session_field};

/// A record in the shapes of the API.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// Its JSON, with the fields that are read.
    pub text: String,
    /// Fields, and elements of lists, that could not be read.
    pub unreadable: u32,
    /// Its further fields as a record of the web app's export; `None` for other records.
    pub exported: Option<Exported>,
}

/// Rewrites a record. `None` where it is plain already, or no object.
pub(super) fn rewritten(record: &str) -> Option<Rewritten> {
    let is_plain = || {
        serde_json::from_str::<Object<Session<'_>>>(record).is_ok_and(|Object(session)| session.is_named())
    };
    if !may_be_exported(record) && is_plain() {
        return None;
    }
    let FieldList(fields) = serde_json::from_str(record).ok()?;
    let (fields, exported) = match renamed(&fields) {
        Some((fields, exported)) => (fields, Some(exported)),
        None => (fields, None),
    };
    let mut reader = Reader { unreadable: 0 };
    let text = reader.fields(fields, session_field);
    Some(Rewritten { text, unreadable: reader.unreadable, exported })
}

/// Whether a text may hold a record of the web app's export that has an id: its ACUs
/// have another name.
pub fn may_be_exported(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"\"acu_used\"").is_some()
}

/// The fields of an object in their order; a name that comes twice with different
/// values has none.
struct FieldList<'a>(exported::Fields<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for FieldList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldListVisitor).map(FieldList)
    }
}

struct FieldListVisitor;

impl<'de> Visitor<'de> for FieldListVisitor {
    type Value = exported::Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Self::Value = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            let known = places.get(&name).and_then(|place| fields.get_mut(*place));
            if let Some((_, first)) = known {
                *first = first.take().filter(|first| first.get() == value.get());
            } else {
                places.insert(name.clone(), fields.len());
                fields.push((name, Some(Cow::Borrowed(value))));
            }
        }
        Ok(fields)
    }
}

/// How often JSON may be text within text.
const MOST_WRAPPED: u32 = 3;

/// What a value holds once text is read that JSON or Python wrote.
enum Content<'a> {
    /// JSON; `null` for blank text.
    Json(Cow<'a, str>),
    /// Text that is neither.
    Text(String),
}

fn content(json: &str) -> Content<'_> {
    if !json.starts_with('"') {
        return Content::Json(Cow::Borrowed(json));
    }
    // JSON text may hold half a surrogate pair, which stands for no character.
    let Ok(mut text) = serde_json::from_str::<String>(json) else {
        return Content::Json(Cow::Borrowed("null"));
    };
    // JSON may be wrapped in text more than once.
    for _ in 0..MOST_WRAPPED {
        let Ok(inner) = serde_json::from_str(text.trim()) else { break };
        text = inner;
    }
    let inner = text.trim();
    let is_dense = || too_dense(inner.as_bytes()).is_some();
    let is_json = || serde_json::from_str::<IgnoredAny>(inner).is_ok();
    match inner.as_bytes().first() {
        None => Content::Json(Cow::Borrowed("null")),
        _ if literals::is_nothing(inner) => Content::Json(Cow::Borrowed("null")),
        Some(b'[' | b'{' | b'(') if is_dense() => Content::Text(inner.to_owned()),
        Some(b'[' | b'{') if is_json() => Content::Json(Cow::Owned(inner.to_owned())),
        Some(b'[' | b'{' | b'(') => match literals::of_python(inner) {
            Some(json) => Content::Json(Cow::Owned(json)),
            None => Content::Text(inner.to_owned()),
        },
        Some(_) => Content::Text(inner.to_owned()),
    }
}

struct Reader {
    unreadable: u32,
}

impl Reader {
    /// An object with the known fields that can be read; `None` for any other value.
    fn object(&mut self, json: &str, shape_of: Fields) -> Option<String> {
        let FieldList(fields) = serde_json::from_str(json).ok()?;
        Some(self.fields(fields, shape_of))
    }

    fn fields(&mut self, fields: exported::Fields<'_>, shape_of: Fields) -> String {
        let has_state = fields.iter().any(|(name, _)| name == "pr_state");
        let mut written = Vec::new();
        for (name, value) in fields {
            let Some(shape) = shape_of(&name) else { continue };
            let value = match value {
                Some(value) => self.field(shape, value.get()),
                None => self.lost(),
            };
            let name = match name.as_str() {
                // The web app's export has its own name for it.
                "pr_status" if has_state => continue,
                "pr_status" => "pr_state",
                name => name,
            };
            written.extend(value.map(|value| format!("\"{name}\":{value}")));
        }
        format!("{{{}}}", written.join(","))
    }

    /// Counts a value that cannot be read.
    fn lost<T>(&mut self) -> Option<T> {
        self.unreadable += 1;
        None
    }

    fn field(&mut self, shape: Shape, json: &str) -> Option<String> {
        if json == "null" {
            return None;
        }
        let read = match shape {
            Shape::Ignored => return None,
            Shape::Raw => Some(json.to_owned()),
            Shape::Word => is_word(json).then(|| json.to_owned()),
            Shape::List(entry) => self.list(json, entry),
            Shape::Object(fields) => self.single(json, fields),
        };
        read.or_else(|| self.lost())
    }

    /// One object, which may be JSON text, or alone in a list.
    fn single(&mut self, json: &str, fields: Fields) -> Option<String> {
        let Content::Json(json) = content(json) else { return None };
        match json.as_bytes().first()? {
            b'n' => Some("null".to_owned()),
            b'{' => self.object(&json, fields),
            b'[' => match serde_json::from_str::<Vec<&RawValue>>(&json).ok()?.as_slice() {
                [] => Some("null".to_owned()),
                [one] if one.get() == "null" => Some("null".to_owned()),
                [one] => self.object(one.get(), fields),
                _ => None,
            },
            _ => None,
        }
    }

    /// A list, which may be JSON text, one object, or text.
    fn list(&mut self, json: &str, entry: Entry) -> Option<String> {
        let json = match content(json) {
            Content::Json(json) => json,
            Content::Text(text) => return list_of_text(&text, entry),
        };
        match json.as_bytes().first()? {
            b'n' => Some("null".to_owned()),
            b'[' => {
                let elements: Vec<&RawValue> = serde_json::from_str(&json).ok()?;
                let read = elements.into_iter().filter_map(|element| self.element(element.get(), entry));
                Some(format!("[{}]", read.collect::<Vec<_>>().join(",")))
            }
            b'{' => {
                let FieldList(fields) = serde_json::from_str(&json).ok()?;
                if fields.is_empty() {
                    return Some("[]".to_owned());
                }
                let is_entry = fields.iter().any(|(name, _)| entry.fields()(name).is_some());
                let one = is_entry.then(|| self.element(&json, entry)).flatten();
                one.map(|one| format!("[{one}]"))
            }
            _ => None,
        }
    }

    /// An element of a list; nothing for null.
    fn element(&mut self, json: &str, entry: Entry) -> Option<String> {
        let first = json.as_bytes().first()?;
        match (entry, first) {
            (_, b'n') => None,
            (Entry::Tag, b'{') => {
                let name = serde_json::from_str::<FieldList<'_>>(json).ok().and_then(|FieldList(fields)| {
                    let name = fields.into_iter().find(|(name, _)| name == "name")?.1?;
                    let name = name.get();
                    (name.starts_with('"') && is_word(name)).then(|| name.to_owned())
                });
                name.or_else(|| self.lost())
            }
            (Entry::Tag, _) if is_word(json) => Some(json.to_owned()),
            (Entry::Tag, _) | (_, b'[') => self.lost(),
            (_, b'{') => self.object(json, entry.fields()).or_else(|| self.lost()),
            (_, b'"') => match content(json) {
                Content::Json(inner) if inner.starts_with('{') => {
                    self.object(&inner, entry.fields()).or_else(|| self.lost())
                }
                Content::Json(inner) if inner.starts_with('[') => self.lost(),
                Content::Text(text) if entry == Entry::PullRequest && is_address(&text) => {
                    Some(format!("{{\"pr_url\":{json}}}"))
                }
                // An entry without an address is counted as such.
                Content::Json(_) if entry != Entry::PullRequest => None,
                // A bare sentence is read as an entry with that text.
                Content::Text(_) => Some(match entry {
                    Entry::Issue => format!("{{\"issue\":{json}}}"),
                    Entry::ActionItem => format!("{{\"action_item\":{json}}}"),
                    Entry::Remark => format!("{{\"summary\":{json}}}"),
                    Entry::Tag | Entry::PullRequest => "{}".to_owned(),
                }),
                Content::Json(_) => Some("{}".to_owned()),
            },
            (Entry::PullRequest, _) => Some("{}".to_owned()),
            _ => self.lost(),
        }
    }
}

/// Whether [`Text`] holds a value.
fn is_word(json: &str) -> bool {
    serde_json::from_str::<Text<'_>>(json).is_ok_and(|text| text.get().is_some())
}

/// Text in the place of a list: tags or addresses, in brackets or not, with commas
/// or semicolons between them.
fn list_of_text(text: &str, entry: Entry) -> Option<String> {
    let parts = match (literals::words(text), entry) {
        (Some(words), _) => words,
        // Other brackets have no clear meaning; parentheses may be part of a tag.
        (None, _) if text.starts_with(['[', '{']) => return None,
        (None, Entry::Tag) => {
            let separator = if text.contains(',') { ',' } else { ';' };
            text.split(separator).map(str::to_owned).collect()
        }
        (None, _) => {
            let parts = text.split([',', ';', ' ', '\n', '\t']).filter(|part| !part.trim().is_empty());
            parts.map(str::to_owned).collect()
        }
    };
    let quoted = |text: &String| serde_json::to_string(text).ok();
    let entries: Option<Vec<String>> = match entry {
        Entry::Tag => parts.iter().map(quoted).collect(),
        Entry::PullRequest => {
            let entry = |part: &String| {
                Some(format!("{{\"pr_url\":{}}}", quoted(part).filter(|_| is_address(part))?))
            };
            parts.iter().map(entry).collect()
        }
        _ => None,
    };
    entries.map(|entries| format!("[{}]", entries.join(",")))
}

/// Whether text is the address of something: with a scheme, or a host with a dot and a path.
fn is_address(text: &str) -> bool {
    let has_host = || text.split_once('/').is_some_and(|(host, _)| host.contains('.'));
    !text.contains(char::is_whitespace) && (text.contains("://") || has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with one field, rewritten: the value of the field and what is lost.
    fn field(name: &str, value: &str) -> (String, u32) {
        let record = format!(r#"{{"session_id":"s", "{name}": {value}}}"#);
        let Some(Rewritten { text, unreadable, .. }) = rewritten(&record) else {
            return ("as it is".to_owned(), 0);
        };
        let before = format!("{{\"session_id\":\"s\",\"{name}\":");
        let value = text.strip_prefix(&before).and_then(|rest| rest.strip_suffix('}'));
        (value.unwrap_or("-").to_owned(), unreadable)
    }

    fn assert_read(name: &str, cases: &[(&str, &str, u32)]) {
        for (value, expected, lost) in cases {
            assert_eq!(field(name, value), ((*expected).to_owned(), *lost), "{name}: {value}");
        }
    }

    #[test]
    fn tags_are_read_from_every_clear_shape() {
        assert_read(
            "tags",
            &[
                (r#"["a", null, 7]"#, "as it is", 0),
                (r#""[\"a\", \"b\"]""#, r#"["a","b"]"#, 0),
                (r#""a, b,,""#, r#"["a"," b","",""]"#, 0),
                (r#""a""#, r#"["a"]"#, 0),
                (r#""""#, "null", 0),
                (r#""null""#, "null", 0),
                (r#"{"name": "a"}"#, r#"["a"]"#, 0),
                (r#"[{"name": "a", "id": 1}, "b"]"#, r#"["a","b"]"#, 0),
                (r#""{\"name\": \"a\"}""#, r#"["a"]"#, 0),
                (r#"{}"#, "[]", 0),
                (r#"["a", {"id": 1}, [1], true]"#, r#"["a"]"#, 3),
                (r#""['a', 'b']""#, r#"["a","b"]"#, 0),
                (r#""[{'name': 'a'}, None]""#, r#"["a"]"#, 0),
                (r#""\"[\\\"a\\\"]\"""#, r#"["a"]"#, 0),
                (r#""{a,\"b, c\"}""#, r#"["a","b, c"]"#, 0),
                (r#""[team:a, b]""#, r#"["team:a","b"]"#, 0),
                (r#""a; b""#, r#"["a"," b"]"#, 0),
                (r#""a;b,c""#, r#"["a;b","c"]"#, 0),
                (r#""(a) b, c (d)""#, r#"["(a) b"," c (d)"]"#, 0),
                (r#""None""#, "null", 0),
                (r#""NaN""#, "null", 0),
                (r#""{a=1}""#, "-", 1),
                (r#"{"a": 1}"#, "-", 1),
                ("7", "-", 1),
                ("true", "-", 1),
            ],
        );
    }

    #[test]
    fn pull_requests_are_read_from_every_clear_shape() {
        let one = r#"[{"pr_url":"https://h.example/a/b/pull/1"}]"#;
        assert_read(
            "pull_requests",
            &[
                (r#"[{"pr_url": "p"}, null]"#, "as it is", 0),
                (r#""[{\"pr_url\": \"https://h.example/a/b/pull/1\"}]""#, one, 0),
                (r#"{"pr_url": "https://h.example/a/b/pull/1", "n": 1}"#, one, 0),
                (r#"["https://h.example/a/b/pull/1"]"#, one, 0),
                (r#""https://h.example/a/b/pull/1""#, one, 0),
                (r#"["{\"pr_url\": \"https://h.example/a/b/pull/1\"}"]"#, one, 0),
                (
                    r#""h.example/1, h.example/2""#,
                    r#"[{"pr_url":"h.example/1"},{"pr_url":"h.example/2"}]"#,
                    0,
                ),
                (r#""[{'pr_url': 'https://h.example/a/b/pull/1', 'n': None}]""#, one, 0),
                (r#""{https://h.example/a/b/pull/1}""#, one, 0),
                (r#""h.example/1;h.example/2""#, r#"[{"pr_url":"h.example/1"},{"pr_url":"h.example/2"}]"#, 0),
                (r#""None""#, "null", 0),
                (r#"["none", 3, [1], {"state": {"odd": 1}}]"#, "[{},{},{}]", 2),
                (r#""none""#, "-", 1),
                (r#"{"number": 7}"#, "-", 1),
                ("false", "-", 1),
            ],
        );
    }

    #[test]
    fn analyses_are_read_from_every_clear_shape() {
        let read = r#"{"issues":[{"impact":"low"}]}"#;
        assert_read(
            "analysis",
            &[
                (r#"{"issues": [{"impact": "low"}]}"#, "as it is", 0),
                (r#""{\"issues\": [{\"impact\": \"low\"}]}""#, read, 0),
                (r#"[{"issues": [{"impact": "low"}]}]"#, read, 0),
                (
                    r#"{"issues": {"impact": "low", "issue": "x", "title": "t"}}"#,
                    r#"{"issues":[{"impact":"low","issue":"x"}]}"#,
                    0,
                ),
                (r#"{"issues": "[{\"impact\": \"low\"}]"}"#, read, 0),
                (
                    r#"{"issues": ["flaky tests"], "timeline": 7}"#,
                    r#"{"issues":[{"issue":"flaky tests"}]}"#,
                    0,
                ),
                (r#"{"action_items": [7, {"type": ["a"]}]}"#, r#"{"action_items":[{}]}"#, 2),
                (r#"{"issues": {"no": "list"}}"#, "{}", 1),
                (
                    r#"{"suggested_prompt": {"feedback_items": ["be brief", {}, 1]}}"#,
                    r#"{"suggested_prompt":{"feedback_items":[{"summary":"be brief"},{}]}}"#,
                    1,
                ),
                (r#"{"suggested_prompt": "x", "issues": 5}"#, "{}", 2),
                (
                    r#""{'issues': [{'impact': 'low', 'issue': \"it's\"}]}""#,
                    r#"{"issues":[{"impact":"low","issue":"it's"}]}"#,
                    0,
                ),
                (r#""\"{\\\"issues\\\": [{\\\"impact\\\": \\\"low\\\"}]}\"""#, read, 0),
                (r#""None""#, "null", 0),
                ("[]", "null", 0),
                ("[null]", "null", 0),
                ("[{}, {}]", "-", 1),
                (r#""done""#, "-", 1),
                ("true", "-", 1),
            ],
        );
    }

    #[test]
    fn a_name_twice_costs_that_field_alone() {
        let of = |record: &str| rewritten(record).map(|read| (read.text, read.unreadable)).unwrap();
        let twice = r#"{"session_id": "a", "title": "x", "title": "y", "other": 1, "other": 2}"#;
        assert_eq!(of(twice), (r#"{"session_id":"a"}"#.to_owned(), 1));
        let nested = r#"{"pull_requests": [{"pr_url": "p", "state": "a", "state": "b"}]}"#;
        assert_eq!(of(nested), (r#"{"pull_requests":[{"pr_url":"p"}]}"#.to_owned(), 1));
        let same = r#"{"session_id": "a", "url": "u", "url": "u"}"#;
        assert_eq!(of(same), (r#"{"session_id":"a","url":"u"}"#.to_owned(), 0));
    }

    #[test]
    fn a_record_of_the_export_gets_the_names_of_the_api() {
        let of = |record: &str| rewritten(record).map(|read| (read.text, read.exported)).unwrap();
        let record = r#"{"user_name": " Ada ", "user_email": "Ada@Example.com", "session_name": null,
            "created_at": "2026-10-06T10:30:00+00:00", "acu_used": 4.2, "org_name": "Acme",
            "url": "https://app.devin.ai/sessions/abc", "pull_requests": [{"pr_url": "p", "pr_status": "merged"}]}"#;
        let (text, exported) = of(record);
        let expected = r#"{"session_id":"abc","user_id":"ada@example.com","created_at":"2026-10-06T10:30:00+00:00","acus_consumed":4.2,"url":"https://app.devin.ai/sessions/abc","pull_requests":[{"pr_url":"p","pr_state":"merged"}]}"#;
        assert_eq!(text, expected);
        let names = Exported { user: Some("Ada".to_owned()), organisation: Some("Acme".to_owned()) };
        assert_eq!(exported, Some(names));
        // Lists as text are read as anywhere else, and a name twice costs that field alone.
        let (text, _) = of(
            r#"{"acu_used": 1, "acu_used": 2, "url": "x/sessions/a", "pull_requests": "[{\"pr_url\": \"p\"}]"}"#,
        );
        assert_eq!(text, r#"{"session_id":"a","url":"x/sessions/a","pull_requests":[{"pr_url":"p"}]}"#);
        let (text, exported) = of(r#"{"created_at": 7, "user_email": "a"}"#);
        assert_eq!((text.as_str(), exported.is_some()), (r#"{"created_at":7,"user_id":"a"}"#, true));
        assert!(of(r#"{"created_at": 7, "user_id": "a"}"#).1.is_none());
        let api = r#"{"session_id": "a", "user_email": "x", "title": "a", "tags": {}}"#;
        assert_eq!(of(api), (r#"{"session_id":"a","title":"a","tags":[]}"#.to_owned(), None));
    }

    #[test]
    fn dense_json_text_is_not_decoded() {
        let dense = format!("\"[{}{{}}]\"", "{},".repeat(200_000));
        assert_eq!(field("pull_requests", &dense), ("-".to_owned(), 1));
    }
}
