//! Suppression of small groups in covered reports.
//!
//! A covered report must not say what a single person used or did. Every number
//! in it rests on at least [`ENOUGH`] people, and so does whatever a reader can
//! compute by subtracting rows of the report from each other. Service users and
//! other automation are not people; a session without a user counts as a person.
//!
//! For each dimension the small groups of the report's period are combined into one
//! row, [`SMALL_GROUP`]; then rows of different dimensions are compared. What a
//! number rests on is [`Rests`]: metrics that rest on the same things share a
//! decision. [`Cube::suppressed`](super::cube::Cube::suppressed) combines the rows
//! before a metric runs, and [`Layout`](super::answers::Layout) leaves out facts,
//! previous values and points of a trend.

mod groups;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;

use super::acus::{ACUS, ACUS_PER_SESSION_MAX, ACUS_SPLIT, ACUS_TOP_DECILE_SHARE, ACUS_WITHOUT_PR_SHARE};
use super::cube::{BEST_STATE, Cube};
use super::metric::{Basis, Dim, Kind, Metric, Needs};
use super::plan::{keys, lists_pr};
use super::pull_requests::{SESSIONS_WITH_MERGED_PR, SESSIONS_WITH_PR};
use super::sessions::SESSIONS_STOPPED_BY_LIMIT;
use super::spend::{SPEND, SPEND_SPLIT};
use crate::frame::columns as c;
use crate::people::ENOUGH;
use groups::{Groups, Row, View, halves, heaviest, rows_behind, views};
pub(super) use groups::{none_or_enough, people};

/// The key of the group that the small groups of a dimension are combined in.
pub const SMALL_GROUP: &str = "fewer than five people";

/// The column with the key of a group.
const KEY: &str = "key";

/// Percentiles describe single sessions unless there are at least this many.
const ENOUGH_SESSIONS: f64 = 50.0;

/// The number that stands for [`SMALL_GROUP`] in a dimension. A packed key holds the
/// number plus 1, which is the largest that fits into the dimension's bits.
pub fn small_group(dim: Dim) -> u32 {
    (u32::MAX >> (32 - dim.bits())) & !1
}

/// What the values of a metric rest on. In a dimension, what comes later counts fewer
/// of the same things, or parts of them: a group that is hidden in one is hidden in
/// all that come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rests {
    /// Sessions.
    Sessions,
    /// Sessions with known ACUs, whose sum is shown beside the number of all sessions.
    Acus,
    /// Sessions with known ACUs, whose number is shown.
    KnownSessions,
    /// Sessions with a known number of messages.
    CountedSessions,
    /// Distinct pull requests.
    PullRequests,
    /// Those that are merged or closed.
    DecidedPullRequests,
    /// Those that are merged, and the ACUs of their group.
    MergedPullRequests,
    /// Sessions with an analysis.
    AnalysedSessions,
}

impl Rests {
    /// What a metric rests on: what its `n` counts, but of sums of ACUs the sessions
    /// that are summed.
    pub fn of(metric: &Metric) -> Self {
        match metric.basis {
            Basis::Sessions if [ACUS.id, SPEND.id].contains(&metric.id) => Self::Acus,
            Basis::Sessions => Self::Sessions,
            Basis::KnownSessions => Self::KnownSessions,
            Basis::CountedSessions => Self::CountedSessions,
            Basis::PullRequests => Self::PullRequests,
            Basis::DecidedPullRequests => Self::DecidedPullRequests,
            Basis::MergedPullRequests => Self::MergedPullRequests,
            Basis::AnalysedSessions => Self::AnalysedSessions,
        }
    }

    fn is_of_pull_requests(self) -> bool {
        matches!(self, Self::PullRequests | Self::DecidedPullRequests | Self::MergedPullRequests)
    }
}

