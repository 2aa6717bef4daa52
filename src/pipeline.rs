//! The only file that sees every stage:
//! fetch or archive -> frames -> facts -> charts -> report -> exports -> mail -> deliver.

mod filters;
mod money;
mod people;
mod source;
mod sync;

use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::cli::Format;
use crate::cycle::Cycle;
use crate::deliver::{self, Pages, Receipt};
use crate::error::Error;
use crate::export;
use crate::fetch::{Ledger, Limits, People, Progress, Records, Saved, Vendor};
use crate::mail::{self, Attachment, Mail, MailError};
use crate::metrics::{self, Allowance, Bounds, Capabilities, Dim, Evaluation, Facts, Findings, Source};
use crate::period::Period;
use crate::report::{self, Run};
use crate::settings::mail::{Attach, Mail as MailSettings};
use crate::settings::{Settings, SettingsError};
use crate::tables::{Frames, exports};
use crate::text::shown;
use source::Taken;
pub use sync::{Synced, sync};

/// A finished report, still in memory.
pub struct Document {
    /// The page.
    pub html: String,
    /// `facts.json`.
    pub json: String,
    /// The exports that the settings ask for.
    pub exports: Vec<export::File>,
    /// The same in a few lines of Markdown.
    pub summary: String,
    /// What was noticed about the input and does not make the report incomplete, a
    /// line each; the page shows it as well.
    pub notes: Vec<String>,
}

/// A finished report and its place: all that is left is to write it.
pub struct Prepared {
    document: Document,
    doubts: Vec<String>,
    folder: PathBuf,
    name: String,
    /// The rights of the files.
    mode: u32,
    /// The answers of the run, where they are to be kept.
    pages: Option<Pages>,
    /// The file that the summary is appended to, where one is named.
    summary: Option<PathBuf>,
}

/// Fetches, works out and draws one report. Nothing of it is on disk yet, so
/// the run can be given up at any moment until this returns.
///
/// # Errors
/// The first stage that fails.
pub async fn prepare(
    settings: &Settings,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Prepared, Error> {
    prepare_within(settings, &Limits::default(), progress).await
}

/// [`prepare`] with a fetch within other limits than those of a real run.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_within(
    settings: &Settings,
    limits: &Limits,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Prepared, Error> {
    deliver::check(&settings.out, settings.mode)?;
    settings.summary.as_deref().map_or(Ok(()), deliver::check_append)?;
    let taken = match (&settings.pages, &settings.archive) {
        (Some(_), _) => source::read(settings, progress).await?,
        (_, Some(_)) => {
            let settings = settings.clone();
            blocking(move || source::archived(&settings)).await?
        }
        _ => source::asked(settings, limits, progress).await?,
    };
    let Taken { settings, tables, kept, ledger, pages, saved, vendor, people, archived, no_match, notes } =
        taken;
    let way = match (&saved, archived.is_some()) {
        (_, true) => report::Way::Archive,
        (Some(saved), _) if saved.records == Records::Export => report::Way::Export,
        _ => report::Way::Pages,
    };
    let mut doubts = report::doubts(&ledger, &settings.question.tags, way);
    let beyond = saved.as_ref().filter(|_| !ledger.complete);
    doubts.extend(beyond.and_then(|saved| report::beyond(saved, &settings.period)));
    let beside = Beside { vendor, people, saved, archived, no_match, notes };
    let owned = settings.clone();
    let work = move || {
        let frames = Frames::new(tables, kept.texts.from, kept.teams.as_ref())?;
        let lost = (frames.unreadable()?, frames.without_acus()?, frames.without_address()?);
        Ok((lost, compose(&frames, ledger, &beside, &owned)?))
    };
    let ((fields, acus, addresses), document) = blocking(work).await?;
    doubts.extend(report::unreadable(fields));
    doubts.extend(report::without_acus(acus));
    doubts.extend(report::without_address(addresses));
    let label = settings.period.label();
    // A narrower question must not take the place of the whole organisation's report.
    let filters = [settings.question.tags.as_slice(), &settings.question.users].concat().join("+");
    // Nor may a report with names take the place of one without.
    let privacy = &settings.privacy;
    let shown = match (privacy.leadership, privacy.covered) {
        (true, _) => "leadership",
        (_, true) => "hidden",
        _ => "",
    };
    let parts: Vec<&str> =
        [settings.scope(), &label, &filters, shown].into_iter().filter(|part| !part.is_empty()).collect();
    let name = deliver::file_name(&parts);
    let (folder, summary) = (settings.out.clone(), settings.summary.clone());
    Ok(Prepared { document, doubts, folder, name, mode: settings.mode, pages, summary })
}

/// Work that keeps a core busy: meanwhile the runtime stays free for signals.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Panicked)?
}

