//! Records as they are served, read into what is counted.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use serde_json::Value;

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: String,
    pub created: DateTime<Utc>,
    pub user: Option<String>,
    pub automation: bool,
    pub tags: BTreeSet<String>,
    pub org: Option<String>,
    pub status: Option<String>,
    pub acus: Option<f64>,
    pub pulls: Vec<PullEntry>,
    pub analysis: Option<Analysis>,
    pub origin: Option<String>,
    pub size: Option<String>,
    pub category: Option<String>,
    pub status_detail: Option<String>,
    pub playbook: Option<String>,
    pub mode: Option<String>,
    pub limited: bool,
    pub messages: Option<u64>,
    /// Fields, and elements of lists, that could not be read.
    pub unreadable: u64,
}

impl Session {
    /// What it cost as far as is known.
    pub fn spent(&self) -> f64 {
        self.acus.unwrap_or_default()
    }

    /// Its tags, or the one null of a session without tags.
    pub fn tag_groups(&self) -> Vec<Option<String>> {
        match self.tags.is_empty() {
            true => vec![None],
            false => self.tags.iter().cloned().map(Some).collect(),
        }
    }

    /// Its pull requests' addresses, each once.
    pub fn addresses(&self) -> BTreeSet<&str> {
        self.pulls.iter().filter_map(|pull| pull.address.as_deref()).collect()
    }
}

/// A row of a session's pull requests.
#[derive(Clone, Debug)]
pub struct PullEntry {
    /// Canonical, in the spelling of the earliest session.
    pub address: Option<String>,
    /// Host and path of the repository in the spelling of the earliest session, or "unknown".
    pub repo: String,
    pub state: &'static str,
}

/// What is counted of an analysis.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    pub issues: Vec<Issue>,
    pub action_types: Vec<Option<String>>,
    pub feedback_items: usize,
}

/// An issue of an analysis.
#[derive(Clone, Debug)]
pub struct Issue {
    pub impact: &'static str,
    pub label: Option<String>,
}

/// Distinct sessions created in `[from, to)`; of duplicates the freshest, then
/// the later in the order of the API.
pub fn sessions(records: &[Value], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Session> {
    let mut served: Vec<(DateTime<Utc>, String, &Value)> = Vec::new();
    for record in records {
        let (Some(created), Some(id)) = (moment(&record["created_at"]), text(&record["session_id"])) else {
            continue;
        };
        if from <= created && created < to {
            served.push((created, id, record));
        }
    }
    served.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));

    let mut freshest: HashMap<String, (Option<DateTime<Utc>>, Session)> = HashMap::new();
    for (created, id, record) in served {
        let Some(session) = session(record, &id, created) else { continue };
        let updated = moment(&record["updated_at"]);
        match freshest.get(&session.id) {
            Some((known, _)) if *known > updated => {}
            _ => {
                freshest.insert(session.id.clone(), (updated, session));
            }
        }
    }
    let mut sessions: Vec<Session> = freshest.into_values().map(|(_, session)| session).collect();
    sessions.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    in_one_spelling(&mut sessions);
    sessions
}

/// Hosts on which case says nothing.
const CASELESS: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"];

/// Gives each pull request and each repository the spelling of the earliest session.
fn in_one_spelling(sessions: &mut [Session]) {
    let mut spelling: HashMap<String, String> = HashMap::new();
    for entry in sessions.iter_mut().flat_map(|session| &mut session.pulls) {
        let PullEntry { address: Some(address), repo, .. } = entry else { continue };
        for text in [address, repo] {
            let place = text.trim_start_matches("https://");
            let is_known = place == text || known_form(text).is_some();
            if is_known && CASELESS.iter().any(|host| place.starts_with(&format!("{host}/"))) {
                *text = spelling.entry(text.to_lowercase()).or_insert_with(|| text.clone()).clone();
            }
        }
    }
}

/// The details of a suspension that a limit caused.
const LIMITS: &str = "usage_limit_exceeded out_of_credits out_of_quota no_quota_allocation payment_declined \
                      org_usage_limit_exceeded user_usage_limit_exceeded total_session_limit_exceeded \
                      contract_expired";

