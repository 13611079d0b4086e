//! The architectures that the lab can boot, as data: how QEMU emulates each, where its kernel and programs come from, how
//! they are built here, and what can stand between its devices and memory.

use super::archive::Release;
use clap::ValueEnum;

/// A processor's architecture.
#[derive(Debug)]
pub struct Architecture {
    /// As on the command line.
    pub name: &'static str,
    /// As Debian calls it.
    pub debian: &'static str,
    /// The folder of its libraries, and the prefix of its compiler.
    pub triplet: &'static str,
    /// As Linux's makefiles call it.
    pub kernel: &'static str,
    /// As Rust calls the processor, and what programs for it are built for.
    pub rust: (&'static str, &'static str),
    /// The packages that emulate it and compile for it.
    pub packages: &'static [&'static str],
    /// Its kernels, Debian's default first.
    pub flavours: &'static [Flavour],
    /// What QEMU is called.
    pub qemu: &'static str,
    /// The processor under KVM, and the one that is emulated.
    pub cpu: (&'static str, &'static str),
    /// Options for building modules.
    pub make: &'static [&'static str],
    /// Words of the kernel's command line.
    pub kernel_words: &'static str,
    /// Its machines, which differ in what stands between devices and memory. The first has nothing there, or as little as can be.
    pub machines: &'static [Iommu],
    /// The machines that are checked unless others are named; the first of them records vectors.
    pub checked: &'static [&'static str],
}

/// A kernel package of Debian's.
#[derive(Debug)]
pub struct Flavour {
    /// The kernel's page size.
    pub page: Page,
    /// The package that depends on the present kernel.
    pub package: &'static str,
    /// The releases that have it; the first is the default.
    pub releases: &'static [Release],
}

/// A kernel's page size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Page {
    #[value(name = "4K")]
    K4,
    #[value(name = "16K")]
    K16,
    #[value(name = "64K")]
    K64,
}

impl Iommu {
    /// Whether mapping follows rules of its own there, about which random questions are asked.
    pub fn translates(&self) -> bool {
        !matches!(self.name, "off" | "identity")
    }
}

impl Page {
    /// As on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.expect("no page is hidden").get_name().to_owned()
    }
}

/// What is between the guest's devices and its memory, and how QEMU has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Iommu {
    /// Its name: as on the command line, and of folders.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// QEMU's machine with its options.
    pub machine: &'static str,
    /// Whether only a QEMU has it that is newer than Debian 12's.
    pub newer_qemu: bool,
    /// QEMU's other options.
    pub options: &'static [(&'static str, &'static str)],
    /// Words of the kernel's command line.
    pub kernel_words: &'static str,
    /// How much memory it has unless another size is named, as QEMU has it.
    pub memory: &'static str,
    /// The buses that devices are put on, one on each; none: QEMU chooses.
    pub buses: &'static [&'static str],
    /// How many address bits the probe's driver says that its device drives.
    pub dma_bits: u32,
}

const ANY_SINCE_BACKPORTS: &[Release] = &[
    Release::BookwormBackports,
    Release::Trixie,
    Release::TrixieBackports,
    Release::Forky,
    Release::Sid,
];

const ANY: &[Release] = &[
    Release::Bookworm,
    Release::BookwormBackports,
    Release::Trixie,
    Release::TrixieBackports,
    Release::Forky,
    Release::Sid,
];

const NOTHING: Iommu = Iommu {
    name: "off",
    title: "no IOMMU",
    machine: "",
    newer_qemu: false,
    options: NO_DEFAULTS,
    kernel_words: "",
    memory: "4G",
    buses: &[],
    dma_bits: 64,
};

const NO_DEFAULTS: &[(&str, &str)] = &[("-nodefaults", "")];

const X86: Iommu = Iommu {
    machine: "q35",
    ..NOTHING
};

const ARM: Iommu = Iommu {
    machine: "virt,gic-version=3",
    ..NOTHING
};

const SMMU: Iommu = Iommu {
    machine: "virt,gic-version=3,iommu=smmuv3",
    ..NOTHING
};

/// Its firmware is QEMU's own, since SLOF takes three seconds more. Of what a processor is hardened against TCG emulates nothing, and
/// says so for each.
const PSERIES: &str =
    "pseries,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off";

