//! A monitor hears of every run what became of it, and no monitor, down, slow or
//! hostile, changes what becomes of a run.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use devin_simulator::{Options, Organisation, Recipe};

use crate::support::{Outcome, Served, acumen, begin, files, holds_no_key, outcome, run, serve, signal};

/// What only the monitor may know.
const TOKEN: &str = "t0ken-5f2d";
/// The longest that a run waits for a monitor after its end, and some for a busy machine.
const SECONDS: Duration = Duration::from_secs(8);

/// How a monitor behaves.
#[derive(Clone, Copy)]
enum Mood {
    Answers(u16),
    /// It takes the request and says nothing.
    Silent,
}

/// A monitor on loopback, and its requests: method, path and body.
struct Monitor {
    url: String,
    pings: Arc<Mutex<Vec<(String, String)>>>,
}

impl Monitor {
    fn new(mood: Mood, lines: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/{TOKEN}", listener.local_addr().unwrap());
        let pings = Arc::new(Mutex::new(Vec::new()));
        let log = pings.clone();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let (mut text, mut byte) = (Vec::new(), [0]);
                let length = |text: &[u8]| {
                    let head = String::from_utf8_lossy(text).to_lowercase();
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    length.map_or(0, |length| length.parse::<usize>().unwrap())
                };
                while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    text.extend(byte);
                }
                let mut body = vec![0; length(&text)];
                stream.read_exact(&mut body).unwrap();
                let head = String::from_utf8(text).unwrap();
                let body = String::from_utf8(body).unwrap();
                holds_no_key(&format!("{head}{body}"));
                let request = head.split(" HTTP/").next().unwrap_or_default().to_owned();
                log.lock().unwrap().push((request, body));
                match mood {
                    Mood::Answers(status) => {
                        let _ = write!(
                            stream,
                            "HTTP/1.1 {status} Answer\r\nContent-Length: 2\r\n{lines}Connection: close\r\n\r\nOK"
                        );
                    }
                    Mood::Silent => held.push(stream),
                }
            }
        });
        Self { url, pings }
    }

    fn well() -> Self {
        Self::new(Mood::Answers(200), "")
    }

    fn pings(&self) -> Vec<(String, String)> {
        self.pings.lock().unwrap().clone()
    }

    /// Asserts its requests, in order; of a body the beginning counts.
    fn heard(&self, expected: &[(&str, &str)]) {
        let pings = self.pings();
        let fits = |((request, body), (kind, begins)): (&(String, String), &(&str, &str))| {
            let (method, end) = kind.split_once(' ').unwrap_or((*kind, ""));
            *request == format!("{method} /{TOKEN}{end}") && body.starts_with(begins)
        };
        let all = pings.len() == expected.len() && pings.iter().zip(expected).all(fits);
        assert!(all, "heard {pings:?}, not {expected:?}");
    }
}

const START: (&str, &str) = ("GET /start", "");
const SUCCESS: (&str, &str) = ("GET", "");

fn report(folder: &Path, api: &str, monitor: &str) -> Command {
    let mut command = acumen(folder);
    command.args(["report", "--base-url", api, "--week", "2026-W41", "--trend", "0", "--out", "."]);
    command.args(["--ping", monitor]);
    command
}

/// A run whose output never shows the token.
fn ended(command: &mut Command) -> Outcome {
    let outcome = run(command);
    assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains(TOKEN), "{}", outcome.stderr);
    outcome
}

/// The one line about the monitor.
fn warning(outcome: &Outcome) -> &str {
    let warnings: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    let [warning] = warnings.as_slice() else { panic!("not one warning:\n{}", outcome.stderr) };
    warning
}

