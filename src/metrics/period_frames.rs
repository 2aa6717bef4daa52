//! The frames of one period, made ready for grouping: every row has the columns of its
//! session that it is grouped by, and every pull request is there once.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use polars::prelude::*;
use rayon::prelude::*;

use super::calendar::{Calendar, SPEND, UNPRICED, categories};
use super::dimension::{Dim, GroupKey, Key, SMALL_GROUP};
use super::evaluation::Evaluation;
use crate::period::Period;
use crate::tables::Frames;
use crate::tables::normal::{IMPACTS, STATES};
use crate::tables::schema as c;
use devin_api::Records;

/// Place of the period: 0 is the report's, 1 the one it is compared with, then the trend's others;
/// the same in all rows of a period's frames. Rows are grouped by it where they have no other key.
pub const PERIOD: &str = "period";
/// Whether a session lists a pull request that is merged.
pub const MERGED: &str = "merged";
/// How many of a session's tags a row by tag represents.
pub const TAGS: &str = "tags";
/// Number of a pull request, issue or action item in its period.
pub const NUMBER: &str = "number";
/// The person behind a row, as the first row of that person; null for automation. A session
/// without a user is a person of its own. In covered reports only.
pub const PERSON: &str = "person";

/// What is grouped without a trend is grouped in the report's period and the one it is compared with.
pub const RECENT: usize = 2;

/// The columns of a session that its pull requests, issues and action items have, too.
const OF_SESSION: [&str; 9] =
    [PERIOD, c::USER, c::TEAM, c::ORIGIN, c::SIZE, c::CATEGORY, c::PLAYBOOK, c::MODE, PERSON];
/// The columns of a session that it has by tag.
const BY_TAG: [&str; 8] = [c::ROW, PERIOD, PERSON, c::ACUS, SPEND, UNPRICED, c::ANALYSED, c::TAG_COUNT];

/// A column that is the same in all rows: a join on it pairs every row with every other.
const EVERY: &str = "every";
/// Whether a row's group is combined with others.
const IS_COMBINED: &str = "is_combined";

/// The frames of a period, one a grain.
#[derive(Clone)]
pub struct PeriodFrames {
    sessions: DataFrame,
    /// What sessions list, those of other teams and entries without an address included.
    entries: DataFrame,
    pull_requests: DataFrame,
    issues: DataFrame,
    action_items: DataFrame,
    /// A row a session, pull request or issue and tag, or one without a tag.
    by_tag: Option<ByTag>,
    impacts: DataFrame,
    names: DataFrame,
    dates: Vec<String>,
    /// The last sync of the archive, in microseconds.
    synced: Option<i64>,
    /// Groups that are combined into one, in a covered report.
    combined: Option<Combined>,
}

/// Each grain joined with its sessions' tags.
#[derive(Clone)]
struct ByTag {
    sessions: DataFrame,
    pull_requests: DataFrame,
    issues: DataFrame,
}

/// Groups of one grouping that a covered report shows as one.
#[derive(Clone, Debug, Default)]
pub struct Combined {
    /// The dimensions; groups are combined in the last of them.
    pub by: Vec<Dim>,
    /// Their keys.
    pub groups: BTreeSet<GroupKey>,
}

/// The frames of each period, in their order. Only the [`RECENT`] ones are grouped by tag.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn period_frames(frames: &Frames, evaluation: &Evaluation<'_>) -> PolarsResult<Vec<PeriodFrames>> {
    // Each period has a slice of its own: they may be apart, and a session may be in two of them.
    let of_period = |(index, period): (usize, &Period)| {
        let sessions = created_between(&frames.sessions, period.from().to_utc(), period.to().to_utc())?;
        PeriodFrames::new(frames, sessions, period, index, evaluation)
    };
    // Several steps run on one thread, so the periods share the cores.
    evaluation.periods.par_iter().enumerate().map(of_period).collect()
}

