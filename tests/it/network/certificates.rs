//! `--ca-file`, and certificates that are not accepted.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::server::{TlsApi, fixture};
use super::{WEEK, report, served};
use crate::mail::server::{Kind, MailServer, Manner, authority};
use crate::support::{Outcome, acumen, run};

const PEOPLE: [&str; 4] = ["--mail-from", "a@example.com", "--mail-to", "b@example.com"];

/// A mail server with a certificate of the folder `tls`.
fn mail_server(certificate: &'static str) -> MailServer {
    let path = fixture(certificate).to_str().unwrap().to_owned().leak();
    MailServer::start(Manner { certificate: path, ..Manner::of(Kind::Tls) })
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn one_setting_serves_an_api_and_a_mail_server_of_different_authorities() {
    let served = served();
    let (api, mail) = (TlsApi::start(&served.url(), "server.pem"), MailServer::start(Manner::of(Kind::Tls)));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // A bundle with a comment, as files of authorities often are.
    let bundle = [b"# Company\r\n".as_slice(), &read(fixture("authority.pem")), &read(authority())].concat();
    fs::create_dir(path("etc")).unwrap();
    fs::write(path("etc/company.pem"), bundle).unwrap();
    let smtp = format!("smtps://localhost:{}", mail.port);
    fs::write(path("etc/acumen.toml"), format!("ca_file = \"company.pem\"\n[mail]\nsmtp = \"{smtp}\"\n"))
        .unwrap();
    let mailed =
        |with: &[&str]| run(report(folder.path(), &api.url()).args(["--mail"]).args(PEOPLE).args(with));
    // The path is meant from the folder of the settings file.
    let outcome = mailed(&["--config", "etc/acumen.toml"]);
    assert_eq!((outcome.code, mail.received().len()), (Some(0), 1), "{}", outcome.stderr);
    // Either alone is not enough.
    let first = fixture("authority.pem");
    let outcome = mailed(&["--smtp", &smtp, "--ca-file", first.to_str().unwrap(), "--force"]);
    assert_eq!((outcome.code, mail.received().len()), (Some(2), 1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no secure connection to the mail server"), "{}", outcome.stderr);
    let outcome = mailed(&["--smtp", &smtp, "--ca-file", authority().to_str().unwrap(), "--force"]);
    assert_eq!((outcome.code, mail.received().len()), (Some(2), 1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no secure connection to localhost"), "{}", outcome.stderr);
}

#[test]
fn a_ca_file_adds_to_the_system_store() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let mail = MailServer::start(Manner::of(Kind::Tls));
    let folder = tempfile::tempdir().unwrap();
    let mut command = report(folder.path(), &api.url());
    let smtp = format!("smtps://localhost:{}", mail.port);
    command.args(["--mail", "--smtp", &smtp]).args(PEOPLE);
    command.env("SSL_CERT_FILE", authority()).env("ACUMEN_CA_FILE", fixture("authority.pem"));
    let outcome = run(&mut command);
    assert_eq!((outcome.code, mail.received().len()), (Some(0), 1), "{}", outcome.stderr);
}

#[test]
fn pem_and_der_are_read_with_or_without_a_byte_order_mark() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let folder = tempfile::tempdir().unwrap();
    let (pem, der) = (read(fixture("authority.pem")), read(fixture("authority.der")));
    let text = String::from_utf8(pem.clone()).unwrap();
    let utf16 =
        |to: fn(u16) -> [u8; 2]| format!("\u{feff}{text}").encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let marked = |bytes: &[u8]| [b"\xef\xbb\xbf", bytes].concat();
    for (name, bytes) in [
        ("PEM", pem.clone()),
        ("PEM with CR LF", text.replace('\n', "\r\n").into_bytes()),
        ("PEM with a mark", marked(&pem)),
        ("PEM in UTF-16 LE", utf16(u16::to_le_bytes)),
        ("PEM in UTF-16 BE", utf16(u16::to_be_bytes)),
        ("DER", der.clone()),
        ("DER with a mark", marked(&der)),
        (
            "PEM after a key",
            [read(crate::support::repository("tests/fixtures/smtp/key.pem")), pem.clone()].concat(),
        ),
    ] {
        let path = folder.path().join("company.crt");
        fs::write(&path, bytes).unwrap();
        let outcome = run(report(folder.path(), &api.url()).args(["--ca-file", "company.crt"]));
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
    }
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named_before_any_server_is_asked() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let mail = MailServer::start(Manner::of(Kind::Tls));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let pem = String::from_utf8(read(fixture("authority.pem"))).unwrap();
    let halved = format!("{pem}{}", &pem[..pem.len() / 2]);
    let broken = pem.replacen("MII", "MIJ", 1);
    fs::write(path("empty"), "\u{feff} \n").unwrap();
    fs::write(path("text"), "not a certificate\n").unwrap();
    fs::write(path("halved"), halved).unwrap();
    fs::write(path("second"), format!("{pem}{}", broken.replacen("MIIB", "MIJB", 1))).unwrap();
    fs::write(path("der"), b"\x30\x03\x02\x01\x00").unwrap();
    fs::copy(crate::support::repository("tests/fixtures/smtp/key.pem"), path("key")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    assert_eq!(run(&mut report(folder.path(), &served.url())).code, Some(0));
    let (asked, smtp) = (served.simulator.requests(), format!("smtps://localhost:{}", mail.port));
    let ping = crate::support::serve(|_| panic!("the monitor is not told"));
    for (file, words) in [
        ("missing", "No such file"),
        ("empty", "it is empty"),
        ("text", "it contains no certificate"),
        ("halved", "it is damaged: a certificate has no -----END line"),
        ("second", "certificate 2 of 2 in it cannot be read"),
        ("der", "it cannot be read as a certificate"),
        ("key", "it contains no certificate, but PRIVATE KEY"),
        ("folder", "it is a folder"),
    ] {
        let output = |command: &mut Command| {
            let outcome = run(command.args(["--ca-file", file]));
            let wanted = format!("--ca-file {file}: {words}");
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(outcome.code == Some(2) && said.contains(&wanted), "{wanted}: {outcome:?}");
            assert!(said.contains("hint: name a "), "{said}");
        };
        output(report(folder.path(), &api.url()).args(["--ping", &ping]));
        output(acumen(folder.path()).args(["sync", "--org", "org_demo", "--base-url", &api.url()]));
        output(
            acumen(folder.path()).args(["doctor", "--base-url", &api.url(), "--smtp", &smtp]).args(PEOPLE),
        );
        output(acumen(folder.path()).args(["send", "org_demo_2026-W41.json", "--smtp", &smtp]).args(PEOPLE));
    }
    assert_eq!((served.simulator.requests(), api.connections()), (asked, 0));
    assert!(mail.heard().is_empty());
}

/// What a report and a mail say to a certificate with these flags.
fn shown_to_both(certificate: &'static str, flags: &[&str]) -> [Outcome; 2] {
    let served = served();
    let (api, mail) = (TlsApi::start(&served.url(), certificate), mail_server(certificate));
    let folder = tempfile::tempdir().unwrap();
    let mut command = acumen(folder.path());
    let plain = run(command.args(["report", "--base-url", &served.url(), "--out", "sent"]).args(WEEK));
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    // The machine's own store may hold an authority called localhost.
    let store = authority();
    let report = run(report(folder.path(), &api.url()).args(flags).env("SSL_CERT_FILE", &store));
    assert!(report.code == Some(0) || api.connections() == 1, "{}", report.stderr);
    let smtp = format!("smtps://localhost:{}", mail.port);
    let mut command = acumen(folder.path());
    command.args(["send", "sent/org_demo_2026-W41.json", "--smtp", &smtp]).args(PEOPLE).args(flags);
    let mail_outcome = run(command.env("SSL_CERT_FILE", &store));
    assert_eq!(mail.received().len(), usize::from(mail_outcome.code == Some(0)), "{}", mail_outcome.stderr);
    [report, mail_outcome]
}

#[test]
fn a_certificate_that_is_not_accepted_is_explained_and_asked_once() {
    let trusting = fixture("authority.pem");
    let with = ["--ca-file", trusting.to_str().unwrap()];
    for (certificate, flags, words, hint) in [
        ("server.pem", &[][..], "an unknown authority signed it", "--ca-file"),
        ("expired.pem", &with, "its certificate expired on 1 January 2021", "clock"),
        (
            "elsewhere.pem",
            &with,
            "its certificate is not for this host name, but for elsewhere.example",
            "host name in --",
        ),
        ("version1.pem", &with, "its certificate has X.509 version 1", "subjectAltName"),
        ("selfsigned.pem", &[], "an unknown authority signed it", "--ca-file"),
    ] {
        for outcome in shown_to_both(certificate, flags) {
            assert_eq!(outcome.code, Some(2), "{certificate}: {}", outcome.stderr);
            assert!(outcome.stderr.contains(words), "{certificate}: {}", outcome.stderr);
            assert!(
                outcome.stderr.lines().last().unwrap().contains(hint),
                "{certificate}: {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn a_self_signed_certificate_is_trusted_where_it_is_the_ca_file() {
    // With CA:TRUE, as `openssl req -x509` makes it, and without.
    for (certificate, words) in [
        ("selfsigned.pem", None),
        ("../smtp/selfsigned.pem", None),
        ("selfsigned-expired.pem", Some("expired on 1 January 2021")),
        ("selfsigned-elsewhere.pem", Some("not for this host name, but for elsewhere.example")),
    ] {
        let path = fixture(certificate);
        for outcome in shown_to_both(certificate, &["--ca-file", path.to_str().unwrap()]) {
            assert_eq!(
                outcome.code,
                Some(if words.is_none() { 0 } else { 2 }),
                "{certificate}: {}",
                outcome.stderr
            );
            assert!(outcome.stderr.contains(words.unwrap_or_default()), "{certificate}: {}", outcome.stderr);
        }
    }
    // Another certificate with the same mark is not.
    let other = fixture("selfsigned-elsewhere.pem");
    for outcome in shown_to_both("../smtp/selfsigned.pem", &["--ca-file", other.to_str().unwrap()]) {
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    }
}

#[test]
fn doctor_names_the_store_and_the_file() {
    let served = served();
    let (api, mail) = (TlsApi::start(&served.url(), "server.pem"), MailServer::start(Manner::of(Kind::Tls)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.pem");
    fs::write(&path, [read(fixture("authority.pem")), read(authority())].concat()).unwrap();
    let smtp = format!("smtps://localhost:{}", mail.port);
    let line = |variables: &[(&str, &Path)]| {
        let mut command = acumen(folder.path());
        command.args(["doctor", "--org", "org_demo", "--base-url", &api.url(), "--smtp", &smtp]).args(PEOPLE);
        command.args(["--ca-file", "both.pem"]).envs(variables.iter().copied());
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout.lines().find(|line| line.contains(" certificates: ")).unwrap().to_owned()
    };
    assert_eq!(
        line(&[]),
        "ok       certificates: the system's are trusted and the 2 in both.pem (--ca-file)"
    );
    let store = line(&[("SSL_CERT_FILE", &authority())]);
    assert!(store.starts_with("ok ") && store.contains("those of SSL_CERT_FILE=/"), "{store}");
    let der = fixture("authority.der");
    assert!(line(&[("SSL_CERT_FILE", &der)]).starts_with("note "));
    let missing = line(&[("SSL_CERT_FILE", Path::new("missing.pem"))]);
    assert!(missing.starts_with("note ") && missing.contains("No such file"), "{missing}");
}

#[test]
fn a_monitor_is_trusted_like_the_api() {
    let served = served();
    let monitor = TlsApi::start(&served.url(), "server.pem");
    let folder = tempfile::tempdir().unwrap();
    let output = |flags: &[&str]| {
        let ended = run(report(folder.path(), &served.url()).args(["--ping", &monitor.url()]).args(flags));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    };
    let path = fixture("authority.pem");
    // What answers is no monitor, but it answers.
    assert!(output(&["--ca-file", path.to_str().unwrap()]).contains("it answered HTTP"));
    assert!(output(&[]).contains("no connection"));
}
