//! The catalogues as tables.

use umem_core::{
    device::{self, Sizing},
    iommu::{self, IovaLayout},
    kernel,
    processor::PROCESSORS,
    scenario::presets::PRESETS,
    size::Bytes,
};

use super::{cell, table};
use crate::commands::list::sizes;

/// The page sizes of processors.
pub fn processors() -> String {
    let rows = PROCESSORS.iter().map(|processor| {
        let note = processor
            .open
            .map_or_else(String::new, |open| format!(" ({open})"));
        [
            processor.title.into(),
            processor.kernel_page.to_string(),
            processor.huge.to_string(),
            processor.transparent.to_string(),
            cell(&format!("{}{note}", processor.source)),
        ]
    });
    table(
        [
            "processor",
            "kernel's page",
            "hugetlbfs",
            "transparent",
            "source",
        ],
        rows,
    )
}

/// The page sizes of IOMMUs.
pub fn iommus() -> String {
    let rows = iommu::CATALOGUE.iter().map(|profile| {
        let mapping = match profile.layout {
            IovaLayout::OneAllocation => "whole, in one IOVA range",
            IovaLayout::EachEntry => "each SG entry by itself",
        };
        [
            format!("`{}`", profile.name),
            cell(profile.title),
            sizes(profile.page_sizes),
            mapping.into(),
            verified(profile.verified),
            cell(profile.source),
        ]
    });
    table(
        [
            "name",
            "IOMMU",
            "page sizes",
            "maps a region",
            "verified",
            "source",
        ],
        rows,
    )
}

/// What drivers take.
pub fn devices() -> String {
    let rows = device::CATALOGUE.iter().map(|profile| {
        let taken = match profile.sizing {
            Sizing::Best => sizes(profile.page_sizes),
            Sizing::KernelPage => format!(
                "the kernel's only (advertises {})",
                sizes(profile.page_sizes)
            ),
        };
        let limits = [
            profile.max_length.map(regions),
            profile.max_entries.map(|most| format!("{most} entries")),
            profile.assumed.map(|assumed| format!("assumed: {assumed}")),
        ];
        [
            format!("`{}`", profile.name),
            cell(profile.title),
            taken,
            segment(profile.max_segment),
            format!("{}, {} B", profile.table, profile.entry_bytes),
            cell(&limits.into_iter().flatten().collect::<Vec<_>>().join("; ")),
            cell(profile.source),
        ]
    });
    table(
        [
            "name",
            "device",
            "page sizes",
            "segment",
            "table, entry",
            "limits",
            "source",
        ],
        rows,
    )
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
    let rows = kernel::GENERATIONS.iter().map(|rules| {
        [
            format!("`{}`", rules.name),
            cell(rules.about),
            verified(rules.verified),
        ]
    });
    table(["rules", "what they brought", "verified"], rows)
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

fn verified(lab: Option<&str>) -> String {
    lab.map_or("from source, not verified".into(), cell)
}
