//! Each schedule's own command, run as its host would run it, against the
//! simulator: only the folders of the machine are others.

use std::fs;
use std::path::Path;
use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};

use super::container::{command_line, manifest};
use super::workflow::{steps, workflow};
use super::{cron_line, read, words};
use crate::support::{CANARY, Outcome, Served, acumen, files, run};

const WRITTEN: [&str; 2] = ["org_demo_2026-W41.html", "org_demo_2026-W41.json"];
const FOR_LEADERSHIP: [&str; 2] = ["org_demo_2026-W41_leadership.html", "org_demo_2026-W41_leadership.json"];

/// A machine's folders below one of ours, and an API for it.
struct Host {
    root: tempfile::TempDir,
    served: Served,
}

impl Host {
    /// With these settings, and a key in the place that `deploy/` names.
    fn new(settings: &str) -> Self {
        let recipe = Recipe { sessions: 300, ..Recipe::demo() };
        let served = Served::new(Organisation::invent(&recipe), Options::default());
        let root = tempfile::tempdir().unwrap();
        for folder in ["etc", "var", "secrets", "work"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        // The base URL stands first: what follows may be a table.
        let settings = format!("base_url = \"{}\"\n{settings}", served.url());
        fs::write(root.path().join("etc/acumen.toml"), settings).unwrap();
        for folder in ["etc", "secrets"] {
            fs::write(root.path().join(folder).join("devin-api-key"), format!("{CANARY}\n")).unwrap();
        }
        Self { root, served }
    }

    /// A text with this host's folders for those of the machine.
    fn placed(&self, text: &str) -> String {
        let place = |folder: &str| self.root.path().join(folder).display().to_string();
        text.replace("/usr/local/bin/acumen", env!("CARGO_BIN_EXE_acumen"))
            .replace("/etc/acumen", &place("etc"))
            .replace("/run/secrets/acumen", &place("secrets"))
            .replace("/var/lib/acumen", &place("var"))
    }

    /// A process of the host: no key in its environment, and a week that has sessions.
    fn process(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root.path().join("work")).env_clear().env("ACUMEN_WEEK", "2026-W41");
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.root.path().join("work"));
        command
    }

    fn reports(&self) -> Vec<String> {
        files(&self.root.path().join("var/reports"))
    }
}

const SETTINGS: &str = "org = \"org_demo\"\ntz = \"Europe/Berlin\"\n";

fn well(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
}

#[test]
fn the_service_makes_a_report_with_its_credential_and_state() {
    let host = Host::new(SETTINGS);
    let unit = read("systemd/acumen.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let command = words(&host.placed(line));
    let (credentials, state) = (host.root.path().join("secrets"), host.root.path().join("var"));
    // The name of the credential is the file's within the folder.
    assert!(unit.contains("\nLoadCredential=devin-api-key:"));
    let start = || {
        let mut process = host.process(&command[0]);
        process.args(&command[1..]).current_dir(&state);
        run(process.env("CREDENTIALS_DIRECTORY", &credentials).env("STATE_DIRECTORY", &state))
    };
    well(&start());
    assert_eq!(host.reports(), WRITTEN);
    well(&start());
    fs::write(credentials.join("devin-api-key"), "wrong").unwrap();
    assert_eq!(start().code, Some(3), "the key of the credential is the one that counts");
}

#[test]
fn the_line_of_the_crontab_is_silent_unless_it_fails() {
    let host = Host::new(SETTINGS);
    let line = host.placed(&cron_line().1);
    let tick = || run(host.process("/bin/sh").args(["-c", &line]));
    let outcome = tick();
    well(&outcome);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "cron would mail it");
    assert_eq!(host.reports(), WRITTEN);
    fs::write(host.root.path().join("etc/devin-api-key"), "wrong").unwrap();
    let outcome = tick();
    assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(3), 3), "{}", outcome.stderr);
}

#[test]
fn the_pod_makes_a_report_with_the_settings_of_its_manifest() {
    let data = manifest("ConfigMap");
    let settings = data["data"]["acumen.toml"].as_str().unwrap().replace("org_789", "org_demo");
    let host = Host::new(&settings);
    let args: Vec<String> = command_line().iter().map(|arg| host.placed(arg)).collect();
    well(&run(host.process(env!("CARGO_BIN_EXE_acumen")).args(&args[1..])));
    assert_eq!(host.reports(), FOR_LEADERSHIP);
}

/// Puts a `cargo` in the way of the real one, which installs what is built already.
fn stub_cargo(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = \"install --path . --locked --root $HOME/.acumen\" ] || exit 9\n\
         mkdir -p \"$HOME/.acumen/bin\" && ln -s '{}' \"$HOME/.acumen/bin/acumen\"\n",
        env!("CARGO_BIN_EXE_acumen")
    );
    fs::write(folder.join("cargo"), script).unwrap();
    fs::set_permissions(folder.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_steps_of_the_workflow_build_report_and_tell_the_page_of_the_run() {
    let host = Host::new("");
    let work = host.root.path().join("work");
    let (tools, page) = (host.root.path().join("tools"), work.join("page.md"));
    fs::create_dir(&tools).unwrap();
    stub_cargo(&tools);
    fs::write(&page, "").unwrap();
    let workflow = workflow();
    let path = std::env::join_paths([tools.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let step = |step: &serde_json::Value| {
        // As GitHub starts it where no shell is named.
        let mut process = host.process("bash");
        process.args(["-e", "-c", step["run"].as_str().unwrap()]).env("PATH", &path);
        process.env("GITHUB_STEP_SUMMARY", &page).env("ACUMEN_BASE_URL", host.served.url());
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            let value = match value.as_str().unwrap() {
                "${{ secrets.DEVIN_API_KEY }}" => CANARY,
                "${{ vars.ACUMEN_ORG }}" => "org_demo",
                // A secret that is not set is an empty text.
                "${{ secrets.ACUMEN_PING }}" => "",
                other => panic!("{name} is {other}"),
            };
            process.env(name, value);
        }
        run(&mut process)
    };
    let steps = steps(&workflow);
    let runs: Vec<Outcome> = steps.iter().filter(|one| one["run"].is_string()).map(step).collect();
    assert_eq!(runs.len(), 2);
    runs.iter().for_each(well);
    let upload = steps.last().unwrap()["with"]["path"].as_str().unwrap();
    assert_eq!(files(&work.join(upload)), FOR_LEADERSHIP);
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.starts_with("## Devin, Halden demo: week 41") && page.contains("| ACUs |"), "{page}");
}

#[test]
fn what_is_to_be_looked_at_afterwards_can_be() {
    let host = Host::new(SETTINGS);
    let page = read("README.md");
    let doctor = page.lines().find(|line| line.starts_with("sudo acumen doctor")).unwrap();
    let words = words(&host.placed(doctor));
    let outcome = run(acumen(host.root.path()).env("ACUMEN_WEEK", "2026-W41").args(&words[2..]));
    well(&outcome);
    assert!(outcome.stdout.contains("ok       output: "), "{}", outcome.stdout);
}
