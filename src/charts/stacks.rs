//! Stacked horizontal bars: each name's total, and its parts.

use plotters::prelude::*;

use super::canvas::{self, Area, DrawResult, NORMAL, SMALL, UNIT, WIDTH, WithTooltip};
use super::palette::{Paint, Tone};
use super::{Caption, ChartError, Svg, length, longest};

const ROW: i32 = 43 * UNIT;
const BAR: i32 = 16 * UNIT;
const GAP: i32 = 8 * UNIT;
/// From the top of a name down to its bar.
const UNDER: i32 = 18 * UNIT;
/// The shortest visible segment, with its outline.
const MIN_LENGTH: i32 = 35;
/// Half a segment's outline, in tenths.
const OUTLINE: i32 = 4;
const SWATCH: i32 = 10 * UNIT;
const LINE: i32 = 19 * UNIT;

/// One stacked bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The name; truncated in the middle if too long.
    pub name: String,
    /// Its segments from the left, in the legend's order.
    pub segments: Vec<Segment>,
    /// The formatted total.
    pub total: String,
}

/// One segment of a stacked bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its length; zero draws nothing.
    pub value: f64,
    /// The formatted value, drawn on the segment if it fits.
    pub text: String,
    /// Its meaning, as in the legend.
    pub tone: Tone,
}

/// A chart of stacked bars under a legend in words, totals at the right.
///
/// An empty list draws "No data".
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub fn stacks(caption: &Caption<'_>, legend: &[(Tone, &str)], stacks: &[Stack]) -> Result<Svg, ChartError> {
    if stacks.is_empty() {
        return canvas::empty_chart(caption);
    }
    let values =
        |stack: &Stack| stack.segments.iter().filter_map(|part| length(part.value)).collect::<Vec<f64>>();
    let largest = longest(stacks.iter().map(|stack| values(stack).iter().sum()));
    // Tiny segments are widened, so a bar of many can exceed the largest sum.
    let drawn = |stack: &Stack| {
        values(stack).into_iter().map(|value| canvas::visible_length(value, largest, MIN_LENGTH)).sum()
    };
    let top = longest(stacks.iter().map(drawn));
    let places = places(legend);
    let head = places.last().map_or(0, |(_, y)| y + LINE + 4 * UNIT);
    let height = head + canvas::rows(stacks.len(), ROW) - GAP;
    canvas::chart(caption, height, |area| {
        for (&(tone, word), (x, y)) in legend.iter().zip(places) {
            entry(area, tone, word, (x, y))?;
        }
        let ruler = canvas::ruler(area, top);
        let mut y = head;
        for stack in stacks {
            let total = NORMAL.bold();
            let total_width = total.width(&stack.total).min(WIDTH / 3);
            total.right().draw_cut(area, &stack.total, (WIDTH, y), total_width)?;
            NORMAL.draw_cut(area, &stack.name, (0, y), WIDTH - total_width - GAP)?;
            let from = y + UNDER;
            let mut start = 0.0;
            for part in &stack.segments {
                let Some(value) = length(part.value).filter(|value| *value > 0.0) else { continue };
                let end = start + canvas::visible_length(value, largest, MIN_LENGTH);
                let (left, _) = ruler.map_coordinate(&(start, from));
                let (right, _) = ruler.map_coordinate(&(end, from));
                let word = legend.iter().find(|(tone, _)| *tone == part.tone).map_or("", |(_, word)| word);
                let tooltip = format!("{}, {word}: {}", stack.name, part.text);
                segment(area, part, tooltip, (left, right), from)?;
                start = end;
            }
            area.draw(&PathElement::new(vec![(0, from), (0, from + BAR)], Paint::Axis.style()))?;
            y += ROW;
        }
        Ok(())
    })
}

