//! An organisation that does not exist, served over real HTTP on loopback.
//!
//! The demo, the tests and the benchmarks read it through the real pipeline. It
//! states the API on its own: it writes JSON from its own structs and shares no
//! code with the reader in `fetch`, so that the two can disagree.
//!
//! `Recipe` -> [`Organisation::invent`] -> [`start`] -> [`Simulator::base_url`].

mod analysis;
mod answer;
mod calendar;
mod invent;
mod organisation;
mod pulls;
mod query;
mod random;
mod recipe;
mod server;
mod wire;
mod words;
mod world;

pub use organisation::{Organisation, Record};
pub use recipe::Recipe;
pub use server::{Options, Simulator, start};
