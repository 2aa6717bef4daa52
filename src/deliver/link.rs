//! Symbolic links in the places of files to write.
//!
//! A user's own link says where they want the file: the link stays and its target is replaced. A
//! link of another user is never followed; the file replaces it. An unpacked repository or archive
//! can contain links that belong to the user, so a link may only lead to a file with the same
//! extension, never to a shell's settings.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::parent_folder;
use crate::text::shown;

/// The longest chain of links that is followed.
const MAX_LINKS: usize = 8;

/// The path to write for a file: the path itself, or the target of the user's own link.
///
/// # Errors
/// The user's own link leads to a missing folder, another user's link, a file with another
/// extension, or in a circle.
pub(super) fn follow_own_link(path: &Path) -> io::Result<PathBuf> {
    let refuse = |at: &Path, what: &str| {
        let what = format!("it is a symbolic link to {}, {what}", shown(at));
        Err(io::Error::other(what))
    };
    let mut at = path.to_owned();
    for links in 0..=MAX_LINKS {
        match inspect(&at)? {
            LinkKind::Own(target) => at = parent_folder(&at).join(target),
            LinkKind::Foreign if links > 0 => {
                return refuse(&at, "a link of another user, which is not followed");
            }
            LinkKind::Foreign => return Ok(at),
            LinkKind::Other if links == 0 => return Ok(at),
            LinkKind::Other if at.is_dir() => return refuse(&at, "a folder"),
            LinkKind::Other if at.extension() != path.extension() => {
                return refuse(&at, "a file with another extension, which is not written");
            }
            LinkKind::Other if !parent_folder(&at).is_dir() => {
                return refuse(&at, "whose folder does not exist");
            }
            LinkKind::Other => return Ok(at),
        }
    }
    refuse(&at, "in a chain of too many links")
}

/// What is at a path.
enum LinkKind {
    /// A link of this user or of root, with its target.
    Own(PathBuf),
    /// A link of another user.
    Foreign,
    /// No link, or nothing at all.
    Other,
}

fn inspect(path: &Path) -> io::Result<LinkKind> {
    let link = || fs::symlink_metadata(path).ok().filter(Metadata::is_symlink);
    let Some(before) = link() else { return Ok(LinkKind::Other) };
    if ![0, rustix::process::geteuid().as_raw()].contains(&before.uid()) {
        return Ok(LinkKind::Foreign);
    }
    let target = fs::read_link(path)?;
    // A link is immutable, but in a shared folder another link can have replaced it.
    let which = |link: &Metadata| (link.dev(), link.ino(), link.ctime(), link.ctime_nsec());
    match link().is_some_and(|after| which(&after) == which(&before)) {
        true => Ok(LinkKind::Own(target)),
        false => Err(io::Error::other("it was changed at the same time")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    /// Where a path leads within a folder, or why it does not.
    fn of(folder: &Path, name: &str) -> String {
        match follow_own_link(&folder.join(name)) {
            Ok(path) => shown(path.strip_prefix(folder).unwrap()),
            Err(error) => error.to_string().replace(&format!("{}/", shown(folder)), ""),
        }
    }

    #[test]
    fn own_links_lead_to_files_with_the_same_extension() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("to")).unwrap();
        fs::write(at("to/old.html"), "old").unwrap();
        fs::write(at(".bashrc"), "precious").unwrap();
        for (target, name) in [
            ("to/old.html", "there.html"),
            ("to/new.html", "new.html"),
            ("there.html", "twice.html"),
            ("no/new.html", "nowhere.html"),
            (".bashrc", "planted.html"),
            ("to/old.html", "other.json"),
            ("to", "folder.html"),
            ("circle.html", "circle.html"),
        ] {
            symlink(target, at(name)).unwrap();
        }
        symlink(at("to/old.html"), at("absolute.html")).unwrap();
        let of = |name| of(folder.path(), name);
        assert_eq!(["plain.html", "to/old.html"].map(of), ["plain.html", "to/old.html"]);
        assert_eq!(["there.html", "twice.html", "absolute.html"].map(of), ["to/old.html"; 3]);
        assert_eq!(of("new.html"), "to/new.html");
        let refused = |what: &str| format!("it is a symbolic link to {what}");
        assert_eq!(of("nowhere.html"), refused("no/new.html, whose folder does not exist"));
        let other = "a file with another extension, which is not written";
        assert_eq!(of("planted.html"), refused(&format!(".bashrc, {other}")));
        assert_eq!(of("other.json"), refused(&format!("to/old.html, {other}")));
        assert_eq!(of("folder.html"), refused("to, a folder"));
        assert_eq!(of("circle.html"), refused("circle.html, in a chain of too many links"));
    }

    #[test]
    fn links_of_other_users_are_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("to.html", at("link.html")).unwrap();
        symlink("link.html", at("through.html")).unwrap();
        assert_eq!(["link.html", "through.html"].map(|name| of(folder.path(), name)), ["to.html"; 2]);
        // Only root can give a link away.
        if lchown(at("link.html"), Some(65_534), None).is_err() {
            return;
        }
        let refused = "it is a symbolic link to link.html, a link of another user, which is not followed";
        assert_eq!(["link.html", "through.html"].map(|name| of(folder.path(), name)), ["link.html", refused]);
    }
}