impl PeriodFrames {
    fn new(
        frames: &Frames,
        sessions: DataFrame,
        period: &Period,
        index: usize,
        evaluation: &Evaluation<'_>,
    ) -> PolarsResult<Self> {
        let rows = sessions.column(c::ROW)?.u32()?;
        let (first, end) = rows.min().zip(rows.max()).map_or((0, 0), |(first, last)| (first, last + 1));
        let child = |frame: &DataFrame| between(frame, c::ROW, Series::from_iter([first, end]));

        let calendar = Calendar::new(period);
        let number = IdxSize::try_from(index).expect("a report has few periods");
        // A constant is known to be sorted, and groups of sorted keys are summed in another order: the last
        // digits of a sum would depend on whether the period is its only key.
        let number = (col(c::ROW) * lit(0 as IdxSize) + lit(number)).alias(PERIOD);
        let mut columns = vec![number, calendar.day()?];
        columns.extend(evaluation.prices.iter().flat_map(|prices| calendar.spend(prices)));
        let sessions = sessions.lazy().with_columns(columns).collect()?;

        // Entries are in the order of sessions, so the first of each pull request is its
        // owner's: that of the earliest session, then of the smallest id.
        let entries = child(&frames.pull_requests)?;
        let listed = entries.clone().lazy().filter(col(c::ADDRESS).is_not_null());
        let listed = listed.with_column(place(c::STATE, &STATES));
        let distinct = listed.clone().group_by_stable([col(c::ADDRESS)]).agg([
            col(c::ROW).first(),
            col(c::REPO).first(),
            col(c::STATE).min(),
        ]);
        let distinct = distinct.with_column(text_at(c::STATE, &STATES)?).collect()?;
        let merged = distinct.clone().lazy().filter(col(c::STATE).eq(lit("merged")));
        let pull_requests = of_sessions(distinct.drop(c::ADDRESS)?, &sessions)?;
        let merged =
            listed.semi_join(merged, col(c::ADDRESS), col(c::ADDRESS)).select([col(c::ROW)]).collect()?;
        let merged = lit(merged.column(c::ROW)?.as_materialized_series().clone()).implode(true);
        let has_merged = col(c::ROW).is_in(merged, false).alias(MERGED);
        let sessions = sessions.lazy().with_column(has_merged).collect()?;
        let issues = child(&frames.issues)?.lazy().with_column(place(c::IMPACT, &IMPACTS));
        let issues = of_sessions(issues.with_column(text_at(c::IMPACT, &IMPACTS)?).collect()?, &sessions)?;

        let tags = child(&frames.tags)?.lazy().with_column(lit(1_u32).alias(TAGS));
        let tagged = |frame: LazyFrame| join_in_order(frame, tags.clone(), JoinType::Left).collect();
        let by_tag = || {
            PolarsResult::Ok(ByTag {
                sessions: tagged(sessions.clone().lazy().select(those_of(&sessions, &BY_TAG)))?,
                pull_requests: tagged(pull_requests.clone().lazy())?,
                issues: tagged(issues.clone().lazy())?,
            })
        };
        let all = Self {
            by_tag: (index < RECENT).then(by_tag).transpose()?,
            action_items: of_sessions(child(&frames.action_items)?, &sessions)?,
            names: child(&frames.names)?,
            impacts: DataFrame::new_infer_height(vec![
                Column::new(EVERY.into(), [0; IMPACTS.len()]),
                categories(IMPACTS)?.with_name(c::IMPACT.into()).into_column(),
            ])?,
            dates: calendar.dates(),
            synced: evaluation.capabilities.synced.map(|moment| moment.timestamp_micros()),
            combined: None,
            sessions,
            entries,
            pull_requests,
            issues,
        };
        evaluation.team.map_or(Ok(all.clone()), |team| all.of_team(team))
    }

    /// The rows of one team. A pull request is its owner's, and its state is what all sessions of the period
    /// say, so that the teams' pull requests add up to all.
    fn of_team(&self, team: &str) -> PolarsResult<Self> {
        let own = |frame: &DataFrame| of_team(frame, Some(team));
        let sessions = own(&self.sessions)?;
        let rows = sessions.select([c::ROW])?.lazy();
        let of_sessions =
            |frame: &DataFrame| join_in_order(frame.clone().lazy(), rows.clone(), JoinType::Semi).collect();
        let by_tag = self.by_tag.as_ref().map(|by_tag| {
            PolarsResult::Ok(ByTag {
                sessions: of_sessions(&by_tag.sessions)?,
                pull_requests: own(&by_tag.pull_requests)?,
                issues: own(&by_tag.issues)?,
            })
        });
        Ok(Self {
            pull_requests: own(&self.pull_requests)?,
            issues: own(&self.issues)?,
            action_items: own(&self.action_items)?,
            by_tag: by_tag.transpose()?,
            sessions,
            ..self.clone()
        })
    }

    /// The local dates of the period.
    pub fn dates(&self) -> &[String] {
        &self.dates
    }

    /// The last sync of the archive that the sessions come from, in microseconds.
    pub fn synced(&self) -> Option<i64> {
        self.synced
    }

