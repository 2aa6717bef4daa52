//! The backend that plotters draws through: classes instead of colours,
//! measured text, a tooltip on each mark, coordinates in tenths of a unit.

use std::fmt::Write as _;

use plotters::style::FontStyle;
use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::palette::Paint;
use super::text;

/// How far a line of text reaches above and below its baseline, in
/// thousandths of its size.
pub(super) const ASCENT: i32 = 930;
pub(super) const DESCENT: i32 = 240;

/// What the backend cannot draw.
#[derive(Debug, thiserror::Error)]
pub(super) enum BackendError {
    #[error("a colour that the palette does not name: {0:?}")]
    Colour((u8, u8, u8)),
    #[error("single pixels")]
    Pixel,
}

type DrawResult = Result<(), DrawingErrorKind<BackendError>>;

/// Writes marks into `out` as they come.
pub(super) struct Backend<'a> {
    out: &'a mut String,
    size: (u32, u32),
    tooltip: Option<String>,
}

impl<'a> Backend<'a> {
    pub(super) fn new(out: &'a mut String, size: (u32, u32)) -> Self {
        Self { out, size, tooltip: None }
    }

    /// Gives the next mark a tooltip.
    pub(super) fn tooltip(&mut self, tooltip: &str) {
        self.tooltip = Some(text::clean(tooltip)).filter(|tooltip| !tooltip.is_empty());
    }

    fn open(&mut self, tag: &str, class: &str) {
        self.out.push('<');
        self.out.push_str(tag);
        if !class.is_empty() {
            self.out.push_str(" class=\"");
            self.out.push_str(class);
            self.out.push('"');
        }
    }

    fn attribute(&mut self, name: &str, value: i32) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        tenths(self.out, value);
        self.out.push('"');
    }

    fn close(&mut self, tag: &str) {
        match self.tooltip.take() {
            None => self.out.push_str("/>"),
            Some(tooltip) => {
                self.out.push_str("><title>");
                text::escape(self.out, &tooltip);
                self.out.push_str("</title></");
                self.out.push_str(tag);
                self.out.push('>');
            }
        }
        self.out.push('\n');
    }

    fn path(&mut self, points: impl IntoIterator<Item = BackendCoord>, paint: Paint, closed: bool) {
        self.open("path", &paint.class());
        self.out.push_str(" d=\"");
        for (index, (x, y)) in points.into_iter().enumerate() {
            self.out.push(if index == 0 { 'M' } else { ' ' });
            tenths(self.out, x);
            self.out.push(' ');
            tenths(self.out, y);
        }
        self.out.push_str(if closed { "Z\"" } else { "\"" });
        self.close("path");
    }
}

