//! Whose settings count. A settings file that merely is in the working directory,
//! for example in a cloned repository, changes nothing: not which server gets the key,
//! not what is written where. Named explicitly, the same file counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use devin_simulator::{Options, Organisation, Recipe};

use crate::mail::server::{Kind, MailServer, Manner};
use crate::support::{CANARY, Served, acumen, run};

const NOT_READ: &str = "warning: acumen.toml in the working directory is not read; to use it, pass \
    --config acumen.toml";

/// A server that must not be called.
struct Trap {
    address: String,
    calls: Arc<AtomicUsize>,
}

impl Trap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Counted first: the caller may go on once the connection is closed.
                counted.fetch_add(1, Ordering::SeqCst);
                drop(stream);
            }
        });
        Self { address, calls }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// A hostile settings file.
struct Attack {
    /// The setting that it attacks.
    setting: &'static str,
    text: String,
    /// A command that would do something else, if it read the file.
    victim: &'static str,
}

fn attacks(trap: &str) -> Vec<Attack> {
    let attack = |setting, victim, text: &str| Attack { setting, text: text.to_owned(), victim };
    vec![
        attack("base_url", "doctor", &format!("base_url = \"http://{trap}\"")),
        attack("api_key_file", "report", "api_key_file = \"victim\""),
        attack(
            "mail",
            "send",
            &format!("[mail]\nsmtp = \"smtp+plain://{trap}\"\nto = [\"mallory@example.com\"]"),
        ),
        attack("summary", "report", "summary = \"victim\""),
        attack("ping", "report", &format!("ping = \"http://{trap}/\"")),
        attack("state", "report", "state = \"elsewhere\""),
        attack("archive", "sync", "archive = \"elsewhere\""),
        attack("out", "report", "out = \"elsewhere\""),
        attack("save_pages", "report", "save_pages = \"elsewhere\""),
        attack("people_file", "report", "people_file = \"people.csv\""),
        attack("profile", "report", "profile = \"leadership\""),
        attack("no TOML", "archive verify", "= ["),
    ]
}

const COMMANDS: [(&str, &[&str]); 6] = [
    ("report", &["report", "--week", "2026-W41", "--trend", "0", "--mail"]),
    ("sync", &["sync", "--since", "2026-09-01"]),
    ("doctor", &["doctor", "--week", "2026-W41"]),
    ("send", &["send", "reports/org_demo_2026-W41.html"]),
    ("archive verify", &["archive", "verify"]),
    ("config show", &["config", "show"]),
];

fn flags(command: &str) -> &'static [&'static str] {
    COMMANDS.iter().find(|(name, _)| *name == command).unwrap().1
}

/// What a run did, as far as it does not depend on the clock.
#[derive(Debug, PartialEq, Eq)]
struct Deeds {
    code: Option<i32>,
    stdout: Vec<String>,
    stderr: Vec<String>,
    /// The files after the run, with the bytes of those that no run may change.
    files: BTreeMap<String, Vec<u8>>,
    /// Whether a report calls people by the name of the hostile people file.
    is_misled: bool,
    requests: u64,
    mails: usize,
}

