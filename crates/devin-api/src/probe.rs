//! What the doctor asks of the API: each answer for itself, with little policy.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use reqwest::Url;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use super::api_client::{ApiClient, ServerTime};
use super::envelope::PageError;
use super::json::Text;
use super::{Api, ApiConfig, FetchError, Limits, PageEvent, Progress, Secret, SessionQuery};
use super::{address, attempt, fetch_within, page, retry, sanitize};

/// What the API answered; `None` is not asked, because of what an earlier answer was.
#[derive(Debug, Default)]
pub struct Probes {
    /// The owner of the key; v3 only.
    pub myself: Option<Result<Principal, FetchError>>,
    /// One session, of all there are.
    pub first: Option<Result<Sample, FetchError>>,
    /// Sessions of a day on which there were none.
    pub before: Option<Result<Sample, FetchError>>,
    /// A page as long as the configuration's, of all there are.
    pub page: Option<Result<Sample, FetchError>>,
    /// A whole week.
    pub week: Option<Result<Week, FetchError>>,
    /// How many sessions of that week are archived, and whether they are listed; v3.
    pub archived: Option<Result<Archived, FetchError>>,
    /// What time it is at the server.
    pub server_time: Option<ServerTime>,
}

/// Whom a key belongs to, in the server's words, cut and made harmless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// `service_user`, or another word.
    pub kind: Option<String>,
    /// Its name, else its id.
    pub name: Option<String>,
    /// The only organisation that it belongs to.
    pub org: Option<String>,
}

impl Principal {
    /// What kind of key it has, in words.
    pub fn key(&self) -> String {
        match self.kind.as_deref() {
            Some("service_user") => "a service user's key".to_owned(),
            Some("pat_user") => "a personal access token (has the permissions of its owner)".to_owned(),
            Some("DevinBrain") => "an internal key of Devin".to_owned(),
            Some("WindsurfSession") => "the key of a Windsurf session".to_owned(),
            Some(other) => format!("a key of an unknown kind ({other})"),
            None => "a key of an unreported kind".to_owned(),
        }
    }

    /// Who must be given a right that the key lacks.
    pub fn holder(&self) -> &'static str {
        match self.kind.as_deref() {
            Some("service_user") => "the service user of the key",
            Some("pat_user") => "the person whose personal access token this is",
            _ => "the owner of the key",
        }
    }
}

/// What one page was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Records on it.
    pub rows: u64,
    /// Those of them that were created outside the window asked for.
    pub outside: u64,
    /// More is promised.
    pub more: bool,
}

/// What a week holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Week {
    /// Distinct sessions.
    pub sessions: u64,
    /// Those of them with an analysis.
    pub analysed: u64,
    /// Rows received although they are outside it.
    pub outside: u64,
    /// As many came as the server counts.
    pub complete: bool,
}

/// How many sessions the server counts in a week; `None` is more than were walked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Where nothing is said of archived ones.
    pub unasked: Option<u64>,
    /// Where those are asked for …
    pub archived: Option<u64>,
    /// … and where all others are.
    pub others: Option<u64>,
}

/// How long all single answers may take together, and how long the week may.
pub const LONGEST: Duration = Duration::from_secs(30);

const LIMITS: Limits = Limits {
    bounds: attempt::Bounds {
        connect: Duration::from_secs(5),
        read: Duration::from_secs(10),
        attempt: Duration::from_secs(15),
        page_bytes: 64 * 1024 * 1024,
    },
    policy: retry::RetryPolicy {
        attempts: 2,
        attempts_not_json: 1,
        base: Duration::from_millis(500),
        cap: Duration::from_secs(1),
        budget: 10,
        deadline: LONGEST,
    },
    walks: 1,
    pages: 100_000,
};

/// The first moment of 2000, long before the first session.
const EARLY: i64 = 946_684_800;

/// Pages that are walked through to count a week that the server does not count.
const MOST_PAGES: u32 = 20;

