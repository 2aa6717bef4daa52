//! The subject of a mail: the whole week in one line of an inbox.

use crate::metrics::{ACUS, Facts, PRS, PRS_MERGED, SESSIONS};
use crate::period::{Kind, Period};
use crate::text::clean;
use crate::unit::{Unit, percent_change};

/// The longest tag that a subject names.
const LONGEST_TAG: usize = 30;

/// `Devin, week 41 (5–11 Oct): 412 ACUs (+8 %), 31 of 40 PRs merged`.
///
/// A narrowed question says so, without anybody's id: a subject is read over
/// shoulders and on locked screens.
pub fn subject(facts: &Facts, period: &Period) -> String {
    let so_far = if facts.period.complete == Some(false) { " so far" } else { "" };
    let when = match period.kind() {
        Kind::Week => format!("{}{so_far} ({})", period.name().to_lowercase(), period.dates_in_short()),
        Kind::Month => format!("{}{so_far}", period.name()),
        Kind::Quarter => format!("{}{so_far}", period.name().to_lowercase()),
        Kind::Days => format!("{}{so_far}", period.dates_in_short()),
    };
    format!("Devin, {when}{}: {}", narrowed(facts), headline(facts))
}

fn narrowed(facts: &Facts) -> String {
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
    tags + &users
}

fn headline(facts: &Facts) -> String {
    let value = |metric| facts.whole(metric).and_then(|fact| fact.value).unwrap_or(0.0);
    let sessions = value(&SESSIONS);
    if sessions == 0.0 {
        return "no sessions".to_owned();
    }
    let count = |number| Unit::Count.text(Some(number));
    let told = |metric| {
        let fact = facts.whole(metric);
        let change = fact.and_then(|fact| percent_change(fact.value?, fact.previous?));
        let change = change.map(|change| format!(" ({change})")).unwrap_or_default();
        (facts.unit(metric).text(fact.and_then(|fact| fact.value)), change)
    };
    let spent = match facts.quality.acus_unknown.is_some_and(|unknown| unknown as f64 >= sessions) {
        _ if !facts.known.metered => {
            let (number, change) = told(&SESSIONS);
            let things = if sessions == 1.0 { "session" } else { "sessions" };
            format!("{number} {things}{change}, not metered")
        }
        true => "ACUs unknown".to_owned(),
        false => {
            let (number, change) = told(&ACUS);
            format!("{number} ACUs{change}")
        }
    };
    if facts.whole(&PRS).is_none() {
        return spent;
    }
    let merged = match value(&PRS) {
        0.0 => "no PRs".to_owned(),
        1.0 => format!("{} of 1 PR merged", count(value(&PRS_MERGED))),
        prs => format!("{} of {} PRs merged", count(value(&PRS_MERGED)), count(prs)),
    };
    format!("{spent}, {merged}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metric;

    /// The demo's week with other numbers.
    fn week(numbers: &[(&Metric, f64, Option<f64>)]) -> Facts {
        let mut facts = Facts::from_json(include_str!("../../../reports/org_demo_2026-W41.json")).unwrap();
        for (metric, value, previous) in numbers {
            let own = |fact: &&mut crate::metrics::Fact| fact.metric.id == metric.id && fact.group.is_empty();
            let fact = facts.facts.iter_mut().find(own).unwrap();
            (fact.value, fact.previous) = (Some(*value), *previous);
        }
        facts
    }

    fn told(facts: &Facts, label: &str) -> String {
        subject(facts, &Period::parse_label(label, chrono_tz::UTC).unwrap())
    }

    #[test]
    fn a_week_is_one_line() {
        let facts = week(&[(&ACUS, 412.3, Some(381.0)), (&PRS, 40.0, None), (&PRS_MERGED, 31.0, None)]);
        assert_eq!(
            told(&facts, "2026-W41"),
            "Devin, week 41 (5–11 Oct): 412 ACUs (+8\u{a0}%), 31 of 40 PRs merged"
        );
        assert!(told(&facts, "2026-10").starts_with("Devin, October 2026: 412 ACUs"));
        assert!(told(&facts, "2026-10-05_2026-10-06").starts_with("Devin, 5–6 Oct: 412 ACUs"));
    }

    #[test]
    fn what_is_little_or_unknown_is_said_as_it_is() {
        let facts = week(&[(&ACUS, 3.5, None), (&PRS, 1.0, None), (&PRS_MERGED, 0.0, None)]);
        assert!(told(&facts, "2026-W41").ends_with(": 3.50 ACUs, 0 of 1 PR merged"));
        let facts = week(&[(&ACUS, 0.0, Some(0.0)), (&PRS, 0.0, None)]);
        assert!(told(&facts, "2026-W41").ends_with(": 0 ACUs, no PRs"));
        assert!(told(&week(&[(&SESSIONS, 0.0, None)]), "2026-W41").ends_with(": no sessions"));
        let mut facts = week(&[(&SESSIONS, 9.0, None), (&ACUS, 0.0, None), (&PRS, 0.0, None)]);
        facts.quality.acus_unknown = Some(9);
        assert!(told(&facts, "2026-W41").ends_with(": ACUs unknown, no PRs"));
    }

    #[test]
    fn a_running_period_and_a_narrowed_question_say_so_and_name_nobody() {
        let mut facts = week(&[]);
        facts.period.complete = Some(false);
        facts.source.tags = vec!["pay\u{202e}\nments".to_owned()];
        facts.source.users = vec!["ada@example.com".to_owned()];
        let told = told(&facts, "2026-W41");
        assert!(told.starts_with("Devin, week 41 so far (5–11 Oct), tag pay ments, 1 user: "), "{told}");
    }
}
