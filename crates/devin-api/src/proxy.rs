//! Which proxy a request goes through, by the variables that curl and others read.

use std::fmt;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::sync::{Mutex, MutexGuard};
use url::Url;

use crate::text::clean;

/// What the environment says about proxies, unchecked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// The name of the variable that names the proxy, and its text, which may hold a password.
    pub proxy: Option<(&'static str, String)>,
    /// Hosts that are reached directly.
    pub no_proxy: String,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = self.proxy.as_ref().map(|(variable, _)| variable);
        f.debug_struct("Variables").field("variable", &variable).field("no_proxy", &self.no_proxy).finish()
    }
}

/// A proxy for https, spoken to by http or https. Clones share what is known of its tunnel.
#[derive(Clone)]
pub struct Proxy {
    url: Url,
    variable: &'static str,
    tunnel: Arc<Mutex<Tunnel>>,
}

/// What a proxy says to a tunnel to the server.
#[derive(Debug, Default)]
pub enum Tunnel {
    /// It was not asked, or a connection has failed since.
    #[default]
    Unknown,
    /// It opens one.
    Open,
    /// It refuses, and will again.
    Refused(Refusal),
}

/// A refusal that stays.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status that the proxy answered with.
    pub status: u16,
    /// The proxy, the server and the answer, in words.
    pub cause: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}, {})", self.place(), self.variable)
    }
}

impl Proxy {
    /// Its URL, which may hold user and password.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What is known of its tunnel. The task that holds the lock asks; others wait.
    pub async fn tunnel(&self) -> MutexGuard<'_, Tunnel> {
        self.tunnel.lock().await
    }

    /// The variable that names it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// Name or address, without brackets.
    pub fn host(&self) -> &str {
        self.host_in_url().trim_matches(['[', ']'])
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().expect("http and https have a port")
    }

    /// Host and port, as messages name it.
    pub fn place(&self) -> String {
        format!("{}:{}", clean(self.host_in_url(), 100), self.port())
    }

    fn host_in_url(&self) -> &str {
        self.url.host_str().expect("an http or https address has a host")
    }

    /// Whether the proxy itself is spoken to over TLS.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// User and password as a header, if there are any.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let target = Uri::from_static("https://any.example");
        matcher(self.url.as_str(), "").intercept(&target)?.basic_auth().cloned()
    }
}

fn matcher(proxy: &str, no_proxy: &str) -> Matcher {
    Matcher::builder().all(proxy.to_owned()).no(no_proxy.to_owned()).build()
}

/// The proxy for a URL; none for plain http, which stays on this machine, and for
/// hosts that are reached directly.
///
/// # Errors
/// The proxy that it would go through cannot be read: why, without user and password.
pub fn choose(variables: &Variables, url: &Url) -> Result<Option<Proxy>, String> {
    match &variables.proxy {
        Some((variable, text)) if url.scheme() == "https" && !is_direct(&variables.no_proxy, url) => {
            let url = parse(text).map_err(|why| format!("{variable}: {why}"))?;
            Ok(Some(Proxy { url, variable, tunnel: Arc::default() }))
        }
        _ => Ok(None),
    }
}

/// Whether a list in the form of NO_PROXY names the host of a URL: `*`, names with
/// their subdomains, addresses and networks, each with or without a port.
pub fn is_direct(no_proxy: &str, url: &Url) -> bool {
    let Ok(target) = url.as_str().parse() else { return false };
    let port = url.port_or_known_default();
    let entries = no_proxy.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    let of_port = entries.filter_map(|entry| {
        let (host, wanted) = split(entry);
        let host = host.strip_prefix("*.").unwrap_or(host).trim_end_matches('.');
        (wanted.is_none() || wanted == port).then(|| host.to_ascii_lowercase())
    });
    // The library knows names, addresses and networks, but no ports.
    let list = of_port.collect::<Vec<_>>().join(",");
    matcher("http://any.example", &list).intercept(&target).is_none()
}

/// Host and port of an entry, the host without brackets.
fn split(entry: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
        // More colons are an address of IPv6.
        _ => (entry, None),
    }
}

