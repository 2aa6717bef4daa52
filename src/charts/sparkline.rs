//! A tile's sparkline: the shape of a trend without any text.

use plotters::prelude::*;

use super::canvas::{self, UNIT};
use super::palette::Paint;
use super::{ChartError, Svg, length, longest};

const WIDTH: i32 = 120;
const HEIGHT: i32 = 32;
/// Room for the last point's dot.
const EDGE: i32 = 4 * UNIT;

/// A trend from zero in 120 by 32 units, with gaps for missing values and a dot at the newest
/// value.
///
/// Hidden from screen readers: the tile has the same in words. Without any value only the zero line
/// is drawn.
///
/// # Errors
///
/// If plotters refuses.
pub fn sparkline(values: &[Option<f64>]) -> Result<Svg, ChartError> {
    let known: Vec<Option<f64>> = values.iter().map(|value| value.and_then(length)).collect();
    let top = match longest(known.iter().copied().flatten()) {
        top if top > 0.0 => top,
        _ => 1.0,
    };
    let mut out = format!(
        "<svg class=\"ch\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-hidden=\"true\" focusable=\"false\">\n"
    );
    canvas::draw_into(&mut out, (WIDTH * UNIT, HEIGHT * UNIT), |area| {
        let last = values.len().saturating_sub(1);
        let mut chart =
            ChartBuilder::on(area).margin(EDGE).build_cartesian_2d(0.0..last.max(1) as f64, 0.0..top)?;
        let across = |index: usize| if last == 0 { 1.0 } else { index as f64 };
        chart.draw_series([PathElement::new(
            vec![(0.0, 0.0), (last.max(1) as f64, 0.0)],
            Paint::Grid.style(),
        )])?;
        let places: Vec<(usize, f64)> =
            known.iter().enumerate().filter_map(|(index, value)| Some((index, (*value)?))).collect();
        for run in places.chunk_by(|a, b| b.0 == a.0 + 1) {
            let line = run.iter().map(|(index, value)| (across(*index), *value));
            match run {
                [_] => chart.draw_series(line.map(|at| Circle::new(at, 12_u32, Paint::Dot.style())))?,
                _ => chart.draw_series(LineSeries::new(line, Paint::Trend.style()))?,
            };
        }
        if let Some((index, value)) = places.last() {
            chart.draw_series([Circle::new((across(*index), *value), 35_u32, Paint::Last.style())])?;
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

    #[test]
    fn the_newest_known_value_is_dotted_in_proportion() {
        let svg = sparkline(&[Some(1.0), Some(4.0), Some(2.0), None]).unwrap();
        let marks = markup::elements(svg.as_str());
        let dot = marks.iter().find(|e| e.classes().any(|c| c == "z")).unwrap();
        assert_eq!(dot.number("cy"), 16.0, "half of 4 is half way up");
        assert!(dot.number("cx") < 100.0, "the gap at the end stays open");
    }

    #[test]
    fn null_is_a_gap() {
        let svg = sparkline(&[Some(1.0), Some(2.0), None, Some(3.0), Some(4.0)]).unwrap();
        assert_eq!(svg.as_str().matches("class=\"n\"").count(), 2);
    }

    #[test]
    fn no_values_draw_only_the_zero_line() {
        for values in [&[][..], &[None, None]] {
            let svg = sparkline(values).unwrap();
            assert!(svg.as_str().contains("class=\"i\"") && !svg.as_str().contains("circle"));
        }
    }

    #[test]
    fn sparklines_are_small_and_hidden_from_screen_readers() {
        let svg = sparkline(&[Some(3.25); 8]).unwrap();
        assert!(svg.as_str().len() < 500, "{}", svg.as_str().len());
        assert!(svg.as_str().contains("aria-hidden") && !svg.as_str().contains("<text"));
    }
}
