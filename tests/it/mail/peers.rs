//! Mail to a server of another make: aiosmtpd. `ACUMEN_MAIL_PEER` names a Python that has
//! it; without the variable these tests pass without a check and say so.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::network::server::{TlsApi, fixture};

const USER: &str = "me@example.com";
const SECRET: &str = "s3cret-word";
const FIVE: &str = "a@x.example, b@x.example, c@x.example, d@x.example, e@x.example";

/// A running server; it ends with this.
struct Peer {
    process: Child,
    port: u64,
    lines: Receiver<Value>,
}

impl Peer {
    /// A server of this manner; nothing where there is no Python for it.
    #[expect(clippy::disallowed_methods, reason = "set by the person who runs the tests")]
    fn start(mut manner: Value) -> Option<Self> {
        let Some(python) = std::env::var_os("ACUMEN_MAIL_PEER").filter(|path| !path.is_empty()) else {
            println!("skipped: ACUMEN_MAIL_PEER names no Python with aiosmtpd");
            return None;
        };
        let path = |name: &str| crate::support::repository("tests").join(name).to_str().unwrap().to_owned();
        manner["certificate"] = json!(path("fixtures/smtp/certificate.pem"));
        manner["key"] = json!(path("fixtures/smtp/key.pem"));
        let mut command = Command::new(python);
        command
            .args([path("it/mail/peer.py"), manner.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().expect("the variable names a Python");
        let lines = lines(process.stdout.take().expect("its output"));
        let port =
            lines.recv_timeout(Duration::from_secs(60)).expect("aiosmtpd starts").as_u64().expect("a port");
        Some(Self { process, port, lines })
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.port)
    }

    /// So many messages that it took, and no more than them.
    fn taken(&self, number: usize) -> Vec<Value> {
        let wait = || self.lines.recv_timeout(Duration::from_secs(60)).expect("a message");
        let taken = (0..number).map(|_| wait()).collect();
        assert!(self.lines.try_recv().is_err(), "more than {number} messages");
        taken
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lines(stdout: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(serde_json::from_str(&line).expect("a line of JSON"));
        }
    });
    receiver
}

/// `acumen send` to these people, which trusts the server by `--ca-file` alone.
fn send_to(folder: &Path, peer: &Peer, scheme: &str, people: &str, more: &[&str]) -> Outcome {
    let mut command = acumen(folder);
    command.args(["send", &format!("{NAME}.html"), "--mail-from", "Acumen <acumen@example.com>"]);
    command.args(["--smtp", &peer.url(scheme), "--mail-to", people]).args(more);
    run(command.arg("--ca-file").arg(authority()))
}

