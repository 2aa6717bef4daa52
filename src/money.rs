//! Money: currencies, and the prices of an ACU over time.

use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency([u8; 3]);

impl Currency {
    /// ISO 4217's code for no currency: used until a price names one.
    pub const NONE: Self = Self(*b"XXX");

    /// Parses a code of three letters, ignoring case.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(letters.map(|byte| byte.to_ascii_uppercase())))
    }

    /// The currency of exactly this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::parse(code).filter(|currency| currency.code() == code)
    }

    /// Its code: `EUR`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }

    /// The prefix of an amount: the currency's unambiguous sign, else the code.
    pub fn sign(&self) -> String {
        match self.code() {
            "EUR" => "€".to_owned(),
            "USD" => "$".to_owned(),
            "GBP" => "£".to_owned(),
            "INR" => "₹".to_owned(),
            "JPY" => "¥".to_owned(),
            code => format!("{code}\u{a0}"),
        }
    }

    /// The number of decimals of amounts, by ISO 4217.
    pub fn places(&self) -> usize {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::of_code(&code).ok_or_else(|| D::Error::custom(format!("the currency {code:?} is not known")))
    }
}

/// An amount in minor units, of which a currency with so many decimals has 10 to their power; half
/// a unit is away from zero.
fn minor_units(amount: f64, places: usize) -> f64 {
    let units = 10_f64.powi(i32::try_from(places).expect("a currency has at most 3 decimals"));
    let exact = amount * units;
    // A sum that is half a unit in decimals can be slightly off in binary; the order of addition
    // must not change the rounding.
    let snapped = (exact * 1e6).round() / 1e6;
    if snapped.is_finite() { snapped } else { exact }
}

/// An amount rounded to decimals; half a unit is away from zero, whatever the order in which the
/// amount was added up.
pub fn rounded(amount: f64, places: usize) -> f64 {
    from_minor_units(minor_units(amount, places).round(), amount, places)
}

/// The amount of minor units; the exact amount where that is too large to have any.
fn from_minor_units(units: f64, exact: f64, places: usize) -> f64 {
    if !units.is_finite() {
        return exact;
    }
    // Adding 0 leaves no negative zero.
    units / 10_f64.powi(i32::try_from(places).expect("a currency has at most 3 decimals")) + 0.0
}

/// Amounts rounded to decimals by the largest remainder, so that they add up to their rounded
/// total. Each is less than one minor unit from its amount; of equal remainders the first is
/// rounded up first.
pub fn apportion(amounts: &[f64], places: usize) -> Vec<f64> {
    let exact: Vec<f64> = amounts.iter().map(|amount| minor_units(*amount, places)).collect();
    let total = minor_units(amounts.iter().sum(), places).round();
    let mut units: Vec<f64> = exact.iter().map(|units| units.floor()).collect();
    let missing = total - units.iter().sum::<f64>();
    let mut by_remainder: Vec<usize> = (0..exact.len()).collect();
    let remainder = |at: usize| exact.get(at).zip(units.get(at)).map_or(0.0, |(exact, down)| exact - down);
    by_remainder.sort_by(|a, b| remainder(*b).total_cmp(&remainder(*a)));
    // A cast of what is negative or no number is 0.
    for at in by_remainder.into_iter().take(missing as usize) {
        if let Some(units) = units.get_mut(at) {
            *units += 1.0;
        }
    }
    units.iter().zip(amounts).map(|(units, exact)| from_minor_units(*units, *exact, places)).collect()
}

/// The price of an ACU from a local day on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The first day it applies to.
    pub from: NaiveDate,
    /// The price of one ACU, in the table's currency.
    pub per_acu: f64,
}

/// The prices of an ACU over time, in one currency; there are no exchange rates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prices {
    currency: Currency,
    /// Oldest first.
    steps: Vec<Price>,
}

impl<'de> Deserialize<'de> for Prices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            currency: Currency,
            steps: Vec<Price>,
        }
        let Table { currency, steps } = Table::deserialize(deserializer)?;
        Self::new(currency, steps).ok_or_else(|| D::Error::custom("no prices, or two from one day"))
    }
}

impl Prices {
    /// A table of prices, in any order. `None` if it is empty, or if two prices begin on the same
    /// day.
    pub fn new(currency: Currency, mut steps: Vec<Price>) -> Option<Self> {
        steps.sort_by_key(|price| price.from);
        let distinct = steps.windows(2).all(|pair| matches!(pair, [a, b] if a.from < b.from));
        (distinct && !steps.is_empty()).then_some(Self { currency, steps })
    }

    /// The currency of every price.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The prices, oldest first.
    pub fn steps(&self) -> &[Price] {
        &self.steps
    }

