//! The settings file from the outside: what beats what, and what is shown of it.

use crate::support::{acumen, run};

#[test]
fn a_flag_beats_the_environment_that_the_file_and_that_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let shown = |flags: &[&str], variables: &[(&str, &str)], name: &str| {
        let mut command = acumen(folder.path());
        let outcome = run(command.args(["config", "show"]).args(flags).envs(variables.iter().copied()));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let line = outcome.stdout.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(&[], &[], "trend"), "trend = 7 # default");
    write(".config/acumen/acumen.toml", "trend = 2\n");
    assert!(shown(&[], &[], "trend").ends_with("/.config/acumen/acumen.toml"));
    write("acumen.toml", "trend = 3\n");
    assert_eq!(shown(&[], &[], "trend"), "trend = 3 # acumen.toml");
    write("other.toml", "trend = 4\n");
    assert_eq!(shown(&["--config", "other.toml"], &[], "trend"), "trend = 4 # other.toml");
    let variables = [("ACUMEN_TREND", "5"), ("ACUMEN_CONFIG", "other.toml")];
    assert_eq!(shown(&[], &variables, "trend"), "trend = 5 # ACUMEN_TREND");
    assert_eq!(shown(&["--trend", "6"], &variables, "trend"), "trend = 6 # flag");
    assert_eq!(shown(&[], &[], "# key:"), "# key: DEVIN_API_KEY");
}

#[test]
fn an_example_is_begun_once_and_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let init = || run(acumen(folder.path()).args(["config", "init"]));
    assert_eq!((init().code, init().code), (Some(0), Some(74)));
    let outcome = run(acumen(folder.path()).args(["config", "show"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("# settings file: acumen.toml\n"));
}

#[test]
fn a_file_that_cannot_be_used_stops_a_report_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acumen.toml");
    let refused = |text: &str, flags: &[&str]| {
        std::fs::write(&path, text).unwrap();
        let outcome = run(acumen(folder.path()).arg("report").args(flags));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{text}\n{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("\nkept: nothing was written; "), "{}", outcome.stderr);
        outcome.stderr
    };
    let told = refused("org = \"x\"\npepole = \"hidden\"\n", &[]);
    assert!(told.contains("line 2: there is no setting `pepole`") && told.contains("`people`?"), "{told}");
    let told = refused("mail = true\n", &[]);
    assert!(told.contains("`mail` is a table") && told.contains("--mail"), "{told}");
    let second =
        "[[price]]\nfrom = 2026-01-01\nper_acu = 1\ncurrency = \"EUR\"\n[[price]]\nfrom = 2026-01-01\n";
    let told = refused(&format!("{second}per_acu = 2\ncurrency = \"EUR\"\n"), &[]);
    assert!(told.contains("line 6: price: two prices"), "{told}");
    assert!(refused(&format!("{second}per_acu = -2\ncurrency = \"EUR\"\n"), &[]).contains("line 7: price"));
    assert!(refused("budget = 5\n", &[]).contains("there is no price"));
    assert!(refused("people = \"names\"\nprofile = \"leadership\"\n", &[]).contains("names nobody"));
    assert!(refused("", &["--people", "hidden", "--user", "u"]).contains("not to be shown by name"));
    assert!(refused("", &["--profile", "leadership", "--include-prompts"]).contains("--include-prompts"));
    assert!(refused("people_file = \"none.csv\"\n", &[]).contains("none.csv"));
    std::fs::write(folder.path().join("people.csv"), "user,nme\n").unwrap();
    assert!(refused("people_file = \"people.csv\"\n", &[]).contains("line 1: there is no column “nme”"));
    // The help is there all the same.
    assert_eq!(run(acumen(folder.path()).args(["report", "--help"])).code, Some(0));
}
