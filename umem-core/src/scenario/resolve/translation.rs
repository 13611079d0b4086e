//! The IOMMU of a scenario.

use super::{ScenarioError, parse_page_sizes, power_of_two, unknown};
use crate::{
    iommu::{self, Iova, Translation},
    scenario::{IommuObject, IommuSpec, IovaSpec, Scenario},
    size::{Bytes, PageSize},
};

impl Scenario {
    pub(super) fn iommu(
        &self,
        page: PageSize,
    ) -> Result<(Option<Translation>, Option<&'static iommu::IommuProfile>), ScenarioError> {
        let names = || {
            [IommuSpec::OFF]
                .into_iter()
                .chain(iommu::CATALOGUE.iter().map(|profile| profile.name))
        };
        let nothing = IommuObject::default();
        let (object, profile) = match &self.iommu {
            IommuSpec::Name(name) if name == IommuSpec::OFF => return Ok((None, None)),
            IommuSpec::Name(name) => (
                &nothing,
                Some(iommu::find(name).ok_or_else(|| unknown("iommu", name, names()))?),
            ),
            IommuSpec::Custom(object) => (object, object.name.as_deref().and_then(iommu::find)),
        };
        let base = profile.unwrap_or(&iommu::CATALOGUE[0]).translation();
        let page_sizes = match &object.page_sizes {
            Some(sizes) => parse_page_sizes("iommu.page_sizes", sizes)?,
            None => base.page_sizes,
        };
        let translation = Translation {
            page_sizes,
            iova: match object.iova {
                IovaSpec::Kernel => Iova::Kernel,
                IovaSpec::At(address) => Iova::At(address),
            },
            boundary_mask: match object.segment_boundary {
                Some(size) => power_of_two("iommu.segment_boundary", size)?.mask(),
                None => base.boundary_mask,
            },
            address_bits: object.address_bits.unwrap_or(base.address_bits),
            layout: base.layout,
        };
        if translation.granule() > page {
            // Apple's DART: a granule above the kernel's page means identity. Elsewhere the kernel refuses the domain.
            if profile.is_some_and(|profile| profile.name == "dart") {
                return Ok((None, profile));
            }
            return Err(ScenarioError::new(
                if object.page_sizes.is_some() {
                    "iommu.page_sizes"
                } else {
                    "iommu"
                },
                format_args!(
                    "its smallest page ({}) is larger than the kernel's ({page}), and then Linux does not use it",
                    translation.granule()
                ),
            ));
        }
        if translation.boundary_mask < page.mask() {
            return Err(ScenarioError::new(
                "iommu.segment_boundary",
                format_args!(
                    "{} is less than the kernel's page ({page})",
                    Bytes(translation.boundary_mask + 1)
                ),
            ));
        }
        if !(page.log2() + 1..=64).contains(&translation.address_bits) {
            return Err(ScenarioError::new(
                "iommu.address_bits",
                format_args!(
                    "{} is not between {} and 64",
                    translation.address_bits,
                    page.log2() + 1
                ),
            ));
        }
        if let Iova::At(address) = translation.iova
            && address.offset_in(translation.granule()) != 0
        {
            return Err(ScenarioError::new(
                "iommu.iova",
                format_args!(
                    "{address} is no multiple of the smallest IO page ({})",
                    translation.granule()
                ),
            ));
        }
        Ok((Some(translation), profile))
    }
}