fn session(record: &Value, id: &str, created: DateTime<Utc>) -> Option<Session> {
    let id = id.strip_prefix("devin-").unwrap_or(id);
    let mut unreadable = 0;
    let odd = &mut unreadable;
    let mut word = |name: &str| word(&record[name], odd);
    let (service_user, person) = (word("service_user_id"), word("user_id"));
    let (org, status, detail) = (word("org_id"), word("status"), word("status_detail"));
    let (origin, size, category) = (word("origin"), word("session_size"), word("category"));
    let (playbook, mode) = (word("playbook_id"), word("devin_mode"));
    let _ = [word("title"), word("url")];
    let messages = match &record["num_user_messages"] {
        Value::Null => None,
        output => {
            let number = text(output).and_then(|text| text.trim_end_matches(".0").parse().ok());
            unreadable += u64::from(number.is_none());
            number
        }
    };
    let updated = &record["updated_at"];
    unreadable += u64::from(!updated.is_null() && updated != "" && moment(updated).is_none());
    let mut analyses = ["session_analysis", "analysis"]
        .map(|name| object(&record[name], &mut unreadable))
        .into_iter()
        .flatten();
    (!id.is_empty()).then(|| Session {
        id: id.to_owned(),
        created,
        automation: service_user.is_some()
            || person.as_deref() == Some("bot_apk")
            || ["automation", "scheduled", "code_scan"].map(Some).contains(&origin.as_deref()),
        user: service_user.or(person),
        tags: tags(&record["tags"], &mut unreadable),
        org,
        acus: known_acus(&record["acus_consumed"]),
        pulls: pulls(&record["pull_requests"], &mut unreadable),
        analysis: analyses.next().map(|value| analysis(&value, &mut unreadable)),
        origin,
        size,
        category,
        limited: status.as_deref() == Some("suspended")
            && detail.as_deref().is_some_and(|detail| LIMITS.split_whitespace().any(|limit| limit == detail)),
        status,
        status_detail: detail,
        playbook,
        mode,
        messages,
        unreadable,
    })
}

/// Text of a field; a value of another type is odd.
fn word(value: &Value, odd: &mut u64) -> Option<String> {
    *odd += u64::from(matches!(value, Value::Bool(_) | Value::Array(_) | Value::Object(_)));
    text(value)
}

/// A value, or what JSON text in its place holds.
fn unwrapped(value: &Value) -> Value {
    let Some(text) = value.as_str().map(str::trim) else { return value.clone() };
    if text.is_empty() || text == "null" {
        return Value::Null;
    }
    let inner = serde_json::from_str(text).ok().filter(|_| text.starts_with(['{', '[']));
    inner.unwrap_or_else(|| value.clone())
}

/// An object, which may be text or alone in a list.
fn object(value: &Value, odd: &mut u64) -> Option<Value> {
    let found = match unwrapped(value) {
        Value::Null => return None,
        Value::Array(mut list) if list.len() < 2 => list.pop()?,
        other => other,
    };
    *odd += u64::from(!found.is_object());
    Some(found).filter(Value::is_object)
}

/// A list, which may be text or one object with any of the names. `None` for other text.
fn elements(value: &Value, names: &[&str], odd: &mut u64) -> Option<Vec<Value>> {
    Some(match unwrapped(value) {
        Value::Null => Vec::new(),
        Value::Array(list) => list.into_iter().filter(|element| !element.is_null()).collect(),
        Value::Object(map) if map.is_empty() => Vec::new(),
        Value::Object(map) if names.iter().any(|name| map.contains_key(*name)) => vec![Value::Object(map)],
        Value::String(text) if !text.trim().starts_with(['{', '[']) => return None,
        _ => {
            *odd += 1;
            Vec::new()
        }
    })
}

