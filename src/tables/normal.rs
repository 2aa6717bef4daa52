//! The normal forms that grouping needs: pure functions over one text.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr_iter, memchr2};

/// The impacts, most severe first; any other word is `other`.
pub const IMPACTS: [&str; 4] = ["high", "medium", "low", "other"];

/// The pull request states; of rows that disagree the earliest in this list wins.
pub const STATES: [&str; 5] = ["merged", "closed", "open", "draft", "unknown"];

/// What forges put between the path of a repository and the number of a pull
/// request: GitHub, Gitea and Forgejo, GitLab, GitLab before 2019, Bitbucket, Azure.
const MARKERS: [&str; 6] =
    ["/pull/", "/pulls/", "/-/merge_requests/", OLD_GITLAB, "/pull-requests/", "/pullrequest/"];

/// GitLab redirects from here to `/-/merge_requests/`.
const OLD_GITLAB: &str = "/merge_requests/";

/// The hosts that compare paths without case.
const CASELESS_HOSTS: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"];

/// An impact as one of [`IMPACTS`]: without case; unknown or empty is the last.
pub fn impact(text: Option<&str>) -> &'static str {
    one_of(&IMPACTS, text)
}

/// A state as one of [`STATES`]: without case; unknown or empty is the last.
pub fn state(text: Option<&str>) -> &'static str {
    one_of(&STATES, text)
}

fn one_of(words: &[&'static str], text: Option<&str>) -> &'static str {
    let is_known = |word: &str| text.is_some_and(|text| word.eq_ignore_ascii_case(text.trim()));
    let last = words.last().expect("both lists have words");
    words.iter().find(|word| is_known(word)).unwrap_or(last)
}

/// The canonical address of a pull request: `https`, the host in lower case
/// without `www.`, default port, user and password; nothing after the number.
/// An address of no known form keeps its scheme, port and path; only query,
/// fragment, trailing slashes, user and password are dropped, and scheme and host
/// are in lower case. `None` for blank text.
pub fn address(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let end = memchr2(b'?', b'#', text.as_bytes()).unwrap_or(text.len());
    let text = text.get(..end)?.trim_end_matches(|c: char| c == '/' || c.is_whitespace());
    pull_request(text).or_else(|| of_no_known_form(text))
}

/// The canonical address of a pull request on a known forge.
fn pull_request(text: &str) -> Option<Cow<'_, str>> {
    let (scheme, place) = match text.split_once("://") {
        Some((scheme, place)) => (Some(scheme), place),
        None => (None, text.trim_start_matches("//")),
    };
    let is_web = |scheme: &str| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if !scheme.is_none_or(is_web) {
        return None;
    }
    let Numbered { repo_end, marker, number } = numbered(place)?;
    let host_end = place.find('/')?;
    let (host, path) = (place.get(..host_end)?, place.get(host_end..repo_end)?);
    // Nearly every address is canonical already.
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    if scheme == Some("https")
        && number.end == place.len()
        && host.bytes().all(is_plain)
        && !host.starts_with("www.")
        && !host.ends_with('.')
        && !path.contains("//")
        && place.get(repo_end..number.start) == Some(marker)
        && marker != OLD_GITLAB
    {
        return Some(Cow::Borrowed(text));
    }
    let host = canonical_host(host)?;
    // Without a scheme, text such as `acme/app/pull/7` names no host.
    if scheme.is_none() && !host.contains('.') {
        return None;
    }
    let spelling = match (marker, is_caseless(&host)) {
        (OLD_GITLAB, _) => "/-/merge_requests/",
        (_, true) => place.get(repo_end..number.start)?,
        (_, false) => marker,
    };
    let path = path.split('/').filter(|part| !part.is_empty());
    let path: String = path.flat_map(|part| ["/", part]).collect();
    Some(Cow::Owned(format!("https://{host}{path}{spelling}{}", place.get(number)?)))
}

/// A host as it is compared; `None` where there is none.
fn canonical_host(host: &str) -> Option<String> {
    let mut host = host.rsplit_once('@').map_or(host, |(_, host)| host).trim().trim_end_matches('.');
    while let Some((name, "" | "80" | "443")) = host.rsplit_once(':') {
        host = name.trim_end_matches('.');
    }
    let host = host.to_lowercase();
    let host = host.trim_start_matches("www.");
    (!host.is_empty() && !host.contains(char::is_whitespace)).then(|| host.to_owned())
}

/// What is left of an address that no known forge writes.
fn of_no_known_form(text: &str) -> Option<Cow<'_, str>> {
    let is_origin = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with("://"));
    let host_starts = memchr_iter(b':', text.as_bytes()).find(is_origin).map_or(0, |at| at + 3);
    let host_ends = text.get(host_starts..)?.find('/').map_or(text.len(), |at| host_starts + at);
    let (origin, path) = text.split_at_checked(host_ends)?;
    let (scheme, host) = origin.split_at_checked(host_starts)?;
    let bare = host.rsplit_once('@').map_or(host, |(_, bare)| bare).trim_start();
    if bare.is_empty() && path.is_empty() {
        return None;
    }
    let is_lower = origin.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    let address = match is_lower && bare.len() == host.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{scheme}{bare}").to_lowercase() + path),
    };
    Some(address)
}

