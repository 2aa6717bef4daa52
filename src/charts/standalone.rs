//! A chart as a standalone SVG document with literal colours on white, for use without the page's
//! style sheet.

use super::Svg;
use super::style::STYLE;
use crate::colours;

/// The chart as an SVG document in this font family, with a white margin of `margin` units.
pub fn standalone(svg: &Svg, family: &str, margin: i32) -> String {
    let style = colours::light()
        .into_iter()
        .fold(STYLE.to_owned(), |style, (name, colour)| style.replace(&format!("var(--{name})"), colour));
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
