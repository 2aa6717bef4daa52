//! Why a text is refused as `facts.json`.

/// A text is no `facts.json` that this version can read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or a field is missing, unknown or of the wrong kind.
    #[error("this is no facts file of schema 1: {}", crate::text::clean(&.0.to_string(), 200))]
    Shape(#[from] serde_json::Error),
    /// It is of another schema.
    #[error("the facts are of schema {0}, and this version reads schema 1")]
    Schema(u64),
    /// A metric, grouping, unit or generation that this version does not have.
    #[error("the facts have {what} {word:?}, which this version does not know")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name there.
        word: String,
    },
}

impl ReadError {
    pub(super) fn unknown(what: &'static str, word: &str) -> Self {
        Self::Unknown { what, word: crate::text::clean(word, 60) }
    }
}
