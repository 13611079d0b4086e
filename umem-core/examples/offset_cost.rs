//! A study: what a start that is 4K, 64K or 2M off costs a region of 1G in 2M pages.
//!
//! ```sh
//! cargo run -p umem-core --example offset_cost
//! ```
//!
//! Without an IOMMU virtual and physical addresses lie alike within each page, so an offset costs little. Behind one the mapping begins
//! at a multiple of its own length, so the start's offset is lost. A device of one page size then falls to the offset's; one of mixed
//! sizes gains.

use std::error::Error;
use umem_core::{
    address::{PhysAddr, VirtAddr},
    iommu,
    size::{Bytes, PageSize, PageSizes},
    table::{BlockEdges, single},
    umem::Umem,
};

fn main() -> Result<(), Box<dyn Error>> {
    const LENGTH: u64 = 1 << 30;
    let sizes: PageSizes = [PageSize::K4, PageSize::K64, PageSize::M2]
        .into_iter()
        .collect();
    let vt_d = iommu::find("vt-d")
        .ok_or("vt-d is of the catalogue")?
        .translation();
    println!(
        "{:>6} {:>6} {:>10} {:>10} {:>10}",
        "offset", "iommu", "mixed", "single", "of size"
    );
    for offset in [0, 4 << 10, 64 << 10, 2 << 20] {
        for (name, iommu) in [("off", None), ("vt-d", Some(vt_d))] {
            // 2M pages that are nowhere adjacent, without the bytes before the offset.
            let first = offset / (2 << 20);
            let pages = (offset + LENGTH).div_ceil(2 << 20);
            let frames = (first..pages).map(move |page| {
                let skipped = if page == first { offset % (2 << 20) } else { 0 };
                let end = (offset + LENGTH - page * (2 << 20)).min(2 << 20);
                (
                    PhysAddr::new((1 << 32) + page * (4 << 20) + skipped),
                    end - skipped,
                )
            });
            let address = VirtAddr::new(0x7f00_0000_0000 + offset);
            let builder = Umem::builder(frames, address, LENGTH);
            let umem = match iommu {
                Some(translation) => builder.iommu(translation).get()?,
                None => builder.get()?,
            };
            let mixed = umem.blocks(sizes, BlockEdges::Exact)?.tally().total();
            let best = umem.best_page_size(sizes).ok_or("4K always fits")?;
            let single = single::block_count(umem.mr(), best);
            println!(
                "{:>6} {name:>6} {mixed:>10} {single:>10} {:>10}",
                Bytes(offset).to_string(),
                best.to_string()
            );
        }
    }
    Ok(())
}
