//! Who is behind the groups of a covered report: what is counted in each group,
//! and by whom.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use polars::prelude::*;

use crate::frame::columns as c;
use crate::metrics::acus::binned;
use crate::metrics::analysis::issue_counts;
use crate::metrics::calendar::PERIOD;
use crate::metrics::cube::{Cube, ISSUE, ITEM, PERSON, PULL_REQUEST};
use crate::metrics::metric::Dim;
use crate::metrics::plan::{GROUP, group};
use crate::people::ENOUGH;

use super::Rests;

/// Whether so many people are none, or enough.
pub fn none_or_enough(people: usize) -> bool {
    people == 0 || people >= ENOUGH as usize
}

/// The number of people in each period.
pub fn people(rows: LazyFrame, periods: usize) -> PolarsResult<Vec<usize>> {
    let counted = rows
        .group_by([col(PERIOD)])
        .agg([col(PERSON).drop_nulls().n_unique().cast(DataType::UInt32)])
        .collect()?;
    let mut people = vec![0; periods];
    for (period, count) in counted.column(PERIOD)?.u32()?.iter().zip(counted.column(PERSON)?.u32()?.iter()) {
        if let (Some(period), Some(count)) = (period, count)
            && let Some(place) = people.get_mut(period as usize)
        {
            *place = count as usize;
        }
    }
    Ok(people)
}

/// The rows that the numbers of a grouping rest on.
pub fn rows_behind(cube: &Cube, rests: Rests, by: &[Dim]) -> LazyFrame {
    match by {
        [Dim::Type] => return cube.action_items(by),
        [Dim::Impact, Dim::Issues] => return issue_counts(cube),
        [Dim::Label] | [Dim::Impact] => return cube.issues(by),
        [Dim::Bin] => return binned(cube),
        _ => {}
    }
    let state = || col(c::STATE);
    match rests {
        Rests::Sessions => cube.sessions(by),
        Rests::Acus | Rests::KnownSessions => cube.sessions(by).filter(col(c::ACUS).is_not_null()),
        Rests::CountedSessions => cube.sessions(by).filter(col(c::MESSAGES).is_not_null()),
        Rests::AnalysedSessions => cube.sessions(by).filter(col(c::ANALYSED)),
        Rests::PullRequests => cube.pull_requests(by),
        Rests::DecidedPullRequests => cube.pull_requests(by).filter(state().lt_eq(lit(1))),
        Rests::MergedPullRequests => cube.pull_requests(by).filter(state().eq(lit(0))),
    }
}

/// What is counted in a grouping, in every way in which it is counted.
pub fn views(cube: &Cube, rests: Rests, by: &[Dim]) -> PolarsResult<Vec<View>> {
    let rows = || rows_behind(cube, rests, by);
    let of_sessions = |outside: LazyFrame| {
        let mut view = View::new(rows(), by, c::ROW)?;
        view.add_outside(outside)?;
        PolarsResult::Ok(view)
    };
    let analysed = || cube.sessions(&[]).filter(col(c::ANALYSED));
    match by {
        [Dim::Type] => Ok(vec![View::new(rows(), by, ITEM)?]),
        // The sessions with such an issue are counted, and its issues.
        [Dim::Label] | [Dim::Impact] => Ok(vec![of_sessions(analysed())?, View::new(rows(), by, ISSUE)?]),
        // Sessions with unknown ACUs are in no bin.
        [Dim::Bin] => Ok(vec![of_sessions(cube.sessions(&[]))?]),
        _ if rests.is_of_pull_requests() => Ok(vec![View::new(rows(), by, PULL_REQUEST)?]),
        _ => Ok(vec![View::new(rows(), by, c::ROW)?]),
    }
}

/// Whether an organisation's heaviest tenth of users has enough people, or none,
/// in each period. Service users are users, but not people.
pub fn heaviest(cube: &Cube, periods: usize) -> PolarsResult<Vec<bool>> {
    let order = SortMultipleOptions::default().with_order_descending_multi([false, true, false]);
    let users = cube
        .sessions(&[])
        .filter(col(c::USER).is_not_null())
        .group_by([col(PERIOD), col(c::USER)])
        .agg([col(c::ACUS).sum(), col(PERSON).max()])
        .sort([PERIOD, c::ACUS, c::USER], order)
        .collect()?;
    let (in_period, people) = (users.column(PERIOD)?.u32()?, users.column(PERSON)?.u64()?);
    let all: Vec<(u32, bool)> = in_period
        .iter()
        .zip(people.iter())
        .filter_map(|(at, person)| Some((at?, person.is_some())))
        .collect();
    let of_period = |period: usize| {
        let own: Vec<bool> =
            all.iter().filter(|(at, _)| *at as usize == period).map(|(_, is_person)| *is_person).collect();
        let heavy = own.iter().take(own.len().div_ceil(10)).filter(|is_person| **is_person).count();
        own.iter().filter(|is_person| **is_person).count() >= ENOUGH_USERS && heavy >= ENOUGH as usize
    };
    Ok((0..periods).map(of_period).collect())
}

