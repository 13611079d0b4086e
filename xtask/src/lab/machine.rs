//! The virtual machine as data: what it is made of, and QEMU's words for it.

use super::Options;
use super::kernel::Kernel;
use anyhow::Result;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// What building and running the machine needs.
pub const PACKAGES: &[&str] = &["qemu-system-x86", "kmod", "xz-utils", "zstd", "util-linux"];

/// How the guest's processor is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Accel {
    /// KVM where it works, else TCG
    Auto,
    /// The host's processor
    Kvm,
    /// Software; works everywhere
    Tcg,
}

/// The IOMMU between the guest's devices and its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Iommu {
    Off,
    /// Intel's VT-d
    Intel,
    /// AMD-Vi
    Amd,
}

/// A machine, ready to boot.
pub struct Machine {
    pub accel: Accel,
    pub iommu: Iommu,
    pub kernel: PathBuf,
    pub command_line: String,
    /// A folder of the host that the guest mounts at /out.
    pub out: Option<PathBuf>,
}

impl Machine {
    /// The machine that the options describe, with this kernel.
    pub fn new(options: &Options, kernel: &Kernel) -> Result<Self> {
        // On a busy host an emulated timer may not tick in time for the kernel's test of it, which then panics.
        let mut command_line =
            String::from("console=ttyS0 quiet panic=-1 no_timer_check hugepagesz=1G hugepages=1");
        command_line += match options.iommu {
            Iommu::Off => "",
            Iommu::Intel => " intel_iommu=on iommu.passthrough=0",
            Iommu::Amd => " iommu.passthrough=0",
        };
        if let Some(words) = &options.append {
            command_line += " ";
            command_line += words;
        }
        let out = options.out.as_ref().map(|folder| {
            std::fs::create_dir_all(folder)?;
            folder.canonicalize()
        });
        Ok(Machine {
            accel: options.accel,
            iommu: options.iommu,
            kernel: kernel.image(),
            command_line,
            out: out.transpose()?,
        })
    }

    /// QEMU's arguments. The kernel's console goes to the file `console`; QEMU's stdout and stderr are the guest's.
    pub fn arguments(&self, accel: Accel, initramfs: &Path, console: &Path) -> Vec<String> {
        let mut words = Words::default();
        words.add("-M", "q35");
        // Interrupt remapping (the IOMMUs') needs QEMU to see the interrupts.
        words.add(
            "-accel",
            if accel == Accel::Kvm {
                "kvm,kernel-irqchip=split"
            } else {
                "tcg"
            },
        );
        words.add("-cpu", "max");
        words.add("-smp", "2");
        words.add("-m", "4G");
        words.flag("-nodefaults");
        words.flag("-no-reboot");
        words.add("-display", "none");
        words.add("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04");
        words.add("-kernel", self.kernel.display().to_string());
        words.add("-initrd", initramfs.display().to_string());
        words.add("-append", &self.command_line);

        words.add("-serial", format!("file:{}", path(console)));
        words.add("-device", "virtio-serial-pci");
        words.add("-chardev", "file,id=out,path=/dev/stdout,append=on");
        words.add("-device", "virtserialport,chardev=out,name=lab.out");
        words.add("-chardev", "file,id=err,path=/dev/stderr,append=on");
        words.add("-device", "virtserialport,chardev=err,name=lab.err");
        if let Some(out) = &self.out {
            words.add(
                "-virtfs",
                format!("local,path={},mount_tag=out,security_model=none", path(out)),
            );
        }
        match self.iommu {
            Iommu::Off => {}
            Iommu::Intel => words.add("-device", "intel-iommu,intremap=on"),
            Iommu::Amd => words.add("-device", "amd-iommu"),
        }
        if self.iommu != Iommu::Off {
            words.add("-device", "edu,dma_mask=0xffffffffffffffff");
        }
        words.0
    }
}

/// A path as QEMU reads it within an option: there a comma is written twice.
fn path(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn flag(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.extend([name.to_owned(), value.into()]);
    }
}
