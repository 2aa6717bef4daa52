//! Opens files that somebody else may have put there.
//!
//! A path on the command line, or a name in a folder, can be a named pipe that blocks forever, an
//! endless device, or a link. Every file that is read is opened here: without blocking, and only if
//! it is a regular file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Whether a symbolic link in the last part of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The link is followed: Kubernetes secrets and systemd credentials are links.
    Follow,
    /// The link is refused.
    Refuse,
}

/// Most bytes of a settings file.
pub const SETTINGS: u64 = 1 << 20;
/// Most bytes of a file that holds a key or a password.
pub const SECRET: u64 = 64 << 10;
/// Most bytes of a file of certificates.
pub const CERTIFICATES: u64 = 4 << 20;
/// Most bytes of a people file.
pub const PEOPLE: u64 = 4 << 20;
/// Most bytes of a facts file.
pub const FACTS: u64 = 64 << 20;
/// Most bytes of a file that is attached to a mail.
pub const ATTACHMENT: u64 = 50 << 20;

/// The path leads to something that is not read.
#[derive(Debug, thiserror::Error)]
enum FileRefusal {
    #[error("it is {0}, not a regular file")]
    Kind(&'static str),
    #[error("it is a symbolic link, which is not followed here")]
    Link,
    // Debug formatting keeps control characters in a path visible.
    #[error("the folder {0:?} is a symbolic link, which is not followed here")]
    LinkedFolder(PathBuf),
    #[error("{0:?} is not a folder")]
    NotFolder(PathBuf),
    #[error("it is larger than {0}")]
    Size(String),
}

fn refuse(refusal: FileRefusal) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, refusal)
}

/// Whether the error is a refusal of this module rather than an error of the system.
pub fn is_refusal(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<FileRefusal>())
}

/// Whether the file is larger than allowed.
pub fn is_too_large(error: &io::Error) -> bool {
    let refusal = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(refusal, Some(FileRefusal::Size(_)))
}

/// The kind of a file that is not regular.
fn kind(metadata: &fs::Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_fifo() => Some("a named pipe"),
        () if kind.is_socket() => Some("a socket"),
        () if kind.is_symlink() => Some("a symbolic link"),
        () => Some("a device"),
    }
}

/// Opens a regular file to read it, without waiting for anything.
///
/// # Errors
/// It is not there, may not be read, or is not a regular file.
pub fn open(path: &Path, links: Links) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path, links)
}

/// Opens one of this program's own files to lock it or to append to it. A missing file
/// is created, readable by its owner alone; a symbolic link is refused.
///
/// # Errors
/// It can be neither opened nor created, or is not a regular file.
pub fn open_own(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    open_with(&mut options, path, Links::Refuse)
}

fn open_with(options: &mut OpenOptions, path: &Path, links: Links) -> io::Result<File> {
    let opened = options.custom_flags(open_flags(links)).open(path);
    let file = opened.map_err(|error| explain_open_error(path, links, error))?;
    match kind(&file.metadata()?) {
        None => Ok(file),
        Some(kind) => Err(refuse(FileRefusal::Kind(kind))),
    }
}

/// The flags that open a path without waiting for a pipe or taking over a terminal.
pub(crate) fn open_flags(links: Links) -> i32 {
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let flags = if links == Links::Refuse { flags | OFlags::NOFOLLOW } else { flags };
    i32::try_from(flags.bits()).expect("the flags of open(2) are an int")
}

/// Refuses every path but a folder itself; a link to a folder is refused too.
///
/// # Errors
/// The path does not exist, cannot be read, or is not a folder.
pub fn check_folder(path: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    match () {
        () if kind.is_dir() => Ok(()),
        () if kind.is_symlink() => Err(refuse(FileRefusal::LinkedFolder(path.to_owned()))),
        () => Err(refuse(FileRefusal::NotFolder(path.to_owned()))),
    }
}

/// Replaces the system's messages for refused links ("too many levels of symbolic links") and for
/// sockets ("no such device or address").
fn explain_open_error(path: &Path, links: Links, error: io::Error) -> io::Error {
    let Ok(found) = fs::symlink_metadata(path) else { return error };
    if found.is_symlink() && links == Links::Refuse {
        return refuse(FileRefusal::Link);
    }
    match fs::metadata(path).ok().as_ref().and_then(kind) {
        // A folder or device that cannot be opened is still reported as such.
        Some(kind) => refuse(FileRefusal::Kind(kind)),
        None => error,
    }
}

/// The contents of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`], or the file is larger or cannot be read.
pub fn read(path: &Path, links: Links, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path, links)?;
    let too_large = || refuse(FileRefusal::Size(size(most)));
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_large());
    }
    let mut bytes =
        Vec::with_capacity(usize::try_from(length).expect("at most the limit, tens of megabytes"));
    // The file can grow in the meantime.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}

