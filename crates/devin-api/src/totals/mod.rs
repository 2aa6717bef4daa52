//! The vendor's own counts of a span, for comparison.

mod read;

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout, timeout_at};

use super::api_client::ApiClient;
use super::{Api, ApiConfig, FetchError, Limits, SessionQuery, address, attempt, error, retry};

/// What the vendor counts in a span; `None`, or no bucket, where it gives no count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Sessions that were created.
    pub sessions: Option<u64>,
    /// The same by origin, `scheduled` among `automation`, others left out; v3 alone.
    pub by_origin: BTreeMap<String, u64>,
    /// The same by size; v3 alone.
    pub by_size: BTreeMap<String, u64>,
    /// Sessions with a merged pull request.
    pub with_merged_pr: Option<u64>,
    /// ACUs per session.
    pub acus_per_session: Option<f64>,
    /// Pull requests that were created.
    pub pull_requests: Option<u64>,
    /// Those still open.
    pub open: Option<u64>,
    /// Those that were merged.
    pub merged: Option<u64>,
    /// Those that were closed without being merged.
    pub closed: Option<u64>,
    /// Pull requests that Devin pushed to without having created them.
    pub taken_over: Option<u64>,
}

/// ACUs by the vendor's days, which begin at 08:00 UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Consumption {
    /// Of all products.
    pub acus: f64,
    /// By product, `devin` among them; empty where that is unknown.
    pub by_product: BTreeMap<String, f64>,
}

impl Consumption {
    /// The sum; by product only where every part has products.
    pub fn sum<'c>(parts: impl IntoIterator<Item = &'c Self>) -> Self {
        let (mut sum, mut has_products) = (Self::default(), true);
        for part in parts.into_iter().filter(|part| part.acus > 0.0) {
            sum.acus += part.acus;
            has_products &= !part.by_product.is_empty();
            for (product, acus) in &part.by_product {
                *sum.by_product.entry(product.clone()).or_insert(0.0) += acus;
            }
        }
        Self { by_product: if has_products { sum.by_product } else { BTreeMap::new() }, ..sum }
    }
}

/// The vendor's counts; empty where they were not requested.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vendor {
    /// What it counts.
    pub counts: Counts,
    /// Consumption by day; `None` where it is unknown.
    pub days: Option<BTreeMap<NaiveDate, Consumption>>,
    /// What is missing, and why in a few words.
    pub missing: Vec<(&'static str, String)>,
}

/// All that a report waits for counts that it can do without.
const LONGEST: Duration = Duration::from_secs(5);

/// The hour, in UTC, at which the vendor's day begins.
const HOUR: u32 = 8;

pub(super) const LIMITS: Limits = Limits {
    bounds: attempt::Bounds {
        connect: Duration::from_secs(3),
        read: Duration::from_secs(4),
        attempt: Duration::from_secs(4),
        page_bytes: 1024 * 1024,
    },
    policy: retry::RetryPolicy {
        attempts: 2,
        attempts_not_json: 1,
        base: Duration::from_millis(250),
        cap: Duration::from_millis(250),
        budget: 5,
        deadline: LONGEST,
    },
    walks: 1,
    pages: 1,
};

