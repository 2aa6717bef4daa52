//! Stored tables: built, merged, cut, written and read.

use super::*;
use crate::cli::{ApiArgs, ReportArgs};
use crate::fetch::{PageEvent, replay};
use crate::frame::{FramesBuilder, Kept};
use crate::settings::{Found, FoundKey, Settings};

fn built(sessions: &[&str]) -> Tables {
    let args = ReportArgs {
        from: Some("2026-09-01".to_owned()),
        to: Some("2026-12-31".to_owned()),
        tz: "UTC".to_owned(),
        access: ApiArgs {
            base_url: "https://h.example".to_owned(),
            page_size: 200,
            concurrency: 1,
            ..ApiArgs::default()
        },
        ..ReportArgs::default()
    };
    let key = FoundKey { text: "apk_user_x".to_owned(), source: "a test".to_owned() };
    let found = Found { key: Some(key), ..Found::default() };
    let settings = Settings::resolve(&args, found, "2027-01-12T06:00:00Z".parse().unwrap()).unwrap();
    let mut builder = TablesBuilder::default();
    let page = format!(r#"{{"items": [{}], "total": 3, "has_more": false}}"#, sessions.join(","));
    let mut take = |event: PageEvent<'_>| {
        if let PageEvent::Page(rows) = event {
            builder.push(rows);
        }
    };
    replay([page.as_bytes()], crate::fetch::Api::V2, &settings.query, &mut take).unwrap();
    builder.finish().unwrap()
}

/// A session with a tag and a pull request that tell which record it is of.
fn session(id: &str, day: &str, updated: &str, mark: &str) -> String {
    let updated = match updated {
        "" => "null".to_owned(),
        hour => format!("\"2026-12-01T{hour}:00:00Z\""),
    };
    format!(
        r#"{{"session_id": "{id}", "created_at": "2026-{day}T10:00:00Z", "updated_at": {updated},
            "status": "exit", "tags": ["{mark}", "{mark}", "b"],
            "pull_requests": [{{"pr_url": "https://H/o/{mark}/pull/1/", "pr_state": "odd"}}]}}"#
    )
}

fn column(table: &Table, name: &str) -> Vec<String> {
    let texts = table.column(name).unwrap().cast(&DataType::String).unwrap();
    texts.str().unwrap().iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}

/// Ids, and the tags and repositories that hang on them.
fn seen(tables: &Tables) -> [String; 3] {
    let Tables([sessions, pull_requests, tags, ..]) = tables;
    [column(sessions, "session"), column(tags, "tag"), column(pull_requests, "repo")]
        .map(|texts| texts.join(" "))
}

#[test]
fn rows_are_texts_in_order_and_each_session_is_there_once() {
    let [b, a, old, new] = [
        session("devin-b", "10-02", "", "x"),
        session("a", "10-02", "", "y"),
        session("c", "09-30", "01", "old"),
        session("c", "09-30", "02", "new"),
    ];
    let expected = ["c a b", "new b y b x b", "h/o/new h/o/y h/o/x"];
    assert_eq!(seen(&built(&[&b, &new, &a, &old])), expected);
    let tables = built(&[&old, &a, &new, &b]);
    assert_eq!(seen(&tables), expected);
    let [sessions, pull_requests, ..] = &tables.0;
    assert_eq!(column(pull_requests, "state"), ["unknown"; 3]);
    let created = sessions.column("created").unwrap();
    assert_eq!(created.dtype(), &DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)));
    assert_eq!(created.datetime().unwrap().physical().get(0), Some(1_790_762_400_000_000));
    let months = tables.by_month().unwrap();
    assert_eq!(months.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>(), ["2026-09", "2026-10"]);
    assert_eq!(seen(&months[0].1), ["c", "new b", "h/o/new"]);
    assert_eq!(seen(&months[1].1), ["a b", "y b x b", "h/o/y h/o/x"]);
}

#[test]
fn of_two_records_the_one_that_changed_last_stays_with_all_that_hangs_on_it() {
    let of = |updated: &str, mark: &str| built(&[&session("c", "10-02", updated, mark)]);
    let other = built(&[&session("a", "10-01", "01", "z")]);
    for (old, new, winner) in [
        ("01", "02", "new"),
        ("02", "01", "old"),
        // Where that is not known, or the same, the new one.
        ("01", "01", "new"),
        ("", "01", "new"),
        ("01", "", "new"),
        ("", "", "new"),
    ] {
        let merged = merge(&merge(&of(old, "old"), &other).unwrap(), &of(new, "new")).unwrap();
        let expected = ["a c".to_owned(), format!("z b {winner} b"), format!("h/o/z h/o/{winner}")];
        assert_eq!(seen(&merged), expected, "{old} {new}");
    }
    let both = merge(&of("01", "old"), &other).unwrap();
    assert_eq!(seen(&both.without(&other).unwrap()), ["c", "old b", "h/o/old"]);
}

