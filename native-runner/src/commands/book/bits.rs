//! An address, drawn as a NIC reads it.

use std::{io::Write, path::PathBuf};

use umem_core::{
    address::VirtAddr,
    diagram::{self, palette, svg},
    size::{Bytes, PageSize, SizeError},
};

use crate::whole_file;

/// Draw an address, cut into entry and offset; print what the picture says
#[derive(Debug, clap::Args)]
pub struct Bits {
    /// The address that the NIC is given
    address: VirtAddr,

    /// The size of the table's blocks
    #[arg(value_parser = page_size)]
    size: PageSize,

    /// Where the picture goes
    #[arg(long, value_name = "FILE")]
    svg: PathBuf,
}

fn page_size(text: &str) -> Result<PageSize, String> {
    let Bytes(bytes) = text.parse().map_err(|error: SizeError| error.to_string())?;
    PageSize::new(bytes).ok_or_else(|| format!("{text} is not a power of two"))
}

impl Bits {
    /// Draws, and tells.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { address, size, .. } = self;
        let (entry, offset) = (address.get() >> size.log2(), address.offset_in(*size));
        let says = format!(
            "{address} for pages of {size}: the bits above the lowest {} say which entry, {entry:#x}; the lowest say the offset in it, {offset:#x}",
            size.log2()
        );
        let drawing = diagram::split(*address, *size).with_margins();
        let picture = svg::render(&drawing, &palette::LIGHT, &says);
        whole_file::write(&self.svg, picture.as_bytes())?;
        writeln!(
            out,
            "width={}\nheight={}\nalt={says}",
            drawing.width, drawing.height
        )?;
        Ok(())
    }
}
