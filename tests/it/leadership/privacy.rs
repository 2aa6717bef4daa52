//! Covered reports: what their bytes do not hold, and which numbers stay.

use std::collections::{BTreeMap, BTreeSet};

use devin_simulator::{Options, Organisation, Record};
use serde_json::{Value, json};

use super::{by, day, recipe, report, week};
use crate::oracle::records::Session;
use crate::support::{Report, Served, acumen, files, run};

const PRICES: &str = "state = \"state\"\n[[price]]\nfrom = 2026-01-01\nper_acu = 2\ncurrency = \"EUR\"\n\
                      [[team]]\ntag = \"squad:*\"\n";

/// What the analysis of each session says, in every text that it has.
const TEXTS: [&str; 8] = [
    "Secretissue",
    "Secrettitleofissue",
    "Secretaction",
    "Secretsummary",
    "Secretexcerpt",
    "Secretdetails",
    "Secretstep",
    "Secretbetterprompt",
];
/// Those of them that a report for the lead may quote.
const QUOTED: [&str; 3] = ["Secretissue", "Secretaction", "Secretsummary"];

/// An organisation with a tag, a team and a repository of three people each.
fn organisation() -> Organisation {
    let mut organisation = Organisation::invent(&recipe(11));
    let of_week = |record: &Record| record.created_at.date_naive() >= day("2026-10-06");
    let users: BTreeSet<String> = organisation
        .records
        .iter()
        .filter(|record| of_week(record))
        .filter_map(|record| record.user_id.clone())
        .collect();
    let few: Vec<String> = users.into_iter().take(3).collect();
    for record in organisation.records.iter_mut().filter(|record| of_week(record)) {
        let mut body: Value = serde_json::from_str(&record.body).unwrap();
        body["title"] = json!(format!("Secret title of {}", record.session_id));
        body["initial_user_message"] = json!("Secret prompt, please");
        let texts = TEXTS.map(|text| json!(format!("{text} in the analysis of {}", record.session_id)));
        let [issue, title, item, summary, excerpt, details, step, better] = texts;
        body["session_analysis"] = json!({
            "issues": [{"issue": issue, "impact": "High", "label": "Testing", "id": "1", "title": title}],
            "action_items": [{"action_item": item, "type": "knowledge", "issue_id": "1"}],
            "timeline": [{"title": step, "description": step}],
            "suggested_prompt": {"original_prompt": "Secret prompt, please", "suggested_prompt": better,
                "feedback_items": [{"summary": summary, "excerpt": excerpt, "details": details}]},
        });
        if record.user_id.as_ref().is_some_and(|user| few.contains(user)) {
            let tags = [json!("small-one"), json!("small-two"), json!("squad:tiny")];
            body["tags"].as_array_mut().unwrap().extend(tags);
            record.tags.extend(["small-one", "small-two", "squad:tiny"].map(str::to_owned));
            body["pull_requests"] = json!([{"pr_url": format!("https://github.com/tiny/repo/pull/{}", record.session_id), "state": "merged"}]);
        }
        record.body = body.to_string();
    }
    organisation
}

/// Every text that reveals a person or a single session.
fn secrets(organisation: &Organisation) -> BTreeSet<String> {
    let of = |record: &Record| {
        let body: Value = serde_json::from_str(&record.body).unwrap();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let bare = record.session_id.trim_start_matches("devin-").to_owned();
        [text("title"), text("initial_user_message"), text("user_id"), text("url"), Some(bare)]
    };
    let named = organisation
        .people
        .iter()
        .flat_map(|person| [Some(person.id.clone()), person.name.clone(), person.email.clone()]);
    let said = TEXTS.iter().map(|text| Some((*text).to_owned()));
    let texts = organisation.records.iter().flat_map(of).chain(named).chain(said).flatten();
    texts.map(|text| text.trim().to_owned()).filter(|text| text.len() > 5 && text != "bot_apk").collect()
}

fn shows_none(report: &Report, secrets: &BTreeSet<String>) {
    for secret in secrets {
        assert!(!report.html.contains(secret), "the page shows {secret}");
        assert!(!report.json.contains(secret), "the facts show {secret}");
    }
}

