//! The program's own reports, judged: the demo, whose comparisons are maturing, a week in which
//! nothing happened, one that is far too full, one with all that v3 tells, one of an account that is
//! not metered, and one from the web app's export.

use super::{Browser, Look, Verdict, pdf_pages};
use crate::support::slow_tests;
use chrono::NaiveDate;
use devin_simulator::{Options, Organisation, Recipe, start};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use tempfile::TempDir;

const LOOKS: [(&str, Look); 5] = [
    ("phone-light", Look::PHONE),
    ("phone-dark", Look { dark: true, ..Look::PHONE }),
    ("desk-light", Look::DESK),
    ("desk-dark", Look { dark: true, ..Look::DESK }),
    ("paper", Look::PAPER),
];

/// Tables that print without end are what this finds, not an inch too much.
const MOST_PAGES: usize = 20;
/// The demo is as much as a meeting reads on paper.
const MOST_PAGES_OF_DEMO: usize = 5;

/// A debug build reads and draws thousands of sessions slowly.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn the_demo_renders_in_every_look() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    run("", &["demo".as_ref(), "--out".as_ref(), folder.path().as_ref()]);
    let page = folder.path().join("org_demo_2026-W41.html");
    let text = std::fs::read_to_string(&page).expect("the page");
    assert!(text.contains("still maturing") && text.contains("cannot be compared yet"), "as it should be");
    judge_on(browser, "demo", &page, MOST_PAGES_OF_DEMO);
}

#[test]
fn a_week_of_v3_and_one_without_acus_render_in_every_look() {
    let Some(browser) = Browser::start() else { return };
    let (_folder, page) = report_with("cog_test", &Recipe::demo(), &[]);
    let text = std::fs::read_to_string(&page).expect("the page");
    assert!(text.contains("What pays off") && text.contains("How sessions rest"), "as it should be");
    judge(browser, "v3", &page);

    let Some(browser) = Browser::start() else { return };
    let (_folder, page) = report_with("cog_test", &Recipe::demo(), &["unmetered"]);
    assert!(std::fs::read_to_string(&page).expect("the page").contains("Not metered"), "as it should be");
    judge(browser, "unmetered", &page);
}

#[test]
fn a_week_from_the_export_of_the_web_app_renders_in_every_look() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let row = |number: usize| {
        serde_json::json!({
            "user_name": format!("User {}", number % 9), "user_email": format!("u{}@example.com", number % 9),
            "session_name": format!("Session {number}"), "acu_used": number as f64 / 7.0,
            "created_at": format!("2026-10-{:02}T09:00:00Z", 5 + number % 7),
            "url": format!("https://app.devin.ai/sessions/{number:032x}"),
        })
    };
    let rows: Vec<serde_json::Value> = (1..90).map(row).collect();
    let saved = folder.path().join("export.json");
    std::fs::write(&saved, serde_json::Value::from(rows).to_string()).expect("a writable folder");
    run(
        "",
        &[
            "report".as_ref(),
            "--pages".as_ref(),
            saved.as_ref(),
            "--week".as_ref(),
            "2026-W41".as_ref(),
            "--out".as_ref(),
            folder.path().as_ref(),
        ],
    );
    judge(browser, "export", &folder.path().join("enterprise_2026-W41.html"));
}

#[test]
fn an_empty_week_looks_designed() {
    let Some(browser) = Browser::start() else { return };
    let (_folder, page) = report(&Recipe { sessions: 0, ..october() });
    judge(browser, "empty", &page);
}

#[test]
fn a_week_that_is_far_too_full_still_fits() {
    if !slow_tests() {
        return;
    }
    let Some(browser) = Browser::start() else { return };
    let crowd = Recipe { sessions: 6000, users: 2000, tags: 400, name_length: Some(200), ..october() };
    let (_folder, page) = report(&crowd);
    judge(browser, "crowd", &page);
}

