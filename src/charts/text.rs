//! Text on charts: cleaned, measured, and truncated to a width.
//!
//! The reader's font is unknown. Widths are those of DejaVu Sans, which is about as wide as Verdana
//! and wider than current system fonts: a label that fits by this measure fits on the page.

use unicode_segmentation::UnicodeSegmentation;

/// The longest label or tooltip, in characters.
const LONGEST: usize = 400;
const ELLIPSIS: char = '…';

/// Advance widths of U+0020 to U+007E in thousandths of the font size.
#[rustfmt::skip]
const REGULAR: [i32; 95] = [
    318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337, 637, 637, 637,
    637, 637, 637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 531, 1000, 685, 687, 699, 771, 632,
    576, 775, 752, 295, 295, 656, 558, 863, 749, 788, 604, 788, 695, 635, 611, 732, 685, 989, 686,
    611, 686, 391, 337, 391, 838, 500, 500, 613, 635, 550, 635, 616, 353, 635, 634, 278, 278, 580,
    278, 975, 634, 612, 635, 635, 412, 521, 393, 634, 592, 818, 592, 592, 525, 637, 337, 637, 838,
];
/// The same of the bold face.
#[rustfmt::skip]
const BOLD: [i32; 95] = [
    349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416, 380, 366, 696, 696, 696,
    696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 581, 1000, 774, 763, 734, 831, 684,
    684, 821, 837, 373, 373, 775, 638, 996, 837, 851, 733, 851, 771, 721, 683, 813, 774, 1104, 771,
    725, 726, 458, 366, 458, 838, 500, 500, 675, 716, 593, 716, 679, 436, 716, 712, 343, 343, 666,
    343, 1042, 712, 688, 716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583, 712, 366, 712, 838,
];

/// The text cleaned, and cut to the length of a label.
pub(super) fn clean(text: &str) -> String {
    crate::text::clean(text, LONGEST)
}

/// Appends a text as XML content or as part of an attribute's value.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// The width of a text in the unit of `size`, rounded up.
pub(super) fn width(text: &str, size: i32, bold: bool) -> i32 {
    scaled(text.chars().map(|c| i64::from(advance(c, bold))).sum(), size)
}

/// The text if it fits into `room`, else its beginning and end around an ellipsis: names of
/// repositories and people often differ at the end.
pub(super) fn truncate_middle(text: &str, room: i32, size: i32, bold: bool) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let rest = room - scaled(advance(ELLIPSIS, bold).into(), size);
    if rest < 0 {
        return String::new();
    }
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    let head = count_fitting(graphemes.iter().copied(), rest * 3 / 5, size, bold);
    let used: i32 = graphemes.iter().take(head).map(|cluster| width(cluster, size, bold)).sum();
    let tail = count_fitting(graphemes.iter().skip(head).rev().copied(), rest - used, size, bold);
    let mut out: String = graphemes.iter().take(head).copied().collect();
    out.truncate(out.trim_end().len());
    out.push(ELLIPSIS);
    let end: String = graphemes.iter().skip(graphemes.len() - tail).copied().collect();
    out.push_str(end.trim_start());
    out
}

/// How many of the graphemes fit into `room`.
fn count_fitting<'a>(graphemes: impl Iterator<Item = &'a str>, room: i32, size: i32, bold: bool) -> usize {
    let mut used = 0;
    graphemes
        .take_while(|cluster| {
            used += width(cluster, size, bold);
            used <= room
        })
        .count()
}

fn scaled(thousandths: i64, size: i32) -> i32 {
    let width = (thousandths * i64::from(size) + 999) / 1000;
    i32::try_from(width).expect("a text on a chart has at most some hundred characters")
}

