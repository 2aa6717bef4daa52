//! The frames made ready for grouping: every row knows its period, every pull
//! request is there once a period, and what a session lists stands beside it.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::acus::BINS;
use super::analysis::MOST_ISSUES;
use super::calendar::{Calendar, DAY, Day, PERIOD, placed_in, price};
use super::evaluate::Span;
use super::metric::{Dim, Grain};
use super::plan::keys;
use super::suppress::{SMALL_GROUP, Shown, combining, small_group};
use crate::fetch::Records;
use crate::frame::columns as c;
use crate::frame::normal::{IMPACTS, STATES};
use crate::frame::{Frames, Words};

/// Rank of the best state among a session's pull requests; null lists none.
pub const BEST_STATE: &str = "best_state";

/// How many of a session's tags a row by tag stands for.
pub const TAGS: &str = "tags";

/// Number of a pull request within its period.
pub const PULL_REQUEST: &str = "pull_request";

/// Number of the person behind a row, null for automation; in covered reports
/// alone. A session without a user has a number of its own.
pub const PERSON: &str = "person";
/// Number of an issue; in covered reports alone.
pub const ISSUE: &str = "issue";
/// Number of an action item; in covered reports alone.
pub const ITEM: &str = "item";

/// Everything that plans read, one frame a grain.
#[derive(Clone)]
pub struct Cube {
    sessions: DataFrame,
    tags: DataFrame,
    /// What each session lists, in the order of sessions.
    entries: DataFrame,
    pull_requests: DataFrame,
    issues: DataFrame,
    action_items: DataFrame,
    impacts: DataFrame,
    by_tag: Option<ByTag>,
    names: DataFrame,
    /// What is shown of one grouping in a covered report.
    shown: Option<Shown>,
    words: Words,
    days: Vec<Day>,
}

/// Each grain joined with its sessions' tags, where many plans ask for it.
#[derive(Clone)]
struct ByTag {
    sessions: DataFrame,
    pull_requests: DataFrame,
    issues: DataFrame,
}

/// A column that is the same everywhere: joining on it pairs every row with every other.
const EVERY: &str = "every";

impl Cube {
    /// Cuts frames into the span's periods; rows of no period are left out.
    ///
    /// # Errors
    /// Polars refused a step: a defect, not a state of the data.
    pub fn new(frames: &Frames, span: &Span<'_>) -> PolarsResult<Self> {
        let calendar = Calendar::new(span.periods);
        let mut placed = placed_in(&frames.sessions, &calendar)?;
        let (mut issues, mut action_items) =
            (placed_in(&frames.issues, &calendar)?, placed_in(&frames.action_items, &calendar)?);
        let mut of_owner = vec![c::ROW, PERIOD, c::USER, c::TEAM, c::CATEGORY];
        if span.covered {
            placed = placed.lazy().with_column(person(span.known.records)).collect()?;
            of_owner.push(PERSON);
            let people = placed.select([c::ROW, PERSON])?.lazy();
            let numbered = |frame: DataFrame, number: &str| {
                joined(frame.lazy().with_row_index(number, None), people.clone(), JoinType::Inner).collect()
            };
            issues = numbered(issues, ISSUE)?;
            action_items = numbered(action_items, ITEM)?;
        }
        if let Some(prices) = span.prices {
            price(&mut placed, &calendar, prices)?;
        }

        // Sessions stand in order, so the first row of each pull request is its owner's:
        // the earliest session, then the smallest id.
        let entries = joined(
            placed.clone().lazy().select(cols_of(&of_owner)),
            frames.pull_requests.clone().lazy().filter(col(c::ADDRESS).is_not_null()),
            JoinType::Inner,
        )
        .with_column(in_period().alias(PULL_REQUEST))
        .collect()?;
        let owner = of_owner.iter().chain([&c::REPO]).map(|column| col(*column).first());
        let pull_requests = entries
            .clone()
            .lazy()
            .group_by_stable([col(PULL_REQUEST)])
            .agg(owner.chain([col(c::STATE).min()]).collect::<Vec<_>>())
            .collect()?;

        Ok(Self {
            sessions: placed,
            entries: entries.select([c::ROW, PERIOD, PULL_REQUEST])?,
            pull_requests,
            tags: frames.tags.clone().lazy().with_column(lit(1_u32).alias(TAGS)).collect()?,
            issues,
            action_items,
            by_tag: None,
            names: frames.names.clone(),
            shown: None,
            impacts: df!(EVERY => [0; 4], c::IMPACT => [0_u32, 1, 2, 3])?,
            words: frames.words.clone(),
            days: calendar.days,
        })
    }

