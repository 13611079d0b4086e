//! Registrations that are made to be refused: what libibverbs and the kernel say, beside what the gates of `umem-core` foretell.
//!
//! Each is tried in a process of its own, since one failure can change the next: limits and rights are given up for good, and after a
//! failure libibverbs' bookkeeping for `fork()` is off.

mod cases;
mod memory;
mod process;

use std::io;

use anyhow::anyhow;
use umem_core::{
    address::VirtAddr,
    device::Access,
    gate::GateAnswer,
    scenario::{
        AreaSpec, DeviceSpec, IommuSpec, KernelSpec, LayoutName, MemorySpec, ProcessSpec, Region,
        Scenario,
    },
    size::Bytes,
};

use crate::{pagemap::kernel_page, recording::running, verbs::Device};

pub use cases::{CASES, Case};

/// A region that is about to be registered.
#[derive(Clone, Debug)]
struct Attempt {
    /// The page from which the areas' offsets count.
    base: u64,
    /// The first byte.
    start: u64,
    /// How many bytes.
    length: u64,
    /// The address for the NIC.
    hca: u64,
    /// The access flags.
    access: Vec<Access>,
    /// What the memory is.
    areas: Vec<AreaSpec>,
}

/// What came of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// As foretold: "registered", or the name of an errno.
    Held(String),
    /// Not as foretold.
    Differed {
        /// What the rules say.
        rules: String,
        /// What the kernel says.
        kernel: String,
    },
    /// It could not be tried here, and why.
    Skipped(String),
}

/// What a registration that nothing refuses comes to.
const REGISTERED: &str = "registered";

impl Case {
    /// Tries it in this process, which is not fit for another one after.
    ///
    /// # Errors
    /// The device cannot be opened, or the kernel has no name that tells its rules.
    pub fn attempt(&self, device: &str) -> anyhow::Result<Outcome> {
        let attempt = match (self.prepare)(device) {
            Ok(attempt) => attempt,
            Err(error) => return Ok(Outcome::Skipped(error.to_string())),
        };
        let nic = Device::open(Some(device)).map_err(|missing| anyhow!("{missing}"))?;
        let process = process::facts(&attempt.access, device)?;
        let rules = attempt.foretold(process)?;
        let kernel = attempt.register(&nic);
        Ok(match rules == kernel {
            true => Outcome::Held(kernel),
            false => Outcome::Differed { rules, kernel },
        })
    }
}

impl Attempt {
    /// What the rules say.
    fn foretold(&self, process: ProcessSpec) -> anyhow::Result<String> {
        let page = kernel_page();
        let mut kernel = KernelSpec {
            page_size: Bytes(page.bytes()),
            ..KernelSpec::default()
        };
        kernel.set_release(running::name().map_err(|why| anyhow!(why))?);
        let scenario = Scenario {
            version: 1,
            name: None,
            region: Region {
                va: VirtAddr::new(self.base),
                offset: Bytes(self.start - self.base),
                length: Bytes(self.length),
                hca_address: Some(VirtAddr::new(self.hca)),
            },
            // Where it lies decides nothing here.
            memory: MemorySpec {
                layout: Some(LayoutName::Contiguous),
                areas: self.areas.clone(),
                ..MemorySpec::default()
            },
            kernel,
            iommu: IommuSpec::default(),
            device: DeviceSpec::Name("rxe".into()),
            process,
            provenance: None,
        };
        let answers = scenario.gates_before_gathering()?;
        let refusal = answers.into_iter().find(GateAnswer::refuses);
        Ok(match refusal {
            Some(GateAnswer {
                errno: Some(errno), ..
            }) => errno.to_string(),
            Some(killed) => killed.text,
            // None of these regions is so long that what comes after could refuse it.
            None => REGISTERED.into(),
        })
    }

    /// What libibverbs and the kernel say.
    fn register(&self, device: &Device) -> String {
        let flags = self.access.iter().map(|access| memory::flag(*access));
        let flags = flags.fold(0, |all, flag| all | flag);
        match device.try_to_register(self.start, self.length, self.hca, flags) {
            Ok(()) => REGISTERED.into(),
            Err(error) => errno_name(&error),
        }
    }
}

/// "EINVAL"; of what has no name here, its number.
fn errno_name(error: &io::Error) -> String {
    use rustix::io::Errno as E;
    const NAMES: &[(E, &str)] = &[
        (E::PERM, "EPERM"),
        (E::AGAIN, "EAGAIN"),
        (E::NOMEM, "ENOMEM"),
        (E::FAULT, "EFAULT"),
        (E::INVAL, "EINVAL"),
        (E::OPNOTSUPP, "EOPNOTSUPP"),
        (E::IO, "EIO"),
    ];
    let code = error.raw_os_error();
    let known = NAMES
        .iter()
        .find(|(errno, _)| Some(errno.raw_os_error()) == code);
    match (known, code) {
        (Some((_, name)), _) => (*name).into(),
        (None, Some(code)) => format!("errno {code}"),
        (None, None) => error.to_string(),
    }
}
