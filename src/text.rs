//! Makes other people's text safe to display.

use std::path::Path;

pub use devin_api::text::{clean, is_mark};

/// The longest path in a message.
const LONGEST_PATH: usize = 4096;

/// A path for a message; file names can contain terminal control characters.
pub fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy(), LONGEST_PATH)
}

/// Lines for a terminal, without control characters: quoted text keeps its lines and cannot move
/// the cursor.
pub fn harmless(lines: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => Some(c),
        c if c.is_control() => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        c => Some(c),
    };
    lines.chars().filter_map(shown).collect()
}

/// Values with their similarity to a text, from 0 to 1 and ignoring case; the most similar first,
/// then alphabetically.
pub fn rank_by_similarity<'v>(text: &str, values: impl Iterator<Item = &'v str>) -> Vec<(f64, &'v str)> {
    let text = text.to_lowercase();
    let likeness = |value: &'v str| (strsim::jaro_winkler(&value.to_lowercase(), &text), value);
    let mut ranked: Vec<_> = values.map(likeness).collect();
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    ranked
}

/// The Damerau-Levenshtein distance of two texts.
pub fn edit_distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

/// The value that a misspelt text probably means; `None` if none is similar.
pub fn closest_match<'v>(text: &str, values: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    let ranked = rank_by_similarity(text, values);
    ranked.first().filter(|(likeness, _)| *likeness > 0.8).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_removed() {
        assert_eq!(clean(" a\u{0}b\n\t c \u{202e}d\u{2066}e\u{200f}\u{feff} ", 99), "a b c de");
        assert_eq!(clean("79\u{a0}%", 99), "79\u{a0}%");
        assert_eq!(clean(&"x".repeat(1_000_000), 5), "xxxxx…");
        assert_eq!(clean("exact", 5), "exact");
        assert_eq!(shown(Path::new("a\u{1b}[2J\n.json")), "a [2J .json");
        assert_eq!(harmless("a\u{1b}[2J\u{202e}b\n  c\r"), "a [2Jb\n  c ");
        assert_eq!(clean(&format!("a{}b", "\u{301}".repeat(90)), 99), "a\u{301}\u{301}\u{301}\u{301}b");
    }
}
