//! What the network and the server can do wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::server::{Reply, Server, json, reply, serve};
use super::*;

type Fault = fn() -> Reply;

/// Answers the first requests with a fault, then as it should.
fn faulty(times: usize, fault: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    serve(move |asked| if asked.number <= times { fault() } else { honest(&records(5), asked, 1000) })
}

fn html() -> Reply {
    reply(200, "Content-Type: text/html; charset=utf-8\r\n", "<html>log in</html>")
}

/// JSON whose connection closes early; the length says that more was due, or does not.
fn cut(with_length: bool) -> Reply {
    let body = envelope(&records(5), false, 5);
    let length = if with_length { format!("Content-Length: {}\r\n", body.len()) } else { String::new() };
    let head =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n{length}\r\n");
    Reply(format!("{head}{}", &body[..body.len() / 2]).into_bytes())
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let faults: [(&str, Fault); 14] = [
        ("HTTP 408", || json(408, "{}")),
        ("HTTP 425", || json(425, "{}")),
        ("HTTP 429", || json(429, r#"{"detail": "slow down"}"#)),
        ("HTTP 500", || json(500, "{}")),
        ("HTTP 502", || reply(502, "", "<html>")),
        ("HTTP 503", || json(503, "")),
        ("HTTP 504", || json(504, "{}")),
        ("HTTP 522", || json(522, "{}")),
        ("error sending request", || Reply(Vec::new())),
        ("cut short", || cut(true)),
        ("cut short", || cut(false)),
        ("expected JSON, got text/html", html),
        ("expected JSON, got an empty body", || json(200, "")),
        ("expected JSON, got application/json that is not JSON", || json(200, "<html>")),
    ];
    for (class, fault) in faults {
        let server = faulty(1, fault);
        let (stats, seen) = run(&config(&server.base)).await;
        let stats = stats.unwrap_or_else(|error| panic!("{class}: {error}"));
        assert_eq!((stats.requests, stats.retries, stats.unique), (2, 1, 5), "{class}");
        assert_eq!((stats.pages, seen.restarts), (1, 0), "{class}");
        let retries = seen.retries();
        assert!(retries.len() == 1 && retries[0].0 == 1 && retries[0].1.contains(class), "{retries:?}");
    }
}

#[tokio::test]
async fn enough_attempts_are_enough() {
    let faults: [(usize, &str, &str, Fault); 5] = [
        (6, "Unreachable", "in 6 attempt(s): HTTP 503: \"later\"", || json(503, r#"{"detail": "later"}"#)),
        (6, "Later", "retry in 60 s", || json(429, r#"{"detail": "busy"}"#)),
        (6, "Unreachable", "in 6 attempt(s): answer cut short", || cut(false)),
        (6, "Unreachable", "in 6 attempt(s): error sending request", || Reply(Vec::new())),
        (3, "NotJson", "expected JSON, got text/html; charset=utf-8 from 127.0.0.1:", html),
    ];
    for (attempts, what, text, fault) in faults {
        let server = faulty(usize::MAX, fault);
        let error = run(&config(&server.base)).await.0.unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(kind(&error), what);
        assert_eq!(server.log().len(), attempts);
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (outcome, seen) = run(&config(&base)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { attempts: 6, .. }), "{error}");
    assert_eq!(seen.retries().len(), 5);
}

#[tokio::test]
async fn a_refusal_is_final() {
    for (status, what, text) in [
        (401, "Refused", "the key from DEVIN_API_KEY was refused (HTTP 401): \"no\""),
        (403, "Refused", "the key from DEVIN_API_KEY was refused (HTTP 403): \"no\""),
        (404, "NotFound", "not found"),
        (400, "BadRequest", "(HTTP 400): \"no\""),
        (422, "BadRequest", "(HTTP 422): \"no\""),
        (418, "BadRequest", "(HTTP 418): \"no\""),
        (501, "Unreachable", "HTTP 501"),
    ] {
        let server = faulty(1, move || json(status, r#"{"detail": "no"}"#));
        let error = run(&config(&server.base)).await.0.unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(kind(&error), what, "{status}");
        assert_eq!(server.log().len(), 1, "{status}");
        if status == 404 {
            assert!(matches!(error, FetchError::NotFound { org: Some(org), .. } if org == "org_789"));
        }
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_key_is_not_repeated() {
    for status in [401, 422, 503] {
        let server = faulty(usize::MAX, move || {
            json(
                status,
                r#"{"detail": "\u001b[1mbad key APK_user_\u001b[0mk3y\u202e in\nBearer apk_user_k3y"}"#,
            )
        });
        let error = run(&config(&server.base)).await.0.unwrap_err();
        assert!(error.to_string().contains("\"bad key [redacted] in Bearer [redacted]\""), "{error}");
    }
    let server = faulty(usize::MAX, || reply(200, "Content-Type: text/apk_user_k3y\r\n", "x"));
    let error = run(&config(&server.base)).await.0.unwrap_err();
    assert!(error.to_string().contains("text/[redacted]"), "{error}");
}

#[tokio::test]
async fn retry_after_is_kept_in_both_forms() {
    for (header, least) in [
        ("Retry-After: 0\r\n", 0),
        ("Retry-After: 1\r\n", 1),
        ("Date: Mon, 12 Oct 2026 06:00:00 GMT\r\nRetry-After: Mon, 12 Oct 2026 06:00:01 GMT\r\n", 1),
    ] {
        let server = faulty(1, move || reply(429, header, ""));
        let (stats, seen) = run(&config(&server.base)).await;
        assert_eq!(stats.unwrap().retries, 1);
        let waits: Vec<u64> = seen.retries().iter().map(|(_, _, wait)| wait.as_secs()).collect();
        assert_eq!(waits, [least], "{header}");
        let log = server.log();
        assert!(log[1].arrived - log[0].arrived >= Duration::from_secs(least), "{header}");
    }
}

#[tokio::test]
async fn a_pause_holds_for_all() {
    let paused: Arc<Mutex<Option<Instant>>> = Arc::default();
    let noted = Arc::clone(&paused);
    let server = serve(move |asked| {
        if asked.number == 2 {
            *noted.lock().unwrap() = Some(Instant::now());
            return reply(429, "Retry-After: 1\r\n", "");
        }
        honest(&records(400), asked, 1000)
    });
    let mut config = config(&server.base);
    config.gate = Gate::new(2);
    let (stats, _) = run(&config).await;
    assert!(stats.unwrap().complete);
    let pause = paused.lock().unwrap().unwrap();
    let during = |at: Instant| at > pause && at < pause + Duration::from_millis(900);
    let asked = server.log().iter().filter(|asked| during(asked.arrived)).count();
    // The other worker's requests may overtake the answer that asks for the pause, but not all 38.
    assert!(asked <= 10, "{asked}");
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_for_later() {
    let header = "Date: Mon, 12 Oct 2026 06:00:00 GMT\r\nRetry-After: 7200\r\n";
    for status in [429, 503] {
        let server = faulty(usize::MAX, move || reply(status, header, ""));
        let error = run(&config(&server.base)).await.0.unwrap_err();
        assert!(matches!(error, FetchError::Later { .. }), "{error}");
        assert_eq!(kind(&error), "Later");
        assert!(error.to_string().contains("in 2 h 0 min (at 2026-10-12T08:00:00Z)"), "{error}");
        assert_eq!(server.log().len(), 1);
    }
}

/// A number that cannot be held is a long wait, never none.
#[tokio::test]
async fn a_pause_without_end_is_for_later() {
    let server = faulty(usize::MAX, || reply(503, "Retry-After: 99999999999999999999999\r\n", ""));
    let error = run(&config(&server.base)).await.0.unwrap_err();
    assert_eq!((kind(&error).as_str(), server.log().len()), ("Later", 1), "{error}");
    assert!(error.to_string().contains("in more than a week"), "{error}");
}

/// Attempts are reported, above all those that failed.
#[tokio::test]
async fn a_failed_fetch_tells_what_it_tried() {
    let server = faulty(usize::MAX, || json(503, "{}"));
    let (outcome, seen) = run(&config(&server.base)).await;
    assert!(outcome.unwrap_err().to_string().contains("HTTP 503"));
    let done = seen.news.last().unwrap();
    assert!(matches!(done, Progress::Done { requests: 6, retries: 5, .. }), "{done:?}");
    let server = serve(|_| {
        std::thread::sleep(Duration::from_secs(5));
        Reply(Vec::new())
    });
    let config = ApiConfig { deadline: Duration::from_millis(100), ..config(&server.base) };
    let done = run(&config).await.1.news.pop().unwrap();
    assert!(matches!(done, Progress::Done { requests: 1, retries: 0, .. }), "{done:?}");
}

#[tokio::test]
async fn the_deadline_ends_the_run() {
    let server = serve(|_| {
        std::thread::sleep(Duration::from_secs(5));
        Reply(Vec::new())
    });
    let mut config = config(&server.base);
    config.deadline = Duration::from_millis(100);
    let error = run(&config).await.0.unwrap_err();
    assert!(matches!(error, FetchError::Deadline { .. }), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_timed_out_and_asked_again() {
    let server = faulty(1, || {
        std::thread::sleep(Duration::from_secs(5));
        Reply(Vec::new())
    });
    let mut limits = quick();
    limits.bounds.read = Duration::from_secs(1);
    let (stats, seen) = run_within(&config(&server.base), &query(), &limits).await;
    assert_eq!(stats.unwrap().retries, 1);
    assert!(seen.retries()[0].1.contains("timeout"), "{:?}", seen.retries());
}

#[tokio::test]
async fn the_key_follows_no_redirect() {
    let caught = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&caught);
    let elsewhere = serve(move |asked| {
        counter.fetch_add(1, Ordering::SeqCst);
        honest(&records(5), asked, 1000)
    });
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}/v2?apk=1\r\n", elsewhere.base);
        let server = serve(move |_| reply(status, &location, ""));
        let error = run(&config(&server.base)).await.0.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("to {}, where", elsewhere.base)), "{text}");
        assert_eq!(kind(&error), "Redirect");
        assert_eq!(server.log().len(), 1);
    }
    assert_eq!(caught.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_within_the_host_tells_its_path() {
    for status in [301, 307, 308] {
        let long = "x".repeat(500);
        let location = format!("Location: /devin/apk_user_k3y/{long}?key=1\r\n");
        let server = serve(move |_| reply(status, &location, ""));
        let error = run(&config(&server.base)).await.0.unwrap_err();
        let output = error.to_string();
        assert!(output.contains("to its own /devin/[redacted]/xxx") && !output.contains("key=1"), "{output}");
        assert!(!output.contains("is not sent"), "{output}");
        assert!(output.len() < 500 && kind(&error) == "Moved", "{output}");
        assert_eq!(server.log().len(), 1, "it is not followed");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_quoted() {
    let server = faulty(usize::MAX, || json(200, r#"{"detail": "so\u001b[1mrry apk_user_k3y"}"#));
    let error = run(&config(&server.base)).await.0.unwrap_err();
    assert!(error.to_string().ends_with("`items` is missing or not a list: \"sorry [redacted]\""), "{error}");
    assert_eq!((kind(&error).as_str(), server.log().len()), ("Contract", 1));
}

#[tokio::test]
async fn a_page_has_a_largest_size() {
    let mut limits = quick();
    limits.bounds.page_bytes = envelope(&records(5), false, 5).len();
    let server = faulty(0, || Reply(Vec::new()));
    assert!(run_within(&config(&server.base), &query(), &limits).await.0.unwrap().complete);
    limits.bounds.page_bytes -= 1;
    let error = run_within(&config(&server.base), &query(), &limits).await.0.unwrap_err();
    assert!(error.to_string().contains("the page is larger than"), "{error}");
    assert_eq!(kind(&error), "Contract");
    assert_eq!(server.log().len(), 2);
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_a_setting() {
    let mut config = config("http://127.0.0.1:9");
    config.key = Secret::new("apk_user_k3y\n".to_owned());
    let error = run(&config).await.0.unwrap_err();
    assert!(error.to_string().contains("the key from DEVIN_API_KEY contains characters"), "{error}");
    assert_eq!(kind(&error), "Unfit");
}
