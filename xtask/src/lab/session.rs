//! One use of the lab: a kernel and all that its guests need is got ready once, then machines are booted.

use super::architecture::Iommu;
use super::machine::Machine;
use super::programs::{self, Root};
use super::run_folder::{Bay, RunFolder};
use super::system::System;
use super::unpacked_qemu::UnpackedQemu;
use super::voice::Voice;
use super::{Options, boot, guest_files, initramfs, kernel, probe};
use crate::place;
use crate::step::MachineCannot;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use xshell::Shell;

/// A machine to boot, and what to run in it.
pub struct Guest {
    pub iommu: &'static Iommu,
    pub command: Vec<String>,
}

impl Guest {
    /// With these words as the command.
    pub fn new(iommu: &'static Iommu, command: &[&str]) -> Self {
        Guest {
            iommu,
            command: command.iter().map(|word| (*word).to_owned()).collect(),
        }
    }
}

/// What is ready to boot, and the folder of this run.
pub struct Session {
    kernel: kernel::Kernel,
    /// What all guests have.
    base: Vec<u8>,
    /// Why our kernel module is not among it.
    without_probe: Option<String>,
    /// What runs the machines, where it is not installed.
    qemu: Option<UnpackedQemu>,
    folder: RunFolder,
}

/// As many machines run at once. Each has little use for a second processor.
const AT_ONCE: usize = 2;

impl Session {
    /// Installs, downloads and builds what is missing.
    ///
    /// # Errors
    /// [`MachineCannot`] where Debian's archive does not give the kernel.
    pub fn prepare(sh: &Shell, system: System) -> Result<Self> {
        let architecture = system.architecture;
        // Other runs do the same in the same folders.
        let qemu = alone("packages", || super::set_up(sh, architecture))?;
        // apt keeps lists and packages for each release and architecture.
        let name = format!("{}-{}", system.release.name(), architecture.debian);
        let (kernel, probe) = alone(&name, || kernel_and_probe(sh, system))?;
        let base = alone(&format!("umem-{}", architecture.debian), || {
            let root = Root::of(sh, architecture)?;
            let umem = programs::build_umem(sh, architecture)?;
            initramfs::base(sh, &kernel, &root, &umem, probe.as_ref().ok())
        })?;
        Ok(Session {
            base,
            without_probe: probe.err(),
            kernel,
            qemu,
            folder: RunFolder::new()?,
        })
    }

    /// Why the guests lack our kernel module, if they do.
    pub fn without_probe(&self) -> Option<&str> {
        self.without_probe.as_deref()
    }

    /// The machine of this name.
    ///
    /// # Panics
    /// Its architecture has none.
    pub fn machine(&self, name: &str) -> &'static Iommu {
        let machine = self.kernel.system.architecture.machine(name);
        machine.expect("the architecture has such a machine")
    }

    /// `uname -r` of its guests.
    pub fn kernel(&self) -> &str {
        &self.kernel.version
    }

    /// Boots all guests, of which no two have the same IOMMU, and waits for them: their commands' exit codes.
    /// What they leave in /out comes home, if the options say so.
    pub fn run(&self, options: &Options, guests: &[Guest]) -> Result<Vec<u8>> {
        let mut verdicts = Vec::new();
        for few in guests.chunks(AT_ONCE) {
            verdicts.extend(self.run_at_once(options, few, guests.len() > 1)?);
        }
        Ok(verdicts)
    }

    /// The file of this name that the guest with this IOMMU, which has run, has left in /out.
    pub fn file(&self, iommu: &Iommu, name: &OsStr) -> Result<PathBuf> {
        guest_files::regular(self.folder.path().join(iommu.name).join("out").join(name))
    }

    fn run_at_once(&self, options: &Options, guests: &[Guest], of_many: bool) -> Result<Vec<u8>> {
        let timeout = Duration::from_secs(options.timeout);
        let berths: Vec<_> = guests
            .iter()
            .map(|guest| self.berth(options, guest))
            .collect::<Result<_>>()?;
        let results: Vec<Result<u8>> = thread::scope(|scope| {
            let running: Vec<_> = berths
                .iter()
                .map(|(machine, bay, voice)| {
                    scope.spawn(move || boot::boot(machine, bay, voice, timeout))
                })
                .collect();
            let each = running.into_iter().zip(guests.iter().zip(&berths));
            each.map(|(running, (guest, (_, _, voice)))| {
                if of_many {
                    eprintln!("── {}, Linux {} ──", guest.iommu.title, self.kernel());
                }
                voice.go_live();
                running.join().expect("booting does not panic")
            })
            .collect()
        });
        let verdicts = results.into_iter().collect::<Result<Vec<_>>>()?;
        if let Some(out) = &options.out {
            for (guest, (_, bay, _)) in guests.iter().zip(&berths) {
                bay.bring_home(&home(out, guest.iommu, of_many))?;
            }
        }
        Ok(verdicts)
    }

    fn berth(&self, options: &Options, guest: &Guest) -> Result<(Machine, Bay<'_>, Voice)> {
        let newer = guest
            .iommu
            .newer_qemu
            .then(|| alone("newer-qemu", || UnpackedQemu::newer(&Shell::new()?)));
        let bay = self.folder.bay(guest.iommu.name)?;
        initramfs::write(&self.base, &guest.command, &bay.initramfs())?;
        let machine = Machine::new(
            options,
            &self.kernel,
            guest.iommu,
            newer.transpose()?.as_ref().or(self.qemu.as_ref()),
        )?;
        Ok((machine, bay, Voice::default()))
    }
}

/// Where a guest's files go: of several guests each has a folder.
fn home(out: &Path, iommu: &Iommu, of_many: bool) -> PathBuf {
    if of_many {
        out.join(iommu.name)
    } else {
        out.to_owned()
    }
}

/// The kernel, and our module for it or why there is none.
fn kernel_and_probe(
    sh: &Shell,
    system: System,
) -> Result<(kernel::Kernel, Result<probe::Modules, String>)> {
    let kernel = kernel::get(sh, system).map_err(|error| {
        MachineCannot(format!(
            "the kernel {} of Debian {} cannot be had: {error:#}",
            system.flavour.package,
            system.release.name()
        ))
    })?;
    let probe = probe::build(sh, &kernel).map_err(|error| {
        format!(
            "the module umem_probe cannot be built for {} here: {error:#}",
            kernel.version
        )
    });
    Ok((kernel, probe))
}

/// Does what no other run does at the same time under this name.
fn alone<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let path = place::target().join(format!("lab/{name}.lock"));
    let create = || -> std::io::Result<File> {
        fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
        File::create(&path)
    };
    // Dropping the file unlocks it, and so does dying.
    let file = create().with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("(waiting for another run of the lab that gets ready: {name})");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    work()
}

/// The verdict of all: a difference outweighs everything.
pub fn worst(verdicts: &[u8]) -> u8 {
    if verdicts.contains(&1) {
        1
    } else {
        verdicts.iter().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{home, worst};
    use crate::lab::architecture::Architecture;
    use std::path::Path;

    #[test]
    fn a_difference_is_the_verdict_of_all() {
        assert_eq!(worst(&[0, 0]), 0);
        assert_eq!(worst(&[0, 3]), 3);
        assert_eq!(worst(&[3, 1]), 1);
    }

    #[test]
    fn files_of_several_guests_do_not_meet() {
        let machines = Architecture::known("arm64").machines;
        let out = Path::new("/o");
        assert_eq!(home(out, &machines[0], false), out);
        assert_ne!(home(out, &machines[0], true), home(out, &machines[1], true));
    }
}
