//! Suppression of small groups in covered reports.
//!
//! A covered report must not say what a single person used or did. Every number
//! in it rests on at least [`ENOUGH`] people, and so does whatever a reader can
//! compute by subtracting rows of the report from each other. Service users and
//! other automation are not people; a session without a user counts as a person.
//!
//! For each dimension the small groups of the report's period are combined into one
//! row, [`SMALL_GROUP`](super::dimension::SMALL_GROUP); then rows of different dimensions are
//! compared. What a number rests on is [`Rests`]: metrics that rest on the same things share
//! a decision. [`PeriodFrames::combining`] combines the rows before a metric runs, and
//! [`Layout`](super::layout::Layout) leaves out facts, previous values and points of a trend.

mod groups;
mod rests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;

use super::acus::{ACUS_PER_SESSION_MAX, ACUS_SPLIT, ACUS_TOP_DECILE_SHARE, ACUS_WITHOUT_PR_SHARE};
use super::capabilities::Needs;
use super::dimension::{Dim, GroupKey, Key};
use super::merged_in_time::MERGED_WITHIN_7D_RATE;
use super::metric::{Metric, MetricKind};
use super::period_frames::{Combined, MERGED, PeriodFrames, RECENT};
use super::plan::{group_keys, is_decided, keys, lists_pr};
use super::pull_requests::{SESSIONS_WITH_MERGED_PR, SESSIONS_WITH_PR, UNDECIDED_PRS, UNDECIDED_SHARE};
use super::sessions::{LARGE_SESSION_SHARE, ONE_MESSAGE_SHARE, SESSIONS_STOPPED_BY_LIMIT};
use super::spend::SPEND_SPLIT;
use crate::people::ENOUGH;
use crate::tables::schema as c;
use groups::{Groups, Keys, Row, View, cells, halves, heaviest, rows_behind, views};
pub(super) use groups::{none_or_enough, people};
pub use rests::Rests;

/// Percentiles describe single sessions unless there are at least this many.
const ENOUGH_SESSIONS: f64 = 50.0;

/// Whether a covered report ever shows a metric in a grouping. `is_week` is whether it
/// is about a week.
pub fn is_ever_shown(metric: &Metric, by: &[Dim], is_week: bool) -> bool {
    // What a tag used minus its share is about the sessions with several tags.
    let is_split = [ACUS_SPLIT.id, SPEND_SPLIT.id].contains(&metric.id);
    // Too many sums of the same issues to check them all.
    let is_cut = matches!(by, [Dim::Label | Dim::Tag, Dim::Impact]);
    // The days of a month would complete those that a report of a week hides.
    let is_day = by.contains(&Dim::Day) && !is_week;
    // The number of sessions with a value is shown with that of all sessions.
    let is_percentile = metric.kind == MetricKind::Quantile && !by.is_empty();
    let is_single = by.contains(&Dim::User) || metric.id == ACUS_PER_SESSION_MAX.id;
    // Of a young period only the sessions of a few people are old enough.
    let is_of_few = metric.id == MERGED_WITHIN_7D_RATE.id;
    !(is_of_few || is_split || is_cut || is_day || is_percentile || is_single)
}

/// What may be shown of one grouping of the metrics that rest on the same things.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The dimensions, and the groups of the report's period that are combined.
    combined: Combined,
    /// Columns (see [`column`]) of which nothing is shown.
    left_out: BTreeSet<GroupKey>,
    /// The groups that are shown under their own key, by period.
    own: Vec<BTreeSet<GroupKey>>,
}

impl Shown {
    /// The groups that [`PeriodFrames::combining`] combines.
    pub fn combined(&self) -> &Combined {
        &self.combined
    }

    /// Whether nothing of the grouping is hidden in the report's period.
    pub fn is_whole(&self) -> bool {
        self.combined.groups.is_empty() && self.left_out.is_empty()
    }

    /// Whether a part of the grouping, or all of it, is left out.
    pub fn is_left_out(&self) -> bool {
        !self.left_out.is_empty()
    }

