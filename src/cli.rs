//! What was typed: flags, their environment names and their help.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use clap::builder::{OsStr as ClapStr, Resettable};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

const AFTER: &str = "\
Exit codes:
  0    done
  1    a defect of this program
  2    usage or settings
  3    the key, or the login to the mail server, was refused
  4    incomplete data: no report written, or none sent
  5    the API (retries included) or the mail server could not be reached
  65   the data broke its contract
  74   the report or standard output could not be written, or the mail not
       delivered, or not for certain
  75   the API or the mail server asks to come back later
  130  interrupted (SIGINT)    143  terminated (SIGTERM)

Start with `acumen demo`: it needs no account and no network.";

/// Turns an organisation's Devin sessions into one clear report.
#[derive(Debug, Parser)]
#[command(name = "acumen", version, after_help = AFTER, max_term_width = 100, infer_subcommands = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say nothing on stderr but errors, and warnings that sessions are missing or left out.
    #[arg(long, short, global = true, env = "ACUMEN_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub quiet: bool,
}

/// The flags of which one kind chooses the period.
const PERIOD_FLAGS: [&str; 5] = ["from", "to", "week", "month", "last"];

/// The flags that narrow the question.
const NARROWING: [&str; 3] = ["org", "tags", "users"];

/// The commands with the options of a report.
const WITH_OPTIONS: [&str; 4] = ["report", "doctor", "send", "config"];

/// Options that a settings file must not give: what is asked this once.
const THIS_ONCE: [&str; 11] =
    ["config", "from", "to", "week", "month", "mail", "eml", "force", "help", "version", "quiet"];

/// An option of a report that a settings file may give, and its texts there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOption {
    /// Its long flag, without dashes in front.
    pub flag: String,
    /// One text, or several for an option that is repeated.
    pub texts: Vec<String>,
}

/// Where the value of an option came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was typed.
    Flag,
    /// From the environment.
    Environment,
    /// From the settings file.
    File,
    /// Nobody gave it.
    Default,
}

/// An option as it will be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its long flag, without dashes in front.
    pub flag: String,
    /// Its name in the environment.
    pub variable: String,
    /// Its texts; none where it is unset.
    pub texts: Vec<String>,
    /// Where they came from.
    pub origin: Origin,
}

/// A command line that was read.
#[derive(Debug)]
pub struct Read {
    /// What to do.
    pub cli: Cli,
    /// The options of a report, in the order of its help; empty for other commands.
    pub choices: Vec<Choice>,
}

impl Cli {
    /// Reads a command line, the program's name first; what is not on it comes
    /// from the environment, and what is not there either from the settings file.
    /// A period that is typed beats any that stands there, and a variable with
    /// nothing in it counts as none, unless it narrows the question: a forgotten
    /// value must not widen a report to everybody.
    ///
    /// # Errors
    /// What clap says, help and version included.
    pub fn read(
        argv: Vec<OsString>,
        is_blank: &dyn Fn(&OsStr) -> bool,
        file: &[FileOption],
    ) -> Result<Read, clap::Error> {
        let is_period = |word: &OsString| {
            let word = word.to_string_lossy();
            let flag = word.strip_prefix("--").map(|flag| flag.split('=').next().unwrap_or(flag).to_owned());
            flag.is_some_and(|flag| PERIOD_FLAGS.contains(&flag.as_str()))
        };
        let typed = argv.iter().any(is_period);
        let unset = |arg: &Arg| {
            let id = arg.get_id().as_str();
            let blank = arg.get_env().is_some_and(is_blank) && !NARROWING.contains(&id);
            blank || (typed && PERIOD_FLAGS.contains(&id))
        };
        let settle = |arg: Arg| if unset(&arg) { arg.env(Resettable::Reset) } else { arg };
        let filed = |arg: Arg| match file.iter().find(|option| Some(option.flag.as_str()) == arg.get_long()) {
            Some(option) => arg.default_values(option.texts.iter().map(|text| ClapStr::from(text.clone()))),
            None => arg,
        };
        let command = ["demo", "simulate"]
            .into_iter()
            .fold(Self::command(), |all, name| all.mut_subcommand(name, |one| one.mut_args(settle)));
        let command = WITH_OPTIONS.into_iter().fold(command, |all, name| {
            all.mut_subcommand(name, |one| match name {
                "config" => one.mut_subcommand("show", |show| show.mut_args(|arg| filed(settle(arg)))),
                _ => one.mut_args(|arg| filed(settle(arg))),
            })
        });
        let matches = command.try_get_matches_from(argv)?;
        let choices = choices(&matches, file);
        Ok(Read { cli: Self::from_arg_matches(&matches)?, choices })
    }
}

