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
        assert!(
            outcome.stderr.contains("2 of the recipients may have got it")
                && outcome.stderr.contains("--force")
        );
        assert!(outcome.stderr.contains("ask ada@example.com, b@example.com;"), "{}", outcome.stderr);
    }
    assert!(server.received().is_empty() && server.heard().is_empty());
    assert_eq!(send(folder.path(), &url(&server, "smtps"), &["--force"]).code, Some(0));
    let outcome = send(folder.path(), &url(&server, "smtps"), &[]);
    assert!(outcome.code == Some(0) && outcome.stderr.contains("skipped: "), "{}", outcome.stderr);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn an_uncertain_delivery_does_not_stop_mail_to_the_others() {
    let folder = reported();
    let mute = MailServer::start(Manner { message: None, ..Manner::of(Kind::Tls) });
    assert_eq!(send(folder.path(), &url(&mute, "smtps"), &[]).code, Some(74));
    let server = MailServer::start(Manner::of(Kind::Tls));
    let more = ["--mail-to", "c@example.com"];
    let first = send(folder.path(), &url(&server, "smtps"), &more);
    assert_eq!(first.code, Some(74), "{}", first.stderr);
    assert!(
        first.stderr.contains("sent to 1 recipient: Devin") && first.stderr.contains("2 of the recipients")
    );
    assert_eq!(server.received()[0].to, ["c@example.com"]);
    let second = send(folder.path(), &url(&server, "smtps"), &more);
    assert!(second.code == Some(74) && second.stderr.contains("skipped: 1 recipient got it"));
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_connection_lost_after_the_message_is_an_uncertain_delivery() {
    let folder = reported();
    let mute = MailServer::start(Manner { message: None, ..Manner::of(Kind::StartTls) });
    let outcome = send(folder.path(), &url(&mute, "smtp"), &[]);
    assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("did not confirm it"), "{}", outcome.stderr);
    let again = send(folder.path(), &url(&mute, "smtp"), &[]);
    assert!(again.code == Some(74) && again.stderr.contains("may have got it"), "{}", again.stderr);
}

#[test]
fn of_two_runs_at_once_one_sends() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    let smtp = url(&server, "smtps");
    let runs: Vec<_> = (0..3).map(|_| begin(&mut sending(folder.path(), &smtp, &[]))).collect();
    let ended: Vec<Outcome> = runs.into_iter().map(outcome).collect();
    assert!(ended.iter().all(|outcome| outcome.code == Some(0)), "{ended:?}");
    assert_eq!(ended.iter().filter(|outcome| outcome.stderr.contains("skipped: ")).count(), 2, "{ended:?}");
    assert_eq!(server.received().len(), 1);
}

#[test]
fn of_a_list_that_grew_only_the_new_ones_get_it() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    let smtp = url(&server, "smtps");
    let sent = |more: &[&str]| {
        let outcome = send(folder.path(), &smtp, more);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        (outcome.stderr, server.received())
    };
    assert_eq!(sent(&[]).1.len(), 1);
    // Another case or role is the same recipient.
    for same in [&["--mail-to", "ADA@Example.com"][..], &["--mail-cc", "Ada <Ada@example.com>"]] {
        let (said, received) = sent(same);
        assert!(said.contains("skipped: 2 recipients got it from the run of "), "{said}");
        assert_eq!(received.len(), 1, "{same:?}");
    }
    let grown = ["--mail-to", "C@example.com", "--mail-cc", "d@example.com"];
    let (said, received) = sent(&grown);
    assert!(said.contains("sent to 2 recipients: Devin"), "{said}");
    assert!(said.contains("skipped: 2 recipients got it from the run of "), "{said}");
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].to, ["C@example.com", "d@example.com"]);
    // The message names the whole list, as it would to all of them.
    let whole = [&grown[..], &["--eml", "whole.eml"]].concat();
    assert_eq!(sent(&whole).1.len(), 2);
    let message = std::fs::read(folder.path().join("whole.eml")).unwrap();
    assert!(undated(&received[1].bytes) == undated(&message));
    let (said, received) = sent(&grown);
    assert!(said.contains("skipped: 4 recipients got it from "), "{said}");
    assert_eq!(received.len(), 2);
    assert_eq!(sent(&[&grown[..], &["--force"]].concat()).1[2].to.len(), 4);
}

#[test]
fn another_state_folder_remembers_nothing_of_the_first() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    let smtp = url(&server, "smtps");
    assert_eq!(send(folder.path(), &smtp, &[]).code, Some(0));
    assert_eq!(server.received().len(), 1);
    assert_eq!(send(folder.path(), &smtp, &["--state", "elsewhere"]).code, Some(0));
    assert_eq!(server.received().len(), 2);
    assert!(folder.path().join("elsewhere/sent.jsonl").is_file());
}

#[test]
fn without_a_log_of_sent_mails_nothing_is_sent() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let outcome = send(folder.path(), &url(&server, "smtps"), &["--state", "file"]);
    assert!(outcome.code == Some(74) && outcome.stderr.contains("--state"), "{}", outcome.stderr);
    assert!(server.heard().is_empty());
}
