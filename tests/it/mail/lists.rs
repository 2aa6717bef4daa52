//! Lists of recipients: how they are written, and servers that refuse some of them or
//! take a few at a time.

use super::*;
use crate::support::{begin, outcome, signal};

/// Sends the report in a folder to these people alone.
fn send_to(folder: &Path, server: &MailServer, people: &str, more: &[&str]) -> Outcome {
    run(&mut sending_to(folder, server, people, more))
}

fn sending_to(folder: &Path, server: &MailServer, people: &str, more: &[&str]) -> Command {
    let mut command = acumen(folder);
    command.args([
        "send",
        &format!("{NAME}.json"),
        "--mail-attach",
        "none",
        "--mail-from",
        "acumen@example.com",
    ]);
    command.args(["--smtp", &url(server, "smtps"), "--mail-to", people]).args(more);
    command.env("SSL_CERT_FILE", authority());
    command
}

/// The names before the @ of each message's recipients.
fn taken(server: &MailServer) -> Vec<String> {
    let name = |address: &String| address.split('@').next().unwrap().to_lowercase();
    server.received().iter().map(|mail| mail.to.iter().map(name).collect::<Vec<_>>().join(" ")).collect()
}

const FIVE: &str = "a@x.example, b@x.example, c@x.example, d@x.example, e@x.example";

