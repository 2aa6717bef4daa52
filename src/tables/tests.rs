//! Tables: built, merged, cut, written and read, and the frames made of them.

use chrono::DateTime;

use super::parquet::{Projection, StoredFile, StoredTable, in_memory, on_disk, read};
use super::*;
use crate::cli::{ApiArgs, ReportArgs};
use crate::people::{PeopleFile, TagRule, Teams};
use crate::settings::{FoundKey, Settings};
use devin_api::{Api, PageEvent, replay};

fn built(sessions: &[&str]) -> Tables {
    built_with(KeptTexts::ARCHIVED, sessions)
}

fn built_with(texts: KeptTexts, sessions: &[&str]) -> Tables {
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
    let key = FoundKey::new("apk_user_x", "a test");
    let found = crate::settings::Found { key: Some(key), ..crate::settings::Found::default() };
    let settings = Settings::resolve(&args, found, "2027-01-12T06:00:00Z".parse().unwrap()).unwrap();
    let mut builder = TablesBuilder::new(texts);
    let page = format!(r#"{{"items": [{}], "total": 3, "has_more": false}}"#, sessions.join(","));
    let mut take = |event: PageEvent<'_>| {
        if let PageEvent::Page(rows) = event {
            builder.push(rows);
        }
    };
    replay([page.as_bytes()], Api::V2, &settings.query, &mut take).unwrap();
    builder.finish().unwrap()
}

/// A session with a tag and a pull request that identify its record.
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

fn column(table: &StoredTable, name: &str) -> Vec<String> {
    let texts = table.column(name).unwrap().cast(&DataType::String).unwrap();
    texts.str().unwrap().iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}

/// Ids, and their tags and repositories.
fn seen(tables: &Tables) -> [String; 3] {
    let Tables { sessions, pull_requests, tags, .. } = tables;
    [column(sessions, "session"), column(tags, "tag"), column(pull_requests, "repo")]
        .map(|texts| texts.join(" "))
}

/// The files of some tables, as they are on disk.
fn files(tables: &Tables) -> [StoredTable; c::COUNT] {
    let on_disk = |(table, (_, frame)): (&c::TableSpec, (_, &DataFrame))| {
        on_disk(table, frame, &tables.sessions).unwrap()
    };
    let files: Vec<StoredTable> = c::TABLES.iter().zip(tables.named()).map(on_disk).collect();
    files.try_into().unwrap()
}

/// The frames of some tables, all of whose sessions may be named.
fn frames(tables: Tables, teams: Option<&Teams>) -> Frames {
    Frames::new(tables, DateTime::UNIX_EPOCH, teams).unwrap()
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
    assert_eq!(column(&tables.pull_requests, "state"), ["unknown"; 3]);
    let created = tables.sessions.column("created").unwrap();
    assert_eq!(created.dtype(), &DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)));
    assert_eq!(created.datetime().unwrap().physical().get(0), Some(1_790_762_400_000_000));
    let months = tables.by_month().unwrap();
    assert_eq!(months.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>(), ["2026-09", "2026-10"]);
    assert_eq!(seen(&months[0].1), ["c", "new b", "h/o/new"]);
    assert_eq!(seen(&months[1].1), ["a b", "y b x b", "h/o/y h/o/x"]);
}

#[test]
fn of_two_records_the_latest_and_its_child_records_are_kept() {
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

/// The tables that some files give.
fn reread(files: Vec<StoredFile>) -> Tables {
    let read = |(table, StoredFile { rows, bytes, .. }): (&c::TableSpec, StoredFile)| {
        let file = read(bytes, table, Projection::Memory { named: true }).unwrap();
        assert_eq!(file.height(), rows);
        file
    };
    let files: Vec<StoredTable> = c::TABLES.iter().zip(files).map(read).collect();
    in_memory(files.try_into().unwrap()).unwrap()
}

fn are_equal(one: &Tables, other: &Tables) {
    for ((name, one), (_, other)) in one.named().into_iter().zip(other.named()) {
        assert!(one.equals_missing(other), "{name}: {one} {other}");
        assert_eq!(one.schema(), other.schema());
    }
}

#[test]
fn what_is_written_is_read() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    let written = parquet::write(&tables).unwrap();
    let read_again = reread(written.clone());
    are_equal(&read_again, &tables);
    assert_eq!(parquet::write(&read_again).unwrap(), written);
    let ids_alone = read(written[0].bytes.clone(), &c::SESSIONS, Projection::Ids).unwrap();
    assert_eq!((ids_alone.width(), ids(&ids_alone).unwrap()), (1, vec!["a".to_owned(), "b".to_owned()]));
    assert!(read(b"PAR1".to_vec(), &c::SESSIONS, Projection::All).is_err());
    for (table, StoredFile { bytes, .. }) in c::TABLES.iter().zip(written) {
        let names = |frame: &DataFrame| frame.get_column_names_owned();
        let all = read(bytes, table, Projection::All).unwrap();
        assert!(names(&all).iter().eq(table.on_disk().map(|column| column.name)), "{}", table.name);
    }
}

