//! The page sizes of processors under Linux, as data: the sizes that can back memory.
//!
//! No rule depends on them, because a scenario specifies its page size. They help to choose one.

use crate::size::{PageSize, PageSizes};

/// A processor with one size of kernel page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ProcessorProfile {
    /// Its title.
    pub title: &'static str,
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
        kernel_page: PageSize::of_log2(12),
        huge: PageSizes::of_log2(&[20, 31]),
        transparent: PageSize::of_log2(20),
        source: "arch/s390: EDAT1, EDAT2 [linux 7.2]",
        open: Some("the transparent size is that of a PMD, not checked in the source"),
    },
    ProcessorProfile {
        title: "riscv64",
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
    use super::PROCESSORS;

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
