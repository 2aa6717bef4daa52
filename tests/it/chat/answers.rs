//! What a chat answers, and what becomes of the run and of the next one.

use super::server::Answer::{Hangs, Holds, Status};
use super::server::TAKEN;
use super::*;
use crate::support::{begin, outcome, signal};

/// Runs a report to one chat of Slack.
fn once(folder: &Path, served: &Served, more: &[&str]) -> Outcome {
    ended(&mut report(folder, served, more))
}

#[test]
fn a_busy_chat_is_asked_again_within_a_budget() {
    let served = served();
    let later = Status(429, "Retry-After: 0\r\n", "");
    let chat = Chat::answering(&[later, later]);
    let folder = folder_of(&[("slack", &chat)]);
    ends(&once(folder.path(), &served, &[]), 0, &["posted to Slack"]);
    assert_eq!((chat.requests(), chat.posted().len()), (3, 1));

    // As a moment, by the chat's own clock.
    let date = "Date: Mon, 12 Oct 2026 06:00:00 GMT\r\nRetry-After: Mon, 12 Oct 2026 06:00:01 GMT\r\n";
    let chat = Chat::answering(&[Status(429, date, "")]);
    let folder = folder_of(&[("teams", &chat)]);
    ends(&once(folder.path(), &served, &[]), 0, &["next attempt in 1 s", "posted to Teams"]);
    assert_eq!((chat.requests(), chat.posted().len()), (2, 1));

    for (lines, requests, hint) in
        [("Retry-After: 0\r\n", 5, "run again in 1 s"), ("Retry-After: 3600\r\n", 1, "run again in 3600 s")]
    {
        let chat = Chat::always(Status(429, lines, ""));
        let folder = folder_of(&[("slack", &chat)]);
        ends(&once(folder.path(), &served, &[]), 75, &["Slack accepts no more messages for now", hint]);
        assert_eq!((chat.requests(), chat.posted().len()), (requests, 0));
        // It was refused for certain, so the next run posts it.
        let free = Chat::start();
        std::fs::write(folder.path().join("slack"), free.url("slack")).unwrap();
        ends(&once(folder.path(), &served, &[]), 0, &["posted to Slack"]);
        assert_eq!(free.posted().len(), 1);
    }
}

#[test]
fn a_refused_message_is_posted_by_the_next_run() {
    let served = served();
    let elsewhere = Chat::start();
    let location = format!("Location: {}\r\n", elsewhere.url("slack"));
    for (answer, words) in [
        (Status(400, "", "invalid_payload\u{1b}[31m"), "refused the message (HTTP 400): “invalid_payload”"),
        (Status(404, "", "no_service for t0ken-8c41"), "(HTTP 404): “no_service for [redacted]”"),
        (Status(410, "", "channel_is_archived"), "hint: nothing posted; the webhook may have been removed"),
        (Status(302, location.leak(), ""), "refused the message (HTTP 302)"),
    ] {
        let chat = Chat::answering(&[answer]);
        let folder = folder_of(&[("slack", &chat)]);
        ends(&once(folder.path(), &served, &[]), 74, &[words, "the report was written completely", "hint: "]);
        assert_eq!((chat.requests(), chat.posted().len()), (1, 0));
        ends(&once(folder.path(), &served, &[]), 0, &["posted to Slack"]);
        assert_eq!((chat.requests(), chat.posted().len()), (2, 1));
    }
    assert_eq!(elsewhere.requests(), 0, "no redirect is followed");
}

