//! Rules for alerts, as the settings file gives them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The metric of a rule about the share of a budget that is used.
pub const BUDGET: &str = "budget";
/// The metric of a rule about the share of a budget that its month or cycle will use at this pace.
pub const BUDGET_FORECAST: &str = "budget_forecast";
/// What a value must rest on if the rule does not say.
pub const MIN_N: u32 = 10;
/// As the key of a group: every group of the dimension that has a name.
pub const EVERY: &str = "*";

/// When a report has an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRule {
    /// The id of a metric, [`BUDGET`] or [`BUDGET_FORECAST`].
    pub metric: String,
    /// Keys of the group by the names of its dimensions: [`EVERY`], or empty for the group without a
    /// name. No dimension: the whole period.
    pub group: BTreeMap<String, String>,
    /// On which side of a threshold a value must be.
    pub bound: Bound,
    /// The thresholds; of several that a value exceeds, the farthest counts. Shares are fractions.
    pub thresholds: Vec<f64>,
    /// Whether one of them is written in percent.
    pub has_percent: bool,
    /// What the value must rest on.
    pub min_n: u32,
    /// The report that it is for, by its name; none for every report about all sessions.
    pub report: Option<String>,
    /// Its line in the settings file, for messages.
    pub line: usize,
}

impl AlertRule {
    /// Whether the rule is about a report: one of this name, or one without a rule of its own that is
    /// about all sessions.
    pub fn is_about(&self, report: Option<&str>, is_whole: bool) -> bool {
        match &self.report {
            Some(name) => report == Some(name),
            None => is_whole,
        }
    }
}

/// On which side of a threshold a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Above it.
    Above,
    /// Below it.
    Below,
}

/// Sums are not exact in binary: what exceeds a threshold by less is equal to it.
const TOLERANCE: f64 = 1e-9;

impl Bound {
    /// The word for it, in settings and in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
        }
    }

    /// Whether a value is on this side of a threshold. One that is equal to it is not.
    pub fn is_exceeded(self, value: f64, threshold: f64) -> bool {
        self.distance(value, threshold) > TOLERANCE * threshold.abs().max(1.0)
    }

    /// The farthest threshold that a value exceeds; `None` if it exceeds none.
    pub fn farthest_exceeded(self, value: f64, thresholds: &[f64]) -> Option<f64> {
        let exceeded = thresholds.iter().copied().filter(|threshold| self.is_exceeded(value, *threshold));
        exceeded.min_by(|one, other| self.distance(value, *one).total_cmp(&self.distance(value, *other)))
    }

    /// How far a value is beyond a threshold; negative if it is on the other side.
    pub fn distance(self, value: f64, threshold: f64) -> f64 {
        match self {
            Self::Above => value - threshold,
            Self::Below => threshold - value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equal_to_its_threshold_does_not_exceed_it() {
        for bound in [Bound::Above, Bound::Below] {
            assert!(!bound.is_exceeded(12.5, 12.5));
            // The sum of a tenth and two tenths is a little more than three tenths.
            assert!(!bound.is_exceeded(0.1 + 0.2, 0.3));
            assert!(!bound.is_exceeded(f64::NAN, 1.0) && !bound.is_exceeded(1.0, f64::NAN));
        }
        assert!(Bound::Above.is_exceeded(12.51, 12.5) && !Bound::Above.is_exceeded(12.49, 12.5));
        assert!(Bound::Below.is_exceeded(12.49, 12.5) && !Bound::Below.is_exceeded(12.51, 12.5));
    }

    #[test]
    fn of_several_thresholds_the_farthest_exceeded_counts() {
        let shares = [0.8, 0.5, 1.0];
        let above = |value| Bound::Above.farthest_exceeded(value, &shares);
        assert_eq!([above(0.5), above(0.6), above(0.9), above(1.2)], [None, Some(0.5), Some(0.8), Some(1.0)]);
        let below = |value| Bound::Below.farthest_exceeded(value, &shares);
        assert_eq!([below(1.0), below(0.9), below(0.2)], [None, Some(1.0), Some(0.5)]);
    }

    #[test]
    fn a_rule_without_a_report_is_about_reports_on_all_sessions() {
        let rule = |report: Option<&str>| AlertRule {
            metric: BUDGET.to_owned(),
            group: BTreeMap::new(),
            bound: Bound::Above,
            thresholds: vec![1.0],
            has_percent: false,
            min_n: MIN_N,
            report: report.map(str::to_owned),
            line: 1,
        };
        assert!(rule(None).is_about(None, true) && !rule(None).is_about(None, false));
        assert!(rule(None).is_about(Some("teams"), true));
        assert!(rule(Some("teams")).is_about(Some("teams"), false));
        assert!(!rule(Some("teams")).is_about(None, true) && !rule(Some("teams")).is_about(Some("x"), true));
    }
}
