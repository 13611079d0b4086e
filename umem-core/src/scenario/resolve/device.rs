//! The device of a scenario.

use super::{Problem, ScenarioError, parse_page_sizes, unknown};
use crate::{
    device::{
        self, Device, DeviceProfile, DmaBufs, EntryLimit, LengthLimit, Most, OnDemand, Scope,
        Traits,
    },
    gate::{Errno, Gate},
    kernel::{Certainty, Kernel, KernelRules},
    memory::Kind,
    scenario::{DeviceObject, DeviceSpec, Scenario},
    size::{Bytes, PageSize, PageSizes},
    table::{Policy, memory::Layout, single::Choice},
};
use alloc::{vec, vec::Vec};

impl Scenario {
    /// The device as its driver in `kernel` has it: the newest one if `kernel` names no release.
    pub(super) fn device(&self, page: PageSize, kernel: &Kernel) -> Result<Device, ScenarioError> {
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
        let release = kernel.release;
        let traits = profile.map(|profile| profile.traits(release));
        let traits = traits.as_ref();
        let (page_sizes, choice) = match (self.kind(), traits.map(|traits| traits.dma_buf)) {
            // Each page is an entry of its own.
            (Kind::Odp, _) => (PageSizes::EMPTY.with(page), Choice::KernelPage),
            (Kind::DmaBuf, Some(DmaBufs::KernelPage)) => {
                (PageSizes::EMPTY.with(page), Choice::BEST)
            }
            (Kind::Pages | Kind::DmaBuf, _) => page_sizes(object, traits, page)?,
        };
        let page_sizes = match traits {
            Some(traits) if traits.page_divides_iova => page_sizes.aligned_to(self.nic_address()),
            _ => page_sizes,
        };
        let entry_bytes = entry_bytes(object)?;
        Ok(Device {
            name,
            page_sizes,
            policy: object
                .policy
                .unwrap_or(profile.map_or(Policy::Mixed, |_| DeviceProfile::POLICY)),
            edges: object.edges,
            max_segment: max_segment(object, traits, page)?,
            choice,
            none_fits: traits.map_or(Some(Errno::Einval), |traits| traits.none_fits),
            umem_error: traits.and_then(|traits| traits.umem_error),
            refused_access: traits.map_or(&[][..], |traits| traits.refused_access),
            // For a device outside the catalogue this is not known.
            on_demand: traits.map_or(OnDemand::Implicit, |traits| traits.on_demand),
            length_limits: length_limits(object, traits)?,
            entry_limits: self.entry_limits(object, traits, kernel)?,
            // With entries of another length the driver's layout does not apply.
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

    /// The NIC's address of the first byte. Whether it is one at all is looked at elsewhere.
    fn nic_address(&self) -> u64 {
        let region = &self.region;
        let own = region.va.get().wrapping_add(region.offset.0);
        region.hca_address.map_or(own, |address| address.get())
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
            let asked = |access| self.process.asks_for(access) == Some(true);
            limit.access.is_none_or(asked) && (limit.scope != Scope::FirstTry || settled)
        };
        let region = positive("device.max_entries", object.max_entries)?;
        let device = positive("device.max_total_entries", object.max_total_entries)?;
        let own = |most: Option<u64>, scope, why| {
            let like = all.iter().find(|limit| limit.scope == scope);
            Some(EntryLimit {
                most: Most::Entries(most?),
                scope,
                access: None,
                gate: like.map_or(Gate::Table, |limit| limit.gate),
                errno: like.map_or(Errno::Enomem, |limit| limit.errno),
                why,
            })
        };
        let mut limits: Vec<EntryLimit> = [
            own(
                region,
                Scope::Region,
                "the scenario says so: register less, or use larger pages",
            ),
            own(
                device,
                Scope::Device,
                "the scenario says so of all regions together: use larger pages",
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        limits.extend(all.iter().filter(holds).filter(|limit| match limit.scope {
            Scope::Device => device.is_none(),
            Scope::Region | Scope::FirstTry => region.is_none(),
        }));
        Ok(limits)
    }
}

/// The sizes of the device, and how one is chosen among them.
fn page_sizes(
    object: &DeviceObject,
    traits: Option<&Traits>,
    page: PageSize,
) -> Result<(PageSizes, Choice), ScenarioError> {
    let field = "device.page_sizes";
    let choice = traits.map_or(Choice::BEST, |traits| traits.choice);
    let kernel_page = matches!(choice, Choice::KernelPage | Choice::PagesOfLength);
    match (&object.page_sizes, traits) {
        // A device with sizes of its own takes the best of them.
        (Some(sizes), _) => Ok((
            parse_page_sizes(field, sizes)?,
            if kernel_page { Choice::BEST } else { choice },
        )),
        (None, Some(_)) if kernel_page => Ok((PageSizes::EMPTY.with(page), choice)),
        (None, Some(traits)) => Ok((traits.page_sizes, choice)),
        (None, None) => Err(ScenarioError::new(field, Problem::SizesMissing)),
    }
}

fn length_limits(
    object: &DeviceObject,
    traits: Option<&Traits>,
) -> Result<Vec<LengthLimit>, ScenarioError> {
    let all = traits.map_or(&[][..], |traits| traits.length_limits);
    let own = object.max_length.map(|Bytes(most)| most);
    Ok(match positive("device.max_length", own)? {
        Some(most) => vec![LengthLimit {
            most,
            block: None,
            errno: all.first().map_or(Errno::Einval, |limit| limit.errno),
        }],
        None => all.into(),
    })
}

fn max_segment(
    object: &DeviceObject,
    traits: Option<&Traits>,
    page: PageSize,
) -> Result<u32, ScenarioError> {
    let wrong = |problem| ScenarioError::new("device.max_segment", problem);
    let most = match object.max_segment {
        Some(Bytes(bytes)) => {
            u32::try_from(bytes).map_err(|_| wrong(Problem::LongSegment(bytes)))?
        }
        None => traits.map_or(u32::MAX, |traits| traits.max_segment),
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
