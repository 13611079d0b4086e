//! `umem vectors overflow`: what the kernel does where padding makes an entry 4G long.

use std::io::Write;

use umem_core::{kernel::KernelRules, size::PageSize, vectors::Vector};

use crate::{
    exit::Exit,
    missing::Missing,
    pagemap::kernel_page,
    probe::{Domain, KernelLog, Probe},
    recording::{CASES, Memory, room},
    screen::say,
};

/// Map lists of 4G and more through the IOMMU, some of which meet a bug of Linux
///
/// For a machine that you can afford to reboot: where the kernel fails, it leaves a part mapped. `cargo xtask lab overflow`
/// has one, in a VM. Prints what the rules say of each list, whether the kernel did so, and what its log says.
///
/// Exit code: 0 the kernel did as the rules say, complaints or not, 1 it did not, 3 this machine lacks something.
#[derive(Debug, clap::Args)]
pub struct Overflow {}

impl Overflow {
    /// Asks, and says how it was answered.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let probe = match translated_probe() {
            Ok(probe) => probe,
            Err(missing) => {
                say!("umem: {missing}");
                return Ok(Exit::Unable);
            }
        };
        if kernel_page() != PageSize::K4 {
            say!(
                "umem: the lists are of 4K pages, and this kernel has pages of {}",
                kernel_page()
            );
            return Ok(Exit::Unable);
        }
        let Some(first) = room(&Memory::read()?) else {
            say!(
                "umem: this takes more than 4G of memory in one run, which is not here. In the lab: --memory 8G"
            );
            return Ok(Exit::Unable);
        };
        let mut exit = Exit::Held;
        for case in &CASES {
            let log = KernelLog::open()?;
            let answer = case.record(&probe, first)?;
            let outcome = match answer.maperr {
                Some(errno @ ..0) => format!("errno {}", -errno),
                _ => "mapped".to_owned(),
            };
            let verdict = match Vector::Iommu(answer).replay(KernelRules::newest()) {
                Ok(()) => "as the rules say".to_owned(),
                Err(mismatch) if case.after_failure => {
                    format!("because of what is left: {mismatch}")
                }
                Err(mismatch) => {
                    exit = Exit::Differed;
                    format!("DIFFERED: {mismatch}")
                }
            };
            writeln!(out, "{:<34} {outcome:<8} {verdict}", case.name)?;
            for warning in log.headlines() {
                writeln!(out, "    the kernel complains: {warning}")?;
            }
        }
        Ok(exit)
    }
}

fn translated_probe() -> Result<Probe, Missing> {
    let probe = Probe::open()?;
    match probe.pci_domain() {
        Some(Domain::Translated) => Ok(probe),
        _ => Err(Missing::iommu()),
    }
}