/// The contents as text in UTF-8, or in UTF-16 with a byte order mark; the mark is removed.
///
/// # Errors
/// As [`read`], or the bytes are not text: [`ErrorKind::InvalidData`].
pub fn read_text(path: &Path, links: Links, most: u64) -> io::Result<String> {
    let text = decode(read(path, links, most)?).ok_or_else(|| {
        io::Error::new(ErrorKind::InvalidData, "it is neither UTF-8 nor UTF-16 with a byte order mark")
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Decodes UTF-8, or UTF-16 with a byte order mark, which Excel calls Unicode text and PowerShell
/// writes by default. Keeps the mark.
fn decode(bytes: Vec<u8>) -> Option<String> {
    let units = |read: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(read);
        let is_whole = bytes.len().is_multiple_of(2);
        char::decode_utf16(pairs).collect::<Result<String, _>>().ok().filter(|_| is_whole)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    }
}

/// Formats a size limit.
fn size(bytes: u64) -> String {
    match bytes {
        ..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// How other users of this machine could read or change a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Every user can read it.
    pub read: bool,
    /// Every user can change or replace it.
    pub write: bool,
    /// Its group can change it.
    pub group_write: bool,
    /// It belongs to another user than this one or root.
    pub foreign: bool,
}

impl Exposure {
    /// The problem in words; `None` if the file is safe. A group that may only read is intended:
    /// root gives files to services in this way.
    pub fn words(self, reading_matters: bool) -> Option<&'static str> {
        match self {
            Self { write: true, .. } => Some("every user of this machine can change it"),
            Self { read: true, .. } if reading_matters => Some("every user of this machine can read it"),
            Self { group_write: true, .. } => Some("its group can change it"),
            Self { foreign: true, .. } => Some("it belongs to another user of this machine"),
            _ => None,
        }
    }
}

/// The permissions of a file and of its folder, with links followed; `None` if the file does not
/// exist.
pub fn exposure(path: &Path) -> Option<Exposure> {
    let path = fs::canonicalize(path).ok()?;
    let file = fs::metadata(&path).ok()?;
    // In a folder with the sticky bit only its owner can replace a file.
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    let replaceable = folder.is_some_and(|folder| folder.mode() & 0o1002 == 0o002);
    let own = rustix::process::geteuid().as_raw();
    Some(Exposure {
        read: file.mode() & 0o004 != 0,
        write: file.mode() & 0o002 != 0 || replaceable,
        group_write: file.mode() & 0o020 != 0,
        foreign: file.uid() != own && file.uid() != 0,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "text").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR).unwrap();
        symlink("pipe", at("link-to-pipe")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let opened = |name: &str, links| match open(&at(name), links) {
            Ok(_) => "opened".to_owned(),
            Err(error) => format!("{error}{}", if is_refusal(&error) { "" } else { " (system)" }),
        };
        for links in [Links::Follow, Links::Refuse] {
            assert_eq!(opened("file", links), "opened");
            assert_eq!(opened("pipe", links), "it is a named pipe, not a regular file");
            assert_eq!(opened("socket", links), "it is a socket, not a regular file");
            assert_eq!(opened(".", links), "it is a folder, not a regular file");
            assert_eq!(opened("/dev/null", links), "it is a device, not a regular file");
            assert!(opened("none", links).ends_with("(system)"));
        }
        assert_eq!(opened("link", Links::Follow), "opened");
        assert_eq!(opened("link-to-pipe", Links::Follow), "it is a named pipe, not a regular file");
        let refused = "it is a symbolic link, which is not followed here";
        assert_eq!([opened("link", Links::Refuse), opened("dangling", Links::Refuse)], [refused; 2]);
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, [b'x'; 2048]).unwrap();
        assert_eq!(read(&path, Links::Follow, 2048).unwrap().len(), 2048);
        let error = read(&path, Links::Follow, 2047).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 1 KiB");
        fs::write(&path, [0xff]).unwrap();
        assert!(read_text(&path, Links::Follow, SETTINGS).is_err());
    }

    #[test]
    fn text_is_read_with_and_without_a_byte_order_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        let read = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            read_text(&path, Links::Follow, SECRET).map_err(|error| error.kind())
        };
        let utf16 = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}Ä𝄞\r\n".encode_utf16().flat_map(to_bytes).collect()
        };
        for bytes in
            ["Ä𝄞\r\n".into(), "\u{feff}Ä𝄞\r\n".into(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]
        {
            assert_eq!(read(&bytes).as_deref(), Ok("Ä𝄞\r\n"));
        }
        // Windows-1252, half a unit, and half a surrogate pair.
        for broken in [b"\xc4da".as_slice(), b"\xff\xfeu\0s", b"\xff\xfe\x00\xd8"] {
            assert_eq!(read(broken), Err(ErrorKind::InvalidData), "{broken:?}");
        }
    }

    #[test]
    fn own_files_are_private_and_links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("own"), folder.path().join("link"));
        open_own(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        symlink("planted", &link).unwrap();
        assert!(is_refusal(&open_own(&link).unwrap_err()));
        assert!(!folder.path().join("planted").exists());
    }

    #[test]
    fn access_of_other_users_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "x").unwrap();
        let words = |mode: u32, above: u32| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(above)).unwrap();
            exposure(&path).unwrap().words(true)
        };
        assert_eq!([words(0o600, 0o700), words(0o440, 0o755), words(0o640, 0o1777)], [None; 3]);
        assert_eq!(words(0o644, 0o755), Some("every user of this machine can read it"));
        assert_eq!(words(0o660, 0o755), Some("its group can change it"));
        assert_eq!(words(0o602, 0o755), Some("every user of this machine can change it"));
        assert_eq!(words(0o600, 0o777), Some("every user of this machine can change it"));
        assert_eq!(exposure(&folder.path().join("none")), None);
    }
}
