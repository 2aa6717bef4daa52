//! What was meant by an option that does not exist: by its meaning where other
//! programs have one, else by its spelling.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use super::Cli;
use crate::text::edit_distance;

/// What other programs call an option, and what to use here. The first line counts
/// that has the word, and of which the command has every option.
const MEANINGS: [(&[&str], &str); 42] = [
    (
        &["since", "start", "begin", "from-date", "date-from", "start-date", "after"],
        "use --from DATE, with --to",
    ),
    (&["start", "begin", "from", "from-date", "date-from", "start-date", "after"], "use --since DATE"),
    (&["until", "end", "stop", "to-date", "date-to", "end-date", "before"], "use --to DATE, with --from"),
    (&["date", "day", "today", "yesterday"], "use --from DATE --to DATE, with the same date for one day"),
    (&["year", "years"], "use --from YEAR-01-01 --to YEAR-12-31, or --quarter"),
    (&["days", "weeks", "months"], "use --last, such as 14d or 2w, or --month"),
    (
        &["month-to", "month-from", "months-to", "week-to", "week-from"],
        "use --from DATE --to DATE for several weeks or months",
    ),
    (&["period", "range", "interval", "span"], "use --week, --month, --quarter, --last, or --from with --to"),
    (
        &["compare", "compare-to", "compared-with", "against", "versus", "vs", "baseline", "previous"],
        "use --compare-with PERIOD, such as 2026-02 or same-week-last-year",
    ),
    (&["timezone", "time-zone", "zone"], "use --tz"),
    (&["organization", "organisation", "org-id", "organization-id"], "use --org"),
    (&["enterprise", "all"], "omit --org for the whole enterprise"),
    (&["users", "member", "person", "author", "user-id", "user-email", "service-user"], "use --user"),
    (&["teams", "group"], "use --team NAME; teams come from tags or from the people file"),
    (&["label", "project"], "use --tag: projects are session tags"),
    (
        &["repo", "repos", "repository"],
        "a report covers all repositories; only --tag, --user and --org narrow it",
    ),
    (&["format", "type", "csv", "xlsx", "excel", "parquet"], "use --export csv, xlsx or parquet"),
    (&["json", "html"], "the page and its facts in JSON are always written, to the --out folder"),
    (&["pdf"], "print the page to PDF in a browser; --export writes csv, xlsx or parquet"),
    (&["output", "output-dir", "outdir", "dir", "directory", "folder", "dest"], "use --out DIR"),
    (
        &["key", "api-key", "apikey", "token", "api-token", "access-token", "secret"],
        "the key cannot be an option: use --api-key-file FILE, or DEVIN_API_KEY in the environment",
    ),
    (
        &["password", "smtp-password", "smtp-token"],
        "the password cannot be an option: use --smtp-password-file FILE, or ACUMEN_SMTP_PASSWORD in the \
         environment",
    ),
    (&["url", "host", "server", "endpoint", "api-url"], "use --base-url URL"),
    (&["api-version", "v2", "v3"], "use --api v2 or --api v3"),
    (&["email", "recipient", "recipients", "send-to", "mail-address"], "use --mail with --mail-to ADDRESS"),
    (&["email", "recipient", "recipients", "to", "send-to", "mail-address"], "use --mail-to ADDRESS"),
    (&["sender", "from"], "use --mail-from ADDRESS"),
    (&["smtp-host", "smtp-server", "smtp-port", "mail-server"], "use --smtp smtps://HOST:PORT"),
    (
        &["insecure", "no-verify", "cacert", "ca", "ca-cert", "cert"],
        "use --ca-file FILE for a private certificate authority",
    ),
    (&["proxy", "https-proxy", "http-proxy"], "set HTTPS_PROXY in the environment"),
    (&["threads", "jobs", "parallel", "workers"], "use --concurrency N"),
    (&["input", "file", "data", "saved"], "use --pages PATH for saved pages, or --archive DIR"),
    (&["anonymous", "anonymize", "anonymise", "hide-names", "redact", "no-names"], "use --people hidden"),
    (
        &["bcc", "mail-bcc"],
        "blind copies are not supported: use --mail-cc ADDRESS, or send the report again to others with \
         --mail-to",
    ),
    (&["offline", "no-network"], "use --pages PATH or --archive DIR: neither contacts the API"),
    (&["include-archived", "archived"], "omit it: archived sessions are always counted"),
    (
        &["last-week", "previous-week"],
        "omit it: the default period is the last complete week; for others use --week or --last",
    ),
    (&["top"], "lists on the page are short; --export csv or xlsx has all rows"),
    (
        &["dry-run"],
        "use --eml FILE.eml to write the message without sending it; `acumen doctor` checks the rest",
    ),
    (&["price", "cost", "currency", "rate"], "prices are in the settings file, under [[price]]"),
    (&["debug", "trace", "log-level"], "use -v, or -vv"),
    (&["dry-run", "check"], "`acumen doctor` checks everything that a report needs"),
];

