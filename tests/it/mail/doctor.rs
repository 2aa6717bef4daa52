//! What `acumen doctor` says of mail and of the state folder.

use std::time::{Duration, Instant};

use super::*;

/// What the doctor says in a folder, in which it leaves everything as it is.
fn doctor(folder: &Path, flags: &[&str]) -> Outcome {
    let served = served();
    let before = files(folder);
    let mut command = acumen(folder);
    command.args(["doctor", "--org", "org_demo", "--base-url", &served.url()]).args(flags);
    let outcome = run(command.env("SSL_CERT_FILE", authority()));
    assert_eq!(files(folder), before, "nothing is left behind");
    outcome
}

/// A line by its name, with its hint.
fn line(outcome: &Outcome, name: &str) -> Option<String> {
    let named = format!(" {name}: ");
    let mut lines = outcome.stdout.lines().skip_while(|line| line.starts_with(' ') || !line.contains(&named));
    let line = lines.next()?.to_owned();
    Some(line + lines.next().filter(|line| line.starts_with(' ')).unwrap_or_default())
}

fn with_server<'f>(smtp: &'f str, more: &[&'f str]) -> Vec<&'f str> {
    [&["--smtp", smtp][..], &PEOPLE, more].concat()
}

#[test]
fn a_mail_server_is_asked_up_to_the_recipients_and_gets_nothing() {
    for (kind, scheme) in [(Kind::Tls, "smtps"), (Kind::StartTls, "smtp"), (Kind::Plain, "smtp+plain")] {
        let server = MailServer::start(Manner { login: Some(("me", "s3cret")), ..Manner::of(kind) });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "s3cret\n").unwrap();
        let smtp = url(&server, scheme);
        // Complete settings are looked at without --mail as well.
        let login = ["--smtp-user", "me", "--smtp-password-file", "password"];
        let outcome = doctor(folder.path(), &with_server(&smtp, &login));
        assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
        let mail = line(&outcome, "mail").unwrap();
        assert!(mail.starts_with("ok ") && mail.contains(&format!("localhost:{}", server.port)), "{mail}");
        assert_eq!(mail.contains("certificate is trusted"), kind != Kind::Plain, "{mail}");
        assert!(line(&outcome, "state").unwrap().starts_with("ok "), "{}", outcome.stdout);
        let said: Vec<String> =
            server.heard().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        let expected: &[&str] = match kind {
            Kind::StartTls => &["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "RSET", "QUIT"],
            _ => &["EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "RSET", "QUIT"],
        };
        assert_eq!(said, expected);
        assert!(!outcome.stdout.contains("s3cret") && server.received().is_empty(), "{}", outcome.stdout);
        for word in ["the login of me", "acumen@example.com to 2 recipient", "nothing sent"] {
            assert!(mail.contains(word), "{mail}");
        }
    }
}

#[test]
fn without_mail_there_is_no_line_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = doctor(folder.path(), &["--mail-to", "ada@example.com"]);
    assert_eq!((outcome.code, line(&outcome, "mail"), line(&outcome, "state")), (Some(0), None, None));
    let outcome = doctor(folder.path(), &[&PEOPLE[..], &["--eml", "a.eml"]].concat());
    let mail = line(&outcome, "mail").unwrap();
    assert!(mail.starts_with("ok ") && mail.contains("a.eml"), "{mail}");
    assert_eq!((outcome.code, line(&outcome, "state")), (Some(0), None));
}

#[test]
fn what_would_keep_a_mail_back_fails_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let failed = |flags: &[&str], code: i32, words: &[&str]| {
        let outcome = doctor(folder.path(), flags);
        let mail = line(&outcome, "mail").unwrap();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stdout);
        assert!(mail.starts_with("FAILED ") && words.iter().all(|word| mail.contains(word)), "{mail}");
    };
    failed(&["--mail"], 2, &["--mail-from"]);
    let nowhere = "smtps://localhost:1";
    let password = ["--smtp-user", "me", "--smtp-password-file", "nowhere"];
    failed(&with_server(nowhere, &password), 2, &["--smtp-password-file nowhere"]);
    let server = MailServer::start(Manner::of(Kind::Tls));
    let other = url(&server, "smtps").replace("localhost", "127.0.0.1");
    failed(
        &with_server(&other, &[]),
        2,
        &["certificate is not for this host name, but for localhost", "--smtp"],
    );
    let plain = MailServer::start(Manner::of(Kind::Plain));
    failed(&with_server(&url(&plain, "smtp"), &[]), 5, &["STARTTLS"]);
    let at = |manner: Manner, more: &[&str], code: i32, words: &[&str]| {
        let server = MailServer::start(manner);
        failed(&with_server(&url(&server, "smtps"), more), code, words);
        assert!(server.received().is_empty());
    };
    let tls = || Manner::of(Kind::Tls);
    let unknown = Manner { recipients: &[("b@", "550 unknown user")], ..tls() };
    at(unknown, &[], 74, &["the recipient b@example.com: 550 “unknown user”", "to the others"]);
    let picky = Manner { vm: Some(("RCPT", "504 <vm>: Helo command rejected")), ..tls() };
    at(picky, &["--smtp-helo", "vm"], 2, &["does not accept vm as the name", "--smtp-helo"]);
    let closed = Manner { login: Some(("me", "x")), mechanisms: "XOAUTH2", ..tls() };
    let login = ["--smtp-user", "me", "--smtp-password-command", "echo y"];
    at(closed, &login, 3, &["it offers XOAUTH2", "--smtp-auth xoauth2"]);
    let begun = Instant::now();
    failed(
        &with_server(&url(&server, "smtp"), &[]),
        2,
        &["it waits for TLS from the first byte", "smtps://localhost:"],
    );
    assert!(begun.elapsed() < Duration::from_secs(20), "too patient");
    // It takes the connection, and never says a word.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = format!("smtp://127.0.0.1:{}", mute.local_addr().unwrap().port());
    let begun = Instant::now();
    failed(&with_server(&mute, &[]), 5, &["could not reach"]);
    assert!(begun.elapsed() < Duration::from_secs(40), "too patient");
}

#[test]
fn a_state_folder_that_cannot_be_used_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let state = |flags: &[&str], code: i32| {
        let outcome = doctor(folder.path(), flags);
        assert_eq!(outcome.code, Some(code), "{}", outcome.stdout);
        line(&outcome, "state").unwrap()
    };
    let server = MailServer::start(Manner::of(Kind::Tls));
    let smtp = url(&server, "smtps");
    let mailing = |name, code| state(&with_server(&smtp, &["--state", name]), code);
    std::fs::write(path("file"), "x").unwrap();
    let output = mailing("file", 74);
    assert!(output.starts_with("FAILED ") && output.contains("file"), "{output}");
    let output = mailing("a/b", 0);
    assert!(output.starts_with("ok ") && output.contains("can be created in ."), "{output}");
    std::fs::create_dir(path("odd")).unwrap();
    assert!(mailing("odd", 0).starts_with("ok "));
    std::fs::write(path("odd/sent.jsonl"), "half\n").unwrap();
    let output = mailing("odd", 74);
    assert!(
        output.starts_with("FAILED ") && output.contains("sent.jsonl") && output.contains("line 1"),
        "{output}"
    );
}
