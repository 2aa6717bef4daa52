//! A run that is stopped: at once, with its own exit code and no partial files.

use std::time::{Duration, Instant};

use devin_simulator::{Options, Organisation, Recipe};

use crate::support::{Served, acumen, begin, files, outcome, run, signal};

/// The longest that anybody waits for an end.
const SOON: Duration = Duration::from_secs(2);
const OLD: [&str; 2] = ["org_demo_2026-W41.html", "org_demo_2026-W41.json"];

/// Waits for something that the other side will do.
fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal while the `requests`-th request is held back by the server.
fn stops(name: &str, code: i32, latency: Duration, requests: u64) {
    let served = Served::new(
        Organisation::invent(&Recipe { sessions: 300, ..Recipe::demo() }),
        Options { latency, ..Options::default() },
    );
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    std::fs::create_dir(&out).unwrap();
    for file in OLD {
        std::fs::write(out.join(file), "an older report").unwrap();
    }
    let flags = ["--week", "2026-W41", "--org", "org_demo", "--page-size", "10", "--concurrency", "2"];
    let child = begin(acumen(folder.path()).args(["report", "--base-url", &served.url()]).args(flags));
    let id = child.id();
    until(|| served.simulator.requests() >= requests);
    let sent = Instant::now();
    signal(id, name);
    let ended = outcome(child);
    let took = sent.elapsed();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
    assert!(took < SOON, "{name}: {took:?}");
    assert!(ended.stderr.ends_with("nothing written\n"), "{}", ended.stderr);
    assert_eq!(files(&out), OLD, "nothing half, nothing new");
    for file in OLD {
        assert_eq!(std::fs::read_to_string(out.join(file)).unwrap(), "an older report");
    }
}

#[test]
fn an_interrupt_ends_a_fetch_with_130() {
    stops("INT", 130, Duration::from_secs(30), 1);
    stops("INT", 130, Duration::from_millis(300), 4);
}

#[test]
fn a_termination_ends_a_fetch_with_143() {
    stops("TERM", 143, Duration::from_secs(30), 1);
    stops("TERM", 143, Duration::from_millis(300), 4);
}

#[test]
fn a_signal_ends_the_waiting_between_retries() {
    // Told to come back in ten minutes, the program waits; it must still hear.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head);
        let answer =
            "HTTP/1.1 429 Slow\r\nRetry-After: 600\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).unwrap();
        drop(stream);
        sender.send(()).unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let child = begin(acumen(folder.path()).args(["report", "--base-url", &url]));
    asked.recv_timeout(Duration::from_secs(60)).unwrap();
    let (id, sent) = (child.id(), Instant::now());
    signal(id, "TERM");
    let ended = outcome(child);
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(sent.elapsed() < SOON);
    assert_eq!(files(&folder.path().join("reports")), [""; 0]);
}

#[test]
fn the_simulator_serves_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["simulate", "--port", "0", "--sessions", "40", "--seed", "3", "--fault", "clamp=9"];
    let mut child = begin(acumen(folder.path()).args(flags));
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stdout.as_mut().expect("its stdout")),
        &mut line,
    )
    .unwrap();
    let url = line.trim();
    assert!(url.starts_with("http://127.0.0.1:"), "{line}");
    let report = run(acumen(folder.path()).args(["report", "--base-url", url, "--org", "org_demo"]));
    signal(child.id(), "INT");
    let ended = outcome(child);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    assert_eq!(ended.code, Some(130));
    let facts = report.stdout.lines().find(|line| line.ends_with(".json")).expect("the facts");
    let facts: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join(facts)).unwrap()).unwrap();
    assert!(facts["source"]["pages"].as_u64() > Some(1), "the fault did not occur: {}", facts["source"]);
    for text in [url, "acumen report", "apk_user_demo", "cog_demo", "--api v3"] {
        assert!(ended.stderr.contains(text), "{}", ended.stderr);
    }
}