/// The facts of the whole period.
fn whole(report: &Report) -> BTreeMap<String, Value> {
    let facts = report.facts();
    let all = facts.0["facts"].as_array().unwrap().clone();
    let whole = all.into_iter().filter(|fact| fact["group"].as_object().unwrap().is_empty());
    whole.map(|fact| (fact["metric"].as_str().unwrap().to_owned(), fact)).collect()
}

#[test]
fn covered_reports_contain_no_names_and_keep_the_totals() {
    let organisation = organisation();
    let secrets = secrets(&organisation);
    assert!(secrets.len() > 900, "{}", secrets.len());
    let lead = report(organisation.clone(), PRICES, &["--include-prompts"], &[]);
    assert!(lead.html.contains("Secret title of") && lead.html.contains("Secret prompt, please"));
    let by_default = report(organisation.clone(), PRICES, &[], &[]);
    for text in TEXTS {
        assert_eq!(by_default.json.contains(text), QUOTED.contains(&text), "{text}");
    }
    assert!(by_default.html.contains("Secret title of") && !by_default.html.contains("Secret prompt"));
    for (flags, ending) in
        [(["--profile", "leadership"], "_leadership.html"), (["--people", "hidden"], "_hidden.html")]
    {
        let covered = report(organisation.clone(), PRICES, &flags, &[]);
        assert!(files(covered.folder.path()).iter().any(|name| name.ends_with(ending)), "{ending}");
        shows_none(&covered, &secrets);
        assert!(!covered.html.contains("Sessions worth a look"));
        let facts = covered.facts();
        assert_eq!(
            facts.0["labels"],
            json!({"org": {"org_demo": "Halden demo"}}),
            "the organisation alone is named"
        );
        assert!(!covered.json.contains("\"user\"") && covered.html.contains("<h1>Halden demo</h1>"));
        let (ours, theirs) = (whole(&covered), whole(&lead));
        for (metric, fact) in &ours {
            let expected = theirs[metric]["value"].as_f64().unwrap();
            let value = fact["value"].as_f64().unwrap();
            match fact["unit"].as_str().unwrap() {
                "acu" | "EUR" => assert_eq!(value, expected.round(), "{metric}"),
                "share" => assert!((value - expected).abs() < 0.01, "{metric}: {value}, {expected}"),
                _ => assert_eq!(value, expected, "{metric}"),
            }
            assert_eq!(fact["n"], theirs[metric]["n"], "{metric}");
        }
        let missing: Vec<&String> = theirs.keys().filter(|metric| !ours.contains_key(*metric)).collect();
        let expected = [
            "activation",
            "acus_per_session_max",
            "acus_top_decile_share",
            "lapsed_users",
            "members",
            "new_users",
            "returning_users",
        ];
        assert_eq!(missing, expected);
        let withheld = facts.0["withheld"].as_array().unwrap();
        assert!(withheld.contains(&json!({"metric": "acus_per_session_max", "by": []})), "{withheld:?}");
    }
}

/// Every file of a run in a folder, with what compressed files hold.
fn written(folder: &std::path::Path) -> Vec<(String, String)> {
    let of = |name: String| {
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        let text = match name.rsplit('.').next() {
            Some("eml") => unquoted(&bytes),
            Some("xlsx") => unpacked(&bytes),
            _ => String::from_utf8_lossy(&bytes).into_owned(),
        };
        (name, text)
    };
    let is_file = |name: &String| folder.join(name).is_file();
    files(folder).into_iter().filter(is_file).map(of).collect()
}

/// The parts of a workbook, one behind the other.
fn unpacked(archive: &[u8]) -> String {
    let mut text = String::new();
    let number = |at: usize| usize::from(u16::from_le_bytes(archive[at..at + 2].try_into().unwrap()));
    for (at, _) in archive.windows(4).enumerate().filter(|(_, four)| *four == b"PK\x03\x04") {
        let begin = at + 30 + number(at + 26) + number(at + 28);
        let mut part = String::new();
        let read = std::io::Read::read_to_string(
            &mut flate2::read::DeflateDecoder::new(&archive[begin..]),
            &mut part,
        );
        text.push_str(if read.is_ok() { &part } else { "" });
    }
    text
}

