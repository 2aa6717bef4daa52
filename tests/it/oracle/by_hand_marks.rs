//! The oracle's marks against weeks worked out by hand.

use serde_json::{Value, json};

use super::by_hand::week_41;
use super::{Asked, Expected, Kind, expect};

/// Weeks 36 to 41 of 2026: in each a session for each state, with one pull request in it. A week has
/// so many merged, closed and open ones, and so many ACUs a session.
pub fn weeks(of_weeks: [([usize; 3], f64); 6]) -> Vec<Value> {
    let mut records = Vec::new();
    let days = ["08-31", "09-07", "09-14", "09-21", "09-28", "10-05"];
    for (day, (numbers, acus)) in days.into_iter().zip(of_weeks) {
        for (state, number) in ["merged", "closed", "open"].into_iter().zip(numbers) {
            records.extend((0..number).map(|at| {
                let place = records_name(day, state, at);
                json!({
                    "session_id": place, "created_at": format!("2026-{day}T10:00:00Z"), "user_id": "u",
                    "acus_consumed": acus,
                    "pull_requests": [{"pr_url": format!("https://h/a/b-{place}/pull/1"), "pr_state": state}]
                })
            }));
        }
    }
    records
}

fn records_name(day: &str, state: &str, at: usize) -> String {
    format!("{day}-{state}-{at}")
}

/// A merge rate that falls from 90% to 70%, and ACUs that were 40 to 46 a week.
pub const USUAL: [([usize; 3], f64); 6] = [
    ([18, 2, 0], 2.0),
    ([18, 2, 1], 2.0),
    ([18, 2, 2], 2.0),
    ([18, 2, 3], 2.0),
    ([90, 10, 1], 0.4),
    ([70, 30, 1], 0.5),
];

fn marks(expected: &Expected, metric: &str, pairs: &[(&str, Option<&str>)]) -> (bool, bool) {
    let fact = expected.fact(metric, pairs).expect("it is expected");
    (fact.maturing, fact.notable)
}

fn asked() -> Asked {
    Asked { trend: 5, ..week_41("2026-11-01T00:00:00Z") }
}

#[test]
fn decided_weeks_are_compared_and_large_changes_are_notable() {
    let expected = expect(&weeks(USUAL), &asked());
    // 0.2 / √(0.8 · 0.2 · 2 / 100) = 3.5.
    assert_eq!(marks(&expected, "merge_rate", &[]), (false, true));
    // 20 / √160 = 1.58.
    assert_eq!(marks(&expected, "prs_merged", &[]), (false, false));
    // 20 / √40 = 3.2.
    assert_eq!(marks(&expected, "prs", &[("state", Some("closed"))]), (false, true));
    // 40, 42, 44, 46 and 40.4: mean 42.48, standard deviation 2.55; 50.5 is above 47.58.
    assert_eq!(marks(&expected, "acus", &[]), (false, true));
    // 2.2, 2.3, 2.4, 2.6 and 0.45 are no usual spread: 0.72 is within.
    assert_eq!(marks(&expected, "acus_per_merged_pr", &[]), (false, false));
    // W38 has 2 of 22, W39 3 of 23 undecided: 9 and 13 points more than none.
    let points = ["2026-W36", "2026-W37", "2026-W38", "2026-W39", "2026-W40", "2026-W41"];
    let maturing = points.map(|label| marks(&expected, "merge_rate", &[("period", Some(label))]).0);
    assert_eq!(maturing, [false, false, true, true, false, false]);
    assert_eq!(marks(&expected, "prs", &[("period", Some("2026-W39"))]), (false, false));
    assert_eq!(expected.fact("acus_per_merged_pr_expected", &[]), None);
}

#[test]
fn a_young_week_is_maturing_and_has_a_cost_to_expect() {
    let mut young = USUAL;
    young[5] = ([40, 10, 51], 0.5);
    let expected = expect(&weeks(young), &asked());
    for metric in ["merge_rate", "prs_merged", "merge_rate_all", "acus_per_merged_pr"] {
        assert!(marks(&expected, metric, &[]).0, "{metric}");
    }
    assert_eq!(marks(&expected, "prs_merged", &[("user", Some("u"))]), (true, true));
    assert_eq!(marks(&expected, "acus", &[]), (false, true));
    // 18 + 18 + 90 of 20 + 20 + 100: 0.9. 40 + 51 · 0.9 = 85.9.
    let fact = expected.fact("acus_per_merged_pr_expected", &[]).unwrap();
    assert_eq!((fact.numerator, fact.denominator, fact.n), (Some(50.5), Some(85.9), 40));
    assert_eq!(fact.value, Some(50.5 / 85.9));
    // Without a trend there is no rate to expect.
    let alone = expect(&weeks(young), &Asked { trend: 0, ..asked() });
    assert_eq!(alone.fact("acus_per_merged_pr_expected", &[]), None);
    assert!(marks(&alone, "merge_rate", &[]).0);
    // The one point of a trend is the oldest.
    assert!(!marks(&alone, "merge_rate", &[("period", Some("2026-W41"))]).0);
}

#[test]
fn months_of_other_lengths_are_compared_per_day() {
    // A session at noon of each day of January, March and July 2026 and twice of February, of 2 ACUs.
    let mut records = Vec::new();
    for (month, days, a_day) in [(1, 31, 1), (2, 28, 2), (3, 31, 1), (7, 31, 1)] {
        for at in (0..days).flat_map(|day| (0..a_day).map(move |at| (day, at))) {
            records.push(json!({
                "session_id": format!("{month}-{at:?}"), "user_id": format!("u{}", at.0),
                "created_at": format!("2026-{month:02}-{:02}T12:00:00Z", at.0 + 1), "acus_consumed": 2.0
            }));
        }
    }
    let asked = |month, compared| Asked {
        kind: Kind::Month { year: 2026, month },
        compare: Some(Kind::Month { year: 2026, month: compared }),
        trend: 0,
        ..week_41("2026-11-01T00:00:00Z")
    };
    // |31 / 31 − 56 / 28| / √(31 / 31² + 56 / 28²) = 3.1; not per day 25 / √87 = 2.7.
    let march = expect(&records, &asked(3, 2));
    assert_eq!(march.fact("sessions", &[]).unwrap().previous, Some(56.0));
    assert_eq!(marks(&march, "sessions", &[]), (false, true));
    // 31 people after 28 are no more than chance either way.
    assert_eq!(marks(&march, "active_users", &[]), (false, false));
    // As many a day.
    assert_eq!(marks(&expect(&records, &asked(7, 1)), "sessions", &[]), (false, false));
    assert_eq!(march.previous.label, "2026-02");
    // Nobody is known of February right before July.
    assert!(expect(&records, &asked(7, 1)).fact("returning_users", &[]).is_none());
    assert_eq!(march.fact("returning_users", &[]).unwrap().value, Some(28.0));
}
