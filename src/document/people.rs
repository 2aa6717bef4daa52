//! What people are called.

use std::collections::{BTreeMap, BTreeSet};

use crate::metrics::{Dim, Fact};
use crate::settings::Settings;
use crate::tables::{Frames, TableError, schema as c, texts};
use crate::text::clean;
use devin_api::{Member, People};

/// What the users in facts are called, where they are shown by name.
pub fn names(facts: &[Fact], people: &People, settings: &Settings) -> BTreeMap<String, String> {
    let users: BTreeSet<&str> = facts.iter().filter_map(|fact| fact.key(Dim::User).flatten()).collect();
    let mut names = all_names(people, settings);
    names.retain(|id, _| users.contains(id.as_str()));
    names
}

/// What all users are called, where they are shown by name: the people file has priority
/// over the API's lists.
pub fn all_names(people: &People, settings: &Settings) -> BTreeMap<String, String> {
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
    devin_api::display_names(&members)
}

/// Rows of the people file that match neither a session's user nor anybody on the
/// API's lists, as a note that names up to three; no note in a covered report, or in one about a team,
/// whose readers do not keep the file.
pub fn unmatched(
    frames: &Frames,
    people: &People,
    settings: &Settings,
) -> Result<Option<String>, TableError> {
    if settings.privacy.covered || settings.team.is_some() {
        return Ok(None);
    }
    let users = texts(&frames.sessions, c::USER)?;
    let users = users.iter().map(String::as_str);
    let ids = people.members.iter().map(|member| member.id.as_str());
    let emails = people.members.iter().filter_map(|member| member.email.as_deref());
    let unmatched = settings.people.unmatched(users.chain(ids).chain(emails));
    let named: Vec<String> = unmatched.iter().take(3).map(|who| clean(who, 80)).collect();
    let (rows, named) = match (unmatched.len(), named.join(", ")) {
        (0, _) => return Ok(None),
        (1, named) => ("1 person".to_owned(), named),
        (count, named) if count > 3 => (format!("{count} people"), format!("{named} and {} more", count - 3)),
        (count, named) => (format!("{count} people"), named),
    };
    let lists = match people.members.is_empty() {
        true => "; without the API's lists of people only ids are matched",
        false => "",
    };
    Ok(Some(format!("the people file has {rows} not found in sessions or lists: {named}{lists}")))
}
