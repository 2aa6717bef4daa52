//! Moments as answers write them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

use super::json;

/// A moment, and whether its zone had to be assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// The moment.
    pub utc: DateTime<Utc>,
    /// The text named no zone, so UTC was taken.
    pub naive: bool,
}

/// Above this a unix time counts milliseconds: as seconds it would be past the year 5000.
const LARGEST_SECONDS: i64 = 100_000_000_000;
/// The same of microseconds, and of nanoseconds.
const LARGEST_MILLIS: i64 = LARGEST_SECONDS * 1_000;
const LARGEST_MICROS: i64 = LARGEST_MILLIS * 1_000;
/// Numbers below this are no unix times, which would lie before 1973, but days of a
/// spreadsheet, dates without dashes, or nothing.
const SMALLEST_SECONDS: i64 = 100_000_000;

/// Moments with the month's name, as programs print them for people.
const NAMED: [&str; 6] = [
    "%B %d, %Y %I:%M:%S %p",
    "%B %d, %Y %H:%M:%S",
    "%d %B %Y %H:%M:%S",
    "%d-%B-%Y %H:%M:%S",
    "%a %B %d %Y %H:%M:%S",
    "%a %B %d %H:%M:%S %Y",
];

/// Reads a moment from a JSON scalar: ISO 8601 text with `T` or a space, with
/// `Z`, `UTC`, an offset or none, with or without a fraction; a date of mails or
/// with the month's name; or unix seconds down to nanoseconds as a number or as
/// text, with an exponent or without. `None` for anything else.
pub fn read(json: &str) -> Option<Instant> {
    if let Some(utc) = zulu(json.as_bytes()) {
        return Some(Instant { utc, naive: false });
    }
    let text = json::scalar(json);
    let text = bare(text.trim());
    if text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) && !is_date(text) {
        return unix(text);
    }
    let zoned = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    if let Ok(moment) = zoned {
        return Some(Instant { utc: moment.to_utc(), naive: false });
    }
    let (text, is_utc) = without_zone_name(text);
    if text.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'T' | 't' | 'Z' | 'z')) {
        return named(text, is_utc);
    }
    let text = &text.replace('/', "-");
    let spaced = match text.split_at_checked(10) {
        Some((date, clock)) if clock.starts_with([' ', 't']) => {
            format!("{date}T{}", clock.trim_start_matches([' ', 't']))
        }
        _ => text.to_owned(),
    };
    let spaced = spaced.replacen(',', ".", 1);
    let offset = spaced.replace(['Z', 'z'], "+00:00").replace(' ', "");
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y%m%dT%H%M%S%.f%#z"] {
        if let Ok(moment) = DateTime::parse_from_str(&offset, format) {
            return Some(Instant { utc: moment.to_utc(), naive: false });
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y%m%dT%H%M%S%.f"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(&spaced, format) {
            return Some(Instant { utc: moment.and_utc(), naive: !is_utc });
        }
    }
    let midnight = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?;
    Some(Instant { utc: midnight.and_utc(), naive: !is_utc })
}

/// A text without what some programs put around a moment: quotes, `/Date(…)/` of
/// .NET, and after an offset the name of its zone, `[Europe/Berlin]` or in parentheses.
fn bare(text: &str) -> &str {
    let text = text.trim_matches(['"', '\'']).trim();
    let inner = text.trim_matches(['/', '\\']);
    if let Some(number) = inner.strip_prefix("Date(").and_then(|inner| inner.strip_suffix(')')) {
        // Milliseconds; an offset behind them changes nothing about the moment.
        return number.split_at_checked(1).map_or(number, |(_, rest)| {
            let end = rest.find(['+', '-']).map_or(number.len(), |at| at + 1);
            number.get(..end).unwrap_or(number)
        });
    }
    let zone = [('[', ']'), ('(', ')')].into_iter().find_map(|(open, close)| {
        let before = text.strip_suffix(close)?.split_once(open)?.0.trim_end();
        before.get(before.len().saturating_sub(6)..)?.contains(['+', '-', 'Z']).then_some(before)
    });
    zone.unwrap_or(text)
}

