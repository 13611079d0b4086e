//! Wrong questions by the thousand: each must be refused with an errno, or answered, and harm nothing.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
};

use rustix::{fs::OFlags, io::Errno};

use super::{
    Probe, Run,
    abi::{self, Coalesce, Dma, Frames, List, Lists, Map, Pin, Question, RegionBest, Unpin},
};
use crate::random::Random;

/// How many questions were answered, and how many refused with which errno.
pub type Outcomes = BTreeMap<String, u64>;

impl Probe {
    /// Asks `count` random questions, most of them wrong.
    pub fn torture(&self, random: &mut Random, count: u64) -> Outcomes {
        let mut outcomes = Outcomes::new();
        let mut torturer = Torturer {
            probe: self,
            random,
            room: vec![Run::default(); 4096],
        };
        for _ in 0..count {
            let outcome = match torturer.ask() {
                Ok(()) => "answered".to_owned(),
                Err(error) => error.to_string(),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
        outcomes
    }
}

/// What makes a question one that is forbidden, given room for a list.
type Change = fn(&mut Frames, List);

impl Probe {
    /// Asks what the header forbids, one thing at a time; says what was not refused as it must be.
    pub fn forbidden(&self) -> Vec<String> {
        let frames = [Run {
            start: 0x8000,
            length: 1,
        }];
        let mut room = [Run::default(); 4];
        let mut coalesce = |change: Change| {
            let mut question = Frames {
                frames: super::sent(&frames),
                max_segment: u32::MAX,
                ..Frames::default()
            };
            change(&mut question, super::returned(&mut room));
            // SAFETY: `frames` and `room` live until the call returns, and are as long as is said.
            unsafe { self.ask(&mut Coalesce(question)) }
        };
        let questions: [(&str, Change); 5] = [
            ("flags", |question, _| question.flags = abi::OVER_4G),
            ("a boundary", |question, _| question.boundary = 0xffff),
            ("a DMA list", |question, room| question.dma = room),
            ("room without a length for a DMA list", |question, room| {
                question.dma.runs = room.runs;
            }),
            ("a reserved field", |question, _| question.reserved = 1),
        ];
        let wrong = questions.into_iter().filter_map(|(what, change)| {
            let refused = coalesce(change);
            let errno = refused.as_ref().err().and_then(Errno::from_io_error);
            (errno != Some(Errno::INVAL))
                .then(|| format!("COALESCE with {what} must be refused (EINVAL): {refused:?}"))
        });
        wrong.collect()
    }
}

struct Torturer<'a> {
    probe: &'a Probe,
    random: &'a mut Random,
    /// The one place that the kernel may write to.
    room: Vec<Run>,
}

impl Torturer<'_> {
    fn ask(&mut self) -> io::Result<()> {
        for place in 0..16 {
            self.room[place] = Run {
                start: self.number(),
                length: self.number(),
            };
        }
        match self.random.below(10) {
            0 => self.send(abi::Info::default()),
            1 => {
                let best = self.best();
                self.send(best)
            }
            2 => {
                let best = self.best();
                self.send(RegionBest(best))
            }
            3 => {
                let frames = self.frames();
                self.send(Coalesce(frames))
            }
            4 => {
                let frames = self.frames();
                self.send(Map(frames))
            }
            5 => {
                let pin = self.pin();
                self.send(pin)
            }
            6 => self.send(Unpin),
            7 => {
                let device = self.name();
                self.send(abi::Device {
                    device,
                    ..abi::Device::default()
                })
            }
            8 => {
                let (sg, dma) = (self.list(), self.list());
                self.send(Lists { sg, dma })
            }
            _ => {
                let (buffer, room) = self.buffer();
                let length = if self.random.percent(80) {
                    room.min(2048)
                } else {
                    self.number().min(room)
                };
                let address = self.number();
                self.send(Dma {
                    address,
                    length,
                    buffer,
                })
            }
        }
    }

    fn send<Q: Question>(&self, mut question: Q) -> io::Result<()> {
        // SAFETY: all buffers come from `buffer`: the kernel writes to `room`, within its length, or to no memory of ours.
        unsafe { self.probe.ask(&mut question) }
    }

    /// Any number, near to one that matters as often as not.
    fn number(&mut self) -> u64 {
        let power = 1u64 << self.random.below(64);
        match self.random.below(8) {
            0 => self.random.next(),
            1 => power,
            2 => power - 1,
            3 => power.wrapping_neg(),
            4 => self.random.below(4),
            5 => power & !4095,
            6 => self.random.below(1 << 20) << 12,
            _ => self.random.below(1 << 12),
        }
    }

    /// A user address, and how many bytes may be written there: `room`, or where nothing of ours is.
    fn buffer(&mut self) -> (u64, u64) {
        let nowhere = [
            0,
            8,
            4096,
            0x8000_0000_0000,
            0xffff_8880_0000_0000,
            u64::MAX - 7,
        ];
        if self.random.percent(70) {
            (
                self.room.as_mut_ptr() as u64,
                size_of_val(&self.room[..]) as u64,
            )
        } else {
            (self.random.pick(&nowhere), u64::MAX)
        }
    }

