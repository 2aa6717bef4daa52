//! What each command does, told everything it needs.

mod archive;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, SecondsFormat, Utc};
use clap::CommandFactory;

use crate::cli::{ApiArgs, Cli, DemoArgs, Format, MailArgs, ReportArgs, SimulateArgs};
use crate::deliver::{self, SendOutcome, Submission};
use crate::doctor::{self, Diagnosis};
use crate::error::Error;
use crate::fetch::Progress;
use crate::mail as letter;
use crate::metrics;
use crate::pipeline::{self, Prepared};
use crate::progress::Voice;
use crate::regular_file;
use crate::settings::mail::{self, Attach, Delivery};
use crate::settings::{self, Found, FoundKey, Network, Settings, SettingsError, SettingsFile};
use crate::simulator::{self, Fault, Options, Organisation, Recipe, Simulator, fault_names};
use crate::text::{clean, shown};
pub use archive::{sync, verify};

/// The key that the demo uses; any that looks like a personal one would do.
const DEMO_KEY: &str = "apk_user_demo";
/// The same for the third version of the API.
const DEMO_SERVICE_KEY: &str = "cog_demo";
/// The moment at which the demo pretends to run, so that its bytes never change.
const DEMO_NOW: &str = "2026-10-12T06:00:00Z";
/// The organisation that the simulator invents.
const DEMO_ORG: &str = "org_demo";

/// Makes one report, ready to be written.
///
/// # Errors
/// The first stage that fails.
pub async fn report(
    args: &ReportArgs,
    found: Found,
    now: DateTime<Utc>,
    voice: &Voice,
) -> Result<Prepared, Error> {
    let settings = Settings::resolve(args, found, now)?;
    let tell = |progress| {
        if matches!(progress, Progress::Asked { .. }) {
            voice.say(&format!("speaking API {} ({})", settings.question.api, settings.api_from));
        }
        voice.tell(progress);
    };
    let prepared = pipeline::prepare(&settings, &tell).await;
    voice.finish();
    let prepared = prepared?;
    prepared.doubts().iter().for_each(|doubt| voice.warn(doubt));
    prepared.notes().iter().for_each(|note| voice.say(&format!("note: {note}")));
    Ok(prepared)
}

/// What a report with these settings would stumble over.
pub async fn doctor(
    args: &ReportArgs,
    key: Result<Option<FoundKey>, SettingsError>,
    found: Result<Found, SettingsError>,
    network: Result<Network, SettingsError>,
    now: DateTime<Utc>,
    mail: Result<Option<mail::Mail>, Error>,
    voice: &Voice,
) -> Diagnosis {
    // Of the way there only what makes one wait is worth a line.
    let retries = |progress| {
        if matches!(progress, Progress::Retry { .. }) {
            voice.tell(progress);
        }
    };
    doctor::examine(args, key, found, network, now, mail, &retries).await
}

/// The catalogue of metrics, or the definition of one.
///
/// # Errors
/// There is no metric of this name.
pub fn metrics(name: Option<&str>) -> Result<String, SettingsError> {
    let typed = name.unwrap_or_default();
    metrics::text(name.map(str::trim)).ok_or_else(|| {
        let near = metrics::closest(typed).map(|id| format!("did you mean {id}? ")).unwrap_or_default();
        SettingsError::new(
            format!("there is no metric “{}”", clean(typed, 60)),
            format!("{near}`acumen metrics` prints all with their definitions"),
        )
    })
}

/// Writes an example of a settings file to the file that is named, else to the
/// user's own, whose folder it makes. It returns the path as a line.
///
/// # Errors
/// There is a file already, or none can be written there.
pub fn init(named: Option<PathBuf>, of_user: Option<PathBuf>) -> Result<String, Error> {
    let path = match (named, of_user) {
        (Some(path), _) => path,
        (None, Some(path)) => {
            path.parent().map_or(Ok(()), deliver::make_private)?;
            path
        }
        (None, None) => {
            return Err(SettingsError::new(
                "there is no configuration folder: neither XDG_CONFIG_HOME nor HOME is an absolute path",
                "name the file with --config",
            )
            .into());
        }
    };
    deliver::create_file(&path, settings::EXAMPLE)?;
    Ok(format!("{}\n", path.display()))
}

