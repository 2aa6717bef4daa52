//! The six frames as Parquet, for people who ask their own questions.
//!
//! Columns and types are those of [`schema`](super::schema), which says what each is. Every
//! row has its session, when that was created, its period and who started it.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use polars::prelude::*;

use super::parquet::bytes;
use super::schema::{self as c, TableSpec};
use super::{Frames, TableError, normal};
use crate::money::Prices;
use crate::period::Period;

pub use super::schema::NAMES;

/// What every row has of its session.
const OF_SESSION: [&str; 4] = [c::SESSION, c::CREATED, c::PERIOD, c::USER];

/// A repository that no address names.
const NO_REPO: &str = "unknown";

/// What exports have beside the frames.
#[derive(Clone, Copy, Debug)]
pub struct ExportContext<'a> {
    /// The periods of the report, its trend included.
    pub periods: &'a [Period],
    /// The zone that decides on which day a session was created.
    pub tz: Tz,
    /// What users are called, by their ids.
    pub names: &'a BTreeMap<String, String>,
    /// The prices of an ACU, if work is paid in ACUs and they are known.
    pub prices: Option<&'a Prices>,
    /// The team whose sessions are exported; `None` for all sessions.
    pub team: Option<&'a str>,
}

/// The files of the frames, by [`NAMES`]: compressed, in the order of creation,
/// then of the ids. The same frames give the same bytes.
///
/// Titles, addresses and the texts of analyses are those of the sessions that may be named.
/// Prompts are in no file.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn files(
    frames: &Frames,
    context: &ExportContext<'_>,
) -> Result<Vec<(&'static str, Vec<u8>)>, TableError> {
    let index = index(frames, context.periods).map_err(TableError::of("sessions"))?;
    let own = of_team(&index, context.team).map_err(TableError::of("sessions"))?;
    let repos = repos(&frames.pull_requests).map_err(TableError::of("pull_requests"))?;
    let with_repo = |frame: &DataFrame| {
        Ok(frame.clone().lazy().left_join(repos.clone().lazy(), col(c::ROW), col(c::ROW)))
    };
    let tables = [
        sessions(frames, context),
        pull_requests(&frames.pull_requests, &index),
        Ok(frames.tags.clone().lazy()),
        with_repo(&frames.issues),
        with_repo(&frames.action_items),
        with_repo(&frames.feedback),
    ];
    let written = |(table, frame): (TableSpec, PolarsResult<LazyFrame>)| {
        let frame = frame.and_then(|frame| rows(frame, &own, &table));
        Ok((table.name, frame.and_then(bytes).map_err(TableError::of(table.name))?))
    };
    c::TABLES.into_iter().zip(tables).map(written).collect()
}

/// What is the same in every file: of each session its row, id, creation, period and
/// user, in order, and its team.
fn index(frames: &Frames, periods: &[Period]) -> PolarsResult<DataFrame> {
    let mut index = frames.sessions.select([c::ROW, c::SESSION, c::CREATED, c::USER, c::TEAM])?;
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
    index.with_column(periods.with_name(c::PERIOD.into()).into_column())?;
    index.select([c::ROW, c::TEAM].into_iter().chain(OF_SESSION))
}

/// The rows of a team in an index, without the team.
fn of_team(index: &DataFrame, team: Option<&str>) -> PolarsResult<DataFrame> {
    let is_wanted = team.map_or(lit(true), |team| col(c::TEAM).eq(lit(team)));
    index.clone().lazy().filter(is_wanted).drop(cols([c::TEAM])).collect()
}

/// The columns of a table that are exported, in the order of the sessions, then of the
/// columns.
fn rows(frame: LazyFrame, index: &DataFrame, table: &TableSpec) -> PolarsResult<DataFrame> {
    let own = table.exported().map(|column| column.name).filter(|name| !OF_SESSION.contains(name));
    let keys: Vec<&str> = std::iter::once(c::ROW).chain(own).collect();
    let sorted = frame
        .select(keys.iter().map(|name| col(*name)).collect::<Vec<_>>())
        .inner_join(index.clone().lazy(), col(c::ROW), col(c::ROW))
        .collect()?
        .sort(keys, SortMultipleOptions::default())?;
    let as_on_disk = |column: &c::ColumnSpec| {
        let (values, dtype) = (sorted.column(column.name)?, column.column_type.on_disk());
        if *values.dtype() == dtype { Ok(values.clone()) } else { values.cast(&dtype) }
    };
    DataFrame::new_infer_height(table.exported().map(as_on_disk).collect::<PolarsResult<_>>()?)
}

