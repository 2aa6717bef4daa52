//! Colours as names: plotters carries sentinels, which the backend maps to classes, so that only
//! CSS decides how marks look.

use plotters::style::{RGBColor, ShapeStyle};

/// The meaning of a mark; decides its colour, lightness and outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The thing the chart is about.
    Accent,
    /// Everything else, in grey.
    Rest,
    /// High impact.
    High,
    /// Medium impact.
    Medium,
    /// Low impact.
    Low,
    /// Any other impact.
    Other,
    /// A merged pull request.
    Merged,
    /// An open pull request.
    Open,
    /// A pull request closed without merge.
    Closed,
    /// A draft pull request.
    Draft,
    /// A pull request in a state that is not known.
    Unknown,
}

impl Tone {
    /// Every tone once, in the order of the enum.
    pub const ALL: [Self; 11] = [
        Self::Accent,
        Self::Rest,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Other,
        Self::Merged,
        Self::Open,
        Self::Closed,
        Self::Draft,
        Self::Unknown,
    ];

    fn class(self) -> &'static str {
        match self {
            Self::Accent => "a",
            Self::Rest => "r",
            Self::High => "h",
            Self::Medium => "m",
            Self::Low => "l",
            Self::Other => "o",
            Self::Merged => "g",
            Self::Open => "p",
            Self::Closed => "cl",
            Self::Draft => "d",
            Self::Unknown => "u",
        }
    }
}

/// Everything that can be drawn, by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Primary text.
    Ink,
    /// Secondary text.
    Muted,
    /// Text over lines, with an outline in the paper's colour.
    Halo,
    /// Thin lines behind the data.
    Grid,
    /// The zero line.
    Axis,
    /// The full length behind a bar.
    Track,
    /// The border of an empty chart.
    Blank,
    /// The line of a trend.
    Trend,
    /// The area under a trend's line.
    Under,
    /// A point on a trend.
    Dot,
    /// The newest point of a trend.
    Last,
    /// A point of a trend that may still change.
    Hollow,
    /// A mark.
    Tone(Tone),
    /// A mark that too few cases support.
    Faint(Tone),
    /// Text on a mark.
    On(Tone),
}

/// Every paint without a tone, with its class.
const PLAIN: [(Paint, &str); 12] = [
    (Paint::Ink, ""),
    (Paint::Muted, "q"),
    (Paint::Halo, "j"),
    (Paint::Grid, "i"),
    (Paint::Axis, "x"),
    (Paint::Track, "t"),
    (Paint::Blank, "y"),
    (Paint::Trend, "n"),
    (Paint::Under, "w"),
    (Paint::Dot, "k"),
    (Paint::Last, "z"),
    (Paint::Hollow, "hw"),
];

impl Paint {
    /// The colour that represents this paint within plotters.
    pub(super) fn sentinel(self) -> RGBColor {
        let (group, place) = match self {
            Self::Tone(tone) => (1, tone as u8),
            Self::Faint(tone) => (2, tone as u8),
            Self::On(tone) => (3, tone as u8),
            plain => (0, plain.row().0),
        };
        RGBColor(0, group, place)
    }

    /// The paint of a sentinel; `None` for any other colour.
    pub(super) fn of(sentinel: (u8, u8, u8)) -> Option<Self> {
        let (0, group, place) = sentinel else { return None };
        let tone = Tone::ALL.get(usize::from(place)).copied();
        match group {
            0 => PLAIN.get(usize::from(place)).map(|(paint, _)| *paint),
            1 => tone.map(Self::Tone),
            2 => tone.map(Self::Faint),
            3 => tone.map(Self::On),
            _ => None,
        }
    }

    /// The classes that [`super::STYLE`] defines; empty for ink, the default.
    pub(super) fn class(self) -> String {
        match self {
            Self::Tone(tone) => tone.class().to_owned(),
            Self::Faint(tone) => format!("{} f", tone.class()),
            Self::On(tone) => format!("v{}", tone.class()),
            plain => plain.row().1.to_owned(),
        }
    }

    /// The place and the class of a paint without a tone.
    fn row(self) -> (u8, &'static str) {
        let row = (0..).zip(PLAIN).find(|(_, (paint, _))| *paint == self);
        let (place, (_, class)) = row.expect("PLAIN has every paint without a tone");
        (place, class)
    }

    /// A filled style. The class decides whether the mark is filled or stroked.
    pub(super) fn style(self) -> ShapeStyle {
        ShapeStyle { color: self.sentinel().into(), filled: true, stroke_width: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_paint_round_trips_through_its_sentinel() {
        let tones = Tone::ALL.iter().flat_map(|&t| [Paint::Tone(t), Paint::Faint(t), Paint::On(t)]);
        let mut classes = Vec::new();
        for paint in PLAIN.into_iter().map(|(paint, _)| paint).chain(tones) {
            let RGBColor(r, g, b) = paint.sentinel();
            assert_eq!(Paint::of((r, g, b)), Some(paint));
            assert!(!classes.contains(&paint.class()), "{paint:?} shares its class");
            classes.push(paint.class());
        }
        assert_eq!(Paint::of((255, 0, 0)), None);
        assert_eq!(Paint::of((0, 0, 200)), None);
    }
}
