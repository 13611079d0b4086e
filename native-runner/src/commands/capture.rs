//! `umem capture`.

mod listing;
mod recorded;
mod scene;
mod source;

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use umem_core::{
    address::VirtAddr,
    capture::{Asked, Provenance},
    size::Bytes,
};

use crate::{
    capture::{Recording, document, rebase::Rebase},
    exit::Exit,
    interrupt::{Interrupt, Interrupted},
    process::Process,
    screen::{Out, one_line, say},
    whole_file::{self, Readers, WholeFile},
};
use recorded::Recorded;
use scene::Scene;
use source::{AddressRange, Source, Words};

/// Record how memory really lies, as a scenario for umem plan and umem view
///
/// Of a buffer of its own (--buffer), or of a process: --pid alone lists its mappings, --mapping or --range says
/// which. Takes root, because the kernel shows frame numbers to nobody else.
///
/// Capture memory while it is registered. Registering pins it for long (FOLL_LONGTERM), and before that the kernel brings absent
/// pages into memory, copies pages that are shared since a fork or by a private file mapping, replaces the zero page behind
/// memory that was only read, and moves pages out of ZONE_MOVABLE: afterwards the memory lies elsewhere. How many pages that
/// concerns is said, and kept in the file; so is whether anything of the process is pinned (VmPin) and whether
/// the kernel would refuse to pin a mapping at all.
///
/// Several mappings or ranges become a set of regions (see umem plan), each with what is known of it: --mapping and --range may be given
/// more than once, and stand in the file in that order, mappings first.
///
/// Absent and swapped pages have no place, so the longest stretch without them is recorded; the file says what was asked for
/// and what was left out.
///
/// Addresses are secrets. Unless --raw is given, physical addresses are shifted by one random distance and
/// virtual ones by another, multiples of the largest page that any device has, so every answer stays the same. Such a
/// file still reveals the low 31 bits of all addresses (more where runs are longer than 2G), the distances between runs, the kernel's release, and the time;
/// and, unless --scrub is given, the number and name of the process, the name of the mapping (a path, perhaps), and
/// that of the device. A new file is readable by its owner alone.
///
/// Exit code: 0 recorded, 2 wrong usage, 3 this machine lacks something, there is nothing to record, or reading ended early.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo umem capture --pid 4242
  sudo umem capture --pid 4242 --mapping /dev/shm/cache -o cache.json.gz
  sudo umem capture --buffer huge-adjacent -o -")]
#[command(group = clap::ArgGroup::new("memory").required(true).args(["buffer", "pid"]))]
pub struct Capture {
    /// Make this buffer, and record it
    #[arg(long, value_name = "NAME", value_parser = super::buffer_names())]
    buffer: Option<String>,

    /// Record memory of this process
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// The mapping of that name: as listed, the last part of a path, or NAME of memfd:NAME and anon:NAME; neighbours of one
    /// name are taken as one. May be given more than once
    #[arg(long, value_name = "NAME", requires = "pid", conflicts_with = "buffer")]
    mapping: Vec<String>,

    /// These addresses: START-END as in /proc/PID/maps, or START+LENGTH (0x7f0000000000+1G). May be given more than once
    #[arg(
        long,
        value_name = "RANGE",
        requires = "pid",
        conflicts_with = "buffer"
    )]
    range: Vec<AddressRange>,

    /// The file to write, packed if its name ends with .gz; - is standard output [default: -]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Keep all addresses as they are: the file then says where in the machine the memory lies
    #[arg(long)]
    raw: bool,

    /// Leave out the names and the number of the process, of the mapping and of the device
    #[arg(long, conflicts_with = "raw")]
    scrub: bool,

    /// For this RDMA device of the machine (mlx5_0), or one of umem list devices [default: the machine's first with an active port,
    /// else mlx5]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// Behind this IOMMU of umem list iommus, or off [default: as the device's is]
    #[arg(long, value_name = "NAME")]
    iommu: Option<String>,
}

/// Why there is no capture.
#[derive(Debug)]
enum Trouble {
    /// What was asked for is wrong.
    Input(String),
    /// This machine cannot, or not now.
    Machine(String),
    /// The result cannot be written.
    Output(anyhow::Error),
    /// A signal came.
    Interrupted,
}

