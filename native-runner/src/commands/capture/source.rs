//! What is captured: memory of our own, or of a process.

use std::{io, ops::Range, str::FromStr};

use umem_core::{
    address::VirtAddr,
    capture::RefusedPages,
    scenario::Region,
    size::{Bytes, PageSize},
};

use super::Trouble;
use crate::{
    buffer::{CATALOGUE, Unavailable},
    capture::{Part, pinning},
    mapping::Mapping,
    pagemap::Pagemap,
    process::{self, Area, Process, Stretch},
};

/// Memory to be captured.
#[derive(Debug)]
pub struct Source {
    owner: Owner,
    /// The mappings that hold them, in order and without gaps.
    areas: Vec<Area>,
    /// Why a registration for local writes cannot pin them, of each.
    refusals: Vec<Option<&'static str>>,
    pagemap: Pagemap,
    /// What the process had pinned.
    pinned: Option<u64>,
    /// The bytes that are to be registered.
    bytes: Range<u64>,
    process: Process,
    process_name: String,
}

#[derive(Debug)]
enum Owner {
    /// Ourselves; the memory is there for as long as this value.
    Us { _memory: Mapping, title: String },
    /// Another process: its mapping of that name, or a range.
    Process { mapping: Option<String> },
}

/// What a capture may say of whom it is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Words {
    /// Everything.
    All,
    /// No addresses.
    NoAddresses,
    /// No names, numbers and paths either.
    NoNames,
}

impl Source {
    /// A new buffer, of the recipe called `name`.
    pub fn buffer(name: &str) -> Result<Self, Trouble> {
        let recipe = CATALOGUE.iter().find(|recipe| recipe.name == name);
        let recipe = recipe.expect("clap lets names of the catalogue through");
        let memory = recipe.make().map_err(|why| match why {
            Unavailable::Missing(missing) => Trouble::Machine(missing.to_string()),
            Unavailable::Refused(why) => {
                Trouble::Machine(format!("the buffer {name} cannot be made: {why}"))
            }
        })?;
        let (start, length) = (memory.start().get(), memory.len() as u64);
        let title = format!("buffer {name}: {}", recipe.title);
        let owner = Owner::Us {
            _memory: memory,
            title,
        };
        let process = Process::open(std::process::id())?;
        let (areas, pagemap) = together(&process)?;
        Ok(Self::of(
            owner,
            process,
            start..start + length,
            areas,
            pagemap,
        ))
    }

    fn of(
        owner: Owner,
        process: Process,
        bytes: Range<u64>,
        mut areas: Vec<Area>,
        pagemap: Pagemap,
    ) -> Self {
        areas.retain(|area| area.start < bytes.end && area.end > bytes.start);
        let uname = rustix::system::uname();
        let release = uname.release().to_string_lossy();
        // All of it now: the process may end while its pages are read.
        let refusal = |area| pinning::refusal(area, process.mapped_file(area), &release);
        Self {
            owner,
            refusals: areas.iter().map(refusal).collect(),
            pinned: process.pinned(),
            process_name: process.name(),
            process,
            areas,
            pagemap,
            bytes,
        }
    }

    /// The mapping called `mapping` of `process`, or else the bytes `range` of it.
    pub fn process(
        process: Process,
        mapping: Option<&str>,
        range: Option<AddressRange>,
    ) -> Result<Self, Trouble> {
        let (areas, pagemap) = together(&process)?;
        let pid = process.pid();
        let (bytes, mapping) = match (mapping, range) {
            (Some(name), _) => {
                let stretch = called(&areas, name, pid).map_err(Trouble::Input)?;
                (stretch.range, Some(stretch.name))
            }
            (None, Some(AddressRange { start, end })) => {
                mapped(&areas, &(start..end), pid).map_err(Trouble::Input)?;
                (start..end, None)
            }
            (None, None) => unreachable!("without either, mappings are listed"),
        };
        Ok(Self::of(
            Owner::Process { mapping },
            process,
            bytes,
            areas,
            pagemap,
        ))
    }

    /// What it is, for people.
    pub fn title(&self, words: Words) -> String {
        let Range { start, end } = self.bytes;
        let (pid, name) = (self.process.pid(), &self.process_name);
        match (&self.owner, words) {
            (Owner::Us { title, .. }, _) => title.clone(),
            (_, Words::NoNames) => format!("{} of a process", Bytes(end - start)),
            (
                Owner::Process {
                    mapping: Some(mapping),
                },
                _,
            ) => {
                format!("process {pid} ({name}), {mapping}")
            }
            (_, Words::NoAddresses) => format!("process {pid} ({name}), {}", Bytes(end - start)),
            (_, Words::All) => format!("process {pid} ({name}), {start:#x}-{end:#x}"),
        }
    }

