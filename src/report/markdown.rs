//! The report in a few lines of Markdown, for a job summary or a chat: headline numbers, what
//! stands out, completeness.

use super::layout::headlines;
use super::view::Piece;
use super::{comparison, head, insights, saved, tiles};
use crate::metrics::{Completeness, Facts, SESSIONS};
use crate::text::clean;
use crate::unit::Unit;

/// The longest tag or user, in characters.
const LONGEST: usize = 200;
/// The longest notice, in characters.
const LONGEST_NOTICE: usize = 600;
/// Has no width; keeps `@` and `#` from becoming mentions and references.
const NO_WIDTH: char = '\u{200b}';

/// The summary as Markdown, ending with a line break. It contains no sessions; other people's text
/// is escaped and mentions nobody.
pub fn markdown(facts: &Facts) -> String {
    let header = head::header(facts);
    let organisation = match head::organisation(facts) {
        Some(_) => escape(&header.organisation),
        None => header.organisation.to_lowercase(),
    };
    let mut out = format!("## Devin, {organisation}: {}, {}\n\n", header.period.to_lowercase(), header.dates);
    let mut say = |paragraph: &str| {
        out.push_str(paragraph);
        out.push_str("\n\n");
    };
    for filter in &header.filters {
        say(&format!("{}.", escape(filter)));
    }
    for notice in head::notices(facts) {
        say(&format!("**{}**", escaped(&notice, LONGEST_NOTICE)));
    }
    say(&table(facts));
    say(&comparison(facts));
    let sentences = insights::insights(facts);
    let lines: Vec<String> = sentences.iter().map(|sentence| format!("- {}", written(sentence))).collect();
    if !lines.is_empty() {
        say(&lines.join("\n"));
    }
    out.push_str(&completeness(facts, &header.fetched, &header.zone));
    out
}

/// The table of headline numbers.
fn table(facts: &Facts) -> String {
    let mut rows = vec!["| | Value | Change |".to_owned(), "|:--|--:|--:|".to_owned()];
    for headline in headlines(facts.capabilities()) {
        let text = tiles::headline_text(facts, headline);
        let note = if text.note.is_empty() { String::new() } else { format!(" ({})", text.note) };
        let change = text.change.map(|change| change.text).unwrap_or_default();
        rows.push(format!("| {} | {}{note} | {change} |", headline.title, text.value));
    }
    rows.join("\n")
}

fn completeness(facts: &Facts, fetched: &str, zone: &str) -> String {
    let sessions = facts.whole(&SESSIONS).and_then(|fact| fact.value);
    let whole = match (facts.source.completeness, facts.is_over()) {
        (Completeness::Incomplete, _) => "Incomplete: sessions are missing",
        (_, false) => "So far: the period is not over",
        (Completeness::Unproven, true) => "As saved: completeness is unknown",
        (Completeness::Proven, true) => "Complete: no session is missing",
    };
    format!(
        "{whole}; {} in the period, {} {fetched} ({zone}). The report and `acumen metrics` define every \
         number.\n",
        match sessions {
            Some(1.0) => "1 session".to_owned(),
            sessions => format!("{} sessions", Unit::Count.text(sessions)),
        },
        saved::taken_label(facts).to_lowercase()
    )
}

fn written(sentence: &[Piece]) -> String {
    sentence.iter().map(|piece| if piece.name { escape(&piece.text) } else { piece.text.clone() }).collect()
}

/// Other people's text as plain text on one line of Markdown: no markup, HTML, links or mentions,
/// and no end of a table cell.
fn escape(text: &str) -> String {
    escaped(text, LONGEST)
}

fn escaped(text: &str, longest: usize) -> String {
    let text = clean(text, longest);
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let address = match c {
            ':' => rest.peek() == Some(&'/'),
            '.' => out.len() >= 3 && out.to_ascii_lowercase().ends_with("www"),
            _ => false,
        };
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' | '#' => out.extend(['\\', c, NO_WIDTH]),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' | '$' => {
                out.extend(['\\', c]);
            }
            c if address => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_peoples_text_is_escaped() {
        let cases = [
            ("plain text-1.2", "plain text-1.2"),
            ("a|b", "a\\|b"),
            ("**bold** _it_ `x`", "\\*\\*bold\\*\\* \\_it\\_ \\`x\\`"),
            ("[a](b) ![c]", "\\[a\\]\\(b\\) \\!\\[c\\]"),
            ("<img src=x>&amp;", "&lt;img src=x&gt;&amp;amp;"),
            ("@octocat #12", "\\@\u{200b}octocat \\#\u{200b}12"),
            ("line\nline\r\n| x", "line line \\| x"),
            ("team:payments", "team:payments"),
            ("https://a.example", "https\\://a.example"),
            ("WWW.a.example", "WWW\\.a.example"),
            ("back\\slash", "back\\\\slash"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(escape(text), expected, "{text}");
        }
    }
}
