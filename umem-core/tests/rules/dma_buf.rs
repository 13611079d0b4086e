//! dma-bufs: the exporter's list mapped whole and cut after, held against the kernel's C, statement by statement, and against what
//! kernels answered.

use super::transcribed::{PAGE_SIZE, Umem, best};
use proptest::prelude::*;
use umem_core::{
    address::{PhysAddr, VirtAddr},
    kernel::KernelRules,
    memory::{Exporter, Kind},
    registration::Registration,
    scenario::{
        DeviceObject, DeviceSpec, IommuObject, IommuSpec, KernelSpec, MemorySpec, ProcessSpec,
        Region, Scenario,
    },
    size::Bytes,
    table::Policy,
};

const K: u64 = 1 << 10;
const M: u64 = 1 << 20;
const G: u64 = 1 << 30;

/// `struct scatterlist` of an exporter: where in a page it begins, and a length of 32 bits.
#[derive(Clone, Copy, Debug, Default)]
struct Sg {
    offset: u64,
    length: u32,
    dma_address: u64,
    dma_length: u32,
}

/// What a mapping is made under.
#[derive(Clone, Copy, Debug)]
struct Domain {
    granule: u64,
    seg_mask: u64,
    max_len: u32,
}

/// `iommu_dma_map_sg()` and `__finalise_sg()` [linux 7.2]; the IOVA is given by `start` for the length of the mapping. `None`: EINVAL.
fn map_sg(list: &[(u64, u64)], domain: Domain, start: impl Fn(u64) -> u64) -> Option<Vec<Sg>> {
    let iova_mask = domain.granule - 1;
    let mut sgl: Vec<Sg> = list
        .iter()
        .map(|&(address, length)| Sg {
            offset: address % PAGE_SIZE,
            length: length as u32,
            ..Sg::default()
        })
        .collect();
    let mut iova_len = 0u64;
    for i in 0..sgl.len() {
        let s_iova_off = sgl[i].offset & iova_mask;
        let mut s_length = u64::from(sgl[i].length);
        let pad_len = domain.seg_mask.wrapping_sub(iova_len).wrapping_add(1) & domain.seg_mask;
        sgl[i].dma_address = s_iova_off;
        sgl[i].dma_length = s_length as u32;
        sgl[i].offset -= s_iova_off;
        s_length = (s_length + s_iova_off).next_multiple_of(domain.granule);
        sgl[i].length = s_length as u32;
        if pad_len != 0 && pad_len < s_length - 1 {
            if i > 0 {
                sgl[i - 1].length = sgl[i - 1].length.wrapping_add(pad_len as u32);
            }
            iova_len += pad_len;
        }
        iova_len += s_length;
    }
    // `iommu_map_sg()` returns what it mapped.
    if sgl.iter().map(|s| u64::from(s.length)).sum::<u64>() < iova_len {
        return None;
    }
    let mut dma_addr = start(iova_len);
    let mut out: Vec<Sg> = Vec::new();
    let (mut cur_len, max_len) = (0u32, domain.max_len);
    for s in &sgl {
        let s_iova_off = s.dma_address;
        let s_length = s.dma_length;
        let s_iova_len = s.length;
        let joins = cur_len != 0
            && s_iova_off == 0
            && dma_addr & domain.seg_mask != 0
            && max_len.wrapping_sub(cur_len) >= s_length;
        match out.last_mut().filter(|_| joins) {
            Some(cur) => cur.dma_length += s_length,
            None => {
                out.push(Sg {
                    dma_address: dma_addr + s_iova_off,
                    dma_length: s_length,
                    ..*s
                });
                cur_len = 0;
            }
        }
        cur_len += s_length;
        dma_addr += u64::from(s_iova_len);
        if u64::from(s_length) + s_iova_off < u64::from(s_iova_len) {
            cur_len = 0;
        }
    }
    Some(out)
}

