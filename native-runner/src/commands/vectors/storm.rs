//! `umem vectors storm`: registrations, many and at once, to be watched and timed.

use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

use umem_core::size::Bytes;

use crate::{
    exit::Exit,
    mapping::{HugePages, Mapping},
    registrar::Registrar,
    screen::say,
    verbs::Device,
};

/// Register and release memory again and again, from many threads at once, and say how long it took
///
/// Exit code: 0 all were registered, 3 this machine cannot.
#[derive(Debug, clap::Args)]
pub struct Storm {
    /// The device
    #[arg(long, value_name = "NAME", default_value = "rxe0")]
    device: String,

    /// Through the module umem_register, for a PCI device, instead of verbs
    #[arg(long)]
    pci: bool,

    /// Threads, each with memory of its own
    #[arg(long, value_name = "N", default_value_t = 64)]
    threads: usize,

    /// Registrations by each
    #[arg(long, value_name = "N", default_value_t = 20)]
    times: usize,

    /// The length of each
    #[arg(long, value_name = "SIZE", default_value = "4M")]
    length: Bytes,
}

/// The page sizes of mlx5, from 4K to 1G.
const SIZES: u64 = 0x7fff_f000;

impl Storm {
    /// Registers, and tells the times.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let each: Vec<anyhow::Result<Vec<Duration>>> = thread::scope(|scope| {
            let running: Vec<_> = (0..self.threads)
                .map(|_| scope.spawn(|| self.register()))
                .collect();
            let ended = running.into_iter().map(|thread| thread.join());
            ended
                .map(|ended| ended.expect("registering does not panic"))
                .collect()
        });
        let mut times = Vec::new();
        for of_one in each {
            match of_one {
                Ok(of_one) => times.extend(of_one),
                Err(error) => {
                    say!("umem: {error:#}");
                    return Ok(Exit::Unable);
                }
            }
        }
        times.sort_unstable();
        let at = |part: usize| times.get(part).map_or(0.0, |time| time.as_secs_f64() * 1e6);
        writeln!(
            out,
            "{} registrations of {}; each with its release {:.1} µs at best, {:.1} µs in the middle",
            times.len(),
            self.length,
            at(0),
            at(times.len() / 2)
        )?;
        Ok(Exit::Held)
    }

    /// Those of one thread.
    fn register(&self) -> anyhow::Result<Vec<Duration>> {
        let length = self.length.0;
        let memory = scattered(usize::try_from(length)?)?;
        let mut times = Vec::with_capacity(self.times);
        let start = memory.start().get();
        if self.pci {
            for _ in 0..self.times {
                let registrar = Registrar::open()
                    .map_err(|error| anyhow::anyhow!("/dev/umem_register: {error}"))?;
                let began = Instant::now();
                registrar.register(start, length, SIZES)?;
                drop(registrar);
                times.push(began.elapsed());
            }
            return Ok(times);
        }
        let device = Device::open(Some(&self.device));
        let device = device.map_err(|missing| anyhow::anyhow!("{missing}"))?;
        for _ in 0..self.times {
            let began = Instant::now();
            // IBV_ACCESS_LOCAL_WRITE
            device.try_to_register(start, length, start, 1)?;
            times.push(began.elapsed());
        }
        Ok(times)
    }
}

/// Memory in small pages, most of which are not adjacent: every second page goes to another mapping.
fn scattered(length: usize) -> io::Result<Mapping> {
    let page = rustix::param::page_size();
    let [memory, between] = [(); 2].map(|()| Mapping::anonymous(length, page));
    let (memory, between) = (memory?, between?);
    for mapping in [&memory, &between] {
        // Where the kernel has no huge pages, there is nothing to be kept away.
        let _ = mapping.advise(HugePages::Never);
    }
    let words = page / size_of::<u64>();
    let pages = memory
        .words()
        .chunks(words)
        .zip(between.words().chunks(words));
    for (first, second) in pages {
        for page in [first, second] {
            page[0].store(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    Ok(memory)
}
