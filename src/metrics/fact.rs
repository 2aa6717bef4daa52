//! One number of a report.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::dimension::Dim;
use super::metric::{Direction, Metric, MetricKind};
use super::registry::METRICS;
use crate::unit::Unit;

/// One number. NaN is null in `facts.json`: what is unknown, or hidden.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it measures.
    pub metric: &'static Metric,
    /// The unit of its value: the metric's, of money with its currency.
    pub unit: Unit,
    /// The group: dimensions in the metric's order with their keys; empty for the whole period.
    #[serde(with = "group")]
    pub group: Vec<(Dim, Option<String>)>,
    /// The number; null where there is none.
    pub value: Option<f64>,
    /// Upper part; of a ratio only.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "part")]
    pub numerator: Option<f64>,
    /// Lower part; of a ratio only.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "part")]
    pub denominator: Option<f64>,
    /// What the value rests on.
    #[serde(deserialize_with = "or_none")]
    pub n: f64,
    /// The same of the period it is compared with; null where the periods cannot be compared.
    pub previous: Option<f64>,
    /// What that rests on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub previous_n: f64,
    /// Whether more pull requests are undecided than in the period it is compared with, or, of
    /// a point of the trend, than in the oldest point: it may still improve. Of what came of
    /// pull requests only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub maturing: bool,
    /// Whether the change exceeds chance.
    #[serde(default, skip_serializing_if = "is_false")]
    pub notable: bool,
}

/// What a change says of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// It is good news.
    Better,
    /// It is bad news.
    Worse,
    /// It is neither, or may be chance.
    Neutral,
}

/// A ratio on fewer cases is neither better nor worse than another.
const FEW: f64 = 10.0;

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

fn is_false(mark: &bool) -> bool {
    !mark
}

/// A number, or NaN for null.
fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The part of a ratio.
fn part<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    or_none(deserializer).map(Some)
}

impl Fact {
    /// The upper part of a ratio; NaN where it is unknown.
    pub fn numerator(&self) -> f64 {
        self.numerator.unwrap_or(f64::NAN)
    }

    /// The lower part of a ratio; NaN where it is unknown.
    pub fn denominator(&self) -> f64 {
        self.denominator.unwrap_or(f64::NAN)
    }

    /// What the previous value is multiplied by to be compared with the value, where days of the
    /// period it is of weigh so much: 1 unless the metric adds up over days.
    pub fn scale(&self, per_day_scale: f64) -> f64 {
        if self.metric.adds_up_over_days() { per_day_scale } else { 1.0 }
    }

    /// The value and the previous one as they are compared: as if both periods were as long. The
    /// scale is that of [`Facts::per_day_scale`](super::Facts::per_day_scale).
    pub fn compared(&self, per_day_scale: f64) -> Option<(f64, f64)> {
        let (now, before) = self.value.zip(self.previous)?;
        Some((now, before * self.scale(per_day_scale)))
    }

    /// Whether the change from the previous period, compared per day, is good or bad news: only if
    /// it is notable, not maturing, and the metric has a direction; of a ratio, only with at least
    /// 10 cases in both periods.
    pub fn judgement(&self, per_day_scale: f64) -> Judgement {
        let Some((now, before)) = self.compared(per_day_scale) else { return Judgement::Neutral };
        let is_few = self.metric.kind == MetricKind::Ratio && !(self.n >= FEW && self.previous_n >= FEW);
        if !self.notable || self.maturing || is_few || now == before {
            return Judgement::Neutral;
        }
        match (self.metric.direction, now > before) {
            (Direction::Neutral, _) => Judgement::Neutral,
            (Direction::More, true) | (Direction::Less, false) => Judgement::Better,
            (Direction::More, false) | (Direction::Less, true) => Judgement::Worse,
        }
    }

    /// The group's key in one dimension: `None` where it is not grouped by it.
    pub fn key(&self, dim: Dim) -> Option<Option<&str>> {
        self.group.iter().find(|(own, _)| *own == dim).map(|(_, key)| key.as_deref())
    }

    /// The canonical order: by metric, then by dimensions, then by keys.
    pub fn canonical_order(&self, other: &Self) -> Ordering {
        // Tens of thousands of facts are compared: nothing is copied for it.
        self.block_order(other.metric, other.dims()).then_with(|| self.keys().cmp(other.keys()))
    }

    /// The order of blocks of facts: by metric, then by dimensions.
    pub(super) fn block_order(&self, metric: &Metric, by: impl Iterator<Item = Dim>) -> Ordering {
        self.metric.id.cmp(metric.id).then_with(|| self.dims().cmp(by))
    }

    /// The dimensions it is grouped by.
    pub fn dims(&self) -> impl Iterator<Item = Dim> {
        self.group.iter().map(|(dim, _)| *dim)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Option<&str>> {
        self.group.iter().map(|(_, key)| key.as_deref())
    }

    /// Whether the metric has the grouping and the unit.
    pub(super) fn is_of_its_metric(&self) -> bool {
        let has_unit = match (self.metric.unit, self.unit) {
            (Unit::Money(_), Unit::Money(_)) => true,
            (own, unit) => own == unit,
        };
        has_unit && self.metric.groups.iter().any(|by| self.dims().eq(by.iter().copied()))
    }
}

/// The id in `facts.json`.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

impl<'de> Deserialize<'de> for &'static Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let metric = METRICS.iter().find(|metric| metric.id == id);
        metric.ok_or_else(|| D::Error::custom(format!("the metric {id:?} is not known")))
    }
}

/// Groups as a map in the order of the dimensions.
pub(super) mod group {
    use super::*;

    pub fn serialize<S: Serializer>(
        group: &[(Dim, Option<String>)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(group.iter().map(|(dim, key)| (dim, key)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(Dim, Option<String>)>, D::Error> {
        deserializer.deserialize_map(Keys)
    }

    struct Keys;

    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<(Dim, Option<String>)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the keys of a group")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = Vec::new();
            while let Some(entry) = map.next_entry()? {
                keys.push(entry);
            }
            Ok(keys)
        }
    }
}
