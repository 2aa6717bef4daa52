//! The vendor's counts, asked of servers that do as they please.

use super::*;
use crate::Gate;
use crate::tests::server::{Asked, Reply, json, serve};
use crate::tests::{config, query};

const V2: &str =
    r#"{"sessions_count": 127, "searches_count": 89, "prs_opened": 45, "prs_closed": 42, "prs_merged": 38}"#;
const DAILY: &str = r#"{"total_acus": 3, "consumption_by_date": {"2026-10-04": 1, "2026-10-11": 2}}"#;

fn days() -> RangeInclusive<NaiveDate> {
    "2026-10-05".parse().unwrap()..="2026-10-11".parse().unwrap()
}

fn counts() -> Counts {
    let (pull_requests, merged, closed) = (Some(45), Some(38), Some(42));
    Counts { sessions: Some(127), pull_requests, merged, closed, ..Counts::default() }
}

/// Answers for ACUs, and for counts.
fn answer(asked: &Asked, counts: Reply) -> Reply {
    if asked.target.contains("/consumption/daily") { json(200, DAILY) } else { counts }
}

#[test]
fn the_window_is_asked_as_each_generation_takes_it() {
    let mut config = config("https://h.example");
    let window = query().window();
    let output = |config: &ApiConfig, org: Option<&str>, about| {
        counted(config, org, "metrics/usage", &window, about).unwrap().to_string()
    };
    assert_eq!(
        output(&config, Some("org_789"), None),
        "https://h.example/v2/enterprise/organizations/org_789/metrics/usage\
         ?start_date=2026-10-05T00%3A00%3A00Z&end_date=2026-10-12T00%3A00%3A00Z"
    );
    config.api = Api::V3;
    assert_eq!(
        output(&config, None, Some("a b")),
        "https://h.example/v3/enterprise/metrics/usage\
         ?time_after=1791158400&time_before=1791763200&org_ids=a+b"
    );
}

#[tokio::test]
async fn days_begin_at_eight_and_others_do_not_count() {
    for (api, org, target) in [
        (
            Api::V2,
            Some("o"),
            "/v2/enterprise/consumption/daily?start_date=2026-10-05T08%3A00%3A00Z\
             &end_date=2026-10-12T08%3A00%3A00Z&org_ids=o",
        ),
        (
            Api::V3,
            Some("o"),
            "/v3/organizations/o/consumption/daily?time_after=1791187200&time_before=1791792000",
        ),
        (Api::V3, None, "/v3/enterprise/consumption/daily?time_after=1791187200&time_before=1791792000"),
    ] {
        let server = serve(|_| json(200, DAILY));
        let config = ApiConfig { api, ..config(&server.base) };
        let query = SessionQuery { org: org.map(str::to_owned), ..query() };
        let output = consumption(&config, &query, &days()).await.unwrap();
        assert_eq!(
            output.iter().map(|(day, used)| (day.to_string(), used.acus)).collect::<Vec<_>>(),
            [("2026-10-11".to_owned(), 2.0)]
        );
        assert_eq!(server.log()[0].target, target);
    }
}

#[tokio::test]
async fn where_organisations_have_no_counts_the_enterprise_is_asked_about_one() {
    let server = serve(|asked| match asked.target.contains("/organizations/") {
        true => json(404, "{}"),
        false => answer(asked, json(200, V2)),
    });
    let output = vendor(&config(&server.base), &query(), Some(days())).await;
    assert_eq!((output.counts, output.missing), (counts(), vec![]));
    assert_eq!(output.days.map(|days| days.len()), Some(1));
    let targets: Vec<String> = server.log().into_iter().map(|asked| asked.target).collect();
    assert_eq!(targets.len(), 3);
    assert!(targets[1].starts_with("/v2/enterprise/metrics/usage?start_date="), "{targets:?}");
    assert!(targets[1].ends_with("&org_ids=org_789"), "{targets:?}");
}