/// Sessions with their names, the names of their users, and what they cost.
fn sessions(frames: &Frames, context: &ExportContext<'_>) -> PolarsResult<LazyFrame> {
    let ids: Vec<&str> = context.names.keys().map(String::as_str).collect();
    let names: Vec<&str> = context.names.values().map(String::as_str).collect();
    let users = frames.sessions.column(c::USER)?.dtype().clone();
    let names = df!(c::USER => ids, c::USER_NAME => names)?.lazy().with_column(col(c::USER).cast(users));
    let currency = context.prices.map(|prices| prices.currency().code().to_owned());
    let currency = currency.map_or_else(|| lit(NULL), lit).cast(DataType::String);
    Ok(frames
        .sessions
        .clone()
        .lazy()
        .left_join(frames.names.clone().lazy(), col(c::ROW), col(c::ROW))
        .left_join(names, col(c::USER), col(c::USER))
        .with_columns([spend(context).alias(c::SPEND), currency.alias(c::CURRENCY)]))
}

/// What each session cost, by the price of its local day; a session without ACUs cost
/// nothing at any price.
fn spend(context: &ExportContext<'_>) -> Expr {
    let Some(prices) = context.prices else { return lit(NULL).cast(DataType::Float64) };
    let begins = prices.steps().iter().map(|price| {
        let day = Period::days(price.from, price.from, context.tz);
        day.expect("a day does not end before it begins").from().timestamp_micros()
    });
    let begins = lit(Series::from_iter(begins));
    let begun = begins.search_sorted(col(c::CREATED).to_physical(), SearchSortedSide::Right, false);
    // Before the first price there is none.
    let steps = prices.steps().iter().map(|price| Some(price.per_acu));
    let per_acu: Float64Chunked = std::iter::once(None).chain(steps).collect();
    let cost = col(c::ACUS) * lit(per_acu.into_series()).gather(begun, false);
    when(col(c::ACUS).eq(lit(0.0))).then(lit(0.0)).otherwise(cost)
}

/// The repository of each session that lists pull requests: that of most of them, then the
/// first by name.
fn repos(entries: &DataFrame) -> PolarsResult<DataFrame> {
    let count = "count";
    let most = SortMultipleOptions::default().with_order_descending_multi([false, true, false]);
    entries
        .clone()
        .lazy()
        .select([col(c::ROW), col(c::REPO).cast(DataType::String), col(c::ADDRESS)])
        .filter(col(c::ADDRESS).is_not_null().and(col(c::REPO).neq(lit(NO_REPO))))
        .unique(None, UniqueKeepStrategy::Any)
        .group_by([col(c::ROW), col(c::REPO)])
        .agg([len().alias(count)])
        .sort([c::ROW, count, c::REPO], most)
        .unique_stable(Some(cols([c::ROW])), UniqueKeepStrategy::First)
        .select([col(c::ROW), col(c::REPO)])
        .collect()
}