    fn list(&mut self) -> List {
        let (runs, bytes) = self.buffer();
        let most = bytes / size_of::<Run>() as u64;
        let count = if self.random.percent(60) {
            self.random.below(17)
        } else {
            self.number()
        };
        List {
            runs,
            count: count.min(most),
        }
    }

    fn best(&mut self) -> abi::Best {
        let (blocks, bytes) = self.buffer();
        let dma = if self.random.percent(80) {
            self.list()
        } else {
            List::default()
        };
        abi::Best {
            dma,
            address: self.number(),
            length: self.number(),
            virt: self.number(),
            sizes: self.random.next(),
            blocks,
            room: self.number().min(bytes / 8),
            ..abi::Best::default()
        }
    }

    fn frames(&mut self) -> Frames {
        let clean = self.random.percent(50);
        if clean {
            let length = self.random.below(1 << 12);
            self.room[..16].fill(Run {
                start: 0x8000,
                length,
            });
        }
        Frames {
            frames: self.list(),
            max_segment: self.number() as u32,
            flags: if clean {
                0
            } else {
                // What that allows meets a bug of the kernel's, not of the probe's: see `umem vectors overflow`.
                self.number() as u32 & !abi::OVER_4G
            },
            boundary: self.number(),
            sg: self.list(),
            dma: if clean { List::default() } else { self.list() },
            map_error: 0,
            reserved: if clean { 0 } else { self.number() as u32 },
        }
    }

    fn name(&mut self) -> abi::Name {
        let mut device = [0; 64];
        let name: &[u8] = self
            .random
            .pick(&[b"" as &[u8], b"rxe0", b"rxe1", &[b'x'; 64]]);
        device[..name.len()].copy_from_slice(name);
        device
    }

    fn pin(&mut self) -> Pin {
        let device = self.name();
        let (address, bytes) = self.buffer();
        Pin {
            device,
            address,
            length: self.number().min(bytes),
            boundary: if self.random.percent(60) {
                0
            } else {
                self.number()
            },
            max_segment: if self.random.percent(60) {
                0
            } else {
                self.number() as u32
            },
            flags: self.random.below(3) as u32,
            sg_count: 0,
            dma_count: 0,
        }
    }
}

/// The kernel's log, from now on.
#[derive(Debug)]
pub struct KernelLog(File);

impl KernelLog {
    /// Opens it at its end.
    pub fn open() -> io::Result<Self> {
        let mut file = File::options()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open("/dev/kmsg")?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(file))
    }

    /// What it warned of since.
    pub fn warnings(self) -> Vec<String> {
        self.records(warning)
    }

    /// The same without registers and call traces.
    pub fn headlines(self) -> Vec<String> {
        self.records(headline)
    }

    fn records(mut self, pick: fn(&str) -> Option<String>) -> Vec<String> {
        let mut record = [0; 8192];
        let mut picked = Vec::new();
        // It ends with EAGAIN.
        while let Ok(length @ 1..) = self.0.read(&mut record) {
            picked.extend(pick(&String::from_utf8_lossy(&record[..length])));
        }
        picked
    }
}

/// The text of a record `priority,…;text` if the kernel's own and a warning at least.
fn warning(record: &str) -> Option<String> {
    let (priority, text) = parse(record)?;
    (priority <= 4).then(|| text.to_owned())
}

/// The text of a record that says what is wrong.
fn headline(record: &str) -> Option<String> {
    let (priority, text) = parse(record)?;
    let first = text.lines().next()?;
    (priority <= 3 || priority == 4 && first.starts_with("WARNING:")).then(|| first.to_owned())
}

fn parse(record: &str) -> Option<(u32, &str)> {
    let (head, text) = record.split_once(';')?;
    let priority = head.split(',').next()?.parse().ok()?;
    Some((priority, text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kernels_own_warnings_alarm() {
        assert_eq!(
            warning("4,1,2,-;WARNING: CPU: 0\n SUBSYSTEM=x\n").as_deref(),
            Some("WARNING: CPU: 0\n SUBSYSTEM=x")
        );
        assert_eq!(
            headline("4,1,2,-;WARNING: CPU: 0\n SUBSYSTEM=x\n").as_deref(),
            Some("WARNING: CPU: 0")
        );
        assert_eq!(
            headline("2,1,2,-;DMAR: ERROR\n").as_deref(),
            Some("DMAR: ERROR")
        );
        assert_eq!(headline("4,1,2,-;RIP: 0010:f+0x1\n"), None);
        assert_eq!(warning("6,1,2,-;usb found\n"), None);
        assert_eq!(warning("12,1,2,-;a user's warning\n"), None);
    }
}
