//! What an edit does to a scenario.

use crate::{door::behind, more::MORE};
use umem_core::{
    address::{PhysAddr, VirtAddr},
    device, iommu,
    kernel::Kernel,
    memory::{Exporter, Kind},
    scenario::{
        Asked, DEFAULT_START, DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec,
        LayoutName, Memlock, Problem, ProcessSpec, Scenario, ScenarioError,
    },
    size::{Bytes, PageSize, PageSizes},
    table::Policy,
};

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
        (None, Some(profile)) if profile.takes_the_kernel_page(scenario.kernel.based_on()) => {
            PageSize::new(scenario.kernel.page_size.0)
                .into_iter()
                .collect()
        }
        (None, Some(profile)) => profile.traits(scenario.kernel.based_on()).page_sizes,
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
        IommuSpec::Name(_) => Some(IovaSpec::KERNEL.into()),
        IommuSpec::Custom(object) => Some(object.iova.to_string()),
    }
}

/// Lets the mapping begin where `text` says: at an address, where the kernel puts it, or congruent to the NIC's address.
///
/// # Errors
/// That it says none of these.
pub fn set_iova(scenario: &mut Scenario, text: &str) -> Result<(), String> {
    let place = match text.trim() {
        "" => IovaSpec::Kernel,
        text => text.parse().map_err(|error| {
            format!("\"{text}\" {error}; or write \"kernel\", or \"congruent\"")
        })?,
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

/// The address that the NIC uses, as the field has it; empty if it is the virtual one.
pub fn hca(scenario: &Scenario) -> String {
    scenario
        .region
        .hca_address
        .map_or(String::new(), |address| address.to_string())
}

/// Lets the NIC use the address that `text` names; the virtual one if it names none.
///
/// # Errors
/// That it is not an address.
pub fn set_hca(scenario: &mut Scenario, text: &str) -> Result<(), String> {
    scenario.region.hca_address = match text.trim() {
        "" => None,
        address => Some(
            address
                .parse::<VirtAddr>()
                .map_err(|error| format!("\"{address}\" {error}"))?,
        ),
    };
    Ok(())
}

/// Takes the kernel with the name `text`; none keeps the rules that were chosen.
///
/// # Errors
/// That it names no kernel.
pub fn set_release(scenario: &mut Scenario, text: &str) -> Result<(), String> {
    match text.trim() {
        "" => scenario.kernel.release = None,
        release => {
            Kernel::named(release).map_err(|error| format!("\"{release}\" {error}"))?;
            scenario.kernel.set_release(release);
        }
    }
    Ok(())
}

/// Where the frames begin, as the field has it; `None` where extents say it.
pub fn start(scenario: &Scenario) -> Option<String> {
    let memory = &scenario.memory;
    let start = memory.start.unwrap_or(DEFAULT_START);
    memory.extents.is_none().then(|| start.to_string())
}

/// Lets the frames begin where `text` says.
///
/// # Errors
/// That it is not an address.
pub fn set_start(scenario: &mut Scenario, text: &str) -> Result<(), String> {
    let start = match text.trim() {
        "" => DEFAULT_START,
        address => address
            .parse::<PhysAddr>()
            .map_err(|error| format!("\"{address}\" {error}"))?,
    };
    scenario.memory.start = (start != DEFAULT_START).then_some(start);
    Ok(())
}

/// Backs the region with pages of another size; extents become a contiguous layout.
pub fn set_pages(scenario: &mut Scenario, size: PageSize) {
    if scenario.memory.extents.is_some() {
        set_layout(scenario, LayoutName::Contiguous);
    }
    scenario.memory.page_size = Some(Bytes(size.bytes()));
}

/// Makes the memory something else to the kernel.
pub fn set_kind(scenario: &mut Scenario, kind: Kind) {
    scenario.memory.kind = kind;
    if kind != Kind::DmaBuf {
        scenario.memory.exporter = Exporter::default();
    }
}

/// Lays the region's pages out otherwise.
pub fn set_layout(scenario: &mut Scenario, layout: LayoutName) {
    if scenario.memory.extents.take().is_some() {
        scenario.memory.length = None;
        // Memory that nobody captured is no capture's any more.
        scenario.provenance = None;
        scenario.name = None;
    }
    scenario.memory.layout = Some(layout);
}

/// What somebody has chosen is no longer assumed: of a capture that was edited.
pub fn assume_less(scenario: &mut Scenario, before: &Scenario) {
    let Some(provenance) = &mut scenario.provenance else {
        return;
    };
    let assumed = &mut provenance.assumed;
    assumed.device.take_if(|_| scenario.device != before.device);
    assumed.iommu.take_if(|_| scenario.iommu != before.iommu);
    assumed.rules.take_if(|_| scenario.kernel != before.kernel);
}

/// The scenario that somebody wrote, or the set.
///
/// # Errors
/// What is wrong with the JSON, or with what no field of the page reaches.
pub fn read(json: &str) -> Result<Asked, String> {
    let asked = (behind(&MORE)?.read)(json.as_bytes()).map_err(|error| error.to_string())?;
    let Asked::Scenario(scenario) = &asked else {
        return Ok(asked);
    };
    match scenario.resolve() {
        Err(error) if matches!(error.problem(), Problem::Version(_)) => Err(error.to_string()),
        // What else is wrong has a field of its own to say so.
        _ => Ok(asked),
    }
}

/// What is said beside a field that is wrong; and where a real kernel refuses such a region, if it does.
pub fn fault(error: &ScenarioError) -> String {
    let problem = error.problem();
    match error.stops_at() {
        Some((gate, errno)) => format!("{problem}. Linux refuses it at {} ({errno})", gate.name()),
        None => problem.to_string(),
    }
}

/// The size that `text` names.
///
/// # Errors
/// That it names none, and what would.
pub fn size(text: &str) -> Result<Bytes, String> {
    let text = text.trim();
    text.parse::<Bytes>()
        .or_else(|error| {
            // As the story and most documents write it: "4 MiB". Not "4 MB", which some take for a power of ten.
            let short = text.strip_suffix("iB").map(|short| short.replace(' ', ""));
            let unit = |short: &String| short.ends_with(char::is_alphabetic);
            short
                .filter(unit)
                .and_then(|short| short.parse().ok())
                .ok_or(error)
        })
        .map_err(|error| format!("\"{text}\" {error}"))
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
        && one.process == other.process
}

/// What a scenario says about one thing.
type Tells = fn(&Scenario) -> String;

/// What a scenario says, thing by thing: its name, and what there is of it.
const ASPECTS: [(&str, Tells); 8] = [
    ("region", region),
    ("memory", memory),
    ("IOMMU", iommu_name),
    ("device", device_name),
    ("policy", |scenario| policy(scenario).name().to_owned()),
    ("kernel", |scenario| {
        format!("Linux {}", scenario.kernel.name())
    }),
    ("kernel page", |scenario| {
        scenario.kernel.page_size.to_string()
    }),
    ("process", process),
];

/// What a scenario is about, in a line.
pub fn described(scenario: &Scenario) -> String {
    let told = ASPECTS.iter().map(|(name, of)| (name, of(scenario)));
    let told = told.filter(|(_, what)| !what.is_empty());
    let aspects: Vec<_> = told.map(|(name, what)| format!("{name} {what}")).collect();
    aspects.join(" · ")
}

/// What two scenarios differ in: a name, and what each has there.
pub fn differences(one: &Scenario, other: &Scenario) -> Vec<(&'static str, String, String)> {
    ASPECTS
        .into_iter()
        .map(|(name, of)| (name, of(one), of(other)))
        .filter(|(_, one, other)| one != other)
        .collect()
}

fn region(scenario: &Scenario) -> String {
    let region = &scenario.region;
    let address = match region.hca_address {
        Some(address) => format!(", known as {address}"),
        None => String::new(),
    };
    format!("{} from +{}{address}", region.length, region.offset)
}

fn memory(scenario: &Scenario) -> String {
    let memory = &scenario.memory;
    let pages = memory.page_size.unwrap_or(scenario.kernel.page_size);
    let start = memory.start.unwrap_or(DEFAULT_START);
    let lies = match (&memory.extents, memory.layout) {
        (Some(extents), _) => format!("{} extents", extents.len()),
        (None, Some(layout)) => format!("{pages} pages, {} from {start}", layout.name()),
        (None, None) => format!("{pages} pages"),
    };
    match memory.kind {
        Kind::Pages => lies,
        kind => format!("{}: {lies}", kind.name()),
    }
}

/// What is said of the process: its limit on locked memory, and how much else; nothing if nothing is.
fn process(scenario: &Scenario) -> String {
    let process = &scenario.process;
    if *process == ProcessSpec::default() {
        return String::new();
    }
    match process.memlock {
        Some(Memlock::Bytes(limit)) => format!("memlock {limit}"),
        Some(Memlock::Unlimited) => "memlock unlimited".into(),
        None => "described".into(),
    }
}

fn iommu_name(scenario: &Scenario) -> String {
    match (&scenario.iommu, iova(scenario)) {
        (IommuSpec::Name(name), _) => name.clone(),
        (IommuSpec::Custom(object), iova) => format!(
            "{}, IOVA {}",
            object.name.as_deref().unwrap_or("custom"),
            iova.unwrap_or_default()
        ),
    }
}

fn device_name(scenario: &Scenario) -> String {
    match &scenario.device {
        DeviceSpec::Name(name) => name.clone(),
        DeviceSpec::Custom(_) => device_sizes(scenario).to_string(),
    }
}
