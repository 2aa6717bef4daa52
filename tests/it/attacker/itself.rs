//! The attacker itself, against facts made by hand that leak in a known way.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::runs::{Fact, Report};
use super::single::{COMBINED, Finding, attack};
use super::truth::{Group, Truth};
use super::{outputs, pseudonyms, several};

/// The week of the reports, and the one before.
const WEEK: &str = "2026-W41";

/// A session of a person on a day of October 2026.
fn session(person: u32, day: u32, tag: &str) -> Value {
    json!({
        "session_id": format!("s{person}-{day}-{tag}"), "user_id": format!("email|{person}"), "status": "exit",
        "created_at": format!("2026-10-{day:02}T09:00:00Z"), "org_id": "org_demo", "tags": [tag],
        "acus_consumed": 2.0, "pull_requests": [],
    })
}

/// Sessions of so many people, one each.
fn sessions(people: std::ops::RangeInclusive<u32>, day: u32, tag: &str) -> Vec<Value> {
    people.map(|person| session(person, day, tag)).collect()
}

fn group(pairs: &[(&str, &str)]) -> Group {
    pairs.iter().map(|(name, key)| ((*name).to_owned(), Some((*key).to_owned()))).collect()
}

/// A fact of sessions, of which each has a value.
fn fact(metric: &str, pairs: &[(&str, &str)], value: f64) -> Fact {
    Fact {
        metric: metric.to_owned(),
        unit: "count".to_owned(),
        group: group(pairs),
        value: Some(value),
        n: Some(value),
        ..Fact::default()
    }
}

fn found(records: &[Value], facts: Vec<Fact>) -> Vec<Finding> {
    attack(&Report::of_facts(WEEK, facts), &Truth::new(records))
}

fn attacks(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().map(|finding| finding.attack).collect()
}