/// The file that `--config` names, found before anything else is read.
pub fn config_flag(argv: &[OsString]) -> Option<PathBuf> {
    let mut words = argv.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--config" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

/// Whether a command takes the options of a report, and so the settings file.
pub fn takes_options(argv: &[OsString]) -> bool {
    let command = argv.iter().skip(1).find(|word| !word.to_string_lossy().starts_with('-'));
    command.is_some_and(|command| WITH_OPTIONS.iter().any(|name| command == name))
}

/// The long flags that a settings file may give.
pub fn flags_of_file() -> Vec<String> {
    let command = Cli::command();
    let flags = command.find_subcommand("report").into_iter().flat_map(|report| report.get_arguments());
    flags
        .filter(|arg| !THIS_ONCE.contains(&arg.get_id().as_str()))
        .filter_map(|arg| arg.get_long().map(str::to_owned))
        .collect()
}

/// What clap finds wrong with an option of a settings file: one line, or nothing.
pub fn fault_of_file(option: &FileOption) -> Option<String> {
    let command = Cli::command().mut_subcommand("report", |report| {
        // Nothing but this option is to be judged.
        report.mut_args(|arg| if arg.get_long().is_some() { arg.env(Resettable::Reset) } else { arg })
    });
    let is_switch = command
        .find_subcommand("report")?
        .get_arguments()
        .any(|arg| arg.get_long() == Some(&option.flag) && matches!(arg.get_action(), ArgAction::SetTrue));
    let argv: Vec<String> = match is_switch {
        true if option.texts == ["true"] || option.texts == ["false"] => return None,
        true => return Some("it is either true or false".to_owned()),
        false => option.texts.iter().map(|text| format!("--{}={text}", option.flag)).collect(),
    };
    let argv = ["acumen", "report"].map(str::to_owned).into_iter().chain(argv);
    let error = command.try_get_matches_from(argv).err()?;
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    match lines.next().filter(|line| line.starts_with("[possible values")) {
        Some(values) => Some(format!("{first} {values}")),
        None => Some(first),
    }
}

/// The options of the command that ran, if it takes those of a report.
fn choices(matches: &ArgMatches, file: &[FileOption]) -> Vec<Choice> {
    let Some((name, mut matches)) = matches.subcommand().filter(|(name, _)| WITH_OPTIONS.contains(name))
    else {
        return Vec::new();
    };
    if let ("config", Some((_, deeper))) = (name, matches.subcommand()) {
        matches = deeper;
    }
    let command = Cli::command();
    let options = command.find_subcommand("report").into_iter().flat_map(|report| report.get_arguments());
    let choice = |arg: &Arg| {
        let (id, flag) = (arg.get_id().as_str(), arg.get_long()?.to_owned());
        let source = matches.try_contains_id(id).ok().and_then(|_| matches.value_source(id));
        let texts = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
        let texts: Vec<String> = texts.map(|text| text.to_string_lossy().into_owned()).collect();
        let origin = match source {
            Some(ValueSource::CommandLine) => Origin::Flag,
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ if file.iter().any(|option| option.flag == flag) => Origin::File,
            _ => Origin::Default,
        };
        let variable = arg.get_env()?.to_string_lossy().into_owned();
        Some(Choice { flag, variable, texts, origin })
    };
    options.filter_map(choice).collect()
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
  acumen report --org org_789 --month 2026-03 --tag payments --tz Europe/Berlin
  acumen report --from 2026-10-05 --to 2026-10-11 --out /srv/reports
  acumen report --org org_789 --ping https://hc-ping.com/UUID --summary summary.md

`acumen --help` lists the exit codes.")]
    Report(Box<ReportArgs>),
    /// Look at all that a report needs, and write nothing.
    ///
    /// With the options of a report it prints a line for each thing: settings,
    /// key, address, access, organisation, sessions, clock, time window, page
    /// size, the last complete week, output folder. It begins with `ok`, `note`,
    /// `FAILED` with a hint below, or `skipped` where something else failed
    /// first. The exit code is that of the first failure. It takes a minute at
    /// most, whatever the network does.
    #[command(after_help = "\
Examples:
  acumen doctor --org org_789
  acumen doctor --api v3 --base-url https://devin.example.com --out /srv/reports")]
    Doctor(Box<ReportArgs>),
    /// Send a report that was written before.
    ///
    /// The mail is made from the report's facts alone, so it is the same, byte
    /// for byte, as the one that `acumen report --mail` sends. The same report is
    /// not sent twice to the same people unless --force is given.
    #[command(after_help = "\
The password is never a flag. It is taken from --smtp-password-file, else from the
systemd credential `smtp-password`, else from ACUMEN_SMTP_PASSWORD.

Examples:
  acumen send reports/org_789_2026-W41.html --mail-from acumen@example.com \\
    --mail-to lead@example.com --smtp smtps://mail.example.com --smtp-user acumen
  acumen send reports/org_789_2026-W41.json --mail-from a@example.com \\
    --mail-to b@example.com --eml week-41.eml")]
    Send(Box<SendArgs>),
    /// Show the settings and where each came from, or begin a settings file.
    ///
    /// A flag beats the environment, that the settings file, and that the
    /// default. The file is the one of --config, else acumen.toml in the working
    /// folder, else acumen/acumen.toml in the user's configuration folder.
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

/// A kind of file beside the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Format {
    /// One CSV file a grouping, with all its facts.
    Csv,
    /// One workbook, with a sheet a section.
    Xlsx,
    /// The sessions and what hangs on them, one Parquet file a table.
    Parquet,
}

/// A text that nothing shows: it holds a token.
#[derive(Clone, Default)]
pub struct Private(pub String);

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// `acumen config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print each setting and where it came from; secrets are not shown.
    Show(Box<ReportArgs>),
    /// Write a commented example to acumen.toml, or to the file of --config.
    Init(InitArgs),
}

