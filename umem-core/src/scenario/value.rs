//! Values and fields of JSON, and serde's words for what is wrong with them.
//!
//! Reading goes on after a mistake, with something instead of the value, and the first mistake is reported at the end: code that
//! returns early from a struct that is half read is several times as long.

use super::{Problem, ScenarioError, parsed::Json};
use crate::{
    address::{DmaAddr, PhysAddr, VirtAddr},
    memory::Extents,
    size::Bytes,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// What JSON can be read as.
pub(super) trait Read: Sized {
    /// Whether a field of this type may be left out.
    const OPTIONAL: bool = false;

    /// What `json` means; after a mistake, anything.
    fn read(json: &Json, reading: &mut Reading) -> Self;
}

/// A walk through JSON: where it is, and what was wrong first.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The field, as a path: `device.page_sizes[1]`.
    path: String,
    wrong: Option<ScenarioError>,
    /// Reported only if nothing is wrong.
    missing: Option<ScenarioError>,
}

impl Reading {
    /// Reads all of `json`.
    ///
    /// # Errors
    /// A field that is unknown, is missing, is not of its type, or has no meaning, by its path.
    pub(super) fn all<T: Read>(json: &Json) -> Result<T, ScenarioError> {
        let mut reading = Self::default();
        let value = T::read(json, &mut reading);
        match reading.wrong.or(reading.missing) {
            Some(error) => Err(error),
            None => Ok(value),
        }
    }

    /// Something is wrong here.
    pub(super) fn wrong(&mut self, problem: &dyn fmt::Display) {
        if self.wrong.is_none() {
            self.wrong = Some(self.error(problem));
        }
    }

    /// A value of another type than the expected.
    pub(super) fn kind(&mut self, json: &Json, expected: &dyn fmt::Display) {
        // What is left out is reported as missing.
        if !matches!(json, Json::Absent) {
            self.wrong(&format_args!("is {json}, and must be {expected}"));
        }
    }

    fn error(&self, problem: &dyn fmt::Display) -> ScenarioError {
        ScenarioError::new(&self.path, Problem::Json(problem.to_string()))
    }

    /// Goes into the field `name`; what to go back to.
    fn enter(&mut self, name: &str) -> usize {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        length
    }

    /// Goes into item number `number` of a list.
    fn item<T: Read>(&mut self, number: usize, item: &Json) -> T {
        let length = self.path.len();
        self.path.push_str(&format!("[{number}]"));
        let value = T::read(item, self);
        self.path.truncate(length);
        value
    }

