//! Who is named, and about whom no question may be.

use std::collections::{BTreeMap, BTreeSet};

use crate::fetch::{self, Member, People};
use crate::metrics::{ACTIVE_USERS, Dim, Fact};
use crate::people::ENOUGH;
use crate::settings::{Settings, SettingsError, Shown};

/// Refuses a question about a handful of people, which would tell of each of them.
///
/// # Errors
/// One to four people were at work in the sessions asked for.
pub fn few_people(facts: &[Fact]) -> Result<(), SettingsError> {
    let people = facts.iter().find(|fact| fact.metric.id == ACTIVE_USERS.id && fact.group.is_empty());
    match people.and_then(|fact| fact.value) {
        Some(people) if (1.0..f64::from(ENOUGH)).contains(&people) => Err(SettingsError::new(
            "--tag: these sessions are of fewer than five people, who are not to be shown",
            "leave --tag out, or use --people names with --profile lead",
        )),
        _ => Ok(()),
    }
}

/// What the users in facts are called, where they are shown by name: the people
/// file beats the API's lists.
pub fn names(facts: &[Fact], people: &People, settings: &Settings) -> BTreeMap<String, String> {
    if settings.privacy.people != Shown::Names {
        return BTreeMap::new();
    }
    let mut members = people.members.clone();
    for member in &mut members {
        if let Some(name) = settings.people.name(&member.id, member.email.as_deref()) {
            member.name = Some(name.to_owned());
        }
    }
    let listed: BTreeSet<String> = members.iter().map(|member| member.id.clone()).collect();
    let unlisted = settings.people.names().filter(|(id, _)| !listed.contains(*id));
    members.extend(unlisted.map(|(id, name)| Member {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        email: None,
    }));
    let users: BTreeSet<&str> = facts.iter().filter_map(|fact| fact.key(Dim::User).flatten()).collect();
    let mut names = fetch::display_names(&members);
    names.retain(|id, _| users.contains(id.as_str()));
    names
}
