//! What a run makes: the reports of the settings file, checked before any work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::cli::{self, Choice, MailArgs, NOT_OF_RUN, Origin, ReportArgs, RunArgs};
use crate::commands::{chat, mail as mail_command};
use crate::deliver::{self, PastDelivery, SendError};
use crate::environment;
use crate::error::Error;
use crate::exit::Explain;
use crate::mail;
use crate::metrics::Facts;
use crate::period::{self, PeriodKind};
use crate::settings::chat::{Chat, ChatSettings};
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

/// What becomes of a report that lacks sessions, or that no session matches.
const NOT_WHOLE: &str = "not sent: incomplete or empty";

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
        if args.report.pages.as_deref() == Some(Path::new("-")) {
            return Err(SettingsError::new(
                "--pages -: a run reads its pages once for each report",
                "save them in a file or folder, and name that",
            )
            .into());
        }
        check_alerts(found)?;
        let tz = zone(&args.report.tz)?;
        let day = match args.as_of.as_deref().map(|text| (text, period::parse_date(text.trim()))) {
            None => period::today(now, tz),
            Some((_, Some(day))) if day <= period::today(now, tz) => day,
            Some((text, _)) => {
                let message = format!("--as-of: {text:?} cannot be read, or is in the future");
                return Err(SettingsError::new(message, "write it as 2026-10-12").into());
            }
        };
        let edition = |table: &ReportTable| -> Result<Edition, Error> {
            let mut options = table.merged_options(choices);
            options.retain(|option| option.flag != "chat");
            let mut args = cli::report_args(&options).map_err(|error| {
                let text = error.render().to_string();
                let first = text
                    .lines()
                    .next()
                    .expect("an error of clap has words")
                    .trim_start_matches("error: ")
                    .to_owned();
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
            if table.each_team {
                settings = settings.about_teams();
            }
            if table.each_team && !settings.tells_teams() {
                return Err(SettingsError::new(
                    "each = \"team\": no team is defined",
                    "map tags to teams with [[team]], or people with people_file",
                )
                .into());
            }
            let ReportArgs { mut post, .. } = args;
            let ReportTable { name, each_team, mut chat, .. } = table.clone();
            let is_typed =
                |flag| choices.iter().any(|choice| choice.flag == flag && choice.origin == Origin::Flag);
            // A typed recipient is a test: the report goes to that person only.
            if is_typed("mail-to") {
                chat = false;
                if !is_typed("mail-cc") {
                    post.mail_cc.clear();
                }
            }
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
        let password = if mails { environment::password(&args.report.post)? } else { None };
        let state = environment::state(args.report.state.clone());
        let posts = editions.iter().any(|edition| edition.chat);
        let chats = posts.then(|| chat::settings(&args.report, &found.network)).transpose()?;
        let plan = Self { editions, chats, leads, password, state, network: found.network.clone() };
        plan.editions.iter().try_for_each(|edition| plan.check_mail(edition))?;
        for edition in &plan.editions {
            let Settings { out, mode, .. } = &edition.settings;
            match args.dry_run {
                true => drop(deliver::probe_folder(out)?),
                false => deliver::check(out, *mode)?,
            }
        }
        Ok(plan)
    }

    /// Checks the mail of an edition, that to each team's lead included.
    fn check_mail(&self, edition: &Edition) -> Result<(), Error> {
        let leads = self.leads.keys().filter(|_| edition.each_team).map(|team| Some(team.as_str()));
        leads.chain([None]).try_for_each(|team| {
            let named = |error: Error| {
                let lead = team.map_or_else(String::new, |team| format!(", lead of “{team}”"));
                let message = format!("[[report]] “{}”{lead}: {error}", edition.name);
                SettingsError::new(message, error.hint()).into()
            };
            self.mail(edition, team).map(drop).map_err(named)
        })
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

    /// Who would get a report with these facts by mail and in chats, and who had it before or may have, in words.
    ///
    /// # Errors
    /// The mail cannot be made, or the log of what was sent cannot be read.
    pub fn planned(
        &self,
        edition: &Edition,
        team: Option<&str>,
        facts: &Facts,
    ) -> Result<(String, String), Error> {
        let (settings, report) = (self.mail(edition, team)?, mail::report_key(facts));
        let mailed = match &settings {
            None => "no recipient".to_owned(),
            Some(_) if mail::check_mailable(facts).is_err() => NOT_WHOLE.to_owned(),
            Some(settings) => {
                let addresses = mail::addresses(&settings.from, &settings.to, &settings.cc)?;
                let recipients = addresses.recipients(&report);
                let keys: Vec<&str> = recipients.iter().map(|recipient| recipient.key.as_str()).collect();
                let past = self.past(&keys)?;
                let force = edition.post.force;
                let of = |is: fn(&PastDelivery) -> bool| {
                    let own = recipients.iter().zip(&past).filter(|(_, past)| is(past));
                    own.map(|(recipient, _)| recipient.address.to_string()).collect::<Vec<_>>().join(", ")
                };
                let all = [
                    ("would go to ", of(if force { |_| true } else { |past| *past == PastDelivery::None })),
                    ("sent before to ", of(|past| matches!(past, PastDelivery::Sent(_)))),
                    ("in doubt for ", of(|past| matches!(past, PastDelivery::Possible(_)))),
                ];
                let some = all.iter().take(if force { 1 } else { 3 }).filter(|(_, who)| !who.is_empty());
                let words: Vec<String> = some.map(|(words, who)| format!("{words}{who}")).collect();
                clean(&words.join("; "), LONGEST_LIST)
            }
        };
        let posted = match self.chats.as_ref().filter(|_| edition.chat) {
            None => String::new(),
            Some(_) if mail::check_mailable(facts).is_err() => NOT_WHOLE.to_owned(),
            Some(chats) => {
                let keys: Vec<String> =
                    chats.chats.iter().map(|chat| deliver::chat_key(chat, &report)).collect();
                let past = self.past(&keys.iter().map(String::as_str).collect::<Vec<_>>())?;
                let is_due = |past: &PastDelivery| chats.repost || *past == PastDelivery::None;
                let words = |(chat, past): (&Chat, &PastDelivery)| match past {
                    past if is_due(past) => format!("would go to {}", chat.service.name()),
                    PastDelivery::Possible(_) => format!("in doubt for {}", chat.service.name()),
                    _ => format!("posted before to {}", chat.service.name()),
                };
                chats.chats.iter().zip(&past).map(words).collect::<Vec<_>>().join("; ")
            }
        };
        Ok((mailed, posted))
    }

    fn past(&self, keys: &[&str]) -> Result<Vec<PastDelivery>, Error> {
        match &self.state {
            Some(state) => Ok(deliver::past_deliveries(state, keys).map_err(SendError::from)?),
            None => Ok(vec![PastDelivery::None; keys.len()]),
        }
    }

    /// The teams that are defined by name, whether they have sessions or not.
    pub fn named_teams(&self, edition: &Edition) -> BTreeSet<String> {
        let rules = edition.settings.rules.iter().filter_map(|rule| rule.team.as_deref());
        let leads = self.leads.keys().map(String::as_str);
        let names = rules.chain(edition.settings.people.teams()).chain(leads).map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
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
        // A filter of the whole file would narrow every report, that of leadership as well.
        let is_filter = choice.origin == Origin::File && ["tags", "users"].contains(&id);
        let is_set = matches!(choice.origin, Origin::Flag | Origin::Environment) || is_filter;
        is_set && NOT_OF_RUN.contains(&id) && choice.texts != ["false"]
    };
    let Some(refused) = choices.iter().find(is_refused) else { return Ok(()) };
    let name = match refused.origin {
        Origin::Flag => format!("--{}", refused.flag),
        Origin::File => format!("`{}` of the settings file", refused.flag),
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
    let of_team = |name: &&str| tables.iter().any(|table| table.each_team && table.name == **name);
    let budget = found.file.alerts.iter().filter(|rule| rule.metric.starts_with("budget"));
    if let Some(name) = budget.filter_map(|rule| rule.report.as_deref()).find(of_team) {
        return Err(SettingsError::new(
            format!("[[alert]]: {name:?} has reports about teams, and a budget is for all sessions"),
            "omit `report`, so that the alert is for the reports about all sessions",
        ));
    }
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