#[test]
fn a_list_is_read_in_the_option_the_file_and_the_environment() {
    let folder = reported();
    let server = MailServer::start(Manner::of(Kind::Tls));
    let expected = ["a b c", "a b c", "a b c"];
    let doe = "\"Doe, Jane\" <b@x.example>";
    let outcome =
        send_to(folder.path(), &server, "a@x.example", &["--mail-cc", &format!("{doe},c@x.example")]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let settings = format!(
        "[mail]\nfrom = \"a@example.com\"\nto = '{doe}, a@x.example'\ncc = [\"c@x.example\"]\nsmtp = \"{}\"\n",
        url(&server, "smtps")
    );
    std::fs::write(folder.path().join("acumen.toml"), settings).unwrap();
    let send = |more: &[(&str, &str)]| {
        let mut command = acumen(folder.path());
        command.args(["send", &format!("{NAME}.json"), "--config", "acumen.toml", "--force"]);
        run(command.env("SSL_CERT_FILE", authority()).envs(more.iter().copied()))
    };
    assert_eq!(send(&[]).code, Some(0));
    let several = "a@x.example; b@x.example,C@x.example";
    assert_eq!(send(&[("ACUMEN_MAIL_TO", several), ("ACUMEN_MAIL_CC", "c@x.example")]).code, Some(0));
    assert_eq!(taken(&server), expected);
    if let Some(output) = parsed(&server.received()[0].bytes) {
        assert_eq!(output["headers"]["Cc"], "\"Doe, Jane\" <b@x.example>, c@x.example");
        assert_eq!(output["flaws"], Value::Array(Vec::new()));
    }
    let outcome = send(&[("ACUMEN_MAIL_TO", "Doe, Jane <j@x.example>")]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: quote a name that contains a comma"), "{}", outcome.stderr);
}

#[test]
fn the_others_get_the_mail_and_the_refused_one_is_named() {
    let folder = reported();
    let server = MailServer::start(Manner {
        recipients: &[("b@", "550 no such\u{1b}[31m user"), ("d@", "450 greylisted")],
        ..Manner::of(Kind::Tls)
    });
    let gone = "a@x.example, b@x.example, c@x.example";
    for (run, words) in
        [(0, "hint: the others got the mail; check the addresses"), (1, "hint: the others got")]
    {
        let outcome = send_to(folder.path(), &server, gone, &[]);
        assert_eq!(outcome.code, Some(74), "{}", outcome.stderr);
        let output = "refused the recipient b@x.example: 550 “no such [31m user”\n";
        assert!(outcome.stderr.contains(output) && outcome.stderr.contains(words), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.contains("sent to 2 recipients: Devin"), run == 0, "{}", outcome.stderr);
        // In the second run only the refused one was asked about.
        assert_eq!(taken(&server), ["a c"]);
    }
    let rcpt = |who: &str| {
        server.heard().iter().filter(|line| line.starts_with(&format!("RCPT TO:<{who}@"))).count()
    };
    assert_eq!((rcpt("a"), rcpt("b"), rcpt("c")), (1, 2, 1));
    // One that is only turned away for now makes the run worth another try.
    let outcome = send_to(folder.path(), &server, &format!("{gone}, d@x.example, e@x.example"), &[]);
    assert_eq!(
        (outcome.code, taken(&server)),
        (Some(75), vec!["a c".to_owned(), "e".to_owned()]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("2 recipients: b@x.example: 550 “no such [31m user”; d@x.example: 450"),
        "{}",
        outcome.stderr
    );
    // Only refused recipients are left.
    let outcome = send_to(folder.path(), &server, "b@x.example", &["--state", "new"]);
    assert!(outcome.code == Some(74) && outcome.stderr.contains("nobody got the mail"), "{}", outcome.stderr);
    // Once it accepts them, only they get it.
    let whole = MailServer::start(Manner::of(Kind::Tls));
    let outcome = send_to(folder.path(), &whole, FIVE, &[]);
    assert_eq!((outcome.code, taken(&whole)), (Some(0), vec!["b d".to_owned()]), "{}", outcome.stderr);
}

#[test]
fn a_server_that_takes_a_few_at_a_time_gets_the_message_several_times() {
    let folder = reported();
    let too_many = (2, "452 4.5.3 Too many recipients");
    let manner = || Manner { most: too_many, ..Manner::of(Kind::Tls) };
    let in_twos = ["a b", "c d", "e"].map(str::to_owned);
    for (index, manner) in [
        manner(),
        // It hangs up after a message.
        Manner { messages: 1, ..manner() },
        // It says its limit beforehand, and is not tried.
        Manner {
            most: (2, "554 you were told"),
            offers: "250-LIMITS RCPTMAX=2\r\n",
            ..Manner::of(Kind::Tls)
        },
        Manner { most: (2, "550 5.5.3 too many recipients"), ..manner() },
        Manner { most: (2, "451 slow down"), ..manner() },
    ]
    .into_iter()
    .enumerate()
    {
        let server = MailServer::start(manner);
        let state = format!("state-{index}");
        let outcome = send_to(folder.path(), &server, FIVE, &["--state", &state]);
        assert_eq!(
            (outcome.code, taken(&server)),
            (Some(0), in_twos.to_vec()),
            "{index}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("sent to 5 recipients: Devin"), "{}", outcome.stderr);
        // One message for all recipients.
        let received = server.received();
        assert!(received.iter().all(|mail| mail.bytes == received[0].bytes));
        let again = send_to(folder.path(), &server, FIVE, &["--state", &state]);
        assert!(again.code == Some(0) && again.stderr.contains("5 recipients got it"), "{}", again.stderr);
        assert_eq!(server.received().len(), 3);
    }
}

#[test]
fn a_failure_between_two_parts_is_reported_and_the_rest_is_sent_later() {
    let folder = reported();
    let server = MailServer::start(Manner {
        most: (1, "452 enough"),
        recipients: &[("b@", "421 closing")],
        ..Manner::of(Kind::Tls)
    });
    let two = "a@x.example, b@x.example";
    let outcome = send_to(folder.path(), &server, two, &[]);
    assert_eq!(taken(&server), ["a"]);
    assert_eq!(outcome.code, Some(75), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("sent to 1 recipient: Devin"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: some recipients got the mail"), "{}", outcome.stderr);
    let whole = MailServer::start(Manner::of(Kind::Tls));
    let outcome = send_to(folder.path(), &whole, two, &[]);
    assert_eq!((outcome.code, taken(&whole)), (Some(0), vec!["b".to_owned()]), "{}", outcome.stderr);
}

#[test]
fn a_doubt_between_two_parts_names_whom_to_ask_and_the_others_get_it_later() {
    let folder = reported();
    let server =
        MailServer::start(Manner { most: (1, "452 enough"), drops: Some("b@"), ..Manner::of(Kind::Tls) });
    let three = "a@x.example, b@x.example, c@x.example";
    let outcome = send_to(folder.path(), &server, three, &[]);
    assert_eq!((outcome.code, taken(&server)), (Some(74), vec!["a".to_owned()]), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: ask b@x.example; if it did not arrive"), "{}", outcome.stderr);
    // The next run asks about the third, and what the hint says helps the second.
    let whole = MailServer::start(Manner::of(Kind::Tls));
    let outcome = send_to(folder.path(), &whole, three, &[]);
    assert_eq!((outcome.code, taken(&whole)), (Some(74), vec!["c".to_owned()]), "{}", outcome.stderr);
    let outcome = send_to(folder.path(), &whole, "b@x.example", &["--force"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(taken(&whole), ["c", "b"]);
    let outcome = send_to(folder.path(), &whole, three, &[]);
    assert_eq!((outcome.code, taken(&whole).len()), (Some(0), 2), "{}", outcome.stderr);
}

#[test]
fn a_signal_between_two_parts_leaves_the_rest_to_the_next_run() {
    let folder = reported();
    let server = MailServer::start(Manner { most: (3, "452 enough"), holds: true, ..Manner::of(Kind::Tls) });
    let child = begin(&mut sending_to(folder.path(), &server, FIVE, &[]));
    server.arrived();
    signal(child.id(), "TERM");
    // Only once the signal has come the server answers.
    std::thread::sleep(std::time::Duration::from_millis(300));
    server.release();
    let ended = outcome(child);
    assert_eq!((ended.code, taken(&server)), (Some(143), vec!["a b c".to_owned()]), "{}", ended.stderr);
    assert!(ended.stderr.contains("sent to 3 recipients; "), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("the next run sends it to the others\n"), "{}", ended.stderr);
    let whole = MailServer::start(Manner::of(Kind::Tls));
    let outcome = send_to(folder.path(), &whole, FIVE, &[]);
    assert_eq!((outcome.code, taken(&whole)), (Some(0), vec!["d e".to_owned()]), "{}", outcome.stderr);
}
