//! The parts of a test run: what each needs, and what it does.

use super::done::Done;
use super::{code, dist, lab, site};
use crate::bench;
use crate::bpf;
use crate::lab::Release;
use crate::page::browser::Page;
use anyhow::Result;
use clap::ValueEnum;
use std::fmt;
use xshell::Shell;

/// A part, named as `--only` and `--skip` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Fmt,
    Clippy,
    Dependencies,
    Core,
    Bpf,
    Unit,
    Metrics,
    Instructions,
    Wasm,
    Page,
    Firefox,
    Webkit,
    Book,
    #[value(name = "lab-6.1")]
    Lab61,
    #[value(name = "lab-6.12")]
    Lab612,
    #[value(name = "lab-arm64")]
    LabArm64,
    #[value(name = "lab-ppc64le")]
    LabPpc64le,
    LabKill,
    LabWatch,
    LabMatrix,
    Dist,
    LabWatchKernels,
}

impl Part {
    /// All of them, the quick ones first.
    pub const ALL: &[Part] = &[
        Part::Fmt,
        Part::Clippy,
        Part::Dependencies,
        Part::Core,
        Part::Bpf,
        Part::Unit,
        Part::Metrics,
        Part::Instructions,
        Part::Wasm,
        Part::Page,
        Part::Firefox,
        Part::Webkit,
        Part::Book,
        Part::Lab61,
        Part::Lab612,
        Part::LabArm64,
        Part::LabPpc64le,
        Part::LabKill,
        Part::LabWatch,
        Part::LabMatrix,
        Part::Dist,
        Part::LabWatchKernels,
    ];

    /// What it is for.
    pub fn about(self) -> &'static str {
        match self {
            Part::Fmt => "the code is formatted",
            Part::Clippy => "no lint fires, natively and for wasm32",
            Part::Dependencies => "licences, sources and versions of all that is depended on",
            Part::Core => {
                "umem-core without std and features, and as a package; the runner without RDMA, the docs without warnings"
            }
            Part::Bpf => "the BPF programs that are committed are what their source makes",
            Part::Unit => "unit tests, property tests, the examples in the docs",
            Part::Metrics => "Prometheus scrapes what `umem watch` serves, and takes its alerts",
            Part::Instructions => "no path takes more instructions than it did",
            Part::Wasm => "the page's own tests, in headless Chromium",
            Part::Page => {
                "the page from end to end, in headless Chromium, and as `umem view` serves it"
            }
            Part::Firefox => {
                "the page, the element and the book from end to end, in headless Firefox"
            }
            Part::Webkit => "the main paths of the page and the element, in WebKit",
            Part::Book => "the book and the examples, every page of them, in headless Chromium",
            Part::Lab61 => {
                "a VM with Linux 6.1: the check behind both IOMMUs, 20,000 random questions, 20,000 wrong ones"
            }
            Part::Lab612 => "the same with Linux 6.12",
            Part::LabArm64 => {
                "a VM with an arm64 kernel of 16K pages: the check behind SMMUv3, 6000 random questions"
            }
            Part::LabPpc64le => {
                "a VM with a POWER kernel of 64K pages: the check behind its tables, 6000 random questions"
            }
            Part::LabMatrix => {
                "every architecture, page size and IOMMU of the lab: the check and 6000 random questions"
            }
            Part::Dist => {
                "what is published: programs in an empty root, the Debian package installed and removed"
            }
            Part::LabKill => "a check that is killed leaves nothing behind",
            Part::LabWatch => {
                "a VM with Linux 6.12: a check and 1280 registrations at once under `umem watch`, none lost"
            }
            Part::LabWatchKernels => "the same with every buffer, on the other kernels for x86-64",
        }
    }

    /// Whether it takes so long that only `--full`, or its name, asks for it.
    pub fn is_long(self) -> bool {
        matches!(
            self,
            Part::Firefox | Part::Webkit | Part::LabMatrix | Part::LabWatchKernels | Part::Dist
        )
    }

    /// Whether it boots two machines beside each other.
    pub fn boots_two_at_once(self) -> bool {
        matches!(self, Part::Lab61 | Part::Lab612 | Part::LabMatrix)
    }

    /// What it keeps to itself while it runs.
    pub fn room(self) -> Room {
        match self {
            Part::Fmt
            | Part::Clippy
            | Part::Dependencies
            | Part::Core
            | Part::Bpf
            | Part::Unit
            | Part::Metrics
            | Part::Instructions
            | Part::Wasm => Room::Code,
            Part::Page | Part::Firefox | Part::Webkit | Part::Book | Part::Dist => Room::Site,
            Part::Lab61
            | Part::Lab612
            | Part::LabArm64
            | Part::LabPpc64le
            | Part::LabKill
            | Part::LabWatch
            | Part::LabMatrix
            | Part::LabWatchKernels => Room::Lab,
        }
    }

    /// Whether it leaves the page built for release, once it has passed.
    pub fn builds_the_page(self) -> bool {
        self.room() == Room::Site
    }

    /// Sets up what it needs and does it. The page may be built already, by another part of the same run.
    pub fn run(self, sh: &Shell, page_is_built: bool) -> Result<Done> {
        let built = match page_is_built {
            true => Page::Built,
            false => Page::ToBuild,
        };
        match self {
            Part::Fmt => code::format(sh),
            Part::Clippy => code::clippy(sh),
            Part::Dependencies => code::dependencies(sh),
            Part::Core => code::core(sh),
            Part::Bpf => bpf::check(sh).map(|()| Done::All),
            Part::Unit => code::unit(sh),
            Part::Metrics => code::metrics(sh),
            Part::Instructions => bench::compare(sh).map(|()| Done::All),
            Part::Wasm => code::wasm(sh),
            Part::Page => site::page(sh, built),
            Part::Firefox => site::firefox(sh, built),
            Part::Webkit => site::webkit(sh, built),
            Part::Book => site::book(sh, built),
            Part::Lab61 => lab::kernel(sh, Release::Bookworm),
            Part::Lab612 => lab::kernel(sh, Release::BookwormBackports),
            Part::LabArm64 => lab::arm64(sh),
            Part::LabPpc64le => lab::ppc64le(sh),
            Part::LabMatrix => lab::matrix(sh),
            Part::LabKill => lab::killed(sh),
            Part::Dist => dist::dist(sh),
            Part::LabWatch => lab::watch(sh, &[Release::BookwormBackports], false),
            Part::LabWatchKernels => {
                let others = [Release::Bookworm, Release::TrixieBackports, Release::Sid];
                lab::watch(sh, &others, true)
            }
        }
    }
}

/// What only one part at a time may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// What cargo compiles by its own profiles for development: it would wait for itself.
    Code,
    /// The folder `static`.
    Site,
    /// The VMs, which fill the processors by themselves.
    Lab,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            self.to_possible_value()
                .expect("no part is hidden")
                .get_name(),
        )
    }
}