/// The heaviest tenth of users holds [`ENOUGH`] people only among at least this many.
const ENOUGH_USERS: usize = 50;

/// A counted thing: its number, and the person who stands behind it, if any.
pub type Counted = (u64, Option<u64>);

/// What is counted in each group of each period.
pub struct View {
    /// By period, then by packed keys.
    groups: BTreeMap<(u32, u64), Vec<Counted>>,
    /// What is counted and may be in no group, by period.
    outside: BTreeMap<u32, Vec<Counted>>,
}

impl View {
    pub fn new(rows: LazyFrame, by: &[Dim], unit: &str) -> PolarsResult<Self> {
        let mut groups: BTreeMap<(u32, u64), Vec<Counted>> = BTreeMap::new();
        let bits = by.iter().map(|dim| dim.bits()).sum::<u32>();
        for (group, counted) in counted(rows, group(by), unit)? {
            let period = u32::try_from(group >> bits).expect("a period is the number of one of the trend's");
            groups.entry((period, group & ((1 << bits) - 1))).or_default().push(counted);
        }
        Ok(Self { groups, outside: BTreeMap::new() })
    }

    pub fn add_outside(&mut self, rows: LazyFrame) -> PolarsResult<()> {
        for (period, counted) in counted(rows, group(&[]), c::ROW)? {
            let period = u32::try_from(period).expect("a period is the number of one of the trend's");
            self.outside.entry(period).or_default().push(counted);
        }
        Ok(())
    }

    /// What is counted and may be in no group of a period.
    pub fn outside(&self, period: u32) -> &[Counted] {
        self.outside.get(&period).map_or(&[], Vec::as_slice)
    }

    pub fn period(&self, period: u32) -> impl Iterator<Item = (&(u32, u64), &Vec<Counted>)> {
        self.groups.range((period, 0)..=(period, u64::MAX))
    }

    pub fn keys(&self, period: u32) -> impl Iterator<Item = u64> {
        self.period(period).map(|((_, key), _)| *key)
    }
}

/// Distinct counted things of rows with the group that they are in.
fn counted(rows: LazyFrame, group: Expr, unit: &str) -> PolarsResult<Vec<(u64, Counted)>> {
    let rows = rows
        .select([group, col(unit).cast(DataType::UInt64).alias(UNIT), col(PERSON)])
        .unique(Some(cols([GROUP, UNIT])), UniqueKeepStrategy::Any)
        .collect()?;
    let (groups, units) = (rows.column(GROUP)?.u64()?, rows.column(UNIT)?.u64()?);
    let rows = groups.iter().zip(units.iter()).zip(rows.column(PERSON)?.u64()?.iter());
    Ok(rows.filter_map(|((group, unit), person)| Some((group?, (unit?, person)))).collect())
}

const UNIT: &str = "unit";

/// A row of a report: the things of people that are counted in it. What automation
/// has is left out, because others know or guess it.
#[derive(Default)]
pub struct Row {
    units: HashMap<u64, u64>,
}

impl Row {
    /// Adds what is counted.
    pub fn extend(&mut self, counted: &[Counted]) {
        self.units.extend(counted.iter().filter_map(|(unit, person)| Some((*unit, (*person)?))));
    }

    /// How many things are counted.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// What is counted.
    pub fn units(&self) -> impl Iterator<Item = &u64> {
        self.units.keys()
    }

    /// The things of this row that are not in another, with their people.
    pub fn without<'r>(&'r self, other: &'r Self) -> impl Iterator<Item = u64> + 'r {
        self.units.iter().filter(|(unit, _)| !other.units.contains_key(unit)).map(|(_, person)| *person)
    }

    /// The people behind the things of both rows.
    pub fn with<'r>(&'r self, other: &'r Self) -> impl Iterator<Item = u64> + 'r {
        self.units.iter().filter(|(unit, _)| other.units.contains_key(unit)).map(|(_, person)| *person)
    }

