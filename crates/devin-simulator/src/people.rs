//! Who the ids in sessions belong to. Names depend on the id alone, so that the
//! sessions of an organisation do not change by them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveTime, Utc};

use super::random::Random;
use super::recipe::Recipe;
use super::words::{LONG_NAME, WORDS};
use super::world::{World, pad};

/// The stream of a user's id from which the name is drawn.
const STREAM: u64 = 1;
/// The id that version 2 writes where a service user started a session.
const NOBODY: &str = "bot_apk";
/// Of so many people in a row each has a place of its own among the odd ones.
const ROUND: usize = 24;

/// Where the third version lists somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Among the users.
    Users,
    /// Among the users of an identity provider, a list of its own.
    IdpUsers,
    /// On both, and by name on the second one alone.
    Both,
    /// Among the service users, whom version 2 does not list.
    ServiceUsers,
}

/// Somebody who may start sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As in sessions.
    pub id: String,
    /// What they are called, where that is known.
    pub name: Option<String>,
    /// The same of their email; no service user has one.
    pub email: Option<String>,
    /// Where they are listed.
    pub listed: Listed,
    /// The organisations that they belong to; none is all of them.
    pub orgs: BTreeSet<String>,
    /// When they joined, if within the span of the sessions.
    pub joined: Option<DateTime<Utc>>,
}

/// The people of a recipe. Most have an ordinary name; where odd values may
/// occur, some have none, no email either, a long or a foreign one or that of
/// somebody else. A person who left is on no list.
pub fn invent(recipe: &Recipe) -> Vec<Person> {
    let world = World::new(recipe);
    let mut emails = BTreeSet::new();
    let mut people: Vec<Person> = Vec::new();
    let first = recipe.first_day.and_time(NaiveTime::MIN).and_utc();
    for (rank, id) in world.users.iter().enumerate() {
        let org = world.orgs.get(rank % world.orgs.len().max(1)).cloned();
        let tenure = world.tenures.get(rank).filter(|tenure| tenure.end == world.end);
        let Some(tenure) = tenure else { continue };
        let mut person = ordinary(id, org.into_iter().collect(), &mut emails);
        person.joined = Some(tenure.start).filter(|start| *start > first);
        let odd = if recipe.oddity > 0.0 { rank % ROUND } else { 0 };
        match odd {
            6 | 18 => {
                let (name, address) = WORDS
                    .foreign_names
                    .get(rank / 12 % WORDS.foreign_names.len())
                    .copied()
                    .unwrap_or_default();
                person.name = Some(name.to_owned());
                person.email = Some(email(address, &mut emails));
            }
            8 => person.name = Some(LONG_NAME.to_owned()),
            10 => person.name = None,
            12 => (person.name, person.email) = (None, None),
            14 => continue,
            // A namesake of somebody who is busier.
            17 => {
                let (name, address) = world.users.get(rank - 14).map(|id| full_name(id)).unwrap_or_default();
                person.name = Some(name);
                person.email = Some(email(&address, &mut emails));
            }
            20 => person.listed = Listed::Both,
            22 => person.name = Some(format!("Robin <{}>", person.email.as_deref().unwrap_or_default())),
            _ => {}
        }
        person.name = person.name.map(|name| pad(name, recipe.name_length));
        people.push(person);
    }
    let services = (0..).zip(&world.service_users).map(|(rank, id)| service(id, rank));
    people.extend(
        services.map(|one| Person { name: one.name.map(|name| pad(name, recipe.name_length)), ..one }),
    );
    people
}

/// Everybody who is named among these users and their organisations, by id and
/// with ordinary names; a user of a session without an organisation belongs to all.
pub fn known<'a>(users: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Person> {
    let mut met: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (user, org) in users.map(|(user, org)| (user.trim(), org)) {
        if !user.is_empty() && user != NOBODY {
            met.entry(user).or_default().insert(org.to_owned());
        }
    }
    let mut emails = BTreeSet::new();
    let person = |(id, orgs): (&str, BTreeSet<String>)| {
        let orgs = if orgs.contains("") { BTreeSet::new() } else { orgs };
        ordinary(id, orgs, &mut emails)
    };
    met.into_iter().map(person).collect()
}

/// The same of service users.
pub fn known_service_users<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<Person> {
    let met: BTreeSet<&str> = ids.map(str::trim).filter(|id| !id.is_empty()).collect();
    (0..).zip(met).map(|(rank, id)| service(id, rank)).collect()
}

