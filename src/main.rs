//! argv, environment, clock -> run -> exit code; nothing else.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use acumen::cli::{Cli, Command, ReportArgs};
use acumen::error::Error;
use acumen::progress::{Voice, write_line};
use acumen::settings::{FoundKey, SettingsError};
use acumen::{commands, metrics};
use clap::error::ErrorKind;
use tokio::signal::unix::{SignalKind, signal};

/// A run that a signal ended: 128 and the signal's number.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;
const DEFECT: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            write_line(&format!("error: could not start the runtime: {error}"));
            return ExitCode::from(DEFECT);
        }
    };
    let code = runtime.block_on(until_signal(run(cli)));
    // Blocking work in flight must not hold back an interrupted run.
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn run(cli: Cli) -> u8 {
    // A task of its own: a panic in it is an error with a hint and the documented code.
    match tokio::spawn(dispatch(cli)).await.unwrap_or(Err(Error::Panicked)) {
        Ok(output) => {
            // Whoever closed stdout does not want to hear more.
            let _ = io::stdout().write_all(output.as_bytes()).and_then(|()| io::stdout().flush());
            0
        }
        Err(error) => {
            write_line(&format!("error: {error}\nhint: {}", error.hint()));
            error.exit_code()
        }
    }
}

/// Runs a command and gives what belongs on stdout.
async fn dispatch(cli: Cli) -> Result<String, Error> {
    let voice = Voice::new(cli.quiet);
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    let now = chrono::Utc::now();
    let receipt = match cli.command {
        Command::Report(args) => commands::report(&args, find_key(&args)?, now, &voice).await?,
        Command::Demo(args) => commands::demo(&args, &voice).await?,
        Command::Simulate(args) => {
            let simulator = commands::simulate(&args, now).await?;
            let base_url = simulator.base_url();
            voice.say(&commands::simulate_hint(&base_url));
            let _ = writeln!(io::stdout(), "{base_url}").and_then(|()| io::stdout().flush());
            std::future::pending::<()>().await;
            return Ok(String::new());
        }
        Command::Metrics(args) if args.markdown => return Ok(metrics::markdown()),
        Command::Metrics(_) => return Ok(metrics::text()),
        Command::Completions(args) => return Ok(commands::completions(args.shell)),
    };
    Ok(format!("{}\n{}\n", receipt.html.display(), receipt.json.display()))
}

/// Ends with the work or with the first signal, whichever comes first.
async fn until_signal(work: impl Future<Output = u8>) -> u8 {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return work.await;
    };
    let (word, code) = tokio::select! {
        code = work => return code,
        _ = interrupt.recv() => ("interrupted", INTERRUPTED),
        _ = terminate.recv() => ("terminated", TERMINATED),
    };
    write_line(&format!("{word}: nothing was written"));
    code
}

/// The key from the named file, else the systemd credential, else the environment.
fn find_key(args: &ReportArgs) -> Result<Option<FoundKey>, SettingsError> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    let environment = |name: &str| std::env::var_os(name);
    if let Some(path) = &args.api_key_file {
        return key_file(path.clone(), format!("--api-key-file {}", path.display())).map(Some);
    }
    let credential =
        environment("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join("devin-api-key"));
    if let Some(path) = credential.filter(|path| path.exists()) {
        return key_file(path, "the systemd credential devin-api-key".to_owned()).map(Some);
    }
    Ok(environment("DEVIN_API_KEY").map(|text| FoundKey {
        text: text.to_string_lossy().into_owned(),
        source: "DEVIN_API_KEY".to_owned(),
    }))
}

fn key_file(path: PathBuf, source: String) -> Result<FoundKey, SettingsError> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(FoundKey { text, source }),
        Err(error) => Err(SettingsError::new(
            format!("{source}: {error}"),
            "name a file that this user may read and that holds the key alone",
        )),
    }
}

/// One line that says what is wrong, one that says what to do.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(USAGE);
    }
    let text = error.render().to_string();
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
    let hint = tip.map_or_else(|| "see --help".to_owned(), |tip| format!("{tip}; see --help"));
    write_line(&format!("{wrong}\nhint: {hint}"));
    ExitCode::from(USAGE)
}
