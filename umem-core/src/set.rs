//! Many regions of one process on one device: what they take together, and where they are refused.
//!
//! A [`Set`] lists registrations in the order in which the program makes them; equal ones are listed once, with their count. The
//! plan has each region's own result, the sums, and the region that exceeds a limit on all of them together: locked memory, the
//! objects of an rdma control group, the entries that a device keeps.
//!
//! ```
//! use umem_core::set::Set;
//! let set = Set::from_json(br#"{"version":1,"device":"mlx5","registrations":[
//!     {"region":{"length":"4M"},"memory":{"layout":"scattered"},"count":52},
//!     {"region":{"length":"4M"},"memory":{"page_size":"2M","layout":"scattered"},"count":157}]}"#)?;
//! let plan = set.plan()?;
//! assert_eq!((plan.total().regions, plan.total().entries), (209, 52 * 1024 + 157 * 2));
//! # Ok::<(), umem_core::scenario::ScenarioError>(())
//! ```

mod advice;
mod limits;
mod plan;
#[cfg(feature = "serde")]
mod report;

pub use crate::scenario::set::{Member, Set};
pub use advice::{SetAdvice, SetOutcome};
pub use plan::{Planned, SetPlan, SetRefusal, Total};
#[cfg(feature = "serde")]
pub use report::SetReport;
