//! What an archive knows of itself: the file `state.json`, written last.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::fetch::Api;
use crate::text::clean;

/// What this program writes. A new column or another meaning of one is a new schema.
pub const SCHEMA: u32 = 2;

/// No file of an archive is longer: a month of a million sessions has 60 MB.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// What an archive knows of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Tells what the columns mean.
    pub schema: u32,
    /// The program that wrote it.
    pub tool: String,
    /// The generation of the API.
    pub api: Api,
    /// Organisation id; none for the whole enterprise.
    pub org: Option<String>,
    /// Sessions created at or after this moment are kept …
    pub since: DateTime<Utc>,
    /// … and all of them that were created before this one have been asked for.
    pub until: DateTime<Utc>,
    /// All changes before this moment are in: the beginning of the last sync that
    /// came to its end, or of the first one.
    pub watermark: DateTime<Utc>,
    /// Whether a sync ever came to its end.
    pub complete: bool,
    /// Records without an id or a readable creation time that came on the way and
    /// are in no table.
    pub rejected: u64,
    /// The files of the archive by their path in it; no other file counts.
    pub files: BTreeMap<String, Entry>,
}

/// What a file must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
}

/// What an archive is about; a sync with another one is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The generation of the API.
    pub api: Api,
    /// Organisation id; none is that of the archive, and of a new one the whole enterprise.
    pub org: Option<String>,
    /// Sessions created at or after this moment are kept; none is that of the archive.
    pub since: Option<DateTime<Utc>>,
}

/// Where an archive begins unless somebody says.
pub const SINCE: &str = "2024-01-01T00:00:00Z";

/// Why a state cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is of a schema that this program does not know.
    Newer(u32),
    /// It is no state.
    Unreadable(String),
}

impl State {
    /// That of an archive without a session, begun at a moment.
    pub(super) fn begin(subject: &Subject, now: DateTime<Utc>) -> Self {
        let since = subject.since.or_else(|| SINCE.parse().ok()).unwrap_or(now);
        Self {
            schema: SCHEMA,
            tool: tool(),
            api: subject.api,
            org: subject.org.clone(),
            since,
            until: since,
            watermark: now,
            complete: false,
            rejected: 0,
            files: BTreeMap::new(),
        }
    }

    /// Reads it; the schema counts before all else.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Flaw> {
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        let unreadable = |error: serde_json::Error| Flaw::Unreadable(clean(&error.to_string(), 200));
        let Schema { schema } = serde_json::from_slice(text).map_err(unreadable)?;
        if schema > SCHEMA {
            return Err(Flaw::Newer(schema));
        }
        let state: Self = serde_json::from_slice(text).map_err(unreadable)?;
        match state.is_possible() {
            true => Ok(state),
            false => Err(Flaw::Unreadable("its numbers or times are none that a sync writes".to_owned())),
        }
    }

    /// Whether its times and numbers can be counted with: somebody may have made them up.
    fn is_possible(&self) -> bool {
        let moments = [self.since, self.until, self.watermark];
        let are_moments = moments.iter().all(|moment| (1970..9999).contains(&moment.year()));
        let are_counts = |entry: &Entry| entry.rows < u64::from(u32::MAX) && entry.bytes < MOST_BYTES;
        are_moments && self.rejected < u64::from(u32::MAX) && self.files.values().all(are_counts)
    }

    /// Sessions in the archive.
    pub fn sessions(&self) -> u64 {
        let of_sessions = self.files.iter().filter(|(path, _)| path.starts_with("sessions/"));
        of_sessions.map(|(_, entry)| entry.rows).sum()
    }

    /// The months that it has files of, oldest first.
    pub fn months(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|path| path.strip_prefix("sessions/month=")?.split('/').next())
    }

    /// What differs between this archive and what is asked of it.
    pub(super) fn differs(&self, subject: &Subject) -> Option<(&'static str, String, String)> {
        let scope = |org: &Option<String>| org.clone().unwrap_or_else(|| "enterprise".to_owned());
        if subject.org.is_some() && self.org != subject.org {
            return Some(("the scope", scope(&self.org), scope(&subject.org)));
        }
        if self.api != subject.api {
            return Some(("sessions of", self.api.to_string(), subject.api.to_string()));
        }
        let since = subject.since.filter(|since| *since != self.since)?;
        Some(("sessions from", self.since.date_naive().to_string(), since.date_naive().to_string()))
    }
}

/// As the state names the program.
pub(super) fn tool() -> String {
    format!("acumen {}", env!("CARGO_PKG_VERSION"))
}

/// The path of a table's file in an archive.
pub(super) fn path(table: &str, month: &str) -> String {
    format!("{table}/month={month}/{table}.parquet")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject { api: Api::V3, org: Some("o".to_owned()), since: None }
    }

    fn state() -> State {
        State::begin(&subject(), "2026-10-12T06:00:00Z".parse().unwrap())
    }

    #[test]
    fn what_is_written_is_read() {
        let entry = Entry { rows: 3, bytes: 4, sha256: "ab".to_owned() };
        let files = ["sessions", "tags"].map(|table| (path(table, "2026-09"), entry.clone()));
        let state = State { files: files.into(), ..state() };
        let text = serde_json::to_vec(&state).unwrap();
        assert_eq!(State::parse(&text), Ok(state.clone()));
        assert_eq!((state.sessions(), state.months().collect::<Vec<_>>()), (3, vec!["2026-09"]));
    }

    #[test]
    fn the_schema_counts_before_all_else() {
        assert_eq!(State::parse(br#"{"schema": 3, "files": 7}"#), Err(Flaw::Newer(3)));
        assert!(matches!(State::parse(br#"{"schema": 1, "files": 7}"#), Err(Flaw::Unreadable(_))));
        assert!(matches!(State::parse(b"{}"), Err(Flaw::Unreadable(_))));
    }

    #[test]
    fn an_archive_is_about_one_thing() {
        let differs = |change: fn(&mut Subject)| {
            let mut subject = subject();
            change(&mut subject);
            state().differs(&subject).map(|(what, _, _)| what)
        };
        assert_eq!(differs(|_| ()), None);
        assert_eq!(differs(|subject| subject.org = None), None);
        assert_eq!(differs(|subject| subject.org = Some("p".to_owned())), Some("the scope"));
        assert_eq!(differs(|subject| subject.api = Api::V2), Some("sessions of"));
        assert_eq!(differs(|subject| subject.since = SINCE.parse().ok()), None);
        let later = |subject: &mut Subject| subject.since = "2025-01-01T00:00:00Z".parse().ok();
        assert_eq!(differs(later), Some("sessions from"));
    }
}