/// A moment with the name of its month, as local time, UTC or with an offset.
fn named(text: &str, is_utc: bool) -> Option<Instant> {
    let text = text.replace("GMT", "");
    for format in NAMED {
        if let Ok(moment) = DateTime::parse_from_str(&text, &format!("{format} %#z")) {
            return Some(Instant { utc: moment.to_utc(), naive: false });
        }
        if let Ok(moment) = NaiveDateTime::parse_from_str(&text, format) {
            return Some(Instant { utc: moment.and_utc(), naive: !is_utc });
        }
    }
    None
}

/// The text without `UTC` or `GMT` at its end, and whether it was there.
fn without_zone_name(text: &str) -> (&str, bool) {
    let (before, name) = text.split_at_checked(text.len().saturating_sub(3)).unwrap_or((text, ""));
    let is_utc = ["UTC", "GMT"].iter().any(|zone| name.eq_ignore_ascii_case(zone));
    if is_utc { (before.trim_end(), true) } else { (text, false) }
}

/// A moment as v2 nearly always writes it, `"2026-10-05T12:00:00Z"`, with its
/// quotes, which is read at a fraction of the cost. `None` for any other.
fn zulu(json: &[u8]) -> Option<DateTime<Utc>> {
    let [b'"', y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', clock @ ..] = json else { return None };
    let [h0, h1, b':', mi0, mi1, b':', s0, s1, b'Z', b'"'] = clock else { return None };
    let number = |digits: &[&u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(**digit - b'0'))
        })
    };
    let year = i32::try_from(number(&[y0, y1, y2, y3])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[mo0, mo1])?, number(&[d0, d1])?)?;
    Some(date.and_hms_opt(number(&[h0, h1])?, number(&[mi0, mi1])?, number(&[s0, s1])?)?.and_utc())
}

/// Reads the `Date` of an answer. `None` for anything else.
pub(super) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    // It knows the years 1970 to 9999, all of which a moment can hold.
    httpdate::parse_http_date(text.trim()).ok().map(DateTime::from)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2
}

fn unix(text: &str) -> Option<Instant> {
    let (number, fraction) = match text.contains(['e', 'E', '+']) {
        true => {
            let number: f64 = text.parse().ok()?;
            // A cast of what is out of range saturates, and lies past any calendar.
            (number.trunc() as i64, number.fract().to_string())
        }
        false => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            (whole.parse().ok()?, format!("0.{fraction}"))
        }
    };
    let digits = fraction.split_once('.').map_or("", |(_, digits)| digits);
    let digits: String = digits.chars().chain(std::iter::repeat('0')).take(6).collect();
    if number < SMALLEST_SECONDS {
        return basic_date(text);
    }
    let utc = if number <= LARGEST_SECONDS {
        DateTime::from_timestamp_micros(number.checked_mul(1_000_000)?.checked_add(digits.parse().ok()?)?)
    } else if number <= LARGEST_MILLIS {
        DateTime::from_timestamp_millis(number)
    } else if number <= LARGEST_MICROS {
        DateTime::from_timestamp_micros(number)
    } else {
        Some(DateTime::from_timestamp_nanos(number))
    }?;
    (utc.year() <= 9999 && number < i64::MAX).then_some(Instant { utc, naive: false })
}

