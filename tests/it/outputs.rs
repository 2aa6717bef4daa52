//! One report in all its outputs: page, mail, workbook, PDF, summary and both chats have the numbers of the
//! facts. What is expected is formatted here, by the rules of docs/numbers.md.

use std::path::Path;
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::chat::server::Chat;
use crate::export::readers;
use crate::mail::{leaves, parsed};
use crate::support::{Facts, SERVICE_CANARY, Served, acumen, run};

/// The PDF needs the feature.
const EXPORTS: &str = if cfg!(feature = "pdf") { "xlsx,pdf" } else { "xlsx" };

/// The headline numbers: title, metric and group.
const HEADLINES: [(&str, &str, &str); 8] = [
    ("ACUs", "acus", ""),
    ("Sessions", "sessions", ""),
    ("Active users", "active_users", ""),
    ("Pull requests", "prs", ""),
    ("Merge rate", "merge_rate", ""),
    ("ACUs per merged PR", "acus_per_merged_pr", ""),
    ("High-impact issues per 100", "issue_rate", "high"),
    ("Analysis coverage", "analysis_coverage", ""),
];

/// Whole numbers with separators of thousands; other ACUs with three digits; shares in whole percent.
fn text(value: f64, unit: &str) -> String {
    match unit {
        "share" => format!("{:.0}%", value * 100.0),
        "acu" if value.abs() < 10.0 => format!("{value:.2}"),
        "acu" if value.abs() < 99.95 => format!("{value:.1}"),
        "per_100" if value.abs() < 10.0 => format!("{value:.1}"),
        _ => {
            let digits = format!("{value:.0}");
            let groups: Vec<&str> =
                digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
            groups.join(",")
        }
    }
}

/// A page's visible text, tags left out.
fn visible(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    let text = text + rest;
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All texts of a JSON value, a space between them.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text} "),
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Object(fields) => fields.values().map(texts).collect(),
        _ => String::new(),
    }
}

/// The cells of the workbook's first sheet that follow a title in the first column, by openpyxl.
fn workbook(path: &Path) -> Option<Value> {
    let script = "import json, sys, openpyxl\n\
        rows = openpyxl.load_workbook(sys.argv[1]).worksheets[0].iter_rows(values_only=True)\n\
        print(json.dumps({str(row[0]): row[1] for row in rows if row[0] and isinstance(row[1], (int, float))}))";
    let output = Command::new(readers()?).args(["-c", script]).arg(path).output().expect("a Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// The text of the PDF, which is also what the mail attaches.
#[cfg(feature = "pdf")]
fn pdf(path: &Path, mail: Option<&Value>) -> Option<String> {
    if let Some(mail) = mail {
        let attached =
            leaves(&mail["body"]).into_iter().find(|part| part["type"] == "application/pdf").expect("a PDF");
        let bytes = std::fs::read(path).expect("a PDF");
        assert_eq!(attached["name"], "org_demo_2026-W41.pdf");
        assert_eq!(attached["sha256"], crate::mail::hash(&bytes), "the attached PDF is another one");
    }
    crate::pdf::text_of(path)
}

#[cfg(not(feature = "pdf"))]
fn pdf(_: &Path, _: Option<&Value>) -> Option<String> {
    None
}

#[test]
fn page_mail_workbook_summary_and_chats_have_the_numbers_of_the_facts() {
    let served = Served::new(Organisation::invent(&Recipe::demo()), Options::default());
    for key in [None, Some(SERVICE_CANARY)] {
        let (folder, chat) = (tempfile::tempdir().unwrap(), Chat::start());
        for service in ["slack", "teams"] {
            std::fs::write(folder.path().join(service), chat.url(service)).unwrap();
        }
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--week", "2026-W41"]);
        command.args(["--out", ".", "--state", "state", "--export", EXPORTS, "--summary", "summary.md"]);
        command.args(["--eml", "mail.eml", "--mail-from", "a@example.com", "--mail-to", "b@example.com"]);
        command.args(["--chat", "--slack-webhook-file", "slack", "--teams-webhook-file", "teams"]);
        command.env_remove("ACUMEN_MAIL_ATTACH");
        if let Some(key) = key {
            command.env("DEVIN_API_KEY", key);
        }
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let facts = Facts(serde_json::from_str(&read("org_demo_2026-W41.json")).unwrap());
        let page = visible(&read("org_demo_2026-W41.html"));
        let summary = read("summary.md");
        let mail = parsed(&std::fs::read(folder.path().join("mail.eml")).unwrap());
        let bodies = mail.as_ref().map(|mail| {
            let bodies = leaves(&mail["body"]).into_iter().filter_map(|part| part["text"].as_str());
            bodies.map(visible).take(2).collect::<Vec<_>>()
        });
        let posted = chat.posted();
        assert_eq!(posted.len(), 2);
        let pdf = pdf(&folder.path().join("org_demo_2026-W41.pdf"), mail.as_ref());
        let workbook = workbook(&folder.path().join("org_demo_2026-W41.xlsx"));
        for (title, metric, impact) in HEADLINES {
            let group = if impact.is_empty() { json!({}) } else { json!({"impact": impact}) };
            let fact = facts.fact(metric, group);
            let value = fact["value"].as_f64().unwrap();
            let shown = text(value, fact["unit"].as_str().unwrap());
            let both = format!("{title} {shown} ");
            assert!(page.contains(&both), "the page lacks {both:?}");
            assert!(
                summary.contains(&format!("| {title} | {shown}")),
                "the summary lacks {both:?}\n{summary}"
            );
            if let Some(pdf) = &pdf {
                assert!(pdf.contains(&both), "the PDF lacks {both:?}\n{pdf}");
            }
            for body in bodies.iter().flatten() {
                assert!(body.contains(&both), "a body of the mail lacks {both:?}\n{body}");
            }
            for (service, payload) in &posted {
                let words =
                    texts(payload).replace(['*', ':'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(words.contains(&both), "{service} lacks {both:?}\n{words}");
            }
            if let Some(workbook) = &workbook {
                let cell = workbook[title].as_f64().unwrap_or_else(|| panic!("no {title} in {workbook}"));
                assert!((cell - value).abs() <= 1e-9 * value.abs(), "{title}: {cell}, {value}");
            }
        }
    }
}
