//! The mappings of a process, as `/proc/PID/maps` and `smaps` tell them.

use std::ops::Range;

/// A mapping: a line of `maps`, and in `smaps` the lines below it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Area {
    /// The first address.
    pub start: u64,
    /// The address after the last.
    pub end: u64,
    /// What the process may do there.
    pub rights: Rights,
    /// The last column: a path, `[heap]`, `/memfd:name (deleted)`; "" where it has none.
    pub name: String,
    /// How many of its bytes are in memory, where that was asked.
    pub resident: Option<u64>,
    /// How many are in swap, where that was asked.
    pub swapped: Option<u64>,
    /// How many are in transparent huge pages, where that was asked.
    pub huge: Option<u64>,
    /// Whether it is a device's memory without pages (`VM_PFNMAP`, `VM_IO`), where that was asked.
    pub is_device_memory: bool,
}

/// The rights of a mapping: "rw-p".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rights {
    /// `PROT_WRITE`.
    pub write: bool,
    /// `MAP_SHARED`.
    pub shared: bool,
}

impl Rights {
    fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [_, write, _, kind] => Some(Self {
                write: *write == b'w',
                shared: *kind == b's',
            }),
            _ => None,
        }
    }
}

impl Area {
    /// The mappings that `text` tells of. Lines that are none are passed over.
    ///
    /// What lies in the kernel's half of the address space (`[vsyscall]`) has no pagemap, and is left out.
    pub fn parse(text: &str) -> Vec<Self> {
        let mut areas: Vec<Self> = Vec::new();
        for line in text.lines() {
            if let Some(area) = Self::parse_line(line) {
                areas.push(area);
            } else if let (Some(area), Some((key, value))) =
                (areas.last_mut(), line.split_once(':'))
            {
                match key {
                    "Rss" => area.resident = kilobytes(value),
                    "AnonHugePages" => area.huge = kilobytes(value),
                    "Swap" => area.swapped = kilobytes(value),
                    // Pages of hugetlb are not part of Rss.
                    "Private_Hugetlb" | "Shared_Hugetlb" => {
                        let huge = kilobytes(value).unwrap_or(0);
                        area.resident = area.resident.map(|resident| resident + huge);
                    }
                    "VmFlags" => {
                        area.is_device_memory = value
                            .split_ascii_whitespace()
                            .any(|flag| flag == "pf" || flag == "io");
                    }
                    _ => {}
                }
            }
        }
        areas.retain(|area| area.start >> 63 == 0);
        areas
    }

    /// `start-end perms offset dev inode   name`.
    fn parse_line(line: &str) -> Option<Self> {
        let (range, mut rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let rights = Rights::parse(rest.split_ascii_whitespace().next()?)?;
        for _ in 0..4 {
            rest = rest.trim_start();
            rest = &rest[rest.find(' ').unwrap_or(rest.len())..];
        }
        Some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            rights,
            name: rest.trim().to_owned(),
            ..Self::default()
        })
    }

    /// Whether people who say `name` may mean this mapping: its name, with or without "(deleted)"; the last part of
    /// its path; what follows the colon in `/memfd:NAME` and `[anon:NAME]`.
    pub fn is_called(&self, name: &str) -> bool {
        let whole = self.name.as_str();
        let path = whole.strip_suffix(" (deleted)").unwrap_or(whole);
        let file = path.rsplit('/').next().unwrap_or(path);
        let given = ["memfd:", "[anon:", "[anon_shmem:"]
            .iter()
            .find_map(|kind| file.strip_prefix(kind))
            .map(|given| given.strip_suffix(']').unwrap_or(given));
        !name.is_empty() && [Some(whole), Some(path), Some(file), given].contains(&Some(name))
    }
}

fn kilobytes(value: &str) -> Option<u64> {
    let number = value.trim().strip_suffix("kB")?.trim();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

/// Neighbouring mappings of one name: a library's, for one, of which each part has its own rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Its addresses.
    pub range: Range<u64>,
    /// The name.
    pub name: String,
}

/// The stretches of `areas`, which must be in the order of addresses.
pub fn join<'a>(areas: impl IntoIterator<Item = &'a Area>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for area in areas {
        match stretches.last_mut() {
            Some(last) if last.range.end == area.start && last.name == area.name => {
                last.range.end = area.end;
            }
            _ => stretches.push(Stretch {
                range: area.start..area.end,
                name: area.name.clone(),
            }),
        }
    }
    stretches
}