/// Where an address without its scheme names a pull request.
struct Numbered {
    /// The end of host and path of the repository.
    repo_end: usize,
    /// One of [`MARKERS`].
    marker: &'static str,
    number: Range<usize>,
}

fn numbered(place: &str) -> Option<Numbered> {
    markers(place).find_map(|(repo_end, marker)| {
        let start = repo_end + marker.len();
        let rest = place.get(start..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let ends = !rest.get(digits..)?.starts_with(char::is_alphanumeric);
        (digits > 0 && ends).then_some(Numbered { repo_end, marker, number: start..start + digits })
    })
}

/// The markers in an address without its scheme, each with its place.
fn markers(place: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let marker = |at: usize| {
        let rest = place.get(at..)?;
        let is_here =
            |marker: &&&str| rest.get(..marker.len()).is_some_and(|start| start.eq_ignore_ascii_case(marker));
        MARKERS.iter().find(is_here).map(|marker| (at, *marker))
    };
    memchr_iter(b'/', place.as_bytes()).filter_map(marker)
}

/// The repository of a canonical address: host and path before the marker of
/// its forge, or `unknown`.
pub fn repo(address: &str) -> &str {
    let place = address.split_once("://").map_or(address, |(_, place)| place);
    // A repository can itself be called `pull`, so the number decides.
    let end =
        numbered(place).map(|found| found.repo_end).or_else(|| markers(place).next().map(|(end, _)| end));
    end.and_then(|end| place.get(..end)).filter(|repo| !repo.is_empty()).unwrap_or("unknown")
}

fn is_caseless(host: &str) -> bool {
    CASELESS_HOSTS.contains(&host)
}

/// Whether the case of a canonical address counts for nothing, because its host
/// compares the paths of pull requests without case.
pub fn has_no_case(address: &str) -> bool {
    let place = address.strip_prefix("https://");
    place.is_some_and(|place| repo_has_no_case(place) && numbered(place).is_some())
}

/// The same for a repository.
pub fn repo_has_no_case(repo: &str) -> bool {
    repo.split_once('/').is_some_and(|(host, _)| is_caseless(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impacts_and_states_have_no_case() {
        assert_eq!(IMPACTS.map(|word| impact(Some(word))), IMPACTS);
        assert_eq!(
            [Some(" High "), Some("critical"), Some(""), None].map(impact),
            ["high", "other", "other", "other"]
        );
        assert_eq!(STATES.map(|word| state(Some(word))), STATES);
        assert_eq!([Some("Merged"), Some("locked"), None].map(state), ["merged", "unknown", "unknown"]);
    }

    #[test]
    fn every_spelling_of_a_pull_request_is_one_address() {
        let canonical = "https://github.com/Example/repo/pull/7";
        for spelling in [
            "https://github.com/Example/repo/pull/7",
            "HTTPS://GitHub.com/Example/repo/pull/7/",
            " https://github.com/Example/repo/pull/7?tab=files#r1 ",
            "https://github.com/Example/repo/pull/7/#x",
            "https://github.com/Example/repo/pull/7 / ?x",
            "https://github.com/Example/repo/pull/7/files",
            "https://github.com/Example/repo/pull/7/commits/0a1b2c",
            "https://github.com/Example/repo/pull/7/checks?check_run_id=1",
            "https://github.com/Example/repo/pull/7.diff",
            "http://github.com/Example/repo/pull/7",
            "http://www.github.com:80/Example/repo/pull/7",
            "https://github.com:443/Example/repo/pull/7",
            "https://WWW.GITHUB.COM./Example/repo/pull/7",
            "https://x:ghp_SECRET@GitHub.com/Example/repo/pull/7",
            "https://github.com//Example/repo//pull/7",
            "//github.com/Example/repo/pull/7",
            "GitHub.com/Example/repo/pull/7",
        ] {
            assert_eq!(address(spelling).as_deref(), Some(canonical), "{spelling}");
        }
    }

    #[test]
    fn every_forge_has_its_form() {
        let cases = [
            ("http://codeberg.org/a/b/pulls/7/files", "https://codeberg.org/a/b/pulls/7"),
            ("http://git.example:3000/a/b/pulls/7", "https://git.example:3000/a/b/pulls/7"),
            (
                "https://gitlab.example/a/b/c/merge_requests/9",
                "https://gitlab.example/a/b/c/-/merge_requests/9",
            ),
            ("https://gitlab.com/a/b/-/merge_requests/9/diffs", "https://gitlab.com/a/b/-/merge_requests/9"),
            (
                "https://tfs.example/o/_git/r/pullRequest/7?_a=files",
                "https://tfs.example/o/_git/r/pullrequest/7",
            ),
            (
                "https://o@dev.azure.com/o/p/_git/r/pullRequest/7",
                "https://dev.azure.com/o/p/_git/r/pullRequest/7",
            ),
            (
                "https://bitbucket.example/projects/A/repos/b/pull-requests/7/overview",
                "https://bitbucket.example/projects/A/repos/b/pull-requests/7",
            ),
        ];
        for (spelling, canonical) in cases {
            assert_eq!(address(spelling).as_deref(), Some(canonical), "{spelling}");
            assert_eq!(address(canonical).as_deref(), Some(canonical));
        }
    }

    #[test]
    fn an_address_of_no_known_form_stays_as_it_is() {
        for text in [
            "http://www.example.com:80/change/1/files",
            "https://github.com/a/b/pull/new/branch",
            "https://github.com/a/b/pull/7x",
            "https://github.com/@a/b/issues/1",
            "acme/app/pull/7",
            "ssh://github.com/a/b/pull/7",
        ] {
            assert_eq!(address(text).as_deref(), Some(text));
        }
        assert_eq!(address("https://x:SECRET@Example.com/C/1/").as_deref(), Some("https://example.com/C/1"));
        assert_eq!(address("HTTPS://HOST").as_deref(), Some("https://host"));
        assert_eq!(["  ", "?x"].map(address), [None, None]);
    }

    #[test]
    fn four_hosts_compare_without_case() {
        for (text, expected) in [
            ("https://github.com/A/b/pull/1", true),
            ("https://dev.azure.com/o/p/_git/r/pullRequest/1", true),
            ("https://github.com/A/b/commit/1", false),
            ("https://github.example/A/b/pull/1", false),
            ("https://evil.example/github.com/A/b/pull/1", false),
        ] {
            assert_eq!(has_no_case(text), expected, "{text}");
        }
        assert!(repo_has_no_case("github.com/A/b") && !repo_has_no_case("github.example/A/b"));
    }

    #[test]
    fn a_repository_is_the_path_before_the_marker() {
        let cases = [
            ("https://github.com/example/repo/pull/7", "github.com/example/repo"),
            ("https://github.com/example/pull/pull/7", "github.com/example/pull"),
            ("https://github.com/a/b/pull/new/branch", "github.com/a/b"),
            ("https://codeberg.org/a/b/pulls/7", "codeberg.org/a/b"),
            ("https://gitlab.example/a/b/c/-/merge_requests/9", "gitlab.example/a/b/c"),
            ("https://gitlab.example/a/b/merge_requests/9", "gitlab.example/a/b"),
            ("https://bitbucket.org/a/b/pull-requests/9/diff", "bitbucket.org/a/b"),
            (
                "https://bitbucket.example/projects/A/repos/b/pull-requests/9",
                "bitbucket.example/projects/A/repos/b",
            ),
            ("https://dev.azure.com/o/p/_git/r/pullRequest/12", "dev.azure.com/o/p/_git/r"),
            ("https://example.com/change/1", "unknown"),
            ("github.com/a/b/pull/1", "github.com/a/b"),
        ];
        for (address, name) in cases {
            assert_eq!(repo(address), name);
        }
    }
}
