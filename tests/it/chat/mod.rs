//! Reports in chats, end to end: the built program and a chat that checks the limits of the services
//! itself.

mod answers;
mod killed;
mod limits;
mod payload;
pub mod server;
mod settings;

use std::path::Path;
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};

use crate::support::{Outcome, Served, acumen, files, run};
use server::{Chat, SIGNATURE, TOKEN};

/// Two weeks of a small organisation, served.
fn served() -> Served {
    served_with(Options::default())
}

fn served_with(options: Options) -> Served {
    let first_day = "2026-09-28".parse().unwrap();
    let recipe = Recipe { sessions: 60, first_day, days: 14, ..Recipe::demo() };
    Served::new(Organisation::invent(&recipe), options)
}

/// A folder with the webhooks of a chat, by service.
fn folder_of(webhooks: &[(&str, &Chat)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (service, chat) in webhooks {
        std::fs::write(folder.path().join(service), format!("{}\n", chat.url(service))).unwrap();
    }
    folder
}

/// `acumen report --chat` to the webhooks that are in the folder.
fn report(folder: &Path, served: &Served, more: &[&str]) -> Command {
    let mut command = acumen(folder);
    command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--trend", "1"]);
    if !more.contains(&"--week") {
        command.args(["--week", "2026-W41"]);
    }
    command.args(["--out", "out", "--state", "state", "--chat"]).args(more);
    for service in ["slack", "teams"].into_iter().filter(|service| folder.join(service).exists()) {
        command.args([format!("--{service}-webhook-file"), service.to_owned()]);
    }
    command
}

/// A run whose output, reports and log never show the address of a webhook.
fn ended(command: &mut Command) -> Outcome {
    let outcome = run(command);
    hides(&format!("{}{}", outcome.stdout, outcome.stderr));
    let folder = command.get_current_dir().unwrap();
    for below in ["out", "state"].map(|name| folder.join(name)).iter().filter(|below| below.exists()) {
        for name in files(below) {
            hides(&String::from_utf8_lossy(&std::fs::read(below.join(name)).unwrap()));
        }
    }
    outcome
}

/// Asserts that a text shows nothing of an address that is a secret.
fn hides(text: &str) {
    for secret in [TOKEN, SIGNATURE] {
        assert!(!text.contains(secret), "the webhook was shown:\n{text}");
    }
}

/// Asserts how a run ended, and words on standard error.
fn ends(outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    for words in words {
        assert!(outcome.stderr.contains(words), "{words}: {}", outcome.stderr);
    }
}

#[test]
fn a_report_is_posted_once_to_each_chat() {
    let (served, chat) = (served(), Chat::start());
    let folder = folder_of(&[("slack", &chat), ("teams", &chat)]);
    let first = ended(&mut report(folder.path(), &served, &["-vv"]));
    ends(&first, 0, &["posted to Slack: Devin, week 41 (5–11 Oct): ", "posted to Teams: Devin, week 41"]);
    assert_eq!(first.stdout.lines().count(), 2, "{}", first.stdout);
    let services: Vec<String> = chat.posted().into_iter().map(|(service, _)| service).collect();
    assert_eq!(services, ["slack", "teams"]);
    // Each request is in the log before its answer.
    let log = std::fs::read_to_string(folder.path().join("state/sent.jsonl")).unwrap();
    let states: Vec<String> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["state"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(states, ["sending", "sent", "sending", "sent"]);

    let again = ended(&mut report(folder.path(), &served, &["--log-format", "json", "-vv"]));
    ends(
        &again,
        0,
        &["skipped: Slack got it from the run of 20", "skipped: Teams got it", "--repost to post it again"],
    );
    assert_eq!(chat.requests(), 2);
    // Another week is another report, and another address another chat.
    ends(&ended(&mut report(folder.path(), &served, &["--week", "2026-W40"])), 0, &["posted to Slack"]);
    assert_eq!(chat.requests(), 4);
    let other = Chat::start();
    std::fs::write(folder.path().join("slack"), other.url("slack")).unwrap();
    let outcome = ended(&mut report(folder.path(), &served, &[]));
    ends(&outcome, 0, &["posted to Slack", "skipped: Teams"]);
    assert_eq!((other.posted().len(), chat.requests()), (1, 4));
    ends(
        &ended(&mut report(folder.path(), &served, &["--repost"])),
        0,
        &["posted to Slack", "posted to Teams"],
    );
    assert_eq!((other.posted().len(), chat.posted().len()), (2, 5));
}

#[test]
fn a_report_is_mailed_and_posted_and_neither_stops_the_other() {
    use crate::mail::server::{Kind, MailServer, Manner, authority};
    let (served, chat) = (served(), Chat::start());
    let folder = folder_of(&[("slack", &chat)]);
    let both = |server: &MailServer| {
        let mut command = report(folder.path(), &served, &[]);
        command.args(["--mail", "--mail-from", "a@example.com", "--mail-to", "b@example.com"]);
        command.args(["--smtp", &format!("smtps://localhost:{}", server.port)]);
        ended(command.env("SSL_CERT_FILE", authority()))
    };
    let refuses = MailServer::start(Manner { message: Some("554 no"), ..Manner::of(Kind::Tls) });
    let outcome = both(&refuses);
    ends(&outcome, 74, &["posted to Slack", "error: "]);
    assert!(outcome.stderr.lines().last().unwrap().starts_with("hint: "), "{}", outcome.stderr);
    let takes = MailServer::start(Manner::of(Kind::Tls));
    ends(&both(&takes), 0, &["sent to 1 recipient", "skipped: Slack"]);
    ends(&both(&takes), 0, &["skipped: 1 recipient", "skipped: Slack"]);
    assert_eq!((takes.received().len(), chat.posted().len()), (1, 1));
}

#[test]
fn an_incomplete_or_empty_report_is_written_and_not_posted() {
    let chat = Chat::start();
    let folder = folder_of(&[("slack", &chat), ("teams", &chat)]);
    let faults = vec!["drop=9".parse().unwrap()];
    let drops = served_with(Options { faults, ..Options::default() });
    let outcome = ended(&mut report(folder.path(), &drops, &["--allow-partial"]));
    ends(
        &outcome,
        4,
        &["the report is incomplete, so it is not posted", "hint: run the report again without"],
    );
    assert_eq!(files(&folder.path().join("out")).len(), 2);
    let outcome = ended(&mut report(folder.path(), &served(), &["--tag", "nobody", "--allow-empty"]));
    ends(&outcome, 2, &["no session matches the filters", "or omit --chat"]);
    // An empty week without filters is a fact.
    let none = Served::values(Vec::new());
    ends(&ended(&mut report(folder.path(), &none, &[])), 0, &["posted to Slack", "posted to Teams"]);
    assert_eq!(chat.posted().len(), 2);
}
