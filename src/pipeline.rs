//! The only file that sees every stage:
//! fetch -> frames -> facts -> charts -> report -> exports -> deliver.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::SecondsFormat;

use crate::cli::Format;
use crate::deliver::{self, Receipt};
use crate::error::Error;
use crate::export;
use crate::fetch::{self, Delivery, Ledger, Limits, Progress, Question, Vendor};
use crate::frame::parquet::{self, Masks};
use crate::frame::{Frames, FramesBuilder};
use crate::metrics::{self, Bounds, Facts, Findings, Source, Span};
use crate::period::Period;
use crate::report::{self, Run};
use crate::settings::Settings;

/// A finished report, still in memory.
pub struct Document {
    /// The page.
    pub html: String,
    /// `facts.json`.
    pub json: String,
    /// The exports that the settings ask for.
    pub exports: Vec<export::File>,
}

/// A finished report and its place: all that is left is to write it.
pub struct Prepared {
    document: Document,
    folder: PathBuf,
    name: String,
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
    deliver::check(&settings.out)?;
    let empty = || builder_for(settings);
    let mut builder = empty();
    let mut deliver = |delivery: Delivery<'_>| match delivery {
        Delivery::Restart => builder = empty(),
        Delivery::Page(rows) => builder.push(rows),
    };
    let ledger = fetch::fetch_within(&settings.question, limits, &mut deliver, progress).await?;
    let vendor = vendor(settings).await;
    // Polars owns threads of its own; meanwhile the runtime stays free for signals.
    let owned = settings.clone();
    let work = move || compose(&builder.finish()?, ledger, &vendor, &owned);
    let document = tokio::task::spawn_blocking(work).await.map_err(|_| Error::Panicked)??;
    let label = settings.period.label();
    // A narrower question must not take the place of the whole organisation's report.
    let filters = [settings.question.tags.as_slice(), &settings.question.users].concat().join("+");
    let name = match filters.as_str() {
        "" => deliver::file_name(&[settings.scope(), &label]),
        filters => deliver::file_name(&[settings.scope(), &label, filters]),
    };
    Ok(Prepared { document, folder: settings.out.clone(), name })
}

/// Frames with as many texts as somebody will read: the page names sessions of
/// the report's period alone, an analyst gets all.
fn builder_for(settings: &Settings) -> FramesBuilder {
    match settings.exports.contains(&Format::Parquet) {
        true => FramesBuilder::new(settings.question.from).with_addresses(),
        false => FramesBuilder::new(settings.period.from().to_utc()),
    }
}

impl Prepared {
    /// Writes the report, which must not be cut short: a signal waits.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn deliver(self) -> Result<Receipt, Error> {
        let Document { html, json, exports } = &self.document;
        Ok(deliver::write(&self.folder, &self.name, html, json, exports)?)
    }
}

/// The vendor's own counts of the report's period, unless they are not wanted.
async fn vendor(settings: &Settings) -> Vendor {
    if !settings.reconcile {
        return Vendor::NotAsked;
    }
    // The window of the sessions ends with the period, or where that still runs; the trend is not asked about.
    let period = Question { from: settings.period.from().to_utc(), ..settings.question.clone() };
    fetch::vendor(&period).await
}

/// The pure core: frames, ledger, the vendor's counts and settings to the finished report.
///
/// # Errors
/// A defect in a metric, chart or template; never a state of the data.
pub fn compose(
    frames: &Frames,
    ledger: Ledger,
    vendor: &Vendor,
    settings: &Settings,
) -> Result<Document, Error> {
    let span = Span {
        periods: &settings.periods,
        points: settings.points,
        complete: settings.complete,
        api: settings.question.api,
    };
    let Findings { facts, quality, evidence } = metrics::evaluate(frames, &span)?;
    let facts = Facts {
        generated_at: settings.now.to_rfc3339_opts(SecondsFormat::Secs, true),
        period: Bounds {
            tz: Some(settings.period.tz().name().to_owned()),
            complete: Some(settings.complete),
            ..bounds(&settings.period)
        },
        previous: bounds(&settings.previous),
        source: Source {
            api: settings.question.api,
            scope: settings.scope().to_owned(),
            tags: settings.question.tags.clone(),
            users: settings.question.users.clone(),
            ledger,
        },
        quality,
        names: BTreeMap::new(),
        facts,
    };
    let local = settings.now.with_timezone(&settings.period.tz());
    let run = Run {
        periods: &settings.periods,
        points: settings.points,
        organisation: settings.question.org.as_deref(),
        fetched: local.format("%-d %B %Y, %H:%M").to_string(),
        tags: &settings.question.tags,
        users: &settings.question.users,
        vendor,
        demo: settings.demo,
    };
    let mut exports = export::files(&settings.exports, &facts, &evidence, &run)?;
    if settings.exports.contains(&Format::Parquet) {
        exports.extend(export::of_frames(parquet::files(frames, &settings.periods, &Masks::NONE)?));
    }
    Ok(Document { html: report::render(&facts, &evidence, &run)?, json: facts.to_json()?, exports })
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
