//! Answers to lines, without a network.

use std::time::Duration;

use super::line::Word;
use super::*;
use crate::cli::ApiArgs;
use devin_api::{Archived, FetchError, Principal, Sample, Week};

fn settings(key: &str, org: Option<&str>) -> Settings {
    let args = ReportArgs {
        tz: "UTC".to_owned(),
        org: org.map(str::to_owned),
        access: ApiArgs {
            base_url: "https://api.devin.ai".to_owned(),
            page_size: 200,
            concurrency: 1,
            ..ApiArgs::default()
        },
        ..ReportArgs::default()
    };
    let key = FoundKey::new(key, "DEVIN_API_KEY");
    Settings::resolve(&args, Found { key: Some(key), ..Found::default() }, now()).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-10-14T09:30:00Z".parse().unwrap()
}

fn lines_of(probes: &Probes, settings: &Settings) -> Vec<Line> {
    let week = Period::last_complete_week(now(), settings.period.tz()).unwrap();
    answers(probes, settings.source.api().unwrap(), &settings.query, &week, now())
}

fn line<'l>(lines: &'l [Line], name: &str) -> &'l Line {
    lines.iter().find(|line| line.name == name).unwrap()
}

/// A server without a flaw.
fn healthy() -> Probes {
    Probes {
        myself: None,
        first: Some(Ok(Sample { rows: 1, outside: 0, more: true })),
        before: Some(Ok(Sample::default())),
        page: Some(Ok(Sample { rows: 200, outside: 0, more: true })),
        week: Some(Ok(Week { sessions: 312, analysed: 201, outside: 0, complete: true })),
        archived: None,
        server_time: Some(devin_api::ServerTime { time: now(), after: Duration::ZERO }),
    }
}

fn refused(api: Api, status: u16) -> FetchError {
    FetchError::Refused {
        path: "/x".to_owned(),
        api,
        status,
        key_source: "DEVIN_API_KEY".to_owned(),
        detail: String::new(),
    }
}

fn deadline() -> FetchError {
    FetchError::Deadline { host: "h.example".to_owned(), deadline: devin_api::PROBE_LONGEST }
}

#[test]
fn every_thing_has_one_line_whatever_the_answers() {
    let settings = settings("apk_user_x", Some("org_a"));
    let names: Vec<&str> = lines_of(&healthy(), &settings).iter().map(|line| line.name).collect();
    assert_eq!(names, UNASKED);
    assert!(lines_of(&healthy(), &settings).iter().all(|line| line.word == Word::Ok));
    for first in [refused(Api::V2, 401), refused(Api::V2, 403), deadline()] {
        let lines = lines_of(&Probes { first: Some(Err(first)), ..Probes::default() }, &settings);
        assert_eq!(lines.iter().map(|line| line.name).collect::<Vec<_>>(), UNASKED);
        let failed: Vec<_> = lines.iter().filter(|line| line.word == Word::Failed).collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert!(!failed[0].hint.is_empty());
    }
}

#[test]
fn the_week_is_counted_in_words() {
    let lines = lines_of(&healthy(), &settings("apk_user_x", None));
    let week = line(&lines, "last week");
    assert_eq!(week.text, "week 41 (5 to 11 October 2026, UTC): 312 sessions, 201 with an analysis");
    for (found, words) in [
        (Week::default(), "differs from the server's count"),
        (Week::default(), "end with exit code 4"),
        (Week { complete: true, ..Week::default() }, "no session"),
        (Week { complete: true, sessions: 1, ..Week::default() }, "1 session, none with an analysis"),
    ] {
        let lines = lines_of(&Probes { week: Some(Ok(found)), ..healthy() }, &settings("apk_user_x", None));
        let week = line(&lines, "last week");
        assert!(week.word == Word::Note && week.text.contains(words), "{}", week.text);
    }
    let lines = lines_of(&Probes { week: Some(Err(deadline())), ..healthy() }, &settings("apk_user_x", None));
    let week = line(&lines, "last week");
    assert!(week.word == Word::Note && week.text.contains("in 30 s"), "{}", week.text);
}

