//! The settings file: options under their flags' names, prices, teams and alerts.

mod alerts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SettingsError;
use super::report::{self, ReportTable};
use crate::alert::AlertRule;
use crate::cli::{self, FileOption};
use crate::money::{Currency, Price, Prices};
use crate::people::TagRule;
use crate::text::{clean, closest_match, shown};

/// A settings file as it was read.
#[derive(Clone, Debug, Default)]
pub struct SettingsFile {
    /// Its path; `None` if there is no file.
    pub path: Option<PathBuf>,
    /// The options that it gives.
    pub options: Vec<FileOption>,
    /// The prices of an ACU; `None` if the file has none.
    pub prices: Option<Prices>,
    /// The rules that map tags to teams, in order.
    pub rules: Vec<TagRule>,
    /// The address of each team's lead, by the team's name.
    pub leads: BTreeMap<String, String>,
    /// The reports of `acumen run`, in order.
    pub reports: Vec<ReportTable>,
    /// The rules for alerts, in order.
    pub alerts: Vec<AlertRule>,
}

/// Options that name a place: in a file they are meant from the file's folder.
const PLACES: [&str; 10] = [
    "api-key-file",
    "archive",
    "ca-file",
    "out",
    "people-file",
    "save-pages",
    "slack-webhook-file",
    "smtp-password-file",
    "state",
    "teams-webhook-file",
];

/// The table whose keys are options that begin with its name, or with `smtp`.
const MAIL: &str = "mail";

type Entry<'s> = (&'s str, usize, &'s DeValue<'s>);

/// Reads a settings file.
///
/// # Errors
/// The first thing that cannot be used, with its line.
pub fn parse(path: &Path, text: &str) -> Result<SettingsFile, SettingsError> {
    let reader = Reader { path, text, flags: cli::flags_of_file() };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        reader.refuse(at, error.message().lines().next().unwrap_or("it is not TOML"), HINT)
    })?;
    let mut file = SettingsFile { path: Some(path.to_owned()), ..SettingsFile::default() };
    for entry in entries(table.get_ref()) {
        match entry {
            ("price", at, value) => file.prices = Some(reader.prices(at, value)?),
            ("team", at, value) => (file.rules, file.leads) = reader.teams(at, value)?,
            ("report", at, value) => file.reports = reader.reports(at, value)?,
            ("alert", at, value) => file.alerts = reader.alerts(at, value)?,
            (MAIL, _, DeValue::Table(table)) => {
                for (key, at, value) in entries(table) {
                    file.options.push(reader.mail(key, at, value)?);
                }
            }
            (key, at, value) => file.options.push(reader.option(key, at, value)?),
        }
    }
    Ok(file)
}

const HINT: &str = "`acumen config init` writes an example with every setting in it";

/// An error about a line of a settings file.
pub fn refused(path: &Path, line: usize, what: &str, hint: impl Into<String>) -> SettingsError {
    // A quoted key or value can hold any character.
    let what = clean(what, 500);
    SettingsError::new(format!("{}, line {line}: {what}", shown(path)), hint)
}

/// Keys with the places of their values.
fn entries<'s>(table: &'s DeTable<'s>) -> impl Iterator<Item = Entry<'s>> {
    table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value.get_ref()))
}

struct Reader<'s> {
    path: &'s Path,
    text: &'s str,
    flags: Vec<String>,
}

