//! The presets yield what the design promises, number for number.

use umem_core::{
    address::PhysAddr,
    exhibits::exhibits,
    registration::Registration,
    scenario::presets::{self, PRESETS},
    size::Bytes,
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
        ("dma-buf", 4, "1 entry: 1 × 8M"),
        ("dma-buf-pinned", 4, "2046 entries: 2046 × 4K"),
        ("gpu", 32, "32 entries: 32 × 2M"),
        ("odp", 0, "16384 entries: 16384 × 4K"),
    ];
    assert_eq!(expected.len(), PRESETS.len());
    for (preset, (name, scatter, status)) in PRESETS.iter().zip(expected) {
        assert_eq!(preset.name, name);
        let registration = of(name);
        assert_eq!(registration.status(), status, "{name}");
        assert_eq!(registration.scatter_count(), scatter, "{name}");
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

#[test]
fn the_mails_own_code_does_what_it_does() {
    let tried = |name: &str| {
        exhibits(&of(name))
            .into_iter()
            .map(|exhibit| (exhibit.tally.to_string(), exhibit.stopped))
    };
    let mail = ("257 entries: 255 × 4K + 1 × 1M + 1 × 2M".to_string(), None);
    let mut first = tried("first-mask");
    let (tally, stopped) = first.next().unwrap();
    assert_eq!(tally, "0 entries");
    assert!(
        stopped
            .unwrap()
            .starts_with("at 0x40001000 num_zeros is 12, and the mask 0x17 leaves no size")
    );
    assert_eq!(first.next(), Some(mail.clone()));
    assert_eq!(first.next(), Some(mail.clone()));
    // Cut before mapping to an IOVA that is aligned to 4M: the 1M and the 2M block land 4K below their alignment.
    assert_eq!(
        tried("smaller-only").nth(2),
        Some(("768 entries: 767 × 4K + 1 × 1M".into(), None))
    );
    assert_eq!(of("smaller-only").status(), mail.0);
}

/// Memory at 16T, where frame numbers are multiples of 2^32: `ffs()` takes an int and sees none of their bits.
#[test]
fn the_mails_own_code_fails_at_16t_even_with_the_reply() {
    let mut scenario = presets::find("mail").unwrap().scenario();
    scenario.region.offset = Bytes(0);
    scenario.memory.start = Some(PhysAddr::new(1 << 44));
    let exhibits = exhibits(&Registration::new(&scenario).unwrap());
    let replied = exhibits
        .iter()
        .find(|exhibit| exhibit.name == "with-the-reply");
    let stopped = replied.and_then(|exhibit| exhibit.stopped.clone());
    assert_eq!(
        stopped.as_deref(),
        Some("at 0x100000000000 num_zeros is 11, and the mask 0xfff leaves no size: WARN_ON, NULL")
    );
}

#[test]
fn the_lists_of_the_batches_cost_what_they_cost() {
    let cost = of("pin-batches").list_cost();
    assert_eq!((cost.page_list, cost.whole_page_list), (4096, 32768));
    assert_eq!(
        (cost.table_for_all_pages, cost.appended_table),
        (132096, 4096)
    );
}
