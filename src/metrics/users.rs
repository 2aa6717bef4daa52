//! Who is new, came back or stayed away, and how many of the members are at work.
//!
//! These are no plans over the rows of one period: they compare the people of several, or need the
//! API's list of members. None of them has a previous value, because how far back they look, and
//! who is a member today, is not known of an earlier period.

use std::collections::HashSet;

use polars::prelude::*;

use super::capabilities::Needs;
use super::evaluation::Evaluation;
use super::fact::Fact;
use super::facts::Withheld;
use super::metric::{Basis, Direction, Metric, MetricKind, Plan};
use super::period_frames::PeriodFrames;
use super::registry::METRICS;
use super::sessions::is_of_active_user;
use crate::people::ENOUGH;
use crate::tables::schema as c;
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

/// The facts of these metrics, and those that a covered report leaves out, from the frames of each
/// period, in their order. Who comes and goes is told of periods that follow one another in time,
/// whatever the report is compared with: it is left out if the one right before was not fetched.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn facts(
    periods: &[PeriodFrames],
    evaluation: &Evaluation<'_>,
) -> PolarsResult<(Vec<Fact>, Vec<Withheld>)> {
    let own = &active_users(periods.first().expect("a report has a period"))?;
    let mut facts = members(own, evaluation);
    let Some(right_before) = evaluation.before(0) else { return Ok((facts, Vec::new())) };
    // What comes before a gap may be the first that is known of somebody.
    let mut known: Vec<usize> = evaluation.points.iter().copied().skip(1).collect();
    let is_reached = evaluation.reached.get(right_before).is_some_and(|is_reached| *is_reached);
    if known.is_empty() && is_reached {
        known.push(right_before);
    }
    let earlier = known.len();
    let frames = known.iter().filter_map(|place| periods.get(*place));
    let before = frames.map(active_users).collect::<PolarsResult<Vec<_>>>()?;
    let previous = before.first().filter(|_| evaluation.compares(0, right_before));
    let new =
        (earlier > 0).then(|| own.iter().filter(|user| !before.iter().any(|users| users.contains(user))));
    let new = new.map(Iterator::count);
    let returning = previous.map(|previous| own.intersection(previous).count());
    let lapsed = previous.map(|previous| previous.difference(own).count());
    let of_previous = previous.map_or(0, HashSet::len);
    let numbers = [
        (NEW_USERS.id, new, own.len()),
        (RETURNING_USERS.id, returning, own.len()),
        (LAPSED_USERS.id, lapsed, of_previous),
    ];
    if evaluation.covered && !are_enough(own.len(), [new, returning, lapsed], earlier) {
        let withheld =
            |(id, ..): (&str, Option<usize>, usize)| Withheld { metric: metric(id), by: Vec::new() };
        return Ok((Vec::new(), numbers.map(withheld).into()));
    }
    let count = |(id, value, n): (_, Option<usize>, usize)| Fact {
        value: value.map(|value| value as f64),
        ..nothing(metric(id), n as f64)
    };
    facts.extend(numbers.map(count));
    Ok((facts, Vec::new()))
}

/// How many members there are, and how many of them are active; not in a covered report.
fn members(own: &HashSet<u32>, evaluation: &Evaluation<'_>) -> Vec<Fact> {
    let Some(members) = evaluation.members.filter(|_| !evaluation.covered) else { return Vec::new() };
    let (active, members) = (own.len() as f64, members as f64);
    let all = Fact { value: Some(members), ..nothing(metric(MEMBERS.id), members) };
    let share = Fact {
        // Somebody who was active may have left since.
        value: (active <= members && members > 0.0).then(|| active / members),
        numerator: Some(active),
        denominator: Some(members),
        ..nothing(metric(ACTIVATION.id), members)
    };
    vec![all, share]
}

/// Whether a covered report may show the numbers: all parts of the active users, and those who
/// lapsed, are enough people. None at all would be too few: it tells of everybody what they did not
/// do.
fn are_enough(active: usize, numbers: [Option<usize>; 3], earlier: usize) -> bool {
    let [Some(new), Some(returning), Some(lapsed)] = numbers else { return false };
    let back = active.saturating_sub(new + returning);
    // With one earlier period everybody is either new or returning.
    let parts = [Some(new), Some(returning), Some(lapsed), (earlier > 1).then_some(back)];
    parts.into_iter().flatten().all(|people| people >= ENOUGH as usize)
}

/// The users that `active_users` counts, by their number among all texts.
fn active_users(frames: &PeriodFrames) -> PolarsResult<HashSet<u32>> {
    let users = frames.sessions(&[]).filter(is_of_active_user()).select([col(c::USER)]).collect()?;
    let users = users.column(c::USER)?.as_materialized_series().to_physical_repr().into_owned();
    Ok(users.u32()?.iter().flatten().collect())
}

fn metric(id: &str) -> &'static Metric {
    METRICS.iter().find(|metric| metric.id == id).expect("these metrics are in the registry")
}

fn nothing(metric: &'static Metric, n: f64) -> Fact {
    Fact {
        metric,
        unit: metric.unit,
        group: Vec::new(),
        value: None,
        numerator: None,
        denominator: None,
        n,
        previous: None,
        previous_n: 0.0,
        maturing: false,
        notable: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covered_report_shows_people_who_come_and_go_only_if_every_part_is_enough() {
        let shown = |active, new, returning, lapsed, earlier| {
            are_enough(active, [Some(new), Some(returning), Some(lapsed)], earlier)
        };
        assert!(shown(20, 5, 10, 5, 7));
        assert!(!shown(20, 4, 10, 5, 7) && !shown(20, 5, 10, 4, 7) && !shown(20, 5, 4, 5, 7));
        // Four came back after a break; none did.
        assert!(!shown(19, 5, 10, 5, 7) && !shown(15, 5, 10, 5, 7));
        // With one earlier period nobody can.
        assert!(shown(15, 5, 10, 5, 1));
        assert!(!shown(20, 0, 15, 5, 7) && !shown(20, 5, 10, 0, 7));
        assert!(!are_enough(20, [Some(10), None, None], 7));
    }
}
