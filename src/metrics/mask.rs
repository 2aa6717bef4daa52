//! People behind pseudonyms, or not shown at all. Facts are masked once they
//! are worked out, so that no total depends on it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::facts::Fact;
use super::metric::{Dim, Kind};
use super::{ACTIVE_USERS, Findings};
use crate::fetch::Api;
use crate::people::ENOUGH;
use crate::settings::Shown;

/// What everybody is called where people are hidden.
pub const HIDDEN: &str = "hidden";

/// What makes pseudonyms mean nothing outside one installation.
#[derive(Clone, Default)]
pub struct Salt(pub [u8; 32]);

/// What of people and sessions is covered.
pub struct Masks<'a> {
    /// How people are shown.
    pub people: Shown,
    /// What pseudonyms are made with.
    pub salt: &'a Salt,
    /// Whether single sessions go without id, title and link.
    pub sessions: bool,
}

/// Covers people and sessions in what a report shows. Facts stay in canonical order.
pub fn mask(findings: &mut Findings, masks: &Masks<'_>) {
    let name = shown(masks, &findings.facts);
    let evidence = &mut findings.evidence;
    let lists = [&mut evidence.costliest, &mut evidence.costly_without_merge, &mut evidence.high_impact];
    for row in lists.into_iter().flatten() {
        row.user = row.user.as_deref().map(&name);
        if masks.sessions {
            row.id = String::new();
            row.title = None;
            row.url = None;
            row.prompt = None;
        }
    }
    if masks.people == Shown::Names {
        return;
    }
    for (dim, key) in findings.facts.iter_mut().flat_map(|fact| &mut fact.group) {
        if *dim == Dim::User {
            *key = key.as_deref().map(&name);
        }
    }
    findings.facts.sort_by(Fact::canonical_order);
    findings.facts = merged(std::mem::take(&mut findings.facts));
}

/// What stands for a user's id: itself, a pseudonym, or the word for everybody.
pub fn shown<'m>(masks: &Masks<'m>, facts: &[Fact]) -> impl Fn(&str) -> String + use<'m> {
    let people = facts.iter().find(|fact| fact.metric.id == ACTIVE_USERS.id && fact.group.is_empty());
    let is_small = people.and_then(|fact| fact.value).unwrap_or(0.0) < f64::from(ENOUGH);
    let (people, salt) = (masks.people, masks.salt);
    move |id| match people {
        Shown::Names => id.to_owned(),
        Shown::Pseudonyms if !is_small => pseudonym(salt, id),
        Shown::Pseudonyms | Shown::Hidden => HIDDEN.to_owned(),
    }
}

/// A name for an id that is the same in every report of an installation and
/// cannot be led back without its salt: 40 bits of HMAC-SHA-256.
fn pseudonym(salt: &Salt, id: &str) -> String {
    // Letters and digits that are not mistaken for each other (Crockford's base 32).
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&salt.0) else { return HIDDEN.to_owned() };
    mac.update(id.as_bytes());
    let bits =
        mac.finalize().into_bytes().iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let digit =
        |place: u32| DIGITS.get((bits >> (5 * place)) as usize & 31).map_or('0', |digit| char::from(*digit));
    let code: String = (0..8).rev().map(digit).collect();
    let (first, last) = code.split_at(4);
    let kind = if Api::is_service_user(id) { "Service user" } else { "Person" };
    format!("{kind} {first}-{last}")
}

/// Facts of one group that came apart under several ids are one again. What
/// the previous period had cannot be told from its groups of today.
fn merged(facts: Vec<Fact>) -> Vec<Fact> {
    let mut out: Vec<Fact> = Vec::with_capacity(facts.len());
    for fact in facts {
        match out.last_mut() {
            Some(last) if last.canonical_order(&fact).is_eq() => add(last, &fact),
            _ => out.push(fact),
        }
    }
    out
}