    /// How many bytes of the process are pinned.
    pub fn pinned(&self) -> Option<u64> {
        self.pinned
    }

    /// The bytes that are to be registered.
    pub fn bytes(&self) -> &Range<u64> {
        &self.bytes
    }

    /// The mappings that hold them, each as much of it as there is to be read.
    pub fn parts(&self) -> Vec<Part> {
        let pages = self.pages();
        let part = |area: &Area| Part {
            range: VirtAddr::new(area.start).max(pages.start)
                ..VirtAddr::new(area.end).min(pages.end),
            shared: area.rights.shared,
        };
        self.areas.iter().map(part).collect()
    }

    /// The pages of `captured` that a registration for local writes cannot pin on this kernel.
    pub fn refused(&self, captured: &Range<VirtAddr>, words: Words) -> Option<RefusedPages> {
        let refused = self
            .areas
            .iter()
            .zip(&self.refusals)
            .filter_map(|(area, why)| {
                let (start, end) = (
                    captured.start.get().max(area.start),
                    captured.end.get().min(area.end),
                );
                let length = end.checked_sub(start).filter(|length| *length > 0)?;
                Some((length, area, (*why)?))
            });
        let page = rustix::param::page_size() as u64;
        pinning::together(refused, page, words == Words::NoNames)
    }

    /// Where its pages can be looked up.
    pub fn pagemap(&self) -> &Pagemap {
        &self.pagemap
    }

    /// The pages that hold the bytes.
    pub fn pages(&self) -> Range<VirtAddr> {
        let page =
            PageSize::new(rustix::param::page_size() as u64).expect("pages are powers of two");
        let end = page
            .align_up(self.bytes.end)
            .expect("mappings end below 2^63");
        VirtAddr::new(page.align_down(self.bytes.start))..VirtAddr::new(end)
    }

    /// The region to be registered: as many of the bytes as lie in `captured`.
    pub fn region(&self, captured: &Range<VirtAddr>) -> Region {
        let start = self.bytes.start.max(captured.start.get());
        let end = self.bytes.end.min(captured.end.get());
        Region {
            va: captured.start,
            offset: Bytes(start - captured.start.get()),
            length: Bytes(end - start),
            hca_address: None,
        }
    }

    /// Why reading failed, in words.
    pub fn unreadable(&self, error: &io::Error) -> String {
        let pid = self.process.pid();
        // The pagemap of a process without memory ends before it begins.
        match self.process.is_alive() {
            false => format!("process {pid} has ended"),
            true => format!("the pagemap of process {pid} cannot be read ({error})"),
        }
    }
}

/// The mappings of `process`, and the pagemap of the same memory: a process that becomes another program (`execve`) in
/// between is asked again.
fn together(process: &Process) -> Result<(Vec<Area>, Pagemap), Trouble> {
    let mut areas = process.areas()?;
    for _ in 0..100 {
        let pagemap = Pagemap::of(process.pagemap()?);
        let now = process.areas()?;
        if now == areas {
            return Ok((areas, pagemap));
        }
        areas = now;
    }
    Err(Trouble::Machine(format!(
        "the mappings of process {} never stay the same: stop it (kill -STOP), capture, and let it go on (kill -CONT)",
        process.pid()
    )))
}

/// The one stretch of `areas` that goes by `name`.
fn called(areas: &[Area], name: &str, pid: u32) -> Result<Stretch, String> {
    let mut found = process::join(areas.iter().filter(|area| area.is_called(name)));
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(format!(
            "process {pid} has no mapping called \"{name}\"; umem capture --pid {pid} lists what it has"
        )),
        many => {
            let line = |stretch: &Stretch| {
                let Range { start, end } = stretch.range;
                let size = Bytes(end - start);
                format!("\n  --range {start:#x}-{end:#x}  {size}  {}", stretch.name)
            };
            let lines: String = found.iter().map(line).collect();
            Err(format!(
                "process {pid} has {many} mappings called \"{name}\": give one of{lines}"
            ))
        }
    }
}

