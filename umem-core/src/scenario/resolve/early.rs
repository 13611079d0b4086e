//! The gates before the SG list, for any region: the kernel also answers for invalid ones.

use super::{ScenarioError, kernel_page, power_of_two};
use crate::{address::VirtAddr, gate::GateAnswer, request::Request, scenario::Scenario};
use alloc::vec::Vec;

impl Scenario {
    /// What the gates before the SG list answer, up to the first that refuses.
    ///
    /// Of a region that [`resolve`](Self::resolve) accepts, [`Registration::gates`](crate::registration::Registration::gates) says
    /// more. This takes any region, also an empty one and one that wraps around, which are errors of the scenario there.
    ///
    /// # Errors
    /// A kernel, a device or an area that is wrong.
    pub fn gates_before_gathering(&self) -> Result<Vec<GateAnswer>, ScenarioError> {
        let page = kernel_page(self.kernel.page_size)?;
        let (areas, device) = (self.areas(page)?, self.device(page, &self.kernel()?)?);
        let start = self.region.va.get().wrapping_add(self.region.offset.0);
        let request = Request {
            kind: self.kind(),
            start,
            length: self.region.length.0,
            hca: self.region.hca_address.map_or(start, VirtAddr::get),
            page,
            memory_page: match self.memory.page_size {
                Some(size) => power_of_two("memory.page_size", size)?,
                None => page,
            },
            process: &self.process,
            areas: &areas,
            captured: None,
            device: &device,
        };
        Ok(request.answers())
    }
}