/// A date without dashes, `20261005`.
fn basic_date(text: &str) -> Option<Instant> {
    let midnight = NaiveDate::parse_from_str(text, "%Y%m%d").ok().filter(|_| text.len() == 8)?;
    Some(Instant { utc: midnight.and_hms_opt(0, 0, 0)?.and_utc(), naive: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_spelling_is_read() {
        let noon = "2026-10-05T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let cases = [
            ("\"2026-10-05T12:00:00Z\"", false),
            ("\"2026-10-05T12:00:00.000000Z\"", false),
            ("\"2026-10-05T14:00:00+02:00\"", false),
            ("\"2026-10-05T14:00:00\\u002B02:00\"", false),
            ("\"2026-10-05 14:00:00+0200\"", false),
            ("\"2026-10-05 12:00:00 Z\"", false),
            ("\"2026-10-05T12:00:00\"", true),
            ("\"2026-10-05 12:00:00\"", true),
            ("\"2026-10-05T12:00\"", true),
            ("1791201600", false),
            ("1791201600.0", false),
            ("1791201600000", false),
            ("\"1791201600\"", false),
            ("\"1791201600000\"", false),
            ("\"1791201600.000\"", false),
            ("1.7912016e9", false),
            ("17912016E+02", false),
            ("1.7912016e12", false),
            ("\"1.7912016e+09\"", false),
            ("\"2026-10-05 12:00:00 UTC\"", false),
            ("\"2026-10-05 12:00:00.000 UTC\"", false),
            ("\"2026-10-05T12:00:00UTC\"", false),
            ("\"2026-10-05 12:00 gmt\"", false),
            ("\"2026-10-05 14:00:00 +0200 UTC\"", false),
            ("\"2026-10-05 12:00:00+00\"", false),
            ("\"2026-10-05T14:00:00 +02:00\"", false),
            ("\"2026-10-05  12:00:00\"", true),
            ("\"2026-10-05t12:00:00z\"", false),
            ("\"2026-10-05 12:00:00,000\"", true),
            ("\"20261005T120000Z\"", false),
            ("\"20261005T120000\"", true),
            ("\"Mon, 05 Oct 2026 12:00:00 GMT\"", false),
            ("1791201600000000", false),
            ("1.7912016e15", false),
            ("\"1791201600000000000\"", false),
            ("\"/Date(1791201600000)/\"", false),
            ("\"\\/Date(1791201600000+0200)\\/\"", false),
            ("\"2026/10/05 12:00:00\"", true),
            ("\"2026-10-05T14:00:00+02:00[Europe/Berlin]\"", false),
            ("\"2026-10-05T12:00:00Z[UTC]\"", false),
            ("\"\\\"2026-10-05T12:00:00Z\\\"\"", false),
            ("\"Mon Oct 05 2026 14:00:00 GMT+0200 (Central European Summer Time)\"", false),
            ("\"Mon Oct  5 12:00:00 2026\"", true),
            ("\"Oct 5, 2026 12:00:00 PM\"", true),
            ("\"October 5, 2026 12:00:00 UTC\"", false),
            ("\"05-Oct-2026 12:00:00\"", true),
            ("\"5 October 2026 12:00:00\"", true),
        ];
        for (json, naive) in cases {
            assert_eq!(read(json), Some(Instant { utc: noon, naive }), "{json}");
        }
        for midnight in ["\"2026-10-05\"", "\"2026/10/05\"", "\"20261005\"", "20261005"] {
            let read = read(midnight).unwrap();
            assert_eq!((read.utc, read.naive), (noon - chrono::TimeDelta::hours(12), true), "{midnight}");
        }
        assert_eq!(read("1791201600.25").unwrap().utc.timestamp_subsec_millis(), 250);
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let date = http_date(" Mon, 12 Oct 2026 06:00:00 GMT").unwrap();
        assert_eq!(date.to_rfc3339(), "2026-10-12T06:00:00+00:00");
        assert_eq!(http_date("Fri, 31 Dec 9999 23:59:59 GMT").unwrap().timestamp(), 253_402_300_799);
        for text in ["", "soon", "2026-10-12T06:00:00Z", "Mon, 12 Oct 1969 06:00:00 GMT"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for json in [
            "null",
            "\"\"",
            "\"soon\"",
            "{}",
            "true",
            "\"2026-13-01\"",
            "\"2026-02-29T00:00:00Z\"",
            "\"2026-10-05T24:00:00Z\"",
            "\"2026-10-05T1:000:00Z\"",
            "\"2026-10-05T25:00:00Z\"",
            "99999999999999999999",
            "9223372036854775807",
            "1.7913672e25",
            "0",
            "-1791201600",
            "46300.5",
            "\"46300,5\"",
            "20269999",
            "\"10/05/2026 12:00\"",
            "\"05.10.2026 12:00\"",
            "\"/Date()/\"",
            "\"/Date(soon)/\"",
            "\"[Europe/Berlin]\"",
            "\"2026-10-05 12:00:00 [Europe/Berlin]\"",
            "\"Mon Foo  5 12:00:00 2026\"",
            "1e999",
            "-1e300",
            "\"e\"",
            "\"UTC\"",
            "\"2026-10-05 12:00:00 CEST\"",
            "\"2026-10-05 12:00:00 Europe/Berlin\"",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
