//! Values as JSON: the shortest text that means them.
//!
//! serde's derived code writes the same, and is the slow twin in tests; it is several times as long.

use super::{DeviceSpec, IommuSpec, IovaSpec, Memlock};
use crate::{
    address::{DmaAddr, PhysAddr, VirtAddr},
    gate::Errno,
    memory::Extents,
    size::Bytes,
};
use alloc::{string::String, vec::Vec};
use core::fmt::{self, Write as _};

/// What can be written as JSON.
pub(super) trait Write {
    /// Writes it.
    fn write(&self, text: &mut String);

    /// Whether it is left out of an object.
    fn is_absent(&self) -> bool {
        false
    }
}

/// The text of a value.
pub(super) fn json(value: &impl Write) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

/// Whether a field has its default, and may be left out.
pub(super) fn is<T: PartialEq>(value: &T, default: T) -> bool {
    *value == default
}

/// An object, field by field.
pub(super) struct Object<'a> {
    text: &'a mut String,
    /// What stands before the next field.
    before: char,
}

impl<'a> Object<'a> {
    pub(super) fn new(text: &'a mut String) -> Self {
        Self { text, before: '{' }
    }

    /// A field, unless it is absent.
    pub(super) fn field(&mut self, name: &str, value: &dyn Write) {
        if value.is_absent() {
            return;
        }
        self.text.push(self.before);
        self.before = ',';
        quoted(name, self.text);
        self.text.push(':');
        value.write(self.text);
    }

    pub(super) fn end(self) {
        if self.before == '{' {
            self.text.push('{');
        }
        self.text.push('}');
    }
}

/// A string, escaped as JSON wants it.
pub(super) fn quoted(value: &str, text: &mut String) {
    text.push('"');
    for letter in value.chars() {
        let short = match letter {
            '"' | '\\' => letter,
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\0'..' ' => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                text.push_str("\\u00");
                text.push(char::from(HEX[letter as usize >> 4]));
                text.push(char::from(HEX[letter as usize & 15]));
                continue;
            }
            _ => {
                text.push(letter);
                continue;
            }
        };
        text.push('\\');
        text.push(short);
    }
    text.push('"');
}

/// A value as its text, which has nothing to escape.
fn plain(value: &dyn fmt::Display, text: &mut String) {
    // A string takes whatever is written.
    let _ = write!(text, "\"{value}\"");
}

fn list<T: Write>(values: impl Iterator<Item = T>, text: &mut String) {
    text.push('[');
    for (i, value) in values.enumerate() {
        if i > 0 {
            text.push(',');
        }
        value.write(text);
    }
    text.push(']');
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Write for $type {
            fn write(&self, text: &mut String) {
                plain(self, text);
            }
        }
    )*};
}

plain!(Bytes, VirtAddr, PhysAddr, DmaAddr, Errno, IovaSpec);

macro_rules! bare {
    ($($type:ty),*) => {$(
        impl Write for $type {
            fn write(&self, text: &mut String) {
                let _ = write!(text, "{self}");
            }
        }
    )*};
}

bare!(u64, u32, bool);

impl Write for String {
    fn write(&self, text: &mut String) {
        quoted(self, text);
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, text: &mut String) {
        if let Some(value) = self {
            value.write(text);
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Write> Write for &T {
    fn write(&self, text: &mut String) {
        (*self).write(text);
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, text: &mut String) {
        list(self.iter(), text);
    }
}

/// An extent: its address and its length.
impl Write for (PhysAddr, Bytes) {
    fn write(&self, text: &mut String) {
        text.push('[');
        self.0.write(text);
        text.push(',');
        self.1.write(text);
        text.push(']');
    }
}

impl Write for Extents {
    fn write(&self, text: &mut String) {
        list(self.iter(), text);
    }
}

impl Write for Memlock {
    fn write(&self, text: &mut String) {
        match self {
            Self::Unlimited => quoted("unlimited", text),
            Self::Bytes(bytes) => bytes.write(text),
        }
    }
}

impl Write for IommuSpec {
    fn write(&self, text: &mut String) {
        match self {
            Self::Name(name) => name.write(text),
            Self::Custom(object) => object.write(text),
        }
    }
}

impl Write for DeviceSpec {
    fn write(&self, text: &mut String) {
        match self {
            Self::Name(name) => name.write(text),
            Self::Custom(object) => object.write(text),
        }
    }
}
