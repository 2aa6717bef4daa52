//! The subject of a mail: the period in one line.

use crate::metrics::{ACUS, Facts, MERGE_RATE, PRS, SESSIONS};
use crate::period::PeriodKind;
use crate::report::alerts;
use crate::report::number::change_in_percent;
use crate::text::clean;
use crate::unit::{count, counted};

/// The longest tag that a subject names.
const LONGEST_TAG: usize = 30;

/// `Devin, week 41 (5–11 Oct): 412 ACUs (+8 %), 31 of 39 decided PRs merged`.
///
/// An alert comes first: `Alert: ACUs per merged pull request 14.2, above 12.5 · Devin, week 41 …`, or
/// `2 alerts · Devin, week 41 …`.
///
/// Filters are mentioned without user ids, because subjects appear on locked screens.
pub fn subject(facts: &Facts) -> String {
    let period = facts.report_period();
    let so_far = if !facts.is_over() { " so far" } else { "" };
    let when = match period.kind() {
        PeriodKind::Week => format!("{}{so_far} ({})", period.name().to_lowercase(), period.dates_in_short()),
        PeriodKind::Month => format!("{}{so_far}", period.name()),
        PeriodKind::Quarter => format!("{}{so_far}", period.name().to_lowercase()),
        PeriodKind::Days => format!("{}{so_far}", period.dates_in_short()),
    };
    let alerts = alerts::in_subject(facts);
    format!("{alerts}Devin, {when}{}: {}", narrowed(facts), headline(facts))
}

fn narrowed(facts: &Facts) -> String {
    let team = facts.source.team.as_ref().map(|team| format!(", team {}", clean(team, LONGEST_TAG)));
    let tags = match facts.source.tags.as_slice() {
        [] => String::new(),
        [tag] => format!(", tag {}", clean(tag, LONGEST_TAG)),
        tags => format!(", {} tags", tags.len()),
    };
    let users = match facts.source.users.len() {
        0 => String::new(),
        1 => ", 1 user".to_owned(),
        users => format!(", {users} users"),
    };
    team.unwrap_or_default() + &tags + &users
}

