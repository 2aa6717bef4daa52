//! Files that somebody else has made, and what other users of the machine can
//! see: pipes, devices, links, bombs, crafted Parquet, names that steer a terminal.

mod archives;
mod bombs;
mod parquet;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Outcome, Served, acumen, begin, files, outcome, run, signal};

/// Most memory of a run over hostile files, in KiB.
const MOST_MEMORY: u64 = 300 * 1024;

/// Runs the program to its end; the outcome and the peak of its memory, in KiB. A run
/// that was over before anybody looked is begun again.
fn measured(command: &mut Command) -> (Outcome, u64) {
    for _ in 0..20 {
        let child = begin(command);
        let status = format!("/proc/{}/status", child.id());
        let watch = std::thread::spawn(move || {
            let mut peak = 0;
            // Gone from the file once the process is a zombie.
            while let Some(now) = peak_in(&fs::read_to_string(&status).unwrap_or_default()) {
                peak = now;
                std::thread::sleep(Duration::from_millis(2));
            }
            peak
        });
        let outcome = outcome(child);
        let peak = watch.join().expect("the watch");
        if peak > 0 {
            return (outcome, peak);
        }
    }
    panic!("the memory of {command:?} was never seen");
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Asserts that a run ended with a clear error and no crash.
fn refused(outcome: &Outcome, code: i32, words: &str) {
    assert_eq!(outcome.code, Some(code), "{words}: {}", outcome.stderr);
    assert!(outcome.stderr.contains(words), "{words}: {}", outcome.stderr);
    assert!(outcome.stderr.contains("\nhint: "), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    steers_nothing(outcome);
}

/// Asserts that nothing of what was printed steers a terminal.
fn steers_nothing(outcome: &Outcome) {
    let bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains(bad), "{text:?}");
    }
}

fn pipe(path: &Path) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).expect("a named pipe");
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("there").mode() & 0o7777
}

/// A report of the demo in a folder.
fn demo(folder: &Path, flags: &[&str]) -> Outcome {
    let outcome = run(acumen(folder).args(["demo", "--out", "."]).args(flags));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome
}

const NAME: &str = "org_demo_2026-W41";
const MAIL: [&str; 4] = ["--mail-from", "a@example.com", "--mail-to", "b@example.com"];

#[test]
fn nothing_but_a_regular_file_is_read_and_nothing_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    pipe(&at("pipe.json"));
    symlink("pipe.json", at("link")).expect("a link");
    fs::create_dir(at("folder")).expect("a folder");
    fs::create_dir(at("pages")).expect("a folder");
    pipe(&at("pages/1.json"));
    let begun = Instant::now();
    let report =
        |flags: &[&str]| run(acumen(folder.path()).args(["report", "--week", "2026-W41"]).args(flags));
    let kinds = [("pipe.json", "a named pipe"), ("link", "a named pipe"), ("/dev/zero", "a device")];
    for (path, what) in kinds.into_iter().chain([("folder", "a folder")]) {
        for flag in ["--api-key-file", "--people-file", "--config"] {
            refused(&report(&[flag, path]), 2, &format!("it is {what}, not a regular file"));
        }
        let flags = [&["--mail", "--smtp", "smtp://localhost", "--smtp-user", "x"], &MAIL[..]].concat();
        let outcome = report(&[&flags, &["--smtp-password-file", path][..]].concat());
        refused(&outcome, 2, &format!("it is {what}, not a regular file"));
    }
    for (path, what) in kinds {
        refused(&report(&["--pages", path]), 2, &format!("it is {what}"));
    }
    refused(&report(&["--pages", "pages"]), 2, "pages/1.json: it is a named pipe");
    // A pipe of the shell is named like a file.
    refused(&report(&["--api-key-file", "/dev/stdin"]), 2, "not a regular file");
    assert!(begun.elapsed() < Duration::from_secs(60), "something waited");
}

