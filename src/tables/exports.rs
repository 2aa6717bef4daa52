//! The six frames as Parquet, for people who ask their own questions.
//!
//! Categories are texts, times are UTC to the microsecond. Every row has its session,
//! when that was created, its period and who started it.

use polars::prelude::*;

use super::parquet::bytes;
use super::schema::{self as c, ColumnType};
use super::{Frames, TableError};
use crate::period::Period;

pub use super::schema::NAMES;

/// Label of the period that a session was created in; null for none of the report's.
const PERIOD: &str = "period";
/// Number of a pull request, the same in all its rows of a file.
const PULL_REQUEST: &str = "pull_request";

/// What every row has of its session.
const OF_SESSION: [&str; 4] = [c::SESSION, c::CREATED, PERIOD, c::USER];

/// The files of the frames, by [`NAMES`]: compressed, in the order of creation,
/// then of the ids. The same frames give the same bytes.
///
/// Titles, addresses and the texts of analyses are those of the sessions that may be named.
/// Prompts are in no file.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn files(frames: &Frames, periods: &[Period]) -> Result<Vec<(&'static str, Vec<u8>)>, TableError> {
    let index = index(frames, periods).map_err(TableError::of("sessions"))?;
    let tables = [
        sessions(frames, &index),
        pull_requests(frames, &index),
        rows(frames.tags.clone().lazy(), &index, &[c::TAG]),
        rows(frames.issues.clone().lazy(), &index, &[c::IMPACT, c::LABEL, c::TEXT]),
        rows(frames.action_items.clone().lazy(), &index, &[c::TYPE, c::TEXT]),
        rows(frames.feedback.clone().lazy(), &index, &[c::TEXT]),
    ];
    let written = |(name, table): (&'static str, PolarsResult<DataFrame>)| {
        Ok((name, table.and_then(bytes).map_err(TableError::of(name))?))
    };
    NAMES.into_iter().zip(tables).map(written).collect()
}

/// What is the same in every file: of each session its row, id, creation, period and
/// user, in order.
fn index(frames: &Frames, periods: &[Period]) -> PolarsResult<DataFrame> {
    let mut index = frames.sessions.select([c::ROW, c::SESSION, c::CREATED, c::USER])?;
    let bounds: Vec<(i64, i64, String)> = periods
        .iter()
        .map(|period| (period.from().timestamp_micros(), period.to().timestamp_micros(), period.label()))
        .collect();
    let label = |created: i64| {
        let own = bounds.iter().find(|(from, to, _)| (*from..*to).contains(&created));
        own.map(|(_, _, label)| label.as_str())
    };
    let created = index.column(c::CREATED)?.datetime()?.physical();
    let periods: StringChunked = created.iter().map(|at| label(at?)).collect();
    index.with_column(periods.with_name(PERIOD.into()).into_column())?;
    index.select([c::ROW].into_iter().chain(OF_SESSION))
}

