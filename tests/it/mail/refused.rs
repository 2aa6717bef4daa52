//! What a server refuses, and what is refused before a server is asked.

use super::server::Odd;
use super::*;
use crate::support::serve;

/// Sends to a server of this manner, which must take nothing: exit code, error and hint.
fn refusal(manner: Manner, scheme: &str, more: &[&str]) -> (Option<i32>, String) {
    let folder = reported();
    let server = MailServer::start(manner);
    let outcome = send(folder.path(), &url(&server, scheme), more);
    assert!(server.received().is_empty());
    assert!(outcome.stderr.lines().last().unwrap_or_default().starts_with("hint: "), "{}", outcome.stderr);
    (outcome.code, outcome.stderr)
}

#[test]
fn a_refused_message_can_be_sent_again() {
    let folder = reported();
    let full = MailServer::start(Manner { message: Some("452 full"), ..Manner::of(Kind::Tls) });
    let outcome = send(folder.path(), &url(&full, "smtps"), &[]);
    assert_eq!(outcome.code, Some(75), "{}", outcome.stderr);
    let server = MailServer::start(Manner::of(Kind::Tls));
    assert_eq!(send(folder.path(), &url(&server, "smtps"), &[]).code, Some(0));
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_message_that_is_too_large_may_go_without_the_report() {
    let small = |message| Manner { message: Some(message), ..Manner::of(Kind::Tls) };
    let folder = reported();
    for (message, is_size) in
        [("552 too big", true), ("554 5.3.4 size limit", true), ("552 5.2.2 mailbox full", false)]
    {
        let server = MailServer::start(small(message));
        let outcome = send(folder.path(), &url(&server, "smtps"), &[]);
        assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.contains("--mail-attach none"), is_size, "{}", outcome.stderr);
    }
}

