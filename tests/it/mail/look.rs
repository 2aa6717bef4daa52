//! The body of a mail in Chromium: at its full width and on a small phone, light
//! and dark, with its pictures and without them.

use std::path::{Path, PathBuf};

use base64::Engine;

use super::*;
use crate::browser::{Browser, Look};

const LOOKS: [(&str, Look); 4] = [
    ("600-light", Look { width: 600, height: 900, dark: false, print: false }),
    ("600-dark", Look { width: 600, height: 900, dark: true, print: false }),
    ("360-light", Look { width: 360, height: 740, dark: false, print: false }),
    ("360-dark", Look { width: 360, height: 740, dark: true, print: false }),
];

#[test]
fn the_body_renders_in_every_look() {
    let Some(mut browser) = Browser::start() else { return };
    let (folder, page) = body(reported(), NAME);
    judge(&mut browser, "mail", &page);
    // As a mail program shows it that loads no pictures.
    for picture in files(folder.path()).iter().filter(|name| name.ends_with(".png")) {
        std::fs::remove_file(folder.path().join(picture)).unwrap();
    }
    judge(&mut browser, "mail-without-pictures", &page);
}

#[test]
fn long_and_foreign_names_stay_inside() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let first_day = chrono::NaiveDate::from_ymd_opt(2026, 9, 28).unwrap();
    let recipe =
        Recipe { sessions: 400, first_day, days: 14, name_length: Some(200), seed: 41, ..Recipe::default() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let tag = "משהו-ארוך-".repeat(12);
    let url = served.url();
    let flags = ["report", "--base-url", &url, "--org", "org_demo", "--week", "2026-W41", "--out", "."];
    let outcome = run(acumen(folder.path()).args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    // The narrowest column gets the longest words.
    let facts = folder.path().join(format!("{NAME}.json"));
    let text = std::fs::read_to_string(&facts).unwrap();
    let output = format!("\"scope\":\"org_demo\",\"tags\":[\"{tag}\"]");
    std::fs::write(&facts, text.replace("\"scope\":\"org_demo\"", &output)).unwrap();
    let (_folder, page) = body(folder, NAME);
    judge(&mut browser, "mail-names", &page);
}

#[test]
fn money_and_teams_have_room() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = "profile = \"leadership\"\nstate = \"state\"\nbudget = \"9000\"\n\
                    [[price]]\nfrom = 2026-01-01\nper_acu = \"22.5\"\ncurrency = \"CHF\"\n\
                    [[team]]\nname = \"Payments and everything around them\"\ntag = \"team:payments\"\n\
                    [[team]]\nname = \"Data\"\ntag = \"data\"\n";
    std::fs::write(folder.path().join("acumen.toml"), settings).unwrap();
    let served = served();
    let url = served.url();
    let flags = ["report", "--base-url", &url, "--org", "org_demo", "--week", "2026-W41", "--out", "."];
    let outcome = run(acumen(folder.path()).args(flags).args(["--config", "acumen.toml"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (_folder, page) = body(folder, "org_demo_2026-W41_leadership");
    judge(&mut browser, "mail-money", &page);
}

#[test]
fn an_empty_week_is_a_mail_too() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::values(Vec::new());
    let url = served.url();
    let outcome =
        run(acumen(folder.path()).args(["report", "--base-url", &url, "--week", "2026-W41", "--out", "."]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (_folder, page) = body(folder, "enterprise_2026-W41");
    judge(&mut browser, "mail-empty", &page);
}

/// The HTML part of the mail about a report, as a file beside its pictures.
fn body(folder: tempfile::TempDir, name: &str) -> (tempfile::TempDir, PathBuf) {
    let report = format!("{name}.html");
    let outcome = run(acumen(folder.path()).args(["send", &report, "--eml", "a.eml"]).args(PEOPLE));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let message = String::from_utf8(std::fs::read(folder.path().join("a.eml")).unwrap()).unwrap();
    let mut html = None;
    for part in message.split("\r\n--acumen-") {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        if head.contains("text/html") && !head.contains("attachment") {
            html.get_or_insert_with(|| decoded(head, content));
        } else if let Some((_, id)) = head.split_once("Content-ID: <") {
            let id = id.split('>').next().unwrap();
            std::fs::write(folder.path().join(format!("{id}.png")), decoded(head, content)).unwrap();
        }
    }
    let html = String::from_utf8(html.expect("an HTML part")).unwrap();
    let shown = regardless(&html);
    let page = folder.path().join("mail.html");
    std::fs::write(&page, shown).unwrap();
    (folder, page)
}

/// Pictures by their file instead of their Content-ID.
fn regardless(html: &str) -> String {
    let mut parts = html.split("src=\"cid:");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (id, rest) = part.split_once('"').unwrap();
        out.push_str(&format!("src=\"{id}.png\"{rest}"));
    }
    out
}

fn decoded(head: &str, content: &str) -> Vec<u8> {
    if head.contains("base64") {
        let plain: String = content.split_whitespace().collect();
        return base64::engine::general_purpose::STANDARD.decode(plain).expect("base64");
    }
    if !head.contains("quoted-printable") {
        return content.as_bytes().to_vec();
    }
    let joined = content.replace("=\r\n", "");
    let mut out = Vec::new();
    let mut bytes = joined.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
        out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
    }
    out
}

fn judge(browser: &mut Browser, name: &str, page: &Path) {
    let mut complaints = Vec::new();
    for (title, look) in LOOKS {
        let verdict = browser.judge(page, &look);
        let mut wrong = verdict.faults;
        wrong.extend(
            verdict.requests.into_iter().filter(|url| !url.starts_with("file://") || !url.ends_with(".png")),
        );
        wrong.extend(verdict.console.into_iter().filter(|line| !line.contains("ERR_FILE_NOT_FOUND")));
        if verdict.scroll_width > verdict.inner_width {
            wrong.push(format!("{} px wide in {}", verdict.scroll_width, verdict.inner_width));
        }
        if verdict.texts < 10 {
            wrong.push(format!("only {} texts", verdict.texts));
        }
        complaints.extend(wrong.into_iter().map(|what| format!("{name}, {title}: {what}")));
    }
    leave_for_people(browser, name, page);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "an aid for people who run the tests, not part of the program")]
fn leave_for_people(browser: &mut Browser, name: &str, page: &Path) {
    let Some(folder) = std::env::var_os("ACUMEN_LOOK").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("a writable folder in ACUMEN_LOOK");
    for (title, look) in LOOKS {
        browser.screenshot(page, &look, &folder.join(format!("{name}-{title}.png")));
    }
}