/// Some columns of a frame beside those of the index, in the order of that, then of
/// the columns. Categories become texts.
fn rows(frame: LazyFrame, index: &DataFrame, own: &[&'static str]) -> PolarsResult<DataFrame> {
    let columns = |names: &[&'static str]| names.iter().map(|name| col(*name)).collect::<Vec<_>>();
    let keys: Vec<&str> = [&[c::ROW], own].concat();
    let texts = frame
        .select(columns(&keys))
        .inner_join(index.clone().lazy(), col(c::ROW), col(c::ROW))
        .collect()?
        .sort(keys, SortMultipleOptions::default())?
        .select([&OF_SESSION[..], own].concat())?;
    let text = |column: &Column| match column.dtype() {
        DataType::Categorical(..) | DataType::Enum(..) => column.cast(&DataType::String),
        _ => Ok(column.clone()),
    };
    DataFrame::new_infer_height(texts.columns().iter().map(text).collect::<PolarsResult<_>>()?)
}

fn sessions(frames: &Frames, index: &DataFrame) -> PolarsResult<DataFrame> {
    // What the schema has behind the ids of users, but for the names and what is not for analysts.
    let own = c::SESSIONS.columns.iter().skip_while(|column| column.name != c::STATUS);
    let own = own.filter(|column| column.column_type != ColumnType::Text && column.name != c::UNREADABLE);
    let counts = own.clone().filter(|column| column.column_type == ColumnType::Count);
    let counts: Vec<Expr> = counts.map(|column| col(column.name).cast(DataType::UInt32)).collect();
    let own: Vec<&str> = [c::UPDATED, c::TEAM, c::ORG, c::AUTOMATION]
        .into_iter()
        .chain(own.map(|column| column.name))
        .chain([c::TAG_COUNT, c::PR_COUNT, c::TITLE, c::URL])
        .collect();
    let names = frames.names.clone().lazy();
    let named = frames.sessions.clone().lazy().left_join(names, col(c::ROW), col(c::ROW));
    rows(named.with_columns(counts), index, &own)
}

fn pull_requests(frames: &Frames, index: &DataFrame) -> PolarsResult<DataFrame> {
    // Once as a number, for counting, and once as a text.
    let addresses = frames.pull_requests.clone().lazy().select([col(c::ADDRESS)]);
    let numbers = addresses
        .filter(col(c::ADDRESS).is_not_null())
        .unique(None, UniqueKeepStrategy::Any)
        .sort([c::ADDRESS], SortMultipleOptions::default())
        .with_row_index(PULL_REQUEST, None);
    let entries = frames.pull_requests.clone().lazy().left_join(numbers, col(c::ADDRESS), col(c::ADDRESS));
    rows(entries, index, &[PULL_REQUEST, c::STATE, c::REPO, c::ADDRESS])
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars_io::prelude::{ParquetReader, SerReader};
    use polars_parquet::write::schema_to_metadata_key;

    use super::*;
    use crate::cli::{ApiArgs, ReportArgs};
    use crate::settings::{Found, FoundKey, Settings};
    use crate::tables::{KeptTexts, TablesBuilder};
    use devin_api::{Api, PageEvent, replay};

    const ANN: &str = r#"{"session_id": "b", "created_at": "2026-10-07T10:00:00.000001Z", "user_id": "ann",
        "status": "exit", "acus_consumed": 2.5, "title": "=Fix it", "url": "https://h.example/b",
        "tags": ["pay", "api"], "pull_requests": [
            {"pr_url": "https://github.com/o/r/pull/9", "pr_state": "merged"},
            {"pr_url": "https://github.com/o/r/pull/10", "pr_state": "odd"}, {"pr_state": "open"}],
        "session_analysis": {"issues": [{"impact": "High", "label": "Flaky"}, {"impact": "odd"}],
            "action_items": [{"type": "knowledge", "action_item": " Pin it "}],
            "suggested_prompt": {"feedback_items": [{"summary": "Too vague"}]}}}"#;
    const BO: &str = r#"{"session_id": "a", "created_at": "2026-10-07T10:00:00.000001Z", "user_id": "bo",
        "pull_requests": [{"pr_url": "https://GitHub.com/o/r/pull/9/", "pr_state": "merged"}]}"#;
    const OLD: &str = r#"{"session_id": "c", "created_at": "2026-09-30T10:00:00Z", "title": "Old"}"#;

    fn settings() -> Settings {
        let args = ReportArgs {
            week: Some("2026-W41".to_owned()),
            tz: "UTC".to_owned(),
            trend: 1,
            access: ApiArgs {
                base_url: "https://h.example".to_owned(),
                page_size: 200,
                concurrency: 1,
                ..ApiArgs::default()
            },
            ..ReportArgs::default()
        };
        let key = FoundKey::new("apk_user_x", "a test");
        let found = Found { key: Some(key), ..Found::default() };
        Settings::resolve(&args, found, "2026-10-12T06:00:00Z".parse().unwrap()).unwrap()
    }

    fn written(sessions: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
        let settings = settings();
        let named_from = settings.query.from;
        let mut builder = TablesBuilder::new(KeptTexts { from: named_from, prompts: true });
        let page = format!(r#"{{"items": [{}], "total": 3, "has_more": false}}"#, sessions.join(","));
        let mut take = |event: PageEvent<'_>| {
            if let PageEvent::Page(rows) = event {
                builder.push(rows);
            }
        };
        replay([page.as_bytes()], Api::V2, &settings.query, &mut take).unwrap();
        let frames = Frames::new(builder.finish().unwrap(), named_from, None).unwrap();
        files(&frames, &settings.periods).unwrap()
    }

    fn read(files: &[(&'static str, Vec<u8>)], name: &str) -> DataFrame {
        let (_, bytes) = files.iter().find(|(own, _)| *own == name).unwrap();
        ParquetReader::new(Cursor::new(bytes)).finish().unwrap()
    }

    /// A column as words, `-` for null.
    fn column(frame: &DataFrame, name: &str) -> Vec<String> {
        let physical = frame.column(name).unwrap().to_physical_repr();
        let text = physical.cast(&DataType::String).unwrap();
        text.str().unwrap().iter().map(|cell| cell.unwrap_or("-").to_owned()).collect()
    }

    #[test]
    fn numbers_are_words_again_and_every_row_knows_its_session() {
        let files = written(&[ANN, BO, OLD]);
        assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), NAMES);
        let sessions = read(&files, "sessions");
        assert_eq!(column(&sessions, "session"), ["c", "a", "b"]);
        assert_eq!(column(&sessions, "period"), ["2026-W40", "2026-W41", "2026-W41"]);
        assert_eq!(column(&sessions, "user"), ["-", "bo", "ann"]);
        assert_eq!(column(&sessions, "status"), ["-", "-", "exit"]);
        assert_eq!(column(&sessions, "acus"), ["-", "-", "2.5"]);
        assert_eq!(column(&sessions, "title"), ["Old", "-", "=Fix it"]);
        assert_eq!(column(&sessions, "url"), ["-", "-", "https://h.example/b"]);
        assert_eq!(column(&sessions, "category"), ["-"; 3]);
        let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        for moment in ["created", "updated"] {
            assert_eq!(sessions.column(moment).unwrap().dtype(), &utc);
        }
        let created = sessions.column("created").unwrap().datetime().unwrap().physical().get(2);
        assert_eq!(created, Some(1_791_367_200_000_001));

        let pulls = read(&files, "pull_requests");
        assert_eq!(column(&pulls, "session"), ["a", "b", "b", "b"]);
        assert_eq!(column(&pulls, "pull_request"), ["1", "-", "0", "1"]);
        assert_eq!(column(&pulls, "state"), ["merged", "open", "unknown", "merged"]);
        assert_eq!(column(&pulls, "repo"), ["github.com/o/r", "-", "github.com/o/r", "github.com/o/r"]);
        assert_eq!(column(&pulls, "address")[0], "https://github.com/o/r/pull/9");
        assert_eq!(column(&read(&files, "tags"), "tag"), ["api", "pay"]);
        let issues = read(&files, "issues");
        assert_eq!(
            (column(&issues, "impact"), column(&issues, "label")),
            (vec!["high".to_owned(), "other".to_owned()], vec!["Flaky".to_owned(), "-".to_owned()])
        );
        assert_eq!(column(&read(&files, "action_items"), "type"), ["knowledge"]);
        assert_eq!(column(&read(&files, "action_items"), "text"), ["Pin it"]);
        assert_eq!(column(&read(&files, "feedback"), "text"), ["Too vague"]);
    }

    #[test]
    fn text_columns_are_large_strings_in_the_arrow_schema() {
        let files = written(&[ANN, BO, OLD]);
        for (name, bytes) in &files {
            let metadata = polars_parquet::read::read_metadata(&mut Cursor::new(bytes)).unwrap();
            let mut schema = read(&files, name).schema().to_arrow(CompatLevel::newest());
            for field in schema.iter_values_mut().filter(|field| field.dtype == ArrowDataType::Utf8View) {
                field.dtype = ArrowDataType::LargeUtf8;
            }
            // Polars' own reader makes string views of them, so that the texts are compared.
            let expected = schema_to_metadata_key(&schema);
            assert_eq!(metadata.key_value_metadata().as_deref(), Some([expected].as_slice()), "{name}");
        }
    }

    #[test]
    fn the_order_of_rows_as_they_came_changes_no_byte() {
        let first = written(&[ANN, BO, OLD]);
        assert!(written(&[OLD, BO, ANN]) == first);
        assert!(written(&[BO, ANN, OLD]) == first);
    }

    #[test]
    fn frames_without_a_row_give_files_with_the_same_columns() {
        let (empty, full) = (written(&[]), written(&[ANN, BO, OLD]));
        for name in NAMES {
            let schema = |files: &[(&'static str, Vec<u8>)]| {
                let frame = read(files, name);
                let types = frame.columns().iter().map(|column| column.dtype().clone()).collect::<Vec<_>>();
                (frame.get_column_names_owned(), types)
            };
            assert_eq!(schema(&empty), schema(&full), "{name}");
        }
    }
}
