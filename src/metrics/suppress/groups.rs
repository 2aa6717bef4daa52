//! Who is behind the groups of a covered report: what is counted in each group,
//! and by whom.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use polars::prelude::*;

use super::rests::Rests;
use crate::metrics::acus::binned;
use crate::metrics::analysis::issue_counts;
use crate::metrics::dimension::{Dim, GroupKey};
use crate::metrics::period_frames::{NUMBER, PERSON, PeriodFrames};
use crate::metrics::plan::{group_keys, is_decided, keys};
use crate::people::ENOUGH;
use crate::tables::schema as c;

/// Whether so many people are none, or enough.
pub fn none_or_enough(people: usize) -> bool {
    people == 0 || people >= ENOUGH as usize
}

/// The number of people behind rows.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn people(rows: LazyFrame) -> PolarsResult<usize> {
    rows.select([col(PERSON)]).collect()?.column(PERSON)?.drop_nulls().n_unique()
}

/// The rows that the numbers of a grouping rest on.
pub fn rows_behind(frames: &PeriodFrames, rests: Rests, by: &[Dim]) -> LazyFrame {
    match by {
        [Dim::Type] => return frames.action_items(by),
        [Dim::Impact, Dim::Issues] => return issue_counts(frames),
        [Dim::Label] | [Dim::Impact] => return frames.issues(by),
        [Dim::Bin] => return binned(frames),
        _ => {}
    }
    match rests {
        Rests::Sessions => frames.sessions(by),
        Rests::Acus | Rests::KnownSessions => frames.sessions(by).filter(col(c::ACUS).is_not_null()),
        Rests::CountedSessions => frames.sessions(by).filter(col(c::MESSAGES).is_not_null()),
        Rests::AnalysedSessions => frames.sessions(by).filter(col(c::ANALYSED)),
        Rests::PullRequests => frames.pull_requests(by),
        Rests::DecidedPullRequests => frames.pull_requests(by).filter(is_decided()),
        Rests::MergedPullRequests => frames.pull_requests(by).filter(col(c::STATE).eq(lit("merged"))),
    }
}

/// What is counted in a grouping, in every way in which it is counted.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn views(frames: &PeriodFrames, rests: Rests, by: &[Dim]) -> PolarsResult<Vec<View>> {
    let rows = || rows_behind(frames, rests, by);
    let of_sessions = |outside: LazyFrame| {
        PolarsResult::Ok(View { outside: counted(outside)?, ..View::new(rows(), by, c::ROW)? })
    };
    let analysed = || frames.sessions(&[]).filter(col(c::ANALYSED));
    match by {
        [Dim::Type] => Ok(vec![View::new(rows(), by, NUMBER)?]),
        // The sessions with such an issue are counted, and its issues.
        [Dim::Label] | [Dim::Impact] => Ok(vec![of_sessions(analysed())?, View::new(rows(), by, NUMBER)?]),
        // Sessions with unknown ACUs are in no bin.
        [Dim::Bin] => Ok(vec![of_sessions(frames.sessions(&[]))?]),
        _ if rests.is_of_pull_requests() => Ok(vec![View::new(rows(), by, NUMBER)?]),
        _ => Ok(vec![View::new(rows(), by, c::ROW)?]),
    }
}

/// Whether the top 10% of users has enough people, or none. Service users are users,
/// but not people.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn heaviest(frames: &PeriodFrames) -> PolarsResult<bool> {
    let order = SortMultipleOptions::default().with_order_descending_multi([true, false]);
    let users = frames
        .sessions(&[])
        .filter(col(c::USER).is_not_null())
        .group_by([col(c::USER)])
        .agg([col(c::ACUS).sum(), col(PERSON).max()])
        .sort([c::ACUS, c::USER], order)
        .collect()?;
    let is_person = users.column(PERSON)?.is_not_null();
    let heavy = is_person.head(Some(users.height().div_ceil(10)));
    let count = |people: &BooleanChunked| people.iter().flatten().filter(|is_person| *is_person).count();
    Ok(count(&is_person) >= ENOUGH_USERS && count(&heavy) >= ENOUGH as usize)
}

