//! The folder for what must outlive a run.

use std::path::Path;

use super::{DeliverError, Place, look};

/// Whether what must outlive a run could be written to a folder, found out
/// without making anything that has a name.
///
/// # Errors
/// The folder could not be made or written to.
pub fn look_state(folder: &Path) -> Result<Place, DeliverError> {
    look(folder).map_err(|error| DeliverError { instead: ("folder", "--state"), ..error })
}
