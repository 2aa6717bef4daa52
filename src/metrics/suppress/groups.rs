//! Who is behind the groups of a covered report: what is counted in each group,
//! and by whom.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use polars::prelude::*;

use crate::frame::columns as c;
use crate::metrics::acus::binned;
use crate::metrics::analysis::issue_counts;
use crate::metrics::calendar::PERIOD;
use crate::metrics::cube::{Cube, ISSUE, ITEM, PERSON, PULL_REQUEST};
use crate::metrics::metric::{Basis, Dim, Grain};
use crate::metrics::plan::{GROUP, group};
use crate::people::ENOUGH;

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
pub fn rows_behind(cube: &Cube, basis: Basis, by: &[Dim]) -> LazyFrame {
    if by.contains(&Dim::Type) {
        return cube.action_items(by);
    }
    if by.contains(&Dim::Issues) {
        return issue_counts(cube);
    }
    if by.contains(&Dim::Label) || by.contains(&Dim::Impact) {
        return cube.issues(by);
    }
    if by.contains(&Dim::Bin) {
        return binned(cube);
    }
    let state = || col(c::STATE);
    match basis {
        Basis::Sessions => cube.sessions(by),
        Basis::KnownSessions => cube.sessions(by).filter(col(c::ACUS).is_not_null()),
        Basis::AnalysedSessions => cube.sessions(by).filter(col(c::ANALYSED)),
        Basis::CountedSessions => cube.sessions(by).filter(col(c::MESSAGES).is_not_null()),
        Basis::PullRequests => cube.pull_requests(by),
        Basis::DecidedPullRequests => cube.pull_requests(by).filter(state().lt_eq(lit(1))),
        Basis::MergedPullRequests => cube.pull_requests(by).filter(state().eq(lit(0))),
    }
}

/// What is counted in a grouping, in every way in which it is counted.
pub fn views(cube: &Cube, basis: Basis, by: &[Dim]) -> PolarsResult<Vec<View>> {
    let rows = || rows_behind(cube, basis, by);
    let unit = match basis.grain() {
        _ if by.contains(&Dim::Type) => ITEM,
        _ if by.contains(&Dim::Label) || (by.contains(&Dim::Impact) && !by.contains(&Dim::Issues)) => ISSUE,
        Grain::PullRequest => PULL_REQUEST,
        Grain::Session => c::ROW,
    };
    let mut views = vec![View::new(rows(), by, unit)?];
    if by == [Dim::Bin] {
        // Sessions with unknown ACUs are in no bin.
        let mut view = View::new(rows(), by, c::ROW)?;
        view.add_outside(cube.sessions(&[]))?;
        views.push(view);
    }
    if matches!(by, [Dim::Impact] | [Dim::Label]) {
        // The sessions that have such an issue, of those analysed and of all.
        for outside in [cube.sessions(&[]).filter(col(c::ANALYSED)), cube.sessions(&[])] {
            let mut view = View::new(rows(), by, c::ROW)?;
            view.add_outside(outside)?;
            views.push(view);
        }
    }
    Ok(views)
}

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

/// A row of a report: what is counted in it.
#[derive(Default)]
pub struct Row {
    /// What is counted.
    pub units: HashSet<u64>,
    /// How many of them each person has.
    people: HashMap<u64, usize>,
}

impl Row {
    pub fn extend(&mut self, counted: &[Counted]) {
        for (unit, person) in counted {
            if self.units.insert(*unit)
                && let Some(person) = person
            {
                *self.people.entry(*person).or_default() += 1;
            }
        }
    }

    /// Whether two rows, of which some units are common, tell of too few people by
    /// subtraction: one is a part of the other, they have nothing in common, or both
    /// together are the whole.
    pub fn tells_with(&self, other: &Self, common: usize, whole: &Self) -> bool {
        let of = |row: &Self, person: &u64| row.people.get(person).copied().unwrap_or(0);
        // How many units of each person the subtraction leaves. Most pairs leave more
        // than a few people, by their numbers alone.
        let left = |at_least: usize, rest: &dyn Fn(&u64) -> usize| {
            let people = || whole.people.keys().filter(|person| rest(person) > 0).count();
            at_least < ENOUGH as usize && !none_or_enough(people())
        };
        let (one, two) = (self.units.len(), other.units.len());
        let (ours, theirs, all) = (self.people.len(), other.people.len(), whole.people.len());
        common == one && left(theirs.saturating_sub(ours), &|person| of(other, person) - of(self, person))
            || common == two
                && left(ours.saturating_sub(theirs), &|person| of(self, person) - of(other, person))
            || common == 0
                && left(all.saturating_sub(ours + theirs), &|person| {
                    of(whole, person) - of(self, person) - of(other, person)
                })
            || one + two - common == whole.units.len()
                && left((ours + theirs).saturating_sub(all), &|person| {
                    of(self, person) + of(other, person) - of(whole, person)
                })
    }
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
            let outside = view.outside.get(&period).map_or([].as_slice(), Vec::as_slice);
            let all = groups.values().copied().flatten().chain(outside);
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
