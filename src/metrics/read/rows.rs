//! The rows of `facts.json` as they stand there.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ReadError;
use crate::metrics::budget::Budget;
use crate::metrics::facts::{Bounds, Quality, Source};
use crate::money::Currency;
use devin_api::{Api, FetchStats, Records};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File<'a> {
    #[serde(rename = "schema")]
    pub(super) _schema: u64,
    #[serde(rename = "tool")]
    pub(super) _tool: serde::de::IgnoredAny,
    pub(super) generated_at: String,
    pub(super) period: BoundsRow,
    pub(super) previous: BoundsRow,
    pub(super) source: SourceRow,
    pub(super) quality: QualityRow,
    #[serde(borrow, default)]
    pub(super) budgets: Vec<BudgetRow<'a>>,
    /// The only one that earlier versions wrote.
    #[serde(borrow, default)]
    pub(super) budget: Option<BudgetRow<'a>>,
    #[serde(default)]
    pub(super) withheld: Vec<WithheldRow>,
    #[serde(default)]
    pub(super) labels: Option<Labels>,
    #[serde(borrow)]
    pub(super) facts: Vec<Row<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Labels {
    pub(super) org: BTreeMap<String, String>,
    pub(super) user: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithheldRow {
    pub(super) metric: String,
    pub(super) by: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoundsRow {
    pub(super) label: String,
    pub(super) from: String,
    pub(super) to: String,
    #[serde(default)]
    pub(super) tz: Option<String>,
    #[serde(default)]
    pub(super) complete: Option<bool>,
}

impl BoundsRow {
    pub(super) fn bounds(self) -> Bounds {
        Bounds { label: self.label, from: self.from, to: self.to, tz: self.tz, complete: self.complete }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceRow {
    pub(super) api: String,
    pub(super) scope: String,
    /// Older files do not tell.
    #[serde(default = "is_so")]
    pub(super) metered: bool,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) users: Vec<String>,
    #[serde(default)]
    pub(super) people: Option<String>,
    #[serde(default)]
    pub(super) profile: Option<String>,
    #[serde(default)]
    pub(super) archive: Option<String>,
    #[serde(default)]
    pub(super) no_match: bool,
    #[serde(default = "is_so")]
    pub(super) proved: bool,
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) pages: Option<u64>,
    pub(super) received: Option<u64>,
    pub(super) unique: Option<u64>,
    pub(super) duplicates: Option<u64>,
    pub(super) outside: Option<u64>,
    pub(super) rejected: Option<u64>,
    pub(super) complete: bool,
}

fn is_so() -> bool {
    true
}

impl SourceRow {
    pub(super) fn source(self) -> Result<Source, ReadError> {
        let known = [Records::Api(Api::V2), Records::Api(Api::V3), Records::Export];
        let records = known.into_iter().find(|records| records.name() == self.api);
        let word = |what, known: &[&'static str], told: Option<String>| match told {
            None => Ok(None),
            Some(told) => known
                .iter()
                .find(|word| **word == told)
                .map(|word| Some(*word))
                .ok_or_else(|| ReadError::unknown(what, &told)),
        };
        let people = word("the way to show people", &["hidden"], self.people)?;
        // A covered report does not say.
        let rows = |what, count: Option<u64>| match count {
            None if people.is_none() => Err(ReadError::unknown("the count", what)),
            count => Ok(count.unwrap_or(0)),
        };
        Ok(Source {
            people,
            profile: word("the profile", &["leadership"], self.profile)?,
            archive: self.archive,
            no_match: self.no_match,
            proved: self.proved,
            metered: self.metered,
            records: records.ok_or_else(|| ReadError::unknown("the API", &self.api))?,
            scope: self.scope,
            tags: self.tags,
            users: self.users,
            stats: FetchStats {
                requests: self.requests,
                retries: self.retries,
                pages: rows("pages", self.pages)?,
                received: rows("received", self.received)?,
                unique: rows("unique", self.unique)?,
                duplicates: rows("duplicates", self.duplicates)?,
                outside: rows("outside", self.outside)?,
                rejected: rows("rejected", self.rejected)?,
                naive_times: 0,
                complete: self.complete,
            },
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QualityRow {
    pub(super) acus_unknown: Option<u64>,
    pub(super) unknown_status: Option<u64>,
    pub(super) unknown_impact: Option<u64>,
    pub(super) unknown_pr_state: Option<u64>,
    pub(super) prs_without_url: Option<u64>,
    /// Older files do not tell.
    #[serde(default)]
    pub(super) unreadable_fields: Option<u64>,
}

impl QualityRow {
    pub(super) fn quality(self) -> Quality {
        Quality {
            acus_unknown: self.acus_unknown,
            unknown_status: self.unknown_status,
            unknown_impact: self.unknown_impact,
            unknown_pr_state: self.unknown_pr_state,
            prs_without_url: self.prs_without_url,
            unreadable_fields: self.unreadable_fields,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BudgetRow<'a> {
    #[serde(alias = "month")]
    pub(super) period: String,
    pub(super) until: String,
    #[serde(borrow)]
    pub(super) amount: Number<'a>,
    pub(super) currency: String,
    #[serde(borrow)]
    pub(super) used: Number<'a>,
    #[serde(borrow)]
    pub(super) forecast: Number<'a>,
}

impl BudgetRow<'_> {
    pub(super) fn budget(self) -> Result<Budget, ReadError> {
        Ok(Budget {
            amount: self.amount.value()?.unwrap_or(0.0),
            currency: currency(&self.currency)?,
            used: self.used.value()?,
            forecast: self.forecast.value()?,
            period: self.period,
            until: self.until,
        })
    }
}

pub(super) fn currency(code: &str) -> Result<Currency, ReadError> {
    let currency = Currency::parse(code).filter(|currency| currency.code() == code);
    currency.ok_or_else(|| ReadError::unknown("the currency", code))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row<'a> {
    pub(super) metric: String,
    pub(super) unit: String,
    pub(super) group: Group,
    #[serde(borrow)]
    pub(super) value: Number<'a>,
    #[serde(borrow, default)]
    pub(super) numerator: Number<'a>,
    #[serde(borrow, default)]
    pub(super) denominator: Number<'a>,
    #[serde(borrow)]
    pub(super) n: Number<'a>,
    #[serde(borrow)]
    pub(super) previous: Number<'a>,
}

/// The digits as they stand: serde_json's own reading of a fraction may be a
/// hair beside what was written.
#[derive(Default, Deserialize)]
pub(super) struct Number<'a>(#[serde(borrow)] Option<&'a RawValue>);

impl Number<'_> {
    pub(super) fn value(&self) -> Result<Option<f64>, ReadError> {
        match self.0.map(RawValue::get) {
            None | Some("null") => Ok(None),
            Some(digits) => digits
                .parse()
                .map(Some)
                .ok()
                .filter(|number: &Option<f64>| number.is_none_or(f64::is_finite))
                .ok_or_else(|| ReadError::unknown("the number", digits)),
        }
    }
}

/// A group's keys in the order in which they stand.
pub(super) struct Group(pub(super) Vec<(String, Option<String>)>);

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Group;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of a group")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Group, A::Error> {
        let mut keys = Vec::new();
        while let Some(entry) = map.next_entry()? {
            keys.push(entry);
        }
        Ok(Group(keys))
    }
}
