//! The oracle against numbers that were worked out by hand: two small weeks,
//! every fact of them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Asked, Expected, Kind, expect};

/// A week of five sessions after one of two; served in no order at all.
pub fn two_weeks() -> Vec<Value> {
    vec![
        json!({
            "session_id": "devin-s5", "created_at": "2026-10-11T23:59:59Z", "updated_at": "2026-10-11T23:59:59Z",
            "tags": [], "acus_consumed": -1
        }),
        json!({
            "session_id": "s4", "user_id": "bot_apk", "service_user_id": "svc1", "org_id": "o1",
            "created_at": "2026-10-08T10:00:00.250Z", "updated_at": "2026-10-08T11:00:00Z",
            "tags": ["payments"], "status": "weird", "acus_consumed": 0.5,
            "pull_requests": [
                {"pr_url": null, "pr_state": "merged"},
                {"url": "https://GitLab.example.com/g/sub/web/-/merge_requests/9", "state": "open"}
            ],
            "session_analysis": {
                "issues": [
                    {"issue": "a", "impact": "critical", "label": " Testing "},
                    {"issue": "b", "impact": "HIGH", "label": ""}
                ],
                "action_items": null, "suggested_prompt": {"feedback_items": []}
            }
        }),
        json!({
            "session_id": "devin-s1", "user_id": "u1", "org_id": "o1",
            "created_at": "2026-10-05T11:00:00+02:00", "updated_at": "2026-10-05T12:00:00Z",
            "tags": ["auth", "payments"], "status": "exit", "acus_consumed": 4,
            "pull_requests": [
                {"pr_url": "https://github.com/acme/api/pull/1", "pr_state": "merged", "state": "merged"}
            ],
            "session_analysis": {
                "issues": [
                    {"issue": "a", "impact": "High", "label": "Testing"},
                    {"issue": "b", "impact": "medium", "label": "Testing"}
                ],
                "action_items": [{"type": "repo_config", "action_item": "x"}, {"type": null}],
                "suggested_prompt": {"feedback_items": [{"summary": "s"}]}
            }
        }),
        json!({
            "session_id": "s2", "user_id": "u1", "service_user_id": " ", "org_id": "o1",
            "created_at": "2026-10-05T23:30:00", "updated_at": "2026-10-06T12:00:00Z",
            "tags": [" auth ", "auth", "", null], "status": " exit ", "acus_consumed": "12.5",
            "pull_requests": [
                {"pr_url": "HTTPS://GitHub.com/acme/api/pull/1/?diff=split#top", "pr_state": "open"},
                {"url": "https://github.com/acme/api/pull/2", "state": "Closed"}
            ],
            "session_analysis": {}
        }),
        json!({
            "session_id": "s3", "user_id": "u2", "service_user_id": null, "org_id": "o1",
            "created_at": "2026-10-07 08:00:00Z", "updated_at": "2026-10-07T09:00:00Z",
            "tags": null, "status": "suspended", "acus_consumed": 3.0,
            "pull_requests": null, "session_analysis": null
        }),
        json!({
            "session_id": "p2", "user_id": "u3", "org_id": "o1",
            "created_at": "2026-10-01T09:00:00Z", "updated_at": "2026-10-01T10:00:00Z",
            "tags": [" "], "status": "exit", "acus_consumed": 2, "session_analysis": {"issues": []}
        }),
        json!({
            "session_id": "p1", "user_id": "u1", "org_id": "o1",
            "created_at": "2026-09-30T09:00:00Z", "updated_at": "2026-09-30T10:00:00Z",
            "tags": ["auth"], "status": "exit", "acus_consumed": 10,
            "pull_requests": [{"pr_url": "https://github.com/acme/api/pull/1", "pr_state": "open"}],
            "session_analysis": {"issues": [{"issue": "a", "impact": "low", "label": "Testing"}]}
        }),
    ]
}

