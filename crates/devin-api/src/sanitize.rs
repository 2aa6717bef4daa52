//! A server's words, made safe for messages.

use serde_json::{Map, Value};

use super::{Secret, redact};

/// No message needs more of a server's words.
const LONGEST: usize = 200;
/// Characters at either end of a long cursor that distinguish it from others.
const END: usize = 10;

/// The text of an error body, ready to be appended to a message: `: "text"`,
/// or nothing where the body holds no `detail`.
pub(super) fn detail(body: &[u8], key: &Secret) -> String {
    let said = serde_json::from_slice(body).ok().as_ref().and_then(said);
    match said.map(|text| clean(&text, key)) {
        Some(text) if !text.is_empty() => format!(": \"{text}\""),
        _ => String::new(),
    }
}

/// The title of an HTML page, in the same way.
pub(super) fn title(body: &[u8], key: &Secret) -> String {
    let text = String::from_utf8_lossy(body);
    let low = text.to_ascii_lowercase();
    let title = || {
        let begin = low.find("<title")?;
        let begin = begin + low.get(begin..)?.find('>')? + 1;
        let end = begin + low.get(begin..)?.find("</title")?;
        text.get(begin..end).map(|title| clean(title, key))
    };
    match title() {
        Some(title) if !title.is_empty() => format!(": \"{title}\""),
        _ => String::new(),
    }
}

/// Text on one line without what steers a terminal, bidirectional characters
/// and the key, cut to 200 characters.
pub(super) fn clean(text: &str, key: &Secret) -> String {
    cut(plain(text, key))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.split_at(end).0),
        None => text,
    }
}

/// What a server says for a refusal in JSON, as plain text or as a page, as [`clean`]s it, without
/// any of these secrets.
pub(super) fn words(body: &[u8], secrets: &[Secret]) -> String {
    let text = String::from_utf8_lossy(body);
    let json = serde_json::from_slice(body).ok();
    let said = json.as_ref().and_then(said).unwrap_or_else(|| match text.trim_start().starts_with('<') {
        true => "an HTML page".to_owned(),
        false => text.into_owned(),
    });
    // Cut last: half of a secret would not be known again.
    cut(secrets.iter().fold(said, |said, secret| plain(&said, secret)))
}

/// [`clean`] with no more than the two ends of a long text: cursors begin alike.
pub(super) fn ends(text: &str, key: &Secret) -> String {
    // Cut last: half of the key would not be known again.
    let text = plain(text, key);
    let length = text.chars().count();
    if length <= 2 * END {
        return text;
    }
    let (head, tail): (String, String) =
        (text.chars().take(END).collect(), text.chars().skip(length - END).collect());
    format!("{head}…{tail}")
}

fn plain(text: &str, key: &Secret) -> String {
    let seen: String = text.chars().filter(|c| !is_format(*c)).collect();
    // Before the sequences go, which could take the first letter of a key along …
    let plain = visible(&redact::without_sequences(&redact::words(&seen, key)));
    // … and after, since what is gone may have stood between its halves.
    let safe = redact::words(&plain, key);
    safe.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text would show the key, once all that is not seen is taken out of it.
pub(super) fn shows(text: &str, key: &Secret) -> bool {
    [visible(text), visible(&redact::without_sequences(text))]
        .iter()
        .any(|seen| redact::words(seen, key) != *seen)
}

fn visible(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced.filter(|c| !c.is_control() && !is_format(*c)).collect()
}

/// Characters that are not seen but change what is: marks of direction, joiners, fillers.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What an error body says, problem details of RFC 9457 included: the detail, else the
/// title with the first of the errors, where there are any, else what others call a
/// message or an error.
fn said(body: &Value) -> Option<String> {
    let detail = complaints(&body["detail"]);
    if !detail.is_empty() {
        return Some(detail.join("; "));
    }
    let first_error = match &body["errors"] {
        // By the names of what they are about.
        Value::Object(named) => named.iter().find_map(|(name, about)| {
            complaints(about).into_iter().next().map(|text| format!("{name}: {text}"))
        }),
        errors => complaints(errors).into_iter().next(),
    };
    let parts: Vec<String> = complaints(&body["title"]).into_iter().chain(first_error).collect();
    let others = || complaints(&body["message"]).into_iter().chain(complaints(&body["error"])).next();
    if parts.is_empty() { others() } else { Some(parts.join(": ")) }
}

/// A complaint, or the complaints of a list.
fn complaints(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::Object(fields) => place_and_text(fields),
        value => text(value),
    };
    match value {
        Value::Array(list) => list.iter().filter_map(one).collect(),
        value => one(value).into_iter().collect(),
    }
}

