//! The lists of people and organisations, as both generations give them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::faults::Shape;
use super::listing::{end_v2, end_v3, join};
use super::people::{Listed, Person};
use super::random::Random;
use super::v3::Total;
use super::{Organisation, v2, v3};

/// Entries a page where the request does not say.
const DEFAULT_PAGE: usize = 100;
/// The stream of an id from which what only a list tells is drawn.
const STREAM: u64 = 3;
/// The most ACUs that a session of any organisation may use.
const SESSION_LIMIT: u32 = 50;
/// What a cursor begins with.
const CURSOR: &str = "entry:";

/// A list of people or organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// All people, of the enterprise or an organisation; version 2.
    Members,
    /// People with a role of their own; version 3.
    Users,
    /// People whose role an identity provider gives; version 3.
    IdpUsers,
    /// Service users; version 3.
    ServiceUsers,
    /// The people of one organisation; version 3, in its beta.
    OrgUsers,
    /// The organisations of the enterprise; both versions.
    Organisations,
}

/// The list that a path within the enterprise or an organisation names.
pub fn named(in_org: bool, is_v2: bool, path: &[&str]) -> Option<List> {
    match path {
        ["members"] if is_v2 => Some(List::Members),
        _ if in_org => None,
        ["organizations"] => Some(List::Organisations),
        ["members", "users"] if !is_v2 => Some(List::Users),
        ["members", "idp-users"] if !is_v2 => Some(List::IdpUsers),
        ["members", "service-users"] if !is_v2 => Some(List::ServiceUsers),
        _ => None,
    }
}

/// Somebody or something on a list.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Person(&'a Person),
    Org(&'a str),
}

impl<'a> Entry<'a> {
    fn id(self) -> &'a str {
        match self {
            Self::Person(person) => &person.id,
            Self::Org(org) => org,
        }
    }
}

fn entries<'a>(organisation: &'a Organisation, list: List, org: Option<&str>) -> Vec<Entry<'a>> {
    let is_listed = |person: &&Person| match list {
        List::Members | List::OrgUsers => {
            let belongs = |org| person.orgs.is_empty() || person.orgs.contains(org);
            person.listed != Listed::ServiceUsers && org.is_none_or(belongs)
        }
        List::Users => matches!(person.listed, Listed::Users | Listed::Both),
        List::IdpUsers => matches!(person.listed, Listed::IdpUsers | Listed::Both),
        List::ServiceUsers => person.listed == Listed::ServiceUsers,
        List::Organisations => false,
    };
    if list == List::Organisations {
        return organisation.orgs.iter().map(|org| Entry::Org(org)).collect();
    }
    organisation.people.iter().filter(is_listed).map(Entry::Person).collect()
}

/// How many entries a page has at most.
fn length(asked: Option<usize>, max_page: usize, shape: &Shape) -> usize {
    let length = asked.unwrap_or(DEFAULT_PAGE).min(max_page.max(1));
    if shape.empty { 0 } else { shape.clamp.map_or(length, |most| length.min(most)) }
}

/// A page of a list of version 2. Of the faults those of the envelope apply.
pub fn page_v2(
    organisation: &Organisation,
    (list, org): (List, Option<&str>),
    query: &v2::Query,
    max_page: usize,
    shape: &Shape,
) -> String {
    let all = entries(organisation, list, org);
    let skip = if shape.loops { 0 } else { query.skip };
    let limit = length(query.limit, max_page, shape);
    let bodies = all.iter().skip(skip).take(limit).map(|entry| match entry {
        Entry::Person(person) => member(person, org),
        Entry::Org(org) => json!({
            "org_id": org, "org_name": org_name(org), "org_member_count": members(organisation, org),
            "org_admin_count": 1, "org_user_count": members(organisation, org),
            "max_cycle_acu_limit": organisation.cycle_limits.get(*org), "max_session_acu_limit": SESSION_LIMIT
        }),
    });
    let text = join(bodies.map(|body| Cow::Owned(body.to_string())));
    let end = skip.saturating_add(limit);
    let has_more = shape.empty || end < all.len();
    end_v2(text, all.len(), (skip, limit, end), shape, has_more)
}