#[test]
fn an_archive_with_string_views_is_read() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    for (table, mut file) in c::TABLES.iter().zip(files(&tables)) {
        let mut bytes = Vec::new();
        polars_io::prelude::ParquetWriter::new(&mut bytes).finish(&mut file).unwrap();
        assert_ne!(bytes, parquet::bytes(file.clone()).unwrap(), "{}", table.name);
        assert!(read(bytes, table, Projection::All).unwrap().equals_missing(&file), "{}", table.name);
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
    let sound = files(&tables);
    assert_eq!(verify(&sound, "2026-10").unwrap().faults, [""; 0]);
    assert_eq!(verify(&sound, "2026-10").unwrap().ids, ["a", "b"]);
    assert!(verify(&sound, "2026-09").unwrap().faults[0].starts_with("sessions: it has a row of 2026-10"));
    let reversed = sound.each_ref().map(DataFrame::reverse);
    assert!(verify(&reversed, "2026-10").unwrap().faults[0].contains("out of order"));
    let changed = |place: usize, change: &dyn Fn(&StoredTable) -> StoredTable| {
        let mut files = sound.clone();
        files[place] = change(&files[place]);
        verify(&files, "2026-10").unwrap().faults
    };
    let with = |table: &StoredTable, column: Column| {
        let mut table = table.clone();
        table.with_column(column).unwrap();
        table
    };
    let orphans = changed(0, &|sessions| sessions.slice(1, 1));
    assert_eq!(orphans.len(), 4, "{orphans:?}");
    assert!(orphans[0].starts_with("pull_requests: 1 rows refer to missing sessions"), "{orphans:?}");
    let repo = StringChunked::from_iter([Some("h/o/x"), None]).with_name("repo".into());
    let renamed = changed(1, &|table| with(table, repo.clone().into_column()));
    assert_eq!(renamed, ["pull_requests: in 1 rows the repo does not match the address"]);
    let row = UInt32Chunked::from_slice("row".into(), &[0, 0]);
    let moved = changed(1, &|table| with(table, row.clone().into_column()));
    assert_eq!(moved, ["pull_requests: 1 rows point to another session's row"]);
    let twice = changed(2, &|tags| tags.slice(0, 1).vstack(tags).unwrap());
    assert_eq!(twice, ["tags: 1 rows repeat a tag of their session"]);
}

#[test]
fn a_row_of_no_session_is_damage() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    for rows in [[0_u32, 2], [1, u32::MAX]] {
        let mut files = files(&tables);
        files[1].with_column(UInt32Chunked::from_slice("row".into(), &rows).into_column()).unwrap();
        let what = in_memory(files).unwrap_err();
        assert!(what.contains("pull_requests: a row refers to a missing session"), "{what}");
    }
    let mut out_of_order = files(&tables)[1].clone();
    out_of_order.with_column(UInt32Chunked::from_slice("row".into(), &[1, 0]).into_column()).unwrap();
    let bytes = parquet::bytes(out_of_order).unwrap();
    assert!(read(bytes, &c::PULL_REQUESTS, Projection::All).unwrap_err().contains("its column row"));
}

/// Files as archives before schema 4 have them.
fn older(tables: &Tables) -> [StoredTable; c::COUNT] {
    let [sessions, children @ ..] = files(tables);
    let [b, d, e, f, g] = children.map(|child| child.drop(c::ROW).unwrap());
    [sessions, b, d, e, f, g]
}

