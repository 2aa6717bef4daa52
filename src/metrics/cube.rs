//! The frames made ready for grouping: every row knows its period, every pull
//! request is there once a period, and what a session lists stands beside it.

use polars::prelude::*;

use super::acus::BINS;
use super::analysis::MOST_ISSUES;
use super::calendar::{Calendar, Day, PERIOD, placed_in, price};
use super::evaluate::Span;
use super::fold::{FEW, FOLDED, Groups, fold};
use super::metric::{Dim, Grain};
use crate::frame::columns as c;
use crate::frame::normal::{IMPACTS, STATES};
use crate::frame::{Frames, Words};

/// Rank of the best state among a session's pull requests; null lists none.
pub const BEST_STATE: &str = "best_state";

/// How many of a session's tags a row by tag stands for.
pub const TAGS: &str = "tags";

/// Number of a pull request within its period.
const PULL_REQUEST: &str = "pull_request";

/// Everything that plans read, one frame a grain.
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
    few_before: Groups,
    words: Words,
    days: Vec<Day>,
}

/// Each grain joined with its sessions' tags, where many plans ask for it.
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
        let mut tags = frames.tags.clone();
        let mut entries = frames.pull_requests.clone();
        let few_before = match span.folded {
            true => fold(&mut placed, &mut tags, &mut entries)?,
            false => Groups::new(),
        };
        if let Some(prices) = span.prices {
            price(&mut placed, &calendar, prices)?;
        }

        // Sessions stand in order, so the first row of each pull request is its owner's:
        // the earliest session, then the smallest id.
        let entries = joined(
            placed.clone().lazy().select(cols_of(&[c::ROW, PERIOD, c::USER, c::TEAM, c::CATEGORY])),
            entries.lazy().filter(col(c::ADDRESS).is_not_null()),
            JoinType::Inner,
        )
        .with_column(in_period().alias(PULL_REQUEST))
        .collect()?;
        let pull_requests = entries
            .clone()
            .lazy()
            .group_by_stable([col(PULL_REQUEST)])
            .agg([
                col(PERIOD).first(),
                col(c::STATE).min(),
                col(c::REPO).first(),
                col(c::USER).first(),
                col(c::TEAM).first(),
                col(c::CATEGORY).first(),
                col(c::ROW).first(),
            ])
            .collect()?;

        Ok(Self {
            sessions: placed,
            entries: entries.select([c::ROW, PERIOD, PULL_REQUEST])?,
            pull_requests,
            tags: match tags.column(TAGS) {
                Ok(_) => tags,
                Err(_) => tags.lazy().with_column(lit(1_u32).alias(TAGS)).collect()?,
            },
            issues: placed_in(&frames.issues, &calendar)?,
            action_items: placed_in(&frames.action_items, &calendar)?,
            by_tag: None,
            names: frames.names.clone(),
            few_before,
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
            few_before: self.few_before.clone(),
            words: self.words.clone(),
            days: self.days.clone(),
        })
    }

    /// The text that a dimension's number stands for.
    pub fn word(&self, dim: Dim, number: u32) -> String {
        let at = number as usize;
        if number == FEW {
            return FOLDED.to_owned();
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

    /// Whether what a group had in the previous period is not to be told.
    pub fn hides_before(&self, mut group: impl Iterator<Item = (Dim, u32)>) -> bool {
        group.any(|(dim, number)| self.few_before.contains(&(dim.name(), number)))
    }

    /// The numbers of a period's local dates.
    pub fn days(&self, period: u32) -> impl Iterator<Item = u32> {
        self.days.iter().zip(0..).filter(move |(day, _)| day.period == period).map(|(_, number)| number)
    }

    /// The rows of a grain.
    pub fn rows(&self, grain: Grain, by: &[Dim]) -> LazyFrame {
        match grain {
            Grain::Session => self.sessions(by),
            Grain::PullRequest => self.pull_requests(by),
        }
    }

    /// Sessions; by tag a session stands once under each of its tags, or once
    /// under none.
    pub fn sessions(&self, by: &[Dim]) -> LazyFrame {
        self.tagged(by, &self.sessions, |by_tag| &by_tag.sessions)
    }

    /// Distinct pull requests a period, with their owner's user and tags.
    pub fn pull_requests(&self, by: &[Dim]) -> LazyFrame {
        self.tagged(by, &self.pull_requests, |by_tag| &by_tag.pull_requests)
    }

    /// Issues of the sessions' analyses.
    pub fn issues(&self, by: &[Dim]) -> LazyFrame {
        self.tagged(by, &self.issues, |by_tag| &by_tag.issues)
    }

    /// What sessions that may be named are named by, and their row.
    pub fn names(&self) -> LazyFrame {
        self.names.clone().lazy()
    }

    /// Action items.
    pub fn action_items(&self) -> LazyFrame {
        self.action_items.clone().lazy()
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

/// The number of a pull request within its period: one number, because several
/// keys are slow to group by.
fn in_period() -> Expr {
    col(PERIOD).cast(DataType::UInt64) * lit(1_u64 << 32) + col(c::ADDRESS).cast(DataType::UInt64)
}

pub(super) fn cols_of(names: &[&str]) -> Vec<Expr> {
    names.iter().map(|name| col(*name)).collect()
}
