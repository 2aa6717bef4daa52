//! Texts that people read, as files: `cargo insta review`, or `INSTA_UPDATE=always`, accepts a change.
//!
//! The golden file of the page is the report that it is made from, so that a restyle changes none.

use acumen::cli::Cli;
use acumen::metrics::Facts;
use acumen::{render, report};
use clap::CommandFactory;

use crate::support::{acumen, repository, run};

/// The facts of the committed demo.
fn demo() -> Facts {
    let text = std::fs::read_to_string(repository("reports/org_demo_2026-W41.json")).expect("the sample");
    Facts::from_json(&text).expect("facts")
}

#[test]
fn the_help_of_every_command() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut help = command.render_help().to_string();
    for name in ["report", "sync", "doctor", "send", "render", "demo", "simulate", "metrics"] {
        let command = command.find_subcommand_mut(name).expect("there is such a command");
        help.push_str(&format!("\n\n# {name}\n\n{}", command.render_long_help()));
    }
    // Trailing spaces are lost in editors.
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("help", help.join("\n"));
}

#[test]
fn the_messages_of_a_run_without_key_or_with_a_typo() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut messages = String::new();
    for words in [
        &["report"][..],
        &["report", "--org", "o", "--moth", "2026-03"],
        &["report", "--pages", "missing.json"],
        &["report", "--archive", "missing"],
        &["report", "--from", "2026-10-05"],
        &["send", "missing.html", "--mail-to", "a@example.com"],
        &["render", "missing.json", "--format", "html"],
    ] {
        let outcome = run(acumen(folder.path()).env_remove("DEVIN_API_KEY").args(words));
        let code = outcome.code.expect("it ends by itself");
        messages.push_str(&format!("$ acumen {}\n{}exit {code}\n\n", words.join(" "), outcome.stderr));
    }
    insta::assert_snapshot!("messages", messages);
}

#[test]
fn the_text_part_of_a_mail() {
    let summary = render::email::summarize(&report::report(&demo())).expect("a summary");
    let location = render::email::ReportLocation::attached("org_demo_2026-W41.html");
    insta::assert_snapshot!("mail", render::email::text(&summary, &location));
}

#[test]
fn the_report_of_the_demo() {
    let report = serde_json::to_string_pretty(&report::report(&demo())).expect("JSON");
    insta::assert_snapshot!("report", report);
}
