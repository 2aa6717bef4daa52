//! A trend over periods.

use plotters::prelude::*;

use super::axis::{self, KeptLabel};
use super::canvas::{self, Area, DrawError, DrawResult, NORMAL, SMALL, UNIT, WIDTH, WithTooltip};
use super::palette::{Paint, Tone};
use super::{Caption, ChartError, Svg, length, longest};

const HEIGHT: i32 = 180 * UNIT;
const HEAD: i32 = 18 * UNIT;
const FOOT: i32 = 19 * UNIT;
const GAP: i32 = 8 * UNIT;
/// With more points than this, points are not marked.
const CROWD: usize = 40;
/// A label further than this above its point would seem to belong to another one.
const FAR: i32 = 30 * UNIT;

/// One period of a trend.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The label; omitted where there are too many.
    pub label: String,
    /// Its value; `None` is a gap in the line.
    pub value: Option<f64>,
    /// The formatted value.
    pub text: String,
    /// Whether too few cases support it.
    pub muted: bool,
    /// Whether it may still change.
    pub hollow: bool,
}

/// A point with a value, and its position in tenths.
struct PlacedPoint<'a> {
    point: &'a Point,
    value: f64,
    index: usize,
    at: (i32, i32),
}

/// A line from zero to `max`, or to the highest point, with ticks that `tick` writes.
///
/// The newest value is emphasised and labelled at the right, and the oldest where there is room.
/// Without any value it draws "No data".
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub fn line(
    caption: &Caption<'_>,
    points: &[Point],
    tick: &dyn Fn(f64) -> String,
    max: Option<f64>,
) -> Result<Svg, ChartError> {
    let known = |point: &Point| point.value.and_then(length);
    if points.iter().all(|point| known(point).is_none()) {
        return canvas::empty_chart(caption);
    }
    let scale = axis::scale(longest(points.iter().filter_map(known).chain(max)), tick);
    let newest = points.iter().rev().find(|point| known(point).is_some());
    let room = newest.map_or(0, |point| NORMAL.bold().width(&point.text).min(WIDTH / 4));
    let right = WIDTH - room - GAP;
    canvas::chart(caption, HEIGHT, |area| {
        let left = axis::value_axis(area, &scale, HEAD, HEIGHT - FOOT, right)? + GAP;
        let inset = inset_for_labels(points, (left, right));
        let left = left + inset.unwrap_or(0);
        let places = plot(area, points, scale.top, (left, right))?;
        if let Some(newest) = places.last() {
            let (x, y) = newest.at;
            // Near zero it moves up, above the labels of the periods.
            let lowest = HEIGHT - FOOT + 3 * UNIT - NORMAL.height();
            let at = (x + GAP, (y - NORMAL.height() / 2).min(lowest));
            let style = if newest.point.muted { NORMAL.muted() } else { NORMAL.bold() };
            style.draw_cut(area, &newest.point.text, at, WIDTH - x - GAP)?;
        }
        match inset {
            Some(_) => label_all(area, &places)?,
            None if places.len() > 1 => label_oldest(area, &places)?,
            None => {}
        }
        label_periods(area, points, (left, right))
    })
}

/// Draws line and points, and returns the positions of the points with a value.
fn plot<'a>(
    area: &Area<'_>,
    points: &'a [Point],
    top: f64,
    (left, right): (i32, i32),
) -> Result<Vec<PlacedPoint<'a>>, DrawError> {
    let last = points.len().saturating_sub(1).max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_left(left)
        .margin_right(WIDTH - right)
        .margin_top(HEAD)
        .margin_bottom(FOOT)
        .build_cartesian_2d(0.0..last, 0.0..top)?;
    // A single period is drawn in the middle.
    let across = |index: usize| if points.len() == 1 { 0.5 } else { index as f64 };
    let plane = chart.plotting_area().clone();
    let places: Vec<PlacedPoint<'_>> = points
        .iter()
        .enumerate()
        .filter_map(|(index, point)| {
            let value = point.value.and_then(length)?;
            Some(PlacedPoint { point, value, index, at: plane.map_coordinate(&(across(index), value)) })
        })
        .collect();
    let bottom = plane.map_coordinate(&(0.0, 0.0)).1;
    for run in places.chunk_by(|a, b| b.index == a.index + 1).filter(|run| run.len() > 1) {
        let line = || run.iter().map(|place| (across(place.index), place.value));
        chart.draw_series(AreaSeries::new(line(), 0.0, Paint::Under.style()))?;
        chart.draw_series(LineSeries::new(line(), Paint::Trend.style()))?;
    }
    area.draw(&PathElement::new(vec![(left, bottom), (right, bottom)], Paint::Axis.style()))?;
    let newest = places.len().saturating_sub(1);
    for (order, place) in places.iter().enumerate() {
        let alone = !places.iter().any(|other| other.index.abs_diff(place.index) == 1);
        if order != newest && places.len() > CROWD && !alone {
            continue;
        }
        let radius = if order == newest { 45_u32 } else { 27 };
        let paint = match (place.point.muted, place.point.hollow) {
            (true, _) => Paint::Faint(Tone::Accent),
            (false, true) => Paint::Hollow,
            (false, false) if order == newest => Paint::Last,
            (false, false) => Paint::Dot,
        };
        let tooltip = format!("{}: {}", place.point.label, place.point.text);
        area.draw(&WithTooltip::new(Circle::new(place.at, radius, paint.style()), tooltip))?;
    }
    Ok(places)
}