fn add(to: &mut Fact, fact: &Fact) {
    to.numerator += fact.numerator;
    to.denominator += fact.denominator;
    to.n += fact.n;
    to.value = match to.metric.kind {
        Kind::Ratio => (to.denominator > 0.0).then(|| to.numerator / to.denominator),
        // No metric by user is a percentile, which could not be put together again.
        Kind::Total | Kind::Quantile => to.value.zip(fact.value).map(|(a, b)| a + b),
    };
    to.previous = None;
    to.previous_n = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACUS, Evidence, MERGE_RATE, PRS, Quality, SessionRow};

    fn fact(metric: &'static crate::metrics::Metric, user: Option<Option<&str>>, value: f64, n: f64) -> Fact {
        Fact {
            metric,
            unit: metric.unit,
            group: user.map(|user| (Dim::User, user.map(str::to_owned))).into_iter().collect(),
            value: Some(value),
            numerator: value * n,
            denominator: n,
            n,
            previous: Some(1.0),
            previous_n: 1.0,
        }
    }

    fn findings(people: f64) -> Findings {
        let mut facts = vec![
            fact(&ACTIVE_USERS, None, people, 9.0),
            fact(&ACUS, None, 10.0, 9.0),
            fact(&ACUS, Some(None), 1.0, 1.0),
            fact(&ACUS, Some(Some("email|1")), 4.0, 3.0),
            fact(&ACUS, Some(Some("service-user-2")), 5.0, 5.0),
            fact(&MERGE_RATE, Some(Some("email|1")), 0.5, 4.0),
            fact(&MERGE_RATE, Some(Some("service-user-2")), 1.0, 2.0),
            fact(&PRS, Some(Some("email|1")), 4.0, 4.0),
        ];
        facts.sort_by(Fact::canonical_order);
        let row = SessionRow {
            id: "s1".to_owned(),
            title: Some("t".to_owned()),
            url: Some("https://x".to_owned()),
            prompt: Some("p".to_owned()),
            user: Some("email|1".to_owned()),
            ..SessionRow::default()
        };
        let evidence = Evidence { costliest: vec![row], ..Evidence::default() };
        Findings { facts, quality: Quality::default(), evidence, budget: None }
    }

    fn masked(people: Shown, active: f64, salt: u8) -> Findings {
        let mut findings = findings(active);
        mask(&mut findings, &Masks { people, salt: &Salt([salt; 32]), sessions: people != Shown::Names });
        findings
    }

    fn users(findings: &Findings, metric: &crate::metrics::Metric) -> Vec<(Option<String>, Option<f64>)> {
        let own = |fact: &&Fact| fact.metric.id == metric.id && !fact.group.is_empty();
        let row = |fact: &Fact| (fact.key(Dim::User).flatten().map(str::to_owned), fact.value);
        findings.facts.iter().filter(own).map(row).collect()
    }

    #[test]
    fn a_pseudonym_is_stable_and_depends_on_the_salt() {
        let (one, again, other) = (
            masked(Shown::Pseudonyms, 9.0, 1),
            masked(Shown::Pseudonyms, 9.0, 1),
            masked(Shown::Pseudonyms, 9.0, 2),
        );
        let users_of = |findings: &Findings| users(findings, &ACUS);
        assert_eq!(users_of(&one), users_of(&again));
        assert_ne!(users_of(&one), users_of(&other));
        assert_eq!(users_of(&one).iter().filter_map(|(_, value)| *value).sum::<f64>(), 10.0);
        let names: Vec<String> = users_of(&one).into_iter().filter_map(|(name, _)| name).collect();
        assert!(names.iter().any(|name| name.starts_with("Person ") && name.len() == 16), "{names:?}");
        assert!(names.iter().any(|name| name.starts_with("Service user ")), "{names:?}");
        assert!(one.facts.is_sorted_by(|a, b| a.canonical_order(b).is_lt()));
        // Worked out with Python: hmac.new(bytes([1]*32), b"email|1", "sha256").digest()[:5], in base 32.
        assert_eq!(pseudonym(&Salt([1; 32]), "email|1"), "Person 7VJF-6391");
    }

    #[test]
    fn hidden_people_are_one_group_and_what_belongs_to_nobody_stays_apart() {
        for findings in [masked(Shown::Hidden, 9.0, 1), masked(Shown::Pseudonyms, 4.0, 1)] {
            let hidden = || Some(HIDDEN.to_owned());
            assert_eq!(users(&findings, &ACUS), [(None, Some(1.0)), (hidden(), Some(9.0))]);
            assert_eq!(users(&findings, &MERGE_RATE), [(hidden(), Some(4.0 / 6.0))]);
            let merged = findings.facts.iter().find(|fact| fact.metric.id == MERGE_RATE.id).unwrap();
            assert_eq!((merged.n, merged.previous), (6.0, None));
        }
    }

    #[test]
    fn sessions_lose_what_tells_them_apart() {
        let row = &masked(Shown::Hidden, 9.0, 1).evidence.costliest[0];
        assert_eq!((row.id.as_str(), &row.title, &row.url, &row.prompt), ("", &None, &None, &None));
        let kept = &masked(Shown::Names, 9.0, 1).evidence.costliest[0];
        assert_eq!(
            (kept.id.as_str(), kept.user.as_deref(), kept.title.as_deref()),
            ("s1", Some("email|1"), Some("t"))
        );
    }
}
