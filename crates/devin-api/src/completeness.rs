//! What came in one walk, counted so that completeness can be proved.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::page::{Rejection, Verdict};
use super::{FetchStats, Row};

/// The rows of one walk, counted.
#[derive(Debug, Default)]
pub struct CompletenessTracker {
    /// Every id seen, and what is known of it.
    seen: HashMap<Box<str>, SeenSession>,
    /// The part of the rows that is being counted: a walk has two where archived
    /// sessions are asked for by themselves.
    part: u32,
    /// Distinct sessions in it.
    in_part: u64,
    /// Rows without an id: each may be a session of its own.
    nameless: u64,
    pages: u64,
    received: u64,
    unique: u64,
    outside: u64,
    /// … and those of them that the server was asked not to give.
    unasked: u64,
    rejected: u64,
    /// The first of the rejected, and its place among all rows, from 1.
    first_rejected: Option<(u64, Rejection)>,
    duplicates: u64,
    naive_times: u64,
}

/// The server's count of the wanted sessions; v3 need not give one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// At the beginning of a walk.
    pub first: Option<u64>,
    /// At its end.
    pub last: Option<u64>,
    /// Slices of the window that the last is the sum of; 0 where it is one count.
    pub slices: u64,
}

impl Counted {
    /// Notes the count of one more answer; one without a count says nothing.
    pub fn note(&mut self, total: Option<u64>) {
        let Some(total) = total else { return };
        let first = *self.first.get_or_insert(total);
        // A count that has moved stays so: of answers side by side the last to
        // land need not be the last that was made.
        if total != first || self.last.is_none() {
            self.last = Some(total);
        }
    }

    /// Whether it stayed the same.
    pub fn steady(&self) -> bool {
        self.first == self.last
    }

    /// Why so many different sessions do not prove to be all.
    pub fn against(&self, received: u64) -> String {
        let last = self.last.unwrap_or(received);
        let added = match self.slices {
            0 | 1 => String::new(),
            slices => format!(", summed over {slices} time slices"),
        };
        match self.first {
            Some(first) if !self.steady() => format!(
                "server reports {first} sessions at first and {last} at the end{added}; received {received} distinct"
            ),
            _ => format!("server reports {last} sessions{added}; received {received} distinct"),
        }
    }
}

/// What is known of an id.
#[derive(Clone, Copy, Debug)]
struct SeenSession {
    /// A row of it was accepted.
    accepted: bool,
    /// The part in which it was seen last.
    part: u32,
    /// When the latest of its rows changed: UTC, microseconds …
    updated: i64,
    /// … and whether that one is outside the query.
    outside: bool,
}

/// What a page holds, by its ids.
#[derive(Debug)]
pub struct CountedPage<'a> {
    /// The accepted rows.
    pub rows: Vec<Row<'a>>,
    /// Rows whose id was never seen before in this walk, whatever became of them.
    pub fresh: u64,
    /// Rows without an id, which may be new or not.
    pub nameless: u64,
    /// Rows that the server was asked not to give.
    pub unasked: u64,
}

