//! Mail servers, and networks in front of them, that try to fool the program,
//! to fill its memory or to keep it waiting.

use std::process::Child;
use std::time::{Duration, Instant};

use acumen::commands;
use acumen::deliver::{self, SendError, SmtpError, SmtpTimeouts};
use acumen::exit::{Exit, Explain};
use acumen::mail::OutgoingMail;
use acumen::settings::mail::{Delivery, Destination, Mail, Security, Server};
use devin_api::tls::Trust;

use super::server::Odd;
use super::*;
use crate::support::{begin, outcome, signal};

/// The most memory that a run may take, whatever a server sends, in KiB.
const MEMORY: u64 = 100 * 1024;
/// The longest that a signal may take to end a run.
const SOON: Duration = Duration::from_secs(2);
const NOTHING: [&str; 0] = [];

/// The states in the send log of a report's folder, in order.
fn log(folder: &Path) -> Vec<String> {
    let path = folder.join(".local/state/acumen/sent.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    lines.map(|line| line["state"].as_str().expect("a state").to_owned()).collect()
}

/// Asserts that the next run sends the report.
fn sends_later(folder: &Path) {
    let server = MailServer::start(Manner::of(Kind::Tls));
    let outcome = send(folder, &url(&server, "smtps"), &[]);
    assert_eq!((outcome.code, server.received().len()), (Some(0), 1), "{}", outcome.stderr);
}

/// The peak of a process's memory so far, in KiB; none once it has ended.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Watches a run to its end, which must come soon and with little memory.
fn bounded(mut child: Child) -> Outcome {
    let begun = Instant::now();
    let mut most = 0;
    while child.try_wait().expect("a child").is_none() {
        most = most.max(peak(&child).unwrap_or_default());
        if most > MEMORY || begun.elapsed() > Duration::from_secs(30) {
            child.kill().expect("it runs");
            panic!("{most} KiB after {:?}", begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    println!("at most {most} KiB");
    outcome(child)
}

#[test]
fn answers_injected_before_tls_are_not_read() {
    // The rest of a conversation that goes well: EHLO, MAIL, two RCPT, DATA, the message.
    const REST: &str = "250-test\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n";
    let folder = reported();
    // The server itself refuses the message.
    let refusing = Manner { message: Some("554 refused"), ..Manner::of(Kind::StartTls) };
    for (manner, words) in [
        (Manner { injected: REST, ..refusing.clone() }, "plain text after its reply to STARTTLS"),
        (Manner { injected: "2", ..refusing.clone() }, "3 bytes arrived in plain text"),
        (Manner { injected_late: REST, ..refusing.clone() }, "plain text instead of TLS"),
    ] {
        let server = MailServer::start(manner);
        let outcome = send(folder.path(), &url(&server, "smtp"), &[]);
        assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
        assert_eq!(server.heard().last().map(String::as_str), Some("STARTTLS"), "nothing followed");
        assert_eq!(log(folder.path()), NOTHING);
    }
    sends_later(folder.path());
}

#[test]
fn without_starttls_nothing_is_sent() {
    let folder = reported();
    let stripped = MailServer::start(Manner::of(Kind::Plain));
    let outcome = send(folder.path(), &url(&stripped, "smtp"), &[]);
    assert!(outcome.code == Some(5) && outcome.stderr.contains("does not offer STARTTLS"), "{outcome:?}");
    assert!(stripped.heard().iter().all(|line| line.starts_with("EHLO")), "{:?}", stripped.heard());
    let login = ["--smtp-user", "me"];
    for manner in [
        Manner::of(Kind::Plain),
        Manner { odd: Some(("STARTTLS", Odd::Bytes("454 not available\r\n"))), ..Manner::of(Kind::StartTls) },
        Manner { odd: Some(("STARTTLS", Odd::Bytes("502 what?\r\n"))), ..Manner::of(Kind::StartTls) },
        Manner { odd: Some(("STARTTLS", Odd::Bytes("354 go on\r\n"))), ..Manner::of(Kind::StartTls) },
    ] {
        let server = MailServer::start(manner);
        let mut command = sending(folder.path(), &url(&server, "smtp"), &login);
        let outcome = run(command.env("ACUMEN_SMTP_PASSWORD", "s3cret"));
        assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("no secure connection"), "{}", outcome.stderr);
        let heard = server.heard();
        assert!(heard.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{heard:?}");
    }
    assert_eq!(log(folder.path()), NOTHING);
}

#[test]
fn an_untrusted_certificate_ends_starttls() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::StartTls));
    let untrusted = run(sending(folder.path(), &url(&server, "smtp"), &[]).env_remove("SSL_CERT_FILE"));
    let other_name = send(folder.path(), &url(&server, "smtp").replace("localhost", "127.0.0.1"), &[]);
    for outcome in [untrusted, other_name] {
        assert!(
            outcome.code == Some(2) && outcome.stderr.contains("its certificate is not"),
            "{}",
            outcome.stderr
        );
    }
    let heard = server.heard();
    assert!(heard.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{heard:?}");
    assert_eq!(log(folder.path()), NOTHING);
}

#[test]
fn endless_answers_end_the_run() {
    let folder = reported();
    for odd in [Odd::EndlessLine, Odd::EndlessAnswer, Odd::EndlessEmptyLines] {
        for (kind, scheme, word) in
            [(Kind::StartTls, "smtp", ""), (Kind::Tls, "smtps", "EHLO"), (Kind::Tls, "smtps", "RCPT")]
        {
            let server = MailServer::start(Manner { odd: Some((word, odd)), ..Manner::of(kind) });
            let outcome = bounded(begin(&mut sending(folder.path(), &url(&server, scheme), &[])));
            assert_eq!(outcome.code, Some(5), "{odd:?} {word:?}: {}", outcome.stderr);
            assert!(outcome.stderr.contains("longer than"), "{odd:?} {word:?}: {}", outcome.stderr);
        }
    }
    assert_eq!(log(folder.path()), NOTHING);
    sends_later(folder.path());
}

#[test]
fn answers_to_later_commands_are_not_taken_in_advance() {
    let folder = reported();
    for (word, bytes, words) in [
        ("MAIL", "250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n", "more than one reply"),
        ("DATA", "354 go on\r\n250 taken\r\n", "more than one reply"),
        ("DATA", "250 taken\r\n", "an unexpected reply: 250 “taken”"),
    ] {
        let server =
            MailServer::start(Manner { odd: Some((word, Odd::Bytes(bytes))), ..Manner::of(Kind::Tls) });
        let outcome = send(folder.path(), &url(&server, "smtps"), &[]);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
        assert_eq!((outcome.code, log(folder.path())), (Some(5), Vec::new()), "{word} {bytes:?}");
    }
}

#[test]
fn the_answer_to_the_message_decides() {
    let folder = reported();
    // Whether the log says that the report was refused, or may have been sent.
    for (answer, code, states) in [
        ("554 refused\r\n", 74, &["sending", "refused"][..]),
        ("452-full\r\n452 later\r\n", 75, &["sending", "refused"]),
        ("", 74, &["sending"]),
        ("250", 74, &["sending"]),
        ("250-taken\r\n", 74, &["sending"]),
        ("250-taken\r\n554 refused\r\n", 74, &["sending"]),
        ("354 go on\r\n", 74, &["sending"]),
        ("taken\r\n", 74, &["sending"]),
        ("250 taken\r\n", 0, &["sending", "sent"]),
        ("250-taken\r\n250 id\r\n421 bye\r\n", 0, &["sending", "sent"]),
    ] {
        // As if nothing had been sent before.
        let _ = std::fs::remove_dir_all(folder.path().join(".local"));
        let server =
            MailServer::start(Manner { odd: Some((".", Odd::Bytes(answer))), ..Manner::of(Kind::Tls) });
        let outcome = send(folder.path(), &url(&server, "smtps"), &[]);
        assert_eq!(
            (outcome.code, log(folder.path())),
            (Some(code), states.iter().map(|s| (*s).to_owned()).collect()),
            "{answer:?}: {}",
            outcome.stderr
        );
        let is_doubt = outcome.stderr.contains("did not confirm it");
        assert_eq!(is_doubt, states == ["sending"], "{answer:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("docs.rs"), "{}", outcome.stderr);
    }
    std::fs::remove_dir_all(folder.path().join(".local")).unwrap();
    for odd in [Odd::EndlessLine, Odd::EndlessAnswer] {
        let server = MailServer::start(Manner { odd: Some((".", odd)), ..Manner::of(Kind::Tls) });
        let outcome = bounded(begin(&mut sending(folder.path(), &url(&server, "smtps"), &["--force"])));
        assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
    }
    assert_eq!(log(folder.path()), ["sending", "sending"]);
}

/// The message about the report in a folder.
fn message(folder: &Path) -> OutgoingMail {
    let mail = Mail {
        from: PEOPLE[1].to_owned(),
        to: vec![PEOPLE[3].to_owned(), PEOPLE[5].to_owned()],
        cc: Vec::new(),
        attach: Vec::new(),
        paper: acumen::cli::Paper::A4,
        destination: Destination::File("none".into()),
    };
    let at = "2026-10-12T06:00:00Z".parse().unwrap();
    commands::mail::message(&folder.join(format!("{NAME}.json")), &mail, at).unwrap()
}

/// Offers and sends a message to a plain server, within these limits in milliseconds.
fn limited(
    folder: &Path,
    message: OutgoingMail,
    server: &MailServer,
    [step, total, message_step]: [u64; 3],
) -> Result<(), SendError> {
    let limits = SmtpTimeouts {
        step: Duration::from_millis(step),
        total: Duration::from_millis(total),
        message: Duration::from_millis(message_step),
    };
    let delivery = Delivery {
        server: Server {
            security: Security::Plain,
            host: "localhost".to_owned(),
            port: server.port,
            helo: None,
            login: None,
            trust: Trust::default(),
        },
        state: folder.join(".local/state/acumen"),
        force: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut offer = deliver::submit(message, &delivery, "2026-10-12T06:00:00Z", limits).await?;
        offer.send().await;
        offer.end().2.into_iter().next().map_or(Ok(()), Err)
    })
}

#[test]
fn every_part_of_a_mail_has_a_limit() {
    const LONG: u64 = 60_000;
    let folder = reported();
    let mail = message(folder.path());
    let begun = Instant::now();
    let failure = |word, odd, limits| {
        let server = MailServer::start(Manner { odd: Some((word, odd)), ..Manner::of(Kind::Plain) });
        match limited(folder.path(), mail.clone(), &server, limits) {
            Err(SendError::Smtp(error)) => error,
            Err(SendError::Unconfirmed { error, .. }) => *error,
            other => panic!("{word} {odd:?}: {other:?}"),
        }
    };
    let drip = Odd::Drip(Duration::from_millis(20));
    for word in ["", "EHLO", "RCPT", "DATA"] {
        // A line comes in time, again and again.
        let error = failure(word, drip, [LONG, 400, LONG]);
        assert!(matches!(error, SmtpError::Unreachable { .. }), "{word} {error}");
        assert_eq!(error.exit(), Exit::Unreachable);
        let error = failure(word, Odd::Silence, [400, LONG, LONG]);
        assert!(error.to_string().contains("no answer within"), "{word} {error}");
        assert_eq!(error.exit(), Exit::Unreachable);
    }
    assert_eq!(log(folder.path()), NOTHING);
    let error = failure(".", drip, [LONG, LONG, 400]);
    assert!(matches!(error, SmtpError::Unanswered { .. }), "{error}");
    assert_eq!(log(folder.path()), ["sending"]);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_signal_ends_a_mail_before_its_message_leaves() {
    let folder = reported();
    let drip = Odd::Drip(Duration::from_secs(2));
    for (kind, scheme, word, odd) in [
        (Kind::StartTls, "smtp", "", drip),
        (Kind::StartTls, "smtp", "STARTTLS", Odd::Silence),
        (Kind::Tls, "smtps", "EHLO", drip),
        (Kind::Tls, "smtps", "RCPT", Odd::Silence),
        (Kind::Tls, "smtps", "DATA", drip),
    ] {
        for (name, code) in [("TERM", 143), ("INT", 130)] {
            let server = MailServer::start(Manner { odd: Some((word, odd)), ..Manner::of(kind) });
            let child = begin(&mut sending(folder.path(), &url(&server, scheme), &[]));
            server.hears(if word.is_empty() { server::GREETING } else { word });
            let sent = Instant::now();
            signal(child.id(), name);
            let ended = outcome(child);
            let took = sent.elapsed();
            assert_eq!(ended.code, Some(code), "{word:?} {}", ended.stderr);
            assert!(took < SOON, "{word:?} {name}: {took:?}");
            assert!(ended.stderr.ends_with("nothing sent\n"), "{}", ended.stderr);
        }
    }
    assert_eq!(log(folder.path()), NOTHING);
    sends_later(folder.path());
}

#[test]
fn a_signal_ends_the_mail_of_a_report_that_is_written() {
    let served = served();
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(Manner { odd: Some(("EHLO", Odd::Silence)), ..Manner::of(Kind::Tls) });
    let (base, smtp) = (served.url(), url(&server, "smtps"));
    let flags = ["report", "--base-url", &base, "--org", "org_demo", "--week", "2026-W41", "--out", "."];
    let mut command = acumen(folder.path());
    command.args(flags).args(["--mail", "--smtp", &smtp]).args(PEOPLE).env("SSL_CERT_FILE", authority());
    let child = begin(&mut command);
    server.hears("EHLO");
    signal(child.id(), "TERM");
    let ended = outcome(child);
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("the report was written but not mailed\n"), "{}", ended.stderr);
    assert!(folder.path().join(format!("{NAME}.html")).is_file());
}

#[test]
fn a_signal_does_not_leave_a_message_in_doubt() {
    let folder = reported();
    let server = MailServer::start(Manner { holds: true, ..Manner::of(Kind::Tls) });
    let mut child = begin(&mut sending(folder.path(), &url(&server, "smtps"), &[]));
    server.arrived();
    signal(child.id(), "TERM");
    // The program says that it waits; only then the server answers.
    let mut said = String::new();
    let stderr = child.stderr.as_mut().expect("its stderr");
    while !said.contains("terminated: waiting for the mail server's answer") {
        let mut byte = [0];
        std::io::Read::read_exact(stderr, &mut byte).unwrap_or_else(|_| panic!("it waits: {said}"));
        said.push(char::from(byte[0]));
    }
    assert_eq!(log(folder.path()), ["sending"]);
    server.release();
    let ended = outcome(child);
    assert!(ended.code == Some(0) && ended.stderr.contains("sent to 2"), "{ended:?}");
    assert_eq!(
        (log(folder.path()), server.received().len()),
        (vec!["sending".to_owned(), "sent".to_owned()], 1)
    );
}

#[test]
fn a_signal_ends_the_wait_for_the_send_log() {
    let folder = reported();
    let server = MailServer::start(Manner { odd: Some(("EHLO", Odd::Silence)), ..Manner::of(Kind::Tls) });
    let smtp = url(&server, "smtps");
    let first = begin(&mut sending(folder.path(), &smtp, &[]));
    server.hears("EHLO");
    let second = begin(&mut sending(folder.path(), &smtp, &[]));
    idles(&second);
    let sent = Instant::now();
    signal(second.id(), "TERM");
    let ended = outcome(second);
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(sent.elapsed() < SOON, "{:?}", sent.elapsed());
    assert_eq!(server.heard().len(), 1, "the second did not connect");
    signal(first.id(), "INT");
    assert_eq!(outcome(first).code, Some(130));
    sends_later(folder.path());
}

/// Waits until a process has come to where it waits: it takes no more processor time.
fn idles(child: &Child) {
    let ticks = || -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        format!("{} {}", fields[11], fields[12])
    };
    let (begun, mut last, mut same) = (Instant::now(), ticks(), 0);
    while same < 5 || last == "0 0" {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never waits");
        std::thread::sleep(Duration::from_millis(100));
        let now = ticks();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
}
