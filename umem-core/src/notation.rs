//! How sizes and addresses stand in JSON: a size as an integer or `"4K"`, an address as an integer or `"0x…"`.

use crate::{
    address::{Bits, DmaAddr, FrameNumber, PhysAddr, VirtAddr},
    size::Bytes,
};
use core::{fmt, marker::PhantomData, str::FromStr};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

/// Whether a field may be left out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads an integer, or a text by `FromStr`.
struct IntegerOrText<T> {
    expecting: &'static str,
    integer: fn(u64) -> T,
    value: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for IntegerOrText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        Ok((self.integer)(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse()
            .map_err(|error| E::custom(format_args!("\"{text}\" {error}")))
    }
}

macro_rules! notation {
    ($name:ident, $integer:expr, $expecting:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(IntegerOrText {
                    expecting: $expecting,
                    integer: $integer,
                    value: PhantomData,
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

notation!(
    Bytes,
    Bytes,
    "a size: an integer of bytes, or text like \"4K\" or \"0x1000\""
);
notation!(VirtAddr, VirtAddr::new, "an address: \"0x…\" or an integer");
notation!(PhysAddr, PhysAddr::new, "an address: \"0x…\" or an integer");
notation!(DmaAddr, DmaAddr::new, "an address: \"0x…\" or an integer");
notation!(
    FrameNumber,
    FrameNumber::new,
    "a frame number: \"0x…\" or an integer"
);
notation!(Bits, Bits::new, "bits: \"0x…\" or an integer");
