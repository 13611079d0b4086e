//! What JSON means: the fields of each part of a scenario, and their defaults. One table serves reading and [writing](super::write).
//!
//! serde's derived code reads and writes the same, and is the slow twin in tests. Its code grows with every field of every struct;
//! this is a call a field.

use super::{
    AreaSpec, Backing, DEFAULT_VA, DeviceObject, DeviceSpec, ForkSupport, IommuObject, IommuSpec,
    IovaSpec, KernelSpec, LayoutName, Memlock, MemorySpec, ProcessSpec, Protection, Region,
    Scenario,
    parsed::Json,
    set::{Member, Set},
    value::{Read, Reading},
    write::{Object, Write, is, quoted},
};
use crate::{
    address::DmaAddr,
    capture::{Asked, Assumed, LeftOut, Moved, Moves, Provenance, RefusedPages},
    device::Access,
    gate::Errno,
    memory::{Exporter, Kind},
    size::Bytes,
    table::{Edges, Policy},
};
use alloc::{format, string::String};

/// The fields of structs. What has no `=` must be there, but for options.
macro_rules! fields {
    ($($type:ident { $($field:ident $(= $default:expr)?),* $(,)? })*) => {$(
        impl Read for $type {
            fn read(json: &Json, reading: &mut Reading) -> Self {
                let fields = reading.fields(json, &[$(stringify!($field)),*]);
                Self { $($field: fields!(@ reading, fields, stringify!($field) $(, $default)?)),* }
            }
        }

        impl Write for $type {
            fn write(&self, text: &mut String) {
                let mut object = Object::new(text);
                $(fields!(@write self.$field, object, stringify!($field) $(, $default)?);)*
                object.end();
            }
        }
    )*};
    (@write $self:ident.$field:ident, $object:ident, $name:expr) => { $object.field($name, &$self.$field) };
    (@write $self:ident.$field:ident, $object:ident, $name:expr, $default:expr) => {
        if !is(&$self.$field, $default) {
            $object.field($name, &$self.$field);
        }
    };
    (@ $reading:ident, $fields:ident, $name:expr) => { $reading.field($fields, $name) };
    (@ $reading:ident, $fields:ident, $name:expr, $default:expr) => { $reading.field_or($fields, $name, $default) };
}

fields! {
    Scenario {
        version,
        name,
        region,
        memory,
        kernel = KernelSpec::default(),
        iommu = IommuSpec::default(),
        device,
        process = ProcessSpec::default(),
        provenance,
    }
    Set {
        version,
        name,
        kernel = KernelSpec::default(),
        iommu = IommuSpec::default(),
        device,
        process = ProcessSpec::default(),
        registrations,
    }
    Member { name, region, memory, count = 1, provenance }
    Region { va = DEFAULT_VA, offset = Default::default(), length, hca_address }
    MemorySpec {
        kind = Default::default(),
        exporter = Default::default(),
        page_size,
        layout,
        start,
        seed,
        extents,
        length,
        areas = Default::default(),
    }
    AreaSpec {
        offset = Default::default(),
        length,
        backing = Default::default(),
        shared,
        protection = Default::default(),
        page_size,
    }
    KernelSpec {
        page_size = Self::default().page_size,
        rules = Self::default().rules,
        release,
    }
    ProcessSpec {
        access,
        memlock,
        pinned,
        privileged,
        fork_support,
        libibverbs,
        hugepages_safe = false,
        hca_objects,
        mappings_left,
        memory_left,
        saw,
    }
    IommuObject { name, page_sizes, iova = Default::default(), segment_boundary, address_bits }
    DeviceObject {
        name,
        page_sizes,
        policy,
        edges = Default::default(),
        max_segment,
        max_length,
        max_entries,
        max_total_entries,
        entry_bytes,
    }
    Provenance {
        kernel,
        page_size,
        device,
        iommu_mode,
        time,
        rebased,
        asked,
        left_out,
        moves_when_registered,
        refused_when_registered,
        pinned,
        moved,
        assumed = Default::default(),
    }
    Assumed { device, iommu, rules }
    Moved { looked, moved }
    Asked { start, length }
    LeftOut { absent, swapped, elsewhere, unread }
    Moves { zero, shared, movable = 0 }
    RefusedPages { pages, errno, text }
}

