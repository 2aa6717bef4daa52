//! What a run makes: the reports of the settings file, checked before any work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::cli::{self, Choice, MailArgs, NOT_OF_RUN, Origin, ReportArgs, RunArgs};
use crate::commands::{chat, mail as mail_command};
use crate::deliver::{self, SendError};
use crate::environment;
use crate::error::Error;
use crate::exit::Explain;
use crate::mail;
use crate::metrics::Facts;
use crate::period::{self, PeriodKind};
use crate::settings::chat::ChatSettings;
use crate::settings::mail::Mail as MailSettings;
use crate::settings::{Found, FoundKey, Network, ReportTable, Settings, SettingsError, alerts_about, zone};
use crate::text::clean;

/// A report of a run, or one for each team.
pub struct Edition {
    /// Its name.
    pub name: String,
    /// Whether there is one for each team.
    pub each_team: bool,
    /// Its settings; those for all sessions where there is one for each team.
    pub settings: Settings,
    /// Whether it is posted to the chats.
    pub chat: bool,
    /// How it is sent, to whom it says or to each team's lead.
    post: MailArgs,
}

/// The longest list of addresses on a line.
const LONGEST_LIST: usize = 300;

/// What the editions of a run share.
pub struct Plan {
    /// The reports, in the order of the settings file.
    pub editions: Vec<Edition>,
    /// The chats, if a report is posted to them.
    pub chats: Option<ChatSettings>,
    /// The addresses of the teams' leads.
    leads: BTreeMap<String, String>,
    password: Option<FoundKey>,
    state: Option<PathBuf>,
    network: Network,
}

impl Plan {
    /// Checks everything that can be checked before the sessions are fetched.
    ///
    /// # Errors
    /// The first thing that cannot be used.
    pub fn new(args: &RunArgs, choices: &[Choice], found: &Found, now: DateTime<Utc>) -> Result<Self, Error> {
        refuse_options(choices)?;
        let tables = &found.file.reports;
        let is_wanted = |table: &&ReportTable| {
            args.only.is_empty() || args.only.iter().any(|name| name.eq_ignore_ascii_case(&table.name))
        };
        check_names(&args.only, tables)?;
        check_alerts(found)?;
        let tz = zone(&args.report.tz)?;
        let day = match args.as_of.as_deref().map(|text| (text, period::parse_date(text.trim()))) {
            None => period::today(now, tz),
            Some((_, Some(day))) if day <= period::today(now, tz) => day,
            Some((text, _)) => {
                let message = format!("--as-of: {text:?} is no day up to today");
                return Err(SettingsError::new(message, "write it as 2026-10-12").into());
            }
        };
        let edition = |table: &ReportTable| -> Result<Edition, Error> {
            let mut options = table.options_beside(choices);
            options.retain(|option| option.flag != "chat");
            let mut args = cli::report_args(&options).map_err(|error| {
                let text = error.render().to_string();
                let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                SettingsError::new(first, "`acumen report --help` describes the options")
            })?;
            let period = table.period_before(day, tz).ok_or_else(|| {
                SettingsError::new("the period is out of range", "choose another day with --as-of")
            })?;
            let label = Some(period.label());
            match table.period {
                PeriodKind::Month => args.month = label,
                PeriodKind::Quarter => args.quarter = label,
                PeriodKind::Week | PeriodKind::Days => args.week = label,
            }
            args.out = args.out.join(&table.name);
            let mut settings = Settings::resolve(&args, found.clone(), now)?;
            let is_whole = args.tags.is_empty() && args.users.is_empty() && args.team.is_none();
            let is_whole = is_whole && !table.each_team;
            settings.alerts = alerts_about(found.file.alerts.clone(), Some(&table.name), is_whole);
            if table.each_team && !settings.tells_teams() {
                return Err(SettingsError::new(
                    "each = \"team\": no team is defined",
                    "map tags to teams with [[team]], or people with people_file",
                )
                .into());
            }
            let ReportArgs { post, .. } = args;
            let ReportTable { name, each_team, chat, .. } = table.clone();
            Ok(Edition { name, each_team, settings, chat, post })
        };
        let named = |table: &ReportTable| {
            edition(table).map_err(|error| {
                let message = format!("[[report]] “{}”: {error}", table.name);
                Error::from(SettingsError::new(message, error.hint()))
            })
        };
        let editions = tables.iter().filter(is_wanted).map(named).collect::<Result<Vec<_>, Error>>()?;
        let leads = found.file.leads.clone();
        let mails = editions.iter().any(|edition| {
            !edition.post.mail_to.is_empty()
                || !edition.post.mail_cc.is_empty()
                || (edition.each_team && !leads.is_empty())
        });
        let password = if mails && !args.dry_run { environment::password(&args.report.post)? } else { None };
        let state = environment::state(args.report.state.clone());
        let posts = editions.iter().any(|edition| edition.chat);
        let chats = posts.then(|| chat::settings(&args.report, &found.network)).transpose()?;
        let plan = Self { editions, chats, leads, password, state, network: found.network.clone() };
        for edition in &plan.editions {
            plan.check(edition, args.dry_run)?;
        }
        Ok(plan)
    }

    /// Checks the mail of an edition and the folder of its files.
    fn check(&self, edition: &Edition, dry_run: bool) -> Result<(), Error> {
        if dry_run {
            return Ok(deliver::probe_folder(&edition.settings.out).map(|_| ())?);
        }
        deliver::check(&edition.settings.out, edition.settings.mode)?;
        let teams: Vec<Option<&str>> = match edition.each_team {
            true => self.leads.keys().map(|team| Some(team.as_str())).collect(),
            false => vec![None],
        };
        teams.into_iter().try_for_each(|team| self.mail(edition, team).map(|_| ()))
    }

