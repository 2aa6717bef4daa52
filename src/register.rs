//! Texts that come again and again, each kept once, and a number for it.

use string_interner::symbol::SymbolU32;
use string_interner::{DefaultBackend, StringInterner, Symbol};

/// Texts in the order in which they were met, each with its place in it as its
/// number. They lie one behind the other in one piece of memory, which the
/// system gets back whole.
#[derive(Debug, Default)]
pub struct Register {
    texts: StringInterner<DefaultBackend>,
    /// The text that was met last: it often comes again, and is found without a search.
    last: Option<SymbolU32>,
}

impl Register {
    /// The text's number, a new one where it was never met.
    pub fn number(&mut self, text: &str) -> u32 {
        let last = self.last.filter(|last| self.texts.resolve(*last) == Some(text));
        let symbol = last.unwrap_or_else(|| self.texts.get_or_intern(text));
        self.last = Some(symbol);
        u32::try_from(symbol.to_usize()).unwrap_or(u32::MAX)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether no text was met yet.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The texts, by their numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_each_number_its_text() {
        let mut register = Register::default();
        assert!(register.is_empty());
        let numbers = ["b", "", "a", "b", "", "c"].map(|text| register.number(text));
        assert_eq!(numbers, [0, 1, 2, 0, 1, 3]);
        assert_eq!(register.texts().collect::<Vec<_>>(), ["b", "", "a", "c"]);
        assert_eq!(register.len(), 4);
    }
}