/// The servers of the user, and a trap.
struct World {
    served: Served,
    mail: MailServer,
    trap: Trap,
    users: BTreeSet<String>,
    /// A home with the user's settings, a report and an archive in it.
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let organisation = Organisation::invent(&Recipe { sessions: 60, ..Recipe::demo() });
        let users = organisation.records.iter().filter_map(|record| record.user_id.clone()).collect();
        let options = Options { key: Some(CANARY.to_owned()), ..Options::default() };
        let served = Served::new(organisation, options);
        let mail = MailServer::start(Manner::of(Kind::Plain));
        let home = tempfile::tempdir().unwrap();
        let world = Self { served, mail, trap: Trap::new(), users, home };
        let settings = format!(
            "base_url = \"{}\"\norg = \"org_demo\"\n[mail]\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\n\
             smtp = \"{}\"\n",
            world.served.url(),
            world.smtp()
        );
        let own = world.home.path().join(".config/acumen");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("acumen.toml"), settings).unwrap();
        for flags in [&["report", "--week", "2026-W41"][..], flags("sync")] {
            let ended = run(acumen(world.home.path()).args(flags));
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
        world
    }

    fn smtp(&self) -> String {
        format!("smtp+plain://127.0.0.1:{}", self.mail.port)
    }

    /// Runs a command in a copy of the home, with this file in the working directory.
    fn deeds(&self, flags: &[&str], local: Option<&str>, more: impl Fn(&mut Command)) -> Deeds {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        copy(self.home.path(), folder.path());
        fs::write(path("victim"), "one line\n").unwrap();
        let people: String = self.users.iter().map(|user| format!("{user},MALLORY\n")).collect();
        fs::write(path("people.csv"), format!("user,name\n{people}")).unwrap();
        if flags[0] == "report" {
            fs::remove_dir_all(path("reports")).unwrap();
        }
        if let Some(text) = local {
            fs::write(path("acumen.toml"), text).unwrap();
        }
        let (requests, mails) = (self.served.simulator.requests(), self.mail.received().len());
        let mut command = acumen(folder.path());
        // Whatever would leave this machine ends in the trap.
        command.args(flags).arg("--quiet").env("HTTPS_PROXY", format!("http://{}", self.trap.address));
        more(&mut command);
        let ended = run(&mut command);
        let lines = |text: &str| {
            let home = folder.path().to_str().unwrap();
            let lines = text.lines().filter(|line| !line.contains(" clock: "));
            lines.map(|line| line.replace(home, "HOME")).collect::<Vec<_>>()
        };
        let (mut files, mut is_misled) = (BTreeMap::new(), false);
        each_file(folder.path(), &mut |path| {
            let name = path.strip_prefix(folder.path()).unwrap().display().to_string();
            let bytes = fs::read(path).unwrap();
            is_misled |= name.ends_with(".html") && String::from_utf8_lossy(&bytes).contains("MALLORY");
            let is_kept = ["victim", "people.csv", ".config/acumen/acumen.toml"].contains(&name.as_str());
            files.insert(name, if is_kept { bytes } else { Vec::new() });
        });
        files.remove("acumen.toml");
        Deeds {
            code: ended.code,
            stdout: lines(&ended.stdout),
            stderr: lines(&ended.stderr),
            files,
            is_misled,
            requests: self.served.simulator.requests() - requests,
            mails: self.mail.received().len() - mails,
        }
    }
}

fn copy(from: &Path, to: &Path) {
    each_file(from, &mut |path| {
        let to = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    });
}

fn each_file(folder: &Path, act: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { each_file(&path, act) } else { act(&path) }
    }
}

#[test]
fn a_settings_file_in_the_working_directory_changes_nothing() {
    let world = World::new();
    for (command, flags) in COMMANDS {
        let alone = world.deeds(flags, None, |_| {});
        assert_eq!(alone.code, Some(0), "{command}: {alone:?}");
        assert_eq!(alone.stderr, [""; 0], "{command}");
        assert_eq!(alone.mails, usize::from(["report", "send"].contains(&command)), "{command}");
        for Attack { setting, text, .. } in attacks(&world.trap.address) {
            let mut attacked = world.deeds(flags, Some(&text), |_| {});
            assert_eq!(attacked.stderr, [NOT_READ], "{command}, {setting}");
            attacked.stderr.clear();
            assert_eq!(attacked, alone, "{command}, {setting}");
            assert_eq!(world.trap.calls(), 0, "{command}, {setting}");
        }
    }
}

/// Each attack is one: the same file does what it says once it is named. What a settings
/// file must not say is refused.
#[test]
fn a_settings_file_that_is_named_counts() {
    let world = World::new();
    for Attack { setting, text, victim } in attacks(&world.trap.address) {
        // The user's own file is not read, so the servers are in the environment, but
        // for the one that is attacked.
        let environment = |command: &mut Command| {
            command.env("ACUMEN_ORG", "org_demo").env("ACUMEN_MAIL_FROM", "a@example.com");
            if setting != "base_url" {
                command.env("ACUMEN_BASE_URL", world.served.url());
            }
            if setting != "mail" {
                command.env("ACUMEN_MAIL_TO", "b@example.com").env("ACUMEN_SMTP", world.smtp());
            }
        };
        let of_environment = |command: &mut Command| {
            environment(command);
            command.env("ACUMEN_CONFIG", "acumen.toml");
        };
        let before = world.trap.calls();
        let flag = [flags(victim), &["--config", "acumen.toml"]].concat();
        let deeds = world.deeds(&flag, Some(&text), environment);
        let is_called = world.trap.calls() > before;
        let has = |name: &str| deeds.files.keys().any(|file| file.starts_with(name));
        let refused = format!("error: acumen.toml, line 1: `{setting}` cannot be set in a settings file");
        let counts = match setting {
            "base_url" | "mail" => is_called && deeds.code == Some(5),
            "api_key_file" => deeds.stderr[0].contains("victim") && deeds.code == Some(2),
            "summary" | "ping" => deeds.stderr[0] == refused && deeds.code == Some(2),
            "no TOML" => deeds.stderr[0].contains("acumen.toml, line 1:") && deeds.code == Some(2),
            "people_file" => deeds.is_misled,
            "profile" => has("reports/org_demo_2026-W41_leadership.html"),
            _ => has("elsewhere/"),
        };
        assert!(counts, "{setting}: {deeds:?}");
        assert_eq!(deeds.files["victim"], b"one line\n");
        assert!(!deeds.stderr.iter().any(|line| line == NOT_READ), "{deeds:?}");
        // The environment names it as well as the flag; what differs is the wait for a server.
        if !is_called {
            assert_eq!(world.deeds(flags(victim), Some(&text), of_environment), deeds, "{setting}");
        }
    }
}

