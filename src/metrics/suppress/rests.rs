//! What numbers rest on.

use crate::metrics::acus::ACUS;
use crate::metrics::metric::{Basis, Metric};
use crate::metrics::spend::SPEND;

/// What the values of a metric rest on. In a dimension, what is later here counts fewer
/// of the same things, or parts of them: a group that is hidden in one is hidden in
/// all that come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rests {
    /// Sessions.
    Sessions,
    /// Sessions with known ACUs, whose sum is shown with the number of all sessions.
    Acus,
    /// Sessions with known ACUs, whose number is shown.
    KnownSessions,
    /// Sessions with a known number of messages.
    CountedSessions,
    /// Distinct pull requests.
    PullRequests,
    /// Those that are merged or closed.
    DecidedPullRequests,
    /// Those that are merged, and the ACUs of their group.
    MergedPullRequests,
    /// Sessions with an analysis.
    AnalysedSessions,
}

impl Rests {
    /// What a metric rests on: what its `n` counts, but of sums of ACUs the sessions
    /// that are summed.
    pub fn of(metric: &Metric) -> Self {
        match metric.basis {
            Basis::Sessions if [ACUS.id, SPEND.id].contains(&metric.id) => Self::Acus,
            Basis::Sessions | Basis::SizedSessions | Basis::People => Self::Sessions,
            Basis::KnownSessions => Self::KnownSessions,
            Basis::CountedSessions | Basis::DeliveringSessions => Self::CountedSessions,
            Basis::PullRequests => Self::PullRequests,
            Basis::DecidedPullRequests => Self::DecidedPullRequests,
            Basis::MergedPullRequests => Self::MergedPullRequests,
            Basis::AnalysedSessions => Self::AnalysedSessions,
        }
    }

    /// Whether pull requests are counted.
    pub fn is_of_pull_requests(self) -> bool {
        matches!(self, Self::PullRequests | Self::DecidedPullRequests | Self::MergedPullRequests)
    }
}
