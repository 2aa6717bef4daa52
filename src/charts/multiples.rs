//! Small multiples: the same columns for several kinds, on one scale.

use super::canvas::{self, UNIT, WIDTH};
use super::columns::{Column, plot};
use super::palette::Tone;
use super::{Caption, ChartError, Svg, length, longest, stacks};

const HEIGHT: i32 = 108 * UNIT;
const TITLE: i32 = 18 * UNIT;
const GAP: i32 = 20 * UNIT;
/// From one row of panels to the next.
const STEP: usize = (HEIGHT + GAP) as usize;
/// With more columns than this, a panel has the full width.
const NARROW: usize = 12;

/// One of the small charts.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its title, a word or two.
    pub title: String,
    /// Its colour, shown beside the title.
    pub tone: Tone,
    /// Its columns, with the same labels in every panel.
    pub columns: Vec<Column>,
}

/// Panels two by two on one value scale, so that their columns are comparable.
///
/// Values are drawn on the columns instead of an axis. Without any value it draws "No data".
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub fn small_multiples(caption: &Caption<'_>, panels: &[Panel]) -> Result<Svg, ChartError> {
    let values = || panels.iter().flat_map(|panel| &panel.columns).filter_map(|column| column.value);
    if values().all(|value| length(value).is_none()) {
        return canvas::empty_chart(caption);
    }
    let top = match longest(values()) {
        top if top > 0.0 => top,
        _ => 1.0,
    };
    let is_wide = panels.iter().any(|panel| panel.columns.len() > NARROW);
    let (across, width) = if is_wide { (1, WIDTH) } else { (2, (WIDTH - GAP) / 2) };
    let height = canvas::rows(panels.len().div_ceil(across), HEIGHT + GAP) - GAP;
    canvas::chart(caption, height, |area| {
        for (y, row) in (0..).step_by(STEP).zip(panels.chunks(across)) {
            for (x, panel) in [0, width + GAP].into_iter().zip(row) {
                let cell = area.clone().shrink((x, y), (width, HEIGHT));
                stacks::entry(&cell, panel.tone, &panel.title, (0, 0))?;
                plot(&cell.shrink((0, TITLE), (width, HEIGHT - TITLE)), &panel.columns, top, 0)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::tests::markup;

    const FRAME: Caption<'_> = Caption { id: "p", title: "t", description: "d" };

    fn panel(title: &str, tone: Tone, values: &[f64]) -> Panel {
        let column = |(index, value): (usize, &f64)| Column {
            label: index.to_string(),
            value: Some(*value),
            text: value.to_string(),
            tone,
        };
        Panel { title: title.to_owned(), tone, columns: values.iter().enumerate().map(column).collect() }
    }

    #[test]
    fn panels_share_one_scale() {
        let panels = [panel("high", Tone::High, &[8.0, 4.0]), panel("low", Tone::Low, &[4.0, 2.0])];
        let svg = small_multiples(&FRAME, &panels).unwrap();
        let marks = markup::elements(svg.as_str());
        let tall: Vec<f64> = marks
            .iter()
            .filter(|e| e.tag == "rect")
            .map(|e| e.number("height"))
            .filter(|h| *h > 10.0)
            .collect();
        assert_eq!(tall.len(), 4);
        for (tall, wanted) in tall.iter().zip([55.0, 27.5, 27.5, 13.75]) {
            assert!((tall - wanted).abs() <= 0.15, "{tall} for {wanted}");
        }
    }

    #[test]
    fn no_panels_or_values_draw_no_data() {
        for panels in [vec![], vec![panel("high", Tone::High, &[])]] {
            assert!(small_multiples(&FRAME, &panels).unwrap().as_str().contains("No data"));
        }
    }
}