fn tags(value: &Value, odd: &mut u64) -> BTreeSet<String> {
    let list = elements(value, &["name"], odd);
    let list = list.unwrap_or_else(|| {
        value.as_str().unwrap_or_default().split(',').map(|tag| Value::from(tag.trim())).collect()
    });
    let mut tags = BTreeSet::new();
    for tag in &list {
        let name = tag.get("name").filter(|name| name.is_string()).unwrap_or(tag);
        tags.extend(word(name, odd));
    }
    tags
}

fn pulls(value: &Value, odd: &mut u64) -> Vec<PullEntry> {
    let list = elements(value, &["pr_url", "url", "pr_state", "state"], odd).unwrap_or_else(|| {
        let text = value.as_str().unwrap_or_default().trim();
        let parts: Vec<&str> = text.split([',', ' ', '\n', '\t']).filter(|part| !part.is_empty()).collect();
        match parts.iter().all(|part| is_address(part)) {
            true => parts.into_iter().map(Value::from).collect(),
            false => {
                *odd += 1;
                Vec::new()
            }
        }
    });
    list.iter().filter_map(|entry| pull_entry(entry, odd)).collect()
}

fn is_address(text: &str) -> bool {
    text.contains("://") || text.split_once('/').is_some_and(|(host, _)| host.contains('.'))
}

fn analysis(value: &Value, odd: &mut u64) -> Analysis {
    let prompt = object(&value["suggested_prompt"], odd).unwrap_or_default();
    let mut parts = |value: &Value, names: &[&str]| -> Vec<Value> {
        let Some(list) = elements(value, names, odd) else {
            *odd += 1;
            return Vec::new();
        };
        let mut parts = Vec::new();
        for part in list {
            match unwrapped(&part) {
                Value::Object(map) => parts.push(Value::Object(map)),
                // A bare sentence is read as an entry without any other field.
                Value::String(_) => parts.push(Value::Null),
                Value::Null => {}
                _ => *odd += 1,
            }
        }
        parts
    };
    let issues = parts(&value["issues"], &["impact", "label", "issue", "title", "id"]);
    let items = parts(&value["action_items"], &["type", "action_item", "issue_id"]);
    let feedback = parts(&prompt["feedback_items"], &["summary", "excerpt", "details", "issue_id"]);
    let mut word = |value: &Value| word(value, odd);
    let mut issue =
        |issue: &Value| Issue { impact: impact(word(&issue["impact"])), label: word(&issue["label"]) };
    Analysis {
        issues: issues.iter().map(&mut issue).collect(),
        action_types: items.iter().map(|item| word(&item["type"])).collect(),
        feedback_items: feedback.len(),
    }
}

fn pull_entry(entry: &Value, odd: &mut u64) -> Option<PullEntry> {
    let entry = match unwrapped(entry) {
        Value::Array(_) => {
            *odd += 1;
            return None;
        }
        Value::String(text) if is_address(&text) && !text.trim().contains(char::is_whitespace) => {
            serde_json::json!({"pr_url": text})
        }
        other => other,
    };
    let [pr_url, url, pr_state, state] =
        ["pr_url", "url", "pr_state", "state"].map(|name| word(&entry[name], odd));
    let address = pr_url.or(url).map(|address| canonical(&address));
    Some(PullEntry {
        repo: address.as_deref().map(repo).unwrap_or_default(),
        address,
        state: match pr_state.or(state).unwrap_or_default().to_lowercase().as_str() {
            "merged" => "merged",
            "closed" => "closed",
            "open" => "open",
            "draft" => "draft",
            _ => "unknown",
        },
    })
}

/// An address as it is compared, but for case.
pub fn canonical(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    known_form(address).map_or_else(|| of_no_form(address), |(address, _)| address)
}

/// Host and path of the repository, else "unknown".
pub fn repo(canonical: &str) -> String {
    known_form(canonical).map_or_else(|| "unknown".to_owned(), |(_, repo)| repo)
}

