//! `umem import`.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use umem_core::{
    import::{Given, ImportError, Imported, Layouts, MOST_BYTES, Missing, import},
    scenario::{Asked, Backing, ForkSupport, LayoutName, Memlock, Problem, ScenarioError},
    size::Bytes,
};

use crate::{
    exit::Exit,
    screen::{one_line, say},
    whole_file,
};

/// Make a scenario, or a set, of what you have: a log, smaps, what rdma prints
///
/// Reads lines of a log that name an address and a length (Mooncake, UCX, libfabric, NCCL and others), /proc/PID/smaps, and what `rdma -j
/// resource show mr` prints; log and smaps in one text, too. What a scenario needs and the text does not say is asked for by name. What
/// is inferred or assumed is printed on standard error.
///
/// Exit code: 0 made, 2 wrong input, or something is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem import --length 8G --page-size 4K --device efa --memlock 8192
  grep -h register server.log | umem import - --device mlx5
  rdma -j resource show mr | umem import -")]
pub struct Import {
    /// The text; - reads standard input. With --length it may be left out
    #[arg(value_name = "FILE", required_unless_present = "length")]
    file: Option<PathBuf>,

    /// Where the region begins (0x7f0000000000)
    #[arg(long, value_name = "ADDRESS")]
    va: Option<String>,

    /// How long the region is (80G, 84424509440)
    #[arg(long, value_name = "SIZE")]
    length: Option<String>,

    /// The pages that back it (4K, 2M)
    #[arg(long, value_name = "SIZE")]
    page_size: Option<String>,

    /// The pages of the kernel (`getconf PAGESIZE`), where they are not of 4K
    #[arg(long, value_name = "SIZE")]
    kernel_page: Option<String>,

    /// The device (mlx5, mlx5_0)
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// The IOMMU of `umem list iommus`, or off
    #[arg(long, value_name = "NAME")]
    iommu: Option<String>,

    /// The kernel, as `uname -r` prints it
    #[arg(long, value_name = "NAME")]
    release: Option<String>,

    /// The limit on locked memory as `ulimit -l` prints it (kilobytes, or unlimited), or a size with its unit (8M)
    #[arg(long, value_name = "LIMIT")]
    memlock: Option<String>,

    /// The program has CAP_IPC_LOCK: no limit on locked memory holds
    #[arg(long)]
    privileged: bool,

    /// What libibverbs does about fork()
    #[arg(long, value_enum)]
    fork_support: Option<Fork>,

    /// What backs the memory
    #[arg(long, value_enum)]
    backing: Option<Back>,

    /// How its frames lie; scattered if left out, and then both answers are told where they differ
    #[arg(long, value_enum)]
    layout: Option<Lie>,

    /// Where the scenario goes; standard output if left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Fork {
    /// Nothing
    Off,
    /// It marks registered memory with MADV_DONTFORK
    Libibverbs,
    /// It is on, and the kernel copies pinned pages on fork()
    Kernel,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Back {
    /// malloc(), transparent huge pages
    Anonymous,
    /// hugetlbfs, MAP_HUGETLB
    Hugetlb,
    /// tmpfs, memfd, /dev/shm
    Shmem,
    /// A file on disk
    File,
    /// /dev/dax
    Devdax,
    /// A file on DAX
    Fsdax,
    /// A PCI BAR, a GPU's mapping
    Pfnmap,
    /// The memory of a GPU or of another device, exported (ibv_reg_dmabuf_mr())
    DmaBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Lie {
    /// No page is adjacent to the one before
    Scattered,
    /// One run
    Contiguous,
}

impl Import {
    /// Reads, and writes what it made.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let (text, name) = match &self.file {
            Some(path) => (read(path)?, name(path)),
            None => (String::new(), "the command line".into()),
        };
        let given = self.given()?;
        let imported = match import(&text, &given) {
            // A line each.
            Err(ImportError::Missing(missing)) => {
                say!(
                    "umem: {}: the text does not say everything; add",
                    one_line(&name)
                );
                for Missing { what, option, find } in missing {
                    say!("  {option:<20} {what}: {find}");
                }
                return Ok(Exit::Usage);
            }
            imported => imported.with_context(|| name.clone())?,
        };
        let layouts = match self.layout {
            None => imported.layouts()?,
            Some(_) => None,
        };
        let Imported {
            mut asked,
            errno,
            notes,
            decided,
        } = imported;
        let is_one = matches!(asked, Asked::Scenario(_));
        let title = match errno {
            Some(errno) => format!("From {name}; the program saw {errno}"),
            None => format!("From {name}"),
        };
        let json = match &mut asked {
            Asked::Scenario(scenario) => {
                scenario.name = Some(title);
                scenario.to_json_pretty()
            }
            Asked::Set(set) => {
                set.name = Some(title);
                serde_json::to_string_pretty(set)?
            }
        } + "\n";
        for note in notes.into_iter().chain(decided.map(|it| it.to_string())) {
            say!("note: {}", one_line(note));
        }
        if let Some(Layouts { imported, adjacent }) = layouts {
            say!(
                "note: with scattered frames: {imported}; if all are adjacent (--layout contiguous): {adjacent}"
            );
        }
        if let Some(errno) = errno.filter(|_| is_one) {
            let file = self
                .output
                .as_deref()
                .map_or("-".into(), Path::to_string_lossy);
            say!(
                "note: the program saw {errno}: `umem plan {}` says whether it had to, or what would explain it",
                one_line(file)
            );
        }
        match &self.output {
            Some(path) => whole_file::write(path, json.as_bytes())?,
            None => out.write_all(json.as_bytes())?,
        }
        Ok(Exit::Held)
    }

