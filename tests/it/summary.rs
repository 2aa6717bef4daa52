//! The summary in Markdown: what it says, where it goes, and what it never holds.

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::support::{Outcome, Served, acumen, files, run};

const WEEK: [&str; 4] = ["--week", "2026-W41", "--out", "reports"];

fn report(folder: &std::path::Path, url: &str, flags: &[&str]) -> Outcome {
    run(acumen(folder).args(["report", "--base-url", url, "--quiet"]).args(WEEK).args(flags))
}

/// The summary of the sessions of an organisation.
fn summary(sessions: Vec<Value>, flags: &[&str]) -> String {
    let served = Served::values(sessions);
    let folder = tempfile::tempdir().unwrap();
    let outcome = report(folder.path(), &served.url(), &[&["--summary", "summary.md"], flags].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    std::fs::read_to_string(folder.path().join("summary.md")).unwrap()
}

#[test]
fn the_summary_says_what_the_page_says_first() {
    let served = Served::new(Organisation::invent(&Recipe::demo()), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let outcome = report(
        folder.path(),
        &served.url(),
        &["--org", "org_demo", "--summary", "s.md", "--tz", "Europe/Berlin"],
    );
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 2), "{}", outcome.stderr);
    let text = std::fs::read_to_string(folder.path().join("s.md")).unwrap();
    let page = std::fs::read_to_string(folder.path().join("reports/org_demo_2026-W41.html")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "## Devin, Halden demo: week 41, 5 to 11 October 2026");
    let rows: Vec<Vec<&str>> = lines
        .iter()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!((rows.len(), rows[0].as_slice()), (10, &["", "Value", "Change"][..]));
    assert!(rows.iter().all(|row| row.len() == 3), "{rows:?}");
    // The same words stand on the page, tile by tile.
    let words = page.replace("&#x2f;", "/");
    for row in &rows[2..] {
        assert!(words.contains(row[0]) && !row[1].is_empty(), "{row:?}");
        let value = row[1].split(" (").next().unwrap();
        assert!(words.contains(&format!(">{value}<")), "{row:?}");
        let (change, maturing) = row[2].split_once(", still").unwrap_or((row[2], ""));
        assert!(words.contains(change) && words.contains(maturing), "{row:?}");
    }
    assert!(lines.contains(&"Compared with week 40 (28 September to 4 October 2026)."), "{text}");
    let sentences: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("- ")).collect();
    assert!((2..=5).contains(&sentences.len()), "{text}");
    let plain = sentences.iter().find(|sentence| !sentence.contains(['“', '\\'])).expect("a plain sentence");
    assert!(words.contains(*plain), "{plain}");
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("Complete: no session is missing; ") && last.contains("Europe/Berlin"),
        "{last}"
    );
    assert!(last.contains("acumen metrics") && text.ends_with(".\n"));
    assert!(text.len() < 3000, "{} bytes are not short", text.len());
}

/// Sessions that are enough for every sentence, with words that would be markup.
fn hostile() -> Vec<Value> {
    let tag = "a|b <script>alert(1)</script> **x** @everyone #1\n\n# y ![i](https://e.example/p.png)";
    let session = |number: usize| {
        // Five quiet weeks, and one that stands out.
        let (week, acus) = (number / 20, if number < 20 { 9.0 } else { 2.0 });
        let day = chrono::NaiveDate::from_ymd_opt(2026, 10, 5).unwrap() - chrono::Days::new(7 * week as u64);
        json!({
            "session_id": format!("secret-id-{number}"), "org_id": "org_a", "user_id": "secret-user",
            "title": "secret title", "status": "exit", "acus_consumed": acus, "tags": [tag],
            "url": format!("https://app.devin.ai/sessions/secret-{number}"), "pull_requests": [],
            "created_at": format!("{day}T08:00:00Z"),
            "updated_at": format!("{day}T09:00:00Z"),
            "session_analysis": {
                "issues": [{"label": "@here `l` | [a](b)", "impact": "high", "issue": "secret issue"}],
                "action_items": [], "timeline": [],
                "suggested_prompt": {"original_prompt": "secret prompt", "suggested_prompt": "secret prompt"}
            }
        })
    };
    (0..120).map(session).collect()
}