#[test]
fn the_warning_is_about_a_file_that_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let show = |place: &str, more: &[&str], variables: &[(&str, &str)]| {
        let mut command = acumen(folder.path());
        command.args(["config", "show"]).args(more).envs(variables.iter().copied());
        let ended = run(command.current_dir(folder.path().join(place)));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let file = ended.stdout.lines().next().unwrap().replace(folder.path().to_str().unwrap(), "HOME");
        (file, ended.stderr)
    };
    let none = ("# settings file: none".to_owned(), String::new());
    let not_read = format!("{NOT_READ}\n");
    assert_eq!(show(".", &[], &[]), none);
    // A folder of that name is no settings file.
    fs::create_dir_all(folder.path().join("odd/acumen.toml")).unwrap();
    assert_eq!(show("odd", &[], &[]), none);
    fs::write(folder.path().join("acumen.toml"), "trend = 2\n").unwrap();
    assert_eq!(show(".", &[], &[]), (none.0.clone(), not_read.clone()));
    let own = ("# settings file: HOME/.config/acumen/acumen.toml".to_owned(), String::new());
    fs::create_dir_all(folder.path().join(".config/acumen")).unwrap();
    fs::write(folder.path().join(".config/acumen/acumen.toml"), "trend = 3\n").unwrap();
    assert_eq!(show(".", &[], &[]), (own.0.clone(), not_read));
    // It is the user's own file, in its place or by a link.
    assert_eq!(show(".config/acumen", &[], &[]), own);
    fs::create_dir(folder.path().join("linked")).unwrap();
    std::os::unix::fs::symlink("../.config/acumen/acumen.toml", folder.path().join("linked/acumen.toml"))
        .unwrap();
    assert_eq!(show("linked", &[], &[]), own);
    // Somebody named another one.
    fs::write(folder.path().join("other.toml"), "trend = 4\n").unwrap();
    let other = ("# settings file: other.toml".to_owned(), String::new());
    assert_eq!(show(".", &["--config", "other.toml"], &[]), other);
    assert_eq!(show(".", &[], &[("ACUMEN_CONFIG", "other.toml")]), other);
    // Commands without settings have nothing to read, and init writes.
    for flags in [&["metrics"][..], &["report", "--help"], &["config", "init", "--config", "new.toml"]] {
        assert_eq!(run(acumen(folder.path()).args(flags)).stderr, "", "{flags:?}");
    }
    // A settings file that cannot be used does not hide it.
    fs::write(folder.path().join(".config/acumen/acumen.toml"), "= [").unwrap();
    let ended = run(acumen(folder.path()).args(["report", "--quiet"]));
    assert_eq!((ended.code, ended.stderr.lines().next()), (Some(2), Some(NOT_READ)), "{}", ended.stderr);
}

/// A proxy keeps the run on this machine and hears which server is asked for.
#[test]
fn without_settings_the_default_server_is_asked_whatever_the_working_directory_says() {
    let (trap, proxy) = (Trap::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = proxy.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in proxy.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(stream).read_line(&mut line);
            heard.lock().unwrap().push(line);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("acumen.toml"), format!("base_url = \"http://{}\"\n", trap.address))
        .unwrap();
    let mut command = acumen(folder.path());
    let ended = run(command.args(["doctor", "--quiet"]).env("HTTPS_PROXY", format!("http://{address}")));
    assert_eq!((ended.code, ended.stderr), (Some(5), format!("{NOT_READ}\n")), "{}", ended.stdout);
    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|line| line.starts_with("CONNECT api.devin.ai:443 ")), "{asked:?}");
    assert_eq!(trap.calls(), 0);
}