    /// How many of the local dates have no session.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn empty_days(&self) -> PolarsResult<usize> {
        Ok(self.dates.len() - self.sessions.column(Dim::Day.name())?.n_unique()?)
    }

    /// Sessions; by tag a session has a row for each of its tags, or one without a tag.
    pub fn sessions(&self, by: &[Dim]) -> LazyFrame {
        let rows = self.tagged(by, &self.sessions, |by_tag| &by_tag.sessions);
        self.suppress_small_groups(by, rows, c::ROW)
    }

    /// Distinct pull requests, with their owner's user and tags.
    pub fn pull_requests(&self, by: &[Dim]) -> LazyFrame {
        let rows = self.tagged(by, &self.pull_requests, |by_tag| &by_tag.pull_requests);
        self.suppress_small_groups(by, rows, NUMBER)
    }

    /// Entries of pull requests as sessions list them, those of other teams and those without an address
    /// included.
    pub fn entries(&self) -> LazyFrame {
        self.entries.clone().lazy()
    }

    /// Issues of the sessions' analyses.
    pub fn issues(&self, by: &[Dim]) -> LazyFrame {
        let rows = self.tagged(by, &self.issues, |by_tag| &by_tag.issues);
        self.suppress_small_groups(by, rows, NUMBER)
    }

    /// Action items of the sessions' analyses.
    pub fn action_items(&self, by: &[Dim]) -> LazyFrame {
        self.suppress_small_groups(by, self.action_items.clone().lazy(), NUMBER)
    }

    /// Title, address and prompt of sessions that may be named, by their row.
    pub fn names(&self) -> LazyFrame {
        self.names.clone().lazy()
    }

    /// The impacts that issues are shown by.
    pub fn impacts(&self) -> Vec<String> {
        let impacts = self.impacts.column(c::IMPACT).and_then(|impacts| impacts.cast(&DataType::String));
        let impacts = impacts.expect("impacts are texts");
        impacts.str().expect("they were cast").iter().flatten().map(str::to_owned).collect()
    }

    /// Every row four times, once with each impact.
    pub fn with_each_impact(&self, frame: LazyFrame) -> LazyFrame {
        frame.with_column(lit(0).alias(EVERY)).inner_join(self.impacts.clone().lazy(), col(EVERY), col(EVERY))
    }

    /// The same frames, in which some groups are one. Combined impacts are so in every
    /// grouping that they are a part of.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn combining(&self, combined: &Combined) -> PolarsResult<Self> {
        let frames = Self { combined: Some(combined.clone()), ..self.clone() };
        if combined.by != [Dim::Impact] || combined.groups.is_empty() {
            return Ok(frames);
        }
        let impacts = |frame: &DataFrame| {
            frames.suppress_small_groups(&[Dim::Impact], frame.clone().lazy(), NUMBER).collect()
        };
        let by_tag = self
            .by_tag
            .clone()
            .map(|by_tag| PolarsResult::Ok(ByTag { issues: impacts(&by_tag.issues)?, ..by_tag }));
        Ok(Self {
            issues: impacts(&self.issues)?,
            impacts: impacts(&self.impacts)?.unique_stable(None, UniqueKeepStrategy::First, None)?,
            by_tag: by_tag.transpose()?,
            ..self.clone()
        })
    }

    /// Gives rows of combined groups the key of the combined group. What is counted, by its
    /// `unit`, is there once in it.
    pub fn suppress_small_groups(&self, by: &[Dim], rows: LazyFrame, unit: &str) -> LazyFrame {
        let combined = self.combined.as_ref().filter(|combined| combined.by == by);
        let Some(Combined { groups, .. }) = combined.filter(|combined| !combined.groups.is_empty()) else {
            return rows;
        };
        let names: Vec<&str> = by.iter().map(|dim| dim.name()).collect();
        let dim = *by.last().expect("the whole period is not combined");
        let columns = names.iter().enumerate().map(|(place, name)| {
            let texts = groups.iter().map(|key| key.get(place).and_then(Option::as_ref).map(Key::text));
            texts.collect::<StringChunked>().with_name((*name).into()).into_column()
        });
        let groups = DataFrame::new_infer_height(columns.collect()).expect("the columns have one length");
        let groups = groups.lazy().with_column(lit(true).alias(IS_COMBINED));
        let args = JoinArgs {
            maintain_order: MaintainOrderJoin::Left,
            nulls_equal: true,
            ..JoinArgs::new(JoinType::Left)
        };
        let key = when(col(IS_COMBINED).is_not_null()).then(lit(SMALL_GROUP)).otherwise(col(dim.name()));
        let rows = rows
            .with_column(cols(names.clone()).as_expr().cast(DataType::String))
            .join(groups, cols_of(&names), cols_of(&names), args)
            .with_column(key.alias(dim.name()))
            .drop(cols([IS_COMBINED]));
        if dim != Dim::Tag {
            return rows;
        }
        let one: Vec<&str> = std::iter::once(unit).chain(names).collect();
        // A row by tag represents several of the session's tags once they are combined.
        let tags = col(TAGS).fill_null(lit(1_u32)).sum().over(cols_of(&one));
        let tags = tags.expect("it is partitioned by at least two columns");
        rows.with_column(tags.alias(TAGS)).unique_stable(Some(cols(one)), UniqueKeepStrategy::First)
    }

    fn tagged(&self, by: &[Dim], frame: &DataFrame, of_tags: fn(&ByTag) -> &DataFrame) -> LazyFrame {
        match by.contains(&Dim::Tag) {
            false => frame.clone().lazy(),
            true => {
                let by_tag = self.by_tag.as_ref().expect("no trend is grouped by tag");
                of_tags(by_tag).clone().lazy()
            }
        }
    }
}

