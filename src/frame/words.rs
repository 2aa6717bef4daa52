//! Texts that come again and again, each once, and a number for it.

use std::sync::Arc;

use polars::prelude::*;

use super::columns as c;
use super::normal;

/// Texts in the order in which they were met, each with a number of its own.
#[derive(Default)]
pub(super) struct Register(PlHashMap<Box<str>, u32>);

impl Register {
    /// The text's number, a new one where it was never met.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.into(), number);
        number
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes over the texts of another; for each old number of it the new one.
    fn absorb(&mut self, other: Self) -> Vec<u32> {
        let mut places = vec![0; other.len()];
        for (text, number) in other.0 {
            let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
            let place = *self.0.entry(text).or_insert(next);
            places.iter_mut().skip(number as usize).take(1).for_each(|old| *old = place);
        }
        places
    }

    /// The texts in alphabetical order, and for each old number its place in it.
    fn sorted(self) -> (Arc<[Box<str>]>, Vec<u32>) {
        let mut met: Vec<(Box<str>, u32)> = self.0.into_iter().collect();
        met.sort_unstable();
        let mut places: Vec<(u32, u32)> = met.iter().map(|(_, number)| *number).zip(0..).collect();
        places.sort_unstable();
        (
            met.into_iter().map(|(text, _)| text).collect(),
            places.into_iter().map(|(_, place)| place).collect(),
        )
    }
}

/// Gives the numbers in the frames that have the column their places for new numbers.
fn renumber(column: &str, places: &[u32], frames: &mut [&mut DataFrame]) -> PolarsResult<()> {
    let place = |number: u32| places.get(number as usize).copied().unwrap_or(number);
    for frame in frames.iter_mut().filter(|frame| frame.column(column).is_ok()) {
        let numbers = frame.column(column)?.u32()?.apply_values(place);
        frame.with_column(numbers.into_column())?;
    }
    Ok(())
}

/// The texts that numbers in the frames stand for. They are in alphabetical
/// order, so that sorting by number is sorting by text.
#[derive(Clone, Debug, Default)]
pub struct Words(Vec<(&'static str, Arc<[Box<str>]>)>);

impl Words {
    /// The texts of a column; none for a column that holds no such numbers.
    pub fn of(&self, column: &str) -> &[Box<str>] {
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
    /// Whether anybody will ask for the addresses as texts.
    keeps_addresses: bool,
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
    /// No text yet; addresses are forgotten in the end unless they are to be kept.
    pub(super) fn new(keeps_addresses: bool) -> Self {
        Self { keeps_addresses, ..Self::default() }
    }

    /// The numbers of a canonical address and of its repository.
    pub(super) fn pull_request(&mut self, address: &str) -> (u32, u32) {
        let number = self.address.number(address);
        if self.repo_of.len() < self.address.len() {
            self.repo_of.push(self.repo.number(normal::repo(address)));
        }
        (number, self.repo_of.get(number as usize).copied().unwrap_or(u32::MAX))
    }

    /// Takes over the words of other frames, whose numbers become those of here.
    pub(super) fn absorb(&mut self, mut other: Self, frames: &mut [&mut DataFrame]) -> PolarsResult<()> {
        for ((column, ours), (_, theirs)) in self.by_column().into_iter().zip(other.by_column()) {
            renumber(column, &ours.absorb(std::mem::take(theirs)), frames)?;
        }
        Ok(())
    }

    /// The words, once no row can come any more: in the frames the numbers of
    /// texts become their places in the alphabetical order.
    pub(super) fn settle(mut self, frames: &mut [&mut DataFrame]) -> PolarsResult<Words> {
        let mut words = Words::default();
        let keeps_addresses = self.keeps_addresses;
        for (column, register) in self.by_column() {
            if column != c::ADDRESS || keeps_addresses {
                let (texts, places) = std::mem::take(register).sorted();
                renumber(column, &places, frames)?;
                words.0.push((column, texts));
            }
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