fn parse(text: &str) -> Result<Url, String> {
    let text = text.trim();
    // No part of the text is shown: in one that cannot be read, any may be the password.
    let unreadable = || "it is not a valid proxy URL".to_owned();
    let url = match text.contains("://") {
        true => Url::parse(text),
        false => Url::parse(&format!("http://{text}")),
    };
    let url = url.map_err(|_| unreadable())?;
    if url.scheme().starts_with("socks") {
        return Err("SOCKS proxies are not supported".to_owned());
    }
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let is_usable =
        || matcher(url.as_str(), "").intercept(&Uri::from_static("https://any.example")).is_some();
    match matches!(url.scheme(), "http" | "https") && is_bare && is_usable() {
        true => Ok(url),
        false => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(no_proxy: &str, url: &str) -> bool {
        is_direct(no_proxy, &url.parse().unwrap())
    }

    #[test]
    fn no_proxy_takes_names_addresses_networks_and_ports() {
        let api = "https://api.example.com:8443/x";
        for entry in [
            "api.example.com:8443",
            "API.Example.com:8443",
            "example.com",
            ".example.com",
            "*.example.com:8443",
            "other.example, api.example.com:8443",
            "other.example api.example.com",
            "*",
            "*:8443",
        ] {
            assert!(direct(entry, api), "{entry}");
        }
        for entry in
            ["", "api.example.com:443", "ample.com", "api.example.com:x", "x.api.example.com", "*:443"]
        {
            assert!(!direct(entry, api), "{entry}");
        }
        assert!(direct("api.example.com:443", "https://api.example.com/"));
        for entry in ["10.1.2.3", "10.1.2.3:8443", "10.0.0.0/8"] {
            assert!(direct(entry, "https://10.1.2.3:8443"), "{entry}");
        }
        assert!(!direct("10.1.2.3:443", "https://10.1.2.3:8443"));
        for entry in ["::1", "[::1]", "[::1]:8443"] {
            assert!(direct(entry, "https://[::1]:8443"), "{entry}");
        }
        assert!(!direct("[::1]:443", "https://[::1]:8443"));
    }

    #[test]
    fn a_proxy_is_read_and_shown_without_its_password() {
        let of = |text: &str| {
            let proxy = Some(("HTTPS_PROXY", text.to_owned()));
            let variables = Variables { proxy, no_proxy: "direct.example".to_owned() };
            (choose(&variables, &"https://api.example".parse().unwrap()), variables)
        };
        for (text, place) in [
            ("http://proxy.example:3128", "proxy.example:3128"),
            ("proxy.example:3128", "proxy.example:3128"),
            ("https://me:s3cret@proxy.example/", "proxy.example:443"),
            ("me:s3cret@10.0.0.1:80", "10.0.0.1:80"),
            ("http://[::1]:3128", "[::1]:3128"),
        ] {
            let (proxy, variables) = of(text);
            let proxy = proxy.unwrap().unwrap();
            assert_eq!(proxy.place(), place);
            assert_eq!(proxy.authorization().is_some(), text.contains("s3cret"));
            assert!(!format!("{proxy:?}{variables:?}").contains("s3cret"));
        }
        for text in [
            "http://",
            "me:s3cret@",
            "http://me:s3#s3cret@proxy",
            "http://me:1/s3cret@proxy",
            "ftp://me:s3cret@x",
            "socks5://me:s3cret@proxy:1080",
            "http://me:s3cret@pro xy",
            ":::",
            "http://proxy:99999",
        ] {
            let why = of(text).0.unwrap_err();
            assert!(why.starts_with("HTTPS_PROXY: ") && !why.contains("s3cret"), "{text}: {why}");
        }
        // What is not used need not be readable.
        let variables = Variables { no_proxy: "api.example".to_owned(), ..of(":::").1 };
        for url in ["https://api.example", "http://127.0.0.1:1"] {
            assert!(matches!(choose(&variables, &url.parse().unwrap()), Ok(None)), "{url}");
        }
    }
}
