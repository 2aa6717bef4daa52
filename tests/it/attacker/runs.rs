//! Runs of the program, and all that an attacker reads of them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use chrono::NaiveDate;
use devin_simulator::Options;
use flate2::read::DeflateDecoder;
use serde_json::Value;

use super::organisations::Attacked;
use super::truth::{Filter, Group, Period};
use crate::support::{SERVICE_CANARY, Served, acumen, files, run};

/// Prices and teams of every run. The price makes money of ACUs.
pub const SETTINGS: &str = "tz = \"Europe/Berlin\"\nstate = \"state\"\n[[price]]\nfrom = 2026-01-01\nper_acu = 2\n\
                        currency = \"EUR\"\n[[team]]\ntag = \"team:*\"\n";
/// The same with another price from a Saturday on.
const TWO_PRICES: &str = "[[price]]\nfrom = 2026-09-05\nper_acu = 3\ncurrency = \"EUR\"\n";

/// What a report is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    pub period: String,
    pub filter: Filter,
    pub flags: Vec<&'static str>,
    /// Whether the price changes on 2026-09-05.
    pub two_prices: bool,
    /// Whether version 3 of the API is asked.
    pub v3: bool,
}

/// The flags of a run that writes everything that a covered run may write.
pub const EVERYTHING: [&str; 12] = [
    "--export",
    "csv,xlsx",
    "--summary",
    "out/summary.md",
    "--eml",
    "out/mail.eml",
    "--mail-attach",
    "none",
    "--mail-from",
    "acumen@sender.example",
    "--mail-to",
    "lead@reader.example",
];

/// A number of `facts.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fact {
    pub metric: String,
    pub unit: String,
    pub group: Group,
    pub value: Option<f64>,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub n: Option<f64>,
    pub previous: Option<f64>,
}

impl Fact {
    /// Whether it shows a number that is not zero.
    pub fn shows(&self) -> bool {
        [self.value, self.numerator, self.denominator, self.n]
            .into_iter()
            .flatten()
            .any(|number| number != 0.0)
    }

    pub fn text(&self) -> String {
        let key =
            |(name, key): (&String, &Option<String>)| format!("{name}={}", key.as_deref().unwrap_or("null"));
        format!("{} {}", self.metric, self.group.iter().map(key).collect::<Vec<_>>().join(" "))
    }
}

/// A report as its readers have it.
pub struct Report {
    pub period: Period,
    pub filter: Filter,
    /// The day on which the price changes.
    pub price_from: Option<NaiveDate>,
    pub json: Value,
    pub facts: Vec<Fact>,
    /// Every file by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the run printed.
    pub printed: String,
}

impl Report {
    pub fn name(&self) -> String {
        let words = self.filter.flags().map(|(flag, key)| format!(" {flag} {key}"));
        format!("{}{}", self.period.label, words.collect::<String>())
    }

    /// The period that the report's is compared with.
    pub fn compared(&self) -> Period {
        self.json["previous"]["label"].as_str().map_or_else(|| self.period.before(), Period::new)
    }

    /// A report of nothing but facts, for tests of the attacks themselves.
    pub fn of_facts(period: &str, facts: Vec<Fact>) -> Self {
        Self {
            period: Period::new(period),
            filter: Filter::default(),
            price_from: None,
            json: Value::Null,
            facts,
            files: BTreeMap::new(),
            printed: String::new(),
        }
    }

