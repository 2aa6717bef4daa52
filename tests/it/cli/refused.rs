//! What cannot be used is refused with one line and one hint, before any
//! question is asked.

use std::path::Path;

use super::{UNTOUCHED, error_and_hint};
use crate::support::{CANARY, Served, acumen, files, run};

/// What was typed, a part of the line it earns, and a part of the hint.
type Case<'a> = (&'a [&'a str], &'a str, &'a str);

/// Asserts that each of these is refused, with this exit code and without a request.
fn refuses(cases: &[Case], code: i32) {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    for (flags, error, hint) in cases {
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", &served.url()]).args(*flags);
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(code), "{flags:?}: {}", outcome.stderr);
        assert_refused(&outcome.stdout, &outcome.stderr, flags, error, hint);
        assert_eq!(served.simulator.requests(), 0, "{flags:?}: a question was asked");
    }
    assert_eq!(files(folder.path()), [""; 0], "nothing is made for what is refused");
}

fn assert_refused(stdout: &str, stderr: &str, flags: &[&str], error: &str, hint: &str) {
    assert_eq!(stdout, "", "{flags:?}");
    // What clap cannot read is no report yet.
    let may_come = |line: &&str| *line == UNTOUCHED || line.starts_with("asking 127.0.0.1:");
    let lines = 2 + stderr.lines().filter(may_come).count();
    assert_eq!(stderr.lines().count(), lines, "{flags:?}: {stderr}");
    let (found, advice) = error_and_hint(stderr);
    assert!(found.contains(error), "{flags:?}: {found} does not tell of {error}");
    assert!(advice.contains(hint), "{flags:?}: {advice} does not advise {hint}");
}

#[test]
fn wrong_periods() {
    let cases: &[Case] = &[
        (&["--week", "2026-W54"], "--week", "2026-W41"),
        (&["--week", "2025-W53"], "2025-W53", "2026-W41"),
        (&["--week", "2026-W00"], "--week", "2026-W41"),
        (&["--week", "2026-41"], "--week", "2026-W41"),
        (&["--week", "20261-W01"], "20261-W01", "2026-W41"),
        (&["--week", "+2026-W01"], "--week", "2026-W41"),
        (&["--week=-2026-W01"], "--week", "2026-W41"),
        (&["--week", ""], "--week", "2026-W41"),
        (&["--week"], "--week", "--help"),
        (&["--month", "2026-13"], "2026-13", "2026-10"),
        (&["--month", "2026-00"], "--month", "2026-10"),
        (&["--month", "2026"], "--month", "2026-10"),
        (&["--month", "99999-01"], "99999-01", "2026-10"),
        (&["--month", "October"], "October", "2026-10"),
        (&["--last", "0d"], "--last", "14d"),
        (&["--last", "14"], "--last", "14d"),
        (&["--last", "+3d"], "--last", "14d"),
        (&["--last=-3d"], "--last", "14d"),
        (&["--last", "1.5w"], "--last", "14d"),
        (&["--last", "3661d"], "--last", "3660"),
        (&["--last", "4294967295w"], "--last", "14d"),
        (&["--from", "2026-02-30", "--to", "2026-03-01"], "2026-02-30", "2026-10-05"),
        (&["--from", "05.10.2026", "--to", "2026-10-11"], "05.10.2026", "2026-10-05"),
        (&["--from", "2026-10-05", "--to", "tomorrow"], "--to", "2026-10-11"),
        (&["--from", "2026-10-05", "--to", "20261-01-01"], "--to", "2026-10-11"),
        (&["--from", "2026-10-05", "--to", "2026-10-04"], "before --from", "same day"),
        (&["--from", "2026-10-05"], "--to", "--help"),
        (&["--to", "2026-10-05"], "--from", "--help"),
        (&["--week", "x\ny\u{1b}[31m"], "xy[31m", "2026-W41"),
    ];
    refuses(cases, 2);
}

#[test]
fn conflicting_periods() {
    let span = ["--from", "2026-10-05", "--to", "2026-10-11"];
    let (week, month, last) = (["--week", "2026-W41"], ["--month", "2026-10"], ["--last", "14d"]);
    for (one, other) in [
        (&span[..], &week[..]),
        (&span[..], &month[..]),
        (&span[..], &last[..]),
        (&week[..], &month[..]),
        (&week[..], &last[..]),
        (&month[..], &last[..]),
        // Half a span is no less a conflict.
        (&span[..2], &week[..]),
        (&span[2..], &week[..]),
        (&span[2..], &month[..]),
        (&span[2..], &last[..]),
        (&week[..], &week[..]),
    ] {
        for flags in [[one, other].concat(), [other, one].concat()] {
            refuses(&[(flags.as_slice(), "cannot be used", "--help")], 2);
        }
    }
}

