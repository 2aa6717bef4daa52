//! How a fetch fails, what to do about it, and the exit code it deserves.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::Api;
use super::retry::Class;
use crate::text;

/// Why there is no answer. No variant ever holds the key.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The question cannot be asked at all.
    #[error("cannot ask the API: {why}")]
    Unfit {
        /// What is wrong with the settings.
        why: String,
    },
    /// 401 or 403.
    #[error("GET {path}: the key from {key_source} was refused (HTTP {status}){detail}")]
    Refused {
        /// What was asked.
        path: String,
        /// Of which generation.
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
        /// What was asked.
        path: String,
        /// Of whom.
        host: String,
        /// 401 or 403.
        status: u16,
        /// The title of the page, or nothing.
        title: String,
    },
    /// 404.
    #[error("GET {path}: not found on {host} (HTTP 404){detail}")]
    NotFound {
        /// What was asked.
        path: String,
        /// Of whom.
        host: String,
        /// Of which generation.
        api: Api,
        /// The organisation, if one was named.
        org: Option<String>,
        /// The server's words, or nothing.
        detail: String,
    },
    /// Any other answer that blames the question.
    #[error("GET {path}: the server does not accept the question (HTTP {status}){detail}")]
    BadRequest {
        /// What was asked.
        path: String,
        /// 400, 422 or another 4xx.
        status: u16,
        /// The server's words, or nothing.
        detail: String,
    },
    /// The server points elsewhere; the key is not sent there.
    #[error("GET {path}: {host} redirects (HTTP {status}) to {to}, where the key is not sent")]
    Redirect {
        /// What was asked.
        path: String,
        /// Of whom.
        host: String,
        /// The status.
        status: u16,
        /// Scheme and host of the place pointed to, or "an unknown place".
        to: String,
    },
    /// The server points to another of its own addresses.
    #[error("GET {path}: {host} redirects (HTTP {status}) to its own {to}, and no redirect is followed")]
    Moved {
        /// What was asked.
        path: String,
        /// Of whom.
        host: String,
        /// The status.
        status: u16,
        /// The path pointed to, without its query.
        to: String,
    },
    /// There can be no TLS with the server as it is.
    #[error("no secure connection to {host}: {cause}")]
    Tls {
        /// To whom.
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
    /// Enough attempts, no answer.
    #[error("GET {path}: nothing usable came from {host} in {attempts} attempt(s): {cause}")]
    Unreachable {
        /// What was asked.
        path: String,
        /// Of whom.
        host: String,
        /// How often.
        attempts: u32,
        /// What kind of failure the last was …
        class: Class,
        /// … and in words.
        cause: String,
    },
    /// The whole fetch took too long.
    #[error("the fetch from {host} was not done after {}", wait_text(*.deadline))]
    Deadline {
        /// Of whom.
        host: String,
        /// How long it might take.
        deadline: Duration,
    },
    /// The server asks for a longer pause than the run may take.
    #[error("GET {path}: {host} (HTTP {status}) asks for a pause: come back in {}{}", pause_text(*.wait), soon(*.wait, .at))]
    Later {
        /// What was asked.
        path: String,
        /// Of whom.
        host: String,
        /// 429, 503 or alike.
        status: u16,
        /// How long to stay away.
        wait: Duration,
        /// The same as a moment, by the server's clock.
        at: Option<DateTime<Utc>>,
    },
    /// A page of another kind came where JSON is due.
    #[error("GET {path}: expected JSON, got {got} from {host}")]
    NotJson {
        /// What was asked.
        path: String,
        /// Of whom.
        host: String,
        /// The content type, or "an empty body".
        got: String,
    },
    /// JSON came, but not what the API promises.
    #[error("GET {path}: the answer breaks the API's contract: {what}")]
    Contract {
        /// What was asked.
        path: String,
        /// What is amiss.
        what: String,
    },
    /// Most of a page lies outside what was asked for.
    #[error("the server ignored our filter: {outside} of {rows} sessions of a page lie outside it")]
    FilterIgnored {
        /// Rows outside the window, the tags or the users.
        outside: u64,
        /// Rows of the page.
        rows: u64,
    },
    /// The walk through the pages cannot be proved complete.
    #[error("incomplete data: {reason}")]
    Incomplete {
        /// What the server counts, and what came.
        reason: String,
        /// Every walk came to the same.
        alike: bool,
    },
}

