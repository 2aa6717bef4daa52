//! `--org`, `--tag` and `--user`: patterns, names, and filters that match nothing, with
//! sessions from the API, from saved pages and from an archive.

use std::path::Path;

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::support::{CANARY, Outcome, SERVICE_CANARY, Served, acumen, files, run};

/// Where the sessions of a report come from.
const SOURCES: [&str; 4] = ["v2", "v3", "pages", "archive"];

fn session(id: usize, org: &str, user: &str, tags: &[&str]) -> Value {
    json!({"session_id": format!("s{id}"), "org_id": org, "user_id": user, "tags": tags,
           "created_at": "2026-10-07T10:00:00Z", "acus_consumed": 1, "status": "exit"})
}

/// Four sessions of two organisations, served, in an archive and saved.
struct Sources {
    served: Served,
    folder: tempfile::TempDir,
}

impl Sources {
    fn new() -> Self {
        let sessions = vec![
            session(1, "org_a", "ann", &["team:search", "x"]),
            session(2, "org_a", "bo", &["team:pay"]),
            session(3, "org_a", "bo", &["Payments"]),
            session(4, "org_b", "cy", &[]),
        ];
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pages.json"), json!(sessions).to_string()).unwrap();
        let served = Served::values(sessions);
        let sync = ["sync", "--archive", "archive", "--since", "2026-09-01", "--base-url", &served.url()];
        let outcome = run(acumen(folder.path()).args(sync));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        Self { served, folder }
    }

    fn report(&self, source: &str, flags: &[&str]) -> Outcome {
        let mut command = acumen(self.folder.path());
        let key = if source == "v3" { SERVICE_CANARY } else { CANARY };
        command.env("DEVIN_API_KEY", key).env("ACUMEN_WEEK", "2026-W41").args(["report", "--trend", "1"]);
        match source {
            "pages" => command.args(["--pages", "pages.json"]),
            "archive" => command.args(["--archive", "archive"]),
            _ => command.args(["--base-url", &self.served.url()]),
        };
        run(command.args(["--out", "out"]).args(flags))
    }

    fn out(&self) -> std::path::PathBuf {
        self.folder.path().join("out")
    }
}

/// How many sessions the report says there were, and removes it.
fn sessions(out: &Path) -> Value {
    let json = files(out).into_iter().find(|name| name.ends_with(".json")).unwrap();
    let facts: Value = serde_json::from_slice(&std::fs::read(out.join(json)).unwrap()).unwrap();
    std::fs::remove_dir_all(out).unwrap();
    let facts = facts["facts"].as_array().unwrap();
    facts.iter().find(|fact| fact["metric"] == "sessions" && fact["group"] == json!({})).unwrap()["value"]
        .clone()
}

#[test]
fn a_tag_with_a_star_is_a_pattern_in_every_source() {
    let sources = Sources::new();
    for source in SOURCES {
        for (tags, expected) in [
            (&["team:*"][..], 2),
            (&["team:*", "Payments"], 3),
            (&["*"], 3),
            (&["*a*"], 3),
            (&["team:pay"], 1),
            (&["*ments"], 1),
        ] {
            let flags: Vec<&str> = tags.iter().flat_map(|tag| ["--tag", tag]).collect();
            let outcome = sources.report(source, &flags);
            assert_eq!(outcome.code, Some(0), "{source} {tags:?}: {}", outcome.stderr);
            assert_eq!(sessions(&sources.out()), json!(expected), "{source} {tags:?}");
        }
    }
}

/// The last two lines of standard error: the error and its hint.
fn refused(sources: &Sources, source: &str, flags: &[&str]) -> (String, String) {
    let outcome = sources.report(source, flags);
    assert_eq!(outcome.code, Some(2), "{source} {flags:?}: {}", outcome.stderr);
    assert_eq!((outcome.stdout.as_str(), files(&sources.out()).len()), ("", 0), "{source} {flags:?}");
    let line = |start: &str| {
        let line = outcome.stderr.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no {start}: {}", outcome.stderr)).to_owned()
    };
    (line("error: "), line("hint: "))
}

#[test]
fn filters_that_match_nothing_are_refused_with_what_there_is() {
    let sources = Sources::new();
    for source in ["pages", "archive"] {
        for (flags, message, hint) in [
            (&["--tag", "payments"][..], "matches --tag “payments”", "closest existing tags: “Payments”"),
            (&["--tag", "taem:*"], "matches --tag “taem:*”", "“team:pay”, “team:search”"),
            (&["--org", "org_aa"], "matches --org “org_aa”", "closest existing organisation ids: “org_a”"),
            (&["--user", "anm"], "matches --user “anm”", "closest existing users: “ann”"),
            (&["--user", "ANN"], "matches --user “ANN”", "closest existing users: “ann”"),
            (
                &["--org", "org_b", "--tag", "x"],
                "matches --org “org_b”, --tag “x”",
                "no session matches all of them",
            ),
            (
                &["--tag", "x", "--week", "2026-W44"],
                "from 2026-10-19 to 2026-11-01",
                "no session of these days",
            ),
        ] {
            let (output, advice) = refused(&sources, source, flags);
            assert!(output.contains(message), "{source} {flags:?}: {output}");
            assert!(
                advice.contains(hint) && advice.ends_with("--allow-empty writes the empty report"),
                "{advice}"
            );
        }
    }
    // The API filters by itself and does not list tags.
    for source in ["v2", "v3"] {
        let (output, advice) = refused(&sources, source, &["--tag", "payments"]);
        assert!(
            output.contains("no session from 2026-09-28 to 2026-10-11 matches --tag “payments”"),
            "{output}"
        );
        assert!(advice.contains("tags are case-sensitive") && !advice.contains("Payments"), "{advice}");
    }
}

