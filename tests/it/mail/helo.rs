//! How the program introduces itself, and servers that are spoken to in the wrong way.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn this_machine_calls_itself_by_a_full_name_or_an_address() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::StartTls));
    let smtp = url(&server, "smtp");
    for (more, wanted) in [(&[][..], None), (&["--smtp-helo", "mail.example.com"], Some("mail.example.com"))]
    {
        let outcome = send(folder.path(), &smtp, &[&["--force"], more].concat());
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let helo = server.received().pop().unwrap().helo;
        match wanted {
            Some(wanted) => assert_eq!(helo, wanted),
            None => assert!(helo == "[127.0.0.1]" || helo == "[IPv6:::1]" || helo.contains('.'), "{helo}"),
        }
    }
    for name in ["a b", "vm\r\nQUIT", ""] {
        let outcome = send(folder.path(), &smtp, &["--smtp-helo", name]);
        assert!(outcome.code == Some(2) && outcome.stderr.contains("--smtp-helo"), "{}", outcome.stderr);
    }
}

#[test]
fn a_refusal_of_the_name_says_what_to_set() {
    let folder = reported();
    for (word, answer, code) in [
        ("EHLO", "421 4.7.0 Try again later, closing connection. (EHLO)", 2),
        ("EHLO", "421 too many connections", 75),
        ("EHLO", "550 who are you?", 2),
        ("MAIL", "550 5.7.1 Access denied - Invalid HELO name", 2),
        ("RCPT", "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname", 2),
        ("RCPT", "450 4.7.1 <vm>: Helo command rejected: Host not found", 2),
    ] {
        let (kind, scheme) = if word == "RCPT" { (Kind::Tls, "smtps") } else { (Kind::StartTls, "smtp") };
        let server = MailServer::start(Manner { vm: Some((word, answer)), ..Manner::of(kind) });
        let outcome = send(folder.path(), &url(&server, scheme), &["--force", "--smtp-helo", "vm"]);
        assert_eq!(outcome.code, Some(code), "{answer}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains("does not accept vm as the name of this machine"),
            "{}",
            outcome.stderr
        );
        let hint = outcome.stderr.lines().last().unwrap();
        assert!(hint.contains("--smtp-helo"), "{hint}");
        assert_eq!(hint.contains("later"), code == 75, "{hint}");
        assert!(server.received().is_empty());
        let outcome = send(folder.path(), &url(&server, scheme), &["--force"]);
        assert_eq!(outcome.code, Some(0), "{answer}: {}", outcome.stderr);
    }
}

#[test]
fn the_wrong_kind_of_tls_is_recognised_soon() {
    let folder = reported();
    let [tls, starttls, plain] =
        [Kind::Tls, Kind::StartTls, Kind::Plain].map(|kind| MailServer::start(Manner::of(kind)));
    for (server, scheme, right) in [
        (&tls, "smtp", "smtps"),
        (&tls, "smtp+plain", "smtps"),
        (&starttls, "smtps", "smtp"),
        (&plain, "smtps", "smtp"),
    ] {
        let begun = Instant::now();
        let outcome = send(folder.path(), &url(server, scheme), &[]);
        assert!(begun.elapsed() < Duration::from_secs(15), "{scheme}: {:?}", begun.elapsed());
        assert_eq!(outcome.code, Some(2), "{scheme}: {}", outcome.stderr);
        let hint = format!("hint: use --smtp {right}://localhost:{}", server.port);
        assert!(outcome.stderr.contains(&hint), "{scheme}: {}", outcome.stderr);
        assert!(server.received().is_empty());
    }
}

#[test]
fn a_server_that_greets_late_is_waited_for() {
    let folder = reported();
    let server =
        MailServer::start(Manner { greets_after: Duration::from_secs(7), ..Manner::of(Kind::StartTls) });
    let outcome = send(folder.path(), &url(&server, "smtp"), &[]);
    assert_eq!((outcome.code, server.received().len()), (Some(0), 1), "{}", outcome.stderr);
}
