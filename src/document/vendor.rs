//! The vendor's totals, as far as a report may show them.

use crate::metrics::{
    ACUS, Facts, Metric, MissingTotal, PRS, PRS_MERGED, SESSIONS, SESSIONS_WITH_MERGED_PR, VendorTotals,
};
use devin_api::{Consumption, Counts, Vendor};

/// The vendor's totals of a period; `None` where it was not asked.
pub fn totals(vendor: &Vendor) -> Option<VendorTotals> {
    let missing = |(what, reason): &(&'static str, String)| MissingTotal {
        what: (*what).to_owned(),
        reason: reason.clone(),
    };
    (*vendor != Vendor::default()).then(|| VendorTotals {
        counts: vendor.counts.clone(),
        consumption: vendor.days.as_ref().map(|days| Consumption::sum(days.values())),
        missing: vendor.missing.iter().map(missing).collect(),
    })
}

/// What a covered report may show of the vendor's totals: nothing that it withholds itself, and
/// no count of a small group.
pub fn masked(vendor: VendorTotals, facts: &Facts) -> VendorTotals {
    let counts = vendor.counts;
    let shows = |metric: &Metric| !facts.withholds(metric, &[]);
    let of_acus = shows(&ACUS);
    let counts = Counts {
        sessions: counts.sessions.filter(|_| shows(&SESSIONS)),
        with_merged_pr: counts.with_merged_pr.filter(|_| shows(&SESSIONS_WITH_MERGED_PR)),
        acus_per_session: counts.acus_per_session.filter(|_| of_acus),
        pull_requests: counts.pull_requests.filter(|_| shows(&PRS)),
        merged: counts.merged.filter(|_| shows(&PRS_MERGED)),
        ..Counts::default()
    };
    VendorTotals { counts, consumption: vendor.consumption.filter(|_| of_acus), ..vendor }
}
