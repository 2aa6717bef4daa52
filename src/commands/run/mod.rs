//! `acumen run`: all reports of the settings file, from one fetch.

mod edition;
mod summary;

use std::path::Path;
use std::sync::Arc;

use super::report::{Prepared, ReportData};
use super::{Context, Ended, chat, heartbeat, mail, output, settings_line, sync};
use crate::archive;
use crate::cli::{RunArgs, SyncArgs};
use crate::console::Console;
use crate::deliver::{SendOutcome, WHOLE};
use crate::environment;
use crate::error::Error;
use crate::exit::{Exit, Explain};
use crate::metrics::{Dim, Facts, SESSIONS, SMALL_GROUP};
use crate::settings::mail::Mail as MailSettings;
use crate::settings::{Found, FoundKey, Network, Settings, SettingsError, Source};
use crate::source::Shared;
use crate::text::clean;
use crate::thread_pool;
use chat::Posted;
use devin_api::{Limits, Progress};
use edition::{Edition, Plan};
use mail::Sent;
use summary::{SummaryRow, table};

/// What an alert of a dry run leaves on the disk.
const NOTHING: &str = "nothing written";

/// What is done when a signal ends a run.
const STOPPED: &str = "the table says which reports are left to do; the next run makes them and sends \
    nothing twice";

