//! Settings of a run that cannot be used, each with what to do.

use super::*;

fn refusal(tables: &str, flags: &[&str]) -> String {
    // Nothing listens there: each is refused before anything is asked.
    let folder = folder("http://127.0.0.1:9", None, tables);
    let mut command = acumen(folder.path());
    let outcome = run(command.args(["run", "--config", "acumen.toml"]).args(flags));
    assert_eq!(outcome.code, Some(2), "{tables}{flags:?}\n{}", outcome.stderr);
    assert!(outcome.stdout.is_empty());
    outcome.stderr
}

#[test]
fn unusable_reports_are_refused_before_anything_is_asked() {
    let named = "[[report]]\nname = \"x\"\n";
    for (tables, flags, words) in [
        ("", &[][..], "the settings file has no [[report]]"),
        ("[[report]]\nprofile = \"lead\"\n", &[], "a report needs a name"),
        ("[[report]]\nname = \"../x\"\n", &[], "use letters, digits"),
        ("[[report]]\nname = \"x\"\n[[report]]\nname = \"X\"\n", &[], "two reports have the same name"),
        ("[[report]]\nname = \"x\"\neach = \"user\"\n", &[], "the only value is \"team\""),
        ("[[report]]\nname = \"x\"\neach = \"team\"\n", &[], "no team is defined"),
        ("[[report]]\nname = \"x\"\nteam = \"y\"\n", &[], "--team: no team is defined"),
        ("[[report]]\nname = \"x\"\nperiod = \"day\"\n", &[], "\"week\", \"month\" or \"quarter\""),
        ("[[report]]\nname = \"x\"\nprofil = \"lead\"\n", &[], "did you mean `profile`?"),
        ("[[report]]\nname = \"x\"\nprofile = \"boss\"\n", &[], "[possible values: lead, leadership]"),
        ("[[report]]\nname = \"x\"\norg = \"y\"\n", &[], "unknown setting `org`"),
        ("[[report]]\nname = \"x\"\nprofile = \"leadership\"\nuser = \"y\"\n", &[], "[[report]] “x”: --user"),
        (
            "[[report]]\nname = \"x\"\nprofile = \"leadership\"\nexport = \"parquet\"\n",
            &[],
            "[[report]] “x”: --export",
        ),
        (
            "[[report]]\nname = \"x\"\nto = \"not an address\"\n",
            &["--smtp", "smtps://localhost"],
            "--mail-to",
        ),
        ("[[report]]\nname = \"x\"\nto = \"a@example.com\"\n", &[], "no mail server"),
        ("[[team]]\ntag = \"team:*\"\nlead = \"a@example.com\"\n", &[], "a team with a lead needs a name"),
        (
            "[[team]]\nname = \"a\"\nlead = \"a@x.org\"\n[[team]]\nname = \"a\"\nlead = \"b@x.org\"\n",
            &[],
            "a team has two leads",
        ),
        (named, &["--only", "y"], "the reports are: x"),
        (
            "[[alert]]\nmetric = \"acus\"\nabove = 1\nreport = \"y\"\n[[report]]\nname = \"x\"\n",
            &[],
            "[[alert]]: no report is called \"y\"",
        ),
        ("[[report]]\nname = \"x\"\nchat = true\n", &[], "--slack-webhook-file"),
        (named, &["--as-of", "2999-01-01"], "cannot be read, or is in the future"),
        (
            &format!("tag = \"a\"\n{named}"),
            &[],
            "`tag` of the settings file: a run takes this from each report",
        ),
        ("[[team]]\nname = \"a\"\nlead = [\"a@x.org\"]\n", &[], "`lead` of a team is one text"),
        ("[[team]]\nname = \" \"\nlead = \"a@x.org\"\n", &[], "the name of a team is blank"),
        (
            "[[team]]\ntag = \"x\"\nname = \"Pay\"\nlead = \"pay\"\n[[report]]\nname = \"t\"\neach = \"team\"\n",
            &["--smtp", "smtps://localhost"],
            "[[report]] “t”, lead of “Pay”: ",
        ),
        (named, &["--pages", "-"], "save them in a file or folder"),
        (named, &["--week", "2026-W41"], "--as-of chooses an earlier run"),
        (named, &["--tag", "a"], "set it in its [[report]] table"),
        (named, &["--mail"], "a report with recipients is mailed"),
    ] {
        let stderr = refusal(tables, flags);
        assert!(stderr.contains(words), "{tables}{flags:?}: {words}\n{stderr}");
    }
}
