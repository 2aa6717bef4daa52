//! Suppression of small groups in covered reports.
//!
//! A covered report must not say what a single person used or did. Every number
//! in it rests on at least [`ENOUGH`] people, and so does whatever a reader can
//! compute by subtracting one number of the report from another. Two sums are
//! checked for each group: the people whose sessions (pull requests, issues) are
//! in it, and the people who have any outside of it. Service users and other
//! automation are not people; a session without a user counts as a person.
//!
//! What is decided here, before any metric runs, is applied in two places:
//! [`Cube::suppressed`](super::cube::Cube::suppressed) merges the small groups of
//! the report's period into one, and [`Layout`](super::answers::Layout) leaves out
//! the facts, previous values and points of a trend that rest on too few people.

mod groups;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;

use super::acus::{ACUS_PER_SESSION_MAX, ACUS_TOP_DECILE_SHARE, ACUS_WITHOUT_PR_SHARE};
use super::cube::{BEST_STATE, Cube};
use super::metric::{Basis, Dim, Kind, Metric, Needs};
use super::plan::lists_pr;
use super::pull_requests::{SESSIONS_WITH_MERGED_PR, SESSIONS_WITH_PR};
use crate::frame::columns as c;
use crate::people::ENOUGH;
use groups::{Groups, Row, View, halves, rows_behind, views};
pub(super) use groups::{none_or_enough, people};

/// The key of the group that the small groups of a dimension are combined in.
pub const SMALL_GROUP: &str = "fewer than five people";

/// Percentiles describe single sessions unless there are at least this many.
const ENOUGH_SESSIONS: f64 = 50.0;
/// The heaviest tenth of users holds [`ENOUGH`] people only among at least this many.
const ENOUGH_USERS: usize = 50;

/// The number that stands for [`SMALL_GROUP`] in a dimension: the last that fits.
pub fn small_group(dim: Dim) -> u32 {
    u32::MAX >> (32 - dim.bits()) & !1
}

