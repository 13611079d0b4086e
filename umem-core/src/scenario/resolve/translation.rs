//! The IOMMU of a scenario.

use super::{Problem, ScenarioError, parse_page_sizes, power_of_two, unknown};
use crate::{
    device::Device,
    iommu::{self, Iova, Translation, TranslationError},
    memory::{Exporter, Kind},
    scenario::{IommuObject, IommuSpec, IovaSpec, Scenario},
    table::Mr,
};

impl Scenario {
    pub(super) fn iommu(
        &self,
        mr: &Mr,
        device: &Device,
    ) -> Result<(Option<Translation>, Option<&'static iommu::IommuProfile>), ScenarioError> {
        let page = mr.page;
        let nothing = IommuObject::default();
        let (object, profile) = match &self.iommu {
            IommuSpec::Name(name) if name == IommuSpec::OFF => return Ok((None, None)),
            IommuSpec::Name(name) => {
                let known = || [IommuSpec::OFF].into_iter().chain(iommu::names());
                let profile = iommu::find(name).ok_or_else(|| unknown("iommu", name, known()))?;
                (&nothing, Some(profile))
            }
            IommuSpec::Custom(object) => (object, object.name.as_deref().and_then(iommu::find)),
        };
        let base = profile.unwrap_or(iommu::DEFAULT).translation();
        let mut translation = translation(object, base)?;
        if object.iova == IovaSpec::Congruent {
            translation.iova = self.congruent(mr, device);
        }
        // Apple's DART: a granule above the kernel's page means identity. Elsewhere the kernel refuses the domain.
        if translation.granule() > page
            && profile.is_some_and(|profile| profile.identity_above_page)
        {
            return Ok((None, profile));
        }
        let checked = match self.memory.exporter {
            Exporter::DmaMap => translation,
            Exporter::PerEntry => translation.entry_by_entry(),
        };
        checked.check(page).map_err(|error| {
            let field = match error {
                TranslationError::LargePages { .. } if object.page_sizes.is_none() => "iommu",
                TranslationError::LargePages { .. } | TranslationError::NoPageSize => {
                    "iommu.page_sizes"
                }
                TranslationError::NoMask { .. } | TranslationError::SmallBoundary { .. } => {
                    "iommu.segment_boundary"
                }
                TranslationError::AddressBits { .. } => "iommu.address_bits",
                TranslationError::Misaligned { .. } | TranslationError::NoRange => "iommu.iova",
            };
            ScenarioError::new(field, Problem::Iommu(error))
        })?;
        Ok((Some(translation), profile))
    }
}

impl Scenario {
    /// Where the NIC's address has its low bits, up to the device's largest page size.
    fn congruent(&self, mr: &Mr, device: &Device) -> Iova {
        // Of a dma-buf the whole is mapped, and the region may begin anywhere in it.
        let first = match self.kind() {
            Kind::DmaBuf => 0,
            Kind::Pages | Kind::Odp => mr.pinned().0,
        };
        Iova::Congruent {
            address: mr.hca_address.wrapping_sub(mr.offset - first),
            modulo: device.page_sizes.largest().unwrap_or(mr.page),
        }
    }
}

/// The values of `object`; missing ones come from `base`.
fn translation(object: &IommuObject, base: Translation) -> Result<Translation, ScenarioError> {
    Ok(Translation {
        page_sizes: match &object.page_sizes {
            Some(sizes) => parse_page_sizes("iommu.page_sizes", sizes)?,
            None => base.page_sizes,
        },
        iova: match object.iova {
            IovaSpec::Kernel | IovaSpec::Congruent => Iova::Kernel,
            IovaSpec::At(address) => Iova::At(address),
        },
        boundary_mask: match object.segment_boundary {
            Some(size) => power_of_two("iommu.segment_boundary", size)?.mask(),
            None => base.boundary_mask,
        },
        address_bits: object.address_bits.unwrap_or(base.address_bits),
        layout: base.layout,
    })
}
