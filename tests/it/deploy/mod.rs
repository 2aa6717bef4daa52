//! The files of `deploy/`: each is read as its host would read it, its command
//! lines are those of this program, and each is run as far as that goes without
//! its host.

mod container;
mod release;
mod runs;
mod units;
mod workflow;

use std::ffi::OsString;

use acumen::cli::{Cli, Command, ReportArgs};
use clap::CommandFactory;
use serde::Deserialize;
use serde_json::Value;

use crate::support::repository;

/// A file of `deploy/`.
fn read(path: &str) -> String {
    let path = repository("deploy").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const FILES: [&str; 7] = [
    "README.md",
    "crontab",
    "docker/Dockerfile",
    "github/acumen.yml",
    "kubernetes/cronjob.yaml",
    "systemd/acumen.service",
    "systemd/acumen.timer",
];

/// The zone that every example speaks of, so that schedule and week agree.
const ZONE: &str = "Europe/Berlin";

/// The documents of a YAML file.
fn yaml(path: &str) -> Vec<Value> {
    let text = read(path);
    let documents = serde_yaml_ng::Deserializer::from_str(&text).map(Value::deserialize);
    documents.map(|document| document.unwrap_or_else(|error| panic!("{path}: {error}"))).collect()
}

/// The words of a command up to a redirection, quotation marks taken off.
fn words(command: &str) -> Vec<String> {
    let words = command.split_whitespace().take_while(|word| !word.starts_with('>'));
    words.filter(|word| *word != "\\").map(|word| word.replace('"', "")).collect()
}

/// What this program makes of a command line, its own name first.
fn parsed(command: &[String]) -> Command {
    assert!(command[0] == "acumen" || command[0].ends_with("/acumen"), "{command:?}");
    let argv = command.iter().map(OsString::from).collect();
    match Cli::read(argv, &|_| false, &[]) {
        Ok(read) => read.cli.command,
        Err(error) => panic!("{command:?}: {error}"),
    }
}

fn report(command: &[String]) -> Box<ReportArgs> {
    match parsed(command) {
        Command::Report(args) => args,
        other => panic!("no report: {other:?}"),
    }
}

/// The crontab's one line: five fields and the command.
fn cron_line() -> (Vec<String>, String) {
    let text = read("crontab");
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', 'M'])).collect();
    let [line] = lines.as_slice() else { panic!("one line, not {lines:?}") };
    let mut fields: Vec<String> = line.splitn(6, ' ').map(str::to_owned).collect();
    let command = fields.pop().unwrap();
    (fields, command)
}

/// Whether five fields say Mondays, once, at an hour of the morning.
fn is_a_monday_morning(fields: &[String]) -> bool {
    let [minute, hour, "*", "*", "1"] = fields.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        return false;
    };
    minute.parse::<u32>().is_ok_and(|minute| minute < 60) && hour.parse::<u32>().is_ok_and(|hour| hour < 12)
}

#[test]
fn the_crontab_has_five_fields_and_a_command_of_this_program() {
    let (fields, command) = cron_line();
    assert_eq!(fields.len(), 5);
    assert!(is_a_monday_morning(&fields), "{fields:?}");
    // To cron a percent sign is the end of the command.
    assert!(!command.contains('%') && read("crontab").ends_with('\n'));
    let args = report(&words(&command));
    let folder = std::path::Path::new("/var/lib/acumen");
    assert_eq!((args.state.as_deref(), args.out), (Some(folder), folder.join("reports")));
    assert!(args.config.is_some() && args.access.api_key_file.is_some());
}

#[test]
fn every_command_of_the_page_is_one_of_this_program() {
    let text = read("README.md");
    let commands = Cli::command();
    let is_command = |word: &str| commands.get_subcommands().any(|command| command.get_name() == word);
    let mut found = 0;
    for line in text.lines().flat_map(|line| line.split('`')) {
        let words = words(line);
        let begins = words.windows(2).rposition(|pair| pair[0] == "acumen" && is_command(&pair[1]));
        if let Some(begins) = begins {
            parsed(&words[begins..]);
            found += 1;
        }
    }
    assert!(found >= 5, "only {found} commands on the page");
    for file in FILES.into_iter().filter(|file| *file != "README.md") {
        let name = file.rsplit('/').next().unwrap();
        assert!(text.contains(name), "the page does not tell of {file}");
    }
}

#[test]
fn every_name_in_the_environment_is_one_that_this_program_reads() {
    let cli = Cli::command();
    let names: Vec<String> = cli
        .get_subcommands()
        .flat_map(|command| command.get_arguments())
        .chain(cli.get_arguments())
        .filter_map(|flag| flag.get_env().map(|name| name.to_string_lossy().into_owned()))
        // The switch of the mail; its settings have a table.
        .chain(["ACUMEN_MAIL".to_owned()])
        .collect();
    let mut found = 0;
    for file in FILES {
        let text = read(file);
        for (at, _) in text.match_indices("ACUMEN_") {
            let is_of_name = |c: char| c.is_ascii_uppercase() || c == '_';
            let name: String = text[at..].chars().take_while(|c| is_of_name(*c)).collect();
            assert!(names.contains(&name), "{file} speaks of {name}");
            found += 1;
        }
    }
    assert!(found > 6, "only {found}");
}

#[test]
fn no_file_is_forgotten_and_none_holds_a_key() {
    let mut all = Vec::new();
    let mut folders = vec![repository("deploy")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                // Questions, not schedules: `crate::sql` runs them.
                true if path.ends_with("deploy/sql") => {}
                true => folders.push(path),
                false => {
                    all.push(path.strip_prefix(repository("deploy")).unwrap().to_str().unwrap().to_owned())
                }
            }
        }
    }
    all.sort();
    assert_eq!(all, FILES);
    for file in FILES {
        let text = read(file);
        assert!(!text.contains("cog_") && !text.contains("apk_"), "{file}");
    }
}
