//! Advice: what combines, what is offered, what is left out, and what it rests on.

use umem_core::{
    advice::{Advice, advice, assumed_start, why_none},
    explain::{Picture, picture},
    registration::Registration,
    scenario::Scenario,
    size::PageSize,
};

pub(crate) fn registration(region: &str, memory: &str, rest: &str) -> Registration {
    let json = format!(r#"{{"version":1,"region":{{{region}}},"memory":{{{memory}}},{rest}}}"#);
    let scenario =
        Scenario::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
    Registration::new(&scenario).unwrap()
}

const MLX5: &str = r#""device":"mlx5""#;

/// The change that begins so, and its entries.
pub(crate) fn find<'a>(list: &'a [Advice], start: &str) -> Option<&'a Advice> {
    list.iter().find(|advice| advice.change.starts_with(start))
}

fn after(list: &[Advice], start: &str) -> Option<u64> {
    find(list, start).and_then(|advice| advice.after.entries)
}

/// 2M pages that the program sees shifted, and a region that begins a page into one: neither an earlier start nor address 0 is enough.
#[test]
fn an_earlier_start_and_address_0_together() {
    let of = registration(
        r#""va":"0x7f0000003000","offset":"4K","length":"511M""#,
        r#""page_size":"2M","layout":"scattered","start":"0x100000000""#,
        MLX5,
    );
    let list = advice(&of);
    let both = "start the region 4K earlier, where its 2M page begins, and register it zero-based";
    assert_eq!(after(&list, both), Some(256), "{list:?}");
    assert_eq!(find(&list, "register it zero-based"), None);
    assert_eq!(find(&list, "start the region on"), None);
}

/// Behind an IOMMU small pages cost nothing, and a lost start is mended by itself: nothing is combined for its own sake.
#[test]
fn what_one_change_does_is_not_combined() {
    let of = registration(
        r#""offset":"4K","length":"511M""#,
        r#""layout":"scattered""#,
        r#""iommu":"vt-d","device":"mlx5""#,
    );
    let list = advice(&of);
    assert_eq!(after(&list, "register it zero-based"), Some(1));
    assert!(
        list.iter().all(|advice| !advice.change.contains(", and ")),
        "{list:?}"
    );
}

