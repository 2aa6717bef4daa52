//! A request to its answer: pure, so that the server only carries bytes.

use hyper::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::faults::Shape;
use super::filter::Filter;
use super::lists::{self, List};
use super::options::Options;
use super::parameters::Complaint;
use super::v3;
use super::{Organisation, consumption, metrics, usage, v2};

/// What every personal key begins with; version 2 takes these.
const PERSONAL: &str = "apk_";
const PERSONAL_WHOLE: &str = "apk_user_";
/// What every key of a service user begins with; version 3 takes these.
const SERVICE: &str = "cog_";

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
    /// Problem details of RFC 9457.
    pub is_problem: bool,
}

impl Request<'_> {
    /// A refusal, in words or as complaints about parameters: `{"detail": …}` of
    /// version 2, problem details of version 3.
    pub fn refused(&self, status: u16, detail: impl Serialize) -> Answer {
        if !self.path.starts_with("/v3/") {
            return Answer { status, body: json!({ "detail": detail }).to_string(), is_problem: false };
        }
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut body = json!({
            "type": "about:blank", "title": reason.unwrap_or_default(), "status": status, "detail": null,
            "instance": self.path
        });
        let detail = json!(detail);
        let name = if detail.is_array() { "errors" } else { "detail" };
        if let Some(fields) = body.as_object_mut() {
            fields.insert(name.to_owned(), detail);
        }
        Answer { status, body: body.to_string(), is_problem: true }
    }
}

impl Answer {
    fn well(body: String) -> Self {
        Self { status: 200, body, is_problem: false }
    }
}

/// A generation of the API.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    V2,
    V3,
}

/// What is asked about.
struct Route {
    api: Api,
    /// None is the whole enterprise.
    org: Option<String>,
    subject: Subject,
}

/// What is counted of a span.
#[derive(Clone, Copy)]
enum Count {
    Usage,
    Sessions,
    Pulls,
}

#[derive(Clone, Copy)]
enum Subject {
    Sessions,
    Count(Count),
    Consumption,
    Cycles,
    Myself,
    List(List),
}

/// The answer to a request: the right path, then the method, the key, the
/// organisation and the parameters are looked at, in this order. The shape says
/// what is wrong with a page of sessions.
pub fn answer(organisation: &Organisation, options: &Options, request: Request, shape: &Shape) -> Answer {
    let Some(Route { api, org, subject }) = route(request.path) else {
        return request.refused(404, "Not Found");
    };
    if request.method != "GET" {
        return request.refused(405, "Method Not Allowed");
    }
    let token = match request.authorization.and_then(token) {
        None => return request.refused(401, "Not authenticated"),
        Some(token) if !is_let_in(options, api, token) => return request.refused(401, "Invalid API key"),
        Some(token) => token,
    };
    if org.as_ref().is_some_and(|org| !organisation.orgs.contains(org)) {
        return request.refused(404, "Organization not found");
    }
    let is_allowed = match subject {
        Subject::Sessions | Subject::Myself => true,
        Subject::Count(_) => options.may_see_usage,
        Subject::Consumption | Subject::Cycles => options.may_see_consumption,
        Subject::List(list) => !shape.refuses_lists && !options.hidden.contains(&list),
    };
    if !is_allowed {
        return request.refused(403, "Insufficient permissions");
    }
    match (subject, api) {
        (Subject::Myself, _) => Answer::well(v3::myself(token)),
        (Subject::Count(count), Api::V2) => {
            about(organisation, org, request, usage::read_v2(request.query), |filter| match count {
                Count::Usage => usage::v2(&usage::count(organisation, filter)),
                Count::Sessions => metrics::sessions_v2(organisation, filter),
                Count::Pulls => metrics::pulls_v2(organisation, filter),
            })
        }
        (Subject::Count(count), Api::V3) => {
            about(organisation, org, request, usage::read_v3(request.query), |filter| match count {
                Count::Usage => usage::v3(&usage::count(organisation, filter)),
                Count::Sessions => metrics::sessions_v3(organisation, filter, shape),
                Count::Pulls => metrics::pulls_v3(organisation, filter),
            })
        }
        (Subject::Consumption, Api::V2) => {
            let filter = usage::read_v2(request.query);
            about(organisation, org, request, filter, |filter| {
                consumption::daily_v2(organisation, filter, shape)
            })
        }
        (Subject::Consumption, Api::V3) => {
            let is_of_org = org.is_some();
            about(organisation, org, request, usage::read_v3(request.query), |filter| {
                consumption::daily_v3(organisation, filter, is_of_org, shape)
            })
        }
        (Subject::Cycles, Api::V2) => Answer::well(consumption::cycles_v2(organisation)),
        (Subject::Cycles, Api::V3) => Answer::well(consumption::cycles_v3(organisation)),
        (Subject::List(list), Api::V2) => match v2::Query::read(request.query) {
            Err(complaints) => request.refused(422, complaints),
            Ok(query) => {
                let list = (list, org.as_deref());
                Answer::well(lists::page_v2(organisation, list, &query, options.max_page, shape))
            }
        },
        (Subject::List(list), Api::V3) => match v3::Query::read(request.query) {
            Err(complaints) => request.refused(422, complaints),
            Ok(query) => {
                let list = (list, org.as_deref());
                lists::page_v3(organisation, list, &query, options.max_page, options.total, shape)
                    .map_or_else(|| request.refused(400, "Invalid cursor"), Answer::well)
            }
        },
        (Subject::Sessions, Api::V2) => match v2::Query::read(request.query) {
            Err(complaints) => request.refused(422, complaints),
            Ok(mut query) => {
                narrow(organisation, org, &mut query.filter);
                Answer::well(v2::page(organisation, &query, options.max_page, shape))
            }
        },
        (Subject::Sessions, Api::V3) => match v3::Query::read(request.query) {
            Err(complaints) => request.refused(422, complaints),
            Ok(mut query) => {
                narrow(organisation, org, &mut query.filter);
                v3::page(organisation, &query, options.max_page, options.total, shape)
                    .map_or_else(|| request.refused(400, "Invalid cursor"), Answer::well)
            }
        },
    }
}

