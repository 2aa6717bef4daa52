//! Archived sessions. No document says whether the listing of v3 has them: if it
//! had not, a report would miss sessions without a word.

use super::walk::Walk;
use super::{FetchError, address};

/// Archived sessions that are asked for. One would do, unless it was archived
/// after the walk had met it.
const SAMPLE: u32 = 10;

/// Whether there are archived sessions in question that the walk has not met. A
/// server that does not know the filter gives any sessions, all of them met.
///
/// # Errors
///
/// No answer, other than a refusal of the filter.
pub(super) async fn are_missing(walk: &Walk<'_, '_>) -> Result<bool, FetchError> {
    if walk.has_seen_all_asked() {
        return Ok(false);
    }
    let window = walk.client.query.window();
    let sessions = address::archived(walk.client.sessions(), true);
    let url = address::by_cursor(&sessions, &address::whole_seconds(&window), None, SAMPLE);
    let asked = walk.ask(url, |page| {
        let mut sessions = page
            .sessions
            .iter()
            .filter(|session| session.created().is_some_and(|created| window.contains(&created.utc)));
        Ok(sessions.any(|session| session.id().is_some_and(|id| !walk.has_seen(id))))
    });
    match asked.await {
        // No such filter, so no such sessions are kept apart by it.
        Err(FetchError::BadRequest { .. }) => Ok(false),
        asked => asked,
    }
}
