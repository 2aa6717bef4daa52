//! Local days: the date of each session, and what its ACUs cost on that date.

use chrono::NaiveDate;
use polars::prelude::*;

use super::dimension::Dim;
use crate::money::Prices;
use crate::period::Period;
use crate::tables::schema as c;

/// What a session cost in money; null where its ACUs or their price are unknown.
pub const SPEND: &str = "spend";
/// Whether a session used ACUs that have no price.
pub const UNPRICED: &str = "unpriced";

/// The local days of a period.
pub struct Calendar {
    dates: Vec<NaiveDate>,
    /// The first instant of each day, UTC, microseconds.
    begins: Vec<i64>,
}

impl Calendar {
    /// The days of a period.
    pub fn new(period: &Period) -> Self {
        let dates: Vec<NaiveDate> = period.dates().collect();
        let begin = |date: &NaiveDate| {
            let day = Period::days(*date, *date, period.tz()).expect("a day does not end before it begins");
            day.from().timestamp_micros()
        };
        let begins = dates.iter().map(begin).collect();
        Self { dates, begins }
    }

    /// The dates as facts write them: `2026-10-05`.
    pub fn dates(&self) -> Vec<String> {
        self.dates.iter().map(ToString::to_string).collect()
    }

    /// The local date of each session of the period.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn day(&self) -> PolarsResult<Expr> {
        let dates = self.dates();
        let dates = categories(dates.iter().map(String::as_str))?;
        Ok(lit(dates).gather(self.place(), false).alias(Dim::Day.name()))
    }

    /// [`SPEND`] and [`UNPRICED`] of each session of the period; a session without ACUs
    /// cost nothing at any price.
    pub fn spend(&self, prices: &Prices) -> [Expr; 2] {
        let prices: Float64Chunked = self.dates.iter().map(|date| prices.on(*date)).collect();
        let acus = || col(c::ACUS);
        let cost = acus() * lit(prices.into_series()).gather(self.place(), false);
        let spend = when(acus().eq(lit(0.0))).then(lit(0.0)).otherwise(cost);
        let unpriced = acus().gt(lit(0.0)).and(spend.clone().is_null()).fill_null(lit(false));
        [spend.alias(SPEND), unpriced.alias(UNPRICED)]
    }

    /// The place of each session's date among the dates.
    fn place(&self) -> Expr {
        begun(&self.begins) - lit(1 as IdxSize)
    }
}

/// How many of some instants, oldest first, are not after each session's creation.
pub(super) fn begun(instants: &[i64]) -> Expr {
    let instants = Series::from_iter(instants.iter().copied());
    lit(instants).search_sorted(col(c::CREATED).to_physical(), SearchSortedSide::Right, false)
}

/// Texts that rows are grouped by.
pub fn categories<'a>(texts: impl IntoIterator<Item = &'a str>) -> PolarsResult<Series> {
    StringChunked::from_iter_values(PlSmallStr::EMPTY, texts.into_iter())
        .into_series()
        .cast(&DataType::from_categories(Categories::global()))
}
