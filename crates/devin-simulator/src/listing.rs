//! The records of an answer in the order of the answer, with the faults that
//! change which ones there are.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Organisation;
use super::faults::Shape;
use super::filter::{Filter, Found, find};
use super::v3::Total;

/// How many records later one comes again: as many as a page usually has, so
/// that on shorter pages it is another one.
const LATER: usize = 100;

/// What all pages of a walk are cut from.
#[derive(Clone, Debug)]
pub struct Listing {
    found: Found,
    ascending: bool,
    /// Where a fault left some out or repeats some.
    sequence: Option<Vec<Item>>,
    /// What the server says it has.
    pub total: usize,
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// How many of the records that were found stand before it.
    pub place: usize,
    /// It was there before, and this is an older state of it.
    pub again: bool,
}

impl Listing {
    /// Everything that passes the filter.
    pub fn new(organisation: &Organisation, filter: &Filter, ascending: bool, shape: &Shape) -> Self {
        let everything = Filter { orgs: filter.orgs.clone(), ..Filter::default() };
        let found = find(organisation, if shape.ignores_filter { &everything } else { filter });
        let withheld = withheld(found.len(), shape.withheld, shape.appearing);
        let found = found.without(&withheld);
        let total = found.len();
        let sequence = sequence(total, ascending, shape);
        Self { found, ascending, sequence, total }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.sequence.as_ref().map_or(self.total, Vec::len)
    }

    /// One entry.
    pub fn item(&self, entry: usize) -> Option<Item> {
        match &self.sequence {
            Some(sequence) => sequence.get(entry).copied(),
            None => (entry < self.total).then_some(Item { place: entry, again: false }),
        }
    }

    /// The first entry of a record at this place or after it; the one after the
    /// last where there is none.
    pub fn entry(&self, place: usize) -> usize {
        match &self.sequence {
            None => place.min(self.total),
            // What is repeated between two records follows the first of them.
            Some(sequence) => {
                let before = |item: &Item| !item.again && item.place < place;
                sequence.iter().rposition(before).map_or(0, |entry| entry + 1)
            }
        }
    }

    /// Which record of the organisation stands at a place.
    pub fn index(&self, place: usize) -> Option<usize> {
        match self.ascending {
            true => self.found.get(place),
            false => self.found.get(self.total.checked_sub(place + 1)?),
        }
    }
}

/// The places of those that have yet to appear, of so many that do in the end: spread
/// over all, the newest among them. The newest comes first, so that some come
/// where a walk has yet to go, and some where it has already been.
fn withheld(length: usize, now: usize, in_all: usize) -> BTreeSet<usize> {
    let in_all = in_all.min(length);
    let later = in_all - now.min(in_all)..in_all;
    later.filter_map(|number| length.checked_sub(1 + number * length / in_all)).collect()
}

/// Which of so many records there are, and which of them twice.
fn sequence(length: usize, ascending: bool, shape: &Shape) -> Option<Vec<Item>> {
    if shape.omits.is_none() && shape.repeats.is_none() {
        return None;
    }
    // Counted from the oldest, so that both orders agree on it.
    let is_nth = |place: &usize, period: Option<usize>| {
        let number = if ascending { *place } else { length - 1 - place };
        period.is_some_and(|period| (number + 1).is_multiple_of(period))
    };
    let repeated = |place: &usize| is_nth(place, shape.repeats) && !is_nth(place, shape.omits);
    let again = |place: usize| Item { place, again: true };
    let mut sequence = Vec::new();
    for place in 0..length {
        if !is_nth(&place, shape.omits) {
            sequence.push(Item { place, again: false });
        }
        sequence.extend(place.checked_sub(LATER).filter(repeated).map(again));
    }
    sequence.extend((length.saturating_sub(LATER)..length).filter(repeated).map(again));
    Some(sequence)
}

/// Makes of a record what it was before: still at work, and nothing spent yet,
/// so that a reader that keeps this state instead of the last one has other numbers.
pub fn stale(fields: &mut Map<String, Value>, updated_at: Value) {
    fields.insert("updated_at".to_owned(), updated_at);
    fields.insert("status".to_owned(), json!("running"));
    fields.insert("acus_consumed".to_owned(), json!(0.0));
}

/// A record as a plan that is not billed in ACUs has it, if it is to be one.
pub fn billed<'a>(body: Cow<'a, str>, shape: &Shape) -> Cow<'a, str> {
    if !shape.unmetered {
        return body;
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_str(&body) else { return body };
    fields.insert("acus_consumed".to_owned(), json!(0));
    Cow::Owned(Value::Object(fields).to_string())
}

/// `{"items":[…]`, to be continued.
pub fn join<'a>(bodies: impl Iterator<Item = Cow<'a, str>>) -> String {
    let mut text = "{\"items\":[".to_owned();
    for (index, body) in bodies.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&body);
    }
    text.push(']');
    text
}

/// The end of a page of version 2, which begins at `skip` and ends before `end`.
pub fn end_v2(
    mut text: String,
    total: usize,
    (skip, limit, end): (usize, usize, usize),
    shape: &Shape,
    has_more: bool,
) -> String {
    let next = if has_more { json!(end) } else { Value::Null };
    text += &format!(",\"total\":{total},\"skip\":{skip},\"limit\":{limit}");
    if !shape.endless {
        text += &format!(",\"has_more\":{has_more}");
    }
    text + &format!(",\"next_cursor\":{next}}}")
}

/// The end of a page of version 3, with the cursor of the next one, if there is one.
pub fn end_v3(mut text: String, total: Total, count: usize, next: Option<String>, shape: &Shape) -> String {
    text += &format!(",\"end_cursor\":{}", json!(next));
    if !shape.endless {
        text += &format!(",\"has_next_page\":{}", next.is_some());
    }
    match total {
        Total::Number => text + &format!(",\"total\":{count}}}"),
        Total::Null => text + ",\"total\":null}",
        Total::Absent => text + "}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_some_come_behind_the_walk() {
        let places = |now| withheld(100, now, 4).into_iter().collect::<Vec<_>>();
        assert_eq!(places(4), [24, 49, 74, 99]);
        assert_eq!(places(3), [24, 49, 74]);
        assert_eq!(places(1), [24]);
        assert_eq!(places(0), [0; 0]);
        assert_eq!(withheld(2, 6, 6).len(), 2);
        assert_eq!(withheld(0, 6, 6).len(), 0);
    }

    #[test]
    fn both_orders_leave_out_and_repeat_the_same_records() {
        let shape = Shape { omits: Some(7), repeats: Some(5), ..Shape::default() };
        let numbers = |ascending: bool, again: bool| {
            let items = sequence(500, ascending, &shape).unwrap();
            let some = items.iter().filter(|item| item.again == again);
            some.map(|item| if ascending { item.place } else { 499 - item.place }).collect::<BTreeSet<_>>()
        };
        let kept: BTreeSet<usize> = (0..500).filter(|number| (number + 1) % 7 != 0).collect();
        let twice: BTreeSet<usize> = kept.iter().copied().filter(|number| (number + 1) % 5 == 0).collect();
        for ascending in [true, false] {
            assert_eq!(numbers(ascending, false), kept);
            assert_eq!(numbers(ascending, true), twice);
        }
    }
}
