//! The organisations that are attacked: one of thirteen people made by hand,
//! and two invented ones.

use std::collections::BTreeSet;

use chrono::{Days, Duration, NaiveDate, SecondsFormat};
use devin_simulator::{Organisation, Recipe};
use serde_json::{Value, json};

use super::truth::{self, moment};

/// The Monday on which the data begins.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 29).expect("a date")
}

const WEEKS: u64 = 15;

/// An organisation with the texts that no covered report may hold.
pub struct Attacked {
    pub name: &'static str,
    pub organisation: Organisation,
    /// The tags and teams by which reports are filtered.
    pub tags: Vec<&'static str>,
    pub teams: Vec<&'static str>,
}

impl Attacked {
    /// The records as the API serves them.
    pub fn records(&self) -> Vec<Value> {
        let bodies = self.organisation.records.iter().map(|record| serde_json::from_str(&record.body));
        bodies.collect::<Result<_, _>>().expect("the simulator serves JSON")
    }

    /// Every text that identifies a person or a single session.
    pub fn secrets(&self) -> BTreeSet<String> {
        let mut secrets = BTreeSet::new();
        for record in self.records() {
            let text = |name: &str| record[name].as_str().map(str::to_owned);
            let id = text("session_id").map(|id| id.trim_start_matches("devin-").to_owned());
            let names = ["title", "url", "user_id", "service_user_id", "initial_user_message"];
            secrets.extend(names.into_iter().filter_map(text).chain(id));
            let pulls = record["pull_requests"].as_array().into_iter().flatten();
            secrets.extend(pulls.filter_map(|pull| pull["pr_url"].as_str().map(str::to_owned)));
            for issue in record["session_analysis"]["issues"].as_array().into_iter().flatten() {
                secrets.extend(issue["issue"].as_str().map(str::to_owned));
            }
        }
        for person in &self.organisation.people {
            secrets.extend(
                [Some(person.id.clone()), person.name.clone(), person.email.clone()].into_iter().flatten(),
            );
        }
        let trimmed = secrets.iter().map(|text| text.trim().to_owned());
        trimmed.filter(|text| text.len() > 5 && text != "bot_apk").collect()
    }
}

/// Thirteen people. One is alone in a team, one in a repository, one on a tag,
/// one on each Saturday; one is on holiday for two weeks, one works in a single
/// week, one is away every fifth week. There are a service user, an automation
/// and sessions without a user.
pub fn thirteen() -> Attacked {
    let mut values = Vec::new();
    for (week, monday) in (0..).zip(truth::weeks(first_day(), WEEKS)) {
        for person in 1..=13_u64 {
            let is_away = match person {
                8 => matches!(week, 8 | 9),
                11 => week != 10,
                9 => week % 5 == 3,
                _ => false,
            };
            let sessions = if is_away { 0 } else { 1 + (week * 7 + person * 3) % 4 };
            for number in 0..sessions {
                let day = monday + Days::new((person + number * 2 + week) % 5);
                values.push(session(week, person, number, day));
            }
        }
        values.push(session(week, 4, 9, monday + Days::new(5)));
        values.extend(
            [(20, 0), (21, 1), (21, 3)]
                .map(|(nobody, day)| session(week, nobody, day, monday + Days::new((day + week) % 5))),
        );
        values.push(session(week, 30, 0, monday + Days::new(week % 5)));
        if week % 3 == 1 {
            values.push(session(week, 30, 1, monday + Days::new(2)));
        }
    }
    let organisation = Organisation::from_values(values);
    let (tags, teams) = (vec!["tag-orchid", "tag-birch"], vec!["ash", "elm"]);
    Attacked { name: "thirteen people", organisation, tags, teams }
}