#[test]
fn files_are_read_up_to_their_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = |name: &str, length: u64| {
        let file = File::create(folder.path().join(name)).expect("a file");
        file.set_len(length).expect("a length");
    };
    large("key", 65 << 10);
    large("settings.toml", 2 << 20);
    large("people.csv", 5 << 20);
    large("company.pem", 5 << 20);
    for (flag, path, limit) in [
        ("--api-key-file", "key", "64 KiB"),
        ("--config", "settings.toml", "1 MiB"),
        ("--people-file", "people.csv", "4 MiB"),
        ("--ca-file", "company.pem", "4 MiB"),
    ] {
        let outcome = run(acumen(folder.path()).args(["report", "--week", "2026-W41", flag, path]));
        refused(&outcome, 2, &format!("it is larger than {limit}"));
        assert!(!outcome.stderr.contains("pipes"), "{}", outcome.stderr);
    }
}

#[test]
fn a_key_may_be_a_link_and_what_is_mailed_may_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    demo(folder.path(), &[]);
    let send = || {
        let report = format!("{NAME}.html");
        run(acumen(folder.path()).args(["send", &report, "--eml", "mail.eml"]).args(MAIL))
    };
    assert_eq!(send().code, Some(0));
    let (file, aside) = (at(&format!("{NAME}.json")), at("aside.json"));
    fs::rename(&file, &aside).expect("a file to move");
    symlink(&aside, &file).expect("a link");
    refused(&send(), 2, "it is a symbolic link");
    fs::remove_file(&file).expect("a link to remove");
    pipe(&file);
    refused(&send(), 2, "it is a named pipe");
    fs::remove_file(&file).expect("a pipe to remove");
    fs::rename(&aside, &file).expect("a file to move");
    fs::write(at("key"), "apk_user_canary_7f3c91\n").expect("a key");
    symlink("key", at("credential")).expect("a link");
    let mut command = acumen(folder.path());
    command.env_remove("DEVIN_API_KEY").args(["config", "show", "--api-key-file", "credential"]);
    let outcome = run(&mut command);
    assert!(outcome.stdout.contains("# key: --api-key-file credential"), "{}", outcome.stdout);
}

#[test]
fn planted_links_are_replaced_and_never_written_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let report = format!("{NAME}.html");
    let all = [report.clone(), format!("{NAME}.json"), format!("{NAME}.xlsx"), "mail.eml".to_owned()];
    let victims =
        || fs::read_dir(at("victims")).expect("a folder").map(|entry| entry.expect("a file").path());
    fs::create_dir(at("victims")).expect("a folder");
    for name in &all {
        fs::write(at("victims").join(name), "precious").expect("a file");
        symlink(format!("victims/{name}"), at(name)).expect("a link");
        // Only root can give a link away.
        if lchown(at(name), Some(65_534), None).is_err() {
            return;
        }
    }
    fs::write(at("victim"), "precious").expect("a file");
    symlink("victim", at("summary.md")).expect("a link");
    demo(folder.path(), &["--export", "xlsx"]);
    assert_eq!(
        run(acumen(folder.path()).args(["send", &report, "--eml", "mail.eml"]).args(MAIL)).code,
        Some(0)
    );
    for name in &all {
        assert!(fs::symlink_metadata(at(name)).expect("there").is_file(), "{name} is still a link");
    }
    let whole = || victims().chain([at("victim")]).all(|path| fs::read(path).expect("a file") == b"precious");
    assert!(whole());
    // A summary is appended to, so that a link cannot be replaced: it is refused before the work.
    let served = Served::values(Vec::new());
    let mut command = acumen(folder.path());
    command.args(["report", "--base-url", &served.url(), "--week", "2026-W41", "--out", "."]);
    let outcome = run(command.args(["--summary", "summary.md"]));
    refused(&outcome, 74, "summary.md: it is a symbolic link");
    assert!(whole() && served.simulator.requests() == 0);
    // What is no file is not replaced.
    pipe(&at("pipe.eml"));
    let outcome = run(acumen(folder.path()).args(["send", &report, "--eml", "pipe.eml"]).args(MAIL));
    refused(&outcome, 74, "it is a device or a pipe");
}