impl DrawingBackend for Backend<'_> {
    type ErrorType = BackendError;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> DrawResult {
        Ok(())
    }

    fn present(&mut self) -> DrawResult {
        Ok(())
    }

    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> DrawResult {
        Err(DrawingErrorKind::DrawingError(BackendError::Pixel))
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> DrawResult {
        if let Some(paint) = paint_of(style.color())? {
            self.path([from, to], paint, false);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> DrawResult {
        if let Some(paint) = paint_of(style.color())? {
            self.path(path, paint, false);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> DrawResult {
        if let Some(paint) = paint_of(style.color())? {
            self.path(corners, paint, true);
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        one: BackendCoord,
        other: BackendCoord,
        style: &S,
        _fill: bool,
    ) -> DrawResult {
        if let Some(paint) = paint_of(style.color())? {
            self.open("rect", &paint.class());
            self.attribute("x", one.0.min(other.0));
            self.attribute("y", one.1.min(other.1));
            self.attribute("width", (one.0 - other.0).abs());
            self.attribute("height", (one.1 - other.1).abs());
            self.close("rect");
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> DrawResult {
        if let Some(paint) = paint_of(style.color())? {
            self.open("circle", &paint.class());
            self.attribute("cx", centre.0);
            self.attribute("cy", centre.1);
            self.attribute("r", i32::try_from(radius).expect("circles are dots"));
            self.close("circle");
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        content: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<BackendError>> {
        let size = points(style);
        let width = text::width(&text::clean(content), size, matches!(style.style(), FontStyle::Bold));
        let height = size * (ASCENT + DESCENT) / 1000;
        let unsigned = |length: i32| u32::try_from(length).expect("lengths are positive");
        Ok((unsigned(width), unsigned(height)))
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        content: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> DrawResult {
        let Some(paint) = paint_of(style.color())? else { return Ok(()) };
        let content = text::clean(content);
        if content.is_empty() {
            return Ok(());
        }
        let size = points(style);
        let baseline = match style.anchor().v_pos {
            VPos::Top => y + size * ASCENT / 1000,
            VPos::Center => y + size * (ASCENT - DESCENT) / 2000,
            VPos::Bottom => y - size * DESCENT / 1000,
        };
        let mut classes = paint.class();
        let mut add = |class: &str| {
            if !classes.is_empty() {
                classes.push(' ');
            }
            classes.push_str(class);
        };
        if size < LABEL {
            add("s");
        }
        if matches!(style.style(), FontStyle::Bold) {
            add("b");
        }
        match style.anchor().h_pos {
            HPos::Left => {}
            HPos::Center => add("c"),
            HPos::Right => add("e"),
        }
        self.open("text", &classes);
        self.attribute("x", x);
        self.attribute("y", baseline);
        self.out.push('>');
        text::escape(self.out, &content);
        if let Some(tooltip) = self.tooltip.take() {
            self.out.push_str("<title>");
            text::escape(self.out, &tooltip);
            self.out.push_str("</title>");
        }
        self.out.push_str("</text>\n");
        Ok(())
    }
}

/// The size of a label, in tenths; anything smaller is an axis' text. The
/// style sheet knows these two sizes and no other.
pub(super) const LABEL: i32 = 130;
/// The size of an axis' text, in tenths.
pub(super) const AXIS: i32 = 110;

fn points<S: BackendTextStyle>(style: &S) -> i32 {
    if style.size() < f64::from(LABEL) { AXIS } else { LABEL }
}

/// The paint behind a sentinel, none for what plotters draws transparent.
fn paint_of(colour: BackendColor) -> Result<Option<Paint>, DrawingErrorKind<BackendError>> {
    if colour.alpha == 0.0 {
        return Ok(None);
    }
    match Paint::of(colour.rgb) {
        Some(paint) => Ok(Some(paint)),
        None => Err(DrawingErrorKind::DrawingError(BackendError::Colour(colour.rgb))),
    }
}

/// Tenths of a unit as a decimal without a trailing zero.
fn tenths(out: &mut String, value: i32) {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, part) = (value.abs() / 10, value.abs() % 10);
    // Writing into a string cannot fail.
    let _ = match part {
        0 => write!(out, "{sign}{whole}"),
        part => write!(out, "{sign}{whole}.{part}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::prelude::*;

    #[test]
    fn colours_outside_the_palette_are_rejected() {
        let mut out = String::new();
        let area = Backend::new(&mut out, (100, 100)).into_drawing_area();
        let drawn = area.draw(&Rectangle::new([(0, 0), (10, 10)], RGBColor(9, 9, 9).filled()));
        assert!(drawn.is_err_and(|error| error.to_string().contains("(9, 9, 9)")));
        assert!(area.draw_pixel((1, 1), &Paint::Ink.sentinel()).is_err());
    }

    #[test]
    fn tenths_are_formatted_without_trailing_zeros() {
        let mut out = String::new();
        for value in [0, 10, 15, -5, 4200] {
            tenths(&mut out, value);
            out.push(' ');
        }
        assert_eq!(out, "0 1 1.5 -0.5 420 ");
    }

    #[test]
    fn text_and_tooltips_are_escaped_and_cleaned() {
        let mut out = String::new();
        let mut backend = Backend::new(&mut out, (100, 100));
        backend.tooltip("\u{202e}</title><script>");
        let ink = Paint::Ink.sentinel();
        let style = TextStyle::from((FontFamily::SansSerif, 130)).color(&ink);
        backend.draw_text("<b>\u{0}&", &style, (0, 0)).unwrap();
        assert_eq!(
            out,
            "<text x=\"0\" y=\"12\">&lt;b&gt; &amp;<title>&lt;/title&gt;&lt;script&gt;</title></text>\n"
        );
    }
}