    /// Whether the values of a group may be shown. A combined group, or one with a
    /// combined impact, is shown in the report's period alone.
    pub fn has(&self, period: usize, key: &GroupKey) -> bool {
        let Combined { by, groups } = &self.combined;
        let is_combined_impact = matches!(by.as_slice(), [Dim::Impact, _]) && is_combined(column(by, key));
        let is_own = self.shows(period, key) && (period == 0 || !is_combined_impact);
        // All impacts are listed, so that none at all is a 0.
        let is_empty_impact = by == &[Dim::Impact] && !groups.contains(key) && !is_combined(key);
        let is_rest = is_combined(key) && !groups.is_empty();
        let is_left_out = || self.left_out.contains(column(by, key));
        is_own || period == 0 && (is_empty_impact || is_rest) && !is_left_out()
    }

    /// Whether a group has its own row in a period.
    fn shows(&self, period: usize, key: &GroupKey) -> bool {
        self.own.get(period).is_some_and(|own| own.contains(key))
    }
}

/// What became of the price of an ACU within a period. ACUs and money are two
/// equations for what was used before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceChange {
    /// There was one price, or none.
    None,
    /// It changed, with enough people, or none, at work before and after.
    Apart,
    /// It changed with too few people at work before or after.
    Few,
}

/// What a covered report shows of every grouping, and for which periods.
#[derive(Debug, Default)]
pub struct Suppression {
    /// What became of the price in each period, newest first.
    prices: Vec<PriceChange>,
    /// How many people were at work in each period, newest first.
    people: Vec<usize>,
    groupings: BTreeMap<(Rests, Vec<Dim>), Shown>,
    /// Metrics of the whole period that count or sum a part of it: whether the part and
    /// the rest have enough people, or none, by period.
    parts: BTreeMap<&'static str, Vec<bool>>,
}

