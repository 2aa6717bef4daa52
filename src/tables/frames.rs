//! Tables to the frames that metrics and exports read: with what is derived from
//! several columns, from the rules for teams, and from all sessions together.

use chrono::{DateTime, Utc};
use polars::prelude::*;

use super::schema as c;
use super::{TableError, Tables, normal};
use crate::people::Teams;

/// The user id that stands for "a service user" in place of a person's.
const BOT: &str = "bot_apk";

/// The origins of sessions that no person starts, whatever user they carry.
const AUTOMATED_ORIGINS: [&str; 3] = ["automation", "scheduled", "code_scan"];

/// The sessions of a report and their child rows, joined by [`c::ROW`]. Each session
/// is there once.
#[derive(Clone, Debug)]
pub struct Frames {
    /// One row a session, by creation, then by id; with user, team, cost centre, whether it is
    /// automation, and its tags and pull requests counted.
    pub sessions: DataFrame,
    /// One row a session that may be named, with its title, address and prompt.
    pub names: DataFrame,
    /// One row a pull request entry.
    pub pull_requests: DataFrame,
    /// One row a session and tag.
    pub tags: DataFrame,
    /// One row an issue.
    pub issues: DataFrame,
    /// One row an action item.
    pub action_items: DataFrame,
    /// One row a remark on the prompt of a session that may be named.
    pub feedback: DataFrame,
}

impl Frames {
    /// The frames of tables. Sessions created before `named_from` are counted but never
    /// named; `teams` has the team and cost centre of a session, if anything does.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn new(tables: Tables, named_from: DateTime<Utc>, teams: Option<&Teams>) -> Result<Self, TableError> {
        let Tables { sessions, pull_requests, mut tags, mut issues, mut action_items, mut feedback } = tables;
        let failed = TableError::of;
        let mut pull_requests = in_one_spelling(pull_requests, c::REPO, normal::repo_has_no_case)
            .and_then(|entries| in_one_spelling(entries, c::ADDRESS, normal::has_no_case))
            .map_err(failed("pull_requests"))?;
        let names = names(&sessions, named_from).map_err(failed("names"))?;
        let mut sessions = sessions.drop_many([c::TITLE, c::URL, c::PROMPT]);
        // Steps over one piece are far quicker than over a piece a month.
        let children = [&mut pull_requests, &mut tags, &mut issues, &mut action_items, &mut feedback];
        for table in std::iter::once(&mut sessions).chain(children) {
            table.rechunk_mut_par();
        }
        let sessions = derived(sessions, &pull_requests, &tags, teams).map_err(failed("sessions"))?;
        Ok(Self { sessions, names, pull_requests, tags, issues, action_items, feedback })
    }

    /// How many sessions have a field that could not be read, of how many.
    ///
    /// # Errors
    /// A column is missing: an internal error.
    pub fn unreadable(&self) -> Result<(u64, u64), TableError> {
        let counts = self.sessions.column(c::UNREADABLE).and_then(|column| column.i64());
        let counts = counts.map_err(TableError::of("sessions"))?;
        Ok((counts.iter().flatten().filter(|count| *count > 0).count() as u64, counts.len() as u64))
    }

    /// How many sessions do not have their ACUs, of how many.
    ///
    /// # Errors
    /// A column is missing: an internal error.
    pub fn without_acus(&self) -> Result<(u64, u64), TableError> {
        let acus = self.sessions.column(c::ACUS).map_err(TableError::of("sessions"))?;
        Ok((acus.null_count() as u64, acus.len() as u64))
    }

    /// How many pull request entries have no address, of how many.
    ///
    /// # Errors
    /// A column is missing: an internal error.
    pub fn without_address(&self) -> Result<(u64, u64), TableError> {
        let addresses = self.pull_requests.column(c::ADDRESS).map_err(TableError::of("pull_requests"))?;
        Ok((addresses.null_count() as u64, addresses.len() as u64))
    }
}

/// The distinct texts of a categorical column, in alphabetical order.
///
/// # Errors
/// The column is missing or not categorical: an internal error.
pub fn texts(frame: &DataFrame, column: &str) -> Result<Vec<String>, TableError> {
    let texts = || {
        let distinct = frame.column(column)?.unique()?;
        let mut texts: Vec<String> = distinct.cat32()?.iter_str().flatten().map(str::to_owned).collect();
        texts.sort_unstable();
        Ok(texts)
    };
    texts().map_err(TableError::of("texts"))
}

