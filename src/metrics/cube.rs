//! The frames made ready for grouping: every row knows its period, every pull
//! request is there once a period, and what a session lists stands beside it.

use chrono_tz::Tz;
use polars::prelude::*;

use super::metric::Dim;
use crate::frame::Frames;
use crate::frame::columns as c;
use crate::frame::normal;
use crate::period::Period;

/// Index of the period: 0 is the report's, 1 the previous one, and so on back.
pub const PERIOD: &str = "period";
/// Local date of a session, as text.
pub const DAY: &str = "day";
/// Number of distinct tags of a session.
pub const TAG_COUNT: &str = "tag_count";
/// Rank of the best state among a session's pull requests; null lists none.
pub const BEST_STATE: &str = "best_state";
/// Number of a session's pull requests.
pub const PR_COUNT: &str = "pr_count";

/// Everything that plans read, one frame a grain.
pub struct Cube {
    sessions: DataFrame,
    tags: DataFrame,
    pull_requests: DataFrame,
    issues: DataFrame,
    action_items: DataFrame,
    impacts: DataFrame,
}

/// A column that is the same everywhere: joining on it pairs every row with every other.
const EVERY: &str = "every";

impl Cube {
    /// Cuts frames into periods, newest first; rows of no period are left out.
    ///
    /// # Errors
    /// Polars refused a step: a defect, not a state of the data.
    pub fn new(frames: &Frames, periods: &[Period]) -> PolarsResult<Self> {
        let placed = place(&frames.sessions, periods)?;
        let keys = placed.clone().lazy().select(cols_of(&[c::ROW, PERIOD, c::USER]));
        let of_period = |frame: &DataFrame| {
            frame.clone().lazy().join(
                keys.clone(),
                [col(c::ROW)],
                [col(c::ROW)],
                JoinArgs::new(JoinType::Inner),
            )
        };

        let entries = frames.pull_requests.clone().lazy().filter(col(c::ADDRESS).is_not_null()).inner_join(
            placed.clone().lazy().select(cols_of(&[c::ROW, PERIOD, c::USER, c::CREATED, c::ID])),
            col(c::ROW),
            col(c::ROW),
        );
        // The first row of each group is the owner's: the earliest session, then the smallest id.
        let pull_requests = entries
            .clone()
            .sort([c::CREATED, c::ID], SortMultipleOptions::default())
            .group_by_stable(cols_of(&[PERIOD, c::ADDRESS]))
            .agg([col(c::STATE).min(), col(c::REPO).first(), col(c::USER).first(), col(c::ROW).first()])
            .collect()?;
        let listed = entries
            .select(cols_of(&[c::ROW, PERIOD, c::ADDRESS]))
            .unique(None, UniqueKeepStrategy::Any)
            .join(
                pull_requests.clone().lazy().select(cols_of(&[PERIOD, c::ADDRESS, c::STATE])),
                cols_of(&[PERIOD, c::ADDRESS]),
                cols_of(&[PERIOD, c::ADDRESS]),
                JoinArgs::new(JoinType::Inner),
            )
            .group_by([col(c::ROW)])
            .agg([col(c::STATE).min().alias(BEST_STATE), len().alias(PR_COUNT)]);
        let tag_counts = frames.tags.clone().lazy().group_by([col(c::ROW)]).agg([len().alias(TAG_COUNT)]);
        let sessions = placed
            .lazy()
            .left_join(listed, col(c::ROW), col(c::ROW))
            .left_join(tag_counts, col(c::ROW), col(c::ROW))
            .with_columns([col(PR_COUNT).fill_null(lit(0)), col(TAG_COUNT).fill_null(lit(0))])
            // Row order decides the order in which sums add up, and so their last digit.
            .sort([c::CREATED, c::ID], SortMultipleOptions::default())
            .collect()?;

        Ok(Self {
            sessions,
            pull_requests,
            tags: frames.tags.clone(),
            issues: of_period(&frames.issues).collect()?,
            action_items: of_period(&frames.action_items).collect()?,
            impacts: df!(EVERY => [0; 4], c::IMPACT => normal::IMPACTS)?,
        })
    }

    /// The same cube with the report's period and the previous one alone.
    ///
    /// # Errors
    /// As for [`Cube::new`].
    pub fn recent(&self) -> PolarsResult<Self> {
        let cut = |frame: &DataFrame| frame.clone().lazy().filter(col(PERIOD).lt_eq(lit(1))).collect();
        Ok(Self {
            sessions: cut(&self.sessions)?,
            pull_requests: cut(&self.pull_requests)?,
            tags: self.tags.clone(),
            issues: cut(&self.issues)?,
            action_items: cut(&self.action_items)?,
            impacts: self.impacts.clone(),
        })
    }

    /// Sessions; by tag a session stands once under each of its tags, or once
    /// under none.
    pub fn sessions(&self, by: &[Dim]) -> LazyFrame {
        self.tagged(&self.sessions, by)
    }

    /// Distinct pull requests a period, with their owner's user and tags.
    pub fn pull_requests(&self, by: &[Dim]) -> LazyFrame {
        self.tagged(&self.pull_requests, by)
    }

    /// Issues of the sessions' analyses.
    pub fn issues(&self, by: &[Dim]) -> LazyFrame {
        self.tagged(&self.issues, by)
    }

    /// Action items.
    pub fn action_items(&self, by: &[Dim]) -> LazyFrame {
        self.tagged(&self.action_items, by)
    }

    /// Every row four times, once with each impact.
    pub fn with_each_impact(&self, frame: LazyFrame) -> LazyFrame {
        frame.with_column(lit(0).alias(EVERY)).inner_join(self.impacts.clone().lazy(), col(EVERY), col(EVERY))
    }

    fn tagged(&self, frame: &DataFrame, by: &[Dim]) -> LazyFrame {
        let frame = frame.clone().lazy();
        if !by.contains(&Dim::Tag) {
            return frame;
        }
        // The order of the left side is kept, so that sums add up alike every time.
        let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
        frame.join(self.tags.clone().lazy(), [col(c::ROW)], [col(c::ROW)], args)
    }
}

/// Adds each session's period and local date; drops sessions of no period.
fn place(sessions: &DataFrame, periods: &[Period]) -> PolarsResult<DataFrame> {
    let mut starts: Vec<i64> = periods.iter().map(|period| period.from().timestamp_micros()).collect();
    starts.reverse();
    let end = periods.first().map_or(i64::MIN, |period| period.to().timestamp_micros());
    let count = periods.len();
    let index = |created: i64| {
        let begun = starts.partition_point(|start| *start <= created);
        (created < end && begun > 0).then(|| u32::try_from(count - begun).unwrap_or(u32::MAX))
    };
    let created = sessions.column(c::CREATED)?.i64()?;
    let period: UInt32Chunked = created.iter().map(|at| at.and_then(index)).collect();
    let tz = periods.first().map_or(Tz::UTC, Period::tz);
    let zone = TimeZone::opt_try_new(Some(tz.name()))?.unwrap_or(TimeZone::UTC);

    let mut placed = sessions.clone();
    placed.with_column(period.into_series().with_name(PERIOD.into()).into_column())?;
    placed
        .lazy()
        .filter(col(PERIOD).is_not_null())
        .with_column(
            col(c::CREATED)
                .cast(DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
                .dt()
                .convert_time_zone(zone)
                .dt()
                .date()
                .dt()
                .to_string("%Y-%m-%d")
                .alias(DAY),
        )
        .collect()
}

pub(super) fn cols_of(names: &[&str]) -> Vec<Expr> {
    names.iter().map(|name| col(*name)).collect()
}