/// Every architecture there is.
pub static ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "x86-64",
        debian: "amd64",
        triplet: "x86_64-linux-gnu",
        kernel: "x86",
        rust: ("x86_64", "x86_64-unknown-linux-gnu"),
        packages: &["qemu-system-x86", "gcc"],
        flavours: &[Flavour {
            page: Page::K4,
            package: "linux-image-amd64",
            releases: ANY,
        }],
        qemu: "qemu-system-x86_64",
        // TCG runs "fast" string instructions a byte at a time: without them the kernel clears and copies by eight.
        cpu: ("max", "max,erms=off,fsrm=off"),
        make: &[],
        // On a busy host an emulated timer may not tick in time for the kernel's test of it, which then panics.
        kernel_words: "console=ttyS0 no_timer_check hugepagesz=1G hugepages=1",
        machines: &[
            X86,
            Iommu {
                name: "intel",
                title: "Intel VT-d",
                options: &[("-nodefaults", ""), ("-device", "intel-iommu,intremap=on")],
                kernel_words: "intel_iommu=on iommu.passthrough=0",
                ..X86
            },
            Iommu {
                name: "amd",
                title: "AMD-Vi",
                options: &[("-nodefaults", ""), ("-device", "amd-iommu")],
                kernel_words: "iommu.passthrough=0",
                ..X86
            },
            Iommu {
                name: "identity",
                title: "Intel VT-d, passing through (iommu=pt)",
                options: &[("-nodefaults", ""), ("-device", "intel-iommu,intremap=on")],
                kernel_words: "intel_iommu=on iommu=pt",
                ..X86
            },
            Iommu {
                name: "virtio",
                title: "virtio-iommu",
                options: &[("-nodefaults", ""), ("-device", "virtio-iommu-pci")],
                kernel_words: "iommu.passthrough=0",
                ..X86
            },
            Iommu {
                name: "intel-first-stage",
                title: "Intel VT-d, first stage",
                newer_qemu: true,
                options: &[
                    ("-nodefaults", ""),
                    (
                        "-device",
                        "intel-iommu,intremap=on,x-scalable-mode=on,x-flts=on",
                    ),
                ],
                kernel_words: "intel_iommu=on,sm_on iommu.passthrough=0",
                ..X86
            },
        ],
        checked: &["intel", "amd"],
    },
    Architecture {
        name: "arm64",
        debian: "arm64",
        triplet: "aarch64-linux-gnu",
        kernel: "arm64",
        rust: ("aarch64", "aarch64-unknown-linux-gnu"),
        packages: &[
            "qemu-system-arm",
            "gcc-aarch64-linux-gnu",
            "libc6-dev-arm64-cross",
        ],
        flavours: &[
            Flavour {
                page: Page::K4,
                package: "linux-image-arm64",
                releases: ANY,
            },
            Flavour {
                page: Page::K16,
                package: "linux-image-arm64-16k",
                releases: ANY_SINCE_BACKPORTS,
            },
        ],
        qemu: "qemu-system-aarch64",
        // It has all granules. On one that lacks the kernel's, such as cortex-a72 with 16K, the guest hangs without a word.
        cpu: ("host", "neoverse-n1"),
        make: &[],
        kernel_words: "console=ttyAMA0 hugepagesz=1G hugepages=1",
        machines: &[
            ARM,
            Iommu {
                name: "smmuv3",
                title: "Arm SMMUv3",
                kernel_words: "iommu.passthrough=0",
                ..SMMU
            },
            Iommu {
                name: "virtio",
                title: "virtio-iommu",
                options: &[("-nodefaults", ""), ("-device", "virtio-iommu-pci")],
                kernel_words: "iommu.passthrough=0",
                ..ARM
            },
            Iommu {
                name: "identity",
                title: "Arm SMMUv3, passing through (iommu.passthrough=1)",
                kernel_words: "iommu.passthrough=1",
                ..SMMU
            },
        ],
        checked: &["smmuv3", "off"],
    },
    Architecture {
        name: "ppc64le",
        debian: "ppc64el",
        triplet: "powerpc64le-linux-gnu",
        kernel: "powerpc",
        rust: ("powerpc64", "powerpc64le-unknown-linux-gnu"),
        packages: &[
            "qemu-system-ppc",
            "gcc-powerpc64le-linux-gnu",
            "libc6-dev-ppc64el-cross",
        ],
        flavours: &[
            // Up to 6.1 the one flavour has 64K pages; later it has 4K, and 64K are a flavour of their own.
            Flavour {
                page: Page::K64,
                package: "linux-image-powerpc64le",
                releases: &[Release::Bookworm],
            },
            Flavour {
                page: Page::K64,
                package: "linux-image-powerpc64le-64k",
                releases: ANY_SINCE_BACKPORTS,
            },
            Flavour {
                page: Page::K4,
                package: "linux-image-powerpc64le",
                releases: ANY_SINCE_BACKPORTS,
            },
        ],
        qemu: "qemu-system-ppc64",
        cpu: ("host", "power9"),
        // gcc 12 puts the entries that ftrace patches before the TOC is set up: such a module crashes with its first call.
        make: &["CC_FLAGS_FTRACE="],
        // No word may contain "iommu=": the early boot code searches the whole line for it.
        kernel_words: "console=hvc0 hugepagesz=1G hugepages=1",
        machines: &[
            Iommu {
                name: "power-direct",
                title: "pseries, direct window",
                machine: PSERIES,
                // 6.12 makes the window only where memory can be added.
                memory: "4G,slots=4,maxmem=16G",
                ..NOTHING
            },
            Iommu {
                name: "power",
                title: "pseries, tables of 4K",
                machine: PSERIES,
                options: &[
                    ("-nodefaults", ""),
                    ("-global", "spapr-pci-host-bridge.ddw=off"),
                ],
                ..NOTHING
            },
            Iommu {
                name: "power-64k",
                title: "powernv, tables of the kernel's page",
                machine: "powernv9",
                // Without its defaults it has no PCI.
                options: &[("-nic", "none"), ("-vga", "none")],
                buses: &["pcie.0", "pcie.1", "pcie.2", "pcie.3", "pcie.4", "pcie.5"],
                // The window is as large as memory, and at 2G the 32-bit window of device registers begins.
                memory: "2G",
                dma_bits: 32,
                ..NOTHING
            },
        ],
        checked: &["power", "power-direct"],
    },
];

