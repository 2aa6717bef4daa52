//! The frames made ready for grouping: every row knows its period, every pull
//! request is there once a period, and what a session lists stands beside it.

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

/// Number of a pull request within its period.
const PULL_REQUEST: &str = "pull_request";

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

        // Sessions stand in order, so the first row of each pull request is its owner's:
        // the earliest session, then the smallest id.
        let entries = joined(
            placed.clone().lazy().select(cols_of(&[c::ROW, PERIOD, c::USER])),
            frames.pull_requests.clone().lazy().filter(col(c::ADDRESS).is_not_null()),
            JoinType::Inner,
        )
        .with_column(in_period().alias(PULL_REQUEST))
        .collect()?
        .lazy();
        let pull_requests = entries
            .clone()
            .group_by_stable([col(PULL_REQUEST)])
            .agg([
                col(PERIOD).first(),
                col(c::STATE).min(),
                col(c::REPO).first(),
                col(c::USER).first(),
                col(c::ROW).first(),
            ])
            .collect()?;
        let listed = entries
            .select(cols_of(&[c::ROW, PULL_REQUEST]))
            .unique(None, UniqueKeepStrategy::Any)
            .inner_join(
                pull_requests.clone().lazy().select(cols_of(&[PULL_REQUEST, c::STATE])),
                col(PULL_REQUEST),
                col(PULL_REQUEST),
            )
            .group_by([col(c::ROW)])
            .agg([col(c::STATE).min().alias(BEST_STATE), len().alias(PR_COUNT)]);
        let tag_counts = frames.tags.clone().lazy().group_by([col(c::ROW)]).agg([len().alias(TAG_COUNT)]);
        let sessions = joined(joined(placed.lazy(), listed, JoinType::Left), tag_counts, JoinType::Left)
            .with_columns([col(PR_COUNT).fill_null(lit(0)), col(TAG_COUNT).fill_null(lit(0))])
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
        joined(frame, self.tags.clone().lazy(), JoinType::Left)
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

/// A local day.
struct Day {
    /// UTC, microseconds.
    begins: i64,
    period: u32,
    date: String,
}

/// Adds each session's period and local date, drops sessions of no period, and
/// puts the others in order: by creation, then by id.
fn place(sessions: &DataFrame, periods: &[Period]) -> PolarsResult<DataFrame> {
    let numbered = periods.iter().enumerate().rev();
    let days: Vec<Day> = numbered.flat_map(|(index, period)| days_of(index, period)).collect();
    let end = periods.first().map_or(i64::MIN, |period| period.to().timestamp_micros());
    let day = |created: i64| {
        let begun = days.partition_point(|day| day.begins <= created);
        days.get(begun.checked_sub(1)?).filter(|_| created < end)
    };
    let created = sessions.column(c::CREATED)?.i64()?;
    let found: Vec<Option<&Day>> = created.iter().map(|at| at.and_then(day)).collect();
    let period: UInt32Chunked = found.iter().map(|day| day.map(|day| day.period)).collect();
    let date: StringChunked = found.iter().map(|day| day.map(|day| day.date.as_str())).collect();

    let mut placed = sessions.clone();
    placed.with_column(period.with_name(PERIOD.into()).into_column())?;
    placed.with_column(date.with_name(DAY.into()).into_column())?;
    placed
        .lazy()
        .filter(col(PERIOD).is_not_null())
        .sort([c::CREATED, c::ID], SortMultipleOptions::default())
        .collect()
}

fn days_of(index: usize, period: &Period) -> impl Iterator<Item = Day> + use<> {
    let (tz, period_number) = (period.tz(), u32::try_from(index).unwrap_or(u32::MAX));
    period.dates().filter_map(move |date| {
        let begins = Period::days(date, date, tz)?.from().timestamp_micros();
        Some(Day { begins, period: period_number, date: date.to_string() })
    })
}

pub(super) fn cols_of(names: &[&str]) -> Vec<Expr> {
    names.iter().map(|name| col(*name)).collect()
}
