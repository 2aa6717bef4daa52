//! Archives of somebody else whose links and names lead out of the archive.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{mode, steers_nothing};
use crate::support::{Outcome, Served, acumen, run};

const TAGS: &str = "tags/month=2026-10/tags.parquet";

/// An archive that a sync made, and the server that it came from.
struct Original {
    folder: tempfile::TempDir,
    served: Served,
}

impl Original {
    fn new() -> Self {
        let session = |id: &str, day: &str| json!({"session_id": id, "created_at": format!("2026-{day}T10:00:00Z"), "user_id": "u", "tags": ["t"]});
        let served = Served::values(vec![session("a", "10-07"), session("b", "09-30")]);
        let original = Self { folder: tempfile::tempdir().expect("a folder"), served };
        let outcome = original.run("sync", original.folder.path());
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        original
    }

    /// A copy of the archive, beside a folder of the user with a file in it.
    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        let original = self.folder.path().join("archive");
        let copied = Command::new("cp").arg("-R").arg(original).arg(copy.path()).status();
        assert!(copied.expect("cp").success());
        fs::create_dir(copy.path().join("home")).expect("a folder");
        fs::write(copy.path().join("home/.bashrc"), "precious").expect("a file");
        copy
    }

    fn run(&self, command: &str, folder: &Path) -> Outcome {
        let url = self.served.url();
        let flags: &[&str] = match command {
            "report" => &["report", "--month", "2026-10", "--trend", "0", "--out", "out"],
            "verify" => &["archive", "verify"],
            "doctor" => &["doctor"],
            _ => &["sync", "--base-url", &url, "--org", "org_demo", "--since", "2026-09-01"],
        };
        let mut started = acumen(folder);
        if command != "sync" {
            started.env_remove("DEVIN_API_KEY");
        }
        run(started.args(flags).args(["--archive", "archive"]))
    }
}

/// Everything below a folder: path, mode, and bytes or the target of a link.
fn snapshot(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let kind = fs::symlink_metadata(&path).expect("there").file_type();
        let bytes = match () {
            () if kind.is_symlink() => {
                fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
            }
            () if kind.is_dir() => Vec::new(),
            () => fs::read(&path).expect("a file"),
        };
        found.push((path.clone(), mode(&path), bytes));
        if kind.is_dir() {
            found.extend(snapshot(&path));
        }
    }
    found.sort();
    found
}

