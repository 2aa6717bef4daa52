//! What only version 3 provides.

use std::collections::BTreeMap;

use super::facts::{ExpectedFact, Facts, acus, count, group, ratio};
use super::pulls::Pull;
use super::records::Session;
use super::volume::percentile;

/// Everything about one span that version 2 does not provide.
pub fn facts(sessions: &[&Session], pulls: &BTreeMap<&str, Pull>, facts: &mut Facts) {
    let mut groups: BTreeMap<(&str, Option<&str>), (usize, f64)> = BTreeMap::new();
    let mut messages: BTreeMap<Option<&str>, Vec<f64>> = BTreeMap::new();
    let mut all = Vec::new();
    for session in sessions {
        let (origin, size, category) =
            (session.origin.as_deref(), session.size.as_deref(), session.category.as_deref());
        for key in [("origin", origin), ("size", size), ("category", category)] {
            let (number, spent) = groups.entry(key).or_default();
            *number += 1;
            *spent += session.spent();
        }
        let known = session.messages.map(|number| number as f64);
        messages.entry(size).or_default().extend(known);
        all.extend(known);
    }
    for ((dimension, value), (number, spent)) in groups {
        count(facts, "sessions", group(&[(dimension, value)]), number, number);
        acus(facts, "acus", group(&[(dimension, value)]), Some(spent), number);
    }
    median(facts, &[], all);
    for (size, known) in messages {
        median(facts, &[("size", size)], known);
    }
    let limited = sessions.iter().filter(|session| session.limited).count();
    count(facts, "sessions_stopped_by_limit", group(&[]), limited, sessions.len());

    let mut decided: BTreeMap<Option<&str>, (usize, usize)> = BTreeMap::new();
    for pull in pulls.values() {
        let (merged, all) = decided.entry(pull.owner.category.as_deref()).or_default();
        *merged += usize::from(pull.state == "merged");
        *all += usize::from(pull.state == "merged" || pull.state == "closed");
    }
    for (category, (merged, all)) in decided {
        let parts = (merged as f64, all as f64);
        ratio(facts, "merge_rate", group(&[("category", category)]), "share", parts, all);
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
