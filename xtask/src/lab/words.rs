//! Words, as a shell reads them.

/// `word`, so that a shell takes it for one word, and just as it is.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