#[tokio::test]
async fn v3_tells_in_the_enterprise_what_an_organisation_used() {
    let server = serve(|asked| match asked.target.starts_with("/v3/organizations/") {
        true => json(404, "{}"),
        false => json(200, DAILY),
    });
    let config = ApiConfig { api: Api::V3, ..config(&server.base) };
    let query = SessionQuery { org: Some("a b".to_owned()), ..query() };
    let output = consumption(&config, &query, &days()).await.unwrap();
    assert_eq!(output.values().map(|used| used.acus).collect::<Vec<_>>(), [2.0]);
    let targets: Vec<String> = server.log().into_iter().map(|asked| asked.target).collect();
    assert_eq!(
        targets,
        [
            "/v3/organizations/a%20b/consumption/daily?time_after=1791187200&time_before=1791792000",
            "/v3/enterprise/consumption/daily/organizations/a%20b?time_after=1791187200&time_before=1791792000"
        ]
    );
}

#[tokio::test]
async fn v3_tells_by_origin_and_a_refusal_costs_its_own_counts() {
    let server = serve(|asked| match asked.target.split('?').next().unwrap_or_default() {
        "/v3/enterprise/metrics/sessions" => {
            json(200, r#"{"sessions_created_count": 9, "sessions_created_by_origin": {"api": 9}}"#)
        }
        "/v3/enterprise/metrics/usage" => json(200, r#"{"sessions_count": 8, "prs_created_count": 7}"#),
        _ => json(403, "{}"),
    });
    let config = ApiConfig { api: Api::V3, gate: Gate::new(2), ..config(&server.base) };
    let query = SessionQuery { org: None, ..query() };
    let output = vendor(&config, &query, Some(days())).await;
    assert_eq!((output.counts.sessions, output.counts.pull_requests), (Some(9), Some(7)));
    assert_eq!(output.counts.by_origin["api"], 9);
    assert!(output.days.is_none());
    let why: Vec<String> = output.missing.iter().map(|(what, why)| format!("{what}: {why}")).collect();
    assert_eq!(
        why,
        [
            "counts of PRs: the key lacks the permission ViewAccountMetrics",
            "ACUs: the key lacks the permission ViewAccountConsumption (ManageBilling in older accounts)"
        ]
    );
    assert!(server.log().len() == 4 && server.peak() <= 2, "no more at once than the configuration allows");
}

#[tokio::test]
async fn every_failure_is_a_few_words() {
    for (status, words, requests) in [
        (401, "the key was refused", 2),
        (403, "the key lacks the permission", 2),
        (404, "the server does not have them", 3),
        (422, "the server's answer cannot be read", 2),
        (503, TOO_LATE, 4),
    ] {
        let server = serve(move |_| json(status, "{}"));
        let output = vendor(&config(&server.base), &query(), Some(days())).await;
        assert_eq!(output.missing, [(TOTALS, words.to_owned())], "{status}");
        assert_eq!((output.counts, output.days), (Counts::default(), None));
        assert_eq!(server.log().len(), requests, "{status}");
    }
}

#[tokio::test]
async fn the_vendor_is_not_asked_about_a_narrowed_query() {
    let server = serve(|_| json(200, V2));
    let narrowed = SessionQuery { tags: vec!["a".to_owned()], ..query() };
    assert_eq!(vendor(&config(&server.base), &narrowed, Some(days())).await, Vendor::default());
    let narrowed = SessionQuery { users: vec!["u".to_owned()], ..query() };
    assert_eq!(vendor(&config(&server.base), &narrowed, Some(days())).await, Vendor::default());
    assert_eq!(server.log().len(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_seconds() {
    let server = serve(|_| {
        std::thread::sleep(Duration::from_secs(20));
        json(200, V2)
    });
    let begun = std::time::Instant::now();
    let output = vendor(&config(&server.base), &query(), Some(days())).await;
    assert_eq!(output.missing, [(TOTALS, TOO_LATE.to_owned())]);
    assert!(begun.elapsed() < LONGEST + Duration::from_secs(2));
}
