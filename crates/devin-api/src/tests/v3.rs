//! The walk of v3: cursors, slices of time, and what a server can do wrong with them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::server::{Asked, Reply, Server, json, serve};
use super::*;

/// The first second of the window that [`query`] asks about.
const FROM: i64 = 1_791_158_400;
const WEEK: i64 = 7 * 86_400;

fn v3(server: &Server, concurrency: usize) -> ApiConfig {
    ApiConfig {
        api: Api::V3,
        key: Secret::new("cog_k3y".to_owned()),
        gate: Gate::new(concurrency),
        ..super::config(&server.base)
    }
}

/// What a server says about how many sessions there are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum TotalField {
    Always,
    /// Of a page with a cursor it says `null`.
    First,
    Null,
    Absent,
}

fn envelope(items: &[String], next: Option<&str>, total: Option<&str>) -> String {
    let cursor = next.map_or("null".to_owned(), |next| format!("\"{next}\""));
    let total = total.map(|total| format!(r#", "total": {total}"#)).unwrap_or_default();
    format!(
        r#"{{"items": [{}], "end_cursor": {cursor}, "has_next_page": {}{total}}}"#,
        items.join(","),
        next.is_some()
    )
}

fn record(n: usize, created: i64) -> String {
    format!(r#"{{"session_id": "s{n:04}", "created_at": {created}}}"#)
}

/// The sessions of an organisation by their creation, after inclusive and before
/// exclusive, newest first; the cursor counts what has been given.
fn honest(times: &[i64], asked: &Asked, field: TotalField) -> Reply {
    let bound = |name| i64::try_from(asked.value(name).unwrap()).unwrap();
    let window = bound("created_after")..bound("created_before");
    let mut found: Vec<(i64, usize)> =
        times.iter().copied().zip(0..).filter(|(at, _)| window.contains(at)).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    let start = cursor(asked).map_or(0, |cursor| cursor.trim_end_matches('=').parse().unwrap());
    let end = (start + usize::try_from(asked.value("first").unwrap()).unwrap()).min(found.len());
    let items: Vec<String> = found[start..end].iter().map(|(at, n)| record(*n, *at)).collect();
    let next = (end < found.len()).then(|| format!("{end}=="));
    let count = found.len().to_string();
    let total = match field {
        TotalField::Always => Some(count.as_str()),
        TotalField::First if start == 0 => Some(count.as_str()),
        TotalField::First | TotalField::Null => Some("null"),
        TotalField::Absent => None,
    };
    json(200, &envelope(&items, next.as_deref(), total))
}

/// The cursor as it was asked for, decoded.
fn cursor(asked: &Asked) -> Option<String> {
    let (_, query) = asked.target.split_once('?')?;
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="))?;
    Some(after.replace("%3D", "="))
}

fn all(times: &[i64]) -> Vec<String> {
    (0..times.len()).map(|n| format!("s{n:04}")).collect()
}

fn sorted(seen: &Seen) -> Vec<&str> {
    let mut ids = seen.ids();
    ids.sort_unstable();
    ids
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % bound
    }
}

#[tokio::test]
async fn slices_neither_drop_nor_double_a_session() {
    let mut dice = Dice(3);
    for count in [150, 270] {
        let mut times = |of: &dyn Fn(&mut Dice) -> i64| -> Vec<i64> {
            (0..count).map(|_| FROM + of(&mut dice).clamp(0, WEEK - 1)).collect()
        };
        let distributions = [
            ("uniform", times(&|dice| dice.below(WEEK))),
            ("one second", times(&|_| 200_000)),
            ("two bursts", times(&|dice| 90_000 + 300_000 * dice.below(2) + dice.below(30))),
            ("at the newest end", times(&|dice| WEEK - 1 - dice.below(3))),
            ("at the oldest end", times(&|dice| dice.below(3))),
            ("sparse", (0..12).map(|n| FROM + n * 50_000).collect()),
        ];
        for (name, times) in distributions {
            for (concurrency, field) in [
                (1, TotalField::Always),
                (4, TotalField::Always),
                (4, TotalField::First),
                (4, TotalField::Null),
                (4, TotalField::Absent),
            ] {
                let served = times.clone();
                let server = serve(move |asked| honest(&served, asked, field));
                let (stats, seen) = run(&v3(&server, concurrency)).await;
                let what = format!("{name} {concurrency} {field:?}");
                let stats = stats.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(sorted(&seen), all(&times), "{what}");
                assert!(stats.complete && stats.duplicates == 0 && stats.outside == 0, "{what} {stats:?}");
                assert_eq!(stats.unique, times.len() as u64);
                assert!(server.peak() <= concurrency, "{what}: {} in flight", server.peak());
                assert!(stats.requests < 200, "{what}: {} requests", stats.requests);
            }
        }
    }
}

/// Every slice that a walk asked for.
fn edges(server: &Server) -> BTreeSet<i64> {
    let log = server.log();
    let names = ["created_after", "created_before"];
    let bounds = log.iter().flat_map(|asked| names.map(|name| asked.value(name).unwrap()));
    bounds.map(|bound| i64::try_from(bound).unwrap()).collect()
}

#[tokio::test]
async fn a_session_on_an_edge_of_slices_is_counted_once() {
    for field in [TotalField::Always, TotalField::Null] {
        // The edges follow from the number of sessions and where they lie; moved
        // onto them, they lie on those of the next walk, until nothing moves.
        let mut times: Vec<i64> = (0..400).map(|n| FROM + n * (WEEK / 400)).collect();
        let mut on_edges = 0;
        for _ in 0..6 {
            let served = times.clone();
            let server = serve(move |asked| honest(&served, asked, field));
            let (stats, seen) = run(&v3(&server, 4)).await;
            let stats = stats.unwrap();
            assert_eq!(sorted(&seen), all(&times));
            assert!(stats.complete && stats.duplicates == 0 && stats.outside == 0, "{stats:?}");
            let edges = edges(&server);
            on_edges = times.iter().filter(|at| edges.contains(at)).count();
            let within: Vec<i64> = edges.iter().copied().filter(|at| *at < FROM + WEEK).collect();
            for (n, at) in times.iter_mut().enumerate() {
                // Right before, on and right after an edge, some of them together.
                *at = (within[n % within.len()] + [0, 0, -1, 1][n % 4]).max(FROM);
            }
        }
        assert!(on_edges > 100, "{field:?}: only {on_edges} of 400 sessions lay on an edge");
    }
}

#[tokio::test]
async fn an_end_that_is_no_whole_second_takes_nothing_from_outside() {
    let times = vec![FROM, FROM + 1, FROM + 2];
    let server = serve(move |asked| honest(&times, asked, TotalField::Always));
    let mut query = query();
    query.from += chrono::TimeDelta::milliseconds(500);
    let (stats, seen) = run_query(&v3(&server, 4), &query).await;
    assert_eq!(sorted(&seen), ["s0001", "s0002"]);
    let stats = stats.unwrap();
    assert_eq!((stats.outside, stats.complete), (1, true));
}

#[tokio::test]
async fn a_clamped_page_and_a_cursor_with_padding_lead_on() {
    for concurrency in [1, 4] {
        let times: Vec<i64> = (0..60).map(|n| FROM + 10_000 * n).collect();
        let served = times.clone();
        let server = serve(move |asked| {
            let mut asked = asked.clone();
            asked.target = asked.target.replace("first=10", "first=4");
            honest(&served, &asked, TotalField::Always)
        });
        let (stats, seen) = run(&v3(&server, concurrency)).await;
        assert!(stats.unwrap().complete);
        assert_eq!(sorted(&seen), all(&times));
        assert!(server.log().iter().any(|asked| asked.target.contains("after=4%3D%3D")));
        assert!(
            server.log()[0].head.contains("Bearer cog_k3y")
                || server.log()[0].head.contains("bearer cog_k3y")
        );
    }
}

#[tokio::test]
async fn duplicates_are_counted_once() {
    let server = serve(|asked| {
        let page = |ids: &[usize]| ids.iter().map(|n| record(*n, FROM + 5)).collect::<Vec<_>>();
        match cursor(asked) {
            None => json(200, &envelope(&page(&[1, 2, 1]), Some("a="), Some("3"))),
            Some(_) => json(200, &envelope(&page(&[2, 3]), None, Some("3"))),
        }
    });
    let (stats, _) = run(&v3(&server, 1)).await;
    let stats = stats.unwrap();
    assert_eq!((stats.received, stats.unique, stats.duplicates, stats.complete), (5, 3, 2, true));
}

/// Rows without an id are neither new nor old, and must not make a walk endless.
#[tokio::test]
async fn rows_without_an_id_do_not_go_on_for_ever() {
    let nameless = vec![r#"{"title": "x"}"#.to_owned()];
    for (api, concurrency) in [(Api::V2, 1), (Api::V2, 4), (Api::V3, 1), (Api::V3, 4)] {
        let page = envelope(&nameless, Some("KEY"), Some("3"))
            .replace("has_next_page", "has_more\": true, \"has_next_page");
        let server = serve(move |asked| json(200, &page.replace("KEY", &format!("c{}", asked.number))));
        let error = run(&ApiConfig { api, ..v3(&server, concurrency) }).await.0.unwrap_err();
        assert!(error.to_string().contains("has no new sessions"), "{api} {concurrency}: {error}");
        assert!(server.log().len() <= 5, "{api} {concurrency}: {} requests", server.log().len());
    }
    // One among many, alone on its page, is no reason to stop.
    let server = serve(|asked| {
        let at = cursor(asked).map_or(0, |at| at.parse::<usize>().unwrap());
        let row = if at == 60 { r#"{"title": "x"}"#.to_owned() } else { record(at, FROM + 1) };
        json(200, &envelope(&[row], (at < 119).then(|| (at + 1).to_string()).as_deref(), Some("120")))
    });
    let (stats, _) = run(&v3(&server, 1)).await;
    let stats = stats.unwrap();
    assert_eq!((stats.unique, stats.rejected, stats.complete), (119, 1, true));
}

/// Whatever promises more and does not come forward is an error that names it.
#[tokio::test]
async fn a_walk_that_does_not_come_forward_is_an_error() {
    type Page = fn(&Asked) -> String;
    let cases: [(&str, Page); 4] = [
        ("the page after cursor a= leads to cursor a=, which was used before, although", |asked| {
            let n = if cursor(asked).is_some() { 1 } else { 0 };
            envelope(&[record(n, FROM)], Some("a="), Some("3"))
        }),
        // An unknown parameter is ignored, and a misspelt cursor is one: page 1 for ever.
        ("the page after cursor c2 has no new sessions, although", |asked| {
            let next = cursor(asked).map_or(1, |at| at[1..].parse::<u32>().unwrap() + 1);
            envelope(&[record(next.min(2) as usize, FROM)], Some(&format!("c{next}")), Some("3"))
        }),
        ("the newest page before 2026-10-12 00:00:00 UTC was empty twice, although", |_| {
            envelope(&[], Some("a="), Some("9"))
        }),
        ("the page after cursor a= was empty twice, although", |asked| match cursor(asked) {
            None => envelope(&[record(0, FROM)], Some("a="), None),
            Some(_) => envelope(&[], Some("b="), None),
        }),
    ];
    for (says, page) in cases {
        for concurrency in [1, 4] {
            let server = serve(move |asked| json(200, &page(asked)));
            let error = run(&v3(&server, concurrency)).await.0.unwrap_err();
            assert!(error.to_string().contains(says), "{says}: {error}");
            assert_eq!(kind(&error), "Contract");
            assert!(server.log().len() <= 4, "{says}: {} requests", server.log().len());
        }
    }
}

#[tokio::test]
async fn one_empty_page_is_forgiven() {
    for concurrency in [1, 4] {
        for empty in 0..3 {
            let times: Vec<i64> = (0..25).map(|n| FROM + 10_000 * n).collect();
            let served = times.clone();
            let hiccup = AtomicBool::new(true);
            let server = serve(move |asked| {
                let here =
                    cursor(asked).map_or(0, |at| at.trim_end_matches('=').parse::<i64>().unwrap() / 10);
                if here == empty && hiccup.swap(false, Ordering::SeqCst) {
                    return json(200, &envelope(&[], Some("x="), Some("25")));
                }
                honest(&served, asked, TotalField::Always)
            });
            let (stats, seen) = run(&v3(&server, concurrency)).await;
            let stats = stats.unwrap();
            // With one for archived sessions.
            assert_eq!((stats.requests, stats.retries, stats.complete), (5, 0, true));
            assert_eq!(sorted(&seen), all(&times));
        }
    }
}

/// A signal that is missing or of another type is an error at once, never the end.
#[tokio::test]
async fn signals_are_never_guessed() {
    for (body, says) in [
        (r#"{"items": [], "end_cursor": null, "total": 0}"#, "has_next_page"),
        (r#"{"items": [], "end_cursor": null, "has_next_page": null}"#, "has_next_page"),
        (r#"{"items": [], "end_cursor": null, "has_next_page": 0}"#, "has_next_page"),
        (r#"{"items": [], "end_cursor": null, "has_more": false}"#, "has_next_page"),
        (r#"{"items": [{}], "has_next_page": true}"#, "end_cursor"),
        (r#"{"items": [{}], "has_next_page": true, "end_cursor": null}"#, "end_cursor"),
        (r#"{"items": [{}], "has_next_page": true, "end_cursor": 20}"#, "end_cursor"),
        (r#"{"items": [{}], "has_next_page": true, "end_cursor": ""}"#, "end_cursor"),
        (r#"{"items": [], "has_next_page": false, "total": "0"}"#, "total"),
        (r#"{"items": null, "has_next_page": false, "total": 0}"#, "items"),
        ("[]", "object"),
    ] {
        let server = serve(move |_| json(200, body));
        let error = run(&v3(&server, 4)).await.0.unwrap_err();
        assert!(matches!(error, FetchError::Contract { .. }), "{body}: {error}");
        assert!(error.to_string().contains(says), "{body}: {error}");
        assert_eq!((kind(&error).as_str(), server.log().len()), ("Contract", 1), "{body}");
    }
}

#[tokio::test]
async fn a_cursor_that_the_server_does_not_know_again_stops_the_run() {
    let server = serve(|asked| match cursor(asked) {
        None => json(200, &envelope(&[record(0, FROM)], Some("a="), Some("2"))),
        Some(_) => json(400, r#"{"detail": "malformed cursor"}"#),
    });
    let error = run(&v3(&server, 1)).await.0.unwrap_err();
    assert!(error.to_string().contains("(HTTP 400): \"malformed cursor\""), "{error}");
    assert_eq!((kind(&error).as_str(), server.log().len()), ("BadRequest", 2));
}

/// A cursor is the server's text: it may hold our key, colours for a terminal, or a book.
#[tokio::test]
async fn a_hostile_cursor_is_not_shown_as_it_is() {
    for (length, says) in
        [(900, "cursor [redacted]…xxxxxxxxxx, which"), (100_000, "`end_cursor` is longer than")]
    {
        let book = "x".repeat(length);
        let server = serve(move |_| {
            let next = format!("cog_k3y\\u001b[31m{book}");
            json(200, &envelope(&[record(0, FROM)], Some(&next), Some("3")))
        });
        let error = run(&v3(&server, 1)).await.0.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(says) && text.len() < 300, "{text}");
        assert_eq!(kind(&error), "Contract");
    }
}

/// v3 ignores parameters that it does not know, and the window may be among them.
#[tokio::test]
async fn a_window_that_is_not_honoured_is_an_error() {
    // Newest first: some belong to the window, most are newer or older.
    for (name, offset) in [("newer", WEEK), ("older", -20 * WEEK), ("around", -WEEK)] {
        for (concurrency, page_size) in [(1, 10), (4, 10), (1, 3), (4, 3)] {
            for field in [TotalField::Always, TotalField::Null] {
                let times: Vec<i64> = (0..400).map(|n| FROM + offset + n * WEEK / 130).collect();
                let server = serve(move |asked| {
                    let mut asked = asked.clone();
                    let place = asked.target.split_once("first=").unwrap().1.to_owned();
                    asked.target = format!("/?created_after=0&created_before=99999999999&first={place}");
                    honest(&times, &asked, field)
                });
                let mut config = v3(&server, concurrency);
                config.page_size = page_size;
                let partial = SessionQuery { allow_partial: true, ..query() };
                let error = run_query(&config, &partial).await.0.unwrap_err();
                let what = format!("{name} {concurrency} {page_size} {field:?}");
                assert!(matches!(error, FetchError::FilterIgnored { .. }), "{what}: {error}");
                assert!(server.log().len() < 150, "{what}: {} requests", server.log().len());
            }
        }
    }
}

/// A slice that was read to its end may grow while others are read.
#[tokio::test]
async fn a_session_that_appears_behind_the_walk_is_not_missed() {
    let times: Vec<i64> = (0..200).map(|n| FROM + n * (WEEK / 200)).collect();
    let served = times.clone();
    let oldest = AtomicBool::new(false);
    let server = serve(move |asked| {
        // From the time when the oldest slice is asked for, the newest has one more.
        let reaches = asked.value("created_after") == Some(FROM.unsigned_abs());
        let is_part = asked.value("created_before") != Some((FROM + WEEK).unsigned_abs());
        if reaches && is_part {
            oldest.store(true, Ordering::SeqCst);
        }
        let mut times = served.clone();
        if oldest.load(Ordering::SeqCst) {
            times.push(FROM + WEEK - 1);
        }
        honest(&times, asked, TotalField::Always)
    });
    let (stats, seen) = run(&v3(&server, 2)).await;
    let stats = stats.unwrap();
    assert_eq!((seen.restarts, stats.unique, stats.complete), (1, 201, true));
    assert!(seen.ids().contains(&"s0200"));
}

#[tokio::test]
async fn what_is_counted_and_never_comes_is_missed() {
    let times: Vec<i64> = (0..200).map(|n| FROM + n * (WEEK / 200)).collect();
    for concurrency in [1, 4] {
        let served = times.clone();
        let server = serve(move |asked| {
            let Reply(bytes) = honest(&served, asked, TotalField::Always);
            let text = String::from_utf8(bytes).unwrap();
            let (_, body) = text.split_once("\r\n\r\n").unwrap();
            json(200, &body.replace("\"s0150\"", "\"s0151\""))
        });
        let config = v3(&server, concurrency);
        let error = run(&config).await.0.unwrap_err();
        assert!(matches!(error, FetchError::Incomplete { alike: true, .. }), "{error}");
        // The whole was counted, whatever the slices add up to.
        assert!(error.to_string().ends_with("server reports 200 sessions; received 199 distinct"), "{error}");
        let partial = SessionQuery { allow_partial: true, ..query() };
        let (stats, seen) = run_query(&config, &partial).await;
        assert!(!stats.unwrap().complete);
        assert_eq!(seen.restarts, 2);
    }
}

/// A sum over slices says so, where it does not agree with the count of the whole.
#[tokio::test]
async fn a_summed_count_is_reported_as_summed() {
    let times: Vec<i64> = (0..200).map(|n| FROM + n * (WEEK / 200)).collect();
    let server = serve(move |asked| {
        let Reply(bytes) = honest(&times, asked, TotalField::Always);
        let text = String::from_utf8(bytes).unwrap();
        let (head, total) = text.split_once("\r\n\r\n").unwrap().1.split_once("\"total\": ").unwrap();
        let total: u64 = total.trim_end_matches('}').parse().unwrap();
        // Each slice counts one session too many.
        let total = if total == 200 { 200 } else { total + 1 };
        json(200, &format!("{head}\"total\": {total}}}"))
    });
    let (outcome, seen) = run(&v3(&server, 4)).await;
    let error = outcome.unwrap_err().to_string();
    assert!(
        error.contains("server reports 200 sessions at first and 204 at the end, summed over 4 time slices"),
        "{error}"
    );
    let reason = |news: &Progress| match news {
        Progress::Again { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    let reasons: Vec<String> = seen.news.iter().filter_map(reason).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.iter().all(|reason| error.ends_with(reason)), "{reasons:?}");
}

#[tokio::test]
async fn a_walk_has_an_end() {
    // Every slice claims to be long, and every page promises another one.
    for concurrency in [1, 4] {
        let server = serve(move |asked| {
            let at = i64::try_from(asked.value("created_before").unwrap()).unwrap() - 1;
            let next = cursor(asked).map_or(1, |at| at.parse::<i64>().unwrap() + 1);
            let id = usize::try_from(at % 1_000_000 * 1000 + next).unwrap();
            json(200, &envelope(&[record(id, at)], Some(&next.to_string()), Some("1000000000")))
        });
        let limits = Limits { pages: 40, ..quick() };
        let error = run_within(&v3(&server, concurrency), &query(), &limits).await.0.unwrap_err();
        assert!(error.to_string().contains("more than 40 pages"), "{error}");
        assert!(server.log().len() <= 45);
    }
}

/// Of these sessions every third is archived.
fn is_archived(n: usize) -> bool {
    n.is_multiple_of(3)
}

/// What a server does with archived sessions.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Archives {
    /// It lists them with all others.
    Lists,
    /// It lists them where they are asked for.
    Hides,
    /// It knows no such filter, and ignores it.
    Ignores,
    /// It knows no such filter, and refuses it.
    Refuses,
}

fn with_archives(times: &[i64], asked: &Asked, archives: Archives, field: TotalField) -> Reply {
    let wants = asked.target.contains("is_archived=true");
    if wants && archives == Archives::Refuses {
        return json(422, r#"{"detail": "is_archived is not known"}"#);
    }
    let is_listed = |n: usize| match archives {
        Archives::Lists => !wants || is_archived(n),
        Archives::Hides => wants == is_archived(n),
        Archives::Ignores | Archives::Refuses => true,
    };
    // The others lie outside of every window.
    let listed: Vec<i64> =
        times.iter().enumerate().map(|(n, at)| if is_listed(n) { *at } else { 0 }).collect();
    honest(&listed, asked, field)
}

#[tokio::test]
async fn archived_sessions_come_whether_they_are_listed_or_not() {
    let times: Vec<i64> = (0..140).map(|n| FROM + 4_000 * n).collect();
    for archives in [Archives::Lists, Archives::Hides, Archives::Ignores, Archives::Refuses] {
        for (concurrency, field) in
            [(1, TotalField::Always), (4, TotalField::Always), (4, TotalField::Null), (1, TotalField::Absent)]
        {
            let served = times.clone();
            let server = serve(move |asked| with_archives(&served, asked, archives, field));
            let (stats, seen) = run(&v3(&server, concurrency)).await;
            let what = format!("{archives:?} {concurrency} {field:?}");
            let stats = stats.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(sorted(&seen), all(&times), "{what}");
            assert_eq!((stats.unique, stats.duplicates, stats.complete), (140, 0, true), "{what}");
            assert!(server.peak() <= concurrency, "{what}: {} in flight", server.peak());
            let about = server.log().iter().filter(|asked| asked.target.contains("is_archived")).count();
            assert_eq!(about > 1, archives == Archives::Hides, "{what}: {about} requests");
            assert_eq!(seen.news.contains(&Progress::Archived), archives == Archives::Hides, "{what}");
        }
    }
}

/// Each walk is proved by itself: archived sessions that are missing are not made up for by others.
#[tokio::test]
async fn archived_sessions_that_do_not_come_are_missed() {
    let times: Vec<i64> = (0..60).map(|n| FROM + 4_000 * n).collect();
    let server = serve(move |asked| {
        let Reply(bytes) = with_archives(&times, asked, Archives::Hides, TotalField::Always);
        let text = String::from_utf8(bytes).unwrap();
        // The server counts one more than it gives.
        Reply(match asked.target.contains("is_archived=true") {
            true => text.replace("\"total\": 20", "\"total\": 21").into_bytes(),
            false => text.into_bytes(),
        })
    });
    let (outcome, seen) = run(&v3(&server, 1)).await;
    let error = outcome.unwrap_err();
    assert_eq!((kind(&error).as_str(), seen.restarts), ("Incomplete", 2), "{error}");
    assert!(error.to_string().contains("21 sessions; received 20 distinct"), "{error}");
    let partial = SessionQuery { allow_partial: true, ..query() };
    let (stats, seen) = run_query(&v3(&server, 1), &partial).await;
    assert_eq!((stats.unwrap().complete, seen.rows.len()), (false, 60));
}

/// Who asks for certain sessions and gets them all does not ask for archived ones.
#[tokio::test]
async fn certain_sessions_are_asked_for_among_archived_ones_where_they_are_missing() {
    let times: Vec<i64> = (0..6).map(|n| FROM + 4_000 * n).collect();
    for (archives, ids, requests) in [
        (Archives::Lists, ["s0000", "s0001"], 1),
        (Archives::Hides, ["s0001", "s0002"], 1),
        (Archives::Hides, ["s0000", "s0001"], 3),
    ] {
        let served = times.clone();
        let server = serve(move |asked| {
            let named = |n: &usize| asked.target.contains(&format!("session_ids=s{n:04}"));
            let some: Vec<i64> =
                served.iter().enumerate().map(|(n, at)| if named(&n) { *at } else { 0 }).collect();
            with_archives(&some, asked, archives, TotalField::Always)
        });
        let query = SessionQuery { ids: ids.map(str::to_owned).into(), ..query() };
        let (stats, seen) = run_query(&v3(&server, 1), &query).await;
        assert_eq!((stats.unwrap().requests, sorted(&seen)), (requests, ids.to_vec()), "{archives:?}");
    }
}

/// Whatever is asked at once by one run, the user's bound holds for all of it.
#[tokio::test]
async fn all_that_is_asked_at_once_shares_one_bound() {
    let times: Vec<i64> = (0..90).map(|n| FROM + 4_000 * n).collect();
    for width in [1, 2, 4] {
        let served = times.clone();
        let server = serve(move |asked| {
            std::thread::sleep(Duration::from_millis(5));
            match asked.target.contains("/sessions/") {
                true => honest(&served, asked, TotalField::Always),
                false => json(200, &envelope(&[], None, None)),
            }
        });
        let config = v3(&server, width);
        let query = query();
        let clone = ApiConfig { page_size: 7, ..config.clone() };
        let ((first, _), people, (second, _), vendor) =
            tokio::join!(run(&config), people(&config, &query), run(&clone), vendor(&clone, &query, None));
        assert!(first.unwrap().complete && second.unwrap().complete && people.notes.is_empty());
        assert_eq!(vendor.missing, [("totals", "the server's answer cannot be read".to_owned())]);
        assert_eq!(server.peak(), width);
    }
}
