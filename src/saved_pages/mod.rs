//! Saved pages as a source: what curl, a warehouse or an earlier run left on the
//! disk, read like answers from the network and judged by the same rules.
//!
//! They are read and decoded on all cores, a bounded chunk each; what they hold
//! is counted in their order, and numbered, so that nothing depends on the number
//! of threads.

mod batches;
mod error;
mod files;
mod limits;
mod reach;
mod split;
mod values;
mod walks;

use std::path::Path;

use chrono::{DateTime, Utc};

use devin_api::{Api, FetchStats, People, Progress, Records, Row, SessionQuery};

pub use error::PagesError;
pub use files::UNFINISHED;
pub use reach::Reach;

/// Properties of saved pages as a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Who wrote them: v3 if all of it is of v3, the web app if any of it is of an export.
    pub records: Records,
    /// Files read.
    pub files: u64,
    /// Files of the folder that hold no pages by their names.
    pub left_out: u64,
    /// Records of several writers are among them.
    pub mixed: bool,
    /// All came on pages with an end signal, so that completeness is known;
    /// else it is taken as given.
    pub proved: bool,
    /// When the oldest saved session was created, wanted or not; none
    /// without any …
    pub first: Option<DateTime<Utc>>,
    /// … and the newest.
    pub last: Option<DateTime<Utc>>,
    /// The time that they cover.
    pub reach: Reach,
    /// Whom exports name.
    pub people: People,
    /// Ids of sessions whose latest row is not wanted: what was put away of
    /// them is out of date.
    pub outdated: Vec<String>,
}

/// How many files of saved pages a path stands for; none of them is read.
///
/// # Errors
/// There is nothing at the path, or nothing that holds pages by its name.
pub fn saved_files(path: &Path) -> Result<u64, PagesError> {
    files::find(path).map(|files| files.paths.len() as u64)
}

/// Where accepted rows go: one `T` for each thread, so that no thread waits for
/// another to put rows away.
pub struct PageHandler<'s, T> {
    /// A new one without rows.
    pub empty: &'s (dyn Fn() -> T + Sync),
    /// Takes over the rows of a page, the first of which has a number among all
    /// rows: from 0, in the order of the files.
    pub push: &'s (dyn Fn(&mut T, u64, &[Row<'_>]) + Sync),
}

/// What took the accepted rows, one or more in no particular order, the stats of
/// saved pages, and what there is to say of them as a source. Nobody is asked,
/// `requests` is 0. What lies outside the query is passed over, as the API
/// would have done. `api` is the generation where somebody says it; else the
/// records tell.
///
/// # Errors
/// A [`PagesError`].
pub fn saved<T: Send>(
    path: &Path,
    query: &SessionQuery,
    api: Option<Api>,
    handler: &PageHandler<'_, T>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Vec<T>, FetchStats, Saved), PagesError> {
    let found = files::find(path)?;
    let counts = (found.paths.len() as u64, found.left_out);
    let called = files::called(path);
    progress(Progress::Reading { path: called.clone(), files: counts.0, left_out: counts.1 });
    let (filled, walks) = batches::read(found.paths, query, handler, progress)?;
    let (stats, saved) = walks.finish(&called, counts, api, query.allow_partial)?;
    Ok((filled, stats, saved))
}
