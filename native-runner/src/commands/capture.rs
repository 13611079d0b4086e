//! `umem capture`.

mod listing;
mod scene;
mod source;

use std::{
    io,
    path::{Path, PathBuf},
};

use umem_core::{address::VirtAddr, size::Bytes};

use crate::{
    capture::{self, Hidden, LeftOut, Moved, Recording, document, rebase},
    exit::Exit,
    missing::Missing,
    process::Process,
    progress::Progress,
    screen::{Out, say},
    whole_file::WholeFile,
};
use scene::Scene;
use source::{AddressRange, Source};

/// Record how memory really lies, as a scenario for umem plan and umem view
///
/// Of a buffer of its own (--buffer), or of a process: --pid alone lists its mappings, --mapping or --range says
/// which. Takes root, because the kernel shows frame numbers to nobody else.
///
/// A registration pins every page, and first brings those into memory that are not. Where they would then lie cannot be
/// known, so the longest stretch without such pages is what is recorded, and what was left out is said on standard error.
/// So is everything else that may matter: that pages moved while they were read, or that the process ended.
///
/// Physical addresses are secrets. All of them are shifted down by one common distance, a multiple of the
/// largest page size that any device has, so every answer stays the same while the base is hidden; --raw keeps them.
///
/// The capture is written whole, or not at all.
///
/// Exit code: 0 recorded, 2 wrong usage, 3 this machine lacks something, or there is nothing to record.
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

    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Keep the physical addresses as they are: who has the file then knows where in the machine the memory lies
    #[arg(long)]
    raw: bool,

    /// For this RDMA device of the machine (mlx5_0), or one of umem list devices [default: the machine's first, else mlx5]
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
}

impl Capture {
    /// Records, or lists what could be recorded.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        let ended = match (self.pid, &self.mapping, &self.range) {
            (Some(pid), None, None) => self.list(pid, out),
            _ => self.capture(out),
        };
        let (exit, message) = match ended {
            Ok(()) => return Ok(Exit::Held),
            Err(Trouble::Output(error)) => return Err(error),
            Err(Trouble::Input(message)) => (Exit::Usage, message),
            Err(Trouble::Machine(message)) => (Exit::Unable, message),
        };
        say!("umem: {message}");
        Ok(exit)
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

    fn capture(&self, out: &mut Out) -> Result<(), Trouble> {
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
        let file = self.output.as_deref().map(WholeFile::create).transpose();
        let mut file = file.map_err(Trouble::Output)?;
        let recording = record(&source)?;
        let document = self.document(&scene, &source, &recording);
        let written = match &mut file {
            Some(file) => document.write(file),
            None => document.write(out.exact()),
        };
        written.map_err(|error| Trouble::Output(error.into()))?;
        if let Some(file) = file {
            file.finish().map_err(Trouble::Output)?;
        }
        self.tell(&scene, &recording);
        Ok(())
    }

    fn document<'r>(
        &self,
        scene: &Scene,
        source: &Source,
        recording: &'r Recording,
    ) -> document::Document<'r> {
        let shift = match self.raw {
            true => 0,
            false => rebase::shift(&recording.runs),
        };
        document::Document {
            version: 1,
            name: source.title().to_owned(),
            region: source.region(&recording.range()),
            memory: document::Memory::new(&recording.runs, shift),
            kernel: scene.kernel(),
            iommu: scene.iommu(),
            device: scene.device(),
            provenance: scene.provenance(!self.raw),
        }
    }

    /// What was recorded, in a line on standard error.
    fn tell(&self, scene: &Scene, recording: &Recording) {
        let runs = recording.runs.iter().count();
        say!(
            "captured {} at {} in {runs} {}, for {scene}; {}",
            Bytes(recording.runs.length()),
            recording.start,
            if runs == 1 { "run" } else { "runs" },
            match self.raw {
                true => "physical addresses are real: keep the file to yourself",
                false => "physical addresses are rebased (--raw keeps them)",
            }
        );
    }
}

/// Reads where the memory of `source` lies, and tells what is not as one would wish.
fn record(source: &Source) -> Result<Recording, Trouble> {
    let pagemap = source.pagemap()?;
    let range = source.pages();
    let length = range.end.get() - range.start.get();
    let mut bar = Progress::new("reading", length);
    let recording = capture::record(&pagemap, range.clone(), &mut |done| bar.at(done))
        .map_err(|Hidden| Trouble::Machine(Missing::frame_permission().to_string()))?;
    drop(bar);
    let left_out = &recording.left_out;
    if recording.runs.is_empty() {
        return Err(Trouble::Machine(nothing(source, left_out)));
    }
    if let Some(error) = &left_out.error {
        say!(
            "umem: {}: {} pages were not read",
            source.unreadable(error),
            left_out.unread
        );
    }
    if left_out.absent + left_out.swapped + left_out.elsewhere > 0 {
        say!("umem: {}", kept(&range, &recording));
    }
    let mut bar = Progress::new("checking", recording.runs.length());
    match recording.moved(&pagemap, &mut |done| bar.at(done)) {
        Ok(Moved { moved: 0, .. }) => {}
        Ok(Moved { moved, looked }) => say!(
            "umem: of {looked} pages looked at once more {moved} have moved meanwhile: they are recorded where they were at \
             first; only pinned memory stays"
        ),
        Err(error) => say!(
            "umem: {}, after it was read: whether pages had moved meanwhile cannot be told",
            source.unreadable(&error)
        ),
    }
    Ok(recording)
}

/// Of a range without a single page in memory.
fn nothing(source: &Source, left_out: &LeftOut) -> String {
    if let Some(error) = &left_out.error {
        return format!("{}: nothing was read", source.unreadable(error));
    }
    format!(
        "nothing is there to be captured: {} pages are absent, {} in swap; a registration would bring them into memory, \
         and so does a program that writes to each of them",
        left_out.absent, left_out.swapped
    )
}

/// Of a range with holes.
fn kept(asked: &std::ops::Range<VirtAddr>, recording: &Recording) -> String {
    let LeftOut {
        absent,
        swapped,
        elsewhere,
        ..
    } = &recording.left_out;
    let range = recording.range();
    format!(
        "{absent} pages are absent and {swapped} in swap: a registration would bring them into memory, but where cannot be known. \
         Recorded is the longest stretch without them, {}-{} ({} of {}); {elsewhere} pages in memory lie elsewhere",
        range.start,
        range.end,
        Bytes(recording.runs.length()),
        Bytes(asked.end.get() - asked.start.get()),
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
