//! What an archive knows of itself: the file `state.json`, written last.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{People, Vendor};
use crate::tables::schema::{NAMES, TABLES, VERSION};
use crate::text::clean;
use devin_api::Api;

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
    /// Sessions created at or after this moment have all columns of the schema. Those
    /// before may lack what schema 5 added, where the archive is older than that; none is
    /// the moment up to which such an archive reaches.
    #[serde(default)]
    pub whole_from: Option<DateTime<Utc>>,
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

impl Entry {
    /// For a file with these rows and bytes.
    pub(super) fn of(rows: u64, bytes: &[u8]) -> Self {
        Self { rows, bytes: bytes.len() as u64, sha256: digest(bytes) }
    }

    /// Whether a file has the length and the hash.
    pub(super) fn matches(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.bytes && digest(bytes) == self.sha256
    }
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

/// Most characters of an organisation id.
const LONGEST_ORG: usize = 200;

/// Why a state cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StateError {
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
            schema: VERSION,
            tool: tool(),
            api: subject.api,
            org: subject.org.clone(),
            since,
            until: since,
            watermark: now,
            complete: false,
            whole_from: Some(since),
            rejected: 0,
            files: BTreeMap::new(),
        }
    }

    /// Reads it; the schema counts before all else.
    pub(super) fn parse(text: &[u8]) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        let unreadable = |error: serde_json::Error| StateError::Unreadable(clean(&error.to_string(), 200));
        let Schema { schema } = serde_json::from_slice(text).map_err(unreadable)?;
        if schema > VERSION {
            return Err(StateError::Newer(schema));
        }
        let mut state: Self = serde_json::from_slice(text).map_err(unreadable)?;
        state.whole_from.get_or_insert(state.until);
        let flaw = match () {
            () if !state.is_possible() => "it has numbers or times that sync does not write".to_owned(),
            () if !state.is_named() => {
                format!("the organisation id is empty or longer than {LONGEST_ORG} characters")
            }
            () => match state.foreign_file() {
                Some(path) => format!("it lists {}, which sync does not write", clean(path, 80)),
                None => return Ok(state),
            },
        };
        Err(StateError::Unreadable(flaw))
    }

    /// Whether its organisation id, if it has one, is of a usual length.
    fn is_named(&self) -> bool {
        self.org.as_ref().is_none_or(|org| (1..=LONGEST_ORG).contains(&org.chars().count()))
    }

    /// A file that no archive has, or whose month lacks one of the tables that all archives have.
    fn foreign_file(&self) -> Option<&str> {
        let is_own = |path: &str| {
            let month = month_of(path);
            let is_there = |table: &str, month| self.files.contains_key(&self::path(table, month));
            let mut needed = TABLES.iter().filter(|table| !table.is_added());
            let is_whole = |month| needed.all(|table| is_there(table.name, month));
            path == People::PATH || path == Vendor::PATH || month.is_some_and(is_whole)
        };
        self.files.keys().map(String::as_str).find(|path| !is_own(path))
    }

    /// Whether its times and numbers can be counted with: somebody may have made them up.
    fn is_possible(&self) -> bool {
        let moments = [self.since, self.until, self.watermark];
        let are_moments =
            moments.iter().chain(&self.whole_from).all(|moment| (1970..9999).contains(&moment.year()));
        let are_counts = |entry: &Entry| entry.rows < u64::from(u32::MAX) && entry.bytes < MOST_BYTES;
        are_moments && self.rejected < u64::from(u32::MAX) && self.files.values().all(are_counts)
    }

    /// The moment from which on sessions have all columns of the schema, where the archive
    /// has older ones.
    pub fn lacks_columns_before(&self) -> Option<DateTime<Utc>> {
        self.whole_from.filter(|from| *from > self.since)
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

/// The month of a table's file, if the path is exactly one that [`path`] gives.
fn month_of(file: &str) -> Option<&str> {
    let (table, rest) = file.split_once('/')?;
    let month = rest.strip_prefix("month=")?.split('/').next()?;
    let is_month = match month.as_bytes() {
        [year @ .., b'-', tens @ b'0'..=b'1', ones @ b'0'..=b'9'] => {
            let number = (tens - b'0') * 10 + (ones - b'0');
            year.len() == 4 && year.iter().all(u8::is_ascii_digit) && (1..=12).contains(&number)
        }
        _ => false,
    };
    (is_month && NAMES.contains(&table) && file == path(table, month)).then_some(month)
}

/// SHA-256 in hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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
        let files = NAMES.map(|table| (path(table, "2026-09"), entry.clone()));
        let state = State { files: files.into(), ..state() };
        let text = serde_json::to_vec(&state).unwrap();
        assert_eq!(State::parse(&text), Ok(state.clone()));
        assert_eq!((state.sessions(), state.months().collect::<Vec<_>>()), (3, vec!["2026-09"]));
    }

    #[test]
    fn the_schema_counts_before_all_else() {
        assert_eq!(State::parse(br#"{"schema": 6, "files": 7}"#), Err(StateError::Newer(6)));
        assert!(matches!(State::parse(br#"{"schema": 1, "files": 7}"#), Err(StateError::Unreadable(_))));
        assert!(matches!(State::parse(b"{}"), Err(StateError::Unreadable(_))));
    }

    #[test]
    fn only_the_files_of_an_archive_are_listed() {
        let parsed = |org: &str, change: &dyn Fn(&mut BTreeMap<String, Entry>)| {
            let entry = Entry { rows: 3, bytes: 4, sha256: "ab".to_owned() };
            let mut files = NAMES.map(|table| (path(table, "2026-09"), entry.clone())).into();
            change(&mut files);
            let state = State { org: Some(org.to_owned()), files, ..state() };
            State::parse(&serde_json::to_vec(&state).unwrap())
        };
        assert!(parsed("o", &|_| ()).is_ok());
        for name in [
            "/etc/passwd",
            "../../x",
            "sessions/../x",
            "sessions/month=2026-10/sessions.parquet",
            "sessions/month=2026-13/sessions.parquet",
            "sessions/month=2026-09/tags.parquet",
            "sessions/month=2026-09/./sessions.parquet",
            "sessions/month=2026-09//sessions.parquet",
            "other/month=2026-09/other.parquet",
            "state.json",
            "",
        ] {
            let entry = Entry { rows: 3, bytes: 4, sha256: "ab".to_owned() };
            let with = parsed("o", &|files| drop(files.insert(name.to_owned(), entry.clone())));
            assert!(matches!(with, Err(StateError::Unreadable(_))), "{name}");
        }
        // A month without one of its tables.
        assert!(parsed("o", &|files| drop(files.remove(&path("tags", "2026-09")))).is_err());
        assert!(parsed("", &|_| ()).is_err());
        assert!(parsed(&"ö".repeat(LONGEST_ORG), &|_| ()).is_ok());
        assert!(parsed(&"ö".repeat(LONGEST_ORG + 1), &|_| ()).is_err());
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