/// Whether a covered report ever shows a metric in a grouping. `is_week` is whether it
/// is about a week.
pub fn is_ever_shown(metric: &Metric, by: &[Dim], is_week: bool) -> bool {
    // Minus its share of a tag, what a tag used tells of the sessions with several tags.
    let is_split = [ACUS_SPLIT.id, SPEND_SPLIT.id].contains(&metric.id);
    // Too many sums of the same issues to check them all.
    let is_cut = matches!(by, [Dim::Label | Dim::Tag, Dim::Impact]);
    // The days of a month would complete those that a report of a week hides.
    let is_day = by.contains(&Dim::Day) && !is_week;
    // The number of sessions with a value is beside that of all sessions.
    let is_percentile = metric.kind == Kind::Quantile && !by.is_empty();
    let is_single = by.contains(&Dim::User) || metric.id == ACUS_PER_SESSION_MAX.id;
    !(is_split || is_cut || is_day || is_percentile || is_single)
}

/// What may be shown of one grouping of the metrics that rest on the same things.
/// Groups go by their packed keys, see [`keys`](super::plan::keys).
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The dimensions; empty for the whole period.
    by: Vec<Dim>,
    /// Groups of the report's period that are combined.
    combined: BTreeSet<u64>,
    /// Columns (see [`column`]) of which nothing is shown.
    left_out: BTreeSet<u64>,
    /// The groups that are shown under their own key, by period.
    own: Vec<BTreeSet<u64>>,
}

impl Shown {
    /// The dimensions of the grouping.
    pub fn by(&self) -> &[Dim] {
        &self.by
    }

    /// The groups that [`Cube::suppressed`](super::cube::Cube::suppressed) combines.
    pub fn combined(&self) -> &BTreeSet<u64> {
        &self.combined
    }

    /// Whether nothing of the grouping is hidden in the report's period.
    pub fn is_whole(&self) -> bool {
        self.combined.is_empty() && self.left_out.is_empty()
    }

    /// Whether a part of the grouping, or all of it, is left out.
    pub fn is_left_out(&self) -> bool {
        !self.left_out.is_empty()
    }

    /// Whether the values of a group may be shown. A combined group, or one with a
    /// combined impact, is shown in the report's period alone.
    pub fn has(&self, period: usize, key: u64) -> bool {
        let is_of_combined = || match self.by.as_slice() {
            [Dim::Impact, _] => is_combined(&[Dim::Impact], column(&self.by, key)),
            _ => false,
        };
        let is_own = self.shows(period, key) && (period == 0 || !is_of_combined());
        // All impacts are listed, so that none at all is a 0.
        let is_empty_impact = self.by == [Dim::Impact] && !self.combined.contains(&key);
        let is_rest = is_combined(&self.by, key) && !self.combined.is_empty();
        let is_left_out = || self.left_out.contains(&column(&self.by, key));
        is_own || period == 0 && (is_empty_impact && !is_combined(&self.by, key) || is_rest) && !is_left_out()
    }

