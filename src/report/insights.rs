//! What stands out: a few sentences made by rules from the facts, each with
//! its number, silent where too little is known.

use super::names;
use crate::metrics::*;
use crate::text::clean;
use crate::unit::{Unit, percent_change};

/// The most sentences on the page.
const MOST: usize = 5;
/// Below this many a share or a comparison says little.
const ENOUGH: f64 = 10.0;
/// A headline moved when it changed by this share.
const MOVED: f64 = 0.1;

/// The longest name inside a sentence.
const LONGEST_NAME: usize = 50;

/// The sentences, most important first.
pub fn insights(facts: &Facts, evidence: &Evidence, previous: &str) -> Vec<String> {
    let rules = [
        incomplete(facts),
        nothing(facts),
        headline_mover(facts, previous),
        tag_mover(facts, previous),
        concentration(facts),
        friction(evidence),
        without_pr(facts),
    ];
    rules.into_iter().flatten().take(MOST).collect()
}

fn name(dim: Dim, key: Option<&str>) -> String {
    clean(&names::name(dim, key), LONGEST_NAME)
}

fn acus(value: f64) -> String {
    Unit::Acu.text(Some(value))
}

fn count(value: f64) -> String {
    Unit::Count.text(Some(value))
}

fn things(value: f64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1.0 { one } else { many })
}

fn incomplete(facts: &Facts) -> Option<String> {
    let ledger = &facts.source.ledger;
    (!ledger.complete).then(|| {
        format!(
            "Sessions are missing: {} arrived, but the server counts another number. \
             Every number below may be too low.",
            count(ledger.unique as f64)
        )
    })
}

/// An empty period is news, not a broken page.
fn nothing(facts: &Facts) -> Option<String> {
    let none = facts.whole(&SESSIONS)?.value? == 0.0;
    none.then(|| "No session was created in this period.".to_owned())
}

/// The headline number that moved most, in relation to itself.
fn headline_mover(facts: &Facts, previous: &str) -> Option<String> {
    let moved = |metric: &'static Metric| {
        let fact = facts.whole(metric)?;
        let (now, before) = (fact.value?, fact.previous?);
        let relative = (now / before - 1.0).abs();
        (before >= ENOUGH && relative >= MOVED).then_some((relative, metric, now, before))
    };
    let (_, metric, now, before) = [&ACUS, &SESSIONS, &ACTIVE_USERS, &PRS]
        .into_iter()
        .filter_map(moved)
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    let verb = if now > before { "rose" } else { "fell" };
    let percent = percent_change(now, before)?;
    let text = |value| metric.unit.text(Some(value));
    let title = if metric.id == ACUS.id { metric.title.to_owned() } else { metric.title.to_lowercase() };
    let title = capital(&title);
    Some(format!("{title} {verb} to {} from {} in {previous} ({percent}).", text(now), text(before)))
}

/// The tag whose ACUs changed most.
fn tag_mover(facts: &Facts, previous: &str) -> Option<String> {
    let total = facts.whole(&ACUS)?.value?;
    let (fact, change) = facts
        .by(&ACUS, &[Dim::Tag])
        .filter(|fact| fact.key(Dim::Tag).flatten().is_some() && fact.n >= 3.0)
        .filter_map(|fact| Some((fact, fact.value? - fact.previous?)))
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    if change.abs() < total * 0.05 || total < ENOUGH {
        return None;
    }
    let tag = name(Dim::Tag, fact.key(Dim::Tag).flatten());
    let word = if change > 0.0 { "more" } else { "less" };
    Some(format!(
        "The tag “{tag}” changed most: {} ACUs, {} {word} than in {previous}.",
        acus(fact.value?),
        acus(change.abs())
    ))
}

/// How few users use how much.
fn concentration(facts: &Facts) -> Option<String> {
    let users = facts.by(&ACUS, &[Dim::User]).filter(|fact| fact.key(Dim::User).flatten().is_some()).count();
    let share = facts.whole(&ACUS_TOP_DECILE_SHARE)?;
    if (users as f64) < ENOUGH || share.denominator <= 0.0 {
        return None;
    }
    let heaviest = users.div_ceil(10) as f64;
    Some(format!(
        "The heaviest tenth of users, {} of {} with service users, used {} of the ACUs: {} of {}.",
        count(heaviest),
        count(users as f64),
        Unit::Share.text(share.value),
        acus(share.numerator),
        acus(share.denominator)
    ))
}

/// The label with the most issues of high impact.
fn friction(evidence: &Evidence) -> Option<String> {
    let row = evidence.labels.iter().find(|row| row.label.is_some() && row.high >= 2.0)?;
    Some(format!(
        "“{}” has the most high-impact issues: {}. Issues with this label touched {} that used {} ACUs.",
        name(Dim::Label, row.label.as_deref()),
        count(row.high),
        things(row.sessions, "session", "sessions"),
        acus(row.acus)
    ))
}

/// Spend that led to no pull request.
fn without_pr(facts: &Facts) -> Option<String> {
    let fact = facts.whole(&ACUS_WITHOUT_PR_SHARE)?;
    if fact.n < ENOUGH || fact.denominator <= 0.0 || fact.numerator <= 0.0 {
        return None;
    }
    Some(format!(
        "{} of the ACUs ({} of {}) went into sessions without a pull request.",
        Unit::Share.text(fact.value),
        acus(fact.numerator),
        acus(fact.denominator)
    ))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
