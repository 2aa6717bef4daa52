//! A page of v2 as it comes from the network.
#![no_main]

#[path = "../probes.rs"]
#[allow(dead_code, reason = "each target probes one part")]
mod probes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| probes::pages(devin_api::Api::V2, data));