/// `acumen config init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to write it; a file that is there is left as it is.
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", default_value = "acumen.toml")]
    pub config: PathBuf,
}

/// `acumen report`.
#[derive(Debug, Default, Args)]
pub struct ReportArgs {
    /// Settings file; left out, acumen.toml here or in the user's configuration folder.
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,

    /// First day, as 2026-10-05.
    #[arg(long, env = "ACUMEN_FROM", value_name = "DATE", requires = "to", help_heading = "Period",
          conflicts_with_all = ["week", "month", "last"])]
    pub from: Option<String>,
    /// Last day, included.
    #[arg(long, env = "ACUMEN_TO", value_name = "DATE", requires = "from", help_heading = "Period",
          conflicts_with_all = ["week", "month", "last"])]
    pub to: Option<String>,
    /// ISO week, as 2026-W41.
    #[arg(long, env = "ACUMEN_WEEK", value_name = "WEEK", help_heading = "Period",
          conflicts_with_all = ["month", "last"])]
    pub week: Option<String>,
    /// Calendar month, as 2026-10.
    #[arg(
        long,
        env = "ACUMEN_MONTH",
        value_name = "MONTH",
        help_heading = "Period",
        conflicts_with = "last"
    )]
    pub month: Option<String>,
    /// Whole days or weeks before today, as 14d or 2w.
    #[arg(long, env = "ACUMEN_LAST", value_name = "SPAN", help_heading = "Period")]
    pub last: Option<String>,
    /// Time zone whose midnights bound days and periods, an IANA name.
    #[arg(long, env = "ACUMEN_TZ", value_name = "ZONE", default_value = "UTC", help_heading = "Period")]
    pub tz: String,
    /// Earlier periods to show as a trend.
    #[arg(long, env = "ACUMEN_TREND", value_name = "N", default_value_t = 7, help_heading = "Period",
          value_parser = clap::value_parser!(u32).range(0..=104))]
    pub trend: u32,

    /// Organisation id; left out, the whole enterprise.
    #[arg(long, env = "ACUMEN_ORG", value_name = "ID", help_heading = "Sessions")]
    pub org: Option<String>,
    /// Only sessions with this tag; repeat for any of several (the environment gives one).
    #[arg(long = "tag", env = "ACUMEN_TAG", value_name = "TAG", value_delimiter = None, help_heading = "Sessions")]
    pub tags: Vec<String>,
    /// Only sessions of this user id; repeat for any of several (the environment gives one).
    #[arg(long = "user", env = "ACUMEN_USER", value_name = "ID", help_heading = "Sessions")]
    pub users: Vec<String>,

    /// Generation of the API; left out, the key tells: cog_ is v3, apk_ is v2.
    #[arg(long, env = "ACUMEN_API", value_name = "API", value_parser = ["v2", "v3"], help_heading = "API")]
    pub api: Option<String>,
    /// Where the API answers: https, or http on loopback.
    #[arg(
        long,
        env = "ACUMEN_BASE_URL",
        value_name = "URL",
        default_value = "https://api.devin.ai",
        help_heading = "API"
    )]
    pub base_url: String,
    /// File that holds the API key.
    #[arg(long, env = "ACUMEN_API_KEY_FILE", value_name = "FILE", help_heading = "API")]
    pub api_key_file: Option<PathBuf>,
    /// Sessions asked for per page.
    #[arg(long, env = "ACUMEN_PAGE_SIZE", value_name = "N", default_value_t = 200, help_heading = "API",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub page_size: u32,
    /// Requests in flight at once.
    #[arg(long, env = "ACUMEN_CONCURRENCY", value_name = "N", default_value_t = 4, help_heading = "API",
          value_parser = clap::value_parser!(u32).range(1..=32))]
    pub concurrency: u32,

    /// For whom the report is: lead shows names, titles and links to sessions,
    /// leadership pseudonyms and neither of the others.
    #[arg(long, env = "ACUMEN_PROFILE", value_name = "PROFILE", value_parser = ["lead", "leadership"],
          default_value = "lead", help_heading = "People")]
    pub profile: String,
    /// How people are shown: by name, under pseudonyms, or not at all; left out, as the profile says.
    #[arg(long, env = "ACUMEN_PEOPLE", value_name = "HOW", value_parser = ["names", "pseudonyms", "hidden"],
          help_heading = "People")]
    pub people: Option<String>,
    /// CSV of people with the columns user (id or email), name, team, from; it beats the API's lists.
    #[arg(long, env = "ACUMEN_PEOPLE_FILE", value_name = "FILE", help_heading = "People")]
    pub people_file: Option<PathBuf>,
    /// Print the beginning of each prompt with the sessions worth a look.
    #[arg(long, env = "ACUMEN_INCLUDE_PROMPTS", help_heading = "People",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub include_prompts: bool,

    /// What may be spent in a calendar month, in the currency of the prices.
    #[arg(long, env = "ACUMEN_BUDGET", value_name = "AMOUNT", help_heading = "Money")]
    pub budget: Option<String>,

    /// Folder for what must outlive a run, such as the salt of pseudonyms; made if missing.
    #[arg(long, env = "ACUMEN_STATE", value_name = "DIR", help_heading = "Output")]
    pub state: Option<PathBuf>,
    /// Folder for the report and its facts; made if missing.
    #[arg(long, env = "ACUMEN_OUT", value_name = "DIR", default_value = "reports", help_heading = "Output")]
    pub out: PathBuf,
    /// Files beside the report for spreadsheets and analysts; several with commas between them.
    #[arg(
        long,
        env = "ACUMEN_EXPORT",
        value_name = "FORMATS",
        value_delimiter = ',',
        ignore_case = true,
        help_heading = "Output"
    )]
    pub export: Vec<Format>,
    /// Write a report even if sessions are missing; its first screen says so.
    #[arg(long, env = "ACUMEN_ALLOW_PARTIAL", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub allow_partial: bool,
    /// Do not ask for the vendor's own totals, which the page shows beside ours.
    #[arg(long, env = "ACUMEN_NO_RECONCILE", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub no_reconcile: bool,

    /// File to which a short Markdown summary is appended once the report stands.
    #[arg(long, env = "ACUMEN_SUMMARY", value_name = "FILE", help_heading = "Schedule")]
    pub summary: Option<PathBuf>,
    /// Monitor to tell of start (URL/start), success (URL) and failure (URL/fail), as Healthchecks has it.
    #[arg(
        long,
        env = "ACUMEN_PING",
        value_name = "URL",
        hide_env_values = true,
        hide_default_value = true,
        help_heading = "Schedule"
    )]
    pub ping: Option<Private>,

    /// Send the report by mail once it is written.
    #[arg(long, env = "ACUMEN_MAIL", help_heading = "Mail",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub mail: bool,
    /// How it is sent.
    #[command(flatten)]
    pub post: MailArgs,
}

