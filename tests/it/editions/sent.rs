//! What is sent: each report once to each of its people, whatever happens.

use std::time::Duration;

use super::*;
use crate::chat::server::{Answer, Chat};
use crate::support::{begin, outcome, signal, slow_tests};

/// Forty teams with a lead each, leadership and a platform lead.
fn tables() -> String {
    let mut text = "trend = 1\n[[team]]\ntag = \"team:*\"\n".to_owned();
    for team in 0..40 {
        text += &format!("[[team]]\nname = \"t{team:02}\"\nlead = \"lead{team:02}@example.com\"\n");
    }
    text + "[[report]]\nname = \"leadership\"\nprofile = \"leadership\"\nto = [\"board@example.com\", \"cto@example.com\"]\n\
            [[report]]\nname = \"lead\"\nto = \"platform@example.com\"\n\
            [[report]]\nname = \"teams\"\neach = \"team\"\n"
}

/// Everybody who gets a report, with one copy.
fn everybody() -> BTreeMap<String, usize> {
    let leads = (0..40).map(|team| format!("lead{team:02}@example.com"));
    let others = ["board@example.com", "cto@example.com", "platform@example.com"].map(str::to_owned);
    leads.chain(others).map(|address| (address, 1)).collect()
}

#[test]
fn forty_two_reports_come_from_one_fetch_and_go_to_each_once() {
    let served = served(records(4, 40));
    let mail = mail_server();
    let folder = folder(&served.url(), Some(&mail), &tables());
    let single = {
        let before = served.simulator.requests();
        let args = ["report", "--config", "acumen.toml", "--week", "2026-W41", "--out", "single"];
        assert_eq!(run(acumen(folder.path()).args(args)).code, Some(0));
        served.simulator.requests() - before
    };
    let before = served.simulator.requests();
    let first = runs(folder.path(), &[]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    // The same as for the one report.
    assert_eq!(served.simulator.requests() - before, single);
    assert_eq!(all_facts(&folder.path().join("out")).len(), 42);
    assert_eq!(copies(&mail), everybody());
    let second = runs(folder.path(), &[]);
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert_eq!(copies(&mail), everybody());
    assert_eq!(second.stdout.matches("sent earlier to").count(), 42, "{}", second.stdout);
    // Each message is about its own team alone.
    for message in mail.received() {
        let text = String::from_utf8_lossy(&message.bytes).replace("=\r\n", "");
        let Some(team) = message.to[0].strip_prefix("lead").and_then(|rest| rest.get(..2)) else { continue };
        assert!(text.contains(&format!("team t{team}")), "{:?}", message.to);
    }
}

#[test]
fn runs_that_are_killed_send_no_second_copy_and_later_ones_send_the_rest() {
    let served = served(records(4, 40));
    let mail = mail_server();
    let folder = folder(&served.url(), Some(&mail), &tables());
    let rounds = if slow_tests() { 20 } else { 2 };
    let mut dice = 88_172_645_463_325_252_u64;
    let mut uncertain = 0;
    for _ in 0..rounds {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let before = mail.received().len();
        let child = begin(&mut command(folder.path(), &[]));
        // After another mail or two, or soon, where there is none left to send.
        let begun = std::time::Instant::now();
        let wanted = before + (dice % 3) as usize;
        while mail.received().len() < wanted && begun.elapsed() < Duration::from_secs(8) {
            std::thread::yield_now();
        }
        let later = Duration::from_micros(dice % 40_000);
        let seen = std::time::Instant::now();
        while seen.elapsed() < later {
            std::thread::yield_now();
        }
        signal(child.id(), "KILL");
        outcome(child);
        assert!(copies(&mail).values().all(|copies| *copies == 1), "{:?}", copies(&mail));
    }
    let last = runs(folder.path(), &[]);
    // Whoever may have a mail is not sent another; all others have theirs.
    for line in last.stderr.lines().filter(|line| line.contains("may have got it")) {
        uncertain += 1;
        assert!(line.contains("--force"), "{line}");
    }
    assert_eq!(last.code, Some(if uncertain == 0 { 0 } else { 74 }), "{}", last.stderr);
    let copies = copies(&mail);
    assert!(copies.values().all(|copies| *copies == 1), "{copies:?}");
    assert!(copies.len() + uncertain >= everybody().len(), "{uncertain} uncertain, {copies:?}");
}

#[test]
fn a_signal_between_reports_says_what_is_left() {
    let served = served(records(4, 40));
    let mail = MailServer::start(Manner { holds: true, ..Manner::of(Kind::Tls) });
    let folder = folder(&served.url(), Some(&mail), &tables());
    let child = begin(&mut command(folder.path(), &[]));
    mail.arrived();
    signal(child.id(), "TERM");
    // The signal is seen before the server answers.
    mail.release();
    let ended = outcome(child);
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(ended.stdout.contains("left to do"), "{}", ended.stdout);
    assert!(ended.stderr.contains("the next run makes them"), "{}", ended.stderr);
    let (board, lead) = ("leadership ", "lead ");
    let line = |name: &str| ended.stdout.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(
        !line(board).contains("2026-W41  left to do") && line(lead).ends_with("left to do"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_report_that_fails_does_not_stop_the_others() {
    let served = served(records(4, 3));
    let mail =
        MailServer::start(Manner { recipients: &[("gone@", "550 no such user")], ..Manner::of(Kind::Tls) });
    let tables = "[[team]]\ntag = \"team:*\"\n\
         [[report]]\nname = \"nothing\"\ntag = \"nowhere\"\nto = \"a@example.com\"\n\
         [[report]]\nname = \"refused\"\nto = \"gone@example.com\"\n\
         [[report]]\nname = \"good\"\nto = \"b@example.com\"\n";
    let folder = folder(&served.url(), Some(&mail), tables);
    let outcome = runs(folder.path(), &[]);
    // The code of the first failure: filters that match nothing are usage.
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("warning: nothing: no session from"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("warning: refused: "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("error: 2 of 3 reports failed"), "{}", outcome.stderr);
    assert_eq!(copies(&mail), BTreeMap::from([("b@example.com".to_owned(), 1)]));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(
        lines[1].contains("failed: see the warnings") && lines[2].contains("failed: see the warnings"),
        "{lines:?}"
    );
    assert!(lines[3].ends_with("sent to 1"), "{lines:?}");
    let refused = runs(folder.path(), &["--only", "refused"]);
    assert_eq!(refused.code, Some(74), "{}", refused.stderr);
}

#[test]
fn a_dry_run_writes_and_sends_nothing() {
    let served = served(records(4, 3));
    let mail = mail_server();
    let tables = "[[team]]\ntag = \"team:*\"\n[[team]]\nname = \"t01\"\nlead = \"lead@example.com\"\n\
         [[report]]\nname = \"board\"\nto = [\"a@example.com\", \"b@example.com\"]\ncc = \"c@example.com\"\n\
         [[report]]\nname = \"teams\"\neach = \"team\"\n";
    let folder = folder(&served.url(), Some(&mail), tables);
    let outcome = runs(folder.path(), &["--dry-run"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("would go to a@example.com, b@example.com, c@example.com"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("teams: t01") && outcome.stdout.contains("would go to lead@example.com"));
    assert_eq!(outcome.stdout.matches("no recipient").count(), 2, "{}", outcome.stdout);
    assert!(mail.received().is_empty() && mail.heard().is_empty());
    assert_eq!(crate::support::files(folder.path()), ["acumen.toml"]);
    let typed = runs(folder.path(), &["--only", "board", "--mail-to", "me@example.com"]);
    assert_eq!(typed.code, Some(0), "{}", typed.stderr);
    assert_eq!(copies(&mail).keys().collect::<Vec<_>>(), ["me@example.com"]);
    assert_eq!(runs(folder.path(), &["--only", "board"]).code, Some(0));
    let again = runs(folder.path(), &["--dry-run"]);
    assert!(again.stdout.contains("sent before to a@example.com, b@example.com, c@"), "{}", again.stdout);
    let forced = runs(folder.path(), &["--dry-run", "--force"]);
    assert!(forced.stdout.contains("would go to a@example.com, b@example.com, c@"), "{}", forced.stdout);
}

#[test]
fn an_archive_is_synced_once() {
    let served = served(records(4, 3));
    let tables = "archive = \"archive\"\n[[team]]\ntag = \"team:*\"\n[[report]]\nname = \"all\"\n\
         [[report]]\nname = \"teams\"\neach = \"team\"\n";
    let folder = folder(&served.url(), None, tables);
    let outcome = runs(folder.path(), &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("in the archive").count(), 1, "{}", outcome.stderr);
    let before = served.simulator.requests();
    let offline = runs(folder.path(), &["--no-sync"]);
    assert_eq!(offline.code, Some(0), "{}", offline.stderr);
    assert_eq!(served.simulator.requests(), before);
    assert_eq!(all_facts(&folder.path().join("out")).len(), 4);
    let from_archive = all_facts(&folder.path().join("out"));
    let live = super::folder(&served.url(), None, &tables.replace("archive = \"archive\"\n", ""));
    assert_eq!(runs(live.path(), &[]).code, Some(0));
    for (name, facts) in all_facts(&live.path().join("out")) {
        let sessions = |facts: &Facts| facts.value("sessions", json!({})).clone();
        assert_eq!(sessions(&facts), sessions(&from_archive[&name]), "{name}");
    }
}

#[test]
fn a_chat_is_shown_an_alert_once_and_the_run_ends_with_its_code() {
    let served = served(records(4, 3));
    let (mail, chat) = (mail_server(), Chat::start());
    // Every team and the whole are above it.
    let tables = "slack_webhook_file = \"slack\"\ntrend = 1\n[[team]]\ntag = \"team:*\"\n\
         [[alert]]\nmetric = \"sessions\"\nabove = 5\n\
         [[alert]]\nmetric = \"acus\"\nabove = 5\nreport = \"teams\"\n\
         [[report]]\nname = \"lead\"\nto = \"lead@example.com\"\nchat = true\n\
         [[report]]\nname = \"again\"\ntrend = 2\ncompare_with = \"2026-W39\"\nchat = true\n\
         [[report]]\nname = \"teams\"\neach = \"team\"\n";
    let folder = folder(&served.url(), Some(&mail), tables);
    std::fs::write(folder.path().join("slack"), chat.url("slack")).unwrap();
    let outcome = runs(folder.path(), &["--fail-on-alert"]);
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert_eq!(copies(&mail).len(), 1);
    let posted: Vec<String> = chat.posted().iter().map(|(_, payload)| payload.to_string()).collect();
    let has_alert: Vec<bool> = posted.iter().map(|text| text.contains("Alert: Sessions")).collect();
    assert_eq!(has_alert, [true, false], "{posted:?}");
    let facts = all_facts(&folder.path().join("out"));
    for (name, facts) in &facts {
        let alerts = facts.0["alerts"].as_array().unwrap();
        let metrics: Vec<&str> = alerts.iter().map(|alert| alert["metric"].as_str().unwrap()).collect();
        assert_eq!(metrics, [if name.starts_with("teams/") { "acus" } else { "sessions" }], "{name}");
    }
    assert_eq!(facts.len(), 5);
    assert_eq!(outcome.stdout.lines().skip(1).filter(|line| line.contains("  1  ")).count(), 5);
    let again = runs(folder.path(), &[]);
    assert_eq!((again.code, chat.requests()), (Some(0), 2), "{}", again.stderr);
    assert_eq!(again.stdout.matches("posted earlier").count(), 2, "{}", again.stdout);
    let planned = runs(folder.path(), &["--dry-run"]);
    assert_eq!(planned.stdout.matches("posted before to Slack").count(), 2, "{}", planned.stdout);
}

#[test]
fn a_signal_during_a_post_ends_the_run() {
    let served = served(records(4, 3));
    let tables = "slack_webhook_file = \"slack\"\n[[report]]\nname = \"one\"\nchat = true\n\
         [[report]]\nname = \"two\"\nto = \"b@example.com\"\n";
    let (mail, chat) = (mail_server(), Chat::always(Answer::Holds));
    let folder = folder(&served.url(), Some(&mail), tables);
    std::fs::write(folder.path().join("slack"), chat.url("slack")).unwrap();
    let child = begin(&mut command(folder.path(), &[]));
    chat.arrived();
    signal(child.id(), "TERM");
    chat.release();
    let ended = outcome(child);
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(mail.received().is_empty() && ended.stdout.contains("left to do"), "{}", ended.stdout);
}
