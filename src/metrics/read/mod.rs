//! The text of `facts.json` back to [`Facts`], so that a report that lies on the
//! disk can be sent without asking the API again.

mod error;
mod rows;

use serde::Deserialize;

use super::capabilities::Capabilities;
use super::dimension::Dim;
use super::facts::{Fact, Facts, Withheld};
use super::metric::{Metric, MetricKind};
use super::registry::METRICS;
use crate::unit::Unit;
pub use error::ReadError;
use rows::{BudgetRow, File, Number, Row, WithheldRow, currency};

/// The only schema there is.
const SCHEMA: u64 = 1;

impl Facts {
    /// Reads what [`Facts::to_json`] wrote. What a change rests on is not in
    /// the text: of the whole period it is taken from the trend, else it is 0.
    ///
    /// # Errors
    /// It is of another schema, or holds what this version does not know.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let Head { schema } = serde_json::from_str(text)?;
        if schema != SCHEMA {
            return Err(ReadError::Schema(schema));
        }
        let file: File<'_> = serde_json::from_str(text)?;
        let mut facts = file.facts.into_iter().map(fact).collect::<Result<Vec<_>, _>>()?;
        let currency = facts.iter().find_map(|fact| match fact.unit {
            Unit::Money(currency) => Some(currency),
            _ => None,
        });
        let covered = file.source.people.is_some();
        if covered {
            facts.iter_mut().for_each(|fact| fact.unit = fact.unit.whole());
        }
        let withheld = file.withheld.iter().map(withheld).collect::<Result<_, _>>()?;
        let teams = facts.iter().any(|fact| fact.key(Dim::Team).is_some());
        let source = file.source.source()?;
        let labels = file.labels.unwrap_or_default();
        // Of a file that somebody has edited; ours is in order already.
        facts.sort_by(Fact::canonical_order);
        let mut read = Self {
            generated_at: file.generated_at,
            period: file.period.bounds(),
            previous: file.previous.bounds(),
            quality: file.quality.quality(),
            budgets: file
                .budgets
                .into_iter()
                .chain(file.budget)
                .map(BudgetRow::budget)
                .collect::<Result<_, _>>()?,
            withheld,
            capabilities: Capabilities { records: source.records, metered: source.metered, teams, currency },
            source,
            names: labels.user,
            organisations: labels.org,
            facts,
        };
        read.rest_on_the_trend();
        Ok(read)
    }

    /// Gives the facts of the whole period what their previous value rests on.
    fn rest_on_the_trend(&mut self) {
        let before = self.previous.label.clone();
        let rests: Vec<(&str, f64)> = METRICS
            .iter()
            .filter_map(|metric| {
                let trend = self.by(metric, &[Dim::Period]);
                let own = trend.iter().find(|fact| fact.key(Dim::Period).flatten() == Some(&before))?;
                Some((metric.id, own.n))
            })
            .collect();
        for fact in self.facts.iter_mut().filter(|fact| fact.group.is_empty() && fact.previous.is_some()) {
            let own = rests.iter().find(|(id, _)| *id == fact.metric.id);
            fact.previous_n = own.map_or(0.0, |(_, n)| *n);
        }
    }
}

#[derive(Deserialize)]
struct Head {
    schema: u64,
}

fn metric(id: &str) -> Result<&'static Metric, ReadError> {
    METRICS.iter().find(|metric| metric.id == id).ok_or_else(|| ReadError::unknown("the metric", id))
}

fn withheld(row: &WithheldRow) -> Result<Withheld, ReadError> {
    let metric = metric(&row.metric)?;
    let by = row.by.iter().map(|name| (name.clone(), None)).collect();
    Ok(Withheld { metric, by: group(metric, by)?.into_iter().map(|(dim, _)| dim).collect() })
}

fn fact(row: Row<'_>) -> Result<Fact, ReadError> {
    let metric = metric(&row.metric)?;
    let group = group(metric, row.group.0)?;
    // A hidden day of a covered report has no numbers at all.
    let whole = |number: &Number<'_>| Ok::<_, ReadError>(number.value()?.unwrap_or(f64::NAN));
    let ratio = metric.kind == MetricKind::Ratio;
    Ok(Fact {
        metric,
        unit: unit(metric, &row.unit)?,
        group,
        value: row.value.value()?,
        numerator: if ratio { row.numerator.value()?.unwrap_or(f64::NAN) } else { 0.0 },
        denominator: if ratio { whole(&row.denominator)? } else { 0.0 },
        n: whole(&row.n)?,
        previous: row.previous.value()?,
        previous_n: 0.0,
    })
}