#[test]
fn an_archive_without_rows_is_read_by_ids() {
    let tables = built(&[&session("b", "10-02", "01", "x"), &session("a", "10-03", "", "y")]);
    let written = older(&tables).map(|file| parquet::bytes(file).unwrap());
    let written = c::NAMES.into_iter().zip(written).zip(tables.named());
    let written = written.map(|((name, bytes), (_, table))| StoredFile { name, rows: table.height(), bytes });
    are_equal(&reread(written.collect()), &tables);
    assert_eq!(verify(&older(&tables), "2026-10").unwrap().faults, [""; 0]);
    let mut orphans = older(&tables);
    orphans[0] = orphans[0].slice(1, 1);
    assert!(in_memory(orphans).unwrap_err().contains("no session in its place"));
    let reversed = older(&tables).map(|file| file.reverse());
    let [_, b, d, e, f, g] = reversed;
    assert!(in_memory([files(&tables)[0].clone(), b, d, e, f, g]).is_err());
}

#[test]
fn addresses_of_an_older_archive_are_canonical_once_read() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    let mut older = older(&tables);
    let address = ["http://www.github.com:80/o/r/pull/1/files", "https://github.com/O/R/pull/1"];
    for (name, texts) in [(c::ADDRESS, address), (c::REPO, ["www.github.com:80/o/r", "unknown"])] {
        let texts = StringChunked::from_slice(name.into(), &texts);
        older[1].with_column(texts.into_column()).unwrap();
    }
    assert_eq!(verify(&older, "2026-10").unwrap().faults, [""; 0]);
    let frames = frames(in_memory(older).unwrap(), None);
    assert_eq!(column(&frames.pull_requests, c::ADDRESS), ["https://github.com/o/r/pull/1"; 2]);
    assert_eq!(column(&frames.pull_requests, c::REPO), ["github.com/o/r"; 2]);
}

