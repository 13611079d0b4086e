//! What the kernel made of pages, held against the rules.

use umem_core::{
    address::{Bits, DmaAddr, FrameNumber, PhysAddr},
    kernel::KernelRules,
    size::PageSize,
    vectors::{Iommu, Sg, Vector},
};

use super::{Addressing, Way};
use crate::{probe::Run, recording};

/// What the kernel made of a region.
pub struct Lists {
    /// The kernel's page.
    pub page: PageSize,
    /// The pages' frames: the number of the first of a run, and how many.
    pub pfns: Vec<Run>,
    /// The SG list: physical addresses and bytes.
    pub sg: Vec<Run>,
    /// The DMA list.
    pub dma: Vec<Run>,
}

impl Lists {
    /// Whether they are what the rules say.
    pub fn verify(&self, way: Way, rules: &KernelRules) -> Result<(), String> {
        let Way {
            addressing,
            limits: (max_segment, boundary),
            ..
        } = way;
        let replay = |vector: Vector| vector.replay(rules).map_err(|error| error.to_string());
        let pfns = recording::list(&self.pfns, FrameNumber::new);
        let sg = Some(recording::list(&self.sg, PhysAddr::new));
        if let Addressing::Translated(iommu) = addressing {
            return replay(Vector::Iommu(Iommu {
                page: self.page,
                iommu: iommu.map(str::to_owned),
                pfns,
                max_segment,
                err: 0,
                sg,
                boundary: Some(Bits::new(boundary)),
                maperr: Some(0),
                dma: Some(recording::list(&self.dma, DmaAddr::new)),
            }));
        }
        replay(Vector::Sg(Sg {
            page: self.page,
            pfns,
            max_segment,
            err: 0,
            sg,
        }))?;
        let base = match (addressing, &self.dma[..], &self.sg[..]) {
            (Addressing::Virtual, [dma, ..], [sg, ..]) => dma.start.wrapping_sub(sg.start),
            _ => 0,
        };
        let expected = self.sg.iter().map(|run| Run {
            start: run.start.wrapping_add(base),
            ..*run
        });
        if expected.eq(self.dma.iter().copied()) {
            Ok(())
        } else {
            Err("the DMA list is not the SG list, address by address".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: u64 = 1 << 20;

    fn run(start: u64, length: u64) -> Run {
        Run { start, length }
    }

    /// Two 2M pages, the second right below the first, from the second 4K page on.
    fn descending(dma: &[Run]) -> Lists {
        Lists {
            page: PageSize::K4,
            pfns: vec![run(0x12001, 511), run(0x11e00, 512)],
            sg: vec![run(0x1200_1000, 2 * M - 4096), run(0x11e0_0000, 2 * M)],
            dma: dma.to_vec(),
        }
    }

    #[test]
    fn every_kind_of_address_is_held_against_its_own_rule() {
        let way = |addressing| Way {
            addressing,
            limits: (u32::MAX, u32::MAX.into()),
            mask: u64::MAX,
        };
        let physical = [run(0x1200_1000, 2 * M - 4096), run(0x11e0_0000, 2 * M)];
        let base = 0xffff_8880_0000_0000;
        let shifted = physical.map(|one| run(one.start + base, one.length));
        let merged = [run(0xffc0_0000, 4 * M - 4096)];
        let rules = KernelRules::newest();
        let verdict = |dma: &[Run], addressing| {
            let lists = descending(dma);
            lists.verify(way(addressing), rules).is_ok()
        };

        assert!(verdict(&physical, Addressing::Physical));
        assert!(verdict(&shifted, Addressing::Virtual));
        assert!(verdict(&merged, Addressing::Translated(None)));

        assert!(!verdict(&shifted, Addressing::Physical));
        assert!(!verdict(&[shifted[0], physical[1]], Addressing::Virtual));
        assert!(!verdict(&physical, Addressing::Translated(None)));
        assert!(!verdict(
            &[run(0xffc0_1000, 4 * M - 4096)],
            Addressing::Translated(None)
        ));
        let mut torn = descending(&physical);
        torn.sg[0].length -= 4096;
        assert!(torn.verify(way(Addressing::Physical), rules).is_err());
    }
    /// Two regions of 64K pages, as POWER's 4K tables lay them: side by side in the large pool, aligned to the page alone.
    #[test]
    fn power_is_held_against_its_own_tables() {
        let lists = |dma: &[Run]| Lists {
            page: PageSize::of_log2(16),
            pfns: vec![run(0x200, 2), run(0x100, 1)],
            sg: vec![run(0x200_0000, 0x2_0000), run(0x100_0000, 0x1_0000)],
            dma: dma.to_vec(),
        };
        let way = Way {
            addressing: Addressing::Translated(Some("power")),
            limits: (u32::MAX, u32::MAX.into()),
            mask: u64::MAX,
        };
        let rules = KernelRules::newest();
        let verdict = |dma: &[Run]| lists(dma).verify(way, rules).is_ok();
        assert!(verdict(&[run(0x3003_0000, 0x3_0000)]));
        assert!(!verdict(&[
            run(0x3003_0000, 0x2_0000),
            run(0x3006_0000, 0x1_0000)
        ]));
        let window = Way {
            addressing: Addressing::Translated(Some("power-direct")),
            ..way
        };
        let moved = |run: &Run| Run {
            start: run.start + (1 << 59),
            ..*run
        };
        let physical = lists(&[]).sg;
        let direct: Vec<_> = physical.iter().map(moved).collect();
        assert!(lists(&direct).verify(window, rules).is_ok());
        assert!(lists(&physical).verify(window, rules).is_err());
    }
}
