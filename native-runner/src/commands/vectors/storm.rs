//! `umem vectors storm`: registrations, many and at once, to be watched and timed.

use std::{
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use umem_core::size::Bytes;

use crate::{
    exit::Exit,
    mapping::Mapping,
    nic::Claim,
    registrar::Registrar,
    screen::say,
    udmabuf::{self, Part},
    verbs::{Bare, Device},
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

    /// A dma-buf of udmabuf's, through the module umem_register
    #[arg(long, conflicts_with = "pci")]
    dma_buf: bool,

    /// With IBV_ACCESS_ON_DEMAND, whether the device pages on demand or not
    #[arg(long, conflicts_with_all = ["pci", "dma_buf"])]
    on_demand: bool,

    /// Threads, each with memory of its own
    #[arg(long, value_name = "N", default_value_t = 64)]
    threads: usize,

    /// Registrations by each
    #[arg(long, value_name = "N", default_value_t = 20)]
    times: usize,

    /// The length of each
    #[arg(long, value_name = "SIZE", default_value = "4M")]
    length: Bytes,

    /// Keep them all registered for so many seconds, instead of releasing each
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["pci", "dma_buf", "on_demand"])]
    hold: Option<u64>,
}

/// The page sizes of mlx5, from 4K to 1G.
const SIZES: u64 = 0x7fff_f000;

impl Storm {
    /// Registers, and tells the times.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        if let Some(seconds) = self.hold {
            return self.hold(seconds, out);
        }
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

    /// Regions that live, for others to look at.
    fn hold(&self, seconds: u64, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let device = Bare::open(&self.device).map_err(|missing| anyhow::anyhow!("{missing}"))?;
        let memory = Mapping::apart(usize::try_from(self.length.0)?)?;
        let claim = Claim::all(0..self.length.0);
        let count = self.threads * self.times;
        let regions: io::Result<Vec<_>> = (0..count)
            .map(|_| device.register(&memory, &claim))
            .collect();
        let regions = regions?;
        writeln!(out, "{} regions of {} are held", regions.len(), self.length)?;
        out.flush()?;
        thread::sleep(Duration::from_secs(seconds));
        Ok(Exit::Held)
    }

    /// Those of one thread.
    fn register(&self) -> anyhow::Result<Vec<Duration>> {
        let length = self.length.0;
        let memory = Mapping::apart(usize::try_from(length)?)?;
        let mut times = Vec::with_capacity(self.times);
        let start = memory.start().get();
        if self.dma_buf {
            let buffer = exported(length)?;
            for _ in 0..self.times {
                let registrar = registrar()?;
                let began = Instant::now();
                registrar.register_dma_buf(buffer.as_fd(), length, SIZES)?;
                drop(registrar);
                times.push(began.elapsed());
            }
            return Ok(times);
        }
        if self.pci {
            for _ in 0..self.times {
                let registrar = registrar()?;
                let began = Instant::now();
                registrar.register(start, length, SIZES)?;
                drop(registrar);
                times.push(began.elapsed());
            }
            return Ok(times);
        }
        // IBV_ACCESS_LOCAL_WRITE, IBV_ACCESS_ON_DEMAND
        let access = if self.on_demand { 1 | 1 << 6 } else { 1 };
        let device = Device::open(Some(&self.device));
        let device = device.map_err(|missing| anyhow::anyhow!("{missing}"))?;
        for _ in 0..self.times {
            let began = Instant::now();
            let registered = device.try_to_register(start, length, start, access);
            let took = began.elapsed();
            match registered {
                // Devices that do not page on demand refuse, which is to be seen too.
                Err(error) if self.on_demand => say!("umem: on demand: refused: {error}"),
                registered => {
                    registered?;
                    times.push(took);
                }
            }
        }
        Ok(times)
    }
}

fn registrar() -> anyhow::Result<Registrar> {
    Registrar::open().map_err(|error| anyhow::anyhow!("/dev/umem_register: {error}"))
}

/// A dma-buf of a file in memory.
fn exported(length: u64) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = memfd_create("umem-storm", flags)?;
    ftruncate(&file, length)?;
    fcntl_add_seals(&file, SealFlags::SHRINK)?;
    udmabuf::export(&[Part {
        file: &file,
        offset: 0,
        length,
    }])
}
