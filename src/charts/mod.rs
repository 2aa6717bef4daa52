//! Stage `charts`: plain chart specifications become SVG text, drawn in memory.
//!
//! One file draws one kind of chart; numbers reach it already written for
//! people, so nothing here knows a unit. Colours never appear in the markup:
//! each mark carries a class, [`STYLE`] turns classes into the custom
//! properties named in [`TOKENS`], and the page's style sheet gives those a
//! value for light, dark and print.
//!
//! The only home of plotters, which draws through a backend of our own: its
//! SVG backend writes literal colours and guesses text widths by bytes.

mod backend;
mod bars;
mod canvas;
mod columns;
mod funnel;
mod labels;
mod line;
mod multiples;
mod nice;
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

pub use sparkline::sparkline;
pub use stacks::{Segment, Stack, stacks};
pub use standalone::{LIGHT_COLOURS, standalone};
pub use style::{STYLE, TOKENS};

/// Markup that may enter the page unescaped, because only this stage can make it.
///
/// Every text in it has been stripped of control and bidirectional control
/// characters and escaped. It has no `xmlns`, being meant to stand inline in
/// HTML, and refers to nothing outside itself.
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

    /// Its text alternative as plain text, on one line; empty where it has none.
    pub fn description(&self) -> &str {
        &self.description
    }
}

/// What a chart is called and what it says to someone who cannot see it.
#[derive(Clone, Copy, Debug)]
pub struct Caption<'a> {
    /// Unique within the page: ASCII letters, digits, `-` and `_`, a letter first.
    pub id: &'a str,
    /// Accessible name, one line.
    pub title: &'a str,
    /// Text alternative: what a reader of the chart would take from it.
    pub description: &'a str,
}

/// Why a chart could not be drawn. Data never causes these errors.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The frame's id cannot be referred to from an attribute.
    #[error("chart id {0:?} is not usable: start with a letter, then letters, digits, '-' and '_' only")]
    Id(String),
    /// The drawing library refused.
    #[error("drawing chart {id:?} failed: {cause}")]
    Draw {
        /// Which chart.
        id: String,
        /// What the library said.
        cause: String,
    },
}

/// A number as a length: nothing drawn for a missing or non-finite one, no
/// length for a negative one, and a ceiling that keeps sums finite.
fn length(value: f64) -> Option<f64> {
    value.is_finite().then(|| value.clamp(0.0, 1e15))
}

/// The longest of some lengths, 0 when there are none.
fn longest(values: impl Iterator<Item = f64>) -> f64 {
    values.filter_map(length).fold(0.0, f64::max)
}