/// Makes and sends all reports of the settings file.
///
/// # Errors
/// The settings cannot be used, the sessions cannot be loaded, a report failed, or the signal that ended
/// the run.
pub async fn run(args: RunArgs, mut context: Context) -> Result<Exit, Ended> {
    let network = environment::network(&args.report.network);
    // A dry run sends nothing, to a monitor either.
    let monitor = match args.dry_run {
        true => Ok(None),
        false => heartbeat::monitor(&args.report.monitor, &network),
    };
    let sync = sync_args(&args);
    let is_offline = args.report.is_offline() && sync.is_none();
    let key = if is_offline { Ok(None) } else { environment::find_key(&args.report.access) };
    let line = match &sync {
        Some(sync) => settings_line::sync(sync, &context.file, &key, &network),
        None => settings_line::report(&args.report, &context.file, &key, &network),
    };
    context.announce(line.filter(|_| monitor.is_ok()));
    let console = context.console.clone();
    match monitor {
        Ok(monitor) => {
            let work = made(args, sync, key, network, &mut context);
            heartbeat::around(monitor, &console, work).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The sync before the reports, where they are made from an archive.
fn sync_args(args: &RunArgs) -> Option<SyncArgs> {
    let archive = args.report.archive().filter(|_| !args.no_sync && !args.dry_run)?;
    Some(SyncArgs {
        archive: archive.clone(),
        tz: args.report.tz.clone(),
        org: args.report.org.clone(),
        access: args.report.access.clone(),
        network: args.report.network.clone(),
        ..SyncArgs::default()
    })
}

async fn made(
    args: RunArgs,
    sync: Option<SyncArgs>,
    key: Result<Option<FoundKey>, SettingsError>,
    network: Result<Network, SettingsError>,
    context: &mut Context,
) -> Result<Exit, Ended> {
    let (now, file, choices) = (context.now, context.file.clone(), context.choices.clone());
    let (dry_run, fails_on_alert) = (args.dry_run, args.report.fail_on_alert);
    let console = context.console.clone();
    let syncs = sync.is_some();
    let planning = async move {
        let (key, network) = (key?, network?);
        let found = Found { key: key.clone(), network, ..environment::around(&args.report, file?)? };
        let plan = Plan::new(&args, &choices, &found, now)?;
        if let Some(sync) = &sync {
            sync::sync_once(sync, key, &found.network, now, &console).await?;
        }
        let tell = telling(&plan, &console);
        let all: Vec<Settings> = plan.editions.iter().map(|edition| edition.settings.clone()).collect();
        let shared = Shared::load(&all, &Limits::default(), &tell).await;
        console.finish();
        Ok((plan, shared?))
    };
    let planned = context.signals.until(planning).await;
    let (plan, shared) = planned.map_err(|ended| if syncs { ended.leaving(archive::KEPT) } else { ended })?;
    if let Some(edition) = plan.editions.first().filter(|_| !dry_run) {
        output::note_mode(edition.settings.mode, &context.console);
    }
    let (shared, rows, alerts) = (Some(shared), Vec::new(), Vec::new());
    Run { plan, shared, dry_run, fails_on_alert, rows, alerts }.finish(context).await
}

/// Progress of the fetch, which begins with the API that is used.
fn telling(plan: &Plan, console: &Console) -> impl Fn(Progress) + Send + Sync + use<> {
    let source = plan.editions.first().map(|edition| edition.settings.source.clone());
    let console = console.clone();
    move |progress| {
        if let (Progress::Asked { .. }, Some(Source::Api { config, chosen_by, .. })) = (&progress, &source) {
            console.say(&format!("using API {} ({chosen_by})", config.api));
        }
        console.tell(progress);
    }
}

/// A run at work.
struct Run {
    plan: Plan,
    /// Taken while an edition loads its sessions.
    shared: Option<Shared>,
    dry_run: bool,
    /// What was done, in order.
    rows: Vec<SummaryRow>,
    /// The alerts of all reports, in a few words each.
    alerts: Vec<String>,
    /// Whether they fail the run.
    fails_on_alert: bool,
}

/// The sessions of an edition, and what it shows of which teams.
struct Loaded {
    data: Arc<ReportData>,
    settings: Settings,
    /// The facts of all sessions, where there is a report for each team.
    whole: Option<Arc<Facts>>,
}

impl Run {
    /// Makes and sends the reports one after the other, and prints the table.
    async fn finish(mut self, context: &mut Context) -> Result<Exit, Ended> {
        let mut ended = Ok(());
        for at in 0..self.plan.editions.len() {
            ended = self.edition(at, context).await;
            if ended.is_err() {
                self.rows.extend(self.plan.editions.iter().skip(at + 1).map(left));
                break;
            }
        }
        output::print(&table(&self.rows))?;
        ended.map_err(|ended| ended.leaving(STOPPED))?;
        let failures: Vec<Exit> = self.rows.iter().filter_map(|row| row.exit).collect();
        match failures.first() {
            None if self.fails_on_alert && !self.alerts.is_empty() => {
                let kept = if self.dry_run { NOTHING } else { WHOLE };
                Err(Ended::alert(&self.alerts, kept))
            }
            None => Ok(Exit::Done),
            Some(exit) => {
                let (failed, of) = (failures.len(), self.rows.len());
                Err(Error::Reports { failed, of, exit: *exit }.into())
            }
        }
    }

    /// Makes and sends one edition.
    ///
    /// # Errors
    /// A signal; a failure is noted, and the others go on.
    async fn edition(&mut self, at: usize, context: &mut Context) -> Result<(), Ended> {
        let edition = self.plan.editions.get(at).expect("it is a place among the editions");
        let (name, period) = (edition.name.clone(), edition.settings.period.label());
        let row = SummaryRow { name: name.clone(), period, ..SummaryRow::default() };
        let loading = loading(self.shared.take().expect("it is given back"), edition, &context.console);
        let (shared, loaded) = match context.signals.until(loading).await {
            Ok(loaded) => loaded,
            Err(ended) => {
                self.rows.push(left(edition));
                return Err(ended);
            }
        };
        self.shared = Some(shared);
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                self.fail(row, &error, &context.console);
                return Ok(());
            }
        };
        let Some(whole) = loaded.whole.clone() else {
            return self.report(at, &loaded, None, row, context).await;
        };
        let teams = teams(&whole);
        let absent = match loaded.settings.privacy.covered {
            true => "no report: it would describe fewer than five people",
            false => "no report: no session in the period",
        };
        let named = self.plan.named_teams(edition).into_iter().filter(|team| !teams.contains(team));
        let of_team = |team: &str| SummaryRow { name: format!("{name}: {team}"), ..row.clone() };
        let absent: Vec<SummaryRow> =
            named.map(|team| SummaryRow { report: absent.to_owned(), ..of_team(&team) }).collect();
        for (place, team) in teams.iter().enumerate() {
            let ended = self.report(at, &loaded, Some(team), of_team(team), context).await;
            if ended.is_err() {
                let rest = teams.iter().skip(place + 1);
                self.rows.extend(rest.map(|team| SummaryRow { report: LEFT.to_owned(), ..of_team(team) }));
                return ended;
            }
        }
        self.rows.extend(absent);
        Ok(())
    }

    /// Makes, writes and sends one report.
    async fn report(
        &mut self,
        at: usize,
        loaded: &Loaded,
        team: Option<&str>,
        mut row: SummaryRow,
        context: &mut Context,
    ) -> Result<(), Ended> {
        let edition = self.plan.editions.get(at).expect("it is a place among the editions");
        let settings = match team {
            None => loaded.settings.clone(),
            // As with --team, there is no budget: it is for all.
            Some(team) => {
                Settings { team: Some(team.to_owned()), cycles: Vec::new(), ..loaded.settings.clone() }
            }
        };
        let (data, whole) = (loaded.data.clone(), loaded.whole.clone());
        let drawing =
            async move { thread_pool::run(move || data.prepared(&settings, whole.as_deref())).await? };
        let prepared = match context.signals.until(drawing).await {
            Ok(prepared) => prepared,
            Err(Ended::Failed { error, .. }) => {
                self.fail(row, &error, &context.console);
                return Ok(());
            }
            Err(ended) => {
                self.rows.push(SummaryRow { report: LEFT.to_owned(), ..row });
                return Err(ended);
            }
        };
        tell(&row.name, &prepared, &context.console);
        row.alerts = prepared.facts().alerts.len();
        let name = clean(&row.name, 80);
        self.alerts.extend(prepared.alerts().iter().map(|alert| format!("{name}: {alert}")));
        row.report = prepared.page().display().to_string();
        if self.dry_run {
            match self.plan.planned(edition, team, prepared.facts()) {
                Ok((mail, chat)) => self.rows.push(SummaryRow { mail, chat, ..row }),
                Err(error) => self.fail(row, &error, &context.console),
            }
            return Ok(());
        }
        let (mail, has_chat) = (self.plan.mail(edition, team), edition.chat);
        let (mode, console) = (prepared.mode(), context.console.clone());
        let json = match prepared.deliver() {
            Ok(receipt) => {
                // It also says what was removed; the paths are in the table.
                output::written(&receipt, &console);
                receipt.json
            }
            Err(error) => {
                self.fail(row, &error, &console);
                return Ok(());
            }
        };
        console.say(&format!("{}: {}", clean(&row.name, 80), row.report));
        let mut ended;
        match mailed(mail, &json, mode, context).await {
            Ok((words, signal)) => (row.mail, ended) = (words, signal),
            Err(Ended::Failed { error, .. }) => {
                "failed: see the warnings".clone_into(&mut row.mail);
                warn(&mut row, &error, &console);
                ended = None;
            }
            Err(signal) => {
                LEFT.clone_into(&mut row.mail);
                ended = Some(signal);
            }
        }
        if let Some(chats) = self.plan.chats.as_ref().filter(|_| has_chat) {
            let posted = match &ended {
                Some(_) => LEFT,
                None => match chat::post(&json, chats, context).await {
                    Ok(Posted { now, signal, .. }) => {
                        ended = signal.map(Ended::signal);
                        if now > 0 { "posted" } else { "posted earlier" }
                    }
                    Err(Ended::Failed { error, .. }) => {
                        warn(&mut row, &error, &console);
                        "failed: see the warnings"
                    }
                    Err(signal) => {
                        ended = Some(signal);
                        LEFT
                    }
                },
            };
            posted.clone_into(&mut row.chat);
        }
        self.rows.push(row);
        ended.map_or(Ok(()), Err)
    }

    /// Notes a report that could not be made.
    fn fail(&mut self, mut row: SummaryRow, error: &Error, console: &Console) {
        warn(&mut row, error, console);
        self.rows.push(SummaryRow { report: "failed: see the warnings".to_owned(), ..row });
    }
}

/// Says what failed, and notes how a run ends for it.
fn warn(row: &mut SummaryRow, error: &Error, console: &Console) {
    console.warn(&format!("{}: {error}; {}", clean(&row.name, 80), error.hint()));
    row.exit = row.exit.or(Some(error.exit()));
}

/// Sends the mail about a report; gives what became of it, and the signal that came while the server
/// answered.
async fn mailed(
    mail: Result<Option<MailSettings>, Error>,
    json: &Path,
    mode: u32,
    context: &mut Context,
) -> Result<(String, Option<Ended>), Ended> {
    let Some(settings) = mail? else { return Ok(("no recipient".to_owned(), None)) };
    let Sent { outcome, signal } = mail::send(json.to_owned(), settings, mode, context).await?;
    let outcome = outcome.expect("a run writes no message to a file");
    Ok((delivered(&outcome), signal.map(Ended::signal)))
}

/// What a run that was stopped says of a report that it did not make.
const LEFT: &str = "left to do";

fn left(edition: &Edition) -> SummaryRow {
    SummaryRow {
        name: edition.name.clone(),
        period: edition.settings.period.label(),
        report: LEFT.to_owned(),
        ..SummaryRow::default()
    }
}

/// Loads the sessions of an edition; an error is that of this edition alone.
fn loading(
    mut shared: Shared,
    edition: &Edition,
    console: &Console,
) -> impl Future<Output = Result<(Shared, Result<Loaded, Error>), Error>> + Send + 'static {
    let (settings, each_team, console) = (edition.settings.clone(), edition.each_team, console.clone());
    async move {
        let loaded = shared.of(&settings, &Limits::default(), &|progress| console.tell(progress)).await;
        console.finish();
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return Ok((shared, Err(error))),
        };
        let data = thread_pool::run(move || {
            let settings = loaded.settings.clone();
            let data = ReportData::new(loaded)?;
            let whole = each_team.then(|| data.whole(&settings)).transpose()?;
            Ok(Loaded { data: Arc::new(data), settings, whole: whole.map(Arc::new) })
        });
        let loaded = data.await.and_then(|loaded| loaded);
        Ok((shared, loaded))
    }
}

