//! The walk through the pages.

use std::sync::Barrier;

use super::server::{json, serve};
use super::*;

#[tokio::test]
async fn a_serial_walk_reads_every_page() {
    let server = serve(|asked| honest(&records(25), asked, 1000));
    let (stats, seen) = run(&config(&server.base)).await;
    let expected = FetchStats {
        requests: 3,
        retries: 0,
        pages: 3,
        received: 25,
        unique: 25,
        complete: true,
        ..FetchStats::default()
    };
    assert_eq!(stats.unwrap(), expected);
    assert_eq!(seen.ids(), names(25));
    assert_eq!(seen.restarts, 0);
    assert_eq!(server.skips(), [0, 10, 20]);
    let first = server.log()[0].clone();
    let head = first.head.to_ascii_lowercase();
    assert!(first.target.starts_with("/v2/enterprise/organizations/org_789/sessions/insights?"));
    assert!(head.contains("\r\nauthorization: bearer apk_user_k3y\r\n"), "{head}");
    assert!(head.contains(concat!("\r\nuser-agent: acumen/", env!("CARGO_PKG_VERSION"), "\r\n")), "{head}");
    assert!(head.contains("\r\naccept-encoding: gzip\r\n"), "{head}");
    assert!(matches!(
        seen.news.as_slice(),
        [
            Progress::Asked { .. },
            Progress::Total(Some(25)),
            Progress::Page { pages: 1, sessions: 10, total: Some(25) },
            Progress::Page { pages: 2, sessions: 20, .. },
            Progress::Page { pages: 3, sessions: 25, .. },
            Progress::Done { requests: 3, retries: 0, waited: Duration::ZERO },
        ]
    ));
}

#[tokio::test]
async fn an_empty_window_is_complete() {
    for concurrency in [1, 4] {
        let server = serve(|asked| honest(&[], asked, 1000));
        let mut config = config(&server.base);
        config.gate = Gate::new(concurrency);
        let (stats, seen) = run(&config).await;
        assert!(stats.unwrap().complete && seen.rows.is_empty());
        assert_eq!(server.log().len(), 1);
    }
}

#[tokio::test]
async fn a_clamped_walk_side_by_side_reads_every_page() {
    for (clamp, total) in [(4, 25), (4, 24), (1000, 25), (1000, 10), (1000, 11), (1, 7)] {
        let server = serve(move |asked| honest(&records(total), asked, clamp));
        let mut config = config(&server.base);
        config.gate = Gate::new(3);
        let (stats, seen) = run(&config).await;
        let stats = stats.unwrap();
        let length = clamp.min(10);
        let skips: Vec<u64> = (0..total).step_by(usize::try_from(length).unwrap()).collect();
        assert_eq!(server.skips(), skips, "{clamp} {total}");
        assert_eq!(stats.pages, u64::try_from(skips.len()).unwrap());
        assert!(stats.complete);
        let expected: Vec<(u64, String)> = (0..).zip(names(total)).collect();
        assert_eq!(seen.rows, expected);
        assert!(server.peak() <= 3);
    }
}

#[tokio::test]
async fn as_many_as_allowed_are_in_flight_and_no_more() {
    let full = Barrier::new(3);
    // One first page and nine more: three times three at the barrier.
    let server = serve(move |asked| {
        if asked.skip() > 0 {
            full.wait();
            // Lets a request too many arrive; a client that keeps the limit does not depend on it.
            std::thread::sleep(Duration::from_millis(20));
        }
        honest(&records(100), asked, 1000)
    });
    let mut config = config(&server.base);
    config.gate = Gate::new(3);
    let (stats, _) = run(&config).await;
    assert!(stats.unwrap().complete);
    assert_eq!(server.peak(), 3);
}

#[tokio::test]
async fn a_missing_or_mistyped_signal_is_an_error_at_once() {
    for body in [
        r#"{"items": [], "total": 0}"#,
        r#"{"items": [], "total": 0, "has_more": "false"}"#,
        r#"{"items": [], "has_more": false}"#,
        r#"{"items": {}, "has_more": false, "total": 0}"#,
        "[]",
    ] {
        let server = serve(move |_| json(200, body));
        let (outcome, _) = run(&config(&server.base)).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, FetchError::Contract { .. }), "{body}: {error}");
        assert_eq!(kind(&error), "Contract");
        assert_eq!(server.log().len(), 1, "{body}");
    }
}

