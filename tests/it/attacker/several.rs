//! Attacks on several reports: differences of what they publish. No rule of a
//! single report forbids these; how many people they narrow down is counted.

use std::collections::{BTreeMap, BTreeSet};

use super::linear;
use super::runs::Report;
use super::single::{Target, before_of, is_combined, names, period_of, without_period};
use super::truth::{Filter, Group, K, Period, Person, Rows, Truth};

/// Metrics of the whole period that count a part of its sessions.
const PARTS: [&str; 2] = ["sessions_with_pr", "analysed_sessions"];

/// A published number of sessions, and the sessions that it counts.
pub struct Sum {
    /// The period that the number speaks of.
    pub period: Period,
    /// The report that has it.
    pub of: Period,
    pub filter: Filter,
    pub group: Group,
    pub rows: Rows,
}

impl Sum {
    pub fn text(&self) -> String {
        let key =
            |(name, key): (&String, &Option<String>)| format!(" {name}={}", key.as_deref().unwrap_or("null"));
        format!("{}{}", self.period.label, self.group.iter().map(key).collect::<String>())
    }
}

/// What an attack comes to.
pub struct Outcome {
    pub attack: &'static str,
    /// Differences that rest on fewer than `K` people.
    pub differences: usize,
    /// The people that they rest on: each is one of fewer than `K` candidates.
    pub narrowed: BTreeSet<Person>,
    /// The people who are the only one behind a difference: their sessions are counted
    /// exactly, and their ACUs are known up to the rounding of the reports.
    pub computed: BTreeSet<Person>,
}

impl Outcome {
    pub fn new(attack: &'static str) -> Self {
        Self { attack, differences: 0, narrowed: BTreeSet::new(), computed: BTreeSet::new() }
    }

    /// Takes in the sessions on which a difference rests.
    pub fn take(&mut self, truth: &Truth, rows: &Rows) {
        let people = truth.people(rows).len();
        if (1..K).contains(&people) {
            self.differences += 1;
            self.narrowed.extend(truth.users(rows));
            if people == 1 {
                self.computed.extend(truth.users(rows));
            }
        }
    }
}

/// Every attack on the reports of an organisation.
pub fn attacks(truth: &Truth, reports: &[&Report]) -> Vec<Outcome> {
    let sums = sums(truth, reports);
    let plain: Vec<&Sum> = sums.iter().filter(|sum| sum.filter == Filter::default()).collect();
    let all: Vec<&Sum> = sums.iter().collect();
    vec![
        months_minus_weeks(truth, &plain),
        days(truth, &plain),
        groups_that_come_and_go(truth, &plain),
        attendance(truth, &plain),
        estimates(truth, &plain),
        filters(truth, &all),
        linear::attack("all reports of weeks and months, linear combinations", truth, &plain),
        linear::attack("the same with filtered reports", truth, &all),
    ]
}

/// Attacks on the sums of one report: linear combinations of all of them, and a
/// group minus one that it includes, of dimensions whose members people know.
pub fn within_one(truth: &Truth, report: &Report) -> Vec<(String, Outcome)> {
    let sums = sums(truth, &[report]);
    // What splits the whole in two is judged as a part.
    let is_group = |sum: &&Sum| !PARTS.iter().any(|part| sum.group.contains_key(*part));
    let groups: Vec<&Sum> = sums.iter().filter(is_group).collect();
    let (linear, combinations) = linear::explained("linear", truth, &groups);
    let mut outcomes = vec![(combinations.into_iter().next().unwrap_or_default(), linear)];
    for (one, other) in groups.iter().flat_map(|one| groups.iter().map(move |other| (one, other))) {
        let is_nested = one.period == other.period && other.rows.len() < one.rows.len();
        let is_known =
            |sum: &Sum| sum.group.keys().all(|name| ["org", "tag", "team"].contains(&name.as_str()));
        if is_nested
            && is_known(one)
            && is_known(other)
            && !one.group.is_empty()
            && other.rows.is_subset(&one.rows)
        {
            let mut outcome = Outcome::new("nested");
            outcome.take(truth, &one.rows.difference(&other.rows).copied().collect());
            if outcome.differences > 0 {
                outcomes.push((format!("{} minus {}", one.text(), other.text()), outcome));
            }
        }
    }
    outcomes
}

