//! What the services document about a message, written down apart from the program.
//!
//! Slack: "Block Kit" (header, section, context), "Text object", "Formatting: escaping text".
//! Teams: "Create and send messages" (28 KB, `message` with one card), the Adaptive Card schema 1.4,
//! and "Format cards" (text blocks and facts have Markdown, runs of text do not).

use serde_json::Value;

/// Words that other people's texts have in these tests: they may be shown, and format nothing.
pub const EVIL: &str = "evil";

/// The most units of UTF-16, whichever way a service counts characters.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// What is wrong with a message to Slack.
pub fn slack(bytes: &[u8]) -> Vec<String> {
    let mut flaws = Vec::new();
    let message: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = message["text"].as_str().unwrap_or_default();
    if text.is_empty() || length(text) > 40_000 {
        flaws.push(format!("fallback text of {}", length(text)));
    }
    formatted(text, &mut flaws);
    let blocks = message["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    if !(1..=50).contains(&blocks.len()) {
        flaws.push(format!("{} blocks", blocks.len()));
    }
    for block in blocks {
        match block["type"].as_str() {
            Some("header") => {
                if block["text"]["type"] != "plain_text" {
                    flaws.push("a header that is not plain text".to_owned());
                }
                object(&block["text"], 150, &mut flaws);
            }
            Some("section") => {
                let fields = block["fields"].as_array();
                if block["text"].is_null() == fields.is_none() {
                    flaws.push("a section with neither or both of text and fields".to_owned());
                }
                if fields.is_some_and(|fields| !(1..=10).contains(&fields.len())) {
                    flaws.push("too many fields or none".to_owned());
                }
                fields.into_iter().flatten().for_each(|field| object(field, 2000, &mut flaws));
                if !block["text"].is_null() {
                    object(&block["text"], 3000, &mut flaws);
                }
            }
            Some("context") => {
                let elements = block["elements"].as_array().map_or(&[][..], Vec::as_slice);
                if !(1..=10).contains(&elements.len()) {
                    flaws.push(format!("{} elements", elements.len()));
                }
                elements.iter().for_each(|element| object(element, 3000, &mut flaws));
            }
            other => flaws.push(format!("a block {other:?}")),
        }
    }
    flaws
}

/// Checks a text object of at most so many characters.
fn object(object: &Value, most: usize, flaws: &mut Vec<String>) {
    let text = object["text"].as_str().unwrap_or_default();
    if text.trim().is_empty() || length(text) > most {
        flaws.push(format!("a text of {} instead of {most}: {text}", length(text)));
    }
    escaped(text, flaws);
    match object["type"].as_str() {
        Some("plain_text") if object["verbatim"].is_null() && object["emoji"] == false => {}
        // Without `verbatim` addresses and names of channels become links.
        Some("mrkdwn") if object["emoji"].is_null() && object["verbatim"] == true => {
            // Its one format is a heading of our own.
            let rest =
                text.split_once("*\n").filter(|_| text.starts_with('*')).map_or(text, |(_, rest)| rest);
            formatted(rest, flaws);
        }
        _ => flaws.push(format!("not a text object: {object}")),
    }
}

/// Checks that a text contains no control character of Slack but in entities.
fn escaped(text: &str, flaws: &mut Vec<String>) {
    let is_entity = |rest: &str| ["&amp;", "&lt;", "&gt;"].iter().any(|entity| rest.starts_with(entity));
    let bare =
        text.char_indices().any(|(at, c)| c == '<' || c == '>' || (c == '&' && !is_entity(&text[at..])));
    if bare || text.chars().any(|c| c.is_control() && c != '\n') {
        flaws.push(format!("not escaped: {text}"));
    }
}

/// Checks a text that the service would format: nothing in it asks for that.
fn formatted(text: &str, flaws: &mut Vec<String>) {
    if text.contains(['*', '_', '~', '`', '@', '[', ']', '<', '#', '\\']) || text.contains("://") {
        flaws.push(format!("would be formatted: {text}"));
    }
    if text.contains(EVIL) {
        flaws.push(format!("other people's words would be formatted: {text}"));
    }
}

/// What is wrong with a message to Teams.
pub fn teams(bytes: &[u8]) -> Vec<String> {
    let mut flaws = Vec::new();
    if bytes.len() > 28 * 1024 {
        flaws.push(format!("{} bytes", bytes.len()));
    }
    let message: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let attachments = message["attachments"].as_array().map_or(&[][..], Vec::as_slice);
    let [attachment] = attachments else { return vec![format!("{} attachments", attachments.len())] };
    let card = &attachment["content"];
    let fits = message["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && attachment["contentUrl"].is_null()
        && card["type"] == "AdaptiveCard"
        && card["version"] == "1.4"
        && card["msteams"]["entities"].is_null();
    if !fits {
        flaws.push("not a message with one Adaptive Card 1.4".to_owned());
    }
    let body = card["body"].as_array().map_or(&[][..], Vec::as_slice);
    if body.is_empty() {
        flaws.push("an empty card".to_owned());
    }
    let text = |value: &Value, flaws: &mut Vec<String>| match value.as_str() {
        Some(text) if !text.trim().is_empty() => formatted(text, flaws),
        _ => flaws.push(format!("no text: {value}")),
    };
    for element in body {
        match element["type"].as_str() {
            Some("TextBlock") if element["wrap"] == true => text(&element["text"], &mut flaws),
            Some("RichTextBlock") => {
                let runs = element["inlines"].as_array().map_or(&[][..], Vec::as_slice);
                let is_run = |run: &Value| {
                    run["type"] == "TextRun" && run["text"].as_str().is_some_and(|text| !text.is_empty())
                };
                if runs.is_empty() || !runs.iter().all(is_run) {
                    flaws.push(format!("not runs of text: {element}"));
                }
            }
            Some("FactSet") => {
                let facts = element["facts"].as_array().map_or(&[][..], Vec::as_slice);
                if facts.is_empty() {
                    flaws.push("no facts".to_owned());
                }
                for fact in facts {
                    text(&fact["title"], &mut flaws);
                    text(&fact["value"], &mut flaws);
                }
            }
            other => flaws.push(format!("an element {other:?}")),
        }
    }
    flaws
}
