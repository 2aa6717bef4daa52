//! A record of version 2 to one of version 3. What both can tell stays the same;
//! what a record already tells of version 3 is kept; the rest is invented, from
//! streams keyed to the record. It is worked out for each answer: keeping it would
//! double the memory of a large organisation.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::analysis;
use super::family;
use super::marks::{Topic, is_archived, is_automatic, mode, origin, playbook, stream};
use crate::Record;
use crate::listing::stale;
use crate::parameters::bare;
use crate::random::Random;

/// Kinds of work by the tag that names them in an invented organisation.
const CATEGORIES: [(&str, &str); 6] = [
    ("bug-fix", "bug_fixing"),
    ("feature", "feature_development"),
    ("migration", "migrations_and_upgrades"),
    ("tests", "unit_test_generation"),
    ("docs", "documentation_and_content"),
    ("dependencies", "ci_cd_and_devops"),
];
/// Kinds of work where no tag says it, by weight.
const OTHER_CATEGORIES: [(u32, &str); 12] = [
    (24, "bug_fixing"),
    (22, "feature_development"),
    (12, "refactoring_and_optimization"),
    (9, "code_review_and_analysis"),
    (8, "research_and_exploration"),
    (7, "code_quality_and_security"),
    (5, "migrations_and_upgrades"),
    (4, "data_and_automation"),
    (3, "ci_cd_and_devops"),
    (3, "unit_test_generation"),
    (2, "documentation_and_content"),
    (1, "other"),
];
const SUBCATEGORIES: [&str; 5] = ["Backend", "Frontend", "Infrastructure", "Data", "Other"];
/// Why a session rests; about a quarter ran into a limit.
const SUSPENDED: [(u32, &str); 9] = [
    (52, "inactivity"),
    (22, "user_request"),
    (9, "usage_limit_exceeded"),
    (6, "out_of_credits"),
    (4, "out_of_quota"),
    (2, "payment_declined"),
    (2, "org_usage_limit_exceeded"),
    (2, "no_quota_allocation"),
    (1, "total_session_limit_exceeded"),
];

/// The body of a record; none past the last one. What is not an object is served
/// as it is, and so is every value that cannot be read.
pub fn body(records: &[Record], index: usize, again: bool) -> Option<String> {
    let record = records.get(index)?;
    let Ok(Value::Object(mut fields)) = serde_json::from_str(&record.body) else {
        return Some(record.body.clone());
    };
    rename(&mut fields, record);
    let mut random = stream(record, Topic::Session);
    let category = category(record, &mut random);
    analysis::fill(&mut fields, record, category);
    invent(&mut fields, record, &mut random, category);
    relate(&mut fields, records, index);
    if again && record.has_updated_at() {
        stale(&mut fields, json!((record.updated_at - TimeDelta::hours(1)).timestamp()));
    }
    Some(Value::Object(fields).to_string())
}

/// What both versions provide, as version 3 writes it.
fn rename(fields: &mut Map<String, Value>, record: &Record) {
    if let Some(Value::String(id)) = fields.get_mut("session_id") {
        *id = prefixed(id);
    }
    for (name, moment) in [("created_at", record.created_at), ("updated_at", record.updated_at)] {
        // Only texts: a number is unix time already.
        if let Some(value) = fields.get_mut(name)
            && value.is_string()
            && moment != DateTime::<Utc>::UNIX_EPOCH
        {
            *value = json!(moment.timestamp());
        }
    }
    if let Some(Value::Array(pulls)) = fields.get_mut("pull_requests") {
        pulls.iter_mut().filter_map(Value::as_object_mut).for_each(pull_request);
    }
    let analysis = fields.remove("session_analysis").unwrap_or_default();
    fields.entry("analysis").or_insert(analysis);
    fields.remove("initial_user_message");
}

/// `pr_url` and `pr_state`, whatever they were called.
fn pull_request(pull: &mut Map<String, Value>) {
    for (name, other) in [("pr_url", "url"), ("pr_state", "state")] {
        let second = pull.remove(other).unwrap_or_default();
        let first = pull.entry(name).or_insert(Value::Null);
        if first.is_null() {
            *first = second;
        }
    }
}

fn invent(fields: &mut Map<String, Value>, record: &Record, random: &mut Random, category: &str) {
    let analysed = fields.get("analysis").is_some_and(Value::is_object);
    let automatic = is_automatic(record, fields.get("service_user_id").is_some_and(Value::is_string));
    let acus = fields.get("acus_consumed").and_then(Value::as_f64).unwrap_or_default();
    let detail = detail(fields.get("status").and_then(Value::as_str), random);
    let questions = random.log_normal(1.2 + 0.25 * acus.clamp(0.0, 30.0), 0.6);
    let asked = if automatic { 1 } else { 1 + questions.min(500.0) as u64 };
    let answered = asked + random.below(1 + 2 * asked as usize) as u64;
    // A category comes of the analysis or, more seldom, without one.
    let category = (random.chance(0.4) || analysed).then_some(category);
    let subcategory = category.map(|_| random.pick(&SUBCATEGORIES));
    let origin = origin(record, automatic);
    let automation = (origin == "automation").then(|| format!("automation-{}", random.hex(32)));
    let reported = [
        ("service_user_id", Value::Null),
        ("origin", json!(origin)),
        ("playbook_id", json!(playbook(record, automatic))),
        ("category", json!(category)),
        ("subcategory", json!(subcategory)),
        ("status_detail", json!(detail)),
        ("session_size", json!(size(acus))),
        ("num_user_messages", json!(asked)),
        ("num_devin_messages", json!(answered)),
        ("is_archived", json!(is_archived(record))),
        ("analysis_status", json!(analysed.then_some("completed"))),
        ("automation_id", json!(automation)),
        ("devin_mode", json!(mode(record))),
        ("structured_output", Value::Null),
        ("security_profile", json!({"selection": "inherit", "profile_id": null})),
    ];
    for (name, value) in reported {
        fields.entry(name).or_insert(value);
    }
}

/// Who started it, and what it started.
fn relate(fields: &mut Map<String, Value>, records: &[Record], index: usize) {
    let id = |index: usize| records.get(index).map(|record| prefixed(&record.session_id));
    let parent = family::parent(records, index).and_then(id);
    let children: Vec<String> = family::children(records, index).filter_map(id).collect();
    fields.entry("parent_session_id").or_insert(json!(parent));
    fields.entry("child_session_ids").or_insert(json!(children));
}

/// Version 3 writes the prefix everywhere.
fn prefixed(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("devin-{}", bare(id)) }
}

fn category(record: &Record, random: &mut Random) -> &'static str {
    let drawn = random.weighted(&OTHER_CATEGORIES);
    let by_tag = CATEGORIES.iter().find(|(tag, _)| record.tags.iter().any(|own| own == tag));
    by_tag.map_or(drawn, |(_, category)| category)
}

fn detail(status: Option<&str>, random: &mut Random) -> Option<&'static str> {
    let resting = random.weighted(&SUSPENDED);
    let running = random.weighted(&[(70, "working"), (25, "waiting_for_user"), (5, "waiting_for_approval")]);
    match status? {
        "running" | "resuming" => Some(running),
        "suspended" => Some(resting),
        "exit" => Some("finished"),
        "error" => Some("error"),
        _ => None,
    }
}

/// By what it cost.
fn size(acus: f64) -> &'static str {
    match acus {
        acus if acus < 1.0 => "xs",
        acus if acus < 3.0 => "s",
        acus if acus < 7.0 => "m",
        acus if acus < 16.0 => "l",
        _ => "xl",
    }
}