/// The top 10% of users holds [`ENOUGH`] people only among at least this many.
const ENOUGH_USERS: usize = 50;

/// A counted thing: its number, and the person behind it, if any.
pub type Counted = (u32, Option<u32>);

/// What is counted in each group of a period.
#[derive(Default)]
pub struct View {
    /// By group.
    pub groups: BTreeMap<GroupKey, Vec<Counted>>,
    /// What is counted and may be in no group.
    pub outside: Vec<Counted>,
}

impl View {
    /// What rows count, by a column with the number of what is counted.
    pub fn new(rows: LazyFrame, by: &[Dim], unit: &str) -> PolarsResult<Self> {
        let rows = rows
            .select([keys(by), vec![col(unit).alias(UNIT), col(PERSON)]].concat())
            .unique(Some(keys_and_unit(by)), UniqueKeepStrategy::Any)
            .group_by(keys(by))
            .agg([col(UNIT), col(PERSON)])
            .collect()?;
        let (units, people) = (rows.column(UNIT)?.list()?, rows.column(PERSON)?.list()?);
        let lists = units.amortized_iter().zip(people.amortized_iter());
        let mut groups = BTreeMap::new();
        for (key, (units, people)) in group_keys(&rows, by)?.into_iter().zip(lists) {
            let (units, people) = units.zip(people).expect("every group has a list of its rows");
            groups.insert(key, pairs(units.as_ref(), people.as_ref())?);
        }
        Ok(Self { groups, outside: Vec::new() })
    }
}

fn keys_and_unit(by: &[Dim]) -> Selector {
    cols(by.iter().map(|dim| dim.name()).chain([UNIT]))
}

/// The sessions of rows with the people behind them.
fn counted(sessions: LazyFrame) -> PolarsResult<Vec<Counted>> {
    let rows = sessions.select([col(c::ROW), col(PERSON)]).collect()?;
    let series = |name| PolarsResult::Ok(rows.column(name)?.as_materialized_series().clone());
    pairs(&series(c::ROW)?, &series(PERSON)?)
}

fn pairs(units: &Series, people: &Series) -> PolarsResult<Vec<Counted>> {
    let unit = |unit: Option<u32>| unit.expect("what is counted has a number");
    Ok(units.u32()?.iter().map(unit).zip(people.u32()?.iter()).collect())
}

const UNIT: &str = "unit";

/// A row of a report: the things of people that are counted in it. What automation
/// has is left out, because others know or guess it.
#[derive(Default)]
pub struct Row {
    units: HashMap<u32, u32>,
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
    pub fn units(&self) -> impl Iterator<Item = &u32> {
        self.units.keys()
    }

    /// The things of this row that are not in another, with their people.
    pub fn without<'r>(&'r self, other: &'r Self) -> impl Iterator<Item = u32> + 'r {
        self.units.iter().filter(|(unit, _)| !other.units.contains_key(unit)).map(|(_, person)| *person)
    }

    /// The people behind the things of both rows.
    pub fn with<'r>(&'r self, other: &'r Self) -> impl Iterator<Item = u32> + 'r {
        self.units.iter().filter(|(unit, _)| other.units.contains_key(unit)).map(|(_, person)| *person)
    }

    /// Whether one row minus the other reveals too few people.
    pub fn differs_by_few(&self, other: &Self) -> bool {
        are_few(self.without(other).chain(other.without(self)))
    }

    /// Whether both rows minus the whole reveal too few people.
    pub fn covers_but_few(&self, other: &Self, whole: &Self) -> bool {
        let outside = whole
            .units
            .iter()
            .filter(|(unit, _)| !self.units.contains_key(unit) && !other.units.contains_key(unit))
            .map(|(_, person)| *person);
        are_few(self.with(other).chain(outside))
    }

