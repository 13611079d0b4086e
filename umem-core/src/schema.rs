//! The JSON Schemas of scenarios and sets. The fields are derived; the syntax of sizes, addresses and names is defined here.

use crate::{
    address::{DmaAddr, PhysAddr, VirtAddr},
    scenario::{DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec, Memlock, Scenario},
    set::Set,
    size::Bytes,
};
use alloc::{borrow::Cow, string::String};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

impl Scenario {
    /// The JSON Schema (draft 2020-12) of version 1 of the scenario format, captures included.
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        serde_json::to_string_pretty(&schema).expect("a schema has only string keys")
    }
}

impl Set {
    /// The JSON Schema (draft 2020-12) of version 1 of the format of sets.
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        serde_json::to_string_pretty(&schema).expect("a schema has only string keys")
    }
}

macro_rules! named_schema {
    ($type:ty, $name:literal, $generator:ident => $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

named_schema!(Bytes, "Size", _generator => json_schema!({
    "description": "A number of bytes: an integer, or text such as \"4K\", \"2M\" (K to P are powers of 1024) or \"0x1000\".",
    "oneOf": [
        { "type": "integer", "minimum": 0 },
        { "type": "string", "pattern": "^([0-9]+[KMGTPkmgtp]?|0[xX][0-9a-fA-F]+)$" }
    ]
}));

fn address(what: &str) -> Schema {
    json_schema!({
        "description": what,
        "oneOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^0[xX][0-9a-fA-F]{1,16}$" }
        ]
    })
}

named_schema!(VirtAddr, "VirtualAddress", _generator => address("A virtual address."));
named_schema!(PhysAddr, "PhysicalAddress", _generator => address("A physical address."));
named_schema!(DmaAddr, "DmaAddress", _generator => address("An address on the device's bus."));

named_schema!(IovaSpec, "Iova", generator => json_schema!({
    "description": "Where the mapping begins: where the kernel puts it; where the address of the first page agrees with the NIC's in its low bits, up to the device's largest page size (a proposal); or the address of the first pinned page.",
    "anyOf": [{ "enum": ["kernel", "congruent"] }, generator.subschema_for::<DmaAddr>()]
}));

named_schema!(Memlock, "Memlock", generator => json_schema!({
    "description": "A limit on locked memory: a size, or \"unlimited\".",
    "anyOf": [{ "const": "unlimited" }, generator.subschema_for::<Bytes>()]
}));

named_schema!(IommuSpec, "Iommu", generator => json_schema!({
    "description": "\"off\" (identity), the name of an IOMMU (umem list iommus), or its own description.",
    "anyOf": [{ "type": "string" }, generator.subschema_for::<IommuObject>()]
}));

named_schema!(DeviceSpec, "Device", generator => json_schema!({
    "description": "The name of a driver (umem list devices), or a device's own description.",
    "anyOf": [{ "type": "string" }, generator.subschema_for::<DeviceObject>()]
}));
