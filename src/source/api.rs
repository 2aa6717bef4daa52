//! Sessions from the API, with proof that they are all of them.

use std::ops::Range;
use std::path::Path;

use super::{
    Loaded, Provenance, ReportInputs, days, filters, in_period, kept, shows_limits, users, with_cycles,
};
use crate::deliver::PagesWriter;
use crate::error::Error;
use crate::settings::Settings;
use crate::tables::TablesBuilder;
use crate::thread_pool;
use devin_api::{ApiConfig, Limits, PageEvent, People, Progress, Records, SessionQuery, Vendor};

/// Loads sessions from the API; its answers are saved in a folder if one is named.
///
/// # Errors
/// A request fails for good, completeness cannot be proved, or no session matches the filters.
pub(super) async fn load(
    settings: &Settings,
    config: &ApiConfig,
    save_pages: Option<&Path>,
    limits: &Limits,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Loaded, Error> {
    let mut pages = save_pages.map(PagesWriter::begin).transpose()?;
    let cycles = match settings.asks_for_cycles() {
        true => Some(devin_api::cycles(config, &settings.query).await),
        false => None,
    };
    let (settings, notes) = with_cycles(settings, cycles.clone().unwrap_or_else(|| Ok(Vec::new())));
    // Emails tell teams and cost centres, and names users, while the sessions come; else names can wait
    // until they are there.
    let is_assigned = settings.tells_teams() || settings.tells_cost_centres();
    let by_email = is_assigned && settings.people.needs_emails();
    let is_early = by_email || !settings.query.users.is_empty();
    let early = if is_early { Some(devin_api::people(config, &settings.query).await) } else { None };
    let typed = settings;
    let settings = users::resolved(&typed, early.as_ref())?;
    let kept = kept(&settings, early.as_ref());
    let empty = || TablesBuilder::new(kept.texts);
    let mut builder = empty();
    let mut deliver = |event: PageEvent<'_>| match event {
        PageEvent::Restart => {
            builder = empty();
            pages.iter_mut().for_each(PagesWriter::restart);
        }
        PageEvent::Answer { place, body } => pages.iter_mut().for_each(|pages| pages.add(place, body)),
        PageEvent::Page(rows) => builder.push(rows),
    };
    let stats = devin_api::fetch_within(config, &settings.query, limits, &mut deliver, progress).await?;
    let tables = thread_pool::run(move || builder.finish()).await??;
    // An incomplete walk says nothing about the filters.
    let no_match = stats.unique == 0 && stats.complete && filters::are_given(&settings, false);
    if no_match && !settings.allow_empty {
        let nobody = People::default();
        let people = early.as_ref().unwrap_or(&nobody);
        return Err(filters::refusal(&typed, &settings.query.users, None, people).into());
    }
    let vendor = vendor(config, &settings).await;
    let people = match early {
        Some(people) => people,
        None if !settings.privacy.covered => devin_api::people(config, &settings.query).await,
        None => devin_api::organisations(config, &settings.query).await,
    };
    let limit_cycles = match (shows_limits(&settings, &people), cycles) {
        (false, _) => None,
        (true, Some(cycles)) => Some(cycles),
        (true, None) => Some(devin_api::cycles(config, &settings.query).await),
    };
    // The pages of a walk that is not whole must not be taken for whole one day.
    let pages = pages.filter(|_| stats.complete);
    let provenance = Provenance { records: Records::Api(config.api), stats, saved: None, archived: None };
    let inputs = ReportInputs { provenance, vendor, people, no_match, notes, limit_cycles };
    Ok(Loaded { settings, tables, kept, inputs, pages })
}

/// The vendor's own counts of the report's period, unless they are not wanted.
pub(super) async fn vendor(config: &ApiConfig, settings: &Settings) -> Vendor {
    if !settings.reconcile {
        return Vendor::default();
    }
    // The trend is not asked about.
    let Range { start: from, end: to } = in_period(settings);
    let period = SessionQuery { from, to, ..settings.query.clone() };
    devin_api::vendor(config, &period, Some(days(settings))).await
}
