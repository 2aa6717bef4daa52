mod bytes;
mod faults;
mod people;
mod proof;
pub(super) mod server;
mod statuses;
mod transport;
mod v3;
mod walk;

use std::sync::Mutex;

use self::server::{Asked, Reply, json};
use super::*;

pub(super) fn config(base: &str) -> ApiConfig {
    ApiConfig {
        trust: Trust::default(),
        proxy: None,
        api: Api::V2,
        base_url: base.parse().unwrap(),
        key: Secret::new("apk_user_k3y".to_owned()),
        key_source: "DEVIN_API_KEY".to_owned(),
        page_size: 10,
        gate: Gate::new(1),
        deadline: Duration::from_secs(60),
    }
}

/// A week of one organisation.
pub(super) fn query() -> SessionQuery {
    let moment = |text: &str| text.parse().unwrap();
    SessionQuery::all(
        Some("org_789".to_owned()),
        moment("2026-10-05T00:00:00Z")..moment("2026-10-12T00:00:00Z"),
    )
}

/// The true limits, but for the waits.
fn quick() -> Limits {
    let policy =
        retry::RetryPolicy { base: Duration::from_millis(1), cap: Duration::from_millis(5), ..LIMITS.policy };
    Limits { policy, ..LIMITS }
}

/// What a fetch delivered since the last restart, and its progress events.
#[derive(Debug, Default)]
struct Seen {
    /// Positions and ids, in rising order.
    rows: Vec<(u64, String)>,
    restarts: usize,
    news: Vec<Progress>,
}

impl Seen {
    fn ids(&self) -> Vec<&str> {
        self.rows.iter().map(|(_, id)| id.as_str()).collect()
    }

    fn retries(&self) -> Vec<(u32, &str, Duration)> {
        let retry = |news| match news {
            &Progress::Retry { attempt, ref class, wait, .. } => Some((attempt, class.as_str(), wait)),
            _ => None,
        };
        self.news.iter().filter_map(retry).collect()
    }
}

/// The variant of an error: what callers distinguish.
pub(super) fn kind(error: &FetchError) -> String {
    let shown = format!("{error:?}");
    shown.split([' ', '{']).next().unwrap().to_owned()
}

async fn run(config: &ApiConfig) -> (Result<FetchStats, FetchError>, Seen) {
    run_query(config, &query()).await
}

async fn run_query(config: &ApiConfig, query: &SessionQuery) -> (Result<FetchStats, FetchError>, Seen) {
    run_within(config, query, &quick()).await
}

async fn run_within(
    config: &ApiConfig,
    query: &SessionQuery,
    limits: &Limits,
) -> (Result<FetchStats, FetchError>, Seen) {
    let mut seen = Seen::default();
    let news = Mutex::new(Vec::new());
    let mut deliver = |event: PageEvent<'_>| match event {
        PageEvent::Restart => {
            seen.rows.clear();
            seen.restarts += 1;
        }
        PageEvent::Answer { .. } => {}
        PageEvent::Page(rows) => {
            seen.rows.extend(rows.iter().map(|row| (row.position, row.session.id().unwrap().to_owned())));
        }
    };
    let progress = |event: Progress| news.lock().unwrap().push(event);
    let outcome = fetch_within(config, query, limits, &mut deliver, &progress).await;
    seen.rows.sort();
    seen.news = news.into_inner().unwrap();
    // Whatever happens, the key shows nowhere.
    let shown = format!("{config:?} {outcome:?} {seen:?}");
    assert!(!shown.contains("k3y"), "{shown}");
    if let Err(error) = &outcome {
        let output = error.to_string();
        assert!(!output.contains("k3y"), "{output}");
    }
    if let Ok(stats) = &outcome {
        assert_eq!(
            stats.received,
            stats.unique + stats.duplicates + stats.outside + stats.rejected,
            "{stats:?}"
        );
    }
    (outcome, seen)
}

/// A caller may move a fetch to another thread.
#[test]
fn a_fetch_can_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    let (config, query) = (config("http://127.0.0.1:9"), query());
    let mut deliver = |_: PageEvent<'_>| ();
    is_send(&fetch(&config, &query, &mut deliver, &|_| ()));
}

/// The nth session of an organisation.
fn record(n: u64) -> String {
    format!(r#"{{"session_id": "devin-s{n:03}", "created_at": "2026-10-06T00:00:00Z"}}"#)
}

fn envelope(records: &[String], more: bool, total: u64) -> String {
    format!(r#"{{"items": [{}], "has_more": {more}, "total": {total}}}"#, records.join(","))
}

/// A page of these records as an honest server gives it.
fn honest(records: &[String], asked: &Asked, largest_page: u64) -> Reply {
    let total = records.len();
    let start = usize::try_from(asked.skip()).unwrap().min(total);
    let length = usize::try_from(asked.limit().min(largest_page)).unwrap();
    let end = start.saturating_add(length).min(total);
    json(200, &envelope(&records[start..end], end < total, total as u64))
}

/// The first n sessions of an organisation.
fn records(n: u64) -> Vec<String> {
    (0..n).map(record).collect()
}

fn names(n: u64) -> Vec<String> {
    (0..n).map(|n| format!("s{n:03}")).collect()
}
