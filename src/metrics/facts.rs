//! Facts: plain rows, and the canonical text of `facts.json`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::budget::Budget;
use super::capabilities::Capabilities;
use super::dimension::Dim;
use super::metric::{Metric, MetricKind};
use crate::unit::Unit;
use devin_api::{FetchStats, Records};

/// One number.
#[derive(Clone)]
pub struct Fact {
    /// What it measures.
    pub metric: &'static Metric,
    /// The unit of its value: the metric's, of money with its currency.
    pub unit: Unit,
    /// What it is the number of: dimensions in the metric's order, null allowed.
    pub group: Vec<(Dim, Option<String>)>,
    /// The number; null where there is none.
    pub value: Option<f64>,
    /// Upper part of a ratio; NaN where it is unknown, which is written as null.
    pub numerator: f64,
    /// Lower part of a ratio.
    pub denominator: f64,
    /// What the value rests on.
    pub n: f64,
    /// The same of the previous period; null where the periods cannot be compared.
    pub previous: Option<f64>,
    /// What that rests on; 0 where there is none.
    pub previous_n: f64,
}

impl Fact {
    /// The group's key in one dimension: `None` where it is not grouped by it.
    pub fn key(&self, dim: Dim) -> Option<Option<&str>> {
        self.group.iter().find(|(own, _)| *own == dim).map(|(_, key)| key.as_deref())
    }

    /// Value, numerator, denominator, `n` and the previous value as [`Facts::to_json`]
    /// writes them, to the digit; empty where it has null or nothing.
    pub fn texts(&self) -> [String; 5] {
        let text = |number: Number| {
            let text = serde_json::to_string(&number).expect("a number or null is JSON");
            Some(text).filter(|text| text != "null")
        };
        let part = |value| Some(self.part(value)).filter(|_| self.metric.kind == MetricKind::Ratio);
        [
            text(self.number(self.value)),
            part(self.numerator).and_then(text),
            part(self.denominator).and_then(text),
            text(self.part(self.n)),
            text(self.number(self.previous)),
        ]
        .map(Option::unwrap_or_default)
    }

    /// A value in the fact's own unit.
    fn number(&self, value: Option<f64>) -> Number {
        Number { value, whole: self.unit == Unit::Count }
    }

    /// What a value rests on.
    fn part(&self, value: f64) -> Number {
        Number { value: Some(value), whole: true }
    }

    /// The canonical order: by metric, then by dimensions, then by keys.
    pub fn canonical_order(&self, other: &Self) -> Ordering {
        // Tens of thousands of facts are compared: nothing is copied for it.
        self.block_order(other.metric, other.dims()).then_with(|| self.keys().cmp(other.keys()))
    }

    /// The order of blocks of facts: by metric, then by dimensions.
    fn block_order(&self, metric: &Metric, by: impl Iterator<Item = Dim>) -> Ordering {
        self.metric.id.cmp(metric.id).then_with(|| self.dims().cmp(by))
    }

    /// The dimensions it is grouped by.
    pub fn dims(&self) -> impl Iterator<Item = Dim> {
        self.group.iter().map(|(dim, _)| *dim)
    }

    fn keys(&self) -> impl Iterator<Item = Option<&str>> {
        self.group.iter().map(|(_, key)| key.as_deref())
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("metric", self.metric.id)?;
        map.serialize_entry("unit", &self.unit)?;
        map.serialize_entry("group", &Group(&self.group))?;
        map.serialize_entry("value", &self.number(self.value))?;
        if self.metric.kind == MetricKind::Ratio {
            map.serialize_entry("numerator", &self.part(self.numerator))?;
            map.serialize_entry("denominator", &self.part(self.denominator))?;
        }
        map.serialize_entry("n", &self.part(self.n))?;
        map.serialize_entry("previous", &self.number(self.previous))?;
        map.end()
    }
}

/// A number as JSON: counts without a fraction, what is not finite as null.
struct Number {
    value: Option<f64>,
    whole: bool,
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value.filter(|value| value.is_finite()) {
            None => serializer.serialize_none(),
            // Whole numbers below 2^53 are exact in both types.
            Some(value) if self.whole && value.fract() == 0.0 => serializer.serialize_i64(value as i64),
            Some(value) => serializer.serialize_f64(value),
        }
    }
}

struct Group<'a>(&'a [(Dim, Option<String>)]);

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(dim, key)| (dim.name(), key)))
    }
}

