//! The settings for people: each value with where it came from, and an example
//! file to begin with.

use std::fmt::Write;

use super::SettingsFile;
use crate::cli::{Choice, FileOption, Origin};
use crate::text::shown;

/// Options that hold a secret, or an address that is one.
const SECRETS: [&str; 1] = ["ping"];
/// Options that name a file with an address that is a secret.
const SECRET_FILES: [&str; 2] = ["slack-webhook-file", "teams-webhook-file"];

/// Every setting as a line of a settings file, with a remark on where it came
/// from. Secrets are not shown.
pub fn show(choices: &[Choice], file: &SettingsFile, key_source: Option<&str>) -> String {
    let path = file.path.as_ref().map(|path| shown(path));
    let mut out = format!("# settings file: {}\n", path.as_deref().unwrap_or("none"));
    let _ = writeln!(out, "# key: {}", key_source.unwrap_or("none found"));
    for choice in choices.iter().filter(|choice| choice.flag != "config") {
        let origin = match choice.origin {
            Origin::Flag => "flag".to_owned(),
            Origin::Environment => choice.variable.clone(),
            Origin::File => path.clone().expect("an option of a file has its path"),
            Origin::Default => "default".to_owned(),
        };
        let name = choice.flag.replace('-', "_");
        let line = match value(choice) {
            None => format!("# {name} is not set"),
            Some(value) => format!("{name} = {value}"),
        };
        let _ = writeln!(out, "{line:<44}  # {origin}");
    }
    if let Some(prices) = &file.prices {
        let currency = prices.currency();
        for price in prices.steps() {
            let (from, per_acu, code) = (price.from, price.per_acu, currency.code());
            let _ =
                write!(out, "\n[[price]]\nfrom = {from}\nper_acu = \"{per_acu}\"\ncurrency = \"{code}\"\n");
        }
    }
    for rule in &file.rules {
        let name = rule.team.as_deref().map(|team| format!("name = {}\n", quoted(team))).unwrap_or_default();
        let _ = write!(out, "\n[[team]]\n{name}tag = {}\n", quoted(&rule.pattern));
    }
    for (team, lead) in &file.leads {
        let _ = write!(out, "\n[[team]]\nname = {}\nlead = {}\n", quoted(team), quoted(lead));
    }
    for report in &file.reports {
        let _ = write!(
            out,
            "\n[[report]]\nname = {}\nperiod = \"{}\"\n",
            quoted(&report.name),
            report.period.noun()
        );
        if report.each_team {
            out += "each = \"team\"\n";
        }
        if report.chat {
            out += "chat = true\n";
        }
        for FileOption { flag, texts } in &report.options {
            let key = flag.strip_prefix("mail-").unwrap_or(flag).replace('-', "_");
            let origin = Origin::File;
            let choice = Choice { flag: flag.clone(), variable: String::new(), texts: texts.clone(), origin };
            let _ = writeln!(out, "{key} = {}", value(&choice).unwrap_or_else(|| "\"\"".to_owned()));
        }
    }
    for rule in &file.alerts {
        let _ = write!(out, "\n[[alert]]\nmetric = {}\n", quoted(&rule.metric));
        let keys =
            rule.group.iter().map(|(dimension, key)| format!("{} = {}", quoted(dimension), quoted(key)));
        let keys: Vec<String> = keys.collect();
        if !keys.is_empty() {
            let _ = writeln!(out, "group = {{ {} }}", keys.join(", "));
        }
        let thresholds: Vec<String> = rule.thresholds.iter().map(f64::to_string).collect();
        let thresholds = match thresholds.as_slice() {
            [threshold] => threshold.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let _ = writeln!(out, "{} = {thresholds}\nmin_n = {}", rule.bound.word(), rule.min_n);
        if let Some(report) = &rule.report {
            let _ = writeln!(out, "report = {}", quoted(report));
        }
    }
    out
}

fn value(choice: &Choice) -> Option<String> {
    match choice.texts.as_slice() {
        [] => None,
        _ if SECRETS.contains(&choice.flag.as_str()) => Some("\"[not shown]\"".to_owned()),
        // The address in place of its file is a slip.
        [text] if SECRET_FILES.contains(&choice.flag.as_str()) && text.contains("://") => {
            Some("\"[not shown]\"".to_owned())
        }
        [text] if text == "true" || text == "false" || is_number(text) => Some(text.clone()),
        [text] => Some(quoted(&without_login(text))),
        texts => Some(format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))),
    }
}

/// Whether TOML reads a text as a number; one that begins with 0 is octal here, and quoted.
fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|number| number.to_string() == text)
}

