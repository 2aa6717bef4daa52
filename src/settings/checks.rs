//! One value at a time: what was typed becomes what it means, or one line that
//! says why not.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use url::{Host, Url};

use super::{FoundKey, SettingsError};
use crate::cli::ReportArgs;
use crate::period::{self, Period};
use devin_api::Api;

/// The time zone with this name.
///
/// # Errors
/// There is none.
pub fn zone(text: &str) -> Result<Tz, SettingsError> {
    let trimmed = text.trim();
    let found = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(trimmed));
    found.copied().ok_or_else(|| {
        let message = format!("--tz: unknown time zone {}", quoted(text));
        if let Some(zone) = offset(trimmed).and_then(zone_of_offset) {
            let inverted = if zone.starts_with("Etc/") { " (its sign is inverted by convention)" } else { "" };
            let hint = format!(
                "use {zone}{inverted}, which has this offset all year, or a place such as Europe/Berlin, which \
                 has summer time"
            );
            return SettingsError::new(message, hint);
        }
        let city = trimmed.rsplit_once('/').map_or(trimmed, |(_, city)| city).to_lowercase().replace(' ', "_");
        let near = chrono_tz::TZ_VARIANTS
            .iter()
            .find(|zone| zone.name().contains('/') && zone.name().to_lowercase().ends_with(&city))
            .filter(|_| city.len() > 2)
            .map_or("Europe/Berlin or UTC", |zone| zone.name());
        SettingsError::new(message, format!("use an IANA name such as {near}"))
    })
}

/// The minutes east of Greenwich that a text such as `GMT+2`, `UTC-05:00` or `+0530` means.
fn offset(text: &str) -> Option<i32> {
    let text = text.to_ascii_uppercase().replace('−', "-").replace(' ', "");
    let rest = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(&text);
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |digits: &str, most: i32| {
        let is_number = digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|number| is_number && *number <= most)
    };
    Some(sign * (number(hours, 14)? * 60 + number(minutes, 59)?))
}

/// A zone that has an offset all year.
fn zone_of_offset(minutes: i32) -> Option<&'static str> {
    // POSIX counts west of Greenwich, so that Etc/GMT-2 is two hours east of it.
    let name = match minutes {
        0 => "UTC".to_owned(),
        210 => "Asia/Tehran".to_owned(),
        270 => "Asia/Kabul".to_owned(),
        330 => "Asia/Kolkata".to_owned(),
        345 => "Asia/Kathmandu".to_owned(),
        390 => "Asia/Yangon".to_owned(),
        525 => "Australia/Eucla".to_owned(),
        570 => "Australia/Darwin".to_owned(),
        -570 => "Pacific/Marquesas".to_owned(),
        _ if minutes % 60 == 0 => format!("Etc/GMT{:+}", -minutes / 60),
        _ => return None,
    };
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).find(|own| *own == name)
}

pub(super) fn period(args: &ReportArgs, now: DateTime<Utc>, tz: Tz) -> Result<Period, SettingsError> {
    let unreadable = |flag: &str, text: &str, example: &str| {
        SettingsError::new(format!("{flag}: cannot read {}", quoted(text)), format!("write it as {example}"))
    };
    if let (Some(from), Some(to)) = (&args.from, &args.to) {
        let first = period::parse_date(from).ok_or_else(|| unreadable("--from", from, "2026-10-05"))?;
        let last = period::parse_date(to).ok_or_else(|| unreadable("--to", to, "2026-10-11"))?;
        return Period::days(first, last, tz).ok_or_else(|| {
            SettingsError::new(
                format!("--to {last} is before --from {first}"),
                "both days are included: --to must be the same day or later",
            )
        });
    }
    if let Some(week) = &args.week {
        return Period::parse_week(week.trim(), tz)
            .ok_or_else(|| unreadable("--week", week, "2026-W41 (ISO weeks run from W01 to W52 or W53)"));
    }
    if let Some(month) = &args.month {
        return Period::parse_month(month.trim(), tz).ok_or_else(|| unreadable("--month", month, "2026-10"));
    }
    if let Some(quarter) = &args.quarter {
        return Period::parse_quarter(quarter.trim(), tz)
            .ok_or_else(|| unreadable("--quarter", quarter, "2026-Q4"));
    }
    if let Some(last) = &args.last {
        return period::parse_span(last.trim())
            .and_then(|days| Period::last_days(days, now, tz))
            .ok_or_else(|| unreadable("--last", last, "14d or 2w, at most 3660 days"));
    }
    Period::last_complete_week(now, tz)
        .ok_or_else(|| SettingsError::new("the clock is out of range", "check the machine's date"))
}

