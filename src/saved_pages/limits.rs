//! How much saved pages may hold, so that a small file cannot fill the memory.
//!
//! What is kept of saved sessions grows with their number, so the bounds are
//! those of honest pages, by the bytes that lie on the disk: a session that
//! somebody worked in has an id, two times and a title, and takes 70 bytes or
//! more even where zstd packs it best. A million sessions pass, packed or not; three
//! million that differ in a number alone, in a few megabytes, do not. To
//! read such a file, unpack it first: then its own size is the bound.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sessions that are read whatever the size of their files …
const RECORDS: u64 = 100_000;
/// … and beyond them one for so many bytes on the disk.
const BYTES_A_RECORD: u64 = 32;
/// Tags, pull requests, issues and action items of all sessions, as above.
const ENTRIES: u64 = 500_000;
const BYTES_AN_ENTRY: u64 = 4;
/// Bytes of their texts, without prompts, and so many for a byte on the disk.
const TEXTS: u64 = 64 << 20;
const TEXT_RATIO: u64 = 8;
/// Bytes that a file may unpack to whatever its size …
const UNPACKED: u64 = 64 << 20;
/// … and beyond them so many for a byte on the disk.
const RATIO: u64 = 100;
/// How much saved pages hold.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    /// Sessions, counted as often as they are there.
    pub records: u64,
    /// Tags, pull requests, issues and action items of them.
    pub entries: u64,
    /// Bytes of their texts, without prompts.
    pub texts: u64,
}

/// The bytes read from the disk so far, of all files.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Whether this is more than the bytes read so far can honestly hold: what
    /// there is too much of, in words.
    pub(super) fn exceeded(&self, amount: Amount) -> Option<String> {
        let read = self.0.load(Ordering::Relaxed);
        let bounds = [
            (amount.records, RECORDS + read / BYTES_A_RECORD, "sessions"),
            (amount.entries, ENTRIES + read / BYTES_AN_ENTRY, "tags, pull requests and issues"),
            (amount.texts, TEXTS + read * TEXT_RATIO, "bytes of titles, addresses and other texts"),
        ];
        let (_, most, what) = bounds.into_iter().find(|(amount, most, _)| amount > most)?;
        Some(format!("more than {most} {what} in {read} bytes, too many for real sessions"))
    }
}

/// A file as it lies on the disk, with its bytes counted.
pub(super) struct Packed<R> {
    file: R,
    own: Arc<AtomicU64>,
    all: Meter,
}

impl<R: Read> Packed<R> {
    pub(super) fn new(file: R, all: &Meter) -> Self {
        Self { file, own: Arc::default(), all: all.clone() }
    }

    /// The count of its own bytes, for [`Unpacked`].
    pub(super) fn own(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.own)
    }
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(space)?;
        self.own.fetch_add(read as u64, Ordering::Relaxed);
        self.all.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// What a file unpacks to, which ends with an error where that is out of all proportion.
pub(super) struct Unpacked<R> {
    stream: R,
    given: u64,
    packed: Arc<AtomicU64>,
}

impl<R: Read> Unpacked<R> {
    pub(super) fn new(stream: R, packed: Arc<AtomicU64>) -> Self {
        Self { stream, given: 0, packed }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(space)?;
        self.given += read as u64;
        if self.given > UNPACKED + RATIO * self.packed.load(Ordering::Relaxed) {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                format!("it unpacks to more than {RATIO} times its size"),
            ));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_bounded_by_the_bytes_that_they_take() {
        let meter = Meter::default();
        let exceeded = |records, entries, texts| meter.exceeded(Amount { records, entries, texts });
        assert_eq!(exceeded(RECORDS, ENTRIES, TEXTS), None);
        assert!(exceeded(RECORDS + 1, 0, 0).is_some_and(|words| words.contains("sessions")));
        assert!(exceeded(0, ENTRIES + 1, 0).is_some_and(|words| words.contains("tags")));
        assert!(exceeded(0, 0, TEXTS + 1).is_some_and(|words| words.contains("titles")));
        // A million sessions as zstd packs them best.
        io::copy(&mut Packed::new(io::repeat(0).take(70_000_000), &meter), &mut io::sink()).unwrap();
        assert_eq!(exceeded(1_000_000, 5_000_000, 400_000_000), None);
        assert!(exceeded(3_000_000, 0, 0).is_some());
    }

    #[test]
    fn a_file_that_unpacks_out_of_all_proportion_ends() {
        let packed = Packed::new(io::repeat(0).take(1 << 20), &Meter::default());
        let own = packed.own();
        let mut packed = packed;
        io::copy(&mut packed, &mut io::sink()).unwrap();
        let unpacked = |bytes: u64| {
            let stream = io::repeat(b' ').take(bytes);
            io::copy(&mut Unpacked::new(stream, Arc::clone(&own)), &mut io::sink())
        };
        assert!(unpacked(UNPACKED + (RATIO << 20)).is_ok());
        assert_eq!(unpacked(UNPACKED + (RATIO << 20) + 1).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
