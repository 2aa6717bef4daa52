//! Periods: half-open runs of local days in the report's time zone.
//!
//! Local midnights bound a period, so days of 23 or 25 hours need no special case. Everything here
//! is pure: the time is an argument.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// The kind of a period; its previous period is of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodKind {
    /// An ISO week, Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A quarter of a calendar year.
    Quarter,
    /// Any run of days.
    Days,
}

impl PeriodKind {
    /// The noun for such a period.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Days => "period",
        }
    }
}

/// One or more whole local days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    kind: PeriodKind,
    first: NaiveDate,
    last: NaiveDate,
    tz: Tz,
}

impl Period {
    /// The ISO week that contains a date.
    pub fn week_of(date: NaiveDate, tz: Tz) -> Option<Self> {
        let week = date.week(Weekday::Mon);
        Some(Self {
            kind: PeriodKind::Week,
            first: week.checked_first_day()?,
            last: week.checked_last_day()?,
            tz,
        })
    }

    /// The calendar month that contains a date.
    pub fn month_of(date: NaiveDate, tz: Tz) -> Option<Self> {
        let first = date.with_day(1)?;
        let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
        Some(Self { kind: PeriodKind::Month, first, last, tz })
    }

    /// The quarter of a calendar year that contains a date.
    pub fn quarter_of(date: NaiveDate, tz: Tz) -> Option<Self> {
        let first = date.with_day(1)?.with_month(date.month0() / 3 * 3 + 1)?;
        let last = first.checked_add_months(Months::new(3))?.pred_opt()?;
        Some(Self { kind: PeriodKind::Quarter, first, last, tz })
    }

    /// The period of a kind that contains a date; for days, the day itself.
    pub fn containing(kind: PeriodKind, date: NaiveDate, tz: Tz) -> Option<Self> {
        match kind {
            PeriodKind::Week => Self::week_of(date, tz),
            PeriodKind::Month => Self::month_of(date, tz),
            PeriodKind::Quarter => Self::quarter_of(date, tz),
            PeriodKind::Days => Self::days(date, date, tz),
        }
    }

    /// A run of days, both ends included; `None` if it ends before it begins.
    pub fn days(first: NaiveDate, last: NaiveDate, tz: Tz) -> Option<Self> {
        (first <= last).then_some(Self { kind: PeriodKind::Days, first, last, tz })
    }

    /// The last ISO week that was over at `now`, so that a late or repeated run reports the same
    /// week.
    pub fn last_complete_week(now: DateTime<Utc>, tz: Tz) -> Option<Self> {
        Self::week_of(today(now, tz), tz)?.previous()
    }

    /// The `count` whole days before today.
    pub fn last_days(count: u32, now: DateTime<Utc>, tz: Tz) -> Option<Self> {
        let last = today(now, tz).pred_opt()?;
        let first = last.checked_sub_days(Days::new(u64::from(count.checked_sub(1)?)))?;
        Self::days(first, last, tz)
    }

    /// Parses `2026-W41`.
    pub fn parse_week(text: &str, tz: Tz) -> Option<Self> {
        let (year, week) = text.split_once("-W").or_else(|| text.split_once("-w"))?;
        let monday = NaiveDate::from_isoywd_opt(four_digits(year)?, two_digits(week)?, Weekday::Mon)?;
        Self::week_of(monday, tz)
    }

