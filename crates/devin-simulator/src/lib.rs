//! An organisation that does not exist, served over real HTTP on loopback, in
//! the shapes of both generations of the API at once.
//!
//! The demo, the tests and the benchmarks read it through the real pipeline. It
//! states the API on its own: it writes JSON from its own structs and shares no
//! code with the reader in `fetch`, so that the two can disagree. On request it
//! does wrong what servers do wrong, see [`Fault`].
//!
//! `Recipe` -> [`Organisation::invent`] -> [`start`] -> [`Simulator::base_url`].
//!
//! A record is kept as version 2 writes it; `v3` works the other body out for
//! each answer. `filter` finds the records that a request is about, `listing`
//! puts them in order, `v2` and `v3` cut pages from that, `usage`, `metrics` and
//! `consumption` count. `people`
//! says who everybody is, and `lists` cuts pages from that.

mod analysis;
mod answer;
mod bomb;
mod calendar;
mod consumption;
mod faults;
mod filter;
mod invent;
mod listing;
mod lists;
mod metrics;
mod options;
mod organisation;
mod parameters;
mod people;
mod pulls;
mod random;
mod recipe;
mod server;
#[cfg(test)]
mod tests;
mod transport;
mod usage;
mod v2;
mod v3;
mod wire;
mod words;
mod world;

pub use faults::{Fault, FaultKind, UnknownFault, names as fault_names};
pub use lists::List;
pub use options::Options;
pub use organisation::{Organisation, Record};
pub use people::{Listed, Person};
pub use recipe::Recipe;
pub use server::{Simulator, start};
pub use v3::Total;
