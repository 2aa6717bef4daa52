//! Saved pages decoded on all cores, and counted in the order of their files.
//!
//! A batch of chunks is decoded while the next batch is read, so that no more than two of
//! them are in memory. Nothing but the speed depends on the number of threads.

use std::collections::VecDeque;
use std::io;
use std::iter::Enumerate;
use std::path::PathBuf;
use std::vec::IntoIter;

use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator,
    ParallelIterator,
};
use rayon::slice::ParallelSlice;

use super::files::{called, open};
use super::limits::Meter;
use super::split::{CHUNK, Chunk, Splitter, Trouble};
use super::values::{self, Group};
use super::walks::Walks;
use super::{PageHandler, PagesError};
use crate::regular_file;
use devin_api::page::{Scratch, too_dense};
use devin_api::{Progress, SessionQuery};

/// More would wait for each other at the reading and the counting.
const MOST_THREADS: usize = 8;

/// Reads all files; what they hold is counted in their order.
///
/// # Errors
/// The first thing in that order that cannot be read.
pub(super) fn read<T: Send>(
    paths: Vec<PathBuf>,
    query: &SessionQuery,
    handler: &PageHandler<'_, T>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Vec<T>, Walks), PagesError> {
    let threads = rayon::current_num_threads().min(MOST_THREADS);
    let meter = Meter::default();
    let mut source =
        Source { paths: paths.into_iter().enumerate(), open: VecDeque::new(), meter: &meter, threads };
    let filled = (0..threads).map(|_| (handler.empty)()).collect();
    let mut reader = Reader { query, handler, progress, meter: &meter, walks: Walks::default(), filled };
    let mut batch = source.batch();
    loop {
        let Batch { chunks, error } = batch;
        if let Some(error) = error {
            reader.take(chunks)?;
            return Err(error);
        }
        if chunks.is_empty() {
            return Ok((reader.filled, reader.walks));
        }
        let (next, taken) = rayon::join(|| source.batch(), || reader.take(chunks));
        taken?;
        batch = next;
    }
}

/// The files that are still to be read.
struct Source<'m> {
    paths: Enumerate<IntoIter<PathBuf>>,
    /// Files that are open, in their order.
    open: VecDeque<Opened>,
    meter: &'m Meter,
    threads: usize,
}

struct Opened {
    number: usize,
    path: PathBuf,
    /// Its first chunk, until it is given out.
    first: Option<Result<Option<Chunk>, Trouble>>,
    /// What follows; `None` where it could not be opened.
    rest: Option<Splitter>,
}

impl Opened {
    fn new(number: usize, path: PathBuf, meter: &Meter) -> Self {
        let (first, rest) = match open(&path, meter).map(Splitter::new) {
            Ok(mut splitter) => (splitter.next(), Some(splitter)),
            Err(error) => (Err(Trouble::Read(error)), None),
        };
        Self { number, path, first: Some(first), rest }
    }

    fn next(&mut self) -> Result<Option<Chunk>, Trouble> {
        match (self.first.take(), &mut self.rest) {
            (Some(first), _) => first,
            (None, Some(rest)) => rest.next(),
            (None, None) => Ok(None),
        }
    }
}

/// Chunks that follow each other, and what could not be read behind them.
struct Batch {
    chunks: Vec<FileChunk>,
    error: Option<PagesError>,
}

struct FileChunk {
    file: usize,
    /// What messages call the file.
    name: String,
    chunk: Chunk,
}

impl Source<'_> {
    /// About as many chunks as there are threads, or more that are smaller; none at the end.
    fn batch(&mut self) -> Batch {
        let (mut chunks, mut bytes) = (Vec::new(), 0);
        while bytes < self.threads * CHUNK {
            match self.next() {
                Ok(Some(next)) => {
                    bytes += next.chunk.bytes.len();
                    chunks.push(next);
                }
                Ok(None) => break,
                Err(error) => return Batch { chunks, error: Some(error) },
            }
        }
        Batch { chunks, error: None }
    }

    /// The next chunk of all files.
    fn next(&mut self) -> Result<Option<FileChunk>, PagesError> {
        loop {
            if self.open.is_empty() {
                // Small files are unpacked side by side as well.
                let paths: Vec<_> = self.paths.by_ref().take(self.threads).collect();
                let open = paths.into_par_iter().map(|(number, path)| Opened::new(number, path, self.meter));
                self.open = open.collect::<Vec<_>>().into();
            }
            let Some(file) = self.open.front_mut() else { return Ok(None) };
            let name = called(&file.path);
            match file.next() {
                Ok(Some(chunk)) => return Ok(Some(FileChunk { file: file.number, name, chunk })),
                Ok(None) => drop(self.open.pop_front()),
                Err(trouble) => return Err(trouble.in_file(name)),
            }
        }
    }
}

impl Trouble {
    fn in_file(self, file: String) -> PagesError {
        match self {
            // The system has a number for what it says itself; the rest is about what the file holds.
            Self::Read(source) if is_of_system(&source) || regular_file::is_refusal(&source) => {
                PagesError::Unreadable { path: file, source }
            }
            Self::Read(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                PagesError::TooMuch { file, what: error.to_string() }
            }
            Self::Read(error) => {
                PagesError::Content { file, line: 1, what: format!("it cannot be decompressed: {error}") }
            }
            Self::Large(line) => PagesError::Content {
                file,
                line,
                what: "larger than the limit for a page, 64 MiB".to_owned(),
            },
        }
    }
}

fn is_of_system(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
}

/// A chunk as text.
struct Body {
    file: usize,
    name: String,
    text: String,
    /// The line of the file on which it begins.
    line: u64,
    scratch: Scratch,
}