#[test]
fn an_archive_of_schema_1_has_no_unreadable_fields() {
    let tables = built(&[&session("a", "10-02", "01", "x").replacen('{', r#"{"title": [1], "#, 1)]);
    assert_eq!(column(&tables.sessions, c::UNREADABLE), ["1"]);
    let [sessions, b, d, e, f, g] = files(&tables);
    let older = parquet::bytes(sessions.drop(c::UNREADABLE).unwrap()).unwrap();
    let sessions_read = read(older.clone(), &c::SESSIONS, Projection::Memory { named: true }).unwrap();
    let tables_read = in_memory([sessions_read, b, d, e, f, g]).unwrap();
    assert_eq!(tables_read.sessions.schema(), tables.sessions.schema());
    assert_eq!(column(&tables_read.sessions, c::UNREADABLE), ["0"]);
    assert_eq!(read(older, &c::SESSIONS, Projection::Ids).unwrap().width(), 1);
    let other = parquet::bytes(sessions.drop(c::FEEDBACK).unwrap()).unwrap();
    assert!(read(other, &c::SESSIONS, Projection::All).is_err());
}

/// A session whose analysis says something.
fn with_texts(id: &str, day: &str) -> String {
    session(id, day, "01", "x").replacen(
        '{',
        &format!(
            r#"{{"analysis": {{
                "issues": [{{"id": "1", "impact": "low", "issue": " The lock\nwas stale "}},
                    {{"id": 2, "impact": "High", "label": "CI", "issue": "{}"}}, {{"issue": 7}}],
                "action_items": [{{"action_item": "Pin it", "type": "knowledge", "issue_id": "2"}},
                    {{"action_item": "  ", "issue_id": "9"}}, {{"action_item": {{"a": 1}}, "issue_id": null}}],
                "suggested_prompt": {{"feedback_items": [{{"summary": "Too vague"}}, {{"summary": null}}]}}}}, "#,
            "ö".repeat(2_001),
        ),
        1,
    )
}

#[test]
fn texts_of_analyses_are_kept_of_sessions_that_may_be_named() {
    let tables = built(&[&with_texts("a", "10-02")]);
    let long = "ö".repeat(2_000);
    assert_eq!(column(&tables.issues, c::TEXT), ["The lock\nwas stale", long.as_str(), "7"]);
    assert_eq!(column(&tables.action_items, c::TEXT), ["Pin it", "-", "-"]);
    assert_eq!(column(&tables.action_items, c::ISSUE), ["1", "-", "-"], "the place of the issue");
    assert_eq!(column(&tables.feedback, c::TEXT), ["Too vague", "-"]);
    assert_eq!(column(&tables.sessions, c::FEEDBACK), ["2"]);
    assert_eq!(column(&tables.sessions, c::UNREADABLE), ["0"]);

    let later = "2026-10-03T00:00:00Z".parse().unwrap();
    let tables = built_with(
        KeptTexts { from: later, prompts: false },
        &[&with_texts("a", "10-02"), &with_texts("b", "10-03")],
    );
    assert_eq!(column(&tables.issues, c::TEXT), ["-", "-", "-", "The lock\nwas stale", long.as_str(), "7"]);
    assert_eq!(column(&tables.action_items, c::TEXT), ["-", "-", "-", "Pin it", "-", "-"]);
    assert_eq!(column(&tables.action_items, c::ISSUE), ["-", "-", "-", "1", "-", "-"]);
    assert_eq!(column(&tables.feedback, c::ROW), ["1", "1"]);
    assert_eq!(column(&tables.sessions, c::FEEDBACK), ["2", "2"]);
}

#[test]
fn texts_are_not_read_where_nobody_may_be_named() {
    let tables = built(&[&with_texts("a", "10-02")]);
    for (table, StoredFile { bytes, .. }) in c::TABLES.iter().zip(parquet::write(&tables).unwrap()) {
        let columns = read(bytes, table, Projection::Memory { named: false }).unwrap();
        for name in c::OF_NAMED {
            assert!(columns.column(name).is_err(), "{name} of {}", table.name);
        }
    }
}

#[test]
fn an_archive_of_schema_4_has_no_texts() {
    let tables = built(&[&with_texts("a", "10-02")]);
    let [sessions, pulls, tags, issues, items, _] = files(&tables);
    let without = |file: &DataFrame, names: &[&str]| file.drop_many(names.iter().copied());
    let pulls = without(&pulls, &[c::UNDECIDED_UNTIL, c::DECIDED_BY]);
    let files = [sessions, pulls, tags, without(&issues, &[c::TEXT]), without(&items, &[c::ISSUE, c::TEXT])];
    let reread = c::TABLES.iter().zip(files).map(|(table, file)| {
        read(parquet::bytes(file).unwrap(), table, Projection::Memory { named: true }).unwrap()
    });
    let reread: Vec<StoredTable> = reread.chain([parquet::empty(&c::REMARKS)]).collect();
    assert_eq!(verify(&reread_whole(&tables), "2026-10").unwrap().faults, [""; 0]);
    let older = in_memory(reread.try_into().unwrap()).unwrap();
    for ((name, one), (_, other)) in older.named().into_iter().zip(tables.named()) {
        assert_eq!(one.schema(), other.schema(), "{name}");
    }
    assert_eq!(column(&older.issues, c::TEXT), ["-"; 3]);
    assert_eq!((older.feedback.height(), column(&older.action_items, c::TYPE).len()), (0, 3));
}

/// The files of some tables, in which there is no remark.
fn reread_whole(tables: &Tables) -> [StoredTable; c::COUNT] {
    let [a, b, d, e, f, _] = files(tables);
    [a, b, d, e, f, parquet::empty(&c::REMARKS)]
}

#[test]
fn syncs_note_when_a_pull_request_was_decided() {
    let moment = |day: u32| format!("2026-11-{day:02}T00:00:00Z").parse::<DateTime<chrono::Utc>>().unwrap();
    let with = |states: &[&str]| {
        let pulls = states.iter().enumerate().map(|(number, state)| {
            format!(r#"{{"pr_url": "https://h/o/r/pull/{number}", "pr_state": "{state}"}}"#)
        });
        let pulls = pulls.collect::<Vec<_>>().join(",");
        let record = format!(
            r#"{{"session_id": "a", "created_at": "2026-10-02T10:00:00Z",
                "pull_requests": [{pulls}, {{"pr_state": "open"}}]}}"#
        );
        built(&[&record])
    };
    let times = |tables: &Tables| {
        let day = |name: &str| -> Vec<String> {
            let moments = tables.pull_requests.column(name).unwrap().datetime().unwrap().physical().clone();
            let day = |at: i64| DateTime::from_timestamp_micros(at).unwrap().format("%d").to_string();
            moments.iter().map(|at| at.map_or_else(|| "-".to_owned(), day)).collect()
        };
        let (until, by) = (day(c::UNDECIDED_UNTIL), day(c::DECIDED_BY));
        until.iter().zip(&by).map(|(until, by)| format!("{until} {by}")).collect::<Vec<_>>()
    };
    let look = |at: u32, before: Option<u32>| Look { at: moment(at), before: before.map(moment) };
    let first = with(&["open", "merged", "draft"]).looked_at(None, &look(1, None)).unwrap();
    assert_eq!(times(&first), ["01 -", "- 01", "01 -", "- -"]);
    let second =
        with(&["merged", "merged", "odd", "closed"]).looked_at(Some(&first), &look(3, Some(1))).unwrap();
    assert_eq!(times(&second), ["01 03", "- 01", "03 -", "- 03", "- -"]);
    // Nothing of a decided one changes; one that is opened again is undecided again.
    let third =
        with(&["merged", "open", "closed", "closed"]).looked_at(Some(&second), &look(7, Some(3))).unwrap();
    assert_eq!(times(&third), ["01 03", "07 -", "03 07", "- 03", "- -"]);
    let written = reread(parquet::write(&third).unwrap());
    are_equal(&written, &third);
    // Before schema 5 there were no such times: those of a decided one stay unknown.
    let older = with(&["open", "merged"]);
    let now = with(&["merged", "merged", "merged"]).looked_at(Some(&older), &look(9, Some(7))).unwrap();
    assert_eq!(times(&now), ["07 09", "- -", "- 09", "- -"]);
    let now = with(&["merged"]).looked_at(Some(&older), &look(9, None)).unwrap();
    assert_eq!(times(&now), ["- 09", "- -"]);
}