#[test]
fn pages_of_2m_are_offered_where_1g_is_too_much() {
    let of = registration(r#""length":"64G""#, r#""layout":"scattered""#, MLX5);
    let list = advice(&of);
    assert_eq!(after(&list, "back the region with 2M pages"), Some(32_768));
    assert_eq!(after(&list, "back the region with 1G pages"), Some(64));
    // 4M do not fill a page of 1G.
    let of = registration(r#""length":"4M""#, r#""layout":"scattered""#, MLX5);
    let list = advice(&of);
    assert_eq!(after(&list, "back the region with 2M pages"), Some(2));
    assert_eq!(find(&list, "back the region with 1G pages"), None);
}

/// 512M of transparent huge pages, forked, three pages rewritten by the parent.
fn forked() -> Registration {
    let strays = [2567u64, 51_500, 102_405];
    let (mut extents, mut at) = (Vec::new(), 0u64);
    for (number, page) in strays.into_iter().enumerate() {
        extents.push(format!(
            r#"["{:#x}",{}]"#,
            0x40_0000_0000 + (at << 12),
            (page - at) << 12
        ));
        extents.push(format!(
            r#"["{:#x}",4096]"#,
            0x1_2345_6000 + number * 0x7000
        ));
        at = page + 1;
    }
    extents.push(format!(
        r#"["{:#x}",{}]"#,
        0x40_0000_0000 + (at << 12),
        (131_072 - at) << 12
    ));
    registration(
        r#""length":"512M""#,
        &format!(r#""extents":[{}]"#, extents.join(",")),
        MLX5,
    )
}

#[test]
fn a_forked_region_is_not_taken_for_a_shifted_one() {
    let of = forked();
    let text = picture(&of).unwrap().text();
    assert_eq!(
        text,
        "253 of 256 blocks of 2M are whole; strays at +0xa07000 (4K), +0xc92c000 (4K), +0x19005000 (4K)."
    );
    let list = advice(&of);
    let keep = list
        .iter()
        .find(|advice| advice.change.contains("madvise(MADV_DONTFORK)"))
        .unwrap();
    assert!(
        keep.change.contains("register before the fork()"),
        "{keep:?}"
    );
    assert_eq!(keep.after.entries, Some(256));
}

/// The picture against a count block by block, straight from the definition.
#[test]
fn the_picture_is_what_a_count_finds() {
    for of in [
        forked(),
        registration(
            r#""offset":"4K","length":"16M""#,
            r#""page_size":"2M","layout":"scattered""#,
            MLX5,
        ),
        registration(r#""length":"16M""#, r#""layout":"scattered""#, MLX5),
        registration(
            r#""offset":"4K","length":"9M""#,
            r#""layout":"contiguous""#,
            r#""iommu":"vt-d","device":"mlx5""#,
        ),
    ] {
        let size = PageSize::of_log2(21);
        let mr = of.question().mr();
        let mut pages = Vec::new();
        for segment in of.dma() {
            pages.extend(
                (0..segment.length)
                    .step_by(4096)
                    .map(|into| segment.start.get() + into),
            );
        }
        let first = mr.hca_address.align_down(mr.page).get();
        let end = first + ((pages.len() as u64) << 12);
        let starts = (first.next_multiple_of(2 << 20)..)
            .step_by(2 << 20)
            .take_while(|at| at + (2 << 20) <= end);
        let is_whole = |at: &u64| {
            let block = &pages[((at - first) >> 12) as usize..][..512];
            block[0].is_multiple_of(2 << 20)
                && block
                    .iter()
                    .zip(0..)
                    .all(|(page, i)| *page == block[0] + (i << 12))
        };
        let picture = Picture::of(&of, size).unwrap();
        assert_eq!(picture.blocks, starts.clone().count() as u64, "{picture:?}");
        assert_eq!(
            picture.whole,
            starts.filter(is_whole).count() as u64,
            "{picture:?}"
        );
    }
}

#[test]
fn shifted_memory_is_said_to_be_shifted() {
    let of = registration(
        r#""offset":"4K","length":"64M""#,
        r#""page_size":"2M","layout":"scattered""#,
        r#""iommu":"vt-d","device":"mlx5""#,
    );
    let text = picture(&of).unwrap().text();
    assert!(
        text.contains("not in pieces") && text.contains("4K behind"),
        "{text}"
    );
}

#[test]
fn why_there_is_none_is_said() {
    for (memory, device, words) in [
        (
            r#""layout":"contiguous""#,
            r#""device":"mlx5","iommu":"vt-d""#,
            "2G is the largest page that the device has",
        ),
        (
            r#""page_size":"1G","layout":"scattered""#,
            r#""device":{"page_sizes":["4K","1G"],"policy":"single"}"#,
            "largest page that the device has",
        ),
        (r#""layout":"scattered""#, r#""device":"usnic""#, "no table"),
        // Where no change helps, what to do instead is said again.
        (
            r#""layout":"scattered","areas":[{"length":"4G","backing":"pfnmap"}]"#,
            r#""device":"irdma","kernel":{"release":"5.10"}"#,
            "past the gate driver. What to do instead: run a kernel",
        ),
    ] {
        let of = registration(r#""length":"4G""#, memory, device);
        let list = advice(&of);
        assert!(list.is_empty(), "{words}: {list:?}");
        let why = why_none(&of);
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[test]
fn an_assumed_start_is_said_where_it_matters() {
    let iommu = r#""iommu":"vt-d","device":"mlx5""#;
    let memory = r#""page_size":"2M","layout":"scattered""#;
    let said = assumed_start(&registration(r#""length":"1G""#, memory, iommu)).unwrap();
    assert!(
        said.contains("region.va is left out") && said.contains("262144 entries instead of 1"),
        "{said}"
    );
    for (region, rest) in [
        // Given, or without the IOMMU one entry more.
        (r#""va":"0x7f1200000000","length":"1G""#, iommu),
        (r#""offset":"4K","length":"1G""#, iommu),
        (r#""length":"1G""#, MLX5),
    ] {
        let of = registration(region, memory, rest);
        assert_eq!(assumed_start(&of), None, "{region}, {rest}");
    }
}