/// Sessions with the person behind each. A session without a user has a person of its
/// own, unless the user may be what could not be read: then nobody, since all such sessions
/// may be of one person or of automation. The latter also holds for the web app's export,
/// which does not mark automation.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn with_person(sessions: &DataFrame, records: Records) -> PolarsResult<DataFrame> {
    let is_read = col(c::UNREADABLE).eq(lit(0)).and(lit(records != Records::Export));
    let person = when(col(c::AUTOMATION))
        .then(lit(NULL))
        .when(col(c::USER).is_not_null())
        .then(col(c::ROW).first().over([col(c::USER)])?)
        .when(is_read)
        .then(col(c::ROW))
        .otherwise(lit(NULL));
    sessions.clone().lazy().with_column(person.cast(DataType::UInt32).alias(PERSON)).collect()
}

/// The rows of a team, in their order; all rows without one.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn of_team(rows: &DataFrame, team: Option<&str>) -> PolarsResult<DataFrame> {
    match team {
        None => Ok(rows.clone()),
        Some(team) => rows.clone().lazy().filter(col(c::TEAM).eq(lit(team))).collect(),
    }
}

/// The sessions that were created from one moment up to another, as a slice.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn created_between(
    sessions: &DataFrame,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> PolarsResult<DataFrame> {
    between(sessions, c::CREATED, Series::from_iter([from.timestamp_micros(), to.timestamp_micros()]))
}

/// The rows whose value of a sorted column is from a first bound up to a second, as a slice.
fn between(frame: &DataFrame, column: &str, bounds: Series) -> PolarsResult<DataFrame> {
    let values = frame.column(column)?.as_materialized_series().to_physical_repr();
    let ends = search_sorted(&values, &bounds, SearchSortedSide::Left, false)?;
    let [from, to] = [0, 1].map(|end| ends.get(end).expect("there are two bounds"));
    Ok(frame.slice(i64::from(from), (to - from) as usize))
}

/// The place of each text of an enum in its set. Neither Polars' minimum of an enum nor its
/// joins know enums of fewer than 256 texts without its feature `dtype-u8`.
fn place(column: &str, set: &[&'static str]) -> Expr {
    let text = |(place, text): (u32, &&'static str)| (lit(place), col(column).eq(lit(*text)));
    let places = (0..).zip(set).map(text);
    places.fold(lit(NULL), |others, (place, is_it)| when(is_it).then(place).otherwise(others)).alias(column)
}

/// The texts at places of a set.
fn text_at(column: &str, set: &[&str]) -> PolarsResult<Expr> {
    Ok(lit(categories(set.iter().copied())?).gather(col(column), false).alias(column))
}

/// Child rows with their number and the columns of their session.
fn of_sessions(children: DataFrame, sessions: &DataFrame) -> PolarsResult<DataFrame> {
    // The sessions of a period are a slice of all, so a row gives the place in it. A period without
    // sessions has no child rows either.
    let first = sessions.column(c::ROW)?.u32()?.min().unwrap_or(0);
    let places = children.column(c::ROW)?.u32()? - first;
    let columns = sessions.clone().lazy().select(those_of(sessions, &OF_SESSION)).collect()?;
    children.hstack(columns.take(&places)?.columns())?.with_row_index(NUMBER.into(), None)
}

/// Those of some columns that a frame has.
fn those_of(frame: &DataFrame, names: &[&str]) -> Vec<Expr> {
    cols_of(&names.iter().copied().filter(|name| frame.column(name).is_ok()).collect::<Vec<_>>())
}

/// Joins on the session. The order of the left side is kept: it decides in which order sums
/// add up, and so their last digit.
fn join_in_order(left: LazyFrame, right: LazyFrame, how: JoinType) -> LazyFrame {
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(how) };
    left.join(right, [col(c::ROW)], [col(c::ROW)], args)
}

fn cols_of(names: &[&str]) -> Vec<Expr> {
    names.iter().map(|name| col(*name)).collect()
}
