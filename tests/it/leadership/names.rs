//! Names: from the API's lists, from the people file, and what stands where none is known.

use std::collections::BTreeSet;

use devin_simulator::{List, Options, Organisation, Person};
use serde_json::{Value, json};

use super::{recipe, report, week};
use crate::support::{Report, Served};

/// Two people of the week who are on a list with name and email.
fn named(organisation: &Organisation) -> Vec<Person> {
    let active: BTreeSet<String> =
        week(organisation).into_iter().filter_map(|session| session.user).collect();
    let known =
        |person: &&Person| person.name.is_some() && person.email.is_some() && active.contains(&person.id);
    organisation.people.iter().filter(known).take(2).cloned().collect()
}

fn labels(report: &Report) -> Value {
    report.facts().0["labels"]["user"].clone()
}

#[test]
fn the_people_file_beats_the_lists_and_knows_who_is_on_none() {
    let organisation = Organisation::invent(&recipe(2));
    let [first, second] = named(&organisation).try_into().unwrap();
    let bot = week(&organisation)
        .into_iter()
        .filter(|session| session.automation)
        .find_map(|session| session.user)
        .unwrap();
    let email = second.email.unwrap().to_uppercase();
    let people = format!("user,name\n{email},Renamed by email\n{bot},The nightly build\n");
    let report = report(organisation, "people_file = \"people.csv\"\n", &[], &[("people.csv", &people)]);
    let labels = labels(&report);
    assert_eq!(labels[&first.id], json!(first.name.unwrap()));
    assert_eq!(labels[&second.id], "Renamed by email");
    assert_eq!(labels[&bot], "The nightly build");
    assert!(report.html.contains("Renamed by email") && report.html.contains("The nightly build"));
    // The ids stay what facts are grouped by.
    assert!(report.json.contains(&format!("\"group\":{{\"user\":\"{}\"}}", second.id)));
    let facts = report.facts();
    let users = facts.keys("sessions", "user");
    assert!(
        labels.as_object().unwrap().keys().all(|id| users.contains(id)),
        "nobody is named who did nothing"
    );
}

#[test]
fn a_list_that_may_not_be_read_is_a_note_and_ids_are_shown() {
    let organisation = Organisation::invent(&recipe(2));
    let first = named(&organisation).remove(0);
    let options = Options { hidden: vec![List::Members], ..Options::default() };
    let served = Served::new(organisation, options);
    let report = served.report(&["--week", "2026-W41", "--tz", "Europe/Berlin", "--org", "org_demo"]);
    assert!(report.html.contains("The key may not read the list of"), "the page says so");
    assert!(report.html.contains(&first.id) && labels(&report).is_null());
}

#[test]
fn teams_by_email_follow_the_lists() {
    let organisation = Organisation::invent(&recipe(2));
    let person = named(&organisation).remove(0);
    let people = format!("user,team\n{},Payments\n", person.email.as_deref().unwrap());
    let own = week(&organisation).iter().filter(|session| session.user.as_ref() == Some(&person.id)).count();
    let settings = "people_file = \"people.csv\"\n";
    let report = report(organisation, settings, &[], &[("people.csv", &people)]);
    assert_eq!(*report.facts().value("sessions", json!({"team": "Payments"})), json!(own));
}

#[test]
fn unmatched_rows_of_the_people_file_are_reported() {
    let organisation = Organisation::invent(&recipe(2));
    let person = named(&organisation).remove(0);
    let known = format!("user;name\r\n{};Ada\r\n", person.email.unwrap().to_uppercase());
    let run = |rows: &str, flags: &[&str]| {
        let people = format!("{known}{rows}");
        report(organisation.clone(), "people_file = \"people.csv\"\n", flags, &[("people.csv", &people)])
    };
    const WORDS: &str = "people file has";
    let all_known = run("", &[]);
    assert!(!all_known.stderr.contains(WORDS) && !all_known.html.contains(WORDS));
    let strays = run("x1;\r\nx2;\r\nx3@example.com;\r\n;\r\nx4@example.com;\r\n", &[]);
    let note = "the people file has 4 people not found in sessions or lists: x1, x2, x3@example.com and \
        1 more";
    assert!(strays.stderr.contains(&format!("note: {note}\n")), "{}", strays.stderr);
    assert!(strays.html.contains(&format!("T{}.", &note[1..])));
    let covered = run("x1;\r\n", &["--people", "hidden"]);
    assert!(!covered.stderr.contains(WORDS) && !covered.html.contains(WORDS));
}