/// The variants of enums, by the names that they have in scenarios.
macro_rules! variants {
    ($($type:ident { $($variant:ident = $name:literal),* $(,)? })*) => {$(
        impl Read for $type {
            fn read(json: &Json, reading: &mut Reading) -> Self {
                const ALL: &[$type] = &[$($type::$variant),*];
                // None is forgotten.
                const _: fn($type) = |variant| match variant { $($type::$variant => ()),* };
                ALL[reading.variant(json, &[$($name),*])]
            }
        }

        impl Write for $type {
            fn write(&self, text: &mut String) {
                quoted(match self { $(Self::$variant => $name),* }, text);
            }
        }
    )*};
}

variants! {
    Kind { Pages = "pages", DmaBuf = "dma-buf", Odp = "odp" }
    Exporter { DmaMap = "dma-map", PerEntry = "per-entry" }
    ForkSupport { Off = "off", Libibverbs = "libibverbs", Kernel = "kernel" }
    Backing {
        Anonymous = "anonymous",
        Hugetlb = "hugetlb",
        Shmem = "shmem",
        File = "file",
        Devdax = "devdax",
        Fsdax = "fsdax",
        Pfnmap = "pfnmap",
        Secret = "secret",
        Vdso = "vdso",
        Vvar = "vvar",
        Hole = "hole",
        BeyondEnd = "beyond-end",
        NoHugePage = "no-huge-page",
        Guard = "guard",
        Unmovable = "unmovable",
    }
    Protection { ReadWrite = "read-write", Read = "read", Write = "write", None = "none" }
    LayoutName { Contiguous = "contiguous", Descending = "descending", Scattered = "scattered" }
    Policy { Mixed = "mixed", Single = "single", Unaligned = "unaligned" }
    Edges { Exact = "exact", Overhang = "overhang" }
    Access {
        LocalWrite = "local-write",
        RemoteWrite = "remote-write",
        RemoteRead = "remote-read",
        RemoteAtomic = "remote-atomic",
        MwBind = "mw-bind",
        ZeroBased = "zero-based",
        OnDemand = "on-demand",
        Hugetlb = "hugetlb",
        FlushGlobal = "flush-global",
        FlushPersistent = "flush-persistent",
        RelaxedOrdering = "relaxed-ordering",
    }
}

impl Read for IommuSpec {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        match json {
            Json::Object(_) => return Self::Custom(Read::read(json, reading)),
            Json::Text(name) => return Self::Name(name.clone()),
            _ => reading.kind(json, &"\"off\", the name of an IOMMU, or an object"),
        }
        Self::Name(String::new())
    }
}

impl Read for DeviceSpec {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        match json {
            Json::Object(_) => return Self::Custom(Read::read(json, reading)),
            Json::Text(name) => return Self::Name(name.clone()),
            _ => reading.kind(json, &"the name of a device, or an object"),
        }
        Self::Name(String::new())
    }
}

impl Read for Memlock {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        if matches!(json, Json::Text(text) if text == "unlimited") {
            return Self::Unlimited;
        }
        let expected = "\"unlimited\" or a size, such as \"8M\"";
        let bytes = reading.number(json, expected, |text| {
            let parsed = text.parse().map(|Bytes(bytes)| bytes);
            parsed.map_err(|error| format!("{error}, or \"unlimited\""))
        });
        Self::Bytes(Bytes(bytes))
    }
}

impl Read for Errno {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        let names = Self::ALL.map(Self::name);
        Self::ALL[reading.variant(json, &names)]
    }
}

impl Read for IovaSpec {
    fn read(json: &Json, reading: &mut Reading) -> Self {
        if let Json::Text(text) = json
            && let Ok(word) = text.parse()
        {
            return word;
        }
        let expected = "\"kernel\", \"congruent\" or an address";
        let address = reading.number(json, expected, |text| {
            let parsed = text.parse().map(DmaAddr::get);
            parsed.map_err(|error| format!("{error}, or \"kernel\", or \"congruent\""))
        });
        Self::At(DmaAddr::new(address))
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests;
