//! What holds for any bytes from any sender: shared by the fuzz targets and
//! by the tests that run their corpora.

use acumen::saved_pages;
use std::io::Write;
use std::time::Duration;

use acumen::people::PeopleFile;
use acumen::regular_file::{self, Links};
use acumen::saved_pages::PageHandler;
use acumen::tables::{Frames, KeptTexts, TablesBuilder, normal};
use devin_api::{Api, PageEvent, Row, SessionQuery, replay, retry, time};

fn query() -> SessionQuery {
    let moment = |text: &str| text.parse().expect("a moment");
    SessionQuery::all(None, moment("2026-10-05T00:00:00Z")..moment("2026-10-12T00:00:00Z"))
}

/// All texts of all sessions.
fn texts(query: &SessionQuery) -> KeptTexts {
    KeptTexts { from: query.from, prompts: true }
}

/// What holds of every row that is accepted.
fn check(row: &Row<'_>, query: &SessionQuery) {
    assert!(!row.id().is_empty() && !row.id().starts_with(' '));
    assert!(query.from <= row.created && row.created < query.to);
    assert!(row.session.acus().is_none_or(|acus| acus.is_finite() && acus >= 0.0));
}

/// A page is read or refused; every record of it is accounted for once, and what
/// is accepted is in the window.
pub fn pages(api: Api, data: &[u8]) {
    let query = query();
    let mut builder = TablesBuilder::new(texts(&query));
    let mut delivered = 0;
    let ledger = replay([data], api, &query, &mut |event| {
        let PageEvent::Page(rows) = event else { return };
        rows.iter().for_each(|row| check(row, &query));
        delivered += rows.len() as u64;
        builder.push(rows);
    });
    if let Ok(ledger) = ledger {
        assert_eq!(ledger.received, ledger.unique + ledger.duplicates + ledger.outside + ledger.rejected);
        assert_eq!(delivered, ledger.unique + ledger.duplicates);
        assert!(ledger.naive_times <= delivered);
    }
}

/// A file with these bytes.
fn file(data: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(data).expect("bytes in it");
    file
}

/// Saved pages are read or refused, whatever shape they have and however they are
/// packed; every record is accounted for once, and the frames can be built.
pub fn saved(data: &[u8]) {
    let (file, query) = (file(data), query());
    let empty = || (0, TablesBuilder::new(texts(&query)));
    let push = |(delivered, builder): &mut (u64, TablesBuilder), first: u64, rows: &[Row<'_>]| {
        rows.iter().for_each(|row| check(row, &query));
        *delivered += rows.len() as u64;
        builder.push_from(first, rows);
    };
    let handler = PageHandler { empty: &empty, push: &push };
    let Ok((filled, ledger, saved)) = saved_pages::saved(file.path(), &query, None, &handler, &|_| ()) else {
        return;
    };
    assert_eq!(ledger.received, ledger.unique + ledger.duplicates + ledger.outside + ledger.rejected);
    assert_eq!(ledger.unique + ledger.duplicates, filled.iter().map(|(delivered, _)| delivered).sum::<u64>());
    assert!(saved.first <= saved.last);
    let builders = filled.into_iter().map(|(_, builder)| builder).collect();
    let tables = TablesBuilder::join(builders).expect("tables of what was accepted");
    let tables = tables.without_these(&saved.outdated).expect("the others");
    Frames::new(tables, query.from, None).expect("frames of what was accepted");
}

/// A people file is read or refused with the line to look at, in whatever encoding
/// and with whatever ends of lines.
pub fn people_file(data: &[u8]) {
    let Ok(text) = regular_file::read_text(file(data).path(), Links::Refuse, regular_file::PEOPLE) else {
        return;
    };
    let read = PeopleFile::parse(&text);
    let lines = 1 + text.matches(['\n', '\r']).count() as u64;
    match &read {
        Ok(people) => {
            for (id, name) in people.names() {
                assert!(!id.is_empty() && !name.is_empty() && people.named(name).any(|own| own == id));
                assert_eq!(people.name(id, None), Some(name));
            }
        }
        Err(flaw) => assert!((1..=lines).contains(&flaw.line) && !flaw.what.is_empty(), "{flaw:?}"),
    }
    if !text.contains('\r') {
        assert_eq!(PeopleFile::parse(&text.replace('\n', "\r\n")), read, "{text:?}");
    }
}

/// A moment that is read is one that can be written and read again.
pub fn dates(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for json in [text.to_owned(), format!("\"{text}\"")] {
        let Some(read) = time::read(&json) else { continue };
        let written = read.utc.to_rfc3339();
        // Years of more than four digits have no form that all agree on.
        if (0..=9999).contains(&chrono_year(&written)) {
            let again = time::read(&format!("\"{written}\"")).expect("what was written is read");
            assert_eq!((again.utc, again.naive), (read.utc, false), "{json}");
        }
    }
}

fn chrono_year(rfc3339: &str) -> i64 {
    let digits: String = rfc3339.chars().take_while(char::is_ascii_digit).collect();
    // A sign in front leaves no digits: not a year of four.
    digits.parse().unwrap_or(-1)
}

/// The wait that a server asks for, on the first line; its clock on the second.
pub fn retry_after(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (value, date) = match text.split_once('\n') {
        Some((value, date)) => (value, Some(date)),
        None => (text, None),
    };
    let Some(asked) = retry::retry_after(value, date) else { return };
    if let Some(at) = asked.at {
        assert!(date.is_some(), "a moment without a clock");
        assert!(at.to_rfc3339().len() >= 20);
    }
    let policy = retry::RetryPolicy {
        attempts: 6,
        attempts_not_json: 3,
        base: Duration::from_millis(500),
        cap: Duration::from_secs(30),
        budget: 200,
        deadline: Duration::from_secs(1200),
    };
    let spent = retry::Spent { attempts: 1, not_json: 0, retries: 0, elapsed: Duration::from_secs(3) };
    match retry::decide(&policy, retry::Class::Status(429), spent, Some(asked.wait), 0.5) {
        retry::Decision::Retry(wait) => assert!(wait >= asked.wait && wait < policy.deadline),
        retry::Decision::Later(wait) => assert_eq!(wait, asked.wait),
        // What is asked for and the spread together reach past the deadline.
        retry::Decision::Stop => assert!(asked.wait < policy.deadline),
    }
}

/// An address has one normal form, and its repository is a part of it.
pub fn addresses(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(address) = normal::address(text) else { return };
    assert!(!address.is_empty());
    assert_eq!(normal::address(&address).as_deref(), Some(&*address), "{text:?}");
    let repo = normal::repo(&address);
    assert!(repo == "unknown" || (!repo.is_empty() && address.contains(repo)), "{text:?}");
}
