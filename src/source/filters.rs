//! Filters that match no session: what is wrong with them, and what there is instead.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::people::fits;
use crate::settings::{Settings, SettingsError, Source};
use crate::tables::{Frames, TableError, schema as c, texts};
use crate::text::{clean, rank_by_similarity};
use devin_api::People;

/// What sessions of the period and the trend have, whatever the filters.
#[derive(Debug, Default)]
pub(super) struct Values {
    orgs: Vec<String>,
    tags: Vec<String>,
    users: Vec<String>,
}

impl Values {
    /// # Errors
    /// A column is missing: an internal error.
    pub(super) fn of(frames: &Frames) -> Result<Self, TableError> {
        let [orgs, users] = [c::ORG, c::USER].map(|column| texts(&frames.sessions, column));
        Ok(Self { orgs: orgs?, tags: texts(&frames.tags, c::TAG)?, users: users? })
    }

    fn is_empty(&self) -> bool {
        self.orgs.is_empty() && self.tags.is_empty() && self.users.is_empty()
    }
}

/// Whether there is a filter that may match nothing. An organisation that is known to
/// exist is none, and the API refuses those that do not.
pub(super) fn are_given(settings: &Settings, filters_org: bool) -> bool {
    let query = &settings.query;
    !query.tags.is_empty() || !query.users.is_empty() || (filters_org && query.org.is_some())
}

/// The refusal of filters that match nothing. `typed` are the settings before names of
/// users became the `ids`; `values` is what there is, where that is known. A report that
/// hides people names nothing of it.
pub(super) fn refusal(
    typed: &Settings,
    ids: &[String],
    values: Option<&Values>,
    people: &People,
) -> SettingsError {
    let query = &typed.query;
    let flags = [("--org", query.org.as_slice()), ("--tag", &query.tags), ("--user", &query.users)];
    let list = flags.iter().flat_map(|(flag, texts)| texts.iter().map(move |text| (*flag, text)));
    let list: Vec<String> = list.map(|(flag, text)| format!("{flag} “{}”", clean(text, 60))).collect();
    let first = typed.periods.last().map_or(typed.period.first(), |period| period.first());
    let message = format!("no session from {first} to {} matches {}", typed.period.last(), list.join(", "));
    let values = values.filter(|_| !typed.privacy.covered);
    let advice = match values {
        Some(values) if values.is_empty() => "no session of these days has such a value".to_owned(),
        Some(values) => known(typed, ids, values, people),
        None => unknown(typed, people),
    };
    let hint = match typed.privacy.covered {
        // It needs five people.
        true => advice,
        false => format!("{advice}; --allow-empty writes the empty report"),
    };
    SettingsError::new(message, hint)
}

/// Whether the team that the report is about has a session in its window; true without a team.
///
/// # Errors
/// It has none, all sessions are there, and an empty report is not wanted.
pub fn has_team(frames: &Frames, settings: &Settings, complete: bool) -> Result<bool, Error> {
    let Some(team) = &settings.team else { return Ok(true) };
    let teams = texts(&frames.sessions, c::TEAM)?;
    let has_team = teams.contains(team);
    if has_team || settings.allow_empty || !complete {
        return Ok(has_team);
    }
    let first = settings.periods.last().map_or(settings.period.first(), |period| period.first());
    let message =
        format!("no session from {first} to {} matches --team “{}”", settings.period.last(), clean(team, 60));
    let hint = match settings.privacy.covered {
        true => "check the spelling: names of teams are case-sensitive; a report that hides people does not \
                 list existing teams"
            .to_owned(),
        false => format!(
            "{}; names of teams are case-sensitive; --allow-empty writes the empty report",
            closest("teams", team, &teams)
        ),
    };
    Err(SettingsError::new(message, hint).into())
}

/// What is closest to the first filter that matches nothing by itself.
fn known(typed: &Settings, ids: &[String], values: &Values, people: &People) -> String {
    let query = &typed.query;
    let has_org = |org: &String| values.orgs.contains(org);
    let has_tag = |tag: &String| values.tags.iter().any(|own| fits(tag, own));
    let has_user = |id: &String| values.users.contains(id);
    match (&query.org, query.tags.as_slice(), query.users.as_slice()) {
        (Some(org), _, _) if !has_org(org) => closest("organisation ids", org, &values.orgs),
        (_, [tag, ..], _) if !query.tags.iter().any(has_tag) => {
            format!("{}; tags are case-sensitive, and * matches any text", closest("tags", tag, &values.tags))
        }
        (_, _, [user, ..]) if !ids.iter().any(has_user) => {
            closest("users", user, &user_names(people, Some(&values.users)))
        }
        _ => "each filter matches sessions, but no session matches all of them".to_owned(),
    }
}

/// The rules, if the existing values are unknown.
fn unknown(typed: &Settings, people: &People) -> String {
    let query = &typed.query;
    let mut rules = Vec::new();
    if query.org.is_some() && query.tags.is_empty() && query.users.is_empty() {
        rules.push("check the spelling of the organisation id".to_owned());
    }
    if !query.tags.is_empty() {
        let why = match (typed.privacy.covered, &typed.source) {
            (true, _) => "a report that hides people does not list existing tags",
            (_, Source::SavedPages { .. }) => "standard input cannot be read again to list existing tags",
            _ => "the API does not list existing tags",
        };
        rules.push(format!("check the spelling: tags are case-sensitive, and * matches any text; {why}"));
    }
    if let Some(user) = query.users.first() {
        let users = user_names(people, None);
        rules.push(match users.is_empty() {
            true => {
                "there is no list of people, so --user accepts only ids, which are case-sensitive".to_owned()
            }
            false if users.contains(user) => "the user is in the lists of people".to_owned(),
            false => closest("users", user, &users),
        });
    }
    rules.join("; ")
}

/// The ids of users, and the emails and names of those among them who are on a list;
/// without ids of everybody on a list.
fn user_names(people: &People, ids: Option<&[String]>) -> Vec<String> {
    let members = people.members.iter().filter(|member| ids.is_none_or(|ids| ids.contains(&member.id)));
    let names = members.flat_map(|one| [Some(&one.id), one.email.as_ref(), one.name.as_ref()]);
    let names: BTreeSet<&String> = names.flatten().chain(ids.into_iter().flatten()).collect();
    names.into_iter().cloned().collect()
}

/// Up to three values, the most similar first.
fn closest(what: &str, typed: &str, values: &[String]) -> String {
    let ranked = rank_by_similarity(&typed.replace('*', ""), values.iter().map(String::as_str));
    let named: Vec<String> =
        ranked.iter().take(3).map(|(_, value)| format!("“{}”", clean(value, 60))).collect();
    match named.is_empty() {
        true => format!("sessions of these days have no {what}"),
        false => format!("the closest existing {what}: {}", named.join(", ")),
    }
}
