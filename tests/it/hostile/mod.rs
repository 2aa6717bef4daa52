//! Hostile text in every field of every record: on the page it is text and
//! nothing else, and the facts keep it as it came.

mod page;

use base64::Engine;
use devin_simulator::{List, Options, Organisation};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Report, Served, acumen, files, run, serve};
use page::{Element, read};

/// A hostile text, and a part of it that the page must show as text.
fn hostile() -> Vec<(String, &'static str)> {
    let mut texts: Vec<(String, &str)> = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "data:text/html,<script>alert(2)</script>",
        "</style><style>*{display:none}",
        "{{ 7*7 }}",
        "{% raw %}{% include 'x' %}",
        "]]><x>",
        "&lt;b&gt; &amp;amp; &#60;i&#62;",
        "</svg><script>alert(3)</script>",
        "</title></desc></svg><svg onload=alert(4)>",
        "background:url(https://evil.example/x)",
        "' onmouseover='alert(5)",
        "` onclick=`alert(6)",
        "\" style=\"display:none\" x=\"",
        "<!-- <![CDATA[ <?php",
        "</textarea></noscript><plaintext>",
        "../../../etc/passwd",
        "//evil.example/x",
        "https://user:password@evil.example/",
        "https://evil.example/\"><script>alert(7)</script>",
        "https://evil.example/' onclick='alert(8)",
        "שלום <b>עולם</b>",
        "مرحبا <i>بكم</i>",
        "統計<レポート>の表",
        "＜script＞alert(9)＜/script＞",
        "%3Cscript%3E%00",
        "\\u003cscript\\u003e\\\"",
    ]
    .map(|text| (text.to_owned(), text))
    .into();
    texts.extend([
        ("a\u{0}b\u{1b}[31mc\u{7f}\u{9b}\u{85}d".to_owned(), "[31mc"),
        ("abc\u{202e}def\u{2066}g\u{200f}\u{feff}h\u{ad}i\u{2028}j".to_owned(), "abcdefghi j"),
        ("<b>long</b>".repeat(1000), "<b>long</b><b>long</b>"),
        (format!("marks {}", "e\u{301}\u{302}\u{303}".repeat(60)), "marks e\u{301}"),
        (format!("heap a{}z", "\u{301}".repeat(500)), "heap a\u{301}"),
        ("👩\u{200d}👩\u{200d}👧 <u>".to_owned(), "<u>"),
    ]);
    texts
}

/// A session with this text wherever a text may stand.
fn session(text: &str, number: usize) -> Value {
    let issue = |impact: &str| json!({"issue": text, "impact": impact, "label": text});
    json!({
        "session_id": format!("{text}{number}"), "url": text, "status": text, "title": text,
        "tags": [text], "user_id": text, "org_id": text,
        "created_at": "2026-10-07T10:00:00Z", "updated_at": "2026-10-07T11:00:00Z",
        "acus_consumed": 10 + number, "initial_user_message": text,
        "pull_requests": [
            {"pr_url": text, "pr_state": text, "state": text},
            {"url": format!("https://github.com/{text}/pull/1"), "state": "merged"},
            {"url": format!("https://{text}/pull/{number}"), "state": "closed"}
        ],
        "session_analysis": {
            "issues": [issue(text), issue("high"), issue("High"), issue("low")],
            "timeline": [{"title": text, "description": text}],
            "action_items": [{"action_item": text, "type": text, "issue_id": text}],
            "suggested_prompt": {
                "original_prompt": text, "suggested_prompt": text,
                "feedback_items": [{"summary": text, "excerpt": text, "details": text, "issue_id": text}]
            }
        }
    })
}