#[test]
fn an_empty_report_is_written_if_it_is_allowed_and_never_mailed() {
    let sources = Sources::new();
    let mail =
        ["--mail-from", "a@example.com", "--mail-to", "b@example.com", "--eml", "m.eml", "--state", "state"];
    for source in SOURCES {
        let outcome = sources.report(source, &["--tag", "none", "--allow-empty"]);
        assert_eq!(outcome.code, Some(0), "{source}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("note: no session matches the filters"), "{}", outcome.stderr);
        let html = files(&sources.out()).into_iter().find(|name| name.ends_with(".html")).unwrap();
        let page = sources.out().join(html);
        assert!(std::fs::read_to_string(&page).unwrap().contains("No session matches the filters."));
        let sent = run(acumen(sources.folder.path()).arg("send").arg(&page).args(mail));
        assert_eq!(sent.code, Some(2), "{}", sent.stderr);
        assert_eq!(sessions(&sources.out()), json!(0));
        let outcome = sources.report(source, &[&["--tag", "none", "--allow-empty"], &mail[..]].concat());
        assert_eq!(outcome.code, Some(2), "{source}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("not mailed; its files are kept"), "{}", outcome.stderr);
        assert!(!sources.folder.path().join("m.eml").exists());
        assert_eq!(sessions(&sources.out()), json!(0));
    }
    // Without a filter, and for an organisation that the API knows, nothing is wrong.
    for (source, flags) in [("v2", &["--org", "org_a"][..]), ("pages", &[]), ("archive", &[])] {
        let outcome = sources.report(source, &[&["--week", "2026-W44"], flags].concat());
        assert!([Some(0), Some(4)].contains(&outcome.code), "{source}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("matches"), "{}", outcome.stderr);
    }
}

#[test]
fn a_covered_report_names_no_tag_that_there_is() {
    let sources = Sources::new();
    for source in SOURCES {
        let (output, advice) = refused(&sources, source, &["--tag", "payment", "--people", "hidden"]);
        assert!(output.contains("matches --tag “payment”"), "{output}");
        assert!(!format!("{output}{advice}").contains("Payments"), "{advice}");
        assert!(advice.contains("tags are case-sensitive"), "{advice}");
        assert!(!advice.contains("--allow-empty"), "{advice}");
    }
}

#[test]
fn a_user_is_found_by_id_email_and_name() {
    let organisation = Organisation::invent(&Recipe { sessions: 300, ..Recipe::demo() });
    let served = Served::new(organisation.clone(), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let run_in = |key: &str, flags: &[&str]| run(acumen(folder.path()).env("DEVIN_API_KEY", key).args(flags));
    let url = served.url();
    let sync = ["sync", "--archive", "archive", "--since", "2026-08-01", "--base-url", &url];
    assert_eq!(run_in(SERVICE_CANARY, &sync).code, Some(0));
    let names: Vec<&str> = organisation.people.iter().filter_map(|one| one.name.as_deref()).collect();
    let is_only = |name: &str| names.iter().filter(|own| **own == name).count() == 1;
    let person = organisation
        .people
        .iter()
        .find(|one| {
            let started = organisation.records.iter().any(|record| record.user_id.as_ref() == Some(&one.id));
            started && one.email.is_some() && one.name.as_deref().is_some_and(is_only)
        })
        .unwrap();
    let (name, email) = (person.name.clone().unwrap(), person.email.clone().unwrap());
    std::fs::write(folder.path().join("people.csv"), format!("user,name\n{email},The boss\n")).unwrap();
    let (upper, lower) = (email.to_uppercase(), name.to_lowercase());
    let report = |key: &str, source: &[&str], user: &str| {
        let common = ["report", "--week", "2026-W41", "--people-file", "people.csv", "--out", "out"];
        run_in(key, &[&common[..], source, &["--user", user]].concat())
    };
    let online = ["--base-url", url.as_str()];
    for (key, source) in
        [(CANARY, &online[..]), (SERVICE_CANARY, &online), (SERVICE_CANARY, &["--archive", "archive"])]
    {
        for user in [person.id.as_str(), &email, &upper, &name, &lower, "the boss"] {
            let outcome = report(key, source, user);
            assert_eq!(outcome.code, Some(0), "{user}: {}", outcome.stderr);
            let out = folder.path().join("out");
            let json = files(&out).into_iter().find(|name| name.ends_with(".json")).unwrap();
            let facts: Value = serde_json::from_slice(&std::fs::read(out.join(json)).unwrap()).unwrap();
            assert_eq!(facts["source"]["users"], json!([person.id]), "{user}");
            std::fs::remove_dir_all(&out).unwrap();
        }
        // Two people of the demo are called the same.
        let shared = names.iter().find(|name| !is_only(name)).unwrap();
        let outcome = report(key, source, shared);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("people are called “{shared}”")), "{}", outcome.stderr);
        let outcome = report(key, source, &format!("x{name}"));
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("“{name}”")), "{}", outcome.stderr);
    }
}
