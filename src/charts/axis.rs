//! Axes: round numbers for values, and as many labels as fit.

use plotters::prelude::*;

use super::canvas::{self, Area, SMALL, UNIT, WIDTH};
use super::palette::Paint;

/// Between the labels of a value axis and its grid lines.
const GAP: i32 = 6 * UNIT;

/// A value axis from zero, with labelled ticks.
#[derive(Debug, PartialEq)]
pub(super) struct Scale {
    /// The last tick, at or above every value; 1 if no value is above zero.
    pub(super) top: f64,
    /// Ascending from zero.
    pub(super) ticks: Vec<(f64, String)>,
}

/// Three to five ticks at 1, 2 or 5 times a power of ten, zero included.
///
/// Steps with repeated labels are skipped: an axis of whole sessions up to 1 must not read 0, 0, 1.
/// plotters' own key points know no labels.
pub(super) fn scale(max: f64, write: &dyn Fn(f64) -> String) -> Scale {
    let max = super::length(max).unwrap_or(0.0);
    if max < f64::MIN_POSITIVE * 1e10 {
        return Scale { top: 1.0, ticks: vec![(0.0, write(0.0))] };
    }
    let power = (max / 4.0).log10().floor();
    for (factor, more) in [(1.0, 0.0), (2.0, 0.0), (5.0, 0.0), (1.0, 1.0), (2.0, 1.0), (5.0, 1.0), (1.0, 2.0)]
    {
        let step = factor * 10_f64.powf(power + more);
        let count = (max / step - 1e-9).ceil();
        if !(1.0..=4.0).contains(&count) {
            continue;
        }
        let ticks: Vec<(f64, String)> =
            (0..=4).map(f64::from).take_while(|&i| i <= count).map(|i| (i * step, write(i * step))).collect();
        let distinct = ticks.iter().zip(ticks.iter().skip(1)).all(|((_, a), (_, b))| a != b);
        if let (true, Some(&(top, _))) = (distinct, ticks.last()) {
            return Scale { top: top.max(max), ticks };
        }
    }
    Scale { top: max, ticks: vec![(0.0, write(0.0)), (max, write(max))] }
}

/// Draws grid lines with labels at the left, and returns the width of the labels.
pub(super) fn value_axis(
    area: &Area<'_>,
    scale: &Scale,
    top: i32,
    bottom: i32,
    right: i32,
) -> Result<i32, canvas::DrawError> {
    let texts = scale.ticks.iter().map(|(_, text)| SMALL.width(text));
    let room = texts.max().unwrap_or(0).min(WIDTH / 4);
    for (value, text) in &scale.ticks {
        let up = f64::from(bottom - top) * value / scale.top;
        let y = bottom - up.round() as i32;
        SMALL.muted().right().draw_cut(area, text, (room, y - SMALL.height() / 2), room)?;
        if *value > 0.0 {
            area.draw(&PathElement::new(vec![(room + GAP, y), (right, y)], Paint::Grid.style()))?;
        }
    }
    Ok(room + GAP)
}

/// The least distance between two labels, in tenths.
const LABEL_GAP: i32 = 60;

/// A label to draw: its index, and the position of its middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KeptLabel {
    pub(super) index: usize,
    pub(super) middle: i32,
}

/// Every nth label, with the least n at which none overlaps another; all are moved into `from..to`.
///
/// `labels` holds the middle and the width of each label, in order. Counted from the end, so that
/// the newest is always included.
pub(super) fn thin(labels: &[(i32, i32)], from: i32, to: i32) -> Vec<KeptLabel> {
    for step in 1..=labels.len().max(1) {
        let last = labels.len().saturating_sub(1);
        let mut edge = from - LABEL_GAP;
        let mut kept = Vec::new();
        let mut clear = true;
        for (index, &(middle, width)) in labels.iter().enumerate() {
            if !(last - index).is_multiple_of(step) || width == 0 {
                continue;
            }
            let left = (middle - width / 2).min(to - width).max(from);
            clear &= left >= edge + LABEL_GAP;
            edge = left + width;
            kept.push(KeptLabel { index, middle: left + width / 2 });
        }
        if clear {
            return kept;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(max: f64, places: usize) -> Vec<String> {
        scale(max, &|v| format!("{v:.places$}")).ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_cover_the_data() {
        assert_eq!(texts(7.0, 0), ["0", "2", "4", "6", "8"]);
        assert_eq!(texts(4.0, 0), ["0", "1", "2", "3", "4"]);
        assert_eq!(texts(9.0, 0), ["0", "5", "10"]);
        assert_eq!(texts(101.0, 0), ["0", "50", "100", "150"]);
        assert_eq!(texts(1.0, 1), ["0.0", "0.5", "1.0"]);
        assert_eq!(texts(1e9, 0), ["0", "500000000", "1000000000"]);
        assert_eq!(texts(0.03, 2), ["0.00", "0.01", "0.02", "0.03"]);
        for tenth in 1..20_000 {
            let max = f64::from(tenth) / 10.0;
            let scale = scale(max, &|v| format!("{v:.1}"));
            assert!(scale.top >= max && (2..=5).contains(&scale.ticks.len()), "{max}: {scale:?}");
            assert!(max / scale.top > 0.49, "{max} would leave half the chart empty: {scale:?}");
        }
    }

    #[test]
    fn whole_numbers_never_repeat_on_the_axis() {
        assert_eq!(texts(1.0, 0), ["0", "1"]);
        assert_eq!(texts(2.0, 0), ["0", "1", "2"]);
        assert_eq!(texts(3.0, 0), ["0", "1", "2", "3"]);
    }

    #[test]
    fn zero_and_extreme_maxima_have_an_axis() {
        for max in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-320] {
            assert_eq!(scale(max, &|v| v.to_string()).top, 1.0, "{max}");
        }
        for max in [1e-300, 1e15, 1e300] {
            let scale = scale(max, &|v| format!("{v:e}"));
            assert!(scale.top.is_finite() && scale.top > 0.0, "{scale:?}");
        }
    }

    #[test]
    fn as_many_labels_are_kept_as_fit() {
        let few = thin(&[(100, 80), (300, 80), (500, 80)], 0, 600);
        assert_eq!(few.iter().map(|kept| kept.index).collect::<Vec<_>>(), [0, 1, 2]);
        let days: Vec<(i32, i32)> = (0..31).map(|day| (60 + day * 120, 300)).collect();
        let kept = thin(&days, 0, 3780);
        let indices: Vec<usize> = kept.iter().map(|kept| kept.index).collect();
        assert_eq!(indices, [2, 6, 10, 14, 18, 22, 26, 30]);
    }

    #[test]
    fn labels_neither_overlap_nor_leave_the_axis() {
        for count in 1..60_i32 {
            for width in [0, 1, 70, 333, 900, 5000] {
                let labels: Vec<(i32, i32)> = (0..count).map(|i| (i * 4200 / count, width)).collect();
                let kept = thin(&labels, 0, 4200);
                for (a, b) in kept.iter().zip(kept.iter().skip(1)) {
                    assert!(b.middle - a.middle >= width + LABEL_GAP, "{count} of {width}");
                }
                if width > 0 && width <= 4200 {
                    assert!(kept.iter().all(|k| k.middle - width / 2 >= 0 && k.middle + width / 2 <= 4200));
                    assert!(!kept.is_empty());
                }
            }
        }
    }
}
