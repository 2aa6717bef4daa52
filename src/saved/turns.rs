//! Chunks decoded and put away side by side, and counted one after the other.

use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::files::{called, is_short, open};
use super::limits::Meter;
use super::split::{Chunk, Splitter, Trouble};
use super::values::{self, Flaw};
use super::walks::Walks;
use super::{PagesError, Sink};
use crate::regular_file;
use devin_api::dense::too_dense;
use devin_api::page::Spare;
use devin_api::{Progress, Row, SessionQuery};

/// More would wait for each other at the reading and the counting.
const MOST_THREADS: usize = 8;

/// Reads all files; what they hold is counted in their order.
///
/// # Errors
/// The first thing in that order that cannot be read.
pub(super) fn read<T: Send>(
    paths: Vec<PathBuf>,
    query: &SessionQuery,
    sink: &Sink<'_, T>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Vec<T>, Walks), PagesError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let source = Mutex::new(Source { paths, file: 0, stream: None, given: 0, meter: Meter::default() });
    let meter = &lock(&source).meter.clone();
    let table = Table {
        state: Mutex::new(State { turn: 0, walks: Walks::default(), over: None }),
        moved: Condvar::new(),
    };
    let filled = thread::scope(|scope| {
        let work =
            || Worker { table: &table, meter, query, sink, progress, filled: (sink.empty)() }.work(&source);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let State { walks, over, .. } = table.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match over {
        Some(Over::Failed(error)) => Err(error),
        _ => Ok((filled, walks)),
    }
}

/// What is still to be read.
struct Source {
    paths: Vec<PathBuf>,
    /// The file that is being read.
    file: usize,
    /// A long one, which is given out chunk by chunk.
    stream: Option<Splitter>,
    /// Turns given away.
    given: u64,
    meter: Meter,
}

/// Something to read or to decode, and when it is its turn.
struct Given {
    turn: u64,
    file: usize,
    path: PathBuf,
    what: What,
}

enum What {
    /// All of a short file, still unread.
    File,
    /// A chunk of a long one, or why there is none.
    Chunk(Result<Chunk, Trouble>),
}

impl Source {
    /// What comes next of all files; `None` when there is nothing.
    fn next(&mut self) -> Option<Given> {
        loop {
            let (file, path) = (self.file, self.paths.get(self.file)?);
            let chunk = match &mut self.stream {
                Some(stream) => stream.next(),
                None if is_short(path) => {
                    self.file += 1;
                    return Some(self.give(file, path.clone(), What::File));
                }
                None => match open(path, &self.meter) {
                    Ok(from) => self.stream.insert(Splitter::new(from, Vec::new())).next(),
                    Err(error) => Err(Trouble::Read(error)),
                },
            };
            let path = path.clone();
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
                    Err(trouble)
                }
            };
            return Some(self.give(file, path, What::Chunk(chunk)));
        }
    }

    fn give(&mut self, file: usize, path: PathBuf, what: What) -> Given {
        let turn = self.given;
        self.given += 1;
        Given { turn, file, path, what }
    }
}

impl Trouble {
    fn in_file(self, name: &str) -> PagesError {
        let file = name.to_owned();
        match self {
            // The system has a number for what it says itself; the rest is about what the file holds.
            Self::Read(source) if is_of_system(&source) => PagesError::Unreadable { path: file, source },
            Self::Read(source) if regular_file::is_refusal(&source) => {
                PagesError::Unreadable { path: file, source }
            }
            Self::Read(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                PagesError::TooMuch { file, what: error.to_string() }
            }
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

/// Where chunks are counted, one after the other.
struct Table {
    state: Mutex<State>,
    moved: Condvar,
}

struct State {
    /// Whose turn it is.
    turn: u64,
    walks: Walks,
    over: Option<Over>,
}

/// Why nothing more is taken in.
enum Over {
    Failed(PagesError),
    /// A thread panicked, which the scope tells.
    Panicked,
}

/// Lets nobody wait for a thread that panicked.
struct Leaving<'t>(&'t Table);

impl Drop for Leaving<'_> {
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

/// What one thread works with.
struct Worker<'w, T> {
    table: &'w Table,
    meter: &'w Meter,
    query: &'w SessionQuery,
    sink: &'w Sink<'w, T>,
    progress: &'w (dyn Fn(Progress) + Send + Sync),
    filled: T,
}

/// Nothing more is taken in, whoever is to blame.
struct Stopped;

impl<T> Worker<'_, T> {
    /// Takes in one thing after the other until there is none; what was filled.
    fn work(mut self, source: &Mutex<Source>) -> T {
        let _leaving = Leaving(self.table);
        let mut space = Vec::new();
        loop {
            let Some(given) = lock(source).next() else { return self.filled };
            let taken = match given.what {
                What::Chunk(chunk) => {
                    self.chunk(given.turn, given.file, &given.path, chunk, true).map(|_| ())
                }
                What::File => self.file(given.turn, given.file, &given.path, &mut space),
            };
            if let Err(Stopped) = taken {
                return self.filled;
            }
        }
    }

