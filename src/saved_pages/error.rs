//! Why saved pages could not be read.

use std::io;

use devin_api::page::REJECTED;

use crate::exit::{Exit, Explain};

/// Saved pages that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// A file or folder is not there, or this user may not read it.
    #[error("could not read {path}: {source}")]
    Unreadable {
        /// Its path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A folder without saved pages.
    #[error("no saved pages in {path}{}", others(*.left_out))]
    NoFiles {
        /// The folder.
        path: String,
        /// Files in it that are none by their names.
        left_out: u64,
    },
    /// A run was killed while it put its pages in their places, or is doing so.
    #[error("the pages in {path} are unfinished")]
    Unfinished {
        /// The folder.
        path: String,
    },
    /// What a file holds is neither a page nor a session.
    #[error("{file}, line {line}: {what}")]
    Content {
        /// The file's path.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// It holds more than its size can honestly explain.
    #[error("{file}: {what}")]
    TooMuch {
        /// The file's path.
        file: String,
        /// Which limit it exceeds.
        what: String,
    },
    /// Nothing at all was there to be read.
    #[error("{path} is empty")]
    Nothing {
        /// Where.
        path: String,
    },
    /// Too many records to be accidents have no id or no time.
    #[error("{rejected} of {received} sessions in {path} {REJECTED}; the first: {first}")]
    Rejected {
        /// Where.
        path: String,
        /// So many cannot be placed …
        rejected: u64,
        /// … of so many.
        received: u64,
        /// File, record, field and value of the first.
        first: String,
    },
    /// Pages are missing, by what the others say.
    #[error("saved pages are missing: {reason}")]
    Incomplete {
        /// What shows that.
        reason: String,
    },
}

fn others(files: u64) -> String {
    match files {
        0 => String::new(),
        1 => "; 1 file skipped because of its name".to_owned(),
        files => format!("; {files} files skipped because of their names"),
    }
}

impl Explain for PagesError {
    fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "name a file, a folder or - for standard input with --pages",
            Self::NoFiles { .. } => {
                "files in a folder are read if they end in .json, .jsonl, .ndjson, .gz or .zst; \
                 any other is read only if --pages names it"
            }
            Self::Unfinished { .. } => {
                "wait for the run that writes to it, or repeat that run with --save-pages"
            }
            Self::Content { .. } | Self::Rejected { .. } => {
                "saved pages are unchanged answers of the sessions API, arrays of sessions, or one \
                 session per line; the web app's export is an object with a list of `sessions`, as downloaded"
            }
            Self::TooMuch { .. } => {
                "check the file; if it is what it should be, unpack it first, or save smaller pages"
            }
            Self::Nothing { .. } => "save the pages again; an answer without sessions is also a page",
            Self::Incomplete { .. } => {
                "add the missing pages, or accept a marked report without them with --allow-partial"
            }
        }
        .to_owned()
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { .. } | Self::NoFiles { .. } | Self::Unfinished { .. } => Exit::Usage,
            Self::Incomplete { .. } => Exit::Incomplete,
            Self::Content { .. } | Self::TooMuch { .. } | Self::Nothing { .. } | Self::Rejected { .. } => {
                Exit::Data
            }
        }
    }
}
