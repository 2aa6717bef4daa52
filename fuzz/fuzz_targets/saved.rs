//! Saved pages of any shape, the export of the web app included.
#![no_main]

#[path = "../probes.rs"]
#[allow(dead_code, reason = "each target probes one part")]
mod probes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| probes::saved(data));