#[test]
fn wrong_zones_and_words() {
    let cases: &[Case] = &[
        (&["--tz", "GMT+2"], "GMT+2", "use Etc/GMT-2 (its sign is inverted"),
        (&["--tz", "Mars/Olympus"], "Mars/Olympus", "IANA"),
        (&["--tz", "CEST"], "CEST", "IANA"),
        (&["--tz", "berlin"], "berlin", "Europe/Berlin"),
        (&["--tz", "new york"], "new york", "America/New_York"),
        (&["--tz", "+02:00"], "+02:00", "Etc/GMT-2"),
        (&["--tz", ""], "--tz", "IANA"),
        (&["--org", ""], "--org", "omit --org"),
        (&["--org", " "], "--org", "omit --org"),
        (&["--org", "a\nb"], "--org", "omit --org"),
        (&["--org", ".."], "organisation id", ""),
        (&["--tag", ""], "--tag", "omit --tag"),
        (&["--tag", "good", "--tag", "a\u{7}b"], "--tag", "omit --tag"),
        (&["--user", ""], "--user", "omit --user"),
    ];
    let (dots, rest): (Vec<Case>, Vec<Case>) = cases.iter().partition(|case| case.0 == ["--org", ".."]);
    refuses(&rest, 2);
    // Found out by the fetch: the folder has been made by then, nothing was asked.
    let served = Served::values(Vec::new());
    for (flags, error, hint) in dots {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(acumen(folder.path()).args(["report", "--base-url", &served.url()]).args(flags));
        assert_eq!((outcome.code, served.simulator.requests()), (Some(2), 0));
        assert_refused(&outcome.stdout, &outcome.stderr, flags, error, hint);
    }
}

#[test]
fn wrong_numbers_flags_and_words() {
    let cases: &[Case] = &[
        (&["--page-size", "0"], "--page-size", "--help"),
        (&["--page-size", "1001"], "1..=1000", "--help"),
        (&["--page-size", "many"], "--page-size", "--help"),
        (&["--concurrency", "0"], "--concurrency", "--help"),
        (&["--concurrency", "33"], "1..=32", "--help"),
        (&["--trend", "1000"], "0..=104", "--help"),
        (&["--trend=-1"], "--trend", "--help"),
        (&["--api", "v3", "--page-size", "201"], "v3 returns at most 200", "200 or fewer"),
        (&["--api", "v4"], "v3", "--help"),
        (&["--api", "v1"], "v2", "--help"),
        (&["--out", ""], "--out", "--help"),
        (&["--nope"], "--nope", "--help"),
        (&["--outt", "x"], "--outt", "did you mean --out? see --help"),
        (&["--since", "2026-10-01"], "--since", "use --from DATE"),
        (&["--token", "x"], "--token", "--api-key-file"),
        (&["--start=2026-10-01"], "--start", "use --from DATE"),
        (&["extra"], "extra", "--help"),
    ];
    refuses(cases, 2);
    let folder = tempfile::tempdir().unwrap();
    let others: &[Case] = &[
        (&["reprot"], "reprot", "report"),
        (&["--quiet"], "subcommand", "--help"),
        (&["demo", "--week", "2026-W41"], "--week", "--help"),
        (&["simulate", "--port", "70000"], "70000", "--help"),
        (&["simulate", "--sessions", "-1"], "-1", "--help"),
        (&["simulate", "--fault", "504"], "unknown fault \"504\"", "emptymore"),
        (&["simulate", "--fault", "503=0"], "503=0", "429date"),
        (&["simulate", "--fault", "loop=2"], "no number", "ignorefilter"),
        (&["completions"], "<SHELL>", "--help"),
        (&["metrics", "merge_rat"], "merge_rat", "did you mean merge_rate?"),
        (&["metrics", "nosuch"], "nosuch", "`acumen metrics` lists all"),
        (&["completions", "tcsh"], "tcsh", "zsh"),
    ];
    for (flags, error, hint) in others {
        let outcome = run(acumen(folder.path()).args(*flags));
        assert_eq!(outcome.code, Some(2), "{flags:?}");
        assert_refused(&outcome.stdout, &outcome.stderr, flags, error, hint);
    }
}

#[test]
fn wrong_base_urls() {
    let folder = tempfile::tempdir().unwrap();
    let with_key = format!("https://user:{CANARY}@127.0.0.1/");
    let unreadable_with_key = format!("https://user:{CANARY}@[127.0.0.1/");
    let cases = [
        ("http://api.devin.ai", "plain http", "https"),
        ("http://192.168.1.2:8080", "plain http", "loopback"),
        ("http://0.0.0.0", "plain http", "https"),
        ("http://127.0.0.1.evil.example", "plain http", "https"),
        ("http://localhost.evil.example", "plain http", "https"),
        ("ftp://127.0.0.1/", "is not a URL", "https://api.devin.ai"),
        ("file:///etc/hosts", "is not a URL", "https://api.devin.ai"),
        (&with_key, "user or password", "DEVIN_API_KEY"),
        (&unreadable_with_key, "cannot read", "https://api.devin.ai"),
        ("http://user@127.0.0.1/", "user or password", "DEVIN_API_KEY"),
        ("https://127.0.0.1/?a=b", "query", "https://api.devin.ai"),
        ("https://127.0.0.1/#a", "fragment", "https://api.devin.ai"),
        ("api.devin.ai", "cannot read", "https://api.devin.ai"),
        ("nonsense", "cannot read", "https://api.devin.ai"),
        ("https://", "cannot read", "https://api.devin.ai"),
        ("", "--base-url", "https://api.devin.ai"),
    ];
    for (url, error, hint) in cases {
        let flags = ["report", "--base-url", url];
        let outcome = run(acumen(folder.path()).args(flags));
        assert_eq!(outcome.code, Some(2), "{url}: {}", outcome.stderr);
        assert_refused(&outcome.stdout, &outcome.stderr, &flags, error, hint);
    }
    assert_eq!(files(folder.path()), [""; 0]);
}

