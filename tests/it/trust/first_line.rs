//! The first line on stderr: which server a run asks, which settings file it read, and
//! where its secret comes from; never the secret itself.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use devin_simulator::{Options, Organisation, Recipe};

use crate::mail::server::{Kind, MailServer, Manner};
use crate::support::{Served, acumen, run};

/// What only the server and the file may know.
const PASSWORD: &str = "s3cret word";

/// The flags of a report of one week.
fn report<'f>(more: &[&'f str]) -> Vec<&'f str> {
    [&["report", "--week", "2026-W41", "--trend", "0", "--out", "out"], more].concat()
}

#[test]
fn report_sync_and_send_say_whom_they_ask_with_which_settings_and_secret() {
    let recipe = Recipe { sessions: 30, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let mail = MailServer::start(Manner { login: Some(("me", PASSWORD)), ..Manner::of(Kind::Plain) });
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("key"), "apk_user_file\n").unwrap();
    fs::write(path("password"), format!("{PASSWORD}\n")).unwrap();
    fs::create_dir_all(path(".config/acumen")).unwrap();
    let own = path(".config/acumen/acumen.toml");
    let (url, smtp) = (served.url(), format!("smtp+plain://127.0.0.1:{}", mail.port));
    let (host, own_host) = (url.trim_start_matches("http://"), smtp.trim_start_matches("smtp+plain://"));

    let line = |flags: &[&str], variables: &[(&str, &str)]| {
        let first = |more: &[&str]| {
            let ended = run(acumen(folder.path()).args(flags).args(more).envs(variables.iter().copied()));
            assert_eq!(ended.code, Some(0), "{flags:?}: {}", ended.stderr);
            assert!(!ended.stderr.contains("apk_user_file") && !ended.stderr.contains(PASSWORD));
            ended.stderr.lines().next().map(str::to_owned)
        };
        let spoken = first(&[]).unwrap();
        // A mail that was sent is not sent again, which --force would say.
        assert_eq!(first(&["--quiet"]), None, "{flags:?}");
        spoken
    };
    let save = ["--save-pages", "pages"];

    let base = ["--base-url", &url];
    let key = "key: DEVIN_API_KEY";
    assert_eq!(line(&report(&base), &[]), format!("asking {host} for the enterprise; settings: none; {key}"));
    assert_eq!(
        line(&report(&[&save[..], &base, &["--org", "org_demo", "--api-key-file", "key"]].concat()), &[]),
        format!("asking {host} for org_demo; settings: none; key: --api-key-file key")
    );
    fs::write(path("devin-api-key"), "apk_user_file\n").unwrap();
    let credentials = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    let sync = ["sync", "--since", "2026-09-01", "--archive", "arc"];
    assert_eq!(
        line(&[&sync[..], &base].concat(), &credentials),
        format!(
            "asking {host} for the archive arc; settings: none; key: the systemd credential devin-api-key"
        )
    );
    fs::write(&own, format!("base_url = \"{url}\"\norg = \"org_demo\"\n")).unwrap();
    let named = format!("asking {host} for org_demo; settings: {own}; {key}");
    assert_eq!(line(&report(&[]), &[]), named);
    fs::write(path("named.toml"), format!("base_url = \"{url}\"\n")).unwrap();
    assert_eq!(
        line(&report(&["--config", "named.toml"]), &[]),
        format!("asking {host} for the enterprise; settings: named.toml; {key}")
    );

    // Offline runs use no key, though there is one.
    let unused = format!("settings: {own}; key: not used");
    assert_eq!(
        line(&report(&["--pages", "pages"]), &[]),
        format!("reading saved pages from pages; {unused}")
    );
    fs::remove_file(&own).unwrap();
    assert_eq!(
        line(&report(&["--archive", "arc"]), &[]),
        "reading the archive arc; settings: none; key: not used"
    );

    let send = [
        "send",
        "out/enterprise_2026-W41.html",
        "--mail-from",
        "a@example.com",
        "--mail-to",
        "b@example.com",
    ];
    let login = ["--smtp-user", "me", "--smtp-password-file", "password"];
    assert_eq!(
        line(&[&send[..], &["--smtp", &smtp], &login].concat(), &[]),
        format!("sending through {own_host}; settings: none; password: --smtp-password-file password")
    );
    assert_eq!(
        line(&[&send[..], &["--eml", "a.eml"]].concat(), &[]),
        "writing a message to a.eml; settings: none; password: not used"
    );
    let free = MailServer::start(Manner::of(Kind::Plain));
    let smtp = format!("smtp+plain://127.0.0.1:{}", free.port);
    assert_eq!(
        line(&[&send[..], &["--smtp", &smtp]].concat(), &[("ACUMEN_SMTP_PASSWORD", "")]),
        format!("sending through 127.0.0.1:{}; settings: none; password: none", free.port)
    );
}

