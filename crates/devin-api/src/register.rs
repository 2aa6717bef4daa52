//! Texts that come again and again, each kept once, and a number for it.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Texts in the order in which they were met, each with its place in it as its
/// number. They lie one behind the other in one piece of memory, which the
/// system gets back whole; an allocation for each of a million would stay.
#[derive(Debug, Default)]
pub struct Register {
    texts: String,
    /// Where each text ends.
    ends: Vec<usize>,
    places: HashTable<Place>,
    hasher: RandomState,
    /// The text that was met last: it often comes again.
    last: u32,
}

/// Where a text is found. Its hash is kept because a table that grows would
/// have to read all texts again.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    number: u32,
}

impl Place {
    /// All bits that a table asks for.
    fn spread(&self) -> u64 {
        spread(self.hash)
    }
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Register {
    /// The text's number, a new one where it was never met.
    pub fn number(&mut self, text: &str) -> u32 {
        if self.text(self.last) == Some(text) {
            return self.last;
        }
        let hash = self.hash(text);
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        let Self { texts, ends, places, .. } = self;
        let is_there = |place: &Place| place.hash == hash && text_of(texts, ends, place.number) == Some(text);
        self.last = match places.entry(spread(hash), is_there, Place::spread) {
            Entry::Occupied(place) => place.get().number,
            Entry::Vacant(place) => {
                place.insert(Place { hash, number });
                texts.push_str(text);
                ends.push(texts.len());
                number
            }
        };
        self.last
    }

    /// Whether a text was met.
    pub fn has(&self, text: &str) -> bool {
        let hash = self.hash(text);
        let is_it = |place: &Place| place.hash == hash && self.text(place.number) == Some(text);
        self.places.find(spread(hash), is_it).is_some()
    }

    /// The upper half of the hash, which is as good as the lower.
    fn hash(&self, text: &str) -> u32 {
        u32::try_from(self.hasher.hash_one(text) >> 32).unwrap_or_default()
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no text was met yet.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts, by their numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (0..).map_while(|number| self.text(number))
    }

    /// The text of a number.
    pub fn text(&self, number: u32) -> Option<&str> {
        text_of(&self.texts, &self.ends, number)
    }
}

fn text_of<'t>(texts: &'t str, ends: &[usize], number: u32) -> Option<&'t str> {
    let at = number as usize;
    let start = at.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    texts.get(start..*ends.get(at)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_each_number_its_text() {
        let mut register = Register::default();
        assert!(register.is_empty());
        let numbers = ["b", "", "a", "a", "b", "", "c", "é", "b"].map(|text| register.number(text));
        assert_eq!(numbers, [0, 1, 2, 2, 0, 1, 3, 4, 0]);
        assert_eq!(register.texts().collect::<Vec<_>>(), ["b", "", "a", "c", "é"]);
        assert_eq!(register.len(), 5);
    }

    #[test]
    fn many_texts_are_found_again() {
        let mut register = Register::default();
        let numbers = |register: &mut Register| -> Vec<u32> {
            (0..10_000).map(|text| register.number(&format!("{text}"))).collect()
        };
        let first = numbers(&mut register);
        assert_eq!(first, (0..10_000).collect::<Vec<_>>());
        assert_eq!((numbers(&mut register), register.len()), (first, 10_000));
    }
}