/// Two weeks, of which the second is week 41: few enough that nearly everybody is in it.
fn october() -> Recipe {
    let first_day = NaiveDate::from_ymd_opt(2026, 9, 28).expect("a date");
    Recipe { first_day, days: 14, seed: 41, ..Recipe::default() }
}

/// The report of week 41 on an organisation that the simulator serves.
fn report(recipe: &Recipe) -> (TempDir, PathBuf) {
    report_with("apk_user_test", recipe, &[])
}

/// The same with a key, which decides on the version, and faults of the server.
fn report_with(key: &str, recipe: &Recipe, faults: &[&str]) -> (TempDir, PathBuf) {
    let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime
        .block_on(start(Organisation::invent(recipe), Options { port: 0, faults, ..Options::default() }));
    let server = server.expect("a free port");
    let url = server.base_url().to_string();
    run(
        key,
        &[
            "report".as_ref(),
            "--base-url".as_ref(),
            url.as_ref(),
            "--org".as_ref(),
            "org_demo".as_ref(),
            "--week".as_ref(),
            "2026-W41".as_ref(),
            "--out".as_ref(),
            folder.path().as_ref(),
        ],
    );
    let page = folder.path().join("org_demo_2026-W41.html");
    (folder, page)
}

/// Runs the program to its end, which must be a good one.
fn run(key: &str, arguments: &[&std::ffi::OsStr]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acumen"));
    if !key.is_empty() {
        command.env("DEVIN_API_KEY", key);
    }
    let child = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let id = child.id().to_string();
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        let _ = Command::new("kill").arg("-KILL").arg(id).status();
        panic!("{arguments:?} took more than {} s", PATIENCE.as_secs());
    };
    let output = output.expect("its output");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}\n{errors}", output.status);
}

/// All looks are judged before the test fails, so that one run shows all there is to mend.
fn judge(browser: Browser, name: &str, page: &Path) {
    judge_on(browser, name, page, MOST_PAGES);
}

fn judge_on(mut browser: Browser, name: &str, page: &Path, most_pages: usize) {
    assert!(page.is_file(), "{} was not written", page.display());
    let mut complaints = Vec::new();
    for (title, look) in LOOKS {
        let verdict = browser.judge(page, &look);
        complaints.extend(wrong(&verdict).into_iter().map(|what| format!("{name}, {title}: {what}")));
    }
    let pdf = browser.pdf(page);
    let pages = pdf_pages(&pdf);
    if !(1..=most_pages).contains(&pages) {
        complaints.push(format!("{name}: {pages} pages of A4, wanted 1 to {most_pages}"));
    }
    leave_for_people(&mut browser, name, page, &pdf);
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn wrong(verdict: &Verdict) -> Vec<String> {
    let mut wrong = verdict.faults.clone();
    wrong.extend(verdict.console.iter().map(|line| format!("console: {line}")));
    wrong.extend(verdict.requests.iter().map(|url| format!("asked for {url}")));
    if verdict.scroll_width > verdict.inner_width {
        wrong.push(format!("{} px wide in a window of {}", verdict.scroll_width, verdict.inner_width));
    }
    if verdict.texts < 10 {
        wrong.push(format!("only {} pieces of text", verdict.texts));
    }
    wrong
}

#[expect(clippy::disallowed_methods, reason = "an aid for people who run the tests, not part of the program")]
fn leave_for_people(browser: &mut Browser, name: &str, page: &Path, pdf: &[u8]) {
    let Some(folder) = std::env::var_os("ACUMEN_LOOK").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("a writable folder in ACUMEN_LOOK");
    for (title, look) in LOOKS.into_iter().filter(|(_, look)| !look.print) {
        browser.screenshot(page, &look, &folder.join(format!("{name}-{title}.png")));
    }
    std::fs::copy(page, folder.join(format!("{name}.html"))).expect("a writable folder in ACUMEN_LOOK");
    std::fs::write(folder.join(format!("{name}.pdf")), pdf).expect("a writable folder in ACUMEN_LOOK");
}