/// The same for version 3; `None` if the cursor is not one of ours.
pub fn page_v3(
    organisation: &Organisation,
    (list, org): (List, Option<&str>),
    query: &v3::Query,
    max_page: usize,
    total: Total,
    shape: &Shape,
) -> Option<String> {
    let all = entries(organisation, list, org);
    let start = match query.after.as_deref().map(read_cursor) {
        None => 0,
        Some(last) => match last?.as_str() {
            "" => 0,
            last => all.iter().position(|entry| entry.id() == last)? + 1,
        },
    };
    let first = length(query.first, max_page, shape);
    let end = start.saturating_add(first).min(all.len());
    let bodies = all.iter().skip(start).take(first).map(|entry| match entry {
        Entry::Person(person) => user(person, list),
        Entry::Org(org) => json!({
            "org_id": org, "name": org_name(org), "created_at": 1_700_000_000,
            "max_cycle_acu_limit": organisation.cycle_limits.get(*org), "max_session_acu_limit": SESSION_LIMIT
        }),
    });
    let text = join(bodies.map(|body| Cow::Owned(body.to_string())));
    let has_next = shape.empty || (shape.loops && query.after.is_some()) || end < all.len();
    let last = end.checked_sub(1).and_then(|last| all.get(last)).map_or("", |entry| entry.id());
    // A walk that loops gets the cursor that it came with.
    let came = query.after.clone().filter(|_| shape.loops);
    let next = has_next.then(|| came.unwrap_or_else(|| write_cursor(last)));
    Some(end_v3(text, total, all.len(), next, shape))
}

/// Opaque, and with the padding that must be escaped.
fn write_cursor(id: &str) -> String {
    let mut text = format!("{CURSOR}{id}");
    while text.len().is_multiple_of(3) {
        text.push('\n');
    }
    STANDARD.encode(text)
}

fn read_cursor(text: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    Some(text.strip_prefix(CURSOR)?.trim_end_matches('\n').to_owned())
}

/// A member of version 2: of the enterprise, or of an organisation.
fn member(person: &Person, org: Option<&str>) -> Value {
    let role = if Random::keyed(&person.id, STREAM).chance(0.1) { "admin" } else { "member" };
    let mut body = json!({
        "user_id": person.id, "email": person.email, "name": person.name,
        "enterprise_role": format!("account_{role}")
    });
    let more = match org {
        Some(org) => json!({"org_id": org, "org_name": org_name(org), "org_role": role}),
        None => {
            let logins = Random::keyed(&person.id, STREAM + 1).below(90);
            let joined = person.joined.map(|joined| joined.to_rfc3339_opts(SecondsFormat::Secs, true));
            let joined = joined.unwrap_or_else(|| "2024-03-04T09:30:00Z".to_owned());
            json!({
                "created_at": joined, "last_login": null, "login_count": logins,
                "saml_id": null, "searches_created_count": 0, "sessions_created_count": logins * 3
            })
        }
    };
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

/// A user of version 3, under the names of its list.
fn user(person: &Person, list: List) -> Value {
    let role = json!({"role_id": "account_member", "role_name": "Member", "role_type": "enterprise"});
    let name = person.name.as_ref().filter(|_| list != List::Users || person.listed != Listed::Both);
    match list {
        List::ServiceUsers => {
            json!({"service_user_id": person.id, "name": person.name, "role_assignments": [{"role": role, "org_id": null}]})
        }
        List::IdpUsers => json!({
            "user_id": person.id, "email": person.email, "name": name,
            "idp_role_assignments": [{"idp_group_name": "engineering", "role": role, "org_id": null}]
        }),
        _ => json!({
            "user_id": person.id, "email": person.email, "name": name,
            "role_assignments": [{"role": role, "org_id": null}]
        }),
    }
}

/// How many people an organisation has.
fn members(organisation: &Organisation, org: &str) -> usize {
    entries(organisation, List::Members, Some(org)).len()
}

/// `org_demo_2` is called "Halden demo 2".
fn org_name(org: &str) -> String {
    let bare = org.strip_prefix("org").unwrap_or(org).replace(['_', '-'], " ");
    format!("Halden {}", bare.trim())
}
