//! Reports by mail, end to end: the built program, a mail server that speaks
//! TLS, and a parser that is not ours.

mod doctor;
mod doubt;
mod helo;
mod hostile;
mod lists;
mod login;
mod look;
mod peers;
mod refused;
pub mod server;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Outcome, Served, acumen, files, run};
use server::{Kind, MailServer, Manner, authority};

const PEOPLE: [&str; 6] = [
    "--mail-from",
    "Acumen <acumen@example.com>",
    "--mail-to",
    "Ada Löv <ada@example.com>",
    "--mail-cc",
    "b@example.com",
];
const NAME: &str = "org_demo_2026-W41";

/// An invented organisation's week 41, served.
fn served() -> Served {
    Served::new(Organisation::invent(&Recipe::demo()), Options::default())
}

/// A folder with that week's report in it.
fn reported() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(acumen(folder.path()).args(["demo", "--out", "."]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    folder
}

/// `acumen send` of the report in a folder, to a server.
fn send(folder: &Path, url: &str, more: &[&str]) -> Outcome {
    run(&mut sending(folder, url, more))
}

fn sending(folder: &Path, url: &str, more: &[&str]) -> Command {
    let mut command = acumen(folder);
    let report = format!("{NAME}.html");
    command.args(["send", &report, "--smtp", url]).args(PEOPLE).args(more).env("SSL_CERT_FILE", authority());
    command
}

pub fn url(server: &MailServer, scheme: &str) -> String {
    format!("{scheme}://localhost:{}", server.port)
}

/// The message as Python's parser reads it; nothing where there is no Python.
pub fn parsed(bytes: &[u8]) -> Option<Value> {
    let script = crate::support::repository("tests/it/mail/parse.py");
    let python = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut python) = python else {
        println!("skipped: no python3 found");
        return None;
    };
    python.stdin.take().expect("its input").write_all(bytes).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// The parts that are no containers, in order.
pub fn leaves(part: &Value) -> Vec<&Value> {
    match part["parts"].as_array() {
        Some(parts) => parts.iter().flat_map(leaves).collect(),
        None => vec![part],
    }
}

pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn two_runs_of_the_same_week_are_one_mail() {
    let served = served();
    let server = MailServer::start(Manner { login: Some(("me", "s3cret word")), ..Manner::of(Kind::Tls) });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "s3cret word\n").unwrap();
    let settings = format!(
        "org = \"org_demo\"\nout = \"out\"\nbase_url = \"{}\"\n[mail]\nsmtp = \"{}\"\nuser = \"me\"\n\
         password_file = \"password\"\nfrom = \"Acumen <acumen@example.com>\"\n\
         to = [\"Ada Löv <ada@example.com>\"]\ncc = \"b@example.com\"\n",
        served.url(),
        url(&server, "smtps")
    );
    std::fs::write(folder.path().join("acumen.toml"), settings).unwrap();
    let report = |more: &[&str]| {
        let mut command = acumen(folder.path());
        command.args(["report", "--config", "acumen.toml", "--week", "2026-W41", "--mail"]).args(more);
        run(command.env("SSL_CERT_FILE", authority()))
    };
    let first = report(&[]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stderr.lines().last().unwrap().starts_with("sent to 2 recipients: Devin, week 41"));
    let received = server.received();
    assert_eq!(received.len(), 1);
    let mail = &received[0];
    assert!(mail.is_safe && mail.user.as_deref() == Some("me") && mail.from == "acumen@example.com");
    assert_eq!(mail.to, ["ada@example.com", "b@example.com"]);
    expect(&mail.bytes, &folder.path().join("out"));

    let second = report(&[]);
    assert_eq!((second.code, &second.stdout), (Some(0), &first.stdout), "{}", second.stderr);
    assert!(second.stderr.contains("skipped: "), "{}", second.stderr);
    assert_eq!(server.received().len(), 1);

    let forced = report(&["--force"]);
    assert_eq!(forced.code, Some(0), "{}", forced.stderr);
    let received = server.received();
    assert_eq!(received.len(), 2);
    // A copy that nothing on the way takes for the first one.
    let [one, two] = [0, 1].map(|index| header(&received[index].bytes, "Message-ID"));
    assert_ne!(one, two);
    // The log of sent mails is in the user's state folder and contains no names.
    let sent = std::fs::read_to_string(folder.path().join(".local/state/acumen/sent.jsonl")).unwrap();
    assert_eq!(sent.lines().count(), 4, "{sent}");
    assert!(!sent.contains("ada@") && !sent.contains("s3cret"), "{sent}");
    assert!(!format!("{first:?}{second:?}{forced:?}").contains("s3cret"));
}

