//! The vendor's own counts of a span, to stand beside ours.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ask::Asker;
use super::envelope::Flaw;
use super::{Api, FetchError, Limits, Question, address, client, retry};

/// What the vendor counts in a span; `None` where it does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sessions.
    pub sessions: Option<u64>,
    /// Pull requests that were opened.
    pub pull_requests: Option<u64>,
    /// Pull requests that were merged.
    pub merged: Option<u64>,
}

/// What came of asking for the vendor's counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Nobody asked.
    NotAsked,
    /// It told.
    Told(Totals),
    /// It did not, and why in a few words.
    Untold(&'static str),
}

/// All that a report waits for counts that it can do without.
const LONGEST: Duration = Duration::from_secs(5);

const LIMITS: Limits = Limits {
    bounds: client::Bounds {
        connect: Duration::from_secs(3),
        read: Duration::from_secs(4),
        attempt: Duration::from_secs(4),
        page_bytes: 64 * 1024,
    },
    patience: retry::Patience {
        attempts: 2,
        attempts_not_json: 1,
        base: Duration::from_millis(250),
        cap: Duration::from_millis(250),
        budget: 2,
        deadline: LONGEST,
    },
    walks: 1,
    pages: 1,
};

/// The vendor's counts of the question's window, after a few seconds at most.
/// Tags and users are no part of that question: where the question has some,
/// nobody is asked.
pub async fn vendor(question: &Question) -> Vendor {
    if !question.tags.is_empty() || !question.users.is_empty() {
        return Vendor::NotAsked;
    }
    let question = Question { deadline: LONGEST, ..question.clone() };
    match tokio::time::timeout(LONGEST, scoped(&question)).await {
        Ok(Ok(totals)) => Vendor::Told(totals),
        Ok(Err(error)) => Vendor::Untold(why(&error)),
        Err(_) => Vendor::Untold(TOO_LATE),
    }
}

const TOO_LATE: &str = "no answer came in time";

fn why(error: &FetchError) -> &'static str {
    match error {
        FetchError::Refused { status: 403, api: Api::V3, .. } => "the key lacks the right ViewAccountMetrics",
        FetchError::Refused { status: 403, .. } => "the key lacks the right",
        FetchError::Refused { .. } => "the key was refused",
        FetchError::NotFound { .. } => "the server does not have them",
        FetchError::Unreachable { .. } | FetchError::Deadline { .. } | FetchError::Later { .. } => TOO_LATE,
        _ => "the server's answer cannot be read",
    }
}

/// Asks in the organisation; where there is no such place, in the enterprise
/// about the organisation.
async fn scoped(question: &Question) -> Result<Totals, FetchError> {
    let asked = ask(question, None).await;
    match (&question.org, &asked) {
        (Some(org), Err(FetchError::NotFound { .. })) => {
            ask(&Question { org: None, ..question.clone() }, Some(org)).await
        }
        _ => asked,
    }
}

async fn ask(question: &Question, about: Option<&str>) -> Result<Totals, FetchError> {
    let asker = Asker::new(question, &LIMITS, &|_| ())?;
    asker.ask(url(question, about)?, read).await
}

fn url(question: &Question, about: Option<&str>) -> Result<Url, FetchError> {
    let mut url = address::api(question, "metrics/usage")?;
    let window = address::whole_seconds(&question.window());
    let moments = [window.start, window.end];
    let [from, to] = match question.api {
        Api::V2 => moments.map(address::iso),
        Api::V3 => moments.map(|moment| moment.timestamp().to_string()),
    };
    let names = match question.api {
        Api::V2 => ("start_date", "end_date"),
        Api::V3 => ("time_after", "time_before"),
    };
    url.query_pairs_mut().append_pair(names.0, &from).append_pair(names.1, &to);
    if let Some(org) = about {
        url.query_pairs_mut().append_pair("org_ids", org);
    }
    Ok(url)
}

/// The counts under the names of either generation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage<'a> {
    #[serde(borrow)]
    sessions_count: Option<&'a RawValue>,
    #[serde(borrow)]
    prs_opened: Option<&'a RawValue>,
    #[serde(borrow)]
    prs_created_count: Option<&'a RawValue>,
    #[serde(borrow)]
    prs_merged: Option<&'a RawValue>,
    #[serde(borrow)]
    prs_merged_count: Option<&'a RawValue>,
}