impl Body {
    fn new(FileChunk { file, name, chunk: Chunk { bytes, line } }: FileChunk) -> Self {
        // A byte that is no UTF-8 costs its character, not the page.
        let mut text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Self { file, name, text, line, scratch: Scratch::default() }
    }

    fn groups(&self) -> Result<Vec<Group<'_>>, PagesError> {
        if let Some(what) = too_dense(self.text.as_bytes()) {
            return Err(PagesError::TooMuch { file: self.name.clone(), what });
        }
        values::read(&self.text, &self.scratch).map_err(|error| {
            // Some shells write what curl says in another encoding.
            let is_wide = self.text.chars().take(64).any(|c| c == '\0');
            let what = if is_wide { "UTF-16 or binary; save it as UTF-8" } else { error.what };
            PagesError::Content {
                file: self.name.clone(),
                line: self.line + error.line,
                what: what.to_owned(),
            }
        })
    }
}

/// Decodes and counts chunks, and puts their rows away.
struct Reader<'r, T> {
    query: &'r SessionQuery,
    handler: &'r PageHandler<'r, T>,
    progress: &'r (dyn Fn(Progress) + Send + Sync),
    meter: &'r Meter,
    walks: Walks,
    /// One for each thread.
    filled: Vec<T>,
}

impl<T: Send> Reader<'_, T> {
    /// Decodes chunks side by side, counts them one after the other and puts their
    /// accepted rows away side by side.
    ///
    /// # Errors
    /// The first chunk that cannot be read, or has more in it than files of this size can have.
    fn take(&mut self, chunks: Vec<FileChunk>) -> Result<(), PagesError> {
        let bodies: Vec<Body> = chunks.into_par_iter().map(Body::new).collect();
        let decoded: Vec<Result<Vec<Group<'_>>, PagesError>> = bodies.par_iter().map(Body::groups).collect();
        let (mut groups, mut error) = (Vec::with_capacity(decoded.len()), None);
        for decoded in decoded {
            match decoded {
                Ok(decoded) => groups.push(decoded),
                Err(first) => {
                    error = Some(first);
                    break;
                }
            }
        }
        let query = self.query;
        let judged = groups
            .par_iter()
            .map(|groups| groups.iter().map(|group| values::judged(group, query)).collect::<Vec<_>>());
        let judged: Vec<_> = judged.collect();
        let mut taken = Vec::with_capacity(judged.len());
        for (body, parts) in bodies.iter().zip(judged) {
            taken.push(self.walks.take(body.file, &body.name, parts));
            if let Some(what) = self.meter.exceeded(self.walks.amount()) {
                return Err(PagesError::TooMuch { file: body.name.clone(), what });
            }
            let (pages, sessions) = self.walks.so_far();
            (self.progress)(Progress::Page { pages, sessions, total: None });
        }
        let share = taken.len().div_ceil(self.filled.len()).max(1);
        let push = self.handler.push;
        self.filled.par_iter_mut().zip(taken.par_chunks(share)).for_each(|(filled, taken)| {
            taken.iter().flatten().for_each(|(first, rows)| push(filled, *first, rows));
        });
        error.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::saved;
    use super::*;

    fn session(id: u64) -> String {
        format!(
            r#"{{"session_id": "s{id}", "title": "{}", "created_at": "2026-10-07T00:00:00Z"}}"#,
            "x".repeat(900)
        )
    }

    /// The numbers and ids of all rows in a folder by their numbers, or the error, read by so many threads.
    fn read_by(threads: usize, folder: &Path) -> Result<Vec<(u64, String)>, String> {
        let window = "2026-10-05T00:00:00Z".parse().unwrap().."2026-10-12T00:00:00Z".parse().unwrap();
        let query = SessionQuery::all(None, window);
        let push = |rows: &mut Vec<(u64, String)>, first: u64, page: &[devin_api::Row<'_>]| {
            rows.extend((first..).zip(page.iter().map(|row| row.id().to_owned())));
        };
        let handler = PageHandler { empty: &Vec::new, push: &push };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let read = pool.install(|| saved(folder, &query, None, &handler, &|_| ()));
        let (rows, stats, _) = read.map_err(|error| error.to_string())?;
        let mut rows = rows.concat();
        rows.sort();
        assert_eq!(rows.len() as u64, stats.unique + stats.duplicates);
        Ok(rows)
    }

    #[test]
    fn rows_and_errors_do_not_depend_on_the_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        // Several chunks, small files and an empty one.
        write("1.jsonl", (0..8_000).map(session).collect::<Vec<_>>().join("\n"));
        (2..20_u64).for_each(|file| write(&format!("{file}.json"), session(10_000 + file)));
        write("20.json", String::new());
        write("21.json", format!("[{}, {}]", session(7), session(30_000)));
        let expected = read_by(1, folder.path()).unwrap();
        assert_eq!((expected.len(), &expected[8_000].1), (8_020, &"s10002".to_owned()));
        for threads in [2, 3, 8] {
            assert_eq!(read_by(threads, folder.path()).unwrap(), expected, "{threads}");
        }
        write("19.json", "{".to_owned());
        write("5.json", "[7]".to_owned());
        for threads in [1, 2, 8] {
            let error = read_by(threads, folder.path()).unwrap_err();
            assert!(error.contains("19.json, line 1"), "{threads}: {error}");
        }
        write("4.json", "7".to_owned());
        for threads in [1, 2, 8] {
            let error = read_by(threads, folder.path()).unwrap_err();
            assert!(error.contains("4.json, line 1"), "{threads}: {error}");
        }
    }
}
