//! `umem list`.

use std::io::Write;

use clap::ValueEnum;
use umem_core::{device, iommu, kernel, scenario::presets, size::Bytes};

use crate::exit::Exit;

/// List what a scenario can name
#[derive(Debug, clap::Args)]
pub struct List {
    /// Which catalogue
    #[arg(value_enum)]
    catalogue: Catalogue,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Catalogue {
    /// The scenes of the mail
    Presets,
    /// The RDMA drivers of Linux
    Devices,
    /// The IOMMUs of Linux
    Iommus,
    /// The generations of the rules, and the commits that changed them
    Kernels,
}

impl List {
    /// Prints the catalogue: a name and what it is, and what to know of it below.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let entries: Vec<Entry> = match self.catalogue {
            Catalogue::Presets => presets::PRESETS.iter().map(preset).collect(),
            Catalogue::Devices => device::CATALOGUE.iter().map(driver).collect(),
            Catalogue::Iommus => iommu::CATALOGUE.iter().map(iommu).collect(),
            Catalogue::Kernels => {
                let generations = kernel::GENERATIONS.iter().map(generation);
                generations
                    .chain(kernel::CHANGES.iter().map(change))
                    .collect()
            }
        };
        let width = entries
            .iter()
            .map(|entry| entry.name.len())
            .max()
            .unwrap_or(0);
        for Entry { name, title, facts } in entries {
            writeln!(out, "{name:width$}  {title}")?;
            for fact in facts {
                writeln!(out, "{:width$}    {fact}", "")?;
            }
        }
        Ok(Exit::Held)
    }
}

struct Entry {
    name: &'static str,
    title: String,
    facts: Vec<String>,
}

fn preset(preset: &presets::Preset) -> Entry {
    Entry {
        name: preset.name,
        title: preset.title.into(),
        facts: vec![preset.about.into()],
    }
}

fn driver(profile: &device::DeviceProfile) -> Entry {
    let offers = match profile.sizing {
        device::Sizing::Best => format!(
            "{}, of which it takes the best for the region",
            sizes(profile.page_sizes)
        ),
        device::Sizing::KernelPage => format!(
            "{}, but it takes the kernel's page always",
            sizes(profile.page_sizes)
        ),
    };
    let mut facts = vec![
        format!("page sizes {offers}"),
        format!(
            "table: {}, {} bytes an entry; segments up to {:#x} bytes{}",
            profile.table,
            profile.entry_bytes,
            profile.max_segment,
            limits(profile)
        ),
    ];
    if !profile.layout.is_empty() {
        facts.push(format!("layout: {}", profile.layout));
    }
    facts.extend(profile.assumed.map(|assumed| format!("assumed: {assumed}")));
    facts.push(format!("source: {}", profile.source));
    Entry {
        name: profile.name,
        title: profile.title.into(),
        facts,
    }
}

fn iommu(profile: &iommu::IommuProfile) -> Entry {
    let facts = vec![
        format!(
            "page sizes {}; {} bits of IOVA",
            sizes(profile.page_sizes),
            profile.address_bits
        ),
        format!("source: {}", profile.source),
        verified(profile.verified),
    ];
    Entry {
        name: profile.name,
        title: profile.title.into(),
        facts,
    }
}

fn change(change: &'static kernel::Change) -> Entry {
    Entry {
        name: change.commit,
        title: change.title.into(),
        facts: vec![format!("since {}", change.since)],
    }
}

fn generation(rules: &'static kernel::KernelRules) -> Entry {
    Entry {
        name: rules.name,
        title: rules.about.into(),
        facts: Vec::new(),
    }
}

fn verified(lab: Option<&str>) -> String {
    lab.map_or("from source, not verified".into(), |lab| {
        format!("verified: {lab}")
    })
}

/// The sizes; of a long unbroken range only its ends.
pub fn sizes(sizes: umem_core::size::PageSizes) -> String {
    match (sizes.smallest(), sizes.largest()) {
        (Some(least), Some(most))
            if sizes.len() > 4 && sizes.len() == most.log2() - least.log2() + 1 =>
        {
            format!("{least} to {most}")
        }
        (Some(least), Some(most)) if sizes.len() > 8 => format!("{least} to {most}, with gaps"),
        _ => sizes.to_string(),
    }
}

fn limits(profile: &device::DeviceProfile) -> String {
    let entries = profile
        .max_entries
        .map(|most| format!("; at most {most} entries"));
    let length = profile
        .max_length
        .map(|most| format!("; regions up to {}", Bytes(most)));
    [entries, length].into_iter().flatten().collect()
}