    /// The same cube with the report's period and the previous one alone, which
    /// alone knows [`BEST_STATE`].
    ///
    /// # Errors
    /// As for [`Cube::new`].
    pub fn recent(&self) -> PolarsResult<Self> {
        let cut = |frame: &DataFrame| frame.clone().lazy().filter(col(PERIOD).lt_eq(lit(1))).collect();
        // Of what stands in the order of sessions these two periods are the end.
        let end = |frame: &DataFrame| {
            let count = frame.column(PERIOD)?.u32()?.iter().flatten().filter(|period| *period <= 1).count();
            PolarsResult::Ok(frame.tail(Some(count)))
        };
        let (mut sessions, entries, pull_requests) =
            (end(&self.sessions)?, end(&self.entries)?, end(&self.pull_requests)?);
        let issues = cut(&self.issues)?;
        // What the sessions that list a pull request agree on is the state in each of them.
        let agreed =
            pull_requests.clone().lazy().select([col(PULL_REQUEST), col(c::STATE).alias(BEST_STATE)]);
        let best = entries
            .clone()
            .lazy()
            .inner_join(agreed, col(PULL_REQUEST), col(PULL_REQUEST))
            .group_by([col(c::ROW)])
            .agg([col(BEST_STATE).min()]);
        let best = joined(sessions.select([c::ROW])?.lazy(), best, JoinType::Left).collect()?;
        sessions.with_column(best.column(BEST_STATE)?.clone())?;

        let rows = sessions.clone().lazy().select([col(c::ROW)]);
        let tags = self.tags.clone().lazy().semi_join(rows, col(c::ROW), col(c::ROW)).collect()?;
        let tagged =
            |frame: &DataFrame| joined(frame.clone().lazy(), tags.clone().lazy(), JoinType::Left).collect();
        Ok(Self {
            by_tag: Some(ByTag {
                sessions: tagged(&sessions)?,
                pull_requests: tagged(&pull_requests)?,
                issues: tagged(&issues)?,
            }),
            sessions,
            entries,
            pull_requests,
            tags,
            issues,
            action_items: cut(&self.action_items)?,
            impacts: self.impacts.clone(),
            names: self.names.clone(),
            shown: None,
            words: self.words.clone(),
            days: self.days.clone(),
        })
    }

    /// The text that a dimension's number stands for.
    pub fn word(&self, dim: Dim, number: u32) -> String {
        let at = number as usize;
        if number == small_group(dim) {
            return SMALL_GROUP.to_owned();
        }
        let word = match dim {
            Dim::Bin => return BINS.get(at).copied().unwrap_or_default().to_string(),
            Dim::Issues if number >= MOST_ISSUES => return format!("{MOST_ISSUES}+"),
            Dim::Issues => return number.to_string(),
            Dim::Day => self.days.get(at).map(|day| day.date.as_str()),
            Dim::Impact => IMPACTS.get(at).copied(),
            Dim::State => STATES.get(at).copied(),
            _ => self.words.of(dim.name()).get(at).map(AsRef::as_ref),
        };
        word.unwrap_or_default().to_owned()
    }

    /// The numbers of a period's local dates.
    pub fn days(&self, period: u32) -> impl Iterator<Item = u32> {
        self.days.iter().zip(0..).filter(move |(day, _)| day.period == period).map(|(_, number)| number)
    }

    /// How many of the local dates of the report's period have no session.
    pub fn empty_days(&self) -> usize {
        let days = self.sessions.column(DAY).and_then(|days| days.u32().cloned());
        let days = days.expect("sessions know their day");
        let used: BTreeSet<u32> = days.iter().flatten().collect();
        self.days(0).filter(|day| !used.contains(day)).count()
    }

    /// The rows of a grain.
    pub fn rows(&self, grain: Grain, by: &[Dim]) -> LazyFrame {
        match grain {
            Grain::Session => self.sessions(by),
            Grain::PullRequest => self.pull_requests(by),
        }
    }

    /// Sessions; by tag a session has a row for each of its tags, or one without a tag.
    pub fn sessions(&self, by: &[Dim]) -> LazyFrame {
        let rows = self.tagged(by, &self.sessions, |by_tag| &by_tag.sessions);
        self.suppress(by, rows, c::ROW)
    }

    /// Distinct pull requests a period, with their owner's user and tags.
    pub fn pull_requests(&self, by: &[Dim]) -> LazyFrame {
        let rows = self.tagged(by, &self.pull_requests, |by_tag| &by_tag.pull_requests);
        self.suppress(by, rows, PULL_REQUEST)
    }

    /// Issues of the sessions' analyses.
    pub fn issues(&self, by: &[Dim]) -> LazyFrame {
        self.suppress(by, self.tagged(by, &self.issues, |by_tag| &by_tag.issues), ISSUE)
    }

    /// What sessions that may be named are named by, and their row.
    pub fn names(&self) -> LazyFrame {
        self.names.clone().lazy()
    }

    /// Action items.
    pub fn action_items(&self, by: &[Dim]) -> LazyFrame {
        self.suppress(by, self.action_items.clone().lazy(), ITEM)
    }

