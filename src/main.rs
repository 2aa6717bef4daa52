//! argv, environment, clock -> run -> exit code; nothing else.

mod found;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;

use acumen::cli::{self, ArchiveCommand, Choice, Cli, Command, ConfigCommand};
use acumen::deliver::{Submission, WrittenReport};
use acumen::doctor::Diagnosis;
use acumen::error::Error;
use acumen::fetch::{Api, Monitor, News, Watch};
use acumen::pipeline::Prepared;
use acumen::progress::{Voice, write_line};
use acumen::settings::mail::{Mail, Way};
use acumen::settings::{Found, FoundKey, Network, SettingsError, SettingsFile};
use acumen::text::shown;
use acumen::{archive, commands, deliver, metrics, settings};
use chrono::{DateTime, Utc};
use clap::error::ErrorKind as Usage;
use found::{
    around, find_key, find_ping, ignores_local_file, is_blank, network, password, report_mail_settings,
    settings_file, state, user_settings_file,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A run that a signal ended: 128 and the signal's number.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;
const DEFECT: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    keep_memory_private();
    let argv: Vec<OsString> = std::env::args_os().collect();
    // A file that cannot be used must not keep anybody from reading the help.
    let file = settings_file(&argv);
    let is_ignored = ignores_local_file(&argv);
    let options = file.as_ref().map(|file| file.options.clone()).unwrap_or_default();
    let cli::Read { cli, choices } = match Cli::read(argv.clone(), &is_blank, &options) {
        Ok(read) => read,
        Err(error) => return usage(&error, &argv),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            write_line(&format!("error: could not start the runtime: {error}"));
            return ExitCode::from(DEFECT);
        }
    };
    let voice = Voice::new(cli.quiet);
    let now = clock();
    let (kept, nothing): (fn(&Error) -> Option<&'static str>, _) = match cli.command {
        Command::Report(_) | Command::Demo(_) => (|error| Some(error.kept()), "nothing was written"),
        Command::Sync(_) => (after_sync, archive::KEPT),
        _ => (|_| None, "nothing was written"),
    };
    let complain = |error: &Error| complain(error, kept(error));
    let network = network_of(&cli.command);
    let monitor = monitor(&cli.command, &network);
    let secret = secret(&cli.command);
    // Before anything is sent to anybody, the monitor included.
    if let (Ok(file), Ok(secret), Ok(network), Ok(_)) = (&file, &secret, &network, &monitor)
        && let Some(line) = settings::sources(&cli.command, file, secret.as_ref(), network)
    {
        voice.say(&line);
    }
    file.iter().for_each(|file| commands::warn_of_settings(file, &voice));
    if is_ignored && !matches!(cli.command, Command::Config(ConfigCommand::Init(_))) {
        voice.warn(NOT_READ);
    }
    let watch = match monitor {
        Ok(monitor) => monitor.map(|monitor| runtime.block_on(async { Watch::begin(monitor) })),
        Err(error) => return ExitCode::from(complain(&error.into())),
    };
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen();
        let done = signals.until(dispatch(cli, file, choices, secret, network, now)).await?;
        finish(done, &voice, &mut signals).await
    });
    // Before the error is told, whose hint is the last line that a user sees.
    if let Some(untold) = watch.and_then(|watch| runtime.block_on(watch.end(&news(&ended)))) {
        voice.say(&untold);
    }
    let code = match ended {
        Ok(code) => code,
        Err(Ended::Failed(error)) => complain(&error),
        Err(Ended::Signal { word, code, left }) => {
            write_line(&format!("{word}: {}", left.unwrap_or(nothing)));
            code
        }
    };
    // Blocking work in flight must not hold back an interrupted run.
    runtime.shutdown_background();
    ExitCode::from(code)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn clock() -> DateTime<Utc> {
    Utc::now()
}

/// Earlier versions read the file, and a schedule may still rely on that.
const NOT_READ: &str =
    "acumen.toml in the working directory is not read; to use it, name it with --config acumen.toml";

