//! The facts of people who come and go, and of members.

use std::collections::HashSet;

use polars::prelude::*;

use super::evaluation::Evaluation;
use super::fact::Fact;
use super::facts::Withheld;
use super::metric::Metric;
use super::period_frames::PeriodFrames;
use super::sessions::is_of_active_user;
use super::users::{ACTIVATION, LAPSED_USERS, MEMBERS, NEW_USERS, RETURNING_USERS};
use crate::people::ENOUGH;
use crate::tables::schema as c;

/// The facts of the metrics in `users.rs`, and those that a covered report leaves out, from the frames of each
/// period, in their order. Who comes and goes is counted for periods that follow one another in time,
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
    let numbers: [(&'static Metric, Option<usize>, usize); 3] = [
        (&NEW_USERS, new, own.len()),
        (&RETURNING_USERS, returning, own.len()),
        (&LAPSED_USERS, lapsed, of_previous),
    ];
    if evaluation.covered && !are_enough(own.len(), [new, returning, lapsed], earlier) {
        let withheld = |(metric, ..): (&'static Metric, _, _)| Withheld { metric, by: Vec::new() };
        return Ok((Vec::new(), numbers.map(withheld).into()));
    }
    let count = |(metric, value, n): (&'static Metric, Option<usize>, usize)| Fact {
        value: value.map(|value| value as f64),
        ..nothing(metric, n as f64)
    };
    facts.extend(numbers.map(count));
    Ok((facts, Vec::new()))
}

/// How many members there are, and how many of them are active; not in a covered report.
fn members(own: &HashSet<u32>, evaluation: &Evaluation<'_>) -> Vec<Fact> {
    let Some(members) = evaluation.members.filter(|_| !evaluation.covered) else { return Vec::new() };
    let (active, members) = (own.len() as f64, members as f64);
    let all = Fact { value: Some(members), ..nothing(&MEMBERS, members) };
    let share = Fact {
        // Somebody who was active may have left since.
        value: (active <= members && members > 0.0).then(|| active / members),
        numerator: Some(active),
        denominator: Some(members),
        ..nothing(&ACTIVATION, members)
    };
    vec![all, share]
}

/// Whether a covered report may show the numbers: all parts of the active users, and those who
/// lapsed, are enough people. None at all would be too few: it tells of everybody what they did not
/// do.
fn are_enough(active: usize, numbers: [Option<usize>; 3], earlier: usize) -> bool {
    let [Some(new), Some(returning), Some(lapsed)] = numbers else { return false };
    let back =
        active.checked_sub(new + returning).expect("new and returning users are active, and nobody is both");
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
