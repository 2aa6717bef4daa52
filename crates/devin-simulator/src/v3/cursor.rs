//! Where a page ended. A cursor names the last record instead of counting, so
//! that what appears before it does not shift what comes after it.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Organisation;
use crate::listing::Listing;

/// The last record of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Its creation: unix seconds and what is left in nanoseconds.
    created_at: (i64, u32),
    last_id: String,
    /// How many records with the same creation and id stand before it.
    twin: usize,
    /// How many repeated records followed it on its page.
    repeated: usize,
}

impl Cursor {
    /// Before every record.
    pub fn of_the_start() -> Self {
        let latest = DateTime::<Utc>::MAX_UTC;
        Self {
            created_at: (latest.timestamp(), latest.timestamp_subsec_nanos()),
            last_id: String::new(),
            twin: 0,
            repeated: 0,
        }
    }

    /// As it is given out: opaque, and with the padding that must be escaped.
    pub fn write(&self) -> String {
        // Numbers and texts can always be written.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        while text.len().is_multiple_of(3) {
            text.push(' ');
        }
        STANDARD.encode(text)
    }

    fn moment(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.created_at.0, self.created_at.1)
    }
}

/// What was given out; anything else is no cursor.
pub fn read(text: &str) -> Option<Cursor> {
    let bytes = STANDARD.decode(text).ok()?;
    let cursor: Cursor = serde_json::from_slice(&bytes).ok()?;
    cursor.moment().map(|_| cursor)
}

/// The entry at which the page after a cursor begins.
pub fn resume(organisation: &Organisation, listing: &Listing, cursor: &Cursor) -> usize {
    let Some(moment) = cursor.moment() else { return 0 };
    let key = (moment, cursor.last_id.as_str());
    // Newest first: what is newer than the cursor comes before it.
    let newer =
        first_place(listing, |place| compare(organisation, listing, place, key) != Some(Ordering::Greater));
    let older =
        first_place(listing, |place| compare(organisation, listing, place, key) == Some(Ordering::Less));
    let place = newer.saturating_add(cursor.twin + 1).min(older);
    let entry = listing.entry(place);
    // Repeated records follow the one that the cursor names.
    (0..cursor.repeated).fold(entry, |entry, _| match listing.item(entry) {
        Some(item) if item.again => entry + 1,
        _ => entry,
    })
}

/// The cursor of a page that ends before an entry; `None` if there is no record.
pub fn after(organisation: &Organisation, listing: &Listing, end: usize) -> Option<Cursor> {
    let is_first = |entry: &usize| listing.item(*entry).is_some_and(|item| !item.again);
    let last = (0..end).rev().find(is_first)?;
    let place = listing.item(last)?.place;
    let record = organisation.records.get(listing.index(place)?)?;
    let key = (record.created_at, record.session_id.as_str());
    let is_twin = |place: &usize| compare(organisation, listing, *place, key) == Some(Ordering::Equal);
    Some(Cursor {
        created_at: (record.created_at.timestamp(), record.created_at.timestamp_subsec_nanos()),
        last_id: record.session_id.clone(),
        twin: (0..place).rev().take_while(is_twin).count(),
        repeated: end - last - 1,
    })
}

fn compare(
    organisation: &Organisation,
    listing: &Listing,
    place: usize,
    key: (DateTime<Utc>, &str),
) -> Option<Ordering> {
    let record = organisation.records.get(listing.index(place)?)?;
    Some((record.created_at, record.session_id.as_str()).cmp(&key))
}

/// The first place of which something is true that stays true from there on.
fn first_place(listing: &Listing, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, listing.total);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for length in 0..6 {
            let last_id = "x".repeat(length);
            let cursor = Cursor { created_at: (1_790_000_000, 5), last_id, twin: 1, repeated: 2 };
            let text = cursor.write();
            assert!(text.ends_with('='), "{text}");
            assert_eq!(read(&text), Some(cursor));
        }
        assert_eq!(read(&Cursor::of_the_start().write()), Some(Cursor::of_the_start()));
        for wrong in ["", "1", "20", "eyJsYXN0X2lkIjoiYWJjMTIzIn0=", "not a cursor", "====", "e30="] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
