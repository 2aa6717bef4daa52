//! A mail that may have been sent, and two runs that would both send it.

use super::*;
use crate::support::{begin, outcome, signal};

#[test]
fn a_run_that_is_killed_while_it_sends_is_reported_and_not_repeated() {
    let folder = reported();
    let stalls = MailServer::start(Manner { stalls: true, ..Manner::of(Kind::Tls) });
    let child = begin(&mut sending(folder.path(), &url(&stalls, "smtps"), &[]));
    stalls.arrived();
    signal(child.id(), "KILL");
    assert_eq!(outcome(child).code, None);

    let server = MailServer::start(Manner::of(Kind::Tls));
    for _ in 0..2 {
        let outcome = send(folder.path(), &url(&server, "smtps"), &[]);
        assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("may have been sent") && outcome.stderr.contains("--force"));
    }
    assert!(server.received().is_empty() && server.heard().is_empty());
    assert_eq!(send(folder.path(), &url(&server, "smtps"), &["--force"]).code, Some(0));
    let outcome = send(folder.path(), &url(&server, "smtps"), &[]);
    assert!(outcome.code == Some(0) && outcome.stderr.contains("not sent again"), "{}", outcome.stderr);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_server_that_hangs_up_after_the_message_leaves_a_doubt() {
    let folder = reported();
    let mute = MailServer::start(Manner { message: None, ..Manner::of(Kind::StartTls) });
    let outcome = send(folder.path(), &url(&mute, "smtp"), &[]);
    assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("did not say whether it took it"), "{}", outcome.stderr);
    let again = send(folder.path(), &url(&mute, "smtp"), &[]);
    assert!(again.code == Some(74) && again.stderr.contains("may have been sent"), "{}", again.stderr);
}

#[test]
fn of_two_runs_at_once_one_sends() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    let smtp = url(&server, "smtps");
    let runs: Vec<_> = (0..3).map(|_| begin(&mut sending(folder.path(), &smtp, &[]))).collect();
    let ended: Vec<Outcome> = runs.into_iter().map(outcome).collect();
    assert!(ended.iter().all(|outcome| outcome.code == Some(0)), "{ended:?}");
    assert_eq!(
        ended.iter().filter(|outcome| outcome.stderr.contains("not sent again")).count(),
        2,
        "{ended:?}"
    );
    assert_eq!(server.received().len(), 1);
}

#[test]
fn other_people_and_another_question_are_another_mail() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    let smtp = url(&server, "smtps");
    assert_eq!(send(folder.path(), &smtp, &[]).code, Some(0));
    assert_eq!(send(folder.path(), &smtp, &["--mail-to", "c@example.com"]).code, Some(0));
    assert_eq!(server.received().len(), 2);
    // A state folder of its own remembers nothing of the other.
    assert_eq!(send(folder.path(), &smtp, &["--state", "elsewhere"]).code, Some(0));
    assert_eq!(server.received().len(), 3);
    assert!(folder.path().join("elsewhere/sent.jsonl").is_file());
}

#[test]
fn without_a_ledger_nothing_is_sent() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let outcome = send(folder.path(), &url(&server, "smtps"), &["--state", "file"]);
    assert!(outcome.code == Some(74) && outcome.stderr.contains("--state"), "{}", outcome.stderr);
    assert!(server.heard().is_empty());
}
