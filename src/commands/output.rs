//! Standard output, and what is said about the files of a report.

use std::io::{self, ErrorKind, Write};

use crate::console::Console;
use crate::deliver::WrittenReport;
use crate::error::Error;
use crate::text::shown;

/// Writes to standard output.
///
/// # Errors
/// It cannot be written to; a closed pipe is no error, because its reader wants no more.
pub fn print(text: &str) -> Result<(), Error> {
    let written = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    written
        .or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
        .map_err(Error::Stdout)
}

/// The paths of what was written, a line each; what was removed is said on standard error.
pub fn written(receipt: &WrittenReport, console: &Console) -> String {
    for path in &receipt.removed {
        console.say(&format!("removed {}: left by an earlier run and not requested now", shown(path)));
    }
    let all = [&receipt.html, &receipt.json].into_iter().chain(&receipt.exports);
    all.map(|path| format!("{}\n", path.display())).collect()
}

/// Says that others may read what is written, where they may.
pub fn note_mode(mode: u32, console: &Console) {
    let who = match (mode & 0o040, mode & 0o004) {
        (_, 1..) => "every user of this machine",
        (1.., _) => "its group",
        _ => return,
    };
    console.say(&format!("note: written files are readable by {who} (mode {mode:04o})"));
}
