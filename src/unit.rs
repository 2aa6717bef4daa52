//! Units and how they are formatted, in charts, HTML and mail.
//!
//! All rounding happens here. Null is formatted as an en dash.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::money::{self, Currency};

/// The text of null: a ratio with denominator 0 is neither 0 nor infinite.
pub const MISSING: &str = "–";
/// A minus sign, as wide as a plus.
const MINUS: char = '−';
/// Keeps a number and its unit on one line.
const NO_BREAK_SPACE: char = '\u{a0}';

/// The unit of a metric's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count; medians can be fractions.
    Count,
    /// Agent compute units, the unit that Devin is billed in.
    Acu,
    /// A share from 0 to 1, formatted in percent.
    Share,
    /// So many to each hundred.
    PerHundred,
    /// Money, at the prices in the settings.
    Money(Currency),
    /// Agent compute units, rounded to whole ones.
    WholeAcu,
    /// Money, rounded to whole units of the currency.
    WholeMoney(Currency),
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let named = [Self::Count, Self::Acu, Self::Share, Self::PerHundred]
            .into_iter()
            .find(|unit| unit.name() == name);
        let unit = named.or_else(|| Currency::of_code(&name).map(Self::Money));
        unit.ok_or_else(|| D::Error::custom(format!("the unit {name:?} is not known")))
    }
}

impl Unit {
    /// Its name in `facts.json`; for money the currency's code.
    pub fn name(&self) -> &str {
        match self {
            Self::Count => "count",
            Self::Acu | Self::WholeAcu => "acu",
            Self::Share => "share",
            Self::PerHundred => "per_100",
            Self::Money(currency) | Self::WholeMoney(currency) => currency.code(),
        }
    }

    /// The same unit, rounded to whole ACUs or whole units of money.
    pub fn whole(self) -> Self {
        match self {
            Self::Acu => Self::WholeAcu,
            Self::Money(currency) => Self::WholeMoney(currency),
            unit => unit,
        }
    }

    /// What a quotient of counts is multiplied by to have this unit.
    pub fn scale(self) -> f64 {
        if self == Self::PerHundred { 100.0 } else { 1.0 }
    }

    /// Formats a value: `1,234`, `41.2`, `79%`, or a dash for null.
    pub fn text(self, value: Option<f64>) -> String {
        match (self, value.filter(|value| value.is_finite())) {
            (_, None) => MISSING.to_owned(),
            (Self::Count, Some(value)) => grouped(value, self.places(value)),
            (Self::Acu, Some(value)) => acus(value),
            (Self::Share, Some(value)) => share(value),
            (Self::PerHundred, Some(value)) => per_hundred(value),
            (Self::Money(currency), Some(value)) => money(currency, value),
            (Self::WholeAcu, Some(value)) => grouped(value, 0),
            (Self::WholeMoney(currency), Some(value)) => {
                let minus = if value <= -0.5 { MINUS.to_string() } else { String::new() };
                format!("{minus}{}{}", currency.sign(), grouped(value.abs(), 0))
            }
        }
    }

    /// Formats a price with all its decimals.
    pub fn price(self, value: f64) -> String {
        let exact = format!("{}", value.abs());
        match (self, exact.split_once('.')) {
            (Self::Money(currency), Some((_, decimals))) if decimals.len() > currency.places() => {
                format!("{}{}", currency.sign(), grouped(value, decimals.len()))
            }
            _ => self.text(Some(value)),
        }
    }

    /// Formats a threshold as it was set, with all its decimals up to six: `12.5`, `62.5%`.
    pub fn threshold(self, value: f64) -> String {
        match self {
            Self::Money(currency) | Self::WholeMoney(currency) => Self::Money(currency).price(value),
            Self::Share => format!("{}%", unpadded(value * 100.0)),
            _ => unpadded(value),
        }
    }