#[test]
fn mails_quote_no_analysis_and_covered_files_have_no_word_of_customers() {
    let organisation = organisation();
    let secrets = secrets(&organisation);
    let served = Served::new(organisation, Options::default());
    let made = |flags: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--week", "2026-W41"]);
        command.args(["--out", ".", "--eml", "mail.eml", "--mail-attach", "none", "--summary", "summary.md"]);
        command.args(["--mail-from", "acumen@sender.example", "--mail-to", "lead@reader.example"]);
        let outcome = run(command.args(flags));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        (written(folder.path()), outcome.stderr)
    };
    let (lead, _) = made(&["--export", "parquet,xlsx,csv,improvements"]);
    let is_list = |name: &str| {
        let lists =
            ["_improvements.csv", "_improvements.md", "_recurring-issues.csv", "_prompt-feedback.csv"];
        lists.iter().any(|list| name.ends_with(list))
    };
    assert_eq!(lead.iter().filter(|(name, _)| is_list(name)).count(), 4);
    for (name, text) in &lead {
        let may_quote = name.ends_with(".json")
            || name.ends_with(".html")
            || name.ends_with(".parquet")
            || name.ends_with(".xlsx")
            || is_list(name);
        for secret in TEXTS.iter().filter(|secret| !may_quote || !QUOTED.contains(secret)) {
            assert!(!text.contains(secret), "{name} quotes {secret}");
        }
    }
    let mail = lead.iter().find(|(name, _)| name == "mail.eml").unwrap();
    assert!(mail.1.contains("org_demo"), "the mail can be read");
    for flags in [["--profile", "leadership"], ["--people", "hidden"]] {
        let (covered, said) = made(&[&flags[..], &["--export", "xlsx,csv"]].concat());
        assert!(
            covered.len() > 12
                && covered.iter().any(|(name, text)| name.ends_with(".xlsx") && text.contains("Merged"))
        );
        for (name, text) in covered.iter().chain([&("standard error".to_owned(), said)]) {
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{name} shows {secret}");
            }
        }
    }
}

