//! A number of the whole period, or of one group, with the one it is compared with.

use serde::Serialize;

use super::comparable::Standard;
use crate::metrics::{Basis, Fact, Judgement, Metric, MetricKind};
use crate::unit::{Unit, percent_change};

/// A number.
#[derive(Clone, Serialize)]
pub struct Number {
    /// What it measures.
    pub metric: &'static Metric,
    /// Its name.
    pub title: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Its value; null where there is none.
    pub value: Option<f64>,
    /// The same of the previous period; null where the periods are not compared.
    pub previous: Option<f64>,
    /// What the previous value is multiplied by to be compared: 1, but for totals of periods of
    /// different lengths, which are compared per day.
    #[serde(skip_serializing_if = "is_one")]
    pub scale: f64,
    /// What it rests on.
    pub n: f64,
    /// Whether the change is good or bad news.
    pub judgement: Judgement,
    /// Whether it cannot be compared yet, because more pull requests are undecided than in the
    /// period it is compared with.
    pub is_maturing: bool,
    /// Whether the change exceeds chance.
    pub is_notable: bool,
    /// Whether it has too few cases to be trusted.
    pub is_faint: bool,
}

impl Number {
    /// The value and the previous one, unscaled, where they can be compared.
    pub fn compared(&self) -> Option<(f64, f64)> {
        self.value.zip(self.previous).filter(|_| !is_unknown(self.metric, self.n))
    }

    /// The number of a fact, under this name.
    pub fn of(title: &'static str, fact: &Fact, standard: Standard) -> Self {
        let Standard { per_day_scale, is_judged } = standard;
        let is_unknown = is_unknown(fact.metric, fact.n);
        Self {
            metric: fact.metric,
            title,
            unit: fact.unit,
            value: fact.value,
            previous: fact.previous,
            scale: fact.scale(per_day_scale),
            n: fact.n,
            judgement: match is_unknown || !is_judged {
                true => Judgement::Neutral,
                false => fact.judgement(per_day_scale),
            },
            is_maturing: fact.maturing && fact.previous.is_some(),
            is_notable: fact.notable,
            is_faint: is_faint(fact),
        }
    }
}

/// Whether a previous value is compared as it is.
pub fn is_one(scale: &f64) -> bool {
    *scale == 1.0
}

/// Ratios with fewer cases than this are faded.
pub const FEW: f64 = 10.0;

/// Whether a ratio has too few cases to be trusted, or no session has an analysis that could count
/// issues.
pub fn is_faint(fact: &Fact) -> bool {
    fact.metric.kind == MetricKind::Ratio && fact.n < FEW || is_unknown(fact.metric, fact.n)
}

/// Whether nothing is known: without analyses 0 issues are no good news.
fn is_unknown(metric: &Metric, n: f64) -> bool {
    metric.basis == Basis::AnalysedSessions && n == 0.0
}

/// The change of a fact in percent, with its sign: `+8%`, or `+8% per day` where the lengths of the
/// periods differ. `None` where there is nothing to compare, or the previous value was 0.
pub fn change_in_percent(fact: &Fact, per_day_scale: f64) -> Option<String> {
    let (now, before) = fact.compared(per_day_scale)?;
    let percent = percent_change(now, before)?;
    Some(if is_one(&fact.scale(per_day_scale)) { percent } else { format!("{percent} per day") })
}
