//! What an invented organisation is made of.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

/// The size and the span of an invented organisation. The same recipe gives the
/// same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Chooses among all organisations of this shape.
    pub seed: u64,
    /// How many sessions there are.
    pub sessions: usize,
    /// The first day (UTC) with sessions.
    pub first_day: NaiveDate,
    /// Over how many days they spread; the last seven have the story to tell.
    pub days: u32,
    /// How many people start sessions; 0 leaves every session without a user.
    pub users: usize,
    /// Whether some of them join or leave within the span.
    pub turnover: bool,
    /// How many tags are in use; 0 leaves every session untagged.
    pub tags: usize,
    /// How many repositories receive pull requests; 0 is no pull request at all.
    pub repos: usize,
    /// How many organisations the enterprise has, at least 1: `org_demo`, `org_demo_2` …
    pub orgs: usize,
    /// How often odd values occur: 1 as in real data, 0 never, 10 ten times as often.
    pub oddity: f64,
    /// Pads tags, labels, titles and names of people to this many characters, for layout tests.
    pub name_length: Option<usize>,
}

impl Recipe {
    /// The demo's: eight weeks up to and with the week of 5 to 11 October 2026.
    pub fn demo() -> Self {
        Self {
            seed: 1166,
            sessions: 2_330,
            first_day: NaiveDate::from_ymd_opt(2026, 8, 17).unwrap_or_default(),
            days: 56,
            users: 24,
            turnover: true,
            tags: 14,
            repos: 8,
            orgs: 1,
            oddity: 1.0,
            name_length: None,
        }
    }

    /// The moment after the last day.
    pub fn end(&self) -> DateTime<Utc> {
        let day = self.first_day.checked_add_days(Days::new(self.days.into())).unwrap_or(NaiveDate::MAX);
        day.and_time(NaiveTime::MIN).and_utc()
    }
}

impl Default for Recipe {
    /// The demo's.
    fn default() -> Self {
        Self::demo()
    }
}