#[test]
fn a_link_of_one_s_own_stays_and_what_it_leads_to_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (html, json) = (format!("{NAME}.html"), format!("{NAME}.json"));
    fs::create_dir(at("site")).expect("a folder");
    fs::write(at("site/index.html"), "an earlier page").expect("a file");
    symlink("site/index.html", at(&html)).expect("a link");
    // Left by a run that was killed.
    fs::write(at("site/.acumen-Ab12Cd"), "half").expect("a file");
    symlink(at("site/facts.json"), at(&json)).expect("a link");
    demo(folder.path(), &["--mode", "0640"]);
    for (link, target) in [(&html, "site/index.html"), (&json, "site/facts.json")] {
        assert!(fs::symlink_metadata(at(link)).expect("there").is_symlink(), "{link} is no link any more");
        let found = fs::symlink_metadata(at(target)).expect("there");
        assert!(found.is_file() && found.len() > 10_000 && found.mode() & 0o777 == 0o640, "{target}");
    }
    assert_eq!(files(&at("site")), ["facts.json", "index.html"]);
    // One that leads to another kind of file may have come with a repository.
    fs::write(at(".bashrc"), "precious").expect("a file");
    fs::remove_file(at(&html)).expect("a link to remove");
    symlink(".bashrc", at(&html)).expect("a link");
    let outcome = run(acumen(folder.path()).args(["demo", "--out", "."]));
    refused(&outcome, 74, "it is a symbolic link to ./.bashrc, a file with another extension");
    assert_eq!(fs::read(at(".bashrc")).expect("a file"), b"precious");
}

#[test]
fn files_are_for_their_owner_alone_unless_a_mode_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    // Whatever the umask.
    let made = |flags: &[&str]| {
        let script = "umask \"$1\"; shift; exec \"$@\"";
        let mut command = acumen(folder.path());
        let program = command.get_program().to_owned();
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh", "000"]).arg(program).args(flags);
        shell.current_dir(folder.path()).env_clear().env("HOME", folder.path());
        command.current_dir(folder.path());
        let outcome = run(&mut shell);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome
    };
    let outcome = made(&["demo", "--out", "a", "--export", "csv"]);
    assert!(!outcome.stderr.contains("are readable by"), "{}", outcome.stderr);
    assert_eq!(mode(&at("a")), 0o700);
    assert!(files(&at("a")).len() > 3);
    files(&at("a")).iter().for_each(|name| assert_eq!(mode(&at("a").join(name)), 0o600, "{name}"));
    let outcome = made(&["demo", "--out", "b", "--mode", "0640"]);
    assert!(outcome.stderr.contains("note: written files are readable by its group (mode 0640)\n"));
    assert_eq!((mode(&at("b")), mode(&at("b").join(format!("{NAME}.html")))), (0o750, 0o640));
    // A report that is written again has the mode of now; its folder keeps its own.
    made(&["demo", "--out", "b", "--quiet"]);
    assert_eq!((mode(&at("b")), mode(&at("b").join(format!("{NAME}.html")))), (0o750, 0o600));
    let report = format!("a/{NAME}.html");
    let mail = [&["send", &report, "--eml", "mail.eml"], &MAIL[..]].concat();
    made(&mail);
    assert_eq!(mode(&at("mail.eml")), 0o600);
    let outcome = made(&[&mail, &["--mode", "0644", "--quiet"][..]].concat());
    assert_eq!((mode(&at("mail.eml")), outcome.stderr.as_str()), (0o644, ""));
    for wrong in ["0666", "0755", "640", "0440", "416", "rw", "06400"] {
        let outcome = run(acumen(folder.path()).args(["demo", "--out", "c", "--mode", wrong]));
        assert_eq!(outcome.code, Some(2), "{wrong}");
    }
    fs::write(at("acumen.toml"), "mode = \"0640\"\n").expect("settings");
    let shown = run(acumen(folder.path()).args(["config", "show", "--config", "acumen.toml"])).stdout;
    assert!(shown.contains("mode = \"0640\""), "{shown}");
}

