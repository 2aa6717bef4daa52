//! Logins: PLAIN, LOGIN and XOAUTH2, taken and refused.

use super::*;

const USER: &str = "me@example.com";

/// Sends with this password to a server that takes `s3cret-word`.
fn log_in(folder: &Path, manner: Manner, scheme: &str, auth: &str, password: &str) -> (Outcome, MailServer) {
    let server = MailServer::start(Manner { login: Some((USER, "s3cret-word")), ..manner });
    std::fs::write(folder.join("password"), format!("{password}\n")).unwrap();
    let flags = ["--force", "--smtp-user", USER, "--smtp-auth", auth, "--smtp-password-file", "password"];
    let outcome = send(folder, &url(&server, scheme), &flags);
    (outcome, server)
}

/// The first words of the commands for a login.
fn mechanism(server: &MailServer) -> Vec<String> {
    let heard = server.heard();
    let logins = heard.iter().filter(|line| line.starts_with("AUTH "));
    logins.map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_mechanism_is_the_one_asked_for_or_offered() {
    let folder = reported();
    for (auth, offered, used) in [
        ("auto", "LOGIN PLAIN", "PLAIN"),
        ("auto", "CRAM-MD5 LOGIN", "LOGIN"),
        ("plain", "PLAIN LOGIN", "PLAIN"),
        ("login", "PLAIN LOGIN", "LOGIN"),
        ("xoauth2", "PLAIN LOGIN XOAUTH2", "XOAUTH2"),
    ] {
        for (kind, scheme) in [(Kind::Tls, "smtps"), (Kind::StartTls, "smtp"), (Kind::Plain, "smtp+plain")] {
            let manner = Manner { mechanisms: offered, ..Manner::of(kind) };
            let (outcome, server) = log_in(folder.path(), manner, scheme, auth, "s3cret-word");
            assert_eq!(outcome.code, Some(0), "{auth} {kind:?}: {}", outcome.stderr);
            assert_eq!(mechanism(&server), [used]);
            assert_eq!(server.received()[0].user.as_deref(), Some(USER));
        }
    }
}

#[test]
fn a_mechanism_that_is_not_offered_sends_no_password() {
    let folder = reported();
    for (auth, offered, words, hint) in [
        ("auto", "CRAM-MD5 XOAUTH2", "it offers CRAM-MD5, XOAUTH2", "set --smtp-auth xoauth2"),
        ("auto", "NTLM CRAM-MD5", "it offers NTLM, CRAM-MD5", "PLAIN, LOGIN and XOAUTH2"),
        ("plain", "LOGIN", "it offers LOGIN", "omit --smtp-auth"),
        ("xoauth2", "PLAIN", "it offers PLAIN", "omit --smtp-auth"),
        ("auto", "", "it offers no login mechanism", "--smtp-user"),
    ] {
        let manner = Manner { mechanisms: offered, ..Manner::of(Kind::Tls) };
        let (outcome, server) = log_in(folder.path(), manner, "smtps", auth, "s3cret-word");
        assert_eq!((outcome.code, mechanism(&server)), (Some(3), Vec::new()), "{}", outcome.stderr);
        let last_line = outcome.stderr.lines().last().unwrap();
        assert!(outcome.stderr.contains(words) && last_line.contains(hint), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("refused the login"), "none was tried: {}", outcome.stderr);
    }
}

#[test]
fn a_refused_login_shows_no_form_of_the_password() {
    let folder = reported();
    let wrong = "wr0ng-word";
    let base64 = |text: &str| {
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
            .trim_end_matches('=')
            .to_owned()
    };
    let shapes = [
        wrong.to_owned(),
        base64(wrong),
        base64(&format!("\0{USER}\0{wrong}")),
        base64(&format!("user={USER}\u{1}auth=Bearer {wrong}\u{1}\u{1}")),
    ];
    for (auth, secret) in [("plain", "password"), ("login", "password"), ("xoauth2", "access token")] {
        for (refusal, code) in [
            ("535-5.7.8 no\r\n535 entry with {}", 3),
            ("454 4.7.0 later, not {}", 75),
            // The words may be steered on a terminal so that the halves of the password meet.
            ("535 WR0NG-word wr0\u{200b}ng-word wr0\u{feff}ng-word {}", 3),
        ] {
            let manner =
                Manner { mechanisms: "PLAIN LOGIN XOAUTH2", login_refusal: refusal, ..Manner::of(Kind::Tls) };
            let (outcome, server) = log_in(folder.path(), manner, "smtps", auth, wrong);
            let said = &outcome.stderr;
            assert_eq!(outcome.code, Some(code), "{auth}: {said}");
            assert!(said.contains("[redacted]"), "{auth}: {said}");
            let low = said.to_ascii_lowercase();
            let is_shown = |shape: &String| low.contains(&shape.to_ascii_lowercase());
            assert!(!shapes.iter().any(is_shown), "{auth}: {said}");
            if code == 3 {
                assert!(said.contains(&format!("with the {secret} from --smtp-password-file")), "{said}");
                assert!(said.contains(&format!("and the {secret}\n")), "the hint: {said}");
            }
            // The status of the challenge, on one line and without what steers a terminal.
            assert_eq!(said.contains("status 400 [31m:"), auth == "xoauth2", "{said}");
            assert!(server.received().is_empty());
        }
    }
}

#[test]
fn the_login_comes_from_the_settings_file_and_the_environment() {
    let folder = reported();
    let server = MailServer::start(Manner {
        login: Some((USER, "s3cret-word")),
        mechanisms: "PLAIN XOAUTH2",
        ..Manner::of(Kind::Tls)
    });
    let smtp = url(&server, "smtps");
    std::fs::write(folder.path().join("acumen.toml"), "[mail]\nauth = \"xoauth2\"\n").unwrap();
    let with = |auth: Option<&str>| {
        let mut command = sending(folder.path(), &smtp, &["--force", "--smtp-user", USER]);
        command.env("ACUMEN_CONFIG", folder.path().join("acumen.toml"));
        command.env("ACUMEN_SMTP_PASSWORD", "s3cret-word").envs(auth.map(|auth| ("ACUMEN_SMTP_AUTH", auth)));
        assert_eq!(run(&mut command).code, Some(0));
    };
    with(None);
    with(Some("plain"));
    assert_eq!(mechanism(&server), ["XOAUTH2", "PLAIN"]);
}

#[test]
fn a_server_that_wants_a_login_says_so() {
    let folder = reported();
    let server = MailServer::start(Manner { login: Some((USER, "s3cret-word")), ..Manner::of(Kind::Tls) });
    let outcome = send(folder.path(), &url(&server, "smtps"), &[]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: set the user with --smtp-user"), "{}", outcome.stderr);
}

/// A command that prints the password, in a folder.
fn tool(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("token tool");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_command_prints_the_password_or_the_access_token() {
    let folder = reported();
    let path = tool(folder.path(), "echo \" $1-word \"; echo more; echo noise >&2");
    let manner =
        Manner { login: Some((USER, "s3cret-word")), mechanisms: "PLAIN XOAUTH2", ..Manner::of(Kind::Tls) };
    let server = MailServer::start(manner);
    let smtp = url(&server, "smtps");
    let flags = ["--force", "--smtp-user", USER];
    let quoted = format!("'{path}' s3cret");
    for auth in ["auto", "xoauth2"] {
        let outcome = send(
            folder.path(),
            &smtp,
            &[&flags[..], &["--smtp-auth", auth, "--smtp-password-command", &quoted]].concat(),
        );
        assert_eq!(outcome.code, Some(0), "{auth}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("password: --smtp-password-command\n"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("noise"), "{}", outcome.stderr);
    }
    // In the settings file a list is taken word by word, and no shell reads it.
    let settings = format!("[mail]\nuser = \"{USER}\"\npassword_command = [\"{path}\", \"s3cret\"]\n");
    std::fs::write(folder.path().join("acumen.toml"), &settings).unwrap();
    let with =
        |more: &[&str]| send(folder.path(), &smtp, &[&["--force", "--config", "acumen.toml"], more].concat());
    let outcome = with(&[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    // A file that is typed beats the command of the settings.
    std::fs::write(folder.path().join("password"), "wr0ng\n").unwrap();
    let outcome = with(&["--smtp-password-file", "password"]);
    assert!(
        outcome.code == Some(3) && outcome.stderr.contains("from --smtp-password-file"),
        "{}",
        outcome.stderr
    );
    assert_eq!(mechanism(&server), ["PLAIN", "XOAUTH2", "PLAIN", "PLAIN"]);
    // A person who can change the settings could run anything.
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder.path().join("acumen.toml"), std::fs::Permissions::from_mode(0o602))
        .unwrap();
    let outcome = with(&[]);
    assert!(
        outcome.code == Some(2) && outcome.stderr.contains("every user of this machine can change it"),
        "{}",
        outcome.stderr
    );
    // A message that goes into a file needs no password.
    let failing = ["--smtp-user", USER, "--smtp-password-command", "false", "--eml", "a.eml"];
    let outcome = send(folder.path(), &smtp, &failing);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn a_command_that_leaves_something_behind_is_not_waited_for() {
    let folder = reported();
    let server = MailServer::start(Manner { login: Some((USER, "s3cret")), ..Manner::of(Kind::Tls) });
    // What stays keeps the output open; what is printed fills more than a pipe.
    let script = "echo s3cret; head -c 60000 /dev/zero; (sleep 60; exit) &";
    let command = format!("\"{}\"", tool(folder.path(), script));
    let begun = std::time::Instant::now();
    let outcome = send(
        folder.path(),
        &url(&server, "smtps"),
        &["--smtp-user", USER, "--smtp-password-command", &command],
    );
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(begun.elapsed() < std::time::Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[test]
fn a_failed_command_is_reported_without_its_output() {
    let folder = reported();
    let server = MailServer::start(Manner { login: Some((USER, "x")), ..Manner::of(Kind::Tls) });
    for (script, words) in [
        ("echo s3cret; echo s3cret >&2; exit 7", "failed with exit status 7"),
        ("echo s3cret; kill -9 $$", "was killed by a signal"),
        ("exit 0", "printed nothing on its first line"),
        ("echo; echo s3cret", "printed nothing on its first line"),
        ("printf '\\377s3cret'", "printed output that is not text"),
        ("yes s3cret", "printed more than 64 KiB"),
    ] {
        let path = tool(folder.path(), script);
        let command = format!("\"{path}\"");
        let outcome = send(
            folder.path(),
            &url(&server, "smtps"),
            &["--smtp-user", USER, "--smtp-password-command", &command],
        );
        assert_eq!(outcome.code, Some(2), "{script}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(words) && outcome.stderr.contains("token tool"),
            "{script}: {}",
            outcome.stderr
        );
        assert!(!outcome.stderr.contains("s3cret"), "{script}: {}", outcome.stderr);
    }
    for command in ["nowhere-to-be-found", "./token", "a | b"] {
        let outcome = send(
            folder.path(),
            &url(&server, "smtps"),
            &["--smtp-user", USER, "--smtp-password-command", command],
        );
        assert!(
            outcome.code == Some(2) && outcome.stderr.contains("--smtp-password-command: "),
            "{}",
            outcome.stderr
        );
    }
    assert!(server.heard().is_empty());
}