/// The vendor's counts of the query's window and its consumption on `days`, which
/// are days of the vendor (from 08:00 UTC), after five seconds at most. Each endpoint is
/// asked by itself, so that one refusal costs no other number. A query narrowed by
/// tags or users is not sent: the result is then empty.
pub async fn vendor(
    config: &ApiConfig,
    query: &SessionQuery,
    days: Option<RangeInclusive<NaiveDate>>,
) -> Vendor {
    if !query.tags.is_empty() || !query.users.is_empty() {
        return Vendor::default();
    }
    let config = ApiConfig { deadline: LONGEST, ..config.clone() };
    let until = Instant::now() + LONGEST;
    let client = match ApiClient::new(&config, query, &LIMITS, &|_| ()) {
        Ok(client) => client,
        Err(error) => return Vendor { missing: vec![(TOTALS, why(&error))], ..Vendor::default() },
    };
    let (client, days) = (&client, days.as_ref());
    let is_wanted = |what| days.is_some() || !matches!(what, What::Consumption);
    let mut asked = Vec::new();
    for &(name, what) in questions(config.api).iter().filter(|(_, what)| is_wanted(*what)) {
        asked.push(async move {
            let late = || FetchError::Deadline { host: client.host(), deadline: LONGEST };
            let answer = timeout_at(until, what.ask(client, days)).await;
            (name, answer.unwrap_or_else(|_| Err(late())))
        });
    }
    let reported = config.gate.run_all(asked).await;
    let asked = reported.len();
    let mut vendor = Vendor::default();
    for (name, answer) in reported {
        match answer {
            Ok(Answer::Counts(counts)) => vendor.counts = vendor.counts.or(counts),
            Ok(Answer::Days(days)) => vendor.days = Some(days),
            Err(error) => vendor.missing.push((name, why(&error))),
        }
    }
    if let [(_, first), rest @ ..] = vendor.missing.as_slice()
        && rest.len() + 1 == asked
        && rest.iter().all(|(_, why)| why == first)
    {
        vendor.missing = vec![(TOTALS, first.clone())];
    }
    vendor
}

/// What was used on these of the vendor's days, after a few seconds at most; where
/// that cannot be had, why in a few words.
///
/// # Errors
/// Why it cannot be had.
pub async fn consumption(
    config: &ApiConfig,
    query: &SessionQuery,
    days: &RangeInclusive<NaiveDate>,
) -> Result<BTreeMap<NaiveDate, Consumption>, String> {
    let config = ApiConfig { deadline: LONGEST, ..config.clone() };
    let asked = async { used(&ApiClient::new(&config, query, &LIMITS, &|_| ())?, days).await };
    let reported = timeout(LONGEST, asked).await.map_err(|_| TOO_LATE.to_owned())?;
    reported.map_err(|error| why(&error))
}

/// The name of all of it, where all is missing.
const TOTALS: &str = "totals";

/// What is asked for.
#[derive(Clone, Copy)]
enum What {
    /// Counts at a place.
    Counts(&'static str),
    /// ACUs by day.
    Consumption,
}

impl What {
    async fn ask(
        self,
        client: &ApiClient<'_>,
        days: Option<&RangeInclusive<NaiveDate>>,
    ) -> Result<Answer, FetchError> {
        match (self, days) {
            (Self::Counts(resource), _) => scoped(client, resource).await.map(Answer::Counts),
            (Self::Consumption, Some(days)) => used(client, days).await.map(Answer::Days),
            (Self::Consumption, None) => Ok(Answer::Days(BTreeMap::new())),
        }
    }
}

/// An answer.
enum Answer {
    Counts(Counts),
    Days(BTreeMap<NaiveDate, Consumption>),
}

/// The requests for each generation; of counts that are in two answers, the first is used.
fn questions(api: Api) -> &'static [(&'static str, What)] {
    match api {
        Api::V2 => {
            &[("counts of sessions and PRs", What::Counts("metrics/usage")), ("ACUs", What::Consumption)]
        }
        Api::V3 => &[
            ("counts of sessions", What::Counts("metrics/sessions")),
            ("counts of PRs", What::Counts("metrics/prs")),
            ("usage counts", What::Counts("metrics/usage")),
            ("ACUs", What::Consumption),
        ],
    }
}

impl Counts {
    /// These, completed by the others.
    fn or(self, other: Self) -> Self {
        let first = |one: BTreeMap<String, u64>, other| if one.is_empty() { other } else { one };
        Self {
            sessions: self.sessions.or(other.sessions),
            by_origin: first(self.by_origin, other.by_origin),
            by_size: first(self.by_size, other.by_size),
            with_merged_pr: self.with_merged_pr.or(other.with_merged_pr),
            acus_per_session: self.acus_per_session.or(other.acus_per_session),
            pull_requests: self.pull_requests.or(other.pull_requests),
            open: self.open.or(other.open),
            merged: self.merged.or(other.merged),
            closed: self.closed.or(other.closed),
            taken_over: self.taken_over.or(other.taken_over),
        }
    }
}

