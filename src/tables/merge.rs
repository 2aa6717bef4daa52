//! What a sync does with tables: merge them, cut them into months, and find the
//! sessions that may still change.

use std::ops::Range;

use chrono::{DateTime, Utc};
use polars::prelude::*;

use super::schema as c;
use super::{TableError, Tables};

/// Microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

impl Tables {
    /// The tables by the month of creation, in UTC, oldest first.
    ///
    /// # Errors
    /// A table lacks a column: an internal error.
    pub fn by_month(&self) -> Result<Vec<(String, Self)>, TableError> {
        let months = runs(self.sessions.column(c::CREATED).map_err(TableError::of("sessions"))?);
        let months = months.map_err(TableError::of("sessions"))?;
        months.into_iter().map(|(month, rows)| Ok((month, self.slice(rows)?))).collect()
    }

    /// The sessions of a range of rows, and their child rows.
    fn slice(&self, rows: Range<usize>) -> Result<Self, TableError> {
        let [begin, end] = [rows.start, rows.end].map(|row| row as IdxSize);
        self.clone().select(&(begin..end).collect::<Vec<_>>())
    }

    /// The tables without the sessions of others.
    ///
    /// # Errors
    /// A table lacks a column: an internal error.
    pub fn without(&self, others: &Self) -> Result<Self, TableError> {
        let ids = others.sessions.select([c::SESSION]).map_err(TableError::of("sessions"))?;
        self.without_ids(ids)
    }

    /// The tables without the sessions of these ids.
    ///
    /// # Errors
    /// As [`without`](Self::without).
    pub fn without_these(&self, ids: &[String]) -> Result<Self, TableError> {
        let ids = StringChunked::from_slice(c::SESSION.into(), ids).into_column();
        let ids = DataFrame::new_infer_height(vec![ids]).map_err(TableError::of("sessions"))?;
        self.without_ids(ids)
    }

    fn without_ids(&self, ids: DataFrame) -> Result<Self, TableError> {
        let rows = || {
            let own = self.sessions.select([c::SESSION])?.lazy().with_row_index(c::ROW, None);
            let rest = own.anti_join(ids.lazy(), col(c::SESSION), col(c::SESSION)).select([col(c::ROW)]);
            PolarsResult::Ok(rest.collect()?.column(c::ROW)?.idx()?.iter().flatten().collect::<Vec<_>>())
        };
        let rows = rows().map_err(TableError::of("sessions"))?;
        self.clone().in_order(rows)
    }
}

/// Both tables as one. Of a session in both the one that changed last stays, with
/// its child rows; where that is not known, or the same, the new one.
///
/// # Errors
/// A table lacks a column: an internal error.
pub fn merge(old: &Tables, new: &Tables) -> Result<Tables, TableError> {
    let of = |tables: &Tables, updated: &str| {
        tables.sessions.clone().lazy().select([col(c::SESSION), col(c::UPDATED).alias(updated)])
    };
    let stale = of(new, "new")
        .inner_join(of(old, "old"), col(c::SESSION), col(c::SESSION))
        .filter(col("new").lt(col("old")))
        .select([col(c::SESSION)])
        .collect()
        .map_err(TableError::of("sessions"))?;
    let new = new.without_ids(stale)?;
    let both = Tables::concat(vec![old.without(&new)?, new])?;
    let rows = both.rows();
    both.in_order(rows)
}

/// The ids of sessions, in their order.
///
/// # Errors
/// The column is missing or has missing values.
pub fn ids(sessions: &DataFrame) -> Result<Vec<String>, TableError> {
    let ids = || {
        let ids = sessions.column(c::SESSION)?.str()?;
        polars_ensure!(!ids.has_nulls(), ComputeError: "a row without an id");
        Ok(ids.iter().flatten().map(str::to_owned).collect())
    };
    ids().map_err(TableError::of("sessions"))
}

/// The statuses of sessions that have ended, as far as that can be known.
const SETTLED: [&str; 5] = ["exit", "error", "suspended", "finished", "expired"];

/// The states of pull requests that are decided.
const DECIDED: [&str; 2] = ["merged", "closed"];

/// When a sync looks at pull requests.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The beginning of this sync …
    pub at: DateTime<Utc>,
    /// … and of the last one that came to its end, if any did: it saw all pull requests that
    /// were undecided then.
    pub before: Option<DateTime<Utc>>,
}

impl Tables {
    /// The tables with the times at which each pull request was last seen undecided and
    /// first seen decided: now, or as `old` has it of the same session and address.
    ///
    /// # Errors
    /// A table lacks a column: an internal error.
    pub fn looked_at(&self, old: Option<&Self>, look: &Look) -> Result<Self, TableError> {
        let failed = TableError::of(c::PULL_REQUESTS.name);
        let pull_requests = seen(self, old, look).map_err(failed)?;
        Ok(Self { pull_requests, ..self.clone() })
    }
}