/// The teams that have a report: those of which the facts of all sessions show the sessions.
fn teams(whole: &Facts) -> Vec<String> {
    let groups = whole.by(&SESSIONS, &[Dim::Team]).iter();
    let has_sessions = groups.filter(|fact| fact.value.is_some_and(|sessions| sessions > 0.0));
    let names = has_sessions.filter_map(|fact| fact.key(Dim::Team).flatten());
    names.filter(|name| *name != SMALL_GROUP).map(str::to_owned).collect()
}

/// Prints what was noticed of a report.
fn tell(name: &str, prepared: &Prepared, console: &Console) {
    let name = clean(name, 80);
    prepared.doubts().iter().for_each(|doubt| console.warn(&format!("{name}: {doubt}")));
    prepared.notes().iter().for_each(|note| console.say(&format!("note: {name}: {note}")));
    prepared.alerts().iter().for_each(|alert| console.say(&format!("alert: {name}: {alert}")));
}

/// What became of a mail that reached everybody.
fn delivered(outcome: &SendOutcome) -> String {
    match (outcome.sent, outcome.sent_earlier.len()) {
        (0, earlier) => format!("sent earlier to {earlier}"),
        (sent, 0) => format!("sent to {sent}"),
        (sent, earlier) => format!("sent to {sent}, earlier to {earlier}"),
    }
}
