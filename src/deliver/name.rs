//! What a report's files are called.

/// The name of a report's files, without the ending: its parts with `_` between them.
pub fn file_name(parts: &[&str]) -> String {
    parts.iter().map(|part| plain(part)).collect::<Vec<_>>().join("_")
}

/// The longest part of a file name.
const LONGEST_PART: usize = 60;

/// A part of a file name out of untrusted text: what is no plain letter, digit,
/// dot, dash or underscore becomes a dash, and it never begins with a dot. A
/// text that had to be changed ends with its checksum, so that texts which look
/// alike here do not share a file.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = text.chars().map(|c| if is_plain(c) { c } else { '-' }).take(LONGEST_PART).collect();
    let name = name.strip_prefix('.').map_or(name.clone(), |rest| format!("-{rest}"));
    if name == text { name } else { format!("{name}-{:08x}", checksum(text)) }
}

/// FNV-1a, which is the same on every machine and in every version.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