/// The report of an invented organisation: the same pipeline, over HTTP.
///
/// # Errors
/// As [`report`], or loopback cannot be listened on.
pub async fn demo(args: &DemoArgs, voice: &Voice) -> Result<Prepared, Error> {
    let organisation = Organisation::invent(&Recipe::demo());
    let simulator = start(organisation, Options::default()).await?;
    let report = ReportArgs {
        week: Some("2026-W41".to_owned()),
        tz: "UTC".to_owned(),
        trend: 7,
        org: Some(DEMO_ORG.to_owned()),
        out: args.out.clone(),
        mode: args.mode,
        export: args.export.clone(),
        access: ApiArgs {
            base_url: simulator.base_url(),
            page_size: 200,
            concurrency: 4,
            ..ApiArgs::default()
        },
        ..ReportArgs::default()
    };
    let key = FoundKey { text: DEMO_KEY.to_owned(), source: "the demo".to_owned() };
    let now = DEMO_NOW.parse().unwrap_or_default();
    let found = Found { key: Some(key), ..Found::default() };
    let settings = Settings { demo: true, ..Settings::resolve(&report, found, now)? };
    let prepared = pipeline::prepare(&settings, &|progress| voice.tell(progress)).await;
    voice.finish();
    simulator.stop().await;
    prepared
}

/// What a mail needs, checked before the long work: addresses, server, password, place.
///
/// # Errors
/// The first thing that is missing or cannot be used.
pub fn mail_settings(
    args: &MailArgs,
    password: Option<FoundKey>,
    state: Option<PathBuf>,
    network: &Network,
) -> Result<mail::Mail, Error> {
    let settings = mail::Mail::resolve(args, password, state, &network.trust)?;
    letter::addresses(&settings.from, &settings.to, &settings.cc)?;
    Ok(settings)
}

/// Whether a report with these options is mailed.
pub fn is_mailed(args: &ReportArgs) -> bool {
    // To write the message is to want one.
    args.mail || args.post.eml.is_some()
}

/// Whether a report could be mailed with no more than `--mail`.
pub fn is_mailable(args: &ReportArgs) -> bool {
    let post = &args.post;
    is_mailed(args) || (post.mail_from.is_some() && !post.mail_to.is_empty() && post.smtp.is_some())
}

/// [`mail_settings`] for a report that is yet to be written, with what is attached to it.
///
/// # Errors
/// As there, or the report would lack what is to be attached.
pub fn report_mail_settings(
    args: &ReportArgs,
    password: Option<FoundKey>,
    state: Option<PathBuf>,
    network: &Network,
) -> Result<mail::Mail, Error> {
    let settings = mail_settings(&args.post, password, state, network)?;
    if settings.attach == Attach::Xlsx && !args.export.contains(&Format::Xlsx) {
        return Err(SettingsError::new(
            "--mail-attach xlsx: the report is written without a workbook",
            "add --export xlsx, or attach html or none",
        )
        .into());
    }
    Ok(settings)
}

/// Warns of a settings file that every user of this machine can change: it
/// decides where the key is sent.
pub fn warn_of_settings(file: &SettingsFile, voice: &Voice) {
    let Some(path) = &file.path else { return };
    if regular_file::exposure(path).is_some_and(|exposure| exposure.write) {
        let path = shown(path);
        voice.warn(&format!(
            "the settings file {path} can be changed by every user of this machine, and it decides where \
             the key is sent: chmod go-w the file and its folder"
        ));
    }
}

/// Says that others may read what is written, where they may.
pub fn note_mode(mode: u32, voice: &Voice) {
    let who = match (mode & 0o040, mode & 0o004) {
        (_, 1..) => "every user of this machine",
        (1.., _) => "their group",
        _ => return,
    };
    voice.say(&format!("note: the files can be read by {who} (mode {mode:04o})"));
}

/// Writes the message about the report at a path to a file with these rights.
///
/// # Errors
/// There is no such report, it is incomplete, or the file cannot be written.
pub fn write_message(
    report: &Path,
    settings: &mail::Mail,
    file: &Path,
    mode: u32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    Ok(deliver::write_message(file, &pipeline::message(report, settings, now)?.bytes, mode)?)
}

