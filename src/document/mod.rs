//! The pure core: from sessions in columns to every file of a report, in memory.

mod labels;
mod limits;
mod money;
mod people;
mod vendor;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::cli::Format;
use crate::cycle::BudgetCycle;
use crate::error::Error;
use crate::logging::timed;
use crate::metrics::{
    self, Allowance, Bounds, Capabilities, Completeness, Dim, Evaluation, Fact, Facts, Findings, Labels,
    PeopleMode, ReportProfile, SCHEMA, SavedFiles, Source, Tool,
};
use crate::period::Period;
use crate::render::{self, RenderedFile};
use crate::report::{self, Report};
use crate::saved_pages::Saved;
use crate::settings::{Settings, SettingsError};
use crate::source::{Provenance, ReportInputs};
use crate::tables::Frames;
use crate::tables::exports::{self, ExportContext};
use devin_api::Records;

/// A finished report, still in memory.
pub struct Document {
    /// The name of its files, without extension.
    pub name: String,
    /// The page.
    pub html: String,
    /// Its facts …
    pub facts: Facts,
    /// … and `facts.json`.
    pub json: String,
    /// The exports that the settings ask for.
    pub exports: Vec<RenderedFile>,
    /// The same in a few lines of Markdown.
    pub summary: String,
    /// Its alerts in a few words each, without users and teams.
    pub alerts: Vec<String>,
    /// What was noticed about the input and does not make the report incomplete, a
    /// line each; the page shows it as well.
    pub notes: Vec<String>,
    /// What is amiss with the sessions, a line each.
    pub doubts: Vec<String>,
}

/// The pure core: sessions, other inputs and settings to the finished report.
///
/// # Errors
/// A defect in a metric, chart or template; never a state of the data.
pub fn compose(frames: &Frames, inputs: &ReportInputs, settings: &Settings) -> Result<Document, Error> {
    let whole = settings.team.is_some().then(|| whole(frames, inputs, settings)).transpose()?;
    compose_with_whole(frames, inputs, settings, whole.as_ref())
}

/// The facts of all sessions, for reports about teams with these settings.
///
/// # Errors
/// As [`compose`].
pub fn whole(frames: &Frames, inputs: &ReportInputs, settings: &Settings) -> Result<Facts, Error> {
    let all = Settings { team: None, ..settings.clone() };
    Ok(facts(frames, inputs, &all, None)?.facts)
}

/// [`compose`] where the facts of all sessions are known already.
///
/// # Errors
/// As [`compose`].
pub fn compose_with_whole(
    frames: &Frames,
    inputs: &ReportInputs,
    settings: &Settings,
    whole: Option<&Facts>,
) -> Result<Document, Error> {
    let MadeFacts { facts, notes, doubts } = facts(frames, inputs, settings, whole)?;
    let report = report::report(&facts);
    let exports = timed("exports", || exported(frames, inputs, &facts, &report, settings))?;
    Ok(Document {
        name: report.name.clone(),
        html: timed("page", || render::html(&report))?,
        json: facts.to_json(),
        facts,
        summary: render::markdown(&report),
        alerts: report.alerts.iter().map(|alert| alert.short.clone()).collect(),
        exports,
        notes,
        doubts,
    })
}

/// The exports that the settings ask for.
fn exported(
    frames: &Frames,
    inputs: &ReportInputs,
    facts: &Facts,
    report: &Report,
    settings: &Settings,
) -> Result<Vec<RenderedFile>, Error> {
    let mut files = Vec::new();
    if settings.exports.contains(&Format::Xlsx) {
        files.push(render::workbook(report)?);
    }
    if settings.exports.contains(&Format::Pdf) {
        files.push(timed("pdf", || render::pdf(report, settings.paper))?);
    }
    if settings.exports.contains(&Format::Csv) {
        files.extend(render::csv_files(facts)?);
    }
    if settings.exports.contains(&Format::Improvements) {
        files.push(render::improvements(report));
    }
    if settings.exports.contains(&Format::Parquet) {
        let context = ExportContext {
            periods: &settings.periods,
            tz: settings.period.tz(),
            names: &people::all_names(&inputs.people, settings),
            team: settings.team.as_deref(),
            prices: facts.prices.as_ref().filter(|_| facts.source.metered),
        };
        files.extend(render::parquet_files(exports::files(frames, &context)?));
    }
    Ok(files)
}

/// Facts, and what the terminal says of them.
struct MadeFacts {
    facts: Facts,
    notes: Vec<String>,
    doubts: Vec<String>,
}

