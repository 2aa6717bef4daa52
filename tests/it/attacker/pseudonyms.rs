//! Attacks on pseudonyms that are the same in every report: groups by user,
//! joined over the weeks. A covered report has no such rows.

use std::collections::{BTreeMap, BTreeSet};

use super::runs::Report;
use super::several::Outcome;
use super::truth::{Filter, K, Period, Person, Truth};

/// What the weekly reports show of a pseudonym, by week: sessions, ACUs, pull requests.
type Shown = BTreeMap<String, BTreeMap<Period, (f64, f64, f64)>>;

/// What joining the rows of users over the weekly reports gives.
pub fn attacks(truth: &Truth, reports: &[&Report]) -> Vec<Outcome> {
    let weekly: Vec<&Report> = reports.iter().copied().filter(|report| report.period.is_week()).collect();
    let is_plain = |report: &&Report| report.filter == Filter::default() && report.price_from.is_none();
    let weekly: Vec<&Report> = weekly.into_iter().filter(is_plain).collect();
    let weeks: Vec<Period> = weekly.iter().map(|report| report.period.clone()).collect();
    let shown = shown(&weekly);
    let owners = owners(truth, &weeks, &shown);
    vec![
        pull_requests(truth, &weeks, &shown, &owners),
        pull_requests_of_one_repository(truth, &weeks, &shown, &owners),
        one_recognised_session(truth, &weeks, &shown, &owners),
        absences(truth, &weeks, &shown, &owners),
        attendance(truth, &weeks, &shown, &owners),
    ]
}

fn shown(reports: &[&Report]) -> Shown {
    let mut shown = Shown::new();
    for report in reports {
        for fact in report.facts.iter().filter(|fact| fact.group.len() == 1) {
            let Some(Some(user)) = fact.group.get("user") else { continue };
            if !user.starts_with("Person ") {
                continue;
            }
            let week = shown.entry(user.clone()).or_default().entry(report.period.clone()).or_default();
            match fact.metric.as_str() {
                "sessions" => week.0 = fact.value.unwrap_or_default(),
                "acus" => week.1 = fact.value.unwrap_or_default(),
                "prs" => week.2 = fact.value.unwrap_or_default(),
                _ => {}
            }
        }
    }
    shown
}

/// What each person did, week by week.
fn done(truth: &Truth, weeks: &[Period], repo: Option<&str>) -> Shown {
    let mut done = Shown::new();
    for week in weeks {
        for at in truth.of(week) {
            let session = &truth.sessions[at];
            let Some(user) = session.user.as_ref().filter(|_| !session.automation) else { continue };
            let own = done.entry(user.clone()).or_default().entry(week.clone()).or_default();
            (own.0, own.1) = (own.0 + 1.0, own.1 + session.spent());
        }
        for pull in truth.pulls(week).iter().filter(|pull| repo.is_none_or(|repo| pull.repo == repo)) {
            let session = &truth.sessions[pull.owner];
            let Some(user) = session.user.as_ref().filter(|_| !session.automation) else { continue };
            done.entry(user.clone()).or_default().entry(week.clone()).or_default().2 += 1.0;
        }
    }
    done
}

/// Whose each pseudonym is, to judge the attacks by; worked out from all numbers.
fn owners(truth: &Truth, weeks: &[Period], shown: &Shown) -> BTreeMap<String, Person> {
    let done = done(truth, weeks, None);
    let is_same = |one: &BTreeMap<Period, (f64, f64, f64)>, other: &BTreeMap<Period, (f64, f64, f64)>| {
        one.len() == other.len()
            && one.iter().zip(other).all(|(one, other)| {
                one.0 == other.0 && one.1.0 == other.1.0 && (one.1.1 - other.1.1).abs() < 1e-6
            })
    };
    let owner = |(name, weeks): (&String, &BTreeMap<Period, (f64, f64, f64)>)| {
        let (user, _) = done.iter().find(|(_, own)| is_same(weeks, own))?;
        Some((name.clone(), user.clone()))
    };
    shown.iter().filter_map(owner).collect()
}

/// The pull requests in each of the weeks.
fn vector(weeks: &[Period], of: &BTreeMap<Period, (f64, f64, f64)>) -> Vec<u64> {
    weeks.iter().map(|week| of.get(week).map_or(0, |done| done.2 as u64)).collect()
}

