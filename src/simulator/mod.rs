//! Stage `simulator`.