/// The pull requests of new tables with their two times.
fn seen(new: &Tables, old: Option<&Tables>, look: &Look) -> PolarsResult<DataFrame> {
    let (decided, until, by) = ("decided", c::UNDECIDED_UNTIL, c::DECIDED_BY);
    let (old_decided, old_until, old_by) = ("old decided", "old until", "old by");
    let entries = |tables: &Tables| {
        let rows = tables.pull_requests.column(c::ROW)?.u32()?;
        let mut entries = tables
            .pull_requests
            .clone()
            .lazy()
            .select([
                col(c::ADDRESS),
                is_one_of(c::STATE, &DECIDED).alias(decided),
                col(until).to_physical(),
                col(by).to_physical(),
            ])
            .collect()?;
        entries.with_column(tables.sessions.column(c::SESSION)?.take(rows)?)?;
        PolarsResult::Ok(entries.lazy())
    };
    let empty = Tables::empty();
    let key = [col(c::SESSION), col(c::ADDRESS)];
    let before = entries(old.unwrap_or(&empty))?
        .rename([decided, until, by], [old_decided, old_until, old_by], true)
        .unique_stable(Some(cols([c::SESSION, c::ADDRESS])), UniqueKeepStrategy::First);
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
    let micros = |moment: DateTime<Utc>| lit(moment.timestamp_micros());
    let (none, now) = (|| lit(NULL).cast(DataType::Int64), || micros(look.at));
    // Without an address it is unknown whether two looks are at the same pull request.
    let has_no_address = || col(c::ADDRESS).is_null();
    let is_new = || col(old_decided).is_null();
    // Of what was decided before there were these times they stay unknown.
    let is_known = || col(old_by).is_not_null();
    let until_now = when(has_no_address())
        .then(none())
        .when(col(decided).not())
        .then(now())
        .when(is_new())
        .then(none())
        .when(is_known())
        .then(col(old_until))
        .when(col(old_decided))
        .then(none())
        .otherwise(coalesce(&[col(old_until), look.before.map_or_else(none, micros)]));
    let by_now = when(has_no_address().or(col(decided).not()))
        .then(none())
        .when(is_new())
        .then(now())
        .when(is_known())
        .then(col(old_by))
        .when(col(old_decided))
        .then(none())
        .otherwise(now());
    let times = entries(new)?
        .join(before, key.clone(), key, args)
        .select([until_now.alias(until), by_now.alias(by)])
        .collect()?;
    let mut entries = new.pull_requests.clone();
    for name in [until, by] {
        let moments = times.column(name)?.i64()?.clone();
        let moments = moments.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        entries.with_column(moments.into_column())?;
    }
    Ok(entries)
}

/// Whether a column has one of some words.
fn is_one_of(column: &str, words: &[&'static str]) -> Expr {
    words.iter().fold(lit(false), |any, word| any.or(col(column).eq(lit(*word))))
}

/// The ids of sessions that may still change, in their order: those whose status is
/// not final, and those with a pull request that is not decided.
///
/// # Errors
/// A column is missing.
pub fn unsettled(tables: &Tables) -> Result<Vec<String>, TableError> {
    let undecided = tables.pull_requests.clone().lazy().filter(is_one_of(c::STATE, &DECIDED).not());
    let undecided = undecided.select([col(c::ROW), lit(true).alias("undecided")]);
    let undecided = undecided.unique(None, UniqueKeepStrategy::Any);
    let running = col(c::STATUS).is_not_null().and(is_one_of(c::STATUS, &SETTLED).not());
    let sessions = tables.sessions.clone().lazy().select([col(c::SESSION), col(c::STATUS)]);
    let unsettled = sessions
        .with_row_index(c::ROW, None)
        .left_join(undecided, col(c::ROW), col(c::ROW))
        .filter(running.or(col("undecided").is_not_null()))
        .sort([c::ROW], SortMultipleOptions::default())
        .collect()
        .map_err(TableError::of("sessions"))?;
    ids(&unsettled)
}

/// The months of sorted moments, with the rows of each.
pub(super) fn runs(created: &Column) -> PolarsResult<Vec<(String, Range<usize>)>> {
    let mut runs: Vec<(String, Range<usize>)> = Vec::new();
    let mut day_before = None;
    for (row, moment) in created.datetime()?.physical().iter().enumerate() {
        let moment = moment.ok_or_else(|| polars_err!(ComputeError: "a row without a creation"))?;
        // Rows of one day are of one month; most follow their like.
        let day = Some(moment.div_euclid(DAY));
        let last = runs.last_mut();
        match last.filter(|(month, _)| day == day_before || *month == self::month(moment)) {
            Some((_, rows)) => rows.end = row + 1,
            None => runs.push((month(moment), row..row + 1)),
        }
        day_before = day;
    }
    Ok(runs)
}

/// The month of a moment, in UTC: `2026-10`. A moment that no calendar has gives an
/// empty text.
pub fn month(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(String::new, |at| at.format("%Y-%m").to_string())
}