/// A reader who sees all pull requests with authors and times counts them by author
/// and week: a person is computed where one pseudonym alone has these numbers.
fn pull_requests(
    truth: &Truth,
    weeks: &[Period],
    shown: &Shown,
    owners: &BTreeMap<String, Person>,
) -> Outcome {
    let mut outcome = Outcome::new("pull requests by author and week");
    for (person, done) in done(truth, weeks, None) {
        let known = vector(weeks, &done);
        let same = shown.iter().filter(|(_, of)| vector(weeks, of) == known).map(|(name, _)| name);
        judge(&mut outcome, &person, same.collect(), owners);
    }
    outcome
}

/// The same where only the pull requests of the busiest repository are public: a
/// pseudonym is a candidate if it has at least as many in each week.
fn pull_requests_of_one_repository(
    truth: &Truth,
    weeks: &[Period],
    shown: &Shown,
    owners: &BTreeMap<String, Person>,
) -> Outcome {
    let mut outcome = Outcome::new("pull requests of one public repository");
    let mut repos: BTreeMap<String, usize> = BTreeMap::new();
    for week in weeks {
        truth.pulls(week).into_iter().for_each(|pull| *repos.entry(pull.repo).or_default() += 1);
    }
    let busiest = repos.into_iter().max_by_key(|(_, number)| *number).map(|(repo, _)| repo);
    for (person, done) in done(truth, weeks, busiest.as_deref()) {
        let known = vector(weeks, &done);
        if known.iter().all(|number| *number == 0) {
            continue;
        }
        let fits =
            |of: &BTreeMap<Period, _>| vector(weeks, of).iter().zip(&known).all(|(all, own)| all >= own);
        let fitting = shown.iter().filter(|(_, of)| fits(of)).map(|(name, _)| name);
        judge(&mut outcome, &person, fitting.collect(), owners);
    }
    outcome
}

/// A person is one of so many candidates; alone, and rightly, they are computed.
fn judge(
    outcome: &mut Outcome,
    person: &Person,
    candidates: BTreeSet<&String>,
    owners: &BTreeMap<String, Person>,
) {
    let is_right = candidates.iter().any(|name| owners.get(*name) == Some(person));
    if is_right && candidates.len() < K {
        outcome.differences += 1;
        outcome.narrowed.insert(person.clone());
        if candidates.len() == 1 {
            outcome.computed.insert(person.clone());
        }
    }
}

/// A reader who knows what one session of a person used finds it where it is the
/// person's only one of a week, and with the pseudonym all other weeks. The
/// differences are the weeks that are opened so.
fn one_recognised_session(
    truth: &Truth,
    weeks: &[Period],
    shown: &Shown,
    owners: &BTreeMap<String, Person>,
) -> Outcome {
    let mut outcome = Outcome::new("one recognised session opens all weeks of a person");
    let done = done(truth, weeks, None);
    for (name, rows) in shown {
        let Some(person) = owners.get(name) else { continue };
        if rows.len() > 1 && rows.values().any(|(sessions, ..)| *sessions == 1.0) {
            outcome.differences += done.get(person).map_or(0, |weeks| weeks.len() - 1);
            outcome.narrowed.insert(person.clone());
            outcome.computed.insert(person.clone());
        }
    }
    outcome
}

/// A reader who knows that a person was away for two weeks in a row looks for the
/// pseudonyms without a row in both.
fn absences(truth: &Truth, weeks: &[Period], shown: &Shown, owners: &BTreeMap<String, Person>) -> Outcome {
    let mut outcome = Outcome::new("two weeks of absence");
    for (person, done) in done(truth, weeks, None) {
        for pair in weeks.windows(2) {
            let is_away = |of: &BTreeMap<Period, _>| pair.iter().all(|week| !of.contains_key(week));
            if is_away(&done) {
                let away = shown.iter().filter(|(_, of)| is_away(of)).map(|(name, _)| name);
                judge(&mut outcome, &person, away.collect(), owners);
            }
        }
    }
    outcome
}

/// A reader who knows in which weeks a person was at work looks for the
/// pseudonyms with rows in exactly these.
fn attendance(truth: &Truth, weeks: &[Period], shown: &Shown, owners: &BTreeMap<String, Person>) -> Outcome {
    let mut outcome = Outcome::new("who was at work in which week");
    for (person, done) in done(truth, weeks, None) {
        let same = shown.iter().filter(|(_, of)| of.keys().eq(done.keys())).map(|(name, _)| name);
        judge(&mut outcome, &person, same.collect(), owners);
    }
    outcome
}
