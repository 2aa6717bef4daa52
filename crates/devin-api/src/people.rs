//! Who the ids in sessions belong to: the API's lists of people, and of
//! organisations. Each list is asked for by itself, and none of them is needed.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use reqwest::Url;
use tokio::time::{Instant, timeout_at};

use super::api_client::ApiClient;
use super::error::right;
use super::roster::{self, Listed, Subject};
use super::{Api, ApiConfig, FetchError, Limits, SessionQuery, address, attempt, names, retry};

/// Somebody who can start sessions: a person or a service user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// As in sessions, trimmed: `email|62f0…`, `service-user-…`.
    pub id: String,
    /// As it came, trimmed; untrusted text. None where it is null, blank or no text.
    pub name: Option<String>,
    /// The same of the email; no service user has one.
    pub email: Option<String>,
}

/// What the lists hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct People {
    /// Everybody on any list, each once, by id.
    pub members: Vec<Member>,
    /// What to show for the id of an organisation; of two with the same name each
    /// is followed by its id. Where one is asked about, its own name alone.
    pub organisations: BTreeMap<String, String>,
    /// The most ACUs an organisation may use in a billing cycle, by its id; finite and more than 0.
    /// Organisations without a limit are absent. Where one is asked about, its own alone.
    pub cycle_limits: BTreeMap<String, f64>,
    /// A few plain words for each list that could not be read to its end.
    pub notes: Vec<String>,
    /// How many people, service users left out, are members of the organisation that is asked
    /// about, or of the enterprise. `None` if their list was not read to its end, or is that of the
    /// enterprise where an organisation is asked about, or is empty.
    pub count: Option<u64>,
}

/// All that a report waits for names that it can do without.
const LONGEST: Duration = Duration::from_secs(20);

/// More people than any list has.
const MOST_ENTRIES: usize = 100_000;

/// Entries a page: the most that either generation gives.
const PAGE: u64 = 200;

const LIMITS: Limits = Limits {
    bounds: attempt::Bounds {
        connect: Duration::from_secs(3),
        read: Duration::from_secs(5),
        attempt: Duration::from_secs(6),
        page_bytes: 4 * 1024 * 1024,
    },
    policy: retry::RetryPolicy {
        attempts: 3,
        attempts_not_json: 2,
        base: Duration::from_millis(250),
        cap: Duration::from_secs(1),
        budget: 12,
        deadline: LONGEST,
    },
    walks: 1,
    pages: 1_000,
};

/// Everybody whom the lists name, after about 20 seconds at most.
///
/// It never fails: a list that the key may not read, or that does not come, is a
/// note, and the others still count. The tags and users of the query do not matter.
pub async fn people(config: &ApiConfig, query: &SessionQuery) -> People {
    people_within(config, query, &LIMITS, &[Subject::People, Subject::Organisations]).await
}

/// What organisations are called, and nothing of people; else as [`people`].
pub async fn organisations(config: &ApiConfig, query: &SessionQuery) -> People {
    people_within(config, query, &LIMITS, &[Subject::Organisations]).await
}