impl Suppression {
    /// Decides for all groupings of some metrics, from the frames of every period, newest
    /// first; `prices` has an entry for each period.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn decide(
        metrics: &[(&'static Metric, Vec<Dim>)],
        periods: &[PeriodFrames],
        prices: Vec<PriceChange>,
    ) -> PolarsResult<Self> {
        let of_each = |frames: &PeriodFrames| people(frames.sessions(&[]));
        let people = periods.iter().map(of_each).collect::<PolarsResult<_>>()?;
        let mut this = Self { people, prices, ..Self::default() };
        let mut groupings: Vec<(Rests, Vec<Dim>)> =
            metrics.iter().map(|(metric, by)| (Rests::of(metric), by.clone())).collect();
        groupings.sort_by_key(|(rests, by)| (by.len(), *rests, by.clone()));
        groupings.dedup();
        let mut periods = periods.to_vec();
        for (place, (rests, by)) in groupings.iter().enumerate() {
            let shown = match by.as_slice() {
                [] => this.whole(&periods, *rests)?,
                _ => {
                    let given = Given::of(&periods, by)?;
                    this.grouping(&views_of(&periods, *rests, by)?, *rests, by, &given)
                }
            };
            this.groupings.insert((*rests, by.clone()), shown);
            let next = groupings.get(place + 1);
            let is_last = next.is_none_or(|(other, dims)| other != rests || dims.len() != 1);
            match by.as_slice() {
                [dim @ (Dim::Impact | Dim::Label)] => this.separate(&periods, &[(*rests, *dim)])?,
                [Dim::Bin] => {
                    // The bins, too, are parts of all sessions.
                    let mut dims = this.dims_of(Rests::Sessions);
                    dims.push((*rests, Dim::Bin));
                    this.separate(&periods, &dims)?;
                }
                [_] if is_last => this.separate(&periods, &this.dims_of(*rests))?,
                _ => {}
            }
            if by.as_slice() == [Dim::Impact] {
                // What is grouped by impact besides another dimension has no impact that is hidden.
                periods = this.without_impacts(&periods)?;
            }
        }
        // All others minus the undecided ones are the decided ones, which are withheld where they are
        // of too few people. How pull requests ended is public, so the undecided ones may be of few.
        let decided = |frames: &PeriodFrames| {
            Ok(none_or_enough(groups::people(frames.pull_requests(&[]).filter(is_decided()))?))
        };
        let decided: Vec<bool> = periods.iter().map(decided).collect::<PolarsResult<_>>()?;
        this.parts.insert(UNDECIDED_PRS.id, decided.clone());
        this.parts.insert(UNDECIDED_SHARE.id, decided);
        let mut part = |metric: &Metric, is_safe: &dyn Fn(&PeriodFrames) -> PolarsResult<bool>| {
            let safe = periods.iter().take(RECENT).map(is_safe).collect::<PolarsResult<_>>()?;
            this.parts.insert(metric.id, safe);
            PolarsResult::Ok(())
        };
        let known = |frames: &PeriodFrames| frames.sessions(&[]).filter(col(c::ACUS).is_not_null());
        part(&SESSIONS_WITH_PR, &|frames| halves(frames.sessions(&[]), lists_pr()))?;
        part(&SESSIONS_WITH_MERGED_PR, &|frames| halves(frames.sessions(&[]), col(MERGED)))?;
        part(&ACUS_WITHOUT_PR_SHARE, &|frames| halves(known(frames), lists_pr()))?;
        part(&ACUS_TOP_DECILE_SHARE, &|frames| {
            Ok(heaviest(frames)? && halves(known(frames), col(c::USER).is_null())?)
        })?;
        part(&ONE_MESSAGE_SHARE, &|frames| {
            // The number of sessions with a merged pull request is shown, and of those with a known number
            // of messages.
            let known = col(c::MESSAGES).is_not_null().alias("known");
            let is_one = col(c::MESSAGES).eq(lit(1)).fill_null(lit(false)).alias("one");
            let cells = cells(frames.sessions(&[]), vec![col(MERGED), known, is_one])?;
            Ok(cells.people()?.into_iter().all(none_or_enough))
        })?;
        let (limited, large) = (this.limited(&periods)?, this.large(&periods)?);
        this.parts.insert(SESSIONS_STOPPED_BY_LIMIT.id, limited);
        this.parts.insert(LARGE_SESSION_SHARE.id, large);
        Ok(this)
    }

    /// Whether the sessions that a limit stopped may be counted, by period. They are a part
    /// of all sessions, and of the rows by status and its detail; what has no row of its own
    /// is known as the rest.
    fn limited(&self, periods: &[PeriodFrames]) -> PolarsResult<Vec<bool>> {
        let is_safe = |(period, frames): (usize, &PeriodFrames)| {
            let halves = |rows: Expr| halves(frames.sessions(&[]).filter(rows), col(c::LIMITED));
            if !halves(lit(true))? {
                return Ok(false);
            }
            for dim in [Dim::Status, Dim::StatusDetail] {
                let Some(shown) = self.find(Rests::Sessions, &[dim]) else { continue };
                let text = || col(dim.name()).cast(DataType::String);
                let mut rest = lit(true);
                for key in shown.own.get(period).into_iter().flatten() {
                    let is_it = match key.as_slice() {
                        [Some(key)] => text().eq_missing(lit(key.text().to_owned())),
                        _ => text().is_null(),
                    };
                    if !halves(is_it.clone())? {
                        return Ok(false);
                    }
                    rest = rest.and(is_it.not());
                }
                if !halves(rest)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        periods.iter().take(RECENT).enumerate().map(is_safe).collect()
    }

    /// Whether the share of large sessions may be shown, by period: not where few people are
    /// behind a size, or where one is hidden, which the share would complete.
    fn large(&self, periods: &[PeriodFrames]) -> PolarsResult<Vec<bool>> {
        let by = [Dim::Size];
        let is_safe = |(period, frames): (usize, &PeriodFrames)| {
            let sizes = cells(frames.sessions(&[]), keys(&by))?;
            if !sizes.people()?.into_iter().all(none_or_enough) {
                return Ok(false);
            }
            let Some(shown) = self.find(Rests::Sessions, &by).filter(|_| period < RECENT) else {
                return Ok(true);
            };
            let has_row = |key: &GroupKey| shown.shows(period, key);
            Ok((period > 0 || shown.is_whole()) && group_keys(&sizes.0, &by)?.iter().all(has_row))
        };
        periods.iter().enumerate().map(is_safe).collect()
    }

    /// How many people were at work in a period.
    pub fn people(&self, period: usize) -> usize {
        *self.people.get(period).expect("people are counted in every period")
    }

    /// What is shown of a grouping of a metric.
    pub fn of(&self, metric: &Metric, by: &[Dim]) -> &Shown {
        self.of_rests(Rests::of(metric), by)
    }

    fn of_rests(&self, rests: Rests, by: &[Dim]) -> &Shown {
        self.find(rests, by).expect("every grouping that is shown was decided")
    }

    fn find(&self, rests: Rests, by: &[Dim]) -> Option<&Shown> {
        self.groupings.get(&(rests, by.to_vec()))
    }

    /// Whether nothing of a grouping is hidden; not where nothing is known of it.
    pub fn is_whole(&self, metric: &Metric, by: &[Dim]) -> bool {
        self.find(Rests::of(metric), by).is_some_and(Shown::is_whole)
    }

    /// What is shown of the impacts; `None` if the records have none.
    fn impacts(&self) -> Option<&Shown> {
        self.find(Rests::AnalysedSessions, &[Dim::Impact])
    }

    /// The same frames without the impacts that are hidden.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn without_impacts(&self, periods: &[PeriodFrames]) -> PolarsResult<Vec<PeriodFrames>> {
        match self.impacts() {
            None => Ok(periods.to_vec()),
            Some(shown) => periods.iter().map(|frames| frames.combining(&shown.combined)).collect(),
        }
    }

    /// Whether a value of a metric may be shown: not of a period with too few
    /// people, not of single sessions, and not of a part or a rest of few people.
    pub fn allows(&self, metric: &Metric, by: &[Dim], period: usize, key: &GroupKey, n: f64) -> bool {
        let is_part = || match self.parts.get(metric.id) {
            Some(periods) => periods.get(period).is_some_and(|is_safe| *is_safe),
            None => true,
        };
        let is_priced = || match self.prices.get(period) {
            _ if metric.needs != Needs::Price => true,
            Some(PriceChange::None) => true,
            Some(PriceChange::Apart) => by.is_empty(),
            Some(PriceChange::Few) | None => false,
        };
        self.people(period) >= ENOUGH as usize
            && (metric.kind != MetricKind::Quantile || n >= ENOUGH_SESSIONS)
            && is_priced()
            && self.of(metric, by).has(period, key)
            && is_part()
    }

    /// The dimensions that are decided for what rests on the same things.
    fn dims_of(&self, rests: Rests) -> Vec<(Rests, Dim)> {
        let own = self.groupings.keys().filter(|(own, by)| *own == rests && by.len() == 1);
        let dims = own.filter_map(|(_, by)| by.first().copied());
        dims.filter(|dim| !matches!(dim, Dim::Impact | Dim::Label | Dim::Type))
            .map(|dim| (rests, dim))
            .collect()
    }

    fn whole(&self, periods: &[PeriodFrames], rests: Rests) -> PolarsResult<Shown> {
        // The number of sessions with a value is shown with that of all sessions.
        let known = match rests {
            Rests::KnownSessions => Some(c::ACUS),
            Rests::CountedSessions => Some(c::MESSAGES),
            _ => None,
        };
        let own = |frames: &PeriodFrames| {
            let mut is_own = none_or_enough(people(rows_behind(frames, rests, &[]))?);
            if let Some(column) = known {
                is_own &= halves(frames.sessions(&[]), col(column).is_not_null())?;
            }
            Ok(if is_own { [GroupKey::new()].into() } else { BTreeSet::new() })
        };
        Ok(Shown { own: periods.iter().map(own).collect::<PolarsResult<_>>()?, ..Shown::default() })
    }

    /// Decides for a grouping by its views, period by period.
    fn grouping(&self, views: &[Vec<View>], rests: Rests, by: &[Dim], given: &Given) -> Shown {
        let is_day = by == [Dim::Day];
        let columns = |views: &[View]| -> BTreeSet<GroupKey> {
            let keys = views.iter().flat_map(|view| view.groups.keys());
            keys.map(|key| column(by, key).to_vec()).collect()
        };
        let combined = Combined { by: by.to_vec(), groups: BTreeSet::new() };
        let mut shown = Shown { combined, ..Shown::default() };
        let Some((now, before)) = views.split_first() else { return shown };
        if by.len() > 1 && self.impacts().is_some_and(Shown::is_left_out) {
            shown.left_out = columns(now);
            return shown;
        }
        let mut rows = BTreeSet::new();
        for place in columns(now) {
            let groups = Groups::new(now, |key| column(by, key) == place);
            let is_hidden = |key: &GroupKey| given.now.contains(key) || self.hides(by, rests, 0, key);
            let hidden = groups.keys.iter().copied().filter(|key| is_hidden(key)).collect();
            let hidden = groups.hidden(hidden, |hidden| {
                let is_apart = by != [Dim::Tag] || groups.overlaps_are_enough(hidden);
                match is_day {
                    true => groups.rests(hidden) && hidden.len() + given.empty_days != 1,
                    // One group under another name is still that group.
                    false => (hidden.is_empty() || hidden.len() > 1 && groups.is_enough(hidden)) && is_apart,
                }
            });
            let own: Keys<'_> = groups.keys.difference(&hidden).copied().collect();
            let remaining = own.len() + usize::from(!is_day);
            let is_rest_known = by == [Dim::Bin] && !groups.rests(&groups.keys);
            if !hidden.is_empty() && remaining < 2 || is_rest_known {
                shown.left_out.insert(place);
                continue;
            }
            if !is_day {
                shown.combined.groups.extend(hidden.into_iter().cloned());
            }
            rows.extend(own.into_iter().cloned());
        }
        let is_nothing_left = shown.combined.groups.is_empty() && rows.is_empty();
        shown.own.push(rows);
        if is_nothing_left {
            // It may have had no groups at all.
            return shown;
        }
        // What others combine is combined here as well, even where it has nothing that
        // counts: an amount of the one is a part of the other.
        for (_, other) in self.earlier(by, rests) {
            shown.combined.groups.extend(other.combined.groups.iter().cloned());
        }
        for (views, period) in before.iter().zip(1..) {
            let mut rows = BTreeSet::new();
            for place in columns(views) {
                let groups = Groups::new(views, |key| column(by, key) == place);
                let is_own = |key: &GroupKey| {
                    shown.shows(0, key) && !given.before.contains(key) && !self.hides(by, rests, period, key)
                };
                let others = groups.keys.iter().copied().filter(|key| !is_own(key)).collect();
                let hidden = groups.hidden(others, |hidden| groups.rests(hidden));
                rows.extend(groups.keys.difference(&hidden).copied().cloned());
            }
            shown.own.push(rows);
        }
        shown
    }

    /// The decisions for the same dimensions that were made before.
    fn earlier(&self, by: &[Dim], rests: Rests) -> impl Iterator<Item = (&(Rests, Vec<Dim>), &Shown)> {
        self.groupings.iter().filter(move |((other, dims), _)| dims == by && *other < rests)
    }

    /// Whether a decision that was made before hides a group in a period: a number that
    /// is shown of it there could be subtracted from what hides it here.
    fn hides(&self, by: &[Dim], rests: Rests, period: usize, key: &GroupKey) -> bool {
        self.earlier(by, rests).any(|(_, shown)| !shown.shows(period, key))
    }

    /// Hides rows of dimensions until no row minus another, or minus the rows of another
    /// dimension that make it up, reveals too few people. All count the same things.
    fn separate(&mut self, periods: &[PeriodFrames], dims: &[(Rests, Dim)]) -> PolarsResult<()> {
        let mut all: BTreeMap<Dim, Decided> = BTreeMap::new();
        for (rests, dim) in dims {
            let views = views_of(periods, *rests, &[*dim])?;
            all.insert(*dim, Decided { rests: *rests, views, given: Given::of(periods, &[*dim])? });
        }
        // Bins join dimensions that are decided: theirs stay as they are.
        let is_open = |dim: Dim| !all.contains_key(&Dim::Bin) || dim == Dim::Bin;
        let open: BTreeSet<Dim> = all.keys().copied().filter(|dim| is_open(*dim)).collect();
        for period in 0..RECENT.min(periods.len()) {
            loop {
                let revealing = self.revealing(&all, &open, period);
                if revealing.is_empty() {
                    break;
                }
                let touched: BTreeSet<Dim> = revealing.iter().map(|(dim, _)| *dim).collect();
                for (dim, key) in revealing {
                    let decided = all.get_mut(&dim).expect("it names the dimensions that it is given");
                    // A combined group takes the smallest of the others.
                    let smallest = || {
                        let groups = Groups::new(decided.views.get(period)?, |_| true);
                        let own = self.of_rests(decided.rests, &[dim]).own.get(period)?;
                        own.iter().min_by_key(|key| (groups.size(key), *key)).cloned()
                    };
                    let key =
                        key.or_else(smallest).expect("a dimension that reveals people has rows of its own");
                    match period {
                        0 => decided.given.now.insert(key),
                        _ => decided.given.before.insert(key),
                    };
                }
                for dim in touched {
                    let decided = all.get(&dim).expect("it was there before");
                    let Decided { rests, views, given } = decided;
                    let shown = self.grouping(views, *rests, &[dim], given);
                    self.groupings.insert((*rests, vec![dim]), shown);
                }
            }
        }
        Ok(())
    }

    /// Rows that reveal too few people together with others, at most one of two: a
    /// dimension and a key, or none for what has no row of its own.
    fn revealing(
        &self,
        all: &BTreeMap<Dim, Decided>,
        open: &BTreeSet<Dim>,
        period: usize,
    ) -> BTreeSet<RowName> {
        let mut rows: BTreeMap<RowName, Row> = BTreeMap::new();
        let mut whole = Row::default();
        for (dim, Decided { rests, views, .. }) in all {
            let shown = self.of_rests(*rests, &[*dim]);
            // Where no group has a row, there is nothing to subtract, and nothing to hide.
            let has_rows = shown.own.get(period).is_some_and(|own| !own.is_empty());
            if !has_rows || period == 0 && shown.is_left_out() {
                continue;
            }
            // The first view counts what all dimensions count.
            let Some(view) = views.get(period).and_then(|views| views.first()) else { continue };
            for (key, counted) in &view.groups {
                whole.extend(counted);
                // What is not shown is known as the rest of the whole, of tags as the combined row.
                let name = (*dim, shown.shows(period, key).then(|| key.clone()));
                if name.1.is_some() || period == 0 || !overlaps(*dim) {
                    rows.entry(name).or_default().extend(counted);
                }
            }
            whole.extend(&view.outside);
        }
        let rows: Vec<(RowName, Row)> = rows.into_iter().collect();
        let mut revealing = BTreeSet::new();
        // Days are hidden last: they cannot be combined.
        let rank = |(name, row): &(RowName, Row)| (!open.contains(&name.0), name.0 == Dim::Day, row.len());
        let reveal = |one: &(RowName, Row), other: &(RowName, Row), revealing: &mut BTreeSet<RowName>| {
            let victim = if rank(other) < rank(one) { other } else { one };
            if open.contains(&victim.0.0) && !revealing.contains(&one.0) && !revealing.contains(&other.0) {
                revealing.insert(victim.0.clone());
            }
        };
        let mut of_unit: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, (_, row)) in rows.iter().enumerate() {
            row.units().for_each(|unit| of_unit.entry(*unit).or_default().push(place));
        }
        // Rows of another dimension that are for the most part in a row make it up.
        for row in &rows {
            let mut common: BTreeMap<usize, usize> = BTreeMap::new();
            for place in row.1.units().filter_map(|unit| of_unit.get(unit)).flatten() {
                *common.entry(*place).or_default() += 1;
            }
            let mut parts: BTreeMap<Dim, Vec<&(RowName, Row)>> = BTreeMap::new();
            for (place, common) in common {
                if let Some(part) = rows.get(place).filter(|part| 2 * common > part.1.len()) {
                    parts.entry(part.0.0).or_default().push(part);
                }
            }
            for (_, parts) in parts.iter().filter(|(dim, _)| **dim != row.0.0) {
                let own: Vec<&Row> = parts.iter().map(|(_, part)| part).collect();
                if row.1.adds_up_but_few(&own)
                    && let Some(part) = parts.iter().min_by_key(|part| rank(part))
                {
                    reveal(row, part, &mut revealing);
                }
            }
        }
        let mut common: BTreeSet<(usize, usize)> = BTreeSet::new();
        for places in of_unit.values() {
            for (at, a) in places.iter().enumerate() {
                common.extend(places.iter().skip(at + 1).map(|b| (*a, *b)));
            }
        }
        for (a, b) in common {
            let (Some(one), Some(other)) = (rows.get(a), rows.get(b)) else { continue };
            let is_pair = overlaps(one.0.0) || overlaps(other.0.0);
            if is_pair && (one.1.differs_by_few(&other.1) || one.1.covers_but_few(&other.1, &whole)) {
                reveal(one, other, &mut revealing);
            }
        }
        revealing
    }
}

/// A row: a dimension, and the key of its group, or none for all without a row of their own.
type RowName = (Dim, Option<GroupKey>);

/// A dimension that was decided: what is counted in it, by period.
struct Decided {
    rests: Rests,
    views: Vec<Vec<View>>,
    given: Given,
}

/// The views of each period that a grouping is shown for: only the whole and the impacts
/// have a trend.
fn views_of(periods: &[PeriodFrames], rests: Rests, by: &[Dim]) -> PolarsResult<Vec<Vec<View>>> {
    let count = if by == [Dim::Impact] { periods.len() } else { RECENT };
    periods.iter().take(count).map(|frames| views(frames, rests, by)).collect()
}

/// Whether one thing can be in several groups of a dimension.
fn overlaps(dim: Dim) -> bool {
    matches!(dim, Dim::Tag | Dim::Label | Dim::Impact)
}

/// What is known of a grouping before its groups are counted.
#[derive(Default)]
struct Given {
    /// Groups to hide in the report's period …
    now: BTreeSet<GroupKey>,
    /// … and in those before.
    before: BTreeSet<GroupKey>,
    /// Days of the report's period without a session.
    empty_days: usize,
}

impl Given {
    fn of(periods: &[PeriodFrames], by: &[Dim]) -> PolarsResult<Self> {
        let empty_days = match (periods.first(), by) {
            (Some(frames), [Dim::Day]) => frames.empty_days()?,
            _ => 0,
        };
        Ok(Self { empty_days, ..Self::default() })
    }
}

/// The part of a grouping that groups are combined within: an impact where the groups are
/// cut by impact, else everything.
fn column<'k>(by: &[Dim], key: &'k GroupKey) -> &'k [Option<Key>] {
    match by {
        [Dim::Impact, _] => key.get(..1).expect("a key has an impact and another text"),
        _ => &[],
    }
}

/// Whether a key is that of the combined group.
pub fn is_combined(key: &[Option<Key>]) -> bool {
    key.last().and_then(Option::as_ref).is_some_and(Key::is_combined)
}