#[test]
fn what_is_written_is_read() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    for (name, table) in tables.named() {
        let bytes = to_parquet(table).unwrap();
        assert!(from_parquet(bytes.clone(), name, |_| ()).unwrap().equals_missing(table), "{name}");
        assert_eq!(bytes, to_parquet(&from_parquet(bytes.clone(), name, |_| ()).unwrap()).unwrap(), "{name}");
    }
    let bytes = to_parquet(tables.sessions()).unwrap();
    let ids = from_parquet(bytes, "sessions", |columns| columns.retain(|name| name == "session")).unwrap();
    assert_eq!((ids.width(), super::ids(&ids).unwrap()), (1, vec!["a".to_owned(), "b".to_owned()]));
    assert!(from_parquet(b"PAR1".to_vec(), "sessions", |_| ()).is_err());
}

#[test]
fn an_archive_with_string_views_is_read() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    for (name, table) in tables.named() {
        let mut bytes = Vec::new();
        polars_io::prelude::ParquetWriter::new(&mut bytes).finish(&mut table.clone()).unwrap();
        assert_ne!(bytes, to_parquet(table).unwrap(), "{name}");
        assert!(from_parquet(bytes, name, |_| ()).unwrap().equals_missing(table), "{name}");
    }
}

#[test]
fn unsettled_is_what_may_come_to_another_end() {
    let with = |id: &str, status: &str, state: &str| {
        format!(
            r#"{{"session_id": "{id}", "created_at": "2026-10-02T10:00:00Z", "status": {status},
                "pull_requests": [{{"pr_url": "https://h/o/r/pull/1", "pr_state": "{state}"}}]}}"#
        )
    };
    let all = [
        with("a", "\"exit\"", "merged"),
        with("b", "\"running\"", "open"),
        with("c", "\"suspended\"", "draft"),
        with("d", "\"error\"", "closed"),
        with("e", "null", "Merged"),
        with("f", "\"claimed\"", "merged"),
    ];
    let tables = built(&all.each_ref().map(String::as_str));
    assert_eq!(unsettled(&tables).unwrap(), ["b", "c", "f"]);
}

#[test]
fn faults_are_found() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    assert_eq!(verify(&tables, "2026-10").unwrap().faults, [""; 0]);
    assert_eq!(verify(&tables, "2026-10").unwrap().ids, ["a", "b"]);
    assert!(verify(&tables, "2026-09").unwrap().faults[0].starts_with("sessions: a row of 2026-10"));
    let reversed = tables.each(|table| Ok(table.reverse())).unwrap();
    assert!(verify(&reversed, "2026-10").unwrap().faults[0].contains("out of order"));
    let mut orphans = tables.clone();
    orphans.0[0] = orphans.0[0].slice(1, 1);
    let faults = verify(&orphans, "2026-10").unwrap().faults;
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("pull_requests: 1 rows of sessions"), "{faults:?}");
    let mut renamed = tables.clone();
    let repo = StringChunked::from_iter([Some("h/o/x"), None]).with_name("repo".into());
    renamed.0[1].with_column(repo.into_column()).unwrap();
    let faults = verify(&renamed, "2026-10").unwrap().faults;
    assert_eq!(faults, ["pull_requests: 1 rows whose repo is not that of their address"]);
}

#[test]
fn addresses_of_an_older_archive_are_canonical_once_read() {
    let mut tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    let address = ["http://www.github.com:80/o/r/pull/1/files", "https://github.com/O/R/pull/1"];
    for (name, texts) in [(c::ADDRESS, address), (c::REPO, ["www.github.com:80/o/r", "unknown"])] {
        let texts = StringChunked::from_slice(name.into(), &texts);
        tables.0[1].with_column(texts.into_column()).unwrap();
    }
    assert_eq!(verify(&tables, "2026-10").unwrap().faults, [""; 0]);
    let kept = Kept { named_from: DateTime::UNIX_EPOCH, addresses: true, prompts: false, teams: None };
    let mut builder = FramesBuilder::new(kept);
    let wanted = Wanted { created: 0..i64::MAX, org: None, tags: &[], users: &[] };
    builder.push_tables(0, &tables, &wanted).unwrap();
    let frames = builder.finish().unwrap();
    let addresses = frames.pull_requests.column(c::ADDRESS).unwrap().cast(&DataType::String).unwrap();
    let addresses: Vec<_> = addresses.str().unwrap().iter().flatten().collect();
    assert_eq!(addresses, ["https://github.com/o/r/pull/1"; 2]);
}

#[test]
fn an_archive_of_schema_1_has_no_unreadable_fields() {
    let tables = built(&[&session("a", "10-02", "01", "x").replacen('{', r#"{"title": [1], "#, 1)]);
    assert_eq!(column(tables.sessions(), c::UNREADABLE), ["1"]);
    let older = to_parquet(&tables.sessions().drop(c::UNREADABLE).unwrap()).unwrap();
    let read = from_parquet(older.clone(), "sessions", |_| ()).unwrap();
    assert_eq!(read.get_column_names(), tables.sessions().get_column_names());
    assert_eq!(column(&read, c::UNREADABLE), ["0"]);
    let ids = from_parquet(older, "sessions", |columns| columns.retain(|name| name == "session")).unwrap();
    assert_eq!(ids.width(), 1);
    let other = to_parquet(&tables.sessions().drop(c::FEEDBACK).unwrap()).unwrap();
    assert!(from_parquet(other, "sessions", |_| ()).is_err());
}
