//! The settings file from the outside: what beats what, and what is shown of it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{acumen, files, run};

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
    let own = format!("trend = 2 # {}/.config/acumen/acumen.toml", folder.path().display());
    assert_eq!(shown(&[], &[], "trend"), own);
    write("xdg/acumen/acumen.toml", "trend = 3\n");
    let xdg = folder.path().join("xdg");
    let xdg = xdg.to_str().unwrap();
    let absolute = [("XDG_CONFIG_HOME", xdg)];
    assert_eq!(shown(&[], &absolute, "trend"), format!("trend = 3 # {xdg}/acumen/acumen.toml"));
    // The XDG specification has relative paths ignored; an empty home is one.
    assert_eq!(shown(&[], &[("XDG_CONFIG_HOME", "xdg")], "trend"), own);
    write("home/.config/acumen/acumen.toml", "trend = 9\n");
    for home in ["home", "./home", ""] {
        assert_eq!(shown(&[], &[("HOME", home)], "trend"), "trend = 7 # default", "{home}");
        assert_eq!(shown(&[], &[("HOME", home)], "# settings file:"), "# settings file: none");
    }
    write("other.toml", "trend = 4\n");
    assert_eq!(shown(&["--config", "other.toml"], &[], "trend"), "trend = 4 # other.toml");
    let variables = [("ACUMEN_TREND", "5"), ("ACUMEN_CONFIG", "other.toml")];
    assert_eq!(shown(&[], &variables, "trend"), "trend = 5 # ACUMEN_TREND");
    assert_eq!(shown(&["--trend", "6"], &variables, "trend"), "trend = 6 # flag");
    assert_eq!(shown(&[], &[], "# key:"), "# key: DEVIN_API_KEY");
}

#[test]
fn config_init_writes_a_private_file_to_the_configuration_folder_once() {
    let folder = tempfile::tempdir().unwrap();
    let init = |flags: &[&str], variables: &[(&str, &str)]| {
        run(acumen(folder.path()).args(["config", "init"]).args(flags).envs(variables.iter().copied()))
    };
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let own = folder.path().join(".config/acumen/acumen.toml");
    let made = init(&[], &[("ACUMEN_CONFIG", "")]);
    assert_eq!((made.code, made.stdout), (Some(0), format!("{}\n", own.display())), "{}", made.stderr);
    assert_eq!((mode(&own), mode(own.parent().unwrap())), (0o600, 0o700));
    assert_eq!(files(folder.path()), [".config"], "nothing in the working directory");
    let outcome = run(acumen(folder.path()).args(["config", "show"]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(outcome.stdout.starts_with(&format!("# settings file: {}\n", own.display())));

    // A file that exists stays as it is, a link to nowhere included.
    std::fs::write(&own, "trend = 2\n").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("link.toml")).unwrap();
    for refused in [init(&[], &[]), init(&["--config", "link.toml"], &[])] {
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(74), ""), "{}", refused.stderr);
        assert!(refused.stderr.contains("edit the existing file"), "{}", refused.stderr);
    }
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "trend = 2\n");

    // A named file goes where it is named, and no folder is made for it.
    let named = init(&["--config", "named.toml"], &[]);
    assert_eq!((named.code, named.stdout.as_str()), (Some(0), "named.toml\n"), "{}", named.stderr);
    assert_eq!(mode(&folder.path().join("named.toml")), 0o600);
    assert_eq!(init(&[], &[("ACUMEN_CONFIG", "other.toml")]).stdout, "other.toml\n");
    assert_eq!(init(&["--config", "none/acumen.toml"], &[]).code, Some(74));
    let homeless = init(&[], &[("HOME", "home"), ("XDG_CONFIG_HOME", "xdg")]);
    assert_eq!((homeless.code, homeless.stdout.as_str()), (Some(2), ""));
    assert!(homeless.stderr.contains("--config"), "{}", homeless.stderr);
    assert_eq!(files(folder.path()), [".config", "link.toml", "named.toml", "other.toml"]);
}

#[test]
fn a_file_that_cannot_be_used_stops_a_report_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acumen.toml");
    let refused = |text: &str, flags: &[&str]| {
        std::fs::write(&path, text).unwrap();
        let outcome =
            run(acumen(folder.path()).args(["report", "--quiet", "--config", "acumen.toml"]).args(flags));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{text}\n{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("\nnote: nothing written; "), "{}", outcome.stderr);
        outcome.stderr
    };
    let output = refused("org = \"x\"\npepole = \"hidden\"\n", &[]);
    assert!(output.contains("line 2: unknown setting `pepole`") && output.contains("`people`?"), "{output}");
    let output = refused("mail = true\n", &[]);
    assert!(output.contains("`mail` is a table") && output.contains("--mail"), "{output}");
    let second =
        "[[price]]\nfrom = 2026-01-01\nper_acu = 1\ncurrency = \"EUR\"\n[[price]]\nfrom = 2026-01-01\n";
    let output = refused(&format!("{second}per_acu = 2\ncurrency = \"EUR\"\n"), &[]);
    assert!(output.contains("line 6: price: two prices"), "{output}");
    assert!(refused(&format!("{second}per_acu = -2\ncurrency = \"EUR\"\n"), &[]).contains("line 7: price"));
    assert!(refused("budget = 5\n", &[]).contains("no price is set"));
    assert!(refused("budget_cycle_day = 5\n", &[]).contains("no budget is set"));
    for day in ["0", "32", "\"later\""] {
        let output = refused(&format!("budget = 5\nbudget_cycle_day = {day}\n"), &[]);
        assert!(output.contains("--budget-cycle-day: cannot read"), "{output}");
        assert!(output.contains("hint: write a day of the month from 1 to 31, or auto"), "{output}");
    }
    assert!(refused("people = \"names\"\nprofile = \"leadership\"\n", &[]).contains("has no names"));
    assert!(
        refused("", &["--people", "hidden", "--user", "u"]).contains("--user: a report that hides people")
    );
    assert!(refused("", &["--profile", "leadership", "--include-prompts"]).contains("--include-prompts"));
    assert!(refused("people_file = \"none.csv\"\n", &[]).contains("none.csv"));
    std::fs::write(folder.path().join("people.csv"), "user,nme\n").unwrap();
    assert!(refused("people_file = \"people.csv\"\n", &[]).contains("line 1: unknown column “nme”"));
    std::fs::write(folder.path().join("people.csv"), "\u{feff}user;from\r\nu;\r\n;\r\nv;2026-13-01\r\n")
        .unwrap();
    let output = refused("people_file = \"people.csv\"\n", &[]);
    assert!(output.contains("line 4: cannot read the day “2026-13-01”"), "{output}");
    std::fs::write(folder.path().join("people.csv"), b"user,name\nu,\xc4da\n").unwrap();
    assert!(refused("people_file = \"people.csv\"\n", &[]).contains("hint: save it as “CSV UTF-8”"));
    // The help is there all the same.
    assert_eq!(run(acumen(folder.path()).args(["report", "--help"])).code, Some(0));
}