/// A character's advance in thousandths of the font size: exact for ASCII, a wide estimate by class
/// for the rest.
fn advance(c: char, bold: bool) -> i32 {
    let ascii = (c as usize).checked_sub(0x20);
    if let Some(width) = ascii.and_then(|place| if bold { BOLD.get(place) } else { REGULAR.get(place) }) {
        return *width;
    }
    let regular = match c {
        c if crate::text::is_mark(c) => return 0,
        '\u{a0}' => 318,
        '\u{b7}' => 345,
        '\u{2000}'..='\u{200a}' | '\u{202f}' => 500,
        '\u{2010}'..='\u{2013}' | '\u{2018}'..='\u{201b}' => 500,
        '\u{a1}'..='\u{bf}' | '\u{2212}' | '\u{d7}' | '\u{f7}' => 940,
        'Æ' | 'Œ' | 'æ' | 'œ' | 'Ŵ' => 1080,
        '\u{1c4}'..='\u{1cc}' | '\u{1f1}'..='\u{1f3}' | '\u{1f6}' => 1430,
        '\u{c0}'..='\u{24f}' => {
            if c.is_uppercase() {
                790
            } else {
                660
            }
        }
        '\u{250}'..='\u{52f}' => {
            if c.is_uppercase() {
                900
            } else {
                740
            }
        }
        '\u{530}'..='\u{58f}' => 850,
        '\u{590}'..='\u{5ff}' => 720,
        '\u{600}'..='\u{8ff}' | '\u{fe70}'..='\u{fefc}' => 800,
        '\u{900}'..='\u{dff}' => 900,
        '\u{e00}'..='\u{eff}' => 700,
        '\u{10a0}'..='\u{10ff}' | '\u{1e00}'..='\u{1fff}' => 850,
        '\u{20a0}'..='\u{20bf}' => 1000,
        '\u{2030}'..='\u{2031}' => 1740,
        '\u{2014}'..='\u{205e}' => 1000,
        '\u{2100}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => 1450,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 1000,
        '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' => 1000,
        '\u{ff61}'..='\u{ff9f}' => 600,
        '\u{20000}'..='\u{3ffff}' => 1000,
        '\u{fdfa}'..='\u{fdfd}' => 12_000,
        '\u{12000}'..='\u{1254f}' => 4000,
        _ => 1200,
    };
    if bold { regular * 11 / 10 } else { regular }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cleaned_and_escaped() {
        assert_eq!(clean(" a\u{0}b\n\t c \u{202e}d\u{2066}e\u{200f}\u{feff} "), "a b c de");
        assert_eq!(clean("79\u{a0}%"), "79\u{a0}%", "a no-break space holds number and unit together");
        assert_eq!(clean(&"x".repeat(1_000_000)).chars().count(), LONGEST + 1);
        assert_eq!(clean(&format!("a{}b", "\u{301}".repeat(90))), "a\u{301}\u{301}\u{301}\u{301}b");
        let mut out = String::new();
        escape(&mut out, r#"<b a='1' c="2">&</b>"#);
        assert_eq!(out, "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;&lt;/b&gt;");
    }

    #[test]
    fn widths_are_measured_by_character() {
        assert_eq!(width("", 130, false), 0);
        assert_eq!(width("00", 100, false), 128);
        assert!(width("iiii", 130, false) < width("WWWW", 130, false));
        assert!(width("abc", 130, false) < width("abc", 130, true));
        assert_eq!(width("統計", 130, false), 260);
        assert_eq!(width("e\u{301}", 130, false), width("e", 130, false));
        assert!(width("علي", 130, false) >= 3 * 91);
    }

    #[test]
    fn truncated_text_fits_and_keeps_both_ends() {
        let name = "github.com/acme/".to_owned() + &"platform-".repeat(20) + "billing";
        for room in [0, 50, 130, 400, 2000, 4200] {
            let cut = truncate_middle(&name, room, 130, false);
            assert!(width(&cut, 130, false) <= room, "{cut} in {room}");
        }
        let cut = truncate_middle(&name, 2600, 130, false);
        assert!(
            cut.starts_with("github.com/acme/") && cut.contains('…') && cut.ends_with("billing"),
            "{cut}"
        );
        assert_eq!(truncate_middle("short", 2000, 130, false), "short");
    }

    #[test]
    fn truncation_never_splits_a_grapheme() {
        let family = "👩\u{200d}👩\u{200d}👧";
        let accent = "e\u{301}";
        let text = format!("{family}{accent}{family}{accent}").repeat(10);
        for room in 0..300 {
            let cut = truncate_middle(&text, room * 10, 130, false);
            let whole = cut.replace(family, "").replace(accent, "").replace('…', "");
            assert_eq!(whole, "", "{cut}");
        }
    }
}