    /// The text of every file, unpacked and decoded.
    pub fn texts(&self) -> Vec<(&str, String)> {
        let text = |(name, bytes): (&String, &Vec<u8>)| match name.rsplit('.').next() {
            Some("eml") => unquoted(bytes),
            Some("xlsx") => unzipped(bytes).into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n"),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        };
        self.files.iter().map(|file| (file.0.as_str(), text(file))).collect()
    }
}

/// Whether `acumen report` knows a flag.
pub fn knows(flag: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let help = run(acumen(folder.path()).args(["report", "--help"])).stdout;
    help.split_whitespace().any(|word| word.trim_end_matches(',') == flag)
}

/// Covered reports of an organisation, two at a time. A report that is refused
/// because too few people are in it is left out.
pub fn reports(attacked: &Attacked, orders: &[Order]) -> Vec<Report> {
    let served = Served::new(attacked.organisation.clone(), Options::default());
    let (url, state) = (served.url(), tempfile::tempdir().unwrap());
    let half = orders.len().div_ceil(2).max(1);
    let mut made = Vec::new();
    std::thread::scope(|scope| {
        let (url, state) = (url.as_str(), state.path());
        let parts = orders.chunks(half).map(|part| {
            scope.spawn(move || part.iter().filter_map(|order| report(url, state, order)).collect::<Vec<_>>())
        });
        for part in parts.collect::<Vec<_>>() {
            made.extend(part.join().expect("its runs end well"));
        }
    });
    made
}

/// The records of an organisation as version 3 serves them.
pub fn records_of_version_3(attacked: &Attacked) -> Vec<Value> {
    let served = Served::new(attacked.organisation.clone(), Options::default());
    let host = served.url().replace("http://", "");
    let (mut records, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut stream = TcpStream::connect(&host).expect("the simulator listens");
        let path = format!("/v3/enterprise/sessions/insights?first=200{cursor}");
        let lines = "Authorization: Bearer cog_test\r\nConnection: close";
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
        let page: Value = serde_json::from_str(body).expect("the simulator serves JSON");
        records.extend(page["items"].as_array().expect("items").iter().cloned());
        if page["has_next_page"] == false {
            return records;
        }
        cursor = format!("&after={}", page["end_cursor"].as_str().expect("a cursor").replace('=', "%3D"));
    }
}

/// One covered report with a folder of its own, and a state folder that the
/// reports of an installation share.
fn report(url: &str, state: &Path, order: &Order) -> Option<Report> {
    let folder = tempfile::tempdir().unwrap();
    let prices = if order.two_prices { TWO_PRICES } else { "" };
    std::fs::write(folder.path().join("settings.toml"), format!("{SETTINGS}{prices}")).unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let mut command = acumen(folder.path());
    command
        .args(["report", "--base-url", url, "--config", "settings.toml", "--out", "out", "--state"])
        .arg(state);
    if order.v3 {
        command.env("DEVIN_API_KEY", SERVICE_CANARY);
    }
    let period = match order.period.as_bytes()[5] {
        b'W' => "--week",
        b'Q' => "--quarter",
        _ => "--month",
    };
    command.args([period, &order.period]).args(&order.flags);
    command.args(order.filter.flags().flat_map(|(flag, key)| [flag, key]));
    let outcome = run(&mut command);
    if outcome.code == Some(2) && outcome.stderr.contains("fewer than") {
        return None;
    }
    assert_eq!(outcome.code, Some(0), "{order:?}\n{}", outcome.stderr);
    let out = folder.path().join("out");
    let read = |name: String| (name.clone(), std::fs::read(out.join(name)).expect("a file of the report"));
    let files: BTreeMap<String, Vec<u8>> = files(&out).into_iter().map(read).collect();
    let (_, json) = files.iter().find(|(name, _)| name.ends_with(".json")).expect("facts.json");
    let json: Value = serde_json::from_slice(json).expect("facts.json is JSON");
    Some(Report {
        period: Period::new(&order.period),
        filter: order.filter.clone(),
        price_from: order.two_prices.then(|| NaiveDate::from_ymd_opt(2026, 9, 5).expect("a date")),
        facts: facts(&json),
        json,
        files,
        printed: format!("{}\n{}", outcome.stdout, outcome.stderr),
    })
}

fn facts(json: &Value) -> Vec<Fact> {
    let fact = |fact: &Value| {
        let number = |name: &str| fact[name].as_f64();
        let group = fact["group"].as_object().expect("a group");
        Fact {
            metric: fact["metric"].as_str().expect("a metric").to_owned(),
            unit: fact["unit"].as_str().expect("a unit").to_owned(),
            group: group.iter().map(|(name, key)| (name.clone(), key.as_str().map(str::to_owned))).collect(),
            value: number("value"),
            numerator: number("numerator"),
            denominator: number("denominator"),
            n: number("n"),
            previous: number("previous"),
        }
    };
    json["facts"].as_array().expect("a list of facts").iter().map(fact).collect()
}

/// A message with its quoted-printable parts in plain letters.
fn unquoted(message: &[u8]) -> String {
    let mut bytes = Vec::new();
    let mut rest = message;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        (rest, _) = match (*first, byte) {
            (b'=', Some(byte)) => (&after[2..], bytes.push(byte)),
            (b'=', None) if after.starts_with(b"\r\n") => (&after[2..], ()),
            (byte, _) => (after, bytes.push(byte)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The parts of a workbook, by the directory at the end of the ZIP file.
pub fn unzipped(bytes: &[u8]) -> Vec<(String, String)> {
    let number = |at: usize, length: usize| {
        bytes[at..at + length].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = (0..bytes.len() - 3).rev().find(|at| bytes[*at..].starts_with(b"PK\x05\x06"));
    let end = end.expect("a ZIP file ends with its directory");
    let (entries, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut parts = Vec::new();
    for _ in 0..entries {
        let (method, packed, name) = (number(at + 10, 2), number(at + 20, 4), number(at + 28, 2));
        let (extra, comment, local) = (number(at + 30, 2), number(at + 32, 2), number(at + 42, 4));
        let path = String::from_utf8_lossy(&bytes[at + 46..at + 46 + name]).into_owned();
        let data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let data = &bytes[data..data + packed];
        let mut text = Vec::new();
        match method {
            0 => text.extend(data),
            _ => drop(DeflateDecoder::new(data).read_to_end(&mut text).expect("a packed part")),
        }
        parts.push((path, String::from_utf8_lossy(&text).into_owned()));
        at += 46 + name + extra + comment;
    }
    parts
}
