//! `umem watch`.

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context;
use clap::ValueEnum;
use umem_core::scenario::Scenario;

use crate::{
    exit::Exit,
    interrupt::Interrupt,
    screen::{Out, say},
    sysfs,
    watch::{
        End, Happened, Ledger, Line, Machine, Metrics, Reader, Rows, Said, Saved, Shared, Source,
        Summary, Symbols, moment, older, older_table, serve, symbols,
    },
    whole_file::{Readers, WholeFile},
};

/// Watch every registration on this machine: what the kernel built, held against the rules
///
/// By BPF, without a kernel module; real devices and their programs are only watched. For each registration it tells who made it, how many
/// SG entries, DMA segments and table entries it took, which page size was chosen and why not a larger one, or at which gate it was refused
/// and the way out. What the kernel built is held against the rules, with the kernel's own frames and limits.
///
/// On a terminal it prints a table, in a pipe a line of JSON for each. It ends by Ctrl-C, after --for seconds, or after --count registrations,
/// with a summary.
///
/// Exit code: 0 watched, 1 the kernel and the rules differed, 2 wrong usage, 3 this machine cannot be watched: the message names what is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo umem watch
  sudo umem watch --pid 4242 --count 10 --save captures
  sudo umem watch --format json --for 60")]
pub struct Watch {
    /// Only registrations with this device
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// Only those of this process
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,

    /// End after so many registrations
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Print the lists, entry by entry (JSON)
    #[arg(long)]
    lists: bool,

    /// Save each registration as a capture into this folder, for `umem plan` and `umem view`
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,

    /// Serve sums as OpenMetrics at this address, such as 127.0.0.1:9742, for Prometheus
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,

    /// Print no line for each registration
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

/// With more records than these waiting, nobody works out what would help.
const HURRY: usize = 256;
/// How nice judging is to the programs that it judges: it gets a tenth of a processor that they want, too.
const JUDGES_AT: i32 = 10;
/// How long records are waited for at once.
const WAITS: Duration = Duration::from_millis(100);

impl Watch {
    /// Watches until it is to end.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        if let Some(folder) = &self.save {
            std::fs::create_dir_all(folder)
                .map_err(|error| anyhow::anyhow!("--save {}: {error}", folder.display()))?;
        }
        let opened = symbols().and_then(|symbols| {
            let source = Source::open(self.pid, &symbols)?;
            Ok((source, symbols))
        });
        let (source, symbols) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                say!("umem: this machine cannot be watched: {error}; umem doctor says more");
                return Ok(Exit::Unable);
            }
        };
        let format = self.format.unwrap_or(match out.is_terminal() {
            true => Format::Table,
            false => Format::Json,
        });
        let mut watching = Watching {
            options: self,
            format,
            machine: Machine::here(),
            rows: Rows::default(),
            summary: Summary::new(),
            interrupted: false,
            metrics: Shared::default(),
        };
        if let Some(address) = self.metrics {
            let served = serve(address, Shared::clone(&watching.metrics));
            let address =
                served.map_err(|error| anyhow::anyhow!("--metrics {address}: {error}"))?;
            say!("umem: metrics are at http://{address}/metrics");
        }
        watching.watch(out, source, symbols)?;
        Ok(match watching.summary.differs {
            0 => Exit::Held,
            _ => Exit::Differed,
        })
    }
}

struct Watching<'a> {
    options: &'a Watch,
    format: Format,
    machine: Machine,
    rows: Rows,
    summary: Summary,
    /// A signal has come.
    interrupted: bool,
    metrics: Shared,
}

