//! A stream of bytes in chunks that are whole JSON values each, so that a file
//! of any length is read in a bounded space.

use std::io::{self, Read};

use memchr::memchr2;

/// From this many bytes on a chunk ends where it can. A page of the API is
/// smaller and so a chunk of its own.
pub(super) const CHUNK: usize = 2 * 1024 * 1024;

/// The most bytes of one value, as for a page from the network.
const LARGEST: usize = 64 * 1024 * 1024;

/// One or more whole values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Their bytes.
    pub bytes: Vec<u8>,
    /// The line of the stream on which they begin, from 1.
    pub line: u64,
}

/// Why there is no next chunk.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The stream cannot be read.
    Read(io::Error),
    /// One value is larger than any page; the line on which it begins.
    Large(u64),
}

/// A stream on its way.
pub(super) struct Splitter {
    from: Box<dyn Read + Send>,
    /// What was read and not given out yet.
    held: Vec<u8>,
    scan: Scan,
    line: u64,
    ended: bool,
    chunk: usize,
    largest: usize,
}

impl Splitter {
    /// A stream from its beginning.
    pub(super) fn new(from: Box<dyn Read + Send>) -> Self {
        Self::within(from, CHUNK, LARGEST)
    }

    fn within(from: Box<dyn Read + Send>, chunk: usize, largest: usize) -> Self {
        let (held, scan) = (Vec::new(), Scan::default());
        Self { from, held, scan, line: 1, ended: false, chunk, largest }
    }