/// Every number of sessions that the reports publish, with previous values and trends.
fn sums(truth: &Truth, reports: &[&Report]) -> Vec<Sum> {
    let places: BTreeMap<&str, usize> =
        truth.sessions.iter().enumerate().map(|(at, session)| (session.id.as_str(), at)).collect();
    let mut sums = Vec::new();
    for report in reports {
        let own = truth.filtered(&report.filter);
        let mut target = Target::new(report, &own);
        let mut push = |period: Period, group: Group, rows: &Rows| {
            let rows = rows.iter().map(|at| places[own.sessions[*at].id.as_str()]).collect();
            sums.push(Sum { period, of: report.period.clone(), filter: report.filter.clone(), group, rows });
        };
        for fact in report.facts.iter().filter(|fact| !fact.group.contains_key("user") && fact.shows()) {
            let period = period_of(report, fact);
            let mut group = without_period(&fact.group);
            match fact.metric.as_str() {
                "sessions" | "acus_histogram" => {
                    let rows = target.members(fact);
                    push(period.clone(), group.clone(), &rows);
                }
                "sessions_with_pr" | "analysed_sessions" => {
                    let has = |at: &usize| match fact.metric.as_str() {
                        "sessions_with_pr" => !own.sessions[*at].addresses().is_empty(),
                        _ => own.sessions[*at].analysis.is_some(),
                    };
                    let rows: Rows = own.of(&period).into_iter().filter(has).collect();
                    group.insert(fact.metric.clone(), None);
                    push(period.clone(), group.clone(), &rows);
                }
                _ => continue,
            }
            let has_previous = fact.metric == "sessions" && fact.previous.is_some_and(|number| number != 0.0);
            if has_previous && !is_combined(&group) {
                let before = before_of(report, fact);
                let rows = target.truth_groups(&before, &names(&group)).remove(&group).unwrap_or_default();
                push(before, group, &rows);
            }
        }
    }
    sums
}

fn is_whole_or_lasting(group: &Group) -> bool {
    !group.contains_key("day") && !is_combined(group)
}

/// A month, or the point of a month in a trend, minus the weeks inside it in
/// which the same group is shown; for the whole, minus the days at its ends too.
fn months_minus_weeks(truth: &Truth, sums: &[&Sum]) -> Outcome {
    let mut outcome = Outcome::new("month minus the weeks inside it");
    let months = sums.iter().filter(|sum| !sum.period.is_week() && is_whole_or_lasting(&sum.group));
    for month in months {
        let inside = |sum: &&&Sum| sum.period.is_week() && month.period.contains(&sum.period);
        let weeks = sums.iter().filter(inside).filter(|sum| sum.group == month.group);
        let shown: Rows = weeks.flat_map(|sum| &sum.rows).copied().collect();
        if shown.is_empty() {
            continue;
        }
        let left: Rows = month.rows.difference(&shown).copied().collect();
        outcome.take(truth, &left);
        if month.group.is_empty() {
            let days = sums.iter().filter(|sum| sum.group.contains_key("day"));
            let days: Rows = days.flat_map(|sum| &sum.rows).copied().collect();
            outcome.take(truth, &left.difference(&days).copied().collect());
        }
    }
    outcome
}

/// A week or a month minus all of its days that any report shows.
fn days(truth: &Truth, sums: &[&Sum]) -> Outcome {
    let mut outcome = Outcome::new("period minus the days that any report shows");
    let days: Rows =
        sums.iter().filter(|sum| sum.group.contains_key("day")).flat_map(|sum| &sum.rows).copied().collect();
    for whole in sums.iter().filter(|sum| sum.group.is_empty()) {
        let left: Rows = whole.rows.difference(&days).copied().collect();
        if left.len() < whole.rows.len() {
            outcome.take(truth, &left);
        }
    }
    outcome
}

/// The weeks of one group or of the whole, in order, each once.
fn by_group<'a>(sums: &[&'a Sum]) -> BTreeMap<&'a Group, BTreeMap<&'a Period, &'a Rows>> {
    let mut groups: BTreeMap<&Group, BTreeMap<&Period, &Rows>> = BTreeMap::new();
    for sum in sums.iter().filter(|sum| sum.period.is_week() && is_whole_or_lasting(&sum.group)) {
        groups.entry(&sum.group).or_default().insert(&sum.period, &sum.rows);
    }
    groups
}

