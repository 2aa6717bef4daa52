//! How much of the organisations' limits of a billing cycle is used, or why that is not known.

use chrono::TimeDelta;

use crate::cycle::{self, BudgetCycle};
use crate::metrics::{self, CycleLimit, LimitedCycle, MetricsError};
use crate::settings::Settings;
use crate::source::ReportInputs;
use crate::tables::Frames;

/// The use of each limit in the billing cycle of the report's last moment, and a note where it is left
/// out. Neither where the report shows no limits.
///
/// # Errors
/// Polars refused a step: an internal error.
pub fn cycle_limits(
    frames: &Frames,
    inputs: &ReportInputs,
    settings: &Settings,
) -> Result<(Vec<CycleLimit>, Option<String>), MetricsError> {
    let cycle = match known_cycle(inputs, settings) {
        Ok(Some(cycle)) => cycle,
        Ok(None) => return Ok((Vec::new(), None)),
        Err(why) => {
            let note = format!("the use of the organisations' cycle limits is left out: {why}");
            return Ok((Vec::new(), Some(note)));
        }
    };
    let limited = LimitedCycle {
        cycle,
        until: settings.query.to,
        now: settings.now,
        limits: &inputs.people.cycle_limits,
        org: settings.query.org.as_deref(),
        tz: settings.period.tz(),
    };
    Ok((metrics::cycle_limits(frames, &limited)?, None))
}

/// The billing cycle of the last moment, if its sessions are known from its start on; `None` where
/// the report shows no limits.
///
/// # Errors
/// Why there is none, in a few words.
fn known_cycle(inputs: &ReportInputs, settings: &Settings) -> Result<Option<BudgetCycle>, String> {
    let Some(cycles) = &inputs.limit_cycles else { return Ok(None) };
    let cycles =
        cycles.as_ref().map_err(|why| format!("Devin's billing cycles are not available ({why})"))?;
    let (end, tz) = (settings.query.to, settings.period.tz());
    let last = end - TimeDelta::microseconds(1);
    let found = cycle::from_vendor(cycles, &(last..end), tz).and_then(|mut found| found.pop());
    let Some(cycle) = found else {
        let day = last.with_timezone(&tz).format("%-d %B %Y");
        return Err(format!("Devin reports no billing cycle that contains {day}"));
    };
    if cycle.from < settings.query.from {
        let name = cycle::name(&cycle.label);
        return Err(format!(
            "the report has no sessions from the first days of {name}; use a longer --trend"
        ));
    }
    Ok(Some(cycle))
}
