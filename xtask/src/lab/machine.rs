//! The virtual machine as data: what it is made of, and QEMU's words for it.

use super::Options;
use super::kernel::Kernel;
use super::run_folder::Bay;
use anyhow::{Context, Result};
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

/// What is between the guest's devices and its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iommu {
    /// Nothing: devices use physical addresses.
    Off,
    /// Intel's VT-d.
    Intel,
    /// AMD-Vi.
    Amd,
    /// Intel's VT-d, told to translate nothing.
    Identity,
}

impl Iommu {
    /// Its name: as on the command line, and of folders.
    pub fn name(self) -> &'static str {
        match self {
            Iommu::Off => "off",
            Iommu::Intel => "intel",
            Iommu::Amd => "amd",
            Iommu::Identity => "identity",
        }
    }

    /// What it is, for people.
    pub fn title(self) -> &'static str {
        match self {
            Iommu::Off => "no IOMMU",
            Iommu::Intel => "Intel VT-d",
            Iommu::Amd => "AMD-Vi",
            Iommu::Identity => "Intel VT-d, passing through (iommu=pt)",
        }
    }

    fn kernel_words(self) -> &'static str {
        match self {
            Iommu::Off => "",
            Iommu::Intel => " intel_iommu=on iommu.passthrough=0",
            Iommu::Amd => " iommu.passthrough=0",
            Iommu::Identity => " intel_iommu=on iommu=pt",
        }
    }

    fn device(self) -> Option<&'static str> {
        match self {
            Iommu::Off => None,
            Iommu::Intel | Iommu::Identity => Some("intel-iommu,intremap=on"),
            Iommu::Amd => Some("amd-iommu"),
        }
    }
}

/// A machine, ready to boot.
pub struct Machine {
    pub accel: Accel,
    iommu: Iommu,
    memory: String,
    kernel: PathBuf,
    command_line: String,
    /// A folder of the host that the guest reads at /in.
    input: Option<PathBuf>,
}

impl Machine {
    /// The machine that the options describe, with this kernel and IOMMU.
    pub fn new(options: &Options, kernel: &Kernel, iommu: Iommu) -> Result<Self> {
        // On a busy host an emulated timer may not tick in time for the kernel's test of it, which then panics.
        let mut command_line =
            String::from("console=ttyS0 quiet panic=-1 no_timer_check hugepagesz=1G hugepages=1");
        command_line += iommu.kernel_words();
        if let Some(words) = &options.append {
            command_line += " ";
            command_line += words;
        }
        let input = options.input.as_ref().map(|folder| {
            folder
                .canonicalize()
                .with_context(|| format!("--in {}", folder.display()))
        });
        Ok(Machine {
            accel: options.accel,
            iommu,
            memory: options.memory.clone(),
            kernel: kernel.image(),
            command_line,
            input: input.transpose()?,
        })
    }

    /// QEMU's arguments. The kernel's console goes to a file; QEMU's stdout and stderr are the guest's.
    pub fn arguments(&self, accel: Accel, bay: &Bay<'_>) -> Vec<String> {
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
        // TCG runs "fast" string instructions a byte at a time: without them the kernel clears and copies by eight.
        words.add(
            "-cpu",
            if accel == Accel::Kvm {
                "max"
            } else {
                "max,erms=off,fsrm=off"
            },
        );
        words.add("-smp", "2");
        words.add("-m", &self.memory);
        words.flag("-nodefaults");
        words.flag("-no-reboot");
        words.add("-display", "none");
        words.add("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04");
        words.add("-kernel", self.kernel.display().to_string());
        words.add("-initrd", bay.initramfs().display().to_string());
        words.add("-append", &self.command_line);

        words.add("-serial", format!("file:{}", path(&bay.console())));
        words.add("-device", "virtio-serial-pci");
        words.add("-chardev", "file,id=out,path=/dev/stdout,append=on");
        words.add("-device", "virtserialport,chardev=out,name=lab.out");
        words.add("-chardev", "file,id=err,path=/dev/stderr,append=on");
        words.add("-device", "virtserialport,chardev=err,name=lab.err");
        words.share("out", &bay.out(), "");
        if let Some(folder) = &self.input {
            words.share("in", folder, ",readonly=on");
        }
        if let Some(iommu) = self.iommu.device() {
            words.add("-device", iommu);
        }
        words.add("-device", "edu,dma_mask=0xffffffffffffffff");
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

    /// A folder of the host, for the guest to mount.
    fn share(&mut self, tag: &str, folder: &Path, options: &str) {
        let folder = path(folder);
        self.add(
            "-virtfs",
            format!("local,path={folder},mount_tag={tag},security_model=none{options}"),
        );
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.extend([name.to_owned(), value.into()]);
    }
}