    /// Whether other rows, added up, minus this one reveal too few people. Rows that
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
fn are_few(people: impl Iterator<Item = u32>) -> bool {
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
    /// Their keys.
    pub keys: Keys<'a>,
    views: Vec<Side<'a>>,
}

/// Some of the keys of a period's groups.
pub type Keys<'a> = BTreeSet<&'a GroupKey>;

/// What one view has of them.
struct Side<'a> {
    groups: BTreeMap<&'a GroupKey, &'a [Counted]>,
    /// Every person with how many things they have, in the groups or outside.
    all: HashMap<u32, usize>,
}

impl<'a> Groups<'a> {
    pub fn new(views: &'a [View], is_own: impl Fn(&GroupKey) -> bool) -> Self {
        let view = |view: &'a View| {
            let own = view.groups.iter().filter(|(key, _)| is_own(key));
            let groups: BTreeMap<&'a GroupKey, &'a [Counted]> =
                own.map(|(key, counted)| (key, counted.as_slice())).collect();
            let all = people_of(groups.values().copied().flatten().chain(&view.outside));
            Side { groups, all }
        };
        let views: Vec<Side<'a>> = views.iter().map(view).collect();
        Self { keys: views.iter().flat_map(|side| side.groups.keys().copied()).collect(), views }
    }

    /// How many people are in some groups, and how many have anything outside of
    /// them, in each view.
    pub fn people(&self, keys: &Keys<'a>) -> impl Iterator<Item = (usize, usize)> {
        self.views.iter().map(move |Side { groups, all }| {
            let inside = people_of(keys.iter().filter_map(|key| groups.get(key)).copied().flatten());
            let only = inside.iter().filter(|(person, counted)| all.get(person) == Some(counted)).count();
            (inside.len(), all.len() - only)
        })
    }

    /// How many people are in a group, in the view in which they are fewest.
    pub fn size(&self, key: &'a GroupKey) -> usize {
        self.people(&[key].into()).map(|(inside, _)| inside).min().expect("a grouping is counted somehow")
    }

    /// Whether those people are enough, or none, who have things in more than one
    /// row: the sum of all rows minus the whole would reveal them.
    pub fn overlaps_are_enough(&self, combined: &Keys<'a>) -> bool {
        self.views.iter().all(|side| {
            let mut rows: HashMap<u32, (BTreeSet<Option<&GroupKey>>, Option<u32>)> = HashMap::new();
            for (key, counted) in &side.groups {
                let row = (!combined.contains(key)).then_some(*key);
                for (unit, person) in *counted {
                    rows.entry(*unit).or_insert((BTreeSet::new(), *person)).0.insert(row);
                }
            }
            let several = rows.into_values().filter(|(rows, _)| rows.len() > 1);
            none_or_enough(several.filter_map(|(_, person)| person).collect::<BTreeSet<u32>>().len())
        })
    }

    /// Whether some groups may be shown as one number.
    pub fn is_enough(&self, keys: &Keys<'a>) -> bool {
        self.people(keys).all(|(inside, outside)| inside >= ENOUGH as usize && none_or_enough(outside))
    }

    /// Whether some groups that are not shown may be computed as a rest.
    pub fn rests(&self, keys: &Keys<'a>) -> bool {
        self.people(keys).all(|(inside, outside)| none_or_enough(inside) && none_or_enough(outside))
    }

    /// The groups to hide: some given ones, the small ones, and then one by one the
    /// smallest of the others until what is hidden is as it should be.
    pub fn hidden(&self, given: Keys<'a>, is_safe: impl Fn(&Keys<'a>) -> bool) -> Keys<'a> {
        let mut hidden = given;
        hidden.extend(self.keys.iter().copied().filter(|key| !self.is_enough(&[*key].into())));
        let shown = self.keys.difference(&hidden);
        let mut shown: Vec<_> = shown.map(|key| (self.size(key), *key)).collect();
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
fn people_of<'c>(counted: impl Iterator<Item = &'c Counted>) -> HashMap<u32, usize> {
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

/// Sessions by what they have in common, with the number of people behind each of the cells.
pub struct Cells(pub DataFrame);

/// The cells that some keys make of sessions.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn cells(sessions: LazyFrame, keys: Vec<Expr>) -> PolarsResult<Cells> {
    let people = col(PERSON).drop_nulls().n_unique().cast(DataType::UInt32);
    Ok(Cells(sessions.group_by(keys).agg([people.alias(UNIT)]).collect()?))
}

