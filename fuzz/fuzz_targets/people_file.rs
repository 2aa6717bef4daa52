//! A people file, in the encodings and with the separators of spreadsheets.
#![no_main]

#[path = "../probes.rs"]
#[allow(dead_code, reason = "each target probes one part")]
mod probes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| probes::people_file(data));
