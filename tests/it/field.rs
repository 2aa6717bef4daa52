//! Input as it is met in the field: saved pages that other tools have rewritten,
//! and spellings that no document shows.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::oracle::{Asked, Kind, differences, expect};
use crate::support::{Facts, Outcome, acumen, files, run};

/// A session of version 2 in week 41, with other fields.
fn session(id: u32, fields: Value) -> Value {
    let mut record = json!({
        "session_id": format!("devin-{id:032x}"), "org_id": "org_1", "user_id": "email|ada", "status": "exit",
        "created_at": format!("2026-10-06T10:{id:02}:00Z"), "updated_at": "2026-10-06T12:00:00Z",
        "acus_consumed": 2.0, "tags": [], "pull_requests": [], "session_analysis": null,
    });
    if let (Some(record), Value::Object(fields)) = (record.as_object_mut(), fields) {
        record.extend(fields);
    }
    record
}

/// A report of week 41 from saved text.
fn report(folder: &Path, saved: &str) -> Outcome {
    std::fs::write(folder.join("saved.json"), saved).expect("a file");
    let mut command = acumen(folder);
    command.env_remove("DEVIN_API_KEY").args(["report", "--pages", "saved.json", "--out", "out"]);
    run(command.args(["--week", "2026-W41", "--trend", "1", "--export", "csv,xlsx"]))
}

/// The facts of a report of week 41 from these records, and what it says on stderr.
/// All of them are what the oracle works out.
fn facts(records: &[Value], v3: bool) -> (Facts, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = report(folder.path(), &Value::from(records.to_vec()).to_string());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let out = folder.path().join("out");
    let name = files(&out).into_iter().find(|name| name.ends_with(".json")).expect("facts");
    let text = std::fs::read_to_string(out.join(name)).expect("facts in UTF-8");
    let now: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().expect("a moment");
    let week = Kind::Week { year: 2026, week: 41 };
    let expected = expect(records, &Asked { tz: chrono_tz::UTC, kind: week, trend: 1, now, v3 });
    assert_eq!(differences(&text, &expected), Vec::<String>::new());
    (Facts(serde_json::from_str(&text).expect("JSON")), outcome.stderr)
}

fn with_pull_requests(addresses: &[(&str, &str)]) -> Vec<Value> {
    let entry = |(id, (address, state)): (u32, &(&str, &str))| {
        session(id, json!({"pull_requests": [{"pr_url": address, "pr_state": state}]}))
    };
    (1..).zip(addresses).map(entry).collect()
}

#[test]
fn a_pull_request_in_many_spellings_counts_once() {
    let (facts, _) = facts(
        &with_pull_requests(&[
            ("https://github.com/Example/Shop/pull/12", "open"),
            ("https://github.com/example/shop/pull/12/commits/1a2b3c", "open"),
            ("HTTP://www.GitHub.com:80/example/shop/Pull/12/files?diff=split#r9", "merged"),
            ("github.com/EXAMPLE/SHOP/pull/12", "closed"),
            ("https://github.com/example/shop/pull/13/checks", "open"),
        ]),
        false,
    );
    assert_eq!(facts.value("prs", json!({})), 2);
    assert_eq!(facts.value("prs_merged", json!({})), 1);
    assert_eq!(facts.value("sessions_with_merged_pr", json!({})), 4);
    assert_eq!(facts.keys("prs", "repo"), ["github.com/Example/Shop"]);
}

#[test]
fn the_earliest_session_decides_the_spelling_whatever_the_order_of_the_file() {
    let mut records = with_pull_requests(&[
        ("https://dev.azure.com/Team/Shop/_git/Web/pullRequest/3", "open"),
        ("https://dev.azure.com/team/shop/_git/web/pullrequest/3", "merged"),
    ]);
    records.reverse();
    let (facts, _) = facts(&records, false);
    assert_eq!(facts.value("prs", json!({})), 1);
    assert_eq!(facts.keys("prs", "repo"), ["dev.azure.com/Team/Shop/_git/Web"]);
}

#[test]
fn repositories_of_all_common_forges_are_known() {
    let (facts, _) = facts(
        &with_pull_requests(&[
            ("https://git.example.org/team/site/pulls/4", "merged"),
            ("https://code.example.org/group/sub/tool/merge_requests/5/diffs", "open"),
            ("https://code.example.org/group/sub/tool/-/merge_requests/5", "open"),
            ("https://stash.example.org/projects/TE/repos/site/pull-requests/6/overview", "open"),
            ("https://tfs.example.org/c/p/_git/site/PullRequest/8?_a=overview", "open"),
            ("https://tfs.example.org/c/p/_git/site/pullrequest/8", "open"),
            ("https://Example.org/Team/Site/pull/9", "open"),
            ("https://example.org/team/site/pull/9", "open"),
            ("https://example.org/changes/10", "open"),
        ]),
        false,
    );
    let repos = facts.keys("prs", "repo");
    let expected = [
        "code.example.org/group/sub/tool",
        "example.org/Team/Site",
        "example.org/team/site",
        "git.example.org/team/site",
        "stash.example.org/projects/TE/repos/site",
        "tfs.example.org/c/p/_git/site",
        "unknown",
    ];
    assert_eq!(repos, expected);
    assert_eq!(facts.value("prs", json!({})), 7);
}