    /// Formats a round value on an axis: `5`, `0.5`, `50%`.
    pub fn tick(self, value: f64) -> String {
        match self.text(Some(value)) {
            text if matches!(self, Self::Acu | Self::PerHundred) && text.contains('.') => {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            text if matches!(self, Self::Money(_)) => {
                text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
            }
            text => text,
        }
    }

    /// The change from one value to another. Its size is the difference of the two values as they are
    /// shown, so that a reader who subtracts gets the same; of shares in percentage points. Shares that
    /// are shown as `<1%` or `>99%` are subtracted as they are.
    pub fn change(self, before: f64, now: f64) -> Change {
        if self == Self::Share {
            let is_cut = |value: f64| share(value).starts_with(['<', '>']);
            let percent = |value: f64| {
                if is_cut(now) || is_cut(before) { value * 100.0 } else { (value * 100.0).round() }
            };
            let difference = percent(now) - percent(before);
            return Change::new(difference, points(difference.abs() / 100.0), None);
        }
        let places = self.places(now).max(self.places(before));
        let [old, new] = [before, now].map(|value| rounded(value, self.places(value)));
        let difference = rounded(new - old, places);
        // As few decimals as a value of this size has, unless they matter.
        let fewer = places.min(self.places(difference));
        let places = if rounded(difference, fewer) == difference { fewer } else { places };
        let number = grouped(difference.abs(), places);
        let size = match self {
            Self::Money(currency) | Self::WholeMoney(currency) => format!("{}{number}", currency.sign()),
            _ => number,
        };
        Change::new(difference, size, percent_change(now, before).filter(|_| old != 0.0))
    }

    /// The decimals with which a value is shown.
    fn places(self, value: f64) -> usize {
        match self {
            // A median of counts can be between two of them.
            Self::Count => usize::from(value.fract() != 0.0),
            Self::Acu => acu_places(value),
            Self::PerHundred => usize::from(value.abs() < 9.95),
            Self::Money(currency) => currency.places(),
            Self::Share | Self::WholeAcu | Self::WholeMoney(_) => 0,
        }
    }
}

/// The change from one value to another, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its sign: 1, -1, or 0 where the values are shown alike.
    pub sign: i8,
    /// Its size without a sign: `12`, `4.1`, `3 points`.
    pub size: String,
    /// The exact change relative to the old value, with its sign: `+8%`. `None` for shares, and if the old
    /// value is shown as 0.
    pub percent: Option<String>,
}

impl Change {
    fn new(difference: f64, size: String, percent: Option<String>) -> Self {
        let is_zero = !size.chars().any(|c| matches!(c, '1'..='9'));
        let sign = match difference {
            _ if is_zero => 0,
            difference if difference < 0.0 => -1,
            _ => 1,
        };
        let percent = percent.filter(|_| sign != 0);
        Self { sign, size: if sign == 0 { "0".to_owned() } else { size }, percent }
    }

    /// Its size with its sign: `+12`, `−4.1`, `+3 points`.
    pub fn signed(&self) -> String {
        signed(f64::from(self.sign), &self.size)
    }
}

/// The change from one value to another in percent alone, with the size `3%`; for values of which
/// neither is shown. If the old value is 0, the change has no percent.
pub fn relative_change(before: f64, now: f64) -> Change {
    match percent_change(now, before) {
        Some(percent) => {
            let size = percent.trim_start_matches(['+', MINUS]).to_owned();
            let change = Change::new(now - before, size, Some(percent));
            if change.sign == 0 { Change { size: "0%".to_owned(), ..change } } else { change }
        }
        None => Change::new(now, Unit::Count.text(Some(now)), None),
    }
}

fn rounded(value: f64, places: usize) -> f64 {
    let scale = 10_f64.powi(i32::try_from(places).expect("a number has few decimals"));
    (value * scale).round() / scale
}

/// Formats a count: `1,234`.
pub fn count(number: f64) -> String {
    Unit::Count.text(Some(number))
}

/// Formats a count with its noun: `1 session`, `1,234 sessions`.
pub fn counted(number: f64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1.0 { one } else { many })
}