impl CompletenessTracker {
    /// Counts a page and gives its accepted rows.
    pub fn count<'a>(&mut self, verdicts: impl IntoIterator<Item = Verdict<'a>>) -> CountedPage<'a> {
        let verdicts = verdicts.into_iter();
        let mut page = CountedPage {
            rows: Vec::with_capacity(verdicts.size_hint().0),
            fresh: 0,
            nameless: 0,
            unasked: 0,
        };
        self.pages += 1;
        for verdict in verdicts {
            self.received += 1;
            let fresh = match verdict {
                Verdict::Accepted { mut row, naive } => {
                    let fresh;
                    (fresh, row.again) = self.record_id(row.id(), Some(true), row.updated);
                    self.unique += u64::from(!row.again);
                    self.duplicates += u64::from(row.again);
                    self.naive_times += u64::from(naive);
                    page.rows.push(row);
                    fresh
                }
                Verdict::Outside { id, updated, expected } => {
                    self.outside += 1;
                    self.unasked += u64::from(!expected);
                    page.unasked += u64::from(!expected);
                    self.record_id(&id, Some(false), updated).0
                }
                Verdict::Rejected(rejection) => {
                    self.rejected += 1;
                    self.first_rejected.get_or_insert_with(|| (self.received, rejection.clone()));
                    match rejection.id {
                        Some(id) => self.record_id(&id, None, None).0,
                        None => {
                            self.nameless += 1;
                            self.in_part += 1;
                            page.nameless += 1;
                            false
                        }
                    }
                }
            };
            page.fresh += u64::from(fresh);
        }
        page
    }

    /// Notes an id, whether its row was accepted, unless that says nothing of the
    /// session, and when it changed: whether it is new, and whether it was
    /// accepted before.
    fn record_id(
        &mut self,
        id: &str,
        accepted: Option<bool>,
        updated: Option<DateTime<Utc>>,
    ) -> (bool, bool) {
        let updated = updated.map_or(i64::MIN, |updated| updated.timestamp_micros());
        let (part, outside) = (self.part, accepted == Some(false));
        let Some(seen) = self.seen.get_mut(id) else {
            self.seen
                .insert(id.into(), SeenSession { accepted: accepted == Some(true), part, updated, outside });
            self.in_part += 1;
            return (true, false);
        };
        let before = seen.accepted;
        self.in_part += u64::from(seen.part != part);
        seen.accepted |= accepted == Some(true);
        seen.part = part;
        // Of equally fresh rows the later one counts, as in the frames.
        if accepted.is_some() && updated >= seen.updated {
            (seen.updated, seen.outside) = (updated, outside);
        }
        (false, before)
    }

    /// The sessions of which a row was accepted, but not the latest: by that they
    /// are outside. A walk over the network, in which a server chooses, has none.
    pub fn outdated(&self) -> Vec<String> {
        let outdated = self.seen.iter().filter(|(_, seen)| seen.accepted && seen.outside);
        let mut ids: Vec<String> = outdated.map(|(id, _)| id.to_string()).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a session was seen, whatever became of its rows.
    pub(super) fn has_seen(&self, id: &str) -> bool {
        self.seen.contains_key(id)
    }

    /// Begins a part of the rows that has a count of its own.
    pub fn begin_part(&mut self) {
        self.part += 1;
        self.in_part = 0;
    }

    /// Distinct sessions received in this part.
    pub fn distinct_in_part(&self) -> u64 {
        self.in_part
    }

    /// Distinct sessions received, to be compared with the server's count.
    pub fn distinct(&self) -> u64 {
        self.seen.len() as u64 + self.nameless
    }

    /// Pages counted.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Rows accepted, of the same session or not.
    pub fn accepted(&self) -> u64 {
        self.unique + self.duplicates
    }

    /// Rows counted.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Rows that the server was asked not to give and all rows, if the first are most
    /// of them and at least so many.
    pub(super) fn mostly_unasked(&self, least: u64) -> Option<(u64, u64)> {
        let most = self.unasked >= least && self.unasked * 2 > self.received;
        most.then_some((self.unasked, self.received))
    }

    /// Rejected rows, if they are more than 1 % of all: too many to be accidents.
    pub fn too_many_rejected(&self) -> Option<u64> {
        (self.rejected * 100 > self.received).then_some(self.rejected)
    }

    /// The first rejected row, and its place among all rows, from 1.
    pub fn first_rejected(&self) -> Option<&(u64, Rejection)> {
        self.first_rejected.as_ref()
    }

    /// The statistics of a walk, with the requests of all walks.
    pub fn stats(&self, (requests, retries): (u64, u64), complete: bool) -> FetchStats {
        FetchStats {
            requests,
            retries,
            pages: self.pages,
            received: self.received,
            unique: self.unique,
            duplicates: self.duplicates,
            outside: self.outside,
            rejected: self.rejected,
            naive_times: self.naive_times,
            complete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::Session;
    use super::*;

    fn rejected(id: Option<&str>) -> Verdict<'_> {
        Verdict::Rejected(Rejection { id: id.map(str::to_owned), why: "created_at is missing".to_owned() })
    }

    fn accepted(id: &str) -> Verdict<'_> {
        let session = Box::leak(Box::new(Session { session_id: id.into(), ..Session::default() }));
        let row = Row { position: 0, created: DateTime::UNIX_EPOCH, updated: None, again: false, session };
        Verdict::Accepted { row, naive: true }
    }

    fn outside(id: &str) -> Verdict<'_> {
        Verdict::Outside { id: id.to_owned(), updated: None, expected: false }
    }

    #[test]
    fn every_row_is_counted_once() {
        let mut tracker = CompletenessTracker::default();
        let page = tracker.count(vec![
            accepted("a"),
            outside("b"),
            rejected(None),
            rejected(None),
            rejected(Some("c")),
            accepted("devin-a"),
        ]);
        assert_eq!((page.rows.len(), page.fresh, page.unasked), (2, 3, 1));
        assert_eq!(page.rows.iter().map(|row| row.again).collect::<Vec<_>>(), [false, true]);
        assert_eq!(page.nameless, 2);
        // An id that was dropped before is still a new session once it is accepted.
        let page = tracker.count(vec![accepted("c"), accepted("c"), outside("a")]);
        assert_eq!((page.rows.len(), page.fresh, page.unasked), (2, 0, 1));
        assert_eq!(page.rows.iter().map(|row| row.again).collect::<Vec<_>>(), [false, true]);
        assert_eq!(tracker.distinct(), 5);
        let stats = tracker.stats((7, 2), true);
        let expected = FetchStats {
            requests: 7,
            retries: 2,
            pages: 2,
            received: 9,
            unique: 2,
            duplicates: 2,
            outside: 2,
            rejected: 3,
            naive_times: 4,
            complete: true,
        };
        assert_eq!(stats, expected);
        assert_eq!(stats.received, stats.unique + stats.duplicates + stats.outside + stats.rejected);
    }

    #[test]
    fn one_percent_may_be_rejected() {
        let mut tracker = CompletenessTracker::default();
        assert_eq!(tracker.too_many_rejected(), None);
        let names: Vec<String> = (0..99).map(|n| n.to_string()).collect();
        tracker.count(names.iter().map(|name| accepted(name)));
        tracker.count(vec![rejected(None)]);
        assert_eq!(tracker.too_many_rejected(), None);
        tracker.count(vec![rejected(None)]);
        assert_eq!(tracker.too_many_rejected(), Some(2));
    }
}
