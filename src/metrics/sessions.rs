//! How much is asked of Devin, and by whom.

use polars::prelude::*;

use super::capabilities::Needs;
use super::dimension::Dim;
use super::metric::{Basis, Direction, Grain, Metric, MetricKind, Plan};
use super::period_frames::MERGED;
use crate::tables::schema as c;
use crate::unit::Unit;

/// The groupings of sessions and of what they cost.
pub(super) const VOLUME: &[&[Dim]] = &[
    &[],
    &[Dim::User],
    &[Dim::Tag],
    &[Dim::Team],
    &[Dim::Org],
    &[Dim::Day],
    &[Dim::Status],
    &[Dim::Period],
    &[Dim::Origin],
    &[Dim::Size],
    &[Dim::Category],
    &[Dim::Playbook],
    &[Dim::Mode],
];

/// The same, and how sessions rest.
const COUNTED: &[&[Dim]] = &[
    &[],
    &[Dim::User],
    &[Dim::Tag],
    &[Dim::Team],
    &[Dim::Org],
    &[Dim::Day],
    &[Dim::Status],
    &[Dim::StatusDetail],
    &[Dim::Period],
    &[Dim::Origin],
    &[Dim::Size],
    &[Dim::Category],
    &[Dim::Playbook],
    &[Dim::Mode],
];

/// Sessions.
pub const SESSIONS: Metric = Metric {
    id: "sessions",
    title: "Sessions",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Distinct sessions created in the period, including archived and child sessions.",
    needs: Needs::Nothing,
    groups: COUNTED,
    plan: Plan::Total(Grain::Session, || [len(), len()]),
};

/// People at work with Devin.
pub const ACTIVE_USERS: Metric = Metric {
    id: "active_users",
    title: "Active users",
    unit: Unit::Count,
    direction: Direction::More,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Distinct users who created at least one session. Sessions started by automation do not count.",
    needs: Needs::Nothing,
    groups: &[&[], &[Dim::Period]],
    plan: Plan::Total(Grain::Session, || [people(), len()]),
};

fn people() -> Expr {
    col(c::USER).filter(is_of_active_user()).n_unique()
}

/// Whether a session makes its user an active one.
pub(super) fn is_of_active_user() -> Expr {
    col(c::AUTOMATION).not().and(col(c::USER).is_not_null())
}

/// Sessions that no person started.
pub const AUTOMATION_SESSIONS: Metric = Metric {
    id: "automation_sessions",
    title: "Automated sessions",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Sessions that no person started: those of service users and, in v3, those whose origin \
        is automation, scheduled or code_scan.",
    needs: Needs::Api,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [col(c::AUTOMATION).sum(), len()]),
};

/// How much people have to say to Devin.
pub const USER_MESSAGES_MEDIAN: Metric = Metric {
    id: "user_messages_median",
    title: "Messages from people per session, median",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Quantile,
    basis: Basis::CountedSessions,
    definition: "Half of the sessions had at most this many messages from people (linear interpolation).",
    needs: Needs::V3,
    groups: &[&[], &[Dim::Size]],
    plan: Plan::Total(Grain::Session, || {
        [col(c::MESSAGES).quantile(lit(0.5), QuantileMethod::Linear), col(c::MESSAGES).count()]
    }),
};

/// How many sessions are large.
pub const LARGE_SESSION_SHARE: Metric = Metric {
    id: "large_session_share",
    title: "Large sessions",
    unit: Unit::Share,
    direction: Direction::Neutral,
    kind: MetricKind::Ratio,
    basis: Basis::SizedSessions,
    definition: "Sessions of size L or XL, divided by sessions of known size.",
    needs: Needs::V3,
    groups: &[&[], &[Dim::Period]],
    plan: Plan::Ratio(Grain::Session, || {
        let is_large = col(c::SIZE).eq(lit("l")).or(col(c::SIZE).eq(lit("xl")));
        [is_large.sum(), col(c::SIZE).count(), col(c::SIZE).count()]
    }),
};

/// How many of the sessions that deliver need no second message.
pub const ONE_MESSAGE_SHARE: Metric = Metric {
    id: "one_message_share",
    title: "Merged with one message",
    unit: Unit::Share,
    direction: Direction::More,
    kind: MetricKind::Ratio,
    basis: Basis::DeliveringSessions,
    definition: "Sessions with exactly one message from people and a merged pull request, divided by sessions \
        with a merged pull request and a known number of messages.",
    needs: Needs::V3,
    groups: &[&[]],
    plan: Plan::Ratio(Grain::Session, || {
        let delivering = || col(MERGED).and(col(c::MESSAGES).is_not_null());
        let is_one = delivering().and(col(c::MESSAGES).eq(lit(1)));
        [is_one.sum(), delivering().sum(), delivering().sum()]
    }),
};

/// Work that a limit cut short.
pub const SESSIONS_STOPPED_BY_LIMIT: Metric = Metric {
    id: "sessions_stopped_by_limit",
    title: "Sessions stopped by a limit",
    unit: Unit::Count,
    direction: Direction::Less,
    kind: MetricKind::Total,
    basis: Basis::Sessions,
    definition: "Suspended sessions for which a usage or session limit was reached, quota or credits ran \
        out, a payment was declined, or the contract expired.",
    needs: Needs::V3,
    groups: &[&[]],
    plan: Plan::Total(Grain::Session, || [col(c::LIMITED).sum(), len()]),
};
