//! `acumen report`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::{Context, Ended, chat, heartbeat, mail, output, settings_line};
use crate::cli::ReportArgs;
use crate::console::Console;
use crate::deliver::{self, PagesWriter, WrittenReport};
use crate::document::{self, Document};
use crate::environment;
use crate::error::Error;
use crate::exit::Exit;
use crate::logging::timed;
use crate::metrics::Facts;
use crate::report;
use crate::settings::{Found, FoundKey, Network, Settings, SettingsError, Source};
use crate::source::{self, Loaded, ReportInputs};
use crate::tables::Frames;
use crate::thread_pool;
use devin_api::{Limits, Progress, Vendor};

/// Makes one report and writes it, and mails and posts it where that is asked for.
///
/// # Errors
/// The first stage that fails, or the signal that ended the run.
pub async fn run(args: ReportArgs, mut context: Context) -> Result<Exit, Ended> {
    let network = environment::network(&args.network);
    let monitor = heartbeat::monitor(&args.monitor, &network);
    // Saved pages and archives need no key, and none is looked for.
    let key = if args.is_offline() { Ok(None) } else { environment::find_key(&args.access) };
    // Before anything is sent to anybody, the monitor included.
    let line = settings_line::report(&args, &context.file, &key, &network);
    context.announce(line.filter(|_| monitor.is_ok()));
    let console = context.console.clone();
    let ended = match monitor {
        Ok(monitor) => heartbeat::around(monitor, &console, written(args, key, network, &mut context)).await,
        Err(error) => Err(error.into()),
    };
    ended.map_err(|ended| ended.keeping(|error| Some(error.kept())))
}

async fn written(
    args: ReportArgs,
    key: Result<Option<FoundKey>, SettingsError>,
    network: Result<Network, SettingsError>,
    context: &mut Context,
) -> Result<Exit, Ended> {
    let (console, now, file) = (context.console.clone(), context.now, context.file.clone());
    let fails_on_alert = args.fail_on_alert;
    let making = async move {
        let found = Found { key: key?, network: network?, ..environment::around(&args, file?)? };
        let mail = mail::is_wanted(&args).then(|| mail::of_report(&args, &found.network)).transpose()?;
        let chat = args.chat.chat.then(|| chat::settings(&args, &found.network)).transpose()?;
        Ok((made(&args, found, now, &console).await?, mail, chat))
    };
    let (prepared, mail, chat) = context.signals.until(making).await?;
    let (mode, alerts) = (prepared.mode(), prepared.alerts().to_vec());
    let receipt = timed("files", || prepared.deliver())?;
    output::note_mode(mode, &context.console);
    // The files stand, whatever becomes of the mail and the messages to chats.
    output::print(&output::written(&receipt, &context.console))?;
    let mut mailed = Ok(());
    if let Some(mail) = mail {
        let sent = mail::send(receipt.json.clone(), mail, mode, context).await;
        mailed = sent.map_err(|ended| ended.leaving(deliver::UNMAILED)).and_then(|sent| {
            // Nothing is left to do without a chat.
            let signal = sent.signal.filter(|_| chat.is_some());
            signal.map_or(Ok(()), |signal| Err(Ended::signal(signal).leaving(deliver::UNPOSTED)))
        });
    }
    // A mail that fails does not keep the report from the chats; a signal does.
    let is_signal = matches!(mailed, Err(Ended::Signal { .. }));
    if let Some(chat) = chat.filter(|_| !is_signal) {
        let posted = chat::post(&receipt.json, &chat, context).await;
        let posted = posted.map(drop).map_err(|ended| ended.leaving(deliver::UNPOSTED));
        chat::both(mailed, posted, &context.console)?;
    } else {
        mailed?;
    }
    if fails_on_alert && !alerts.is_empty() {
        return Err(Ended::alert(&alerts, deliver::WHOLE));
    }
    Ok(Exit::Done)
}

/// One report, ready to be written.
async fn made(
    args: &ReportArgs,
    found: Found,
    now: DateTime<Utc>,
    console: &Console,
) -> Result<Prepared, Error> {
    let settings = Settings::resolve(args, found, now)?;
    let tell = |progress| {
        if let (Progress::Asked { .. }, Source::Api { config, chosen_by, .. }) = (&progress, &settings.source)
        {
            console.say(&format!("using API {} ({chosen_by})", config.api));
        }
        console.tell(progress);
    };
    let prepared = prepare(&settings, &tell).await;
    console.finish();
    let prepared = prepared?;
    prepared.doubts().iter().for_each(|doubt| console.warn(doubt));
    prepared.notes().iter().for_each(|note| console.say(&format!("note: {note}")));
    prepared.alerts().iter().for_each(|alert| console.say(&format!("alert: {alert}")));
    Ok(prepared)
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
    pages: Option<PagesWriter>,
    /// The file that the summary is appended to, where one is named.
    summary: Option<PathBuf>,
}

