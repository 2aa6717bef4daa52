//! Stage `metrics`.