    /// The fields of an object, which may have those `known`, each at most once.
    pub(super) fn fields<'a>(&mut self, json: &'a Json, known: &[&str]) -> &'a [(String, Json)] {
        let Json::Object(fields) = json else {
            self.kind(json, &"an object");
            return &[];
        };
        for (i, (key, _)) in fields.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                let length = self.enter(key);
                self.unknown("field", key, known);
                self.path.truncate(length);
                break;
            }
            if fields[..i].iter().any(|(other, _)| other == key) {
                self.wrong(&format_args!("duplicate field `{key}`"));
                break;
            }
        }
        fields
    }

    /// The field `name` of these.
    pub(super) fn field<T: Read>(&mut self, fields: &[(String, Json)], name: &str) -> T {
        let Some(json) = find(fields, name) else {
            if !T::OPTIONAL {
                self.missing(name);
            }
            return T::read(&Json::Absent, self);
        };
        let length = self.enter(name);
        let value = T::read(json, self);
        self.path.truncate(length);
        value
    }

    /// The same, or `default` where it is left out.
    pub(super) fn field_or<T: Read>(
        &mut self,
        fields: &[(String, Json)],
        name: &str,
        default: T,
    ) -> T {
        match find(fields, name) {
            Some(_) => self.field(fields, name),
            None => default,
        }
    }

    fn missing(&mut self, name: &str) {
        if self.missing.is_none() {
            self.missing = Some(self.error(&format_args!("missing field `{name}`")));
        }
    }

    fn unknown(&mut self, what: &str, name: &str, known: &[&str]) {
        let quoted: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        let known = match &quoted[..] {
            [one, other] => format!("{one} or {other}"),
            [one] => one.clone(),
            _ => format!("one of {}", quoted.join(", ")),
        };
        self.wrong(&format_args!("unknown {what} `{name}`, expected {known}"));
    }

    /// Which of the `known` a text is.
    pub(super) fn variant(&mut self, json: &Json, known: &[&str]) -> usize {
        let Json::Text(text) = json else {
            self.kind(json, &"a name");
            return 0;
        };
        let found = known.iter().position(|known| known == text);
        found.unwrap_or_else(|| {
            self.unknown("name", text, known);
            0
        })
    }

    /// An integer, or a text that `parse` understands.
    pub(super) fn number(
        &mut self,
        json: &Json,
        expected: &str,
        parse: fn(&str) -> Result<u64, String>,
    ) -> u64 {
        match json {
            Json::Number(number) => return *number,
            Json::Text(text) => match parse(text) {
                Ok(number) => return number,
                Err(error) => self.wrong(&format_args!("\"{text}\" {error}")),
            },
            _ => self.kind(json, &expected),
        }
        0
    }

    /// An integer of at most `most`.
    fn integer(&mut self, json: &Json, most: u64) -> u64 {
        match json {
            Json::Number(number) if *number <= most => return *number,
            _ => self.kind(json, &format_args!("an integer from 0 to {most}")),
        }
        0
    }

    fn list<'a>(&mut self, json: &'a Json, expected: &str) -> &'a [Json] {
        match json {
            Json::List(list) => list,
            _ => {
                self.kind(json, &expected);
                &[]
            }
        }
    }

    fn address(&mut self, json: &Json) -> u64 {
        self.number(json, "an address: \"0x…\" or an integer", |text| {
            let parsed = text.parse().map(PhysAddr::get);
            parsed.map_err(|error| error.to_string())
        })
    }
}

fn find<'a>(fields: &'a [(String, Json)], name: &str) -> Option<&'a Json> {
    Some(&fields.iter().find(|(key, _)| key == name)?.1)
}

impl Read for Bytes {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        const EXPECTED: &str = "a size: an integer of bytes, or text like \"4K\" or \"0x1000\"";
        Self(reading.number(json, EXPECTED, |text| {
            let parsed = text.parse().map(|Self(bytes)| bytes);
            parsed.map_err(|error| error.to_string())
        }))
    }
}

impl Read for VirtAddr {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        Self::new(reading.address(json))
    }
}

impl Read for PhysAddr {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        Self::new(reading.address(json))
    }
}

impl Read for DmaAddr {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        Self::new(reading.address(json))
    }
}

impl Read for u64 {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        reading.integer(json, Self::MAX)
    }
}

impl Read for u32 {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        reading.integer(json, Self::MAX.into()) as Self
    }
}

impl Read for bool {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        match json {
            Json::Flag(flag) => return *flag,
            _ => reading.kind(json, &"true or false"),
        }
        false
    }
}

impl Read for String {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        match json {
            Json::Text(text) => return text.clone(),
            _ => reading.kind(json, &"text"),
        }
        Self::new()
    }
}

impl<T: Read> Read for Option<T> {
    const OPTIONAL: bool = true;

    fn read(json: &Json, reading: &mut Reading) -> Self {
        match json {
            Json::Null | Json::Absent => None,
            _ => Some(T::read(json, reading)),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        let list = reading.list(json, "a list").iter().enumerate();
        list.map(|(i, item)| reading.item(i, item)).collect()
    }
}

/// An extent: its address and its length.
impl Read for (PhysAddr, Bytes) {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        const EXPECTED: &str = "[address, length]";
        let list = reading.list(json, EXPECTED);
        if let [address, length] = list {
            return (reading.item(0, address), reading.item(1, length));
        }
        reading.wrong(&format_args!(
            "has {} values, and must be {EXPECTED}",
            list.len()
        ));
        (PhysAddr::new(0), Bytes(0))
    }
}

impl Read for Extents {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        Vec::read(json, reading).into()
    }
}