/// A server that sometimes gives less than asked is asked on where it stopped.
#[tokio::test]
async fn short_pages_are_continued() {
    for concurrency in [1, 3] {
        let server = serve(|asked| {
            let largest_page = if asked.skip() % 10 == 0 && asked.skip() > 0 { 3 } else { 1000 };
            honest(&records(40), asked, largest_page)
        });
        let mut config = config(&server.base);
        config.gate = Gate::new(concurrency);
        let (stats, seen) = run(&config).await;
        assert!(stats.unwrap().complete);
        assert_eq!(seen.ids(), names(40));
    }
}

#[tokio::test]
async fn a_server_that_gives_more_than_asked_breaks_nothing() {
    for concurrency in [1, 3] {
        for page in [15, 25] {
            let server = serve(move |asked| {
                let records = records(60);
                let start = usize::try_from(asked.skip()).unwrap();
                let end = (start + page).min(60);
                json(200, &envelope(&records[start..end], end < 60, 60))
            });
            let mut config = config(&server.base);
            config.gate = Gate::new(concurrency);
            let (stats, seen) = run(&config).await;
            let stats = stats.unwrap();
            assert!(stats.complete && stats.duplicates == 0, "{stats:?}");
            assert_eq!(seen.ids(), names(60));
        }
    }
}

#[tokio::test]
async fn an_empty_page_is_asked_for_once_more() {
    for concurrency in [1, 3] {
        for skip in [0, 10, 20] {
            let hiccup = std::sync::atomic::AtomicBool::new(true);
            let server = serve(move |asked| {
                let now = asked.skip() == skip && hiccup.swap(false, std::sync::atomic::Ordering::SeqCst);
                if now { json(200, &envelope(&[], true, 30)) } else { honest(&records(30), asked, 1000) }
            });
            let mut config = config(&server.base);
            config.gate = Gate::new(concurrency);
            let (stats, seen) = run(&config).await;
            let stats = stats.unwrap();
            assert!(stats.complete, "{concurrency} {skip}");
            assert_eq!((stats.requests, stats.retries), (4, 0));
            assert_eq!(seen.ids(), names(30));

            let server = serve(move |asked| match asked.skip() == skip {
                true => json(200, &envelope(&[], true, 30)),
                false => honest(&records(30), asked, 1000),
            });
            config.base_url = server.base.parse().unwrap();
            let error = run(&config).await.0.unwrap_err();
            assert!(
                error.to_string().contains(&format!("the page at skip={skip} was empty twice,")),
                "{error}"
            );
            assert_eq!(kind(&error), "Contract");
        }
    }
}

#[tokio::test]
async fn a_server_that_ignores_skip_is_found_out() {
    for concurrency in [1, 3] {
        let server = serve(|_| json(200, &envelope(&records(10), true, 40)));
        let mut config = config(&server.base);
        config.gate = Gate::new(concurrency);
        let error = run(&config).await.0.unwrap_err();
        assert!(error.to_string().contains(" has no new sessions, although"), "{error}");
        assert_eq!(kind(&error), "Contract");
        assert!(server.log().len() <= 5);
    }
}

/// Only `has_more` ends a walk: `total` is checked, never trusted to end it.
#[tokio::test]
async fn a_walk_goes_on_past_the_total() {
    for concurrency in [1, 3] {
        let server = serve(|asked| {
            let start = usize::try_from(asked.skip()).unwrap();
            let end = (start + 10).min(45);
            // The first walk's total is too small and stays so.
            let total = if asked.number <= 5 { 20 } else { 45 };
            json(200, &envelope(&records(45)[start..end], end < 45, total))
        });
        let mut config = config(&server.base);
        config.gate = Gate::new(concurrency);
        let (stats, seen) = run(&config).await;
        assert!(stats.unwrap().complete);
        assert_eq!(seen.restarts, 1);
        assert_eq!(seen.ids(), names(45));
        assert_eq!(server.skips(), [0, 0, 10, 10, 20, 20, 30, 30, 40, 40]);
    }
}

#[tokio::test]
async fn a_walk_has_an_end() {
    for concurrency in [1, 3] {
        let server = serve(|asked| {
            let n = asked.skip();
            json(200, &envelope(&[record(n), record(n + 1)], true, 1_000_000))
        });
        let mut config = config(&server.base);
        config.gate = Gate::new(concurrency);
        let error = run_within(&config, &query(), &Limits { pages: 7, ..quick() }).await.0.unwrap_err();
        assert!(error.to_string().contains("more than 7 pages"), "{error}");
        assert_eq!(kind(&error), "Contract");
        assert!(server.log().len() <= 8);
    }
}