impl Reader<'_> {
    fn refuse(&self, at: usize, what: &str, hint: impl Into<String>) -> SettingsError {
        refused(self.path, self.line(at), what, hint)
    }

    /// The line of a place in the text.
    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).expect("a span of the text lies within it");
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// A key that is none, and the one that was probably meant.
    fn unknown<'k>(&self, at: usize, key: &str, known: impl Iterator<Item = &'k str>) -> SettingsError {
        let hint = closest_match(key, known)
            .map_or_else(|| HINT.to_owned(), |name| format!("did you mean `{name}`?"));
        self.refuse(at, &format!("unknown setting `{key}`"), hint)
    }

    fn option(&self, key: &str, at: usize, value: &DeValue<'_>) -> Result<FileOption, SettingsError> {
        if ["from", "to", "week", "month", "quarter"].contains(&key) {
            let hint = format!("use --{key}; the file accepts only `last` as a period");
            return Err(self.refuse(
                at,
                &format!("`{key}` is an option for a single run, not a setting"),
                hint,
            ));
        }
        let name = key.replace('-', "_");
        if cli::is_not_for_files(&name) {
            let (flag, variable) = (name.replace('_', "-"), name.to_uppercase());
            let hint = format!("use --{flag}, or ACUMEN_{variable} in the environment");
            return Err(self.refuse(at, &format!("`{key}` cannot be set in a settings file"), hint));
        }
        if key == MAIL {
            let hint = "begin the table with [mail]; to mail a report use --mail, or ACUMEN_MAIL=1 in the \
                 environment";
            return Err(self.refuse(at, "`mail` is a table, not a value", hint));
        }
        let flag = key.replace('_', "-");
        if key.contains('-') || !self.flags.contains(&flag) {
            let names: Vec<String> = self.flags.iter().map(|flag| flag.replace('-', "_")).collect();
            let names = names.iter().map(String::as_str).chain(["price", "team", "report", "alert", MAIL]);
            return Err(self.unknown(at, key, names));
        }
        self.checked(flag, key, at, value)
    }

    fn mail(&self, key: &str, at: usize, value: &DeValue<'_>) -> Result<FileOption, SettingsError> {
        let flag = key.replace('_', "-");
        let all = || self.flags.iter().filter_map(|flag| in_mail(flag));
        let Some(flag) = self.flags.iter().find(|known| in_mail(known) == Some(&flag)) else {
            let names: Vec<String> = all().map(|name| name.replace('-', "_")).collect();
            // As the option is called.
            if let Some(meant) = in_mail(&flag).filter(|_| self.flags.contains(&flag)) {
                let hint = format!("did you mean `{}`?", meant.replace('-', "_"));
                return Err(self.refuse(at, &format!("unknown setting `{key}`"), hint));
            }
            return Err(self.unknown(at, key, names.iter().map(String::as_str)));
        };
        self.checked(flag.clone(), key, at, value)
    }

    fn checked(
        &self,
        flag: String,
        key: &str,
        at: usize,
        value: &DeValue<'_>,
    ) -> Result<FileOption, SettingsError> {
        let mut texts = self.texts(key, at, value)?;
        if PLACES.contains(&flag.as_str()) {
            let folder = self.path.parent().unwrap_or(Path::new(""));
            texts = texts.into_iter().map(|text| folder.join(text).to_string_lossy().into_owned()).collect();
        }
        let option = FileOption { flag, texts };
        match cli::fault_of_file(&option) {
            Some(fault) => Err(self.refuse(at, &format!("`{key}`: {fault}"), HINT)),
            None => Ok(option),
        }
    }

    /// A value as it would be typed; an array is an option that is repeated.
    fn texts(&self, key: &str, at: usize, value: &DeValue<'_>) -> Result<Vec<String>, SettingsError> {
        match value {
            DeValue::Array(items) => {
                let texts: Option<Vec<String>> = items.iter().map(|item| scalar(item.get_ref())).collect();
                texts
                    .ok_or_else(|| self.refuse(at, &format!("`{key}` contains more than plain values"), HINT))
            }
            DeValue::Table(_) => {
                Err(self.refuse(at, &format!("`{key}` is a single value, not a table"), HINT))
            }
            value => Ok(scalar(value).into_iter().collect()),
        }
    }

    fn prices(&self, at: usize, value: &DeValue<'_>) -> Result<Prices, SettingsError> {
        let known = ["from", "per_acu", "currency"];
        let mut currency = None;
        let mut steps = Vec::new();
        for (at, row) in self.rows("price", at, value, &known)? {
            let place = |name: &str| row.get(name).map_or(at, |value| Spanned::span(value).start);
            let wrong_at = |at, what: &str, hint: &str| Err(self.refuse(at, what, hint));
            let wrong = |what: &str, hint: &str| wrong_at(at, what, hint);
            let cell = |name: &str| row.get(name).and_then(|value| scalar(value.get_ref()));
            let example = "write it as from = 2026-01-01, per_acu = \"2.25\", currency = \"EUR\"";
            let (Some(from), Some(per_acu), Some(code)) = (cell("from"), cell("per_acu"), cell("currency"))
            else {
                return wrong("a price needs from, per_acu and currency", example);
            };
            let Ok(from) = from.parse::<NaiveDate>() else {
                return wrong_at(place("from"), &format!("price: cannot read the day {from}"), example);
            };
            let Some(per_acu) = amount(&per_acu) else {
                return wrong_at(
                    place("per_acu"),
                    &format!("price: cannot read the amount {per_acu}"),
                    example,
                );
            };
            let Some(code) = Currency::parse(&code) else {
                return wrong(&format!("price: {code} is not a currency code"), example);
            };
            if currency.is_some_and(|other| other != code) {
                let hint = "use one currency for all prices: there are no exchange rates";
                return wrong("price: the currencies differ", hint);
            }
            currency = Some(code);
            if steps.iter().any(|price: &Price| price.from == from) {
                return wrong_at(
                    place("from"),
                    "price: two prices begin on the same day",
                    "keep one price for each day",
                );
            }
            steps.push(Price { from, per_acu });
        }
        let prices = currency.and_then(|currency| Prices::new(currency, steps));
        prices.ok_or_else(|| self.refuse(at, "it has no price", "omit `price` if there is none"))
    }

    /// The rules for tags, and the leads.
    fn teams(
        &self,
        at: usize,
        value: &DeValue<'_>,
    ) -> Result<(Vec<TagRule>, BTreeMap<String, String>), SettingsError> {
        let (mut rules, mut leads) = (Vec::new(), BTreeMap::new());
        for (at, row) in self.rows("team", at, value, &["name", "tag", "lead"])? {
            let text = |name: &str| {
                let value = row.get(name).map(|value| scalar(value.get_ref()).ok_or(value.span().start));
                value.transpose().map_err(|at| {
                    let hint = "write one text; a copy for others is `cc` of the report";
                    self.refuse(at, &format!("`{name}` of a team is one text, not a list"), hint)
                })
            };
            let (team, lead) = (text("name")?, text("lead")?);
            if team.as_ref().is_some_and(|team| team.trim().is_empty()) {
                return Err(self.refuse(at, "the name of a team is blank", "omit it, or write a name"));
            }
            let example = "write it as tag = \"team:payments\" with a name, or as tag = \"team:*\" without";
            match (&team, &lead) {
                (Some(team), Some(lead)) => {
                    if leads.insert(team.trim().to_owned(), lead.clone()).is_some() {
                        return Err(self.refuse(at, "a team has two leads", "keep one lead for each team"));
                    }
                }
                (None, Some(_)) => {
                    let hint = "add its name; the team may also have no tag, if the people file has it";
                    return Err(self.refuse(at, "a team with a lead needs a name", hint));
                }
                (_, None) => {}
            }
            let Some(tags) = row.get("tag") else {
                // The people file may say who is in the team.
                if lead.is_some() {
                    continue;
                }
                return Err(self.refuse(at, "a team needs a tag", example));
            };
            for pattern in self.texts("tag", at, tags.get_ref())? {
                if team.is_none() && !pattern.contains('*') {
                    return Err(self.refuse(at, "a team without a name needs a `*` in its tag", example));
                }
                rules.push(TagRule { pattern, team: team.clone() });
            }
        }
        Ok((rules, leads))
    }

    fn reports(&self, at: usize, value: &DeValue<'_>) -> Result<Vec<ReportTable>, SettingsError> {
        let mut reports: Vec<ReportTable> = Vec::new();
        let known: Vec<&str> = report::KEYS.iter().chain(&report::OPTIONS).copied().collect();
        for (at, row) in self.rows("report", at, value, &known)? {
            let mut table = ReportTable::default();
            for (key, at, value) in entries(row) {
                let flag = match key {
                    "to" | "cc" | "attach" => format!("mail-{key}"),
                    _ => key.replace('_', "-"),
                };
                match report::OPTIONS.contains(&key) {
                    true => table.options.push(self.checked(flag, key, at, value)?),
                    false => {
                        let text = scalar(value).unwrap_or_default();
                        table.set(key, &text).map_err(|(what, hint)| self.refuse(at, &what, hint))?;
                    }
                }
            }
            let (what, hint) = match table.fault() {
                None if reports.iter().any(|other| other.name.eq_ignore_ascii_case(&table.name)) => {
                    ("two reports have the same name", "give each report a name of its own")
                }
                None => {
                    reports.push(table);
                    continue;
                }
                Some(fault) => fault,
            };
            return Err(self.refuse(at, what, hint));
        }
        Ok(reports)
    }

    /// The rows of an array of tables, with no key but the known ones.
    fn rows<'v>(
        &self,
        name: &str,
        at: usize,
        value: &'v DeValue<'v>,
        known: &[&str],
    ) -> Result<Vec<(usize, &'v DeTable<'v>)>, SettingsError> {
        let wrong = || {
            self.refuse(at, &format!("`{name}` is a list of tables"), format!("begin each with [[{name}]]"))
        };
        let DeValue::Array(items) = value else { return Err(wrong()) };
        let mut rows = Vec::new();
        for item in items.iter() {
            let DeValue::Table(table) = item.get_ref() else { return Err(wrong()) };
            for (key, at, _) in entries(table) {
                if !known.contains(&key) {
                    return Err(self.unknown(at, key, known.iter().copied()));
                }
            }
            // The place of a table in a list is that of the list: its first key tells more.
            let begins = entries(table).map(|(_, at, _)| at).min();
            rows.push((begins.unwrap_or(Spanned::span(item).start), table));
        }
        Ok(rows)
    }
}