fn unit(metric: &Metric, name: &str) -> Result<Unit, ReadError> {
    match metric.unit {
        Unit::Money(_) => currency(name).map(Unit::Money),
        unit if unit.name() == name => Ok(unit),
        _ => Err(ReadError::unknown("the unit", name)),
    }
}

/// The dimensions by name, which must be a grouping that the metric comes in.
fn group(
    metric: &Metric,
    row: Vec<(String, Option<String>)>,
) -> Result<Vec<(Dim, Option<String>)>, ReadError> {
    let names = || row.iter().map(|(name, _)| name.as_str());
    let by = metric.groups.iter().find(|by| by.iter().map(|dim| dim.name()).eq(names()));
    let Some(by) = by else {
        let words = names().collect::<Vec<_>>().join(", ");
        return Err(ReadError::unknown("the grouping", &format!("{} by {words}", metric.id)));
    };
    Ok(by.iter().copied().zip(row.into_iter().map(|(_, key)| key)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::MERGE_RATE;

    fn sample() -> String {
        include_str!("../../../reports/org_demo_2026-W41.json").to_owned()
    }

    #[test]
    fn what_is_read_is_written_again_byte_for_byte() {
        let text = sample();
        assert_eq!(Facts::from_json(&text).unwrap().to_json().unwrap(), text);
    }

    #[test]
    fn what_a_change_rests_on_comes_from_the_trend() {
        let facts = Facts::from_json(&sample()).unwrap();
        let rate = facts.whole(&MERGE_RATE).unwrap();
        let trend = facts.by(&MERGE_RATE, &[Dim::Period]);
        let before = trend.iter().find(|fact| fact.key(Dim::Period).flatten() == Some("2026-W40")).unwrap();
        assert!(rate.previous_n > 10.0 && rate.previous_n == before.n);
    }

    #[test]
    fn names_teams_and_money_are_read_back() {
        let spend = "\n    {\"metric\":\"spend\",\"unit\":\"EUR\",\"group\":{\"team\":\"x\"},\"value\":1.25,\"n\":3,\"previous\":null}\n  ]";
        let budget = "  \"budgets\": [{\"period\":\"2026-10\",\"until\":\"2026-10-12T00:00:00Z\",\"amount\":5000.0,\"currency\":\"EUR\",\"used\":1250.1,\"forecast\":null}],\n";
        let labels = "  \"labels\": {\"org\":{\"o1\":\"Acme\",";
        let text = sample();
        let (rows, _) = text.rsplit_once("\n  ]").unwrap();
        // In canonical order money stands last.
        let text = format!("{rows},{spend}\n}}\n")
            .replacen("  \"labels\": {\"org\":{", &format!("{budget}{labels}"), 1)
            .replacen("\"requests\"", "\"archive\":\"2026-10-12T06:00:00Z\",\"requests\"", 1);
        let facts = Facts::from_json(&text).unwrap();
        assert!(facts.called(Dim::Org, "o1") == "Acme" && !facts.names.is_empty());
        assert_eq!(
            facts.capabilities.currency.map(|currency| currency.code().to_owned()),
            Some("EUR".to_owned())
        );
        assert!(facts.capabilities.teams && facts.source.archive.is_some());
        assert_eq!(facts.budgets[0].used, Some(1250.1));
        assert_eq!(facts.to_json().unwrap(), text);
        // Earlier versions wrote one, of a month.
        let earlier =
            budget.replace("budgets", "budget").replace("[{\"period\"", "{\"month\"").replace("}],", "},");
        let facts = Facts::from_json(&text.replace(budget, &earlier)).unwrap();
        assert_eq!((facts.budgets[0].period.as_str(), facts.budgets.len()), ("2026-10", 1));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let told = |from: &str, to: &str| {
            let text = sample();
            assert!(text.contains(from), "{from}");
            Facts::from_json(&text.replacen(from, to, 1)).err().unwrap().to_string()
        };
        assert!(told("\"schema\": 1", "\"schema\": 2").contains("schema 2"));
        assert!(told("\"metric\":\"acus\"", "\"metric\":\"joy\"").contains("the metric \"joy\""));
        assert!(told("{\"day\":", "{\"moon\":").contains("by moon"));
        assert!(told("\"unit\":\"acu\"", "\"unit\":\"share\"").contains("the unit"));
        assert!(told("\"api\":\"v2\"", "\"api\":\"v9\"").contains("v9"));
        assert!(told("\"quality\"", "\"qualities\"").contains("unknown field"));
        assert!(told("\"n\":", "\"m\":").contains("unknown field"));
        assert!(Facts::from_json("<html>").is_err() && Facts::from_json("{}").is_err());
    }
}
