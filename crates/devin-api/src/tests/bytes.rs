//! What goes wrong below the answers, byte by byte, on both generations.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::server::read_head;
use super::*;

const HEAD: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n";

/// What becomes of one connection.
type Act = fn(TcpStream, Api);

/// A server that does this to its first connections, then answers as it should;
/// counts them.
fn talks(api: Api, times: usize, act: Act) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let met = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&met);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let ill = counter.fetch_add(1, Ordering::SeqCst) < times;
            std::thread::spawn(move || {
                if read_head(&mut stream).is_none() {
                    return;
                }
                if ill {
                    return act(stream, api);
                }
                let body = page(api);
                let _ = write!(stream, "{HEAD}Content-Length: {}\r\n\r\n{body}", body.len());
            });
        }
    });
    (base, met)
}

/// One page with all there is.
fn page(api: Api) -> String {
    let (more, created) = match api {
        Api::V2 => (r#""has_more": false"#, r#""2026-10-06T00:00:00Z""#),
        Api::V3 => (r#""has_next_page": false, "end_cursor": null"#, "1791244800"),
    };
    format!(r#"{{"items": [{{"session_id": "s000", "created_at": {created}}}], {more}, "total": 1}}"#)
}

fn asking(api: Api, base: &str) -> ApiConfig {
    let key = match api {
        Api::V2 => "apk_user_k3y",
        Api::V3 => "cog_k3y",
    };
    ApiConfig { api, key: Secret::new(key.to_owned()), gate: Gate::new(4), ..config(base) }
}

/// Short enough for a test, long enough for a busy machine.
fn hurried() -> Limits {
    let mut limits = quick();
    limits.bounds.read = Duration::from_millis(700);
    limits.bounds.attempt = Duration::from_millis(1500);
    limits
}

fn reset(stream: TcpStream, _: Api) {
    // Without time to linger, closing sends a reset.
    let socket = socket(stream);
    socket.set_zero_linger().unwrap();
}

fn socket(stream: TcpStream) -> tokio::net::TcpSocket {
    tokio::net::TcpSocket::from_std_stream(stream)
}

fn reset_in_the_body(mut stream: TcpStream, api: Api) {
    let body = page(api);
    let _ = write!(stream, "{HEAD}Content-Length: {}\r\n\r\n{}", body.len(), &body[..20]);
    let _ = stream.flush();
    reset(stream, api);
}

fn closed(_: TcpStream, _: Api) {}

fn short(mut stream: TcpStream, api: Api) {
    let body = page(api);
    let _ = write!(stream, "{HEAD}Content-Length: {}\r\n\r\n{}", body.len(), &body[..body.len() - 1]);
}

fn half_a_document(mut stream: TcpStream, api: Api) {
    let body = page(api);
    let half = &body[..body.len() / 2];
    let _ = write!(stream, "{HEAD}Content-Length: {}\r\n\r\n{half}", half.len());
}

fn broken_chunks(mut stream: TcpStream, api: Api) {
    let _ = write!(stream, "{HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\n{}", page(api));
}

fn no_http(mut stream: TcpStream, _: Api) {
    let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
}

fn no_gzip(mut stream: TcpStream, api: Api) {
    let _ = write!(stream, "{HEAD}Content-Encoding: gzip\r\n\r\n{}", page(api));
}

fn html(mut stream: TcpStream, _: Api) {
    let body = "<html>log in</html>";
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{body}"
    );
}

fn empty(mut stream: TcpStream, _: Api) {
    let _ = write!(stream, "{HEAD}Content-Length: 0\r\n\r\n");
}

/// Half of the body, then nothing, for longer than anybody waits.
fn stalled(mut stream: TcpStream, api: Api) {
    let body = page(api);
    let _ = write!(stream, "{HEAD}Content-Length: {}\r\n\r\n{}", body.len(), &body[..20]);
    let _ = stream.flush();
    std::thread::sleep(Duration::from_secs(20));
}

/// Never silent for long, and never done: only the time of the whole attempt ends it.
fn dripping(mut stream: TcpStream, api: Api) {
    let body = page(api);
    let _ = write!(stream, "{HEAD}Content-Length: {}\r\n\r\n", body.len());
    for byte in body.bytes() {
        if stream.write_all(&[byte]).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn endless(mut stream: TcpStream, _: Api) {
    let _ = write!(stream, "{HEAD}\r\n{{\"items\": [");
    while stream.write_all(&[b' '; 4096]).is_ok() {}
}

fn endless_refusal(mut stream: TcpStream, _: Api) {
    let _ = write!(stream, "HTTP/1.1 422 No\r\nContent-Type: application/json\r\n\r\n");
    while stream.write_all(&[b' '; 4096]).is_ok() {}
}

#[tokio::test]
async fn what_breaks_on_the_way_is_asked_again() {
    let cases: [(&str, Act); 12] = [
        ("error sending request", reset),
        ("cut short", reset_in_the_body),
        ("error sending request", closed),
        ("cut short", short),
        ("cut short", half_a_document),
        ("cut short", broken_chunks),
        ("error sending request", no_http),
        ("cut short", no_gzip),
        ("expected JSON, got text/html", html),
        ("expected JSON, got an empty body", empty),
        ("timeout", stalled),
        ("timeout", dripping),
    ];
    for api in [Api::V2, Api::V3] {
        for (class, act) in cases {
            let (base, met) = talks(api, 1, act);
            let begun = Instant::now();
            let (stats, seen) = run_within(&asking(api, &base), &query(), &hurried()).await;
            let stats = stats.unwrap_or_else(|error| panic!("{api} {class}: {error}"));
            // v3 is asked for archived sessions as well.
            let requests = if api == Api::V3 { 3 } else { 2 };
            assert_eq!((stats.requests, stats.retries, stats.unique), (requests, 1, 1));
            let met = met.load(Ordering::SeqCst) as u64;
            assert_eq!((met, seen.ids(), seen.restarts, stats.complete), (requests, vec!["s000"], 0, true));
            let retries = seen.retries();
            assert!(retries.len() == 1 && retries[0].1.contains(class), "{api} {class}: {retries:?}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{api} {class}: {:?}", begun.elapsed());
        }
    }
}

#[tokio::test]
async fn a_lasting_fault_ends_the_fetch() {
    let cases: [(&str, usize, &str, Act); 6] = [
        ("Unreachable", 6, "in 6 attempt(s): error sending request", reset),
        ("Unreachable", 6, "in 6 attempt(s): answer cut short", short),
        ("NotJson", 3, "expected JSON, got text/html from 127.0.0.1:", html),
        ("NotJson", 3, "expected JSON, got an empty body from 127.0.0.1:", empty),
        // What is too large once is too large again.
        ("Contract", 1, "the page is larger than 1 MiB", endless),
        ("BadRequest", 1, "HTTP 422", endless_refusal),
    ];
    let mut limits = hurried();
    limits.bounds.page_bytes = 1024 * 1024;
    for api in [Api::V2, Api::V3] {
        for (what, attempts, says, act) in cases {
            let (base, met) = talks(api, usize::MAX, act);
            let error = run_within(&asking(api, &base), &query(), &limits).await.0.unwrap_err();
            assert!(error.to_string().contains(says), "{api} {says}: {error}");
            assert_eq!((kind(&error).as_str(), met.load(Ordering::SeqCst)), (what, attempts), "{api} {says}");
        }
    }
}

/// Closes every connection with a reset before the server says hello.
#[tokio::test]
async fn a_handshake_that_is_reset_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let met = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&met);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            reset(stream.unwrap(), Api::V2);
        }
    });
    for api in [Api::V2, Api::V3] {
        let before = met.load(Ordering::SeqCst);
        let error = run_within(&asking(api, &base), &query(), &hurried()).await.0.unwrap_err();
        if matches!(error, FetchError::Tls { .. }) {
            // A machine without any root certificates does not even connect.
            assert_eq!(met.load(Ordering::SeqCst), before);
            continue;
        }
        assert!(matches!(error, FetchError::Unreachable { attempts: 6, .. }), "{error}");
        assert_eq!((kind(&error).as_str(), met.load(Ordering::SeqCst) - before), ("Unreachable", 6));
    }
}

#[tokio::test]
async fn an_unknown_name_is_requested_again() {
    for api in [Api::V2, Api::V3] {
        let mut limits = hurried();
        limits.bounds.connect = Duration::from_secs(5);
        let (outcome, seen) = run_within(&asking(api, "https://nobody.invalid"), &query(), &limits).await;
        let error = outcome.unwrap_err();
        if matches!(error, FetchError::Tls { .. }) {
            continue;
        }
        assert_eq!((kind(&error).as_str(), seen.retries().len()), ("Unreachable", 5), "{error}");
    }
}
