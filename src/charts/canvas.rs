//! What all charts share: frame, text styles, marks with tooltips, the scale of horizontal bars,
//! and the empty chart.

use plotters::coord::Shift;
use plotters::coord::types::{RangedCoordf64, RangedCoordi32};
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendCoord, DrawingErrorKind};

use super::backend::{ASCENT, AXIS, Backend, BackendError, DESCENT, LABEL};
use super::palette::Paint;
use super::{Caption, ChartError, Svg, text};

/// Charts are laid out in tenths of a unit, because plotters uses integer coordinates.
pub(super) const UNIT: i32 = 10;
/// All charts are 360 units wide: life size on a phone.
pub(super) const WIDTH: i32 = 360 * UNIT;
/// The longest text alternative, in characters.
const MAX_DESCRIPTION: usize = 4000;
/// Room above the first line, since a font's box is taller than its letters.
const HEADROOM: i32 = 4;
/// The text of an empty chart.
const NO_DATA: &str = "No data for this period";

pub(super) type Area<'a> = DrawingArea<Backend<'a>, Shift>;
/// Values across, tenths of a unit down.
pub(super) type Ruler<'a> = DrawingArea<Backend<'a>, Cartesian2d<RangedCoordf64, RangedCoordi32>>;
pub(super) type DrawError = DrawingAreaErrorKind<BackendError>;
pub(super) type DrawResult = Result<(), DrawError>;

/// A chart of this height in tenths, with title and description for screen readers.
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub(super) fn chart(
    caption: &Caption<'_>,
    height: i32,
    paint: impl FnOnce(&Area<'_>) -> DrawResult,
) -> Result<Svg, ChartError> {
    let usable = caption.id.starts_with(|c: char| c.is_ascii_alphabetic())
        && caption.id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !usable {
        return Err(ChartError::Id(text::clean(caption.id)));
    }
    let (id, height) = (caption.id, height.max(UNIT) / UNIT);
    let mut out = format!(
        "<svg class=\"ch\" role=\"img\" viewBox=\"0 -{HEADROOM} {} {}\" aria-labelledby=\"{id}-t\" \
         aria-describedby=\"{id}-d\"><title id=\"{id}-t\">",
        WIDTH / UNIT,
        height + HEADROOM,
    );
    text::escape(&mut out, &text::clean(caption.title));
    out.push_str(&format!("</title><desc id=\"{id}-d\">"));
    let description = crate::text::clean(caption.description, MAX_DESCRIPTION);
    text::escape(&mut out, &description);
    out.push_str("</desc>\n");
    draw_into(&mut out, (WIDTH, height * UNIT), paint)
        .map_err(|cause| ChartError::Draw { id: id.to_owned(), cause: cause.to_string() })?;
    out.push_str("</svg>\n");
    Ok(Svg { markup: out, description, size: (WIDTH / UNIT, height + HEADROOM) })
}

/// Draws into a string.
pub(super) fn draw_into(
    out: &mut String,
    (width, height): (i32, i32),
    paint: impl FnOnce(&Area<'_>) -> DrawResult,
) -> DrawResult {
    let unsigned = |length: i32| u32::try_from(length).expect("lengths are positive");
    let size = (unsigned(width), unsigned(height));
    paint(&Backend::new(out, size).into_drawing_area())
}

/// A chart without data.
pub(super) fn empty_chart(caption: &Caption<'_>) -> Result<Svg, ChartError> {
    let height = 72 * UNIT;
    chart(caption, height, |area| {
        let border = [(UNIT, UNIT), (WIDTH - UNIT, height - UNIT)];
        area.draw(&Rectangle::new(border, Paint::Blank.style()))?;
        let top = (height - SMALL.height()) / 2;
        SMALL.muted().centre().draw(area, NO_DATA, (WIDTH / 2, top))
    })
}

/// Width and height of an area, in tenths.
pub(super) fn size(area: &Area<'_>) -> (i32, i32) {
    let (width, height) = area.dim_in_pixel();
    let signed = |length: u32| i32::try_from(length).expect("areas are parts of a chart, whose size is i32");
    (signed(width), signed(height))
}

/// The height of `count` rows, in tenths.
pub(super) fn rows(count: usize, row: i32) -> i32 {
    let height = i32::try_from(count).ok().and_then(|count| count.checked_mul(row));
    height.expect("no page has a million rows in a chart")
}

/// A scale over the whole area: `0..max` across, tenths of a unit down.
pub(super) fn ruler<'a>(area: &Area<'a>, max: f64) -> Ruler<'a> {
    let (width, height) = size(area);
    let max = if max > 0.0 { max } else { 1.0 };
    area.apply_coord_spec(Cartesian2d::<RangedCoordf64, RangedCoordi32>::new(
        0.0..max,
        0..height,
        (0..width, 0..height),
    ))
}

