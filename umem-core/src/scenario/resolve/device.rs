//! The device of a scenario.

use super::{Device, ScenarioError, parse_page_sizes, unknown};
use crate::{
    device::{self, DeviceProfile, Sizing},
    scenario::{DeviceObject, DeviceSpec, Scenario},
    size::{Bytes, PageSize, PageSizes},
    table::Policy,
};

impl Scenario {
    pub(super) fn device(&self, page: PageSize) -> Result<Device, ScenarioError> {
        let nothing = DeviceObject::default();
        let (object, profile) = match &self.device {
            DeviceSpec::Name(name) => {
                let known = || device::CATALOGUE.iter().map(|profile| profile.name);
                (
                    &nothing,
                    Some(device::find(name).ok_or_else(|| unknown("device", name, known()))?),
                )
            }
            DeviceSpec::Custom(object) => (object, object.name.as_deref().and_then(device::find)),
        };
        let page_sizes = match (&object.page_sizes, profile) {
            (Some(sizes), _) => parse_page_sizes("device.page_sizes", sizes)?,
            (None, Some(profile)) if profile.sizing == Sizing::KernelPage => {
                PageSizes::EMPTY.with(page)
            }
            (None, Some(profile)) => profile.page_sizes,
            (None, None) => {
                return Err(ScenarioError::new(
                    "device.page_sizes",
                    "is missing: say which page sizes the device supports, such as [\"4K\", \"2M\"]",
                ));
            }
        };
        let max_segment = match object.max_segment {
            Some(Bytes(bytes)) => u32::try_from(bytes).map_err(|_| {
                ScenarioError::new(
                    "device.max_segment",
                    format_args!(
                        "{} is more than 0xffffffff, the most that Linux has",
                        Bytes(bytes)
                    ),
                )
            })?,
            None => profile.map_or(u32::MAX, |profile| profile.max_segment),
        };
        if u64::from(max_segment) < page.bytes() {
            return Err(ScenarioError::new(
                "device.max_segment",
                format_args!(
                    "{} is less than the kernel's page ({page}), which Linux refuses (EINVAL)",
                    Bytes(max_segment.into())
                ),
            ));
        }
        let positive = |field: &str, value: Option<u64>| match value {
            Some(0) => Err(ScenarioError::new(
                field,
                "is 0: give at least 1, or leave it out",
            )),
            Some(value) if value >= 1 << 53 => Err(ScenarioError::new(
                field,
                format_args!("{value} is 2^53 or more"),
            )),
            value => Ok(value),
        };
        let max_entries = positive("device.max_entries", object.max_entries)?;
        let entry_bytes = match object.entry_bytes {
            Some(bytes) if bytes > 4096 => {
                return Err(ScenarioError::new(
                    "device.entry_bytes",
                    format_args!("{bytes} is more than 4096"),
                ));
            }
            bytes => bytes,
        };
        Ok(Device {
            name: match &self.device {
                DeviceSpec::Name(name) => Some(name.clone()),
                DeviceSpec::Custom(object) => object.name.clone(),
            },
            page_sizes,
            policy: object
                .policy
                .unwrap_or(profile.map_or(Policy::Mixed, |_| DeviceProfile::POLICY)),
            edges: object.edges,
            max_segment,
            max_entries: max_entries.or(profile.and_then(|profile| profile.max_entries)),
            max_length: profile.and_then(|profile| profile.max_length),
            entry_bytes: entry_bytes.unwrap_or(profile.map_or(8, |profile| profile.entry_bytes)),
            profile,
        })
    }
}
