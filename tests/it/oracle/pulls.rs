//! Pull requests, and what stands behind them.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, Group, count, group, ratio};
use super::records::Session;

/// States, the strongest first.
const STATES: [&str; 5] = ["merged", "closed", "open", "draft", "unknown"];

/// A distinct pull request of a span.
pub struct Pull<'a> {
    pub owner: &'a Session,
    /// On which all its rows agree, or the strongest of them.
    pub state: &'static str,
    pub repo: String,
}

/// The pull requests of a span by canonical address.
pub fn distinct<'a>(sessions: &[&'a Session]) -> BTreeMap<&'a str, Pull<'a>> {
    let mut pulls: BTreeMap<&str, Pull> = BTreeMap::new();
    for session in sessions {
        for entry in &session.pulls {
            let Some(address) = entry.address.as_deref() else { continue };
            let pull = pulls.entry(address).or_insert_with(|| Pull {
                owner: session,
                state: entry.state,
                repo: entry.repo.clone(),
            });
            if (session.created, &session.id) < (pull.owner.created, &pull.owner.id) {
                pull.owner = session;
            }
            if rank(entry.state) < rank(pull.state) {
                pull.state = entry.state;
            }
        }
    }
    pulls
}

fn rank(state: &str) -> usize {
    STATES.iter().position(|known| *known == state).expect("every state is one of five")
}

#[derive(Default)]
struct Tally {
    all: usize,
    merged: usize,
    closed: usize,
}

impl Tally {
    fn add(&mut self, state: &str) {
        self.all += 1;
        self.merged += usize::from(state == "merged");
        self.closed += usize::from(state == "closed");
    }
}

/// Everything about pull requests of one span.
pub fn facts(sessions: &[&Session], pulls: &BTreeMap<&str, Pull>, facts: &mut Facts) {
    let mut whole = Tally::default();
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: BTreeMap<(&str, Option<String>), Tally> = BTreeMap::new();
    for pull in pulls.values() {
        whole.add(pull.state);
        *states.entry(pull.state).or_default() += 1;
        groups.entry(("repo", Some(pull.repo.clone()))).or_default().add(pull.state);
        groups.entry(("user", pull.owner.user.clone())).or_default().add(pull.state);
        for tag in pull.owner.tag_groups() {
            groups.entry(("tag", tag)).or_default().add(pull.state);
        }
    }
    enter(facts, group(&[]), &whole);
    let undecided = whole.all - whole.merged - whole.closed;
    count(facts, "undecided_prs", group(&[]), undecided, whole.all);
    ratio(facts, "undecided_share", group(&[]), "share", (undecided as f64, whole.all as f64), whole.all);
    let parts = (whole.merged as f64, whole.all as f64);
    ratio(facts, "merge_rate_all", group(&[]), "share", parts, whole.all);
    cost(facts, group(&[]), sessions.iter().map(|session| session.spent()).sum(), &whole);
    for (state, number) in states {
        count(facts, "prs", group(&[("state", Some(state))]), number, number);
    }
    for ((dimension, value), tally) in &groups {
        let of = group(&[(dimension, value.as_deref())]);
        enter(facts, of.clone(), tally);
        if *dimension != "repo" {
            let belongs = |session: &&&Session| match *dimension {
                "user" => session.user == *value,
                _ => session.tag_groups().contains(value),
            };
            cost(facts, of, sessions.iter().filter(belongs).map(|session| session.spent()).sum(), tally);
        }
    }
    of_sessions(sessions, pulls, facts);
}

fn enter(facts: &mut Facts, of: Group, tally: &Tally) {
    let decided = tally.merged + tally.closed;
    count(facts, "prs", of.clone(), tally.all, tally.all);
    count(facts, "prs_merged", of.clone(), tally.merged, tally.all);
    ratio(facts, "merge_rate", of, "share", (tally.merged as f64, decided as f64), decided);
}

fn cost(facts: &mut Facts, of: Group, spent: f64, tally: &Tally) {
    ratio(facts, "acus_per_merged_pr", of, "acu", (spent, tally.merged as f64), tally.merged);
}

/// How many sessions led to a pull request, and what the others cost.
fn of_sessions(sessions: &[&Session], pulls: &BTreeMap<&str, Pull>, facts: &mut Facts) {
    let merged: BTreeSet<&str> =
        pulls.iter().filter(|(_, pull)| pull.state == "merged").map(|(address, _)| *address).collect();
    let (mut with, mut with_merged, mut spent, mut spent_without) = (0, 0, 0.0, 0.0);
    for session in sessions {
        let addresses = session.addresses();
        spent += session.spent();
        if addresses.is_empty() {
            spent_without += session.spent();
        } else {
            with += 1;
        }
        if addresses.iter().any(|address| merged.contains(address)) {
            with_merged += 1;
        }
    }
    let n = sessions.len();
    count(facts, "sessions_with_pr", group(&[]), with, n);
    count(facts, "sessions_with_merged_pr", group(&[]), with_merged, n);
    ratio(facts, "acus_without_pr_share", group(&[]), "share", (spent_without, spent), n);
}
