//! What the tests of the whole program share: the program, run to its end with
//! nothing of this machine's settings; an API on loopback; the report it wrote.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use devin_simulator::{Options, Organisation, Simulator, start};
use serde_json::Value;
use tokio::runtime::Runtime;

/// Whether generated files are to be written anew instead of compared: `ACUMEN_BLESS=1`.
#[expect(clippy::disallowed_methods, reason = "asked by who runs the tests, not by the program")]
pub fn is_blessed() -> bool {
    std::env::var_os("ACUMEN_BLESS").is_some_and(|value| value == "1")
}

/// Whether tests that are slow by nature run in full: `ACUMEN_SLOW_TESTS=1`, as `.ci/run` sets it.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not part of the program")]
pub fn slow_tests() -> bool {
    std::env::var_os("ACUMEN_SLOW_TESTS").is_some_and(|value| value == "1")
}

/// The key of every run; no output may ever hold it.
pub const CANARY: &str = "apk_user_canary_7f3c91";
/// The same of a service user, for v3.
pub const SERVICE_CANARY: &str = "cog_canary_7f3c91";
/// What both have in common, and nothing else has.
const OF_A_CANARY: &str = "canary_7f3c91";

/// A debug build on a busy machine is slow; one that hangs is ended.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The program in a folder of its own, with a key and no other setting, told to
/// say as much as it ever does.
pub fn acumen(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acumen"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("DEVIN_API_KEY", CANARY);
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    // A PDF takes seconds in a debug build. The tests of PDFs ask for the default.
    if cfg!(feature = "pdf") {
        command.env("ACUMEN_MAIL_ATTACH", "html");
    }
    command
}

/// Runs the program to its end.
pub fn run(command: &mut Command) -> Outcome {
    let ended = outcome(begin(command));
    command.get_current_dir().into_iter().for_each(shows_no_key);
    ended
}

/// Asserts that a text holds no key.
pub fn holds_no_key(text: &str) {
    assert!(!text.contains(OF_A_CANARY), "the key was shown:\n{text}");
}

/// Asserts that neither the name of a file nor any report below a folder holds
/// the key, half-written ones included.
pub fn shows_no_key(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        holds_no_key(&name);
        if path.is_dir() {
            shows_no_key(&path);
        } else if !path.is_file() {
            // A pipe has no end.
        } else if name.ends_with(".html") || name.ends_with(".json") || name.starts_with(".acumen-") {
            // Another run may have moved it away meanwhile.
            let bytes = std::fs::read(&path).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(OF_A_CANARY), "the key is in {name}");
        }
    }
}

/// Starts the program and listens to what it says.
pub fn begin(command: &mut Command) -> Child {
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().expect("the program starts")
}

/// Waits for the end of a run.
pub fn outcome(child: Child) -> Outcome {
    let id = child.id();
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        signal(id, "KILL");
        panic!("the program took more than {} s", PATIENCE.as_secs());
    };
    let output = output.expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("output in UTF-8");
    let ended =
        Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    holds_no_key(&format!("{}{}", ended.stdout, ended.stderr));
    ended
}

/// Sends a signal to a process that was started here.
pub fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status();
    assert!(sent.expect("the program `kill`").success(), "kill -{name}");
}

/// Facts, a line each, without the number of members: only a run that asks the API knows it.
pub fn without_members(facts: &str) -> String {
    let is_of_members = |line: &&str| {
        ["members", "activation"].iter().any(|id| line.contains(&format!("\"metric\":\"{id}\"")))
    };
    facts.lines().filter(|line| !is_of_members(line)).collect::<Vec<_>>().join("\n")
}

/// The files in a folder, by name.
pub fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8"))
        .collect();
    names.sort();
    names
}

/// A simulator, served as long as this lives.
pub struct Served {
    pub simulator: Simulator,
    // Runs the server; last, so that it outlives it.
    _runtime: Runtime,
}

impl Served {
    pub fn values(values: Vec<Value>) -> Self {
        Self::new(Organisation::from_values(values), Options::default())
    }

    pub fn new(organisation: Organisation, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let simulator = runtime.block_on(start(organisation, options)).expect("a free port");
        Self { simulator, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        self.simulator.base_url()
    }

    /// The report that these flags give.
    pub fn report(&self, flags: &[&str]) -> Report {
        Report::new(&self.url(), flags)
    }
}

/// A finished report.
pub struct Report {
    pub folder: tempfile::TempDir,
    pub html: String,
    pub json: String,
    pub stderr: String,
}

impl Report {
    /// Runs `acumen report`, which must end well.
    pub fn new(base_url: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let command = &mut acumen(folder.path());
        let outcome = run(command.args(["report", "--base-url", base_url, "--out", "."]).args(flags));
        assert_eq!(outcome.code, Some(0), "{flags:?}\n{}", outcome.stderr);
        let written: Vec<PathBuf> = outcome.stdout.lines().map(|line| folder.path().join(line)).collect();
        let [html, json] = written.as_slice() else { panic!("two paths, not {:?}", outcome.stdout) };
        let read = |path| std::fs::read_to_string(path).expect("a printed file");
        let (html, json) = (read(html), read(json));
        Self { folder, html, json, stderr: outcome.stderr }
    }

    /// `facts.json`, read.
    pub fn facts(&self) -> Facts {
        Facts(serde_json::from_str(&self.json).expect("facts.json is JSON"))
    }
}

/// What `facts.json` holds.
pub struct Facts(pub Value);

impl Facts {
    /// The only fact of a metric with exactly this group.
    pub fn fact(&self, metric: &str, group: Value) -> &Value {
        let facts = self.0["facts"].as_array().expect("a list of facts");
        let mut found = facts.iter().filter(|fact| fact["metric"] == metric && fact["group"] == group);
        let fact = found.next().unwrap_or_else(|| panic!("no {metric} by {group}"));
        assert!(found.next().is_none(), "{metric} by {group} twice");
        fact
    }

    /// The value of that fact.
    pub fn value(&self, metric: &str, group: Value) -> &Value {
        &self.fact(metric, group)["value"]
    }

    /// The keys of a metric's groups of one dimension, null left out, in order.
    pub fn keys(&self, metric: &str, dimension: &str) -> Vec<String> {
        let facts = self.0["facts"].as_array().expect("a list of facts");
        let groups = facts.iter().filter(|fact| fact["metric"] == metric).map(|fact| &fact["group"]);
        let by = groups.filter(|group| group.as_object().is_some_and(|group| group.len() == 1));
        by.filter_map(|group| group[dimension].as_str().map(str::to_owned)).collect()
    }
}

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A fixture as JSON.
pub fn fixture(name: &str) -> Value {
    let path = repository("tests/fixtures").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A server with given answers: status, more lines of the head and body
/// for the head of each request. It gives the address; the thread ends with the tests.
pub fn serve(answer: impl Fn(&str) -> (u16, &'static str, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                head.extend(byte);
            }
            let (status, lines, body) = answer(&String::from_utf8_lossy(&head));
            let kind = if body.starts_with('<') { "text/html; charset=utf-8" } else { "application/json" };
            // A client that has gone is its own business.
            let _ = write!(
                stream,
                "HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
                 {lines}Connection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}