#[test]
fn a_report_of_enough_people_gives_nothing_away() {
    let records = [sessions(1..=6, 5, "team:a"), sessions(7..=12, 6, "team:b")].concat();
    let facts = vec![
        fact("sessions", &[], 12.0),
        fact("sessions", &[("team", "a")], 6.0),
        fact("sessions", &[("team", "b")], 6.0),
        fact("sessions", &[("day", "2026-10-05")], 6.0),
        fact("sessions", &[("day", "2026-10-06")], 6.0),
        fact("sessions", &[("day", "2026-10-07")], 0.0),
    ];
    let findings = found(&records, facts);
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn a_group_of_four_is_found() {
    let records = [sessions(1..=6, 5, "x"), sessions(7..=10, 6, "y")].concat();
    let findings =
        found(&records, vec![fact("sessions", &[("tag", "x")], 6.0), fact("sessions", &[("tag", "y")], 4.0)]);
    assert_eq!(attacks(&findings), ["group"].into());
    assert_eq!(findings[0].people.len(), 4);
}

#[test]
fn service_users_are_no_people_and_each_session_without_a_user_is_one() {
    let of = |user: Value, service: Value, number: u32| {
        let mut record = session(number, 5, "x");
        (record["user_id"], record["service_user_id"]) = (user, service);
        record
    };
    let machines =
        (1..=9).map(|number| of(json!("bot_apk"), json!(format!("service-user-{number}")), number));
    let mut records: Vec<Value> = machines.collect();
    let shown = || vec![fact("sessions", &[("tag", "x")], 9.0)];
    assert_eq!(attacks(&found(&records, shown())), ["group"].into());
    records = (1..=9).map(|number| of(Value::Null, Value::Null, number)).collect();
    assert!(found(&records, shown()).is_empty());
    records = (1..=9).map(|number| of(json!("email|same"), Value::Null, number)).collect();
    assert_eq!(found(&records, shown())[0].people.len(), 1);
}

#[test]
fn what_is_left_of_a_whole_is_found() {
    let records = [sessions(1..=6, 5, "team:a"), sessions(7..=7, 6, "team:b")].concat();
    let mut facts = vec![fact("sessions", &[], 7.0), fact("sessions", &[("team", "a")], 6.0)];
    let findings = found(&records, facts.clone());
    assert_eq!(attacks(&findings), ["remainder"].into());
    assert_eq!(findings[0].people, ["email|7".to_owned()].into());
    // Not where the whole is not known.
    facts.remove(0);
    assert!(found(&records, facts).is_empty());
    // The combined group has the rest, and is found itself.
    let facts = vec![
        fact("sessions", &[], 7.0),
        fact("sessions", &[("team", "a")], 6.0),
        fact("sessions", &[("team", COMBINED)], 1.0),
    ];
    assert_eq!(attacks(&found(&records, facts)), ["combined"].into());
}

#[test]
fn what_is_left_of_split_tags_and_of_an_impact_is_found() {
    let records = [sessions(1..=6, 5, "x"), sessions(7..=9, 6, "y")].concat();
    let facts = vec![fact("acus", &[], 18.0), fact("acus_split", &[("tag", "x")], 12.0)];
    assert_eq!(attacks(&found(&records, facts)), ["remainder"].into());

    let with_issue = |people: std::ops::RangeInclusive<u32>, label: &str| {
        let mut records = sessions(people, 5, "x");
        for record in &mut records {
            record["session_analysis"] = json!({"issues": [{"label": label, "impact": "high"}]});
        }
        records
    };
    let records = [with_issue(1..=6, "common"), with_issue(7..=8, "rare")].concat();
    let facts = vec![
        fact("issues", &[("impact", "high")], 8.0),
        fact("issues", &[("impact", "high"), ("label", "common")], 6.0),
    ];
    let findings = found(&records, facts);
    assert_eq!(attacks(&findings), ["remainder"].into());
    assert_eq!(findings[0].people.len(), 2);
}

#[test]
fn days_that_can_be_computed_are_found() {
    let mut records = sessions(1..=6, 5, "x");
    records.extend(sessions(1..=4, 6, "x"));
    let whole = || vec![fact("sessions", &[], 10.0), fact("sessions", &[("day", "2026-10-05")], 6.0)];
    // One day alone.
    assert_eq!(attacks(&found(&records, whole())), ["one day", "remainder"].into());
    // Two days that are of one person together.
    records.truncate(6);
    records.extend([session(9, 10, "x"), session(9, 11, "x")]);
    let findings = found(
        &records,
        whole()[..]
            .iter()
            .cloned()
            .map(|mut fact| {
                fact.value = fact.value.map(|value| if value == 10.0 { 8.0 } else { value });
                fact
            })
            .collect(),
    );
    assert_eq!(attacks(&findings), ["remainder"].into());
    // Two days of six people between them.
    records.truncate(6);
    records.extend([sessions(1..=4, 6, "x"), sessions(3..=6, 7, "x")].concat());
    let facts = vec![fact("sessions", &[], 14.0), fact("sessions", &[("day", "2026-10-05")], 6.0)];
    assert!(found(&records, facts).is_empty());
}

#[test]
fn the_period_before_is_found() {
    // In the week before, two people of one team and six of the other.
    let before = [sessions(1..=2, 1, "team:a"), sessions(7..=12, 2, "team:b")].concat();
    let now = [sessions(1..=6, 5, "team:a"), sessions(7..=12, 6, "team:b")].concat();
    let records = [before, now].concat();
    let with = |mut fact: Fact, previous: f64| {
        fact.previous = Some(previous);
        fact
    };
    let a = fact("sessions", &[("team", "a")], 6.0);
    let b = with(fact("sessions", &[("team", "b")], 6.0), 6.0);
    let whole = with(fact("sessions", &[], 12.0), 8.0);
    assert_eq!(attacks(&found(&records, vec![with(a.clone(), 2.0)])), ["previous"].into());
    let findings = found(&records, vec![whole, a.clone(), b.clone()]);
    assert_eq!(attacks(&findings), ["remainder before"].into());
    assert_eq!(findings[0].people.len(), 2);
    let point = fact("sessions", &[("period", "2026-W40")], 8.0);
    assert_eq!(attacks(&found(&records, vec![point, a, b])), ["remainder before"].into());
    let small = sessions(1..=3, 1, "x");
    let point = fact("sessions", &[("period", "2026-W40")], 3.0);
    assert_eq!(attacks(&found(&small, vec![point])), ["trend"].into());
    let combined = with(fact("sessions", &[("team", COMBINED)], 12.0), 8.0);
    assert_eq!(attacks(&found(&records, vec![combined])), ["previous"].into());
}

#[test]
fn parts_and_what_a_number_counts_are_found() {
    let mut records = sessions(1..=8, 5, "x");
    for record in records.iter_mut().take(6) {
        let address = format!("https://github.com/a/b/pull/{}", record["session_id"].as_str().unwrap().len());
        record["pull_requests"] = json!([{"pr_url": address, "pr_state": "merged"}]);
    }
    // Six sessions list one pull request, which one of them owns.
    assert_eq!(attacks(&found(&records, vec![fact("prs", &[], 1.0)])), ["basis"].into());
    let findings = found(&records, vec![fact("sessions_with_pr", &[], 6.0)]);
    assert_eq!(attacks(&findings), ["part of sessions"].into());
    assert!(findings[0].what.contains("without a pull request") && findings[0].people.len() == 2);
}

#[test]
fn forms_that_tell_too_much_are_found() {
    let records = sessions(1..=9, 5, "x");
    let acus = |metric: &str, value: f64| Fact { unit: "acu".to_owned(), ..fact(metric, &[], value) };
    for (fact, part) in [
        (acus("acus_per_session_max", 2.0), "one session"),
        (acus("acus_per_session_p90", 2.0), "percentile"),
        (acus("acus", 18.25), "not a whole number"),
        (
            Fact { numerator: Some(1.5), denominator: Some(3.0), ..acus("acus_per_merged_pr", 0.5) },
            "not whole",
        ),
        (Fact { previous: Some(1.5), ..acus("acus", 18.0) }, "was not a whole number"),
        (fact("sessions", &[("user", "Person 7VJF-6391")], 1.0), "by user"),
    ] {
        let findings = found(&records, vec![fact.clone()]);
        let is_found = findings.iter().any(|one| one.attack == "form" && one.what.contains(part));
        assert!(is_found, "{fact:?}: {findings:?}");
    }
    let ratio =
        Fact { numerator: Some(10.0), denominator: Some(3.0), ..acus("acus_per_merged_pr", 10.0 / 3.0) };
    assert!(!attacks(&found(&records, vec![ratio])).contains("form"));
}

#[test]
fn files_that_show_more_than_the_facts_are_found() {
    let records = [sessions(1..=6, 5, "tag-shown"), sessions(7..=7, 6, "tag-hidden")].concat();
    let facts =
        vec![fact("sessions", &[("tag", "tag-shown")], 6.0), fact("sessions", &[("day", "2026-10-05")], 6.0)];
    let mut report = Report::of_facts(WEEK, facts);
    let secrets = BTreeSet::from(["Secret title".to_owned()]);
    let truth = Truth::new(&records);
    let mut found = |name: &str, text: &str| {
        report.files = [(name.to_owned(), text.as_bytes().to_vec())].into();
        attacks(&outputs::attack(&report, &truth, &secrets))
    };
    let page = "<table><tr><th>Mon 5</th><td>6</td></tr><tr><th>Tue 6</th><td>–</td></tr></table> tag-shown";
    assert!(found("a.html", page).is_empty());
    assert_eq!(found("a.html", "of tag-hidden, 7"), ["another group"].into());
    assert_eq!(found("a.html", &page.replace('–', "1")), ["another group"].into());
    assert_eq!(found("a.html", "<desc>ACUs by day. Tue 6: 14, Wed 7: 0.</desc>"), ["another group"].into());
    assert_eq!(found("a.eml", "Subject: =53ecret=20tit=\r\nle"), ["secret"].into());
    assert_eq!(found("a-Secret title.json", "{}"), ["secret"].into());
    let heads = "metric,unit,tag,value,numerator,denominator,n,previous\r\n";
    assert!(found("a.csv", &format!("{heads}sessions,count,tag-shown,6,,,6,\r\n")).is_empty());
    assert_eq!(
        found("a.csv", &format!("{heads}sessions,count,tag-shown,6,,,6,1\r\n")),
        ["another fact"].into()
    );
    report.printed = "fetching sessions of Secret title".to_owned();
    report.files.clear();
    assert_eq!(attacks(&outputs::attack(&report, &truth, &secrets)), ["secret"].into());
}

#[test]
fn differences_of_several_reports_are_found() {
    // Team a has six people in each full week, and one more on 31 August.
    let day = |person: u32, month: u32, day: u32| {
        let mut record = session(person, 1, "team:a");
        record["session_id"] = json!(format!("s{person}-{month}-{day}"));
        record["created_at"] = json!(format!("2026-{month:02}-{day:02}T09:00:00Z"));
        record
    };
    let mut records: Vec<Value> =
        [3, 10, 17, 24].iter().flat_map(|monday| (1..=6).map(|person| day(person, 8, *monday))).collect();
    records.push(day(7, 8, 31));
    // In the second week of August one of the six is on holiday, and another comes.
    records.retain(|record| record["session_id"] != "s6-8-10");
    records.push(day(9, 8, 11));
    let truth = Truth::new(&records);
    let team = |value: f64| fact("sessions", &[("team", "a")], value);
    let mut reports = vec![Report::of_facts("2026-08", vec![team(25.0)])];
    for week in ["2026-W32", "2026-W33", "2026-W34", "2026-W35"] {
        reports.push(Report::of_facts(week, vec![team(6.0)]));
    }
    // By a tag, five of the six.
    let mut filtered = Report::of_facts("2026-W32", vec![team(6.0)]);
    filtered.filter.org = Some("org_demo".to_owned());
    reports.push(filtered);
    let names = |of: &[&str]| of.iter().map(|person| format!("email|{person}")).collect::<BTreeSet<_>>();
    let outcomes = several::attacks(&truth, &reports.iter().collect::<Vec<_>>());
    let found = |attack: &str| outcomes.iter().find(|one| one.attack == attack).unwrap();
    assert_eq!(found("month minus the weeks inside it").computed, names(&["7"]));
    assert_eq!(found("neighbouring weeks: few people came or went").narrowed, names(&["6", "9"]));
    assert!(found("one filter more or less").narrowed.is_empty());
    assert_eq!(found("all reports of weeks and months, linear combinations").computed, names(&["7"]));

    records.iter_mut().for_each(|record| {
        if record["session_id"] == "s2-8-3" {
            record["org_id"] = json!("org_other");
        }
    });
    let outcomes = several::attacks(&Truth::new(&records), &reports.iter().collect::<Vec<_>>());
    let filters = outcomes.iter().find(|one| one.attack == "one filter more or less").unwrap();
    assert_eq!(filters.computed, names(&["2"]));
}

#[test]
fn pseudonyms_are_opened() {
    // Seven people; one is away in the first two weeks, and each has pull requests of their own.
    let mut records = Vec::new();
    for (number, day) in [(0, 22), (1, 29), (2, 30 + 6)] {
        for person in 1..=7_u32 {
            if person == 7 && number < 2 {
                continue;
            }
            let (month, day) = if day > 30 { (10, day - 30) } else { (9, day) };
            let mut record = session(person, 1, "x");
            record["session_id"] = json!(format!("s{person}-{number}"));
            record["created_at"] = json!(format!("2026-{month:02}-{day:02}T09:00:00Z"));
            record["acus_consumed"] = json!(person + number);
            let pull = |at: u32| json!({"pr_url": format!("https://github.com/a/b/pull/{person}{number}{at}"), "pr_state": "open"});
            record["pull_requests"] = (0..person % 4).map(pull).collect();
            records.push(record);
        }
    }
    let truth = Truth::new(&records);
    let report = |(number, week): (u32, &str)| {
        let people = (1..=7).filter(|person| *person < 7 || number == 2);
        let facts = people.flat_map(|person| {
            let user = format!("Person 000{person}");
            let of = |metric, value| fact(metric, &[("user", user.as_str())], f64::from(value));
            let mut facts = vec![of("sessions", 1), of("acus", person + number)];
            facts.extend((person % 4 > 0).then(|| of("prs", person % 4)));
            facts
        });
        Report::of_facts(week, facts.collect())
    };
    let reports: Vec<Report> = (0..).zip(["2026-W39", "2026-W40", "2026-W41"]).map(report).collect();
    let outcomes = pseudonyms::attacks(&truth, &reports.iter().collect::<Vec<_>>());
    let found = |attack: &str| outcomes.iter().find(|one| one.attack == attack).unwrap();
    let seven = BTreeSet::from(["email|7".to_owned()]);
    assert_eq!(found("two weeks of absence").computed, seven);
    assert_eq!(found("who was at work in which week").computed, seven);
    // Three and seven have three a week, but not in the same weeks; four has none.
    assert_eq!(found("pull requests by author and week").computed.len(), 3);
    assert_eq!(found("pull requests by author and week").narrowed.len(), 7);
    assert_eq!(found("one recognised session opens all weeks of a person").computed.len(), 6);
    assert!(pseudonyms::attacks(&truth, &[]).iter().all(|one| one.narrowed.is_empty()));
}

#[test]
fn few_people_who_come_or_go_are_found() {
    let before = |people: std::ops::RangeInclusive<u32>, week: u32| {
        let mut records = sessions(people, 5, "x");
        for record in &mut records {
            record["created_at"] = json!(format!("2026-09-{:02}T09:00:00Z", 30 - 7 * week));
            record["session_id"] = json!(format!("{}-{week}", record["session_id"].as_str().unwrap()));
        }
        records
    };
    let shown = || vec![fact("new_users", &[], 5.0)];
    // 1 to 5 lapsed, 6 to 10 return, 11 to 15 are back, 16 to 20 are new.
    let mut records = [before(1..=10, 0), before(11..=15, 2), sessions(6..=20, 5, "x")].concat();
    assert!(found(&records, shown()).is_empty());
    // One who returns comes back after a break instead.
    records.retain(|record| record["session_id"] != "s6-5-x-0");
    let findings = found(&records, shown());
    assert_eq!((attacks(&findings), findings[0].people.len()), (["part of users"].into(), 4));
}

#[test]
fn few_sessions_of_a_size_or_with_one_message_are_found() {
    let mut records = sessions(1..=12, 5, "x");
    for (place, record) in records.iter_mut().enumerate() {
        record["session_size"] = json!(if place < 3 { "xl" } else { "s" });
        record["num_user_messages"] = json!(if place < 4 { 1 } else { 2 });
        record["pull_requests"] =
            json!([{"pr_url": format!("https://h/a/b/pull/{place}"), "pr_state": "merged"}]);
    }
    let findings = found(&records, vec![fact("large_session_share", &[], 0.25)]);
    assert_eq!((attacks(&findings), findings[0].people.len()), (["part by size"].into(), 3));
    let findings = found(&records, vec![fact("one_message_share", &[], 0.33)]);
    assert_eq!((attacks(&findings), findings[0].people.len()), (["part by size"].into(), 4));
    records[0]["pull_requests"][0]["pr_state"] = json!("open");
    records.truncate(5);
    let findings = found(&records, vec![fact("undecided_prs", &[], 1.0)]);
    assert_eq!((attacks(&findings), findings[0].people.len()), (["part by decision"].into(), 4));
}