#[test]
fn doctor_names_key_files_that_others_can_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let rights = |name: &str, mode: u32| {
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).expect("rights");
    };
    for name in ["key", "password", "settings.toml"] {
        fs::write(at(name), if name == "key" { "apk_user_canary_7f3c91" } else { "" }).expect("a file");
    }
    fs::create_dir(at("pages")).expect("a folder");
    fs::write(at("pages/1.json"), "[]").expect("a page");
    let doctor = || {
        let mut command = acumen(folder.path());
        command.args(["doctor", "--pages", "pages", "--api-key-file", "key", "--config", "settings.toml"]);
        let outcome = run(command.args(["--smtp-password-file", "password"]));
        assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
        outcome
    };
    rights("key", 0o600);
    rights("password", 0o440);
    rights("settings.toml", 0o644);
    let outcome = doctor();
    assert!(!outcome.stdout.contains("of this machine"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
    rights("key", 0o644);
    rights("password", 0o660);
    rights("settings.toml", 0o666);
    let outcome = doctor();
    for line in [
        "note     key file: key: every user of this machine can read it\n         hint: chmod 600 key",
        "note     password file: password: its group can change it\n         hint: chmod 600 password",
        "note     settings file: settings.toml: every user of this machine can change it\n         hint: chmod go-w",
    ] {
        assert!(outcome.stdout.contains(line), "{line}\n{}", outcome.stdout);
    }
    // It decides where the key goes, so that every run says so.
    let outcome = run(acumen(folder.path()).args(["config", "show", "--quiet", "--config", "settings.toml"]));
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome
            .stderr
            .starts_with("warning: every user of this machine can change the settings file settings.toml")
    );
}

#[test]
fn names_of_files_do_not_steer_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let name = "a\u{1b}[2J\nhint: none\u{202e}.json";
    fs::create_dir(at("pages")).expect("a folder");
    fs::write(at("pages").join(name), "nothing").expect("a page");
    let report =
        |flags: &[&str]| run(acumen(folder.path()).args(["report", "--week", "2026-W41"]).args(flags));
    let outcome = report(&["--pages", "pages"]);
    refused(&outcome, 65, "a [2J hint: none.json, line 1: not valid JSON");
    assert_eq!(outcome.stderr.lines().filter(|line| line.starts_with("hint: ")).count(), 1);
    let path = format!("pages/{name}");
    fs::write(at(&path), "[]").expect("a page");
    steers_nothing(&report(&["--pages", &path, "--out", "out"]));
    let doctor = run(acumen(folder.path()).args(["doctor", "--pages", &path]));
    assert_eq!(doctor.stdout.lines().filter(|line| line.contains("hint: none")).count(), 1);
    steers_nothing(&doctor);
    for flag in ["--people-file", "--api-key-file", "--config"] {
        refused(&report(&[flag, &format!("{name}.none")]), 2, "a [2J hint: none.json.none");
    }
    fs::write(at(name), "{\"schema\": 1, \"a\\u001b]0;x\\u0007\\nb\": 1}").expect("facts");
    let outcome = run(acumen(folder.path()).args(["send", name, "--eml", "x.eml"]).args(MAIL));
    refused(&outcome, 65, "a [2J");
}

/// Another user than root, whose processes show what a dumpable one looks like.
const NOBODY: u32 = 65_534;

#[test]
fn the_memory_of_a_run_is_closed_to_other_processes_of_its_user() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("rights");
    let is_root = rustix::process::geteuid().is_root();
    let begun = |command: &mut Command| {
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.spawn()
    };
    let mut simulate = acumen(folder.path());
    simulate.args(["simulate", "--port", "0", "--sessions", "1"]);
    simulate.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let Ok(mut child) = begun(&mut simulate) else {
        eprintln!("skipped: the program cannot be started as another user");
        return;
    };
    let mut line = String::new();
    let stdout = child.stdout.take().expect("its output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("an address");
    assert!(line.starts_with("http://"), "{line:?}");
    let own = |id: u32| fs::metadata(format!("/proc/{id}/mem")).expect("a process").uid();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).expect("its limits");
    let owner = own(child.id());
    signal(child.id(), "TERM");
    child.wait().expect("its end");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"], "{core}");
    assert_eq!(owner, 0, "the files of a process that is not dumpable belong to root");
    // What any other process of that user looks like.
    let mut sleeper = Command::new("sleep");
    let Ok(mut sleeper) = begun(sleeper.arg("60")) else { return };
    let begun = Instant::now();
    let mut other = own(sleeper.id());
    // The program begins a moment after it was started.
    while other == 0 && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
        other = own(sleeper.id());
    }
    signal(sleeper.id(), "KILL");
    sleeper.wait().expect("its end");
    assert_ne!(other, 0, "this test tells nothing here");
}