/// What a reader's program finds in the message about a report in a folder.
fn expect(message: &[u8], folder: &Path) {
    let Some(printed) = parsed(message) else { return };
    let facts = std::fs::read_to_string(folder.join(format!("{NAME}.json"))).unwrap();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    let headers = &printed["headers"];
    let subject = headers["Subject"].as_str().unwrap();
    assert!(
        subject.starts_with("Devin, week 41 (5–11 Oct): ") && subject.ends_with(" PRs merged"),
        "{subject}"
    );
    assert_eq!(headers["From"], "Acumen <acumen@example.com>");
    assert_eq!(
        (printed["to"].to_string(), &headers["Cc"]),
        ("[\"Ada Löv <ada@example.com>\"]".to_owned(), &Value::from("b@example.com"))
    );
    assert_eq!(
        (&headers["Auto-Submitted"], &headers["MIME-Version"]),
        (&Value::from("auto-generated"), &Value::from("1.0"))
    );
    let id = headers["Message-ID"].as_str().unwrap();
    assert!(id.starts_with('<') && id.ends_with("@example.com>") && id.len() == 46, "{id}");
    assert_eq!(printed["flaws"], Value::Array(Vec::new()));
    is_of_now(printed["date"].as_str().unwrap());

    let body = &printed["body"];
    let kinds =
        [body, &body["parts"][0], &body["parts"][0]["parts"][0]].map(|part| part["type"].as_str().unwrap());
    assert_eq!(kinds, ["multipart/mixed", "multipart/related", "multipart/alternative"]);
    let leaves = leaves(body);
    let kinds: Vec<&str> = leaves.iter().map(|part| part["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text/plain", "text/html", "image/png", "image/png", "image/png", "text/html"]);
    assert!(leaves.iter().all(|part| part["defects"] == Value::Array(Vec::new())), "{body}");

    let (text, html) = (leaves[0]["text"].as_str().unwrap(), leaves[1]["text"].as_str().unwrap());
    assert!(html.len() < 60_000 && text.lines().all(|line| line.chars().count() <= 72));
    for word in ["<svg", "<script", "data:", "http:", "https:", "href", "url("] {
        assert!(!html.contains(word), "{word}");
    }
    let acus = facts["facts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|fact| fact["metric"] == "acus" && fact["group"] == serde_json::json!({}));
    let acus = acus::text(acus.unwrap()["value"].as_f64().unwrap());
    assert!(
        subject.contains(&format!("{acus} ACUs")) && text.contains(&acus) && html.contains(&acus),
        "{acus}"
    );
    for picture in &leaves[2..5] {
        let id = picture["id"].as_str().unwrap().trim_matches(['<', '>']);
        assert!(html.contains(&format!("src=\"cid:{id}\"")), "{id}");
        assert_eq!(
            (picture["disposition"].as_str(), &picture["head"][1]),
            (Some("inline"), &Value::from(b'P'))
        );
    }
    let page = std::fs::read(folder.join(format!("{NAME}.html"))).unwrap();
    assert_eq!(
        (leaves[5]["disposition"].as_str(), leaves[5]["name"].as_str()),
        (Some("attachment"), Some("org_demo_2026-W41.html"))
    );
    assert_eq!(leaves[5]["sha256"], hash(&page), "the page arrives as it is");
}

/// Asserts that a mail's date is that of its sending, not of the report of October 2026.
#[expect(clippy::disallowed_methods, reason = "what the program's clock said is compared with this one")]
fn is_of_now(date: &str) {
    let age = chrono::Utc::now() - chrono::DateTime::parse_from_rfc3339(date).unwrap().to_utc();
    assert!((0..600).contains(&age.num_seconds()), "{date} is {age} old");
}

/// A header of a message that stands on one line.
fn header(message: &[u8], name: &str) -> String {
    let text = std::str::from_utf8(message).expect("plain ASCII");
    let line =
        text.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name}")).to_owned()
}

/// A message without what belongs to its sending.
fn undated(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).expect("plain ASCII");
    ["Date", "Message-ID"].iter().fold(text, |text, name| text.replacen(&header(message, name), "", 1))
}