/// `metric{group} = value (parts, n), before previous`, a missing number as a dash; marks after it.
/// None of these numbers is large enough to exceed chance.
const TABLE: &str = "
sessions{} = 5 (n 5), before 2
sessions{user=u1} = 2 (n 2), before 1
sessions{user=u2} = 1 (n 1), before 0
sessions{user=svc1} = 1 (n 1), before 0
sessions{user=null} = 1 (n 1), before 0
sessions{tag=auth} = 2 (n 2), before 1
sessions{tag=payments} = 2 (n 2), before 0
sessions{tag=null} = 2 (n 2), before 1
sessions{org=o1} = 4 (n 4), before 2
sessions{org=null} = 1 (n 1), before 0
sessions{status=exit} = 2 (n 2), before 2
sessions{status=suspended} = 1 (n 1), before 0
sessions{status=weird} = 1 (n 1), before 0
sessions{status=null} = 1 (n 1), before 0
sessions{day=2026-10-05} = 2 (n 2), before 0
sessions{day=2026-10-06} = 0 (n 0), before 0
sessions{day=2026-10-07} = 1 (n 1), before 0
sessions{day=2026-10-08} = 1 (n 1), before 0
sessions{day=2026-10-09} = 0 (n 0), before 0
sessions{day=2026-10-10} = 0 (n 0), before 0
sessions{day=2026-10-11} = 1 (n 1), before 0
sessions{period=2026-W40} = 2 (n 2), before -
sessions{period=2026-W41} = 5 (n 5), before 2

acus{} = 20 (n 5), before 12
acus{user=u1} = 16.5 (n 2), before 10
acus{user=u2} = 3 (n 1), before 0
acus{user=svc1} = 0.5 (n 1), before 0
acus{user=null} = 0 (n 1), before 0
acus{tag=auth} = 16.5 (n 2), before 10
acus{tag=payments} = 4.5 (n 2), before 0
acus{tag=null} = 3 (n 2), before 2
acus{org=o1} = 20 (n 4), before 12
acus{org=null} = 0 (n 1), before 0
acus{status=exit} = 16.5 (n 2), before 12
acus{status=suspended} = 3 (n 1), before 0
acus{status=weird} = 0.5 (n 1), before 0
acus{status=null} = 0 (n 1), before 0
acus{day=2026-10-05} = 16.5 (n 2), before 0
acus{day=2026-10-06} = 0 (n 0), before 0
acus{day=2026-10-07} = 3 (n 1), before 0
acus{day=2026-10-08} = 0.5 (n 1), before 0
acus{day=2026-10-09} = 0 (n 0), before 0
acus{day=2026-10-10} = 0 (n 0), before 0
acus{day=2026-10-11} = 0 (n 1), before 0
acus{period=2026-W40} = 12 (n 2), before -
acus{period=2026-W41} = 20 (n 5), before 12
acus_split{tag=auth} = 14.5 (n 2), before 10
acus_split{tag=payments} = 2.5 (n 2), before 0
acus_split{tag=null} = 3 (n 2), before 2
acus_per_session_median{} = 3.5 (n 4), before 6
acus_per_session_p90{} = 9.95 (n 4), before 9.2
acus_per_session_max{} = 12.5 (n 4), before 10
acus_histogram{bin=0} = 1 (n 4), before 0
acus_histogram{bin=2} = 2 (n 4), before 1
acus_histogram{bin=10} = 1 (n 4), before 1
acus_top_decile_share{} = 0.825 (16.5/20, n 5), before 0.833333
acus_without_pr_share{} = 0.15 (3/20, n 5), before 0.166667

active_users{} = 2 (n 5), before 2
active_users{period=2026-W40} = 2 (n 2), before -
active_users{period=2026-W41} = 2 (n 5), before 2
automation_sessions{} = 1 (n 5), before 0
new_users{} = 1 (n 2), before -
returning_users{} = 1 (n 2), before -
lapsed_users{} = 1 (n 2), before -

