//! Runs that are killed at any moment, and runs that share a folder: only whole
//! files, and nothing half is left after the next good run.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::Value;

use crate::support::{
    SERVICE_CANARY, Served, acumen, begin, files, outcome, run, shows_no_key, signal, slow_tests,
};

const WRITTEN: [&str; 2] = ["org_demo_2026-W41.html", "org_demo_2026-W41.json"];

fn served() -> Served {
    let first_day = "2026-09-28".parse().unwrap();
    let recipe = Recipe { sessions: 150, first_day, days: 14, ..Recipe::demo() };
    Served::new(Organisation::invent(&recipe), Options::default())
}

fn report(folder: &Path, url: &str, v3: bool) -> Command {
    let mut command = acumen(folder);
    command.args(["report", "--base-url", url, "--org", "org_demo", "--week", "2026-W41"]);
    command.args(["--trend", "1", "--page-size", "50", "--out", ".", "--quiet"]);
    if v3 {
        command.env("DEVIN_API_KEY", SERVICE_CANARY);
    }
    command
}

/// Asserts that whatever stands where a report stands is all of one.
fn is_whole(folder: &Path) {
    let [html, json] = WRITTEN.map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
    assert!(
        html.to_lowercase().starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"),
        "{} bytes",
        html.len()
    );
    let json: Value = serde_json::from_str(&json).expect("whole facts");
    assert!(json["facts"].as_array().is_some_and(|facts| facts.len() > 100));
}

fn staged(folder: &Path) -> Vec<String> {
    files(folder).into_iter().filter(|name| !WRITTEN.contains(&name.as_str())).collect()
}

/// Kills so many runs in one folder; gives how many left something half.
fn kills(url: &str, rounds: u32, thread: u32) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    assert_eq!(run(&mut report(folder.path(), url, false)).code, Some(0));
    let usual = begun.elapsed();
    let mut dice = 88_172_645_463_325_252_u64.wrapping_mul(u64::from(thread) + 1);
    let mut left = 0;
    for round in 0..rounds {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let before = staged(folder.path()).len();
        let mut child = begin(&mut report(folder.path(), url, round % 2 == 1));
        let asked = Instant::now();
        if round % 4 < 2 {
            // Anywhere in its life.
            let moment = usual.mul_f64((dice % 1000) as f64 / 900.0);
            while asked.elapsed() < moment && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
        } else {
            // While it writes: as soon as there is a file with something in it, or a bit later.
            let half = || {
                let sizes = staged(folder.path()).into_iter().map(|name| folder.path().join(name).metadata());
                sizes.flatten().filter(|file| file.len() > 0).count()
            };
            let old = half();
            while half() <= old && child.try_wait().unwrap().is_none() {}
            let (seen, later) = (Instant::now(), Duration::from_micros(dice % 3000));
            while seen.elapsed() < later {}
        }
        // It may have ended by itself, and is not waited for yet.
        let _ = child.kill();
        let ended = outcome(child);
        assert!(ended.code.is_none_or(|code| code == 0), "{}", ended.stderr);
        is_whole(folder.path());
        shows_no_key(folder.path());
        left += u32::from(staged(folder.path()).len() > before);
    }
    assert_eq!(run(&mut report(folder.path(), url, false)).code, Some(0));
    assert_eq!(files(folder.path()), WRITTEN, "something half is left after a good run");
    is_whole(folder.path());
    left
}

#[test]
fn killed_runs_leave_whole_files_and_nothing_else() {
    let served = served();
    let url = served.url();
    let left: u32 = std::thread::scope(|scope| {
        let url = url.as_str();
        let rounds = if slow_tests() { 25 } else { 3 };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || kills(url, rounds, thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(left > 0 || !slow_tests(), "no run was killed while it wrote, so nothing was proved");
}

#[test]
fn runs_that_share_a_folder_both_end_with_whole_files() {
    let served = served();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".acumen-killed"), "half").unwrap();
    for _ in 0..3 {
        let children = [false, true, false].map(|v3| begin(&mut report(folder.path(), &served.url(), v3)));
        for child in children {
            let ended = outcome(child);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
        is_whole(folder.path());
        assert_eq!(files(folder.path()), WRITTEN);
    }
}

#[test]
fn a_signal_ends_the_reading_of_a_body_that_stalls() {
    use devin_simulator::{Fault, FaultKind};
    for (v3, name, code) in [(false, "INT", 130), (true, "TERM", 143), (true, "INT", 130)] {
        let faults = vec![Fault::every(FaultKind::Stall, 1)];
        let options = Options { faults, ..Options::default() };
        let served = Served::new(Organisation::invent(&Recipe { sessions: 60, ..Recipe::demo() }), options);
        let folder = tempfile::tempdir().unwrap();
        let child = begin(&mut report(folder.path(), &served.url(), v3));
        let begun = Instant::now();
        while served.simulator.requests() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "it never asked");
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Instant::now();
        signal(child.id(), name);
        let ended = outcome(child);
        assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
        assert_eq!(files(folder.path()), [""; 0]);
    }
}
