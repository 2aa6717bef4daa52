//! What is printed about a command line that cannot be read.

use std::ffi::OsString;

use clap::error::ErrorKind;

use crate::cli::meant;
use crate::console::write_error;
use crate::exit::Exit;
use crate::logging::is_json;
use devin_api::Api;

/// Prints one line that says what is wrong and one that says what to do; or the help,
/// where that was asked for.
pub fn usage(error: &clap::Error, argv: &[OsString]) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Exit::Done;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        match is_json() {
            true => write_error("no command given", None, "see --help"),
            false => drop(error.print()),
        }
        return Exit::Usage;
    }
    let text = without_keys(&error.render().to_string());
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut wrong =
        lines.next().unwrap_or("cannot read the command line").trim_start_matches("error: ").to_owned();
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
    if error.kind() == ErrorKind::UnknownArgument {
        tip = meant(error, argv).or(tip.filter(|tip| !tip.contains("similar argument")));
    }
    let with_help = |tip: String| {
        let end = if tip.ends_with('?') { "" } else { ";" };
        format!("{tip}{end} see --help")
    };
    let hint = tip.map_or_else(|| "see --help".to_owned(), with_help);
    write_error(&wrong, None, &hint);
    Exit::Usage
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