    /// Whether one row minus the other tells of too few people.
    pub fn differs_by_few(&self, other: &Self) -> bool {
        are_few(self.without(other).chain(other.without(self)))
    }

    /// Whether both rows minus the whole tell of too few people.
    pub fn covers_but_few(&self, other: &Self, whole: &Self) -> bool {
        let outside = whole
            .units
            .iter()
            .filter(|(unit, _)| !self.units.contains_key(unit) && !other.units.contains_key(unit))
            .map(|(_, person)| *person);
        are_few(self.with(other).chain(outside))
    }

    /// Whether other rows, added up, minus this one tell of too few people. Rows that
    /// overlap add up to nothing.
    pub fn adds_up_but_few(&self, rows: &[&Self]) -> bool {
        let mut rest = Vec::new();
        for (unit, person) in &self.units {
            match rows.iter().filter(|row| row.units.contains_key(unit)).count() {
                0 => rest.push(*person),
                1 => {}
                _ => return false,
            }
        }
        are_few(rest.into_iter().chain(rows.iter().flat_map(|row| row.without(self))))
    }
}

/// Whether people are fewer than enough, and more than none.
fn are_few(people: impl Iterator<Item = u64>) -> bool {
    let mut met = BTreeSet::new();
    for person in people {
        met.insert(person);
        if met.len() >= ENOUGH as usize {
            return false;
        }
    }
    !met.is_empty()
}

/// The groups of one column in one period.
pub struct Groups<'a> {
    /// Their packed keys.
    pub keys: BTreeSet<u64>,
    views: Vec<Side<'a>>,
}

/// What one view has of them.
struct Side<'a> {
    groups: BTreeMap<u64, &'a [Counted]>,
    /// Every person with how many things they have, in the groups or outside.
    all: HashMap<u64, usize>,
}

impl<'a> Groups<'a> {
    pub fn new(views: &'a [View], period: u32, is_own: impl Fn(u64) -> bool) -> Self {
        let view = |view: &'a View| {
            let own = view.period(period).filter(|((_, key), _)| is_own(*key));
            let groups: BTreeMap<u64, &'a [Counted]> =
                own.map(|((_, key), counted)| (*key, counted.as_slice())).collect();
            let all = groups.values().copied().flatten().chain(view.outside(period));
            let all = people_of(all);
            Side { groups, all }
        };
        let views: Vec<Side<'a>> = views.iter().map(view).collect();
        Self { keys: views.iter().flat_map(|side| side.groups.keys().copied()).collect(), views }
    }

    /// How many people are in some groups, and how many have anything outside of
    /// them, in each view.
    pub fn people(&self, keys: &BTreeSet<u64>) -> impl Iterator<Item = (usize, usize)> {
        self.views.iter().map(move |Side { groups, all }| {
            let inside = people_of(keys.iter().filter_map(|key| groups.get(key)).copied().flatten());
            let only = inside.iter().filter(|(person, counted)| all.get(person) == Some(counted)).count();
            (inside.len(), all.len() - only)
        })
    }

    /// How many people are in a group, in the view in which they are fewest.
    pub fn size(&self, key: u64) -> usize {
        self.people(&[key].into()).map(|(inside, _)| inside).min().unwrap_or(0)
    }

    /// Whether those people are enough, or none, who have things in more than one
    /// row: the sum of all rows minus the whole would tell of them.
    pub fn overlaps_are_enough(&self, combined: &BTreeSet<u64>) -> bool {
        self.views.iter().all(|side| {
            let mut rows: HashMap<u64, (BTreeSet<Option<u64>>, Option<u64>)> = HashMap::new();
            for (key, counted) in &side.groups {
                let row = (!combined.contains(key)).then_some(*key);
                for (unit, person) in *counted {
                    rows.entry(*unit).or_insert((BTreeSet::new(), *person)).0.insert(row);
                }
            }
            let several = rows.into_values().filter(|(rows, _)| rows.len() > 1);
            none_or_enough(several.filter_map(|(_, person)| person).collect::<BTreeSet<u64>>().len())
        })
    }

    /// Whether some groups may be shown as one number.
    pub fn is_enough(&self, keys: &BTreeSet<u64>) -> bool {
        self.people(keys).all(|(inside, outside)| inside >= ENOUGH as usize && none_or_enough(outside))
    }

    /// Whether some groups that are not shown may be computed as a rest.
    pub fn rests(&self, keys: &BTreeSet<u64>) -> bool {
        self.people(keys).all(|(inside, outside)| none_or_enough(inside) && none_or_enough(outside))
    }

    /// The groups to hide: some given ones, the small ones, and then one by one the
    /// smallest of the others until what is hidden is as it should be.
    pub fn hidden(&self, given: BTreeSet<u64>, is_safe: impl Fn(&BTreeSet<u64>) -> bool) -> BTreeSet<u64> {
        let mut hidden = given;
        hidden.extend(self.keys.iter().copied().filter(|key| !self.is_enough(&[*key].into())));
        let shown = self.keys.difference(&hidden);
        let mut shown: Vec<_> = shown.map(|key| (self.size(*key), *key)).collect();
        shown.sort_unstable();
        for (_, smallest) in shown {
            if is_safe(&hidden) {
                break;
            }
            hidden.insert(smallest);
        }
        hidden
    }
}

