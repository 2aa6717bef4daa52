//! Records of the web app's export ("Export session data"), with the names that the
//! API has for their fields.
//!
//! Such a record has no id but the last part of its address, and has no status,
//! tags, analysis or last change. Its user is an email.

use std::borrow::Cow;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::json::Text;
use super::time;

/// What the export calls a field, and what the API does.
const NAMES: [(&str, &str); 3] =
    [("user_email", "user_id"), ("session_name", "title"), ("acu_used", "acus_consumed")];

/// The fields of an object in their order; `None` is a value that is ambiguous.
pub(super) type Fields<'a> = Vec<(String, Option<Cow<'a, RawValue>>)>;

/// Fields of a record of the export that the API does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The name of its user.
    pub user: Option<String>,
    /// The name of its organisation.
    pub organisation: Option<String>,
}

/// The fields of a record of the export under the API's names, and what else it
/// tells; `None` where the record is not of the export.
pub(super) fn renamed<'a>(fields: &Fields<'a>) -> Option<(Fields<'a>, Exported)> {
    let has = |name: &str| fields.iter().any(|(own, _)| own == name);
    // A record of the API may have more fields than any document lists.
    let is_exported = match has("session_id") {
        true => has("acu_used") && !has("acus_consumed"),
        false => NAMES.iter().any(|(name, _)| has(name)),
    };
    if !is_exported {
        return None;
    }
    let text = |name: &str| {
        let json = fields.iter().find(|(own, _)| own == name)?.1.as_ref()?;
        Text::lenient(Some(json.as_ref())).trimmed().map(str::to_owned)
    };
    let exported = Exported { user: text("user_name"), organisation: text("org_name") };
    let mut named = Fields::new();
    if !has("session_id")
        && let Some(id) = text("url").as_deref().and_then(id)
    {
        named.push(("session_id".to_owned(), raw(id)));
    }
    for (name, value) in fields {
        let api = NAMES.iter().find(|(own, _)| own == name).map_or(name.as_str(), |(_, api)| api);
        // Mailboxes do not care about case, and ids do.
        let email = if name == "user_email" { text(name) } else { None };
        let email = email.and_then(|email| raw(&email.to_lowercase()));
        if api == name || !has(api) {
            named.push((api.to_owned(), email.or_else(|| value.clone())));
        }
    }
    Some((named, exported))
}

fn raw(text: &str) -> Option<Cow<'static, RawValue>> {
    to_raw_value(text).ok().map(Cow::Owned)
}

/// The id in the address of a session: what follows `sessions`, else its last part.
fn id(address: &str) -> Option<&str> {
    let address = address.split(['?', '#']).next()?;
    let path = address.split_once("://").map_or(address, |(_, rest)| rest).split_once('/')?.1;
    let mut parts = path.split('/').map(str::trim).filter(|part| !part.is_empty());
    match parts.clone().any(|part| part == "sessions") {
        true => parts.skip_while(|part| *part != "sessions").nth(1),
        false => parts.next_back(),
    }
}

/// A whole export.
pub struct Export<'a> {
    /// Its records.
    pub sessions: Vec<&'a RawValue>,
    /// The time that it covers, where it has dates.
    pub range: Option<Range<DateTime<Utc>>>,
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    sessions: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    date_range: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct DateRange<'a> {
    #[serde(borrow)]
    start: &'a RawValue,
    #[serde(borrow)]
    end: &'a RawValue,
}

/// Reads an object with a list of `sessions`; `None` for anything else.
pub fn read(json: &str) -> Option<Export<'_>> {
    let File { sessions, date_range } = serde_json::from_str(json).ok()?;
    let range = date_range.and_then(|range| {
        let DateRange { start, end } = serde_json::from_str(range.get()).ok()?;
        let moment = |raw: &RawValue| time::read(raw.get()).map(|instant| instant.utc);
        // A day alone is the last that is in it.
        let is_day = serde_json::from_str::<chrono::NaiveDate>(end.get()).is_ok();
        let end = moment(end)? + if is_day { TimeDelta::days(1) } else { TimeDelta::zero() };
        Some(moment(start)?..end).filter(|range| !range.is_empty())
    });
    Some(Export { sessions, range })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_in_the_address() {
        for (address, expected) in [
            ("https://app.devin.ai/sessions/abc123", Some("abc123")),
            ("https://app.devin.ai/sessions/abc123/", Some("abc123")),
            ("https://app.devin.ai/org/acme/sessions/abc123/insights?tab=1#x", Some("abc123")),
            ("https://devin.example.com/s/abc123?x", Some("abc123")),
            ("app.devin.ai/sessions/abc123", Some("abc123")),
            ("https://app.devin.ai/sessions/", None),
            ("https://app.devin.ai", None),
            ("https://app.devin.ai/", None),
            ("abc123", None),
        ] {
            assert_eq!(id(address), expected, "{address}");
        }
    }

    #[test]
    fn an_export_is_an_object_with_a_list_of_sessions() {
        let range = r#""date_range": {"start": "2026-09-01T00:00:00+00:00", "end": "2026-10-12"}"#;
        let read = |json: &str| read(json).map(|export| (export.sessions.len(), export.range.is_some()));
        assert_eq!(read(&format!(r#"{{{range}, "sessions": [{{}}, 7], "more": 1}}"#)), Some((2, true)));
        assert_eq!(read(r#"{"sessions": []}"#), Some((0, false)));
        for odd in [r#""soon""#, "{}", r#"{"start": "2026-10-12", "end": "2026-10-01"}"#, "null"] {
            assert_eq!(
                read(&format!(r#"{{"sessions": [], "date_range": {odd}}}"#)),
                Some((0, false)),
                "{odd}"
            );
        }
        assert_eq!((read(r#"{"sessions": {}}"#), read("[]"), read("{}")), (None, None, None));
    }
}
