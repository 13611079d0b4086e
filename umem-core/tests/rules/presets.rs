//! The presets yield what the design promises, number for number.

use umem_core::{
    registration::Registration,
    scenario::presets::{self, PRESETS},
    table::Policy,
};

fn of(name: &str) -> Registration {
    Registration::new(&presets::find(name).unwrap().scenario()).unwrap()
}

#[test]
fn every_preset_has_its_status_line() {
    let mail = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";
    let expected = [
        ("mail", 1, mail),
        ("first-mask", 1, mail),
        ("smaller-only", 1, mail),
        ("mail-iommu", 1, mail),
        (
            "misaligned-iova",
            1,
            "258 entries: 256 × 4K + 1 × 1M + 1 × 2M",
        ),
        ("one-size", 1, "2 entries: 2 × 2M"),
        ("one-size-iommu", 1, "1023 entries: 1023 × 4K"),
        ("unaligned", 1, "1 entry: 1 × 4092K"),
        ("descending", 2, mail),
        ("scattered", 1023, "1023 entries: 1023 × 4K"),
        ("ppc64", 1, "256 entries: 256 × 4K"),
        ("pin-batches", 1, "8 entries: 8 × 2M"),
    ];
    assert_eq!(expected.len(), PRESETS.len());
    for (preset, (name, scatter, status)) in PRESETS.iter().zip(expected) {
        assert_eq!(preset.name, name);
        let registration = of(name);
        assert_eq!(registration.status(), status, "{name}");
        assert_eq!(registration.scatter_count, scatter, "{name}");
    }
}

#[test]
fn the_first_block_behind_the_iommu_is_the_largest() {
    let first = of("mail-iommu").entries().next().unwrap();
    assert_eq!((first.address.get(), first.size), (0xffc0_0000, 2 << 20));
}

#[test]
fn alternatives_are_as_designed() {
    let single = |name: &str| {
        let table = of(name).alternative(Policy::Single).unwrap();
        (table.page_size.unwrap().bytes(), table.total)
    };
    assert_eq!(single("mail-iommu"), (4096, 1023));
    assert_eq!(single("misaligned-iova"), (4096, 1024));
    assert_eq!(single("mail"), (2 << 20, 2));
}