/// Draws one segment, and its number if that fits on it.
fn segment(
    area: &Area<'_>,
    part: &Segment,
    tooltip: String,
    (left, right): (i32, i32),
    top: i32,
) -> DrawResult {
    // Drawn a little smaller, so that outlines neither touch nor leave the chart.
    let corners = [(left + OUTLINE, top + OUTLINE), (right - OUTLINE, top + BAR - OUTLINE)];
    area.draw(&WithTooltip::new(Rectangle::new(corners, Paint::Tone(part.tone).style()), tooltip))?;
    if SMALL.width(&part.text) + 6 * UNIT > right - left {
        return Ok(());
    }
    let at = ((left + right) / 2, top + (BAR - SMALL.height()) / 2);
    SMALL.painted(ink_on(part.tone)).centre().draw(area, &part.text, at)
}

/// The positions of the legend's entries, on as many lines as needed.
fn places(legend: &[(Tone, &str)]) -> Vec<(i32, i32)> {
    let (mut x, mut y) = (0, 0);
    let mut places = Vec::with_capacity(legend.len());
    for (_, word) in legend {
        let width = SWATCH + 5 * UNIT + SMALL.width(word);
        if x > 0 && x + width > WIDTH {
            (x, y) = (0, y + LINE);
        }
        places.push((x, y));
        x += width + 14 * UNIT;
    }
    places
}

/// One entry of a legend: a swatch and its word.
pub(super) fn entry(area: &Area<'_>, tone: Tone, word: &str, (x, y): (i32, i32)) -> DrawResult {
    let top = y + (SMALL.height() - SWATCH) / 2;
    let corners = [(x + OUTLINE, top), (x + SWATCH, top + SWATCH - OUTLINE)];
    area.draw(&Rectangle::new(corners, Paint::Tone(tone).style()))?;
    let left = x + SWATCH + 5 * UNIT;
    SMALL.draw_cut(area, word, (left, y), canvas::size(area).0 - left)
}

/// The text colour on a mark: ink on light marks.
fn ink_on(tone: Tone) -> Paint {
    match tone {
        Tone::Low | Tone::Other | Tone::Closed | Tone::Draft | Tone::Unknown => Paint::Ink,
        Tone::Accent | Tone::Rest | Tone::High | Tone::Medium | Tone::Merged | Tone::Open => Paint::On(tone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::tests::markup;

    const FRAME: Caption<'_> = Caption { id: "s", title: "t", description: "d" };
    const LEGEND: [(Tone, &str); 2] = [(Tone::High, "high"), (Tone::Low, "low")];

    fn stack(name: &str, high: f64, low: f64) -> Stack {
        let part = |value: f64, tone| Segment { value, text: value.to_string(), tone };
        Stack {
            name: name.to_owned(),
            segments: vec![part(high, Tone::High), part(low, Tone::Low)],
            total: (high + low).to_string(),
        }
    }

    #[test]
    fn segments_are_adjacent_and_proportional() {
        let svg = stacks(&FRAME, &[], &[stack("a", 30.0, 10.0), stack("b", 0.0, 20.0)]).unwrap();
        let marks = markup::elements(svg.as_str());
        let rects: Vec<(f64, f64)> =
            marks.iter().filter(|e| e.tag == "rect").map(|e| (e.number("x"), e.number("width"))).collect();
        assert_eq!(rects, [(0.4, 269.2), (270.4, 89.2), (0.4, 179.2)], "less an outline of 0.4 all round");
    }

    #[test]
    fn values_are_drawn_on_segments_if_they_fit() {
        let svg = stacks(&FRAME, &LEGEND, &[stack("a", 1000.0, 7.0)]).unwrap();
        let texts: Vec<String> = markup::texts(svg.as_str()).into_iter().map(|text| text.content).collect();
        assert_eq!(texts, ["high", "low", "1007", "a", "1000"]);
        assert!(svg.as_str().contains("<title>a, low: 7</title>"));
    }

    #[test]
    fn a_long_legend_wraps() {
        let long = "neither high nor medium nor low nor other";
        let places = places(&[(Tone::High, long), (Tone::Low, long), (Tone::Other, long)]);
        assert_eq!(places.iter().filter(|(x, _)| *x == 0).count(), 3);
    }
}
