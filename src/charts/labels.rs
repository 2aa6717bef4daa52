//! Labels along an axis: as many as fit, evenly chosen, none over another.

/// The least distance between two labels, in tenths.
const GAP: i32 = 60;

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
        let mut edge = from - GAP;
        let mut kept = Vec::new();
        let mut clear = true;
        for (index, &(middle, width)) in labels.iter().enumerate() {
            if !(last - index).is_multiple_of(step) || width == 0 {
                continue;
            }
            let left = (middle - width / 2).min(to - width).max(from);
            clear &= left >= edge + GAP;
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
                    assert!(b.middle - a.middle >= width + GAP, "{count} of {width}");
                }
                if width > 0 && width <= 4200 {
                    assert!(kept.iter().all(|k| k.middle - width / 2 >= 0 && k.middle + width / 2 <= 4200));
                    assert!(!kept.is_empty());
                }
            }
        }
    }
}