/// Counts of what could not be read as documented, over the report's period. In a
/// covered report a count that rests on fewer than five people is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Quality {
    /// Sessions whose ACUs are unknown.
    pub acus_unknown: Option<u64>,
    /// Sessions whose status is none of the documented ones.
    pub unknown_status: Option<u64>,
    /// Issues whose impact is none of the documented ones.
    pub unknown_impact: Option<u64>,
    /// Pull requests whose state is none of the documented ones.
    pub unknown_pr_state: Option<u64>,
    /// Pull request entries without an address, which are no pull requests.
    pub prs_without_url: Option<u64>,
    /// Fields of sessions whose values could not be read.
    pub unreadable_fields: Option<u64>,
}

/// A grouping of a metric that a covered report leaves out because it rests on
/// fewer than five people, or would give away a number that does.
#[derive(Clone)]
pub struct Withheld {
    /// The metric.
    pub metric: &'static Metric,
    /// The dimensions; empty for the whole period.
    pub by: Vec<Dim>,
}

impl Serialize for Withheld {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by: Vec<&str> = self.by.iter().map(|dim| dim.name()).collect();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("metric", self.metric.id)?;
        map.serialize_entry("by", &by)?;
        map.end()
    }
}

/// The bounds of a period.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Bounds {
    /// Its name.
    pub label: String,
    /// RFC 3339, the first instant.
    pub from: String,
    /// RFC 3339, the first instant after it.
    pub to: String,
    /// IANA name of the zone; of the report's period only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// Whether it was over at the fetch; of the report's period only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
}

/// Where the facts come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Who wrote the records.
    pub records: Records,
    /// Whether work is billed in ACUs.
    pub metered: bool,
    /// Organisation id, or `enterprise`.
    pub scope: String,
    /// Tags that the sessions were narrowed to.
    pub tags: Vec<String>,
    /// Users that the sessions were narrowed to.
    pub users: Vec<String>,
    /// `hidden` in a covered report, null in one with names.
    pub people: Option<&'static str>,
    /// For whom the report is; null for the lead.
    pub profile: Option<&'static str>,
    /// RFC 3339, UTC: all changes before this moment are in the archive that the
    /// sessions come from; null where they do not come from one.
    pub archive: Option<String>,
    /// No session matches the tags, users and organisation that were asked for.
    pub no_match: bool,
    /// Whether the source proves that none is missing: arrays, lines and exports do not.
    pub proved: bool,
    /// What happened on the way.
    pub stats: FetchStats,
}

/// Keys without a value are left out. A covered report has null for the counts of
/// rows: minus the points of the trend they would give away a point that is not shown.
impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("api", self.records.name())?;
        map.serialize_entry("scope", &self.scope)?;
        map.serialize_entry("metered", &self.metered)?;
        for (key, texts) in [("tags", &self.tags), ("users", &self.users)] {
            if !texts.is_empty() {
                map.serialize_entry(key, texts)?;
            }
        }
        for (key, text) in
            [("people", self.people), ("profile", self.profile), ("archive", self.archive.as_deref())]
        {
            if let Some(text) = text {
                map.serialize_entry(key, text)?;
            }
        }
        if self.no_match {
            map.serialize_entry("no_match", &true)?;
        }
        if !self.proved {
            map.serialize_entry("proved", &false)?;
        }
        let stats = &self.stats;
        map.serialize_entry("requests", &stats.requests)?;
        map.serialize_entry("retries", &stats.retries)?;
        for (key, rows) in [
            ("pages", stats.pages),
            ("received", stats.received),
            ("unique", stats.unique),
            ("duplicates", stats.duplicates),
            ("outside", stats.outside),
            ("rejected", stats.rejected),
        ] {
            map.serialize_entry(key, &Some(rows).filter(|_| self.people.is_none()))?;
        }
        map.serialize_entry("complete", &stats.complete)?;
        map.end()
    }
}

/// The whole of `facts.json`.
pub struct Facts {
    /// RFC 3339, UTC.
    pub generated_at: String,
    /// The report's period.
    pub period: Bounds,
    /// The one before it.
    pub previous: Bounds,
    /// Where the facts come from.
    pub source: Source,
    /// What could not be read as documented.
    pub quality: Quality,
    /// How much of each month's or billing cycle's budget is used, the oldest first.
    pub budgets: Vec<Budget>,
    /// What the data can answer.
    pub capabilities: Capabilities,
    /// What a covered report leaves out, by metric, then by dimensions.
    pub withheld: Vec<Withheld>,
    /// What users are called, by the id in their group; empty where that is
    /// not known or not to be shown.
    pub names: BTreeMap<String, String>,
    /// What organisations are called, by id; empty where that is not known.
    pub organisations: BTreeMap<String, String>,
    /// The numbers in canonical order.
    pub facts: Vec<Fact>,
}

