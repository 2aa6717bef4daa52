//! What people are called.

use std::collections::{BTreeMap, BTreeSet};

use crate::fetch::{self, Member, People};
use crate::metrics::{Dim, Fact};
use crate::settings::Settings;

/// What the users in facts are called, where they are shown by name: the people
/// file beats the API's lists.
pub fn names(facts: &[Fact], people: &People, settings: &Settings) -> BTreeMap<String, String> {
    if settings.privacy.covered {
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
