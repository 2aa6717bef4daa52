//! Names, teams and cost centres of people: the people file, and rules that derive a team from a tag.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
pub use devin_api::pattern::fits;
use devin_api::pattern::stands_for;

use crate::period::Period;

/// The smallest group that reports without people show; a smaller one would reveal its members.
pub const ENOUGH: u32 = 5;

/// An error in a people file.
#[derive(Debug, PartialEq, Eq)]
pub struct PeopleFileError {
    /// Its line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// A row of a people file: what applies to a person from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PersonRow {
    name: Option<String>,
    team: Option<String>,
    cost_centre: Option<String>,
    /// `None` means from the beginning.
    from: Option<NaiveDate>,
}

/// The people file: names, teams and cost centres by user id or email, over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleFile {
    /// By id or email, as [`key`] normalizes it; oldest row first.
    rows: BTreeMap<String, Vec<PersonRow>>,
}

/// Hint for the line of heads …
const HEADS: &str = "begin it with the line user,name,team,from, separated by commas, semicolons or \
    tabs; user is an id or an email, and cost_centre is one more column";
/// … and about quotation marks.
const QUOTES: &str = "quote a text that contains a separator or a quotation mark, and double quotation \
    marks in it";

/// The columns of a people file; the first is required.
const COLUMNS: [&str; 5] = ["user", "name", "team", COST_CENTRE, "from"];
/// The column of the cost centre …
const COST_CENTRE: &str = "cost_centre";
/// … and its other spellings.
const COST_CENTRES: [&str; 3] = ["cost_center", "cost centre", "cost center"];

