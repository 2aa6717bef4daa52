//! `--org`, `--tag` and `--user`: patterns, names, and filters that match nothing, with
//! sessions from the API, from saved pages and from an archive.

use std::path::Path;

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
        command.env("DEVIN_API_KEY", key).args(["report", "--week", "2026-W41", "--trend", "1"]);
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
