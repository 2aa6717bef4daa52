//! Other people's text, made harmless for display.

use std::path::Path;

/// More marks on one character than any language writes would climb out of the chart.
const MOST_MARKS: usize = 4;

/// The text on one line: control characters become spaces, invisible and
/// bidirectional controls vanish, runs of spaces shrink to one, heaps of
/// combining marks are thinned, and what exceeds `longest` characters is cut
/// with an ellipsis.
pub fn clean(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    let (mut length, mut marks) = (0, 0);
    for c in text.chars() {
        let c = match c {
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' => continue,
            '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => continue,
            '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => continue,
            c => c,
        };
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MOST_MARKS {
            continue;
        }
        if length == longest {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('…');
            return out;
        }
        out.push(c);
        length += 1;
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

/// The longest path that a message shows.
const LONGEST_PATH: usize = 4096;

/// A path as messages show it: a name can hold what steers a terminal.
pub fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy(), LONGEST_PATH)
}

/// Lines for a terminal, without what steers it: whatever a message quotes, it
/// keeps its lines and cannot move the cursor.
pub fn harmless(lines: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => Some(c),
        c if c.is_control() => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        c => Some(c),
    };
    lines.chars().filter_map(shown).collect()
}

/// Whether a character is drawn onto the one before it.
pub fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'
        | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{93c}' | '\u{94d}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200c}'..='\u{200d}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{e0100}'..='\u{e01ef}')
}

/// Values with their likeness to a text, from 0 to 1 and whatever the case; the most
/// similar first, equally similar ones in alphabetical order.
pub fn by_likeness<'v>(text: &str, values: impl Iterator<Item = &'v str>) -> Vec<(f64, &'v str)> {
    let text = text.to_lowercase();
    let likeness = |value: &'v str| (strsim::jaro_winkler(&value.to_lowercase(), &text), value);
    let mut ranked: Vec<_> = values.map(likeness).collect();
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    ranked
}

/// How many slips of the hand lie between two texts: letters too many, missing,
/// wrong or in each other's place.
pub fn slips(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

/// The value that was probably meant by a misspelt text; none where nothing is close.
pub fn probably<'v>(text: &str, values: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    let ranked = by_likeness(text, values);
    ranked.first().filter(|(likeness, _)| *likeness > 0.8).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_disturb_a_line_is_taken_out() {
        assert_eq!(clean(" a\u{0}b\n\t c \u{202e}d\u{2066}e\u{200f}\u{feff} ", 99), "a b c de");
        assert_eq!(clean("79\u{a0}%", 99), "79\u{a0}%");
        assert_eq!(clean(&"x".repeat(1_000_000), 5), "xxxxx…");
        assert_eq!(clean("exact", 5), "exact");
        assert_eq!(shown(Path::new("a\u{1b}[2J\n.json")), "a [2J .json");
        assert_eq!(harmless("a\u{1b}[2J\u{202e}b\n  c\r"), "a [2Jb\n  c ");
        assert_eq!(clean(&format!("a{}b", "\u{301}".repeat(90)), 99), "a\u{301}\u{301}\u{301}\u{301}b");
    }
}
