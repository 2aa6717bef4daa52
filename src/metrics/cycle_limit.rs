//! The limits of organisations: how many of the ACUs of a billing cycle are used, and where that is
//! heading.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::budget::forecast;
use super::period_frames::created_between;
use crate::cycle::{self, BudgetCycle};
use crate::tables::schema as c;

/// How much of an organisation's limit of a billing cycle is used.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CycleLimit {
    /// Id of the organisation.
    pub org: String,
    /// The days of the cycle, `2026-09-23_2026-10-22`.
    pub period: String,
    /// RFC 3339, in the zone: sessions created before this are included.
    pub until: String,
    /// The most ACUs that it may use in the cycle, when the report was made.
    pub limit: f64,
    /// Known ACUs of its sessions created in the cycle; 0 without a session.
    pub used: f64,
    /// ACUs at the end of the cycle at the pace so far, by the rule of budgets; null in its first
    /// five days, and where it was over when the report was made.
    pub forecast: Option<f64>,
}

impl CycleLimit {
    /// The share of the limit that is used; above 1 where it is exceeded.
    pub fn share(&self) -> f64 {
        self.used / self.limit
    }
}

/// The limits of a billing cycle, and how far its sessions are known.
pub struct LimitedCycle<'a> {
    /// The cycle.
    pub cycle: BudgetCycle,
    /// How far sessions are known.
    pub until: DateTime<Utc>,
    /// When the report is made: a cycle that is over by then has no forecast.
    pub now: DateTime<Utc>,
    /// The most ACUs in the cycle by the id of an organisation, more than 0 each.
    pub limits: &'a BTreeMap<String, f64>,
    /// The organisation that the report is about: sessions without one are its own. None for all.
    pub org: Option<&'a str>,
    /// The zone of the report.
    pub tz: Tz,
}

/// The use of each limit, by the id of its organisation.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn cycle_limits(sessions: &DataFrame, limited: &LimitedCycle<'_>) -> PolarsResult<Vec<CycleLimit>> {
    let LimitedCycle { cycle, now, .. } = limited;
    let until = limited.until.clamp(cycle.from, cycle.to);
    // In one piece, because a sum over several has other last digits.
    let mut within = created_between(sessions, cycle.from, until)?.select([c::ORG, c::ACUS])?;
    within.rechunk_mut();
    let used = |(place, org): (usize, &String)| {
        let mut is_own = col(c::ORG).eq(lit(org.as_str()));
        if limited.org == Some(org) {
            is_own = is_own.or(col(c::ORG).is_null());
        }
        // An organisation can be called as a column is.
        col(c::ACUS).filter(is_own).sum().alias(place.to_string())
    };
    let used: Vec<Expr> = limited.limits.keys().enumerate().map(used).collect();
    let used = within.lazy().select(used).collect()?;
    let row = |((org, limit), used): ((&String, &f64), &Column)| {
        let used = used.f64()?.get(0).expect("a sum of nothing is 0");
        Ok(CycleLimit {
            org: org.clone(),
            period: cycle.label.clone(),
            until: until.with_timezone(&limited.tz).to_rfc3339_opts(SecondsFormat::Secs, false),
            limit: *limit,
            used,
            forecast: forecast(used, cycle, until, *now),
        })
    };
    limited.limits.iter().zip(used.columns()).map(row).collect()
}

/// Whether the days of a cycle, and the moment up to which it is known, are such.
fn is_readable([period, until]: &[&str; 2]) -> bool {
    cycle::last_day(period).is_some() && DateTime::parse_from_rfc3339(until).is_ok()
}

