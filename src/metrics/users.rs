//! Who is new, came back or stayed away, and how many of the members are at work: the metrics.
//!
//! `user_facts.rs` computes them. They are no plans over the rows of one period: they compare the
//! people of several, or need the API's list of members. None of them has a previous value, because
//! how far back they look, and who is a member today, is not known of an earlier period.

use super::capabilities::Needs;
use super::metric::{Basis, Direction, Metric, MetricKind, Plan};
use crate::unit::Unit;

/// People who were not at work before.
pub const NEW_USERS: Metric = Metric {
    id: "new_users",
    title: "New users",
    unit: Unit::Count,
    direction: Direction::More,
    kind: MetricKind::Total,
    basis: Basis::People,
    definition: "Active users of the period who were not active in the earlier periods of the trend (with no \
        trend, in the period right before). No value if no earlier period is covered.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Derived,
};

/// People who were at work in the period right before as well.
pub const RETURNING_USERS: Metric = Metric {
    id: "returning_users",
    title: "Returning users",
    unit: Unit::Count,
    direction: Direction::More,
    kind: MetricKind::Total,
    basis: Basis::People,
    definition: "Active users of the period who were active in the one right before. No value while the \
        period still runs.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Derived,
};

/// People who were at work in the period right before and are no more.
pub const LAPSED_USERS: Metric = Metric {
    id: "lapsed_users",
    title: "Lapsed users",
    unit: Unit::Count,
    direction: Direction::Less,
    kind: MetricKind::Total,
    basis: Basis::People,
    definition: "Active users of the period right before who are not active in this one. No value while \
        the period still runs.",
    needs: Needs::Nothing,
    groups: &[&[]],
    plan: Plan::Derived,
};

/// People who could be at work.
pub const MEMBERS: Metric = Metric {
    id: "members",
    title: "Members",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: MetricKind::Total,
    basis: Basis::People,
    definition: "People in the API's list of members at the time of the fetch, service users left out. Only \
        if the whole list was read and no tag or user narrows the report.",
    needs: Needs::Api,
    groups: &[&[]],
    plan: Plan::Derived,
};

/// How many of the people who could be at work are.
pub const ACTIVATION: Metric = Metric {
    id: "activation",
    title: "Active share of members",
    unit: Unit::Share,
    direction: Direction::More,
    kind: MetricKind::Ratio,
    basis: Basis::People,
    definition: "Active users divided by members. Only where the number of members is known; no value if more \
        users were active than are members now.",
    needs: Needs::Api,
    groups: &[&[]],
    plan: Plan::Derived,
};