#[test]
fn names_on_the_line_cannot_disturb_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let odd = "a\u{1b}[2J\nkey: b\u{202e}c";
    fs::write(folder.path().join(odd), "trend = 0\n").unwrap();
    fs::write(folder.path().join(format!("{odd}.key")), "apk_user_file\n").unwrap();
    let served = Served::values(Vec::new());
    let mut command = acumen(folder.path());
    command.args(["report", "--base-url", &served.url(), "--org", &format!("o{}", "x\u{202e}".repeat(200))]);
    let ended = run(command.args(["--config", odd, "--api-key-file", &format!("{odd}.key")]));
    let line = ended.stderr.lines().next().unwrap();
    let (asks, rest) = line.split_once("; ").unwrap();
    assert!(asks.ends_with(&format!(" for o{}…", "x".repeat(99))), "{asks}");
    assert_eq!(rest, "settings: a [2J key: bc; key: --api-key-file a [2J key: bc.key");
    assert!(!ended.stderr.contains(['\u{1b}', '\u{202e}']), "{}", ended.stderr);
}

/// Unusable settings cause no request, so no server is named.
#[test]
fn a_run_without_requests_names_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = |command: &mut Command| {
        let ended = run(command);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        ended.stderr.lines().next().unwrap_or_default().to_owned()
    };
    let report = || {
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", "http://127.0.0.1:1"]);
        command
    };
    assert!(first(report().env_remove("DEVIN_API_KEY")).starts_with("error: no API key found"));
    assert!(first(report().env("DEVIN_API_KEY", "a b")).starts_with("error: "));
    assert!(first(report().args(["--config", "none"])).starts_with("error: the settings file none: "));
    assert!(
        first(acumen(folder.path()).args(["report", "--base-url", "x"])).starts_with("error: --base-url")
    );
    // A wrong setting may come from the file, so the line is useful.
    let line = first(report().args(["--tz", "Nowhere"]));
    assert!(line.starts_with("asking 127.0.0.1:1 for the enterprise; settings: none; "), "{line}");
}

/// When the first connection arrives, of the monitor or the API, the line is in the file.
#[test]
fn the_line_is_written_before_anything_is_sent() {
    for command in ["report", "sync"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (url, stderr) = (format!("http://{address}"), folder.path().join("stderr"));
        let mut program = acumen(folder.path());
        program.args([command, "--base-url", &url, "--org", "org_demo", "--ping", &format!("{url}/ping")]);
        program.stdout(Stdio::null()).stderr(fs::File::create(&stderr).unwrap());
        let mut child = program.spawn().unwrap();
        let (sender, receiver) = channel();
        std::thread::spawn(move || sender.send(listener.accept().map(|_| fs::read_to_string(&stderr))));
        let written = receiver.recv_timeout(Duration::from_secs(60));
        child.kill().unwrap();
        child.wait().unwrap();
        let written = written.expect("a connection").unwrap().unwrap();
        let line = format!("asking {address} for org_demo; settings: none; key: DEVIN_API_KEY");
        assert_eq!(written.lines().next(), Some(line.as_str()), "{command}");
    }
}

/// The doctor has lines of its own for the host and the key; that of the settings names the file.
#[test]
fn the_doctor_names_the_settings_file() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("named.toml"), "trend = 0\n").unwrap();
    let settings = |more: &[&str]| {
        let ended = run(acumen(folder.path()).args(["doctor", "--base-url", &served.url()]).args(more));
        ended.stdout.lines().next().unwrap().to_owned()
    };
    assert!(settings(&[]).ends_with(", of the enterprise; file: none"), "{}", settings(&[]));
    assert!(settings(&["--config", "named.toml"]).ends_with("; file: named.toml"));
    assert!(settings(&["--config", "named.toml", "--pages", "/dev/null"]).ends_with("; file: named.toml"));
}
