//! The BPF programs in the kernel, and the records that they send.

use std::{fmt, io, os::fd::AsFd, path::Path, time::Duration};

use aya::{
    Btf, Ebpf, EbpfLoader,
    maps::{MapData, PerCpuArray, RingBuf},
    programs::KProbe,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    attach::Attached,
    points::{POINTS, Point, functions},
    symbols::Symbols,
    tracefs::Events,
    wire::{Malformed, Record},
};

/// The programs, built from `bpf/umem_watch.bpf.c` and committed: building `umem` takes no clang.
#[cfg(target_arch = "x86_64")]
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../bpf/umem_watch.x86-64.bpf.o");
#[cfg(not(target_arch = "x86_64"))]
static OBJECT: &[u8] = &[];

/// Whether there are programs for this processor.
pub fn has_programs() -> bool {
    !OBJECT.is_empty()
}

/// Why nothing can be watched.
#[derive(Debug)]
pub enum Unwatchable {
    /// The programs were built for other processors.
    Processor,
    /// The kernel's type information cannot be had.
    NoBtf(String),
    /// tracefs is missing or closed to us.
    Tracefs(io::Error),
    /// `/proc/kallsyms` cannot be read.
    Symbols(io::Error),
    /// The kernel refuses the programs.
    Refused(String),
    /// A probe cannot be set.
    Probe(&'static str, io::Error),
}

impl fmt::Display for Unwatchable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processor => f.write_str("the BPF programs are built for x86-64 alone so far"),
            Self::NoBtf(error) => write!(
                f,
                "the kernel's type information cannot be read ({error}): it takes a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions \
                 have it"
            ),
            Self::Tracefs(error) => write!(f, "tracefs cannot be used: {error}"),
            Self::Symbols(error) => write!(f, "/proc/kallsyms cannot be read: {error}"),
            Self::Refused(error) => write!(
                f,
                "the kernel refuses the BPF programs ({error}): it takes Linux 5.17, root or CAP_BPF with CAP_PERFMON, and no lockdown in the \
                 mode confidentiality"
            ),
            Self::Probe(function, error) => write!(
                f,
                "no probe can be set at {function}() ({error}): run it as root; with CAP_BPF and CAP_PERFMON alone it takes kernel.perf_event_paranoid \
                 of 2 or less"
            ),
        }
    }
}

impl std::error::Error for Unwatchable {}

/// What was lost, by where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Losses {
    /// Records that found no room because nobody read fast enough.
    pub events: u64,
    /// Parts of lists, the same.
    pub pieces: u64,
    /// Registrations that ran while too many others did.
    pub windows: u64,
    /// Calls that the kernel's probes missed.
    pub missed: u64,
    /// Records that could not be understood.
    pub malformed: u64,
}

impl Losses {
    /// Registrations, or their ends, that may be lost.
    pub fn registrations(&self) -> u64 {
        self.events + self.windows + self.missed + self.malformed
    }
}

