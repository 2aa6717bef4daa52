//! A server's words, made fit to stand in a message.

use serde::Deserialize;

use super::Secret;
use super::lenient::{List, Text};

/// No message needs more of a server's words.
const LONGEST: usize = 200;

/// The text of an error body, ready to be appended to a message: `: "text"`,
/// or nothing where the body holds no `detail`.
pub(super) fn detail(body: &[u8], key: &Secret) -> String {
    match serde_json::from_slice::<Body<'_>>(body).ok().and_then(said).map(|text| clean(&text, key)) {
        Some(text) if !text.is_empty() => format!(": \"{text}\""),
        _ => String::new(),
    }
}

/// Text on one line without control and bidirectional characters and without
/// the key, cut to 200 characters.
pub(super) fn clean(text: &str, key: &Secret) -> String {
    let plain = visible(text);
    // After the filter, which could otherwise join the halves of a key.
    let safe = match key.0.as_str() {
        "" => plain,
        key => plain.replace(key, "[redacted]"),
    };
    let words = safe.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words,
    }
}

/// Whether a text would show the key, once all that is not seen is taken out of it.
pub(super) fn shows(text: &str, key: &Secret) -> bool {
    !key.0.is_empty() && visible(text).contains(&key.0)
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

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    detail: Detail<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Detail<'a> {
    #[serde(borrow)]
    List(Vec<Complaint<'a>>),
    Text(Text<'a>),
}

/// One complaint of a 422.
#[derive(Deserialize)]
struct Complaint<'a> {
    #[serde(borrow, default)]
    loc: List<Text<'a>>,
    #[serde(borrow, default)]
    msg: Text<'a>,
}

fn said(body: Body<'_>) -> Option<String> {
    match body.detail {
        Detail::Text(text) => text.trimmed().map(str::to_owned),
        Detail::List(list) => {
            let lines: Vec<String> = list
                .iter()
                .map(|one| {
                    let place: Vec<_> = one.loc.0.iter().filter_map(Text::trimmed).collect();
                    format!("{}: {}", place.join("."), one.msg.trimmed().unwrap_or_default())
                })
                .collect();
            Some(lines.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> String {
        detail(body.as_bytes(), &Secret::new("apk_user_k3y".to_owned()))
    }

    #[test]
    fn both_shapes_of_detail_are_quoted() {
        assert_eq!(of(r#"{"detail": "Not Found"}"#), ": \"Not Found\"");
        assert_eq!(
            of(
                r#"{"detail": [{"loc": ["query", "limit"], "msg": "too large", "type": "x"}, {"loc": ["body", 0]}]}"#
            ),
            ": \"query.limit: too large; body.0:\""
        );
        for nothing in ["", "<html>", "{}", r#"{"detail": null}"#, r#"{"detail": {"a": 1}}"#, "[]"] {
            assert_eq!(of(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn a_quote_is_harmless() {
        let key = Secret::new("apk_user_k3y".to_owned());
        assert_eq!(clean("a\u{1b}[31m\n\tb\u{202e}c\u{0}", &key), "a[31m bc");
        assert_eq!(clean("key apk_user_k3y!", &key), "key [redacted]!");
        assert_eq!(clean("key apk_\u{200b}user_k3y!", &key), "key [redacted]!");
        assert_eq!(clean("any", &Secret::new(String::new())), "any");
        assert!(shows("<apk_\u{200b}user_\u{0}k3y>", &key) && !shows("apk_user k3y", &key));
        assert!(!shows("any", &Secret::new(String::new())));
        let long = clean(&"é".repeat(10_000), &key);
        assert_eq!(long.chars().count(), 201);
    }
}