/// The people behind counted things, each with how many different things they have.
fn people_of<'c>(counted: impl Iterator<Item = &'c Counted>) -> HashMap<u64, usize> {
    let mut met = HashSet::new();
    let mut people = HashMap::new();
    for (unit, person) in counted {
        if let Some(person) = person
            && met.insert(unit)
        {
            *people.entry(*person).or_default() += 1;
        }
    }
    people
}

/// Whether a part of some sessions and the rest of them are both of no people or
/// of enough, by period.
pub fn halves(sessions: &dyn Fn() -> LazyFrame, part: Expr, periods: usize) -> PolarsResult<Vec<bool>> {
    let inside = people(sessions().filter(part.clone()), periods)?;
    let outside = people(sessions().filter(part.not()), periods)?;
    Ok(inside.into_iter().zip(outside).map(|(a, b)| none_or_enough(a) && none_or_enough(b)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups by key, each with its people; every person has one thing of their own there.
    fn view(groups: &[(u64, &[u64])]) -> View {
        let counted = |(key, people): &(u64, &[u64])| {
            let own = people.iter().map(|person| (key * 1000 + person, Some(*person))).collect();
            ((0, *key), own)
        };
        View { groups: groups.iter().map(counted).collect(), outside: BTreeMap::new() }
    }

    fn hidden(groups: &[(u64, &[u64])]) -> Vec<u64> {
        let views = [view(groups)];
        let groups = Groups::new(&views, 0, |_| true);
        let is_safe = |hidden: &BTreeSet<u64>| hidden.is_empty() || groups.is_enough(hidden);
        groups.hidden(BTreeSet::new(), is_safe).into_iter().collect()
    }

    #[test]
    fn small_groups_are_combined_with_the_smallest_others_until_they_have_five_people() {
        let six: &[u64] = &[1, 2, 3, 4, 5, 6];
        assert_eq!(hidden(&[(1, six), (2, six)]), [0; 0]);
        // Five people in two small groups are enough.
        assert_eq!(hidden(&[(1, six), (2, six), (3, &[1, 2, 3]), (4, &[4, 5])]), [3, 4]);
        // The same three people in two groups are not: the smallest of the others joins them.
        let seven: &[u64] = &[1, 2, 3, 4, 5, 6, 7];
        assert_eq!(hidden(&[(1, seven), (2, six), (3, &[1, 2, 3]), (4, &[1, 2])]), [2, 3, 4]);
        // With one large group nothing is left to show.
        assert_eq!(hidden(&[(1, six), (2, &[7])]), [1, 2]);
    }

    #[test]
    fn a_group_is_hidden_that_only_a_few_people_are_outside_of() {
        // Tags overlap: all six have something tagged 1 and something tagged 2, and
        // two of them have something without either.
        let mut view = view(&[(1, &[1, 2, 3, 4, 5, 6]), (2, &[1, 2, 3, 4, 5, 6])]);
        let both: Vec<Counted> = (1..=6).map(|person| (person, Some(person))).collect();
        view.groups.values_mut().for_each(|group| *group = both.clone());
        let of = |view: View| {
            let views = [view];
            let groups = Groups::new(&views, 0, |_| true);
            groups.hidden(BTreeSet::new(), |_| true).len()
        };
        view.outside.insert(0, both.iter().copied().chain([(7, Some(1)), (8, Some(2))]).collect());
        assert_eq!(of(view), 2);
    }

    #[test]
    fn automation_is_nobody_and_a_person_counts_once() {
        let views = [View {
            groups: [((0, 1), vec![(1, Some(7)), (2, Some(7)), (3, None)])].into(),
            outside: BTreeMap::new(),
        }];
        let groups = Groups::new(&views, 0, |_| true);
        assert_eq!(groups.people(&[1].into()).collect::<Vec<_>>(), [(1, 0)]);
    }
}