impl Facts {
    /// The facts of a metric that are grouped by exactly these dimensions.
    pub fn by(&self, metric: &Metric, by: &[Dim]) -> &[Fact] {
        // A page asks hundreds of times: the canonical order finds the block at once.
        let from = self.facts.partition_point(|fact| fact.block_order(metric, by.iter().copied()).is_lt());
        let rest = self.facts.get(from..).expect("a partition point is at most the length");
        let length = rest.partition_point(|fact| fact.block_order(metric, by.iter().copied()).is_eq());
        rest.get(..length).expect("a partition point is at most the length")
    }

    /// The fact of another metric of the same group; both are grouped alike.
    pub fn sibling(&self, fact: &Fact, metric: &Metric) -> Option<&Fact> {
        let by: Vec<Dim> = fact.dims().collect();
        let block = self.by(metric, &by);
        block.binary_search_by(|other| other.keys().cmp(fact.keys())).ok().and_then(|at| block.get(at))
    }

    /// Whether the report is covered: it has nothing about single people.
    pub fn is_covered(&self) -> bool {
        self.source.people.is_some()
    }

    /// Whether a covered report leaves out a metric in a grouping.
    pub fn withholds(&self, metric: &Metric, by: &[Dim]) -> bool {
        self.withheld.iter().any(|withheld| withheld.metric.id == metric.id && withheld.by == by)
    }

    /// The unit in which values of a metric are written.
    pub fn unit(&self, metric: &Metric) -> Unit {
        metric.unit_in(self.capabilities, self.is_covered())
    }

    /// What a group of users or organisations is called, where that is known and
    /// may be shown; else its key.
    pub fn called<'n>(&'n self, dim: Dim, key: &'n str) -> &'n str {
        let name = match dim {
            Dim::User => self.names.get(key),
            Dim::Org => self.organisations.get(key),
            _ => None,
        };
        name.map_or(key, String::as_str)
    }

    /// A metric's fact of the whole period.
    pub fn whole(&self, metric: &Metric) -> Option<&Fact> {
        self.by(metric, &[]).first()
    }

    /// The canonical text: keys in a fixed order, a line a fact, numbers
    /// unrounded. The same facts give the same bytes.
    ///
    /// # Errors
    /// Never for facts that [`super::evaluate`] made.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let tool = serde_json::json!({"name": "acumen", "version": env!("CARGO_PKG_VERSION")});
        let mut out = String::from("{\n");
        for (key, value) in [
            ("schema", "1".to_owned()),
            ("tool", tool.to_string()),
            ("generated_at", serde_json::to_string(&self.generated_at)?),
            ("period", serde_json::to_string(&self.period)?),
            ("previous", serde_json::to_string(&self.previous)?),
            ("source", serde_json::to_string(&self.source)?),
            ("quality", serde_json::to_string(&self.quality)?),
        ] {
            out.push_str(&format!("  \"{key}\": {value},\n"));
        }
        if !self.withheld.is_empty() {
            out.push_str(&format!("  \"withheld\": {},\n", serde_json::to_string(&self.withheld)?));
        }
        if !self.budgets.is_empty() {
            out.push_str(&format!("  \"budgets\": {},\n", serde_json::to_string(&self.budgets)?));
        }
        let labels: BTreeMap<&str, &BTreeMap<String, String>> =
            [(Dim::User, &self.names), (Dim::Org, &self.organisations)]
                .into_iter()
                .filter(|(_, names)| !names.is_empty())
                .map(|(dim, names)| (dim.name(), names))
                .collect();
        if !labels.is_empty() {
            out.push_str(&format!("  \"labels\": {},\n", serde_json::to_string(&labels)?));
        }
        out.push_str("  \"facts\": [");
        for (index, fact) in self.facts.iter().enumerate() {
            out.push_str(if index == 0 { "\n    " } else { ",\n    " });
            out.push_str(&serde_json::to_string(fact)?);
        }
        out.push_str(if self.facts.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
        Ok(out)
    }
}
