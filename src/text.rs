//! Other people's text, made harmless for display.

/// The text on one line: control characters become spaces, invisible and
/// bidirectional controls vanish, runs of spaces shrink to one, and what
/// exceeds `longest` characters is cut with an ellipsis.
pub fn clean(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    let mut length = 0;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_disturb_a_line_is_taken_out() {
        assert_eq!(clean(" a\u{0}b\n\t c \u{202e}d\u{2066}e\u{200f}\u{feff} ", 99), "a b c de");
        assert_eq!(clean("79\u{a0}%", 99), "79\u{a0}%");
        assert_eq!(clean(&"x".repeat(1_000_000), 5), "xxxxx…");
        assert_eq!(clean("exact", 5), "exact");
    }
}
