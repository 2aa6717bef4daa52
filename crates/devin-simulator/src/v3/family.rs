//! Which sessions started others. Nothing about it is stored: both ends work it
//! out from their neighbours and come to the same.

use chrono::DateTime;

use super::marks::{Topic, stream};
use crate::Record;

/// The share of sessions that another one started.
const CHILDREN: f64 = 0.06;
/// How many sessions back a parent may lie.
const REACH: usize = 8;

/// The index of the session that started this one.
pub fn parent(records: &[Record], index: usize) -> Option<usize> {
    let child = records.get(index).filter(|record| is_child(record))?;
    let fits = |candidate: &usize| {
        let other = records.get(*candidate);
        other.is_some_and(|other| other.org_id == child.org_id && is_dated(other) && !is_child(other))
    };
    (index.saturating_sub(REACH)..index).rev().find(fits)
}

/// The indexes of the sessions that this one started.
pub fn children(records: &[Record], index: usize) -> impl Iterator<Item = usize> {
    let later = index + 1..records.len().min(index.saturating_add(REACH + 1));
    later.filter(move |candidate| parent(records, *candidate) == Some(index))
}

/// A session with a parent of its own is not an invented child.
fn is_child(record: &Record) -> bool {
    is_dated(record)
        && stream(record, Topic::Family).chance(CHILDREN)
        && !record.body.contains("\"parent_session_id\"")
}

fn is_dated(record: &Record) -> bool {
    record.created_at > DateTime::UNIX_EPOCH && !record.session_id.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Organisation, Recipe};

    #[test]
    fn parents_and_children_agree() {
        let organisation = Organisation::invent(&Recipe { orgs: 3, ..Recipe::demo() });
        let records = &organisation.records;
        let up: Vec<(usize, usize)> = (0..records.len())
            .filter_map(|child| parent(records, child).map(|parent| (parent, child)))
            .collect();
        let mut down: Vec<(usize, usize)> = (0..records.len())
            .flat_map(|parent| children(records, parent).map(move |child| (parent, child)))
            .collect();
        down.sort_by_key(|(_, child)| *child);
        assert_eq!(up, down);
        assert!((60..200).contains(&up.len()), "{}", up.len());
        for (parent, child) in up.iter().map(|(parent, child)| (&records[*parent], &records[*child])) {
            assert!(parent.created_at <= child.created_at && parent.org_id == child.org_id);
        }
    }
}
