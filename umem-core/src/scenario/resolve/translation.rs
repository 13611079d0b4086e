//! The IOMMU of a scenario.

use super::{ScenarioError, parse_page_sizes, power_of_two, unknown};
use crate::{
    iommu::{self, Iova, Translation, TranslationError},
    scenario::{IommuObject, IommuSpec, IovaSpec, Scenario},
    size::PageSize,
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
        // Apple's DART: a granule above the kernel's page means identity. Elsewhere the kernel refuses the domain.
        if translation.granule() > page && profile.is_some_and(|profile| profile.name == "dart") {
            return Ok((None, profile));
        }
        translation.check(page).map_err(|error| {
            let field = match error {
                TranslationError::LargePages { .. } if object.page_sizes.is_none() => "iommu",
                TranslationError::LargePages { .. } | TranslationError::NoPageSize => {
                    "iommu.page_sizes"
                }
                TranslationError::NoMask { .. } | TranslationError::SmallBoundary { .. } => {
                    "iommu.segment_boundary"
                }
                TranslationError::AddressBits { .. } => "iommu.address_bits",
                TranslationError::Misaligned { .. } => "iommu.iova",
            };
            ScenarioError::new(field, error)
        })?;
        Ok((Some(translation), profile))
    }
}