#[test]
fn a_window_that_is_not_kept_fails_on_any_sign_of_it() {
    let ignored = || FetchError::FilterIgnored { outside: 20, rows: 30 };
    let early = Sample { rows: 2, outside: 2, more: true };
    for probes in [
        Probes { before: Some(Ok(early)), week: None, ..healthy() },
        Probes { week: Some(Err(ignored())), ..healthy() },
    ] {
        let lines = lines_of(&probes, &settings("apk_user_x", None));
        let window = line(&lines, "time window");
        assert_eq!((window.word, window.exit), (Word::Failed, Exit::Data));
        assert_eq!(line(&lines, "last week").word, Word::Skipped);
    }
    let some = Week { outside: 1, ..healthy().week.unwrap().unwrap() };
    let nothing = Some(Ok(Sample::default()));
    for (probes, words) in [
        (Probes { week: Some(Ok(some)), ..healthy() }, "1 session of other times"),
        (Probes { first: nothing, ..healthy() }, "not checked"),
    ] {
        let lines = lines_of(&probes, &settings("apk_user_x", None));
        let window = line(&lines, "time window");
        assert!(window.word == Word::Note && window.text.contains(words), "{}", window.text);
    }
}

#[test]
fn pages_of_another_length_are_a_note() {
    let page = |first: u64, rows: u64, more: bool| {
        let sample = |rows, more| Some(Ok(Sample { rows, outside: 0, more }));
        let probes = Probes { first: sample(first, true), page: sample(rows, more), ..healthy() };
        line(&lines_of(&probes, &settings("apk_user_x", None)), "page size").clone()
    };
    assert_eq!(page(1, 50, false).word, Word::Ok);
    assert_eq!(page(1, 200, true).word, Word::Ok);
    let clamped = page(1, 50, true);
    assert!(clamped.word == Word::Note && clamped.text.contains("received 50 sessions"), "{}", clamped.text);
    let void = page(1, 0, true);
    assert!(void.word == Word::Note && void.text.contains("received none, although"), "{}", void.text);
    assert!(!void.text.contains("no data is lost"), "{}", void.text);
    let deaf = page(100, 200, true);
    assert!(deaf.word == Word::Note && deaf.text.contains("received 100 sessions"), "{}", deaf.text);
}

#[test]
fn a_service_user_of_one_organisation_gets_a_hint_to_name_it() {
    let principal = Principal {
        kind: Some("service_user".to_owned()),
        name: Some("CI Bot".to_owned()),
        org: Some("org-7".to_owned()),
    };
    let probes = || Probes {
        myself: Some(Ok(principal.clone())),
        first: Some(Err(refused(Api::V3, 403))),
        ..Probes::default()
    };
    let lines = lines_of(&probes(), &settings("cog_x", None));
    assert_eq!(line(&lines, "access").text, "the key is accepted: a service user's key, “CI Bot”, for org-7");
    let sessions = line(&lines, "sessions");
    assert_eq!((sessions.word, sessions.exit), (Word::Failed, Exit::Denied));
    assert!(sessions.hint.contains("--org org-7"), "{}", sessions.hint);
    // Where it is named, it is a right that lacks.
    let lines = lines_of(&probes(), &settings("cog_x", Some("org-7")));
    let hint = &line(&lines, "sessions").hint;
    assert!(hint.starts_with("the service user of the key needs the permission to view sessions"), "{hint}");
}