fn read(body: &str) -> Result<Totals, Flaw> {
    let usage: Usage<'_> = serde_json::from_str(body)?;
    let count = |raw: Option<&RawValue>| raw?.get().parse().ok();
    let totals = Totals {
        sessions: count(usage.sessions_count),
        pull_requests: count(usage.prs_created_count).or_else(|| count(usage.prs_opened)),
        merged: count(usage.prs_merged_count).or_else(|| count(usage.prs_merged)),
    };
    match totals {
        Totals { sessions: None, pull_requests: None, merged: None } => {
            Err(Flaw::Contract("it holds none of the counts".to_owned()))
        }
        totals => Ok(totals),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::question;
    use super::super::tests::server::{json, serve};
    use super::*;

    const V2: &str = r#"{"sessions_count": 127, "searches_count": 89, "prs_opened": 45, "prs_closed": 42, "prs_merged": 38}"#;
    const V3: &str = r#"{"sessions_count": 127, "prs_created_count": 45, "prs_merged_count": 38}"#;
    const COUNTS: Totals = Totals { sessions: Some(127), pull_requests: Some(45), merged: Some(38) };

    #[test]
    fn both_generations_are_read() {
        assert_eq!((read(V2), read(V3)), (Ok(COUNTS), Ok(COUNTS)));
        let odd = r#"{"sessions_count": "127", "prs_opened": null, "prs_merged": 38}"#;
        assert_eq!(read(odd), Ok(Totals { merged: Some(38), ..Totals::default() }));
        for (bad, flaw) in [("{\"sess", Flaw::CutShort), ("<html>", Flaw::NotJson)] {
            assert_eq!(read(bad), Err(flaw));
        }
        for bad in ["{}", "[]", "null", r#"{"sessions_count": -1}"#, r#"{"items": [], "total": 0}"#] {
            assert!(matches!(read(bad), Err(Flaw::Contract(_))), "{bad}");
        }
    }

    #[test]
    fn the_window_is_asked_as_each_generation_takes_it() {
        let mut question = question("https://h.example");
        let told = |question: &Question, about| url(question, about).unwrap().to_string();
        assert_eq!(
            told(&question, None),
            "https://h.example/v2/enterprise/organizations/org_789/metrics/usage\
             ?start_date=2026-10-05T00%3A00%3A00Z&end_date=2026-10-12T00%3A00%3A00Z"
        );
        (question.api, question.org) = (Api::V3, None);
        assert_eq!(
            told(&question, Some("a b")),
            "https://h.example/v3/enterprise/metrics/usage\
             ?time_after=1791158400&time_before=1791763200&org_ids=a+b"
        );
    }

    #[tokio::test]
    async fn where_organisations_have_no_counts_the_enterprise_is_asked_about_one() {
        let server = serve(|asked| match asked.target.contains("/organizations/") {
            true => json(404, "{}"),
            false => json(200, V2),
        });
        assert_eq!(vendor(&question(&server.base)).await, Vendor::Told(COUNTS));
        let targets: Vec<String> = server.log().into_iter().map(|asked| asked.target).collect();
        assert_eq!(targets.len(), 2);
        assert!(targets[1].starts_with("/v2/enterprise/metrics/usage?start_date="), "{targets:?}");
        assert!(targets[1].ends_with("&org_ids=org_789"), "{targets:?}");
    }

    #[tokio::test]
    async fn every_failure_is_a_few_words() {
        for (status, words, requests) in [
            (401, "the key was refused", 1),
            (403, "the key lacks the right", 1),
            (404, "the server does not have them", 2),
            (422, "the server's answer cannot be read", 1),
            (503, TOO_LATE, 2),
        ] {
            let server = serve(move |_| json(status, "{}"));
            assert_eq!(vendor(&question(&server.base)).await, Vendor::Untold(words), "{status}");
            assert_eq!(server.log().len(), requests, "{status}");
        }
    }

    #[tokio::test]
    async fn a_narrowed_question_is_not_asked() {
        let server = serve(|_| json(200, V2));
        let narrowed = Question { tags: vec!["a".to_owned()], ..question(&server.base) };
        assert_eq!(vendor(&narrowed).await, Vendor::NotAsked);
        let narrowed = Question { users: vec!["u".to_owned()], ..question(&server.base) };
        assert_eq!(vendor(&narrowed).await, Vendor::NotAsked);
        assert_eq!(server.log().len(), 0);
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_costs_seconds() {
        let server = serve(|_| {
            std::thread::sleep(Duration::from_secs(20));
            json(200, V2)
        });
        let begun = std::time::Instant::now();
        assert_eq!(vendor(&question(&server.base)).await, Vendor::Untold(TOO_LATE));
        assert!(begun.elapsed() < LONGEST + Duration::from_secs(2));
    }
}