/// `acumen send`.
#[derive(Debug, Default, Args)]
pub struct SendArgs {
    /// The report: its page or its facts, NAME.html or NAME.json.
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// Settings file; left out, acumen.toml here or in the user's configuration folder.
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Folder that remembers what was sent; left out, the user's state folder.
    #[arg(long, env = "ACUMEN_STATE", value_name = "DIR", help_heading = "Mail")]
    pub state: Option<PathBuf>,
    /// How it is sent.
    #[command(flatten)]
    pub post: MailArgs,
}

/// What a mail needs.
#[derive(Debug, Default, Args)]
pub struct MailArgs {
    /// A recipient, as `lead@example.com` or `Ada <ada@example.com>`; repeat for several (the environment gives one).
    #[arg(long, env = "ACUMEN_MAIL_TO", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_to: Vec<String>,
    /// Who gets a copy; repeat for several (the environment gives one).
    #[arg(long, env = "ACUMEN_MAIL_CC", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_cc: Vec<String>,
    /// The sender.
    #[arg(long, env = "ACUMEN_MAIL_FROM", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_from: Option<String>,
    /// What is attached: the page, the workbook of `--export xlsx`, or nothing.
    #[arg(long, env = "ACUMEN_MAIL_ATTACH", value_name = "WHAT", default_value = "html",
          value_parser = ["html", "xlsx", "none"], help_heading = "Mail")]
    pub mail_attach: String,
    /// The mail server: smtps://HOST[:465] is TLS, smtp://HOST[:587] is STARTTLS,
    /// smtp+plain://HOST[:25] is neither and for loopback alone.
    #[arg(long, env = "ACUMEN_SMTP", value_name = "URL", help_heading = "Mail")]
    pub smtp: Option<String>,
    /// Who logs in there; left out, nobody does.
    #[arg(long, env = "ACUMEN_SMTP_USER", value_name = "NAME", help_heading = "Mail")]
    pub smtp_user: Option<String>,
    /// File that holds the password.
    #[arg(long, env = "ACUMEN_SMTP_PASSWORD_FILE", value_name = "FILE", help_heading = "Mail")]
    pub smtp_password_file: Option<PathBuf>,
    /// Write the message to a file instead of sending it.
    #[arg(long, env = "ACUMEN_EML", value_name = "FILE", help_heading = "Mail")]
    pub eml: Option<PathBuf>,
    /// Send even what was, or may have been, sent to these people before.
    #[arg(long, env = "ACUMEN_FORCE", help_heading = "Mail",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub force: bool,
}

/// `acumen demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for the report and its facts; made if missing.
    #[arg(long, env = "ACUMEN_OUT", value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
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
    /// Sessions, spread over the last eight weeks.
    #[arg(long, env = "ACUMEN_SIMULATE_SESSIONS", value_name = "N", default_value_t = 2500,
          value_parser = clap::value_parser!(u32).range(0..=2_000_000))]
    pub sessions: u32,
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
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_a_report_has_an_environment_name_and_none_takes_the_key() {
        let cli = Cli::command();
        let flags = ["report", "send"].map(|name| cli.find_subcommand(name).unwrap().get_opts());
        for flag in
            flags.into_iter().flatten().filter(|flag| !matches!(flag.get_id().as_str(), "help" | "version"))
        {
            assert!(flag.get_env().is_some(), "{} has no environment name", flag.get_id());
            assert!(!matches!(flag.get_id().as_str(), "key" | "api_key" | "token" | "smtp_password"));
        }
    }
}