#[test]
fn a_message_in_doubt_is_not_posted_again_unless_forced() {
    let served = served();
    for (answer, posted) in
        [(Status(500, "", "rollup_error"), 0), (Status(503, "Retry-After: 0\r\n", ""), 0), (Hangs, 1)]
    {
        let chat = Chat::answering(&[answer]);
        let folder = folder_of(&[("slack", &chat), ("teams", &chat)]);
        let first = once(folder.path(), &served, &[]);
        ends(
            &first,
            74,
            &["error: Slack did not confirm the message: ", "post it again with --repost", "posted to Teams"],
        );
        assert_eq!(chat.posted().len(), posted + 1);
        for _ in 0..2 {
            let next = once(folder.path(), &served, &[]);
            ends(
                &next,
                74,
                &["ended while it posted this report: Slack may have got it", "--repost", "skipped: Teams"],
            );
        }
        assert_eq!(chat.requests(), 2);
        std::fs::remove_file(folder.path().join("teams")).unwrap();
        ends(&once(folder.path(), &served, &["--repost"]), 0, &["posted to Slack"]);
        ends(&once(folder.path(), &served, &[]), 0, &["skipped: Slack"]);
        assert_eq!(chat.requests(), 3);
    }
}

#[test]
fn a_chat_that_cannot_be_reached_gets_the_message_later() {
    let (served, chat) = (served(), Chat::start());
    // Bound but not listening, so that nobody else can answer there.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let folder = folder_of(&[("slack", &chat), ("teams", &chat)]);
    let address = socket.local_addr().unwrap();
    std::fs::write(folder.path().join("slack"), format!("http://{address}/slack/{TOKEN}?sig={SIGNATURE}"))
        .unwrap();
    let outcome = once(folder.path(), &served, &[]);
    ends(
        &outcome,
        5,
        &[&format!("could not reach Slack ({address}): "), "nothing posted", "posted to Teams"],
    );
    std::fs::write(folder.path().join("slack"), chat.url("slack")).unwrap();
    ends(&once(folder.path(), &served, &[]), 0, &["posted to Slack", "skipped: Teams"]);
    assert_eq!(chat.posted().len(), 2);
}

#[test]
fn a_slow_answer_is_waited_for_and_a_signal_waits_for_it() {
    let served = served();
    // Before the last chat of a run a signal ends it, after it there is nothing left to end.
    for (services, code) in [(&["slack"][..], 0), (&["slack", "teams"], 143)] {
        let chat = Chat::answering(&[Holds]);
        let folder = folder_of(&services.iter().map(|service| (*service, &chat)).collect::<Vec<_>>());
        let child = begin(&mut report(folder.path(), &served, &[]));
        chat.arrived();
        signal(child.id(), "TERM");
        // Only once the signal has come the chat answers.
        std::thread::sleep(std::time::Duration::from_millis(300));
        chat.release();
        let stopped = outcome(child);
        ends(&stopped, code, &["terminated: waiting for the answer of Slack", "posted to Slack"]);
        let last = stopped.stderr.lines().last().unwrap();
        assert!(code == 0 || last.ends_with("the report was written but not posted to every chat"), "{last}");
        ends(&once(folder.path(), &served, &[]), 0, &["skipped: Slack"]);
        assert_eq!(chat.posted().len(), services.len());
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_busy_chat_at_once() {
    let served = served();
    let chat = Chat::answering(&[Status(429, "Retry-After: 50\r\n", "")]);
    let folder = folder_of(&[("slack", &chat)]);
    let begun = std::time::Instant::now();
    let child = begin(&mut report(folder.path(), &served, &[]));
    chat.arrived();
    signal(child.id(), "INT");
    let stopped = outcome(child);
    ends(&stopped, 130, &["interrupted: the report was written but not posted to every chat"]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(45), "it waited");
    chat.then(&[TAKEN]);
    ends(&once(folder.path(), &served, &[]), 0, &["posted to Slack"]);
    assert_eq!(chat.posted().len(), 1);
}

#[test]
fn of_two_runs_at_once_one_posts() {
    let (served, chat) = (served(), Chat::start());
    let folder = folder_of(&[("slack", &chat)]);
    let runs: Vec<_> = (0..3).map(|_| begin(&mut report(folder.path(), &served, &[]))).collect();
    let ended: Vec<Outcome> = runs.into_iter().map(outcome).collect();
    assert!(ended.iter().all(|outcome| outcome.code == Some(0)), "{ended:?}");
    assert_eq!(
        ended.iter().filter(|outcome| outcome.stderr.contains("skipped: Slack")).count(),
        2,
        "{ended:?}"
    );
    assert_eq!(chat.posted().len(), 1);
}