/// Entries with the number of their pull request, its state in the period, and whether it
/// counts for their session, as in the metrics.
fn pull_requests(entries: &DataFrame, index: &DataFrame) -> PolarsResult<LazyFrame> {
    let (place, owner, rank, decisive) = ("place", "owner", "rank", "decisive");
    let numbers = entries
        .select([c::ADDRESS])?
        .lazy()
        .filter(col(c::ADDRESS).is_not_null())
        .unique(None, UniqueKeepStrategy::Any)
        .sort([c::ADDRESS], SortMultipleOptions::default())
        .with_row_index(c::PULL_REQUEST, None);
    let ranks: Vec<u32> = (0..).take(normal::STATES.len()).collect();
    let ranks = df!(c::STATE => normal::STATES.as_slice(), rank => ranks)?.lazy();
    // Entries are in the order of sessions, so the first of a pull request is its owner's.
    let entries = entries
        .clone()
        .lazy()
        .with_row_index(place, None)
        .with_column(col(c::STATE).cast(DataType::String))
        .inner_join(ranks, col(c::STATE), col(c::STATE))
        .inner_join(index.select([c::ROW, c::PERIOD])?.lazy(), col(c::ROW), col(c::ROW));
    let of_period = entries
        .clone()
        .filter(col(c::ADDRESS).is_not_null().and(col(c::PERIOD).is_not_null()))
        .group_by([col(c::PERIOD), col(c::ADDRESS)])
        .agg([
            col(place).min().alias(owner),
            col(c::STATE).sort_by([col(rank)], SortMultipleOptions::default()).first().alias(decisive),
        ]);
    let on = [col(c::PERIOD), col(c::ADDRESS)];
    Ok(entries
        .join(of_period, on.clone(), on, JoinArgs::new(JoinType::Left))
        .left_join(numbers, col(c::ADDRESS), col(c::ADDRESS))
        .with_columns([
            col(place).eq(col(owner)).fill_null(lit(false)).alias(c::CREDITED),
            coalesce(&[col(decisive), col(c::STATE)]).alias(c::STATE),
        ])
        .drop(cols([c::PERIOD])))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars_io::prelude::{ParquetReader, SerReader};
    use polars_parquet::write::schema_to_metadata_key;

    use super::*;
    use crate::cli::{ApiArgs, ReportArgs};
    use crate::money::{Currency, Price};
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
        let names = BTreeMap::from([("ann".to_owned(), "Ann Lee".to_owned())]);
        let price = |from: &str, per_acu| Price { from: from.parse().unwrap(), per_acu };
        let euro = Currency::parse("EUR").unwrap();
        let prices = Prices::new(euro, vec![price("2026-10-07", 2.0), price("2026-10-08", 9.0)]).unwrap();
        let context = ExportContext {
            periods: &settings.periods,
            tz: chrono_tz::UTC,
            names: &names,
            prices: Some(&prices),
            team: None,
        };
        files(&frames, &context).unwrap()
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
        assert_eq!(column(&sessions, "user_name"), ["-", "-", "Ann Lee"]);
        assert_eq!(column(&sessions, "spend"), ["-", "-", "5.0"]);
        assert_eq!(column(&sessions, "currency"), ["EUR"; 3]);
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
        assert_eq!(column(&pulls, "credited"), ["true", "false", "true", "false"]);
        assert_eq!(column(&read(&files, "tags"), "tag"), ["api", "pay"]);
        let issues = read(&files, "issues");
        assert_eq!(
            (column(&issues, "impact"), column(&issues, "label")),
            (vec!["high".to_owned(), "other".to_owned()], vec!["Flaky".to_owned(), "-".to_owned()])
        );
        for name in ["issues", "action_items", "feedback"] {
            assert!(
                column(&read(&files, name), "repo").iter().all(|repo| repo == "github.com/o/r"),
                "{name}"
            );
        }
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

    /// A session with these pull requests, each with its state, and one issue.
    fn session(id: &str, created: &str, pulls: &[(&str, &str)]) -> String {
        let pulls: Vec<String> = pulls
            .iter()
            .map(|(path, state)| {
                format!(r#"{{"pr_url": "https://h.example/{path}", "pr_state": "{state}"}}"#)
            })
            .collect();
        format!(
            r#"{{"session_id": "{id}", "created_at": "{created}", "acus_consumed": 1,
                "pull_requests": [{}], "session_analysis": {{"issues": [{{"impact": "high"}}]}}}}"#,
            pulls.join(",")
        )
    }

    #[test]
    fn a_pull_request_is_credited_once_a_period_with_its_state_in_it() {
        let sessions = [
            session("b", "2026-10-07T10:00:00Z", &[("o/r/pull/1", "open"), ("o/r/pull/1", "closed")]),
            // The same moment and a smaller id.
            session("a", "2026-10-07T10:00:00Z", &[("o/r/pull/1", "draft"), ("o/r/pull/2", "odd")]),
            session("c", "2026-10-08T10:00:00Z", &[("o/r/pull/1", "merged"), ("", "merged")]),
            session("d", "2026-09-30T10:00:00Z", &[("o/r/pull/1", "open")]),
        ];
        let files = written(&sessions.each_ref().map(String::as_str));
        let pulls = read(&files, "pull_requests");
        let rows: Vec<[String; 4]> = (0..pulls.height())
            .map(|row| {
                ["session", "pull_request", "state", "credited"].map(|name| column(&pulls, name)[row].clone())
            })
            .collect();
        assert_eq!(
            rows,
            [
                ["d", "1", "open", "true"],
                ["a", "1", "merged", "true"],
                ["a", "2", "unknown", "true"],
                ["b", "1", "merged", "false"],
                ["b", "1", "merged", "false"],
                ["c", "0", "merged", "true"],
                ["c", "1", "merged", "false"],
            ]
        );
    }

    #[test]
    fn the_repository_of_an_issue_is_that_of_most_pull_requests() {
        let time = "2026-10-07T10:00:00Z";
        let sessions = [
            // Two entries of one pull request count once.
            session("a", time, &[("o/z/pull/1", "open"), ("o/z/pull/1", "merged"), ("o/y/pull/1", "open")]),
            session("b", time, &[("o/y/pull/2", "open"), ("o/z/pull/2", "open"), ("o/z/pull/3", "open")]),
            session("c", time, &[("change/1", "open"), ("change/2", "open")]),
            session("d", time, &[]),
        ];
        let files = written(&sessions.each_ref().map(String::as_str));
        let repos = column(&read(&files, "issues"), "repo");
        assert_eq!(repos, ["h.example/o/y", "h.example/o/z", "-", "-"]);
    }
}