impl Cells {
    /// How many people are behind each cell.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn people(&self) -> PolarsResult<Vec<usize>> {
        Ok(self.0.column(UNIT)?.u32()?.iter().flatten().map(|people| people as usize).collect())
    }
}

/// Whether a part of some sessions and the rest of them are both of no people or
/// of enough.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn halves(sessions: LazyFrame, part: Expr) -> PolarsResult<bool> {
    let inside = people(sessions.clone().filter(part.clone()))?;
    let outside = people(sessions.filter(part.not()))?;
    Ok(none_or_enough(inside) && none_or_enough(outside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::dimension::Key;

    fn key(number: u32) -> GroupKey {
        vec![Some(Key::new(Dim::Tag, &number.to_string()))]
    }

    /// Groups by key, each with its people; every person has one thing of their own there.
    fn view(groups: &[(u32, &[u32])]) -> View {
        let counted = |(number, people): &(u32, &[u32])| {
            let own = people.iter().map(|person| (number * 1000 + person, Some(*person))).collect();
            (key(*number), own)
        };
        View { groups: groups.iter().map(counted).collect(), outside: Vec::new() }
    }

    fn hidden(groups: &[(u32, &[u32])]) -> Vec<GroupKey> {
        let views = [view(groups)];
        let groups = Groups::new(&views, |_| true);
        let is_safe = |hidden: &Keys<'_>| hidden.is_empty() || groups.is_enough(hidden);
        groups.hidden(BTreeSet::new(), is_safe).into_iter().cloned().collect()
    }

    #[test]
    fn small_groups_are_combined_with_the_smallest_others_until_they_have_five_people() {
        let six: &[u32] = &[1, 2, 3, 4, 5, 6];
        assert!(hidden(&[(1, six), (2, six)]).is_empty());
        // Five people in two small groups are enough.
        assert_eq!(hidden(&[(1, six), (2, six), (3, &[1, 2, 3]), (4, &[4, 5])]), [3, 4].map(key));
        // The same three people in two groups are not: the smallest of the others joins them.
        let seven: &[u32] = &[1, 2, 3, 4, 5, 6, 7];
        assert_eq!(hidden(&[(1, seven), (2, six), (3, &[1, 2, 3]), (4, &[1, 2])]), [2, 3, 4].map(key));
        // With one large group nothing is left to show.
        assert_eq!(hidden(&[(1, six), (2, &[7])]), [1, 2].map(key));
    }

    #[test]
    fn a_group_is_hidden_that_only_a_few_people_are_outside_of() {
        // Tags overlap: all six have something tagged 1 and something tagged 2, and
        // two of them have something without either.
        let mut view = view(&[(1, &[1, 2, 3, 4, 5, 6]), (2, &[1, 2, 3, 4, 5, 6])]);
        let both: Vec<Counted> = (1..=6).map(|person| (person, Some(person))).collect();
        view.groups.values_mut().for_each(|group| *group = both.clone());
        view.outside = both.into_iter().chain([(7, Some(1)), (8, Some(2))]).collect();
        let views = [view];
        let groups = Groups::new(&views, |_| true);
        assert_eq!(groups.hidden(BTreeSet::new(), |_| true).len(), 2);
    }

    #[test]
    fn automation_is_not_a_person_and_a_person_counts_once() {
        let groups = [(key(1), vec![(1, Some(7)), (2, Some(7)), (3, None)])].into();
        let views = [View { groups, outside: Vec::new() }];
        let groups = Groups::new(&views, |_| true);
        assert_eq!(groups.people(&[&key(1)].into()).collect::<Vec<_>>(), [(1, 0)]);
    }
}