/// What is written about a span.
fn about(
    organisation: &Organisation,
    org: Option<String>,
    request: Request,
    filter: Result<Filter, Vec<Complaint>>,
    write: impl Fn(&Filter) -> String,
) -> Answer {
    match filter {
        Err(complaints) => request.refused(422, complaints),
        Ok(mut filter) => {
            narrow(organisation, org, &mut filter);
            Answer::well(write(&filter))
        }
    }
}

/// The organisation of the path is the only one, whatever the parameters say.
fn narrow(organisation: &Organisation, org: Option<String>, filter: &mut Filter) {
    if let Some(org) = org {
        filter.orgs.clear();
        // With one organisation there is nothing to leave out.
        filter.orgs.extend((organisation.orgs.len() > 1).then_some(org));
    }
}

fn route(path: &str) -> Option<Route> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let (api, org, rest) = match segments.as_slice() {
        ["v3", "self"] => return Some(Route { api: Api::V3, org: None, subject: Subject::Myself }),
        ["v3beta1", "organizations", org, "members", "users"] => {
            let (org, subject) = (Some(decoded(org)), Subject::List(List::OrgUsers));
            return Some(Route { api: Api::V3, org, subject });
        }
        ["v2", "enterprise", "organizations", org, rest @ ..] => (Api::V2, Some(decoded(org)), rest),
        ["v2", "enterprise", rest @ ..] => (Api::V2, None, rest),
        ["v3", "organizations", org, rest @ ..] => (Api::V3, Some(decoded(org)), rest),
        ["v3", "enterprise", rest @ ..] => (Api::V3, None, rest),
        _ => return None,
    };
    let subject = match rest {
        ["sessions", "insights"] => Subject::Sessions,
        ["metrics", "usage"] => Subject::Count(Count::Usage),
        ["metrics", "sessions"] => Subject::Count(Count::Sessions),
        ["metrics", "prs"] => Subject::Count(Count::Pulls),
        ["consumption", "daily"] if api == Api::V3 || org.is_none() => Subject::Consumption,
        ["consumption", "cycles"] if org.is_none() => Subject::Cycles,
        path => Subject::List(lists::named(org.is_some(), api == Api::V2, path)?),
    };
    Some(Route { api, org, subject })
}

/// A segment of a path without its escapes; in a path `+` is no space.
fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Each generation refuses the other one's keys.
fn is_let_in(options: &Options, api: Api, token: &str) -> bool {
    let (right, wrong) = match api {
        Api::V2 => (PERSONAL_WHOLE, SERVICE),
        Api::V3 => (SERVICE, PERSONAL),
    };
    match &options.key {
        Some(key) => key == token && !token.starts_with(wrong),
        None => token.len() > right.len() && token.starts_with(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;
    use serde_json::Value;

    const ORG: &str = "/v2/enterprise/organizations/org_demo/sessions/insights";
    const ENTERPRISE: &str = "/v2/enterprise/sessions/insights";
    const KEY: Option<&str> = Some("Bearer apk_user_test");

    fn get(organisation: &Organisation, path: &str, query: &str) -> Value {
        let request = Request { method: "GET", path, query, authorization: KEY };
        let answer = answer(organisation, &Options::default(), request, &Shape::default());
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
            let answer = answer(&organisation, &Options::default(), request, &Shape::default());
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
        let exact = Options { key: Some("apk_user_b".to_owned()), ..Options::default() };
        for (authorization, status) in [("Bearer apk_user_b", 200), ("Bearer apk_user_bb", 401)] {
            let request = Request { method: "GET", path: ORG, query: "", authorization: Some(authorization) };
            assert_eq!(answer(&organisation, &exact, request, &Shape::default()).status, status);
        }
    }
}
