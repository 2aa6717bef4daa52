//! The command line as a user meets it: what is refused and how, what stands on
//! which stream, exit codes, settings from the environment, signals.

mod refused;
mod settings;
mod signals;

use devin_simulator::{Options, Organisation};

use crate::support::{Served, acumen, files, repository, run, serve};

/// What became of the report, on a line between the two others.
const UNTOUCHED: &str = "note: nothing written; any existing report is unchanged";

/// The last lines of stderr: what went wrong, what was kept where a report was
/// due, and what to do about it.
fn error_and_hint(stderr: &str) -> (&str, &str) {
    let mut lines = stderr.lines().rev().filter(|line| *line != UNTOUCHED);
    let hint = lines.next().and_then(|line| line.strip_prefix("hint: "));
    let error = lines.next().and_then(|line| line.strip_prefix("error: "));
    let [Some(error), Some(hint)] = [error, hint] else {
        panic!("no error with a hint at the end:\n{stderr}")
    };
    assert!(!error.trim().is_empty() && !hint.trim().is_empty(), "{stderr}");
    (error, hint)
}

#[test]
fn the_paths_of_a_report_stand_on_stdout_one_a_line() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let flags = ["report", "--base-url", &served.url(), "--week", "2026-W41", "--out", "a/b"];
    let loud = run(acumen(folder.path()).args(flags));
    assert_eq!(loud.stdout, "a/b/enterprise_2026-W41.html\na/b/enterprise_2026-W41.json\n");
    assert!(loud.stderr.contains("/v2/enterprise/sessions/insights"), "{}", loud.stderr);
    assert!(!loud.stderr.contains('\u{1b}'), "no colours where nobody looks");
    assert_eq!(files(&folder.path().join("a/b")), ["enterprise_2026-W41.html", "enterprise_2026-W41.json"]);
    let quiet = run(acumen(folder.path()).args(flags).arg("--quiet"));
    assert_eq!((quiet.code, quiet.stdout, quiet.stderr.as_str()), (Some(0), loud.stdout, ""));
}

#[test]
fn a_refused_key_is_exit_3_and_names_its_source() {
    let served =
        Served::new(Organisation::default(), Options { key: Some("other".to_owned()), ..Options::default() });
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(acumen(folder.path()).args(["report", "--base-url", &served.url(), "--quiet"]));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""));
    assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().nth(1), Some(UNTOUCHED));
    let (error, hint) = error_and_hint(&outcome.stderr);
    assert!(error.contains("DEVIN_API_KEY") && error.contains("401"), "{error}");
    assert!(hint.contains("DEVIN_API_KEY"), "{hint}");
    assert_eq!(served.simulator.requests(), 1, "a refusal is not asked again");
    assert_eq!(files(&folder.path().join("reports")), [""; 0]);
}

#[test]
fn a_server_that_repeats_the_key_does_not_get_it_shown() {
    for status in [400, 401, 403, 404, 422] {
        // The whole head, the key in it, comes back as the server's words.
        let url = serve(move |head| (status, "", serde_json::json!({ "detail": head }).to_string()));
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(acumen(folder.path()).args(["report", "--base-url", &url]));
        let expected = if matches!(status, 401 | 403) { 3 } else { 2 };
        assert_eq!(outcome.code, Some(expected), "{status}: {}", outcome.stderr);
        assert!(error_and_hint(&outcome.stderr).0.contains(&status.to_string()), "{}", outcome.stderr);
    }
}

#[test]
fn an_unknown_organisation_is_exit_2_and_names_it() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let flags = ["report", "--base-url", &served.url(), "--org", "org_nobody", "--quiet"];
    let outcome = run(acumen(folder.path()).args(flags));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    let (error, hint) = error_and_hint(&outcome.stderr);
    assert!(error.contains("404") && hint.contains("org_nobody"), "{error}\n{hint}");
    assert_eq!(served.simulator.requests(), 1);
}

#[test]
fn an_unreachable_server_is_exit_5_after_retries() {
    // Bound but not listening, so that nobody else can answer there. The waits
    // before the five retries add up to 15.5 s at most, half of it on average.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(acumen(folder.path()).args(["report", "--base-url", &format!("http://{address}")]));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(5), ""));
    let (error, hint) = error_and_hint(&outcome.stderr);
    assert!(error.contains(&address.to_string()) && error.contains("6 attempt"), "{error}");
    assert!(hint.contains("network"), "{hint}");
    let retries = outcome.stderr.lines().filter(|line| line.starts_with("attempt "));
    assert_eq!(retries.count(), 5, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("\n6 requests, 5 retries, "), "{}", outcome.stderr);
}

#[test]
fn a_server_that_asks_for_hours_is_exit_75_at_once() {
    let url = serve(|_| (429, "Retry-After: 7200\r\n", "{}".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(acumen(folder.path()).args(["report", "--base-url", &url, "--quiet"]));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(75), ""));
    assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().nth(1), Some(UNTOUCHED));
    assert!(error_and_hint(&outcome.stderr).1.contains("2 h"), "{}", outcome.stderr);
}

