//! What a runner recorded on a machine: a [`Scenario`](crate::scenario::Scenario) with its provenance.

use crate::{address::VirtAddr, size::Bytes};
use alloc::{format, string::String, vec::Vec};

/// Where a capture comes from, and what it can be trusted for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Provenance {
    /// The kernel's release, as `uname -r` has it.
    pub kernel: String,
    /// The kernel's page size.
    pub page_size: Bytes,
    /// The RDMA device, where there is one.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub device: Option<String>,
    /// How the IOMMU treats the device: "off", "identity", "DMA-FQ", ….
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub iommu_mode: Option<String>,
    /// When: RFC 3339, in UTC.
    pub time: String,
    /// Whether physical and virtual addresses were shifted, to hide where they lie.
    pub rebased: bool,
    /// The range that was requested; the scenario's region may be a part of it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub asked: Option<Asked>,
    /// What the capture lacks of it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub left_out: Option<LeftOut>,
    /// The pages that a registration would replace.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub moves_when_registered: Option<Moves>,
    /// Why a registration for local writes would fail on that kernel.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub refused_when_registered: Option<RefusedPages>,
    /// How many bytes the process had pinned (`VmPin`). 0: it had registered nothing, unless without pinning (on-demand paging);
    /// shared memory may have been registered by another process.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub pinned: Option<Bytes>,
    /// How many pages had moved when some were read a second time.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub moved: Option<Moved>,
    /// What neither the user nor the machine specified.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub assumed: Assumed,
}

/// Assumptions in the scenario, a sentence each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct Assumed {
    /// Of `device`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub device: Option<String>,
    /// Of `iommu`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub iommu: Option<String>,
    /// Of `kernel.rules`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rules: Option<String>,
}

/// What a second reading of pages found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Moved {
    /// How many pages were read again.
    pub looked: u64,
    /// How many of these lay elsewhere by then.
    pub moved: u64,
}

/// The memory that was requested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Asked {
    /// The first byte; shifted like all virtual addresses of a rebased capture.
    pub start: VirtAddr,
    /// How many bytes.
    pub length: Bytes,
}

/// What a capture lacks, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct LeftOut {
    /// With nothing behind them.
    pub absent: u64,
    /// In swap.
    pub swapped: u64,
    /// Resident, but outside the longest stretch without a hole.
    pub elsewhere: u64,
    /// Not read, because reading failed.
    pub unread: u64,
}

impl LeftOut {
    /// All of them.
    pub fn pages(&self) -> u64 {
        self.absent + self.swapped + self.elsewhere + self.unread
    }
}

/// Captured pages that a long-term pin (`FOLL_LONGTERM`, which every registration is) replaces, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Moves {
    /// The zero page, behind memory that was only read so far: pinning allocates a page.
    pub zero: u64,
    /// Shared with another process since a fork, by KSM or with the page cache of a private mapping: pinning copies it.
    pub shared: u64,
    /// Exclusive, but in `ZONE_MOVABLE`: pinning migrates it out of there.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub movable: u64,
}

#[cfg(feature = "serde")]
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Moves {
    /// All of them.
    pub fn pages(&self) -> u64 {
        self.zero + self.shared + self.movable
    }
}

/// Captured pages that a registration for local writes (`IBV_ACCESS_LOCAL_WRITE`) cannot pin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct RefusedPages {
    /// How many.
    pub pages: u64,
    /// What `ibv_reg_mr()` sets: "EFAULT".
    pub errno: String,
    /// Why, and which mapping.
    pub text: String,
}

impl Provenance {
    /// Whether the capture lacks pages that were to be captured.
    pub fn is_partial(&self) -> bool {
        self.left_out.is_some_and(|left_out| left_out.pages() > 0)
    }

