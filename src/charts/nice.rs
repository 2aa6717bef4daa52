//! Round numbers for a value axis.

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
}
