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
    fn a_code_has_three_letters() {
        assert_eq!(Currency::parse("chf").unwrap().code(), "CHF");
        for wrong in ["", "E", "EURO", "E1R", "€", "€€"] {
            assert_eq!(Currency::parse(wrong), None, "{wrong}");
        }
    }
}
