//! The page sizes of processors under Linux, as data: the sizes that can back memory.
//!
//! No rule depends on them, because a scenario specifies its page size. They help to choose one.

use crate::size::{PageSize, PageSizes};

/// A family of machines, with its own processors, IOMMUs and switches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Platform {
    /// Intel's and AMD's 64-bit processors.
    X86,
    /// Arm's 64-bit processors.
    Arm64,
    /// IBM POWER.
    Power,
    /// IBM Z.
    S390,
    /// RISC-V.
    RiscV,
}

/// The sizes of hugetlbfs that a machine with kernel pages of `page` has for sure: on `platform`, or if that is not known, on all of
/// x86-64, arm64 and POWER that have such kernel pages.
pub fn huge_pages(platform: Option<Platform>, page: PageSize) -> PageSizes {
    let common = [Platform::X86, Platform::Arm64, Platform::Power];
    PROCESSORS
        .iter()
        .filter(|processor| processor.kernel_page == page)
        .filter(|processor| match platform {
            Some(platform) => processor.platform == platform,
            None => common.contains(&processor.platform),
        })
        .map(|processor| processor.huge.bits())
        .reduce(|one, other| one & other)
        .map_or(PageSizes::EMPTY, PageSizes::from_bits)
}

/// A processor with one size of kernel page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ProcessorProfile {
    /// Its title.
    pub title: &'static str,
    /// Its family.
    pub platform: Platform,
    /// `PAGE_SIZE`: what pinning counts in.
    pub kernel_page: PageSize,
    /// The sizes of hugetlbfs, which a program requests explicitly.
    pub huge: PageSizes,
    /// The largest transparent huge page of anonymous memory (`HPAGE_PMD_SIZE`), which a program may get without requesting it.
    pub transparent: PageSize,
    /// The function and kernel version that say so.
    pub source: &'static str,
    /// What is not established.
    pub open: Option<&'static str>,
}

const fn arm64(
    title: &'static str,
    kernel: u32,
    huge: &[u32],
    transparent: u32,
) -> ProcessorProfile {
    ProcessorProfile {
        title,
        platform: Platform::Arm64,
        kernel_page: PageSize::of_log2(kernel),
        huge: PageSizes::of_log2(huge),
        transparent: PageSize::of_log2(transparent),
        source: "arch/arm64/mm/hugetlbpage.c: contiguous PTEs, PMD, contiguous PMDs, PUD [linux 7.2]",
        open: None,
    }
}

/// The processors that RDMA is common on, each with its kernel page sizes.
pub static PROCESSORS: &[ProcessorProfile] = &[
    ProcessorProfile {
        title: "x86-64",
        platform: Platform::X86,
        kernel_page: PageSize::of_log2(12),
        huge: PageSizes::of_log2(&[21, 30]),
        transparent: PageSize::of_log2(21),
        source: "arch/x86/mm/hugetlbpage.c: arch_hugetlb_valid_size() [linux 7.2]",
        open: Some("1G needs a processor with 1G pages"),
    },
    arm64("arm64, 4K pages", 12, &[16, 21, 25, 30], 21),
    arm64("arm64, 16K pages", 14, &[21, 25, 30], 25),
    arm64("arm64, 64K pages", 16, &[21, 29, 34], 29),
    ProcessorProfile {
        title: "POWER, radix MMU",
        platform: Platform::Power,
        kernel_page: PageSize::of_log2(16),
        huge: PageSizes::of_log2(&[21, 30]),
        transparent: PageSize::of_log2(21),
        source: "arch/powerpc [linux 7.2]",
        open: Some(
            "which of POWER's sizes belong to which MMU was not checked in the source; kernels with 4K pages exist, too",
        ),
    },
    ProcessorProfile {
        title: "s390",
        platform: Platform::S390,
        kernel_page: PageSize::of_log2(12),
        huge: PageSizes::of_log2(&[20, 31]),
        transparent: PageSize::of_log2(20),
        source: "arch/s390: EDAT1, EDAT2 [linux 7.2]",
        open: Some("the transparent size is that of a PMD, not checked in the source"),
    },
    ProcessorProfile {
        title: "riscv64",
        platform: Platform::RiscV,
        kernel_page: PageSize::of_log2(12),
        huge: PageSizes::of_log2(&[16, 21, 30]),
        transparent: PageSize::of_log2(21),
        source: "arch/riscv: 2M, 1G; 64K with Svnapot [linux 7.2]",
        open: Some(
            "larger sizes where the MMU has more levels; the transparent size is that of a PMD, not checked in the source",
        ),
    },
];

#[cfg(test)]
mod tests {
    use super::{PROCESSORS, Platform, huge_pages};
    use crate::size::PageSize;
    use std::string::ToString;

    #[test]
    fn huge_pages_are_those_that_the_machine_has() {
        let sizes = |platform, log2| huge_pages(platform, PageSize::of_log2(log2)).to_string();
        assert_eq!(sizes(None, 12), "2M 1G");
        assert_eq!(sizes(Some(Platform::X86), 12), "2M 1G");
        assert_eq!(sizes(None, 14), "2M 32M 1G");
        assert_eq!(sizes(Some(Platform::Arm64), 16), "2M 512M 16G");
        assert_eq!(sizes(Some(Platform::Power), 16), "2M 1G");
        assert_eq!(sizes(None, 16), "2M");
        assert_eq!(sizes(Some(Platform::S390), 12), "1M 2G");
        assert_eq!(sizes(None, 18), "none");
    }

    #[test]
    fn a_huge_page_is_larger_than_the_kernels() {
        for processor in PROCESSORS {
            assert!(
                processor.transparent > processor.kernel_page,
                "{}",
                processor.title
            );
            assert!(
                processor.huge.smallest() > Some(processor.kernel_page),
                "{}",
                processor.title
            );
        }
    }
}
