//! The virtual machine as data: what it is made of, and QEMU's words for it.

use super::Options;
use super::architecture::{Architecture, Iommu};
use super::kernel::Kernel;
use super::run_folder::Bay;
use super::unpacked_qemu::UnpackedQemu;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// What getting and running a machine needs, whatever its architecture.
pub const PACKAGES: &[&str] = &["kmod", "xz-utils", "zstd", "util-linux"];

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

/// A machine, ready to boot.
pub struct Machine {
    pub accel: Accel,
    architecture: &'static Architecture,
    iommu: &'static Iommu,
    memory: String,
    kernel: PathBuf,
    command_line: String,
    /// The program that emulates it, and its first words.
    qemu: (PathBuf, Vec<String>),
    /// A folder of the host that the guest reads at /in.
    input: Option<PathBuf>,
}

impl Machine {
    /// The machine that the options describe, with this kernel and IOMMU; run by the unpacked QEMU, if it is there for it.
    pub fn new(
        options: &Options,
        kernel: &Kernel,
        iommu: &'static Iommu,
        unpacked: Option<&UnpackedQemu>,
    ) -> Result<Self> {
        let architecture = kernel.system.architecture;
        let appended = options.append.as_deref().unwrap_or_default();
        let dma_bits = format!("lab.dma_bits={}", iommu.dma_bits);
        let words = [
            "quiet panic=-1",
            architecture.kernel_words,
            iommu.kernel_words,
            &dma_bits,
            appended,
        ];
        let input = options.input.as_ref().map(|folder| {
            folder
                .canonicalize()
                .with_context(|| format!("--in {}", folder.display()))
        });
        let accel = match (architecture.is_here(), options.accel) {
            (true, accel) => accel,
            (false, Accel::Auto) => Accel::Tcg,
            (false, accel) => {
                ensure!(
                    accel == Accel::Tcg,
                    "KVM cannot run {} on this machine: leave --accel out",
                    architecture.name
                );
                accel
            }
        };
        Ok(Machine {
            accel,
            architecture,
            iommu,
            memory: options.memory.as_deref().unwrap_or(iommu.memory).to_owned(),
            kernel: kernel.image(),
            command_line: words.join(" "),
            qemu: match unpacked {
                Some(qemu) => (qemu.program(architecture), qemu.data().collect()),
                None => (architecture.qemu.into(), Vec::new()),
            },
            input: input.transpose()?,
        })
    }

    /// The program that runs it.
    pub fn qemu(&self) -> &Path {
        &self.qemu.0
    }

    /// QEMU's arguments. The kernel's console goes to a file; QEMU's stdout and stderr are the guest's.
    pub fn arguments(&self, accel: Accel, bay: &Bay<'_>) -> Vec<String> {
        let mut words = Words::new(self.iommu.buses);
        words.list.extend_from_slice(&self.qemu.1);
        words.add("-M", self.iommu.machine);
        let (kvm, tcg) = self.architecture.cpu;
        if accel == Accel::Kvm {
            // Interrupt remapping (the IOMMUs') needs QEMU to see the interrupts.
            words.add("-accel", "kvm,kernel-irqchip=split");
            words.add("-cpu", kvm);
        } else {
            words.add("-accel", "tcg");
            words.add("-cpu", tcg);
        }
        words.add("-smp", "2");
        words.add("-m", &self.memory);
        for (name, value) in self.iommu.options {
            match *value {
                "" => words.flag(name),
                value => words.add(name, value),
            }
        }
        words.flag("-no-reboot");
        words.add("-display", "none");
        words.add("-kernel", self.kernel.display().to_string());
        words.add("-initrd", bay.initramfs().display().to_string());
        words.add("-append", &self.command_line);

        words.add("-serial", format!("file:{}", path(&bay.console())));
        words.device("edu,dma_mask=0xffffffffffffffff");
        words.device("virtio-serial-pci,disable-legacy=on");
        words.port("out", Path::new("/dev/stdout"));
        words.port("err", Path::new("/dev/stderr"));
        words.port("verdict", &bay.verdict());
        words.share("out", &bay.out(), "");
        if let Some(folder) = &self.input {
            words.share("in", folder, ",readonly=on");
        }
        words.list
    }
}

/// A path as QEMU reads it within an option: there a comma is written twice.
fn path(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

struct Words {
    list: Vec<String>,
    /// Where devices go that are still to come.
    buses: std::slice::Iter<'static, &'static str>,
}

impl Words {
    fn new(buses: &'static [&'static str]) -> Self {
        Words {
            list: Vec::new(),
            buses: buses.iter(),
        }
    }

    fn flag(&mut self, name: &str) {
        self.list.push(name.to_owned());
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.list.extend([name.to_owned(), value.into()]);
    }

    /// A PCI device.
    fn device(&mut self, device: &str) {
        let bus = self.buses.next().map(|bus| format!(",bus={bus}"));
        self.add("-device", format!("{device}{}", bus.unwrap_or_default()));
    }

    /// A port of the virtio console that writes to a file.
    fn port(&mut self, name: &str, file: &Path) {
        let file = path(file);
        self.add("-chardev", format!("file,id={name},path={file},append=on"));
        self.add(
            "-device",
            format!("virtserialport,chardev={name},name=lab.{name}"),
        );
    }

    /// A folder of the host, for the guest to mount.
    fn share(&mut self, tag: &str, folder: &Path, options: &str) {
        let folder = path(folder);
        self.add(
            "-fsdev",
            format!("local,id=share-{tag},path={folder},security_model=none{options}"),
        );
        self.device(&format!(
            "virtio-9p-pci,disable-legacy=on,fsdev=share-{tag},mount_tag={tag}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::{Words, path};
    use std::path::Path;

    #[test]
    fn devices_take_the_buses_in_turn() {
        let mut words = Words::new(&["pcie.0", "pcie.1"]);
        words.device("edu");
        words.share("in", Path::new("/a,b"), ",readonly=on");
        assert_eq!(words.list[1], "edu,bus=pcie.0");
        assert!(words.list[3].contains("path=/a,,b,"), "{:?}", words.list);
        assert!(words.list[5].ends_with("mount_tag=in,bus=pcie.1"));
        let mut words = Words::new(&[]);
        words.device("edu");
        assert_eq!(words.list, ["-device", "edu"]);
        assert_eq!(path(Path::new("/x")), "/x");
    }
}
