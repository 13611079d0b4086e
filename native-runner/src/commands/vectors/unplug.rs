//! `umem vectors unplug`: devices leave while the probe waits for memory that does not come.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use crate::{
    exit::Exit,
    missing::Missing,
    probe::{Probe, Stall, Target, stalled},
    screen::say,
};

/// Take devices away while the kernel waits for user memory, and see whether they can leave
///
/// For a machine that you can afford to reboot, as the lab's VM is: the soft-RoCE device and the probe's PCI device are
/// removed and added again, several times each, and the soft-RoCE device is renamed.
///
/// Exit code: 0 every device could leave, 1 one had to wait for the memory, or its new name is not known, 2 wrong usage, 3 this machine lacks something.
#[derive(Debug, clap::Args)]
pub struct Unplug {
    /// The soft-RoCE device to remove and to add again
    #[arg(value_name = "DEVICE")]
    device: String,
}

/// How long a device may take to leave, and the kernel to come to the page.
const PATIENCE: Duration = Duration::from_secs(15);

const PAUSE: Duration = Duration::from_millis(10);

/// What the kernel may be doing when the device leaves, and whether only the PCI device can have it do so.
const STALLS: [(Stall, bool); 5] = [
    (Stall::Pinning, false),
    (Stall::Lists, false),
    (Stall::Blocks, false),
    (Stall::Mapping, true),
    (Stall::Reading, true),
];

impl Unplug {
    /// Does it, and says how it went.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let probe = match Probe::open() {
            Ok(probe) if probe.pci_domain().is_some() => probe,
            Ok(_) => return unable(&Missing::iommu()),
            Err(missing) => return unable(&missing),
        };
        let rdma = Device::soft_roce(&self.device)?;
        let pci = Device::pci()?;
        let mut exit = Exit::Held;
        for (stall, only_pci) in STALLS {
            for device in [&rdma, &pci] {
                if only_pci && matches!(device, Device::SoftRoce { .. }) {
                    continue;
                }
                let Verdict { leaving, ended } = device.leaves_during(&probe, stall)?;
                let word = match leaving {
                    Leaving::NoWait => "the kernel does not wait for the page".to_owned(),
                    Leaving::After(time) => format!("left after {} ms", time.as_millis()),
                    Leaving::Hung => {
                        exit = Exit::Differed;
                        "DIFFERED: it waits for the memory".to_owned()
                    }
                };
                let name = device.name();
                let ended =
                    ended.map_or_else(|error| error.to_string(), |()| "answered".to_owned());
                writeln!(
                    out,
                    "{name:<13} {:<9} {word}; {ended}",
                    format!("{stall:?}")
                )?;
                out.flush()?;
            }
        }
        writeln!(
            out,
            "{:<13} renamed   {}",
            rdma.name(),
            match renamed(&probe, rdma.name())? {
                true => "known by its new name alone",
                false => {
                    exit = Exit::Differed;
                    "DIFFERED: known by its old name, or not by its new one"
                }
            }
        )?;
        Ok(exit)
    }
}

/// Whether the probe knows a device by its new name once it is renamed. In the end the device has its old name again.
fn renamed(probe: &Probe, name: &str) -> anyhow::Result<bool> {
    let other = format!("{name}_renamed");
    let rename = |from: &str, to: &str| {
        let status = words(&["rdma", "dev", "set", from, "name", to]).status()?;
        ensure!(status.success(), "{from} cannot be renamed: {status}");
        Ok(())
    };
    let is_known = |name: &str| probe.device(&Target::Rdma(name.to_owned())).is_ok();
    rename(name, &other)?;
    let known = (is_known(name), is_known(&other));
    rename(&other, name)?;
    Ok(known == (false, true) && is_known(name) && !is_known(&other))
}

fn unable(missing: &Missing) -> anyhow::Result<Exit> {
    say!("umem: {missing}");
    Ok(Exit::Unable)
}

/// How it went.
struct Verdict {
    leaving: Leaving,
    /// How the question ended once the page had come.
    ended: io::Result<()>,
}

/// How removing the device went while a page did not arrive.
enum Leaving {
    /// The kernel refused the page instead of waiting for it, as Linux before 6.3 does when it pins for long (EFAULT).
    NoWait,
    /// It left, after so long.
    After(Duration),
    /// It did not leave before the page came.
    Hung,
}

/// A device that can be taken away and brought back.
enum Device {
    /// A soft-RoCE device, and the interface that it sends by.
    SoftRoce { name: String, interface: String },
    /// The probe's PCI device, by its address.
    Pci { address: String },
}

