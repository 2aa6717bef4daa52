//! What the analysis of version 3 says beyond that of version 2.

use serde_json::{Map, Value, json};

use super::marks::{Topic, stream};
use crate::Record;
use crate::random::Random;

const COLOURS: [&str; 3] = ["#E5E7EB", "#FBBF24", "#34D399"];
const LANGUAGES: [&str; 7] = ["Python", "TypeScript", "Go", "Java", "Kotlin", "SQL", "Rust"];
const TOOLS: [&str; 8] = ["pytest", "React", "Docker", "Terraform", "PostgreSQL", "Spring", "Kafka", "pnpm"];
const NOTES: [(&str, &str); 3] = [
    ("Formatting note", "It was followed in every file that was changed."),
    ("How to run the tests", "It saved a search for the right command."),
    ("Branch names", "It did not apply to this repository."),
];

/// Fills up a session's analysis, if it has one.
pub fn fill(fields: &mut Map<String, Value>, record: &Record, category: &str) {
    let Some(Value::Object(analysis)) = fields.get_mut("analysis") else { return };
    let mut random = stream(record, Topic::Analysis);
    for (number, issue) in (1..).zip(objects(analysis.get_mut("issues"))) {
        let title = title(issue.get("issue").and_then(Value::as_str).unwrap_or_default());
        issue.entry("id").or_insert(json!(number.to_string()));
        issue.entry("title").or_insert(json!(title));
    }
    let issues = analysis.get("issues").and_then(Value::as_array).map_or(0, Vec::len);
    for step in objects(analysis.get_mut("timeline")) {
        let about = (issues > 0 && random.chance(0.3)).then(|| (1 + random.below(issues)).to_string());
        step.entry("color").or_insert(json!(random.pick(&COLOURS)));
        step.entry("issue_id").or_insert(json!(about));
    }
    objects(analysis.get_mut("action_items")).for_each(refer);
    if let Some(Value::Object(prompt)) = analysis.get_mut("suggested_prompt") {
        objects(prompt.get_mut("feedback_items")).for_each(refer);
    }
    let (notes, classification) = (notes(&mut random), classification(&mut random, category));
    analysis.entry("note_usage").or_insert(notes);
    analysis.entry("classification").or_insert(classification);
}

/// The objects of a list, if it is one.
fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Version 2 says `issue_2` where version 3 says `2`.
fn refer(item: &mut Map<String, Value>) {
    if let Some(Value::String(id)) = item.get_mut("issue_id")
        && let Some(number) = id.strip_prefix("issue_")
    {
        *id = number.to_owned();
    }
}

/// The first words.
fn title(issue: &str) -> String {
    let words: Vec<&str> = issue.split_whitespace().take(6).collect();
    words.join(" ").trim_end_matches(['.', ',', ';', ':']).to_owned()
}

fn notes(random: &mut Random) -> Value {
    if random.chance(0.5) {
        return Value::Null;
    }
    let note = |index: usize| {
        let (message, reason) = NOTES.get(index).copied().unwrap_or_default();
        json!({"note_id": format!("note-{:032x}", index + 1), "message": message, "reason": reason})
    };
    let good: Vec<Value> = (0..random.below(3)).map(note).collect();
    let bad: Vec<Value> = random.chance(0.1).then(|| note(2)).into_iter().collect();
    json!({"good_usages": good, "bad_usages": bad})
}

fn classification(random: &mut Random, category: &str) -> Value {
    let some = |random: &mut Random, names: &[&'static str], most: usize| -> Vec<&'static str> {
        let start = random.below(names.len());
        names.iter().cycle().skip(start).take(random.below(most + 1)).copied().collect()
    };
    let confidence = f64::from(55 + random.below(45) as u32) / 100.0;
    let languages = some(random, &LANGUAGES, 2);
    let tools = some(random, &TOOLS, 3);
    json!({
        "category": category,
        "confidence": confidence,
        "programming_languages": languages,
        "tools_and_frameworks": tools
    })
}
