//! People behind pseudonyms or hidden: what the bytes of a report do not hold,
//! and which numbers stay as they were.

use std::collections::{BTreeMap, BTreeSet};

use acumen::simulator::{Options, Organisation, Record};
use serde_json::{Value, json};

use super::{by, close, day, recipe, report, week};
use crate::oracle::records::Session;
use crate::support::{Report, Served, acumen, files, run};

const PRICES: &str = "state = \"state\"\n[[price]]\nfrom = 2026-01-01\nper_acu = 2\ncurrency = \"EUR\"\n\
                      [[team]]\ntag = \"team:*\"\n";

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
        if record.user_id.as_ref().is_some_and(|user| few.contains(user)) {
            let tags = [json!("small-one"), json!("small-two"), json!("team:tiny")];
            body["tags"].as_array_mut().unwrap().extend(tags);
            record.tags.extend(["small-one", "small-two", "team:tiny"].map(str::to_owned));
            body["pull_requests"] = json!([{"pr_url": format!("https://github.com/tiny/repo/pull/{}", record.session_id), "state": "merged"}]);
        }
        record.body = body.to_string();
    }
    organisation
}

/// Every text that tells of a person or a single session.
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
    let texts = organisation.records.iter().flat_map(of).chain(named).flatten();
    texts.map(|text| text.trim().to_owned()).filter(|text| text.len() > 5 && text != "bot_apk").collect()
}

fn shows_none(report: &Report, secrets: &BTreeSet<String>) {
    for secret in secrets {
        assert!(!report.html.contains(secret), "the page shows {secret}");
        assert!(!report.json.contains(secret), "the facts show {secret}");
    }
}

#[test]
fn the_leadership_profile_names_nobody_in_any_byte_and_changes_no_total() {
    let organisation = organisation();
    let secrets = secrets(&organisation);
    assert!(secrets.len() > 900, "{}", secrets.len());
    let lead = report(organisation.clone(), PRICES, &["--include-prompts"], &[]);
    assert!(lead.html.contains("Secret title of") && lead.html.contains("Secret prompt, please"));
    let by_default = report(organisation.clone(), PRICES, &[], &[]);
    assert!(by_default.html.contains("Secret title of") && !by_default.html.contains("Secret prompt"));
    let reports = [["--profile", "leadership"], ["--people", "pseudonyms"], ["--people", "hidden"]]
        .map(|flags| report(organisation.clone(), PRICES, &flags, &[]));
    shows_none(&reports[0], &secrets);
    for (report, ending) in reports.iter().zip(["_leadership.html", "_pseudonyms.html", "_hidden.html"]) {
        assert!(files(report.folder.path()).iter().any(|name| name.ends_with(ending)), "{ending}");
    }
    let users: BTreeSet<String> = secrets.into_iter().filter(|secret| secret.contains('|')).collect();
    assert!(users.len() > 10);
    for masked in &reports {
        shows_none(masked, &users);
        let whole = |report: &Report| -> Vec<Value> {
            let facts = report.facts();
            let all = facts.0["facts"].as_array().unwrap().clone();
            all.into_iter().filter(|fact| fact["group"].as_object().unwrap().is_empty()).collect()
        };
        assert_eq!(whole(masked), whole(&lead));
        for (metric, dimension) in
            [("acus", "user"), ("spend", "user"), ("acus", "team"), ("spend_split", "tag")]
        {
            let sum =
                |report: &Report| by(&report.facts(), metric, dimension).values().flatten().sum::<f64>();
            assert!(close(sum(masked), sum(&lead)), "{metric} by {dimension}");
        }
    }
    let keys = |report: &Report| by(&report.facts(), "acus", "user").into_keys().collect::<Vec<_>>();
    assert!(keys(&reports[2]).iter().all(|key| key.is_empty() || key == "hidden"));
    assert!(
        keys(&reports[0])
            .iter()
            .all(|key| key.is_empty() || key.starts_with("Person ") || key.starts_with("Service user "))
    );
}