/// The programs, watching.
pub struct Source {
    ebpf: Ebpf,
    events: RingBuf<MapData>,
    lists: RingBuf<MapData>,
    counts: PerCpuArray<MapData, u64>,
    /// Dropped before the events that they hold.
    attached: Vec<(&'static str, Attached)>,
    traced: Events,
    malformed: u64,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("attached", &self.attached)
            .field("traced", &self.traced)
            .field("malformed", &self.malformed)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Loads the programs and joins those whose functions are there: see [`attach`](Self::attach) for those that come later.
    /// `process`: only this one is watched.
    ///
    /// # Errors
    /// The kernel does not let us.
    pub fn open(process: Option<u32>, symbols: &Symbols) -> Result<Self, Unwatchable> {
        if OBJECT.is_empty() {
            return Err(Unwatchable::Processor);
        }
        let traced = Events::new(Path::new("/")).map_err(Unwatchable::Tracefs)?;
        let btf = Btf::from_sys_fs().map_err(|error| Unwatchable::NoBtf(chain(&error)))?;
        let process = process.unwrap_or(0);
        let vmemmap = symbols.vmemmap_base().unwrap_or(0);
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .override_global("only_process", &process, true)
            .override_global("vmemmap_variable", &vmemmap, true)
            .load(OBJECT)
            .map_err(|error| Unwatchable::Refused(chain(&error)))?;
        let mut programs: Vec<&str> = POINTS.iter().map(|point| point.program).collect();
        programs.sort_unstable();
        programs.dedup();
        for name in programs {
            let mut load = || -> Result<(), String> {
                let program = ebpf.program_mut(name).ok_or("it is not in the object")?;
                let program: &mut KProbe = program.try_into().map_err(|error| chain(&error))?;
                program.load().map_err(|error| chain(&error))
            };
            load().map_err(|error| Unwatchable::Refused(format!("{name}: {error}")))?;
        }
        let mut map = |name: &str| {
            let map = ebpf.take_map(name);
            map.ok_or_else(|| Unwatchable::Refused(format!("the object has no map {name}")))
        };
        let wrong = |error: aya::maps::MapError| Unwatchable::Refused(chain(&error));
        let mut source = Self {
            events: RingBuf::try_from(map("events")?).map_err(wrong)?,
            lists: RingBuf::try_from(map("lists")?).map_err(wrong)?,
            counts: PerCpuArray::try_from(map("counts")?).map_err(wrong)?,
            ebpf,
            attached: Vec::new(),
            traced,
            malformed: 0,
        };
        source.attach(symbols)?;
        Ok(source)
    }

    /// Joins the programs whose functions are there by now; whether registrations are seen.
    ///
    /// # Errors
    /// A function is there, and the kernel refuses the probe.
    pub fn attach(&mut self, symbols: &Symbols) -> Result<bool, Unwatchable> {
        for point in POINTS {
            if self.has(point.event) {
                continue;
            }
            let found = point
                .functions
                .iter()
                .find_map(|function| Some((*function, symbols.probe_point(function)?)));
            let Some((function, place)) = found else {
                continue;
            };
            match self.join(point, &place) {
                Ok(attached) => self.attached.push((point.event, attached)),
                // Compilers inline some of them, or they may not be probed.
                Err(_) if !point.is_needed => {}
                Err(error) => return Err(Unwatchable::Probe(function, error)),
            }
        }
        Ok(self.is_whole())
    }

    fn join(&mut self, point: &Point, place: &str) -> io::Result<Attached> {
        let event = self.traced.add(point.event, point.place, place)?;
        let program = self.ebpf.program(point.program);
        let program = program.ok_or_else(|| io::Error::other("the program is missing"))?;
        let program: &KProbe = program.try_into().map_err(io::Error::other)?;
        Attached::new(event, program.fd().map_err(io::Error::other)?.as_fd())
    }

    fn has(&self, event: &str) -> bool {
        self.attached.iter().any(|(name, _)| *name == event)
    }

    /// Whether what registrations need is joined.
    pub fn is_whole(&self) -> bool {
        let needed = POINTS.iter().filter(|point| point.is_needed);
        needed.into_iter().all(|point| self.has(point.event))
    }

    /// Waits for records, so long at most; `each` gets them. The parts of a list come before its registration.
    pub fn wait(&mut self, most: Duration, each: &mut dyn FnMut(Record)) -> io::Result<()> {
        // A long list wakes us before its registration comes.
        let mut rings = [
            PollFd::new(&self.events, PollFlags::IN),
            PollFd::new(&self.lists, PollFlags::IN),
        ];
        let most = Timespec::try_from(most).map_err(io::Error::other)?;
        match poll(&mut rings, Some(&most)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.drain(each);
        Ok(())
    }

    /// Every record that is there.
    pub fn drain(&mut self, each: &mut dyn FnMut(Record)) {
        let malformed = &mut self.malformed;
        let mut read = |bytes: &[u8], malformed: &mut u64| match Record::read(bytes) {
            Ok(record) => each(record),
            Err(Malformed::Short | Malformed::Length | Malformed::Kind(_) | Malformed::Entry) => {
                *malformed += 1;
            }
        };
        while let Some(event) = self.events.next() {
            // What a list's parts are needed for is sent after them.
            while let Some(piece) = self.lists.next() {
                read(&piece, malformed);
            }
            read(&event, malformed);
        }
        // Nobody waits for these yet, but their ring must not fill.
        while let Some(piece) = self.lists.next() {
            read(&piece, malformed);
        }
    }

    /// What was lost so far.
    pub fn losses(&self) -> Losses {
        let count = |which: u32| {
            let of_each_cpu = self.counts.get(&which, 0);
            of_each_cpu.map_or(0, |counts| counts.iter().sum())
        };
        Losses {
            events: count(0),
            pieces: count(1),
            windows: count(2),
            missed: self.traced.missed(),
            malformed: self.malformed,
        }
    }
}

/// The functions that are looked for among the kernel's symbols.
pub fn symbols() -> Result<Symbols, Unwatchable> {
    Symbols::read(&functions()).map_err(Unwatchable::Symbols)
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    // The verifier's log is long, and its end says what is wrong, before its statistics.
    let is_told = |line: &&str| {
        let statistics = ["verification time", "stack depth", "processed "];
        !line.trim().is_empty() && !statistics.iter().any(|start| line.starts_with(start))
    };
    let lines: Vec<&str> = text.lines().filter(is_told).collect();
    match lines.len() {
        0..4 => lines.join(" "),
        many => format!("{} … {}", lines[0], lines[many - 3..].join(" ")),
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_in_the_object() {
        for point in POINTS {
            let section = format!("kprobe/{}\0", point.program);
            let has = OBJECT
                .windows(section.len())
                .any(|bytes| bytes == section.as_bytes());
            assert!(has, "{section:?}: cargo xtask bpf builds it");
        }
    }

    #[test]
    fn an_error_is_one_line_with_the_end_of_a_long_log() {
        let log = "cause\n0: (b7) r0 = 1\n1: r0\n2: r0\n3: (79) bad\nR1 invalid\nprocessed 4 insns\nverification time 9 usec\n";
        let said = chain(&io::Error::other(log));
        assert_eq!(said, "cause … 2: r0 3: (79) bad R1 invalid");
    }
}