/// `ib_umem_dmabuf_map_pages()` [linux 7.2]: the list cut to the region.
fn cut(sgl: &[Sg], offset: u64, length: u64) -> Vec<(u64, u64)> {
    let start = offset & !(PAGE_SIZE - 1);
    let end = (offset + length).next_multiple_of(PAGE_SIZE);
    let mut list: Vec<_> = sgl
        .iter()
        .map(|sg| (sg.dma_address, u64::from(sg.dma_length)))
        .collect();
    let (mut nmap, mut cur, mut first) = (0, 0, None);
    for (i, sg) in list.iter_mut().enumerate() {
        if start < cur + sg.1 && cur < end {
            nmap += 1;
        }
        if cur <= start && start < cur + sg.1 {
            let offset = start - cur;
            first = Some(i);
            sg.0 += offset;
            sg.1 -= offset;
            cur += offset;
        }
        if end <= cur + sg.1 {
            sg.1 -= cur + sg.1 - end;
            break;
        }
        cur += sg.1;
    }
    list[first.unwrap()..][..nmap].to_vec()
}

/// A buffer with these entries, mapped for a device that has these page sizes.
fn scenario(list: &[(u64, u64)], offset: u64, length: u64, iommu: &str) -> Scenario {
    Scenario {
        version: 1,
        name: None,
        region: Region {
            va: VirtAddr::new(0),
            offset: Bytes(offset),
            length: Bytes(length),
            hca_address: None,
        },
        memory: MemorySpec {
            kind: Kind::DmaBuf,
            extents: Some(
                list.iter()
                    .map(|&(start, length)| (PhysAddr::new(start), Bytes(length)))
                    .collect(),
            ),
            ..MemorySpec::default()
        },
        kernel: KernelSpec::default(),
        iommu: IommuSpec::Name(iommu.to_owned()),
        device: DeviceSpec::Custom(DeviceObject {
            page_sizes: Some(vec![Bytes(4 * K), Bytes(2 * M)]),
            policy: Some(Policy::Single),
            max_segment: Some(Bytes(2 * G - 1)),
            ..DeviceObject::default()
        }),
        process: ProcessSpec::default(),
        provenance: None,
    }
}

fn with_sizes(mut scenario: Scenario, sizes: &[u64]) -> Scenario {
    scenario.device.customize().page_sizes = Some(sizes.iter().copied().map(Bytes).collect());
    scenario
}

fn dma(registration: &Registration) -> Vec<(u64, u64)> {
    registration
        .dma()
        .map(|segment| (segment.start.get(), segment.length))
        .collect()
}

fn status(scenario: &Scenario) -> String {
    Registration::new(scenario).unwrap().status()
}

/// Pages of 4K, none beside its neighbour.
fn scattered(pages: u64) -> Vec<(u64, u64)> {
    (0..pages)
        .map(|i| (G + (i * 7919 % 100_003) * 8 * K, 4 * K))
        .collect()
}

/// Four huge pages, from the highest address to the lowest.
fn descending() -> Vec<(u64, u64)> {
    (0..4).rev().map(|i| (G + i * 2 * M, 2 * M)).collect()
}