/// The monitor of a report or a sync, where one is named.
fn monitor(
    command: &Command,
    network: &Result<Network, SettingsError>,
) -> Result<Option<Monitor>, SettingsError> {
    let args = match command {
        Command::Report(args) => &args.monitor,
        Command::Sync(args) => &args.monitor,
        _ => return Ok(None),
    };
    let Some(url) = settings::ping(find_ping(args)?.as_ref())? else { return Ok(None) };
    let network = network.as_ref().map_err(Clone::clone)?;
    let proxy = network.proxy(&url)?;
    Ok(Some(Monitor::new(url, network.trust.clone(), proxy)))
}

/// How a command reaches its servers.
fn network_of(command: &Command) -> Result<Network, SettingsError> {
    match command {
        Command::Report(args) | Command::Doctor(args) => network(&args.network),
        Command::Sync(args) => network(&args.network),
        Command::Send(args) => network(&args.network),
        _ => Ok(Network::default()),
    }
}

/// The secret that a command shows to a server: the API key, or the password of a mail.
fn secret(command: &Command) -> Result<Option<FoundKey>, SettingsError> {
    match command {
        // Saved pages and archives need no key, and none is looked for.
        Command::Report(args) if args.is_offline() => Ok(None),
        Command::Report(args) | Command::Doctor(args) => find_key(&args.access),
        Command::Sync(args) => find_key(&args.access),
        Command::Config(ConfigCommand::Show(args)) => find_key(&args.access),
        Command::Send(args) => password(&args.post),
        _ => Ok(None),
    }
}

/// Keeps the memory of this process, which holds the key, from other processes
/// of the same user and from core dumps. Where the system refuses, nothing else
/// depends on it.
fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// What a command leaves to be done: files are written without a break, and a
/// mail ends with a signal until its message is on the way.
enum Done {
    Report(Box<Prepared>, Option<Mail>),
    Send(PathBuf, Mail, u32),
    Demo(Prepared),
    Checked(Diagnosis),
    Text(String),
}

/// Why a command did not come to its end.
enum Ended {
    Failed(Error),
    Signal { word: &'static str, code: u8, left: Option<&'static str> },
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What is on the disk after a sync that failed.
fn after_sync(error: &Error) -> Option<&'static str> {
    match error {
        Error::Settings(_) => None,
        Error::Archive(error) => Some(error.kept()),
        _ => Some(archive::KEPT),
    }
}

/// What a monitor is told of the end.
fn news(ended: &Result<u8, Ended>) -> News {
    match ended {
        Ok(_) => News::Succeeded,
        Err(Ended::Failed(error)) => {
            News::Failed { code: error.exit_code(), cause: error.to_string(), hurry: false }
        }
        Err(Ended::Signal { word, code, .. }) => {
            News::Failed { code: *code, cause: (*word).to_owned(), hurry: true }
        }
    }
}

/// Writes what is to be written, and tells where.
async fn finish(done: Done, voice: &Voice, signals: &mut Signals) -> Result<u8, Ended> {
    let mut code = 0;
    match done {
        Done::Text(text) => print(&text)?,
        Done::Checked(diagnosis) => {
            print(&diagnosis.text)?;
            code = diagnosis.code;
        }
        Done::Report(prepared, mail) => {
            let mode = prepared.mode();
            let receipt = prepared.deliver()?;
            commands::note_mode(mode, voice);
            // The files stand, whatever becomes of the mail.
            print(&written(&receipt, voice))?;
            if let Some(mail) = mail {
                let sent = send(receipt.json, mail, mode, voice, signals).await;
                sent.map_err(|ended| ended.leaving(deliver::UNMAILED))?;
            }
        }
        Done::Send(report, mail, mode) => {
            if matches!(mail.way, Way::File(_)) {
                commands::note_mode(mode, voice);
            }
            let sent = send(report, mail, mode, voice, signals).await;
            sent.map_err(|ended| ended.leaving("nothing was sent"))?;
        }
        Done::Demo(prepared) => {
            commands::note_mode(prepared.mode(), voice);
            print(&written(&prepared.deliver()?, voice))?;
            voice.say(commands::DEMO_HINT);
        }
    }
    Ok(code)
}

