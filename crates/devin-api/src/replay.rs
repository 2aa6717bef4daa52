//! Pages that are there already, read as a walk reads them.

use super::completeness::CompletenessTracker;
use super::page::{self, Page, judge};
use super::{Api, FetchStats, PageEvent, SessionQuery};

/// A page that is no page.
#[derive(Debug, thiserror::Error)]
#[error("page {page} cannot be read: {why}")]
pub struct Unreadable {
    /// Counted from 1.
    page: u64,
    why: String,
}

/// The statistics of pages whose accepted rows were delivered on the way, read from
/// their bytes, oldest first, just as [`super::fetch`] reads what comes over
/// the network: each is proved to be a whole page. No
/// request is sent: `requests` is 0, and `complete` says that the last page
/// promises no more and that as many sessions came as the first one counted.
///
/// # Errors
/// The first page that is no UTF-8, no JSON or has no envelope; what was
/// delivered before is void.
pub fn replay<'b>(
    bodies: impl IntoIterator<Item = &'b [u8]>,
    api: Api,
    query: &SessionQuery,
    deliver: &mut dyn FnMut(PageEvent<'_>),
) -> Result<FetchStats, Unreadable> {
    let window = query.window();
    let mut tracker = CompletenessTracker::default();
    let (mut skip, mut total, mut more) = (0_u64, None, true);
    for body in bodies {
        let number = tracker.pages() + 1;
        let unreadable = |why: String| Unreadable { page: number, why };
        let body = std::str::from_utf8(body).map_err(|error| unreadable(error.to_string()))?;
        let scratch = page::Scratch::default();
        let page = page::read(body, &scratch, api).map_err(|error| unreadable(format!("{error:?}")))?;
        let Page { envelope, sessions, unreadable, .. } = page;
        let verdicts = judge(&sessions, unreadable, query, &window, |index, _| skip + index);
        deliver(PageEvent::Page(&tracker.count(verdicts).rows));
        skip += envelope.count;
        total = total.or(envelope.total);
        more = envelope.more;
    }
    let complete = !more && total.is_none_or(|total| total == tracker.distinct());
    Ok(tracker.stats((0, 0), complete))
}

#[cfg(test)]
mod tests {
    use super::super::tests::query;
    use super::*;

    fn page(ids: &[&str], more: bool) -> String {
        let item = |id: &&str| format!(r#"{{"session_id": "{id}", "created_at": "2026-10-07T00:00:00Z"}}"#);
        let items: Vec<String> = ids.iter().map(item).collect();
        format!(r#"{{"items": [{}], "total": 3, "has_more": {more}}}"#, items.join(","))
    }

    fn replayed(pages: &[String]) -> (FetchStats, Vec<(u64, String)>) {
        let mut rows = Vec::new();
        let bodies = pages.iter().map(String::as_bytes);
        let stats = replay(bodies, Api::V2, &query(), &mut |event| {
            if let PageEvent::Page(page) = event {
                rows.extend(page.iter().map(|row| (row.position, row.session.id().unwrap().to_owned())));
            }
        });
        (stats.unwrap(), rows)
    }

    #[test]
    fn pages_follow_each_other() {
        let (stats, rows) = replayed(&[page(&["a", "b"], true), page(&["c"], false)]);
        assert_eq!(rows, [(0, "a".to_owned()), (1, "b".to_owned()), (2, "c".to_owned())]);
        assert_eq!((stats.pages, stats.unique, stats.complete), (2, 3, true));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(!replayed(&[page(&["a", "b"], true)]).0.complete);
        assert!(!replayed(&[page(&["a", "b"], false)]).0.complete);
        let broken = [page(&["a"], true).into_bytes(), b"{\"items\": [".to_vec()];
        let read = replay(broken.iter().map(Vec::as_slice), Api::V2, &query(), &mut |_| {});
        assert!(read.unwrap_err().to_string().starts_with("page 2 cannot be read"));
    }
}
