//! The pure core: from sessions in columns to every file of a report, in memory.

mod money;
mod people;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::cli::Format;
use crate::cycle::BudgetCycle;
use crate::error::Error;
use crate::export;
use crate::logging::timed;
use crate::metrics::{self, Allowance, Bounds, Capabilities, Dim, Evaluation, Facts, Findings, Source};
use crate::period::Period;
use crate::report::{self, ReportContext};
use crate::settings::{Settings, SettingsError};
use crate::source::{Provenance, ReportInputs};
use crate::tables::{Frames, exports};
use devin_api::Records;

/// A finished report, still in memory.
pub struct Document {
    /// The page.
    pub html: String,
    /// `facts.json`.
    pub json: String,
    /// The exports that the settings ask for.
    pub exports: Vec<export::ExportFile>,
    /// The same in a few lines of Markdown.
    pub summary: String,
    /// What was noticed about the input and does not make the report incomplete, a
    /// line each; the page shows it as well.
    pub notes: Vec<String>,
}

/// The pure core: sessions, other inputs and settings to the finished report.
///
/// # Errors
/// A defect in a metric, chart or template; never a state of the data.
pub fn compose(frames: &Frames, inputs: &ReportInputs, settings: &Settings) -> Result<Document, Error> {
    let Provenance { records, ref stats, ref saved, ref archived } = inputs.provenance;
    let metered = metrics::is_metered(frames)?;
    // A walk that is proved was of the whole of its time, quiet or not.
    let reaches = |from: DateTime<Utc>, to: DateTime<Utc>| {
        saved.as_ref().is_none_or(|saved| saved.proved || saved.reach.covers(&(from..to)))
    };
    let reached: Vec<bool> =
        settings.periods.iter().map(|period| reaches(period.from().to_utc(), period.to().to_utc())).collect();
    // A period of which a part is missing would be a low point that means nothing.
    let points =
        1 + reached.iter().take(settings.points).skip(1).take_while(|is_reached| **is_reached).count();
    let capabilities = Capabilities {
        records,
        metered,
        // No rule for tags holds where there are none.
        teams: settings.tells_teams() && (records != Records::Export || settings.people.tells_teams()),
        currency: settings.money.as_ref().map(|money| money.prices.currency()),
    };
    let budget = settings.money.as_ref().and_then(|money| money.budget);
    let is_reached = |cycle: &BudgetCycle| metered && reaches(cycle.from, cycle.to.min(settings.query.to));
    let cycles: Vec<BudgetCycle> =
        settings.cycles.iter().filter(|cycle| is_reached(cycle)).cloned().collect();
    let unreached: Vec<&BudgetCycle> =
        settings.cycles.iter().filter(|cycle| metered && !is_reached(cycle)).collect();
    let allowance = budget.filter(|_| !cycles.is_empty()).map(|amount| Allowance {
        cycles,
        until: settings.query.to,
        now: settings.now,
        amount,
    });
    let evaluation = Evaluation {
        periods: &settings.periods,
        points,
        complete: settings.complete,
        reached: &reached,
        capabilities,
        prices: settings.money.as_ref().map(|money| &money.prices),
        allowance,
        covered: settings.privacy.covered,
    };
    let Some(findings) = timed("metrics", || metrics::evaluate(frames, &evaluation))? else {
        return Err(too_few_people(settings).into());
    };
    let Findings { facts, quality, highlights, budgets, withheld } = findings;
    let is_withheld = evaluation.allowance.is_some() && budgets.is_empty();
    let mut organisations = inputs.people.organisations.clone();
    if settings.privacy.covered {
        let is_shown = |org: &str| {
            let is_asked = settings.query.org.as_deref() == Some(org);
            is_asked || facts.iter().any(|fact| fact.key(Dim::Org).flatten() == Some(org))
        };
        organisations.retain(|org, _| is_shown(org));
    }
    let facts = Facts {
        generated_at: settings.now.to_rfc3339_opts(SecondsFormat::Secs, true),
        period: Bounds {
            tz: Some(settings.period.tz().name().to_owned()),
            complete: Some(settings.complete),
            ..bounds(&settings.period)
        },
        previous: bounds(&settings.previous),
        source: Source {
            records,
            metered,
            scope: settings.scope().to_owned(),
            tags: settings.query.tags.clone(),
            users: settings.query.users.clone(),
            people: settings.privacy.covered.then_some("hidden"),
            profile: settings.privacy.leadership.then_some("leadership"),
            archive: archived.clone(),
            no_match: inputs.no_match,
            proved: saved.as_ref().is_none_or(|saved| saved.proved),
            stats: stats.clone(),
        },
        quality,
        budgets,
        capabilities,
        names: people::names(&facts, &inputs.people, settings),
        organisations,
        withheld,
        facts,
    };
    // A covered report knows of labels what its facts say.
    let highlights = if settings.privacy.covered { report::email::labels(&facts) } else { highlights };
    let empty = inputs.no_match.then(|| "no session matches the filters".to_owned());
    let own: Vec<String> = empty
        .into_iter()
        .chain(inputs.notes.iter().cloned())
        .chain(money::unpriced(settings, metered))
        .chain(money::unbudgeted(settings, &unreached, is_withheld))
        .chain(people::unmatched(frames, &inputs.people, settings)?)
        .collect();
    let notes = [inputs.people.notes.as_slice(), &own].concat();
    let run = ReportContext {
        periods: &settings.periods,
        points,
        organisation: settings.query.org.as_deref().map(|org| facts.called(Dim::Org, org)),
        fetched: report::fetched(&facts, settings.period.tz()),
        tags: &settings.query.tags,
        users: &settings.query.users,
        prices: settings.money.as_ref().map(|money| &money.prices),
        vendor: &inputs.vendor,
        notes: &notes,
        saved: saved.as_ref(),
        demo: settings.demo,
    };
    let mut exports = timed("exports", || export::files(&settings.exports, &facts, &highlights, &run))?;
    if settings.exports.contains(&Format::Parquet) {
        exports.extend(export::parquet_files(exports::files(frames, &settings.periods)?));
    }
    Ok(Document {
        html: timed("page", || report::render(&facts, &highlights, &run))?,
        json: facts.to_json()?,
        exports,
        summary: report::markdown(&facts, &highlights, &run),
        notes: own.into_iter().chain(report::export_limits(records)).collect(),
    })
}

/// Why a covered report is refused.
fn too_few_people(settings: &Settings) -> SettingsError {
    let narrowed = if settings.query.tags.is_empty() { "" } else { ", or leave --tag out" };
    SettingsError::new(
        format!(
            "fewer than five people were at work in {} ({}): a report that hides people would tell of each",
            settings.period.name().to_lowercase(),
            settings.period.dates_in_words()
        ),
        format!("ask for a longer period, such as --month or --quarter{narrowed}"),
    )
}

fn bounds(period: &Period) -> Bounds {
    let text = |moment: chrono::DateTime<_>| moment.to_rfc3339_opts(SecondsFormat::Secs, false);
    Bounds {
        label: period.label(),
        from: text(period.from()),
        to: text(period.to()),
        tz: None,
        complete: None,
    }
}