mod acus {
    /// Whole ACUs with commas, written a second time.
    pub fn text(value: f64) -> String {
        let digits = format!("{value:.0}");
        match digits.len() {
            0..=3 => digits,
            length => format!("{},{}", &digits[..length - 3], &digits[length - 3..]),
        }
    }
}

#[test]
fn a_leadership_mail_contains_money_and_teams_but_no_names() {
    let served = served();
    let folder = tempfile::tempdir().unwrap();
    let settings = "profile = \"leadership\"\nstate = \"state\"\norg = \"org_demo\"\nbudget = \"9000\"\nout = \".\"\n\
                    [[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n\
                    [[team]]\nname = \"Payments\"\ntag = \"team:payments\"\n\
                    [[team]]\nname = \"Data\"\ntag = \"data\"\n";
    std::fs::write(folder.path().join("acumen.toml"), settings).unwrap();
    let base = served.url();
    let flags =
        ["report", "--config", "acumen.toml", "--base-url", &base, "--week", "2026-W41", "--eml", "a.eml"];
    let outcome = run(acumen(folder.path()).args(flags).args(PEOPLE));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let name = "org_demo_2026-W41_leadership";
    assert_eq!(outcome.stdout, format!("./{name}.html\n./{name}.json\na.eml\n"));
    let message = std::fs::read(folder.path().join("a.eml")).unwrap();
    let Some(printed) = parsed(&message) else { return };
    let leaves = leaves(&printed["body"]);
    for part in &leaves[..2] {
        let text = part["text"].as_str().unwrap();
        assert!(!text.contains("email|") && !text.contains("service-user"), "{text}");
        for word in ["Payments", "€", "Budget of October 2026", "in the sender", "ACUs by team"] {
            assert!(text.contains(word), "{word}\n{text}");
        }
    }
    assert!(!printed["headers"].to_string().contains('€'), "a subject is read by others too");
    let mail = std::fs::read_to_string(folder.path().join(format!("{name}.json"))).unwrap();
    assert!(mail.contains("\"profile\": \"leadership\""));
}

#[test]
fn a_message_in_a_file_is_the_one_that_would_be_sent() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::StartTls));
    let write = |report: &str, to: &str| {
        let outcome = run(acumen(folder.path()).args(["send", report, "--eml", to]).args(PEOPLE));
        assert_eq!((outcome.code, outcome.stdout), (Some(0), format!("{to}\n")), "{}", outcome.stderr);
        std::fs::read(folder.path().join(to)).unwrap()
    };
    let message = write("org_demo_2026-W41.html", "a.eml");
    let other = write("./org_demo_2026-W41.json", "b.eml");
    assert!(undated(&message) == undated(&other), "the same from page and facts");
    assert_ne!(header(&message, "Message-ID"), header(&other, "Message-ID"));
    let outcome = send(folder.path(), &url(&server, "smtp"), &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mail = server.received().remove(0);
    assert!(mail.is_safe && mail.user.is_none());
    assert!(undated(&mail.bytes) == undated(&message));
    expect(&message, folder.path());
    // Before STARTTLS nothing was said but the greeting.
    let heard = server.heard();
    assert!(heard[0].starts_with("EHLO") && heard[1] == "STARTTLS", "{heard:?}");

    let bare = ["--mail-attach", "none", "--eml", "c.eml"];
    let outcome = run(acumen(folder.path()).args(["send", "org_demo_2026-W41.json"]).args(PEOPLE).args(bare));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let bare = std::fs::read(folder.path().join("c.eml")).unwrap();
    if let Some(printed) = parsed(&bare) {
        let body = leaves(&printed["body"]);
        assert_eq!(body.len(), 5);
        assert!(body[0]["text"].as_str().unwrap().contains("Ask the sender for the full report"));
    }
    assert_eq!(files(folder.path()).len(), 6, "and a state folder");
    // Neither the report that is sent nor anything else is overwritten.
    let page = std::fs::read(folder.path().join("org_demo_2026-W41.json")).unwrap();
    for other in ["org_demo_2026-W41.json", "org_demo_2026-W41.html", "secret.toml", "eml"] {
        let outcome =
            run(acumen(folder.path()).args(["send", "org_demo_2026-W41.json", "--eml", other]).args(PEOPLE));
        assert!(outcome.code == Some(2) && outcome.stderr.contains("hint: use a file name"), "{other}");
    }
    assert!(std::fs::read(folder.path().join("org_demo_2026-W41.json")).unwrap() == page);
    assert_eq!(files(folder.path()).len(), 6);
}
