//! The oracle's parts against cases worked out by hand: midnights, moments,
//! addresses, percentiles.

use chrono::{NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::Kind;
use super::calendar::{midnight, spans};
use super::records::{canonical, moment, repo};
use super::volume::percentile;

#[test]
fn days_begin_at_the_first_instant_of_their_date() {
    let cases = [
        ("Europe/Berlin", "2026-03-30", "2026-03-30T00:00:00+02:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00+01:00"),
        ("Asia/Kolkata", "2026-10-05", "2026-10-05T00:00:00+05:30"),
        ("Pacific/Auckland", "2026-09-28", "2026-09-28T00:00:00+13:00"),
        // Midnight does not exist.
        ("America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-29T01:00:00+03:00"),
        // The hour before midnight comes twice; midnight itself does not.
        ("America/Santiago", "2026-04-05", "2026-04-05T00:00:00-04:00"),
        // Midnight comes twice.
        ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"),
        // The whole date does not exist.
        ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
    ];
    for (tz, date, first) in cases {
        let instant = midnight(day(date), tz.parse::<Tz>().unwrap());
        assert_eq!(instant.to_rfc3339(), first, "{tz} {date}");
    }
}

#[test]
fn periods_follow_each_other() {
    let labels =
        |kind| -> Vec<String> { spans(kind, 2, chrono_tz::UTC).into_iter().map(|span| span.label).collect() };
    assert_eq!(labels(Kind::Week { year: 2021, week: 1 }), ["2020-W52", "2020-W53", "2021-W01"]);
    assert_eq!(labels(Kind::Week { year: 2027, week: 1 }), ["2026-W52", "2026-W53", "2027-W01"]);
    assert_eq!(labels(Kind::Month { year: 2026, month: 1 }), ["2025-11", "2025-12", "2026-01"]);
    assert_eq!(
        labels(Kind::Days { from: day("2026-03-01"), to: day("2026-03-03") }),
        ["2026-02-23_2026-02-25", "2026-02-26_2026-02-28", "2026-03-01_2026-03-03"]
    );
    let february = &spans(Kind::Month { year: 2028, month: 2 }, 0, chrono_tz::UTC)[0];
    assert_eq!((february.days.len(), february.to.date_naive()), (29, day("2028-03-01")));
    let all = spans(Kind::Week { year: 2026, week: 44 }, 3, chrono_tz::Europe::Berlin);
    assert!(all.windows(2).all(|pair| pair[0].to == pair[1].from));
    assert_eq!((all[2].to - all[2].from).num_hours(), 7 * 24 + 1, "{}", all[2].label);
}

#[test]
fn moments_are_read_in_every_spelling() {
    let noon = "2026-10-05T12:00:00Z".parse::<chrono::DateTime<Utc>>().unwrap();
    for spelling in [
        json!("2026-10-05T12:00:00Z"),
        json!("2026-10-05T12:00:00.000000Z"),
        json!("2026-10-05T14:00:00+02:00"),
        json!("2026-10-05 14:00:00+0200"),
        json!("2026-10-05 12:00:00 Z"),
        json!("2026-10-05T06:30-05:30"),
        json!("2026-10-05T12:00:00"),
        json!("2026-10-05 12:00"),
        json!(1_791_201_600),
        json!(1_791_201_600.0),
        json!(1_791_201_600_000_i64),
        json!("1791201600"),
    ] {
        assert_eq!(moment(&spelling), Some(noon), "{spelling}");
    }
    for none in
        [json!(null), json!(""), json!("soon"), json!({}), json!("2026-13-01"), json!("NaN"), json!("inf")]
    {
        assert_eq!(moment(&none), None, "{none}");
    }
}

#[test]
fn addresses_and_repositories() {
    for (address, compared, of) in [
        (
            "HTTPS://GitHub.com/Acme/Api/pull/7/?a=1/#b",
            "https://github.com/Acme/Api/pull/7",
            "github.com/Acme/Api",
        ),
        ("GitHub.com/acme/api/pull/7", "https://github.com/acme/api/pull/7", "github.com/acme/api"),
        (
            "http://www.github.com:80/acme/api/pull/7/files",
            "https://github.com/acme/api/pull/7",
            "github.com/acme/api",
        ),
        ("https://c.org/a/b/pulls/3/commits/9", "https://c.org/a/b/pulls/3", "c.org/a/b"),
        ("https://g.io/a/b/merge_requests/3", "https://g.io/a/b/-/merge_requests/3", "g.io/a/b"),
        ("https://t.io/c/_git/r/pullRequest/3", "https://t.io/c/_git/r/pullrequest/3", "t.io/c/_git/r"),
        ("https://g.io/a/b/-/merge_requests/3#n", "https://g.io/a/b/-/merge_requests/3", "g.io/a/b"),
        ("https://b.org/a/b/pull-requests/3", "https://b.org/a/b/pull-requests/3", "b.org/a/b"),
        (
            "https://d.com/o/p/_git/r/pullrequest/3",
            "https://d.com/o/p/_git/r/pullrequest/3",
            "d.com/o/p/_git/r",
        ),
        ("https://x.com/pull/pull/pull/3", "https://x.com/pull/pull/pull/3", "x.com/pull/pull"),
        (
            "https://x.com/a/pull-requests/pull/3",
            "https://x.com/a/pull-requests/pull/3",
            "x.com/a/pull-requests",
        ),
        ("https://x.com/a/b/changes/3", "https://x.com/a/b/changes/3", "unknown"),
        ("https://x.com/a/b/pull/", "https://x.com/a/b/pull", "unknown"),
        ("PR-7", "pr-7", "unknown"),
    ] {
        assert_eq!(canonical(address), compared);
        assert_eq!(repo(compared), of, "{compared}");
    }
}

#[test]
fn percentiles_interpolate() {
    assert_eq!(percentile(&[], 50.0), None);
    assert_eq!(percentile(&[3.0], 90.0), Some(3.0));
    assert_eq!(percentile(&[1.0, 2.0, 4.0, 8.0], 50.0), Some(3.0));
    assert_eq!(percentile(&[0.0, 10.0, 20.0, 30.0, 40.0], 90.0), Some(36.0));
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}
