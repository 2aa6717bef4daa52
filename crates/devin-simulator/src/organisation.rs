//! What is served: an organisation's sessions in the order of the API.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use super::people::{self, Person};
use super::{Recipe, invent, world};

/// Above this a unix time counts milliseconds.
const LARGEST_SECONDS: i64 = 100_000_000_000;

/// One session as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// As it is written, with or without the `devin-` prefix.
    pub session_id: String,
    /// Empty belongs to every organisation.
    pub org_id: String,
    /// Who started it, if anybody.
    pub user_id: Option<String>,
    /// As they are written.
    pub tags: Vec<String>,
    /// The Unix epoch means "unreadable" and is in every window.
    pub created_at: DateTime<Utc>,
    /// The Unix epoch means "unreadable" and is in every window.
    pub updated_at: DateTime<Utc>,
    /// The JSON object of the session, v2.
    pub body: String,
}

impl Record {
    /// Whether its last change is known; if not, it is in every window.
    pub(super) fn has_updated_at(&self) -> bool {
        self.updated_at != DateTime::UNIX_EPOCH
    }
}

/// What is served.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Organisation {
    /// By creation, then by id.
    pub records: Vec<Record>,
    /// The organisations that exist, with sessions or without.
    pub orgs: BTreeSet<String>,
    /// Whom the lists of people know: most of those who started sessions, and
    /// in an invented organisation everybody who might.
    pub people: Vec<Person>,
    /// The most ACUs an organisation may use in a billing cycle, by its id; those without a limit
    /// are absent. Nothing that is invented has one.
    pub cycle_limits: BTreeMap<String, f64>,
}

impl Organisation {
    /// An organisation invented after a recipe, shaped like real data. The same
    /// recipe gives the same bytes.
    pub fn invent(recipe: &Recipe) -> Self {
        let mut records = invent::records(recipe);
        sort(&mut records);
        let orgs = world::org_ids(recipe).collect();
        Self { records, orgs, people: people::invent(recipe), cycle_limits: BTreeMap::new() }
    }

    /// Any JSON values as sessions, each served as it is: what cannot be read of
    /// it never keeps it from being served. A record without a readable
    /// `created_at` or `updated_at` is in every window, one without an
    /// `org_id` belongs to every organisation; `org_demo` always exists, and so do
    /// the users of the records, by invented names.
    pub fn from_values(values: Vec<Value>) -> Self {
        let mut records: Vec<Record> = values.iter().map(record).collect();
        sort(&mut records);
        let named = records.iter().map(|record| record.org_id.clone()).filter(|org| !org.is_empty());
        let orgs = named.chain([world::org_id(0)]).collect();
        let starters = records.iter().filter_map(|record| Some((record.user_id.as_deref()?, record)));
        let mut people = people::known(starters.map(|(user, record)| (user, record.org_id.as_str())));
        let service_users = values.iter().filter_map(|value| value.get("service_user_id")?.as_str());
        people.extend(people::known_service_users(service_users));
        Self { records, orgs, people, cycle_limits: BTreeMap::new() }
    }

    /// Whether the records still stand in the order of the API.
    pub(super) fn is_in_order(&self) -> bool {
        self.records.is_sorted_by(|a, b| key(a) <= key(b))
    }
}

/// Orders records as the API does; of equal keys the earlier stays first.
pub(super) fn sort(records: &mut [Record]) {
    records.sort_by(|a, b| key(a).cmp(&key(b)));
}

fn key(record: &Record) -> (DateTime<Utc>, &str) {
    (record.created_at, &record.session_id)
}

fn record(value: &Value) -> Record {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let tags = value.get("tags").and_then(Value::as_array);
    Record {
        session_id: text("session_id").unwrap_or_default().to_owned(),
        org_id: text("org_id").unwrap_or_default().to_owned(),
        user_id: text("user_id").map(str::to_owned),
        tags: tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        created_at: value.get("created_at").and_then(moment).unwrap_or(DateTime::UNIX_EPOCH),
        updated_at: value.get("updated_at").and_then(moment).unwrap_or(DateTime::UNIX_EPOCH),
        body: value.to_string(),
    }
}

/// ISO 8601 with a zone or (then UTC) without, or unix seconds or milliseconds.
fn moment(value: &Value) -> Option<DateTime<Utc>> {
    if let Some(number) = value.as_i64() {
        return match number.abs() > LARGEST_SECONDS {
            true => DateTime::from_timestamp_millis(number),
            false => DateTime::from_timestamp(number, 0),
        };
    }
    let text = value.as_str()?;
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc());
    zoned.or_else(|| {
        let naive = NaiveDateTime::parse_from_str(&text.replacen(' ', "T", 1), "%Y-%m-%dT%H:%M:%S%.f");
        naive.ok().map(|moment| moment.and_utc())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn odd_values_are_served_too() {
        let organisation = Organisation::from_values(vec![
            json!({"session_id": "b", "org_id": "org_789", "created_at": "2026-10-05T14:00:00+02:00"}),
            json!({"session_id": "a", "created_at": 1_791_201_600, "tags": ["x", null, 7]}),
            json!({"session_id": 7, "created_at": "soon", "tags": null}),
            json!("not an object"),
        ]);
        let ids: Vec<_> = organisation.records.iter().map(|record| record.session_id.as_str()).collect();
        assert_eq!(ids, ["", "", "a", "b"]);
        assert_eq!(organisation.records[0].created_at, DateTime::UNIX_EPOCH);
        assert_eq!(organisation.records[1].body, "\"not an object\"");
        assert_eq!(organisation.records[2].created_at, organisation.records[3].created_at);
        assert_eq!(organisation.records[2].tags, ["x"]);
        assert_eq!(organisation.orgs.iter().collect::<Vec<_>>(), ["org_789", "org_demo"]);
    }
}