    fn given(&self) -> anyhow::Result<Given> {
        Ok(Given {
            va: match &self.va {
                Some(text) => Some(
                    text.parse()
                        .map_err(|error| wrong("--va", format!("\"{text}\" {error}")))?,
                ),
                None => None,
            },
            length: size("--length", self.length.as_deref())?,
            page_size: size("--page-size", self.page_size.as_deref())?,
            kernel_page: size("--kernel-page", self.kernel_page.as_deref())?,
            device: self.device.clone(),
            iommu: self.iommu.clone(),
            release: self.release.clone(),
            memlock: self.memlock.as_deref().map(memlock).transpose()?,
            privileged: self.privileged.then_some(true),
            fork_support: self.fork_support.map(|fork| match fork {
                Fork::Off => ForkSupport::Off,
                Fork::Libibverbs => ForkSupport::Libibverbs,
                Fork::Kernel => ForkSupport::Kernel,
            }),
            backing: self.backing.and_then(|back| match back {
                Back::Anonymous => Some(Backing::Anonymous),
                Back::Hugetlb => Some(Backing::Hugetlb),
                Back::Shmem => Some(Backing::Shmem),
                Back::File => Some(Backing::File),
                Back::Devdax => Some(Backing::Devdax),
                Back::Fsdax => Some(Backing::Fsdax),
                Back::Pfnmap => Some(Backing::Pfnmap),
                Back::DmaBuf => None,
            }),
            dma_buf: self.backing == Some(Back::DmaBuf),
            layout: self.layout.map(|layout| match layout {
                Lie::Scattered => LayoutName::Scattered,
                Lie::Contiguous => LayoutName::Contiguous,
            }),
        })
    }
}

fn wrong(option: &str, text: String) -> ScenarioError {
    ScenarioError::new(option, Problem::Other(text))
}

fn size(option: &str, text: Option<&str>) -> Result<Option<Bytes>, ScenarioError> {
    let parse = |text: &str| {
        text.parse::<Bytes>().map_err(|error| {
            let text = text.to_owned();
            ScenarioError::new(option, Problem::Size { text, error })
        })
    };
    text.map(parse).transpose()
}

/// "unlimited", "8M", or kilobytes as `ulimit -l` prints them.
fn memlock(text: &str) -> Result<Memlock, ScenarioError> {
    if text == "unlimited" {
        return Ok(Memlock::Unlimited);
    }
    let kilobytes = text
        .parse::<u64>()
        .ok()
        .and_then(|kilobytes| kilobytes.checked_mul(1024));
    let bytes = match kilobytes {
        Some(bytes) => Some(Bytes(bytes)),
        None => size("--memlock", Some(text))?,
    };
    bytes
        .map(Memlock::Bytes)
        .ok_or_else(|| wrong("--memlock", format!("\"{text}\" is not a limit")))
}

fn name(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".into(),
        false => path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
    }
}

/// The text, as far as it may be long; bytes that are no text are replaced.
fn read(path: &Path) -> anyhow::Result<String> {
    let source: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(
            File::open(path).with_context(|| format!("{} cannot be read", path.display()))?,
        ),
    };
    let mut bytes = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    source
        .take(most)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_ulimit_prints() {
        assert_eq!(memlock("8192"), Ok(Memlock::Bytes(Bytes(8 << 20))));
        assert_eq!(memlock("64M"), Ok(Memlock::Bytes(Bytes(64 << 20))));
        assert_eq!(memlock("unlimited"), Ok(Memlock::Unlimited));
        assert!(memlock("much").is_err() && memlock("").is_err());
    }
}
