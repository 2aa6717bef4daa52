//! Under the answers: TLS and compression.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::server::{Reply, Server, serve};
use super::*;

/// One page with one session and 100,000 spaces, as gzip.
const GZIP: &str = "1f8b0800000000000203edc9b16a02411885d15719fe7a17460b8b7d0e2b252c4376820bea8233a411df3d264f\
    91e21c6ef3719fb1f67a6b31a5f3335a6d6dddeef3babc3b96fabddec796738e21c5e7a3965e97b9f4df6f9ff7\
    877197c77c38e63cfded14af8f2101000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000ff565c4a9b6fdba3c694becab5d52145df7ab9be7bf7fa01\
    5d75d4930d870100";

/// A certificate for `localhost` that nobody signed, made for this test alone …
const CERTIFICATE: &str = "308201963082013ba00302010202144404c0d979200eb79b4843a06cbb8e7a1a609e70300a06082a8648ce3d04\
    030230143112301006035504030c096c6f63616c686f73743020170d3236313132333233303634365a180f3231\
    3236313033303233303634365a30143112301006035504030c096c6f63616c686f73743059301306072a8648ce\
    3d020106082a8648ce3d030107034200043512207b53e76e9a1d3d24c24bfa935df85d478c37590b34cb8b227d\
    facd7597aac77f77bb7a48ea54ee1a92288dd399b4e1f009d7e5fe38c4c08f5e869ea7cca3693067301d060355\
    1d0e04160414c3d91fc6ccc12fdad55f894120234f16ec09bb57301f0603551d23041830168014c3d91fc6ccc1\
    2fdad55f894120234f16ec09bb57300f0603551d130101ff040530030101ff30140603551d11040d300b82096c\
    6f63616c686f7374300a06082a8648ce3d0403020349003046022100c0d2eccbcec08e9aa6f04dd5bb300aa62a\
    8c9732e0b438b173d140fa58bea4550221009b13169b5dfec925f3f8d7a2f2c3034254f1957e09b61ef9c5372f\
    5c42db925d";
/// … and its key, which opens nothing.
const CERTIFICATE_KEY: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b020101042017353e7c9b69fd565c\
    a1d7b45039edf7e4a5b3149706634088a8b272a353dce6a144034200043512207b53e76e9a1d3d24c24bfa935d\
    f85d478c37590b34cb8b227dfacd7597aac77f77bb7a48ea54ee1a92288dd399b4e1f009d7e5fe38c4c08f5e86\
    9ea7cc";

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Sends these bytes as gzip: the first time whole or cut, then whole.
fn packed(first: usize) -> Server {
    serve(move |asked| {
        let body = bytes(GZIP);
        let length = if asked.number == 1 { first } else { body.len() };
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n";
        Reply([head.as_bytes(), &body[..length]].concat())
    })
}

#[tokio::test]
async fn a_packed_page_is_read_and_measured_unpacked() {
    let packed_length = bytes(GZIP).len();
    let server = packed(packed_length);
    let (stats, seen) = run(&config(&server.base)).await;
    assert_eq!((stats.unwrap().requests, seen.ids()), (1, vec!["s000"]));
    // The page is small on the wire and large in memory: what counts is the memory.
    let mut limits = quick();
    limits.bounds.page_bytes = 99_999;
    let error = run_within(&config(&server.base), &query(), &limits).await.0.unwrap_err();
    assert!(error.to_string().contains("the page is larger than"), "{error}");
}

#[tokio::test]
async fn a_packed_page_cut_short_is_asked_again() {
    for missing in [1, 8, 20, 100] {
        let server = packed(bytes(GZIP).len() - missing);
        let (stats, seen) = run(&config(&server.base)).await;
        assert_eq!((stats.unwrap().requests, seen.ids()), (2, vec!["s000"]), "{missing}");
        assert!(seen.retries()[0].1.contains("cut short"), "{:?}", seen.retries());
    }
}

/// Accepts TLS with a certificate that nobody trusts; counts the connections.
fn impostor() -> (String, Arc<AtomicUsize>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(bytes(CERTIFICATE))],
            PrivatePkcs8KeyDer::from(bytes(CERTIFICATE_KEY)).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let met = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&met);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            // Fails as soon as the client has seen the certificate.
            let _ = connection.complete_io(&mut stream.unwrap());
        }
    });
    (base, met)
}

#[tokio::test]
async fn a_port_without_tls_is_reported() {
    // A server that gets a handshake instead of a request answers in plain text.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let error = run(&config(&base)).await.0.unwrap_err();
    if matches!(error, FetchError::Tls { .. }) {
        // A machine without any root certificates does not even connect.
        return;
    }
    assert!(matches!(error, FetchError::Unreachable { class: retry::Class::NoTls, .. }), "{error}");
}

#[tokio::test]
async fn an_untrusted_certificate_stops_the_run_at_once() {
    let (base, met) = impostor();
    let error = run(&config(&base)).await.0.unwrap_err();
    let FetchError::Tls { hint, .. } = error else { panic!("{error}") };
    assert!(hint.contains("--ca-file"), "{hint}");
    // A machine without any root certificates does not even connect.
    assert!(met.load(Ordering::SeqCst) <= 1);
}

/// Answers each handshake with these bytes; counts the connections.
fn handshaker(answer: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let met = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&met);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    (base, met)
}

/// The start of a handshake with TLS 1.1: a record with a ServerHello.
const HELLO_OF_TLS_1_1: &[u8] = &[
    22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 47, 0,
];

#[tokio::test]
async fn a_server_with_only_tls_1_1_stops_the_run_at_once() {
    // OpenSSL answers with the alert protocol_version, older servers with their own version.
    for answer in [&[21, 3, 2, 0, 2, 2, 70], HELLO_OF_TLS_1_1] {
        let (base, met) = handshaker(answer);
        let error = run(&config(&base)).await.0.unwrap_err();
        assert!(matches!(error, FetchError::Tls { .. }), "{error}");
        if met.load(Ordering::SeqCst) == 0 {
            // A machine without any root certificates does not even connect.
            continue;
        }
        assert_eq!(met.load(Ordering::SeqCst), 1, "{error}");
        assert!(error.to_string().contains("TLS 1.1 or older"), "{error}");
    }
}

#[tokio::test]
async fn an_alert_that_may_pass_is_asked_again() {
    let (base, met) = handshaker(&[21, 3, 3, 0, 2, 2, 80]);
    let error = run(&config(&base)).await.0.unwrap_err();
    if met.load(Ordering::SeqCst) > 0 {
        assert!(matches!(error, FetchError::Unreachable { attempts: 6, .. }), "{error}");
    }
}