impl PeopleFile {
    /// Parses a people file: a line of heads, `user` (an id or an email), `name`, `team`,
    /// `cost_centre` and `from` in any order, then one line a row. Cells are separated by commas, semicolons or tabs, as in
    /// the line of heads or as declared by a preceding line `sep=;`. Lines without a value are
    /// skipped; an empty cell is no value.
    ///
    /// # Errors
    /// The first line with an error.
    pub fn parse(text: &str) -> Result<Self, PeopleFileError> {
        // Spreadsheets write a byte order mark, and end lines with CR LF or CR.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
        let has_value = |line: &str| line.contains(|c: char| !c.is_whitespace() && !",;\"".contains(c));
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| has_value(line));
        let missing = || error_at(1, "the column “user” is missing".to_owned(), HEADS);
        let (mut line, mut heads) = lines.next().ok_or_else(missing)?;
        // Excel declares its separator in this way.
        let declared = heads.trim().trim_matches('"').strip_prefix("sep=").map(str::as_bytes);
        if declared.is_some() {
            (line, heads) = lines.next().ok_or_else(missing)?;
        }
        let delimiter = match declared {
            Some(&[declared]) => declared,
            _ => delimiter(heads),
        };
        let heads = cells(heads, delimiter).map_err(|what| error_at(line, what, QUOTES))?;
        let place = |name: &str| heads.iter().position(|head| is_head_of(head, name));
        let is_known = |head: &String| COLUMNS.iter().any(|name| is_head_of(head, name));
        if let Some(odd) = heads.iter().find(|head| !head.is_empty() && !is_known(head)) {
            let known = COLUMNS.join(", ");
            return Err(error_at(line, format!("unknown column “{odd}”; the columns are {known}"), HEADS));
        }
        let count = |name: &str| heads.iter().filter(|head| is_head_of(head, name)).count();
        if let Some(name) = COLUMNS.into_iter().find(|name| count(name) > 1) {
            return Err(error_at(line, format!("the column “{name}” occurs twice"), HEADS));
        }
        let [user, name, team, cost_centre, from] = COLUMNS.map(place);
        let Some(user) = user else { return Err(PeopleFileError { line, ..missing() }) };
        let mut people = Self::default();
        for (line, text) in lines {
            let record = cells(text, delimiter).map_err(|what| error_at(line, what, QUOTES))?;
            let has_head = |place: usize| heads.get(place).is_some_and(|head| !head.is_empty());
            let stray = record.iter().enumerate().find(|(place, cell)| !cell.is_empty() && !has_head(*place));
            if let Some((_, cell)) = stray {
                return Err(error_at(line, format!("“{cell}” has no column"), QUOTES));
            }
            let cell = |place: Option<usize>| {
                place.and_then(|place| record.get(place)).filter(|cell| !cell.is_empty()).cloned()
            };
            let Some(who) = cell(Some(user)) else {
                let hint = "fill in the id or email under user, or remove the row";
                return Err(error_at(line, "it has no user".to_owned(), hint));
            };
            let from = match cell(from) {
                None => None,
                Some(text) => Some(text.parse().map_err(|_| {
                    error_at(line, format!("cannot read the day “{text}”"), "write it as 2026-10-05")
                })?),
            };
            let rows = people.rows.entry(key(&who)).or_default();
            if rows.iter().any(|row| row.from == from) {
                let hint = "keep one of them, or fill in the first day of the later one under from";
                return Err(error_at(line, format!("“{who}” has two rows from the same day"), hint));
            }
            let (name, team, cost_centre) = (cell(name), cell(team), cell(cost_centre));
            rows.push(PersonRow { name, team, cost_centre, from });
        }
        for rows in people.rows.values_mut() {
            rows.sort_by_key(|row| row.from);
        }
        Ok(people)
    }

    /// The ids and emails that are not among these, sorted.
    pub fn unmatched<'a>(&self, known: impl Iterator<Item = &'a str>) -> Vec<&str> {
        let known: HashSet<String> = known.map(key).collect();
        self.rows.keys().filter(|who| !known.contains(*who)).map(String::as_str).collect()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether any row names a team.
    pub fn tells_teams(&self) -> bool {
        self.rows.values().flatten().any(|row| row.team.is_some())
    }

    /// The teams that it names, each once for every row.
    pub fn teams(&self) -> impl Iterator<Item = &str> {
        self.rows.values().flatten().filter_map(|row| row.team.as_deref())
    }

    /// Whether any row names a cost centre.
    pub fn tells_cost_centres(&self) -> bool {
        self.rows.values().flatten().any(|row| row.cost_centre.is_some())
    }

    /// Whether a person with a team or a cost centre is known by email only.
    pub fn needs_emails(&self) -> bool {
        let is_assigned = |row: &PersonRow| row.team.is_some() || row.cost_centre.is_some();
        self.rows.iter().any(|(who, rows)| is_email(who) && rows.iter().any(is_assigned))
    }

    /// A person's name by their newest row; a row by id has priority over one by email.
    pub fn name(&self, id: &str, email: Option<&str>) -> Option<&str> {
        self.rows_of(id, email)?.iter().rev().find_map(|row| row.name.as_deref())
    }

    /// All ids with their names; without emails.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().filter_map(|(who, rows)| {
            let name = rows.iter().rev().find_map(|row| row.name.as_deref())?;
            (!is_email(who)).then_some((who.as_str(), name))
        })
    }

    /// The ids and emails with this name in any row, ignoring case.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_lowercase();
        let is_named = move |row: &PersonRow| row.name.as_ref().is_some_and(|own| own.to_lowercase() == name);
        self.rows.iter().filter(move |(_, rows)| rows.iter().any(&is_named)).map(|(who, _)| who.as_str())
    }

    fn rows_of(&self, id: &str, email: Option<&str>) -> Option<&Vec<PersonRow>> {
        let of_email = || self.rows.get(&key(email?));
        self.rows.get(&key(id)).or_else(of_email)
    }
}

/// Whether a head is that of a column, ignoring case.
fn is_head_of(head: &str, column: &str) -> bool {
    let is = |name: &&str| head.eq_ignore_ascii_case(name);
    is(&column) || (column == COST_CENTRE && COST_CENTRES.iter().any(is))
}

/// The separator in a line of heads: comma, semicolon or tab, whichever occurs most.
fn delimiter(heads: &str) -> u8 {
    let count = |delimiter: &u8| heads.bytes().filter(|byte| byte == delimiter).count();
    // `max_by_key` returns the last of equals, so the comma has priority.
    *b"\t;,".iter().max_by_key(|delimiter| count(delimiter)).expect("there are three")
}