/// The rows of what Linux 6.12.95 and 7.3.4 answered, behind VT-d and without an IOMMU (`gate-facts`, "dma-buf").
#[test]
fn what_kernels_answered() {
    let all = [4 * K, 64 * K, M, 2 * M];
    let to_2g: Vec<u64> = (12..32).map(|log2| 1 << log2).collect();
    let of = |list: &[(u64, u64)], offset, length, iommu| scenario(list, offset, length, iommu);

    let pages = scattered(64);
    assert_eq!(
        status(&of(&pages, 0, 256 * K, "off")),
        "64 entries: 64 × 4K"
    );
    let behind = of(&pages, 0, 256 * K, "vt-d");
    assert_eq!(
        dma(&Registration::new(&behind).unwrap()),
        [(0xfffc_0000, 0x4_0000)]
    );
    assert_eq!(status(&behind), "64 entries: 64 × 4K");
    assert_eq!(status(&with_sizes(behind, &all)), "4 entries: 4 × 64K");

    let pages = scattered(2048);
    assert_eq!(
        status(&of(&pages, 0, 8 * M, "off")),
        "2048 entries: 2048 × 4K"
    );
    let behind = of(&pages, 0, 8 * M, "vt-d");
    assert_eq!(status(&behind), "4 entries: 4 × 2M");
    assert_eq!(status(&with_sizes(behind, &to_2g)), "1 entry: 1 × 8M");

    // The region is cut out of the mapping: its offset survives there, which it does not when memory of the process is registered.
    let huge = of(&descending(), 4 * K, 8 * M - 8 * K, "vt-d");
    assert_eq!(
        dma(&Registration::new(&huge).unwrap()),
        [(0xff80_1000, 0x7f_e000)]
    );
    assert_eq!(status(&huge), "4 entries: 4 × 2M");
    assert_eq!(
        status(&of(&descending(), 4 * K, 8 * M - 8 * K, "off")),
        "4 entries: 4 × 2M"
    );
    let mut pinned = huge.clone();
    pinned.memory.kind = Kind::Pages;
    assert_eq!(status(&pinned), "2046 entries: 2046 × 4K");

    // A udmabuf that begins 4K into a huge page.
    let cut = [(G + 4 * K, 2 * M - 4 * K), (3 * G, 4 * K)];
    assert_eq!(status(&of(&cut, 0, 2 * M, "off")), "512 entries: 512 × 4K");
    assert_eq!(status(&of(&cut, 0, 2 * M, "vt-d")), "1 entry: 1 × 2M");

    // A system heap: entries of 1M at most.
    let mut heap: Vec<_> = (0..10).map(|i| (G + (9 - i) * 3 * M, M)).collect();
    heap.extend([(2 * G, 8 * K), (3 * G, 4 * K)]);
    let length = 10 * M + 12 * K;
    assert_eq!(
        status(&of(&heap, 0, length, "off")),
        "2563 entries: 2563 × 4K"
    );
    assert_eq!(status(&of(&heap, 0, length, "vt-d")), "6 entries: 6 × 2M");
}

/// Exporters cut what is longer than 4G into entries of 0xffffffff bytes.
#[test]
fn entries_of_an_odd_length() {
    const MOST: u64 = u32::MAX as u64;
    let whole = [(4 * G, MOST), (4 * G + MOST, MOST), (4 * G + 2 * MOST, 2)];
    assert_eq!(
        status(&scenario(&whole, 0, 8 * G, "off")),
        "4096 entries: 4096 × 2M"
    );
    // Later gaps matter where they lie at an odd length only.
    let gap_after = [(4 * G, MOST), (4 * G + MOST, 1), (12 * G, 4 * G - 4 * K)];
    let length = 8 * G - 4 * K;
    assert!(status(&scenario(&gap_after, 0, length, "off")).ends_with("× 2M"));
    let gap_within = [(4 * G, MOST), (12 * G, 4097)];
    let refused = scenario(&gap_within, 0, 4 * G + 4 * K, "off");
    let registration = Registration::new(&refused).unwrap();
    assert_eq!(registration.table().unwrap_err().code(), "no-page-size");
    // Entries that begin within a page.
    let inside = [(4 * G + 0x800, 2 * M)];
    let registration = Registration::new(&scenario(&inside, 0, 2 * M, "off")).unwrap();
    assert_eq!(registration.table().unwrap_err().code(), "no-page-size");
    // Rounded up to whole IO pages their length does not fit 32 bits.
    let registration = Registration::new(&scenario(&whole, 0, 8 * G, "vt-d")).unwrap();
    assert_eq!(registration.table().unwrap_err().code(), "iommu-map-failed");
}