/// Offers the report at a path to a mail server. Nothing of the message has
/// left when this returns: until then the run may end at any time.
///
/// # Errors
/// There is no such report, it is incomplete, or the server does not agree to it.
pub async fn offer(
    report: &Path,
    settings: &mail::Mail,
    delivery: &Delivery,
    now: DateTime<Utc>,
) -> Result<Submission, Error> {
    let message = pipeline::message(report, settings, now)?;
    let at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(deliver::submit(message, delivery, &at, deliver::SMTP_TIMEOUTS).await?)
}

/// Tells what became of a message.
///
/// # Errors
/// The mail is not delivered to everybody.
pub fn sent(offer: Submission, voice: &Voice) -> Result<(), Error> {
    let (subject, posted, failures) = offer.end();
    told(&posted, &subject).iter().for_each(|line| voice.say(line));
    let mut failures = failures.into_iter();
    let worst = failures.next();
    failures.for_each(|failure| voice.warn(&format!("{failure}; {}", failure.hint())));
    worst.map_or(Ok(()), |failure| Err(failure.into()))
}

/// What became of a message so far, where its server takes it for a few people at a time.
pub fn partly(sent: usize) -> String {
    format!("sent to {}; the server takes it for no more at a time", recipients(sent))
}

fn recipients(number: usize) -> String {
    match number {
        1 => "1 recipient".to_owned(),
        many => format!("{many} recipients"),
    }
}

/// What became of a message, a line for those who got it now and one for those
/// who had it.
fn told(posted: &SendOutcome, subject: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if posted.sent > 0 {
        lines.push(format!("sent to {}: {subject}", recipients(posted.sent)));
    }
    // Moments of one form: their order as texts is that in time.
    if let (Some(first), Some(last)) = (posted.sent_earlier.iter().min(), posted.sent_earlier.iter().max()) {
        let from = if first == last { "the run of" } else { "earlier runs, the last of" };
        let whom = recipients(posted.sent_earlier.len());
        // A ledger may hold any text.
        let last = clean(last, 40);
        lines.push(format!("not sent again: {whom} got it from {from} {last}; --force sends it again"));
    }
    lines
}

/// What to look at after the demo.
pub const DEMO_HINT: &str = "\
An invented organisation's week. Open the HTML file in a browser; the JSON holds its numbers.
Next: `acumen metrics` defines every number, `acumen report --help` makes your own.";

/// A running simulator with the sessions of the days up to now.
///
/// # Errors
/// A fault has no such name, or the port cannot be listened on.
pub async fn simulate(args: &SimulateArgs, now: DateTime<Utc>) -> Result<Simulator, Error> {
    let faults = args.faults.iter().map(|text| fault(text)).collect::<Result<Vec<_>, _>>()?;
    let today = now.date_naive();
    let recipe = Recipe {
        seed: args.seed,
        sessions: args.sessions as usize,
        first_day: today.checked_sub_days(Days::new(args.days.into())).unwrap_or(today),
        days: args.days.saturating_add(1),
        ..Recipe::demo()
    };
    let latency = Duration::from_millis(args.latency);
    let options = Options { port: args.port, latency, faults, ..Options::default() };
    start(Organisation::invent(&recipe), options).await
}

fn fault(text: &str) -> Result<Fault, SettingsError> {
    text.parse().map_err(|error| {
        SettingsError::new(format!("--fault {text}: {error}"), format!("choose from {}", fault_names()))
    })
}

/// What to type against a running simulator.
pub fn simulate_hint(base_url: &str) -> String {
    format!(
        "Serving {DEMO_ORG}; any key that begins with apk_user_ is let in, on v3 with cog_. Stop it with Ctrl-C. \
         In another shell one of:\n  \
         DEVIN_API_KEY={DEMO_KEY} acumen report --base-url {base_url} --org {DEMO_ORG}\n  \
         DEVIN_API_KEY={DEMO_SERVICE_KEY} acumen report --api v3 --base-url {base_url} --org {DEMO_ORG}"
    )
}

async fn start(organisation: Organisation, options: Options) -> Result<Simulator, Error> {
    let port = options.port;
    simulator::start(Arc::new(organisation), options)
        .await
        .map_err(|source| Error::Simulator { port, source })
}

/// A completion script.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "acumen", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