#[test]
fn an_archive_of_schema_4_has_no_details_of_the_status_playbooks_and_modes() {
    let added = [c::STATUS_DETAIL, c::PLAYBOOK, c::MODE];
    let record = session("a", "10-02", "01", "x").replacen(
        '{',
        r#"{"status_detail": " inactivity", "playbook_id": "playbook-1", "devin_mode": "fast", "#,
        1,
    );
    let tables = built(&[&record]);
    let found = added.map(|name| column(&tables.sessions, name).join(" "));
    assert_eq!(found, ["inactivity", "playbook-1", "fast"]);
    let [sessions, b, d, e, f, g] = files(&tables);
    let older = parquet::bytes(sessions.drop_many(added)).unwrap();
    let sessions = read(older, &c::SESSIONS, Projection::Memory { named: true }).unwrap();
    let older = in_memory([sessions, b, d, e, f, g]).unwrap();
    assert_eq!(older.sessions.schema(), tables.sessions.schema());
    assert_eq!(added.map(|name| column(&older.sessions, name).join(" ")), ["-"; 3]);
}

#[test]
fn values_that_no_sync_writes_are_damage() {
    let tables = built(&[&session("a", "10-02", "01", "x"), &session("b", "10-03", "", "y")]);
    let refused = |place: usize, column: Column| {
        let mut file = files(&tables)[place].clone();
        file.with_column(column).unwrap();
        read(parquet::bytes(file).unwrap(), &c::TABLES[place], Projection::All).unwrap_err()
    };
    for (place, column) in [
        (0, Column::new(c::ACUS.into(), [1.0, f64::NAN])),
        (0, Column::new(c::ACUS.into(), [1.0, -1.0])),
        (0, Column::new(c::FEEDBACK.into(), [0_i64, -1])),
        (0, Column::new(c::MESSAGES.into(), [0_i64, 1 << 32])),
        (0, Column::new(c::ANALYSED.into(), [Some(true), None])),
        (0, Column::new(c::LIMITED.into(), [0_i64, 1])),
    ] {
        let name = column.name().clone();
        assert!(refused(place, column).starts_with(&format!("its column {name} ")), "{name}");
    }
    let mut files = files(&tables);
    files[1].with_column(Column::new(c::STATE.into(), ["merged", "odd"])).unwrap();
    assert!(in_memory(files).unwrap_err().contains("state has a value that sync does not write"));
}

#[test]
fn several_tables_become_one() {
    let [a, b, d] = [
        built(&[&session("b", "10-02", "01", "x"), &session("a", "10-02", "01", "y")]),
        built(&[&session("c", "09-30", "01", "z")]),
        built(&[&session("b", "10-02", "02", "new")]),
    ];
    assert_eq!(seen(&Tables::joined(Vec::new()).unwrap()), ["", "", ""]);
    for parts in [[a.clone(), b.clone(), d.clone()], [d, b, a]] {
        let expected = ["c a b", "z b y b new b", "h/o/z h/o/y h/o/new"];
        assert_eq!(seen(&Tables::joined(parts.to_vec()).unwrap()), expected);
    }
}