/// The canonical address and the repository, where a forge could have written it.
fn known_form(address: &str) -> Option<(String, String)> {
    let place = match address.split_once("://") {
        Some((scheme, place)) if ["http", "https"].contains(&scheme.to_lowercase().as_str()) => place,
        Some(_) => return None,
        None => address,
    };
    let parts: Vec<&str> = place.split('/').filter(|part| !part.is_empty()).collect();
    let host = parts.first()?.split('@').next_back()?.to_lowercase();
    let host = host.trim_end_matches(":80").trim_end_matches(":443").trim_start_matches("www.");
    if !address.contains("://") && !host.contains('.') {
        return None;
    }
    for at in 1..parts.len().saturating_sub(1) {
        let (word, number) = (parts[at].to_lowercase(), parts[at + 1]);
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        let is_number = !digits.is_empty() && !number[digits.len()..].starts_with(char::is_alphanumeric);
        let words = ["pull", "pulls", "merge_requests", "pull-requests", "pullrequest"];
        if !is_number || !words.contains(&word.as_str()) {
            continue;
        }
        let mut path = parts[1..at].to_vec();
        let mut word = if CASELESS.contains(&host) { parts[at].to_owned() } else { word };
        if word.to_lowercase() == "merge_requests" {
            path.pop_if(|last| *last == "-");
            word = format!("-/{word}");
        }
        let repo = std::iter::once(host).chain(path).collect::<Vec<_>>().join("/");
        return Some((format!("https://{repo}/{word}/{digits}"), repo));
    }
    None
}

/// Host and scheme lower-case, nothing after the path.
fn of_no_form(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{}://", scheme.to_lowercase()), rest),
        None => (String::new(), address),
    };
    match rest.split_once('/') {
        Some((host, path)) => format!("{scheme}{}/{path}", host.to_lowercase()),
        None => format!("{scheme}{}", rest.to_lowercase()),
    }
}

fn impact(word: Option<String>) -> &'static str {
    match word.unwrap_or_default().to_lowercase().as_str() {
        "high" => "high",
        "medium" => "medium",
        "low" => "low",
        _ => "other",
    }
}

/// Trimmed text; blank is absent, and a number is its digits.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_f64() => number.as_f64()?.to_string(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A number or a number as text, if it can be an amount.
fn known_acus(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => {
            let text = text.trim();
            // Rust reads words such as "inf" and "NaN", too.
            if text.chars().any(|c| c.is_alphabetic() && c != 'e' && c != 'E') {
                return None;
            }
            text.parse().ok()?
        }
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// A moment: ISO 8601 with or without zone (then UTC), or unix seconds or milliseconds.
pub fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Number(number) => unix(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            // Words such as "NaN" are no times.
            let is_number = text.bytes().all(|b| b.is_ascii_digit() || b".-+eE".contains(&b));
            let named = ["UTC", "utc", "GMT", "gmt"].iter().find_map(|zone| text.strip_suffix(zone));
            written(named.unwrap_or(text).trim()).or_else(|| unix(text.parse().ok().filter(|_| is_number)?))
        }
        _ => None,
    }
}

/// Seconds; milliseconds where seconds would lie thousands of years ahead.
fn unix(number: f64) -> Option<DateTime<Utc>> {
    if number.abs() > 1e11 {
        DateTime::from_timestamp_millis(number as i64)
    } else {
        DateTime::from_timestamp_micros((number * 1e6).round() as i64)
    }
}

fn written(text: &str) -> Option<DateTime<Utc>> {
    let date = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let rest = rest.replace(',', ".");
    let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let clock = clock.trim();
    let time = NaiveTime::parse_from_str(clock, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(clock, "%H:%M"))
        .ok()?;
    Some(date.and_time(time).and_utc() - offset(zone)?)
}

/// `Z`, nothing, `+02:00`, `+0200` or `+02`.
fn offset(zone: &str) -> Option<Duration> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(Duration::zero());
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.get(1..)?.replace(':', "");
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = match digits.get(2..)? {
        "" => 0,
        minutes => minutes.parse().ok()?,
    };
    Some(Duration::minutes(sign * (hours * 60 + minutes)))
}
