//! What people are called, and who is meant by `--user`.

use std::collections::{BTreeMap, BTreeSet};

use crate::fetch::{self, Api, Member, People};
use crate::metrics::{Dim, Fact};
use crate::settings::{Settings, SettingsError, users};
use crate::tables::{Frames, TableError, schema as c, texts};
use crate::text::clean;

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

/// The ids of the users that `--user` names: an id stays what it is; an email stands for
/// all ids that have it, and a name for the one person who has it, on the API's lists
/// or in the people file. What nobody knows is taken for an id.
///
/// # Errors
/// Several people have a name, or people and service users are asked of v3 at once.
pub fn resolved(people: &People, settings: &Settings) -> Result<Vec<String>, SettingsError> {
    let mut ids: Vec<String> = Vec::new();
    for user in &settings.question.users {
        for id in ids_of(user, people, settings)? {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    // Only v3 itself cannot be asked for everybody at once.
    let is_offline = settings.pages.is_some() || settings.archive.is_some();
    users(&ids, if is_offline { Api::V2 } else { settings.question.api })
}

fn ids_of(user: &str, people: &People, settings: &Settings) -> Result<Vec<String>, SettingsError> {
    let members = &people.members;
    if members.iter().any(|member| member.id == user) {
        return Ok(vec![user.to_owned()]);
    }
    let is = |text: &Option<String>, wanted: &str| {
        text.as_ref().is_some_and(|text| text.trim().to_lowercase() == wanted.to_lowercase())
    };
    let with_email = |email: &str| -> Vec<String> {
        members.iter().filter(|member| is(&member.email, email)).map(|member| member.id.clone()).collect()
    };
    let of_email = with_email(user);
    if !of_email.is_empty() {
        return Ok(of_email);
    }
    let mut people: Vec<Vec<String>> = members
        .iter()
        .filter(|member| is(&member.name, user))
        .map(|member| vec![member.id.clone()])
        .collect();
    for who in settings.people.named(user) {
        let of_email = with_email(who);
        people.push(if of_email.is_empty() { vec![who.to_owned()] } else { of_email });
    }
    people.sort();
    people.dedup();
    match people.as_slice() {
        // Exports tell users by email, which is read in lower case.
        [] if settings.pages.is_some() && user.contains('@') && !user.contains('|') => {
            Ok(vec![user.trim().to_lowercase()])
        }
        [] => Ok(vec![user.to_owned()]),
        [ids] => Ok(ids.clone()),
        several => {
            let ids: Vec<String> = several.iter().flatten().take(3).map(|id| clean(id, 80)).collect();
            Err(SettingsError::new(
                format!("--user: {} people are called “{}”", several.len(), clean(user, 60)),
                format!("give the id or the email of one of them: {}", ids.join(", ")),
            ))
        }
    }
}

/// Rows of the people file that match neither a session's user nor anybody on the
/// API's lists, as a note that names up to three; no note in a covered report.
///
/// # Errors
/// A column is missing: an internal error.
pub fn unmatched(
    frames: &Frames,
    people: &People,
    settings: &Settings,
) -> Result<Option<String>, TableError> {
    if settings.privacy.covered {
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
        (1, named) => ("1 person who is".to_owned(), named),
        (count, named) if count > 3 => {
            (format!("{count} people who are"), format!("{named} and {} more", count - 3))
        }
        (count, named) => (format!("{count} people who are"), named),
    };
    let lists = match people.members.is_empty() {
        true => "; without the API's lists of people it matches ids only",
        false => "",
    };
    Ok(Some(format!("the people file names {rows} in no session and on no list: {named}{lists}")))
}