/// A session of a person (1 to 13), of a service user (20), of an automation
/// (21) or of nobody (30).
fn session(week: u64, person: u64, number: u64, day: NaiveDate) -> Value {
    let id = format!("{week:02}{person:02}{number}c0ffee");
    let created = moment(day, 8 + (person % 9) as u32, (number * 7 % 60) as u32);
    let mut tags = Vec::new();
    match person {
        1..=5 => tags.push("team:ash"),
        6..=11 => tags.push("team:elm"),
        13 => tags.push("team:yew"),
        20 | 21 => tags.push("tag-nightly"),
        _ => {}
    }
    if person <= 10 && number.is_multiple_of(2) {
        tags.push("tag-orchid");
    }
    if (3..=9).contains(&person) && (number + week + person) % 3 != 1 {
        tags.push("tag-birch");
    }
    if person == 5 && number == 0 {
        tags.push("tag-lonely");
    }
    let repo = match person {
        2 if number == 0 => "github.com/thirteen/lonely",
        1..=6 => "github.com/thirteen/core",
        7 => ["github.com/thirteen/core", "github.com/thirteen/web"][(number % 2) as usize],
        _ => "github.com/thirteen/web",
    };
    let pull = week * 1000 + person * 10 + number;
    let state = ["merged", "merged", "closed", "open", "merged", "draft", "merged"][(pull % 7) as usize];
    let mut pulls = Vec::new();
    if !(person + number + week).is_multiple_of(3) {
        pulls.push(json!({"pr_url": format!("https://{repo}/pull/{pull}"), "pr_state": state}));
    }
    // Somebody else's pull request as well.
    if person == 3 && number == 1 {
        let other = week * 1000 + 20;
        pulls.push(
            json!({"pr_url": format!("https://github.com/thirteen/core/pull/{other}"), "pr_state": "open"}),
        );
    }
    let status = match (person + week + number) % 8 {
        0 => "suspended",
        1 if person < 4 => "running",
        _ => "exit",
    };
    let issue = |at: u64| {
        let label = ["label-flaky", "label-setup", "label-rare"][(at % 3) as usize];
        let label = if label == "label-rare" && person > 3 { "label-flaky" } else { label };
        let impact = ["High", "medium", "low"][((at + person) % 3) as usize];
        json!({"issue": format!("Secret issue {id} {at}"), "label": label, "impact": impact})
    };
    let analysis = ((person + week + number) % 3 != 2).then(|| {
        json!({
            "issues": (0..(person + number) % 4).map(|at| issue(at + week)).collect::<Vec<_>>(),
            "action_items": [{"type": (["knowledge", "repo_config"][(person % 2) as usize]), "action_item": "x"}],
            "suggested_prompt": {"feedback_items": if person.is_multiple_of(4) { json!([{"summary": "s"}]) } else { json!([]) }},
        })
    });
    let (user, service) = match person {
        20 => (Some("bot_apk".to_owned()), Some("service-user-77aa55")),
        21 => (Some("bot_apk".to_owned()), None),
        30 => (None, None),
        _ => (Some(format!("email|thirteen{person:02}")), None),
    };
    let time = |moment: chrono::DateTime<chrono::Utc>| moment.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "session_id": id, "user_id": user, "service_user_id": service,
        "org_id": if (8..=13).contains(&person) { "org_second" } else { "org_demo" },
        "url": format!("https://app.devin.ai/sessions/{id}"), "title": format!("Secret title {id}"),
        "initial_user_message": format!("Secret prompt {id}"),
        "created_at": time(created), "updated_at": time(created + Duration::hours(2)),
        "status": status, "tags": tags, "pull_requests": pulls, "session_analysis": analysis,
        "acus_consumed": ((person * 137 + week * 211 + number * 353) % 1100) as f64 / 100.0 + 0.13,
    })
}

/// An invented organisation whose people are in teams of these sizes; names of
/// tags and labels are made unlike any word of a page.
pub fn invented(name: &'static str, seed: u64, sessions: usize, teams: &[(&'static str, usize)]) -> Attacked {
    let users = teams.iter().map(|(_, size)| size).sum();
    let recipe = Recipe {
        seed,
        sessions,
        first_day: first_day(),
        days: 7 * WEEKS as u32,
        users,
        // What coming and going tells is measured with the thirteen.
        turnover: false,
        tags: users / 3,
        repos: users / 5 + 2,
        orgs: 2,
        ..Recipe::demo()
    };
    let mut organisation = Organisation::invent(&recipe);
    let met: BTreeSet<String> =
        organisation.records.iter().filter_map(|record| record.user_id.clone()).collect();
    let people: Vec<String> = met.into_iter().filter(|user| user != "bot_apk").collect();
    let places: Vec<&str> = teams.iter().flat_map(|(team, size)| std::iter::repeat_n(*team, *size)).collect();
    for record in &mut organisation.records {
        let mut body: Value = serde_json::from_str(&record.body).expect("the simulator serves JSON");
        record.tags = record.tags.iter().map(|tag| format!("tag-{}", tag.trim())).collect();
        let place = people.iter().position(|user| Some(user) == record.user_id.as_ref());
        record.tags.extend(place.and_then(|at| places.get(at)).map(|team| format!("team:{team}")));
        body["tags"] = json!(record.tags);
        let issues = body.pointer_mut("/session_analysis/issues").and_then(Value::as_array_mut);
        for issue in issues.into_iter().flatten() {
            if let Some(label) = issue["label"].as_str() {
                issue["label"] = json!(format!("label-{}", label.trim()));
            }
        }
        record.body = body.to_string();
    }
    let mut met: Vec<&str> = teams.iter().map(|(team, _)| *team).collect();
    met.truncate(2);
    Attacked { name, organisation, tags: Vec::new(), teams: met }
}
