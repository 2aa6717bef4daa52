//! Completeness, duplicates, rows that do not belong.

use super::server::{Server, json, serve};
use super::*;

/// Everything on one page.
fn one_page(records: Vec<String>, total: u64) -> Server {
    serve(move |_| json(200, &envelope(&records, false, total)))
}

fn at(n: u64, created: &str, rest: &str) -> String {
    format!(r#"{{"session_id": "s{n:03}", "created_at": {created}{rest}}}"#)
}

#[tokio::test]
async fn a_drift_of_the_total_repeats_the_walk() {
    for concurrency in [1, 2] {
        // A session is deleted behind the reader's back while the second page is read.
        let server = serve(|asked| match asked.number {
            1 => honest(&records(20), asked, 1000),
            _ => honest(&records(20)[1..], asked, 1000),
        });
        let mut config = config(&server.base);
        config.gate = Gate::new(concurrency);
        let (stats, seen) = run(&config).await;
        let stats = stats.unwrap();
        assert!(stats.complete);
        assert_eq!((stats.requests, stats.pages, stats.unique), (4, 2, 19));
        assert_eq!(seen.restarts, 1);
        assert_eq!(seen.ids(), names(20)[1..]);
        let again =
            |news: &&Progress| matches!(news, Progress::Again { walk: 2, reason } if reason.contains("20"));
        assert_eq!(seen.news.iter().filter(again).count(), 1);
    }
}

/// Of pages side by side the last to land need not be the last that was made.
#[tokio::test]
async fn a_count_that_moved_and_moved_back_is_not_steady() {
    let shown = std::sync::Barrier::new(2);
    let server = serve(move |asked| {
        let mut all = records(25);
        match (asked.number, asked.skip()) {
            // The old state, held back until the new one has been shown.
            (2 | 3, 10) => {
                shown.wait();
                // Lets the other page land; what is right does not depend on it.
                std::thread::sleep(Duration::from_millis(150));
                return honest(&all, asked, 1000);
            }
            (1, _) => return honest(&all, asked, 1000),
            (2 | 3, _) => drop(shown.wait()),
            _ => {}
        }
        all.insert(5, record(900));
        honest(&all, asked, 1000)
    });
    let mut config = config(&server.base);
    config.gate = Gate::new(2);
    let (stats, seen) = run(&config).await;
    assert_eq!((stats.unwrap().unique, seen.restarts), (26, 1));
    assert!(seen.ids().contains(&"s900"));
}

#[tokio::test]
async fn missing_sessions_are_never_passed_over() {
    // The server counts 20, but its pages overlap: s009 comes twice, s010 never.
    let server = serve(|asked| {
        let mut records = records(20);
        records[10] = record(9);
        honest(&records, asked, 1000)
    });
    let config = config(&server.base);
    let (outcome, seen) = run(&config).await;
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("server reports 20 sessions; received 19 distinct"), "{error}");
    assert!(matches!(error, FetchError::Incomplete { alike: true, .. }), "{error}");
    assert_eq!(seen.restarts, 2);
    assert_eq!(server.log().len(), 6);

    let partial = SessionQuery { allow_partial: true, ..query() };
    let (stats, seen) = run_query(&config, &partial).await;
    let stats = stats.unwrap();
    assert!(!stats.complete);
    assert_eq!((stats.received, stats.unique, stats.duplicates), (20, 19, 1));
    assert_eq!((stats.pages, stats.requests), (2, 6));
    assert_eq!(seen.rows.len(), 20);
}

#[tokio::test]
async fn duplicates_are_delivered_and_counted() {
    let server = one_page(
        [records(10), vec![r#"{"session_id": "s003", "created_at": 1791300000}"#.into()]].concat(),
        10,
    );
    let (stats, seen) = run(&config(&server.base)).await;
    let stats = stats.unwrap();
    assert_eq!((stats.received, stats.unique, stats.duplicates), (11, 10, 1));
    assert!(stats.complete);
    assert_eq!(seen.rows.iter().filter(|(_, id)| id == "s003").count(), 2);
    assert!(seen.rows.contains(&(10, "s003".to_owned())));
}

#[tokio::test]
async fn rows_outside_are_dropped_and_counted() {
    let mut rows = records(10);
    rows.push(at(10, r#""2026-10-12T00:00:00Z""#, ""));
    rows.push(at(11, r#""2026-10-07T00:00:00""#, ""));
    let server = one_page(rows, 12);
    let (stats, seen) = run(&config(&server.base)).await;
    let stats = stats.unwrap();
    assert_eq!((stats.unique, stats.outside, stats.naive_times), (11, 1, 1));
    assert!(stats.complete);
    assert!(!seen.ids().contains(&"s010"));
}

#[tokio::test]
async fn an_ignored_filter_is_an_error() {
    let old = |n| at(n, r#""2025-01-01T00:00:00Z""#, "");
    let server = one_page(vec![old(0), old(1), record(2)], 3);
    let error = run(&config(&server.base)).await.0.unwrap_err();
    assert!(matches!(error, FetchError::FilterIgnored { outside: 2, rows: 3 }), "{error}");
    // Half is not most, and a single row proves nothing.
    for rows in [vec![old(0), old(1), record(2), record(3)], vec![old(0)]] {
        let server = one_page(rows.clone(), u64::try_from(rows.len()).unwrap());
        assert!(run(&config(&server.base)).await.0.unwrap().complete);
    }
    let tagged = |n| at(n, r#""2026-10-07T00:00:00Z""#, r#", "tags": ["other"]"#);
    let server = one_page(vec![tagged(0), tagged(1)], 2);
    let tagged = SessionQuery { tags: vec!["auth".to_owned()], ..query() };
    let error = run_query(&config(&server.base), &tagged).await.0.unwrap_err();
    assert!(matches!(error, FetchError::FilterIgnored { outside: 2, rows: 2 }), "{error}");
}

#[tokio::test]
async fn one_percent_of_rows_may_be_rejected() {
    let with_rubbish = |rubbish: &[&str]| {
        let rubbish = rubbish.iter().map(|text| (*text).to_owned());
        records(100 - u64::try_from(rubbish.len()).unwrap()).into_iter().chain(rubbish).collect()
    };
    let server = one_page(with_rubbish(&[r#"{"session_id": "x", "created_at": "soon"}"#]), 100);
    let (stats, seen) = run(&config(&server.base)).await;
    let stats = stats.unwrap();
    assert_eq!((stats.received, stats.unique, stats.rejected), (100, 99, 1));
    assert!(stats.complete);
    assert_eq!(seen.rows.len(), 99);

    let server = one_page(with_rubbish(&["{}", r#"["no record"]"#]), 100);
    let error = run(&config(&server.base)).await.0.unwrap_err();
    assert!(error.to_string().contains("2 of 100 sessions"), "{error}");
    assert_eq!(kind(&error), "Contract");
}