    /// The price of an ACU on a day; `None` before the first price.
    pub fn on(&self, day: NaiveDate) -> Option<f64> {
        let after = self.steps.partition_point(|price| price.from <= day);
        self.steps.get(after.checked_sub(1)?).map(|price| price.per_acu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_apply_until_the_next_one() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let price = |from: &str, per_acu| Price { from: day(from), per_acu };
        let euro = Currency::parse(" eur ").unwrap();
        let prices = Prices::new(euro, vec![price("2026-10-07", 2.5), price("2026-01-01", 2.25)]).unwrap();
        let on = |text| prices.on(day(text));
        assert_eq!(
            [on("2025-12-31"), on("2026-01-01"), on("2026-10-06"), on("2026-10-07"), on("2030-01-01")],
            [None, Some(2.25), Some(2.25), Some(2.5), Some(2.5)]
        );
        assert_eq!(Prices::new(euro, Vec::new()), None);
        assert_eq!(Prices::new(euro, vec![price("2026-01-01", 1.0), price("2026-01-01", 2.0)]), None);
    }

    #[test]
    fn amounts_are_rounded_half_away_from_zero() {
        for (amount, places, expected) in [
            (1.005, 2, 1.01),
            (1.004_999, 2, 1.0),
            (0.1 + 0.2 + 0.705, 2, 1.01),
            (-1.005, 2, -1.01),
            (1_234.5, 0, 1_235.0),
            (0.0125, 3, 0.013),
            (-0.001, 2, 0.0),
            (1e300, 2, 1e300),
            (f64::MAX, 3, f64::MAX),
        ] {
            assert_eq!(rounded(amount, places), expected, "{amount}");
            assert!(!(rounded(amount, places) == 0.0 && rounded(amount, places).is_sign_negative()));
        }
    }

    #[test]
    fn the_largest_remainders_are_rounded_up() {
        let third = 10.0 / 3.0;
        for (amounts, places, expected) in [
            (vec![], 2, vec![]),
            (vec![0.0, 0.0], 2, vec![0.0, 0.0]),
            // Equal remainders: the first ones.
            (vec![third; 3], 2, vec![3.34, 3.33, 3.33]),
            (vec![third; 3], 0, vec![4.0, 3.0, 3.0]),
            (vec![third; 3], 3, vec![3.334, 3.333, 3.333]),
            (vec![0.5, 0.5, 0.5, 0.5], 0, vec![1.0, 1.0, 0.0, 0.0]),
            (vec![0.2, 0.9, 0.3], 0, vec![0.0, 1.0, 0.0]),
            // The total is €0.02, and alone each would be €0.00.
            (vec![0.004; 4], 2, vec![0.01, 0.01, 0.0, 0.0]),
            (vec![1.005, 0.0], 2, vec![1.01, 0.0]),
            (vec![-0.5, 2.75], 0, vec![-1.0, 3.0]),
        ] {
            assert_eq!(apportion(&amounts, places), expected, "{amounts:?}");
        }
    }

    #[test]
    fn apportioned_amounts_add_up_and_are_near_their_own() {
        // A linear congruential generator: the same amounts in every run.
        let mut state = 17_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..3_000 {
            let places = [0, 2, 3][next(3) as usize];
            let count = next(40) as usize;
            // Amounts of ACUs with two decimals times prices with four, up to millions.
            let mut amount = || {
                let most = [1, 100, 100_000, 100_000_000][next(4) as usize];
                (next(most) as f64 / 100.0) * (next(100_000) as f64 / 10_000.0)
            };
            let amounts: Vec<f64> = (0..count).map(|_| amount()).collect();
            let found = apportion(&amounts, places);
            assert_eq!(found.len(), amounts.len());
            let unit = 10_f64.powi(-(places as i32));
            let units = |amount: f64| (amount / unit).round() as i64;
            let sum: i64 = found.iter().map(|amount| units(*amount)).sum();
            assert_eq!(sum, units(rounded(amounts.iter().sum(), places)), "{amounts:?}");
            for (found, amount) in found.iter().zip(&amounts) {
                assert!((found - amount).abs() < unit * (1.0 + 1e-6), "{found} for {amount}");
                assert_eq!(*found, units(*found) as f64 / (1.0 / unit).round(), "whole units");
            }
        }
    }

    #[test]
    fn amounts_of_any_size_are_apportioned() {
        for amounts in [
            vec![f64::MAX, f64::MAX, 0.1],
            vec![f64::MAX, -f64::MAX],
            vec![1e300, 1e-300],
            vec![f64::INFINITY, 1.0],
            vec![f64::NAN, 1.0],
            vec![9e15, 0.005, 0.005],
        ] {
            for places in [0, 2, 3] {
                assert_eq!(apportion(&amounts, places).len(), amounts.len());
            }
        }
        assert_eq!(apportion(&[f64::MAX], 2), [f64::MAX]);
    }

    #[test]
    fn a_code_has_three_letters() {
        assert_eq!(Currency::parse("chf").unwrap().code(), "CHF");
        for wrong in ["", "E", "EURO", "E1R", "€", "€€"] {
            assert_eq!(Currency::parse(wrong), None, "{wrong}");
        }
    }
}