impl Watching<'_> {
    fn watch(&mut self, out: &mut Out, source: Source, mut symbols: Symbols) -> anyhow::Result<()> {
        let interrupt = Interrupt::watch();
        let mut ledger = Ledger::new(self.machine.page);
        let start = Instant::now();
        let end = self
            .options
            .seconds
            .map(|seconds| start + Duration::from_secs(seconds));
        if !symbols.are_shown() {
            say!(
                "umem: the kernel hides addresses from this user (CAP_SYSLOG): no frame numbers, no callers"
            );
        }
        match source.is_whole() {
            true => {
                say!("umem: watching{}", self.machine.known());
                self.older(out)?;
            }
            false => {
                say!("umem: waiting for the module that registers memory (ib_uverbs, ib_core)")
            }
        }
        let mut reader = Reader::start(source);
        // Judging may wait; what is watched goes first. The reader, which must not fall behind, has begun as it was.
        let _ = rustix::process::nice(JUDGES_AT);
        let (mut losses, mut ticked) = (None, start);
        let mut told = Vec::new();
        while !self.is_enough() {
            let said = reader.next(WAITS);
            let now = Instant::now();
            let nothing = said.is_none();
            match said {
                Some(Said::Record(record)) => {
                    let mut function = |address| symbols.function(address).map(str::to_owned);
                    ledger.add(record, now, &mut function, &mut told);
                }
                Some(Said::Watching(found)) => {
                    symbols = found;
                    say!("umem: watching{}", self.machine.known());
                    self.older(out)?;
                }
                Some(Said::Lost(losses)) => self.sums().lost(losses),
                Some(Said::Failed(error)) => anyhow::bail!("watching failed: {error}"),
                None => {}
            }
            if nothing || now >= ticked + WAITS {
                ticked = now;
                ledger.tick(now, &mut told);
            }
            let over = self.is_interrupted() || end.is_some_and(|end| now >= end);
            if over && losses.is_none() {
                // What is in the rings by now is told still.
                losses = Some(reader.stop());
            } else if losses.is_some() && nothing {
                ledger.finish(&mut told);
            }
            let hurry = reader.waiting() > HURRY;
            for happened in told.drain(..) {
                self.tell(out, happened, hurry)?;
                if self.is_enough() {
                    break;
                }
            }
            if !hurry {
                out.flush()?;
            }
            if losses.is_some() && nothing {
                break;
            }
        }
        // Ctrl-C is how a watch ends.
        Interrupt::take();
        drop(interrupt);
        self.summary.lose(losses.unwrap_or_else(|| reader.stop()));
        match self.format {
            Format::Table => self.summary.table(out)?,
            Format::Json => self.summary.json(out.exact())?,
        }
        Ok(())
    }

    /// A signal that came is taken: what writes files meanwhile would give up.
    fn is_interrupted(&mut self) -> bool {
        if Interrupt::check().is_err() {
            Interrupt::take();
            self.interrupted = true;
        }
        self.interrupted
    }

    fn sums(&self) -> MutexGuard<'_, Metrics> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_enough(&self) -> bool {
        let most = self.options.count;
        most.is_some_and(|most| self.summary.registrations >= most)
    }

    fn tell(&mut self, out: &mut Out, happened: Happened, hurry: bool) -> anyhow::Result<()> {
        let time = SystemTime::now();
        let wanted = |device: &str| {
            let only = self.options.device.as_deref();
            only.is_none_or(|only| only == device)
        };
        match happened {
            Happened::Registered(seen) => {
                if !wanted(&seen.get.name) {
                    return Ok(());
                }
                let mut line = Line::of(&seen, &mut self.machine, time, self.options.lists, hurry);
                if let Some(folder) = &self.options.save {
                    let number = self.summary.registrations + 1;
                    let saved = seen.scenario(&mut self.machine, time);
                    line.saved = Some(match saved {
                        Ok(scenario) => {
                            let path = self.save(folder, number, &scenario)?;
                            Saved::File(path.display().to_string())
                        }
                        Err(why) => Saved::Not(why),
                    });
                }
                self.summary.add(&line);
                self.sums().registered(&line);
                match self.format {
                    _ if self.options.quiet => {}
                    Format::Table => self.rows.registration(out, &line)?,
                    Format::Json => json(out, &line)?,
                }
            }
            Happened::Released(released) => {
                if !wanted(&released.device) {
                    return Ok(());
                }
                self.summary.released += 1;
                let driver = self.machine.device(&released.device).driver;
                self.sums().released(&released, driver);
                match self.format {
                    _ if self.options.quiet => {}
                    Format::Table => self.rows.release(out, &moment(time), &released)?,
                    Format::Json => json(out, &End::of(released, time))?,
                }
            }
            Happened::ReleasedOlder => self.summary.released_older += 1,
        }
        Ok(())
    }
}

impl Watching<'_> {
    /// Tells the regions that are older than the watch.
    fn older(&mut self, out: &mut Out) -> anyhow::Result<()> {
        let devices = sysfs::devices(Path::new("/"));
        let (mut regions, not_told) = older(&devices);
        let Watch { device, pid, .. } = self.options;
        regions.retain(|older| {
            device.as_ref().is_none_or(|device| *device == older.device)
                && (pid.is_none() || *pid == older.pid)
        });
        for why in not_told {
            say!("umem: {why}");
        }
        self.summary.older = regions.len() as u64;
        match self.format {
            _ if self.options.quiet || regions.is_empty() => {}
            Format::Table => older_table(out, &regions)?,
            Format::Json => regions.iter().try_for_each(|older| json(out, older))?,
        }
        out.flush()?;
        Ok(())
    }

    /// Once more, if it was a signal that kept it from being written.
    fn save(&mut self, folder: &Path, number: u64, scenario: &Scenario) -> anyhow::Result<PathBuf> {
        let saved = save(folder, number, scenario);
        match saved {
            Err(_) if Interrupt::check().is_err() => {
                self.is_interrupted();
                save(folder, number, scenario)
            }
            saved => saved,
        }
    }
}

fn json(out: &mut Out, line: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    out.exact().write_all(&text)?;
    Ok(())
}

/// Its addresses are physical ones: for its owner alone.
fn save(folder: &Path, number: u64, scenario: &Scenario) -> anyhow::Result<PathBuf> {
    let start = scenario.region.va.get() + scenario.region.offset.0;
    let path = folder.join(format!("{number:06}-{start:x}.json"));
    let mut file = WholeFile::create(&path, Readers::Owner)?;
    let mut text = serde_json::to_vec(scenario)?;
    text.push(b'\n');
    file.write_all(&text)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.finish()?;
    Ok(path)
}
