//! Vertical columns over days or bins.

use plotters::prelude::*;

use super::axis::{self, KeptLabel};
use super::canvas::{self, Area, DrawResult, SMALL, TextSpec, UNIT, WIDTH, WithTooltip};
use super::palette::{Paint, Tone};
use super::{Caption, ChartError, Svg, length, longest};

const HEIGHT: i32 = 180 * UNIT;
/// Above the highest column, for its value.
const HEAD: i32 = 16 * UNIT;
/// Below the zero line, for the labels.
const FOOT: i32 = 19 * UNIT;
/// The share of its slot that a column fills, up to the widest.
const FILLED: f64 = 0.74;
const WIDEST: f64 = 44.0 * UNIT as f64;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The label; omitted where there are too many.
    pub label: String,
    /// Its height; `None` draws no column.
    pub value: Option<f64>,
    /// The formatted value.
    pub text: String,
    /// Its colour.
    pub tone: Tone,
}

/// A chart of columns from zero, with three to five round ticks that `tick` writes.
///
/// All columns are labelled with their value if all values fit, else only the highest is. Without
/// any value it draws "No data".
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub fn columns(
    caption: &Caption<'_>,
    columns: &[Column],
    tick: &dyn Fn(f64) -> String,
) -> Result<Svg, ChartError> {
    if columns.iter().all(|column| column.value.and_then(length).is_none()) {
        return canvas::empty_chart(caption);
    }
    let scale = axis::scale(longest(columns.iter().filter_map(|column| column.value)), tick);
    canvas::chart(caption, HEIGHT, |area| {
        let margin = axis::value_axis(area, &scale, HEAD, HEIGHT - FOOT, WIDTH)?;
        plot(area, columns, scale.top, margin)
    })
}

/// Draws columns, values, zero line and labels into the area right of `margin`. A column of `top`
/// reaches up to the head.
pub(super) fn plot(area: &Area<'_>, columns: &[Column], top: f64, margin: i32) -> DrawResult {
    let count = columns.len() as f64;
    let chart = ChartBuilder::on(area)
        .margin_left(margin)
        .margin_top(HEAD)
        .margin_bottom(FOOT)
        .build_cartesian_2d(0.0..count.max(1.0), 0.0..top)?;
    let plane = chart.plotting_area();
    let (whole, tall) = canvas::size(area);
    let (left, right, bottom) = (margin, whole, tall - FOOT);
    let (width, height) = (right - left, bottom - HEAD);
    let band = f64::from(width) / count.max(1.0);
    let half = (FILLED / 2.0).min(WIDEST / 2.0 / band);
    let middle = |index: usize| left + ((index as f64 + 0.5) * band).round() as i32;

    for (index, column) in columns.iter().enumerate() {
        let Some(value) = column.value.and_then(length).filter(|value| *value > 0.0) else { continue };
        let centre = index as f64 + 0.5;
        // A value too small for the scale is still visible.
        let tall = value.max(top * f64::from(2 * UNIT) / f64::from(height.max(1)));
        let corners = [(centre - half, 0.0), (centre + half, tall)];
        let shape = Rectangle::new(corners, Paint::Tone(column.tone).style());
        plane.draw(&WithTooltip::new(shape, format!("{}: {}", column.label, column.text)))?;
    }
    area.draw(&PathElement::new(vec![(left, bottom), (right, bottom)], Paint::Axis.style()))?;

    let style = SMALL.painted(Paint::Halo);
    for (index, column) in labelled(columns, style, band) {
        let up = column.value.and_then(length).unwrap_or(0.0) / top * f64::from(height);
        let y = bottom - up.round() as i32 - style.height() - UNIT;
        let room = style.width(&column.text).min(right - left);
        let x = middle(index).clamp(left + room / 2, (right - room / 2).max(left + room / 2));
        style.centre().draw_cut(area, &column.text, (x, y), right - left)?;
    }
    let wide = right - UNIT - left;
    let wanted: Vec<(i32, i32)> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| (middle(index), SMALL.width(&column.label).min(wide)))
        .collect();
    for KeptLabel { index, middle } in axis::thin(&wanted, left, left + wide) {
        if let Some(column) = columns.get(index) {
            SMALL.muted().centre().draw_cut(area, &column.label, (middle, bottom + 5 * UNIT), wide)?;
        }
    }
    Ok(())
}

/// The columns whose value is drawn: all if all values fit, else the first of the highest.
fn labelled(columns: &[Column], style: TextSpec, band: f64) -> Vec<(usize, &Column)> {
    let all = columns.iter().enumerate();
    if all.clone().all(|(_, column)| f64::from(style.width(&column.text) + 4 * UNIT) <= band) {
        return all.collect();
    }
    let highest = longest(columns.iter().filter_map(|column| column.value));
    all.filter(|(_, column)| column.value.and_then(length) == Some(highest)).take(1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::tests::markup;

    const FRAME: Caption<'_> = Caption { id: "c", title: "t", description: "d" };

    fn days(values: &[f64]) -> Vec<Column> {
        let day = |(index, value): (usize, &f64)| Column {
            label: format!("{} Oct", index + 1),
            value: Some(*value),
            text: format!("{value} ACUs"),
            tone: Tone::Accent,
        };
        values.iter().enumerate().map(day).collect()
    }

    #[test]
    fn column_heights_are_proportional() {
        let svg = columns(&FRAME, &days(&[2.0, 4.0, 0.0]), &|v| v.to_string()).unwrap();
        let marks = markup::elements(svg.as_str());
        let rects: Vec<_> = marks.iter().filter(|e| e.tag == "rect").collect();
        assert_eq!(rects.len(), 2);
        let (half, whole) = (rects[0].number("height"), rects[1].number("height"));
        assert!((whole - 2.0 * half).abs() <= 0.2 && (whole - 145.0).abs() <= 0.2, "{half} of {whole}");
        for rect in rects {
            assert!((rect.number("y") + rect.number("height") - 161.0).abs() <= 0.2);
        }
    }

    #[test]
    fn a_month_labels_only_its_highest_day() {
        let values: Vec<f64> = (0..31).map(|day| f64::from(day % 7)).collect();
        let svg = columns(&FRAME, &days(&values), &|v| v.to_string()).unwrap();
        let texts: Vec<String> = markup::texts(svg.as_str()).into_iter().map(|text| text.content).collect();
        assert_eq!(texts.iter().filter(|text| text.contains("ACUs")).collect::<Vec<_>>(), ["6 ACUs"]);
        assert!(texts.contains(&"31 Oct".to_owned()), "{texts:?}");
    }

    #[test]
    fn zeros_keep_the_axis_and_no_values_draw_no_data() {
        let zero = columns(&FRAME, &days(&[0.0; 7]), &|v| v.to_string()).unwrap();
        assert!(!zero.as_str().contains("<rect") && zero.as_str().contains("7 Oct"));
        let none = Column { value: None, ..days(&[1.0]).remove(0) };
        for columns in [vec![], vec![none]] {
            let svg = super::columns(&FRAME, &columns, &|v| v.to_string()).unwrap();
            assert!(svg.as_str().contains("No data"));
        }
    }
}
