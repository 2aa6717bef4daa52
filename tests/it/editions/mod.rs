//! `acumen run`: many reports from one fetch, each to its own people.

mod made;
mod sent;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};
use serde_json::{Value, json};

use crate::mail::server::{Kind, MailServer, Manner, authority};
use crate::support::{Facts, Outcome, Served, acumen, run};

/// Week 41 of 2026 is the last one that was over on this day.
const DAY: &str = "2026-10-12";

/// The records of an invented organisation with tags of this many teams: each session has one team,
/// and every ninth the tag of another one as well.
fn records(seed: u64, teams: usize) -> Vec<Value> {
    let first_day = "2026-09-14".parse().expect("a day");
    let recipe = Recipe { seed, sessions: 600, first_day, days: 28, ..Recipe::demo() };
    let retagged = |(number, record): (usize, &devin_simulator::Record)| {
        let mut body: Value = serde_json::from_str(&record.body).expect("a session");
        let mut tags = vec![format!("team:t{:02}", number * 13 % teams)];
        if number % 9 == 0 {
            tags.push(format!("team:t{:02}", (number * 13 + 1) % teams));
        }
        body["tags"] = json!(tags);
        body
    };
    Organisation::invent(&recipe).records.iter().enumerate().map(retagged).collect()
}

fn served(records: Vec<Value>) -> Served {
    Served::new(Organisation::from_values(records), Options::default())
}

/// A folder with a settings file: the API, a mail server if there is one, and these tables.
fn folder(api: &str, mail: Option<&MailServer>, tables: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let smtp = mail.map_or_else(String::new, |mail| format!("smtp = \"smtps://localhost:{}\"\n", mail.port));
    let text = format!(
        "org = \"org_demo\"\nbase_url = \"{api}\"\nout = \"out\"\nstate = \"state\"\n{tables}\n\
         [mail]\nfrom = \"acumen@example.com\"\n{smtp}"
    );
    std::fs::write(folder.path().join("acumen.toml"), text).expect("a file");
    folder
}

fn command(folder: &Path, flags: &[&str]) -> Command {
    let mut command = acumen(folder);
    command.args(["run", "--config", "acumen.toml", "--as-of", DAY]).args(flags);
    command.env("SSL_CERT_FILE", authority());
    command
}

fn runs(folder: &Path, flags: &[&str]) -> Outcome {
    run(&mut command(folder, flags))
}

/// The facts of all reports below a folder, by the path from there.
fn all_facts(folder: &Path) -> BTreeMap<String, Facts> {
    let mut found = BTreeMap::new();
    for edition in std::fs::read_dir(folder).expect("a folder").flatten() {
        for file in std::fs::read_dir(edition.path()).expect("a folder").flatten() {
            let path: PathBuf = file.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                let text = std::fs::read_to_string(&path).expect("facts");
                let name = path.strip_prefix(folder).expect("it is below").display().to_string();
                found.insert(name, Facts(serde_json::from_str(&text).expect("JSON")));
            }
        }
    }
    found
}

fn mail_server() -> MailServer {
    MailServer::start(Manner::of(Kind::Tls))
}

/// How many messages each address got.
fn copies(server: &MailServer) -> BTreeMap<String, usize> {
    let mut copies = BTreeMap::new();
    for address in server.received().into_iter().flat_map(|message| message.to) {
        *copies.entry(address).or_default() += 1;
    }
    copies
}
