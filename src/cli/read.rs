//! Reading a command line: a flag beats the environment, that the settings file,
//! and that the default. clap keeps the order and reports the source of a value.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{OsStr as ClapStr, Resettable};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches};

use super::{Cli, ReportArgs};

/// The flags of which one kind chooses the period.
const PERIOD_FLAGS: [&str; 6] = ["from", "to", "week", "month", "quarter", "last"];

/// The flags of which one that is typed beats the other, wherever that stands.
const PASSWORDS: [&str; 2] = ["smtp-password-file", "smtp-password-command"];

/// The flags that narrow the question.
const NARROWING: [&str; 4] = ["org", "tags", "users", "team"];

/// The commands with the options of a report.
const WITH_OPTIONS: [&str; 7] = ["report", "run", "doctor", "send", "sync", "archive", "config"];

/// Those of them whose options are those of commands below.
const BELOW: [(&str, &[&str]); 2] = [("archive", &["verify"]), ("config", &["show", "init"])];

/// Options that a settings file must not give: what is asked this once.
const THIS_ONCE: [&str; 18] = [
    "config",
    "from",
    "to",
    "week",
    "month",
    "quarter",
    "team",
    "pages",
    "mail",
    "chat",
    "eml",
    "force",
    "repost",
    "help",
    "version",
    "quiet",
    "verbose",
    "log_format",
];

/// Options that a settings file must not give either: they choose a file that is
/// appended to, and an address that is called. The person who starts the run names them.
const TYPED_ONLY: [&str; 3] = ["summary", "ping", "ping_file"];

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
    /// It was not set.
    Default,
}

/// An option as it will be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its long flag, without dashes in front.
    pub flag: String,
    /// Its name in the environment.
    pub variable: String,
    /// Its texts; empty if it is unset.
    pub texts: Vec<String>,
    /// Where they came from.
    pub origin: Origin,
}

/// A command line that was read.
#[derive(Debug)]
pub struct Read {
    /// Command.
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
        let flag = |word: &OsString| {
            let word = word.to_string_lossy();
            word.strip_prefix("--").map(|flag| flag.split_once('=').map_or(flag, |(flag, _)| flag).to_owned())
        };
        let flags: Vec<String> = argv.iter().filter_map(flag).collect();
        let is_typed = |all: &[&str]| flags.iter().any(|flag| all.contains(&flag.as_str()));
        let typed = is_typed(&PERIOD_FLAGS);
        let is_beaten = |arg: &Arg| {
            let is_one = arg.get_long().is_some_and(|flag| PASSWORDS.contains(&flag) && !is_typed(&[flag]));
            is_one && is_typed(&PASSWORDS)
        };
        let unset = |arg: &Arg| {
            let id = arg.get_id().as_str();
            let blank = arg.get_env().is_some_and(is_blank) && !NARROWING.contains(&id);
            blank || (typed && PERIOD_FLAGS.contains(&id)) || is_beaten(arg)
        };
        let settle = |arg: Arg| if unset(&arg) { arg.env(Resettable::Reset) } else { arg };
        let filed = |arg: Arg| match file.iter().find(|option| Some(option.flag.as_str()) == arg.get_long()) {
            Some(_) if is_beaten(&arg) => arg,
            Some(option) => arg.default_values(option.texts.iter().map(|text| ClapStr::from(text.clone()))),
            None => arg,
        };
        let command = ["demo", "simulate"].into_iter().fold(Self::command().mut_args(settle), |all, name| {
            all.mut_subcommand(name, |one| one.mut_args(settle))
        });
        let command = WITH_OPTIONS.into_iter().fold(command, |all, name| {
            let below = BELOW.into_iter().find(|(above, _)| *above == name);
            all.mut_subcommand(name, |one| match below {
                Some((_, below)) => below.iter().fold(one, |one, name| {
                    one.mut_subcommand(*name, |one| one.mut_args(|arg| filed(settle(arg))))
                }),
                None => one.mut_args(|arg| filed(settle(arg))),
            })
        });
        let matches = command.try_get_matches_from(argv)?;
        let choices = choices(&matches, file);
        Ok(Read { cli: Self::from_arg_matches(&matches)?, choices })
    }
}

/// The options of one report of a run, from texts alone: neither the command line nor the environment is
/// read.
///
/// # Errors
/// What clap finds wrong with a value or a combination.
pub fn report_args(options: &[FileOption]) -> Result<ReportArgs, clap::Error> {
    let set = |arg: Arg| {
        let arg = arg.env(Resettable::Reset);
        match options.iter().find(|option| Some(option.flag.as_str()) == arg.get_long()) {
            Some(option) => arg.default_values(option.texts.iter().map(|text| ClapStr::from(text.clone()))),
            None => arg,
        }
    };
    let command = Cli::command().mut_subcommand("report", |report| report.mut_args(set));
    let matches = command.try_get_matches_from(["acumen", "report"])?;
    let (_, report) = matches.subcommand().expect("the command is named");
    ReportArgs::from_arg_matches(report)
}

/// The file that `--config` names, found before anything else is read.
pub fn config_flag(argv: &[OsString]) -> Option<PathBuf> {
    value_of("--config", argv).map(PathBuf::from)
}

/// What `--log-format` says, found before anything else is read.
pub fn log_format_flag(argv: &[OsString]) -> Option<OsString> {
    value_of("--log-format", argv)
}

fn value_of(flag: &str, argv: &[OsString]) -> Option<OsString> {
    let mut words = argv.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == flag {
            return words.next().cloned();
        }
        let value = word.to_str().and_then(|word| word.strip_prefix(flag)?.strip_prefix('='));
        if let Some(value) = value {
            return Some(value.into());
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
        .filter(|arg| !THIS_ONCE.contains(&arg.get_id().as_str()) && !is_not_for_files(arg.get_id().as_str()))
        .filter_map(|arg| arg.get_long().map(str::to_owned))
        .collect()
}

/// Whether a key names an option that only the command line and the environment may give.
pub fn is_not_for_files(key: &str) -> bool {
    TYPED_ONLY.contains(&key)
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
        true => return Some("it must be true or false".to_owned()),
        false => option.texts.iter().map(|text| format!("--{}={text}", option.flag)).collect(),
    };
    let argv = ["acumen", "report"].map(str::to_owned).into_iter().chain(argv);
    let error = command.try_get_matches_from(argv).err()?;
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().expect("an error of clap has words").trim_start_matches("error: ").to_owned();
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