prs{} = 3 (n 3), before 1
prs{state=merged} = 1 (n 1), before 0
prs{state=closed} = 1 (n 1), before 0
prs{state=open} = 1 (n 1), before 1
prs{user=u1} = 2 (n 2), before 1
prs{user=svc1} = 1 (n 1), before 0
prs{tag=auth} = 2 (n 2), before 1
prs{tag=payments} = 2 (n 2), before 0
prs{repo=github.com/acme/api} = 2 (n 2), before 1
prs{repo=gitlab.example.com/g/sub/web} = 1 (n 1), before 0
prs{period=2026-W40} = 1 (n 1), before -
prs{period=2026-W41} = 3 (n 3), before 1
prs_merged{} = 1 (n 3), before 0
prs_merged{user=u1} = 1 (n 2), before 0
prs_merged{user=svc1} = 0 (n 1), before 0
prs_merged{tag=auth} = 1 (n 2), before 0
prs_merged{tag=payments} = 1 (n 2), before 0
prs_merged{repo=github.com/acme/api} = 1 (n 2), before 0
prs_merged{repo=gitlab.example.com/g/sub/web} = 0 (n 1), before 0
prs_merged{period=2026-W40} = 0 (n 1), before -
prs_merged{period=2026-W41} = 1 (n 3), before 0
merge_rate{} = 0.5 (1/2, n 2), before -
merge_rate{user=u1} = 0.5 (1/2, n 2), before -
merge_rate{user=svc1} = - (0/0, n 0), before -
merge_rate{tag=auth} = 0.5 (1/2, n 2), before -
merge_rate{tag=payments} = 1 (1/1, n 1), before -
merge_rate{repo=github.com/acme/api} = 0.5 (1/2, n 2), before -
merge_rate{repo=gitlab.example.com/g/sub/web} = - (0/0, n 0), before -
merge_rate{period=2026-W40} = - (0/0, n 0), before -
merge_rate{period=2026-W41} = 0.5 (1/2, n 2), before -
merge_rate_all{} = 0.333333 (1/3, n 3), before 0
undecided_prs{} = 1 (n 3), before 1
undecided_prs{period=2026-W40} = 1 (n 1), before -
undecided_prs{period=2026-W41} = 1 (n 3), before 1
undecided_share{} = 0.333333 (1/3, n 3), before 1
undecided_share{period=2026-W40} = 1 (1/1, n 1), before -
undecided_share{period=2026-W41} = 0.333333 (1/3, n 3), before 1
sessions_with_pr{} = 3 (n 5), before 1
sessions_with_merged_pr{} = 2 (n 5), before 0
acus_per_merged_pr{} = 20 (20/1, n 1), before -
acus_per_merged_pr{user=u1} = 16.5 (16.5/1, n 1), before -
acus_per_merged_pr{user=svc1} = - (0.5/0, n 0), before -
acus_per_merged_pr{tag=auth} = 16.5 (16.5/1, n 1), before -
acus_per_merged_pr{tag=payments} = 4.5 (4.5/1, n 1), before -
acus_per_merged_pr{period=2026-W40} = - (12/0, n 0), before -
acus_per_merged_pr{period=2026-W41} = 20 (20/1, n 1), before -

analysed_sessions{} = 3 (n 5), before 2
analysed_sessions{period=2026-W40} = 2 (n 2), before -
analysed_sessions{period=2026-W41} = 3 (n 5), before 2
analysis_coverage{} = 0.6 (3/5, n 5), before 1
analysis_coverage{period=2026-W40} = 1 (2/2, n 2), before -
analysis_coverage{period=2026-W41} = 0.6 (3/5, n 5), before 1
sessions_with_prompt_feedback{} = 1 (n 3), before 0
action_items{type=repo_config} = 1 (n 3), before 0
action_items{type=null} = 1 (n 3), before 0