#[test]
fn start_and_success_are_reported() {
    let served = Served::values(Vec::new());
    let monitor = Monitor::well();
    let folder = tempfile::tempdir().unwrap();
    let outcome = ended(&mut report(folder.path(), &served.url(), &monitor.url));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
    monitor.heard(&[START, SUCCESS]);
    // From the environment as well, where neither the help nor the doctor tells it to anybody.
    let mut again = acumen(folder.path());
    let again = again.env("ACUMEN_PING", &monitor.url).env("ACUMEN_BASE_URL", served.url());
    assert_eq!(ended(again.arg("report")).code, Some(0));
    monitor.heard(&[START, SUCCESS, START, SUCCESS]);
    for flags in [&["report", "--help"][..], &["doctor"], &["metrics"]] {
        let mut other = acumen(folder.path());
        ended(other.env("ACUMEN_PING", &monitor.url).env("ACUMEN_BASE_URL", served.url()).args(flags));
    }
    assert_eq!(monitor.pings().len(), 4);
}

#[test]
fn a_run_that_fails_on_an_alert_is_a_success() {
    let served = Served::new(Organisation::invent(&Recipe::demo()), Options::default());
    let monitor = Monitor::well();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.toml"), "[[alert]]\nmetric = \"sessions\"\nabove = 1\n").unwrap();
    let mut command = report(folder.path(), &served.url(), &monitor.url);
    let outcome = ended(command.args(["--config", "a.toml", "--fail-on-alert"]));
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    monitor.heard(&[START, SUCCESS]);
}

#[test]
fn a_failure_is_reported_with_its_exit_code_and_no_quoted_text() {
    let monitor = Monitor::well();
    let folder = tempfile::tempdir().unwrap();
    // The server repeats the whole head, the key in it.
    let url = serve(|head| (401, "", serde_json::json!({ "detail": head }).to_string()));
    let outcome = ended(&mut report(folder.path(), &url, &monitor.url));
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.lines().last().is_some_and(|line| line.starts_with("hint: ")));
    monitor.heard(&[START, ("POST /fail", "exit code 3: ")]);
    let body = &monitor.pings()[1].1;
    assert!(body.ends_with("was refused (HTTP 401): …"), "{body}");
    assert_eq!(body.lines().count(), 1, "{body}");
}

#[test]
fn failures_before_and_after_the_fetch_are_reported() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("enterprise_2026-W41.html")).unwrap();
    let fails = |flags: &[&str], code: i32, body: &str| {
        let monitor = Monitor::well();
        let outcome = ended(report(folder.path(), &served.url(), &monitor.url).args(flags));
        assert_eq!(outcome.code, Some(code), "{flags:?}: {}", outcome.stderr);
        monitor.heard(&[START, ("POST /fail", body)]);
    };
    fails(&["--tz", "Nowhere"], 2, "exit code 2: --tz: unknown time zone …");
    fails(&["--api-key-file", "none"], 2, "exit code 2: --api-key-file none: ");
    fails(&[], 74, "exit code 74: could not replace ./enterprise_2026-W41.html: ");
}

#[test]
fn a_monitor_that_is_down_costs_a_warning() {
    let served = Served::values(Vec::new());
    // Bound but not listening, so that nobody else can answer there.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let down = format!("http://{}/{TOKEN}", socket.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let outcome = ended(&mut report(folder.path(), &served.url(), &down));
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 2), "{}", outcome.stderr);
    assert_eq!(
        warning(&outcome),
        format!(
            "warning: could not report the run to the monitor on {}: no connection",
            socket.local_addr().unwrap()
        )
    );
    let quiet = ended(report(folder.path(), &served.url(), &down).arg("--quiet"));
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    // An error keeps its own last lines.
    let failed = ended(report(folder.path(), &served.url(), &down).args(["--org", "org_nobody"]));
    assert_eq!(failed.code, Some(2));
    warning(&failed);
    assert!(failed.stderr.lines().last().is_some_and(|line| line.starts_with("hint: ")), "{}", failed.stderr);
}