#[test]
fn a_personal_access_token_acts_with_the_rights_of_its_owner() {
    let lines_of_kind = |kind: Option<&str>| {
        let kind = kind.map(str::to_owned);
        let principal = Principal { kind, name: Some("Ada".to_owned()), org: None };
        let first = Some(Err(refused(Api::V3, 403)));
        lines_of(
            &Probes { myself: Some(Ok(principal)), first, ..Probes::default() },
            &settings("cog_x", Some("org-7")),
        )
    };
    let lines = lines_of_kind(Some("pat_user"));
    assert_eq!(
        line(&lines, "access").text,
        "the key is accepted: a personal access token (has the permissions of its owner), “Ada”, for the \
         whole enterprise"
    );
    let hint = &line(&lines, "sessions").hint;
    assert!(
        hint.starts_with("the person whose personal access token this is needs the permission"),
        "{hint}"
    );
    for (kind, words) in [
        (Some("DevinBrain"), "an internal key of Devin"),
        (Some("WindsurfSession"), "the key of a Windsurf session"),
        (Some("robot"), "a key of an unknown kind (robot)"),
        (None, "a key of an unreported kind"),
    ] {
        let lines = lines_of_kind(kind);
        let text = &line(&lines, "access").text;
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn it_says_whether_archived_sessions_are_listed() {
    let counts = |all, archived, others| {
        Some(Ok(Archived { unasked: Some(all), archived: Some(archived), others: Some(others) }))
    };
    let refused = FetchError::BadRequest { path: "/x".to_owned(), status: 422, detail: String::new() };
    for (archived, word, says) in [
        (counts(312, 9, 303), Word::Ok, "listed, 9 of 312 sessions last week"),
        (counts(303, 9, 303), Word::Ok, "not listed, 9 of 312 sessions last week: a report fetches them"),
        (counts(303, 0, 303), Word::Ok, "a report fetches them as well"),
        (counts(0, 0, 0), Word::Ok, "not checked"),
        (
            counts(312, 312, 312),
            Word::Note,
            "ignores the filter is_archived: it counts 312 sessions each time",
        ),
        (
            counts(310, 9, 303),
            Word::Note,
            "310 without the filter is_archived, 9 with true and 303 with false",
        ),
        (Some(Ok(Archived::default())), Word::Note, "too many to count"),
        (Some(Err(refused)), Word::Note, "refuses the filter is_archived"),
        (Some(Err(deadline())), Word::Note, "could not be counted three times"),
        (Some(Err(self::refused(Api::V3, 403))), Word::Failed, "403"),
    ] {
        let lines = lines_of(&Probes { archived, ..healthy() }, &settings("cog_x", None));
        let line = line(&lines, "archived");
        assert!(line.word == word && line.text.contains(says), "{line:?}");
    }
    let line_of_v2 = lines_of(&healthy(), &settings("apk_user_x", None));
    assert_eq!(line(&line_of_v2, "archived").text, "v2 has no filter for them: listed sessions count");
}

#[test]
fn an_answer_that_came_counts_although_the_next_did_not() {
    let principal = Principal { kind: Some("service_user".to_owned()), ..Principal::default() };
    let probes = Probes { myself: Some(Ok(principal)), first: Some(Err(deadline())), ..Probes::default() };
    let lines = lines_of(&probes, &settings("cog_x", None));
    assert_eq!(line(&lines, "address").word, Word::Ok, "it answered once");
    assert_eq!(
        line(&lines, "access").text,
        "the key is accepted: a service user's key, for the whole enterprise"
    );
    assert_eq!(
        (line(&lines, "sessions").word, line(&lines, "sessions").exit),
        (Word::Failed, Exit::Unreachable)
    );
    assert_eq!(line(&lines, "clock").word, Word::Skipped);
    let failed = lines.iter().filter(|line| line.word == Word::Failed);
    assert_eq!(failed.count(), 1, "{lines:?}");
    // A server need not know who asks.
    let lost = FetchError::Contract { path: "/v3/self".to_owned(), what: "odd".to_owned() };
    let archived = Some(Ok(Archived { unasked: Some(312), archived: Some(9), others: Some(303) }));
    let lines =
        lines_of(&Probes { myself: Some(Err(lost)), archived, ..healthy() }, &settings("cog_x", None));
    assert!(lines.iter().all(|line| line.word == Word::Ok), "{lines:?}");
}

#[test]
fn who_does_not_know_the_address_has_not_taken_the_key() {
    let lost = || FetchError::NotFound {
        path: "/v3/self".to_owned(),
        host: "h.example".to_owned(),
        api: Api::V3,
        org: None,
        detail: String::new(),
    };
    let of = |first| {
        let probes = Probes { myself: Some(Err(lost())), first: Some(first), ..healthy() };
        let access = line(&lines_of(&probes, &settings("cog_x", None)), "access").clone();
        assert!(access.text.contains("the server has no /v3/self") && !access.text.contains("accepted"));
        access.word
    };
    assert_eq!(of(Ok(Sample::default())), Word::Ok);
    assert_eq!(of(Err(lost())), Word::Note);
    assert_eq!(of(Err(refused(Api::V3, 403))), Word::Note);
}

#[test]
fn a_key_is_shown_by_its_kind_alone() {
    for (key, api, words, word) in [
        ("apk_user_secret", None, "personal key", Word::Ok),
        ("cog_secret", None, "service user's key", Word::Ok),
        ("secret", None, "unknown kind", Word::Ok),
        ("cog_secret", Some("v2"), "service user's key", Word::Note),
        ("apk_user_secret", Some("v3"), "personal key", Word::Note),
    ] {
        let args = ReportArgs {
            tz: "UTC".to_owned(),
            access: ApiArgs {
                base_url: "https://api.devin.ai".to_owned(),
                page_size: 200,
                api: api.map(str::to_owned),
                ..ApiArgs::default()
            },
            ..ReportArgs::default()
        };
        let found = FoundKey::new(&format!(" {key}\n"), "DEVIN_API_KEY");
        let mut lines = Vec::new();
        assert!(prepare(&args, Ok(Some(found)), Ok(Found::default()), now(), &mut lines).is_some());
        assert!(line(&lines, "key").text.contains(words), "{lines:?}");
        assert_eq!(line(&lines, "API").word, word, "{lines:?}");
        assert!(!line::print(&lines).contains("secret"), "{lines:?}");
    }
}
