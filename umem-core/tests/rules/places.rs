//! Where an IOMMU puts a list, and which lists it cannot hold.

use umem_core::{
    address::{DmaAddr, Extent, PhysAddr},
    iommu::{CATALOGUE, Iova, IovaLayout, MapError, Translation, find},
    scatter::SgEntry,
};

const K: u64 = 1 << 10;
const M: u64 = 1 << 20;
const G: u64 = 1 << 30;

fn vt_d(address_bits: u32) -> Translation {
    Translation {
        address_bits,
        ..find("vt-d").unwrap().translation()
    }
}

/// Entries of these lengths, no two adjacent.
fn entries(lengths: &[u64]) -> impl Iterator<Item = SgEntry> + Clone {
    lengths.iter().scan(0, |offset, &length| {
        let at = *offset;
        *offset += length;
        Some(Extent {
            offset: at,
            start: PhysAddr::new(0x1_0000_0000 + 2 * at),
            length,
        })
    })
}

/// `alloc_iova()`, size-aligned: below 4G while there is room, never at 0.
#[test]
fn the_kernel_places_a_mapping_at_a_multiple_of_its_rounded_length() {
    for (length, bits, place) in [
        (4 * K, 48, Some(4 * G - 4 * K)),
        (20 * K, 48, Some(4 * G - 32 * K)),
        (132 * K, 48, Some(4 * G - 256 * K)),
        (4 * M - 4 * K, 48, Some(4 * G - 4 * M)),
        (4 * M, 48, Some(4 * G - 4 * M)),
        (4 * M + 4 * K, 48, Some(4 * G - 8 * M)),
        (G + 4 * K, 48, Some(2 * G)),
        // Below 4G only address 0 is left, so it goes to the top of what there is.
        (2 * G + 4 * K, 48, Some((1 << 48) - 4 * G)),
        (4 * G, 48, Some((1 << 48) - 4 * G)),
        (4 * G + 4 * K, 48, Some((1 << 48) - 8 * G)),
        (2 * G + 4 * K, 32, None),
        (3 * G, 33, Some(4 * G)),
        (2 * M, 22, Some(2 * M)),
        (4 * M, 22, None),
        (8 * M, 22, None),
        // One byte stays free, so that every end is a number.
        (1 << 40, 64, Some(0u64.wrapping_sub(2 << 40))),
    ] {
        let expected = place.map(DmaAddr::new).ok_or(MapError::Exhausted {
            length,
            address_bits: bits,
        });
        assert_eq!(
            vt_d(bits).place(length),
            expected,
            "{length:#x} in {bits} bits"
        );
    }
}

/// How far each IOMMU's addresses go: v1 of AMD's page table to the top of 64 bits, as a report saw it (an IOVA of 0xfffffffffff00000).
#[test]
fn every_iommu_has_its_address_bits() {
    for (name, bits) in [
        ("vt-d", 48),
        ("vt-d-first-stage", 47),
        ("amd-v1", 64),
        ("amd-v2", 47),
        ("dart", 32),
        ("s390", 42),
        ("power", 30),
        ("power-4k", 31),
        ("power-64k", 31),
    ] {
        let translation = find(name).unwrap().translation();
        assert_eq!(translation.address_bits, bits, "{name}");
        let most = 1u128 << bits;
        let longest = u64::try_from(most / 4).unwrap();
        if translation.layout == IovaLayout::OneAllocation {
            let start = translation.place(longest).unwrap();
            assert!(
                u128::from(start.get()) + u128::from(longest) <= most,
                "{name}"
            );
        }
    }
    assert_eq!(find("riscv"), None, "Linux does DMA without it");
}

/// `iommu_range_alloc()`: large entries from the last quarter of the window, which holds so much and no more.
#[test]
fn power_places_in_the_pools_of_its_window() {
    let power = find("power").unwrap().translation();
    let (small, large) = (64 * K, 768 * M + 64 * K);
    let most = 256 * M - 4 * K;
    for (length, place) in [
        (4 * K, Some(small)),
        (60 * K, Some(small)),
        (64 * K, Some(large)),
        (most - 64 * K, Some(large)),
        // From the start of the pool, where one page had been mapped before.
        (most, Some(768 * M)),
        (most + 4 * K, None),
    ] {
        assert_eq!(
            power.place(length).ok(),
            place.map(DmaAddr::new),
            "{length:#x}"
        );
    }
}

