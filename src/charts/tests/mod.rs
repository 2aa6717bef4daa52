//! Tests of all charts, and the reader of markup that the tests of each chart use.

mod gallery;
pub(super) mod markup;
