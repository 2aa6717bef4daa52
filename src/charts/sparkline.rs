//! A tile's sparkline: the shape of a trend without any text, on a scale of its own.

use plotters::prelude::*;

use super::canvas::{self, UNIT};
use super::palette::Paint;
use super::{ChartError, Svg, length, longest};

const WIDTH: i32 = 120;
const HEIGHT: i32 = 32;
/// Room for the last point's dot.
const EDGE: i32 = 4 * UNIT;

/// A point of a sparkline.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SparkPoint {
    /// Its value; `None` is a gap.
    pub value: Option<f64>,
    /// Whether it may still change.
    pub hollow: bool,
}

/// A trend in 120 by 32 units from its lowest to its highest value, with gaps for missing values and
/// a dot at the newest one.
///
/// Hidden from screen readers: the tile has the same in words. Without any value nothing is drawn.
///
/// # Errors
///
/// If plotters refuses.
pub fn sparkline(points: &[SparkPoint]) -> Result<Svg, ChartError> {
    let places: Vec<(usize, f64)> = points
        .iter()
        .enumerate()
        .filter_map(|(index, point)| Some((index, point.value.and_then(length)?)))
        .collect();
    let top = longest(places.iter().map(|(_, value)| *value));
    let bottom = places.iter().map(|(_, value)| *value).fold(top, f64::min);
    // A trend without changes runs through the middle.
    let scale = if top > bottom { bottom..top } else { bottom - 1.0..top + 1.0 };
    let mut out = format!(
        "<svg class=\"ch\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-hidden=\"true\" focusable=\"false\">\n"
    );
    canvas::draw_into(&mut out, (WIDTH * UNIT, HEIGHT * UNIT), |area| {
        let last = points.len().saturating_sub(1);
        let mut chart =
            ChartBuilder::on(area).margin(EDGE).build_cartesian_2d(0.0..last.max(1) as f64, scale)?;
        let across = |index: usize| if last == 0 { 1.0 } else { index as f64 };
        for run in places.chunk_by(|a, b| b.0 == a.0 + 1) {
            let line = run.iter().map(|(index, value)| (across(*index), *value));
            match run {
                [_] => chart.draw_series(line.map(|at| Circle::new(at, 12_u32, Paint::Dot.style())))?,
                _ => chart.draw_series(LineSeries::new(line, Paint::Trend.style()))?,
            };
        }
        if let Some((index, value)) = places.last() {
            let is_hollow = points.get(*index).is_some_and(|point| point.hollow);
            let paint = if is_hollow { Paint::Hollow } else { Paint::Last };
            chart.draw_series([Circle::new((across(*index), *value), 35_u32, paint.style())])?;
        }
        Ok(())
    })
    .map_err(|cause| ChartError::Draw { id: "sparkline".to_owned(), cause: cause.to_string() })?;
    out.push_str("</svg>\n");
    Ok(Svg { markup: out, description: String::new(), size: (WIDTH, HEIGHT) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::tests::markup;

    fn points(values: &[Option<f64>]) -> Vec<SparkPoint> {
        values.iter().map(|value| SparkPoint { value: *value, hollow: false }).collect()
    }

    #[test]
    fn the_newest_known_value_is_dotted_between_the_lowest_and_the_highest() {
        let svg = sparkline(&points(&[Some(101.0), Some(104.0), Some(102.5), None])).unwrap();
        let marks = markup::elements(svg.as_str());
        let dot = marks.iter().find(|e| e.classes().any(|c| c == "z")).unwrap();
        assert_eq!(dot.number("cy"), 16.0, "102.5 is half way from 101 to 104");
        assert!(dot.number("cx") < 100.0, "the gap at the end stays open");
    }

    #[test]
    fn a_value_that_may_still_change_is_hollow() {
        let newest = SparkPoint { value: Some(3.0), hollow: true };
        let svg = sparkline(&[SparkPoint { value: Some(1.0), hollow: false }, newest]).unwrap();
        let marks = markup::elements(svg.as_str());
        assert!(marks.iter().any(|e| e.classes().any(|c| c == "hw")));
        assert!(!marks.iter().any(|e| e.classes().any(|c| c == "z")));
    }

    #[test]
    fn null_is_a_gap() {
        let values = [Some(1.0), Some(2.0), None, Some(3.0), Some(4.0)];
        let svg = sparkline(&points(&values)).unwrap();
        assert_eq!(svg.as_str().matches("class=\"n\"").count(), 2);
    }

    #[test]
    fn no_values_draw_nothing_and_equal_ones_a_line_in_the_middle() {
        for values in [&[][..], &[None, None]] {
            let svg = sparkline(&points(values)).unwrap();
            assert!(!svg.as_str().contains("circle") && !svg.as_str().contains("class=\"n\""));
        }
        let svg = sparkline(&points(&[Some(0.0); 3])).unwrap();
        let dot = markup::elements(svg.as_str()).into_iter().find(|e| e.classes().any(|c| c == "z"));
        assert_eq!(dot.unwrap().number("cy"), 16.0);
    }

    #[test]
    fn sparklines_are_small_and_hidden_from_screen_readers() {
        let svg = sparkline(&points(&[Some(3.25); 8])).unwrap();
        assert!(svg.as_str().len() < 500, "{}", svg.as_str().len());
        assert!(svg.as_str().contains("aria-hidden") && !svg.as_str().contains("<text"));
    }
}