#[test]
fn wrong_keys() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let two_lines = format!("{CANARY}\n{CANARY}\n");
    write("empty", b"");
    write("blank", b" \n\t\n");
    write("two", two_lines.as_bytes());
    write("binary", &[CANARY.as_bytes(), &[0xff, 0xfe]].concat());
    let (quoted, assigned, header) =
        (format!("\"{CANARY}\""), format!("export DEVIN_API_KEY={CANARY}"), format!("Bearer {CANARY}"));
    let in_file = format!("\u{feff}DEVIN_API_KEY='{CANARY}'\r\n");
    write("assigned", in_file.as_bytes());
    let spaced = format!("{CANARY} {CANARY}");
    let foreign = format!("{CANARY}ü");
    let none: &[(&str, &str)] = &[];
    type KeyCase<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>, &'a str, &'a str);
    let cases: &[KeyCase] = &[
        (none, None, "no API key", "acumen demo"),
        (&[("DEVIN_API_KEY", "")], None, "DEVIN_API_KEY is empty", "--api-key-file"),
        (&[("DEVIN_API_KEY", " \n")], None, "DEVIN_API_KEY is empty", "--api-key-file"),
        (&[("DEVIN_API_KEY", &spaced)], None, "DEVIN_API_KEY", "only the key"),
        (&[("DEVIN_API_KEY", &foreign)], None, "DEVIN_API_KEY", "only the key"),
        (&[("DEVIN_API_KEY", &quoted)], None, "DEVIN_API_KEY contains quotes", "without quotes"),
        (&[("DEVIN_API_KEY", &assigned)], None, "DEVIN_API_KEY is an assignment", "after the equals sign"),
        (&[("DEVIN_API_KEY", &header)], None, "DEVIN_API_KEY is a header", "after “Bearer”"),
        (none, Some("assigned"), "assigned is an assignment", "after the equals sign"),
        (none, Some("missing"), "missing", "a file"),
        (none, Some("."), "--api-key-file .", "a regular file"),
        (none, Some("empty"), "empty is empty", "--api-key-file"),
        (none, Some("blank"), "blank is empty", "--api-key-file"),
        (none, Some("two"), "two contains spaces", "only the key"),
        (none, Some("binary"), "binary", "a file"),
        // A named file is not passed over for a key that would do.
        (&[("DEVIN_API_KEY", CANARY)], Some("missing"), "missing", "a file"),
        (&[("DEVIN_API_KEY", CANARY)], Some("empty"), "empty", "--api-key-file"),
        (&[("CREDENTIALS_DIRECTORY", "nowhere")], None, "no API key", "--api-key-file"),
    ];
    for (environment, file, error, hint) in cases {
        let mut command = acumen(folder.path());
        command.env_remove("DEVIN_API_KEY").envs(environment.iter().copied());
        command.args(["report", "--base-url", &served.url(), "--out", "out"]);
        command.args(file.iter().flat_map(|file| ["--api-key-file", file]));
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(2), "{environment:?} {file:?}: {}", outcome.stderr);
        assert_refused(&outcome.stdout, &outcome.stderr, file.as_slice(), error, hint);
    }
    assert_eq!(served.simulator.requests(), 0);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn folders_that_cannot_be_written_to() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "mine").unwrap();
    // Permissions do not bind root; a file in the folder's place does.
    for out in ["file", "file/below", "file/below/deep"] {
        for flags in [&["report", "--base-url", &served.url(), "--out", out][..], &["demo", "--out", out]] {
            let outcome = run(acumen(folder.path()).args(flags));
            assert_eq!(outcome.code, Some(74), "{flags:?}: {}", outcome.stderr);
            assert_refused(&outcome.stdout, &outcome.stderr, flags, out, "--out");
        }
    }
    // The kernel's own folder takes no file from anybody.
    if Path::new("/proc/self").exists() {
        let flags = ["report", "--base-url", &served.url(), "--out", "/proc"];
        let outcome = run(acumen(folder.path()).args(flags));
        assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
        assert_refused(&outcome.stdout, &outcome.stderr, &flags, "/proc", "--out");
    }
    assert_eq!(served.simulator.requests(), 0, "looked at before any question");
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
}

#[test]
fn a_port_that_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let flags = ["simulate", "--port", &port, "--sessions", "0"];
    let outcome = run(acumen(folder.path()).args(flags));
    assert_eq!(outcome.code, Some(2));
    assert_refused(&outcome.stdout, &outcome.stderr, &flags, &port, "--port");
}