/// The trimmed cells of one line. Lines are parsed one by one, because the line numbers of a reader
/// of whole files do not count empty lines.
fn cells(line: &str, delimiter: u8) -> Result<Vec<String>, String> {
    let line = format!("{line}\n");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .buffer_capacity(line.len())
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    reader.read_record(&mut record).map_err(|error| error.to_string())?;
    if record.iter().any(|cell| cell.contains('\n')) {
        return Err("a quotation mark that opens here is not closed on its line".to_owned());
    }
    Ok(record.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// The key to look a person up by: emails ignore case, ids do not.
fn key(who: &str) -> String {
    if is_email(who) { who.trim().to_lowercase() } else { who.trim().to_owned() }
}

fn is_email(who: &str) -> bool {
    who.contains('@')
}

fn error_at(line: u64, what: String, hint: &'static str) -> PeopleFileError {
    PeopleFileError { line, what, hint }
}

/// A rule that derives a session's team from one of its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRule {
    /// A tag pattern; `*` matches any text.
    pub pattern: String,
    /// The team; `None` means the text that the first `*` matches.
    pub team: Option<String>,
}

impl TagRule {
    /// The team of a tag; `None` if the pattern does not match.
    fn team<'t>(&'t self, tag: &'t str) -> Option<&'t str> {
        let stands = stands_for(&self.pattern, tag)?;
        Some(self.team.as_deref().unwrap_or(stands).trim()).filter(|team| !team.is_empty())
    }
}

/// A person's team and cost centre from an instant on; `None` ends the one before it.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The instant, in microseconds UTC.
    pub from: i64,
    /// The team.
    pub team: Option<Box<str>>,
    /// The cost centre.
    pub cost_centre: Option<Box<str>>,
}

/// Teams by tag and by user over time, and cost centres by user over time.
#[derive(Clone, Debug, Default)]
pub struct Teams {
    rules: Vec<TagRule>,
    /// By user id, oldest first.
    people: HashMap<Box<str>, Vec<Assignment>>,
}

