//! From a list of frame numbers to both tables: of a device whose entries may differ in size, and of one that takes one size.
//!
//! `cargo run -p umem-core --example frames_to_tables` has the mail's region: 4M-4K of two 2M pages. Or give frame numbers of 4K
//! pages, in hexadecimal, as `/proc/PID/pagemap` has them: `… --example frames_to_tables 40001 40002 7fff0`.

use std::{env, error::Error};
use umem_core::{
    address::VirtAddr,
    memory::FrameNumbers,
    size::{PageSize, PageSizes},
    table::{BlockEdges, Tally},
    umem::Umem,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = env::args()
        .skip(1)
        .map(|number| u64::from_str_radix(&number, 16))
        .collect::<Result<Vec<_>, _>>()?;
    if numbers.is_empty() {
        numbers = (0x40001..0x40400).collect();
    }
    if let Some(number) = numbers.iter().find(|number| **number >= 1 << 40) {
        return Err(format!("{number:x} is not a frame number: it has more than 40 bits").into());
    }

    // The program registers all of them, from a virtual address that lies as the first frame does.
    let page = PageSize::K4;
    let address = VirtAddr::new(0x7f00_0000_0000 + (numbers[0] % 512) * page.bytes());
    let length = numbers.len() as u64 * page.bytes();
    let frames = FrameNumbers::new(&numbers, page);
    let umem = Umem::builder(frames, address, length).page(page).get()?;
    println!(
        "{} pages, {} SG entries",
        numbers.len(),
        umem.scatter().count()
    );

    // The device: pages of 4K, 1M and 2M.
    let sizes: PageSizes = [PageSize::K4, PageSize::M1, PageSize::M2]
        .into_iter()
        .collect();

    let mixed = umem.blocks(sizes, BlockEdges::Exact)?;
    println!("mixed sizes: {}", mixed.clone().tally());
    for run in mixed.take(8) {
        println!(
            "  {} × {} from {}",
            run.count,
            umem_core::size::Bytes(run.size),
            run.address
        );
    }

    let Some(best) = umem.best_page_size(sizes) else {
        println!("one size: none fits, and a driver refuses the region");
        return Ok(());
    };
    println!("one size: {}", umem.dma_blocks(best).collect::<Tally>());
    for limit in umem.best_page_size_limits(sizes) {
        println!("  {}", limit.text);
    }
    Ok(())
}
