//! What an edit does to a scenario.

use umem_core::{
    address::DmaAddr,
    device, iommu,
    scenario::{DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec, LayoutName, Scenario},
    size::{Bytes, PageSize, PageSizes},
    table::Policy,
};

/// The word of the scenario format for an IOVA that the kernel chooses.
pub const BY_KERNEL: &str = "kernel";

/// The sizes that the device of `scenario` is said to have, proven or not.
pub fn device_sizes(scenario: &Scenario) -> PageSizes {
    let (own, name) = match &scenario.device {
        DeviceSpec::Name(name) => (None, Some(name.as_str())),
        DeviceSpec::Custom(object) => (object.page_sizes.as_ref(), object.name.as_deref()),
    };
    match (own, name.and_then(device::find)) {
        (Some(sizes), _) => sizes
            .iter()
            .filter_map(|size| PageSize::new(size.0))
            .collect(),
        (None, Some(profile)) if profile.sizing == device::Sizing::KernelPage => {
            PageSize::new(scenario.kernel.page_size.0)
                .into_iter()
                .collect()
        }
        (None, Some(profile)) => profile.page_sizes,
        (None, None) => PageSizes::EMPTY,
    }
}

/// The policy of the device of `scenario`.
pub fn policy(scenario: &Scenario) -> Policy {
    match &scenario.device {
        DeviceSpec::Name(_) => Policy::Single,
        DeviceSpec::Custom(object) => object.policy.unwrap_or_else(|| standard_policy(object)),
    }
}

fn standard_policy(object: &DeviceObject) -> Policy {
    match object.name.as_deref().and_then(device::find) {
        Some(_) => device::DeviceProfile::POLICY,
        None => Policy::Mixed,
    }
}

/// Adds `size` to the device's, or takes it away.
pub fn toggle_size(scenario: &mut Scenario, size: PageSize) {
    let sizes = device_sizes(scenario);
    let sizes = if sizes.contains(size) {
        sizes.without(size)
    } else {
        sizes.with(size)
    };
    scenario.device.customize().page_sizes =
        Some(sizes.iter().map(|size| Bytes(size.bytes())).collect());
    name_if_standard(scenario);
}

/// Gives the device another policy.
pub fn set_policy(scenario: &mut Scenario, policy: Policy) {
    scenario.device.customize().policy = Some(policy);
    name_if_standard(scenario);
}

/// A device that says nothing but what the catalogue says is that of the catalogue again.
fn name_if_standard(scenario: &mut Scenario) {
    let DeviceSpec::Custom(object) = &scenario.device else {
        return;
    };
    let Some(name) = object
        .name
        .clone()
        .filter(|name| device::find(name).is_some())
    else {
        return;
    };
    let named = Scenario {
        device: DeviceSpec::Name(name.clone()),
        ..scenario.clone()
    };
    let plain = DeviceObject {
        name: Some(name.clone()),
        page_sizes: object.page_sizes.clone(),
        policy: object.policy,
        ..DeviceObject::default()
    };
    if *object == plain
        && device_sizes(&named) == device_sizes(scenario)
        && policy(&named) == policy(scenario)
    {
        scenario.device = DeviceSpec::Name(name);
    }
}

/// Where the mapping begins, as the field has it; `None` where nothing is mapped.
pub fn iova(scenario: &Scenario) -> Option<String> {
    match &scenario.iommu {
        IommuSpec::Name(name) if name == IommuSpec::OFF => None,
        IommuSpec::Name(_) => Some(BY_KERNEL.into()),
        IommuSpec::Custom(object) => Some(match object.iova {
            IovaSpec::Kernel => BY_KERNEL.into(),
            IovaSpec::At(address) => address.to_string(),
        }),
    }
}

/// Lets the mapping begin where `text` says: at an address, or where the kernel puts it.
///
/// # Errors
/// That it says neither.
pub fn set_iova(scenario: &mut Scenario, text: &str) -> Result<(), String> {
    let place = match text.trim() {
        "" | BY_KERNEL => IovaSpec::Kernel,
        address => IovaSpec::At(address.parse::<DmaAddr>().map_err(|_| {
            format!("\"{address}\" is no address: write 0x and hexadecimal digits, or \"kernel\"")
        })?),
    };
    let name = match &mut scenario.iommu {
        IommuSpec::Name(name) if name == IommuSpec::OFF => return Ok(()),
        IommuSpec::Name(name) => Some(name.clone()),
        IommuSpec::Custom(object) => {
            object.iova = place;
            let plain = IommuObject {
                name: object.name.clone(),
                ..IommuObject::default()
            };
            match &object.name {
                Some(name) if *object == plain && iommu::find(name).is_some() => {
                    scenario.iommu = IommuSpec::Name(name.clone());
                }
                _ => {}
            }
            return Ok(());
        }
    };
    if place != IovaSpec::Kernel {
        scenario.iommu = IommuSpec::Custom(IommuObject {
            name,
            iova: place,
            ..IommuObject::default()
        });
    }
    Ok(())
}

/// Backs the region with pages of another size; extents become a contiguous layout.
pub fn set_pages(scenario: &mut Scenario, size: PageSize) {
    scenario.memory.page_size = Some(Bytes(size.bytes()));
    if scenario.memory.extents.take().is_some() {
        scenario.memory.layout = Some(LayoutName::Contiguous);
        scenario.memory.length = None;
    }
}

/// Lays the region's pages out otherwise.
pub fn set_layout(scenario: &mut Scenario, layout: LayoutName) {
    if scenario.memory.extents.take().is_some() {
        scenario.memory.length = None;
    }
    scenario.memory.layout = Some(layout);
}

/// Whether two scenarios ask the same, whatever they are called.
pub fn same_question(one: &Scenario, other: &Scenario) -> bool {
    let parts = |scenario: &Scenario| (scenario.version, scenario.provenance.clone());
    parts(one) == parts(other)
        && one.region == other.region
        && one.memory == other.memory
        && one.kernel == other.kernel
        && one.iommu == other.iommu
        && one.device == other.device
}