#[test]
fn other_outputs_contain_no_names() {
    let organisation = organisation();
    let secrets = secrets(&organisation);
    let served = Served::new(organisation, Options::default());
    let folder = tempfile::tempdir().unwrap();
    let mut command = acumen(folder.path());
    command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--week", "2026-W41"]);
    command.args([
        "--profile",
        "leadership",
        "--export",
        "csv",
        "--eml",
        "mail.eml",
        "--mail-attach",
        "none",
    ]);
    command.args(["--mail-from", "acumen@sender.example", "--mail-to", "lead@reader.example"]);
    let outcome = run(command.args(["--summary", "summary.md"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mut seen = 0;
    let written = outcome.stdout.lines().chain(["summary.md"]);
    for name in written {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        let text = match name.ends_with(".eml") {
            true => unquoted(&bytes),
            false => String::from_utf8(bytes).unwrap(),
        };
        seen += 1;
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{name} shows {secret}");
        }
        assert!(!name.ends_with(".eml") || text.contains("org_demo"), "the mail can be read");
    }
    assert!(seen > 10, "{}", outcome.stdout);
}

/// A message with its quoted-printable parts in plain letters.
fn unquoted(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message).replace("=\r\n", "");
    let mut pieces = text.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&piece.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'=');
                bytes.extend(piece.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn small_groups_are_combined_and_each_session_counts_once() {
    let organisation = organisation();
    let sessions = week(&organisation);
    // Who is at work under each tag, team and repository, by plain loops.
    let mut people: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for session in sessions.iter().filter(|session| !session.automation) {
        for group in groups(session) {
            people.entry(group).or_default().insert(session.user.clone().unwrap_or(session.id.clone()));
        }
    }
    let is_small = |group: &(&str, String)| people.get(group).is_none_or(|people| people.len() < 5);
    let leadership = report(organisation, PRICES, &["--profile", "leadership"], &[]);
    for word in ["small-one", "small-two", "tiny"] {
        assert!(!leadership.json.contains(word) && !leadership.html.contains(word), "{word}");
    }
    let facts = leadership.facts();
    let of = |metric, dimension| by(&facts, metric, dimension);
    // Next to one team of three people there is only the rest.
    assert!(of("sessions", "team").is_empty());
    let left_out = json!({"metric": "sessions", "by": ["team"]});
    assert!(facts.0["withheld"].as_array().unwrap().contains(&left_out), "{}", facts.0["withheld"]);
    assert!(leadership.html.contains("a number would rest on fewer than five people"));
    for dimension in ["tag", "repo"] {
        let shown = of(if dimension == "repo" { "prs" } else { "sessions" }, dimension);
        let small =
            |(dim, key): &(&str, String)| *dim == dimension && shown.contains_key(key) && !key.is_empty();
        assert!(!people.keys().any(|group| small(group) && is_small(group)), "{dimension}: {shown:?}");
        assert!(shown.contains_key("fewer than five people"), "{dimension}: {shown:?}");
    }
    // The combined rows have what the shown ones lack.
    let shown = of("sessions", "tag");
    let is_hidden = |session: &&Session| {
        session.tags.iter().any(|tag| !shown.contains_key(tag))
            || session.tags.is_empty() && !shown.contains_key("")
    };
    let hidden: Vec<&Session> = sessions.iter().filter(is_hidden).collect();
    assert!(hidden.len() > 3);
    assert_eq!(shown["fewer than five people"], Some(hidden.len() as f64));
    let spent: f64 = hidden.iter().map(|session| session.spent()).sum();
    assert_eq!(of("acus", "tag")["fewer than five people"], Some(spent.round()));
    assert!(of("acus_split", "tag").is_empty());
}

/// What a session belongs to that a few people could hide in.
fn groups(session: &Session) -> BTreeSet<(&'static str, String)> {
    let tags = session.tags.iter().map(|tag| ("tag", tag.clone()));
    let team = session.tags.iter().find_map(|tag| Some(("team", tag.strip_prefix("squad:")?.to_owned())));
    let listed = session.pulls.iter().filter(|entry| entry.address.is_some());
    let repos = listed.map(|entry| ("repo", entry.repo.clone()));
    tags.chain(team).chain(repos).collect()
}

#[test]
fn what_a_few_people_had_before_is_not_shown_and_no_question_is_about_them_alone() {
    // Eight people use a tag, of whom one did in the week before.
    let session = |user: u32, day: &str, tag: &str| {
        json!({
            "session_id": format!("{tag}{user}{day}"), "org_id": "org_demo", "user_id": format!("email|{user}"),
            "created_at": format!("2026-{day}T09:00:00Z"), "updated_at": format!("2026-{day}T10:00:00Z"),
            "acus_consumed": 7.75, "status": "exit", "tags": [tag],
        })
    };
    let mut values: Vec<Value> = (1..=8).map(|user| session(user, "10-06", "growing")).collect();
    values.extend(
        (1..=8).flat_map(|user| [session(user, "10-07", "steady"), session(user, "09-30", "steady")]),
    );
    // Another tag keeps the week before from telling of one by the others.
    values.extend(
        (1..=8).flat_map(|user| [session(user, "10-08", "common"), session(user, "10-01", "common")]),
    );
    values.extend([session(3, "09-29", "growing"), session(3, "10-08", "solo")]);
    let solo = Organisation::from_values(values.clone());
    values.retain(|value| value["tags"][0] != "solo");
    let organisation = Organisation::from_values(values);
    let facts = report(organisation.clone(), PRICES, &["--profile", "leadership"], &[]).facts();
    for metric in ["acus", "sessions", "spend"] {
        assert!(facts.fact(metric, json!({"tag": "growing"}))["previous"].is_null(), "{metric}");
        assert!(facts.fact(metric, json!({"tag": "steady"}))["previous"].as_f64().unwrap() > 0.0, "{metric}");
    }
    let lead = report(organisation.clone(), PRICES, &[], &[]).facts();
    assert_eq!(lead.fact("acus", json!({"tag": "growing"}))["previous"], 7.75);
    // With a tag of one person the smallest of the others is hidden as well.
    let facts = report(solo.clone(), PRICES, &["--profile", "leadership"], &[]).facts();
    let tags: Vec<String> = by(&facts, "acus", "tag").into_keys().collect();
    assert_eq!(tags, ["fewer than five people", "growing", "steady"]);
    let served = Served::new(solo, Options::default());
    for (flags, word) in [
        (["--tag", "solo", "--week", "2026-W41"], "fewer than five people"),
        (["--user", "email|1", "--week", "2026-W41"], "--user"),
        (["--export", "parquet", "--week", "2026-W41"], "--export parquet"),
        (["--include-prompts", "--trend=1", "--week", "2026-W41"], "--include-prompts"),
        (["--from", "2026-10-05", "--to", "2026-10-11"], "--week"),
        (["--week", "2099-W01", "--trend", "1"], "not over"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = acumen(folder.path());
        command.args(["report", "--base-url", &served.url(), "--org", "org_demo"]).args(flags);
        let outcome = run(command.args(["--people", "hidden"]));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.stderr);
    }
}

#[test]
fn pseudonyms_are_refused_with_what_to_use() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(acumen(folder.path()).args(["report", "--people", "pseudonyms"]));
    assert!(outcome.code == Some(2) && outcome.stderr.contains("use hidden"), "{}", outcome.stderr);
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, "org = \"x\"\npeople = \"pseudonyms\"\n").unwrap();
    let outcome = run(acumen(folder.path()).args(["report", "--config"]).arg(&path));
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("line 2") && outcome.stderr.contains("use hidden"), "{}", outcome.stderr);
}

