//! Runs that are killed at any moment never lead to a second message.

use std::time::{Duration, Instant};

use super::server::Answer::{Holds, Status};
use super::*;
use crate::support::{begin, outcome, signal, slow_tests};

#[test]
fn a_run_that_is_killed_while_it_posts_is_reported_and_not_repeated() {
    let (served, chat) = (served(), Chat::answering(&[Holds]));
    let folder = folder_of(&[("slack", &chat)]);
    let child = begin(&mut report(folder.path(), &served, &[]));
    chat.arrived();
    signal(child.id(), "KILL");
    assert_eq!(outcome(child).code, None);
    chat.release();
    for _ in 0..2 {
        let next = ended(&mut report(folder.path(), &served, &[]));
        ends(&next, 74, &["an earlier run, of 20", "Slack may have got it", "post it again with --repost"]);
    }
    assert_eq!((chat.requests(), chat.posted().len()), (1, 1));
}

/// Kills runs to two chats at random moments until one ends by itself; gives whether one was killed
/// after a chat had the message.
fn round(served: &Served, usual: Duration, mut dice: u64) -> bool {
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    // A chat that is busy at first has waits in which runs are killed as well.
    let busy = Status(429, "Retry-After: 0\r\n", "");
    let chat = Chat::answering(&vec![busy; (roll() % 3) as usize]);
    let folder = folder_of(&[("slack", &chat), ("teams", &chat)]);
    let mut killed_late = false;
    for _ in 0..3 {
        let mut child = begin(&mut report(folder.path(), served, &["--quiet"]));
        if roll() % 2 == 0 {
            let (begun, moment) = (Instant::now(), usual.mul_f64((roll() % 1000) as f64 / 900.0));
            while begun.elapsed() < moment && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
        } else {
            // Around the request: once the chat has read one, or a bit later.
            let before = chat.requests();
            while chat.requests() == before && child.try_wait().unwrap().is_none() {}
            let (seen, later) = (Instant::now(), Duration::from_micros(roll() % 3000));
            while seen.elapsed() < later {}
        }
        let requests = chat.requests();
        let _ = child.kill();
        let killed = outcome(child).code.is_none();
        killed_late |= killed && requests > 0;
        hides(&std::fs::read_to_string(folder.path().join("state/sent.jsonl")).unwrap_or_default());
    }
    let last = ended(&mut report(folder.path(), served, &[]));
    let count = |service: &str| chat.posted().iter().filter(|(posted, _)| posted == service).count();
    for (name, service) in [("Slack", "slack"), ("Teams", "teams")] {
        let says = |words: &str| last.stderr.contains(words);
        let is_known = says(&format!("posted to {name}")) || says(&format!("skipped: {name}"));
        let is_doubt = says(&format!("{name} may have got it"));
        assert!(is_known != is_doubt, "{}", last.stderr);
        assert!(
            count(service) == 1 || (is_doubt && count(service) == 0),
            "{}: {}",
            count(service),
            last.stderr
        );
    }
    let is_doubt = last.stderr.contains("may have got it");
    assert_eq!(last.code, Some(if is_doubt { 74 } else { 0 }), "{}", last.stderr);
    killed_late
}

#[test]
fn no_kill_leads_to_a_second_message() {
    let (served, chat) = (served(), Chat::start());
    let folder = folder_of(&[("slack", &chat), ("teams", &chat)]);
    let begun = Instant::now();
    ends(&ended(&mut report(folder.path(), &served, &[])), 0, &[]);
    let usual = begun.elapsed();
    let rounds = if slow_tests() { 60 } else { 4 };
    let late = (0..rounds).filter(|round_number| {
        round(&served, usual, 88_172_645_463_325_252_u64.wrapping_mul(2 * round_number + 1))
    });
    assert!(late.count() > 0, "no run was killed while it posted, so nothing was proved");
}