issues{} = 4 (n 3), before 1
issues{impact=high} = 2 (n 3), before 0
issues{impact=medium} = 1 (n 3), before 0
issues{impact=low} = 0 (n 3), before 1
issues{impact=other} = 1 (n 3), before 0
issues{impact=high, label=Testing} = 1 (n 3), before 0
issues{impact=medium, label=Testing} = 1 (n 3), before 0
issues{impact=low, label=Testing} = 0 (n 3), before 1
issues{impact=other, label=Testing} = 1 (n 3), before 0
issues{impact=high, label=null} = 1 (n 3), before 0
issues{impact=medium, label=null} = 0 (n 3), before 0
issues{impact=low, label=null} = 0 (n 3), before 0
issues{impact=other, label=null} = 0 (n 3), before 0
issues{impact=high, tag=auth} = 1 (n 2), before 0
issues{impact=medium, tag=auth} = 1 (n 2), before 0
issues{impact=low, tag=auth} = 0 (n 2), before 1
issues{impact=other, tag=auth} = 0 (n 2), before 0
issues{impact=high, tag=payments} = 2 (n 2), before 0
issues{impact=medium, tag=payments} = 1 (n 2), before 0
issues{impact=low, tag=payments} = 0 (n 2), before 0
issues{impact=other, tag=payments} = 1 (n 2), before 0
issues{impact=high, tag=null} = 0 (n 0), before 0
issues{impact=medium, tag=null} = 0 (n 0), before 0
issues{impact=low, tag=null} = 0 (n 0), before 0
issues{impact=other, tag=null} = 0 (n 0), before 0
issues{impact=high, user=u1} = 1 (n 2), before 0
issues{impact=medium, user=u1} = 1 (n 2), before 0
issues{impact=low, user=u1} = 0 (n 2), before 1
issues{impact=other, user=u1} = 0 (n 2), before 0
issues{impact=high, user=u2} = 0 (n 0), before 0
issues{impact=medium, user=u2} = 0 (n 0), before 0
issues{impact=low, user=u2} = 0 (n 0), before 0
issues{impact=other, user=u2} = 0 (n 0), before 0
issues{impact=high, user=svc1} = 1 (n 1), before 0
issues{impact=medium, user=svc1} = 0 (n 1), before 0
issues{impact=low, user=svc1} = 0 (n 1), before 0
issues{impact=other, user=svc1} = 1 (n 1), before 0
issues{impact=high, user=null} = 0 (n 0), before 0
issues{impact=medium, user=null} = 0 (n 0), before 0
issues{impact=low, user=null} = 0 (n 0), before 0
issues{impact=other, user=null} = 0 (n 0), before 0
issues{impact=high, period=2026-W40} = 0 (n 2), before -
issues{impact=medium, period=2026-W40} = 0 (n 2), before -
issues{impact=low, period=2026-W40} = 1 (n 2), before -
issues{impact=other, period=2026-W40} = 0 (n 2), before -
issues{impact=high, period=2026-W41} = 2 (n 3), before 0
issues{impact=medium, period=2026-W41} = 1 (n 3), before 0
issues{impact=low, period=2026-W41} = 0 (n 3), before 1
issues{impact=other, period=2026-W41} = 1 (n 3), before 0
issue_rate{impact=high} = 66.666667 (2/3, n 3), before 0
issue_rate{impact=medium} = 33.333333 (1/3, n 3), before 0
issue_rate{impact=low} = 0 (0/3, n 3), before 50
issue_rate{impact=other} = 33.333333 (1/3, n 3), before 0
issue_rate{impact=high, period=2026-W40} = 0 (0/2, n 2), before -
issue_rate{impact=medium, period=2026-W40} = 0 (0/2, n 2), before -
issue_rate{impact=low, period=2026-W40} = 50 (1/2, n 2), before -
issue_rate{impact=other, period=2026-W40} = 0 (0/2, n 2), before -
issue_rate{impact=high, period=2026-W41} = 66.666667 (2/3, n 3), before 0
issue_rate{impact=medium, period=2026-W41} = 33.333333 (1/3, n 3), before 0
issue_rate{impact=low, period=2026-W41} = 0 (0/3, n 3), before 50
issue_rate{impact=other, period=2026-W41} = 33.333333 (1/3, n 3), before 0
sessions_with_issue{impact=high} = 2 (n 3), before 0
sessions_with_issue{impact=medium} = 1 (n 3), before 0
sessions_with_issue{impact=low} = 0 (n 3), before 1
sessions_with_issue{impact=other} = 1 (n 3), before 0
sessions_with_issue{label=Testing} = 2 (n 3), before 1
sessions_with_issue{label=null} = 1 (n 3), before 0
issue_count_histogram{impact=high, issues=0} = 1 (n 3), before 2
issue_count_histogram{impact=high, issues=1} = 2 (n 3), before 0
issue_count_histogram{impact=medium, issues=0} = 2 (n 3), before 2
issue_count_histogram{impact=medium, issues=1} = 1 (n 3), before 0
issue_count_histogram{impact=low, issues=0} = 3 (n 3), before 1
issue_count_histogram{impact=other, issues=0} = 2 (n 3), before 2
issue_count_histogram{impact=other, issues=1} = 1 (n 3), before 0
";

