//! The catalogues as tables.

use umem_core::{
    device,
    iommu::{self, IovaLayout},
    kernel,
    processor::PROCESSORS,
    scenario::presets::PRESETS,
    size::{Bytes, PageSizes},
    table::memory::Layout,
};

use super::{cell, table};
use crate::commands::list::{entries, history, sizes};

/// The page sizes of processors.
pub fn processors() -> String {
    let rows = PROCESSORS.iter().map(|processor| {
        [
            with_notes(
                processor.title,
                &[processor.open.unwrap_or_default(), processor.source],
            ),
            processor.kernel_page.to_string(),
            listed(processor.huge),
            processor.transparent.to_string(),
        ]
    });
    table(
        ["processor", "kernel's page", "hugetlbfs", "transparent"],
        rows,
    )
}

/// The page sizes of IOMMUs.
pub fn iommus() -> String {
    let rows = iommu::CATALOGUE.iter().map(|profile| {
        let layout = match profile.layout {
            IovaLayout::OneAllocation => "",
            IovaLayout::Direct { .. } => "the physical address and an offset, entry by entry",
            IovaLayout::EachEntry | IovaLayout::EachAligned => "maps each SG entry by itself",
        };
        [
            format!("`{}`", profile.name),
            with_notes(profile.title, &[layout, profile.source]),
            listed(profile.page_sizes),
            evidence(profile.lab),
        ]
    });
    table(["name", "IOMMU", "page sizes", "evidence"], rows)
}

/// What drivers take.
pub fn devices() -> String {
    let rows = device::CATALOGUE.iter().map(|profile| {
        let traits = profile.traits(None);
        let advertised = format!("advertises {}", listed(traits.page_sizes));
        let (taken, advertised) = match profile.takes_the_kernel_page(None) {
            false => (listed(traits.page_sizes), ""),
            true => ("the kernel's only".into(), advertised.as_str()),
        };
        let assumed = traits.assumed.map(|assumed| format!("assumed: {assumed}"));
        let mut notes = vec![advertised.to_owned()];
        notes.extend(traits.length_limits.iter().map(|limit| regions(limit.most)));
        notes.extend(traits.entry_limits.iter().map(entries));
        notes.extend(assumed);
        notes.push(traits.source.into());
        notes.extend(history(profile));
        let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
        let table = match traits.layout {
            Layout::None => "none".into(),
            _ => format!("{}, {} B", profile.table, traits.entry_bytes),
        };
        [
            format!("`{}`", profile.name),
            with_notes(profile.title, &notes),
            taken,
            segment(traits.max_segment),
            table,
        ]
    });
    table(
        ["name", "device", "page sizes", "segment", "table, entry"],
        rows,
    )
}

/// A title, and below it in small letters what else there is to say, the source last.
fn with_notes(title: &str, notes: &[&str]) -> String {
    let said = notes.iter().filter(|note| !note.is_empty());
    let said = said.map(|note| cell(note)).collect::<Vec<_>>().join("; ");
    format!("{}<br><small>{said}</small>", cell(title))
}

/// Sizes with commas between them.
fn listed(page_sizes: PageSizes) -> String {
    let said = sizes(page_sizes);
    if said.contains(" to ") {
        said
    } else {
        said.replace(' ', ", ")
    }
}

/// The longest region: as a rule a round number, or the byte before one.
fn regions(most: u64) -> String {
    match most.checked_add(1) {
        Some(end) if end.is_power_of_two() => format!("regions below {}", Bytes(end)),
        _ => format!("regions up to {}", Bytes(most)),
    }
}

/// The longest SG entry.
fn segment(most: u32) -> String {
    match most {
        u32::MAX => "4G − 1".into(),
        most => Bytes(u64::from(most)).to_string(),
    }
}

/// The generations of the rules.
pub fn kernels() -> String {
    let rows = kernel::GENERATIONS
        .iter()
        .map(|rules| [format!("`{}`", rules.name), cell(rules.about)]);
    table(["rules", "what they brought"], rows)
}

/// The scenes of the mail.
pub fn presets() -> String {
    let rows = PRESETS.iter().map(|preset| {
        [
            format!("[`{0}`](../#preset={0})", preset.name),
            cell(preset.title),
            cell(preset.about),
        ]
    });
    table(["preset", "scene", "what it shows"], rows)
}

fn evidence(lab: Option<&str>) -> String {
    lab.map_or("source".into(), |lab| format!("lab: {}", cell(lab)))
}