/// Pairs of weeks in a row in which a group is shown.
fn neighbours<'a>(weeks: &BTreeMap<&'a Period, &'a Rows>) -> Vec<(&'a Period, &'a Rows, &'a Rows)> {
    let pairs = weeks.iter().zip(weeks.iter().skip(1));
    let in_a_row = pairs.filter(|(one, other)| one.0.after == other.0.first);
    in_a_row.map(|(one, other)| (*other.0, *one.1, *other.1)).collect()
}

/// A group that is shown in some weeks and not in others, although it has people
/// in both: what it has in a week without a row is known to be of fewer than `K`.
fn groups_that_come_and_go(truth: &Truth, sums: &[&Sum]) -> Outcome {
    let mut outcome = Outcome::new("groups that come and go between weeks");
    let periods: BTreeSet<&Period> = sums.iter().filter(|sum| sum.of.is_week()).map(|sum| &sum.of).collect();
    let mut truth_groups = BTreeMap::new();
    for (group, weeks) in by_group(sums) {
        let is_by_group = group.len() == 1 && group.values().all(|key| key.is_some());
        if !is_by_group {
            continue;
        }
        for period in periods.iter().filter(|period| !weeks.contains_key(**period)) {
            let dimensions = names(group);
            if dimensions
                .iter()
                .any(|name| ["sessions_with_pr", "analysed_sessions"].contains(&name.as_str()))
            {
                continue;
            }
            let key = (period.label.clone(), dimensions.clone());
            let groups = truth_groups.entry(key).or_insert_with(|| truth.groups(period, &dimensions));
            if let Some(rows) = groups.get(group) {
                outcome.take(truth, rows);
            }
        }
    }
    // What is known is that they are few, not how much they did.
    outcome.computed.clear();
    outcome
}

/// Who knows who was at work in each week attributes the change of a group
/// between two weeks to those who came or went: fewer than `K` people.
fn attendance(truth: &Truth, sums: &[&Sum]) -> Outcome {
    let mut outcome = Outcome::new("neighbouring weeks: few people came or went");
    for (_, one, other) in by_group(sums).values().flat_map(neighbours) {
        let changed = changed(truth, one, other);
        if (1..K).contains(&changed.len()) {
            outcome.differences += 1;
            outcome.narrowed.extend(changed);
        }
    }
    outcome
}

/// The people with sessions in one of two weeks alone.
fn changed(truth: &Truth, one: &Rows, other: &Rows) -> BTreeSet<Person> {
    truth.users(one).symmetric_difference(&truth.users(other)).cloned().collect()
}

/// The same where a single person came or went, and the change of the ACUs is
/// within a tenth of what that person used.
fn estimates(truth: &Truth, sums: &[&Sum]) -> Outcome {
    let mut outcome = Outcome::new("the same, one person: ACUs estimated within 10%");
    for (_, one, other) in by_group(sums).values().flat_map(neighbours) {
        let changed = changed(truth, one, other);
        let Some(person) = changed.first().filter(|_| changed.len() == 1) else { continue };
        let is_own = |at: &&usize| truth.sessions[**at].user.as_ref() == Some(person);
        let own = truth.acus(one.union(other).filter(is_own));
        let estimate = (truth.acus(one) - truth.acus(other)).abs();
        if (estimate - own).abs() <= own / 10.0 {
            outcome.differences += 1;
            outcome.narrowed.insert(person.clone());
        }
    }
    outcome
}

/// A group of a report minus the same group of a report with one filter more.
fn filters(truth: &Truth, sums: &[&Sum]) -> Outcome {
    let mut outcome = Outcome::new("one filter more or less");
    let mut groups: BTreeMap<(&Period, &Group), Vec<&Sum>> = BTreeMap::new();
    for sum in sums.iter().filter(|sum| !is_combined(&sum.group)) {
        groups.entry((&sum.period, &sum.group)).or_default().push(sum);
    }
    for same in groups.values() {
        for (one, other) in same.iter().flat_map(|one| same.iter().map(move |other| (one, other))) {
            if one.filter.narrows(&other.filter) {
                outcome.take(truth, &other.rows.difference(&one.rows).copied().collect());
            }
        }
    }
    outcome
}
