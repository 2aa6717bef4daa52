//! The folder for what must outlive a run.

use std::path::Path;

use super::{DeliverError, FolderState, probe_folder};

/// Whether what must outlive a run could be written to a folder, found out
/// without making anything that has a name.
///
/// # Errors
/// The folder could not be made or written to.
pub fn probe_state_folder(folder: &Path) -> Result<FolderState, DeliverError> {
    probe_folder(folder).map_err(|error| DeliverError { alternative: ("folder", "--state"), ..error })
}
