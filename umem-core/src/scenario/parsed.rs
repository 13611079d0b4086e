//! JSON as a tree of values: the first of two steps. [`read`](super::read), the second, says what it means.
//!
//! serde can do both at once, but then its code is compiled again for each struct. serde_json can do the first, and is the slow twin in
//! tests. It also works out fractions, which the format has no use for, and does not know the path of a mistake: with it, a document with
//! `<umem-split>` downloads 6 KB more.

use alloc::{format, string::String, vec::Vec};
use core::{
    fmt::{self, Write as _},
    str,
};

/// A value, as the text has it. Keys that are there twice are kept twice.
#[derive(PartialEq, Debug)]
pub(super) enum Json {
    /// A value that is missing in the text.
    Absent,
    Null,
    Flag(bool),
    Number(u64),
    Negative(i64),
    /// A number that the format has no use for: a fraction, or one of more than 64 bits.
    OtherNumber,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What is wrong with a text.
#[derive(Debug)]
pub(super) struct Malformed {
    /// The field, as a path: `memory.extents[3]`.
    pub(super) field: String,
    /// What is wrong.
    pub(super) words: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at line {} column {}",
            self.words, self.line, self.column
        )
    }
}

/// The most containers within one another, as serde_json has it.
const DEEPEST: usize = 127;
/// How many of them a path names: a scenario has fewer, and hostile texts have a hundred.
const NAMED: usize = 8;

/// A walk through a text. After a mistake it stands at the end, where every further step is one as well; the first is reported.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// How many containers it is in.
    depth: usize,
    path: String,
    wrong: Option<Malformed>,
}

