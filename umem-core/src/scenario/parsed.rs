//! JSON as a tree of values: the first of two steps. [`read`](super::read), the second, says what it means.
//!
//! serde can do both at once, but then its code is compiled again for each struct: a seventh of what a page with `<umem-split>`
//! downloads, and another for the formatting of floats in its messages. In two steps errors also know their path.

use alloc::{string::String, vec::Vec};
use core::fmt::{self, Write as _};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// A value, as the text has it. Keys that are there twice are kept twice.
#[derive(Debug)]
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

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Flag(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Number(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Negative(value))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
                Ok(Json::OtherNumber)
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Json::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
                let mut object = Vec::new();
                while let Some(field) = fields.next_entry()? {
                    object.push(field);
                }
                Ok(Json::Object(object))
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

impl Json {
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
            Self::Flag(value) => return write!(f, "boolean `{value}`"),
            Self::Number(value) => return write!(f, "integer `{value}`"),
            Self::Negative(value) => return write!(f, "integer `{value}`"),
            Self::OtherNumber => "number that is a fraction or too large for 64 bits",
            Self::Text(text) => return quoted(text, f),
            Self::List(_) => "sequence",
            Self::Object(_) => "map",
        };
        f.write_str(words)
    }
}

/// A text in quotes. `{:?}` would link the table of all printable characters.
fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("string \"")?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' | '\0'..' ' => write!(f, "{}", letter.escape_default())?,
            _ => f.write_char(letter)?,
        }
    }
    f.write_char('"')
}