/// The room to the left of the first point that its label needs, if every value but the newest has
/// room for a label above its point; the newest has one at the right.
fn inset_for_labels(points: &[Point], (left, right): (i32, i32)) -> Option<i32> {
    let (newest, earlier) = points.split_last()?;
    let widths = earlier.iter().map(|point| point.value.map_or(0, |_| SMALL.width(&point.text)));
    let widths: Vec<i32> = widths.collect();
    let inset = widths.first().copied()? / 2;
    let step = (right - left - inset) / i32::try_from(earlier.len()).ok()?;
    let has_room = widths.iter().all(|width| width + 3 * UNIT <= step);
    (has_room && newest.value.is_some()).then_some(inset)
}

/// Labels every value but the newest above its point.
fn label_all(area: &Area<'_>, places: &[PlacedPoint<'_>]) -> DrawResult {
    let style = SMALL.painted(Paint::Halo);
    let earlier = places.split_last().map_or(&[][..], |(_, earlier)| earlier);
    for (order, place) in earlier.iter().enumerate() {
        let width = style.width(&place.point.text);
        let height = |order: Option<usize>| order.and_then(|order| places.get(order)).map(|place| place.at.1);
        let is_above = |other: Option<i32>| other.is_none_or(|other| other < place.at.1 - UNIT);
        // In a valley the line would cross a label above.
        let is_valley = is_above(height(order.checked_sub(1))) && is_above(height(Some(order + 1)));
        let below = place.at.1 + 5 * UNIT;
        let y = match is_valley && below + style.height() < HEIGHT - FOOT {
            true => below,
            false => (place.at.1 - style.height() - 5 * UNIT).max(0),
        };
        let at = (place.at.0 - width / 2, y);
        style.draw_cut(area, &place.point.text, at, width + UNIT)?;
    }
    Ok(())
}

/// Labels the oldest value above the line, unless the line rises too steeply.
fn label_oldest(area: &Area<'_>, places: &[PlacedPoint<'_>]) -> DrawResult {
    let (Some(first), Some(newest)) = (places.first(), places.last()) else { return Ok(()) };
    let style = SMALL.painted(Paint::Halo);
    let left = first.at.0 - 3 * UNIT;
    let room = (newest.at.0 - left).max(0);
    let edge = left + style.width(&first.point.text).min(room);
    let beyond = places.iter().position(|place| place.at.0 > edge).unwrap_or(places.len());
    let highest = places.iter().take(beyond + 1).map(|place| place.at.1).min();
    let highest = highest.expect("the oldest point is among them");
    if first.at.1 - highest > FAR {
        return Ok(());
    }
    let y = (highest - style.height() - 4 * UNIT).max(0);
    style.draw_cut(area, &first.point.text, (left, y), room)
}

