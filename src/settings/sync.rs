//! The settings of a sync.

use std::path::PathBuf;

use chrono::{DateTime, SubsecRound, Utc};

use super::checks::{checked_key, ping, quoted};
use super::{FoundKey, SettingsError, asked};
use crate::cli::SyncArgs;
use crate::fetch::Question;
use crate::period;

/// Everything a sync needs to know, checked.
#[derive(Clone, Debug)]
pub struct Sync {
    /// Whom to ask, and how; about no time yet.
    pub question: Question,
    /// What decided on the generation of the API.
    pub api_from: &'static str,
    /// Where the archive lies.
    pub archive: PathBuf,
    /// When it is to begin, where somebody says.
    pub since: Option<DateTime<Utc>>,
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
        now: DateTime<Utc>,
    ) -> Result<Self, SettingsError> {
        ping(args.ping.as_ref())?;
        let now = now.trunc_subsecs(0);
        let since = args.since.as_deref().map(|text| since(text, now)).transpose()?;
        let key = Some(checked_key(key.as_ref())?).zip(key);
        let asked = asked(&args.access, args.org.as_deref(), key, None)?;
        let (question, api_from) = (asked.question, asked.api_from);
        Ok(Self { question, api_from, archive: args.archive.clone(), since, now })
    }
}

fn since(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, SettingsError> {
    let day = period::parse_date(text).map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    match day {
        Some(day) if day < now => Ok(day),
        Some(_) => Err(SettingsError::new(
            format!("--since: {} is yet to come", quoted(text)),
            "name a day in the past",
        )),
        None => Err(SettingsError::new(
            format!("--since: cannot read {}", quoted(text)),
            "write it as 2025-01-31",
        )),
    }
}
