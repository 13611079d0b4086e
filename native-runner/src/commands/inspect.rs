//! `umem inspect`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use umem_core::size::Bytes;

use crate::{
    exit::Exit,
    inspect::{self, Inspection, device_file},
    report,
    screen::{Out, say},
    whole_file,
};

/// What a device of this machine says of itself and of its live regions
///
/// Tells the limits that it advertises and which of them its driver keeps to; its live regions with their owners and, where driver or firmware
/// tell it, the page size of their tables; what these processes have pinned; how the IOMMU treats it. What it does not tell is named, with what
/// would. Nothing is changed. Any user may ask; the page sizes of mlx5 take CAP_NET_ADMIN, and query_device a build with verbs.
///
/// With --limits it registers memory, and finds the longest region and the most bytes at once, by page size. A few megabytes are behind
/// all of it, but kernel and device make whole tables: 8 bytes for 4K and more. So do it where nobody else needs the device. It ends with --max at
/// the latest, and releases everything, also after Ctrl-C.
///
/// Exit code: 0 told, 2 wrong usage, 3 there is no such device, or --limits cannot register.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem inspect
  sudo umem inspect --format json")]
#[command(verbatim_doc_comment)]
pub struct Inspect {
    /// The device [default: the first]
    #[arg(value_name = "DEVICE")]
    device: Option<String>,

    /// Find the real limits, by registering
    #[arg(long)]
    limits: bool,

    /// With --limits: register no more than this, at once
    #[arg(long, value_name = "SIZE", default_value = "4G", requires = "limits")]
    max: Bytes,

    /// Write what is known as a device file, for `umem plan --device FILE`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

/// A page's pins are counted in 32 bits, a thousand for each; beyond, the limit found would be the counter's.
const MOST: u64 = 1 << 40;

impl Inspect {
    /// Looks, perhaps tries, and tells.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        anyhow::ensure!(
            (4096..=MOST).contains(&self.max.0),
            "--max {}: from 4K to {}",
            self.max,
            Bytes(MOST)
        );
        let root = Path::new("/");
        let device = match inspect::choose(root, self.device.as_deref()) {
            Ok(device) => device,
            Err(missing) => {
                say!("umem: {missing}");
                return Ok(Exit::Unable);
            }
        };
        let mut inspection = inspect::inspect(root, &device);
        let mut exit = Exit::Held;
        if self.limits
            && let Err(why) = self.search(&mut inspection)
        {
            say!("umem: --limits: {why}");
            exit = Exit::Unable;
        }
        match self.format {
            Format::Table => report::inspect::table(out, &inspection)?,
            Format::Json => report::inspect::json(out.exact(), &inspection)?,
        }
        if let Some(path) = &self.output {
            let (device, notes) = device_file(&inspection);
            let mut text = serde_json::to_vec_pretty(&device)?;
            text.push(b'\n');
            whole_file::write(path, &text)?;
            for note in notes {
                say!("umem: {}: {note}", path.display());
            }
        }
        Ok(exit)
    }

    #[cfg(feature = "rdma")]
    fn search(&self, inspection: &mut Inspection) -> anyhow::Result<()> {
        let found = inspect::search_device(&inspection.device, self.max.0)?;
        inspection.found = Some(found);
        Ok(())
    }

    #[cfg(not(feature = "rdma"))]
    fn search(&self, _inspection: &mut Inspection) -> anyhow::Result<()> {
        anyhow::bail!("{}", crate::missing::Missing::verbs())
    }
}