#[test]
fn a_refused_login_shows_no_password() {
    let folder = reported();
    let server = MailServer::start(Manner { login: Some(("me", "right")), ..Manner::of(Kind::Tls) });
    let smtp = url(&server, "smtps");
    let mut command = sending(folder.path(), &smtp, &["--smtp-user", "me"]);
    let outcome = run(command.env("ACUMEN_SMTP_PASSWORD", "wr0ng"));
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("from ACUMEN_SMTP_PASSWORD: 535") && outcome.stderr.contains("[redacted]")
    );
    // Neither as it is nor as it was on the wire: base64 of \0me\0wr0ng.
    assert!(
        !outcome.stderr.contains("wr0ng") && !outcome.stderr.contains("AG1lAHdyMG5n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn the_password_comes_from_the_credential_where_no_file_is_named() {
    let folder = reported();
    let server = MailServer::start(Manner { login: Some(("me", "right")), ..Manner::of(Kind::Tls) });
    std::fs::write(folder.path().join("smtp-password"), "right").unwrap();
    let smtp = url(&server, "smtps");
    let mut command = sending(folder.path(), &smtp, &["--smtp-user", "me"]);
    let outcome =
        run(command.env("CREDENTIALS_DIRECTORY", folder.path()).env("ACUMEN_SMTP_PASSWORD", "wrong"));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn nothing_goes_over_a_way_that_is_not_safe() {
    let (code, said) = refusal(Manner::of(Kind::Plain), "smtp", &[]);
    assert!(code == Some(5) && said.contains("STARTTLS"), "{said}");
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    let smtp = url(&server, "smtps");
    // A certificate of an untrusted authority, and one for another name.
    let mut strangers = sending(folder.path(), &smtp, &[]);
    let untrusted = run(strangers.env_remove("SSL_CERT_FILE"));
    let other = send(folder.path(), &smtp.replace("localhost", "127.0.0.1"), &[]);
    for outcome in [untrusted, other] {
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("its certificate is not"), "{}", outcome.stderr);
    }
    assert!(server.received().is_empty() && server.heard().is_empty());
    let plain = MailServer::start(Manner::of(Kind::Plain));
    let outcome = send(folder.path(), &url(&plain, "smtp+plain"), &[]);
    assert_eq!(
        (outcome.code, plain.received().len()),
        (Some(0), 1),
        "loopback, and asked for: {}",
        outcome.stderr
    );
}

/// As `openssl req -x509` makes them; the API's server may have one as well.
#[test]
fn a_certificate_marked_as_an_authority_is_explained() {
    let folder = reported();
    let manner = Manner { certificate: "selfsigned.pem", ..Manner::of(Kind::Tls) };
    let server = MailServer::start(manner);
    let trusting = crate::support::repository("tests/fixtures/smtp/selfsigned.pem");
    let mail = run(sending(folder.path(), &url(&server, "smtps"), &[]).env("SSL_CERT_FILE", &trusting));
    let api = url(&server, "https");
    let report = ["report", "--base-url", &api, "--quiet"];
    let report = run(acumen(folder.path()).args(report).env("SSL_CERT_FILE", &trusting));
    for outcome in [mail, report] {
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("its certificate is an authority's own"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: name that certificate with --ca-file"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("OtherError"), "{}", outcome.stderr);
    }
    assert!(server.heard().is_empty());
}

#[test]
fn a_server_of_an_old_tls_is_explained() {
    // A fatal alert of TLS 1.1: protocol_version.
    const ALERT: &str = "\u{15}\u{3}\u{2}\u{0}\u{2}\u{2}\u{46}";
    let implicit = Manner { odd: Some(("", Odd::Bytes(ALERT))), ..Manner::of(Kind::Plain) };
    let starttls = Manner { injected_late: ALERT, ..Manner::of(Kind::StartTls) };
    for (manner, scheme) in [(implicit, "smtps"), (starttls, "smtp")] {
        let (code, said) = refusal(manner, scheme, &[]);
        assert!(code == Some(2) && said.contains("it supports only TLS 1.1 or older"), "{said}");
    }
}

#[test]
fn a_server_that_is_not_there_leaves_no_doubt() {
    let folder = reported();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = send(folder.path(), &format!("smtps://localhost:{port}"), &[]);
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    let server = MailServer::start(Manner::of(Kind::Tls));
    assert_eq!(send(folder.path(), &url(&server, "smtps"), &[]).code, Some(0));
}

#[test]
fn missing_settings_are_reported_before_any_request() {
    let folder = tempfile::tempdir().unwrap();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&asked);
    let base = serve(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        (500, "", String::new())
    });
    let to = ["--mail-from", "a@example.com", "--mail-to"];
    for (flags, word) in [
        (vec!["--mail"], "--mail-from"),
        (vec!["--mail", to[0], to[1]], "--mail-to"),
        (vec!["--mail", to[0], to[1], to[2], "b@example.com"], "--smtp"),
        (vec!["--mail", to[0], to[1], to[2], "nobody", "--smtp", "smtps://mx"], "“nobody”"),
        (
            vec!["--mail", to[0], to[1], to[2], "b@x.com", "--smtp", "smtps://mx", "--smtp-user", "me"],
            "password",
        ),
        (vec!["--mail", to[0], to[1], to[2], "b@x.com", "--smtp", "smtp+plain://mx"], "loopback"),
        (
            vec![
                "--mail",
                to[0],
                to[1],
                to[2],
                "b@x.com",
                "--smtp",
                "smtps://mx",
                "--smtp-user",
                "me",
                "--smtp-password-file",
                "none",
            ],
            "none",
        ),
    ] {
        let outcome = run(acumen(folder.path()).args(["report", "--base-url", &base]).args(&flags));
        assert_eq!(outcome.code, Some(2), "{flags:?} {}", outcome.stderr);
        assert!(outcome.stderr.contains(word.trim_matches(['“', '”'])), "{flags:?} {}", outcome.stderr);
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn what_is_no_report_cannot_be_sent() {
    let folder = reported();
    let page = folder.path().join("org_demo_2026-W41.json");
    let facts = std::fs::read_to_string(&page).unwrap();
    let output = |report: &str, more: &[&str]| {
        let outcome =
            run(acumen(folder.path()).args(["send", report, "--eml", "x.eml"]).args(PEOPLE).args(more));
        assert!(!folder.path().join("x.eml").exists());
        (outcome.code, outcome.stderr)
    };
    std::fs::create_dir(folder.path().join("folder.json")).unwrap();
    for (report, word) in [
        ("missing.html", "No such file"),
        ("folder.json", "folder.json: "),
        ("org_demo_2026-W41.csv", "its name ends in neither .html nor .json"),
        ("org_demo_2026-W41", "its name ends in neither .html nor .json"),
    ] {
        let (code, said) = output(report, &[]);
        assert!(code == Some(2) && said.contains(word) && said.contains("hint: name a report"), "{said}");
    }
    std::fs::write(&page, facts.replace("\"schema\": 2", "\"schema\": 7")).unwrap();
    let (code, said) = output("org_demo_2026-W41.html", &[]);
    assert!(code == Some(65) && said.contains("schema 7"), "{said}");
    std::fs::write(&page, facts.replace("\"completeness\": \"proven\"", "\"completeness\": \"incomplete\""))
        .unwrap();
    let (code, said) = output("org_demo_2026-W41.html", &[]);
    assert!(code == Some(4) && said.contains("incomplete"), "{said}");
}

#[test]
fn an_incomplete_report_stays_where_it_is() {
    let page = serde_json::json!({
        "items": [{
            "session_id": "s1", "org_id": "o", "user_id": "u", "status": "exit", "acus_consumed": 1.5,
            "pull_requests": [], "created_at": "2026-10-06T08:00:00Z", "updated_at": "2026-10-06T09:00:00Z"
        }],
        "total": 2, "skip": 0, "limit": 200, "has_more": false, "next_cursor": null
    });
    let base = serve(move |_| (200, "", page.to_string()));
    let server = MailServer::start(Manner::of(Kind::Tls));
    let folder = tempfile::tempdir().unwrap();
    let smtp = url(&server, "smtps");
    let report = ["report", "--base-url", &base, "--week", "2026-W41", "--trend", "0", "--out", "."];
    let mut command = acumen(folder.path());
    command.args(report).args(["--allow-partial", "--mail", "--smtp", &smtp]).args(PEOPLE);
    let outcome = run(command.env("SSL_CERT_FILE", authority()));
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("not mailed") && server.heard().is_empty(), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("note: the report was written but not mailed\n"));
    assert_eq!(outcome.stdout, "./enterprise_2026-W41.html\n./enterprise_2026-W41.json\n");
    assert!(folder.path().join("enterprise_2026-W41.html").is_file());
}