fn ordinary(id: &str, orgs: BTreeSet<String>, emails: &mut BTreeSet<String>) -> Person {
    let (name, address) = full_name(id);
    let listed = if Random::keyed(id, STREAM + 1).chance(0.3) { Listed::IdpUsers } else { Listed::Users };
    Person {
        id: id.to_owned(),
        name: Some(name),
        email: Some(email(&address, emails)),
        listed,
        orgs,
        joined: None,
    }
}

fn service(id: &str, rank: usize) -> Person {
    let name = WORDS.services.get(rank % WORDS.services.len()).map(|name| (*name).to_owned());
    let orgs = BTreeSet::new();
    Person { id: id.to_owned(), name, email: None, listed: Listed::ServiceUsers, orgs, joined: None }
}

/// A name, and how an address writes it.
fn full_name(id: &str) -> (String, String) {
    let mut random = Random::keyed(id, STREAM);
    let (given, surname) = (random.pick(&WORDS.given_names), random.pick(&WORDS.surnames));
    (format!("{} {}", given.0, surname.0), format!("{}.{}", given.1, surname.1))
}

/// A unique address.
fn email(address: &str, emails: &mut BTreeSet<String>) -> String {
    let numbered = |number: usize| match number {
        1 => format!("{address}@halden.example"),
        _ => format!("{address}{number}@halden.example"),
    };
    let free = (1..).map(numbered).find(|email| !emails.contains(email)).unwrap_or_default();
    emails.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_people_of_every_kind() {
        let people = invent(&Recipe::demo());
        let world = World::new(&Recipe::demo());
        let count = |test: &dyn Fn(&Person) -> bool| people.iter().filter(|one| test(one)).count();
        assert_eq!(people.len(), 21 + 2, "three users have left");
        assert!(world.users.iter().filter(|id| !people.iter().any(|one| one.id == **id)).count() == 3);
        assert_eq!(count(&|one| one.joined.is_some()), 2);
        assert_eq!(count(&|one| one.listed == Listed::ServiceUsers && one.email.is_none()), 2);
        assert_eq!(count(&|one| one.name.is_none() && one.email.is_some()), 1);
        assert_eq!(count(&|one| one.name.is_none() && one.email.is_none()), 1);
        assert_eq!(count(&|one| one.listed == Listed::Both), 1);
        assert!(
            count(&|one| one.listed == Listed::Users) > 10
                && count(&|one| one.listed == Listed::IdpUsers) > 3
        );
        let foreign = |one: &Person| {
            one.name.as_ref().is_some_and(|name| name.chars().all(|c| c > '\u{2ff}' || c == ' '))
        };
        assert_eq!(count(&foreign), 2);
        assert_eq!(count(&|one| one.name.as_ref().is_some_and(|name| name.chars().count() > 60)), 1);
        let names: Vec<&String> = people.iter().filter_map(|one| one.name.as_ref()).collect();
        let emails: Vec<&String> = people.iter().filter_map(|one| one.email.as_ref()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len() - 1, "two are called the same");
        assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len());
        assert!(emails.iter().all(|email| email.is_ascii() && email.ends_with("@halden.example")));
        // If this fails, the names in the demo have changed for everybody.
        assert_eq!(people[0].name.as_deref(), Some("Priya Unger"));
    }

    #[test]
    fn people_follow_the_recipe() {
        let plain = invent(&Recipe { oddity: 0.0, users: 60, orgs: 3, ..Recipe::demo() });
        assert_eq!(plain.len(), 57);
        assert!(plain.iter().all(|one| one.name.is_some()));
        assert_eq!(plain[4].orgs, BTreeSet::from(["org_demo_2".to_owned()]));
        let long = invent(&Recipe { name_length: Some(200), ..Recipe::demo() });
        assert!(long.iter().filter_map(|one| one.name.as_ref()).all(|name| name.chars().count() == 200));
        let crowd = invent(&Recipe { users: 3_000, ..Recipe::demo() });
        let emails: Vec<&String> = crowd.iter().filter_map(|one| one.email.as_ref()).collect();
        assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len());
        assert_eq!(invent(&Recipe { users: 0, orgs: 0, ..Recipe::demo() }).len(), 2);
    }

    #[test]
    fn who_is_met_is_known() {
        let people = known(
            [("b", "x"), (" a ", "x"), ("b", "y"), ("", "x"), (NOBODY, "x"), ("c", "x"), ("c", "")]
                .into_iter(),
        );
        let orgs: Vec<(&str, usize)> = people.iter().map(|one| (one.id.as_str(), one.orgs.len())).collect();
        assert_eq!(orgs, [("a", 1), ("b", 2), ("c", 0)]);
        let alone = known([("a", "x")].into_iter());
        assert_eq!(alone[0].name, people[0].name, "a name depends on the id alone");
    }
}
