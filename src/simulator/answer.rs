//! A request to its answer: pure, so that the server only carries bytes.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::query::{Query, decode};
use super::{Organisation, Record};

/// Records a page where the request does not say.
const DEFAULT_LIMIT: usize = 100;
/// What every personal key begins with.
const KEY_PREFIX: &str = "apk_user_";

/// What the server asks of requests.
#[derive(Clone, Debug)]
pub struct Terms {
    /// No page is longer.
    pub max_page: usize,
    /// The only key that is let in; `None` lets in every personal key.
    pub key: Option<String>,
}

/// The parts of a request that decide on its answer.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Still percent-encoded.
    pub path: &'a str,
    /// Without the question mark, still percent-encoded.
    pub query: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
}

/// A status and a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    fn detail(status: u16, detail: impl serde::Serialize) -> Self {
        Self { status, body: json!({ "detail": detail }).to_string() }
    }
}

/// What is asked about.
enum Scope {
    Enterprise,
    Organisation(String),
}

/// The answer to a request: the right path, then the method, the key, the
/// organisation and the parameters are looked at, in this order.
pub fn answer(organisation: &Organisation, terms: &Terms, request: Request) -> Answer {
    let Some(scope) = scope(request.path) else { return Answer::detail(404, "Not Found") };
    if request.method != "GET" {
        return Answer::detail(405, "Method Not Allowed");
    }
    match request.authorization.and_then(token) {
        None => return Answer::detail(401, "Not authenticated"),
        Some(token) if !is_let_in(terms, token) => return Answer::detail(401, "Invalid API key"),
        Some(_) => {}
    }
    let org = match &scope {
        Scope::Organisation(org) if !organisation.orgs.contains(org) => {
            return Answer::detail(404, "Organization not found");
        }
        Scope::Organisation(org) => Some(org.as_str()),
        Scope::Enterprise => None,
    };
    match Query::read(request.query) {
        Err(faults) => Answer::detail(422, faults),
        Ok(query) => Answer { status: 200, body: page(organisation, terms, org, &query) },
    }
}

fn scope(path: &str) -> Option<Scope> {
    let mut segments = path.strip_prefix("/v2/enterprise/")?.split('/');
    let scope = match segments.next()? {
        "organizations" => {
            let org = decode(segments.next()?, false);
            (segments.next()? == "sessions").then_some(Scope::Organisation(org))
        }
        "sessions" => Some(Scope::Enterprise),
        _ => None,
    };
    scope.filter(|_| segments.next() == Some("insights") && segments.next().is_none())
}

fn token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_let_in(terms: &Terms, token: &str) -> bool {
    match &terms.key {
        Some(key) => key == token,
        None => token.len() > KEY_PREFIX.len() && token.starts_with(KEY_PREFIX),
    }
}

fn page(organisation: &Organisation, terms: &Terms, org: Option<&str>, query: &Query) -> String {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).min(terms.max_page.max(1));
    let (undated, dated) = window(&organisation.records, query);
    // A filter looks at every record of the window; without one the length is known.
    let one_org = org.filter(|_| organisation.orgs.len() > 1);
    let (total, bodies): (usize, Vec<&str>) = if query.is_plain() && one_org.is_none() {
        let all = undated.iter().chain(dated);
        (undated.len() + dated.len(), cut(all, query, limit))
    } else {
        let fits = |record: &&Record| {
            query.passes(record) && org.is_none_or(|org| record.org_id.is_empty() || record.org_id == org)
        };
        let found: Vec<&Record> = undated.iter().chain(dated).filter(fits).collect();
        (found.len(), cut(found.iter().copied(), query, limit))
    };
    envelope(query, total, limit, &bodies)
}

/// The records without a creation time, which lie in every window, and those
/// created in it.
fn window<'a>(records: &'a [Record], query: &Query) -> (&'a [Record], &'a [Record]) {
    let before = |records: &[Record], moment: DateTime<Utc>| {
        records.partition_point(|record| record.created_at < moment)
    };
    let (undated, dated) =
        records.split_at(records.partition_point(|record| record.created_at <= DateTime::UNIX_EPOCH));
    let from = query.created_from.map_or(0, |from| before(dated, from));
    let to = query.created_to.map_or(dated.len(), |to| before(dated, to));
    (undated, dated.get(from..to).unwrap_or_default())
}

