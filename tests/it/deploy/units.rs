//! The systemd units: judged by systemd where it is installed, and by what they must say.

use std::path::Path;
use std::process::{Command, Output};

use super::{ZONE, read, report, words};
use crate::support::{acumen, run};

/// The values of a key in a unit, in order.
fn values(unit: &str, key: &str) -> Vec<String> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(name, _)| *name == key).map(|(_, value)| value.to_owned()).collect()
}

fn value(unit: &str, key: &str) -> String {
    let values = values(unit, key);
    let [value] = values.as_slice() else { panic!("{key} stands {} times", values.len()) };
    value.clone()
}

/// Both units as `change` makes them, judged by systemd; `None` if it is not installed.
fn verified(change: impl Fn(String) -> String) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no", "--recursive-errors=yes"]);
    for name in ["acumen.service", "acumen.timer"] {
        let path = folder.path().join(name);
        // The program need not be installed for this.
        let unit =
            read(&format!("systemd/{name}")).replace("/usr/local/bin/acumen", env!("CARGO_BIN_EXE_acumen"));
        std::fs::write(&path, change(unit)).unwrap();
        command.arg(path);
    }
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("skipped: systemd-analyze: {error}");
            None
        }
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let Some(output) = verified(|unit| unit) else { return };
    // Units of the machine itself may have faults of their own.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("acumen")).collect();
    assert!(ours.is_empty() && output.status.success(), "{said}");
    for (right, wrong) in [
        ("RestartSec=15min", "RestartSecs=15min"),
        ("ProtectSystem=strict", "ProtectSystem=very"),
        ("06:00:00 Europe/Berlin", "06:00:00 Europe/Nowhere"),
        ("Restart=on-failure", "Restart=always"),
    ] {
        let output = verified(|unit| unit.replace(right, wrong)).expect("it was there before");
        assert!(!output.stderr.is_empty(), "{wrong} is not noticed");
    }
}

#[test]
fn the_service_has_a_user_of_its_own_its_key_handed_over_and_nothing_else() {
    let unit = read("systemd/acumen.service");
    let command = value(&unit, "ExecStart");
    let args = report(&words(&command));
    assert_eq!(args.config.as_deref(), Some(Path::new("/etc/acumen/acumen.toml")));
    assert_eq!(args.out, Path::new("/var/lib/acumen/reports"));
    // A key named by a flag would win over the credential.
    assert!(args.access.api_key_file.is_none());
    for (key, expected) in [
        ("Type", "oneshot"),
        ("DynamicUser", "yes"),
        ("StateDirectory", "acumen"),
        ("LoadCredential", "devin-api-key:/etc/acumen/devin-api-key"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
    ] {
        assert_eq!(value(&unit, key), expected, "{key}");
    }
    assert!(unit.contains("\n#LoadCredential=smtp-password:"));
    assert!(values(&unit, "User").is_empty() && values(&unit, "Environment").is_empty());
}

#[test]
fn only_what_may_pass_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(acumen(folder.path()).arg("--help")).stdout;
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    let mut documented: Vec<u32> = codes.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    documented.sort_unstable();
    let unit = read("systemd/acumen.service");
    let given_up = value(&unit, "RestartPreventExitStatus");
    let given_up: Vec<u32> = given_up.split(' ').map(|code| code.parse().unwrap()).collect();
    let expected: Vec<u32> = documented.into_iter().filter(|code| ![0, 5, 75].contains(code)).collect();
    assert_eq!(given_up, expected);
    assert_eq!(
        (value(&unit, "Restart").as_str(), value(&unit, "RestartSec").as_str()),
        ("on-failure", "15min")
    );
    assert!(
        !values(&unit, "StartLimitBurst").is_empty() && !values(&unit, "StartLimitIntervalSec").is_empty()
    );
}

#[test]
fn the_timer_makes_up_for_a_missed_monday() {
    let unit = read("systemd/acumen.timer");
    assert_eq!(value(&unit, "OnCalendar"), format!("Mon *-*-* 06:00:00 {ZONE}"));
    assert_eq!(
        (value(&unit, "Persistent").as_str(), value(&unit, "WantedBy").as_str()),
        ("true", "timers.target")
    );
    // Without a name of its own it starts the service of the same name.
    assert!(values(&unit, "Unit").is_empty());
}
