//! Proxies: the variables that name them, and what they answer.

use std::path::Path;
use std::time::{Duration, Instant};

use super::proxy::Proxy;
use super::server::{TlsApi, fixture};
use super::{report, served};
use crate::support::{Outcome, SERVICE_CANARY, acumen, run};

const PASSWORD: &str = "s3cret%40word";

/// What a report from the API says, with these variables.
fn reported(api: &TlsApi, variables: &[(&str, &str)]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let mut command = report(folder.path(), &api.url());
    let outcome =
        run(command.env("ACUMEN_CA_FILE", fixture("authority.pem")).envs(variables.iter().copied()));
    assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
    outcome
}

#[test]
fn a_report_goes_through_the_proxy_and_names_it() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = Proxy::start(vec![None]);
        let outcome = reported(&api, &[(variable, &proxy.url(&format!("me:{PASSWORD}@")))]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let place = proxy.url("").replace("http://", "");
        let first = outcome.stderr.lines().next().unwrap();
        assert!(
            first.starts_with(&format!("asking localhost:{} through the proxy {place} for ", api.port)),
            "{first}"
        );
        let heads = proxy.heads();
        assert!(heads.len() >= 2, "one look and a tunnel: {heads:?}");
        for head in heads {
            assert!(head.starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", api.port)), "{head}");
            // me:s3cret@word
            assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
            assert!(head.contains("bWU6czNjcmV0QHdvcmQ="), "{head}");
        }
    }
}

#[test]
fn a_proxy_that_refuses_is_asked_once_and_named() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let basic = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nProxy-Authenticate: NTLM";
    let ntlm = "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM";
    for (login, answer, words, hint) in [
        ("", "HTTP/1.1 403 Blocked s3cret", "HTTP 403 Forbidden", "allow localhost"),
        ("", basic, "HTTP 407 Proxy Authentication Required", "set HTTPS_PROXY with user and password"),
        (
            "me:s3cret@",
            basic,
            "HTTP 407 Proxy Authentication Required",
            "check user and password in HTTPS_PROXY",
        ),
        ("me:s3cret@", ntlm, "HTTP 407 Proxy Authentication Required", "Negotiate or NTLM, but only Basic"),
        (
            "",
            "HTTP/1.1 302 Found\r\nLocation: http://login.example/",
            "HTTP 302 Found",
            "ask the proxy's administrator",
        ),
        ("", "HTTP/1.1 404 Not here", "HTTP 404 Not Found", "ask the proxy's administrator"),
    ] {
        let proxy = Proxy::start(vec![Some(answer)]);
        let begun = Instant::now();
        let outcome = reported(&api, &[("HTTPS_PROXY", &proxy.url(login))]);
        assert_eq!((outcome.code, proxy.heads().len()), (Some(2), 1), "{}", outcome.stderr);
        assert!(begun.elapsed() < Duration::from_secs(20), "it waits");
        let place = proxy.url("").replace("http://", "");
        let wanted = format!("the proxy {place} refused the connection to localhost:{}: {words}", api.port);
        assert!(outcome.stderr.contains(&wanted), "{wanted}: {}", outcome.stderr);
        assert!(outcome.stderr.lines().last().unwrap().contains(hint), "{hint}: {}", outcome.stderr);
    }
    assert_eq!(api.connections(), 0);
}

#[test]
fn a_proxy_that_is_busy_is_asked_again() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let busy = Some("HTTP/1.1 503 Later");
    let proxy = Proxy::start(vec![busy, None]);
    let outcome = reported(&api, &[("HTTPS_PROXY", &proxy.url(""))]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("HTTP 503 Service Unavailable"), "{}", outcome.stderr);
    // A tunnel that fails after the first look is looked at again.
    let proxy = Proxy::start(vec![None, busy, None]);
    assert_eq!(reported(&api, &[("HTTPS_PROXY", &proxy.url(""))]).code, Some(0));
    // A password that is refused later ends the run all the same.
    let refused = Some("HTTP/1.1 407 No");
    let proxy = Proxy::start(vec![None, refused, refused]);
    let outcome = reported(&api, &[("HTTPS_PROXY", &proxy.url("me:s3cret@"))]);
    assert_eq!((outcome.code, proxy.heads().len()), (Some(2), 3), "{}", outcome.stderr);
    // One that is not there may come back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = reported(&api, &[("HTTPS_PROXY", &format!("http://127.0.0.1:{port}"))]);
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(&format!("the proxy 127.0.0.1:{port}")), "{}", outcome.stderr);
}

#[test]
fn a_proxy_that_cannot_be_read_ends_the_run_before_anything_is_asked() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    for (variable, text) in [
        ("HTTPS_PROXY", "http://me:s3#cret@proxy:3128"),
        ("ALL_PROXY", "ftp://me:s3cret@proxy"),
        ("https_proxy", "http://proxy:99999"),
        ("all_proxy", "socks5://me:s3cret@proxy:1080"),
    ] {
        let outcome = reported(&api, &[(variable, text)]);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with(&format!("error: {variable}: ")), "{}", outcome.stderr);
        assert!(outcome.stderr.lines().last().unwrap().contains("or unset it"), "{}", outcome.stderr);
    }
    assert_eq!(api.connections(), 0);
    // Where no proxy is used, it need not be readable.
    let unused = [("HTTPS_PROXY", "socks5://proxy:1080"), ("NO_PROXY", "localhost")];
    assert_eq!(reported(&api, &unused).code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let mut demo = acumen(folder.path());
    assert_eq!(
        run(demo.args(["demo", "--out", "."]).env("HTTPS_PROXY", "socks5://proxy:1080")).code,
        Some(0)
    );
}