/// The address of the API.
///
/// # Errors
/// It is no address, holds a login, or would send the key in the clear.
pub fn base_url(text: &str) -> Result<Url, SettingsError> {
    let refuse = |why: &str, hint: &str| Err(SettingsError::new(format!("--base-url: {why}"), hint));
    let Ok(url) = Url::parse(text.trim()) else {
        // What stands before an @ may be a password or the key.
        let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
        return refuse(&format!("cannot read {}", quoted(shown)), "write it as https://api.devin.ai");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "it must not contain a user or password",
            "the key comes from a file or DEVIN_API_KEY",
        );
    }
    let path = url.path().trim_end_matches('/');
    let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
    if matches!(last, "v2" | "v3") {
        return refuse(
            &format!("it must end before /{last}"),
            "write it as https://api.devin.ai; --api chooses the version",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("it must not contain a query or fragment", "write it as https://api.devin.ai");
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if is_loopback(&host) => Ok(url),
        ("http", Some(_)) => refuse(
            "plain http would expose the key on the network",
            "use https; http is allowed on loopback only",
        ),
        _ => refuse(&format!("{} is not a URL", quoted(text)), "write it as https://api.devin.ai"),
    }
}

/// The URL of the monitor. It contains a token, so no message repeats it.
///
/// # Errors
/// It is no address, or one over which the token could be read.
pub fn ping(found: Option<&FoundKey>) -> Result<Option<Url>, SettingsError> {
    let hint = "use the monitor's URL, such as https://hc-ping.com/ and the check's UUID";
    found.map(|found| secret_url(found, hint)).transpose()
}

/// A URL that contains a token, so no message repeats it.
///
/// # Errors
/// It is no address, or one over which the token could be read.
pub(super) fn secret_url(found: &FoundKey, hint: &str) -> Result<Url, SettingsError> {
    let source = &found.source;
    let refuse = |why: &str| SettingsError::new(format!("{source}: {why}"), hint);
    let text = found.secret().trim();
    // The parser would join the lines of a file.
    if text.contains(char::is_control) {
        return Err(refuse("it has more than one line"));
    }
    let url = Url::parse(text).map_err(|_| refuse("it is not a URL"))?;
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if is_loopback(&host) => Ok(url),
        ("http", Some(_)) => Err(refuse("plain http would expose the token on the network")),
        _ => Err(refuse("it is not a URL")),
    }
}

pub(super) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

pub(super) fn word(flag: &str, text: &str) -> Result<String, SettingsError> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(SettingsError::new(
            format!("{flag}: {} is empty or has control characters", quoted(text)),
            format!("omit {flag} to report on everything"),
        ));
    }
    Ok(text.to_owned())
}

/// The text of the key that was found, trimmed.
///
/// # Errors
/// There is none, or it is no key.
pub fn checked_key(found: Option<&FoundKey>) -> Result<String, SettingsError> {
    let hint = "put the key into a file and name it with --api-key-file, or set DEVIN_API_KEY; to try \
        acumen without a key: acumen demo";
    let Some(found) = found else { return Err(SettingsError::new("no API key found", hint)) };
    let text = found.secret().trim();
    if text.is_empty() {
        return Err(SettingsError::new(format!("the API key from {} is empty", found.source), hint));
    }
    if let Some((what, hint)) = wrapping(text) {
        return Err(SettingsError::new(format!("the API key from {} {what}", found.source), hint));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"$<>{},;".contains(&byte)) {
        return Err(SettingsError::new(
            format!("the API key from {} contains spaces or invalid characters", found.source),
            "provide only the key, on one line",
        ));
    }
    Ok(text.to_owned())
}

/// What surrounds a key that was copied together with its context, and what to do about it.
fn wrapping(text: &str) -> Option<(&'static str, &'static str)> {
    let has_prefix =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    // An equals sign may end a key in base64, so that it must have a value after it
    // or a name in capitals before it.
    let is_assignment = text.split_once('=').is_some_and(|(name, value)| {
        !value.trim_matches('=').is_empty() || name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    });
    match () {
        () if is_assignment || has_prefix("export ") => Some((
            "is an assignment, NAME=KEY, instead of only the key",
            "provide the part after the equals sign, without quotes",
        )),
        () if text.contains(['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»']) => {
            Some(("contains quotes", "provide the key without quotes; env files keep them"))
        }
        () if has_prefix("Bearer ") || has_prefix("Authorization:") => {
            Some(("is a header, Bearer KEY, instead of only the key", "provide the part after “Bearer”"))
        }
        () => None,
    }
}

/// The generation of the API, and what decided on it.
pub(super) fn generation(typed: Option<&str>, key: &str) -> (Api, &'static str) {
    match (typed, Api::of_key(key)) {
        (Some("v3"), _) => (Api::V3, "set by --api"),
        (Some(_), _) => (Api::V2, "set by --api"),
        (None, Some(api)) => (api, "by the key's prefix"),
        (None, None) => (Api::V2, "the default, because the key's prefix is unknown; use --api to choose"),
    }
}

/// The users' ids. v3 asks for people and for service users apart, and no row can be both.
///
/// # Errors
/// A text that cannot be an id, or people and service users for v3.
pub fn users(typed: &[String], api: Api) -> Result<Vec<String>, SettingsError> {
    let users = typed.iter().map(|user| word("--user", user)).collect::<Result<Vec<_>, _>>()?;
    let machines = users.iter().filter(|user| Api::is_service_user(user)).count();
    if api == Api::V3 && machines > 0 && machines < users.len() {
        return Err(SettingsError::new(
            "--user: v3 cannot filter by people and service users at once",
            "make one report for the people and one for the service users",
        ));
    }
    Ok(users)
}

