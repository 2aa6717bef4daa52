//! Who is meant by `--user`.

use crate::settings::{Settings, SettingsError, Source, users};
use crate::text::clean;
use devin_api::{Api, People, SessionQuery};

/// The settings with the ids of the users that `--user` names: an id stays what it is; an email stands for
/// all ids that have it, and a name for the one person who has it, on the API's lists
/// or in the people file. An unknown text is taken for an id.
///
/// # Errors
/// Several people have a name, or people and service users are asked of v3 at once.
pub(super) fn resolved(settings: &Settings, people: Option<&People>) -> Result<Settings, SettingsError> {
    let nobody = People::default();
    let people = people.unwrap_or(&nobody);
    let mut ids: Vec<String> = Vec::new();
    for user in &settings.query.users {
        for id in ids_of(user, people, settings)? {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    // Only v3 itself cannot be asked for everybody at once.
    let api = settings.source.api().map_or(Api::V2, |config| config.api);
    let users = users(&ids, api)?;
    let query = SessionQuery { users, ..settings.query.clone() };
    Ok(Settings { query, ..settings.clone() })
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
        // Exports identify users by email, which is read in lower case.
        [] if matches!(settings.source, Source::SavedPages { .. })
            && user.contains('@')
            && !user.contains('|') =>
        {
            Ok(vec![user.trim().to_lowercase()])
        }
        [] => Ok(vec![user.to_owned()]),
        [ids] => Ok(ids.clone()),
        several => {
            let ids: Vec<String> = several.iter().flatten().take(3).map(|id| clean(id, 80)).collect();
            Err(SettingsError::new(
                format!("--user: {} people are called “{}”", several.len(), clean(user, 60)),
                format!("use the id or email of one of them: {}", ids.join(", ")),
            ))
        }
    }
}