async fn send(
    report: PathBuf,
    mail: Mail,
    mode: u32,
    voice: &Voice,
    signals: &mut Signals,
) -> Result<(), Ended> {
    // A mail has the date of its sending, not of the report.
    let now = clock();
    let delivery = match &mail.way {
        Way::File(file) => {
            commands::write_message(&report, &mail, file, mode, now)?;
            return Ok(print(&format!("{}\n", file.display()))?);
        }
        Way::Server(delivery) => delivery.clone(),
    };
    let offer = async move { commands::offer(&report, &mail, &delivery, now).await };
    let mut offer = signals.until(offer).await?;
    loop {
        let signal = send_to_some(&mut offer, voice, signals).await;
        let Some(sent) = offer.partly_sent() else { return Ok(commands::sent(offer, voice)?) };
        voice.say(&commands::partly(sent));
        if let Some((word, code)) = signal {
            return Err(Ended::Signal { word, code, left: Some(deliver::PARTLY_SENT) });
        }
        let next = async move { Ok(offer.next().await) };
        offer = signals.until(next).await.map_err(|ended| ended.leaving(deliver::PARTLY_SENT))?;
    }
}

/// Sends a message to those whom its server has agreed to. A signal meanwhile would leave
/// a doubt, so it is given back only after the server's answer.
async fn send_to_some(
    offer: &mut Submission,
    voice: &Voice,
    signals: &mut Signals,
) -> Option<(&'static str, u8)> {
    let mut sending = pin!(offer.send());
    tokio::select! {
        () = &mut sending => None,
        (word, code) = signals.next() => {
            voice.say(&format!("{word}: waiting until the mail server answers to the message"));
            sending.await;
            Some((word, code))
        }
    }
}

fn print(text: &str) -> Result<(), Error> {
    let said = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    // Whoever closed the pipe does not want to hear more; a full disk is another matter.
    said.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
        .map_err(Error::Stdout)
}

/// The paths of what was written; what is gone is told apart.
fn written(receipt: &WrittenReport, voice: &Voice) -> String {
    for path in &receipt.removed {
        voice.say(&format!("removed {}: of an earlier run, and not asked for now", shown(path)));
    }
    let all = [&receipt.html, &receipt.json].into_iter().chain(&receipt.exports);
    all.map(|path| format!("{}\n", path.display())).collect()
}

/// What went wrong, what is on the disk all the same, and what to do.
fn complain(error: &Error, kept: Option<&str>) -> u8 {
    let kept = kept.map(|kept| format!("kept: {kept}\n")).unwrap_or_default();
    write_line(&format!("error: {error}\n{kept}hint: {}", error.hint()));
    error.exit_code()
}

/// Runs a command up to what must not be cut short.
async fn dispatch(
    cli: Cli,
    file: Result<SettingsFile, SettingsError>,
    choices: Vec<Choice>,
    secret: Result<Option<FoundKey>, SettingsError>,
    network: Result<Network, SettingsError>,
    now: DateTime<Utc>,
) -> Result<Done, Error> {
    let voice = Voice::new(cli.quiet);
    match cli.command {
        Command::Report(args) => {
            let found = Found { key: secret?, network: network?, ..around(&args, file?)? };
            let mailed = || report_mail_settings(&args, &found.network);
            let mail = commands::is_mailed(&args).then(mailed).transpose()?;
            Ok(Done::Report(Box::new(commands::report(&args, found, now, &voice).await?), mail))
        }
        Command::Sync(args) => {
            file?;
            Ok(Done::Text(commands::sync(&args, secret?, &network?, now, &voice).await?))
        }
        Command::Archive(ArchiveCommand::Verify(args)) => {
            file?;
            Ok(Done::Text(commands::verify(&args)?))
        }
        Command::Send(args) => {
            file?;
            let mail = commands::mail_settings(&args.post, secret?, state(args.state), &network?)?;
            Ok(Done::Send(args.report, mail, args.mode.unwrap_or(settings::PRIVATE)))
        }
        Command::Doctor(args) => {
            let ping = find_ping(&args.monitor).and_then(|found| settings::ping(found.as_ref()));
            let found = file.and_then(|file| around(&args, file)).and_then(|found| ping.map(|_| found));
            // A CA file that cannot be used has a line of its own; no server is asked then.
            let mailed = |network| report_mail_settings(&args, network);
            let reachable = network.as_ref().ok().filter(|_| commands::is_mailable(&args));
            let mail = reachable.map(mailed).transpose();
            Ok(Done::Checked(commands::doctor(&args, secret, found, network, now, mail, &voice).await))
        }
        Command::Config(ConfigCommand::Init(args)) => {
            Ok(Done::Text(commands::init(args.config, user_settings_file())?))
        }
        Command::Config(ConfigCommand::Show(_)) => {
            let key = secret?.map(|key| key.source);
            Ok(Done::Text(settings::show(&choices, &file?, key.as_deref())))
        }
        Command::Demo(args) => Ok(Done::Demo(commands::demo(&args, &voice).await?)),
        Command::Simulate(args) => {
            let simulator = commands::simulate(&args, now).await?;
            let base_url = simulator.base_url();
            voice.say(&commands::simulate_hint(&base_url));
            let _ = writeln!(io::stdout(), "{base_url}").and_then(|()| io::stdout().flush());
            std::future::pending().await
        }
        Command::Metrics(args) if args.markdown => Ok(Done::Text(metrics::markdown())),
        Command::Metrics(args) => Ok(Done::Text(commands::metrics(args.name.as_deref())?)),
        Command::Completions(args) => Ok(Done::Text(commands::completions(args.shell))),
    }
}

