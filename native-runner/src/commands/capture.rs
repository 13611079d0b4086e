//! `umem capture`.

mod listing;
mod scene;
mod source;

use std::{
    io,
    path::{Path, PathBuf},
    thread,
};

use umem_core::{
    address::VirtAddr,
    capture::{Asked, Provenance},
    size::Bytes,
};

use crate::{
    capture::{self, FrameKinds, Moved, RecordError, Recording, document, rebase::Rebase},
    exit::Exit,
    interrupt::{Interrupt, Interrupted},
    missing::Missing,
    process::Process,
    progress::Progress,
    screen::{Out, one_line, say},
    whole_file::{Readers, WholeFile},
};
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
/// Absent and swapped pages have no place, so the longest stretch without them is recorded; the file says what was asked for
/// and what was left out.
///
/// Addresses are secrets. Unless --raw is given, physical addresses are shifted by one random distance and
/// virtual ones by another, multiples of the largest page that any device has, so every answer stays the same. Such a
/// file still reveals the low 31 bits of all addresses, the distances between runs, the kernel's release, and the time;
/// and, unless --scrub is given, the number and name of the process, the name of the mapping (a path, perhaps), and
/// that of the device. A new file is readable by its owner alone.
///
/// Exit code: 0 recorded, 2 wrong usage, 3 this machine lacks something, there is nothing to record, or reading ended early.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("memory").required(true).args(["buffer", "pid"]))]
pub struct Capture {
    /// Make this buffer, and record it
    #[arg(long, value_name = "NAME", value_parser = super::buffer_names())]
    buffer: Option<String>,

    /// Record memory of this process
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// The mapping of that name: as listed, the last part of a path, or NAME of memfd:NAME and anon:NAME; neighbours of one
    /// name are taken as one
    #[arg(long, value_name = "NAME", requires = "pid", conflicts_with_all = ["buffer", "range"])]
    mapping: Option<String>,

    /// These addresses: START-END as in /proc/PID/maps, or START+LENGTH (0x7f0000000000+1G)
    #[arg(
        long,
        value_name = "RANGE",
        requires = "pid",
        conflicts_with = "buffer"
    )]
    range: Option<AddressRange>,

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
        let ended = match (self.pid, &self.mapping, &self.range) {
            (Some(pid), None, None) => self.list(pid, out).map(|()| Exit::Held),
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
        )
        .map_err(Trouble::Input)?;
        let source = match (&self.buffer, self.pid) {
            (Some(name), _) => Source::buffer(name)?,
            (None, Some(pid)) => {
                Source::process(Process::open(pid)?, self.mapping.as_deref(), self.range)?
            }
            (None, None) => unreachable!("clap demands one of them"),
        };
        let file = self
            .file()
            .map(|path| WholeFile::create(path, Readers::Owner))
            .transpose();
        let mut file = file.map_err(Trouble::Output)?;
        let recording = record(&source)?;
        let document = self.document(&scene, &source, &recording)?;
        let packed = self
            .file()
            .is_some_and(|path| path.extension() == Some("gz".as_ref()));
        let written = match &mut file {
            Some(file) if packed => document.write_packed(file),
            Some(file) => document.write(file),
            None => document.write(out.exact()),
        };
        written.map_err(|error| match Interrupt::check() {
            Err(Interrupted) => Trouble::Interrupted,
            Ok(()) => Trouble::Output(error.into()),
        })?;
        if let Some(file) = file {
            file.finish().map_err(Trouble::Output)?;
        }
        self.tell(&scene, &recording, &document.provenance);
        Ok(match recording.left_out.unread {
            0 => Exit::Held,
            _ => Exit::Unable,
        })
    }

    fn document<'r>(
        &self,
        scene: &Scene,
        source: &Source,
        recording: &'r Recording,
    ) -> Result<document::Document<'r>, Trouble> {
        let rebase = match self.raw {
            true => Rebase::default(),
            false => Rebase::random(&recording.runs, recording.start)?,
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
            ..scene.provenance(self.scrub)
        };
        let mut name = source.title(self.words());
        if provenance.is_partial() {
            name += ", partial";
        }
        let mut region = source.region(&captured);
        region.va = rebase.virt(region.va);
        Ok(document::Document {
            version: 1,
            name,
            region,
            memory: document::Memory::new(&recording.runs, rebase),
            kernel: scene.kernel(),
            iommu: scene.iommu(),
            device: scene.device(),
            provenance,
        })
    }

    /// What was recorded, and what limits it: on standard error.
    fn tell(&self, scene: &Scene, recording: &Recording, provenance: &Provenance) {
        for sentence in provenance.sentences().iter().skip(1) {
            say!("umem: {}", one_line(sentence));
        }
        if provenance.pinned == Some(Bytes(0)) && self.pid.is_some() {
            say!(
                "umem: Nothing of the process is pinned (VmPin 0), so this memory is not registered."
            );
        }
        let runs = recording.runs.iter().count();
        say!(
            "captured {} at {} in {runs} {}, for {scene}; {}",
            Bytes(recording.runs.length()),
            recording.start,
            if runs == 1 { "run" } else { "runs" },
            match self.raw {
                true => "addresses are real: keep the file to yourself",
                false => "addresses are rebased (--raw keeps them)",
            }
        );
    }
}

/// Reads where the memory of `source` lies, and tells what is not as one would wish.
fn record(source: &Source) -> Result<Recording, Trouble> {
    let pagemap = source.pagemap()?;
    let parts = source.parts();
    let length = parts
        .iter()
        .map(|part| part.range.end.get() - part.range.start.get())
        .sum();
    let kinds = FrameKinds::of_this_machine()?;
    // Reading is the kernel's work, and it does it on as many processors as ask.
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut bar = Progress::new("reading", length);
    let recording = capture::record(&pagemap, &parts, &kinds, threads, &mut |done| {
        bar.at(done);
        Interrupt::check()
    });
    drop(bar);
    let recording = recording.map_err(|error| match error {
        RecordError::Hidden => Trouble::Machine(Missing::frame_permission().to_string()),
        RecordError::Interrupted => Trouble::Interrupted,
    })?;
    if recording.runs.is_empty() {
        return Err(Trouble::Machine(nothing(source, &recording)));
    }
    if let Some(error) = &recording.error {
        say!(
            "umem: {}: {} pages were not read",
            source.unreadable(error),
            recording.left_out.unread
        );
    }
    let mut bar = Progress::new("checking", recording.runs.length());
    let moved = recording.moved(&pagemap, &mut |done| {
        bar.at(done);
        Interrupt::check()
    });
    drop(bar);
    Interrupt::check().map_err(|Interrupted| Trouble::Interrupted)?;
    match moved {
        Ok(Moved { moved: 0, .. }) => {}
        Ok(Moved { moved, looked }) => say!(
            "umem: {moved} of {looked} pages that were read a second time have moved meanwhile: the file says where they were at \
             first; only pinned memory stays"
        ),
        Err(error) => say!(
            "umem: {}, after it was read: whether pages have moved meanwhile is not known",
            source.unreadable(&error)
        ),
    }
    Ok(recording)
}

/// Of a range without a single page in memory.
fn nothing(source: &Source, recording: &Recording) -> String {
    if let Some(error) = &recording.error {
        return format!("{}: nothing was read", source.unreadable(error));
    }
    let left_out = &recording.left_out;
    format!(
        "no page is resident ({} absent, {} in swap); a registration brings them into memory, and so does a program that \
         writes to each of them",
        left_out.absent, left_out.swapped
    )
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
