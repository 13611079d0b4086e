//! Words of others and ours, as a shell or a terminal takes them.

/// `word`, so that a shell takes it for one word, and just as it is.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `text` without a character that steers a terminal, or that nobody sees: those are escaped.
pub fn harmless(text: &str) -> String {
    let shown =
        |c: char| matches!(c, '\n' | '\t' | '"' | '\'' | '\\') || c.escape_debug().len() == 1;
    let escaped = |text: String, c: char| match shown(c) {
        true => text + c.encode_utf8(&mut [0; 4]),
        false => text + &c.escape_default().to_string(),
    };
    text.chars().fold(String::new(), escaped)
}

/// How many bytes at the end of `bytes` begin a character without ending it.
pub fn unfinished(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last();
    let last = last.map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => last.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{harmless, unfinished};

    #[test]
    fn what_steers_a_terminal_is_escaped_and_all_else_stays() {
        let plain = "│ 255 × 4K ┆ \"it's\"\tC:\\\n";
        assert_eq!(harmless(plain), plain);
        assert_eq!(
            harmless("\x1b[2J\r\u{9b}m\u{202e}\u{200b}x"),
            "\\u{1b}[2J\\r\\u{9b}m\\u{202e}\\u{200b}x"
        );
    }

    #[test]
    fn a_character_cut_in_two_waits_for_its_end() {
        assert_eq!(unfinished("a×".as_bytes()), 0);
        assert_eq!(unfinished(b"a\xe2\x94"), 2);
        assert_eq!(unfinished(b"a\xff"), 0);
        assert_eq!(unfinished(b""), 0);
    }
}