impl Ended {
    /// The same, if a signal ended the run, with what was done all the same, unless more is known.
    fn leaving(self, left: &'static str) -> Self {
        match self {
            Self::Signal { word, code, left: None } => Self::Signal { word, code, left: Some(left) },
            other => other,
        }
    }
}

/// The signals that end a run. One that arrives while files are written counts afterwards.
struct Signals(Option<(Signal, Signal)>);

impl Signals {
    fn listen() -> Self {
        Self(signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok()))
    }

    /// The next signal, and the exit code for it.
    async fn next(&mut self) -> (&'static str, u8) {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => ("interrupted", INTERRUPTED),
            _ = terminate.recv() => ("terminated", TERMINATED),
        }
    }

    /// Ends with the work or with the first signal, whichever comes first.
    async fn until<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Ended> {
        // A task of its own: a panic in it is an error with a hint and the documented code.
        let work = tokio::spawn(work);
        tokio::select! {
            // A signal that came before the end of the work counts.
            biased;
            (word, code) = self.next() => Err(Ended::Signal { word, code, left: None }),
            done = work => done.unwrap_or(Err(Error::Panicked)).map_err(Ended::Failed),
        }
    }
}

/// The text without what looks like a key, which a slip may have put among the arguments.
fn without_keys(text: &str) -> String {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let shown = |word: &str| match Api::of_key(word.trim_matches(|c| !is_of_word(c))) {
        Some(_) => "[a key]".to_owned(),
        None => word.to_owned(),
    };
    text.lines()
        .map(|line| line.split(' ').map(shown).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

/// One line that says what is wrong, one that says what to do.
fn usage(error: &clap::Error, argv: &[OsString]) -> ExitCode {
    if matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == Usage::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(USAGE);
    }
    let text = without_keys(&error.render().to_string());
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut wrong = lines.next().unwrap_or("error: cannot read the command line").to_owned();
    let mut tip = None;
    for line in lines {
        if let Some(text) = line.strip_prefix("tip: ") {
            tip.get_or_insert_with(|| text.to_owned());
        } else if line.starts_with("[possible values")
            || (wrong.ends_with(':') && line.starts_with(['-', '<']))
        {
            wrong = format!("{wrong} {line}");
        }
    }
    if error.kind() == Usage::UnknownArgument {
        tip = cli::meant(error, argv).or(tip.filter(|tip| !tip.contains("similar argument")));
    }
    let hint = tip.map_or_else(|| "see --help".to_owned(), |tip| format!("{tip}; see --help"));
    write_line(&format!("{wrong}\nhint: {hint}"));
    ExitCode::from(USAGE)
}