#[test]
fn the_name_of_this_machine_is_one_that_it_takes() {
    let Some(peer) = Peer::start(json!({"kind": "starttls", "full_names": true})) else { return };
    let folder = reported();
    let outcome = send_to(folder.path(), &peer, "smtp", FIVE, &["--smtp-helo", "vm"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.lines().last().unwrap().contains("--smtp-helo"), "{}", outcome.stderr);
    peer.taken(0);
    let outcome = send_to(folder.path(), &peer, "smtp", FIVE, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mail = &peer.taken(1)[0];
    assert!(
        mail["is_safe"] == true && mail["to"].as_array().unwrap().len() == 5 && mail["parts"] == 9,
        "{mail}"
    );
}

#[test]
fn logins_are_made_over_both_kinds_of_tls() {
    let folder = reported();
    let command = format!("echo {SECRET}");
    for (kind, scheme, auth, without) in [
        ("tls", "smtps", "auto", &[][..]),
        ("starttls", "smtp", "login", &["PLAIN"]),
        ("tls", "smtps", "xoauth2", &["PLAIN", "LOGIN"]),
        ("starttls", "smtp", "xoauth2", &["PLAIN", "LOGIN"]),
    ] {
        let manner = json!({"kind": kind, "login": [USER, SECRET], "without": without});
        let Some(peer) = Peer::start(manner) else { return };
        let flags = |auth, command| {
            ["--force", "--smtp-user", USER, "--smtp-auth", auth, "--smtp-password-command", command]
        };
        let outcome = send_to(folder.path(), &peer, scheme, "a@x.example", &flags(auth, &command));
        assert_eq!(outcome.code, Some(0), "{kind} {auth}: {}", outcome.stderr);
        assert_eq!(peer.taken(1)[0]["user"], USER);
        let outcome = send_to(folder.path(), &peer, scheme, "a@x.example", &flags(auth, "echo wr0ng-word"));
        assert_eq!(outcome.code, Some(3), "{kind} {auth}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("wr0ng"), "{}", outcome.stderr);
        if auth == "xoauth2" {
            assert!(outcome.stderr.contains("with the access token"), "{}", outcome.stderr);
            let outcome = send_to(folder.path(), &peer, scheme, "a@x.example", &flags("auto", &command));
            assert!(
                outcome.code == Some(3) && outcome.stderr.contains("it offers XOAUTH2"),
                "{}",
                outcome.stderr
            );
        }
        peer.taken(0);
    }
}

#[test]
fn a_refused_recipient_and_a_limit_do_not_stop_mail_to_the_others() {
    let Some(peer) = Peer::start(json!({"kind": "tls", "most": 2})) else { return };
    let folder = reported();
    let people = format!("gone@x.example, {FIVE}");
    let outcome = send_to(folder.path(), &peer, "smtps", &people, &[]);
    assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("sent to 5 recipients"), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("the recipient gone@x.example: 550 “5.1.1 User unknown”"),
        "{}",
        outcome.stderr
    );
    let taken = peer.taken(3);
    let to: Vec<usize> = taken.iter().map(|mail| mail["to"].as_array().unwrap().len()).collect();
    assert_eq!(to, [2, 2, 1]);
    assert!(taken.iter().all(|mail| mail["id"] == taken[0]["id"]), "one message");
    let outcome = send_to(folder.path(), &peer, "smtps", &people, &[]);
    assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
    peer.taken(0);
}

#[test]
fn the_wrong_kind_of_tls_is_recognised() {
    let folder = reported();
    for (kind, wrong, right) in [("tls", "smtp", "smtps"), ("starttls", "smtps", "smtp")] {
        let Some(peer) = Peer::start(json!({"kind": kind})) else { return };
        let outcome = send_to(folder.path(), &peer, wrong, "a@x.example", &[]);
        let hint = format!("hint: use --smtp {}", peer.url(right));
        assert!(outcome.code == Some(2) && outcome.stderr.contains(&hint), "{}", outcome.stderr);
    }
}

/// The public authority that signed the API's certificate is in the system's store, the
/// company's authority, which signed the mail server's, is not.
#[test]
fn one_setting_serves_a_public_api_and_a_mail_server_of_the_company() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let Some(peer) = Peer::start(json!({"kind": "starttls"})) else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = |with: &str| {
        let text = format!(
            "org = \"org_demo\"\nbase_url = \"{}\"\nout = \".\"\n{with}\n[mail]\nfrom = \"a@example.com\"\n\
             to = \"b@x.example, c@x.example\"\nsmtp = \"{}\"\n",
            api.url(),
            peer.url("smtp")
        );
        std::fs::write(folder.path().join("acumen.toml"), text).unwrap();
        let mut command = acumen(folder.path());
        command.args(["report", "--config", "acumen.toml", "--week", "2026-W41", "--trend", "0", "--mail"]);
        run(command.env("SSL_CERT_FILE", fixture("authority.pem")))
    };
    let outcome = settings("");
    assert!(outcome.code == Some(2) && outcome.stderr.contains("--ca-file"), "{}", outcome.stderr);
    let outcome = settings(&format!("ca_file = \"{}\"", authority().display()));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(peer.taken(1)[0]["to"], json!(["b@x.example", "c@x.example"]));
}