/// Draws the labels of the periods; the newest is always included.
fn label_periods(area: &Area<'_>, points: &[Point], (left, right): (i32, i32)) -> DrawResult {
    let last = points.len().saturating_sub(1);
    let step = f64::from(right - left) / last.max(1) as f64;
    let middle = |index: usize| match points.len() {
        1 => (left + right) / 2,
        _ => left + (step * index as f64).round() as i32,
    };
    let wanted: Vec<(i32, i32)> = points
        .iter()
        .enumerate()
        .map(|(index, point)| (middle(index), SMALL.width(&point.label).min(WIDTH - UNIT)))
        .collect();
    for KeptLabel { index, middle } in axis::thin(&wanted, 0, WIDTH - UNIT) {
        if let Some(point) = points.get(index) {
            let at = (middle, HEIGHT - FOOT + 5 * UNIT);
            SMALL.muted().centre().draw_cut(area, &point.label, at, WIDTH - UNIT)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::tests::markup;

    const FRAME: Caption<'_> = Caption { id: "l", title: "t", description: "d" };

    fn weeks(values: &[Option<f64>]) -> Vec<Point> {
        let week = |(index, value): (usize, &Option<f64>)| Point {
            label: format!("W{}", index + 34),
            value: *value,
            text: value.map_or("–".to_owned(), |v| format!("{v} ACUs")),
            muted: false,
            hollow: false,
        };
        values.iter().enumerate().map(week).collect()
    }

    fn count(svg: &Svg, class: &str) -> usize {
        markup::elements(svg.as_str()).iter().filter(|e| e.classes().any(|c| c == class)).count()
    }

    #[test]
    fn null_is_a_gap_not_zero() {
        let values = [Some(1.0), Some(2.0), None, Some(3.0), None, Some(4.0), Some(5.0)];
        let svg = line(&FRAME, &weeks(&values), &|v| v.to_string(), None).unwrap();
        assert_eq!(count(&svg, "n"), 2, "two runs of more than one point");
        assert_eq!((count(&svg, "k"), count(&svg, "z")), (4, 1), "every known point is marked");
    }

    #[test]
    fn the_oldest_and_the_newest_value_are_labelled() {
        let mut points = weeks(&[None, Some(7.0), Some(9.0), Some(8.0), None]);
        // Longer than the room between two points.
        points[2].text = "9 ACUs, and so on, and so on".to_owned();
        let svg = line(&FRAME, &points, &|v| v.to_string(), None).unwrap();
        let texts: Vec<String> = markup::texts(svg.as_str()).into_iter().map(|text| text.content).collect();
        assert!(texts.contains(&"7 ACUs".to_owned()) && texts.contains(&"8 ACUs".to_owned()), "{texts:?}");
        assert!(
            !texts.iter().any(|text| text.starts_with("9 ACUs")) && texts.contains(&"W38".to_owned()),
            "{texts:?}"
        );
    }

    #[test]
    fn every_value_is_labelled_where_all_have_room() {
        let mut points = weeks(&[Some(7.0), Some(9.0), Some(8.0), Some(6.0)]);
        for (point, text) in points.iter_mut().zip(["7", "9", "8", "6"]) {
            point.text = text.to_owned();
        }
        let svg = line(&FRAME, &points, &|v| format!("tick {v}"), None).unwrap();
        let texts: Vec<String> = markup::texts(svg.as_str()).into_iter().map(|text| text.content).collect();
        for text in ["7", "9", "8", "6"] {
            assert!(texts.iter().any(|own| own == text), "{text} in {texts:?}");
        }
    }

    #[test]
    fn values_that_may_still_change_are_hollow() {
        let mut points = weeks(&[Some(1.0), Some(2.0), Some(3.0)]);
        points[2].hollow = true;
        let svg = line(&FRAME, &points, &|v| v.to_string(), None).unwrap();
        assert_eq!((count(&svg, "k"), count(&svg, "hw"), count(&svg, "z")), (2, 1, 0));
    }

    #[test]
    fn muted_values_are_faded() {
        let mut points = weeks(&[Some(1.0), Some(2.0), Some(3.0)]);
        for point in points.iter_mut().skip(1) {
            point.muted = true;
        }
        let svg = line(&FRAME, &points, &|v| v.to_string(), None).unwrap();
        assert_eq!((count(&svg, "k"), count(&svg, "f"), count(&svg, "z")), (1, 2, 0));
    }

    #[test]
    fn one_value_is_a_point_and_no_values_draw_no_data() {
        let svg = line(&FRAME, &weeks(&[Some(3.0)]), &|v| v.to_string(), Some(10.0)).unwrap();
        assert_eq!((count(&svg, "n"), count(&svg, "z")), (0, 1));
        for points in [weeks(&[]), weeks(&[None, None])] {
            let svg = line(&FRAME, &points, &|v| v.to_string(), None).unwrap();
            assert!(svg.as_str().contains("No data"));
        }
    }
}
