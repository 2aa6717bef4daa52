//! What only version 3 provides.

use std::collections::BTreeMap;

use super::facts::{ExpectedFact, Facts, acus, count, group, ratio};
use super::pulls::Pull;
use super::records::Session;
use super::volume::percentile;

/// Everything about one span that version 2 does not provide.
pub fn facts(sessions: &[&Session], pulls: &BTreeMap<&str, Pull>, has_modes: bool, facts: &mut Facts) {
    let mut groups: BTreeMap<(&str, Option<&str>), (usize, f64)> = BTreeMap::new();
    let mut messages: BTreeMap<Option<&str>, Vec<f64>> = BTreeMap::new();
    let mut all = Vec::new();
    for session in sessions {
        for key in dimensions(session, has_modes) {
            let (number, spent) = groups.entry(key).or_default();
            *number += 1;
            *spent += session.spent();
        }
        let known = session.messages.map(|number| number as f64);
        messages.entry(session.size.as_deref()).or_default().extend(known);
        all.extend(known);
    }
    for ((dimension, value), (number, spent)) in groups {
        count(facts, "sessions", group(&[(dimension, value)]), number, number);
        if dimension == "status_detail" {
            continue;
        }
        acus(facts, "acus", group(&[(dimension, value)]), Some(spent), number);
    }
    median(facts, &[], all);
    for (size, known) in messages {
        median(facts, &[("size", size)], known);
    }
    let limited = sessions.iter().filter(|session| session.limited).count();
    count(facts, "sessions_stopped_by_limit", group(&[]), limited, sessions.len());

    sizes_and_messages(sessions, pulls, facts);
    delivered(sessions, pulls, has_modes, facts);
}

/// What sessions are grouped by.
fn dimensions(session: &Session, has_modes: bool) -> Vec<(&'static str, Option<&str>)> {
    let mut all = vec![
        ("origin", &session.origin),
        ("size", &session.size),
        ("category", &session.category),
        ("playbook", &session.playbook),
        ("status_detail", &session.status_detail),
    ];
    if has_modes {
        all.push(("mode", &session.mode));
    }
    all.into_iter().map(|(name, value)| (name, value.as_deref())).collect()
}

/// How many sessions are large, and how many of those that deliver need no second message.
fn sizes_and_messages(sessions: &[&Session], pulls: &BTreeMap<&str, Pull>, facts: &mut Facts) {
    let sizes: Vec<&str> = sessions.iter().filter_map(|session| session.size.as_deref()).collect();
    let large = sizes.iter().filter(|size| ["l", "xl"].contains(*size)).count();
    let parts = (large as f64, sizes.len() as f64);
    ratio(facts, "large_session_share", group(&[]), "share", parts, sizes.len());

    let is_merged = |address: &&str| pulls[*address].state == "merged";
    let delivers = |session: &&&Session| session.addresses().iter().any(is_merged);
    let messages: Vec<u64> =
        sessions.iter().filter(delivers).filter_map(|session| session.messages).collect();
    let one = messages.iter().filter(|number| **number == 1).count();
    ratio(
        facts,
        "one_message_share",
        group(&[]),
        "share",
        (one as f64, messages.len() as f64),
        messages.len(),
    );
}

/// Pull requests by what their owners are grouped by, and what a merged one costs there.
fn delivered(sessions: &[&Session], pulls: &BTreeMap<&str, Pull>, has_modes: bool, facts: &mut Facts) {
    type Key<'a> = (&'static str, Option<&'a str>);
    let mut groups: BTreeMap<Key<'_>, [usize; 3]> = BTreeMap::new();
    for pull in pulls.values() {
        for key in dimensions(pull.owner, has_modes).into_iter().filter(|key| key.0 != "status_detail") {
            let [all, decided, merged] = groups.entry(key).or_default();
            *all += 1;
            *decided += usize::from(["merged", "closed"].contains(&pull.state));
            *merged += usize::from(pull.state == "merged");
        }
    }
    for (key, [all, decided, merged]) in groups {
        let of = || group(&[key]);
        count(facts, "prs", of(), all, all);
        count(facts, "prs_merged", of(), merged, all);
        ratio(facts, "merge_rate", of(), "share", (merged as f64, decided as f64), decided);
        let own = sessions.iter().filter(|session| dimensions(session, has_modes).contains(&key));
        let spent: f64 = own.map(|session| session.spent()).sum();
        ratio(facts, "acus_per_merged_pr", of(), "acu", (spent, merged as f64), merged);
    }
}

fn median(facts: &mut Facts, of: &[(&str, Option<&str>)], mut known: Vec<f64>) {
    known.sort_by(f64::total_cmp);
    let fact = ExpectedFact {
        unit: "count",
        value: percentile(&known, 50.0),
        n: known.len() as u64,
        ..ExpectedFact::default()
    };
    facts.insert(("user_messages_median".to_owned(), group(of)), fact);
}