impl Teams {
    /// From rules for tags and a people file, with the ids of people whom the file knows by email.
    /// A day in the file begins at the zone's midnight.
    pub fn new<'m>(
        rules: Vec<TagRule>,
        people: &PeopleFile,
        emails: impl Iterator<Item = (&'m str, &'m str)>,
        tz: Tz,
    ) -> Self {
        let begins = |day: Option<NaiveDate>| {
            let Some(day) = day else { return i64::MIN };
            Period::days(day, day, tz).map_or(i64::MIN, |day| day.from().timestamp_micros())
        };
        let history = |rows: &Vec<PersonRow>| {
            let text = |text: &Option<String>| text.as_deref().map(Into::into);
            let assignment = |row: &PersonRow| Assignment {
                from: begins(row.from),
                team: text(&row.team),
                cost_centre: text(&row.cost_centre),
            };
            rows.iter().map(assignment).collect()
        };
        let mut known: HashMap<Box<str>, Vec<Assignment>> = HashMap::new();
        for (id, email) in emails {
            if let Some(rows) = people.rows_of(id, Some(email)) {
                known.insert(id.into(), history(rows));
            }
        }
        for (who, rows) in &people.rows {
            known.insert(who.as_str().into(), history(rows));
        }
        Self { rules, people: known }
    }

    /// Whether a rule maps tags to teams.
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The team of a tag by the first rule that matches it, with the place of that rule.
    pub fn of_tag<'t>(&'t self, tag: &'t str) -> Option<(usize, &'t str)> {
        self.rules.iter().enumerate().find_map(|(place, rule)| Some((place, rule.team(tag)?)))
    }

    /// The teams and cost centres of each user, oldest first.
    pub fn histories(&self) -> impl Iterator<Item = (&str, &Assignment)> {
        self.people
            .iter()
            .flat_map(|(user, history)| history.iter().map(move |assignment| (user.as_ref(), assignment)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}User,name,team,from\n\
        email|1, Ada ,Payments,\n\
        email|1,,Search,2026-10-07\n\
        GRACE@example.com,Grace,Search,\n\
        service-user-9,Nightly,,\n";

    #[test]
    fn teams_apply_from_their_day_and_ids_have_priority() {
        let people = PeopleFile::parse(FILE).unwrap();
        let emails = [("email|2", "grace@example.com"), ("email|1", "grace@example.com")];
        let teams = Teams::new(Vec::new(), &people, emails.into_iter(), chrono_tz::Europe::Berlin);
        let team = |user, moment: &str| {
            let created: chrono::DateTime<chrono::Utc> = moment.parse().unwrap();
            let own = teams.histories().filter(|(own, _)| *own == user).map(|(_, assignment)| assignment);
            own.take_while(|own| own.from <= created.timestamp_micros()).last()?.team.as_deref()
        };
        // Midnight in Berlin is 22:00 UTC the day before.
        assert_eq!(team("email|1", "2026-10-06T21:59:59Z"), Some("Payments"));
        assert_eq!(team("email|1", "2026-10-06T22:00:00Z"), Some("Search"));
        assert_eq!(team("email|2", "2020-01-01T00:00:00Z"), Some("Search"));
        assert_eq!(
            [team("service-user-9", "2026-10-06T00:00:00Z"), team("email|3", "2026-10-06T00:00:00Z")],
            [None; 2]
        );
        assert_eq!(people.name("email|1", None), Some("Ada"));
        assert_eq!(people.name("email|2", Some("Grace@Example.com")), Some("Grace"));
        assert_eq!(people.names().collect::<Vec<_>>(), [("email|1", "Ada"), ("service-user-9", "Nightly")]);
    }

    #[test]
    fn a_sep_line_declares_the_separator() {
        let rows = |text: &str| PeopleFile::parse(text).map(|people| people.rows);
        let expected = rows("user,name\nu,\"A;B\"\n").unwrap();
        for text in [
            "sep=,\r\nuser,name\r\nu,A;B\r\n",
            "\"sep=;\"\n\nuser;name\nu;\"A;B\"\n",
            "sep=\t\nuser\tname\nu\tA;B",
        ] {
            assert_eq!(rows(text).unwrap(), expected, "{text}");
        }
        assert_eq!(rows("sep=;\n").unwrap_err().what, "the column “user” is missing");
        assert_eq!(rows("sep=;\nuser;from\n\nu;soon").unwrap_err().line, 4);
    }

    #[test]
    fn cells_without_a_head_are_errors() {
        for (text, line, word) in [
            ("user,name,team\nu,Berg, Ida,core\n", 2, "“core” has no column"),
            ("user,,team\nu,,core\nv,x,core\n", 3, "“x” has no column"),
            ("user,name,Name\nu,A,B\n", 1, "“name” occurs twice"),
        ] {
            let error_at = PeopleFile::parse(text).unwrap_err();
            assert!(error_at.line == line && error_at.what.contains(word), "{error_at:?}");
        }
        assert!(PeopleFile::parse("user,name,,\nu,A,,\nv,B,\n").is_ok());
    }

    #[test]
    fn cost_centres_have_a_column_of_several_spellings() {
        let rows = |text: &str| PeopleFile::parse(text).map(|people| people.rows);
        let expected = rows("user,team,cost_centre,from\na@example.com,A,4711,\nb,B,,2026-10-05\n").unwrap();
        assert_eq!(expected["a@example.com"][0].cost_centre.as_deref(), Some("4711"));
        for head in ["COST_CENTER", "Cost centre", "cost center"] {
            let text = format!("{head};user;from;team\n4711;a@example.com;;A\n;b;2026-10-05;B\n");
            assert_eq!(rows(&text).unwrap(), expected, "{head}");
        }
        let error = rows("user,cost_centre,cost center\na,1,2\n").unwrap_err();
        assert_eq!(error.what, "the column “cost_centre” occurs twice");
        let error = rows("user,costs\na,1\n").unwrap_err();
        assert_eq!(error.what, "unknown column “costs”; the columns are user, name, team, cost_centre, from");
        let asks = |text: &str| {
            let people = PeopleFile::parse(text).unwrap();
            (people.tells_teams(), people.tells_cost_centres(), people.needs_emails())
        };
        assert_eq!(asks("user,cost_centre\na@example.com,1\n"), (false, true, true));
        assert_eq!(asks("user,cost_centre\na,1\nb@example.com,\n"), (false, true, false));
        assert_eq!(asks("user,team\na@example.com,A\n"), (true, false, true));
    }

    #[test]
    fn rules_have_priority_over_the_file_in_order() {
        let rule = |pattern: &str, team: Option<&str>| TagRule {
            pattern: pattern.to_owned(),
            team: team.map(str::to_owned),
        };
        let rules = vec![rule("pay", Some("Payments")), rule("team:*", None), rule("a*b*c", Some("ABC"))];
        let teams = Teams::new(rules, &PeopleFile::default(), std::iter::empty(), chrono_tz::UTC);
        assert_eq!(teams.of_tag("pay"), Some((0, "Payments")));
        assert_eq!(teams.of_tag("team:search"), Some((1, "search")));
        assert_eq!(teams.of_tag("abbxc"), Some((2, "ABC")));
        assert_eq!(["payday", "team:", "abx"].map(|tag| teams.of_tag(tag)), [None; 3]);
    }

    #[test]
    fn the_first_star_matches_as_little_as_possible() {
        let stands = |pattern, text| stands_for(pattern, text);
        assert_eq!(stands("a*b*c", "axbybc"), Some("x"));
        assert_eq!(stands("*b*b", "abxbyb"), Some("a"));
        assert_eq!(
            [stands("**", "ab"), stands("a*", "ab"), stands("*", "")],
            [Some(""), Some("b"), Some("")]
        );
        assert_eq!([stands("*ab*b", "ab"), stands("a*a", "a"), stands("a*b*a", "aba ")], [None; 3]);
        // One that tries all places of all stars would not end.
        assert_eq!(stands("*a*a*a*a*b", &"a".repeat(60_000)), None);
    }

    #[test]
    fn errors_have_line_numbers() {
        let line = |text: &str| PeopleFile::parse(text).unwrap_err().line;
        assert_eq!([line("name\nx\n"), line("user,boss\n"), line("")], [1; 3]);
        assert_eq!(line("user,from\na,2026-10-05\nb,5 Oct\n"), 3);
        assert_eq!(line("user,name,team\na,\"Uma,Alpha\nb,Bea,Alpha\n"), 2);
        assert_eq!([line("user,name\n\"\",x\n"), line("user,name\na,x\na,y\n")], [2, 3]);
        assert_eq!(line("user,name\na\nb,x,more\n"), 3);
        let hint = |text: &str| PeopleFile::parse(text).unwrap_err().hint;
        assert!(hint("user,boss\n").contains("user,name,team,from"));
        assert!(hint("user,from\na,5 Oct\n").contains("2026-10-05"));
        assert!(hint("user,name\na,x\na,y\n").contains("keep one"));
        assert!(hint("user,name\nb,x,more\n").contains("quotation marks"));
        let bad_day = "user,from\n\n,\na,2026-10-05\n\nb,5 Oct\n";
        for end in ["\n", "\r\n", "\r"] {
            assert_eq!(line(&bad_day.replace('\n', end)), 6, "{end:?}");
        }
    }

    #[test]
    fn files_of_spreadsheets_are_equivalent() {
        let plain = "user,name,team,from\nada@example.com,Ädä,\"a,b;c\",\nu2,Bo,,2026-10-05\n";
        let expected = PeopleFile::parse(plain).unwrap();
        let tabs = plain.replace(',', "\t").replace("a\tb;c", "a,b;c");
        let semicolons = "\u{feff};;;\r\nUser;Name;Team;From;;\r\nada@example.com; Ädä ;\"a,b;c\";;;\r\n\r\n;;;\r\n\"\";;;\r\nu2;Bo;;2026-10-05\r\n";
        let (macintosh, dos) = (plain.replace('\n', "\r"), tabs.replace('\n', "\r\n"));
        for text in [semicolons, &tabs, &macintosh, &dos] {
            assert_eq!(PeopleFile::parse(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn unmatched_rows_are_found() {
        let people = PeopleFile::parse("user\nAda@example.com\nu1\nU2\nbo@example.com\n").unwrap();
        assert_eq!(people.unmatched(["ADA@example.com", "u1", "u2"].into_iter()), ["U2", "bo@example.com"]);
    }
}
