//! What a metric is: one constant with one plan.

use polars::prelude::{Expr, LazyFrame};

use super::capabilities::{Capabilities, Needs};
use super::dimension::Dim;
use super::period_frames::PeriodFrames;
use crate::unit::Unit;

/// Whether more of it is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More is good.
    More,
    /// Less is good.
    Less,
    /// Neither: no colour.
    Neutral,
}

/// What a metric says of an empty group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A count or a sum: nothing is 0.
    Total,
    /// Numerator and denominator: nothing is null.
    Ratio,
    /// A percentile or extreme: nothing is null.
    Quantile,
}

/// What `n` of a value counts; of two on one grain the one with fewer rows is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Sessions of the group.
    Sessions,
    /// Sessions of the group whose ACUs are known.
    KnownSessions,
    /// Distinct pull requests of the group.
    PullRequests,
    /// Distinct pull requests of the group that are merged or closed.
    DecidedPullRequests,
    /// Distinct pull requests of the group that are merged.
    MergedPullRequests,
    /// Sessions of the group that have an analysis.
    AnalysedSessions,
    /// Sessions of the group whose number of messages is known.
    CountedSessions,
    /// Sessions of the group whose size is known.
    SizedSessions,
    /// Sessions of the group that have a merged pull request and a known number of messages.
    DeliveringSessions,
    /// People.
    People,
}

impl Basis {
    /// What it counts rows of.
    pub fn grain(self) -> Grain {
        match self {
            Self::PullRequests | Self::DecidedPullRequests | Self::MergedPullRequests => Grain::PullRequest,
            _ => Grain::Session,
        }
    }

    /// The head of a column with the number.
    pub fn head(self) -> &'static str {
        match self {
            Self::Sessions
            | Self::KnownSessions
            | Self::CountedSessions
            | Self::SizedSessions
            | Self::DeliveringSessions => "Sessions",
            Self::People => "People",
            Self::PullRequests => "Pull requests",
            Self::DecidedPullRequests => "Decided",
            Self::MergedPullRequests => "Merged",
            Self::AnalysedSessions => "Analysed sessions",
        }
    }

    /// The words that follow the number.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::KnownSessions => "sessions with known ACUs",
            Self::PullRequests => "pull requests",
            Self::DecidedPullRequests => "decided pull requests",
            Self::MergedPullRequests => "merged pull requests",
            Self::AnalysedSessions => "analysed sessions",
            Self::CountedSessions => "sessions with a known number of messages",
            Self::SizedSessions => "sessions of known size",
            Self::DeliveringSessions => "sessions with a merged pull request and a known number of messages",
            Self::People => "people",
        }
    }
}

/// A number that the report can show, with its definition.
pub struct Metric {
    /// Its name in `facts.json`.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The unit of its value.
    pub unit: Unit,
    /// Whether more of it is good news.
    pub direction: Direction,
    /// What it says of an empty group.
    pub kind: MetricKind,
    /// What `n` counts.
    pub basis: Basis,
    /// Its definition in one or two sentences.
    pub definition: &'static str,
    /// What it needs to be known.
    pub needs: Needs,
    /// The groupings that it has; `&[]` is the whole period.
    pub groups: &'static [&'static [Dim]],
    /// How it is worked out.
    pub plan: Plan,
}

impl Metric {
    /// Whether the data can answer it in a grouping.
    pub fn is_known(&self, by: &[Dim], capabilities: Capabilities) -> bool {
        capabilities.meet(self.needs) && by.iter().all(|dim| capabilities.meet(dim.needs()))
    }

    /// Whether it is shown in a grouping: ACUs only where work is billed in them.
    pub fn is_shown(&self, by: &[Dim], capabilities: Capabilities) -> bool {
        self.is_known(by, capabilities) && (capabilities.metered || !self.is_of_acus())
    }

    /// Whether twice as many days have twice as much of it, so that periods of other lengths are
    /// compared per day: counts and sums, but no distinct people.
    pub fn adds_up_over_days(&self) -> bool {
        // Active users rest on sessions, and are people all the same.
        let is_of_people = self.basis == Basis::People || self.id == "active_users";
        self.kind == MetricKind::Total && !is_of_people
    }

    /// Whether it is made of ACUs or of what they cost.
    pub fn is_of_acus(&self) -> bool {
        self.id.starts_with("acus") || self.needs == Needs::Price
    }

    /// The unit of its values in a report: of money with the currency, of a covered
    /// report in whole units.
    pub fn unit_in(&self, capabilities: Capabilities, covered: bool) -> Unit {
        let unit = match (self.unit, capabilities.currency) {
            (Unit::Money(_), Some(currency)) => Unit::Money(currency),
            (unit, _) => unit,
        };
        if covered { unit.whole() } else { unit }
    }
}

/// How a metric is computed over the frames of a period, grouped by dimensions.
pub enum Plan {
    /// Its value, and `n`, over the rows of a grain: all such metrics of a grain and
    /// a grouping are worked out together.
    Total(Grain, fn() -> [Expr; 2]),
    /// The same of a ratio: numerator, denominator and `n`.
    Ratio(Grain, fn() -> [Expr; 3]),
    /// A frame of its own with a column for each dimension, `value`, `n` and, of a ratio,
    /// `numerator` and `denominator`.
    Own(fn(&PeriodFrames, &[Dim]) -> LazyFrame),
    /// Not from the rows of one period: from other facts, or from the people of several periods.
    Derived,
}

/// What a row of a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// A session.
    Session,
    /// A distinct pull request of a period.
    PullRequest,
}