impl Capture {
    /// Records, or lists what could be recorded.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        let ended = match self.pid {
            Some(pid) if self.mapping.is_empty() && self.range.is_empty() => {
                self.list(pid, out).map(|()| Exit::Held)
            }
            _ => self.capture(out),
        };
        let (exit, message) = match ended {
            Ok(exit) => return Ok(exit),
            Err(Trouble::Output(error)) => return Err(error),
            Err(Trouble::Input(message)) => (Exit::Usage, message),
            Err(Trouble::Machine(message)) => (Exit::Unable, message),
            Err(Trouble::Interrupted) => (Exit::Unable, "interrupted: nothing was written".into()),
        };
        say!("umem: {message}");
        Ok(exit)
    }

    /// Where to write, unless it is standard output.
    fn file(&self) -> Option<&Path> {
        self.output
            .as_deref()
            .filter(|path| *path != Path::new("-"))
    }

    fn words(&self) -> Words {
        match (self.raw, self.scrub) {
            (true, _) => Words::All,
            (false, false) => Words::NoAddresses,
            (false, true) => Words::NoNames,
        }
    }

    fn list(&self, pid: u32, out: &mut Out) -> Result<(), Trouble> {
        if self.output.is_some() {
            return Err(Trouble::Input(format!(
                "--output needs to know which memory of process {pid}: give --mapping or --range; umem capture --pid {pid} \
                 lists them"
            )));
        }
        let process = Process::open(pid)?;
        let written = listing::print(out, &process, process.areas_in_full()?)?;
        written.map_err(|error| Trouble::Output(error.into()))
    }

    fn capture(&self, out: &mut Out) -> Result<Exit, Trouble> {
        // What is wrong with the command line is said before anything is read.
        let scene = Scene::find(
            Path::new("/"),
            self.device.as_deref(),
            self.iommu.as_deref(),
            self.scrub,
        )
        .map_err(Trouble::Input)?;
        let sources = self.sources()?;
        let file = self
            .file()
            .map(|path| WholeFile::create(path, Readers::Owner))
            .transpose();
        let mut file = file.map_err(Trouble::Output)?;
        let recorded: Vec<_> = sources
            .iter()
            .map(Recorded::of)
            .collect::<Result<_, Trouble>>()?;
        let rebase = match self.raw {
            true => Rebase::default(),
            false => Rebase::random(recorded.iter().map(|one| &one.recording.runs))?,
        };
        let machine = scene.provenance(self.scrub);
        let regions: Vec<_> = recorded
            .iter()
            .map(|one| self.region(&machine, one, rebase))
            .collect();
        let told: Vec<_> = regions
            .iter()
            .map(|region| region.provenance.clone())
            .collect();
        let written = self.write(&scene, regions, file.as_mut(), out);
        written.map_err(|error| match Interrupt::check() {
            Err(Interrupted) => Trouble::Interrupted,
            Ok(()) => Trouble::Output(match self.file() {
                Some(path) => whole_file::unwritable(path, &error),
                None => error.into(),
            }),
        })?;
        for (one, provenance) in recorded.iter().zip(&told) {
            self.tell(&scene, &one.recording, provenance, rebase);
        }
        if let (Some(file), Some(path)) = (file, self.file()) {
            if file.is_open_to_others() {
                say!(
                    "umem: {} was there before and keeps its mode: others than its owner may read it",
                    path.display()
                );
            }
            file.finish().map_err(Trouble::Output)?;
        }
        let whole = |one: &Recorded<'_>| one.recording.left_out.unread == 0;
        Ok(match recorded.iter().all(whole) {
            true => Exit::Held,
            false => Exit::Unable,
        })
    }

    /// What is to be captured, one region after the other.
    fn sources(&self) -> Result<Vec<Source>, Trouble> {
        if let Some(name) = &self.buffer {
            return Ok(vec![Source::buffer(name)?]);
        }
        let pid = self.pid.expect("clap demands a buffer or a process");
        let called = self.mapping.iter().map(|name| (Some(name.as_str()), None));
        let ranges = self.range.iter().map(|range| (None, Some(*range)));
        called
            .chain(ranges)
            .map(|(name, range)| Source::process(Process::open(pid)?, name, range))
            .collect()
    }

    /// One region alone is a scenario, several are a set.
    fn write(
        &self,
        scene: &Scene,
        mut regions: Vec<document::Member<'_>>,
        file: Option<&mut WholeFile>,
        out: &mut Out,
    ) -> io::Result<()> {
        let (kernel, iommu, device) = (scene.kernel(), scene.iommu(), scene.device());
        if regions.len() > 1 {
            let set = document::SetDocument {
                version: 1,
                name: format!("{} regions of one process", regions.len()),
                kernel,
                iommu,
                device,
                registrations: regions,
            };
            return self.write_to(&set, file, out);
        }
        let region = regions.remove(0);
        let scenario = document::Document {
            version: 1,
            name: region.name,
            region: region.region,
            memory: region.memory,
            kernel,
            iommu,
            device,
            provenance: region.provenance,
        };
        self.write_to(&scenario, file, out)
    }

    fn write_to(
        &self,
        document: &impl Serialize,
        file: Option<&mut WholeFile>,
        out: &mut Out,
    ) -> io::Result<()> {
        let packed = self.file().is_some_and(|path| {
            path.as_os_str()
                .to_string_lossy()
                .to_lowercase()
                .ends_with(".gz")
        });
        match file {
            Some(file) if packed => document::write_packed(document, file),
            Some(file) => document::write(document, file),
            None => document::write(document, out.exact()),
        }
    }

    fn region<'r>(
        &self,
        machine: &Provenance,
        recorded: &'r Recorded<'_>,
        rebase: Rebase,
    ) -> document::Member<'r> {
        let Recorded {
            source,
            recording,
            moved,
        } = recorded;
        let rebase = match self.raw {
            true => rebase,
            false => rebase.beginning_at(recording.start),
        };
        let captured = recording.range();
        let bytes = source.bytes();
        let provenance = Provenance {
            rebased: !self.raw,
            asked: Some(Asked {
                start: rebase.virt(VirtAddr::new(bytes.start)),
                length: Bytes(bytes.end - bytes.start),
            }),
            left_out: Some(recording.left_out),
            moves_when_registered: Some(recording.moves),
            refused_when_registered: source.refused(&captured, self.words()),
            pinned: source.pinned().map(Bytes),
            moved: *moved,
            ..machine.clone()
        };
        let mut name = source.title(self.words());
        if provenance.is_partial() {
            name += ", partial";
        }
        let mut region = source.region(&captured);
        region.va = rebase.virt(region.va);
        document::Member {
            name,
            region,
            memory: document::Memory::new(&recording.runs, rebase),
            provenance,
        }
    }

    /// What was recorded, and what limits it: on standard error.
    fn tell(&self, scene: &Scene, recording: &Recording, provenance: &Provenance, rebase: Rebase) {
        for sentence in provenance.sentences().iter().skip(1) {
            say!("umem: {}", one_line(sentence));
        }
        if provenance.pinned == Some(Bytes(0)) && self.pid.is_some() {
            say!(
                "umem: This process has pinned nothing (VmPin 0): if the memory is registered at all, another process that shares \
                 it did so, or the registration does without pinning (on-demand paging)."
            );
        }
        let runs = recording.runs.iter().count();
        let addresses = match self.raw {
            true => "addresses are real: keep the file to yourself".to_owned(),
            false => format!(
                "addresses are rebased (--raw keeps them); the low {} bits of physical ones are real",
                rebase.real_bits()
            ),
        };
        say!(
            "captured {} at {} in {runs} {}, for {scene}; {addresses}",
            Bytes(recording.runs.length()),
            recording.start,
            if runs == 1 { "run" } else { "runs" },
        );
    }
}

impl From<crate::process::ProcessError> for Trouble {
    fn from(error: crate::process::ProcessError) -> Self {
        use crate::process::ProcessError::NotThere;
        match error {
            NotThere(_) => Self::Input(error.to_string()),
            _ => Self::Machine(error.to_string()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Machine(error.to_string())
    }
}