    /// What a reader of the capture must know, a sentence each: its origin, then its limits.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let device = match (&self.device, &self.iommu_mode) {
            (Some(device), Some(mode)) => format!(", device {device} (IOMMU: {mode})"),
            (Some(device), None) => format!(", device {device}"),
            (None, _) => String::new(),
        };
        let addresses = if self.rebased { "rebased" } else { "real" };
        sentences.push(format!(
            "Captured on Linux {} ({} pages), {}{device}; addresses are {addresses}.",
            self.kernel, self.page_size, self.time
        ));
        sentences.extend(self.partial());
        if let Some(refused) = &self.refused_when_registered {
            let pages = counted(refused.pages);
            sentences.push(format!(
                "Registering {pages} fails with {}: {}.",
                refused.errno, refused.text
            ));
        }
        sentences.extend(self.moving());
        if let Some(Moved {
            looked,
            moved: moved @ 1..,
        }) = self.moved
        {
            sentences.push(format!(
                "{moved} of {} that were read a second time had moved meanwhile: only pinned memory stays.",
                counted(looked)
            ));
        }
        let Assumed {
            device,
            iommu,
            rules,
        } = &self.assumed;
        let assumed = [device, iommu, rules].into_iter().flatten();
        sentences.extend(assumed.map(|what| format!("Assumed: {what}.")));
        sentences
    }

    fn partial(&self) -> Option<String> {
        let left_out = self.left_out.filter(|left_out| left_out.pages() > 0)?;
        let parts = [
            (left_out.absent, "absent"),
            (left_out.swapped, "in swap"),
            (left_out.elsewhere, "resident outside this stretch"),
            (left_out.unread, "not read"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(pages, _)| *pages > 0)
            .map(|(pages, what)| format!("{pages} {what}"))
            .collect();
        let of = match (&self.asked, self.page_size) {
            (Some(asked), Bytes(page)) if page > 0 => {
                format!(" of {}", counted(pages_of(asked, page)))
            }
            _ => " pages".into(),
        };
        Some(format!(
            "Partial: {}{of} left out ({}).",
            left_out.pages(),
            parts.join(", ")
        ))
    }

    fn moving(&self) -> Option<String> {
        let moves = self
            .moves_when_registered
            .filter(|moves| moves.pages() > 0)?;
        let parts = [
            (moves.zero, "the zero page"),
            (moves.shared, "shared, so copied"),
            (moves.movable, "in ZONE_MOVABLE"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(pages, _)| *pages > 0)
            .map(|(pages, what)| format!("{pages} {what}"))
            .collect();
        let pages = counted(moves.pages());
        Some(format!(
            "Registering replaces {pages} ({}), so the real table differs: capture while the memory is registered.",
            parts.join(", ")
        ))
    }
}

/// How many pages of `page` bytes the bytes asked for touch.
fn pages_of(asked: &Asked, page: u64) -> u64 {
    let into = asked.start.get() % page;
    into.saturating_add(asked.length.0).div_ceil(page)
}

/// "1 page", "2 pages".
fn counted(pages: u64) -> String {
    match pages {
        1 => "1 page".into(),
        _ => format!("{pages} pages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_capture_says_where_it_comes_from_and_no_more() {
        let provenance = Provenance {
            kernel: "6.1.192".into(),
            page_size: Bytes(4096),
            device: Some("mlx5_0".into()),
            iommu_mode: Some("DMA-FQ".into()),
            time: "2026-11-28T12:00:00Z".into(),
            rebased: true,
            left_out: Some(LeftOut::default()),
            moves_when_registered: Some(Moves::default()),
            ..Provenance::default()
        };
        assert!(!provenance.is_partial());
        assert_eq!(
            provenance.sentences(),
            [
                "Captured on Linux 6.1.192 (4K pages), 2026-11-28T12:00:00Z, device mlx5_0 (IOMMU: DMA-FQ); addresses are rebased."
            ]
        );
    }

    #[test]
    fn what_limits_a_capture_is_said() {
        let provenance = Provenance {
            kernel: "6.18".into(),
            page_size: Bytes(4096),
            time: "t".into(),
            asked: Some(Asked {
                start: VirtAddr::new(0x1800),
                length: Bytes(0x3000),
            }),
            left_out: Some(LeftOut {
                absent: 1,
                elsewhere: 2,
                ..LeftOut::default()
            }),
            moves_when_registered: Some(Moves {
                zero: 1,
                ..Moves::default()
            }),
            refused_when_registered: Some(RefusedPages {
                pages: 2,
                errno: "EFAULT".into(),
                text: "the mapping is read-only".into(),
            }),
            moved: Some(Moved {
                looked: 4,
                moved: 3,
            }),
            assumed: Assumed {
                device: Some("the device is mlx5".into()),
                ..Assumed::default()
            },
            ..Provenance::default()
        };
        assert!(provenance.is_partial());
        assert_eq!(
            provenance.sentences()[1..],
            [
                "Partial: 3 of 4 pages left out (1 absent, 2 resident outside this stretch).",
                "Registering 2 pages fails with EFAULT: the mapping is read-only.",
                "Registering replaces 1 page (1 the zero page), so the real table differs: capture while the memory is registered.",
                "3 of 4 pages that were read a second time had moved meanwhile: only pinned memory stays.",
                "Assumed: the device is mlx5.",
            ]
        );
    }
}