impl Walk<'_> {
    fn wrong(&mut self, words: &'static str) {
        if self.wrong.is_none() {
            let before = &self.text[..self.at];
            let start = before.rfind('\n').map_or(0, |end| end + 1);
            let dots = if self.depth > NAMED { "…" } else { "" };
            self.wrong = Some(Malformed {
                field: format!("{}{dots}", self.path),
                words,
                line: before.matches('\n').count() + 1,
                column: self.at - start + 1,
            });
        }
        self.at = self.text.len();
    }

    /// The byte here.
    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over `byte`, if that is here.
    fn pass(&mut self, byte: u8) -> bool {
        let is_here = self.here() == Some(byte);
        self.at += usize::from(is_here);
        is_here
    }

    /// The byte after blanks.
    fn after_blanks(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.here() {
            self.at += 1;
        }
        self.here()
    }

    fn value(&mut self) -> Json {
        match self.after_blanks() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => Json::Text(self.string()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Flag(true)),
            Some(b'f') => self.word("false", Json::Flag(false)),
            Some(_) => self.no_value("expected value"),
            None => self.no_value("EOF while parsing a value"),
        }
    }

    fn no_value(&mut self, words: &'static str) -> Json {
        self.wrong(words);
        Json::Absent
    }

    fn word(&mut self, word: &str, value: Json) -> Json {
        if !self.text[self.at..].starts_with(word) {
            return self.no_value("expected ident");
        }
        self.at += word.len();
        value
    }

    /// Passes over what opens a container.
    fn enter(&mut self) {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            self.wrong("recursion limit exceeded");
        }
    }

    /// What the path is within an item of this name, if it was `length` long outside.
    fn name(&mut self, length: usize, name: fmt::Arguments<'_>) {
        self.path.truncate(length);
        if self.depth <= NAMED {
            // Writing to a string cannot fail.
            let _ = self.path.write_fmt(name);
        }
    }

    fn list(&mut self) -> Json {
        self.enter();
        let length = self.path.len();
        self.name(length, format_args!("[0]"));
        let mut list = Vec::new();
        if self.after_blanks() != Some(b']') {
            loop {
                list.push(self.value());
                match self.after_blanks() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    Some(_) => self.wrong("expected `,` or `]`"),
                    None => self.wrong("EOF while parsing a list"),
                }
                self.name(length, format_args!("[{}]", list.len()));
                if self.after_blanks() == Some(b']') {
                    self.wrong("trailing comma");
                }
                if self.wrong.is_some() {
                    break;
                }
            }
        }
        self.leave(length);
        Json::List(list)
    }

    fn object(&mut self) -> Json {
        self.enter();
        let length = self.path.len();
        let dot = if length > 0 { "." } else { "" };
        let mut object = Vec::new();
        if self.after_blanks() != Some(b'}') {
            loop {
                match self.after_blanks() {
                    Some(b'"') => {}
                    Some(b'}') => self.wrong("trailing comma"),
                    Some(_) => self.wrong("key must be a string"),
                    None => self.wrong("EOF while parsing an object"),
                }
                let key = self.string();
                self.name(length, format_args!("{dot}{key}"));
                match self.after_blanks() {
                    Some(b':') => self.at += 1,
                    Some(_) => self.wrong("expected `:`"),
                    None => self.wrong("EOF while parsing an object"),
                }
                object.push((key, self.value()));
                match self.after_blanks() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    Some(_) => self.wrong("expected `,` or `}`"),
                    None => self.wrong("EOF while parsing an object"),
                }
                if self.wrong.is_some() {
                    break;
                }
                self.path.truncate(length);
            }
        }
        self.leave(length);
        Json::Object(object)
    }

    /// Passes over what closes a container.
    fn leave(&mut self, length: usize) {
        self.at = self.text.len().min(self.at + 1);
        self.depth -= 1;
        self.path.truncate(length);
    }

    fn number(&mut self) -> Json {
        let negative = self.pass(b'-');
        let start = self.at;
        let zero = self.pass(b'0');
        let digits = self.digits();
        if zero == (digits > 0) {
            // Neither 0 alone nor digits that begin otherwise.
            return self.no_value("invalid number");
        }
        let whole = self.at;
        if self.pass(b'.') && self.digits() == 0 {
            return self.no_value("invalid number");
        }
        if self.pass(b'e') || self.pass(b'E') {
            let _ = self.pass(b'+') || self.pass(b'-');
            if self.digits() == 0 {
                return self.no_value("invalid number");
            }
        }
        let number = self.text[start..whole].parse::<u64>().ok();
        match number.filter(|_| whole == self.at) {
            Some(number) if !negative => Json::Number(number),
            // As a float, minus zero is another number than zero.
            Some(1..) => {
                let negative = number.and_then(|number| 0i64.checked_sub_unsigned(number));
                negative.map_or(Json::OtherNumber, Json::Negative)
            }
            _ => Json::OtherNumber,
        }
    }

    /// Passes over digits; how many they are.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.here() {
            self.at += 1;
        }
        self.at - start
    }

    /// The text in the quotes that begin here.
    fn string(&mut self) -> String {
        let mut text = String::new();
        self.pass(b'"');
        loop {
            let start = self.at;
            while let Some(b' '..=b'!' | b'#'..=b'[' | b']'..) = self.here() {
                self.at += 1;
            }
            // Only ASCII ends a piece, so no character is cut.
            text.push_str(&self.text[start..self.at]);
            match self.here() {
                Some(b'"') => {
                    self.at += 1;
                    return text;
                }
                Some(b'\\') => {
                    self.at += 1;
                    if let Some(letter) = self.escaped() {
                        text.push(letter);
                    }
                }
                Some(_) => {
                    self.wrong("control character (\\u0000-\\u001F) found while parsing a string")
                }
                None => {
                    self.wrong("EOF while parsing a string");
                    return text;
                }
            }
        }
    }

    /// The letter that what follows a backslash stands for.
    fn escaped(&mut self) -> Option<char> {
        let Some(byte) = self.here() else {
            self.wrong("EOF while parsing a string");
            return None;
        };
        self.at += 1;
        let letter = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.by_number(),
            _ => {
                // Back to where a character begins.
                self.at -= 1;
                self.wrong("invalid escape");
                return None;
            }
        };
        Some(letter)
    }

    /// The letter of the number after `\u`: of two numbers, if it is beyond what one can name.
    fn by_number(&mut self) -> Option<char> {
        let first = self.unit()?;
        let surrogates = 0xd800..=0xdbff;
        if !surrogates.contains(&first) {
            let letter = char::from_u32(first);
            if letter.is_none() {
                self.wrong("lone trailing surrogate in hex escape");
            }
            return letter;
        }
        if !(self.pass(b'\\') && self.pass(b'u')) {
            self.wrong("unexpected end of hex escape");
            return None;
        }
        let second = self.unit()?;
        let letter = second
            .checked_sub(0xdc00)
            .filter(|low| *low < 0x400)
            .and_then(|low| char::from_u32(0x10000 + ((first - 0xd800) << 10 | low)));
        if letter.is_none() {
            self.wrong("lone leading surrogate in hex escape");
        }
        letter
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let unit = digits.and_then(|digits| {
            digits
                .iter()
                .try_fold(0, |unit, byte| Some(unit << 4 | digit(byte)?))
        });
        match unit {
            Some(_) => self.at += 4,
            None => self.wrong("invalid escape"),
        }
        unit
    }
}

impl Json {
    /// Reads all of a text.
    ///
    /// # Errors
    /// What is wrong with it first, and where.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let whole = str::from_utf8(text);
        let mut walk = Walk {
            text: match whole {
                Ok(text) => text,
                Err(error) => str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
            },
            at: 0,
            depth: 0,
            path: String::new(),
            wrong: None,
        };
        if whole.is_err() {
            walk.at = walk.text.len();
            walk.wrong("invalid unicode code point");
        }
        let value = walk.value();
        if walk.after_blanks().is_some() {
            walk.wrong("something follows the scenario");
        }
        match walk.wrong {
            Some(wrong) => Err(wrong),
            None => Ok(value),
        }
    }

    /// Whether it is an object with a field of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Object(fields) => fields.iter().any(|(key, _)| key == name),
            _ => false,
        }
    }
}

/// serde's words for a value of the wrong type.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Absent => "nothing",
            Self::Null => "null",
            Self::Flag(value) => return write!(f, "{value}"),
            Self::Number(value) => return write!(f, "{value}"),
            Self::Negative(value) => return write!(f, "{value}"),
            Self::OtherNumber => "a number that is a fraction or too large for 64 bits",
            Self::Text(text) => return quoted(text, f),
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        };
        f.write_str(words)
    }
}

/// A text in quotes. `{:?}` would link the table of all printable characters.
fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' | '\0'..' ' => write!(f, "{}", letter.escape_default())?,
            _ => f.write_char(letter)?,
        }
    }
    f.write_char('"')
}

#[cfg(all(test, feature = "serde"))]
mod tests;
