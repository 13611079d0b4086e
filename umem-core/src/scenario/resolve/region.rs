//! The region of a scenario.

use super::{Problem, ScenarioError};
use crate::{
    scenario::Scenario,
    size::{Bytes, PageSize},
    table::Mr,
};

impl Scenario {
    pub(super) fn mr(&self, page: PageSize) -> Result<Mr, ScenarioError> {
        let region = &self.region;
        let (va, Bytes(offset), Bytes(length)) = (region.va, region.offset, region.length);
        if va.offset_in(page) != 0 {
            let problem = Problem::VaInPage { va, page };
            return Err(ScenarioError::new("region.va", problem));
        }
        if length == 0 {
            return Err(ScenarioError::new("region.length", Problem::EmptyRegion));
        }
        let wraps = |field, length, from| {
            move || ScenarioError::new(field, Problem::Wraps { length, from })
        };
        let address = va
            .checked_add(offset)
            .ok_or_else(wraps("region.offset", offset, va))?;
        // `PAGE_ALIGN(addr + size)` must not wrap either.
        address
            .checked_add(length)
            .and_then(|end| end.align_up(page))
            .ok_or_else(wraps("region.length", length, address))?;
        let hca = region.hca_address.unwrap_or(address);
        let mr = Mr {
            address,
            length,
            hca_address: hca,
            page,
            offset,
        };
        let pages = mr.pages();
        if pages > u64::from(u32::MAX) {
            let problem = Problem::TooManyPages {
                length,
                pages,
                page,
            };
            return Err(ScenarioError::new("region.length", problem));
        }
        if hca.offset_in(page) != mr.page_offset() {
            let problem = Problem::HcaOffset { hca, address, page };
            return Err(ScenarioError::new("region.hca_address", problem));
        }
        hca.checked_add(length)
            .ok_or_else(wraps("region.hca_address", length, hca))?;
        Ok(mr)
    }
}