/// What cannot be true of cycle limits that this program wrote, in words.
pub fn contradiction(limits: &[CycleLimit]) -> Option<&'static str> {
    let orgs: BTreeSet<&str> = limits.iter().map(|limit| limit.org.as_str()).collect();
    let cycles: BTreeSet<[&str; 2]> =
        limits.iter().map(|limit| [limit.period.as_str(), limit.until.as_str()]).collect();
    if limits.iter().any(|limit| limit.limit <= 0.0 || limit.used < 0.0) {
        Some("a cycle limit is not above 0, or its use is below 0")
    } else if orgs.len() < limits.len() {
        Some("an organisation has two cycle limits")
    } else if cycles.len() > 1 {
        Some("the cycle limits are of several cycles")
    } else if !cycles.iter().all(is_readable) {
        Some("the billing cycle of the limits cannot be read")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Limits of the cycle of 23 September over these sessions: moment, organisation and ACUs.
    fn used(
        sessions: &[(&str, Option<&str>, Option<f64>)],
        org: Option<&str>,
        [until, now]: [&str; 2],
    ) -> Vec<(String, f64, Option<f64>)> {
        let created = sessions.iter().map(|(created, _, _)| moment(created).timestamp_micros());
        let created = Series::new(c::CREATED.into(), created.collect::<Vec<i64>>());
        let orgs: Vec<Option<&str>> = sessions.iter().map(|(_, org, _)| *org).collect();
        let orgs =
            Series::new(c::ORG.into(), orgs).cast(&DataType::from_categories(Categories::global())).unwrap();
        let acus: Vec<Option<f64>> = sessions.iter().map(|(_, _, acus)| *acus).collect();
        let columns = vec![created.into(), orgs.into(), Series::new(c::ACUS.into(), acus).into()];
        let frame = DataFrame::new(sessions.len(), columns).unwrap();
        let cycle = BudgetCycle {
            label: "2026-09-23_2026-10-22".to_owned(),
            from: moment("2026-09-23T08:00:00Z"),
            to: moment("2026-10-23T08:00:00Z"),
        };
        let limits = [("a", 100.0), ("acus", 40.0), ("idle", 9.0)];
        let limited = LimitedCycle {
            cycle,
            until: moment(until),
            now: moment(now),
            limits: &limits.map(|(org, limit)| (org.to_owned(), limit)).into(),
            org,
            tz: Tz::UTC,
        };
        let found = cycle_limits(&frame, &limited).unwrap();
        assert!(found.iter().all(|row| row.period == "2026-09-23_2026-10-22"));
        found.into_iter().map(|row| (row.org, row.used, row.forecast)).collect()
    }

    const SESSIONS: [(&str, Option<&str>, Option<f64>); 8] = [
        ("2026-09-23T07:59:59Z", Some("a"), Some(64.0)),
        ("2026-09-23T08:00:00Z", Some("a"), Some(1.0)),
        ("2026-09-30T10:00:00Z", Some("acus"), Some(2.0)),
        ("2026-10-01T10:00:00Z", Some("unlimited"), Some(4.0)),
        ("2026-10-02T10:00:00Z", Some("a"), None),
        ("2026-10-03T10:00:00Z", None, Some(8.0)),
        ("2026-10-04T07:59:59Z", Some("a"), Some(16.0)),
        ("2026-10-04T08:00:00Z", Some("a"), Some(32.0)),
    ];

    #[test]
    fn sessions_of_the_cycle_up_to_the_last_moment_count() {
        let of = |org, until, now| used(&SESSIONS, org, [until, now]);
        let row = |org: &str, used: f64, forecast| (org.to_owned(), used, forecast);
        let eleven_days = "2026-10-04T08:00:00Z";
        // 11 of 30 days are over.
        let pace = |used: f64| Some(used / 11.0 * 30.0);
        let found = of(None, eleven_days, eleven_days);
        for (found, expected) in found.iter().zip([
            row("a", 17.0, pace(17.0)),
            row("acus", 2.0, pace(2.0)),
            row("idle", 0.0, Some(0.0)),
        ]) {
            assert_eq!((&found.0, found.1), (&expected.0, expected.1));
            assert!((found.2.unwrap() - expected.2.unwrap()).abs() < 1e-9, "{found:?} {expected:?}");
        }
        // A session without an organisation is that of the one that is asked about.
        assert_eq!(of(Some("a"), eleven_days, eleven_days)[0].1, 25.0);
        assert_eq!(of(Some("a"), eleven_days, eleven_days)[1].1, 2.0);
        // The report is made after the cycle, or before five days of it are over, or it is over.
        assert_eq!(of(None, eleven_days, "2026-10-23T08:00:00Z")[0], row("a", 17.0, None));
        assert_eq!(of(None, "2026-09-28T07:59:59Z", "2026-09-28T07:59:59Z")[0], row("a", 1.0, None));
        assert_eq!(of(None, "2026-10-23T08:00:00Z", "2026-10-23T08:00:00Z")[0], row("a", 49.0, None));
        assert_eq!(of(None, "2026-09-23T08:00:00Z", eleven_days)[0], row("a", 0.0, None));
    }

    #[test]
    fn limits_from_a_file_are_checked() {
        let limit = |org: &str| CycleLimit {
            org: org.to_owned(),
            period: "2026-09-23_2026-10-22".to_owned(),
            until: "2026-10-12T00:00:00+02:00".to_owned(),
            limit: 100.0,
            used: 0.0,
            forecast: None,
        };
        let said = |limits: &[CycleLimit]| contradiction(limits).unwrap_or_default();
        assert_eq!(said(&[limit("a"), limit("b")]), "");
        assert!(said(&[limit("a"), limit("a")]).contains("two cycle limits"));
        assert!(said(&[CycleLimit { limit: 0.0, ..limit("a") }]).contains("not above 0"));
        assert!(said(&[CycleLimit { used: -1.0, ..limit("a") }]).contains("below 0"));
        let other = CycleLimit { until: "later".to_owned(), ..limit("b") };
        assert!(said(&[limit("a"), other.clone()]).contains("several cycles"));
        assert!(said(&[other]).contains("cannot be read"));
        let odd = CycleLimit { period: "a while".to_owned(), ..limit("b") };
        assert!(said(&[odd]).contains("cannot be read"));
    }
}