#[test]
fn other_peoples_text_is_escaped_and_mentions_no_user() {
    let text = summary(hostile(), &[]);
    assert!(text.contains("Of all tags, “a\\|b &lt;script&gt;"), "{text}");
    assert!(text.contains("“\\@\u{200b}here \\`l\\` \\| \\[a\\]\\(b\\)” is the label"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    for markup in ["<", "**x", "@e", "@h", "](", "//", " #1"] {
        assert!(!text.contains(markup), "{markup} in\n{text}");
    }
    assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 1, "{text}");
}

#[test]
fn the_leadership_summary_contains_no_names() {
    let people: Vec<Value> = (0..60)
        .map(|number| {
            let mut session = hostile().remove(number % 20);
            session["session_id"] = json!(format!("secret-id-{number}"));
            session["user_id"] = json!(format!("secret-user-{}", number % 15));
            session
        })
        .collect();
    let text = summary(people, &["--profile", "leadership"]);
    assert!(text.contains("| Active users | 15 |") && !text.contains("secret"), "{text}");
}

#[test]
fn what_narrows_or_spoils_the_report_is_said() {
    let text = summary(hostile(), &["--user", "secret_user|x", "--tag", "none", "--allow-empty"]);
    assert!(text.contains("\nOnly sessions tagged none.\n"), "{text}");
    assert!(text.contains("\nOnly sessions of user secret\\_user\\|x.\n"), "{text}");
    assert!(text.contains("- No session was created in this period."), "{text}");
    assert!(text.contains("; 0 sessions in the period"), "{text}");

    let page = json!({"items": hostile(), "total": 121, "skip": 0, "limit": 200, "has_more": false});
    let url = crate::support::serve(move |_| (200, "", page.to_string()));
    let folder = tempfile::tempdir().unwrap();
    let outcome = report(folder.path(), &url, &["--summary", "s.md", "--allow-partial"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let text = std::fs::read_to_string(folder.path().join("s.md")).unwrap();
    assert!(text.contains("\n**This report may be incomplete: "), "{text}");
    assert!(text.contains("\nIncomplete: sessions are missing; "), "{text}");
}

#[test]
fn a_summary_is_appended_only_after_the_report_is_written() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.md");
    std::fs::write(&path, "Earlier.\n").unwrap();
    let read = || std::fs::read_to_string(&path).unwrap();
    // A run that fails appends nothing: neither one that finds nobody, nor one that cannot write.
    let refused = report(folder.path(), &served.url(), &["--summary", "summary.md", "--org", "org_nobody"]);
    assert_eq!((refused.code, read().as_str()), (Some(2), "Earlier.\n"));
    std::fs::create_dir_all(folder.path().join("reports/enterprise_2026-W41.html")).unwrap();
    let refused = report(folder.path(), &served.url(), &["--summary", "summary.md"]);
    assert_eq!((refused.code, read().as_str()), (Some(74), "Earlier.\n"));
    std::fs::remove_dir(folder.path().join("reports/enterprise_2026-W41.html")).unwrap();

    let named = || {
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", &served.url(), "--quiet"]).args(WEEK);
        run(command.env("ACUMEN_SUMMARY", "summary.md"))
    };
    assert_eq!(named().code, Some(0));
    let once = read();
    assert!(once.starts_with("Earlier.\n\n## Devin, whole enterprise: week 41"), "{once}");
    assert_eq!(named().code, Some(0));
    assert_eq!(read().matches("## Devin").count(), 2);
    assert!(read().starts_with(&once));
}

#[test]
fn a_summary_that_cannot_be_appended_is_exit_74_before_the_work() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    for place in ["no folder/summary.md", "."] {
        let outcome = report(folder.path(), &served.url(), &["--summary", place]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(74), ""), "{place}");
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert!(
            lines[0].starts_with("error: could not append to ") && lines[2].contains("--summary"),
            "{lines:?}"
        );
    }
    assert_eq!((served.simulator.requests(), files(&folder.path().join("reports"))), (0, Vec::new()));
    if std::path::Path::new("/dev/full").exists() {
        // Here it fails at the end: the report stands.
        let outcome = report(folder.path(), &served.url(), &["--summary", "/dev/full"]);
        assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("free some space"), "{}", outcome.stderr);
        assert_eq!(files(&folder.path().join("reports")).len(), 2);
    }
}