    /// Parses `2026-10`.
    pub fn parse_month(text: &str, tz: Tz) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        Self::month_of(NaiveDate::from_ymd_opt(four_digits(year)?, two_digits(month)?, 1)?, tz)
    }

    /// Parses `2026-Q4`.
    pub fn parse_quarter(text: &str, tz: Tz) -> Option<Self> {
        let (year, quarter) = text.split_once("-Q").or_else(|| text.split_once("-q"))?;
        let quarter = two_digits(quarter).filter(|quarter| (1..=4).contains(quarter))?;
        Self::quarter_of(NaiveDate::from_ymd_opt(four_digits(year)?, quarter * 3, 1)?, tz)
    }

    /// Parses a label that [`Period::label`] returned.
    pub fn parse_label(label: &str, tz: Tz) -> Option<Self> {
        match label.split_once('_') {
            Some((first, last)) => Self::days(parse_date(first)?, parse_date(last)?, tz),
            None => Self::parse_week(label, tz)
                .or_else(|| Self::parse_month(label, tz))
                .or_else(|| Self::parse_quarter(label, tz))
                .or_else(|| parse_date(label).and_then(|day| Self::days(day, day, tz))),
        }
    }

    /// The kind of the period.
    pub fn kind(&self) -> PeriodKind {
        self.kind
    }

    /// Its first local date.
    pub fn first(&self) -> NaiveDate {
        self.first
    }

    /// Its last local date.
    pub fn last(&self) -> NaiveDate {
        self.last
    }

    /// Its time zone.
    pub fn tz(&self) -> Tz {
        self.tz
    }

    /// Every local date in order.
    pub fn dates(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.last;
        self.first.iter_days().take_while(move |date| *date <= last)
    }

    /// Its start: the first local midnight.
    pub fn from(&self) -> DateTime<Tz> {
        midnight(self.first, self.tz)
    }

    /// Its end, the start of the next period.
    pub fn to(&self) -> DateTime<Tz> {
        midnight(self.last.succ_opt().unwrap_or(NaiveDate::MAX), self.tz)
    }

    /// Whether it was over at `now`.
    pub fn complete(&self, now: DateTime<Utc>) -> bool {
        self.to() <= now
    }

    /// The preceding period of the same kind; `None` at the start of the calendar.
    pub fn previous(&self) -> Option<Self> {
        let last = self.first.pred_opt()?;
        match self.kind {
            PeriodKind::Days => {
                Self::days(self.first.checked_sub_days(Days::new(self.day_count()))?, last, self.tz)
            }
            kind => Self::containing(kind, last, self.tz),
        }
    }

    /// The week, month or quarter of the same number a year earlier; week 52 where that year has no
    /// week 53. `None` for a run of days.
    pub fn a_year_before(&self) -> Option<Self> {
        match self.kind {
            PeriodKind::Week => {
                let week = self.first.iso_week();
                let monday = |number| NaiveDate::from_isoywd_opt(week.year() - 1, number, Weekday::Mon);
                Self::week_of(monday(week.week()).or_else(|| monday(52))?, self.tz)
            }
            PeriodKind::Month | PeriodKind::Quarter => {
                Self::containing(self.kind, self.first.checked_sub_months(Months::new(12))?, self.tz)
            }
            PeriodKind::Days => None,
        }
    }

    /// This period and the `count` before it, newest first.
    pub fn trend(&self, count: u32) -> Vec<Self> {
        std::iter::successors(Some(self.clone()), Self::previous).take(count as usize + 1).collect()
    }

    /// The label in files and facts: `2026-W41`, `2026-10`, `2026-Q4`, `2026-10-05_2026-10-11`,
    /// `2026-10-05`.
    pub fn label(&self) -> String {
        match self.kind {
            PeriodKind::Week => self.first.format("%G-W%V").to_string(),
            PeriodKind::Month => self.first.format("%Y-%m").to_string(),
            PeriodKind::Quarter => format!("{}-Q{}", self.first.format("%Y"), self.quarter()),
            PeriodKind::Days if self.first == self.last => self.first.to_string(),
            PeriodKind::Days => format!("{}_{}", self.first, self.last),
        }
    }

    /// The name for people: `Week 41`, `October 2026`, `Quarter 4 of 2026`, `7 days`, `1 day`.
    pub fn name(&self) -> String {
        match (self.kind, self.day_count()) {
            (PeriodKind::Week, _) => format!("Week {}", self.first.iso_week().week()),
            (PeriodKind::Month, _) => self.first.format("%B %Y").to_string(),
            (PeriodKind::Quarter, _) => format!("Quarter {} of {}", self.quarter(), self.first.year()),
            (PeriodKind::Days, 1) => "1 day".to_owned(),
            (PeriodKind::Days, day_count) => format!("{day_count} days"),
        }
    }

    /// The label on an axis: `W41`, `Oct`, `Q4`, `5 Oct`.
    pub fn short_name(&self) -> String {
        match self.kind {
            PeriodKind::Week => self.first.format("W%V").to_string(),
            PeriodKind::Month => self.first.format("%b").to_string(),
            PeriodKind::Quarter => format!("Q{}", self.quarter()),
            PeriodKind::Days => self.first.format("%-d %b").to_string(),
        }
    }

    /// The word for such a period: `week`, `month`, `quarter`, `period`.
    pub fn noun(&self) -> &'static str {
        self.kind.noun()
    }

    /// The dates for people: `5 to 11 October 2026`.
    pub fn dates_in_words(&self) -> String {
        let (first, last) = (self.first, self.last);
        let end = last.format("%-d %B %Y");
        match (first.year() == last.year(), first.month() == last.month()) {
            _ if first == last => end.to_string(),
            (true, true) => format!("{} to {end}", first.day()),
            (true, false) => format!("{} to {end}", first.format("%-d %B")),
            _ => format!("{} to {end}", first.format("%-d %B %Y")),
        }
    }

    /// The dates in short: `5–11 Oct`, `28 Sep – 4 Oct`, `5 Oct`.
    pub fn dates_in_short(&self) -> String {
        let (first, last) = (self.first, self.last);
        let end = last.format("%-d %b");
        match (first.year() == last.year(), first.month() == last.month()) {
            _ if first == last => end.to_string(),
            (true, true) => format!("{}–{end}", first.day()),
            (true, false) => format!("{} – {end}", first.format("%-d %b")),
            _ => format!("{} – {end} {}", first.format("%-d %b %Y"), last.year()),
        }
    }

    fn quarter(&self) -> u32 {
        self.first.month0() / 3 + 1
    }

    /// How many local days it has.
    pub fn day_count(&self) -> u64 {
        (self.last - self.first).num_days().unsigned_abs() + 1
    }

    /// What a total of another period is multiplied by to be compared with one of this period: per
    /// day. Exactly 1 if both have as many days.
    pub fn per_day_scale(&self, other: &Self) -> f64 {
        self.day_count() as f64 / other.day_count() as f64
    }
}

