//! The fonts of a PDF: our own, and for other letters those of the system.

use std::collections::BTreeSet;

use fontdb::{Database, FaceInfo, Source, Stretch, Style};
use serde_json::Value;
use typst::foundations::Bytes;
use typst::text::{Font, FontInfo};

/// Latin letters; docs/development/decisions.md says which.
const OWN: [&[u8]; 2] = [
    include_bytes!("../../../assets/inter/Inter-Regular.ttf"),
    include_bytes!("../../../assets/inter/Inter-SemiBold.ttf"),
];

/// Shown for a letter that no font has: a square, which our fonts have. They lack U+FFFD, and an undefined glyph
/// is against PDF/UA.
const NO_LETTER: char = '\u{25a1}';

/// The fonts that the texts of a view need. The fonts of the system are read only if ours lack a letter, so
/// that other reports are the same on every machine; a letter that no font has is replaced in the view.
pub fn fonts(view: &mut Value) -> Vec<Font> {
    let own = OWN.iter().filter_map(|data| Font::new(Bytes::new(*data), 0));
    let mut fonts: Vec<Font> = own.collect();
    let mut letters = BTreeSet::new();
    each_text(view, &mut |text| letters.extend(text.chars().filter(|c| !is_invisible(*c))));
    let has = |info: &FontInfo, c: char| info.coverage.contains(u32::from(c));
    letters.retain(|c| !fonts.iter().any(|font| has(font.info(), *c)));
    if letters.is_empty() {
        return fonts;
    }
    fonts.extend(of_system(&mut letters));
    if !letters.is_empty() {
        each_text(view, &mut |text| {
            if text.contains(|c| letters.contains(&c)) {
                *text = text.chars().map(|c| if letters.contains(&c) { NO_LETTER } else { c }).collect();
            }
        });
    }
    fonts
}

/// Gives each text of a value to `f`.
fn each_text(value: &mut Value, f: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => f(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, f)),
        Value::Object(fields) => fields.values_mut().for_each(|field| each_text(field, f)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a character needs no glyph.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

/// The fewest fonts of the system that have these letters: again and again the one with most of those
/// that are left. What remains in the set is in none.
fn of_system(letters: &mut BTreeSet<char>) -> Vec<Font> {
    let mut database = Database::new();
    database.load_system_fonts();
    let mut faces: Vec<(&FaceInfo, BTreeSet<char>)> = database
        .faces()
        .filter(|face| face.style == Style::Normal && !face.post_script_name.contains("LastResort"))
        .filter_map(|face| {
            let info = database.with_face_data(face.id, FontInfo::new)??;
            let own: BTreeSet<char> =
                letters.iter().copied().filter(|c| info.coverage.contains(u32::from(*c))).collect();
            (!own.is_empty()).then_some((face, own))
        })
        .collect();
    // Regular faces without serifs first, as ours are; then by name, so that the order of folders does not matter.
    let rank = |face: &FaceInfo| {
        let name = face.post_script_name.clone();
        let is_plain = face.stretch == Stretch::Normal && !name.contains("Serif") && !name.contains("Mono");
        (face.weight.0.abs_diff(400), !is_plain, name, face.index)
    };
    faces.sort_by_cached_key(|(face, _)| rank(face));
    let mut fonts = Vec::new();
    while let Some((at, _)) =
        faces.iter().enumerate().rev().max_by_key(|(_, (_, own))| own.intersection(letters).count())
    {
        let (face, own) = faces.remove(at);
        let before = letters.len();
        if own.is_disjoint(letters) {
            break;
        }
        let Some(font) = read(&database, face) else { continue };
        letters.retain(|c| !own.contains(c));
        debug_assert!(letters.len() < before, "each font has another letter");
        fonts.push(font);
    }
    fonts
}

/// A font of the system; `None` if it cannot be read.
fn read(database: &Database, face: &FaceInfo) -> Option<Font> {
    if !matches!(face.source, Source::File(_) | Source::SharedFile(..)) {
        return None;
    }
    let data = database.with_face_data(face.id, |data, index| (data.to_vec(), index))?;
    Font::new(Bytes::new(data.0), data.1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_letter_that_no_font_has_becomes_one_that_each_of_our_fonts_has() {
        let mut view = json!({"name": "a\u{10ffff}b", "list": ["plain"]});
        let fonts = fonts(&mut view);
        assert_eq!(view, json!({"name": "a□b", "list": ["plain"]}));
        for font in fonts.iter().take(OWN.len()) {
            assert!(font.info().family == "Inter" && font.info().coverage.contains(u32::from(NO_LETTER)));
        }
    }
}