    /// To whom an edition goes: whom it names, else the lead of the team.
    pub fn recipients(&self, edition: &Edition, team: Option<&str>) -> Vec<String> {
        match team.and_then(|team| self.leads.get(team)) {
            Some(lead) if edition.post.mail_to.is_empty() => vec![lead.clone()],
            _ => edition.post.mail_to.clone(),
        }
    }

    /// Everything that an edition's mail needs; `None` if it has no recipient.
    ///
    /// # Errors
    /// An address, the server or the password cannot be used.
    pub fn mail(&self, edition: &Edition, team: Option<&str>) -> Result<Option<MailSettings>, Error> {
        let mail_to = self.recipients(edition, team);
        // A team without a lead is not mailed to those who get copies alone.
        if mail_to.is_empty() && (edition.each_team || edition.post.mail_cc.is_empty()) {
            return Ok(None);
        }
        let post = MailArgs { mail_to, ..edition.post.clone() };
        mail_command::settings(&post, self.password.clone(), self.state.clone(), &self.network).map(Some)
    }

    /// Who would get a report with these facts, and who got it before or may have, in words.
    ///
    /// # Errors
    /// An address or the log of sent mails cannot be read.
    pub fn planned(&self, edition: &Edition, team: Option<&str>, facts: &Facts) -> Result<String, Error> {
        let to = self.recipients(edition, team);
        let (Some(from), false) = (&edition.post.mail_from, to.is_empty()) else {
            return Ok("no recipient".to_owned());
        };
        if let Err(error) = mail::check_mailable(facts) {
            return Ok(format!("would not be sent: {error}"));
        }
        let all = mail::addresses(from, &to, &edition.post.mail_cc)?.recipients_of(facts);
        let keys: Vec<&str> = all.iter().map(|recipient| recipient.key.as_str()).collect();
        let sent = match &self.state {
            Some(state) => deliver::were_sent(state, &keys).map_err(SendError::from)?,
            None => vec![false; keys.len()],
        };
        let of = |was_sent: bool| {
            let own = all.iter().zip(&sent).filter(|(_, sent)| **sent == was_sent);
            own.map(|(recipient, _)| recipient.address.to_string()).collect::<Vec<_>>().join(", ")
        };
        let words = match (of(false), of(true)) {
            (due, before) if before.is_empty() => format!("would go to {due}"),
            (due, before) if due.is_empty() => format!("sent to {before} before"),
            (due, before) => format!("would go to {due}; sent to {before} before"),
        };
        Ok(clean(&words, LONGEST_LIST))
    }

    /// The teams that are defined by name, whether they have sessions or not.
    pub fn named_teams(&self, edition: &Edition) -> BTreeSet<String> {
        let rules = edition.settings.rules.iter().filter_map(|rule| rule.team.clone());
        let people = edition.settings.people.teams().map(str::to_owned);
        rules.chain(people).chain(self.leads.keys().cloned()).collect()
    }
}

/// Refuses options that a report of the settings file has for itself.
fn refuse_options(choices: &[Choice]) -> Result<(), SettingsError> {
    let is_refused = |choice: &&Choice| {
        let id = choice.flag.replace('-', "_");
        let id = match id.as_str() {
            "tag" => "tags",
            "user" => "users",
            id => id,
        };
        let is_set = matches!(choice.origin, Origin::Flag | Origin::Environment);
        is_set && NOT_OF_RUN.contains(&id) && choice.texts != ["false"]
    };
    let Some(refused) = choices.iter().find(is_refused) else { return Ok(()) };
    let name = match refused.origin {
        Origin::Flag => format!("--{}", refused.flag),
        _ => refused.variable.clone(),
    };
    let hint = match refused.flag.as_str() {
        "from" | "to" | "week" | "month" | "quarter" | "last" => {
            "set `period` in its [[report]] table; --as-of chooses an earlier run"
        }
        "chat" => "set chat = true in its [[report]] table",
        "mail" | "eml" => "set `to` in its [[report]] table: a report with recipients is mailed",
        "summary" => "use `acumen report --summary`",
        _ => "set it in its [[report]] table",
    };
    Err(SettingsError::new(format!("{name}: a run takes this from each report"), hint))
}

/// Refuses names that no report has, and a settings file without reports.
fn check_names(only: &[String], tables: &[ReportTable]) -> Result<(), SettingsError> {
    if tables.is_empty() {
        return Err(SettingsError::new(
            "the settings file has no [[report]]",
            "add one, such as [[report]] with name = \"leadership\" and profile = \"leadership\"; \
             `acumen report` makes a single report",
        ));
    }
    let is_unknown = |name: &&String| !tables.iter().any(|table| table.name.eq_ignore_ascii_case(name));
    match only.iter().find(is_unknown) {
        None => Ok(()),
        Some(name) => {
            let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
            Err(SettingsError::new(
                format!("--only: no report is called {name:?}"),
                format!("the reports are: {}", names.join(", ")),
            ))
        }
    }
}

/// Refuses an alert for a report that is not there: it would never be raised.
fn check_alerts(found: &Found) -> Result<(), SettingsError> {
    let tables = &found.file.reports;
    let names = found.file.alerts.iter().filter_map(|rule| rule.report.as_deref());
    match names.into_iter().find(|name| !tables.iter().any(|table| table.name == **name)) {
        None => Ok(()),
        Some(name) => {
            let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
            Err(SettingsError::new(
                format!("[[alert]]: no report is called {name:?}"),
                format!("the reports are: {}", names.join(", ")),
            ))
        }
    }
}
