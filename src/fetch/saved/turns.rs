//! Chunks decoded side by side and taken in one after the other.

use std::cell::OnceCell;
use std::io;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::super::{Delivery, Progress, Question};
use super::PagesError;
use super::files::{called, open};
use super::split::{Chunk, Splitter, Trouble};
use super::values::{self, Flaw};
use super::walks::Walks;

/// More would wait for each other at the reading and the taking in.
const MOST_THREADS: usize = 8;

/// Reads all files; what they hold is counted and delivered in their order.
///
/// # Errors
/// The first thing in that order that cannot be read.
pub(super) fn read(
    paths: Vec<PathBuf>,
    question: &Question,
    deliver: &mut (dyn FnMut(Delivery<'_>) + Send),
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Walks, PagesError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let source = Mutex::new(Source { paths, file: 0, stream: None, given: 0 });
    let table = Table {
        state: Mutex::new(State { turn: 0, walks: Walks::default(), deliver, over: None }),
        moved: Condvar::new(),
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&source, &table, question, progress));
        }
    });
    let State { walks, over, .. } = table.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match over {
        Some(Over::Failed(error)) => Err(error),
        _ => Ok(walks),
    }
}

/// What is still to be read.
struct Source {
    paths: Vec<PathBuf>,
    /// The file that is being read.
    file: usize,
    stream: Option<Splitter>,
    /// Turns given away.
    given: u64,
}

/// A chunk, or why there is none, and when it is its turn.
struct Given {
    turn: u64,
    file: usize,
    /// What messages call the file.
    name: String,
    chunk: Result<Chunk, PagesError>,
}

impl Source {
    /// The next chunk of all files; `None` when there is none.
    fn next(&mut self) -> Option<Given> {
        loop {
            let path = self.paths.get(self.file)?;
            let chunk = match &mut self.stream {
                Some(stream) => stream.next(),
                None => match open(path) {
                    Ok(from) => self.stream.insert(Splitter::new(from)).next(),
                    Err(error) => Err(Trouble::Read(error)),
                },
            };
            let (file, name) = (self.file, called(path));
            let chunk = match chunk {
                Ok(None) => {
                    self.file += 1;
                    self.stream = None;
                    continue;
                }
                Ok(Some(chunk)) => Ok(chunk),
                Err(trouble) => {
                    // Nothing after it counts.
                    self.file = self.paths.len();
                    Err(trouble.in_file(&name))
                }
            };
            let turn = self.given;
            self.given += 1;
            return Some(Given { turn, file, name, chunk });
        }
    }
}

impl Trouble {
    fn in_file(self, name: &str) -> PagesError {
        let file = name.to_owned();
        match self {
            // The system has a number for what it says itself; the rest is about what the file holds.
            Self::Read(source) if is_of_system(&source) => PagesError::Unreadable { path: file, source },
            Self::Read(error) => {
                PagesError::Content { file, line: 1, what: format!("it cannot be decompressed: {error}") }
            }
            Self::Large(line) => {
                PagesError::Content { file, line, what: "this is larger than any page: 64 MiB".to_owned() }
            }
        }
    }
}

fn is_of_system(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
}

/// Where chunks are taken in, one after the other.
struct Table<'d> {
    state: Mutex<State<'d>>,
    moved: Condvar,
}

struct State<'d> {
    /// Whose turn it is.
    turn: u64,
    walks: Walks,
    deliver: &'d mut (dyn FnMut(Delivery<'_>) + Send),
    over: Option<Over>,
}

/// Why nothing more is taken in.
enum Over {
    Failed(PagesError),
    /// A thread panicked, which the scope tells.
    Panicked,
}

/// Lets nobody wait for a thread that panicked.
struct Leaving<'t, 'd>(&'t Table<'d>);

impl Drop for Leaving<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.state).over.get_or_insert(Over::Panicked);
            self.0.moved.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes chunk after chunk until there is none.
fn work(
    source: &Mutex<Source>,
    table: &Table<'_>,
    question: &Question,
    progress: &(dyn Fn(Progress) + Send + Sync),
) {
    let _leaving = Leaving(table);
    loop {
        let Some(Given { turn, file, name, chunk }) = lock(source).next() else { return };
        let spare = OnceCell::new();
        let body;
        let parts = match chunk {
            Ok(chunk) => {
                body = text(chunk.bytes);
                let failed = |flaw: Flaw| content(&name, chunk.line + flaw.line, &flaw, &body);
                values::read(&body, &spare, question).map_err(failed)
            }
            Err(error) => Err(error),
        };
        let mut state = lock(&table.state);
        while state.turn != turn && state.over.is_none() {
            state = table.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.over.is_some() {
            return;
        }
        match parts {
            Ok(parts) => {
                let State { walks, deliver, .. } = &mut *state;
                walks.take(file, parts, *deliver);
                let (pages, sessions) = walks.so_far();
                progress(Progress::Page { pages, sessions, total: None });
            }
            Err(error) => state.over = Some(Over::Failed(error)),
        }
        state.turn += 1;
        table.moved.notify_all();
    }
}

/// A chunk as text: a byte that is no UTF-8 costs its character, not the page.
fn text(bytes: Vec<u8>) -> String {
    let mut text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    text
}

fn content(file: &str, line: u64, flaw: &Flaw, body: &str) -> PagesError {
    // Some shells write what curl says in another encoding.
    let is_wide = body.get(..64).unwrap_or(body).contains('\0');
    let what = if is_wide { "this is UTF-16 or binary; save it as UTF-8" } else { flaw.what };
    PagesError::Content { file: file.to_owned(), line, what: what.to_owned() }
}
