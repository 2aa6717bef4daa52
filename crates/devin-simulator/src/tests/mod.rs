mod agreement;
mod lists;
mod pages;
mod shapes;
mod wire;

use serde_json::{Value, json};

use super::answer::{Answer, Request, answer};
use super::faults::{Shape, mishaps};
use super::*;

const V2: &str = "/v2/enterprise/sessions/insights";
const V3: &str = "/v3/enterprise/sessions/insights";
const PERSONAL: &str = "Bearer apk_user_x";
const SERVICE: &str = "Bearer cog_x";

fn key(path: &str) -> &'static str {
    if path.starts_with("/v3") { SERVICE } else { PERSONAL }
}

/// One answer with the right key.
fn ask(organisation: &Organisation, options: &Options, path: &str, query: &str, shape: &Shape) -> Answer {
    let request = Request { method: "GET", path, query, authorization: Some(key(path)) };
    answer(organisation, options, request, shape)
}

/// A page that must be given.
fn page(organisation: &Organisation, path: &str, query: &str, shape: &Shape) -> Value {
    let answer = ask(organisation, &Options::default(), path, query, shape);
    assert_eq!(answer.status, 200, "{path}?{query}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap().clone()
}

/// The ids of records, without their prefixes.
fn ids(items: &[Value]) -> Vec<String> {
    let bare = |item: &Value| item["session_id"].as_str().unwrap_or_default().replacen("devin-", "", 1);
    items.iter().map(bare).collect()
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// All pages of a walk that trusts the server; at most so many.
fn walk(organisation: &Organisation, path: &str, query: &str, size: usize, most: usize) -> Vec<Value> {
    faulty_walk(organisation, path, query, size, most, &[])
}

/// The same where things go wrong, from the first request on.
fn faulty_walk(
    organisation: &Organisation,
    path: &str,
    query: &str,
    size: usize,
    most: usize,
    faults: &[Fault],
) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    let (mut skip, mut after) = (0, String::new());
    for request in 1..=most as u64 {
        let place = match path.starts_with("/v3") {
            true => format!("first={size}{after}"),
            false => format!("order=asc&limit={size}&skip={skip}"),
        };
        let shape = mishaps(faults, &[], request).shape;
        let page = page(organisation, path, &format!("{query}&{place}"), &shape);
        skip += items(&page).len();
        if let Some(cursor) = page["end_cursor"].as_str() {
            after = format!("&after={}", escaped(cursor));
        }
        let more = page.get("has_more").or(page.get("has_next_page")).and_then(Value::as_bool);
        pages.push(page);
        if more != Some(true) {
            break;
        }
    }
    pages
}

/// All records of these pages.
fn records(pages: &[Value]) -> Vec<Value> {
    pages.iter().flat_map(items).collect()
}

/// Sessions a minute apart, the oldest first.
fn sessions(count: usize) -> Vec<Value> {
    let at = |minute: usize| format!("2026-10-05T{:02}:{:02}:00Z", minute / 60, minute % 60);
    let session = |number: usize| {
        json!({
            "session_id": format!("s{number:03}"), "created_at": at(number), "updated_at": at(number + 1),
            "status": "exit", "acus_consumed": 2.5
        })
    };
    (0..count).map(session).collect()
}
