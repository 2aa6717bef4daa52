//! Whether there is enough to compare a period by.

use super::previous_name;
use crate::metrics::{ENOUGH_POINTS, Facts, PRS, SESSIONS, UNDECIDED_PRS};
use crate::unit::count;

/// Shares and comparisons need at least this many cases.
pub const MIN_BASIS: f64 = 10.0;

/// What numbers are compared by.
#[derive(Clone, Copy)]
pub struct Standard {
    /// See [`Facts::per_day_scale`].
    pub per_day_scale: f64,
    /// Whether both periods have enough sessions for a change to be good or bad news.
    pub is_judged: bool,
}

impl Standard {
    /// That of a report.
    pub fn of(facts: &Facts) -> Self {
        Self {
            per_day_scale: facts.per_day_scale(),
            is_judged: !has_few_sessions(facts) && !had_few_sessions(facts),
        }
    }
}

/// Whether the period has too few sessions to be compared.
pub fn has_few_sessions(facts: &Facts) -> bool {
    facts.whole(&SESSIONS).and_then(|fact| fact.value).is_none_or(|sessions| sessions < MIN_BASIS)
}

/// Whether the period that it is compared with has too few.
pub fn had_few_sessions(facts: &Facts) -> bool {
    facts.whole(&SESSIONS).and_then(|fact| fact.previous).is_none_or(|sessions| sessions < MIN_BASIS)
}

/// Whether enough earlier periods are known to tell chance from change in sums and ratios of sums.
pub fn has_spread(facts: &Facts) -> bool {
    facts.trend.len() > ENOUGH_POINTS
}

/// How many pull requests are undecided, and how many were in the period that is compared.
pub fn undecided(facts: &Facts, noun: &str) -> String {
    let previous = previous_name(facts);
    let parts = facts.whole(&UNDECIDED_PRS).zip(facts.whole(&PRS));
    let counts = parts.and_then(|(undecided, all)| {
        Some([undecided.value?, all.value?, undecided.previous?, all.previous?].map(count))
    });
    match counts {
        Some([undecided, all, undecided_before, all_before]) => {
            format!("{undecided} of {all} {noun} undecided, {undecided_before} of {all_before} in {previous}")
        }
        None => format!("more {noun} undecided than in {previous}"),
    }
}