/// A length of at least `least` tenths on a scale where `max` is the full width, so that values
/// above zero are visible. Zero stays zero.
pub(super) fn visible_length(value: f64, max: f64, least: i32) -> f64 {
    if value > 0.0 { value.max(max * f64::from(least) / f64::from(WIDTH)) } else { 0.0 }
}

/// A text style.
#[derive(Clone, Copy)]
pub(super) struct TextSpec {
    paint: Paint,
    size: i32,
    bold: bool,
    align: HPos,
}

/// Names and their values.
pub(super) const NORMAL: TextSpec =
    TextSpec { paint: Paint::Ink, size: LABEL, bold: false, align: HPos::Left };
/// Axes, notes and numbers on marks.
pub(super) const SMALL: TextSpec = TextSpec { paint: Paint::Ink, size: AXIS, bold: false, align: HPos::Left };

impl TextSpec {
    pub(super) const fn muted(self) -> Self {
        Self { paint: Paint::Muted, ..self }
    }

    pub(super) const fn painted(self, paint: Paint) -> Self {
        Self { paint, ..self }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn centre(self) -> Self {
        Self { align: HPos::Center, ..self }
    }

    pub(super) const fn right(self) -> Self {
        Self { align: HPos::Right, ..self }
    }

    /// The height of a line, ascenders and descenders included.
    pub(super) const fn height(self) -> i32 {
        self.size * (ASCENT + DESCENT) / 1000
    }

    pub(super) fn width(self, content: &str) -> i32 {
        text::width(&text::clean(content), self.size, self.bold)
    }

    /// Draws the text with its top at `y`; `x` is where it is aligned.
    pub(super) fn draw(self, area: &Area<'_>, content: &str, at: (i32, i32)) -> DrawResult {
        area.draw(&Text::new(content, at, self.style()))
    }

    /// Draws the text truncated to `room`, with the full text as tooltip.
    pub(super) fn draw_cut(self, area: &Area<'_>, content: &str, at: (i32, i32), room: i32) -> DrawResult {
        let content = text::clean(content);
        let cut = text::truncate_middle(&content, room, self.size, self.bold);
        let tooltip = if cut == content { String::new() } else { content };
        area.draw(&WithTooltip::new(Text::new(cut, at, self.style()), tooltip))
    }

    fn style(self) -> TextStyle<'static> {
        let weight = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        TextStyle {
            font: FontDesc::new(FontFamily::SansSerif, f64::from(self.size), weight),
            color: self.paint.sentinel().to_backend_color(),
            pos: Pos::new(self.align, VPos::Top),
        }
    }
}

/// An element with a tooltip, unless it is empty.
///
/// It holds a `DynElement`, because a wrapper that is generic over its element sends the compiler
/// into infinite recursion.
pub(super) struct WithTooltip<'e, 'b, C: Clone> {
    element: DynElement<'e, Backend<'b>, C>,
    tooltip: String,
}

impl<'e, 'b, C: Clone> WithTooltip<'e, 'b, C> {
    pub(super) fn new(element: impl IntoDynElement<'e, Backend<'b>, C>, tooltip: impl Into<String>) -> Self {
        Self { element: element.into_dyn(), tooltip: tooltip.into() }
    }
}

impl<'a, 'e: 'a, 'b: 'a, C: Clone> PointCollection<'a, C> for &'a WithTooltip<'e, 'b, C> {
    type Point = &'a C;
    type IntoIter = &'a Vec<C>;

    fn point_iter(self) -> Self::IntoIter {
        self.element.point_iter()
    }
}

impl<'b, C: Clone> Drawable<Backend<'b>> for WithTooltip<'_, 'b, C> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        points: I,
        backend: &mut Backend<'b>,
        parent: (u32, u32),
    ) -> Result<(), DrawingErrorKind<BackendError>> {
        backend.tooltip(&self.tooltip);
        self.element.draw(points, backend, parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_ids_are_rejected() {
        for id in ["", "7days", "a b", "a\"b", "-a", "ü"] {
            let caption = Caption { id, title: "t", description: "d" };
            assert!(matches!(empty_chart(&caption), Err(ChartError::Id(_))), "{id:?}");
        }
    }

    #[test]
    fn charts_have_a_title_and_a_description() {
        let caption = Caption { id: "spend-1", title: "A & B", description: "One <line>\nand \u{202e}two" };
        let svg = empty_chart(&caption).unwrap();
        let text = svg.as_str();
        assert!(text.contains("role=\"img\"") && text.contains("aria-labelledby=\"spend-1-t\""), "{text}");
        assert!(text.contains("<title id=\"spend-1-t\">A &amp; B</title>"), "{text}");
        assert!(text.contains("<desc id=\"spend-1-d\">One &lt;line&gt; and two</desc>"), "{text}");
        assert!(text.contains(NO_DATA), "{text}");
        let description = "word ".repeat(300);
        let svg = empty_chart(&Caption { description: &description, ..caption }).unwrap();
        assert!(svg.as_str().contains(description.trim_end()), "a long alternative is not cut like a label");
    }
}