/// Changes the state of an archive.
fn state(archive: &Path, pointer: &str, value: Value) {
    let path = archive.join("state.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).expect("a state")).expect("JSON");
    *state.pointer_mut(pointer).expect("a field") = value;
    fs::write(path, state.to_string()).expect("a state");
}

/// Adds a file to those that the state lists.
fn list(archive: &Path, name: &str) {
    let text = fs::read(archive.join("state.json")).expect("a state");
    let mut files = serde_json::from_slice::<Value>(&text).expect("JSON")["files"].take();
    files[name] = json!({"rows": 1, "bytes": 1, "sha256": ""});
    state(archive, "/files", files);
}

/// Moves a part of the archive into the user's folder, and leaves a link to it.
fn link(archive: &Path, name: &str) {
    let to = archive.with_file_name("home").join("moved");
    fs::rename(archive.join(name), &to).expect("moved");
    symlink(to, archive.join(name)).expect("a link");
}

/// A step that was left, with the state of the archive and one more file.
fn step(archive: &Path, name: &str, text: &str) {
    let to = archive.join(".committed").join(name);
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::write(to, text).expect("a file");
    fs::copy(archive.join("state.json"), archive.join(".committed/state.json")).expect("a state");
}

/// What is done to an archive, and how `report`, `verify`, `doctor` and `sync` end.
type Attack = (&'static str, fn(&Path), [i32; 4]);

const ATTACKS: [Attack; 19] = [
    (
        "a step that leads through a link",
        |archive| {
            symlink("../home", archive.join("h")).expect("a link");
            step(archive, "h/.bashrc", "evil");
        },
        [0, 65, 0, 65],
    ),
    (
        "a step through a link that its state lists",
        |archive| {
            symlink("../home", archive.join("h")).expect("a link");
            list(archive, "h/.bashrc");
            step(archive, "h/.bashrc", "evil");
        },
        [65; 4],
    ),
    ("another file of a table in a step", |archive| step(archive, "tags/.bashrc", "evil"), [0, 65, 0, 65]),
    ("other bytes in a step", |archive| step(archive, TAGS, "evil"), [65, 65, 0, 65]),
    (
        "a step without a state",
        |archive| {
            step(archive, TAGS, "evil");
            fs::remove_file(archive.join(".committed/state.json")).expect("removed");
        },
        [0, 65, 0, 65],
    ),
    (
        "a step that is a link",
        |archive| symlink("../home", archive.join(".committed")).expect("a link"),
        [65; 4],
    ),
    (
        "a step that is a link to a folder with a state",
        |archive| {
            fs::copy(archive.join("state.json"), archive.join("../home/state.json")).expect("a state");
            symlink("../home", archive.join(".committed")).expect("a link");
        },
        [65; 4],
    ),
    (
        "a step with a link to a file",
        |archive| {
            step(archive, TAGS, "");
            fs::remove_file(archive.join(".committed").join(TAGS)).expect("removed");
            symlink("../../../../home/.bashrc", archive.join(".committed").join(TAGS)).expect("a link");
        },
        [65, 65, 0, 65],
    ),
    (
        "a staged step that is a link",
        |archive| {
            fs::remove_dir_all(archive.join(".staged")).unwrap_or_default();
            symlink("../home", archive.join(".staged")).expect("a link");
        },
        [0, 65, 0, 0],
    ),
    ("linked sessions", |archive| link(archive, "sessions"), [65; 4]),
    ("linked tags", |archive| link(archive, "tags"), [65, 65, 0, 65]),
    ("a linked month", |archive| link(archive, "sessions/month=2026-10"), [65, 65, 0, 65]),
    ("a linked file", |archive| link(archive, TAGS), [65, 65, 0, 65]),
    ("a linked state", |archive| link(archive, "state.json"), [65; 4]),
    (
        "linked tables before the first sync",
        |archive| {
            fs::remove_file(archive.join("state.json")).expect("removed");
            for table in ["sessions", "pull_requests", "tags", "issues", "action_items"] {
                fs::remove_dir_all(archive.join(table)).expect("removed");
                symlink("../home", archive.join(table)).expect("a link");
            }
        },
        [2, 2, 2, 65],
    ),
    ("an absolute path in the state", |archive| list(archive, "/etc/passwd"), [65; 4]),
    ("a path out of the archive in the state", |archive| list(archive, "../home/.bashrc"), [65; 4]),
    ("a state without files", |archive| state(archive, "/files", json!({})), [65; 4]),
    (
        "a file that the state does not list",
        |archive| fs::write(archive.join("tags/month=2026-10/x.txt"), "x").expect("a file"),
        [0, 65, 0, 0],
    ),
];

#[test]
fn an_archive_changes_nothing_outside_itself() {
    let original = Original::new();
    let mut wrong = Vec::new();
    for (what, attack, codes) in ATTACKS {
        for (command, code) in ["report", "verify", "doctor", "sync"].into_iter().zip(codes) {
            let copy = original.copy();
            let (archive, home) = (copy.path().join("archive"), copy.path().join("home"));
            attack(&archive);
            let before = (snapshot(&home), snapshot(&archive));
            let outcome = original.run(command, copy.path());
            let said = format!("{what}, {command}: {}{}", outcome.stdout, outcome.stderr);
            assert_eq!(snapshot(&home), before.0, "{said}");
            if outcome.code != Some(code) {
                wrong.push(format!("{:?} instead of {code}: {said}", outcome.code));
                continue;
            }
            if command != "sync" {
                assert_eq!(snapshot(&archive), before.1, "{said}");
            }
            if code == 65 {
                let words = [&outcome.stdout, &outcome.stderr].map(|text| text.contains("damaged"));
                assert!(words.contains(&true), "{said}");
            }
            steers_nothing(&outcome);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_organisation_id_has_a_usual_length() {
    let original = Original::new();
    for (org, code) in [(String::new(), 65), ("o".repeat(200), 0), ("o".repeat(201), 65)] {
        let copy = original.copy();
        state(&copy.path().join("archive"), "/org", json!(org));
        let outcome = original.run("verify", copy.path());
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    }
}
