//! How Linux turns a pinned memory region into an RDMA device's page-table entries: the rules,
//! exact to the kernel.
//!
//! When a program registers memory with an RDMA NIC, Linux pins its pages, gathers them into a
//! scatter-gather list, maps that through the IOMMU, and cuts it into the page sizes that the NIC
//! supports, with as few entries as it can. A mail of August 2018 argued out how. Its example,
//! 4 MiB of two 2M pages starting 4K in, for a device with pages of 4K, 1M and 2M:
//!
//! ```
//! use umem_core::{registration::Registration, scenario::presets};
//!
//! let mail = presets::find("mail").unwrap().scenario();
//! let registration = Registration::new(&mail)?;
//!
//! assert_eq!(registration.pages(), 1023);         // pinned, in batches of 512
//! assert_eq!(registration.scatter_count(), 1);    // one run of 4M-4K
//! assert_eq!(registration.dma_count(), Ok(1));    // no IOMMU: the same addresses
//! assert_eq!(registration.status(), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
//! # Ok::<(), umem_core::scenario::ScenarioError>(())
//! ```
//!
//! # Where to start
//!
//! | you have | start at |
//! |---|---|
//! | a scenario in JSON, a capture, or a preset | [`Registration::new`](registration::Registration::new) |
//! | the frames of a region, as runs or numbers | [`Umem::builder`](umem::Umem::builder) |
//! | a mapped list: DMA addresses and lengths | [`Consecutive`](address::Consecutive), [`Mr::new`](table::Mr::new), then [`best_page_size`](table::single::best_page_size) or [`blocks`](table::blocks()) |
//! | a table, and the question why it is not smaller | [`explain`], [`advice`] |
//!
//! The third of these, whole: which page size a list of segments gets, and why not a larger one.
//!
//! ```
//! use umem_core::address::{Consecutive, DmaAddr, VirtAddr};
//! use umem_core::explain::best_page_size_limits;
//! use umem_core::kernel::KernelRules;
//! use umem_core::size::{PageSize, PageSizes};
//! use umem_core::table::{Mr, single};
//!
//! // What the device sees of 4M: two segments of 2M, the second at a multiple of 1M only.
//! let segments = Consecutive::new([(DmaAddr::new(0x4000_0000), 2 << 20), (DmaAddr::new(0x4050_0000), 2 << 20)]);
//! let mr = Mr::new(VirtAddr::new(0x7f00_0000_0000), 4 << 20, PageSize::K4);
//! let (sizes, rules) = (PageSizes::from([PageSize::K4, PageSize::M2]), KernelRules::newest());
//!
//! let best = single::best_page_size(segments.clone(), &mr, sizes, rules);
//! assert_eq!(best, Some(PageSize::K4));
//! let why = best_page_size_limits(segments, &mr, sizes, rules);
//! assert_eq!((why[0].code, why[0].bit), ("congruence", Some(20)));
//! assert_eq!(
//!     why[0].text,
//!     "The NIC's address 0x7f0000200000 and the device address 0x40500000 differ in bit 20, so 2M falls to 4K: 1024 entries instead of 2."
//! );
//! ```
//!
//! # The pipeline
//!
//! Data flows one way, through one room a stage:
//!
//! ```text
//! Scenario ── memory ──▶ frames ── scatter ──▶ ScatterList ── iommu ──▶ DmaList ── table ──▶ entries
//! ```
//!
//! | room | what lives there | in the kernel [linux 7.2] |
//! |---|---|---|
//! | [`size`] | page sizes, and sets of them as bitmaps | `unsigned long pgsz_bitmap` |
//! | [`address`] | virtual, physical and device addresses as three types | |
//! | [`memory`] | what backs the region: runs of frames, generated or given | `pin_user_pages_fast()` |
//! | [`scatter`] | frames → the largest contiguous runs | `sg_alloc_append_table_from_pages()` |
//! | [`iommu`] | SG list → device addresses: identity, or placed and merged | `iommu_dma_map_sg()`, `__finalise_sg()` |
//! | [`table`] | device addresses → the device's entries, one module a policy | `ib_umem_find_best_pgsz()`, `rdma_umem_for_each_dma_block()` |
//! | [`explain`] | why an entry has its size, down to the bit | |
//! | [`gate`] | where a registration can be refused, with which errno | |
//! | [`kernel`], [`device`], [`processor`] | kernels by release, drivers and CPUs, as data | |
//! | [`evidence`] | who says that each rule is so | |
//! | [`scenario`] | a whole question as a value; the presets | |
//! | [`set`] | many regions on one device: what they take together, and which one is refused | |
//! | [`registration`] | scenario → every stage's result | `ib_umem_get()` |
//! | [`umem`] | the same without a scenario, from frames, a device and an IOMMU of your own | `struct ib_umem` |
//! | [`advice`] | the changes that would help, each verified by computing it | |
//! | [`exhibits`] | the mail's own code, tried on a registration | |
//! | [`report`] | a registration as JSON | |
//! | [`capture`], `vectors` | what a machine recorded: real memory, real kernels' answers | |
//! | [`diagram`] | a registration → lanes of boxes at a zoom and a moment → drawing commands → SVG | |
//!
//! A rule of the kernel is one function, which names the kernel's function and version. Where kernels
//! differ, the rule is a value of [`KernelRules`](kernel::KernelRules). The result's [`evidence`] says who confirms each rule: a
//! running kernel, a public report, the source, or only a mail.
//!
//! # From the kernel to here
//!
//! | in the kernel [linux 7.2, or as said] | here |
//! |---|---|
//! | `ib_umem_get()`, since 7.2 `__ib_umem_get_va()` | [`Registration::of`](registration::Registration::of), [`UmemBuilder::get`](umem::UmemBuilder::get) |
//! | its batches for `pin_user_pages_fast()` | [`scatter::batch_pages`] |
//! | `ib_umem_num_pages()`, `ib_umem_offset()` | [`Mr::pages`](table::Mr::pages), [`Mr::page_offset`](table::Mr::page_offset) |
//! | `ib_dma_max_seg_size()` | [`scatter::longest_entry`] |
//! | `sg_alloc_append_table_from_pages()` | [`ScatterList`](scatter::ScatterList), [`Coalescing::AnyPage`](scatter::Coalescing::AnyPage) |
//! | `ib_umem_add_sg_table()` [5.2 to 5.9] | [`Coalescing::WholeBatchRun`](scatter::Coalescing::WholeBatchRun) |
//! | `__sg_alloc_table()`, `get_next_sg()` | [`ListCost`](scatter::ListCost) |
//! | `dma_direct_map_sg()` | [`DmaList::identity`](iommu::DmaList::identity) |
//! | `iommu_dma_map_sg()`, its pads and errors | [`Translation::map`](iommu::Translation::map) |
//! | `iommu_dma_alloc_iova()`, `alloc_iova_fast()` | [`Translation::place`](iommu::Translation::place) |
//! | `__finalise_sg()` | [`DmaList::translated`](iommu::DmaList::translated) |
//! | `ppc_iommu_map_sg()` | [`IovaLayout::EachEntry`](iommu::IovaLayout::EachEntry) |
//! | `iommu_map_sg()`, `pt_compute_best_pgsize()`, [6.1] `iommu_pgsize()` | [`IoPages`](iommu::IoPages) |
//! | `ib_umem_find_best_pgsz()` | [`single::best_page_size`](table::single::best_page_size), [`Sweep`](table::single::Sweep) |
//! | `ib_umem_num_dma_blocks()` | [`single::block_count`](table::single::block_count) |
//! | `rdma_umem_for_each_dma_block()`, `__rdma_block_iter_next()` | [`Single`](table::single::Single), [`BlockIterator`](kernel::BlockIterator) |
//! | `ib_umem_add_page_sg()`, as the mail meant it and as it wrote it | [`Tiling`](tiling::Tiling), [`Draft`](table::mail::Draft) |
//!
//! The tests (`tests/rules`) hold them against slow twins, transcribed from the C.
//!
//! # What it costs
//!
//! Lists are iterators that allocate nothing, and equal neighbours are one run, so a segment of 1 TiB costs what one of 4 MiB
//! costs. Only an [`Index`](registration::Index), made on request, takes memory: in proportion to the region's segments.
//!
//! # Features
//!
//! The crate is `no_std` and needs only `core` and `alloc`; it has no I/O, no clock, no randomness and no
//! `unsafe`.
//!
//! | feature | what it adds |
//! |---|---|
//! | `serde` (default) | results and vectors as JSON; serde's traits. Scenarios are read and written without it |
//! | `diagram` (default) | a registration as lanes of boxes, drawing commands and SVG |
//! | `words` (default) | sources, titles and assumptions, for people; without it these texts are empty, causes and ways out are not |
//! | `guide` (default) | advice that combines changes, remedies for refusals, the picture of a whole list |
//! | `import` (default) | scenarios of log lines, smaps, and what `rdma` prints |
//! | `schema` | the JSON Schema of the scenario format |
//! | `std` (default) | `std` in the dependencies of the above |
//!
//! Rust 1.95 or later; a newer minimum is a new minor version.
//!
//! # Panics
//!
//! A [`Scenario`](scenario::Scenario) that resolved and a [`Umem`](umem::Umem) that was built never panic, however large. Untrusted text, JSON,
//! frames and IOMMUs get errors. Functions that can panic say when. Those of the lower floor ([`scatter`], [`iommu`],
//! [`table`], [`tiling`]) trust that runs are not empty and end below 2^64; a sum that overflows there panics where overflow checks
//! are on, and wraps around elsewhere.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod address;
pub mod advice;
pub mod capture;
#[cfg(feature = "guide")]
pub mod cost;
pub mod device;
#[cfg(feature = "diagram")]
pub mod diagram;
pub mod evidence;
pub mod exhibits;
pub mod explain;
pub mod gate;
#[cfg(feature = "import")]
pub mod import;
pub mod iommu;
pub mod kernel;
pub mod memory;
#[cfg(feature = "serde")]
mod notation;
mod process;
pub mod processor;
pub mod registration;
#[cfg(feature = "serde")]
pub mod report;
mod request;
pub mod scatter;
pub mod scenario;
#[cfg(feature = "schema")]
mod schema;
pub mod set;
pub mod size;
pub mod table;
#[cfg(test)]
mod testing;
pub mod tiling;
pub mod umem;
#[cfg(feature = "serde")]
pub mod vectors;
mod words;

/// The README's examples, so that they are tested.
#[cfg(all(doctest, feature = "serde"))]
#[doc = include_str!("../README.md")]
struct Readme;
