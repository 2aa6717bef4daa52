//! Renders a chart as PNG; the only user of resvg.

use std::sync::Arc;

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use crate::charts::{self, Svg};

/// The family of the fonts below, which contain Latin letters only: see docs/development/decisions.md.
const FAMILY: &str = "Inter";
const FONTS: [&[u8]; 2] = [
    include_bytes!("../../assets/inter/Inter-Regular.ttf"),
    include_bytes!("../../assets/inter/Inter-SemiBold.ttf"),
];
/// White margin in chart units, a frame on dark backgrounds.
const MARGIN: i32 = 8;
/// The width in pixels, twice the displayed width.
pub const PIXEL_WIDTH: u32 = 880;

/// The chart on a white background. Only these fonts are used, so that all machines give the same
/// bytes.
///
/// # Errors
/// The library's error: an internal error.
pub fn render(svg: &Svg) -> Result<Vec<u8>, String> {
    let mut fonts = Database::new();
    FONTS.iter().for_each(|font| fonts.load_font_data(font.to_vec()));
    let options = Options { fontdb: Arc::new(fonts), font_family: FAMILY.to_owned(), ..Options::default() };
    let document = charts::standalone(svg, FAMILY, MARGIN);
    let tree = Tree::from_str(&document, &options).map_err(|error| error.to_string())?;
    let size = tree.size();
    let scale = PIXEL_WIDTH as f32 / size.width();
    let height = (size.height() * scale).ceil() as u32;
    let mut pixels =
        Pixmap::new(PIXEL_WIDTH, height).ok_or_else(|| format!("{PIXEL_WIDTH} by {height} pixels"))?;
    // The last pixel row can be covered in part.
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::{Bar, Caption, Tone, bars};

    fn chart(text: &str) -> Svg {
        let bar = Bar {
            name: "high".to_owned(),
            value: Some(3.0),
            text: text.to_owned(),
            note: None,
            tone: Tone::High,
            muted: false,
        };
        bars(&Caption { id: "b", title: "t", description: "d" }, &[bar], None).unwrap()
    }

    fn pixels(text: &str) -> Pixmap {
        Pixmap::decode_png(&render(&chart(text)).unwrap()).unwrap()
    }

    #[test]
    fn pngs_are_deterministic_and_opaque() {
        assert_eq!(render(&chart("3")), render(&chart("3")));
        let pixels = pixels("3");
        assert_eq!(pixels.width(), PIXEL_WIDTH);
        assert!(pixels.pixels().iter().all(|pixel| pixel.alpha() == 255));
        let corner = pixels.pixel(0, 0).unwrap();
        assert_eq!((corner.red(), corner.green(), corner.blue()), (255, 255, 255));
    }

    #[test]
    fn colours_and_letters_are_drawn() {
        let ink = |text: &str| {
            pixels(text).pixels().iter().filter(|pixel| pixel.red() < 60 && pixel.blue() > 20).count()
        };
        assert!(ink("1,234 ACUs – so far −5 %") > ink("1") + 500, "text is drawn");
        let bar =
            pixels("1").pixels().iter().filter(|pixel| (pixel.red(), pixel.green()) == (0x7a, 0x24)).count();
        assert!(bar > 5000, "{bar} pixels of the bar");
    }
}
