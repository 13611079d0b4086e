#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
//! (to be written)

extern crate alloc;
#[cfg(any(feature = "std", test))]
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
pub mod size;
pub mod table;
#[cfg(test)]
mod testing;
#[cfg(feature = "serde")]
pub mod vectors;
