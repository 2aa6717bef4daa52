//! Sessions, people and ACUs.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{Span, local_date};
use super::facts::{Facts, acus, count, group, ratio};
use super::records::Session;

/// Lower edges of the histogram's bins, as text and as numbers.
const EDGES: [(&str, f64); 7] =
    [("0", 0.0), ("1", 1.0), ("2", 2.0), ("5", 5.0), ("10", 10.0), ("20", 20.0), ("50", 50.0)];

/// Everything about sessions, people and ACUs of one span.
pub fn facts(sessions: &[&Session], span: &Span, facts: &mut Facts) {
    volume(sessions, span, facts);
    people(sessions, facts);
    split(sessions, facts);
    distribution(sessions, facts);
    concentration(sessions, facts);
}

/// Sessions and ACUs, each of the whole and by every dimension.
fn volume(sessions: &[&Session], span: &Span, facts: &mut Facts) {
    let mut groups: BTreeMap<(&str, Option<String>), (usize, f64)> = BTreeMap::new();
    for (day, _) in &span.days {
        groups.insert(("day", Some(day.to_string())), (0, 0.0));
    }
    let mut total = 0.0;
    for session in sessions {
        total += session.spent();
        let mut of = vec![
            ("user", session.user.clone()),
            ("org", session.org.clone()),
            ("status", session.status.clone()),
            ("day", Some(local_date(session.created, span).to_string())),
        ];
        of.extend(session.tag_groups().into_iter().map(|tag| ("tag", tag)));
        for key in of {
            let (number, spent) = groups.entry(key).or_default();
            *number += 1;
            *spent += session.spent();
        }
    }
    count(facts, "sessions", group(&[]), sessions.len(), sessions.len());
    acus(facts, "acus", group(&[]), Some(total), sessions.len());
    for ((dimension, value), (number, spent)) in groups {
        let of = group(&[(dimension, value.as_deref())]);
        count(facts, "sessions", of.clone(), number, number);
        acus(facts, "acus", of, Some(spent), number);
    }
}

fn people(sessions: &[&Session], facts: &mut Facts) {
    let people: BTreeSet<&str> = sessions
        .iter()
        .filter(|session| !session.automation)
        .filter_map(|session| session.user.as_deref())
        .collect();
    let automation = sessions.iter().filter(|session| session.automation).count();
    count(facts, "active_users", group(&[]), people.len(), sessions.len());
    count(facts, "automation_sessions", group(&[]), automation, sessions.len());
}

/// ACUs by tag, a session's divided evenly among its tags.
fn split(sessions: &[&Session], facts: &mut Facts) {
    let mut tags: BTreeMap<Option<String>, (usize, f64)> = BTreeMap::new();
    for session in sessions {
        let of = session.tag_groups();
        let part = session.spent() / of.len() as f64;
        for tag in of {
            let (number, spent) = tags.entry(tag).or_default();
            *number += 1;
            *spent += part;
        }
    }
    for (tag, (number, spent)) in tags {
        acus(facts, "acus_split", group(&[("tag", tag.as_deref())]), Some(spent), number);
    }
}

fn distribution(sessions: &[&Session], facts: &mut Facts) {
    let mut known: Vec<f64> = sessions.iter().filter_map(|session| session.acus).collect();
    known.sort_by(f64::total_cmp);
    let n = known.len();
    acus(facts, "acus_per_session_median", group(&[]), percentile(&known, 50.0), n);
    acus(facts, "acus_per_session_p90", group(&[]), percentile(&known, 90.0), n);
    acus(facts, "acus_per_session_max", group(&[]), known.last().copied(), n);

    let mut bins: BTreeMap<&str, usize> = BTreeMap::new();
    for value in known {
        let (name, _) = EDGES.iter().rev().find(|(_, edge)| value >= *edge).expect("no amount is below 0");
        *bins.entry(name).or_default() += 1;
    }
    for (bin, number) in bins {
        count(facts, "acus_histogram", group(&[("bin", Some(bin))]), number, n);
    }
}

/// Linear interpolation between the two neighbours in rank; null of nothing.
pub fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let rank = percent / 100.0 * sorted.len().checked_sub(1)? as f64;
    let low = sorted[rank.floor() as usize];
    let high = sorted[rank.ceil() as usize];
    Some(low + (high - low) * (rank - rank.floor()))
}

/// How much of the spend the heaviest tenth of the users makes up.
fn concentration(sessions: &[&Session], facts: &mut Facts) {
    let mut by_user: BTreeMap<&str, f64> = BTreeMap::new();
    for session in sessions {
        if let Some(user) = &session.user {
            *by_user.entry(user).or_default() += session.spent();
        }
    }
    let mut spent: Vec<f64> = by_user.into_values().collect();
    spent.sort_by(|a, b| b.total_cmp(a));
    let heaviest = spent.len().div_ceil(10);
    let parts = (spent.iter().take(heaviest).sum(), spent.iter().sum());
    ratio(facts, "acus_top_decile_share", group(&[]), "share", parts, sessions.len());
}
