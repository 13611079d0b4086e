//! The Debian package: `umem` with verbs, its manual pages and completions. What goes where stands in native-runner/Cargo.toml.

use super::bundle;
use crate::lab::programs;
use crate::page::tools;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::Result;
use std::fs;
use std::path::Path;
use xshell::{Shell, cmd};

/// What packing needs, beside what building does.
pub const PACKAGES: &[&str] = &["dpkg-dev"];

/// Makes it for this machine's processor, in `out`.
pub fn make(sh: &Shell, out: &Path) -> Result<()> {
    programs::require_build(sh)?;
    crate::debian::require(sh, "packing for Debian", PACKAGES)?;
    tools::require_cargo_deb(sh)?;
    let _path = sh.push_env("PATH", tools::path()?);
    step("building umem with RDMA for the Debian package", || {
        Ok(cmd!(
            sh,
            "cargo build --quiet --locked --package native-runner --bin umem --features rdma --release"
        )
        .quiet()
        .run()?)
    })?;
    step("packing for Debian", || {
        let help = place::target().join("help");
        sh.remove_path(&help)?;
        let umem = place::target().join("release/umem");
        bundle::help(sh, &umem, &help.join("man"), &help.join("completions"))?;
        let doc = help.join("doc");
        fs::create_dir_all(&doc)?;
        bundle::licences(std::env::consts::ARCH, &doc)?;
        // The package puts the program where Debian's programs are.
        let unit = place::workspace().join("native-runner/fleet/umem-watch.service");
        let unit = fs::read_to_string(unit)?.replace("/usr/local/bin/", "/usr/bin/");
        fs::write(help.join("umem-watch.service"), unit)?;
        let out = format!("{}/", out.display());
        run_quietly(cmd!(
            sh,
            "cargo deb --locked --no-build --package native-runner --output {out}"
        ))
    })
}