#[test]
fn covered_facts_are_read_back_byte_for_byte() {
    let covered = report(organisation(), PRICES, &["--profile", "leadership"], &[]);
    let facts = acumen::metrics::Facts::from_json(&covered.json).unwrap();
    assert!(facts.to_json() == covered.json);
    assert!(covered.json.contains("\"value\":null"), "a weekend has a hidden day");
}

#[test]
fn suspended_sessions_minus_those_stopped_by_a_limit_tell_of_enough_people_or_of_nobody() {
    // Eight people whose sessions end well keep the other numbers apart.
    let session = |user: u32, status: &str, detail: &str| {
        json!({
            "session_id": format!("{detail}{user}"), "org_id": "org_demo", "user_id": format!("email|{user}"),
            "created_at": 1_791_281_472, "updated_at": 1_791_285_072, "acus_consumed": 1,
            "status": status, "status_detail": detail,
        })
    };
    let stopped = |others: std::ops::Range<u32>, claimed: u32| {
        let mut items: Vec<Value> = (1..=8).map(|user| session(user, "exit", "finished")).collect();
        items.extend((10..16).map(|user| session(user, "suspended", "out_of_credits")));
        items.extend(others.map(|user| session(user, "suspended", "inactivity")));
        items.extend((30..30 + claimed).map(|user| session(user, "claimed", "working")));
        let total = items.len();
        let folder = tempfile::tempdir().unwrap();
        let page = json!({"items": items, "has_next_page": false, "end_cursor": null, "total": total});
        std::fs::write(folder.path().join("page.json"), page.to_string()).unwrap();
        let mut command = acumen(folder.path());
        command.args(["report", "--pages", "page.json", "--week", "2026-W41", "--trend", "1"]);
        let outcome = run(command.args(["--out", "out", "--org", "org_demo", "--people", "hidden"]));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let out = folder.path().join("out");
        let json = files(&out).into_iter().find(|path| path.ends_with(".json")).unwrap();
        let facts: Value = serde_json::from_slice(&std::fs::read(out.join(json)).unwrap()).unwrap();
        let all = facts["facts"].as_array().unwrap();
        let limited = all.iter().find(|fact| fact["metric"] == "sessions_stopped_by_limit");
        limited.and_then(|fact| fact["value"].as_f64())
    };
    assert_eq!(stopped(20..20, 0), Some(6.0));
    assert_eq!(stopped(20..26, 0), Some(6.0));
    assert_eq!(stopped(20..24, 0), None, "suspended for other reasons are 4");
    assert_eq!(stopped(20..20, 3), None, "the row that has the suspended ones has 3 others");
}
