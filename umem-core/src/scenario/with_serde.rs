//! What serde cannot derive of a scenario: fields that are a word, a number or an object.

use super::{DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec, Memlock, Scenario};
use crate::{address::DmaAddr, size::Bytes};
use alloc::string::String;
use core::{fmt, marker::PhantomData};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

impl Scenario {
    /// The same as [`to_json`](Scenario::to_json), on lines of its own for people to read.
    pub fn to_json_pretty(&self) -> String {
        text(serde_json::to_string_pretty(self))
    }
}

/// The text that was made. An error's own message would link everything that it needs.
fn text(made: serde_json::Result<String>) -> String {
    let Ok(text) = made else {
        unreachable!("a scenario has only string keys");
    };
    text
}

/// A name or an object. Unlike serde's `untagged`, the error says so if it is neither.
struct NameOr<T, Named> {
    expecting: &'static str,
    named: fn(String) -> Named,
    custom: fn(T) -> Named,
    object: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, Named> Visitor<'de> for NameOr<T, Named> {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Named, E> {
        Ok((self.named)(name.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Named, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(self.custom)
    }
}

macro_rules! name_or_object {
    ($spec:ident, $object:ident, $expecting:literal) => {
        impl<'de> Deserialize<'de> for $spec {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(NameOr::<$object, Self> {
                    expecting: $expecting,
                    named: Self::Name,
                    custom: Self::Custom,
                    object: PhantomData,
                })
            }
        }

        impl Serialize for $spec {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Name(name) => name.serialize(serializer),
                    Self::Custom(object) => object.serialize(serializer),
                }
            }
        }
    };
}

name_or_object!(
    IommuSpec,
    IommuObject,
    "\"off\", the name of an IOMMU, or an object"
);
name_or_object!(
    DeviceSpec,
    DeviceObject,
    "the name of a device, or an object"
);

impl Serialize for IovaSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(address) => address.serialize(serializer),
            word => serializer.collect_str(word),
        }
    }
}

impl<'de> Deserialize<'de> for IovaSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrAddress;
        impl Visitor<'_> for WordOrAddress {
            type Value = IovaSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"kernel\", \"congruent\" or an address")
            }
            fn visit_u64<E: de::Error>(self, address: u64) -> Result<IovaSpec, E> {
                Ok(IovaSpec::At(DmaAddr::new(address)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<IovaSpec, E> {
                text.parse().map_err(|error| {
                    E::custom(format_args!(
                        "\"{text}\" {error}, or \"kernel\", or \"congruent\""
                    ))
                })
            }
        }
        deserializer.deserialize_any(WordOrAddress)
    }
}

impl Serialize for Memlock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unlimited => serializer.serialize_str("unlimited"),
            Self::Bytes(bytes) => bytes.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Memlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeOrUnlimited;
        impl Visitor<'_> for SizeOrUnlimited {
            type Value = Memlock;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"unlimited\" or a size, such as \"8M\"")
            }
            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Memlock, E> {
                Ok(Memlock::Bytes(Bytes(bytes)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Memlock, E> {
                if text == "unlimited" {
                    return Ok(Memlock::Unlimited);
                }
                text.parse().map(Memlock::Bytes).map_err(|error| {
                    E::custom(format_args!("\"{text}\" {error}, or \"unlimited\""))
                })
            }
        }
        deserializer.deserialize_any(SizeOrUnlimited)
    }
}