/// What an option of mail is called in its table: `mail-to` is `to`, `smtp-user` is `user`.
fn in_mail(flag: &str) -> Option<&str> {
    match flag {
        "smtp" => Some(flag),
        _ => flag.strip_prefix("mail-").or_else(|| flag.strip_prefix("smtp-")),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Datetime(moment) => Some(moment.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// An amount of money: plain digits with at most one point, not below 0.
pub(super) fn amount(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.bytes().any(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SettingsFile, SettingsError> {
        parse(Path::new("/etc/acumen/acumen.toml"), text)
    }

    fn wrong(text: &str) -> String {
        let error = read(text).unwrap_err();
        format!("{error}; {}", error.hint)
    }

    #[test]
    fn options_prices_and_teams_are_read() {
        let file = read(
            "org = \"org_789\"\ntrend = 3\nallow_partial = true\ntag = [\"a\", \"b\"]\nout = \"reports\"\n\
             api_key_file = \"/run/key\"\n\
             [[price]]\nfrom = 2026-02-01\nper_acu = 2.5\ncurrency = \"eur\"\n\
             [[price]]\nfrom = \"2026-01-01\"\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n\
             [[team]]\nname = \"Payments\"\ntag = [\"pay\", \"pay:*\"]\n[[team]]\ntag = \"team:*\"\n",
        )
        .unwrap();
        let option =
            |flag: &str| file.options.iter().find(|option| option.flag == flag).unwrap().texts.clone();
        assert_eq!(option("org"), ["org_789"]);
        assert_eq!(
            (option("trend"), option("allow-partial")),
            (vec!["3".to_owned()], vec!["true".to_owned()])
        );
        assert_eq!(option("tag"), ["a", "b"]);
        assert_eq!(
            (&option("out")[0], &option("api-key-file")[0]),
            (&"/etc/acumen/reports".to_owned(), &"/run/key".to_owned())
        );
        let prices = file.prices.unwrap();
        assert_eq!(prices.steps().iter().map(|price| price.per_acu).collect::<Vec<_>>(), [2.25, 2.5]);
        let rules: Vec<_> =
            file.rules.iter().map(|rule| (rule.pattern.as_str(), rule.team.as_deref())).collect();
        assert_eq!(rules, [("pay", Some("Payments")), ("pay:*", Some("Payments")), ("team:*", None)]);
    }

    #[test]
    fn unusable_settings_are_reported_with_line_and_suggestion() {
        assert_eq!(
            wrong("org = \"x\"\npage_sise = 3\n"),
            "/etc/acumen/acumen.toml, line 2: unknown setting `page_sise`; did you mean `page_size`?"
        );
        assert!(wrong("zzz = 1").contains("acumen config init"));
        assert!(wrong("page-size = 3").ends_with("did you mean `page_size`?"));
        assert!(wrong("[mail]\nsmtp_user = \"x\"").ends_with("`smtp_user`; did you mean `user`?"));
        assert!(wrong("\n\npage_size = 5000").contains("line 3: `page_size`: invalid value '5000'"));
        assert!(wrong("profile = \"boss\"").contains("[possible values: lead, leadership]"));
        assert!(wrong("week = \"2026-W41\"").contains("--week"));
        for (key, flag, variable) in [
            ("summary", "--summary,", "ACUMEN_SUMMARY "),
            ("ping", "--ping,", "ACUMEN_PING "),
            ("ping_file", "--ping-file,", "ACUMEN_PING_FILE "),
            ("ping-file", "--ping-file,", "ACUMEN_PING_FILE "),
        ] {
            let text = wrong(&format!("org = \"x\"\n{key} = \"/x\"\n"));
            assert!(text.contains(&format!("line 2: `{key}` cannot be set in a settings file;")), "{text}");
            assert!(text.contains(flag) && text.contains(variable), "{text}");
        }
        assert!(wrong("allow_partial = \"yes\"").contains("must be true or false"));
        assert!(wrong("org = {a = 1}").contains("not a table"));
        assert!(wrong("org = ").contains("line 1"));
        assert!(wrong("price = 3").contains("[[price]]"));
        assert!(wrong("[[price]]\nfrom = 2026-01-01\n").contains("needs from, per_acu and currency"));
        assert!(wrong("[[price]]\nform = 2026-01-01\n").contains("line 2"));
        assert!(wrong("[[team]]\ntag = \"x\"\n").contains("needs a `*`"));
        let two = |a: &str, b: &str| {
            format!(
                "[[price]]\nfrom = 2026-01-01\nper_acu = 1\ncurrency = \"{a}\"\n[[price]]\nfrom = 2026-01-01\nper_acu = 1\ncurrency = \"{b}\"\n"
            )
        };
        assert!(wrong(&two("EUR", "USD")).contains("no exchange rates"));
        assert!(wrong(&two("EUR", "EUR")).contains("same day"));
    }

    #[test]
    fn an_amount_is_plain_and_not_negative() {
        assert_eq!([amount("2.25"), amount(" 5000 "), amount("0")], [Some(2.25), Some(5000.0), Some(0.0)]);
        assert_eq!([amount("-1"), amount("1e3"), amount("."), amount("1,5"), amount("inf")], [None; 5]);
    }
}
