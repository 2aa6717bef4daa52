//! The report as a message for a chat: blocks for Slack, an Adaptive Card for Teams.
//!
//! It has what a mail has, without its charts and lists of people and groups. Other people's words
//! are only in texts that the service shows as they are (`plain_text`, `TextRun`): they make no
//! link, no mention and no format. Every documented limit holds, because texts are cut.

use serde_json::{Value, json};

use super::email::{ReportLocation, isolated};
use super::text::{details, tile};
use crate::report::{Piece, Report};
use crate::text::clean;

/// The most characters of a header in Slack.
const SLACK_HEADER: usize = 150;
/// The most characters of a section's text in Slack.
const SLACK_TEXT: usize = 3000;
/// The most fields of a section in Slack …
const SLACK_FIELDS: usize = 10;
/// … and the most characters of each.
const SLACK_FIELD: usize = 2000;
/// The most bytes of a message to Teams.
const TEAMS_BYTES: usize = 28 * 1024;

/// The most alerts that are shown. They keep a message short, and with the lengths below it fits into the
/// limits of both services …
pub const MOST_ALERTS: usize = 8;
/// … and so with the most notices and sentences.
const MOST_NOTICES: usize = 3;
const MOST_SENTENCES: usize = 10;
/// The longest alert or notice, sentence, scope and number, in characters.
const LONGEST_NOTICE: usize = 240;
const LONGEST_SENTENCE: usize = 400;
const LONGEST_SCOPE: usize = 300;
const LONGEST_NUMBER: usize = 200;

/// What a message says, as finished texts.
struct Content {
    /// Period and completeness.
    title: String,
    /// Organisation, time zone and filters: other people's words.
    scope: String,
    /// Alerts and notices, in this order: they may contain other people's words.
    warnings: Vec<String>,
    /// Whether the period was better or worse; empty for nothing to say.
    verdict: String,
    /// Title, value, and what there is to say about it.
    numbers: Vec<(String, String, String)>,
    /// What the numbers are compared with, or why not.
    comparison: String,
    /// What stands out: around other people's words.
    sentences: Vec<String>,
    /// The report's file, and what made it.
    origin: String,
}

/// The message for an incoming webhook of Slack.
pub fn slack(report: &Report, alerts: &[String]) -> Value {
    let content = content(report, alerts);
    let mut blocks = vec![json!({"type": "header", "text": plain(&content.title, SLACK_HEADER)})];
    blocks.push(json!({"type": "context", "elements": [plain(&content.scope, SLACK_TEXT)]}));
    let mut section = |text: Value| blocks.push(json!({"type": "section", "text": text}));
    content.warnings.iter().for_each(|warning| section(plain(warning, SLACK_TEXT)));
    if !content.verdict.is_empty() {
        section(plain(&content.verdict, SLACK_TEXT));
    }
    let fields = content.numbers.iter().take(SLACK_FIELDS).map(|(title, value, details)| {
        let gap = if details.is_empty() { "" } else { "\n" };
        let text = escaped(&format!("{value}{gap}{details}"), SLACK_FIELD - 100);
        json!({"type": "mrkdwn", "verbatim": true, "text": format!("*{}*\n{text}", escaped(title, 90))})
    });
    let fields: Vec<Value> = fields.collect();
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    let context = |text: &str| json!({"type": "context", "elements": [plain(text, SLACK_TEXT)]});
    blocks.push(context(&content.comparison));
    if !content.sentences.is_empty() {
        let lines: Vec<String> = content.sentences.iter().map(|sentence| format!("• {sentence}")).collect();
        let text = format!("What stands out\n{}", lines.join("\n"));
        blocks.push(json!({"type": "section", "text": plain(&text, SLACK_TEXT)}));
    }
    blocks.push(context(&content.origin));
    // For notifications; it has none of other people's words, because it is always formatted.
    let headline = content.numbers.iter().take(2).map(|(title, value, _)| format!("{title} {value}"));
    let headline: Vec<String> = headline.collect();
    let text = escaped(&format!("{}: {}", content.title, headline.join(", ")), SLACK_TEXT);
    json!({"text": text, "blocks": blocks})
}

/// The message for a webhook of Workflows in Teams.
pub fn teams(report: &Report, alerts: &[String]) -> Value {
    let content = content(report, alerts);
    let all = content.sentences.len();
    // Without sentences it always fits.
    let fits = |message: &Value| message.to_string().len() <= TEAMS_BYTES;
    let messages = (0..=all).rev().map(|sentences| card(&content, sentences));
    messages.into_iter().find(fits).unwrap_or_else(|| card(&content, 0))
}