/// Answers that show whether a report with this query can succeed; all sessions of `week`
/// are counted. It takes a minute at most.
pub async fn probe(
    config: &ApiConfig,
    query: &SessionQuery,
    week: Range<DateTime<Utc>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Probes {
    let config = ApiConfig { deadline: LONGEST, ..config.clone() };
    let query = SessionQuery { allow_partial: true, ..query.clone() };
    let client = match ApiClient::new(&config, &query, &LIMITS, progress) {
        Ok(client) => client,
        Err(error) => return Probes { first: Some(Err(error)), ..Probes::default() },
    };
    let mut probes = Probes::default();
    let until = Instant::now() + LONGEST;
    singly(&client, &week, until, &mut probes).await;
    probes.server_time = client.server_time();
    let ignores_window = matches!(probes.before, Some(Ok(Sample { outside: 1.., .. })));
    if probes.page.is_some() && !ignores_window {
        if config.api == Api::V3 {
            probes.archived = Some(within(until, &client, archived(&client, &week)).await);
        }
        probes.week = Some(count(&config, &query, week, progress).await);
    }
    probes
}

/// One answer after the other, until a further one is useless.
async fn singly(client: &ApiClient<'_>, week: &Range<DateTime<Utc>>, until: Instant, probes: &mut Probes) {
    let config = client.config;
    if config.api == Api::V3 {
        let asked = async { client.ask(address::myself(config)?, |body| whom(body, &config.key)).await };
        let answer = within(until, client, asked).await;
        let is_over = answer.as_ref().is_err_and(ends_all);
        probes.myself = Some(answer);
        if is_over {
            return;
        }
    }
    let early = DateTime::from_timestamp(EARLY, 0).expect("the year 2000 is a moment");
    let later = |moment: DateTime<Utc>, days| moment.checked_add_days(Days::new(days)).unwrap_or(moment);
    // Up to a moment that has yet to come.
    let all = early..later(week.end, 14);
    let sample = |window: Range<DateTime<Utc>>, length| within(until, client, sample(client, window, length));
    let first = sample(all.clone(), 1).await;
    let is_over = first.is_err();
    probes.first = Some(first);
    if is_over {
        return;
    }
    probes.before = Some(sample(early..later(early, 1), 2).await);
    probes.page = Some(sample(all, config.page_size).await);
}

/// Whether no other answer can be expected after this one.
fn ends_all(error: &FetchError) -> bool {
    // A server may not report the owner of a key.
    !matches!(
        error,
        FetchError::NotFound { .. }
            | FetchError::BadRequest { .. }
            | FetchError::Contract { .. }
            | FetchError::Refused { status: 403, .. }
    )
}

async fn within<T>(
    until: Instant,
    client: &ApiClient<'_>,
    asked: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    let late = || FetchError::Deadline { host: client.host(), deadline: LONGEST };
    timeout_at(until, asked).await.unwrap_or_else(|_| Err(late()))
}

async fn sample(
    client: &ApiClient<'_>,
    window: Range<DateTime<Utc>>,
    length: u32,
) -> Result<Sample, FetchError> {
    let read = |body: &str| {
        let scratch = page::Scratch::default();
        let page = page::read(body, &scratch, client.config.api)?;
        let created = page.sessions.iter().filter_map(|session| session.created());
        let outside = created.filter(|created| !window.contains(&created.utc)).count();
        Ok(Sample { rows: page.envelope.count, outside: outside as u64, more: page.envelope.more })
    };
    client.ask(page_url(client, &window, length), read).await
}

fn page_url(client: &ApiClient<'_>, window: &Range<DateTime<Utc>>, length: u32) -> Url {
    match client.config.api {
        Api::V2 => address::by_offset(client.sessions(), window, 0, u64::from(length)),
        Api::V3 => address::by_cursor(client.sessions(), window, None, length),
    }
}

/// Counts a week three times: whether archived sessions are listed is documented nowhere.
async fn archived(client: &ApiClient<'_>, week: &Range<DateTime<Utc>>) -> Result<Archived, FetchError> {
    let count = async |is_archived: Option<bool>| {
        let sessions = client.sessions();
        let sessions = is_archived.map_or_else(|| sessions.clone(), |it| address::archived(sessions, it));
        count_listed(client, week, &sessions).await
    };
    Ok(Archived {
        unasked: count(None).await?,
        archived: count(Some(true)).await?,
        others: count(Some(false)).await?,
    })
}

/// The server's count, or that of the sessions on its pages; `None` if there are too many.
async fn count_listed(
    client: &ApiClient<'_>,
    week: &Range<DateTime<Utc>>,
    sessions: &Url,
) -> Result<Option<u64>, FetchError> {
    let read = |body: &str| {
        let scratch = page::Scratch::default();
        let page = page::read(body, &scratch, client.config.api)?;
        let ids = page.sessions.iter().filter_map(|session| session.id().map(str::to_owned));
        Ok((page.envelope, ids.collect::<Vec<_>>()))
    };
    let (mut met, mut cursor) = (HashSet::new(), None);
    let mut length = 1;
    for _ in 0..MOST_PAGES {
        let url = address::by_cursor(sessions, week, cursor.as_deref(), length);
        let (envelope, ids) = client.ask(url, read).await?;
        if envelope.total.is_some() {
            return Ok(envelope.total);
        }
        met.extend(ids);
        if !envelope.more {
            return Ok(Some(met.len() as u64));
        }
        cursor = envelope.cursor;
        length = client.config.page_size;
    }
    Ok(None)
}

/// Reads whose a key is.
fn whom(body: &str, key: &Secret) -> Result<Principal, PageError> {
    let fields: HashMap<String, &RawValue> = serde_json::from_str(body)?;
    let said = |name: &str| {
        Text::lenient(fields.get(name).copied()).trimmed().map(|text| sanitize::clean(text, key))
    };
    let names = ["service_user_name", "user_name", "service_user_id", "user_id"];
    Ok(Principal {
        kind: said("principal_type"),
        name: names.into_iter().find_map(said),
        org: said("org_id"),
    })
}

/// Reads a week just as a report would, once.
async fn count(
    config: &ApiConfig,
    query: &SessionQuery,
    week: Range<DateTime<Utc>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Week, FetchError> {
    let query = SessionQuery { from: week.start, to: week.end, ..query.clone() };
    // Of a session that comes twice the fresher state counts, as in a report.
    let mut met: HashMap<String, (Option<DateTime<Utc>>, bool)> = HashMap::new();
    let mut deliver = |event: PageEvent<'_>| {
        let rows = match event {
            PageEvent::Restart => return met.clear(),
            PageEvent::Answer { .. } => return,
            PageEvent::Page(rows) => rows,
        };
        for row in rows {
            let state = (row.updated, row.session.analysis().is_some());
            let known = met.entry(row.id().to_owned()).or_insert(state);
            *known = state.max(*known);
        }
    };
    let stats = fetch_within(config, &query, &LIMITS, &mut deliver, progress).await?;
    Ok(Week {
        sessions: met.len() as u64,
        analysed: met.values().filter(|(_, is_analysed)| *is_analysed).count() as u64,
        outside: stats.outside,
        complete: stats.complete,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::server::{json, reply, serve};
    use super::super::tests::{config, query};
    use super::*;

    fn week() -> Range<DateTime<Utc>> {
        query().window()
    }

    #[test]
    fn a_principal_is_named_as_far_as_it_is_known() {
        let key = Secret::new("cog_k3y".to_owned());
        let of = |body| whom(body, &key).map(|one| (one.kind, one.name, one.org));
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            of(
                r#"{"principal_type": "service_user", "service_user_id": "s-1", "service_user_name": "CI\u202e Bot", "org_id": null}"#
            ),
            Ok((said("service_user"), said("CI Bot"), None))
        );
        assert_eq!(
            of(r#"{"principal_type": {}, "service_user_id": "s-cog_k3y", "org_id": "org-1"}"#),
            Ok((None, said("s-[redacted]"), said("org-1")))
        );
        assert_eq!(of("{}"), Ok((None, None, None)));
        assert_eq!(of("<p>"), Err(PageError::NotJson));
    }

    #[tokio::test]
    async fn a_refusal_ends_the_asking_and_still_tells_the_time() {
        for (api, path) in [(Api::V2, "/sessions/insights"), (Api::V3, "/v3/self")] {
            let date = "Date: Mon, 12 Oct 2026 06:00:00 GMT\r\n";
            let server = serve(move |_| reply(401, date, "{}"));
            let config = ApiConfig { api, ..config(&server.base) };
            let probes = probe(&config, &query(), week(), &|_| ()).await;
            assert_eq!(server.log().len(), 1);
            assert!(server.log()[0].target.contains(path));
            assert_eq!(probes.server_time.unwrap().time.to_rfc3339(), "2026-10-12T06:00:00+00:00");
            assert!(probes.before.is_none() && probes.page.is_none() && probes.week.is_none());
        }
    }

    #[tokio::test]
    async fn the_owner_of_a_key_is_optional() {
        for status in [403, 404, 405] {
            let server = serve(move |asked| match asked.target.starts_with("/v3/self") {
                true => json(status, "{}"),
                false => json(200, r#"{"items": [], "has_next_page": false, "total": 0}"#),
            });
            let config = ApiConfig { api: Api::V3, ..config(&server.base) };
            let probes = probe(&config, &query(), week(), &|_| ()).await;
            assert!(probes.myself.unwrap().is_err());
            assert!(matches!(probes.week, Some(Ok(Week { sessions: 0, complete: true, .. }))), "{status}");
            assert_eq!(
                server.log().len(),
                9,
                "whose, one, none, a page, three counts, the week, what is archived"
            );
        }
    }

    #[tokio::test]
    async fn of_a_session_that_comes_twice_the_fresher_state_counts() {
        let state = |hour: u32, analysis: &str| {
            format!(
                r#"{{"session_id": "s", "created_at": "2026-10-06T00:00:00Z",
                "updated_at": "2026-10-06T0{hour}:00:00Z", "session_analysis": {analysis}}}"#
            )
        };
        for states in [[state(1, "null"), state(2, "{}")], [state(2, "{}"), state(1, "null")]] {
            let items = states.join(",");
            let page = format!(r#"{{"items": [{items}], "has_more": false, "total": 1}}"#);
            let server = serve(move |_| json(200, &page));
            let week = count(&config(&server.base), &query(), week(), &|_| ()).await.unwrap();
            assert_eq!(week, Week { sessions: 1, analysed: 1, outside: 0, complete: true });
        }
    }

    #[tokio::test]
    async fn a_week_is_counted_over_all_of_its_pages() {
        let record = |n: u64| format!(r#"{{"session_id": "s{n}", "created_at": "2026-10-06T00:00:00Z"}}"#);
        let server = serve(move |asked| {
            let (skip, end) = (asked.skip(), (asked.skip() + 10).min(25));
            let items: Vec<String> = (skip..end).map(record).collect();
            let more = end < 25;
            json(200, &format!(r#"{{"items": [{}], "has_more": {more}, "total": 25}}"#, items.join(",")))
        });
        let week = count(&config(&server.base), &query(), week(), &|_| ()).await.unwrap();
        assert_eq!(week, Week { sessions: 25, analysed: 0, outside: 0, complete: true });
    }

    #[tokio::test]
    async fn an_unreachable_server_is_tried_twice() {
        let server = serve(|_| json(503, "{}"));
        let probes = probe(&config(&server.base), &query(), week(), &|_| ()).await;
        assert!(matches!(probes.first, Some(Err(FetchError::Unreachable { attempts: 2, .. }))));
        assert_eq!(server.log().len(), 2);
    }
}
