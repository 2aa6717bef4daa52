//! The five frames as Parquet, for whoever wants to ask their own questions.
//!
//! Categories are texts, times are UTC to the microsecond. Every row tells its session, when that was created,
//! which period it belongs to and who started it.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::*;
use polars_io::prelude::{KeyValueMetadata, ParquetCompression, ParquetWriter};
use polars_parquet::write::schema_to_metadata_key;

use super::columns as c;
use super::{FrameError, Frames};
use crate::period::Period;

/// The names of the files, without their ending.
pub const NAMES: [&str; 5] = ["sessions", "pull_requests", "tags", "issues", "action_items"];

/// Label of the period that a session was created in; null for none of the report's.
const PERIOD: &str = "period";
/// Number of a pull request, the same in all rows of a file that tell of it.
const PULL_REQUEST: &str = "pull_request";
/// Place of a session in the order of all files.
const ORDER: &str = "order";

/// What every row tells of its session.
const OF_SESSION: [&str; 4] = [c::SESSION, c::CREATED, PERIOD, c::USER];

/// The files of the frames, by [`NAMES`]: compressed, in the order of creation,
/// then of the ids. The same frames give the same bytes.
///
/// Titles are those that the frames' builder kept. Prompts are in no file.
///
/// # Errors
/// Polars refused a step: a defect, not a state of the data.
pub fn files(frames: &Frames, periods: &[Period]) -> Result<Vec<(&'static str, Vec<u8>)>, FrameError> {
    let failed = |table| move |source| FrameError { table, source };
    let index = index(frames, periods).map_err(failed("sessions"))?;
    let tables = [
        sessions(frames, &index),
        pull_requests(frames, &index),
        rows(&frames.tags, &index, &[c::TAG]),
        rows(&frames.issues, &index, &[c::IMPACT, c::LABEL]),
        rows(&frames.action_items, &index, &[c::TYPE]),
    ];
    let written = |(name, table): (&'static str, PolarsResult<DataFrame>)| {
        Ok((name, table.and_then(bytes).map_err(failed(name))?))
    };
    NAMES.into_iter().zip(tables).map(written).collect()
}

/// What is the same in every file: of each session its place, name, moment,
/// period and user, in order.
fn index(frames: &Frames, periods: &[Period]) -> PolarsResult<DataFrame> {
    let columns = [c::ROW, c::SESSION, c::CREATED, c::USER];
    let mut index = frames.sessions.select(columns)?;
    let order: UInt32Chunked = (0_u32..).take(index.height()).map(Some).collect();
    let bounds: Vec<(i64, i64, String)> = periods
        .iter()
        .map(|period| (period.from().timestamp_micros(), period.to().timestamp_micros(), period.label()))
        .collect();
    let label = |created: i64| {
        let own = bounds.iter().find(|(from, to, _)| (*from..*to).contains(&created));
        own.map(|(_, _, label)| label.as_str())
    };
    let periods: StringChunked =
        index.column(c::CREATED)?.datetime()?.physical().iter().map(|at| label(at?)).collect();
    index.with_column(order.with_name(ORDER.into()).into_column())?;
    index.with_column(periods.with_name(PERIOD.into()).into_column())?;
    as_text(&mut index, c::USER)?;
    // As a number, because a join drops the zone of moments.
    let created = index.column(c::CREATED)?.cast(&DataType::Int64)?;
    index.with_column(created)?;
    index.select([c::ROW, ORDER].into_iter().chain(OF_SESSION))
}

/// Some columns of a frame beside what the index tells, in the order of that,
/// then of the columns. Categories become texts.
fn rows(frame: &DataFrame, index: &DataFrame, own: &[&str]) -> PolarsResult<DataFrame> {
    let keys: Vec<&str> = std::iter::once(ORDER).chain(own.iter().copied()).collect();
    let mut rows = frame
        .select(std::iter::once(c::ROW).chain(own.iter().copied()))?
        .lazy()
        .inner_join(index.clone().lazy(), col(c::ROW), col(c::ROW))
        .collect()?
        .sort(keys, SortMultipleOptions::default())?;
    rows.with_column(moments(&rows, c::CREATED)?)?;
    for column in own {
        as_text(&mut rows, column)?;
    }
    rows.select(OF_SESSION.into_iter().chain(own.iter().copied()))
}

