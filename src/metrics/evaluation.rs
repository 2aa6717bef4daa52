//! The question that metrics answer: which periods, from which data, for whom.

use chrono::{DateTime, Utc};

use super::capabilities::Capabilities;
use crate::cycle::BudgetCycle;
use crate::money::Prices;
use crate::period::Period;

/// The place of the period that the report's is compared with.
pub const COMPARED: usize = 1;

/// What the facts are about.
pub struct Evaluation<'a> {
    /// The report's period, the one it is compared with, and the trend's others, newest first. They
    /// may be apart, and the one that is compared may overlap points of the trend.
    pub periods: &'a [Period],
    /// The points of the trend, newest first, as places among the periods: the report's period and
    /// earlier ones without a gap.
    pub points: &'a [usize],
    /// Whether the report's period was over: only then it is compared.
    pub complete: bool,
    /// Which of the periods the source covers wholly: no other is compared.
    pub reached: &'a [bool],
    /// What the data can answer.
    pub capabilities: Capabilities,
    /// What an ACU costs.
    pub prices: Option<&'a Prices>,
    /// What may be spent in months or billing cycles; none without a budget.
    pub allowance: Option<Allowance>,
    /// Whether sessions have cost centres.
    pub cost_centres: bool,
    /// How far sessions are known.
    pub until: DateTime<Utc>,
    /// How many people are members of what the report is about; none where that is not known.
    pub members: Option<u64>,
    /// Whether any session of the report's period has a mode: else nothing is grouped by it.
    pub has_modes: bool,
    /// Whether the report is covered: no number in it is about fewer than five people.
    pub covered: bool,
    /// The team that the facts are about; `None` for all sessions.
    pub team: Option<&'a str>,
}

impl Evaluation<'_> {
    /// Whether two of the periods may be compared.
    pub fn compares(&self, index: usize, other: usize) -> bool {
        let reached = |index: usize| self.reached.get(index).is_some_and(|reached| *reached);
        self.complete && reached(index) && reached(other)
    }

    /// The place of the period right before one of them in time, if that was fetched.
    pub fn before(&self, index: usize) -> Option<usize> {
        let before = self.periods.get(index)?.previous()?;
        self.periods.iter().position(|period| *period == before)
    }

    /// What a total of the period that is compared is multiplied by: the lengths may differ.
    pub fn per_day_scale(&self) -> f64 {
        let compared = self.periods.first().zip(self.periods.get(COMPARED));
        compared.map_or(1.0, |(period, other)| period.per_day_scale(other))
    }
}

/// What may be spent in each of some months or billing cycles.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// The oldest first, one after the other.
    pub cycles: Vec<BudgetCycle>,
    /// How far sessions are known.
    pub until: DateTime<Utc>,
    /// When the report is made: a cycle that is over by then has no forecast.
    pub now: DateTime<Utc>,
    /// What may be spent in each, in the currency of the prices.
    pub amount: f64,
}