#[test]
fn an_answer_that_breaks_the_contract_is_exit_65() {
    let envelope = r#"{"items": [], "total": 0, "skip": 0, "limit": 200"#;
    for (body, says) in [
        (format!("{envelope}}}"), "has_more"),
        (format!("{envelope}, \"has_more\": \"no\"}}"), "has_more"),
        (envelope.replace("\"items\": []", "\"items\": 7") + ", \"has_more\": false}", "items"),
        ("[]".to_owned(), "unexpected data"),
    ] {
        let reply = body.clone();
        let url = serve(move |_| (200, "", reply.clone()));
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(acumen(folder.path()).args(["report", "--base-url", &url, "--quiet"]));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(65), ""), "{body}: {}", outcome.stderr);
        assert!(error_and_hint(&outcome.stderr).0.contains(says), "{body}: {}", outcome.stderr);
        assert_eq!(files(&folder.path().join("reports")), [""; 0]);
    }
}

/// The hint stays last, and a command that writes nothing says nothing of it.
#[test]
fn a_failure_tells_what_was_kept() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let lines = |flags: &[&str]| {
        let outcome = run(acumen(folder.path()).args(flags));
        assert_ne!(outcome.code, Some(0));
        outcome.stderr.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let url = served.url();
    let report = ["report", "--base-url", &url, "--quiet", "--week", "2026-W41"];
    for wrong in [&["--tz", "berlin"][..], &["--org", "org_nobody"], &["--out", "/dev/null/reports"]] {
        assert_eq!(lines(&[&report[..], wrong].concat()), ["error:", "note:", "hint:"], "{wrong:?}");
    }
    assert_eq!(lines(&["demo", "--quiet", "--out", "/dev/null/reports"]), ["error:", "note:", "hint:"]);
    assert_eq!(lines(&["simulate", "--fault", "none"]), ["error:", "hint:"]);
    // The report is written although its path could not be printed.
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let output = acumen(folder.path()).args(report).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.lines().count()), (Some(74), 3), "{stderr}");
        assert_eq!(stderr.lines().nth(1), Some("note: the report was written completely"));
        assert_eq!(files(&folder.path().join("reports")).len(), 2);
    }
}

#[test]
fn help_tells_every_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for flag in ["--help", "-h", "help"] {
        let help = run(acumen(folder.path()).arg(flag));
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        let (_, codes) = help.stdout.split_once("Exit codes:").expect("a list of exit codes");
        for code in ["0", "1", "2", "3", "4", "5", "65", "74", "75", "130", "143"] {
            assert!(codes.split_whitespace().any(|word| word == code), "{flag}: {code} is missing");
        }
    }
    for command in ["report", "doctor", "demo", "simulate", "metrics", "completions"] {
        let help = run(acumen(folder.path()).args([command, "--help"]));
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{command}");
        assert!(help.stdout.contains("Usage: acumen"), "{}", help.stdout);
    }
}

#[test]
fn the_help_of_the_simulator_lists_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(acumen(folder.path()).args(["simulate", "--help"])).stdout;
    let (_, faults) = help.split_once("Faults for --fault").expect("a list of faults");
    let documented: Vec<&str> = faults.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    for name in devin_simulator::fault_names().split(", ") {
        assert!(documented.contains(&name), "{name} is missing");
    }
}

#[test]
fn no_arguments_prints_the_help() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(&mut acumen(folder.path()));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(outcome.stderr.contains("Usage: acumen") && outcome.stderr.contains("acumen demo"));
}

#[test]
fn the_catalogue_is_the_committed_one() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(acumen(folder.path()).args(["metrics", "--markdown"]));
    assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
    let committed = std::fs::read_to_string(repository("METRICS.md")).expect("METRICS.md");
    assert!(printed.stdout == committed, "renew it: cargo run -- metrics --markdown > METRICS.md");
    let text = run(acumen(folder.path()).arg("metrics"));
    for row in committed.lines().filter_map(|line| line.strip_prefix("| `")) {
        let id = row.split('`').next().unwrap();
        assert!(text.stdout.contains(&format!("{id}  (")), "{id} has no definition");
        let one = run(acumen(folder.path()).args(["metrics", id]));
        assert!(one.stdout.starts_with(&format!("{id}  (")) && text.stdout.contains(&one.stdout), "{id}");
        assert_eq!(one.stdout.matches("  (").count(), 1, "{id}: {}", one.stdout);
    }
    let unknown = run(acumen(folder.path()).args(["metrics", "merge-rat"]));
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
    let (error, hint) = error_and_hint(&unknown.stderr);
    assert!(error.contains("unknown metric “merge-rat”"), "{error}");
    assert!(hint.contains("did you mean merge_rate?"), "{hint}");
    assert_eq!(files(folder.path()), [""; 0]);
}

#[test]
fn every_shell_gets_a_completion_script() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, start) in [("bash", "_acumen"), ("zsh", "#compdef acumen"), ("fish", "complete -c acumen")] {
        let script = run(acumen(folder.path()).args(["completions", shell]));
        assert_eq!((script.code, script.stderr.as_str()), (Some(0), ""));
        for word in [start, "base-url", "allow-partial", "simulate"] {
            assert!(script.stdout.contains(word), "{shell}: no {word}");
        }
    }
}