/// GPUs map entry by entry: behind an IOMMU each has an address of its own, aligned to its length.
#[test]
fn an_exporter_that_maps_entry_by_entry() {
    let list: Vec<_> = (0..4).map(|i| (G + i * 2 * M, 2 * M)).collect();
    let mut gpu = scenario(&list, 0, 8 * M, "vt-d");
    gpu.memory.exporter = Exporter::PerEntry;
    let registration = Registration::new(&gpu).unwrap();
    let expected: Vec<_> = (1..5).map(|i| (4 * G - i * 2 * M, 2 * M)).collect();
    assert_eq!(dma(&registration), expected);
    assert_eq!(registration.status(), "4 entries: 4 × 2M");
    // Through one mapping they are one segment.
    gpu.memory.exporter = Exporter::DmaMap;
    assert_eq!(Registration::new(&gpu).unwrap().dma_count(), Ok(1));
    // More than 4G of them go on above 4G.
    let list: Vec<_> = (0..6).map(|i| ((8 + 2 * i) * G, G)).collect();
    let mut gpu = scenario(&list, 0, 6 * G, "vt-d");
    gpu.memory.exporter = Exporter::PerEntry;
    let starts: Vec<_> = dma(&Registration::new(&gpu).unwrap())
        .into_iter()
        .map(|(start, _)| start / G)
        .collect();
    let top = (1 << 48) / G;
    assert_eq!(starts, [3, 2, 1, top - 1, top - 2, top - 3]);
}

#[test]
fn only_drivers_that_take_a_kind_take_it() {
    let on = |device: &str, release: &str, kind| {
        let mut scenario = scenario(&descending(), 0, 8 * M, "off");
        scenario.memory.kind = kind;
        scenario.device = DeviceSpec::Name(device.to_owned());
        scenario.kernel.set_release(release);
        let registration = Registration::new(&scenario).unwrap();
        match registration.table() {
            Ok(_) => registration.status(),
            Err(refusal) => format!("{} {}", refusal.code(), refusal.errno().unwrap()),
        }
    };
    let no = "no-dma-bufs EOPNOTSUPP";
    for (device, first, before, after) in [
        ("mlx5", "5.12", no, "2048 entries: 2048 × 4K"),
        (
            "mlx5",
            "6.17",
            "2048 entries: 2048 × 4K",
            "4 entries: 4 × 2M",
        ),
        ("efa", "5.16", no, "4 entries: 4 × 2M"),
        ("irdma", "6.3", no, "4 entries: 4 × 2M"),
        ("bnxt_re", "6.6", no, "4 entries: 4 × 2M"),
        ("mana_ib", "6.15", no, "4 entries: 4 × 2M"),
    ] {
        let (major, minor) = first.split_once('.').unwrap();
        let earlier = format!("{major}.{}", minor.parse::<u32>().unwrap() - 1);
        assert_eq!(
            on(device, &earlier, Kind::DmaBuf),
            before,
            "{device} {earlier}"
        );
        assert_eq!(on(device, first, Kind::DmaBuf), after, "{device} {first}");
    }
    assert_eq!(on("ionic", "6.18", Kind::DmaBuf), "4 entries: 4 × 2M");
    for device in ["hns", "erdma", "rxe", "siw", "qedr", "cxgb4", "mlx4"] {
        assert_eq!(on(device, "7.2", Kind::DmaBuf), no, "{device}");
    }
    // On demand: an entry a page, whatever the memory.
    assert_eq!(on("mlx5", "6.1.192", Kind::Odp), "2048 entries: 2048 × 4K");
    assert_eq!(on("rxe", "7.3.4", Kind::Odp), "2048 entries: 2048 × 4K");
    assert_eq!(
        on("rxe", "6.12.95", Kind::Odp),
        "no-on-demand-paging EOPNOTSUPP"
    );
    assert_eq!(
        on("rxe", "6.1.192", Kind::Odp),
        "no-on-demand-paging EINVAL"
    );
}

