//! What people see: standard output and standard error, without a character that could steer a terminal.
//!
//! Others choose the names of processes, mappings, devices and scenarios, and what a wrong file has in it. They may put
//! escape sequences, invisible characters, or marks that reverse the order of text there. So everything for people goes
//! through [`Screen`], which escapes those. What programs read (JSON, XML, manual pages) must be asked for by name:
//! [`Out::exact`]. Clippy refuses every other way to the terminal.
//!
//! The escape is JSON's own, `\u001b`: JSON that is escaped stays the same JSON.

use std::{
    fmt::{self, Display, Write as _},
    io::{self, IsTerminal, StderrLock, StdoutLock, Write},
};

/// Prints a line on standard error, for people.
macro_rules! say {
    ($($words:tt)*) => { $crate::screen::to_standard_error(format_args!($($words)*)) };
}
pub(crate) use say;

/// What [`say!`] does. Where standard error is closed, nobody listens, and nothing is said.
pub fn to_standard_error(words: fmt::Arguments<'_>) {
    let line = format!("{words}\n");
    let _ = Screen::stderr().write_all(line.as_bytes());
}

/// `text` of others, on one line: a line break in it cannot begin a line that looks like ours.
pub fn one_line(text: impl Display) -> String {
    let text = text.to_string();
    let mut line = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut line, c));
    line
}

/// Standard output.
#[derive(Debug)]
pub struct Out {
    screen: Screen<StdoutLock<'static>>,
    is_terminal: bool,
}

impl Out {
    /// Standard output, held until the end.
    #[expect(clippy::disallowed_methods, reason = "this is the one way")]
    pub fn stdout() -> Self {
        let out = io::stdout().lock();
        Self {
            is_terminal: out.is_terminal(),
            screen: Screen::new(out),
        }
    }

    /// Whether people look at it.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// For what programs read: into files and pipes byte by byte as it is written. A terminal is looked at by people.
    pub fn exact(&mut self) -> &mut dyn Write {
        match self.is_terminal {
            true => &mut self.screen,
            false => &mut self.screen.inner,
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.screen.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.screen.flush()
    }
}

/// A writer of text for people: passes lines of visible characters on, and escapes everything else.
#[derive(Debug)]
struct Screen<W> {
    inner: W,
    /// A character of which only the first bytes have come.
    begun: Vec<u8>,
}

impl Screen<StderrLock<'static>> {
    #[expect(clippy::disallowed_methods, reason = "this is the one way")]
    fn stderr() -> Self {
        Self::new(io::stderr().lock())
    }
}

impl<W: Write> Screen<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            begun: Vec::new(),
        }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.begun.is_empty() && bytes.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
            return self.inner.write(bytes);
        }
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let whole = all.len() - unfinished(&all);
        self.begun = all.split_off(whole);
        self.inner.write_all(escaped(&all).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun);
        self.inner.write_all(escaped(&begun).as_bytes())?;
        self.inner.flush()
    }
}

/// How many bytes at the end of `bytes` begin a character without ending it.
fn unfinished(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last();
    let last = last.map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => last.len(),
        _ => 0,
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push(c),
                c => push(&mut text, c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Appends `c`, escaped unless it can be seen and stays in its place.
fn push(text: &mut String, c: char) {
    if is_visible(c) {
        text.push(c);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// Not a control character (C0, C1), no mark of direction, joiner or other format character, no separator but the space, none that
/// lies over its neighbour, none that Unicode has not assigned: just what Rust shows in a `Debug` string.
fn is_visible(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\') || c.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn screened<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut screen = Screen::new(Vec::new());
        for piece in pieces {
            screen.write_all(piece).unwrap();
        }
        screen.flush().unwrap();
        String::from_utf8(screen.inner).unwrap()
    }

    #[test]
    fn what_we_print_ourselves_stays_as_it_is() {
        let ours = "255 × 4K → 1M … │ ┆ ═ − · µ “x” \"quoted\" 'so' C:\\ é 大\n";
        assert_eq!(screened([ours.as_bytes()]), ours);
        assert_eq!(one_line(ours.trim_end()), ours.trim_end());
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        assert_eq!(
            screened([&b"a\x9b2J\xff\xe2\x80"[..]]),
            "a\\x9b2J\\xff\\xe2\\x80"
        );
        assert_eq!(screened([&b"\xe2\x80"[..], b"\xaex"]), "\\u202ex");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_text_comes(
            text in prop_oneof![any::<String>().prop_map(String::into_bytes), any::<Vec<u8>>()],
            size in 1usize..5,
        ) {
            let whole = screened([text.as_slice()]);
            prop_assert_eq!(screened(text.chunks(size)), whole.clone());
            prop_assert!(!whole.contains(|c: char| c.is_control() && c != '\n'));
            // Once is enough.
            prop_assert_eq!(screened([whole.as_bytes()]), whole);
        }
    }
}
