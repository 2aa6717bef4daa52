//! Local days: the period of each row, and what an ACU cost on its day.

use chrono::NaiveDate;
use polars::prelude::*;

use crate::frame::columns as c;
use crate::money::Prices;
use crate::period::Period;

/// Index of the period: 0 is the report's, 1 the previous one, and so on back.
pub const PERIOD: &str = "period";
/// Local date of a session, as the number of a day since the first.
pub const DAY: &str = "day";
/// What a session cost in money; null where its ACUs or their price are unknown.
pub const SPEND: &str = "spend";
/// Whether a session used ACUs that have no price.
pub const UNPRICED: &str = "unpriced";
/// A local day.
#[derive(Clone)]
pub struct Day {
    /// UTC, microseconds.
    begins: i64,
    /// Index of its period.
    pub period: u32,
    day: NaiveDate,
    /// As facts write it: `2026-10-05`.
    pub date: String,
}

/// The days of contiguous periods.
pub struct Calendar {
    /// Oldest first.
    pub days: Vec<Day>,
    /// UTC, microseconds: the first instant after the last day.
    end: i64,
}

impl Calendar {
    /// The days of periods that stand newest first.
    pub fn new(periods: &[Period]) -> Self {
        let numbered = periods.iter().enumerate().rev();
        let days = numbered.flat_map(|(index, period)| days_of(index, period)).collect();
        let end = periods.first().map_or(i64::MIN, |period| period.to().timestamp_micros());
        Self { days, end }
    }

    /// Number and period of the day of each row's creation; null for a row of no period.
    fn days_of(&self, frame: &DataFrame) -> PolarsResult<Vec<Option<(u32, u32)>>> {
        let day = |created: i64| {
            let number = self.days.partition_point(|day| day.begins <= created).checked_sub(1)?;
            let day = self.days.get(number).filter(|_| created < self.end)?;
            Some((u32::try_from(number).ok()?, day.period))
        };
        Ok(frame.column(c::CREATED)?.i64()?.iter().map(|created| created.and_then(day)).collect())
    }
}

fn days_of(index: usize, period: &Period) -> impl Iterator<Item = Day> + use<> {
    let (tz, period_number) = (period.tz(), u32::try_from(index).unwrap_or(u32::MAX));
    period.dates().filter_map(move |date| {
        let begins = Period::days(date, date, tz)?.from().timestamp_micros();
        Some(Day { begins, period: period_number, day: date, date: date.to_string() })
    })
}

/// Adds what each session cost; a session without ACUs cost nothing at any price.
pub fn price(sessions: &mut DataFrame, calendar: &Calendar, prices: &Prices) -> PolarsResult<()> {
    let by_day: Vec<Option<f64>> = calendar.days.iter().map(|day| prices.on(day.day)).collect();
    let days = sessions.column(DAY)?.u32()?.clone();
    let acus = sessions.column(c::ACUS)?.f64()?.clone();
    let costs = days.iter().zip(acus.iter()).map(|(day, acus)| {
        let price = day.and_then(|day| *by_day.get(day as usize)?);
        let acus = acus?;
        Some((acus, price.map(|price| acus * price)))
    });
    let costs: Vec<Option<(f64, Option<f64>)>> = costs.collect();
    let spent: Float64Chunked = costs
        .iter()
        .map(|cost| cost.and_then(|(acus, spent)| if acus == 0.0 { Some(0.0) } else { spent }))
        .collect();
    let unpriced: BooleanChunked = costs
        .iter()
        .map(|cost| Some(cost.is_some_and(|(acus, spent)| acus > 0.0 && spent.is_none())))
        .collect();
    sessions.with_column(spent.with_name(SPEND.into()).into_column())?;
    sessions.with_column(unpriced.with_name(UNPRICED.into()).into_column())?;
    Ok(())
}

/// Adds each row's period and day; drops rows of no period. Nothing is copied
/// where there are none.
pub fn placed_in(frame: &DataFrame, calendar: &Calendar) -> PolarsResult<DataFrame> {
    let places = calendar.days_of(frame)?;
    let column = |part: fn((u32, u32)) -> u32| -> UInt32Chunked {
        places.iter().map(|place| place.map(part)).collect()
    };
    let (days, periods) = (column(|place| place.0), column(|place| place.1));
    let mut placed = frame.clone();
    placed.with_column(days.with_name(DAY.into()).into_column())?;
    placed.with_column(periods.with_name(PERIOD.into()).into_column())?;
    match places.iter().all(Option::is_some) {
        true => Ok(placed),
        false => placed.lazy().filter(col(PERIOD).is_not_null()).collect(),
    }
}
