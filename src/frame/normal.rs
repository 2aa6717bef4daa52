//! The normal forms that grouping needs: pure functions over one text.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr2};

/// The impacts, most severe first; `other` takes whatever is none of them.
pub const IMPACTS: [&str; 4] = ["high", "medium", "low", "other"];

/// The pull request states; of rows that disagree the earliest in this list wins.
pub const STATES: [&str; 5] = ["merged", "closed", "open", "draft", "unknown"];

/// What stands between a repository's address and the number of its pull request.
const REPO_MARKERS: [&str; 4] = ["/pull/", "/-/merge_requests/", "/pull-requests/", "/pullrequest/"];

/// The place of an impact in [`IMPACTS`]: without case, unknown or empty is the last.
pub fn impact(text: Option<&str>) -> u32 {
    place(text, &IMPACTS)
}

/// The place of a state in [`STATES`]: without case, unknown or empty is the last.
pub fn state(text: Option<&str>) -> u32 {
    place(text, &STATES)
}

fn place(text: Option<&str>, words: &[&str]) -> u32 {
    let text = text.unwrap_or_default().trim();
    let known = words.iter().zip(0..).find(|(word, _)| word.eq_ignore_ascii_case(text));
    let last = u32::try_from(words.len().saturating_sub(1)).unwrap_or(0);
    known.map_or(last, |(_, place)| place)
}

/// The canonical address of a pull request: scheme and host in lower case;
/// query, fragment, trailing slashes and blanks dropped, and so are a user and
/// password, which some tools leave there. `None` for blank text.
pub fn address(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let end = memchr2(b'?', b'#', text.as_bytes()).unwrap_or(text.len());
    let text = text.get(..end)?.trim_end_matches(|c: char| c == '/' || c.is_whitespace());
    let is_origin = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with("://"));
    let host_starts = memchr_iter(b':', text.as_bytes()).find(is_origin).map_or(0, |at| at + 3);
    let host_ends = text.get(host_starts..)?.find('/').map_or(text.len(), |at| host_starts + at);
    let (origin, path) = text.split_at_checked(host_ends)?;
    let (scheme, host) = origin.split_at_checked(host_starts)?;
    let bare = host.rsplit_once('@').map_or(host, |(_, bare)| bare).trim_start();
    if bare.is_empty() && path.is_empty() {
        return None;
    }
    // Nearly every address is canonical already.
    let is_lower = origin.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    let address = match is_lower && bare.len() == host.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{scheme}{bare}").to_lowercase() + path),
    };
    Some(address)
}

/// The repository of a canonical address: host and path before the marker of
/// its forge, or `unknown`.
pub fn repo(address: &str) -> &str {
    let place = address.split_once("://").map_or(address, |(_, place)| place);
    let is_marker = |at: &usize| {
        place.get(*at..).is_some_and(|rest| REPO_MARKERS.iter().any(|marker| rest.starts_with(marker)))
    };
    memchr_iter(b'/', place.as_bytes())
        .find(is_marker)
        .and_then(|end| place.get(..end))
        .filter(|repo| !repo.is_empty())
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impacts_and_states_have_no_case() {
        assert_eq!(IMPACTS.map(|word| impact(Some(word))), [0, 1, 2, 3]);
        assert_eq!([Some(" High "), Some("critical"), Some(""), None].map(impact), [0, 3, 3, 3]);
        assert_eq!(STATES.map(|word| state(Some(word))), [0, 1, 2, 3, 4]);
        assert_eq!([Some("Merged"), Some("locked"), None].map(state), [0, 4, 4]);
    }

    #[test]
    fn one_pull_request_has_one_address() {
        let canonical = "https://github.com/Example/repo/pull/7";
        for spelling in [
            "https://github.com/Example/repo/pull/7",
            "HTTPS://GitHub.com/Example/repo/pull/7/",
            " https://github.com/Example/repo/pull/7?tab=files#r1 ",
            "https://github.com/Example/repo/pull/7/#x",
            "https://github.com/Example/repo/pull/7 / ?x",
        ] {
            assert_eq!(address(spelling).as_deref(), Some(canonical));
        }
        assert_eq!(address("  "), None);
        assert_eq!(address("?x"), None);
        assert_eq!(address("GitHub.com/A/b/pull/1").as_deref(), Some("github.com/A/b/pull/1"));
        assert_eq!(address("HTTPS://HOST").as_deref(), Some("https://host"));
        assert_eq!(
            address("https://x:ghp_SECRET@GitHub.com/a/b/pull/1").as_deref(),
            Some("https://github.com/a/b/pull/1")
        );
        assert_eq!(
            address("https://github.com/@a/b/pull/1").as_deref(),
            Some("https://github.com/@a/b/pull/1")
        );
    }

    #[test]
    fn a_repository_is_what_stands_before_the_marker() {
        let cases = [
            ("https://github.com/example/repo/pull/7", "github.com/example/repo"),
            ("https://gitlab.example/a/b/c/-/merge_requests/9", "gitlab.example/a/b/c"),
            ("https://bitbucket.org/a/b/pull-requests/9/diff", "bitbucket.org/a/b"),
            ("https://dev.azure.com/o/p/_git/r/pullrequest/12", "dev.azure.com/o/p/_git/r"),
            ("https://example.com/change/1", "unknown"),
            ("github.com/a/b/pull/1", "github.com/a/b"),
        ];
        for (address, name) in cases {
            assert_eq!(repo(address), name);
        }
    }
}
