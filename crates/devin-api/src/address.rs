//! Where things are asked for.

use std::ops::Range;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use reqwest::Url;

use super::{Api, ApiConfig, FetchError, SessionQuery};

/// The address of the wanted sessions, without window and place in the walk.
///
/// # Errors
///
/// A base address to which a key must not be sent.
pub(super) fn sessions(config: &ApiConfig, query: &SessionQuery) -> Result<Url, FetchError> {
    let mut url = api(config, query.org.as_deref(), "sessions/insights")?;
    // v3 asks for people and for service users under two names.
    let (service_users, users): (Vec<_>, Vec<_>) =
        (query.users.iter()).partition(|user| config.api == Api::V3 && Api::is_service_user(user));
    let mut pairs: Vec<(&str, &str)> = query.asked_tags().iter().map(|tag| ("tags", tag.as_str())).collect();
    pairs.extend(users.into_iter().map(|user| ("user_ids", user.as_str())));
    pairs.extend(service_users.into_iter().map(|user| ("service_user_ids", user.as_str())));
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    // No document says which spelling of an id the filter expects; a session has one of the two.
    for id in &query.ids {
        url.query_pairs_mut()
            .append_pair("session_ids", id)
            .append_pair("session_ids", &format!("devin-{id}"));
    }
    if let Some(moment) = query.updated_from {
        match config.api {
            Api::V2 => url.query_pairs_mut().append_pair("updated_date_from", &iso(moment)),
            Api::V3 => url.query_pairs_mut().append_pair("updated_after", &moment.timestamp().to_string()),
        };
    }
    Ok(url)
}

/// An address within an organisation, or within the enterprise.
///
/// # Errors
///
/// A base address to which a key must not be sent; an id that is none.
pub(super) fn api(config: &ApiConfig, org: Option<&str>, resource: &str) -> Result<Url, FetchError> {
    let scope = match (config.api, org) {
        // The parser of addresses would take dots for steps through the path.
        (_, Some("" | "." | "..")) => return Err(unfit("the organisation id is invalid")),
        (Api::V2, Some(org)) => format!("v2/enterprise/organizations/{}", segment(org)),
        (Api::V2, None) => "v2/enterprise".to_owned(),
        (Api::V3, Some(org)) => format!("v3/organizations/{}", segment(org)),
        (Api::V3, None) => "v3/enterprise".to_owned(),
    };
    at(config, &format!("{scope}/{resource}"))
}

/// Where v3 lists the people of one organisation, for keys without rights in the
/// enterprise; none for the whole enterprise, or on v2.
///
/// # Errors
///
/// A base address to which a key must not be sent; an id that is none.
pub(super) fn members_of_org(config: &ApiConfig, org: Option<&str>) -> Result<Option<Url>, FetchError> {
    match (config.api, org) {
        (_, None) | (Api::V2, _) => Ok(None),
        (_, Some("" | "." | "..")) => Err(unfit("the organisation id is invalid")),
        (Api::V3, Some(org)) => {
            at(config, &format!("v3beta1/organizations/{}/members/users", segment(org))).map(Some)
        }
    }
}

/// Where v3 names the owner of a key.
///
/// # Errors
///
/// A base address to which a key must not be sent.
pub(super) fn myself(config: &ApiConfig) -> Result<Url, FetchError> {
    at(config, "v3/self")
}

fn at(config: &ApiConfig, path: &str) -> Result<Url, FetchError> {
    let mut url = checked(&config.base_url)?;
    // A dedicated deployment may live under a prefix.
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{prefix}/{path}"));
    Ok(url)
}

/// The address of a page of v2: oldest first, from an offset on.
pub(super) fn by_offset(sessions: &Url, window: &Range<DateTime<Utc>>, skip: u64, limit: u64) -> Url {
    let window = whole_seconds(window);
    let mut url = sessions.clone();
    url.query_pairs_mut()
        .append_pair("created_date_from", &iso(window.start))
        .append_pair("created_date_to", &iso(window.end))
        .append_pair("order", "asc")
        .append_pair("skip", &skip.to_string())
        .append_pair("limit", &limit.to_string());
    url
}

/// The address of a page of v3: newest first, from a cursor on.
pub(super) fn by_cursor(
    sessions: &Url,
    slice: &Range<DateTime<Utc>>,
    cursor: Option<&str>,
    first: u32,
) -> Url {
    let mut url = sessions.clone();
    url.query_pairs_mut()
        .append_pair("created_after", &slice.start.timestamp().to_string())
        .append_pair("created_before", &slice.end.timestamp().to_string())
        .append_pair("first", &first.to_string());
    if let Some(cursor) = cursor {
        url.query_pairs_mut().append_pair("after", cursor);
    }
    url
}

/// The address of those sessions that are archived, or of those that are not; v3.
pub(super) fn archived(sessions: &Url, is_archived: bool) -> Url {
    let mut url = sessions.clone();
    url.query_pairs_mut().append_pair("is_archived", &is_archived.to_string());
    url
}

