//! What to do about errors of the API's client, which knows no options of the command line.

use crate::exit::{Exit, Explain};
use crate::text;
use devin_api::retry::Class;
use devin_api::{Api, FetchError, until};

impl Explain for FetchError {
    fn hint(&self) -> String {
        match self {
            Self::Unfit { .. } => "check --base-url, --org and the key".to_owned(),
            Self::Refused { status: 401, key_source, .. } => {
                format!("check that {key_source} contains the whole key and that it was not revoked")
            }
            Self::Refused { api: Api::V2, .. } => {
                "the key must be the personal key of an enterprise administrator".to_owned()
            }
            Self::Refused { api: Api::V3, .. } => {
                hint_to(self, "the service user of the key, or the person of a personal access token,")
            }
            Self::NotFound { org: Some(org), .. } => {
                format!("check the organisation id, \"{}\", and --base-url", text::clean(org, 80))
            }
            Self::NotFound { api, .. } => format!("check --base-url: does this host serve API {api}?"),
            Self::BadRequest { status: 402, .. } => {
                "the plan or a payment may not cover it: ask the administrator of the Devin account"
                    .to_owned()
            }
            Self::BadRequest { status: 410, .. } => {
                "this API version may be retired: try --api v3, whose keys begin with cog_, or a newer \
                 version of acumen"
                    .to_owned()
            }
            Self::BadRequest { .. } => {
                "check the page size (some servers allow 200 at most), the tags and the users".to_owned()
            }
            Self::Redirect { to, .. } => format!("if {to} is the API, set it with --base-url"),
            Self::Moved { to, .. } => {
                format!("--base-url may lack a part of its path, or a slash: compare it with {to}")
            }
            Self::Tls { hint, .. } | Self::Proxy { hint, .. } => hint.clone(),
            Self::Unreachable { host, class: Class::Status(status), .. } => {
                format!(
                    "{host} answers with HTTP {status}, an error of the server: run again later, or \
                     check Devin's status page"
                )
            }
            Self::Unreachable { host, class: Class::NoTls, .. } => {
                format!("{host} does not use TLS on this port: check the port and the scheme in --base-url")
            }
            Self::Unreachable { host, class: Class::Proxy(_), .. } => {
                format!(
                    "the proxy cannot reach {host} now: run again later, or ask the administrator of the \
                     proxy"
                )
            }
            Self::Unreachable { host, .. } => {
                format!("check the network, the proxy and that {host} is up; then run again")
            }
            Self::Deadline { .. } => {
                "choose a shorter period or a smaller --trend, or run again when the API is faster".to_owned()
            }
            Self::Later { wait, at, .. } => format!("run again in {}", until(*wait, *at)),
            Self::Page { host, .. } | Self::NotJson { host, .. } => {
                format!("check that {host} is the API and not a login page, a proxy or a gateway")
            }
            Self::Contract { .. } => {
                "the API may have changed: try a newer version of acumen, or report this message".to_owned()
            }
            Self::FilterIgnored { .. } => {
                "the API may have renamed its parameters: try a newer version of acumen".to_owned()
            }
            Self::Incomplete { alike: true, .. } => {
                "every attempt gave the same counts, so this may persist: ask Devin's support, or accept \
                 a marked report with --allow-partial"
                    .to_owned()
            }
            Self::Incomplete { .. } => {
                "run again when fewer sessions change, or accept a marked report with --allow-partial"
                    .to_owned()
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unfit { .. } | Self::NotFound { .. } | Self::BadRequest { .. } => Exit::Usage,
            Self::Redirect { .. } | Self::Moved { .. } | Self::Tls { .. } | Self::Proxy { .. } => Exit::Usage,
            Self::Refused { .. } | Self::Page { .. } => Exit::Denied,
            Self::Incomplete { .. } => Exit::Incomplete,
            Self::Unreachable { .. } | Self::Deadline { .. } => Exit::Unreachable,
            Self::NotJson { .. } | Self::Contract { .. } | Self::FilterIgnored { .. } => Exit::Data,
            Self::Later { .. } => Exit::Later,
        }
    }
}

/// The hint where it is known who acts with the key: "the service user of the key".
pub fn hint_to(error: &FetchError, holder: &str) -> String {
    match error.missing_right() {
        Some(right) => format!("{holder} needs the permission {right}"),
        None => error.hint(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn a_pause_of_weeks_names_its_end_once() {
        let later = |seconds| FetchError::Later {
            path: "/".to_owned(),
            host: "h.example".to_owned(),
            status: 503,
            wait: Duration::from_secs(seconds),
            at: Some("9999-12-31T00:00:00Z".parse().unwrap()),
        };
        let reported = |seconds| format!("{} {}", later(seconds), later(seconds).hint());
        let (week, more) = (reported(604_800), reported(604_801));
        assert_eq!((week.matches("in 168 h 0 min (at 9999-").count(), week.matches("week").count()), (2, 0));
        assert_eq!((more.matches("in more than a week").count(), more.matches("9999-12-31").count()), (2, 1));
        assert!(!more.contains(" h ") && reported(u64::MAX).contains("more than a week"), "{more}");
    }

    #[test]
    fn an_outage_is_distinguished_from_a_server_error() {
        let hint = |class| {
            let (path, host, cause) = ("/".to_owned(), "h.example".to_owned(), String::new());
            FetchError::Unreachable { path, host, attempts: 6, class, cause }.hint()
        };
        assert!(hint(Class::Connection).contains("check the network"));
        assert!(hint(Class::NoTls).contains("h.example does not use TLS"));
        let busy = hint(Class::Status(503));
        assert!(busy.contains("answers with HTTP 503") && !busy.contains("network"), "{busy}");
    }

    #[test]
    fn every_error_of_the_api_has_its_exit_code() {
        let (path, host) = (String::new, || "h.example".to_owned());
        let (status, detail, cause, hint) = (418, String::new, String::new, String::new);
        let at_once = Duration::ZERO;
        let later =
            |status| FetchError::Later { path: path(), host: host(), status, wait: at_once, at: None };
        let unreachable = |class| FetchError::Unreachable {
            path: path(),
            host: host(),
            attempts: 1,
            class,
            cause: cause(),
        };
        for (error, exit) in [
            (FetchError::Unfit { why: String::new() }, Exit::Usage),
            (
                FetchError::NotFound {
                    path: path(),
                    host: host(),
                    api: Api::V2,
                    org: None,
                    detail: detail(),
                },
                Exit::Usage,
            ),
            (FetchError::BadRequest { path: path(), status, detail: detail() }, Exit::Usage),
            (FetchError::Redirect { path: path(), host: host(), status, to: host() }, Exit::Usage),
            (FetchError::Moved { path: path(), host: host(), status, to: path() }, Exit::Usage),
            (FetchError::Tls { host: host(), cause: cause(), hint: hint() }, Exit::Usage),
            (FetchError::Proxy { cause: cause(), hint: hint() }, Exit::Usage),
            (
                FetchError::Refused {
                    path: path(),
                    api: Api::V2,
                    status: 401,
                    key_source: String::new(),
                    detail: detail(),
                },
                Exit::Denied,
            ),
            (FetchError::Page { path: path(), host: host(), status, title: String::new() }, Exit::Denied),
            (FetchError::Incomplete { reason: String::new(), alike: true }, Exit::Incomplete),
            (unreachable(Class::NoTls), Exit::Unreachable),
            (unreachable(Class::Status(503)), Exit::Unreachable),
            (FetchError::Deadline { host: host(), deadline: at_once }, Exit::Unreachable),
            (FetchError::NotJson { path: path(), host: host(), got: String::new() }, Exit::Data),
            (FetchError::Contract { path: path(), what: String::new() }, Exit::Data),
            (FetchError::FilterIgnored { outside: 2, rows: 3 }, Exit::Data),
            (later(429), Exit::Later),
            (later(503), Exit::Later),
        ] {
            assert_eq!(error.exit(), exit, "{error}");
        }
    }

    #[test]
    fn a_hint_says_what_to_change() {
        let (path, host) = (|| "/v2".to_owned(), || "h.example".to_owned());
        let org = Some("org_789".to_owned());
        let lost =
            FetchError::NotFound { path: path(), host: host(), api: Api::V2, org, detail: String::new() };
        assert!(lost.hint().contains("check the organisation id, \"org_789\""), "{}", lost.hint());
        let moved = FetchError::Moved { path: path(), host: host(), status: 301, to: "/devin/v2".to_owned() };
        assert!(
            moved.hint().contains("--base-url") && moved.hint().contains("/devin/v2"),
            "{}",
            moved.hint()
        );
        let alike = |alike| FetchError::Incomplete { reason: String::new(), alike }.hint();
        assert!(alike(true).starts_with("every attempt gave the same counts"), "{}", alike(true));
        assert!(alike(false).starts_with("run again"), "{}", alike(false));
        let later = |at: Option<&str>| FetchError::Later {
            path: path(),
            host: host(),
            status: 429,
            wait: Duration::from_secs(7200),
            at: at.map(|at| at.parse().unwrap()),
        };
        let hint = later(Some("2026-10-12T08:00:00Z")).hint();
        assert!(hint.contains("in 2 h 0 min (at 2026-10-12T08:00:00Z)"), "{hint}");
        assert_eq!(later(None).hint(), "run again in 2 h 0 min");
    }
}