#[test]
fn two_weeks_give_the_numbers_worked_out_by_hand() {
    let expected = expect(&two_weeks(), &week_41("2026-10-12T00:00:00Z"));
    let written: Vec<&str> = TABLE.lines().filter(|line| !line.is_empty()).collect();
    let calculated = lines(&expected);
    let missing: Vec<&&str> =
        written.iter().filter(|line| !calculated.contains(&(**line).to_owned())).collect();
    let surplus: Vec<&String> = calculated.iter().filter(|line| !written.contains(&line.as_str())).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:#?}\nsurplus {surplus:#?}");
    assert_eq!(written.len(), calculated.len());

    assert_eq!(expected.label, "2026-W41");
    assert_eq!(expected.from, "2026-10-05T00:00:00+00:00");
    assert_eq!(expected.to, "2026-10-12T00:00:00+00:00");
    assert_eq!(expected.previous.label, "2026-W40");
    let quality: Vec<(&str, u64)> = expected.quality.into_iter().collect();
    let by_hand = [
        ("acus_unknown", 1),
        ("prs_without_url", 1),
        ("unknown_impact", 1),
        ("unknown_pr_state", 0),
        ("unknown_status", 2),
        ("unreadable_fields", 0),
    ];
    assert_eq!(quality, by_hand);
}

#[test]
fn units_follow_the_catalogue() {
    let expected = expect(&two_weeks(), &week_41("2026-10-12T00:00:00Z"));
    for ((metric, _), fact) in &expected.facts {
        let unit = match metric.as_str() {
            name if name.ends_with("_share") || name.starts_with("merge_rate") => "share",
            "analysis_coverage" => "share",
            "issue_rate" => "per_100",
            "acus_histogram" => "count",
            name if name.starts_with("acus") => "acu",
            _ => "count",
        };
        assert_eq!(fact.unit, unit, "{metric}");
        let has_parts = ["share", "per_100"].contains(&unit) || metric == "acus_per_merged_pr";
        assert_eq!(
            (fact.numerator.is_some(), fact.denominator.is_some()),
            (has_parts, has_parts),
            "{metric}"
        );
    }
}

#[test]
fn a_week_that_has_not_ended_is_compared_with_nothing() {
    let expected = expect(&two_weeks(), &week_41("2026-10-11T23:59:59Z"));
    assert!(!expected.complete);
    assert!(expected.facts.values().all(|fact| fact.previous.is_none()));
    assert_eq!(expected.fact("sessions", &[]).unwrap().value, Some(5.0));
    let before = &[("period", Some("2026-W40"))];
    assert_eq!(expected.fact("sessions", before).unwrap().value, Some(2.0));
}

/// Week 41 of 2026 and the one before, in UTC.
pub fn week_41(now: &str) -> Asked {
    Asked {
        tz: chrono_tz::UTC,
        kind: Kind::Week { year: 2026, week: 41 },
        trend: 1,
        now: now.parse::<DateTime<Utc>>().expect("a moment"),
        v3: false,
        members: None,
        compare: None,
    }
}

fn lines(expected: &Expected) -> Vec<String> {
    let line = |((metric, group), fact): (&(String, super::Group), &super::ExpectedFact)| {
        let pairs: Vec<String> = group
            .iter()
            .map(|(dimension, value)| format!("{dimension}={}", value.as_deref().unwrap_or("null")))
            .collect();
        let parts = match (fact.numerator, fact.denominator) {
            (None, None) => String::new(),
            parts => format!("{}/{}, ", short(parts.0), short(parts.1)),
        };
        let (value, previous) = (short(fact.value), short(fact.previous));
        let mark = |is_set: bool, name: &'static str| if is_set { name } else { "" };
        let marks = [mark(fact.maturing, ", maturing"), mark(fact.notable, ", notable")].concat();
        format!("{metric}{{{}}} = {value} ({parts}n {}), before {previous}{marks}", pairs.join(", "), fact.n)
    };
    expected.facts.iter().map(line).collect()
}

fn short(number: Option<f64>) -> String {
    number.map_or("-".to_owned(), |number| ((number * 1e6).round() / 1e6).to_string())
}
