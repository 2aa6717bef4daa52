//! A chart as a standalone SVG document with literal colours on white, for use without the page's
//! style sheet.

use super::Svg;
use super::style::{STYLE, TOKENS};

/// The colours of the page's light theme, by custom property.
pub const LIGHT_COLOURS: [(&str, &str); TOKENS.len()] = [
    ("--ink", "#1c1f24"),
    ("--muted", "#5d636d"),
    ("--paper", "#ffffff"),
    ("--grid", "#e4e2dc"),
    ("--track", "#eceae4"),
    ("--accent", "#1f5f8b"),
    ("--rest", "#8a9099"),
    ("--high", "#7a2413"),
    ("--medium", "#d07a2c"),
    ("--low", "#f3d3a0"),
    ("--other", "#e9e7e1"),
    ("--merged", "#1f5f8b"),
    ("--open", "#6f9fc0"),
    ("--closed", "#d5d9de"),
    ("--draft", "#eceef0"),
    ("--unknown", "#f6f6f4"),
    ("--on-accent", "#ffffff"),
    ("--on-rest", "#14171b"),
    ("--on-high", "#ffffff"),
    ("--on-medium", "#1c1206"),
    ("--on-merged", "#ffffff"),
    ("--on-open", "#10202c"),
];

/// The chart as an SVG document in this font family, with a white margin of `margin` units.
pub fn standalone(svg: &Svg, family: &str, margin: i32) -> String {
    let style = LIGHT_COLOURS
        .iter()
        .fold(STYLE.to_owned(), |style, (token, colour)| style.replace(&format!("var({token})"), colour));
    let element = svg.as_str().strip_prefix("<svg").expect("a chart is an svg element");
    let (width, height) = svg.size;
    let (across, down) = (width + 2 * margin, height + 2 * margin);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{across}\" height=\"{down}\" \
         viewBox=\"0 0 {across} {down}\" font-family=\"{family}\"><style>{style}</style>\
         <rect width=\"{across}\" height=\"{down}\" fill=\"#ffffff\"/>\
         <svg x=\"{margin}\" y=\"{margin}\" width=\"{width}\" height=\"{height}\"{element}</svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::{Caption, bars};

    #[test]
    fn light_colours_match_the_page() {
        let sheet = include_str!("../../templates/style.css");
        let light = sheet.split('}').next().unwrap();
        for (token, colour) in LIGHT_COLOURS {
            assert!(light.contains(&format!("{token}: {colour};")), "{token}: {colour}");
            assert!(TOKENS.contains(&token), "{token}");
        }
    }

    #[test]
    fn a_standalone_document_uses_no_custom_properties() {
        let svg = bars(&Caption { id: "b", title: "t", description: "a & b" }, &[], None).unwrap();
        let standalone = standalone(&svg, "Inter", 10);
        assert!(
            standalone.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"380\" height=\"96\"")
        );
        assert!(!standalone.contains("var("), "{standalone}");
        assert_eq!((standalone.matches("<svg").count(), standalone.matches("</svg>").count()), (2, 2));
        assert_eq!(svg.description(), "a & b");
    }
}