/// Loads, computes and draws one report. Nothing of it is on disk yet, so
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
    let mut loaded = source::load(settings, limits, progress).await?;
    let pages = loaded.pages.take();
    let prepared = thread_pool::run(move || {
        let settings = loaded.settings.clone();
        ReportData::new(loaded)?.prepared(&settings, None)
    });
    Ok(Prepared { pages, ..prepared.await?? })
}

/// What reports about the same sessions are made from: one about all of them, or one for each team.
pub(super) struct ReportData {
    frames: Frames,
    inputs: ReportInputs,
    /// What cannot be read of the sessions, a line each.
    lost: Vec<String>,
}

impl ReportData {
    /// Derives what reports need from sessions that were loaded.
    ///
    /// # Errors
    /// A table cannot be built: an internal error.
    pub(super) fn new(loaded: Loaded) -> Result<Self, Error> {
        let Loaded { tables, kept, inputs, .. } = loaded;
        let frames = timed("frames", || Frames::new(tables, kept.texts.from, kept.teams.as_ref()))?;
        let lost = [
            report::unreadable(frames.unreadable()?),
            report::without_acus(frames.without_acus()?),
            report::without_address(frames.without_address()?),
        ];
        Ok(Self { frames, inputs, lost: lost.into_iter().flatten().collect() })
    }

    /// The facts of all sessions, for reports about teams with these settings.
    ///
    /// # Errors
    /// As [`document::whole`].
    pub(super) fn whole(&self, settings: &Settings) -> Result<Facts, Error> {
        document::whole(&self.frames, &self.inputs, settings)
    }

    /// The report with these settings; for a team, `whole` has the facts of all sessions, if they are known.
    ///
    /// # Errors
    /// As [`document::compose`], or the team has no session.
    pub(super) fn prepared(&self, settings: &Settings, whole: Option<&Facts>) -> Result<Prepared, Error> {
        let complete = self.inputs.provenance.stats.complete;
        let no_match = !source::has_team(&self.frames, settings, complete)? && complete;
        let mut inputs = ReportInputs { no_match: self.inputs.no_match || no_match, ..self.inputs.clone() };
        if settings.team.is_some() {
            // Devin counts nothing by team, and its limits are for whole organisations.
            inputs.vendor = Vendor::default();
            inputs.limit_cycles = None;
        }
        let document = timed("document", || match whole {
            Some(_) => document::compose_with_whole(&self.frames, &inputs, settings, whole),
            None => document::compose(&self.frames, &inputs, settings),
        })?;
        let doubts = document.doubts.iter().chain(&self.lost).cloned().collect();
        let name = document.name.clone();
        let (folder, summary) = (settings.out.clone(), settings.summary.clone());
        Ok(Prepared { document, doubts, folder, name, mode: settings.mode, pages: None, summary })
    }
}

impl Prepared {
    /// Problems of the data, one line each, for readers of the terminal.
    pub fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// What was noticed about the input and does not make the report incomplete.
    pub fn notes(&self) -> &[String] {
        &self.document.notes
    }

    /// Its facts.
    pub(super) fn facts(&self) -> &Facts {
        &self.document.facts
    }

    /// The place of the page that [`deliver`](Self::deliver) writes.
    pub(super) fn page(&self) -> PathBuf {
        self.folder.join(format!("{}.html", self.name))
    }

    /// The alerts of the report in a few words each, without users and teams.
    pub fn alerts(&self) -> &[String] {
        &self.document.alerts
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
    pub fn deliver(self) -> Result<WrittenReport, Error> {
        let Document { html, json, summary, exports, .. } = &self.document;
        // First, so that a report that stands can be made again.
        self.pages.map_or(Ok(()), PagesWriter::finish)?;
        let receipt = deliver::write(&self.folder, &self.name, html, json, exports, self.mode)?;
        if let Some(path) = &self.summary {
            deliver::append(path, summary, self.mode)?;
        }
        Ok(receipt)
    }
}
