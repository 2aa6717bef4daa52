//! The web app's export: written from records of the API, and read again without
//! anything that the program reads it with.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::facts::Group;
use super::records::{self, Session};
use super::{Asked, Expected, Span, Writer, expect_of};

/// Metrics that an export does not provide.
const ABSENT: [&str; 10] = [
    "automation_sessions",
    "analysed_sessions",
    "analysis_coverage",
    "issues",
    "issue_rate",
    "sessions_with_issue",
    "issue_count_histogram",
    "action_items",
    "sessions_with_prompt_feedback",
    "acus_split",
];

/// Whether an export provides a number.
pub fn tells(metric: &str, of: &Group) -> bool {
    !ABSENT.contains(&metric) && !of.keys().any(|dimension| ["tag", "status"].contains(&dimension.as_str()))
}

/// The export of records of version 2 that were created in a range: the newest first,
/// with a name for every second user.
pub fn written(all: &[Value], from: &str, to: &str) -> Value {
    let moment = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
    let mut sessions = records::sessions(all, moment(from), moment(to));
    sessions.reverse();
    let raw: HashMap<String, &Value> =
        all.iter().filter_map(|record| Some((bare(record["session_id"].as_str()?), record))).collect();
    let rows = sessions.iter().map(|session| {
        let record = raw[&session.id];
        let user = session.user.as_deref().map(|user| user.replace(['|', ' '], "."));
        let number = user.as_ref().map_or(0, |user| user.bytes().map(usize::from).sum::<usize>());
        let pulls = record["pull_requests"].as_array().into_iter().flatten();
        let pull = |pull: &Value| {
            let field = |one: &str, other: &str| match &pull[one] {
                Value::Null => pull[other].clone(),
                other => other.clone(),
            };
            json!({"pr_url": field("pr_url", "url"), "pr_status": field("pr_state", "state")})
        };
        json!({
            "user_name": user.as_ref().filter(|_| number % 2 == 0).map(|user| format!("Name of {user}")),
            "user_email": user.map(|user| format!("{user}@Example.com")),
            "session_name": record["title"],
            "created_at": session.created.to_rfc3339(),
            "acu_used": record["acus_consumed"],
            "url": format!("https://app.devin.ai/sessions/{}", session.id),
            "org_id": record["org_id"],
            "org_name": record["org_id"].as_str().map(|org| format!("The {org}")),
            "pull_requests": pulls.map(pull).collect::<Vec<_>>(),
        })
    });
    json!({
        "date_range": {"start": moment(from).to_rfc3339(), "end": moment(to).to_rfc3339()},
        "sessions": rows.collect::<Vec<_>>(),
    })
}

fn bare(id: &str) -> String {
    let id = id.trim();
    id.strip_prefix("devin-").unwrap_or(id).to_owned()
}

/// Every number of the catalogue that exports tell. They are of one organisation, and of
/// the same session the one counts whose range ends last.
pub fn expect_exports(files: &[Value], asked: &Asked) -> Expected {
    let end = |file: &Value| records::moment(&file["date_range"]["end"]).expect("an end");
    let mut files: Vec<&Value> = files.iter().collect();
    files.sort_by_key(|file| end(file));
    let mut rows: HashMap<String, Value> = HashMap::new();
    for file in &files {
        for row in file["sessions"].as_array().expect("a list") {
            let url = row["url"].as_str().expect("an address");
            let id = url.rsplit('/').next().expect("a last part").to_owned();
            rows.insert(id.clone(), as_record(row, &id));
        }
    }
    let records: Vec<Value> = rows.into_values().collect();
    let read = |from, to| -> Vec<Session> { records::sessions(&records, from, to) };
    // The files of the tests join each other; days may be those of any zone.
    let begin =
        files.iter().map(|file| records::moment(&file["date_range"]["start"]).expect("a start")).min();
    let (begin, end) = (begin.expect("a file"), end(files.last().expect("a file")));
    let known = |span: &Span| {
        let zone = Duration::hours(14).min((span.ends() - span.begins()) / 24);
        begin - span.begins() <= zone && span.ends() - end <= zone
    };
    expect_of(&read, asked, Writer::Export, &known)
}

/// A row in the format of the API.
fn as_record(row: &Value, id: &str) -> Value {
    let pulls: Vec<Value> = row["pull_requests"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pull| json!({"pr_url": pull["pr_url"], "pr_state": pull["pr_status"]}))
        .collect();
    json!({
        "session_id": id,
        "user_id": row["user_email"].as_str().map(|email| email.trim().to_lowercase()),
        "created_at": row["created_at"],
        "acus_consumed": row["acu_used"],
        "org_id": row["org_id"],
        "pull_requests": pulls,
    })
}