/// Entries of an exporter: whole pages mostly, adjacent or not.
fn list() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let whole = (1u64..40).prop_map(|pages| pages * PAGE_SIZE);
    let length = prop_oneof![6 => whole, 1 => 1u64..20_000, 1 => Just(u64::from(u32::MAX))];
    let entry = (
        length,
        0u64..4,
        0u64..1 << 20,
        prop_oneof![6 => Just(0u64), 1 => 1u64..4096],
    );
    prop::collection::vec(entry, 1..12).prop_map(|list| {
        let mut at = G;
        let mut list: Vec<(u64, u64)> = list
            .into_iter()
            .map(|(length, how, place, within)| {
                if how > 1 {
                    at = G + place * PAGE_SIZE + within;
                }
                let entry = (at, length);
                at += length;
                entry
            })
            .collect();
        let total: u64 = list.iter().map(|(_, length)| length).sum();
        let rest = total.next_multiple_of(PAGE_SIZE) - total;
        if rest > 0 {
            list.push((at, rest));
        }
        list
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Lists and page sizes, entry for entry, with the C.
    #[test]
    fn is_mapped_whole_and_cut_after(
        list in list(),
        (from, to) in (0.0..1.0f64, 0.0..1.0f64),
        translated in any::<bool>(),
        segment in prop_oneof![Just(2 * G - 1), Just(64 * K), Just(u64::from(u32::MAX))],
        boundary in prop_oneof![Just(32u32), 14u32..24],
        virt in prop_oneof![Just(None), (0u64..1 << 30).prop_map(Some)],
    ) {
        let total: u64 = list.iter().map(|(_, length)| length).sum();
        let at = |part: f64| (total as f64 * part) as u64;
        let offset = at(from.min(to)).min(total - 1);
        let length = (at(from.max(to)) - offset).max(1);
        let mut scenario = scenario(&list, offset, length, "off");
        let device = scenario.device.customize();
        device.max_segment = Some(Bytes(segment));
        device.page_sizes = Some((12..32).map(|log2| Bytes(1 << log2)).collect());
        scenario.region.hca_address =
            virt.map(|virt: u64| VirtAddr::new(virt * PAGE_SIZE + offset % PAGE_SIZE));
        if translated {
            scenario.iommu = IommuSpec::Custom(IommuObject {
                segment_boundary: Some(Bytes(1 << boundary)),
                ..IommuObject::default()
            });
        }
        let registration = Registration::new(&scenario).unwrap();
        let domain = Domain { granule: PAGE_SIZE, seg_mask: (1 << boundary) - 1, max_len: segment as u32 };
        let place = |length: u64| registration.question().translation().unwrap().place(length).unwrap().get();
        let mapped = if translated {
            map_sg(&list, domain, place)
        } else {
            let direct = |&(address, length): &(u64, u64)| Sg {
                dma_address: address,
                dma_length: length as u32,
                ..Sg::default()
            };
            Some(list.iter().map(direct).collect())
        };
        prop_assert_eq!(registration.dma_count().is_ok(), mapped.is_some());
        let Some(mapped) = mapped else {
            prop_assert_eq!(registration.table().unwrap_err().code(), "iommu-map-failed");
            return Ok(());
        };
        let sgl = cut(&mapped, offset, length);
        prop_assert_eq!(dma(&registration), sgl.clone());
        prop_assert_eq!(registration.dma_count().unwrap(), sgl.len() as u64);
        let iova = registration.question().mr().hca_address.get();
        let umem = Umem { address: offset, length, iova, sgl };
        let sizes = registration.question().device().page_sizes;
        let expected = best(KernelRules::newest(), &umem, sizes.bits());
        let size = registration.table().map_or(0, |table| table.page_size.unwrap().bytes());
        prop_assert_eq!(size, expected);
        // Nothing that draws or lists a region may stumble over odd entries.
        let _ = umem_core::advice::advice(&registration);
        let index = registration.index();
        prop_assert!(index.scatter().count() > 0);
    }
}