/// The numbers of all sessions that a report about a team shows next to its own: those of which the report about
/// all sessions shows the team. In a covered one the difference of the two then rests on enough people.
fn shown_with(team: &str, whole: &Facts) -> Vec<Fact> {
    let is_shown = |fact: &&Fact| {
        let teams = whole.by(fact.metric, &[Dim::Team]);
        fact.group.is_empty() && teams.iter().any(|of_team| of_team.key(Dim::Team).flatten() == Some(team))
    };
    // In the compared period all others may have been fewer than five people.
    let masked = |fact: &Fact| match whole.is_covered() {
        true => Fact { previous: None, previous_n: 0.0, ..fact.clone() },
        false => fact.clone(),
    };
    whole.facts.iter().filter(is_shown).map(masked).collect()
}

/// Everything that the report shows, masked as its settings ask.
fn facts(
    frames: &Frames,
    inputs: &ReportInputs,
    settings: &Settings,
    whole: Option<&Facts>,
) -> Result<MadeFacts, Error> {
    let Provenance { records, ref stats, ref saved, .. } = inputs.provenance;
    let metered = metrics::is_metered(frames)?;
    // A walk that is proved was of the whole of its time, quiet or not.
    let reaches = |from: DateTime<Utc>, to: DateTime<Utc>| {
        saved.as_ref().is_none_or(|saved| saved.proved || saved.reach.covers(&(from..to)))
    };
    // Nothing proves that the pages of a walk are of a period that somebody chose, if all of their sessions
    // are later.
    let is_chosen = settings.period.previous().as_ref() != Some(&settings.previous);
    let is_known = |period: &Period| {
        let first = saved.as_ref().and_then(|saved| saved.first);
        let is_later = first.is_some_and(|first| first >= period.to().to_utc());
        !(is_chosen && *period == settings.previous && is_later)
    };
    let reached = settings
        .periods
        .iter()
        .map(|period| is_known(period) && reaches(period.from().to_utc(), period.to().to_utc()));
    let reached: Vec<bool> = reached.collect();
    // A period of which a part is missing would be a low point that means nothing.
    let is_reached = |place: &usize| reached.get(*place).is_some_and(|is_reached| *is_reached);
    let (own, earlier) = settings.points.split_first().expect("a trend has the report's period");
    let points: Vec<usize> =
        std::iter::once(*own).chain(earlier.iter().copied().take_while(is_reached)).collect();
    let capabilities = Capabilities {
        records,
        metered,
        // No rule for tags holds where there are none.
        teams: settings.team.is_none()
            && settings.tells_teams()
            && (records != Records::Export || settings.people.tells_teams()),
        currency: settings.money.as_ref().map(|money| money.prices.currency()),
        synced: inputs.provenance.archived.as_deref().and_then(|moment| moment.parse().ok()),
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
        points: &points,
        complete: settings.complete,
        reached: &reached,
        capabilities,
        prices: settings.money.as_ref().map(|money| &money.prices),
        allowance,
        cost_centres: settings.tells_cost_centres(),
        until: settings.query.to,
        members: inputs.people.count.filter(|_| !money::is_filtered(settings)),
        has_modes: metrics::has_modes(frames, &settings.period, settings.team.as_deref())?,
        covered: settings.privacy.covered,
        team: settings.team.as_deref(),
    };
    let Some(findings) = timed("metrics", || metrics::evaluate(frames, &evaluation))? else {
        return Err(too_few_people(settings).into());
    };
    let Findings { facts, quality, highlights, budgets, finance, withheld } = findings;
    let is_withheld = evaluation.allowance.is_some() && budgets.is_empty();
    let covered = settings.privacy.covered;
    let mut organisations = inputs.people.organisations.clone();
    if covered {
        let is_shown = |org: &str| {
            let is_asked = settings.query.org.as_deref() == Some(org);
            is_asked || facts.iter().any(|fact| fact.key(Dim::Org).flatten() == Some(org))
        };
        organisations.retain(|org, _| is_shown(org));
    }
    let (cycle_limits, left_out) = match metered {
        true => limits::cycle_limits(frames, inputs, settings)?,
        false => (Vec::new(), None),
    };
    let source = source(&inputs.provenance, &capabilities, inputs.no_match, settings);
    let mut doubts = report::warnings(&source);
    let beyond = saved.as_ref().filter(|_| !stats.complete);
    doubts.extend(beyond.and_then(|saved| report::beyond_export(saved, &settings.period)));
    let no_match = inputs.no_match.then(|| "no session matches the filters".to_owned());
    let own: Vec<String> = no_match
        .into_iter()
        .chain(inputs.notes.iter().cloned())
        .chain(money::unpriced(settings, metered))
        .chain(money::unbudgeted(settings, &unreached, is_withheld))
        .chain(left_out)
        .chain(money::uncentred(settings))
        .chain(people::unmatched(frames, &inputs.people, settings)?)
        .collect();
    let user = people::names(&facts, &inputs.people, settings);
    let notices = saved.iter().flat_map(|saved| report::saved_notices(saved, &settings.periods, covered));
    let mut facts = Facts {
        schema: SCHEMA,
        tool: Tool::acumen(),
        generated_at: settings.now.to_rfc3339_opts(SecondsFormat::Secs, true),
        period: Bounds {
            tz: Some(settings.period.tz().name().to_owned()),
            complete: Some(settings.complete),
            ..bounds(&settings.period)
        },
        previous: bounds(&settings.previous),
        trend: points.iter().filter_map(|place| settings.periods.get(*place)).map(Period::label).collect(),
        source: if covered { without_rows(source) } else { source },
        quality,
        vendor: vendor::totals(&inputs.vendor),
        alerts: Vec::new(),
        notices: notices.collect(),
        notes: [inputs.people.notes.as_slice(), &own].concat(),
        withheld,
        prices: settings.money.as_ref().map(|money| money.prices.clone()),
        budgets,
        cycle_limits,
        finance,
        labels: Labels { org: organisations, user },
        highlights,
        whole: whole
            .zip(settings.team.as_deref())
            .map_or_else(Vec::new, |(whole, team)| shown_with(team, whole)),
        facts,
    };
    if covered {
        facts.vendor = facts.vendor.take().map(|vendor| vendor::masked(vendor, &facts));
        // A covered report knows of labels what its facts say.
        facts.highlights.labels = labels::labels(&facts);
    }
    // After everything that is to be hidden is.
    facts.alerts = metrics::alerts(&facts, &settings.alerts);
    let idle = metrics::idle_alerts(&facts, &settings.alerts).into_iter().map(idle_alert);
    let notes = own.into_iter().chain(report::export_limits(records)).chain(idle).collect();
    Ok(MadeFacts { facts, notes, doubts })
}