    /// Reads and takes in all of a file; `space` is used again for the next.
    fn file(&mut self, turn: u64, file: usize, path: &Path, space: &mut Vec<u8>) -> Result<(), Stopped> {
        let stream = open(path, self.meter).map(|from| Splitter::new(from, std::mem::take(space)));
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(error) => return self.fail(turn, Trouble::Read(error).in_file(&called(path))),
        };
        let Some(mut chunk) = stream.next().transpose() else {
            return self.count(turn, file, path, Vec::new(), true).map(|_| ());
        };
        loop {
            let following = stream.next().transpose();
            let is_last = following.is_none() || chunk.is_err();
            *space = self.chunk(turn, file, path, chunk, is_last)?;
            match following {
                Some(next) => chunk = next,
                None => return Ok(()),
            }
        }
    }

    /// Decodes a chunk, has it counted in its turn and puts its rows away; gives
    /// the space of its bytes.
    fn chunk(
        &mut self,
        turn: u64,
        file: usize,
        path: &Path,
        chunk: Result<Chunk, Trouble>,
        is_last: bool,
    ) -> Result<Vec<u8>, Stopped> {
        let chunk = chunk.map_err(|trouble| trouble.in_file(&called(path)));
        let Chunk { bytes, line } = chunk.or_else(|error| self.fail(turn, error))?;
        if let Some(what) = too_dense(&bytes) {
            return self.fail(turn, PagesError::TooMuch { file: called(path), what });
        }
        let (body, spare) = (text(bytes), Spare::default());
        let failed = |flaw: Flaw| content(&called(path), line + flaw.line, &flaw, &body);
        let groups = values::read(&body, &spare).map_err(failed);
        let groups = groups.or_else(|error| self.fail(turn, error))?;
        let parts = groups.iter().map(|group| values::judged(group, self.query)).collect();
        for (first, rows) in self.count(turn, file, path, parts, is_last)? {
            (self.sink.push)(&mut self.filled, first, &rows);
        }
        // They lie in the body.
        drop(groups);
        Ok(body.into_bytes())
    }

    /// Has parts counted when it is their turn, which ends with the last of them;
    /// gives their accepted rows.
    fn count<'a>(
        &self,
        turn: u64,
        file: usize,
        path: &Path,
        parts: Vec<values::Part<'a>>,
        is_last: bool,
    ) -> Result<Vec<(u64, Vec<Row<'a>>)>, Stopped> {
        let mut state = self.wait(turn)?;
        let taken = state.walks.take(file, &called(path), parts);
        if let Some(what) = self.meter.exceeded(state.walks.amount()) {
            state.over = Some(Over::Failed(PagesError::TooMuch { file: called(path), what }));
            self.table.moved.notify_all();
            return Err(Stopped);
        }
        let (pages, sessions) = state.walks.so_far();
        (self.progress)(Progress::Page { pages, sessions, total: None });
        state.turn += u64::from(is_last);
        self.table.moved.notify_all();
        Ok(taken)
    }

    /// Ends all when it is its turn.
    fn fail<V>(&self, turn: u64, error: PagesError) -> Result<V, Stopped> {
        self.wait(turn)?.over = Some(Over::Failed(error));
        self.table.moved.notify_all();
        Err(Stopped)
    }

    fn wait(&self, turn: u64) -> Result<MutexGuard<'_, State>, Stopped> {
        let mut state = lock(&self.table.state);
        while state.turn != turn && state.over.is_none() {
            state = self.table.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.over.is_some() { Err(Stopped) } else { Ok(state) }
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
