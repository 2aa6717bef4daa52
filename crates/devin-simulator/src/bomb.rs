//! A gzip body of 260 KB that unpacks to 268 MB, and is never whole in memory.
//!
//! Its code has one bit for "258 bytes more" and one for "as the last one", so
//! that a zero byte stands for 4 × 258 times what came before: a space, which
//! JSON allows anywhere.

use hyper::body::Bytes;

/// The gzip header, then a deflate block with its code lengths and one space.
const HEAD: [u8; 25] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xed, 0xe0, 0x81, 0x00, 0x00, 0x00, 0x00,
    0x80, 0x20, 0xa8, 0xec, 0x4f, 0xb9, 0x48, 0x05,
];
/// What is sent again and again …
static ZEROS: [u8; 10_000] = [0; 10_000];
/// … so many times.
const TIMES: usize = 26;
/// The end of the block, then the checksum and the length of what it unpacks to.
const TAIL: [u8; 9] = [0x03, 0x66, 0xa9, 0xaf, 0x5f, 0x05, 0x3f, 0xfe, 0x0f];

/// The body, piece by piece.
pub fn pieces() -> impl Iterator<Item = Bytes> {
    let zeros = std::iter::repeat_n(Bytes::from_static(&ZEROS), TIMES);
    [Bytes::from_static(&HEAD)].into_iter().chain(zeros).chain([Bytes::from_static(&TAIL)])
}