/// The number format of an unrounded value in a spreadsheet.
pub fn cell_format(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Count if value.fract() == 0.0 => "#,##0".to_owned(),
        Unit::WholeAcu => "#,##0".to_owned(),
        Unit::WholeMoney(currency) => format!("\"{}\"#,##0", currency.sign()),
        Unit::Count | Unit::PerHundred => "#,##0.0".to_owned(),
        // One precision a column, so that decimal points are aligned.
        Unit::Acu => "#,##0.00".to_owned(),
        Unit::Share => "0%".to_owned(),
        Unit::Money(currency) => {
            let places = currency.places();
            let point = if places == 0 { "" } else { "." };
            format!("\"{}\"#,##0{point}{}", currency.sign(), "0".repeat(places))
        }
    }
}

/// The same for a price: all its decimals, and at least those of an amount.
pub fn cell_price_format(currency: Currency, price: f64) -> String {
    let text = format!("{}", price.abs());
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let decimals = decimals.min(MOST_DECIMALS).max(currency.places());
    let point = if decimals == 0 { "" } else { "." };
    format!("\"{}\"#,##0{point}{}", currency.sign(), "0".repeat(decimals))
}

/// The most decimals of a price in a spreadsheet, whose formats have a limit.
const MOST_DECIMALS: usize = 12;

/// The same for a change, with its sign. The change of a share is in percentage points.
pub fn cell_change_format(unit: Unit, difference: f64) -> String {
    let size = match unit {
        Unit::Share => "0.0\" points\"".to_owned(),
        unit => cell_format(unit, difference),
    };
    signed_format(&size)
}

/// The same for a relative change, which is a share.
pub fn cell_percent_format() -> String {
    signed_format("0%")
}

fn signed_format(size: &str) -> String {
    format!("+{size};\"{MINUS}\"{size};{size}")
}

/// Formats a relative change in percent with its sign: `+8%`.
pub fn percent_change(now: f64, before: f64) -> Option<String> {
    if before == 0.0 {
        return None;
    }
    let ratio = Some(now / before - 1.0).filter(|ratio| ratio.is_finite())?;
    let percent = ratio.abs() * 100.0;
    let number = grouped(percent, if percent < 0.95 { 1 } else { 0 });
    let size = if number == "0.0" { "0%".to_owned() } else { format!("{number}%") };
    Some(signed(ratio, &size))
}

/// Prepends `+` or a minus sign; a size that rounds to 0 has no sign.
fn signed(difference: f64, size: &str) -> String {
    let zero = !size.chars().any(|c| matches!(c, '1'..='9'));
    match (zero, difference < 0.0) {
        (true, _) => size.to_owned(),
        (false, true) => format!("{MINUS}{size}"),
        (false, false) => format!("+{size}"),
    }
}

/// Decimals of three significant figures.
fn acu_places(value: f64) -> usize {
    match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    }
}

/// Three significant figures.
fn acus(value: f64) -> String {
    let text = grouped(value, acu_places(value));
    let is_zero = !text.chars().any(|c| matches!(c, '1'..='9'));
    if is_zero { "0".to_owned() } else { text }
}

/// One decimal below 10.
fn per_hundred(value: f64) -> String {
    match grouped(value, if value.abs() >= 9.95 { 0 } else { 1 }) {
        text if text == "0.0" => "0".to_owned(),
        text => text,
    }
}

/// An amount to the smallest coin, with the sign before the currency's.
fn money(currency: Currency, value: f64) -> String {
    let places = currency.places();
    let text = grouped(money::rounded(value.abs(), places), places);
    let is_zero = !text.chars().any(|c| matches!(c, '1'..='9'));
    let minus = if value < 0.0 && !is_zero { MINUS.to_string() } else { String::new() };
    format!("{minus}{}{text}", currency.sign())
}