/// Where the kernel shows what the probe's PCI driver has.
const DRIVER: &str = "/sys/bus/pci/drivers/umem_probe";

impl Device {
    fn soft_roce(name: &str) -> anyhow::Result<Self> {
        let parent = Path::new("/sys/class/infiniband").join(name).join("parent");
        let interface = fs::read_to_string(&parent).with_context(|| {
            format!(
                "{name} is not a soft-RoCE device here ({})",
                parent.display()
            )
        })?;
        Ok(Self::SoftRoce {
            name: name.to_owned(),
            interface: interface.trim().to_owned(),
        })
    }

    fn pci() -> anyhow::Result<Self> {
        let names = fs::read_dir(DRIVER)?
            .flatten()
            .map(|entry| entry.file_name());
        let address = names
            .filter_map(|name| name.into_string().ok())
            .find(|name| name.contains(':'))
            .with_context(|| format!("{DRIVER} names no device"))?;
        Ok(Self::Pci { address })
    }

    fn name(&self) -> &str {
        match self {
            Self::SoftRoce { name, .. } => name,
            Self::Pci { address } => address,
        }
    }

    fn target(&self) -> Target {
        match self {
            Self::SoftRoce { name, .. } => Target::Rdma(name.clone()),
            Self::Pci { .. } => Target::PCI,
        }
    }

    fn leave(&self) -> Command {
        match self {
            Self::SoftRoce { name, .. } => words(&["rdma", "link", "delete", name]),
            Self::Pci { address } => written(address, &Path::new(DRIVER).join("unbind")),
        }
    }

    fn come_back(&self) -> Command {
        match self {
            Self::SoftRoce { name, interface } => words(&[
                "rdma", "link", "add", name, "type", "rxe", "netdev", interface,
            ]),
            Self::Pci { address } => written(address, &Path::new(DRIVER).join("bind")),
        }
    }

    /// Has the kernel wait for a page, takes the device away, lets the page come, and brings the device back.
    fn leaves_during(&self, probe: &Probe, stall: Stall) -> anyhow::Result<Verdict> {
        let (memory, faults) = stalled().context("userfaultfd")?;
        let target = self.target();
        let verdict = thread::scope(|scope| {
            let question = scope.spawn(|| probe.stall(stall, &target, &memory));
            let waits = until(PATIENCE, || {
                Ok(question.is_finished() || faults.is_waited_for(PAUSE)?)
            })?;
            if !waits || question.is_finished() {
                drop(faults);
                let ended = question.join().expect("asking does not panic");
                ensure!(
                    ended.is_err(),
                    "{stall:?}: the kernel did not need the page"
                );
                let leaving = Leaving::NoWait;
                return Ok(Verdict { leaving, ended });
            }
            let began = Instant::now();
            let mut command = self.leave().stdin(Stdio::null()).spawn()?;
            let left = until(PATIENCE, || Ok(command.try_wait()?.is_some()))?;
            let leaving = match left {
                true => Leaving::After(began.elapsed()),
                false => Leaving::Hung,
            };
            // Somebody else is still answered meanwhile.
            if left {
                ensure!(!self.is_there(), "{} is still there", self.name());
                Probe::open().map_err(|missing| anyhow::anyhow!("{missing}"))?;
            }
            drop(faults);
            let ended = question.join().expect("asking does not panic");
            let status = command.wait()?;
            ensure!(
                status.success(),
                "{} cannot be removed: {status}",
                self.name()
            );
            Ok(Verdict { leaving, ended })
        })?;
        if matches!(verdict.leaving, Leaving::NoWait) {
            return Ok(verdict);
        }
        let status = self.come_back().stdin(Stdio::null()).status()?;
        ensure!(
            status.success(),
            "{} does not come back: {status}",
            self.name()
        );
        Ok(verdict)
    }

    fn is_there(&self) -> bool {
        let path: PathBuf = match self {
            Self::SoftRoce { name, .. } => Path::new("/sys/class/infiniband").join(name),
            Self::Pci { address } => Path::new(DRIVER).join(address),
        };
        path.exists()
    }
}

fn words(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// The command that writes `text` into a file: a process of its own, because the write waits for as long as the device does.
fn written(text: &str, file: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "printf %s \"$1\" > \"$2\"", "sh", text]);
    command.arg(file);
    command
}

/// Whether something happens within `patience`.
fn until(patience: Duration, mut happened: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
    let began = Instant::now();
    while !happened()? {
        if began.elapsed() >= patience {
            return Ok(false);
        }
        thread::sleep(PAUSE);
    }
    Ok(true)
}
