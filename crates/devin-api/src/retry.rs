//! Whether, and after what wait, a failed request is sent again: one pure function.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

/// How one attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// No connection, or one that broke: DNS, refused, reset, TLS handshake.
    Connection,
    /// There can be no TLS with the server: its certificate or its TLS version is not accepted.
    Tls,
    /// The proxy refused the way to the server, with this status.
    Proxy(u16),
    /// Nothing came for too long.
    Timeout,
    /// The body ended early or could not be unpacked.
    CutShort,
    /// Something other than TLS came where TLS is due.
    NoTls,
    /// A page of another kind where JSON is due.
    NotJson,
    /// JSON that breaks the API's promises.
    Contract,
    /// Any status but success.
    Status(u16),
}

/// What a server asks for in `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// From the answer on.
    pub wait: Duration,
    /// The same as a moment, where the answer said what time it was.
    pub at: Option<DateTime<Utc>>,
}

/// How often and how long failed requests are sent again.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts at one request, the first included.
    pub attempts: u32,
    /// Those of them that may bring no JSON: that seldom passes by itself.
    pub attempts_not_json: u32,
    /// Ceiling of the first wait; it doubles with each attempt …
    pub base: Duration,
    /// … up to this.
    pub cap: Duration,
    /// Retries in the whole run.
    pub budget: u64,
    /// Length of the whole run.
    pub deadline: Duration,
}

/// What a run has spent so far.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Attempts at this request, the failed one included.
    pub attempts: u32,
    /// Those of them that brought no JSON.
    pub not_json: u32,
    /// Retries of all requests.
    pub retries: u64,
    /// Time since the run began.
    pub elapsed: Duration,
}

/// What to do about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send it again after this wait.
    Retry(Duration),
    /// Give up: it would not help, or there were enough attempts.
    Stop,
    /// Give up, and come back after this wait: the run may not last so long.
    Later(Duration),
}

/// Decides what to do about a failed attempt, with full jitter: `random` is in [0, 1).
pub fn decide(
    policy: &RetryPolicy,
    class: Class,
    spent: Spent,
    retry_after: Option<Duration>,
    random: f64,
) -> Decision {
    if !may_pass(class) {
        return Decision::Stop;
    }
    let left = policy.deadline.saturating_sub(spent.elapsed);
    if let Some(wait) = retry_after.filter(|wait| *wait >= left) {
        return Decision::Later(wait);
    }
    // What went wrong before otherwise is no sign that a page for people stays.
    let stays = class == Class::NotJson && spent.not_json >= policy.attempts_not_json;
    if stays || spent.attempts >= policy.attempts || spent.retries >= policy.budget {
        return Decision::Stop;
    }
    let doublings = (spent.attempts - 1).min(31);
    let ceiling = policy.base.saturating_mul(1 << doublings).min(policy.cap);
    // What the server asks for is the least; the spread keeps workers that were
    // paused together from coming back together.
    let wait = match retry_after {
        Some(asked) => asked.saturating_add(policy.base.min(ceiling).mul_f64(random)),
        None => ceiling.mul_f64(random),
    };
    if wait < left { Decision::Retry(wait) } else { Decision::Stop }
}

/// Whether the same request may succeed later.
fn may_pass(class: Class) -> bool {
    match class {
        Class::Connection | Class::NoTls | Class::Timeout | Class::CutShort | Class::NotJson => true,
        Class::Tls | Class::Contract => false,
        Class::Status(status) | Class::Proxy(status) => is_passing(status),
    }
}

/// Whether a server or proxy that answers with this status may answer otherwise later.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 520..=529)
}

/// Reads `Retry-After`: seconds, or an HTTP date measured against the answer's
/// own `Date`, since the two clocks need not agree. A fraction of a second is
/// rounded up, more seconds than can be held are as many as can. `None` for
/// anything else: a sign, a list, a word.
pub fn retry_after(value: &str, date: Option<&str>) -> Option<RetryAfter> {
    let now: Option<SystemTime> = date.and_then(|text| httpdate::parse_http_date(text.trim()).ok());
    let value = value.trim();
    let wait = match seconds(value) {
        Some(seconds) => Duration::from_secs(seconds),
        None => httpdate::parse_http_date(value).ok()?.duration_since(now?).unwrap_or_default(),
    };
    let at = now.and_then(|now| now.checked_add(wait)).filter(|at| {
        // chrono panics on a moment that it cannot hold.
        at.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since < LATEST)
    });
    Some(RetryAfter { wait, at: at.map(DateTime::from) })
}

/// Whole seconds, rounded up.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // Of digits alone: what cannot be read is too large.
    let whole = whole.parse().unwrap_or(u64::MAX);
    Some(whole.saturating_add(u64::from(fraction.bytes().any(|b| b != b'0'))))
}