/// Whole percent; 0 and 100 only for exact values.
fn share(value: f64) -> String {
    let percent = value * 100.0;
    let text = match percent.round() {
        rounded if rounded <= 0.0 && percent > 0.0 => "<1".to_owned(),
        rounded if rounded >= 100.0 && percent < 100.0 => ">99".to_owned(),
        rounded => grouped(rounded, 0),
    };
    format!("{text}%")
}

/// Percentage points with their noun: whole, with one decimal below one.
fn points(difference: f64) -> String {
    let points = difference * 100.0;
    let number = grouped(points, if points < 0.95 { 1 } else { 0 });
    let noun = if number == "1" { "point" } else { "points" };
    format!("{number}{NO_BREAK_SPACE}{noun}")
}

/// As many decimals as a value has, at most six.
fn unpadded(value: f64) -> String {
    let text = format!("{value:.6}");
    let decimals = text.split_once('.').map_or("", |(_, decimals)| decimals.trim_end_matches('0'));
    grouped(value, decimals.len())
}

/// Fixed decimals, thousands separators, and no negative zero.
fn grouped(value: f64, places: usize) -> String {
    let text = format!("{:.places$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), ""));
    let mut out = String::with_capacity(text.len() + text.len() / 3 + 1);
    if value < 0.0 && text.chars().any(|c| matches!(c, '1'..='9')) {
        out.push(MINUS);
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_people() {
        let cases = [
            (Unit::Count, Some(0.0), "0"),
            (Unit::Count, Some(1_234_567.0), "1,234,567"),
            (Unit::Count, Some(2.5), "2.5"),
            (Unit::Acu, Some(0.0), "0"),
            (Unit::Acu, Some(4.126), "4.13"),
            (Unit::Acu, Some(4.5), "4.50"),
            (Unit::Acu, Some(0.001), "0"),
            (Unit::Acu, Some(41.26), "41.3"),
            (Unit::Acu, Some(41.0), "41.0"),
            (Unit::Acu, Some(11.97), "12.0"),
            (Unit::Acu, Some(99.97), "100"),
            (Unit::Acu, Some(412.31), "412"),
            (Unit::Acu, Some(100.0), "100"),
            (Unit::Acu, Some(12_345.6), "12,346"),
            (Unit::Share, Some(0.0), "0%"),
            (Unit::Share, Some(0.001), "<1%"),
            (Unit::Share, Some(0.7948), "79%"),
            (Unit::Share, Some(0.999), ">99%"),
            (Unit::Share, Some(1.0), "100%"),
            (Unit::Share, None, "–"),
            (Unit::PerHundred, Some(4.2), "4.2"),
            (Unit::PerHundred, Some(0.0), "0"),
            (Unit::PerHundred, Some(0.04), "0"),
            (Unit::PerHundred, Some(9.94), "9.9"),
            (Unit::PerHundred, Some(9.96), "10"),
            (Unit::PerHundred, Some(112.6), "113"),
            (Unit::PerHundred, None, "–"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.text(value), text, "{unit:?} {value:?}");
        }
    }

    #[test]
    fn money_is_rounded_to_coins_whatever_the_order_of_addition() {
        let text = |code: &str, value| Unit::Money(Currency::parse(code).unwrap()).text(Some(value));
        assert_eq!(text("EUR", 1_234.5), "€1,234.50");
        assert_eq!(text("CHF", -3.0), "−CHF\u{a0}3.00");
        assert_eq!(
            [text("JPY", 1_234.5), text("KWD", 0.0125), text("USD", -0.001)],
            ["¥1,235", "KWD\u{a0}0.013", "$0.00"]
        );
        assert_eq!(text("EUR", 0.1 + 0.2 + 0.705), text("EUR", 0.705 + 0.2 + 0.1));
        assert_eq!([text("EUR", 1.005), text("EUR", 1.004_999)], ["€1.01", "€1.00"]);
        let euro = Unit::Money(Currency::parse("EUR").unwrap());
        assert_eq!([euro.tick(500.0), euro.tick(0.5)], ["€500", "€0.50"]);
        assert_eq!(euro.change(5.0, 3.0).signed(), "−€2.00");
        assert_eq!(
            [euro.price(2.25), euro.price(2.5), euro.price(3.333), euro.price(0.0042)],
            ["€2.25", "€2.50", "€3.333", "€0.0042"]
        );
        assert_eq!([euro.threshold(12.5), euro.threshold(400.0)], ["€12.50", "€400.00"]);
        let thresholds = [(0.625, "62.5%"), (0.07, "7%"), (1.2, "120%"), (0.0, "0%")];
        for (share, text) in thresholds {
            assert_eq!(Unit::Share.threshold(share), text);
        }
        let acus = [12_345.5, 400.0, 0.1234567].map(|value| Unit::WholeAcu.threshold(value));
        assert_eq!(acus, ["12,345.5", "400", "0.123457"]);
        assert_eq!(serde_json::to_string(&euro).unwrap(), "\"EUR\"");
        let format = |code: &str, price| cell_price_format(Currency::parse(code).unwrap(), price);
        assert_eq!(
            [format("EUR", 2.5), format("EUR", 2.255), format("JPY", 300.0), format("JPY", 0.5)],
            ["\"€\"#,##0.00", "\"€\"#,##0.000", "\"¥\"#,##0", "\"¥\"#,##0.0"]
        );
        assert_eq!(format("KWD", 1e-300).matches('0').count(), 1 + MOST_DECIMALS);
    }

    #[test]
    fn a_change_is_the_difference_of_the_values_as_shown() {
        let sizes = |unit: Unit, before, now| {
            let change = unit.change(before, now);
            (change.sign, change.size, change.percent)
        };
        let percent = |text: &str| Some(text.to_owned());
        assert_eq!(sizes(Unit::Acu, 380.4, 412.6), (1, "33".into(), percent("+8%")), "413 less 380");
        assert_eq!(sizes(Unit::Acu, 40.0, 180.0), (1, "140".into(), percent("+350%")), "180 less 40.0");
        assert_eq!(sizes(Unit::Acu, 8.404, 12.04), (1, "3.60".into(), percent("+43%")), "12.0 less 8.40");
        assert_eq!(sizes(Unit::Acu, 99.97, 100.2), (0, "0".into(), None), "both 100");
        assert_eq!(sizes(Unit::Share, 0.724, 0.785), (1, "7\u{a0}points".into(), None), "79 less 72");
        assert_eq!(sizes(Unit::Share, 0.784, 0.776), (0, "0".into(), None), "both 78");
        assert_eq!(sizes(Unit::Count, 0.0, 3.0), (1, "3".into(), None));
    }

    #[test]
    fn changes_have_signs() {
        let signed = |unit: Unit, before, now| unit.change(before, now).signed();
        assert_eq!(signed(Unit::Count, 1300.0, 100.0), "−1,200");
        assert_eq!(signed(Unit::Acu, 1.0, 5.0), "+4.00");
        assert_eq!([5.0, 0.5, 0.0, 1500.0].map(|tick| Unit::Acu.tick(tick)), ["5", "0.5", "0", "1,500"]);
        assert_eq!(Unit::Count.tick(50.0), "50");
        assert_eq!(signed(Unit::Acu, 1.0, 1.001), "0");
        assert_eq!(signed(Unit::Share, 0.7, 0.734), "+3\u{a0}points");
        assert_eq!(signed(Unit::Share, 0.7, 0.71), "+1\u{a0}point");
        assert_eq!(signed(Unit::Share, 0.008, 0.004), "−0.4\u{a0}points");
        assert_eq!(percent_change(108.0, 100.0).as_deref(), Some("+8%"));
        assert_eq!(percent_change(50.0, 100.0).as_deref(), Some("−50%"));
        assert_eq!(percent_change(1002.0, 1000.0).as_deref(), Some("+0.2%"));
        assert_eq!([percent_change(1.0, 0.0), percent_change(1e300, 1e-300)], [None, None]);
    }
}