/// The API takes whole seconds: a window a bit too wide rather than too narrow.
pub(super) fn whole_seconds(window: &Range<DateTime<Utc>>) -> Range<DateTime<Utc>> {
    let ceiling = |moment: DateTime<Utc>| match moment.trunc_subsecs(0) {
        whole if whole == moment => moment,
        whole => whole.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(moment),
    };
    window.start.trunc_subsecs(0)..ceiling(window.end)
}

/// The host as messages name it: `api.devin.ai`, `127.0.0.1:8080`.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether an address never leaves this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Text as one path segment. `Url` leaves bars and other characters as they are.
pub(super) fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn checked(base: &Url) -> Result<Url, FetchError> {
    if base.scheme() != "https" && !(base.scheme() == "http" && is_loopback(base)) {
        return Err(unfit("the base URL is not https, so the key could be read on the network"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(unfit("the base URL contains a user or password"));
    }
    let mut url = base.clone();
    url.set_fragment(None);
    url.set_query(None);
    Ok(url)
}

fn unfit(why: &str) -> FetchError {
    FetchError::Unfit { why: why.to_owned() }
}

/// A moment as v2 takes it.
pub(super) fn iso(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, kind, query};
    use super::*;

    fn asking(base: &str, change: impl FnOnce(&mut SessionQuery)) -> Result<String, FetchError> {
        let mut query = query();
        change(&mut query);
        sessions(&config(base), &query).map(|url| by_offset(&url, &query.window(), 20, 10).to_string())
    }

    const WINDOW: &str =
        "created_date_from=2026-10-05T00%3A00%3A00Z&created_date_to=2026-10-12T00%3A00%3A00Z&order=asc";

    #[test]
    fn the_address_names_scope_window_and_place() {
        assert_eq!(
            asking("https://api.devin.ai", |_| ()).unwrap(),
            format!(
                "https://api.devin.ai/v2/enterprise/organizations/org_789/sessions/insights?{WINDOW}&skip=20&limit=10"
            )
        );
        for base in ["https://h.example/devin", "https://h.example/devin/?q=1#f"] {
            assert_eq!(
                asking(base, |q| q.org = None).unwrap(),
                format!("https://h.example/devin/v2/enterprise/sessions/insights?{WINDOW}&skip=20&limit=10")
            );
        }
    }

    #[test]
    fn what_people_typed_is_encoded() {
        let url = asking("https://h.example", |q| {
            q.org = Some("email|6/2?f#%7Cé".to_owned());
            q.tags = vec!["a b".to_owned(), "c&d".to_owned()];
            q.users = vec!["email|62f0".to_owned()];
        });
        let url = url.unwrap();
        assert!(url.contains("/organizations/email%7C6%2F2%3Ff%23%257C%C3%A9/sessions/insights?"), "{url}");
        // The API knows no patterns of tags.
        let all = asking("https://h.example", |q| q.tags = vec!["a".to_owned(), "b*".to_owned()]).unwrap();
        assert!(!all.contains("tags"), "{all}");
        assert!(url.contains("?tags=a+b&tags=c%26d&user_ids=email%7C62f0&created_date_from="), "{url}");
    }

    #[test]
    fn single_sessions_and_news_are_asked_for() {
        let of = |api| {
            let config = ApiConfig { api, ..config("https://h.example") };
            let ids = vec!["a".to_owned(), "b".to_owned()];
            let query = query();
            let query = SessionQuery { org: None, ids, updated_from: Some(query.from), ..query };
            sessions(&config, &query).unwrap().query().unwrap().to_owned()
        };
        let ids = "session_ids=a&session_ids=devin-a&session_ids=b&session_ids=devin-b";
        assert_eq!(of(Api::V2), format!("{ids}&updated_date_from=2026-10-05T00%3A00%3A00Z"));
        assert_eq!(of(Api::V3), format!("{ids}&updated_after=1791158400"));
    }

    #[test]
    fn dots_are_no_organisation() {
        for org in ["", ".", ".."] {
            let error = asking("https://h.example", |q| q.org = Some(org.to_owned())).unwrap_err();
            assert_eq!(kind(&error), "Unfit", "{org}");
        }
    }

    #[test]
    fn a_broken_second_widens_the_window() {
        let url = asking("https://h.example", |q| {
            q.from += TimeDelta::milliseconds(1);
            q.to -= TimeDelta::milliseconds(1);
        });
        assert!(url.unwrap().contains(WINDOW));
    }

    #[test]
    fn the_key_goes_over_https_or_stays_here() {
        for good in ["https://h.example", "http://localhost:1", "http://127.0.0.9", "http://[::1]:80"] {
            assert!(asking(good, |_| ()).is_ok(), "{good}");
        }
        for bad in
            ["http://h.example", "http://localhost.example", "ftp://localhost", "https://me:x@h.example"]
        {
            let error = asking(bad, |_| ()).unwrap_err();
            assert_eq!(kind(&error), "Unfit", "{bad}");
        }
    }
}