/// The local date at an instant.
pub fn today(now: DateTime<Utc>, tz: Tz) -> NaiveDate {
    now.with_timezone(&tz).date_naive()
}

/// Parses `2026-10-05`. Years have four digits, so that a slip such as 20261-01-01 is rejected.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

/// Parses `14d` or `2w` as a number of days, from 1 to ten years.
pub fn parse_span(text: &str) -> Option<u32> {
    let number = |digits: &str| digits.parse::<u32>().ok().filter(|_| !digits.starts_with('+'));
    let days = match text.strip_suffix('w') {
        Some(weeks) => number(weeks)?.checked_mul(7)?,
        None => number(text.strip_suffix('d')?)?,
    };
    (1..=3660).contains(&days).then_some(days)
}

/// The first instant of a local date. If the clock is put forward over midnight, the day begins
/// after the gap; if it is put back, at the first of the two midnights.
fn midnight(date: NaiveDate, tz: Tz) -> DateTime<Tz> {
    let start = date.and_time(NaiveTime::MIN);
    // A gap is at most a day long: a zone once skipped a whole date.
    (0..=96)
        .filter_map(|quarters| start.checked_add_signed(chrono::TimeDelta::minutes(15 * quarters)))
        .find_map(|local| tz.from_local_datetime(&local).earliest())
        .unwrap_or_else(|| tz.from_utc_datetime(&start))
}

