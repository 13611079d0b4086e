//! What registering takes here: on this machine, with this device, by kind of pages.
//!
//! Regions of several lengths are registered and released in rounds; the shortest time of each length is kept, and a line is laid through
//! these: so much a region, and so much for each 4K of it. Beside it stands what others have measured ([`umem_core::cost`]).

mod line;
mod memory;

use std::{io, time::Instant};

use serde::Serialize;
use umem_core::cost::{self, Cost};

use crate::{
    nic::{Claim, Nic},
    pagemap::kernel_page,
};

pub use line::Line;
pub use memory::{KINDS, Kind, Pages};

/// What was measured with one device.
#[derive(Debug, Serialize)]
pub struct Times {
    /// The device.
    pub device: String,
    /// `uname -r`.
    pub kernel: String,
    /// The processor is emulated, so these are not a machine's times.
    pub emulated: bool,
    /// One for each kind of pages that there is.
    pub kinds: Vec<Measured>,
    /// Kinds that there are not, and why.
    pub skipped: Vec<String>,
}

/// What was measured with one kind of pages.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// Its pages, in words.
    pub pages: &'static str,
    /// The size of these pages in bytes.
    pub page_size: u64,
    /// Registering.
    pub register: Line,
    /// Releasing.
    pub release: Line,
    /// The shortest times.
    pub lengths: Vec<Shortest>,
    /// What others say 4K of it and a region cost.
    pub others: Others,
}

/// The shortest times of one length, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Shortest {
    /// In bytes.
    pub length: u64,
    /// To register.
    pub register_us: f64,
    /// To release.
    pub release_us: f64,
}

/// Ranges that others have measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Others {
    /// Of 4K, in microseconds.
    pub page_us: (f64, f64),
    /// Who says so.
    pub page_sources: &'static str,
    /// Of a region, in microseconds.
    pub region_us: (f64, f64),
    /// Who says so.
    pub region_sources: &'static str,
}

/// How often all lengths are registered, and in each round each length after itself: the first pays for what a longer one has
/// driven out of the caches. The shortest time counts.
const ROUNDS: usize = 4;
const IN_A_ROW: usize = 3;
/// Each length is so many times the one before.
const STEP: u64 = 4;

impl Shortest {
    /// Registers once more.
    fn take<N: Nic>(&mut self, nic: &N, pages: &Pages) -> io::Result<()> {
        let claim = Claim::all(0..self.length);
        let began = Instant::now();
        let region = nic.register(&pages.memory, claim)?;
        let registered = began.elapsed();
        let began = Instant::now();
        drop(region);
        let released = began.elapsed();
        self.register_us = self.register_us.min(registered.as_secs_f64() * 1e6);
        self.release_us = self.release_us.min(released.as_secs_f64() * 1e6);
        Ok(())
    }
}

impl Others {
    fn of(page: &Cost) -> Self {
        let micros = |cost: &Cost| (cost.least as f64 / 1e3, cost.most as f64 / 1e3);
        Self {
            page_us: micros(page),
            page_sources: page.sources,
            region_us: micros(&cost::REGION),
            region_sources: cost::REGION.sources,
        }
    }
}

/// Measures every kind of pages that this machine has. `check` fails when it is to end.
///
/// # Errors
/// The device refuses a region, or a signal came.
pub fn measure<N: Nic>(nic: &N, check: &mut dyn FnMut() -> io::Result<()>) -> io::Result<Times> {
    let mut times = Times {
        device: nic.describe(),
        kernel: rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned(),
        emulated: is_emulated(),
        kinds: Vec::new(),
        skipped: Vec::new(),
    };
    for kind in KINDS {
        match kind.make() {
            Ok(pages) => times.kinds.push(one(nic, kind, &pages, check)?),
            Err(why) => times.skipped.push(format!("{}: {why}", kind.title)),
        }
    }
    Ok(times)
}

fn one<N: Nic>(
    nic: &N,
    kind: &Kind,
    pages: &Pages,
    check: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<Measured> {
    let longest = pages.memory.len() as u64;
    let first = kernel_page()
        .bytes()
        .max(if kind.is_huge { pages.size } else { 0 });
    let lengths = std::iter::successors(Some(first), |length| Some(length * STEP));
    let lengths: Vec<u64> = lengths.take_while(|length| *length <= longest).collect();
    let mut shortest: Vec<_> = lengths
        .iter()
        .map(|length| Shortest {
            length: *length,
            register_us: f64::INFINITY,
            release_us: f64::INFINITY,
        })
        .collect();
    // Round by round, so that a disturbance does not meet all of one length.
    for _ in 0..ROUNDS {
        for shortest in &mut shortest {
            for _ in 0..IN_A_ROW {
                check()?;
                shortest.take(nic, pages)?;
            }
        }
    }
    let line = |time: fn(&Shortest) -> f64| {
        let points = shortest
            .iter()
            .map(|shortest| (shortest.length as f64 / 4096.0, time(shortest)));
        Line::through(&points.collect::<Vec<_>>())
    };
    Ok(Measured {
        pages: kind.title,
        page_size: pages.size,
        register: line(|shortest| shortest.register_us),
        release: line(|shortest| shortest.release_us),
        others: Others::of(match kind.is_huge {
            true => &cost::HUGE_PAGE,
            false => &cost::SMALL_PAGE,
        }),
        lengths: shortest,
    })
}

/// QEMU without KVM names its processors so: "QEMU Virtual CPU", "QEMU TCG CPU".
fn is_emulated() -> bool {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .any(|line| line.starts_with("model name") && line.contains("QEMU"))
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Where no device is, what there is to be measured is still made or skipped by name.
    #[test]
    fn every_kind_is_made_or_says_why_not() {
        for kind in KINDS {
            match kind.make() {
                Ok(pages) => {
                    assert!(
                        pages.memory.len() as u64 >= pages.size * 4,
                        "{}",
                        kind.title
                    );
                    assert_eq!(pages.size > 4096 << 4, kind.is_huge, "{}", kind.title);
                }
                Err(why) => assert!(!why.is_empty()),
            }
        }
    }

    #[test]
    fn ranges_of_others_are_those_of_the_book() {
        let small = Others::of(&cost::SMALL_PAGE);
        assert_eq!(
            (small.page_us, small.region_us),
            ((0.25, 1.0), (16.0, 1900.0))
        );
        let huge = Others::of(&cost::HUGE_PAGE);
        assert_eq!(huge.page_us, (0.007, 0.4));
    }
}
