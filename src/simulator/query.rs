//! The parameters of a request, and what is wrong with them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Record;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Records to leave out at the start.
    pub skip: usize,
    /// Records a page, as asked; the server may give fewer.
    pub limit: Option<usize>,
    /// Oldest first; newest first is the default.
    pub ascending: bool,
    /// Inclusive.
    pub created_from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub created_to: Option<DateTime<Utc>>,
    /// Inclusive.
    pub updated_from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub updated_to: Option<DateTime<Utc>>,
    /// Any of these; empty is all.
    pub tags: BTreeSet<String>,
    /// Any of these; empty is all.
    pub users: BTreeSet<String>,
    /// Any of these, without the `devin-` prefix; empty is all.
    pub sessions: BTreeSet<String>,
}

/// One entry of the body of a 422.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    loc: [String; 2],
    msg: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Query {
    /// Reads the part of the address after `?`. Unknown parameters are ignored;
    /// of a parameter that cannot be repeated the last one counts.
    ///
    /// # Errors
    ///
    /// Every parameter that cannot be read.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        let mut query = Self::default();
        let mut faults = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name, true), decode(value, true));
            if let Err((msg, kind)) = query.take(&name, value) {
                faults.push(Fault { loc: ["query".to_owned(), name], msg, kind });
            }
        }
        if faults.is_empty() { Ok(query) } else { Err(faults) }
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), (&'static str, &'static str)> {
        match name {
            "skip" => self.skip = number(&value, 0)?,
            "limit" => self.limit = Some(number(&value, 1)?),
            "order" => {
                self.ascending = match value.as_str() {
                    "asc" => true,
                    "desc" => false,
                    _ => return Err(("Input should be 'asc' or 'desc'", "literal_error")),
                }
            }
            "created_date_from" => self.created_from = Some(moment(&value)?),
            "created_date_to" => self.created_to = Some(moment(&value)?),
            "updated_date_from" => self.updated_from = Some(moment(&value)?),
            "updated_date_to" => self.updated_to = Some(moment(&value)?),
            "tags" => drop(self.tags.insert(value)),
            "user_ids" => drop(self.users.insert(value)),
            "session_ids" => drop(self.sessions.insert(bare(&value).to_owned())),
            _ => {}
        }
        Ok(())
    }

    /// Nothing but the window of creation restricts the records.
    pub fn is_plain(&self) -> bool {
        let lists = self.tags.is_empty() && self.users.is_empty() && self.sessions.is_empty();
        lists && self.updated_from.is_none() && self.updated_to.is_none()
    }

    /// Whether a record passes everything but the window of creation.
    pub fn passes(&self, record: &Record) -> bool {
        let updated = record.updated_at == DateTime::UNIX_EPOCH
            || (self.updated_from.is_none_or(|from| record.updated_at >= from)
                && self.updated_to.is_none_or(|to| record.updated_at < to));
        let any = |wanted: &BTreeSet<String>, has: &dyn Fn(&String) -> bool| {
            wanted.is_empty() || wanted.iter().any(has)
        };
        updated
            && any(&self.tags, &|tag| record.tags.contains(tag))
            && any(&self.users, &|user| record.user_id.as_ref() == Some(user))
            && (self.sessions.is_empty() || self.sessions.contains(bare(&record.session_id)))
    }
}

fn bare(session_id: &str) -> &str {
    session_id.strip_prefix("devin-").unwrap_or(session_id)
}

fn number(text: &str, least: usize) -> Result<usize, (&'static str, &'static str)> {
    match text.parse::<i64>() {
        Err(_) => Err(("Input should be a valid integer", "int_parsing")),
        Ok(number) => usize::try_from(number)
            .ok()
            .filter(|number| *number >= least)
            .ok_or(("Input should be greater than or equal to the minimum", "greater_than_equal")),
    }
}

/// ISO 8601 with a zone: a time without one would not say which moment is meant.
fn moment(text: &str) -> Result<DateTime<Utc>, (&'static str, &'static str)> {
    DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|_| ("Input should be a valid datetime with a time zone", "datetime_from_date_parsing"))
}

/// Resolves `%41`; a lone `%` stays. In a query, but not in a path, `+` is a space.
pub fn decode(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, next) = match (*first, after) {
            (b'%', [high, low, next @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, next),
                _ => (b'%', after),
            },
            (b'+', next) if plus_is_space => (b' ', next),
            (byte, next) => (byte, next),
        };
        bytes.push(byte);
        rest = next;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read() {
        let query = Query::read(
            "skip=3&limit=500&order=asc&created_date_from=2026-10-05T00:00:00%2B02:00&tags=a%20b&tags=c+d\
             &user_ids=email%7C62f0&session_ids=devin-x&whatever=1&&created_date_to=2026-10-12T00:00:00Z",
        )
        .unwrap();
        assert_eq!((query.skip, query.limit, query.ascending), (3, Some(500), true));
        assert_eq!(query.created_from.unwrap().to_rfc3339(), "2026-10-04T22:00:00+00:00");
        assert_eq!(query.created_to.unwrap().to_rfc3339(), "2026-10-12T00:00:00+00:00");
        assert_eq!(query.tags.iter().collect::<Vec<_>>(), ["a b", "c d"]);
        assert!(query.users.contains("email|62f0") && query.sessions.contains("x"));
        assert!(!query.is_plain());
        assert!(Query::read("").unwrap().is_plain());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for bad in [
            "skip=-1",
            "skip=",
            "skip=1.5",
            "limit=0",
            "limit=many",
            "order=up",
            "created_date_from=yesterday",
            "created_date_to=2026-10-05",
            "updated_date_from=2026-10-05T00:00:00",
            "updated_date_to=2026-10-05T00:00:00+02:00", // the plus is a space here
        ] {
            let faults = Query::read(bad).unwrap_err();
            assert_eq!(faults.len(), 1, "{bad}");
            assert_eq!(faults[0].loc[1], bad.split('=').next().unwrap());
        }
        assert_eq!(Query::read("skip=x&limit=y").unwrap_err().len(), 2);
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(decode("org%207%2F%CE%B2%7Cx", false), "org 7/β|x");
        assert_eq!(decode("a+b", false), "a+b");
        assert_eq!(decode("100%", true), "100%");
        assert_eq!(decode("%zz%4", true), "%zz%4");
        assert_eq!(decode("%é1", true), "%é1");
    }
}
