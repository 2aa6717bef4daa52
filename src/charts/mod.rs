//! Stage `charts`: draws plain chart specifications as SVG text, in memory.
//!
//! One file a kind of chart. Marks arrive with formatted values. The markup
//! contains no colours: each mark has a class, [`STYLE`] maps classes to the custom properties
//! named in [`TOKENS`], and the page's style sheet defines these for light, dark and print.
//!
//! The only user of plotters, through a backend of our own: plotters' SVG backend writes literal
//! colours and estimates text widths by bytes.

mod axis;
mod backend;
mod bars;
mod canvas;
mod columns;
mod funnel;
mod line;
mod multiples;
mod palette;

mod sparkline;
mod stacks;
mod standalone;
mod style;
mod text;

#[cfg(test)]
mod tests;

pub use bars::{Bar, bars};
pub use columns::{Column, columns};
pub use funnel::{FunnelStep, funnel};
pub use line::{Point, line};
pub use multiples::{Panel, small_multiples};
pub use palette::Tone;

pub use sparkline::{SparkPoint, sparkline};
pub use stacks::{Segment, Stack, stacks};
pub use standalone::standalone;
pub use style::{STYLE, TOKENS};

use crate::unit::Unit;

/// Markup that may enter the page unescaped, because only this stage can create it.
///
/// All text in it is escaped and free of control and bidirectional control characters. It has no
/// `xmlns`, since it is inlined in HTML, and refers to nothing outside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svg {
    markup: String,
    description: String,
    /// Width and height of the view box.
    size: (i32, i32),
}

impl Svg {
    /// The markup, from `<svg` to `</svg>`.
    pub fn as_str(&self) -> &str {
        &self.markup
    }

    /// The text alternative as plain text, on one line; empty if there is none.
    pub fn description(&self) -> &str {
        &self.description
    }
}

/// A chart as plain data.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// Horizontal bars; see [`bars`].
    Bars {
        /// From top to bottom.
        bars: Vec<Bar>,
        /// The length of a full bar; `None` for the longest one.
        max: Option<f64>,
    },
    /// Vertical columns; see [`columns`].
    Columns {
        /// From left to right.
        columns: Vec<Column>,
        /// The unit of the axis.
        unit: Unit,
    },
    /// A line over time; see [`line()`].
    Line {
        /// Oldest first.
        points: Vec<Point>,
        /// The unit of the axis.
        unit: Unit,
        /// The end of the axis; `None` for the highest point.
        max: Option<f64>,
    },
    /// Stacked bars; see [`stacks`].
    Stacks {
        /// The meaning of the tones, in the order of the segments.
        legend: Vec<(Tone, &'static str)>,
        /// From top to bottom.
        stacks: Vec<Stack>,
    },
    /// Small multiples; see [`small_multiples`].
    Multiples(Vec<Panel>),
    /// A funnel; see [`funnel`].
    Funnel(Vec<FunnelStep>),
}

/// Draws a chart.
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub fn draw(caption: &Caption<'_>, chart: &Chart) -> Result<Svg, ChartError> {
    match chart {
        Chart::Bars { bars, max } => self::bars(caption, bars, *max),
        Chart::Columns { columns, unit } => self::columns(caption, columns, &|value| unit.tick(value)),
        Chart::Line { points, unit, max } => line(caption, points, &|value| unit.tick(value), *max),
        Chart::Stacks { legend, stacks } => self::stacks(caption, legend, stacks),
        Chart::Multiples(panels) => small_multiples(caption, panels),
        Chart::Funnel(steps) => funnel(caption, steps),
    }
}

/// Id, title and text alternative of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Caption<'a> {
    /// Unique within the page: ASCII letters, digits, `-` and `_`, a letter first.
    pub id: &'a str,
    /// Accessible name, one line.
    pub title: &'a str,
    /// The text alternative: what a reader would take from the chart.
    pub description: &'a str,
}

/// Why a chart could not be drawn. Data never causes these errors.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The id cannot be referred to from an attribute.
    #[error("chart id {0:?} is not usable: start with a letter, then letters, digits, '-' and '_' only")]
    Id(String),
    /// plotters failed.
    #[error("drawing chart {id:?} failed: {cause}")]
    Draw {
        /// Which chart.
        id: String,
        /// The error of plotters.
        cause: String,
    },
}

/// A value as a length: `None` if missing or not finite, 0 if negative, with a maximum that keeps
/// sums finite.
fn length(value: f64) -> Option<f64> {
    value.is_finite().then(|| value.clamp(0.0, 1e15))
}

/// The longest of some lengths, 0 when there are none.
fn longest(values: impl Iterator<Item = f64>) -> f64 {
    values.filter_map(length).fold(0.0, f64::max)
}