/// What to use instead of the option that an error is about; none for other errors,
/// and where nothing is close.
pub fn meant(error: &clap::Error, argv: &[OsString]) -> Option<String> {
    let typed = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(typed))) => typed.strip_prefix("--")?,
        _ => return None,
    };
    let typed = typed.split_once('=').map_or(typed, |(flag, _)| flag).to_lowercase().replace('_', "-");
    let command = command(argv);
    let known: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    let has = |advice: &str| flags(advice).all(|flag| known.contains(&flag));
    let meaning = MEANINGS.iter().find(|(words, advice)| words.contains(&typed.as_str()) && has(advice));
    let spelling = || {
        let near = known
            .into_iter()
            .chain(["help", "version", "quiet", "verbose", "log-format"])
            .filter(|flag| is_near(&typed, flag));
        let near = near.min_by_key(|flag| (edit_distance(&typed, flag), *flag))?;
        Some(format!("did you mean --{near}?"))
    };
    meaning.map(|(_, advice)| (*advice).to_owned()).or_else(spelling)
}

/// The command that was typed.
fn command(argv: &[OsString]) -> Command {
    let words = argv.iter().skip(1).filter_map(|word| word.to_str()).filter(|word| !word.starts_with('-'));
    words.fold(Cli::command(), |all, word| all.find_subcommand(word).cloned().unwrap_or(all))
}

/// The options in an advice, without dashes in front.
fn flags(advice: &str) -> impl Iterator<Item = &str> {
    let words = advice.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter_map(|word| word.strip_prefix("--"))
}

/// Whether one is the other with a slip or two, or a part of its words: `attach` for
/// `mail-attach`.
fn is_near(typed: &str, flag: &str) -> bool {
    let few = if typed.len() > 5 { 2 } else { 1 };
    let is_part = || {
        let words: Vec<&str> = flag.split('-').collect();
        typed.split('-').all(|word| words.contains(&word))
    };
    edit_distance(typed, flag) <= few || is_part()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(line: &str) -> Option<String> {
        let argv: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        meant(&Cli::read(argv.clone(), &|_| true, &[]).unwrap_err(), &argv)
    }

    #[test]
    fn an_option_is_advised_by_its_meaning() {
        for (typed, advised) in [
            ("--since 2026-10-01", "--from"),
            ("--until 2026-10-01", "--to"),
            ("--start 2026-10-01", "--from"),
            ("--end 2026-10-01", "--to"),
            ("--date 2026-10-01", "--from"),
            ("--year 2026", "--quarter"),
            ("--against 2026-02", "--compare-with"),
            ("--vs 2026-02", "--compare-with"),
            ("--month-to 2026-10", "--from"),
            ("--users ada", "--user"),
            ("--teams core", "--team"),
            ("--project core", "--tag"),
            ("--repo a/b", "all repositories"),
            ("--format csv", "--export"),
            ("--pdf", "browser"),
            ("--output x", "--out"),
            ("--key=x", "--api-key-file"),
            ("--api-key x", "--api-key-file"),
            ("--API_TOKEN x", "--api-key-file"),
            ("--email a@b.example", "--mail-to"),
            ("--timezone UTC", "--tz"),
            ("--no-names", "--people"),
            ("--bcc a@b.example", "--mail-cc"),
            ("--offline", "--pages"),
            ("--include-archived", "archived sessions are always counted"),
            ("--last-week", "last complete week"),
            ("--top 20", "--export"),
            ("--dry-run", "--eml"),
        ] {
            let hint = hint(&format!("acumen report {typed}")).unwrap_or_default();
            assert!(
                flags(&hint).any(|flag| advised == format!("--{flag}")) || hint.contains(advised),
                "{typed}: {hint}"
            );
        }
        assert_eq!(hint("acumen sync --from 2026-01-01").as_deref(), Some("use --since DATE"));
        assert_eq!(hint("acumen send x.html --email a@b.example").as_deref(), Some("use --mail-to ADDRESS"));
    }

    #[test]
    fn a_typo_has_a_suggestion_and_an_unrelated_word_has_none() {
        for (typed, near) in [
            ("report --quater 2026-Q4", "--quarter"),
            ("report --outt x", "--out"),
            ("report --attach none", "--mail-attach"),
            ("report --quite", "--quiet"),
            ("sync --quaterly", "none"),
            ("demo --quarter 2026-Q4", "none"),
            ("report --nope", "none"),
            ("report --colour", "none"),
            ("config show --orgg x", "--org"),
        ] {
            let hint = hint(&format!("acumen {typed}")).unwrap_or_else(|| "none".to_owned());
            assert!(hint.contains(near) && (near == "none") == (hint == "none"), "{typed}: {hint}");
        }
        assert_eq!(hint("acumen report extra"), None, "no option at all");
    }

    #[test]
    fn every_option_that_is_advised_exists_and_none_is_explained_that_does() {
        let cli = Cli::command();
        let known: Vec<Vec<&str>> = ["report", "send", "sync"]
            .map(|name| {
                cli.find_subcommand(name).unwrap().get_arguments().filter_map(clap::Arg::get_long).collect()
            })
            .into();
        for (words, advice) in MEANINGS {
            let able: Vec<_> =
                known.iter().filter(|own| flags(advice).all(|flag| own.contains(&flag))).collect();
            assert!(!able.is_empty(), "no command has all of: {advice}");
            for word in words {
                assert!(able.iter().any(|own| !own.contains(word)), "--{word} exists");
            }
        }
    }
}
