//! Sessions that are loaded once for several reports.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::filters;
use super::{
    Cycles, Loaded, Provenance, ReportInputs, api, in_period, kept, shown_people, shows_limits, users,
    with_cycles,
};
use crate::cli::Format;
use crate::error::Error;
use crate::settings::{Privacy, Settings, Source};
use crate::tables::SessionFilter;
use crate::thread_pool;
use devin_api::{ApiConfig, Limits, Progress, SessionQuery, Vendor};

/// What several reports are made from.
pub enum Shared {
    /// One fetch from the API.
    Fetched(Box<Fetched>),
    /// Files: each report reads what it needs.
    OnDisk,
}

/// One fetch from the API, of all sessions that any of the reports needs.
pub struct Fetched {
    config: ApiConfig,
    loaded: Loaded,
    /// The vendor's billing cycles, if a report asks for them.
    cycles: Cycles,
    /// The vendor's own counts of the periods that were asked about.
    vendor: Vec<(Range<DateTime<Utc>>, Vendor)>,
}

impl Shared {
    /// Loads what the reports with these settings need: from the API in one fetch, whatever their filters.
    ///
    /// # Errors
    /// The sessions cannot be fetched.
    pub async fn load(
        all: &[Settings],
        limits: &Limits,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, Error> {
        let first = all.first().expect("a run has a report");
        let Source::Api { config, save_pages, .. } = &first.source else { return Ok(Self::OnDisk) };
        let asking = all.iter().find(|settings| settings.asks_for_cycles());
        let cycles = match asking {
            Some(settings) => devin_api::cycles(config, &settings.query).await,
            None => Ok(Vec::new()),
        };
        let all: Vec<Settings> = all.iter().map(|settings| with_cycles(settings, cycles.clone()).0).collect();
        let mut loaded = api::load(&union(&all), config, save_pages.as_deref(), limits, progress).await?;
        loaded.pages.take().map_or(Ok(()), crate::deliver::PagesWriter::finish)?;
        let config = (**config).clone();
        Ok(Self::Fetched(Box::new(Fetched { config, loaded, cycles, vendor: Vec::new() })))
    }

    /// The sessions of one of the reports, and all else that it needs.
    ///
    /// # Errors
    /// The sessions cannot be loaded, or none of them matches the filters.
    pub async fn of(
        &mut self,
        settings: &Settings,
        limits: &Limits,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Loaded, Error> {
        match self {
            Self::OnDisk => super::load(settings, limits, progress).await,
            Self::Fetched(fetched) => fetched.of(settings).await,
        }
    }
}

impl Fetched {
    async fn of(&mut self, typed: &Settings) -> Result<Loaded, Error> {
        let (settings, notes) = with_cycles(typed, self.cycles.clone());
        let people = &self.loaded.inputs.people;
        let settings = users::resolved(&settings, Some(people))?;
        let kept = kept(&settings, Some(people));
        let (query, all) = (settings.query.clone(), self.loaded.tables.clone());
        let has_prompts = settings.privacy.prompts;
        let filtered = thread_pool::run(move || {
            let SessionQuery { from, to, tags, users, .. } = &query;
            let created = from.timestamp_micros()..to.timestamp_micros();
            // The scope is that of the fetch.
            let tables = all.wanted(&SessionFilter { created, org: None, tags, users })?;
            if has_prompts { Ok(tables) } else { tables.without_prompts() }
        });
        let tables = filtered.await??;
        let SessionQuery { tags, users, .. } = &settings.query;
        let Provenance { records, ref stats, .. } = self.loaded.inputs.provenance;
        let no_match =
            tables.sessions.height() == 0 && stats.complete && filters::are_given(&settings, false);
        if no_match && !settings.allow_empty {
            return Err(filters::refusal(typed, users, None, people).into());
        }
        let provenance = Provenance { records, stats: stats.clone(), saved: None, archived: None };
        let people = shown_people(people.clone(), &settings);
        let vendor = match tags.is_empty() && users.is_empty() {
            true => self.vendor(&settings).await,
            false => Vendor::default(),
        };
        let limits = shows_limits(&settings, &people).then(|| self.loaded.inputs.limit_cycles.clone());
        let inputs =
            ReportInputs { provenance, vendor, people, no_match, notes, limit_cycles: limits.flatten() };
        Ok(Loaded { settings, tables, kept, inputs, pages: None })
    }

    /// The vendor's own counts of the report's period; each period is asked about once.
    async fn vendor(&mut self, settings: &Settings) -> Vendor {
        let period = in_period(settings);
        if let Some((_, vendor)) =
            self.vendor.iter().find(|(known, _)| settings.reconcile && *known == period)
        {
            return vendor.clone();
        }
        let vendor = api::vendor(&self.config, settings).await;
        if settings.reconcile {
            self.vendor.push((period, vendor.clone()));
        }
        vendor
    }
}

/// One fetch for all: of all their windows, without filters, with the texts that any of them shows.
fn union(all: &[Settings]) -> Settings {
    let earliest = all.iter().min_by_key(|settings| settings.period.first()).expect("a run has a report");
    let from = all.iter().map(|settings| settings.query.from).min().expect("a run has a report");
    let to = all.iter().map(|settings| settings.query.to).max().expect("a run has a report");
    let any = |is: fn(&Settings) -> bool| all.iter().any(is);
    let in_full = any(|settings| settings.exports.contains(&Format::Parquet));
    Settings {
        query: SessionQuery { from, to, tags: Vec::new(), users: Vec::new(), ..earliest.query.clone() },
        exports: if in_full { vec![Format::Parquet] } else { Vec::new() },
        privacy: Privacy {
            covered: !any(|settings| !settings.privacy.covered),
            leadership: false,
            prompts: any(|settings| settings.privacy.prompts),
        },
        reconcile: false,
        allow_empty: true,
        // The windows already reach back to the billing cycles.
        cycles: Vec::new(),
        team: None,
        ..earliest.clone()
    }
}
