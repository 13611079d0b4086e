//! The device of a scenario.

use super::{Device, Problem, ScenarioError, parse_page_sizes, unknown};
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
                let profile = device::find(name).ok_or_else(|| unknown("device", name, known()))?;
                (&nothing, Some(profile))
            }
            DeviceSpec::Custom(object) => (object, object.name.as_deref().and_then(device::find)),
        };
        let name = match &self.device {
            DeviceSpec::Name(name) => Some(name.clone()),
            DeviceSpec::Custom(object) => object.name.clone(),
        };
        let max_entries = positive("device.max_entries", object.max_entries)?
            .or(profile.and_then(|profile| profile.max_entries));
        Ok(Device {
            name,
            page_sizes: page_sizes(object, profile, page)?,
            policy: object
                .policy
                .unwrap_or(profile.map_or(Policy::Mixed, |_| DeviceProfile::POLICY)),
            edges: object.edges,
            max_segment: max_segment(object, profile, page)?,
            max_entries,
            max_length: profile.and_then(|profile| profile.max_length),
            entry_bytes: entry_bytes(object)?
                .unwrap_or(profile.map_or(8, |profile| profile.entry_bytes)),
            profile,
        })
    }
}

type Profile = Option<&'static DeviceProfile>;

fn page_sizes(
    object: &DeviceObject,
    profile: Profile,
    page: PageSize,
) -> Result<PageSizes, ScenarioError> {
    let field = "device.page_sizes";
    match (&object.page_sizes, profile) {
        (Some(sizes), _) => parse_page_sizes(field, sizes),
        (None, Some(profile)) if profile.sizing == Sizing::KernelPage => {
            Ok(PageSizes::EMPTY.with(page))
        }
        (None, Some(profile)) => Ok(profile.page_sizes),
        (None, None) => Err(ScenarioError::new(field, Problem::SizesMissing)),
    }
}

fn max_segment(
    object: &DeviceObject,
    profile: Profile,
    page: PageSize,
) -> Result<u32, ScenarioError> {
    let wrong = |problem| ScenarioError::new("device.max_segment", problem);
    let most = match object.max_segment {
        Some(Bytes(bytes)) => {
            u32::try_from(bytes).map_err(|_| wrong(Problem::LongSegment(bytes)))?
        }
        None => profile.map_or(u32::MAX, |profile| profile.max_segment),
    };
    if u64::from(most) < page.bytes() {
        return Err(wrong(Problem::ShortSegment { most, page }));
    }
    Ok(most)
}

fn positive(field: &str, value: Option<u64>) -> Result<Option<u64>, ScenarioError> {
    match value {
        Some(0) => Err(ScenarioError::new(field, Problem::Zero)),
        Some(value) if value >= 1 << 53 => Err(ScenarioError::new(field, Problem::TooLarge(value))),
        value => Ok(value),
    }
}

fn entry_bytes(object: &DeviceObject) -> Result<Option<u64>, ScenarioError> {
    match object.entry_bytes {
        Some(bytes) if bytes > 4096 => {
            let problem = Problem::LongEntry(bytes);
            Err(ScenarioError::new("device.entry_bytes", problem))
        }
        bytes => Ok(bytes),
    }
}