    /// The same cube, in which the groups that a covered report must not show are
    /// one group. Impacts stay so in every grouping that they are a part of.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn suppressed(&self, shown: &Shown) -> PolarsResult<Self> {
        let mut cube = Self { shown: Some(shown.clone()), ..self.clone() };
        if shown.by() == [Dim::Impact] && !shown.combined().is_empty() {
            let recoded =
                |frame: &DataFrame| cube.suppress(&[Dim::Impact], frame.clone().lazy(), ISSUE).collect();
            let issues = recoded(&self.issues)?;
            let by_tag = self
                .by_tag
                .clone()
                .map(|by_tag| Ok::<_, PolarsError>(ByTag { issues: recoded(&by_tag.issues)?, ..by_tag }));
            let by_tag = by_tag.transpose()?;
            let impacts = recoded(&self.impacts)?.unique_stable(None, UniqueKeepStrategy::First, None)?;
            cube = Self { issues, by_tag, impacts, shown: None, ..cube };
        }
        Ok(cube)
    }

    /// Gives the groups of rows that a covered report must not show the number of
    /// the combined group. What is counted, a `unit`, is there once in it.
    pub fn suppress(&self, by: &[Dim], rows: LazyFrame, unit: &str) -> LazyFrame {
        let shown = self.shown.as_ref().filter(|shown| shown.by() == by && !shown.combined().is_empty());
        let (Some(shown), Some(dim)) = (shown, combining(by)) else { return rows };
        let combined = Column::new(KEY.into(), shown.combined().iter().copied().collect::<Vec<u64>>());
        let combined = DataFrame::new_infer_height(vec![combined]).map(IntoLazy::lazy);
        let combined = combined.expect("one column is a frame").with_column(lit(true).alias(IS_COMBINED));
        let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
        let key = when(col(IS_COMBINED).is_not_null()).then(lit(small_group(dim))).otherwise(col(dim.name()));
        let rows = rows
            .with_column(keys(by).alias(KEY))
            .join(combined, [col(KEY)], [col(KEY)], args)
            .with_column(key.alias(dim.name()))
            .drop(cols([KEY, IS_COMBINED]));
        if dim != Dim::Tag {
            return rows;
        }
        let one: Vec<&str> = std::iter::once(unit).chain(by.iter().map(|dim| dim.name())).collect();
        // A row by tag stands for several of the session's tags once they are combined.
        let tags = col(TAGS).fill_null(lit(1_u32)).sum().over(cols_of(&one));
        let tags = tags.expect("it is partitioned by at least two columns");
        rows.with_column(tags.alias(TAGS)).unique_stable(Some(cols(one)), UniqueKeepStrategy::First)
    }

    /// Every row four times, once with each impact.
    pub fn with_each_impact(&self, frame: LazyFrame) -> LazyFrame {
        frame.with_column(lit(0).alias(EVERY)).inner_join(self.impacts.clone().lazy(), col(EVERY), col(EVERY))
    }

    fn tagged(&self, by: &[Dim], frame: &DataFrame, joined_before: fn(&ByTag) -> &DataFrame) -> LazyFrame {
        match (by.contains(&Dim::Tag), &self.by_tag) {
            (false, _) => frame.clone().lazy(),
            (true, Some(by_tag)) => joined_before(by_tag).clone().lazy(),
            (true, None) => joined(frame.clone().lazy(), self.tags.clone().lazy(), JoinType::Left),
        }
    }
}

/// Joins on the session; the order of the left side is kept, because it decides
/// in which order sums add up, and so their last digit.
fn joined(left: LazyFrame, right: LazyFrame, how: JoinType) -> LazyFrame {
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(how) };
    left.join(right, [col(c::ROW)], [col(c::ROW)], args)
}

/// Packed keys of a row's group.
const KEY: &str = "key";
/// Whether a row's group is to be combined with others.
const IS_COMBINED: &str = "is_combined";

/// The person behind each session. A number of a user has 32 bits. A session without a
/// user has a person of its own, unless the user may be what could not be read: then
/// nobody, since all such sessions may be of one person or of automation. The latter
/// holds of the web app's export, too, which does not tell automation.
pub(super) fn person(records: Records) -> Expr {
    let is_read = col(c::UNREADABLE).eq(lit(0)).and(lit(records != Records::Export));
    let alone = lit(1_u64 << 32) + col(c::ROW).cast(DataType::UInt64);
    let alone = when(is_read).then(alone).otherwise(lit(NULL).cast(DataType::UInt64));
    let person = coalesce(&[col(c::USER).cast(DataType::UInt64), alone]);
    when(col(c::AUTOMATION)).then(lit(NULL).cast(DataType::UInt64)).otherwise(person).alias(PERSON)
}

/// The number of a pull request within its period: one number, because several
/// keys are slow to group by.
fn in_period() -> Expr {
    col(PERIOD).cast(DataType::UInt64) * lit(1_u64 << 32) + col(c::ADDRESS).cast(DataType::UInt64)
}

pub(super) fn cols_of(names: &[&str]) -> Vec<Expr> {
    names.iter().map(|name| col(*name)).collect()
}