/// Whether all of `range` is mapped.
fn mapped(areas: &[Area], range: &Range<u64>, pid: u32) -> Result<(), String> {
    let (inside, hole) = process::overlapping(areas, range);
    let Some(hole) = hole else { return Ok(()) };
    let line = |area: &&Area| {
        format!(
            "\n  --range {:#x}-{:#x}  {}",
            area.start.max(range.start),
            area.end.min(range.end),
            area.name
        )
    };
    let lines: String = inside.iter().map(line).collect();
    let inside = match lines.as_str() {
        "" => format!("; umem capture --pid {pid} lists what is"),
        lines => format!("; what is:{lines}"),
    };
    Err(format!(
        "nothing is mapped at {hole:#x} in process {pid}: a registration of {:#x}-{:#x} would fail (EFAULT){inside}",
        range.start, range.end
    ))
}

/// Addresses, as people give them: never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddressRange {
    start: u64,
    end: u64,
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "{what}: write START-END as in /proc/PID/maps, or START+LENGTH (0x7f0000000000+1G)"
            )
        };
        let address = |text: &str| {
            let digits = text.trim().trim_start_matches("0x");
            u64::from_str_radix(digits, 16)
                .map_err(|_| wrong(&format!("\"{text}\" is no hexadecimal address")))
        };
        let (start, end) = if let Some((start, end)) = text.split_once('-') {
            (address(start)?, address(end)?)
        } else if let Some((start, length)) = text.split_once('+') {
            let start = address(start)?;
            let Bytes(length) = length
                .parse()
                .map_err(|error| wrong(&format!("\"{length}\" {error}")))?;
            let end = start.checked_add(length);
            (
                start,
                end.ok_or_else(|| wrong("the range leaves the address space"))?,
            )
        } else {
            return Err(wrong("there is neither - nor + in it"));
        };
        match start < end && end >> 63 == 0 {
            true => Ok(Self { start, end }),
            false if start >= end => Err(wrong("it is empty")),
            false => Err(wrong("it ends above what programs can map")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_maps_prints_them_and_with_a_length() {
        let range = |text: &str| {
            text.parse::<AddressRange>()
                .map(|range| (range.start, range.end))
        };
        let expected = Ok((0x7f00_0000_0000, 0x7f00_4000_0000));
        assert_eq!(range("7f0000000000-7f0040000000"), expected);
        assert_eq!(range("0x7f0000000000-0x7f0040000000"), expected);
        assert_eq!(range("0x7f0000000000+1G"), expected);
        for (text, words) in [
            ("7f00", "neither - nor +"),
            ("7f00-6f00", "it is empty"),
            ("0x1000+0", "it is empty"),
            ("x-y", "\"x\" is no hexadecimal address"),
            ("1000+1Q", "\"1Q\" is not a valid size"),
            ("ffffffffff600000-ffffffffff601000", "above what programs"),
        ] {
            let error = range(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_name_that_many_have_is_answered_with_what_to_choose_from() {
        let maps = "1000-2000 rw-p 0 0:0 0 [anon:kv]\n2000-3000 rw-p 0 0:0 0 \n3000-5000 rw-p 0 0:0 0 [anon:kv]\n\
                    6000-7000 r--p 0 0:0 0 /lib/x.so\n7000-8000 r-xp 0 0:0 0 /lib/x.so\n";
        let areas = Area::parse(maps);
        let library = called(&areas, "x.so", 7).unwrap();
        assert_eq!(library.range, 0x6000..0x8000);
        let error = called(&areas, "kv", 7).unwrap_err();
        assert!(
            error.contains("process 7 has 2 mappings called \"kv\""),
            "{error}"
        );
        assert!(
            error.contains("--range 0x3000-0x5000  8K  [anon:kv]"),
            "{error}"
        );
        assert!(
            called(&areas, "vk", 7)
                .unwrap_err()
                .contains("umem capture --pid 7 lists")
        );
    }

    #[test]
    fn a_range_must_be_mapped_from_end_to_end() {
        let areas = Area::parse("1000-3000 rw-p 0 0:0 0 [heap]\n");
        assert_eq!(mapped(&areas, &(0x1800..0x2800), 7), Ok(()));
        let error = mapped(&areas, &(0x2000..0x4000), 7).unwrap_err();
        assert!(error.contains("nothing is mapped at 0x3000"), "{error}");
        assert!(error.contains("--range 0x2000-0x3000  [heap]"), "{error}");
        let error = mapped(&areas, &(0x8000..0x9000), 7).unwrap_err();
        assert!(error.contains("lists what is"), "{error}");
    }
}