/// A message with so many of the sentences.
fn card(content: &Content, sentences: usize) -> Value {
    let block = |text: &str| json!({"type": "TextBlock", "text": text, "wrap": true});
    let titled = |text: &str, size: &str| json!({"type": "TextBlock", "text": text, "wrap": true, "weight": "Bolder", "size": size});
    // A run of text has no Markdown, which a text block has.
    let run = |text: &str| json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text}]});
    let subtle = |text: &str| {
        json!({"type": "RichTextBlock",
               "inlines": [{"type": "TextRun", "text": text, "isSubtle": true, "size": "Small"}]})
    };
    let bold = |text: &str| json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": "Bolder"}]});
    let mut body = vec![titled(&content.title, "Large"), subtle(&content.scope)];
    body.extend(content.warnings.iter().map(|warning| bold(warning)));
    if !content.verdict.is_empty() {
        body.push(block(&content.verdict));
    }
    let facts = content.numbers.iter().map(|(title, value, details)| {
        let gap = if details.is_empty() { "" } else { ": " };
        json!({"title": title, "value": format!("{value}{gap}{details}")})
    });
    let facts: Vec<Value> = facts.collect();
    if !facts.is_empty() {
        body.push(json!({"type": "FactSet", "facts": facts}));
    }
    body.push(subtle(&content.comparison));
    if sentences > 0 {
        body.push(titled("What stands out", "Medium"));
        body.extend(content.sentences.iter().take(sentences).map(|sentence| run(&format!("• {sentence}"))));
    }
    body.push(subtle(&content.origin));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": body,
            },
        }],
    })
}

fn content(report: &Report, alerts: &[String]) -> Content {
    let header = &report.header;
    let invented = if report.is_invented { ", invented" } else { "" };
    let scope: Vec<String> = [&header.organisation, &header.zone]
        .into_iter()
        .chain(&header.filters)
        .map(|part| isolated(&clean(part, LONGEST_SCOPE)))
        .collect();
    let alerts = alerts.iter().map(|alert| format!("Alert: {}", alert.trim_end_matches('.')));
    let alerts: Vec<String> = alerts.collect();
    let mut warnings = shortened(&alerts, MOST_ALERTS, "alerts are");
    warnings.extend(shortened(&report.notices, MOST_NOTICES, "notices are"));
    let cut = |text: &str| clean(text, LONGEST_NUMBER);
    let numbers = report.tiles.iter().map(tile).take(SLACK_FIELDS);
    let numbers = numbers
        .map(|tile| (tile.title.to_owned(), cut(&tile.value), cut(&details(&tile, report.is_compared))));
    let sentence = |sentence: &Vec<Piece>| {
        let piece = |piece: &Piece| if piece.name { isolated(&piece.text) } else { piece.text.clone() };
        cut_text(&sentence.iter().map(piece).collect::<String>(), LONGEST_SENTENCE)
    };
    let page = format!("{}.html", report.name);
    Content {
        title: clean(
            &format!("Devin: {}, {}, {}{invented}", header.period, header.dates, header.badge),
            LONGEST_NUMBER,
        ),
        scope: cut_text(&scope.join(" · "), LONGEST_SCOPE),
        warnings,
        verdict: report.verdict.clone(),
        numbers: numbers.collect(),
        comparison: report.comparison.clone(),
        sentences: report.insights.iter().take(MOST_SENTENCES).map(sentence).collect(),
        origin: clean(
            &format!(
                "{} {} {}. Sent by {}.",
                ReportLocation::not_attached(&page).sentence(),
                header.taken_label,
                header.fetched,
                report.tool
            ),
            LONGEST_SCOPE,
        ),
    }
}

/// The first of these texts, cut, and how many there are besides.
fn shortened(texts: &[String], most: usize, are: &str) -> Vec<String> {
    let more = texts.len().saturating_sub(most);
    let more = (more > 0).then(|| format!("{more} more {are} in the full report."));
    texts.iter().take(most).map(|text| clean(text, LONGEST_NOTICE)).chain(more).collect()
}

/// A text of at most so many characters, with an ellipsis where it is cut.
fn cut_text(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// A text object that Slack shows as it is.
fn plain(text: &str, most: usize) -> Value {
    json!({"type": "plain_text", "emoji": false, "text": escaped(text, most)})
}

/// A text of at most so many characters, escaped as Slack wants it in every text, with an ellipsis
/// where it is cut. No document says what a character is: UTF-16 units are the most there can be.
fn escaped(text: &str, most: usize) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        c => c.to_string(),
    };
    let length = |text: &str| text.encode_utf16().count();
    let whole: String = text.chars().map(escape).collect();
    if length(&whole) <= most {
        return whole;
    }
    let mut out = String::new();
    let mut left = most - 1;
    for piece in text.chars().map(escape) {
        let Some(rest) = left.checked_sub(length(&piece)) else { break };
        left = rest;
        out.push_str(&piece);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_entities() {
        assert_eq!(escaped("a<b>&c", 99), "a&lt;b&gt;&amp;c");
        assert_eq!(escaped("abcd", 4), "abcd");
        assert_eq!(escaped("abcde", 4), "abc…");
        // An entity is whole or missing.
        assert_eq!(escaped("ab<<", 8), "ab&lt;…");
        assert_eq!(escaped("ab<", 5), "ab…");
        // A character outside the first plane counts twice.
        assert_eq!(escaped("😀😀😀", 5), "😀😀…");
        assert_eq!(escaped("😀😀😀", 6), "😀😀😀");
        for most in 2..30 {
            let cut = escaped(&"é&😀<x>".repeat(5), most);
            assert!(cut.encode_utf16().count() <= most && cut.ends_with('…'), "{cut}");
        }
        assert_eq!((cut_text("abc", 3), cut_text("abcd", 3)), ("abc".to_owned(), "ab…".to_owned()));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let texts: Vec<String> = (0..5).map(|number| format!("n{number}")).collect();
        assert_eq!(shortened(&texts, 5, "notices are"), texts);
        assert_eq!(
            shortened(&texts, 3, "notices are")[2..],
            ["n2", "2 more notices are in the full report."]
        );
    }
}