/// The elements of a report's page, which must be as the templates write them.
fn judged(report: &Report) -> Vec<Element> {
    let elements = read(&report.html).unwrap_or_else(|wrong| panic!("{wrong}"));
    let named =
        |name: &str| -> Vec<&Element> { elements.iter().filter(|element| element.name == name).collect() };

    let [style] = named("style")[..] else { panic!("one style sheet") };
    let committed = include_str!("../../../templates/style.css");
    assert_eq!(style.text, format!("{committed}{}", acumen::charts::STYLE));
    assert!(!style.text.contains("url(") && !style.text.contains("@import"));
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.text.as_bytes()));
    let policy = named("meta").into_iter().find(|meta| meta.get("http-equiv").is_some()).expect("a policy");
    assert_eq!(policy.get("http-equiv"), Some("Content-Security-Policy"));
    let policy = policy.get("content").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");

    let mut ids: Vec<&str> = elements.iter().filter_map(|element| element.get("id")).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    for link in named("a") {
        let href = link.get("href").unwrap_or_default();
        match href.strip_prefix('#') {
            Some(id) => assert!(ids.contains(&id), "{href} leads nowhere"),
            None => {
                let host = href.trim_start_matches("https://").split('/').next().unwrap_or_default();
                assert!(!host.is_empty() && !host.contains('@'), "{href}");
                assert!(!href.contains(|c: char| "\"<>`\\".contains(c) || c.is_whitespace()), "{href}");
                assert_eq!(link.get("rel"), Some("noopener noreferrer"), "{href}");
            }
        }
    }
    for (at, c) in report.html.char_indices() {
        let bad = (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        assert!(!bad, "{c:?} in {:?}", report.html[..at].lines().last());
    }
    elements
}

#[test]
fn hostile_text_stays_text() {
    let texts = hostile();
    // Few at a time, so that each of them reaches the lists and the charts.
    for batch in texts.chunks(6) {
        let sessions = batch.iter().enumerate().map(|(number, (text, _))| session(text, number));
        let report = Served::values(sessions.collect()).report(&["--week", "2026-W41", "--trend", "1"]);
        let elements = judged(&report);
        for (text, shown) in batch {
            let places = |names: &[&str]| {
                let of = elements.iter().filter(|element| names.contains(&element.name.as_str()));
                of.filter(|element| element.text.contains(shown)).count()
            };
            // The lists have a title; the tables a tag, a user and a label.
            assert!(places(&["a", "bdi", "td"]) >= 1, "the lists do not show {shown:?}");
            assert!(places(&["th", "td"]) >= 2, "the tables do not show {shown:?}");
            let kept = text.chars().count() < 20;
            assert!(!kept || places(&["text", "title", "desc"]) >= 1, "the charts do not show {shown:?}");
        }
        keeps(&report, batch);
    }
}

#[test]
fn names_of_limited_organisations_stay_text() {
    // An id without end is not taken from the list.
    let texts: Vec<_> = hostile().into_iter().filter(|(text, _)| text.chars().count() < 1000).collect();
    // Three are named in sentences.
    for batch in texts.chunks(3) {
        let sessions = batch.iter().enumerate().map(|(number, (text, _))| session(text, number));
        let mut organisation = Organisation::from_values(sessions.collect());
        organisation.cycle_limits = organisation.orgs.iter().map(|org| (org.clone(), 1.0)).collect();
        let served = Served::new(organisation, Options::default());
        let report = served.report(&["--week", "2026-W41", "--trend", "2"]);
        let elements = judged(&report);
        let titles = elements.iter().filter(|element| element.name == "h3");
        assert_eq!(titles.filter(|title| title.text == "Cycle limits: ACUs by organisation").count(), 1);
        assert_eq!(
            report.html.matches("of its limit of 1.00 ACUs in the billing cycle").count(),
            batch.len()
        );
        assert_eq!(report.facts().0["cycle_limits"].as_array().map(Vec::len), Some(batch.len() + 1));
    }
}

