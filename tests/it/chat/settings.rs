//! Where the addresses of webhooks come from, and what is refused before the work.

use super::*;

/// A report without the options of the folder's files.
fn plain(folder: &Path, served: &Served, more: &[&str]) -> Command {
    let mut command = acumen(folder);
    command.args(["report", "--base-url", &served.url(), "--week", "2026-W41", "--trend", "0"]);
    command.args(["--out", "out", "--state", "state"]).args(more);
    command
}

#[test]
fn an_address_comes_from_the_settings_file_a_credential_or_the_environment() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let posts = |more: &[&str], variables: &[(&str, &str)], expected: [(&Chat, usize); 3]| {
        let flags = [&["--chat", "--repost"][..], more].concat();
        let outcome = ended(plain(folder.path(), &served, &flags).envs(variables.iter().copied()));
        ends(&outcome, 0, &[]);
        for (chat, count) in expected {
            assert_eq!(chat.posted().len(), count, "{more:?} {variables:?}: {}", outcome.stderr);
        }
    };
    let (filed, credential, environment) = (Chat::start(), Chat::start(), Chat::start());
    // Paths in the settings file are relative to its folder.
    write("etc/acumen.toml", "slack_webhook_file = \"slack\"\nteams_webhook_file = \"teams\"\n");
    write("etc/slack", &format!("\u{feff}{}\r\n", filed.url("slack")));
    write("etc/teams", &filed.url("teams"));
    write("credentials/slack-webhook", &credential.url("slack"));
    write("credentials/teams-webhook", &credential.url("teams"));
    let of_credential = ("CREDENTIALS_DIRECTORY", folder.path().join("credentials"));
    let of_credential = (of_credential.0, of_credential.1.to_str().unwrap());
    let (slack, teams) = (environment.url("slack"), environment.url("teams"));
    let of_environment = [("ACUMEN_SLACK_WEBHOOK", slack.as_str()), ("ACUMEN_TEAMS_WEBHOOK", &teams)];
    posts(&[], &of_environment, [(&filed, 0), (&credential, 0), (&environment, 2)]);
    let both = [&of_environment[..], &[of_credential]].concat();
    posts(&[], &both, [(&filed, 0), (&credential, 2), (&environment, 2)]);
    posts(&["--config", "etc/acumen.toml"], &both, [(&filed, 2), (&credential, 2), (&environment, 2)]);
    let chat = [("ACUMEN_CHAT", "1"), ("ACUMEN_REPOST", "1"), ("ACUMEN_CONFIG", "etc/acumen.toml")];
    ends(&ended(plain(folder.path(), &served, &[]).envs(chat)), 0, &["posted to Teams"]);
    assert_eq!(filed.posted().len(), 4);
    // Without --chat nothing is posted, and the files are not even read.
    std::fs::remove_file(folder.path().join("etc/slack")).unwrap();
    let outcome = ended(&mut plain(folder.path(), &served, &["--config", "etc/acumen.toml"]));
    ends(&outcome, 0, &[]);
    assert!(!outcome.stderr.contains("Slack"), "{}", outcome.stderr);
    assert_eq!(filed.requests(), 4);

    let mut show = acumen(folder.path());
    let shown = ended(show.args(["config", "show", "--config", "etc/acumen.toml"]).envs(of_environment));
    assert!(shown.stdout.contains("slack_webhook_file = \"etc/slack\""), "{}", shown.stdout);
    let mut help = acumen(folder.path());
    ended(help.args(["report", "--help"]).envs(of_environment));
}

#[test]
fn what_cannot_be_used_is_refused_before_the_work() {
    let (served, chat) = (served(), Chat::start());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("plain", &format!("http://hooks.example/{TOKEN}"));
    write("two", &format!("{0}\n{0}\n", chat.url("slack")));
    write("empty", "\n");
    write("word", TOKEN);
    write("file.toml", &format!("slack_webhook_file = \"https://hooks.example/{TOKEN}\"\n"));
    write("once.toml", "chat = true\n");
    let refused = |more: &[&str], variables: &[(&str, &str)], words: &[&str]| {
        let outcome = ended(plain(folder.path(), &served, more).envs(variables.iter().copied()));
        assert_eq!(outcome.stdout, "", "{more:?}");
        ends(&outcome, 2, words);
    };
    let slack = |file| ["--chat", "--slack-webhook-file", file];
    refused(
        &["--chat"],
        &[],
        &["--chat: no chat is configured", "hint: put the URL of a webhook into a file"],
    );
    refused(&["--chat"], &[("ACUMEN_SLACK_WEBHOOK", "")], &["no chat is configured"]);
    refused(&slack("none"), &[], &["--slack-webhook-file none: "]);
    refused(&slack("plain"), &[], &["--slack-webhook-file plain: plain http would expose the token"]);
    refused(&slack("two"), &[], &["--slack-webhook-file two: it has more than one line"]);
    refused(&slack("empty"), &[], &["--slack-webhook-file empty: it is not a URL"]);
    refused(&slack("word"), &[], &["it is not a URL", "https://hooks.slack.com/"]);
    refused(&slack("/dev/stdin"), &[], &["name a regular file"]);
    // The address in place of a file.
    refused(&slack(&chat.url("slack")), &[], &["--slack-webhook-file: it is a URL, not a file"]);
    refused(&["--chat", "--config", "file.toml"], &[], &["it is a URL, not a file"]);
    refused(&["--config", "once.toml"], &[], &["unknown setting `chat`"]);
    let variable = [("ACUMEN_TEAMS_WEBHOOK", TOKEN)];
    refused(&["--chat"], &variable, &["ACUMEN_TEAMS_WEBHOOK: it is not a URL", "Workflows"]);
    assert_eq!((served.simulator.requests(), chat.requests()), (0, 0));
    let mut show = acumen(folder.path());
    let shown = ended(show.args(["config", "show", "--config", "file.toml"]));
    assert!(shown.stdout.contains("slack_webhook_file = \"[not shown]\""), "{}", shown.stdout);
}

#[test]
fn the_doctor_looks_at_webhooks_and_posts_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let (served, chat) = (served(), Chat::start());
    let folder = folder_of(&[("slack", &chat)]);
    let doctor = |more: &[&str]| {
        let mut command = acumen(folder.path());
        command.args(["doctor", "--base-url", &served.url()]).args(more);
        ended(&mut command)
    };
    let path = folder.path().join("slack");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let good = doctor(&["--slack-webhook-file", "slack", "--chat"]);
    assert!(good.code == Some(0) && !good.stdout.contains("webhook file"), "{}", good.stdout);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = doctor(&["--slack-webhook-file", "slack"]);
    assert!(exposed.stdout.contains("note     webhook file: slack: "), "{}", exposed.stdout);
    std::fs::write(&path, format!("http://hooks.example/{TOKEN}")).unwrap();
    let wrong = doctor(&["--slack-webhook-file", "slack"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stdout);
    assert!(
        wrong.stdout.contains("FAILED   settings: --slack-webhook-file slack: plain http"),
        "{}",
        wrong.stdout
    );
    let none = doctor(&["--chat"]);
    assert!(none.code == Some(2) && none.stdout.contains("no chat is configured"), "{}", none.stdout);
    assert_eq!(chat.requests(), 0);
}