pub(super) const TOO_LATE: &str = "no answer in time";

/// In a few words, with the right that a key lacks.
pub(super) fn why(error: &FetchError) -> String {
    let why = match error {
        FetchError::Refused { status: 403, api: Api::V3, path, .. } => {
            return format!("the key lacks the permission {}", error::right(path));
        }
        FetchError::Refused { status: 403, .. } => "the key lacks the permission",
        FetchError::Refused { .. } => "the key was refused",
        FetchError::NotFound { .. } => "the server does not have them",
        FetchError::Unreachable { .. } | FetchError::Deadline { .. } | FetchError::Later { .. } => TOO_LATE,
        _ => "the server's answer cannot be read",
    };
    why.to_owned()
}

/// Asks in the organisation; where there is no such place, in the enterprise
/// about the organisation.
async fn scoped(client: &ApiClient<'_>, resource: &str) -> Result<Counts, FetchError> {
    let (config, query) = (client.config, client.query);
    let window = query.window();
    let asked =
        client.ask(counted(config, query.org.as_deref(), resource, &window, None)?, read::counts).await;
    match (&query.org, &asked) {
        (Some(org), Err(FetchError::NotFound { .. })) => {
            client.ask(counted(config, None, resource, &window, Some(org))?, read::counts).await
        }
        _ => asked,
    }
}

fn counted(
    config: &ApiConfig,
    org: Option<&str>,
    resource: &str,
    window: &Range<DateTime<Utc>>,
    about: Option<&str>,
) -> Result<Url, FetchError> {
    let window = address::whole_seconds(window);
    spanned(config, org, resource, [window.start, window.end], about)
}

fn spanned(
    config: &ApiConfig,
    org: Option<&str>,
    resource: &str,
    moments: [DateTime<Utc>; 2],
    about: Option<&str>,
) -> Result<Url, FetchError> {
    let mut url = address::api(config, org, resource)?;
    let [from, to] = match config.api {
        Api::V2 => moments.map(address::iso),
        Api::V3 => moments.map(|moment| moment.timestamp().to_string()),
    };
    let names = match config.api {
        Api::V2 => ("start_date", "end_date"),
        Api::V3 => ("time_after", "time_before"),
    };
    url.query_pairs_mut().append_pair(names.0, &from).append_pair(names.1, &to);
    if let Some(org) = about {
        url.query_pairs_mut().append_pair("org_ids", org);
    }
    Ok(url)
}

/// What was used on these of the vendor's days. v2 knows the enterprise alone, and
/// takes an organisation as a filter; v3 is asked in the organisation and, where there is
/// no such place, in the enterprise, whose own numbers it does not filter.
async fn used(
    client: &ApiClient<'_>,
    days: &RangeInclusive<NaiveDate>,
) -> Result<BTreeMap<NaiveDate, Consumption>, FetchError> {
    let begin = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(i64::from(HOUR));
    let unfit = || FetchError::Unfit { why: "the last day has no day after it".to_owned() };
    let moments = [begin(*days.start()), begin(days.end().succ_opt().ok_or_else(unfit)?)];
    let (config, org) = (client.config, client.query.org.as_deref());
    let url = match (config.api, org) {
        (Api::V2, Some(org)) => spanned(config, None, DAILY, moments, Some(org))?,
        _ => spanned(config, org, DAILY, moments, None)?,
    };
    let mut reported = match (client.ask(url, read::consumption).await, config.api, org) {
        (Err(FetchError::NotFound { .. }), Api::V3, Some(org)) => {
            let resource = format!("{DAILY}/organizations/{}", address::segment(org));
            client.ask(spanned(config, None, &resource, moments, None)?, read::consumption).await?
        }
        (asked, _, _) => asked?,
    };
    // A server that does not know the bounds gives all there is.
    reported.retain(|day, _| days.contains(day));
    Ok(reported)
}

const DAILY: &str = "consumption/daily";

#[cfg(test)]
mod tests;