/// Asserts that the groups of the facts are the texts as they came.
fn keeps(report: &Report, batch: &[(String, &str)]) {
    let facts = report.facts();
    let mut expected: Vec<&str> = batch.iter().map(|(text, _)| text.trim()).collect();
    expected.sort_unstable();
    for (metric, dimension) in [
        ("sessions", "tag"),
        ("sessions", "user"),
        ("sessions", "org"),
        ("sessions", "status"),
        ("sessions_with_issue", "label"),
        ("action_items", "type"),
    ] {
        let mut keys = facts.keys(metric, dimension);
        keys.sort_unstable();
        assert_eq!(keys, expected, "{metric} by {dimension}");
    }
    assert_eq!(*facts.value("sessions", json!({})), json!(batch.len()));
    assert_eq!(facts.0["quality"]["unknown_impact"], batch.len());
    let links = batch.len() as u64;
    let prs = facts.value("prs", json!({})).as_u64().unwrap_or_default();
    assert!((2 * links..=3 * links).contains(&prs), "{prs} pull requests");
}

#[test]
fn only_plain_https_addresses_are_linked() {
    let addresses = [
        "https://app.devin.ai/sessions/1",
        "https://app.devin.ai/\"><script>alert(1)</script>",
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "http://app.devin.ai/sessions/1",
        "https://user:password@evil.example/",
    ];
    let sessions = addresses.iter().enumerate().map(|(number, address)| {
        let mut session = session(&format!("session {number}"), number);
        session["url"] = json!(address);
        session["pull_requests"] = json!([{"pr_url": address, "state": "merged"}]);
        session
    });
    let report = Served::values(sessions.collect()).report(&["--week", "2026-W41", "--trend", "0"]);
    let mut linked: Vec<String> = judged(&report)
        .iter()
        .filter_map(|element| element.get("href"))
        .filter(|href| href.starts_with("https"))
        .map(str::to_owned)
        .collect();
    linked.sort();
    linked.dedup();
    assert_eq!(
        linked,
        ["https://app.devin.ai/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "https://app.devin.ai/sessions/1"]
    );
}

#[test]
fn hostile_flags_stay_text_and_in_their_folder() {
    for (text, shown) in hostile() {
        // What a command line cannot hold, or is refused with, is not the page's to bear.
        if text.chars().any(char::is_control) || text.len() > 1000 {
            continue;
        }
        // Without the organisation's name its id heads the page.
        let options = Options { hidden: vec![List::Organisations], ..Options::default() };
        let served = Served::new(Organisation::from_values(vec![session(&text, 1)]), options);
        let flags = ["--week", "2026-W41", "--trend", "0", "--org", &text, "--tag", &text, "--user", &text];
        let report = served.report(&flags);
        let elements = judged(&report);
        for name in ["h1", "p", "title"] {
            let mut of = elements.iter().filter(|element| element.name == name);
            assert!(of.any(|element| element.text.contains(shown)), "no <{name}> shows {shown:?}");
        }
        let facts = report.facts();
        assert_eq!(facts.0["source"]["scope"], text.trim());
        assert_eq!(*facts.value("sessions", json!({})), json!(1), "{shown:?} was asked for as it is");
        let written = files(report.folder.path());
        assert_eq!(written.len(), 2, "{written:?}");
        for name in written {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(name.chars().all(plain) && !name.starts_with('.') && name.len() < 200, "{name}");
        }
    }
}

#[test]
fn the_words_of_a_server_do_not_reach_the_terminal_unchecked() {
    let words = format!("\u{1b}[2J\r\nerror: fake\nhint: pay\u{202e}\u{0}{}", "x".repeat(10_000));
    let body = json!({ "detail": words }).to_string();
    let url = serve(move |_| (422, "", body.clone()));
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(acumen(folder.path()).args(["report", "--base-url", &url, "--quiet"]));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert_eq!(outcome.stderr.lines().count(), 3, "{:?}", outcome.stderr);
    assert!(outcome.stderr.contains("422") && outcome.stderr.contains("fake"), "{:?}", outcome.stderr);
    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!outcome.stderr.contains(bad) && outcome.stderr.len() < 2000, "{:?}", outcome.stderr);
}