#[test]
fn a_monitor_that_says_nothing_holds_a_run_back_for_seconds() {
    let served = Served::values(Vec::new());
    let monitor = Monitor::new(Mood::Silent, "");
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut command = report(folder.path(), &served.url(), &monitor.url);
    let outcome = ended(&mut command);
    let took = begun.elapsed();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(warning(&outcome).ends_with(": no answer in time"), "{}", outcome.stderr);
    assert_eq!(files(folder.path()), ["enterprise_2026-W41.html", "enterprise_2026-W41.json"]);
    let begun = Instant::now();
    assert_eq!(run(report(folder.path(), &served.url(), &Monitor::well().url).arg("--quiet")).code, Some(0));
    assert!(took < begun.elapsed() + SECONDS, "{took:?}");
}

#[test]
fn a_monitor_is_asked_twice_at_most_and_no_redirect_is_followed() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = Monitor::well();
    for (status, times) in [(500, 2), (429, 2), (404, 1), (302, 1)] {
        // Where a redirect leads would learn the token.
        let lines = format!("Location: {}\r\n", elsewhere.url);
        let monitor = Monitor::new(Mood::Answers(status), lines.leak());
        let outcome = ended(&mut report(folder.path(), &served.url(), &monitor.url));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(warning(&outcome).ends_with(&format!("it answered HTTP {status}")), "{}", outcome.stderr);
        monitor.heard(&[vec![START; times], vec![SUCCESS; times]].concat());
    }
    elsewhere.heard(&[]);
}

