//! The settings of a sync.

use std::path::PathBuf;

use chrono::{DateTime, Datelike, NaiveTime, SubsecRound, Utc};
use chrono_tz::Tz;

use super::api::api_config;
use super::checks::{quoted, word, zone};
use super::{FoundKey, Network, SettingsError};
use crate::cli::SyncArgs;
use crate::period;
use devin_api::ApiConfig;

/// Everything a sync needs to know, checked.
#[derive(Clone, Debug)]
pub struct Sync {
    /// How the API is reached.
    pub api: ApiConfig,
    /// One organisation, or the whole enterprise.
    pub org: Option<String>,
    /// What decided on the generation of the API, for messages.
    pub chosen_by: &'static str,
    /// The path of the archive.
    pub archive: PathBuf,
    /// Its first moment, if given.
    pub since: Option<DateTime<Utc>>,
    /// Whether everything is requested again.
    pub full: bool,
    /// The time zone of the weeks and months of the vendor's counts.
    pub tz: Tz,
    /// When the run began, in whole seconds.
    pub now: DateTime<Utc>,
}

impl Sync {
    /// Checks what was typed against the clock and the key that was found.
    ///
    /// # Errors
    /// The first thing that cannot be used, with a hint.
    pub fn resolve(
        args: &SyncArgs,
        key: Option<FoundKey>,
        network: &Network,
        now: DateTime<Utc>,
    ) -> Result<Self, SettingsError> {
        let now = now.trunc_subsecs(0);
        let since = args.since.as_deref().map(|text| since(text, now)).transpose()?;
        let (api, chosen_by) = api_config(&args.access, key.as_ref(), network)?;
        let org = args.org.as_deref().map(|org| word("--org", org)).transpose()?;
        let (archive, tz) = (args.archive.clone(), zone(&args.tz)?);
        Ok(Self { api, chosen_by, org, archive, since, full: args.full, tz, now })
    }
}

/// There are no sessions before this year, and each month of an archive costs a request.
const FIRST_YEAR: i32 = 2023;

fn since(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, SettingsError> {
    let refuse =
        |what: &str, hint: &str| Err(SettingsError::new(format!("--since: {} {what}", quoted(text)), hint));
    let day = period::parse_date(text).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    match day {
        None => refuse("cannot be read", "write it as 2025-01-31"),
        Some(day) if day.year() < FIRST_YEAR => {
            refuse("is before the first Devin session", "use a day from 2023 on")
        }
        Some(day) if day >= now => refuse("is in the future", "use a day in the past"),
        Some(day) => Ok(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_begins_on_a_day_that_had_sessions() {
        let since = |text| since(text, "2026-10-12T06:00:00Z".parse().unwrap());
        assert_eq!(since("2025-01-31").unwrap().to_rfc3339(), "2025-01-31T00:00:00+00:00");
        for (text, words) in [
            ("31.1.2025", "cannot be read"),
            ("2022-12-31", "before the first Devin session"),
            ("0001-01-01", "before the first Devin session"),
            ("2026-10-13", "in the future"),
        ] {
            assert!(since(text).unwrap_err().to_string().contains(words), "{text}");
        }
    }
}