impl FetchError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unfit { .. } => "check --base-url, --org and the key".to_owned(),
            Self::Refused { status: 401, key_source, .. } => {
                format!("check that {key_source} holds the whole key and that it was not revoked")
            }
            Self::Refused { api: Api::V2, .. } => {
                "the key must be the personal key of an enterprise administrator".to_owned()
            }
            Self::Refused { api: Api::V3, .. } => {
                self.hint_to("the service user of the key, or the person of a personal access token,")
            }
            Self::NotFound { org: Some(org), .. } => {
                format!(
                    "is the organisation id right? it was \"{}\"; else check --base-url",
                    text::clean(org, 80)
                )
            }
            Self::NotFound { api, .. } => format!("check --base-url; does this host serve API {api}?"),
            Self::BadRequest { status: 402, .. } => {
                "the plan or a payment may not cover it: ask whoever manages the Devin account".to_owned()
            }
            Self::BadRequest { status: 410, .. } => {
                "this generation of the API may be retired: try --api v3, whose keys begin with cog_, or look \
                 for a newer version"
                    .to_owned()
            }
            Self::BadRequest { .. } => {
                "check the page size (some servers allow 200 at most), the tags and the users".to_owned()
            }
            Self::Redirect { to, .. } => format!("if {to} is the API, name it with --base-url"),
            Self::Moved { to, .. } => {
                format!("--base-url may lack a part of its path, or a slash: compare it with {to}")
            }
            Self::Tls { hint, .. } | Self::Proxy { hint, .. } => hint.clone(),
            Self::Unreachable { host, class: Class::Status(status), .. } => {
                format!(
                    "{host} is there and answers with HTTP {status}, so the fault is on its side: run again \
                     later, or ask for the vendor's status"
                )
            }
            Self::Unreachable { host, class: Class::NoTls, .. } => {
                format!("{host} speaks no TLS at this port: check the port and the scheme in --base-url")
            }
            Self::Unreachable { host, class: Class::Proxy(_), .. } => {
                format!("the proxy does not reach {host} now: run again later, or ask whoever runs the proxy")
            }
            Self::Unreachable { host, .. } => {
                format!("check the network, the proxy and that {host} is up; then run again")
            }
            Self::Deadline { .. } => {
                "ask for a shorter period or a smaller --trend, or run again when the API is faster"
                    .to_owned()
            }
            Self::Later { wait, at, .. } => {
                format!("run again in {}{}", pause_text(*wait), moment(at))
            }
            Self::Page { host, .. } | Self::NotJson { host, .. } => {
                format!("is {host} the API, or does a login page, a proxy or a gateway answer in its place?")
            }
            Self::Contract { .. } => {
                "the API may have changed: look for a newer version, or report this message".to_owned()
            }
            Self::FilterIgnored { .. } => {
                "the API may have renamed its parameters: look for a newer version".to_owned()
            }
            Self::Incomplete { alike: true, .. } => {
                "nothing changed from one walk to the next, so this may stay: ask the vendor, or accept a \
                 marked report with --allow-partial"
                    .to_owned()
            }
            Self::Incomplete { .. } => {
                "run again when fewer sessions change, or accept a marked report with --allow-partial"
                    .to_owned()
            }
        }
    }

    /// The same where it is known who acts with the key: "the service user of the key".
    pub fn hint_to(&self, holder: &str) -> String {
        match self {
            Self::Refused { status: 401, .. } => self.hint(),
            Self::Refused { api: Api::V3, path, .. } => format!("{holder} needs the right {}", right(path)),
            _ => self.hint(),
        }
    }

    /// The exit code of a run that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unfit { .. } | Self::NotFound { .. } | Self::BadRequest { .. } => 2,
            Self::Redirect { .. } | Self::Moved { .. } | Self::Tls { .. } | Self::Proxy { .. } => 2,
            Self::Refused { .. } | Self::Page { .. } => 3,
            Self::Incomplete { .. } => 4,
            Self::Unreachable { .. } | Self::Deadline { .. } => 5,
            Self::NotJson { .. } | Self::Contract { .. } | Self::FilterIgnored { .. } => 65,
            Self::Later { .. } => 75,
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

