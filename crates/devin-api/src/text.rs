//! Text of servers, made harmless for messages.

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
