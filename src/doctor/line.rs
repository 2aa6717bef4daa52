//! One line for each thing that was looked at.

use std::fmt::Display;

use crate::exit::{Exit, Explain};
use crate::text::harmless;

/// What came of a look at one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// As it should be.
    Ok,
    /// Good to know; a report comes all the same.
    Note,
    /// No report comes like this.
    Failed,
    /// Something else failed first.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What came of it.
    pub word: Word,
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub text: String,
    /// What to do about it; empty for nothing.
    pub hint: String,
    /// How a run ends that ends with it.
    pub exit: Exit,
}

/// All is well.
pub fn ok(name: &'static str, text: impl Into<String>) -> Line {
    Line { word: Word::Ok, name, text: text.into(), hint: String::new(), exit: Exit::Done }
}

/// Good to know.
pub fn note(name: &'static str, text: impl Into<String>) -> Line {
    Line { word: Word::Note, ..ok(name, text) }
}

/// Not looked at, and why.
pub fn skipped(name: &'static str, why: impl Into<String>) -> Line {
    Line { word: Word::Skipped, ..ok(name, why) }
}

/// What failed, with what to do about it.
pub fn failed(name: &'static str, text: impl Into<String>, hint: impl Into<String>, exit: Exit) -> Line {
    Line { word: Word::Failed, name, text: text.into(), hint: hint.into(), exit }
}

/// What failed, in the words of an error.
pub fn failure(name: &'static str, error: &(impl Explain + Display)) -> Line {
    failed(name, error.to_string(), error.hint(), error.exit())
}

/// The lines as they are printed, a hint under each that has one.
pub fn print(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        let word = match line.word {
            Word::Ok => "ok",
            Word::Note => "note",
            Word::Failed => "FAILED",
            Word::Skipped => "skipped",
        };
        out.push_str(&format!("{word:<8} {}: {}\n", line.name, line.text));
        if !line.hint.is_empty() {
            out.push_str(&format!("{:<8} hint: {}\n", "", line.hint));
        }
    }
    harmless(&out)
}

/// How a run with these lines ends: as the first that failed.
pub fn exit(lines: &[Line]) -> Exit {
    lines.iter().map(|line| line.exit).find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_word_and_a_failure_its_hint() {
        let lines = [
            ok("settings", "good"),
            failed("key", "bad", "mend it", Exit::Denied),
            skipped("clock", "no answer"),
            failed("output", "worse", "choose another", Exit::Output),
            note("last week", "empty"),
        ];
        assert_eq!(
            print(&lines),
            "ok       settings: good\n\
             FAILED   key: bad\n         hint: mend it\n\
             skipped  clock: no answer\n\
             FAILED   output: worse\n         hint: choose another\n\
             note     last week: empty\n"
        );
        assert_eq!((exit(&lines), exit(&lines[..1])), (Exit::Denied, Exit::Done));
        assert_eq!(exit(&[]), Exit::Done);
    }
}