/// A wait that nobody sits out needs no hours and minutes.
const LONG: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn pause_text(wait: Duration) -> String {
    if wait > LONG { "more than a week".to_owned() } else { wait_text(wait) }
}

/// The moment after a wait, where it is near enough to be said more than once.
fn soon(wait: Duration, at: &Option<DateTime<Utc>>) -> String {
    if wait > LONG { String::new() } else { moment(at) }
}

fn moment(at: &Option<DateTime<Utc>>) -> String {
    at.map(|at| format!(" (at {})", at.to_rfc3339_opts(SecondsFormat::Secs, true))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_suits_the_generation() {
        let refused = |api, status| FetchError::Refused {
            path: "/".to_owned(),
            api,
            status,
            key_source: "DEVIN_API_KEY".to_owned(),
            detail: String::new(),
        };
        let lost = |api| FetchError::NotFound {
            path: "/".to_owned(),
            host: "h.example".to_owned(),
            api,
            org: None,
            detail: String::new(),
        };
        assert!(refused(Api::V2, 403).hint().contains("personal key of an enterprise administrator"));
        assert!(refused(Api::V3, 403).hint().contains("service user"));
        let right_at = |path: &str| {
            let error = match refused(Api::V3, 403) {
                FetchError::Refused { api, status, key_source, detail, .. } => {
                    FetchError::Refused { path: path.to_owned(), api, status, key_source, detail }
                }
                other => other,
            };
            error.hint()
        };
        for (path, right) in [
            ("/v3/organizations/org-1/sessions/insights", "(ViewOrgSessions)"),
            ("/v3/enterprise/sessions/insights", "ViewAccountSessions"),
            ("/v3/enterprise/metrics/usage", "ViewAccountMetrics"),
            ("/v3/enterprise/consumption/daily", "ViewAccountConsumption"),
            ("/v3beta1/organizations/org-1/members/users", "ViewOrgMembership"),
            ("/v3/enterprise/organizations", "to view the organisations"),
        ] {
            assert!(right_at(path).contains(right), "{path}: {}", right_at(path));
        }
        for api in [Api::V2, Api::V3] {
            assert!(refused(api, 401).hint().contains("DEVIN_API_KEY"));
            assert!(lost(api).hint().contains(&format!("API {api}?")));
        }
    }

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

    #[test]
    fn a_pause_of_weeks_names_its_end_once() {
        let later = |seconds| FetchError::Later {
            path: "/".to_owned(),
            host: "h.example".to_owned(),
            status: 503,
            wait: Duration::from_secs(seconds),
            at: Some("9999-12-31T00:00:00Z".parse().unwrap()),
        };
        let told = |seconds| format!("{} {}", later(seconds), later(seconds).hint());
        let (week, more) = (told(604_800), told(604_801));
        assert_eq!((week.matches("in 168 h 0 min (at 9999-").count(), week.matches("week").count()), (2, 0));
        assert_eq!((more.matches("in more than a week").count(), more.matches("9999-12-31").count()), (2, 1));
        assert!(!more.contains(" h ") && told(u64::MAX).contains("more than a week"), "{more}");
    }

    #[test]
    fn an_outage_is_told_from_a_server_that_answers() {
        let hint = |class| {
            let (path, host, cause) = ("/".to_owned(), "h.example".to_owned(), String::new());
            FetchError::Unreachable { path, host, attempts: 6, class, cause }.hint()
        };
        assert!(hint(Class::Connection).contains("check the network"));
        assert!(hint(Class::NoTls).contains("h.example speaks no TLS"));
        let busy = hint(Class::Status(503));
        assert!(busy.contains("answers with HTTP 503") && !busy.contains("network"), "{busy}");
    }
}
