//! The demo: the same bytes on every run, on any number of threads, and those
//! of the committed sample.

use crate::support::{acumen, repository, run};

const NAME: &str = "org_demo_2026-W41";

/// The page and the facts of a demo.
fn demo(threads: Option<&str>) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = acumen(folder.path());
    // The key of this machine is none of the demo's business.
    command.env_remove("DEVIN_API_KEY").arg("demo");
    command.envs(threads.map(|threads| ("POLARS_MAX_THREADS", threads)));
    let outcome = run(&mut command);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, format!("reports/{NAME}.html\nreports/{NAME}.json\n"));
    let read =
        |end: &str| std::fs::read_to_string(folder.path().join(format!("reports/{NAME}.{end}"))).unwrap();
    (read("html"), read("json"))
}

#[test]
fn it_has_the_same_bytes_on_every_run_and_any_number_of_threads() {
    let first = demo(None);
    for threads in [None, Some("1"), Some("2"), Some("5")] {
        let again = demo(threads);
        assert!(again.1 == first.1, "other facts on {threads:?} threads");
        assert!(again.0 == first.0, "another page on {threads:?} threads");
    }
}

#[test]
fn it_equals_the_committed_sample() {
    let (html, json) = demo(None);
    for (end, found) in [("json", json), ("html", html)] {
        let path = repository("reports").join(format!("{NAME}.{end}"));
        let committed = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("reports/{NAME}.{end}: {error}; make it: cargo run -- demo"));
        assert!(committed == found, "reports/{NAME}.{end} is another: renew it with cargo run -- demo");
    }
}

#[test]
fn it_looks_as_a_report_should() {
    let (html, json) = demo(None);
    assert!(html.len() < 400_000, "{} bytes", html.len());
    assert!(html.contains("This organisation is invented"));
    let facts: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(facts["source"]["completeness"], "proven");
    assert_eq!(facts["period"]["label"], "2026-W41");
}

#[test]
fn next_steps_are_printed_unless_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let loud = run(acumen(folder.path()).arg("demo"));
    assert!(loud.stderr.contains("browser") && loud.stderr.contains("acumen report"), "{}", loud.stderr);
    let quiet = run(acumen(folder.path()).args(["-q", "demo"]));
    assert_eq!((quiet.code, quiet.stderr.as_str(), quiet.stdout), (Some(0), "", loud.stdout));
}