pub(super) fn page_size(size: u32, api: Api) -> Result<u32, SettingsError> {
    let largest = api.largest_page();
    if size > largest {
        return Err(SettingsError::new(
            format!("--page-size: {api} returns at most {largest} sessions per page"),
            format!("use {largest} or fewer"),
        ));
    }
    Ok(size)
}

/// Untrusted text for one line of a terminal: quoted, cut, without controls.
pub(super) fn quoted(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("“{clean}”")
}

#[cfg(test)]
mod tests {
    use chrono::{Offset, TimeZone};

    use super::*;

    #[test]
    fn an_offset_gets_the_zone_that_has_it_all_year() {
        for (text, name) in [
            ("GMT+2", "Etc/GMT-2"),
            ("utc-5", "Etc/GMT+5"),
            ("UTC+02:00", "Etc/GMT-2"),
            ("UTC −3", "Etc/GMT+3"),
            ("+0200", "Etc/GMT-2"),
            ("GMT+14", "Etc/GMT-14"),
            ("UTC-12", "Etc/GMT+12"),
            ("UTC+00:00", "UTC"),
            ("UTC+5:30", "Asia/Kolkata"),
        ] {
            let hint = zone(text).unwrap_err().hint;
            assert!(hint.starts_with(&format!("use {name}")), "{text}: {hint}");
            assert_eq!(hint.contains("sign is inverted"), name.starts_with("Etc"), "{text}: {hint}");
        }
        // The zones that are named have the offsets that are meant.
        for minutes in -14 * 60..=14 * 60 {
            let Some(name) = zone_of_offset(minutes) else { continue };
            for moment in ["2026-01-15T00:00:00", "2026-07-15T00:00:00"] {
                let offset = zone(name).unwrap().offset_from_utc_datetime(&moment.parse().unwrap());
                assert_eq!(offset.fix().local_minus_utc(), minutes * 60, "{name}");
            }
        }
        for text in
            ["UTC-13", "UTC+15", "GMT+2:60", "UTC+", "+", "UTC+1h", "GMT2", "UTC+5:31", "UTC+123456", ""]
        {
            assert_eq!(
                zone(text).unwrap_err().hint,
                "use an IANA name such as Europe/Berlin or UTC",
                "{text}"
            );
        }
        assert!(zone("Etc/GMT+2").is_ok() && zone("gmt-0").is_ok());
    }

    #[test]
    fn a_key_is_taken_without_its_file_and_refused_with_its_context() {
        let checked = |text: &str| {
            checked_key(Some(&FoundKey::new(text, "a test")))
                .map_err(|error| format!("{error}; {}", error.hint))
        };
        for text in ["cog_x", "\u{feff}cog_x\r\n", " cog_x \n\n", "\u{feff} cog_x"] {
            assert_eq!(checked(text).as_deref(), Ok("cog_x"), "{text:?}");
        }
        for key in ["apk_user_QQ==", "apk_user_x=", "abc"] {
            assert_eq!(checked(key).as_deref(), Ok(key));
        }
        for (texts, reported) in [
            (&["\"cog_x\"", "'apk_x'", "“cog_x”", "\u{feff}\"cog_x\"\r\n", "cog_x\""][..], "without quotes"),
            (
                &[
                    "DEVIN_API_KEY=cog_x",
                    "DEVIN_API_KEY=",
                    "export DEVIN_API_KEY=\"cog_x\"",
                    "key = 'cog_x'",
                    "$env:DEVIN_API_KEY=\"cog_x\"",
                    "set KEY=cog_x==",
                ][..],
                "after the equals sign",
            ),
            (&["Bearer cog_x", "bearer cog_x", "Authorization: Bearer cog_x"][..], "after “Bearer”"),
            (&["cog_x cog_y", "cog_x\ncog_y", "DEVIN_API_KEY: cog_x"][..], "only the key, on one line"),
        ] {
            for text in texts {
                let error = checked(text).unwrap_err();
                assert!(error.contains(reported) && !error.contains("cog_x"), "{text}: {error}");
            }
        }
    }

    #[test]
    fn the_key_tells_the_generation_unless_a_flag_does() {
        let api = |typed, key| generation(typed, key).0;
        assert_eq!(
            [api(None, "cog_x"), api(None, "apk_user_x"), api(None, "x")],
            [Api::V3, Api::V2, Api::V2]
        );
        assert_eq!([api(Some("v2"), "cog_x"), api(Some("v3"), "apk_user_x")], [Api::V2, Api::V3]);
        assert_eq!((page_size(1000, Api::V2), page_size(200, Api::V3)), (Ok(1000), Ok(200)));
        let both = ["email|1".to_owned(), "service-user-2".to_owned()];
        assert!(users(&both, Api::V2).is_ok() && users(&both[..1], Api::V3).is_ok());
        assert!(users(&both, Api::V3).unwrap_err().to_string().starts_with("--user"));
        assert!(page_size(201, Api::V3).unwrap_err().to_string().contains("v3 returns at most 200"));
    }
}
