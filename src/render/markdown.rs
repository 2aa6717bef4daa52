//! The report in a few lines of Markdown, for a job summary or a chat: headline numbers, what
//! stands out, completeness.

use super::text;
use crate::report::{Piece, Report};
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
pub fn markdown(report: &Report) -> String {
    let header = &report.header;
    let organisation = match header.is_named {
        true => escape(&header.organisation),
        false => header.organisation.to_lowercase(),
    };
    let mut out = format!("## Devin, {organisation}: {}, {}\n\n", header.period.to_lowercase(), header.dates);
    let mut say = |paragraph: &str| {
        out.push_str(paragraph);
        out.push_str("\n\n");
    };
    for filter in &header.filters {
        say(&format!("{}.", escape(filter)));
    }
    for alert in &report.alerts {
        say(&format!("**Alert:** {}", written(&alert.text)));
    }
    if !report.other_alerts.is_empty() {
        say(&report.other_alerts);
    }
    for notice in &report.notices {
        say(&format!("**{}**", escaped(notice, LONGEST_NOTICE)));
    }
    if !report.verdict.is_empty() {
        say(&format!("**{}**", report.verdict));
    }
    say(&table(report));
    say(&report.comparison);
    let lines: Vec<String> =
        report.insights.iter().map(|sentence| format!("- {}", written(sentence))).collect();
    if !lines.is_empty() {
        say(&lines.join("\n"));
    }
    out.push_str(&completeness(report));
    out
}

/// The table of headline numbers.
fn table(report: &Report) -> String {
    let mut rows = vec!["| | Value | Change |".to_owned(), "|:--|--:|--:|".to_owned()];
    for tile in report.tiles.iter().map(text::tile) {
        let note = if tile.note.is_empty() { String::new() } else { format!(" ({})", tile.note) };
        let change = tile.change.map(|change| change.text);
        let maturing = Some(tile.maturing).filter(|maturing| !maturing.is_empty());
        let change = change.into_iter().chain(maturing).collect::<Vec<_>>().join(", ");
        rows.push(format!("| {} | {}{note} | {change} |", tile.title, tile.value));
    }
    rows.join("\n")
}

fn completeness(report: &Report) -> String {
    let header = &report.header;
    format!(
        "{}; {} in the period, {} {} ({}). The report and `acumen metrics` define every number.\n",
        report.completeness,
        match report.sessions {
            Some(1.0) => "1 session".to_owned(),
            sessions => format!("{} sessions", Unit::Count.text(sessions)),
        },
        header.taken_label.to_lowercase(),
        header.fetched,
        header.zone,
    )
}

fn written(sentence: &[Piece]) -> String {
    sentence.iter().map(|piece| if piece.name { escape(&piece.text) } else { piece.text.clone() }).collect()
}

/// Other people's text as plain text on one line of Markdown: no markup, HTML, links or mentions,
/// and no end of a table cell.
pub(super) fn escape(text: &str) -> String {
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