/// What the terminal says of a rule that compares nothing: its group may be misspelt.
fn idle_alert(line: usize) -> String {
    format!("the alert in line {line} of the settings file matches no number of this report")
}

/// Where the sessions come from, unmasked.
fn source(
    provenance: &Provenance,
    capabilities: &Capabilities,
    no_match: bool,
    settings: &Settings,
) -> Source {
    let Provenance { records, stats, saved, archived } = provenance;
    let is_proven = saved.as_ref().is_none_or(|saved| saved.proved);
    let completeness = match (stats.complete, is_proven) {
        (false, _) => Completeness::Incomplete,
        (true, false) => Completeness::Unproven,
        (true, true) => Completeness::Proven,
    };
    let files = |saved: &Saved| SavedFiles {
        files: saved.files,
        other_files: saved.left_out,
        declared: saved.reach.declared().iter().map(|time| [time.start, time.end]).collect(),
        first: saved.first,
        last: saved.last,
    };
    Source {
        records: *records,
        scope: settings.scope().to_owned(),
        demo: settings.demo,
        metered: capabilities.metered,
        teams: capabilities.teams,
        tags: settings.query.tags.clone(),
        users: settings.query.users.clone(),
        team: settings.team.clone(),
        people: settings.privacy.covered.then_some(PeopleMode::Hidden),
        profile: settings.privacy.leadership.then_some(ReportProfile::Leadership),
        archive: archived.clone(),
        saved: saved.as_ref().map(files),
        no_match,
        completeness,
        requests: stats.requests,
        retries: stats.retries,
        pages: Some(stats.pages),
        received: Some(stats.received),
        unique: Some(stats.unique),
        duplicates: Some(stats.duplicates),
        outside: Some(stats.outside),
        rejected: Some(stats.rejected),
        naive_times: Some(stats.naive_times),
    }
}

/// The same without what a covered report hides: counts of rows, and moments of single sessions.
fn without_rows(source: Source) -> Source {
    Source {
        pages: None,
        received: None,
        unique: None,
        duplicates: None,
        outside: None,
        rejected: None,
        naive_times: None,
        saved: source.saved.map(|saved| SavedFiles { first: None, last: None, ..saved }),
        ..source
    }
}

/// Why a covered report is refused.
fn too_few_people(settings: &Settings) -> SettingsError {
    let narrowed = if settings.query.tags.is_empty() { "" } else { ", or omit --tag" };
    SettingsError::new(
        format!(
            "fewer than five people were active in {} ({}): a report that hides people would reveal them",
            settings.period.name().to_lowercase(),
            settings.period.dates_in_words()
        ),
        format!("choose a longer period, such as --month or --quarter{narrowed}"),
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