/// The sessions that may be named.
fn names(sessions: &DataFrame, named_from: DateTime<Utc>) -> PolarsResult<DataFrame> {
    sessions
        .select([c::CREATED, c::TITLE, c::URL, c::PROMPT])?
        .lazy()
        .with_row_index(c::ROW, None)
        .filter(col(c::CREATED).to_physical().gt_eq(lit(named_from.timestamp_micros())))
        .select([col(c::ROW), col(c::TITLE), col(c::URL), col(c::PROMPT)])
        .collect()
}

/// The sessions with all that is derived.
fn derived(
    sessions: DataFrame,
    pull_requests: &DataFrame,
    tags: &DataFrame,
    teams: Option<&Teams>,
) -> PolarsResult<DataFrame> {
    let is = |column: &str, word: &'static str| col(column).eq(lit(word)).fill_null(lit(false));
    let automation = AUTOMATED_ORIGINS
        .into_iter()
        .map(|origin| is(c::ORIGIN, origin))
        .fold(col(c::SERVICE_USER_ID).is_not_null().or(is(c::USER_ID, BOT)), Expr::or);
    let user = coalesce(&[col(c::SERVICE_USER_ID), col(c::USER_ID)]);
    let rows = sessions.height();
    let of_tags = tags.column(c::ROW)?.u32()?.iter().flatten();
    let counts = [
        counts(of_tags, rows).with_name(c::TAG_COUNT.into()).into_column(),
        counts(distinct(pull_requests)?.into_iter(), rows).with_name(c::PR_COUNT.into()).into_column(),
    ];
    let mut sessions = sessions
        .lazy()
        .with_row_index(c::ROW, None)
        .with_columns([user.alias(c::USER), automation.alias(c::AUTOMATION)])
        .drop(cols([c::USER_ID, c::SERVICE_USER_ID]))
        .collect()?;
    for count in counts {
        sessions.with_column(count)?;
    }
    match teams {
        Some(teams) => with_teams(sessions, tags, teams),
        None => {
            for column in [c::TEAM, c::COST_CENTRE] {
                sessions.with_column(Column::full_null(column.into(), rows, &c::categories(column)))?;
            }
            sessions.with_column(Column::full_null(c::SEVERAL_TEAMS.into(), rows, &DataType::Boolean))?;
            Ok(sessions)
        }
    }
}

/// How often each session is among rows.
fn counts(rows: impl Iterator<Item = u32>, sessions: usize) -> UInt32Chunked {
    let mut counts = vec![0_u32; sessions];
    for row in rows {
        *counts.get_mut(row as usize).expect("child rows are of sessions that are there") += 1;
    }
    UInt32Chunked::from_vec(c::ROW.into(), counts)
}

/// The session of each pull request that it lists, once for each address.
fn distinct(entries: &DataFrame) -> PolarsResult<Vec<u32>> {
    let rows = entries.column(c::ROW)?.u32()?.iter();
    let addresses = entries.column(c::ADDRESS)?.str()?.iter();
    let mut distinct = Vec::new();
    // Entries are in the order of sessions, and a session has few: no set of all is needed.
    let mut own: Vec<&str> = Vec::new();
    for (row, address) in rows.zip(addresses) {
        let (Some(row), Some(address)) = (row, address) else { continue };
        if distinct.last() != Some(&row) {
            own.clear();
        }
        if !own.contains(&address) {
            own.push(address);
            distinct.push(row);
        }
    }
    Ok(distinct)
}

/// Sessions with the columns that another frame has for their rows, in their order.
fn join(sessions: LazyFrame, other: LazyFrame) -> LazyFrame {
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
    sessions.join(other, [col(c::ROW)], [col(c::ROW)], args)
}

