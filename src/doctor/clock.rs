//! This machine's clock against the server's.

use chrono::{DateTime, TimeDelta, Utc};

use super::line::{Line, note, ok};
use devin_api::ServerTime;

/// Differences up to this are the way there and back, and whole seconds.
const ALLOWED: u64 = 60;

/// How far the clocks are apart; `now` is when the asking began, by this machine.
pub fn clock(now: DateTime<Utc>, server_time: Option<ServerTime>) -> Line {
    const NAME: &str = "clock";
    let Some(server_time) = server_time else { return note(NAME, "the server does not report its time") };
    let here = TimeDelta::from_std(server_time.after).ok().and_then(|after| now.checked_add_signed(after));
    let ahead = (here.unwrap_or(now) - server_time.time).num_seconds();
    let apart = span(ahead.unsigned_abs());
    match ahead {
        _ if ahead.unsigned_abs() <= ALLOWED => ok(NAME, format!("within {apart} of the server's")),
        1.. => note(
            NAME,
            format!(
                "this machine is {apart} ahead of the server: a report of a running period requests \
                 sessions up to a time in the server's future, so new ones can shift the pages, and a \
                 week counts as over too early"
            ),
        ),
        _ => note(
            NAME,
            format!(
                "this machine is {apart} behind the server: a report of a running period lacks the \
                 sessions of that time, and a week counts as over too late"
            ),
        ),
    }
}

/// Seconds as people say them.
fn span(seconds: u64) -> String {
    match seconds {
        0..=120 => format!("{seconds} s"),
        121..=7200 => format!("{} min", seconds / 60),
        7201..=172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::line::Word;
    use super::*;

    fn at(server: &str, after: u64) -> Line {
        let time = server.parse().unwrap();
        clock(
            "2026-10-12T06:00:00Z".parse().unwrap(),
            Some(ServerTime { time, after: Duration::from_secs(after) }),
        )
    }

    #[test]
    fn a_minute_is_nothing() {
        for server in ["2026-10-12T06:00:00Z", "2026-10-12T05:59:00Z", "2026-10-12T06:01:00Z"] {
            assert_eq!(at(server, 0).word, Word::Ok, "{server}");
        }
        // What passed since the start does not count.
        assert_eq!(at("2026-10-12T06:05:00Z", 300).text, "within 0 s of the server's");
    }

    #[test]
    fn larger_differences_are_explained() {
        let ahead = at("2026-10-12T05:58:59Z", 0);
        assert_eq!(ahead.word, Word::Note);
        assert!(ahead.text.starts_with("this machine is 61 s ahead of the server: "), "{}", ahead.text);
        let behind = at("2026-10-12T08:30:00Z", 0);
        assert!(behind.text.starts_with("this machine is 2 h behind the server: "), "{}", behind.text);
        assert!(behind.text.contains("running period lacks"), "{}", behind.text);
        assert_eq!(clock(DateTime::UNIX_EPOCH, None).word, Word::Note);
        let far = ServerTime {
            time: "9999-12-31T23:59:59Z".parse().unwrap(),
            after: Duration::from_secs(u64::MAX),
        };
        assert!(clock(DateTime::UNIX_EPOCH, Some(far)).text.contains("days behind"));
    }
}