fn cut<'a>(
    records: impl DoubleEndedIterator<Item = &'a Record>,
    query: &Query,
    limit: usize,
) -> Vec<&'a str> {
    let body = |record: &'a Record| record.body.as_str();
    match query.ascending {
        true => records.skip(query.skip).take(limit).map(body).collect(),
        false => records.rev().skip(query.skip).take(limit).map(body).collect(),
    }
}

fn envelope(query: &Query, total: usize, limit: usize, bodies: &[&str]) -> String {
    let end = query.skip.saturating_add(bodies.len());
    let has_more = end < total;
    let next = if has_more { end.to_string() } else { "null".to_owned() };
    let size: usize = bodies.iter().map(|body| body.len() + 1).sum();
    let mut text = String::with_capacity(size + 160);
    text.push_str("{\"items\":[");
    for (index, body) in bodies.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(body);
    }
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        "],\"total\":{total},\"skip\":{},\"limit\":{limit},\"has_more\":{has_more},\"next_cursor\":{next}}}",
        query.skip
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::Recipe;
    use serde_json::Value;

    const ORG: &str = "/v2/enterprise/organizations/org_demo/sessions/insights";
    const ENTERPRISE: &str = "/v2/enterprise/sessions/insights";
    const KEY: Option<&str> = Some("Bearer apk_user_test");

    fn terms() -> Terms {
        Terms { max_page: 200, key: None }
    }

    fn get(organisation: &Organisation, path: &str, query: &str) -> Value {
        let request = Request { method: "GET", path, query, authorization: KEY };
        let answer = answer(organisation, &terms(), request);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    fn ids(page: &Value) -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["session_id"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Follows `next_cursor` to the end.
    fn walk(organisation: &Organisation, query: &str) -> Vec<String> {
        let (mut all, mut skip) = (Vec::new(), 0);
        loop {
            let page = get(organisation, ORG, &format!("skip={skip}&{query}"));
            let new = ids(&page);
            assert!(!new.is_empty() || skip == 0, "more was promised, nothing came");
            all.extend(new);
            assert_eq!(page["has_more"], page["next_cursor"].is_u64());
            match page["next_cursor"].as_u64() {
                Some(next) => skip = next,
                None => {
                    assert_eq!(page["total"], all.len());
                    return all;
                }
            }
        }
    }

    fn small() -> Organisation {
        Organisation::invent(&Recipe { sessions: 437, ..Recipe::demo() })
    }

    #[test]
    fn a_walk_sees_every_session_once() {
        let organisation = small();
        let expected: Vec<_> = organisation.records.iter().map(|record| record.session_id.clone()).collect();
        let oldest_first = walk(&organisation, "limit=50&order=asc");
        assert_eq!(oldest_first, expected);
        let mut newest_first = walk(&organisation, "limit=60");
        newest_first.reverse();
        assert_eq!(newest_first, expected);
        assert_eq!(walk(&organisation, "limit=19&order=asc&tags=nobody"), Vec::<String>::new());
    }

    #[test]
    fn pages_are_clamped_and_past_the_end_empty() {
        let organisation = small();
        let page = get(&organisation, ORG, "limit=1000");
        assert_eq!((page["limit"].as_u64(), ids(&page).len()), (Some(200), 200));
        assert_eq!(get(&organisation, ORG, "")["limit"], 100);
        let last = get(&organisation, ORG, "skip=387&limit=50");
        assert_eq!(
            (ids(&last).len(), &last["has_more"], &last["next_cursor"]),
            (50, &json!(false), &Value::Null)
        );
        let page = get(&organisation, ORG, "skip=437");
        assert_eq!((ids(&page).len(), &page["has_more"], &page["total"]), (0, &json!(false), &json!(437)));
        assert_eq!(get(&organisation, ORG, &format!("skip={}", i64::MAX))["has_more"], false);
    }

    #[test]
    fn the_window_is_half_open() {
        let organisation = Organisation::from_values(
            [
                "2026-10-04T23:59:59Z",
                "2026-10-05T00:00:00Z",
                "2026-10-11T23:59:59.9Z",
                "2026-10-12T00:00:00Z",
            ]
            .iter()
            .enumerate()
            .map(|(id, at)| json!({"session_id": id.to_string(), "created_at": at, "updated_at": at}))
            .chain([json!({"session_id": "odd", "created_at": null})])
            .collect(),
        );
        let window = |field: &str| {
            format!(
                "order=asc&{field}_date_from=2026-10-05T00:00:00Z&{field}_date_to=2026-10-12T02:00:00%2B02:00"
            )
        };
        assert_eq!(ids(&get(&organisation, ORG, &window("created"))), ["odd", "1", "2"]);
        assert_eq!(ids(&get(&organisation, ORG, &window("updated"))), ["odd", "1", "2"]);
        let empty = "created_date_from=2026-10-12T00:00:00Z&created_date_to=2026-10-05T00:00:00Z";
        assert_eq!(ids(&get(&organisation, ORG, empty)), ["odd"]);
    }

    #[test]
    fn filters_hold_any_of_their_values() {
        let organisation = Organisation::from_values(vec![
            json!({"session_id": "devin-1", "user_id": "email|62f0", "tags": ["a b", "c"]}),
            json!({"session_id": "2", "user_id": "email|77aa", "tags": ["d"]}),
            json!({"session_id": "3", "user_id": null, "tags": null}),
        ]);
        let asked = |query: &str| ids(&get(&organisation, ENTERPRISE, &format!("order=asc&{query}")));
        assert_eq!(asked("tags=a+b&tags=d"), ["2", "devin-1"]);
        assert_eq!(asked("user_ids=email%7C62f0"), ["devin-1"]);
        assert_eq!(asked("user_ids=email|62f0&tags=d"), [""; 0]);
        assert_eq!(asked("session_ids=1&session_ids=devin-3"), ["3", "devin-1"]);
        assert_eq!(asked("tagz=d").len(), 3);
    }

    #[test]
    fn organisations_see_their_own_sessions() {
        let organisation = Organisation::from_values(vec![
            json!({"session_id": "1", "org_id": "org 7/β|x"}),
            json!({"session_id": "2", "org_id": "org_789"}),
            json!({"session_id": "3"}),
        ]);
        let of = |org: &str| {
            let path = format!("/v2/enterprise/organizations/{org}/sessions/insights");
            ids(&get(&organisation, &path, "order=asc"))
        };
        assert_eq!(of("org%207%2F%CE%B2%7Cx"), ["1", "3"]);
        assert_eq!(of("org_789"), ["2", "3"]);
        assert_eq!(of("org_demo"), ["3"]);
        assert_eq!(ids(&get(&organisation, ENTERPRISE, "order=asc")), ["1", "2", "3"]);
        let enterprise = Organisation::invent(&Recipe { sessions: 60, orgs: 3, ..Recipe::demo() });
        let each: Vec<u64> = ["org_demo", "org_demo_2", "org_demo_3"]
            .map(|org| format!("/v2/enterprise/organizations/{org}/sessions/insights"))
            .iter()
            .filter_map(|path| get(&enterprise, path, "")["total"].as_u64())
            .collect();
        assert_eq!(each.iter().sum::<u64>(), 60);
        assert!(each.iter().all(|total| *total > 0), "{each:?}");
    }

    #[test]
    fn refusals_are_worded_as_documented() {
        let organisation = small();
        let cases = [
            ("GET", ORG, "", None, 401),
            ("GET", ORG, "", Some("Bearer cog_x"), 401),
            ("GET", ORG, "", Some("Bearer apk_user_"), 401),
            ("GET", ORG, "", Some("Basic apk_user_x"), 401),
            ("GET", ORG, "", Some("bearer apk_user_x"), 200),
            ("POST", ORG, "", KEY, 405),
            ("HEAD", ORG, "", KEY, 405),
            ("GET", "/", "", KEY, 404),
            ("GET", "/v2/enterprise/sessions/insights/", "", KEY, 404),
            ("GET", "/v2/enterprise/organizations/org_nobody/sessions/insights", "", KEY, 404),
            ("GET", ORG, "limit=0", KEY, 422),
            ("GET", ORG, "created_date_from=soon", KEY, 422),
        ];
        for (method, path, query, authorization, status) in cases {
            let request = Request { method, path, query, authorization };
            let answer = answer(&organisation, &terms(), request);
            assert_eq!(answer.status, status, "{method} {path}?{query} {authorization:?}");
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            match status {
                200 => {}
                422 => {
                    let fault = &body["detail"][0];
                    assert_eq!(fault["loc"][0], "query");
                    assert!(fault["msg"].is_string() && fault["type"].is_string());
                }
                _ => assert!(body["detail"].is_string()),
            }
        }
        let exact = Terms { key: Some("apk_user_b".to_owned()), ..terms() };
        for (authorization, status) in [("Bearer apk_user_b", 200), ("Bearer apk_user_bb", 401)] {
            let request = Request { method: "GET", path: ORG, query: "", authorization: Some(authorization) };
            assert_eq!(answer(&organisation, &exact, request).status, status);
        }
    }
}
