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
//! assert_eq!(registration.scatter_count, 1);      // one run of 4M-4K
//! assert_eq!(registration.dma_count, Ok(1));      // no IOMMU: the same addresses
//! assert_eq!(registration.status(), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
//! # Ok::<(), umem_core::scenario::ScenarioError>(())
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
//! | [`address`] | virtual, physical and device addresses: three types, so that none is taken for another | |
//! | [`memory`] | what backs the region: runs of frames, generated or given | `pin_user_pages_fast()` |
//! | [`scatter`] | frames → the largest contiguous runs | `sg_alloc_append_table_from_pages()` |
//! | [`iommu`] | SG list → device addresses: identity, or placed and merged | `iommu_dma_map_sg()`, `__finalise_sg()` |
//! | [`table`] | device addresses → the device's entries, one module a policy | `ib_umem_find_best_pgsz()`, `rdma_umem_for_each_dma_block()` |
//! | [`explain`] | why an entry has its size, down to the bit | |
//! | [`kernel`], [`device`] | kernel generations and drivers, as data | |
//! | [`scenario`] | a whole question as a value; the presets | |
//! | [`registration`] | scenario → every stage's result | `ib_umem_get()` |
//! | [`advice`] | the changes that would help, each proven | |
//! | [`capture`], `vectors` | what a machine recorded: real memory, real kernels' answers | |
//! | [`diagram`] | a registration → lanes of boxes at a zoom and a moment → drawing commands → SVG | |
//!
//! A rule of the kernel is one function, which names the kernel's function and version. Where kernels
//! differ, the rule is a value of [`KernelRules`](kernel::KernelRules). What no lab has confirmed says so:
//! *from source, not verified*.
//!
//! # What it costs
//!
//! Nothing here holds a list as long as the region. Lists are iterators that allocate nothing, and what is
//! equal and adjacent is one run: a segment of 1 TiB costs what one of 4 MiB costs. Only an
//! [`Index`](registration::Index), made on request, takes memory, in proportion to the region's segments.
//!
//! # Features
//!
//! The crate is `no_std` and needs only `core` and `alloc`; it has no I/O, no clock, no randomness and no
//! `unsafe`.
//!
//! | feature | what it adds |
//! |---|---|
//! | `serde` (default) | scenarios, registrations and vectors as JSON |
//! | `schema` | the JSON Schema of the scenario format |
//! | `std` (default) | `std` in the dependencies of the above |

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod address;
pub mod advice;
pub mod capture;
pub mod device;
pub mod diagram;
pub mod explain;
pub mod iommu;
pub mod kernel;
pub mod memory;
#[cfg(feature = "serde")]
mod notation;
pub mod registration;
pub mod scatter;
pub mod scenario;
#[cfg(feature = "schema")]
mod schema;
pub mod size;
pub mod table;
#[cfg(test)]
mod testing;
#[cfg(feature = "serde")]
pub mod vectors;