#[test]
fn what_leaves_beside_the_page_names_nobody_either() {
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
        assert!(!name.ends_with(".eml") || text.contains("Person "), "the mail can be read");
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
fn groups_of_fewer_than_five_people_are_one_and_each_session_in_it_counts_once() {
    let organisation = organisation();
    let sessions = week(&organisation);
    // Who is at work under each tag, team and repository, by plain loops.
    let mut people: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    for session in sessions.iter().filter(|session| !session.automation) {
        for group in groups(session) {
            people.entry(group).or_default().extend(session.user.as_deref());
        }
    }
    let is_small =
        |group: &(&str, String)| people.get(group).is_some_and(|people| (1..5).contains(&people.len()));
    let small = |session: &Session, dimension: &str| {
        groups(session).iter().filter(|group| group.0 == dimension && is_small(group)).count() as f64
    };
    let leadership = report(organisation, PRICES, &["--profile", "leadership"], &[]);
    for word in ["small-one", "small-two", "tiny"] {
        assert!(!leadership.json.contains(word) && !leadership.html.contains(word), "{word}");
    }
    let facts = leadership.facts();
    let of = |metric, dimension| by(&facts, metric, dimension)["fewer than five people"].unwrap();
    for dimension in ["tag", "team"] {
        let folded: Vec<_> = sessions.iter().filter(|session| small(session, dimension) > 0.0).collect();
        assert!(folded.len() > 3);
        assert_eq!(of("sessions", dimension), folded.len() as f64, "{dimension}");
        assert!(
            close(of("acus", dimension), folded.iter().map(|session| session.spent()).sum()),
            "{dimension}"
        );
    }
    let part = |session: &Session| session.spent() * small(session, "tag") / session.tags.len().max(1) as f64;
    assert!(close(of("acus_split", "tag"), sessions.iter().map(part).sum()));
    let prs: BTreeSet<&str> = sessions
        .iter()
        .flat_map(|session| session.addresses())
        .filter(|address| is_small(&("repo", repo(address))))
        .collect();
    assert_eq!(of("prs", "repo"), prs.len() as f64);
}

/// What a session belongs to that a few people could hide in.
fn groups(session: &Session) -> BTreeSet<(&'static str, String)> {
    let tags = session.tags.iter().map(|tag| ("tag", tag.clone()));
    let team = session.tags.iter().find_map(|tag| Some(("team", tag.strip_prefix("team:")?.to_owned())));
    let repos = session.addresses().into_iter().map(|address| ("repo", repo(address)));
    tags.chain(team).chain(repos).collect()
}

fn repo(address: &str) -> String {
    let path = address.trim_start_matches("https://");
    let ends = ["/pull/", "/-/merge_requests/", "/pull-requests/", "/pullrequest/"];
    ends.iter().find_map(|end| path.split_once(end)).map_or("unknown", |(repo, _)| repo).to_owned()
}

#[test]
fn what_a_few_people_had_before_is_not_told_and_no_question_is_about_them_alone() {
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
    values.extend([session(3, "09-29", "growing"), session(3, "10-08", "solo")]);
    let organisation = Organisation::from_values(values);
    let facts = report(organisation.clone(), PRICES, &["--profile", "leadership"], &[]).facts();
    for metric in ["acus", "sessions", "spend"] {
        assert!(facts.fact(metric, json!({"tag": "growing"}))["previous"].is_null(), "{metric}");
        assert!(facts.fact(metric, json!({"tag": "steady"}))["previous"].as_f64().unwrap() > 0.0, "{metric}");
    }
    let lead = report(organisation.clone(), PRICES, &[], &[]).facts();
    assert_eq!(lead.fact("acus", json!({"tag": "growing"}))["previous"], 7.75);
    let served = Served::new(organisation, Options::default());
    let folder = tempfile::tempdir().unwrap();
    let mut command = acumen(folder.path());
    command.args(["report", "--base-url", &served.url(), "--org", "org_demo", "--week", "2026-W41"]);
    let outcome = run(command.args(["--profile", "leadership", "--tag", "solo"]));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("fewer than five people"), "{}", outcome.stderr);
}

#[test]
fn pseudonyms_are_the_same_in_every_report_of_an_installation_and_differ_elsewhere() {
    let organisation = organisation();
    let folder = tempfile::tempdir().unwrap();
    let people = |state: &str| {
        let state = folder.path().join(state);
        let flags = ["--people", "pseudonyms", "--state", state.to_str().unwrap()];
        let facts = report(organisation.clone(), "", &flags, &[]).facts();
        by(&facts, "sessions", "user").into_keys().collect::<Vec<_>>()
    };
    let (first, again, other) = (people("one"), people("one"), people("two"));
    assert_eq!(first, again);
    assert!(first.iter().filter(|name| other.contains(name)).all(String::is_empty));
}
