//! The command that prints a password, as words: no shell reads it.

use std::path::Path;

use super::{SettingsError, quoted};

const FLAG: &str = "--smtp-password-command";

/// The program and its arguments: the words of one text, or several texts as they are.
/// None where there is no text, or an empty one.
///
/// # Errors
/// A text that only a shell could read, or a program that is named from the working directory.
pub fn password_command(texts: &[String]) -> Result<Option<Vec<String>>, SettingsError> {
    let refuse = |why: String, hint: &str| Err(SettingsError::new(format!("{FLAG}: {why}"), hint));
    let words = match texts {
        [] => return Ok(None),
        [text] => match words(text) {
            Ok(words) => words,
            Err(why) => {
                let hint = "the command runs without a shell: use plain words, quoted if they contain \
                    spaces, or run a shell: sh -c 'first | second'";
                return refuse(format!("{why} in {}", quoted(text)), hint);
            }
        },
        several => several.to_vec(),
    };
    let Some(program) = words.first() else { return Ok(None) };
    let path = Path::new(program);
    if program.contains('/') && !path.is_absolute() || program.is_empty() {
        return refuse(
            format!("{} is not a program", quoted(program)),
            "name a program in PATH, or use an absolute path: the working directory may belong to \
             another user",
        );
    }
    Ok(Some(words))
}

/// The words of a text: quotes keep spaces. What a shell would do more with is an error, so
/// that whatever is taken means the same as in a shell.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None | Some('"'), '$' | '`' | '\\') => {
                return Err("it has a shell character");
            }
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')') => return Err("it has a shell operator"),
            (None, '~') if word.is_none() => return Err("it has a ~ that only a shell expands"),
            (_, c) if c.is_control() => return Err("it has a control character"),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    match quote {
        Some(_) => Err("a quote is not closed"),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Option<Vec<String>>, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        password_command(&texts).map_err(|error| format!("{error}; {}", error.hint))
    }

    #[test]
    fn one_text_is_split_into_words_and_several_are_taken_as_they_are() {
        for (texts, words) in [
            (&["pass show  mail/acumen"][..], &["pass", "show", "mail/acumen"][..]),
            (&[" /opt/x/token --for 'a b' \"c\"d "], &["/opt/x/token", "--for", "a b", "cd"]),
            (&["sh -c 'a | b $C'"], &["sh", "-c", "a | b $C"]),
            (&["a ''"], &["a", ""]),
            (&["a", "b c", "$d"], &["a", "b c", "$d"]),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(read(texts), Ok(Some(words)), "{texts:?}");
        }
        assert_eq!((read(&[]), read(&[""]), read(&[" "])), (Ok(None), Ok(None), Ok(None)));
    }

    #[test]
    fn what_a_shell_would_read_and_what_lies_around_is_refused() {
        for text in ["a | b", "a; b", "a > b", "a $B", "a `b`", "a \"$B\"", "a \\b", "~/a", "a 'b", "a &"] {
            let error = read(&[text]).unwrap_err();
            assert!(error.starts_with("--smtp-password-command: ") && error.contains("sh -c"), "{error}");
        }
        for program in ["./a", "bin/a", "../a", "''"] {
            assert!(read(&[program]).unwrap_err().contains("is not a program"), "{program}");
        }
        assert!(read(&["./a", "b"]).unwrap_err().contains("is not a program"));
    }
}
