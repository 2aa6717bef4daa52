//! The plain-text body of a mail, complete in itself.

use super::{EmailSummary, Ranking, ReportLocation};
use crate::render::text::{TileText, details};
use crate::report::Piece;

/// The width of lines, so that a reply can quote them.
const WIDTH: usize = 72;
/// Where the values of the headline numbers end.
const VALUES: usize = 30;

/// The report in plain text.
pub fn text(summary: &EmailSummary, location: &ReportLocation<'_>) -> String {
    let header = &summary.header;
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&format!("Devin report, {}", header.badge));
    wrap(&isolated(&header.organisation), "", &mut line);
    wrap(&format!("{}, {}, {}", header.period, header.dates, header.zone), "", &mut line);
    header.filters.iter().for_each(|filter| wrap(&isolated(filter), "", &mut line));
    for alert in &summary.alerts {
        line("");
        wrap(&format!("! Alert: {}", words(&alert.text)), "  ", &mut line);
    }
    if !summary.other_alerts.is_empty() {
        line("");
        wrap(&format!("! {}", summary.other_alerts), "  ", &mut line);
    }
    for notice in &summary.notices {
        line("");
        wrap(&format!("! {notice}"), "  ", &mut line);
    }
    if !summary.verdict.is_empty() {
        line("");
        wrap(&summary.verdict, "", &mut line);
    }
    line("");
    summary.tiles.iter().for_each(|tile| headline(tile, summary.compared, &mut line));
    wrap(&summary.comparison, "", &mut line);
    if !summary.insights.is_empty() {
        heading("What stands out", &mut line);
        for sentence in &summary.insights {
            wrap(&format!("- {}", words(sentence)), "  ", &mut line);
        }
    }
    if !summary.charts.is_empty() {
        heading("In numbers", &mut line);
        for chart in &summary.charts {
            wrap(&format!("- {}", chart.svg.description()), "  ", &mut line);
        }
    }
    summary.rankings.iter().for_each(|table| ranking(table, &mut line));
    line("");
    wrap(&format!("{} It has all charts and definitions.", location.sentence()), "", &mut line);
    wrap(&format!("{} {}. Sent by {}.", header.taken_label, header.fetched, summary.tool), "", &mut line);
    out
}

/// A sentence in which names keep their writing direction.
fn words(sentence: &[Piece]) -> String {
    let piece = |piece: &Piece| if piece.name { isolated(&piece.text) } else { piece.text.clone() };
    sentence.iter().map(piece).collect()
}

fn heading(text: &str, line: &mut dyn FnMut(&str)) {
    line("");
    line(text);
    line(&"-".repeat(text.chars().count()));
}

/// `ACUs                   1,234   102 more (+8 %)`
fn headline(tile: &TileText, compared: bool, line: &mut dyn FnMut(&str)) {
    let gap = VALUES.saturating_sub(length(tile.title) + length(&tile.value)).max(2);
    let number = format!("{}{}{}", tile.title, " ".repeat(gap), tile.value);
    let rest = details(tile, compared);
    let whole = format!("{number}   {rest}");
    if length(whole.trim_end()) <= WIDTH {
        line(whole.trim_end());
    } else {
        line(&number);
        wrap(&format!("    {rest}"), "    ", line);
    }
}

fn ranking(ranking: &Ranking, line: &mut dyn FnMut(&str)) {
    heading(&ranking.title, line);
    for row in &ranking.rows {
        let (name, cells) = row.cells.split_first().expect("a row begins with its name");
        let name = isolated(name);
        let numbers = cells.iter().zip(ranking.heads.iter().skip(1));
        let cells_in_words: Vec<String> = numbers
            .map(|(cell, head)| match head.as_str() {
                "Change" => cell.clone(),
                // A word, not an abbreviation such as ACUs.
                head if head.chars().nth(1).is_some_and(char::is_lowercase) => {
                    format!("{cell} {}", if cell == "1" { one(head) } else { head.to_lowercase() })
                }
                head => format!("{cell} {head}"),
            })
            .collect();
        wrap(&format!("- {name}: {}", cells_in_words.join(", ")), "  ", line);
    }
    if !ranking.more.is_empty() {
        wrap(&ranking.more, "", line);
    }
}

/// The singular of a head: `session`.
fn one(head: &str) -> String {
    let head = head.to_lowercase();
    head.strip_suffix('s').map_or(head.clone(), str::to_owned)
}

/// Isolates a right-to-left name, so that the rest of its line keeps its direction.
pub(in crate::render) fn isolated(name: &str) -> String {
    let leftward =
        |c: char| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}');
    if name.chars().any(leftward) { format!("\u{2068}{name}\u{2069}") } else { name.to_owned() }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Wraps at spaces, never between a number and its unit; a longer word gets its own line.
fn wrap(text: &str, indent: &str, line: &mut dyn FnMut(&str)) {
    let start: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut current = start;
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && length(&current) + 1 + length(word) > WIDTH {
            line(&current);
            current = indent.to_owned();
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    line(&current);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::email::{summarize, tests::demo as report};

    fn demo() -> EmailSummary {
        summarize(&report()).unwrap()
    }

    #[test]
    fn the_text_contains_everything_in_the_body() {
        let summary = demo();
        let text = text(&summary, &ReportLocation::attached("a.html"));
        assert!(text.lines().all(|line| length(line) <= WIDTH && !line.ends_with(' ')), "{text}");
        // Broken lines are one text again.
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let has = |part: &str| flat.contains(&part.split_whitespace().collect::<Vec<_>>().join(" "));
        for tile in &summary.tiles {
            assert!(has(&format!("{} {}", tile.title, tile.value)), "{}\n{text}", tile.title);
            assert!(tile.change.iter().all(|change| has(&change.text)) && has(&tile.note));
        }
        for sentence in &summary.insights {
            assert!(has(&sentence.iter().map(|piece| piece.text.as_str()).collect::<String>()));
        }
        assert!(summary.charts.iter().all(|chart| has(chart.svg.description())));
        assert!(
            summary
                .rankings
                .iter()
                .flat_map(|table| &table.rows)
                .flat_map(|row| &row.cells)
                .all(|cell| has(cell))
        );
        assert!(has("The full report is attached: a.html."));
    }

    #[test]
    fn lines_break_only_at_spaces() {
        let mut lines = Vec::new();
        wrap(&format!("- {}79\u{a0}% {}", "word ".repeat(14), "x".repeat(90)), "  ", &mut |line| {
            lines.push(line.to_owned());
        });
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[1], "  79\u{a0}%");
        assert!(lines[2].starts_with("  xxx"));
        assert_eq!(isolated("אבג"), "\u{2068}אבג\u{2069}");
        assert_eq!((one("Sessions"), isolated("abc")), ("session".to_owned(), "abc".to_owned()));
    }
}