impl Prepared {
    /// What is amiss with the data, a line each: for whoever does not read the page.
    pub fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// What was noticed about the input and does not make the report incomplete.
    pub fn notes(&self) -> &[String] {
        &self.document.notes
    }

    /// The rights of the files that [`deliver`](Self::deliver) writes.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// Writes the report, and its summary once it stands; neither must be cut
    /// short: a signal waits.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn deliver(self) -> Result<Receipt, Error> {
        let Document { html, json, summary, exports, .. } = &self.document;
        // First, so that a report that stands can be made again.
        self.pages.map_or(Ok(()), Pages::finish)?;
        let receipt = deliver::write(&self.folder, &self.name, html, json, exports, self.mode)?;
        if let Some(path) = &self.summary {
            deliver::append(path, summary, self.mode)?;
        }
        Ok(receipt)
    }
}

/// What a report needs besides the sessions.
pub struct Beside {
    /// The vendor's own counts.
    pub vendor: Vendor,
    /// Whom the ids in sessions belong to, by the API's lists.
    pub people: People,
    /// The saved pages that the sessions come from, where nobody was asked.
    pub saved: Option<Saved>,
    /// When the archive was brought up to date that they come from, RFC 3339.
    pub archived: Option<String>,
    /// No session matches the filters.
    pub no_match: bool,
    /// What else was noticed on the way.
    pub notes: Vec<String>,
}

