//! What must outlive a run: the salt of pseudonyms.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use super::{DeliverError, Place, STAGED, look};
use crate::regular_file::{self, Links};

/// The file with the salt, within the state folder.
const SALT: &str = "salt";

/// The salt of this installation's pseudonyms: 32 bytes, made at random on the
/// first use, in a file that its owner alone may read.
///
/// # Errors
/// The file can be neither read nor made, or does not hold a salt.
pub fn salt(folder: &Path) -> Result<[u8; 32], DeliverError> {
    match found(folder)? {
        Some(salt) => Ok(salt),
        None => make(folder, &folder.join(SALT)),
    }
}

/// Whether there is a salt in a folder; without one the next run makes it.
///
/// # Errors
/// What is there cannot be read, or is no salt.
pub fn look_salt(folder: &Path) -> Result<bool, DeliverError> {
    Ok(found(folder)?.is_some())
}

/// Whether what must outlive a run could be written to a folder, found out
/// without making anything that has a name.
///
/// # Errors
/// The folder could not be made or written to.
pub fn look_state(folder: &Path) -> Result<Place, DeliverError> {
    look(folder).map_err(elsewhere)
}

/// The salt in a folder, if there is one.
fn found(folder: &Path) -> Result<Option<[u8; 32]>, DeliverError> {
    let path = folder.join(SALT);
    let failed = |attempt, error| of_state(attempt, &path)(error);
    match regular_file::read_text(&path, Links::Follow, regular_file::SECRET) {
        Ok(text) => match read(&text) {
            Some(salt) => Ok(Some(salt)),
            None => Err(failed("read a salt from", io::ErrorKind::InvalidData.into())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", error)),
    }
}

fn of_state(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DeliverError {
    let error = DeliverError::of(attempt, path);
    move |source| elsewhere(error(source))
}

/// The same error about the folder of `--state`.
fn elsewhere(error: DeliverError) -> DeliverError {
    DeliverError { instead: ("folder", "--state"), ..error }
}

/// Makes the salt; where another run was faster, its salt is the one.
fn make(folder: &Path, path: &Path) -> Result<[u8; 32], DeliverError> {
    let failed = || of_state("make the salt of pseudonyms in", path);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(failed())?;
    let mut salt = [0; 32];
    fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut salt)).map_err(failed())?;
    // A temporary file is made for its owner alone.
    let mut file = tempfile::Builder::new().prefix(STAGED).tempfile_in(folder).map_err(failed())?;
    let text: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
    file.write_all(format!("{text}\n").as_bytes()).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(salt),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => self::salt(folder),
        Err(error) => Err(failed()(error.error)),
    }
}

fn read(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let bytes: Option<Vec<u8>> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/state");
        let first = salt(&state).unwrap();
        assert_eq!(salt(&state).unwrap(), first);
        assert_ne!(salt(&folder.path().join("b")).unwrap(), first);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state.join(SALT)), mode(&state)), (0o600, 0o700));
    }

    #[test]
    fn a_salt_that_is_none_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "xy", "00ff", &"é".repeat(32)] {
            fs::write(folder.path().join(SALT), text).unwrap();
            let error = salt(folder.path()).unwrap_err();
            assert!(error.to_string().contains("read a salt"), "{error}");
            assert_eq!(fs::read_to_string(folder.path().join(SALT)).unwrap(), text);
        }
    }
}