/// A complaint of a 422: what it is about, and what is wrong with it.
fn place_and_text(fields: &Map<String, Value>) -> Option<String> {
    let field = |name: &str| text(fields.get(name)?);
    let path = fields.get("loc").and_then(Value::as_array).into_iter().flatten().filter_map(text);
    let place = path.chain(field("pointer")).collect::<Vec<_>>().join(".");
    let words = ["msg", "message", "detail"].into_iter().find_map(field);
    let parts: Vec<String> = Some(place).filter(|place| !place.is_empty()).into_iter().chain(words).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> String {
        detail(body.as_bytes(), &Secret::new("apk_user_k3y".to_owned()))
    }

    #[test]
    fn problem_details_are_quoted() {
        let refused = r#"{"type": "about:blank", "title": "Forbidden", "status": 403, "detail": null}"#;
        assert_eq!(of(refused), ": \"Forbidden\"");
        let reported = r#"{"title": "Forbidden", "detail": "the key has no such right"}"#;
        assert_eq!(of(reported), ": \"the key has no such right\"");
        let errors = r#"[{"loc": ["query", "after"], "msg": "is no cursor"}, {"msg": "x"}]"#;
        assert_eq!(of(&format!(r#"{{"errors": {errors}}}"#)), ": \"query.after: is no cursor\"");
        let both = format!(r#"{{"title": "Invalid", "detail": "", "errors": {errors}}}"#);
        assert_eq!(of(&both), ": \"Invalid: query.after: is no cursor\"");
        let others = r##"{"errors": [{"detail": "too long", "pointer": "#/tags"}]}"##;
        assert_eq!(of(others), ": \"#/tags: too long\"");
        assert_eq!(of(r#"{"errors": ["too long"]}"#), ": \"too long\"");
        assert_eq!(of(r#"{"title": {"a": 1}, "errors": 7}"#), ": \"7\"");
        assert_eq!(of(r#"{"message": "nope"}"#), ": \"nope\"");
        assert_eq!(of(r#"{"error": {"message": "no such thing", "code": 7}}"#), ": \"no such thing\"");
        let named = r#"{"errors": {"tags": ["too long", "odd"], "first": "too large"}}"#;
        assert_eq!(of(named), ": \"first: too large\"");
        assert_eq!(of(r#"{"title": "key apk_user_k3y", "errors": []}"#), ": \"key [redacted]\"");
    }

    #[test]
    fn the_title_of_a_page_is_quoted() {
        let of = |body: &str| title(body.as_bytes(), &Secret::new("apk_user_k3y".to_owned()));
        let page = "<!doctype html><HTML><Title lang=en>\n Blocked by apk_user_k3y\u{1b}[31m </Title><p>é";
        assert_eq!(of(page), ": \"Blocked by [redacted]\"");
        for nothing in ["", "<title", "<title>", "<title>x", "<title></title>", "é<title>"] {
            assert_eq!(of(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn both_shapes_of_detail_are_quoted() {
        assert_eq!(of(r#"{"detail": "Not Found"}"#), ": \"Not Found\"");
        assert_eq!(
            of(
                r#"{"detail": [{"loc": ["query", "limit"], "msg": "too large", "type": "x"}, {"loc": ["body", 0]}]}"#
            ),
            ": \"query.limit: too large; body.0\""
        );
        for nothing in ["", "<html>", "{}", r#"{"detail": null}"#, r#"{"detail": {"a": 1}}"#, "[]"] {
            assert_eq!(of(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn a_quote_is_harmless() {
        let key = Secret::new("apk_user_k3y".to_owned());
        assert_eq!(clean("a\u{1b}[31m\n\tb\u{202e}c\u{0}", &key), "a bc");
        assert_eq!(clean("key apk_user_k3y!", &key), "key [redacted]!");
        assert_eq!(clean("key apk_\u{200b}user_k3y!", &key), "key [redacted]!");
        assert_eq!(clean("key APK_User_k3Y!", &key), "key [redacted]!");
        for split in ["\u{1b}[31m", "\u{9b}m", "\u{1b}]0;x\u{7}", "\u{0}", "\u{1b}[\u{200b}1m"] {
            assert_eq!(clean(&format!("key apk_{split}user_k3y!"), &key), "key [redacted]!", "{split:?}");
        }
        assert_eq!(clean("\u{1b}[apk_user_k3y", &key), "redacted]");
        assert_eq!(clean("any", &Secret::new(String::new())), "any");
        assert_eq!(ends(&"é".repeat(20), &key), "é".repeat(20));
        assert_eq!(ends("0123456789abcdefghijk", &key), "0123456789…bcdefghijk");
        assert_eq!(ends(&format!("{}apk_user_k3y", "x".repeat(30)), &key), "xxxxxxxxxx…[redacted]");
        assert!(shows("<apk_\u{200b}user_\u{0}k3y>", &key) && !shows("apk_user k3y", &key));
        assert!(!shows("any", &Secret::new(String::new())));
        let long = clean(&"é".repeat(10_000), &key);
        assert_eq!(long.chars().count(), 201);
    }
}
