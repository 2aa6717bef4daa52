//! The numbers that stand in the frames for texts, and the texts.

use std::collections::HashMap;
use std::sync::Arc;

use polars::prelude::*;

use super::columns as c;
use super::normal;
use crate::register::Register;

/// Takes over the texts of another register; for each number of it the one here.
fn absorb(register: &mut Register, other: &Register) -> Vec<u32> {
    other.texts().map(|text| register.number(text)).collect()
}

/// The texts in alphabetical order, and for each number its place in it.
fn sorted(register: &Register) -> (Arc<[Box<str>]>, Vec<u32>) {
    let mut met: Vec<(&str, u32)> = register.texts().zip(0..).collect();
    met.sort_unstable();
    let mut places: Vec<(u32, u32)> = met.iter().map(|(_, number)| *number).zip(0..).collect();
    places.sort_unstable();
    (
        met.into_iter().map(|(text, _)| text.into()).collect(),
        places.into_iter().map(|(_, place)| place).collect(),
    )
}

/// For each number of a register the least number whose text is the same without
/// case; `None` where every text has one spelling.
fn spellings(register: &Register, has_no_case: impl Fn(&str) -> bool) -> Option<Vec<u32>> {
    let has_upper = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
    if !register.texts().any(|text| has_upper(text) && has_no_case(text)) {
        return None;
    }
    let mut least: HashMap<String, u32> = HashMap::new();
    let same = register.texts().zip(0..).map(|(text, number)| match has_no_case(text) {
        true => *least.entry(text.to_ascii_lowercase()).or_insert(number),
        false => number,
    });
    let same: Vec<u32> = same.collect();
    same.iter().zip(0..).any(|(same, number)| *same != number).then_some(same)
}

/// Gives the numbers in the frames that have the column their places for new numbers.
pub(super) fn renumber(column: &str, places: &[u32], frames: &mut [&mut DataFrame]) -> PolarsResult<()> {
    let place = |number: u32| places.get(number as usize).copied().unwrap_or(number);
    for frame in frames.iter_mut().filter(|frame| frame.column(column).is_ok()) {
        let numbers = frame.column(column)?.u32()?.apply_values(place);
        frame.with_column(numbers.into_column())?;
    }
    Ok(())
}

/// The columns of numbers that stand for texts.
pub(super) const WORDED: [&str; 12] = [
    c::ORG,
    c::USER,
    c::TEAM,
    c::STATUS,
    c::ORIGIN,
    c::SIZE,
    c::CATEGORY,
    c::TAG,
    c::REPO,
    c::ADDRESS,
    c::LABEL,
    c::TYPE,
];

/// The texts that numbers in the frames stand for. They are in alphabetical
/// order, so that sorting by number is sorting by text.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(Vec<(&'static str, Arc<[Box<str>]>)>);

impl Words {
    /// The texts of a column; none for a column that holds no such numbers.
    pub(super) fn of(&self, column: &str) -> &[Box<str>] {
        self.0.iter().find(|(name, _)| *name == column).map_or(&[], |(_, words)| words)
    }
}

/// One register a column whose texts come again and again.
#[derive(Default)]
pub(super) struct Registers {
    pub org: Register,
    pub user: Register,
    pub status: Register,
    pub tag: Register,
    address: Register,
    /// The repository of each address, by the address's number.
    repo_of: Vec<u32>,
    repo: Register,
    pub label: Register,
    pub kind: Register,
    pub origin: Register,
    pub size: Register,
    pub category: Register,
    pub team: Register,
}

impl Registers {
    /// The numbers of a canonical address and of its repository.
    pub(super) fn pull_request(&mut self, address: &str) -> (u32, u32) {
        let number = self.address.number(address);
        if self.repo_of.len() < self.address.len() {
            self.repo_of.push(self.repo.number(normal::repo(address)));
        }
        (number, self.repo_of.get(number as usize).copied().unwrap_or(u32::MAX))
    }

    /// Whether two addresses are one pull request's.
    pub(super) fn is_same(&self, one: u32, other: u32) -> bool {
        let text = |number| self.address.text(number).unwrap_or_default();
        one == other || (text(one).eq_ignore_ascii_case(text(other)) && normal::has_no_case(text(one)))
    }

    /// Columns with texts that differ in case alone where case counts for nothing,
    /// and for each number of theirs the least number of the same.
    pub(super) fn spellings(&self) -> impl Iterator<Item = (&'static str, Vec<u32>)> {
        let addresses = spellings(&self.address, normal::has_no_case).map(|same| (c::ADDRESS, same));
        let repos = spellings(&self.repo, normal::repo_has_no_case).map(|same| (c::REPO, same));
        addresses.into_iter().chain(repos)
    }

    /// Takes over the words of other frames, whose numbers become those of here.
    pub(super) fn absorb(&mut self, mut other: Self, frames: &mut [&mut DataFrame]) -> PolarsResult<()> {
        for ((column, ours), (_, theirs)) in self.by_column().into_iter().zip(other.by_column()) {
            renumber(column, &absorb(ours, &std::mem::take(theirs)), frames)?;
        }
        Ok(())
    }

    /// The words, once no row can come any more: in the frames the numbers of
    /// texts become their places in the alphabetical order.
    pub(super) fn settle(mut self, frames: &mut [&mut DataFrame]) -> PolarsResult<Words> {
        let mut words = Words::default();
        for (column, register) in self.by_column() {
            let (texts, places) = sorted(&std::mem::take(register));
            renumber(column, &places, frames)?;
            words.0.push((column, texts));
        }
        Ok(words)
    }

    fn by_column(&mut self) -> [(&'static str, &mut Register); 12] {
        [
            (c::ADDRESS, &mut self.address),
            (c::ORG, &mut self.org),
            (c::USER, &mut self.user),
            (c::STATUS, &mut self.status),
            (c::TAG, &mut self.tag),
            (c::REPO, &mut self.repo),
            (c::LABEL, &mut self.label),
            (c::TYPE, &mut self.kind),
            (c::ORIGIN, &mut self.origin),
            (c::SIZE, &mut self.size),
            (c::CATEGORY, &mut self.category),
            (c::TEAM, &mut self.team),
        ]
    }
}