#[test]
fn what_is_wanted_is_chosen_with_its_child_rows() {
    let with = |id: &str, hour: u32, fields: &str| {
        format!(
            r#"{{"session_id": "{id}", "created_at": "2026-10-02T{hour}:00:00Z", "tags": ["{id}", "t"], {fields}}}"#
        )
    };
    let tables = built(&[
        &with("a", 10, r#""org_id": "o", "user_id": "u", "service_user_id": "s""#),
        &with("b", 11, r#""org_id": "o", "user_id": "v""#),
        &with("c", 12, r#""user_id": "u""#),
        &with("d", 13, r#""org_id": "p""#),
    ]);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let start = 1_790_899_200_000_000_i64;
    let hour = 3_600_000_000;
    let all = start..start + 24 * hour;
    for (created, org, tags, users, expected) in [
        (all.clone(), None, vec![], vec![], "a b c d"),
        (start + 11 * hour..start + 13 * hour, None, vec![], vec![], "b c"),
        (all.clone(), Some("o"), vec![], vec![], "a b"),
        (all.clone(), None, vec!["x", " b* ", "*d"], vec![], "b d"),
        (all.clone(), None, vec![], vec![" u ", "x"], "a c"),
        (all.clone(), None, vec![], vec!["s"], "a"),
        (all.clone(), Some("o"), vec!["t"], vec!["v"], "b"),
        (all, Some("q"), vec![], vec![], ""),
    ] {
        let (tags, users) = (texts(&tags), texts(&users));
        let wanted =
            tables.clone().wanted(&SessionFilter { created, org, tags: &tags, users: &users }).unwrap();
        assert_eq!(column(&wanted.sessions, c::SESSION).join(" "), expected);
        let own_tags: Vec<String> = expected.split_whitespace().flat_map(|id| texts(&[id, "t"])).collect();
        assert_eq!(column(&wanted.tags, c::TAG), own_tags);
        let rows: Vec<String> =
            (0..wanted.sessions.height()).flat_map(|row| [row, row]).map(|row| row.to_string()).collect();
        assert_eq!(column(&wanted.tags, c::ROW), rows);
    }
}

#[test]
fn users_automation_and_counts_are_derived() {
    let with = |id: &str, fields: &str| {
        format!(r#"{{"session_id": "{id}", "created_at": "2026-10-02T10:00:00Z", {fields}}}"#)
    };
    let pull = |path: &str| format!(r#"{{"pr_url": "https://github.com/{path}", "pr_state": "open"}}"#);
    let pulls =
        [pull("O/r/pull/1"), pull("o/r/pull/1"), pull("o/r/pull/2"), r#"{"pr_state": "open"}"#.to_owned()];
    let tables = built(&[
        &with("a", r#""user_id": "u", "service_user_id": "s", "tags": ["x", " x", "y"]"#),
        &with("b", &format!(r#""user_id": "bot_apk", "pull_requests": [{}]"#, pulls.join(","))),
        &with(
            "c",
            &format!(r#""user_id": "u", "origin": "scheduled", "pull_requests": [{}]"#, pull("o/R/commit/1")),
        ),
        &with("d", r#""user_id": "u", "origin": "slack", "title": "T""#),
    ]);
    let frames = frames(tables, None);
    let sessions = &frames.sessions;
    assert_eq!(column(sessions, c::ROW), ["0", "1", "2", "3"]);
    assert_eq!(column(sessions, c::USER), ["s", "bot_apk", "u", "u"]);
    assert_eq!(column(sessions, c::AUTOMATION), ["true", "true", "true", "false"]);
    assert_eq!(column(sessions, c::TAG_COUNT), ["2", "0", "0", "0"]);
    assert_eq!(column(sessions, c::PR_COUNT), ["0", "2", "1", "0"]);
    assert_eq!([c::TEAM, c::COST_CENTRE].map(|name| column(sessions, name)), [["-"; 4]; 2]);
    assert!(sessions.column(c::USER_ID).is_err() && sessions.column(c::TITLE).is_err());
    assert_eq!(column(&frames.names, c::TITLE), ["-", "-", "-", "T"]);
    // The spelling of the earliest session; where case counts, each its own.
    assert_eq!(
        column(&frames.pull_requests, c::ADDRESS),
        [
            "https://github.com/O/r/pull/1",
            "https://github.com/O/r/pull/1",
            "https://github.com/o/r/pull/2",
            "-",
            "https://github.com/o/R/commit/1"
        ]
    );
    assert_eq!(
        column(&frames.pull_requests, c::REPO),
        ["github.com/O/r", "github.com/O/r", "github.com/O/r", "-", "unknown"]
    );
    assert_eq!(texts(sessions, c::USER).unwrap(), ["bot_apk", "s", "u"]);
    let later = Frames::new(built(&[&with("a", r#""title": "T""#)]), DateTime::<chrono::Utc>::MAX_UTC, None);
    assert_eq!(later.unwrap().names.height(), 0);
}

#[test]
fn a_cost_centre_is_that_of_the_user_at_the_creation_whatever_gives_the_team() {
    let rules = vec![TagRule { pattern: "pay".to_owned(), team: Some("Payments".to_owned()) }];
    let people = "user,team,cost_centre,from\nu,File,10,\nu,File,20,2026-10-04\nu,File,,2026-10-06\nv,,30,\n";
    let people = PeopleFile::parse(people).unwrap();
    // Midnight in Berlin is 22:00 UTC the day before.
    let teams = Teams::new(rules, &people, std::iter::empty(), chrono_tz::Europe::Berlin);
    let session = |id: &str, created: &str, user: &str, tags: &str| {
        let created = format!("2026-10-{created}Z");
        format!(
            r#"{{"session_id": "{id}", "created_at": "{created}", "user_id": "{user}", "tags": [{tags}]}}"#
        )
    };
    let sessions = [
        session("a", "03T21:59:59", "u", ""),
        session("b", "03T22:00:00", "u", ""),
        session("c", "05T00:00:00", "u", r#""pay""#),
        session("d", "06T00:00:00", "u", r#""pay""#),
        session("e", "07T00:00:00", "v", ""),
        session("f", "08T00:00:00", "w", ""),
    ];
    let frames = frames(built(&sessions.each_ref().map(String::as_str)), Some(&teams));
    assert_eq!(column(&frames.sessions, c::COST_CENTRE), ["10", "20", "20", "-", "30", "-"]);
    assert_eq!(column(&frames.sessions, c::TEAM), ["File", "File", "Payments", "Payments", "-", "-"]);
}

#[test]
fn a_rule_beats_the_people_file_and_the_first_rule_the_next() {
    let rule = |pattern: &str, team: Option<&str>| TagRule {
        pattern: pattern.to_owned(),
        team: team.map(str::to_owned),
    };
    let rules = vec![rule("pay", Some("Payments")), rule("team:*", None), rule("a*b*c", Some("ABC"))];
    let people = "user,team,from\nu,File,\nu,Later,2026-10-04\nu,,2026-10-05\nv,Other,2026-10-03\n";
    let people = PeopleFile::parse(people).unwrap();
    let teams = Teams::new(rules, &people, std::iter::empty(), chrono_tz::UTC);
    let cases: [(&str, &str, &[&str], &str); 11] = [
        ("02", "u", &["team:search", "pay"], "Payments"),
        ("02", "u", &["x", "team:search"], "search"),
        ("02", "u", &["team:b", "team:a"], "b"),
        ("02", "u", &["abbxc", "team:"], "ABC"),
        ("02", "u", &["payday", "team:", "abx"], "File"),
        ("04", "u", &[], "Later"),
        ("05", "u", &[], "-"),
        ("05", "u", &["pay"], "Payments"),
        ("02", "v", &[], "-"),
        ("03", "v", &[], "Other"),
        ("03", "w", &[], "-"),
    ];
    let sessions: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(number, (day, user, tags, _))| {
            format!(
                r#"{{"session_id": "{number}", "created_at": "2026-10-{day}T10:00:00Z", "user_id": "{user}", "tags": {tags:?}}}"#
            )
        })
        .collect();
    let frames = frames(built(&sessions.iter().map(String::as_str).collect::<Vec<_>>()), Some(&teams));
    let found: Vec<(String, String)> =
        column(&frames.sessions, c::SESSION).into_iter().zip(column(&frames.sessions, c::TEAM)).collect();
    for (number, (.., team)) in cases.iter().enumerate() {
        assert!(found.contains(&(number.to_string(), (*team).to_owned())), "{number} {team}: {found:?}");
    }
    assert_eq!(column(&frames.sessions, c::ROW).len(), cases.len());
}