/// Parses exactly four digits.
fn four_digits(text: &str) -> Option<i32> {
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Parses one or two digits; `parse` alone accepts a sign.
fn two_digits(text: &str) -> Option<u32> {
    (matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America::Santiago, Europe::Berlin, UTC};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_week_is_bounded_by_local_midnights() {
        let week = Period::parse_week("2026-W41", Berlin).unwrap();
        assert_eq!(week.from().to_rfc3339(), "2026-10-05T00:00:00+02:00");
        assert_eq!(week.to().to_rfc3339(), "2026-10-12T00:00:00+02:00");
        assert_eq!(week.dates_in_words(), "5 to 11 October 2026");
        assert_eq!(week.label(), "2026-W41");
    }

    #[test]
    fn clock_changes_make_days_of_23_and_25_hours() {
        let hours = |label: &str| {
            let week = Period::parse_week(label, Berlin).unwrap();
            (week.to() - week.from()).num_hours()
        };
        assert_eq!(hours("2026-W13"), 7 * 24 - 1);
        assert_eq!(hours("2026-W43"), 7 * 24 + 1);
    }

    #[test]
    fn a_nonexistent_midnight_is_the_end_of_the_gap() {
        let day = Period::days(date("2026-09-06"), date("2026-09-06"), Santiago).unwrap();
        assert_eq!(day.from().to_rfc3339(), "2026-09-06T01:00:00-03:00");
        let twice = Period::days(date("2026-04-05"), date("2026-04-05"), Santiago).unwrap();
        assert_eq!(twice.from().to_rfc3339(), "2026-04-05T00:00:00-04:00");
    }

    #[test]
    fn week_53_and_the_turn_of_the_year() {
        let week = Period::parse_week("2026-W53", UTC).unwrap();
        assert_eq!((week.first(), week.last()), (date("2026-12-28"), date("2027-01-03")));
        assert_eq!(week.dates_in_words(), "28 December 2026 to 3 January 2027");
        assert_eq!(Period::week_of(date("2027-01-01"), UTC).unwrap().label(), "2026-W53");
        assert!(Period::parse_week("2025-W53", UTC).is_none());
    }

    #[test]
    fn previous_periods_are_adjacent_and_of_the_same_kind() {
        let month = Period::parse_month("2026-03", UTC).unwrap();
        assert_eq!(month.previous().unwrap().label(), "2026-02");
        let run = Period::days(date("2026-10-05"), date("2026-10-07"), UTC).unwrap();
        assert_eq!(run.previous().unwrap().label(), "2026-10-02_2026-10-04");
        let trend = Period::parse_week("2026-W02", UTC).unwrap().trend(3);
        let labels: Vec<_> = trend.iter().map(Period::label).collect();
        assert_eq!(labels, ["2026-W02", "2026-W01", "2025-W52", "2025-W51"]);
        assert!(trend.windows(2).all(|pair| pair[1].to() == pair[0].from()));
    }

    #[test]
    fn a_year_before_is_the_same_number_of_the_year_before() {
        for (label, expected) in [
            ("2026-W41", "2025-W41"),
            ("2026-W01", "2025-W01"),
            // 2025 and 2019 have 52 weeks.
            ("2026-W53", "2025-W52"),
            ("2020-W53", "2019-W52"),
            ("2021-W52", "2020-W52"),
            ("2026-02", "2025-02"),
            ("2024-02", "2023-02"),
            ("2026-Q3", "2025-Q3"),
        ] {
            let period = Period::parse_label(label, Berlin).unwrap();
            let before = period.a_year_before().unwrap();
            assert_eq!((before.label().as_str(), before.kind()), (expected, period.kind()));
        }
        assert_eq!(Period::days(date("2026-10-05"), date("2026-10-11"), UTC).unwrap().a_year_before(), None);
    }

    #[test]
    fn totals_of_periods_of_other_lengths_are_scaled_per_day() {
        let period = |label| Period::parse_label(label, Berlin).unwrap();
        let scale = |label, other| period(label).per_day_scale(&period(other));
        assert_eq!(scale("2026-03", "2026-02"), 31.0 / 28.0);
        assert_eq!(scale("2024-02", "2024-01"), 29.0 / 31.0);
        assert_eq!(scale("2026-Q2", "2026-Q1"), 91.0 / 90.0);
        // The clocks change in one of them, which has as many days for all that.
        assert_eq!([scale("2026-W13", "2026-W12"), scale("2026-08", "2026-07")], [1.0, 1.0]);
    }

    #[test]
    fn a_quarter_is_three_months_of_one_year() {
        let quarter = Period::parse_quarter("2026-Q1", UTC).unwrap();
        assert_eq!((quarter.first(), quarter.last()), (date("2026-01-01"), date("2026-03-31")));
        assert_eq!(quarter.previous().unwrap().label(), "2025-Q4");
        assert_eq!(Period::quarter_of(date("2026-08-31"), UTC).unwrap().name(), "Quarter 3 of 2026");
        for text in ["2026-Q0", "2026-Q5", "2026-4", "Q4", "26-Q4", "2026-Q"] {
            assert!(Period::parse_quarter(text, UTC).is_none(), "{text}");
        }
    }

    #[test]
    fn the_last_complete_week_is_constant_within_a_week() {
        for now in ["2026-10-12T00:00:00Z", "2026-10-14T09:00:00Z", "2026-10-18T23:59:59Z"] {
            let now = now.parse().unwrap();
            assert_eq!(Period::last_complete_week(now, UTC).unwrap().label(), "2026-W41");
        }
        let late_sunday_utc = "2026-10-11T22:30:00Z".parse().unwrap();
        assert_eq!(Period::last_complete_week(late_sunday_utc, Berlin).unwrap().label(), "2026-W41");
        assert_eq!(Period::last_days(14, late_sunday_utc, UTC).unwrap().label(), "2026-09-27_2026-10-10");
        assert!(Period::last_days(0, late_sunday_utc, UTC).is_none());
    }

    #[test]
    fn labels_round_trip_and_other_text_is_rejected() {
        let days = |first, last| Period::days(date(first), date(last), Berlin).unwrap();
        for period in [
            Period::parse_week("2026-W41", Berlin).unwrap(),
            Period::parse_month("2026-10", Berlin).unwrap(),
            Period::parse_quarter("2026-Q4", Berlin).unwrap(),
            days("2026-10-05", "2026-10-05"),
            days("2026-12-28", "2027-01-03"),
        ] {
            assert_eq!(Period::parse_label(&period.label(), Berlin), Some(period));
        }
        for label in ["", "2026", "2026-10-5", "2026-10-05_", "2026-10-07_2026-10-05", "week"] {
            assert_eq!(Period::parse_label(label, Berlin), None, "{label}");
        }
    }

    #[test]
    fn a_single_day_is_named_once() {
        let day = Period::days(date("2026-10-05"), date("2026-10-05"), UTC).unwrap();
        assert_eq!(day.label(), "2026-10-05");
        // Facts of an earlier version name it twice.
        assert_eq!(Period::parse_label("2026-10-05_2026-10-05", UTC), Some(day));
    }

    #[test]
    fn short_dates_omit_repeated_months_and_years() {
        let short = |first, last| Period::days(date(first), date(last), UTC).unwrap().dates_in_short();
        assert_eq!(short("2026-10-05", "2026-10-11"), "5–11 Oct");
        assert_eq!(short("2026-09-28", "2026-10-04"), "28 Sep – 4 Oct");
        assert_eq!(short("2026-12-28", "2027-01-03"), "28 Dec 2026 – 3 Jan 2027");
        assert_eq!(short("2026-10-05", "2026-10-05"), "5 Oct");
    }

    #[test]
    fn invalid_periods_are_rejected() {
        for week in [
            "2026-W00",
            "2026-W54",
            "2026-41",
            "W41",
            "2026-W+1",
            "2026-W041",
            "20261-W01",
            "+2026-W01",
            "26-W01",
        ] {
            assert!(Period::parse_week(week, UTC).is_none(), "{week}");
        }
        for month in ["2026-13", "2026-00", "2026", "2026-1-1", "20261-01", "-2026-01"] {
            assert!(Period::parse_month(month, UTC).is_none(), "{month}");
        }
        assert!(Period::days(date("2026-10-02"), date("2026-10-01"), UTC).is_none());
    }
}
