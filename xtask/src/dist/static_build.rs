//! `umem` as one file that needs nothing else: no library, not even C's.
//!
//! It can do everything but verbs. libibverbs loads a provider for each device at run time, which a program that is linked statically
//! cannot do (there is no dlopen() in it), so that `umem` with RDMA is a second program: the Debian package's.

use crate::debian;
use crate::page::tools;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result};
use std::path::PathBuf;
use xshell::{Shell, cmd};

/// A processor that it is built for.
#[derive(Debug)]
pub struct StaticTarget {
    /// As `uname -m` has it.
    pub machine: &'static str,
    /// Rust's name of what is built.
    target: &'static str,
    /// What links it.
    linker: &'static str,
    /// The packages that the linker comes from, if it is not Rust's own.
    pub packages: &'static [&'static str],
    /// What emulates it, of Debian's qemu-user-static.
    pub emulator: &'static str,
}

/// All of them. Rust has no musl for POWER in every place that it is installed from; glibc links statically as well.
pub const TARGETS: &[StaticTarget] = &[
    StaticTarget {
        machine: "x86_64",
        target: "x86_64-unknown-linux-musl",
        linker: "rust-lld",
        packages: &[],
        emulator: "qemu-x86_64-static",
    },
    StaticTarget {
        machine: "aarch64",
        target: "aarch64-unknown-linux-musl",
        linker: "rust-lld",
        packages: &[],
        emulator: "qemu-aarch64-static",
    },
    StaticTarget {
        machine: "ppc64le",
        target: "powerpc64le-unknown-linux-gnu",
        linker: "powerpc64le-linux-gnu-gcc",
        packages: &["gcc-powerpc64le-linux-gnu", "libc6-dev-ppc64el-cross"],
        emulator: "qemu-ppc64le-static",
    },
];

/// The one whose program runs here, which writes the pages of help for all.
pub fn of_this_machine() -> Result<&'static StaticTarget> {
    let here = std::env::consts::ARCH;
    let found = TARGETS.iter().find(|target| target.machine == here);
    found.with_context(|| format!("no static umem is built for {here}"))
}

impl StaticTarget {
    /// Builds it; returns its path.
    pub fn build(&self, sh: &Shell) -> Result<PathBuf> {
        let StaticTarget {
            machine,
            target,
            linker,
            packages,
            ..
        } = self;
        if !packages.is_empty() {
            debian::require(sh, &format!("building umem for {machine}"), packages)?;
        }
        tools::require_target(sh, target)?;
        let upper = target.to_uppercase().replace('-', "_");
        let _linker = sh.push_env(format!("CARGO_TARGET_{upper}_LINKER"), linker);
        let _flags = sh.push_env(
            format!("CARGO_TARGET_{upper}_RUSTFLAGS"),
            "-C target-feature=+crt-static -C strip=symbols",
        );
        // Apart from what the lab builds for the same target with other flags, which each would have the other build again.
        let folder = place::target().join("static");
        step(&format!("building a static umem for {machine}"), || {
            cmd!(
                sh,
                "cargo build --quiet --locked --package native-runner --bin umem --release --target {target} --target-dir {folder}"
            )
            .quiet()
            .run()?;
            Ok(folder.join(target).join("release/umem"))
        })
    }
}