/// What may be shown of one grouping of metrics with the same basis.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The dimensions; empty for the whole period.
    by: Vec<Dim>,
    /// Groups of the report's period that are combined, as packed keys.
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
            [_, Dim::Impact] | [Dim::Impact, _] => is_combined(&[Dim::Impact], column(&self.by, key)),
            _ => false,
        };
        let is_own = self.own.get(period).is_some_and(|own| own.contains(&key));
        let is_own = is_own && (period == 0 || !is_of_combined());
        // All impacts are listed, so that none at all is a 0.
        let is_empty_impact = self.by == [Dim::Impact] && !self.combined.contains(&key);
        let is_left_out = || self.left_out.contains(&column(&self.by, key));
        is_own || period == 0 && (is_empty_impact || is_combined(&self.by, key)) && !is_left_out()
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
    groupings: BTreeMap<(Basis, Vec<Dim>), Shown>,
    /// Metrics of the whole period that split its sessions in two: whether both parts
    /// have enough people, or none, by period.
    splits: BTreeMap<&'static str, Vec<bool>>,
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
        let mut keys: Vec<(Basis, Vec<Dim>)> =
            metrics.iter().map(|(metric, by)| (metric.basis, by.clone())).collect();
        // A group that one basis hides is hidden from those that rest on fewer rows.
        keys.sort_by_key(|(basis, by)| (by.len(), *basis, by.clone()));
        keys.dedup();
        let mut cubes = (all.clone(), recent.clone());
        for (place, (basis, by)) in keys.iter().enumerate() {
            // Only the whole and the impacts have a trend.
            let cube = if matches!(by.as_slice(), [] | [Dim::Impact]) { &cubes.0 } else { &cubes.1 };
            let shown = match by.as_slice() {
                [] => this.whole(cube, *basis, periods)?,
                _ => this.grouping(&views(cube, *basis, by)?, *basis, by, periods, &Given::of(cube, by)),
            };
            if by.as_slice() == [Dim::Impact] {
                // What is grouped by impact besides another dimension knows no impact that is hidden.
                cubes = (cubes.0.suppressed(&shown)?, cubes.1.suppressed(&shown)?);
            }
            this.groupings.insert((*basis, by.clone()), shown);
            let is_last = keys.get(place + 1).is_none_or(|(other, dims)| other != basis || dims.len() != 1);
            if by.len() == 1 && is_last {
                this.separate(&cubes.1, *basis, periods)?;
            }
        }
        for (id, part) in [
            (SESSIONS_WITH_PR.id, lists_pr()),
            (ACUS_WITHOUT_PR_SHARE.id, lists_pr()),
            (SESSIONS_WITH_MERGED_PR.id, col(BEST_STATE).eq(lit(0)).fill_null(lit(false))),
            (ACUS_TOP_DECILE_SHARE.id, col(c::USER).is_null()),
        ] {
            this.splits.insert(id, halves(&|| recent.sessions(&[]), part, periods)?);
        }
        Ok(this)
    }

    /// How many people were at work in a period.
    pub fn people(&self, period: usize) -> usize {
        self.people.get(period).copied().unwrap_or(0)
    }

    /// What is shown of a grouping of a metric.
    pub fn of(&self, basis: Basis, by: &[Dim]) -> &Shown {
        self.groupings.get(&(basis, by.to_vec())).expect("every grouping of every metric was decided")
    }

    /// What is shown of the impacts.
    pub fn impacts(&self) -> &Shown {
        self.of(Basis::AnalysedSessions, &[Dim::Impact])
    }

    /// Whether a group is the combined one, or has a combined impact.
    pub fn is_combined(by: &[Dim], key: u64) -> bool {
        is_combined(by, key)
    }

    /// Whether a value of a metric may be shown: not of a period with too few
    /// people, not of single sessions, and not of a part or a rest of few people.
    pub fn allows(&self, metric: &Metric, by: &[Dim], period: usize, key: u64, n: f64) -> bool {
        let is_enough = match metric.kind {
            Kind::Quantile => n >= ENOUGH_SESSIONS && metric.id != ACUS_PER_SESSION_MAX.id,
            _ if metric.id == ACUS_TOP_DECILE_SHARE.id => self.people(period) >= ENOUGH_USERS,
            _ => true,
        };
        let is_split = || match self.splits.get(metric.id) {
            Some(periods) => periods.get(period).copied().unwrap_or(false),
            None => true,
        };
        let is_priced = || match self.prices.get(period) {
            _ if metric.needs != Needs::Price => true,
            Some(PriceChange::None) => true,
            Some(PriceChange::Apart) => by.is_empty(),
            Some(PriceChange::Few) | None => false,
        };
        is_enough
            && is_priced()
            && self.people(period) >= ENOUGH as usize
            && self.of(metric.basis, by).has(period, key)
            && is_split()
    }

    fn whole(&self, cube: &Cube, basis: Basis, periods: usize) -> PolarsResult<Shown> {
        let mut own: Vec<bool> =
            people(rows_behind(cube, basis, &[]), periods)?.into_iter().map(none_or_enough).collect();
        // The number of sessions with a value is beside that of all sessions.
        let known = match basis {
            Basis::KnownSessions => Some(c::ACUS),
            Basis::CountedSessions => Some(c::MESSAGES),
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
    fn grouping(&self, views: &[View], basis: Basis, by: &[Dim], periods: usize, given: &Given) -> Shown {
        let is_day = by == [Dim::Day];
        let columns = |period: u32| -> BTreeSet<u64> {
            views.iter().flat_map(|view| view.keys(period)).map(|key| column(by, key)).collect()
        };
        let mut shown = Shown { by: by.to_vec(), own: vec![BTreeSet::new(); periods], ..Shown::default() };
        if by.len() > 1 && !self.impacts().left_out.is_empty() {
            shown.left_out = columns(0);
            return shown;
        }
        for place in columns(0) {
            let groups = Groups::new(views, 0, |key| column(by, key) == place);
            let mut first = self.inherited(by, basis, &groups.keys);
            first.extend(given.now.intersection(&groups.keys));
            let hidden = groups.hidden(first, |hidden| match is_day {
                true => groups.rests(hidden) && hidden.len() + given.empty_days != 1,
                false => {
                    let is_apart = !by.contains(&Dim::Tag) || groups.overlaps_are_enough(hidden);
                    (hidden.is_empty() || groups.is_enough(hidden)) && is_apart
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
        for period in 1..periods {
            let Ok(number) = u32::try_from(period) else { continue };
            for place in columns(number) {
                let groups = Groups::new(views, number, |key| column(by, key) == place);
                let is_own = |key: &u64| {
                    shown.own[0].contains(key)
                        && !given.before.contains(key)
                        && self.inherits(by, basis, period, *key)
                };
                let others = groups.keys.iter().copied().filter(|key| !is_own(key)).collect();
                let hidden = groups.hidden(others, |hidden| groups.rests(hidden));
                let own: Vec<u64> = groups.keys.difference(&hidden).copied().collect();
                shown.own[period].extend(own);
            }
        }
        shown
    }

    /// Hides groups until no two rows of the dimensions, nor of tags, tell of too few
    /// people when one is subtracted from the other or both from the whole.
    fn separate(&mut self, cube: &Cube, basis: Basis, periods: usize) -> PolarsResult<()> {
        let mut all: BTreeMap<Dim, (Vec<View>, Given)> = BTreeMap::new();
        for (_, by) in self.groupings.keys().filter(|(own, by)| *own == basis && by.len() == 1) {
            if let [dim] = by.as_slice()
                && !matches!(dim, Dim::Impact | Dim::Label | Dim::Type)
            {
                all.insert(*dim, (views(cube, basis, by)?, Given::of(cube, by)));
            }
        }
        while let Some((dim, key, period)) = self.telling(basis, &all) {
            let Some((views, given)) = all.get_mut(&dim) else { break };
            match (key, period) {
                (Some(key), 0) => given.now.extend([key]),
                (Some(key), _) => given.before.extend([key]),
                (None, _) => {
                    // The combined group: it takes the smallest of the others.
                    let own = self.of(basis, &[dim]).own.first().cloned().unwrap_or_default();
                    let groups = Groups::new(views, 0, |_| true);
                    given.now.extend(own.into_iter().min_by_key(|key| (groups.size(*key), *key)));
                }
            }
            let shown = self.grouping(views, basis, &[dim], periods, given);
            self.groupings.insert((basis, vec![dim]), shown);
        }
        Ok(())
    }

    /// A row, and its period, that tells of too few people together with another: a
    /// dimension and a key, or none for its combined group.
    fn telling(
        &self,
        basis: Basis,
        all: &BTreeMap<Dim, (Vec<View>, Given)>,
    ) -> Option<(Dim, Option<u64>, usize)> {
        for (period, number) in [(0, 0_u32), (1, 1)] {
            let mut rows: BTreeMap<(Dim, Option<u64>), Row> = BTreeMap::new();
            let mut whole = Row::default();
            for (dim, (views, _)) in all {
                let shown = self.of(basis, &[*dim]);
                for ((_, key), counted) in views.iter().flat_map(|view| view.period(number)) {
                    whole.extend(counted);
                    if shown.own.get(period).is_some_and(|own| own.contains(key)) {
                        rows.entry((*dim, Some(*key))).or_default().extend(counted);
                    } else if period == 0 && shown.combined.contains(key) {
                        rows.entry((*dim, None)).or_default().extend(counted);
                    }
                }
            }
            let rows: Vec<((Dim, Option<u64>), Row)> = rows.into_iter().collect();
            let mut of_unit: HashMap<u64, Vec<usize>> = HashMap::new();
            for (place, (_, row)) in rows.iter().enumerate() {
                row.units.iter().for_each(|unit| of_unit.entry(*unit).or_default().push(place));
            }
            let mut common: HashMap<(usize, usize), usize> = HashMap::new();
            for places in of_unit.values() {
                for (at, a) in places.iter().enumerate() {
                    places.iter().skip(at + 1).for_each(|b| *common.entry((*a, *b)).or_default() += 1);
                }
            }
            for (a, (name, one)) in rows.iter().enumerate() {
                for (b, (other_name, other)) in rows.iter().enumerate().skip(a + 1) {
                    let common = common.get(&(a, b)).copied().unwrap_or(0);
                    if one.tells_with(other, common, &whole) {
                        // Days are hidden last: they cannot be combined, and other reports show them.
                        let is_day = |name: &(Dim, Option<u64>)| name.0 == Dim::Day;
                        let is_other =
                            (is_day(other_name), other.units.len()) < (is_day(name), one.units.len());
                        let (dim, key) = if is_other { *other_name } else { *name };
                        return Some((dim, key, period));
                    }
                }
            }
        }
        None
    }

    /// Those of some groups that are hidden already where more rows count: a number
    /// that is shown of them there could be subtracted from what hides them here.
    fn inherited(&self, by: &[Dim], basis: Basis, keys: &BTreeSet<u64>) -> BTreeSet<u64> {
        keys.iter().copied().filter(|key| !self.inherits(by, basis, 0, *key)).collect()
    }

    /// Whether no grouping that was decided before hides a group in a period.
    fn inherits(&self, by: &[Dim], basis: Basis, period: usize, key: u64) -> bool {
        let is_shown = |shown: &Shown, key| {
            shown.own.get(period).is_some_and(|own| own.contains(&key)) && !shown.combined.contains(&key)
        };
        let mut same = self.groupings.iter().filter(|((other, dims), _)| dims == by && *other < basis);
        let parent = match by {
            [first, Dim::Impact] => self.groupings.iter().find(|((_, dims), _)| dims.as_slice() == [*first]),
            _ => None,
        };
        let above = key >> Dim::Impact.bits();
        same.all(|(_, shown)| is_shown(shown, key)) && parent.is_none_or(|(_, shown)| is_shown(shown, above))
    }
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
        [_, Dim::Impact] => key & low_bits(Dim::Impact),
        [Dim::Impact, inner] => key >> inner.bits(),
        _ => 0,
    }
}

/// Whether a key is that of the combined group.
fn is_combined(by: &[Dim], key: u64) -> bool {
    let inner = match by {
        [_, Dim::Impact] => key >> Dim::Impact.bits(),
        [Dim::Impact, inner] => key & low_bits(*inner),
        _ => key,
    };
    combining(by).is_some_and(|dim| inner == u64::from(small_group(dim)) + 1)
}

/// The dimension whose small groups are combined, within each impact where there is one besides.
pub fn combining(by: &[Dim]) -> Option<Dim> {
    match by {
        [Dim::Impact, inner] => Some(*inner),
        _ => by.first().copied(),
    }
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
        let key = (u64::from(small_group(Dim::Label)) + 1) << 8 | 3;
        assert!(is_combined(&[Dim::Label, Dim::Impact], key) && column(&[Dim::Label, Dim::Impact], key) == 3);
        assert!(!is_combined(&[Dim::Label, Dim::Impact], 7 << 8 | 255));
        assert!(is_combined(&[Dim::Impact, Dim::Issues], 3 << 8 | 255));
    }
}
