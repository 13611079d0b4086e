//! The device of a scenario.

use super::{Device, ScenarioError, parse_page_sizes, unknown};
use crate::{
    device::{self, DeviceProfile, EntryLimit, LengthLimit, Most, Scope, Traits},
    gate::{Errno, Gate},
    kernel::{Certainty, Kernel, KernelRules},
    scenario::{DeviceObject, DeviceSpec, Scenario},
    size::{Bytes, PageSize, PageSizes},
    table::{Policy, memory::Layout, single::Choice},
};
use alloc::vec::Vec;

impl Scenario {
    /// The device as its driver in `kernel` has it: the newest one if that names no release.
    pub(super) fn device(&self, page: PageSize, kernel: &Kernel) -> Result<Device, ScenarioError> {
        let release = kernel.release;
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
        let traits = profile.map(|profile| profile.traits(release));
        let (page_sizes, choice) = sizes(object, traits.as_ref(), page)?;
        let max_segment = max_segment(object, traits.as_ref(), page)?;
        let entry_bytes = match object.entry_bytes {
            Some(bytes) if bytes > 4096 => {
                return Err(ScenarioError::new(
                    "device.entry_bytes",
                    format_args!("{bytes} is more than 4096"),
                ));
            }
            bytes => bytes,
        };
        let lengths = traits.map_or(&[][..], |traits| traits.length_limits);
        let max_length = positive(
            "device.max_length",
            object.max_length.map(|Bytes(most)| most),
        )?;
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
            choice,
            none_fits: traits.map_or(Some(Errno::Einval), |traits| traits.none_fits),
            umem_error: traits.and_then(|traits| traits.umem_error),
            length_limits: match max_length {
                Some(most) => [LengthLimit {
                    most,
                    block: None,
                    errno: lengths.first().map_or(Errno::Einval, |limit| limit.errno),
                }]
                .into(),
                None => lengths.into(),
            },
            entry_limits: self.entry_limits(object, traits.as_ref(), kernel)?,
            // Entries of another length are a table of another device.
            layout: match entry_bytes {
                Some(_) => Layout::List,
                None => traits.map_or(Layout::List, |traits| traits.layout),
            },
            entry_bytes: entry_bytes.unwrap_or(traits.map_or(8, |traits| traits.entry_bytes)),
            profile,
            release,
            vendor: kernel.certainty == Certainty::Vendor,
        })
    }

    /// The limits that hold for this region: the scenario's own instead of the driver's.
    fn entry_limits(
        &self,
        object: &DeviceObject,
        traits: Option<&Traits>,
        kernel: &Kernel,
    ) -> Result<Vec<EntryLimit>, ScenarioError> {
        let all = traits.map_or(&[][..], |traits| traits.entry_limits);
        // Rules without a release leave open which driver it is. What only one attempt meets, and only in some releases, is not
        // said of old rules then.
        let settled = kernel.release.is_some() || kernel.rules == *KernelRules::newest();
        let holds = |limit: &&EntryLimit| {
            let access = limit.access;
            let allowed = access.is_none_or(|access| self.process.access.contains(&access));
            allowed && (limit.scope != Scope::FirstTry || settled)
        };
        let region = positive("device.max_entries", object.max_entries)?;
        let device = positive("device.max_total_entries", object.max_total_entries)?;
        let own = [
            (region, "device.max_entries", Scope::Region),
            (device, "device.max_total_entries", Scope::Device),
        ];
        let own_limit = |&(most, field, scope): &(Option<u64>, &'static str, Scope)| {
            let like = all.iter().find(|limit| limit.scope == scope);
            Some(EntryLimit {
                most: Most::Entries(most?),
                scope,
                access: None,
                gate: like.map_or(Gate::Table, |limit| limit.gate),
                errno: like.map_or(Errno::Enomem, |limit| limit.errno),
                why: match field {
                    "device.max_entries" => {
                        "the scenario says so: register less, or use larger pages"
                    }
                    _ => "the scenario says so of all regions together: use larger pages",
                },
            })
        };
        let kept = all.iter().filter(holds).filter(|limit| match limit.scope {
            Scope::Device => device.is_none(),
            Scope::Region | Scope::FirstTry => region.is_none(),
        });
        Ok(own
            .iter()
            .filter_map(own_limit)
            .chain(kept.copied())
            .collect())
    }
}

/// The sizes of the device, and how one is chosen among them.
fn sizes(
    object: &DeviceObject,
    traits: Option<&Traits>,
    page: PageSize,
) -> Result<(PageSizes, Choice), ScenarioError> {
    let choice = traits.map_or(Choice::BEST, |traits| traits.choice);
    let kernel_page = matches!(choice, Choice::KernelPage | Choice::PagesOfLength);
    match (&object.page_sizes, traits) {
        // What has sizes of its own takes the best of them.
        (Some(sizes), _) => Ok((
            parse_page_sizes("device.page_sizes", sizes)?,
            if kernel_page { Choice::BEST } else { choice },
        )),
        (None, Some(_)) if kernel_page => Ok((PageSizes::EMPTY.with(page), choice)),
        (None, Some(traits)) => Ok((traits.page_sizes, choice)),
        (None, None) => Err(ScenarioError::new(
            "device.page_sizes",
            "is missing: say which page sizes the device supports, such as [\"4K\", \"2M\"]",
        )),
    }
}

fn max_segment(
    object: &DeviceObject,
    traits: Option<&Traits>,
    page: PageSize,
) -> Result<u32, ScenarioError> {
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
        None => traits.map_or(u32::MAX, |traits| traits.max_segment),
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
    Ok(max_segment)
}

fn positive(field: &str, value: Option<u64>) -> Result<Option<u64>, ScenarioError> {
    match value {
        Some(0) => Err(ScenarioError::new(
            field,
            "is 0: give at least 1, or leave it out",
        )),
        Some(value) if value >= 1 << 53 => Err(ScenarioError::new(
            field,
            format_args!("{value} is 2^53 or more"),
        )),
        value => Ok(value),
    }
}
