//! Sessions as version 2 of the API gives them: pages by offset, each record as
//! it is written.

use std::borrow::Cow;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::Value;

use super::faults::Shape;
use super::filter::Filter;
use super::listing::{Listing, billed, end_v2, join, stale};
use super::parameters::{Complaint, Wrong, bare, each, iso, number};
use super::{Organisation, Record};

/// Records a page where the request does not say.
const DEFAULT_LIMIT: usize = 100;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Records to leave out at the start.
    pub skip: usize,
    /// Records a page, as asked; the server may give fewer.
    pub limit: Option<usize>,
    /// Oldest first; newest first is the default.
    pub ascending: bool,
    /// Which records.
    pub filter: Filter,
}

impl Query {
    /// Reads the part of the address after `?`. Unknown parameters are ignored;
    /// of a parameter that cannot be repeated the last one counts.
    ///
    /// # Errors
    ///
    /// Every parameter that cannot be read.
    pub fn read(text: &str) -> Result<Self, Vec<Complaint>> {
        let mut query = Self::default();
        each(text, |name, value| query.take(name, value))?;
        Ok(query)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Wrong> {
        let filter = &mut self.filter;
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
            "created_date_from" => filter.created.from = Some(iso(&value)?),
            "created_date_to" => filter.created.to = Some(iso(&value)?),
            "updated_date_from" => filter.updated.from = Some(iso(&value)?),
            "updated_date_to" => filter.updated.to = Some(iso(&value)?),
            "tags" => drop(filter.tags.insert(value)),
            "user_ids" => drop(filter.users.insert(value)),
            "session_ids" => drop(filter.sessions.insert(bare(&value).to_owned())),
            _ => {}
        }
        Ok(())
    }
}

/// The page that is asked for.
pub fn page(organisation: &Organisation, query: &Query, max_page: usize, shape: &Shape) -> String {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).min(max_page.max(1));
    let listing = Listing::new(organisation, &query.filter, query.ascending, shape);
    let skip = if shape.loops { 0 } else { query.skip };
    let length = if shape.empty { 0 } else { shape.clamp.map_or(limit, |most| limit.min(most)) };
    let end = skip.saturating_add(length).min(listing.len()).max(skip);
    let bodies = (skip..end).filter_map(|place| listing.item(place)).filter_map(|item| {
        let record = organisation.records.get(listing.index(item.place)?)?;
        Some(if item.again { Cow::Owned(again(record)) } else { Cow::Borrowed(record.body.as_str()) })
    });
    let text = join(bodies.map(|body| billed(body, shape)));
    let has_more = shape.empty || end < listing.len();
    end_v2(text, listing.total, (skip, limit, end), shape, has_more)
}

/// A record as it was an hour before its last change, if that is known.
fn again(record: &Record) -> String {
    let (Ok(Value::Object(mut fields)), true) = (serde_json::from_str(&record.body), record.has_updated_at())
    else {
        return record.body.clone();
    };
    let before = record.updated_at - TimeDelta::hours(1);
    stale(&mut fields, before.to_rfc3339_opts(SecondsFormat::Micros, true).into());
    Value::Object(fields).to_string()
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
        let filter = &query.filter;
        assert_eq!(filter.created.from.unwrap().to_rfc3339(), "2026-10-04T22:00:00+00:00");
        assert_eq!(filter.created.to.unwrap().to_rfc3339(), "2026-10-12T00:00:00+00:00");
        assert_eq!(filter.tags.iter().collect::<Vec<_>>(), ["a b", "c d"]);
        assert!(filter.users.contains("email|62f0") && filter.sessions.contains("x"));
        assert!(!filter.is_plain());
        assert!(Query::read("").unwrap().filter.is_plain());
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
            let complaints = Query::read(bad).unwrap_err();
            assert_eq!(complaints.len(), 1, "{bad}");
            let reported = serde_json::to_value(&complaints[0]).unwrap();
            assert_eq!(reported["loc"][1], bad.split('=').next().unwrap());
        }
        assert_eq!(Query::read("skip=x&limit=y").unwrap_err().len(), 2);
    }
}
