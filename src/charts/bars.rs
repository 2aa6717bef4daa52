//! Horizontal bars for names: a line of text above each thin bar, so that long names have the full
//! width.

use plotters::prelude::*;

use super::canvas::{self, NORMAL, SMALL, UNIT, WIDTH, WithTooltip};
use super::palette::{Paint, Tone};
use super::{Caption, ChartError, Svg, length, longest};

const ROW: i32 = 37 * UNIT;
/// From the top of a name down to its bar.
const UNDER: i32 = 18 * UNIT;
const BAR: i32 = 8 * UNIT;
const GAP: i32 = 8 * UNIT;
/// The shortest visible bar.
const MIN_LENGTH: i32 = 15;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The name; truncated in the middle if too long.
    pub name: String,
    /// Its length; `None` draws no bar.
    pub value: Option<f64>,
    /// The formatted value.
    pub text: String,
    /// A muted note beside the value, such as its basis.
    pub note: Option<String>,
    /// Its colour.
    pub tone: Tone,
    /// Whether too few cases support it.
    pub muted: bool,
}

/// A chart with one bar a name, from zero to `max`, or to the longest bar.
///
/// With a `max`, each bar is drawn on a track of full length, which suits shares; without, a line
/// marks zero. An empty list draws "No data".
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub fn bars(caption: &Caption<'_>, bars: &[Bar], max: Option<f64>) -> Result<Svg, ChartError> {
    if bars.is_empty() {
        return canvas::empty_chart(caption);
    }
    let whole = max.and_then(length);
    let top = longest(bars.iter().filter_map(|bar| bar.value).chain(whole));
    let notes = bars.iter().filter_map(|bar| bar.note.as_deref());
    let notes = notes.map(|note| SMALL.width(note)).max().unwrap_or(0).min(WIDTH / 4);
    let height = canvas::rows(bars.len(), ROW) - GAP;
    canvas::chart(caption, height, |area| {
        let ruler = canvas::ruler(area, top);
        let mut y = 0;
        for bar in bars {
            let right = if notes > 0 { WIDTH - notes - GAP } else { WIDTH };
            if let Some(note) = &bar.note {
                let below = NORMAL.height() - SMALL.height();
                SMALL.muted().right().draw_cut(area, note, (WIDTH, y + below - UNIT / 2), notes)?;
            }
            let value = if bar.muted { NORMAL.muted() } else { NORMAL.bold() };
            let value_width = value.width(&bar.text).min(WIDTH / 3);
            value.right().draw_cut(area, &bar.text, (right, y), value_width)?;
            NORMAL.draw_cut(area, &bar.name, (0, y), right - value_width - GAP)?;
            let (from, to) = (y + UNDER, y + UNDER + BAR);
            if whole.is_some() {
                ruler.draw(&Rectangle::new([(0.0, from), (top, to)], Paint::Track.style()))?;
            }
            if let Some(value) = bar.value.and_then(length).filter(|value| *value > 0.0) {
                let paint = if bar.muted { Paint::Faint(bar.tone) } else { Paint::Tone(bar.tone) };
                let shape = Rectangle::new(
                    [(0.0, from), (canvas::visible_length(value, top, MIN_LENGTH), to)],
                    paint.style(),
                );
                ruler.draw(&WithTooltip::new(shape, format!("{}: {}", bar.name, bar.text)))?;
            }
            if whole.is_none() {
                ruler.draw(&PathElement::new(vec![(0.0, from), (0.0, to)], Paint::Axis.style()))?;
            }
            y += ROW;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::tests::markup;

    const FRAME: Caption<'_> = Caption { id: "b", title: "t", description: "d" };

    fn bar(name: &str, value: Option<f64>) -> Bar {
        let text = value.map_or("–".to_owned(), |v| v.to_string());
        Bar { name: name.to_owned(), value, text, note: None, tone: Tone::Accent, muted: false }
    }

    fn widths(svg: &Svg, class: &str) -> Vec<f64> {
        let marks = markup::elements(svg.as_str());
        let rects = marks.iter().filter(|e| e.tag == "rect" && e.classes().any(|c| c == class));
        rects.map(|e| e.number("width")).collect()
    }

    #[test]
    fn bar_lengths_are_proportional() {
        let svg =
            bars(&FRAME, &[bar("a", Some(10.0)), bar("b", Some(5.0)), bar("c", Some(0.0))], None).unwrap();
        assert_eq!(widths(&svg, "a"), [360.0, 180.0]);
        let svg = bars(&FRAME, &[bar("a", Some(0.25))], Some(1.0)).unwrap();
        assert_eq!((widths(&svg, "a"), widths(&svg, "t")), (vec![90.0], vec![360.0]));
    }

    #[test]
    fn tiny_values_are_visible_and_null_has_no_bar() {
        let svg = bars(&FRAME, &[bar("giant", Some(1e9)), bar("tiny", Some(1.0)), bar("none", None)], None);
        assert_eq!(widths(&svg.unwrap(), "a"), [360.0, 1.5]);
        let svg = bars(&FRAME, &[bar("x", Some(f64::NAN)), bar("y", Some(-3.0))], None).unwrap();
        assert_eq!(widths(&svg, "a"), [0.0; 0]);
    }

    #[test]
    fn truncated_names_have_a_tooltip() {
        let name = "platform-".repeat(25);
        let svg = bars(&FRAME, &[bar(&name, Some(1.0))], None).unwrap();
        assert!(svg.as_str().contains(&format!("<title>{name}</title></text>")));
    }

    #[test]
    fn muted_values_are_faded() {
        let muted = Bar { muted: true, ..bar("a", Some(1.0)) };
        assert!(bars(&FRAME, &[muted], None).unwrap().as_str().contains("class=\"a f\""));
    }
}
