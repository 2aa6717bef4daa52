//! The table of options in docs/configuration.md is generated from the command line's own description.

use acumen::cli::Cli;
use clap::{Arg, CommandFactory};

use crate::support::{is_blessed, repository};

const PAGE: &str = "docs/configuration.md";
const BEGIN: &str = "<!-- options: begin -->\n";
const END: &str = "<!-- options: end -->";

/// The options of `acumen report`, a table for each heading of its help.
fn tables() -> String {
    let mut command = Cli::command();
    command.build();
    let report = command.find_subcommand("report").expect("there is such a command");
    let shown = || report.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_long().is_some());
    let mut headings: Vec<&str> = Vec::new();
    for arg in shown() {
        let heading = heading(arg);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    let table = |heading: &&str| {
        let rows = shown().filter(|arg| self::heading(arg) == *heading).map(row);
        format!(
            "### {heading}\n\n| Option | Environment | Meaning | Default |\n|---|---|---|---|\n{}\n",
            rows.collect::<String>()
        )
    };
    headings.iter().map(table).collect()
}

fn heading(arg: &Arg) -> &str {
    arg.get_help_heading().unwrap_or("General")
}

fn row(arg: &Arg) -> String {
    let name = arg.get_long().expect("only long options are shown");
    let value = arg.get_value_names().filter(|_| arg.get_action().takes_values());
    let value = value.and_then(|names| names.first()).map(|name| format!(" {name}")).unwrap_or_default();
    let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
    let help = arg.get_help().or(arg.get_long_help()).map(ToString::to_string).unwrap_or_default();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && arg.get_action().takes_values())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let help = if values.is_empty() { help } else { format!("{help}: {}", values.join(", ")) };
    let default: Vec<String> =
        arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    format!("| {short}`--{name}{value}` | {variable} | {help} | {} |\n", default.join(", "))
}

#[test]
fn the_option_table_is_that_of_the_command_line() {
    let path = repository(PAGE);
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (table, after) = rest.split_once(END).expect("the table ends");
    let expected = format!("\n{}", tables());
    if is_blessed() {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("a writable page");
    } else {
        assert!(table == expected, "{PAGE} is out of date: run this test with ACUMEN_BLESS=1");
    }
}
