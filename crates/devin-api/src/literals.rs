//! Lists and objects as other languages print them.

use serde::de::IgnoredAny;

/// Null values in text: of Python, pandas, SQL and PostgreSQL's COPY.
const NOTHING: [&str; 9] = ["null", "NULL", "Null", "None", "NaN", "nan", "<NA>", "\\N", "undefined"];

/// Whether text is a null value.
pub(super) fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&text)
}

/// The JSON of what Python printed: `[{'pr_url': 'https://…', 'pr_state': None}]`.
/// `None` for anything else.
pub(super) fn of_python(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let (read, length) = quoted(rest, first)?;
                json.push_str(&serde_json::to_string(&read).ok()?);
                length
            }
            'A'..='Z' | 'a'..='z' => {
                let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                json.push_str(match rest.get(..length)? {
                    "None" | "nan" => "null",
                    "True" => "true",
                    "False" => "false",
                    _ => return None,
                });
                length
            }
            ']' | '}' | ')' => {
                // A tuple of one has a comma behind it.
                let kept = json.trim_end_matches(',').len();
                json.truncate(kept);
                json.push(if first == ')' { ']' } else { first });
                1
            }
            '(' => {
                json.push('[');
                1
            }
            '[' | '{' | ',' | ':' | '0'..='9' | '-' | '+' | '.' => {
                json.push(first);
                1
            }
            _ if first.is_whitespace() => first.len_utf8(),
            _ => return None,
        };
        rest = rest.get(length..)?;
    }
    serde_json::from_str::<IgnoredAny>(&json).is_ok().then_some(json)
}

/// The text between two quotes, and the length of all of it.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut read = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((read, at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => read.push('\n'),
                't' => read.push('\t'),
                'r' => read.push('\r'),
                code @ ('x' | 'u' | 'U') => {
                    let digits = match code {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let digits: String = chars.by_ref().take(digits).map(|(_, digit)| digit).collect();
                    read.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                other @ ('\\' | '\'' | '"') => read.push(other),
                other => read.extend(['\\', other]),
            },
            c => read.push(c),
        }
    }
    None
}

/// The words of an array of PostgreSQL, `{a,"b c",NULL}`, or of a list without
/// quotes, `[a, b]`. `None` where brackets hold anything else.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let inner = [('{', '}'), ('[', ']'), ('(', ')')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))?;
    let mut words = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let length = if rest.starts_with('"') {
            let (word, length) = quoted(rest, '"')?;
            words.push(word);
            length
        } else {
            let length = rest.find(',').unwrap_or(rest.len());
            let word = rest.get(..length)?.trim();
            if word.contains(['{', '}', '[', ']', '(', ')', '"', '\'', '=']) {
                return None;
            }
            words.extend((!is_nothing(word)).then(|| word.to_owned()));
            length
        };
        rest = rest.get(length..)?.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_prints_is_json() {
        for (text, json) in [
            ("['a', \"it's\", None, True, 1.5]", r#"["a","it's",null,true,1.5]"#),
            ("[{'pr_url': 'https://h/1', 'n': -2e+3}]", ""),
            (
                "{'issues': [{'impact': 'High', 'ok': False}], 'x': nan}",
                r#"{"issues":[{"impact":"High","ok":false}],"x":null}"#,
            ),
            ("('a',)", r#"["a"]"#),
            ("('a', ('b', 'c'))", r#"["a",["b","c"]]"#),
            (r"['a\'b\\c\n\xe9\u20ac\U0001f600\d']", "[\"a'b\\\\c\\né€😀\\\\d\"]"),
            ("['é\", \u{a0}']", "[\"é\\\", \u{a0}\"]"),
            ("[]", "[]"),
        ] {
            let read = of_python(text);
            assert_eq!(read.as_deref(), (!json.is_empty()).then_some(json), "{text}");
        }
        for text in [
            "['a'",
            "['a]",
            "[a, b]",
            "{'a', 'b'}",
            "['a' 'b']",
            "[lambda: 1]",
            "['\\ud800']",
            "['\\x']",
            "[;]",
            "['a'))",
        ] {
            assert_eq!(of_python(text), None, "{text}");
        }
    }

    #[test]
    fn words_in_brackets_are_a_list() {
        for (text, expected) in [
            ("{a,b}", &["a", "b"][..]),
            (r#"{"b c",NULL,"x, \"y\"",team:pay}"#, &["b c", "x, \"y\"", "team:pay"]),
            ("[a, b c]", &["a", "b c"]),
            ("(a,b)", &["a", "b"]),
            ("{}", &[]),
            ("{NULL}", &[]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        for text in ["a,b", "{a", "{a]", "{{a},{b}}", "{a=1}", r#"{"a" b}"#, r#"{"a}"#, "{it's}"] {
            assert_eq!(words(text), None, "{text}");
        }
    }
}
