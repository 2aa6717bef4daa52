//! Stage `charts`.