fn headline(facts: &Facts) -> String {
    let value = |metric| facts.whole(metric).and_then(|fact| fact.value).unwrap_or(0.0);
    let sessions = value(&SESSIONS);
    if sessions == 0.0 {
        return "no sessions".to_owned();
    }
    let number_and_change = |metric| {
        let fact = facts.whole(metric);
        let change = fact.and_then(|fact| change_in_percent(fact, facts.per_day_scale()));
        let change = change.map(|change| format!(" ({change})")).unwrap_or_default();
        (facts.unit(metric).text(fact.and_then(|fact| fact.value)), change)
    };
    let spent = match facts.quality.acus_unknown.is_some_and(|unknown| unknown as f64 >= sessions) {
        _ if !facts.source.metered => {
            let (number, change) = number_and_change(&SESSIONS);
            let things = if sessions == 1.0 { "session" } else { "sessions" };
            format!("{number} {things}{change}, not metered")
        }
        true => "ACUs unknown".to_owned(),
        false => {
            let (number, change) = number_and_change(&ACUS);
            format!("{number} ACUs{change}")
        }
    };
    let Some(prs) = facts.whole(&PRS) else { return spent };
    let (prs, rate) = (prs.value.unwrap_or(0.0), facts.whole(&MERGE_RATE));
    // The two numbers of the merge rate, as on the page's tile.
    let merged = match rate.map(|rate| (rate.numerator(), rate.denominator())) {
        _ if prs == 0.0 => "no PRs".to_owned(),
        None => counted(prs, "PR", "PRs"),
        Some((_, 0.0)) => format!("{}, none decided", counted(prs, "PR", "PRs")),
        Some((merged, decided)) => {
            let prs = if decided == 1.0 { "PR" } else { "PRs" };
            format!("{} of {} decided {prs} merged", count(merged), count(decided))
        }
    };
    format!("{spent}, {merged}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metric;

    /// The demo's week with other numbers.
    fn week(numbers: &[(&Metric, f64, Option<f64>)]) -> Facts {
        let mut facts = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        for (metric, value, previous) in numbers {
            let own = |fact: &&mut crate::metrics::Fact| fact.metric.id == metric.id && fact.group.is_empty();
            let fact = facts.facts.iter_mut().find(own).unwrap();
            (fact.value, fact.previous) = (Some(*value), *previous);
        }
        facts
    }

    /// The same facts with another merge rate.
    fn decided(mut facts: Facts, merged: f64, decided: f64) -> Facts {
        let own = |fact: &&mut crate::metrics::Fact| fact.metric.id == MERGE_RATE.id && fact.group.is_empty();
        let rate = facts.facts.iter_mut().find(own).unwrap();
        (rate.numerator, rate.denominator) = (Some(merged), Some(decided));
        facts
    }

    #[test]
    fn subject_and_tile_have_the_same_merge_counts() {
        let facts = decided(week(&[(&PRS, 40.0, None)]), 31.0, 39.0);
        let tiles = crate::report::tiles::tiles(&facts);
        let tile = tiles.iter().find(|tile| tile.number.metric.id == MERGE_RATE.id).unwrap();
        assert_eq!(tile.basis, "31 of 39 decided");
        assert!(subject_of(&facts, "2026-W41").ends_with(&format!("{} PRs merged", tile.basis)));
    }

    fn subject_of(facts: &Facts, label: &str) -> String {
        let mut facts = facts.clone();
        facts.period.label = label.to_owned();
        subject(&facts)
    }

    #[test]
    fn a_week_is_one_line() {
        let facts = decided(week(&[(&ACUS, 412.3, Some(381.0)), (&PRS, 40.0, None)]), 31.0, 39.0);
        assert_eq!(
            subject_of(&facts, "2026-W41"),
            "Devin, week 41 (5–11 Oct): 412 ACUs (+8%), 31 of 39 decided PRs merged"
        );
        assert!(subject_of(&facts, "2026-10").starts_with("Devin, October 2026: 412 ACUs"));
        assert!(subject_of(&facts, "2026-10-05_2026-10-06").starts_with("Devin, 5–6 Oct: 412 ACUs"));
    }

    #[test]
    fn a_change_between_periods_of_different_lengths_is_per_day() {
        let mut facts = week(&[(&ACUS, 620.0, Some(500.0))]);
        facts.previous.label = "2026-02".to_owned();
        // 20 a day against 17.9.
        assert!(subject_of(&facts, "2026-03").starts_with("Devin, March 2026: 620 ACUs (+12% per day), "));
    }

    #[test]
    fn few_and_unknown_numbers_are_worded_correctly() {
        let few = || week(&[(&ACUS, 3.5, None), (&PRS, 1.0, None)]);
        assert!(
            subject_of(&decided(few(), 0.0, 1.0), "2026-W41")
                .ends_with(": 3.50 ACUs, 0 of 1 decided PR merged")
        );
        assert!(
            subject_of(&decided(few(), 0.0, 0.0), "2026-W41").ends_with(": 3.50 ACUs, 1 PR, none decided")
        );
        let mut covered = few();
        covered.facts.retain(|fact| fact.metric.id != MERGE_RATE.id);
        assert!(subject_of(&covered, "2026-W41").ends_with(": 3.50 ACUs, 1 PR"));
        let facts = week(&[(&ACUS, 0.0, Some(0.0)), (&PRS, 0.0, None)]);
        assert!(subject_of(&facts, "2026-W41").ends_with(": 0 ACUs, no PRs"));
        assert!(subject_of(&week(&[(&SESSIONS, 0.0, None)]), "2026-W41").ends_with(": no sessions"));
        let mut facts = week(&[(&SESSIONS, 9.0, None), (&ACUS, 0.0, None), (&PRS, 0.0, None)]);
        facts.quality.acus_unknown = Some(9);
        assert!(subject_of(&facts, "2026-W41").ends_with(": ACUs unknown, no PRs"));
    }

    #[test]
    fn subjects_mention_running_periods_and_filters_without_names() {
        let mut facts = week(&[]);
        facts.period.complete = Some(false);
        facts.source.tags = vec!["pay\u{202e}\nments".to_owned()];
        facts.source.users = vec!["ada@example.com".to_owned()];
        let subject_of = subject_of(&facts, "2026-W41");
        assert!(
            subject_of.starts_with("Devin, week 41 so far (5–11 Oct), tag pay ments, 1 user: "),
            "{subject_of}"
        );
    }
}