#[test]
fn a_mapping_by_hand_ends_within_the_address_bits() {
    let ends = |start: u64, bits| {
        let translation = Translation {
            iova: Iova::At(DmaAddr::new(start)),
            ..vt_d(bits)
        };
        translation
            .map(entries(&[4 * K, 4 * K]))
            .map(|mapping| (mapping.start.get(), mapping.length))
    };
    let exhausted = |address_bits| {
        Err(MapError::Exhausted {
            length: 8 * K,
            address_bits,
        })
    };
    assert_eq!(ends(0, 48), Ok((0, 8 * K)));
    assert_eq!(ends((1 << 30) - 8 * K, 30), Ok(((1 << 30) - 8 * K, 8 * K)));
    assert_eq!(ends((1 << 30) - 4 * K, 30), exhausted(30));
    // Of all 64 bits the last page is never mapped, so that every end is a number.
    assert_eq!(
        ends(u64::MAX - 12 * K + 1, 64),
        Ok((u64::MAX - 12 * K + 1, 8 * K))
    );
    assert_eq!(ends(u64::MAX - 8 * K + 1, 64), exhausted(64));
}

/// `prev->length += pad_len` is an unsigned int: what makes 4G of it is lost.
#[test]
fn a_pad_that_makes_an_entry_4g_long_fails() {
    let overflow = |offset| Err(MapError::PadOverflow { offset });
    for (lengths, expected) in [
        (&[4 * G - 4 * K, 8 * K][..], overflow(0)),
        (&[3 * G, 2 * G], overflow(0)),
        // The next entry ends where the boundary is, or begins there: no pad.
        (&[3 * G, G], Ok(4 * G)),
        (&[4 * G - 4 * K, 4 * K, 4 * G - 4 * K, 4 * K], Ok(8 * G)),
        // Padded, but short enough.
        (&[2 * G, G, 2 * G], Ok(6 * G)),
        (&[2 * G, 2 * G, 3 * G, 2 * G], overflow(4 * G)),
    ] {
        let length = vt_d(48).map(entries(lengths)).map(|mapping| mapping.length);
        assert_eq!(length, expected, "{lengths:x?}");
    }
}

/// The page sizes of the fact sheet's table, as Linux 7.2 has them.
#[test]
fn every_iommu_has_its_page_sizes() {
    let amd = "4K 8K 16K 32K 64K 128K 256K 512K 1M 2M 4M 8M 16M 32M 64M 128M 256M 512M 1G 2G 4G 8G 16G 32G 64G 128G 256G \
               1T 2T 4T 8T 16T 32T 64T 128T 256T 512T 1P 2P";
    let virtio = CATALOGUE[7].page_sizes;
    assert_eq!(virtio.bits(), !0xfff);
    let virtio = virtio.to_string();
    let expected = [
        ("vt-d", "4K 2M 1G"),
        ("vt-d-first-stage", "4K 2M 1G"),
        ("amd-v1", amd),
        ("amd-v2", "4K 2M 1G"),
        ("smmuv3-4k", "4K 2M 1G"),
        ("smmuv3-16k", "16K 32M"),
        ("smmuv3-64k", "64K 512M"),
        ("virtio", &virtio),
        ("s390", "4K"),
        ("power", "4K"),
        ("power-4k", "4K"),
        ("power-64k", "64K"),
        ("power-direct", "16M"),
        ("dart", "16K"),
    ];
    let catalogue = CATALOGUE
        .iter()
        .map(|iommu| (iommu.name, iommu.page_sizes.to_string()));
    assert!(catalogue.eq(expected.map(|(name, sizes)| (name, sizes.to_owned()))));
    for iommu in CATALOGUE {
        assert_eq!(find(iommu.name), Some(iommu));
        assert_eq!(iommu.translation().boundary_mask, 0xffff_ffff);
    }
    assert_eq!(find("off"), None);
}