/// What of `areas` lies in `range`, and the first address in it that no area has.
pub fn overlapping<'a>(areas: &'a [Area], range: &Range<u64>) -> (Vec<&'a Area>, Option<u64>) {
    let inside: Vec<&Area> = areas
        .iter()
        .filter(|area| area.start < range.end && area.end > range.start)
        .collect();
    let mut covered = range.start;
    for area in &inside {
        if area.start > covered {
            break;
        }
        covered = area.end;
    }
    (inside, (covered < range.end).then_some(covered))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55a5cdef4000-55a5cdef6000 r--p 00000000 fe:00 247282                     /usr/bin/my program
Size:                  8 kB
Rss:                   8 kB
Swap:                  0 kB
VmFlags: rd mr mw me sd
55a5cdef6000-55a5cdefc000 r-xp 00002000 fe:00 247282                     /usr/bin/my program
Rss:                   4 kB
7f0000000000-7f0040000000 rw-s 00000000 00:0f 1234                       /memfd:kv cache (deleted)
Rss:                   0 kB
Shared_Hugetlb:  1048576 kB
Swap:                 12 kB
7f8000000000-7f8000001000 rw-p 00000000 00:00 0 
7f8000001000-7f8000002000 rw-p 00000000 00:00 0                          [anon:arena]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
";

    #[test]
    fn maps_and_smaps_are_read_alike() {
        let areas = Area::parse(SMAPS);
        let names: Vec<&str> = areas.iter().map(|area| area.name.as_str()).collect();
        let program = "/usr/bin/my program";
        assert_eq!(
            names,
            [
                program,
                program,
                "/memfd:kv cache (deleted)",
                "",
                "[anon:arena]"
            ]
        );
        assert_eq!(
            (areas[0].start, areas[0].end),
            (0x55a5_cdef_4000, 0x55a5_cdef_6000)
        );
        assert_eq!(areas[0].resident, Some(8192));
        assert_eq!(
            (areas[2].resident, areas[2].swapped),
            (Some(1 << 30), Some(12288))
        );
        assert_eq!(areas[3].resident, None, "maps does not tell");
        assert_eq!(
            areas
                .iter()
                .map(|area| (area.rights.write, area.rights.shared))
                .collect::<Vec<_>>(),
            [
                (false, false),
                (false, false),
                (true, true),
                (true, false),
                (true, false)
            ]
        );
        let device = Area::parse("1000-2000 rw-s 0 0:0 0 /dev/mem\nVmFlags: rd wr sh io pf dd \n");
        assert!(device[0].is_device_memory && !areas[0].is_device_memory);
    }

    #[test]
    fn a_mapping_goes_by_more_than_one_name() {
        let called = |line: &str, name: &str| {
            let line = format!("1000-2000 rw-p 00000000 00:00 0   {line}");
            Area::parse(&line)[0].is_called(name)
        };
        assert!(called("[heap]", "[heap]") && !called("[heap]", "heap"));
        for name in [
            "/memfd:kv cache (deleted)",
            "/memfd:kv cache",
            "memfd:kv cache",
            "kv cache",
        ] {
            assert!(called("/memfd:kv cache (deleted)", name), "{name}");
        }
        assert!(called("[anon:arena]", "arena") && called("[anon:arena]", "[anon:arena]"));
        assert!(called("/lib/libc.so.6", "libc.so.6") && !called("/lib/libc.so.6", "libc"));
        assert!(!called("", ""));
    }

    #[test]
    fn neighbours_of_one_name_are_one_stretch() {
        let areas = Area::parse(SMAPS);
        let lengths: Vec<u64> = join(&areas)
            .iter()
            .map(|stretch| stretch.range.end - stretch.range.start)
            .collect();
        assert_eq!(lengths, [0x8000, 1 << 30, 0x1000, 0x1000]);
    }

    #[test]
    fn a_hole_in_a_range_is_found() {
        let areas = Area::parse(SMAPS);
        let hole = |range| overlapping(&areas, &range).1;
        let memfd = 0x7f00_0000_0000;
        assert_eq!(hole(memfd..memfd + 4096), None);
        assert_eq!(hole(memfd..memfd + (2 << 30)), Some(memfd + (1 << 30)));
        assert_eq!(hole(0x7f80_0000_0000..0x7f80_0000_2000), None);
        assert_eq!(hole(0x1000..0x2000), Some(0x1000));
        assert_eq!(overlapping(&areas, &(0x1000..0x2000)).0.len(), 0);
    }
}