fn sessions(frames: &Frames, index: &DataFrame) -> PolarsResult<DataFrame> {
    let own = [
        c::UPDATED,
        c::TEAM,
        c::ORG,
        c::AUTOMATION,
        c::STATUS,
        c::ACUS,
        c::ORIGIN,
        c::SIZE,
        c::CATEGORY,
        c::LIMITED,
        c::MESSAGES,
        c::ANALYSED,
        c::FEEDBACK,
        c::TAG_COUNT,
        c::PR_COUNT,
        c::TITLE,
        c::URL,
    ];
    let names = frames.names.clone().lazy();
    let named = frames.sessions.clone().lazy().left_join(names, col(c::ROW), col(c::ROW)).collect()?;
    let mut sessions = rows(&named, index, &own)?;
    for count in [c::MESSAGES, c::FEEDBACK] {
        let counts = sessions.column(count)?.cast(&DataType::UInt32)?;
        sessions.with_column(counts)?;
    }
    Ok(sessions)
}

fn pull_requests(frames: &Frames, index: &DataFrame) -> PolarsResult<DataFrame> {
    // Once as a number, for counting, and once as a text.
    let mut entries = frames.pull_requests.clone();
    as_text(&mut entries, c::ADDRESS)?;
    let addresses = entries.column(c::ADDRESS)?.str()?.clone();
    let places: BTreeSet<&str> = addresses.iter().flatten().collect();
    let places: HashMap<&str, u32> = places.into_iter().zip(0..).collect();
    let numbers: UInt32Chunked = addresses.iter().map(|address| places.get(address?).copied()).collect();
    entries.with_column(numbers.with_name(PULL_REQUEST.into()).into_column())?;
    rows(&entries, index, &[PULL_REQUEST, c::STATE, c::REPO, c::ADDRESS])
}

/// Makes texts of a column of categories.
fn as_text(frame: &mut DataFrame, column: &str) -> PolarsResult<()> {
    if frame.column(column)?.dtype().is_categorical() || frame.column(column)?.dtype().is_enum() {
        let texts = frame.column(column)?.cast(&DataType::String)?;
        frame.with_column(texts)?;
    }
    Ok(())
}

/// A column of microseconds as moments in UTC.
pub(super) fn moments(frame: &DataFrame, column: &str) -> PolarsResult<Column> {
    let moments = frame.column(column)?.i64()?.clone();
    Ok(moments.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column())
}

/// A frame as a file: compressed, in one row group for up to a quarter of a million rows.
/// Its Arrow schema names text columns `large_string`. `ParquetWriter` alone names
/// them `string_view`, which many readers cannot open, filter, sort or join; the
/// pages are the same either way.
pub(super) fn bytes(mut frame: DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    // How many pieces a frame is in depends on the number of threads.
    frame.rechunk_mut();
    let arrow_schema = schema_to_metadata_key(&frame.schema().to_arrow(CompatLevel::oldest()));
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_key_value_metadata(Some(KeyValueMetadata::Static(vec![arrow_schema])))
        .finish(&mut frame)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars_io::prelude::{ParquetReader, SerReader};

    use super::*;
    use crate::cli::{ApiArgs, ReportArgs};
    use crate::fetch::{PageEvent, replay};
    use crate::frame::{FramesBuilder, Kept};
    use crate::settings::{Found, FoundKey, Settings};

    const ANN: &str = r#"{"session_id": "b", "created_at": "2026-10-07T10:00:00.000001Z", "user_id": "ann",
        "status": "exit", "acus_consumed": 2.5, "title": "=Fix it", "url": "https://h.example/b",
        "tags": ["pay", "api"], "pull_requests": [
            {"pr_url": "https://github.com/o/r/pull/9", "pr_state": "merged"},
            {"pr_url": "https://github.com/o/r/pull/10", "pr_state": "odd"}, {"pr_state": "open"}],
        "session_analysis": {"issues": [{"impact": "High", "label": "Flaky"}, {"impact": "odd"}],
            "action_items": [{"type": "knowledge"}]}}"#;
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
        let key = FoundKey { text: "apk_user_x".to_owned(), source: "a test".to_owned() };
        let found = Found { key: Some(key), ..Found::default() };
        Settings::resolve(&args, found, "2026-10-12T06:00:00Z".parse().unwrap()).unwrap()
    }

    fn written(sessions: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
        let settings = settings();
        let named_from = settings.query.from;
        let mut builder =
            FramesBuilder::new(Kept { named_from, addresses: true, prompts: true, teams: None });
        let page = format!(r#"{{"items": [{}], "total": 3, "has_more": false}}"#, sessions.join(","));
        let mut take = |event: PageEvent<'_>| {
            if let PageEvent::Page(rows) = event {
                builder.push(rows);
            }
        };
        replay([page.as_bytes()], crate::fetch::Api::V2, &settings.query, &mut take).unwrap();
        files(&builder.finish().unwrap(), &settings.periods).unwrap()
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