/// What the lists about these subjects hold.
pub(super) async fn people_within(
    config: &ApiConfig,
    query: &SessionQuery,
    limits: &Limits,
    subjects: &[Subject],
) -> People {
    let config = ApiConfig { deadline: limits.policy.deadline, ..config.clone() };
    let org = query.org.as_deref();
    let prepared =
        ApiClient::new(&config, query, limits, &|_| ()).and_then(|client| Ok((client, lists(&config, org)?)));
    let Ok((client, mut lists)) = prepared else {
        let notes = vec!["the lists of people cannot be requested: ids are shown".to_owned()];
        return People { notes, ..People::default() };
    };
    lists.retain(|list| subjects.contains(&list.subject));
    let until = Instant::now() + limits.policy.deadline;
    let mut read: Vec<(List, Walked)> = walk_all(&client, limits, until, lists).await;
    // An organisation's key may read its own list alone, which has the same people in it.
    if let Ok(Some(own)) = address::members_of_org(&config, org)
        && read.iter().any(|(list, walked)| list.is_of_people && walked.is_refused())
    {
        let own = List {
            name: "the organisation's users",
            subject: Subject::People,
            is_of_people: false,
            members_at: Some(0),
            places: vec![own],
        };
        read.retain(|(list, walked)| !(list.is_of_people && walked.is_refused()));
        let own = walk_all(&client, limits, until, vec![own]).await;
        read.splice(0..0, own);
    }
    let count = count(&read);
    let (mut members, mut organisations, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    let mut cycle_limits = BTreeMap::new();
    for (list, Walked { found, end }) in read {
        // The name of the one in question is asked for all the same: keys of an
        // organisation may not read that list, and its id says as much.
        if list.subject == Subject::People || org.is_none() {
            notes.extend(end.err().map(|error| note(list.name, &error, found.len())));
        }
        for Listed { member, cycle_limit } in found {
            match list.subject {
                Subject::People => members.push(member),
                Subject::Organisations => {
                    cycle_limits.extend(cycle_limit.map(|limit| (member.id.clone(), limit)));
                    organisations.push(member);
                }
            }
        }
    }
    let mut organisations = names::display_names(&merged(organisations));
    organisations.retain(|id, _| org.is_none_or(|asked| asked == id));
    cycle_limits.retain(|id, _| org.is_none_or(|asked| asked == id));
    People { members: merged(members), organisations, cycle_limits, notes, count }
}

/// How many people are on the lists of those who are asked about, if all of them were read to
/// their end. Not every enterprise has a list of an identity provider's users.
fn count(read: &[(List, Walked)]) -> Option<u64> {
    let mut people: HashSet<&str> = HashSet::new();
    let mut is_known = false;
    for (list, walked) in read {
        match (list.members_at, &walked.end) {
            (None, _) => {}
            (Some(at), Ok(place)) if at == *place => {
                is_known = true;
                people.extend(walked.found.iter().map(|one| one.member.id.as_str()));
            }
            (Some(_), Err(FetchError::NotFound { .. })) if walked.found.is_empty() => {}
            (Some(_), _) => return None,
        }
    }
    people.retain(|id| !id.starts_with("service-user-"));
    // Somebody must be a member: an empty list says nothing.
    (is_known && !people.is_empty()).then_some(people.len() as u64)
}

/// What came of a list.
struct Walked {
    found: Vec<Listed>,
    /// The place that was read to its end, or why none was.
    end: Result<usize, FetchError>,
}

impl Walked {
    /// Nothing of it may be read, or it does not exist.
    fn is_refused(&self) -> bool {
        let is_refusal =
            |error| matches!(error, &FetchError::Refused { status: 403, .. } | &FetchError::NotFound { .. });
        self.found.is_empty() && self.end.as_ref().is_err_and(is_refusal)
    }
}

/// Reads lists side by side, as far as the gate lets them; the result is in their order.
async fn walk_all(
    client: &ApiClient<'_>,
    limits: &Limits,
    until: Instant,
    lists: Vec<List>,
) -> Vec<(List, Walked)> {
    let mut walks = Vec::new();
    for list in lists {
        walks.push(async move {
            let mut found = Vec::new();
            let walked = timeout_at(until, walk(client, limits, &list, &mut found)).await;
            let late = || FetchError::Deadline { host: client.host(), deadline: client.config.deadline };
            let end = walked.unwrap_or_else(|_| Err(late()));
            (list, Walked { found, end })
        });
    }
    client.config.gate.run_all(walks).await
}

/// A list to ask for.
struct List {
    /// As notes call it.
    name: &'static str,
    subject: Subject,
    /// Whether a list of the organisation's own has the same people.
    is_of_people: bool,
    /// The place that lists the people of what is asked about, all of them and nobody else.
    members_at: Option<usize>,
    /// Where it is; each further place counts where the one before does not exist.
    places: Vec<Url>,
}

/// The lists of people and organisations.
fn lists(config: &ApiConfig, org: Option<&str>) -> Result<Vec<List>, FetchError> {
    let everywhere = |name, subject, resource| {
        let is_of_people = ["members/users", "members/idp-users"].contains(&resource);
        Ok::<_, FetchError>(List {
            name,
            subject,
            is_of_people,
            members_at: (is_of_people && org.is_none()).then_some(0),
            places: vec![address::api(config, None, resource)?],
        })
    };
    let mut lists = match config.api {
        Api::V2 => {
            let mut members = everywhere("members", Subject::People, "members")?;
            if org.is_some() {
                members.places.insert(0, address::api(config, org, "members")?);
            }
            // The list of the organisation, if one is asked about, is the first.
            members.members_at = Some(0);
            vec![members]
        }
        Api::V3 => vec![
            everywhere("users", Subject::People, "members/users")?,
            everywhere("identity-provider users", Subject::People, "members/idp-users")?,
            everywhere("service users", Subject::People, "members/service-users")?,
        ],
    };
    lists.push(everywhere("organisations", Subject::Organisations, "organizations")?);
    Ok(lists)
}

/// Reads a list where it exists, and gives the place of it; what was found stays found, whatever
/// happens then.
async fn walk(
    client: &ApiClient<'_>,
    limits: &Limits,
    list: &List,
    found: &mut Vec<Listed>,
) -> Result<usize, FetchError> {
    let last = list.places.len().saturating_sub(1);
    for (at, place) in list.places.iter().enumerate() {
        match walk_at(client, limits, (place, list.subject), found).await {
            Err(FetchError::NotFound { .. }) if found.is_empty() && at < last => {}
            walked => return walked.map(|()| at),
        }
    }
    Ok(last)
}

/// Reads a list page by page to its end signal.
async fn walk_at(
    client: &ApiClient<'_>,
    limits: &Limits,
    (place, subject): (&Url, Subject),
    found: &mut Vec<Listed>,
) -> Result<(), FetchError> {
    let ApiConfig { api, ref key, .. } = *client.config;
    let mut met = HashSet::new();
    let (mut skip, mut cursor, mut was_empty) = (0_u64, None, false);
    for _ in 0..limits.pages {
        let url = page_at(place, api, skip, cursor.as_deref());
        let read = |body: &str| roster::read(body, api, subject, key);
        let page = client.ask(url, read).await?;
        let before = found.len();
        found.extend(page.entries.into_iter().filter(|one| met.insert(one.member.id.clone())));
        if !page.envelope.more {
            return Ok(());
        }
        match (page.envelope.count, found.len() - before) {
            // A hiccup, for once.
            (0, _) if !was_empty => {
                was_empty = true;
                continue;
            }
            // Pages that repeat would do so for ever.
            (_, 0) => return Err(client.contract("a list announces more but returns no new entries")),
            _ if found.len() >= MOST_ENTRIES => break,
            _ => was_empty = false,
        }
        skip += page.envelope.count;
        cursor = page.envelope.cursor;
    }
    Err(client.contract("a list does not end"))
}

fn page_at(list: &Url, api: Api, skip: u64, cursor: Option<&str>) -> Url {
    let mut url = list.clone();
    let size = PAGE.to_string();
    match (api, cursor) {
        (Api::V2, _) => {
            url.query_pairs_mut().append_pair("skip", &skip.to_string()).append_pair("limit", &size);
        }
        (Api::V3, None) => drop(url.query_pairs_mut().append_pair("first", &size)),
        (Api::V3, Some(cursor)) => {
            url.query_pairs_mut().append_pair("first", &size).append_pair("after", cursor);
        }
    }
    url
}

/// Each id once, in order. A name beats none, and of two that of the earlier list counts.
fn merged(entries: Vec<Member>) -> Vec<Member> {
    let mut merged: BTreeMap<String, Member> = BTreeMap::new();
    for entry in entries {
        let known = merged.entry(entry.id.clone()).or_insert_with(|| entry.clone());
        known.name = known.name.take().or(entry.name);
        known.email = known.email.take().or(entry.email);
    }
    merged.into_values().collect()
}

/// What became of a list that was not read to its end, and what that means.
fn note(name: &str, error: &FetchError, found: usize) -> String {
    if found > 0 {
        return format!("the list of {name} ended early, after {found}: for all others ids are shown");
    }
    let what = match error {
        FetchError::Refused { status: 403, api: Api::V3, path, .. } => {
            format!("the key may not read the list of {name}: it lacks the permission {}", right(path))
        }
        FetchError::Refused { status: 403, .. } => format!("the key may not read the list of {name}"),
        FetchError::Refused { .. } => format!("the key was refused for the list of {name}"),
        FetchError::NotFound { .. } => format!("the server has no list of {name}"),
        FetchError::Unreachable { .. } | FetchError::Deadline { .. } | FetchError::Later { .. } => {
            format!("the list of {name} did not arrive in time")
        }
        _ => format!("the list of {name} cannot be read"),
    };
    format!("{what}: ids are shown")
}
