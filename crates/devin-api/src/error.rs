//! How a request fails.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::Api;
use super::retry::Class;

/// Why a request failed. No variant contains the key.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The request cannot be built.
    #[error("cannot query the API: {why}")]
    Unfit {
        /// What is wrong with the settings.
        why: String,
    },
    /// 401 or 403.
    #[error("GET {path}: the key from {key_source} was refused (HTTP {status}){detail}")]
    Refused {
        /// The path of the request.
        path: String,
        /// The API version.
        api: Api,
        /// 401 or 403.
        status: u16,
        /// Where the key came from.
        key_source: String,
        /// The server's words, or nothing.
        detail: String,
    },
    /// 401 or 403 with a page for people, which is not the API's.
    #[error("GET {path}: {host} answered with an HTML page (HTTP {status}){title}")]
    Page {
        /// The path of the request.
        path: String,
        /// The host.
        host: String,
        /// 401 or 403.
        status: u16,
        /// The title of the page, or nothing.
        title: String,
    },
    /// 404.
    #[error("GET {path}: not found on {host} (HTTP 404){detail}")]
    NotFound {
        /// The path of the request.
        path: String,
        /// The host.
        host: String,
        /// The API version.
        api: Api,
        /// The organisation, if one was named.
        org: Option<String>,
        /// The server's words, or nothing.
        detail: String,
    },
    /// Any other answer that rejects the request.
    #[error("GET {path}: the server rejects the request (HTTP {status}){detail}")]
    BadRequest {
        /// The path of the request.
        path: String,
        /// 400, 422 or another 4xx.
        status: u16,
        /// The server's words, or nothing.
        detail: String,
    },
    /// The server points elsewhere; the key is not sent there.
    #[error("GET {path}: {host} redirects (HTTP {status}) to {to}, where the key is not sent")]
    Redirect {
        /// The path of the request.
        path: String,
        /// The host.
        host: String,
        /// The status.
        status: u16,
        /// Scheme and host of the place pointed to, or "an unknown place".
        to: String,
    },
    /// The server points to another of its own addresses.
    #[error("GET {path}: {host} redirects (HTTP {status}) to its own {to}, and no redirect is followed")]
    Moved {
        /// The path of the request.
        path: String,
        /// The host.
        host: String,
        /// The status.
        status: u16,
        /// The path pointed to, without its query.
        to: String,
    },
    /// TLS with the server is impossible.
    #[error("no secure connection to {host}: {cause}")]
    Tls {
        /// The host.
        host: String,
        /// What is wrong.
        cause: String,
        /// What to do about it.
        hint: String,
    },
    /// The proxy does not let the run through to the server.
    #[error("{cause}")]
    Proxy {
        /// The proxy, the server and the answer.
        cause: String,
        /// What to do about it.
        hint: String,
    },
    /// All attempts failed.
    #[error("GET {path}: no usable response from {host} in {attempts} attempt(s): {cause}")]
    Unreachable {
        /// The path of the request.
        path: String,
        /// The host.
        host: String,
        /// The number of attempts.
        attempts: u32,
        /// What kind of failure the last was …
        class: Class,
        /// … and in words.
        cause: String,
    },
    /// The whole fetch took too long.
    #[error("the fetch from {host} did not finish within {}", wait_text(*.deadline))]
    Deadline {
        /// The host.
        host: String,
        /// The time limit.
        deadline: Duration,
    },
    /// The server asks for a longer pause than the run may take.
    #[error("GET {path}: {host} (HTTP {status}) asks to wait: retry in \
        {}{}", pause_text(*.wait), soon(*.wait, *.at))]
    Later {
        /// The path of the request.
        path: String,
        /// The host.
        host: String,
        /// 429, 503 or alike.
        status: u16,
        /// How long to wait.
        wait: Duration,
        /// The same as a moment, by the server's clock.
        at: Option<DateTime<Utc>>,
    },
    /// A body of another type instead of JSON.
    #[error("GET {path}: expected JSON, got {got} from {host}")]
    NotJson {
        /// The path of the request.
        path: String,
        /// The host.
        host: String,
        /// The content type, or "an empty body".
        got: String,
    },
    /// JSON that does not follow the API's contract.
    #[error("GET {path}: the API returned unexpected data: {what}")]
    Contract {
        /// The path of the request.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// Most of a page is outside the filter.
    #[error("the server ignored the filter: {outside} of {rows} sessions of a page are outside it")]
    FilterIgnored {
        /// Rows outside the window, the tags or the users.
        outside: u64,
        /// Rows of the page.
        rows: u64,
    },
    /// The walk through the pages cannot be proved complete.
    #[error("incomplete data: {reason}")]
    Incomplete {
        /// The server's count and the number received.
        reason: String,
        /// Every walk had the same counts.
        alike: bool,
    },
}

impl FetchError {
    /// The permission that the refused request needs, in words; `None` if the key itself was
    /// refused, or if keys have no permissions of their own.
    pub fn missing_right(&self) -> Option<&'static str> {
        match self {
            Self::Refused { status: 401, .. } => None,
            Self::Refused { api: Api::V3, path, .. } => Some(right(path)),
            _ => None,
        }
    }
}

/// The right that version 3 asks for at a path.
pub(super) fn right(path: &str) -> &'static str {
    let of_org = path.contains("/organizations/");
    if path.ends_with("/organizations") {
        "to view the organisations of the enterprise"
    } else if path.contains("/consumption") {
        "ViewAccountConsumption (ManageBilling in older accounts)"
    } else if path.contains("/metrics") {
        "ViewAccountMetrics"
    } else if path.contains("/members") && of_org {
        "ViewOrgMembership"
    } else if path.contains("/members") {
        "to view the members of the enterprise"
    } else if of_org {
        "to view sessions of this organisation (ViewOrgSessions)"
    } else {
        "to view sessions of the enterprise (ViewAccountSessions); with ViewOrgSessions alone, add --org"
    }
}

/// Time as people say it: `45 s`, `12 min`, `3 h 20 min`; rounded up.
fn wait_text(wait: Duration) -> String {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    let minutes = seconds.div_ceil(60);
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5400 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// A longer wait is shown without hours and minutes.
const LONG: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn pause_text(wait: Duration) -> String {
    if wait > LONG { "more than a week".to_owned() } else { wait_text(wait) }
}

/// How long a server asks to wait, and until when: `2 h 0 min (at 2026-10-12T08:00:00Z)`.
pub fn until(wait: Duration, at: Option<DateTime<Utc>>) -> String {
    format!("{}{}", pause_text(wait), moment(at))
}

/// The moment after a wait, if it is near enough to be repeated.
fn soon(wait: Duration, at: Option<DateTime<Utc>>) -> String {
    if wait > LONG { String::new() } else { moment(at) }
}

fn moment(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| format!(" (at {})", at.to_rfc3339_opts(SecondsFormat::Secs, true))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_read_as_people_say_them() {
        for (millis, text) in [
            (0, "0 s"),
            (200, "1 s"),
            (90_000, "90 s"),
            (90_001, "2 min"),
            (5_400_000, "90 min"),
            (12_000_000, "3 h 20 min"),
        ] {
            assert_eq!(wait_text(Duration::from_millis(millis)), text);
        }
        assert!(wait_text(Duration::MAX).contains(" h "));
    }
}