/// Sessions with their teams and cost centres. The team is what the first rule says that one of
/// the tags fits, of several such tags the first one; else the team of the user at that time. The
/// cost centre is that of the user at that time, whatever gives the team.
fn with_teams(sessions: DataFrame, tags: &DataFrame, teams: &Teams) -> PolarsResult<DataFrame> {
    let (rule, by_tag, by_user, from) = ("rule", "team of the tag", "team of the user", "from");
    let teams_of_tags = "teams of the tags";

    let distinct = tags.column(c::TAG)?.unique()?;
    let ruled = distinct.cat32()?.iter_str().flatten();
    let ruled: Vec<_> = ruled.filter_map(|tag| Some((tag, teams.of_tag(tag)?))).collect();
    let of_tags = df!(
        c::TAG => ruled.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(),
        rule => ruled.iter().map(|(_, (rule, _))| *rule as u64).collect::<Vec<_>>(),
        by_tag => ruled.iter().map(|(_, (_, team))| *team).collect::<Vec<_>>(),
    )?;
    let of_tags = of_tags.lazy().with_column(col(c::TAG).cast(distinct.dtype().clone()));
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Inner) };
    let of_tags = tags
        .clone()
        .lazy()
        .join(of_tags, [col(c::TAG)], [col(c::TAG)], args)
        .sort([c::ROW, rule], SortMultipleOptions::default().with_maintain_order(true))
        .group_by_stable([col(c::ROW)])
        .agg([col(by_tag).first(), col(by_tag).n_unique().alias(teams_of_tags)]);
    // Without rules nobody can say that a session has one team.
    let several = when(lit(teams.has_rules())).then(col(teams_of_tags).gt(lit(1)).fill_null(lit(false)));

    let histories: Vec<_> = teams.histories().collect();
    let of_users = df!(
        c::USER => histories.iter().map(|(user, _)| *user).collect::<Vec<_>>(),
        from => histories.iter().map(|(_, own)| own.from).collect::<Vec<_>>(),
        by_user => histories.iter().map(|(_, own)| own.team.as_deref()).collect::<Vec<_>>(),
        c::COST_CENTRE => histories.iter().map(|(_, own)| own.cost_centre.as_deref()).collect::<Vec<_>>(),
    )?;
    let users = sessions.column(c::USER)?.dtype().clone();
    let of_users = of_users.lazy().with_column(col(c::USER).cast(users));
    let of_users = sessions
        .select([c::ROW, c::USER, c::CREATED])?
        .lazy()
        .inner_join(of_users, col(c::USER), col(c::USER))
        .filter(col(from).lt_eq(col(c::CREATED).to_physical()))
        .sort([c::ROW, from], SortMultipleOptions::default())
        .unique_stable(Some(cols([c::ROW])), UniqueKeepStrategy::Last)
        .select([col(c::ROW), col(by_user), col(c::COST_CENTRE)]);

    let text = |expr: Expr, column: &'static str| expr.cast(c::categories(column)).alias(column);
    join(join(sessions.lazy(), of_tags), of_users)
        .with_columns([
            text(coalesce(&[col(by_tag), col(by_user)]), c::TEAM),
            text(col(c::COST_CENTRE), c::COST_CENTRE),
            several.otherwise(lit(NULL)).alias(c::SEVERAL_TEAMS),
        ])
        .drop(cols([by_tag, by_user, teams_of_tags]))
        .collect()
}

/// Gives texts of pull requests that differ in case only, where case does not count,
/// the spelling of the earliest session.
fn in_one_spelling(
    entries: DataFrame,
    column: &'static str,
    has_no_case: impl Fn(&str) -> bool,
) -> PolarsResult<DataFrame> {
    let distinct = entries.column(column)?.unique()?;
    let names = distinct.cast(&DataType::String)?;
    let texts: Vec<&str> = names.str()?.iter().flatten().collect();
    let has_upper = |text: &&str| text.bytes().any(|byte| byte.is_ascii_uppercase());
    if !texts.iter().any(|text| has_upper(text) && has_no_case(text)) {
        return Ok(entries);
    }
    let (own, same) = ("own", "same");
    let folded = texts.iter().map(|text| match has_no_case(text) {
        true => text.to_ascii_lowercase(),
        false => (*text).to_owned(),
    });
    let spellings = df!(own => texts.as_slice(), same => folded.collect::<Vec<_>>())?;
    if spellings.column(same)?.n_unique()? == spellings.height() {
        return Ok(entries);
    }
    let spellings = spellings.lazy().with_column(col(own).cast(distinct.dtype().clone()));
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
    // Entries are in the order of sessions.
    let first = col(column).first().over([col(same)])?;
    let spelling = when(col(same).is_not_null()).then(first).otherwise(col(column)).alias(column);
    let names = entries.get_column_names_owned();
    entries
        .lazy()
        .join(spellings, [col(column)], [col(own)], args)
        .with_column(spelling)
        .select(names.into_iter().map(col).collect::<Vec<_>>())
        .collect()
}
