//! The time that saved sessions cover: beyond it, 0 is no count.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use super::values::RecordSummary;

/// No zone is further from UTC, and an export's days may be those of any.
const ZONE: TimeDelta = TimeDelta::hours(14);

/// The time that saved sessions cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// In order and disjoint; empty if unknown.
    ranges: Vec<Range<DateTime<Utc>>>,
    /// The same as declared by the files; empty if derived from the oldest and newest session.
    declared: Vec<Range<DateTime<Utc>>>,
}

impl Reach {
    /// The ranges of exports where all is of them, else from the oldest to the newest
    /// session.
    pub(super) fn new(summary: &RecordSummary, is_export: bool) -> Self {
        let sessions = summary.first.zip(summary.last).map(|(first, last)| first..last);
        if !is_export || summary.ranges.is_empty() {
            return Self::of_sessions(sessions);
        }
        let mut ranges = summary.ranges.clone();
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut apart: Vec<Range<DateTime<Utc>>> = Vec::new();
        for range in ranges {
            match apart.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => apart.push(range),
            }
        }
        let declared = apart.clone();
        // An end without a time of day may mean the whole of its day.
        if let Some((last, newest)) = apart.last_mut().zip(summary.last) {
            last.end = last.end.max(newest);
        }
        Self { ranges: apart, declared }
    }

    /// From the oldest session to the newest, if there is any.
    pub fn of_sessions(sessions: Option<Range<DateTime<Utc>>>) -> Self {
        Self { ranges: sessions.into_iter().collect(), declared: Vec::new() }
    }

    /// What the files say, if they do: the ranges of exports.
    pub fn declared(&self) -> &[Range<DateTime<Utc>>] {
        &self.declared
    }

    /// Whether nothing is missing from a time, as far as that can be known: without
    /// any session it cannot.
    pub fn covers(&self, time: &Range<DateTime<Utc>>) -> bool {
        let is_in = |range: &Range<DateTime<Utc>>| self.is_early(range, time) && self.is_late(range, time);
        self.is_unknown() || self.ranges.iter().any(is_in)
    }

    /// Whether nothing is missing from the beginning of a time.
    pub fn covers_beginning(&self, time: &Range<DateTime<Utc>>) -> bool {
        self.is_unknown() || self.ranges.iter().any(|range| self.is_early(range, time))
    }

    /// Whether the files say that something is missing from a period. One that still
    /// runs goes on after they were written.
    pub fn misses(&self, time: &Range<DateTime<Utc>>, is_over: bool) -> bool {
        let is_in = |range: &Range<DateTime<Utc>>| {
            self.is_early(range, time)
                && if is_over { self.is_late(range, time) } else { range.end > time.start }
        };
        !self.declared.is_empty() && !self.ranges.iter().any(is_in)
    }

    fn is_unknown(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether a range begins before a time does: a first session a day later, or
    /// after a tenth of it, is nothing to speak of.
    fn is_early(&self, range: &Range<DateTime<Utc>>, time: &Range<DateTime<Utc>>) -> bool {
        range.start <= time.start + if self.declared.is_empty() { quiet(time) } else { zone(time) }
    }

    /// Whether a range ends after a time does: quiet days, such as those of a weekend,
    /// are nothing to speak of.
    fn is_late(&self, range: &Range<DateTime<Utc>>, time: &Range<DateTime<Utc>>) -> bool {
        let weekend = TimeDelta::days(3).min((time.end - time.start) / 2);
        range.end + if self.declared.is_empty() { weekend.max(quiet(time)) } else { zone(time) } >= time.end
    }
}

/// What an export's days may be off by, for their zone is not known; of a short time
/// that would be too much to pass over.
fn zone(time: &Range<DateTime<Utc>>) -> TimeDelta {
    ZONE.min((time.end - time.start) / 24)
}

fn quiet(time: &Range<DateTime<Utc>>) -> TimeDelta {
    TimeDelta::days(1).max((time.end - time.start) / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(from: &str, to: &str) -> Range<DateTime<Utc>> {
        let moment = |text: &str| format!("2026-{text}Z").parse().unwrap();
        moment(from)..moment(to)
    }

    fn reach(ranges: &[(&str, &str)], sessions: (&str, &str), is_export: bool) -> Reach {
        let sessions = time(sessions.0, sessions.1);
        let summary = RecordSummary {
            ranges: ranges.iter().map(|(from, to)| time(from, to)).collect(),
            first: Some(sessions.start),
            last: Some(sessions.end),
            ..RecordSummary::default()
        };
        Reach::new(&summary, is_export)
    }

    #[test]
    fn sessions_reach_from_the_oldest_to_the_newest() {
        let covers =
            |from: &str, to: &str, time: &Range<DateTime<Utc>>| reach(&[], (from, to), false).covers(time);
        let week = time("10-05T00:00:00", "10-12T00:00:00");
        // Monday morning to Friday evening.
        assert!(covers("10-05T09:00:00", "10-09T18:00:00", &week));
        assert!(covers("10-06T00:00:00", "10-09T00:00:00", &week));
        assert!(!covers("10-06T09:00:00", "10-11T18:00:00", &week));
        assert!(!covers("10-05T09:00:00", "10-08T18:00:00", &week));
        let month = time("09-01T00:00:00", "10-01T00:00:00");
        assert!(covers("09-03T09:00:00", "10-20T00:00:00", &month));
        assert!(!covers("09-05T09:00:00", "10-20T00:00:00", &month));
        let day = time("10-07T00:00:00", "10-08T00:00:00");
        assert!(covers("10-07T20:00:00", "10-07T20:00:00", &day));
        assert!(!covers("10-08T20:00:00", "10-09T20:00:00", &day));
        assert!(Reach::default().covers(&week));
    }

    #[test]
    fn exports_reach_as_far_as_they_say() {
        let week = time("10-05T00:00:00", "10-12T00:00:00");
        let covers =
            |ranges: &[(&str, &str)]| reach(ranges, ("10-07T00:00:00", "10-08T00:00:00"), true).covers(&week);
        assert!(covers(&[("09-01T00:00:00", "10-12T00:00:00")]));
        // Days of another zone.
        assert!(covers(&[("10-05T07:00:00", "10-11T17:00:00")]));
        assert!(!covers(&[("10-05T08:00:00", "10-12T00:00:00")]));
        assert!(!covers(&[("10-05T00:00:00", "10-11T00:00:00")]));
        let halves = [("10-08T00:00:00", "10-20T00:00:00"), ("10-01T00:00:00", "10-08T00:00:00")];
        assert!(covers(&halves));
        let apart = [halves[0], ("10-01T00:00:00", "10-07T00:00:00")];
        assert!(!covers(&apart));
        assert_eq!(reach(&apart, ("10-01T00:00:00", "10-30T00:00:00"), true).declared().len(), 2);
        // Its end is a whole day.
        assert!(
            reach(&[("10-01T00:00:00", "10-11T00:00:00")], ("10-07T00:00:00", "10-11T17:00:00"), true)
                .covers(&week)
        );
        assert_eq!(reach(&halves, ("10-01T00:00:00", "10-30T00:00:00"), false).declared(), []);
    }
}
