//! Takes the key out of what a server says: it may repeat our words anywhere.

use std::borrow::Cow;

use memchr::memmem;

use super::Secret;

/// The replacement of the key.
const REDACTED: &str = "[redacted]";

/// A shorter key could be a word of the answer itself.
const SHORTEST: usize = 8;

/// A JSON body without the key, plain or escaped. It is the
/// same body where it holds no key, and reads the same everywhere else.
pub(super) fn body(body: String, key: &Secret) -> String {
    let key = key.expose();
    if key.len() < SHORTEST {
        return body;
    }
    // Every page is searched: with the processor's widest instructions.
    let holds = |text: &str, word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let spelt_out = match holds(&body, "\\u00") || holds(&body, "\\/") {
        true => unescaped(&body),
        false => Cow::Borrowed(body.as_str()),
    };
    match holds(&spelt_out, key) {
        true => spelt_out.replace(key, REDACTED),
        false => body,
    }
}

/// JSON with plain characters in place of escapes that need not be: `\u0041`, `\/`.
fn unescaped(json: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let digits = escape.strip_prefix("\\u").and_then(|digits| digits.get(..4));
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (plain, length) = match code.map(char::from) {
            Some(c) if c.is_ascii_graphic() && c != '"' && c != '\\' => (Some(c), 6),
            _ if escape.starts_with("\\/") => (Some('/'), 2),
            // A backslash and what it escapes, which may be another backslash.
            _ => (None, escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end)),
        };
        let (kept, after) = escape.split_at(length);
        match plain {
            Some(c) => out.push(c),
            None => out.push_str(kept),
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Words without the key, in capitals or not: some servers write them so in
/// their messages.
pub(super) fn words(text: &str, key: &Secret) -> String {
    let key = key.expose().to_ascii_lowercase();
    if key.is_empty() {
        return text.to_owned();
    }
    let low = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in low.match_indices(&key) {
        out.push_str(text.get(done..at).expect("lower case of ASCII has the same places"));
        out.push_str(REDACTED);
        done = at + key.len();
    }
    out.push_str(text.split_at(done).1);
    out
}

/// Text without the sequences that steer a terminal: it would not show them,
/// and could so join the halves of a key.
pub(super) fn without_sequences(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = rest.split_at(c.len_utf8()).1;
        match (c, rest.chars().next()) {
            ('\u{1b}', Some('[')) => rest = after_control(rest.split_at(1).1),
            ('\u{1b}', Some(']' | 'P' | 'X' | '^' | '_')) => {
                rest = after_string(rest.split_at(1).1);
            }
            ('\u{9b}', _) => rest = after_control(rest),
            ('\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}', _) => rest = after_string(rest),
            _ => out.push(c),
        }
    }
    out
}

/// What follows a control sequence (CSI), which ends with a letter or alike.
fn after_control(text: &str) -> &str {
    let rest =
        text.trim_start_matches(|c| matches!(c, '0'..='?')).trim_start_matches(|c| matches!(c, ' '..='/'));
    rest.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(rest)
}

/// What follows a control string (OSC and its kin); one without an end is text.
fn after_string(text: &str) -> &str {
    let ends = ["\u{7}", "\u{1b}\\", "\u{9c}"].into_iter();
    let ends = ends.filter_map(|end| text.find(end).map(|at| at + end.len()));
    ends.min().and_then(|end| text.get(end..)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key: &str) -> Secret {
        Secret::new(key.to_owned())
    }

    #[test]
    fn a_body_loses_the_key_however_it_is_spelt() {
        let key = secret("apk/k3y=");
        let of = |text: &str| body(text.to_owned(), &key);
        assert_eq!(of(r#"{"a": "x apk/k3y= apk/k3y="}"#), r#"{"a": "x [redacted] [redacted]"}"#);
        assert_eq!(of(r#"["\u0061pk\/k3y\u003D", "\n"]"#), r#"["[redacted]", "\n"]"#);
        // An escaped backslash begins no escape.
        for same in [r#"["\\u0061pk/k3y=", "\u00e9\u0022\u005c\/"]"#, r#"["\u00"#, "\\", "\\u00é", "é\\é"]
        {
            assert_eq!(of(same), same);
        }
    }

    #[test]
    fn a_short_key_spoils_no_body() {
        for (key, text) in [("items", r#"{"items": []}"#), ("", "[]")] {
            assert_eq!(body(text.to_owned(), &secret(key)), text);
        }
    }

    #[test]
    fn words_lose_the_key_in_any_case() {
        let key = secret("apk_K3y");
        assert_eq!(words("é APK_K3Y, apk_k3y; apk_k3", &key), "é [redacted], [redacted]; apk_k3");
        assert_eq!(words("any", &secret("")), "any");
    }

    #[test]
    fn sequences_for_a_terminal_go_whole() {
        for (text, plain) in [
            ("a\u{1b}[31mb\u{1b}[0mc", "abc"),
            ("a\u{1b}[?25;1 qb\u{9b}1mc", "abc"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]8;;https://h.example\u{1b}\\c\u{9d}x\u{9c}d", "abcd"),
            ("a\u{1b}Pq\u{1b}\\b\u{1b}_x\u{7}c", "abc"),
            // One without an end must not hide what follows.
            ("a\u{1b}]0;b", "a0;b"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}[31", "a"),
            ("é[31m\u{1b}é", "é[31m\u{1b}é"),
        ] {
            assert_eq!(without_sequences(text), plain, "{text:?}");
        }
    }
}