#[test]
fn no_proxy_may_name_a_port() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let proxy = Proxy::start(vec![Some("HTTP/1.1 403 No")]);
    let with = |no_proxy: &str| reported(&api, &[("HTTPS_PROXY", &proxy.url("")), ("no_proxy", no_proxy)]);
    for direct in [format!("other.example, localhost:{}", api.port), "localhost".to_owned(), "*".to_owned()] {
        let outcome = with(&direct);
        assert_eq!((outcome.code, proxy.heads().len()), (Some(0), 0), "{direct}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("proxy"), "{}", outcome.stderr);
    }
    let outcome = with(&format!("localhost:{}", api.port - 1));
    assert_eq!((outcome.code, proxy.heads().len()), (Some(2), 1), "{}", outcome.stderr);
}

#[test]
fn doctor_names_the_proxy_and_what_it_answers() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let folder = tempfile::tempdir().unwrap();
    let output = |url: &str, variables: &[(&str, &str)]| {
        let mut command = acumen(folder.path());
        command.args(["doctor", "--org", "org_demo", "--base-url", url]).envs(variables.iter().copied());
        let outcome = run(command.env("ACUMEN_CA_FILE", fixture("authority.pem")));
        assert!(!outcome.stdout.contains("s3cret"), "{}", outcome.stdout);
        let line =
            |name: &str| outcome.stdout.lines().find(|line| line.contains(&format!(" {name}: "))).unwrap();
        (outcome.code, line("proxy").to_owned(), line("address").to_owned())
    };
    let proxy = Proxy::start(vec![None]);
    let (url, place) = (proxy.url("me:s3cret@"), proxy.url("").replace("http://", ""));
    let (code, line, _) = output(&api.url(), &[("HTTPS_PROXY", &url)]);
    assert_eq!(
        (code, line),
        (Some(0), format!("ok       proxy: {place}, from HTTPS_PROXY, with user and password"))
    );
    assert_eq!(output(&api.url(), &[]).1, "ok       proxy: none");
    let (_, line, _) = output(&api.url(), &[("HTTPS_PROXY", &url), ("NO_PROXY", "localhost")]);
    assert_eq!(line, "ok       proxy: none: NO_PROXY lists localhost");
    let (_, line, _) = output(&served.url(), &[("HTTPS_PROXY", &url)]);
    assert_eq!(line, "ok       proxy: none: plain http is loopback only");
    let (code, line, address) = output(&api.url(), &[("HTTPS_PROXY", "socks5://me:s3cret@proxy")]);
    assert!(
        code == Some(2) && line.starts_with("FAILED ") && address.starts_with("skipped "),
        "{line} {address}"
    );
    let refusing = Proxy::start(vec![Some("HTTP/1.1 407 No")]);
    let (code, _, address) = output(&api.url(), &[("HTTPS_PROXY", &refusing.url("me:s3cret@"))]);
    assert!(code == Some(2) && address.starts_with("FAILED ") && address.contains("HTTP 407"), "{address}");
    assert_eq!(refusing.heads().len(), 1);
}

#[test]
fn a_sync_goes_through_the_proxy_and_a_monitor_too() {
    let served = served();
    let (api, monitor) =
        (TlsApi::start(&served.url(), "server.pem"), TlsApi::start(&served.url(), "server.pem"));
    let proxy = Proxy::start(vec![None]);
    let folder = tempfile::tempdir().unwrap();
    let mut command = acumen(folder.path());
    command.args(["sync", "--org", "org_demo", "--since", "2026-10-01", "--base-url", &api.url()]);
    command.args(["--ping", &monitor.url(), "--ca-file", fixture("authority.pem").to_str().unwrap()]);
    let outcome = run(command.env("HTTPS_PROXY", proxy.url("")));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let heads = proxy.heads();
    for port in [api.port, monitor.port] {
        assert!(
            heads.iter().any(|head| head.starts_with(&format!("CONNECT localhost:{port} "))),
            "{heads:?}"
        );
    }
    assert!(Path::new(&folder.path().join("archive")).exists());
}

#[test]
fn a_refusal_holds_for_the_whole_run() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let proxy = Proxy::start(vec![Some("HTTP/1.1 407 No")]);
    let folder = tempfile::tempdir().unwrap();
    // Emails of a people file are looked up before the sessions, in several lists at once.
    std::fs::write(folder.path().join("people.csv"), "user,team\nada@example.com,Payments\n").unwrap();
    let mut command = report(folder.path(), &api.url());
    command.args(["--people-file", "people.csv", "--api", "v3"]).env("DEVIN_API_KEY", SERVICE_CANARY);
    command.env("ACUMEN_CA_FILE", fixture("authority.pem")).env("HTTPS_PROXY", proxy.url("me:s3cret@"));
    let outcome = run(&mut command);
    assert_eq!((outcome.code, proxy.heads().len()), (Some(2), 1), "{}", outcome.stderr);
}

#[test]
fn a_proxy_may_be_spoken_to_over_tls() {
    let served = served();
    let api = TlsApi::start(&served.url(), "server.pem");
    let plain = Proxy::start(vec![None]);
    let good = TlsApi::start(&plain.url(""), "server.pem");
    let outcome = reported(&api, &[("HTTPS_PROXY", &good.url())]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(plain.heads().len() >= 2);
    let expired = TlsApi::start(&plain.url(""), "expired.pem");
    let outcome = reported(&api, &[("HTTPS_PROXY", &expired.url())]);
    assert_eq!((outcome.code, expired.connections()), (Some(2), 1), "{}", outcome.stderr);
    let words = format!("the proxy localhost:{}: its certificate expired on 1 January 2021", expired.port);
    assert!(outcome.stderr.contains(&words), "{}", outcome.stderr);
}