    /// Whether a group has its own row in a period.
    fn shows(&self, period: usize, key: u64) -> bool {
        self.own.get(period).is_some_and(|own| own.contains(&key))
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
    /// Decides for all groupings of some metrics. `all` has every period of the
    /// trend, `recent` the last two; `prices` has an entry for each period.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn decide(
        metrics: &[(&'static Metric, Vec<Dim>)],
        all: &Cube,
        recent: &Cube,
        prices: Vec<PriceChange>,
    ) -> PolarsResult<Self> {
        let periods = prices.len();
        let people = people(all.sessions(&[]), periods)?;
        let mut this = Self { people, prices, ..Self::default() };
        let mut keys: Vec<(Rests, Vec<Dim>)> =
            metrics.iter().map(|(metric, by)| (Rests::of(metric), by.clone())).collect();
        keys.sort_by_key(|(rests, by)| (by.len(), *rests, by.clone()));
        keys.dedup();
        let mut cubes = (all.clone(), recent.clone());
        for (place, (rests, by)) in keys.iter().enumerate() {
            // Only the whole and the impacts have a trend.
            let cube = if matches!(by.as_slice(), [] | [Dim::Impact]) { &cubes.0 } else { &cubes.1 };
            let shown = match by.as_slice() {
                [] => this.whole(cube, *rests, periods)?,
                _ => this.grouping(&views(cube, *rests, by)?, *rests, by, periods, &Given::of(cube, by)),
            };
            this.groupings.insert((*rests, by.clone()), shown);
            let is_last = keys.get(place + 1).is_none_or(|(other, dims)| other != rests || dims.len() != 1);
            match by.as_slice() {
                [dim @ (Dim::Impact | Dim::Label)] => this.separate(cube, &[(*rests, *dim)], periods)?,
                [Dim::Bin] => {
                    // The bins, too, are parts of all sessions.
                    let mut dims = this.dims_of(Rests::Sessions);
                    dims.push((*rests, Dim::Bin));
                    this.separate(cube, &dims, periods)?;
                }
                [_] if is_last => this.separate(cube, &this.dims_of(*rests), periods)?,
                _ => {}
            }
            if by.as_slice() == [Dim::Impact] {
                // What is grouped by impact besides another dimension knows no impact that is hidden.
                cubes = (this.without_impacts(&cubes.0)?, this.without_impacts(&cubes.1)?);
            }
        }
        let sessions = || recent.sessions(&[]);
        let known = || sessions().filter(col(c::ACUS).is_not_null());
        let is_merged = col(BEST_STATE).eq(lit(0)).fill_null(lit(false));
        this.parts.insert(SESSIONS_WITH_PR.id, halves(&sessions, lists_pr(), periods)?);
        this.parts.insert(SESSIONS_WITH_MERGED_PR.id, halves(&sessions, is_merged, periods)?);
        this.parts.insert(SESSIONS_STOPPED_BY_LIMIT.id, this.limited(recent, periods)?);
        this.parts.insert(ACUS_WITHOUT_PR_SHARE.id, halves(&known, lists_pr(), periods)?);
        let nobody = halves(&known, col(c::USER).is_null(), periods)?;
        let heaviest = heaviest(recent, periods)?.into_iter().zip(nobody).map(|(a, b)| a && b);
        this.parts.insert(ACUS_TOP_DECILE_SHARE.id, heaviest.collect());
        Ok(this)
    }

    /// Whether the sessions that a limit stopped may be counted, by period. They are a part
    /// of all sessions, and of the row by status that has the suspended ones; a status
    /// without a row is known as a part of the rest.
    fn limited(&self, recent: &Cube, periods: usize) -> PolarsResult<Vec<bool>> {
        let sessions = || recent.sessions(&[]);
        let mut all = halves(&sessions, col(c::LIMITED), periods)?;
        let Some(shown) = self.find(Rests::Sessions, &[Dim::Status]) else { return Ok(all) };
        let limited = sessions().filter(col(c::LIMITED)).select([keys(&[Dim::Status]).max().alias(KEY)]);
        let Some(suspended) = limited.collect()?.column(KEY)?.u64()?.get(0) else { return Ok(all) };
        for (period, is_safe) in all.iter_mut().enumerate() {
            let is_own = shown.shows(period, suspended);
            let others = shown.own.get(period).into_iter().flatten().filter(|_| !is_own);
            let begin = if is_own { col(KEY).eq(lit(suspended)) } else { lit(true) };
            let in_row = others.fold(begin, |all, key| all.and(col(KEY).neq(lit(*key))));
            let row = || sessions().with_column(keys(&[Dim::Status]).alias(KEY)).filter(in_row.clone());
            *is_safe &= halves(&row, col(c::LIMITED), periods)?.get(period).copied().unwrap_or(false);
        }
        Ok(all)
    }

    /// How many people were at work in a period.
    pub fn people(&self, period: usize) -> usize {
        self.people.get(period).copied().unwrap_or(0)
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

    /// What is shown of the impacts; none where the records tell none.
    fn impacts(&self) -> Option<&Shown> {
        self.find(Rests::AnalysedSessions, &[Dim::Impact])
    }

    /// The same cube without the impacts that are hidden.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn without_impacts(&self, cube: &Cube) -> PolarsResult<Cube> {
        self.impacts().map_or_else(|| Ok(cube.clone()), |shown| cube.suppressed(shown))
    }

    /// Whether a value of a metric may be shown: not of a period with too few
    /// people, not of single sessions, and not of a part or a rest of few people.
    pub fn allows(&self, metric: &Metric, by: &[Dim], period: usize, key: u64, n: f64) -> bool {
        let is_part = || match self.parts.get(metric.id) {
            Some(periods) => periods.get(period).copied().unwrap_or(false),
            None => true,
        };
        let is_priced = || match self.prices.get(period) {
            _ if metric.needs != Needs::Price => true,
            Some(PriceChange::None) => true,
            Some(PriceChange::Apart) => by.is_empty(),
            Some(PriceChange::Few) | None => false,
        };
        self.people(period) >= ENOUGH as usize
            && (metric.kind != Kind::Quantile || n >= ENOUGH_SESSIONS)
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

    fn whole(&self, cube: &Cube, rests: Rests, periods: usize) -> PolarsResult<Shown> {
        let mut own: Vec<bool> =
            people(rows_behind(cube, rests, &[]), periods)?.into_iter().map(none_or_enough).collect();
        // The number of sessions with a value is shown beside that of all sessions.
        let known = match rests {
            Rests::KnownSessions => Some(c::ACUS),
            Rests::CountedSessions => Some(c::MESSAGES),
            _ => None,
        };
        if let Some(column) = known {
            let rest = halves(&|| cube.sessions(&[]), col(column).is_not_null(), periods)?;
            own.iter_mut().zip(rest).for_each(|(own, rest)| *own &= rest);
        }
        let own = own.into_iter().map(|is_own| if is_own { [0].into() } else { [].into() });
        Ok(Shown { own: own.collect(), ..Shown::default() })
    }

    #[expect(clippy::indexing_slicing, reason = "there is a set of groups for every period, at least one")]
    fn grouping(&self, views: &[View], rests: Rests, by: &[Dim], periods: usize, given: &Given) -> Shown {
        let is_day = by == [Dim::Day];
        let columns = |period: u32| -> BTreeSet<u64> {
            views.iter().flat_map(|view| view.keys(period)).map(|key| column(by, key)).collect()
        };
        let mut shown = Shown { by: by.to_vec(), own: vec![BTreeSet::new(); periods], ..Shown::default() };
        if by.len() > 1 && self.impacts().is_some_and(Shown::is_left_out) {
            shown.left_out = columns(0);
            return shown;
        }
        for place in columns(0) {
            let groups = Groups::new(views, 0, |key| column(by, key) == place);
            let is_hidden = |key: &u64| given.now.contains(key) || self.hides(by, rests, 0, *key);
            let hidden = groups.hidden(groups.keys.iter().copied().filter(is_hidden).collect(), |hidden| {
                let is_apart = by != [Dim::Tag] || groups.overlaps_are_enough(hidden);
                match is_day {
                    true => groups.rests(hidden) && hidden.len() + given.empty_days != 1,
                    // One group under another name is still that group.
                    false => (hidden.is_empty() || hidden.len() > 1 && groups.is_enough(hidden)) && is_apart,
                }
            });
            let own: BTreeSet<u64> = groups.keys.difference(&hidden).copied().collect();
            let remaining = own.len() + usize::from(!is_day);
            let is_rest_told = by == [Dim::Bin] && !groups.rests(&groups.keys);
            if !hidden.is_empty() && remaining < 2 || is_rest_told {
                shown.left_out.insert(place);
                continue;
            }
            if !is_day {
                shown.combined.extend(hidden);
            }
            shown.own[0].extend(own);
        }
        if shown.combined.is_empty() && shown.own[0].is_empty() {
            // Nothing of the grouping is left; it may have had no groups at all.
            return shown;
        }
        // What others combine is combined here as well, even where it has nothing that
        // counts: an amount of the one is a part of the other.
        for (_, other) in self.earlier(by, rests) {
            shown.combined.extend(&other.combined);
        }
        for period in 1..periods {
            let number = u32::try_from(period).expect("a trend has few periods");
            for place in columns(number) {
                let groups = Groups::new(views, number, |key| column(by, key) == place);
                let is_own = |key: &u64| {
                    shown.own[0].contains(key)
                        && !given.before.contains(key)
                        && !self.hides(by, rests, period, *key)
                };
                let others = groups.keys.iter().copied().filter(|key| !is_own(key)).collect();
                let hidden = groups.hidden(others, |hidden| groups.rests(hidden));
                let own: Vec<u64> = groups.keys.difference(&hidden).copied().collect();
                shown.own[period].extend(own);
            }
        }
        shown
    }

    /// The decisions for the same dimensions that were made before.
    fn earlier(&self, by: &[Dim], rests: Rests) -> impl Iterator<Item = (&(Rests, Vec<Dim>), &Shown)> {
        self.groupings.iter().filter(move |((other, dims), _)| dims == by && *other < rests)
    }

    /// Whether a decision that was made before hides a group in a period: a number that
    /// is shown of it there could be subtracted from what hides it here.
    fn hides(&self, by: &[Dim], rests: Rests, period: usize, key: u64) -> bool {
        self.earlier(by, rests).any(|(_, shown)| !shown.shows(period, key))
    }

    /// Hides rows of dimensions until no row minus another, or minus the rows of another
    /// dimension that make it up, tells of too few people. All count the same things.
    fn separate(&mut self, cube: &Cube, dims: &[(Rests, Dim)], periods: usize) -> PolarsResult<()> {
        let mut all: BTreeMap<Dim, (Rests, Vec<View>, Given)> = BTreeMap::new();
        for (rests, dim) in dims {
            all.insert(*dim, (*rests, views(cube, *rests, &[*dim])?, Given::of(cube, &[*dim])));
        }
        // Bins join dimensions that are decided: theirs stay as they are.
        let is_open = |dim: Dim| !all.contains_key(&Dim::Bin) || dim == Dim::Bin;
        let open: BTreeSet<Dim> = all.keys().copied().filter(|dim| is_open(*dim)).collect();
        for period in [0, 1] {
            loop {
                let telling = self.telling(&all, &open, period);
                if telling.is_empty() {
                    break;
                }
                let touched: BTreeSet<Dim> = telling.iter().map(|(dim, _)| *dim).collect();
                for (dim, key) in telling {
                    let Some((rests, views, given)) = all.get_mut(&dim) else { continue };
                    // A combined group takes the smallest of the others.
                    let smallest = || {
                        let groups = Groups::new(views, u32::from(period > 0), |_| true);
                        let own = self.of_rests(*rests, &[dim]).own.get(period)?;
                        own.iter().copied().min_by_key(|key| (groups.size(*key), *key))
                    };
                    let key = key.or_else(smallest).expect("a dimension that tells has rows of its own");
                    if period == 0 {
                        given.now.insert(key)
                    } else {
                        given.before.insert(key)
                    };
                }
                for dim in touched {
                    let Some((rests, views, given)) = all.get(&dim) else { continue };
                    let shown = self.grouping(views, *rests, &[dim], periods, given);
                    self.groupings.insert((*rests, vec![dim]), shown);
                }
            }
        }
        Ok(())
    }

    /// Rows that tell of too few people together with others, at most one of two: a
    /// dimension and a key, or none for what has no row of its own.
    fn telling(
        &self,
        all: &BTreeMap<Dim, (Rests, Vec<View>, Given)>,
        open: &BTreeSet<Dim>,
        period: usize,
    ) -> BTreeSet<RowName> {
        let number = u32::from(period > 0);
        let mut rows: BTreeMap<RowName, Row> = BTreeMap::new();
        let mut whole = Row::default();
        for (dim, (rests, views, _)) in all {
            let shown = self.of_rests(*rests, &[*dim]);
            // Where no group has a row, there is nothing to subtract, and nothing to hide.
            let has_rows = shown.own.get(period).is_some_and(|own| !own.is_empty());
            if !has_rows || period == 0 && shown.is_left_out() {
                continue;
            }
            // The first view counts what all dimensions count.
            for ((_, key), counted) in views.first().into_iter().flat_map(|view| view.period(number)) {
                whole.extend(counted);
                // What is not shown is known as the rest of the whole, of tags as the combined row.
                let name = (*dim, shown.shows(period, *key).then_some(*key));
                if name.1.is_some() || period == 0 || !overlaps(*dim) {
                    rows.entry(name).or_default().extend(counted);
                }
            }
            views.first().into_iter().for_each(|view| whole.extend(view.outside(number)));
        }
        let rows: Vec<(RowName, Row)> = rows.into_iter().collect();
        let mut telling = BTreeSet::new();
        // Days are hidden last: they cannot be combined.
        let rank = |(name, row): &(RowName, Row)| (!open.contains(&name.0), name.0 == Dim::Day, row.len());
        let tell = |one: &(RowName, Row), other: &(RowName, Row), telling: &mut BTreeSet<RowName>| {
            let victim = if rank(other) < rank(one) { other } else { one };
            if open.contains(&victim.0.0) && !telling.contains(&one.0) && !telling.contains(&other.0) {
                telling.insert(victim.0);
            }
        };
        let mut of_unit: HashMap<u64, Vec<usize>> = HashMap::new();
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
                    tell(row, part, &mut telling);
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
                tell(one, other, &mut telling);
            }
        }
        telling
    }
}

/// A row: a dimension, and the key of its group, or none for all without a row of their own.
type RowName = (Dim, Option<u64>);

/// Whether one thing can be in several groups of a dimension.
fn overlaps(dim: Dim) -> bool {
    matches!(dim, Dim::Tag | Dim::Label | Dim::Impact)
}

/// What is known of a grouping before its groups are counted.
#[derive(Default)]
struct Given {
    /// Groups to hide in the report's period …
    now: BTreeSet<u64>,
    /// … and in those before.
    before: BTreeSet<u64>,
    /// Days of the report's period without a session.
    empty_days: usize,
}

impl Given {
    fn of(cube: &Cube, by: &[Dim]) -> Self {
        let empty_days = if by == [Dim::Day] { cube.empty_days() } else { 0 };
        Self { empty_days, ..Self::default() }
    }
}

/// The part of a grouping that groups are combined within: an impact where the
/// groups are cut by impact, else everything.
fn column(by: &[Dim], key: u64) -> u64 {
    match by {
        [Dim::Impact, inner] => key >> inner.bits(),
        _ => 0,
    }
}

/// Whether a key is that of the combined group.
pub fn is_combined(by: &[Dim], key: u64) -> bool {
    let inner = match by {
        [Dim::Impact, inner] => key & low_bits(*inner),
        _ => key,
    };
    combining(by).is_some_and(|dim| inner == u64::from(small_group(dim)) + 1)
}

/// The dimension whose small groups are combined, within each impact where there is one besides.
pub fn combining(by: &[Dim]) -> Option<Dim> {
    by.last().copied()
}

fn low_bits(dim: Dim) -> u64 {
    (1 << dim.bits()) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_combined_group_fits_into_the_bits_of_its_dimension() {
        for dim in [Dim::Impact, Dim::State, Dim::Tag] {
            let key = u64::from(small_group(dim)) + 1;
            assert!(key <= low_bits(dim) && is_combined(&[dim], key), "{dim:?}");
        }
        let by = [Dim::Impact, Dim::Issues];
        assert!(is_combined(&by, 3 << 8 | 255) && column(&by, 3 << 8 | 255) == 3);
        assert!(!is_combined(&by, 255 << 8 | 3));
    }
}
