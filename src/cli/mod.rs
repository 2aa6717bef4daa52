//! What was typed: flags, their environment names and their help.

mod archive;
mod meant;
mod options;
mod read;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use archive::{SyncArgs, VerifyArgs};
pub use meant::meant;
pub use options::{
    ApiArgs, Format, MailArgs, NetworkArgs, People, PingArgs, RenderArgs, RenderFormat, ReportArgs, SendArgs,
};
pub use read::{
    Choice, FileOption, Origin, Read, config_flag, fault_of_file, flags_of_file, is_not_for_files,
    log_format_flag, takes_options,
};

const AFTER: &str = "\
Exit codes:
  0    done
  1    a defect of this program
  2    usage or settings; a certificate, TLS version or proxy that does not let
       the run through
  3    the key, or the login to the mail server, was refused
  4    incomplete data: no report written, or none sent
  5    the API or the mail server could not be reached, or kept failing (retries
       included)
  65   the data broke its contract, or an archive is damaged
  74   the report, the archive or standard output could not be written, or the
       mail not delivered, or not for certain
  75   the API or the mail server asks to come back later, or another run is at
       work
  130  interrupted (SIGINT)    143  terminated (SIGTERM)

Start with `acumen demo`: it needs no account and no network.";

/// Turns an organisation's Devin sessions into one clear report.
#[derive(Debug, Parser)]
#[command(name = "acumen", version, after_help = AFTER, max_term_width = 100, infer_subcommands = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print only errors, and warnings about missing data or a settings file that is not read.
    #[arg(long, short, global = true, env = "ACUMEN_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub quiet: bool,
    /// Log stages, walks and steps of an archive to standard error; -vv logs requests and pages as well.
    #[arg(long, short, global = true, env = "ACUMEN_VERBOSE", action = ArgAction::Count)]
    pub verbose: u8,
    /// Write standard error as text, or as a JSON object a line.
    #[arg(
        long,
        global = true,
        env = "ACUMEN_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        ignore_case = true
    )]
    pub log_format: LogFormat,
}

/// How standard error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fetch the sessions of a period and write the report.
    ///
    /// Without a period it reports the last complete ISO week in the time
    /// zone, so a scheduled run that starts late or twice gives the same report.
    #[command(after_help = "\
The key is never a flag. It is taken from --api-key-file, else from the systemd
credential `devin-api-key`, else from DEVIN_API_KEY.

Examples:
  acumen report --org org_789
  acumen report --org org_789 --month 2026-03 --tag team:payments --tz Europe/Berlin
  acumen report --from 2026-10-05 --to 2026-10-11 --out /srv/reports
  acumen report --org org_789 --ping-file /etc/acumen/ping --summary summary.md

`acumen --help` lists the exit codes.")]
    Report(Box<ReportArgs>),
    /// Keep all sessions in a local archive, from which reports are made without asking.
    ///
    /// The first run fetches everything since --since, month by month; later ones
    /// ask for what was created or changed since the last, and again for sessions
    /// that run or have open pull requests. A run that is interrupted, or killed,
    /// damages nothing, and the next one goes on where it ended. Two at once are
    /// refused.
    #[command(after_help = "\
Examples:
  acumen sync --org org_789 --archive /srv/devin
  acumen report --archive /srv/devin --month 2026-03 --tag team:payments
  acumen archive verify --archive /srv/devin")]
    Sync(Box<SyncArgs>),
    /// Look after an archive.
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Look at all that a report needs, and write nothing.
    ///
    /// With the options of a report it prints a line for each thing: settings,
    /// key, API, certificates, proxy, address, access, organisation, sessions, clock, time window, page
    /// size, the last complete week, output folder; with mail the
    /// state folder; and the mail, where --mail is given or sender, recipients
    /// and server are: with its server it goes as far as the recipients, takes
    /// that back, and sends nothing. A line begins with `ok`, `note`, `FAILED` with a hint below, or
    /// `skipped` where something else failed first. The exit code is that of the
    /// first failure. It takes a minute at most, whatever the network does.
    #[command(after_help = "\
Examples:
  acumen doctor --org org_789
  acumen doctor --api v3 --base-url https://devin.example.com --out /srv/reports")]
    Doctor(Box<ReportArgs>),
    /// Send a report that was written before.
    ///
    /// The mail is made from the report's facts alone, so it says the same as the
    /// one that `acumen report --mail` sends. Whoever got the report before does
    /// not get it again unless --force is given.
    #[command(after_help = "\
The password is never a flag. It is what --smtp-password-command prints, else in
--smtp-password-file, else in the systemd credential `smtp-password`, else in
ACUMEN_SMTP_PASSWORD.

Examples:
  acumen send reports/org_789_2026-W41.html --mail-from acumen@example.com \\
    --mail-to lead@example.com --smtp smtps://mail.example.com --smtp-user acumen
  acumen send reports/org_789_2026-W41.json --mail-from a@example.com \\
    --mail-to b@example.com --eml week-41.eml")]
    Send(Box<SendArgs>),
    /// Make the outputs of a report again from its facts.
    ///
    /// Reads one facts file and nothing else, and writes the same bytes as the run that
    /// wrote the facts; a message has a date and an id of its own.
    #[command(after_help = "\
