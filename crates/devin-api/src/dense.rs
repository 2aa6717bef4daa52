//! How many values a page may hold: each takes some space until it is judged,
//! and a page of 64 MiB has room for twenty million empty objects.

/// Values of all kinds in one page, or in one piece of a long file, and one more
/// for so many bytes of it.
const VALUES: (usize, usize) = (500_000, 64);
/// The same for objects, which take more.
const OBJECTS: (usize, usize) = (100_000, 1024);
/// No page below this size can exceed either.
const SMALL: usize = 128 << 10;

/// Whether a page holds too many values to be decoded: what, in words.
pub fn too_dense(page: &[u8]) -> Option<String> {
    let length = page.len();
    if length <= SMALL {
        return None;
    }
    let most = |(free, bytes): (usize, usize)| free + length / bytes;
    let (most_objects, most_values) = (most(OBJECTS), most(VALUES));
    // Nearly every page passes this count, which ignores texts.
    let count = |byte: u8| memchr::memchr_iter(byte, page).count();
    if count(b'{') <= most_objects && count(b',') <= most_values {
        return None;
    }
    let (objects, values) = structure(page);
    match (objects > most_objects, values > most_values) {
        (true, _) => Some(format!("a page, or {length} bytes, with more than {most_objects} objects")),
        (_, true) => Some(format!("a page, or {length} bytes, with more than {most_values} values")),
        _ => None,
    }
}

/// How many objects begin, and commas are, outside texts.
fn structure(page: &[u8]) -> (usize, usize) {
    let (mut objects, mut commas, mut rest) = (0, 0, page);
    while let Some(at) = memchr::memchr3(b'"', b'{', b',', rest) {
        match rest.get(at) {
            Some(b'{') => objects += 1,
            Some(b',') => commas += 1,
            _ => {
                rest = rest.split_at(at + 1).1;
                // What a backslash escapes does not end the text.
                while let Some(end) = memchr::memchr2(b'"', b'\\', rest) {
                    let is_end = rest.get(end) == Some(&b'"');
                    // A backslash may be the last byte.
                    rest =
                        rest.split_at_checked(end + if is_end { 1 } else { 2 }).map_or(&[], |(_, rest)| rest);
                    if is_end {
                        break;
                    }
                }
                continue;
            }
        }
        rest = rest.split_at(at + 1).1;
    }
    (objects, commas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_many_values_is_not_decoded() {
        assert_eq!(
            too_dense(&b"{\"session_id\":\"1234567\",\"created_at\":1791300000}\n".repeat(55_000)),
            None
        );
        // What is in a text is no object.
        let text = format!("{{\"title\": \"{}\\\"{}\"}}", "{,".repeat(400_000), "{,".repeat(400_000));
        assert_eq!((too_dense(text.as_bytes()), structure(text.as_bytes())), (None, (1, 0)));
        assert!(too_dense(&b"{},".repeat(200_000)).is_some_and(|words| words.contains("objects")));
        assert!(too_dense(&b"1,".repeat(1_000_000)).is_some_and(|words| words.contains("values")));
    }
}
