//! A driver's table from a mapped SG list: the page size, and the words that go to the device, piece by piece, until one fails.
//!
//! This is the lower floor of the crate, for those who have DMA addresses already (`sg_dma_address()`, `sg_dma_len()`).
//!
//! ```sh
//! cargo run -p umem-core --example driver_table
//! ```

use std::error::Error;
use umem_core::{
    address::{Consecutive, DmaAddr, VirtAddr},
    kernel::KernelRules,
    size::{PageSize, PageSizes},
    table::{
        EntryRun, Mr, addresses,
        single::{self, Single},
    },
};

/// A device that takes page lists in messages of 4 addresses, and has room for so many.
struct Device {
    room: usize,
    table: Vec<u64>,
}

impl Device {
    const MESSAGE: usize = 4;

    /// Posts one message: what a driver does with a command queue.
    fn post(&mut self, words: &[u64]) -> Result<(), String> {
        if self.table.len() + words.len() > self.room {
            return Err(format!("the device has room for {} addresses", self.room));
        }
        self.table.extend_from_slice(words);
        Ok(())
    }
}

/// Writes the table of `blocks`, and returns how many addresses there are.
fn register(device: &mut Device, blocks: impl Iterator<Item = EntryRun>) -> Result<u64, String> {
    addresses::try_write(blocks, &mut [0; Device::MESSAGE], |words| {
        device.post(words)
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    // Three mapped segments, address and bytes: whole pages, one after the other in the region.
    let segments = Consecutive::new([
        (DmaAddr::new(0x4000_0000), 6 << 20),
        (DmaAddr::new(0x9000_0000), 2 << 20),
        (DmaAddr::new(0x9020_0000), 8 << 20),
    ]);

    // The region begins 0x100 bytes into the first page, for the NIC as for the program.
    let address = VirtAddr::new(0x7f00_0000_0100);
    let mr = Mr::new(address, (16 << 20) - 0x100, PageSize::K4);

    let sizes = PageSizes::range(PageSize::K4, PageSize::G1);
    let best = single::best_page_size(segments.clone(), &mr, sizes, KernelRules::newest())
        .ok_or("no page size fits")?;
    println!(
        "page size {best}, {} blocks",
        single::block_count(&mr, best)
    );

    let blocks = Single::new(segments.clone(), &mr, best, KernelRules::newest());
    let mut device = Device {
        room: 16,
        table: Vec::new(),
    };
    let written = register(&mut device, blocks.clone())?;
    println!("{written} addresses written:");
    for word in &device.table {
        println!("  {word:#x}");
    }

    // A smaller device fails at its second message; the third is never posted.
    let mut small = Device {
        room: 6,
        table: Vec::new(),
    };
    let error = register(&mut small, blocks).unwrap_err();
    println!(
        "a smaller device: {error}; {} were posted",
        small.table.len()
    );
    Ok(())
}