    /// The next chunk; `None` at the end. A long array is given out as several
    /// shorter ones, and so is a long export of the web app that has its dates
    /// first: each piece repeats what precedes its sessions. The last chunk is what is left, whole or not.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, Trouble> {
        while !self.ended {
            let wanted = self.chunk.saturating_sub(self.held.len()).max(self.chunk / 4);
            self.held.reserve(wanted);
            let read =
                (&mut self.from).take(wanted as u64).read_to_end(&mut self.held).map_err(Trouble::Read)?;
            self.ended = read < wanted;
            if self.ended {
                break;
            }
            self.scan.go_on(&self.held);
            if let Some(cut) = self.scan.cut.take() {
                return Ok(Some(self.cut(cut)));
            }
            if self.held.len() > self.largest {
                let before = self.held.iter().take_while(|byte| byte.is_ascii_whitespace());
                let blank = before.filter(|byte| **byte == b'\n').count();
                return Err(Trouble::Large(self.line + blank as u64));
            }
        }
        let rest = std::mem::take(&mut self.held);
        let chunk = Chunk { line: self.line, bytes: rest };
        Ok(Some(chunk).filter(|chunk| !chunk.bytes.iter().all(u8::is_ascii_whitespace)))
    }

    /// Gives out what is before a cut.
    fn cut(&mut self, cut: Cut) -> Chunk {
        let mut rest = self.held.split_off(cut.at);
        let mut bytes = std::mem::take(&mut self.held);
        self.scan.done -= cut.at;
        // A value that is cut begins with its rest.
        self.scan.start = self.scan.start.saturating_sub(cut.at);
        match cut.place {
            Place::After => {}
            // The comma between two elements becomes an end and a beginning.
            Place::InArray => {
                bytes.push(b']');
                if let Some(comma) = rest.first_mut() {
                    *comma = b'[';
                }
            }
            Place::InExport => {
                bytes.extend(b"]}");
                let head = &self.scan.head;
                self.scan.done += head.len() - 1;
                rest.splice(..1, head.iter().copied());
            }
        }
        self.held = rest;
        let chunk = Chunk { line: self.line, bytes };
        self.line += lines(&chunk.bytes);
        chunk
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Where a chunk can end.
#[derive(Clone, Copy, Debug)]
struct Cut {
    at: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// After an outermost value.
    After,
    /// Between two elements of an outermost array, at their comma.
    InArray,
    /// Between two sessions of an export, at their comma.
    InExport,
}

/// The most bytes before the sessions of an export.
const LONGEST_HEAD: usize = 4096;

/// How far the held bytes were looked through, and what was met there.
#[derive(Default)]
struct Scan {
    done: usize,
    depth: u64,
    in_text: bool,
    /// The outermost value is an array.
    in_array: bool,
    /// Where the outermost value begins.
    start: usize,
    /// An export up to its first session, on one line: that of the last cut too.
    head: Vec<u8>,
    /// The outermost value has had a list of sessions …
    is_export: bool,
    /// … and this is it.
    in_sessions: bool,
    /// The last place met where a chunk can end.
    cut: Option<Cut>,
}

impl Scan {
    /// Looks through what has come.
    fn go_on(&mut self, held: &[u8]) {
        while let Some(byte) = held.get(self.done) {
            if self.in_text {
                let rest = held.split_at(self.done).1;
                let Some(found) = memchr2(b'"', b'\\', rest) else {
                    self.done = held.len();
                    return;
                };
                match rest.get(found) {
                    // What it escapes is to come as well.
                    Some(b'\\') if found + 1 < rest.len() => self.done += found + 2,
                    Some(b'\\') => {
                        self.done += found;
                        return;
                    }
                    _ => {
                        self.in_text = false;
                        self.done += found + 1;
                    }
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => {
                    if self.depth == 0 {
                        self.in_array = *byte == b'[';
                        (self.start, self.is_export) = (self.done, false);
                    } else if self.depth == 1
                        && *byte == b'['
                        && !(self.in_array || self.is_export)
                        && let Some(head) = head(held.split_at(self.done + 1).0.split_at(self.start).1)
                    {
                        (self.head, self.is_export, self.in_sessions) = (head, true, true);
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    // Text that is no JSON may close what it did not open.
                    self.depth = self.depth.saturating_sub(1);
                    match self.depth {
                        0 => self.cut = Some(Cut { at: self.done + 1, place: Place::After }),
                        1 => self.in_sessions = false,
                        _ => {}
                    }
                }
                b',' if self.depth == 1 && self.in_array => {
                    self.cut = Some(Cut { at: self.done, place: Place::InArray });
                }
                b',' if self.depth == 2 && self.in_sessions => {
                    self.cut = Some(Cut { at: self.done, place: Place::InExport });
                }
                _ => {}
            }
            self.done += 1;
        }
    }
}

/// The beginning of an object up to the bracket of a list, on one line, if the list
/// is that of an export's sessions and the export's dates precede it.
fn head(beginning: &[u8]) -> Option<Vec<u8>> {
    let before = beginning.split_last().map_or(beginning, |(_, before)| before).trim_ascii_end();
    let name = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end);
    let is_export =
        name.is_some_and(|name| name.ends_with(b"\"sessions\"") && !name.ends_with(b"\\\"sessions\""));
    // Pieces of one that tells its dates after its sessions would not know them.
    let tells_dates = || memchr::memmem::find(beginning, b"\"date_range\"").is_some();
    // Lines are counted where they first come; no text has a line break.
    let on_one_line = || beginning.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
    (is_export && beginning.len() <= LONGEST_HEAD && tells_dates()).then(on_one_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, chunk: usize) -> Result<Vec<(String, u64)>, Trouble> {
        let from = Box::new(io::Cursor::new(text.as_bytes().to_vec()));
        let mut splitter = Splitter::within(from, chunk, 70);
        let mut chunks = Vec::new();
        while let Some(Chunk { bytes, line }) = splitter.next()? {
            chunks.push((String::from_utf8(bytes).unwrap(), line));
        }
        Ok(chunks)
    }

    /// All values in all chunks, elements of arrays each.
    fn values(chunks: &[(String, u64)]) -> Vec<serde_json::Value> {
        let (mut values, mut ranges) = (Vec::new(), Vec::new());
        for (text, _) in chunks {
            for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
                match value.unwrap() {
                    serde_json::Value::Array(elements) => values.extend(elements),
                    serde_json::Value::Object(mut map) if map.contains_key("sessions") => {
                        let sessions = map.remove("sessions").unwrap();
                        values.extend(sessions.as_array().unwrap().iter().cloned());
                        ranges.push(map.remove("date_range"));
                    }
                    value => values.push(value),
                }
            }
        }
        // Every piece of an export has the range of the whole.
        ranges.dedup();
        assert!(ranges.len() <= 1, "{chunks:?}");
        values
    }

    #[test]
    fn a_short_stream_is_one_chunk() {
        assert_eq!(split("{\"a\": [1]}\n", 100).unwrap(), [("{\"a\": [1]}\n".to_owned(), 1)]);
        assert_eq!(split(" \n\n", 100).unwrap(), []);
    }

    #[test]
    fn chunks_are_whole_values_wherever_they_end() {
        for text in [
            "{\"a\": \"}{,\"}\n{\"b\": \"\\\"]\"}\n\n{\"c\": [1, {}]}{\"d\":\"\\\\\"}",
            "[{\"a\": [1, 2]}, {\"b\": \",]\"}, {\"c\": {\"d\": []}},\n{}]",
            "[{\"a\":1},{\"b\":2}]\n[{\"c\":3}]\n[]\n{\"d\": [1,2]}",
            "{\"date_range\":[1,2],\n\"sessions\" : [{\"a\": [1, 2]}, {\"b\": \",]\"},\n{\"c\": {\"d\": []}}, 7]}\n[8,9]",
            "{\"sessions\":[]}{\"a\":\"\\\"sessions\",\"b\":[1,2,3,4,5,6,7,8]}",
        ] {
            let whole = values(&split(text, 1000).unwrap());
            for chunk in 4..30 {
                let chunks = split(text, chunk).unwrap();
                assert_eq!(values(&chunks), whole, "{chunk}: {chunks:?}");
                assert!(chunk > 20 || chunks.len() > 1, "{chunk}: {chunks:?}");
            }
        }
    }

    #[test]
    fn chunks_know_their_line() {
        let chunks = split("{\"a\":\n1}\n{\"b\":2}\n{\"c\":3}", 12).unwrap();
        let lines: Vec<u64> = chunks.iter().map(|(_, line)| *line).collect();
        assert_eq!(lines, [1, 2, 3]);
        let chunks = split("{\"date_range\":0,\"sessions\":\n[\n1,\n2,\n3,\n4]}\n", 32).unwrap();
        let (last, line) = chunks.last().unwrap();
        assert_eq!((last.matches('4').count(), *line), (1, 5), "{chunks:?}");
    }

    #[test]
    fn a_value_without_an_end_is_no_page() {
        let text = format!("{{}}\n\n{{\"a\": \"{}\"}}", "x".repeat(100));
        assert!(matches!(split(&text, 8), Err(Trouble::Large(3))), "{:?}", split(&text, 8));
    }
}