impl Architecture {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Architecture> {
        ARCHITECTURES.iter().find(|known| known.name == name)
    }

    /// The one of this name, which there is.
    pub fn known(name: &str) -> &'static Architecture {
        Architecture::named(name).expect("the table has it")
    }

    /// This machine's own; `None`: the lab does not know it.
    pub fn of_this_machine() -> Option<&'static Architecture> {
        let here = |known: &&Architecture| known.rust.0 == std::env::consts::ARCH;
        ARCHITECTURES.iter().find(here)
    }

    /// Whether this machine is of it.
    pub fn is_here(&self) -> bool {
        Architecture::of_this_machine().is_some_and(|here| here.name == self.name)
    }

    /// Its compiler.
    pub fn compiler(&self) -> String {
        match self.is_here() {
            true => "gcc".to_owned(),
            false => format!("{}-gcc", self.triplet),
        }
    }

    /// The machine of this name.
    pub fn machine(&self, name: &str) -> Option<&'static Iommu> {
        Architecture::known(self.name)
            .machines
            .iter()
            .find(|machine| machine.name == name)
    }

    /// The machines that are checked unless others are named.
    pub fn checked(&self) -> Vec<&'static Iommu> {
        let named = |name: &&str| self.machine(name).expect("the table has it");
        self.checked.iter().map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::ARCHITECTURES;

    #[test]
    fn every_table_is_whole() {
        for architecture in ARCHITECTURES {
            assert!(!architecture.checked().is_empty(), "{}", architecture.name);
            let names: Vec<_> = architecture.machines.iter().map(|one| one.name).collect();
            let mut unique = names.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), names.len(), "{names:?}");
            for flavour in architecture.flavours {
                assert!(!flavour.releases.is_empty(), "{}", flavour.package);
            }
        }
    }

    /// POWER's early boot code takes a part of any word for its own.
    #[test]
    fn no_word_of_powers_command_line_contains_iommu() {
        let power = super::Architecture::known("ppc64le");
        let words = power.machines.iter().map(|machine| machine.kernel_words);
        for words in words.chain([power.kernel_words]) {
            assert!(!words.contains("iommu="), "{words}");
        }
    }
}