/// An address without the user and password that may stand in it.
fn without_login(text: &str) -> String {
    let login = text.split_once("://").and_then(|(scheme, rest)| {
        let host = rest.split(['/', '?', '#']).next()?;
        Some((scheme, rest.get(host.rfind('@')? + 1..)?))
    });
    login.map_or_else(|| text.to_owned(), |(scheme, rest)| format!("{scheme}://[not shown]@{rest}"))
}

/// A text as TOML writes it; what would harm a terminal is escaped with it.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|c| match c {
            '"' | '\\' => vec!['\\', c],
            c if c.is_control() => format!("\\u{:04X}", u32::from(c)).chars().collect(),
            c => vec![c],
        })
        .collect();
    format!("\"{escaped}\"")
}

/// The example that `acumen config init` writes.
pub const EXAMPLE: &str = include_str!("example.toml");

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::alert::AlertRule;
    use crate::settings::file;

    #[test]
    fn the_example_is_a_file_that_changes_nothing_until_it_is_edited() {
        let read = file::parse(Path::new("acumen.toml"), EXAMPLE).unwrap();
        assert!(read.options.is_empty() && read.prices.is_none() && read.rules.is_empty());
        assert!(read.reports.is_empty() && read.leads.is_empty());
        // With every remark that is a setting made one it is still a file that can be used.
        let edited: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#").filter(|rest| !rest.starts_with([' ', '#'])).unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let read = file::parse(Path::new("acumen.toml"), &edited).unwrap();
        assert!(read.options.len() > 10 && read.prices.is_some() && read.rules.len() > 1);
        assert!(read.reports.len() == 2 && read.leads.len() == 1);
        assert!(read.alerts.len() > 1);
        // It contains every setting.
        for flag in crate::cli::flags_of_file() {
            let is_named = read.options.iter().any(|option| option.flag == flag);
            assert!(is_named, "{flag} is not in the example");
        }
    }

    #[test]
    fn what_is_shown_can_be_used_as_a_file_again() {
        let choice = |flag: &str, texts: &[&str], origin| Choice {
            flag: flag.to_owned(),
            variable: "ACUMEN_X".to_owned(),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            origin,
        };
        let choices = [
            choice("org", &["o\"\u{1b}\\"], Origin::Environment),
            choice("tag", &["a", "b"], Origin::Flag),
            choice("trend", &["7"], Origin::Default),
            choice("allow-partial", &["false"], Origin::Default),
            choice("user", &[], Origin::Default),
        ];
        let text = show(&choices, &SettingsFile::default(), Some("DEVIN_API_KEY"));
        assert!(text.contains("# key: DEVIN_API_KEY") && text.contains("# user is not set"), "{text}");
        let read = file::parse(Path::new("x/acumen.toml"), &text).unwrap();
        assert_eq!(read.options.len(), 4);
        assert!(read.options.iter().any(|option| option.texts == ["o\"\u{1b}\\"]));
        let file = SettingsFile { path: Some("acumen.toml".into()), ..SettingsFile::default() };
        let login = [choice("smtp", &["smtps://u:hunter2@mail.example/x@y"], Origin::File)];
        let shown = show(&login, &file, None);
        assert!(
            shown.contains("smtps://[not shown]@mail.example/x@y") && !shown.contains("hunter2"),
            "{shown}"
        );
        let alerts = "[[alert]]\nmetric = \"acus\"\ngroup = { tag = \"a\\\"b\" }\nabove = 12.5\nreport = \"teams\"\n\
                      [[alert]]\nmetric = \"budget\"\nabove = [0.5, 1.25]\n";
        let read = file::parse(Path::new("a.toml"), alerts).unwrap();
        let again = file::parse(Path::new("a.toml"), &show(&[], &read, None)).unwrap();
        let unplaced = |file: &SettingsFile| {
            file.alerts.iter().cloned().map(|rule| AlertRule { line: 0, ..rule }).collect::<Vec<_>>()
        };
        assert_eq!((unplaced(&again), again.alerts.len()), (unplaced(&read), 2));
        for (flag, address) in [
            ("ping", "https://hc.example/token"),
            ("slack-webhook-file", "/etc/acumen/https://h.example/token"),
        ] {
            let secret = [choice(flag, &[address], Origin::File)];
            assert!(!show(&secret, &file, None).contains("token"), "{flag}");
        }
        let webhook = [choice("teams-webhook-file", &["/etc/acumen/teams"], Origin::File)];
        assert!(show(&webhook, &file, None).contains("\"/etc/acumen/teams\""));
    }
}
