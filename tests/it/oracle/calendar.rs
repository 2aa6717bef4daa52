//! Periods made of local midnights.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// A kind of period, and which one of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ISO week.
    Week { year: i32, week: u32 },
    /// A calendar month.
    Month { year: i32, month: u32 },
    /// A run of days, both inclusive.
    Days { from: NaiveDate, to: NaiveDate },
}

/// A period's name and its instants.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub label: String,
    /// Local dates, the last one inclusive, each with its first instant.
    pub days: Vec<(NaiveDate, DateTime<Tz>)>,
    /// The first instant.
    pub from: DateTime<Tz>,
    /// The instant after the last.
    pub to: DateTime<Tz>,
}

impl Span {
    pub fn begins(&self) -> DateTime<Utc> {
        self.from.to_utc()
    }

    pub fn ends(&self) -> DateTime<Utc> {
        self.to.to_utc()
    }
}

/// The period and as many before it as the trend has, oldest first.
pub fn spans(kind: Kind, trend: u32, tz: Tz) -> Vec<Span> {
    let mut kinds = vec![kind];
    for _ in 0..trend {
        kinds.push(before(*kinds.last().expect("starts with one")));
    }
    kinds.into_iter().rev().map(|kind| span(kind, tz)).collect()
}

/// The period of the same kind right before.
fn before(kind: Kind) -> Kind {
    let (first, last) = dates(kind);
    let eve = first - Days::new(1);
    match kind {
        Kind::Week { .. } => Kind::Week { year: eve.iso_week().year(), week: eve.iso_week().week() },
        Kind::Month { .. } => Kind::Month { year: eve.year(), month: eve.month() },
        Kind::Days { .. } => Kind::Days { from: eve - (last - first), to: eve },
    }
}

fn span(kind: Kind, tz: Tz) -> Span {
    let (first, last) = dates(kind);
    let label = match kind {
        Kind::Week { year, week } => format!("{year:04}-W{week:02}"),
        Kind::Month { year, month } => format!("{year:04}-{month:02}"),
        Kind::Days { from, to } if from == to => from.to_string(),
        Kind::Days { from, to } => format!("{from}_{to}"),
    };
    Span {
        label,
        days: first.iter_days().take_while(|day| *day <= last).map(|day| (day, midnight(day, tz))).collect(),
        from: midnight(first, tz),
        to: midnight(last + Days::new(1), tz),
    }
}

/// The first and the last local date.
fn dates(kind: Kind) -> (NaiveDate, NaiveDate) {
    match kind {
        Kind::Week { year, week } => {
            let monday = NaiveDate::from_isoywd_opt(year, week, Weekday::Mon).expect("a week of that year");
            (monday, monday + Days::new(6))
        }
        Kind::Month { year, month } => {
            let first = NaiveDate::from_ymd_opt(year, month, 1).expect("a month");
            (first, first + chrono::Months::new(1) - Days::new(1))
        }
        Kind::Days { from, to } => (from, to),
    }
}

/// The first instant at which the local calendar shows this date or a later one:
/// midnight; where the clocks jump over it the first instant after the gap,
/// where it comes twice the earlier.
pub fn midnight(date: NaiveDate, tz: Tz) -> DateTime<Tz> {
    // No zone is further from UTC than 14 hours, and clocks change on whole
    // minutes; looking at each of them relies on no rule for odd local times.
    let start = date.and_time(NaiveTime::MIN).and_utc() - Duration::hours(15);
    (0..48 * 60)
        .map(|minutes| tz.from_utc_datetime(&(start + Duration::minutes(minutes)).naive_utc()))
        .find(|instant| instant.date_naive() >= date)
        .expect("a date begins somewhere")
}

/// The local date of an instant: the day that had begun last by then.
pub fn local_date(instant: DateTime<Utc>, span: &Span) -> NaiveDate {
    let begun = span.days.iter().filter(|(_, begins)| *begins <= instant);
    begun.map(|(day, _)| *day).max().expect("the instant is in the span")
}