#[test]
fn a_signal_is_reported_as_a_failure_and_ends_the_run_at_once() {
    let recipe = Recipe { sessions: 300, ..Recipe::demo() };
    let options = Options { latency: Duration::from_secs(30), ..Options::default() };
    let served = Served::new(Organisation::invent(&recipe), options);
    for (mood, name, code, says) in [
        (Mood::Answers(200), "INT", 130, "exit code 130: interrupted"),
        (Mood::Answers(200), "TERM", 143, "exit code 143: terminated"),
        (Mood::Silent, "TERM", 143, ""),
    ] {
        let monitor = Monitor::new(mood, "");
        let folder = tempfile::tempdir().unwrap();
        let before = served.simulator.requests();
        let child = begin(&mut report(folder.path(), &served.url(), &monitor.url));
        let waiting = Instant::now();
        while served.simulator.requests() == before || monitor.pings().is_empty() {
            assert!(waiting.elapsed() < Duration::from_secs(60), "it never asked");
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Instant::now();
        signal(child.id(), name);
        let outcome = outcome(child);
        assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        assert!(outcome.stderr.ends_with("nothing written\n"), "{}", outcome.stderr);
        monitor.heard(&[START, ("POST /fail", says)]);
    }
}

/// The file of an option, of its environment name or of a systemd credential, for a
/// report and for a sync. An option beats the credential.
#[test]
fn the_address_is_read_from_a_file_too() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let of_credential = ("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap());
    let commands: [&[&str]; 2] =
        [&["report", "--week", "2026-W41", "--trend", "0"], &["sync", "--since", "2026-10-01"]];
    for flags in commands {
        let heard = |more: &[&str], variables: &[(&str, &str)], is_of_credential: bool| {
            let (named, credential) = (Monitor::well(), Monitor::well());
            std::fs::write(folder.path().join("ping"), format!(" {}\n", named.url)).unwrap();
            std::fs::write(credentials.join("ping"), format!("{}\n", credential.url)).unwrap();
            let mut command = acumen(folder.path());
            command
                .args(flags)
                .args(["--base-url", &served.url()])
                .args(more)
                .envs(variables.iter().copied());
            let outcome = ended(&mut command);
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
            let (called, silent) =
                if is_of_credential { (&credential, &named) } else { (&named, &credential) };
            called.heard(&[START, SUCCESS]);
            silent.heard(&[]);
        };
        heard(&["--ping-file", "ping"], &[], false);
        heard(&["--ping-file", "ping"], &[of_credential], false);
        heard(&[], &[("ACUMEN_PING_FILE", "ping")], false);
        heard(&[], &[("ACUMEN_PING_FILE", "ping"), of_credential], false);
        heard(&[], &[("ACUMEN_PING_FILE", ""), of_credential], true);
        // An address on the command line, or in the environment, beats the credential.
        let monitor = Monitor::well();
        let mut typed = acumen(folder.path());
        typed.args(flags).args(["--base-url", &served.url()]).env(of_credential.0, of_credential.1);
        assert_eq!(ended(typed.env("ACUMEN_PING", &monitor.url)).code, Some(0));
        monitor.heard(&[START, SUCCESS]);
    }
}

#[test]
fn two_addresses_are_a_usage_error_and_a_bad_file_is_refused_before_the_work() {
    let served = Served::values(Vec::new());
    let monitor = Monitor::well();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ping", &monitor.url);
    write("plain", &format!("http://monitor.example/{TOKEN}"));
    write("two", &format!("{}\n{}\n", monitor.url, monitor.url));
    write("empty", "\n");
    let refused = |flags: &[&str], variables: &[(&str, &str)], says: &str| {
        for command in ["report", "sync"] {
            let mut run = acumen(folder.path());
            run.args([command, "--base-url", &served.url()]).args(flags).envs(variables.iter().copied());
            let outcome = ended(&mut run);
            assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{}", outcome.stderr);
            assert!(
                outcome.stderr.starts_with("error: ") && outcome.stderr.contains(says),
                "{}",
                outcome.stderr
            );
        }
    };
    let of_environment = [("ACUMEN_PING", monitor.url.as_str())];
    let both = "'--ping <URL>' cannot be used with '--ping-file <FILE>'";
    refused(&["--ping", &monitor.url, "--ping-file", "ping"], &[], both);
    refused(&["--ping-file", "ping"], &of_environment, "cannot be used with");
    refused(&["--ping", &monitor.url], &[("ACUMEN_PING_FILE", "ping")], "cannot be used with");
    refused(&["--ping-file", "none"], &[], "--ping-file none: ");
    refused(&["--ping-file", "plain"], &[], "--ping-file plain: plain http would expose the token");
    refused(&["--ping-file", "two"], &[], "--ping-file two: it has more than one line");
    refused(&["--ping-file", "empty"], &[], "--ping-file empty: it is not a URL");
    std::fs::rename(folder.path().join("empty"), folder.path().join("ping")).unwrap();
    let credential = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    refused(&[], &credential, "the systemd credential ping: it is not a URL");
    assert_eq!(served.simulator.requests(), 0);
    monitor.heard(&[]);
    let mut doctor = acumen(folder.path());
    let doctor = ended(doctor.args(["doctor", "--base-url", &served.url(), "--ping-file", "plain"]));
    assert_eq!(doctor.code, Some(2));
    assert!(doctor.stdout.contains("FAILED   settings: --ping-file plain: "), "{}", doctor.stdout);
}

#[test]
fn an_address_that_cannot_be_used_is_refused_before_the_work_and_not_shown() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    for address in [
        format!("http://monitor.example/{TOKEN}"),
        format!("ftp://127.0.0.1/{TOKEN}"),
        format!("file:///{TOKEN}"),
        TOKEN.to_owned(),
        format!("https:// /{TOKEN}"),
        format!("https://:99999/{TOKEN}"),
        String::new(),
    ] {
        let outcome = ended(&mut report(folder.path(), &served.url(), &address));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{address}");
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert!(lines[0].starts_with("error: --ping: ") && lines[2].starts_with("hint: "), "{lines:?}");
        assert_eq!(lines.len(), 3);
    }
    assert_eq!(served.simulator.requests(), 0);
    let mut doctor = acumen(folder.path());
    let doctor = ended(doctor.args(["doctor", "--base-url", &served.url(), "--ping", "http://a.example/x"]));
    assert_eq!(doctor.code, Some(2));
    assert!(doctor.stdout.contains("--ping"), "{}", doctor.stdout);
}
