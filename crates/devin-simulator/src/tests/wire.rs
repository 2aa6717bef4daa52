//! What only shows in bytes: the faults over a real socket.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// How long a server that says nothing is given before it counts as silent, and
/// a test that waits before it counts as hung.
const SILENCE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(60);

async fn serve(fault: &str) -> Simulator {
    let faults = vec![fault.parse().unwrap()];
    start(Organisation::from_values(sessions(40)), Options { faults, ..Options::default() }).await.unwrap()
}

/// A connection on which this was asked.
async fn asked(simulator: &Simulator, path: &str, more: &str) -> TcpStream {
    let address = simulator.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n{more}\r\n", key(path));
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The head and the body of an answer, read until the server closes.
async fn answered(simulator: &Simulator, path: &str) -> (String, Vec<u8>) {
    let mut stream = asked(simulator, path, "Connection: close\r\n").await;
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    split(&bytes)
}

fn split(bytes: &[u8]) -> (String, Vec<u8>) {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
    (String::from_utf8(bytes[..end].to_vec()).unwrap(), bytes[end + 4..].to_vec())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    pairs.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

fn length(head: &str) -> usize {
    header(head, "content-length").unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_answer_has_a_date() {
    let simulator = serve("503=2").await;
    for path in [V2, V3, "/v3/self", "/elsewhere"] {
        let (head, _) = answered(&simulator, path).await;
        assert!(httpdate::parse_http_date(header(&head, "date").unwrap()).is_ok(), "{head}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn both_generations_and_the_key_are_answered() {
    let simulator = start(Organisation::from_values(sessions(3)), Options::default()).await.unwrap();
    for (path, pointer, expected) in [
        (V2, "/total", json!(3)),
        (V3, "/total", json!(3)),
        ("/v3/self", "/principal_type", json!("service_user")),
        ("/v3/self", "/org_id", Value::Null),
        ("/v2/enterprise/metrics/usage?end_date=2026-10-04", "/sessions_count", json!(0)),
        ("/v2/enterprise/metrics/usage?end_date=2026-10-05", "/sessions_count", json!(3)),
        ("/v3/enterprise/metrics/usage?time_after=0&time_before=2000000000", "/sessions_count", json!(3)),
    ] {
        let (head, body) = answered(&simulator, path).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body.pointer(pointer), Some(&expected), "{path}: {body}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let status = |head: &str| head.split(' ').nth(1).unwrap_or_default().to_owned();
    let simulator = serve("503=2").await;
    for expected in ["200", "503", "200", "503"] {
        assert_eq!(status(&answered(&simulator, V2).await.0), expected);
    }
    simulator.stop().await;

    let simulator = serve("429=1").await;
    let (head, _) = answered(&simulator, V3).await;
    assert_eq!((status(&head).as_str(), header(&head, "retry-after")), ("429", Some("1")));
    simulator.stop().await;

    let simulator = serve("429date=1").await;
    let (head, _) = answered(&simulator, V3).await;
    let moment = |name: &str| httpdate::parse_http_date(header(&head, name).unwrap()).unwrap();
    assert_eq!(status(&head), "429");
    assert_eq!(moment("retry-after").duration_since(moment("date")).unwrap(), Duration::from_secs(1));
    simulator.stop().await;
}

#[tokio::test]
async fn only_gets_are_counted() {
    let simulator = serve("503=2").await;
    let address = simulator.base_url().replace("http://", "");
    for (method, expected) in [("GET", "200"), ("POST", "405"), ("HEAD", "405"), ("GET", "503")] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let request = format!(
            "{method} {V2} HTTP/1.1\r\nHost: x\r\nAuthorization: {PERSONAL}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {expected}")), "{method}: {text}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let simulator = serve("reset=1").await;
    let mut stream = asked(&simulator, V2, "").await;
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 64])).await.unwrap();
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    simulator.stop().await;
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_it_says() {
    let simulator = serve("truncate=2").await;
    let (_, whole) = answered(&simulator, V2).await;
    let (head, part) = answered(&simulator, V2).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!((length(&head), part.len()), (whole.len(), whole.len() / 2));
    assert!(whole.starts_with(&part));
    simulator.stop().await;
}

#[tokio::test]
async fn a_stalled_body_begins_and_stays_open() {
    let simulator = serve("stall=2").await;
    let (_, whole) = answered(&simulator, V3).await;
    let mut stream = asked(&simulator, V3, "").await;
    let mut bytes = Vec::new();
    let expected = whole.len() / 2;
    let begun = |bytes: &[u8]| bytes.windows(4).any(|four| four == b"\r\n\r\n");
    while !begun(&bytes) || split(&bytes).1.len() < expected {
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut bytes)).await.unwrap().unwrap();
        assert!(read > 0, "closed after {} bytes", bytes.len());
    }
    let (head, part) = split(&bytes);
    assert_eq!((length(&head), part.len()), (whole.len(), expected));
    let more = tokio::time::timeout(SILENCE, stream.read(&mut [0; 1])).await;
    assert!(more.is_err(), "{more:?} instead of nothing");
    // A stop does not wait for what never ends.
    tokio::time::timeout(Duration::from_secs(4), simulator.stop()).await.unwrap();
}

#[tokio::test]
async fn a_page_for_people_comes_with_status_200() {
    let simulator = serve("html=1").await;
    let (head, body) = answered(&simulator, V2).await;
    assert!(head.starts_with("HTTP/1.1 200") && header(&head, "content-type").unwrap().contains("text/html"));
    assert!(body.starts_with(b"<!doctype html>"));
    simulator.stop().await;
}

#[tokio::test]
async fn a_redirect_leads_to_another_origin() {
    let simulator = serve("redirect=1").await;
    let (head, _) = answered(&simulator, &format!("{V3}?first=7")).await;
    assert!(head.starts_with("HTTP/1.1 302"), "{head}");
    let port = simulator.base_url().rsplit(':').next().unwrap().to_owned();
    let place = format!("http://localhost:{port}{V3}?first=7");
    assert_eq!(header(&head, "location"), Some(place.as_str()));
    simulator.stop().await;
}

#[tokio::test]
async fn a_bomb_is_small_and_unpacks_to_hundreds_of_megabytes() {
    let simulator = serve("bomb=1").await;
    let (head, body) = answered(&simulator, V2).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(header(&head, "content-encoding"), Some("gzip"));
    assert!(body.len() < 300_000, "{}", body.len());

    // A client without a bound unpacks it to the end: checksum and length are right.
    let mut unpacked = 0;
    let mut piece = vec![0; 1 << 20];
    let mut bytes = flate2::read::MultiGzDecoder::new(body.as_slice());
    loop {
        let length = std::io::Read::read(&mut bytes, &mut piece).unwrap();
        if length == 0 {
            break;
        }
        assert!(piece[..length].iter().all(|byte| *byte == b' '));
        unpacked += length;
    }
    assert_eq!(unpacked, 268_320_517);
    simulator.stop().await;
}

#[tokio::test]
async fn a_script_is_followed_by_the_requests_in_their_order() {
    let script = vec![None, Some(Fault::new(FaultKind::Unavailable)), Some(Fault::new(FaultKind::Html))];
    let options = Options { script, ..Options::default() };
    let simulator = start(Organisation::from_values(sessions(3)), options).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (head, body) = answered(&simulator, V3).await;
        seen.push((head.split(' ').nth(1).unwrap().to_owned(), body.starts_with(b"{")));
    }
    let expected = [("200", true), ("503", true), ("200", false), ("200", true), ("200", true)];
    assert_eq!(seen, expected.map(|(status, json)| (status.to_owned(), json)));
    simulator.stop().await;
}
