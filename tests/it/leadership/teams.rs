//! Teams by the people file and by tags: what belongs to whom, and all of it once.

use std::collections::BTreeMap;

use devin_simulator::Organisation;
use serde_json::json;

use super::{by, close, day, local_day, recipe, report, week};
use crate::oracle::records::Session;

const RULES: &str = "people_file = \"people.csv\"\n\
                     [[team]]\nname = \"Docs\"\ntag = [\"docs\", \"test*\"]\n";

/// The team of a session, worked out by hand: a tag first, then its user.
fn team(session: &Session, movers: &[String], stayers: &[String]) -> String {
    if session.tags.iter().any(|tag| tag == "docs" || tag.starts_with("test")) {
        return "Docs".to_owned();
    }
    match &session.user {
        Some(user) if movers.contains(user) && local_day(session) >= day("2026-10-08") => "Search".to_owned(),
        Some(user) if movers.contains(user) || stayers.contains(user) => "Payments".to_owned(),
        _ => String::new(),
    }
}

#[test]
fn teams_take_their_sessions_from_tags_then_people_and_add_up_to_the_whole() {
    let organisation = Organisation::invent(&recipe(5));
    let sessions = week(&organisation);
    let mut users: Vec<String> = sessions.iter().filter_map(|session| session.user.clone()).collect();
    users.sort();
    users.dedup();
    let (movers, stayers) = (users[..6].to_vec(), users[6..12].to_vec());
    let mut people = String::from("user,name,team,from\n");
    for user in movers.iter().chain(&stayers) {
        people += &format!("{user},,Payments,\n");
    }
    for user in &movers {
        people += &format!("{user},,Search,2026-10-08\n");
    }
    let mut expected: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for session in &sessions {
        let team = expected.entry(team(session, &movers, &stayers)).or_default();
        *team = (team.0 + 1.0, team.1 + session.spent());
    }
    assert!(expected.len() == 4 && expected.values().all(|(sessions, _)| *sessions > 0.0), "{expected:?}");
    let report = report(organisation, RULES, &[], &[("people.csv", &people)]);
    let facts = report.facts();
    for (metric, of) in [("sessions", 0), ("acus", 1)] {
        let found = by(&facts, metric, "team");
        assert_eq!(found.len(), expected.len());
        for (team, (sessions, acus)) in &expected {
            assert!(close(found[team].unwrap(), [*sessions, *acus][of]), "{metric} of {team:?}");
        }
    }
    for metric in ["sessions", "acus", "prs", "prs_merged"] {
        let sum: f64 = by(&facts, metric, "team").values().flatten().sum();
        assert!(close(sum, facts.value(metric, json!({})).as_f64().unwrap()), "{metric}");
    }
    assert!(report.html.contains("Teams side by side") && report.html.contains("no team"));
}

#[test]
fn without_a_word_of_teams_there_are_none() {
    let report = report(Organisation::invent(&recipe(5)), "", &[], &[]);
    assert!(!report.json.contains("\"team\"") && !report.html.contains("Teams side by side"));
}

/// The example of docs/configuration.md, on the organisation that everybody can try it on.
#[test]
fn the_tags_of_the_demo_tell_its_teams() {
    let organisation = Organisation::invent(&recipe(5));
    let found = report(organisation, "[[team]]\ntag = \"team:*\"\n", &["--trend", "0"], &[]);
    let teams = found.facts().keys("sessions", "team");
    assert!(teams.iter().any(|team| team == "payments") && teams.len() == 8, "{teams:?}");
}
