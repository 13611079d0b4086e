//! JSON in two steps: first what the text holds, then what that means.
//!
//! serde_json can do both at once, but then its code is compiled once more for each struct, with a way to read it from a
//! list, and its messages need the formatting of floats: a fifth of what a page with `<umem-split>` downloads. In two steps
//! errors also know their path.

use super::{Problem, ScenarioError};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, slice};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        Visitor,
    },
    forward_to_deserialize_any,
};

/// A value, as the text has it. Keys that are there twice are kept twice.
#[derive(Debug)]
pub(super) enum Json {
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
    /// What it means.
    ///
    /// # Errors
    /// The first field that is not of its type, is missing, or has no meaning, by its path.
    pub(super) fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<T, ScenarioError> {
        T::deserialize(self).map_err(|Wrong(error)| error)
    }

    /// Whether it is an object with a field of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Object(fields) => fields.iter().any(|(key, _)| key == name),
            _ => false,
        }
    }

    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Flag(value) => Unexpected::Bool(*value),
            Self::Number(value) => Unexpected::Unsigned(*value),
            Self::Negative(value) => Unexpected::Signed(*value),
            Self::OtherNumber => {
                Unexpected::Other("number that is a fraction or too large for 64 bits")
            }
            Self::Text(text) => Unexpected::Str(text),
            Self::List(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        }
    }
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Wrong(ScenarioError);

impl Wrong {
    /// The same, seen from one level further out.
    fn within(self, outer: &str) -> Self {
        let field = self.0.field();
        let dot = match field.as_bytes() {
            [] | [b'[', ..] => "",
            _ => ".",
        };
        let path = format!("{outer}{dot}{field}");
        Self(ScenarioError::new(path, self.0.problem().clone()))
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self(ScenarioError::new("", Problem::Json(problem.to_string())))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!(
            "invalid type: {}, expected {expected}",
            Found(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!(
            "invalid value: {}, expected {expected}",
            Found(found)
        ))
    }
}

/// serde's words for a value of the wrong type. Its own `Display` would bring along the formatting of floats.
struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Unit => f.write_str("null"),
            Unexpected::Bool(value) => write!(f, "boolean `{value}`"),
            Unexpected::Unsigned(value) => write!(f, "integer `{value}`"),
            Unexpected::Signed(value) => write!(f, "integer `{value}`"),
            Unexpected::Str(text) => write!(f, "string {text:?}"),
            Unexpected::Seq => f.write_str("sequence"),
            Unexpected::Map => f.write_str("map"),
            Unexpected::Other(what) => f.write_str(what),
            // Neither JSON nor any of our types has others.
            _ => f.write_str("value"),
        }
    }
}

impl<'de> Deserializer<'de> for &'de Json {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Json::Flag(value) => visitor.visit_bool(*value),
            Json::Number(value) => visitor.visit_u64(*value),
            Json::Negative(value) => visitor.visit_i64(*value),
            Json::Text(text) => visitor.visit_str(text),
            Json::List(list) => {
                let mut items = Items {
                    all: list.iter(),
                    number: 0,
                };
                let value = visitor.visit_seq(&mut items)?;
                match items.all.len() {
                    0 => Ok(value),
                    _ => Err(Wrong::invalid_length(
                        list.len(),
                        &"fewer items in this list",
                    )),
                }
            }
            Json::Object(fields) => visitor.visit_map(Fields::of(fields)),
            Json::Null | Json::OtherNumber => Err(Wrong::invalid_type(self.unexpected(), &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// Fields have names: a list of values is not a struct.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self {
            Json::Object(fields) => visitor.visit_map(Fields::of(fields)),
            _ => Err(Wrong::invalid_type(self.unexpected(), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self {
            Json::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(Wrong::invalid_type(self.unexpected(), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The items of a list, one after the other.
struct Items<'de> {
    all: slice::Iter<'de, Json>,
    number: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(item) = self.all.next() else {
            return Ok(None);
        };
        let place = |wrong: Wrong| wrong.within(&format!("[{}]", self.number));
        let item = seed.deserialize(item).map_err(place)?;
        self.number += 1;
        Ok(Some(item))
    }
}

/// The fields of an object, one after the other.
struct Fields<'de> {
    all: slice::Iter<'de, (String, Json)>,
    /// The one of which the key has been read.
    at: Option<&'de (String, Json)>,
}

impl<'de> Fields<'de> {
    fn of(fields: &'de [(String, Json)]) -> Self {
        Self {
            all: fields.iter(),
            at: None,
        }
    }

    fn next(&mut self) -> Option<&'de str> {
        self.at = self.all.next();
        self.at.map(|(key, _)| key.as_str())
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some(key) = self.next() else {
            return Ok(None);
        };
        let name = IntoDeserializer::<Wrong>::into_deserializer(key);
        let found = seed.deserialize(name).map_err(|wrong| wrong.within(key))?;
        Ok(Some(found))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (key, value) = self
            .at
            .take()
            .ok_or_else(|| Wrong::custom("a value before its key"))?;
        seed.deserialize(value).map_err(|wrong| wrong.within(key))
    }
}