/// The pure core: frames, ledger, what stands beside them and settings to the finished report.
///
/// # Errors
/// A defect in a metric, chart or template; never a state of the data.
pub fn compose(
    frames: &Frames,
    ledger: Ledger,
    beside: &Beside,
    settings: &Settings,
) -> Result<Document, Error> {
    let records = beside.saved.as_ref().map_or(Records::Api(settings.question.api), |saved| saved.records);
    let metered = metrics::is_metered(frames)?;
    // A walk that is proved was of the whole of its time, quiet or not.
    let reaches = |from: DateTime<Utc>, to: DateTime<Utc>| {
        beside.saved.as_ref().is_none_or(|saved| saved.proved || saved.reach.covers(&(from..to)))
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
    let is_reached = |cycle: &Cycle| metered && reaches(cycle.from, cycle.to.min(settings.question.to));
    let cycles: Vec<Cycle> = settings.cycles.iter().filter(|cycle| is_reached(cycle)).cloned().collect();
    let unreached: Vec<&Cycle> =
        settings.cycles.iter().filter(|cycle| metered && !is_reached(cycle)).collect();
    let allowance = budget.filter(|_| !cycles.is_empty()).map(|amount| Allowance {
        cycles,
        until: settings.question.to,
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
    let Some(findings) = metrics::evaluate(frames, &evaluation)? else {
        return Err(too_few_people(settings).into());
    };
    let Findings { facts, quality, highlights, budgets, withheld } = findings;
    let is_withheld = evaluation.allowance.is_some() && budgets.is_empty();
    let mut organisations = beside.people.organisations.clone();
    if settings.privacy.covered {
        let is_shown = |org: &str| {
            let is_asked = settings.question.org.as_deref() == Some(org);
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
            tags: settings.question.tags.clone(),
            users: settings.question.users.clone(),
            people: settings.privacy.covered.then_some("hidden"),
            profile: settings.privacy.leadership.then_some("leadership"),
            archive: beside.archived.clone(),
            no_match: beside.no_match,
            proved: beside.saved.as_ref().is_none_or(|saved| saved.proved),
            ledger,
        },
        quality,
        budgets,
        capabilities,
        names: people::names(&facts, &beside.people, settings),
        organisations,
        withheld,
        facts,
    };
    // A covered report knows of labels what its facts say.
    let highlights = if settings.privacy.covered { report::labels(&facts) } else { highlights };
    let empty = beside.no_match.then(|| "no session matches the filters".to_owned());
    let own: Vec<String> = empty
        .into_iter()
        .chain(beside.notes.iter().cloned())
        .chain(money::unpriced(settings, metered))
        .chain(money::unbudgeted(settings, &unreached, is_withheld))
        .chain(people::unmatched(frames, &beside.people, settings)?)
        .collect();
    let notes = [beside.people.notes.as_slice(), &own].concat();
    let run = Run {
        periods: &settings.periods,
        points,
        organisation: settings.question.org.as_deref().map(|org| facts.called(Dim::Org, org)),
        fetched: report::fetched(&facts, settings.period.tz()),
        tags: &settings.question.tags,
        users: &settings.question.users,
        prices: settings.money.as_ref().map(|money| &money.prices),
        vendor: &beside.vendor,
        notes: &notes,
        saved: beside.saved.as_ref(),
        demo: settings.demo,
    };
    let mut exports = export::files(&settings.exports, &facts, &highlights, &run)?;
    if settings.exports.contains(&Format::Parquet) {
        exports.extend(export::of_frames(exports::files(frames, &settings.periods)?));
    }
    Ok(Document {
        html: report::render(&facts, &highlights, &run)?,
        json: facts.to_json()?,
        exports,
        summary: report::summary(&facts, &highlights, &run),
        notes: own.into_iter().chain(report::lacks(records)).collect(),
    })
}

/// Why a covered report is refused.
fn too_few_people(settings: &Settings) -> SettingsError {
    let narrowed = if settings.question.tags.is_empty() { "" } else { ", or leave --tag out" };
    SettingsError::new(
        format!(
            "fewer than five people were at work in {} ({}): a report that hides people would tell of each",
            settings.period.name().to_lowercase(),
            settings.period.dates_in_words()
        ),
        format!("ask for a longer period, such as --month or --quarter{narrowed}"),
    )
}

/// The mail about a report that lies on the disk, from its facts alone, as it is sent at a moment.
///
/// # Errors
/// There is no such report, it is incomplete, or what is to be attached is not there.
pub fn message(report: &Path, settings: &MailSettings, at: DateTime<Utc>) -> Result<Mail, Error> {
    let stored = deliver::read(report)?;
    let unreadable = |source| Error::Facts { path: shown(&report.with_extension("json")), source };
    let facts = Facts::from_json(&stored.json).map_err(unreadable)?;
    let attached = match settings.attach {
        Attach::Nothing => None,
        Attach::Html => Some(("html", "text/html; charset=utf-8")),
        Attach::Xlsx => Some(("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")),
    };
    let attach = |(ending, content_type): (&str, &'static str)| {
        let name = format!("{}.{ending}", stored.name);
        Ok::<_, Error>(Attachment { name, content_type, bytes: stored.companion(ending)? })
    };
    // Before anything is read that an incomplete report may not have.
    if !facts.source.ledger.complete {
        return Err(MailError::Incomplete.into());
    }
    let attachments: Vec<Attachment> = attached.map(attach).transpose()?.into_iter().collect();
    let addresses = mail::addresses(&settings.from, &settings.to, &settings.cc)?;
    Ok(mail::compose(&facts, &format!("{}.html", stored.name), &addresses, &attachments, at)?)
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