/// The end of the year 9999.
const LATEST: Duration = Duration::from_secs(253_402_300_800);

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: RetryPolicy = RetryPolicy {
        attempts: 6,
        attempts_not_json: 3,
        base: Duration::from_millis(500),
        cap: Duration::from_secs(30),
        budget: 100,
        deadline: Duration::from_secs(1200),
    };

    fn after(attempts: u32) -> Spent {
        Spent { attempts, not_json: 0, retries: 0, elapsed: Duration::ZERO }
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn every_status_is_decided() {
        let again: Vec<u16> = (100..600)
            .filter(|status| decide(&PATIENCE, Class::Status(*status), after(1), None, 0.5) != Decision::Stop)
            .collect();
        let expected = [408, 425, 429, 500, 502, 503, 504].into_iter().chain(520..=529);
        assert_eq!(again, expected.collect::<Vec<_>>());
    }

    #[test]
    fn waits_double_up_to_the_cap_with_full_jitter() {
        let wait = |attempts, random| {
            let policy = RetryPolicy { attempts: 99, ..PATIENCE };
            decide(&policy, Class::Timeout, after(attempts), None, random)
        };
        for (attempts, millis) in [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 30_000), (60, 30_000)] {
            assert_eq!(wait(attempts, 0.5), Decision::Retry(Duration::from_millis(millis / 2)));
            assert_eq!(wait(attempts, 0.0), Decision::Retry(Duration::ZERO));
        }
    }

    #[test]
    fn attempts_and_the_budget_end() {
        let of = |class, spent| decide(&PATIENCE, class, spent, None, 0.5);
        assert!(matches!(of(Class::Connection, after(5)), Decision::Retry(_)));
        assert_eq!(of(Class::Connection, after(6)), Decision::Stop);
        let not_json = |attempts, not_json| of(Class::NotJson, Spent { not_json, ..after(attempts) });
        assert!(matches!(not_json(2, 2), Decision::Retry(_)));
        assert_eq!(not_json(3, 3), Decision::Stop);
        assert!(matches!(not_json(5, 2), Decision::Retry(_)));
        assert_eq!(not_json(6, 1), Decision::Stop);
        assert!(matches!(of(Class::Timeout, Spent { not_json: 3, ..after(4) }), Decision::Retry(_)));
        assert_eq!(of(Class::Timeout, Spent { retries: 100, ..after(1) }), Decision::Stop);
        assert_eq!(of(Class::Tls, after(1)), Decision::Stop);
        assert_eq!(of(Class::Contract, after(1)), Decision::Stop);
    }

    #[test]
    fn retry_after_is_the_least_wait_or_beyond_the_deadline() {
        let of = |elapsed, asked, random| {
            let spent = Spent { elapsed: seconds(elapsed), ..after(1) };
            decide(&PATIENCE, Class::Status(429), spent, Some(seconds(asked)), random)
        };
        assert_eq!(of(0, 7, 0.0), Decision::Retry(seconds(7)));
        assert_eq!(of(0, 7, 0.5), Decision::Retry(Duration::from_millis(7250)));
        assert_eq!(of(0, 1200, 0.0), Decision::Later(seconds(1200)));
        assert_eq!(of(1190, 60, 0.0), Decision::Later(seconds(60)));
        assert_eq!(of(1190, 9, 0.0), Decision::Retry(seconds(9)));
        assert_eq!(of(0, u64::MAX, 0.9), Decision::Later(seconds(u64::MAX)));
        let late = Spent { elapsed: seconds(1200), ..after(1) };
        assert_eq!(decide(&PATIENCE, Class::Timeout, late, None, 0.5), Decision::Stop);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let date = Some("Mon, 12 Oct 2026 06:00:00 GMT");
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
        let of = |value, date| retry_after(value, date).map(|read| (read.wait, read.at));
        assert_eq!(of(" 90 ", None), Some((seconds(90), None)));
        assert_eq!(of("90", date), Some((seconds(90), at("2026-10-12T06:01:30Z"))));
        assert_eq!(of("Mon, 12 Oct 2026 06:00:05 GMT", date), Some((seconds(5), at("2026-10-12T06:00:05Z"))));
        assert_eq!(
            of("Mon, 12 Oct 2026 05:00:00 GMT", date),
            Some((Duration::ZERO, at("2026-10-12T06:00:00Z")))
        );
        assert_eq!(of("Mon, 12 Oct 2026 06:00:05 GMT", None), None);
        assert_eq!(of("soon", date), None);
        for none in ["-1", "-5", "+5", "2, 3", "1.", ".5", "1.5.2", "1e3", "5s", "", "٣"] {
            assert_eq!(of(none, date), None, "{none}");
        }
        assert_eq!(of("1.5", None), Some((seconds(2), None)));
        assert_eq!(of("2.0", None), Some((seconds(2), None)));
        // Too large to hold is long, not at once.
        let endless = "9".repeat(400);
        for huge in ["18446744073709551616", endless.as_str(), "18446744073709551615.5"] {
            assert_eq!(of(huge, date), Some((seconds(u64::MAX), None)), "{huge}");
        }
        assert_eq!(of(&u64::MAX.to_string(), date), Some((seconds(u64::MAX), None)));
    }
}
