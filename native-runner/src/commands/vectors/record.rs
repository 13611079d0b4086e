//! `umem vectors record`.

use std::{fs::File, io::Read, path::PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use crate::{
    exit::Exit,
    missing::Missing,
    probe::{Domain, Probe},
    random::Random,
    recording::{Files, Kind, Memory, Recorder},
    screen::{Out, say},
    udmabuf, whole_file,
};

/// Ask this kernel random questions, and record its answers
///
/// Takes root and the kernel module umem_probe, which is for test machines: `cargo xtask lab vectors` has both in a VM.
/// Says on standard error which seed it took. The recording is written whole, or not at all.
///
/// Exit code: 0 recorded, 2 wrong usage, 3 this machine lacks something.
#[derive(Debug, clap::Args)]
pub struct Record {
    /// How many vectors
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    count: u64,

    /// Where the questions begin; the same seed on the same machine asks the same [default: a fresh one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// What to ask about [default: all that this machine can be asked: iommu behind an IOMMU, dma-buf where there is /dev/udmabuf]
    #[arg(long, value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,

    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Record {
    /// Asks, and writes what was answered.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        match self.probe() {
            Ok((probe, domain, kinds)) => self.record(&probe, domain, &kinds, out),
            Err(missing) => {
                say!("umem: {missing}");
                Ok(Exit::Unable)
            }
        }
    }

    /// Who is asked, how its addresses are made, and what it is asked about.
    fn probe(&self) -> Result<(Probe, Domain, Vec<Kind>), Missing> {
        let probe = Probe::open()?;
        let device = probe.pci_domain();
        let domain = device.unwrap_or(Domain::None);
        let can_be_asked = |kind: &Kind| match kind {
            Kind::Best | Kind::Sg => Ok(()),
            Kind::Iommu if domain.has_rules_of_its_own() => Ok(()),
            Kind::Iommu => Err(Missing::iommu()),
            Kind::DmaBuf
                if device.is_some()
                    && udmabuf::is_there()
                    && !matches!(domain, Domain::Tables(_) | Domain::Window) =>
            {
                Ok(())
            }
            Kind::DmaBuf => Err(Missing::udmabuf()),
        };
        let kinds = if self.kinds.is_empty() {
            let all = Kind::value_variants().iter();
            all.filter(|kind| can_be_asked(kind).is_ok())
                .copied()
                .collect()
        } else {
            self.kinds.iter().try_for_each(can_be_asked)?;
            self.kinds.clone()
        };
        Ok((probe, domain, kinds))
    }

    fn record(
        &self,
        probe: &Probe,
        domain: Domain,
        kinds: &[Kind],
        out: &mut Out,
    ) -> anyhow::Result<Exit> {
        let seed = self.seed.map_or_else(fresh_seed, Ok)?;
        let names: Vec<_> = kinds
            .iter()
            .filter_map(|kind| Some(kind.to_possible_value()?.get_name().to_owned()))
            .collect();
        say!(
            "recording {} vectors ({}) with --seed {seed}",
            self.count,
            names.join(", ")
        );
        let mut recorder = Recorder {
            probe,
            random: Random::new(seed),
            memory: Memory::read()?,
            files: kinds
                .contains(&Kind::DmaBuf)
                .then(Files::take)
                .transpose()
                .context("cannot make files in memory for dma-bufs")?,
            domain,
        };
        let mut lines = Vec::new();
        for number in 0..self.count {
            let kind = kinds[(number % kinds.len() as u64) as usize];
            let vector = recorder
                .record(kind)
                .with_context(|| format!("vector {number} of seed {seed}"))?;
            serde_json::to_writer(&mut lines, &vector)?;
            lines.push(b'\n');
        }
        match &self.output {
            Some(path) => whole_file::write(path, &lines)?,
            None => out.exact().write_all(&lines)?,
        }
        Ok(Exit::Held)
    }
}

/// A seed that nobody chose.
pub fn fresh_seed() -> anyhow::Result<u64> {
    let mut seed = [0; 8];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut seed))?;
    Ok(u64::from_ne_bytes(seed))
}