Examples:
  acumen render reports/org_789_2026-W41.json --format html,xlsx
  acumen render facts.json --format eml --mail-from a@example.com --mail-to b@example.com")]
    Render(Box<RenderArgs>),
    /// Show the settings and where each came from, or write an example of a settings file.
    ///
    /// A flag beats the environment, that the settings file, and that the
    /// default. The file is the one of --config or ACUMEN_CONFIG, else
    /// acumen/acumen.toml in the user's configuration folder: $XDG_CONFIG_HOME,
    /// or ~/.config. An acumen.toml in the working directory is not read unless
    /// it is named.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write a report about an invented organisation: no account, no network.
    Demo(DemoArgs),
    /// Serve an invented organisation on loopback, to try things against.
    ///
    /// Both generations of the API are served at once: v2 lets in any key that
    /// begins with apk_user_, v3 any that begins with cog_.
    #[command(after_help = "\
Faults of --fault NAME[=N]; every Nth request (N is 7) where nothing else is said:
  503, 429, 429date   refused for a moment; the last two say when to come back
  reset, truncate     the connection is reset, the body cut short
  stall               some of the body, then nothing
  html, redirect      a page for people, a redirect elsewhere
  bomb                a small gzip body of hundreds of megabytes
  clamp               pages of N sessions (50), whatever is asked
  drift               until request N sessions appear while pages are read
  dup, drop           every Nth session comes twice, or is missing
  ignorefilter        window and filters are ignored
  nohasmore           the field that ends the walk is missing
  emptymore           an empty page that promises more
  loop                skip is ignored (v2), the cursor repeats (v3)
  nomembers           the lists of people and organisations may not be read
  hidearchived        archived sessions are listed only where they are asked for (v3)
  unmetered           every session has 0 ACUs

Examples:
  acumen simulate --sessions 5000 --fault 503=3 --fault drift
  DEVIN_API_KEY=apk_user_demo acumen report --base-url http://127.0.0.1:8765 --org org_demo
  DEVIN_API_KEY=cog_demo acumen report --api v3 --base-url http://127.0.0.1:8765 --org org_demo")]
    Simulate(SimulateArgs),
    /// Print the definition of every number.
    Metrics(MetricsArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

/// `acumen archive`.
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// Check that every file is what was written and every session there once.
    Verify(VerifyArgs),
}

/// `acumen config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print each setting and where it came from; secrets are not shown.
    Show(Box<ReportArgs>),
    /// Write a commented example to the user's configuration folder, or to the file of --config.
    Init(InitArgs),
}

/// `acumen config init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// File to write [default: acumen/acumen.toml in the user's configuration folder]; an existing
    /// file is never overwritten.
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `acumen demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for the report and its facts; made if missing.
    #[arg(long, env = "ACUMEN_OUT", value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    /// Rights of the files that are written, in octal, as 0640; left out, 0600:
    /// only their owner reads them.
    #[arg(long, env = "ACUMEN_MODE", value_name = "MODE", value_parser = options::mode)]
    pub mode: Option<u32>,
    /// Files beside the report for spreadsheets and analysts; several with commas between them.
    #[arg(long, env = "ACUMEN_EXPORT", value_name = "FORMATS", value_delimiter = ',', ignore_case = true)]
    pub export: Vec<Format>,
}

/// `acumen simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Port on loopback; 0 takes a free one.
    #[arg(long, env = "ACUMEN_SIMULATE_PORT", value_name = "N", default_value_t = 8765)]
    pub port: u16,
    /// Sessions, spread over the days.
    #[arg(long, env = "ACUMEN_SIMULATE_SESSIONS", value_name = "N", default_value_t = 2500,
          value_parser = clap::value_parser!(u32).range(0..=2_000_000))]
    pub sessions: u32,
    /// Days up to today.
    #[arg(long, env = "ACUMEN_SIMULATE_DAYS", value_name = "N", default_value_t = 56,
          value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// Another seed invents another organisation.
    #[arg(long, env = "ACUMEN_SIMULATE_SEED", value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Wait before each answer, in milliseconds.
    #[arg(long, env = "ACUMEN_SIMULATE_LATENCY", value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// Do something wrong, see below; repeat for several (the environment gives one).
    #[arg(long = "fault", env = "ACUMEN_SIMULATE_FAULT", value_name = "NAME[=N]")]
    pub faults: Vec<String>,
}

/// `acumen metrics`.
#[derive(Debug, Args)]
pub struct MetricsArgs {
    /// Print this metric alone, by its name in the files, as merge_rate.
    #[arg(value_name = "NAME", conflicts_with = "markdown")]
    pub name: Option<String>,
    /// As the Markdown of METRICS.md.
    #[arg(long)]
    pub markdown: bool,
}

/// `acumen completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_a_report_has_an_environment_name_and_none_takes_the_key() {
        let cli = Cli::command();
        let flags = ["report", "send", "sync"].map(|name| cli.find_subcommand(name).unwrap().get_opts());
        for flag in
            flags.into_iter().flatten().filter(|flag| !matches!(flag.get_id().as_str(), "help" | "version"))
        {
            assert!(flag.get_env().is_some(), "{} has no environment name", flag.get_id());
            assert!(!matches!(flag.get_id().as_str(), "key" | "api_key" | "token" | "smtp_password"));
        }
    }
}
